"""Exact methods give the same bytes on one thread, two, Spark, and in any order of rows; others agree to 1e-12."""

from __future__ import annotations

import math
import sys
from typing import Annotated

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from statcommons.core.digest import content_digest
from statcommons.core.engine import connect, total, using
from statcommons.core.kernel import starts, walk
from statcommons.core.method import method
from statcommons.core.run import run
from statcommons.core.schema import Dimension, Measure, Schema, Table, Time
from statcommons.core.seed import seeded
from statcommons.prices import multilateral_index, unit_values
from statcommons.prices.data import scanner_market


class Fixes(Schema):
    """Positions of ships."""

    ship: Annotated[str, Dimension, "Ship"]
    second: Annotated[int, Time, "Second of the report"]
    x: Annotated[float, Measure, "Position"]


class Paths(Schema, key=("ship",)):
    """What ships sailed."""

    ship: Annotated[str, Dimension, "Ship"]
    reports: Annotated[int, Measure, "Reports"]
    length: Annotated[float, Measure, "Length of the path"]


def lengths(rows: pa.Table) -> pa.Table:
    """Add up the steps of each ship in the order of time."""
    first = starts(rows, ["ship"])
    x = rows["x"].to_numpy()
    steps = np.abs(np.diff(x, prepend=x[:1]))
    steps[first] = 0.0
    return pa.table(
        {
            "ship": rows["ship"].take(pa.array(first)),
            "reports": np.diff([*first, rows.num_rows]),
            "length": np.add.reduceat(steps, first),
        }
    )


@method(version="1.0.0", id="test.paths", exact=True)
def paths(fixes: Table[Fixes]) -> Table[Paths]:
    """Measure the paths of ships."""
    return walk(fixes, lengths, unit="ship", time="second", output=Paths)


@pytest.fixture(autouse=True)
def kernels_travel():
    """Send the kernels of this module to Spark's workers by value: they cannot import a test."""
    cloudpickle = pytest.importorskip("pyspark.cloudpickle")
    cloudpickle.register_pickle_by_value(sys.modules[__name__])
    yield
    cloudpickle.unregister_pickle_by_value(sys.modules[__name__])


@pytest.fixture(scope="module")
def market():
    with seeded(11):
        return scanner_market(products=60, months=6, life=10, sales=0.1).result


@pytest.fixture(scope="module")
def fixes():
    rng = np.random.default_rng(5)
    n = 20_000
    # many reports share a second, so the order of ties must be defined too
    return pa.table(
        {
            "ship": pa.array(rng.integers(0, 300, n)).cast(pa.string()),
            "second": rng.integers(0, 500, n),
            "x": rng.normal(size=n),
        }
    )


def shuffled(table, seed):
    return table.take(pa.array(np.random.default_rng(seed).permutation(table.num_rows)))


def digest(table):
    return content_digest(table.sort_by([(name, "ascending") for name in table.column_names]))


@pytest.fixture(scope="module")
def reference(market, fixes):
    """What one thread computes from rows in their first order."""
    with connect(threads=1) as one, using(one):
        return {
            "unit_values": digest(one.collect(unit_values(market).result)),
            "paths": digest(one.collect(paths(fixes))),
            "index": one.collect(multilateral_index(market, window=5)),
        }


@pytest.mark.parametrize("trial", range(5))
def test_unit_values_have_the_same_bytes(engine, market, reference, trial):
    made = unit_values(engine.adopt(shuffled(market, trial))).result
    assert digest(engine.collect(made)) == reference["unit_values"]


@pytest.mark.parametrize("trial", range(5))
def test_a_kernel_has_the_same_bytes(engine, fixes, reference, trial):
    made = paths(engine.adopt(shuffled(fixes, trial)))
    assert digest(engine.collect(made)) == reference["paths"]


def test_an_index_agrees_to_a_trillionth(engine, market, reference):
    made = engine.collect(multilateral_index(engine.adopt(shuffled(market, 9)), window=5))
    assert made["period"].to_pylist() == reference["index"]["period"].to_pylist()
    np.testing.assert_allclose(made["index"], reference["index"]["index"], rtol=1e-12)


def test_a_run_has_the_same_digests_on_each_engine(engine, market, tmp_path):
    """Sealed outputs are written by DuckDB whatever computed them."""
    sales = tmp_path / "sales.parquet"
    pq.write_table(market, sales)
    runs = [
        run("prices.unit_values", {"transactions": sales}, out=tmp_path / name, engine=address)
        for name, address in (("first", "duckdb:"), ("second", engine.address))
    ]
    first, second = ({name: one["digest"] for name, one in done.facts["outputs"].items()} for done in runs)
    assert first == second


def test_a_total_is_exact_in_any_order(engine):
    """Halves of the last cent go away from zero; a floating-point sum of these values depends on their order."""
    values = np.random.default_rng(1).lognormal(8, 3, 50_000).round(2)
    exact = math.fsum(values)
    assert sum(values.tolist()) != exact
    for order in (values, values[::-1]):
        table = engine.adopt(pa.table({"x": order}))
        assert engine.row(table.agg(x=total(table.x, 2)))["x"] == round(exact, 2)


def test_a_total_rounds_half_away_from_zero(engine):
    table = engine.adopt(pa.table({"x": [0.125, -0.125, 0.375]}))
    assert engine.collect(table.group_by("x").agg(t=total(table.x, 2)).order_by("x"))["t"].to_pylist() == [
        -0.13,
        0.13,
        0.38,
    ]
