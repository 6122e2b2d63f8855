"""Methods for programs: OGC API - Processes at ``/processes`` and ``/jobs``."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.views.decorators.csrf import csrf_exempt

from statcommons.core.errors import BadCall
from statcommons.core.spec import MethodSpec
from statcommons.hub.methods import ogc, queue, shelf
from statcommons.hub.methods.files import written
from statcommons.hub.methods.models import Job, StoredMethod
from statcommons.hub.methods.services import run_of, visible
from statcommons.hub.people.models import Person
from statcommons.hub.people.tokens import bearer

__all__ = ["conformance", "execution", "job", "jobs", "landing", "output", "process", "processes", "results"]

MOST, SOME = 1_000, 100
"""How many of a list may be asked for, and how many come unasked."""

SUFFIX = {
    "text/csv": "csv",
    "application/json": "json",
    "application/vnd.apache.parquet": "parquet",
    "application/vnd.apache.arrow.file": "arrow",
}

Asker = Person | AnonymousUser
View = Callable[..., HttpResponseBase]


def answering(*methods: str, scope: str = "read") -> Callable[[View], View]:
    """Make a view for programs: who asks is told by a token, or to read by a session; what is wrong is a problem.

    A browser sends no token by itself, so that no page elsewhere can make it run anything.
    """

    def decorate(view: View) -> View:
        @csrf_exempt
        @functools.wraps(view)
        def answer(request: HttpRequest, *words: Any, **named: Any) -> HttpResponseBase:
            if request.method == "HEAD" and "GET" in methods:
                request.method = "GET"
            if request.method not in methods:
                refused = _problem(405, "It cannot be done here.", f"Use {' or '.join(methods)}.")
                refused.headers["Allow"] = ", ".join(methods)
                return refused
            asker: Asker = request.user if request.method == "GET" else AnonymousUser()
            header = request.headers.get("Authorization", "")
            if header:
                token = bearer(header.removeprefix("Bearer ").strip()) if header.startswith("Bearer ") else None
                if token is None:
                    return _unknown("The token is not good, or not any more.")
                wanted = scope if request.method == "GET" else "run"
                if wanted not in token.scopes:
                    return _problem(403, f"The token is not good for {wanted}.", "Make one that is.")
                asker = token.person
            try:
                return view(request, asker, *words, **named)
            except BadCall as error:
                return _problem(400, error.what, error.remedy)

        return answer

    return decorate


@answering("GET")
def landing(request: HttpRequest, asker: Asker) -> HttpResponseBase:
    """Give the first page of the service."""
    return JsonResponse(ogc.landing(_base(request), settings.HUB_NAME))


@answering("GET")
def conformance(request: HttpRequest, asker: Asker) -> HttpResponseBase:
    """Say which parts of the standard hold."""
    return JsonResponse(ogc.conformance())


@answering("GET")
def processes(request: HttpRequest, asker: Asker) -> HttpResponseBase:
    """List the methods."""
    base, limit, offset = _base(request), _number(request, "limit", SOME, 1, MOST), _number(request, "offset", 0, 0)
    found = StoredMethod.objects.filter(is_current=True).order_by("method")
    shown = [ogc.summary(one.spec, base) for one in found[offset : offset + limit]]
    links = _paged(request, "/processes", limit, offset, found.count())
    return JsonResponse({"processes": shown, "links": links})


@answering("GET")
def process(request: HttpRequest, asker: Asker, process: str) -> HttpResponseBase:
    """Describe a method."""
    stored = _stored(process)
    return JsonResponse(ogc.process(stored.spec, _base(request))) if stored else _no_process(process)


@answering("POST", scope="run")
def execution(request: HttpRequest, asker: Asker, process: str) -> HttpResponseBase:
    """Put a run of a method into the queue."""
    if not isinstance(asker, Person):
        return _unknown("Who runs a method shows a token.")
    stored = _stored(process)
    if stored is None:
        return _no_process(process)
    try:
        asked = json.loads(request.body)
    except ValueError as error:
        return _problem(400, "The body is not JSON.", f"{error}.")
    if not isinstance(asked, dict) or not isinstance(asked.get("inputs", {}), dict):
        return _problem(400, "The body is no request.", "Give an object with the member inputs, which is an object.")
    tables, parameters = _given(stored.spec, asked.get("inputs", {}))
    made = queue.submit(stored, tables, parameters, owner=asker)
    answer = JsonResponse(ogc.status(made, _base(request)), status=201)
    answer.headers["Location"] = f"{_base(request)}/jobs/{made.pk}"
    answer.headers["Preference-Applied"] = "respond-async"
    return answer


@answering("GET")
def jobs(request: HttpRequest, asker: Asker) -> HttpResponseBase:
    """List the jobs of who asks, newest first."""
    base, limit, offset = _base(request), _number(request, "limit", SOME, 1, MOST), _number(request, "offset", 0, 0)
    found = visible(Job.objects.select_related("method"), asker)
    for name, column in (("status", "status__in"), ("processID", "method__method__in")):
        if name in request.GET:
            found = found.filter(**{column: request.GET[name].split(",")})
    shown = [ogc.status(one, base) for one in found[offset : offset + limit]]
    return JsonResponse({"jobs": shown, "links": _paged(request, "/jobs", limit, offset, found.count())})


@answering("GET", "DELETE")
def job(request: HttpRequest, asker: Asker, job: UUID) -> HttpResponseBase:
    """Say how a job stands, or dismiss it."""
    found = _job(asker, job)
    if found is None:
        return _no_job(job)
    if request.method == "DELETE":
        found = queue.cancel(found.pk, who=asker)
    return JsonResponse(ogc.status(found, _base(request)))


@answering("GET")
def results(request: HttpRequest, asker: Asker, job: UUID) -> HttpResponseBase:
    """Give where the results of a job are."""
    found = _job(asker, job)
    if found is None:
        return _no_job(job)
    if found.status == Job.Status.FAILED:
        error = found.error or {}
        return _problem(int(error.get("status", 422)), str(error.get("what", "")), str(error.get("remedy", "")))
    if found.status != Job.Status.SUCCESSFUL:
        detail = "It was dismissed." if found.status == Job.Status.DISMISSED else "Ask again later."
        return _problem(404, f"The job is {found.status}.", detail, "result-not-ready")
    outputs = run_of(found).facts["outputs"]
    place = f"{_base(request)}/jobs/{found.pk}/results"
    return JsonResponse({name: {"href": f"{place}/{name}", "type": ogc.MEDIA["parquet"]} for name in outputs})


@answering("GET")
def output(request: HttpRequest, asker: Asker, job: UUID, output: str) -> HttpResponseBase:
    """Give an output: Parquet, or CSV by ``?f=csv`` or the header Accept."""
    found = _job(asker, job)
    if found is None or found.status != Job.Status.SUCCESSFUL:
        return _no_job(job) if found is None else _problem(404, "There is no result.", "", "result-not-ready")
    run = run_of(found)
    if output not in run.facts["outputs"]:
        return _problem(404, f"The job has no output {output!r}.", f"It has: {', '.join(run.facts['outputs'])}.")
    wanted = request.GET.get("f") or ("csv" if "text/csv" in request.headers.get("Accept", "") else "parquet")
    if wanted not in ogc.MEDIA:
        return _problem(406, f"There is no format {wanted!r}.", f"Give {' or '.join(ogc.MEDIA)}.")
    name = f"{found.run}-{output}.{wanted}"
    if wanted == "parquet":
        file = run.output_file(output).open("rb")
        return FileResponse(file, content_type=ogc.MEDIA[wanted], filename=name, as_attachment=True)
    import io

    from pyarrow import csv

    text = io.BytesIO()
    csv.write_csv(run.output(output), text)
    text.seek(0)
    return FileResponse(text, content_type=f"{ogc.MEDIA[wanted]}; charset=utf-8", filename=name, as_attachment=True)


# --- what a request gives -------------------------------------------------------------------------------------------


def _given(spec: MethodSpec, inputs: dict[str, Any]) -> tuple[dict[str, list[str]], dict[str, Any]]:
    """Tell tables from parameters; tables come in the request, or are sources of the registry."""
    names = {one.name for one in spec.inputs}
    tables: dict[str, list[str]] = {}
    parameters: dict[str, Any] = {}
    for name, given in inputs.items():
        if name in names:
            tables[name] = [_table(name, one) for one in (given if isinstance(given, list) else [given])]
        else:
            parameters[name] = given["value"] if isinstance(given, dict) and set(given) == {"value"} else given
    return tables, parameters


def _table(name: str, given: Any) -> str:
    if isinstance(given, dict) and str(given.get("href", "")).startswith("source:"):
        return str(given["href"])
    if isinstance(given, dict) and "href" in given:
        # To fetch what a stranger names would let him ask in our name, also where only we may.
        raise BadCall(f"{name} is at {given['href']!r}.", remedy="Send the table itself, or name a source: source:ID.")
    text, media = (given.get("value"), given.get("mediaType")) if isinstance(given, dict) else (given, None)
    suffix = SUFFIX.get(str(media or "text/csv"))
    if not isinstance(text, str) or suffix != "csv":
        raise BadCall(f"{name} is no table that is known.", remedy="Give CSV as text, with mediaType text/csv.")
    return str(written(text.encode(), f"{name}.csv"))


def _number(request: HttpRequest, name: str, default: int, least: int, most: int | None = None) -> int:
    text = request.GET.get(name, str(default))
    if not text.isascii() or not text.isdigit() or int(text) < least:
        raise BadCall(f"{name} is {text!r}.", remedy=f"Give a whole number from {least} up.")
    return min(int(text), most) if most else int(text)


def _stored(process: str) -> StoredMethod | None:
    try:
        return shelf.find(process)
    except BadCall:
        return None


def _job(asker: Asker, job: UUID) -> Job | None:
    return visible(Job.objects.select_related("method"), asker).filter(pk=job).first()


# --- answers --------------------------------------------------------------------------------------------------------


def _base(request: HttpRequest) -> str:
    return request.build_absolute_uri("/").rstrip("/")


def _paged(request: HttpRequest, path: str, limit: int, offset: int, all: int) -> list[dict[str, str]]:
    def page(begin: int, rel: str) -> dict[str, str]:
        asked = request.GET.copy()
        asked["limit"], asked["offset"] = str(limit), str(begin)
        return ogc.link(_base(request), f"{path}?{asked.urlencode()}", rel, f"{rel} page")

    links = [ogc.link(_base(request), request.get_full_path(), "self", "this page")]
    links += [page(offset + limit, "next")] if offset + limit < all else []
    return links + ([page(max(0, offset - limit), "prev")] if offset else [])


def _problem(status: int, title: str, detail: str = "", type: str = "") -> HttpResponse:
    body = ogc.exception(status, title, detail, type)
    return JsonResponse(body, status=status, content_type="application/problem+json")


def _no_process(process: str) -> HttpResponse:
    return _problem(404, f"There is no process {process!r}.", "Look at /processes.", "no-such-process")


def _no_job(job: UUID) -> HttpResponse:
    return _problem(404, f"There is no job {job}.", "Look at /jobs.", "no-such-job")


def _unknown(why: str) -> HttpResponse:
    answer = _problem(401, why, "Make a token at /me/tokens, and show it as: Authorization: Bearer TOKEN.")
    answer.headers["WWW-Authenticate"] = "Bearer"
    return answer
