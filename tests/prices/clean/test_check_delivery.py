"""Checks of a delivery find every planted fault, nothing severe in a clean market, and what each threshold says."""

from __future__ import annotations

import datetime

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from statcommons.core.engine import connect, using
from statcommons.core.quality import Notice, collecting
from statcommons.core.run import run
from statcommons.core.seed import seeded
from statcommons.prices.clean.check_delivery import check_delivery
from statcommons.prices.clean.delivery_series import Volume, unusual_volume
from statcommons.prices.clean.findings import CODES
from statcommons.prices.data import scanner_market

pytestmark = pytest.mark.filterwarnings(f"ignore::{Notice.__module__}.{Notice.__qualname__}")

MILK = "5901234123457"
RESTLESS = {"life": 18, "sales": 0.1, "relaunches": 0.5, "seasonal": 0.1, "clearance": 0.5}
KEY = ("code", "period", "outlet", "product")


def rows(table):
    return table.to_pyarrow().to_pylist()


def found(delivery, code=None, **parameters):
    return [one for one in rows(check_delivery(delivery, **parameters).result) if code in (None, one["code"])]


def delivery(*lines, names=("time", "outlet", "product", "price", "quantity")):
    return {name: [line[i] for line in lines] for i, name in enumerate(names)}


def simulated(seed, **options):
    with seeded(seed):
        return scanner_market(months=24, **options)


# --- the truth of the simulator -------------------------------------------------------------------------------------


@pytest.mark.parametrize("options", [{}, RESTLESS], ids=["calm", "restless"])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_every_planted_fault_is_found_with_its_rows_and_nothing_else_is_severe(seed, options):
    market = simulated(seed, faults=True, **options)
    truth = market.planted.to_pylist()
    assert {one["code"] for one in truth} == set(CODES) - {"ONE_TO_MANY", "OUTLET_NEW"}
    findings = {tuple(one[name] for name in KEY): one for one in found(market.result)}
    for fault in truth:
        assert findings[tuple(fault[name] for name in KEY)]["n_rows"] == fault["rows"], fault
    severe = {key for key, one in findings.items() if one["severity"] == "high"}
    planted = {tuple(one[name] for name in KEY) for one in truth}
    assert severe <= planted
    assert {key[0] for key in planted - severe} == {"ENCODING", "GTIN", "FLOATED"}
    (pack,) = [one["detail"] for one in findings.values() if (one["code"], one["severity"]) == ("UNIT", "high")]
    assert pack == "12 times the usual price"


@pytest.mark.parametrize(
    "options",
    [{}, RESTLESS, {"sales": 0.2, "demand": "stockpiling"}, {"sales": 0.2, "life": 3, "clearance": 1.0}],
    ids=["calm", "restless", "stockpiling", "short lives"],
)
@pytest.mark.parametrize("seed", [4, 5, 6])
def test_a_clean_market_has_no_severe_finding(seed, options):
    checked = check_delivery(simulated(seed, codes="gtin", **options).result)
    assert [one for one in rows(checked.result) if one["severity"] == "high"] == []
    assert {one["decision"] for one in rows(checked.plan)} == {"accept"}


def test_the_same_is_found_on_every_engine(engine):
    market = simulated(7, faults=True, products=40).result
    turned = market.take(pa.array(np.random.default_rng(1).permutation(market.num_rows)))

    def made(engine, table):
        checked = check_delivery(engine.adopt(table))
        return [engine.collect(one).to_pylist() for one in (checked.result, checked.plan, checked.letter)]

    with connect(threads=1) as one, using(one):
        reference = made(one, turned)
    assert made(engine, market) == reference
    assert len(reference[0]) > 10


def test_what_names_a_shop_or_a_product_stays_private(tmp_path):
    done = run("prices.check_delivery", {"transactions": simulated(1, faults=True).result}, out=tmp_path / "run")
    public = {"code", "severity", "period", "unit", "n_rows", "remedy"}
    assert set(pq.read_schema(done.path / "outputs" / "result.parquet").names) == public
    assert {"outlet", "product", "detail"} <= set(
        pq.read_schema(done.path / "private" / "outputs" / "result.parquet").names
    )
    for name in ("plan", "letter"):
        assert not {"outlet", "where", "example"} & set(pq.read_schema(done.path / "outputs" / f"{name}.parquet").names)


# --- one check after another ----------------------------------------------------------------------------------------


def months(n, *, changed=0, prices=60):
    """Make a month with n different rows, and the next with the same rows of which some have another price."""
    first = [("2026-01-09", "a", f"p{i}", 1.0 + i / 100, 2.0 + i) for i in range(n)]
    second = [("2026-02-20", *line[1:3], line[3] + (i < changed) * 0.005, line[4]) for i, line in enumerate(first)]
    return delivery(*first, *second)


@pytest.mark.parametrize(("changed", "copies"), [(0, [1.0]), (4, [0.96]), (5, []), (6, [])])
def test_a_near_copy_is_one_above_95_percent(changed, copies):
    assert [one["observed"] for one in found(months(100, changed=changed), "COPY")] == copies


def test_the_share_of_a_copy_can_be_set():
    assert [one["n_rows"] for one in found(months(100, changed=6), "COPY", copied=0.9)] == [94]
    assert found(months(100, changed=1), "COPY", copied=1.0) == []


def test_few_equal_rows_are_no_copy():
    assert found(months(9), "COPY") == []
    assert len(found(months(10), "COPY")) == 1


def test_the_copy_of_one_shop_is_named_and_holds_only_that():
    lines = months(20)
    other = [("2026-01-09", "b", f"p{i}", 1.0, 1.0 + i) for i in range(20)]
    other += [("2026-02-09", "b", f"p{i}", 1.0, 50.0 + i) for i in range(20)]
    both = {name: lines[name] + [line[i] for line in other] for i, name in enumerate(lines)}
    checked = check_delivery(both)
    (copy,) = [one for one in rows(checked.result) if one["code"] == "COPY"]
    assert (copy["outlet"], copy["period"], copy["detail"]) == ("a", "2026-02", "equals 2026-01")
    held = [(one["period"], one["outlet"]) for one in rows(checked.plan) if one["decision"] == "hold"]
    assert held == [("2026-02", "a")]


def test_of_several_equal_periods_the_last_is_named():
    lines = months(20)
    third = [("2026-03-09", *line[1:]) for line in zip(*lines.values(), strict=True) if line[0] < "2026-02"]
    lines = {name: values + [line[i] for line in third] for i, (name, values) in enumerate(lines.items())}
    assert [one["detail"] for one in found(lines, "COPY")] == ["equals 2026-01", "equals 2026-02"]


def usual(price, *, n=9, product=MILK):
    return [("2026-01-05", "a", product, price, 1.0 + i) for i in range(n)]


@pytest.mark.parametrize(
    ("price", "severity", "detail"),
    [
        (11.99, None, None),
        (12.0, "medium", "3 times the usual price"),
        (13.6, "medium", "far above the usual price"),
        (16.4, "high", "4 times the usual price"),
        (48.0, "high", "12 times the usual price"),
        (100.0, "high", "far above the usual price"),
        (1.34, None, None),
        (4 / 3, "medium", "1/3 of the usual price"),
        (0.67, "medium", "1/6 of the usual price"),
    ],
)
def test_prices_of_another_unit(price, severity, detail):
    lines = delivery(*usual(4.0), ("2026-02-05", "a", MILK, price, 1.0))
    units = found(lines, "UNIT")
    if price == 100.0:  # 25 times: no pack is so large
        severity = "medium"
    assert [(one["severity"], one["detail"]) for one in units] == ([(severity, detail)] if severity else [])
    assert all((one["observed"], one["expected"], one["n_rows"]) == (price, 4.0, 1) for one in units)


@pytest.mark.parametrize(("price", "words"), [(400.0, "100 times"), (3700.0, "1,000 times"), (0.04, "1/100 of")])
def test_a_slip_of_the_decimal_sign(price, words):
    lines = delivery(*usual(4.0), ("2026-02-05", "a", MILK, price, 1.0))
    (slip,) = found(lines, "DECIMAL")
    assert (slip["severity"], slip["detail"]) == ("high", f"about {words} the usual price")
    assert found(lines, "UNIT") == []


def test_the_threshold_of_unusual_prices_can_be_set():
    lines = delivery(*usual(4.0), ("2026-02-05", "a", MILK, 8.0, 1.0))
    assert found(lines, "UNIT") == []
    assert [one["detail"] for one in found(lines, "UNIT", unusual_price=1.9)] == ["2 times the usual price"]


def test_prices_with_more_decimals_than_the_currency():
    lines = delivery(*usual(4.0), ("2026-02-05", "a", MILK, 3.3333, 1.0), ("2026-02-05", "a", MILK, 4.05, 2.0))
    (odd,) = found(lines, "DECIMAL")
    assert (odd["severity"], odd["period"], odd["n_rows"], odd["observed"]) == ("low", "2026-02", 1, 0.5)
    assert found(lines, "DECIMAL", decimals=4) == []


def test_a_fan_out_and_a_duplicate_are_two_things():
    once = [("2026-01-05", "a", f"p{i}", 2.0, 3.0) for i in range(6)]
    fanned = [("2026-01-05", "a", "tea", 2.0, 3.0), ("2026-01-05", "a", "tea", 2.1, 3.0)]
    doubled = [("2026-01-05", "a", "pot", 2.0, 3.0)] * 2
    lines = delivery(*once, *fanned, *doubled)
    by_code = {one["code"]: one for one in found(lines)}
    assert set(by_code) == {"FANOUT", "DUPLICATE"}
    for code, product in (("FANOUT", "tea"), ("DUPLICATE", "pot")):
        assert (by_code[code]["n_rows"], by_code[code]["observed"]) == (2, 0.2)
        assert by_code[code]["severity"] == "high"
        assert by_code[code]["detail"].endswith(f"such as of product {product}")
    assert {one["severity"] for one in found(lines, repeated=0.21)} == {"medium"}
    assert found(lines, row_is="sale") == []


def test_volume_is_held_against_the_median_and_mad_of_the_periods_before():
    """Computed again here, period by period, on random series."""
    rng = np.random.default_rng(5)
    turnover = rng.lognormal(3, 0.4, (90, 1))
    turnover[5] *= 10  # five periods before do not tell what is usual
    made = Volume([f"{t:02d}" for t in range(90)], ["a"], turnover, turnover, np.full((90, 1), 9.0))
    expected = {}
    for t in range(6, 90):
        past = sorted(turnover[max(0, t - 12) : t, 0])
        middle = np.median(past)
        bound = max(3 * np.median([abs(one - middle) for one in past]), 0.1 * middle)
        if abs(turnover[t, 0] - middle) > bound:
            broken = not middle / 2 <= turnover[t, 0] <= 2 * middle
            expected[f"{t:02d}"] = "high" if broken else "medium"
    breaks = {one["period"]: one["severity"] for one in unusual_volume(made, np.full(90, 9), 12, 3.0, 0.1)}
    assert breaks == expected
    assert len(set(breaks.values())) == 2


def test_turnover_of_one_shop_is_never_severe_but_its_products_are():
    """A few large sales double the turnover of a shop; half of its products do not vanish by chance."""
    steady = np.tile([60.0, 40.0], (8, 1))
    changed = steady.copy()
    changed[7] = [100.0, 10.0]
    of_turnover = Volume([f"2026-{t:02d}" for t in range(1, 9)], ["a", "b"], steady, changed, steady)
    of_products = of_turnover._replace(turnover=steady, products=changed)
    severities = [
        {(one["outlet"], one["unit"]): one["severity"] for one in unusual_volume(made, np.full(8, 90), 12, 3.0, 0.1)}
        for made in (of_turnover, of_products)
    ]
    assert severities == [
        {("a", "currency"): "medium", ("b", "currency"): "medium"},
        {("a", "products"): "medium", ("b", "products"): "high"},
    ]


def test_a_shop_that_goes_and_comes_back():
    months = ("2026-01-05", "2026-02-05", "2026-03-05")
    lines = [(month, "a", f"p{i}", 2.0, 3.0 + i + int(month[6])) for month in months for i in range(9)]
    lines += [(month, "b", "tea", 2.0, 5.0) for month in (months[0], months[2])]
    checked = check_delivery(delivery(*lines))
    gone, new = (
        next(one for one in rows(checked.result) if one["code"] == code) for code in ("OUTLET_GONE", "OUTLET_NEW")
    )
    assert (gone["period"], gone["outlet"], gone["severity"], gone["n_rows"]) == ("2026-02", "b", "medium", 0)
    assert gone["expected"] == pytest.approx(10 / (10 + 2 * sum(4 + i for i in range(9))))
    assert (new["period"], new["outlet"], new["severity"], new["detail"]) == ("2026-03", "b", "low", "back after a gap")
    plan = {(one["period"], one["outlet"]): one for one in rows(checked.plan)}
    assert plan["2026-02", "b"]["n_rows"] == 0
    assert plan["2026-02", "b"]["reasons"] == "OUTLET_GONE"


def test_own_codes_are_not_told_one_by_one():
    lines = delivery(*(("2026-01-05", "a", f"{i:05d}", 2.0, 3.0 + i) for i in range(9)))
    with collecting() as told:
        assert found(lines) == []
    assert "Of 9 product codes 0 are valid GTINs: they were taken for own codes." in told.notices


def test_codes_that_stand_for_several():
    names = ("time", "product", "retailer_code", "price", "quantity")
    lines = delivery(
        ("2026-02-05", MILK, "7", 2.0, 1.0),
        ("2025-12-05", MILK, "7", 2.0, 6.0),
        ("2026-01-05", "96385074", "7", 2.0, 2.0),
        ("2026-01-05", "4006381333931", "8", 2.0, 3.0),
        ("2026-01-05", "4006381333931", "9", 2.0, 4.0),
        ("2026-01-05", "036000291452", None, 2.0, 5.0),
        names=names,
    )
    many = {one["product"]: (one["period"], one["n_rows"], one["detail"]) for one in found(lines, "ONE_TO_MANY")}
    assert many == {
        "7": ("2025-12", 3, "a retailer's code with products 5901234123457 and 96385074"),
        "4006381333931": ("2026-01", 2, "a product with retailer's codes 8 and 9"),
    }


@pytest.mark.parametrize(
    ("name", "is_broken"),
    [
        ("ryż biały 1 kg", False),
        ("Œufs frais, crème brûlée", False),
        ("Nescafé® Gold", False),
        ("what? milk", False),
        ("ry? dla ciebie", False),
        ("молоко", False),
        ("ryż biały".encode().decode("latin-1"), True),
        ("mąka żytnia".encode().decode("cp1252"), True),
        ("ryż".encode().decode("cp1250"), True),
        ("crème".encode().decode("cp1252"), True),
        ("молоко".encode().decode("latin-1"), True),
        ("ry\ufffd bia\ufffdy", True),
        ("ry? bia?y", True),
        ("mleko ?wie?e", True),
    ],
)
def test_broken_letters(name, is_broken):
    names = ("time", "product", "price", "quantity", "description")
    lines = delivery(("2026-01-05", MILK, 2.0, 1.0, name), ("2026-01-05", MILK, 2.0, 2.0, None), names=names)
    letters = found(lines, "ENCODING")
    assert [(one["severity"], one["n_rows"]) for one in letters] == ([("low", 1)] if is_broken else [])


def test_weeks():
    week = datetime.timedelta(days=7)
    first = datetime.date(2026, 12, 21)
    lines = delivery(*((first + i // 20 * week, "a", f"p{i % 20}", 2.0, 1.0 + i % 20) for i in range(40)))
    assert [(one["period"], one["detail"]) for one in found(lines, "COPY", period="week")] == [
        ("2026-W53", "equals 2026-W52")
    ]


def test_a_letter_says_what_where_and_how_many_once_a_kind():
    market = simulated(1, faults=True)
    checked = check_delivery(market.result)
    letter = rows(checked.letter.order_by("number"))
    findings = rows(checked.result)
    order = list(CODES)
    assert [one["code"] for one in letter] == sorted({one["code"] for one in findings}, key=order.index)
    for one in letter:
        assert one["n_rows"] == sum(other["n_rows"] for other in findings if other["code"] == one["code"])
        assert one["where"][:7] == one["example"][:7]
        assert one["request"].startswith("Please ")
