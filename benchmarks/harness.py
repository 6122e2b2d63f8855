"""How things are measured: ours and its peers in turn, A B A B, and the peak memory of each in a fresh process.

A case is a function from a number of rows and a folder to its sides, functions without arguments, ours first. The other
processes of a machine disturb neighbours in time alike, so the ratio of a pair says more than two times do. Every side
gives its answer as plain data; a benchmark of two things that differ ends with :class:`Disagree`. Nothing here asserts
a time.
"""

from __future__ import annotations

import contextlib
import datetime
import json
import math
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
Sides = dict[str, Callable[[], Any]]
OURS = "ours"
LONG = 8.0
"""Seconds after which a round is warm by itself, so that the one in fresh processes counts."""
LEAST = 2
"""Rounds that are made however long they take."""


class Disagree(Exception):
    """Two sides of a case give different answers."""


@dataclass(frozen=True)
class Goal:
    """What ours shall reach at the largest size: ``ratio`` to a peer, ``seconds``, or ``peak_mb``."""

    limit: float
    of: str
    peer: str = ""

    def __str__(self) -> str:
        what = {"ratio": f"ours / {self.peer}", "seconds": "seconds", "peak_mb": "peak MB"}[self.of]
        return f"{what} ≤ {self.limit:,}"

    def reached(self, sides: Mapping[str, Any]) -> float | None:
        """Give what was measured of the goal; nothing where the peer was not there."""
        if self.of == "ratio":
            return statistics.median(sides[self.peer]["ratios"]) if self.peer in sides else None
        found = sides[OURS][self.of]
        return statistics.median(found) if isinstance(found, list) else found


@dataclass(frozen=True)
class Case:
    """A comparison, the sizes at which it is made, and how long it may take."""

    sides: Callable[[int, Path], Iterator[Sides]]
    sizes: tuple[int, ...]
    quick: int
    unit: str = "rows"
    goals: tuple[Goal, ...] = ()
    rounds: int = 7
    seconds: float = 15.0
    alone: bool = False
    memory: bool = True

    @property
    def what(self) -> str:
        """What the function's docstring says."""
        return " ".join((self.sides.__doc__ or "").split())


def case(sizes: tuple[int, ...], quick: int, **options: Any) -> Callable[[Callable[..., Any]], Case]:
    """Make a case of a generator function that yields its sides once.

    Parameters
    ----------
    sizes : tuple of int
        1x, 10x, 100x.
    quick : int
        The one size of ``--quick``.
    **options : Any
        ``unit`` of the sizes; ``goals``; at most ``rounds``, and after two of them none begun after ``seconds``;
        ``alone``: each call in a process of its own; ``memory``: whether the peak of each side is measured.
    """
    return lambda function: Case(function, sizes, quick, **options)


def cases_of(module: Any) -> dict[str, Case]:
    """Give the cases of an area in the order of its file."""
    return {name: one for name, one in vars(module).items() if isinstance(one, Case)}


# --- measuring ------------------------------------------------------------------------------------------------------


def measure_all(area: str, cases: Mapping[str, Case], *, quick: bool = False) -> dict[str, Any]:
    """Measure cases in a temporary folder that is removed."""
    found: dict[str, Any] = {"machine": machine(), "versions": versions(), "cases": {}}
    for name, one in cases.items():
        print(f"{name} …", file=sys.stderr, flush=True)
        begun = time.monotonic()
        with tempfile.TemporaryDirectory(prefix="statcommons-benchmark-") as folder:
            sizes = [
                {"size": size, "sides": _measured(area, name, one, size, Path(folder), quick)}
                for size in ((one.quick,) if quick else one.sizes)
            ]
        found["cases"][name] = {
            "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
            "spent": round(time.monotonic() - begun, 1),
            "sizes": sizes,
        }
    return found


def _measured(area: str, name: str, one: Case, size: int, folder: Path, quick: bool) -> dict[str, Any]:
    """Measure the sides of a case at one size: once each in a fresh process, then in turn in this one."""
    rounds: list[dict[str, dict[str, Any]]] = []
    peaks: dict[str, float] = {}
    with opened(one, size, folder) as sides:

        def go_round(call: Callable[[str], dict[str, Any]]) -> float:
            """Call each side in turn, see that they agree, and give the seconds it took."""
            rounds.append({side: call(side) for side in sides})
            agree(name, {side: done["answer"] for side, done in rounds[-1].items()})
            return sum(done["seconds"] for done in rounds[-1].values())

        def alone(side: str) -> dict[str, Any]:
            return fresh(area, name, size, side, folder)

        def here(side: str) -> dict[str, Any]:
            return timed(sides[side])

        if one.alone or (one.memory and not quick):
            spent = go_round(alone)
            peaks = {side: done["peak_mb"] for side, done in rounds[-1].items()}
            if spent < LONG and not one.alone:
                rounds.clear()
        if not rounds and not quick:
            go_round(here)  # the warm-up
            rounds.clear()
        begun = time.monotonic()
        least, most = (1, 1) if quick else (min(LEAST, one.rounds), one.rounds)
        while len(rounds) < least or (len(rounds) < most and time.monotonic() - begun < one.seconds):
            go_round(alone if one.alone else here)
    return {
        side: {
            "seconds": [done[side]["seconds"] for done in rounds],
            "cpu": [done[side]["cpu"] for done in rounds],
            "ratios": [round(done[OURS]["seconds"] / done[side]["seconds"], 4) for done in rounds],
            "peak_mb": peaks.get(side),
        }
        for side in rounds[0]
    }


@contextlib.contextmanager
def opened(one: Case, size: int, folder: Path) -> Iterator[Sides]:
    """Give the sides of a case, and let its function end after."""
    function = one.sides(size, folder)
    yield next(function)
    next(function, None)


def timed(side: Callable[[], Any]) -> dict[str, Any]:
    """Call a side: its answer, seconds on the clock and seconds of processor."""
    cpu, clock = _cpu(), time.perf_counter()
    answer = side()
    seconds = time.perf_counter() - clock
    return {"answer": answer, "seconds": round(seconds, 9), "cpu": round(_cpu() - cpu, 5)}


def _cpu() -> float:
    spent = os.times()
    return spent.user + spent.system + spent.children_user + spent.children_system


def fresh(area: str, name: str, size: int, side: str, folder: Path) -> dict[str, Any]:
    """Call one side in a process of its own, and find the process's peak memory too."""
    program = "import sys; from benchmarks.harness import one_side; one_side(*sys.argv[1:])"
    words = [sys.executable, "-c", program, area, name, str(size), side, str(folder)]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{name}, {side}: {done.stderr}")
    return json.loads(done.stdout.splitlines()[-1])


def peak_mb() -> float:
    """Give the peak resident memory of this process in MB (10^6 bytes).

    Linux's own mark begins anew with each program; that of ``getrusage`` begins with the peak of the parent.
    """
    status = Path("/proc/self/status")
    if status.exists():
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return round(int(line.split()[1]) * 1024 / 1e6, 1)
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(peak / 1e6 if sys.platform == "darwin" else peak * 1024 / 1e6, 1)


def one_side(area: str, name: str, size: str, side: str, folder: str) -> None:
    """Do in a fresh process what :func:`fresh` asks for; the data is in the folder already."""
    one = cases_of(import_module(f"benchmarks.{area}"))[name]
    with opened(one, int(size), Path(folder)) as sides:
        done = timed(sides[side])
    print(json.dumps(done | {"peak_mb": peak_mb()}))


# --- the same answer ------------------------------------------------------------------------------------------------


def agree(name: str, answers: Mapping[str, Any]) -> None:
    """Refuse sides whose answers differ by more than the last digits of a sum; None is a part and has no answer."""
    for side, answer in answers.items():
        if answer is not None and not same(answers[OURS], answer):
            raise Disagree(f"{name}: {OURS} gives {answers[OURS]!r:.300}, {side} {answer!r:.300}")


def same(a: Any, b: Any) -> bool:
    """Say whether two answers are equal, numbers to nine digits."""
    if isinstance(a, Mapping) and isinstance(b, Mapping):
        return a.keys() == b.keys() and all(same(a[key], b[key]) for key in a)
    if isinstance(a, float) or isinstance(b, float):
        return math.isclose(a, b, rel_tol=1e-9)
    if isinstance(a, list | tuple) and isinstance(b, list | tuple):
        return len(a) == len(b) and all(same(x, y) for x, y in zip(a, b, strict=True))
    return bool(a == b)


# --- keeping and comparing ------------------------------------------------------------------------------------------


def machine() -> dict[str, Any]:
    """Say on what it was measured, without naming the machine."""
    facts = {"system": f"{platform.system()} {platform.machine()}", "processors": len(os.sched_getaffinity(0))}
    cpu = Path("/proc/cpuinfo")
    model = [line for line in cpu.read_text().splitlines() if line.startswith("model name")] if cpu.exists() else []
    facts["processor"] = model[0].partition(":")[2].strip() if model else platform.processor()
    facts["memory_gb"] = round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9)
    facts["load"] = round(os.getloadavg()[0], 1)
    return facts


def versions() -> dict[str, str]:
    """Name the versions of what was compared."""
    names = ("statcommons", "duckdb", "ibis-framework", "numpy", "pandas", "pandera", "pyarrow")
    return {"python": platform.python_version(), **{name: version(name) for name in names}}


def load(file: Path) -> dict[str, Any]:
    """Read kept results; none are there before the first run."""
    return json.loads(file.read_text(encoding="utf-8")) if file.exists() else {"cases": {}}


def committed(file: Path) -> dict[str, Any]:
    """Read the results of the last commit."""
    words = ["git", "show", f"HEAD:./{file.name}"]
    shown = subprocess.run(words, cwd=file.parent, capture_output=True, text=True, check=False)
    return json.loads(shown.stdout) if shown.returncode == 0 else {"cases": {}}


def keep(file: Path, area: str, cases: Mapping[str, Case], found: dict[str, Any]) -> None:
    """Write the results twice: for readers, and for the next comparison."""
    file.parent.mkdir(exist_ok=True)
    file.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    file.with_suffix(".md").write_text(as_markdown(area, cases, found), encoding="utf-8")


def as_markdown(area: str, cases: Mapping[str, Case], found: Mapping[str, Any]) -> str:
    """Write the results as one table a case, smallest size first."""
    facts, installed = found["machine"], found["versions"]
    lines = [
        f"# Benchmarks: {area}",
        "",
        f"Made by `python -m benchmarks {area}` on {facts['system']}, {facts['processor']}, {facts['processors']} "
        f"processors, {facts['memory_gb']} GB of memory; load when it began {facts['load']}.",
        ", ".join(f"{name} {number}" for name, number in installed.items()) + ".",
        "",
        "Times are medians of n rounds (min–max). Each round calls the sides in turn; `ours / side` is the median of "
        "the ratios of the rounds. Peak is the resident memory of a fresh process, imports included. On a machine that "
        "others share, look at ratios before seconds.",
    ]
    for name, result in found["cases"].items():
        lines += ["", f"## {name}", "", cases[name].what, ""]
        unit = cases[name].unit
        lines += [
            f"| {unit} | side | seconds | n | {unit}/s | ours / side | peak MB |",
            "|--:|---|--:|--:|--:|--:|--:|",
        ]
        for at in result["sizes"]:
            lines += [_line(at["size"], side, measured) for side, measured in at["sides"].items()]
        lines += ["", *[f"- Goal: {goal}: {_verdict(goal, result)}" for goal in cases[name].goals]]
        lines += [f"- Measured {result['date']} in {result['spent']:.0f} s."]
    return "\n".join(lines) + "\n"


def _line(size: int, side: str, measured: Mapping[str, Any]) -> str:
    seconds = measured["seconds"]
    peak = "" if measured["peak_mb"] is None else f"{measured['peak_mb']:,.0f}"
    ratio = "" if side == OURS else _range(measured["ratios"])
    speed = f"{size / statistics.median(seconds):,.0f}"
    return f"| {size:,} | {side} | {_range(seconds)} | {len(seconds)} | {speed} | {ratio} | {peak} |"


def _range(values: list[float]) -> str:
    low, middle, high = (f"{one:.3g}" for one in (min(values), statistics.median(values), max(values)))
    return f"{middle} ({low}–{high})" if len(values) > 1 else middle


def _verdict(goal: Goal, result: Mapping[str, Any]) -> str:
    reached = goal.reached(result["sizes"][-1]["sides"])
    if reached is None:
        return "not measured"
    return f"{'met' if reached <= goal.limit else 'missed'} ({reached:,.3g})"


def compared(before: Mapping[str, Any], after: Mapping[str, Any]) -> str:
    """Say what changed: ratios (or times of ours alone) whose ranges do not meet, and peaks that differ by a tenth."""
    if not before["cases"]:
        return "No results are committed yet."
    lines = []
    if before["machine"] | {"load": 0} != after["machine"] | {"load": 0}:
        lines.append("The machine differs: compare ratios, not seconds.")
    old = dict(_flat(before))
    for place, measured in _flat(after):
        if place not in old:
            lines.append(f"{place}: new")
            continue
        alone = place.endswith(f", {OURS}")
        kind, word = ("seconds", "seconds") if alone else ("ratios", "ours / side")
        a, b = old[place][kind], measured[kind]
        if max(a) < min(b) or max(b) < min(a):
            lines.append(f"{place}: {word} {_range(a)} → {_range(b)}")
        a, b = old[place]["peak_mb"], measured["peak_mb"]
        if a and b and not 0.9 < b / a < 1.1:
            lines.append(f"{place}: peak {a:,.0f} → {b:,.0f} MB")
    lines += [f"{place}: gone" for place in old if place not in dict(_flat(after))]
    return "\n".join(lines or ["Nothing changed beyond the noise."])


def _flat(found: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, result in found["cases"].items():
        for at in result["sizes"]:
            for side, measured in at["sides"].items():
                yield f"{name}, {at['size']:,}, {side}", measured
