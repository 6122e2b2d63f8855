"""The research object of a run: RO-Crate 1.1 metadata with the profile Workflow Run Crate.

The method is the workflow, its inputs and parameters are formal parameters, the run is the action that gave them values
and made the outputs. Inputs stay where they are: they are named by their digest (RFC 6920), never by a place.

References
----------
.. [1] RO-Crate Metadata Specification 1.1, https://w3id.org/ro/crate/1.1
.. [2] Leo et al., *Recording provenance of workflow runs with RO-Crate*, PLOS ONE 19(9), 2024; profiles process,
   workflow 0.5, https://w3id.org/ro/wfrun/workflow/0.5
"""

from __future__ import annotations

import base64
import datetime
import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from statcommons.core.errors import StatCommonsError
from statcommons.core.registry import find_source
from statcommons.core.spec import MethodSpec

if TYPE_CHECKING:
    from statcommons.core.source import SourceSpec

__all__ = ["crate", "source_of"]

CONTEXT = [
    "https://w3id.org/ro/crate/1.1/context",
    # The one term that we use of https://w3id.org/ro/terms/workflow-run/context; so a reader needs no second context.
    {"sha256": "https://w3id.org/ro/terms/workflow-run#sha256"},
]
PROFILES = {
    "https://w3id.org/ro/wfrun/process/0.5": ("Process Run Crate", "0.5"),
    "https://w3id.org/ro/wfrun/workflow/0.5": ("Workflow Run Crate", "0.5"),
    "https://w3id.org/workflowhub/workflow-ro-crate/1.0": ("Workflow RO-Crate", "1.0"),
}
FORMAL = "https://bioschemas.org/profiles/FormalParameter/1.0-RELEASE"
WORKFLOW = "https://bioschemas.org/profiles/ComputationalWorkflow/1.0-RELEASE"
MEDIA = {
    ".parquet": "application/vnd.apache.parquet",
    ".html": "text/html",
    ".json": "application/json",
    ".toml": "application/toml",
    ".csv": "text/csv",
    ".tsv": "text/tab-separated-values",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
KINDS = {"integer": "Integer", "number": "Float", "boolean": "Boolean", "string": "Text"}

Entity = dict[str, Any]


def crate(folder: Path, facts: Mapping[str, Any], spec: MethodSpec) -> dict[str, Any]:
    """Describe a run as a research object.

    Parameters
    ----------
    folder : pathlib.Path
        The run's folder, whose public files are weighed and hashed; ``private/`` is not read and not named.
    facts : mapping
        What ``run.json`` holds.
    spec : MethodSpec
        The method.

    Returns
    -------
    dict
        What ``ro-crate-metadata.json`` holds. The same run gives the same description.
    """
    inputs = [one for name in facts["inputs"] for one in _inputs(name, facts["inputs"][name]["tables"])]
    values = [_value(name, value) for name, value in facts["parameters"].items() if value is not None]
    outputs = [_output(folder, name, one, spec) for name, one in facts["outputs"].items()]
    papers = [_file(folder / name, name, about) for name, about in PAPERS.items() if (folder / name).is_file()]
    method = _method(folder, facts, spec)
    files = [method, *outputs, *papers, *(one for one in inputs if one["@id"].startswith("ni:"))]
    graph = [
        {
            "@id": "ro-crate-metadata.json",
            "@type": "CreativeWork",
            "about": _to("./"),
            "conformsTo": [
                _to("https://w3id.org/ro/crate/1.1"),
                _to("https://w3id.org/workflowhub/workflow-ro-crate/1.0"),
            ],
        },
        _root(facts, spec, files),
        *[
            {"@id": id, "@type": "CreativeWork", "name": name, "version": version}
            for id, (name, version) in PROFILES.items()
        ],
        *_licences(spec, inputs),
        _action(facts, spec, inputs, values, outputs),
        method,
        LANGUAGE,
        *_formal(spec, facts),
        *values,
        *_distinct(inputs),
        *outputs,
        *papers,
        *_software(facts),
    ]
    return {"@context": CONTEXT, "@graph": [_compact(entity) for entity in graph]}


def _compact(entity: Entity) -> Entity:
    """Write a list of one as the one, as RO-Crate asks."""
    return {name: one[0] if isinstance(one, list) and len(one) == 1 else one for name, one in entity.items()}


def source_of(table: Mapping[str, Any]) -> SourceSpec | None:
    """Give the description of the source that an input came from; None where it came from elsewhere.

    Parameters
    ----------
    table : mapping
        The facts of one table of an input.

    Examples
    --------
    >>> source_of({"source": "source:prices.complete_journey"}).licence
    'MIT (code of the package)'
    >>> source_of({"files": [{"name": "sales.csv"}]}) is None
    True
    """
    reference = str(table.get("source", ""))
    if not reference:
        return None
    try:
        return find_source(reference.removeprefix("source:").partition("?")[0]).spec
    except (StatCommonsError, ImportError):  # a source that is installed no more; the run keeps its name
        return None


PAPERS = {
    "report.html": "The report: what ran, on what, with which result, and how good it is",
    "run.json": "The facts of the run, as a program reads them",
}
LANGUAGE: Entity = {
    "@id": "#method-toml",
    "@type": "ComputerLanguage",
    "name": "Stat Commons method description",
    "description": "method.toml: inputs, parameters and outputs of a method, and the function that computes it",
}


def _to(id: str) -> dict[str, str]:
    return {"@id": id}


def _ends(facts: Mapping[str, Any]) -> tuple[str, str]:
    """Give start and end in the form that the profile asks for (+00:00, whole seconds)."""
    end = datetime.datetime.fromisoformat(facts["created"]).replace(microsecond=0)
    start = end - datetime.timedelta(seconds=round(facts["seconds"]))
    return start.isoformat(), end.isoformat()


def _root(facts: Mapping[str, Any], spec: MethodSpec, files: list[Entity]) -> Entity:
    return {
        "@id": "./",
        "@type": "Dataset",
        "name": f"{spec.title}: run {facts['id']}",
        "description": f"Outputs of {spec.id} {spec.version}, with the report and what is needed to repeat it.",
        "datePublished": facts["created"],
        "identifier": facts["id"],
        "license": _to("#licence"),
        "conformsTo": [_to(id) for id in PROFILES],
        "mainEntity": _to("method.toml"),
        "mentions": [_to("#run")],
        "hasPart": [_to(one["@id"]) for one in _distinct(files)],
    }


def _distinct(entities: Iterable[Entity]) -> list[Entity]:
    """Keep one of those with the same id: a file that two inputs share is one file."""
    return list({one["@id"]: one for one in entities}.values())


def _licences(spec: MethodSpec, inputs: list[Entity]) -> list[Entity]:
    """Say under what the results may be used: what the inputs allow."""
    stated = sorted({one["usageInfo"] for one in inputs if "usageInfo" in one})
    words = f" Stated: {'; '.join(stated)}." if stated else ""
    results = {
        "@id": "#licence",
        "@type": "CreativeWork",
        "name": "As the strictest of the inputs",
        "description": f"The outputs may be used as the strictest of the inputs allows.{words}",
    }
    of_method = {"@id": f"https://spdx.org/licenses/{spec.licence}", "@type": "CreativeWork", "name": spec.licence}
    return [results, of_method]


def _action(
    facts: Mapping[str, Any], spec: MethodSpec, inputs: list[Entity], values: list[Entity], outputs: list[Entity]
) -> Entity:
    start, end = _ends(facts)
    return {
        "@id": "#run",
        "@type": "CreateAction",
        "name": f"Run {facts['id']} of {spec.id} {spec.version}",
        "description": f"{spec.title}, by {facts['engine']['name']}",
        "startTime": start,
        "endTime": end,
        "actionStatus": "http://schema.org/CompletedActionStatus",
        "instrument": _to("method.toml"),
        "object": [_to(one["@id"]) for one in _distinct([*inputs, *values])],
        "result": [_to(one["@id"]) for one in outputs],
    }


def _method(folder: Path, facts: Mapping[str, Any], spec: MethodSpec) -> Entity:
    described = _file(folder / "method.toml", "method.toml", spec.title)
    given = [name for name, value in facts["parameters"].items() if value is not None]
    return described | {
        "@type": ["File", "SoftwareSourceCode", "ComputationalWorkflow"],
        "identifier": spec.id,
        "version": spec.version,
        "license": _to(f"https://spdx.org/licenses/{spec.licence}"),
        "programmingLanguage": _to("#method-toml"),
        "conformsTo": _to(WORKFLOW),
        "input": [_to(f"#input-{name}") for name in facts["inputs"]] + [_to(f"#parameter-{name}") for name in given],
        "output": [_to(f"#output-{name}") for name in facts["outputs"]],
        "softwareRequirements": [_to("#statcommons"), _to("#engine"), _to("#python")],
        **({"citation": list(spec.references)} if spec.references else {}),
    }


def _formal(spec: MethodSpec, facts: Mapping[str, Any]) -> list[Entity]:
    """Describe the formal parameters that this run filled: inputs, parameters, outputs."""

    def one(kind: str, name: str, type: str, about: str, examples: list[str], **more: Any) -> Entity:
        entity: Entity = {"@id": f"#{kind}-{name}", "@type": "FormalParameter", "additionalType": type, "name": name}
        entity |= {"conformsTo": _to(FORMAL), "workExample": [_to(example) for example in examples]}
        return entity | ({"description": about} if about else {}) | more

    found = []
    for given in spec.inputs:
        if given.name in facts["inputs"]:
            examples = [entity["@id"] for entity in _inputs(given.name, facts["inputs"][given.name]["tables"])]
            kind = "File" if all(id.startswith("ni:") for id in examples) else "Dataset"
            about = given.description or given.schema.description
            found.append(
                one("input", given.name, kind, about, list(dict.fromkeys(examples)), valueRequired=given.required)
            )
    for parameter in spec.parameters:
        if facts["parameters"].get(parameter.name) is not None:
            kind = KINDS.get(str(parameter.schema.get("type", "string")), "Text")
            more: dict[str, Any] = {"valueRequired": parameter.required}
            more |= {"unitText": parameter.unit} if parameter.unit else {}
            more |= {} if parameter.default is None else {"defaultValue": _written(parameter.default)}
            found.append(
                one("parameter", parameter.name, kind, parameter.description, [f"#value-{parameter.name}"], **more)
            )
    for output in spec.outputs:
        if output.name in facts["outputs"]:
            about = output.description or output.schema.description
            found.append(one("output", output.name, "File", about, [str(facts["outputs"][output.name]["file"])]))
    return found


def _value(name: str, value: Any) -> Entity:
    return {
        "@id": f"#value-{name}",
        "@type": "PropertyValue",
        "name": name,
        "value": _written(value),
        "exampleOfWork": _to(f"#parameter-{name}"),
    }


def _written(value: Any) -> Any:
    """Write a value as JSON-LD keeps it: lists would lose their order."""
    if isinstance(value, bool):
        return "True" if value else "False"
    return ",".join(str(one) for one in value) if isinstance(value, list | tuple) else value


def _inputs(name: str, tables: list[Mapping[str, Any]]) -> list[Entity]:
    """Describe the tables of an input: each file by its digest, a table without files by the digest of its content."""
    found: list[Entity] = []
    for place, table in enumerate(tables, 1):
        facts: Entity = {"exampleOfWork": _to(f"#input-{name}")}
        files = table.get("files", ())
        for file in files:
            plain = Path(str(file["name"])).name
            entity = {"@id": _by_digest(file["sha256"]), "@type": "File", "name": plain, "sha256": file["sha256"]}
            found.append(entity | {"contentSize": str(file["bytes"]), "encodingFormat": _media(plain)} | facts)
        if not files:
            label = name if len(tables) == 1 else f"{name} {place}"
            entity = {
                "@id": f"#{label.replace(' ', '-')}",
                "@type": "Dataset",
                "name": label,
                "sha256": table["digest"],
            }
            about = f"{table['rows']} rows; the digest is of their content."
            if source := source_of(table):
                entity |= {"name": source.method.title, "version": source.method.version, "usageInfo": source.licence}
                about += f" Published by {source.publisher}."
            entity |= {"identifier": table["source"]} if table.get("source") else {}
            found.append(entity | {"description": about} | facts)
    return found


def _by_digest(sha256: str) -> str:
    """Name a content by its digest, as RFC 6920 does, so that no place stands in the crate.

    >>> _by_digest("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
    'ni:///sha-256;47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU'
    """
    return "ni:///sha-256;" + base64.urlsafe_b64encode(bytes.fromhex(sha256)).decode().rstrip("=")


def _output(folder: Path, name: str, fact: Mapping[str, Any], spec: MethodSpec) -> Entity:
    about = next((one.description or one.schema.description for one in spec.outputs if one.name == name), "")
    described = _file(folder / str(fact["file"]), str(fact["file"]), about or name)
    content = {"identifier": f"sha256 of the content: {fact['digest']}"}
    return (
        described
        | {"name": name, "description": f"{about} {fact['rows']} rows.".strip()}
        | content
        | {"exampleOfWork": _to(f"#output-{name}")}
    )


def _file(path: Path, id: str, name: str) -> Entity:
    with path.open("rb") as opened:
        digest = hashlib.file_digest(opened, "sha256").hexdigest()
    entity = {"@id": id, "@type": "File", "name": name, "encodingFormat": _media(id)}
    return entity | {"contentSize": str(path.stat().st_size), "sha256": digest}


def _media(name: str) -> str:
    return MEDIA.get(Path(name.removesuffix(".gz")).suffix.lower(), "application/octet-stream")


def _software(facts: Mapping[str, Any]) -> list[Entity]:
    environment = facts["environment"]
    name, _, version = str(facts["engine"]["name"]).partition(" ")
    found = [
        ("#statcommons", "Stat Commons", environment["statcommons"]),
        ("#engine", name, version),
        ("#python", "Python", environment["python"]),
    ]
    software: list[Entity] = [
        {"@id": id, "@type": "SoftwareApplication", "name": name, "softwareVersion": version}
        for id, name, version in found
    ]
    software[0]["description"] = f"sha256 of the code of the method: {facts['method']['code']}"
    software[2]["description"] = f"sha256 of the names and versions of all packages: {environment['packages']}"
    return software
