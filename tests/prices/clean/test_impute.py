"""Imputation: by hand, by definition written out, and of regressions that know the truth."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from statcommons.core.errors import BadCall, BadData
from statcommons.core.quality import collecting
from statcommons.prices.clean.impute import impute

MONTHS = [f"{year}-{month:02d}" for year in (2024, 2025) for month in range(1, 13)]


def values(prices, group="01.1"):
    """Unit values from prices by product, one a month, None where there is none; 10 sold of each."""
    rows = [
        (MONTHS[t], group if isinstance(group, str) else group[product], product, float(price))
        for product, series in prices.items()
        for t, price in enumerate(series)
        if price is not None
    ]
    names = ("period", "group", "product", "price")
    made = {name: [row[k] for row in rows] for k, name in enumerate(names)}
    return made | {"quantity": [10.0] * len(rows), "turnover": [10 * row[3] for row in rows]}


def traits(**of_product):
    rows = [(product, name, str(value)) for product, one in of_product.items() for name, value in one.items()]
    names = ("product", "characteristic", "value")
    return {name: [row[k] for row in rows] for k, name in enumerate(names)}


def imputed(*inputs, **parameters):
    """Imputed prices by product and month."""
    made = impute(*inputs, **parameters).to_pyarrow().to_pylist()
    way = parameters.get("way", "overall_mean")
    assert {row["imputed"] for row in made} <= {None, way}
    return {(row["product"], row["period"]): row["price"] for row in made if row["imputed"]}


def test_a_price_is_carried_forward_no_further_than_the_limit():
    table = values({"a": [2, None, None, None, None, 3, None], "b": [1, 1, 1, 1, 1, 1, 1]})
    found = imputed(table, way="carry_forward", limit=2)
    assert found == {("a", "2024-02"): 2, ("a", "2024-03"): 2, ("a", "2024-07"): 3}
    assert len(imputed(table, way="carry_forward")) == 4


def test_observed_values_stay_as_they_are_and_quantities_carry_forward():
    table = values({"a": [2, None, 4], "b": [1, 1.1, 1.2]})
    made = impute(table).to_pyarrow().to_pylist()
    observed = {name: [row[name] for row in made if row["imputed"] is None] for name in table}
    assert sorted(zip(*observed.values(), strict=True)) == sorted(zip(*table.values(), strict=True))
    (row,) = [row for row in made if row["imputed"]]
    assert row["quantity"] == 10
    assert row["turnover"] == pytest.approx(row["price"] * 10)


def test_the_overall_mean_is_the_jevons_index_of_those_that_are_there():
    table = values({"a": [2, None, None, 4], "b": [1, 1.1, 1.2, 1.1], "c": [5, 6, None, 6], "new": [None, 3, 4, 5]})
    february = math.sqrt(1.1 * 6 / 5)
    march = math.sqrt(1.2 / 1.1 * 4 / 3)
    found = imputed(table)
    assert found == pytest.approx(
        {("a", "2024-02"): 2 * february, ("a", "2024-03"): 2 * february * march, ("c", "2024-03"): 6 * march}
    )


def test_groups_move_by_themselves():
    table = values({"a": [2, None], "b": [1, 1.5], "x": [1, 3]}, group={"a": "01.1", "b": "01.1", "x": "01.2"})
    assert imputed(table) == pytest.approx({("a", "2024-02"): 3.0})


@settings(max_examples=15, deadline=None)
@given(
    holes=st.sets(st.tuples(st.integers(0, 7), st.integers(1, 5)), max_size=25),
    seed=st.integers(0, 1000),
    unit=st.floats(0.01, 1000),
)
def test_the_overall_mean_does_not_change_the_index_and_follows_the_currency(holes, seed, unit):
    """Filling the gaps by the mean movement leaves the Jevons index of each two months as it is."""
    prices = 10 * np.exp(np.cumsum(np.random.default_rng(seed).normal(0, 0.1, (9, 6)), axis=1))
    rows = {f"p{k}": [None if (k, t) in holes else float(one) for t, one in enumerate(prices[k])] for k in range(9)}
    found = imputed(values(rows), limit=6)
    assert len(found) == len(holes)
    whole = np.array([[rows[f"p{k}"][t] or found[f"p{k}", MONTHS[t]] for t in range(6)] for k in range(9)])
    for t in range(1, 6):
        matched = [k for k in range(9) if rows[f"p{k}"][t] and rows[f"p{k}"][t - 1]]
        before = [k for k in range(9) if rows[f"p{k}"][t]]  # the imputed price before a return is no part of a movement
        gaps = [k for k in range(9) if k not in before]
        jevons = np.mean(np.log(prices[matched, t] / prices[matched, t - 1]))
        filled = np.log(whole[matched + gaps, t] / whole[matched + gaps, t - 1])
        assert filled.mean() == pytest.approx(jevons, abs=1e-12)
    dearer = {name: [None if one is None else one * unit for one in series] for name, series in rows.items()}
    again = imputed(values(dearer), limit=6)
    assert again == pytest.approx({cell: price * unit for cell, price in found.items()})


def test_the_targeted_mean_moves_with_the_same_brand_only():
    table = values(
        {"a": [2, None, None], "b": [1, 1.5, 1.5], "c": [1, 9, 9], "d": [4, None, 4], "e": [3, None, 3], "f": [6, 6, 6]}
    )
    brands = traits(a={"brand": "x"}, b={"brand": "x"}, c={"brand": "y"}, d={"brand": "z"})
    with collecting() as found:
        assert imputed(table, brands, way="targeted_mean", characteristic="brand") == pytest.approx(
            {("a", "2024-02"): 3.0, ("a", "2024-03"): 3.0}
        )
    measures = {one.name: one.value for one in found.measures}
    assert measures["Missing prices that could not be imputed"] == 2  # d has nobody of its brand, e and f have none
    assert measures["Share of unit values imputed"] == pytest.approx(2 / 16)
    assert measures["Share of turnover at imputed prices"] == pytest.approx(60 / 630)


def test_a_parent_index_is_that_of_the_nearest_group_above():
    prices = {"a": [2, None, 2], "b": [5, None, 5], "c": [7, None, 7], "all": [1, 1, 1]}
    table = values(prices, group={"a": "01.1.1", "b": "01.2.1", "c": "02.1", "all": "03"})
    series = {
        "period": ["2024-01", "2024-02"] * 3,
        "group": ["01.1", "01.1", "01", "01", "_T", "_T"],
        "index": [100, 110, 50, 60, 80, 100],
    }
    found = imputed(table, None, series, way="parent_index")
    assert found == pytest.approx({("a", "2024-02"): 2.2, ("b", "2024-02"): 6.0, ("c", "2024-02"): 8.75})


def test_a_regression_without_noise_finds_what_is_missing():
    """ln p = time + grams + brand, prices of which change by month, and a level of the product that stays."""
    rng = np.random.default_rng(4)
    grams, brand = rng.integers(100, 1000, 30), rng.choice(["x", "y", "z"], 30)
    worth = {"x": [0.1, 0.2, 0.3], "y": [0.0, 0.0, 0.0], "z": [-0.2, -0.1, 0.4]}
    true = np.array(
        [
            [math.exp(0.5 + 0.1 * t + (0.001 + 0.0002 * t) * grams[k] + worth[brand[k]][t]) for t in range(3)]
            for k in range(30)
        ]
    )
    rows = {f"p{k:02d}": true[k].tolist() for k in range(30)}
    rows["p03"][1] = rows["p03"][2] = rows["p07"][2] = None
    described = traits(**{f"p{k:02d}": {"grams": grams[k], "brand": brand[k]} for k in range(30)})
    found = imputed(values(rows), described, way="hedonic")
    assert found == pytest.approx(
        {("p03", "2024-02"): true[3, 1], ("p03", "2024-03"): true[3, 2], ("p07", "2024-03"): true[7, 2]}, rel=1e-9
    )


def test_weights_of_the_regression_are_turnover():
    """Two products alike but for the change, one sold a hundred times as much: the third moves with it."""
    table = values({"a": [1, 2], "b": [1, 1], "c": [1, None]})
    table["turnover"] = [1000.0, 2000.0, 10.0, 10.0, 10.0]
    described = traits(a={"kind": "x"}, b={"kind": "x"}, c={"kind": "x"})
    (price,) = imputed(table, described, way="hedonic").values()
    assert price == pytest.approx(2 ** (2000 / 2010), rel=1e-9)


def test_what_no_regression_determines_stays_missing():
    rows = {"a": [1, 1.1], "b": [2, 2.2], "only_one_of_z": [3, None], "undescribed": [4, None]}
    described = traits(a={"brand": "x"}, b={"brand": "y"}, only_one_of_z={"brand": "z"})
    with collecting() as found:
        assert imputed(values(rows), described, way="hedonic") == {}
    assert {one.name: one.value for one in found.measures}["Missing prices that could not be imputed"] == 2


def test_seasonal_imputation_begins_at_the_typical_price():
    """Berries are in season in January, February and June; cherries are seasonal too, apples are not."""
    rows = {
        "berry": [4, 6, None, None, None, 3, None],
        "cherry": [None, 7, 8, 10, 8, 8, 8],
        "apple": [1, 1, 1, 2, 4, 4, 5],
    }
    season = traits(berry={"season": "spring"}, cherry={"season": "summer"})
    cells = [("berry", MONTHS[t]) for t in (2, 3, 4, 6)]
    counter = imputed(values(rows), season, way="counter_seasonal", characteristic="season")
    assert counter == pytest.approx(dict(zip(cells, [5, 5 * 10 / 8, 5, 3], strict=True)))
    every = imputed(values(rows), season, way="all_seasonal", characteristic="season")
    moved = [5, 5 * math.sqrt(10 / 8 * 2), 5 * math.sqrt(10 / 8 * 2) * math.sqrt(8 / 10 * 2), 3]
    assert every == pytest.approx(dict(zip(cells, moved, strict=True)))


def test_what_is_not_seasonal_is_not_imputed_out_of_season_and_a_season_lasts_under_a_year():
    rows = {"berry": [4] + [None] * 14, "apple": [1, None, *[1] * 13], "pear": [1] * 15}
    season = traits(berry={"season": "spring"})
    found = imputed(values(rows), season, way="all_seasonal", characteristic="season")
    assert sorted(found) == [("berry", month) for month in MONTHS[1:12]]
    assert set(found.values()) == {4.0}


def test_over_a_month_without_anybody_nothing_is_imputed():
    rows = values({"a": [2, None, None, 2], "b": [1, 1, None, 1], "x": [None, None, 1, None]})
    assert imputed(rows) == pytest.approx({("a", "2024-02"): 2.0})  # in March nobody is matched


def test_what_a_way_needs_is_asked_for():
    table = values({"a": [1, None], "b": [1, 1]})
    brands = traits(a={"brand": "x"})
    for inputs, parameters, says in (
        ((table,), {"way": "hedonic"}, "there are no characteristics"),
        ((table,), {"way": "parent_index"}, "there are no indices"),
        ((table, brands), {"way": "targeted_mean"}, "no characteristic is named"),
        ((table, brands), {"way": "overall_mean", "characteristic": "brand"}, "characteristic is given, but way is"),
    ):
        with pytest.raises(BadCall, match=says):
            impute(*inputs, **parameters)
    with pytest.raises(BadData, match="No product has the characteristic season"):
        impute(table, brands, way="counter_seasonal", characteristic="season")
    with pytest.raises(BadData, match="no data between 2024-01 and 2024-03"):
        impute(values({"a": [1, None, 1]}))
