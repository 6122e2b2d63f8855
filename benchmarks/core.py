"""What core costs: rules, keys, calls, start-up, kernels, exact totals, sealing, and a whole run in little memory."""

from __future__ import annotations

import datetime
import hashlib
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from benchmarks.harness import OURS, Goal, Sides, case
from statcommons.core.schema import Dimension, Gt, Measure, Pattern, Schema, Time, Unit, table_schema

if TYPE_CHECKING:
    import pyarrow as pa

THREADS = 2
SQL = "SQL by hand"
IN_MEMORY = "1GB"


# --- rules and keys -------------------------------------------------------------------------------------------------


class Sales(Schema, key=("day", "product", "shop")):
    """Five columns and eight rules: five cells that must be there, a pattern, a bound, a finite number."""

    day: Annotated[datetime.date, Time, "Day"]
    product: Annotated[str, Dimension, Pattern(r"^p\d{6}$"), "Product"]
    shop: Annotated[str, Dimension, "Shop"]
    price: Annotated[float, Measure, Unit("currency"), Gt(0), "Price"]
    quantity: Annotated[int, Measure, Unit("units"), "Units"]


def sales(rows: int, bad: int = 10) -> str:
    """Write the query that makes sales: so many prices are zero and so many keys repeat."""
    return f"""
        SELECT DATE '2025-01-01' + (i % 365)::INTEGER AS day,
            'p' || lpad((i // 365 % 500)::VARCHAR, 6, '0') AS product,
            's' || (i // 182500)::VARCHAR AS shop,
            CASE WHEN i < {bad} THEN 0.0 ELSE (1 + hash(i) % 10000) / 100.0 END AS price,
            (1 + hash(3 * i) % 20)::BIGINT AS quantity
        FROM (SELECT * FROM range({rows - bad}) AS a(i) UNION ALL SELECT * FROM range({bad}, {2 * bad}) AS b(i))
    """


BROKEN = """
    SELECT count(*) AS rows,
        count_if(day IS NULL) AS "day:missing",
        count_if(product IS NULL) AS "product:missing",
        count_if(NOT regexp_matches(product, '^p\\d{{6}}$')) AS "product:pattern",
        count_if(shop IS NULL) AS "shop:missing",
        count_if(price IS NULL) AS "price:missing",
        count_if(isinf(price) OR isnan(price)) AS "price:finite",
        count_if(price <= 0) AS "price:exclusiveMinimum",
        count_if(quantity IS NULL) AS "quantity:missing"
    FROM {table}
"""
TYPED = "{'day': 'DATE', 'product': 'VARCHAR', 'shop': 'VARCHAR', 'price': 'DOUBLE', 'quantity': 'BIGINT'}"


@case(sizes=(100_000, 1_000_000, 10_000_000), quick=2_000, goals=(Goal(1.2, "ratio", SQL),))
def rules(rows: int, folder: Path) -> Iterator[Sides]:
    """Count the rows that break eight rules of five columns, from Parquet.

    Ours is one aggregate made from the schema, the peer one written by hand. pandera on Ibis collects the failing
    values too and is here for information.
    """
    from statcommons.core.check import count_broken
    from statcommons.core.engine import connect

    file = made(folder / f"sales-{rows}.parquet", sales(rows))
    with connect(threads=THREADS) as engine:
        table = engine.parquet([file])
        yield {
            OURS: lambda: engine.row(count_broken(table, table_schema(Sales))),
            SQL: lambda: one_row(engine, BROKEN.format(table=f"'{file}'")),
            "pandera on Ibis": lambda: broken_by_pandera(table),
        }


@case(sizes=(100_000, 1_000_000, 10_000_000), quick=2_000, goals=(Goal(1.2, "ratio", SQL),))
def rules_of_text(rows: int, folder: Path) -> Iterator[Sides]:
    """Count the same from CSV.

    Ours reads every cell as text and casts it, so that a bad one is counted; the peer gives DuckDB the types, and would
    end at the first bad cell.
    """
    from statcommons.core.check import count_broken
    from statcommons.core.engine import connect
    from statcommons.core.reading import read

    file = made(folder / f"sales-{rows}.csv", sales(rows))
    with connect(threads=THREADS) as engine:
        reading = read(file, engine=engine)

        def ours() -> dict[str, int]:
            found = engine.row(count_broken(reading.table(), table_schema(Sales)))
            return {name: count for name, count in found.items() if not name.endswith(":type")}

        typed = f"read_csv('{file}', header = true, auto_detect = false, delim = ',', columns = {TYPED})"
        yield {OURS: ours, SQL: lambda: one_row(engine, BROKEN.format(table=typed))}


@case(sizes=(100_000, 1_000_000, 10_000_000), quick=2_000, goals=(Goal(1.2, "ratio", SQL),))
def key(rows: int, folder: Path) -> Iterator[Sides]:
    """Count the keys of three columns that repeat, from Parquet."""
    from statcommons.core.check import count_repeated
    from statcommons.core.engine import connect

    file = made(folder / f"sales-{rows}.parquet", sales(rows))
    sql = f"""
        SELECT count(*) AS keys, sum(n)::BIGINT AS rows
        FROM (SELECT count(*) AS n FROM '{file}' GROUP BY day, product, shop HAVING count(*) > 1)
    """
    with connect(threads=THREADS) as engine:
        table = engine.parquet([file])
        yield {
            OURS: lambda: engine.row(count_repeated(table, table_schema(Sales))),
            SQL: lambda: one_row(engine, sql),
        }


def broken_by_pandera(table: Any) -> dict[str, int]:
    """Count with pandera what :data:`BROKEN` counts."""
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import pandera.ibis as pandera
        from pandera.errors import SchemaErrors

        class Model(pandera.DataFrameModel):
            day: datetime.date = pandera.Field()
            product: str = pandera.Field(str_matches=r"^p\d{6}$")
            shop: str = pandera.Field()
            price: float = pandera.Field(gt=0, lt=float("inf"))
            quantity: int = pandera.Field()

        names = {"not_nullable": "missing", "str_matches": "pattern", "less_than": "finite"}
        names |= {"greater_than": "exclusiveMinimum"}
        counts = dict.fromkeys(re.findall(r'AS "(.*?)"', BROKEN), 0)
        try:
            Model.to_schema().validate(table, lazy=True)
        except SchemaErrors as errors:
            failed = errors.failure_cases
            for check, cell in zip(failed["check"], failed["failure_case"], strict=True):
                counts[f"{next(iter(cell))}:{names[check.partition('(')[0]]}"] += 1
        return {"rows": table.count().execute(), **counts}


# --- a call, and the start of a process -----------------------------------------------------------------------------


@case(sizes=(10,), quick=10, rounds=25, goals=(Goal(0.05, "seconds"),))
def call(rows: int, folder: Path) -> Iterator[Sides]:
    """Call a method on ten rows in memory and collect its result: reading, rules, computing; by hand only computing."""
    import duckdb
    import pyarrow as pa

    from statcommons.core.engine import connect, using
    from statcommons.prices import unit_values

    sales = pa.table(
        {
            "time": [datetime.date(2026, 1 + number // 5, 5) for number in range(rows)],
            "product": [f"p{number % 5}" for number in range(rows)],
            "price": [1.0 + number for number in range(rows)],
            "quantity": [2.0] * rows,
        }
    )
    sql = """
        SELECT strftime(time, '%Y-%m') AS period, product, sum(price * quantity) / sum(quantity) AS price
        FROM sales GROUP BY ALL ORDER BY ALL
    """
    with connect(threads=THREADS) as engine, duckdb.connect() as plain:
        plain.register("sales", sales)

        def ours() -> list[Any]:
            with using(engine):
                made = unit_values(sales).result.select("period", "product", "price").order_by(["period", "product"])
                return [list(row.values()) for row in engine.collect(made).to_pylist()]

        yield {OURS: ours, SQL: lambda: [list(row) for row in plain.execute(sql).fetchall()]}


def starting(*words: str) -> Sides:
    """Start a whole process, beside one that does nothing."""

    def start(*command: str) -> Callable[[], int]:
        return lambda: subprocess.run(command, stdout=subprocess.DEVNULL, check=False).returncode

    return {OURS: start(*words), "python -c pass": start(sys.executable, "-c", "pass")}


COMMAND = str(Path(sys.executable).with_name("statcommons"))


@case(sizes=(1,), quick=1, unit="process", rounds=11, memory=False)
def start_import(rows: int, folder: Path) -> Iterator[Sides]:
    """`python -c 'import statcommons'`."""
    yield starting(sys.executable, "-c", "import statcommons")


@case(sizes=(1,), quick=1, unit="process", rounds=11, memory=False, goals=(Goal(0.3, "seconds"),))
def start_help(rows: int, folder: Path) -> Iterator[Sides]:
    """`statcommons --help`."""
    yield starting(COMMAND, "--help")


@case(sizes=(1,), quick=1, unit="process", rounds=11, memory=False, goals=(Goal(1.0, "seconds"),))
def start_help_of_a_method(rows: int, folder: Path) -> Iterator[Sides]:
    """`statcommons run prices.multilateral_index --help`, which reads the method's description."""
    yield starting(COMMAND, "run", "prices.multilateral_index", "--help")


# --- kernels --------------------------------------------------------------------------------------------------------


class Paths(Schema, key=("ship",)):
    """What ships sailed."""

    ship: Annotated[str, Dimension, "Ship"]
    reports: Annotated[int, Measure, "Reports"]
    length: Annotated[float, Measure, "Length of the path"]


# The ship and the second are hashes, which makes the order of rows arbitrary.
REPORTS = """
    SELECT (200000000 + 37 * (hash(n) % {ships}))::VARCHAR AS ship,
        (hash(7 * n) % 10000000)::BIGINT AS second,
        (hash(11 * n) % 1000000) / 1000.0 AS x
    FROM range({rows}) AS numbers(n)
"""


def reports(rows: int, a_ship: int = 0) -> str:
    """Write the query that makes reports: of 20,000 and more ships, or with so many reports a ship on average."""
    return REPORTS.format(rows=rows, ships=rows // a_ship if a_ship else 20_000 + rows // 500)


def lengths(rows: pa.Table) -> pa.Table:
    """Add up the steps of each ship: the kernel."""
    import numpy as np
    import pyarrow as pa

    from statcommons.core.kernel import starts

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


def walked(file: Path, **limits: Any) -> Any:
    """Walk along all ships of a file."""
    from statcommons.core.engine import connect, using
    from statcommons.core.kernel import walk

    with connect(threads=THREADS, **limits) as engine, using(engine):
        table = walk(engine.parquet([file]), lengths, unit="ship", time="second", output=Paths)
        return engine.collect(table)["length"].to_pylist()


def looped(file: Path, *, sort: bool) -> Any:
    """Loop over the ships with NumPy, all in memory."""
    import numpy as np
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    rows = pq.read_table(file)
    ship = rows["ship"].combine_chunks().dictionary_encode()
    rank = np.empty(len(ship.dictionary), np.int32)
    rank[pc.sort_indices(ship.dictionary).to_numpy()] = np.arange(len(rank), dtype=np.int32)
    code, x = rank[ship.indices.to_numpy()], rows["x"].to_numpy()
    if sort:
        order = np.lexsort((x, rows["second"].to_numpy(), code))
        code, x = code[order], x[order]
    ends = [*(np.flatnonzero(np.diff(code)) + 1), len(code)]
    found, start = np.empty(len(ends)), 0
    for number, end in enumerate(ends):
        found[number] = np.abs(np.diff(x[start:end])).sum()
        start = end
    return found.tolist()


def applied(file: Path, *, sort: bool) -> Any:
    """Apply a function to the group of each ship with pandas, all in memory."""
    import numpy as np
    import pandas as pd

    rows = pd.read_parquet(file)
    if sort:
        rows = rows.sort_values(["ship", "second", "x"])
    return rows.groupby("ship")["x"].apply(lambda x: np.abs(np.diff(x)).sum()).tolist()


PANDAS = Goal(0.05, "ratio", "pandas groupby.apply")


@case(sizes=(200_000, 2_000_000, 20_000_000), quick=5_000, rounds=5, goals=(PANDAS,))
def kernel(rows: int, folder: Path) -> Iterator[Sides]:
    """Walk along 20,000 and more ships whose rows come in no order.

    The sort by ship and second is timed on all sides (DuckDB's, NumPy's lexsort, pandas' sort_values). NumPy and pandas
    hold all rows in memory.
    """
    file = made(folder / f"reports-{rows}.parquet", reports(rows))
    yield {
        OURS: lambda: walked(file),
        "NumPy loop": lambda: looped(file, sort=True),
        "pandas groupby.apply": lambda: applied(file, sort=True),
    }


@case(sizes=(200_000, 2_000_000, 20_000_000), quick=5_000, rounds=3, goals=(PANDAS,))
def kernel_over_short_units(rows: int, folder: Path) -> Iterator[Sides]:
    """Walk along a twentieth as many ships as there are rows, in no order: units are short, as most are."""
    file = made(folder / f"short-{rows}.parquet", reports(rows, 20))
    yield {
        OURS: lambda: walked(file),
        "NumPy loop": lambda: looped(file, sort=True),
        "pandas groupby.apply": lambda: applied(file, sort=True),
    }


@case(sizes=(200_000, 2_000_000, 20_000_000), quick=5_000)
def kernel_on_sorted_rows(rows: int, folder: Path) -> Iterator[Sides]:
    """Walk along the same ships from a file that is sorted already.

    NumPy and pandas trust the order and do not sort; `walk` does not trust it and sorts again. What the kernel itself
    costs stands beside.
    """
    import pyarrow.parquet as pq

    sql = f"SELECT * FROM ({reports(rows)}) ORDER BY ship, second, x"
    file = made(folder / f"sorted-{rows}.parquet", sql)
    yield {
        OURS: lambda: walked(file),
        "our kernel without the walk": lambda: lengths(pq.read_table(file).combine_chunks())["length"].to_pylist(),
        "NumPy loop": lambda: looped(file, sort=False),
        "pandas groupby.apply": lambda: applied(file, sort=False),
    }


@case(sizes=(500_000, 5_000_000, 50_000_000), quick=5_000, alone=True, rounds=1, goals=(Goal(2_000, "peak_mb"),))
def kernel_in_little_memory(rows: int, folder: Path) -> Iterator[Sides]:
    """Walk with a memory limit of 1 GB for the engine, which then sorts on disk; the whole process stays under 2 GB."""
    file = made(folder / f"reports-{rows}.parquet", reports(rows))
    yield {OURS: lambda: sum(walked(file, memory=IN_MEMORY))}


# --- totals ---------------------------------------------------------------------------------------------------------

TURNOVER = """
    SELECT (hash(5 * n) % 1000)::INTEGER AS product, (hash(n) % 10000000) / 100.0 AS turnover
    FROM range({rows}) AS numbers(n)
"""


@case(sizes=(500_000, 5_000_000, 50_000_000), quick=2_000)
def total(rows: int, folder: Path) -> Iterator[Sides]:
    """Sum turnover by a thousand products: exactly, as a floating-point sum, and as DuckDB's DECIMAL."""
    from statcommons.core.engine import connect
    from statcommons.core.engine import total as exact

    file = made(folder / f"turnover-{rows}.parquet", TURNOVER.format(rows=rows))
    with connect(threads=THREADS) as engine:
        table = engine.parquet([file])

        def ours() -> Any:
            sums = table.group_by("product").agg(turnover=exact(table.turnover, 2)).order_by("product")
            return engine.collect(sums)["turnover"].to_pylist()

        def summed(expression: str) -> Any:
            sql = f"SELECT {expression} AS turnover FROM '{file}' GROUP BY product ORDER BY product"
            return engine.backend.con.execute(sql).to_arrow_table()["turnover"].to_pylist()

        yield {
            OURS: ours,
            "sum(double)": lambda: summed("sum(turnover)"),
            "sum(decimal)": lambda: summed("sum(turnover::DECIMAL(18, 2))::DOUBLE"),
        }


# --- sealing --------------------------------------------------------------------------------------------------------


@case(sizes=(100_000, 1_000_000, 10_000_000), quick=2_000, rounds=3)
def seal(rows: int, folder: Path) -> Iterator[Sides]:
    """Seal an output: sort it by its key, write it, count its rules and its key, hash its content.

    By hand it is only sorted and written. The other sides are parts of ours.
    """
    import tempfile

    from statcommons.core import seal as sealing
    from statcommons.core.check import count_broken, count_repeated
    from statcommons.core.engine import connect
    from statcommons.core.spec import MethodSpec, OutputSpec

    schema = table_schema(Sales)
    spec = MethodSpec("benchmark.sales", "1.0.0", "Sales", outputs=(OutputSpec("result", schema),))
    file = made(folder / f"sound-{rows}.parquet", f"SELECT * FROM ({sales(rows, bad=0)}) ORDER BY hash(day, product)")
    with connect(threads=THREADS, spill=folder / "spill") as engine:
        table = engine.parquet([file])
        target = folder / "by-hand.parquet"

        def ours() -> int:
            with tempfile.TemporaryDirectory(dir=folder) as place:
                return sealing.outputs(engine, {"result": table}, spec, Path(place))["result"]["rows"]

        def by_hand() -> int:
            copy = f"COPY (FROM '{file}' ORDER BY day, product, shop) TO '{target}' (COMPRESSION zstd)"
            return engine.backend.con.execute(copy).fetchall()[0][0]

        if not target.exists():
            by_hand()
        yield {
            OURS: ours,
            "sorted and written by hand": by_hand,
            "part: rules": lambda: engine.row(count_broken(engine.parquet([target]), schema))["rows"],
            "part: key": lambda: nothing(engine.row(count_repeated(engine.parquet([target]), schema))),
            "part: digest": lambda: nothing(sealing.file_digest(target)),
        }


@case(sizes=(4, 40, 400), quick=1, unit="MB")
def digest(megabytes: int, folder: Path) -> Iterator[Sides]:
    """Hash the content of a table in memory: text, dates and numbers, 43 bytes a row.

    Nobody else computes the same digest; beside it stands SHA-256 of as many bytes, and nothing can be faster.
    """
    import pyarrow.parquet as pq

    from statcommons.core.digest import content_digest
    from statcommons.core.seal import file_digest

    rows = megabytes * 1_000_000 // 43
    file = made(folder / f"sales-{rows}.parquet", sales(rows))
    table = pq.read_table(file)
    block = bytes(megabytes * 1_000_000)
    yield {
        OURS: lambda: content_digest(table),
        "ours, read from Parquet": lambda: file_digest(file),
        "SHA-256 of as many bytes": lambda: nothing(hashlib.sha256(block).digest()),
    }


# --- a whole run ----------------------------------------------------------------------------------------------------

TRANSACTIONS = """
    SELECT DATE '2025-01-01' + (hash(n) % 365)::INTEGER AS time,
        lpad((hash(3 * n) % 50000)::VARCHAR, 13, '0') AS product,
        (1 + hash(5 * n) % 10000) / 100.0 AS price,
        (1 + hash(7 * n) % 20)::DOUBLE AS quantity
    FROM range({rows}) AS numbers(n)
"""


@case(sizes=(500_000, 5_000_000, 50_000_000), quick=5_000, alone=True, rounds=1, goals=(Goal(2_000, "peak_mb"),))
def run_in_little_memory(rows: int, folder: Path) -> Iterator[Sides]:
    """Run prices.unit_values from Parquet with a memory limit of 1 GB for the engine.

    Ours reads, hashes, checks, sums exactly, seals and reports. By hand the sums alone are made and written, under the
    same limit.
    """
    import tempfile

    import duckdb

    from statcommons.core.run import run

    file = made(folder / f"transactions-{rows}.parquet", TRANSACTIONS.format(rows=rows))
    sums = f"""
        SELECT strftime(time, '%Y-%m') AS period, product,
            sum(price * quantity) / sum(quantity) AS price, sum(price * quantity) AS turnover
        FROM '{file}' GROUP BY ALL ORDER BY ALL
    """

    def ours() -> list[Any]:
        with tempfile.TemporaryDirectory(dir=folder) as place:
            options = {"memory": IN_MEMORY, "threads": THREADS, "workspace": place}
            done = run("prices.unit_values", {"transactions": file}, out=f"{place}/run", **options)
            return checksum(done.output_file())

    def by_hand() -> list[Any]:
        target = folder / "by-hand.parquet"
        with duckdb.connect(config={"memory_limit": IN_MEMORY, "threads": THREADS, "temp_directory": f"{folder}"}) as c:
            c.execute(f"COPY ({sums}) TO '{target}' (COMPRESSION zstd)")
        return checksum(target)

    yield {OURS: ours, SQL: by_hand}


def checksum(file: Path) -> list[Any]:
    """Sum up unit values, to compare them."""
    import duckdb

    sums = "count(*), sum(price::DECIMAL(18, 6))::DOUBLE, sum(turnover::DECIMAL(18, 4))::DOUBLE, min(period)"
    return list(duckdb.sql(f"SELECT {sums} FROM '{file}'").fetchall()[0])


# --- common ---------------------------------------------------------------------------------------------------------


def made(file: Path, sql: str) -> Path:
    """Write what a query gives, unless it is there already: the same rows on every machine, for hashes are fixed."""
    import duckdb

    if not file.exists():
        with duckdb.connect(config={"threads": THREADS, "temp_directory": str(file.parent)}) as plain:
            options = "(HEADER)" if file.suffix == ".csv" else "(COMPRESSION zstd)"
            plain.execute(f"COPY ({sql}) TO '{file}' {options}")
    return file


def one_row(engine: Any, sql: str) -> dict[str, Any]:
    """Compute the one row of a query on the engine's own connection."""
    done = engine.backend.con.execute(sql)
    return dict(zip([column[0] for column in done.description], done.fetchone(), strict=True))


def nothing(_: Any) -> None:
    """Drop the answer of a part."""
