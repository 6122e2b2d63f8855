"""From the words of an address to a query of one dataflow: what they mean for its structure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import cast

from statcommons.core.errors import BadCall, nearest
from statcommons.sdmx.message import ALL_DIMENSIONS
from statcommons.sdmx.query.data import DataQuery, Detail
from statcommons.sdmx.query.keys import Key, parse_keys
from statcommons.sdmx.service.parameters import Parameters
from statcommons.sdmx.service.paths import Route
from statcommons.sdmx.store.conditions import kind_of
from statcommons.sdmx.structure import Component, Structure

ATTACHMENTS = {
    "dsd": ("dataflow", "group", "series", "observation"),
    "all": ("dataflow", "group", "series", "observation"),
    "dataset": ("dataflow",),
    "series": ("group", "series"),
    "obs": ("observation",),
    "msd": (),
    "none": (),
}
"""The words for attributes, as the places at which those attributes are attached."""


def data_query(structure: Structure, route: Route, asked: Parameters) -> DataQuery:
    """Make the query of one dataflow.

    Parameters
    ----------
    structure : Structure
        Of the dataflow.
    route : Route
        What the path names.
    asked : Parameters
        The parameters of the address.

    Raises
    ------
    BadCall
        When the structure has no such component, when the key does not fit it, or when a value is none of the kind
        that its component has.
    """
    for id, one in asked.filters.items():
        component = _component(structure, id, f"c[{id}]", structure.components)
        one.predicate(kind_of(component), year_start=asked.year_start)  # refuses what its values cannot be
    if (asked.start or asked.end) and not structure.time:
        raise BadCall(
            "The data have no time.", where="startPeriod" if asked.start else "endPeriod", remedy="Leave it out."
        )
    return DataQuery(
        structure.flow,
        keys=_keys(structure, route, asked),
        filters=asked.filters,
        start=asked.period(asked.start),
        end=asked.period(asked.end),
        year_start=asked.year_start,
        first=asked.first,
        last=asked.last,
        at=dimension_at(structure, asked.at),
        detail=cast("Detail", asked.detail),  # read_parameters has seen to it
        attributes=_attributes(structure, asked.attributes),
        measures=_measures(structure, asked.measures),
        as_of=asked.as_of,
        updated_after=asked.updated_after,
        history=asked.history,
        offset=asked.offset,
        limit=asked.limit,
        sort=tuple(_sort(structure, asked)),
    )


def dimension_at(structure: Structure, at: str | None) -> str:
    """Give the dimension at the observation: the one that is asked for, or by default time, or all where there is none.

    Parameters
    ----------
    structure : Structure
        Of the dataflow.
    at : str, optional
        What is asked for.

    Raises
    ------
    BadCall
        When the structure has no such dimension.
    """
    if at is None:
        return structure.time.id if structure.time else ALL_DIMENSIONS
    if at != ALL_DIMENSIONS:
        _component(structure, at, "dimensionAtObservation", structure.dimensions, also=(ALL_DIMENSIONS,))
    return at


def _keys(structure: Structure, route: Route, asked: Parameters) -> tuple[Key, ...]:
    if route.key and asked.key:
        raise BadCall("There is a key in the path and one beside it.", where="key", remedy="Give one of them.")
    keys = parse_keys(route.key or asked.key or "", structure.key, rest=route.rest)
    return () if any(not any(key) for key in keys) else keys


def _attributes(structure: Structure, words: tuple[str, ...] | None) -> tuple[str, ...] | None:
    if words is None or "all" in words or "dsd" in words:
        return None
    known = structure.with_role("attribute")
    places = {place for word in words for place in ATTACHMENTS.get(word, ())}
    named = {
        _component(structure, word, "attributes", known, also=ATTACHMENTS).id
        for word in words
        if word not in ATTACHMENTS
    }
    return tuple(one.id for one in known if one.attachment in places or one.id in named)


def _measures(structure: Structure, words: tuple[str, ...] | None) -> tuple[str, ...] | None:
    if words is None or "all" in words:
        return None
    known = structure.with_role("measure")
    named = {
        _component(structure, word, "measures", known, also=("all", "none")).id for word in words if word != "none"
    }
    return tuple(one.id for one in known if one.id in named)


def _sort(structure: Structure, asked: Parameters) -> Iterator[tuple[str, bool]]:
    at = dimension_at(structure, asked.at)
    for word, down in asked.sort:
        if word == "*":
            yield from ((one.id, down) for one in structure.dimensions)
        elif word == "series_key":
            yield from ((one.id, down) for one in structure.dimensions if one.id != at)
        else:
            yield _component(structure, word, "sort", structure.components, also=("*", "series_key")).id, down


def _component(
    structure: Structure, id: str, where: str, among: Iterable[Component], also: Iterable[str] = ()
) -> Component:
    found = next((one for one in among if one.id == id), None)
    if found is None:
        raise BadCall(
            f"{id!r} is not known in {structure.flow}.",
            where=where,
            remedy=nearest(id, [*(one.id for one in among), *also]),
        )
    return found
