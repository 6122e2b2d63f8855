"""The faults of real scanner data, counted by independent queries and known by hand, are found one and all."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import duckdb
import pytest

from statcommons.core.quality import Notice
from statcommons.prices.clean.check_delivery import check_delivery

NAME = "prices/polish_rice_sugar_milk.csv"

pytestmark = pytest.mark.filterwarnings(f"ignore::{Notice.__module__}.{Notice.__qualname__}")


@pytest.fixture(scope="module")
def delivery():
    folder = Path(__file__).parents[3] / "shared" / "data"

    if not (folder / NAME).exists():
        pytest.skip(f"no {NAME} in ../shared/data")
    sql = f"""
        SELECT time::DATE AS time, EAN_code AS product, prices::DOUBLE AS price, quantities::DOUBLE AS quantity,
               retID AS outlet, retailer_code, description
        FROM read_csv('{folder / NAME}', all_varchar=true)"""
    with duckdb.connect() as connection:
        return connection.execute(sql).to_arrow_table()


@pytest.fixture(scope="module")
def checked(delivery):
    made = check_delivery(delivery)
    return [one.to_pyarrow().to_pylist() for one in (made.result, made.plan, made.letter)]


def rows_of(findings, code):
    return sum(one["n_rows"] for one in findings if one["code"] == code)


def test_january_2026_is_september_2025(checked):
    findings, plan, letter = checked
    (copy,) = [one for one in findings if one["code"] == "COPY"]
    assert (copy["period"], copy["outlet"], copy["severity"]) == ("2026-01", "_T", "high")
    assert (copy["n_rows"], copy["observed"], copy["detail"]) == (531, 1.0, "equals 2025-09")
    january = [one for one in plan if one["period"] == "2026-01"]
    assert len(january) == 4
    assert {(one["decision"], one["fallback"]) for one in january} == {("hold", "carry_class_movement")}
    assert (letter[0]["code"], letter[0]["where"], letter[0]["n_rows"]) == ("COPY", "2026-01", 531)


def test_5660_rows_repeat_a_quantity_and_5424_of_them_on_several_prices(checked, delivery):
    findings, _, _ = checked
    assert rows_of(findings, "FANOUT") == 5424
    assert rows_of(findings, "DUPLICATE") == 236
    repeated = """
        SELECT count(*) FILTER (n > 1), count(*) FILTER (prices > 1) FROM (
            SELECT count(*) OVER same AS n, count(DISTINCT price) OVER same AS prices FROM delivery
            WINDOW same AS (PARTITION BY time, outlet, product, quantity))"""
    assert duckdb.execute(repeated).fetchone() == (5424 + 236, 5424)


def test_109_prices_are_at_least_three_times_the_usual_or_a_third_of_it(checked):
    findings, _, _ = checked
    assert rows_of(findings, "UNIT") == 109
    assert rows_of(findings, "DECIMAL") == 0


def test_cartons_of_milk_and_sugar_are_named(checked):
    findings, _, _ = checked
    cartons = {
        one["product"]: (one["observed"], one["expected"], one["detail"], one["n_rows"])
        for one in findings
        if (one["code"], one["outlet"], one["period"], one["severity"]) == ("UNIT", "02-183", "2025-03", "high")
    }
    assert cartons == {
        "5900820000042": (48.29, 4.31, "11 times the usual price", 2),  # milk, and 96.05
        "5907069000017": (30.43, 6.31, "5 times the usual price", 2),  # sugar, and 60.33
    }


def test_three_retailers_codes_have_several_eans(checked):
    findings, _, _ = checked
    many = {one["product"]: one["observed"] for one in findings if one["code"] == "ONE_TO_MANY"}
    assert many == {"384187": 3, "418833": 2, "447627": 2}


def test_a_code_went_through_a_spreadsheet_and_three_are_the_shops_own(checked):
    findings, _, _ = checked
    floated = [(one["product"], one["n_rows"]) for one in findings if one["code"] == "FLOATED"]
    assert floated == [("2.402437e+12", 3)]
    own = [(one["product"], one["severity"]) for one in findings if one["code"] == "GTIN"]
    assert sorted(own) == [(code, "low") for code in ("2402433000004", "2402434000003", "2402435000002")]


def test_nothing_else_is_severe(checked):
    findings, _, _ = checked
    severe = Counter(one["code"] for one in findings if one["severity"] == "high")
    assert set(severe) == {"COPY", "FANOUT", "DUPLICATE", "UNIT"}
    assert not {"OUTLET_GONE", "OUTLET_NEW", "ENCODING"} & {one["code"] for one in findings}
