"""The United Nations' SDG database as it was published, in a store."""

import duckdb

from statcommons.sdmx.query.data import DataQuery
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
