"""Contributions of products to real indices: they add up to the values of trusted packages, and find the faults."""

import math

import numpy as np
import pytest
from golden_prices import query, unit_values

from statcommons.prices.audit.contributions import direct_contributions, index_contributions, percentage_points
from statcommons.prices.audit.explain_index import explain_index
from statcommons.prices.audit.fan import fan
from statcommons.prices.audit.indicators import chained_and_direct, jackknife
from statcommons.prices.index.extension import SPLICES
from statcommons.prices.index.multilateral import Recipe, ln_index, multilateral_series
from statcommons.prices.index.pairs import pairs

RECIPES = {  # names of PriceIndices
    "geks": Recipe(formula="fisher", window=13),
    "ccdi": Recipe(formula="tornqvist", window=13),
    "geksw": Recipe(formula="walsh", window=13),
    "geksj": Recipe(formula="jevons", window=13),
    "gk": Recipe("gk", window=13),
    "tpd": Recipe("tpd", window=13),
    "utpd": Recipe("tpd", weights="equal", window=13),
}


@pytest.fixture(scope="module")
def milk():
    return unit_values("milk_pl_2018_2020.csv", "prodID")


@pytest.fixture(scope="module")
def polish():
    return unit_values("polish_rice_sugar_milk.csv", "EAN_code")


def golden(method):
    sql = """
        SELECT period, max(value::DOUBLE) FROM {table}
        WHERE kind = 'multilateral' AND method = $method AND dataset = 'milk' GROUP BY period ORDER BY period"""
    return query(sql, "golden/priceindices_milk.csv", method=method)


@pytest.mark.parametrize("method", RECIPES)
def test_contributions_add_up_to_priceindices(milk, method):
    # The peer iterates GK until it changes little; ours is the solution itself.
    tolerance = 1e-7 if method == "gk" else 1e-12
    rows = golden(method)
    assert len(rows) == 12
    for end, (period, value) in enumerate(rows, 1):
        assert milk.periods[end] == period
        parts = index_contributions(milk, RECIPES[method], 0, end)
        assert math.fsum(parts) == pytest.approx(math.log(value), abs=tolerance)


def test_ccdi_of_milk_adds_up_to_the_last_digit(milk):
    ln = np.log(multilateral_series(RECIPES["ccdi"].pairs(milk), RECIPES["ccdi"]).index)
    assert abs(math.fsum(index_contributions(milk, RECIPES["ccdi"], 0, 12)) - ln[12]) < 5e-16


@pytest.mark.parametrize("splice", SPLICES)
@pytest.mark.parametrize("name", RECIPES)
def test_contributions_add_up_along_every_splice(milk, name, splice):
    recipe = Recipe(**(vars(RECIPES[name]) | {"splice": splice}))
    ln = np.log(multilateral_series(recipe.pairs(milk), recipe).index)
    for a, b in ((0, 20), (19, 20), (8, 20), (12, 13)):
        assert math.fsum(index_contributions(milk, recipe, a, b)) == pytest.approx(ln[b] - ln[a], abs=1e-13)


@pytest.mark.parametrize("formula", ["fisher", "tornqvist", "jevons"])
def test_contributions_of_two_periods_add_up(polish, formula):
    expected = {"fisher": 0.967521726773, "tornqvist": 0.969065405143, "jevons": 1.037873325101}[formula]
    parts = direct_contributions(polish, formula, 0, 13)
    assert math.exp(math.fsum(parts)) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("name", RECIPES)
def test_contributions_from_month_to_month_in_polish_groceries(polish, name):
    recipe = Recipe(**(vars(RECIPES[name]) | {"window": 7}))
    index = multilateral_series(recipe.pairs(polish), recipe).index
    where = polish.periods.tolist().index("2025-08")
    points = percentage_points(index_contributions(polish, recipe, where, where + 1))
    assert math.fsum(points) == pytest.approx(100 * (index[where + 1] / index[where] - 1), abs=1e-10)


def test_the_carton_prices_of_march_explain_the_jump_of_the_index(polish):
    """Two of 138 products, of which cartons were scanned as pieces, make the rise of the uncleaned index."""
    recipe = Recipe(window=14)
    march = polish.periods.tolist().index("2025-03")
    parts = index_contributions(polish, recipe, 0, march)
    assert math.fsum(parts) == pytest.approx(math.log(1.2875), abs=5e-5)
    top = np.argsort(-parts)[:2]
    assert polish.products[top].tolist() == ["5900820000042", "5907069000017"]  # milk at 96.05 and sugar at 60.33 PLN
    assert parts[top].sum() / parts.sum() > 0.95


# --- diagnosis ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("formula", ["fisher", "tornqvist"])
def test_chain_drift_of_milk_is_that_of_priceindices(milk, formula):
    sql = "SELECT value::DOUBLE FROM {table} WHERE dataset = 'milk' AND kind = $kind AND method = $method"
    ((fixed,),) = query(sql, "golden/priceindices_milk.csv", kind="bilateral", method=formula)
    ((moved,),) = query(sql, "golden/priceindices_milk.csv", kind="chained", method=f"ch{formula}")
    chained, direct = chained_and_direct(ln_index(pairs(milk), formula))
    assert math.exp(chained[-1] - direct[-1]) == pytest.approx(moved / fixed, abs=1e-12)


def test_the_fan_holds_the_published_splices_of_priceindices(milk):
    names = {
        "movement": "movement",
        "window": "window",
        "half": "half",
        "mean": "mean",
        "window_published": "wisp",
        "half_published": "hasp",
        "mean_published": "mean_pub",
    }
    sql = """
        SELECT method, splice, period, value::DOUBLE FROM {table}
        WHERE dataset = 'milk' AND kind = 'splice' AND method IN ('ccdi', 'tpd')"""
    lines = {line.label: line.index for line in fan(milk, (13,))[0]}
    periods, rows = milk.periods.tolist(), query(sql, "golden/priceindices_milk.csv")
    assert len(rows) == 2 * 7 * 16
    for method, splice, period, value in rows:
        label = f"{RECIPES[method].name}/13/{names[splice]}"
        assert lines[label][periods.index(period)] == pytest.approx(value, rel=1e-11)


def test_the_index_without_the_two_faulty_products_does_not_jump(polish):
    """Left out one by one, the milk and the sugar of which cartons were scanned take the jump of March away."""
    march = polish.periods.tolist().index("2025-03")
    found = jackknife(polish, "tornqvist", 0, march)
    assert polish.products[np.argsort(found)[:2]].tolist() == ["5900820000042", "5907069000017"]
    recipe = Recipe(window=14)
    ln = np.log(multilateral_series(recipe.pairs(polish), recipe).index)
    assert ln[march] > 0.25
    assert found.min() < -0.1


def test_from_the_jump_of_march_to_the_rows_with_carton_prices():
    """The contributions tell which products made it, the rows in which shop and at what price."""
    sql = """
        SELECT substr(time, 1, 10), EAN_code, prices::DOUBLE, quantities::DOUBLE, retID, description
        FROM {table} WHERE quantities::DOUBLE <> 0"""
    names = ("time", "product", "price", "quantity", "outlet", "description")
    sales = dict(zip(names, map(list, zip(*query(sql, "polish_rice_sugar_milk.csv"), strict=True)), strict=True))
    made = explain_index(sales, window=14, to_period="2025-03", top=2)
    dearest = made.rows.order_by(made.rows.price.desc()).limit(2).to_pyarrow().to_pylist()
    assert [(row["period"], row["outlet"], row["product"], row["price"]) for row in dearest] == [
        ("2025-03", "02-183", "5900820000042", 96.05),
        ("2025-03", "02-183", "5907069000017", 60.33),
    ]
    parts = made.contributions.order_by(made.contributions.contribution_pp.desc()).limit(2).to_pyarrow().to_pylist()
    assert {row["product"] for row in parts} == {"5900820000042", "5907069000017"}
