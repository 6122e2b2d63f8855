"""Days are counted into months and ISO weeks alike on each engine."""

from __future__ import annotations

import datetime

import pyarrow as pa
import pytest

from statcommons.toolbox.periods import period_of, start_of

FIRST = datetime.date(2015, 12, 20)
DAYS = [FIRST + datetime.timedelta(days=n) for n in range(0, 2300)]


def week(day):
    year, number, _ = day.isocalendar()
    return f"{year}-W{number:02}"


@pytest.mark.parametrize(
    ("frequency", "expected"),
    [("month", [f"{day:%Y-%m}" for day in DAYS]), ("week", [week(day) for day in DAYS])],
    ids=["month", "week"],
)
def test_every_day_of_six_years(engine, frequency, expected):
    """The standard library is the oracle; years with 53 weeks are among them."""
    table = engine.adopt(pa.table({"day": DAYS}))
    start = start_of(table.day, frequency)
    found = engine.collect(table.select("day", period=period_of(start, frequency)).order_by("day"))
    assert found["period"].to_pylist() == expected
