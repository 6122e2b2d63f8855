"""What it costs to write data messages of SDMX, beside pysdmx.

The data are made: four dimensions, 50 periods a series, a number with five decimals, an attribute of the series and one
of the observation. They are in memory as the store gives them, so that a case measures the writing alone. An answer is
how many observations the message has, counted in its text.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.harness import OURS, Goal, Sides, case

if TYPE_CHECKING:
    from statcommons.sdmx.message import DataSet
    from statcommons.sdmx.structure import Structure

PERIODS = 50
BATCH = 2_400 * PERIODS
PYSDMX = "pysdmx"
PEER = 1_000_000
"""Observations beyond which the peer is left out: it holds every one of them in several forms."""

SIZES = (100_000, 1_000_000, 10_000_000)
IN_MEMORY = Goal(400, "peak_mb")
"""The whole process, its start and libraries included, whatever the size of the message."""


def per_second(million: float) -> Goal:
    """Give the goal of so many million observations a second at the largest size."""
    return Goal(round(SIZES[-1] / million / 1e6, 1), "seconds")


def structure() -> Structure:
    from statcommons.sdmx.model import Ref
    from statcommons.sdmx.structure import Component, Structure

    key = tuple(Component(id, "dimension", "text") for id in ("FREQ", "INDICATOR", "REF_AREA"))
    dimensions = tuple(one.id for one in key)
    return Structure(
        Ref("dataflow", "SC", "DF_MADE", "1.0"),
        Ref("datastructure", "SC", "DSD_MADE", "1.0"),
        {"en": "Made data"},
        {},
        (
            *key,
            Component("TIME_PERIOD", "time", "period"),
            Component("OBS_VALUE", "measure", "number"),
            Component("UNIT_MEASURE", "attribute", "text", attachment="series", dimensions=dimensions),
            Component("OBS_STATUS", "attribute", "text"),
        ),
    )


def data_set(rows: int) -> DataSet:
    """Make data whose batches share what repeats, so that making them costs next to nothing."""
    import numpy as np
    import pyarrow as pa

    from statcommons.sdmx.message import DataSet

    count = rows // PERIODS
    years = [str(1970 + year) for year in range(PERIODS)]
    places = np.arange(count)
    series = pa.table(
        {
            "FREQ": pa.array(["A"] * count),
            "INDICATOR": pa.array([f"IND_{place % 40}" for place in places]),
            "REF_AREA": pa.array([f"{place // 40:03d}" for place in places]),
            "UNIT_MEASURE": pa.array(["PT"] * count),
        }
    )
    local = np.arange(BATCH)
    of_batch = (local // PERIODS).astype(np.int32)
    time = pa.array(years).take(pa.array(local % PERIODS))
    value = pa.array(np.round(np.random.default_rng(1).random(BATCH) * 1000, 5))
    status = pa.array(["A", "E"]).take(pa.array((local % 7 == 0).astype(np.int8)))

    def batches() -> Iterator[pa.RecordBatch]:
        for start in range(0, rows, BATCH):
            whole = pa.record_batch(
                {
                    "series": pa.array(of_batch + np.int32(start // PERIODS)),
                    "TIME_PERIOD": time,
                    "OBS_VALUE": value,
                    "OBS_STATUS": status,
                }
            )
            yield whole.slice(0, rows - start)

    def periods() -> pa.Table:
        starts = [datetime.datetime(int(year), 1, 1) for year in years]
        ends = [datetime.datetime(int(year) + 1, 1, 1) for year in years]
        return pa.table({"text": years, "start": starts, "end": ends})

    return DataSet(structure(), series, batches(), periods)


def ours(name: str, rows: int, *marks: str, head: int = 0) -> Callable[[], int]:
    """Write a message piece by piece, and count the observations in it by what each of them has in its text."""
    from statcommons.sdmx.formats import FORMATS, Options
    from statcommons.sdmx.message import Header

    header = Header("made", datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC), "SC")

    def write() -> int:
        chunks = FORMATS[name].write([data_set(rows)], header, Options())
        return sum(chunk.count(mark.encode()) for chunk in chunks for mark in marks) - head

    return write


def theirs(format: str, rows: int, mark: str, head: int = 0) -> Callable[[], int]:
    """Write the same by pysdmx, from a data frame that is there before."""
    from pysdmx.io import write_sdmx
    from pysdmx.io.format import Format
    from pysdmx.io.pd import PandasDataset

    data = frame(rows)

    def write() -> int:
        made = PandasDataset(structure=schema(), data=data)
        options = {} if "CSV" in format else {"dimension_at_observation": {made.short_urn: "TIME_PERIOD"}}
        text = write_sdmx(made, Format[format], **options)
        assert text is not None
        return text.count(mark) - head

    return write


def frame(rows: int) -> Any:
    import pyarrow as pa

    from statcommons.sdmx.formats.table import batches_of

    return pa.Table.from_batches(batches_of([data_set(rows)])).to_pandas().astype({"OBS_VALUE": str})


def schema() -> Any:
    from pysdmx.model import Component, Components, Concept, DataType, Role, Schema

    roles = {"dimension": Role.DIMENSION, "time": Role.DIMENSION, "measure": Role.MEASURE, "attribute": Role.ATTRIBUTE}
    levels = {"UNIT_MEASURE": "FREQ,INDICATOR,REF_AREA", "OBS_STATUS": "O"}
    components = [
        Component(
            one.id,
            required=True,
            role=roles[one.role],
            concept=Concept(one.id, dtype=DataType.DOUBLE if one.role == "measure" else DataType.STRING),
            attachment_level=levels.get(one.id),
        )
        for one in structure().components
    ]
    return Schema("dataflow", "SC", "DF_MADE", Components(components), "1.0")


def sides(name: str, peer: str, rows: int, mark: str, head: int = 0) -> Sides:
    found: Sides = {OURS: ours(name, rows, mark, head=head)}
    return found | ({PYSDMX: theirs(peer, rows, mark, head)} if rows <= PEER else {})


@case(sizes=SIZES, quick=500, unit="observations", goals=(per_second(3.0), IN_MEMORY))
def write_csv(rows: int, folder: Path) -> Iterator[Sides]:
    """Write SDMX-CSV 2.0."""
    yield sides("csv-2.0", "DATA_SDMX_CSV_2_0_0", rows, "\n", head=1)


@case(sizes=SIZES, quick=500, unit="observations", goals=(per_second(1.5), IN_MEMORY))
def write_json(rows: int, folder: Path) -> Iterator[Sides]:
    """Write SDMX-JSON 2.0 in series. No other library in Python writes it."""
    yield {OURS: ours("json-2.0", rows, ',"A"]', ',"E"]')}


@case(sizes=SIZES, quick=500, unit="observations", goals=(per_second(1.0), IN_MEMORY))
def write_structure_specific(rows: int, folder: Path) -> Iterator[Sides]:
    """Write SDMX-ML 2.1 structure-specific data in series."""
    yield sides("structurespecific-2.1", "DATA_SDMX_ML_2_1_STR", rows, "<Obs ")


@case(sizes=SIZES, quick=500, unit="observations", goals=(per_second(0.7), IN_MEMORY))
def write_generic(rows: int, folder: Path) -> Iterator[Sides]:
    """Write SDMX-ML 2.1 generic data in series."""
    yield sides("generic-2.1", "DATA_SDMX_ML_2_1_GEN", rows, "ObsDimension ")


@case(sizes=SIZES, quick=500, unit="observations", goals=(IN_MEMORY,))
def write_parquet(rows: int, folder: Path) -> Iterator[Sides]:
    """Write Parquet; the answer is not counted, a file tells it at its end."""
    from statcommons.sdmx.formats import FORMATS, Options
    from statcommons.sdmx.message import Header

    header = Header("made", datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC), "SC")
    yield {OURS: lambda: sum(map(len, FORMATS["parquet"].write([data_set(rows)], header, Options()))) > 0}
