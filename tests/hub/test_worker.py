"""The worker: a job becomes a run in a process of its own, or says why not; who kills what loses nothing."""

import json
import os
import signal
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path

import pytest
from django.db.models.functions import Now

from statcommons.core.run import load_run
from statcommons.hub.methods.models import Job
from statcommons.hub.methods.queue import cancel, claim, submit
from statcommons.hub.methods.shelf import find
from statcommons.hub.methods.worker import Worker

HEAD = "time,product,price,quantity\n"
SALES = HEAD + "2026-01-05,a,2.0,1\n2026-01-09,a,3.0,3\n"


@pytest.fixture
def sales(tmp_path):
    file = tmp_path / "sales.csv"
    file.write_text(SALES)
    return str(file)


def asked(*files, method="prices.unit_values", options=None, **parameters):
    return submit(find(method), {"transactions": list(files)}, parameters, options=options)


def done(hub):
    """Let a worker do one job; gives it."""
    assert Worker(hub, "w").work()
    return Job.objects.get()


def nothing_left(hub):
    return [one.name for name in ("jobs", "runs") for one in (hub.path / name).glob("*")] == []


def test_a_job_becomes_a_sealed_run(hub, sales):
    waiting = asked(sales)
    job = done(hub)
    assert (job.status, job.error) == ("successful", None)
    assert job.run == waiting.run_id
    run = load_run(job.run, hub.path)
    assert run.id == job.run
    assert run.output()["price"].to_pylist() == [2.75]
    assert [one.name for one in (hub.path / "jobs").iterdir()] == []
    assert not Worker(hub).work()


def test_what_is_wrong_with_the_data_is_told_as_the_command_line_tells_it(hub, tmp_path):
    (tmp_path / "bad.csv").write_text(HEAD + "2026-01-05,a,-2.0,1\n")
    asked(str(tmp_path / "bad.csv"))
    job = done(hub)
    assert job.status == "failed"
    assert (job.error["error"], job.error["exit_code"]) == ("BadRows", 65)
    assert "price" in json.dumps(job.error)
    assert nothing_left(hub)


def test_bad_rows_are_set_aside_where_that_is_asked(hub, tmp_path):
    (tmp_path / "bad.csv").write_text(SALES + "2026-01-05,a,-2.0,1\n")
    asked(str(tmp_path / "bad.csv"), options={"on_bad_rows": "set_aside"})
    job = done(hub)
    assert job.status == "successful"
    assert load_run(job.run, hub.path).output()["price"].to_pylist() == [2.75]


SLEEPY = """
import time
import statcommons.core.run
from statcommons.core.progress import step

def run(*given, **named):
    with step("Sleep", total=4) as progress:
        progress.advance()
        time.sleep(120)

statcommons.core.run.run = run
"""


@pytest.fixture
def sleepy(tmp_path, monkeypatch):
    """Let every method sleep in its process, once it has said how far it is."""
    folder = tmp_path / "sleepy"
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(SLEEPY)
    monkeypatch.setenv("PYTHONPATH", f"{folder}{os.pathsep}{os.environ.get('PYTHONPATH', '')}")


@pytest.mark.usefixtures("sleepy")
def test_a_job_that_runs_too_long_is_ended(hub, sales):
    Job.objects.filter(pk=asked(sales).pk).update(wall_seconds=2)
    job = done(hub)
    assert job.status == "failed"
    assert job.error["what"] == "It ran longer than its limit of 2 seconds."
    assert (job.progress, job.message) == (0.25, "Sleep")
    assert nothing_left(hub)


def worker_of(hub):
    command = [sys.executable, "-c", "from statcommons.cli.main import main; main()", "worker", "--workspace", hub.path]
    return subprocess.Popen(command, stderr=subprocess.DEVNULL)


def until(condition, seconds=60):
    end = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < end, "it did not come"
        time.sleep(0.1)
    return found


def children(parent):
    """Give the processes whose parent is this one."""
    found = []
    for status in Path("/proc").glob("[0-9]*/status"):
        try:
            text = status.read_text()
        except OSError:
            continue
        if f"PPid:\t{parent}\n" in text and "State:\tZ" not in text:
            found.append(int(status.parent.name))
    return found


def alive(process):
    return Path(f"/proc/{process}").exists()


@pytest.mark.usefixtures("sleepy")
def test_a_job_that_runs_is_cancelled_with_its_process(hub, sales):
    waiting = asked(sales)
    with worker_of(hub) as process:
        until(lambda: Job.objects.get().message == "Sleep")
        [child] = children(process.pid)
        cancel(waiting.pk)
        until(lambda: Job.objects.get().status == "dismissed")
        assert not alive(child)
        process.terminate()
        assert process.wait(20) == 0
    assert nothing_left(hub)


@pytest.mark.usefixtures("sleepy")
def test_a_worker_that_is_killed_takes_its_process_along_and_another_does_the_job(hub, sales, monkeypatch):
    asked(sales)
    with worker_of(hub) as process:
        until(lambda: Job.objects.get().message == "Sleep")
        [child] = children(process.pid)
        process.send_signal(signal.SIGKILL)
        process.wait()
        until(lambda: not alive(child))
    assert claim("another") is None  # the lease is not over yet
    Job.objects.update(lease_until=Now() - timedelta(seconds=1))
    monkeypatch.setenv("PYTHONPATH", os.environ["PYTHONPATH"].partition(os.pathsep)[2])
    job = done(hub)
    assert (job.status, job.attempt) == ("successful", 2)
    assert [one.name for one in hub.runs.iterdir()] == [job.run]
