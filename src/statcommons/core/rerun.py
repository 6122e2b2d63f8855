"""rerun(): compute a run again and say whether the outputs are the same, and if not, by how much."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from statcommons.core.engine import connect
from statcommons.core.errors import BadCall, BadData, NoInput, counted
from statcommons.core.registry import find_method
from statcommons.core.run import Run, read_json, run
from statcommons.core.textfile import sha256

if TYPE_CHECKING:
    import ibis

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
    broken : str
        Why the output could not be compared: it is not what was sealed.
    """

    output: str
    same_bytes: bool
    largest: float = 0.0
    column: str = ""
    cells: int = 0
    missing: int = 0
    added: int = 0
    broken: str = ""

    def within(self, tolerance: float) -> bool:
        """Whether the output is the same up to a relative tolerance."""
        alike = self.largest <= tolerance and not self.missing and not self.added and not self.broken
        return self.same_bytes or alike

    def __str__(self) -> str:
        if self.same_bytes:
            return f"{self.output}: identical"
        if self.broken:
            return f"{self.output}: {self.broken}"
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
    changed_files: tuple[str, ...] = ()

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
            "changed_files": list(self.changed_files),
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

    First the run's own outputs are held against the digests that were sealed; where one was changed since, there is
    nothing to compare with, and nothing is computed.

    Parameters
    ----------
    again : Run
        The run, see :func:`statcommons.core.run.load_run`.
    inputs : mapping, optional
        Inputs by name. The files of the others are looked for where they were, then beside the run (in its ``inputs``
        folder, in it, in the folder that holds it, in the ``inputs`` folder there); the first whose digest is that of
        the run is taken, else the first that is there.
    tolerance : float, optional
        Relative difference that is let pass; by default 0 for exact methods, else 1e-12.
    engine, memory
        See :func:`statcommons.core.run.run`.
    method : Method, optional
        The method, where it is not installed under its id.

    Returns
    -------
    Comparison
        One difference an output; where outputs are not what was sealed, these alone.

    Raises
    ------
    NoInput
        When an input cannot be found.
    """
    facts = again.facts
    if broken := tuple(_broken(again)):
        return Comparison(again.id, broken)
    one = method or find_method(facts["method"]["id"])
    given = inputs or {}
    found = {
        name: given[name]
        if given.get(name) is not None
        else _look_for(again, name, several=one.spec.input(name).kind == "tables")
        for name in facts["inputs"]
    }
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
    digests = {name: _digests(each) for name, each in facts["inputs"].items()}
    changed = [name for name, each in fresh.facts["inputs"].items() if _digests(each) != digests[name]]
    files = [file for name in changed for file in _changed_files(facts["inputs"][name], fresh.facts["inputs"][name])]
    limit = tolerance if tolerance is not None else (0.0 if facts["exact"] else TOLERANCE)
    code = fresh.facts["method"]["code"] != facts["method"]["code"]
    return Comparison(again.id, differences, tuple(changed), code, limit, tuple(files))


def _broken(again: Run) -> Iterator[Difference]:
    """Name the outputs whose files are not what was sealed."""
    for output in again.facts["outputs"]:
        for file, digest in again.sealed(output).items():
            try:
                again.sound(file, digest)
            except BadData as error:
                yield Difference(output, same_bytes=False, broken=str(error))
                break


def _changed_files(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """Name the files of an input whose bytes are no longer met in it."""
    met = {file["sha256"] for table in now["tables"] for file in table.get("files", ())}
    return [file["name"] for table in before["tables"] for file in table.get("files", ()) if file["sha256"] not in met]


def _digests(given: Mapping[str, Any]) -> list[str]:
    return [table["digest"] for table in given["tables"]]


def _look_for(again: Run, name: str, *, several: bool) -> Any:
    """Find an input again: the source that gave it, where it was, or beside the run."""
    remembered = again.path / "private" / "inputs.json"
    places = read_json(remembered).get(name, {}) if remembered.is_file() else {}
    tables = [_look_for_table(again, name, table, places) for table in again.facts["inputs"][name]["tables"]]
    return tables if several else tables[0]


def _look_for_table(again: Run, name: str, table: Mapping[str, Any], places: Mapping[str, str]) -> Any:
    if table.get("source"):
        return table["source"]
    remedy = f"Name it: --{name.replace('_', '-')} FILE."
    if not table.get("files"):
        raise NoInput(f"The input {name} was a table in memory.", where=again.id, remedy=remedy)
    holder = again.path.absolute().parent
    beside = (again.path / "inputs", again.path, holder, holder / "inputs")
    paths = []
    for file in table["files"]:
        candidates = [Path(places[file["name"]])] if file["name"] in places else []
        candidates += [folder / file["name"] for folder in beside]
        candidates += [folder / Path(file["name"]).name for folder in beside]
        there = [one for one in dict.fromkeys(candidates) if one.is_file()]
        if not there:
            raise NoInput(
                f"The file {file['name']} of the input {name} is not where it was and not beside the run.",
                where=again.id,
                remedy=remedy,
            )
        paths.append(next((one for one in there if _fits(one, file["sha256"])), there[0]))
    return paths if len(paths) > 1 else str(paths[0])


def _fits(path: Path, digest: str) -> bool:
    with contextlib.suppress(PermissionError):
        return sha256(path) == digest
    return False


def _with_position(table: ibis.Table, key: tuple[str, ...]) -> ibis.Table:
    """Count the rows that have the same key, in the order in which they were sealed."""
    import ibis

    rows = table.mutate(__row=ibis.row_number())
    if not key:
        return rows.rename(__position="__row")
    number = ibis.row_number().over(ibis.window(group_by=list(key), order_by="__row"))
    return rows.mutate(__position=number).drop("__row")


def compare(first: Run, second: Run, output: str, key: tuple[str, ...]) -> Difference:
    """Compare one output of two runs by its key.

    The files with confidential columns are compared where both runs have them. Rows whose key is not whole, because it
    has confidential columns or there is none, are told apart by their position among those alike.

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
    sealed = [list(one.sealed(output).items()) for one in (first, second)]
    which = min(map(len, sealed)) - 1  # the whole ones where both are there
    if sealed[0][which][1] == sealed[1][which][1]:
        return Difference(output, same_bytes=True)
    import ibis

    with connect() as engine:
        left, right = (
            engine.parquet([one.sound(*files[which])]) for one, files in zip((first, second), sealed, strict=True)
        )
        known = tuple(name for name in key if name in left.columns and name in right.columns)
        if not key or known != tuple(key):
            left, right = (_with_position(one, known) for one in (left, right))
            known = (*known, "__position")
        key = known
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
