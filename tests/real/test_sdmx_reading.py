"""Official samples and goldens, read in every format to the same rows."""

from __future__ import annotations

import json

import duckdb
import pytest

from statcommons.core.errors import BadData
from statcommons.sdmx.reading import checked, read_rows

SLICES = [
    "csv-1.0.csv",
    "csv-2.0.csv",
    "csv-2.1.csv",
    *(
        f"{at}_ml-{form}.xml"
        for at in ("AllDimensions", "TIME_PERIOD")
        for form in ("2.1-generic", "2.1-structurespecific", "3.0", "3.1")
    ),
]
DATA = ("ng-", "rg-", "ECB_EXR_M", "ECB_EXR0", "INSEE_IPI-2010-A21.xml", "ESTAT_demography-xs")


def plain(rows) -> list[dict]:
    """Give rows as dictionaries without what is missing."""
    return [
        {name: value for name, value in one.items() if value is not None and name != "_row"}
        for batch in rows.batches
        for one in batch.to_pylist()
    ]


def alike(ours: dict, golden: dict) -> bool:
    """Tell whether a row has all that the golden has; peers know nothing of groups, and read numbers."""
    for name, value in golden.items():
        if value in (None, "") or name.startswith("_") or name == "xsi:type":
            continue
        mine = ours.get(name)
        if isinstance(value, float) or name == "OBS_VALUE":
            if mine is None or float(mine) != float(value):
                return False
        elif mine != value:
            return False
    return True


@pytest.fixture
def golden(shared):
    return json.loads(shared("sdmx/golden/sample_reads.json").read_text())


@pytest.mark.parametrize("name", SLICES)
def test_slices_are_the_same_22_observations_in_every_format(shared, name):
    wanted = shared("sdmx/fixture/DF_SDG_data.csv").read_text().splitlines()
    header = wanted[0].split(",")
    rows = [dict(zip(header, line.split(","), strict=True)) for line in wanted[1:]]
    wanted = [
        one
        for one in rows
        if one["SERIES"] == "IT_MOB_OWN" and one["REF_AREA"] in ("116", "4", "764") and one["URBANISATION"] == "_T"
    ]
    [found] = read_rows(shared(f"sdmx/golden/slice_IT_MOB_OWN_{name}"))
    assert found.structure == "UNGP:DF_SDG(1.0)"
    ours = sorted(plain(found), key=lambda one: sorted(one.items()))
    assert len(ours) == len(wanted) == 22
    assert ours == sorted(wanted, key=lambda one: sorted(one.items()))


def test_each_sample_of_sdmx_json_reads_to_its_golden(shared, golden):
    tried = 0
    for name, wanted in golden.items():
        if not name.startswith("json-"):
            continue
        tried += 1
        ours = []
        for number, one in enumerate(read_rows(shared(f"sdmx/samples/{name}"))):
            ours += [{"_dataset": number, "_action": one.action} | row for row in plain(one)]
        assert len(ours) == wanted["n"]
        for mine, its in zip(ours, wanted["rows"], strict=True):
            # The golden's reader takes the first index of a flat key for time where the structure has series, and
            # knows nothing of series left out: only the first data set of the constructed sample has series.
            if "constructed" in name and its["_dataset"] > 0:
                continue
            assert (mine["_dataset"], mine["_action"]) == (its["_dataset"], its["_action"])
            assert alike(mine, its), (name, mine, its)
    assert tried == 13


def test_a_flat_data_set_under_a_structure_with_series_has_all_dimensions(shared):
    sets = read_rows(shared("sdmx/samples/json-2.1/data--constructed-sample-full.json"))
    series, flat = plain(sets[0]), plain(sets[1])
    keys = ("CURRENCY", "TIME_PERIOD", "OBS_VALUE", "UNIT_MEAS")
    assert [[row[key] for key in keys] for row in flat] == [[row[key] for key in keys] for row in series]


def test_each_data_sample_of_sdmx_ml_reads_to_its_golden(shared, golden):
    tried = 0
    for name, wanted in golden.items():
        kind, _, file = name.partition("/")
        if not kind.startswith("xml") or not file.startswith(DATA) or "structure" in file:
            continue
        tried += 1
        [found] = read_rows(shared(f"sdmx/samples/{name}"))
        ours, pysdmx = plain(found), wanted["pysdmx-1.21"]["n_obs"]
        if file == "rg-xs.xml":  # pysdmx gives each observation four times
            pysdmx //= 4
        assert len(ours) == pysdmx
        if "rows" in wanted and file != "rg-xs.xml":
            for mine, its in zip(ours, wanted["rows"], strict=False):
                assert alike(mine, its), (name, mine, its)
    assert tried == 20


@pytest.mark.parametrize("grouped", ["rg", "ng"])
@pytest.mark.parametrize("form", ["flat", "flat-ss", "ts", "ts-ss", "xs", "xs-ss", "ts-gf", "ts-gf-ss"])
def test_the_same_data_in_every_arrangement_are_the_same_rows(shared, form, grouped):
    """Series, flat or cross-section; attributes at groups or at series; generic or structure-specific."""

    def read(name):
        [found] = read_rows(shared(f"sdmx/samples/xml-2.1/{name}.xml"))
        return sorted(sorted(one.items()) for one in plain(found))

    if (grouped, form) == ("rg", "xs"):  # this sample says 2010-08 of its third month, and has other values
        said = {name for row in read("ng-ts") for name, _ in row}
        assert [{name for name, _ in row} for row in read("rg-xs")] == [said] * 12
    else:
        assert read(f"{grouped}-{form}") == read("ng-ts")


def test_measures_that_are_explicit_are_the_dimension_that_they_stand_for(shared):
    [found] = read_rows(shared("sdmx/samples/xml-2.1/ESTAT_demography-xs.xml"))
    rows = plain(found)
    assert len(rows) == 60
    assert rows[0]["DEMO"] == "TFRNSI"
    assert {row["DEMO"] for row in rows} == {"TFRNSI", "LEXPNSIT", "LBIRTHST", "DEATHST"}


def test_a_message_with_a_footer_only_has_no_data_sets(shared):
    assert read_rows(shared("sdmx/samples/xml-2.1/ESTAT_footer.xml")) == []


def test_a_structure_message_is_no_data(shared):
    with pytest.raises(BadData, match="The message is a Structure, not one of data"):
        read_rows(shared("sdmx/samples/xml-2.1/ECB_EXR1-structure.xml"))


def test_each_sample_of_sdmx_csv_with_a_golden_reads_to_it(shared, golden):
    for name, wanted in golden.items():
        if name.startswith("csv-") and "rows" in wanted and "example-14" not in name:
            [found] = read_rows(shared(f"sdmx/samples/{name}"))
            ours = plain(found)
            its = [{key: value for key, value in row.items() if value != ""} for row in wanted["rows"]]
            assert [{key: row.get(key) for key in one} for row, one in zip(ours, its, strict=False)] == its


ODD = {
    "03": [{"OBS_VALUE1": "12.4", "OBS_VALUE2": "12.5", "DIM_1": "A"}, {"OBS_VALUE1": "10.8", "OBS_VALUE2": "10.9"}],
    "05": [{"DIM_1": "A", "DIM_3": "2014-01-01", "ATTR_2": "Y", "ATTR_3": "Normal, special and other values"}, {}],
    "07": [{"ATTR_1": ["Value X", "Value Y"], "ATTR_2": ["M, N & O", "P & Q"], "ATTR_3": ["A", "B", "C"]}, {}],
    "10": [{"_action": "Append", "ATTR_1": "X"}, {"_action": "Replace", "ATTR_1": "Y"}],
    "14": [
        {"COLLECTION.METHOD": [("en", "AAA"), ("fr", "BBB")], "CONTACT": ["Contact 1", "Contact 2"]},
        {"CONTACT": ["Contact 1", "Contact 2", "Contact 3"]},
    ],
    "16": [{"OBS_VALUE": "-", "DIM_3": "2014-01"}, {"ATTR_3": "-", "DIM_3": "2014-02"}],
    "18": [{"DIM_2": "A"}, {"DIM_2": "B", "DIM_3": "C"}],
    "19A": [{}],
}


@pytest.mark.parametrize("example", ODD)
def test_odd_examples_of_the_field_guide(shared, example):
    [found] = read_rows(shared(f"sdmx/samples/csv-2.0/example-{example}.csv"))
    rows = plain(found)
    assert len(rows) == len(ODD[example])
    for ours, wanted in zip(rows, ODD[example], strict=True):
        assert {key: ours.get(key) for key in wanted} == wanted
    assert found.action == (
        "Delete" if example in ("16", "18", "19A") else "Append" if example == "10" else "Information"
    )


def test_a_file_of_three_structures_is_three_sets_of_rows(shared):
    found = read_rows(shared("sdmx/samples/csv-2.0/example-09A.csv"))
    names = ["ESTAT:DF_NA_MAIN(1.6.0)", "ESTAT:DSD_NA_MAIN(1.7.0)", "ESTAT:DPA_NA_MAIN(1.8.0)"]
    assert [one.structure for one in found] == names
    [row] = plain(found[1])
    assert row["ATTR_1"] == [("en", 'Value "X"'), ("fr", 'Valeur "X"')]
    assert [batch["_row"].to_pylist() for one in found for batch in one.batches] == [[2], [3], [4]]


def test_a_px_file_has_its_codes(shared):
    [found] = read_rows(shared("sdmx/jsonstat/tab4_fewcells.px"))
    wanted = {"SECTOR": "7.0", "GREENHOUSEGAS": "CO2", "ContentsCode": "Emission", "TIME": "2017", "OBS_VALUE": "445"}
    assert plain(found) == [wanted]


def test_a_cube_with_too_few_values_is_refused(shared):
    """The golden of pyjstat lists the 22 values of a cube of 54 cells: which cell is whose cannot be known."""
    with pytest.raises(BadData, match="22 values and 54 cells"):
        read_rows(shared("sdmx/golden/slice_IT_MOB_OWN_jsonstat2_pyjstat.json"))


def test_the_fixture_is_right_by_its_structure(shared):
    structures = pytest.importorskip("statcommons.sdmx.structures.ml_reading")
    from statcommons.sdmx.structure import structure_of

    found = structures.read_structures_ml(shared("sdmx/fixture/DF_SDG_structure_sdmx-ml-2.1.xml"))
    by_ref = {one.ref: one for one in found}
    [flow] = [one.ref for one in found if one.kind == "dataflow"]
    structure = structure_of(by_ref.get, flow)
    rows = read_rows(shared("sdmx/fixture/DF_SDG_data.csv"), structure, mapping={"constants": {}})
    with duckdb.connect() as connection:
        good = checked(connection, rows, structure, constraints=[one for one in found if one.kind == "dataconstraint"])
        assert good.rows == 30_795
        total = connection.sql(
            "SELECT sum(OBS_VALUE), count(DISTINCT (SERIES, REF_AREA, SEX, AGE, URBANISATION)) FROM checked"
        )
        assert total.fetchone()[1] == 2_337
        spans = connection.sql("SELECT DISTINCT _start, _end FROM checked WHERE TIME_PERIOD = '2018'")
        assert [str(one) for one in spans.fetchone()] == ["2018-01-01 00:00:00", "2019-01-01 00:00:00"]
