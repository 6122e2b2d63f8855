"""Rows under their structure: every fault counted and named in one report, and what is right as typed columns.

Rules of values are asked once for each distinct value; rules of rows (a missing dimension, a key that repeats, a region
of a constraint, an attribute that differs within its series) are arithmetic on whole columns. Nothing is listed before
something was counted, so that rows without a fault cost little more than their reading.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Literal

from statcommons.core.check import BadRows, NamedRow
from statcommons.core.errors import BadCall, BadData, Cause, counted, nearest
from statcommons.sdmx.message import Rows
from statcommons.sdmx.model import Constraint
from statcommons.sdmx.reading.gather import Gathered, gather
from statcommons.sdmx.reading.keys import numbered
from statcommons.sdmx.reading.rules import Broken, broken_keys, broken_rows
from statcommons.sdmx.reading.values import period_of
from statcommons.sdmx.structure import Structure

if TYPE_CHECKING:
    import duckdb
    import numpy as np
    import pyarrow as pa

__all__ = ["Checked", "checked"]

NAMED = 1_000
"""How many bad rows of a rule are named; the rest is counted."""

BATCH = 122_880
"""Rows of a batch: as many as a row group of DuckDB has."""


@dataclass(frozen=True)
class Checked:
    """Rows that satisfy their structure.

    Parameters
    ----------
    table : str
        The name under which the connection knows them, in the order of keys and periods: a column for each component
        of the structure (dimensions and attributes text, measures by their type, lists and maps where there are several
        values), ``_start`` and ``_end`` (timestamps in UTC), ``_action`` (text), ``_row`` (int64) and ``_key`` (int64,
        the same for the rows of one series, in the order of their codes). A number that a deletion names is NaN, 0 or
        false.
    rows : int
        How many there are.
    given : frozenset of str
        The components that came at all; the others are null throughout.
    counts : mapping of str to int
        The rules that rows break, with the number of rows; empty where nothing was set aside.
    set_aside : pyarrow.Table, optional
        The bad rows: ``file``, ``row``, ``cause``, and the components as text.
    notes : tuple of str
        What a user should know beside.
    """

    table: str
    rows: int
    given: frozenset[str]
    counts: Mapping[str, int] = field(default_factory=dict)
    set_aside: pa.Table | None = None
    notes: tuple[str, ...] = ()


def checked(
    connection: duckdb.DuckDBPyConnection,
    rows: Sequence[Rows],
    structure: Structure,
    *,
    constraints: Sequence[Constraint] = (),
    on_bad_rows: Literal["fail", "set_aside"] = "fail",
    name: str = "checked",
) -> Checked:
    r"""Check rows against their structure and constraints.

    Parameters
    ----------
    connection : duckdb.DuckDBPyConnection
        Where the good rows are registered.
    rows : sequence of Rows
        What was read, of one structure.
    structure : Structure
        The structure.
    constraints : sequence of Constraint
        What is allowed beside; constraints that say what is there (``actual``) are not looked at.
    on_bad_rows : {"fail", "set_aside"}
        Whether bad rows stop the work, or are left out and told.
    name : str
        The name of the table on the connection.

    Returns
    -------
    Checked
        The good rows.

    Raises
    ------
    BadCall
        When ``on_bad_rows`` is neither.
    BadData
        When anything is wrong: every cause with its count, the first place and value, and what to do.

    Examples
    --------
    >>> import duckdb
    >>> from statcommons.sdmx.model import Ref
    >>> from statcommons.sdmx.reading import read_rows
    >>> from statcommons.sdmx.structure import Component
    >>> parts = (Component("AREA", "dimension", "text"), Component("OBS_VALUE", "measure", "number"))
    >>> flow = Structure(Ref("dataflow", "X", "DF"), Ref("datastructure", "X", "DSD"), {}, {}, parts)
    >>> good = read_rows(b"DATAFLOW,AREA,OBS_VALUE\nX:DF(1.0),004,1.5\n")
    >>> with duckdb.connect() as connection:
    ...     found = checked(connection, good, flow)
    ...     connection.sql(f"SELECT AREA, OBS_VALUE, _action, _row FROM {found.table}").fetchall()
    [('004', 1.5, 'Information', 2)]
    >>> checked(connection, read_rows(b"DATAFLOW,AREA,OBS_VALUE\nX:DF(1.0),004,1;5\n"), flow)
    Traceback (most recent call last):
    statcommons.core.check.BadRows: (bytes): 1 of 1 row breaks the structure X:DF(1.0). ...
    """
    import numpy as np

    if on_bad_rows not in ("fail", "set_aside"):
        raise BadCall(f"on_bad_rows is {on_bad_rows!r}.", remedy="Give fail or set_aside.")
    gathered = gather(rows, structure)
    label = ", ".join(dict.fromkeys(gathered.files))
    if not gathered.rows:
        raise BadData("There are no rows.", where=label, remedy="Give a file with at least one observation.")
    broken = list(broken_rows(gathered, constraints))
    broken += broken_keys(gathered, ~_any(broken, gathered.rows))
    unknown = [_unknown(file, id, structure) for file, id in gathered.unknown]
    bad = _any(broken, gathered.rows)
    count = int(np.count_nonzero(bad))
    if (broken or unknown) and (on_bad_rows == "fail" or count == gathered.rows):
        raise _refusal(gathered, broken, unknown, count, label)
    connection.register(name, _in_batches(_table(gathered, np.flatnonzero(~bad))))
    notes = tuple(str(cause) for cause in unknown)
    if not count:
        return Checked(name, gathered.rows, gathered.given, notes=notes)
    counts: dict[str, int] = defaultdict(int)
    for one in broken:
        counts[one.fault.rule] += len(one.rows)
    notes = (*notes, f"{label}: {count:,} of {counted(gathered.rows, 'row')} were set aside.")
    aside = _set_aside(gathered, broken, bad)
    return Checked(name, gathered.rows - count, gathered.given, counts, aside, notes)


# --- the report -----------------------------------------------------------------------------------------------------


def _any(broken: Sequence[Broken], rows: int) -> np.ndarray:
    import numpy as np

    bad = np.zeros(rows, bool)
    for one in broken:
        bad[one.rows] = True
    return bad


def _unknown(file: str, id: str, structure: Structure) -> Cause:
    known = [one.id for one in structure.components]
    remedy = f"Take it out, or name its component in a mapping file. {nearest(id, known)}"
    return Cause(f"there is no component {id} in {structure.definition}", 0, remedy, f"{file}, column {id}")


def _refusal(gathered: Gathered, broken: Sequence[Broken], unknown: Sequence[Cause], count: int, label: str) -> BadRows:
    causes, named = list(unknown), []
    for one in broken:
        rows = [(*gathered.place(int(row)), one.value(int(row))) for row in islice(one.rows, NAMED)]
        file, line, value = rows[0]
        where = f"{file}, row {line:,}" + (f", column {one.column}" if one.column else "")
        causes.append(Cause(one.fault.rule, len(one.rows), one.fault.remedy, where, value))
        named += [NamedRow(file, line, one.fault.rule, value) for file, line, value in rows]
    breaks = "breaks" if count <= 1 else "break"
    what = f"{count:,} of {counted(gathered.rows, 'row')} {breaks} the structure {gathered.structure.flow}."
    if not count:
        what = f"Columns are not of the structure {gathered.structure.flow}."
    return BadRows(what, where=label, causes=causes, rows=named)


def _set_aside(gathered: Gathered, broken: Sequence[Broken], bad: np.ndarray) -> pa.Table:
    """Give the bad rows as text, with file, row and everything that is wrong with each."""
    import numpy as np
    import pyarrow as pa

    causes: dict[int, list[str]] = defaultdict(list)
    for each in broken:
        for row in each.rows.tolist():
            causes[row].append(f"{each.fault.rule}. {each.fault.remedy}")
    rows = np.flatnonzero(bad).tolist()
    places = [gathered.place(row) for row in rows]
    columns = {
        "file": pa.array([file for file, _ in places], pa.string()),
        "row": pa.array([line for _, line in places], pa.int64()),
        "cause": pa.array([" ".join(causes[row]) for row in rows], pa.string()),
    }
    for one in gathered.structure.components:
        if one.id in gathered.given:
            columns[one.id] = pa.array([gathered.value(one.id, row) for row in rows], pa.string())
    return pa.table(columns)


# --- what is right --------------------------------------------------------------------------------------------------


def _in_batches(table: pa.Table) -> pa.Table:
    """Cut a table, without a copy, into batches that an engine reads side by side."""
    import pyarrow as pa

    return pa.Table.from_batches(table.to_batches(max_chunksize=BATCH), table.schema)


def _table(gathered: Gathered, rows: np.ndarray) -> pa.Table:
    """Put the columns of some rows together, in the order of keys and periods, with the span of each period."""
    import numpy as np
    import pyarrow as pa

    structure = gathered.structure
    columns: dict[str, pa.Array] = {}
    for one in structure.components:
        columns[one.id] = (gathered.numbers.get(one.id) or gathered.text[one.id]).arrow()
    kind = pa.timestamp("us")
    start, end = pa.nulls(gathered.rows, kind), pa.nulls(gathered.rows, kind)
    if structure.time:
        time = gathered.text[structure.time.id]
        spans = [period_of(text) for text in time.values]
        start = time.mapped([span and span.start for span in spans], kind)
        end = time.mapped([span and span.end for span in spans], kind)
    columns |= {"_start": start, "_end": end, "_action": gathered.actions.arrow()}
    series = numbered([gathered.text[id] for id in structure.key], rows)
    key = numbered([gathered.text[structure.time.id]], rows, series) if structure.time else series
    table = pa.table(columns | {"_row": pa.array(gathered.lines)})
    if (np.diff(key) < 0).any():
        # Files have the rows of a series together, and to put such runs in order is soon done.
        order = np.argsort(key, kind="stable")
        rows, series = rows[order], series[order]
        table = table.take(pa.array(rows))
    elif len(rows) < gathered.rows:
        table = table.take(pa.array(rows))
    return table.append_column("_key", pa.array(series))
