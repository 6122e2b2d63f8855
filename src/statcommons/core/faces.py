"""The faces of a method that are made from its spec alone: OGC process, form, page, and the call in four ways.

The other two, the Python call and the command, are :class:`statcommons.core.method.Method` and the command line.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from statcommons.core.spec import InputSpec, MethodSpec, OutputSpec, ParameterSpec

__all__ = ["calls", "form", "ogc_process", "page"]

FORMATS = ("text/csv", "application/vnd.apache.parquet", "application/vnd.apache.arrow.file")


def ogc_process(spec: MethodSpec) -> dict[str, Any]:
    """Describe a method as an OGC API process, the form in which any client can call it.

    Parameters
    ----------
    spec : MethodSpec
        The method.

    Returns
    -------
    dict
        A process description, valid in version 1.0 and in the draft of 2.0.

    References
    ----------
    OGC 18-062r2, OGC API - Processes - Part 1: Core, clause 7.10.

    Examples
    --------
    >>> ogc_process(MethodSpec("demo.double", "1.0.0", "Double a number"))["jobControlOptions"]
    ['sync-execute', 'async-execute', 'dismiss']
    """
    inputs: dict[str, Any] = {}
    for one in spec.inputs:
        inputs[one.name] = {
            "title": _words(one.name),
            "description": one.description or one.schema.description,
            "minOccurs": 1 if one.required else 0,
            "maxOccurs": "unbounded" if one.kind == "tables" else 1,
            "schema": {"oneOf": [_file(media) for media in FORMATS]},
            "metadata": [{"role": "schema", "title": one.schema.name, "value": one.schema.as_table_schema()}],
        }
    for parameter in spec.parameters:
        inputs[parameter.name] = {
            "title": _words(parameter.name),
            "description": parameter.description,
            "minOccurs": 1 if parameter.required else 0,
            "maxOccurs": 1,
            "schema": _openapi(parameter.schema) | _default(parameter),
            "metadata": [{"role": "unit", "title": parameter.unit}] if parameter.unit else [],
        }
    return {
        "id": spec.id,
        "version": spec.version,
        "title": spec.title,
        "description": spec.description or spec.title,
        "keywords": [word for word in (spec.topic, f"GSBPM {spec.gsbpm}" if spec.gsbpm else "") if word],
        "metadata": [{"role": "reference", "title": reference} for reference in spec.references],
        "jobControlOptions": ["sync-execute", "async-execute", "dismiss"],
        "outputTransmission": ["value", "reference"],
        "inputs": inputs,
        "outputs": {one.name: _ogc_output(one) for one in spec.outputs},
        "links": [],
    }


def _file(media: str) -> dict[str, Any]:
    binary = {} if media.startswith("text/") else {"contentEncoding": "binary"}
    return {"type": "string", "contentMediaType": media} | binary


def _ogc_output(output: OutputSpec) -> dict[str, Any]:
    return {
        "title": _words(output.name),
        "description": output.description or output.schema.description,
        "schema": {"oneOf": [_file(media) for media in FORMATS]},
        "metadata": [{"role": "schema", "title": output.schema.name, "value": output.schema.as_table_schema()}],
    }


def _openapi(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Write a JSON Schema as OpenAPI 3.0 has it, as OGC wants: no null type, bounds that exclude by a flag."""
    plain = {
        name: value
        for name, value in schema.items()
        if name not in ("const", "anyOf", "exclusiveMinimum", "exclusiveMaximum")
    }
    if "const" in schema:
        plain["enum"] = [schema["const"]]
    if "not" in schema:
        plain["not"] = _openapi(schema["not"])
    options = [option for option in schema.get("anyOf", ()) if option.get("type") != "null"]
    if options:
        inner = [_openapi(option) for option in options]
        plain |= inner[0] if len(inner) == 1 else {"oneOf": inner}
        if len(options) < len(schema["anyOf"]):
            plain["nullable"] = True
    for bound in ("Minimum", "Maximum"):
        if f"exclusive{bound}" in schema:
            plain |= {bound.lower(): schema[f"exclusive{bound}"], f"exclusive{bound}": True}
    if "items" in plain:
        plain["items"] = _openapi(plain["items"])
    return plain


def _default(parameter: ParameterSpec) -> dict[str, Any]:
    return {} if parameter.required or parameter.default is None else {"default": parameter.default}


def form(spec: MethodSpec) -> dict[str, Any]:
    """Give the JSON Schema of a method's form: what a web page asks for, with units as ``x-unit``.

    Inputs come first (``x-kind`` says that a file is wanted), then parameters in the order of the signature.

    Parameters
    ----------
    spec : MethodSpec
        The method.

    Returns
    -------
    dict
        JSON Schema 2020-12.

    Examples
    --------
    >>> form(MethodSpec("demo.double", "1.0.0", "Double a number"))["title"]
    'Double a number'
    """
    properties: dict[str, Any] = {}
    for one in spec.inputs:
        properties[one.name] = {
            "type": "string",
            "format": "uri-reference",
            "title": _words(one.name),
            "description": one.description or one.schema.description,
            "x-kind": one.kind,
            "x-columns": [column.name for column in one.schema if column.required],
        }
    for parameter in spec.parameters:
        extra = {"title": _words(parameter.name), "description": parameter.description} | _unit(parameter)
        default = {} if parameter.required else {"default": parameter.default}
        properties[parameter.name] = dict(parameter.schema) | extra | default
    required = [one.name for one in spec.inputs if one.required]
    required += [one.name for one in spec.parameters if one.required]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": spec.title,
        "description": spec.description,
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": False,
    }


def page(spec: MethodSpec) -> str:
    """Write the documentation page of a method, in Markdown.

    Parameters
    ----------
    spec : MethodSpec
        The method.

    Returns
    -------
    str
        Title, purpose, inputs, parameters, outputs, errors, references, and how to run it.

    Examples
    --------
    >>> print(page(MethodSpec("demo.double", "1.0.0", "Double a number")).splitlines()[0])
    # Double a number
    """
    exact = "The same inputs give the same bytes on every engine." if spec.exact else "Engines agree to 1e-12."
    facts = [
        f"`{spec.id}` {spec.version}",
        spec.topic,
        f"GSBPM {spec.gsbpm}" if spec.gsbpm else "",
        spec.licence,
        exact,
    ]
    parts = [f"# {spec.title}", " · ".join(fact for fact in facts if fact), spec.description, "## Run it"]
    for language, code in calls(spec).items():
        parts.append(f"```{language}\n{code}\n```")
    for one in spec.inputs:
        parts.append(f"## Input `{one.name}`{'' if one.required else ' (optional)'}")
        parts += [one.description, one.schema.description, one.schema.as_markdown()]
    if spec.parameters:
        rows = ["| parameter | default | allowed | unit | what |", "|---|---|---|---|---|"]
        for parameter in spec.parameters:
            default = "required" if parameter.required else f"`{parameter.default}`"
            cells = (f"`{parameter.name}`", default, parameter.allowed(), parameter.unit, parameter.description)
            rows.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
        parts += ["## Parameters", "\n".join(rows)]
    for output in spec.outputs:
        parts += [
            f"## Output `{output.name}`",
            output.description,
            output.schema.description,
            output.schema.as_markdown(),
        ]
    if spec.errors:
        parts += ["## Errors", "\n".join(f"- **{name}**: {text}" for name, text in spec.errors.items())]
    if spec.references:
        parts += ["## References", "\n".join(f"- {reference}" for reference in spec.references)]
    if spec.example:
        parts += ["## Example", f"```python\n{spec.example}\n```"]
    return "\n\n".join(part for part in parts if part) + "\n"


def calls(spec: MethodSpec) -> dict[str, str]:
    """Write the call of a method in the shell and in Python, with its first parameter, to copy.

    Parameters
    ----------
    spec : MethodSpec
        The method.

    Examples
    --------
    >>> print(calls(MethodSpec("demo.double", "1.0.0", "Double a number"))["sh"])
    statcommons run demo.double --out result
    """
    needed: list[InputSpec | ParameterSpec] = [one for one in spec.inputs if one.required]
    shown = [one for one in spec.parameters if one.required] or list(spec.parameters[:1])
    words = [f"--{one.name.replace('_', '-')} {one.name}.csv" for one in needed]
    words += [f"--{one.name.replace('_', '-')} {_shown(one)}" for one in shown]
    domain = spec.id.partition(".")[0]
    arguments = [f'"{one.name}.csv"' for one in needed] + [f"{one.name}={_shown(one)!r}" for one in shown]
    shell = {"sh": " ".join(["statcommons run", spec.id, *words, "--out result"])}
    if "python" not in spec.entry:
        return shell
    module, _, function = spec.entry["python"].partition(":")
    package = f"statcommons.{domain}" if module.startswith("statcommons.") else module
    return shell | {"python": f"from {package} import {function}\n\nresult = {function}({', '.join(arguments)})"}


def _shown(parameter: ParameterSpec) -> Any:
    if not parameter.required:
        return parameter.default
    return next(iter(parameter.schema.get("enum", ["VALUE"])))


def _words(name: str) -> str:
    return name.replace("_", " ").capitalize()


def _unit(parameter: ParameterSpec) -> dict[str, str]:
    return {"x-unit": parameter.unit} if parameter.unit else {}
