"""Sums over products from which multilateral indices follow: by pair of periods, and by window.

All sums add up over disjoint sets of products: over blocks of a panel that is larger than memory, and over retailers
who each sum their own and share no price.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from statcommons.core.errors import BadCall, BadData, nearest
from statcommons.prices.panel import CELLS, Block, Floats, Labels, Panel

__all__ = [
    "PAIR_SUMS",
    "WINDOW_SUMS",
    "DisconnectedPeriods",
    "Pairs",
    "Window",
    "assert_connected",
    "pairs",
    "turnovers",
]


class DisconnectedPeriods(BadData):
    """Periods fall into groups that no product connects, so that no index leads from one group to another."""


class Window(NamedTuple):
    """The periods of a window: positions from `start` up to, but without, `stop`."""

    start: int
    stop: int


PAIR_SUMS: dict[str, Callable[[Block], Floats]] = {
    "A": lambda b: b.V @ b.M.T,
    "B": lambda b: b.V @ b.L.T,
    "C": lambda b: (b.V * b.L) @ b.M.T,
    "F": lambda b: b.Q @ b.P.T,
    "R": lambda b: np.sqrt(b.Q) @ (b.P * np.sqrt(b.Q)).T,
    "J": lambda b: b.M @ b.L.T,
    "n": lambda b: b.M @ b.M.T,
}
r"""Sums for each pair of periods (a, b) over the products sold in both: a product absent in either adds 0.

``A`` is :math:`\sum_i v_i^a`, the turnover of a (on the diagonal that of all its products); ``B``
:math:`\sum_i v_i^a \ln p_i^b`; ``C`` :math:`\sum_i v_i^a \ln p_i^a`; ``F`` :math:`\sum_i q_i^a p_i^b`; ``R``
:math:`\sum_i \sqrt{q_i^a q_i^b}\, p_i^b`; ``J`` :math:`\sum_i \ln p_i^b`; ``n`` the number of matched products.
"""


def _divided(numerator: Floats, denominator: Floats) -> Floats:
    """Divide by product, 0 where a product is not sold in the window."""
    return np.divide(
        numerator, denominator, out=np.zeros(np.broadcast(numerator, denominator).shape), where=denominator > 0
    )


def _geary_khamis(b: Block, _: Floats) -> Floats:
    return _divided(b.Q, b.Q.sum(axis=0)) @ b.V.T


def _lehr(b: Block, _: Floats) -> Floats:
    return b.Q @ _divided(b.V.sum(axis=0), b.Q.sum(axis=0))


def _product_dummies(weights: Floats, b: Block) -> Floats:
    """Give the normal equations of the periods, the products' dummies swept out: the matrix, and the right side."""
    by_product = weights.sum(axis=0)
    projected = _divided(weights, by_product)
    priced = weights * b.L
    return np.column_stack([weights @ projected.T, priced.sum(axis=1) - projected @ priced.sum(axis=0)])


WINDOW_SUMS: dict[str, Callable[[Block, Floats], Floats]] = {
    "gk": _geary_khamis,
    "lehr": _lehr,
    "tpd": lambda b, turnover: _product_dummies(b.V / turnover[:, None], b),
    "tpd_equal": lambda b, _: _product_dummies(b.M, b),
}
r"""Sums for each window of W periods, by index method; the second argument is the turnover of all products by period.

``gk`` is W x W, :math:`\sum_i q_i^a v_i^b / q_i` with :math:`q_i` the quantity of the window; ``lehr`` has W elements,
:math:`\sum_i q_i^a v_i / q_i`; ``tpd`` and ``tpd_equal`` are W x (W + 1): with weights :math:`w_i^a` (turnover shares,
or 1), :math:`\sum_i w_i^a w_i^b / w_i`, and in the last column
:math:`\sum_i w_i^a (\ln p_i^a - \sum_b w_i^b \ln p_i^b / w_i)`.
"""

ALWAYS = ("A", "n")
"""What is matched is told with every index."""


@dataclass(frozen=True, eq=False)
class Pairs:
    """Sums over products for each pair of periods, and for each window, from which every multilateral index follows.

    ``x + y`` holds the sums of the products of both; the two must not have a product in common.

    Parameters
    ----------
    periods : array of shape (T,)
        Periods, sorted.
    of_pairs : mapping of str to array of shape (T, T)
        Sums by name, as in `PAIR_SUMS`.
    of_windows : mapping of (str, Window) to array
        Sums by method and window, as in `WINDOW_SUMS`.

    References
    ----------
    UN Task Team on Scanner Data, e-handbook, multilateral methods; the sums are its formulas written as products of
    period-by-product matrices.
    """

    periods: Labels
    of_pairs: Mapping[str, Floats]
    of_windows: Mapping[tuple[str, Window], Floats] = field(default_factory=dict)

    def __getitem__(self, name: str) -> Floats:
        return self.of_pairs[name]

    @property
    def turnover(self) -> Floats:
        """The turnover of all products, by period."""
        return np.diagonal(self["A"])

    def __add__(self, other: Pairs) -> Pairs:
        """Add the sums of other products over the same periods."""
        alike = (
            np.array_equal(self.periods, other.periods)
            and self.of_pairs.keys() == other.of_pairs.keys()
            and self.of_windows.keys() == other.of_windows.keys()
        )
        if not alike:
            raise BadCall(
                "The two sets of sums are not over the same periods, windows and methods.",
                remedy="Make both with the same periods, methods, window and splice.",
            )
        return Pairs(
            self.periods,
            {name: one + other.of_pairs[name] for name, one in self.of_pairs.items()},
            {name: one + other.of_windows[name] for name, one in self.of_windows.items()},
        )


def turnovers(panel: Panel) -> Floats:
    """Sum the turnover of all products by period.

    Parameters
    ----------
    panel : Panel
        Unit values of N products in T periods.

    Returns
    -------
    array of shape (T,)
        Turnover in currency.

    Examples
    --------
    >>> from statcommons.prices.panel import panel
    >>> turnovers(panel(np.array(["2024-01", "2024-01"]), np.array(["tea", "rice"]), [2, 1], [1, 6])).tolist()
    [8.0]
    """
    return np.bincount(panel.period, panel.price * panel.quantity, len(panel.periods)).astype(np.float64)


def pairs(
    panel: Panel,
    *,
    sums: Iterable[str] = tuple(PAIR_SUMS),
    windows: Iterable[Window] = (),
    methods: Iterable[str] = (),
    turnover: Floats | None = None,
    cells: int = CELLS,
) -> Pairs:
    """Sum a panel over its products for each pair of periods, and for each window.

    Parameters
    ----------
    panel : Panel
        Unit values of N products in T periods.
    sums : iterable of str
        Sums by pair that are wanted, of `PAIR_SUMS`; ``A`` and ``n`` are always made.
    windows : iterable of Window
        Windows, for methods that need sums of their own in each.
    methods : iterable of str
        Sums by window that are wanted, of `WINDOW_SUMS`.
    turnover : array of shape (T,), optional
        The turnover of all products by period, where the panel has only a part of them: a retailer's among several.
    cells : int
        The most cells of one dense matrix: memory is some 60 bytes a cell, whatever N is.

    Returns
    -------
    Pairs
        Blocks are added in the order of the product codes, so the order of the rows changes nothing; another size of
        block, or another number of threads of the matrix product, may change the last digit.

    Examples
    --------
    >>> from statcommons.prices.panel import panel
    >>> months = np.array(["2024-01", "2024-01", "2024-02"])
    >>> made = pairs(panel(months, np.array(["tea", "rice", "tea"]), [2, 1, 3], [1, 6, 5]))
    >>> made["n"].tolist(), made["A"].tolist()
    ([[2.0, 1.0], [1.0, 1.0]], [[8.0, 2.0], [15.0, 15.0]])
    """
    names, windows, methods = tuple(dict.fromkeys((*ALWAYS, *sums))), tuple(windows), tuple(dict.fromkeys(methods))
    for given, known in ((names, PAIR_SUMS), (methods, WINDOW_SUMS)):
        if unknown := [name for name in given if name not in known]:
            raise BadCall(f"There is no sum {unknown[0]!r}.", remedy=nearest(unknown[0], list(known)))
    of_all = turnovers(panel) if turnover is None else turnover
    of_pairs = {name: np.zeros((len(panel.periods),) * 2) for name in names}
    of_windows: dict[tuple[str, Window], Floats] = {}
    for block in panel.blocks(cells):
        for name, total in of_pairs.items():
            total += PAIR_SUMS[name](block)
        for window in windows:
            part = Block(*(matrix[window.start : window.stop] for matrix in block)) if methods else block
            for name in methods:
                found = WINDOW_SUMS[name](part, of_all[window.start : window.stop])
                of_windows[name, window] = of_windows.get((name, window), 0.0) + found
    return Pairs(panel.periods, of_pairs, of_windows)


def assert_connected(matched: Floats, periods: Labels) -> None:
    """Refuse periods that no chain of matched products connects.

    Parameters
    ----------
    matched : array of shape (W, W)
        How many products each two periods have in common.
    periods : array of shape (W,)
        The periods.

    Raises
    ------
    DisconnectedPeriods
        When they fall into several groups; the groups are named.

    Examples
    --------
    >>> assert_connected(np.array([[1, 0], [0, 1]]), np.array(["2024-01", "2024-02"]))
    Traceback (most recent call last):
    statcommons.prices.index.pairs.DisconnectedPeriods: No product connects 2024-01 with 2024-02. Define products more \
broadly, or take a window in which products overlap.
    """
    left, groups = list(range(len(periods))), []
    while left:
        group, front = {left[0]}, {left[0]}
        while front:
            front = {b for a in front for b in left if matched[a, b] > 0} - group
            group |= front
        groups.append([periods[one] for one in sorted(group)])
        left = [one for one in left if one not in group]
    if len(groups) > 1:
        named = " with ".join(f"{one[0]}..{one[-1]}" if len(one) > 1 else str(one[0]) for one in groups)
        raise DisconnectedPeriods(
            f"No product connects {named}.",
            remedy="Define products more broadly, or take a window in which products overlap.",
        )
