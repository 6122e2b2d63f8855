"""Bilateral formulas against worked examples of the literature, and the tests of the axiomatic approach."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from statcommons.core.errors import BadCall, BadData
from statcommons.prices.index.bilateral import FORMULAS, bilateral_series, matched
from statcommons.prices.panel import panel

REVERSIBLE = ["fisher", "tornqvist", "walsh", "jevons"]

# Balk (2008), Price and Quantity Index Numbers, tables 3.1 and 3.2; also Producer Price Index Manual (2004), chapter
# 19: six products (rows) in five periods (columns).
BALK_PRICES = [
    [1, 1.2, 1, 0.8, 1],
    [1, 3, 1, 0.5, 1],
    [1, 1.3, 1.5, 1.6, 1.6],
    [1, 0.7, 0.5, 0.3, 0.1],
    [1, 1.4, 1.7, 1.9, 2],
    [1, 0.8, 0.6, 0.4, 0.2],
]
BALK_QUANTITIES = [
    [1, 0.8, 1, 1.2, 0.9],
    [1, 0.9, 1.1, 1.2, 1.2],
    [2, 1.9, 1.8, 1.9, 2],
    [1, 1.3, 3, 6, 12],
    [4.5, 4.7, 5, 5.6, 6.5],
    [0.5, 0.6, 0.8, 1.3, 2.5],
]

# Diewert (2021), Scanner data, elementary price indexes and the chain drift problem, tables 1 and 2: the first of two
# products is on sale in the second period, and its buyers come back only in the fourth.
SALE_PRICES = [[1, 0.5, 1, 1], [1, 1, 1, 1]]
SALE_QUANTITIES = [[10, 5000, 1, 10], [100, 100, 100, 100]]


def dense(prices, quantities):
    """A panel of products (rows) by months (columns); a cell of price 0 is not sold."""
    prices, quantities = np.array(prices, float), np.array(quantities, float)
    product, month = np.nonzero(prices)
    months = np.array([f"2024-{number:02d}" for number in range(1, prices.shape[1] + 1)])
    codes = np.array([f"{number:03d}" for number in range(len(prices))])
    return panel(months[month], codes[product], prices[product, month], quantities[product, month])


@pytest.mark.parametrize(
    ("formula", "expected"),
    [
        ("laspeyres", [1, 1.4200, 1.3450, 1.3550, 1.4400]),
        ("paasche", [1, 1.3824, 1.2031, 1.0209, 0.7968]),
        ("fisher", [1, 1.4011, 1.2721, 1.1762, 1.0712]),
        ("tornqvist", [1, 1.4052, 1.2890, 1.2268, 1.2477]),
        ("walsh", [1, 1.4017, 1.2850, 1.2193, 1.1850]),
        ("jevons", [1, 1.2419, 0.9563, 0.7256, 0.6325]),
    ],
)
def test_balk(formula, expected):
    series = bilateral_series(dense(BALK_PRICES, BALK_QUANTITIES), formula)
    np.testing.assert_allclose(series.index, expected, atol=5.1e-5)


@pytest.mark.parametrize(
    ("formula", "base", "expected"),
    [
        ("fisher", "fixed", [1, 0.698, 1, 1]),
        ("laspeyres", "fixed", [1, 0.955, 1, 1]),
        ("paasche", "fixed", [1, 0.510, 1, 1]),
        ("fisher", "previous", [1, 0.698, 0.979, 0.979]),
        ("tornqvist", "previous", [1, 0.694, 0.972, 0.972]),
        ("laspeyres", "previous", [1, 0.955, 1.872, 1.872]),
        ("paasche", "previous", [1, 0.510, 0.512, 0.512]),
    ],
)
def test_chain_drift_after_a_sale(formula, base, expected):
    series = bilateral_series(dense(SALE_PRICES, SALE_QUANTITIES), formula, base)
    np.testing.assert_allclose(series.index, expected, atol=5.1e-4)


POSITIVE = st.floats(0.01, 1000)


@st.composite
def two_periods(draw):
    n = draw(st.integers(1, 8))
    return tuple(np.array(draw(st.lists(POSITIVE, min_size=n, max_size=n))) for _ in range(4))


@pytest.mark.parametrize("formula", FORMULAS)
@given(data=two_periods())
def test_identity(formula, data):
    p0, _, q0, q1 = data
    assert FORMULAS[formula](p0, p0, q0, q1) == pytest.approx(1, rel=1e-12)


@pytest.mark.parametrize("formula", FORMULAS)
@given(data=two_periods(), factor=POSITIVE)
def test_proportionality(formula, data, factor):
    p0, p1, q0, q1 = data
    index = FORMULAS[formula]
    assert index(p0, factor * p1, q0, q1) == pytest.approx(factor * index(p0, p1, q0, q1), rel=1e-12)


@pytest.mark.parametrize("formula", FORMULAS)
@given(data=two_periods(), seed=st.integers(0, 99))
def test_units_of_measurement_do_not_matter(formula, data, seed):
    p0, p1, q0, q1 = data
    units = np.random.default_rng(seed).uniform(0.1, 10, len(p0))
    index = FORMULAS[formula]
    assert index(p0 / units, p1 / units, q0 * units, q1 * units) == pytest.approx(index(p0, p1, q0, q1), rel=1e-12)


@pytest.mark.parametrize("formula", REVERSIBLE)
@given(data=two_periods())
def test_time_reversal(formula, data):
    p0, p1, q0, q1 = data
    index = FORMULAS[formula]
    assert index(p0, p1, q0, q1) * index(p1, p0, q1, q0) == pytest.approx(1, rel=1e-12)


@given(data=two_periods())
def test_paasche_is_laspeyres_reversed_in_time(data):
    p0, p1, q0, q1 = data
    assert FORMULAS["paasche"](p0, p1, q0, q1) == pytest.approx(1 / FORMULAS["laspeyres"](p1, p0, q1, q0), rel=1e-12)


@pytest.mark.parametrize("formula", FORMULAS)
@given(data=two_periods())
def test_an_index_lies_between_the_least_and_the_greatest_price_relative(formula, data):
    p0, p1, q0, q1 = data
    relatives = p1 / p0
    assert relatives.min() * (1 - 1e-12) <= FORMULAS[formula](p0, p1, q0, q1) <= relatives.max() * (1 + 1e-12)


@pytest.mark.parametrize("formula", FORMULAS)
@given(data=two_periods(), seed=st.integers(0, 99))
def test_the_order_of_products_changes_no_bit(formula, data, seed):
    order = np.random.default_rng(seed).permutation(len(data[0]))
    assert FORMULAS[formula](*(column[order] for column in data)) == FORMULAS[formula](*data)


@pytest.mark.parametrize("formula", FORMULAS)
def test_one_product_is_its_price_relative(formula):
    series = bilateral_series(dense([[2, 3, 5]], [[7, 1, 4]]), formula)
    np.testing.assert_allclose(series.index, [1, 1.5, 2.5], rtol=1e-14)


@pytest.mark.parametrize("base", ["fixed", "previous"])
@pytest.mark.parametrize("formula", FORMULAS)
def test_products_sold_in_one_period_only_change_no_index(formula, base):
    without = dense([[1, 2, 3], [4, 4, 5]], [[5, 4, 3], [2, 2, 1]])
    churn = dense([[1, 2, 3], [4, 4, 5], [9, 0, 0], [0, 7, 0], [0, 0, 8]], [[5, 4, 3], [2, 2, 1], *[[6, 6, 6]] * 3])
    expected, series = bilateral_series(without, formula, base), bilateral_series(churn, formula, base)
    np.testing.assert_array_equal(series.index, expected.index)


def test_match_of_a_fixed_base_and_of_a_chain():
    churn = dense([[1, 1, 1], [3, 0, 3], [0, 9, 3]], [[1, 1, 1], [1, 0, 2], [0, 1, 1]])
    fixed, chained = bilateral_series(churn), bilateral_series(churn, base="previous")
    assert fixed.periods.tolist() == ["2024-01", "2024-02", "2024-03"]
    assert fixed.matched_products.tolist() == [2, 1, 2]
    np.testing.assert_allclose(fixed.matched_share_base, [1, 0.25, 1])
    np.testing.assert_allclose(fixed.matched_share_current, [1, 0.1, 0.7])
    assert chained.matched_products.tolist() == [2, 1, 2]
    np.testing.assert_allclose(chained.matched_share_base, [1, 0.25, 1])
    np.testing.assert_allclose(chained.matched_share_current, [1, 0.1, 0.4])


def test_periods_without_common_product_are_refused_by_name():
    apart = dense([[1, 1, 0], [0, 1, 1]], [[1, 1, 0], [0, 1, 1]])
    with pytest.raises(BadData, match="sold in both 2024-01 and 2024-03"):
        bilateral_series(apart)
    with pytest.raises(BadData, match="sold in both 2024-01 and 2024-03"):
        matched(apart, 0, 2)
    assert bilateral_series(apart, base="previous").index.tolist() == [1, 1, 1]


def test_a_chain_does_not_jump_over_a_gap_but_a_direct_comparison_may():
    gap = panel(np.array(["2024-01", "2024-03"]), np.array(["tea", "tea"]), [2, 3], [1, 1])
    with pytest.raises(BadData, match="no data between 2024-01 and 2024-03"):
        bilateral_series(gap, base="previous")
    assert bilateral_series(gap).index.tolist() == [1, 1.5]


def test_an_unknown_formula_or_base_is_refused():
    data = dense([[1, 2]], [[1, 1]])
    with pytest.raises(BadCall, match=r"'fischer'.*Did you mean 'fisher'"):
        bilateral_series(data, "fischer")
    with pytest.raises(BadCall, match="'fixed' or 'previous'"):
        bilateral_series(data, base="last")
