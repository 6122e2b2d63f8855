"""JSON-stat 2.0: a cube of all dimensions, with the values by their place in it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc

from statcommons.core.errors import BadCall
from statcommons.sdmx.formats.json_values import Lists, lists_of, strings
from statcommons.sdmx.formats.layout import Layout, Options, cell, opened
from statcommons.sdmx.formats.text import Form, Part, joined, line, text_of
from statcommons.sdmx.message import SERIES, DataSet, Header
from statcommons.sdmx.model import in_language
from statcommons.sdmx.structure import Component

METRIC = "MEASURE"
"""The dimension that tells several measures apart."""

AREAS = ("REF_AREA", "COUNTERPART_AREA")
"""The cross-domain concepts of SDMX that are areas."""

FORM = Form(strings, nan="null")


def write_jsonstat(data_sets: Sequence[DataSet], header: Header, options: Options) -> Iterator[bytes]:
    """Write a JSON-stat 2.0 dataset.

    Values are an object by place, which JSON-stat allows beside the array: data of many dimensions are sparse, and
    what has no place in memory as a cube can still be written. The status of observations follows the values.

    Parameters
    ----------
    data_sets : sequence of DataSet
        One, or none.
    header : Header
        When the message was prepared.
    options : Options
        ``languages``: the first one that is there.

    Raises
    ------
    BadCall
        When there are several data sets.

    References
    ----------
    JSON-stat 2.0, https://json-stat.org/full/
    """
    one_data_set(data_sets, "JSON-stat")
    return _written(data_sets, header, options)


def one_data_set(data_sets: Sequence[DataSet], name: str) -> None:
    """Refuse several data sets.

    Parameters
    ----------
    data_sets : sequence of DataSet
        What shall be written.
    name : str
        The format.

    Raises
    ------
    BadCall
        When there are several data sets.
    """
    if len(data_sets) > 1:
        raise BadCall(f"{name} has one data set.", remedy="Ask for one dataflow without its history.")


def _written(data_sets: Sequence[DataSet], header: Header, options: Options) -> Iterator[bytes]:
    head: dict[str, Any] = {"version": "2.0", "class": "dataset", "updated": f"{header.prepared:%Y-%m-%dT%H:%M:%SZ}"}
    if not data_sets:
        yield orjson.dumps(head | {"id": [], "size": [], "dimension": {}, "value": []})
        return
    lists = lists_of(data_sets)
    layout = opened(data_sets[0])
    structure = layout.data_set.structure
    dimensions = {one.id: _dimension(one, lists, options.languages) for one in structure.dimensions}
    roles = {
        "time": [structure.time.id] if structure.time else [],
        "geo": [one.id for one in structure.dimensions if one.id in AREAS],
        "metric": [] if _is_one(layout) else [METRIC],
    }
    if not _is_one(layout):
        dimensions[METRIC] = _metric(layout, options.languages)
    head |= {
        "label": in_language(structure.name, options.languages) or structure.flow.id,
        "id": list(dimensions),
        "size": [len(one["category"]["index"]) for one in dimensions.values()],
        "role": {role: some for role, some in roles.items() if some},
        "dimension": dimensions,
        "extension": {"structure": structure.flow.urn},
    }
    yield orjson.dumps(head)[:-1] + b',"value":{'
    yield from _values(layout, lists)


def _values(layout: Layout, lists: Lists) -> Iterator[bytes]:
    """Write the values, and remember the statuses: they are an object of their own."""
    place_of, count = cube_of(layout, lists), len(layout.measures)

    def key(number: int) -> Part:
        return lambda batch: [_text(place_of(batch) * count + number)]

    rows = [
        line(',"', key(number), '":', cell(one, layout.data_set, FORM, missing="null"))
        for number, one in enumerate(layout.measures)
    ]
    status = [one for one in layout.observation if one.id == "OBS_STATUS"]
    statuses: list[tuple[pa.Array, pa.Array]] = []
    begun = False
    for batch in () if layout.bare else layout.data_set.observations:
        for row in rows:
            text = text_of(row(batch))
            yield text if begun else text[1:]
            begun = True
        if status and "OBS_STATUS" in batch.schema.names and count == 1:
            there = batch["OBS_STATUS"].is_valid()
            codes = batch["OBS_STATUS"].filter(there).dictionary_encode()
            statuses.append((pa.array(place_of(batch)).filter(there), codes))
    told = b"".join(_statuses(statuses))
    yield b"}" + (b',"status":{' + told[1:] + b"}" if told else b"") + b"}"


def _text(places: Any) -> pa.Array:
    return pa.array(places).cast(pa.string())


def _statuses(statuses: Sequence[tuple[pa.Array, pa.Array]]) -> Iterator[bytes]:
    for places, codes in statuses:
        named = pa.DictionaryArray.from_arrays(codes.indices, strings(codes.dictionary))
        yield text_of(joined([',"', places.cast(pa.string()), '":', named], len(places)))


def cube_of(layout: Layout, lists: Lists) -> Any:
    """Give what tells the place of each observation of a batch in the cube of all dimensions.

    Parameters
    ----------
    layout : Layout
        Of the data set.
    lists : Lists
        The values of the dimensions in their order.
    """
    data_set = layout.data_set
    dimensions = data_set.structure.dimensions
    sizes = [len(lists.values[one.id].places) for one in dimensions]
    steps = dict(zip((one.id for one in dimensions), np.cumprod([1, *sizes[:0:-1]])[::-1].tolist(), strict=True))
    time = data_set.structure.time
    known = {one.id: pa.array(list(lists.values[one.id].places), pa.string()) for one in dimensions}
    by_series = np.zeros(len(data_set.series), np.int64)
    for one in data_set.structure.with_role("dimension"):
        by_series += pc.index_in(data_set.series[one.id].combine_chunks(), known[one.id]).to_numpy() * steps[one.id]

    def place(batch: pa.RecordBatch) -> Any:
        places = by_series[batch[SERIES].to_numpy()]
        if time is None:
            return places
        return places + pc.index_in(batch[time.id], known[time.id]).to_numpy(zero_copy_only=False) * steps[time.id]

    return place


def _is_one(layout: Layout) -> bool:
    return len(layout.measures) <= 1


def _dimension(one: Component, lists: Lists, languages: tuple[str, ...]) -> dict[str, Any]:
    names = {code.id: in_language(code.name, languages) for code in lists.structure.codes(one)}
    codes = list(lists.values[one.id].places)
    category = {"index": codes, "label": {code: names.get(code) or code for code in codes}}
    return {"label": in_language(one.name, languages) or one.id, "category": category}


def _metric(layout: Layout, languages: tuple[str, ...]) -> dict[str, Any]:
    names = {one.id: in_language(one.name, languages) or one.id for one in layout.measures}
    return {"label": METRIC, "category": {"index": list(names), "label": names}}
