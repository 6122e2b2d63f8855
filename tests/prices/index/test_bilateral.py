"""Bilateral series against worked examples of the literature: bases, matches, baskets, and what is refused."""

import numpy as np
import pytest

from statcommons.core.errors import BadCall, BadData
from statcommons.core.quality import Notice
from statcommons.prices.index.bilateral import bilateral_series, matched
from statcommons.prices.index.formulas import FORMULAS
from statcommons.prices.panel import panel

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


@pytest.mark.parametrize("base", ["fixed", "previous"])
@pytest.mark.parametrize("formula", [name for name, one in FORMULAS.items() if one.needs != "all products"])
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


def test_unit_value_and_value_are_over_all_products():
    churn = dense([[1, 2], [4, 0], [0, 6]], [[5, 4], [2, 0], [0, 3]])
    before, after = (5 * 1 + 2 * 4) / 7, (4 * 2 + 3 * 6) / 7
    np.testing.assert_allclose(bilateral_series(churn, "unit_value").index, [1, after / before], rtol=1e-15)
    np.testing.assert_allclose(bilateral_series(churn, "value").index, [1, 26 / 13], rtol=1e-15)


# --- the same period a year ago -------------------------------------------------------------------------------------


def months(first, prices, skip=()):
    """One product's panel by month."""
    start = np.datetime64(first, "M")
    labels = [str(start + number) for number in range(len(prices))]
    kept = [number for number, label in enumerate(labels) if label not in skip]
    codes = np.array(["tea"] * len(kept))
    return panel(np.array(labels)[kept], codes, np.array(prices, float)[kept], np.ones(len(kept)))


def test_a_month_is_compared_with_the_same_a_year_ago():
    series = bilateral_series(months("2023-11", range(1, 28)), base="year_ago")
    assert series.periods.tolist() == [
        *(f"2024-{m:02d}" for m in (11, 12)),
        *(f"2025-{m:02d}" for m in range(1, 13)),
        "2026-01",
    ]
    np.testing.assert_allclose(series.index, [(12 + k) / k for k in range(1, 16)], rtol=1e-15)


def test_a_month_without_one_a_year_ago_is_left_out_with_a_notice():
    with pytest.warns(Notice, match=r"left out: 2024-12\.$"):
        series = bilateral_series(months("2023-11", range(1, 16), skip=["2023-12"]), base="year_ago")
    assert series.periods.tolist() == ["2024-11", "2025-01"]


def test_a_week_is_compared_with_the_same_of_the_year_before():
    weeks = np.array(["2019-W52", "2020-W52", "2020-W53", "2021-W01"])
    with pytest.warns(Notice, match="2020-W53, 2021-W01"):
        series = bilateral_series(panel(weeks, np.array(["tea"] * 4), [2, 3, 4, 5], [1] * 4), base="year_ago")
    assert (series.periods.tolist(), series.index.tolist()) == (["2020-W52"], [1.5])


def test_a_year_ago_needs_more_than_a_year_of_months():
    with pytest.raises(BadData, match="No period from 2024-01 to 2024-12 has another a year before"):
        bilateral_series(months("2024-01", range(1, 13)), base="year_ago")
    with pytest.raises(BadCall, match="no year ago"):
        bilateral_series(panel(np.array([1, 2]), np.array(["tea"] * 2), [1, 2], [1, 1]), base="year_ago")


# --- imputed prices -------------------------------------------------------------------------------------------------

CHURN = dense([[1, 2, 3], [4, 6, 0], [0, 5, 8]], [[5, 4, 3], [2, 2, 0], [0, 1, 2]])


def test_a_missing_price_moves_with_the_mean_of_the_matched():
    """By hand: only the first product is sold in the first month and the third; its price trebles."""
    m = matched(CHURN, 0, 2, "imputed")
    np.testing.assert_allclose(m.p0, [1, 4, 8 / 3], rtol=1e-15)
    np.testing.assert_allclose(m.p1, [3, 12, 8], rtol=1e-15)
    np.testing.assert_array_equal([m.q0, m.q1], [[5, 2, 0], [3, 0, 2]])
    assert (m.share_base, m.share_current) == (5 / 13, 9 / 25)


def test_the_mean_of_the_matched_is_geometric_by_turnover():
    m = matched(CHURN, 0, 1, "imputed")
    both = [0, 1]
    change = FORMULAS["tornqvist"](m.p0[both], m.p1[both], m.q0[both], m.q1[both])
    assert m.p0[2] == pytest.approx(5 / change, rel=1e-15)


@pytest.mark.parametrize("formula", [name for name, one in FORMULAS.items() if "P" in one.tests and "I" in one.tests])
def test_imputed_prices_do_not_move_an_index_whose_relatives_are_all_the_same(formula):
    proportional = dense([[1, 3], [4, 12], [0, 8], [6, 0]], [[5, 4], [2, 2], [0, 1], [7, 0]])
    series = bilateral_series(proportional, formula, match="imputed")
    np.testing.assert_allclose(series.index, [1, 3], rtol=1e-14)
    assert series.matched_products.tolist() == [3, 2]
    np.testing.assert_allclose(series.matched_share_current, [1, 36 / 44], rtol=1e-15)


def test_imputation_by_hand_for_laspeyres():
    """Matched, the first product alone counts; imputed, the basket of both is priced."""
    data = dense([[1, 2], [1, 1], [1, 0]], [[1, 1], [1, 1], [2, 0]])
    assert bilateral_series(data, "laspeyres").index[1] == 1.5
    ln = (1 / 2 + 2 / 3) / 2 * np.log(2)
    expected = (2 + 1 + 2 * np.exp(ln)) / 4
    assert bilateral_series(data, "laspeyres", match="imputed").index[1] == pytest.approx(expected, rel=1e-15)


def test_with_all_products_matched_there_is_nothing_to_impute():
    data = dense(BALK_PRICES, BALK_QUANTITIES)
    for formula in FORMULAS:
        plain, imputed = bilateral_series(data, formula), bilateral_series(data, formula, match="imputed")
        np.testing.assert_array_equal(plain.index, imputed.index)


# --- baskets --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("formula", ["lowe", "young", "geometric_lowe", "geometric_young"])
def test_a_basket_is_of_the_first_period_unless_it_is_named(formula):
    data = dense(BALK_PRICES, BALK_QUANTITIES)
    same = bilateral_series(data, formula, basket=("2024-01", "2024-01"))
    np.testing.assert_array_equal(bilateral_series(data, formula).index, same.index)
    of_base = {"lowe": "laspeyres", "young": "laspeyres"}.get(formula, "geometric_laspeyres")
    np.testing.assert_allclose(same.index, bilateral_series(data, of_base).index, rtol=1e-14)


def test_a_basket_sums_its_periods():
    p, q = np.array(BALK_PRICES, float), np.array(BALK_QUANTITIES, float)
    data, basket = dense(p, q), ("2024-02", "2024-04")
    qb, vb = q[:, 1:4].sum(axis=1), (p * q)[:, 1:4].sum(axis=1)
    r = p / p[:, :1]
    weights = p[:, 0] * qb
    expected = {
        "lowe": p.T @ qb / (p[:, 0] @ qb),
        "young": r.T @ vb / vb.sum(),
        "geometric_lowe": np.exp(np.log(r).T @ weights / weights.sum()),
        "geometric_young": np.exp(np.log(r).T @ vb / vb.sum()),
    }
    for formula, index in expected.items():
        np.testing.assert_allclose(bilateral_series(data, formula, basket=basket).index, index, rtol=1e-14)


def test_a_chain_keeps_the_basket():
    data = dense(BALK_PRICES, BALK_QUANTITIES)
    fixed = bilateral_series(data, "lowe", basket=("2024-02", "2024-02"))
    chained = bilateral_series(data, "lowe", "previous", basket=("2024-02", "2024-02"))
    np.testing.assert_allclose(chained.index, fixed.index, rtol=1e-14)  # one basket is transitive


def test_a_product_outside_the_basket_has_no_weight():
    data = dense([[1, 2, 4], [0, 3, 3]], [[1, 1, 1], [0, 1, 1]])
    assert bilateral_series(data, "lowe", "previous").index.tolist() == [1, 2, 4]


def test_a_basket_that_cannot_be_priced_is_refused():
    data = dense([[1, 0, 0], [1, 2, 4]], [[1, 0, 0], [1, 1, 1]])
    with pytest.raises(BadCall, match="no period from 2023-01 to 2023-12"):
        bilateral_series(data, "lowe", basket=("2023-01", "2023-12"))
    with pytest.raises(BadCall, match="fisher index has no basket"):
        bilateral_series(data, "fisher", basket=("2024-01", "2024-01"))
    apart = dense([[1, 0, 0], [0, 2, 4], [1, 1, 1]], [[1, 0, 0], [0, 1, 1], [1, 1, 1]])
    alone = dense([[0, 1, 1], [1, 1, 0]], [[0, 1, 1], [1, 1, 0]])
    assert bilateral_series(apart, "lowe").index.tolist() == [1, 1, 1]
    with pytest.raises(BadData, match="of the basket is sold in both 2024-02 and 2024-03"):
        bilateral_series(alone, "lowe", "previous", basket=("2024-01", "2024-01"))


def test_parameters_reach_their_formula():
    data = dense(BALK_PRICES, BALK_QUANTITIES)
    for formula, name in (("lloyd_moulton", "sigma"), ("ag_mean", "tau")):
        by = [bilateral_series(data, formula, **{name: value}).index[-1] for value in (0, 1)]
        expected = [bilateral_series(data, one).index[-1] for one in ("laspeyres", "geometric_laspeyres")]
        np.testing.assert_allclose(by, expected, rtol=1e-14)


def test_an_unknown_formula_base_or_match_is_refused():
    data = dense([[1, 2]], [[1, 1]])
    with pytest.raises(BadCall, match=r"'fischer'.*Did you mean 'fisher'"):
        bilateral_series(data, "fischer")
    with pytest.raises(BadCall, match="Known: fixed, previous, year_ago"):
        bilateral_series(data, base="last")
    with pytest.raises(BadCall, match="Known: matched, imputed"):
        bilateral_series(data, match="all")
