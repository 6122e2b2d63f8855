"""Indices of prices without quantities: all alike, or with proxies; and what the quantities would have told."""

import numpy as np
import pyarrow as pa
import pytest

from statcommons.core.errors import BadData
from statcommons.core.seed import seeded
from statcommons.prices import multilateral_index
from statcommons.prices.data import scanner_market
from statcommons.prices.index.scraped_index import scraped_index

pytestmark = pytest.mark.filterwarnings("ignore::statcommons.core.quality.Notice")

with seeded(4):
    SALES = scanner_market(products=25, months=9, life=10.0, returns=0.0).result
SEEN = SALES.drop_columns(["quantity", "outlet"])
MEANS = SEEN.append_column("month", pa.compute.utf8_slice_codeunits(SEEN["time"].cast(pa.string()), 0, 7))
MEANS = MEANS.group_by(["month", "product"]).aggregate([("price", "mean")])


def once(quantity):
    """One sale a product and month, at its mean price."""
    days = pa.array([f"{month}-15" for month in MEANS["month"].to_pylist()]).cast(pa.date32())
    price = MEANS["price_mean"].to_numpy()
    return pa.table({"time": days, "product": MEANS["product"], "price": price, "quantity": quantity(price)})


def index(table):
    return table.to_pyarrow()["index"].to_numpy()


@pytest.mark.parametrize("options", [{"window": 9}, {"window": 4, "splice": "wisp"}])
def test_it_is_geks_over_jevons(options):
    made = scraped_index(SEEN, **options)
    expected = multilateral_index(once(np.ones_like), formula="jevons", **options)
    np.testing.assert_allclose(index(made.result), index(expected), rtol=1e-11)
    assert set(made.result.method.to_pyarrow().to_pylist()) == {"geks_jevons"}


def test_it_is_the_unweighted_dummy_regression():
    made = scraped_index(SEEN, method="tpd")
    expected = multilateral_index(once(np.ones_like), method="tpd", weights="equal")
    np.testing.assert_allclose(index(made.result), index(expected), rtol=1e-11)


@pytest.mark.parametrize("method", ["geks", "tpd"])
def test_proxies_stand_in_for_turnover(method):
    products = sorted(set(SEEN["product"].to_pylist()))
    weight = {one: 1.0 + place for place, one in enumerate(products)}
    made = scraped_index(SEEN, {"product": products, "weight": [weight[one] for one in products]}, method=method)
    turnover = np.array([weight[one] for one in MEANS["product"].to_pylist()])
    expected = multilateral_index(once(lambda price: 1e6 * turnover / price), method=method)  # sums keep six decimals
    np.testing.assert_allclose(index(made.result), index(expected), rtol=1e-10)


@pytest.mark.parametrize("method", ["geks", "tpd"])
def test_hidden_quantities_show_what_they_would_have_told(method):
    made = scraped_index(SALES.drop_columns("outlet"), method=method)
    hidden = made.hidden.to_pyarrow()
    np.testing.assert_array_equal(hidden["without"].to_numpy(), index(made.result))
    known = index(multilateral_index(SALES, method=method))
    np.testing.assert_allclose(hidden["known"].to_numpy(), known, rtol=1e-12)
    np.testing.assert_allclose(hidden["difference"].to_numpy(), 100 * (index(made.result) / known - 1), atol=1e-9)
    assert np.abs(hidden["difference"].to_numpy()).max() > 0.1


def test_without_quantities_nothing_is_compared():
    assert scraped_index(SEEN).hidden.count().to_pyarrow().as_py() == 0


def test_a_price_is_compared_within_its_shop():
    seen = {
        "time": ["2026-01-05", "2026-01-05", "2026-02-05", "2026-02-05"],
        "product": ["tea"] * 4,
        "outlet": ["a", "b", "a", "b"],
        "price": [1.0, 100.0, 2.0, 100.0],
    }
    np.testing.assert_allclose(index(scraped_index(seen).result), [1, np.sqrt(2)])


def test_products_without_a_proxy_are_named():
    with pytest.raises(BadData, match="2 products without a proxy, the first b"):
        scraped_index(
            {"time": ["2026-01-05"] * 3, "product": list("abc"), "price": [1.0] * 3}, {"product": ["a"], "weight": [1]}
        )
