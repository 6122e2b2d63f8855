"""Progress on standard error: a bar in a terminal, plain lines elsewhere, JSON lines by option; and Ctrl-C."""

from __future__ import annotations

import contextlib
import json
import signal
import sys
import threading
from collections.abc import Iterator
from typing import Any, Protocol

import click

from statcommons.core.progress import Step, listening

__all__ = ["KINDS", "shown"]

KINDS = ("auto", "plain", "json", "none")
"""The ways of showing progress."""

SHOWN_AFTER = 1.0  # seconds; what is done sooner needs no line
TICK = 0.25
PLAIN_EVERY = 5.0


class Drawn(Protocol):
    """One way of showing the steps that last."""

    def draw(self, one: Step) -> None:
        """Show how a step stands; a step that has ended is shown for the last time."""

    def close(self) -> None:
        """Leave the screen as it was."""


class Lines:
    """A line when a step has lasted a second, every few seconds, and at its end."""

    def __init__(self) -> None:
        self._said: dict[int, float] = {}

    def draw(self, one: Step) -> None:
        """Print a line if the last one is some seconds old."""
        said = self._said.get(id(one))
        if one.ended:
            click.echo(f"{one.name}: {one.elapsed:.1f} s", err=True)
        elif said is None or one.elapsed - said >= PLAIN_EVERY:
            self._said[id(one)] = one.elapsed
            share = f" {one.share:.0%}" if one.share else ""
            left = f", {_time(one.left)} left" if one.left is not None else ""
            click.echo(f"{one.name} …{share}{left}", err=True)

    def close(self) -> None:
        """Nothing stays on the screen."""


class JsonLines:
    """A line of JSON a tick, for programs."""

    def draw(self, one: Step) -> None:
        """Print one line."""
        facts = {
            "step": one.name,
            "done": one.done,
            "total": one.total,
            "unit": one.unit,
            "seconds": round(one.elapsed, 2),
            "left": None if one.left is None else round(one.left, 1),
            "ended": one.ended,
        }
        click.echo(json.dumps(facts, ensure_ascii=False), err=True)

    def close(self) -> None:
        """Nothing stays on the screen."""


class Bars:
    """Bars in a terminal."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.percentage:>3.0f}%"),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
        )
        self._progress = Progress(*columns, console=Console(stderr=True), transient=True)
        self._tasks: dict[int, Any] = {}
        self._progress.start()

    def draw(self, one: Step) -> None:
        """Move the bar of a step, or take it away."""
        if id(one) not in self._tasks:
            self._tasks[id(one)] = self._progress.add_task(one.name, total=one.total)
        self._progress.update(self._tasks[id(one)], completed=one.done, total=one.total)
        if one.ended:
            self._progress.remove_task(self._tasks.pop(id(one)))
            self._progress.console.print(f"{one.name}: {one.elapsed:.1f} s", highlight=False)

    def close(self) -> None:
        """Take the bars away."""
        self._progress.stop()


def _time(seconds: float | None) -> str:
    minutes, rest = divmod(round(seconds or 0), 60)
    return f"{minutes} min {rest:02} s" if minutes else f"{rest} s"


class _Watch:
    """Holds the steps that go on, and draws those that last."""

    def __init__(self, drawn: Drawn) -> None:
        self._drawn = drawn
        self._steps: dict[int, Step] = {}
        self._shown: set[int] = set()
        self._lock = threading.Lock()
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._tick, daemon=True)
        self._thread.start()

    def hear(self, one: Step) -> None:
        """Take note of a step; its end is drawn at once."""
        with self._lock:
            if not one.ended:
                self._steps[id(one)] = one
                return
            self._steps.pop(id(one), None)
            if id(one) in self._shown:
                self._shown.discard(id(one))
                self._drawn.draw(one)

    def _tick(self) -> None:
        while not self._done.wait(TICK):
            with self._lock:
                for number, one in self._steps.items():
                    if one.elapsed >= SHOWN_AFTER:
                        self._shown.add(number)
                        self._drawn.draw(one)

    def close(self) -> None:
        """Stop drawing."""
        self._done.set()
        self._thread.join()
        self._drawn.close()


@contextlib.contextmanager
def shown(kind: str = "auto") -> Iterator[None]:
    """Show the steps of what runs within, and stop it cleanly on Ctrl-C or kill.

    The first signal asks the work to stop at its next sign of life, the second ends it where it is.

    Parameters
    ----------
    kind : {"auto", "plain", "json", "none"}
        Bars in a terminal and lines elsewhere, lines, lines of JSON, or nothing.

    Examples
    --------
    >>> from statcommons.core.progress import step
    >>> with shown("none"), step("Count", total=1) as progress:
    ...     progress.advance()
    """
    stop = threading.Event()

    def ask(number: int, _: Any) -> None:
        if stop.is_set():
            raise KeyboardInterrupt
        stop.set()

    before = {one: signal.signal(one, ask) for one in (signal.SIGINT, signal.SIGTERM)} if _in_main_thread() else {}
    watch = None if kind == "none" else _Watch(_drawn(kind))
    try:
        with listening(watch.hear if watch else None, stop):
            yield
    finally:
        if watch:
            watch.close()
        for one, handler in before.items():
            signal.signal(one, handler)


def _in_main_thread() -> bool:
    return threading.current_thread() is threading.main_thread()


def _drawn(kind: str) -> Drawn:
    if kind == "json":
        return JsonLines()
    return Bars() if kind == "auto" and sys.stderr.isatty() else Lines()
