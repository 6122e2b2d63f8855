"""Workers are killed at random, again and again: no job is lost, and none has two results."""

import random
import signal
import subprocess
import sys
import time

import pytest

from statcommons.core.run import load_run
from statcommons.hub.methods.models import Job
from statcommons.hub.methods.queue import submit
from statcommons.hub.methods.shelf import find
from statcommons.hub.methods.worker import Worker

LEASE = 3
WORKERS = 2


@pytest.mark.parametrize("seconds", [20, pytest.param(600, marks=pytest.mark.long)])
def test_no_job_is_lost_and_none_has_two_results(hub, tmp_path, seconds):
    sales = tmp_path / "sales.csv"
    sales.write_text("time,product,price,quantity\n2026-01-05,a,2.0,1\n2026-01-09,a,3.0,3\n")
    with (hub.path / "settings.toml").open("a") as settings:
        settings.write(f"[hub]\nlease_seconds = {LEASE}\n")
    chance = random.Random(seconds)
    method = find("prices.unit_values")
    jobs = [submit(method, {"transactions": [str(sales)]}, {}) for _ in range(seconds // 4)]
    command = [sys.executable, "-c", "from statcommons.cli.main import main; main()", "worker", "--workspace", hub.path]
    workers = [subprocess.Popen(command, stderr=subprocess.DEVNULL) for _ in range(WORKERS)]
    kills, end = 0, time.monotonic() + seconds
    try:
        while time.monotonic() < end:
            time.sleep(chance.uniform(0.5, 4))
            at = chance.randrange(WORKERS)
            workers[at].send_signal(signal.SIGKILL)
            workers[at].wait()
            kills += 1
            workers[at] = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        late = time.monotonic() + 200
        while Job.objects.exclude(status__in=Job.FINAL).exists():
            assert time.monotonic() < late, list(Job.objects.values_list("status", "attempt"))
            time.sleep(0.5)
    finally:
        for one in workers:
            one.kill()
            one.wait()
    assert kills >= seconds // 5
    ended = {job.pk: job for job in Job.objects.all()}
    assert ended.keys() == {job.pk for job in jobs}
    Worker(hub).sweep()
    whole = [job for job in ended.values() if job.status == "successful"]
    assert all(load_run(job.run, hub.path).output()["price"].to_pylist() == [2.75] for job in whole)
    # Who was struck three times has failed, and says so; nobody ends in any other way.
    struck = [job.error["what"] for job in ended.values() if job.status != "successful"]
    assert set(struck) <= {"3 workers died while they ran it."}
    assert len(struck) < len(jobs) / 2
    assert {one.name for one in hub.runs.iterdir()} == {job.run for job in whole}
    assert [one.name for one in (hub.path / "jobs").iterdir()] == []
