"""SDMX-JSON 1.0, 2.0 and 2.1: values by their place in lists, which come after the data so that these can flow."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

import orjson
import pyarrow as pa

from statcommons.core.errors import BadCall
from statcommons.sdmx.formats.json_told import SCHEMAS, instant, meta_of, structure_told
from statcommons.sdmx.formats.json_values import Lists, Version, form_of, indexed, lists_of
from statcommons.sdmx.formats.layout import (
    Layout,
    Options,
    cell,
    grouped,
    groups_of,
    is_simple,
    opened,
    places_of,
    sliced,
    value_of_all,
)
from statcommons.sdmx.formats.text import Part, line, text_of
from statcommons.sdmx.message import DataSet, Header
from statcommons.sdmx.model import Ref
from statcommons.sdmx.structure import Component


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


# --- the data -------------------------------------------------------------------------------------------------------


def _written(data_sets: Sequence[DataSet], header: Header, options: Options, version: Version) -> Iterator[bytes]:
    by_flow: dict[Ref, list[DataSet]] = {}
    for one in data_sets:
        by_flow.setdefault(one.structure.flow, []).append(one)
    lists = {flow: lists_of(some) for flow, some in by_flow.items()}
    schema = {"$schema": SCHEMAS[version]} if version == "2.1" else {}
    structures = [known.structure for known in lists.values()]
    yield orjson.dumps(schema | {"meta": meta_of(header, structures, options, version)})[:-1] + b',"data":{"dataSets":['
    layouts: dict[Ref, Layout] = {}
    for number, one in enumerate(data_sets):
        flow = one.structure.flow
        layout = opened(replace(one, structure=lists[flow].structure), groups=version != "1.0")
        layouts.setdefault(flow, layout)
        yield b"," if number else b""
        yield from _data_set(layout, lists[flow], list(lists).index(flow), version)
    told = [structure_told(known, layouts[flow], options.languages, version) for flow, known in lists.items()]
    if version == "1.0":
        yield b"]" + (b',"structure":' + orjson.dumps(told[0]) if told else b"") + b"}}"
        return
    for structure, flow in zip(told, lists, strict=True):
        structure["dataSets"] = [number for number, one in enumerate(data_sets) if one.structure.flow == flow]
    yield b'],"structures":' + orjson.dumps(told) + b"}}"


def _data_set(layout: Layout, lists: Lists, number: int, version: Version) -> Iterator[bytes]:
    data_set = layout.data_set
    flow = data_set.structure.flow
    head: dict[str, Any] = {} if version == "1.0" else {"structure": number}
    head["links"] = [{"urn": flow.urn, "rel": flow.kind}]
    head["action"] = {"Merge": "Append"}.get(data_set.action, data_set.action) if version != "2.1" else data_set.action
    if data_set.valid_from:
        head["validFrom"] = instant(data_set.valid_from)
    yield orjson.dumps(head)[:-1]
    if layout.whole:
        values = (value_of_all(one, data_set, form_of(one, lists, layout, version)) for one in layout.whole)
        yield f',"attributes":[{",".join(value or "null" for value in values)}]'.encode()
    if layout.groups:
        yield b',"dimensionGroupAttributes":{'
        yield from _without_first(_groups(layout, lists))
        yield b"}"
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
        yield from _without_first(text_of(write_row(batch)) for batch in data_set.observations)
    yield b"}}"


def _without_first(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Leave out the comma before what comes first."""
    for place, chunk in enumerate(chunks):
        yield chunk if place else chunk[1:]


def _groups(layout: Layout, lists: Lists) -> Iterator[bytes]:
    """Write the attributes of groups under keys in which the other dimensions are empty."""
    for dimensions, members, groups in groups_of(layout, by=lambda one: frozenset(one.dimensions)):
        key = []
        for place, one in enumerate(layout.data_set.structure.dimensions):
            key += [":" if place else "", cell(one, groups, indexed(one, lists)) if one.id in dimensions else ""]
        values: list[Part] = []
        for place, one in enumerate(layout.groups):
            values += ["," if place else ""]
            values += [cell(one, groups, indexed(one, lists), missing="null") if one in members else "null"]
        row = line(',"', *key, '":[', *values, "]")
        for batch in sliced([places_of(groups.series)]):
            yield text_of(row(batch))


def _key(dimensions: Iterable[Component], lists: Lists, data_set: DataSet) -> Iterator[Part]:
    for place, one in enumerate(dimensions):
        yield ":" if place else ""
        yield cell(one, data_set, indexed(one, lists))


def _listed(components: Iterable[Component], lists: Lists, layout: Layout, version: Version) -> Iterator[Part]:
    for place, one in enumerate(components):
        yield "," if place else ""
        # Of what is no number, observations of 1.0 hold texts only.
        change = _as_text if version == "1.0" and one.role == "measure" and one.type == "boolean" else None
        yield cell(one, layout.data_set, form_of(one, lists, layout, version), missing="null", change=change)


def _as_text(values: pa.Array) -> pa.Array:
    return values.cast(pa.string())
