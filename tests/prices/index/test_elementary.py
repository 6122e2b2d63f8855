"""Elementary indices of prices with and without quantities: averages, outlets, shares, and what is refused."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from statcommons.core.errors import BadCall, BadData
from statcommons.core.quality import Notice
from statcommons.core.run import run
from statcommons.core.seed import seeded
from statcommons.prices import bilateral_index
from statcommons.prices.data import scanner_market
from statcommons.prices.index.elementary import elementary_index
from statcommons.prices.index.formulas import ELEMENTARY

pytestmark = pytest.mark.filterwarnings(f"ignore::{Notice.__module__}.{Notice.__qualname__}")

# Two products in two months; the first is seen twice in the second. Its mean price is 3, not the last or the first.
SEEN = {
    "time": ["2026-01-05", "2026-01-05", "2026-02-05", "2026-02-06", "2026-02-05"],
    "product": ["rice", "tea", "rice", "rice", "tea"],
    "price": [2.0, 4.0, 2.0, 4.0, 5.0],
}
BY_HAND = {
    "carli": (1.5 + 1.25) / 2,
    "dutot": 8 / 6,
    "jevons": np.sqrt(1.5 * 1.25),
    "harmonic": 2 / (1 / 1.5 + 1 / 1.25),
    "cswd": np.sqrt((1.5 + 1.25) / (1 / 1.5 + 1 / 1.25)),
    "bmw": (np.sqrt(1.5) + np.sqrt(1.25)) / (np.sqrt(1 / 1.5) + np.sqrt(1 / 1.25)),
}


def index(prices, **parameters):
    return elementary_index(prices, **parameters).order_by(["group", "period"]).to_pyarrow()["index"].to_pylist()


@pytest.mark.parametrize("formula", ELEMENTARY)
def test_each_formula_by_hand(formula):
    assert index(SEEN, formula=formula) == pytest.approx([1, BY_HAND[formula]], rel=1e-15)


def test_quantities_make_unit_values_of_several_prices():
    sold = {**SEEN, "quantity": [1, 1, 9, 1, 1]}
    assert index(sold) == pytest.approx([1, np.sqrt(2.2 / 2 * 1.25)], rel=1e-15)


def test_quantities_weigh_no_product():
    assert index({**SEEN, "quantity": [1, 1000, 1, 1, 3000]}) == pytest.approx(index(SEEN), rel=1e-15)


def test_a_return_is_taken_off():
    sold = {name: [*column, column[2]] for name, column in SEEN.items()} | {"quantity": [1, 1, 3, 1, 1, -2]}
    assert index(sold) == pytest.approx(index(SEEN), rel=1e-15)


def test_a_price_is_compared_with_that_of_the_same_outlet():
    """The dear shop has no rice in January: the cheap one's price has not changed, and neither has the index."""
    seen = {
        "time": ["2026-01-05", "2026-02-05", "2026-02-05"],
        "product": ["rice"] * 3,
        "price": [2.0, 2.0, 9.0],
        "outlet": ["cheap", "cheap", "dear"],
    }
    assert index(seen) == [1.0, 1.0]
    assert index({**seen, "outlet": [None, None, "dear"]}) == [1.0, 1.0]
    del seen["outlet"]
    assert index(seen) == [1.0, 2.75]


def test_codes_of_product_and_outlet_do_not_run_together():
    seen = {
        "time": ["2026-01-05", "2026-01-05", "2026-02-05", "2026-02-05"],
        "product": ["a", "ab", "a", "ab"],
        "price": [1.0, 10.0, 2.0, 20.0],
        "outlet": ["bc", "c", "bc", "c"],
    }
    made = elementary_index(seen).to_pyarrow()
    assert made["matched_products"].to_pylist() == [2, 2]
    assert made["index"].to_pylist() == [1.0, 2.0]


def test_without_quantities_matched_shares_count_prices():
    seen = {
        "time": ["2026-01-05"] * 4 + ["2026-02-05"] * 2,
        "product": ["a", "b", "c", "d", "a", "e"],
        "price": [1.0, 50.0, 3.0, 7.0, 2.0, 100.0],
    }
    made = elementary_index(seen).to_pyarrow()
    assert made["matched_share_base"].to_pylist() == pytest.approx([1, 0.25], rel=1e-15)
    assert made["matched_share_current"].to_pylist() == pytest.approx([1, 0.5], rel=1e-15)


def test_groups_bases_and_weeks():
    seen = {**SEEN, "group": ["01.1", "01.2", "01.1", "01.1", "01.2"]}
    assert index(seen, by="group") == [1.0, 1.5, 1.0, 1.25]
    days = {"time": ["2025-01-06", "2026-01-05", "2026-01-12"], "product": ["a"] * 3, "price": [1.0, 2.0, 3.0]}
    made = elementary_index(days, period="week", base="year_ago").to_pyarrow()
    assert made.select(["period", "index", "splice"]).to_pylist() == [
        {"period": "2026-W02", "index": 2.0, "splice": "year_ago"}
    ]
    with pytest.raises(BadData, match="no data between 2025-W02 and 2026-W02"):
        elementary_index(days, period="week", base="previous")


def test_prices_of_scanners_give_the_same_as_the_bilateral_index():
    with seeded(5):
        market = scanner_market(products=40, months=5, life=6).result
    market = market.drop_columns(["outlet"])
    for formula in ELEMENTARY:
        ours = elementary_index(market, formula=formula, base="previous").to_pyarrow()
        theirs = bilateral_index(market, formula=formula, base="previous").to_pyarrow()
        assert ours.equals(theirs)


def test_quantities_in_some_rows_only_are_refused():
    with pytest.raises(BadData, match="1 of 5 prices have no quantity"):
        elementary_index({**SEEN, "quantity": [1, 1, None, 1, 1]})


@pytest.mark.parametrize("bad", [0.0, -2.0, None, float("nan"), float("inf")])
def test_a_price_that_is_none_is_refused(bad):
    with pytest.raises(BadData, match="price"):
        elementary_index({**SEEN, "price": [2.0, 4.0, bad, 4.0, 5.0]})


def test_months_without_a_common_product_and_unknown_formulas_are_refused():
    with pytest.raises(BadData, match="No product is sold in both 2026-01 and 2026-02"):
        elementary_index({"time": ["2026-01-05", "2026-02-05"], "product": ["a", "b"], "price": [1.0, 2.0]})
    with pytest.raises(BadCall, match="fisher"):
        elementary_index(SEEN, formula="fisher")


def test_a_file_of_scraped_prices_runs_as_a_method(tmp_path):
    file = tmp_path / "seen.csv"
    rows = zip(*SEEN.values(), strict=True)
    file.write_text("time,product,price\n" + "".join(f"{day},{code},{price}\n" for day, code, price in rows))
    done = run("prices.elementary_index", {"prices": file}, {"formula": "dutot"}, out=tmp_path / "run")
    made = done.output()
    made = made if isinstance(made, pa.Table) else made.to_pyarrow()
    assert made["index"].to_pylist() == pytest.approx([1, 8 / 6], rel=1e-15)
