"""Rows under their structure: every fault counted and named in one report, and what is right as typed columns.

Rules of values are asked once for each distinct value; rules of rows (a missing dimension, a key that repeats, a region
of a constraint, an attribute that differs within its series) are arithmetic on whole columns. Nothing is listed before
something was counted, so that rows without a fault cost little more than their reading.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Literal

from statcommons.core.check import BadRows, NamedRow
from statcommons.core.errors import BadData, Cause, counted, nearest
from statcommons.sdmx.message import Rows
from statcommons.sdmx.model import Constraint
from statcommons.sdmx.reading.gather import SEPARATOR, Gathered, ListColumn, gather
from statcommons.sdmx.reading.keys import differing, numbered, repeated
from statcommons.sdmx.reading.regions import outside
from statcommons.sdmx.reading.values import FORMS, Fault, judge, period_of
from statcommons.sdmx.structure import Component, Structure

if TYPE_CHECKING:
    import duckdb
    import numpy as np
    import pyarrow as pa

__all__ = ["OFF", "Checked", "checked"]

OFF = "~"
"""What SDMX-CSV writes for a dimension that an attribute is not said of."""

NAMED = 1_000
"""How many bad rows of a rule are named; the rest is counted."""

BATCH = 122_880
"""Rows of a batch: as many as a row group of DuckDB has."""

OTHERS = 5
"""How many other bad values a cause lists beside the first."""


@dataclass(frozen=True)
class Checked:
    """Rows that satisfy their structure.

    Parameters
    ----------
    table : str
        The name under which the connection knows them: a column for each component of the structure (dimensions and
        attributes text, measures by their type, lists and maps where there are several values), ``period_start`` and
        ``period_end`` (timestamps in UTC), ``_action`` (text) and ``_row`` (int64). A number that a deletion names is
        NaN, 0 or false.
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


@dataclass(frozen=True)
class _Broken:
    """A rule that rows break: which rows, and the words about the first of them."""

    fault: Fault
    rows: np.ndarray
    value: Callable[[int], str | None]
    column: str = ""


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
    BadData
        When anything is wrong: every cause with its count, the first place and value, and what to do.

    Examples
    --------
    >>> import duckdb
    >>> from statcommons.sdmx.model import Ref
    >>> from statcommons.sdmx.reading import read_rows
    >>> parts = (Component("AREA", "dimension", "text"), Component("OBS_VALUE", "measure", "number"))
    >>> flow = Structure(Ref("dataflow", "X", "DF"), Ref("datastructure", "X", "DSD"), {}, {}, parts)
    >>> good = read_rows(b"DATAFLOW,AREA,OBS_VALUE\nX:DF(1.0),004,1.5\n")
    >>> with duckdb.connect() as connection:
    ...     found = checked(connection, good, flow)
    ...     connection.sql(f"FROM {found.table}").fetchall()
    [('004', 1.5, None, None, 'Information', 2)]
    >>> checked(connection, read_rows(b"DATAFLOW,AREA,OBS_VALUE\nX:DF(1.0),004,1;5\n"), flow)
    Traceback (most recent call last):
    statcommons.core.check.BadRows: (bytes): 1 of 1 row breaks the structure X:DF(1.0). ...
    """
    import numpy as np

    gathered = gather(rows, structure)
    label = ", ".join(dict.fromkeys(gathered.files))
    if not gathered.rows:
        raise BadData("There are no rows.", where=label, remedy="Give a file with at least one observation.")
    deletes = _deletes(gathered)
    broken = [*_values(gathered, deletes), *_missing(gathered, deletes), *_outside(gathered, constraints, deletes)]
    sound = ~_any(broken, gathered.rows)
    broken += [*_repeated(gathered, sound, deletes), *_differing(gathered, sound, deletes)]
    unknown = [_unknown(file, id, structure) for file, id in gathered.unknown]
    bad = _any(broken, gathered.rows)
    count = int(np.count_nonzero(bad))
    if (broken or unknown) and (on_bad_rows == "fail" or count == gathered.rows):
        raise _refusal(gathered, broken, unknown, count, label)
    good = _table(gathered, structure)
    notes = tuple(str(cause) for cause in unknown)
    if not count:
        connection.register(name, _in_batches(good))
        return Checked(name, gathered.rows, gathered.given, notes=notes)
    import pyarrow as pa

    connection.register(name, _in_batches(good.filter(pa.array(~bad))))
    counts: dict[str, int] = defaultdict(int)
    for one in broken:
        counts[one.fault.rule] += len(one.rows)
    notes = (*notes, f"{label}: {count:,} of {counted(gathered.rows, 'row')} were set aside.")
    return Checked(name, gathered.rows - count, gathered.given, counts, _set_aside(gathered, broken, bad), notes)


# --- the rules ------------------------------------------------------------------------------------------------------


def _deletes(gathered: Gathered) -> np.ndarray:
    """Tell which rows are deletions: those may leave out anything and give any value."""
    import numpy as np

    place = gathered.actions.places.get("Delete")
    found: np.ndarray = gathered.actions.index == place if place is not None else np.zeros(gathered.rows, bool)
    return found


def _values(gathered: Gathered, deletes: np.ndarray) -> Iterator[_Broken]:
    """Ask the judge of each component about its distinct values."""
    import numpy as np

    for one in gathered.structure.components:
        tell = judge(one, gathered.structure)
        value = _valued(gathered, one.id)
        by_rule: dict[str, list[Fault]] = defaultdict(list)
        if one.id in gathered.numbers:
            rows: dict[str, list[int]] = defaultdict(list)
            for row, text in gathered.numbers[one.id].odd.items():
                if fault := tell(text):
                    by_rule[fault.rule].append(fault)
                    rows[fault.rule].append(row)
            for rule, faults in by_rule.items():
                yield _Broken(faults[0], np.array(rows[rule]), value, one.id)
            continue
        column = gathered.text[one.id]
        places: dict[str, list[int]] = defaultdict(list)
        for place, text in enumerate(column.values):
            fault = _judged(one, text, tell, isinstance(column, ListColumn))
            if fault and not (one.role in ("dimension", "time") and text == OFF):
                by_rule[fault.rule].append(fault)
                places[fault.rule].append(place)
        for rule, faults in by_rule.items():
            bad = np.zeros(len(column.values) + 1, bool)
            bad[places[rule]] = True
            hit = bad[column.index]
            if one.role not in ("dimension", "time"):
                hit &= ~deletes
            found = np.flatnonzero(hit)
            if len(found):
                first = faults[places[rule].index(int(column.index[found[0]]))]
                words = _with_others(first, [column.values[place] for place in places[rule]], value(int(found[0])))
                yield _Broken(_by_frequency(gathered, one, words, int(found[0])), found, value, one.id)


def _judged(one: Component, text: str, tell: Callable[[str], Fault | None], several: bool) -> Fault | None:
    pieces = text.split(SEPARATOR)
    if len(pieces) > 1 and not several:
        return Fault(f"{one.id} has several values", "Give one value; the structure does not allow more.")
    if one.multilingual:
        return None
    return next((fault for piece in pieces if (fault := tell(piece))), None)


def _with_others(fault: Fault, values: Sequence[str], first: str | None) -> Fault:
    """Add the other bad values to the remedy, so that one look shows them."""
    others = [value for value in values if value != first]
    if not others:
        return fault
    more = f" and {len(others) - OTHERS:,} more" if len(others) > OTHERS else ""
    return Fault(fault.rule, f"{fault.remedy} Others: {', '.join(others[:OTHERS])}{more}.")


def _by_frequency(gathered: Gathered, one: Component, fault: Fault, row: int) -> Fault:
    """Say how a period of the row's frequency is written."""
    if one.role != "time" or "FREQ" not in gathered.text:
        return fault
    frequency = gathered.text["FREQ"].text(row)
    form = FORMS.get(frequency or "")
    return Fault(fault.rule, f"{fault.remedy} With FREQ {frequency}: {form}.") if form else fault


def _missing(gathered: Gathered, deletes: np.ndarray) -> Iterator[_Broken]:
    """Find rows that lack a dimension of what they say, a measure, or an attribute that must be there.

    A row may leave out the dimensions that its attributes are not said of, and a merge says only what changes.
    """
    import numpy as np

    structure = gathered.structure
    measures = [one.id for one in structure.with_role("measure")]
    attributes = structure.with_role("attribute")
    merge = gathered.actions.places.get("Merge")
    partial = deletes if merge is None else deletes | (gathered.actions.index == merge)
    says: dict[str, np.ndarray] = {}

    def said(ids: Sequence[str]) -> np.ndarray:
        for id in ids:
            if id not in says:
                says[id] = gathered.present(id)
        none = np.zeros(gathered.rows, bool)
        return np.logical_or.reduce([none, *(says[id] for id in ids)])

    observed = [*measures, *(one.id for one in attributes if one.attachment == "observation")]
    for one in structure.dimensions:
        column = gathered.text[one.id]
        index = column.index
        off = column.places.get(OFF)
        absent = index < 0 if off is None else (index < 0) | (index == off)
        absent &= ~deletes
        if absent.any():
            needing = [
                two.id for two in attributes if two.attachment in ("series", "group") and one.id in two.dimensions
            ]
            silent = ~said([*measures, *(two.id for two in attributes)])
            rows = np.flatnonzero(absent & (said([*observed, *needing]) | silent))
            if len(rows):
                yield _Broken(Fault(f"{one.id} must not be missing", _fill(gathered, one)), rows, _nothing, one.id)
    for one in structure.with_role("measure"):
        if one.required and not gathered.present(one.id).all():
            others = [id for id in observed if id != one.id]
            levels = [two.id for two in attributes if two.attachment != "observation"]
            absent = ~gathered.present(one.id) & ~partial & ~said(others)
            if levels and structure.time:  # a row without a time says something of a series
                absent &= (gathered.text[structure.time.id].index >= 0) | ~said(levels)
            rows = np.flatnonzero(absent)
            if len(rows):
                yield _Broken(Fault(f"{one.id} must not be missing", _fill(gathered, one)), rows, _nothing, one.id)
    for one in attributes:
        if one.required and not one.constant and not (present := gathered.present(one.id)).all():
            rows = np.flatnonzero(~present & ~partial & (said(observed) if one.attachment == "observation" else True))
            if len(rows):
                yield _Broken(Fault(f"{one.id} must not be missing", _fill(gathered, one)), rows, _nothing, one.id)


def _fill(gathered: Gathered, one: Component) -> str:
    if one.id not in gathered.given:
        return f"Add a column {one.id} to the file, or say its value in a mapping file."
    return "Fill the cell, or leave the row out."


def _outside(gathered: Gathered, constraints: Sequence[Constraint], deletes: np.ndarray) -> Iterator[_Broken]:
    """Find rows that a constraint does not allow."""
    import numpy as np

    for one in constraints:
        if one.role == "allowed" and one.regions:
            rows = np.flatnonzero(outside(gathered, one) & ~deletes)
            if len(rows):
                fault = Fault(f"the constraint {one.ref} does not allow it", "Give what the constraint allows.")
                yield _Broken(fault, rows, _keyed(gathered))


def _repeated(gathered: Gathered, sound: np.ndarray, deletes: np.ndarray) -> Iterator[_Broken]:
    """Find keys that come twice, among the rows that are right."""
    import numpy as np

    keys = [gathered.text[one.id] for one in gathered.structure.dimensions]
    rows = repeated([*keys, gathered.actions], np.flatnonzero(sound & ~deletes))
    if len(rows):
        names = ", ".join(one.id for one in gathered.structure.dimensions)
        again = [gathered.place(int(row)) for row in rows[:2]]
        also = f" It is also in {again[1][0]}, row {again[1][1]:,}." if len(again) > 1 else ""
        fault = Fault(f"{names} must be a key", f"Keep one row for each key.{also}")
        yield _Broken(fault, rows, _keyed(gathered))


def _differing(gathered: Gathered, sound: np.ndarray, deletes: np.ndarray) -> Iterator[_Broken]:
    """Find attributes of a series, group or dataflow that differ within it, among the rows that are right."""
    import numpy as np

    structure, rows = gathered.structure, np.flatnonzero(sound & ~deletes)
    keys: dict[tuple[str, ...], np.ndarray] = {}
    for one in structure.with_role("attribute"):
        if one.attachment == "observation" or len(gathered.text[one.id].values) < 2:
            continue
        ids = () if one.attachment == "dataflow" else one.dimensions or structure.key
        if structure.time and structure.time.id in ids:
            continue
        if ids not in keys:
            keys[ids] = numbered([gathered.text[id] for id in ids], rows)
        found = differing(keys[ids], gathered.text[one.id].index[rows])
        if len(found):
            whole = {"series": "series", "group": f"group {one.group}", "dataflow": "data set"}[one.attachment]
            fault = Fault(
                f"{one.id} is said of a {whole} and differs within it",
                f"Give one value for the same {', '.join(ids)}." if ids else "Give one value in all rows.",
            )
            yield _Broken(fault, rows[found], _valued(gathered, one.id), one.id)


# --- the report -----------------------------------------------------------------------------------------------------


def _nothing(_: int) -> None:
    return None


def _valued(gathered: Gathered, id: str) -> Callable[[int], str | None]:
    return lambda row: gathered.value(id, row)


def _keyed(gathered: Gathered) -> Callable[[int], str | None]:
    ids = [one.id for one in gathered.structure.dimensions]
    return lambda row: ", ".join(f"{id}={gathered.value(id, row) or ''}" for id in ids)


def _any(broken: Sequence[_Broken], rows: int) -> np.ndarray:
    import numpy as np

    bad = np.zeros(rows, bool)
    for one in broken:
        bad[one.rows] = True
    return bad


def _unknown(file: str, id: str, structure: Structure) -> Cause:
    known = [one.id for one in structure.components]
    remedy = f"Take it out, or name its component in a mapping file. {nearest(id, known)}"
    return Cause(f"there is no component {id} in {structure.definition}", 0, remedy, f"{file}, column {id}")


def _refusal(
    gathered: Gathered, broken: Sequence[_Broken], unknown: Sequence[Cause], count: int, label: str
) -> BadRows:
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


def _set_aside(gathered: Gathered, broken: Sequence[_Broken], bad: np.ndarray) -> pa.Table:
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


def _table(gathered: Gathered, structure: Structure) -> pa.Table:
    """Put the columns together, with the span of each period."""
    import pyarrow as pa

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
    columns |= {"period_start": start, "period_end": end, "_action": gathered.actions.arrow()}
    return pa.table(columns | {"_row": pa.array(gathered.lines)})
