"""A zip file with the data as plain CSV, its code lists, and what describes them: CSVW and a Data Package."""

from __future__ import annotations

import zipfile
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import orjson

from statcommons.sdmx.formats.csv import CELL, FORM, quoted_where_needed
from statcommons.sdmx.formats.jsonstat import one_data_set
from statcommons.sdmx.formats.layout import Options, cell, opened
from statcommons.sdmx.formats.table import Sink, components_of
from statcommons.sdmx.formats.text import Part, line, text_of
from statcommons.sdmx.message import DataSet, Header
from statcommons.sdmx.model import Item, Scheme, Text, in_language
from statcommons.sdmx.structure import Component, Structure

CSVW_TYPES = {"number": "double", "integer": "long", "boolean": "boolean", "instant": "dateTime", "date": "date"}
PACKAGE_TYPES = {"number": "number", "integer": "integer", "boolean": "boolean"}


def write_csvw(data_sets: Sequence[DataSet], header: Header, options: Options) -> Iterator[bytes]:
    """Write a zip file: ``data.csv`` with a column a component, ``codes/*.csv``, CSVW metadata, ``datapackage.json``.

    Parameters
    ----------
    data_sets : sequence of DataSet
        One.
    header : Header
        When the message was prepared.
    options : Options
        ``languages`` of the names in the Data Package; CSVW has all of them.

    Raises
    ------
    BadCall
        When there are several data sets.

    References
    ----------
    W3C, Metadata Vocabulary for Tabular Data, 2015; Data Package 2.0, https://datapackage.org
    """
    one_data_set(data_sets, "A Data Package")
    return _written(data_sets, header, options)


def _written(data_sets: Sequence[DataSet], header: Header, options: Options) -> Iterator[bytes]:
    sink = Sink()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        components = components_of(data_sets)
        with archive.open(_entry("data.csv", header), "w", force_zip64=True) as file:
            for chunk in _data(data_sets, components):
                file.write(chunk)
                yield sink.taken()
        for structure in (one.structure for one in data_sets):
            for scheme in structure.codelists:
                archive.writestr(_entry(_file(scheme), header), _codes(scheme, options.languages))
            described = {
                "data.csv-metadata.json": _csvw(structure),
                "datapackage.json": _package(structure, header, options),
            }
            for name, told in described.items():
                archive.writestr(_entry(name, header), orjson.dumps(told, option=orjson.OPT_INDENT_2))
        yield sink.taken()
    yield sink.taken()


def _entry(name: str, header: Header) -> zipfile.ZipInfo:
    """Name a file of the archive, made when the message was: the same message is the same bytes."""
    entry = zipfile.ZipInfo(name, header.prepared.timetuple()[:6])
    entry.compress_type = zipfile.ZIP_DEFLATED
    entry.external_attr = 0o644 << 16
    return entry


def _data(data_sets: Sequence[DataSet], components: Sequence[Component]) -> Iterator[bytes]:
    yield (",".join(one.id for one in components) + "\n").encode()
    for one in data_sets:
        data_set = opened(one).data_set
        parts: list[Part] = []
        for place, component in enumerate(components):
            form = FORM if component.multiple else CELL
            parts += ["," if place else "", cell(component, data_set, form)]
        row = line(*parts, "\n")
        for batch in data_set.observations:
            yield text_of(row(batch))


def _codes(scheme: Scheme, languages: tuple[str, ...]) -> bytes:
    lines = ["code,name,parent", *(_code(item, languages) for item in scheme.items)]
    return ("\n".join(lines) + "\n").encode()


def _code(item: Item, languages: tuple[str, ...]) -> str:
    return ",".join(map(quoted_where_needed, (item.id, in_language(item.name, languages), item.parent)))


def _file(scheme: Scheme) -> str:
    return f"codes/{scheme.agency}.{scheme.id}.{scheme.version}.csv"


def _coded(structure: Structure) -> Iterable[tuple[Component, Scheme]]:
    schemes = {one.ref: one for one in structure.codelists}
    return [(one, schemes[one.codelist]) for one in structure.components if one.codelist in schemes]


def _key(structure: Structure) -> list[str]:
    return [one.id for one in structure.dimensions]


def _csvw(structure: Structure) -> dict[str, Any]:
    columns = [
        {
            "name": one.id,
            "titles": one.id,
            "dc:title": _texts(one.name),
            "required": one.role in ("dimension", "time"),
            "datatype": CSVW_TYPES.get(one.type, "string") if one.role == "measure" else "string",
            **({"separator": ";"} if one.multiple else {}),
        }
        for one in structure.components
    ]
    keys = [
        {"columnReference": one.id, "reference": {"resource": _file(scheme), "columnReference": "code"}}
        for one, scheme in _coded(structure)
    ]
    codes = [{"name": name, "titles": name, "datatype": "string"} for name in ("code", "name", "parent")]
    lists = [
        {"url": _file(one), "dc:title": _texts(one.name), "tableSchema": {"columns": codes, "primaryKey": "code"}}
        for one in structure.codelists
    ]
    data = {"columns": columns, "primaryKey": _key(structure), "foreignKeys": keys}
    return {
        "@context": "http://www.w3.org/ns/csvw",
        "dc:title": _texts(structure.name),
        "dc:identifier": structure.flow.urn,
        "tables": [{"url": "data.csv", "tableSchema": data}, *lists],
    }


def _texts(text: Text) -> list[dict[str, str]]:
    return [{"@value": words, "@language": language} for language, words in text.items()]


def _package(structure: Structure, header: Header, options: Options) -> dict[str, Any]:
    fields = [
        {
            "name": one.id,
            "title": in_language(one.name, options.languages) or one.id,
            "type": PACKAGE_TYPES.get(one.type, "string") if one.role == "measure" else "string",
            "constraints": {"required": one.role in ("dimension", "time")},
        }
        for one in structure.components
    ]
    keys = [
        {"fields": [one.id], "reference": {"resource": _name(scheme), "fields": ["code"]}}
        for one, scheme in _coded(structure)
    ]
    codes = {
        "fields": [{"name": name, "type": "string"} for name in ("code", "name", "parent")],
        "primaryKey": ["code"],
    }
    schema = {"fields": fields, "primaryKey": _key(structure), "foreignKeys": keys, "missingValues": [""]}
    return {
        "$schema": "https://datapackage.org/profiles/2.0/datapackage.json",
        "name": structure.flow.id.lower().replace("@", "-"),
        "id": structure.flow.urn,
        "title": in_language(structure.name, options.languages),
        "created": f"{header.prepared:%Y-%m-%dT%H:%M:%SZ}",
        "resources": [
            {"name": "data", "path": "data.csv", "format": "csv", "encoding": "utf-8", "schema": schema},
            *(
                {"name": _name(one), "path": _file(one), "format": "csv", "encoding": "utf-8", "schema": codes}
                for one in structure.codelists
            ),
        ],
    }


def _name(scheme: Scheme) -> str:
    return f"{scheme.agency}-{scheme.id}-{scheme.version}".lower().replace("@", "-")
