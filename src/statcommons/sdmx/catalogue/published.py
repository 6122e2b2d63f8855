"""What is published of a store, as plain data from which every form of its catalogue is written.

Only what readers can see goes in: a dataflow without public data is in no catalogue, and nothing tells of a load that
is public later.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from urllib.parse import quote, urlencode

from statcommons.core.errors import BadCall
from statcommons.sdmx.formats import FORMATS, Format, Options
from statcommons.sdmx.message import Header
from statcommons.sdmx.model import Ref, Text
from statcommons.sdmx.query.data import DataQuery
from statcommons.sdmx.service.offers import DATA_FORMATS
from statcommons.sdmx.store import Store
from statcommons.sdmx.structure import Component, Structure

__all__ = ["Catalogue", "Entry", "Publisher", "catalogue_of", "legible"]

ADDRESS = re.compile(r"https?://[^\s<>\"{}|\\^`?#]+")
MAIL = re.compile(r"[^\s<>\"{}|\\^`@?#]+@[^\s<>\"{}|\\^`@?#]+")
NO_XML = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
UNIT = "UNIT_MEASURE"


@dataclass(frozen=True)
class Publisher:
    """Who publishes: the name by language, the address of the office, and where to write to."""

    name: Text
    url: str
    email: str = ""


@dataclass(frozen=True)
class Entry:
    """A dataflow that has public data.

    Parameters
    ----------
    structure : Structure
        Its structure.
    releases : tuple of datetime
        When its public data changed, in UTC without a zone, the first one first.
    series, observations : int
        How many there are.
    start, end : datetime, optional
        Where its periods begin and end.
    units : tuple of (str, Text)
        The codes of the units and their names, where a dimension or the structure says them.
    formats : tuple of Format
        The formats that can hold it.
    """

    structure: Structure
    releases: tuple[datetime.datetime, ...]
    series: int
    observations: int
    start: datetime.datetime | None = None
    end: datetime.datetime | None = None
    units: tuple[tuple[str, Text], ...] = ()
    formats: tuple[Format, ...] = ()

    @property
    def flow(self) -> Ref:
        """The dataflow."""
        return self.structure.flow

    @property
    def name(self) -> Text:
        """What it is called, by language."""
        return self.structure.name or {"en": self.flow.id}

    @property
    def description(self) -> Text:
        """What it is, by language; its name where nothing more is said."""
        return self.structure.description or self.name


@dataclass(frozen=True)
class Catalogue:
    """What is published of a store at a moment.

    Parameters
    ----------
    base_url : str
        The address under which the service answers, without ``/sdmx/v2``.
    publisher : Publisher
        Who publishes.
    title, description : Text
        What the catalogue is called, and what it is.
    at : datetime
        The moment, in UTC without a zone.
    licence : str
        The address of the licence of all data; empty where nothing is said.
    entries : tuple of Entry
        The dataflows, in the order of their references.
    """

    base_url: str
    publisher: Publisher
    title: Text
    description: Text
    at: datetime.datetime
    licence: str = ""
    entries: tuple[Entry, ...] = field(default_factory=tuple)

    @property
    def home(self) -> str:
        """The address of the catalogue itself."""
        return f"{self.base_url}/catalogue"

    @property
    def endpoint(self) -> str:
        """The address of the service."""
        return f"{self.base_url}/sdmx/v2"

    @property
    def modified(self) -> datetime.datetime | None:
        """When something in it changed last; none where it is empty."""
        return max((entry.releases[-1] for entry in self.entries), default=None)

    def address(self, flow: Ref) -> str:
        """Give the address that names a dataflow."""
        return f"{self.home}#{_path(flow)}"

    def structure_url(self, ref: Ref) -> str:
        """Give the address of the structure of a dataflow, or of another artefact."""
        return f"{self.endpoint}/structure/{ref.kind}/{_path(ref)}?references=all"

    def data_url(self, flow: Ref, format: Format | None = None) -> str:
        """Give the address of the data of a dataflow, in a format or in that which a reader asks for."""
        address = f"{self.endpoint}/data/dataflow/{_path(flow)}"
        if format is None:
            return address
        offer = next(offer for offer, one in DATA_FORMATS[2].items() if one is format)
        asked = {"format": offer.names[0]} | ({"formatVersion": offer.version} if offer.version else {})
        return f"{address}?{urlencode(asked)}"


def catalogue_of(
    store: Store,
    base_url: str,
    publisher: Publisher,
    *,
    title: Text | None = None,
    description: Text | None = None,
    licence: str = "",
    flows: Iterable[Ref] | None = None,
) -> Catalogue:
    """Collect what is published of a store.

    Parameters
    ----------
    store : Store
        The store.
    base_url : str
        The address under which the service answers, without ``/sdmx/v2``.
    publisher : Publisher
        Who publishes.
    title, description : Text, optional
        What the catalogue is called, and what it is; made from the name of the publisher by default.
    licence : str
        The address of the licence of all data.
    flows : iterable of Ref, optional
        The dataflows; all by default.

    Returns
    -------
    Catalogue
        With the dataflows that have public data.

    Raises
    ------
    BadCall
        When an address is none.
    NoInput
        When a dataflow is not there.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     found = catalogue_of(
    ...         Store(folder), "https://stats.example.org", Publisher({"en": "NSO"}, "https://nso.org")
    ...     )
    >>> found.title, found.entries
    ({'en': 'Statistics of NSO'}, ())
    """
    for name, address in {"base_url": base_url, "publisher": publisher.url, "licence": licence}.items():
        if (address or name != "licence") and not ADDRESS.fullmatch(address):
            raise BadCall(f"{address!r} is no address.", where=name, remedy="Write https://… without ? and #.")
    if publisher.email and not MAIL.fullmatch(publisher.email):
        raise BadCall(f"{publisher.email!r} is no address.", where="publisher", remedy="Write name@example.org.")
    named = title or {language: f"Statistics of {name}" for language, name in publisher.name.items()}
    entries = (_entry(store, flow) for flow in sorted(store.flows() if flows is None else flows))
    return Catalogue(
        base_url.rstrip("/"),
        publisher,
        named,
        description or named,
        datetime.datetime.now(datetime.UTC).replace(tzinfo=None),
        licence,
        tuple(entry for entry in entries if entry),
    )


def legible(text: str) -> str:
    r"""Give a text with ``�`` for the characters that XML cannot hold.

    Parameters
    ----------
    text : str
        Any text.

    Examples
    --------
    >>> legible("a\x00b")
    'a�b'
    """
    return NO_XML.sub("�", text)


def _entry(store: Store, flow: Ref) -> Entry | None:
    """Describe a dataflow as it was after its last release; none where nothing is public."""
    structure, releases = store.structure(flow), store.releases(flow)
    if not releases:
        return None
    query = DataQuery(flow, as_of=releases[-1])
    found = store.availability(query)
    [first, last] = found.periods if found.periods else (None, None)
    return Entry(
        structure,
        releases,
        found.series,
        found.observations,
        first.start if first else None,
        last.end if last else None,
        _units(structure, found.values.get(UNIT, ())),
        _formats(store, query),
    )


def _units(structure: Structure, used: tuple[str, ...]) -> tuple[tuple[str, Text], ...]:
    if UNIT not in structure:
        return ()
    component: Component = structure[UNIT]
    names = {item.id: item.name for item in structure.codes(component)}
    codes = used or ((component.constant,) if component.constant else ())
    return tuple((code, names.get(code) or {"en": code}) for code in codes)


def _formats(store: Store, query: DataQuery) -> tuple[Format, ...]:
    """Give the formats that can hold a dataflow, by beginning a message of one observation in each."""
    some = store.select(DataQuery(query.flow, limit=1, as_of=query.as_of)).data_sets()
    header = Header("none", datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC), "none")

    def holds(format: Format) -> bool:
        try:
            format.write(some, header, Options())
        except BadCall:
            return False
        return True

    return tuple(one for one in FORMATS.values() if holds(one))


def _path(ref: Ref) -> str:
    return "/".join(quote(part, safe="") for part in (ref.agency, ref.id, ref.version))
