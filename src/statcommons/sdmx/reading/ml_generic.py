"""Runs of generic observations of SDMX-ML 2.1, cut at their quotes by Arrow as those of structure-specific ones are.

What stands between two quotes are tags without attributes, and few different ones. Each of them leads from one place in
the tree of tags to another; that they fit to one another is checked for all at once.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from statcommons.sdmx.reading.ml_expat import Piece

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

TAG = r"(?:[\w.\-]+:)?"
BETWEEN = re.compile(
    rf"(?P<end>\s*/>)?(?P<tags>(?:\s*</?{TAG}(?:Series|SeriesKey|Obs|ObsKey|Attributes)\s*>)*)\s*"
    rf"(?:(?P<begin><{TAG}(?P<kind>Value|ObsDimension|ObsValue))?\s+(?P<name>id|value)\s*=\s*)?"
)
MARK = re.compile(rf"<(/?){TAG}(\w+)\s*>")
VALUE, DIMENSION, MEASURE = 1, 2, 3
KINDS = {"Value": VALUE, "ObsDimension": DIMENSION, "ObsValue": MEASURE}
SERIES = [("Series",), ("Series", "SeriesKey"), ("Series", "Attributes")]
OBSERVATION = [("Obs",), ("Obs", "ObsKey"), ("Obs", "Attributes")]
FLAT = [(), *OBSERVATION]
NESTED = [(), *SERIES, *(("Series", *place) for place in OBSERVATION)]
"""The places in the tree of tags, in messages without series and with them."""


@dataclass(frozen=True)
class _Step:
    """What stands between two values: where it leads from and to, what it begins, and the attribute that follows."""

    origin: int
    target: int
    moves: bool
    ends: bool
    kind: int
    name: str
    series: int
    observations: int


def plain_generic(cells: pa.Array, words: Sequence[str], code: np.ndarray, at: str) -> Piece | None:
    """Read a run of generic series or observations that is cut at its quotes.

    Parameters
    ----------
    cells : pyarrow.Array
        What stands between quotes, and at the odd places within them.
    words : sequence of str
        The different texts outside of quotes; the first of them begins the run.
    code : numpy.ndarray
        The place in ``words`` of each text outside of quotes.
    at : str
        The dimension at the observation.

    Returns
    -------
    Piece or None
        None where a tag is of another kind, or is not where it may be.
    """
    import numpy as np
    import pyarrow as pa

    nested = any("Series" in word for word in words)
    places = NESTED if nested else FLAT
    found = [_step(word, places, not place) for place, word in enumerate(words)]
    steps = [one for one in found if one]
    if len(steps) < len(found):
        return None

    def of(values: Sequence[int]) -> np.ndarray:
        return np.array(values, np.int64)[code]

    moves, kinds = of([one.moves for one in steps]) > 0, of([one.kind for one in steps])
    origins, targets = of([one.origin for one in steps]), of([one.target for one in steps])
    opened, seen = of([one.observations for one in steps]), np.cumsum(of([one.series for one in steps]))
    moving = np.flatnonzero(moves)
    begins = np.flatnonzero(kinds)
    after = np.append(begins[1:], len(code) - 1)
    if (
        not len(moving)
        or not len(begins)
        or moving[0]
        or origins[0]
        or targets[moving[-1]]
        or moving[-1] != len(code) - 1
        or (targets[moving[:-1]] != origins[moving[1:]]).any()
        or not np.array_equal(np.flatnonzero(of([one.ends for one in steps])), after)
    ):
        return None
    last = np.maximum.accumulate(np.where(moves, np.arange(len(code)), 0))
    state = targets[last]
    top = np.array([place[-1] if place else "" for place in places])[state[begins]]
    within = (top != "Obs") & (top != "Series") & (top != "")
    if not np.where(kinds[begins] == VALUE, within, top == "Obs").all():
        return None
    element = np.cumsum(kinds > 0)[:-1] - 1
    names = [one.name for one in steps]
    cell = {}
    for name in ("id", "value"):
        mine = np.flatnonzero(np.array([one == name for one in names])[code[:-1]])
        cell[name] = np.full(len(begins), -1, np.int64)
        cell[name][element[mine]] = 2 * mine + 1
        if np.count_nonzero(cell[name] >= 0) < len(mine):
            return None
    if (cell["value"] < 0).any() or (cell["id"][kinds[begins] == VALUE] < 0).any():
        return None
    ids = cells.take(pa.array(cell["id"], mask=cell["id"] < 0)).dictionary_encode()
    known = [*ids.dictionary.to_pylist(), at, "OBS_VALUE"]
    default = np.where(kinds[begins] == DIMENSION, len(known) - 2, len(known) - 1)
    name_of = np.where(cell["id"] < 0, default, ids.indices.fill_null(0).to_numpy())
    inside = np.array(["Obs" in place for place in places])[state[begins]]
    observation, series = np.cumsum(opened)[begins] - 1, seen[begins] - 1
    members = seen[np.flatnonzero(opened)] - 1 if nested else np.zeros(int(opened.sum()), np.int64)
    if nested and len(np.unique(members)) < seen[-1]:  # a series without observations
        return None
    columns = _columns(cells, known, name_of[inside], observation[inside], cell["value"][inside], len(members))
    said = _columns(cells, known, name_of[~inside], series[~inside], cell["value"][~inside], int(seen[-1]))
    return None if columns is None or said is None else Piece(said, members, columns)


def _columns(
    cells: pa.Array, names: Sequence[str], name: np.ndarray, owner: np.ndarray, value: np.ndarray, count: int
) -> dict[str, pa.Array] | None:
    """Give values by component; None where an owner names one twice."""
    import numpy as np
    import pyarrow as pa

    from statcommons.sdmx.reading.ml_parts import unescaped

    places: dict[str, np.ndarray] = {}
    for one in np.unique(name).tolist():
        rows = np.flatnonzero(name == one)
        place = places.setdefault(names[one], np.full(count, -1, np.int64))
        before = np.count_nonzero(place >= 0)
        place[owner[rows]] = value[rows]
        if np.count_nonzero(place >= 0) < before + len(rows):
            return None
    return {id: unescaped(cells.take(pa.array(place, mask=place < 0))) for id, place in places.items()}


def _step(text: str, places: Sequence[tuple[str, ...]], first: bool) -> _Step | None:
    """Read what stands between two values; None where it is none of what is plain, or could stand in several places."""
    found = BETWEEN.fullmatch(text)
    if not found or (found["name"] and not found["begin"] and (found["end"] or found["tags"])):
        return None
    marks = MARK.findall(found["tags"])
    kind = KINDS.get(found["kind"], 0)
    # A value ends where values may stand; a run begins outside of all.
    origins = [place for place, path in enumerate(places) if bool(path and path[-1] != "Series") == bool(found["end"])]
    ends = [(place, end) for place in origins if (end := _led(places, place, marks)) is not None]
    if (marks and len(ends) != 1) or bool(found["end"]) == (first or bool(found["name"] and not found["begin"])):
        return None
    origin, target = ends[0] if marks else (0, 0)
    opened = [name for closing, name in marks if not closing]
    if opened.count("Series") > 1 or opened.count("Obs") > 1:
        return None
    return _Step(
        origin,
        target,
        bool(marks),
        bool(found["end"]),
        kind,
        found["name"] or "",
        opened.count("Series"),
        opened.count("Obs"),
    )


def _led(places: Sequence[tuple[str, ...]], place: int, marks: Sequence[tuple[str, str]]) -> int | None:
    """Follow tags from a place in the tree; None where they do not fit."""
    path = places[place]
    for closing, name in marks:
        if closing:
            if not path or path[-1] != name:
                return None
            path = path[:-1]
        else:
            path = (*path, name)
        if path not in places:
            return None
    return places.index(path)
