"""The method that compiles multilateral indices: what its options reach, and what it refuses."""

import numpy as np
import pytest

import statcommons.prices.index.multilateral_index as many
from statcommons.core.engine import current
from statcommons.core.errors import BadCall, BadData
from statcommons.core.seed import seeded
from statcommons.prices import multilateral_index
from statcommons.prices.data import scanner_market
from statcommons.prices.index.hedonic import Hedonic, ln_imputed
from statcommons.prices.index.multilateral import Recipe, geks, multilateral_series
from statcommons.prices.index.pairs import Window
from statcommons.prices.index.similarity import similarity_series
from statcommons.prices.unit_values import panels

# Six months are fewer than the usual window, which each call tells.
pytestmark = pytest.mark.filterwarnings("ignore:There are:statcommons.core.quality.Notice")

with seeded(5):
    MARKET = scanner_market(products=12, months=6, life=9.0).result


def known(products):
    """Characteristics by product code: a number and a class."""
    rows = [(one, "size", str(place % 5)) for place, one in enumerate(products)]
    rows += [(one, "brand", "abc"[place % 3]) for place, one in enumerate(products)]
    return dict(zip(("product", "characteristic", "value"), map(list, zip(*rows, strict=True)), strict=True))


PANEL = panels(current().adopt(MARKET), "month", "total")["_T"]
PRODUCTS = PANEL.products.tolist()
Z = np.column_stack(  # the number first, then the classes, but the first of these
    [
        [float(place % 5) for place in range(len(PRODUCTS))],
        *([float("abc"[place % 3] == brand) for place in range(len(PRODUCTS))] for brand in "bc"),
    ]
)


def compiled(*inputs, **options):
    table = multilateral_index(MARKET, *inputs, **options).to_pyarrow()
    return table["index"].to_numpy(), set(table["method"].to_pylist())


@pytest.mark.parametrize(
    "recipe",
    [Recipe("gk"), Recipe("tpd", weights="equal"), Recipe("lehr"), Recipe(formula="walsh", weights="turnover")],
    ids=lambda recipe: recipe.name,
)
def test_methods_from_sums(recipe):
    index, name = compiled(method=recipe.method, formula=recipe.formula, weights=recipe.weights)
    assert name == {recipe.name}
    np.testing.assert_array_equal(index, multilateral_series(recipe.pairs(PANEL), recipe).index)


def test_extensions_over_a_rolling_window():
    recipe = Recipe("gk", window=4, splice="hasp")
    index, _ = compiled(method="gk", window=4, splice="hasp")
    np.testing.assert_array_equal(index, multilateral_series(recipe.pairs(PANEL), recipe).index)


@pytest.mark.parametrize("method", ["geks", "gk", "tpd", "lehr"])
def test_many_transactions_are_compared_part_by_part(method, monkeypatch):
    expected, _ = compiled(method=method, window=4)
    monkeypatch.setattr(many, "MANY", 10)
    monkeypatch.setattr(many, "panels", None)
    found, _ = compiled(method=method, window=4)
    np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_similarity_linking():
    index, name = compiled(method="spq", dissimilarity="log_quadratic")
    assert name == {"spq_log_quadratic"}
    np.testing.assert_array_equal(index, similarity_series(PANEL, "log_quadratic").index)


@pytest.mark.parametrize("weights", ["usual", "equal"])
def test_time_dummy_hedonic(weights):
    index, name = compiled(known(PRODUCTS), method="tdh", weights=weights)
    assert name == {"tdh" if weights == "usual" else "tdh_equal"}
    level = Hedonic(PANEL, Z, equal=weights == "equal").levels(Window(0, 6))
    np.testing.assert_allclose(index, np.exp(level - level[0]), rtol=1e-12)


def test_geks_over_imputed_tornqvist():
    index, name = compiled(known(PRODUCTS), formula="imputed_tornqvist")
    assert name == {"geks_imputed_tornqvist"}
    level = geks(ln_imputed(PANEL, Z), PANEL.periods)
    np.testing.assert_allclose(index, np.exp(level - level[0]), rtol=1e-12)


def test_hedonic_methods_need_characteristics_of_all_products():
    with pytest.raises(BadCall, match="characteristics of the products are not given"):
        compiled(method="tdh")
    with pytest.raises(BadData, match="1 product without characteristics"):
        compiled(known(PRODUCTS[:-1]), method="tdh")


def test_an_error_names_its_group():
    sales = MARKET.append_column("group", [["a"] * len(MARKET)]) if "group" not in MARKET.column_names else MARKET
    broken = {name: sales[name].to_pylist() for name in ("time", "product", "price", "quantity")}
    broken["group"] = ["a" if day.month < 3 else "b" for day in broken["time"]]
    broken["product"] = [f"{code}-{day.month}" for code, day in zip(broken["product"], broken["time"], strict=True)]
    with pytest.raises(BadData, match=r"group a.*No product is sold in both 2023-01 and 2023-02"):
        multilateral_index(broken, by="group")
