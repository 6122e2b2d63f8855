"""The service as an application of WSGI, for the server that comes with it and for any other."""

from __future__ import annotations

from collections.abc import Iterable
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from statcommons.sdmx.service.answer import answer
from statcommons.sdmx.service.exchange import Request

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

    from statcommons.sdmx.store import Store

__all__ = ["application", "request_of"]


def application(store: Store) -> WSGIApplication:
    """Make the application that serves a store.

    Parameters
    ----------
    store : Store
        What is published.

    Returns
    -------
    callable
        An application of WSGI (PEP 3333).

    Examples
    --------
    >>> import tempfile
    >>> from statcommons.sdmx.store import Store
    >>> sent = {"RAW_URI": "/sdmx/v2/structure/dataflow", "REQUEST_METHOD": "GET"}
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     body = application(Store(folder))(sent, lambda status, headers: print(status))
    404 Not Found
    """

    def serve(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        made = answer(store, request_of(environ))
        start_response(f"{made.status} {HTTPStatus(made.status).phrase}", list(made.headers))
        return made.body

    return serve


def request_of(environ: dict[str, Any]) -> Request:
    """Read a request from what a server of WSGI says of it.

    Parameters
    ----------
    environ : dict
        What it says. The path is taken as it was sent, where the server tells it (``RAW_URI``, ``REQUEST_URI``).

    Examples
    --------
    >>> sent = {"RAW_URI": "http://host/sdmx/v1/data/A%2CB?c[X]=1+2", "PATH_INFO": "/…", "REQUEST_METHOD": "GET"}
    >>> request_of(sent).path, request_of(sent).query
    ('/sdmx/v1/data/A%2CB', 'c[X]=1+2')
    """
    raw = str(environ.get("RAW_URI") or environ.get("REQUEST_URI") or "")
    if raw and not raw.startswith("/"):  # an address with its host, as proxies send it
        raw = "/" + raw.partition("://")[2].partition("/")[2]
    path, _, query = raw.partition("?")
    if not path:
        path, query = quote(environ.get("PATH_INFO", ""), encoding="latin-1"), environ.get("QUERY_STRING", "")
    mount = environ.get("SCRIPT_NAME", "")
    headers = {name[5:].replace("_", "-").lower(): value for name, value in environ.items() if name.startswith("HTTP_")}
    for name in ("CONTENT_TYPE", "CONTENT_LENGTH"):
        if environ.get(name):
            headers[name.replace("_", "-").lower()] = environ[name]
    body = environ.get("wsgi.input")
    return Request(
        path.removeprefix(mount),
        query.partition("#")[0],
        environ["REQUEST_METHOD"],
        headers,
        body.read if body else lambda _: b"",
    )
