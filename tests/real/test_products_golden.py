"""Products against what PriceIndices publishes of its small data sets, and against GTINs of real deliveries."""

from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pytest

from statcommons.prices.clean.gtin import check_digit
from statcommons.prices.clean.mars import mars
from statcommons.prices.clean.match_products import match_products
from statcommons.prices.clean.relaunches import relaunches
from statcommons.prices.clean.similarity import candidates, similarities
from statcommons.prices.clean.sizes import parse_size, shrinkflation, without_size
from statcommons.prices.index.bilateral import bilateral_series
from statcommons.prices.panel import panel

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


def gtin(code):
    """Make a GTIN of the external codes of dataMATCH, which are small numbers."""
    body = f"59{int(code):010d}"
    return f"{body}{check_digit(body)}"


@pytest.fixture
def match():
    """The sales of dataMATCH, in which an item is a pair of codes and a name."""
    return given(
        "golden/dataMATCH.csv",
        """SELECT strftime(time, '%Y-%m') AS month, prices::DOUBLE AS price, quantities::DOUBLE AS quantity,
                  description, codeIN::VARCHAR AS retailer_code, codeOUT::VARCHAR AS gtin,
                  codeIN || '/' || codeOUT || '/' || description AS product FROM read_csv({table})""",
    )


def index_of(sales, made, formula):
    """The index of December 2018 to February 2019 over matched products."""
    of = {row["product"]: row["matched_product"] for row in made.result.to_pyarrow().to_pylist()}
    turnover, quantity = {}, {}
    for row in sales.to_pylist():
        key = row["month"], of[row["product"]]
        turnover[key] = turnover.get(key, 0.0) + row["price"] * row["quantity"]
        quantity[key] = quantity.get(key, 0.0) + row["quantity"]
    months, products = (np.array(column) for column in zip(*turnover, strict=True))
    prices = [turnover[key] / quantity[key] for key in turnover]
    return bilateral_series(panel(months, products, prices, list(quantity.values())), formula).index[-1]


def test_priceindices_matching_by_codes(match):
    """README of PriceIndices: both codes, or one of them and names with a similarity of 0.98; Fisher 1.018419."""
    place = match.schema.get_field_index("gtin")
    codes = match.set_column(place, "gtin", pa.array([gtin(code) for code in match["gtin"].to_pylist()]))
    made = match_products(codes, level="retailer_code", code_threshold=0.98)
    of = {row["product"]: row["matched_product"] for row in made.result.to_pyarrow().to_pylist()}
    # The README prints the numbers of the first six rows: 4, 4, 4 and 8, 8, 8.
    assert of["1/1/product A"] == of["1/5/product A"] != of["3/2/product A"]
    assert index_of(match, made, "fisher") == pytest.approx(1.018419, abs=5e-7)


def test_priceindices_matching_by_names(match):
    """README of PriceIndices: where equal names are one, Jevons 1.074934."""
    made = match_products(match.select(["product", "description"]))
    assert index_of(match, made, "jevons") == pytest.approx(1.074934, abs=5e-7)


def test_names_match_what_gtins_say_is_one():
    """Names alone, against GTINs that the matching does not see: what is matched is right.

    The Jaro-Winkler similarity of whole names, at the same threshold and among the same pairs, is wrong in half of
    them: it takes 0 % milk for 0.5 %, and one brand of rice for another.
    """
    rows = given(
        "polish_rice_sugar_milk.csv",
        """SELECT DISTINCT description AS product, description, subcategory AS "group", EAN_code::VARCHAR AS ean
           FROM read_csv({table}) ORDER BY ALL""",
    ).to_pylist()
    eans = {}
    for row in rows:
        eans.setdefault(row["product"], set()).add(row["ean"])
    names = pa.Table.from_pylist([{key: row[key] for key in ("product", "description", "group")} for row in rows])
    pairs = match_products(names).pairs.to_pyarrow().to_pylist()
    assert len(pairs) == 7
    assert all(eans[pair["product"]] & eans[pair["other"]] for pair in pairs)
    different = sorted({(row["group"], row["product"]) for row in rows})
    texts = [without_size(name) for _, name in different]
    places, _ = candidates(texts, [(group, parse_size(name)) for group, name in different])
    near = similarities(*([texts[place] for place in places[:, k]] for k in (0, 1))) >= 0.95
    whole = [(different[one][1], different[other][1]) for one, other in places[near].tolist()]
    assert 0.4 < sum(not eans[one] & eans[other] for one, other in whole) / len(whole) < 0.6


def test_relaunches_in_real_deliveries():
    """A retailer renames its brand, pp to mp, and gives a name a new GTIN or size; the copied month is left out."""
    sales = given(
        "polish_rice_sugar_milk.csv",
        """SELECT time, EAN_code::VARCHAR AS product, prices::DOUBLE AS price, quantities::DOUBLE AS quantity,
                  description, subcategory AS "group" FROM read_csv({table}) WHERE time < '2026-01-01'""",
    )
    rows = relaunches(sales, by="group", threshold=0.97).to_pyarrow().to_pylist()
    found = {(row["leaving_name"], row["entering_name"], row["gap"]) for row in rows if row["rank"] == 1}
    assert found == {
        ("mleko uht 3,2% 1l  pp", "mleko uht 3,2% 1l  mp", 2),
        ("mleko uht 1,5% 1l  pp", "mleko uht 1,5% 1l  mp", 2),
        ("ryż parboiled 4x100g  mp", "ryż parboiled 4x100g  mp", 1),
        ("ryż biały długoziarnisty 4x100g  mp", "ryż biały długoziarnisty 500g  mp", 1),
    }
