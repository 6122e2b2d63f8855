"""A request with everything read that can be read without the store: what is asked, and in which form."""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from dataclasses import dataclass

from statcommons.sdmx.message import Header
from statcommons.sdmx.query.data import Facts
from statcommons.sdmx.service.bodies import Body
from statcommons.sdmx.service.caching import caching_headers, etag, is_fresh
from statcommons.sdmx.service.exchange import Headers, Request, Response
from statcommons.sdmx.service.negotiate import Choice, choose_encoding, languages
from statcommons.sdmx.service.parameters import Parameters
from statcommons.sdmx.service.paths import Route
from statcommons.sdmx.structures.outgoing import sender_of

__all__ = ["Asked"]

PACKED = ("parquet", "arrow", "zip", "openxml")
"""Media types that are compressed in themselves."""


@dataclass(frozen=True)
class Asked:
    """What a request asks for.

    Parameters
    ----------
    request : Request
        The request.
    route : Route
        What its path names.
    parameters : Parameters
        What its query string and its form say.
    choice : Choice
        The format.
    now : datetime
        The moment, in UTC without a zone.
    """

    request: Request
    route: Route
    parameters: Parameters
    choice: Choice
    now: datetime.datetime

    @property
    def languages(self) -> tuple[str, ...]:
        """The languages that the reader prefers."""
        return languages(self.request.headers.get("accept-language", ""), self.parameters.lang or "")

    @property
    def encoding(self) -> str:
        """How the body is compressed."""
        asked = choose_encoding(self.request.headers.get("accept-encoding", ""), self.parameters.compression or "")
        return "" if any(one in self.choice.content_type for one in PACKED) else asked

    def tag(self, facts: Facts, *more: str) -> str:
        """Give the ETag of the answer, from all that decides what is in it."""
        chosen = (self.choice.content_type, *(f"{name}={value}" for name, value in self.choice.parameters.items()))
        said = (str(self.route), str(self.parameters), *chosen, ",".join(self.languages), *more)
        return etag((facts.version, *said), self.encoding)

    def header(self, facts: Facts, tag: str, agency: str) -> Header:
        """Give the header of the message; it is the same whenever the answer is, so that the bytes are."""
        prepared = (facts.modified or self.now).replace(tzinfo=datetime.UTC, microsecond=0)
        return Header(f"M{tag.removeprefix('W/').strip(chr(34))}", prepared, sender_of(agency))

    def unchanged(self, facts: Facts, tag: str, *, exists: bool = True) -> Response | None:
        """Give 304 when the client has the answer already; ``exists`` says whether it is known that there is one."""
        if not is_fresh(self.request.headers, tag, facts, exists=exists):
            return None
        return Response(304, caching_headers(tag, facts, self.now))

    def answer(
        self,
        pieces: Iterable[bytes],
        facts: Facts,
        tag: str,
        *,
        status: int = 200,
        text: bool = True,
        more: Headers = (),
    ) -> Response:
        """Give the response that has these bytes."""
        charset = ";charset=utf-8" if text else ""
        packed = (("Content-Encoding", self.encoding),) if self.encoding else ()
        return Response(
            status,
            (
                ("Content-Type", self.choice.content_type + charset),
                *packed,
                *caching_headers(tag, facts, self.now),
                *more,
            ),
            Body(pieces, self.encoding),
        )
