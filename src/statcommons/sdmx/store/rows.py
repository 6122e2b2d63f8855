"""The rows of a flow in SQL: what a file of observations holds, and which rows stood at a moment.

A row is the state of one observation from ``_from`` (included) until ``_to`` (not included, null: until further
notice). Each load makes one row for each observation that it changes; ``_gone`` marks the row of a deletion, which has
no values. ``_given`` has a bit for each measure and attribute that the load itself gave: the rest was taken over from
the row before, and is taken over again when that row changes before it is public.

What is said of a series, or of a group of them, and not of one observation stands in a row of its own. A group is a
series of which only the dimensions of the group have codes; of the whole data set, none.

====================  ==================================================================================
column                what
====================  ==================================================================================
``_series``           number of the series, in the file of series
time dimension        the period as it was written (where there is a time dimension)
``_start``, ``_end``  first moment of the period and the moment at which it is over
measures, attributes  under their ids
``_given``            bits of what the load gave
``_gone``             whether this is a deletion
``_from``, ``_to``    from when until when the row is what the flow says
``_load``             number of the load
====================  ==================================================================================
"""

from __future__ import annotations

import contextlib
import datetime
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from statcommons.core.errors import BadCall
from statcommons.sdmx.store.disk import appearing, system_error
from statcommons.sdmx.store.manifest import BrokenStore, Manifest
from statcommons.sdmx.structure import Component, Structure

if TYPE_CHECKING:
    import duckdb

__all__ = ["ALL", "ALL_TIME", "NO_PERIOD", "OBSERVED"]

ALL = 2**64 - 1
"""The bits of everything, also of what a structure gets later."""

NO_PERIOD, ALL_TIME = "0001-01-01", "0001-01-02"
"""The period of rows that are no observations, and of observations where there is no time."""

OBSERVED = f"_start > TIMESTAMP '{NO_PERIOD}'"
"""The condition of rows that are observations."""

SQL_TYPES = {"integer": "BIGINT", "number": "DOUBLE", "boolean": "BOOLEAN"}

GROUP = 65_536
"""Rows of a row group: a query of one series reads one of them."""


def sql_type(component: Component) -> str:
    """Give the type of a column."""
    one = SQL_TYPES.get(component.type, "VARCHAR")
    if component.multilingual:
        one = "MAP(VARCHAR, VARCHAR)"
    return f"{one}[]" if component.multiple else one


def identifier(name: str) -> str:
    """Write a name so that SQL takes it for one."""
    return '"' + name.replace('"', '""') + '"'


def literal(value: str | Path) -> str:
    """Write a text so that SQL takes it for one."""
    return "'" + str(value).replace("'", "''") + "'"


def half_of_memory() -> str:
    """Give half of the machine's memory, as the engine writes it."""
    return f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') // 2 // 2**20}MiB"


@contextlib.contextmanager
def connected(spill: Path, *, threads: int | None = None) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open an engine of its own for a writer, which spills to a folder beyond its memory."""
    import duckdb

    config: dict[str, str | int] = {
        "memory_limit": half_of_memory(),
        "preserve_insertion_order": "false",  # what must be in order is sorted
        "temp_directory": str(spill),
        "autoinstall_known_extensions": "false",
    }
    config |= {"threads": threads} if threads else {}
    connection = duckdb.connect(":memory:", config={name: str(value) for name, value in config.items()})
    try:
        yield connection
    finally:
        connection.close()


def files(folder: Path, manifest: Manifest, structure: Structure) -> str:
    """Give the SELECT of all rows of a flow, with ``_segment`` and ``_place`` that name a row.

    A column that the structure got after a file was written is missing there and null here; one that it lost is left
    out.
    """
    time = [structure.time.id] if structure.time else []
    typed = {"_series": "INTEGER", **dict.fromkeys(time, "VARCHAR"), "_start": "TIMESTAMP", "_end": "TIMESTAMP"}
    typed |= {one.id: sql_type(one) for one in structure.with_role("measure", "attribute")}
    typed |= {"_given": "UBIGINT", "_gone": "BOOLEAN", "_from": "TIMESTAMP", "_load": "INTEGER"}
    parts = []
    for number, segment in enumerate(manifest.segments):
        there = {*_columns_of(folder / segment.file)}
        cells = [
            f"r.{identifier(name)}" if name in there else f"CAST(NULL AS {kind}) AS {identifier(name)}"
            for name, kind in typed.items()
        ]
        source = f"read_parquet({literal(folder / segment.file)}, file_row_number=true) r"
        until = 'r."_to"'
        if segment.ends_file:
            source += f" LEFT JOIN read_parquet({literal(folder / segment.ends_file)}) e ON e.place = r.file_row_number"
            until = 'CASE WHEN e.place IS NULL THEN r."_to" ELSE e."_to" END AS "_to"'
        parts.append(
            f"SELECT {', '.join(cells)}, {until}, {number} AS _segment, r.file_row_number AS _place FROM {source}"
        )
    if not parts:
        empty = ", ".join(f"CAST(NULL AS {kind}) AS {identifier(name)}" for name, kind in typed.items())
        return f"SELECT {empty}, CAST(NULL AS TIMESTAMP) AS _to, 0 AS _segment, 0 AS _place WHERE false"
    return " UNION ALL ".join(parts)


def moment(when: datetime.datetime) -> str:
    """Write a moment so that SQL takes it for one."""
    return f"TIMESTAMP '{when.isoformat(sep=' ')}'"


def standing(at: datetime.datetime, *, gone: bool = False) -> str:
    """Give the condition under which a row is what the flow says at a moment; or that the flow says it is deleted."""
    deleted = "_gone" if gone else "NOT _gone"
    return f"_from <= {moment(at)} AND (_to IS NULL OR _to > {moment(at)}) AND {deleted}"


def span(day: str) -> str:
    """Write a row's period that is none."""
    return f"TIMESTAMP '{day}' AS \"_start\", TIMESTAMP '{day}' AS \"_end\""


def said_of(attribute: Component) -> tuple[str, ...]:
    """Give the dimensions that name what an attribute is said of; none where it is the data set."""
    return () if attribute.attachment == "dataflow" else attribute.dimensions


def above(structure: Structure) -> tuple[Component, ...]:
    """Give the attributes that are said of more than one observation."""
    return tuple(one for one in structure.with_role("attribute") if one.attachment != "observation")


def series_of(folder: Path, manifest: Manifest) -> str:
    """Give the SELECT of the numbers of the series and their codes."""
    if manifest.series_file:
        return f"SELECT * FROM read_parquet({literal(folder / manifest.series_file)})"
    empty = "".join(f", CAST(NULL AS VARCHAR) AS {identifier(one)}" for one in manifest.dimensions)
    return f'SELECT CAST(NULL AS INTEGER) AS "_series"{empty} WHERE false'


def extended(manifest: Manifest, structure: Structure) -> tuple[str, ...]:
    """Give the columns of a flow, with those that its structure got since."""
    _refuse_names(structure)
    now = [one.id for one in structure.with_role("measure", "attribute")]
    columns = (*manifest.columns, *(name for name in now if name not in manifest.columns))
    if len(columns) > 64:
        raise BadCall(
            f"The structure has {len(columns)} measures and attributes; a flow keeps 64.",
            where=str(structure.flow),
            remedy="Publish them as several flows.",
        )
    return columns


def _refuse_names(structure: Structure) -> None:
    """Refuse ids that the engine cannot tell from one another, or from the columns of our own."""
    seen = {"file_row_number": "file_row_number"}  # a column that the engine makes
    for one in (component.id for component in structure.components):
        if one.startswith("_") or one.lower() in seen:
            why = f"is the same as {seen[one.lower()]}" if one.lower() in seen else "begins with a low line"
            raise BadCall(
                f"The id of the component {one} {why}, and a store keeps no such column.",
                where=str(structure.definition),
                remedy="Give it another id.",
            )
        seen[one.lower()] = one


def write_parquet(connection: duckdb.DuckDBPyConnection, select: str, path: Path) -> int:
    """Write what a query gives as a file of observations or series, and give the number of its rows."""
    import duckdb

    # As small as with zstd, because most columns are dictionaries, and read in half the time.
    options = f"FORMAT parquet, COMPRESSION lz4_raw, ROW_GROUP_SIZE {GROUP}"
    with appearing(path) as place:
        try:
            [[rows]] = connection.execute(f"COPY ({select}) TO {literal(place)} ({options})").fetchall()
        except duckdb.IOException as error:
            raise system_error(str(error)) or error from error
    return int(rows)


def _columns_of(file: Path) -> list[str]:
    """Give the columns of a file; they never change, so they are looked up once."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    if file not in _COLUMNS:
        try:
            _COLUMNS[file] = pq.read_schema(file).names
        except (OSError, pa.ArrowInvalid) as error:
            raise BrokenStore(
                f"A file of observations cannot be read ({error}).",
                where=str(file),
                remedy="Restore the store from a backup.",
            ) from None
    return _COLUMNS[file]


_COLUMNS: dict[Path, list[str]] = {}
