"""One index over several retailers, without a price: the index of their pooled sales."""

import numpy as np
import pyarrow as pa
import pyarrow.compute
import pytest

from statcommons.core.errors import BadCall, BadData
from statcommons.core.seed import seeded
from statcommons.prices import multilateral_index
from statcommons.prices.data import scanner_market
from statcommons.prices.index.retailers import index_from, pairs_of

pytestmark = pytest.mark.filterwarnings("ignore::statcommons.core.quality.Notice")


def market(seed, **options):
    with seeded(seed):
        return scanner_market(products=15, months=9, life=8.0, **options).result


def own(sales, retailer):
    """Make products a retailer's own."""
    products = [f"{retailer} {code}" for code in sales["product"].to_pylist()]
    return sales.set_column(sales.column_names.index("product"), "product", pa.array(products))


SALES = [own(market(seed), f"R{seed}") for seed in (1, 2, 3)]
POOLED = pa.concat_tables(SALES)


def shared(sales, by="total", **options):
    """The two rounds: sums for GEKS tell the turnover of all, with which each makes the sums that are wanted."""
    first = index_from([pairs_of(one, by=by) for one in sales])
    rounds = [pairs_of(one, first.turnover, by=by, **options) for one in sales]
    return index_from(rounds, **options)


@pytest.mark.parametrize(
    "options",
    [
        {"formula": "tornqvist"},
        {"formula": "fisher", "window": 5, "splice": "mean_pub"},
        {"formula": "walsh", "weights": "turnover"},
        {"formula": "jevons"},
        {"method": "gk"},
        {"method": "gk", "window": 4, "splice": "fbew"},
        {"method": "tpd"},
        {"method": "tpd", "window": 5, "splice": "half"},
        {"method": "tpd", "weights": "equal"},
        {"method": "lehr", "window": 6},
    ],
    ids=lambda options: "-".join(map(str, options.values())),
)
def test_it_is_the_index_of_the_pooled_sales(options):
    expected = multilateral_index(POOLED, **options).to_pyarrow()
    found = shared(SALES, **options).result.to_pyarrow()
    np.testing.assert_allclose(found["index"].to_numpy(), expected["index"].to_numpy(), rtol=1e-12)
    for name in ("period", "method", "matched_products"):
        assert found[name].to_pylist() == expected[name].to_pylist()
    for name in ("matched_share_base", "matched_share_current"):
        np.testing.assert_allclose(found[name].to_numpy(), expected[name].to_numpy(), rtol=1e-12)


def test_groups_are_kept_apart():
    found = shared(SALES, by="group").result.to_pyarrow()
    expected = multilateral_index(POOLED, by="group").to_pyarrow()
    np.testing.assert_allclose(found["index"].to_numpy(), expected["index"].to_numpy(), rtol=1e-12)


def test_the_turnover_of_all_is_told():
    turnover = index_from([pairs_of(one) for one in SALES]).turnover.to_pyarrow()
    paid = np.array(POOLED["price"]) * np.array(POOLED["quantity"])
    assert sum(turnover["turnover"].to_pylist()) == pytest.approx(paid.sum(), rel=1e-9)
    assert turnover["retailers"].to_pylist() == [3] * 9


def test_a_retailer_who_sold_nothing_in_a_month_adds_nothing():
    late = SALES[2].filter(
        pa.compute.greater_equal(SALES[2]["time"], pa.scalar(SALES[2]["time"][-1].as_py().replace(day=1)))
    )
    sales = [SALES[0], SALES[1], late]
    expected = multilateral_index(pa.concat_tables(sales)).to_pyarrow()["index"].to_numpy()
    once = index_from([pairs_of(one) for one in sales]).result.to_pyarrow()["index"].to_numpy()
    np.testing.assert_allclose(once, expected, rtol=1e-12)
    with pytest.raises(BadData, match=r"no sums for 2023-01\..*turnover of all"):
        index_from([pairs_of(one, method="gk") for one in sales], method="gk")


def test_no_price_is_in_the_sums():
    sums = pairs_of(SALES[0]).to_pyarrow()["value"].to_numpy()
    assert np.intersect1d(sums, SALES[0]["price"].to_numpy()).size == 0


def test_sums_of_few_products_are_told_of():
    with pytest.warns(UserWarning, match="over 1 products only"):
        pairs_of({"time": ["2026-01-05", "2026-02-05"], "product": ["t", "t"], "price": [1, 2], "quantity": [3, 3]})


def test_the_dummy_regression_needs_the_turnover_of_all_first():
    with pytest.raises(BadCall, match="first round"):
        pairs_of(SALES[0], method="tpd")


def test_sums_for_another_index_are_refused():
    with pytest.raises(BadData, match="lack 'F', which geks_fisher needs"):
        index_from([pairs_of(one) for one in SALES], formula="fisher")
    with pytest.raises(BadData, match=r"lack .*which gk needs"):
        index_from([pairs_of(one) for one in SALES], method="gk")
