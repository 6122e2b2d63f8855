"""What a filter asks of any component of any type is what the reference says of each value, wherever it is kept."""

from __future__ import annotations

import pytest

from statcommons.core.errors import BadCall
from statcommons.sdmx import Store, artefacts_of
from statcommons.sdmx.message import ALL_DIMENSIONS, SERIES
from statcommons.sdmx.model import Ref
from statcommons.sdmx.query.components import component_filter
from statcommons.sdmx.query.data import DataQuery
from statcommons.sdmx.store.conditions import kind_of
from statcommons.sdmx.structure import Component, Structure

OF_SERIES = {"attachment": "series", "dimensions": ("AREA",)}
LARGE = 2**53 + 1  # the first whole number that a double does not hold

COMPONENTS = (
    Component("AREA", "dimension", "text"),
    Component("TIME_PERIOD", "time", "period"),
    Component("VALUE", "measure", "number", required=False),
    Component("COUNT", "measure", "integer", required=False),
    Component("IS_LOW", "measure", "boolean", required=False),
    Component("SHARES", "measure", "number", multiple=True, required=False),
    Component("SIGNS", "measure", "boolean", multiple=True, required=False),
    *(
        Component(f"{name}_{place[0]}", "attribute", type, required=False, **more, **said)
        for place, said in (("OBSERVATION", {}), ("SERIES", OF_SERIES))
        for name, type, more in (
            ("WORD", "text", {}),
            ("BASE", "integer", {}),
            ("ERROR", "number", {}),
            ("FINAL", "boolean", {}),
            ("REVISED", "date", {}),
            ("MADE", "instant", {}),
            ("OF", "period", {}),
            ("WORDS", "text", {"multiple": True}),
            ("BASES", "integer", {"multiple": True}),
            ("TITLE", "text", {"multilingual": True, "facets": {"isMultiLingual": "true"}}),
        )
    ),
)
STRUCTURE = Structure(
    Ref("dataflow", "SC", "DF_T"), Ref("datastructure", "SC", "DSD_T"), {"en": "Types"}, {}, COMPONENTS
)
CELLS = {
    "VALUE": ["1.5", "-2", "NaN", ""],
    "COUNT": [str(LARGE), "9", "10", ""],
    "IS_LOW": ["true", "false", "", "true"],
    "SHARES": ["0.5;2", "10;NaN", "NaN", ""],
    "SIGNS": ["true;false", "false", "true", ""],
    "WORD": ["a", "ab", "b", ""],
    "BASE": ["2015", "900", "-1", ""],
    "ERROR": ["0.10", "+10", "NaN", ""],
    "FINAL": ["true", "false", "true", ""],
    "REVISED": ["2020-02-29", "2021-01-01", "2019-12-31", ""],
    "MADE": ["2020-02-29T23:00:00", "2021-01-01T00:00:00", "2019-12-31T12:00:00", ""],
    "OF": ["2020-Q1", "2020", "2020-W09", ""],
    "WORDS": ["a;b", "b", "c", ""],
    "BASES": ["10;9", "2015", "9", ""],
    "TITLE": ["en:Girls;fr:Filles", "fr:Garçons", "en:Boys, all", ""],
}
ASKED = {
    "number": [
        *("9", "0.1", "2015", "9,0.5", "ne:9", "lt:0", "le:9.5", "gt:9", "ge:1e1", "ge:9+lt:2015", "ne:9+ne:10"),
        *(f"eq:{LARGE}", f"eq:{LARGE - 1}", f"ne:{LARGE - 1}", f"gt:{LARGE - 1}", f"gt:{LARGE}", f"le:{LARGE}.5"),
    ],
    "text": [
        *("a", "a,c", "a+b", "true", "maybe", "Filles", "ne:a", "ne:a+ne:b", "ne:true", "co:b", "co:ru", "nc:b"),
        *("sw:G", "ew:s", "ge:b", "lt:b"),
    ],
    "time": [
        *("2020", "2020-02", "ne:2020", "ge:2020", "lt:2020", "gt:2020-02", "le:2020-Q1", "sw:2020"),
        "ge:2019-12-31+lt:2020-03",
    ],
}
ALL = [one for one in COMPONENTS if one.role in ("measure", "attribute")]


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """Give a store of four observations of four series, in files."""
    names = [one.id for one in ALL]
    brackets = {one.id: "[]" if one.multiple else "[en;fr]" if one.multilingual else "" for one in ALL}
    heads = ["STRUCTURE[;]", "STRUCTURE_ID", "ACTION", "AREA", "TIME_PERIOD", *(one + brackets[one] for one in names)]
    lines = [",".join(heads)]
    for place in range(4):
        cells = [CELLS[one.removesuffix("_O").removesuffix("_S")][place] for one in names]
        told = [f'"{cell}"' for cell in cells]
        lines.append(",".join(["dataflow", "SC:DF_T(1.0)", "I", "KLMN"[place], "2020", *told]))
    store = Store(tmp_path_factory.mktemp("types") / "store")
    store.add_structures(artefacts_of(STRUCTURE))
    store.load("\n".join([*lines, ""]).encode())
    return store


@pytest.fixture(scope="module", params=["files", "memory"])
def asked(request, store):
    """Give a function from a filter to the areas that it finds, from files and from memory."""
    fresh = Store(store.path)
    query = DataQuery(STRUCTURE.flow)
    for _ in range(4 if request.param == "memory" else 0):
        fresh.select(query)
    assert bool(fresh.select(query).state.hot) == (request.param == "memory")

    def areas(component, text):
        filters = {component: component_filter(component, text)}
        found = fresh.select(DataQuery(STRUCTURE.flow, filters=filters)).data_sets()
        return [area for one in found for area in one.series["AREA"].to_pylist()]

    areas.store = fresh
    return areas


def values(component):
    """Give the values of the four observations as the reference takes them."""
    for cell in CELLS[component.id.removesuffix("_O").removesuffix("_S")]:
        several = cell.split(";") if component.multiple or component.multilingual else [cell]
        texts = [one.partition(":")[2] if component.multilingual else one for one in several]
        yield [one for one in texts if one not in ("", "NaN")]


@pytest.mark.parametrize("component", ALL, ids=lambda one: one.id)
def test_a_filter_finds_what_the_reference_says(asked, component):
    kind = kind_of(component)
    for text in ASKED[kind]:
        wanted = component_filter(component.id, text)
        expected = [area for area, some in zip("KLMN", values(component), strict=True) if wanted.matches(some, kind)]
        assert asked(component.id, text) == expected, text


@pytest.mark.parametrize("component", ["VALUE", "COUNT", "BASE_O", "BASE_S", "ERROR_S", "BASES_S"])
@pytest.mark.parametrize("text", ["co:1", "many"])
def test_of_numbers_only_numbers_can_be_asked(asked, component, text):
    with pytest.raises(BadCall, match=component):
        asked(component, text)


@pytest.mark.parametrize("component", ["REVISED_O", "MADE_S", "OF_O"])
def test_of_times_only_times_can_be_asked(asked, component):
    with pytest.raises(BadCall, match=component):
        asked(component, "soon")


@pytest.mark.parametrize(
    ("component", "areas"),
    [
        ("AREA", "KLMN"),
        ("COUNT", "LMKN"),
        ("BASE_O", "MLKN"),
        ("BASE_S", "MLKN"),
        ("ERROR_O", "KLMN"),
        ("REVISED_O", "MKLN"),
        ("REVISED_S", "MKLN"),
    ],
)
@pytest.mark.parametrize("more", [{}, {"limit": 4}, {"last": 1}])
def test_answers_are_sorted_as_values_compare(asked, component, areas, more):
    query = DataQuery(STRUCTURE.flow, at=ALL_DIMENSIONS, sort=((component, False),), **more)
    [found] = asked.store.select(query).data_sets()
    order = [found.series["AREA"][place].as_py() for batch in found.observations for place in batch[SERIES].to_pylist()]
    assert "".join(order) == areas
