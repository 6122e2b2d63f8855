"""Products defined by attributes: MARS against a plain recomputation and cases that are known."""

import itertools
import math
import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from statcommons.core.errors import BadData
from statcommons.core.quality import collecting
from statcommons.prices.clean.mars import mars, period_pairs

STRATEGIES = ["two_months", "interval_base", "interval_chain", "interval_pairs", "last_months"]


def plainly(sales, attributes, chosen, base, now):
    """Match and R squared from the rows, by the formulas as they are written."""
    of = {p: tuple(attributes[p][name] for name in chosen) for p in attributes}
    later = [(of[p], price, q) for month, p, price, q in sales if month == now]
    earlier = {of[p] for month, p, _, _ in sales if month == base}
    sold = sum(q for _, _, q in later)
    mean = sum(price * q for _, price, q in later) / sold
    match = sum(q for key, _, q in later if key in earlier) / sold
    total = sum(q * (price - mean) ** 2 for _, price, q in later)
    between = 0.0
    for key in {key for key, _, _ in later}:
        inside = [(price, q) for other, price, q in later if other == key]
        quantity = sum(q for _, q in inside)
        between += quantity * (sum(price * q for price, q in inside) / quantity - mean) ** 2
    return match, between / total if total > 1e-9 else 1.0


def tables(sales, attributes):
    return (
        {
            "time": [f"2026-{month:02}-05" for month, *_ in sales],
            "product": [p for _, p, *_ in sales],
            "price": [price for *_, price, _ in sales],
            "quantity": [q for *_, q in sales],
        },
        {
            "product": [p for p, values in attributes.items() for _ in values],
            "attribute": [name for values in attributes.values() for name in values],
            "value": [value for values in attributes.values() for value in values.values()],
        },
    )


def shirts(seed, months=4, products=12):
    draw = random.Random(seed)
    attributes = {
        f"p{k:02}": {"brand": draw.choice("XY"), "size": draw.choice("SML"), "cloth": draw.choice(["cotton", "wool"])}
        for k in range(products)
    }
    sales = [
        (month, p, draw.choice([10.0, 12.5, 20.0, 40.0]), float(draw.randint(1, 9)))
        for month in range(1, months + 1)
        for p in attributes
        if draw.random() < 0.6 or p == "p00"
    ]
    draw.shuffle(sales)
    return sales, attributes


@pytest.mark.parametrize("strategy", STRATEGIES)
@pytest.mark.parametrize("seed", range(4))
def test_all_sets_of_attributes_against_the_formulas(strategy, seed):
    sales, attributes = shirts(seed)
    found = mars(*tables(sales, attributes), strategy=strategy, last=2).result.to_pyarrow().to_pylist()
    pairs = {
        "two_months": [(1, 4)],
        "interval_base": [(1, 2), (1, 3), (1, 4)],
        "interval_chain": [(1, 2), (2, 3), (3, 4)],
        "interval_pairs": list(itertools.combinations(range(1, 5), 2)),
        "last_months": [(2, 4), (3, 4)],
    }[strategy]
    by_name = {row["partition"]: row for row in found}
    assert len(by_name) == 7 + 1
    for size in (1, 2, 3):
        for chosen in itertools.combinations(("brand", "cloth", "size"), size):
            each = [plainly(sales, attributes, chosen, *pair) for pair in pairs]
            match, homogeneity = (math.prod(one) ** (1 / len(pairs)) for one in zip(*each, strict=True))
            row = by_name["-".join(chosen)]
            assert row["product_match"] == pytest.approx(match, rel=1e-12)
            assert row["homogeneity"] == pytest.approx(homogeneity, rel=1e-9, abs=1e-12)
            assert row["mars"] == pytest.approx(match * homogeneity, rel=1e-9, abs=1e-12)
    assert [row["rank"] for row in found] == list(range(1, 9))
    assert sorted((row["mars"] for row in found), reverse=True) == pytest.approx([row["mars"] for row in found])


@settings(max_examples=20)
@given(st.integers(0, 10_000))
def test_finer_sets_are_more_homogeneous_and_match_less(seed):
    sales, attributes = shirts(seed, months=2)
    rows = {row["partition"]: row for row in mars(*tables(sales, attributes)).result.to_pyarrow().to_pylist()}
    finer = [("brand", "brand-size"), ("brand-size", "brand-cloth-size"), ("brand-cloth-size", "product")]
    for coarse, fine in finer:
        assert rows[fine]["homogeneity"] >= rows[coarse]["homogeneity"] - 1e-12
        assert rows[fine]["product_match"] <= rows[coarse]["product_match"] + 1e-12
    assert rows["product"]["homogeneity"] == pytest.approx(1, abs=1e-12)


def test_relaunched_products_are_followed_by_their_attributes():
    sales = [(1, "old", 10.0, 5.0), (1, "dear", 30.0, 5.0), (2, "new", 9.0, 5.0), (2, "dear", 31.0, 5.0)]
    attributes = {p: {"brand": brand, "size": "500 g"} for p, brand in (("old", "A"), ("new", "A"), ("dear", "B"))}
    made = mars(*tables(sales, attributes))
    best = made.result.to_pyarrow().to_pylist()[0]
    assert (best["partition"], best["mars"]) == ("brand", pytest.approx(1))
    strata = {row["product"]: row["stratum"] for row in made.strata.to_pyarrow().to_pylist()}
    assert strata == {"old": "brand=A", "new": "brand=A", "dear": "brand=B"}


def test_prices_that_are_all_alike_are_homogeneous():
    sales = [(1, "a", 0.3, 1.0), (1, "b", 0.3, 3.0), (2, "a", 0.1, 3.0), (2, "b", 0.1, 7.0)]
    rows = mars(*tables(sales, {p: {"brand": "A"} for p in "ab"})).result.to_pyarrow().to_pylist()
    assert [row["homogeneity"] for row in rows] == [1.0, 1.0]


def test_what_is_not_known_is_a_value_of_its_own_and_counted():
    sales = [(1, "a", 10.0, 1.0), (1, "b", 20.0, 1.0), (2, "a", 10.0, 1.0), (2, "b", 20.0, 1.0)]
    with collecting() as found:
        made = mars(*tables(sales, {"a": {"brand": "A;B\\"}, "elsewhere": {"brand": "C"}}))
    assert {row["stratum"] for row in made.strata.to_pyarrow().to_pylist()} == {"brand=A\\;B\\\\", "brand=_U"}
    assert [one.value for one in found.measures if one.name == "Attributes that are not known"] == [0.5]


def test_groups_are_ranked_each_by_itself():
    sales, attributes = shirts(1, months=2)
    transactions, values = tables(sales, attributes)
    group = {p: "A" if p < "p06" else "B" for p in attributes}
    transactions["group"] = [group[p] for p in transactions["product"]]
    rows = mars(transactions, values, by="group").result.to_pyarrow().to_pylist()
    for name in "AB":
        part = [sale for sale in sales if group[sale[1]] == name]
        alone = {
            row["partition"]: row["mars"] for row in mars(*tables(part, attributes)).result.to_pyarrow().to_pylist()
        }
        assert {row["partition"]: row["mars"] for row in rows if row["group"] == name} == alone


def test_last_months_are_at_most_those_that_are_there():
    assert period_pairs(3, "last_months", 9) == [(0, 2), (1, 2)]
    sales, attributes = shirts(2, months=3)
    with collecting() as found:
        mars(*tables(sales, attributes), strategy="last_months", last=9)
    assert [text for text in found.notices if "all are used" in text]


def test_refused():
    sales, attributes = shirts(1, months=1)
    with pytest.raises(BadData, match="one period"):
        mars(*tables(sales, attributes))
    sales, attributes = shirts(1, months=2)
    many = {p: {f"a{k}": "x" for k in range(13)} for p in attributes}
    with pytest.raises(BadData, match="There are 13 attributes"):
        mars(*tables(sales, many))
    with pytest.raises(BadData, match="named 'product'"):
        mars(*tables(sales, {p: {"product": "x"} for p in attributes}))


def test_the_order_of_the_rows_changes_nothing():
    sales, attributes = shirts(3)
    first = mars(*tables(sales, attributes)).result.to_pyarrow()
    again = mars(*tables(sales[::-1], dict(reversed(attributes.items())))).result.to_pyarrow()
    assert first.equals(again)
    assert np.isfinite(first["mars"].to_numpy()).all()
