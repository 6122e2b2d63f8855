"""Multilateral indices against the values of trusted packages on real and published data."""

import numpy as np
import pytest
from golden_prices import query, unit_values

from statcommons.prices.index import multilateral
from statcommons.prices.index.multilateral import geks_series, pairs

GEKS_OF = {"geks": "fisher", "ccdi": "tornqvist", "geksw": "walsh", "geksj": "jevons"}  # names of PriceIndices


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


def test_uncleaned_polish_data_ccdi():
    series = geks_series(pairs(unit_values("polish_rice_sugar_milk.csv", "EAN_code")), window=14)
    index = dict(zip(series.periods.tolist(), series.index.round(4).tolist(), strict=True))
    months = ("2025-03", "2025-08", "2025-11", "2026-01")
    assert [index[month] for month in months] == [1.2875, 1.0865, 1.1090, 0.9624]
