"""SDMX-CSV holds the released numbers, and codes as they are; other libraries read it back equal."""

import csv
import datetime
import io
import math
import pickle
import struct
import subprocess
import sys
from dataclasses import replace
from decimal import ROUND_HALF_UP, Decimal, localcontext
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import sdmx
from hypothesis import given, settings
from hypothesis import strategies as st
from pysdmx.io import get_datasets

from statcommons.core.errors import BadCall, BadData, NoInput
from statcommons.core.schema import Column, TableSchema
from statcommons.sdmx import csvfile
from statcommons.sdmx.csvfile import observed_codes, write_csv
from statcommons.sdmx.declared import structure
from statcommons.sdmx.structure_file import write_structure

COLUMNS = (
    Column("period", "period", "time"),
    Column("area", "text", "dimension"),
    Column("value", "number", "measure", unit="USD", decimals=2),
    Column("share", "number", nullable=True),
    Column("note", "text", nullable=True),
)
PRICES = TableSchema("Prices", "Prices.", COLUMNS, ("period", "area"))
TABLE = pa.table(
    {
        "note": ["a, b", 'say "so"', None, "déjà\nvu"],
        "period": ["2026-01", "2026-01", "2026-02", "2026-02"],
        "area": ["004", "NA", "004", "NA"],
        "value": [1.005, -2.675, None, 1e-7],
        "share": [0.1 + 0.2, 5e-324, None, 1e300],
        "secret": ["x", "x", "x", "x"],
    }
)


def rows(path):
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def write(table, schema, **options):
    return rows(write_csv(table, structure(schema, **options), Path("made.csv")))


def one_value(kind, values, **facts):
    """Give a table of one measure, keyed by a number of the row."""
    columns = (Column("row", "integer", "dimension"), Column("value", kind, "measure", **facts))
    table = pa.table({"row": list(range(len(values))), "value": values})
    return table, TableSchema("Values", "", columns, ("row",))


# --- the file -------------------------------------------------------------------------------------------------------


def test_the_file_is_as_the_field_guide_wants_it():
    text = write_csv(TABLE, structure(PRICES), "made.csv").read_bytes().decode("utf-8")
    assert text == (
        "STRUCTURE,STRUCTURE_ID,ACTION,FREQ,AREA,TIME_PERIOD,OBS_VALUE,SHARE,NOTE,UNIT_MEASURE,DECIMALS\n"
        'dataflow,SC:DF_PRICES(1.0),I,M,004,2026-01,1.01,0.30000000000000004,"a, b",USD,2\n'
        'dataflow,SC:DF_PRICES(1.0),I,M,NA,2026-01,-2.68,5e-324,"say ""so""",USD,2\n'
        "dataflow,SC:DF_PRICES(1.0),I,M,004,2026-02,,,,USD,2\n"
        'dataflow,SC:DF_PRICES(1.0),I,M,NA,2026-02,0.00,1e+300,"déjà\nvu",USD,2\n'
    )


def test_a_table_in_memory_and_its_file_are_written_alike(tmp_path):
    pq.write_table(TABLE, tmp_path / "it's.parquet")
    first = write_csv(TABLE, structure(PRICES), tmp_path / "a.csv").read_bytes()
    again = write_csv(tmp_path / "it's.parquet", structure(PRICES), tmp_path / 'o\'new "x"' / 'it\'s "y".csv')
    assert again.read_bytes() == first
    assert sorted(file.name for file in tmp_path.iterdir()) == ["a.csv", "it's.parquet", 'o\'new "x"']
    assert [file.name for file in again.parent.iterdir()] == ['it\'s "y".csv']


def test_a_table_without_rows_is_a_head():
    (line,) = write_csv(TABLE.slice(0, 0), structure(PRICES), "made.csv").read_text().splitlines()
    assert line.startswith("STRUCTURE,STRUCTURE_ID,ACTION,FREQ,AREA,TIME_PERIOD,OBS_VALUE")


def test_rows_keep_their_order():
    table, schema = one_value("integer", list(range(300_000, 0, -1)))
    made = write(table, schema)
    assert [int(row["ROW"]) for row in made] == list(range(300_000))


# --- cells ----------------------------------------------------------------------------------------------------------


def released(value, decimals):
    """Round as the docstring says, by the textbook."""
    if abs(value) >= 2**53:
        return Decimal(repr(value))
    with localcontext(prec=60):
        return Decimal(repr(value)).quantize(Decimal(1).scaleb(-decimals), rounding=ROUND_HALF_UP)


@given(
    values=st.lists(
        st.floats(allow_nan=False, allow_infinity=False) | st.floats(-1000, 1000), min_size=1, max_size=200
    ),
    ties=st.lists(st.integers(-(10**9), 10**9), max_size=50),
    decimals=st.integers(0, 15),
)
@settings(max_examples=25)
def test_a_measure_is_rounded_once_half_away_from_zero(values, ties, decimals):
    values += [float(f"{tie}5e-{decimals + 1}") for tie in ties]
    table, schema = one_value("number", values, decimals=decimals)
    for value, row in zip(values, write(table, schema), strict=True):
        text = row["OBS_VALUE"]
        assert Decimal(text) == released(value, decimals), value
        assert text.strip("-0.") or not text.startswith("-"), "there is no minus zero"
        if abs(value) < 2**53:
            assert len(text.partition(".")[2]) == decimals


@pytest.mark.parametrize(
    ("value", "decimals", "text"),
    [
        (2.675, 2, "2.68"),  # DuckDB's and Python's round() give 2.67
        (1.005, 2, "1.01"),
        (0.5, 0, "1"),
        (-2.5, 0, "-3"),
        (-0.004, 2, "0.00"),
        (5e-324, 4, "0.0000"),  # DuckDB's cast of the text to DECIMAL gives 0.0001
        (0.00005, 4, "0.0001"),
        (1234567890123.5, 4, "1234567890123.5000"),
        (12345678901234.5, 4, "12345678901234.5000"),
        (9007199254740993.0, 2, "9007199254740992.0"),
    ],
)
def test_rounding_by_example(value, decimals, text):
    assert write(*one_value("number", [value], decimals=decimals))[0]["OBS_VALUE"] == text


def test_whole_and_decimal_numbers_are_rounded_too():
    table, schema = one_value("number", pa.array([7, None], pa.int64()), decimals=1)
    assert [row["OBS_VALUE"] for row in write(table, schema)] == ["7.0", ""]
    table, schema = one_value("number", pa.array([Decimal("2.345"), Decimal("-2.345")]), decimals=2)
    assert [row["OBS_VALUE"] for row in write(table, schema)] == ["2.35", "-2.35"]


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=200))
@settings(max_examples=25)
def test_a_number_without_decimals_is_read_back_as_the_same_double(values):
    made = write(*one_value("number", values))
    assert [struct.pack("d", float(row["OBS_VALUE"])) for row in made] == [struct.pack("d", value) for value in values]


def test_every_kind_of_cell():
    zone = datetime.timezone(datetime.timedelta(hours=2))
    noon = datetime.datetime(2026, 3, 29, 12, 0, tzinfo=zone)
    columns = (
        Column("at", "instant", "time"),
        Column("open", "boolean", "dimension"),
        Column("ships", "integer", "measure"),
        Column("since", "date"),
        Column("share", "number"),
    )
    at = pa.array([noon, noon + datetime.timedelta(microseconds=1500)], pa.timestamp("us", "Europe/Paris"))
    table = pa.table(
        {
            "at": at,
            "open": [True, False],
            "ships": [2**62, None],
            "since": [datetime.date(2026, 1, 2), None],
            "share": [math.nan, None],
        }
    )
    made = write(table, TableSchema("Calls", "", columns, ("at", "open")))
    assert [list(row.values())[3:] for row in made] == [
        ["I", "true", "2026-03-29T10:00:00Z", "4611686018427387904", "2026-01-02", "NaN"],
        ["I", "false", "2026-03-29T10:00:00.001500Z", "", "", ""],
    ]


PERIODS = {
    "2026": "A",
    "2026-A1": "A",
    "2026-S2": "S",
    "2026-T3": "A_3",
    "2026-Q4": "Q",
    "2026-11": "M",
    "2026-M11": "M",
    "2026-W53": "W",
    "2026-11-21": "D",
    "2026-D325": "D",
}


def test_the_frequency_is_that_of_the_period():
    columns = (Column("period", "period", "time"), Column("value", "integer", "measure"))
    table = pa.table({"period": list(PERIODS), "value": [1] * len(PERIODS)})
    made = write(table, TableSchema("Flow", "", columns, ("period",)))
    assert {row["TIME_PERIOD"]: row["FREQ"] for row in made} == PERIODS
    days = pa.table({"period": [datetime.date(2026, 11, 21)], "value": [1]})
    dated = (replace(columns[0], type="date"), columns[1])
    (row,) = write(days, TableSchema("Flow", "", dated, ("period",)))
    assert (row["FREQ"], row["TIME_PERIOD"]) == ("D", "2026-11-21")


def test_a_column_that_the_structure_does_not_know_is_not_written():
    text = write_csv(TABLE, structure(PRICES), "made.csv").read_text().lower()
    assert "secret" not in text


# --- codes ----------------------------------------------------------------------------------------------------------


def test_open_codes_are_collected_as_text():
    assert observed_codes(TABLE, PRICES) == {"area": ["004", "NA"]}
    coded = replace(PRICES, columns=(*COLUMNS[:4], Column("note", "text", codelist="NOTE", nullable=True)))
    assert observed_codes(TABLE, coded)["note"] == sorted(["a, b", 'say "so"', "déjà\nvu"])
    declared = replace(PRICES, columns=(COLUMNS[0], replace(COLUMNS[1], codes=("004", "NA")), *COLUMNS[2:]))
    assert observed_codes(TABLE, declared) == {}
    hidden = replace(PRICES, columns=(COLUMNS[0], replace(COLUMNS[1], confidential=True), *COLUMNS[2:]))
    assert observed_codes(TABLE, hidden) == {}


def test_beyond_many_codes_a_column_is_not_coded(monkeypatch):
    monkeypatch.setattr(csvfile, "MANY", 1)
    assert observed_codes(TABLE, PRICES) == {}
    monkeypatch.setattr(csvfile, "MANY", 2)
    assert observed_codes(TABLE, PRICES) == {"area": ["004", "NA"]}


# --- read back ------------------------------------------------------------------------------------------------------


def files(tmp_path):
    made = structure(PRICES, observed=observed_codes(TABLE, PRICES))
    # sdmx1 splits lines without looking at quotes, so a cell that holds two lines is left to the test above
    table = put("note", ["a, b", 'say "so"', "", "NA"])
    return write_structure(made, tmp_path / "made.xml"), write_csv(table, made, tmp_path / "made.csv")


def test_pysdmx_reads_the_data_back(tmp_path):
    xml, data = files(tmp_path)
    (found,) = get_datasets(data, xml)
    assert found.short_urn == "Dataflow=SC:DF_PRICES(1.0)"
    assert found.attributes == {"UNIT_MEASURE": "USD", "DECIMALS": "2"}
    assert found.data["AREA"].tolist() == ["004", "NA", "004", "NA"]
    assert found.data["FREQ"].tolist() == ["M"] * 4
    assert found.data["TIME_PERIOD"].tolist() == TABLE["period"].to_pylist()
    assert found.data["NOTE"].tolist() == ["a, b", 'say "so"', "", "NA"]
    numbers = found.data["OBS_VALUE"]
    assert numbers.isna().tolist() == [False, False, True, False]
    assert numbers.dropna().tolist() == [1.01, -2.68, 0.0]  # two decimals: no tolerance is needed


def test_sdmx1_reads_the_data_back(tmp_path):
    xml, data = files(tmp_path)
    flow = sdmx.read_sdmx(io.BytesIO(xml.read_bytes())).dataflow["DF_PRICES"]
    with data.open("rb") as opened:
        (found,) = sdmx.read_sdmx(opened, format="csv", structure=flow).data
    assert found.described_by.id == "DF_PRICES"
    read = [
        {**{key.id: key.value for key in one.dimension.values.values()}, "OBS_VALUE": one.value} for one in found.obs
    ]
    assert read == [
        {"FREQ": "M", "AREA": area, "TIME_PERIOD": period, "OBS_VALUE": value}
        for area, period, value in zip(
            ["004", "NA"] * 2, TABLE["period"].to_pylist(), ["1.01", "-2.68", "", "0.00"], strict=True
        )
    ]
    assert found.obs[1].attached_attribute["NOTE"].value == 'say "so"'


# --- refusals -------------------------------------------------------------------------------------------------------


def put(name, values):
    return TABLE.set_column(TABLE.column_names.index(name), name, pa.array(values))


REFUSED = {
    "dimension missing": (put("area", ["004", None, "004", "NA"]), "area must not be missing", 1, "_T is total"),
    "dimension empty": (put("area", ["004", "", "004", "NA"]), "area must not be missing", 1, "_T is total"),
    "time missing": (put("period", ["2026-01", "2026-01", None, None]), "period must not be missing", 2, "_T is total"),
    "no period": (put("period", ["2026-01", "2026-01", "Feb", "2026-13x"]), "period must be a period", 2, "2026-Q3"),
    "infinite measure": (put("value", [1.0, math.inf, -math.inf, 0.0]), "value must be finite", 2, "missing"),
    "infinite attribute": (put("share", [1.0, math.inf, 0.0, 0.0]), "share must be finite", 1, "missing"),
    "code of no list": (put("area", ["004", "XX", "004", "NA"]), "area must be in CL_AREA", 1, "from this table"),
    "key repeats": (
        put("area", ["004", "004", "004", "NA"]),
        "the key (area, period) must not repeat",
        2,
        "one row a key",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_contradicts_the_structure_is_refused_with_cause_and_remedy(case, tmp_path):
    table, rule, count, remedy = REFUSED[case]
    made = structure(PRICES, observed={"area": ["004", "NA"]} if case == "code of no list" else None)
    with pytest.raises(BadData) as refused:
        write_csv(table, made, tmp_path / "new" / "made.csv")
    (cause,) = [one for one in refused.value.causes if one.rule == rule]
    assert cause.rows == count
    assert remedy in cause.remedy
    assert refused.value.where == "SC:DF_PRICES(1.0)"
    assert not list(tmp_path.iterdir())


def test_a_table_of_another_kind_and_a_file_that_is_not_there_are_refused(tmp_path):
    with pytest.raises(BadCall, match=r"no column area, value\. Give the table"):
        write_csv(TABLE.drop(["area", "value"]), structure(PRICES), tmp_path / "made.csv")
    for source in (tmp_path / "none.parquet", str(tmp_path)):
        with pytest.raises(NoInput, match="Give the path of a Parquet file"):
            write_csv(source, structure(PRICES), tmp_path / "made.csv")
    (tmp_path / "broken.parquet").write_text("no")
    with pytest.raises(BadData, match="Get it again"):
        observed_codes(tmp_path / "broken.parquet", PRICES)
    assert [file.name for file in tmp_path.iterdir()] == ["broken.parquet"]


@pytest.mark.long
def test_ten_million_rows_take_no_more_memory_than_one_gigabyte(tmp_path):
    areas = pa.array([f"{area:05d}" for area in range(20_000)])
    file = pa.schema(
        {"period": pa.string(), "area": pa.string(), "value": pa.float64(), "share": pa.float64(), "note": pa.string()}
    )
    with pq.ParquetWriter(tmp_path / "big.parquet", file) as writer:
        for number in range(500):
            period = [f"{1950 + number // 12}-{number % 12 + 1:02d}"] * len(areas)
            cells = [period, areas, [number / 7] * len(areas), [0.5] * len(areas), [None] * len(areas)]
            writer.write_table(pa.table(cells, schema=file))
    code = (
        "import pickle, resource, sys; from statcommons.sdmx.csvfile import write_csv;"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss;"
        "write_csv(sys.argv[1], pickle.load(sys.stdin.buffer), sys.argv[2]);"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)"
    )
    names = [str(tmp_path / name) for name in ("big.parquet", "big.csv")]
    done = subprocess.run(
        [sys.executable, "-c", code, *names], input=pickle.dumps(structure(PRICES)), capture_output=True, check=True
    )
    assert (
        int(done.stdout) < 1_400_000
    )  # kilobytes: the engine's gigabyte, and the libraries that are loaded on the way
    with (tmp_path / "big.csv").open("rb") as opened:
        assert sum(1 for _ in opened) == 10_000_001
