"""Parameters of queries, read from the query string as it was sent.

Most web frameworks turn a plus sign into a space, and drop what comes twice; both would change what is asked for here.
What is unknown, given twice or malformed is refused, with what and how to mend it.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, get_args
from urllib.parse import unquote

from statcommons.core.errors import BadCall, nearest
from statcommons.sdmx.query.components import Filter, component_filters
from statcommons.sdmx.query.data import Detail, Mode
from statcommons.toolbox.sdmx_periods import TimePeriod, time_period

__all__ = ["Parameters", "read_parameters"]

DETAILS = (
    "full",
    "allstubs",
    "referencestubs",
    "allcompletestubs",
    "referencecompletestubs",
    "referencepartial",
    "raw",
)
MOMENT = re.compile(r"\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d{1,9})?)?)?(Z|[+-]\d\d:\d\d)?", re.A)
ID = r"[\w@$-]+(?:\.[\w@$-]+)*"
IDS = re.compile(rf"{ID}(?:,{ID})*", re.A)
WORDS = re.compile(r"[a-z]+(?:,[a-z]+)*", re.A)
SORT = re.compile(rf"(?:\*|{ID})(?::(?:asc|desc))?", re.A)
LANGUAGES = re.compile(r"[A-Za-z]{2,8}(?:-[A-Za-z0-9]{1,8})*", re.A)


@dataclass(frozen=True)
class Parameters:
    """The parameters of a query, typed; what is not given is None, or what the standard says.

    The comments name those of the query string whose name is another.
    """

    filters: Mapping[str, Filter] = field(default_factory=dict)  # c[…]
    start: str | None = None  # startPeriod
    end: str | None = None  # endPeriod
    year_start: str = "--01-01"  # reportingYearStartDay
    first: int | None = None  # firstNObservations
    last: int | None = None  # lastNObservations
    at: str | None = None  # dimensionAtObservation
    detail: str = "full"
    attributes: tuple[str, ...] | None = None
    measures: tuple[str, ...] | None = None
    as_of: datetime.datetime | None = None  # asOf
    updated_after: datetime.datetime | None = None  # updatedAfter
    history: bool = False  # includeHistory
    offset: int = 0
    limit: int | None = None
    sort: tuple[tuple[str, bool], ...] = ()
    mode: Mode = "exact"
    references: tuple[str, ...] = ("none",)
    key: str | None = None
    explicit_measure: bool = False  # explicitMeasure
    deletion: bool = False
    format: str | None = None
    format_version: str | None = None  # formatVersion
    lang: str | None = None
    compression: str | None = None
    labels: str | None = None
    keys: str | None = None
    time_format: str | None = None  # timeFormat

    def period(self, text: str | None) -> TimePeriod | None:
        """Read a bound of time, in years that begin on the day that the query says."""
        return time_period(text, year_start=self.year_start) if text else None


def read_parameters(query: str, resource: str) -> Parameters:
    """Read the parameters of a query.

    Parameters
    ----------
    query : str
        What stands behind the question mark of the address, not decoded, or in the body of a form, or both.
    resource : {"data", "availability", "structure", "schema"}
        What is asked for: each has parameters of its own.

    Raises
    ------
    BadCall
        When one is unknown, is given twice, or cannot be read.

    References
    ----------
    SDMX REST 1.5 and 2.2.1 (OpenAPI); ``format``, ``formatVersion``, ``lang`` and ``compression`` are in the chapter of
    2.2 on extensions, ``labels``, ``keys`` and ``timeFormat`` are what the media types of SDMX-CSV take.

    Examples
    --------
    >>> asked = read_parameters("updatedAfter=2020-01-01T00:00:00+02:00&lastNObservations=2", "data")
    >>> asked.updated_after, asked.last
    (datetime.datetime(2019, 12, 31, 22, 0), 2)
    >>> read_parameters("lastNObservation=2", "data")
    Traceback (most recent call last):
    statcommons.core.errors.BadCall: lastNObservation: This is not a parameter of data. ...'lastNObservations'...
    """
    known = {name: (field_name, read) for name, field_name, read, where in TABLE if resource in where}
    filters = component_filters(query) if resource in QUERIES else {}
    found: dict[str, Any] = {}
    for name, text in _pairs(query):
        if name.startswith("c[") and resource in QUERIES:
            continue
        if name not in known:
            choices = [*known, "c[…]"] if resource in QUERIES else list(known)
            raise BadCall(f"This is not a parameter of {resource}.", where=name, remedy=nearest(name, choices))
        field_name, read = known[name]
        if field_name in found:
            raise BadCall("This is given twice.", where=name, remedy="Give it once.")
        try:
            found[field_name] = read(text)
        except BadCall as error:
            raise BadCall(error.what, where=name, remedy=error.remedy) from None
    asked = Parameters(filters=filters, **found)
    for name in ("start", "end"):
        asked.period(getattr(asked, name))  # whether they exist is known only with the day that the year begins on
    if asked.updated_after and asked.as_of and asked.updated_after > asked.as_of:
        raise BadCall("updatedAfter is later than asOf.", where="updatedAfter", remedy="Give a moment before asOf.")
    return asked


def _pairs(query: str) -> list[tuple[str, str]]:
    """Cut a query string into names and values, decoded; a plus sign stays one."""
    pairs = []
    for part in query.split("&"):
        name, _, text = part.partition("=")
        if name:
            pairs.append((_decoded(name), _decoded(text)))
    return pairs


def _decoded(text: str) -> str:
    try:
        return unquote(text, errors="strict")
    except UnicodeDecodeError:
        raise BadCall(f"{text!r} is not UTF-8.", where="query", remedy="Encode it as UTF-8 before %.") from None


# --- what values are ------------------------------------------------------------------------------------------------


def _one_of(*words: str) -> Callable[[str], str]:
    def read(text: str) -> str:
        if text not in words:
            raise BadCall(f"{text!r} is not known.", remedy=nearest(text, words))
        return text

    return read


def _matching(form: re.Pattern[str], example: str) -> Callable[[str], str]:
    def read(text: str) -> str:
        if not form.fullmatch(text):
            raise BadCall(f"{text!r} cannot be read.", remedy=f"Write it as {example}.")
        return text

    return read


def _several(form: re.Pattern[str], example: str) -> Callable[[str], tuple[str, ...]]:
    read = _matching(form, example)
    return lambda text: tuple(dict.fromkeys(read(text).split(",")))


def _whole(least: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        if not re.fullmatch(r"\d{1,15}", text, re.A) or int(text) < least:
            raise BadCall(f"{text!r} is not a whole number from {least}.", remedy=f"Write it as {max(least, 10)}.")
        return int(text)

    return read


def _boolean(text: str) -> bool:
    return _one_of("true", "false")(text) == "true"


def _moment(text: str) -> datetime.datetime:
    """Read a moment; what has no zone is UTC, as all of ours are."""
    try:
        if not MOMENT.fullmatch(text):
            raise ValueError
        moment = datetime.datetime.fromisoformat(text)
        utc = moment.astimezone(datetime.UTC) if moment.tzinfo else moment
    except (ValueError, OverflowError):
        raise BadCall(f"{text!r} is not a moment.", remedy="Write it as 2026-11-21T09:30:00Z.") from None
    return utc.replace(tzinfo=None)


def _period(text: str) -> str:
    time_period(text)
    return text


def _year_start(text: str) -> str:
    time_period("2024-Q1", year_start=text)
    return text


def _sort(text: str) -> tuple[tuple[str, bool], ...]:
    parts = text.split("+")
    if not all(map(SORT.fullmatch, parts)):
        raise BadCall(f"{text!r} cannot be read.", remedy="Write it as REF_AREA+OBS_VALUE:desc, series_key or *.")
    return tuple((one.partition(":")[0], one.endswith(":desc")) for one in parts)


QUERIES = ("data", "availability")
DATA, AVAILABILITY, STRUCTURE, SCHEMA = ("data",), ("availability",), ("structure",), ("schema",)
ALL = (*QUERIES, "structure", "schema")
_id = _matching(re.compile(ID, re.A), "TIME_PERIOD")

TABLE: tuple[tuple[str, str, Callable[[str], Any], tuple[str, ...]], ...] = (
    ("startPeriod", "start", _period, QUERIES),
    ("endPeriod", "end", _period, QUERIES),
    ("reportingYearStartDay", "year_start", _year_start, QUERIES),
    ("firstNObservations", "first", _whole(1), DATA),
    ("lastNObservations", "last", _whole(1), DATA),
    ("dimensionAtObservation", "at", _id, (*DATA, *SCHEMA)),
    ("attributes", "attributes", _several(IDS, "dsd, none or OBS_STATUS,DECIMALS"), DATA),
    ("measures", "measures", _several(IDS, "all, none or OBS_VALUE"), DATA),
    ("detail", "detail", _one_of(*get_args(Detail)), DATA),
    ("detail", "detail", _one_of(*DETAILS), STRUCTURE),
    ("updatedAfter", "updated_after", _moment, QUERIES),
    ("includeHistory", "history", _boolean, DATA),
    ("asOf", "as_of", _moment, ALL),
    ("offset", "offset", _whole(0), DATA),
    ("limit", "limit", _whole(1), DATA),
    ("sort", "sort", _sort, DATA),
    ("mode", "mode", _one_of(*get_args(Mode)), AVAILABILITY),
    ("references", "references", _several(WORDS, "none, all, children or codelist"), (*AVAILABILITY, *STRUCTURE)),
    ("explicitMeasure", "explicit_measure", _boolean, SCHEMA),
    ("deletion", "deletion", _boolean, SCHEMA),
    ("format", "format", _matching(re.compile(r"[\w.+-]+", re.A), "csv, jsondata or genericdata"), ALL),
    ("formatVersion", "format_version", _matching(re.compile(r"[\w.+~*-]+", re.A), "2.1"), ALL),
    ("lang", "lang", _matching(LANGUAGES, "en, fr-CH or all"), ALL),
    ("compression", "compression", _matching(re.compile(r"[a-z0-9-]+", re.A), "gzip"), ALL),
    ("labels", "labels", _one_of("id", "name", "both"), DATA),
    ("keys", "keys", _one_of("none", "obs", "series", "both"), DATA),
    ("timeFormat", "time_format", _one_of("original", "normalized"), DATA),
    ("key", "key", str, QUERIES),
)
"""The parameters: the name, the field that has it, how its text is read, and of what it is one."""
