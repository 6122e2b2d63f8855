"""Data sets as one flat table: Parquet, and the stream of Arrow."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from statcommons.core.errors import BadCall
from statcommons.sdmx.formats.layout import Options, opened
from statcommons.sdmx.message import SERIES, DataSet, Header
from statcommons.sdmx.structure import Component

__all__ = ["Sink", "write_parquet"]

TYPES = {"number": pa.float64(), "integer": pa.int64(), "boolean": pa.bool_()}
ROW_GROUP = 122_880
"""Rows of a row group of Parquet: as many as DuckDB reads at a time."""


class Sink(io.RawIOBase):
    """Where writers of files write to, and from where we pass on what is there."""

    def __init__(self) -> None:
        self.parts: list[bytes] = []
        self.place = 0

    def writable(self) -> bool:
        """Tell that it can be written to."""
        return True

    def write(self, data: Any) -> int:
        """Keep what is written until it is taken."""
        self.parts.append(bytes(data))
        self.place += len(self.parts[-1])
        return len(self.parts[-1])

    def tell(self) -> int:
        """Give how much was written."""
        return self.place

    def taken(self) -> bytes:
        """Give what was written since the last time."""
        parts, self.parts = self.parts, []
        return b"".join(parts)


def write_parquet(data_sets: Sequence[DataSet], header: Header, options: Options) -> Iterator[bytes]:
    """Write one Parquet file: a column a component, compressed by Zstandard.

    Where there are several data sets, ``ACTION`` and ``VALID_FROM`` say of each row which one it is of.

    Parameters
    ----------
    data_sets : sequence of DataSet
        Of one dataflow.
    header : Header
        Not said.
    options : Options
        None of them says anything here.

    Raises
    ------
    BadCall
        When there are several dataflows.
    """
    one_structure(data_sets)
    return _streamed(data_sets, _parquet)


def write_arrow(data_sets: Sequence[DataSet], header: Header, options: Options) -> Iterator[bytes]:
    """Write a stream of Arrow: a column a component.

    Parameters
    ----------
    data_sets, header, options
        As of :func:`write_parquet`.

    Raises
    ------
    BadCall
        When there are several dataflows.
    """
    one_structure(data_sets)
    return _streamed(data_sets, pa.ipc.new_stream)


def flat(data_sets: Sequence[DataSet]) -> pa.Table:
    """Give data sets as one table in memory: a column a component, dimensions first.

    Parameters
    ----------
    data_sets : sequence of DataSet
        Of one dataflow.

    Raises
    ------
    BadCall
        When there are several dataflows.
    """
    one_structure(data_sets)
    return pa.Table.from_batches(batches_of(data_sets), schema_of_table(data_sets))


def _parquet(sink: Sink, schema: pa.Schema) -> Any:
    return pq.ParquetWriter(sink, schema, compression="zstd")


def _streamed(data_sets: Sequence[DataSet], open_writer: Callable[[Sink, pa.Schema], Any]) -> Iterator[bytes]:
    sink = Sink()
    schema = schema_of_table(data_sets)
    with open_writer(pa.PythonFile(sink, mode="w"), schema) as writer:
        for table in _grouped(batches_of(data_sets), schema):
            writer.write_table(table)
            yield sink.taken()
    yield sink.taken()


def _grouped(batches: Iterable[pa.RecordBatch], schema: pa.Schema) -> Iterator[pa.Table]:
    """Gather batches to the size of a row group."""
    waiting: list[pa.RecordBatch] = []
    for batch in batches:
        waiting.append(batch)
        if sum(map(len, waiting)) >= ROW_GROUP:
            yield pa.Table.from_batches(waiting, schema)
            waiting = []
    if waiting:
        yield pa.Table.from_batches(waiting, schema)


# --- rows -----------------------------------------------------------------------------------------------------------


def one_structure(data_sets: Sequence[DataSet]) -> None:
    """Refuse data of several dataflows.

    Parameters
    ----------
    data_sets : sequence of DataSet
        What shall be written.

    Raises
    ------
    BadCall
        When there are several dataflows.
    """
    flows = dict.fromkeys(str(one.structure.flow) for one in data_sets)
    if len(flows) > 1:
        raise BadCall(
            f"One table has the data of one dataflow, and these are of {', '.join(flows)}.",
            remedy="Ask for them one by one, or in SDMX-CSV 2.0.",
        )


def schema_of_table(data_sets: Sequence[DataSet]) -> pa.Schema:
    """Give the columns: a column a component of any of the data sets, in their order.

    Parameters
    ----------
    data_sets : sequence of DataSet
        Of one dataflow.
    """
    fields = [pa.field(one.id, _type(one)) for one in components_of(data_sets)]
    if len(data_sets) > 1:
        fields += [pa.field("ACTION", pa.string()), pa.field("VALID_FROM", pa.timestamp("us", "UTC"))]
    told = {"sdmx.structure": data_sets[0].structure.flow.urn} if data_sets else None
    return pa.schema(fields, metadata=told)


def components_of(data_sets: Sequence[DataSet]) -> list[Component]:
    """Give the components of all data sets, grouped by what they do; those of the first come first.

    Parameters
    ----------
    data_sets : sequence of DataSet
        What is written.
    """
    found: dict[str, Component] = {}
    for role in (("dimension", "time"), ("measure",), ("attribute",)):
        for data_set in data_sets:
            for one in data_set.structure.with_role(*role):
                found.setdefault(one.id, one)
    return list(found.values())


def batches_of(data_sets: Sequence[DataSet]) -> Iterator[pa.RecordBatch]:
    """Give the rows of all data sets with a column a component.

    Parameters
    ----------
    data_sets : sequence of DataSet
        Of one dataflow.
    """
    schema = schema_of_table(data_sets)
    for one in data_sets:
        data_set = opened(one).data_set
        series = data_set.series.combine_chunks()
        for batch in data_set.observations:
            whole = {
                "ACTION": pa.repeat(data_set.action, len(batch)),
                "VALID_FROM": pa.array([data_set.valid_from] * len(batch), pa.timestamp("us", "UTC")),
            }
            columns = [_column(field, data_set, series, batch, whole) for field in schema]
            yield pa.record_batch(columns, schema=schema)


def _column(
    field: pa.Field, data_set: DataSet, series: pa.Table, batch: pa.RecordBatch, whole: dict[str, pa.Array]
) -> pa.Array:
    if field.name in batch.schema.names:
        return _typed(batch[field.name], field.type)
    if field.name in series.column_names:
        return _typed(series[field.name].combine_chunks().take(batch[SERIES]), field.type)
    if field.name in data_set.structure and data_set.structure[field.name].constant:
        return pa.repeat(data_set.structure[field.name].constant, len(batch)).cast(field.type)
    return whole.get(field.name, pa.nulls(len(batch), field.type))


def _typed(values: pa.Array, kind: pa.DataType) -> pa.Array:
    """Give values their type; attributes and several values stand as text, as they were written."""
    if pa.types.is_list(values.type) and values.type != kind:
        inner = _typed(values.flatten(), kind.value_type)
        counts = pc.fill_null(pc.list_value_length(values), 0)
        offsets = pa.concat_arrays([pa.array([0], pa.int32()), pc.cumulative_sum(counts).cast(pa.int32())])
        return pa.ListArray.from_arrays(offsets, inner, mask=values.is_null())
    if pa.types.is_string(values.type) and pa.types.is_floating(kind):
        values = pc.if_else(pc.equal(values, "#N/A"), "NaN", values)
    if pa.types.is_string(values.type) and (pa.types.is_floating(kind) or pa.types.is_integer(kind)):
        values = pc.ascii_ltrim(values, "+")
    return values.cast(kind)


def _type(component: Component) -> pa.DataType:
    """Give the type of a column: numbers where they are, text everywhere else, maps where it is in languages."""
    kind = pa.string() if component.codelist else TYPES.get(component.type, pa.string())
    kind = pa.map_(pa.string(), pa.string()) if component.multilingual else kind
    return pa.list_(kind) if component.multiple else kind
