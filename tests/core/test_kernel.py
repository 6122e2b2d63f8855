"""Kernels get whole units in order, whatever the chunks; state in and out makes an update equal to the full walk."""

from __future__ import annotations

import sys
from typing import Annotated

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from statcommons.core import kernel
from statcommons.core.errors import BadCall, BadData, OurBug
from statcommons.core.kernel import starts, walk, whole_units
from statcommons.core.schema import Dimension, Measure, Schema


class Gaps(Schema, key=("ship", "t")):
    """Time since the last report of a ship."""

    ship: Annotated[str, Dimension, "Ship"]
    t: Annotated[int, Dimension, "Time"]
    gap: Annotated[int | None, Measure, "Since the last report"]


class Last(Schema, key=("ship",)):
    """The last report of each ship."""

    ship: Annotated[str, Dimension, "Ship"]
    t: Annotated[int, Measure, "Time"]


def gaps(rows: pa.Table, state: pa.Table | None = None):
    """Give the time since the last report, which may be in the state."""
    before = dict(zip(state["ship"].to_pylist(), state["t"].to_pylist(), strict=True)) if state is not None else {}
    last = dict(before)
    found = []
    for ship, t in zip(rows["ship"].to_pylist(), rows["t"].to_pylist(), strict=True):
        found.append(t - last[ship] if ship in last else None)
        last[ship] = t
    table = pa.table({"ship": rows["ship"], "t": rows["t"], "gap": pa.array(found, pa.int64())})
    if state is None:
        return table
    return table, pa.table({"ship": pa.array(list(last), pa.string()), "t": pa.array(list(last.values()), pa.int64())})


@pytest.fixture(autouse=True)
def kernels_travel():
    """Send the kernels of this module to Spark's workers by value: they cannot import a test."""
    cloudpickle = pytest.importorskip("pyspark.cloudpickle")
    cloudpickle.register_pickle_by_value(sys.modules[__name__])
    yield
    cloudpickle.unregister_pickle_by_value(sys.modules[__name__])


@pytest.fixture(scope="module")
def reports():
    rng = np.random.default_rng(4)
    ships = rng.integers(0, 60, 3000)
    return pa.table({"t": rng.permutation(3000), "ship": pa.array(ships).cast(pa.string())})


def rows_of(engine, table):
    return sorted(engine.collect(table).to_pylist(), key=lambda row: (row["ship"], row["t"]))


@pytest.fixture
def small_chunks(monkeypatch):
    """Cut the stream into pieces of a few rows, so that units meet the cuts."""
    monkeypatch.setattr(kernel, "CHUNK", 64)


def test_units_are_whole_whatever_the_chunks(engine, reports, small_chunks):
    found = rows_of(engine, walk(engine.adopt(reports), gaps, unit="ship", time="t", output=Gaps))
    expected = []
    for ship in sorted(set(reports["ship"].to_pylist())):
        times = sorted(
            t for s, t in zip(reports["ship"].to_pylist(), reports["t"].to_pylist(), strict=True) if s == ship
        )
        expected += [{"ship": ship, "t": t, "gap": None if i == 0 else t - times[i - 1]} for i, t in enumerate(times)]
    assert found == expected


def test_an_update_equals_the_full_walk(engine, reports, small_chunks):
    early = pa.compute.less(reports["t"], 1500)
    whole = rows_of(engine, walk(engine.adopt(reports), gaps, unit="ship", time="t", output=Gaps))
    options = {"unit": "ship", "time": "t", "output": Gaps, "state_schema": Last}
    first, state = walk(engine.adopt(reports.filter(early)), gaps, **options)
    second, end = walk(engine.adopt(reports.filter(pa.compute.invert(early))), gaps, state=state, **options)
    both = rows_of(engine, first) + rows_of(engine, second)
    assert sorted(both, key=lambda row: (row["ship"], row["t"])) == whole
    assert engine.collect(end).num_rows == len(set(reports["ship"].to_pylist()))


def test_a_unit_without_new_rows_keeps_its_state(duckdb):
    options = {"unit": "ship", "time": "t", "output": Gaps, "state_schema": Last}
    _, state = walk(duckdb.adopt(pa.table({"ship": ["a", "b"], "t": [1, 2]})), gaps, **options)
    _, after = walk(duckdb.adopt(pa.table({"ship": ["b"], "t": [5]})), gaps, state=state, **options)
    assert duckdb.collect(after).sort_by("ship").to_pylist() == [{"ship": "a", "t": 1}, {"ship": "b", "t": 5}]


def test_the_result_comes_in_the_order_of_units(duckdb, reports, small_chunks):
    ships = duckdb.collect(walk(duckdb.adopt(reports), gaps, unit="ship", time="t", output=Gaps))["ship"].to_pylist()
    assert ships == sorted(ships)


def test_a_column_that_is_not_there(duckdb, reports):
    with pytest.raises(BadCall, match=r"no column 'shp'. Did you mean 'ship'"):
        walk(duckdb.adopt(reports), gaps, unit="shp", time="t", output=Gaps)


def test_rows_without_a_unit(duckdb):
    table = duckdb.adopt(pa.table({"ship": ["a", None], "t": [1, 2]}))
    with pytest.raises(BadData, match="1 rows have no ship"):
        walk(table, gaps, unit="ship", time="t", output=Gaps)


def test_a_kernel_that_forgets_a_column(duckdb, reports):
    with pytest.raises(OurBug, match="lacks gap"):
        walk(duckdb.adopt(reports), lambda rows: rows, unit="ship", time="t", output=Gaps)


def test_a_state_needs_its_schema(duckdb, reports):
    with pytest.raises(BadCall, match="without its schema"):
        walk(duckdb.adopt(reports), gaps, unit="ship", time="t", output=Gaps, state=duckdb.adopt(reports))


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(1, 30)), min_size=1, max_size=20), st.integers(1, 40))
def test_cuts_fall_between_units(runs, size):
    """Pieces hold every row once, in order, and no unit twice."""
    runs = [(unit, n) for i, (unit, n) in enumerate(runs) if i == 0 or runs[i - 1][0] != unit]
    units = [f"u{i}" for i, (_, n) in enumerate(runs) for _ in range(n)]
    table = pa.table({"unit": units, "row": range(len(units))})
    before = kernel.CHUNK
    kernel.CHUNK = 16
    try:
        pieces = list(whole_units(table.to_batches(max_chunksize=size), ["unit"]))
    finally:
        kernel.CHUNK = before
    assert pa.concat_tables(pieces).equals(table)
    seen = [set(piece["unit"].to_pylist()) for piece in pieces]
    assert sum(map(len, seen)) == len(set.union(*seen))


def test_units_start_where_any_of_their_columns_changes():
    rows = pa.table({"a": ["x", "x", "y", "y"], "b": [1, 2, 2, 2]})
    assert starts(rows, ["a", "b"]).tolist() == [0, 1, 2]
    assert starts(rows.slice(0, 0), ["a"]).tolist() == []
