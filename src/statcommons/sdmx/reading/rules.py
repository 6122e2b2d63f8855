"""What rows of a structure must be, rule by rule: each gives the rows that break it, and words about the first."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from statcommons.sdmx.model import Constraint
from statcommons.sdmx.reading.gather import SEPARATOR, Gathered, ListColumn, TextColumn
from statcommons.sdmx.reading.keys import differing, numbered, repeated
from statcommons.sdmx.reading.regions import outside
from statcommons.sdmx.reading.values import FORMS, Fault, judge, period_of
from statcommons.sdmx.structure import Component

if TYPE_CHECKING:
    import numpy as np

    from statcommons.toolbox.sdmx_periods import TimePeriod

__all__ = ["OFF", "Broken"]

OFF = "~"
"""What SDMX-CSV writes for a dimension that an attribute is not said of."""

OTHERS = 5
"""How many other bad values a cause lists beside the first."""


@dataclass(frozen=True)
class Broken:
    """A rule that rows break: which rows, and the words about the first of them."""

    fault: Fault
    rows: np.ndarray
    value: Callable[[int], str | None]
    column: str = ""


def broken_rows(gathered: Gathered, constraints: Sequence[Constraint]) -> Iterator[Broken]:
    """Find what is wrong with rows, each by itself.

    Parameters
    ----------
    gathered : Gathered
        The rows.
    constraints : sequence of Constraint
        What is allowed beside.
    """
    deletes = deletions(gathered)
    yield from _values(gathered, deletes)
    yield from _missing(gathered, deletes)
    yield from _outside(gathered, constraints, deletes)


def broken_keys(gathered: Gathered, sound: np.ndarray) -> Iterator[Broken]:
    """Find what is wrong between rows: keys that repeat, and attributes that differ where they must not.

    Parameters
    ----------
    gathered : Gathered
        The rows.
    sound : numpy.ndarray
        Which rows are right by themselves; only those are compared.
    """
    deletes = deletions(gathered)
    yield from _repeated(gathered, sound, deletes)
    yield from _differing(gathered, sound, deletes)


def deletions(gathered: Gathered) -> np.ndarray:
    """Tell which rows are deletions: those may leave out anything and give any value.

    Parameters
    ----------
    gathered : Gathered
        The rows.
    """
    import numpy as np

    place = gathered.actions.places.get("Delete")
    found: np.ndarray = gathered.actions.index == place if place is not None else np.zeros(gathered.rows, bool)
    return found


def _values(gathered: Gathered, deletes: np.ndarray) -> Iterator[Broken]:
    """Ask the judge of each component about its distinct values."""
    import numpy as np

    for one in gathered.structure.components:
        tell = judge(one, gathered.structure)
        value = _valued(gathered, one.id)
        by_rule: dict[str, list[Fault]] = defaultdict(list)
        if one.id in gathered.numbers:
            rows: dict[str, list[int]] = defaultdict(list)
            for row, text in gathered.numbers[one.id].odd.items():
                if fault := tell(text):
                    by_rule[fault.rule].append(fault)
                    rows[fault.rule].append(row)
            for rule, faults in by_rule.items():
                yield Broken(faults[0], np.array(rows[rule]), value, one.id)
            continue
        column = gathered.text[one.id]
        places: dict[str, list[int]] = defaultdict(list)
        for place, text in enumerate(column.values):
            fault = _spoken(one, column, place) if one.multilingual else _judged(one, text, tell, one.multiple)
            if fault and not (one.role in ("dimension", "time") and text == OFF):
                by_rule[fault.rule].append(fault)
                places[fault.rule].append(place)
        for rule, faults in by_rule.items():
            bad = np.zeros(len(column.values) + 1, bool)
            bad[places[rule]] = True
            hit = bad[column.index]
            if one.role not in ("dimension", "time"):
                hit &= ~deletes
            found = np.flatnonzero(hit)
            if len(found):
                first = faults[places[rule].index(int(column.index[found[0]]))]
                words = _with_others(first, [column.values[place] for place in places[rule]], value(int(found[0])))
                yield Broken(_by_frequency(gathered, one, words, int(found[0])), found, value, one.id)


def _judged(one: Component, text: str, tell: Callable[[str], Fault | None], several: bool) -> Fault | None:
    pieces = text.split(SEPARATOR)
    if len(pieces) > 1 and not several:
        return Fault(f"{one.id} has several values", "Give one value; the structure does not allow more.")
    return next((fault for piece in pieces if (fault := tell(piece))), None)


def _spoken(one: Component, column: TextColumn, place: int) -> Fault | None:
    """Ask of words in languages that there is one text a language."""
    texts = column.texts(place) if isinstance(column, ListColumn) else []
    if all(len(dict(text)) == len(text) for text in texts):
        return None
    return Fault(f"{one.id} has several texts in one language", "Give one text for each language.")


def _with_others(fault: Fault, values: Sequence[str], first: str | None) -> Fault:
    """Add the other bad values to the remedy, so that one look shows them."""
    others = [value for value in values if value != first]
    if not others:
        return fault
    more = f" and {len(others) - OTHERS:,} more" if len(others) > OTHERS else ""
    return Fault(fault.rule, f"{fault.remedy} Others: {', '.join(others[:OTHERS])}{more}.")


def _by_frequency(gathered: Gathered, one: Component, fault: Fault, row: int) -> Fault:
    """Say how a period of the row's frequency is written."""
    if one.role != "time" or "FREQ" not in gathered.text:
        return fault
    frequency = gathered.text["FREQ"].text(row)
    form = FORMS.get(frequency or "")
    return Fault(fault.rule, f"{fault.remedy} With FREQ {frequency}: {form}.") if form else fault


def _missing(gathered: Gathered, deletes: np.ndarray) -> Iterator[Broken]:
    """Find rows that lack a dimension of what they say, a measure, or an attribute that must be there.

    A row may leave out the dimensions that its attributes are not said of, and a merge says only what changes.
    """
    import numpy as np

    structure = gathered.structure
    measures = [one.id for one in structure.with_role("measure")]
    attributes = structure.with_role("attribute")
    merge = gathered.actions.places.get("Merge")
    partial = deletes if merge is None else deletes | (gathered.actions.index == merge)
    says: dict[str, np.ndarray] = {}

    def said(ids: Sequence[str]) -> np.ndarray:
        for id in ids:
            if id not in says:
                says[id] = gathered.present(id)
        none = np.zeros(gathered.rows, bool)
        return np.logical_or.reduce([none, *(says[id] for id in ids)])

    observed = [*measures, *(one.id for one in attributes if one.attachment == "observation")]
    for one in structure.dimensions:
        column = gathered.text[one.id]
        index = column.index
        off = column.places.get(OFF)
        absent = index < 0 if off is None else (index < 0) | (index == off)
        absent &= ~deletes
        if absent.any():
            needing = [
                two.id for two in attributes if two.attachment in ("series", "group") and one.id in two.dimensions
            ]
            silent = ~said([*measures, *(two.id for two in attributes)])
            rows = np.flatnonzero(absent & (said([*observed, *needing]) | silent))
            if len(rows):
                yield Broken(Fault(f"{one.id} must not be missing", _fill(gathered, one)), rows, _nothing, one.id)
    for one in structure.with_role("measure"):
        if one.required and not gathered.present(one.id).all():
            others = [id for id in observed if id != one.id]
            levels = [two.id for two in attributes if two.attachment != "observation"]
            absent = ~gathered.present(one.id) & ~partial & ~said(others)
            if levels and structure.time:  # a row without a time says something of a series
                absent &= (gathered.text[structure.time.id].index >= 0) | ~said(levels)
            rows = np.flatnonzero(absent)
            if len(rows):
                yield Broken(Fault(f"{one.id} must not be missing", _fill(gathered, one)), rows, _nothing, one.id)
    for one in attributes:
        if one.required and not one.constant and not (present := gathered.present(one.id)).all():
            rows = np.flatnonzero(~present & ~partial & (said(observed) if one.attachment == "observation" else True))
            if len(rows):
                yield Broken(Fault(f"{one.id} must not be missing", _fill(gathered, one)), rows, _nothing, one.id)


def _fill(gathered: Gathered, one: Component) -> str:
    if one.id not in gathered.given:
        return f"Add a column {one.id} to the file, or say its value in a mapping file."
    return "Fill the cell, or leave the row out."


def _outside(gathered: Gathered, constraints: Sequence[Constraint], deletes: np.ndarray) -> Iterator[Broken]:
    """Find rows that a constraint does not allow."""
    import numpy as np

    for one in constraints:
        if one.role == "allowed" and one.regions:
            rows = np.flatnonzero(outside(gathered, one) & ~deletes)
            if len(rows):
                fault = Fault(f"the constraint {one.ref} does not allow it", "Give what the constraint allows.")
                yield Broken(fault, rows, _keyed(gathered))


def _repeated(gathered: Gathered, sound: np.ndarray, deletes: np.ndarray) -> Iterator[Broken]:
    """Find keys that come twice, among the rows that are right."""
    import numpy as np

    columns = [(one.role, gathered.text[one.id]) for one in gathered.structure.dimensions]
    keys = [_by_span(column) if role == "time" else column for role, column in columns]
    rows = repeated([*keys, gathered.actions], np.flatnonzero(sound & ~deletes))
    if len(rows):
        names = ", ".join(one.id for one in gathered.structure.dimensions)
        again = [gathered.place(int(row)) for row in rows[:2]]
        also = f" It is also in {again[1][0]}, row {again[1][1]:,}." if len(again) > 1 else ""
        fault = Fault(f"{names} must be a key", f"Keep one row for each key.{also}")
        yield Broken(fault, rows, _keyed(gathered))


def _by_span(column: TextColumn) -> TextColumn:
    """Give periods that cover the same time one place, however they are written: 2026 and 2026-A1 are one."""
    import numpy as np

    first: dict[TimePeriod | str, int] = {}
    places = [first.setdefault(period_of(text) or text, place) for place, text in enumerate(column.values)]
    if len(first) == len(places):
        return column
    return TextColumn(column.values, chunks=[np.append(np.array(places, np.int32), np.int32(-1))[column.index]])


def _differing(gathered: Gathered, sound: np.ndarray, deletes: np.ndarray) -> Iterator[Broken]:
    """Find attributes of a series, group or dataflow that differ within it, among the rows that are right."""
    import numpy as np

    structure, rows = gathered.structure, np.flatnonzero(sound & ~deletes)
    keys: dict[tuple[str, ...], np.ndarray] = {}
    for one in structure.with_role("attribute"):
        if one.attachment == "observation" or len(gathered.text[one.id].values) < 2:
            continue
        ids = () if one.attachment == "dataflow" else one.dimensions or structure.key
        if structure.time and structure.time.id in ids:
            continue
        if ids not in keys:
            keys[ids] = numbered([gathered.text[id] for id in ids], rows)
        found = differing(keys[ids], gathered.text[one.id].index[rows])
        if len(found):
            whole = {"series": "series", "group": f"group {one.group}", "dataflow": "data set"}[one.attachment]
            fault = Fault(
                f"{one.id} is said of a {whole} and differs within it",
                f"Give one value for the same {', '.join(ids)}." if ids else "Give one value in all rows.",
            )
            yield Broken(fault, rows[found], _valued(gathered, one.id), one.id)


def _nothing(_: int) -> None:
    return None


def _valued(gathered: Gathered, id: str) -> Callable[[int], str | None]:
    return lambda row: gathered.value(id, row)


def _keyed(gathered: Gathered) -> Callable[[int], str | None]:
    ids = [one.id for one in gathered.structure.dimensions]
    return lambda row: ", ".join(f"{id}={gathered.value(id, row) or ''}" for id in ids)
