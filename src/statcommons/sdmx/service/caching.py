"""What may be kept of an answer: ETag, Last-Modified, Cache-Control, and when 304 is all that needs to be said.

Nothing here tells of what is not yet public: an answer may be kept until the next release at the latest, and is said
to hold for a minute at most, so that the time of a release shows only in the minute before it.
"""

from __future__ import annotations

import datetime
import email.utils
import hashlib
from collections.abc import Iterable, Mapping

from statcommons.sdmx.query.data import Facts
from statcommons.sdmx.service.exchange import Headers

__all__ = ["caching_headers", "etag", "is_fresh"]

LONGEST = 60
"""Seconds for which an answer may be kept unasked; after that the ETag finds out at little cost."""

VARY = "Accept, Accept-Encoding, Accept-Language, Range, X-Range"


def etag(parts: Iterable[str], encoding: str = "") -> str:
    """Make the ETag of an answer from all that decides what is in it.

    Parameters
    ----------
    parts : iterable of str
        The version of the data, the query, the media type, the language …
    encoding : str
        How the body is compressed on the way; it need not have the same bytes twice, so that its tag is weak.

    Examples
    --------
    >>> etag(["1", "a"]) == etag(["1", "a"]), etag(["1", "a"]) == etag(["1a", ""]), etag(["1"], "gzip")[:3]
    (True, False, 'W/"')
    """
    hashed = hashlib.sha256("\0".join([*parts, encoding]).encode("utf-8", "surrogateescape")).hexdigest()[:32]
    return f'{"W/" if encoding else ""}"{hashed}"'


def joined_facts(several: Iterable[Facts]) -> Facts:
    """Say what holds of an answer that draws on several sources.

    Examples
    --------
    >>> day = datetime.datetime(2026, 11, 21)
    >>> joined_facts([Facts("1", None, day), Facts("2", day, None)]).version
    '1 2'
    """
    every = list(several)
    return Facts(
        " ".join(one.version for one in every),
        max((one.modified for one in every if one.modified), default=None),
        min((one.until for one in every if one.until), default=None),
    )


def caching_headers(tag: str, facts: Facts, now: datetime.datetime) -> Headers:
    """Give the headers that say what may be kept.

    Parameters
    ----------
    tag : str
        The ETag.
    facts : Facts
        Of what the answer draws on.
    now : datetime
        In UTC without a zone.

    Examples
    --------
    >>> now = datetime.datetime(2026, 11, 21, 9, 30)
    >>> dict(caching_headers('"1"', Facts("1", None, now + datetime.timedelta(seconds=9.9)), now))["Cache-Control"]
    'public, max-age=9'
    """
    left = (facts.until - now).total_seconds() if facts.until else LONGEST
    age = max(0, min(LONGEST, int(left)))
    headers = [("ETag", tag), ("Cache-Control", f"public, max-age={age}"), ("Vary", VARY)]
    # Two changes in one second would have one date: it is told when the second is over.
    if facts.modified and facts.modified.replace(microsecond=0) < now.replace(microsecond=0):
        utc = facts.modified.replace(microsecond=0, tzinfo=datetime.UTC)
        headers.append(("Last-Modified", email.utils.format_datetime(utc, usegmt=True)))
    return tuple(headers)


def is_fresh(headers: Mapping[str, str], tag: str, facts: Facts, *, exists: bool = True) -> bool:
    """Tell whether what the client has is what it would get.

    Parameters
    ----------
    headers : mapping of str to str
        Of the request.
    tag : str
        The ETag that the answer would have.
    facts : Facts
        Of what the answer would draw on.
    exists : bool
        Whether it is known that there is an answer; if not, only who names its tag must have it.

    References
    ----------
    RFC 9110, 13.1.2 and 13.1.3: If-None-Match beats If-Modified-Since, and compares weakly.

    Examples
    --------
    >>> is_fresh({"if-none-match": '"0", W/"1"'}, '"1"', Facts("1", None, None))
    True
    """
    if "if-none-match" in headers:
        known = [one.strip().removeprefix("W/") for one in headers["if-none-match"].split(",")]
        return tag.removeprefix("W/") in known or (exists and "*" in known)
    if not exists or not facts.modified:
        return False
    try:
        since = email.utils.parsedate_to_datetime(headers.get("if-modified-since", ""))
    except (ValueError, TypeError, IndexError, OverflowError):
        return False
    utc = since.astimezone(datetime.UTC).replace(tzinfo=None) if since.tzinfo else since
    return facts.modified.replace(microsecond=0) <= utc
