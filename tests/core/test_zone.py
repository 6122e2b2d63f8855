"""Instants are UTC; their days are counted in the zone of the office, also where the clocks change."""

from __future__ import annotations

import datetime
from typing import Annotated
from zoneinfo import ZoneInfo

import pyarrow as pa
import pytest

from statcommons.core.check import bind
from statcommons.core.engine import using
from statcommons.core.reading import read
from statcommons.core.run import run
from statcommons.core.schema import Measure, Schema, Time, table_schema


class Days(Schema):
    """Days."""

    day: Annotated[datetime.date, Time, "Day"]
    n: Annotated[int, Measure, "Number"]


# The clocks of Warsaw went forward on 29 March and back on 25 October 2026.
STARTS = [datetime.datetime(2026, 3, 28, 20), datetime.datetime(2026, 10, 24, 20), datetime.datetime(2026, 6, 30, 20)]
INSTANTS = [start + datetime.timedelta(minutes=30 * n) for start in STARTS for n in range(60)]
TABLE = pa.table({"day": pa.array(INSTANTS, pa.timestamp("us", "UTC")), "n": range(len(INSTANTS))})


@pytest.mark.parametrize("zone", ["Europe/Warsaw", "Africa/Kigali", "America/Sao_Paulo", "UTC"])
def test_days_are_those_of_the_wall_clock(engine, zone):
    """The standard library is the oracle."""
    expected = [one.replace(tzinfo=datetime.UTC).astimezone(ZoneInfo(zone)).date() for one in INSTANTS]
    with using(engine, zone):
        bound = bind(read(TABLE, engine=engine), table_schema(Days)).table
        found = engine.collect(bound.order_by("n"))["day"].to_pylist()
    assert found == expected


def test_a_time_without_a_zone_keeps_the_day_that_is_written(engine):
    naive = TABLE.set_column(0, "day", TABLE["day"].cast(pa.timestamp("us")))
    with using(engine, "Asia/Tokyo"):
        bound = bind(read(naive, engine=engine), table_schema(Days)).table
        found = engine.collect(bound.order_by("n"))["day"].to_pylist()
    assert found == [one.date() for one in INSTANTS]


def test_a_run_counts_days_in_the_zone_of_its_workspace(tmp_path):
    (tmp_path / "settings.toml").write_text('zone = "Pacific/Tongatapu"\n')  # thirteen hours before London
    late = pa.array([datetime.datetime(2026, 1, 31, 12)], pa.timestamp("us", "UTC"))
    sales = pa.table({"time": late, "product": ["a"], "price": [1.0], "quantity": [1.0]})
    done = run("prices.unit_values", {"transactions": sales}, workspace=tmp_path)
    assert done.output()["period"].to_pylist() == ["2026-02"]
    assert done.facts["zone"] == "Pacific/Tongatapu"


def test_a_time_with_its_offset_has_the_day_of_the_zone_in_text_as_in_a_table(engine, tmp_path):
    file = tmp_path / "days.csv"
    days = ("2026-01-31T23:30:00-05:00", "2026-01-31 23:30:00", "2026-02-01T00:30:00+09:00", "2026-02-01")
    file.write_text("day,n\n" + "".join(f"{day},{n}\n" for n, day in enumerate(days)))
    with using(engine, "UTC"):
        bound = bind(read(file, engine=engine), table_schema(Days)).table
        found = engine.collect(bound.order_by("n"))["day"].to_pylist()
    assert [str(day) for day in found] == ["2026-02-01", "2026-01-31", "2026-01-31", "2026-02-01"]
