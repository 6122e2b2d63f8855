"""What each product contributes to an index, by parts that add up: bilateral, multilateral, spliced, aggregated."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike

from statcommons.core.errors import BadCall, BadData, nearest
from statcommons.prices.audit.fan import CELLS
from statcommons.prices.index.comparison import logarithmic_mean
from statcommons.prices.index.extension import FIXED_BASE, PUBLISHED, Splice, links_back, windows_of, year_end
from statcommons.prices.index.multilateral import FORMULAS, Recipe, window_levels
from statcommons.prices.index.pairs import Window, pairs
from statcommons.prices.panel import Floats, Integers, Labels, Panel, require_consecutive

__all__ = [
    "bilateral_contributions",
    "direct_contributions",
    "index_contributions",
    "moves",
    "percentage_points",
    "within_aggregate",
]


# --- two periods ----------------------------------------------------------------------------------------------------


def bilateral_contributions(p0: Floats, p1: Floats, q0: Floats, q1: Floats, formula: str = "tornqvist") -> Floats:
    r"""Split the logarithm of a bilateral index into one part a product.

    Each index is written as a geometric mean, so that product i contributes :math:`w_i \ln (p_i^1 / p_i^0)`. The
    weights of Törnqvist are mean shares, those of Jevons 1/n. A basket index, in which the products have the shares
    :math:`x_i` before and :math:`y_i` after the change of prices, has the weights :math:`L(x_i, y_i) / \sum_j L(x_j,
    y_j)` with the logarithmic mean L; Walsh is one basket, Fisher the geometric mean of two.

    Parameters
    ----------
    p0, p1 : array of shape (n,)
        Prices of the matched products in the base and the current period, above 0.
    q0, q1 : array of shape (n,)
        Their quantities, above 0; Jevons does not look at them.
    formula : {"tornqvist", "fisher", "walsh", "jevons"}
        The index.

    Returns
    -------
    array of shape (n,)
        Contributions, which add up to the logarithm of the index.

    Raises
    ------
    BadCall
        An unknown formula.

    References
    ----------
    Balk (2008), Price and Quantity Index Numbers, section 4.2 (an arithmetic mean as a geometric one by the logarithmic
    mean). Martin (2021), A note on general decompositions for price indexes, Statistics Canada, Prices Analytical
    Series.

    Examples
    --------
    >>> p0, p1, q0, q1 = np.array([[1.0, 1.0], [0.5, 1.0], [10.0, 100.0], [5000.0, 100.0]])
    >>> parts = bilateral_contributions(p0, p1, q0, q1, "fisher")
    >>> parts.round(4).tolist(), round(float(np.exp(parts.sum())), 4)
    ([-0.3601, 0.0], 0.6976)
    """
    match formula:
        case "tornqvist":
            weights = (_shares(p0 * q0) + _shares(p1 * q1)) / 2
        case "fisher":
            weights = (_of_basket(p0, p1, q0) + _of_basket(p0, p1, q1)) / 2
        case "walsh":
            weights = _of_basket(p0, p1, np.sqrt(q0 * q1))
        case "jevons":
            weights = np.full(len(p0), 1 / len(p0))
        case _:
            raise BadCall(
                f"There are no contributions to the index {formula!r}.", remedy=nearest(formula, list(FORMULAS))
            )
    return weights * np.log(p1 / p0)


def _shares(values: Floats) -> Floats:
    shares: Floats = values / values.sum()
    return shares


def _of_basket(p0: Floats, p1: Floats, q: Floats) -> Floats:
    return _shares(logarithmic_mean(_shares(p0 * q), _shares(p1 * q)))


# --- the published index as moves within windows --------------------------------------------------------------------


def moves(periods: Labels, window: int, splice: Splice, start: int, end: int) -> dict[Window, Floats]:
    r"""Write the change of a published index as a sum of moves, each from one period to another within one window.

    .. math:: \ln P(a, b) = \sum_w \sum_{s, e} D^w_{se} (\delta^w_e - \delta^w_s)

    with the logarithm :math:`\delta^w_t` of the price level of period t in window w. Every splice is linear in these
    levels, so that what adds up within a window adds up along the published series too.

    Parameters
    ----------
    periods : array of shape (T,)
        The periods, without a gap.
    window : int
        Periods in a window.
    splice : str
        One of `SPLICES`.
    start, end : int
        Positions of the two periods, a and b.

    Returns
    -------
    dict of Window to array of shape (W, W)
        The weight of the move from the period of the row to that of the column; windows without a move are left out.

    Raises
    ------
    BadData
        A period is missing between two others.
    BadCall
        An unknown splice, or a window of fewer than two periods.

    Examples
    --------
    >>> months = np.array(["2024-01", "2024-02", "2024-03", "2024-04"])
    >>> found = moves(months, 2, "movement", 0, 2)
    >>> {tuple(part): weights.tolist() for part, weights in found.items()}
    {(0, 2): [[0.0, 1.0], [0.0, 0.0]], (1, 3): [[0.0, 1.0], [0.0, 0.0]]}
    """
    windows = windows_of(periods, window, splice)
    require_consecutive(periods)
    found = {part: np.zeros((part.stop - part.start,) * 2) for part in windows}
    # How much of the published logarithm of each period is still to be explained: from the last one backwards.
    need = np.zeros(len(periods))
    need[end] += 1
    need[start] -= 1
    if splice in FIXED_BASE:
        for part, base in reversed(list(zip(windows, year_end(periods), strict=True))):
            now = part.stop - 1
            found[part][base - part.start, -1] += need[now]
            need[base] += need[now] if base < now else 0
    else:
        back = links_back(window, splice)
        for old, new in reversed(list(pairwise(windows))):
            now = new.stop - 1
            weight, need[now] = need[now] / len(back), 0
            found[new][-1 - back, -1] += weight
            if splice in PUBLISHED:
                need[now - back] += weight
            else:
                found[old][-back, -1] -= weight
                need[now - 1] += weight * len(back)
        # The first window is published as it is; what is needed of its periods adds up to nothing.
        first = need[: windows[0].stop]
        whole = np.maximum(first, 0).sum()
        if whole > 0:
            found[windows[0]] += np.outer(np.maximum(-first, 0), np.maximum(first, 0)) / whole
    for weights in found.values():
        np.fill_diagonal(weights, 0)
    return {part: weights for part, weights in found.items() if weights.any()}


# --- products -------------------------------------------------------------------------------------------------------


def direct_contributions(panel: Panel, formula: str, start: int, end: int) -> Floats:
    """Split a bilateral index of two periods into one part a product.

    Parameters
    ----------
    panel : Panel
        Unit values of N products in T periods.
    formula : {"tornqvist", "fisher", "walsh", "jevons"}
        The bilateral index.
    start, end : int
        Positions of the two periods.

    Returns
    -------
    array of shape (N,)
        Contributions to the logarithm of the index; 0 for products that are not sold in both periods.

    Raises
    ------
    BadData
        No product is sold in both periods.
    BadCall
        An unknown formula.

    Examples
    --------
    >>> from statcommons.prices.panel import panel
    >>> months = np.array(["2024-01", "2024-01", "2024-02"])
    >>> two = panel(months, np.array(["tea", "rice", "tea"]), [2, 1, 3], [1, 6, 5])
    >>> np.exp(direct_contributions(two, "walsh", 0, 1)).round(6).tolist()
    [1.0, 1.5]
    """
    weight = np.zeros((len(panel.periods),) * 2)
    weight[start, end] = 1
    return _weighted_pairs(panel, formula, weight)


def index_contributions(panel: Panel, recipe: Recipe, start: int, end: int) -> Floats:
    r"""Split the change of a published multilateral index between any two periods into one part a product.

    The published change is a sum of moves within windows, see `moves`. In GEKS the price level of a window is a mean of
    bilateral indices, each of which is a sum over its matched products. In the others it is a geometric mean of prices
    over reference prices,

    .. math:: \delta^t = \sum_i \omega_i^t (\ln p_i^t - \gamma_i), \quad \sum_i \omega_i^t = 1

    of the time product dummy with the weights of the regression and its products' effects; of Geary-Khamis and Lehr
    with the reference price :math:`e^{\gamma_i}` of the window and the logarithmic mean of the product's shares in the
    turnover at prices of t and at reference prices. To the move from a to b product i then contributes

    .. math:: \omega_i^b (\ln p_i^b - \gamma_i - \bar\delta) - \omega_i^a (\ln p_i^a - \gamma_i - \bar\delta), \quad
        \bar\delta = (\delta^a + \delta^b) / 2

    so that a product that moves as the index contributes its mean weight times the change, one that appears or goes
    what its price is off its reference, and the unit of the reference prices does not matter.

    Parameters
    ----------
    panel : Panel
        Unit values of N products in T periods.
    recipe : Recipe
        The index, and how it is extended.
    start, end : int
        Positions of the two periods.

    Returns
    -------
    array of shape (N,)
        Contributions, which add up to the logarithm of the published index of `end` over that of `start`.

    Raises
    ------
    BadData
        As of `multilateral_series`.
    BadCall
        An unknown method, formula or splice.

    References
    ----------
    Webster and Tarnow-Mordi (2019), Decomposing multilateral price indexes into the contributions of individual
    commodities, Journal of Official Statistics 35(2).

    Examples
    --------
    >>> from statcommons.prices.panel import panel
    >>> months = np.array(["2024-01", "2024-02", "2024-03"]).repeat(2)
    >>> codes = np.tile(np.array(["rice", "tea"]), 3)
    >>> p = panel(months, codes, [1, 1, 0.5, 1, 1, 1], [10, 100, 5000, 100, 1, 100])
    >>> index_contributions(p, Recipe("geks", "fisher"), 0, 2).round(4).tolist()
    [-0.0069, 0.0]
    """
    moved = moves(panel.periods, recipe.window, recipe.splice, start, end)
    if recipe.method == "geks":
        sums = pairs(panel, sums=FORMULAS.get(recipe.formula, ()), cells=CELLS)
    else:
        sums = pairs(panel, sums=(), windows=moved, methods=(recipe.sums,), cells=CELLS)
    level = window_levels(sums, recipe)
    levels = {part: level(part) for part in moved}  # refuses windows in which products do not connect the periods
    if recipe.method != "geks":
        found = np.zeros(len(panel.products))
        for part, weights in moved.items():
            found += _over_references(panel, recipe, part, weights, levels[part], sums.turnover)
        return found
    of_pairs = np.zeros((len(panel.periods),) * 2)
    for part, weights in moved.items():
        inside = slice(*part)
        of_period = sums.turnover[inside] if recipe.weights == "turnover" else np.ones(part.stop - part.start)
        of_pairs[inside, inside] += np.outer(_shares(of_period), weights.sum(axis=0) - weights.sum(axis=1))
    return _weighted_pairs(panel, recipe.formula, _ways(of_pairs, sums["n"]) if recipe.link_through else of_pairs)


def _weighted_pairs(panel: Panel, formula: str, weight: Floats) -> Floats:
    """Add up the contributions to bilateral indices, each with the weight of its pair of periods."""
    found = np.zeros(len(panel.products))
    net = np.triu(weight - weight.T)
    for a, b, rows_a, rows_b in _matches(panel, net):
        parts = bilateral_contributions(
            panel.price[rows_a], panel.price[rows_b], panel.quantity[rows_a], panel.quantity[rows_b], formula
        )
        found[panel.product[rows_b]] += net[a, b] * parts
    return found


def _matches(panel: Panel, wanted: Floats) -> Iterator[tuple[int, int, Integers, Integers]]:
    """Give, for each pair of periods that is wanted, the rows of the matched products in both."""
    of_period = [np.flatnonzero(panel.period == period) for period in range(len(panel.periods))]
    for a in np.flatnonzero(wanted.any(axis=1)).tolist():
        row_of = np.full(len(panel.products), -1)
        row_of[panel.product[of_period[a]]] = of_period[a]
        for b in np.flatnonzero(wanted[a]).tolist():
            rows = row_of[panel.product[of_period[b]]]
            if not (rows >= 0).any():
                raise BadData(
                    f"No product is sold in both {panel.periods[a]} and {panel.periods[b]}.",
                    remedy="Define products more broadly, or compare periods that share products.",
                )
            yield a, b, rows[rows >= 0], of_period[b][rows >= 0]


def _ways(weight: Floats, matched: Floats) -> Floats:
    """Put the weight of pairs of periods without a common product on the ways by which they are compared."""
    known, filled = matched > 0, []
    while not known.all():
        ways = known[:, :, None] & known[None, :, :]  # from a by c to b
        new = ~known & ways.any(axis=1)
        filled.append((new, ways))
        known = known | new
    for new, ways in reversed(filled):
        spread = ways * (np.where(new, weight, 0) / np.maximum(ways.sum(axis=1), 1))[:, None, :]
        weight = np.where(new, 0, weight) + spread.sum(axis=2) + spread.sum(axis=0)
    return weight


def _over_references(
    panel: Panel, recipe: Recipe, part: Window, weights: Floats, level: Floats, turnover: Floats
) -> Floats:
    """Split moves within a window whose price levels are means of prices over reference prices."""
    rows = np.flatnonzero((panel.period >= part.start) & (panel.period < part.stop))
    period, product, price = panel.period[rows] - part.start, panel.product[rows], panel.price[rows]
    quantity, log = panel.quantity[rows], np.log(price)

    def summed(values: Floats) -> Floats:
        return _summed(product, values, len(panel.products))[product]

    share = price * quantity / turnover[part.start : part.stop][period]
    if recipe.method == "tpd":
        weight = np.ones(len(rows)) if recipe.weights == "equal" else share
        reference = summed(weight * (log - level[period])) / summed(weight)
    else:
        deflator = np.exp(-level[period]) if recipe.method == "gk" else 1.0
        reference = np.log(summed(price * quantity * deflator) / summed(quantity))
        weight = logarithmic_mean(share, share * np.exp(reference - log + level[period]))
    weight /= _summed(period, weight, len(level))[period]
    middle = weights * (level[:, None] + level[None, :]) / 2
    change, centre = (one.sum(axis=0) - one.sum(axis=1) for one in (weights, middle))
    parts = weight * (change[period] * (log - reference) - centre[period])
    return _summed(product, parts, len(panel.products))


def _summed(place: Integers, values: Floats, count: int) -> Floats:
    return np.bincount(place, values, count).astype(np.float64)


# --- percentage points, and groups above ----------------------------------------------------------------------------


def percentage_points(contributions: Floats) -> Floats:
    r"""Bring contributions to the logarithm of an index to percentage points of its change.

    .. math:: 100 \, \frac{P - 1}{\ln P} \, c_i

    Parameters
    ----------
    contributions : array of shape (n,)
        Contributions that add up to ln P.

    Returns
    -------
    array of shape (n,)
        Percentage points, which add up to 100 (P - 1).

    Examples
    --------
    >>> percentage_points(np.log([1.1, 1.1])).round(2).tolist()
    [10.5, 10.5]
    """
    whole = math.fsum(contributions.tolist())
    return contributions * (100 * math.expm1(whole) / whole if whole else 100.0)


def within_aggregate(contributions: ArrayLike, group: ArrayLike, of_group: dict[str, float]) -> Floats:
    """Carry contributions of products to their groups on to a group above: what each contributes to the whole.

    A group's contribution to the whole, of one period or of a year over links of baskets, is divided among its products
    as the change of the group is.

    Parameters
    ----------
    contributions : array of shape (n,)
        Contribution of each product to the change of its group, in any unit.
    group : array of shape (n,)
        The group of each product.
    of_group : dict of str to float
        What each group contributes to the whole, in percentage points, as in the contributions of `aggregate_index`.

    Returns
    -------
    array of shape (n,)
        Percentage points of the change of the whole; those of a group add up to its contribution.

    Raises
    ------
    BadData
        A group has no contribution to the whole, or one although its products together did not change.

    Examples
    --------
    >>> within_aggregate([3.0, 1.0, 2.0], ["01", "01", "02"], {"01": 1.0, "02": 0.5}).tolist()
    [0.75, 0.25, 0.5]
    """
    parts, names = np.asarray(contributions, np.float64), np.asarray(group)
    found = np.zeros(len(parts))
    for name in np.unique(names).tolist():
        if name not in of_group:
            raise BadData(f"Group {name} has no contribution to the whole.", remedy="Aggregate the same groups.")
        inside = names == name
        whole = math.fsum(parts[inside].tolist())
        if whole == 0 and of_group[name] != 0:
            raise BadData(
                f"Group {name} contributes {of_group[name]:g} to the whole, and its products nothing to it.",
                remedy="Give contributions over the same two periods.",
            )
        found[inside] = parts[inside] * (of_group[name] / whole if whole else 0.0)
    return found
