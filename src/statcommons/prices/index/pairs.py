"""Sums over products from which multilateral indices follow: by pair of periods, and by window.

All sums add up over disjoint sets of products: over blocks of a panel that is larger than memory, and over retailers
who each sum their own and share no price.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
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


PAIR_SUMS: dict[str, Callable[[Block], tuple[Floats, Floats]]] = {
    "A": lambda b: (b.V, b.M),
    "B": lambda b: (b.V, b.L),
    "C": lambda b: (b.V * b.L, b.M),
    "F": lambda b: (b.Q, b.P),
    "R": lambda b: (np.sqrt(b.Q), b.P * np.sqrt(b.Q)),
    "J": lambda b: (b.M, b.L),
    "n": lambda b: (b.M, b.M),
}
r"""Sums for each pair of periods (a, b) over the products sold in both: a product absent in either adds 0.

Each is the product of two matrices, periods by products, here given as the pair of them: that of the rows, a, and that
of the columns, b, which is transposed.

``A`` is :math:`\sum_i v_i^a`, the turnover of a (on the diagonal that of all its products); ``B``
:math:`\sum_i v_i^a \ln p_i^b`; ``C`` :math:`\sum_i v_i^a \ln p_i^a`; ``F`` :math:`\sum_i q_i^a p_i^b`; ``R``
:math:`\sum_i \sqrt{q_i^a q_i^b}\, p_i^b`; ``J`` :math:`\sum_i \ln p_i^b`; ``n`` the number of matched products.
"""


class Windows(NamedTuple):
    """Several windows of T periods: as slices, and as a matrix that sums over the periods of each.

    Parameters
    ----------
    slices : list of slice
        The periods of each.
    inside : array of shape (windows, T)
        1 where the period is in the window.
    """

    slices: list[slice]
    inside: Floats


def _inverse(sums: Floats) -> Floats:
    """Invert, 0 for a product that is not sold in the window."""
    return np.divide(1.0, sums, out=np.zeros(sums.shape), where=sums > 0)


def _geary_khamis(b: Block, _: Floats, over: Windows) -> Iterator[Floats]:
    for part, inverse in zip(over.slices, _inverse(over.inside @ b.Q), strict=True):
        yield (b.Q[part] * inverse) @ b.V[part].T


def _lehr(b: Block, _: Floats, over: Windows) -> Iterator[Floats]:
    unit_values = (over.inside @ b.V) * _inverse(over.inside @ b.Q)
    for part, unit_value in zip(over.slices, unit_values, strict=True):
        yield b.Q[part] @ unit_value


def _product_dummies(weights: Floats, b: Block, over: Windows) -> Iterator[Floats]:
    """Give the normal equations of the periods, the products' dummies swept out: the matrix, and the right side."""
    priced = weights * b.L
    by_period = priced.sum(axis=1)
    # With the root of the inverse on both sides the matrix is that of X X', of which half is computed.
    roots = np.sqrt(_inverse(over.inside @ weights))
    swept = (over.inside @ priced) * roots
    for part, root, mean in zip(over.slices, roots, swept, strict=True):
        scaled = weights[part] * root
        yield np.column_stack([scaled @ scaled.T, by_period[part] - scaled @ mean])


WINDOW_SUMS: dict[str, Callable[[Block, Floats, Windows], Iterator[Floats]]] = {
    "gk": _geary_khamis,
    "lehr": _lehr,
    "tpd": lambda b, turnover, over: _product_dummies(b.V / turnover[:, None], b, over),
    "tpd_equal": lambda b, _, over: _product_dummies(b.M, b, over),
}
r"""Sums for each window of W periods, by index method; the second argument is the turnover of all products by period,
and they come in the order of the windows.

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
    known: Pairs | None = None,
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
    known : Pairs, optional
        Sums of the same products over the periods before, of which nothing is computed again: a new period costs one
        row and one column of each sum by pair, and the windows that were not there.
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
    names, methods = tuple(dict.fromkeys((*ALWAYS, *sums))), tuple(dict.fromkeys(methods))
    for given, kinds in ((names, PAIR_SUMS), (methods, WINDOW_SUMS)):
        if unknown := [name for name in given if name not in kinds]:
            raise BadCall(f"There is no sum {unknown[0]!r}.", remedy=nearest(unknown[0], list(kinds)))
    count, old = len(panel.periods), 0
    of_pairs = {name: np.zeros((count, count)) for name in names}
    of_windows: dict[tuple[str, Window], Floats] = {}
    if known is not None:
        old = _begin(known, panel.periods, of_pairs)
        of_windows.update(known.of_windows)
    wanted = {name: [one for one in dict.fromkeys(windows) if (name, one) not in of_windows] for name in methods}
    of_all = turnovers(panel) if turnover is None else turnover
    over = {name: _windows(parts, count) for name, parts in wanted.items() if parts}
    for block in (panel if over else _sold_since(panel, old)).blocks(cells):
        for name, total in of_pairs.items():
            left, right = PAIR_SUMS[name](block)
            total[old:] += left[old:] @ right.T
            total[:old, old:] += left[:old] @ right[old:].T
        for name, parts in over.items():
            for part, found in zip(wanted[name], WINDOW_SUMS[name](block, of_all, parts), strict=True):
                of_windows[name, part] = of_windows.get((name, part), 0.0) + found
    return Pairs(panel.periods, of_pairs, of_windows)


def _begin(known: Pairs, periods: Labels, of_pairs: dict[str, Floats]) -> int:
    """Fill in the sums that are known, and give the number of their periods."""
    old = len(known.periods)
    if not np.array_equal(known.periods, periods[:old]) or of_pairs.keys() - known.of_pairs.keys():
        raise BadCall(
            "The known sums are not over the first periods of the panel, or lack some that are wanted.",
            remedy="Give the sums that were made with the same options, of the periods before.",
        )
    for name, total in of_pairs.items():
        total[:old, :old] = known[name]
    return old


def _windows(parts: list[Window], periods: int) -> Windows:
    inside = [[float(start <= t < stop) for t in range(periods)] for start, stop in parts]
    return Windows([slice(*part) for part in parts], np.array(inside))


def _sold_since(panel: Panel, first: int) -> Panel:
    """Leave out products that are not sold in the periods from a position on."""
    if first == 0:
        return panel
    kept = np.zeros(len(panel.products), bool)
    kept[panel.product[panel.period >= first]] = True
    rows = kept[panel.product]
    return replace(
        panel,
        products=panel.products[kept],
        product=(np.cumsum(kept) - 1)[panel.product[rows]],
        period=panel.period[rows],
        price=panel.price[rows],
        quantity=panel.quantity[rows],
    )


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
    linked, left, groups = matched > 0, np.ones(len(periods), bool), []
    while left.any():
        group = np.zeros(len(periods), bool)
        group[left.argmax()] = True
        while (wider := group | linked[group].any(axis=0)).sum() > group.sum():
            group = wider
        groups.append(periods[group])
        left &= ~group
    if len(groups) > 1:
        named = " with ".join(f"{one[0]}..{one[-1]}" if len(one) > 1 else str(one[0]) for one in groups)
        raise DisconnectedPeriods(
            f"No product connects {named}.",
            remedy="Define products more broadly, or take a window in which products overlap.",
        )
