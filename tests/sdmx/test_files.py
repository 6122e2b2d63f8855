"""Data as files: read with and without a structure, written in every format, and refused with what to do."""

import datetime as dt
from dataclasses import replace

import pandas
import pyarrow as pa
import pytest
from pysdmx.io import get_datasets
from sdmx_stores import FLOW, STRUCTURE, load, opened, row

from statcommons.core.errors import BadCall, BadData
from statcommons.sdmx import convert, read, write, write_structure
from statcommons.sdmx.files import structure_in
from statcommons.sdmx.structure import Component, artefacts_of, structure_of

TABLE = pa.table(
    {
        "FREQ": ["A", "A", "A"],
        "AREA": ["NA", "004", "004"],
        "TIME_PERIOD": ["2020", "2021", "2020"],
        "OBS_VALUE": [3.0, 0.1, 1e-7],
        "UNIT": ["PT", "PT", "PT"],
        "STATUS": [None, "P", "A & B"],
    }
)
WORDS = pa.map_(pa.string(), pa.string())
SORTED = [("004", "2020", 1e-7, "A & B"), ("004", "2021", 0.1, "P"), ("NA", "2020", 3.0, None)]


def rows(table):
    return list(zip(*(table[name].to_pylist() for name in ("AREA", "TIME_PERIOD", "OBS_VALUE", "STATUS")), strict=True))


@pytest.mark.parametrize(
    ("name", "format"),
    [
        ("a.csv", ""),
        ("a.csv", "csv-1.0"),
        ("a.csv", "csv-2.1"),
        ("a.xml", ""),
        ("a.xml", "generic-2.1"),
        ("a.xml", "ml-3.0"),
        ("a.xml", "ml-3.1"),
        ("a.json", ""),
        ("a.json", "json-1.0"),
        ("a.json", "json-2.1"),
        ("a.parquet", ""),
        ("a.xlsx", ""),
    ],
)
def test_what_is_written_is_read_back_equal(tmp_path, name, format):
    file = write(TABLE, tmp_path / name, structure=STRUCTURE, format=format)
    again = read(file, structure=STRUCTURE)
    assert rows(again.table) == SORTED
    assert again.table["UNIT"].to_pylist() == ["PT"] * 3
    assert again.structure is STRUCTURE


def test_frames_are_written_too(tmp_path):
    file = write(TABLE.to_pandas(), tmp_path / "a.csv", structure=STRUCTURE)
    assert rows(read(file, structure=STRUCTURE).table) == SORTED


@pytest.mark.parametrize("name", ["a.csv", "a.parquet", "a.xml"])
def test_a_number_that_is_missing_on_purpose_is_read_and_written_again(tmp_path, name):
    table = TABLE.set_column(3, "OBS_VALUE", pa.array([float("nan"), None, 1.0]))
    file = write(table, tmp_path / name, structure=STRUCTURE)
    again = read(write(file, tmp_path / f"again-{name}", structure=STRUCTURE), structure=STRUCTURE).table
    assert [str(value) for value in again["OBS_VALUE"].to_pylist()] == ["1.0", "None", "nan"]
    assert write(again, tmp_path / f"table-{name}", structure=STRUCTURE).read_bytes()[:4]


@pytest.mark.parametrize("column", [[1, "a"], [b"\xff"]], ids=["mixed", "bytes"])
def test_a_frame_that_is_no_table_is_refused(tmp_path, column):
    frame = pandas.DataFrame({"AREA": pandas.Series(column, dtype=object)})
    with pytest.raises(BadData, match=r"table: It is no table|column AREA: The column is of binary"):
        write(frame, tmp_path / "a.csv", structure=STRUCTURE)


@pytest.mark.parametrize("format", ["generic-2.1", "structurespecific-2.1", "ml-3.0", "ml-3.1"])
def test_data_of_a_unit_of_an_agency_are_read_by_others(tmp_path, format):
    flow = replace(STRUCTURE, flow=replace(STRUCTURE.flow, agency="OECD.SDD"))
    file = write(TABLE, tmp_path / "a.xml", structure=flow, format=format)
    [peer] = get_datasets(file, write_structure(flow, tmp_path / "s.xml"))
    assert len(peer.data) == 3


def test_that_words_are_in_languages_stays_said_in_artefacts(tmp_path):
    words = Component("WORDS", "attribute", "text", required=False, multilingual=True)
    structure = replace(STRUCTURE, components=(*STRUCTURE.components, words))
    artefacts = {one.ref: one for one in artefacts_of(structure)}
    assert structure_of(artefacts.get, FLOW)["WORDS"].multilingual
    table = TABLE.append_column("WORDS", pa.array([[("en", "rough"), ("fr", "brut")], None, None], WORDS))
    file = write(table, tmp_path / "a.csv", structure=structure)
    assert read(file, structure=structure).table["WORDS"].to_pylist() == [None, None, [("en", "rough"), ("fr", "brut")]]


@pytest.mark.parametrize("name", ["a.csv", "a.xlsx", "a.json", "a.parquet"])
def test_several_values_and_languages_come_back_from_every_file(tmp_path, name):
    words = Component("WORDS", "attribute", "text", required=False, multilingual=True)
    tags = Component("TAGS", "attribute", "text", required=False, multiple=True)
    none = Component("NONE", "attribute", "text", required=False, multiple=True)
    structure = replace(STRUCTURE, components=(*STRUCTURE.components, words, tags, none))
    spoken = [[("en", "rough"), ("fr", 'un "mot"; brut')], None, [("fr", "autre")]]
    several = [["a;b", "c"], None, ["d"]]
    table = TABLE.append_column("WORDS", pa.array(spoken, WORDS)).append_column("TAGS", pa.array(several))
    again = read(write(table, tmp_path / name, structure=structure), structure=structure).table
    found = list(zip(again["AREA"].to_pylist(), again["WORDS"].to_pylist(), again["TAGS"].to_pylist(), strict=True))
    assert sorted(found, key=str) == sorted(zip(TABLE["AREA"].to_pylist(), spoken, several, strict=True), key=str)


def specific(*sets):
    return f"<StructureSpecificData>{''.join(sets)}</StructureSpecificData>".encode()


def test_parts_of_a_message_need_not_speak_of_the_same(monkeypatch):
    one = '<DataSet><Series A="x" U="kg"><Obs T="1"/></Series></DataSet>'
    two = '<DataSet><Obs A="y" T="2" N="1"/><Obs A="y" T="3"><Comp id="U"><Value>a</Value></Comp></Obs></DataSet>'
    found = read(specific(one, two)).table
    assert found.select(["A", "T", "U", "N"]).to_pylist() == [
        {"A": "x", "T": "1", "U": ["kg"], "N": None},
        {"A": "y", "T": "2", "U": None, "N": "1"},
        {"A": "y", "T": "3", "U": ["a"], "N": None},
    ]
    monkeypatch.setattr("statcommons.sdmx.reading.ml_parts.BLOCK", 64)
    series = (f'<Series A="{area}" {said}><Obs T="1"/></Series>' for area, said in (("x", ""), ("y", 'U="kg"')))
    found = read(specific(f"<DataSet>{''.join(series)}</DataSet>")).table
    assert [(one["A"], one["U"]) for one in found.to_pylist()] == [("x", None), ("y", "kg")]


@pytest.mark.parametrize("sets", [[], ["<DataSet/>"], ["<DataSet></DataSet>"]])
def test_a_message_without_data_is_an_empty_table_and_no_message(tmp_path, sets):
    assert read(specific(*sets)).table.num_rows == 0
    with pytest.raises(BadData, match="no rows"):
        read(specific(*sets), structure=write_structure(STRUCTURE, tmp_path / "s.xml"))
    (tmp_path / "a.xml").write_bytes(specific(*sets))
    with pytest.raises(BadData, match="no rows"):
        convert(tmp_path / "a.xml", tmp_path / "a.csv", structure=tmp_path / "s.xml")


def test_without_a_structure_all_is_text(tmp_path):
    file = write(TABLE, tmp_path / "a.csv", structure=STRUCTURE)
    table = read(file).table
    assert table["OBS_VALUE"].to_pylist() == ["1e-7", "0.1", "3"]
    assert set(table.schema.types) == {pa.string()}


def test_what_does_not_fit_is_not_written(tmp_path):
    twice = pa.concat_tables([TABLE, TABLE.slice(0, 1)])
    with pytest.raises(BadData, match="NA"):
        write(twice, tmp_path / "a.csv", structure=STRUCTURE)
    with pytest.raises(BadCall, match="does not tell a format"):
        write(TABLE, tmp_path / "a.txt", structure=STRUCTURE)
    assert list(tmp_path.iterdir()) == []


def test_a_message_of_structures_is_asked_for_one(tmp_path):
    file = write_structure(STRUCTURE, tmp_path / "s.xml", standard="2.1")
    assert structure_in(file).flow == FLOW
    assert structure_in(file, "SC:DSD_X(1.0)").flow == FLOW
    with pytest.raises(BadCall, match=r"no dataflow SC:DF_Y"):
        structure_in(file, "SC:DF_Y(1.0)")
    for name, format in (("s.json", ""), ("t.json", "json-2.1"), ("u.xml", "ml-3.0")):
        assert structure_in(convert(file, tmp_path / name, format=format)).key == STRUCTURE.key


def test_a_store_is_asked_in_python(tmp_path):
    store = opened(tmp_path / "store")
    first = load(store, [row("004", "2020", 1.0), row("NA", "2021", 2.0), row("NA", "2022", 3.0)])
    load(store, [row("004", "2020", 9.0)])
    assert store.query("SC:DF_X(1.0)", "A.NA", last=1)["OBS_VALUE"].to_pylist() == [3.0]
    assert store.query(FLOW, where={"OBS_VALUE": "ge:2+lt:9"}, end="2021")["AREA"].to_pylist() == ["NA"]
    assert store.query(FLOW, "A.004")["OBS_VALUE"].to_pylist() == [9.0]
    past = store.as_of(first.valid_from)
    assert past.query(FLOW, "A.004")["OBS_VALUE"].to_pylist() == [1.0]
    assert past.as_of(dt.datetime(2000, 1, 1, tzinfo=dt.UTC)).query(FLOW).num_rows == 0
    with pytest.raises(BadCall, match="NOWHERE"):
        store.query(FLOW, where={"NOWHERE": "1"})
