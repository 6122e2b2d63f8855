"""What it costs to fill, ask and serve a store of SDMX; what messages cost comes from two modules of their own.

The flow has the shape of the UN's SDG database: six dimensions, 50 periods a series, one measure, an attribute of the
series and one of the observation. An answer is a count, so that no side can leave anything out.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

from benchmarks.harness import OURS, Goal, Sides, case
from benchmarks.sdmx_read import read_check, read_csv, read_generic, read_json, read_structure_specific
from benchmarks.sdmx_write import write_csv, write_generic, write_json, write_parquet, write_structure_specific

__all__ = [  # what messages cost stands in the same table
    "read_check",
    "read_csv",
    "read_generic",
    "read_json",
    "read_structure_specific",
    "write_csv",
    "write_generic",
    "write_json",
    "write_parquet",
    "write_structure_specific",
]

FLOW = "SC:DF_BIG(1.0)"
DIMENSIONS = ("FREQ", "SERIES", "REF_AREA", "SEX", "AGE", "URBANISATION")
PERIODS = 50
UN = 1_100_000
"""Observations of the UN SDG database, about."""


def big_structure() -> Any:
    from statcommons.sdmx.model import Ref
    from statcommons.sdmx.structure import Component, Structure

    return Structure(
        Ref("dataflow", "SC", "DF_BIG"),
        Ref("datastructure", "SC", "DSD_BIG"),
        {"en": "A big flow"},
        {},
        (
            *(Component(one, "dimension", "text") for one in DIMENSIONS),
            Component("TIME_PERIOD", "time", "period"),
            Component("OBS_VALUE", "measure", "number"),
            Component("UNIT_MEASURE", "attribute", "text", attachment="series", dimensions=DIMENSIONS),
            Component("NATURE", "attribute", "text", required=False),
        ),
    )


def big_csv(rows: int, path: Path) -> Path:
    """Write the data as SDMX-CSV 2.0, by DuckDB."""
    import duckdb

    series = rows // PERIODS
    with duckdb.connect() as engine:
        engine.execute(f"""
            COPY (
                SELECT 'dataflow' AS STRUCTURE, '{FLOW}' AS STRUCTURE_ID, 'I' AS ACTION, 'A' AS FREQ,
                    'SER_' || lpad((i // 1500)::VARCHAR, 4, '0') AS SERIES, ((i // 6) % 250)::VARCHAR AS REF_AREA,
                    ['F', 'M', '_T'][i % 3 + 1] AS SEX, '_T' AS AGE, ['R', 'U'][i // 3 % 2 + 1] AS URBANISATION,
                    (1970 + t)::VARCHAR AS TIME_PERIOD, round(100 * abs(sin(i * 50 + t)), 5) AS OBS_VALUE,
                    'PT' AS UNIT_MEASURE, CASE WHEN t % 7 = 0 THEN 'E' ELSE 'N' END AS NATURE
                FROM range({series}) a(i), range({PERIODS}) b(t) ORDER BY i, t
            ) TO '{path}' (HEADER)
        """)
    return path


def filled(rows: int, folder: Path) -> Any:
    """Give a store with so many observations, made once a folder."""
    from statcommons.sdmx.store import Store
    from statcommons.sdmx.structure import artefacts_of

    path = folder / f"store-{rows}"
    store = Store(path)
    if not path.exists():
        store.add_structures(artefacts_of(big_structure()))
        store.load(big_csv(rows, folder / f"{rows}.csv"))
    return store


# --- filling --------------------------------------------------------------------------------------------------------


@case(sizes=(100_000, 1_000_000, 10_000_000), quick=500, unit="observations", goals=(Goal(15, "seconds"),))
def load(rows: int, folder: Path) -> Iterator[Sides]:
    """Load and validate SDMX-CSV 2.0: codes, types, periods, duplicates; then write and publish it."""
    from statcommons.sdmx.store import Store
    from statcommons.sdmx.structure import artefacts_of

    file = big_csv(rows, folder / f"load-{rows}.csv")
    numbers = itertools.count()

    def ours() -> int:
        store = Store(folder / f"loaded-{rows}-{next(numbers)}-{time.monotonic_ns()}")
        store.add_structures(artefacts_of(big_structure()))
        [done] = store.load(file)
        return done.changed.added

    yield {OURS: ours}


# --- asking ---------------------------------------------------------------------------------------------------------


def asked(rows: int, folder: Path, *addresses: str, times: int = 20) -> Iterator[Sides]:
    """Ask a warm store by the service's function, so many times in turn."""
    from statcommons.sdmx.service.answer import answer
    from statcommons.sdmx.service.exchange import Request

    store = filled(rows, folder)

    def ours() -> int:
        found = 0
        for address in itertools.islice(itertools.cycle(addresses), times):
            path, _, query = address.partition("?")
            response = answer(store, Request(path, query, headers={"accept": "*/*"}))
            found += sum(map(len, response.body)) > 0
        return found

    for _ in range(2):
        ours()
    yield {OURS: ours}


DATA = "/sdmx/v2/data/dataflow/SC/DF_BIG/1.0"


@case(sizes=(100_000, UN), quick=5_000, unit="observations", goals=(Goal(20 * 0.020, "seconds"),), rounds=15)
def key_and_last(rows: int, folder: Path) -> Iterator[Sides]:
    """Answer twenty queries of a key and the last observations, SDMX-CSV."""
    yield from asked(
        rows, folder, *(f"{DATA}/A.SER_0000.{area}?lastNObservations=2&format=csv" for area in range(1, 11))
    )


@case(sizes=(100_000, UN), quick=5_000, unit="observations", goals=(Goal(20 * 0.015, "seconds"),), rounds=15)
def availability(rows: int, folder: Path) -> Iterator[Sides]:
    """Answer twenty availability queries of three filters."""
    asks = "c[REF_AREA]={0},7&c[SEX]=F&c[SERIES]=sw:SER_000&mode=available"
    address = "/sdmx/v2/availability/dataflow/SC/DF_BIG/1.0?"
    yield from asked(rows, folder, *(address + asks.format(area) for area in range(1, 11)))


@case(sizes=(UN,), quick=5_000, unit="observations", goals=(Goal(20 * 0.030, "seconds"),), rounds=15)
def structure_with_all(rows: int, folder: Path) -> Iterator[Sides]:
    """Answer twenty structure queries with all references."""
    yield from asked(rows, folder, "/sdmx/v2/structure/dataflow/SC/DF_BIG/1.0?references=all")


@case(sizes=(UN,), quick=5_000, unit="observations", goals=(Goal(20 * 0.002, "seconds"),), rounds=15)
def not_modified(rows: int, folder: Path) -> Iterator[Sides]:
    """Answer twenty queries of what the reader has already: 304."""
    from statcommons.sdmx.service.answer import answer
    from statcommons.sdmx.service.exchange import Request

    store = filled(rows, folder)
    headers = {"accept": "text/csv"}
    tag = answer(store, Request(DATA, "", headers=headers)).header("ETag")

    def ours() -> int:
        again = Request(DATA, "", headers=headers | {"if-none-match": tag})
        return sum(answer(store, again).status == 304 for _ in range(20))

    ours()
    yield {OURS: ours}


# --- serving --------------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def served(store: Any, processes: int) -> Iterator[tuple[str, int]]:
    """Serve a store by the command, as an administrator would."""
    words = [Path(sys.executable).with_name("statcommons"), "sdmx", "serve", "--store", store.path]
    words += ["--port", "0", "--processes", str(processes)]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            address = server.stdout.readline().strip().removeprefix("http://").partition("/")[0]
            host, _, port = address.rpartition(":")
            yield host, int(port)
        finally:
            server.terminate()


@case(sizes=(UN,), quick=5_000, unit="observations", goals=(Goal(1.0, "seconds"),), rounds=15, memory=False)
def small_queries(rows: int, folder: Path) -> Iterator[Sides]:
    """Answer 500 small queries over HTTP by two processes, asked by four readers of this one.

    It takes twice as long when all four happen to be accepted by the same process: look at the least beside the median.
    """
    store = filled(rows, folder)
    paths = [f"{DATA}/A.SER_0000.{area}?lastNObservations=2&format=csv" for area in range(1, 101)]
    with served(store, 2) as (host, port):

        def reader(part: list[str], found: list[int]) -> None:
            connection = HTTPConnection(host, port, timeout=60)
            for path in part:
                connection.request("GET", path)
                found.append(len(connection.getresponse().read()) > 0)
            connection.close()

        def ours() -> int:
            found: list[int] = []
            readers = [threading.Thread(target=reader, args=(paths[:125] + paths[:25], found)) for _ in range(4)]
            for one in readers:
                one.start()
            for one in readers:
                one.join()
            return sum(found)

        ours()
        yield {OURS: ours}


@case(sizes=(100_000, 1_000_000, 10_000_000), quick=5_000, unit="observations", rounds=3, memory=False)
def over_http(rows: int, folder: Path) -> Iterator[Sides]:
    """Read a whole flow as SDMX-CSV over HTTP, and the same with gzip."""
    store = filled(rows, folder)
    with served(store, 1) as (host, port):

        def whole(encoding: str) -> Callable[[], int]:
            def ask() -> int:
                import zlib

                request = urllib.request.Request(
                    f"http://{host}:{port}{DATA}?format=csv", headers={"Accept-Encoding": encoding}
                )
                lines, unzip = 0, zlib.decompressobj(31)
                with urllib.request.urlopen(request, timeout=600) as answer:
                    while block := answer.read(1 << 20):
                        lines += (unzip.decompress(block) if encoding == "gzip" else block).count(b"\n")
                return lines - 1

            return ask

        yield {OURS: whole("identity"), "with gzip": whole("gzip")}


def first_byte_and_memory(rows: int, folder: Path) -> dict[str, float]:
    """Tell how soon a long answer begins, and the most memory that its server took."""
    store = filled(rows, folder)
    with served(store, 1) as (host, port):
        connection = HTTPConnection(host, port, timeout=600)
        connection.request("GET", f"{DATA}/A.SER_0000.1?format=csv")
        connection.getresponse().read()
        begun = time.monotonic()
        connection.request("GET", f"{DATA}?format=csv")
        answer = connection.getresponse()
        answer.read(1)
        first = time.monotonic() - begun
        while answer.read(1 << 20):
            pass
        most = max(_peak(child) for child in _processes())
    return {"first_byte_ms": first * 1000, "peak_mb": most}


def _processes() -> list[Path]:
    return [
        one
        for one in Path("/proc").iterdir()
        if one.name.isdigit() and b"sdmx\0serve" in (one / "cmdline").read_bytes()
    ]


def _peak(process: Path) -> float:
    lines = (process / "status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM"))


if __name__ == "__main__":
    import tempfile

    with tempfile.TemporaryDirectory() as place:
        print(json.dumps(first_byte_and_memory(int(float(sys.argv[1])), Path(place))))
