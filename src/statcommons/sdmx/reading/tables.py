"""Plain tables read as rows: CSV, Excel and Parquet, with columns named by components or by a mapping file."""

from __future__ import annotations

import re
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any

from statcommons.core.errors import BadCall, BadData, Cause, nearest
from statcommons.core.textfile import DELIMITERS
from statcommons.sdmx.message import Rows
from statcommons.sdmx.reading.cells import LINE, Cells, cell_batches, cells_of
from statcommons.sdmx.reading.mapping import TableMapping
from statcommons.sdmx.reading.source import Source

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["read_plain_csv"]

ROWS = 1 << 16
BLOCK = 1 << 20
LONGEST_TAG = 64
MOST_CELLS = 50_000_000
"""Cells that a sheet may span: a gigabyte of memory."""

SHEET = re.compile(r"xl/worksheets/[^/]+\.xml")
ROW = re.compile(rb'<row r="(\d{1,7})"')
FAR = re.compile(rb'<c r="([A-Z]{2,3})\d')


def read_plain_csv(source: Source, mapping: TableMapping) -> list[Rows]:
    r"""Read a CSV file whose header names the columns.

    Parameters
    ----------
    source : Source
        The file.
    mapping : TableMapping
        What it says of the delimiter and the encoding.

    Raises
    ------
    BadData
        When the header cannot be used, or rows do not fit it.

    Examples
    --------
    >>> from statcommons.sdmx.reading.source import source_of
    >>> [rows] = read_plain_csv(source_of(b"area;value\n004;1,5\n"), TableMapping())
    >>> [batch.to_pylist() for batch in rows.batches]
    [[{'area': '004', 'value': '1,5', '_row': 2}]]
    """
    first = source.start().splitlines()[0]
    outside = re.sub(r'"[^"]*"', "", first)
    cells = cells_of(source, mapping.delimiter or max(DELIMITERS, key=outside.count), mapping.encoding)
    names = _named(source, [cell.strip() for cell in cells.header])
    return [Rows(_Lines(cells, names), path=source.name, given=frozenset(names))]


def read_excel(source: Source, mapping: TableMapping) -> list[Rows]:
    """Read a sheet of a workbook: its first row that is not empty names the columns, everything else is text.

    It is the first sheet that is not hidden, where none is named. What stands beside the table, and a formula that ends
    in an error, would be lost unseen, so it is refused.

    Excel keeps numbers in binary; they are written in the shortest way that is read back as the same number. A date
    stays what Excel makes of it, with a time of day, so that nobody takes it for a period unseen.

    Parameters
    ----------
    source : Source
        The file.
    mapping : TableMapping
        What it says of the sheet.

    Raises
    ------
    BadData
        When it is no workbook, has no rows, cells beside its table, or errors of formulas.
    BadCall
        When it has no such sheet.
    """
    import fastexcel
    import pyarrow as pa
    import pyarrow.compute as pc

    _refuse_sprawling(source)
    try:
        workbook = fastexcel.read_excel(source.path.read_bytes())
        names = workbook.sheet_names
        if mapping.sheet and mapping.sheet not in names:
            raise BadCall(
                f"The workbook has no sheet {mapping.sheet!r}.", where=source.name, remedy=nearest(mapping.sheet, names)
            )
        sheets = (_sheet(workbook, name, "string") for name in ([mapping.sheet] if mapping.sheet else names))
        found = next((one for one in sheets if mapping.sheet or one.visible == "visible"), None)
        if found is None:
            raise BadData("All sheets are hidden.", where=source.name, remedy="Name one in a mapping file.")
        text, faults = found.to_arrow_with_errors()
        numbers = _sheet(workbook, found.name, "float").to_arrow()
    except fastexcel.FastExcelError as error:
        reason = str(error).splitlines()[0]
        raise BadData(
            f"The workbook cannot be read: {reason}.", where=source.name, remedy="Save it as .xlsx."
        ) from None
    columns = [_exactly(one, two) for one, two in zip(text.columns, numbers.columns, strict=True)]
    filled = [row for row in range(text.num_rows) if any((column[row] or "").strip() for column in columns)]
    if len(filled) < 2:
        raise BadData("The sheet has no rows below its header.", where=source.name, remedy="Give at least one row.")
    head = filled[0]
    width = max(place for place, column in enumerate(columns) if column[head]) + 1
    _refuse_beside(source, columns[width:], width, head)
    names = _named(source, [(column[head] or "").strip() for column in columns[:width]])
    _refuse_errors(source, names, faults)
    arrays = [pa.array([column[row] or None for row in filled[1:]], pa.string()) for column in columns[:width]]
    lines = pa.array([row + 1 for row in filled[1:]], pa.int64())
    batch = pa.RecordBatch.from_arrays([*arrays, lines], names=[*names, LINE])
    empty = [name for name in names if pc.all(batch[name].is_null()).as_py()]
    return [Rows([batch], path=source.name, given=frozenset(names) - frozenset(empty))]


def _refuse_sprawling(source: Source) -> None:
    """Refuse a sheet with a cell so far away that all the cells between would not fit into memory.

    The reader makes room for every cell of the rectangle that the cells span, and ends the process where it cannot.
    """
    try:
        with zipfile.ZipFile(source.path) as book:
            for part in book.infolist():
                if SHEET.fullmatch(part.filename):
                    with book.open(part) as file:
                        rows, width = _extent(file)
                    if rows * width > MOST_CELLS:
                        raise BadData(
                            f"A sheet reaches to the cell {_letters(width - 1)}{rows}.",
                            where=source.name,
                            remedy="Delete the columns and rows that are not of the table, or save the sheet as CSV.",
                        )
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError):
        return  # the reader tells what is wrong with it


def _extent(file: IO[bytes]) -> tuple[int, int]:
    """Find the last row of a sheet, and how many columns it spans; 26 where no cell is beyond ``Z``."""
    rows, widest, rest = 1, b"Z", b""
    while block := file.read(BLOCK):
        text = rest + block
        rows = max([rows, *map(int, ROW.findall(text))])
        widest = max([widest, *FAR.findall(text)], key=lambda letters: (len(letters), letters))
        rest = text[-LONGEST_TAG:]
    width = 0
    for letter in widest:
        width = 26 * width + letter - ord("A") + 1
    return rows, width


def _sheet(workbook: Any, name: str, kind: str) -> Any:
    return workbook.load_sheet(name, header_row=None, skip_rows=0, dtypes=kind)


def _refuse_beside(source: Source, columns: Sequence[Sequence[str | None]], width: int, head: int) -> None:
    """Refuse cells in columns that the header does not name."""
    for place, column in enumerate(columns, start=width):
        for row, cell in enumerate(column):
            if (cell or "").strip():
                raise BadData(
                    f"The cell {_letters(place)}{row + 1} stands beside the table: {cell!r}.",
                    where=source.name,
                    remedy=f"Name its column in row {head + 1}, or take it out.",
                )


def _letters(place: int) -> str:
    """Give the letters by which Excel calls a column."""
    letters, place = "", place + 1
    while place:
        place, letter = divmod(place - 1, 26)
        letters = chr(ord("A") + letter) + letters
    return letters


def _refuse_errors(source: Source, names: Sequence[str], faults: Any) -> None:
    """Refuse cells whose formula ends in an error: they look as if they were empty."""
    found: dict[str, list[tuple[int, str]]] = {}
    for one in faults.errors if faults else ():
        row, place = one.position
        error = ERROR.search(one.detail)
        if error and place < len(names):
            found.setdefault(names[place], []).append((row + 1, ERRORS.get(error[1], error[1])))
    if found:
        remedy = "Mend the formula, or write a value in its place."
        causes = [
            Cause("a formula ends in an error", len(cells), remedy, f"{source.name}, row {row:,}, column {name}", word)
            for name, cells in found.items()
            for row, word in [min(cells)]
        ]
        raise BadData("Formulas of the sheet have no values.", where=source.name, causes=causes)


def read_parquet(source: Source) -> list[Rows]:
    """Read a Parquet file; numbers, dates and instants become text as SDMX writes them.

    Parameters
    ----------
    source : Source
        The file.

    Raises
    ------
    BadData
        When it is no Parquet file.
    """
    import pyarrow as pa
    from pyarrow import parquet

    try:
        names = [name for name in parquet.ParquetFile(source.path).schema_arrow.names if not name.startswith("_")]
    except pa.ArrowInvalid as error:
        reason = str(error).splitlines()[0]
        raise BadData(
            f"The Parquet file cannot be read: {reason}.", where=source.name, remedy="Get it again."
        ) from None
    return [Rows(_Groups(source, tuple(names)), path=source.name, given=frozenset(names))]


@dataclass(frozen=True)
class _Lines:
    """The rows of a text file; each turn reads it anew."""

    cells: Cells
    names: Sequence[str]

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        for batch in cell_batches(self.cells, range(len(self.names))):
            yield batch.rename_columns([*self.names, LINE])


@dataclass(frozen=True)
class _Groups:
    """The rows of a Parquet file; each turn reads it anew."""

    source: Source
    names: Sequence[str]

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        import numpy as np
        import pyarrow as pa
        from pyarrow import parquet

        row = 1
        for batch in parquet.ParquetFile(self.source.path).iter_batches(ROWS, columns=list(self.names)):
            arrays = [as_text(batch[name], f"{self.source.name}, column {name}") for name in self.names]
            lines = pa.array(np.arange(row, row + batch.num_rows, dtype=np.int64))
            row += batch.num_rows
            yield pa.RecordBatch.from_arrays([*arrays, lines], names=[*self.names, LINE])


def as_text(cells: pa.Array | pa.ChunkedArray, where: str) -> pa.Array | pa.ChunkedArray:
    """Give cells of a typed column as SDMX writes them; lists and maps stay.

    Parameters
    ----------
    cells : pyarrow.Array or pyarrow.ChunkedArray
        The column.
    where : str
        Its file and name, for the words of a refusal.

    Raises
    ------
    BadData
        When what it holds is no text, such as bytes.

    Examples
    --------
    >>> import pyarrow as pa
    >>> as_text(pa.array([1.5, float("nan"), None]), "a.parquet, column OBS_VALUE").to_pylist()
    ['1.5', 'NaN', None]
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    kind = cells.type.value_type if pa.types.is_dictionary(cells.type) else cells.type
    if pa.types.is_nested(kind):
        return cells
    if pa.types.is_timestamp(kind):
        moments = cells.cast(pa.timestamp("us"))
        return pc.replace_substring_regex(moments.cast(pa.string()), r"^(\S+) (\S+?)(\.0+)?$", r"\1T\2")
    try:
        text = cells.cast(kind).cast(pa.string())
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise BadData(f"The column is of {kind}: {error}.", where=where, remedy="Make text of it.") from None
    if pa.types.is_floating(kind):  # SDMX has other words for a number that is missing on purpose
        return pc.if_else(pc.equal(text, "nan"), "NaN", text)
    return text


def _named(source: Source, names: Sequence[str]) -> list[str]:
    """Refuse columns without a name, or with the same."""
    empty = [place + 1 for place, name in enumerate(names) if not name]
    twice = sorted({name for name in names if name and names.count(name) > 1})
    if empty or twice:
        what = f"The header names {', '.join(twice)} twice." if twice else f"Column {empty[0]} has no name."
        raise BadData(what, where=f"{source.name}, row 1", remedy="Give each column a name of its own.")
    return list(names)


def _exactly(text: Any, numbers: Any) -> list[str | None]:
    """Give cells as text; a number of which the text is cut is written in full."""
    cells: list[str | None] = text.to_pylist()
    for place, number in enumerate(numbers.to_pylist()):
        cell = cells[place]
        if cell and number is not None and NUMERAL.fullmatch(cell) and float(cell) != number:
            cells[place] = repr(number)
    return cells


ERROR = re.compile(r"Error\((\w+)\)")
ERRORS = {
    "Div0": "#DIV/0!",
    "NA": "#N/A",
    "Name": "#NAME?",
    "Null": "#NULL!",
    "Num": "#NUM!",
    "Ref": "#REF!",
    "Value": "#VALUE!",
}
"""Errors of formulas by the name that the reader gives them, as Excel shows them."""

NUMERAL = re.compile(r"-?\d+(?:\.\d+)?", re.ASCII)
