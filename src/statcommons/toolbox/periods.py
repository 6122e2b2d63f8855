"""Periods of time, as SDMX writes them, counted by the engine that holds the table."""

from __future__ import annotations

from typing import Any, Literal, TypeAlias

__all__ = ["Frequency", "period_of", "start_of"]

Frequency: TypeAlias = Literal["month", "week"]
"""How often there is a figure."""


def start_of(time: Any, frequency: Frequency) -> Any:
    """Give the first day of the period in which a day lies: the key to group by.

    Parameters
    ----------
    time : ibis date column
        Days.
    frequency : {"month", "week"}
        Calendar months, or weeks of ISO 8601, which begin on Monday.

    Returns
    -------
    ibis date column
        First days.

    Examples
    --------
    >>> import datetime
    >>> import pyarrow as pa
    >>> from statcommons.core.engine import current
    >>> days = current().adopt(pa.table({"day": [datetime.date(2026, 11, 21)]}))
    >>> current().collect(days.select(monday=start_of(days.day, "week")))["monday"].to_pylist()
    [datetime.date(2026, 11, 16)]
    """
    return time.truncate({"month": "M", "week": "W"}[frequency]).cast("date")


def period_of(start: Any, frequency: Frequency) -> Any:
    """Write the period that begins on a day: ``2026-11`` or ``2026-W47``.

    A week belongs to the year in which its Thursday lies (ISO 8601).

    Parameters
    ----------
    start : ibis date column
        First days of periods, as of :func:`start_of`.
    frequency : {"month", "week"}
        What the periods are.

    Returns
    -------
    ibis text column
        Periods, which sort in the order of time.

    Examples
    --------
    >>> import datetime
    >>> import pyarrow as pa
    >>> from statcommons.core.engine import current
    >>> days = current().adopt(pa.table({"day": [datetime.date(2021, 1, 3), datetime.date(2021, 1, 4)]}))
    >>> week = period_of(start_of(days.day, "week"), "week")
    >>> current().collect(days.select(week=week))["week"].to_pylist()
    ['2020-W53', '2021-W01']
    """
    import ibis

    if frequency == "month":
        return start.year().cast("string").lpad(4, "0") + "-" + start.month().cast("string").lpad(2, "0")
    thursday = start + ibis.interval(days=3)
    return thursday.year().cast("string").lpad(4, "0") + "-W" + start.week_of_year().cast("string").lpad(2, "0")
