"""Aggregation against the worked examples of the R package piar, and small cases of PriceIndices."""

from __future__ import annotations

import csv
import itertools
import math
from pathlib import Path

import numpy as np
import pytest

from statcommons.prices.aggregate.aggregate_index import aggregate_index
from statcommons.prices.clean.impute import impute
from statcommons.prices.unit_values import unit_values

DATA = Path(__file__).parents[3] / "shared" / "data" / "prices" / "golden"


def rows(name):
    path = DATA / name
    if not path.exists():
        pytest.skip(f"needs shared/data/prices/golden/{name}")
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def month(label):
    return f"{label[:4]}-{label[4:]}"


def prices(name, product, group):
    """Prices by (product, group) and month, None where there is none."""
    found = {}
    for row in rows(name):
        price = None if row["price"] == "NA" else float(row["price"])
        found.setdefault((row[product], row[group]), {})[month(row["period"])] = price
    return found


def jevons_changes(by_product, months):
    """Elementary changes on the month before: the Jevons index over the products that both months price."""
    found = {"period": [], "group": [], "index": []}
    for group in sorted({group for _, group in by_product}):
        for before, now in itertools.pairwise(months):
            pairs = [(one.get(before), one.get(now)) for (_, its), one in by_product.items() if its == group]
            logs = [math.log(b / a) for a, b in pairs if a and b]
            if logs:
                found["period"].append(now)
                found["group"].append(group)
                found["index"].append(math.exp(math.fsum(logs) / len(logs)))
    found["period"].append(months[0])
    found["group"].append(found["group"][0])
    found["index"].append(1.0)
    return found


def by_group(made):
    table = made.result.order_by("period").to_pyarrow().to_pylist()
    found = {}
    for row in table:
        found.setdefault(row["group"], []).append(row["index"] / 100)
    return found


def test_matched_sample_with_imputation_by_the_group_above():
    weights = rows("piar_ms_weights.csv")
    months = ["2020-01", "2020-02", "2020-03", "2020-04"]
    businesses = [row["business"] for row in weights]
    structure = {
        "code": ["1", "11", "12", *businesses],
        "parent": [None, "1", "1", *(row["classification"] for row in weights)],
    }
    made = aggregate_index(
        jevons_changes(prices("piar_ms_prices.csv", "product", "business"), months),
        {"group": businesses, "weight": [float(row["weight"]) for row in weights]},
        structure,
        given="changes",
        missing="parent",
    )
    golden = {
        "1": [1, 1.3007239, 1.3827662, 3.7815355],
        "11": [1, 1.3007239, 1.3827662, 2.1771866],
        "12": [1, 1.3007239, 1.3827662, 6.3279338],
        "B1": [1, 0.8949097, 0.2991629, 0.4710366],
        "B2": [1, 1.3007239, 1.3827662, 3.8308934],
        "B3": [1, 2.0200036, 3.3033836, 1.7772072],
        "B4": [1, 1.3007239, 1.3827662, 6.3279338],
        "B5": [1, 1.3007239, 1.3827662, 6.3279338],
    }
    found = by_group(made)
    assert set(found) == set(golden)
    for group, series in golden.items():
        np.testing.assert_allclose(found[group], series, atol=6e-8)


SHADOW_PRICES = {
    "1": [100, 130.072391107879, 86.7572212018498, 194.002034724665],
    "11": [100, 130.072391107879, 86.7572212018498, 66.0876113541715],
    "12": [100, 130.072391107879, 86.7572212018498, 397.025872658294],
    "B1": [100, 89.4909688013136, 29.9162892822837, 22.7888361551669],
    "B2": [100, 130.072391107879, 17.7722681519892, 49.2372928695834],
    "B3": [100, 202.000360773041, 330.33835909201, 177.720715283958],
    "B4": [100, 130.072391107879, 86.7572212018498, 397.025872658294],
    "B5": [100, 130.072391107879, 86.7572212018498, 397.025872658294],
}


def test_shadow_prices_month_by_month():
    """Missing prices move as the index of their business, itself imputed by the group above where it has none."""
    weights = rows("piar_ms_weights.csv")
    months = ["2020-01", "2020-02", "2020-03", "2020-04"]
    businesses = [row["business"] for row in weights]
    structure = {
        "code": ["1", "11", "12", *businesses],
        "parent": [None, "1", "1", *(row["classification"] for row in weights)],
    }
    basket = {"group": businesses, "weight": [float(row["weight"]) for row in weights]}
    seen = prices("piar_ms_prices.csv", "product", "business")
    for last in range(2, 5):
        made = aggregate_index(
            jevons_changes(seen, months[:last]), basket, structure, given="changes", missing="parent"
        )
        values = {name: [] for name in ("period", "group", "product", "price", "quantity", "turnover")}
        for (product, group), series in seen.items():
            for month_, price in series.items():
                if price is not None and month_ in months[:last]:
                    row = (month_, group, product, price, 1.0, price)
                    for column, cell in zip(values.values(), row, strict=True):
                        column.append(cell)
        filled = impute(values, None, made.result, way="parent_index", limit=1).to_pyarrow().to_pylist()
        for row in filled:
            seen[row["product"], row["group"]][row["period"]] = row["price"]
    made = aggregate_index(jevons_changes(seen, months), basket, structure, given="changes", missing="parent")
    found = by_group(made)
    assert set(found) == set(SHADOW_PRICES)
    for group, series in SHADOW_PRICES.items():
        np.testing.assert_allclose(found[group], np.array(series) / 100, rtol=1e-12)


FIXED_SAMPLE = {
    "1": [100, 91.0103876717451, 202.720228734347, 457.399532517888],
    "11": [100, 99.8447454604818, 58.0604309998486, 115.268030978454],
    "12": [100, 89.2590945944688, 251.004254588165, 571.234009665623],
    "13": [100, 61.1111111111111, 102.97619047619, 232.346133774375],
    "111": [100, 98.4063745019920, 57.2240080373539, 113.607471001692],
    "112": [100, 115.826644999257, 67.3540194720112, 133.718697386926],
    "121": [100, 89.2590945944688, 251.004254588165, 268.529892765512],
    "122": [100, 89.2590945944688, 251.004254588165, 697.700689233055],
    "131": [100, 61.1111111111111, 102.97619047619, 232.346133774375],
}


def test_fixed_sample_of_single_prices():
    months = ["2020-01", "2020-02", "2020-03", "2020-04"]
    of_group = {row["classification"]: float(row["weight"]) for row in rows("piar_fs_weights.csv")}
    shops = {row["business"]: row for row in rows("piar_fs_prices.csv") if row["period"] == "202001"}
    sums = dict.fromkeys(of_group, 0.0)
    for row in shops.values():
        sums[row["classification"]] += float(row["weight"])
    structure = {
        "code": ["1", "11", "12", "13", *of_group, *shops],
        "parent": [
            None,
            *("1", "1", "1"),
            *(code[:2] for code in of_group),
            *(row["classification"] for row in shops.values()),
        ],
    }
    weights = {
        "group": list(shops),
        "weight": [
            float(row["weight"]) / sums[row["classification"]] * of_group[row["classification"]]
            for row in shops.values()
        ],
    }
    changes = jevons_changes(prices("piar_fs_prices.csv", "business", "business"), months)
    found = by_group(aggregate_index(changes, weights, structure, given="changes", missing="parent"))
    for group, series in FIXED_SAMPLE.items():
        np.testing.assert_allclose(found[group], np.array(series) / 100, rtol=1e-12)


def test_unit_values_of_the_small_case_of_priceindices():
    """dataAGGR over outlets, as the package prints it: 400032 15 (300), 403249 15 (700), 400050 20 (100), 35 (100)."""
    sales = rows("dataAGGR.csv")
    names = {"time": "time", "product": "prodID", "price": "prices", "quantity": "quantities"}
    columns = {ours: [row[theirs] for row in sales] for ours, theirs in names.items()}
    columns |= {name: [float(one) for one in columns[name]] for name in ("price", "quantity")}
    made = unit_values(columns).result.order_by(["period", "product"]).to_pyarrow().to_pylist()
    assert [(row["period"], row["product"], row["price"], row["quantity"]) for row in made] == [
        ("2018-12", "400032", 15.0, 300.0),
        ("2018-12", "403249", 15.0, 700.0),
        ("2020-07", "400050", 20.0, 100.0),
        ("2020-08", "400050", 35.0, 100.0),
    ]
