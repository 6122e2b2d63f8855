"""Hedonic indices, against the regression written out, and where products differ only by what is known of them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from statcommons.core.errors import BadData
from statcommons.prices.index.formulas import FORMULAS
from statcommons.prices.index.hedonic import Hedonic, characteristics_of, ln_imputed
from statcommons.prices.index.pairs import Window
from statcommons.prices.panel import panel

seeds = st.integers(0, 2**32 - 1)


def market(seed, noise=0.1, n_products=40, n_periods=5):
    """Products that come and go, whose prices follow size and brand; and the log price level."""
    rng = np.random.default_rng(seed)
    size, brand = rng.normal(size=n_products), rng.integers(0, 3, n_products)
    level = np.array([0.0, 0.02, 0.05, 0.03, 0.08])[:n_periods]
    log = level[:, None] + 0.7 * size + np.array([0, 0.2, -0.3])[brand] + rng.normal(0, noise, (n_periods, n_products))
    sold = rng.random(log.shape) < 0.6
    sold[:, :3] = True
    period, product = np.nonzero(sold)
    codes = np.array([f"{number:02d}" for number in range(n_products)])
    months = np.array([f"2024-{month + 1:02d}" for month in range(n_periods)])
    made = panel(months[period], codes[product], np.exp(log[sold]), rng.uniform(1, 50, len(period)))
    used = np.array([int(code) for code in made.products])
    z = characteristics_of(made.products, codes.tolist(), {"size": size}, {"brand": brand})
    assert z.shape == (len(used), 3)
    return made, z, level


@pytest.mark.parametrize("equal", [False, True])
@given(seed=seeds)
def test_it_is_the_regression(equal, seed):
    data, z, _ = market(seed)
    value = data.price * data.quantity
    weight = np.ones_like(value) if equal else value / np.bincount(data.period, value)[data.period]
    inside = (data.period >= 1) & (data.period < 4)
    root = np.sqrt(weight[inside])
    columns = np.column_stack([np.eye(5)[data.period[inside]][:, 1:4], z[data.product[inside]]]) * root[:, None]
    found = np.linalg.lstsq(columns, np.log(data.price[inside]) * root, rcond=None)[0][:3]
    np.testing.assert_allclose(Hedonic(data, z, equal=equal).levels(Window(1, 4)), found, atol=1e-10)


@given(seed=seeds)
def test_without_noise_the_level_is_found_exactly(seed):
    data, z, level = market(seed, noise=0.0)
    found = Hedonic(data, z).levels(Window(0, 5))
    np.testing.assert_allclose(found - found[0], level, atol=1e-9)
    np.testing.assert_allclose(ln_imputed(data, z), level[None, :] - level[:, None], atol=1e-9)


@given(seed=seeds)
def test_an_imputed_tornqvist_is_the_time_dummy_of_its_regression(seed):
    """de Haan (2004): with the mean shares as weights, imputing the missing side changes nothing."""
    data, z, _ = market(seed)
    ln = ln_imputed(data, z)
    np.testing.assert_allclose(ln, -ln.T, atol=1e-13)
    inside = data.period < 2
    value = np.zeros((2, len(data.products)))
    value[data.period[inside], data.product[inside]] = (data.price * data.quantity)[inside]
    weight = (value / value.sum(axis=1, keepdims=True)).mean(axis=0)[data.product[inside]]
    columns = np.column_stack([np.eye(2)[data.period[inside]], z[data.product[inside]]]) * np.sqrt(weight)[:, None]
    found = np.linalg.lstsq(columns, np.log(data.price[inside]) * np.sqrt(weight), rcond=None)[0]
    assert ln[0, 1] == pytest.approx(found[1] - found[0], abs=1e-9)


def test_all_matched_is_tornqvist():
    rng = np.random.default_rng(5)
    codes, months = np.tile(np.array(["a", "b", "c", "d"]), 2), np.array(["2024-01", "2024-02"]).repeat(4)
    price, quantity = rng.uniform(1, 2, 8), rng.uniform(1, 9, 8)
    ln = ln_imputed(panel(months, codes, price, quantity), rng.normal(size=(4, 1)))
    expected = FORMULAS["tornqvist"](price[:4], price[4:], quantity[:4], quantity[4:])
    assert np.exp(ln[0, 1]) == pytest.approx(expected, rel=1e-13)


def test_columns_that_say_the_same_leave_the_level_as_it_is():
    data, z, _ = market(3)
    twice = np.column_stack([z, z[:, :1] * 2 + 1])
    np.testing.assert_allclose(
        Hedonic(data, twice).levels(Window(0, 5)) - Hedonic(data, twice).levels(Window(0, 5))[0],
        Hedonic(data, z).levels(Window(0, 5)) - Hedonic(data, z).levels(Window(0, 5))[0],
        atol=1e-9,
    )


def test_products_without_characteristics_are_refused_by_name():
    with pytest.raises(BadData, match="1 product without characteristics, the first p2"):
        characteristics_of(np.array(["p1", "p2"]), ["p1"], {"size": np.array([1.0])}, {})
    with pytest.raises(BadData, match="size is missing for 1 product, the first p2"):
        characteristics_of(np.array(["p1", "p2"]), ["p1", "p2"], {"size": np.array([1.0, np.nan])}, {})
