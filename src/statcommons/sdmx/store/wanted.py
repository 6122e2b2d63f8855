"""What a query means for one flow: which series it asks for, and what it asks of their rows."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np

from statcommons.core.errors import BadCall, nearest
from statcommons.sdmx.query.components import Filter
from statcommons.sdmx.query.data import DataQuery
from statcommons.sdmx.store.conditions import condition, is_told_by_sql, kind_of
from statcommons.sdmx.store.flow import FlowState
from statcommons.sdmx.store.rows import identifier, sql_type
from statcommons.sdmx.structure import Component, Structure
from statcommons.toolbox.sdmx_periods import TimePeriod, between, time_period

__all__ = ["Where"]

Mask: TypeAlias = np.ndarray[Any, np.dtype[np.bool_]]


@dataclass(frozen=True)
class Where:
    """A condition on rows and its parameters; true where there is nothing to ask."""

    sql: str = ""
    values: tuple[Any, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.sql)

    def __and__(self, other: Where) -> Where:
        if not self or not other:
            return self or other
        return Where(f"{self.sql} AND {other.sql}", (*self.values, *other.values))


def series_asked(state: FlowState, query: DataQuery, leave: str = "", known: dict[object, Mask] | None = None) -> Mask:
    """Tell which series keys and filters of dimensions ask for.

    ``leave`` is a dimension of which nothing is asked; ``known`` keeps what was found for the next call.
    """
    known = {} if known is None else known

    def chosen(component: str, asked: object, holds: Callable[[str], bool]) -> Mask:
        if (component, asked) not in known:
            known[component, asked] = state.codes[component].chosen(holds)
        return known[component, asked]

    mask = np.ones(len(state.numbers), bool)
    for component, asked in query.filters.items():
        if component not in state.structure:
            raise unknown(component, state.structure, f"c[{component}]")
        if component in state.codes and component != leave:
            mask &= chosen(component, asked, asked.predicate("text"))
        elif component in state.series.column_names and component not in state.codes:
            values = state.series[component].to_pylist()
            mask &= np.array(_holding(asked, state.structure[component], values, query), bool)
    keys = []
    for key in query.keys:
        parts = [
            chosen(dimension, codes, codes.__contains__)
            for dimension, codes in zip(state.structure.key, key, strict=True)
            if codes is not None and dimension != leave
        ]
        keys.append(np.logical_and.reduce(parts) if parts else np.ones_like(mask))
    return mask & np.logical_or.reduce(keys) if keys else mask


def rows_asked(state: FlowState, query: DataQuery, *, time: bool = True) -> Where:
    """Give what a query asks of rows, as a condition: periods, measures, attributes."""
    allowed = periods_asked(state, query) if time else None
    if allowed is None or state.structure.time is None:
        return cells_asked(state, query)
    texts = [one.text for one, is_asked in zip(state.periods, allowed, strict=True) if is_asked]
    found = Where(f"{identifier(state.structure.time.id)} IN (SELECT unnest(?::VARCHAR[]))", (texts,))
    return found & cells_asked(state, query)


def asks_cells(state: FlowState, query: DataQuery) -> bool:
    """Tell whether a query asks anything of measures and attributes of observations."""
    return bool(_of_cells(state, query))


def cells_asked(state: FlowState, query: DataQuery) -> Where:
    """Give what a query asks of measures and attributes of observations."""
    found = Where()
    for component, asked in _of_cells(state, query):
        if is_told_by_sql(component):
            sql, texts = condition(asked, component)
            found &= Where(sql, tuple(texts))
            continue
        # Numbers and times that stand as text are few: what they mean is asked of each that there is.
        column = identifier(component.id)
        rows = state.cursor().execute(f"SELECT DISTINCT {column} FROM ({state.observations})").fetchall()
        values = [value for [value] in rows]
        held = _holding(asked, component, values, query)
        passing = [value for value, holds in zip(values, held, strict=True) if holds]
        found &= Where(f"{column} IN (SELECT unnest(?::{sql_type(replace(component, type='text'))}[]))", (passing,))
    return found


def _of_cells(state: FlowState, query: DataQuery) -> list[tuple[Component, Filter]]:
    time = state.structure.time
    return [
        (state.structure[id], asked)
        for id, asked in query.filters.items()
        if id in state.structure and id not in state.series.column_names and not (time and id == time.id)
    ]


def _holding(asked: Filter, component: Component, values: Iterable[Any], query: DataQuery) -> list[bool]:
    """Tell for which values a filter holds, as they stand in the store: a text in languages is a mapping of them."""
    holds = asked.predicate(kind_of(component), year_start=query.year_start)
    if component.multilingual:
        values = [[text for _, text in value] if value else None for value in values]
    return [value is not None and holds(value) for value in values]


def periods_asked(state: FlowState, query: DataQuery) -> Mask | None:
    """Tell which of the flow's periods a query asks for; none where it asks for all."""
    time = state.structure.time
    asked = query.filters.get(time.id) if time else None
    if time is None or not (asked or query.start or query.end):
        return None
    holds = asked.predicate("time", year_start=query.year_start) if asked else lambda _: True
    moved = (_moved(one, query.year_start) for one in state.periods)
    return np.array([between(one, query.start, query.end) and holds(one) for one in moved], bool)


def _moved(period: TimePeriod, year_start: str) -> TimePeriod:
    """Give a period in years that begin on another day; one that they do not have, such as a week 53, stays."""
    if year_start == "--01-01":
        return period
    try:
        return time_period(period.text, year_start=year_start)
    except BadCall:
        return period


def unknown(component: str, structure: Structure, where: str) -> BadCall:
    """Say that there is no such component, and which is nearest.

    Parameters
    ----------
    component : str
        What was asked for.
    structure : Structure
        Of the flow.
    where : str
        The parameter that asks.
    """
    known = [one.id for one in structure.components]
    return BadCall(
        f"There is no component {component!r} in {structure.flow}.", where=where, remedy=nearest(component, known)
    )
