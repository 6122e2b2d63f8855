"""What became of each product between two periods, and which of them may be told of together."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from statcommons.prices.panel import Floats, Integers, Labels, Panel

__all__ = ["disclosable", "in_period", "largest", "statuses"]


def in_period(panel: Panel, values: Floats, period: int) -> Floats:
    """Lay the prices or quantities of one period out by product.

    Parameters
    ----------
    panel : Panel
        Unit values of N products in T periods.
    values : array of shape (rows,)
        A column of the panel.
    period : int
        Position of the period.

    Returns
    -------
    array of shape (N,)
        The values; NaN for a product that is not sold in the period.

    Examples
    --------
    >>> from statcommons.prices.panel import panel
    >>> two = panel(np.array(["2024-01", "2024-02"]), np.array(["tea", "rice"]), [2, 1], [1, 6])
    >>> in_period(two, two.price, 0).tolist()
    [nan, 2.0]
    """
    rows = np.flatnonzero(panel.period == period)
    found = np.full(len(panel.products), np.nan)
    found[panel.product[rows]] = values[rows]
    return found


def statuses(panel: Panel, start: int, end: int, cut: float = 0.1) -> Labels:
    """Say of each product what became of it from one period to another.

    Parameters
    ----------
    panel : Panel
        Unit values of N products in T periods.
    start, end : int
        Positions of the two periods.
    cut : float
        By which share a product must be cheaper to be in a sale: cheaper than in the period before in which it is sold
        and in the one after; in its last period, than in the one before.

    Returns
    -------
    array of shape (N,)
        ``stay``: sold in both periods; ``sale``: so too, and in a sale in one of them; ``new``: in the second only;
        ``gone``: in the first only; ``elsewhere``: in neither, but in others of the windows between them.

    Examples
    --------
    >>> from statcommons.prices.panel import panel
    >>> months = np.array(["2024-01", "2024-02", "2024-03"])
    >>> codes = np.array(["tea", "tea", "tea", "rice", "rice"])
    >>> p = panel(months[[0, 1, 2, 0, 1]], codes, [2.0, 1.0, 2.0, 3.0, 2.9], [1.0] * 5)
    >>> p.products.tolist(), statuses(p, 0, 1).tolist(), statuses(p, 1, 2).tolist()
    (['rice', 'tea'], ['stay', 'sale'], ['gone', 'sale'])
    """
    price, row = panel.price, np.arange(len(panel.price))
    # The rows of a product are neighbours, in the order of time.
    alike = panel.product[1:] == panel.product[:-1]
    before, after = np.append(False, alike), np.append(alike, False)
    usual = np.where(before, price[np.maximum(row - 1, 0)], 0)
    usual = np.minimum(usual, np.where(after, price[np.minimum(row + 1, len(row) - 1)], np.inf))
    cheap = price < (1 - cut) * usual
    sold = np.array([~np.isnan(in_period(panel, price, period)) for period in (start, end)])
    sale = np.array([in_period(panel, cheap.astype(float), period) == 1 for period in (start, end)]).any(axis=0)
    return np.select(
        [sold.all(axis=0) & sale, sold.all(axis=0), sold[1], sold[0]],
        ["sale", "stay", "new", "gone"],
        default="elsewhere",
    ).astype(object)


def disclosable(counts: Mapping[str, int], least: int = 3) -> dict[str, str]:
    """Merge classes of few products, so that no published sum tells of one product.

    The small classes are put together, with the smallest of the others where they are too few even so.

    Parameters
    ----------
    counts : mapping of str to int
        How many products each class has.
    least : int
        How many there must be.

    Returns
    -------
    dict of str to str
        The class under which each is told: its own, or ``other``.

    Examples
    --------
    >>> disclosable({"stay": 90, "new": 2, "gone": 12})
    {'stay': 'stay', 'new': 'other', 'gone': 'other'}
    >>> disclosable({"stay": 90, "gone": 12})
    {'stay': 'stay', 'gone': 'gone'}
    """
    by_size = sorted(counts, key=lambda name: (counts[name], name))
    merged: list[str] = []
    for name in by_size:
        if counts[name] < least or (merged and sum(counts[one] for one in merged) < least):
            merged.append(name)
    return {name: "other" if name in merged else name for name in counts}


def largest(contributions: Floats, count: int) -> Integers:
    """Give the positions of the largest contributions, up or down, the largest first.

    Parameters
    ----------
    contributions : array of shape (n,)
        Contributions; those of 0 are not given.
    count : int
        How many at most.

    Examples
    --------
    >>> largest(np.array([0.1, -0.3, 0.0, 0.2]), 2).tolist()
    [1, 3]
    """
    order = np.argsort(-np.abs(contributions), kind="stable")[:count]
    return order[contributions[order] != 0]
