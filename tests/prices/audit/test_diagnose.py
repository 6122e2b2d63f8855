"""How sound an index is: each figure by its definition, computed another way in the test."""

import math
import warnings

import markets
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from markets import dense

from statcommons.core.errors import BadCall, BadData
from statcommons.core.quality import Notice, collecting
from statcommons.core.run import run
from statcommons.core.seed import seeded
from statcommons.prices.audit.diagnose import diagnose
from statcommons.prices.audit.fan import METHODS, fan, full_window
from statcommons.prices.audit.indicators import (
    chained_and_direct,
    elasticity,
    jackknife,
    spread,
    turnover_of_products,
)
from statcommons.prices.data import scanner_market
from statcommons.prices.index import bilateral, formulas
from statcommons.prices.index.extension import SPLICES
from statcommons.prices.index.multilateral import FORMULAS, Recipe, ln_index, multilateral_series
from statcommons.prices.index.pairs import pairs
from statcommons.prices.panel import panel

pytestmark = pytest.mark.filterwarnings(f"ignore::{Notice.__module__}.{Notice.__qualname__}")
seeds = st.integers(0, 2**32 - 1)


def random_market(seed, n_products=20, n_periods=9):
    """Prices and quantities, fewer products than elsewhere."""
    return markets.random_market(seed, n_products, n_periods)


# --- the fan --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("cells", [30, 2**20])
def test_each_line_is_the_index_that_its_method_compiles_alone(cells):
    data = dense(*random_market(1, n_periods=20))
    lines, sums = fan(data, (5, 13), cells)
    alone = {one.name: one for one in METHODS}
    assert len({line.label for line in lines}) == len(lines) == len(METHODS) * (2 * len(SPLICES) - 1)
    assert {line.splice for line in lines if line.window == 13} == {*SPLICES} - {"fbew"}
    for line in lines:
        given = alone[line.method]
        recipe = Recipe(given.method, given.formula, given.weights, line.window, line.splice)
        np.testing.assert_allclose(line.index, multilateral_series(recipe.pairs(data), recipe).index, rtol=1e-12)
    for one in METHODS:
        recipe = Recipe(one.method, one.formula, one.weights, 20)
        expected = multilateral_series(recipe.pairs(data), recipe).index
        np.testing.assert_allclose(full_window(sums, one), expected, rtol=1e-12)


def test_windows_longer_than_the_panel_are_one_line():
    lines, _ = fan(dense(*random_market(2, n_periods=4)), (13, 25))
    assert len(lines) == len(METHODS) * len(SPLICES)
    assert {line.window for line in lines} == {4}


def test_series_that_cannot_be_compiled_are_left_out_and_counted():
    """Three generations of products, of which the first and the third never meet: GEKS knows short windows only."""
    prices = np.array([[1.0, 1.1, 0, 0, 0], [2, 2.1, 2.2, 0, 0], [0, 3, 3.3, 3.2, 0], [0, 0, 4, 4.2, 4.4]])
    with pytest.warns(Notice, match=r"of 136 series are not compiled"):
        lines, _ = fan(dense(prices, np.ones((4, 5))), (2, 4))
    assert {line.window for line in lines if line.method == "gk"} == {2, 4}
    assert {line.window for line in lines if line.method == "geks_fisher" and line.splice != "fbew"} == {2}


def test_a_missing_period_is_refused_by_name():
    data = panel(np.array(["2023-01", "2023-03"]), np.array(["tea", "tea"]), [1.0, 2.0], [1.0, 1.0])
    with pytest.raises(BadData, match="no data between 2023-01 and 2023-03"):
        fan(data)


# --- indicators -----------------------------------------------------------------------------------------------------


def test_chained_and_direct_as_the_handbook_has_them():
    """Diewert's example of chain drift: Törnqvist chained .972 where prices and quantities came back to 1."""
    prices, quantities = np.array([[1, 0.5, 1, 1], [1, 1, 1, 1.0]]), np.array([[10, 5000, 1, 10], [100.0] * 4])
    chained, direct = chained_and_direct(ln_index(pairs(dense(prices, quantities)), "tornqvist"))
    assert np.exp(chained).round(3).tolist() == [1, 0.694, 0.972, 0.972]
    assert np.exp(direct[[0, 3]]).round(12).tolist() == [1, 1]


@given(seed=seeds)
def test_spread_is_laspeyres_over_paasche(seed):
    data = dense(*random_market(seed, n_periods=4))
    found = spread(pairs(data))
    for a, b in np.ndindex(4, 4):
        both = bilateral.matched(data, a, b)[:4]
        expected = math.log(formulas.FORMULAS["laspeyres"](*both) / formulas.FORMULAS["paasche"](*both))
        assert found[a, b] == pytest.approx(expected, abs=1e-12)


def test_periods_without_a_common_product_have_no_spread():
    assert np.isnan(spread(pairs(dense(np.array([[1.0, 0], [0, 1]]), np.ones((2, 2)))))[0, 1])


@given(seed=seeds)
def test_at_the_elasticity_lloyd_moulton_is_fisher(seed):
    rng = np.random.default_rng(seed)
    p0, p1, q0, q1 = np.exp(rng.normal(0, 0.5, (4, rng.integers(2, 20))))
    sigma = elasticity(p0, p1, q0, q1)
    assume(abs(sigma) < 30)  # beyond, two prices move nearly alike, and powers of them leave the numbers there are
    found = formulas.FORMULAS["lloyd_moulton"](p0, p1, q0, q1, sigma=sigma)
    assert found == pytest.approx(formulas.FORMULAS["fisher"](p0, p1, q0, q1), rel=1e-8)


def test_there_is_no_elasticity_where_prices_move_alike():
    assert math.isnan(elasticity(np.ones(3), np.full(3, 2.0), np.ones(3), np.arange(1.0, 4)))


def test_quantities_that_stay_have_no_elasticity_but_zero():
    assert elasticity(np.ones(3), np.array([1.0, 2, 3]), np.ones(3), np.ones(3)) == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize("sigma", [0.5, 2.0, 4.0])
def test_the_elasticity_of_households_in_the_simulator_is_found(sigma):
    with seeded(4):
        market = scanner_market(products=200, months=6, sigma=sigma, sales=0.1).result
    found = diagnose(market).indicators.to_pyarrow().to_pylist()
    values = [row["value"] for row in found if row["indicator"] == "elasticity"]
    assert len(values) == 5
    assert np.mean(values) == pytest.approx(sigma, rel=0.05)


@given(seed=seeds)
def test_turnover_of_products_as_counted_by_hand(seed):
    prices, quantities = random_market(seed, n_periods=5)
    found = turnover_of_products(dense(prices, quantities))
    sold, value = prices > 0, prices * quantities
    for t in range(1, 5):
        new, gone = sold[:, t] & ~sold[:, t - 1], sold[:, t - 1] & ~sold[:, t]
        assert found["entry_rate"][t] == pytest.approx(new.sum() / sold[:, t].sum())
        assert found["exit_rate"][t] == pytest.approx(gone.sum() / sold[:, t - 1].sum())
        assert found["entry_share"][t] == pytest.approx(value[new, t].sum() / value[:, t].sum())
        assert found["exit_share"][t] == pytest.approx(value[gone, t - 1].sum() / value[:, t - 1].sum())
        age = t - sold.argmax(axis=1)
        assert found["age"][t] == pytest.approx((value[:, t] * age).sum() / value[:, t].sum())


@pytest.mark.parametrize("formula", FORMULAS)
@settings(max_examples=20)
@given(seed=seeds, cells=st.integers(1, 200), ends=st.permutations(range(6)))
def test_jackknife_is_the_index_without_the_product(formula, seed, cells, ends):
    prices, quantities = random_market(seed, n_products=8, n_periods=6)
    prices[1] = prices[0] * 1.1  # so that no product is the only one that connects
    prices[2:, 2] = prices[0, 2]  # and none is never sold
    data, (a, b) = dense(prices, quantities), ends[:2]
    recipe = Recipe(formula=formula, window=6)

    def change(one):
        ln = np.log(multilateral_series(recipe.pairs(one), recipe).index)
        return ln[b] - ln[a]

    whole = change(data)
    expected = [
        change(dense(np.delete(prices, one, axis=0), np.delete(quantities, one, axis=0))) - whole for one in range(8)
    ]
    np.testing.assert_allclose(jackknife(data, formula, a, b, cells), expected, atol=1e-11)


def test_without_the_only_product_that_connects_there_is_no_index():
    data = dense(np.array([[1.0, 1, 1], [2, 2, 0], [0, 3, 3]]), np.ones((3, 3)))
    assert np.isnan(jackknife(data)).tolist() == [True, False, False]
    with pytest.raises(BadCall, match="no GEKS index over 'carli'"):
        jackknife(data, "carli")


# --- the method -----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def market():
    """Sales of 40 products of two groups, with sales, entry and exit."""
    with seeded(11), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        sold = scanner_market(products=40, months=8, sales=0.1, life=8.0).result
    group = ["01.1" if int(code[:7]) % 2 else "01.2" for code in sold["product"].to_pylist()]
    return sold.drop_columns("group").append_column("group", pa.array(group))


def rows(table):
    return table.to_pyarrow().to_pylist()


def test_indicators_follow_from_the_lines_of_the_fan(market):
    made = diagnose(market, window=5, other_window=4, splice="wisp", by="group")
    fan_rows, found = rows(made.fan), rows(made.indicators)
    index = {(row["group"], row["series"], row["period"]): row["index"] for row in fan_rows}
    periods = sorted({row["period"] for row in fan_rows})
    for group in ("01.1", "01.2"):
        value = {(row["indicator"], row["period"]): row["value"] for row in found if row["group"] == group}
        for period in periods:
            chained, direct, published, whole = (
                index[group, name, period]
                for name in ("tornqvist/previous", "tornqvist/fixed", "geks_tornqvist/5/wisp", "geks_tornqvist/8/full")
            )
            fan_of = [
                row["index"]
                for row in fan_rows
                if (row["group"], row["period"]) == (group, period) and row["window"] in (4, 5)
            ]
            assert value["chain_drift", period] == pytest.approx(100 * (chained / direct - 1), abs=1e-10)
            assert value["chain_drift_geks", period] == pytest.approx(100 * (chained / whole - 1), abs=1e-10)
            assert value["revision", period] == pytest.approx(100 * (published / whole - 1), abs=1e-10)
            assert value["fan_lowest", period] == pytest.approx(100 * (min(fan_of) / published - 1), abs=1e-10)
            assert value["fan_highest", period] == pytest.approx(100 * (max(fan_of) / published - 1), abs=1e-10)


def test_matches_of_every_two_periods():
    sales = {
        "time": ["2026-01-05", "2026-01-06", "2026-02-05", "2026-02-05", "2026-03-05"],
        "product": ["tea", "pot", "tea", "cup", "tea"],
        "price": [2.0, 6.0, 4.0, 8.0, 5.0],
        "quantity": [1, 1, 1, 1, 1],
    }
    made = diagnose(sales)
    found = [tuple(row.values())[1:6] for row in rows(made.matches.order_by(["period_from", "period_to"]))]
    assert found == [
        ("2026-01", "2026-02", 1, 0.25, 1 / 3),
        ("2026-01", "2026-03", 1, 0.25, 1.0),
        ("2026-02", "2026-03", 1, 1 / 3, 1.0),
    ]
    share = [row["value"] for row in rows(made.indicators.order_by("period")) if row["indicator"] == "matched_share"]
    assert share == pytest.approx([7 / 24, 2 / 3])


def test_products_with_their_life_and_share(market):
    made = rows(diagnose(market, window=5).products)
    sold = market.to_pylist()
    whole = sum(row["price"] * row["quantity"] for row in sold)
    for one in made:
        mine = [row for row in sold if row["product"] == one["product"]]
        months = sorted({f"{row['time']:%Y-%m}" for row in mine})
        assert (one["first"], one["last"], one["periods"]) == (months[0], months[-1], len(months))
        assert one["share"] == pytest.approx(sum(row["price"] * row["quantity"] for row in mine) / whole, rel=1e-6)
    assert any(one["influence"] for one in made)


def test_a_run_tells_of_drift_and_keeps_products_private(market, tmp_path):
    done = run("prices.diagnose", {"transactions": market}, {"window": 5, "other_window": 4}, out=tmp_path / "run")
    assert pq.read_table(done.path / "outputs" / "products.parquet").column_names == ["group"]
    told = {one["name"]: one for one in done.facts["quality"]}
    assert "Largest drift of the chained index" in told
    assert told["Largest difference from one window of all periods"]["asked"] == "≤ 0.5"


def test_one_period_has_an_index_of_one_and_nothing_to_compare():
    made = diagnose({"time": ["2026-01-05"], "product": ["tea"], "price": [2.0], "quantity": [1]})
    assert {row["index"] for row in rows(made.fan)} == {1.0}
    assert rows(made.matches) == []


def test_periods_without_a_yardstick_are_told():
    """Products of which none is sold throughout: the first and the last month have none in common."""
    sales = {
        "time": ["2026-01-05", "2026-02-05", "2026-02-05", "2026-03-05"],
        "product": ["tea", "tea", "cup", "cup"],
        "price": [2.0, 2.5, 1.0, 1.2],
        "quantity": [1, 1, 1, 1],
    }
    with collecting() as found:
        made = diagnose(sales, window=2, other_window=3)
    assert any("No yardstick" in text for text in found.notices)
    names = {row["indicator"] for row in rows(made.indicators)}
    assert "revision" not in names
    assert "matched_share" in names
