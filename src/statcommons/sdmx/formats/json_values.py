"""Values in SDMX-JSON: their places in the lists of a message, or they themselves."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, TypeAlias

import orjson
import pyarrow as pa
import pyarrow.compute as pc

from statcommons.sdmx.formats.layout import Layout
from statcommons.sdmx.formats.text import Form
from statcommons.sdmx.message import DataSet
from statcommons.sdmx.structure import Component, Structure

__all__ = ["Lists", "Values"]

Version: TypeAlias = Literal["1.0", "2.0", "2.1"]

AWKWARD = '["\\\\\\x00-\\x1f]'


# --- lists ----------------------------------------------------------------------------------------------------------


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


# --- how values are written ------------------------------------------------------------------------------------------


def is_told(component: Component, version: Version, layout: Layout) -> bool:
    """Tell whether values are not in a list: what has no codes and differs from observation to observation.

    Parameters
    ----------
    component : Component
        A measure or an attribute.
    version : Version
        Of SDMX-JSON.
    layout : Layout
        Of its data set.
    """
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


def form_of(component: Component, lists: Lists, layout: Layout, version: Version) -> Form:
    """Give how the values of a measure or an attribute are written: themselves, or their places.

    Parameters
    ----------
    component : Component
        A measure or an attribute.
    lists : Lists
        Of its dataflow.
    layout : Layout
        Of its data set.
    version : Version
        Of SDMX-JSON.
    """
    return TEXT if is_told(component, version, layout) else indexed(component, lists)


def indexed(component: Component, lists: Lists) -> Form:
    """Give how the places of values are written.

    Parameters
    ----------
    component : Component
        A dimension or an attribute.
    lists : Lists
        Of its dataflow.
    """
    return Form(lists.values[component.id].index, is_place=True, many=_array)
