"""The release calendar as iCalendar: what was published, and what the office announces.

Releases to come stand in it only where the caller announces them: a load that waits in the store for its time is not
public, and its time is not either.
"""

from __future__ import annotations

import datetime
import hashlib
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from statcommons.core.errors import BadCall
from statcommons.sdmx.catalogue.feeds import publications
from statcommons.sdmx.catalogue.published import Catalogue
from statcommons.sdmx.model import in_language

__all__ = ["CALENDAR", "Announced", "release_calendar"]

CALENDAR = "text/calendar; charset=utf-8"
"""The media type."""

LINE = 75
"""Octets that a line may have, without its end (RFC 5545, 3.1)."""

ESCAPES = str.maketrans({"\\": "\\\\", ";": "\\;", ",": "\\,", "\n": "\\n"})


@dataclass(frozen=True)
class Announced:
    """A release that the office announces: when, with its zone, what it is called, and where more is said."""

    when: datetime.datetime
    title: str
    url: str = ""


def release_calendar(catalogue: Catalogue, announced: Iterable[Announced] = (), *, language: str = "en") -> bytes:
    r"""Write a release calendar.

    Parameters
    ----------
    catalogue : Catalogue
        What is published.
    announced : iterable of Announced
        Releases to come; those whose time is over are left out, since what came of them is in the catalogue.
    language : str
        The language of the words; where they are not in it, English or whichever there is.

    Returns
    -------
    bytes
        iCalendar, in the order of time.

    Raises
    ------
    BadCall
        When an announced time has no zone, or a release has no title.

    References
    ----------
    RFC 5545.

    Examples
    --------
    >>> from statcommons.sdmx.catalogue.published import Publisher
    >>> office = Publisher({"en": "NSO"}, "https://nso.example")
    >>> made = Catalogue(
    ...     "https://stats.example", office, {"en": "Statistics"}, {"en": "All"}, datetime.datetime(2026, 1, 1)
    ... )
    >>> soon = Announced(datetime.datetime(2026, 2, 1, 8, 30, tzinfo=datetime.UTC), "Prices, January")
    >>> [line for line in release_calendar(made, [soon]).decode().split("\r\n") if line.startswith(("SUM", "DTSTART"))]
    ['DTSTART:20260201T083000Z', 'SUMMARY:Prices\\, January']
    """
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Stat Commons//Release calendar//EN"]
    lines.append(f"X-WR-CALNAME:{_text(in_language(catalogue.title, (language,)))}")
    for one in reversed(publications(catalogue)):
        name = in_language(one.entry.name, (language,))
        told = in_language(one.entry.description, (language,))
        lines += _event(one.id, one.when, one.when, name, catalogue.address(one.entry.flow), told)
    stamp = (catalogue.modified or catalogue.at).replace(tzinfo=datetime.UTC)
    for soon in sorted(announced, key=lambda soon: (_zoned(soon), soon.title)):
        if _zoned(soon) > catalogue.at.replace(tzinfo=datetime.UTC):
            lines += _event(f"{soon.title} {_zoned(soon).isoformat()}", soon.when, stamp, soon.title, soon.url)
    lines.append("END:VCALENDAR")
    return b"".join(_folded(line) + b"\r\n" for line in lines)


def _event(
    id: str, when: datetime.datetime, stamp: datetime.datetime, title: str, url: str, description: str = ""
) -> Iterator[str]:
    yield "BEGIN:VEVENT"
    yield f"UID:{hashlib.sha256(id.encode()).hexdigest()[:32]}@statcommons"
    yield f"DTSTAMP:{_moment(stamp)}"
    yield f"DTSTART:{_moment(when)}"
    yield f"SUMMARY:{_text(title)}"
    if description and description != title:
        yield f"DESCRIPTION:{_text(description)}"
    if url:
        yield f"URL:{_address(url)}"
    yield "TRANSP:TRANSPARENT"
    yield "END:VEVENT"


def _zoned(soon: Announced) -> datetime.datetime:
    if soon.when.tzinfo is None or not soon.title.strip():
        raise BadCall(
            f"{soon.title!r} is announced for {soon.when.isoformat()}.",
            where="announced",
            remedy="Give it a title, and its time a zone.",
        )
    return soon.when


def _moment(when: datetime.datetime) -> str:
    return when.astimezone(datetime.UTC).strftime("%Y%m%dT%H%M%SZ")


def _text(words: str) -> str:
    """Escape words; control characters would end a line or break a reader, and become blanks."""
    lines = "\n".join(words.splitlines())
    return "".join(" " if _is_control(sign) and sign != "\n" else sign for sign in lines).translate(ESCAPES)


def _address(url: str) -> str:
    if any(_is_control(sign) or sign.isspace() for sign in url):
        raise BadCall(f"{url!r} is no address.", where="announced", remedy="Write https://….")
    return url


def _is_control(sign: str) -> bool:
    return unicodedata.category(sign) == "Cc"


def _folded(line: str) -> bytes:
    """Fold a line: none has more than 75 octets, and no character is cut."""
    pieces, size = [bytearray()], 0
    for sign in line:
        octets = sign.encode()
        if size + len(octets) > LINE:
            pieces.append(bytearray(b" "))
            size = 1
        pieces[-1] += octets
        size += len(octets)
    return b"\r\n".join(bytes(piece) for piece in pieces)
