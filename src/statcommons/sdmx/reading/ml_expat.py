"""Pieces of a data set of SDMX-ML as Expat reads them: everything that a message may hold, tag by tag."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from xml.parsers import expat

from statcommons.sdmx.reading.ml_head import Head, broken, parser
from statcommons.sdmx.reading.source import Source

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

__all__ = ["Piece", "column"]

BLOCK = 1 << 22
MANY = 1 << 16


@dataclass
class Piece:
    """A part of a data set.

    Parameters
    ----------
    series : dict of str to pyarrow.Array
        Values of series by component.
    members : numpy.ndarray
        For each observation, the place of its series.
    columns : dict of str to pyarrow.Array
        Values of observations by component.
    groups : list of dict
        Values of groups by component, keys and attributes alike.
    """

    series: dict[str, pa.Array]
    members: np.ndarray
    columns: dict[str, pa.Array]
    groups: list[dict[str, Any]] = field(default_factory=list)


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
        self.texts: list[tuple[str, str]] = []
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
            if name == "Text":
                self.texts += [(self.language or "en", words)] if words.strip() else []
            elif self.texts:
                self.values.append(self.texts)
                self.texts = []
            elif words.strip():
                self.values.append(words)
        elif name == "Comp":
            spoken = len(self.values) == 1 and isinstance(self.values[0], list)
            self.current[self.component] = self.values[0] if spoken else self.values
            self.component = ""
        elif name == "DataSet":
            self.done = True
        self.words.clear()

    def piece(self) -> Piece:
        """Give what was met since the last time."""
        import numpy as np

        series = columns_of([{**self.attributes, **one} for one in self.series])
        made = Piece(series, np.array(self.members, np.int64), columns_of(self.observations), self.groups)
        self.series, self.observations, self.members, self.groups = [self.series[-1]], [], [], []
        return made


def columns_of(rows: Sequence[dict[str, Any]]) -> dict[str, pa.Array]:
    """Make columns of dictionaries.

    Parameters
    ----------
    rows : sequence of dict
        Values by component.
    """
    return {
        name: column([one.get(name) for one in rows]) for name in dict.fromkeys(name for one in rows for name in one)
    }


def column(cells: Sequence[Any]) -> pa.Array:
    """Make a column of cells that hold text, or texts with their language, or lists of either.

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

    firsts = [one[0] for one in cells if isinstance(one, list) and one]
    if not firsts:
        return pa.array([None if isinstance(one, list) else one for one in cells], pa.string())
    spoken = pa.map_(pa.string(), pa.string())
    if any(isinstance(first, list) for first in firsts):
        listed = [[one] if isinstance(one, list) and one and isinstance(one[0], tuple) else one for one in cells]
        return pa.array(listed, pa.list_(spoken))
    kind = spoken if isinstance(firsts[0], tuple) else pa.list_(pa.string())
    return pa.array([[one] if isinstance(one, str) else one for one in cells], kind)
