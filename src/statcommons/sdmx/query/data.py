"""What a query of data asks for, whichever version of REST it was asked in."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from statcommons.sdmx.model import Ref
from statcommons.sdmx.query.components import Filter
from statcommons.sdmx.query.keys import Key
from statcommons.toolbox.sdmx_periods import TimePeriod

__all__ = ["Availability", "DataQuery", "Detail", "Facts", "Mode"]

Detail: TypeAlias = Literal["full", "dataonly", "serieskeysonly", "nodata"]
"""How much of the data: all; without attributes; only the keys of the series; the series with their attributes."""

Mode: TypeAlias = Literal["exact", "available"]
"""Which values are available: those of the result, or for each dimension those that its own filter may choose from."""


@dataclass(frozen=True)
class DataQuery:
    """A query of the data of one dataflow, with everything read and resolved but the data themselves.

    Parameters
    ----------
    flow : Ref
        The dataflow, with its exact version.
    keys : tuple of Key
        The series asked for, by dimension without time; none asks for all. One of them must match.
    filters : mapping of str to Filter
        What is asked of components; all must hold, and the keys too.
    start, end : TimePeriod, optional
        The first and the last period.
    year_start : str
        The reporting year start day, ``--MM-DD``.
    first, last : int, optional
        How many observations of each series, from its beginning and from its end, after all filters; both is the union.
    at : str
        The dimension at the observation: a dimension's id, or ``AllDimensions``.
    detail : Detail
        How much of the data.
    attributes, measures : tuple of str, optional
        Which ones; none is all of them, the empty tuple is not one.
    as_of : datetime, optional
        The moment, in UTC without a zone, whose published state is asked for; later than now is now.
    updated_after : datetime, optional
        Only what was published after this moment: the observations that were added or changed, and those deleted.
    history : bool
        All that was published, one data set for each moment.
    offset : int
        How many observations to pass over.
    limit : int, optional
        How many observations to give.
    sort : tuple of (str, bool)
        Components to sort by, and whether downwards; none is the order of keys and time.
    """

    flow: Ref
    keys: tuple[Key, ...] = ()
    filters: Mapping[str, Filter] = field(default_factory=dict)
    start: TimePeriod | None = None
    end: TimePeriod | None = None
    year_start: str = "--01-01"
    first: int | None = None
    last: int | None = None
    at: str = "TIME_PERIOD"
    detail: Detail = "full"
    attributes: tuple[str, ...] | None = None
    measures: tuple[str, ...] | None = None
    as_of: datetime.datetime | None = None
    updated_after: datetime.datetime | None = None
    history: bool = False
    offset: int = 0
    limit: int | None = None
    sort: tuple[tuple[str, bool], ...] = ()


@dataclass(frozen=True)
class Availability:
    """What is available for a query: never a value for which there are no data.

    Parameters
    ----------
    values : mapping of str to tuple of str
        The codes of each dimension but time, sorted.
    periods : tuple of TimePeriod
        The earliest and the latest period; empty where there are none.
    observations, series : int
        How many there are in the result of the query.
    """

    values: Mapping[str, tuple[str, ...]]
    periods: tuple[TimePeriod, ...]
    observations: int
    series: int


@dataclass(frozen=True)
class Facts:
    """What a reader may keep of an answer, and for how long. Nothing in it tells of what is not yet public.

    Parameters
    ----------
    version : str
        Changes whenever an answer about the flow may change.
    modified : datetime, optional
        When the flow last changed for its readers, in UTC without a zone; none where it never had data.
    until : datetime, optional
        How long an answer holds, at the latest; for the service only, which turns it into ``max-age``.
    """

    version: str
    modified: datetime.datetime | None
    until: datetime.datetime | None
