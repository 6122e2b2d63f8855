"""Delimited text as columns of text that know their lines: the ground of SDMX-CSV and of plain CSV.

Two ways give the same cells. Arrow's parser is fast; where a line may not be a row (blank lines, odd line ends),
Python's parser counts exactly. A cell is never read as a number or a date: ``004``, ``NA`` and ``1E5`` stay as they
stand.
"""

from __future__ import annotations

import codecs
import contextlib
import csv
import io
import re
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import islice
from typing import TYPE_CHECKING, Any

from statcommons.core.errors import BadData, Cause
from statcommons.core.textfile import UTF8, encoding_of, recoded
from statcommons.sdmx.reading.source import Source, named

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["LINE", "Cells"]

LINE = "_row"
"""The column that says on which line of the file a row begins."""

BLOCK = 1 << 23
ROWS = 1 << 16
AHEAD = 3
MISFITS = 1_000
WIDEST = 4_096
REMEDY = "Give each row a cell for each column; write cells that hold the separator within quotes."


@dataclass(frozen=True)
class Cells:
    """A delimited text file, its separator and header, and how it must be read.

    Parameters
    ----------
    source : Source
        The file, in UTF-8 with one kind of line ends.
    delimiter : str
        The sign between two cells.
    header : tuple of str
        The cells of the first line.
    quoted : bool
        Whether there is a quote anywhere, so that a cell may hold line breaks.
    exact : bool
        Whether only the exact way counts the lines rightly.
    common : tuple of str
        The first cells of all rows, where they are the same in all.
    """

    source: Source
    delimiter: str
    header: tuple[str, ...]
    quoted: bool
    exact: bool
    common: tuple[str, ...] = ()


def cells_of(source: Source, delimiter: str, encoding: str = "", *, head: int = 0) -> Cells:
    """Look at a delimited text file: its encoding, header and line ends.

    Parameters
    ----------
    source : Source
        The file.
    delimiter : str
        The sign between two cells.
    encoding : str
        Its encoding where the caller says it.
    head : int
        How many of the first columns are likely to be the same in all rows.

    Raises
    ------
    BadData
        When it is not text, mixes encodings, or its header cannot be read.
    """
    lines = _lines(source, delimiter, head)
    readable = lines is not None and encoding.lower() in ("", *UTF8)
    if not readable:
        with named(source):
            found = encoding_of(source.path, encoding)
            plain = source.rewritten([])
            recoded(source.path, found.name, plain.path)
        source, lines = plain, _lines(plain, delimiter, head)
    with source.path.open(encoding="utf-8-sig", newline="") as text:
        reader = csv.reader(text, delimiter=delimiter)
        with _telling(source, reader):
            header = next((cells for cells in reader if cells), [])
        plainly = reader.line_num == 1 and lines is not None and not lines.blank
    if len(header) > WIDEST:
        what = f"The header has {len(header):,} columns, and {WIDEST:,} are read."
        raise BadData(what, where=f"{source.name}, row 1", remedy="Give one column for each component.")
    common = next(csv.reader([lines.common.decode()], delimiter=delimiter), [])[:head] if lines else []
    return Cells(source, delimiter, tuple(header), lines is None or lines.quoted, not plainly, tuple(common))


@dataclass(frozen=True)
class _Lines:
    """What one pass over UTF-8 lines found: quotes, blank lines or none at all, and the beginning that rows share."""

    quoted: bool
    blank: bool
    common: bytes


def _lines(source: Source, delimiter: str, head: int) -> _Lines | None:
    """Look at all lines in one pass; None where they are not UTF-8, have a NUL, or end in several ways."""
    import numpy as np

    decoder = codecs.getincrementaldecoder("utf-8")()
    sign = re.escape(delimiter)
    beginning = re.compile(rf'(?:(?:"(?:[^"]|"")*"|[^"{sign}\r\n]*){sign}){{{head}}}'.encode())
    with source.path.open("rb") as file:
        file.readline(BLOCK)
        found = beginning.match(file.readline(BLOCK))
        mark = b"\n" + found[0] if found and head else b"\n"
        file.seek(0)
        quoted = blank = False
        lines = begun = returns = 0
        last = b""
        while block := file.read(BLOCK):
            if not block.isascii() or decoder.getstate()[0]:
                try:
                    decoder.decode(block)
                except UnicodeDecodeError:
                    return None
            if b"\0" in block:
                return None
            quoted = quoted or b'"' in block
            lines += int(np.count_nonzero(np.frombuffer(block, np.uint8) == 10))
            joined = last + block
            if b"\r" in block:
                returns += block.count(b"\r")
                blank = blank or b"\n\r\n" in joined
            if head:
                begun += joined.count(mark)
            else:
                blank = blank or b"\n\n" in joined
            last = joined[-len(mark) + 1 :] if head else joined[-2:]
    if decoder.getstate()[0] or returns not in (0, lines):
        return None
    ended = last.endswith(b"\n")
    uniform = bool(head) and begun > 0 and begun == lines - ended
    if head and not uniform:  # only now is it worth to look for blank lines
        return replace(_lines(source, delimiter, 0) or _Lines(quoted, True, b""), common=b"")
    alone = not lines  # Arrow's parser wants a line to end before it leaves out the header
    return _Lines(quoted, blank or alone, mark[1:] if uniform else b"")


def cell_batches(cells: Cells, columns: Sequence[int]) -> Iterator[pa.RecordBatch]:
    """Read columns of a file in batches.

    Parameters
    ----------
    cells : Cells
        The file.
    columns : sequence of int
        The places of the columns, from 0.

    Yields
    ------
    pyarrow.RecordBatch
        Columns of text in the order asked for, null where a cell is empty, then the line of each row.

    Raises
    ------
    BadData
        When rows have more or fewer cells than the header, naming each.
    """
    import pyarrow as pa

    raw = _exact(cells) if cells.exact else _ahead(_fast(cells, columns))
    names = [str(place) for place in columns]
    for batch in raw:
        yield pa.RecordBatch.from_arrays([batch[name] for name in (*names, LINE)], names=[*names, LINE])


def _ahead(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Read on while what was read is judged: Arrow's parser and Arrow's arithmetic each leave a processor idle."""
    with ThreadPoolExecutor(1) as reader:
        coming = deque(reader.submit(next, batches, None) for _ in range(AHEAD))
        while (batch := coming.popleft().result()) is not None:
            coming.append(reader.submit(next, batches, None))
            yield batch


def _fast(cells: Cells, columns: Sequence[int]) -> Iterator[pa.RecordBatch]:
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc
    from pyarrow import csv as arrow_csv

    places = [str(place) for place in range(len(cells.header))]
    wanted = places if cells.quoted else [str(place) for place in columns] or places[:1]
    line = 2
    try:
        reader = arrow_csv.open_csv(
            cells.source.path,
            arrow_csv.ReadOptions(block_size=BLOCK, column_names=places, skip_rows=1),
            arrow_csv.ParseOptions(delimiter=cells.delimiter, newlines_in_values=cells.quoted),
            arrow_csv.ConvertOptions(
                column_types={name: pa.string() for name in wanted},
                include_columns=wanted,
                strings_can_be_null=True,
                null_values=[""],
            ),
        )
        for batch in reader:
            lines = np.arange(line, line + batch.num_rows, dtype=np.int64)
            line += batch.num_rows
            if cells.quoted:
                breaks = sum(
                    pc.fill_null(pc.count_substring(column, "\n"), 0).to_numpy().astype(np.int64)
                    for column in batch.columns
                )
                within = np.cumsum(breaks)
                lines[1:] += within[:-1]
                line += int(within[-1]) if len(within) else 0
            yield batch.append_column(LINE, pa.array(lines))
    except pa.ArrowInvalid as error:
        if "Empty CSV" in str(error):
            return
        raise _misfits(cells, str(error)) from None


def _exact(cells: Cells) -> Iterator[pa.RecordBatch]:
    import pyarrow as pa

    width = len(cells.header)
    names = [*(str(place) for place in range(width)), LINE]
    rows = _rows(cells)
    while chunk := list(islice(rows, ROWS)):
        if any(len(found) != width for _, found in chunk):
            raise _misfits(cells, "")
        columns: list[Any] = [
            pa.array([cell or None for cell in column], pa.string())
            for column in zip(*(found for _, found in chunk), strict=True)
        ]
        yield pa.RecordBatch.from_arrays([*columns, pa.array([line for line, _ in chunk], pa.int64())], names=names)


def _rows(cells: Cells) -> Iterator[tuple[int, list[str]]]:
    """Give each row below the header with the line on which it begins; blank lines are none."""
    with cells.source.path.open(encoding="utf-8-sig", newline="") as text:
        reader = csv.reader(io.StringIO("") if not cells.header else text, delimiter=cells.delimiter)
        line, header = 1, True
        with _telling(cells.source, reader):
            for found in reader:
                if found and not header:
                    yield line, found
                header = header and not found
                line = reader.line_num + 1


@contextlib.contextmanager
def _telling(source: Source, reader: Any) -> Iterator[None]:
    """Say where a file cannot be read as CSV."""
    try:
        yield
    except csv.Error as error:
        where = f"{source.name}, row {reader.line_num:,}"
        raise BadData(f"The file cannot be read as CSV: {error}.", where=where, remedy=REMEDY) from None


def _misfits(cells: Cells, why: str) -> BadData:
    """Name the rows that have more or fewer cells than the header."""
    width = len(cells.header)
    bad = islice(((line, len(found)) for line, found in _rows(cells) if len(found) != width), MISFITS)
    causes = [
        Cause(f"the row has {count} cells and the header {width}", 1, REMEDY, f"{cells.source.name}, row {line:,}")
        for line, count in bad
    ]
    what = f"{len(causes):,} rows do not fit the header." if causes else f"The file cannot be read as CSV: {why}."
    return BadData(what, where=cells.source.name, remedy="" if causes else REMEDY, causes=causes)
