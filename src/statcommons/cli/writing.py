"""Writing a table where the user asked for it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from statcommons.core.errors import BadCall, NotAllowed


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
