"""An export of the SDG database is read with all that it says, and never a number that it does not say."""

import pytest

from statcommons.core.errors import BadData
from statcommons.sdmx.query.data import DataQuery
from statcommons.sdmx.sdg.loading import load_sdg
from statcommons.sdmx.sdg.unsd import read_unsd, unsd_structure
from statcommons.sdmx.store import Store

HEAD = (
    "Goal,Target,Indicator,SeriesCode,SeriesDescription,GeoAreaCode,GeoAreaName,TimePeriod,Value,Time_Detail,"
    "UpperBound,Source,FootNote,[Age],[Type of skill],[Cities],[Nature],[Units]"
)


def export(*lines, head=HEAD):
    return "\n".join([head, *lines, ""]).encode()


def line(value="1.5", *, area="4", year="2020", series="SI_POV_DAY1", indicator="1.1.1", age="<5Y", skill="", city=""):
    place = f"1,1.1,{indicator},{series},Share of people (%)"
    return f'{place},{area},"Area, {area}",{year},{value},2019,9,"A ""source""",Note,{age},{skill},{city},C,PERCENT'


def rows(*lines, **how):
    return [row for batch in read_unsd(export(*lines, **how)).rows.batches for row in batch.to_pylist()]


def names(found, component):
    structure = found.structure
    return {item.id: item.name["en"] for item in structure.codes(structure[component])}


def test_each_column_finds_its_component():
    [row] = rows(line(skill="EPRG", city="ACCRA"))
    assert row == {
        "FREQ": "A",
        "REPORTING_TYPE": "_T",
        "SERIES": "SI_POV_DAY1",
        "REF_AREA": "4",
        "SEX": "_T",
        "AGE": "LT5Y",
        "URBANISATION": "_T",
        "INCOME_WEALTH_QUANTILE": "_T",
        "EDUCATION_LEV": "_T",
        "OCCUPATION": "_T",
        "DISABILITY_STATUS": "_T",
        "ACTIVITY": "_T",
        "PRODUCT": "_T",
        "COMPOSITE_BREAKDOWN": "CITIES-ACCRA@TYPE_OF_SKILL-EPRG",
        "UNIT_MEASURE": "PERCENT",
        "NATURE": "C",
        "OBS_STATUS": None,
        "TIME_PERIOD": "2020",
        "OBS_VALUE": "1.5",
        "VALUE_TEXT": None,
        "TIME_DETAIL": "2019",
        "UPPER_BOUND": "9",
        "SOURCE_DETAIL": 'A "source"',
        "COMMENT_OBS": "Note",
        "_row": 2,
    }


@pytest.mark.parametrize("lines", [[line(skill=""), line(skill="X", year="2021")], [line(), line(year="2021")]])
def test_rows_without_a_breakdown_stay_beside_those_with_one(lines):
    assert len(rows(*lines)) == 2


def test_codes_are_text_and_keep_their_names():
    found = read_unsd(export(line(area="004", age="<5Y"), line(area="NA", age="65+", year="2021")))
    assert names(found, "REF_AREA") == {"004": "Area, 004", "NA": "Area, NA"}
    assert names(found, "AGE") == {"LT5Y": "<5Y", "65PLUS": "65+", "_T": "Total, or no breakdown"}
    assert names(found, "SERIES") == {"SI_POV_DAY1": "Share of people (%)"}


def test_an_area_that_became_a_number_is_told():
    with pytest.raises(BadData, match=r"\(bytes\): .*such as '116\.0'\. Write 116;"):
        read_unsd(export(line(area="4"), line(area="116.0")))


def test_two_codes_never_become_one():
    with pytest.raises(BadData, match=r"'A B' and 'A_B' of AGE would both have the id A_B|'A_B' and 'A B'"):
        read_unsd(export(line(age="A B"), line(age="A_B")))


@pytest.mark.parametrize(
    ("value", "number", "text", "status"),
    [
        ("1.5", "1.5", None, None),
        ("", None, None, "O"),
        ("NaN", None, None, "O"),
        ("N", None, None, "O"),
        ("<2.5", None, "<2.5", "O"),
        (">95", None, ">95", "O"),
        ("1e-3", "1e-3", None, None),
    ],
)
def test_what_is_no_number_never_becomes_one(value, number, text, status):
    [row] = rows(line(value))
    assert (row["OBS_VALUE"], row["VALUE_TEXT"], row["OBS_STATUS"]) == (number, text, status)


def test_what_is_no_number_is_told():
    found = read_unsd(export(line(""), line("NaN", year="2019"), line("<2.5", year="2018"), line("<1", year="2017")))
    assert found.notes == (
        "2 observations have no number: OBS_VALUE is empty.",
        "2 values are bounds, such as '<2.5': they stand in VALUE_TEXT, without a number.",
    )


def test_a_row_of_several_indicators_comes_once():
    found = read_unsd(
        export(
            line(series="VC_DSR_DAFF", indicator="1.5.1"),
            line(series="VC_DSR_DAFF", indicator="11.5.1"),
            line(series="VC_DSR_DAFF", indicator="13.1.1"),
            line(series="VC_DSR_DAFF", indicator="13.1.1", year="2021"),
        )
    )
    assert [row["_row"] for batch in found.rows.batches for row in batch.to_pylist()] == [2, 5]
    assert found.notes == ("2 rows come again under another indicator, and have been left out.",)


def test_which_series_have_several_indicators_is_read_from_the_file():
    found = read_unsd(export(line(series="XX_NEW", indicator="1.1.1"), line(series="XX_NEW", indicator="1.2.1")))
    assert [batch.num_rows for batch in found.rows.batches] == [1]


def test_blanks_around_a_code_are_no_part_of_it():
    found = read_unsd(export(line(age=" 15+"), line(age="15+ ", year="2021"), line(age=" ", year="2022")))
    assert [row["AGE"] for batch in found.rows.batches for row in batch.to_pylist()] == ["15PLUS", "15PLUS", "_T"]
    assert set(names(found, "AGE")) == {"15PLUS", "_T"}


def test_what_differs_or_repeats_under_one_indicator_is_left_to_the_check(tmp_path):
    store = Store(tmp_path / "store")
    differs = export(line("1", series="VC_DSR_DAFF"), line("2", series="VC_DSR_DAFF", indicator="11.5.1"))
    with pytest.raises(BadData, match=r"must be a key.*row 3") as told:
        load_sdg(store, differs)
    assert told.value.causes[0].rows == 2
    for twice in (line(), line(series="VC_DSR_DAFF", indicator="1.5.1")):
        with pytest.raises(BadData, match="must be a key"):
            load_sdg(store, export(twice, twice))
    assert not store.availability(DataQuery(unsd_structure().flow)).observations


def test_every_fault_is_told_with_its_row(tmp_path):
    bad = export(line("1,5".replace(",", ";")), line(year="20x0"), line(area="", year="2001"))
    with pytest.raises(BadData) as told:
        load_sdg(Store(tmp_path / "store"), bad)
    assert {(cause.where.partition(", ")[2], cause.value) for cause in told.value.causes} >= {
        ("row 2, column OBS_VALUE", "1;5"),
        ("row 3, column TIME_PERIOD", "20x0"),
    }
    assert any("REF_AREA" in cause.rule for cause in told.value.causes)


def test_an_export_without_rows_is_told(tmp_path):
    with pytest.raises(BadData, match="no rows"):
        load_sdg(Store(tmp_path / "store"), export())


def test_bad_rows_can_be_set_aside(tmp_path):
    done = load_sdg(Store(tmp_path / "store"), export(line("x"), line(year="2021")), on_bad_rows="set_aside")
    assert (done.rows, done.changed.added, done.set_aside["row"].to_pylist()) == (1, 1, [2])


@pytest.mark.parametrize(
    ("head", "what"),
    [
        ("SeriesCode,GeoAreaCode,TimePeriod", "no column for OBS_VALUE"),
        ("a,b", "no column for SERIES, REF_AREA, TIME_PERIOD, OBS_VALUE"),
        ("SeriesCode,Series,GeoAreaCode,TimePeriod,Value", "say the same"),
        ("STRUCTURE,STRUCTURE_ID,SERIES", "message of SDMX"),
    ],
)
def test_other_files_are_refused(head, what):
    with pytest.raises(BadData, match=what):
        read_unsd(export(",".join("x" for _ in head.split(",")), head=head))


def test_parquet_and_csv_say_the_same(tmp_path):
    import pyarrow as pa
    from pyarrow import parquet

    parquet.write_table(
        pa.table(
            {
                "SERIES": ["SI_POV_DAY1", "SI_POV_DAY1"],
                "GEO_AREA": pa.array([4, 8], pa.int32()),
                "YEAR": pa.array([2020, 2020], pa.int32()),
                "SEX": ["FEMALE", None],
                "AGE": ["<5Y", None],
                "LOCATION": pa.array([None, None], pa.string()),
                "DIMENSIONS": ["age=<5Y|cities=ACCRA|sex=FEMALE", ""],
                "UNITS": ["PERCENT", "PERCENT"],
                "NATURE": ["C", "C"],
                "VALUE": [1.5, None],
            }
        ),
        tmp_path / "export.parquet",
    )
    packed = [row for batch in read_unsd(tmp_path / "export.parquet").rows.batches for row in batch.to_pylist()]
    head = "SeriesCode,GeoAreaCode,TimePeriod,Value,[Sex],[Age],[Cities],[Units],[Nature]"
    lines = ["SI_POV_DAY1,4,2020,1.5,FEMALE,<5Y,ACCRA,PERCENT,C", "SI_POV_DAY1,8,2020,,,,,PERCENT,C"]
    plain = rows(*lines, head=head)
    assert [one | {"_row": 0} for one in packed] == [one | {"_row": 0} for one in plain]


def test_a_workbook_says_the_same_as_csv(tmp_path):
    import csv

    import xlsxwriter

    cells = list(csv.reader([HEAD, line(area="004"), line("<2.5", year="2021", city="ACCRA")]))
    book = xlsxwriter.Workbook(tmp_path / "export.xlsx")
    sheet = book.add_worksheet()
    for place, row in enumerate(cells):
        sheet.write_row(place, 0, row)
        if place:
            sheet.write_number(place, HEAD.split(",").index("TimePeriod"), int(row[7]))
    book.close()
    found = [row for batch in read_unsd(tmp_path / "export.xlsx").rows.batches for row in batch.to_pylist()]
    assert found == rows(line(area="004"), line("<2.5", year="2021", city="ACCRA"))


# --- in a store -----------------------------------------------------------------------------------------------------


def test_a_second_export_with_other_columns_goes_to_the_same_flow(tmp_path):
    store = Store(tmp_path / "store")
    load_sdg(store, export(line(city="ACCRA")))
    head = "SeriesCode,GeoAreaCode,TimePeriod,Value,[Sex]"
    done = load_sdg(store, export("SH_DYN_MORT,8,2021,7,FEMALE", head=head))
    found = store.availability(DataQuery(done.flow))
    assert found.values["SERIES"] == ("SH_DYN_MORT", "SI_POV_DAY1")
    codes = {item.id: item.name["en"] for item in store.structure(done.flow).codes(store.structure(done.flow)["AGE"])}
    assert codes == {"LT5Y": "<5Y", "_T": "Total, or no breakdown"}
    assert store.artefacts.find(next(one.ref for one in store.artefacts if one.id == "CL_SDG"))


def test_a_number_that_was_taken_back_goes(tmp_path):
    store = Store(tmp_path / "store")
    load_sdg(store, export(line("1.5")))
    done = load_sdg(store, export(line("<2.5")))
    [one] = store.select(DataQuery(done.flow)).data_sets()
    [observation] = [row for batch in one.observations for row in batch.to_pylist()]
    assert (observation["OBS_VALUE"], observation["VALUE_TEXT"]) == (None, "<2.5")
