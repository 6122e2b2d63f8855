"""Every query of structures is answered from one table of edges, and nothing comes along that is not asked for."""

import time
from dataclasses import replace

import pytest
from sdmx_structures import (
    ACTUAL,
    AGREEMENT,
    ALLOWED,
    AREAS,
    CATEGORIES,
    CATEGORISED,
    CONCEPTS,
    EVERYTHING,
    EXTENDED,
    FLOW,
    FREQUENCIES,
    HIERARCHY,
    MANY,
    ORGANISATIONS,
    OTHER_FLOW,
    SEXES,
    STRUCTURE,
    VALUES,
    concept,
)

from statcommons.core.errors import BadCall
from statcommons.sdmx.model import (
    Categorisation,
    Concept,
    Constraint,
    Dataflow,
    DataStructure,
    Definition,
    Extension,
    Item,
    Ref,
    Region,
    Representation,
    Scheme,
)
from statcommons.sdmx.structures.collection import Artefacts, agency_schemes
from statcommons.sdmx.structures.registry import NOT_HELD, OTHER_NAMES, ask, kinds_of

AGENCIES, PROVIDERS, *_ = ORGANISATIONS
THERE = Artefacts([*EVERYTHING, OTHER_FLOW, EXTENDED, MANY, VALUES])
LISTS = {"CL_AREA", "CL_SEX", "CL_FREQ"}


def ids(found):
    return {one.id for one in found}


def asked(kind, id, **said):
    return ids(ask(THERE, kind, ids=id, **said))


# --- which ones -----------------------------------------------------------------------------------------------------


def test_the_path_says_which_ones():
    everything = {"CL_AREA", "CL_SEX", "CL_FREQ", "CL_STUB", "CL_MORE"}
    assert ids(ask(THERE, "codelist")) == everything
    assert ids(ask(THERE, "codelist", "*", "*", "*")) == everything
    assert ids(ask(THERE, "codelist", "all", "all", "all", rest=1)) == everything
    assert ids(ask(THERE, "codelist", "SDMX")) == {"CL_FREQ"}
    assert ids(ask(THERE, "codelist", "SDMX,UN", "CL_FREQ,CL_SEX")) == {"CL_FREQ", "CL_SEX"}
    assert ids(ask(THERE, "codelist", "SDMX%2CUN", "CL_FREQ%2CCL_SEX")) == {"CL_FREQ", "CL_SEX"}
    assert ids(ask(THERE, "codelist", "SDMX+UN", "CL_FREQ+CL_SEX", rest=1)) == {"CL_FREQ", "CL_SEX"}
    assert ids(ask(THERE, "codelist", "UN", "CL_FREQ")) == set()
    assert len(ask(THERE, "*", "*", "*", "*")) == len(THERE)
    assert len(ask(THERE, "structure", rest=1)) == len(THERE) - 1  # a draft is not in production


def test_versions_are_asked_for_in_the_words_of_each_rest():
    there = Artefacts(replace(AREAS, version=version) for version in ("1.0.0", "1.1.0", "2.0.0-draft"))

    def versions(query, rest):
        return [one.version for one in ask(there, "codelist", "UN", "CL_AREA", query, rest=rest)]

    assert versions("", 2) == versions("~", 2) == ["2.0.0-draft"]
    assert versions("+", 2) == versions("", 1) == versions("latest", 1) == ["1.1.0"]
    assert versions("1.0.0,1.1.0", 2) == versions("1.0.0+1.1.0", 1) == ["1.0.0", "1.1.0"]
    with pytest.raises(BadCall, match="version"):
        versions("latest", 2)


def test_kinds_have_the_names_of_both_rests():
    assert asked("contentconstraint", "*", rest=1) == asked("dataconstraint", "*") == {"ALLOWED", "ACTUAL"}
    assert asked("actualconstraint", "all", rest=1) == {"ACTUAL"}
    assert asked("allowedconstraint", "all", rest=1) == {"ALLOWED"}
    assert asked("hierarchicalcodelist", "all", rest=1) == asked("hierarchy", "*") == {"H"}
    assert asked("organisationscheme", "UNITS", rest=1) == {"UNITS"}
    assert all(ask(THERE, kind) == () for kind in NOT_HELD)
    assert not NOT_HELD & {*OTHER_NAMES}
    with pytest.raises(BadCall, match=r"'codelists'.*Did you mean 'codelist'"):
        kinds_of("codelists")


def test_a_version_that_is_open_is_resolved_to_the_latest_that_fits():
    there = Artefacts(replace(AREAS, version=version) for version in ("1.10.0", "2.0.0", "1.2.0"))
    assert there.find(Ref("codelist", "UN", "CL_AREA", "1.0+.0")).version == "1.10.0"
    assert there.find(Ref("codelist", "UN", "CL_AREA", "*")).version == "2.0.0"
    assert there.find(Ref("codelist", "UN", "CL_AREA", "3.0+.0")) is None
    assert there.find(Ref("codelist", "UN", "CL_AREA", "1.0+")) is None  # a form that is none refers to nothing
    assert there.find(Ref("codelist", "UN", "CL_AREA", "1.3.0")) is None
    flow = replace(FLOW, structure=Ref("datastructure", "UN", "DSD", "1.0+.0"))
    there = Artefacts([flow, replace(STRUCTURE, version="1.4.0"), replace(STRUCTURE, version="2.0.0")])
    assert [str(one.ref) for one in ask(there, "dataflow", references="children")][1:] == ["UN:DSD(1.4.0)"]
    assert ids(ask(there, "datastructure", versions="1.4.0", references="parents")) == {"DSD", "DF"}


# --- what comes along -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("references", "expected"),
    [
        ("none", {"DSD"}),
        ("children", {"DSD", "CS", "CL_AREA", "CL_SEX"}),
        ("descendants", {"DSD", "CS", *LISTS}),
        ("parents", {"DSD", "DF", "DF_OTHER"}),
        ("parentsandsiblings", {"DSD", "DF", "DF_OTHER"}),
        ("ancestors", {"DSD", "DF", "DF_OTHER", "ALLOWED", "ACTUAL", "AGREED", "CAT"}),
        ("all", {"DSD", "CS", *LISTS, "DF", "DF_OTHER"}),
        ("codelist", {"DSD", *LISTS}),
        ("dataflow", {"DSD", "DF", "DF_OTHER"}),
        ("dataflow,conceptscheme", {"DSD", "DF", "DF_OTHER", "CS"}),
        ("actualconstraint", {"DSD", "ACTUAL"}),
        ("contentconstraint", {"DSD", "ALLOWED", "ACTUAL"}),
        ("process", {"DSD"}),
        ("agencyscheme", {"DSD", "AGENCIES"}),
    ],
)
def test_references_of_a_data_structure(references, expected):
    assert asked("datastructure", "DSD", references=references) == expected


def test_references_of_a_flow_bring_no_other_flow():
    expected = {"DF", "DSD", "CS", *LISTS, "ALLOWED", "ACTUAL", "AGREED", "CAT", "DATA_PROVIDERS", "TOPICS"}
    assert asked("dataflow", "DF", references="all") == expected
    assert asked("dataflow", "DF_OTHER", references="all") == {"DF_OTHER", "DSD", "CS", *LISTS}
    assert asked("codelist", "CL_AREA", references="parents") == {"CL_AREA", "DSD", "DSD_MANY", "CL_MORE", "H"}
    assert not {"DF", "DF_OTHER"} & asked("codelist", "CL_AREA", references="all")
    assert {"DF", "DF_OTHER"} < asked("codelist", "CL_AREA", references="ancestors")


def test_references_in_both_rests():
    assert asked("datastructure", "DSD", references="dataflow+codelist", rest=1) == {"DSD", "DF", "DF_OTHER", *LISTS}
    assert asked("dataflow", "DF", references="hierarchicalcodelist", rest=1) == {"DF"}
    with pytest.raises(BadCall, match="'nosuch'"):
        asked("dataflow", "DF", references="nosuch")


def test_what_is_asked_for_comes_first_and_once():
    found = ask(THERE, ["datastructure", "codelist"][0], ids="DSD,DSD_MANY", references="all")
    assert [one.id for one in found[:2]] == ["DSD", "DSD_MANY"]
    assert len({one.ref for one in found}) == len(found)


# --- how much of it -------------------------------------------------------------------------------------------------


def test_stubs_have_no_more_than_their_envelope():
    described = replace(AREAS, description={"en": "By M49"}, is_final=True)
    there = Artefacts([described, SEXES, CONCEPTS, STRUCTURE])
    for detail, more in (("allstubs", False), ("allcompletestubs", True)):
        for one in ask(there, "datastructure", references="children", detail=detail):
            assert one.is_external
            assert not getattr(one, "items", ())
            assert not getattr(one, "components", ())
            assert one.name
        [stub] = ask(there, "codelist", ids="CL_AREA", detail=detail)
        assert (bool(stub.description), bool(stub.annotations), stub.is_final) == (more, more, more)
    for detail in ("referencestubs", "referencecompletestubs"):
        first, *others = ask(there, "datastructure", references="children", detail=detail)
        assert first == STRUCTURE
        assert all(one.is_external and not one.items for one in others)
        assert bool(next(one for one in others if one.id == "CL_AREA").description) == ("complete" in detail)
    with pytest.raises(BadCall, match=r"'stubs' is no detail"):
        ask(there, "codelist", detail="stubs")


def test_an_extended_code_list_is_resolved_for_full_and_kept_for_raw():
    [whole] = ask(THERE, "codelist", ids="CL_MORE", references="children")
    assert [code.id for code in whole.items] == ["S_F", "A142", "004", "OWN"]
    assert [code.parent for code in whole.items] == ["", "", "A142", ""]
    assert not whole.extends
    assert not whole.partial
    raw, *inherited = ask(THERE, "codelist", ids="CL_MORE", references="children", detail="raw")
    assert raw == EXTENDED
    assert ids(inherited) == {"CL_SEX", "CL_AREA"}


def test_inheritance_goes_on_replaces_and_ends():
    first = Scheme("codelist", "UN", "A", items=(Item("X", {"en": "one"}), Item("Y")))
    second = Scheme("codelist", "UN", "B", extends=(Extension(first.ref, "P_"),), items=(Item("P_X", {"en": "own"}),))
    third = Scheme("codelist", "UN", "C", extends=(Extension(second.ref), Extension(second.ref, include=("%Y",))))
    there = Artefacts([first, second, third])
    assert [(one.id, one.name) for one in there.resolve(third.ref).items] == [("P_X", {"en": "own"}), ("P_Y", {})]
    round_and_round = replace(first, extends=(Extension(third.ref),))
    there = Artefacts([round_and_round, second, third])
    assert [one.id for one in there.resolve(third.ref).items] == ["P_X", "P_Y"]
    assert Artefacts([second]).resolve(second.ref).partial


# --- items ----------------------------------------------------------------------------------------------------------


def test_items_come_with_what_is_above_them_and_nothing_else():
    [found] = ask(THERE, "codelist", ids="CL_AREA", items="004,1E5")
    assert [code.id for code in found.items] == ["W", "A142", "004", "1E5"]
    assert found.partial
    [found] = ask(THERE, "codelist", ids="CL_AREA", items="004+1E5", rest=1)
    assert len(found.items) == 4
    [found] = ask(THERE, "categoryscheme", ids="TOPICS", items="ECO.PRICES")
    assert [one.name["en"] for one in found.items] == ["Economy", "Prices"]
    [found] = ask(THERE, "categoryscheme", ids="TOPICS", items="PRICES")
    assert [one.name["en"] for one in found.items] == ["Prices, again"]
    assert ask(THERE, "codelist", ids="CL_AREA", items="NONE") == ()
    assert ask(THERE, "codelist", ids="CL_AREA", items="*") == (AREAS,)
    [all_of_it] = ask(THERE, "codelist", "SDMX", items="A")
    assert all_of_it.partial
    with pytest.raises(BadCall, match="A dataflow has no items"):
        ask(THERE, "dataflow", ids="DF", items="X")


def test_items_bring_only_what_names_them():
    assert ids(ask(THERE, "categoryscheme", items="ECO.PRICES", references="parents")) == {"TOPICS", "CAT"}
    assert ids(ask(THERE, "categoryscheme", items="ECO", references="categorisation")) == {"TOPICS"}
    assert ids(ask(THERE, "conceptscheme", items="FREQ", references="children")) == {"CS", "CL_FREQ"}
    assert ids(ask(THERE, "conceptscheme", items="AREA", references="children")) == {"CS"}
    assert ids(ask(THERE, "dataproviderscheme", items="BANK", references="parents")) == {"DATA_PROVIDERS"}
    assert ids(ask(THERE, "dataproviderscheme", items="NSO", references="parents")) == {"DATA_PROVIDERS", "AGREED"}


# --- referencepartial -----------------------------------------------------------------------------------------------


def partial(kind, id, there=THERE, references="all"):
    return {one.id: one for one in ask(there, kind, ids=id, references=references, detail="referencepartial")}


def test_lists_are_cut_to_what_constraints_allow():
    found = partial("dataflow", "DF")
    assert [code.id for code in found["CL_AREA"].items] == ["W", "A142", "004", "NA"]  # what is above comes too
    assert [code.id for code in found["CL_SEX"].items] == ["F"]
    assert found["CL_FREQ"] == FREQUENCIES
    assert found["CL_AREA"].partial
    assert partial("dataflow", "DF_OTHER")["CL_AREA"] == AREAS
    assert partial("dataflow", "DF", references="descendants")["CL_SEX"].partial
    assert {code.id for code in partial("dataflow", "DF,DF_OTHER")["CL_SEX"].items} == {"F", "M"}


def test_other_schemes_are_cut_to_what_is_named():
    found = partial("dataflow", "DF")
    assert [one.id for one in found["DATA_PROVIDERS"].items] == ["NSO"]
    assert [one.id for one in found["TOPICS"].items] == ["ECO", "PRICES"]
    assert found["CS"] == CONCEPTS
    more = replace(CONCEPTS, items=(*CONCEPTS.items, Concept("UNUSED")))
    there = Artefacts([*(one for one in EVERYTHING if one != CONCEPTS), more])
    found = partial("dataflow", "DF", there)
    assert found["CS"].items == CONCEPTS.items
    assert found["CS"].partial
    assert [code.id for code in partial("hierarchy", "H")["CL_AREA"].items] == ["W", "A142", "004"]
    agencies = replace(AGENCIES, items=(Item("UN"), Item("OECD")))
    there = Artefacts([*(one for one in EVERYTHING if one != AGENCIES), agencies])
    assert [one.id for one in partial("dataflow", "DF", there, "agencyscheme")["AGENCIES"].items] == ["UN"]


def test_what_is_asked_for_is_never_cut():
    assert partial("codelist", "CL_AREA")["CL_AREA"] == AREAS


def constrained(*regions, role="allowed"):
    components = (
        Definition("FROM", "dimension", concept("AREA"), Representation(AREAS.ref)),
        Definition("TO", "dimension", concept("AREA"), Representation(AREAS.ref)),
        Definition("SEX", "dimension", concept("SEX"), Representation(SEXES.ref)),
    )
    structure = DataStructure("datastructure", "UN", "D", components=components)
    flow = Dataflow("dataflow", "UN", "F", structure=structure.ref)
    limits = Constraint("dataconstraint", "UN", "C", role=role, attached=(structure.ref,), regions=regions)
    found = partial("dataflow", "F", Artefacts([AREAS, SEXES, structure, flow, limits]), "descendants")
    return {code.id for code in found["CL_AREA"].items}, {code.id for code in found["CL_SEX"].items}


def test_what_several_regions_allow():
    every, both = {code.id for code in AREAS.items}, {"F", "M"}
    assert constrained(Region(True, {"FROM": ("1E5",)})) == (every, both)  # TO may be any of the same list
    assert constrained(Region(True, {"FROM": ("1E5",), "TO": ("W",)})) == ({"1E5", "W"}, both)
    assert constrained(Region(True, {"SEX": ("F",)}), Region(True, {"SEX": ("M",)})) == (every, both)
    assert constrained(Region(True, {"SEX": ("F",)}), Region(True, {"TO": ("W",)})) == (every, both)
    assert constrained(Region(False, {"SEX": ("M",)})) == (every, {"F"})
    assert constrained(Region(False, {"SEX": ("M",), "TO": ("W",)})) == (every, both)
    assert constrained(Region(True, {"SEX": ("F",)}, periods={"TIME_PERIOD": ("2000", "")})) == (every, {"F"})
    assert constrained(Region(True, {"SEX": ("F",)}), role="actual") == (every, both)


# --- agencies -------------------------------------------------------------------------------------------------------


def test_agencies_that_nobody_maintains_are_made():
    there = Artefacts([Scheme("codelist", "OECD.SDD", "A"), Scheme("codelist", "UN", "B")])
    made = {one.agency: [item.id for item in one.items] for one in ask(there, "agencyscheme")}
    assert made == {"SDMX": ["OECD", "UN"], "OECD": ["SDD"], "OECD.SDD": [], "UN": []}
    assert ids(ask(there, "agencyscheme", "UN", "all", rest=1)) == {"AGENCIES"}
    assert ask(there, "*") == tuple(there)
    known = replace(AGENCIES, name={"en": "Known"})
    assert ask(Artefacts([*there, known]), "agencyscheme", "SDMX") == (known,)
    [own] = ask(there, "codelist", "OECD.SDD", references="agencyscheme")[1:]
    assert own.agency == "OECD"
    assert agency_schemes([])[0].items == ()


# --- speed ----------------------------------------------------------------------------------------------------------


def test_all_references_among_500_flows_are_found_in_5_milliseconds():
    flows = [replace(FLOW, id=f"DF_{number}") for number in range(500)]
    puts = [
        Categorisation("categorisation", "UN", f"CAT_{one.id}", source=one.ref, target=CATEGORISED.target)
        for one in flows
    ]
    limits = [replace(ALLOWED, id=f"C_{one.id}", attached=(one.ref,)) for one in flows]
    there = Artefacts([*EVERYTHING, *flows, *puts, *limits])
    expected = {"DF_7", "DSD", "CS", *LISTS, "CAT_DF_7", "C_DF_7", "TOPICS"}
    times = []
    for _ in range(20):
        begun = time.process_time()
        assert ids(ask(there, "dataflow", "UN", "DF_7", references="all")) == expected
        times.append(time.process_time() - begun)
    assert min(times) < 0.005


def test_the_collection_keeps_the_later_of_two():
    newer = replace(SEXES, name={"en": "Newer"})
    there = Artefacts([SEXES, AREAS, newer])
    assert (len(there), there.find(SEXES.ref)) == (2, newer)
    assert there.naming(ACTUAL.ref) == there.naming(AGREEMENT.ref) == ()
    assert THERE.naming(FLOW.ref) == (CATEGORISED, ALLOWED, ACTUAL, AGREEMENT)
    assert THERE.naming(CATEGORIES.ref) == (CATEGORISED,)
    assert HIERARCHY in THERE.naming(AREAS.ref)
    assert THERE.versions("codelist", "UN", "NONE") == ()
    assert [THERE.find(ref) for ref in AGREEMENT.references()] == [FLOW, PROVIDERS]
