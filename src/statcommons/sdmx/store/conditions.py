"""Filters of measures and attributes as conditions of SQL; equal to what :meth:`Filter.matches` says of one value."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from statcommons.core.errors import BadCall
from statcommons.sdmx.query.components import Comparison, Filter, Kind
from statcommons.sdmx.store.rows import identifier
from statcommons.sdmx.structure import Component

__all__ = ["condition", "is_told_by_sql", "kind_of"]

ORDER = {"eq": "=", "ne": "<>", "lt": "<", "le": "<=", "gt": ">", "ge": ">="}
TEXT = {"co": "contains", "sw": "starts_with", "ew": "ends_with", "nc": "contains"}
DENIED = {"ne": "eq", "nc": "co"}
KINDS: Mapping[str, Kind] = {
    "integer": "number",
    "number": "number",
    "period": "time",
    "date": "time",
    "instant": "time",
}
WHOLE = 2**63
"""Whole numbers below this one are compared as such: as a double, a large one would equal its neighbours."""


def kind_of(component: Component) -> Kind:
    """Tell how the values of a component compare.

    Parameters
    ----------
    component : Component
        A component of any role.

    Examples
    --------
    >>> kind_of(Component("REVISED", "attribute", "date")), kind_of(Component("SEX", "dimension", "text"))
    ('time', 'text')
    """
    return KINDS.get(component.type, "text")


def is_told_by_sql(component: Component) -> bool:
    """Tell whether the engine compares the values of a component as a filter does.

    Times, numbers that are attributes and several numbers in one place are kept as they were written.

    Parameters
    ----------
    component : Component
        A measure or an attribute.

    Examples
    --------
    >>> is_told_by_sql(Component("OBS_VALUE", "measure", "number")), is_told_by_sql(Component("T", "attribute", "date"))
    (True, False)
    """
    kind = kind_of(component)
    return kind == "text" or (kind == "number" and component.role == "measure" and not component.multiple)


def condition(asked: Filter, component: Component) -> tuple[str, list[Any]]:
    """Give the condition under which a row has what a filter asks for, and the values of its parameters.

    Parameters
    ----------
    asked : Filter
        What is asked.
    component : Component
        A measure or an attribute whose values the engine compares (:func:`is_told_by_sql`).

    Raises
    ------
    BadCall
        When a value is no number where the component has numbers, or an operator of text is asked of numbers.

    Examples
    --------
    >>> from statcommons.sdmx.query.components import component_filter
    >>> condition(component_filter("OBS_VALUE", "ge:1+lt:2"), Component("OBS_VALUE", "measure", "number"))
    ('NOT isnan("OBS_VALUE") AND (("OBS_VALUE" >= ? AND "OBS_VALUE" < ?))', [1, 2])
    """
    is_number = kind_of(component) == "number"
    # The parser of values refuses what is no number, and operators that numbers do not have.
    asked.predicate(kind_of(component))
    values: list[Any] = []
    terms = []
    for term in asked.terms:
        parts = []
        for one in term:
            parts.append(_comparison(one, component))
            values.append(_number(one.value) if is_number else one.value)
        terms.append(f"({' AND '.join(parts)})")
    column = identifier(component.id)
    guard = f"NOT isnan({column}) AND " if component.type == "number" else ""
    return f"{guard}({' OR '.join(terms)})", values


def _number(text: str) -> int | float:
    number = Decimal(text)
    return int(number) if abs(number) < WHOLE and number == number.to_integral_value() else float(number)


def _comparison(one: Comparison, component: Component) -> str:
    column = identifier(component.id)
    written = "CAST({} AS VARCHAR)" if component.type == "boolean" else "{}"
    if component.multilingual and component.multiple:
        raise BadCall(
            "The component has several texts in several languages, which cannot be asked for.",
            where=f"c[{component.id}]",
            remedy="Leave the filter out.",
        )
    if component.multiple or component.multilingual:
        many = f"map_values({column})" if component.multilingual else column
        name = DENIED.get(one.operator, one.operator)
        found = f"len(list_filter({many}, x -> {_holds(written.format('x'), name)})) > 0"
        return f"(len({many}) > 0 AND NOT {found})" if one.operator in DENIED else found
    return _holds(written.format(column), one.operator)


def _holds(value: str, name: str) -> str:
    if name in ORDER:
        return f"{value} {ORDER[name]} ?"
    return f"{'NOT ' if name == 'nc' else ''}{TEXT[name]}({value}, ?)"
