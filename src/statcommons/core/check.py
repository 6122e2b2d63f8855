"""A schema at work: columns named and cast, rules counted in one aggregate, keys in one GROUP BY, bad rows by name.

The order matters for speed: nothing is listed before something was counted, so a clean table is read once for its
rules and once for its key.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, reduce
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from statcommons.core.cells import IBIS_TYPES, is_missing, may_fail, typed
from statcommons.core.engine import BadLine
from statcommons.core.errors import BadCall, BadData, Cause, nearest
from statcommons.core.files import FILE, ROW, Part
from statcommons.core.places import numbered, placed
from statcommons.core.reading import Mapping as Names
from statcommons.core.reading import Reading
from statcommons.core.schema import JSON_TYPES, PERIOD_PATTERN, Column, TableSchema, allowed

if TYPE_CHECKING:
    import ibis

__all__ = ["Bound", "Broken", "bind", "count_broken", "count_repeated"]

NAMED = 1000
"""How many bad rows are named; the rest is counted."""


@dataclass(frozen=True)
class Rule:
    """One rule of one column, with the words that a refusal uses."""

    column: str
    id: str
    sentence: str
    remedy: str

    @property
    def name(self) -> str:
        return f"{self.column}:{self.id}"


@dataclass(frozen=True)
class NamedRow:
    """A bad row: its file, the line in it (the header is line 1), the rule it breaks, and the value as written."""

    file: str
    row: int
    rule: str
    value: str | None


class BadRows(BadData):
    """Rows that break a schema; :attr:`rows` names the first thousand."""

    def __init__(self, *args: Any, rows: Sequence[NamedRow] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.rows = tuple(rows)


@dataclass(frozen=True)
class Broken:
    """A rule that rows break, and how many do."""

    rule: str
    rows: int


@dataclass(frozen=True)
class Bound:
    """A table that satisfies its schema, and what was found on the way."""

    table: ibis.Table
    rows: int
    used: int
    broken: tuple[Broken, ...] = ()
    missing: Mapping[str, int] = field(default_factory=dict)
    coverage: tuple[Any, Any] | None = None
    notes: tuple[str, ...] = ()


def bind(
    reading: Reading,
    schema: TableSchema,
    *,
    on_bad_rows: str = "fail",
    set_aside: Path | None = None,
) -> Bound:
    """Bring what was read under a schema, or say all that is wrong with it.

    Parameters
    ----------
    reading : Reading
        What was read.
    schema : TableSchema
        What is needed.
    on_bad_rows : {"fail", "set_aside"}
        Whether bad rows stop the work or are left out and kept.
    set_aside : path, optional
        The Parquet file in which they are kept.

    Raises
    ------
    BadData
        When a column is missing, or a row breaks a rule or repeats a key and bad rows stop the work.
    """
    try:
        return _bind(reading, schema, on_bad_rows, set_aside)
    except BadLine as error:
        raise reading.located(error) from error
    except BadData as error:
        error.where = error.where or reading.label  # the engine knows no file
        raise


def _bind(reading: Reading, schema: TableSchema, on_bad_rows: str, set_aside: Path | None) -> Bound:
    prepared = _union([_prepared(part.table, part, schema, reading.mapping) for part in reading.parts])
    rules = _rules(schema, prepared)
    engine = reading.engine
    name = f"Check {reading.label}"
    facts = engine.row(_counts(prepared, schema, rules), name)
    rows = facts["rows"]
    if rows == 0:
        raise BadData("The table has no rows.", where=reading.label, remedy="Give a table with at least one row.")
    found = {rule: facts[rule.name] for rule in rules if facts[rule.name]}
    names = [column.name for column in schema]
    good = _sound(prepared, schema, found).select(*names)
    repeated = _repeated(reading, good, schema)
    used = rows
    if found or repeated:
        if on_bad_rows == "fail":
            raise _refusal(reading, schema, found, repeated, on_bad_rows)
        good = _without_repeated(good, schema) if repeated else good
        facts |= engine.row(good.agg(rows=good.count(), **_facts(good, schema)), name)
        used = facts["rows"]
        if used == 0:
            raise _refusal(reading, schema, found, repeated, on_bad_rows)
        if set_aside:
            _write_set_aside(reading, schema, found, repeated, set_aside)
    broken = [Broken(rule.sentence, count) for rule, count in found.items()]
    broken += [Broken(_key_rule(schema), repeated)] if repeated else []
    time = schema.with_role("time")
    coverage = (facts["first"], facts["last"]) if time else None
    missing = {column.name: facts[f"missing:{column.name}"] for column in schema if f"missing:{column.name}" in facts}
    notes = (
        *reading.notes,
        *([f"{reading.label}: {rows - used:,} of {rows:,} rows were set aside."] if used < rows else []),
    )
    return Bound(good, rows, used, tuple(broken), missing, coverage, notes)


def count_broken(table: ibis.Table, schema: TableSchema) -> ibis.Table:
    """Compile a schema to the one aggregate that counts the rows and each broken rule.

    Parameters
    ----------
    table : ibis.Table
        A table with the schema's columns.
    schema : TableSchema
        The rules.

    Returns
    -------
    ibis.Table
        One row: ``rows``, and a column a rule, named ``column:rule``.
    """
    prepared = _prepared(table, Part("table", table), schema, Names())
    return _counts(prepared, schema, _rules(schema, prepared), facts=False)


def count_repeated(table: ibis.Table, schema: TableSchema) -> ibis.Table:
    """Compile a schema's key to one GROUP BY that counts the rows whose key repeats.

    Parameters
    ----------
    table : ibis.Table
        A table with the schema's columns.
    schema : TableSchema
        A schema with a key.

    Returns
    -------
    ibis.Table
        One row: how many ``keys`` repeat, and how many ``rows`` have one of them.
    """
    twice = _repeated_keys(table, schema)
    return twice.agg(keys=twice.count(), rows=twice["__n"].sum())


def _repeated_keys(table: ibis.Table, schema: TableSchema) -> ibis.Table:
    groups = table.group_by(list(schema.key)).agg(__n=table.count())
    return groups.filter(groups["__n"] > 1)


def _repeated(reading: Reading, good: ibis.Table, schema: TableSchema) -> int:
    if not schema.key:
        return 0
    return reading.engine.row(count_repeated(good, schema), f"Check the key of {reading.label}")["rows"] or 0


# --- naming and casting ---------------------------------------------------------------------------------------------


def _prepared(table: ibis.Table, part: Part, schema: TableSchema, mapping: Names, *, raw: bool = False) -> ibis.Table:
    """Name and cast the columns; beside each cast one, a flag says that the cell held something else.

    With ``raw``, the cells as they were written travel beside the cast ones.
    """
    import ibis

    _refuse_unknown_mapping(schema, mapping)
    have = part.columns
    selected: dict[str, Any] = {}
    for column in schema:
        name = mapping.name(column.name)
        if name not in have:
            if column.required or name != column.name:
                raise _no_column(part, column, name, have)
            selected[column.name] = ibis.null(IBIS_TYPES[column.type])
            continue
        cell = table[name]
        selected[column.name] = typed(cell, column, part.dialect)
        if may_fail(cell.type(), column):
            unfit = selected[column.name].isnull()
            # Why a cell has no value is asked only where it has none: the words for missing cost more than the cast.
            selected[_flag(column)] = ibis.ifelse(unfit, ~is_missing(cell, column), False)
        if not column.nullable and not column.required:
            selected[_gap(column)] = is_missing(cell, column)
        if raw:
            selected[_raw(column.name)] = cell.cast("string")
    if raw:
        selected |= {name: table[name] for name in (FILE, ROW)}
    return table.select(**selected)


def _raw(name: str) -> str:
    return f"__raw_{name}"


def _flag(column: Column) -> str:
    return f"__not_{column.name}"


def _gap(column: Column) -> str:
    """Name the flag of a cell that is missing in a column that itself may be."""
    return f"__not_set:{column.name}"


def _no_column(part: Part, column: Column, name: str, have: Sequence[str]) -> BadData:
    guess = nearest(name, list(have)).split(" Known:")[0] if nearest(name, list(have)).startswith("Did") else ""
    remedy = " ".join(
        filter(
            None, [guess, f"It has: {', '.join(have)}.", f'Name it with a mapping file: [columns] {column.name} = "…".']
        )
    )
    rule = f"column {name} is missing ({column.description or column.name})"
    return BadData(
        f"There is no column {name!r}.", where=part.label, causes=[Cause(rule, 0, remedy, f"{part.label}, row 1", None)]
    )


def _refuse_unknown_mapping(schema: TableSchema, mapping: Names) -> None:
    names = [column.name for column in schema]
    for name, _ in mapping.columns:
        if name not in names:
            raise BadCall(
                f"The mapping names {name!r}, which {schema.name} does not have.", remedy=nearest(name, names)
            )


def _union(tables: list[ibis.Table]) -> ibis.Table:
    import ibis

    if len(tables) == 1:
        return tables[0]
    names = list(dict.fromkeys(name for one in tables for name in one.columns))
    alike = [
        one.mutate(**{name: _absent(name) for name in names if name not in one.columns}).select(*names)
        for one in tables
    ]
    return ibis.union(*alike)


def _absent(name: str) -> Any:
    """Fill a helping column that one part has and another does not: a flag that is down, a cell that was not there."""
    import ibis

    return ibis.literal(False) if name.startswith("__not_") else ibis.null("string")


# --- rules ----------------------------------------------------------------------------------------------------------


def _rules(schema: TableSchema, prepared: ibis.Table) -> list[Rule]:
    return [rule for column in schema for rule in _rules_of(column, schema, prepared.columns)]


def _rules_of(column: Column, schema: TableSchema, have: Sequence[str]) -> Iterator[Rule]:
    give = f"Give {column.allowed()}."
    if _flag(column) in have:
        kind = allowed(JSON_TYPES[column.type])
        yield Rule(column.name, "type", f"{column.name} must be {kind}", _remedy(column))
    if (column.required and (not column.nullable or column.name in schema.key)) or _gap(column) in have:
        yield Rule(column.name, "missing", f"{column.name} must not be missing", FILL)
    if column.type == "number":
        yield Rule(column.name, "finite", f"{column.name} must be finite", give)
    keywords = [*column.checks, *(["enum"] if column.codes else []), *(["pattern"] if column.type == "period" else [])]
    for keyword in dict.fromkeys(keywords):
        yield Rule(column.name, keyword, f"{column.name} must be {column.allowed()}", give)


FILL = "Fill the cell, or leave the row out."


def _remedy(column: Column) -> str:
    if column.type in ("date", "instant"):
        return (
            f"Give {column.allowed()}; where the file has another form, say it in a mapping file: "
            '[format] date = "%d/%m/%Y".'
        )
    return f"Give {column.allowed()}."


def _condition(prepared: ibis.Table, column: Column, rule: str) -> Any:
    """Give the condition under which a row breaks a rule; a missing cell breaks only ``missing``."""
    import ibis

    value, checks = prepared[column.name], column.checks
    flag = prepared[_flag(column)] if _flag(column) in prepared.columns else None
    if rule == "type":
        return flag
    if rule == "missing" and _gap(column) in prepared.columns:
        return prepared[_gap(column)]
    if rule == "missing":
        return value.isnull() if flag is None else value.isnull() & ~flag
    if rule == "finite":
        return value.abs() >= math.inf  # NaN is above all numbers; and Ibis 12 calls nothing infinite on Spark
    if rule == "enum":
        return ~value.isin(column.codes)
    if rule == "pattern":
        return ~value.re_search(checks.get("pattern", PERIOD_PATTERN))
    if rule in ("minLength", "maxLength"):
        return value.length() < checks[rule] if rule == "minLength" else value.length() > checks[rule]
    limit = checks[rule]
    if column.type in ("date", "instant"):
        limit = ibis.literal(limit).cast(value.type())
    comparison = {
        "minimum": lambda: value < limit,
        "exclusiveMinimum": lambda: value <= limit,
        "maximum": lambda: value > limit,
        "exclusiveMaximum": lambda: value >= limit,
        "not": lambda: value == limit,
    }[rule]()
    # DuckDB orders NaN above all and Spark too: `finite` tells of it, not the bound
    return (
        comparison & ~value.isnan()
        if rule in ("maximum", "exclusiveMaximum") and column.type == "number"
        else comparison
    )


def _counts(prepared: ibis.Table, schema: TableSchema, rules: list[Rule], *, facts: bool = True) -> ibis.Table:
    counts = {"rows": prepared.count()}
    for rule in rules:
        counts[rule.name] = _count_if()(_condition(prepared, schema[rule.column], rule.id))
    return prepared.agg(**counts, **(_facts(prepared, schema) if facts else {}))


@cache
def _count_if() -> Any:
    """Name the engines' own count of what is true: DuckDB takes a fifth less time for it than for a filtered count."""
    import ibis

    def count_if(condition: bool) -> int:
        raise NotImplementedError  # the engine has it

    return ibis.udf.agg.builtin(count_if, name="count_if")


def _facts(table: ibis.Table, schema: TableSchema) -> dict[str, Any]:
    """Compile what is told of a table beside its faults: what is missing, and the time that it covers."""
    found = {
        f"missing:{column.name}": table.count(where=table[column.name].isnull())
        for column in schema
        if column.nullable and column.required
    }
    for column in schema.with_role("time")[:1]:
        found |= {"first": table[column.name].min(), "last": table[column.name].max()}
    return found


def _sound(prepared: ibis.Table, schema: TableSchema, found: Mapping[Rule, int]) -> ibis.Table:
    """Give the rows that break none of the rules that were found broken."""
    known = {rule.name for rule in _rules(schema, prepared)}
    for rule in found:
        if rule.name in known:
            broken = _condition(prepared, schema[rule.column], rule.id).fill_null(False)
            prepared = prepared.filter(~broken)
    return prepared


# --- bad rows by name -----------------------------------------------------------------------------------------------


def _refusal(
    reading: Reading, schema: TableSchema, found: Mapping[Rule, int], repeated: int, on_bad_rows: str
) -> BadRows:
    causes: list[Cause] = []
    named: list[NamedRow] = []
    each = max(1, NAMED // (len(found) + bool(repeated)))
    for rule, count in found.items():
        rows = list(islice(_name_rows(reading, schema, rule), each))
        named += rows
        causes.append(_cause(reading, rule.sentence, count, rule.remedy, rows, reading.mapping.name(rule.column)))
    if repeated:
        rows = list(islice(_name_repeated(reading, schema, found), each))
        named += rows
        causes.append(_cause(reading, _key_rule(schema), repeated, "Keep one row a key, or add them up first.", rows))
    count = sum(found.values()) + repeated
    words = "cell or row breaks" if count == 1 else "cells or rows break"
    advice = 'Mend them, or run with --on-bad-rows set_aside (in Python: run(…, on_bad_rows="set_aside")).'
    return BadRows(
        f"{count:,} {words} the rules of {schema.name}.",
        where=reading.label,
        remedy=advice if on_bad_rows == "fail" else "No row would be left: mend them.",
        causes=causes,
        rows=named,
    )


def _key_rule(schema: TableSchema) -> str:
    return f"the key ({', '.join(schema.key)}) must not repeat"


def _cause(
    reading: Reading, sentence: str, count: int, remedy: str, rows: Sequence[NamedRow], column: str = ""
) -> Cause:
    if not rows:
        return Cause(sentence, count, remedy, reading.label)
    first = rows[0]
    where = ", ".join([first.file, f"row {first.row:,}", *([f"column {column}"] if column else [])])
    return Cause(sentence, count, remedy, where, first.value)


def _name_rows(reading: Reading, schema: TableSchema, rule: Rule) -> Iterator[NamedRow]:
    """Name the first rows that break a rule, with the value as it was written."""
    for part in reading.parts:
        prepared = _prepared(numbered(reading, part), part, schema, reading.mapping, raw=True)
        if rule in _rules(schema, prepared) and _raw(rule.column) in prepared.columns:
            bad = prepared.filter(_condition(prepared, schema[rule.column], rule.id).fill_null(False))
            yield from _named(reading, rule.sentence, bad.mutate(__value=bad[_raw(rule.column)]).limit(NAMED))


def _named(reading: Reading, rule: str, rows: ibis.Table) -> list[NamedRow]:
    """Name rows by file and line, with what stands in ``__value``."""
    found = placed(reading, rows.select(FILE, ROW, __value=_shown(rows["__value"])))
    ordered = reading.engine.collect(found.order_by([FILE, ROW]), "Name bad rows").to_pylist()
    return [NamedRow(one[FILE], one[ROW], rule, one["__value"]) for one in ordered]


def _shown(value: Any) -> Any:
    """Cut a value to what a reader needs to find it again."""
    import ibis

    return ibis.ifelse(value.length() > LONGEST, value.substr(0, LONGEST) + "…", value)


LONGEST = 200
"""Characters of a value that an error shows."""


def _name_repeated(reading: Reading, schema: TableSchema, found: Mapping[Rule, int]) -> Iterator[NamedRow]:
    """Name the rows of the first keys that repeat."""
    import ibis

    key = list(schema.key)
    sound = _sound(_numbered(reading, schema), schema, found)
    first = _repeated_keys(sound, schema).order_by(key).limit(NAMED)
    rows = sound.semi_join(first, [sound[name].identical_to(first[name]) for name in key])
    words = [ibis.literal(f"{name}=") + rows[name].cast("string").fill_null("(missing)") for name in key]
    value = reduce(lambda a, b: a + ", " + b, words)
    named = _named(reading, _key_rule(schema), rows.mutate(__value=value).order_by([*key, FILE, ROW]).limit(NAMED))
    yield from sorted(named, key=lambda row: row.value or "")


def _numbered(reading: Reading, schema: TableSchema) -> ibis.Table:
    return _union(
        [_prepared(numbered(reading, part), part, schema, reading.mapping, raw=True) for part in reading.parts]
    )


def _without_repeated(table: ibis.Table, schema: TableSchema) -> ibis.Table:
    counted = table.mutate(__n=table.count().over(group_by=list(schema.key)))
    return counted.filter(counted["__n"] == 1).drop("__n")


def _write_set_aside(
    reading: Reading,
    schema: TableSchema,
    found: Mapping[Rule, int],
    repeated: int,
    target: Path,
) -> None:
    """Keep the rows that were left out as they were written, with file, line and the first rule that each breaks."""
    import ibis

    everything = _numbered(reading, schema)
    rules = {one.name for one in _rules(schema, everything)}
    branches = [
        (_condition(everything, schema[rule.column], rule.id).fill_null(False), rule.sentence)
        for rule in found
        if rule.name in rules
    ]
    cause = ibis.cases(*branches, else_=ibis.null("string")) if branches else ibis.null("string")
    caused = everything.mutate(__cause=cause)
    if repeated:
        alone = caused.count(where=caused["__cause"].isnull()).over(group_by=list(schema.key))
        twice = caused["__cause"].isnull() & (alone > 1)
        caused = caused.mutate(__cause=ibis.ifelse(twice, _key_rule(schema), caused["__cause"]))
    bad = placed(reading, caused.filter(caused["__cause"].notnull()))
    written = {column.name: _raw(column.name) for column in schema if _raw(column.name) in bad.columns}
    rows = bad.select(file=FILE, row=ROW, cause="__cause", **written).order_by(["file", "row"])
    target.parent.mkdir(parents=True, exist_ok=True)
    reading.engine.to_parquet(rows, target, f"Set rows of {reading.label} aside")
