"""SDMX-JSON 1.0, 2.0 and 2.1: values by their place in lists, which come after the data so that these can flow."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, TypeAlias

import orjson
import pyarrow as pa
import pyarrow.compute as pc

from statcommons.core.errors import BadCall
from statcommons.sdmx.formats.layout import (
    Layout,
    Options,
    cell,
    grouped,
    groups_of,
    is_simple,
    opened,
    places_of,
    value_of_all,
)
from statcommons.sdmx.formats.text import Form, Part, line, text_of
from statcommons.sdmx.message import DataSet, Header
from statcommons.sdmx.model import Ref, Text, in_language
from statcommons.sdmx.structure import TYPES, Component, Structure

__all__ = ["Lists", "Values", "lists_of", "strings", "write_json_1", "write_json_2", "write_json_21"]

Version: TypeAlias = Literal["1.0", "2.0", "2.1"]

SCHEMAS = {
    "1.0": "https://raw.githubusercontent.com/sdmx-twg/sdmx-json/master/data-message/tools/schemas/1.0/"
    "sdmx-json-data-schema.json",
    "2.0": "https://json.sdmx.org/2.0.0/sdmx-json-data-schema.json",
    "2.1": "https://json.sdmx.org/2.1/sdmx-json-data-schema.json",
}
AWKWARD = '["\\\\\\x00-\\x1f]'


def write_json_1(data_sets: Sequence[DataSet], header: Header, options: Options) -> Iterator[bytes]:
    """Write an SDMX-JSON 1.0 data message: series, flat, or by another dimension.

    Parameters
    ----------
    data_sets : sequence of DataSet
        Of one dataflow.
    header : Header
        The header of the message.
    options : Options
        ``languages``.

    Raises
    ------
    BadCall
        When there are several measures, several values of one component, or several dataflows.

    References
    ----------
    SDMX-JSON 1.0 field guide, https://github.com/sdmx-twg/sdmx-json
    """
    structures = [one.structure for one in data_sets]
    if len({one.flow for one in structures}) > 1:
        raise BadCall("SDMX-JSON 1.0 has the data of one dataflow.", remedy="Ask for SDMX-JSON 2.0.")
    if any(len(one.with_role("measure")) > 1 for one in structures):
        raise BadCall("SDMX-JSON 1.0 has one measure.", remedy="Ask for one measure, or for SDMX-JSON 2.0.")
    if not all(is_simple(component) for one in structures for component in one.components):
        raise BadCall("SDMX-JSON 1.0 has one value of a component.", remedy="Ask for SDMX-JSON 2.0.")
    return _written(data_sets, header, options, "1.0")


def write_json_2(data_sets: Sequence[DataSet], header: Header, options: Options) -> Iterator[bytes]:
    """Write an SDMX-JSON 2.0 data message, which may have several dataflows, measures and values of one component.

    Parameters
    ----------
    data_sets, header, options
        As of :func:`write_json_1`.

    References
    ----------
    SDMX-JSON 2.0 field guide, https://github.com/sdmx-twg/sdmx-json
    """
    return _written(data_sets, header, options, "2.0")


def write_json_21(data_sets: Sequence[DataSet], header: Header, options: Options) -> Iterator[bytes]:
    """Write an SDMX-JSON 2.1 data message, in which an action may be to merge.

    Parameters
    ----------
    data_sets, header, options
        As of :func:`write_json_1`.

    References
    ----------
    SDMX-JSON 2.1 field guide, https://github.com/sdmx-twg/sdmx-json
    """
    return _written(data_sets, header, options, "2.1")


# --- lists of values ------------------------------------------------------------------------------------------------


@dataclass
class Values:
    """The values of a component in a message, each with its place: those known before, then others as they come."""

    places: dict[str, int] = field(default_factory=dict)

    def index(self, column: pa.Array) -> pa.Array:
        """Give the places of distinct values as text.

        Parameters
        ----------
        column : pyarrow.StringArray
            Distinct values.
        """
        places = self.places
        found = [None if one is None else str(places.setdefault(one, len(places))) for one in column.to_pylist()]
        return pa.array(found, pa.string())


@dataclass
class Lists:
    """The lists of one dataflow: what all its data sets in the message say of it.

    Parameters
    ----------
    structure : Structure
        The components of all its data sets.
    values : mapping of str to Values
        The lists by component.
    periods : mapping of str to tuple
        Start and end of the periods.
    """

    structure: Structure
    values: dict[str, Values]
    periods: dict[str, tuple[datetime.datetime, datetime.datetime]]


def lists_of(data_sets: Sequence[DataSet]) -> Lists:
    """Prepare the lists of data sets of one dataflow: dimensions have theirs in the order of the data structure.

    Parameters
    ----------
    data_sets : sequence of DataSet
        Of one dataflow, at least one.
    """
    found = {one.id: one for data_set in data_sets for one in data_set.structure.components}
    order = {"dimension": 0, "time": 1, "measure": 2, "attribute": 3}
    components = tuple(sorted(found.values(), key=lambda one: order[one.role]))
    structure = replace(data_sets[0].structure, components=components)
    values = {one.id: Values() for one in components}
    for one in structure.with_role("dimension"):
        there = {code for data_set in data_sets for code in data_set.series[one.id].unique().to_pylist()}
        ranked = [code.id for code in structure.codes(one) if code.id in there]
        values[one.id].places |= {code: place for place, code in enumerate([*ranked, *sorted(there - set(ranked))])}
    periods = {}
    if structure.time:
        rows = [row for data_set in data_sets for row in data_set.periods().to_pylist()]
        ordered = sorted(rows, key=lambda row: (row["start"], row["end"], row["text"])) if len(data_sets) > 1 else rows
        periods = {row["text"]: (row["start"], row["end"]) for row in ordered}
        values[structure.time.id].places |= {text: place for place, text in enumerate(periods)}
    return Lists(structure, values, periods)


# --- the data -------------------------------------------------------------------------------------------------------


def _written(data_sets: Sequence[DataSet], header: Header, options: Options, version: Version) -> Iterator[bytes]:
    by_flow: dict[Ref, list[DataSet]] = {}
    for one in data_sets:
        by_flow.setdefault(one.structure.flow, []).append(one)
    lists = {flow: lists_of(some) for flow, some in by_flow.items()}
    schema = {"$schema": SCHEMAS[version]} if version == "2.1" else {}
    yield _text(schema | {"meta": _meta(header, options, version)})[:-1] + b',"data":{"dataSets":['
    layouts: dict[Ref, Layout] = {}
    for number, one in enumerate(data_sets):
        flow = one.structure.flow
        layout = opened(replace(one, structure=lists[flow].structure), groups=version != "1.0")
        layouts.setdefault(flow, layout)
        yield b"," if number else b""
        yield from _data_set(layout, lists[flow], list(lists).index(flow), version)
    told = [_structure(known, layouts[flow], options.languages, version) for flow, known in lists.items()]
    if version == "1.0":
        yield b"]" + (b',"structure":' + _text(told[0]) if told else b"") + b"}}"
        return
    for structure, flow in zip(told, lists, strict=True):
        structure["dataSets"] = [number for number, one in enumerate(data_sets) if one.structure.flow == flow]
    yield b'],"structures":' + _text(told) + b"}}"


def _data_set(layout: Layout, lists: Lists, number: int, version: Version) -> Iterator[bytes]:
    data_set = layout.data_set
    flow = data_set.structure.flow
    head: dict[str, Any] = {} if version == "1.0" else {"structure": number}
    head["links"] = [{"urn": flow.urn, "rel": flow.kind}]
    head["action"] = {"Merge": "Append"}.get(data_set.action, data_set.action) if version != "2.1" else data_set.action
    if data_set.valid_from:
        head["validFrom"] = _instant(data_set.valid_from)
    yield _text(head)[:-1]
    if layout.whole:
        values = (value_of_all(one, data_set, _form(one, lists, layout, version)) for one in layout.whole)
        yield f',"attributes":[{",".join(value or "null" for value in values)}]'.encode()
    if layout.groups:
        groups = b"".join(_groups(layout, lists))
        yield b',"dimensionGroupAttributes":{' + groups[1:] + b"}" if groups else b""
    observation = ['":[', *_listed([*layout.measures, *layout.observation], lists, layout, version), "]"]
    if layout.outer:
        yield b',"series":{'
        attributes = [*_listed(layout.series, lists, layout, version)]
        told = ['":{"attributes":[', *attributes, '],"observations":{'] if attributes else ['":{"observations":{']
        opening = ['"', *_key(layout.outer, lists, data_set), *told]
        row = ['"', *_key(layout.inner, lists, data_set), *observation]
        yield from grouped(layout, opening, row, close="}}", between=",")
    else:
        yield b',"observations":{'
        write_row = line(',"', *_key(layout.inner, lists, data_set), *observation)
        first = 1  # the comma before the first observation
        for batch in data_set.observations:
            yield text_of(write_row(batch))[first:]
            first = 0
    yield b"}}"


def _groups(layout: Layout, lists: Lists) -> Iterator[bytes]:
    """Write the attributes of groups under keys in which the other dimensions are empty."""
    for dimensions, members, groups in groups_of(layout, by=lambda one: frozenset(one.dimensions)):
        key = []
        for place, one in enumerate(layout.data_set.structure.dimensions):
            key += [":" if place else "", cell(one, groups, _indexed(one, lists)) if one.id in dimensions else ""]
        values: list[Part] = []
        for place, one in enumerate(layout.groups):
            values += ["," if place else ""]
            values += [cell(one, groups, _indexed(one, lists), missing="null") if one in members else "null"]
        yield text_of(line(',"', *key, '":[', *values, "]")(places_of(groups.series)))


def _key(dimensions: Iterable[Component], lists: Lists, data_set: DataSet) -> Iterator[Part]:
    for place, one in enumerate(dimensions):
        yield ":" if place else ""
        yield cell(one, data_set, _indexed(one, lists))


def _listed(components: Iterable[Component], lists: Lists, layout: Layout, version: Version) -> Iterator[Part]:
    for place, one in enumerate(components):
        yield "," if place else ""
        yield cell(one, layout.data_set, _form(one, lists, layout, version), missing="null")


def _is_told(component: Component, version: Version, layout: Layout) -> bool:
    """Tell whether values are not in a list: what has no codes and differs from observation to observation."""
    if component.role == "measure":
        return version == "1.0" or not component.codelist
    if component.codelist or version == "1.0":
        return False
    return component.multilingual or component in layout.observation


def strings(column: pa.Array) -> pa.Array:
    """Write texts as strings of JSON.

    Parameters
    ----------
    column : pyarrow.StringArray
        Distinct texts.
    """
    if pc.any(pc.match_substring_regex(column, AWKWARD)).as_py():
        made = [None if one is None else orjson.dumps(one).decode() for one in column.to_pylist()]
        return pa.array(made, pa.string())
    return pc.binary_join_element_wise('"', column, '"', "")


def _array(column: pa.Array) -> pa.Array:
    return pc.binary_join_element_wise("[", column, "]", "")


def _worded(languages: pa.Array, words: pa.Array) -> pa.Array:
    return pc.binary_join_element_wise(strings(languages), ":", strings(words), "")


def _object(column: pa.Array) -> pa.Array:
    return pc.binary_join_element_wise("{", column, "}", "")


TEXT = Form(strings, nan='"NaN"', many=_array, worded=_worded, languages=_object)


def _form(component: Component, lists: Lists, layout: Layout, version: Version) -> Form:
    return TEXT if _is_told(component, version, layout) else _indexed(component, lists)


def _indexed(component: Component, lists: Lists) -> Form:
    return Form(lists.values[component.id].index, is_place=True, many=_array)


# --- what tells of the data -----------------------------------------------------------------------------------------


def _meta(header: Header, options: Options, version: Version) -> dict[str, Any]:
    return {
        **({"schema": SCHEMAS[version]} if version != "2.1" else {}),
        "id": header.id,
        "prepared": _instant(header.prepared),
        "test": header.test,
        "contentLanguages": list(options.languages) or ["en"],
        "sender": {"id": header.sender},
    }


def _structure(lists: Lists, layout: Layout, languages: tuple[str, ...], version: Version) -> dict[str, Any]:
    structure = lists.structure
    refs = dict.fromkeys([structure.flow, structure.definition])
    told = {
        "links": [{"urn": one.urn, "rel": one.kind} for one in refs],
        **_named(structure.name, structure.flow.id, languages),
        "dimensions": {
            "dataSet": [],
            "series": [_dimension(one, lists, languages) for one in layout.outer if lists.values[one.id].places],
            "observation": [_dimension(one, lists, languages) for one in layout.inner if lists.values[one.id].places],
        },
    }
    levels = {"dataSet": layout.whole, "series": layout.series, "observation": layout.observation}
    if version != "1.0":
        told["measures"] = {
            "observation": [_measure(one, lists, layout, languages, version) for one in layout.measures]
        }
        levels = levels | {"dimensionGroup": layout.groups}
    told["attributes"] = {
        level: [_attribute(one, lists, layout, languages, version) for one in some] for level, some in levels.items()
    }
    return told


def _dimension(one: Component, lists: Lists, languages: tuple[str, ...]) -> dict[str, Any]:
    place = [each.id for each in lists.structure.dimensions].index(one.id)
    told = {"id": one.id, **_named(one.name, one.id, languages), "keyPosition": place}
    if one.role != "time":
        return told | {"values": _values(one, lists, languages, "name")}
    values = [
        {"id": text, "name": text, "start": _instant(start), "end": _instant(end - datetime.timedelta(seconds=1))}
        for text, (start, end) in lists.periods.items()
    ]
    return told | {"roles": [one.id], "values": values}


def _measure(
    one: Component, lists: Lists, layout: Layout, languages: tuple[str, ...], version: Version
) -> dict[str, Any]:
    told = {"id": one.id, **_named(one.name, one.id, languages), "isMandatory": one.required}
    return told | _represented(one, lists, layout, languages, version)


def _attribute(
    one: Component, lists: Lists, layout: Layout, languages: tuple[str, ...], version: Version
) -> dict[str, Any]:
    told = {"id": one.id, **_named(one.name, one.id, languages), "relationship": _relationship(one, lists, version)}
    if version == "1.0":
        return told | {"values": _values(one, lists, languages, "name")}
    return told | {"isMandatory": one.required} | _represented(one, lists, layout, languages, version)


def _represented(
    one: Component, lists: Lists, layout: Layout, languages: tuple[str, ...], version: Version
) -> dict[str, Any]:
    """Tell of the values of a measure or attribute: the codes that occur, or what kind of values they are."""
    values = _values(one, lists, languages, "value")
    if one.codelist:
        return {"values": values} if values else {}
    kind = {"format": {"dataType": TYPES[one.type][0]} | _facets(one)}
    return kind | {"values": values} if values else kind


def _facets(one: Component) -> dict[str, Any]:
    many = {"maxOccurs": "unbounded"} if one.multiple else {}
    return many | ({"isMultiLingual": True} if one.multilingual else {})


def _relationship(one: Component, lists: Lists, version: Version) -> dict[str, Any]:
    if one.attachment == "dataflow":
        return {"none": {}} if version == "1.0" else {"dataflow": {}}
    if one.attachment == "observation":
        measure = lists.structure.with_role("measure")
        return (
            {"primaryMeasure": measure[0].id if measure else "OBS_VALUE"} if version == "1.0" else {"observation": {}}
        )
    return {"dimensions": list(one.dimensions or lists.structure.key)}


def _values(one: Component, lists: Lists, languages: tuple[str, ...], plain: str) -> list[dict[str, Any]]:
    """List the values that occur: codes with their names, other values under ``plain``."""
    names = {code.id: code.name for code in lists.structure.codes(one)}
    if not one.codelist and one.role == "attribute":
        return [{plain: value if plain == "name" else _typed(value, one.type)} for value in lists.values[one.id].places]
    return [{"id": value, **_named(names.get(value, {}), value, languages)} for value in lists.values[one.id].places]


def _typed(text: str, type: str) -> Any:
    """Give a value that has its place in a list as JSON says it: a number or boolean where it is one."""
    if type == "boolean":
        return text == "true"
    if type == "integer":
        return int(text)
    return float(text) if type == "number" and text != "NaN" else text


def _named(text: Text, default: str, languages: tuple[str, ...]) -> dict[str, Any]:
    """Give the name in the best language, and in each that was asked for and is there."""
    names = {language: text[language] for language in languages if language in text}
    return {"name": in_language(text, languages) or default} | ({"names": names} if names else {})


def _instant(moment: datetime.datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _text(value: Any) -> bytes:
    return orjson.dumps(value)
