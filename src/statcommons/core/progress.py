"""Progress and cancellation for any code that takes long, without a parameter for either.

>>> with step("Sum pairs", total=2, unit="blocks") as progress:
...     for block in range(2):
...         progress.advance()

``advance`` raises :class:`~statcommons.core.errors.Cancelled` when the caller has asked to stop. Who listens is set by
:func:`listening`; without a listener nothing is shown.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from dataclasses import dataclass, field

from statcommons.core.errors import Cancelled

__all__ = ["Step", "cancel", "listening", "step"]


@dataclass
class Step:
    """One step of a work: its name, how much there is of it and how much is done."""

    name: str
    total: float | None = None
    unit: str = ""
    done: float = 0
    started: float = field(default_factory=time.monotonic)
    ended: bool = False

    def advance(self, amount: float = 1) -> None:
        """Say that this much more is done; stop here when the caller has asked to stop."""
        self.update(self.done + amount)

    def update(self, done: float) -> None:
        """Say how much is done in all."""
        self.done = done
        check()
        _tell(self)

    @property
    def share(self) -> float | None:
        """The share that is done, 0 to 1, where the total is known."""
        return min(1.0, self.done / self.total) if self.total else None

    @property
    def elapsed(self) -> float:
        """Seconds since the step began."""
        return time.monotonic() - self.started

    @property
    def left(self) -> float | None:
        """Seconds that the rest will take at the pace so far."""
        return self.elapsed * (1 / self.share - 1) if self.share else None


Listener = Callable[[Step], None]
_listener: ContextVar[Listener | None] = ContextVar("listener", default=None)
_cancelled: ContextVar[threading.Event | None] = ContextVar("cancelled", default=None)


def _tell(one: Step) -> None:
    listener = _listener.get()
    if listener:
        listener(one)


@contextlib.contextmanager
def step(name: str, total: float | None = None, unit: str = "") -> Iterator[Step]:
    """Announce a step of a work and follow it to its end.

    Parameters
    ----------
    name : str
        What is done, as a reader would say it: ``Sum pairs``.
    total : float, optional
        How much there is to do; without it no time left is shown.
    unit : str
        What is counted.

    Raises
    ------
    Cancelled
        When the caller has asked to stop.

    Examples
    --------
    >>> with step("Sum pairs", total=2) as progress:
    ...     progress.advance()
    ...     progress.share
    0.5
    """
    check()
    one = Step(name, total, unit)
    _tell(one)
    try:
        yield one
    finally:
        one.ended = True
        _tell(one)


@contextlib.contextmanager
def listening(listener: Listener | None, cancelled: threading.Event | None = None) -> Iterator[None]:
    """Tell a listener of all steps within, and stop them when the event is set.

    Parameters
    ----------
    listener : callable, optional
        It is called with a :class:`Step` when one begins, moves and ends.
    cancelled : threading.Event, optional
        Set it to stop the work.

    Examples
    --------
    >>> heard = []
    >>> with listening(lambda one: heard.append(one.done)):
    ...     with step("Count", total=1) as progress:
    ...         progress.advance()
    >>> heard
    [0, 1, 1]
    """
    tokens = _listener.set(listener), _cancelled.set(cancelled or threading.Event())
    try:
        yield
    finally:
        _listener.reset(tokens[0])
        _cancelled.reset(tokens[1])


def cancel() -> None:
    """Ask the work of this context to stop at its next sign of life.

    Examples
    --------
    >>> with listening(None):
    ...     cancel()
    ...     with step("Count"):
    ...         pass
    Traceback (most recent call last):
        ...
    statcommons.core.errors.Cancelled: Cancelled; nothing was written.
    """
    event = _cancelled.get()
    if event:
        event.set()


def check() -> None:
    """Raise :class:`Cancelled` when the caller has asked to stop."""
    event = _cancelled.get()
    if event is not None and event.is_set():
        raise Cancelled
