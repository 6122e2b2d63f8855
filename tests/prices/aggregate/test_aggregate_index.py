"""Aggregation: baskets by brute force, contributions that add up, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from statcommons.core.errors import BadCall, BadData
from statcommons.core.quality import Notice, collecting
from statcommons.prices.aggregate.aggregate_index import aggregate_index

pytestmark = pytest.mark.filterwarnings(f"ignore::{Notice.__module__}.{Notice.__qualname__}")

LEAVES = ["01.1.1", "01.1.2", "01.2", "02.1", "02.2"]
MONTHS = [f"{year}-{month:02d}" for year in (2023, 2024, 2025) for month in range(1, 13)][11:]  # 2023-12 to 2025-12


def walks(seed=1, months=MONTHS, leaves=LEAVES):
    """Levels of elementary indices: random walks, the trend of each its own."""
    rng = np.random.default_rng(seed)
    steps = rng.normal(np.linspace(-0.01, 0.02, len(leaves)), 0.03, (len(months), len(leaves)))
    return 80 * np.exp(np.cumsum(steps, axis=0))


def elementary(levels, months=MONTHS, leaves=LEAVES):
    return {
        "period": [month for month in months for _ in leaves],
        "group": [leaf for _ in months for leaf in leaves],
        "index": [None if np.isnan(one) else one for one in np.asarray(levels).ravel().tolist()],
    }


def weights(*sets, leaves=LEAVES, **more):
    """One set of weights a link: (link, weights)."""
    made = {
        "group": [leaf for _ in sets for leaf in leaves],
        "weight": [float(one) for _, values in sets for one in values],
        "link": [link for link, _ in sets for _ in leaves],
    }
    return made | {name: [value] * len(made["group"]) for name, value in more.items()}


def grid(table, column, months=MONTHS):
    """One series a group."""
    found = {}
    for row in table.to_pyarrow().to_pylist():
        found.setdefault(row["group"], dict.fromkeys(months))[row["period"]] = row[column]
    return {group: np.array(list(series.values()), float) for group, series in found.items()}


BASKETS = [("2023-12", [10, 20, 30, 25, 15]), ("2024-12", [12, 18, 25, 25, 20])]
UNDER = {"_T": LEAVES, "01": LEAVES[:3], "01.1": LEAVES[:2], "02": LEAVES[3:]} | {one: [one] for one in LEAVES}


def direct(levels, links, group):
    """The chained index by the definition: a basket's own index since its link, times the level at the link."""
    members = [LEAVES.index(one) for one in UNDER[group]]
    series = np.full(len(MONTHS), np.nan)
    series[0] = 100
    for (link, weight), end in zip(links, [*(link for link, _ in links[1:]), MONTHS[-1]], strict=True):
        start, stop = MONTHS.index(link), MONTHS.index(end)
        share = np.array(weight, float)[members] / np.sum(np.array(weight, float)[members])
        for t in range(start + 1, stop + 1):
            series[t] = series[start] * np.sum(share * levels[t, members] / levels[start, members])
    return series


def test_baskets_linked_in_december_are_the_definition_written_out():
    levels = walks()
    found = grid(aggregate_index(elementary(levels), weights(*BASKETS)).result, "index")
    assert set(found) == set(UNDER)
    for group in UNDER:
        np.testing.assert_allclose(found[group], direct(levels, BASKETS, group), rtol=1e-13)


def test_a_double_link_uses_the_weights_in_january_once_more():
    levels = walks()
    links = [("2023-12", BASKETS[0][1]), ("2024-01", BASKETS[0][1])]
    links += [("2024-12", BASKETS[1][1]), ("2025-01", BASKETS[1][1])]
    found = grid(aggregate_index(elementary(levels), weights(*BASKETS), chain="double").result, "index")
    single = grid(aggregate_index(elementary(levels), weights(*BASKETS)).result, "index")
    for group in UNDER:
        np.testing.assert_allclose(found[group], direct(levels, links, group), rtol=1e-13)
    assert abs(found["_T"][-1] - single["_T"][-1]) > 1e-4


def test_a_basket_of_january_of_its_own_is_kept():
    levels = walks()
    links = [BASKETS[0], ("2024-01", [30, 10, 20, 20, 20]), BASKETS[1], ("2025-01", [5, 5, 30, 30, 30])]
    given_links = grid(aggregate_index(elementary(levels), weights(*links)).result, "index")
    double = grid(aggregate_index(elementary(levels), weights(*links), chain="double").result, "index")
    np.testing.assert_array_equal(double["_T"], given_links["_T"])


def test_lowe_weights_go_to_the_link_with_the_prices_and_young_weights_stand():
    months = [f"2022-{month:02d}" for month in range(1, 13)] + ["2023-01"]
    levels = walks(5, months)
    sets = [("2022-01", [1, 1, 1, 1, 1]), ("2022-12", [10, 20, 30, 25, 15])]
    of_year = weights(*sets) | {"price_reference": [None] * 5 + ["2022"] * 2 + ["2022-03", None, "2022-12"]}
    growth = levels[12] / levels[11]
    then = np.array([*levels[:12, :2].mean(axis=0), levels[2, 2], *levels[11, 3:]])
    updated = np.array(sets[1][1]) * levels[11] / then
    for formula, used in (("lowe", updated), ("young", np.array(sets[1][1]))):
        made = aggregate_index(elementary(levels, months), of_year, formula=formula)
        series = grid(made.result, "index", months)["_T"]
        assert series[12] / series[11] == pytest.approx(np.sum(used * growth) / np.sum(used), rel=1e-13)


def assert_adds_up(made, months=MONTHS):
    """Contributions of each level below a group add up to its change, on the period before and on the year before."""
    index = {group: series / 100 for group, series in grid(made.result, "index", months).items()}
    rows = made.contributions.to_pyarrow().to_pylist()
    assert rows
    sums = {}
    for row in rows:
        if row["group"].count(".") + (row["group"] != "_T") == row["of"].count(".") + (row["of"] != "_T") + 1:
            for change in ("previous", "year"):
                if row[change] is not None:
                    key = row["period"], row["of"], change
                    sums[key] = sums.get(key, 0.0) + row[change]
    yearly = 0
    for (period, of, change), total in sums.items():
        before = months.index(period) - (1 if change == "previous" else 12)
        assert total == pytest.approx(100 * (index[of][months.index(period)] / index[of][before] - 1), abs=1e-12)
        yearly += change == "year"
    assert yearly >= len(months) - 12


@pytest.mark.parametrize("chain", ["single", "double"])
def test_contributions_add_up_exactly(chain):
    assert_adds_up(aggregate_index(elementary(walks()), weights(*BASKETS), chain=chain))


def test_annual_contributions_across_december_are_the_two_terms_of_the_formula():
    """w' (I_dec - I_12)/.. + w (I_t - I_dec) I^A_dec/.. with weights in prices of each December, all on December."""
    levels = walks()
    made = aggregate_index(elementary(levels), weights(*BASKETS))
    found = grid(made.contributions.filter(made.contributions.of == "_T"), "year")
    total = direct(levels, BASKETS, "_T")
    w0, w1 = (np.array(weight) / np.sum(weight) for _, weight in BASKETS)
    dec = MONTHS.index("2024-12")
    for t in range(dec + 1, len(MONTHS)):
        on_first, on_second = levels / levels[0], levels / levels[dec]
        all_before = total[t - 12] / total[0]
        terms = w0 * (on_first[dec] - on_first[t - 12])
        terms += w1 * (on_second[t] - 1) * (total[dec] / total[0])
        for leaf, term in zip(LEAVES, 100 * terms / all_before, strict=True):
            assert found[leaf][t] == pytest.approx(term, abs=1e-12)


def test_annual_contributions_across_a_double_link_are_the_three_terms_of_the_formula():
    """The formula of the Office for National Statistics, term by term, on unchained indices (December or January 1)."""
    levels = walks()
    made = aggregate_index(elementary(levels), weights(*BASKETS), chain="double")
    found = grid(made.contributions.filter(made.contributions.of == "_T"), "year")
    (_, first), (_, second) = BASKETS
    w1, w2 = np.array(first) / np.sum(first), np.array(second) / np.sum(second)
    jan0, dec, jan = (MONTHS.index(one) for one in ("2024-01", "2024-12", "2025-01"))
    for t in range(jan + 1, len(MONTHS)):
        before = levels[t - 12] / levels[jan0]
        all_before, all_dec = np.sum(w1 * before), np.sum(w1 * levels[dec] / levels[jan0])
        all_jan = np.sum(w2 * levels[jan] / levels[dec])
        terms = w1 * (levels[dec] / levels[jan0] - before) / all_before
        terms += w2 * (levels[jan] / levels[dec] - 1) / all_before * all_dec
        terms += w2 * (levels[t] / levels[jan] - 1) / all_before * all_jan * all_dec
        for leaf, term in zip(LEAVES, 100 * terms, strict=True):
            assert found[leaf][t] == pytest.approx(term, abs=1e-12)


def test_columns_of_the_result_are_contributions_to_the_top():
    made = aggregate_index(elementary(walks()), weights(*BASKETS))
    top = made.contributions.filter(made.contributions.of == "_T")
    for ours, theirs in (("contribution_previous", "previous"), ("contribution_year", "year")):
        columns, table = grid(made.result, ours), grid(top, theirs)
        for group in set(UNDER) - {"_T"}:
            np.testing.assert_array_equal(columns[group], table[group])
    shares = grid(made.result, "weight")
    np.testing.assert_allclose(sum(shares[leaf][1:] for leaf in LEAVES), 1, rtol=1e-14)
    np.testing.assert_allclose([shares[leaf][1] for leaf in LEAVES], np.array(BASKETS[0][1]) / 100, rtol=1e-14)


@settings(max_examples=15, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    unit=st.floats(1e-3, 1e6),
    holes=st.lists(st.tuples(st.integers(1, 24), st.integers(0, 4)), max_size=20),
    chain=st.sampled_from(["single", "double"]),
)
def test_invariants(seed, unit, holes, chain):
    """With any holes: within the range of the changes, the unit of weights is free, contributions add up."""
    levels = walks(seed)
    for t, leaf in holes:
        levels[t, leaf] = np.nan
    empty = np.isnan(levels).all(axis=1) | np.isnan(levels[1:] / levels[:-1]).all(axis=1, keepdims=True).any()
    if empty.any():
        return
    scaled = [(link, [unit * one for one in values]) for link, values in BASKETS]
    with collecting():
        made = aggregate_index(elementary(levels), weights(*BASKETS), chain=chain, missing="parent")
        other = aggregate_index(elementary(levels), weights(*scaled), chain=chain, missing="parent")
    index, again = grid(made.result, "index"), grid(other.result, "index")
    for group in UNDER:
        np.testing.assert_allclose(index[group], again[group], rtol=1e-12)
    changes = np.array([index[leaf][1:] / index[leaf][:-1] for leaf in LEAVES])
    total = index["_T"][1:] / index["_T"][:-1]
    assert (total <= changes.max(axis=0) * (1 + 1e-12)).all()
    assert (total >= changes.min(axis=0) * (1 - 1e-12)).all()
    assert_adds_up(made)


def test_a_missing_index_moves_as_the_nearest_group_above_and_returns_to_its_own_level():
    levels = np.ones((4, 5))
    levels[1:, 1], levels[1:, 2] = 1.2, 1.5  # 01.1.2, the sibling of what is missing, and 01.2
    levels[1:3, 0], levels[3, 0] = np.nan, 1.3
    made = aggregate_index(elementary(levels, MONTHS[:4]), weights(("2023-12", [10, 10, 10, 10, 10])), missing="parent")
    series = grid(made.result, "index", MONTHS[:4])["01.1.1"]
    np.testing.assert_allclose(series, [100, 120, 120, 130])
    imputed = grid(made.result, "imputed", MONTHS[:4])
    np.testing.assert_allclose(imputed["01.1.1"], [0, 1, 1, 0])
    np.testing.assert_allclose(imputed["01.1"], [0, 0.5, 0.5, 0])


def test_what_is_imputed_is_measured():
    levels = walks(months=MONTHS[:4])
    levels[2, 0] = np.nan
    with collecting() as found:
        aggregate_index(elementary(levels, MONTHS[:4]), weights(("2023-12", [10, 30, 30, 15, 15])), missing="parent")
    measures = {one.name: one.value for one in found.measures}
    assert 0.05 < measures["Largest share of weight imputed"] < 0.15


def test_a_missing_index_is_refused_by_its_code_and_period():
    levels = walks()
    levels[3, 1] = np.nan
    with pytest.raises(BadData, match=r"no elementary index, or none before it, for 01\.1\.2 in 2024-03"):
        aggregate_index(elementary(levels), weights(*BASKETS))
    levels[3] = np.nan
    with pytest.raises(BadData, match="No elementary index of 2024-03 can be compared"):
        aggregate_index(elementary(levels), weights(*BASKETS), missing="parent")


def test_a_group_enters_at_a_link_and_another_leaves():
    levels = walks()
    levels[MONTHS.index("2024-12") + 1 :, 4] = np.nan  # 02.2 leaves
    levels[: MONTHS.index("2024-12"), 3] = np.nan  # 02.1 enters
    sets = weights(*BASKETS)
    kept = [k for k in range(10) if not (k == 3 or k == 9)]  # 02.1 is not in the first basket, 02.2 not in the second
    sets = {name: [column[k] for k in kept] for name, column in sets.items()}
    made = aggregate_index(elementary(levels), sets)
    index = grid(made.result, "index")
    assert np.isnan(index["02.1"][: MONTHS.index("2024-12")]).all()
    assert index["02.1"][MONTHS.index("2024-12")] == 100
    assert np.isnan(index["02.2"][MONTHS.index("2024-12") + 1 :]).all()
    assert np.isfinite(index["02"]).all()
    assert_adds_up(made)
    back = weights(*BASKETS, ("2025-06", [1, 1, 1, 1, 1]))
    kept = [k for k in range(15) if not (k == 3 or k == 9)]
    with pytest.raises(BadData, match=r"come back at the link 2025-06 that had left the basket: 02\.2"):
        aggregate_index(elementary(walks()), {name: [column[k] for k in kept] for name, column in back.items()})


def test_reference_and_rounding_come_last():
    levels = walks()
    plain = grid(aggregate_index(elementary(levels), weights(*BASKETS)).result, "index")["_T"]
    of_year = aggregate_index(elementary(levels), weights(*BASKETS), reference="2025")
    series = grid(of_year.result, "index")["_T"]
    assert series[-12:].mean() == pytest.approx(100, abs=1e-12)
    np.testing.assert_allclose(series / series[0], plain / plain[0], rtol=1e-14)
    cut = aggregate_index(elementary(levels), weights(*BASKETS), reference="2024-06", decimals=1)
    rounded = grid(cut.result, "index")["_T"]
    assert rounded[MONTHS.index("2024-06")] == 100.0
    np.testing.assert_allclose(rounded, plain / plain[6] * 100, atol=0.05 + 1e-9)
    assert all(round(one, 1) == one for one in rounded)
    before = grid(of_year.contributions, "previous")
    after = grid(cut.contributions, "previous")
    np.testing.assert_array_equal(before["01.2"], after["01.2"])


def test_halves_are_rounded_up():
    months = MONTHS[:2]
    made = aggregate_index(
        {"period": months, "group": ["01", "01"], "index": [100, 100.25]}, {"group": ["01"], "weight": [1]}, decimals=1
    )
    assert grid(made.result, "index", months)["01"][1] == 100.3


def test_weights_of_groups_above_must_add_up():
    levels = walks(months=MONTHS[:2])
    sets = {"group": ["01.1.1", "01.1.2", "01.1", "01.2", "02.1", "02.2"], "weight": [10, 20, 30.4, 30, 25, 15]}
    with pytest.raises(BadData, match=r"01\.1 has the weight 30\.4 at the link 2023-12, what is below it 30\."):
        aggregate_index(elementary(levels, MONTHS[:2]), sets)
    loose = aggregate_index(elementary(levels, MONTHS[:2]), sets, weight_slack=0.02)
    without = aggregate_index(elementary(levels, MONTHS[:2]), weights(("2023-12", [10, 20, 30, 25, 15])))
    np.testing.assert_array_equal(
        grid(loose.result, "index", MONTHS[:2])["_T"], grid(without.result, "index", MONTHS[:2])["_T"]
    )


def test_the_same_group_twice_in_a_basket_is_refused():
    doubled = {"group": ["01", "01"], "weight": [1, 2]}
    with pytest.raises(BadData, match="01 has several weights at the link 2023-12"):
        aggregate_index({"period": MONTHS[:1], "group": ["01"], "index": [1]}, doubled)


def test_what_cannot_be_aggregated_is_refused_by_its_codes():
    levels = walks()
    table = elementary(levels)
    with pytest.raises(BadData, match=r"Elementary indices have no weight: 02\.2"):
        aggregate_index(table, weights(("2023-12", [1, 1, 1, 1]), leaves=LEAVES[:4]))
    both = {name: [*column, extra] for (name, column), extra in zip(table.items(), ["2023-12", "01", 1], strict=True)}
    with pytest.raises(BadData, match="groups that are sums of others with weights: 01"):
        aggregate_index(both, weights(*BASKETS))
    with pytest.raises(BadData, match="No basket holds from 2023-12: the first is linked over 2024-01"):
        aggregate_index(table, weights(("2024-01", [1, 1, 1, 1, 1])))
    with pytest.raises(BadData, match="linked over 2026-12, where there is no elementary index"):
        aggregate_index(table, weights(*BASKETS, ("2026-12", [1, 1, 1, 1, 1])))
    with pytest.raises(BadData, match="2023 cannot be a reference: 1 of 12 periods are there"):
        aggregate_index(table, weights(*BASKETS), reference="2023")
    with pytest.raises(BadData, match="1999 cannot be a reference: it is not there"):
        aggregate_index(table, weights(*BASKETS, price_reference="1999"))
    gap = {
        name: [one for one, at in zip(column, table["period"], strict=True) if at != "2024-05"]
        for name, column in table.items()
    }
    with pytest.raises(BadData, match="no data between 2024-04 and 2024-06"):
        aggregate_index(gap, weights(*BASKETS))


def test_a_double_link_needs_months():
    quarters = {"period": ["2024-Q4", "2025-Q1"], "group": ["01", "01"], "index": [1, 2]}
    with pytest.raises(BadCall, match="the periods are not months"):
        aggregate_index(quarters, {"group": ["01"], "weight": [1]}, chain="double")


def test_weekly_indices_compare_with_the_same_week_a_year_ago():
    weeks = [f"2024-W{week:02d}" for week in range(1, 53)] + ["2025-W01", "2025-W02"]
    levels = walks(3, weeks)
    made = aggregate_index(elementary(levels, weeks), weights(("2024-W01", [1, 2, 3, 4, 5])))
    index, year = grid(made.result, "index", weeks)["_T"], grid(made.result, "contribution_year", weeks)["_T"]
    assert np.isnan(year[:52]).all()
    np.testing.assert_allclose(year[52:], 100 * (index[52:] / index[:2] - 1), atol=1e-12)
