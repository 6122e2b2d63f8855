"""The queue of jobs: a table in which a worker claims a job for a while, tells how it goes, and ends it.

A worker holds a job by a lease that it renews. When it dies the lease ends, and the next worker claims the job anew,
with the next number of attempt; whatever the first one still says then is not heard. So a job is done at least once and
ends exactly once, whichever process is killed whenever. The clock of leases is that of the database.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from enum import Enum
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.db import models, transaction
from django.db.models import F, Q
from django.db.models.functions import Coalesce, Now

from statcommons.core.errors import BadCall, NoInput, nearest
from statcommons.core.spec import check_parameters
from statcommons.hub.audit.record import record
from statcommons.hub.methods.models import Job, StoredMethod
from statcommons.hub.people.models import Person

__all__ = ["Order", "beat", "cancel", "claim", "fail", "postpone", "submit", "succeed"]

ATTEMPTS = 3
LATER = datetime.timedelta(seconds=30)
"""How long a job waits that found something missing for the moment; twice as long each time."""


class Order(Enum):
    """What a worker is told when it renews its lease."""

    GO_ON = "go on"
    CANCEL = "cancel"
    LOST = "lost"


def submit(
    method: StoredMethod,
    inputs: Mapping[str, list[str]],
    parameters: Mapping[str, Any],
    *,
    owner: Person | None = None,
    options: Mapping[str, Any] | None = None,
) -> Job:
    """Put a run of a method into the queue, once its call is found to be right.

    Parameters
    ----------
    method : StoredMethod
        The version of the method.
    inputs : mapping
        References of tables by the name of the input.
    parameters : mapping
        Parameters by name.
    owner : Person, optional
        Who asks.
    options : mapping, optional
        ``on_bad_rows``, ``seed``, ``memory``, ``threads`` of :func:`statcommons.core.run.run`.

    Raises
    ------
    BadCall
        When an input or parameter is unknown, missing or not allowed.
    """
    spec = method.spec
    known = [one.name for one in spec.inputs]
    for name in inputs:
        if name not in known:
            raise BadCall(f"There is no input {name!r}.", where=spec.id, remedy=nearest(name, known))
    for one in spec.inputs:
        given = inputs.get(one.name, [])
        if one.required and not given:
            raise BadCall(f"The input {one.name} is missing.", where=spec.id, remedy="Give a table.")
        if one.kind == "table" and len(given) > 1:
            raise BadCall(f"{one.name} has {len(given)} tables.", where=spec.id, remedy="Give one.")
    values = check_parameters(spec, parameters)
    with transaction.atomic():
        job = Job.objects.create(
            method=method, owner=owner, inputs=dict(inputs), parameters=values, options=dict(options or {})
        )
        record("job.submitted", f"job:{job.pk}", who=owner, method=str(method))
    return job


def claim(worker: str) -> Job | None:
    """Claim the job that has waited longest, or one whose worker has died; gives none where there is nothing to do.

    A job whose workers died again and again is ended as failed: it is likely to be what kills them.

    Parameters
    ----------
    worker : str
        Who claims.
    """
    waits = Q(status=Job.Status.ACCEPTED, due__lte=Now())
    died = Q(status=Job.Status.RUNNING, lease_until__lt=Now())
    while True:
        with transaction.atomic():
            job = Job.objects.select_for_update(skip_locked=True).filter(waits | died).order_by("due").first()
            if job is None:
                return None
            if job.cancel_requested:
                _end(job, Job.Status.DISMISSED)
                continue
            if job.attempt >= ATTEMPTS:
                what = f"{ATTEMPTS} workers died while they ran it."
                _end(job, Job.Status.FAILED, error={"what": what, "remedy": "Give it fewer data, or more memory."})
                continue
            Job.objects.filter(pk=job.pk).update(
                status=Job.Status.RUNNING,
                attempt=F("attempt") + 1,
                worker=worker,
                lease_until=_leased(),
                started=Coalesce("started", Now()),
                progress=None,
                message="",
            )
            job.refresh_from_db()
            record("job.started", f"job:{job.pk}", who=f"worker:{worker}", attempt=job.attempt)
            return job


def beat(job: Job, progress: float | None = None, message: str = "") -> Order:
    """Renew the lease of a job and tell how it goes; gives what to do now.

    Parameters
    ----------
    job : Job
        As it was claimed.
    progress : float, optional
        The share that is done.
    message : str
        What is being done.
    """
    renewed = _held(job).update(lease_until=_leased(), progress=progress, message=message[:300])
    if not renewed:
        return Order.LOST
    asked = Job.objects.filter(pk=job.pk, cancel_requested=True).exists()
    return Order.CANCEL if asked else Order.GO_ON


def succeed(job: Job, run: str) -> bool:
    """End a job by its run; gives whether it was still the worker's to end.

    Parameters
    ----------
    job : Job
        As it was claimed.
    run : str
        The id of the run.
    """
    return _end(job, Job.Status.SUCCESSFUL, run=run, progress=1.0, message="")


def fail(job: Job, error: Mapping[str, Any]) -> bool:
    """End a job by what was wrong; gives whether it was still the worker's to end.

    Parameters
    ----------
    job : Job
        As it was claimed.
    error : mapping
        What was wrong, where, and what to do.
    """
    return _end(job, Job.Status.FAILED, error=dict(error))


def dismiss(job: Job) -> bool:
    """End a job that its owner does not want any more; gives whether it was still the worker's to end.

    Parameters
    ----------
    job : Job
        As it was claimed.
    """
    return _end(job, Job.Status.DISMISSED)


def postpone(job: Job, error: Mapping[str, Any]) -> bool:
    """Try a job again later, because something was missing for the moment; after some attempts it has failed.

    Parameters
    ----------
    job : Job
        As it was claimed.
    error : mapping
        What was missing.
    """
    if job.attempt >= ATTEMPTS:
        return fail(job, error)
    later = _in(LATER * 2 ** (job.attempt - 1))
    back = {"status": Job.Status.ACCEPTED, "due": later, "worker": "", "lease_until": None, "error": dict(error)}
    with transaction.atomic():
        if held := bool(_held(job).update(**back)):
            record("job.postponed", f"job:{job.pk}", who=f"worker:{job.worker}", attempt=job.attempt)
    return held


def cancel(id: UUID, *, who: Person | AnonymousUser | None = None) -> Job:
    """Ask that a job be cancelled: one that waits is dismissed at once, one that runs is stopped by its worker.

    Parameters
    ----------
    id : UUID
        The job.
    who : Person, optional
        Who asks.

    Raises
    ------
    NoInput
        When there is no such job.
    """
    gone = {"status": Job.Status.DISMISSED, "finished": Now()}
    running = Job.objects.filter(pk=id, status=Job.Status.RUNNING, cancel_requested=False)
    with transaction.atomic():
        if Job.objects.filter(pk=id, status=Job.Status.ACCEPTED).update(**gone):
            record("job.dismissed", f"job:{id}", who=who)
        elif running.update(cancel_requested=True):
            record("job.cancel-requested", f"job:{id}", who=who)
    job = Job.objects.filter(pk=id).first()
    if job is None:
        raise NoInput("There is no such job.", where=str(id), remedy="Look at the list of your jobs.")
    return job


def _held(job: Job) -> models.QuerySet[Job]:
    """Give the job while it is this attempt's."""
    return Job.objects.filter(pk=job.pk, status=Job.Status.RUNNING, attempt=job.attempt, worker=job.worker)


def _end(job: Job, status: Job.Status, **facts: Any) -> bool:
    held = _held(job) if job.status == Job.Status.RUNNING else Job.objects.filter(pk=job.pk, status=job.status)
    with transaction.atomic():
        if ended := bool(held.update(status=status, finished=Now(), lease_until=None, **facts)):
            told = {"attempt": job.attempt} | ({"run": facts["run"]} if facts.get("run") else {})
            record(f"job.{status.value}", f"job:{job.pk}", who=f"worker:{job.worker}" if job.worker else None, **told)
    return ended


def _leased() -> Any:
    return _in(datetime.timedelta(seconds=settings.LEASE_SECONDS))


def _in(span: datetime.timedelta) -> Any:
    return Now() + models.Value(span, output_field=models.DurationField())
