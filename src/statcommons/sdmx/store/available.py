"""Which values are available for a query: never one for which there are no data."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np

from statcommons.sdmx.query.data import Availability, DataQuery, Mode
from statcommons.sdmx.store.flow import FlowState
from statcommons.sdmx.store.wanted import Mask, asks_cells, periods_asked, rows_asked, series_asked
from statcommons.toolbox.sdmx_periods import TimePeriod

__all__ = ["availability"]


def availability(
    state: FlowState, query: DataQuery, mode: Mode = "exact", components: Sequence[str] | None = None
) -> Availability:
    r"""Tell which values are available for a query.

    Parameters
    ----------
    state : FlowState
        The flow.
    query : DataQuery
        What is asked.
    mode : {"exact", "available"}
        The values of the result; or those from which each dimension may choose, whatever is asked of itself.
    components : sequence of str, optional
        Of which dimensions to tell; all by default.

    Returns
    -------
    Availability
        With the numbers of observations and series of the result, in both modes.

    References
    ----------
    SDMX REST 2.2, availability queries.

    Examples
    --------
    >>> import tempfile
    >>> from statcommons.sdmx import Store, artefacts_of
    >>> from statcommons.sdmx.model import Ref
    >>> from statcommons.sdmx.structure import Component, Structure
    >>> parts = (Component("AREA", "dimension", "text"), Component("OBS_VALUE", "measure", "number"))
    >>> areas = Structure(Ref("dataflow", "X", "DF"), Ref("datastructure", "X", "DSD"), {}, {}, parts)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     store = Store(folder)
    ...     store.add_structures(artefacts_of(areas))
    ...     _ = store.load(b"DATAFLOW,AREA,OBS_VALUE\nX:DF(1.0),004,1.5\nX:DF(1.0),NA,2\n")
    ...     dict(store.availability(DataQuery(areas.flow)).values)
    {'AREA': ('004', 'NA')}
    """
    rows, first, last = _passing(state, query)
    known: dict[object, Mask] = {}
    exact = series_asked(state, query, known=known) & (rows > 0)
    time = state.structure.time
    told = [one.id for one in state.structure.dimensions if components is None or one.id in components]
    free = exact
    values = {}
    for dimension in told:
        if mode == "available":
            free = series_asked(state, query, dimension, known)
            if time and dimension == time.id:
                others, first, last = _passing(state, query, time=False)
                free &= others > 0
            else:
                free &= rows > 0
        if not time or dimension != time.id:
            codes = state.codes[dimension]
            values[dimension] = tuple(codes.codes[place] for place in np.unique(codes.places[free]))
    whole = free if time and time.id in told else exact
    periods = _between(state, first[whole], last[whole]) if time else ()
    return Availability(values, periods, int(rows[exact].sum()), int(exact.sum()))


Counted: TypeAlias = tuple[np.ndarray[Any, Any], np.ndarray[Any, Any], np.ndarray[Any, Any]]


def _passing(state: FlowState, query: DataQuery, *, time: bool = True) -> Counted:
    """Give for each series how many of its observations are asked for, when they begin and when they end."""
    asked = rows_asked(state, query, time=time)
    if not asked:
        return state.counts, state.series["_first"].to_numpy(), state.series["_last"].to_numpy()
    if state.hot and not asks_cells(state, query):
        counts, begin, end = state.hot[0].passing(periods_asked(state, query))
        return counts, begin.astype("datetime64[us]"), end.astype("datetime64[us]")
    found = state.cursor().execute(
        f"SELECT _series, count(*), min(_start), max(_end) FROM ({state.observations}) WHERE {asked.sql} GROUP BY 1",
        list(asked.values),
    )
    numbers, counts, begin, end = found.to_arrow_table().columns
    size = int(state.numbers.max(initial=-1)) + 1
    place = np.full(size, -1)
    place[state.numbers] = np.arange(len(state.numbers))
    here = place[numbers.to_numpy()]
    rows = np.zeros(len(state.numbers), np.int64)
    first, last = (np.zeros(len(state.numbers), "datetime64[us]") for _ in range(2))
    rows[here], first[here], last[here] = counts.to_numpy(), begin.to_numpy(), end.to_numpy()
    return rows, first, last


def _between(state: FlowState, first: np.ndarray[Any, Any], last: np.ndarray[Any, Any]) -> tuple[TimePeriod, ...]:
    """Name the earliest and the latest period."""
    if not len(first):
        return ()
    begin, end = first.min().astype("datetime64[us]").item(), last.max().astype("datetime64[us]").item()
    earliest = next(one for one in state.periods if one.start == begin)
    latest = next(one for one in reversed(state.periods) if one.end == end)
    return earliest, latest
