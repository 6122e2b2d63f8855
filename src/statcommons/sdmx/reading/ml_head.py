"""The head of an SDMX-ML data message: which data sets it has, where each begins, and of which structure they are."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from xml.parsers import expat

from statcommons.core.errors import BadData
from statcommons.sdmx.message import PRIMARY
from statcommons.sdmx.reading.source import MARKS, Source

__all__ = ["Head"]

BLOCK = 1 << 20
LARGEST_HEAD = 16 << 20
LONGEST_TAG = 256
ROOTS = {
    "GenericData": False,
    "GenericTimeSeriesData": False,
    "StructureSpecificData": True,
    "StructureSpecificTimeSeriesData": True,
}
"""The messages of data, and whether they are structure-specific."""

OLD = "http://www.sdmx.org/resources/sdmxml/schemas/v2_1/message"
"""The namespace of SDMX-ML 2.1, in which the one measure has a name of its own; generic messages are all of it."""

FIRST_TAG = re.compile(r"<(?:[\w.\-]+:)?(?P<name>\w+)")
DATA_SET = re.compile(rb"<(?:[^\s<>/]+:)?DataSet[\s/>]")
TAG = re.compile(rb'<(?:[^"\'>]|"[^"]*"|\'[^\']*\')*>')
DECLARED = re.compile(rb'<\?xml[^>]*?encoding\s*=\s*["\']([A-Za-z0-9._\-]+)["\'][^>]*\?>')
OWN = {
    "structureRef",
    "dataScope",
    "setID",
    "action",
    "validFromDate",
    "validToDate",
    "reportingBeginDate",
    "reportingEndDate",
    "publicationYear",
    "publicationPeriod",
}
"""Attributes of XML on a data set that are no attributes of SDMX."""


@dataclass(frozen=True)
class Head:
    """One data set of a message.

    Parameters
    ----------
    specific : bool
        Whether the message is structure-specific.
    opening : bytes
        The message up to the data set, with its opening tag: what a parser must see before it.
    start : int
        The byte at which the content of the data set begins; -1 where it has none.
    structure : str
        The reference of the dataflow or data structure.
    at : str
        The dimension at the observation.
    action : str
        What shall be done, as the message says it; empty where it does not.
    valid_from : str
        Since when the values are public, where the message says it.
    attributes : mapping of str to str
        Attributes of the whole data set.
    measure : str
        What the standard calls the one measure of any structure, where it does.
    last : bool
        Whether no data set follows.
    """

    specific: bool
    opening: bytes
    start: int
    structure: str
    at: str
    action: str
    valid_from: str
    attributes: Mapping[str, str] = field(default_factory=dict)
    measure: str = ""
    last: bool = True


def is_ml_data(source: Source) -> bool:
    """Tell whether XML begins as a message of data.

    Parameters
    ----------
    source : Source
        The file.
    """
    root = FIRST_TAG.search(source.start())
    return root is not None and root["name"] in ROOTS


def heads(source: Source) -> list[Head]:
    """Read the head of a message in UTF-8 and find its data sets.

    Parameters
    ----------
    source : Source
        The file, in UTF-8.

    Raises
    ------
    BadData
        When it is not XML or has a document type declaration, or when it is no message of data.
    """
    reader = _Reader()
    text = parser(source)
    text.StartElementHandler, text.EndElementHandler = reader.begin, reader.end
    text.CharacterDataHandler = reader.words.append
    reader.parser = text
    seen = bytearray()
    with source.path.open("rb") as file:
        try:
            while not reader.found and (block := file.read(BLOCK)):
                seen += block
                text.Parse(block, False)
                if len(seen) > LARGEST_HEAD:
                    raise BadData("The head of the message is too long.", where=source.name, remedy="Look at the file.")
            if not reader.found:
                text.Parse(b"", True)
        except expat.ExpatError as error:
            raise broken(source, error) from None
    if reader.specific is None:
        raise BadData(
            f"The message is a {reader.root}, not one of data.",
            where=source.name,
            remedy="Give GenericData or StructureSpecificData of SDMX-ML 2.1, 3.0 or 3.1.",
        )
    if not reader.found:
        return []
    first, _ = reader.found[0]
    before = bytes(seen[:first])
    places = _starts(source, first)
    return [_head(source, reader, before, place, place == places[-1]) for place in places]


def parser(source: Source) -> expat.XMLParserType:
    """Make a parser that refuses document type declarations, and with them every entity.

    Parameters
    ----------
    source : Source
        The file, for the words of the refusal.
    """
    made = expat.ParserCreate()
    made.buffer_text = True

    def refuse(*_: Any) -> None:
        raise BadData(
            "There is a document type declaration.",
            where=f"{source.name}, line {made.CurrentLineNumber}",
            remedy="SDMX has none: remove it.",
        )

    made.StartDoctypeDeclHandler = refuse
    return made


def broken(source: Source, error: expat.ExpatError, lines: int = 0) -> BadData:
    """Say that XML cannot be read, and at which line.

    Parameters
    ----------
    source : Source
        The file.
    error : expat.ExpatError
        What the parser says.
    lines : int
        Lines of the file that the parser was not shown.
    """
    return BadData(
        f"The XML cannot be read: {expat.errors.messages[error.code]}.",
        where=f"{source.name}, line {error.lineno + lines:,}, column {error.offset + 1:,}",
        remedy="Get the whole file again, as it was written.",
    )


def in_utf8(source: Source) -> Source:
    """Give a message in UTF-8: itself, or a temporary copy where it is in another encoding.

    Parameters
    ----------
    source : Source
        The file.

    Raises
    ------
    BadData
        When its encoding is not known, or it is not throughout what it says.
    """
    head = source.head()
    found = DECLARED.search(head)
    encoding = next((name for mark, name in MARKS.items() if head.startswith(mark)), "")
    encoding = encoding or (found[1].decode() if found else "utf-8")
    try:
        if codecs.lookup(encoding).name in ("utf-8", "ascii"):
            return source
        return source.rewritten(_recoded(source, encoding))
    except (LookupError, UnicodeError) as error:
        raise BadData(
            f"The message is not in the encoding that it says: {error}.", where=source.name, remedy="Write it in UTF-8."
        ) from None


def _recoded(source: Source, encoding: str) -> Iterator[bytes]:
    decoder = codecs.getincrementaldecoder(encoding)()
    first = True
    with source.path.open("rb") as file:
        while block := file.read(BLOCK):
            text = decoder.decode(block).removeprefix("\ufeff") if first else decoder.decode(block)
            data = text.encode()
            yield re.sub(rb"^\s*<\?xml[^>]*\?>", b"", data) if first else data
            first = False
    yield decoder.decode(b"", True).encode()


# --- reading --------------------------------------------------------------------------------------------------------


class _Reader:
    """Takes down what the header says, up to the first data set."""

    parser: Any = None

    def __init__(self) -> None:
        self.root = self.measure = ""
        self.specific: bool | None = None
        self.found: list[tuple[int, dict[str, str]]] = []
        self.structures: dict[str, dict[str, str]] = {}
        self.current: dict[str, str] = {}
        self.action = ""
        self.words: list[str] = []

    def begin(self, tag: str, attributes: dict[str, str]) -> None:
        name = tag.rpartition(":")[2]
        self.words.clear()
        if not self.root:
            self.root, self.specific = name, ROOTS.get(name)
            self.measure = PRIMARY if not self.specific or OLD in attributes.values() else ""
        elif name == "Structure" and "structureID" in attributes:
            self.current = self.structures.setdefault(attributes["structureID"], dict(attributes))
        elif name == "Ref" and "ref" not in self.current:
            of = [attributes.get(one, "") for one in ("agencyID", "id")]
            self.current["ref"] = f"{of[0]}:{of[1]}({attributes.get('version', '1.0')})"
        elif name == "DataSet":
            self.found.append((self.parser.CurrentByteIndex, attributes))

    def end(self, tag: str) -> None:
        name, words = tag.rpartition(":")[2], "".join(self.words).strip()
        if name in ("URN", "StructureUsage", "Structure", "ProvisionAgreement", "ProvisionAgrement") and words:
            self.current.setdefault("ref", words.rpartition("=")[2])
        elif name == "DataSetAction":
            self.action = words
        self.words.clear()


def _starts(source: Source, first: int) -> list[int]:
    """Find where data sets begin; only where there may be several the whole message is parsed for it."""
    likely, last = 0, b""
    with source.path.open("rb") as file:
        while block := file.read(BLOCK):
            joined = last + block
            if b"DataSet" in joined:
                likely += sum(found.end() > len(last) for found in DATA_SET.finditer(joined))
            last = joined[-LONGEST_TAG:]
    if likely <= 1:
        return [first]
    starts: list[int] = []
    text = parser(source)

    def begin(tag: str, _: dict[str, str]) -> None:
        if tag.rpartition(":")[2] == "DataSet":
            starts.append(text.CurrentByteIndex)

    text.StartElementHandler = begin
    with source.path.open("rb") as file:
        try:
            text.ParseFile(file)
        except expat.ExpatError as error:
            raise broken(source, error) from None
    return starts


def _head(source: Source, reader: _Reader, before: bytes, place: int, last: bool) -> Head:
    """Describe the data set that begins at a byte."""
    with source.path.open("rb") as file:
        file.seek(place)
        found = TAG.match(file.read(BLOCK))
    if not found:
        raise BadData("The file ends within a data set.", where=source.name, remedy="Get the whole file again.")
    tag = found[0]
    closed = tag.endswith(b"/>")
    attributes: dict[str, str] = {}
    lone = expat.ParserCreate()
    lone.StartElementHandler = lambda _, found: attributes.update(found)
    lone.Parse(tag if closed else tag[:-1] + b"/>", True)
    own = {name.rpartition(":")[2]: value for name, value in attributes.items() if not name.startswith("xmlns")}
    structure = reader.structures.get(own.get("structureRef", ""), next(iter(reader.structures.values()), {}))
    return Head(
        specific=bool(reader.specific),
        opening=before + (tag[:-2] + b">" if closed else tag),
        start=-1 if closed else place + len(tag),
        structure=structure.get("ref", ""),
        at=structure.get("dimensionAtObservation", "AllDimensions"),
        action=own.get("action", reader.action),
        valid_from=own.get("validFromDate", ""),
        attributes={name: value for name, value in attributes.items() if ":" not in name and name not in OWN}
        if reader.specific
        else {},
        measure=reader.measure,
        last=last,
    )
