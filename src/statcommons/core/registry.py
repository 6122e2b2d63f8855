"""Finding methods, sources and readers, ours and other packages', by entry points.

A package names its domains in the entry point group ``statcommons.domains``, as ``prices = "statcommons.prices"``. A
domain is a module or a package; each function in it that is decorated with ``@method`` or ``@source`` is found by
reading its text, so that listing imports nothing. Group ``statcommons.readers`` brings readers: its names are suffixes
(``px``) or schemes (``sdmx``), its values functions from a reference to any table.
"""

from __future__ import annotations

import ast
import importlib
import importlib.util
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib.metadata import entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Any

from statcommons.core.errors import BadCall, OurBug, nearest

if TYPE_CHECKING:
    from statcommons.core.method import Method
    from statcommons.core.source import Source

__all__ = ["Entry", "find_method", "find_source", "methods", "readers", "sources"]

DOMAINS = "statcommons.domains"
READERS = "statcommons.readers"


@dataclass(frozen=True)
class Entry:
    """A method or source that was found: what its text says of it, before it is imported."""

    id: str
    kind: str
    module: str
    name: str
    title: str
    version: str
    topic: str = ""

    def load(self) -> Any:
        """Import the module and give the method or source."""
        return getattr(importlib.import_module(self.module), self.name)


def methods() -> dict[str, Entry]:
    """List all methods that are installed, by id.

    Examples
    --------
    >>> "prices.multilateral_index" in methods()
    True
    """
    return {entry.id: entry for entry in _entries() if entry.kind == "method"}


def sources() -> dict[str, Entry]:
    """List all sources that are installed, by id.

    Examples
    --------
    >>> "prices.scanner_market" in sources()
    True
    """
    return {entry.id: entry for entry in _entries() if entry.kind == "source"}


def find_method(id: str) -> Method:
    """Import a method by its id.

    Parameters
    ----------
    id : str
        ``domain.name``.

    Raises
    ------
    BadCall
        When there is none; the nearest is named.

    Examples
    --------
    >>> find_method("prices.unit_values").spec.title
    'Compute unit values from transactions'
    """
    return _find(id, "method", methods())


def find_source(id: str) -> Source:
    """Import a source by its id; the nearest is named when there is none.

    Parameters
    ----------
    id : str
        ``domain.name``.

    Examples
    --------
    >>> find_source("prices.scanner_market").spec.access
    'simulated'
    """
    return _find(id, "source", sources())


def domain_of(module: str) -> str:
    """Name the domain that a module belongs to: the name under which its package brings it, else the package.

    Examples
    --------
    >>> domain_of("statcommons.prices.unit_values"), domain_of("notebook")
    ('prices', 'notebook')
    """
    brought = [point for point in entry_points(group=DOMAINS) if f"{module}.".startswith(f"{point.value}.")]
    nearest_one = max(brought, key=lambda point: len(point.value), default=None)
    return nearest_one.name if nearest_one else module.partition(".")[0]


def _find(id: str, kind: str, found: dict[str, Entry]) -> Any:
    if id not in found:
        raise BadCall(f"There is no {kind} {id!r}.", remedy=nearest(id, sorted(found)))
    return found[id].load()


def readers() -> dict[str, Callable[[str], Any]]:
    """List the readers that packages bring, by suffix or scheme; each is imported when it is used.

    Examples
    --------
    >>> "csv" in readers()  # what is read without a reader has none
    False
    """
    return {point.name: _late(point) for point in entry_points(group=READERS)}


def _late(point: Any) -> Callable[[str], Any]:
    return lambda reference: point.load()(reference)


@cache
def _entries() -> tuple[Entry, ...]:
    found = [entry for point in entry_points(group=DOMAINS) for entry in _domain(point.name, point.value)]
    twice = sorted({one.id for one in found if sum(other.id == one.id for other in found) > 1})
    if twice:
        raise OurBug(f"Two packages bring {', '.join(twice)}.", remedy="Uninstall one of them.")
    return tuple(sorted(found, key=lambda entry: entry.id))


def _domain(name: str, module: str) -> list[Entry]:
    spec = importlib.util.find_spec(module)
    if spec is None or spec.origin is None:
        raise OurBug(f"The domain {name} names the module {module}, which is not there.", remedy="Install it again.")
    root = Path(spec.origin)
    if root.name != "__init__.py":
        return _module(name, module, root)
    found = []
    for file in sorted(root.parent.rglob("*.py")):
        inner = file.relative_to(root.parent).with_suffix("").parts
        parts = [part for part in inner if part != "__init__"]
        found += _module(name, ".".join([module, *parts]), file)
    return found


def _module(domain: str, module: str, file: Path) -> list[Entry]:
    text = file.read_text(encoding="utf-8")
    if "@method" not in text and "@source" not in text:
        return []
    found = []
    for node in ast.parse(text).body:
        if not isinstance(node, ast.FunctionDef):
            continue
        for decorator in node.decorator_list:
            call = decorator.func if isinstance(decorator, ast.Call) else decorator
            kind = getattr(call, "id", getattr(call, "attr", ""))
            if kind in ("method", "source") and isinstance(decorator, ast.Call):
                words = {one.arg: one.value.value for one in decorator.keywords if isinstance(one.value, ast.Constant)}
                title = (ast.get_docstring(node) or "").split("\n")[0]
                facts = {key: str(words.get(key, "")) for key in ("version", "topic")}
                found.append(Entry(f"{domain}.{node.name}", kind, module, node.name, title, **facts))
    return found
