"""The United Nations' SDG database as it was published, in a store."""

import duckdb
import pytest

from statcommons.core.errors import BadData
from statcommons.sdmx.query.data import DataQuery
from statcommons.sdmx.reading import read_rows
from statcommons.sdmx.sdg.constraints import check_unsd, read_constraints
from statcommons.sdmx.sdg.framework import framework
from statcommons.sdmx.sdg.loading import load_sdg
from statcommons.sdmx.store import Store


def test_the_database_is_loaded_as_it_is(shared, tmp_path):
    file = shared("sdmx/sdg/sdg_observations_2020.parquet")
    store = Store(tmp_path / "store")
    done = load_sdg(store, file)
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
