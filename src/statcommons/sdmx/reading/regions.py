"""Regions of constraints: which rows lie outside of what is allowed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from statcommons.sdmx.model import Artefact, Constraint, Region
from statcommons.sdmx.reading.gather import Gathered
from statcommons.sdmx.reading.values import period_of
from statcommons.sdmx.structure import Structure
from statcommons.sdmx.structures.items import below
from statcommons.toolbox.sdmx_periods import between

if TYPE_CHECKING:
    import numpy as np


def binding(artefacts: Iterable[Artefact], structure: Structure) -> list[Constraint]:
    """Find the constraints that say what is allowed in a dataflow or in its data structure.

    Parameters
    ----------
    artefacts : iterable of Artefact
        Where they may be.
    structure : Structure
        The structure of the dataflow.
    """
    bound = {structure.flow, structure.definition}
    found = [one for one in artefacts if isinstance(one, Constraint) and one.role == "allowed"]
    return [one for one in found if not bound.isdisjoint(one.attached)]


def outside(gathered: Gathered, constraint: Constraint) -> np.ndarray:
    """Tell which rows a constraint does not allow.

    A row is allowed when one of the including regions has it (or there is none) and none of the excluding ones. A
    component that a region does not name, and a row without a value of it, count as in an including region.

    Parameters
    ----------
    gathered : Gathered
        The rows.
    constraint : Constraint
        What is allowed.

    References
    ----------
    SDMX 3.0, section 6, Technical Notes, constraints (cube regions).
    """
    import numpy as np

    includes = [_within(gathered, one, True) for one in constraint.regions if one.include]
    excludes = [_within(gathered, one, False) for one in constraint.regions if not one.include]
    none = np.zeros(gathered.rows, bool)
    allowed = np.logical_or.reduce([none, *includes]) if includes else ~none
    found: np.ndarray = ~allowed | np.logical_or.reduce([none, *excludes])
    return found


def _within(gathered: Gathered, region: Region, absent: bool) -> np.ndarray:
    """Tell which rows lie in a region; ``absent`` is the answer for what has no value."""
    import numpy as np

    structure, inside = gathered.structure, np.ones(gathered.rows, bool)
    for id, codes in region.values.items():
        if id in gathered.text:
            allowed = frozenset(codes)
            if id in region.cascade:
                lists = (one for one in structure.codelists if one.ref == structure[id].codelist)
                allowed = allowed.union(*(below(one, codes) for one in lists))
            _narrow(inside, gathered, id, [value in allowed for value in gathered.text[id].values], absent)
    for id, (first, last) in region.periods.items():
        if id in gathered.text:
            begin, end = period_of(first) if first else None, period_of(last) if last else None
            spans = [period_of(value) for value in gathered.text[id].values]
            _narrow(inside, gathered, id, [span is None or between(span, begin, end) for span in spans], absent)
    return inside


def _narrow(inside: np.ndarray, gathered: Gathered, id: str, values: Sequence[bool], absent: bool) -> None:
    import numpy as np

    if not all(values) or not absent:
        inside &= np.array([*values, absent])[gathered.text[id].index]
