"""Filters of measures and attributes as conditions of SQL; equal to what :meth:`Filter.matches` says of one value."""

from __future__ import annotations

from typing import Any

from statcommons.core.errors import BadCall
from statcommons.sdmx.query.components import Comparison, Filter
from statcommons.sdmx.store.rows import identifier
from statcommons.sdmx.structure import Component

__all__ = ["condition"]

ORDER = {"eq": "=", "ne": "<>", "lt": "<", "le": "<=", "gt": ">", "ge": ">="}
TEXT = {"co": "contains", "sw": "starts_with", "ew": "ends_with", "nc": "contains"}
DENIED = {"ne": "eq", "nc": "co"}


def condition(asked: Filter, component: Component) -> tuple[str, list[Any]]:
    """Give the condition under which a row has what a filter asks for, and the values of its parameters.

    Parameters
    ----------
    asked : Filter
        What is asked.
    component : Component
        A measure or an attribute.

    Raises
    ------
    BadCall
        When a value is no number where the component has numbers, or an operator of text is asked of numbers.

    Examples
    --------
    >>> from statcommons.sdmx.query.components import component_filter
    >>> condition(component_filter("OBS_VALUE", "ge:1+lt:2"), Component("OBS_VALUE", "measure", "number"))
    ('NOT isnan("OBS_VALUE") AND (("OBS_VALUE" >= ? AND "OBS_VALUE" < ?))', [1.0, 2.0])
    """
    is_number = component.type in ("integer", "number")
    # The parser of values refuses what is no number, and operators that numbers do not have.
    asked.predicate("number" if is_number else "text")
    values: list[Any] = []
    terms = []
    for term in asked.terms:
        parts = []
        for one in term:
            parts.append(_comparison(one, component, is_number))
            values.append(float(one.value) if is_number else one.value)
        terms.append(f"({' AND '.join(parts)})")
    column = identifier(component.id)
    guard = f"NOT isnan({column}) AND " if component.type == "number" and not component.multiple else ""
    return f"{guard}({' OR '.join(terms)})", values


def _comparison(one: Comparison, component: Component, is_number: bool) -> str:
    column = identifier(component.id)
    if component.multilingual and component.multiple:
        raise BadCall(
            "The component has several texts in several languages, which cannot be asked for.",
            where=f"c[{component.id}]",
            remedy="Leave the filter out.",
        )
    if component.multiple or component.multilingual:
        many = f"map_values({column})" if component.multilingual else column
        name = DENIED.get(one.operator, one.operator)
        found = f"len(list_filter({many}, x -> {_holds('x', name)})) > 0"
        return f"(len({many}) > 0 AND NOT {found})" if one.operator in DENIED else found
    text = column if is_number or component.type not in ("boolean",) else f"CAST({column} AS VARCHAR)"
    return _holds(text, one.operator)


def _holds(value: str, name: str) -> str:
    if name in ORDER:
        return f"{value} {ORDER[name]} ?"
    return f"{'NOT ' if name == 'nc' else ''}{TEXT[name]}({value}, ?)"
