"""Filters on price changes: by brute force over pairs of months, planted faults, and the rules of the manuals."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from statcommons.core.errors import BadCall, BadData
from statcommons.core.quality import collecting
from statcommons.core.seed import seeded
from statcommons.prices.clean.filter_changes import filter_changes
from statcommons.prices.clean.outliers import OUTLIERS, PROFILES, Rules
from statcommons.prices.data import scanner_market
from statcommons.prices.unit_values import unit_values

MONTHS = [f"2025-{month:02d}" for month in range(1, 13)]


def values(*rows):
    """Unit values from (period, product, price, quantity)."""
    return {
        "period": [row[0] for row in rows],
        "group": ["01.1"] * len(rows),
        "product": [row[1] for row in rows],
        "price": [float(row[2]) for row in rows],
        "quantity": [float(row[3]) for row in rows],
        "turnover": [float(row[2] * row[3]) for row in rows],
    }


def rejected(table, **rules):
    rows = filter_changes(table, **rules).rejected.to_pyarrow().to_pylist()
    return sorted((row["period"], row["product"], row["filter"]) for row in rows)


@pytest.fixture(scope="module")
def market():
    """Unit values with churn, in two groups, with jumps and clearances planted."""
    with seeded(7):
        sales = scanner_market(products=60, months=8, sales=0.2, life=6).result
    table = unit_values(sales).result.order_by(["product", "period"]).to_pyarrow().to_pandas()
    rng = np.random.default_rng(1)
    table["group"] = np.where(table["product"].map(hash_of) % 2 == 0, "01.1", "01.2")
    table["price"] *= np.where(rng.random(len(table)) < 0.05, 12, 1)
    shrunk = rng.random(len(table)) < 0.05
    table.loc[shrunk, "price"] *= 0.6
    table.loc[shrunk, "quantity"] *= 0.05
    table["turnover"] = table["price"] * table["quantity"]
    return table


def hash_of(text):
    return sum(map(ord, text))


def by_pairs(table, rules):
    """The same filters, pair of months by pair, written out in plain loops."""
    found = {}
    months = sorted(set(table["period"]))
    for _, part in table.groupby("group"):
        held = {}  # product -> (price, sales) before it was cleared out
        for before, now in itertools.pairwise(months):
            first = part[part["period"] == before].set_index("product")
            second = part[part["period"] == now].set_index("product")
            both = sorted(set(first.index) & set(second.index))
            whole = first.loc[both, "turnover"].sum(), second.loc[both, "turnover"].sum()
            for product in sorted(set(second.index)):
                names = []
                row = second.loc[product]
                if product in both:
                    was = first.loc[product]
                    ratio = row["price"] / was["price"]
                    names += ["outlier"] if not rules.lower <= ratio <= rules.upper else []
                falls = bool(rules.dump_price) and product in both and ratio < rules.dump_price
                falls = falls and row["turnover"] / was["turnover"] < rules.dump_sales
                if falls:
                    held.setdefault(product, (was["price"], was["turnover"]))
                if product in held:
                    price, sales = held[product]
                    if row["price"] < rules.dump_price * price and row["turnover"] < rules.dump_sales * sales:
                        names.append("dump")
                    else:
                        del held[product]
                        if falls:
                            held[product] = was["price"], was["turnover"]
                            names.append("dump")
                if rules.low_sales and product in both:
                    share = (was["turnover"] / whole[0] + row["turnover"] / whole[1]) / 2
                    names += ["low_sales"] if share <= 1 / (len(both) * rules.low_sales) else []
                if names:
                    found[now, product] = ", ".join(names)
    return found


@pytest.mark.parametrize(
    "rules",
    [
        {},
        {"low_sales": 1.25, "upper": 3.0},
        {"dump_price": 0.9, "dump_sales": 0.2},
        {"low_sales": 2.0, "dump_price": 0.8, "dump_sales": 0.3, "lower": 0.3},
    ],
)
def test_filters_are_their_definition_written_out(market, rules):
    expected = by_pairs(market, Rules(**rules))
    assert len(expected) > 5
    found = rejected(market, **rules)
    assert {(period, product): names for period, product, names in found} == expected


def test_kept_and_rejected_are_all_there_is_untouched(market):
    made = filter_changes(market, profile="norway")
    names = ["period", "group", "product", "price", "quantity", "turnover"]
    kept, gone = (table.select(names).to_pyarrow().to_pandas() for table in (made.result, made.rejected))
    assert len(kept) + len(gone) == len(market)
    together = set(map(tuple, kept.to_numpy())) | set(map(tuple, gone.to_numpy()))
    assert together == set(map(tuple, market[names].to_numpy()))


def test_the_profiles_are_those_of_the_handbook():
    poland, norway, uk = (PROFILES[name] for name in ("poland", "norway", "uk"))
    assert (poland.lower, poland.upper, poland.low_sales) == (0.25, 3, 1.25)
    assert (norway.lower, norway.upper, norway.dump_price, norway.dump_sales) == (0.25, 4, 0.9, 0.2)
    assert (uk.lower, uk.upper) == (0.33, 3)
    table = values(("2025-01", "a", 10, 5), ("2025-02", "a", 35, 5))
    assert rejected(
        table,
        profile="poland",
    ) == [("2025-02", "a", "outlier")]
    assert rejected(table, profile="norway") == []
    with pytest.raises(BadCall, match="profile is 'poland' and other rules are given"):
        filter_changes(table, profile="poland", upper=3.0)


def test_a_cleared_out_product_stays_out_until_price_or_sales_are_back():
    rows = [("2025-01", 10, 100), ("2025-02", 5, 10), ("2025-03", 5, 12), ("2025-04", 4, 9), ("2025-05", 9.5, 9)]
    table = values(*((month, "a", price, quantity) for month, price, quantity in rows))
    out = rejected(table, dump_price=0.9, dump_sales=0.2)
    assert [period for period, _, _ in out] == ["2025-02", "2025-03", "2025-04"]
    rows[3] = ("2025-04", 5, 60)  # cheap, but sold again
    table = values(*((month, "a", price, quantity) for month, price, quantity in rows))
    out = rejected(table, dump_price=0.9, dump_sales=0.2, outlier="none")
    assert [period for period, _, _ in out] == ["2025-02", "2025-03"]


def test_sales_may_be_counted_in_units():
    table = values(("2025-01", "a", 10, 100), ("2025-02", "a", 5, 30))
    assert rejected(table, dump_price=0.9, dump_sales=0.2) == [("2025-02", "a", "dump")]
    assert rejected(table, dump_price=0.9, dump_sales=0.2, dump_by="quantity") == []


def test_what_has_no_month_before_is_kept_and_measured():
    table = values(
        ("2025-01", "a", 10, 10),
        ("2025-02", "a", 10, 10),
        ("2025-02", "new", 500, 1),
        ("2025-01", "gone", 9, 1),
        ("2025-03", "gone", 90, 1),
        ("2025-03", "a", 10, 10),
    )
    with collecting() as found:
        assert rejected(table, low_sales=1.25, upper=3.0) == []
    measures = {one.name: one.value for one in found.measures}
    assert measures["Turnover not judged, having no period before"] == pytest.approx((500 + 90) / (600 + 190))
    assert measures["Turnover rejected by the filter outlier"] == 0


def test_no_filter_rejects_nothing(market):
    assert rejected(market, outlier="none") == []


CHANGES = np.array([0.5, 0.9, 0.95, 1.0, 1.0, 1.0, 1.02, 1.05, 1.1, 3.0])
SIZE = np.array([2.0, 4, 1, 1, 1, 1, 1, 1, 1, 9])


def kept(outlier, **more):
    flags = OUTLIERS[outlier](CHANGES, SIZE, Rules(outlier, **more))
    return CHANGES[flags].tolist()


def test_outlier_rules_by_hand():
    """Quartiles of CHANGES are 0.9625, 1, 1.0425 (linear interpolation)."""
    inner = CHANGES[1:-1].tolist()
    assert kept("limits", lower=0.6, upper=3) == CHANGES[1:].tolist()
    assert kept("quantile", lower=0.05, upper=0.95) == inner
    # 1 - 2.5 * 0.05 to 1 + 2.5 * 0.05, the least spread being wider than either quartile
    assert kept("quartile") == inner
    # 1 - 2.5 * 0.0375 = 0.90625 to 1 + 2.5 * 0.0425 = 1.10625
    assert kept("quartile", least_spread=0) == CHANGES[2:-1].tolist()
    # 0.9625 - 0.09375 = 0.86875 to 1.0425 + 0.10625
    assert kept("kimber", least_spread=0) == inner
    # median absolute deviation 0.05: 1 +- 2.5 * 0.07413
    assert kept("robust_z", least_spread=0) == inner
    assert kept("robust_z", least_spread=0, cut=1.3) == [0.95, 1, 1, 1, 1.02, 1.05]
    # without the tails and what stands still: 0.9 0.95 1.02 1.05 1.1, midmean 1.004, semi-midmeans 0.925 and 1.05667
    assert kept("tukey", least_spread=0, cut=2.0) == inner
    assert kept("tukey", least_spread=0, cut=1.8) == [0.9, 0.95, 1, 1, 1, 1.02, 1.05]
    # halving and doubling alike: effects -1 * sqrt 2, -0.1111 * 2, -0.0526 ... , 2 * 3
    assert kept("hidiroglou_berthelot", least_spread=0, cut=2.0) == [0.95, 1, 1, 1, 1.02, 1.05]
    assert kept("hidiroglou_berthelot", least_spread=0, cut=2.0, size_power=0.0) == [0.95, 1, 1, 1, 1.02, 1.05]


@pytest.mark.parametrize("outlier", sorted(set(OUTLIERS) - {"limits"}))
def test_rules_of_the_others_find_a_planted_jump_and_nothing_where_prices_stand_still(outlier):
    rng = np.random.default_rng(2)
    bounds = {"lower": 0.01, "upper": 0.99} if outlier == "quantile" else {}
    rows = [(month, f"p{k:02d}", 10 * np.exp(rng.normal(0, 0.005)), 10) for month in MONTHS[:2] for k in range(40)]
    assert outlier == "quantile" or rejected(values(*rows), outlier=outlier, **bounds) == []
    rows[45] = ("2025-02", "p05", 120.0, 10)
    assert ("2025-02", "p05", "outlier") in rejected(values(*rows), outlier=outlier, **bounds)


def test_contradictions_are_refused():
    table = values(("2025-01", "a", 10, 10))
    for rules, says in (
        ({"lower": 4, "upper": 0.25}, "lower is 4.0 and upper 0.25"),
        ({"outlier": "quantile"}, "upper is 4.0, no probability"),
        ({"dump_price": 0.9}, "belong together"),
        ({"dump_price": 0.2, "dump_sales": 0.2}, "lower is 0.25, not below dump_price 0.2"),
    ):
        with pytest.raises(BadCall, match=says):
            filter_changes(table, **rules)
    with pytest.raises(BadData, match="no data between 2025-01 and 2025-03"):
        filter_changes(values(("2025-01", "a", 10, 10), ("2025-03", "a", 10, 10)))
