"""Sealing a run: outputs sorted and hashed, ``run.json``, the research object and the report."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import json
import platform
import shutil
from collections.abc import Mapping
from importlib.metadata import distributions
from pathlib import Path
from typing import TYPE_CHECKING, Any

from statcommons.core.check import count_broken, count_repeated
from statcommons.core.digest import content_digest
from statcommons.core.engine import Engine, connect
from statcommons.core.errors import OurBug
from statcommons.core.quality import Measure
from statcommons.core.schema import TableSchema
from statcommons.core.spec import MethodSpec

if TYPE_CHECKING:
    import ibis

__all__ = ["environment", "file_digest", "imputed", "outputs", "write"]


def outputs(engine: Engine, tables: Mapping[str, ibis.Table], spec: MethodSpec, folder: Path) -> dict[str, Any]:
    """Write each output sorted by its key (else by all columns), check it against its schema, and hash its content.

    Confidential columns go to ``private/outputs`` and are left out of ``outputs``. Their digest stays private too: who
    has it could try which retailer fits.

    Parameters
    ----------
    engine : Engine
        Where the tables live.
    tables : mapping
        Tables by the name of the output.
    spec : MethodSpec
        The method.
    folder : pathlib.Path
        The run's folder.
    """
    facts: dict[str, Any] = {}
    private: dict[str, str] = {}
    (folder / "outputs").mkdir()
    with _writer(engine, folder) as duckdb:
        for one in spec.outputs:
            target = folder / "outputs" / f"{one.name}.parquet"
            table = _on(duckdb, engine, tables[one.name], one.name)
            columns = [column.name for column in one.schema]
            duckdb.to_parquet(table.order_by(list(one.schema.key) or columns), target, f"Write {one.name}")
            written = duckdb.parquet([target])
            _assert_sound(duckdb, written, one.schema, spec.id, one.name)
            secret = [column.name for column in one.schema if column.confidential]
            if secret:
                whole = folder / "private" / "outputs" / target.name
                whole.parent.mkdir(exist_ok=True)
                target.rename(whole)
                private[one.name] = file_digest(whole)
                duckdb.to_parquet(duckdb.parquet([whole]).drop(*secret), target, f"Write {one.name}")
                written = duckdb.parquet([target])
            facts[one.name] = {
                "file": f"outputs/{target.name}",
                "rows": duckdb.row(written.agg(rows=written.count()))["rows"],
                "digest": file_digest(target),
            }
    if private:
        (folder / "private" / "outputs.json").write_text(json.dumps(private, indent=1, ensure_ascii=False) + "\n")
    return facts


def _writer(engine: Engine, folder: Path) -> Any:
    """Give the DuckDB that writes: the engine itself, or one beside Spark."""
    return contextlib.nullcontext(engine) if engine.kind == "duckdb" else connect(spill=folder / "spill" / "writer")


def _on(duckdb: Engine, engine: Engine, table: ibis.Table, name: str) -> ibis.Table:
    """Bring an output to the DuckDB that writes it, in constant memory."""
    if duckdb is engine:
        return table
    return duckdb.parquet(engine.stage(table, f"Compute {name}")).cast(table.schema())


def _assert_sound(engine: Engine, table: ibis.Table, schema: TableSchema, method: str, output: str) -> None:
    """Hold a method to the schema that it declares."""
    counts = engine.row(count_broken(table, schema), f"Check {output}")
    broken = [f"{name} ({count:,} rows)" for name, count in counts.items() if name != "rows" and count]
    if schema.key and (repeated := engine.row(count_repeated(table, schema))["rows"]):
        broken.append(f"key repeats ({repeated:,} rows)")
    if broken:
        raise OurBug(
            f"The output {output} breaks its own schema: {'; '.join(broken)}.",
            where=method,
            remedy="Tell the method's authors.",
        )


def file_digest(path: Path) -> str:
    """Compute the digest of the content of a Parquet file, in constant memory.

    Parameters
    ----------
    path : pathlib.Path
        The file.

    Examples
    --------
    >>> import tempfile
    >>> import pyarrow as pa
    >>> import pyarrow.parquet as pq
    >>> rows = pa.table({"x": [1.5]})
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     pq.write_table(rows, folder + "/rows.parquet")
    ...     file_digest(Path(folder) / "rows.parquet") == content_digest(rows)
    True
    """
    import pyarrow.parquet as pq

    return content_digest(pq.ParquetFile(path).iter_batches(1 << 17))


def imputed(written: Mapping[str, Any], spec: MethodSpec, folder: Path) -> list[Measure]:
    """Measure which share of the outputs' rows is flagged as imputed, where an output has an observation status.

    Parameters
    ----------
    written : mapping
        What :func:`outputs` gave.
    spec : MethodSpec
        The method.
    folder : pathlib.Path
        The run's folder.

    Examples
    --------
    >>> imputed({}, MethodSpec("demo.double", "1.0.0", "Double a number"), Path())
    []
    """
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    found = []
    for one in spec.outputs:
        status = next((column.name for column in one.schema if column.concept == "OBS_STATUS"), None)
        if status:
            flags = pq.read_table(folder / str(written[one.name]["file"]), columns=[status])[status]
            count = pc.sum(pc.equal(pc.utf8_lower(flags), "i")).as_py() or 0
            share = count / max(1, len(flags))
            found.append(Measure(f"Imputed in {one.name}", share, "share", "ESS A7 imputation"))
    return found


@functools.cache
def environment() -> dict[str, str]:
    """Say what is installed: the Python, and one digest over all packages and their versions.

    Examples
    --------
    >>> sorted(environment())
    ['packages', 'python', 'statcommons']
    """
    installed = sorted(
        {f"{one.metadata['Name'].lower()}=={one.version}" for one in distributions() if one.metadata["Name"]}
    )
    digest = hashlib.sha256("\n".join(installed).encode()).hexdigest()
    ours = next((line.partition("==")[2] for line in installed if line.startswith("statcommons==")), "")
    return {"python": platform.python_version(), "statcommons": ours, "packages": digest}


def write(folder: Path, facts: dict[str, Any], spec: MethodSpec) -> None:
    """Write ``run.json``, the report and the research object of a run whose outputs stand.

    Parameters
    ----------
    folder : pathlib.Path
        The run's folder.
    facts : dict
        What ``run.json`` will hold.
    spec : MethodSpec
        The method.
    """
    from statcommons.core.crate import crate
    from statcommons.core.report import report

    shutil.rmtree(folder / "spill", ignore_errors=True)
    (folder / "run.json").write_text(json.dumps(facts, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    (folder / "method.toml").write_text(spec.as_toml(), encoding="utf-8")
    (folder / "report.html").write_text(report(folder, facts, spec), encoding="utf-8")
    metadata = crate(folder, facts, spec)
    (folder / "ro-crate-metadata.json").write_text(
        json.dumps(metadata, indent=1, ensure_ascii=False) + "\n", encoding="utf-8"
    )
