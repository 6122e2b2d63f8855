"""The queue: each job is done at least once and ends exactly once, whoever dies when."""

import datetime as dt
import threading
from uuid import uuid4

import pytest
from django.db import close_old_connections, connection
from django.db.models.functions import Now

from statcommons.core.errors import BadCall, NoInput
from statcommons.hub.methods import queue
from statcommons.hub.methods.models import Job
from statcommons.hub.methods.queue import ATTEMPTS, Order, beat, cancel, claim, fail, postpone, submit, succeed
from statcommons.hub.methods.shelf import find

SALES = {"transactions": ["sales.csv"]}


@pytest.fixture
def method(hub):
    return find("prices.unit_values")


def job(method, **how):
    return submit(method, SALES, {}, **how)


def pass_time(one, seconds=3600):
    """Let a job's lease end."""
    Job.objects.filter(pk=one.pk).update(lease_until=Now() - dt.timedelta(seconds=seconds))


def now(one):
    one.refresh_from_db()
    return one


def test_jobs_are_done_in_turn_and_end_once(method):
    first, second = job(method), job(method)
    assert claim("a") == first
    assert claim("b") == second
    assert claim("c") is None
    held = Job.objects.get(pk=first.pk)
    assert (held.status, held.attempt, held.worker) == ("running", 1, "a")
    assert held.lease_until > held.started
    assert succeed(held, held.run_id)
    assert not succeed(held, held.run_id)
    assert not fail(held, {"what": "late"})
    assert (now(held).status, held.run, held.progress, held.error) == ("successful", held.run_id, 1.0, None)
    assert held.finished >= held.started


def test_a_job_whose_worker_died_is_done_again_and_the_dead_one_is_not_heard(method):
    waiting = job(method)
    dead = claim("a")
    assert claim("b") is None
    pass_time(waiting)
    fresh = claim("b")
    assert (fresh, fresh.attempt, fresh.worker) == (waiting, 2, "b")
    assert fresh.run_id == f"{dead.run_id}-2"
    assert beat(dead, 0.5, "still there") is Order.LOST
    assert not succeed(dead, dead.run_id)
    assert beat(fresh, 0.25, "Sum pairs") is Order.GO_ON
    assert (now(waiting).progress, waiting.message) == (0.25, "Sum pairs")
    assert succeed(fresh, fresh.run_id)
    assert now(waiting).run == fresh.run_id


def test_a_worker_that_comes_back_under_its_own_name_is_not_heard_either(method):
    waiting = job(method)
    dead = claim("a")
    pass_time(waiting)
    fresh = claim("a")
    assert beat(dead) is Order.LOST
    assert beat(fresh) is Order.GO_ON


def test_a_beat_renews_the_lease(method):
    waiting = job(method)
    held = claim("a")
    Job.objects.filter(pk=waiting.pk).update(lease_until=Now() + dt.timedelta(seconds=1))
    before = now(waiting).lease_until
    assert beat(held) is Order.GO_ON
    assert now(waiting).lease_until - before > dt.timedelta(seconds=50)


def test_what_kills_its_workers_has_failed_in_the_end(method):
    waiting = job(method)
    for _ in range(ATTEMPTS):
        assert claim("a") == waiting
        pass_time(waiting)
    assert claim("a") is None
    assert now(waiting).status == "failed"
    assert waiting.error["what"] == "3 workers died while they ran it."


def test_a_job_that_waits_is_cancelled_at_once_and_one_that_runs_by_its_worker(method):
    waiting, running = job(method), job(method)
    assert cancel(waiting.pk).status == "dismissed"
    held = claim("a")
    assert held == running
    assert beat(held) is Order.GO_ON
    assert cancel(running.pk).cancel_requested
    assert beat(held) is Order.CANCEL
    assert queue.dismiss(held)
    assert now(running).status == "dismissed"
    assert cancel(running.pk).status == "dismissed"
    with pytest.raises(NoInput, match="no such job"):
        cancel(uuid4())


def test_a_cancelled_job_of_a_dead_worker_is_dismissed_not_done(method):
    waiting = job(method)
    claim("a")
    cancel(waiting.pk)
    pass_time(waiting)
    assert claim("b") is None
    assert now(waiting).status == "dismissed"


def test_what_is_missing_for_the_moment_is_tried_later_and_not_for_ever(method):
    waiting = job(method)
    for attempt in range(1, ATTEMPTS):
        held = claim("a")
        assert held.attempt == attempt
        assert postpone(held, {"what": "no disk"})
        assert (now(waiting).status, waiting.error) == ("accepted", {"what": "no disk"})
        assert claim("a") is None  # it is not due yet
        Job.objects.filter(pk=waiting.pk).update(due=Now())
    assert postpone(claim("a"), {"what": "no disk"})
    assert now(waiting).status == "failed"


def test_many_workers_never_take_the_same_job(method):
    for _ in range(40):
        job(method)
    taken, lock = [], threading.Lock()

    def work(name):
        while one := claim(name):
            with lock:
                taken.append(one.pk)
        connection.close()

    threads = [threading.Thread(target=work, args=(f"w{number}",)) for number in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    close_old_connections()
    assert len(taken) == len(set(taken)) == 40


@pytest.mark.parametrize(
    ("inputs", "parameters", "what"),
    [
        ({"transaction": ["a"]}, {}, "no input 'transaction'.*transactions"),
        ({}, {}, "input transactions is missing"),
        (SALES, {"zone": 1}, "no parameter 'zone'"),
    ],
)
def test_a_call_that_cannot_be_is_refused_before_it_waits(method, inputs, parameters, what):
    with pytest.raises(BadCall, match=what):
        submit(method, inputs, parameters)
    assert not Job.objects.exists()


def test_an_unknown_method_names_the_nearest(hub):
    with pytest.raises(BadCall, match=r"no method 'prices\.unit_value'.*prices\.unit_values"):
        find("prices.unit_value")
