"""Publication: what would disclose a retailer, and what the revision policy lets through."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from statcommons.core.quality import collecting
from statcommons.prices.aggregate.aggregate_index import aggregate_index
from statcommons.prices.aggregate.protection import secondary, sensitive
from statcommons.prices.aggregate.publication import protect_index, revise_index
from statcommons.prices.aggregate.structure import coicop_tree

# --- what may be seen -----------------------------------------------------------------------------------------------


def test_the_rule_counts_who_sold_and_looks_for_one_who_dominates():
    assert sensitive({"a": 1, "b": 1, "c": 1}, 3, 0.75) == "F"
    assert sensitive({"a": 1, "b": 1, "c": 0}, 3, 0.75) == "A"
    assert sensitive({"a": 6, "b": 1, "c": 1}, 3, 0.75) == "F"  # three quarters are not above
    assert sensitive({"a": 6.01, "b": 1, "c": 1}, 3, 0.75) == "G"
    assert sensitive({}, 1, 1.0) == "A"


TREE = coicop_tree(["01.1.1", "01.1.2", "01.2.1", "02.1", "02.2", "02.3", "03"])
N = len(TREE.codes)


@given(
    hidden=st.sets(st.integers(1, N - 1), max_size=5),
    absent=st.sets(st.sampled_from([one for one in range(N) if one not in TREE.parent]), max_size=2),
    weights=st.lists(st.floats(0.1, 10), min_size=N, max_size=N),
)
def test_nothing_that_is_held_back_can_be_computed(hidden, absent, weights):
    """By linear algebra: no unknown is determined by the equations of group and groups below."""
    present = np.ones(N, bool)
    present[list(absent)] = False
    for place in reversed(range(N)):  # a group is there if one below it is
        if place in TREE.parent:
            present[place] = present[TREE.parent == place].any()
    lowest = np.array([0.0 if place in TREE.parent or not present[place] else weights[place] for place in range(N)])
    weight = TREE.up(lowest)
    primary = np.zeros(N, bool)
    primary[list(hidden)] = True
    back = (primary | secondary(TREE, present, primary, weight)) & present
    assert (back >= (primary & present)).all()
    unknown = np.flatnonzero(back)
    if not unknown.size:
        return
    equations = []
    for place in sorted({int(one) for one in TREE.parent if one >= 0}):
        below = np.flatnonzero((TREE.parent == place) & present)
        if below.size:
            row = np.zeros(N)
            row[place], row[below] = weight[place], -weight[below]
            equations.append(row[unknown])
    system = np.array(equations)
    rank = np.linalg.matrix_rank(system)
    for k in range(unknown.size):
        determined = np.vstack([system, np.eye(unknown.size)[k]])
        assert np.linalg.matrix_rank(determined) == rank + 1


def test_nothing_is_held_back_where_nothing_must():
    assert not secondary(TREE, np.ones(N, bool), np.zeros(N, bool), np.ones(N)).any()


def indices():
    months, leaves = ["2025-12", "2026-01", "2026-02"], ["01.1", "01.2", "02.1", "02.2", "03"]
    rng = np.random.default_rng(1)
    table = {
        "period": [month for month in months for _ in leaves],
        "group": leaves * 3,
        "index": [float(one) for one in 100 * np.exp(rng.normal(0, 0.02, 15))],
    }
    return aggregate_index(table, {"group": leaves, "weight": [30, 20, 25, 15, 10]}).result


def sales(**turnover):
    """Turnover by group: one number a retailer, in all months."""
    rows = [
        (month, group.replace("_", "."), f"shop{k}", float(sold))
        for month in ("2025-12", "2026-01", "2026-02")
        for group, of_group in turnover.items()
        for k, sold in enumerate(of_group)
    ]
    names = ("period", "group", "retailer", "turnover")
    return {name: [row[k] for row in rows] for k, name in enumerate(names)}


def codes(turnover, **rules):
    """Groups without their leading g, with what is held back and why."""
    sold = {name.removeprefix("g"): of_group for name, of_group in turnover.items()}
    made = protect_index(indices(), sales(**sold), **rules).to_pyarrow().to_pylist()
    assert all((row["index"] is None) == (row["confidentiality"] != "F") for row in made)
    assert all(row["contribution_previous"] is None for row in made if row["confidentiality"] != "F")
    last = [row for row in made if row["period"] == "2026-02"]
    return {row["group"]: row["confidentiality"] for row in last if row["confidentiality"] != "F"}


OPEN = {"g01_1": [5, 4, 3], "g01_2": [5, 4, 3], "g02_1": [5, 4, 3], "g02_2": [5, 4, 3], "g03": [5, 4, 3]}


def test_enough_retailers_everywhere_hold_nothing_back():
    assert codes(OPEN) == {}


def test_one_held_back_takes_its_sibling_along():
    assert codes(OPEN | {"g01_2": [5, 4]}) == {"01.2": "A", "01.1": "D"}
    assert codes(OPEN | {"g02_1": [9.6, 0.2, 0.2]}) == {"02.1": "G", "02.2": "D"}


def test_the_smallest_sibling_is_taken():
    assert codes(OPEN | {"g03": [5]}) == {"03": "A", "02": "D", "02.2": "D"}


def test_a_group_counts_the_retailers_of_all_below():
    turnover = OPEN | {"g01_1": [9, 0, 0], "g01_2": [0, 9, 9]}
    assert codes(turnover) == {"01.1": "A", "01.2": "A"}
    assert codes(turnover, least_retailers=1, dominance=1.0) == {}


def test_who_is_not_known_to_sell_is_held_back_and_measured():
    with collecting() as found:
        assert codes({name: of for name, of in OPEN.items() if name != "g01_1"}) == {"01.1": "A", "01.2": "D"}
    measures = {one.name: one.value for one in found.measures}
    assert measures["Indices held back: too few contribute"] == 3
    assert measures["Indices held back: another would follow"] == 3
    assert measures["Share of indices held back"] == pytest.approx(2 / 8)


def test_contributors_of_other_periods_are_told():
    sold = sales(**{name.removeprefix("g"): of for name, of in OPEN.items()})
    sold["period"] = ["2030-01" if month == "2025-12" else month for month in sold["period"]]
    with collecting() as found:
        made = protect_index(indices(), sold).to_pyarrow().to_pylist()
    assert found.notices == ["Contributors of periods without an index are not used: 2030-01."]
    assert {row["confidentiality"] for row in made if row["period"] == "2025-12"} == {"A"}


# --- what may change ------------------------------------------------------------------------------------------------

MONTHS = ["2026-01", "2026-02", "2026-03", "2026-04"]


def series(*numbers, group="_T"):
    return {"period": MONTHS[: len(numbers)], "group": [group] * len(numbers), "index": list(map(float, numbers))}


linked = pytest.mark.filterwarnings("ignore:What stands published:UserWarning")


def standing(made):
    rows = made.result.order_by(["vintage", "period"]).to_pyarrow().to_pylist()
    return {row["period"]: row["index"] for row in rows}


def released(**policy):
    """Three releases of a series that is computed anew each month."""
    first = revise_index(series(100, 101), **policy)
    second = revise_index(series(100.4, 101.5, 102), first.result, **policy)
    return second, revise_index(series(100.6, 101.7, 102.9, 103), second.result, **policy)


def test_what_is_frozen_never_changes_and_the_difference_is_told():
    with collecting() as found:
        _, third = released()
    march = 101 * 102 / 101.5  # linked to what stands of February
    april = march * 103 / 102.9
    assert list(standing(third).values()) == pytest.approx([100, 101, march, april], rel=1e-14)
    told = {row["period"]: row for row in third.revisions.to_pyarrow().to_pylist()}
    assert {period: row["revised"] for period, row in told.items()} == dict.fromkeys(MONTHS[:3], False)
    assert told["2026-03"]["revision"] == pytest.approx(100 * (102.9 / march - 1))
    apart = [one.value for one in found.measures if one.name.startswith("Largest distance")]
    assert apart == pytest.approx([0, 100 * (1 - 101 / 101.5), 100 * (1 - march / 102.9)])
    assert len(found.notices) == 2
    assert "new periods are linked to the published level" in found.notices[0]


@linked
def test_the_last_published_periods_may_change():
    _, third = released(policy="revisable", horizon=1)
    february = 101.5 * 100 / 100.4  # revised by the second release, at the level of January that stands
    march, april = (one * february / 101.7 for one in (102.9, 103))
    assert list(standing(third).values()) == pytest.approx([100, february, march, april], rel=1e-14)
    _, third = released(policy="revisable", horizon=2)
    january = 100.4
    assert list(standing(third).values()) == pytest.approx(
        [january, *(one * january / 100.6 for one in (101.7, 102.9, 103))], rel=1e-14
    )


@linked
def test_a_revision_of_the_past_never_shows_as_a_change_of_the_present():
    first = revise_index(series(100, 101, 102))
    made = revise_index(series(200, 202, 204, 208), first.result)
    assert standing(made)["2026-04"] == pytest.approx(102 * 208 / 204, rel=1e-14)


def test_a_rounded_level_is_no_other_level():
    first = revise_index(series(100, 101.04), decimals=1)
    second = revise_index(series(100, 101.04, 102.08), first.result, decimals=1)
    assert list(standing(second).values()) == [100.0, 101.0, 102.1]


def test_all_vintages_stay():
    second, third = released(policy="free")
    assert list(standing(third).values()) == [100.6, 101.7, 102.9, 103]
    rows = third.result.order_by(["vintage", "period"]).to_pyarrow().to_pylist()
    assert [row["index"] for row in rows] == [100, 101, 100.4, 101.5, 102, 100.6, 101.7, 102.9, 103]
    assert [row["vintage"] for row in rows] == [1, 1, 2, 2, 2, 3, 3, 3, 3]
    assert all(second.revisions.revised.to_pyarrow().to_pylist())


def test_what_rounds_to_the_same_is_no_revision():
    first = revise_index(series(100.04, 101.06), decimals=1)
    assert list(standing(first).values()) == [100.0, 101.1]
    second = revise_index(series(100.03, 101.14, 102.25), first.result, policy="free", decimals=1)
    assert second.revisions.to_pyarrow().num_rows == 0
    assert list(standing(second).values()) == [100.0, 101.1, 102.3]


@linked
def test_groups_have_their_own_last_period():
    first = series(100, 101, 102, group="01")
    late = series(50, group="02")
    both = {name: first[name] + late[name] for name in first}
    start = revise_index(both)
    moved = {name: list(column) for name, column in both.items()} | {"index": [1.0, 2.0, 3.0, 60.0]}
    told = revise_index(moved, start.result, policy="revisable").revisions.to_pyarrow().to_pylist()
    assert {(row["group"], row["period"]) for row in told if row["revised"]} == {("01", "2026-03"), ("02", "2026-01")}
