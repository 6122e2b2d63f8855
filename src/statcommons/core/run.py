"""run(): validate, compute, check and seal. A run is a folder that appears whole or not at all.

The folder is written beside its place under a hidden name and renamed at the end; what is left of a killed run holds a
lock that nobody has, and the next run in that place sweeps it.
"""

from __future__ import annotations

import contextlib
import datetime
import errno
import fcntl
import json
import secrets
import shutil
import time
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from statcommons.core import progress, quality, seal
from statcommons.core.check import Bound, bind
from statcommons.core.engine import Engine, connect, using
from statcommons.core.errors import BadCall, BadData, NoInput, NotAllowed, TryAgain
from statcommons.core.method import Method, code_digest, several_of
from statcommons.core.reading import Mapping as Names
from statcommons.core.reading import Reading, distinct_names, one_digest, read, unchanged
from statcommons.core.registry import find_method
from statcommons.core.seed import seeded
from statcommons.core.workspace import workspace as open_workspace

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["FORMAT", "Run", "load_run", "run"]

FORMAT = 1
"""The format of ``run.json`` that this version writes; a newer one is refused."""


@dataclass(frozen=True)
class Run:
    """A sealed run: its folder and what ``run.json`` says."""

    path: Path
    facts: Mapping[str, Any]

    @property
    def id(self) -> str:
        """The id, such as ``2026-11-20-7f3a``."""
        return str(self.facts["id"])

    @property
    def report(self) -> Path:
        """The report, one HTML file that opens offline."""
        return self.path / "report.html"

    def output(self, name: str = "result") -> pa.Table:
        """Read an output into memory.

        Raises
        ------
        BadCall
            When the run has no such output.
        BadData
            When it is not what was sealed.
        """
        import pyarrow.parquet as pq

        return pq.read_table(self.output_file(name))

    def output_file(self, name: str = "result") -> Path:
        """Give the Parquet file of an output, once its content is found to be what was sealed.

        Raises
        ------
        BadCall
            When the run has no such output.
        BadData
            When it is not what was sealed.
        """
        file, digest = next(iter(self.sealed(name).items()))
        return self.sound(file, digest)

    def sealed(self, name: str) -> dict[str, str]:
        """Give the digests of an output by its files: the one for all, and the one in ``private/`` where that is there.

        Raises
        ------
        BadCall
            When the run has no such output.
        """
        outputs = self.facts["outputs"]
        if name not in outputs:
            raise BadCall(f"The run has no output {name!r}.", where=self.id, remedy=f"It has: {', '.join(outputs)}.")
        files = {str(outputs[name]["file"]): str(outputs[name]["digest"])}
        digests, whole = self.path / "private" / "outputs.json", f"private/outputs/{name}.parquet"
        if digests.is_file() and (self.path / whole).is_file():
            private = read_json(digests)
            files |= {whole: str(private[name])} if name in private else {}
        return files

    def sound(self, file: str, digest: str) -> Path:
        """Give a file of the run once its content is found to have the digest that was sealed.

        Parameters
        ----------
        file : str
            Its path in the run's folder.
        digest : str
            The digest that :meth:`sealed` gives.

        Raises
        ------
        BadData
            When it has another, is not there, or is not in the folder.
        """
        path, remedy = self.path / file, "Get the run's folder again, or run the method again."
        if not path.resolve().is_relative_to(self.path.resolve()):
            raise BadData("The file of the output is not in the run's folder.", where=file, remedy=remedy)
        if not path.is_file():
            raise BadData("The file of the output is not there.", where=str(path), remedy=remedy)
        try:
            found = seal.file_digest(path)
        except (ValueError, OSError) as error:  # Arrow's errors are these
            raise BadData(f"The file of the output cannot be read: {error}.", where=str(path), remedy=remedy) from None
        if found != digest:
            raise BadData(
                f"The output was changed after it was sealed: its digest is {found}, the run says {digest}.",
                where=str(path),
                remedy=remedy,
            )
        return path


def load_run(path: Path | str, workspace: Path | str | None = None) -> Run:
    """Open a run by its folder, or by its id in the workspace.

    Parameters
    ----------
    path : path or str
        The run's folder, or its id.
    workspace : path, optional
        See :func:`statcommons.core.workspace.workspace`.

    Raises
    ------
    NoInput
        When there is no such run.
    BadCall
        When its format is newer than ours.
    BadData
        When its ``run.json`` is broken.

    Examples
    --------
    >>> load_run("no-such-run")
    Traceback (most recent call last):
        ...
    statcommons.core.errors.NoInput: no-such-run: There is no such run. Give ...
    """
    for folder in (Path(path), open_workspace(workspace).runs / str(path)):
        if (folder / "run.json").is_file():
            facts = read_json(folder / "run.json")
            if isinstance(facts.get("format"), int) and facts["format"] > FORMAT:
                raise BadCall(
                    f"The run has format {facts['format']}.", where=str(folder), remedy="Upgrade statcommons."
                )
            _assert_whole(facts, folder / "run.json")
            return Run(folder, facts)
    raise NoInput(
        "There is no such run.", where=str(path), remedy="Give the folder of a run, or its id in the workspace."
    )


_BROKEN = "Get the run's folder again, or run the method again."


def read_json(path: Path) -> dict[str, Any]:
    """Read one of the run's JSON files."""
    try:
        facts = json.loads(path.read_text(encoding="utf-8"))
    except PermissionError:
        raise NotAllowed("The file may not be read.", where=str(path), remedy="Ask its owner.") from None
    except (ValueError, RecursionError) as error:  # no UTF-8, no JSON
        raise BadData(
            f"The file is not the JSON that a run writes: {error}.", where=str(path), remedy=_BROKEN
        ) from None
    if not isinstance(facts, dict):
        raise BadData("The file is not the JSON that a run writes.", where=str(path), remedy=_BROKEN)
    return facts


def _assert_whole(facts: Mapping[str, Any], path: Path) -> None:
    """Refuse a ``run.json`` that lacks what a rerun and its outputs need."""
    try:
        need = [facts[name] for name in ("id", "seed", "on_bad_rows", "exact", "created")]
        need += [facts["method"][name] for name in ("id", "code")]
        need += [one[name] for one in facts["outputs"].values() for name in ("file", "digest", "rows")]
        tables = [table for one in facts["inputs"].values() for table in one["tables"]]
        need += [table["digest"] for table in tables]
        need += [file[name] for table in tables for file in table.get("files", ()) for name in ("name", "sha256")]
        facts["parameters"].items()
    except KeyError as error:
        raise BadData(f"The file lacks {error.args[0]!r}.", where=str(path), remedy=_BROKEN) from None
    except (TypeError, AttributeError, IndexError):
        raise BadData("The file is not what a run writes.", where=str(path), remedy=_BROKEN) from None


def run(
    method: Method | str,
    inputs: Mapping[str, Any] | None = None,
    parameters: Mapping[str, Any] | None = None,
    *,
    out: Path | str | None = None,
    engine: str = "duckdb:",
    mappings: Mapping[str, Any] | None = None,
    on_bad_rows: str = "fail",
    memory: str | None = None,
    threads: int | None = None,
    seed: int = 0,
    workspace: Path | str | None = None,
) -> Run:
    """Run a method on inputs and seal the result, so that a stranger can repeat it.

    Parameters
    ----------
    method : Method or str
        The method, or its id.
    inputs : mapping
        Any table by the name of its input: path, glob, folder, data frame, ``source:ID``; a list is read as one table.
    parameters : mapping
        Parameters by name.
    out : path, optional
        The run's folder, which must not exist yet; by default a new one in the workspace.
    engine : str
        The address of an engine, see :func:`statcommons.connect`.
    mappings : mapping, optional
        From an input's name to its column mapping: a dict, or the path of a TOML file.
    on_bad_rows : {"fail", "set_aside"}
        Whether bad rows stop the run or are left out and kept in ``private/``.
    memory : str, optional
        The engine's memory limit, such as ``2GB``.
    threads : int, optional
        The engine's threads.
    seed : int
        Where randomness starts.
    workspace : path, optional
        See :func:`statcommons.core.workspace.workspace`.

    Returns
    -------
    Run
        The sealed run.

    Raises
    ------
    BadCall, BadData, NoInput, TryAgain, Cancelled
        See :mod:`statcommons.core.errors`. None leaves a result.

    Examples
    --------
    >>> import tempfile
    >>> sales = {"time": ["2026-01-05", "2026-01-09"], "product": ["a", "a"], "price": [2.0, 3.0], "quantity": [1, 3]}
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     done = run("prices.unit_values", {"transactions": sales}, out=folder + "/first")
    ...     done.output()["price"].to_pylist()
    [2.75]
    """
    one = find_method(method) if isinstance(method, str) else method
    given = one.sort_arguments((), {**(inputs or {}), **(parameters or {})})
    values = one.parameters(given[1])
    if on_bad_rows not in ("fail", "set_aside"):
        raise BadCall(f"on_bad_rows is {on_bad_rows!r}.", remedy="Give fail or set_aside.")
    for name in mappings or {}:
        one.spec.input(name)
    home = open_workspace(workspace)
    with _place(Path(out) if out else None, home) as (partial, final):
        folder = _Folder(partial, final.name, home.zone)
        with folder.logging(), connect(engine, threads=threads, memory=memory, spill=partial / "spill") as opened:
            facts = _computed(one, given[0], values, opened, folder, mappings or {}, on_bad_rows, seed)
        facts["timings"] = folder.timings
        with progress.step("Draw the report"):
            seal.write(partial, facts, one.spec)
    return Run(final, facts)


@dataclass(frozen=True)
class _Folder:
    """The folder that a run is written in, before it has its name."""

    path: Path
    id: str
    zone: str
    timings: dict[str, float] = field(default_factory=dict)

    @contextlib.contextmanager
    def logging(self) -> Iterator[None]:
        """Keep a line a step in ``private/log.txt``, beside whoever listens."""
        private = self.path / "private"
        private.mkdir(mode=0o700)
        before = progress._listener.get()
        with (private / "log.txt").open("w", encoding="utf-8") as log:

            def listen(step: progress.Step) -> None:
                if step.ended:
                    self.timings[step.name] = round(self.timings.get(step.name, 0.0) + step.elapsed, 3)
                    log.write(f"{datetime.datetime.now(datetime.UTC):%H:%M:%S} {step.name}: {step.elapsed:.2f} s\n")
                if before:
                    before(step)

            with progress.listening(listen, progress._cancelled.get()):
                yield


def _computed(
    method: Method,
    inputs: Mapping[str, Any],
    parameters: Mapping[str, Any],
    engine: Engine,
    folder: _Folder,
    mappings: Mapping[str, Any],
    on_bad_rows: str,
    seed: int,
) -> dict[str, Any]:
    """Bind, compute and write the outputs; give what ``run.json`` will say."""
    spec, started = method.spec, time.monotonic()
    with using(engine, folder.zone), quality.collecting() as found, seeded(seed), contextlib.ExitStack() as stack:
        readings: dict[str, list[Reading]] = {}
        bound: dict[str, list[Bound]] = {}
        for one in spec.inputs:
            if inputs.get(one.name) is None:
                continue
            values = several_of(inputs[one.name]) if one.kind == "tables" else [inputs[one.name]]
            names = Names.from_any(mappings.get(one.name))
            readings[one.name] = [read(value, engine=engine, mapping=names, label=one.name) for value in values]
        stack.enter_context(unchanged([one for several in readings.values() for one in several]))
        names_of = {
            name: distinct_names(mark.path for reading in several for mark in reading.files)
            for name, several in readings.items()
        }
        digests = {
            name: [_digests(reading, names_of[name]) for reading in several] for name, several in readings.items()
        }
        for name, several_digests in digests.items():
            found.notices += _repeated(name, several_digests)
        for name, several in readings.items():
            schema = spec.input(name).schema
            bound[name] = []
            for number, reading in enumerate(several):
                aside = (
                    folder.path
                    / "private"
                    / "set_aside"
                    / (f"{name}.parquet" if len(several) == 1 else f"{name}-{number}.parquet")
                )
                one_bound = bind(reading, schema, on_bad_rows=on_bad_rows, set_aside=aside)
                bound[name].append(one_bound)
                units = _units(engine, one_bound, schema)
                label = name if len(several) == 1 else f"{name} {number + 1}"
                found.measures += quality.of_input(label, one_bound, schema, units)
                found.notices += one_bound.notes
        ready = {
            one.name: None
            if one.name not in bound
            else (tuple(b.table for b in bound[one.name]) if one.kind == "tables" else bound[one.name][0].table)
            for one in spec.inputs
        }
        with progress.step(f"Run {spec.id}"):
            outputs = method.outputs(method.compute(ready, parameters))
            written = seal.outputs(engine, outputs, spec, folder.path)
        found.measures += seal.imputed(written, spec, folder.path)
    now = datetime.datetime.now(datetime.UTC).replace(microsecond=0)
    locations = {
        name: {label: str(path.resolve()) for path, label in names.items()} for name, names in names_of.items()
    }
    (folder.path / "private" / "inputs.json").write_text(json.dumps(locations, indent=1, ensure_ascii=False))
    return {
        "format": FORMAT,
        "id": folder.id,
        "created": now.isoformat().replace("+00:00", "Z"),
        "seconds": round(time.monotonic() - started, 2),
        "method": {"id": spec.id, "version": spec.version, "title": spec.title, "code": code_digest(method.function)},
        "parameters": _plain_parameters(parameters),
        "seed": seed,
        "zone": folder.zone,
        "on_bad_rows": on_bad_rows,
        "exact": spec.exact,
        "engine": {"name": engine.version, "address": engine.address},
        "environment": seal.environment(),
        "inputs": {name: _input_facts(readings[name], bound[name], digests[name], names_of[name]) for name in readings},
        "outputs": written,
        "quality": [one.as_dict() for one in found.measures],
        "notices": list(dict.fromkeys(found.notices)),
    }


def _plain_parameters(parameters: Mapping[str, Any]) -> dict[str, Any]:
    from statcommons.core.spec import plain

    return {name: plain(value) for name, value in parameters.items()}


def _digests(reading: Reading, names: Mapping[Path, str]) -> dict[str, str]:
    """Give the digests of a table's files by the names that tell them apart from those of all tables of the input."""
    local = reading.digests()
    return {names[path]: local[name] for path, name in reading.names().items()} or local


def _repeated(name: str, digests: list[dict[str, str]]) -> list[str]:
    """Say which files of an input have the same content: a month delivered twice counts twice."""
    files: dict[str, list[str]] = {}
    for file, digest in ((file, digest) for table in digests for file, digest in table.items() if file != "memory"):
        files.setdefault(digest, []).append(file)
    return [
        f"{name}: {' and '.join(same)} have the same content: their rows count {_times(len(same))}."
        for same in files.values()
        if len(same) > 1
    ]


def _times(number: int) -> str:
    return "twice" if number == 2 else f"{number} times"


def _input_facts(
    readings: list[Reading], bound: list[Bound], digests: list[dict[str, str]], names: Mapping[Path, str]
) -> dict[str, Any]:
    tables = []
    for reading, one, digest in zip(readings, bound, digests, strict=True):
        files = [
            {"name": names[mark.path], "bytes": mark.size, "sha256": digest[names[mark.path]]} for mark in reading.files
        ]
        facts = {
            "digest": one_digest(digest),
            "rows": one.rows,
            "used": one.used,
            "set_aside": [{"rule": broken.rule, "rows": broken.rows} for broken in one.broken],
            "files": files,
            "mapping": reading.mapping.as_dict(),
            "source": reading.reference if reading.reference.startswith("source:") else "",
        }
        tables.append({name: value for name, value in facts.items() if value not in ([], {}, "")})
    return {"tables": tables}


def _units(engine: Engine, bound: Bound, schema: Any) -> dict[str, int]:
    """Count the different units of each dimension that the table has."""
    names = [column.name for column in schema.with_role("dimension")]
    if not names:
        return {}
    counts = engine.row(bound.table.agg(**{name: bound.table[name].nunique() for name in names}), "Count units")
    return {name: count for name, count in counts.items() if count}


# --- the place of a run ---------------------------------------------------------------------------------------------

_UNSEEN = ("Cc", "Cf", "Cs", "Zl", "Zp")
"""Unicode's categories of signs that move the cursor, turn the writing around or cannot be written."""


@contextlib.contextmanager
def _place(out: Path | None, home: Any) -> Iterator[tuple[Path, Path]]:
    """Give a hidden folder to write in and rename it to its place when all went well; else leave nothing."""
    if out is not None and any(unicodedata.category(sign) in _UNSEEN for sign in str(out)):
        raise BadCall(f"The folder {str(out)!r} has signs that cannot be seen.", remedy="Name another with --out.")
    parent = out.absolute().parent if out is not None else home.created().runs.absolute()
    partial = final = None
    try:
        if out is not None:
            if out.exists() and not (out.is_dir() and not any(out.iterdir())):
                raise _taken(out)
            parent.mkdir(parents=True, exist_ok=True)
        _sweep(parent)
        final = out.absolute() if out is not None else _new_id(parent)
        partial = parent / f".{final.name}.{secrets.token_hex(4)}.partial"
        partial.mkdir()
        with (partial / ".locking").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            (partial / ".locking").rename(partial / ".lock")  # whoever sees it finds it locked
            yield partial, final
            (partial / ".lock").unlink()
            shutil.rmtree(partial / "spill", ignore_errors=True)
            partial.rename(final)  # takes the place of nothing or of an empty folder: of two runs, one is first
    except OSError as error:
        raise _unwritten(error, parent, final or parent, partial or parent) from error
    finally:
        if partial is not None:
            shutil.rmtree(partial, ignore_errors=True)


def _taken(place: Path) -> BadCall:
    return BadCall(f"The folder {place} is there already.", remedy="Name a new one with --out.")


def _unwritten(error: OSError, parent: Path, final: Path, made: Path) -> Exception:
    """Say why a folder could not be written, where that is not our fault."""
    where = str(final) if error.filename == str(made) else str(error.filename or parent)  # no hidden name
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return TryAgain(
            "There is no space left on the disk.", where=str(parent), remedy="Free some, or choose another --out."
        )
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return NotAllowed("The folder may not be written.", where=where, remedy="Choose another with --out.")
    if error.errno == errno.ENOTEMPTY:
        return _taken(final)
    unmade = error.filename is not None and made.is_relative_to(str(error.filename))  # as nothing is made in /proc
    if unmade or error.errno in (errno.EEXIST, errno.ENOTDIR, errno.ENAMETOOLONG):
        return BadCall(f"The folder cannot be: {error.strerror}.", where=where, remedy="Name another with --out.")
    return error


def _new_id(parent: Path) -> Path:
    today = datetime.datetime.now(datetime.UTC).date().isoformat()
    while True:
        candidate = parent / f"{today}-{secrets.token_hex(2)}"
        if not candidate.exists():
            return candidate


def _sweep(parent: Path) -> None:
    """Remove what killed runs have left: hidden folders whose lock nobody holds."""
    for left in parent.glob(".*.partial"):
        lock = left / ".lock"
        try:
            with lock.open("r+") as held:
                fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(left, ignore_errors=True)
        except FileNotFoundError:
            with contextlib.suppress(FileNotFoundError):  # its run may have come to its end meanwhile
                if time.time() - left.stat().st_mtime > 60:  # killed before it had a lock
                    shutil.rmtree(left, ignore_errors=True)
        except OSError:
            continue
