"""Filters of components, ``c[SEX]=F,M``: their grammar, and what it means for one value.

A filter is a choice of terms between commas, of which one must hold; a term is one or several comparisons between plus
signs, which must hold together. An operator belongs to one value only, and ``eq`` is meant where there is none:
``ne:A,B`` is "not A, or B". Values may hold colons, because only a known operator is one (``2010-01-01T00:00:00``).

A filter is read from the query string as it was sent. Most web frameworks turn a plus sign into a space on the way;
here it means *and*, also when it was sent as ``%2B``, as ``%2C`` means *or*.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any, Literal, TypeAlias, cast, get_args
from urllib.parse import quote, unquote

from statcommons.core.errors import BadCall
from statcommons.toolbox.sdmx_periods import TimePeriod, time_period

__all__ = ["Comparison", "Filter", "Kind", "Operator", "component_filter", "component_filters"]

Operator: TypeAlias = Literal["eq", "ne", "lt", "le", "gt", "ge", "co", "nc", "sw", "ew"]
"""Equal, not equal, less, less or equal, greater, greater or equal, contains, does not contain, starts, ends with."""

Kind: TypeAlias = Literal["text", "number", "time"]
"""How the values of a component compare: by code point, as numbers, or as spans of time."""

OPERATORS = get_args(Operator)
MISSING = ("NaN", "#N/A")
"""What stands where a number is missing on purpose."""

POSITIVE = {"ne": "eq", "nc": "co"}  # an operator that denies, and what it denies
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.A)
COMPONENT = re.compile(r"c\[([A-Za-z][\w$@-]*(?:\.[\w$@-]+)*)\]", re.A)

ORDER: dict[str, Callable[[Any, Any], bool]] = {
    "eq": operator.eq,
    "lt": operator.lt,
    "le": operator.le,
    "gt": operator.gt,
    "ge": operator.ge,
}
TEXT: dict[str, Callable[[str, str], bool]] = {
    "co": lambda value, part: part in value,
    "sw": str.startswith,
    "ew": str.endswith,
}
TIME: dict[str, Callable[[TimePeriod, TimePeriod], bool]] = {
    "eq": lambda value, asked: asked.start <= value.start and value.end <= asked.end,
    "lt": lambda value, asked: value.end <= asked.start,
    "le": lambda value, asked: value.end <= asked.end,
    "gt": lambda value, asked: value.start >= asked.end,
    "ge": lambda value, asked: value.start >= asked.start,
}


@dataclass(frozen=True, slots=True)
class Comparison:
    """One operator and the value that it belongs to.

    Parameters
    ----------
    operator : Operator
        What must hold between the value of an observation and this one.
    value : str
        The value, decoded.

    Examples
    --------
    >>> print(Comparison("ge", "2010-01-01T00:00:00"))
    ge:2010-01-01T00:00:00
    """

    operator: Operator
    value: str

    def __str__(self) -> str:
        return f"{self.operator}:{quote(self.value, safe=':')}"


@dataclass(frozen=True, slots=True)
class Filter:
    """What a query asks of one component: a choice of terms, each of comparisons that hold together.

    Parameters
    ----------
    component : str
        The id of a dimension, an attribute or a measure.
    terms : tuple of tuple of Comparison
        The filter holds where all comparisons of at least one term do.

    Examples
    --------
    As text it is what a query string may hold:

    >>> print(Filter("SEX", ((Comparison("eq", "F"),), (Comparison("ne", "M"), Comparison("ne", "_T")))))
    c[SEX]=eq:F,ne:M+ne:_T
    """

    component: str
    terms: tuple[tuple[Comparison, ...], ...]

    def __str__(self) -> str:
        return f"c[{self.component}]=" + ",".join("+".join(map(str, term)) for term in self.terms)

    def predicate(self, kind: Kind = "text", *, year_start: str = "--01-01") -> Callable[[object], bool]:
        """Give the function that tells of a value whether the filter holds.

        What compares and how is said at :meth:`matches`.

        Parameters
        ----------
        kind : {"text", "number", "time"}
            How the values of the component compare.
        year_start : str
            The reporting year start day, ``--MM-DD``, for values that are times.

        Returns
        -------
        callable
            From a value to whether the filter holds.

        Raises
        ------
        BadCall
            When a value of the filter is no number or no time, or when an operator of text is asked of numbers.

        Examples
        --------
        >>> below = component_filter("OBS_VALUE", "lt:10").predicate("number")
        >>> [below(value) for value in (9.5, "2e1", None)]
        [True, False, False]
        """
        terms = [[self._test(one, kind, year_start) for one in term] for term in self.terms]

        def holds(value: object) -> bool:
            values = _values(value)
            if kind == "number":
                values = [one for one in values if one not in MISSING]
            return bool(values) and any(all(test(values) for test in term) for term in terms)

        return holds

    def matches(self, value: object, kind: Kind = "text", *, year_start: str = "--01-01") -> bool:
        """Tell whether the filter holds for a value: the reference to which faster ways must be equal.

        - Text compares by code point; truth is the text ``true`` or ``false``.
        - Numbers compare by their value: ``1.50`` equals 1.5. Parts of their writing cannot be asked for.
        - Times are spans: ``eq`` asks for what lies inside the span, ``ge`` for what begins no earlier, ``le`` for what
          ends no later, ``gt`` and ``lt`` for what lies wholly after and before it. ``co``, ``nc``, ``sw`` and ``ew``
          look at the writing.
        - A missing value (None, NaN) matches nothing, not even ``ne``.
        - A component with several values matches when one of them does; ``ne`` and ``nc`` hold when none does what they
          deny.

        Parameters
        ----------
        value : text, number, TimePeriod or several of them
            The value of an observation.
        kind : {"text", "number", "time"}
            How the values of the component compare.
        year_start : str
            The reporting year start day, ``--MM-DD``, for values that are times.

        Returns
        -------
        bool
            Whether it holds.

        Raises
        ------
        BadCall
            As :meth:`predicate`, and when the value itself is no number or no time.

        References
        ----------
        SDMX REST 2.2, data queries, parameter c; SDMX 3.0, section 6, Technical Notes, 4.2.12 (time in queries).

        Examples
        --------
        >>> asked = component_filter("TIME_PERIOD", "ge:2018-Q2+le:2019")
        >>> [asked.matches(period, "time") for period in ("2018", "2018-05", "2019", "2020-Q1")]
        [False, True, True, False]
        """
        return self.predicate(kind, year_start=year_start)(value)

    def _test(self, one: Comparison, kind: Kind, year_start: str) -> Callable[[list[object]], bool]:
        """Compile one comparison to a function of all values of a component."""
        name = POSITIVE.get(one.operator, one.operator)
        where = f"c[{self.component}]"
        read: Callable[[object], Any]
        if name in TEXT and kind == "number":
            raise BadCall(
                f"{one.operator} looks at text, and the component has numbers.",
                where=where,
                remedy="Use eq, ne, lt, le, gt or ge.",
            )
        if name in TEXT or kind == "text":
            read, compare = _text, (TEXT | ORDER)[name]
        elif kind == "number":
            read, compare = _number, ORDER[name]
        else:

            def read(value: object) -> TimePeriod:
                return value if isinstance(value, TimePeriod) else time_period(str(value), year_start=year_start)

            compare = TIME[name]
        try:
            asked = read(one.value)
        except BadCall as error:
            raise BadCall(error.what, where=where, remedy=error.remedy) from None
        wanted = one.operator == name
        return lambda values: any(compare(read(value), asked) for value in values) is wanted


def component_filters(query: str) -> dict[str, Filter]:
    """Read all filters of a query string, as it was sent.

    Parameters
    ----------
    query : str
        What stands behind the question mark of the address, not decoded. Other parameters are passed over.

    Returns
    -------
    dict of str to Filter
        By component; all must hold.

    Raises
    ------
    BadCall
        When a component comes twice, or a filter cannot be read.

    Examples
    --------
    >>> found = component_filters("c[TIME_PERIOD]=ge:2010+le:2020&c%5BSEX%5D=F%2CM&lastNObservations=2")
    >>> print(*found.values())
    c[TIME_PERIOD]=ge:2010+le:2020 c[SEX]=eq:F,eq:M
    """
    found: dict[str, Filter] = {}
    for part in query.split("&"):
        raw, _, text = part.partition("=")
        name = _decoded(raw, raw)
        if not name.startswith("c[") and name != "c":
            continue
        known = COMPONENT.fullmatch(name)
        if not known:
            raise BadCall(f"{name!r} does not name a component.", where="c", remedy="Write it as c[REF_AREA]=….")
        if known[1] in found:
            raise BadCall(
                "There are two filters of one component.", where=name, remedy="Join them: , is or and + is and."
            )
        found[known[1]] = component_filter(known[1], text)
    return found


def component_filter(component: str, text: str) -> Filter:
    """Read the filter of one component.

    Parameters
    ----------
    component : str
        The id of the component.
    text : str
        What stands behind ``c[ID]=``, not decoded.

    Returns
    -------
    Filter
        Its terms.

    Raises
    ------
    BadCall
        When a value is missing, with its place.

    Examples
    --------
    >>> component_filter("TIME_PERIOD", "ge:2010+le:2012,2020").terms[1]
    (Comparison(operator='eq', value='2020'),)
    >>> component_filter("SEX", "F,,M")
    Traceback (most recent call last):
    statcommons.core.errors.BadCall: c[SEX], sign 3: A value is missing in 'F,,M'. Write values between the commas ...
    """
    decoded = _decoded(text, f"c[{component}]")
    return Filter(component, tuple(_terms(decoded, component)))


def _terms(text: str, component: str) -> Iterator[tuple[Comparison, ...]]:
    """Cut a filter at its commas and plus signs, keeping count of the place."""
    place = 0
    for term in text.split(","):
        comparisons = []
        for part in term.split("+"):
            sign, colon, rest = part.partition(":")
            known = bool(colon) and sign in OPERATORS
            value = rest if known else part
            if not value:
                raise BadCall(
                    f"A value is missing in {text!r}.",
                    where=f"c[{component}], sign {place + len(part) + 1}",
                    remedy="Write values between the commas and plus signs, such as F,M or ge:2010+le:2020.",
                )
            comparisons.append(Comparison(cast("Operator", sign) if known else "eq", value))
            place += len(part) + 1
        yield tuple(comparisons)


def _decoded(text: str, where: str) -> str:
    try:
        return unquote(text, errors="strict")
    except UnicodeDecodeError:
        raise BadCall(f"{text!r} is not UTF-8.", where=where, remedy="Encode it as UTF-8 before %.") from None


# --- the values of an observation -----------------------------------------------------------------------------------


def _values(value: object) -> list[object]:
    """Give the values that are there: a component may have several, or none."""
    several = list(value) if isinstance(value, list | tuple | set | frozenset) else [value]
    return [one for one in several if one is not None and one == one]  # NaN is not equal to itself


def _text(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return value.text if isinstance(value, TimePeriod) else str(value)


def _number(value: object) -> Decimal:
    """Read a number exactly; a float is the shortest text that gives it, as it is published."""
    text = str(value)
    try:
        if NUMBER.fullmatch(text):
            return Decimal(text)
    except InvalidOperation:  # an exponent beyond all bounds
        pass
    raise BadCall(f"{text!r} is not a number.", remedy="Write numbers as 12.5 or 1.2e4.")
