"""Every multilateral index by every window and splice, from one pass over the panel: how much the choice matters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np

from statcommons.core.errors import BadData
from statcommons.core.quality import notice
from statcommons.prices.index.extension import SPLICES, extend, windows_of
from statcommons.prices.index.multilateral import FORMULAS, Recipe, window_levels
from statcommons.prices.index.pairs import WINDOW_SUMS, Pairs, Window, pairs
from statcommons.prices.panel import Floats, Panel, require_consecutive

__all__ = ["METHODS", "Line", "fan", "full_window"]

METHODS: tuple[Recipe, ...] = (
    *(Recipe("geks", formula) for formula in FORMULAS),
    Recipe("gk"),
    Recipe("tpd"),
    Recipe("tpd", weights="equal"),
    Recipe("lehr"),
)
"""The indices that are compared."""

CELLS = 2**13  # of one matrix: products of small matrices stay in one thread, and dozens of windows in the cache


@dataclass(frozen=True, eq=False)
class Line:
    """One series among those that are compared.

    Parameters
    ----------
    method : str
        Name of the index.
    window : int
        Periods in a window; 0 for a bilateral index.
    splice : str
        How a new window is linked; ``full`` for one window of all periods; what a bilateral index compares with.
    index : array of shape (T,)
        Index numbers, 1 in the first period; NaN where there is none.
    """

    method: str
    window: int
    splice: str
    index: Floats

    @property
    def label(self) -> str:
        """The name of the series."""
        return f"{self.method}/{self.window}/{self.splice}" if self.window else f"{self.method}/{self.splice}"


def fan(panel: Panel, windows: Sequence[int] = (13, 25), cells: int = CELLS) -> tuple[list[Line], Pairs]:
    """Compile every index by every window and splice.

    Parameters
    ----------
    panel : Panel
        Unit values of N products in T periods, without a gap.
    windows : sequence of int
        Periods in a window. Those that are longer than the panel give the same, and one line.
    cells : int
        The most cells of one dense matrix.

    Returns
    -------
    lines : list of Line
        The series. One that cannot be compiled, such as where two periods of its window share no product, is left out
        with a notice.
    sums : Pairs
        What they are compiled from, with sums over the window of all periods.

    Raises
    ------
    BadData
        A period is missing between two others.

    Examples
    --------
    >>> from statcommons.prices.panel import panel
    >>> months = np.array(["2024-01", "2024-02", "2024-03"]).repeat(2)
    >>> codes = np.tile(np.array(["rice", "tea"]), 3)
    >>> p = panel(months, codes, [1, 1, 0.5, 1, 1, 1], [10, 100, 5000, 100, 1, 100])
    >>> lines, _ = fan(p, windows=[2])
    >>> len(lines), *(round(float(end([one.index[-1] for one in lines])), 3) for end in (min, max))
    (72, 0.715, 1.0)
    """
    require_consecutive(panel.periods)
    lengths = sorted({min(window, max(len(panel.periods), 2)) for window in windows})
    whole = Window(0, len(panel.periods))
    needed = {part for length in lengths for splice in SPLICES for part in windows_of(panel.periods, length, splice)}
    sums = pairs(panel, windows=sorted({*needed, whole}), methods=WINDOW_SUMS, cells=cells)
    lines, lost = [], 0
    for one in METHODS:
        levels = cache(window_levels(sums, one))
        for length in lengths:
            for splice in SPLICES:
                if splice == "fbew" and length != lengths[0]:
                    continue  # its windows begin at the end of the year, whatever their length
                try:
                    index = np.exp(extend(levels, panel.periods, length, splice))
                except BadData:
                    lost += 1
                    continue
                lines.append(Line(one.name, length, splice, index))
    if lost:
        notice(f"{lost} of {lost + len(lines)} series are not compiled: no product connects periods of their windows.")
    return lines, sums


def full_window(sums: Pairs, recipe: Recipe) -> Floats:
    """Compile an index over one window of all periods: the yardstick, and what a revision of all would give.

    Parameters
    ----------
    sums : Pairs
        Sums as of `fan`.
    recipe : Recipe
        The index; its window and splice do not matter.

    Returns
    -------
    array of shape (T,)
        Index numbers, 1 in the first period.

    Examples
    --------
    >>> from statcommons.prices.panel import panel
    >>> p = panel(np.array(["2024-01", "2024-02"]), np.array(["tea", "tea"]), [2, 3], [1, 5])
    >>> full_window(fan(p)[1], Recipe("gk")).round(6).tolist()
    [1.0, 1.5]
    """
    level = window_levels(sums, recipe)(Window(0, len(sums.periods)))
    return np.exp(level - level[0])
