"""What it costs to read data messages of SDMX, and to check them, beside pysdmx.

The messages are those of the measure of writing, each written once into a file. An answer is how many observations were
read.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.harness import OURS, Goal, Sides, case
from benchmarks.sdmx_write import PEER, PYSDMX, SIZES, data_set, per_second, structure

SUFFIX = {"csv-2.0": "csv", "json-2.0": "json"}


def message(name: str, rows: int, folder: Path) -> Path:
    """Write the message once."""
    import datetime

    from statcommons.sdmx.formats import FORMATS, Options
    from statcommons.sdmx.message import Header

    path = folder / f"{name}-{rows}.{SUFFIX.get(name, 'xml')}"
    if not path.exists():
        header = Header("made", datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC), "SC")
        with path.open("wb") as file:
            file.writelines(FORMATS[name].write([data_set(rows)], header, Options()))
    return path


def read(path: Path) -> int:
    from statcommons.sdmx.reading import read_rows

    return sum(batch.num_rows for found in read_rows(path) for batch in found.batches)


def read_by_pysdmx(path: Path) -> int:
    from pysdmx.io import read_sdmx

    return sum(len(found.data) for found in read_sdmx(path, validate=False).data)


def checked_rows(path: Path) -> int:
    import duckdb

    from statcommons.sdmx.reading import checked, read_rows

    made = structure()
    with duckdb.connect() as connection:
        return checked(connection, read_rows(path, made), made).rows


def sides(name: str, rows: int, folder: Path, *, peer: bool = True) -> Sides:
    path = message(name, rows, folder)
    found: dict[str, Any] = {OURS: lambda: read(path)}
    return found | ({PYSDMX: lambda: read_by_pysdmx(path)} if peer and rows <= PEER else {})


@case(sizes=SIZES, quick=500, unit="observations", goals=(per_second(2.5),))
def read_csv(rows: int, folder: Path) -> Iterator[Sides]:
    """Read SDMX-CSV 2.0."""
    yield sides("csv-2.0", rows, folder)


@case(sizes=SIZES, quick=500, unit="observations", goals=(per_second(1.0),))
def read_json(rows: int, folder: Path) -> Iterator[Sides]:
    """Read SDMX-JSON 2.0 in series. No other library in Python reads it."""
    yield sides("json-2.0", rows, folder, peer=False)


@case(sizes=SIZES, quick=500, unit="observations", goals=(per_second(0.5),))
def read_structure_specific(rows: int, folder: Path) -> Iterator[Sides]:
    """Read SDMX-ML 2.1 structure-specific data in series."""
    yield sides("structurespecific-2.1", rows, folder)


@case(sizes=SIZES[:2], quick=500, unit="observations")
def read_generic(rows: int, folder: Path) -> Iterator[Sides]:
    """Read SDMX-ML 2.1 generic data in series."""
    yield sides("generic-2.1", rows, folder)


@case(sizes=SIZES, quick=500, unit="observations", goals=(Goal(12, "seconds"), Goal(2_000, "peak_mb")))
def read_check(rows: int, folder: Path) -> Iterator[Sides]:
    """Read SDMX-CSV 2.0 and check it: codes, types, periods, keys, attributes of series."""
    path = message("csv-2.0", rows, folder)
    yield {OURS: lambda: checked_rows(path)}
