"""rerun(): compute a run again and say whether the outputs are the same, and if not, by how much."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from statcommons.core.engine import connect
from statcommons.core.errors import BadCall, NoInput, counted
from statcommons.core.registry import find_method
from statcommons.core.run import Run, run

if TYPE_CHECKING:
    from statcommons.core.method import Method

__all__ = ["Comparison", "Difference", "compare", "rerun"]

TOLERANCE = 1e-12
"""What outputs of methods that are not exact may differ by, relatively, from machine to machine."""


@dataclass(frozen=True)
class Difference:
    """How one output differs from that of the run.

    Parameters
    ----------
    output : str
        Its name.
    same_bytes : bool
        Whether the digests are equal.
    largest : float
        The largest relative difference of any number; infinite where a number met a missing one.
    column : str
        The column in which it is.
    cells : int
        How many cells differ.
    missing, added : int
        How many rows of the run are missing now, and how many are new.
    """

    output: str
    same_bytes: bool
    largest: float = 0.0
    column: str = ""
    cells: int = 0
    missing: int = 0
    added: int = 0

    def within(self, tolerance: float) -> bool:
        """Whether the output is the same up to a relative tolerance."""
        return self.same_bytes or (self.largest <= tolerance and not self.missing and not self.added)

    def __str__(self) -> str:
        if self.same_bytes:
            return f"{self.output}: identical"
        parts = (
            [f"{self.cells:,} cells differ, at most by {self.largest:.3g} (relative) in {self.column}"]
            if self.cells
            else []
        )
        parts += [f"{counted(self.missing, 'row')} missing"] if self.missing else []
        parts += [f"{counted(self.added, 'row')} new"] if self.added else []
        return f"{self.output}: {'; '.join(parts) or 'only the writing differs'}"


@dataclass(frozen=True)
class Comparison:
    """What a rerun found."""

    run: str
    differences: tuple[Difference, ...]
    changed_inputs: tuple[str, ...] = ()
    changed_code: bool = False
    tolerance: float = 0.0

    @property
    def same(self) -> bool:
        """Whether every output is the same up to the tolerance."""
        return all(one.within(self.tolerance) for one in self.differences)

    def as_dict(self) -> dict[str, Any]:
        """Give the comparison as plain data."""
        outputs = {
            one.output: {key: value for key, value in vars(one).items() if key != "output"} for one in self.differences
        }
        return {
            "run": self.run,
            "same": self.same,
            "tolerance": self.tolerance,
            "changed_inputs": list(self.changed_inputs),
            "changed_code": self.changed_code,
            "outputs": outputs,
        }


def rerun(
    again: Run,
    inputs: Mapping[str, Any] | None = None,
    *,
    tolerance: float | None = None,
    engine: str = "duckdb:",
    memory: str | None = None,
    method: Method | None = None,
) -> Comparison:
    """Compute a run again in a folder that is thrown away, and compare.

    Parameters
    ----------
    again : Run
        The run, see :func:`statcommons.core.run.load_run`.
    inputs : mapping, optional
        Inputs by name. The others are looked for beside the run (in it, in its ``inputs`` folder, and in the folder
        that holds it), then where they were.
    tolerance : float, optional
        Relative difference that is let pass; by default 0 for exact methods, else 1e-12.
    engine, memory
        See :func:`statcommons.core.run.run`.
    method : Method, optional
        The method, where it is not installed under its id.

    Returns
    -------
    Comparison
        One difference an output.

    Raises
    ------
    NoInput
        When an input cannot be found.
    """
    facts = again.facts
    one = method or find_method(facts["method"]["id"])
    found = {name: (inputs or {}).get(name) or _look_for(again, name) for name in facts["inputs"]}
    mappings = {name: given["tables"][0].get("mapping") for name, given in facts["inputs"].items()}
    with tempfile.TemporaryDirectory(prefix="statcommons-rerun-") as folder:
        fresh = run(
            one,
            found,
            facts["parameters"],
            out=Path(folder) / "run",
            engine=engine,
            mappings={name: mapping for name, mapping in mappings.items() if mapping},
            on_bad_rows=facts["on_bad_rows"],
            memory=memory,
            seed=facts["seed"],
            workspace=Path(folder) / "workspace",
        )
        differences = tuple(compare(again, fresh, output.name, output.schema.key) for output in one.spec.outputs)
    digests = {name: _digests(given) for name, given in facts["inputs"].items()}
    changed = [name for name, given in fresh.facts["inputs"].items() if _digests(given) != digests[name]]
    limit = tolerance if tolerance is not None else (0.0 if facts["exact"] else TOLERANCE)
    code = fresh.facts["method"]["code"] != facts["method"]["code"]
    return Comparison(again.id, differences, tuple(changed), code, limit)


def _digests(given: Mapping[str, Any]) -> list[str]:
    return [table["digest"] for table in given["tables"]]


def _look_for(again: Run, name: str) -> Any:
    """Find an input again: the source that gave it, beside the run, or where it was."""
    tables = [_look_for_table(again, name, table) for table in again.facts["inputs"][name]["tables"]]
    return tables if len(tables) > 1 else tables[0]


def _look_for_table(again: Run, name: str, table: Mapping[str, Any]) -> Any:
    if table.get("source"):
        return table["source"]
    remedy = f"Name it: --{name.replace('_', '-')} FILE."
    if not table.get("files"):
        raise NoInput(f"The input {name} was a table in memory.", where=again.id, remedy=remedy)
    remembered = again.path / "private" / "inputs.json"
    places = json.loads(remembered.read_text(encoding="utf-8")).get(name, {}) if remembered.is_file() else {}
    paths = []
    for file in table["files"]:
        beside = [
            again.path / "inputs",
            again.path,
            again.path.absolute().parent,
            again.path.absolute().parent / "inputs",
        ]
        candidates = [folder / file["name"] for folder in beside]
        candidates += [folder / Path(file["name"]).name for folder in beside]
        candidates += [Path(places[file["name"]])] if file["name"] in places else []
        path = next((one for one in candidates if one.is_file()), None)
        if path is None:
            raise NoInput(
                f"The file {file['name']} of the input {name} is not beside the run.", where=again.id, remedy=remedy
            )
        paths.append(path)
    return paths if len(paths) > 1 else str(paths[0])


def compare(first: Run, second: Run, output: str, key: tuple[str, ...]) -> Difference:
    """Compare one output of two runs by its key (by position where it has none).

    Parameters
    ----------
    first, second : Run
        Two runs of one method.
    output : str
        The output's name.
    key : tuple of str
        Its key.

    Returns
    -------
    Difference
        What differs.

    Examples
    --------
    >>> import tempfile
    >>> sales = {"time": ["2026-01-05"], "product": ["a"], "price": [2.0], "quantity": [1]}
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     first, second = (run("prices.unit_values", {"transactions": sales}, out=f"{folder}/{n}") for n in "ab")
    ...     print(compare(first, second, "result", ("period", "group", "product")))
    result: identical
    """
    if output not in first.facts["outputs"] or output not in second.facts["outputs"]:
        raise BadCall(f"The output {output!r} is not in both runs.", where=first.id)
    if first.facts["outputs"][output]["digest"] == second.facts["outputs"][output]["digest"]:
        return Difference(output, same_bytes=True)
    import ibis

    with connect() as engine:
        left, right = (engine.parquet([one.output_file(output)]) for one in (first, second))
        if not key:
            left, right = (one.mutate(__position=ibis.row_number()) for one in (left, right))
            key = ("__position",)
        values = [name for name in left.columns if name not in key and name in right.columns]
        joined = left.mutate(__left=True).outer_join(
            right.mutate(__right=True), [left[name].identical_to(right[name]) for name in key], rname="{name}__new"
        )
        both = joined["__left"].notnull() & joined["__right"].notnull()
        counts = {
            "missing": joined.count(where=joined["__right"].isnull()),
            "added": joined.count(where=joined["__left"].isnull()),
        }
        for name in values:
            a, b = joined[name], joined[f"{name}__new"]
            counts[f"cells:{name}"] = joined.count(where=both & ~a.identical_to(b))
            apart = ibis.ifelse(a.identical_to(b), 0.0, float("inf"))
            if a.type().is_numeric():
                scale = ibis.greatest(a.abs(), b.abs()).cast("float64")
                relative = ibis.ifelse(scale == 0, 0.0, (a - b).abs() / scale)
                apart = ibis.ifelse(a.isnull() | b.isnull(), apart, relative)
            counts[f"apart:{name}"] = ibis.ifelse(both, apart, 0.0).max()
        found = engine.row(joined.agg(**counts), f"Compare {output}")
    column = max(values, key=lambda name: found[f"apart:{name}"] or 0.0, default="")
    return Difference(
        output,
        same_bytes=False,
        largest=float(found[f"apart:{column}"] or 0.0) if column else 0.0,
        column=column,
        cells=sum(found[f"cells:{name}"] for name in values),
        missing=found["missing"],
        added=found["added"],
    )
