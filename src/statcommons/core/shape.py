"""What a table holds, by the roles of its columns: series of points in time, and how a page writes them.

A chart and the table beside it are made from one reading of the table, :func:`shape`.
"""

from __future__ import annotations

import datetime
import itertools
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from statcommons.core.errors import BadCall
from statcommons.core.schema import Column, TableSchema

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = [
    "MONTHS",
    "TOTAL",
    "WAYS",
    "Point",
    "Series",
    "Shape",
    "decimals_of",
    "midnight",
    "number",
    "parts",
    "period_words",
    "shape",
]

TOTAL = "_T"
"""SDMX's code of the total of a dimension."""
NAMES = {TOTAL: "Total", "": "not stated"}
WAYS = {"formula", "method", "series", "splice", "variant", "window"}
"""Names of dimensions that tell how a figure is made, not of what it is."""
MOST_PARTS = 10
MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)
"""The months as they are written out."""


# --- periods and numbers, as a reader sees them ---------------------------------------------------------------------

PERIOD = re.compile(r"(\d{4})(?:-(?:(A)1|([STQ])(\d)|W(\d\d)|D(\d{3})|M?(\d\d)(?:-(\d\d))?))?")
MONTHS_IN = {"Y": 12, "S": 6, "T": 4, "Q": 3, "M": 1}


@dataclass(frozen=True)
class _Period:
    """A period: its frequency, its place in the row of all periods of that frequency, and its first day."""

    frequency: str
    ordinal: int
    start: datetime.date


def _period(text: str) -> _Period:
    found = PERIOD.fullmatch(text)
    try:
        if found:
            return _parsed(*found.groups())
    except ValueError:  # 2026-02-30, 2026-W53: of the right form, and never was
        pass
    raise BadCall(f"{text!r} is no period.", remedy="Give 2026, 2026-Q3, 2026-11, 2026-W47 or 2026-11-21.")


def _parsed(year: str, annual: str, part: str, place: str, week: str, day: str, month: str, date: str) -> _Period:
    if week:
        monday = datetime.date.fromisocalendar(int(year), int(week), 1)
        return _Period("W", monday.toordinal() // 7, monday)
    if day or date:
        first = datetime.date(int(year), int(month or 1), int(date or 1))
        start = first + datetime.timedelta(days=int(day or 1) - 1)
        return _Period("D", start.toordinal(), start)
    frequency = part or ("M" if month else "Y")
    months, before = MONTHS_IN[frequency], int(place or month or 1) - 1
    return _Period(frequency, int(year) * 12 // months + before, datetime.date(int(year), before * months + 1, 1))


def period_words(text: str) -> str:
    """Write a period in words.

    Parameters
    ----------
    text : str
        A period as SDMX writes it, or a day.

    Returns
    -------
    str
        In words; a text that is no period stays as it is.

    Examples
    --------
    >>> [period_words(one) for one in ("2026", "2026-Q3", "2026-11", "2026-W05", "2026-11-21")]
    ['2026', 'Q3 2026', 'November 2026', 'week 5 of 2026', '21 November 2026']
    """
    found = PERIOD.fullmatch(text)
    if not found:
        return text
    year, _, part, part_number, week, day, month, day_of_month = found.groups()
    if week:
        return f"week {int(week)} of {year}"
    if day:
        return f"day {int(day)} of {year}"
    if part:
        return f"{part}{part_number} {year}"
    if month:
        return f"{f'{int(day_of_month)} ' if day_of_month else ''}{MONTHS[int(month) - 1]} {year}"
    return year


def number(value: float | None, decimals: int) -> str:
    """Write a number as an English page shows it.

    Parameters
    ----------
    value : float or None
        The number; None or NaN is missing.
    decimals : int
        To how many decimals.

    Returns
    -------
    str
        Grouped by commas, with the minus of typography; ``:`` where it is missing.

    Examples
    --------
    >>> number(-1234.56, 1), number(None, 1)
    ('−1,234.6', ':')
    """
    if value is None or value != value:
        return ":"
    text = f"{value:,.{decimals}f}"
    if text.startswith("-"):  # nothing is minus zero once it is rounded
        text = "−" + text[1:] if text.strip("-0.,") else text[1:]
    return text


def decimals_of(column: Column, values: Sequence[Any]) -> int:
    """Say to how many decimals a column is shown: as declared, else about four digits of the largest value.

    Parameters
    ----------
    column : Column
        What is declared.
    values : sequence of float
        What is there; None and NaN are left out.

    Examples
    --------
    >>> decimals_of(Column("index", "number", decimals=4), [1.0]), decimals_of(Column("price", "number"), [12.3456])
    (4, 2)
    """
    if column.decimals is not None:
        return column.decimals
    known = [abs(value) for value in values if value is not None and value == value]
    if column.type == "integer" or all(float(value).is_integer() for value in known):
        return 0
    largest = max(known)
    return next((places for bound, places in ((1000, 0), (100, 1), (1, 2)) if largest >= bound), 4)


# --- what a table holds ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Point:
    """One observation: when (as in the table and as a moment), how much, and its observation status."""

    period: str
    moment: datetime.datetime
    value: float | None
    status: str = ""
    follows: Any = None  # where it stands in the row of its frequency; None where the frequency is not known


@dataclass(frozen=True)
class Series:
    """The observations of one combination of dimensions, in the order of time."""

    key: tuple[str, ...]
    name: str
    points: tuple[Point, ...]

    @property
    def known(self) -> tuple[Point, ...]:
        """The points that have a value."""
        return tuple(point for point in self.points if point.value is not None)

    @property
    def last(self) -> float:
        """The last value that is known."""
        return next(point.value for point in reversed(self.points) if point.value is not None)

    @property
    def is_total(self) -> bool:
        """Whether all dimensions that vary stand at their total."""
        return bool(self.key) and all(code == TOTAL for code in self.key)


@dataclass(frozen=True)
class Shape:
    """What a table holds: its time, measure and status, the dimensions that vary, and the series that they make."""

    time: Column | None
    measure: Column
    status: Column | None
    constant: Mapping[str, str]
    varying: tuple[Column, ...]
    series: tuple[Series, ...]
    counted: bool = False
    """Whether a value counts rows: the table is a list of records, and several fall into one period."""

    @property
    def is_fan(self) -> bool:
        """Whether the series are one figure, made in different ways."""
        return bool(self.varying) and all(column.name in WAYS for column in self.varying)

    @property
    def is_split(self) -> bool:
        """Whether the values are contributions, in percentage points, which add up to a change."""
        return self.measure.unit == "pp" and bool(self.varying)

    @property
    def base(self) -> float | None:
        """The number that an index starts from (1 or 100), as its unit says; None where it is no index."""
        found = re.search(r"=\s*(100|1)(?:\.0*)?\s*$", self.measure.unit)
        return float(found[1]) if found else None

    @property
    def main(self) -> Series | None:
        """The one series that a reader wants first: the only one, or the total."""
        totals = [one for one in self.series if one.is_total]
        return self.series[0] if len(self.series) == 1 else totals[0] if len(totals) == 1 else None

    @property
    def decimals(self) -> int:
        """To how many decimals the measure is shown."""
        return decimals_of(self.measure, [point.value for one in self.series for point in one.points])

    def change(self) -> tuple[Point, Point, float] | None:
        """Give first and last point of the main series of an index and the change between them, as a share."""
        if self.base is None or self.main is None or len(self.main.known) < 2:
            return None
        first, last = self.main.known[0], self.main.known[-1]
        if not first.value or last.value is None:
            return None
        return first, last, last.value / first.value - 1


def shape(table: pa.Table, schema: TableSchema) -> Shape:
    """Read a table by the roles of its columns.

    A table without key whose measure is a whole number is a list of records: the first dimension that varies, or the
    only one, makes the series, and what falls into one period is added up.

    Parameters
    ----------
    table : pyarrow.Table
        The table; columns that its schema has and it has not (confidential ones) are passed over.
    schema : TableSchema
        Its schema.

    Returns
    -------
    Shape
        What a chart draws and a table shows.

    Raises
    ------
    BadCall
        When the schema has no measure that the table has, or a series has two values in one period.

    Examples
    --------
    >>> import pyarrow as pa
    >>> time, index = Column("period", "period", "time"), Column("index", "number", "measure", unit="2026-01 = 100")
    >>> table = pa.table({"period": ["2026-01", "2026-02"], "index": [100.0, 101.5]})
    >>> found = shape(table, TableSchema("Index", "", (time, index)))
    >>> found.base, round(found.change()[2], 4)
    (100.0, 0.015)
    """
    here = [column for column in schema if column.name in table.column_names]
    measures = [column for column in here if column.role == "measure" and column.type in ("number", "integer")]
    if not measures:
        raise BadCall("The table has no measure.", where=schema.name, remedy="Give a table with a column of this role.")
    measure = min(measures, key=lambda column: (column.concept != "OBS_VALUE", column.unit != "pp"))
    counted = not schema.key and measure.type == "integer"
    time = next((column for column in here if column.role == "time"), None)
    status = next((column for column in here if column.concept == "OBS_STATUS"), None)
    dimensions = [column for column in here if column.role == "dimension"]
    codes = {column.name: [_text(value) for value in table[column.name].to_pylist()] for column in dimensions}
    varying = tuple(column for column in dimensions if len(set(codes[column.name])) > 1)
    varying = (varying or tuple(dimensions))[:1] if counted and time else varying
    constant = {name: values[0] for name, values in codes.items() if values and len(set(values)) == 1}
    keys = list(zip(*(codes[column.name] for column in varying), strict=True)) if varying else [()] * table.num_rows
    points: dict[tuple[str, ...], dict[str, Point]] = {}
    flags = table[status.name].to_pylist() if status else itertools.repeat("")
    times = table[time.name].to_pylist() if time else itertools.repeat(None)
    for key, when, value, flag in zip(keys, times, table[measure.name].to_pylist(), flags, strict=False):
        if when is None and time is not None:
            continue
        one = _point(when, value, (flag or "").upper())
        series = points.setdefault(key, {})
        if counted and time and one.period in series:
            one = replace(one, value=(series[one.period].value or 0.0) + (one.value or 0.0))
        elif one.period in series:
            named = " · ".join(key) or schema.name
            raise BadCall(f"{named} has more than one value in {one.period or 'all'}.", where=schema.name)
        series[one.period] = one
    found = [
        Series(key, " · ".join(NAMES.get(code, code) for code in key), _sorted(several))
        for key, several in points.items()
    ]
    found.sort(key=lambda one: (not one.is_total, one.key))
    return Shape(time, measure, status, constant, varying, tuple(found), counted and time is not None)


def parts(found: Shape) -> Shape:
    """Take of contributions those of the last period, of the whole, and of the highest codes of a classification.

    The ten largest are kept, by size; the others are added up, and the total of all is the last.

    Parameters
    ----------
    found : Shape
        A shape that is split.

    Returns
    -------
    Shape
        One value a series, without time; its constants name the period.

    Examples
    --------
    >>> import pyarrow as pa
    >>> group, part = Column("group", "text", "dimension"), Column("part", "number", "measure", unit="pp")
    >>> table = pa.table({"group": ["01", "02"], "part": [0.5, -0.2]})
    >>> [(one.name, round(one.last, 1)) for one in parts(shape(table, TableSchema("P", "", (group, part)))).series]
    [('01', 0.5), ('02', -0.2), ('Total', 0.3)]
    """
    known = [one for one in found.series if one.known]
    last = max((one.known[-1] for one in known), key=lambda point: point.moment)
    known = [one for one in known if one.known[-1].period == last.period]
    *outer, _ = found.varying
    for place, column in enumerate(outer):
        codes = [one.key[place] for one in known]
        if column.codelist == found.varying[-1].codelist:  # the tree is split at each of its branches: take the stem
            stem = TOTAL if TOTAL in codes else max(sorted(set(codes)), key=codes.count)
            known = [one for one in known if one.key[place] == stem]
    names = {one.key[-1] for one in known}
    known = [one for one in known if one.key[-1] != TOTAL and not _is_below(one.key[-1], names, found.varying[-1])]
    kept = [column for column in outer if len({one.key[found.varying.index(column)] for one in known}) > 1]
    places = [found.varying.index(column) for column in [*kept, found.varying[-1]]]

    def one_of(key: tuple[str, ...], name: str, values: list[float]) -> Series:
        return Series(key, name, (replace(last, value=math.fsum(values), status=""),))

    known.sort(key=lambda one: (-abs(one.last), one.key))
    rest = known[MOST_PARTS:] if len(known) > MOST_PARTS + 1 else []
    shown = sorted(known[: len(known) - len(rest)], key=lambda one: (-one.last, one.key))
    series = [
        one_of(one.key, " · ".join(NAMES.get(one.key[place], one.key[place]) for place in places), [one.last])
        for one in shown
    ]
    if rest:
        series.append(one_of(("",), f"{len(rest)} others", [one.last for one in rest]))
    series.append(one_of((TOTAL,), NAMES[TOTAL], [one.last for one in known]))
    varying = (*kept, found.varying[-1])
    when = {found.time.name: last.period} if found.time else {}
    return replace(found, time=None, constant={**found.constant, **when}, varying=varying, series=tuple(series))


def _is_below(code: str, codes: set[str], column: Column) -> bool:
    """Whether a code of a classification belongs to another one of those given, as 01.1 to 01."""
    if not column.codelist:
        return False
    dot = "." if any("." in one for one in codes) else ""
    return any(code != one and code.startswith(one + dot) for one in codes if one not in ("", TOTAL))


def _text(value: Any) -> str:
    return "" if value is None else str(value)


def _sorted(points: Mapping[str, Point]) -> tuple[Point, ...]:
    return tuple(sorted(points.values(), key=lambda point: point.moment))


EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)


def _point(when: Any, value: Any, status: str) -> Point:
    known = None if value is None or value != value else float(value)
    if when is None:
        return Point("", EPOCH, known, status)
    if isinstance(when, datetime.datetime):
        moment = when.replace(tzinfo=datetime.UTC) if when.tzinfo is None else when.astimezone(datetime.UTC)
        return Point(moment.isoformat(), moment, known, status)
    if isinstance(when, datetime.date):
        return Point(when.isoformat(), midnight(when), known, status)
    period = _period(str(when))
    return Point(str(when), midnight(period.start), known, status, (period.frequency, period.ordinal))


def midnight(day: datetime.date) -> datetime.datetime:
    """Give the moment at which a day begins, in UTC.

    Parameters
    ----------
    day : datetime.date
        The day.

    Examples
    --------
    >>> midnight(datetime.date(2026, 11, 21)).isoformat()
    '2026-11-21T00:00:00+00:00'
    """
    return datetime.datetime(day.year, day.month, day.day, tzinfo=datetime.UTC)
