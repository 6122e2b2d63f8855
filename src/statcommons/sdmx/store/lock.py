"""One writer of a store at a time: a lock that dies with its owner, and says who it is."""

from __future__ import annotations

import contextlib
import datetime
import fcntl
import json
import os
import socket
import time
from collections.abc import Iterator
from pathlib import Path

from statcommons.core.errors import TryAgain
from statcommons.sdmx.placing import told

__all__ = ["WAIT", "writing"]

WAIT = 60.0
"""Seconds that a writer waits for another to end."""

PAUSE = 0.05


@contextlib.contextmanager
def writing(path: Path, *, wait: float = WAIT) -> Iterator[None]:
    """Hold the lock of a store while its only writer.

    The system gives the lock back when its owner ends, however it ends; nothing is left to be cleared by hand.

    Parameters
    ----------
    path : pathlib.Path
        The file of the lock.
    wait : float
        How many seconds to wait for another writer.

    Raises
    ------
    TryAgain
        When another writer does not end in time; names it.
    NotAllowed
        When the file may not be written.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder, writing(Path(folder) / "lock"):
    ...     print(json.loads((Path(folder) / "lock").read_text())["process"] == os.getpid())
    True
    """
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    except PermissionError as error:
        raise told(error, "store", path) from None
    try:
        until = time.monotonic() + wait
        while not _taken(descriptor):
            if time.monotonic() >= until:
                raise TryAgain(
                    f"Another writer has the store: {_owner(descriptor)}.",
                    where=str(path),
                    remedy="Wait until it ends, or end it; then run this again.",
                )
            time.sleep(PAUSE)
        since = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
        owner = {"process": os.getpid(), "machine": socket.gethostname(), "since": since}
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, json.dumps(owner).encode(), 0)
        yield
    finally:
        os.close(descriptor)


def _taken(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _owner(descriptor: int) -> str:
    try:
        owner = json.loads(os.pread(descriptor, 1000, 0))
        return f"process {owner['process']} on {owner['machine']} since {owner['since']}"
    except (ValueError, KeyError, TypeError):  # it has the lock and has not said so yet
        return "it has just begun"
