"""A schema at work: each rule counts what it must, names it by file and line, and sets it aside whole."""

from __future__ import annotations

import datetime
import math
from typing import Annotated, Literal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from statcommons.core.check import bind, count_broken, count_repeated
from statcommons.core.errors import BadData
from statcommons.core.reading import read
from statcommons.core.schema import (
    Dimension,
    Ge,
    Gt,
    Le,
    Lt,
    Measure,
    Not,
    Pattern,
    Period,
    Schema,
    Time,
    table_schema,
)


class Fix(Schema, key=("ship", "second")):
    """A report of a ship, with a rule of each kind."""

    ship: Annotated[str, Dimension, Pattern(r"^\d{9}$"), "MMSI"]
    second: Annotated[int, Time, Ge(0), "Second"]
    speed: Annotated[float | None, Measure, Ge(0), Lt(103), "Knots"]
    draught: Annotated[float, Measure, Gt(0), Le(25.5), "Metres"] = 1.0
    pieces: Annotated[int | None, Measure, Not(0), "Pieces"] = None
    status: Annotated[Literal["moored", "aground"] | None, Dimension, "Status"] = None
    loaded: Annotated[bool | None, Dimension, "Whether it is loaded"] = None
    day: Annotated[datetime.date | None, Dimension, Ge("2020-01-01"), "Day"] = None
    moment: Annotated[datetime.datetime | None, Dimension, "Instant"] = None
    month: Annotated[Period | None, Dimension, "Month"] = None


SCHEMA = table_schema(Fix)
SOUND = {"ship": "123456789", "second": "1", "speed": "5"}


def bound(columns, tmp_path, **options):
    """Bind one row of text, as a file has it."""
    cells = SOUND | columns
    quoted = [f'"{cell}"' for cell in cells.values()]
    (tmp_path / "fixes.csv").write_text(f"{','.join(cells)}\n{','.join(quoted)}\n")
    return bind(read(tmp_path / "fixes.csv", mapping=options), SCHEMA)


RULES = [
    ("ship", "12345", "matching"),
    ("ship", "", "must not be missing"),
    ("second", "-1", "from 0"),
    ("second", "1.0", "a whole number"),
    ("second", "1e3", "a whole number"),
    ("second", "99999999999999999999", "a whole number"),
    ("speed", "-0.1", "from 0"),
    ("speed", "103", "below 103"),
    ("speed", "fast", "a number"),
    ("speed", "5-", "a number"),
    ("speed", "12d", "a number"),
    ("speed", "1 000", "a number"),
    ("speed", "0x10", "a number"),
    ("speed", "inf", "a number"),
    ("draught", "0", "above 0"),
    ("draught", "25.6", "to 25.5"),
    ("draught", "NaN", "must not be missing"),
    ("draught", "", "must not be missing"),
    ("pieces", "0", "other than 0"),
    ("pieces", "2.5", "a whole number"),
    ("status", "sailing", "moored or aground"),
    ("loaded", "yes", "true or false"),
    ("day", "2019-12-31", "date"),
    ("day", "05/01/2026", "a date (YYYY-MM-DD)"),
    ("day", "2026-13-01", "a date (YYYY-MM-DD)"),
    ("day", "2026-01-05 (BC)", "a date (YYYY-MM-DD)"),
    ("day", "infinity", "a date (YYYY-MM-DD)"),
    ("moment", "2026-01-05 25:00", "a time"),
    ("moment", "now", "a time"),
    ("month", "2026-Q5", "a period"),
    ("month", "2026-13", "a period"),
]


@pytest.mark.parametrize(("column", "cell", "says"), RULES, ids=[f"{column} {cell}" for column, cell, _ in RULES])
def test_a_cell_that_breaks_a_rule(column, cell, says, tmp_path, duckdb):
    with pytest.raises(BadData) as refused:
        bound({column: cell}, tmp_path)
    (cause,) = refused.value.causes
    assert cause.where == f"fixes.csv, row 2, column {column}"
    assert says in cause.rule
    assert (cause.rows, cause.value or "") == (1, cell)


CELLS = [
    ("ship", "012345678", "012345678"),
    ("second", " 7 ", 7),
    ("second", "+7", 7),
    ("speed", "NA", None),
    ("speed", "N/A", None),
    ("speed", "", None),
    ("speed", "null", None),
    ("speed", "1e2", 100.0),
    ("speed", ".5", 0.5),
    ("draught", "25.5", 25.5),
    ("status", "moored", "moored"),
    ("loaded", "TRUE", True),
    ("loaded", "0", False),
    ("day", "2026-01-05", datetime.date(2026, 1, 5)),
    ("day", "2026-01-05T23:30:00", datetime.date(2026, 1, 5)),
    ("day", "2020-01-01", datetime.date(2020, 1, 1)),
    ("moment", "2026-01-05T10:00:00Z", datetime.datetime(2026, 1, 5, 10)),
    ("moment", "2026-01-05 10:00:00.5", datetime.datetime(2026, 1, 5, 10, 0, 0, 500_000)),
    ("moment", "2026-01-05T10:00:00+02:00", datetime.datetime(2026, 1, 5, 8)),
    ("moment", "2026-01-05", datetime.datetime(2026, 1, 5)),
    ("month", "2026-11", "2026-11"),
    ("month", "NA", None),
]


@pytest.mark.parametrize(("column", "cell", "value"), CELLS, ids=[f"{column} {cell}" for column, cell, _ in CELLS])
def test_a_cell_as_it_is_read(column, cell, value, tmp_path, duckdb):
    if (column, cell) == ("month", "NA"):
        with pytest.raises(BadData, match="period"):  # a period is a code: NA is none, and no word for missing
            bound({column: cell}, tmp_path)
        return
    assert duckdb.row(bound({column: cell}, tmp_path).table)[column] == value


def test_all_causes_are_told_at_once(tmp_path, duckdb):
    with pytest.raises(BadData) as refused:
        bound({"ship": "1", "second": "-1", "speed": "fast", "day": "x"}, tmp_path)
    assert [cause.where.rpartition(" ")[2] for cause in refused.value.causes] == ["ship", "second", "speed", "day"]
    assert "4 cells or rows break the rules of Fix" in str(refused.value)


def test_rules_are_counted_on_each_engine(engine):
    table = engine.adopt(
        pa.table(
            {
                "ship": ["123456789", "123456789", "x", None],
                "second": [1, 1, 2, -3],
                "speed": [math.inf, math.nan, None, 200.0],
            }
        )
    )
    counts = {name: count for name, count in engine.row(count_broken(table, SCHEMA)).items() if count}
    assert counts == {
        "rows": 4,
        "ship:pattern": 1,
        "ship:missing": 1,
        "second:minimum": 1,
        "speed:finite": 2,
        "speed:exclusiveMaximum": 2,
    }
    assert engine.row(count_repeated(table, SCHEMA)) == {"keys": 1, "rows": 2}


def test_bad_rows_are_named_on_each_engine(engine, tmp_path):
    (tmp_path / "fixes.csv").write_text('ship,second,speed\n123456789,1,5\n\n"123456789",2,-1\n123456789,1,6\n')
    with pytest.raises(BadData) as refused:
        bind(read(tmp_path / "fixes.csv", engine=engine), SCHEMA)
    assert [str(cause).partition(",  ")[0].split(":")[0] for cause in refused.value.causes] == [
        "fixes.csv, row 4, column speed",
        "fixes.csv, row 2",
    ]
    assert [(one.row, one.value) for one in refused.value.rows] == [
        (4, "-1"),
        (2, "ship=123456789, second=1"),
        (5, "ship=123456789, second=1"),
    ]


def test_bad_rows_are_set_aside_on_each_engine(engine, tmp_path):
    lines = ["123456789,1,5", "", '"123456789",2,-1', "123456789,1,6", "123456789,3,7"]
    (tmp_path / "fixes.csv").write_text("\n".join(["ship,second,speed", *lines, ""]))
    aside = tmp_path / "private" / "aside.parquet"
    found = bind(read(tmp_path / "fixes.csv", engine=engine), SCHEMA, on_bad_rows="set_aside", set_aside=aside)
    assert engine.collect(found.table)["second"].to_pylist() == [3]
    assert (found.rows, found.used, found.coverage) == (4, 1, (3, 3))
    rows = [(one["row"], one["cause"], one["speed"]) for one in pq.read_table(aside).to_pylist()]
    assert rows == [
        (2, "the key (ship, second) must not repeat", "5"),
        (4, "speed must be a number from 0 below 103", "-1"),
        (5, "the key (ship, second) must not repeat", "6"),
    ]


def test_a_key_is_checked_among_sound_rows(tmp_path, duckdb):
    """A row that breaks a rule repeats no key: the sound one stays."""
    (tmp_path / "fixes.csv").write_text("ship,second,speed\n123456789,1,5\n123456789,1,-5\n")
    found = bind(read(tmp_path / "fixes.csv"), SCHEMA, on_bad_rows="set_aside", set_aside=tmp_path / "aside.parquet")
    assert [(one.rule, one.rows) for one in found.broken] == [("speed must be a number from 0 below 103", 1)]
    with pytest.raises(BadData) as refused:
        bind(read(tmp_path / "fixes.csv"), SCHEMA)
    assert [row.row for row in refused.value.rows] == [3]


def test_keys_that_repeat_at_the_end_of_a_long_file_are_named(tmp_path, duckdb):
    """Lines are looked up once, not once a row: 1,000 rows of a file with quotes."""
    lines = [f'"123456789",{n},1' for n in range(60_000)]
    (tmp_path / "fixes.csv").write_text("\n".join(["ship,second,speed", *lines, *lines[-700:], ""]))
    with pytest.raises(BadData) as refused:
        bind(read(tmp_path / "fixes.csv"), SCHEMA)
    rows = refused.value.rows
    assert len(rows) == 1000
    assert refused.value.causes[0].rows == 1400
    assert {(row.row, row.value) for row in rows} >= {
        (59_302, "ship=123456789, second=59300"),
        (60_002, "ship=123456789, second=59300"),
    }


def test_optional_columns_that_only_some_files_have(tmp_path, duckdb):
    (tmp_path / "a.csv").write_text("ship,second,speed,status\n123456789,1,5,moored\n")
    (tmp_path / "b.csv").write_text("ship,second,speed\n123456789,2,5\n")
    found = bind(read(str(tmp_path / "*.csv")), SCHEMA).table.order_by("second")
    assert duckdb.collect(found)["status"].to_pylist() == ["moored", None]


def test_no_more_than_a_thousand_rows_are_named_and_long_values_are_cut(tmp_path, duckdb):
    (tmp_path / "fixes.csv").write_text("ship,second,speed\n" + f"{'9' * 5000},1,-5\n" * 3000)
    with pytest.raises(BadData) as refused:
        bind(read(tmp_path / "fixes.csv"), SCHEMA)
    assert len(refused.value.rows) <= 1000
    assert {cause.rows for cause in refused.value.causes} == {3000}
    assert refused.value.causes[0].value == "9" * 200 + "…"
    assert len(str(refused.value)) < 2000


@pytest.mark.parametrize(
    ("values", "code"),
    [
        (pa.array([123456789], pa.uint64()), "123456789"),
        (pa.array([123456789.0]), "123456789"),
        (pa.array(["123456789"]).dictionary_encode(), "123456789"),
        (pa.array(["123456789"], pa.large_string()), "123456789"),
        (pa.array(["123456789"], pa.string_view()), "123456789"),
    ],
    ids=["unsigned", "double", "dictionary", "large text", "view of text"],
)
def test_codes_of_other_types(values, code, duckdb):
    table = pa.table({"ship": values, "second": [1], "speed": [1.0]})
    assert duckdb.row(bind(read(table), SCHEMA).table)["ship"] == code


@pytest.mark.parametrize(
    ("column", "values"),
    [
        ("ship", pa.array([b"123456789"])),
        ("ship", pa.array([1e300])),
        ("second", pa.array([2**64 - 1], pa.uint64())),
        ("second", pa.array([1.5])),
        ("second", pa.array([math.inf])),
        ("second", pa.array([True])),
        ("speed", pa.array([datetime.date(2026, 1, 5)])),
        ("loaded", pa.array([1])),
        ("day", pa.array([20260105])),
        ("moment", pa.array([1767600000])),
    ],
    ids=lambda value: value if isinstance(value, str) else str(value.type),
)
def test_values_of_types_that_do_not_fit_are_refused_by_row(column, values, duckdb):
    columns = {"ship": ["123456789"], "second": [1], "speed": [1.0]} | {column: values}
    with pytest.raises(BadData, match=rf"table, row 1, column {column}: {column} must be"):
        bind(read(pa.table(columns)), SCHEMA)
