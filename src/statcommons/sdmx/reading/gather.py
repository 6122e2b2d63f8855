"""Rows of any format gathered into columns quick to judge: text as places in a dictionary, measures as numbers.

A dataset repeats few texts many times. So each text component keeps its distinct values once and a small number for
each row; what is asked of values is asked of the distinct ones, and keys become whole numbers.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from statcommons.core.progress import step
from statcommons.sdmx.message import Rows, measured, under
from statcommons.sdmx.reading.sdmxcsv import marked
from statcommons.sdmx.reading.values import MISSING, NUMBER, limit_of
from statcommons.sdmx.structure import Component, Structure

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

__all__ = ["Gathered", "ListColumn", "NumberColumn", "TextColumn", "gather"]

NUMERIC = ("number", "integer", "boolean")
SEPARATOR = "\x1f"

LANGUAGE = "en"
"""The language of words that do not say it, as the schemas of SDMX have it."""


@dataclass
class TextColumn:
    """A component of text: its distinct values, and for each row the place of its value; -1 where there is none.

    Where the texts are numbers, ``numeric``, one that is missing on purpose has one word.
    """

    values: list[str] = field(default_factory=list)
    places: dict[str, int] = field(default_factory=dict)
    chunks: list[np.ndarray] = field(default_factory=list)
    numeric: bool = False

    def add(self, cells: pa.Array) -> None:
        """Append cells of text."""
        import numpy as np
        import pyarrow as pa
        import pyarrow.compute as pc

        encoded = cells if pa.types.is_dictionary(cells.type) else cells.dictionary_encode()
        words = [self._word(word) for word in encoded.dictionary.to_pylist()]
        for word in words:
            if word not in self.places:
                self.places[word] = len(self.values)
                self.values.append(word)
        ours = np.fromiter((self.places[word] for word in words), np.int32, len(words))
        theirs = pc.fill_null(encoded.indices, -1).to_numpy(zero_copy_only=False)
        self.chunks.append(np.append(ours, np.int32(-1))[theirs])

    def _word(self, text: str) -> str:
        return MISSING[0] if self.numeric and text in MISSING else text

    def add_missing(self, rows: int) -> None:
        """Append rows without a value."""
        import numpy as np

        self.chunks.append(np.full(rows, -1, np.int32))

    @property
    def index(self) -> np.ndarray:
        """The place of each row's value, in as few bytes as will do."""
        import numpy as np

        if len(self.chunks) != 1 or self.chunks[0].dtype == np.int32:
            kind = np.int8 if len(self.values) < 1 << 7 else np.int16 if len(self.values) < 1 << 15 else np.int32
            total = sum(map(len, self.chunks))
            joined, at = np.empty(total, kind), 0
            while self.chunks:
                chunk = self.chunks.pop(0)
                joined[at : at + len(chunk)] = chunk
                at += len(chunk)
            self.chunks = [joined]
        return self.chunks[0]

    def text(self, row: int) -> str | None:
        """Give the value of a row."""
        place = int(self.index[row])
        return self.values[place] if place >= 0 else None

    def arrow(self) -> pa.Array:
        """Give the column as a dictionary of text."""
        return self.mapped(self.values, "string")

    def mapped(self, values: Sequence[Any], kind: Any) -> pa.Array:
        """Give a column that has another value in the place of each distinct one."""
        import pyarrow as pa

        index = self.index
        places = pa.array(index, mask=index < 0)
        return pa.DictionaryArray.from_arrays(places, pa.array(values, kind), safe=False)


@dataclass
class ListColumn(TextColumn):
    """A component with several values, or one in several languages: the distinct cells, and each joined to one text."""

    multiple: bool = True
    multilingual: bool = False
    cells: list[Any] = field(default_factory=list)

    def add(self, cells: pa.Array) -> None:
        """Append cells that hold lists, maps or single texts."""
        import pyarrow as pa

        found = [None if cell is None else self._shaped(cell) or None for cell in cells.to_pylist()]
        joined = [None if cell is None else SEPARATOR.join(map(str, cell)) for cell in found]
        before = len(self.values)
        super().add(pa.array(joined, pa.string()))
        fresh = {text: cell for text, cell in zip(joined, found, strict=True) if text is not None}
        self.cells += [fresh[text] for text in self.values[before:]]

    def arrow(self) -> pa.Array:
        """Give the column of lists or maps."""
        import pyarrow as pa
        import pyarrow.compute as pc

        one: Any = pa.map_(pa.string(), pa.string()) if self.multilingual else pa.string()
        index = self.index
        values = pa.array(self.cells, pa.list_(one) if self.multiple else one)
        return pc.take(values, pa.array(index, mask=index < 0))

    def texts(self, place: int) -> list[list[tuple[str, str]]]:
        """Give the texts of a distinct cell of a component in languages, each by language."""
        cell = self.cells[place]
        return cell if self.multiple else [cell]

    def _shaped(self, cell: Any) -> list[Any]:
        """Give a cell the form of the component, whatever form it came in."""
        values = [one for one in cell if one is not None] if isinstance(cell, list) and not _is_spoken(cell) else [cell]
        if not self.multilingual:
            return [self._word(word) for word in _words(values)]
        texts = [list(one) if isinstance(one, list) else [(LANGUAGE, one)] for one in values]
        return texts if self.multiple else [pair for text in texts for pair in text]


def _is_spoken(cell: Sequence[Any]) -> bool:
    """Tell whether a cell is one text by language."""
    return bool(cell) and all(isinstance(one, tuple) for one in cell)


@dataclass
class NumberColumn:
    """A measure or component of numbers: values, and the texts of those rows whose text is suspicious."""

    component: Component
    chunks: list[pa.Array] = field(default_factory=list)
    odd: dict[int, str] = field(default_factory=dict)
    rows: int = 0

    def add(self, cells: pa.Array) -> None:
        """Append cells of text as numbers; what may be none is kept as text for the judge."""
        import pyarrow as pa
        import pyarrow.compute as pc

        if pa.types.is_dictionary(cells.type):
            cells = cells.cast(pa.string())
        values = self._cast(cells)
        doubtful = pc.and_(cells.is_valid(), pc.fill_null(pc.invert(self._sure(values)), True))
        if pc.any(doubtful, min_count=0).as_py():
            at = pc.indices_nonzero(doubtful)
            for place, text in zip(at.to_pylist(), cells.take(at).to_pylist(), strict=True):
                self.odd[self.rows + place] = text
        self.chunks.append(values)
        self.rows += len(cells)

    def add_missing(self, rows: int) -> None:
        """Append rows without a value."""
        import pyarrow as pa

        self.chunks.append(pa.nulls(rows, self.kind))
        self.rows += rows

    @property
    def kind(self) -> pa.DataType:
        """The type of the values."""
        import pyarrow as pa

        return {"number": pa.float64(), "integer": pa.int64(), "boolean": pa.bool_()}[self.component.type]

    def _cast(self, cells: pa.Array) -> pa.Array:
        """Read texts as values; null where one is none."""
        import pyarrow as pa
        import pyarrow.compute as pc

        if self.component.type == "boolean":
            return pc.if_else(pc.is_in(cells, pa.array(["true", "false", "1", "0"])), cells, None).cast(self.kind)
        if self.component.type == "integer":  # Arrow reads 0x1F too
            whole = pc.match_substring_regex(cells, r"^[+-]?\d{1,18}$")
            return pc.ascii_ltrim(pc.if_else(whole, cells, None), "+").cast(self.kind)
        try:
            return cells.cast(self.kind)
        except pa.ArrowInvalid:
            good = pc.match_substring_regex(cells, f"^(?:{NUMBER.pattern})$")
            values = pc.ascii_ltrim(pc.if_else(good, cells, None), "+").cast(self.kind)
            return pc.if_else(pc.fill_null(pc.is_in(cells, pa.array(MISSING)), False), float("nan"), values)

    def _sure(self, values: pa.Array) -> pa.Array:
        """Tell for which values no question is left: they are finite and within the limits."""
        import pyarrow.compute as pc

        if self.component.type == "boolean":
            return values.is_valid()
        sure = pc.is_finite(values)
        for name, compare in (("minValue", pc.greater_equal), ("maxValue", pc.less_equal)):
            if self.component.facets.get(name):
                sure = pc.and_(sure, compare(values, limit_of(self.component, name)))
        if self.component.facets.keys() & {"pattern", "minLength", "maxLength"}:
            sure = pc.and_(sure, False)
        return sure

    def text(self, row: int) -> str | None:
        """Give the value of a row as text: as it was written where it is suspicious, else as the shortest number."""
        value = self.arrow()[row].as_py()
        return self.odd.get(row) or (None if value is None else repr(value) if isinstance(value, float) else str(value))

    def present(self) -> np.ndarray:
        """Tell which rows have a value, be it a good one or not."""
        import numpy as np

        found: np.ndarray = self.arrow().is_valid().to_numpy(zero_copy_only=False)
        if self.odd:
            found = found.copy()
            found[np.fromiter(self.odd, np.int64, len(self.odd))] = True
        return found

    def arrow(self) -> pa.Array:
        """Give the column of values."""
        import pyarrow as pa

        if len(self.chunks) != 1:
            self.chunks = [pa.concat_arrays(self.chunks) if self.chunks else pa.nulls(0, self.kind)]
        return self.chunks[0]


@dataclass
class Gathered:
    """All rows of several files, in columns.

    ``starts`` has the ordinal of the first row of each file; ``unknown`` the columns that the structure does not have,
    with the file.
    """

    structure: Structure
    text: dict[str, TextColumn]
    numbers: dict[str, NumberColumn]
    actions: TextColumn
    files: list[str]
    starts: list[int]
    lines: np.ndarray
    given: frozenset[str]
    unknown: tuple[tuple[str, str], ...]

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return len(self.lines)

    def place(self, row: int) -> tuple[str, int]:
        """Give the file and the row in it of an ordinal."""
        import bisect

        return self.files[bisect.bisect_right(self.starts, row) - 1], int(self.lines[row])

    def value(self, id: str, row: int) -> str | None:
        """Give the text of a component in a row."""
        column = self.text.get(id) or self.numbers[id]
        found = column.text(row)
        return found.replace(SEPARATOR, "; ") if found else found

    def present(self, id: str) -> np.ndarray:
        """Tell which rows have a value of a component."""
        if id in self.numbers:
            return self.numbers[id].present()
        found: np.ndarray = self.text[id].index >= 0
        return found


def gather(rows: Sequence[Rows], structure: Structure) -> Gathered:
    r"""Gather rows under a structure.

    Parameters
    ----------
    rows : sequence of Rows
        What was read.
    structure : Structure
        Of all of them.

    Returns
    -------
    Gathered
        All components of the structure, those that did not come without a value.

    Examples
    --------
    >>> from statcommons.sdmx.model import Ref
    >>> from statcommons.sdmx.reading import read_rows
    >>> flow = Structure(
    ...     Ref("dataflow", "X", "F"), Ref("datastructure", "X", "D"), {}, {}, (Component("AREA", "dimension", "text"),)
    ... )
    >>> found = gather(read_rows(b"DATAFLOW,AREA\nX:F(1.0),004\nX:F(1.0),NA\nX:F(1.0),004\n"), flow)
    >>> found.text["AREA"].values, found.text["AREA"].index.tolist(), found.place(2)
    (['004', 'NA'], [0, 1, 0], ('(bytes)', 4))
    """
    import numpy as np

    text: dict[str, TextColumn] = {}
    numbers: dict[str, NumberColumn] = {}
    for one in structure.components:
        coded = one.codelist is not None
        if one.role == "measure" and one.type in NUMERIC and not coded and not one.multiple:
            numbers[one.id] = NumberColumn(one)
        else:
            numeric, several = one.type == "number" and not coded, one.multiple or one.multilingual
            text[one.id] = (
                ListColumn(numeric=numeric, multiple=one.multiple, multilingual=one.multilingual)
                if several
                else TextColumn(numeric=numeric)
            )
    gathered = Gathered(structure, text, numbers, TextColumn(), [], [], np.empty(0, np.int64), frozenset(), ())
    lines: list[np.ndarray] = []
    total, seen, unknown = 0, set[str](), dict[tuple[str, str], None]()
    with step("Read rows", unit="rows") as progress:
        for data in (marked(measured(one, structure), structure) for one in rows):
            gathered.files.append(data.path)
            gathered.starts.append(total)
            seen |= data.given
            for batch in under(data.batches, structure):
                names = [name for name in batch.schema.names if not name.startswith("_")]
                seen |= set(names)
                unknown |= {(data.path, name): None for name in names if name not in structure}
                _add(gathered, data, batch)
                lines.append(batch["_row"].to_numpy(zero_copy_only=False))
                total += batch.num_rows
                progress.update(total)
            unknown |= {(data.path, name): None for name in sorted(data.given) if name not in structure}
    gathered.lines = np.concatenate(lines) if lines else gathered.lines
    gathered.given = frozenset(seen)
    gathered.unknown = tuple(unknown)
    return gathered


def _add(gathered: Gathered, data: Rows, batch: pa.RecordBatch) -> None:
    """Add a batch to the columns; what a deletion says of measures is only that they are meant."""
    import pyarrow as pa
    import pyarrow.compute as pc

    names = set(batch.schema.names)
    action = batch["_action"] if "_action" in names else pa.repeat(pa.scalar(data.action), batch.num_rows)
    action = pc.fill_null(action.cast(pa.string()), data.action)
    gathered.actions.add(action)
    deletes = pc.equal(action, "Delete") if "_action" in names or data.action == "Delete" else None
    for id, column in _columns(gathered):
        if id not in names:
            column.add_missing(batch.num_rows)
        elif deletes is not None and isinstance(column, NumberColumn):
            meant = {"number": "NaN", "integer": "0", "boolean": "false"}[column.component.type]
            cells = batch[id].cast(pa.string())
            column.add(pc.if_else(pc.and_(deletes, cells.is_valid()), meant, cells))
        else:
            column.add(_plain(batch[id], column))


def _plain(cells: pa.Array, column: TextColumn | NumberColumn) -> pa.Array:
    """Make text of cells with several values where the component has one only; the judge tells if there were more."""
    import pyarrow as pa

    if isinstance(column, ListColumn) or not pa.types.is_nested(cells.type):
        return cells
    found = [None if cell is None else SEPARATOR.join(_words(cell)) for cell in cells.to_pylist()]
    return pa.array(found, pa.string())


def _words(cell: Sequence[Any]) -> Iterator[str]:
    for one in cell:
        if isinstance(one, list):
            yield from _words(one)
        else:
            yield one if isinstance(one, str) else str(one[1]) if isinstance(one, tuple) else str(one)


def _columns(gathered: Gathered) -> Iterator[tuple[str, TextColumn | NumberColumn]]:
    yield from gathered.text.items()
    yield from gathered.numbers.items()
