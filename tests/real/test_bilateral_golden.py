"""Bilateral formulas against the values of trusted packages on real and published data."""

import numpy as np
import pytest
from golden_prices import query, unit_values

from statcommons.prices.index.bilateral import bilateral_series, matched
from statcommons.prices.index.formulas import FORMULAS

# What IndexNumR, PriceIndices and gpindex call our formulas, where they do it by another name.
INDEXNUMR = {
    "CES": "lloyd_moulton",
    "drobish": "drobisch",
    "geomLaspeyres": "geometric_laspeyres",
    "geomPaasche": "geometric_paasche",
    "gk": "geary_khamis",
    "marshalledgeworth": "marshall_edgeworth",
    "satovartia": "sato_vartia",
    "tpd": "tornqvist",  # its weights are mean shares: the time product dummy index of two periods is Törnqvist's
}
PRICEINDICES = {
    "agmean": "ag_mean",
    "banajree": "banerjee",
    "dikhanov": "bmw",
    "geolaspeyres": "geometric_laspeyres",
    "geopaasche": "geometric_paasche",
    "geowalsh": "geometric_walsh",
    "theil1": "walsh_vartia",  # so called there, but it is the index of Walsh and Vartia
}
GPINDEX = {
    "geometric_Tornqvist": "tornqvist",
    "geometric_Vartia1": "vartia",
    "geometric_MontgomeryVartia": "vartia",
    "geometric_SatoVartia": "sato_vartia",
    "geometric_Walsh2": "geometric_walsh",
    "geometric_Theil": "theil",
    "geometric_Rao": "rao",
    "arithmetic_MarshallEdgeworth": "marshall_edgeworth",
    "arithmetic_GearyKhamis": "geary_khamis",
    "arithmetic_Palgrave": "palgrave",
    "arithmetic_Drobisch": "drobisch",
    "arithmetic_Walsh1": "walsh",
} | {f"{name}_index": name for name in ("jevons", "laspeyres", "paasche", "fisher", "cswd")}

MILK = ("milk_pl_2018_2020.csv", "prodID", "golden/priceindices_milk.csv")
POLISH = ("polish_rice_sugar_milk.csv", "EAN_code", "golden/priceindices_polish_rice_sugar_milk.csv")


@pytest.fixture(scope="module")
def ces():
    """Four products, twelve periods, elasticity of substitution 2 (IndexNumR)."""
    return unit_values("golden/CES_sigma_2.csv", "prodID", "time::INTEGER")


def test_all_of_indexnumr(ces):
    """22 methods by 3 bases by 12 periods, to 1e-12; its CES index was computed with sigma 2."""
    sql = """
        SELECT method, option, list(value::DOUBLE ORDER BY period::INTEGER) FROM {table}
        WHERE func = 'priceIndex' GROUP BY ALL"""
    rows = query(sql, "golden/indexnumr_CES_sigma_2.csv")
    assert len(rows) == 22 * 3
    for method, option, expected in rows:
        formula = INDEXNUMR.get(method, method)
        # The basket of Lowe and Young is of the first period, whatever the base.
        series = bilateral_series(ces, formula, "fixed" if option == "fixedbase" else "previous", sigma=2)
        index = series.index
        if option == "pop":
            index = index / np.concatenate([[1], index[:-1]])
        np.testing.assert_allclose(index, expected, rtol=1e-12, err_msg=f"{method} {option}")


@pytest.mark.parametrize(("data", "product", "golden"), [MILK, POLISH], ids=["milk", "polish"])
def test_all_of_priceindices(data, product, golden):
    """26 and 33 bilateral methods, and 5 chains, to 1e-12, but for three that are defined otherwise."""
    made = unit_values(data, product)
    months = made.periods.tolist()
    rows = query(
        "SELECT kind, method, period, value::DOUBLE FROM {table} WHERE kind IN ('bilateral', 'chained')", golden
    )
    assert len(rows) == {MILK: 31, POLISH: 38}[data, product, golden]
    elsewhere = {"theil2", "unit_value_index", "value_index"}
    for kind, method, period, expected in rows:
        if method in elsewhere:
            continue
        name = method.removeprefix("ch") if kind == "chained" else method
        series = bilateral_series(made, PRICEINDICES.get(name, name), "previous" if kind == "chained" else "fixed")
        assert series.index[months.index(period)] == pytest.approx(expected, rel=1e-12), (kind, method)


@pytest.mark.parametrize(("data", "product", "golden"), [MILK, POLISH], ids=["milk", "polish"])
def test_theils_index_of_priceindices_has_values_for_shares(data, product, golden):
    """Its weights differ from Theil's; with values in the place of shares ours are the same."""
    ((period, expected),) = query("SELECT period, value::DOUBLE FROM {table} WHERE method = 'theil2'", golden)
    made = unit_values(data, product)
    m = matched(made, 0, made.periods.tolist().index(period))
    v0, v1 = m.p0 * m.q0, m.p1 * m.q1
    weights = np.cbrt(v0 * v1 * (v0 + v1) / 2)
    assert np.exp(weights @ np.log(m.p1 / m.p0) / weights.sum()) == pytest.approx(expected, rel=1e-12)
    assert FORMULAS["theil"](*m[:4]) == pytest.approx(expected, rel=1e-3)
    assert FORMULAS["theil"](*m[:4]) != pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize(("formula", "everywhere"), [("unit_value", 0.9571), ("value", 0.7402)])
def test_unit_values_of_priceindices_are_of_the_matched_products(formula, everywhere):
    """Ours are over all products; over the matched ones they are the same as there."""
    data, product, golden = POLISH
    sql = f"SELECT period, value::DOUBLE FROM {{table}} WHERE method = '{formula}_index'"
    ((period, expected),) = query(sql, golden)
    made = unit_values(data, product)
    last = made.periods.tolist().index(period)
    assert FORMULAS[formula](*matched(made, 0, last)[:4]) == pytest.approx(expected, rel=1e-12)
    assert bilateral_series(made, formula).index[last] == pytest.approx(everywhere, abs=5e-5)


def test_all_of_gpindex_on_balks_example():
    """Balk (2008), tables 3.1 and 3.2: all but two means that have no name, to 1e-13."""
    tables = [np.array(query("SELECT * FROM {table}", f"golden/balk_{what}6.csv")) for what in ("price", "quantity")]
    prices, quantities = (table[:, 1:].astype(float).T for table in tables)
    rows = query("SELECT * FROM {table}", "golden/gpindex_balk_bilateral.csv")
    assert {name for name, *_ in rows} - set(GPINDEX) == {"hlp_index", "arithmetic_Unnamed"}
    for name, *expected in rows:
        if name in GPINDEX:
            formula = FORMULAS[GPINDEX[name]]
            index = [formula(prices[0], p, quantities[0], q) for p, q in zip(prices, quantities, strict=True)]
            np.testing.assert_allclose(index, np.array(expected, float), rtol=1e-13, err_msg=name)


@pytest.mark.parametrize(
    ("formula", "expected"),
    [("fisher", 0.967521726773), ("tornqvist", 0.969065405143), ("jevons", 1.037873325101)],
)
def test_uncleaned_polish_data(formula, expected):
    """The data have faults (a copied month, repeated quantities); these are the indices of the uncleaned rows."""
    series = bilateral_series(unit_values(*POLISH[:2]), formula)
    assert series.periods[[0, -1]].tolist() == ["2024-12", "2026-01"]
    assert series.index[-1] == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("formula", FORMULAS)
def test_a_year_ago_on_real_data_is_the_pair_computed_by_itself(formula):
    made = unit_values(*MILK[:2])
    series = bilateral_series(made, formula, "year_ago")
    months = made.periods.tolist()
    assert series.periods.tolist() == months[12:]
    if FORMULAS[formula].needs in ("prices", "quantities"):
        pairs = [FORMULAS[formula](*matched(made, t - 12, t)[:4]) for t in range(12, len(months))]
        np.testing.assert_array_equal(series.index, pairs)
