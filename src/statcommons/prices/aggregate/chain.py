"""Baskets, price-updated weights, chain links and contributions: the mathematics of aggregation."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from statcommons.core.errors import BadCall, BadData
from statcommons.prices.aggregate.structure import Tree
from statcommons.prices.panel import Floats

__all__ = ["Basket", "Chain", "chained", "contributions", "double_linked", "positions", "rounded", "year_before"]

Flags = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Basket:
    """The weights that hold from one link to the next.

    Parameters
    ----------
    link : int
        Position of the period over whose prices the basket is linked; it holds for the changes after it.
    weight : array of shape (N,)
        Weights of the lowest groups, in any unit; 0 for groups that are not of the lowest or not in the basket.
    reference : mapping of int to sequence of int
        For the groups whose weights are in the prices of another time than the link: the positions of its periods.
        Such weights are price-updated to the link.
    """

    link: int
    weight: Floats
    reference: Mapping[int, Sequence[int]]


@dataclass(frozen=True, eq=False)
class Chain:
    """A chained index of each group of a tree, and from what it came; arrays have shape (T, N).

    Parameters
    ----------
    tree : Tree
        The N groups.
    index : array
        Index numbers, 1 in the first period of each group; NaN where a group is in no basket.
    value : array
        The price-updated weight that a group enters the period with, in the unit of its basket; 0 in the first period.
    change : array
        How much prices move it in the period, in the same unit.
    imputed : array
        The share of the weight whose change was imputed by a group above.
    """

    tree: Tree
    index: Floats
    value: Floats
    change: Floats
    imputed: Floats


def chained(
    tree: Tree,
    periods: Sequence[str],
    prices: Floats,
    baskets: Sequence[Basket],
    *,
    given: Literal["series", "changes"] = "series",
    missing: Literal["refuse", "parent"] = "refuse",
) -> Chain:
    r"""Aggregate elementary indices by baskets that are chained at their links.

    Between two links the index is a Lowe or Young index: the change of a group from one period to the next is the mean
    of the changes below it, with weights that went on with the prices since the link,

    .. math:: w_k^t = w_k^{t-1} r_k^t, \qquad R_A^t = \sum_{k \in A} w_k^{t-1} r_k^t \Big/ \sum_{k \in A} w_k^{t-1}

    Parameters
    ----------
    tree : Tree
        The N groups.
    periods : sequence of str
        The T periods.
    prices : array of shape (T, N)
        Elementary indices, NaN where there is none.
    baskets : sequence of Basket
        By link; the first is linked at the first period.
    given : {"series", "changes"}
        Whether elementary indices are levels over time, on any reference, or each on the period before.
    missing : {"refuse", "parent"}
        Whether a missing elementary index is refused, or moves as the nearest group above that has others.

    Returns
    -------
    Chain
        Index numbers, weights and movements of all groups.

    Raises
    ------
    BadData
        A missing elementary index, a period that has none at all, a group that leaves the basket and comes back, or
        weights that cannot be price-updated.

    References
    ----------
    IMF, ILO, OECD, Eurostat, UNECE, World Bank (2020), Consumer Price Index Manual: Concepts and Methods, chapter 8,
    Lowe and Young indices, and chapter 9, chaining. S. Martin, piar: price index aggregation in R (imputation by the
    group above).

    Examples
    --------
    >>> from statcommons.prices.aggregate.structure import coicop_tree
    >>> groups = coicop_tree(["01", "02"])
    >>> prices = np.array([[np.nan, 1.0, 1.0], [np.nan, 1.1, 1.0]])
    >>> basket = Basket(0, np.array([0.0, 60.0, 40.0]), {})
    >>> chained(groups, ["2026-01", "2026-02"], prices, [basket]).index[:, 0].round(6).tolist()
    [1.0, 1.06]
    """
    shape = prices.shape
    index, value, change, imputed = np.full(shape, np.nan), np.zeros(shape), np.zeros(shape), np.zeros(shape)
    levels = np.full(shape, np.nan)  # of the elementary indices, with what is imputed
    levels[0] = prices[0] if given == "series" else 1.0
    due = {basket.link: basket for basket in baskets}
    weight, before = np.zeros(shape[1]), np.zeros(shape[1], bool)
    for t in range(1, shape[0]):
        if t - 1 in due:
            weight = _price_updated(tree, periods, due[t - 1], levels)
            inside = tree.up(weight) > 0
            _refuse_return(tree, periods[t - 1], index, inside & ~before)
            index[t - 1, inside & ~before] = 1.0
            before = inside
        relative = prices[t] / levels[t - 1] if given == "series" else prices[t].copy()
        gaps = (weight > 0) & ~np.isfinite(relative)
        if gaps.any():
            if missing == "refuse":
                raise _gap(tree, periods[t], gaps)
            relative = np.where(weight > 0, _filled(tree, relative, weight, periods[t]), relative)
            imputed[t] = tree.up(np.where(gaps, weight, 0.0))
        moved = np.where(weight > 0, weight * (relative - 1), 0.0)
        value[t], change[t] = tree.up(weight), tree.up(moved)
        index[t, before] = index[t - 1, before] * (1 + change[t, before] / value[t, before])
        imputed[t, before] /= value[t, before]
        levels[t] = np.where(np.isfinite(prices[t]) & (given == "series"), prices[t], levels[t - 1] * relative)
        weight = weight + moved
    return Chain(tree, index, value, change, imputed)


def _price_updated(tree: Tree, periods: Sequence[str], basket: Basket, levels: Floats) -> Floats:
    """Bring weights from the prices that they are in to those of the link."""
    weight = basket.weight.copy()
    for place, reference in basket.reference.items():
        then = [float(levels[period, place]) for period in reference]
        factor = levels[basket.link, place] * len(then) / math.fsum(then)
        if not math.isfinite(factor):
            raise BadData(
                f"The weight of {tree.codes[place]} cannot be price-updated to {periods[basket.link]}: it has no "
                f"elementary index there or in {periods[reference[0]]}.",
                remedy="Supply the index, or give the weight in the prices of the link.",
            )
        weight[place] *= factor
    return weight


def _refuse_return(tree: Tree, link: str, index: Floats, entering: Flags) -> None:
    back = entering & np.isfinite(index).any(axis=0)
    if back.any():
        codes = ", ".join(tree.codes[place] for place in np.flatnonzero(back)[:10])
        raise BadData(
            f"Groups come back at the link {link} that had left the basket: {codes}.",
            remedy="Keep them in the baskets between, or give them a new code.",
        )


def _gap(tree: Tree, period: str, gaps: Flags) -> BadData:
    codes = [tree.codes[place] for place in np.flatnonzero(gaps)]
    more = f" and {len(codes) - 10} more" if len(codes) > 10 else ""
    return BadData(
        f"There is no elementary index, or none before it, for {', '.join(codes[:10])}{more} in {period}.",
        remedy="Supply it, impute prices first, or let the group above stand in: missing='parent'.",
    )


def _filled(tree: Tree, relative: Floats, weight: Floats, period: str) -> Floats:
    """Let what has no change of its own move as the nearest group above that has one."""
    full = tree.up(weight)
    filled = np.where((weight > 0) & np.isfinite(relative), relative, np.nan)
    for rung in tree.rungs():
        known = rung[np.isfinite(filled[rung]) & (full[rung] > 0)]
        moved, base = np.zeros_like(full), np.zeros_like(full)
        np.add.at(moved, tree.parent[known], full[known] * filled[known])
        np.add.at(base, tree.parent[known], full[known])
        filled = np.where(base > 0, moved / np.where(base > 0, base, 1.0), filled)
    for rung in [np.flatnonzero(tree.level == 0), *reversed(tree.rungs())]:
        empty = rung[~np.isfinite(filled[rung]) & (full[rung] > 0)]
        if empty.size and tree.level[empty[0]] == 0:
            raise BadData(
                f"No elementary index of {period} can be compared with the period before.",
                remedy="Supply the period, or end the series before it.",
            )
        filled[empty] = filled[tree.parent[empty]]
    return filled


def contributions(chain: Chain, of: int, earlier: Sequence[int] | None = None) -> Floats:
    r"""Split the change of a group into what the groups below it contribute.

    The contribution to the change on the period before is :math:`w_k^{t-1}(r_k^t - 1) / \sum w^{t-1}`. Over several
    periods, and over any links among them, contributions are chained by the level of the group:

    .. math:: C_k(s, t) = \sum_{u=s+1}^{t} \frac{I_A^{u-1}}{I_A^s} c_k^u

    Between December links these are the two terms of the usual formula, with a January link the three.

    Parameters
    ----------
    chain : Chain
        A chained index of N groups.
    of : int
        Position of the group whose change is split.
    earlier : sequence of int, optional
        For each period the position of the one that it is compared with, -1 where there is none; the one before it by
        default.

    Returns
    -------
    array of shape (T, n)
        Contributions in percentage points of the group itself and those below it, as `tree.below` orders them; those
        of one level add up to the change. NaN where there is no change to split.

    References
    ----------
    Consumer Price Index Manual: Concepts and Methods (2020), chapter 9, contributions to change. Walschots (2016),
    Contributions to and from the HICP.

    Examples
    --------
    >>> from statcommons.prices.aggregate.structure import coicop_tree
    >>> groups = coicop_tree(["01", "02"])
    >>> prices = np.array([[np.nan, 1.0, 1.0], [np.nan, 1.1, 0.9]])
    >>> chain = chained(groups, ["2026-01", "2026-02"], prices, [Basket(0, np.array([0.0, 60.0, 40.0]), {})])
    >>> contributions(chain, of=0)[1].round(6).tolist()
    [2.0, 6.0, -4.0]
    """
    index = chain.index[:, of]
    base = np.where(chain.value[:, of] > 0, chain.value[:, of], np.nan)
    split = chain.change[:, chain.tree.below(of)] / base[:, None] * 100
    if earlier is None:
        return split
    found = np.full(split.shape, np.nan)
    for t, s in enumerate(earlier):
        if s >= 0:
            level = index[s:t] / index[s]
            found[t] = (split[s + 1 : t + 1] * level[:, None]).sum(axis=0)
    return found


YEAR = re.compile(r"\d{4}")
PARTS = ((re.compile(r"\d{4}-\d{2}"), 12), (re.compile(r"\d{4}-Q[1-4]"), 4), (re.compile(r"\d{4}-W\d{2}"), 52))


def year_before(periods: Sequence[str]) -> list[int]:
    """Find for each period the same one a year earlier.

    Parameters
    ----------
    periods : sequence of str
        Years, quarters, months or weeks.

    Returns
    -------
    list of int
        Positions; -1 where there is none.

    Examples
    --------
    >>> year_before(["2025-12", "2026-01", "2026-12"])
    [-1, -1, 0]
    """
    place = {period: number for number, period in enumerate(periods)}
    return [place.get(f"{int(period[:4]) - 1:04d}{period[4:]}", -1) for period in periods]


def positions(periods: Sequence[str], reference: str) -> list[int]:
    """Find the periods of a reference: one period, or all those of a year.

    Parameters
    ----------
    periods : sequence of str
        The periods, sorted.
    reference : str
        A period, or a year.

    Returns
    -------
    list of int
        Positions.

    Raises
    ------
    BadData
        When the period is not there, or a part of the year is missing.

    Examples
    --------
    >>> positions(["2025-12", "2026-01"], "2025-12")
    [0]
    """
    if reference in periods:
        return [periods.index(reference)]
    found = [number for number, period in enumerate(periods) if period[:4] == reference]
    whole = next((count for part, count in PARTS if found and part.fullmatch(periods[found[0]])), 1)
    if not YEAR.fullmatch(reference) or len(found) < whole:
        there = f"{len(found)} of {whole} periods are there" if found else "it is not there"
        raise BadData(
            f"{reference} cannot be a reference: {there}.",
            where=f"{periods[0]} to {periods[-1]}",
            remedy="Give a period, or a whole year, of the elementary indices.",
        )
    return found


def double_linked(periods: Sequence[str], baskets: Sequence[Basket]) -> list[Basket]:
    """Link each December's basket over January again, as the United Kingdom does.

    A basket of January's own is kept; where there is none, December's weights are used once more, as they stand.

    Parameters
    ----------
    periods : sequence of str
        Months.
    baskets : sequence of Basket
        By link.

    Returns
    -------
    list of Basket
        By link.

    Raises
    ------
    BadCall
        When the periods are not months.

    References
    ----------
    Office for National Statistics, Consumer Prices Indices Technical Manual, chain-linking.

    Examples
    --------
    >>> made = double_linked(["2025-12", "2026-01", "2026-02"], [Basket(0, np.array([1.0]), {})])
    >>> [basket.link for basket in made]
    [0, 1]
    """
    months = PARTS[0][0]
    if not all(months.fullmatch(period) for period in periods):
        raise BadCall("chain is 'double', but the periods are not months.", remedy="Give 'single'.")
    found = {basket.link: basket for basket in baskets}
    for basket in baskets:
        if periods[basket.link].endswith("-12") and basket.link + 1 < len(periods):
            found.setdefault(basket.link + 1, Basket(basket.link + 1, basket.weight, basket.reference))
    return [found[link] for link in sorted(found)]


def rounded(values: Floats, decimals: int | None) -> Floats:
    """Round as people do, half away from zero, what the shortest decimal of a number says.

    Parameters
    ----------
    values : array
        Numbers.
    decimals : int, optional
        How many decimals stay; all where it is None.

    Returns
    -------
    array
        Rounded numbers.

    Examples
    --------
    >>> rounded(np.array([100.25, 1.005]), 1).tolist(), rounded(np.array([1.005]), 2).tolist()
    ([100.3, 1.0], [1.01])
    """
    if decimals is None:
        return values
    step = Decimal(1).scaleb(-decimals)
    return np.array([float(Decimal(repr(one)).quantize(step, ROUND_HALF_UP)) for one in values.tolist()])
