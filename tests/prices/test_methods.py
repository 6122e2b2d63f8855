"""The methods of prices, from transactions to index: returns, groups, weeks, and the truth of the simulator."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from statcommons.core.errors import BadData
from statcommons.core.quality import Notice, collecting
from statcommons.core.run import run
from statcommons.core.seed import seeded
from statcommons.prices import bilateral_index, multilateral_index, unit_values
from statcommons.prices.data import scanner_market

pytestmark = pytest.mark.filterwarnings(f"ignore::{Notice.__module__}.{Notice.__qualname__}")


def sales(*rows):
    """Make transactions from (time, product, price, quantity, group)."""
    names = ("time", "product", "price", "quantity", "group")
    return {name: [row[i] for row in rows] for i, name in enumerate(names)}


RETURNED = sales(
    ("2026-01-05", "tea", 2.0, 10, "01.2"),
    ("2026-01-09", "tea", 3.0, 10, "01.2"),
    ("2026-01-20", "tea", 3.0, -5, "01.2"),
    ("2026-01-05", "pot", 9.0, 1, "05.4"),
    ("2026-01-06", "pot", 9.0, -1, "05.4"),
    ("2026-01-31", "cup", 4.0, 1, "05.4"),
    ("2026-02-01", "cup", 5.0, 1, "05.4"),
)


def test_returns_are_taken_off_turnover_and_quantity():
    made = unit_values(RETURNED)
    rows = made.result.order_by(["period", "product"]).to_pyarrow().to_pylist()
    assert [(row["period"], row["product"], row["price"], row["quantity"]) for row in rows] == [
        ("2026-01", "cup", 4.0, 1.0),
        ("2026-01", "tea", 35 / 15, 15.0),
        ("2026-02", "cup", 5.0, 1.0),
    ]


def test_what_came_back_as_often_as_it_was_sold_is_listed_apart():
    assert unit_values(RETURNED).net_returns.to_pyarrow().to_pylist() == [
        {"period": "2026-01", "group": "_T", "product": "pot", "quantity": 0.0, "turnover": 0.0}
    ]


def test_an_index_measures_what_returns_leave_out():
    with collecting() as found:
        multilateral_index(RETURNED)
    shares = {one.name: one.value for one in found.measures}
    assert shares["Unit values left out because returns outweigh sales"] == 0.25


def test_groups_are_kept_apart():
    rows = sales(
        ("2026-01-05", "tea", 2.0, 10, "01"),
        ("2026-02-05", "tea", 3.0, 10, "01"),
        ("2026-01-05", "pot", 8.0, 1, "05"),
        ("2026-02-05", "pot", 4.0, 1, "05"),
    )
    made = bilateral_index(rows, by="group").to_pyarrow().to_pylist()
    assert [(row["group"], row["index"]) for row in made] == [("01", 1.0), ("01", 1.5), ("05", 1.0), ("05", 0.5)]
    assert bilateral_index(rows).to_pyarrow()["group"].to_pylist() == ["_T", "_T"]


def test_a_row_without_a_group_is_refused_where_groups_are_asked_for():
    rows = sales(("2026-01-05", "tea", 2.0, 10, None), ("2026-02-05", "tea", 3.0, 10, "01"))
    with pytest.raises(BadData, match=r"have no group\. Give every row"):
        multilateral_index(rows, by="group")
    with pytest.raises(BadData, match=r"have no group\. Give every row"):
        unit_values(rows, by="group")


def test_weeks_belong_to_the_year_of_their_thursday():
    rows = sales(
        ("2026-12-28", "tea", 2.0, 1, "01"), ("2027-01-03", "tea", 4.0, 1, "01"), ("2027-01-04", "tea", 6.0, 1, "01")
    )
    made = multilateral_index(rows, period="week").to_pyarrow()
    assert made["period"].to_pylist() == ["2026-W53", "2027-W01"]
    np.testing.assert_allclose(made["index"].to_pylist(), [1.0, 2.0])


def test_a_missing_month_is_refused_by_name():
    rows = sales(("2026-01-05", "tea", 2.0, 1, "01"), ("2026-03-05", "tea", 3.0, 1, "01"))
    with pytest.raises(BadData, match="no data between 2026-01 and 2026-03"):
        multilateral_index(rows)


def test_periods_without_a_common_product_are_refused_by_name():
    rows = sales(("2026-01-05", "tea", 2.0, 1, "01"), ("2026-02-05", "pot", 3.0, 1, "01"))
    for method in (bilateral_index, multilateral_index):
        with pytest.raises(BadData, match="No product is sold in both 2026-01 and 2026-02"):
            method(rows)


def test_fewer_periods_than_the_window_are_one_window_with_a_notice(tmp_path):
    rows = sales(("2026-01-05", "tea", 2.0, 1, "01"), ("2026-02-05", "tea", 3.0, 1, "01"))
    done = run("prices.multilateral_index", {"transactions": rows}, out=tmp_path / "r")
    assert done.facts["notices"] == ["There are 2 periods, fewer than the window of 25: one window was used."]


@pytest.mark.parametrize("formula", ["tornqvist", "fisher", "walsh"])
def test_the_index_finds_the_truth_of_the_simulator(formula):
    """Without sales and churn a superlative GEKS is within 0.02 % of the true cost of living."""
    with seeded(8):
        market = scanner_market(products=300, months=14, sigma=2.0)
    made = multilateral_index(market.result, formula=formula, window=13).to_pyarrow()
    assert made["period"].to_pylist() == market.truth["period"].to_pylist()
    np.testing.assert_allclose(made["index"], market.truth["index"], rtol=2e-4)


def test_a_chained_index_drifts_when_households_stockpile_and_the_multilateral_one_hardly():
    with seeded(8):
        market = scanner_market(products=300, months=25, sales=0.15, demand="stockpiling")
    truth = market.truth["index"].to_pylist()[-1]
    chained = bilateral_index(market.result, base="previous").to_pyarrow()["index"].to_pylist()[-1]
    geks = multilateral_index(market.result).to_pyarrow()["index"].to_pylist()[-1]
    assert abs(chained / truth - 1) > 0.2
    assert abs(geks / truth - 1) < abs(chained / truth - 1) / 3


def test_the_simulators_columns_fit_the_schema_they_promise():
    with seeded(1):
        market = scanner_market(products=5, months=2)
    assert isinstance(market.result, pa.Table)
    assert market.truth.column_names == ["period", "index", "continuing"]


def test_what_averages_would_hide_is_told():
    own = sales(("2026-01-05", "7", 1.0, 10, None), ("2026-01-05", "7", 9.0, 10, None))
    with pytest.warns(Notice, match="Sales of 2 retailers are averaged"):
        unit_values(own | {"retailer": ["x", "y"]})
    with pytest.warns(Notice, match="1 transactions have a quantity or turnover below 0.001"):
        unit_values(sales(("2026-01-05", "7", 1.0, 1.4e-6, None), ("2026-01-05", "8", 1.0, 1, None)))


def test_years_of_a_slip_are_written_in_full():
    made = unit_values(sales(("0026-03-05", "7", 1.0, 10, None), ("2026-03-05", "7", 1.0, 10, None)))
    assert sorted(made.result.period.to_pyarrow().to_pylist()) == ["0026-03", "2026-03"]
