"""From the change of an index to its products and to the rows of the delivery."""

import math
import warnings

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from statcommons.core.errors import BadCall, BadData
from statcommons.core.quality import Notice
from statcommons.core.run import run
from statcommons.core.seed import seeded
from statcommons.prices import bilateral_index, multilateral_index
from statcommons.prices.aggregate.aggregate_index import aggregate_index
from statcommons.prices.audit.contributions import within_aggregate
from statcommons.prices.audit.explain_index import explain_index
from statcommons.prices.audit.products import disclosable, statuses
from statcommons.prices.data import scanner_market
from statcommons.prices.panel import panel

pytestmark = pytest.mark.filterwarnings(f"ignore::{Notice.__module__}.{Notice.__qualname__}")


@pytest.fixture(scope="module")
def market():
    """Sales of 60 products of two groups, with sales, entry and exit."""
    with seeded(11), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        sold = scanner_market(products=60, months=10, sales=0.1, life=8.0).result
    group = ["01.1" if int(code[:7]) % 2 else "01.2" for code in sold["product"].to_pylist()]
    return sold.drop_columns("group").append_column("group", pa.array(group))


def total(made, column="contribution_log"):
    return math.fsum(made.to_pyarrow()[column].to_pylist())


@pytest.mark.parametrize("method", ["geks", "gk", "tpd", "lehr"])
@pytest.mark.parametrize("splice", ["mean", "wisp", "fbew"])
def test_contributions_add_up_to_the_index_of_the_method(market, method, splice):
    given = {"method": method, "splice": splice, "window": 5, "by": "group"}
    index = multilateral_index(market, **given).to_pyarrow()
    level = {(row["group"], row["period"]): row["index"] for row in index.to_pylist()}
    periods = sorted({period for _, period in level})
    made = explain_index(market, **given, from_period=periods[2], to_period=periods[8])
    for output in (made.summary, made.contributions):
        for group in ("01.1", "01.2"):
            change = level[group, periods[8]] / level[group, periods[2]]
            part = output.filter(output.group == group)
            assert total(part) == pytest.approx(math.log(change), abs=1e-12)
            assert total(part, "contribution_pp") == pytest.approx(100 * (change - 1), abs=1e-10)


@pytest.mark.parametrize("formula", ["tornqvist", "fisher", "walsh", "jevons"])
def test_two_periods_compared_directly(market, formula):
    index = bilateral_index(market, formula=formula).to_pyarrow()["index"].to_pylist()
    periods = bilateral_index(market).period.to_pyarrow().to_pylist()
    made = explain_index(market, method="bilateral", formula=formula, from_period=periods[0])
    assert total(made.contributions) == pytest.approx(math.log(index[-1]), abs=1e-12)


def test_the_last_two_periods_are_explained_by_default(market):
    made = explain_index(market, window=5).summary.to_pyarrow().to_pylist()
    months = sorted({f"{day:%Y-%m}" for day in market["time"].to_pylist()})
    assert {(row["period_from"], row["period_to"]) for row in made} == {tuple(months[-2:])}


@pytest.mark.parametrize("by", ["total", "group"])
def test_the_rows_are_those_of_the_largest_contributions(market, by):
    made = explain_index(market, window=5, by=by, top=3)
    months = sorted({f"{day:%Y-%m}" for day in market["time"].to_pylist()})[-2:]
    expected = []
    contributions = made.contributions.to_pyarrow().to_pylist()
    for group in {row["group"] for row in contributions}:
        ranked = sorted(
            (row for row in contributions if row["group"] == group), key=lambda row: -abs(row["contribution_log"])
        )[:3]
        rank = {row["product"]: place for place, row in enumerate(ranked, 1)}
        for row in market.to_pylist():
            month = f"{row['time']:%Y-%m}"
            if row["product"] in rank and month in months and group in ("_T", row["group"]):
                expected.append((group, rank[row["product"]], month, row["time"], row["price"], row["quantity"]))
    rows = made.rows.to_pyarrow().to_pylist()
    names = ("of_group", "rank", "period", "time", "price", "quantity")
    assert expected
    assert sorted(tuple(row[name] for name in names) for row in rows) == sorted(expected)


def test_prices_and_quantities_stand_at_both_ends():
    sales = {
        "time": ["2026-01-05", "2026-01-06", "2026-02-05", "2026-02-05", "2026-01-07"],
        "product": ["tea", "tea", "tea", "pot", "cup"],
        "price": [2.0, 3.0, 4.0, 9.0, 1.0],
        "quantity": [3, 1, 5, 1, 2],
    }
    made = explain_index(sales, window=2).contributions.order_by("product").to_pyarrow().to_pylist()
    names = ("product", "status", "price_from", "price_to", "quantity_from", "quantity_to")
    assert [tuple(row[name] for name in names) for row in made] == [
        ("cup", "gone", 1.0, None, 2.0, None),
        ("pot", "new", None, 9.0, None, 1.0),
        ("tea", "stay", 2.25, 4.0, 4.0, 5.0),
    ]


def test_products_sold_elsewhere_only_are_listed_where_they_contribute(market):
    months = sorted({f"{day:%Y-%m}" for day in market["time"].to_pylist()})
    made = explain_index(market, window=3, splice="movement", from_period=months[0], to_period=months[9])
    found = made.contributions.filter(made.contributions.status == "elsewhere").to_pyarrow().to_pylist()
    assert found
    assert all(row["price_from"] is None and row["price_to"] is None for row in found)
    assert all(row["contribution_log"] != 0 for row in found)


# --- what may be published ------------------------------------------------------------------------------------------


def test_what_concerns_single_products_stays_in_private(market, tmp_path):
    done = run("prices.explain_index", {"transactions": market}, {"window": 5}, out=tmp_path / "run")
    outputs = done.path / "outputs"
    assert pq.read_table(outputs / "contributions.parquet").column_names == ["group"]
    assert pq.read_table(outputs / "rows.parquet").column_names == ["of_group"]
    assert "contribution_pp" in pq.read_table(outputs / "summary.parquet").column_names
    whole = pq.read_table(done.path / "private" / "outputs" / "contributions.parquet")
    assert {"product", "contribution_pp", "price_to"} <= set(whole.column_names)
    product = whole["product"][0].as_py()
    for file in done.path.rglob("*"):
        if file.is_file() and "private" not in file.relative_to(done.path).parts:
            assert product.encode() not in file.read_bytes(), file


def test_the_summary_adds_the_products_of_a_kind_and_hides_few():
    sales = {
        "time": ["2026-01-05"] * 8 + ["2026-02-05"] * 8,
        "product": [*"abcdefgh", *"abcdefgx"],
        "price": np.linspace(1, 3, 16).tolist(),
        "quantity": [5] * 16,
    }
    made = explain_index(sales, method="tpd", window=2)
    rows = made.summary.order_by("status").to_pyarrow().to_pylist()
    # One product came, one went and none may be told of, so those that stayed are told with them.
    assert [(row["status"], row["products"]) for row in rows] == [("other", 9)]
    assert rows[0]["contribution_log"] == pytest.approx(total(made.contributions), abs=1e-15)
    sales["product"][7], sales["product"][15] = "h", "h"
    kinds = explain_index(sales, method="tpd", window=2).summary.to_pyarrow()["status"].to_pylist()
    assert kinds == ["stay"]


@pytest.mark.parametrize(
    ("counts", "told"),
    [
        ({"stay": 3}, {"stay": "stay"}),
        ({"stay": 2}, {"stay": "other"}),
        ({"new": 1, "gone": 2, "stay": 9}, {"new": "other", "gone": "other", "stay": "stay"}),
        ({"new": 1, "gone": 5, "stay": 9}, {"new": "other", "gone": "other", "stay": "stay"}),
        ({"new": 1, "gone": 1, "stay": 9}, {"new": "other", "gone": "other", "stay": "other"}),
    ],
)
def test_no_kind_of_fewer_than_three_products_is_told(counts, told):
    assert disclosable(counts) == told


# --- what became of a product ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("prices", "expected"),
    [
        ([2.0, 2, 2, 2], "stay"),
        ([2, 2, 1, 2], "sale"),  # cheap in the second period of the two
        ([2, 1, 2, 2], "sale"),  # and in the first
        ([2, 2, 1, 1], "stay"),  # a lower price that stays is no sale
        ([2, 2, 1.85, 2], "stay"),  # 7.5 per cent less
        ([0, 2, 2, 0], "stay"),
        ([0, 2, 1, 0], "sale"),  # its last period, told by the one before
        ([0, 1, 2, 2], "stay"),  # its first period is no sale
        ([2, 0, 2, 2], "new"),
        ([2, 2, 0, 2], "gone"),
        ([2, 0, 0, 2], "elsewhere"),
    ],
)
def test_statuses(prices, expected):
    months = np.array(["2026-01", "2026-02", "2026-03", "2026-04"])
    sold = np.flatnonzero(prices)
    period = np.concatenate([months, months[sold]])
    product = np.array(["a"] * 4 + ["b"] * len(sold))
    data = panel(period, product, [5.0] * 4 + [prices[t] for t in sold], np.ones(4 + len(sold)))
    assert statuses(data, 1, 2).tolist() == ["stay", expected]


# --- groups above ---------------------------------------------------------------------------------------------------


def test_products_explain_the_aggregate_of_groups(market):
    """From the change of the total to the product, by way of the contribution of its group."""
    index = multilateral_index(market, window=5, by="group").to_pyarrow()
    weights = {"group": ["01.1", "01.2"], "weight": [60, 40]}
    made = aggregate_index(index.select(["period", "group", "index"]), weights)
    period = max(index["period"].to_pylist())
    whole = made.result.filter((made.result.group == "01") & (made.result.period == period)).to_pyarrow().to_pylist()[0]
    below = made.contributions.filter((made.contributions.of == "01") & (made.contributions.period == period))
    of_group = {row["group"]: row["previous"] for row in below.to_pyarrow().to_pylist()}
    parts = explain_index(market, window=5, by="group").contributions.to_pyarrow()
    points = within_aggregate(
        parts["contribution_pp"].to_numpy(), parts["group"].to_numpy(zero_copy_only=False), of_group
    )
    assert math.fsum(points) == pytest.approx(whole["contribution_previous"], abs=1e-12)


# --- what is refused ------------------------------------------------------------------------------------------------

TWO = {
    "time": ["2026-01-05", "2026-02-05", "2026-01-05"],
    "product": ["a", "a", "b"],
    "price": [1.0, 2.0, 3.0],
    "quantity": [1, 1, 1],
    "group": ["01", "01", "02"],
}


def test_a_period_that_is_not_in_the_data_is_refused():
    with pytest.raises(BadCall, match=r"to_period is 2026-03\. Give a period from 2026-01 to 2026-02"):
        explain_index(TWO, to_period="2026-03")
    with pytest.raises(BadCall, match=r"There is no period before 2026-01"):
        explain_index(TWO, to_period="2026-01")


def test_a_group_without_sales_in_one_of_the_periods_is_refused_by_name():
    with pytest.raises(BadData, match=r"Group 02 has no sale in 2026-02"):
        explain_index(TWO, by="group")


def test_fewer_periods_than_the_window_are_told():
    with pytest.warns(Notice, match=r"fewer than the window of 25: _T"):
        explain_index(TWO)
