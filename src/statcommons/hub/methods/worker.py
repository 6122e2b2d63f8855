"""The worker: claims jobs one after the other, runs each in a process of its own, and tells how it goes."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import OperationalError, close_old_connections

from statcommons.core.errors import TryAgain
from statcommons.core.workspace import Workspace
from statcommons.hub.methods import queue
from statcommons.hub.methods.models import Job
from statcommons.hub.methods.queue import Order

__all__ = ["Worker", "settled"]

LOOK = 0.2
"""Seconds between two looks at the process."""

RARELY = 60.0
"""Seconds between two times of tidying up."""

TELL = 1.0
"""Seconds between two tellings of progress."""


@dataclass
class Worker:
    """One worker of a hub.

    Parameters
    ----------
    home : Workspace
        The hub's workspace.
    name : str
        What the worker is called; its machine and process by default.
    stopping : threading.Event
        Set it, and the worker ends when its job has.
    """

    home: Workspace
    name: str = field(default_factory=lambda: f"{socket.gethostname()}:{os.getpid()}")
    stopping: threading.Event = field(default_factory=threading.Event)

    def run(self, *, rest: float = 1.0) -> None:
        """Do jobs until the worker is stopped.

        Parameters
        ----------
        rest : float
            Seconds between two looks at an empty queue.
        """
        swept = -RARELY
        while not self.stopping.is_set():
            try:
                if time.monotonic() - swept > RARELY:
                    self.sweep()
                    swept = time.monotonic()
                busy = self.work()
            except OperationalError:  # the database restarts; the lease bridges that
                close_old_connections()
                busy = False
            if not busy:
                self.stopping.wait(rest)

    def work(self) -> bool:
        """Do one job; gives whether there was one."""
        job = queue.claim(self.name)
        if job is None:
            return False
        folder = attempts(self.home) / job.run_id
        folder.mkdir(parents=True, exist_ok=True)
        with _process(job, folder, self.home.path.absolute()) as process:
            order = self._follow(job, process, folder / "log.jsonl")
        if order is Order.CANCEL:
            queue.dismiss(job)
        elif order is Order.GO_ON and process.returncode == 0 and (folder / job.run_id).is_dir():
            if queue.succeed(job, job.run_id):
                settled(self.home, job.run_id)
        elif order is Order.GO_ON:
            error = _error(folder, process.returncode)
            (queue.postpone if process.returncode == TryAgain.exit_code else queue.fail)(job, error)
        shutil.rmtree(folder, ignore_errors=True)
        return True

    def sweep(self) -> None:
        """Tidy up behind workers that died: runs that count go to their place, all else goes."""
        for folder in attempts(self.home).glob("*"):
            try:
                asked = json.loads((folder / "job.json").read_text(encoding="utf-8"))
            except (OSError, ValueError):
                asked = {"job": None, "attempt": None}
            job = Job.objects.filter(pk=asked["job"]).first()
            if job and job.status == Job.Status.RUNNING and job.attempt == asked["attempt"]:
                continue
            if job and job.run == folder.name:
                settled(self.home, job.run)
            if job or time.time() - folder.stat().st_mtime > settings.LEASE_SECONDS:
                shutil.rmtree(folder, ignore_errors=True)

    def _follow(self, job: Job, process: subprocess.Popen[bytes], log: Path) -> Order:
        """Renew the lease until the process ends, or must be ended."""
        began = told = time.monotonic()
        last: tuple[float | None, str] = (None, "")
        while process.poll() is None:
            time.sleep(LOOK)
            now, latest = time.monotonic(), _latest(log)
            if now - began > job.wall_seconds:
                (log.parent / "error.json").write_text(json.dumps(_limit(job)), encoding="utf-8")
                return Order.GO_ON
            if now - told >= settings.LEASE_SECONDS / 4 or (latest != last and now - told >= TELL):
                order = queue.beat(job, *latest)
                if order is not Order.GO_ON:
                    return order
                told, last = now, latest
        return queue.beat(job, *_latest(log))


def attempts(home: Workspace) -> Path:
    """Give where attempts work, each in a folder of its own; a run stands in it until it counts.

    Parameters
    ----------
    home : Workspace
        The hub's workspace.
    """
    return home.path / "jobs"


def settled(home: Workspace, run: str) -> Path:
    """Give the folder of a run that a job names, and bring it there when a worker died before it could.

    Parameters
    ----------
    home : Workspace
        The hub's workspace.
    run : str
        The id of the run.
    """
    place = home.runs / run
    if not place.is_dir():
        with contextlib.suppress(FileNotFoundError):  # somebody else was sooner
            (attempts(home) / run / run).rename(place)
    return place


@contextlib.contextmanager
def _process(job: Job, folder: Path, home: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Start the process of a job; it and all that it has started are killed at the end."""
    asked = {
        "job": str(job.pk),
        "attempt": job.attempt,
        "method": job.method.method,
        "inputs": job.inputs,
        "parameters": job.parameters,
        "options": job.options,
        "out": str(folder.absolute() / job.run_id),
        "workspace": str(home),
        "parent": os.getpid(),
    }
    (folder / "job.json").write_text(json.dumps(asked), encoding="utf-8")
    command = [sys.executable, "-m", "statcommons.hub.methods.child", str(folder.absolute())]
    with (folder / "log.jsonl").open("wb") as log:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=home, start_new_session=True
        )
        try:
            yield process
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _latest(log: Path) -> tuple[float | None, str]:
    """Read how the work goes from the last line of its log that tells it."""
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - 4096))
        lines = file.read().decode("utf-8", "replace").splitlines()
    for line in reversed(lines):
        with contextlib.suppress(ValueError, KeyError, TypeError, AttributeError):
            facts = json.loads(line)
            share = min(1.0, facts["done"] / facts["total"]) if facts.get("total") else None
            return share, str(facts["step"])
    return None, ""


def _limit(job: Job) -> dict[str, Any]:
    what = f"It ran longer than its limit of {job.wall_seconds:,} seconds."
    return {"what": what, "where": "", "remedy": "Give it fewer data, or ask for more time."}


def _error(folder: Path, code: int | None) -> dict[str, Any]:
    """Read what was wrong; a process that was killed says nothing."""
    try:
        found: dict[str, Any] = json.loads((folder / "error.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        how = f"was killed by signal {-code}" if code is not None and code < 0 else f"ended with code {code}"
        return {"what": f"The process {how}.", "where": "", "remedy": "It may have needed more memory than there is."}
    return found
