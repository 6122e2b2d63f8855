"""Progress of every series of a flow by the three methods, as one table with the numbers that lead to each status."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from statcommons.core.errors import BadCall, nearest
from statcommons.sdmx.message import SERIES
from statcommons.sdmx.model import Ref
from statcommons.sdmx.query.data import DataQuery
from statcommons.sdmx.sdg.progress import Direction, Progress, eurostat_progress, open_sdg_progress, unsd_progress

if TYPE_CHECKING:
    import pyarrow as pa

    from statcommons.sdmx.store import Store

__all__ = ["Aim", "progress_of"]

STEPS = (
    "base_year",
    "base_value",
    "current_year",
    "current_value",
    "growth",
    "direction",
    "growth_wanted",
    "target_year",
    "target_value",
    "growth_needed",
    "expected_value",
    "limit_factor",
    "threshold_substantial",
    "threshold_moderate",
)
"""The numbers on the way, each a column; empty where a method has no such number."""


@dataclass(frozen=True)
class Aim:
    """What is wanted of a series.

    Parameters
    ----------
    direction : {1, -1}, optional
        Whether its values should rise or fall; none where growth says nothing of it (``why``).
    target : float, optional
        The value to be reached.
    limit : float, optional
        A natural limit in the wanted direction, such as 100.
    why : str
        Why it is not assessed, where there is no direction: it is a rate of growth, or an index that should stay close
        to a value.

    Examples
    --------
    >>> Aim(-1, target=3).target, Aim(None, why="a rate of growth").why
    (3, 'a rate of growth')
    """

    direction: Direction | None
    target: float | None = None
    limit: float | None = None
    why: str = ""


@dataclass
class _Series:
    """The annual values of a series."""

    key: dict[str, str]
    values: dict[int, float | None] = field(default_factory=dict)


def progress_of(
    store: Store,
    flow: Ref,
    aims: Mapping[str, Aim],
    *,
    areas: Collection[str],
    series: str = "SERIES",
    base_year: int = 2015,
    target_year: int = 2030,
) -> pa.Table:
    """Assess every series of a flow of which it is said what is wanted.

    Only annual values are looked at, and only those of the areas that are named: world and regional aggregates are no
    countries, and a code alone does not tell which it is.

    Parameters
    ----------
    store : Store
        The store.
    flow : Ref
        The dataflow.
    aims : mapping of str to Aim
        What is wanted, by code of the dimension ``series``. Series that are not there are left out.
    areas : collection of str
        The codes of ``REF_AREA`` to assess. A flow without this dimension is of one country.
    series : str
        The dimension that says what is measured.
    base_year, target_year : int
        The first year that may be the base, and the year of the targets.

    Returns
    -------
    pyarrow.Table
        Three rows for each series: its key, ``method``, ``status``, ``value``, ``score``, ``achieved``, ``reason`` and
        the numbers on the way.

    Raises
    ------
    BadCall
        When the flow has no such dimension or no numbers, or no aim is of a code in it.
    NoInput
        When there is no such dataflow.
    """
    import pyarrow as pa

    structure = store.structure(flow)
    keys = structure.key
    if series not in keys:
        raise BadCall(f"There is no dimension {series!r} in {flow}.", remedy=nearest(series, keys))
    measures = [one.id for one in structure.with_role("measure") if one.type in ("number", "integer")]
    if len(measures) != 1 or not structure.time:
        raise BadCall(f"{flow} is not a flow of one number in time.", remedy="Give a dataflow of indicators.")
    asked = {series: frozenset(aims), "REF_AREA": frozenset(areas)}
    query = DataQuery(flow, (tuple(asked.get(one) for one in keys),), measures=(measures[0],), attributes=())
    rows = [
        one.key | told
        for one in _annual(store, query, structure.time.id)
        for told in _assessed(one, aims[one.key[series]], base_year, target_year)
    ]
    if not rows:
        known = store.availability(DataQuery(flow), components=[series]).values[series]
        missing = sorted(set(aims) - set(known))
        none = f" There are no data of {', '.join(missing[:5])}." if missing else ""
        raise BadCall(f"No series of {flow} is assessed.{none}", remedy="Name codes and areas that the flow has.")
    text, number = pa.string(), pa.float64()
    columns = [*((one, text) for one in (*keys, "method", "status")), ("value", number), ("score", number)]
    columns += [("achieved", pa.bool_()), ("reason", text), *((one, number) for one in STEPS)]
    return pa.Table.from_pylist(rows, pa.schema(columns))


def _annual(store: Store, query: DataQuery, time: str) -> Iterator[_Series]:
    """Give the annual values of each series: those of periods that are a year."""
    [found] = store.select(query).data_sets()
    [measure] = query.measures or ()
    keys = found.series.select(list(found.structure.key)).to_pylist()
    made: dict[int, _Series] = {}
    for batch in found.observations:
        places, periods, values = (batch[name].to_pylist() for name in (SERIES, time, measure))
        for place, period, value in zip(places, periods, values, strict=True):
            if len(period) == 4 and period.isdigit():
                made.setdefault(place, _Series(keys[place])).values[int(period)] = value
    yield from made.values()


def _assessed(one: _Series, aim: Aim, base_year: int, target_year: int) -> Iterator[dict[str, object]]:
    """Give a row for each method."""
    methods: Sequence[Progress]
    if aim.direction is None:
        why = aim.why or "growth says nothing of it"
        methods = [Progress(name, "not_available", reason=why) for name in ("Open SDG", "UNSD", "Eurostat")]
    else:
        years = {"base_year": base_year, "target_year": target_year}
        methods = [
            open_sdg_progress(one.values, aim.direction, target=aim.target, limit=aim.limit, **years),
            unsd_progress(one.values, aim.direction, target=aim.target, **years),
            eurostat_progress(one.values, aim.direction, target=aim.target, **years),
        ]
    for found in methods:
        names = ("method", "status", "value", "score", "achieved", "reason")
        yield {name: getattr(found, name) for name in names} | {name: found.steps.get(name) for name in STEPS}
