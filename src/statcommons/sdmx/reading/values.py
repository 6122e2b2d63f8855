"""What one value of a component may be: a code, a number, a period, a text of a form."""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import TypeAlias

from statcommons.core.errors import BadCall, nearest
from statcommons.sdmx.structure import Component, Structure
from statcommons.toolbox.sdmx_periods import TimePeriod, time_period

__all__ = ["MISSING", "NUMBER", "Fault", "Judge", "judge"]

NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
"""A number as XML Schema writes it; infinities are none."""

MISSING = ("NaN", "#N/A")
"""Words of SDMX-CSV for a number that is missing on purpose."""

WHOLE = re.compile(r"[+-]?\d{1,18}", re.ASCII)
COMMA = re.compile(r"[+-]?\d+,\d+", re.ASCII)
SERIAL = re.compile(r"[1-9]\d{4}(?:\.0+)?", re.ASCII)
DAY_FIRST = re.compile(r"\d{1,2}[/.\-]\d{1,2}[/.\-]\d{2,4}(?: .*)?", re.ASCII)
WITH_CLOCK = re.compile(r"(\d{4}-\d{2}-\d{2})[ T]00:00:00(?:\.0+)?", re.ASCII)
BOOLEANS = ("true", "false", "1", "0")
FORMS = {
    "A": "2026",
    "S": "2026-S1",
    "T": "2026-T1",
    "Q": "2026-Q1",
    "M": "2026-01",
    "W": "2026-W01",
    "D": "2026-01-31",
    "H": "2026-01-31T09:00:00",
    "I": "2026-01-31T09:00:00",
}
"""How a period of each frequency is written."""


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with a value, and what to do about it."""

    rule: str
    remedy: str


Judge: TypeAlias = Callable[[str], Fault | None]
"""Tells what is wrong with a value; None where nothing is."""


def judge(component: Component, structure: Structure) -> Judge:
    """Give the judge of the values of a component.

    Parameters
    ----------
    component : Component
        The component.
    structure : Structure
        Its structure, which has the codes.

    Returns
    -------
    Judge
        One function for all rules, which tells of the first that a value breaks.

    Examples
    --------
    >>> from statcommons.sdmx.model import Ref
    >>> price = Component("PRICE", "measure", "number", facets={"minValue": "0"})
    >>> flow = Structure(Ref("dataflow", "X", "F"), Ref("datastructure", "X", "D"), {}, {}, (price,))
    >>> tell = judge(price, flow)
    >>> tell("1.5"), tell("1,5").remedy, tell("-1").rule
    (None, 'Write 1.5, or say in a mapping file: [format] decimal = ",".', 'PRICE must be at least 0')
    """
    rules = tuple(_rules(component, structure))

    def tell(value: str) -> Fault | None:
        return next((fault for rule in rules if (fault := rule(value))), None)

    return tell


@lru_cache(maxsize=1 << 16)
def period_of(text: str) -> TimePeriod | None:
    """Give the span of a period; None where it is none.

    Parameters
    ----------
    text : str
        The period as it is written.
    """
    try:
        return time_period(text)
    except BadCall:
        return None


def _rules(component: Component, structure: Structure) -> Iterator[Judge]:
    codes = {item.id: None for item in structure.codes(component)}
    if codes:  # a list without codes is a stub: what it holds stands elsewhere
        yield partial(_code, component.id, codes)
        return
    kinds: Mapping[str, Judge] = {
        "number": partial(_number, component.id),
        "integer": partial(_whole, component.id),
        "boolean": partial(_boolean, component.id),
        "period": partial(_period, component.id),
        "date": partial(_period, component.id),
        "instant": partial(_period, component.id),
    }
    if component.type in kinds:
        yield kinds[component.type]
    yield from _facets(component)


# --- codes ----------------------------------------------------------------------------------------------------------


def _code(id: str, codes: Mapping[str, None], value: str) -> Fault | None:
    if value in codes:
        return None
    changed = [code for code in codes if code != value and _as_number(code) == _as_number(value) is not None]
    if len(changed) == 1:
        rule = f"{id}: a program has read a code as a number"
        return Fault(rule, f"Write {changed[0]} for {value}; give the column the type text before it is saved.")
    if value.strip() in codes:
        return Fault(f"{id}: a code has blanks around it", "Take the blanks out.")
    return Fault(f"{id} has a value that is not in its code list", nearest(value, list(codes)))


def _as_number(text: str) -> float | None:
    return float(text) if NUMBER.fullmatch(text) else None


# --- types ----------------------------------------------------------------------------------------------------------


def _number(id: str, value: str) -> Fault | None:
    if value in MISSING or (NUMBER.fullmatch(value) and abs(float(value)) != float("inf")):
        return None
    if COMMA.fullmatch(value):
        return Fault(
            f"{id} must be a number with a decimal point",
            f'Write {value.replace(",", ".")}, or say in a mapping file: [format] decimal = ",".',
        )
    return Fault(f"{id} must be a number", "Give a number as 1.5; leave the cell empty where there is none.")


def _whole(id: str, value: str) -> Fault | None:
    if WHOLE.fullmatch(value):
        return None
    remedy = "Give one as 15, of 18 digits at most; leave the cell empty where there is none."
    return Fault(f"{id} must be a whole number", remedy)


def _boolean(id: str, value: str) -> Fault | None:
    return None if value in BOOLEANS else Fault(f"{id} must be true or false", "Write true or false.")


def _period(id: str, value: str) -> Fault | None:
    if period_of(value):
        return None
    rule = f"{id} must be a period of time"
    if SERIAL.fullmatch(value):
        day = datetime.date(1899, 12, 30) + datetime.timedelta(days=int(float(value)))
        return Fault(rule, f"It looks like a date of Excel: {value} is {day}. Give the column the type text.")
    if clock := WITH_CLOCK.fullmatch(value):
        return Fault(rule, f"Write {clock[1]}, or only the year or the month; Excel has made a date of it.")
    if DAY_FIRST.fullmatch(value):
        return Fault(rule, 'Write 2026-11-21, or say the form in a mapping file: [format] date = "%d/%m/%Y".')
    return Fault(rule, "Write it as SDMX does: 2026, 2026-11, 2026-11-21, 2026-Q4, 2026-W47.")


# --- facets ---------------------------------------------------------------------------------------------------------


def _facets(component: Component) -> Iterator[Judge]:
    id, facets = component.id, component.facets
    if pattern := facets.get("pattern"):
        try:
            yield partial(_fits, id, re.compile(pattern))
        except re.error as error:
            raise BadCall(
                f"The pattern {pattern!r} cannot be: {error}.", where=id, remedy="Mend the structure."
            ) from None
    for name, word, sign in (("minLength", "at least", 1), ("maxLength", "at most", -1)):
        if facets.get(name):
            yield partial(_long, id, int(limit_of(component, name)), word, sign)
    for name, word, sign in (("minValue", "at least", 1), ("maxValue", "at most", -1)):
        if (limit := facets.get(name)) and component.type in ("number", "integer"):
            limit_of(component, name)
            yield partial(_great, id, limit, word, sign)


def limit_of(component: Component, name: str) -> float:
    """Give the limit that a facet sets.

    Parameters
    ----------
    component : Component
        The component.
    name : str
        The facet, such as ``minValue``.

    Raises
    ------
    BadCall
        When it is no number.
    """
    text = component.facets[name]
    if not NUMBER.fullmatch(text) and text not in ("INF", "-INF"):
        raise BadCall(f"{name} is {text!r}, which is no number.", where=component.id, remedy="Mend the structure.")
    return float(text)


def _fits(id: str, pattern: re.Pattern[str], value: str) -> Fault | None:
    if pattern.fullmatch(value):
        return None
    return Fault(f"{id} must have the form {pattern.pattern}", "Give a value of that form.")


def _long(id: str, limit: int, word: str, sign: int, value: str) -> Fault | None:
    if sign * (len(value) - limit) >= 0:
        return None
    return Fault(f"{id} must have {word} {limit} characters", "Give a text of that length.")


def _great(id: str, limit: str, word: str, sign: int, value: str) -> Fault | None:
    if value in MISSING or sign * (float(value) - float(limit)) >= 0:
        return None
    return Fault(f"{id} must be {word} {limit}", "Give a number within the limits.")
