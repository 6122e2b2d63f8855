"""The service as one function, from a request to a response; whoever has a web server needs nothing else."""

from __future__ import annotations

import contextlib
import functools
import logging
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from statcommons.core.errors import StatCommonsError
from statcommons.sdmx.service.asked import Asked
from statcommons.sdmx.service.available import answer_availability
from statcommons.sdmx.service.bodies import read_form
from statcommons.sdmx.service.data import answer_data
from statcommons.sdmx.service.errors import error_response
from statcommons.sdmx.service.exchange import Headers, Refusal, Request, Response
from statcommons.sdmx.service.negotiate import Choice, choose
from statcommons.sdmx.service.offers import offers_of
from statcommons.sdmx.service.parameters import read_parameters
from statcommons.sdmx.service.paths import Resource, Rest, Route, route
from statcommons.sdmx.service.structures import answer_schema, answer_structure
from statcommons.sdmx.store.manifest import utc_now

if TYPE_CHECKING:
    from statcommons.sdmx.store import Store

__all__ = ["LONGEST_ADDRESS", "answer"]

log = logging.getLogger(__name__)

LONGEST_ADDRESS = 8_000
"""Signs of an address; many servers, proxies and clients cut what is longer."""

ANSWERS: Mapping[Resource, Callable[[Store, Asked], Response]] = {
    "data": answer_data,
    "availability": answer_availability,
    "structure": answer_structure,
    "schema": answer_schema,
}

CORS: Headers = (
    ("Access-Control-Allow-Origin", "*"),
    (
        "Access-Control-Expose-Headers",
        "Accept-Ranges, Content-Disposition, Content-Encoding, Content-Range, ETag, Last-Modified, Retry-After",
    ),
)
PREFLIGHT: Headers = (
    ("Access-Control-Allow-Methods", "GET, HEAD, POST, OPTIONS"),
    (
        "Access-Control-Allow-Headers",
        "Accept, Accept-Encoding, Accept-Language, Content-Type, If-Modified-Since, If-None-Match, Range, X-Range",
    ),
    ("Access-Control-Max-Age", "86400"),
)


def answer(store: Store, request: Request) -> Response:
    """Answer a request of SDMX REST 1.5 or 2.2.

    Parameters
    ----------
    store : Store
        What is published.
    request : Request
        The request.

    Returns
    -------
    Response
        Always one: what goes wrong is told in it. Its body is written while it is read.

    Examples
    --------
    >>> import tempfile
    >>> from statcommons.sdmx.store import Store
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     answer(Store(folder), Request("/sdmx/v2/data/dataflow/SC/NONE")).status
    404
    """
    if request.method == "OPTIONS":
        return Response(204, (("Allow", "GET, HEAD, POST, OPTIONS"), *CORS, *PREFLIGHT))
    made = _answer(store, request)
    if request.method == "HEAD":
        close = getattr(made.body, "close", None)
        if close:
            close()
        made = replace(made, body=())
    return replace(made, headers=(*made.headers, *CORS))


def _answer(store: Store, request: Request) -> Response:
    now = utc_now()
    rest, content_type = 1 if request.path.startswith("/sdmx/v1") else 2, ""
    try:
        if len(request.path) + len(request.query) > LONGEST_ADDRESS:
            raise Refusal(
                414,
                f"The address has more than {LONGEST_ADDRESS:,} signs.",
                remedy="Send the key in a form by POST, as key=….",
            )
        named = route(request.path)
        accept = request.headers.get("accept", "")
        with contextlib.suppress(Refusal):
            content_type = _chosen(named.resource, named.rest, accept).content_type
        form = _form(named, request)
        if form and named.key == "body":
            named = replace(named, key="")
        said = read_parameters(f"{request.query}&{form}", named.resource)
        choice = _chosen(named.resource, named.rest, accept, said.format or "", said.format_version or "")
        content_type = choice.content_type
        return ANSWERS[named.resource](store, Asked(request, named, said, choice, now))
    except StatCommonsError as error:
        return error_response(error, rest, content_type, now)
    except Exception as error:  # the client is told that something went wrong, the log what
        log.exception("%s %s?%s", request.method, request.path, request.query)
        return error_response(error, rest, content_type, now)


@functools.lru_cache(maxsize=256)  # clients ask for the same again and again
def _chosen(resource: Resource, rest: Rest, accept: str, format: str = "", version: str = "") -> Choice:
    return choose(offers_of(resource, rest), accept, format=format, version=version)


def _form(named: Route, request: Request) -> str:
    """Read what a request by POST says in its body, where it may: long keys do not fit into an address."""
    if request.method in ("GET", "HEAD"):
        return ""
    allowed = ("GET", "HEAD", "OPTIONS", *(["POST"] if named.resource in ("data", "availability") else []))
    if request.method not in allowed:
        raise Refusal(
            405,
            f"{request.method} is not known here.",
            where="method",
            remedy="Ask by GET.",
            headers=(("Allow", ", ".join(allowed)),),
        )
    return read_form(request)
