"""Where a row stands: from its number in a query to the file and the line that a user can open.

Rows are numbered as an engine reads them, all files of one layout in one go, so that a thousand files cost one query;
file and line are looked up afterwards, for the rows that are named.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING

from statcommons.core.files import FILE, ROW, Part
from statcommons.core.reading import Reading
from statcommons.core.textfile import line_numbers, one_line_a_row

if TYPE_CHECKING:
    import ibis

__all__ = ["numbered", "placed"]

BEYOND = 1 << 62
"""A row that no table has."""


def numbered(reading: Reading, part: Part) -> ibis.Table:
    """Give the rows of a part with its place among the parts and their numbers in it, 1 being the first.

    Parameters
    ----------
    reading : Reading
        What was read.
    part : Part
        One of its parts.

    Returns
    -------
    ibis.Table
        The rows as they were read, and two columns more.
    """
    import ibis

    if part.staged:
        return part.table
    place = str(reading.parts.index(part))
    return part.table.mutate(**{FILE: ibis.literal(place), ROW: ibis.row_number() + 1})


def placed(reading: Reading, rows: ibis.Table) -> ibis.Table:
    """Put file and line in the place of part and number: the header is line 1; in memory, the first row is row 1.

    Parameters
    ----------
    reading : Reading
        What was read.
    rows : ibis.Table
        Rows of :func:`numbered`, with any other columns.
    """
    import pyarrow as pa

    columns = ("__part", "__after", "__last", "__name", "__header")
    starts = reading.engine.adopt(
        pa.table(dict(zip(columns, map(list, zip(*_starts(reading), strict=True)), strict=True)))
    )
    found = rows.inner_join(
        starts,
        [
            rows[FILE] == starts["__part"],
            rows[ROW] > starts["__after"],
            rows[ROW] <= starts["__last"],
        ],
    )
    line = found[ROW] - found["__after"] + found["__header"]
    named = found.mutate(**{FILE: found["__name"], ROW: line}).drop(*columns)
    return _in_lines(reading, named)


def _starts(reading: Reading) -> Iterator[tuple[str, int, int, str, int]]:
    """Give for each file the part, the number of the row before its first and of its last, its name, and its header."""
    names = reading.names()
    for place, part in enumerate(reading.parts):
        if part.staged:
            yield from ((str(file), 0, BEYOND, names[file], part.header) for file in part.files)
        elif part.counted is None or len(part.files) == 1:
            yield str(place), 0, BEYOND, names[part.files[0]] if len(part.files) == 1 else part.label, part.header
        else:
            ends = pairwise(accumulate(part.counted(), initial=0))
            for file, (after, last) in zip(part.files, ends, strict=True):
                yield str(place), after, last, names[file], part.header


def _in_lines(reading: Reading, named: ibis.Table) -> ibis.Table:
    """Count lines where a row is not one line, because of blank lines or of line breaks in a cell."""
    import ibis
    import pyarrow as pa
    import pyarrow.compute as pc

    names = reading.names()
    crooked = {
        names[file]: (file, part.dialect)
        for part in reading.parts
        for file in (part.files if part.dialect.delimiter else ())
        if not one_line_a_row(file, part.dialect)
    }
    if not crooked:
        return named
    wanted = named.filter(named[FILE].isin(list(crooked))).select(FILE, ROW)
    rows = reading.engine.collect(wanted, "Find the lines of bad rows")
    lines = []
    for name, (file, dialect) in crooked.items():
        ordered = pc.unique(rows.filter(pc.equal(rows[FILE], name))[ROW]).sort()
        ordinals = (row.as_py() - 1 for row in ordered)
        found = pa.array(line_numbers(file, dialect, ordinals), pa.int64())
        lines.append(pa.table({"__name": pa.repeat(name, len(found)), "__row": ordered, "__line": found}))
    known = reading.engine.adopt(pa.concat_tables(lines).rename_columns(["__name", "__row_", "__line"]))
    joined = named.left_join(known, [named[FILE] == known["__name"], named[ROW] == known["__row_"]])
    line = ibis.coalesce(joined["__line"], joined[ROW])
    return joined.mutate(**{ROW: line}).drop("__name", "__row_", "__line")
