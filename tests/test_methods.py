"""The contract, walked over the registry: every method, every parameter."""

from __future__ import annotations

import pyarrow as pa
import pytest

from statcommons.core.registry import find_method, find_source, methods, sources
from statcommons.core.seed import seeded
from statcommons.prices.data import scanner_market
from statcommons.testing import method_checks

with seeded(3):
    MARKET = scanner_market(products=30, months=4).result

EXAMPLES = {id: {"transactions": MARKET} for id in methods() if id.startswith("prices.")}

EXAMPLES["prices.scraped_index"] = {"prices": MARKET}
EXAMPLES["prices.index_from"] = {
    "pairs": pa.table(
        {
            "group": ["_T"] * 20,
            "sum": [name for name in "ABCFn" for _ in range(4)],
            "first": ["_T"] * 20,
            "last": ["_T"] * 20,
            "period": ["2026-01", "2026-01", "2026-02", "2026-02"] * 5,
            "other": ["2026-01", "2026-02"] * 10,
            "value": [4.0, 4, 6, 6, 1, 2, 1.5, 3, 1, 1, 3, 3, 4, 6, 4, 6, 3, 3, 3, 3],
        }
    )
}

NAMED = pa.table(
    {
        "time": pa.array(["2026-01-05", "2026-01-06", "2026-02-05", "2026-02-06"]).cast(pa.date32()),
        "product": ["1", "2", "3", "2"],
        "price": [20.0, 3.0, 19.0, 3.5],
        "quantity": [10.0, 40.0, 12.0, 30.0],
        "description": ["coffee abc 200g", "rice 4x100g", "coffee abc 180 g", "rice 4x100g"],
    }
)
EXAMPLES["prices.shrinkflation"] = {"transactions": NAMED}
EXAMPLES["prices.relaunches"] = {"transactions": NAMED}
EXAMPLES["prices.match_products"] = {"products": NAMED.select(["product", "description"])}
LABELLED = pa.table(
    {
        "description": [f"{name} {brand}" for name in ("milk uht", "rice wild", "milk goat") for brand in ("a", "b")],
        "group": ["01.1.4", "01.1.4", "01.1.1", "01.1.1", "01.1.4", "01.1.4"],
        "classification": ["COICOP_2018"] * 6,
    }
)
DECIDED = pa.table(
    {
        "description": ["milk oat"],
        "group": ["01.1.4"],
        "classification": ["COICOP_2018"],
        "clerk": ["A"],
        "time": pa.array(["2026-01-05"]).cast(pa.date32()),
    }
)
EXAMPLES["prices.classify"] = {
    "labelled": LABELLED,
    "items": pa.table({"description": ["milk soy", "rice wild a"], "turnover": [5.0, 7.0]}),
    "corrections": DECIDED,
}
EXAMPLES["prices.mars"] = {
    "transactions": NAMED,
    "attributes": pa.table(
        {"product": ["1", "2", "3"], "attribute": ["kind"] * 3, "value": ["coffee", "rice", "coffee"]}
    ),
}

BASKET = {
    "elementary": pa.table(
        {
            "period": ["2024-12"] * 3 + ["2025-01"] * 3,
            "group": ["01.1", "01.2", "02.1"] * 2,
            "index": [100.0, 100.0, 100.0, 104.0, 97.0, 101.0],
        }
    ),
    "weights": pa.table({"group": ["01.1", "01.2", "02.1"], "weight": [50.0, 30.0, 20.0]}),
}
EXAMPLES["prices.aggregate_index"] = BASKET
EXAMPLES["prices.cpi"] = {
    "deliveries": MARKET.append_column("retailer", pa.array(["A"] * MARKET.num_rows)),
    "weights": pa.table({"group": ["01.1.4"], "weight": [1.0]}),
}
COMPILED = {
    "period": ["2025-01"] * 3,
    "group": ["_T", "01", "02"],
    "level": [0, 1, 1],
    "index": [101.0, 102.0, 100.0],
    "weight": [1.0, 0.5, 0.5],
    "contribution_previous": [1.0, 1.0, 0.0],
    "contribution_year": pa.nulls(3, pa.float64()),
    "imputed": [0.0] * 3,
    "version": ["COICOP 2018"] * 3,
}
SOLD = {"period": ["2025-01"] * 4, "group": ["01"] * 3 + ["02"], "retailer": list("abca"), "turnover": [1.0] * 4}
EXAMPLES["prices.protect_index"] = {"aggregated": pa.table(COMPILED), "contributors": pa.table(SOLD)}
STOOD = {"vintage": [1], "period": ["2025-01"], "group": ["01"], "index": [101.0]}
EXAMPLES["prices.revise_index"] = {
    "computed": pa.table({"period": ["2025-01", "2025-02"], "group": ["01"] * 2, "index": [102.0, 103.0]}),
    "published": pa.table(STOOD),
}

VALUES = {
    "period": ["2026-01"] * 3 + ["2026-02"] * 3,
    "group": ["01.1"] * 6,
    "product": ["rice", "tea", "milk"] * 2,
    "price": [2.0, 3.0, 1.0, 2.1, 30.0, 1.0],
    "quantity": [9.0, 4.0, 7.0, 8.0, 1.0, 6.0],
    "turnover": [18.0, 12.0, 7.0, 16.8, 30.0, 6.0],
}
EXAMPLES["prices.filter_changes"] = {"unit_values": pa.table(VALUES)}
GAPPED = {name: [*column[:4], column[5]] for name, column in VALUES.items()}  # no tea in February
EXAMPLES["prices.impute"] = {"unit_values": pa.table(GAPPED)}
EXAMPLES["prices.elementary_index"] = {"prices": MARKET}

CHECKS = [
    pytest.param(check, id=f"{id} {name}")
    for id in methods()
    for name, check in method_checks(find_method(id), EXAMPLES.get(id))
]


@pytest.mark.parametrize("check", CHECKS)
def test_contract(check):
    check()


def test_every_method_has_an_example_of_its_inputs():
    assert set(EXAMPLES) == set(methods())


@pytest.mark.parametrize("id", sources())
def test_sources_say_who_publishes_them_and_how_they_are_had(id):
    spec = find_source(id).spec
    assert spec.publisher
    assert spec.licence
    assert spec.access in ("package", "download", "simulated")
    assert spec.method.description
    for one in spec.method.parameters:
        assert one.description
