"""Price indices against the values of trusted packages on real and published data."""

from pathlib import Path

import duckdb
import numpy as np
import pytest

from statcommons.prices.index import bilateral, multilateral
from statcommons.prices.index.bilateral import bilateral_series, matched
from statcommons.prices.index.multilateral import geks_series, pairs
from statcommons.prices.panel import panel

DATA = Path(__file__).parents[3] / "shared" / "data" / "prices"

GEKS_OF = {"geks": "fisher", "ccdi": "tornqvist", "geksw": "walsh", "geksj": "jevons"}  # names of PriceIndices


def given(name):
    path = DATA / name
    if not path.exists():
        pytest.skip(f"needs shared/data/prices/{name}")
    return str(path)


def query(sql, name, **parameters):
    """Rows of one file, every column read as text."""
    with duckdb.connect() as connection:
        table = f"read_csv('{given(name)}', all_varchar=true)"
        return connection.execute(sql.format(table=table), parameters or None).fetchall()


def unit_values(name, product, month="substr(time, 1, 7)"):
    sql = f"""
        SELECT {month}, {product}, sum(prices::DOUBLE * quantities::DOUBLE) / sum(quantities::DOUBLE),
               sum(quantities::DOUBLE)
        FROM {{table}} GROUP BY ALL"""
    return panel(*(np.array(column) for column in zip(*query(sql, name), strict=True)))


def values(name, kind, method, splice=""):
    """Golden series of PriceIndices, by period."""
    sql = """
        SELECT period, value::DOUBLE FROM {table}
        WHERE kind = $kind AND method = $method AND coalesce(splice, '') = $splice ORDER BY period"""
    rows = query(sql, name, kind=kind, method=method, splice=splice)
    assert rows
    return dict(rows)


@pytest.fixture(scope="module", params=["milk", "polish"])
def priceindices(request):
    """A data set, the window of its multilateral goldens, and their file."""
    if request.param == "milk":
        return unit_values("milk_pl_2018_2020.csv", "prodID"), 13, "golden/priceindices_milk.csv"
    data = unit_values("polish_rice_sugar_milk.csv", "EAN_code")
    return data, 7, "golden/priceindices_polish_rice_sugar_milk.csv"


@pytest.mark.parametrize("method", GEKS_OF)
def test_priceindices_multilateral(priceindices, method):
    data, window, golden = priceindices
    expected = values(golden, "multilateral", method)
    series = geks_series(pairs(data), GEKS_OF[method], window)
    assert list(expected) == series.periods[1:window].tolist()
    np.testing.assert_allclose(series.index[1:window], list(expected.values()), rtol=1e-12)


@pytest.mark.parametrize("splice", multilateral.SPLICES)
def test_priceindices_splices(splice):
    expected = values("golden/priceindices_milk.csv", "splice", "ccdi", splice)
    series = geks_series(pairs(unit_values("milk_pl_2018_2020.csv", "prodID")), "tornqvist", 13, splice)
    assert list(expected) == series.periods[:16].tolist()
    np.testing.assert_allclose(series.index[:16], list(expected.values()), rtol=1e-12)


@pytest.mark.parametrize("formula", bilateral.FORMULAS)
def test_priceindices_bilateral(priceindices, formula):
    data, _, golden = priceindices
    ((period, expected),) = values(golden, "bilateral", formula).items()
    series = bilateral_series(data, formula)
    assert series.index[series.periods.tolist().index(period)] == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("formula", ["laspeyres", "paasche", "fisher", "tornqvist", "jevons"])
def test_priceindices_chained(priceindices, formula):
    data, _, golden = priceindices
    ((period, expected),) = values(golden, "chained", f"ch{formula}").items()
    series = bilateral_series(data, formula, base="previous")
    assert series.index[series.periods.tolist().index(period)] == pytest.approx(expected, rel=1e-12)


@pytest.fixture(scope="module")
def ces():
    """Four products, twelve periods, elasticity of substitution 2 (IndexNumR)."""
    return unit_values("golden/CES_sigma_2.csv", "prodID", "time::INTEGER")


def indexnumr(func, method, option):
    sql = """
        SELECT value::DOUBLE FROM {table}
        WHERE func = $func AND method = $method AND option = $option ORDER BY period::INTEGER"""
    rows = query(sql, "golden/indexnumr_CES_sigma_2.csv", func=func, method=method, option=option)
    assert len(rows) == 12
    return [value for (value,) in rows]


@pytest.mark.parametrize("formula", bilateral.FORMULAS)
def test_indexnumr_bilateral(ces, formula):
    links = [matched(ces, max(t - 1, 0), t) for t in range(12)]
    period_on_period = [bilateral.FORMULAS[formula](m.p0, m.p1, m.q0, m.q1) for m in links]
    chained, fixed = bilateral_series(ces, formula, "previous"), bilateral_series(ces, formula, "fixed")
    np.testing.assert_allclose(period_on_period, indexnumr("priceIndex", formula, "pop"), rtol=1e-12)
    np.testing.assert_allclose(chained.index, indexnumr("priceIndex", formula, "chained"), rtol=1e-12)
    np.testing.assert_allclose(fixed.index, indexnumr("priceIndex", formula, "fixedbase"), rtol=1e-12)


@pytest.mark.parametrize("formula", multilateral.FORMULAS)
def test_indexnumr_geks(ces, formula):
    sums = pairs(ces)
    np.testing.assert_allclose(
        geks_series(sums, formula, 12).index, indexnumr("GEKSIndex", formula, "window=12"), rtol=1e-12
    )
    for splice in multilateral.SPLICES:
        for window in (5, 11):
            expected = indexnumr("GEKSIndex", formula, f"{splice};window={window}")
            np.testing.assert_allclose(geks_series(sums, formula, window, splice).index, expected, rtol=1e-12)


@pytest.mark.parametrize(
    ("formula", "name"),
    [
        ("laspeyres", "laspeyres_index"),
        ("paasche", "paasche_index"),
        ("fisher", "fisher_index"),
        ("tornqvist", "geometric_Tornqvist"),
        ("walsh", "arithmetic_Walsh1"),
        ("jevons", "jevons_index"),
    ],
)
def test_gpindex_on_balk(formula, name):
    tables = [np.array(query("SELECT * FROM {table}", f"golden/balk_{what}6.csv")) for what in ("price", "quantity")]
    prices, quantities = (table[:, 1:].astype(float).T for table in tables)
    ((_, *expected),) = [r for r in query("SELECT * FROM {table}", "golden/gpindex_balk_bilateral.csv") if r[0] == name]
    index = [
        bilateral.FORMULAS[formula](prices[0], p, quantities[0], q) for p, q in zip(prices, quantities, strict=True)
    ]
    np.testing.assert_allclose(index, np.array(expected, float), rtol=1e-14)


@pytest.mark.parametrize(
    ("formula", "expected"),
    [("fisher", 0.967521726773), ("tornqvist", 0.969065405143), ("jevons", 1.037873325101)],
)
def test_uncleaned_polish_data_bilateral(formula, expected):
    """The data have faults (a copied month, repeated quantities); these are the indices of the uncleaned rows."""
    series = bilateral_series(unit_values("polish_rice_sugar_milk.csv", "EAN_code"), formula)
    assert series.periods[[0, -1]].tolist() == ["2024-12", "2026-01"]
    assert series.index[-1] == pytest.approx(expected, abs=1e-12)


def test_uncleaned_polish_data_ccdi():
    series = geks_series(pairs(unit_values("polish_rice_sugar_milk.csv", "EAN_code")), window=14)
    index = dict(zip(series.periods.tolist(), series.index.round(4).tolist(), strict=True))
    months = ("2025-03", "2025-08", "2025-11", "2026-01")
    assert [index[month] for month in months] == [1.2875, 1.0865, 1.1090, 0.9624]
