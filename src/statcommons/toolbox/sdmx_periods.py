"""Time periods of SDMX as spans of time: from a first moment to the one at which the period is over.

SDMX writes periods in many ways, and one table may hold several of them. As spans they compare, whatever they are:

=====================  =============================================================  =========
written                 means                                                          frequency
=====================  =============================================================  =========
``2026``                a calendar year                                                A
``2026-11``             a calendar month                                               M
``2026-11-21``          a day                                                          D
``2026-11-21T09:30:00`` a moment, which lasts as long as its last digit tells          I
``2026-A1``             a reporting year                                               A
``2026-S2``             a half of it                                                   S
``2026-T3``             a third of it                                                  A_3
``2026-Q4``             a quarter of it                                                Q
``2026-M12``            a month of it                                                  M
``2026-W53``            a week of it, Monday to Sunday                                 W
``2026-D365``           a day of it                                                    D
``2026-11-21/P10D``     a range: a day or a moment, and how long it lasts (ISO 8601)   none
=====================  =============================================================  =========

A reporting year begins on the reporting year start day, 1 January by default; its first week is the one that has the
first Thursday on or after that day, so that weeks are those of ISO 8601 by default. Each may end in a zone of time
(``Z``, ``+02:00``); all spans are in UTC, and what has no zone is taken for UTC.
"""

from __future__ import annotations

import calendar
import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from statcommons.core.errors import BadCall

__all__ = ["TimePeriod", "between", "time_period"]

ZONE = r"(?P<zone>Z|[+-]\d{2}:\d{2})?"
CLOCK = r"T(?P<hour>\d{2}):(?P<minute>\d{2}):(?P<second>\d{2})(?P<fraction>\.\d+)?"
GREGORIAN = re.compile(rf"(?P<year>\d{{4}})(-(?P<month>\d{{2}})(-(?P<day>\d{{2}})(?P<clock>{CLOCK})?)?)?{ZONE}", re.A)
REPORTING = re.compile(
    rf"(?P<year>\d{{4}})-(?:(?P<sign>[ASTQ])(?P<one>\d)|(?P<sign2>[MW])(?P<two>\d\d)|D(?P<three>\d{{3}})){ZONE}", re.A
)
DURATION = re.compile(
    r"P(?=.)(?:(?P<years>\d+)Y)?(?:(?P<months>\d+)M)?(?:(?P<weeks>\d+)W)?(?:(?P<days>\d+)D)?"
    r"(?:T(?=.)(?:(?P<hours>\d+)H)?(?:(?P<minutes>\d+)M)?(?:(?P<seconds>\d+(?:\.\d+)?)S)?)?",
    re.A,
)
START_DAY = re.compile(rf"--(?P<month>\d{{2}})-(?P<day>\d{{2}}){ZONE}", re.A)
MONTHS = {"A": 12, "S": 6, "T": 4, "Q": 3, "M": 1}
DAYS = {"W": 7, "D": 1}
REMEDY = "Write it as 2026, 2026-11, 2026-11-21, 2026-11-21T09:30:00, 2026-Q4, 2026-M11, 2026-W47 or 2026-11-21/P10D."


@dataclass(frozen=True, slots=True, order=True)
class TimePeriod:
    """A period as the span of time that it covers.

    Periods sort by their first moment, and the shorter before the longer. Two that cover the same time are equal,
    however they are written.

    Parameters
    ----------
    start : datetime.datetime
        The first moment, in UTC and without a zone.
    end : datetime.datetime
        The moment at which the period is over, which is no longer in it. It is the last moment there is where the
        period ends after the year 9999.
    frequency : str, optional
        The code of CL_FREQ 2.1 (see the table of the module); none for a range, whose writing does not tell it.
    text : str
        The period as it was written.

    Examples
    --------
    >>> time_period("2026") == time_period("2026-A1")
    True
    >>> [one.text for one in sorted(map(time_period, ["2026", "2026-Q2", "2026-01", "2025-W52"]))]
    ['2025-W52', '2026-01', '2026', '2026-Q2']
    """

    start: datetime
    end: datetime
    frequency: str | None = field(compare=False)
    text: str = field(compare=False)


def time_period(text: str, *, year_start: str = "--01-01") -> TimePeriod:
    """Read a period of time as SDMX writes it.

    Parameters
    ----------
    text : str
        An observational time period, such as ``2026-Q3``.
    year_start : str
        The reporting year start day, ``--MM-DD``. It moves reporting periods only (``2026-Q3``, ``2026-A1``); calendar
        periods (``2026``, ``2026-07``) stay. The reporting year 2026 begins in the calendar year 2026.

    Returns
    -------
    TimePeriod
        Its first moment, its end, its frequency and its text.

    Raises
    ------
    BadCall
        When it is no period, or when it does not exist, such as ``2026-02-30`` or a week 53 in a year of 52.

    References
    ----------
    SDMX 3.0, section 6, Technical Notes, 4.2 (time periods; how the calendar dates of reporting periods are found).

    Examples
    --------
    >>> third = time_period("2026-Q3")
    >>> print(third.start, third.end, third.frequency)
    2026-07-01 00:00:00 2026-10-01 00:00:00 Q
    >>> print(time_period("2026-Q3", year_start="--07-01").start)
    2027-01-01 00:00:00
    """
    try:
        start, end, frequency = _span(text, year_start)
    except (ValueError, OverflowError) as error:
        why = f" ({error})" if str(error) else ""
        raise BadCall(f"{text!r} is not a period of time{why}.", remedy=REMEDY) from None
    return TimePeriod(start, end, frequency, text)


def between(period: TimePeriod, first: TimePeriod | None = None, last: TimePeriod | None = None) -> bool:
    """Tell whether a period lies between two others: all of it, both included.

    Parameters
    ----------
    period : TimePeriod
        The period of an observation.
    first, last : TimePeriod, optional
        What a query calls ``startPeriod`` and ``endPeriod``; they need not have the frequency of the period. None
        leaves that side open.

    Returns
    -------
    bool
        Whether the period begins no earlier than the first and ends no later than the last.

    References
    ----------
    SDMX REST 1.5, data queries, startPeriod and endPeriod.

    Examples
    --------
    The year 2018 begins before the second quarter of 2018 does:

    >>> between(time_period("2018"), time_period("2018-Q2")), between(time_period("2019"), time_period("2018-Q2"))
    (False, True)
    """
    return (first is None or period.start >= first.start) and (last is None or period.end <= last.end)


# --- the ways of writing --------------------------------------------------------------------------------------------


def _span(text: str, year_start: str) -> tuple[datetime, datetime, str | None]:
    """Give start, end and frequency; a ValueError says why there are none."""
    if found := REPORTING.fullmatch(text):
        return _reporting(found, year_start)
    if found := GREGORIAN.fullmatch(text):
        return _gregorian(found)
    begin, slash, duration = text.partition("/")
    found, lasts = GREGORIAN.fullmatch(begin), DURATION.fullmatch(duration)
    if not (slash and found and found["day"] and lasts):
        raise ValueError
    start = _gregorian(found)[0]
    end = _later(start, lasts)
    if end <= start:
        raise ValueError("it lasts no time")
    return start, end, None


def _gregorian(found: re.Match[str]) -> tuple[datetime, datetime, str]:
    """Place a calendar year, month or day, or a moment."""
    year, month, day = (int(found[part] or 1) for part in ("year", "month", "day"))
    start, shift = datetime(year, month, day), _shift(found["zone"])
    if found["clock"]:
        start += _time_of_day(found)
        digits = len((found["fraction"] or ".")[1:7])
        return start - shift, _plus(start - shift, timedelta(microseconds=10 ** (6 - digits))), "I"
    if found["day"]:
        return start - shift, _plus(start - shift, timedelta(days=1)), "D"
    end = _add_months(start, 1 if found["month"] else 12)
    return start - shift, _plus(end, -shift), "M" if found["month"] else "A"


def _time_of_day(found: re.Match[str]) -> timedelta:
    hour, minute, second = (int(found[part]) for part in ("hour", "minute", "second"))
    micro = int(((found["fraction"] or ".")[1:7]).ljust(6, "0"))
    past = timedelta(hours=hour, minutes=minute, seconds=second, microseconds=micro)
    if minute > 59 or second > 59 or past > timedelta(days=1):  # 24:00:00 is the end of the day
        raise ValueError("there is no such time of day")
    return past


def _reporting(found: re.Match[str], year_start: str) -> tuple[datetime, datetime, str]:
    """Place a part of a reporting year: it is counted from the day on which the year begins."""
    sign = found["sign"] or found["sign2"] or "D"
    value = int(found["one"] or found["two"] or found["three"])
    year, day = int(found["year"]), START_DAY.fullmatch(year_start)
    if not day:
        raise BadCall(f"year_start is {year_start!r}.", remedy="Write the reporting year start day as --07-01.")
    base = _base(year, day, sign)
    if sign in MONTHS:
        limit, step = 12 // MONTHS[sign], MONTHS[sign]
        start, end = _add_months(base, step * (value - 1)), _add_months(base, step * value)
    else:
        length = timedelta(days=DAYS[sign])
        limit = (_base(year + 1, day, sign) - base) // length if year < 9999 else 366 // DAYS[sign]
        start, end = base + length * (value - 1), _plus(base, length * value)
    if not 1 <= value <= limit:
        raise ValueError(f"there are {limit} in {year}" if limit > 1 else "a year has one")
    shift = _shift(found["zone"] or day["zone"])
    return start - shift, _plus(end, -shift), "A_3" if sign == "T" else sign


def _base(year: int, day: re.Match[str], sign: str) -> datetime:
    """Give the day from which the parts of a reporting year are counted: for weeks, the nearest Monday."""
    month, number = int(day["month"]), int(day["day"])
    if not (1 <= month <= 12 and 1 <= number <= calendar.monthrange(2000, month)[1]):
        raise BadCall(f"year_start is {day[0]!r}; there is no such day.", remedy="Write it as --07-01.")
    start = datetime(year, month, min(number, calendar.monthrange(year, month)[1]))
    if sign != "W":
        return start
    weekday = start.weekday()
    return start - timedelta(days=weekday) if weekday <= 3 else start + timedelta(days=7 - weekday)


# --- counting -------------------------------------------------------------------------------------------------------


def _shift(zone: str | None) -> timedelta:
    """Give how far a zone is ahead of UTC."""
    if zone in (None, "Z"):
        return timedelta()
    hours, minutes = int(zone[1:3]), int(zone[4:6])
    if minutes > 59 or hours * 60 + minutes > 14 * 60:
        raise ValueError("there is no such zone of time")
    ahead = timedelta(hours=hours, minutes=minutes)
    return -ahead if zone[0] == "-" else ahead


def _add_months(start: datetime, months: int) -> datetime:
    """Add months as XML Schema does: where there is no such day, take the last of the month."""
    year, month = divmod(start.year * 12 + start.month - 1 + months, 12)
    if year > 9999:
        return datetime.max
    return start.replace(year=year, month=month + 1, day=min(start.day, calendar.monthrange(year, month + 1)[1]))


def _plus(start: datetime, length: timedelta) -> datetime:
    """Add a length of time, up to the last moment there is."""
    if start == datetime.max:
        return start
    try:
        return start + length
    except OverflowError:
        return datetime.max


def _later(start: datetime, lasts: re.Match[str]) -> datetime:
    """Add a duration of ISO 8601: years and months first, then the rest."""
    number = {name: float(value or 0) for name, value in lasts.groupdict().items()}
    end = _add_months(start, int(12 * number.pop("years") + number.pop("months")))
    try:
        return _plus(end, timedelta(**number))
    except OverflowError:  # more days than there are
        return datetime.max
