"""Contributions of products: as by their definitions, and adding up for every index, splice and pair of periods."""

import math
from dataclasses import replace

import markets
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markets import dense

from statcommons.core.errors import BadCall, BadData
from statcommons.prices.audit.contributions import (
    bilateral_contributions,
    direct_contributions,
    index_contributions,
    moves,
    percentage_points,
    within_aggregate,
)
from statcommons.prices.index import bilateral, formulas
from statcommons.prices.index.extension import SPLICES, extend
from statcommons.prices.index.multilateral import FORMULAS, Recipe, multilateral_series

RECIPES = [
    *(Recipe(formula=formula) for formula in FORMULAS),
    Recipe(weights="turnover"),
    Recipe("gk"),
    Recipe("tpd"),
    Recipe("tpd", weights="equal"),
    Recipe("lehr"),
]
every_index = pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe.name)
every_formula = pytest.mark.parametrize("formula", FORMULAS)
seeds = st.integers(0, 2**32 - 1)


def random_market(seed, n_products=20, n_periods=20):
    """Prices and quantities, fewer products than elsewhere."""
    return markets.random_market(seed, n_products, n_periods)


def published(data, recipe):
    return np.log(multilateral_series(recipe.pairs(data), recipe).index)


# --- two periods ----------------------------------------------------------------------------------------------------


@every_formula
@given(seed=seeds)
def test_parts_of_a_bilateral_index_add_up_and_reverse(formula, seed):
    rng = np.random.default_rng(seed)
    p0, p1, q0, q1 = np.exp(rng.normal(0, 1, (4, rng.integers(1, 30))))
    parts = bilateral_contributions(p0, p1, q0, q1, formula)
    assert abs(math.fsum(parts) - math.log(formulas.FORMULAS[formula](p0, p1, q0, q1))) < 1e-12
    np.testing.assert_allclose(bilateral_contributions(p1, p0, q1, q0, formula), -parts, atol=1e-14)
    assert (np.sign(parts) == np.sign(p1 - p0)).all()  # a product pulls the index the way that its own price went


def test_a_formula_that_is_not_split_is_refused():
    with pytest.raises(BadCall, match="no contributions to the index 'carli'"):
        bilateral_contributions(*np.ones((4, 2)), "carli")
    data = dense(*random_market(3, n_periods=4))
    for recipe in (Recipe(formula="carli"), Recipe("cpd")):
        with pytest.raises(BadCall, match="There is no"):
            index_contributions(data, recipe, 0, 1)


@every_formula
def test_only_matched_products_contribute_to_two_periods_compared(formula):
    prices, quantities = random_market(4)
    data = dense(prices, quantities)
    both = bilateral.matched(data, 2, 9)
    parts = direct_contributions(data, formula, 2, 9)
    expected = np.zeros(len(prices))
    expected[both.product] = bilateral_contributions(*both[:4], formula)
    np.testing.assert_array_equal(parts, expected)
    np.testing.assert_allclose(direct_contributions(data, formula, 9, 2), -expected, atol=1e-14)
    assert not direct_contributions(data, formula, 3, 3).any()


def test_two_periods_without_a_common_product_are_refused_by_name():
    data = dense(np.array([[1.0, 1, 0], [0, 1, 1]]), np.ones((2, 3)))
    with pytest.raises(BadData, match="No product is sold in both 2023-01 and 2023-03"):
        direct_contributions(data, "fisher", 0, 2)


# --- windows --------------------------------------------------------------------------------------------------------


def test_ccdi_is_split_as_by_webster_and_tarnow_mordi():
    prices, quantities = random_market(5, n_periods=8)
    data, (a, b) = dense(prices, quantities), (1, 6)
    sold, values = prices > 0, prices * quantities
    log = np.log(np.where(sold, prices, 1))
    expected = np.zeros(len(prices))
    for tau in range(8):
        for end, sign in ((b, 1), (a, -1)):
            both = sold[:, tau] & sold[:, end]
            share = [np.where(both, values[:, t], 0) / values[both, t].sum() for t in (tau, end)]
            expected += sign / 8 * sum(share) / 2 * (log[:, end] - log[:, tau])
    np.testing.assert_allclose(index_contributions(data, Recipe(window=8), a, b), expected, atol=1e-15)


def test_tpd_is_the_regression_that_least_squares_finds():
    """Residuals and effects from a regression with all dummies in the test, as no window sum is."""
    prices, quantities = random_market(6, n_products=8, n_periods=6)
    data, (a, b) = dense(prices, quantities), (1, 4)
    product, period = np.nonzero(prices)
    share = (prices * quantities / (prices * quantities).sum(axis=0))[product, period]
    dummies = np.zeros((len(product), 14))
    dummies[np.arange(len(product)), product] = 1
    dummies[np.arange(len(product)), 8 + period] = 1
    log = np.log(prices[product, period])
    effects = np.linalg.lstsq(dummies * np.sqrt(share)[:, None], log * np.sqrt(share), rcond=None)[0]
    middle = (effects[8 + a] + effects[8 + b]) / 2
    expected = np.zeros(8)
    for t, sign in ((b, 1), (a, -1)):
        here = period == t
        expected[product[here]] += sign * share[here] * (log[here] - effects[product[here]] - middle)
    np.testing.assert_allclose(index_contributions(data, Recipe("tpd", window=6), a, b), expected, atol=1e-13)


@pytest.mark.parametrize("recipe", [Recipe("gk"), Recipe("tpd")], ids=lambda recipe: recipe.name)
def test_where_all_prices_move_alike_each_product_contributes_its_mean_share(recipe):
    """A common movement of prices of products that all are sold, at quantities that stay."""
    rng = np.random.default_rng(7)
    level, base, quantity = np.array([1.0, 1.3, 0.9, 1.7]), np.exp(rng.normal(0, 1, 6)), rng.uniform(1, 9, 6)
    data = dense(np.outer(base, level), np.outer(quantity, np.ones(4)))
    share = base * quantity / (base * quantity).sum()
    np.testing.assert_allclose(index_contributions(data, recipe, 0, 3), share * math.log(1.7), atol=1e-14)


@pytest.mark.parametrize("method", ["gk", "tpd", "lehr"])
def test_a_product_off_its_reference_price_contributes_when_it_appears(method):
    """New in the second month and dear against the third: it raises the index of the second."""
    data = dense(np.array([[1.0, 1, 1], [0, 2, 1]]), np.array([[9.0, 9, 9], [1, 1, 9]]))
    assert index_contributions(data, Recipe(method, window=3), 0, 1)[1] > 0.01


# --- the published index --------------------------------------------------------------------------------------------


@every_index
@pytest.mark.parametrize("splice", SPLICES)
@settings(max_examples=15)
@given(seed=seeds, window=st.integers(2, 24), ends=st.tuples(st.integers(0, 19), st.integers(0, 19)))
def test_contributions_add_up_to_the_published_index(recipe, splice, seed, window, ends):
    data = dense(*random_market(seed))
    recipe = replace(recipe, window=window, splice=splice)
    index = published(data, recipe)
    parts = index_contributions(data, recipe, *ends)
    assert abs(math.fsum(parts) - (index[ends[1]] - index[ends[0]])) < 1e-12
    np.testing.assert_allclose(index_contributions(data, recipe, *ends[::-1]), -parts, atol=1e-12)


@pytest.mark.parametrize("splice", SPLICES)
@given(seed=seeds, window=st.integers(2, 10), ends=st.tuples(st.integers(0, 19), st.integers(0, 19)))
def test_moves_make_the_published_index_whatever_the_levels(splice, seed, window, ends):
    """Every level of every window is another number, so that no two terms can be mixed up."""
    rng, made = np.random.default_rng(seed), {}

    def level(part):
        return made.setdefault(part, rng.normal(size=part.stop - part.start))

    periods = dense(*random_market(1)).periods
    index = extend(level, periods, window, splice)
    total = 0.0
    for part, weights in moves(periods, window, splice, *ends).items():
        total += (weights * (level(part)[None, :] - level(part)[:, None])).sum()
    assert total == pytest.approx(index[ends[1]] - index[ends[0]], abs=1e-11)


def test_periods_compared_by_way_of_others():
    """Three generations of products, of which the first and the third never meet."""
    prices = np.array([[1.0, 1.1, 0, 0, 0], [2, 2.1, 2.2, 0, 0], [0, 3, 3.3, 3.2, 0], [0, 0, 4, 4.2, 4.4]])
    data = dense(prices, np.arange(1.0, 21).reshape(4, 5))
    recipe = Recipe(window=5, link_through=True)
    index = published(data, recipe)
    for a, b in np.ndindex(5, 5):
        assert index_contributions(data, recipe, a, b).sum() == pytest.approx(index[b] - index[a], abs=1e-14)
    with pytest.raises(BadData, match="No product is sold in both 2023-01 and 2023-04"):
        index_contributions(data, replace(recipe, link_through=False), 0, 4)


def test_a_window_that_no_move_uses_need_not_be_connected():
    """From the fourth month on all products are others, and between earlier months nothing changes by that."""
    prices, _ = random_market(9, n_products=6, n_periods=4)
    apart = np.block([[prices, np.zeros((6, 2))], [np.zeros((6, 4)), prices[:, :2]]])
    data = dense(apart, np.ones((12, 6)) * 2)
    recipe = Recipe(window=2, splice="movement")
    assert index_contributions(data, recipe, 0, 3)[6:].tolist() == [0] * 6
    with pytest.raises(BadData, match="No product is sold in both 2023-04 and 2023-05"):
        index_contributions(data, recipe, 0, 5)


@every_index
def test_the_order_and_the_names_of_products_do_not_matter(recipe):
    prices, quantities = random_market(10)
    order = np.random.default_rng(1).permutation(len(prices))
    parts = index_contributions(dense(prices, quantities), replace(recipe, window=9), 3, 17)
    again = index_contributions(dense(prices[order], quantities[order]), replace(recipe, window=9), 3, 17)
    np.testing.assert_allclose(again, parts[order], atol=1e-13)


# --- percentage points and groups -----------------------------------------------------------------------------------


@given(parts=st.lists(st.floats(-2, 2), min_size=1, max_size=30))
def test_percentage_points_add_up_to_the_change(parts):
    points = percentage_points(np.array(parts))
    assert math.fsum(points) == pytest.approx(100 * math.expm1(math.fsum(parts)), abs=1e-9, rel=1e-12)


def test_percentage_points_of_products_that_make_up_for_one_another():
    assert percentage_points(np.array([0.5, -0.5])).tolist() == [50, -50]


@given(seed=seeds)
def test_products_within_an_aggregate_add_up_to_each_group(seed):
    rng = np.random.default_rng(seed)
    group = rng.choice(["01.1", "01.2", "02.1"], 30)
    of_group = dict(zip(["01.1", "01.2", "02.1"], rng.normal(0, 2, 3).tolist(), strict=True))
    parts = within_aggregate(rng.uniform(0.1, 1, 30), group, of_group)
    for name in np.unique(group):
        assert math.fsum(parts[group == name]) == pytest.approx(of_group[name], abs=1e-12)


def test_groups_that_do_not_fit_the_aggregate_are_refused():
    with pytest.raises(BadData, match=r"Group 02 has no contribution"):
        within_aggregate([1.0], ["02"], {"01": 1.0})
    with pytest.raises(BadData, match=r"Group 01 contributes 2 to the whole"):
        within_aggregate([0.0], ["01"], {"01": 2.0})
    assert within_aggregate([0.0], ["01"], {"01": 0.0}).tolist() == [0]
