"""Where tables live: one embedded DuckDB or a Spark, from one address; and totals that are exact on both.

We write no engine. This module sets the two up so that they answer alike (UTC, no downloads, a memory limit, a spill
folder), runs their queries with progress and cancellation, and turns their errors into ours.
"""

from __future__ import annotations

import contextlib
import contextvars
import errno
import functools
import glob
import itertools
import os
import re
import shutil
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from statcommons.core import progress
from statcommons.core.errors import BadCall, BadData, Cancelled, ExtraMissing, TryAgain

if TYPE_CHECKING:
    import ibis
    import pyarrow as pa

__all__ = ["Engine", "connect", "current", "local_time", "total", "using"]

POLL = 0.2  # seconds between two looks at a running query
_names = itertools.count()


class Engine:
    """One connection, with the folder it may spill to; use it as a context manager or call :meth:`close`."""

    def __init__(self, backend: Any, address: str, spill: Path, *, owned: bool, threads: int = 0) -> None:
        self.backend = backend
        self.address = address
        self.kind: str = backend.name.replace("pyspark", "spark")
        self.spill = spill
        self.threads = threads
        self._owned = owned

    def __enter__(self) -> Engine:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<Engine {self.address}>"

    @property
    def version(self) -> str:
        """The engine and its version, as a run keeps it."""
        return f"{'DuckDB' if self.kind == 'duckdb' else 'Spark'} {self.backend.version}"

    def close(self) -> None:
        """Close the connection if it is ours and remove what was spilled."""
        if self._owned and self.kind == "duckdb":
            self.backend.disconnect()
        shutil.rmtree(self.spill, ignore_errors=True)

    def folder(self) -> Path:
        """Give the folder for spilled and staged files, made at its first use."""
        self.spill.mkdir(parents=True, exist_ok=True)
        return self.spill

    def new_file(self, suffix: str) -> Path:
        """Name a file in the spill folder that nobody else uses."""
        return self.folder() / f"{next(_names)}{suffix}"

    def adopt(self, table: pa.Table) -> ibis.Table:
        """Bring an Arrow table to this engine: DuckDB reads it where it is, Spark from a staged file."""
        if self.kind == "duckdb":
            name = f"memory_{next(_names)}"
            self.backend.con.register(name, table)
            return self.backend.table(name)
        import pyarrow.parquet as pq

        file = self.new_file(".parquet")
        pq.write_table(table, file, coerce_timestamps="us")
        return self.parquet([file])

    def parquet(self, files: list[Path]) -> ibis.Table:
        """Open Parquet files that have one schema."""
        name = f"parquet_{next(_names)}"
        with self.translated():
            if self.kind == "duckdb":
                return self.backend.read_parquet([glob.escape(str(file)) for file in files], table_name=name)
            frame = self.backend._session.read.parquet(*map(str, files))
            frame.createOrReplaceTempView(name)
            # Ibis calls both of Spark's timestamps naive; an instant must be told from a time on the wall.
            instants = [field.name for field in frame.schema if field.dataType.typeName() == "timestamp"]
            return self.backend.table(name).cast(dict.fromkeys(instants, "timestamp('UTC')"))

    def csv(
        self, files: list[Path], header: tuple[str, ...], delimiter: str, above: int = 0, **more: Any
    ) -> ibis.Table:
        """Open UTF-8 text files with one header, below so many lines; every column is text (DuckDB only)."""
        options = {"auto_detect": False, "header": True, "delim": delimiter, "quote": '"', "escape": '"'}
        with self.translated():
            return self.backend.read_csv(
                [glob.escape(str(file)) for file in files],
                table_name=f"csv_{next(_names)}",
                columns=dict.fromkeys(header, "string"),
                skip=above,
                **more,
                null_padding=False,
                strict_mode=True,
                **options,
            )

    def csv_rows(self, files: list[Path], width: int, delimiter: str, above: int = 0) -> list[int]:
        """Count the rows of text files that have one layout, file by file (DuckDB only)."""
        header = tuple(f"column_{place}" for place in range(width))
        rows = self.csv(files, header, delimiter, above, filename=True)
        counts = self.collect(rows.group_by("filename").agg(rows=rows.count()), "Count rows").to_pylist()
        found = {one["filename"]: one["rows"] for one in counts}
        return [found.get(str(file), 0) for file in files]

    def collect(self, expr: ibis.Table, name: str = "Compute") -> pa.Table:
        """Compute a table and bring it into memory."""
        with self.watched(name):
            if self.kind == "duckdb":
                return self.backend.to_pyarrow(expr)
            return self.frame(expr).toArrow().cast(expr.schema().to_pyarrow())

    def row(self, expr: ibis.Table, name: str = "Count") -> dict[str, Any]:
        """Compute the one row of an aggregate."""
        first: dict[str, Any] = self.collect(expr, name).to_pylist()[0]
        return first

    def batches(self, expr: ibis.Table, rows: int, name: str = "Compute") -> Iterator[pa.RecordBatch]:
        """Compute a table and bring it in batches of about so many rows, in constant memory (DuckDB only)."""
        with self.watched(name):
            reader = self.backend.to_pyarrow_batches(expr, chunk_size=rows)
        while True:
            with self.watched(name):
                batch = next(reader, None)
            if batch is None:
                return
            yield batch

    def to_parquet(self, expr: ibis.Table, path: Path, name: str = "Write") -> None:
        """Compute a table into one Parquet file, in constant memory."""
        if self.kind == "duckdb":
            with self.watched(name):
                self.backend.to_parquet(expr, path, compression="zstd")
            return
        with connect(spill=self.folder() / "writer") as duckdb:
            duckdb.to_parquet(duckdb.parquet(self.stage(expr, name)).cast(expr.schema()), path, name)

    def kept(self, expr: ibis.Table, name: str = "Compute") -> ibis.Table:
        """Compute a table once, in constant memory, where several results are made from it."""
        if self.kind == "duckdb":
            file = self.new_file(".parquet")
            self.to_parquet(expr, file, name)
            files = [file]
        else:
            files = self.stage(expr, name)
        return self.parquet(files).cast(expr.schema())

    def stage(self, expr: ibis.Table, name: str = "Write") -> list[Path]:
        """Compute a table into Parquet files in the spill folder, one a partition (Spark only)."""
        folder = self.new_file("-staged")
        with self.watched(name):
            self.frame(expr).write.parquet(str(folder))
        return sorted(folder.glob("*.parquet"))

    def frame(self, expr: ibis.Table) -> Any:
        """Give a table as the data frame of Spark (Spark only)."""
        return self.backend._session.sql(self.backend.compile(expr))

    @contextlib.contextmanager
    def watched(self, name: str) -> Iterator[None]:
        """Show the progress of a query, interrupt it when the caller asks to stop, and translate its errors."""
        progress.check()
        done = threading.Event()
        cancelled = progress._cancelled.get()

        def watch() -> None:
            with contextlib.suppress(Cancelled), progress.step(name, total=100, unit="%") as one:
                while not done.wait(POLL):
                    if cancelled is not None and cancelled.is_set():
                        self._interrupt()
                    one.update(max(one.done, self._progress()))

        def wait_then_watch() -> None:
            # A query shorter than a blink needs no line and costs no step.
            if done.wait(POLL):
                return
            watch()
            while not done.wait(POLL):  # cancelled: ask again until the query hears
                self._interrupt()

        context = contextvars.copy_context()
        watcher = threading.Thread(target=context.run, args=(wait_then_watch,), daemon=True)
        watcher.start()
        try:
            with self.translated():
                yield
        finally:
            done.set()
            watcher.join()
        progress.check()

    def _progress(self) -> float:
        if self.kind == "duckdb":
            with contextlib.suppress(Exception):
                return max(0.0, float(self.backend.con.query_progress()))
        return 0.0

    def _interrupt(self) -> None:
        if self.kind == "duckdb":
            self.backend.con.interrupt()
        else:
            self.backend._session.sparkContext.cancelAllJobs()

    @contextlib.contextmanager
    def translated(self) -> Iterator[None]:
        """Turn the errors of the engine into ours."""
        import duckdb

        try:
            yield
        except duckdb.InterruptException:
            raise Cancelled from None
        except (duckdb.Error, OSError) as error:
            if error_of_ours := _translate(error):
                raise error_of_ours from error
            raise


class BadLine(BadData):
    """A line of a text file that does not fit; ``file`` is the one that the engine read, which may be a copy."""

    def __init__(self, *args: Any, file: Path | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.file = file


def _translate(error: Exception) -> Exception | None:
    text = str(error)
    full = "No space left" in text or "failed to write" in text.lower() or "max_temp_directory_size" in text
    if full or getattr(error, "errno", None) == errno.ENOSPC:
        return TryAgain("There is no space left on the disk.", remedy="Free some space, or choose another folder.")
    if "Out of Memory" in text or "OutOfMemory" in type(error).__name__:
        return TryAgain("The memory limit was reached.", remedy="Give more with --memory, such as --memory 4GB.")
    if "CSV Error on Line" in text:
        line = re.search(r"Line: (\d+)", text)
        reason = re.search(r"^(Expected Number.*|Value with.*|.*[Uu]nterminated.*|Maximum line size.*)$", text, re.M)
        file = re.search(r"file = (.+)", text)
        return BadLine(
            f"The line cannot be read: {reason.group(1).rstrip('. ') if reason else 'it does not fit the header'}.",
            where=", ".join(
                [*([Path(file.group(1)).name] if file else []), *([f"row {line.group(1)}"] if line else [])]
            ),
            remedy="Give every line as many cells as the header has, and close every quote.",
            file=Path(file.group(1).strip()) if file else None,
        )
    if any(word in text for word in ("arquet", "Thrift", "TProtocol", "Snappy", "ZSTD", "Out of buffer")):
        return BadData(f"The Parquet file cannot be read: {text.splitlines()[0]}.", remedy="Get it again.")
    if "Could not convert" in text or "out of range" in text.lower() or "Overflow" in text:
        return BadData(f"A number is too large: {text.splitlines()[0]}.", remedy="Check the unit of the column.")
    return None


def connect(
    address: str = "duckdb:",
    *,
    threads: int | None = None,
    memory: str | None = None,
    spill: Path | str | None = None,
) -> Engine:
    """Connect to the engine on which tables are read and methods run.

    Parameters
    ----------
    address : str
        ``duckdb:`` (embedded, in memory, the default), ``duckdb:FILE``, ``spark:local[2]`` or ``spark://HOST:PORT``.
    threads : int, optional
        How many threads DuckDB may use; the default is one a processor.
    memory : str, optional
        How much memory DuckDB may use before it spills to disk, such as ``2GB``.
    spill : path, optional
        The folder to spill to; a new one in the system's temporary folder by default. It is removed at the end.

    Raises
    ------
    BadCall
        When the address is not known.
    ExtraMissing
        When Spark is asked for and not installed.

    Examples
    --------
    >>> with connect(threads=1) as engine:
    ...     engine.kind
    'duckdb'
    """
    folder = Path(spill) if spill else Path(tempfile.gettempdir()) / f"statcommons-{os.getpid()}-{next(_names)}"
    scheme, _, rest = address.partition(":")
    if scheme == "duckdb":
        return Engine(_duckdb(rest, threads, memory, folder), address, folder, owned=True, threads=threads or 0)
    if scheme == "spark":
        return Engine(_spark(address, rest, memory, folder), address, folder, owned=True)
    raise BadCall(
        f"The engine's address is {address!r}.",
        remedy="Give duckdb:, duckdb:FILE, spark:local[2] or spark://HOST:PORT.",
    )


def _duckdb(file: str, threads: int | None, memory: str | None, spill: Path) -> Any:
    import duckdb
    import ibis

    options: dict[str, Any] = {"temp_directory": str(spill), "autoinstall_known_extensions": "false"}
    if memory and not re.fullmatch(r"\d+(\.\d+)? ?([KMGT]i?B|B)", memory):
        raise BadCall(f"The memory limit is {memory!r}.", remedy="Give a number and a unit, such as 2GB or 500MB.")
    options |= {"memory_limit": memory} if memory else {}
    options |= {"threads": threads} if threads else {}
    try:
        backend = ibis.duckdb.connect(file.removeprefix("//") or ":memory:", **options)
    except duckdb.Error as error:
        raise BadCall(f"DuckDB cannot open {address_shown(file)}: {str(error).splitlines()[0]}") from None
    backend.con.execute("SET enable_progress_bar = true; SET enable_progress_bar_print = false")
    return backend


def address_shown(file: str) -> str:
    """Name a database in an error."""
    return file.removeprefix("//") or "an embedded database"


def _spark(address: str, rest: str, memory: str | None, spill: Path) -> Any:
    import ibis

    os.environ.setdefault("SPARK_LOCAL_IP", "127.0.0.1")  # else it hangs fetching its own blocks behind a host name
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)  # else the workers take whatever python is on the path
    try:
        from pyspark.sql import SparkSession
    except ImportError:
        raise ExtraMissing("Spark is not installed.", extra="spark") from None
    master = rest if rest.startswith(("local", "yarn", "k8s")) else address
    builder = SparkSession.builder.master(master).appName("statcommons")
    for name, value in SPARK.items():
        builder = builder.config(name, value)
    if memory:
        builder = builder.config("spark.driver.memory", memory.replace(" ", "").removesuffix("B").lower())
    return ibis.pyspark.connect(builder.getOrCreate())


SPARK = {
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.ansi.enabled": "true",
    "spark.sql.execution.arrow.pyspark.enabled": "true",
    "spark.sql.shuffle.partitions": "8",
    "spark.log.level": "ERROR",
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.driver.extraJavaOptions": "-Duser.timezone=UTC",
    "spark.sql.parquet.outputTimestampType": "TIMESTAMP_MICROS",
}


# --- the engine of the work at hand ---------------------------------------------------------------------------------

_current: contextvars.ContextVar[Engine | None] = contextvars.ContextVar("engine", default=None)
_zone: contextvars.ContextVar[str] = contextvars.ContextVar("zone", default="UTC")
_default: Engine | None = None


def current() -> Engine:
    """Give the engine of the work at hand: that of the run, else one embedded DuckDB for the whole process.

    Examples
    --------
    >>> current().kind
    'duckdb'
    """
    global _default
    engine = _current.get()
    if engine is None:
        if _default is None:
            import atexit

            _default = connect()
            atexit.register(_default.close)
        engine = _default
    return engine


@contextlib.contextmanager
def using(engine: Engine, zone: str | None = None) -> Iterator[Engine]:
    """Make an engine the current one within.

    Parameters
    ----------
    engine : Engine
        What :func:`connect` gave.
    zone : str, optional
        The IANA zone in which days are counted within, such as ``Africa/Kigali``; by default the one before, first UTC.

    Examples
    --------
    >>> with connect(threads=1) as engine, using(engine):
    ...     current() is engine
    True
    """
    tokens = _current.set(engine), _zone.set(zone or _zone.get())
    try:
        yield engine
    finally:
        _current.reset(tokens[0])
        _zone.reset(tokens[1])


def engine_of(table: ibis.Table) -> Engine:
    """Give the engine that an Ibis table lives on: the current one, or its own connection taken as it is."""
    backend = table._find_backend(use_default=True)
    here = current()
    if backend is here.backend:
        return here
    if backend.name not in ("duckdb", "pyspark"):
        raise BadCall(
            f"The table lives on {backend.name}.", remedy="Bring it to DuckDB or Spark, or give it as Arrow or a file."
        )
    return Engine(backend, f"{backend.name}:(given)", here.spill, owned=False)


def local_time(instant: Any) -> Any:
    """Give the local time of instants in the zone of the work at hand, across changes to and from summer time.

    Parameters
    ----------
    instant : ibis timestamp column with a zone
        Instants.

    Returns
    -------
    ibis timestamp column without a zone
        What the clock on the wall showed.

    Examples
    --------
    >>> import datetime
    >>> import pyarrow as pa
    >>> instants = pa.array([datetime.datetime(2026, 3, 28, 23, 30)], pa.timestamp("us", "UTC"))
    >>> with connect() as engine, using(engine, "Europe/Warsaw"):
    ...     table = engine.adopt(pa.table({"t": instants}))
    ...     engine.row(table.select(day=local_time(table.t).cast("date")))
    {'day': datetime.date(2026, 3, 29)}
    """
    import ibis

    name, kind = _zone.get(), instant.type()
    if current().kind == "duckdb":
        function = ibis.udf.scalar.builtin(
            lambda zone, t: ..., name="timezone", signature=(("string", kind), "timestamp")
        )
        return function(name, instant)
    function = ibis.udf.scalar.builtin(
        lambda t, zone: ..., name="from_utc_timestamp", signature=((kind, "string"), "timestamp")
    )
    return function(instant, name)


def total(column: Any, scale: int = 4) -> Any:
    """Sum money, quantities or weights exactly: the same total on every engine, thread count and row order.

    Each value is rounded to ``scale`` decimals, half away from zero, and summed as a whole number of units of the last
    decimal. A floating-point sum depends on the order of the rows, which two threads do not keep.

    Parameters
    ----------
    column : ibis numeric column
        The values, in any unit.
    scale : int
        Decimals that are kept. With 4, totals reach 9.2e14; beyond, the engine says so.

    Returns
    -------
    ibis column
        The total, as a double that is nearest to the exact sum.

    Examples
    --------
    >>> import pyarrow as pa
    >>> table = current().adopt(pa.table({"x": [0.1, 0.2, 0.3]}))
    >>> current().row(table.agg(total=total(table.x)))
    {'total': 0.6}
    """
    if column.type().is_integer():
        return column.cast("int64").sum().cast("float64")
    scaled = column * 10**scale
    units = _rounded()(scaled) if scaled.type().is_floating() else scaled.round()
    return units.cast("int64").sum().cast("float64") / 10**scale


@functools.cache
def _rounded() -> Any:
    """Give the engines' own ``round(x)``, half away from zero; Ibis writes ``round(x, 0)``, which is slower."""
    import ibis

    def rounded(x: float) -> float: ...  # type: ignore[empty-body]

    return ibis.udf.scalar.builtin(rounded, name="round")
