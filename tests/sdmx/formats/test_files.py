"""JSON-stat, Parquet, Arrow, Excel, PX and the Data Package hold the rows, typed, with what describes them."""

from __future__ import annotations

import csv
import datetime
import io
import json
import math
import re
import zipfile
from dataclasses import replace

import fastexcel
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from sdmx_made import AREA, AREAS, FREQ, HEADER, ROWS, SEX, STATUS, TIME, VALUE, component, data_set, structure

from statcommons.core.errors import BadCall
from statcommons.sdmx.formats import FORMATS, Options, px, xlsx
from statcommons.sdmx.formats.csvw import write_csvw

IDS = [one.id for one in AREAS.components]
OTHER = structure(FREQ, AREA, SEX, TIME, VALUE, id="OTHER")
TWO = structure(FREQ, AREA, SEX, TIME, VALUE, component("LOWER", "measure", "integer"), id="TWO")


def message(name: str, *sets, **options) -> bytes:
    return b"".join(FORMATS[name].write(sets, HEADER, Options(**options)))


def same(found, rows) -> bool:
    """Compare rows in which NaN is equal to NaN."""
    return [tuple(map(repr, row)) for row in found] == [tuple(map(repr, row)) for row in rows]


# --- JSON-stat ------------------------------------------------------------------------------------------------------


def cube(document) -> dict[tuple[str, ...], float]:
    """Read the values by their key, after the definition of JSON-stat: the last dimension runs fastest."""
    codes = [document["dimension"][id]["category"]["index"] for id in document["id"]]
    assert [len(one) for one in codes] == document["size"]
    found = {}
    for place, value in document["value"].items():
        rest, key = int(place), []
        for one in reversed(codes):
            rest, number = divmod(rest, len(one))
            key.insert(0, one[number])
        found[tuple(key)] = value
    return found


def test_jsonstat():
    document = json.loads(message("json-stat", data_set(AREAS, ROWS, batch=2), languages=("fr",)))
    told = {row[:4]: None if row[4] is None or math.isnan(row[4]) else row[4] for row in ROWS}
    assert cube(document) == told
    statuses = cube(document | {"value": document["status"]})
    assert statuses == {row[:4]: row[8] for row in ROWS if row[8]}
    assert document["label"] == "Zones et sexes"
    assert document["role"] == {"time": ["TIME_PERIOD"], "geo": ["REF_AREA"]}
    assert document["dimension"]["REF_AREA"] == {
        "label": "Zone",
        "category": {"index": ["116", "NA"], "label": {"116": "Cambodia (fr)", "NA": "Namibia (fr)"}},
    }


def test_jsonstat_of_several_measures():
    rows = [("A", "116", "F", "2018", 1.5, 2), ("A", "4", "F", "2019", None, 3)]
    document = json.loads(message("json-stat", data_set(TWO, rows)))
    assert document["role"]["metric"] == ["MEASURE"]
    told = {(*row[:4], id): row[4 + place] for row in rows for place, id in enumerate(("OBS_VALUE", "LOWER"))}
    assert cube(document) == told


@pytest.mark.parametrize("sets", [[], [data_set(AREAS, [])], [data_set(AREAS, ROWS, observations=False)]])
def test_jsonstat_of_nothing(sets):
    assert not json.loads(message("json-stat", *sets))["value"]


# --- tables ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["parquet", "arrow"])
@pytest.mark.parametrize("batch", [1, 1000])
def test_tables(name, batch):
    made = message(name, data_set(AREAS, ROWS, batch=batch))
    table = pq.read_table(io.BytesIO(made)) if name == "parquet" else pa.ipc.open_stream(made).read_all()
    assert table.schema.names == IDS
    assert table.schema.field("OBS_VALUE").type == pa.float64()
    assert table.schema.field("REF_AREA").type == pa.string()
    assert table.schema.metadata[b"sdmx.structure"].decode() == AREAS.flow.urn
    assert same(zip(*(table[id].to_pylist() for id in IDS), strict=True), ROWS)


def test_a_table_tells_data_sets_apart():
    moment = datetime.datetime(2026, 1, 2, 12, tzinfo=datetime.UTC)
    keys = structure(FREQ, AREA, SEX, TIME)
    sets = [
        data_set(AREAS, ROWS, action="Replace", valid_from=moment),
        data_set(keys, [row[:4] for row in ROWS[:1]], action="Delete"),
    ]
    table = pq.read_table(io.BytesIO(message("parquet", *sets)))
    assert table["ACTION"].to_pylist() == ["Replace"] * 5 + ["Delete"]
    assert table["VALID_FROM"].to_pylist() == [moment] * 5 + [None]
    assert table["OBS_VALUE"].to_pylist()[-1] is None


@pytest.mark.parametrize("name", ["parquet", "arrow"])
def test_columns_with_several_values_and_languages(name):
    notes = component("NOTES", "attribute", multiple=True)
    spoken = component("SPOKEN", "attribute", multilingual=True)
    made = structure(FREQ, AREA, SEX, TIME, VALUE, component("CUT", "attribute", "boolean"), notes, spoken, id="MANY")
    rows = [
        ("A", "116", "F", "2018", 1.5, True, ["x", "y"], [("en", "a")]),
        ("A", "4", "F", "2018", 1.5, None, None, None),
    ]
    data = message(name, data_set(made, rows))
    table = pq.read_table(io.BytesIO(data)) if name == "parquet" else pa.ipc.open_stream(data).read_all()
    assert [tuple(row.values()) for row in table.to_pylist()] == rows


def test_numbers_that_stand_as_text_are_typed():
    attributes = [component(id, "attribute", multiple=id == "SHARES") for id in ("SHARES", "BASE", "ERROR")]
    types = ("number", "integer", "number")
    rows = [
        ("A", "2020", ["0.5", "#N/A", "+2"], "+5", "#N/A"),
        ("A", "2021", None, None, "NaN"),
        ("A", "2022", [], "-6", "+1e3"),
    ]
    written = data_set(structure(FREQ, TIME, *attributes, id="TYPED"), rows)
    typed = structure(
        FREQ, TIME, *(replace(one, type=type) for one, type in zip(attributes, types, strict=True)), id="TYPED"
    )
    found = pq.read_table(io.BytesIO(message("parquet", replace(written, structure=typed)))).to_pylist()
    assert [str(one["SHARES"]) for one in found] == ["[0.5, nan, 2.0]", "None", "[]"]
    assert [one["BASE"] for one in found] == [5, None, -6]
    assert [str(one["ERROR"]) for one in found] == ["nan", "nan", "1000.0"]


def test_parquet_goes_out_by_row_groups():
    rows = [("A", "116", "F", f"{1000 + year}-{month:02d}", 1.0) for year in range(1500) for month in range(1, 13)]
    sets = [data_set(OTHER, rows) for _ in range(8)]
    chunks = list(FORMATS["parquet"].write(sets, HEADER, Options()))
    assert len(chunks) > 2
    metadata = pq.ParquetFile(io.BytesIO(b"".join(chunks))).metadata
    assert (metadata.num_rows, metadata.num_row_groups) == (8 * len(rows), 2)


@pytest.mark.parametrize("name", ["parquet", "arrow", "xlsx", "json-stat", "px", "csvw"])
def test_several_dataflows_are_refused_before_the_first_byte(name):
    with pytest.raises(BadCall, match=r"one data(flow| set)"):
        FORMATS[name].write([data_set(AREAS, ROWS), data_set(OTHER, [])], HEADER, Options())


# --- Excel ----------------------------------------------------------------------------------------------------------


def sheet(made: bytes, name: str) -> list[dict]:
    return fastexcel.read_excel(made).load_sheet(name, dtypes="string").to_arrow().to_pylist()


def test_excel():
    made = message("xlsx", data_set(AREAS, [*ROWS, (*ROWS[0][:3], "2021", 1.0, *ROWS[0][5:9], "=1+1")]))
    assert fastexcel.read_excel(made).sheet_names == ["data", "codes", "about"]
    rows = sheet(made, "data")
    assert [row["REF_AREA"] for row in rows] == ["116", "116", "116", "NA", "NA", "116"]
    assert [row["OBS_VALUE"] for row in rows] == ["32.5", "33", None, "NaN", "0.1", "1"]
    assert rows[-1]["COMMENT"] == "=1+1"
    assert {"component": "REF_AREA", "code": "NA", "name": "Namibia"} in sheet(made, "codes")
    with zipfile.ZipFile(io.BytesIO(made)) as archive:
        cells = archive.read("xl/worksheets/sheet1.xml").decode()
    assert "<f>" not in cells
    assert re.search(r'<c r="E2"[^>]*><v>32.5</v>', cells)  # a number
    assert re.search(r'<c r="B2"[^>]*t="inlineStr"', cells)  # and a code that is none


def test_excel_tells_values_and_languages_apart():
    tags = component("TAGS", "attribute", multiple=True)
    shares = component("SHARES", "attribute", "number", multiple=True)
    words = component("WORDS", "attribute", multilingual=True)
    notes = component("NOTES", "attribute", multilingual=True, multiple=True)
    made = structure(FREQ, AREA, SEX, TIME, VALUE, tags, shares, words, notes, id="MANY")
    rows = [
        ("A", "116", "F", "2018", 1.5, ["x;y", "z"], [0.5, 2.0], [("en", 'a "b"'), ("km", "c,d")], None),
        ("A", "116", "F", "2019", 1.5, ["x"], None, None, [[("en", "p;q"), ("fr", "r")], [("en", "s")]]),
        ("A", "116", "F", "2020", 1.5, [], [], [], []),
    ]
    set = data_set(made, rows)
    found = [list(row.values())[5:] for row in sheet(message("xlsx", set), "data")]
    assert found == [
        ['"x;y";z', "0.5;2", '"en:a ""b""";km:c,d', None],
        ["x", None, None, '"""en:p;q"";fr:r";en:s'],
        [None, None, None, None],
    ]
    heads = ["TAGS[]", "SHARES[]", "WORDS[en;fr;km]", "NOTES[en;fr]"]
    assert list(sheet(message("xlsx", set), "data")[0])[5:] == heads
    again = csv.reader(message("csv-2.0", set).decode().splitlines())  # which has the same heads and cells
    assert [[cell or None for cell in row[8:]] for row in again] == [heads, *found]


def test_excel_holds_whole_numbers_that_a_double_cannot():
    rows = [("A", "116", "F", "2018", 1.5, 2**53 + 1), ("A", "116", "F", "2019", 1.5, 7)]
    assert [row["LOWER"] for row in sheet(message("xlsx", data_set(TWO, rows)), "data")] == [str(2**53 + 1), "7"]


def test_excel_goes_on_in_the_next_sheet(monkeypatch):
    monkeypatch.setattr(xlsx, "ROWS", 2)
    made = message("xlsx", data_set(AREAS, ROWS))
    names = fastexcel.read_excel(made).sheet_names
    assert names == ["data", "data 2", "data 3", "codes", "about"]
    assert [len(sheet(made, name)) for name in names[:3]] == [2, 2, 1]


def test_excel_of_nothing():
    assert fastexcel.read_excel(message("xlsx")).sheet_names == ["data"]


# --- PX -------------------------------------------------------------------------------------------------------------


def keywords(text: str) -> dict[str, list[str]]:
    found = {}
    for entry in re.findall(r'((?:[A-Z-]+)(?:\("[^"]*"\))?=(?:"[^"]*"|[^";])*);', text):
        key, _, value = entry.partition("=")
        found[key.strip()] = re.findall(r'"([^"]*)"', value) if key != "DATA" else value.split()
    return found


def test_px():
    read = keywords(message("px", data_set(AREAS, ROWS, batch=2)).decode())
    assert read["STUB"] == ["Freq", "Reference area", "Sex"]
    assert read["HEADING"] == ["Time period"]
    assert read['CODES("Reference area")'] == ["116", "NA"]
    assert read['VALUES("Reference area")'] == ["Cambodia", "Namibia"]
    assert read["CODEPAGE"] == ["utf-8"]
    assert [line.count(" ") for line in message("px", data_set(AREAS, ROWS)).decode().splitlines()[-5:]] == [
        2,
        2,
        2,
        2,
        0,
    ]
    cells = dict(
        zip(
            [(a, s, t) for a in ("116", "NA") for s in "FM" for t in ("2018", "2019", "2020")],
            read["DATA"],
            strict=True,
        )
    )
    assert {key: cell for key, cell in cells.items() if cell != '"."'} == {
        ("116", "F", "2018"): "32.5",
        ("116", "F", "2019"): "33",
        ("NA", "F", "2020"): "0.1",
    }


def test_px_has_the_unit_where_it_is_one():
    rows = [row for row in ROWS if row[5] == "PT"]
    assert keywords(message("px", data_set(AREAS, rows)).decode())["UNITS"] == ["Percent"]
    assert keywords(message("px", data_set(AREAS, ROWS)).decode())["UNITS"] == ["-"]


def test_px_refuses_what_it_cannot_hold(monkeypatch):
    with pytest.raises(BadCall, match="one measure"):
        message("px", data_set(TWO, []))
    with pytest.raises(BadCall, match="one measure"):
        message("px")
    monkeypatch.setattr(px, "CELLS", 11)
    with pytest.raises(BadCall, match="12 cells"):
        message("px", data_set(AREAS, ROWS))


# --- CSVW and the Data Package --------------------------------------------------------------------------------------


def test_package():
    made = message("csvw", data_set(AREAS, ROWS, batch=2), languages=("fr",))
    with zipfile.ZipFile(io.BytesIO(made)) as archive:
        assert archive.testzip() is None
        package = json.loads(archive.read("datapackage.json"))
        csvw = json.loads(archive.read("data.csv-metadata.json"))
        files = {
            name: list(csv.reader(io.StringIO(archive.read(name).decode())))
            for name in archive.namelist()
            if name.endswith(".csv")
        }
    assert files["data.csv"][0] == IDS
    assert [row[1] for row in files["data.csv"][1:]] == ["116", "116", "116", "NA", "NA"]
    assert files["codes/SC.CL_AREA.1.0.csv"][4] == ["764", "Thailand, Kingdom of (fr)", ""]
    assert {one["path"] for one in package["resources"]} == set(files)
    [data] = [one for one in package["resources"] if one["path"] == "data.csv"]
    assert [one["name"] for one in data["schema"]["fields"]] == IDS
    assert data["schema"]["primaryKey"] == ["FREQ", "REF_AREA", "SEX", "TIME_PERIOD"]
    known = {one["name"] for one in package["resources"]}
    assert all(key["reference"]["resource"] in known for key in data["schema"]["foreignKeys"])
    assert {one["url"] for one in csvw["tables"]} == set(files)
    [table] = [one for one in csvw["tables"] if one["url"] == "data.csv"]
    assert [one["name"] for one in table["tableSchema"]["columns"]] == IDS
    references = {key["reference"]["resource"] for key in table["tableSchema"]["foreignKeys"]}
    assert references == set(files) - {"data.csv"}


def test_the_same_package_is_the_same_bytes():
    assert message("csvw", data_set(AREAS, ROWS)) == message("csvw", data_set(AREAS, ROWS, batch=1))


def test_a_package_streams():
    rows = [("A", "116", "F", f"{1000 + year}-{month:02d}", 1.0) for year in range(4000) for month in range(1, 13)]
    chunks = write_csvw([data_set(OTHER, rows)], HEADER, Options())
    assert len(next(chunks)) < 10_000
    assert len(list(chunks)) > 2


def test_without_time():
    made = structure(FREQ, AREA, SEX, replace(VALUE, required=True), STATUS, id="TIMELESS")
    rows = [("A", "116", "F", 1.5, "A"), ("A", "4", "M", 2.5, None)]
    sets = data_set(made, rows)
    assert cube(json.loads(message("json-stat", sets))) == {row[:3]: row[3] for row in rows}
    assert keywords(message("px", data_set(made, rows)).decode())["DATA"] == ["1.5", '"."', '"."', "2.5"]
    table = pq.read_table(io.BytesIO(message("parquet", data_set(made, rows))))
    assert [tuple(row.values()) for row in table.to_pylist()] == rows
