"""Writing tables where the user asked for them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from statcommons.core.errors import BadCall, NotAllowed

TRUTH = "_truth"
"""The folder of what belongs to data but is none of them; folders with an underscore are passed over by reading."""


def companion(target: Path, name: str) -> Path:
    """Name the file of a table that comes with another: where a folder of data is read, it is not read along.

    Examples
    --------
    >>> companion(Path("deliveries/market.csv"), "planted").as_posix()
    'deliveries/_truth/market.planted.csv'
    """
    return target.with_name(TRUTH) / f"{target.stem}.{name}{target.suffix}"


def write_table(table: Any, target: Path) -> None:
    """Write any table as CSV or Parquet, whole or not at all."""
    from statcommons.core.engine import connect
    from statcommons.core.reading import read

    if target.suffix not in (".csv", ".parquet"):
        raise BadCall(f"The file is {target.name!r}.", remedy="Give a name that ends in .csv or .parquet.")
    partial = target.with_name(f".{target.name}.partial")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with connect() as engine:
            rows = read(table, engine=engine).table()
            if target.suffix == ".csv":
                engine.backend.to_csv(rows, partial, header=True)
            else:
                engine.to_parquet(rows, partial)
        partial.replace(target)
    except PermissionError:
        raise NotAllowed("The file may not be written.", where=str(target), remedy="Choose another folder.") from None
    finally:
        partial.unlink(missing_ok=True)
