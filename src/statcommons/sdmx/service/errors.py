"""Errors as messages of SDMX, in the words and the form that the client asked in: XML, JSON or CSV."""

from __future__ import annotations

import csv
import datetime
import io
import json
import re
from collections.abc import Iterator
from xml.sax.saxutils import escape

from statcommons.core.errors import BadData, StatCommonsError, TryAgain
from statcommons.sdmx.service.exchange import Headers, Refusal, Response

__all__ = ["status_of"]

TITLES = {
    400: "The query cannot be read",
    403: "The query cannot be answered",
    404: "There is no such data or structure",
    405: "The method is not known here",
    406: "There is no such format",
    413: "There is too much of it",
    414: "The address is too long",
    415: "The body cannot be read",
    416: "The range lies outside of the data",
    422: "The query cannot be answered",
    500: "The service has failed",
    501: "This is not served here",
    503: "The service is busy",
}
CODES_V1 = {400: 140, 403: 150, 404: 100, 413: 130, 414: 140, 500: 500, 501: 501, 503: 503}
"""The codes of the Web Services Guidelines of SDMX 2.1 by status; what has no code of its own is one of syntax."""

UNEXPECTED = "Something unexpected has happened."
DEFAULTS = {
    1: "application/vnd.sdmx.structure+xml;version=2.1",
    2: "application/vnd.sdmx.structure+json;version=2.1.0",
}
FAMILY = re.compile(r"[/+](xml|json|csv)(?:;|$)")
CONTROL = {sign: "�" for sign in range(32) if sign not in (9, 10, 13)} | {0xFFFE: "�", 0xFFFF: "�"}
"""What XML cannot hold, in no writing; lone halves of surrogates are replaced by the encoder."""


def status_of(error: Exception, rest: int = 2) -> int:
    """Give the status of HTTP for an error.

    Parameters
    ----------
    error : Exception
        What was raised.
    rest : {1, 2}
        The version of REST: 1.5 knows no 422, and says 403 of what is well written and cannot be.

    Examples
    --------
    >>> status_of(BadData("Two flows."), 1), status_of(BadData("Two flows."), 2), status_of(ValueError())
    (403, 422, 500)
    """
    if isinstance(error, Refusal):
        return error.http_status
    status = error.status if isinstance(error, StatCommonsError) else 500
    return 403 if status == 422 and rest == 1 else status


def error_response(error: Exception, rest: int, content_type: str, now: datetime.datetime) -> Response:
    """Make the response that tells an error.

    Parameters
    ----------
    error : Exception
        What was raised; only what is meant for people is told of it.
    rest : {1, 2}
        The version of REST.
    content_type : str
        The media type that was asked for, in whose family the error is told; empty for that of the version of REST.
    now : datetime
        In UTC without a zone.
    """
    status = status_of(error, rest)
    # Not whatever has xml in its name: a workbook is a media type of openxmlformats.
    family = FAMILY.search(content_type)
    media = content_type if family else DEFAULTS[rest]
    write = WRITERS[family[1] if family else "xml" if rest == 1 else "json"]
    title, lines = TITLES.get(status, TITLES[500]), list(_lines(error))
    code = CODES_V1.get(status, 140) if rest == 1 else status
    body = write(code, title, lines, media, now).encode("utf-8", "replace")
    more: Headers = error.headers if isinstance(error, Refusal) else ()
    if isinstance(error, TryAgain):
        more = (*more, ("Retry-After", "5"))
    return Response(
        status,
        (("Content-Type", media), ("Content-Length", str(len(body))), ("Cache-Control", "no-store"), *more),
        (body,),
    )


def _lines(error: Exception) -> Iterator[str]:
    """Give what is to be told: the error, and each of its causes."""
    if not isinstance(error, StatCommonsError):
        yield UNEXPECTED
        return
    yield StatCommonsError.__str__(error)
    if isinstance(error, BadData):
        yield from map(str, error.causes)


def _xml(code: int, title: str, lines: list[str], media: str, now: datetime.datetime) -> str:
    version = media.partition("version=")[2][:3]
    space = f"http://www.sdmx.org/resources/sdmxml/schemas/v{version.replace('.', '_') or '2_1'}"
    texts = "".join(f'<com:Text xml:lang="en">{escape(one.translate(CONTROL))}</com:Text>' for one in (title, *lines))
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<mes:Error xmlns:mes="{space}/message" xmlns:com="{space}/common">'
        f'<mes:ErrorMessage code="{code}">{texts}</mes:ErrorMessage></mes:Error>\n'
    )


def _json(code: int, title: str, lines: list[str], media: str, now: datetime.datetime) -> str:
    meta = {
        "id": f"error-{code}",
        "prepared": f"{now.isoformat(timespec='seconds')}Z",
        "test": False,
        "sender": {"id": "SC"},
    }
    return json.dumps({"meta": meta, "errors": [{"code": code, "title": title, "detail": one} for one in lines]})


def _csv(code: int, title: str, lines: list[str], media: str, now: datetime.datetime) -> str:
    text = io.StringIO()
    csv.writer(text).writerows([("CODE", "TITLE", "DETAIL"), *((code, title, one) for one in lines)])
    return text.getvalue()


WRITERS = {"xml": _xml, "json": _json, "csv": _csv}
