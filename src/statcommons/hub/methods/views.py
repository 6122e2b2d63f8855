"""Pages of methods and runs; what they do stands in the modules beside."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import FileResponse, Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST, require_safe

from statcommons.core.errors import BadCall
from statcommons.core.faces import calls
from statcommons.core.run import Run
from statcommons.core.spec import MethodSpec
from statcommons.hub.methods import queue
from statcommons.hub.methods.files import kept
from statcommons.hub.methods.models import Job, StoredMethod
from statcommons.hub.methods.services import fields, run_of, typed, visible

PUBLIC = ("outputs", "report.html", "run.json", "ro-crate-metadata.json")
"""What of a run's folder who may see the run may have; ``private/`` is not in it."""

REPORT_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; sandbox"
"""A report is one file with its styles inside; it runs nothing."""


@require_safe
def methods(request: HttpRequest) -> HttpResponse:
    """List the methods by topic."""
    found = StoredMethod.objects.filter(is_current=True)
    by_topic = sorted((one.spec for one in found), key=lambda spec: (spec.topic, spec.title))
    topics = [(topic, list(group)) for topic, group in itertools.groupby(by_topic, key=lambda spec: spec.topic)]
    return render(request, "methods/methods.html", {"topics": topics, "hub": settings.HUB_ID})


def method(request: HttpRequest, hub: str, method: str) -> HttpResponse:
    """Show a method with its form, and take what is typed into it."""
    stored = get_object_or_404(StoredMethod, method=method, is_current=True) if hub == settings.HUB_ID else None
    if stored is None:
        raise Http404
    spec = stored.spec
    asked = fields(spec)
    inputs: dict[str, str] = {}
    if request.method == "POST":
        if not request.user.is_authenticated:
            return redirect("account_login")
        parameters, asked = typed(spec, fields(spec, request.POST))
        files = {one.name: request.FILES.getlist(f"input_{one.name}") for one in spec.inputs}
        inputs = {one.name: "Choose a file." for one in spec.inputs if one.required and not files[one.name]}
        if not inputs and not any(one.error for one in asked):
            references = {name: [str(kept(one)) for one in given] for name, given in files.items() if given}
            try:
                job = queue.submit(stored, references, parameters, owner=request.user)
                return redirect("run", job=job.pk)
            except BadCall as error:
                inputs = {"": str(error)}
    faults = [*inputs.values(), *(one.error for one in asked if one.error)]
    return render(
        request,
        "methods/method.html",
        _about(spec) | {"fields": asked, "inputs": inputs, "faults": faults},
        status=422 if faults else 200,
    )


def _about(spec: MethodSpec) -> dict[str, Any]:
    tables = [{"spec": one, "columns": [column for column in one.schema if column.required]} for one in spec.inputs]
    return {"spec": spec, "tables": tables, "calls": calls(spec)}


@require_safe
@login_required
def runs(request: HttpRequest) -> HttpResponse:
    """List the runs that a person may see, newest first."""
    return render(request, "methods/runs.html", {"jobs": _jobs(request)[:100]})


@require_safe
@login_required
def run(request: HttpRequest, job: UUID) -> HttpResponse:
    """Show how a run goes, or what it gave."""
    return render(request, "methods/run.html", _told(get_object_or_404(_jobs(request), pk=job)))


@require_safe
@login_required
def state(request: HttpRequest, job: UUID) -> HttpResponse:
    """Give the part of the page of a run that changes while it goes."""
    return render(request, "methods/state.html", _told(get_object_or_404(_jobs(request), pk=job)))


@require_POST
@login_required
def cancel(request: HttpRequest, job: UUID) -> HttpResponse:
    """Ask that a run be cancelled."""
    queue.cancel(get_object_or_404(_jobs(request), pk=job).pk, who=request.user)
    return redirect("run", job=job)


@require_safe
@login_required
def report(request: HttpRequest, job: UUID) -> HttpResponseBase:
    """Give the report of a run."""
    response = FileResponse(_public(_run_of(request, job), "report.html").open("rb"), content_type="text/html")
    response.headers["Content-Security-Policy"] = REPORT_POLICY
    return response


@require_safe
@login_required
def file(request: HttpRequest, job: UUID, file: str) -> HttpResponseBase:
    """Give a file of a run to keep."""
    return FileResponse(_public(_run_of(request, job), file).open("rb"), as_attachment=True)


def _jobs(request: HttpRequest) -> Any:
    return visible(Job.objects.select_related("method", "owner"), request.user)


def _run_of(request: HttpRequest, job: UUID) -> Run:
    return run_of(get_object_or_404(_jobs(request), pk=job, status=Job.Status.SUCCESSFUL))


def _public(run: Run, file: str) -> Path:
    path = (run.path / file).resolve()
    inside = path.is_relative_to(run.path.resolve()) and path.relative_to(run.path.resolve()).parts[:1]
    if not inside or inside[0] not in PUBLIC or not path.is_file():
        raise Http404
    return path


def _told(job: Job) -> dict[str, Any]:
    facts: dict[str, Any] = {}
    if job.status == Job.Status.SUCCESSFUL:
        facts = dict(run_of(job).facts)
    percent = None if job.progress is None else round(100 * job.progress)
    ahead = Job.objects.filter(status=Job.Status.ACCEPTED, due__lt=job.due).count()
    return {
        "job": job,
        "spec": job.method.spec,
        "facts": facts,
        "percent": percent,
        "ahead": ahead,
        "hub": settings.HUB_ID,
    }
