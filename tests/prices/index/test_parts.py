"""Sums made in parts are those of the whole panel, on both engines."""

import numpy as np
import pytest

from statcommons.core.engine import current, using
from statcommons.core.errors import BadData
from statcommons.prices.index.multilateral import Recipe, multilateral_series
from statcommons.prices.index.parts import pairs_in_parts
from statcommons.prices.unit_values import panels

pa = pytest.importorskip("pyarrow")
pc = pytest.importorskip("pyarrow.compute")

RECIPES = [Recipe(), Recipe("gk", window=5), Recipe("tpd", window=5), Recipe("lehr", window=5)]


def market(n_products=60, n_months=8, seed=3):
    """Sales of products that come and go, some on several days, some returned, in two groups."""
    rng = np.random.default_rng(seed)
    rows = 2000
    product, month = rng.integers(0, n_products, rows), rng.integers(0, n_months, rows)
    days = np.datetime64("2024-01") + month.astype("timedelta64[M]")
    return pa.table(
        {
            "time": days.astype("datetime64[D]") + rng.integers(0, 28, rows).astype("timedelta64[D]"),
            "product": [f"{number:03d}" for number in product],
            "group": [f"g{number % 2}" for number in product],
            "price": np.exp(rng.normal(1, 0.3, rows)).round(2),
            "quantity": rng.choice([-2.0, 1.0, 2.0, 5.0], rows),
        }
    )


MARKET = market()
WHOLE = panels(current().adopt(MARKET), "month", "group")  # on DuckDB


def compiled(engine, recipe, by, rows=50):
    with using(engine):
        made = pairs_in_parts(engine.adopt(MARKET), "month", by, recipe.pairs, rows=rows)
        return {group: multilateral_series(sums, recipe) for group, sums in made.items()}


@pytest.mark.parametrize("by", ["total", "group"])
@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe.name)
@pytest.mark.parametrize("rows", [7, 50, 10**6])
def test_parts_give_the_index_of_the_whole(recipe, by, rows):
    whole = panels(current().adopt(MARKET), "month", by)
    found = compiled(current(), recipe, by, rows)
    assert list(found) == list(whole) == (["_T"] if by == "total" else ["g0", "g1"])
    for group, one in whole.items():
        expected = multilateral_series(recipe.pairs(one), recipe)
        assert found[group].periods.tolist() == expected.periods.tolist()
        np.testing.assert_allclose(found[group].index, expected.index, rtol=1e-12)
        np.testing.assert_array_equal(found[group].matched_products, expected.matched_products)
        np.testing.assert_allclose(found[group].matched_share_base, expected.matched_share_base, rtol=1e-12)


def test_engines_give_the_same_index(engine):
    for group, one in compiled(engine, RECIPES[1], "group").items():
        expected = multilateral_series(RECIPES[1].pairs(WHOLE[group]), RECIPES[1])
        np.testing.assert_allclose(one.index, expected.index, rtol=1e-12)


def test_only_returns_are_refused():
    only = MARKET.filter(pc.less(MARKET["quantity"], 0))
    with pytest.raises(BadData, match="Nothing is sold"):
        pairs_in_parts(current().adopt(only), "month", "total", Recipe().pairs)
