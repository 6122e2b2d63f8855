"""The United Nations' SDG database as it was published, in a store."""

import json

import duckdb
import pytest
from conftest import SHARED

from statcommons.core.errors import BadData
from statcommons.sdmx.query.data import DataQuery
from statcommons.sdmx.reading import read_rows
from statcommons.sdmx.sdg.assessing import Aim, progress_of
from statcommons.sdmx.sdg.constraints import check_unsd, read_constraints
from statcommons.sdmx.sdg.disaggregation import disaggregation_share, disaggregations_of
from statcommons.sdmx.sdg.framework import framework
from statcommons.sdmx.sdg.loading import load_sdg
from statcommons.sdmx.sdg.unsd_structure import DIMENSIONS
from statcommons.sdmx.store import Store

KEY = tuple(DIMENSIONS)


OBSERVATIONS = "sdmx/sdg/sdg_observations_2020.parquet"
NAMED = {"age": "AGE", "sex": "SEX", "location": "URBANISATION"}


@pytest.fixture(scope="module")
def database(tmp_path_factory):
    """Give a store with the database, and what its load did."""
    file = SHARED / OBSERVATIONS
    if not file.exists():
        pytest.skip(f"no {OBSERVATIONS} in ../shared/data")
    store = Store(tmp_path_factory.mktemp("sdg") / "store")
    return store, load_sdg(store, file)


def test_the_database_is_loaded_as_it_is(shared, database):
    file = shared(OBSERVATIONS)
    store, done = database
    with duckdb.connect() as connection:
        count, numbers, total = connection.sql(
            f"SELECT count(*), count(value), fsum(value) FROM '{file}' WHERE series <> 'X'"
        ).fetchone()
        series = {one for [one] in connection.sql(f"SELECT DISTINCT series FROM '{file}'").fetchall()}
        keys = connection.sql(f"SELECT count(DISTINCT (series, geo_area, dimensions)) FROM '{file}'").fetchone()[0]
    found = store.availability(DataQuery(done.flow))
    assert done.rows == done.changed.added == found.observations == count
    assert set(found.values["SERIES"]) == series
    # An observation status is an attribute with us, and a breakdown in the file.
    assert found.series <= keys
    assert done.notes == (f"{count - numbers:,} observations have no number: OBS_VALUE is empty.",)
    state = store._state(done.flow, None)
    held = state.cursor().execute(f"SELECT count(OBS_VALUE), fsum(OBS_VALUE) FROM ({state.observations})").fetchone()
    assert held[0] == numbers
    assert abs(held[1] / total - 1) < 1e-12
    known = {one.id for one in framework().series}
    assert len(series & known) > 200


def test_progress_of_the_store_is_that_of_the_golden(shared, database):
    cases = [one for one in json.loads(shared("sdmx/golden/sdg_progress.json").read_text()) if "series" in one]
    aims = {one["series"]: Aim(one["direction"], one.get("target"), one.get("limit")) for one in cases}
    store, done = database
    rows = progress_of(store, done.flow, aims, areas={str(one["geo"]) for one in cases}).to_pylist()
    found = {tuple(one[name] for name in (*KEY, "method")): one for one in rows}
    for case in cases:
        parts = dict(pair.split("=") for pair in case["dimensions"].split("|") if pair)
        key = dict.fromkeys(KEY, "_T") | {NAMED[name]: code for name, code in parts.items()}
        key |= {"FREQ": "A", "SERIES": case["series"], "REF_AREA": str(case["geo"])}
        one = found[*key.values(), "Open SDG"]
        assert (one["base_year"], one["base_value"]) == (case["base_year"], case["base_value"])
        assert (one["current_year"], one["current_value"]) == (case["current_year"], case["current_value"])
        assert one["status"] == case["expect"]["status"]
        assert one["value"] == pytest.approx(case["expect"]["value"], abs=1e-9)
        assert one["score"] == pytest.approx(case["expect"]["score"], abs=1e-9)
    assert len(cases) == 46


def test_disaggregations_of_the_store_are_those_of_its_series(database):
    store, done = database
    found = disaggregation_share(disaggregations_of(store, done.flow), with_missing=False)
    assert 0 < found.complete < found.counted < 60
    table = {one["indicator"]: one for one in found.table.to_pylist()}
    assert table["1.1.1"]["produced"] == []  # SI_POV_DAY1 comes without breakdowns
    assert table["8.5.2"] == {
        "indicator": "8.5.2",
        "asked": ["AGE", "DISABILITY_STATUS", "SEX"],
        "produced": ["AGE", "SEX"],
        "missing": ["DISABILITY_STATUS"],
        "is_produced": True,
        "is_complete": False,
    }


def test_the_fixture_is_held_against_the_constraints_of_the_united_nations(shared):
    [rows] = read_rows(shared("sdmx/fixture/DF_SDG_data.csv"))
    table = shared("sdmx/sdg/sdmx_global_content_constraints.csv")
    allowed = read_constraints(table)
    assert len(allowed) == 665
    with pytest.raises(BadData) as told:
        check_unsd([rows], table)
    with duckdb.connect() as connection:
        data = f"read_csv('{shared('sdmx/fixture/DF_SDG_data.csv')}', all_varchar = true)"
        for component in ("SEX", "AGE", "URBANISATION", "UNIT_MEASURE"):
            found = connection.sql(f"SELECT SERIES, {component}, count(*) FROM {data} GROUP BY ALL").fetchall()
            naive = {
                (series, code, count)
                for series, code, count in found
                if component in allowed.get(series, {}) and code not in allowed[series][component]
            }
            mine = {
                (cause.rule.split(" ")[2], cause.value, cause.rows)
                for cause in told.value.causes
                if cause.rule.startswith(f"{component} of ")
            }
            assert mine == {(series, code or "", count) for series, code, count in naive}
