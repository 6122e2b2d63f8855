"""Bilateral price indices: the prices of two periods compared over the products that are sold in both."""

from __future__ import annotations

import re
from typing import Any, Literal, NamedTuple, TypeAlias, get_args

import numpy as np

from statcommons.core.errors import BadCall, BadData, nearest
from statcommons.core.quality import notice
from statcommons.prices.index.comparison import total
from statcommons.prices.index.formulas import FORMULAS, find_formula
from statcommons.prices.panel import Floats, Integers, Panel, Series, require_consecutive

__all__ = ["Base", "Match", "Matched", "bilateral_series", "matched"]

Base: TypeAlias = Literal["fixed", "previous", "year_ago"]
"""What a period is compared with: the first, the one before it (and chained), or the same a year ago."""

Match: TypeAlias = Literal["matched", "imputed"]
"""Which products are compared: those sold in both periods, or those sold in either, a missing price being imputed."""

YEARLY = re.compile(r"(\d{4})(-(?:W\d{2}|\d{2}))")


class Matched(NamedTuple):
    """The products over which two periods are compared.

    Parameters
    ----------
    p0, p1, q0, q1 : array of shape (n,)
        Prices and quantities in the base and the current period, in the order of the product codes; a quantity is 0
        where the price was imputed.
    share_base, share_current : float
        Share of the products sold in both in the whole turnover of the base and of the current period.
    product : integer array of shape (n,)
        Position of each product in the panel.
    """

    p0: Floats
    p1: Floats
    q0: Floats
    q1: Floats
    share_base: float
    share_current: float
    product: Integers


def matched(panel: Panel, base: int, current: int, match: Match = "matched") -> Matched:
    r"""Match the products of two periods of a panel.

    A missing price is imputed by the overall mean: it is the product's other price, moved by the mean change of the
    matched products. The mean is geometric, each product with its mean share in the turnover of the two periods.

    Parameters
    ----------
    panel : Panel
        Unit values of N products in T periods.
    base, current : int
        Positions of the two periods, from 0.
    match : {"matched", "imputed"}
        The products sold in both periods; or those sold in either, with imputed prices at a quantity of 0.

    Returns
    -------
    Matched
        Prices and quantities of the products, and the turnover shares of those sold in both.

    Raises
    ------
    BadData
        No product is sold in both periods.

    References
    ----------
    ILO et al. (2004), Consumer Price Index Manual: Theory and Practice, chapter 9, temporarily missing prices:
    imputation by the change of all other prices.

    Examples
    --------
    >>> from statcommons.prices.panel import panel
    >>> months = np.array(["2024-01", "2024-01", "2024-02"])
    >>> two = panel(months, np.array(["tea", "rice", "tea"]), [2, 1, 3], [1, 6, 5])
    >>> both = matched(two, 0, 1)
    >>> both.p1.tolist(), both.share_base, both.share_current
    ([3.0], 0.25, 1.0)
    >>> matched(two, 0, 1, "imputed").p1.round(6).tolist()
    [1.5, 3.0]
    """
    rows0, rows1 = np.flatnonzero(panel.period == base), np.flatnonzero(panel.period == current)
    products, common0, common1 = np.intersect1d(
        panel.product[rows0], panel.product[rows1], assume_unique=True, return_indices=True
    )
    if not common0.size:
        raise BadData(
            f"No product is sold in both {panel.periods[base]} and {panel.periods[current]}.",
            remedy="Define products more broadly, or compare periods that share products.",
        )
    in0, in1 = rows0[common0], rows1[common1]
    both = Matched(
        p0=panel.price[in0],
        p1=panel.price[in1],
        q0=panel.quantity[in0],
        q1=panel.quantity[in1],
        share_base=_value(panel, in0) / _value(panel, rows0),
        share_current=_value(panel, in1) / _value(panel, rows1),
        product=products,
    )
    return both if match == "matched" else _imputed(panel, both, rows0, rows1)


def _imputed(panel: Panel, both: Matched, rows0: Integers, rows1: Integers) -> Matched:
    """Add the products sold in one of two periods only, their other price moved with the mean of the matched."""
    change = FORMULAS["tornqvist"](*both[:4])
    products = np.union1d(panel.product[rows0], panel.product[rows1])
    p0, p1, q0, q1 = np.zeros((4, len(products)))
    for rows, p, q in ((rows0, p0, q0), (rows1, p1, q1)):
        place = np.searchsorted(products, panel.product[rows])
        p[place], q[place] = panel.price[rows], panel.quantity[rows]
    return both._replace(
        p0=np.where(q0 > 0, p0, p1 / change), p1=np.where(q1 > 0, p1, p0 * change), q0=q0, q1=q1, product=products
    )


def _value(panel: Panel, rows: Integers) -> float:
    return total(panel.price[rows] * panel.quantity[rows])


def bilateral_series(
    panel: Panel,
    formula: str = "fisher",
    base: Base = "fixed",
    match: Match = "matched",
    *,
    sigma: float = 0.7,
    tau: float = 0.7,
    basket: tuple[Any, Any] | None = None,
) -> Series:
    """Compare each period with the first, with the one before it and chain, or with the same a year ago.

    Parameters
    ----------
    panel : Panel
        Unit values of N products in T periods.
    formula : str
        One of `FORMULAS`.
    base : {"fixed", "previous", "year_ago"}
        ``fixed`` compares with the first period; ``previous`` multiplies the comparisons of neighbouring periods,
        which follows new products but drifts where prices and quantities bounce (sales); ``year_ago`` compares with
        the same month or week a year ago, not chained: periods without one are left out.
    match : {"matched", "imputed"}
        The products sold in both periods compared, or those sold in either, see `matched`. A unit value or value
        index is over all products always.
    sigma : float
        Elasticity of substitution (Lloyd-Moulton).
    tau : float
        Weight of the geometric index (AG mean), from 0 to 1.
    basket : pair of periods, optional
        First and last period from which the basket of a Lowe or Young index is summed; else the first of the panel.

    Returns
    -------
    Series
        Index numbers of the periods, with the match of each comparison.

    Raises
    ------
    BadData
        Two compared periods have no product in common, or none of the basket; a period is missing (chained); or none
        has another a year before it.
    BadCall
        An unknown formula, base or match; or a basket without periods, or for a formula that has none.

    References
    ----------
    ILO et al. (2004), Consumer Price Index Manual: Theory and Practice, chapter 15, fixed base versus chain indices,
    and chapter 22, year-over-year monthly indices.

    Examples
    --------
    >>> from statcommons.prices.panel import panel
    >>> months = np.array(["2024-01", "2024-02", "2024-03"]).repeat(2)
    >>> codes = np.tile(np.array(["rice", "tea"]), 3)
    >>> p = panel(months, codes, [1, 1, 0.5, 1, 1, 1], [10, 100, 5000, 100, 1, 100])
    >>> bilateral_series(p, "fisher", base="previous").index.round(3).tolist()
    [1.0, 0.698, 0.979]
    """
    compute = find_formula(formula)
    for name, value, choices in (("base", base, get_args(Base)), ("match", match, get_args(Match))):
        if value not in choices:
            raise BadCall(f"{name} is {value!r}.", remedy=nearest(str(value), choices))
    if basket is not None and compute.needs != "basket":
        raise BadCall(f"The {formula} index has no basket.", remedy="Leave the basket out, or take lowe or young.")
    links = _links(panel, base)
    matches = [matched(panel, a, b, match) for a, b in links]
    if compute.needs == "all products":
        changes = [compute(*_whole(panel, a, b)) for a, b in links]
    elif compute.needs == "basket":
        baskets = _baskets(panel, basket, links, matches)
        changes = [compute(*m[:4], qb=qb, vb=vb) for m, (qb, vb) in zip(matches, baskets, strict=True)]
    else:
        changes = [compute(*m[:4], sigma=sigma, tau=tau) for m in matches]
    index = np.array(changes)
    return Series(
        periods=panel.periods[[b for _, b in links]],
        index=index.cumprod() if base == "previous" else index,
        matched_products=np.array([np.count_nonzero((m.q0 > 0) & (m.q1 > 0)) for m in matches]),
        matched_share_base=np.array([m.share_base for m in matches]),
        matched_share_current=np.array([m.share_current for m in matches]),
    )


def _links(panel: Panel, base: Base) -> list[tuple[int, int]]:
    """Pair each period with the one that it is compared with, by position."""
    current = range(len(panel.periods))
    if base == "fixed":
        return [(0, t) for t in current]
    if base == "previous":
        require_consecutive(panel.periods)
        return [(max(t - 1, 0), t) for t in current]
    position = {str(period): t for t, period in enumerate(panel.periods)}
    parts = [YEARLY.fullmatch(period) for period in position]
    if not all(parts):
        raise BadCall("There is no year ago.", remedy="Give months (2024-12) or weeks (2024-W50) as periods.")
    ago = [f"{int(part[1]) - 1:04d}{part[2]}" for part in parts if part]
    first = str(panel.periods[0])
    lost = [period for period, before in zip(position, ago, strict=True) if before >= first and before not in position]
    if lost:
        notice(f"No data a year before, so left out: {', '.join(lost)}.")
    found = [(position[before], t) for t, before in enumerate(ago) if before in position]
    if not found:
        raise BadData(
            f"No period from {first} to {panel.periods[-1]} has another a year before it.",
            remedy="Supply more than a year.",
        )
    return found


def _whole(panel: Panel, *periods: int) -> tuple[Floats, ...]:
    """Take all products of each of two periods as one: their unit values, then their quantities."""
    rows = [np.flatnonzero(panel.period == t) for t in periods]
    quantities = [total(panel.quantity[one]) for one in rows]
    prices = [_value(panel, one) / quantity for one, quantity in zip(rows, quantities, strict=True)]
    return tuple(np.array([[number] for number in prices + quantities]))


def _baskets(
    panel: Panel, basket: tuple[Any, Any] | None, links: list[tuple[int, int]], matches: list[Matched]
) -> list[tuple[Floats, Floats]]:
    """Sum quantities and values of the periods of the basket, and give them for the products of each comparison."""
    first, last = basket or (panel.periods[0], panel.periods[0])
    inside = np.array([first <= period <= last for period in panel.periods])
    if not inside.any():
        raise BadCall(
            f"There is no period from {first} to {last} for the basket.",
            remedy=f"Give periods between {panel.periods[0]} and {panel.periods[-1]}.",
        )
    # The rows of a product are neighbours and in the order of time, so that these sums do not depend on any order.
    rows = np.flatnonzero(inside[panel.period])
    product, quantity = panel.product[rows], panel.quantity[rows]
    qb, vb = (
        np.bincount(product, weights, len(panel.products)).astype(np.float64)
        for weights in (quantity, panel.price[rows] * quantity)
    )
    for (a, b), one in zip(links, matches, strict=True):
        if not vb[one.product].any():
            raise BadData(
                f"No product of the basket is sold in both {panel.periods[a]} and {panel.periods[b]}.",
                remedy="Take the basket from periods nearer to these.",
            )
    return [(qb[one.product], vb[one.product]) for one in matches]
