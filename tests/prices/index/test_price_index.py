"""The method bilateral_index: every formula and option reaches the result, and what is imputed is measured."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from statcommons.core.errors import BadCall, BadData
from statcommons.core.quality import Notice, collecting
from statcommons.core.seed import seeded
from statcommons.prices import bilateral_index
from statcommons.prices.data import scanner_market
from statcommons.prices.index.bilateral import bilateral_series
from statcommons.prices.index.elementary import elementary_index
from statcommons.prices.index.formulas import FORMULAS
from statcommons.prices.panel import panel

pytestmark = pytest.mark.filterwarnings(f"ignore::{Notice.__module__}.{Notice.__qualname__}")

with seeded(11):
    MARKET = scanner_market(products=20, months=14, life=8, returns=0).result

ROWS = [
    ("2026-01-05", "tea", 1.0, 5),
    ("2026-01-05", "pot", 4.0, 2),
    ("2026-02-05", "tea", 3.0, 4),
    ("2026-02-05", "cup", 8.0, 1),
]
CHURN = dict(zip(("time", "product", "price", "quantity"), map(list, zip(*ROWS, strict=True)), strict=True))


def market_panel():
    """Unit values of the market, summed apart from the package."""
    month = np.array([str(day)[:7] for day in MARKET["time"].to_pylist()])
    code = np.array(MARKET["product"].to_pylist())
    price, quantity = MARKET["price"].to_numpy(), MARKET["quantity"].to_numpy()
    keys, row = np.unique(np.char.add(np.char.add(month, "|"), code), return_inverse=True)
    parts = np.array([key.split("|") for key in keys.tolist()])
    sold = np.bincount(row, quantity)
    return panel(parts[:, 0], parts[:, 1], np.bincount(row, price * quantity) / sold, sold)


PANEL = market_panel()
ROUNDED = 1e-7  # the method sums turnover and quantities of 6 decimals, which is less than the simulator has


@pytest.mark.parametrize("formula", FORMULAS)
def test_every_formula_by_every_base_and_match(formula):
    for base, match in product(("fixed", "previous", "year_ago"), ("matched", "imputed")):
        made = bilateral_index(MARKET, formula=formula, base=base, match=match).to_pyarrow()
        expected = bilateral_series(PANEL, formula, base, match)
        assert made["period"].to_pylist() == expected.periods.tolist()
        np.testing.assert_allclose(made["index"].to_numpy(), expected.index, rtol=ROUNDED)
        assert set(made["method"].to_pylist()) == {formula if match == "matched" else f"{formula}_imputed"}
        assert set(made["splice"].to_pylist()) == {base}


def last(**parameters):
    return bilateral_index(MARKET, **parameters).to_pyarrow()["index"].to_pylist()[-1]


def test_elasticity_weight_and_basket_reach_their_formula():
    assert last(formula="lloyd_moulton", sigma=0) == pytest.approx(last(formula="laspeyres"), rel=1e-14)
    assert last(formula="ag_mean", tau=1) == pytest.approx(last(formula="geometric_laspeyres"), rel=1e-14)
    months = PANEL.periods.tolist()
    for given, basket in (
        ((months[2], None), (months[2], months[2])),
        ((months[0], months[5]), (months[0], months[5])),
    ):
        expected = bilateral_series(PANEL, "lowe", basket=basket).index[-1]
        assert last(formula="lowe", basket_from=given[0], basket_to=given[1]) == pytest.approx(expected, rel=ROUNDED)


def test_a_basket_that_is_half_named_or_of_no_period_is_refused():
    with pytest.raises(BadCall, match="last period, but no first"):
        last(formula="lowe", basket_to="2023-05")
    with pytest.raises(BadCall, match="no period from 1999-01 to 1999-01"):
        last(formula="lowe", basket_from="1999-01")
    with pytest.raises(BadCall, match="tornqvist index has no basket"):
        last(basket_from="2023-01")


@pytest.mark.parametrize("sigma", [0.5, 2.0, 4.0])
def test_where_demand_is_ces_two_formulas_are_the_true_cost_of_living(sigma):
    """Sato-Vartia without knowing the elasticity, Lloyd-Moulton with it; another elasticity misses the truth."""
    with seeded(2):
        market = scanner_market(products=50, months=6, sigma=sigma, sales=0.1, returns=0)
    truth = market.truth["index"].to_numpy()

    def missed(formula, **given):
        index = bilateral_index(market.result, formula=formula, **given).to_pyarrow()["index"].to_numpy()
        return np.abs(index / truth - 1).max()

    assert missed("sato_vartia") < ROUNDED
    assert missed("lloyd_moulton", sigma=sigma) < ROUNDED
    assert missed("lloyd_moulton", sigma=sigma + 0.1) > 1e-5


def test_what_is_imputed_is_measured():
    """Tea alone is in both months: it is 5 of 13 and 12 of 20 of the turnover."""
    with collecting() as found:
        bilateral_index(CHURN, match="imputed")
    measured = {one.name: one.value for one in found.measures}
    assert measured["Largest share of turnover with an imputed price"] == pytest.approx(1 - (5 / 13 + 12 / 20) / 2)
    assert measured["Smallest matched share of turnover"] == pytest.approx(12 / 20)
    with collecting() as found:
        bilateral_index(CHURN)
    assert "Largest share of turnover with an imputed price" not in {one.name for one in found.measures}


def test_a_year_ago_within_a_year_is_refused():
    with pytest.raises(BadData, match="No period from 2026-01 to 2026-02 has another a year before it"):
        bilateral_index(CHURN, base="year_ago")


def test_an_error_names_its_group():
    apart = {**CHURN, "group": ["01.1", "01.2", "01.1", "01.2"]}
    for method, name in ((bilateral_index, "transactions"), (elementary_index, "prices")):
        with pytest.raises(BadData, match=r"^group 01\.2: No product is sold in both 2026-01 and 2026-02"):
            method(**{name: apart}, by="group")
