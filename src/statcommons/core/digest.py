"""Digests of content: the same rows give the same SHA-256 on every engine and machine."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["content_digest"]

BLOCK = 1 << 16
"""Rows hashed at a time; the digest depends on it, so it never changes."""


def content_digest(batches: pa.Table | Iterable[pa.RecordBatch]) -> str:
    """Compute the digest of a table's content in the order of its rows.

    Arrow buffers are hashed column by column in blocks of 65,536 rows after they are normalised: -0.0 becomes 0.0, all
    NaN become one, times become microseconds UTC, numbers become 64 bits, a missing cell has no value.

    Parameters
    ----------
    batches : pyarrow.Table or iterable of pyarrow.RecordBatch
        The rows; how they are cut into batches makes no difference.

    Returns
    -------
    str
        SHA-256 in hexadecimal.

    Examples
    --------
    >>> import pyarrow as pa
    >>> content_digest(pa.table({"x": [0.0]})) == content_digest(pa.table({"x": [-0.0]}))
    True
    """
    digest = hashlib.sha256()
    source = batches.to_batches() if hasattr(batches, "to_batches") else batches
    for number, block in enumerate(_blocks(source)):
        if number == 0:
            digest.update(repr([(field.name, _name(field.type)) for field in block.schema]).encode())
        digest.update(block.num_rows.to_bytes(8, "little"))
        for column in block.columns:
            for part in _normal(column):
                digest.update(part)
    return digest.hexdigest()


def _blocks(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    import pyarrow as pa

    held: list[pa.RecordBatch] = []
    rows = 0
    schema = None
    for batch in batches:
        schema = schema or batch.schema
        held.append(batch)
        rows += batch.num_rows
        if rows >= BLOCK:
            whole = pa.Table.from_batches(held).combine_chunks()
            for start in range(0, rows - BLOCK + 1, BLOCK):
                yield whole.slice(start, BLOCK).combine_chunks().to_batches()[0]
            whole = whole.slice(rows - rows % BLOCK)
            held, rows = whole.to_batches(), whole.num_rows
    if schema is not None and rows:
        yield pa.Table.from_batches(held, schema).combine_chunks().to_batches()[0]


def _name(kind: pa.DataType) -> str:
    import pyarrow.types as t

    families = (
        ("boolean", t.is_boolean),
        ("integer", t.is_integer),
        ("number", lambda one: t.is_floating(one) or t.is_decimal(one)),
        (
            "text",
            lambda one: t.is_string(one) or t.is_large_string(one) or t.is_string_view(one) or t.is_dictionary(one),
        ),
        ("date", t.is_date),
        ("instant", t.is_timestamp),
        ("binary", lambda one: t.is_binary(one) or t.is_large_binary(one)),
        ("null", t.is_null),
    )
    return next((name for name, test in families if test(kind)), str(kind))


def _normal(column: pa.Array) -> Iterator[Any]:
    """Give the bytes that stand for a column: what is missing, then the values."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    name = _name(column.type)
    if column.null_count:
        yield np.packbits(column.is_null().to_numpy(zero_copy_only=False))
    else:
        yield bytes((len(column) + 7) // 8)
    if name == "null":
        return
    if name == "boolean":
        yield np.packbits(pc.fill_null(column, False).to_numpy(zero_copy_only=False))
    elif name == "integer":
        yield pc.fill_null(column.cast(pa.int64()), 0).to_numpy(zero_copy_only=False)
    elif name == "number":
        values = pc.fill_null(column.cast(pa.float64()), 0.0).to_numpy(zero_copy_only=False) + 0.0
        unknown = np.isnan(values)
        if unknown.any():
            values[unknown] = np.nan
        yield values
    elif name == "date":
        yield pc.fill_null(column.cast(pa.date32()).cast(pa.int32()), 0).to_numpy(zero_copy_only=False)
    elif name == "instant":
        micro = column.cast(pa.timestamp("us", column.type.tz)).cast(pa.int64())
        yield pc.fill_null(micro, 0).to_numpy(zero_copy_only=False)
    elif name in ("text", "binary"):
        large = pa.large_string() if name == "text" else pa.large_binary()
        values = pc.fill_null(column.cast(large), "" if name == "text" else b"")
        yield pc.binary_length(values).cast(pa.int64()).to_numpy(zero_copy_only=False)
        offsets = np.frombuffer(values.buffers()[1], np.int64)[values.offset : values.offset + len(values) + 1]
        data = values.buffers()[2]
        yield memoryview(data)[offsets[0] : offsets[-1]] if data is not None else b""
    else:  # lists and structs: rare, so their text will do
        yield repr(column.to_pylist()).encode()
