"""Similarity linking, against the definitions computed pair by pair."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from markets import dense, random_market

from statcommons.core.errors import BadCall, BadData
from statcommons.prices.index.bilateral import matched
from statcommons.prices.index.formulas import FORMULAS
from statcommons.prices.index.similarity import DISSIMILARITIES, dissimilarity, links, similarity_series

every_measure = pytest.mark.parametrize("measure", DISSIMILARITIES)
seeds = st.integers(0, 2**32 - 1)


def market(seed, n_products=20, n_periods=7):
    prices, quantities = random_market(seed, n_products, n_periods)
    return prices, np.where(prices > 0, quantities, 0)


def fisher(both):
    return FORMULAS["fisher"](both.p0, both.p1, both.q0, both.q1)


def by_hand(data, prices, quantities, measure, r, t):
    both = matched(data, r, t)
    p0, p1, q0, q1 = both.p0, both.p1, both.q0, both.q1
    s0, s1 = p0 * q0 / (p0 @ q0), p1 * q1 / (p1 @ q1)
    mean, change = (s0 + s1) / 2, p1 / p0 / fisher(both)
    if measure == "spread":
        return abs(np.log((p1 @ q0) / (p0 @ q0)) - np.log((p1 @ q1) / (p0 @ q1)))
    if measure == "log_quadratic":
        return mean @ np.log(change) ** 2
    if measure == "asymptotic_linear":
        return mean @ (change + 1 / change - 2)
    if measure == "spq":
        from_prices = mean @ ((s1 - p0 * q1 / (p0 @ q1)) ** 2 + (s0 - p1 * q0 / (p1 @ q0)) ** 2)
        from_quantities = mean @ ((s1 - p1 * q0 / (p1 @ q0)) ** 2 + (s0 - p0 * q1 / (p0 @ q1)) ** 2)
        return min(from_prices, from_quantities)
    p0, p1, q0, q1 = prices[:, r], prices[:, t], quantities[:, r], quantities[:, t]
    s0, s1 = p0 * q0 / (p0 @ q0), p1 * q1 / (p1 @ q1)
    return ((s1 - p0 * q1 / (p0 @ q1)) ** 2).sum() + ((s0 - p1 * q0 / (p1 @ q0)) ** 2).sum()


@every_measure
@given(seed=seeds, cells=st.integers(1, 200))
def test_a_dissimilarity_follows_its_definition(measure, seed, cells):
    prices, quantities = market(seed)
    data = dense(prices, quantities)
    found = dissimilarity(data, measure, cells)
    for r, t in np.ndindex(found.shape):
        assert found[r, t] == pytest.approx(by_hand(data, prices, quantities, measure, r, t), abs=1e-12, rel=1e-9)


@every_measure
@given(seed=seeds)
def test_proportional_prices_are_alike(measure, seed):
    prices, quantities = market(seed, n_periods=1)
    both = np.concatenate([quantities, quantities[::-1] + 1], axis=1) * (prices > 0)
    found = dissimilarity(dense(prices * [[1, 3]], both), measure)
    np.testing.assert_allclose(found, 0, atol=1e-12)


@given(seed=seeds)
def test_spq_calls_proportional_quantities_alike(seed):
    prices, quantities = market(seed, n_periods=2)
    prices = np.where(prices.min(axis=1, keepdims=True) > 0, prices, 0)
    found = dissimilarity(dense(prices, quantities[:, :1] * [[1, 3]]), "spq")
    np.testing.assert_allclose(found, 0, atol=1e-12)


@every_measure
@given(seed=seeds)
def test_the_series_follows_its_links(measure, seed):
    prices, quantities = market(seed)
    data = dense(prices, quantities)
    unlike = dissimilarity(data, measure)
    index = similarity_series(data, measure).index
    expected = [1.0]
    for t in range(1, 7):
        link = int(np.flatnonzero(unlike[t, :t] == unlike[t, :t].min())[-1])
        expected.append(expected[link] * fisher(matched(data, link, t)))
    np.testing.assert_allclose(index, expected, rtol=1e-12)


@given(seed=seeds)
def test_a_spanning_tree_is_as_short_as_any(seed):
    """Kruskal's tree, built from the shortest links on, has the same length as ours."""
    data = dense(*market(seed))
    unlike = dissimilarity(data, "log_quadratic")
    link = links(unlike, data.periods, "spanning")
    group, length = list(range(7)), 0.0
    for a, b in sorted(zip(*np.triu_indices(7, 1), strict=True), key=lambda pair: unlike[pair]):
        if group[a] != group[b]:
            length += unlike[a, b]
            group = [group[a] if one == group[b] else one for one in group]
    assert sum(unlike[t, link[t]] for t in range(1, 7)) == pytest.approx(length)
    assert np.isfinite(similarity_series(data, "log_quadratic", "spanning").index).all()


@every_measure
def test_it_does_not_drift_when_prices_return(measure):
    data = dense([[1, 0.5, 1, 1], [1, 1, 1, 1]], [[10, 5000, 1, 10], [100] * 4])
    assert similarity_series(data, measure).index[3] == pytest.approx(1, abs=1e-14)


def test_a_period_without_link_is_refused_by_name():
    apart = dense([[1, 1, 0], [0, 0, 1]], [[1, 1, 0], [0, 0, 1]])
    with pytest.raises(BadData, match="2023-03 shares no product"):
        similarity_series(apart)
    with pytest.raises(BadData, match="connects"):
        similarity_series(apart, tree="spanning")


def test_an_unknown_measure_is_refused():
    with pytest.raises(BadCall, match="Did you mean 'log_quadratic'"):
        dissimilarity(dense([[1, 2]], [[1, 1]]), "log_quadratik")
