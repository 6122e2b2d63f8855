"""Products against what PriceIndices publishes of its small data sets, and against GTINs of real deliveries."""

from pathlib import Path

import duckdb
import pytest

from statcommons.prices.clean.mars import mars
from statcommons.prices.clean.sizes import parse_size, shrinkflation

DATA = Path(__file__).parents[3] / "shared" / "data" / "prices"


def given(name, sql):
    """Rows of one file, as an Arrow table; skipped by name where it is not there."""
    path = DATA / name
    if not path.exists():
        pytest.skip(f"needs shared/data/prices/{name}")
    with duckdb.connect() as connection:
        return connection.execute(sql.format(table=f"'{path}'")).to_arrow_table()


# README of PriceIndices 0.3.1: changes in per cent, of size, price and price by the unit. It rounds prices to three
# decimals before it compares them, hence the tolerance. The pair without a change by the unit (the last) it leaves out.
SHRUNK = {
    ("coffee super", 500, 400): (-20.000, -18.824, 1.471, "shrinkflation"),
    ("coffee abc", 200, 170): (-15.000, -10.000, 5.882, "shrinkflation"),
    ("coffee abc", 210, 170): (-19.048, -10.000, 11.176, "shrinkflation"),
    ("coffee abc", 210, 180): (-14.286, -10.000, 5.000, "shrinkflation"),
    ("coffee ghi", 800, 780): (-2.500, 1.040, 3.632, "sharkflation"),
    ("coffee jkl", 250, 240): (-4.000, -0.794, 3.340, "shrinkflation"),
    ("coffee f", 200, 180): (-10.000, -40.000, -33.333, "shrinkdeflation"),
    ("coffee g", 200, 170): (-15.000, 15.000, 35.294, "sharkflation"),
    ("coffee h", 200, 240): (20.000, 5.000, -12.500, "unshrinkdeflation"),
    ("coffee m", 400, 500): (25.000, 5.557, -15.556, "unshrinkdeflation"),
    ("coffee k", 400, 450): (12.500, 37.777, 22.469, "unshrinkflation"),
    ("coffee l", 300, 400): (33.333, 50.000, 12.500, "unshrinkflation"),
    ("coffee lx", 200, 210): (5.000, -12.500, -16.666, "sharkdeflation"),
    ("coffee abc", 200, 180): (-10.000, -10.000, 0.0, "proportional"),
}


def test_priceindices_shrinkflation():
    sales = given(
        "golden/data_DOWN_UP_SIZED.csv",
        """SELECT time, codeOUT::VARCHAR AS product, prices::DOUBLE AS price, quantities::DOUBLE AS quantity,
                  description FROM read_csv({table})""",
    )
    found = {
        (row["name"], row["size_before"], row["size"]): row for row in shrinkflation(sales).to_pyarrow().to_pylist()
    }
    assert set(found) == set(SHRUNK)
    for key, (*changes, kind) in SHRUNK.items():
        row = found[key]
        given_changes = [100 * row[name] for name in ("size_change", "price_change", "unit_price_change")]
        assert given_changes == pytest.approx(changes, abs=0.004)
        assert row["kind"] == kind


def test_sizes_of_priceindices():
    names = given("golden/dataU.csv", "SELECT description FROM read_csv({table})")["description"].to_pylist()
    assert [parse_size(name) for name in names] == [
        (750, "ml"),
        (500, "g"),
        (2000, "ml"),
        (200, "g"),
        None,
        (350, "g"),
    ]


def test_sizes_agree_with_those_that_an_office_states():
    """Statistics Poland's data state the size of each product beside its name, in kilograms or litres."""
    rows = given(
        "milk_pl_2020_2022_classified.parquet",
        "SELECT DISTINCT description, grammage, unit FROM {table} ORDER BY ALL",
    ).to_pylist()
    assert len(rows) == 115
    missed, other = set(), set()
    for row in rows:
        size = parse_size(row["description"])
        if size is None:
            missed.add(row["description"])
        elif (size.amount, size.unit) != (pytest.approx(1000 * row["grammage"]), {"kg": "g", "l": "ml"}[row["unit"]]):
            other.add((row["description"], row["grammage"], row["unit"]))
    assert missed == {
        "44/mlekozagszczon.nies.light bon.500",  # no unit
        "klc.mlekozagszczonesod9%puszka397g",  # glued to the word before it
        "r/ask mleko 2% butelka pet",  # no size
    }
    assert other == {  # where the name says otherwise than the office
        ("00017025 klc.mlekouhtbezlakt.1,5% 1lx10", 10.6, "l"),
        ("44/mleko aciate junior 3,8% 1l", 1.0, "kg"),
        ("mleko uht mazurski smak 3,2% 1l", 1.0, "kg"),
        ("r/sieradz mleko uht 1,5%t sm.wanil.250g", 0.25, "l"),
    }


# README of PriceIndices 0.3.1: product match, homogeneity and MARS of May to September 2025.
MARS = {
    "brand": (1.0000000, 0.04223639, 0.04223639),
    "size": (1.0000000, 0.14589023, 0.14589023),
    "fabric": (1.0000000, 0.47340153, 0.47340153),
    "brand-size": (0.9494585, 0.17168061, 0.16300362),
    "brand-fabric": (0.9494585, 0.96526753, 0.91648144),
    "fabric-size": (1.0000000, 0.96526753, 0.96526753),
    "brand-fabric-size": (0.9494585, 0.96526753, 0.91648144),
}


def test_priceindices_mars():
    # One code (2) stands for two shirts: the description tells them apart.
    sales = given(
        "golden/dataMARS.csv",
        """SELECT time, prodID || ' ' || description AS product, prices::DOUBLE AS price, quantities::DOUBLE AS quantity
           FROM read_csv({table})""",
    )
    attributes = given(
        "golden/dataMARS.csv",
        """UNPIVOT (SELECT DISTINCT prodID || ' ' || description AS product, brand, size, fabric FROM read_csv({table}))
           ON brand, size, fabric INTO NAME attribute VALUE value""",
    )
    made = mars(sales, attributes, strategy="two_months")
    rows = {row["partition"]: row for row in made.result.to_pyarrow().to_pylist()}
    assert set(rows) == {*MARS, "product"}
    for name, expected in MARS.items():
        found = [rows[name][column] for column in ("product_match", "homogeneity", "mars")]
        assert found == pytest.approx(expected, abs=5e-9 if expected[0] == 1 else 5e-8)
    assert rows["fabric-size"]["rank"] == 1
    strata = {row["stratum"] for row in made.strata.to_pyarrow().to_pylist()}
    assert "fabric=cotton;size=L" in strata
