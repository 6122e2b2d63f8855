"""What OGC API - Processes says of methods and jobs: bodies that hold in version 1.0 and in the draft of 2.0.

References
----------
OGC 18-062r2, OGC API - Processes - Part 1: Core; draft 2.0 (2.0rc1), https://github.com/opengeospatial/ogcapi-processes
"""

from __future__ import annotations

from typing import Any

from statcommons.core.faces import ogc_process
from statcommons.core.spec import MethodSpec
from statcommons.hub.methods.models import Job

__all__ = ["conformance", "exception", "landing", "link", "process", "status", "summary"]

PART = "http://www.opengis.net/spec/ogcapi-processes-1"
CLASSES = ("core", "json", "ogc-process-description", "job-list", "dismiss")
EXCEPTIONS = "http://www.opengis.net/def/exceptions/ogcapi-processes-1/1.0"
RELATIONS = "http://www.opengis.net/def/rel/ogc/1.0"
MEDIA = {"csv": "text/csv", "parquet": "application/vnd.apache.parquet"}
"""The media types of an output, by the format asked for."""


def link(base: str, path: str, rel: str, title: str, media: str = "application/json") -> dict[str, str]:
    """Make a link.

    Parameters
    ----------
    base : str
        The address of the hub.
    path : str
        Behind it.
    rel, title, media : str
        What is there.
    """
    return {"href": f"{base}{path}", "rel": rel, "type": media, "title": title}


def landing(base: str, office: str) -> dict[str, Any]:
    """Give the first page of the service for programs."""
    return {
        "title": f"Methods of {office}" if office else "Methods",
        "description": "Methods of official statistics: each checks its data, computes, and seals the result.",
        "links": [
            link(base, "/api", "self", "this document"),
            link(base, "/conformance", f"{RELATIONS}/conformance", "what this service conforms to"),
            link(base, "/processes", f"{RELATIONS}/processes", "the methods"),
            link(base, "/jobs", f"{RELATIONS}/job-list", "your jobs"),
        ],
    }


def conformance() -> dict[str, Any]:
    """Say which parts of the standard hold."""
    return {"conformsTo": [f"{PART}/{version}/conf/{name}" for version in ("1.0", "2.0") for name in CLASSES]}


def summary(spec: MethodSpec, base: str) -> dict[str, Any]:
    """Give a method as the list of methods has it."""
    whole = process(spec, base)
    names = ("id", "version", "title", "description", "keywords", "jobControlOptions", "outputTransmission", "links")
    return {name: whole[name] for name in names}


def process(spec: MethodSpec, base: str) -> dict[str, Any]:
    """Give a method as a process. A job is always put in the queue, and results are given by their address."""
    place = f"/processes/{spec.id}"
    return ogc_process(spec) | {
        "jobControlOptions": ["async-execute", "dismiss"],
        "outputTransmission": ["reference"],
        "links": [
            link(base, place, "self", "this description"),
            link(base, f"{place}/execution", f"{RELATIONS}/execute", "run it"),
        ],
    }


def status(job: Job, base: str) -> dict[str, Any]:
    """Give how a job stands."""
    place = f"/jobs/{job.pk}"
    links = [link(base, place, "self", "how it stands")]
    if job.status == Job.Status.SUCCESSFUL:
        links.append(link(base, f"{place}/results", f"{RELATIONS}/results", "what it gave"))
    words = str((job.error or {}).get("what", "")) if job.status == Job.Status.FAILED else job.message
    times = {"created": job.created, "started": job.started, "finished": job.finished}
    return {
        "jobID": str(job.pk),
        "id": str(job.pk),
        "processID": job.method.method,
        "type": "process",
        "processingEntityType": "ogc-api-processes",
        "status": job.status,
        **({"message": words} if words else {}),
        **({"progress": round(100 * job.progress)} if job.progress is not None else {}),
        **{name: when.isoformat().replace("+00:00", "Z") for name, when in times.items() if when},
        "links": links,
    }


def exception(status: int, title: str, detail: str = "", type: str = "") -> dict[str, Any]:
    """Say what was wrong.

    Parameters
    ----------
    status : int
        Of HTTP.
    title, detail : str
        What was wrong, and what to do.
    type : str
        The last part of the address by which the standard names it; none where it has no name for it.
    """
    named = f"{EXCEPTIONS}/{type}" if type else "about:blank"
    return {"type": named, "title": title, "status": status, **({"detail": detail} if detail else {})}
