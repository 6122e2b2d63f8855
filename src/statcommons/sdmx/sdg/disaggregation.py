"""Indicator 17.18.1: the share of indicators that are produced with every disaggregation that they ask for.

An indicator is fully disaggregated when each dimension that it asks for has values of parts, beside one another or
beside the total. What an indicator asks for stands in its name, and an office may ask for more.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from statcommons.core.errors import BadCall, nearest
from statcommons.sdmx.model import Ref
from statcommons.sdmx.query.data import DataQuery
from statcommons.sdmx.sdg.framework import framework

if TYPE_CHECKING:
    import pyarrow as pa

    from statcommons.sdmx.store import Store

__all__ = ["Disaggregation", "disaggregation_share", "disaggregations_of"]

TOTALS = frozenset({"_T", "_Z", "_U", "_X", "BOTHSEX", "ALLAGE", "ALLAREA", "TOTAL", "NOTSPEC"})
"""Codes that are no part of a whole, in the global data structure and in exports: all, none, unknown."""

NO_BREAKDOWNS = frozenset({"FREQ", "REPORTING_TYPE", "REF_AREA"})
"""Dimensions that take no indicator apart."""


@dataclass(frozen=True)
class Disaggregation:
    """The share, and the table behind it.

    Parameters
    ----------
    share : float, optional
        The share from 0 to 1; none where no indicator asks for a disaggregation.
    counted, complete : int
        How many indicators ask for one, and how many of them are produced with all.
    table : pyarrow.Table
        A row for each indicator that asks for one: ``indicator``, ``asked``, ``produced`` and ``missing`` (lists of
        dimensions), ``is_produced`` and ``is_complete``.
    """

    share: float | None
    counted: int
    complete: int
    table: pa.Table


def disaggregation_share(
    produced: Mapping[str, Collection[str]],
    asked: Mapping[str, Collection[str]] | None = None,
    *,
    with_missing: bool = True,
) -> Disaggregation:
    """Give the share of indicators that are produced with full disaggregation.

    Parameters
    ----------
    produced : mapping of str to collection of str
        The dimensions that each indicator is produced by; an indicator that is not there is not produced.
    asked : mapping of str to collection of str, optional
        The dimensions that each indicator asks for; those of its official name by default. One that repeats another is
        counted once, under its first number.
    with_missing : bool
        Whether indicators that are not produced at all are counted.

    Returns
    -------
    Disaggregation
        The share and the table behind it.

    Raises
    ------
    BadCall
        When an indicator is not known.

    References
    ----------
    Global indicator framework, indicator 17.18.1 (2017): proportion of indicators produced at the national level with
    full disaggregation when relevant to the target.

    Examples
    --------
    >>> asked = {"1.2.1": ["SEX", "AGE"], "4.1.1": ["SEX"]}
    >>> found = disaggregation_share({"1.2.1": ["SEX"], "4.1.1": ["SEX", "URBANISATION"]}, asked)
    >>> found.share, found.counted, found.table["missing"].to_pylist()
    (0.5, 2, [['AGE'], []])
    """
    import pyarrow as pa

    known = framework()
    if asked is None:
        asked = {one.id: one.disaggregations for one in known.unique}
    for id in (*produced, *asked):
        known.indicator(id)
    have: dict[str, set[str]] = {}
    for id, dimensions in produced.items():
        have.setdefault(_first(id), set()).update(dimensions)
    want: dict[str, set[str]] = {}
    for id, dimensions in asked.items():
        want.setdefault(_first(id), set()).update(dimensions)
    rows = [
        {
            "indicator": one.id,
            "asked": sorted(want[one.id]),
            "produced": sorted(have.get(one.id, ())),
            "missing": sorted(want[one.id] - have.get(one.id, set())),
            "is_produced": one.id in have,
            "is_complete": want[one.id] <= have.get(one.id, set()),
        }
        for one in known.unique
        if want.get(one.id) and (with_missing or one.id in have)
    ]
    names = pa.list_(pa.string())
    schema = {"indicator": pa.string(), "asked": names, "produced": names, "missing": names}
    table = pa.Table.from_pylist(rows, pa.schema(schema | {"is_produced": pa.bool_(), "is_complete": pa.bool_()}))
    complete = sum(bool(one["is_complete"]) for one in rows)
    return Disaggregation(complete / len(rows) if rows else None, len(rows), complete, table)


def disaggregations_of(
    store: Store, flow: Ref, *, series: str = "SERIES", totals: Collection[str] = TOTALS
) -> dict[str, frozenset[str]]:
    """Tell by which dimensions the indicators of a flow are produced.

    Parameters
    ----------
    store : Store
        The store.
    flow : Ref
        The dataflow.
    series : str
        The dimension that has the codes of the SDG database's series.
    totals : collection of str
        Codes of a dimension that are no part of a whole, in capitals.

    Returns
    -------
    dict of str to frozenset of str
        By indicator, the dimensions in which some series of it has several codes, of which one at least is no total.

    Raises
    ------
    BadCall
        When the flow has no such dimension.
    NoInput
        When there is no such dataflow.
    """
    import pyarrow.compute as pc

    selection = store.select(DataQuery(flow, detail="serieskeysonly"))
    keys = selection.structure.key
    if series not in keys:
        raise BadCall(f"There is no dimension {series!r} in {flow}.", remedy=nearest(series, keys))
    [found] = selection.data_sets()
    broken_down = [one for one in keys if one not in {series, *NO_BREAKDOWNS}]
    produced: dict[str, set[str]] = {}
    for code in found.series[series].unique().to_pylist():
        mine = found.series.filter(pc.equal(found.series[series], code))
        parts = {one for one in broken_down if _has_parts(mine[one].unique().to_pylist(), totals)}
        for indicator in framework().indicators_of(code):
            produced.setdefault(indicator.id, set()).update(parts)
    return {indicator: frozenset(dimensions) for indicator, dimensions in produced.items()}


def _has_parts(codes: Collection[str | None], totals: Collection[str]) -> bool:
    """Tell whether there is a part, and something beside it: one age group alone is what is measured."""
    return len(codes) > 1 and any(code is not None and code.upper() not in totals for code in codes)


def _first(id: str) -> str:
    """Give the number under which an indicator comes first."""
    return framework().indicator(id).repeat_of or id
