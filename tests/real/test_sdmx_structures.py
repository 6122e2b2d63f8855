"""Official structure messages read as their goldens say, go through every version, and answer what clients ask."""

import io
import json
import time
from collections import Counter
from dataclasses import replace
from urllib.parse import parse_qsl, urlsplit

import pytest
import sdmx
from pysdmx.io import read_sdmx
from sdmx_structures import FORMS, HEADER, faults

from statcommons.core.errors import BadCall, BadData
from statcommons.core.quality import collecting
from statcommons.sdmx.model import Constraint, DataStructure, Ref, Scheme
from statcommons.sdmx.structures import read_structures
from statcommons.sdmx.structures.collection import Artefacts
from statcommons.sdmx.structures.json import write_structures_json
from statcommons.sdmx.structures.ml import write_structures_ml
from statcommons.sdmx.structures.registry import ask

SAMPLES = [
    *(f"json-{version}/structure--constructed-sample.json" for version in ("1.0", "2.0", "2.1")),
    "xml-2.1/BIS_actualconstraint-0.xml",
    "xml-2.1/ECB_EXR1-structure.xml",
    "xml-2.1/ECB_orgscheme.xml",
    "xml-2.1/ESTAT_GOV_10Q_GGNFA.xml",
    "xml-2.1/ESTAT_demography-structure.xml",
    "xml-2.1/ESTAT_esms-structure.xml",
    "xml-2.1/IMF_STA_availableconstraint_CPI.xml",
    "xml-2.1/INSEE_IPI-2010-A21-structure.xml",
    "xml-2.1/SPC_actualconstraint-0.xml",
    "xml-2.1/UNSD_codelist_partial.xml",
    "xml-2.1/common.xml",
    "xml-2.1/ng-structure.xml",
    "xml-2.1/ng-structure-full.xml",
    "xml-2.1/rg-structure.xml",
    "xml-2.1/rg-structure-full.xml",
    "xml-3.0/ECB_EXR1.xml",
    "xml-3.0/VTL_Sample_1.xml",
    "xml-3.0/codelist.xml",
    "xml-3.0/codelist_-_extended.xml",
    "xml-3.0/conceptscheme.xml",
    "xml-3.0/dataflow.xml",
    "xml-3.0/valuelist.xml",
]
OLD, NEWEST = (FORMS[0], FORMS[3]), (FORMS[2], FORMS[5])
CANNOT_SAY = {
    "xml-2.1/ESTAT_demography-structure.xml": [form for form in FORMS if form not in OLD],  # a measure dimension
    "xml-3.0/codelist_-_extended.xml": OLD,
    "xml-3.0/valuelist.xml": OLD,
}
NOT_VALID = {
    # A schema of SDMX-ML 3.0 takes no parent that begins with a digit or an underscore; that of 3.1 is mended.
    **{name: [("ml", "3.0")] for name in SAMPLES[:3]},
    # The data structure has no dimensions and no measure.
    "xml-2.1/UNSD_codelist_partial.xml": [*FORMS[:4]],
    # The schemas of SDMX-JSON want a zone behind a time, which periods do not have.
    "xml-2.1/SPC_actualconstraint-0.xml": FORMS[3:],
}
KINDS = {
    "codelist": "codelist",
    "concept_scheme": "conceptscheme",
    "structure": "datastructure",
    "dataflow": "dataflow",
    "category_scheme": "categoryscheme",
    "organisation_scheme": "agencyscheme",
    "constraint": "dataconstraint",
}
CLASSES = {"Codelist": "codelist", "ConceptScheme": "conceptscheme", "AgencyScheme": "agencyscheme"}
CLASSES |= {"DataStructure": "datastructure", "Dataflow": "dataflow"}


@pytest.fixture
def sample(shared):
    def read(name):
        with collecting():
            return read_structures(shared(f"sdmx/samples/{name}"))

    return read


@pytest.fixture
def golden(shared):
    return json.loads(shared("sdmx/golden/sample_reads.json").read_text(encoding="utf-8"))


@pytest.fixture
def fixture(shared):
    return Artefacts(read_structures(shared("sdmx/fixture/DF_SDG_structure_sdmx-ml-2.1.xml")))


@pytest.mark.parametrize("name", SAMPLES)
def test_a_sample_has_the_artefacts_that_its_golden_lists(name, sample, golden):
    read = sample(name)
    listed = golden.get(name, {}).get("sdmx1-2.28", {})
    for theirs, kind in KINDS.items():
        ours = {str(one.ref) for one in read if one.kind == kind}
        # sdmx1 lists what is only referred to, too, and in one message a concept whose scheme has no id.
        absent = {str(ref) for one in read for ref in one.references() if ref.kind == kind}
        expected = {ref for ref in listed.get(theirs, ()) if not ref.startswith("(missing id)")}
        if "error" not in listed and listed:
            assert ours <= expected <= ours | absent
    if name.startswith("json"):
        assert Counter(one.kind for one in read)["codelist"] == 5
    assert len({one.ref for one in read}) == len(read) > 0


def test_every_sample_of_structures_is_read(shared):
    """No file of the samples is left out: what is no structure message says so."""
    folder = shared("sdmx/samples")
    for path in sorted(folder.glob("*/*.xml")) + sorted(folder.glob("*/*.json")):
        name = f"{path.parent.name}/{path.name}"
        if name in SAMPLES:
            continue
        with pytest.raises(BadData, match=r"not a structure message|only what is not held here: Metadata"):
            read_structures(path)


@pytest.mark.parametrize("name", SAMPLES)
def test_a_sample_goes_through_every_version_that_can_say_it(name, sample):
    read = sample(name)
    for form in FORMS:
        if form in CANNOT_SAY.get(name, ()):
            with pytest.raises(BadCall):
                write(read, form)
            continue
        old = form in OLD
        expected = map(nameless, read) if form in NEWEST else read
        message = write(read, form)
        again = read_structures(message)
        assert {one.ref: held_by(one, old=old) for one in again} == {one.ref: held_by(one, old=old) for one in expected}
        assert bool(faults(message, form)) == (form in NOT_VALID.get(name, ())), form


def write(artefacts, form):
    family, standard = form
    return {"ml": write_structures_ml, "json": write_structures_json}[family](artefacts, standard, HEADER)


def held_by(one, *, old):
    """Leave out what SDMX 3 cannot say of an artefact, or 2.1."""
    if not old:
        one = replace(one, is_final=False)
    if isinstance(one, DataStructure):
        one = replace(one, components=tuple(component_held_by(part, old=old) for part in one.components))
    return one


def component_held_by(one, *, old):
    if one.role == "attribute":
        one = replace(one, measures=()) if old else replace(one, group=one.group if one.attachment == "group" else "")
    if old and one.role == "measure":
        one = replace(one, required=True)
    if old and one.representation:
        shown = one.representation
        facets = {name: value for name, value in shown.facets.items() if name != "isMultiLingual"}
        one = replace(one, representation=replace(shown, min_occurs=1, max_occurs=1, facets=facets))
    return one


def nameless(one):
    """Give an actual constraint the identity of what it is about, as SDMX 3.1 does."""
    if not isinstance(one, Constraint) or one.role != "actual":
        return one
    about = one.attached[0]
    order = {"series_count": 1, "obs_count": 2}
    named = sorted(one.annotations, key=lambda note: order.get(note.id, 0) if note.type == "sdmx_metrics" else 0)
    return Constraint(
        "dataconstraint",
        about.agency,
        about.id,
        about.version,
        annotations=tuple(named),
        role="actual",
        attached=one.attached,
        regions=one.regions,
    )


def test_the_fixture_is_the_same_in_both_versions_of_sdmx_ml(shared, fixture):
    again = Artefacts(read_structures(shared("sdmx/fixture/DF_SDG_structure_sdmx-ml-3.0.xml")))
    assert {ref: held_by(one, old=True) for ref, one in by_ref(again).items()} == by_ref(fixture)
    assert Counter(one.kind for one in fixture) == {
        "codelist": 8,
        "conceptscheme": 1,
        "datastructure": 1,
        "dataflow": 1,
    }


def by_ref(artefacts):
    return {one.ref: one for one in artefacts}


# --- what clients ask -----------------------------------------------------------------------------------------------


def test_the_structure_cases_of_real_clients(shared, fixture):
    cases = json.loads(shared("sdmx/urls/compat_urls.json").read_text(encoding="utf-8"))
    tried = 0
    for case in cases:
        if case["kind"] != "structure" or "/schema/" in case["path"]:
            continue
        tried += 1
        address, expected = urlsplit(case["path"]), case["expect"]
        _, rest, *path = filter(None, address.path.split("/"))
        rest = int(rest[1:])
        try:
            found = ask(fixture, *path[rest - 1 :], rest=rest, **dict(parse_qsl(address.query)))
        except BadCall:
            assert expected["status"] == 400
            continue
        if case["id"] == "s089":  # 200 or 404, says its note
            continue
        assert bool(found) == (expected["status"] == 200), case["path"]
        if "artefacts" in expected:
            kinds = {CLASSES[name]: count for name, count in expected["artefacts"].items()}
            assert Counter(one.kind for one in found) == kinds, case["path"]
        if "n_codes" in expected:
            assert len(found[0].items) == expected["n_codes"]
        assert found == () or found[0].is_external == expected.get("isExternalReference", "stubs" in case["path"])
        if "isPartial" in expected:
            assert found[0].partial
    assert tried == 32


# --- what others read -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("standard", ["2.1", "3.0"])
def test_peers_read_the_fixture_as_we_write_it(fixture, standard):
    written = write_structures_ml(fixture, standard, HEADER)
    message = sdmx.read_sdmx(io.BytesIO(written))
    areas = fixture.find(Ref("codelist", "UNGP", "CL_AREA", "1.0"))
    assert list(message.codelist["CL_AREA"].items) == [code.id for code in areas.items]
    theirs = {one.id: one for one in read_sdmx(written.decode(), validate=True).structures}
    assert [code.id for code in theirs["CL_AREA"].codes] == [code.id for code in areas.items]
    structure = fixture.find(Ref("datastructure", "UNGP", "DSD_SDG", "1.0"))
    assert [one.id for one in theirs["DSD_SDG"].components] == [one.id for one in structure.components]


@pytest.mark.parametrize("standard", ["2.0", "2.1"])
def test_pysdmx_reads_the_fixture_in_json(fixture, standard):
    written = write_structures_json(fixture, standard, HEADER)
    theirs = {one.id: one for one in read_sdmx(written.decode(), validate=True).structures}
    assert set(theirs) == {one.id for one in fixture}
    codes = theirs["DSD_SDG"].components["REF_AREA"].enumeration
    assert len(codes) == len(fixture.find(Ref("codelist", "UNGP", "CL_AREA", "1.0")).items)


# --- speed ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["2.1", "3.0", "json"])
def test_ten_thousand_codes_are_read_in_a_fifth_of_a_second(fixture, form):
    areas = fixture.find(Ref("codelist", "UNGP", "CL_AREA", "1.0"))
    items = tuple(replace(areas.items[place % len(areas.items)], id=f"C{place}") for place in range(10_000))
    large = Scheme("codelist", "UNGP", "CL_LARGE", name={"en": "Large"}, items=items)
    written = (
        write_structures_json([large], "2.0", HEADER) if form == "json" else write_structures_ml([large], form, HEADER)
    )
    times = []
    for _ in range(5):
        begun = time.process_time()
        [read] = read_structures(written)
        times.append(time.process_time() - begun)
    assert read == large
    assert min(times) < 0.2
