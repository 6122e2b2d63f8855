"""Kernels: pure functions that walk along a unit in time, mapped over DuckDB's stream or Spark's partitions.

A kernel gets an Arrow table of whole units, sorted by unit and time, and gives another; it knows no engine, clock or
seed. :func:`walk` sorts out of core, cuts the stream between units, maps the kernel in constant memory and keeps the
order of the units, so that two threads or a cluster give what one gives.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from typing import TYPE_CHECKING, Any

from statcommons.core.cells import IBIS_TYPES
from statcommons.core.engine import Engine, engine_of
from statcommons.core.errors import BadCall, BadData, OurBug, nearest
from statcommons.core.progress import step
from statcommons.core.schema import Schema, TableSchema, table_schema

if TYPE_CHECKING:
    import ibis
    import numpy as np
    import pyarrow as pa

    Kernel = Callable[[pa.Table], pa.Table]
    StatefulKernel = Callable[[pa.Table, pa.Table], tuple[pa.Table, pa.Table]]

__all__ = ["starts", "walk", "whole_units"]

CHUNK = 1 << 18
"""Rows that a kernel gets at a time, about; a unit is never cut."""

IS_STATE = "__state"
STATE = "__state_"


def walk(
    table: ibis.Table,
    kernel: Kernel | StatefulKernel,
    *,
    unit: str | Sequence[str],
    time: str | Sequence[str],
    output: type[Schema] | TableSchema,
    state: ibis.Table | None = None,
    state_schema: type[Schema] | TableSchema | None = None,
) -> Any:
    """Map a kernel over all units of a table.

    Parameters
    ----------
    table : ibis.Table
        Rows in any order, on DuckDB or Spark.
    kernel : callable
        From an Arrow table of whole units (sorted by unit, time, and then all other columns, so that ties have one
        order) to an Arrow table with the output's columns. With a state it gets a second table, the state of the same
        units, and gives a pair: output and new state.
    unit, time : str or sequence of str
        The columns that name a unit, and its time.
    output : schema
        What the kernel gives.
    state : ibis.Table, optional
        The state that an earlier walk gave; units without new rows keep theirs through the kernel.
    state_schema : schema, optional
        What a state is; its first columns are the unit's. Without it the kernel has no state.

    Returns
    -------
    ibis.Table, or a pair of them
        The output in the order of the units, and with a state the new state.

    Raises
    ------
    BadCall
        When a column is not there.
    BadData
        When a unit or a time is missing.

    Examples
    --------
    >>> from typing import Annotated
    >>> import pyarrow as pa
    >>> from statcommons.core.engine import current
    >>> from statcommons.core.schema import Column, TableSchema
    >>> counts = TableSchema("Counts", "", (Column("ship", "text"), Column("reports", "integer")))
    >>> def count(rows):
    ...     first = starts(rows, ["ship"])
    ...     lengths = [int(n) for n in np.diff([*first, rows.num_rows])]
    ...     return pa.table({"ship": rows["ship"].take(pa.array(first)), "reports": lengths})
    >>> import numpy as np
    >>> reports = current().adopt(pa.table({"ship": ["b", "a", "b"], "minute": [2, 1, 1]}))
    >>> current().collect(walk(reports, count, unit="ship", time="minute", output=counts))["reports"].to_pylist()
    [1, 2]
    """
    units, times = _names(unit), _names(time)
    for name in (*units, *times):
        if name not in table.columns:
            raise BadCall(f"There is no column {name!r}.", remedy=nearest(name, list(table.columns)))
    engine = engine_of(table)
    shape = _Shape(tuple(units), _arrow_schema(output), _arrow_schema(state_schema) if state_schema else None, table)
    rows = table
    if state_schema:
        rows = _with_state(table, state, shape, engine)
    elif state is not None:
        raise BadCall("A state was given without its schema.", remedy="Name it: state_schema=….")
    order = [*units, *([IS_STATE] if state_schema else []), *times]
    order += [name for name in table.columns if name not in order]
    mapped = _Mapped(kernel, shape)
    return (_on_duckdb if engine.kind == "duckdb" else _on_spark)(engine, rows, order, mapped)


def starts(rows: pa.Table, unit: Sequence[str]) -> np.ndarray[Any, Any]:
    """Give the position at which each unit begins, in a table of whole units sorted by unit.

    Parameters
    ----------
    rows : pyarrow.Table
        What a kernel gets.
    unit : sequence of str
        The columns that name a unit.

    Returns
    -------
    array of int
        Positions, ascending; the first is 0.
    """
    import numpy as np
    import pyarrow.compute as pc

    if not rows.num_rows:
        return np.empty(0, np.int64)
    changed = np.zeros(rows.num_rows, bool)
    changed[0] = True
    for name in unit:
        column = rows[name]
        differs = pc.not_equal(column.slice(1), column.slice(0, rows.num_rows - 1))
        changed[1:] |= differs.to_numpy()
    return np.flatnonzero(changed)


def whole_units(batches: Iterable[pa.RecordBatch], unit: Sequence[str]) -> Iterator[pa.Table]:
    """Cut a sorted stream of batches between units, so that no unit is in two pieces.

    Parameters
    ----------
    batches : iterable of pyarrow.RecordBatch
        Sorted by unit.
    unit : sequence of str
        The columns that name a unit.

    Examples
    --------
    >>> import pyarrow as pa
    >>> batches = [pa.record_batch({"ship": ["a", "b"]}), pa.record_batch({"ship": ["b"]})]
    >>> [piece["ship"].to_pylist() for piece in whole_units(batches, ["ship"])]
    [['a', 'b', 'b']]
    """
    import pyarrow as pa

    held: list[pa.RecordBatch] = []
    rows = 0
    for batch in batches:
        if not batch.num_rows:
            continue
        held.append(batch)
        rows += batch.num_rows
        if rows < CHUNK:
            continue
        piece = pa.Table.from_batches(held).combine_chunks()
        last = int(starts(piece, unit)[-1])
        if last:
            yield piece.slice(0, last)
        held = piece.slice(last).to_batches()
        rows -= last
    if held:
        yield pa.Table.from_batches(held).combine_chunks()


def _names(one: str | Sequence[str]) -> list[str]:
    return [one] if isinstance(one, str) else list(one)


def _arrow_schema(schema: type[Schema] | TableSchema) -> pa.Schema:
    import ibis

    plain = schema if isinstance(schema, TableSchema) else table_schema(schema)
    return ibis.schema({column.name: IBIS_TYPES[column.type] for column in plain}).to_pyarrow()


class _Shape:
    """What goes in and comes out of a kernel, in Arrow's types."""

    def __init__(self, unit: tuple[str, ...], output: pa.Schema, state: pa.Schema | None, table: ibis.Table) -> None:
        self.unit = unit
        self.output = output
        self.state = state
        self.rows = table.schema().to_pyarrow()


class _Mapped:
    """A kernel with its shape: from a chunk of whole units to output, and new state; it travels to Spark's workers."""

    def __init__(self, kernel: Callable[..., Any], shape: _Shape) -> None:
        self.kernel = kernel
        self.shape = shape

    def __call__(self, chunk: pa.Table) -> tuple[pa.Table, pa.Table | None]:
        import pyarrow.compute as pc

        shape = self.shape
        for name in shape.unit:
            if chunk[name].null_count:
                raise BadData(
                    f"{chunk[name].null_count:,} rows have no {name}.", remedy="Set rows without a unit aside."
                )
        if shape.state is None:
            return self._fit(self.kernel(chunk.select(shape.rows.names).cast(shape.rows)), shape.output), None
        is_state = chunk[IS_STATE]
        rows = chunk.filter(pc.equal(is_state, 1)).select(shape.rows.names).cast(shape.rows)
        names = [name if name in shape.unit else STATE + name for name in shape.state.names]
        before = chunk.filter(pc.equal(is_state, 0)).select(names).rename_columns(shape.state.names).cast(shape.state)
        output, after = self.kernel(rows, before)
        return self._fit(output, shape.output), self._fit(after, shape.state)

    @staticmethod
    def _fit(table: pa.Table, schema: pa.Schema) -> pa.Table:
        missing = [name for name in schema.names if name not in table.column_names]
        if missing:
            raise OurBug(f"The kernel's table lacks {', '.join(missing)}.")
        return table.select(schema.names).cast(schema)


def _with_state(table: ibis.Table, state: ibis.Table | None, shape: _Shape, engine: Engine) -> ibis.Table:
    """Put the state of each unit before its rows, in one stream, so that both engines walk alike."""
    import ibis

    kinds = ibis.Schema.from_pyarrow(shape.state)
    own = [name for name in kinds.names if name not in shape.unit]
    rows = table.mutate(
        **{STATE + name: ibis.null(kinds[name]) for name in own}, **{IS_STATE: ibis.literal(1, "int64")}
    )
    if state is None:
        return rows
    columns = {name: state[name] if name in shape.unit else ibis.null(kind) for name, kind in table.schema().items()}
    columns |= {STATE + name: state[name].cast(kinds[name]) for name in own}
    before = state.select(**columns, **{IS_STATE: ibis.literal(0, "int64")})
    return rows.union(before.select(*rows.columns).cast(rows.schema()))


def _on_duckdb(engine: Engine, rows: ibis.Table, order: list[str], mapped: _Mapped) -> Any:
    """Stream the sorted rows through the kernel on a few threads, and write what it gives in order."""
    import pyarrow.parquet as pq

    shape = mapped.shape
    output, state = engine.new_file("-walk.parquet"), engine.new_file("-state.parquet")
    stream = engine.batches(rows.order_by(order), CHUNK // 4, "Sort by unit and time")
    with (
        pq.ParquetWriter(output, shape.output, compression="lz4") as sink,
        pq.ParquetWriter(state, shape.state or shape.output, compression="lz4") as state_sink,
        step("Walk along units", unit="rows") as progress,
    ):
        for done, new, size in _mapped_in_order(whole_units(stream, shape.unit), mapped, engine.threads or 2):
            sink.write_table(done)
            if new is not None:
                state_sink.write_table(new)
            progress.advance(size)
    result = engine.parquet([output])
    return (result, engine.parquet([state])) if shape.state else result


def _mapped_in_order(
    chunks: Iterator[pa.Table], mapped: _Mapped, threads: int
) -> Iterator[tuple[pa.Table, pa.Table | None, int]]:
    """Map chunks on threads, a few at a time, and give the results in the order of the chunks."""
    waiting: deque[tuple[Future[Any], int]] = deque()
    with ThreadPoolExecutor(threads) as pool:
        try:
            for chunk in chunks:
                waiting.append((pool.submit(copy_context().run, mapped, chunk), chunk.num_rows))
                while len(waiting) > threads:
                    future, size = waiting.popleft()
                    yield (*future.result(), size)
            while waiting:
                future, size = waiting.popleft()
                yield (*future.result(), size)
        finally:
            for future, _ in waiting:
                future.cancel()


def _on_spark(engine: Engine, rows: ibis.Table, order: list[str], mapped: _Mapped) -> Any:
    """Bring each unit to one partition, sort it there, and map the kernel over Arrow batches."""
    import ibis
    from ibis.backends.pyspark.datatypes import PySparkSchema
    from pyspark.sql import functions

    shape, frame = mapped.shape, engine.frame(rows)
    units = [functions.col(name) for name in shape.unit]
    spread = frame.repartition(*units).sortWithinPartitions(*[functions.col(name).asc_nulls_last() for name in order])
    both = dict(ibis.Schema.from_pyarrow(shape.output).items())
    if shape.state is not None:
        both = {IS_STATE: ibis.dtype("boolean"), **{f"o_{name}": kind for name, kind in both.items()}}
        both |= {f"s_{name}": kind for name, kind in ibis.Schema.from_pyarrow(shape.state).items()}
    schema = ibis.schema(both)
    found = spread.mapInArrow(_SparkMap(mapped, schema.to_pyarrow()), PySparkSchema.from_ibis(schema))
    name = engine.new_file("").name
    if shape.state is None:
        found.createOrReplaceTempView(f"walk_{name}")
        return engine.backend.table(f"walk_{name}")
    found.persist().createOrReplaceTempView(f"walk_{name}")  # computed once, read twice
    whole = engine.backend.table(f"walk_{name}")

    output = whole.filter(~whole[IS_STATE]).select(**{one: whole[f"o_{one}"] for one in shape.output.names})
    state = whole.filter(whole[IS_STATE]).select(**{one: whole[f"s_{one}"] for one in shape.state.names})
    return output, state


class _SparkMap:
    """What a worker does with the batches of its partition."""

    def __init__(self, mapped: _Mapped, schema: pa.Schema) -> None:
        self.mapped = mapped
        self.schema = schema

    def __call__(self, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:

        for chunk in whole_units(batches, self.mapped.shape.unit):
            output, state = self.mapped(chunk)
            if state is None:
                yield from output.to_batches()
                continue
            yield from self._side(output, "o_", False).to_batches()
            yield from self._side(state, "s_", True).to_batches()

    def _side(self, table: pa.Table, prefix: str, is_state: bool) -> pa.Table:
        import pyarrow as pa

        columns = {prefix + name: table[name] for name in table.column_names}
        columns[IS_STATE] = pa.repeat(is_state, table.num_rows)
        filled = [
            columns[field.name] if field.name in columns else pa.nulls(table.num_rows, field.type)
            for field in self.schema
        ]
        return pa.table(filled, schema=self.schema)
