"""SDMX-CSV has the columns, labels, keys and actions of its field guides."""

from __future__ import annotations

import datetime

import pytest
from sdmx_made import AREA, AREAS, FREQ, HEADER, ROWS, SEX, TIME, UNIT, VALUE, component, data_set, structure

from statcommons.core.errors import BadCall
from statcommons.sdmx.formats import FORMATS, Options

SMALL = structure(FREQ, AREA, TIME, VALUE, UNIT, id="SMALL")
TWO = [("A", "116", "2018", 1.5, "PT"), ("A", "764", "2019", None, "NR")]


def lines(name: str, *sets, **options) -> list[str]:
    return b"".join(FORMATS[name].write(sets, HEADER, Options(**options))).decode().splitlines()


def test_version_1():
    assert lines("csv-1.0", data_set(SMALL, TWO)) == [
        "DATAFLOW,FREQ,REF_AREA,TIME_PERIOD,OBS_VALUE,UNIT_MEASURE",
        "SC:DF_SMALL(1.0),A,116,2018,1.5,PT",
        "SC:DF_SMALL(1.0),A,764,2019,,NR",
    ]


def test_version_1_has_labels_but_of_the_measure():
    assert lines("csv-1.0", data_set(SMALL, TWO), labels="both", languages=("fr",)) == [
        "DATAFLOW,FREQ: freq,REF_AREA: Zone,TIME_PERIOD: Période,OBS_VALUE,UNIT_MEASURE: unit_measure",
        "SC:DF_SMALL(1.0): Zones et sexes,A: Annual (fr),116: Cambodia (fr),2018,1.5,PT: Percent (fr)",
        'SC:DF_SMALL(1.0): Zones et sexes,A: Annual (fr),"764: Thailand, Kingdom of (fr)",2019,,NR: Number (fr)',
    ]


def test_version_2_with_names_and_keys():
    assert lines("csv-2.0", data_set(SMALL, TWO), labels="name", keys="both") == [
        "STRUCTURE,STRUCTURE_ID,STRUCTURE_NAME,ACTION,SERIES_KEY,OBS_KEY,FREQ,Freq,REF_AREA,Reference area,"
        "TIME_PERIOD,Time period,OBS_VALUE,Observation value,UNIT_MEASURE,Unit measure",
        "dataflow,SC:DF_SMALL(1.0),Areas & sexes,I,A.116,A.116.2018,A,Annual,116,Cambodia,2018,,1.5,,PT,Percent",
        "dataflow,SC:DF_SMALL(1.0),Areas & sexes,I,A.764,A.764.2019,A,Annual,764,"
        '"Thailand, Kingdom of",2019,,,,NR,Number',
    ]


@pytest.mark.parametrize(("at", "key"), [("TIME_PERIOD", "A.116"), ("REF_AREA", "A.2018"), ("AllDimensions", "A.116")])
def test_the_key_of_a_series_has_no_dimension_of_the_observation(at, key):
    [_, first, _] = lines("csv-2.1", data_set(SMALL, TWO, at=at), keys="series")
    assert first.split(",")[3] == key


@pytest.mark.parametrize(
    ("name", "action", "letter"),
    [
        ("csv-2.0", "Information", "I"),
        ("csv-2.0", "Append", "A"),
        ("csv-2.0", "Replace", "R"),
        ("csv-2.0", "Merge", "M"),
        ("csv-2.0", "Delete", "D"),
        ("csv-2.1", "Information", "M"),
        ("csv-2.1", "Append", "M"),
        ("csv-2.1", "Replace", "R"),
        ("csv-2.1", "Delete", "D"),
    ],
)
def test_actions(name, action, letter):
    [_, first, _] = lines(name, data_set(SMALL, TWO, action=action))
    assert first.split(",")[2] == letter


def test_several_dataflows_have_their_columns_in_turn():
    other = structure(
        FREQ, SEX, TIME, VALUE, component("LOWER", "measure", "integer"), component("NOTE", "attribute"), id="OTHER"
    )
    assert lines("csv-2.0", data_set(SMALL, TWO[:1]), data_set(other, [("A", "F", "2018", 2.0, 1, "n")])) == [
        "STRUCTURE,STRUCTURE_ID,ACTION,FREQ,REF_AREA,TIME_PERIOD,SEX,OBS_VALUE,LOWER,UNIT_MEASURE,NOTE",
        "dataflow,SC:DF_SMALL(1.0),I,A,116,2018,,1.5,,PT,",
        "dataflow,SC:DF_OTHER(1.0),I,A,,2018,F,2,1,,n",
    ]
    with pytest.raises(BadCall, match="one structure"):
        lines("csv-1.0", data_set(SMALL, TWO[:1]), data_set(other, []))


def test_several_values():
    made = structure(FREQ, AREA, TIME, VALUE, component("NOTES", "attribute", multiple=True), id="MANY")
    rows = [
        ("A", "116", "2018", 1.5, ["X", "Y"]),
        ("A", "116", "2019", 1.5, ['said "so"; or not', "M, N"]),
        ("A", "4", "2018", 1.5, []),
    ]
    assert [line.split(",", 7)[-1] for line in lines("csv-2.0", data_set(made, rows))] == [
        "NOTES[]",
        "X;Y",
        '"""said """"so""""; or not"";M, N"',
        "",
    ]
    assert lines("csv-2.0", data_set(made, rows))[0].startswith("STRUCTURE[;],")


def test_history_has_a_column():
    moment = datetime.datetime(2026, 1, 2, 12, tzinfo=datetime.UTC)
    told = lines("csv-2.0", data_set(SMALL, TWO[:1], valid_from=moment), data_set(SMALL, TWO[1:]))
    assert [line.rpartition(",")[2] for line in told] == ["VALID_FROM", "2026-01-02T12:00:00Z", ""]


@pytest.mark.parametrize(
    ("periods", "normalized"),
    [
        (["2018", "2018-Q3", "2018-11-05"], ["2018-01-01", "2018-07-01", "2018-11-05"]),
        (["2018", "2018-01-01T06:30:00"], ["2018-01-01T00:00:00", "2018-01-01T06:30:00"]),
    ],
)
def test_normalized_time(periods, normalized):
    rows = [("A", "116", period, 1.0, "PT") for period in periods]
    told = lines("csv-2.0", data_set(SMALL, rows), time_format="normalized")
    assert [line.split(",")[5] for line in told[1:]] == normalized


def test_series_alone():
    told = lines("csv-2.0", data_set(SMALL, TWO, observations=False))
    assert told[1:] == ["dataflow,SC:DF_SMALL(1.0),I,A,116,,,PT", "dataflow,SC:DF_SMALL(1.0),I,A,764,,,NR"]


def test_texts_are_quoted_only_where_they_must_be():
    rows = [(*ROWS[0][:-1], text) for text in ["plain", "a,b", 'a"b', "a\nb", "a\rb", " space ", "é;'"]]
    rows = [(*row[:3], str(2000 + place), *row[4:]) for place, row in enumerate(rows)]
    made = b"".join(FORMATS["csv-2.0"].write([data_set(AREAS, rows)], HEADER, Options())).decode()
    for text in ("plain", '"a,b"', '"a""b"', '"a\nb"', '"a\rb"', " space ", "é;'"):
        assert f",{text}\n" in made


def test_no_data_sets():
    assert lines("csv-1.0") == ["DATAFLOW"]
    assert lines("csv-2.0") == ["STRUCTURE,STRUCTURE_ID,ACTION"]
