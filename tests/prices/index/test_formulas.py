"""The formulas keep the tests of the axiomatic approach that their table says, and break those that it does not say."""

from decimal import Decimal, localcontext
from typing import get_args

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from statcommons.core.errors import BadCall, BadData
from statcommons.prices.index.comparison import logarithmic_mean
from statcommons.prices.index.formulas import ELEMENTARY, FORMULAS, Elementary, Name, find_formula, formula_table

TESTS = "IPCTFM"
POSITIVE = st.floats(0.01, 1000)


class Market:
    """Prices and quantities of two periods, and of a basket."""

    def __init__(self, p0, p1, q0, q1, pb, qb):
        self.p0, self.p1, self.q0, self.q1, self.pb, self.qb = (np.array(one) for one in (p0, p1, q0, q1, pb, qb))

    def index(self, formula, **changed):
        """Compute the index, with some arrays changed; the values of the basket are as they were observed."""
        x = {**vars(self), **changed}
        basket = {"qb": x["qb"], "vb": self.pb * self.qb}
        return FORMULAS[formula](x["p0"], x["p1"], x["q0"], x["q1"], **basket)


@st.composite
def markets(draw):
    n = draw(st.integers(1, 8))
    return Market(*(draw(st.lists(POSITIVE, min_size=n, max_size=n)) for _ in range(6)))


def gap(test, formula, m):
    """By how much a formula misses a test, as a share."""
    index = m.index(formula)
    if test == "I":
        return m.index(formula, p1=m.p0) - 1
    if test == "P":
        return m.index(formula, p1=m.p1 * 2.5) / (2.5 * index) - 1
    if test == "C":
        units = np.linspace(0.3, 7, len(m.p0)) ** 2
        small = {name: getattr(m, name) / units for name in ("p0", "p1")}
        return m.index(formula, **small, **{name: getattr(m, name) * units for name in ("q0", "q1", "qb")}) / index - 1
    if test == "T":
        return index * m.index(formula, p0=m.p1, p1=m.p0, q0=m.q1, q1=m.q0) - 1
    if test == "F":
        quantity = m.index(formula, p0=m.q0, p1=m.q1, q0=m.p0, q1=m.p1)
        return index * quantity / (np.sum(m.p1 * m.q1) / np.sum(m.p0 * m.q0)) - 1
    relatives = m.p1 / m.p0
    return max(relatives.min() / index - 1, index / relatives.max() - 1, 0)


@pytest.mark.parametrize("test", TESTS)
@given(market=markets())
def test_formulas_pass_the_tests_they_say(test, market):
    gaps = {name: gap(test, name, market) for name, one in FORMULAS.items() if test in one.tests}
    assert {name: found for name, found in gaps.items() if abs(found) > 1e-11} == {}


BROKEN = [(test, name) for name, one in FORMULAS.items() for test in TESTS if test not in one.tests]
# Markets in which one formula or another breaks a test: prices and quantities jump, or only quantities do.
WITNESSES = [
    Market([1, 2, 3, 5], [2, 1, 5, 4], [3, 1, 4, 1], [1, 5, 2, 6], [1, 3, 1, 2], [2, 7, 1, 8]),
    Market([1, 1, 1], [1, 4, 4], [9, 1, 1], [1, 9, 50], [1, 3, 1], [2, 7, 1]),
    Market([1, 4, 1, 4], [4, 1, 3.9, 0.99], [1, 1, 30, 50], [50, 50, 1, 1], [1, 1, 1, 1], [1, 1, 1, 1]),
    Market([1, 4], [1, 4], [9, 1], [1, 9], [1, 1], [1, 1]),
    Market([1, 1], [2, 2], [1, 9], [9, 1], [1, 1], [1, 1]),
]


@pytest.mark.parametrize(("test", "formula"), BROKEN)
def test_a_formula_breaks_the_tests_it_does_not_say(test, formula):
    assert max(abs(gap(test, formula, market)) for market in WITNESSES) > 1e-6


@given(market=markets(), seed=st.integers(0, 99))
def test_the_order_of_products_changes_no_bit(market, seed):
    order = np.random.default_rng(seed).permutation(len(market.p0))
    turned = Market(*(one[order] for one in vars(market).values()))
    assert {name: turned.index(name) for name in FORMULAS} == {name: market.index(name) for name in FORMULAS}


@pytest.mark.parametrize("formula", [name for name, one in FORMULAS.items() if "P" in one.tests and "I" in one.tests])
def test_one_product_is_its_price_relative(formula):
    assert FORMULAS[formula]([2], [5], [7], [4]) == pytest.approx(2.5, rel=1e-14)


def test_a_formula_of_one_product_that_is_not_its_relative():
    """Vartia's first weights add up to less than 1; a unit value index of one product is its relative."""
    assert FORMULAS["vartia"]([2], [5], [7], [4]) == pytest.approx(2.5, rel=1e-14)
    assert FORMULAS["vartia"]([1, 1], [2, 2], [1, 9], [9, 1]) < 2
    assert FORMULAS["unit_value"]([2], [5], [7], [4]) == pytest.approx(2.5, rel=1e-14)
    assert FORMULAS["value"]([2], [5], [7], [4]) == pytest.approx(10 / 7, rel=1e-14)


@given(market=markets())
def test_what_handbooks_say_of_how_formulas_relate(market):
    index = {name: market.index(name) for name in FORMULAS}
    near = {"rel": 1e-11}
    one_basket = market.index("lowe", qb=market.q0)
    assert one_basket == pytest.approx(index["laspeyres"], **near)
    assert index["paasche"] == pytest.approx(
        1 / market.index("laspeyres", p0=market.p1, p1=market.p0, q0=market.q1, q1=market.q0), **near
    )
    assert index["harmonic"] <= index["jevons"] * (1 + 1e-12) <= index["carli"] * (1 + 1e-11)
    assert index["geometric_laspeyres"] <= index["laspeyres"] * (1 + 1e-11)
    assert index["geometric_paasche"] <= index["palgrave"] * (1 + 1e-11)
    assert index["tornqvist"] ** 2 == pytest.approx(index["geometric_laspeyres"] * index["geometric_paasche"], **near)
    assert index["cswd"] ** 2 == pytest.approx(index["carli"] * index["harmonic"], **near)


@pytest.mark.parametrize(("sigma", "same"), [(0, "laspeyres"), (1, "geometric_laspeyres")])
@given(market=markets())
def test_lloyd_moulton_by_its_elasticity(sigma, same, market):
    arrays = (market.p0, market.p1, market.q0, market.q1)
    assert FORMULAS["lloyd_moulton"](*arrays, sigma=sigma) == pytest.approx(FORMULAS[same](*arrays), rel=1e-12)
    near = FORMULAS["lloyd_moulton"](*arrays, sigma=sigma + 1e-9)
    assert near == pytest.approx(FORMULAS[same](*arrays), rel=1e-7)  # no digits are lost near the limit


@pytest.mark.parametrize(("tau", "same"), [(0, "laspeyres"), (1, "geometric_laspeyres")])
def test_ag_mean_by_its_weight(tau, same):
    arrays = ([1, 2, 3], [2, 1, 5], [3, 1, 4], [1, 5, 2])
    assert FORMULAS["ag_mean"](*arrays, tau=tau) == pytest.approx(FORMULAS[same](*arrays), rel=1e-14)


@pytest.mark.parametrize(("a", "b"), [(1, 1), (1, 1 + 1e-9), (1, 1 + 1e-5), (3, 5), (1e-6, 1e6), (0, 4)])
def test_sato_vartia_and_vartia_weigh_by_the_logarithmic_mean(a, b):
    """Against the definition in 60 digits, also where its numerator and denominator vanish."""
    x, y = Decimal(float(a)), Decimal(float(b))
    with localcontext(prec=60):
        expected = Decimal(0) if 0 in (a, b) else x if a == b else (x - y) / (x / y).ln()
    found = logarithmic_mean(np.array([float(a)]), np.array([float(b)]))
    assert found == pytest.approx(float(expected), rel=1e-14)


@pytest.mark.parametrize("formula", FORMULAS)
def test_a_product_with_imputed_prices_has_no_quantity_and_breaks_nothing(formula):
    index = FORMULAS[formula]([1, 1, 1], [2, 3, 4], [5, 5, 0], [5, 0, 5], qb=[1, 1, 1], vb=[1, 1, 1])
    assert 1 < index < 5


def test_the_table_is_whole():
    assert set(FORMULAS) == set(get_args(Name))
    assert set(ELEMENTARY) == set(get_args(Elementary))
    for one in FORMULAS.values():
        assert set(one.tests) <= set(TESTS)
        assert one.math
        assert one.source


def test_every_formula_is_a_row_of_the_written_table():
    rows = formula_table().splitlines()[2:]
    assert [row.split("`")[1] for row in rows] == list(FORMULAS)
    assert {row.replace(r"\|", "").count("|") for row in rows} == {6}


def test_an_unknown_formula_is_refused_by_the_nearest():
    with pytest.raises(BadCall, match=r"'fischer'.*Did you mean 'fisher'"):
        find_formula("fischer")


def test_a_formula_with_weights_needs_quantities():
    assert find_formula("jevons")([1, 1], [2, 8]) == pytest.approx(4)
    with pytest.raises(BadCall, match=r"needs quantities.*jevons"):
        find_formula("fisher")([1, 1], [2, 8])


@pytest.mark.parametrize("bad", [0.0, -1.0, np.nan, np.inf])
@pytest.mark.parametrize("place", [0, 1])
def test_a_price_that_is_none_is_refused(bad, place):
    arrays = [np.array([1.0, 2.0]) for _ in range(4)]
    arrays[place] = np.array([1.0, bad])
    with pytest.raises(BadData, match="price is missing, infinite or not above 0"):
        FORMULAS["fisher"](*arrays)


@pytest.mark.parametrize("bad", [-1.0, np.nan, np.inf])
@pytest.mark.parametrize("place", [2, 3])
def test_a_quantity_that_is_none_is_refused(bad, place):
    arrays = [np.array([1.0, 2.0]) for _ in range(4)]
    arrays[place] = np.array([1.0, bad])
    with pytest.raises(BadData, match="quantity is missing, infinite or below 0"):
        FORMULAS["fisher"](*arrays)


def test_no_product_no_weight_and_arrays_that_do_not_fit_are_refused():
    with pytest.raises(BadData, match="no product"):
        FORMULAS["fisher"]([], [], [], [])
    with pytest.raises(BadData, match="no weight"):
        FORMULAS["walsh"]([1, 1], [2, 2], [1, 0], [0, 1])
    with pytest.raises(BadData, match="too much for a number"):
        FORMULAS["laspeyres"]([1, 1], [1e308, 1e308], [5, 5], [5, 5])
    with pytest.raises(BadCall, match="different lengths"):
        FORMULAS["fisher"]([1, 2], [1, 2, 3], [1, 2], [1, 2])
