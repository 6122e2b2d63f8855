"""What price indices cost: from arrays and from Parquet, beside peers, for one more month, and over 100 M raw rows.

Peers are not dependencies and are never shipped. Give the folder that has them in the environment variable
STATCOMMONS_PEERS; a peer that is not there is left out of the table:

- ``rlib/``: an R library with gpindex (R CMD INSTALL -l rlib gpindex), for the Rscript on the path;
- ``PriceIndexCalc/``: its source tree, and ``venv/``: a Python environment with what it imports.

A peer runs in a process of its own that reads the data before the clock starts and then waits for a line: neither its
start nor its reading is counted.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from benchmarks.core import THREADS, made, nothing
from benchmarks.harness import OURS, Goal, Sides, case

# --- the market -----------------------------------------------------------------------------------------------------

MONTHS = 25
OUTLETS = 12

# Hashes stand for random numbers, so that a machine makes the same file each time, block by block and on any number of
# threads. Products are born as fast as they go, and live 18 months on average. Quantities follow prices with an
# elasticity of 3 (CES), and are whole; what rounds to none is not sold.
CELLS = """
    WITH products AS (
        SELECT i, lpad((hash(i) % 1000000 * 10000000 + i)::VARCHAR, 13, '0') AS product,
            CASE WHEN hash(i, 1) % 1000000 < 18 / ({months} + 17.0) * 1000000 THEN 0
                ELSE 1 + hash(i, 2) % ({months} - 1) END AS born,
            1 + floor(-18 * ln((0.5 + hash(i, 3) % 1000000) / 1000000)) AS life,
            exp(1 + 0.8 * (sqrt(-2 * ln((0.5 + hash(i, 4) % 1000000) / 1000000)) * cos(hash(i, 5) % 6283185 / 1e6)))
                AS base,
            exp(2 + 1.2 * (sqrt(-2 * ln((0.5 + hash(i, 6) % 1000000) / 1000000)) * cos(hash(i, 7) % 6283185 / 1e6)))
                AS size
        FROM range({products}) AS numbers(i)
    ), months AS (
        SELECT i, t, product, base, size,
            exp(0.002 * t + 0.08 * (hash(i, t, 8) % 2001 / 1000.0 - 1))
                * CASE WHEN hash(i, t, 9) % 10 = 0 THEN 0.75 ELSE 1 END AS change
        FROM products, range({months}) AS months(t) WHERE t >= born AND t < born + life
    )
    SELECT i, t, product, greatest(round(base * change, 2), 0.01) AS price,
        round(size * change ** -3 * (0.5 + hash(i, t, 10) % 1001 / 1000.0)) AS quantity
    FROM months
"""
MONTHLY = """
    SELECT (DATE '2023-01-15' + to_months(t::INTEGER))::DATE AS time, product, price, quantity
    FROM ({cells}) WHERE quantity > 0
"""
RAW = """
    SELECT (DATE '2023-01-01' + to_months({month}))::DATE + ((h + 7 * o) % 28)::INTEGER AS time, product,
        'o' || o AS outlet, price + ((h // 32 + 13 * o) % 11) / 100.0 AS price,
        (1 + (h // 512 + 5 * o) % (1 + quantity::BIGINT))::DOUBLE AS quantity
    FROM (SELECT *, (hash(i, t) % 1000000000)::BIGINT AS h FROM '{cells}' WHERE quantity > 0 AND t = {month}),
        (SELECT o::BIGINT AS o FROM range({outlets}) AS outlets(o))
"""


def monthly(folder: Path, products: int, months: int = MONTHS) -> Path:
    """Write transactions, one row a product and month."""
    cells = CELLS.format(products=products, months=months)
    return made(folder / f"monthly-{products}-{months}.parquet", MONTHLY.format(cells=cells))


def raw(folder: Path, rows: int) -> list[Path]:
    """Write so many transactions, about, one file a month: 12 outlets sell each product on some day of its months."""
    cells = made(folder / f"cells-{rows}.parquet", CELLS.format(products=rows // 127, months=MONTHS))
    sql = {month: RAW.format(cells=cells, month=month, outlets=OUTLETS) for month in range(MONTHS)}
    return [made(folder / f"raw-{rows}-{month:02d}.parquet", sql[month]) for month in sql]


def panel_of(file: Path) -> Any:
    """Read a file into a panel of unit values."""
    from statcommons.core.engine import connect, using
    from statcommons.prices.unit_values import panels

    with connect(threads=THREADS) as engine, using(engine):
        (one,) = panels(engine.parquet([file]), "month", "total").values()
    return one


def rows_of(file: Path, panel: Any) -> Path:
    """Write the panel as text, which every peer reads, by month: PriceIndexCalc takes months as they first occur."""
    import numpy as np
    import pyarrow as pa
    from pyarrow import csv

    text = file.with_suffix(".csv")
    if not text.exists():
        order = np.argsort(panel.period, kind="stable")
        columns = {
            "month": panel.periods[panel.period[order]].astype(str),
            "id": panel.products[panel.product[order]].astype(str),
            "price": panel.price[order],
            "quantity": panel.quantity[order],
        }
        csv.write_csv(pa.table(columns), text)
    return text


def index_of(panel: Any, method: str, **options: Any) -> list[float]:
    """Compile an index over all periods of a panel in one window."""
    from statcommons.prices.index.multilateral import Recipe, multilateral_series

    recipe = Recipe(method, window=len(panel.periods), **options)
    return multilateral_series(recipe.pairs(panel), recipe).index.tolist()


# --- peers ----------------------------------------------------------------------------------------------------------

GPINDEX = """
arguments <- commandArgs(TRUE)
.libPaths(c(arguments[1], .libPaths()))
library(gpindex)
rows <- read.csv(arguments[2], colClasses = c("factor", "factor", "numeric", "numeric"))
compile <- geks(balanced(geometric_index("Tornqvist")))
lines <- file("stdin")
open(lines)
repeat {
  cat("\\n")
  flush(stdout())
  if (length(readLines(lines, 1)) == 0) break
  found <- compile(rows$price, rows$quantity, rows$month, rows$id, na.rm = TRUE, match_method = arguments[3])
  cat("[", paste(sprintf("%.17g", cumprod(c(1, found[[1]]))), collapse = ","), "]", sep = "")
}
"""
PRICEINDEXCALC = """
import json, sys, warnings
warnings.simplefilter("ignore")
import pandas
from PriceIndexCalc.pandas_modules.index_methods import multilateral_methods
rows = pandas.read_csv(sys.argv[1], dtype={"id": str})
while True:
    print(flush=True)
    if not sys.stdin.readline():
        break
    found = multilateral_methods(rows.copy(), method=sys.argv[2])
    print(json.dumps(found.iloc[:, 0].tolist()), end="")
"""


@contextlib.contextmanager
def waiting(words: list[str], **environment: str) -> Iterator[Callable[[], list[float]]]:
    """Start a peer, wait until it has read its data, and give the function that lets it compute once."""
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen(words, env=os.environ | environment, **pipes) as process:
        process.stdout.readline()

        def compute() -> list[float]:
            process.stdin.write("\n")
            process.stdin.flush()
            return json.loads(process.stdout.readline())

        yield compute
        process.stdin.close()


@contextlib.contextmanager
def peers(text: Path, method: str) -> Iterator[Sides]:
    """Start the peers that are there and have the method."""
    given = Path(os.environ.get("STATCOMMONS_PEERS", "/nonexistent"))
    sides: Sides = {}
    with contextlib.ExitStack() as stack:
        if method == "geks" and (given / "rlib" / "gpindex").exists() and shutil.which("Rscript"):
            words = ["Rscript", "-e", GPINDEX, str(given / "rlib"), str(text)]
            sides["gpindex (R)"] = stack.enter_context(waiting([*words, "all"]))
            sides["gpindex (R), back-price"] = stack.enter_context(waiting([*words, "back-price"]))
        if (given / "PriceIndexCalc").exists() and (given / "venv").exists():
            words = [str(given / "venv" / "bin" / "python"), "-c", PRICEINDEXCALC, str(text), method]
            path = str(given / "PriceIndexCalc" / "src")
            sides["PriceIndexCalc"] = stack.enter_context(waiting(words, PYTHONPATH=path))
        yield sides


# --- in memory, beside peers ----------------------------------------------------------------------------------------


def beside(products: int, folder: Path, method: str) -> Iterator[Sides]:
    """Compile an index from arrays in memory, beside peers that hold the same rows."""
    file = monthly(folder, products)
    panel = panel_of(file)
    with peers(rows_of(file, panel), method) as others:
        yield {OURS: lambda: index_of(panel, method)} | others


@case(
    sizes=(5_000, 50_000),
    quick=200,
    unit="products",
    seconds=30,
    memory=False,
    goals=(Goal(1 / 20, "ratio", "gpindex (R)"), Goal(1 / 100, "ratio", "PriceIndexCalc")),
)
def geks(products: int, folder: Path) -> Iterator[Sides]:
    """Compile GEKS-Törnqvist (CCDI) over 25 months, from arrays in memory.

    Products are coded before, on all sides. Ours has them sorted too; the peers match products inside their time. They
    are gpindex 0.6.3 and PriceIndexCalc 0.1.dev30 on pandas 1.5.3, for its TPD fails on pandas 2.1 and 3.1.
    """
    yield from beside(products, folder, "geks")


@case(sizes=(300, 1_000), quick=50, unit="products", seconds=30, memory=False)
def gk(products: int, folder: Path) -> Iterator[Sides]:
    """Compile Geary-Khamis over 25 months, from arrays in memory; the peer solves a system of as many products."""
    yield from beside(products, folder, "gk")


@case(sizes=(100, 300), quick=50, unit="products", seconds=30, memory=False)
def tpd(products: int, folder: Path) -> Iterator[Sides]:
    """Compile the time product dummy over 25 months, from arrays in memory; the peer has a column a product."""
    yield from beside(products, folder, "tpd")


# --- by hand --------------------------------------------------------------------------------------------------------

SELF_JOIN = """
    WITH sold AS (
        SELECT date_trunc('month', time) AS t, product, sum(price * quantity) AS v, ln(v / sum(quantity)) AS l
        FROM '{file}' GROUP BY ALL
    ), pairs AS (
        SELECT a.t AS a, b.t AS b,
            (sum(a.v * (b.l - a.l)) / sum(a.v) + sum(b.v * (b.l - a.l)) / sum(b.v)) / 2 AS x
        FROM sold AS a JOIN sold AS b USING (product) WHERE a.t < b.t GROUP BY ALL
    ), ways AS (
        SELECT b AS t, x FROM pairs UNION ALL SELECT a, -x FROM pairs
    )
    SELECT sum(x) / (1 + count(*)) AS level FROM ways GROUP BY t ORDER BY t
"""


@case(sizes=(10_000, 100_000, 1_000_000), quick=200, unit="products", rounds=3)
def from_parquet(products: int, folder: Path) -> Iterator[Sides]:
    """Compile GEKS-Törnqvist over 25 months from Parquet: read, unit values, panel, index.

    By hand it is one SQL query that joins the sales of each product with themselves; it rounds no sum.
    The panel holds all in memory; what is larger is compiled part by part (raw_rows).
    """
    import math

    import duckdb

    file = monthly(folder, products)

    def by_hand() -> list[float]:
        with duckdb.connect(config={"threads": THREADS}) as plain:
            levels = [level for (level,) in plain.execute(SELF_JOIN.format(file=file)).fetchall()]
        return [math.exp(level - levels[0]) for level in levels]

    sides: Sides = {OURS: lambda: index_of(panel_of(file), "geks")}
    yield sides | ({"SQL by hand": by_hand} if products < 1_000_000 else {})


# --- all indices, and one more month --------------------------------------------------------------------------------

WINDOWS = (13, 25)


def all_series(panel: Any) -> list[list[float]]:
    """Compile 108 series: four GEKS, GK and TPD by nine extensions by two windows."""
    from statcommons.prices.index.extension import SPLICES, windows_of
    from statcommons.prices.index.multilateral import FORMULAS, Recipe, multilateral_series
    from statcommons.prices.index.pairs import pairs

    extensions = [(window, splice) for window in WINDOWS for splice in SPLICES]
    windows = sorted({part for window, splice in extensions for part in windows_of(panel.periods, window, splice)})
    sums = pairs(panel, windows=windows, methods=("gk", "tpd"))
    kinds = [*(("geks", formula) for formula in FORMULAS), ("gk", "tornqvist"), ("tpd", "tornqvist")]
    return [
        multilateral_series(sums, Recipe(*kind, window=window, splice=splice)).index.tolist()
        for kind in kinds
        for window, splice in extensions
    ]


@case(sizes=(500, 5_000, 50_000), quick=200, unit="products", goals=(Goal(2, "seconds"),))
def all_indices(products: int, folder: Path) -> Iterator[Sides]:
    """Compile {GEKS × 4, GK, TPD} × 9 extensions × windows of 13 and 25 over 37 months from Parquet: 108 series.

    The parts are to read and make the panel, and one of the series alone.
    """
    from statcommons.core.engine import connect, using
    from statcommons.prices import multilateral_index

    file = monthly(folder, products, 37)

    def one() -> None:
        with connect(threads=THREADS) as engine, using(engine):
            engine.collect(multilateral_index(file, method="gk", splice="mean").order_by("period"))

    yield {
        OURS: lambda: all_series(panel_of(file)),
        "part: read, and make the panel": lambda: nothing(panel_of(file)),
        "one series (GK, 25, mean)": one,
    }


@case(sizes=(500, 5_000, 50_000), quick=200, unit="products")
def new_month(products: int, folder: Path) -> Iterator[Sides]:
    """Add the 37th month to an index of 36, from arrays in memory: GEKS-Törnqvist, window of 25, mean splice.

    The sums of the months before are kept (a few matrices of 36 × 36); the other side makes all again.
    """
    import numpy as np

    from statcommons.prices.index.multilateral import FORMULAS, Recipe, multilateral_series
    from statcommons.prices.index.pairs import pairs
    from statcommons.prices.panel import panel

    whole = panel_of(monthly(folder, products, 37))
    old = np.flatnonzero(whole.period < 36)
    codes = (whole.period[old], whole.periods), (whole.product[old], whole.products)
    wanted = FORMULAS["tornqvist"]
    known = pairs(panel(*codes, whole.price[old], whole.quantity[old]), sums=wanted)
    yield {
        OURS: lambda: multilateral_series(pairs(whole, sums=wanted, known=known), Recipe()).index.tolist(),
        "all months again": lambda: multilateral_series(pairs(whole, sums=wanted), Recipe()).index.tolist(),
    }


# --- explained, and classified --------------------------------------------------------------------------------------


@case(sizes=(500, 5_000, 50_000), quick=200, unit="products", rounds=3)
def contributions(products: int, folder: Path) -> Iterator[Sides]:
    """Split the change of an index over 36 months into contributions of products: CCDI, window of 25, mean splice.

    The index itself stands beside it. That the parts add up to it is a test.
    """
    from statcommons.prices.audit.contributions import index_contributions
    from statcommons.prices.index.multilateral import Recipe, multilateral_series

    panel, recipe = panel_of(monthly(folder, products, 37)), Recipe()
    yield {
        OURS: lambda: nothing(index_contributions(panel, recipe, 0, 36)),
        "the index": lambda: nothing(multilateral_series(recipe.pairs(panel), recipe)),
    }


@case(sizes=(1_000, 10_000, 100_000), quick=100, unit="names", rounds=3, memory=False)
def classification(names: int, folder: Path) -> Iterator[Sides]:
    """Classify names of products after learning 500 of them in 10 classes; what learning alone costs stands beside."""
    import numpy as np
    import pyarrow as pa

    from statcommons.core.engine import connect, using
    from statcommons.prices import classify

    drawn = np.random.default_rng(names)
    kinds = ("milk", "rice", "sugar", "tea", "coffee", "butter", "bread", "eggs", "oil", "salt")
    words = np.array(["gold", "eco", "fresh", "classic", "family", "light", "extra", "best", "farm", "daily"])

    def named(count: int) -> pa.Table:
        kind = drawn.integers(0, len(kinds), count)
        brand = [" ".join(words[drawn.integers(0, len(words), 3)]) for _ in range(count)]
        text = [f"{kinds[one]} {of} {number}" for number, (one, of) in enumerate(zip(kind, brand, strict=True))]
        return pa.table({"description": text, "group": [f"01.1.{one}" for one in kind]})

    labelled = named(500).append_column("classification", pa.array(["COICOP_2018"] * 500))
    items = named(names).select(["description"])

    def classified(what: pa.Table) -> None:
        with connect(threads=THREADS) as engine, using(engine):
            engine.collect(classify(labelled, what).result)

    yield {OURS: lambda: classified(items), "part: learning": lambda: classified(items.slice(0, 1))}


# --- more than memory -----------------------------------------------------------------------------------------------


@case(
    sizes=(1_000_000, 10_000_000, 100_000_000),
    quick=5_000,
    unit="raw rows",
    alone=True,
    rounds=1,
    goals=(Goal(25, "seconds"), Goal(1_000, "peak_mb")),
)
def raw_rows(rows: int, folder: Path) -> Iterator[Sides]:
    """Compile GEKS-Törnqvist and Geary-Khamis over 25 months from raw transactions, 25 files of Parquet.

    Sums are exact, made under a memory limit of 500 MB for the engine, which then spills; panel and sums are made part
    by part. By hand the aggregation alone is made, under the same limit, in floating point.

    What limits is the aggregation, which spills. The figure for 100 M rows is one run on quiet processors; on busy ones
    it was 92 s. Tried: sums made part by part from the raw rows need half the memory and twice the processor; a limit
    of 2 GB saves a tenth of the processor and breaks the goal for memory; sorted unit values read as a stream cost more
    to sort than parts cost to read.
    """
    import duckdb

    from statcommons.core.engine import connect, using
    from statcommons.prices.index.multilateral import FORMULAS, Recipe, multilateral_series
    from statcommons.prices.index.pairs import Window, pairs
    from statcommons.prices.index.parts import pairs_in_parts

    files = raw(folder, rows)

    def make(panel: Any, turnover: Any) -> Any:
        whole = [Window(0, len(panel.periods))]
        return pairs(panel, sums=FORMULAS["tornqvist"], windows=whole, methods=("gk",), turnover=turnover)

    def ours() -> list[list[float]]:
        with connect(threads=THREADS, memory="500MB") as engine, using(engine):
            sums = pairs_in_parts(engine.parquet(files), "month", "total", make)["_T"]
        return [multilateral_series(sums, Recipe(method)).index.tolist() for method in ("geks", "gk")]

    def by_hand() -> None:
        target, source = folder / "by-hand.parquet", [str(file) for file in files]
        options = {"memory_limit": "500MB", "threads": THREADS, "temp_directory": str(folder)}
        with duckdb.connect(config=options) as plain:
            plain.execute(f"""
                COPY (SELECT date_trunc('month', time) AS month, product, sum(price * quantity), sum(quantity)
                FROM read_parquet({source}) GROUP BY ALL) TO '{target}' (COMPRESSION zstd)
            """)

    yield {OURS: ours, "part: sums by hand": by_hand}
