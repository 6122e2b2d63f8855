"""What comes in is read for what it is, and what is wrong with it is told with its place."""

import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sdmx_structures import AREAS, EVERYTHING, HEADER

from statcommons.core.errors import BadData, NoInput
from statcommons.core.quality import collecting
from statcommons.sdmx.model import Ref, Region
from statcommons.sdmx.structures import read_structures
from statcommons.sdmx.structures.json import write_structures_json
from statcommons.sdmx.structures.ml import write_structures_ml

SPACES = " ".join(
    f'xmlns:{prefix}="http://www.sdmx.org/resources/sdmxml/schemas/v2_1/{name}"'
    for prefix, name in (("mes", "message"), ("str", "structure"), ("com", "common"))
)


def ml(inside):
    return (
        f"<mes:Structure {SPACES}>\n<mes:Header/>\n<mes:Structures>{inside}</mes:Structures></mes:Structure>".encode()
    )


def message(**groups):
    return json.dumps({"meta": {"contentLanguages": ["fr"]}, "data": groups}).encode()


def codelist(inside, said='id="CL" agencyID="UN"'):
    return ml(f"<str:Codelists>\n<str:Codelist {said}>{inside}</str:Codelist></str:Codelists>")


def code(id):
    return f'<str:Code><Ref agencyID="UN" maintainableParentID="CL" id="{id}"/></str:Code>'


def place(id, inside):
    return f"<str:HierarchicalCode id='{id}'>{inside}</str:HierarchicalCode>"


def hierarchical_codelist(inside):
    head = '<str:HierarchicalCodelist id="HCL" agencyID="UN" version="3.0"><com:Name>All</com:Name>'
    codes = f"{head}{inside}</str:HierarchicalCodelist>"
    return ml(f"<str:HierarchicalCodelists>{codes}</str:HierarchicalCodelists>")


def region(inside, **said):
    attributes = " ".join(f'{name}="{value}"' for name, value in said.items())
    return f"""<str:Constraints><str:ContentConstraint id="C" agencyID="UN">
        <str:CubeRegion {attributes}>{inside}</str:CubeRegion></str:ContentConstraint></str:Constraints>"""


CODELIST = '<str:Codelists><str:Codelist id="CL" agencyID="UN"/></str:Codelists>'


# --- what it is -----------------------------------------------------------------------------------------------------


def test_the_format_is_found_by_content(tmp_path):
    for name, written in (
        ("areas.txt", write_structures_ml([AREAS], "3.0", HEADER)),
        ("areas.xml", write_structures_json([AREAS], "2.0", HEADER)),
        ("bom.json", b"\xef\xbb\xbf\n" + write_structures_json([AREAS], "1.0", HEADER)),
    ):
        (tmp_path / name).write_bytes(written)
        assert read_structures(tmp_path / name) == read_structures(str(tmp_path / name)) == (AREAS,)


def test_other_encodings_of_xml_are_read():
    text = write_structures_ml([AREAS], "2.1", HEADER).decode()
    for encoding in ("utf-16", "utf-8-sig"):
        again = text.replace("encoding='UTF-8'", f"encoding='{encoding.removesuffix('-sig')}'").encode(encoding)
        assert read_structures(again) == (AREAS,)


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(NoInput, match=r"none\.xml"):
        read_structures(tmp_path / "none.xml")


@pytest.mark.parametrize(
    ("sent", "told"),
    [
        (b"", "neither XML nor JSON"),
        (b"FREQ,AREA\nA,1", "neither XML nor JSON"),
        (b"<html/>", r"line 1: This is not a structure message.*html"),
        (b"<GenericData/>", "GenericData"),
        (ml("").replace(b"v2_1", b"v2_0"), "not a structure message of SDMX-ML 2.1 or 3"),
        (ml(""), "no structure"),
        (ml(CODELIST)[:-30], r"line 3: The XML cannot be read"),
        (codelist("", "id='CL'"), r"line 4: Codelist has no agencyID"),
        (codelist("", "id='CL' agencyID='UN' version='new'"), "line 4: 'new' is not a version"),
        (message(codelists=[{"id": "CL", "agencyID": "UN", "version": "new"}]), "CL: 'new' is not a version"),
        (codelist("\n<str:Code/>"), "line 5: Code has no id"),
        (
            codelist("<str:CodelistExtension><str:Codelist>\nnone</str:Codelist></str:CodelistExtension>"),
            "'none' is not",
        ),
        (b"<!DOCTYPE a>\n" + ml(CODELIST), "line 1: There is a document type declaration"),
        (ml(CODELIST).replace(b"<mes", b"<?xml version='1.0' encoding='odd'?><mes", 1), "unknown encoding: odd.*UTF-8"),
        (b"<?xml version='1.0' encoding='gb2312'?><!DOCTYPE a><a/>", "multi-byte.*UTF-8"),
        (b"{", "line 1: The JSON cannot be read"),
        (message(codelists=[{"id": "CL"}])[:-10], "The JSON cannot be read"),
        (b'{\n"data": {\n"codelists": [}}', "line 3: The JSON cannot be read"),
        (b"{}", "no part called data"),
        (b'{"data": []}', "another shape"),
        (b'{"meta": {"contentLanguages": 5}, "data": {}}', r"Expected `array`, got `int` - at `\$\.meta"),
        (message(dataSets=[], structures=[]), "it has dataSets, structures"),
        (message(), "no part called data|no structure"),
        (message(codelists=[]), "no structure"),
        (message(codelists={"id": "CL"}), r"codelists: .*another shape.*Expected `array`, got `object`"),
        (message(codelists=[{"agencyID": "UN", "id": "CL", "codes": [{"id": 4}]}]), r"\$\[0\]\.codes\[0\]\.id"),
        (message(codelists=[{"id": "CL"}]), "CL has not an agencyID"),
        (message(dataflows=[{"id": "A", "agencyID": "UN", "structure": "none"}]), "'none' is not a URN"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(sent, told):
    with pytest.raises(BadData, match=told) as refused:
        read_structures(sent)
    assert refused.value.where.startswith("message")
    assert refused.value.remedy


def test_what_cannot_be_read_has_the_name_of_its_file(tmp_path):
    (tmp_path / "cut.xml").write_bytes(ml(CODELIST)[:-30])
    with pytest.raises(BadData, match=r"cut\.xml, line 3"):
        read_structures(tmp_path / "cut.xml")


# --- what would do harm ---------------------------------------------------------------------------------------------

ENTITIES = (b'<!ENTITY %c "%s">' % (97 + place, b"&%c;" % (96 + place) * 10) for place in range(1, 26))
LAUGHS = b"""<?xml version="1.0"?>
<!-- a -->
<!DOCTYPE lolz [<!ENTITY a "ha">%s]>
<lolz b="&z;">&z;</lolz>""" % b"".join(ENTITIES)


@pytest.mark.parametrize(
    "bomb",
    [
        LAUGHS,
        LAUGHS.decode().encode("utf-16"),
        b'<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>',
        b'<!DOCTYPE a SYSTEM "http://127.0.0.1:9/a.dtd"><a/>',
    ],
)
def test_entities_and_what_they_lie_in_are_refused(bomb):
    with pytest.raises(BadData, match="document type declaration"):
        read_structures(bomb)


def test_what_is_nested_without_end_is_refused():
    deep = "<str:Category id='C'>" * 5000
    with pytest.raises(BadData, match=r"cannot be read.*[Dd]ep"):
        read_structures(ml(f"<str:CategorySchemes><str:CategoryScheme id='S' agencyID='UN'>{deep}"))
    brackets = b'{"data": {"codelists": ' + b"[" * 100_000
    with pytest.raises(BadData, match="too deep"):
        read_structures(brackets)
    nested = b'{"id": "C", "categories": [' * 900 + b"]}" * 900
    scheme = b'{"id": "S", "agencyID": "UN", "categories": [%s]}' % nested
    with pytest.raises(BadData, match="too deep"):
        read_structures(b'{"data": {"categorySchemes": [%s]}}' % scheme)


WHOLE = [
    *(write_structures_ml(EVERYTHING, standard, HEADER) for standard in ("2.1", "3.0")),
    *(write_structures_json(EVERYTHING, standard, HEADER) for standard in ("1.0", "2.1")),
]


@given(st.sampled_from(WHOLE), st.data())
def test_a_message_that_came_to_harm_is_read_or_refused(whole, data):
    harmed = bytearray(whole)
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(harmed) - 1))
        harmed[place : place + data.draw(st.integers(0, 40))] = data.draw(st.binary(max_size=3))
    with collecting(), suppress(BadData):
        assert read_structures(bytes(harmed))


# --- what is not held -----------------------------------------------------------------------------------------------


def test_what_is_not_held_is_told():
    process = '<str:Processes><str:Process id="P" agencyID="UN"/></str:Processes>'
    categorised = """<str:Categorisations><str:Categorisation id="C" agencyID="UN"><str:Source>
        <Ref class="Metadataflow" agencyID="UN" id="M"/></str:Source></str:Categorisation></str:Categorisations>"""
    with collecting() as found:
        [_, read] = read_structures(ml(process + CODELIST + categorised))
    assert read.source is None
    assert found.notices == [
        "message: passed over, because it is not held here: Process (1), reference to Metadataflow (1)."
    ]
    with collecting() as found:
        read_structures(message(processes=[{}], codelists=[{"id": "CL", "agencyID": "UN"}]))
    assert found.notices == ["message: passed over, because it is not held here: processes (1)."]
    with pytest.raises(BadData, match="only what is not held here: Process"):
        read_structures(ml(process))


def test_metadata_attributes_are_told_and_annotations_of_a_list_are_not():
    usage = "<str:MetadataAttributeUsage/><com:Annotations/>"
    attributes = f"<str:AttributeList>{usage}</str:AttributeList>"
    components = f"<str:DataStructureComponents>{attributes}</str:DataStructureComponents>"
    structure = f"<str:DataStructure id='D' agencyID='UN'>{components}</str:DataStructure>"
    with collecting() as found:
        read_structures(ml(f"<str:DataStructures>{structure}</str:DataStructures>"))
    assert found.notices == ["message: passed over, because it is not held here: MetadataAttributeUsage (1)."]


def test_sets_of_keys_and_open_ends_are_told():
    inside = """<com:KeyValue id="TIME_PERIOD"><com:TimeRange>
        <com:AfterPeriod isInclusive="false">2000</com:AfterPeriod></com:TimeRange></com:KeyValue>"""
    keys = region(inside).replace("<str:CubeRegion", "<str:DataKeySet isIncluded='true'/><str:CubeRegion")
    with collecting() as found:
        [read] = read_structures(ml(keys))
    assert read.regions == (Region(periods={"TIME_PERIOD": ("2000", "")}),)
    assert "DataKeySet (1)" in found.notices[0]
    assert "isInclusive=false" in found.notices[0]


# --- how it is read -------------------------------------------------------------------------------------------------


def test_a_hierarchical_code_list_becomes_its_hierarchies():
    places = place("TOP", code("W") + place("LOW", code("004")))
    alias = place("A", "<str:CodelistAliasRef>X</str:CodelistAliasRef><str:CodeID><Ref id='F'/></str:CodeID>")
    included = '<str:IncludedCodelist alias="X"><Ref agencyID="SDMX" id="CL_SEX" version="2.1"/></str:IncludedCodelist>'
    one = f'<str:Hierarchy id="H1"><com:Name xml:lang="fr">Un</com:Name>{places}</str:Hierarchy>'
    two = f'<str:Hierarchy id="H2">{alias}</str:Hierarchy>'
    [first, second] = read_structures(hierarchical_codelist(included + one + two))
    assert [str(read.ref) for read in (first, second)] == ["UN:HCL_H1(3.0)", "UN:HCL_H2(3.0)"]
    assert (first.name, second.name) == ({"fr": "Un"}, {"en": "All"})
    assert [node.code.item for node in (*first.nodes, *first.nodes[0].children)] == ["W", "004"]
    assert second.nodes[0].code == Ref("codelist", "SDMX", "CL_SEX", "2.1", "F")
    [only] = read_structures(hierarchical_codelist(one))
    assert only.id == "HCL"


def test_values_that_a_region_takes_away_are_a_region_of_their_own():
    inside = """<com:KeyValue id="SEX" include="false"><com:Value>M</com:Value></com:KeyValue>
        <com:KeyValue id="AREA"><com:Value cascadeValues="true">A142</com:Value></com:KeyValue>"""
    [read] = read_structures(ml(region(inside, include="true")))
    assert read.role == "actual"  # the default of SDMX 2.1
    assert read.regions == (
        Region(True, {"AREA": ("A142",)}, frozenset({"AREA"})),
        Region(False, {"SEX": ("M",)}),
    )
    said = {"keyValues": [{"id": "SEX", "include": False, "values": ["M"]}, {"id": "AREA", "cascadeValues": ["A142"]}]}
    [again] = read_structures(message(contentConstraints=[{"id": "C", "agencyID": "UN", "cubeRegions": [said]}]))
    assert again == read


def test_an_attribute_that_depends_on_time_is_said_of_each_observation():
    for form in ("2.1", "3.0"):
        written = write_structures_ml(EVERYTHING, form, HEADER).decode()
        local = '<Ref id="SEX"/>' if form == "2.1" else ">SEX<"
        there = written.rindex(local)
        moved = written[:there] + local.replace("SEX", "TIME_PERIOD") + written[there + len(local) :]
        read = next(one for one in read_structures(moved.encode()) if one.kind == "datastructure")
        source = next(one for one in read.components if one.id == "SOURCE")
        assert (source.attachment, source.dimensions) == ("observation", ("AREA", "TIME_PERIOD"))


def test_a_name_in_no_particular_language_is_in_that_of_the_message():
    [read] = read_structures(message(codelists=[{"id": "CL", "agencyID": "UN", "name": "Zones"}]))
    assert read.name == {"fr": "Zones"}


def test_dimensions_stand_where_their_positions_say():
    concept = "urn:sdmx:org.sdmx.infomodel.conceptscheme.Concept=UN:CS(1.0)."
    said = {
        "dimensions": [{"id": "B", "position": 2}, {"id": "A", "position": 1}],
        "timeDimension": {"id": "TIME_PERIOD"},
    }
    for one in (*said["dimensions"], said["timeDimension"]):
        one["conceptIdentity"] = concept + one["id"]
    structure = {"id": "D", "agencyID": "UN", "dataStructureComponents": {"dimensionList": said}}
    [read] = read_structures(message(dataStructures=[structure]))
    assert [one.id for one in read.components] == ["A", "B", "TIME_PERIOD"]
