"""Quality measures and notices that come with every result, named as official statistics names them.

What every run measures stands in :func:`of_input`; a method adds its own by :func:`measure` and tells of what its user
should know by :func:`notice`. Outside a run, a notice is a warning and a measure is not kept.

References
----------
.. [1] Eurostat, *ESS Guidelines for the Implementation of the ESS Quality and Performance Indicators* (2014): R1 data
   completeness, A2 over-coverage, A5 item non-response, A7 imputation.
.. [2] United Nations, *National Quality Assurance Frameworks Manual for Official Statistics* (2019), principles 14
   (accuracy and reliability) and 18 (managing metadata).
"""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Iterator
from contextvars import ContextVar
from dataclasses import asdict, dataclass, field
from typing import Any

from statcommons.core.check import Bound
from statcommons.core.schema import TableSchema

__all__ = ["Collected", "Measure", "Notice", "collecting", "measure", "notice", "of_input"]


class Notice(UserWarning):
    """Something that the user of a result should know."""


@dataclass(frozen=True)
class Measure:
    """One measure of quality.

    Parameters
    ----------
    name : str
        In the reader's words: ``Matched share, month on month``.
    value : float or str
        The value in ``unit``.
    unit : str
        ``rows``, ``share``, ``pp`` …
    indicator : str
        The code of the ESS indicator or the NQAF principle that it stands for, such as ``ESS A5``.
    asked : str
        What was asked for, such as ``≥ 0.6``; empty where nothing was.
    met : bool, optional
        Whether it was met.
    """

    name: str
    value: float | str
    unit: str = ""
    indicator: str = ""
    asked: str = ""
    met: bool | None = None

    def as_dict(self) -> dict[str, Any]:
        """Give the measure as plain data without what is empty."""
        return {name: value for name, value in asdict(self).items() if value not in ("", None)}


@dataclass
class Collected:
    """What a run has collected so far."""

    measures: list[Measure] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)


_collected: ContextVar[Collected | None] = ContextVar("collected", default=None)


@contextlib.contextmanager
def collecting() -> Iterator[Collected]:
    """Collect the measures and notices of what runs within.

    Examples
    --------
    >>> with collecting() as found:
    ...     measure("Matched share", 0.7, unit="share", at_least=0.6)
    >>> found.measures[0].asked, found.measures[0].met
    ('≥ 0.6', True)
    """
    found = Collected()
    token = _collected.set(found)
    try:
        yield found
    finally:
        _collected.reset(token)


def measure(
    name: str,
    value: float,
    *,
    unit: str = "",
    indicator: str = "",
    at_least: float | None = None,
    at_most: float | None = None,
) -> None:
    """Add a measure to the result at hand, with what is asked of it where something is.

    Parameters
    ----------
    name : str
        In the reader's words.
    value : float
        The value.
    unit, indicator : str
        See :class:`Measure`.
    at_least, at_most : float, optional
        What is asked.

    Examples
    --------
    >>> with collecting() as found:
    ...     measure("Matched share", 0.5, unit="share", at_least=0.6)
    >>> found.measures[0].met
    False
    """
    found = _collected.get()
    if found is None:
        return
    bounds = ((at_least, "≥"), (at_most, "≤"))
    asked = ", ".join(f"{sign} {bound:g}" for bound, sign in bounds if bound is not None)
    met = None
    if asked:
        met = (at_least is None or value >= at_least) and (at_most is None or value <= at_most)
    found.measures.append(Measure(name, float(value), unit, indicator, asked, met))


def notice(text: str) -> None:
    """Tell the user of the result something, once. It is published with the run: name no value of a private row.

    Parameters
    ----------
    text : str
        One sentence.

    Examples
    --------
    >>> with collecting() as found:
    ...     notice("One window was used.")
    >>> found.notices
    ['One window was used.']
    """
    found = _collected.get()
    if found is None:
        warnings.warn(text, Notice, stacklevel=3)
    elif text not in found.notices:
        found.notices.append(text)


def of_input(name: str, bound: Bound, schema: TableSchema, units: dict[str, int]) -> list[Measure]:
    """Measure an input: rows, what was left out, what is missing, and what it covers.

    Parameters
    ----------
    name : str
        The input.
    bound : Bound
        What the check found.
    schema : TableSchema
        Its schema.
    units : dict
        How many different units each dimension has.

    Returns
    -------
    list of Measure
        Named after the ESS indicators where one fits.

    Examples
    --------
    >>> from statcommons.core.schema import Column
    >>> sales = TableSchema("Sales", "", (Column("price", "number"),))
    >>> [one.name for one in of_input("sales", Bound(None, rows=10, used=9), sales, {})]
    ['Rows of sales', 'Rows of sales used', 'Rows of sales set aside']
    """
    found = [
        Measure(f"Rows of {name}", bound.rows, "rows"),
        Measure(f"Rows of {name} used", bound.used, "rows"),
        Measure(f"Rows of {name} set aside", (bound.rows - bound.used) / bound.rows, "share", "ESS A2 over-coverage"),
    ]
    for column, count in bound.missing.items():
        share = count / bound.used if bound.used else 0.0
        found.append(Measure(f"{column} missing in {name}", share, "share", "ESS A5 item non-response"))
    if bound.coverage and bound.coverage[0] is not None:
        first, last = (str(one)[:10] for one in bound.coverage)
        found.append(Measure(f"Time covered by {name}", f"{first} – {last}", "", "ESS R1 data completeness"))
    for dimension, count in units.items():
        found.append(Measure(f"Different {dimension} in {name}", count, dimension, "ESS R1 data completeness"))
    return found
