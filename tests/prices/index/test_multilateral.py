"""Multilateral indices from sums over products: as by their definitions, transitive, without chain drift."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from markets import dense, months, random_market

from statcommons.core.errors import BadCall, BadData
from statcommons.prices.index import bilateral, formulas
from statcommons.prices.index.extension import SPLICES, extend, windows_of, year_end
from statcommons.prices.index.multilateral import (
    FORMULAS,
    Recipe,
    geks,
    ln_index,
    multilateral_series,
    window_levels,
)
from statcommons.prices.index.pairs import PAIR_SUMS, DisconnectedPeriods, Window, pairs
from statcommons.prices.panel import panel

seeds = st.integers(0, 2**32 - 1)
every_formula = pytest.mark.parametrize("formula", FORMULAS)

RECIPES = [Recipe(formula=formula) for formula in FORMULAS] + [
    Recipe(weights="turnover"),
    Recipe("gk"),
    Recipe("tpd"),
    Recipe("tpd", weights="equal"),
    Recipe("lehr"),
]
every_index = pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe.name)


def series(data, recipe, **changes):
    recipe = replace(recipe, **changes)
    return multilateral_series(recipe.pairs(data), recipe)


def index_of(data, recipe, **changes):
    return series(data, recipe, **changes).index


# --- sums -----------------------------------------------------------------------------------------------------------


@every_formula
def test_pair_sums_give_the_bilateral_indices(formula):
    data = dense(*random_market(1))
    expected = np.empty((9, 9))
    for a, b in np.ndindex(9, 9):
        both = bilateral.matched(data, a, b)
        expected[a, b] = np.log(formulas.FORMULAS[formula](both.p0, both.p1, both.q0, both.q1))
    np.testing.assert_allclose(ln_index(pairs(data), formula), expected, atol=1e-13)


def test_pair_sums_count_the_match():
    data = dense(*random_market(2))
    sums = pairs(data)
    for a, b in np.ndindex(9, 9):
        both = bilateral.matched(data, a, b)
        assert sums["n"][a, b] == len(both.p0)
        assert sums["A"][a, b] / sums["A"][a, a] == pytest.approx(both.share_base, rel=1e-13)


@every_index
@given(seed=seeds, cells=st.integers(1, 100))
def test_the_size_of_a_block_changes_nothing(recipe, seed, cells):
    data = dense(*random_market(seed))
    windows = windows_of(data.periods, 5, "mean")
    made = [
        pairs(data, windows=windows, methods=[recipe.sums] if recipe.sums else [], cells=one) for one in (2**20, cells)
    ]
    for name in PAIR_SUMS:
        np.testing.assert_allclose(made[1][name], made[0][name], rtol=1e-12, atol=1e-10)
    for name, one in made[0].of_windows.items():
        np.testing.assert_allclose(made[1].of_windows[name], one, rtol=1e-12, atol=1e-10)


@every_index
@given(seed=seeds, new=st.integers(1, 3), cells=st.integers(1, 100))
def test_new_months_add_to_the_sums_that_are_known(recipe, seed, new, cells):
    prices, quantities = random_market(seed)
    prices[1:3] = 0  # sold in no new month
    prices[1:3, :4] = [[1, 2, 0, 4], [3, 0, 2, 0]]
    wanted = {"methods": [recipe.sums] if recipe.sums else [], "cells": cells}
    whole, part = dense(prices, quantities), dense(prices[:, :-new], quantities[:, :-new])
    known = pairs(part, windows=windows_of(part.periods, 5, "mean"), **wanted)
    windows = windows_of(whole.periods, 5, "mean")
    made, expected = (pairs(whole, windows=windows, known=sums, **wanted) for sums in (known, None))
    for name in PAIR_SUMS:
        np.testing.assert_array_equal(made[name][:-new, :-new], known[name])
        np.testing.assert_allclose(made[name], expected[name], rtol=1e-12, atol=1e-10)
    assert made.of_windows.keys() == expected.of_windows.keys()
    for name, one in expected.of_windows.items():
        np.testing.assert_allclose(made.of_windows[name], one, rtol=1e-12, atol=1e-10)


def test_known_sums_of_other_periods_are_refused():
    data = dense(*random_market(1))
    for known in (pairs(replace(data, periods=months(10)[1:])), pairs(data, sums=["F"])):
        with pytest.raises(BadCall, match="first periods"):
            pairs(data, known=known)


def test_a_window_that_is_named_twice_counts_once():
    data, part = dense(*random_market(1)), Window(0, 5)
    once, twice = (pairs(data, windows=windows, methods=["gk"]) for windows in ([part], [part, part]))
    np.testing.assert_array_equal(twice.of_windows["gk", part], once.of_windows["gk", part])


@every_index
@given(seed=seeds)
def test_sums_of_two_retailers_give_the_index_of_both(recipe, seed):
    """What a retailer gives away is T x T sums; TPD needs to know everybody's turnover first."""
    prices, quantities = random_market(seed)
    mine = np.random.default_rng(seed).random(len(prices)) < 0.5
    mine[:2] = True, False
    parts = [dense(prices[part], quantities[part]) for part in (mine, ~mine)]
    pooled = dense(prices, quantities)
    recipe = replace(recipe, window=5)
    turnover = sum(recipe.pairs(part).turnover for part in parts)
    added = recipe.pairs(parts[0], turnover) + recipe.pairs(parts[1], turnover)
    try:
        expected = index_of(pooled, recipe)
    except BadData as error:
        with pytest.raises(type(error)):
            multilateral_series(added, recipe)
    else:
        np.testing.assert_allclose(multilateral_series(added, recipe).index, expected, rtol=1e-12)


@every_index
@given(seed=seeds)
def test_the_order_of_rows_changes_no_bit(recipe, seed):
    data = dense(*random_market(seed))
    order = np.random.default_rng(seed).permutation(len(data.price))
    shuffled = panel(
        (data.period[order], data.periods),
        (data.product[order], data.products),
        data.price[order],
        data.quantity[order],
    )
    np.testing.assert_array_equal(index_of(shuffled, recipe, window=5), index_of(data, recipe, window=5))


# --- axioms ---------------------------------------------------------------------------------------------------------


@every_index
@given(seed=seeds)
def test_identity(recipe, seed):
    prices, quantities = random_market(seed)
    same = np.where(prices > 0, prices.max(axis=1, keepdims=True), 0)
    np.testing.assert_allclose(index_of(dense(same, quantities), recipe), 1, rtol=1e-11)


@every_index
@given(seed=seeds)
def test_proportionality(recipe, seed):
    prices, quantities = random_market(seed)
    factor = np.random.default_rng(seed).uniform(0.5, 2, prices.shape[1])
    if recipe.weights == "turnover" or recipe.method == "lehr":
        factor[:] = 1.7  # all weights are in money of the period, so that only a common factor leaves them
    plain, scaled = (index_of(dense(one, quantities), recipe) for one in (prices, prices * factor))
    np.testing.assert_allclose(scaled, plain * factor / factor[0], rtol=1e-11)


@every_index
@given(seed=seeds)
def test_units_of_measurement_do_not_matter(recipe, seed):
    prices, quantities = random_market(seed)
    units = np.random.default_rng(seed).uniform(0.01, 100, (len(prices), 1))
    plain, other = dense(prices, quantities), dense(prices / units, quantities * units)
    np.testing.assert_allclose(index_of(other, recipe), index_of(plain, recipe), rtol=1e-10)


@every_index
@given(seed=seeds)
def test_time_reversal(recipe, seed):
    prices, quantities = random_market(seed)
    forth = index_of(dense(prices, quantities), recipe)
    back = index_of(dense(prices[:, ::-1], quantities[:, ::-1]), recipe)
    np.testing.assert_allclose(back, forth[::-1] / forth[-1], rtol=1e-11)


@every_index
def test_a_window_is_transitive(recipe):
    """Whatever period is the base, the index between two others is the same."""
    prices, quantities = random_market(11)
    order = np.array([4, 0, 1, 2, 3, 5, 6, 7, 8])
    plain = index_of(dense(prices, quantities), recipe)
    rebased = index_of(dense(prices[:, order], quantities[:, order]), recipe)
    np.testing.assert_allclose(rebased, plain[order] / plain[4], rtol=1e-11)


@every_formula
@given(seed=seeds)
def test_geks_is_the_mean_of_all_ways_by_a_third_period(formula, seed):
    ln = ln_index(pairs(dense(*random_market(seed))), formula)
    level = geks(ln, months(9))
    ways = np.mean([ln[:, [c]] + ln[[c], :] for c in range(9)], axis=0)
    np.testing.assert_allclose(level[None, :] - level[:, None], ways, atol=1e-12)


# --- definitions ----------------------------------------------------------------------------------------------------


def test_geary_khamis_solves_its_two_equations():
    prices, quantities = random_market(12)
    quantities = np.where(prices > 0, quantities, 0)
    index = index_of(dense(prices, quantities), Recipe("gk"))
    reference = (prices * quantities / index).sum(axis=1) / quantities.sum(axis=1)
    level = (prices * quantities).sum(axis=0) / (reference[:, None] * quantities).sum(axis=0)
    np.testing.assert_allclose(level / level[0], index, rtol=1e-12)


@pytest.mark.parametrize("weights", ["usual", "equal"])
def test_time_product_dummy_is_the_least_squares_solution(weights):
    prices, quantities = random_market(13)
    product, period = np.nonzero(prices)
    value = (prices * quantities)[product, period]
    share = value / np.bincount(period, value)[period]
    root = np.sqrt(share if weights == "usual" else np.ones_like(share))
    dummies = np.column_stack([np.eye(9)[period][:, 1:], np.eye(30)[product]])
    dummies = dummies[:, dummies.any(axis=0)]
    found, *_ = np.linalg.lstsq(dummies * root[:, None], np.log(prices[product, period]) * root, rcond=None)
    index = index_of(dense(prices, quantities), Recipe("tpd", weights=weights))
    np.testing.assert_allclose(np.log(index[1:]), found[:8], atol=1e-12)


def test_lehr_values_quantities_at_the_unit_value_of_the_window():
    prices, quantities = random_market(14)
    quantities = np.where(prices > 0, quantities, 0)
    value = prices * quantities
    unit_value = value.sum(axis=1) / quantities.sum(axis=1)
    level = value.sum(axis=0) / (unit_value[:, None] * quantities).sum(axis=0)
    np.testing.assert_allclose(index_of(dense(prices, quantities), Recipe("lehr")), level / level[0], rtol=1e-12)


def test_weighted_geks_weighs_periods_by_turnover():
    data = dense(*random_market(15))
    ln, value = ln_index(pairs(data)), pairs(data).turnover
    level = (ln * value[:, None]).sum(axis=0) / value.sum()
    np.testing.assert_allclose(index_of(data, Recipe(weights="turnover")), np.exp(level - level[0]), rtol=1e-12)


DRIFT = dense([[1, 0.5, 1, 1], [1, 1, 1, 1]], [[10, 5000, 1, 10], [100] * 4])


@every_index
def test_no_chain_drift_when_prices_and_quantities_return(recipe):
    """Diewert (2021), Scanner data, elementary price indexes and the chain drift problem, table 1."""
    index = index_of(DRIFT, recipe)
    assert index[1] < 0.96
    assert index[3] == pytest.approx(1, abs=1e-13)


@every_index
def test_one_product_is_its_price_relative(recipe):
    np.testing.assert_allclose(index_of(dense([[2, 3, 5]], [[7, 1, 4]]), recipe), [1, 1.5, 2.5])


# --- extensions -----------------------------------------------------------------------------------------------------


@every_index
@pytest.mark.parametrize("splice", SPLICES)
@pytest.mark.parametrize("window", [2, 3, 7, 13])
def test_an_extension_follows_its_definition(recipe, splice, window):
    """P(end; a, b) is the index from a to b out of the window that ends at `end`."""
    n_periods = 16
    data = dense(*random_market(5, n_periods=n_periods))
    recipe = replace(recipe, window=window, splice=splice)
    levels = window_levels(recipe.pairs(data), recipe)

    def index(end, a, b, start=None):
        first = end - window + 1 if start is None else start
        level = levels(Window(first, end + 1))
        return np.exp(level[b - first] - level[a - first])

    if splice in ("fbew", "fbmw"):
        published = [1.0]
        for t in range(1, n_periods):
            december = 11 if t > 11 else 0
            start = december if splice == "fbew" else min(december, max(t - window + 1, 0))
            published.append(published[december] * index(t, december, t, start))
    else:
        published = [index(window - 1, 0, t) for t in range(window)]
    for t in range(len(published), n_periods):
        moves = [index(t, t - k, t) / index(t - 1, t - k, t - 1) for k in range(1, window)]
        jumps = [published[t - k] * index(t, t - k, t) / published[-1] for k in range(1, window)]
        move = {
            "movement": moves[0],
            "window": moves[-1],
            "half": moves[window // 2 - 1],
            "mean": np.prod(moves) ** (1 / (window - 1)),
            "wisp": jumps[-1],
            "hasp": jumps[window // 2 - 1],
            "mean_pub": np.prod(jumps) ** (1 / (window - 1)),
        }
        published.append(published[-1] * move[splice])
    np.testing.assert_allclose(index_of(data, recipe), published, rtol=1e-12)


def test_the_end_of_the_year_before():
    assert year_end(months(26)).tolist() == [0] * 12 + [11] * 12 + [23] * 2
    assert year_end(np.array(["2024-W51", "2024-W52", "2025-W01"])).tolist() == [0, 0, 1]


@pytest.mark.parametrize("window", [9, 10, 25])
@pytest.mark.parametrize("splice", [one for one in SPLICES if one not in ("fbew", "fbmw")])
def test_no_more_periods_than_the_window_are_one_window(splice, window):
    data = dense(*random_market(6))
    level = geks(ln_index(pairs(data)), data.periods)
    np.testing.assert_array_equal(index_of(data, Recipe(window=window, splice=splice)), np.exp(level - level[0]))


@every_index
@pytest.mark.parametrize("splice", SPLICES)
def test_a_new_month_revises_no_published_one(recipe, splice):
    prices, quantities = random_market(7, n_periods=15)
    before, after = (
        index_of(dense(prices[:, :many], quantities[:, :many]), recipe, window=5, splice=splice) for many in (14, 15)
    )
    np.testing.assert_allclose(after[:14], before, rtol=1e-12)


def test_a_price_that_a_splice_passes_on_is_the_price_where_all_agree():
    levels = np.log(np.linspace(1, 3, 20))
    for splice in SPLICES:
        found = extend(lambda part: levels[slice(*part)] + 7.0, months(20), 5, splice)
        np.testing.assert_allclose(found, levels, atol=1e-13)


def test_the_match_is_with_the_first_period_of_the_window():
    data = dense(*random_market(8))
    found = series(data, Recipe(window=4))
    assert found.periods.tolist() == months(9).tolist()
    for t, base in enumerate([0, 0, 0, 0, 1, 2, 3, 4, 5]):
        both = bilateral.matched(data, base, t)
        assert found.matched_products[t] == len(both.p0)
        assert found.matched_share_base[t] == pytest.approx(both.share_base, rel=1e-13)
        assert found.matched_share_current[t] == pytest.approx(both.share_current, rel=1e-13)


# --- what is refused ------------------------------------------------------------------------------------------------

APART = dense([[1, 1, 1, 0], [0, 1, 1, 1]], [[1, 1, 1, 0], [0, 1, 1, 1]])
NEVER = dense([[1, 2, 0, 0], [0, 0, 1, 1]], [[1, 1, 0, 0], [0, 0, 1, 1]])


@every_formula
def test_periods_without_common_product_are_refused_by_name(formula):
    with pytest.raises(BadData, match="sold in both 2023-01 and 2023-04"):
        index_of(APART, Recipe(formula=formula))


@every_formula
def test_such_periods_may_be_compared_by_way_of_the_others(formula):
    prices = [[1, 2, 2, 0], [0, 3, 3, 6]]
    found = index_of(dense(prices, [[1, 1, 1, 0], [0, 1, 1, 1]]), Recipe(formula=formula, link_through=True))
    np.testing.assert_allclose(found, [1, 2, 2, 4])


CONNECTED = [Recipe("gk"), Recipe("tpd"), Recipe("lehr"), Recipe(link_through=True)]


@pytest.mark.parametrize("recipe", CONNECTED, ids=lambda one: one.name)
def test_periods_that_nothing_connects_are_refused_by_name(recipe):
    with pytest.raises(DisconnectedPeriods, match=r"connects 2023-01\.\.2023-02 with 2023-03\.\.2023-04"):
        index_of(NEVER, recipe)


@pytest.mark.parametrize("recipe", [Recipe("gk"), Recipe("tpd")], ids=lambda one: one.name)
def test_regressions_need_no_direct_overlap(recipe):
    np.testing.assert_allclose(index_of(APART, recipe), 1)


@every_formula
def test_only_periods_of_the_same_window_need_a_common_product(formula):
    np.testing.assert_allclose(index_of(APART, Recipe(formula=formula, window=3)), 1)


def test_a_period_without_any_product_is_refused_by_name():
    with pytest.raises(BadData, match=r"No product is sold in 2023-01\."):
        index_of(dense([[0, 1, 1]], [[0, 1, 1]]), Recipe())


@every_index
def test_a_window_does_not_jump_over_a_gap(recipe):
    gap = panel(np.array(["2023-01", "2023-03"]), np.array(["tea", "tea"]), [2, 3], [1, 1])
    with pytest.raises(BadData, match="no data between 2023-01 and 2023-03"):
        index_of(gap, recipe)


def test_sums_over_different_periods_do_not_add_up():
    with pytest.raises(BadCall, match="same periods"):
        pairs(dense([[1, 2]], [[1, 1]])) + pairs(dense([[1, 2, 3]], [[1, 1, 1]]))


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"formula": "tornquist"}, r"'tornquist'.*Did you mean 'tornqvist'"),
        ({"splice": "man"}, r"'man'.*Did you mean 'mean'"),
        ({"window": 1}, "window is 1"),
        ({"method": "gek"}, r"'gek'.*Did you mean 'geks'"),
    ],
)
def test_unknown_options_are_refused(wrong, said):
    with pytest.raises(BadCall, match=said):
        index_of(dense([[1, 2]], [[1, 1]]), Recipe(**wrong))


def test_unknown_sums_are_refused():
    with pytest.raises(BadCall, match="'Z'"):
        pairs(APART, sums=["Z"])
