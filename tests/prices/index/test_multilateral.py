"""GEKS from sums over period pairs: as from bilateral indices one by one, transitive, without chain drift."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from statcommons.core.errors import BadCall, BadData
from statcommons.prices.index import bilateral
from statcommons.prices.index.multilateral import FORMULAS, SPLICES, extend, geks, geks_series, ln_index, pairs
from statcommons.prices.panel import panel


def months(n):
    return np.array([f"{2023 + month // 12}-{month % 12 + 1:02d}" for month in range(n)])


def dense(prices, quantities):
    """A panel of products (rows) by months (columns); a cell of price 0 is not sold."""
    prices, quantities = np.array(prices, float), np.array(quantities, float)
    product, month = np.nonzero(prices)
    codes = np.array([f"{number:03d}" for number in range(len(prices))])
    names = months(prices.shape[1])
    return panel(names[month], codes[product], prices[product, month], quantities[product, month], periods=names)


def random_market(seed, n_products=30, n_periods=9):
    """Prices and quantities with entry and exit; the first product is always sold."""
    rng = np.random.default_rng(seed)
    shape = (n_products, n_periods)
    prices = np.exp(rng.normal(1, 0.5, (n_products, 1)) + rng.normal(0, 0.2, shape))
    sold = rng.random(shape) < 0.7
    sold[0] = True
    return np.where(sold, prices, 0), rng.uniform(1, 100, shape)


seeds = st.integers(0, 2**32 - 1)
every_formula = pytest.mark.parametrize("formula", FORMULAS)


@every_formula
def test_pair_sums_give_the_bilateral_indices(formula):
    data = dense(*random_market(1))
    expected = np.empty((9, 9))
    for a, b in np.ndindex(9, 9):
        both = bilateral.matched(data, a, b)
        expected[a, b] = np.log(bilateral.FORMULAS[formula](both.p0, both.p1, both.q0, both.q1))
    np.testing.assert_allclose(ln_index(pairs(data), formula), expected, atol=1e-13)


def test_pair_sums_count_the_match():
    data = dense(*random_market(2))
    sums = pairs(data)
    for a, b in np.ndindex(9, 9):
        both = bilateral.matched(data, a, b)
        assert sums.n[a, b] == len(both.p0)
        assert sums.A[a, b] / sums.A[a, a] == pytest.approx(both.share_base, rel=1e-13)


@given(seed=seeds, cells=st.integers(1, 100))
def test_the_size_of_a_block_changes_nothing(seed, cells):
    data = dense(*random_market(seed))
    whole, parts = pairs(data), pairs(data, cells)
    for name in "ABCFRJn":
        np.testing.assert_allclose(getattr(parts, name), getattr(whole, name), rtol=1e-12, atol=1e-10)


@given(seed=seeds)
def test_sums_of_two_sets_of_products_add_up(seed):
    prices, quantities = random_market(seed)
    mine = np.random.default_rng(seed).random(len(prices)) < 0.5
    mine[:2] = True, False
    added = pairs(dense(prices[mine], quantities[mine])) + pairs(dense(prices[~mine], quantities[~mine]))
    whole = pairs(dense(prices, quantities))
    for name in "ABCFRJn":
        np.testing.assert_allclose(getattr(added, name), getattr(whole, name), rtol=1e-12, atol=1e-10)
    for formula in FORMULAS:
        np.testing.assert_allclose(geks_series(added, formula).index, geks_series(whole, formula).index, rtol=1e-12)


@given(seed=seeds)
def test_the_order_of_rows_changes_no_bit(seed):
    data = dense(*random_market(seed))
    order = np.random.default_rng(seed).permutation(len(data.price))
    shuffled = panel(
        (data.period[order], data.periods),
        (data.product[order], data.products),
        data.price[order],
        data.quantity[order],
    )
    for name in "ABCFRJn":
        np.testing.assert_array_equal(getattr(pairs(shuffled, cells=20), name), getattr(pairs(data, cells=20), name))


@every_formula
@given(seed=seeds)
def test_identity(formula, seed):
    prices, quantities = random_market(seed)
    same = np.where(prices > 0, prices.max(axis=1, keepdims=True), 0)
    np.testing.assert_allclose(geks_series(pairs(dense(same, quantities)), formula).index, 1, rtol=1e-12)


@every_formula
@given(seed=seeds)
def test_proportionality(formula, seed):
    prices, quantities = random_market(seed)
    factor = np.random.default_rng(seed).uniform(0.5, 2, prices.shape[1])
    plain = geks_series(pairs(dense(prices, quantities)), formula).index
    scaled = geks_series(pairs(dense(prices * factor, quantities)), formula).index
    np.testing.assert_allclose(scaled, plain * factor / factor[0], rtol=1e-12)


@every_formula
@given(seed=seeds)
def test_units_of_measurement_do_not_matter(formula, seed):
    prices, quantities = random_market(seed)
    units = np.random.default_rng(seed).uniform(0.01, 100, (len(prices), 1))
    plain = geks_series(pairs(dense(prices, quantities)), formula).index
    np.testing.assert_allclose(
        geks_series(pairs(dense(prices / units, quantities * units)), formula).index, plain, rtol=1e-11
    )


@every_formula
@given(seed=seeds)
def test_time_reversal(formula, seed):
    prices, quantities = random_market(seed)
    forth = geks_series(pairs(dense(prices, quantities)), formula).index
    back = geks_series(pairs(dense(prices[:, ::-1], quantities[:, ::-1])), formula).index
    np.testing.assert_allclose(back, forth[::-1] / forth[-1], rtol=1e-12)


@every_formula
@given(seed=seeds)
def test_transitivity(formula, seed):
    """The index from a to b is the mean of all ways by a third period, so that chaining gives the direct index."""
    ln = ln_index(pairs(dense(*random_market(seed))), formula)
    names = months(9)
    index = np.exp(geks(ln, names)[None, :] - geks(ln, names)[:, None])
    chained = index[:, :, None] * index[None, :, :]
    np.testing.assert_allclose(chained, np.broadcast_to(index[:, None, :], chained.shape), rtol=1e-12)
    ways = np.exp(np.mean([ln[:, [c]] + ln[[c], :] for c in range(9)], axis=0))
    np.testing.assert_allclose(index, ways, rtol=1e-12)


@every_formula
def test_no_chain_drift_when_prices_and_quantities_return(formula):
    """Diewert (2021), Scanner data, elementary price indexes and the chain drift problem, table 1."""
    series = geks_series(pairs(dense([[1, 0.5, 1, 1], [1, 1, 1, 1]], [[10, 5000, 1, 10], [100] * 4])), formula)
    assert series.index[1] < 0.8
    assert series.index[3] == pytest.approx(1, abs=1e-14)


@every_formula
def test_one_product_is_its_price_relative(formula):
    np.testing.assert_allclose(geks_series(pairs(dense([[2, 3, 5]], [[7, 1, 4]])), formula).index, [1, 1.5, 2.5])


@pytest.mark.parametrize("splice", SPLICES)
@pytest.mark.parametrize("window", [2, 3, 4, 7])
def test_a_splice_follows_its_definition(splice, window):
    """P(end; a, b) is the index from a to b out of the window that ends at `end`."""
    n_periods = 12
    names = months(n_periods)
    ln = ln_index(pairs(dense(*random_market(5, n_periods=n_periods))))

    def index(end, a, b):
        inside = range(end - window + 1, end + 1)
        return np.exp(np.mean([ln[c, b] - ln[c, a] for c in inside]))

    published = [index(window - 1, 0, t) for t in range(window)]
    for t in range(window, n_periods):
        moves = [index(t, t - k, t) / index(t - 1, t - k, t - 1) for k in range(1, window)]
        move = {
            "movement": moves[0],
            "window": moves[-1],
            "half": moves[window // 2 - 1],
            "mean": np.prod(moves) ** (1 / (window - 1)),
        }
        published.append(published[-1] * move[splice])
    np.testing.assert_allclose(np.exp(extend(ln, names, window, splice)), published, rtol=1e-12)


@pytest.mark.parametrize("window", [9, 10, 25])
@pytest.mark.parametrize("splice", SPLICES)
def test_no_more_periods_than_the_window_are_one_window(splice, window):
    sums = pairs(dense(*random_market(6)))
    level = geks(ln_index(sums), sums.periods)
    np.testing.assert_array_equal(geks_series(sums, window=window, splice=splice).index, np.exp(level - level[0]))


@pytest.mark.parametrize("splice", SPLICES)
def test_a_new_month_revises_no_published_one(splice):
    prices, quantities = random_market(7)
    before = geks_series(pairs(dense(prices[:, :8], quantities[:, :8])), window=5, splice=splice).index
    after = geks_series(pairs(dense(prices, quantities)), window=5, splice=splice).index
    np.testing.assert_allclose(after[:8], before, rtol=1e-13)


def test_the_match_is_with_the_first_period_of_the_window():
    data = dense(*random_market(8))
    series = geks_series(pairs(data), window=4)
    assert series.periods.tolist() == months(9).tolist()
    for t, base in enumerate([0, 0, 0, 0, 1, 2, 3, 4, 5]):
        both = bilateral.matched(data, base, t)
        assert series.matched_products[t] == len(both.p0)
        assert series.matched_share_base[t] == pytest.approx(both.share_base, rel=1e-13)
        assert series.matched_share_current[t] == pytest.approx(both.share_current, rel=1e-13)


APART = dense([[1, 1, 1, 0], [0, 1, 1, 1]], [[1, 1, 1, 0], [0, 1, 1, 1]])


@every_formula
def test_periods_without_common_product_are_refused_by_name(formula):
    with pytest.raises(BadData, match="sold in both 2023-01 and 2023-04"):
        geks_series(pairs(APART), formula)


@every_formula
def test_only_periods_of_the_same_window_need_a_common_product(formula):
    np.testing.assert_allclose(geks_series(pairs(APART), formula, window=3).index, 1)


def test_a_period_without_any_product_is_refused_by_name():
    with pytest.raises(BadData, match=r"No product is sold in 2023-01\."):
        geks_series(pairs(dense([[0, 1, 1]], [[0, 1, 1]])))


def test_a_window_does_not_jump_over_a_gap():
    gap = panel(np.array(["2023-01", "2023-03"]), np.array(["tea", "tea"]), [2, 3], [1, 1])
    with pytest.raises(BadData, match="no data between 2023-01 and 2023-03"):
        geks_series(pairs(gap))


def test_sums_over_different_periods_do_not_add_up():
    with pytest.raises(BadCall, match="different periods"):
        pairs(dense([[1, 2]], [[1, 1]])) + pairs(dense([[1, 2, 3]], [[1, 1, 1]]))


def test_unknown_options_are_refused():
    sums = pairs(dense([[1, 2]], [[1, 1]]))
    with pytest.raises(BadCall, match=r"'tornquist'.*Did you mean 'tornqvist'"):
        geks_series(sums, "tornquist")
    with pytest.raises(BadCall, match=r"'man'.*Did you mean 'mean'"):
        geks_series(sums, splice="man")
    with pytest.raises(BadCall, match="window is 1"):
        geks_series(sums, window=1)
