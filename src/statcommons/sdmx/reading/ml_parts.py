"""What stands in a data set of SDMX-ML, piece by piece: series, observations and groups, in columns.

Two readers give the same pieces. Expat reads everything. Most of a large message, though, is a run of the same few
tags, and such runs are cut at ``<`` and ``"`` by Arrow, all at once; what is not plainly of that kind is for Expat.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from xml.parsers import expat

from statcommons.sdmx.reading.ml_head import Head, broken, parser
from statcommons.sdmx.reading.source import Source

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

__all__ = ["Piece", "by_expat", "column", "pieces", "plain", "unescaped"]

BLOCK = 1 << 22
MANY = 1 << 16
LARGEST = 1 << 62
FIRST = re.compile(r"(?:[\w.\-]+:)?(Series|Obs|Group)(\s.*)", re.DOTALL)
ATTRIBUTE = re.compile(r"\s+([\w.\-]+(?::[\w.\-]+)?)=")
ENDING = re.compile(r"\s*(/?)>\s*")
CLOSING = re.compile(r"/(?:[\w.\-]+:)?Series>\s*")


@dataclass
class Piece:
    """A part of a data set.

    Parameters
    ----------
    series : list of dict
        Values of series by component.
    members : numpy.ndarray
        For each observation, the place of its series in the list.
    columns : dict of str to pyarrow.Array
        Values of observations by component.
    groups : list of dict
        Values of groups by component, keys and attributes alike.
    """

    series: list[dict[str, Any]]
    members: np.ndarray
    columns: dict[str, pa.Array]
    groups: list[dict[str, Any]] = field(default_factory=list)


def pieces(source: Source, head: Head) -> Iterator[Piece]:
    """Read a data set: fast as long as it is plain, then by Expat.

    Parameters
    ----------
    source : Source
        The file, in UTF-8.
    head : Head
        The data set.

    Raises
    ------
    BadData
        When the XML is broken or cut off, with the line.
    """
    if head.start < 0:
        return
    at = head.start
    if head.specific:
        with source.path.open("rb") as file:
            file.seek(at)
            rest = b""
            while block := file.read(BLOCK):
                rest += block
                # A run ends behind a series, so that whoever goes on from there needs to know nothing.
                cut = rest.rfind(b"Series>") + 7 if b"Series" in rest else rest.rfind(b"<")
                if cut < 7:
                    continue
                piece = plain(rest[:cut])
                if piece is None:
                    break
                yield piece
                at += cut
                rest = rest[cut:]
    yield from by_expat(source, head, at)


# --- runs of plain tags ---------------------------------------------------------------------------------------------


def plain(text: bytes) -> Piece | None:
    """Read a run of tags ``Series``, ``Obs`` and ``Group`` with values in double quotes.

    Parameters
    ----------
    text : bytes
        Whole tags.

    Returns
    -------
    Piece or None
        None where a tag is of another kind, or anything else is unusual.

    Examples
    --------
    >>> piece = plain(b'<Series A="x"><Obs T="1"/><Obs T="2" V="a &lt; b"/></Series>')
    >>> piece.series, piece.members.tolist(), piece.columns["V"].to_pylist()
    ([{'A': 'x'}], [0, 0], [None, 'a < b'])
    >>> plain(b"<Series A='x'></Series>") is None
    True
    """
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    if _unusual(text):
        return None
    try:
        whole = pa.array([text], pa.binary()).cast(pa.string())
    except pa.ArrowInvalid:  # not UTF-8
        return None
    tags = pc.split_pattern(whole, "<").flatten()
    if len(tags) < 2 or tags[0].as_py().strip():
        return None
    parts = pc.split_pattern(tags[1:], '"')
    offsets = parts.offsets.to_numpy()
    cut = _Cut(parts.values, offsets[:-1], _shapes(parts.values, offsets[:-1], np.diff(offsets)))
    kinds = np.zeros(len(parts), np.int8)
    for shape in cut.shapes:
        kinds[shape.rows] = shape.kind
    observed, opened = kinds == OBSERVATION, kinds == OPEN
    depth = np.cumsum(opened, dtype=np.int64) - np.cumsum(kinds == CLOSE)
    flat = not opened.any()
    if not kinds.all() or depth.min() < 0 or depth.max() > 1 or depth[-1] or (depth[kinds == GROUP] != 0).any():
        return None
    members = np.cumsum(opened)[observed] - (not flat)
    series = [{}] if flat else cut.dictionaries(OPEN)
    if not flat and ((depth[observed] == 0).any() or len(np.unique(members)) < len(series)):
        return None
    return Piece(series, members, cut.columns(observed), cut.dictionaries(GROUP))


def _unusual(text: bytes) -> bool:
    """Tell whether there are comments, processing instructions, or signs that XML does not know."""
    import numpy as np

    signs = np.frombuffer(text, np.uint8)
    low = np.count_nonzero(signs < 32) - sum(np.count_nonzero(signs == blank) for blank in (9, 10, 13))
    return bool(low) or b"<!" in text or b"<?" in text


OTHER, OPEN, CLOSE, OBSERVATION, GROUP = 0, 1, 2, 3, 4
KINDS = {("Series", ""): OPEN, ("Obs", "/"): OBSERVATION, ("Group", "/"): GROUP}


@dataclass(frozen=True)
class _Shape:
    """Tags that are alike: their kind, the names of their attributes, and which they are."""

    kind: int
    names: tuple[str, ...]
    rows: np.ndarray


@dataclass(frozen=True)
class _Cut:
    """Tags cut at their quotes: all pieces, where those of each tag start, and the shapes."""

    cells: pa.Array
    starts: np.ndarray
    shapes: list[_Shape]

    def dictionaries(self, kind: int) -> list[dict[str, str]]:
        """Give the values of the tags of a kind, one dictionary a tag, in order."""
        import pyarrow as pa

        found: list[tuple[int, dict[str, str]]] = []
        for shape in self.shapes:
            if shape.kind == kind:
                starts = self.starts[shape.rows] + 1
                values = [
                    unescaped(self.cells.take(pa.array(starts + 2 * at))).to_pylist() for at in range(len(shape.names))
                ]
                ones = zip(*values, strict=True) if values else ((),) * len(starts)
                found += [
                    (row, dict(zip(shape.names, one, strict=True)))
                    for row, one in zip(shape.rows.tolist(), ones, strict=True)
                ]
        return [one for _, one in sorted(found, key=lambda pair: pair[0])]

    def columns(self, observed: np.ndarray) -> dict[str, pa.Array]:
        """Give the values of observations by component."""
        import numpy as np
        import pyarrow as pa

        ordinal = np.cumsum(observed) - 1
        places: dict[str, np.ndarray] = {}
        for shape in self.shapes:
            for at, name in enumerate(shape.names if shape.kind == OBSERVATION else ()):
                place = places.setdefault(name, np.full(int(observed.sum()), -1, np.int64))
                place[ordinal[shape.rows]] = self.starts[shape.rows] + 2 * at + 1
        return {name: unescaped(self.cells.take(pa.array(place, mask=place < 0))) for name, place in places.items()}


def _shapes(cells: pa.Array, starts: np.ndarray, lengths: np.ndarray) -> list[_Shape]:
    """Sort tags by what stands outside of their quotes."""
    import numpy as np
    import pyarrow as pa

    shapes = []
    for length in np.unique(lengths).tolist():
        rows = np.flatnonzero(lengths == length)
        words: list[list[str]] = []
        code, size = np.zeros(len(rows), np.int64), 1
        for part in range(0, length, 2):
            encoded = cells.take(pa.array(starts[rows] + part)).dictionary_encode()
            words.append(encoded.dictionary.to_pylist())
            if size * len(words[-1]) > LARGEST:
                return [_Shape(OTHER, (), rows)]
            code = code * len(words[-1]) + encoded.indices.to_numpy()
            size *= len(words[-1])
        for one in np.unique(code).tolist():
            outside, left = [], one
            for known in reversed(words):
                left, at = divmod(left, len(known))
                outside.append(known[at])
            shapes.append(_shape(outside[::-1], rows[code == one]))
    return shapes


def _shape(outside: Sequence[str], rows: np.ndarray) -> _Shape:
    """Name a shape from the texts around its values."""
    if CLOSING.fullmatch(outside[0]):
        return _Shape(CLOSE if len(outside) == 1 else OTHER, (), rows)
    first = FIRST.fullmatch(outside[0])
    ending = ENDING.fullmatch(outside[-1])
    names = [ATTRIBUTE.fullmatch(text) for text in ([first[2]] if first else []) + list(outside[1:-1])]
    ids = tuple(found[1] for found in names if found)
    known = bool(first and ending) and None not in names and len(set(ids)) == len(ids)
    kind = KINDS.get((first[1], ending[1]), OTHER) if known and first and ending else OTHER
    return _Shape(kind, ids, rows)


ENTITY = re.compile(r"&(?:#(\d+)|#x([0-9A-Fa-f]+)|(lt|gt|amp|quot|apos));")
NAMED = {"lt": "<", "gt": ">", "amp": "&", "quot": '"', "apos": "'"}


def unescaped(values: pa.Array) -> pa.Array:
    """Read what XML writes otherwise in values of attributes: ``&amp;`` and its kin, and blanks.

    Parameters
    ----------
    values : pyarrow.Array
        Values as they stand between quotes.

    Examples
    --------
    >>> import pyarrow as pa
    >>> unescaped(pa.array(["M &amp; N", "a", None])).to_pylist()
    ['M & N', 'a', None]
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    odd = pc.match_substring_regex(values, r"[&\t\r\n]")
    if not pc.any(odd, min_count=0).as_py():
        return values
    read = [ENTITY.sub(_sign, re.sub(r"\r\n|[\t\r\n]", " ", one)) if one else one for one in values.to_pylist()]
    return pa.array(read, pa.string())


def _sign(found: re.Match[str]) -> str:
    if found[3]:
        return NAMED[found[3]]
    return chr(int(found[1]) if found[1] else int(found[2], 16))


# --- everything else ------------------------------------------------------------------------------------------------


def by_expat(source: Source, head: Head, at: int) -> Iterator[Piece]:
    """Read a data set from a byte on: everything that SDMX-ML may hold.

    Parameters
    ----------
    source : Source
        The file, in UTF-8.
    head : Head
        The data set.
    at : int
        Where to begin: at its start, or behind series that were read already.

    Raises
    ------
    BadData
        When the XML is broken or cut off, with the line.
    """
    text = parser(source)
    state = _State(head)
    lines = 0
    try:
        text.Parse(head.opening, False)
        text.StartElementHandler, text.EndElementHandler = state.begin, state.end
        text.CharacterDataHandler = state.words.append
        with source.path.open("rb") as file:
            while file.tell() < at:
                lines += file.read(min(BLOCK, at - file.tell())).count(b"\n")
            lines -= head.opening.count(b"\n")
            while block := file.read(BLOCK):
                text.Parse(block, False)
                if len(state.observations) > MANY:
                    yield state.piece()
                state.words.clear()
                if state.done and not head.last:
                    break
            else:
                text.Parse(b"", True)
    except expat.ExpatError as error:
        raise broken(source, error, lines) from None
    yield state.piece()


class _State:
    """Takes down what the parser meets in one data set."""

    def __init__(self, head: Head) -> None:
        self.at, self.done = head.at, False
        self.series: list[dict[str, Any]] = [{}]
        self.observations: list[dict[str, Any]] = []
        self.members: list[int] = []
        self.groups: list[dict[str, Any]] = []
        self.attributes: dict[str, Any] = {}
        self.current: dict[str, Any] = self.attributes
        self.words: list[str] = []
        self.component, self.values = "", list[Any]()
        self.language = ""
        self.empty = False

    def begin(self, tag: str, attributes: dict[str, str]) -> None:
        if self.done:
            return
        name = tag.rpartition(":")[2]
        if name == "Obs":
            self.current = attributes
            self.observations.append(attributes)
            self.members.append(len(self.series) - 1)
            self.empty = False
        elif name == "Value" and "id" in attributes:  # generic, where the value may also stand between the tags
            self.component, self.values = attributes["id"], []
            if "value" in attributes:
                self.current[attributes["id"]] = attributes["value"]
        elif name == "ObsDimension":
            self.current[attributes.get("id", self.at)] = attributes.get("value")
        elif name == "ObsValue":
            self.current[attributes.get("id", "OBS_VALUE")] = attributes.get("value")
        elif name == "Series":
            self.current, self.empty = attributes, True
            self.series.append(attributes)
        elif name == "Group":
            self.current = attributes
            attributes.pop("type", None)
            self.groups.append(attributes)
        elif name == "Comp":
            self.component, self.values = attributes["id"], []
        elif name in ("Value", "Text", "StructuredText"):
            self.language = attributes.get("xml:lang", attributes.get("lang", ""))
        self.words.clear()

    def end(self, tag: str) -> None:
        name = tag.rpartition(":")[2]
        if self.done:
            return
        if name == "Series":
            if self.empty:  # its key, and what is said of it, are told all the same
                self.observations.append({})
                self.members.append(len(self.series) - 1)
            self.series.append({})
            self.current = self.attributes
        elif name in ("Group", "Obs"):
            self.current = self.series[-1] if name == "Obs" else self.attributes
        elif name in ("Value", "Text") and self.component:
            words = "".join(self.words)
            self.values += [(self.language or "en", words) if name == "Text" else words] if words.strip() else []
        elif name == "Comp":
            self.current[self.component] = self.values
            self.component = ""
        elif name == "DataSet":
            self.done = True
        self.words.clear()

    def piece(self) -> Piece:
        """Give what was met since the last time."""
        import numpy as np

        names = dict.fromkeys(name for one in self.observations for name in one)
        columns = {name: column([one.get(name) for one in self.observations]) for name in names}
        given = [{**self.attributes, **one} for one in self.series]
        made = Piece(given, np.array(self.members, np.int64), columns, self.groups)
        self.series, self.observations, self.members, self.groups = [self.series[-1]], [], [], []
        return made


def column(cells: Sequence[Any]) -> pa.Array:
    """Make a column of cells that hold text, lists of text, or texts with their language.

    Parameters
    ----------
    cells : sequence
        The cells.

    Examples
    --------
    >>> column(["a", None]).type, column([["a", "b"]]).type, column([[("en", "a")]]).type
    (DataType(string), ListType(list<item: string>), MapType(map<string, string>))
    """
    import pyarrow as pa

    nested = next((one for one in cells if isinstance(one, list) and one), None)
    if nested is None:
        return pa.array([None if isinstance(one, list) else one for one in cells], pa.string())
    kind = pa.map_(pa.string(), pa.string()) if isinstance(nested[0], tuple) else pa.list_(pa.string())
    return pa.array([[one] if isinstance(one, str) else one for one in cells], kind)
