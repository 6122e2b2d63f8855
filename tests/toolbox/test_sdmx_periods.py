"""Periods of SDMX cover the spans of time that the standard gives them."""

import datetime
import re
from datetime import timedelta

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from statcommons.core.errors import BadCall
from statcommons.core.schema import PERIOD_PATTERN
from statcommons.toolbox.sdmx_periods import between, time_period

PARTS = {"A": 1, "S": 2, "T": 3, "Q": 4, "M": 12}
WIDTH = {"M": 2, "W": 2, "D": 3}
year = st.integers(1, 9998)
any_day = st.dates(datetime.date(1, 1, 8), datetime.date(9998, 12, 24))
start_day = st.dates(datetime.date(2000, 1, 1), datetime.date(2000, 12, 31)).map(lambda day: f"--{day:%m-%d}")


def written(year, sign, value):
    return f"{year:04}-{sign}{value:0{WIDTH.get(sign, 1)}}"


@pytest.mark.parametrize(
    ("text", "year_start", "start", "last"),
    [
        # the worked examples of the standard, section 6, 4.2.6; the last day is in the period
        ("2010-Q2", "--07-01", "2010-10-01", "2010-12-31"),
        ("2011-W36", "--07-01", "2012-03-05", "2012-03-11"),
        ("2000-A1", "--07-01", "2000-07-01", "2001-06-30"),
        # parts of a year of 365 and of 366 days
        ("2010-D185", "--07-01", "2011-01-01", "2011-01-01"),
        ("2011-D366", "--07-01", "2012-06-30", "2012-06-30"),
        # calendar periods do not move
        ("2010", "--07-01", "2010-01-01", "2010-12-31"),
        ("2010-07", "--07-01", "2010-07-01", "2010-07-31"),
        # a start day that a year or a month does not have is its last
        ("2010-Q1", "--02-29", "2010-02-28", "2010-05-27"),
        ("2010-M02", "--01-31", "2010-02-28", "2010-03-30"),
        ("2000-02", "--01-01", "2000-02-01", "2000-02-29"),
        # ranges: years and months first, then the rest
        ("2010-01-31/P1M", "--01-01", "2010-01-31", "2010-02-27"),
        ("2010-01-31/P1M1D", "--01-01", "2010-01-31", "2010-02-28"),
        ("2010-01-01/P1Y", "--01-01", "2010-01-01", "2010-12-31"),
        ("2010-01-01/P2W", "--01-01", "2010-01-01", "2010-01-14"),
        ("2010-07-01T00:00:00/P3D", "--01-01", "2010-07-01", "2010-07-03"),
    ],
)
def test_whole_days(text, year_start, start, last):
    period = time_period(text, year_start=year_start)
    assert period.start == datetime.datetime.fromisoformat(start)
    assert period.end == datetime.datetime.fromisoformat(last) + timedelta(days=1)


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [
        ("2010-07-15T09:30:00", "2010-07-15T09:30:00", "2010-07-15T09:30:01"),
        ("2010-07-15T09:30:00.25", "2010-07-15T09:30:00.250000", "2010-07-15T09:30:00.260000"),
        ("2010-07-15T09:30:00.1234567", "2010-07-15T09:30:00.123456", "2010-07-15T09:30:00.123457"),
        ("2010-07-15T24:00:00", "2010-07-16T00:00:00", "2010-07-16T00:00:01"),
        ("2010-07-15T09:30:00+02:00", "2010-07-15T07:30:00", "2010-07-15T07:30:01"),
        ("2010-07-15T09:00:00Z/PT90M", "2010-07-15T09:00:00", "2010-07-15T10:30:00"),
        ("2010-07-15T09:00:00/PT0.5S", "2010-07-15T09:00:00", "2010-07-15T09:00:00.500000"),
        # the examples of zones of the standard, section 6, 4.2.10
        ("2006-06-05-05:00/P5D", "2006-06-05T05:00:00", "2006-06-10T05:00:00"),
        ("2006-05:00", "2006-01-01T05:00:00", "2007-01-01T05:00:00"),
        ("2006-06-05:00", "2006-06-01T05:00:00", "2006-07-01T05:00:00"),
        ("2006-06-05-05:00", "2006-06-05T05:00:00", "2006-06-06T05:00:00"),
        ("2006-Q3-05:00", "2006-07-01T05:00:00", "2006-10-01T05:00:00"),
        ("2006-W23-05:00", "2006-06-05T05:00:00", "2006-06-12T05:00:00"),
        ("2006-D156-05:00", "2006-06-05T05:00:00", "2006-06-06T05:00:00"),
    ],
)
def test_moments_and_zones(text, start, end):
    period = time_period(text)
    assert (period.start, period.end) == tuple(map(datetime.datetime.fromisoformat, (start, end)))


def test_the_zone_of_the_period_comes_before_that_of_the_year():
    assert time_period("2006-Q1", year_start="--07-01+02:00").start == datetime.datetime(2006, 6, 30, 22)
    assert time_period("2006-Q1Z", year_start="--07-01+02:00").start == datetime.datetime(2006, 7, 1)
    assert time_period("2006", year_start="--07-01+02:00").start == datetime.datetime(2006, 1, 1)


@pytest.mark.parametrize(
    ("text", "frequency"),
    [
        *[("2010", "A"), ("2010-A1", "A"), ("2010-S1", "S"), ("2010-T1", "A_3"), ("2010-Q1", "Q"), ("2010-M01", "M")],
        *[("2010-01", "M"), ("2010-W01", "W"), ("2010-D001", "D"), ("2010-01-01", "D"), ("2010-01-01T00:00:00", "I")],
        ("2010-01-01/P1M", None),
    ],
)
def test_the_frequency_is_read_from_the_writing(text, frequency):
    assert time_period(text).frequency == frequency


@given(any_day)
def test_weeks_are_those_of_iso_8601(day):
    """The standard library is the oracle."""
    year, week, weekday = day.isocalendar()
    monday = datetime.datetime.combine(day, datetime.time()) - timedelta(days=weekday - 1)
    period = time_period(written(year, "W", week))
    assert (period.start, period.end) == (monday, monday + timedelta(days=7))


@given(any_day)
def test_days_are_counted_as_the_standard_library_does(day):
    number = day.timetuple().tm_yday
    assert time_period(written(day.year, "D", number)) == time_period(day.isoformat())


@given(year, st.sampled_from("ASTQM"), start_day)
def test_the_parts_of_a_year_follow_each_other_without_gap(year, sign, year_start):
    parts = [time_period(written(year, sign, value + 1), year_start=year_start) for value in range(PARTS[sign])]
    whole = time_period(f"{year:04}-A1", year_start=year_start)
    assert [one.start for one in parts] == [whole.start, *(one.end for one in parts[:-1])]
    assert parts[-1].end == whole.end
    assert sorted(parts) == parts


@given(year, st.sampled_from("WD"), start_day)
def test_weeks_and_days_fill_the_reporting_year(year, sign, year_start):
    """The last one that can be read ends where the first of the next year begins."""
    most = {"W": 53, "D": 366}[sign]
    try:
        last = time_period(written(year, sign, most), year_start=year_start)
    except BadCall:
        last = time_period(written(year, sign, most - 1), year_start=year_start)
    assert last.end == time_period(written(year + 1, sign, 1), year_start=year_start).start
    first = time_period(written(year, "W", 1), year_start=year_start).start
    begin = time_period(f"{year:04}-A1", year_start=year_start).start
    assert first.weekday() == 0
    assert begin <= first + timedelta(days=3) < begin + timedelta(days=7), "its Thursday is the first of the year"


def read(text):
    """Give a period, or why there is none."""
    try:
        return time_period(text)
    except BadCall as error:
        return error


@given(st.from_regex(re.compile(PERIOD_PATTERN, re.A), fullmatch=True))
def test_what_a_table_may_hold_is_read_unless_the_calendar_lacks_it(text):
    text = text.removesuffix("\n")
    assume(not re.search(r"M\d\d-", text))  # the pattern lets 2026-M11-21 through, which is none
    found = read(text)
    assert "(" in found.what if isinstance(found, BadCall) else found.start < found.end


@given(st.text(max_size=12) | st.text("0123456789-QWMDASTPYHZ:+./", max_size=24))
def test_any_text_is_a_period_or_an_error_of_ours(text):
    found = read(text)
    assert found.remedy if isinstance(found, BadCall) else found.start < found.end


@pytest.mark.parametrize(
    "text",
    [
        *["", "26", "02026", "2026-1", "2026-00", "2026-13", "2026-02-30", "2026-A2", "2026-S3", "2026-T4", "2026-Q5"],
        *["2026-Q0", "2026-M1", "2026-M13", "2026-W00", "2025-W53", "2026-D366", "2026-D000", "2026-D1", "2026Q1"],
        *["2026-01-01T25:00:00", "2026-01-01T24:00:01", "2026-01-01T09:60:00", "2026-01-01T09:30", "2026-01-01 09:30"],
        *[
            "2026-01-01/",
            "2026-01-01/P",
            "2026-01-01/P1YT",
            "2026-01-01/P0D",
            "2026-01-01/-P1D",
            "2026/P1Y",
            "2026-01/P1M",
        ],
        *[
            "2026+15:00",
            "2026+02:60",
            "2026+2",
            "٢٠٢٦",
            "2026\n",
            " 2026",
            "0000",
            "0001+02:00",
            "2026-01-01/2026-01-31",
        ],
    ],
)
def test_what_is_no_period_is_refused(text):
    with pytest.raises(BadCall, match="is not a period of time"):
        time_period(text)


@pytest.mark.parametrize("day", ["07-01", "--7-1", "--13-01", "--02-30", ""])
def test_a_start_day_that_is_none_is_refused(day):
    with pytest.raises(BadCall, match="year_start is"):
        time_period("2026-Q1", year_start=day)


@pytest.mark.parametrize(
    "text", ["9999", "9999-W52", "9999-12-31T23:59:59", "2026-01-01/P99999Y", "2026-01-01/P" + "9" * 400 + "D"]
)
def test_what_goes_beyond_the_year_9999_ends_at_the_last_moment(text):
    assert time_period(text).end == datetime.datetime.max


def test_between_takes_a_period_only_whole():
    """An annual figure of 2018 is no figure of a year that begins in April 2018."""
    texts = ["2017", "2018", "2018-Q1", "2018-Q2", "2018-04", "2018-W14", "2019", "2019-12-31", "2020-01-01"]
    inside = [text for text in texts if between(time_period(text), time_period("2018-Q2"), time_period("2019"))]
    assert inside == ["2018-Q2", "2018-04", "2018-W14", "2019", "2019-12-31"]
    assert between(time_period("2018"))
    assert not between(time_period("2018"), last=time_period("2018-12-30"))
