"""Stat Commons: trusted data, trusted methods and trusted learning for official statistics from big data.

>>> from statcommons import prices
>>> sales = {
...     "time": ["2026-01-05", "2026-01-05", "2026-02-05", "2026-02-05"],
...     "product": ["rice", "tea", "rice", "tea"],
...     "price": [1.0, 1.0, 0.5, 1.0],
...     "quantity": [10, 100, 5000, 100],
... }
>>> prices.bilateral_index(sales, formula="fisher").index.round(3).to_pyarrow().to_pylist()
[1.0, 0.698]
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

# The face of the library, and where each name is at home; the words of a schema are in none but theirs. Names are
# imported when they are used, so that `statcommons --help` answers at once.
_FACE = {
    "BadCall": "errors",
    "BadData": "errors",
    "connect": "engine",
    "current": "engine",
    "total": "engine",
    "using": "engine",
    "walk": "kernel",
    "method": "method",
    "measure": "quality",
    "notice": "quality",
    "read": "reading",
    "table": "reading",
    "rerun": "rerun",
    "load_run": "run",
    "run": "run",
    "rng": "seed",
    "source": "source",
    "step": "progress",
}

if TYPE_CHECKING:
    from statcommons.core.engine import connect, current, total, using
    from statcommons.core.errors import BadCall, BadData
    from statcommons.core.kernel import walk
    from statcommons.core.method import method
    from statcommons.core.progress import step
    from statcommons.core.quality import measure, notice
    from statcommons.core.reading import read, table
    from statcommons.core.rerun import rerun
    from statcommons.core.run import load_run, run
    from statcommons.core.schema import (
        Attribute,
        Concept,
        Confidential,
        Dimension,
        Ge,
        Gt,
        Le,
        Lt,
        MaxLen,
        Measure,
        MinLen,
        Not,
        Pattern,
        Period,
        Schema,
        Table,
        Tables,
        Time,
        Unit,
        table_schema,
    )
    from statcommons.core.seed import rng
    from statcommons.core.source import source

__all__ = [
    "Attribute",
    "BadCall",
    "BadData",
    "Concept",
    "Confidential",
    "Dimension",
    "Ge",
    "Gt",
    "Le",
    "Lt",
    "MaxLen",
    "Measure",
    "MinLen",
    "Not",
    "Pattern",
    "Period",
    "Schema",
    "Table",
    "Tables",
    "Time",
    "Unit",
    "connect",
    "current",
    "load_run",
    "measure",
    "method",
    "notice",
    "read",
    "rerun",
    "rng",
    "run",
    "source",
    "step",
    "table",
    "table_schema",
    "total",
    "using",
    "walk",
]


def __getattr__(name: str) -> Any:
    if name in __all__:
        return getattr(import_module(f"statcommons.core.{_FACE.get(name, 'schema')}"), name)
    raise AttributeError(f"module 'statcommons' has no attribute {name!r}")


def __dir__() -> list[str]:
    return [*globals(), *__all__]
