"""From rows made in Python to a table under its schema."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from statcommons.core.cells import IBIS_TYPES
from statcommons.core.schema import Schema, table_schema

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["as_table"]


def as_table(rows: Iterable[Mapping[str, Any]], schema: type[Schema]) -> pa.Table:
    """Make an Arrow table of rows, with the columns and types of a schema even where there is no row.

    Parameters
    ----------
    rows : iterable of mapping
        Values by column; what a row does not name is missing.
    schema : type of Schema
        The declared schema.

    Returns
    -------
    pyarrow.Table
        In the order of the rows.

    Examples
    --------
    >>> from statcommons.prices.data import TrueIndex
    >>> as_table([], TrueIndex).schema.names
    ['period', 'index', 'continuing']
    """
    import ibis
    import pyarrow as pa

    types = ibis.schema({column.name: IBIS_TYPES[column.type] for column in table_schema(schema)})
    return pa.Table.from_pylist([dict(row) for row in rows], schema=types.to_pyarrow())
