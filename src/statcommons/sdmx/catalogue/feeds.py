"""What was published, for those who follow it: RSS 2.0 and Atom, the newest first."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from dataclasses import dataclass
from email.utils import format_datetime
from typing import TYPE_CHECKING

from statcommons.core.errors import BadCall
from statcommons.sdmx.catalogue.published import Catalogue, Entry, legible
from statcommons.sdmx.model import in_language

if TYPE_CHECKING:
    from lxml.etree import _Element

__all__ = ["ATOM", "RSS", "Publication", "atom", "publications", "rss"]

RSS, ATOM = "application/rss+xml; charset=utf-8", "application/atom+xml; charset=utf-8"
"""The media types."""

ATOM_NAMES = "http://www.w3.org/2005/Atom"


@dataclass(frozen=True)
class Publication:
    """A moment at which a dataflow was published, for the first time or again.

    Parameters
    ----------
    entry : Entry
        The dataflow.
    when : datetime
        The moment, in UTC.
    id : str
        Names the publication for ever.
    is_first : bool
        Whether there were no data before.
    """

    entry: Entry
    when: datetime.datetime
    id: str
    is_first: bool


def publications(catalogue: Catalogue) -> list[Publication]:
    """Give all publications, the newest first.

    Parameters
    ----------
    catalogue : Catalogue
        What is published.

    Examples
    --------
    >>> from statcommons.sdmx.catalogue.published import Publisher
    >>> office = Publisher({"en": "NSO"}, "https://nso.example")
    >>> publications(Catalogue("https://stats.example", office, {}, {}, datetime.datetime(2026, 1, 1)))
    []
    """
    found = [
        Publication(entry, moment, f"{catalogue.address(entry.flow)}/{moment.isoformat()}", when == entry.releases[0])
        for entry in catalogue.entries
        for when in entry.releases
        for moment in [when.replace(tzinfo=datetime.UTC)]
    ]
    return sorted(found, key=lambda one: (one.when, one.id), reverse=True)


def rss(catalogue: Catalogue, *, language: str = "en", limit: int = 50) -> bytes:
    """Write what was published as RSS 2.0.

    Parameters
    ----------
    catalogue : Catalogue
        What is published.
    language : str
        The language of the words; where they are not in it, English or whichever there is.
    limit : int
        How many publications at most.

    Raises
    ------
    BadCall
        When the limit is below 1.

    References
    ----------
    RSS Advisory Board, RSS 2.0.11.

    Examples
    --------
    >>> from statcommons.sdmx.catalogue.published import Publisher
    >>> office = Publisher({"en": "NSO"}, "https://nso.example")
    >>> at = datetime.datetime(2026, 1, 1)
    >>> made = rss(Catalogue("https://stats.example", office, {"en": "Prices & wages"}, {"en": "All"}, at))
    >>> b"<title>Prices &amp; wages</title>" in made
    True
    """
    from lxml import etree

    root = etree.Element("rss", version="2.0")
    channel = etree.SubElement(root, "channel")
    _add(channel, "title", in_language(catalogue.title, (language,)))
    _add(channel, "link", catalogue.home)
    _add(channel, "description", in_language(catalogue.description, (language,)))
    _add(channel, "language", language)
    if catalogue.modified:
        _add(channel, "lastBuildDate", _rfc822(catalogue.modified.replace(tzinfo=datetime.UTC)))
    for one in _newest(catalogue, limit):
        item = etree.SubElement(channel, "item")
        _add(item, "title", _title(one, language))
        _add(item, "link", catalogue.address(one.entry.flow))
        _add(item, "description", in_language(one.entry.description, (language,)))
        _add(item, "guid", one.id).set("isPermaLink", "false")
        _add(item, "pubDate", _rfc822(one.when))
    return _written(root)


def atom(catalogue: Catalogue, *, language: str = "en", limit: int = 50) -> bytes:
    """Write what was published as Atom.

    Parameters
    ----------
    catalogue : Catalogue
        What is published.
    language : str
        The language of the words; where they are not in it, English or whichever there is.
    limit : int
        How many publications at most.

    Raises
    ------
    BadCall
        When the limit is below 1.

    References
    ----------
    RFC 4287.

    Examples
    --------
    >>> from statcommons.sdmx.catalogue.published import Publisher
    >>> office = Publisher({"en": "NSO"}, "https://nso.example")
    >>> made = Catalogue(
    ...     "https://stats.example", office, {"en": "Statistics"}, {"en": "All"}, datetime.datetime(2026, 1, 1)
    ... )
    >>> b"<updated>2026-01-01T00:00:00+00:00</updated>" in atom(made)
    True
    """
    from lxml import etree

    root = etree.Element(f"{{{ATOM_NAMES}}}feed", nsmap={None: ATOM_NAMES})
    root.set("{http://www.w3.org/XML/1998/namespace}lang", language)
    _add(root, "id", catalogue.home)
    _add(root, "title", in_language(catalogue.title, (language,)))
    _add(root, "updated", (catalogue.modified or catalogue.at).replace(tzinfo=datetime.UTC).isoformat())
    _add(root, "link").set("href", catalogue.home)
    author = _add(root, "author")
    _add(author, "name", in_language(catalogue.publisher.name, (language,)))
    _add(author, "uri", catalogue.publisher.url)
    for one in _newest(catalogue, limit):
        entry = _add(root, "entry")
        _add(entry, "id", one.id)
        _add(entry, "title", _title(one, language))
        _add(entry, "updated", one.when.isoformat())
        _add(entry, "link").set("href", catalogue.address(one.entry.flow))
        _add(entry, "summary", in_language(one.entry.description, (language,)))
    return _written(root)


def _newest(catalogue: Catalogue, limit: int) -> Iterator[Publication]:
    if limit < 1:
        raise BadCall(f"limit is {limit}.", where="limit", remedy="Give a whole number from 1 on.")
    yield from publications(catalogue)[:limit]


def _title(one: Publication, language: str) -> str:
    return f"{in_language(one.entry.name, (language,))}: {'published' if one.is_first else 'updated'}"


def _rfc822(when: datetime.datetime) -> str:
    return format_datetime(when, usegmt=True)


def _add(parent: _Element, name: str, text: str = "") -> _Element:
    """Add an element of the parent's namespace; characters that XML cannot hold become ``�``."""
    from lxml import etree

    namespace = etree.QName(parent).namespace
    child = etree.SubElement(parent, f"{{{namespace}}}{name}" if namespace else name)
    child.text = legible(text) or None
    return child


def _written(root: _Element) -> bytes:
    from lxml import etree

    text: bytes = etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True)
    return text
