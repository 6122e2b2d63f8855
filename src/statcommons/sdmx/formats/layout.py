"""Where the parts of a data set stand in a message: what is said of the whole, of a group, a series, an observation.

SDMX writes the same data in three ways. By time (and for data without time, by another dimension) it groups the
observations in series; flat, each observation has its whole key; by another dimension, the series of a message are cut
across those of the store. A :class:`Layout` tells for each component at which level it stands.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from statcommons.sdmx.formats.text import Form, OfSeries, Part, Piece, around, joined, line, text_of, texts
from statcommons.sdmx.message import ALL_DIMENSIONS, SERIES, DataSet
from statcommons.sdmx.structure import Component

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["Layout", "Options"]

ROWS = 65_536
"""Rows that are written at a time: enough that calls cost nothing beside them, in some tens of megabytes."""


@dataclass(frozen=True)
class Options:
    """What a reader may choose of a message; each format heeds those that it has.

    Parameters
    ----------
    languages : tuple of str
        The languages of names, best first.
    labels : {"id", "name", "both"}
        SDMX-CSV: codes only, names in columns of their own, or ``116: Cambodia``.
    keys : {"none", "obs", "series", "both"}
        SDMX-CSV: columns for the keys.
    time_format : {"original", "normalized"}
        SDMX-CSV: periods as they are, or all as the date on which they begin.
    """

    languages: tuple[str, ...] = ("en",)
    labels: str = "id"
    keys: str = "none"
    time_format: str = "original"


@dataclass(frozen=True)
class Layout:
    """The components of a data set by the level at which they stand.

    Parameters
    ----------
    data_set : DataSet
        The data set, its observations in batches of a handy size.
    first : pyarrow.RecordBatch
        The first of its batches.
    bare : bool
        Whether there are series without observations.
    outer, inner : tuple of Component
        The dimensions of a series of the message, none in a flat one, and those of an observation.
    measures : tuple of Component
        All are said of observations.
    whole, groups, series, observation : tuple of Component
        The attributes by level.
    """

    data_set: DataSet
    first: pa.RecordBatch
    bare: bool
    outer: tuple[Component, ...]
    inner: tuple[Component, ...]
    measures: tuple[Component, ...]
    whole: tuple[Component, ...]
    groups: tuple[Component, ...]
    series: tuple[Component, ...]
    observation: tuple[Component, ...]


def opened(data_set: DataSet, *, groups: bool = True) -> Layout:
    """Begin to read a data set, and tell where its components stand.

    Series without observations are given one empty observation each, and stand as series whatever was asked for.

    Parameters
    ----------
    data_set : DataSet
        What is written.
    groups : bool
        Whether the format has a place for the attributes of groups; else they are said of the series.
    """
    structure = data_set.structure
    batches = sliced(data_set.observations)
    first = next(batches, None)
    time = structure.time
    if first is None:
        first, batches = places_of(data_set.series), sliced([places_of(data_set.series)])
    else:
        batches = itertools.chain([first], batches)
    bare = time is not None and time.id not in first.schema.names
    at = time.id if bare and time else data_set.at
    flat = at == ALL_DIMENSIONS
    dimensions = structure.dimensions
    attributes = structure.with_role("attribute")
    whole = tuple(one for one in attributes if one.attachment == "dataflow")
    rest = tuple(one for one in attributes if one.attachment != "dataflow")
    across = not flat and (time is None or at != time.id)
    below = {
        one.id for one in rest if flat or not _is_of_series(one, data_set) or (across and at in _said_of(one, data_set))
    }
    grouped = {one.id for one in rest if groups and one.group and not across} - below
    return Layout(
        data_set=replace(data_set, observations=batches, at=at),
        first=first,
        bare=bare,
        outer=() if flat else tuple(one for one in dimensions if one.id != at),
        inner=dimensions if flat else tuple(one for one in dimensions if one.id == at),
        measures=structure.with_role("measure"),
        whole=whole,
        groups=tuple(one for one in rest if one.id in grouped),
        series=tuple(one for one in rest if one.id not in below | grouped),
        observation=tuple(one for one in rest if one.id in below),
    )


def is_simple(component: Component) -> bool:
    """Tell whether a component has one value, in no language or one.

    Parameters
    ----------
    component : Component
        A measure or an attribute.
    """
    return not (component.multiple or component.multilingual)


def _is_of_series(attribute: Component, data_set: DataSet) -> bool:
    time = data_set.structure.time
    varies = attribute.attachment == "observation" or (time is not None and time.id in attribute.dimensions)
    return attribute.id in data_set.series.column_names or not varies


def _said_of(attribute: Component, data_set: DataSet) -> tuple[str, ...]:
    return attribute.dimensions or data_set.structure.key


def sliced(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Cut batches to a handy size.

    Parameters
    ----------
    batches : iterable of pyarrow.RecordBatch
        Of any size.
    """
    for batch in batches:
        for start in range(0, len(batch), ROWS):
            yield batch.slice(start, ROWS)


def places_of(series: pa.Table) -> pa.RecordBatch:
    """Give an observation of each series of which nothing is known."""
    return pa.record_batch({SERIES: pa.array(np.arange(len(series), dtype=np.int32))})


def groups_of(
    layout: Layout, *, by: Callable[[Component], Any] = lambda one: one.group
) -> Iterator[tuple[Any, tuple[Component, ...], DataSet]]:
    """Give the groups: what they are, their attributes, and the groups that have one of them in the place of series.

    Parameters
    ----------
    layout : Layout
        With attributes of groups.
    by : callable
        What tells kinds of groups apart: by default their id.
    """
    data_set = layout.data_set
    known = [one for one in layout.groups if one.id in data_set.series.column_names]
    for kind in dict.fromkeys(map(by, known)):
        members = tuple(one for one in known if by(one) == kind)
        keys, values = list(members[0].dimensions), [one.id for one in members]
        found = data_set.series.group_by(keys, use_threads=False).aggregate([(value, "first") for value in values])
        found = found.rename_columns([*keys, *values])
        some = [found[value].is_valid() for value in values]
        yield kind, members, replace(data_set, series=found.filter(functools.reduce(pc.or_, some)))


# --- parts of lines -------------------------------------------------------------------------------------------------


def cell(
    component: Component,
    data_set: DataSet,
    form: Form,
    *,
    before: str = "",
    after: str = "",
    missing: str = "",
    change: Callable[[pa.Array], pa.Array] | None = None,
) -> Part:
    """Make the part of a line that has the value of a component, wherever it stands.

    Parameters
    ----------
    component : Component
        Whose values.
    data_set : DataSet
        Where they are.
    form : Form
        How the format writes values.
    before, after : str
        What stands around a value.
    missing : str
        What stands in its place where there is none.
    change : callable, optional
        Makes other values of a column before they are written, such as names of codes.
    """
    decimals = _decimals(component, data_set)

    def pieces(values: pa.Array, batch: pa.RecordBatch | None) -> tuple[Piece, ...]:
        values = change(values) if change else values
        made = texts(values, form, decimals(batch) if batch is not None and decimals else None)
        return tuple(around(made, before, after, missing))

    if component.id in data_set.series.column_names:
        column = data_set.series[component.id].combine_chunks()
        return OfSeries(lambda places: pieces(column.take(places), None))
    if component.constant:
        return joined(pieces(pa.array([component.constant]), None), 1)[0].as_py()

    def of_observations(batch: pa.RecordBatch) -> tuple[Piece, ...]:
        if component.id not in batch.schema.names:
            return (missing,)
        return pieces(batch[component.id], batch)

    return of_observations


def value_of_all(component: Component, data_set: DataSet, form: Form) -> str | None:
    """Write the value of an attribute of the whole data set; none where there is none.

    Parameters
    ----------
    component : Component
        An attribute of the dataflow.
    data_set : DataSet
        Where it stands in each series.
    form : Form
        How the format writes values.
    """
    values = pa.array([component.constant or None], pa.string())
    if component.id in data_set.series.column_names:
        values = data_set.series[component.id].combine_chunks().drop_null()[:1]
    return next(iter(texts(values, form).cast(pa.string()).to_pylist()), None)


def _decimals(
    component: Component, data_set: DataSet
) -> Callable[[pa.RecordBatch], int | npt.NDArray[np.int64] | None] | None:
    """Tell how many decimals the numbers of a measure have: what the structure says, else an attribute DECIMALS."""
    if component.role != "measure" or component.type != "number":
        return None
    if component.decimals is not None:
        return lambda batch: component.decimals
    if "DECIMALS" not in data_set.structure:
        return None
    if constant := data_set.structure["DECIMALS"].constant:
        return lambda batch: int(constant) if constant.isdigit() else None
    if "DECIMALS" in data_set.series.column_names:
        by_series = _counts(data_set.series["DECIMALS"].combine_chunks())
        return lambda batch: by_series[batch[SERIES].to_numpy()]
    return lambda batch: _counts(batch["DECIMALS"]) if "DECIMALS" in batch.schema.names else None


def _counts(values: pa.Array) -> npt.NDArray[np.int64]:
    """Read numbers of decimals; what is none of 0 to 15 asks for nothing."""
    text = values.cast(pa.string())
    good = pc.match_substring_regex(text, r"^(\d|1[0-5])$").fill_null(False)
    found: npt.NDArray[np.int64] = pc.if_else(good, text, "-1").cast(pa.int64()).to_numpy(zero_copy_only=False)
    return found


# --- series in a message --------------------------------------------------------------------------------------------


def grouped(
    layout: Layout, opening: Iterable[Part], row: Iterable[Part], *, close: str, between: str = ""
) -> Iterator[bytes]:
    """Write observations in the series of the message.

    A series is opened where the key changes, in whichever batch that is, and closed before the next and at the end.

    Parameters
    ----------
    layout : Layout
        With dimensions of series.
    opening, row : iterable of Part
        What opens a series, and an observation.
    close : str
        What closes a series.
    between : str
        What stands between two series, and between two observations.
    """
    data_set = layout.data_set
    open_series, write_row = line(*opening), line(*(() if layout.bare else row))
    key_of = _key_of(layout)
    last: Any = None
    for batch in data_set.observations:
        key = key_of(batch)
        changes = np.ones(len(batch), bool)
        changes[1:] = pc.not_equal(key[1:], key[:-1]).to_numpy(zero_copy_only=False)
        changes[0] = last is None or key[0].as_py() != last
        heads = open_series(batch.filter(pa.array(changes)))
        told = joined([close + between, heads], len(heads))
        if last is None:  # nothing is there to be closed
            told = pa.concat_arrays([heads[:1], told[1:]])
        last = key[-1].as_py()
        place = pa.array(np.where(changes, np.cumsum(changes), 0).astype(np.int32))
        begun = pa.DictionaryArray.from_arrays(place, pa.concat_arrays([pa.array([between]), told]))
        yield text_of(joined([begun, write_row(batch)], len(batch)))
    if last is not None:
        yield close.encode()


def _key_of(layout: Layout) -> Callable[[pa.RecordBatch], pa.Array]:
    """Give what tells series of the message apart: their place, and in cross-sections the text of their key."""
    time = layout.data_set.structure.time
    if time and [one.id for one in layout.inner] == [time.id]:
        return lambda batch: batch[SERIES]
    plain = Form(lambda column: column)
    return line(*(part for one in layout.outer for part in (cell(one, layout.data_set, plain), "\0")))
