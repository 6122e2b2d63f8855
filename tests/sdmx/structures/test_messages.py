"""Structures are written and read back the same, in every version of SDMX-ML and SDMX-JSON that can say them."""

import io
import json
import string
from dataclasses import replace

import pytest
import sdmx
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree
from pysdmx.io import read_sdmx
from sdmx_structures import (
    ACTUAL,
    ALLOWED,
    AREAS,
    CATEGORIES,
    CONCEPT_CODED,
    CONCEPTS,
    EVERYTHING,
    EXTENDED,
    FLOW,
    FORMS,
    FREQUENCIES,
    HEADER,
    HIERARCHY,
    MANY,
    NOTE,
    ONLY_NEW,
    SEXES,
    STRUCTURE,
    VALUES,
    attribute,
    faults,
)

from statcommons.core.errors import BadCall, BadData
from statcommons.sdmx.model import Item, Scheme
from statcommons.sdmx.structures import read_structures
from statcommons.sdmx.structures.json import keep_structures, write_structures_json
from statcommons.sdmx.structures.ml import write_structures_ml

OLD, NEWEST = [("ml", "2.1"), ("json", "1.0")], [("ml", "3.1"), ("json", "2.1")]
NEW = [form for form in FORMS if form not in OLD]


def write(artefacts, form, languages=()):
    family, standard = form
    if family == "ml":
        return write_structures_ml(artefacts, standard, HEADER)
    return write_structures_json(artefacts, standard, HEADER, languages)


def by_ref(artefacts):
    return {one.ref: one for one in artefacts}


@pytest.mark.parametrize("form", FORMS, ids=" ".join)
def test_every_kind_comes_back_as_it_was(form):
    message = write(EVERYTHING, form)
    given = by_ref(EVERYTHING)
    if form in NEWEST:  # what is there has the identity of what it is about
        nameless = replace(
            given.pop(ACTUAL.ref), id="DF", name={}, annotations=(NOTE, *reversed(ACTUAL.annotations[:2]))
        )
        given |= {nameless.ref: nameless}
    assert by_ref(read_structures(message)) == given
    assert message == write(EVERYTHING, form)


@pytest.mark.parametrize("form", FORMS, ids=" ".join)
def test_what_is_written_obeys_the_schema(form):
    # The schema of SDMX-ML 3.0 takes no parent that begins with a digit, or a place without a parent's codes.
    assert faults(write(EVERYTHING, form), form) == []


@pytest.mark.parametrize("form", NEW, ids=" ".join)
def test_what_sdmx_3_brought_comes_back_and_obeys_the_schema(form):
    message = write(ONLY_NEW, form)
    assert by_ref(read_structures(message)) == by_ref(ONLY_NEW)
    assert faults(message, form) == []


@pytest.mark.parametrize("form", OLD, ids=" ".join)
def test_what_sdmx_3_brought_is_refused_in_2_1(form):
    for one, what in (
        (MANY, "PRICE, COUNT.*Write SDMX 3.0"),
        (VALUES, "no value lists"),
        (EXTENDED, "extend others.*detail=full"),
    ):
        with pytest.raises(BadCall, match=what):
            write([one], form)


@pytest.mark.parametrize("form", OLD, ids=" ".join)
def test_a_measure_dimension_keeps_its_place(form):
    message = write([CONCEPT_CODED], form)
    assert read_structures(message) == (CONCEPT_CODED,)
    assert faults(message, form) == []


@pytest.mark.parametrize("form", NEW, ids=" ".join)
def test_a_measure_dimension_is_refused_in_sdmx_3(form):
    with pytest.raises(BadCall, match=r"UN:DSD_OLD\(1\.0\).*measure dimension as WHAT"):
        write([CONCEPT_CODED], form)


@pytest.mark.parametrize("form", NEWEST, ids=" ".join)
def test_what_is_there_is_said_of_one_thing_in_one_region(form):
    with pytest.raises(BadCall, match="one flow and in one region"):
        write([replace(ACTUAL, regions=ACTUAL.regions * 2)], form)


@pytest.mark.parametrize("form", FORMS, ids=" ".join)
def test_a_final_version_is_said_where_the_standard_knows_it(form):
    final = replace(AREAS, is_final=True)
    assert read_structures(write([final], form)) == (final if form in OLD else AREAS,)


@pytest.mark.parametrize("form", FORMS, ids=" ".join)
def test_an_empty_answer_is_a_message_too(form):
    assert faults(write([], form), form) == []
    with pytest.raises(BadData, match="no structure"):
        read_structures(write([], form))


@pytest.mark.parametrize("form", FORMS, ids=" ".join)
def test_an_unknown_version_is_refused(form):
    with pytest.raises(BadCall, match=r"'9\.9'"):
        write([AREAS], (form[0], "9.9"))


def test_what_has_no_name_is_called_by_its_id():
    bare = Scheme("codelist", "UN", "CL", items=(Item("A"),))
    for form in FORMS:
        message = write([bare], form)
        assert faults(message, form) == []
        [read] = read_structures(message)
        assert [code.id for code in read.items] == ["A"]


def test_a_reader_of_json_sees_the_words_of_his_language():
    [codes] = json.loads(write([SEXES], ("json", "2.0"), ["fr-CH", "en"]))["data"]["codelists"]
    assert (codes["name"], codes["names"]["en"]) == ("Sexe « élargi »", "Sex & <age>")
    assert [one["name"] for one in codes["codes"]] == ["Sexe « élargi »", "Male"]


@pytest.mark.parametrize(
    ("languages", "spoken"), [(["fr-CH", "km"], ["fr", "en"]), (["km"], ["en", "fr"]), ([], ["en", "fr"])]
)
@pytest.mark.parametrize("form", [form for form in FORMS if form[0] == "json"], ids=" ".join)
def test_json_names_the_languages_that_it_speaks(form, languages, spoken):
    codes = Scheme("codelist", "UN", "CL", name={"fr": "Sexe", "en": "Sex"}, items=(Item("F", {"en": "Female"}),))
    assert json.loads(write([codes], form, languages))["meta"]["contentLanguages"] == spoken


def test_attributes_in_a_constraint_are_told_from_dimensions_where_the_structure_is_there():
    for several, expected in (((ALLOWED, STRUCTURE), ["Component"]), ((ALLOWED,), [])):
        root = etree.fromstring(write_structures_ml(several, "3.0", HEADER))
        assert [etree.QName(one).localname for one in root.iter("{*}Component")] == expected


def test_a_sign_that_xml_cannot_hold_is_named():
    with pytest.raises(BadData, match=r"UN:CL\(1\.0\)"):
        write_structures_ml([Scheme("codelist", "UN", "CL", name={"en": "\x00"})], "2.1", HEADER)


def test_what_is_kept_loses_nothing():
    old = replace(
        CONCEPT_CODED,
        components=(
            *CONCEPT_CODED.components,
            attribute("SOURCE", attachment="series", dimensions=("AREA",), group="Sibling"),
        ),
    )
    everything = (*EVERYTHING, *ONLY_NEW, old, Scheme("codelist", "UN", "BARE", is_final=True, items=(Item("A"),)))
    read = by_ref(read_structures(keep_structures(everything, HEADER)))
    assert read == by_ref(everything)


TEXTS = st.dictionaries(
    st.sampled_from(["en", "fr", "ar", "zh-Hans"]),
    st.text(st.characters(exclude_categories=["Cs", "Cc", "Cn"]), min_size=1),
    min_size=1,
)
CODES = st.lists(st.text(string.ascii_letters + string.digits + "_-@$", min_size=1), min_size=1, unique=True)


@given(CODES, st.data(), st.sampled_from(FORMS))
def test_any_code_list_comes_back_as_it_was(codes, data, form):
    items = [
        Item(code, data.draw(TEXTS), parent=data.draw(st.sampled_from(["", *codes[:place]])))
        for place, code in enumerate(codes)
    ]
    given = Scheme("codelist", "UN", "CL", name=data.draw(TEXTS), items=tuple(items), partial=data.draw(st.booleans()))
    assert read_structures(write([given], form)) == (given,)


# --- what others read -----------------------------------------------------------------------------------------------

NOT_SDMX1 = ("hierarchy", "dataconstraint", "dataproviderscheme", "dataconsumerscheme", "organisationunitscheme")


@pytest.mark.parametrize("standard", ["2.1", "3.0"])
def test_sdmx1_reads_what_we_write(standard):
    # It knows no organisation units; in 3.0 no organisations but agencies, no attribute of a dataflow or a group.
    given = [one for one in EVERYTHING if one.kind not in NOT_SDMX1 and one.kind != "provisionagreement"]
    if standard == "3.0":
        known = tuple(one for one in STRUCTURE.components if one.id not in ("UNIT", "NOTE"))
        given = [replace(one, components=known) if one == STRUCTURE else one for one in given]
    message = sdmx.read_sdmx(io.BytesIO(write_structures_ml(given, standard, HEADER)))
    assert set(message.codelist["CL_AREA"].items) == {"W", "A142", "004", "NA", "1E5"}
    assert message.codelist["CL_AREA"].items["004"].parent.id == "A142"
    structure = message.structure["DSD"]
    assert [one.id for one in structure.dimensions.components] == ["FREQ", "AREA", "SEX", "TIME_PERIOD"]
    assert structure.dimensions.get("AREA").local_representation.enumerated is message.codelist["CL_AREA"]
    assert message.dataflow["DF"].structure is structure
    assert [one.id for one in message.category_scheme["TOPICS"].items["ECO"].child] == ["PRICES"]


@pytest.mark.parametrize("form", FORMS[:3] + FORMS[4:], ids=" ".join)
def test_pysdmx_reads_what_we_write(form):
    # It wants all that is referred to in the message, and its hierarchies to name codes that it can find.
    given = (FREQUENCIES, SEXES, AREAS, CONCEPTS, STRUCTURE, FLOW, CATEGORIES)
    read = {one.id: one for one in read_sdmx(write(given, form).decode(), validate=True).structures}
    assert set(read) == {one.id for one in given}
    assert {code.id for code in read["CL_AREA"].codes} == {"W", "A142", "004", "NA", "1E5"}
    components = {one.id: one for one in read["DSD"].components}
    assert list(components) == [one.id for one in STRUCTURE.components]
    assert [components[id].attachment_level for id in ("UNIT", "STATUS", "SOURCE")] == ["D", "O", "AREA,SEX"]


@pytest.mark.parametrize("form", [("ml", "2.1"), ("ml", "3.0"), ("json", "2.0")], ids=" ".join)
def test_pysdmx_reads_our_constraints(form):
    [read] = read_sdmx(write([ALLOWED], form).decode(), validate=True).structures
    [included, excluded] = read.cube_regions
    values = {one.id: [value.value for value in one.values] for one in included.key_values}
    assert values["AREA"] == ["A142", "NA"]
    assert (included.is_included, excluded.is_included) == (True, False)


def test_pysdmx_reads_our_hierarchies():
    read = {one.id: one for one in read_sdmx(write([AREAS, HIERARCHY], ("json", "2.0")).decode()).structures}
    [top] = read["H"].codes
    assert (top.id, [below.id for below in top.codes]) == ("W", ["004"])


def test_sdmx1_reads_our_constraints_and_hierarchies():
    # It knows no range of time with one end.
    given = (FREQUENCIES, SEXES, AREAS, CONCEPTS, STRUCTURE, FLOW, ALLOWED, HIERARCHY)
    message = sdmx.read_sdmx(io.BytesIO(write_structures_ml(given, "2.1", HEADER)))
    included, excluded = message.constraint["ALLOWED"].data_content_region
    assert [one.included for one in (included, excluded)] == ["true", "false"]
    chosen = {dimension.id: selection for dimension, selection in included.member.items()}
    assert {one.value for one in chosen["AREA"].values} == {"A142", "NA"}
    assert message.hierarchical_codelist["H"].hierarchy[0].codes["TOP"].code.id == "W"
