"""Figures that tell how sound an index is: drift, match, spread, elasticity, turnover of products, leave one out."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import numpy as np

from statcommons.core.errors import BadCall, nearest
from statcommons.prices.audit.fan import CELLS
from statcommons.prices.index.multilateral import FORMULAS, LOGS, Sums
from statcommons.prices.index.pairs import PAIR_SUMS, Pairs, pairs
from statcommons.prices.panel import Floats, Panel

__all__ = ["chained_and_direct", "elasticities", "elasticity", "jackknife", "spread", "turnover_of_products"]


def chained_and_direct(ln: Floats) -> tuple[Floats, Floats]:
    """Chain the comparisons of neighbouring periods, and take those with the first: the difference is chain drift.

    Parameters
    ----------
    ln : array of shape (T, T)
        Logarithms of bilateral indices, as of `ln_index`; NaN where two periods share no product.

    Returns
    -------
    chained, direct : array of shape (T,)
        Logarithms of the chained and of the direct index on the first period; NaN where it is not known.

    References
    ----------
    ILO et al. (2004), Consumer Price Index Manual: Theory and Practice, chapter 15, fixed base versus chain indices.

    Examples
    --------
    >>> chained, direct = chained_and_direct(np.log([[1, 2, 1], [0.5, 1, 0.6], [1, 1 / 0.6, 1]]))
    >>> np.exp(chained).round(3).tolist(), np.exp(direct).round(3).tolist()
    ([1.0, 2.0, 1.2], [1.0, 2.0, 1.0])
    """
    return np.append(0.0, np.cumsum(np.diagonal(ln, 1))), ln[0]


def spread(sums: Pairs) -> Floats:
    r"""Tell how far Laspeyres and Paasche are apart, for every two periods.

    .. math:: \ln (P_L / P_P)

    Parameters
    ----------
    sums : Pairs
        T x T sums that have ``A`` and ``F``.

    Returns
    -------
    array of shape (T, T)
        The spread, the same in both directions; above 0 where households turn to what became cheaper. NaN where two
        periods share no product.

    Examples
    --------
    >>> from statcommons.prices.panel import panel
    >>> months, codes = np.array(["2024-01", "2024-02"]).repeat(2), np.array(["tea", "rice"] * 2)
    >>> made = pairs(panel(months, codes, [1, 1, 0.5, 1], [100, 10, 5000, 10]))
    >>> spread(made).round(3).tolist()
    [[0.0, 0.085], [0.085, 0.0]]
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        laspeyres = np.log(sums["F"] / sums["A"])
    found: Floats = laspeyres + laspeyres.T
    found[sums["n"] == 0] = np.nan
    return found


def elasticity(p0: Floats, p1: Floats, q0: Floats, q1: Floats) -> float:
    r"""Estimate the elasticity of substitution at which the Lloyd-Moulton index equals the Fisher index.

    .. math:: \left(\sum s^0 r^{1 - \sigma}\right)^{1 / (1 - \sigma)} = P_F

    Parameters
    ----------
    p0, p1 : array of shape (n,)
        Prices of matched products in the two periods.
    q0, q1 : array of shape (n,)
        Their quantities.

    Returns
    -------
    float
        Sigma, from -100 to 100: 0 where quantities do not follow prices; NaN where no price changed against another, or
        none from that range does.

    References
    ----------
    ILO et al. (2004), Consumer Price Index Manual: Theory and Practice, chapter 17. de Haan, Balk and Hansen (2010),
    Retrospective approximations of superlative price indexes for years where expenditure data is unavailable.

    Examples
    --------
    >>> p0, p1 = np.array([1.0, 1.0]), np.array([0.5, 1.0])
    >>> round(elasticity(p0, p1, np.array([10.0, 10.0]), np.array([40.0, 10.0])), 2)
    1.89
    """
    log, share = np.log(p1 / p0), p0 * q0 / (p0 * q0).sum()
    fisher = (math.log((p1 * q0).sum() / (p0 * q0).sum()) + math.log((p1 * q1).sum() / (p0 * q1).sum())) / 2
    if np.ptp(log) == 0:
        return math.nan

    def gap(sigma: float) -> float:
        e = 1 - sigma
        if abs(e) < 1e-9:
            return float((share * log).sum()) - fisher
        top = max(e * least, e * most)  # taken out, so that no power overflows
        return (top + math.log((share * np.exp(e * log - top)).sum())) / e - fisher

    least, most = float(log.min()), float(log.max())
    low, high = -100.0, 100.0
    above, below = gap(low), gap(high)
    if above < 0 or below > 0:
        return math.nan
    # Regula falsi; the weight of the end that stays is halved, so that it moves too. The mean falls as sigma rises.
    while above > 1e-14 and below < -1e-14 and high - low > 1e-12:
        middle = (low * below - high * above) / (below - above)
        found = gap(middle)
        if found > 0:
            low, above, below = middle, found, below / 2
        else:
            high, below, above = middle, found, above / 2
    return low if above < -below else high


def elasticities(panel: Panel) -> Floats:
    """Estimate the elasticity of substitution between each period and the one before.

    Parameters
    ----------
    panel : Panel
        Unit values of N products in T periods.

    Returns
    -------
    array of shape (T,)
        Sigma; NaN in the first period, and where there is none.

    Examples
    --------
    >>> from statcommons.prices.panel import panel
    >>> months, codes = np.array(["2024-01", "2024-02"]).repeat(2), np.array(["tea", "rice"] * 2)
    >>> elasticities(panel(months, codes, [1, 1, 0.5, 1], [10, 10, 40, 10])).round(2).tolist()
    [nan, 1.89]
    """
    # The rows of a product are neighbours, in the order of time.
    later = np.flatnonzero((np.diff(panel.product) == 0) & (np.diff(panel.period) == 1)) + 1
    found = np.full(len(panel.periods), np.nan)
    for t in range(1, len(panel.periods)):
        now = later[panel.period[later] == t]
        if now.size:
            found[t] = elasticity(panel.price[now - 1], panel.price[now], panel.quantity[now - 1], panel.quantity[now])
    return found


def turnover_of_products(panel: Panel) -> dict[str, Floats]:
    """Count products that come and go from each period to the next, and how old they are.

    Parameters
    ----------
    panel : Panel
        Unit values of N products in T periods.

    Returns
    -------
    dict of str to array of shape (T,)
        ``entry_rate`` and ``exit_rate``: products not sold in the period before, as a share of those of the period, and
        products of the period before that are not sold, as a share of those of the period before; ``entry_share`` and
        ``exit_share``: so in turnover; NaN in the first period. ``age``: periods since a product was first sold, on
        average over the turnover.

    Examples
    --------
    >>> from statcommons.prices.panel import panel
    >>> months = np.array(["2024-01", "2024-01", "2024-02", "2024-02"])
    >>> p = panel(months, np.array(["tea", "rice", "tea", "oats"]), [1, 1, 1, 1], [3, 1, 4, 1])
    >>> {name: one[1].item() for name, one in turnover_of_products(p).items()}
    {'entry_rate': 0.5, 'exit_rate': 0.5, 'entry_share': 0.2, 'exit_share': 0.25, 'age': 0.8}
    """
    count, period, product = len(panel.periods), panel.period, panel.product
    value = panel.price * panel.quantity
    follows = np.append(False, (np.diff(product) == 0) & (np.diff(period) == 1))
    followed = np.append(follows[1:], False)
    first = np.full(len(panel.products), count)
    np.minimum.at(first, product, period)

    def share(chosen: Floats, weight: Floats) -> Floats:
        whole = np.bincount(period, weight, count)
        return np.divide(
            np.bincount(period, chosen * weight, count), whole, out=np.full(count, np.nan), where=whole > 0
        )

    found, ones = {}, np.ones(len(value))
    for name, weight in (("rate", ones), ("share", value)):
        found[f"entry_{name}"] = np.append(np.nan, share(~follows, weight)[1:])
        found[f"exit_{name}"] = np.append(np.nan, share(~followed, weight)[:-1])
    ages = {"age": share(period - first[product], value)}
    return {name: found[name] for name in ("entry_rate", "exit_rate", "entry_share", "exit_share")} | ages


def jackknife(panel: Panel, formula: str = "tornqvist", start: int = 0, end: int = -1, cells: int = CELLS) -> Floats:
    """Leave out each product in turn, and tell by how much the GEKS index over all periods changes.

    A product's own part in the sums over products is taken off them, so that the index without it costs as much as two
    columns of comparisons, and no sum is made anew.

    Parameters
    ----------
    panel : Panel
        Unit values of N products in T periods.
    formula : {"tornqvist", "fisher", "walsh", "jevons"}
        The bilateral index that GEKS makes transitive.
    start, end : int
        Positions of the two periods between which the index is taken.
    cells : int
        The most cells of one dense matrix.

    Returns
    -------
    array of shape (N,)
        Logarithm of the index without the product, less that with all; NaN where the others do not connect every two
        periods.

    Raises
    ------
    BadCall
        An unknown formula.

    Examples
    --------
    >>> from statcommons.prices.panel import panel
    >>> months = np.array(["2024-01", "2024-02"]).repeat(2)
    >>> p = panel(months, np.array(["rice", "tea"] * 2), [1, 1, 1.5, 1], [1, 1, 1, 1])
    >>> np.exp(jackknife(p, "jevons")).round(4).tolist()
    [0.8165, 1.2247]
    """
    if formula not in LOGS:
        raise BadCall(f"There is no GEKS index over {formula!r}.", remedy=nearest(formula, list(LOGS)))
    names = tuple(dict.fromkeys((*FORMULAS[formula], "n")))
    sums = pairs(panel, sums=names, cells=cells)

    def level(forth: Sums, back: Sums) -> Floats:
        """Give the GEKS level of a period from the sums from all others to it, and back."""
        with np.errstate(divide="ignore", invalid="ignore"):
            ln = LOGS[formula](forth, back)
        found: Floats = np.where(forth["n"] > 0.5, ln, np.nan).mean(axis=0)
        return found

    def change(parts: Callable[[str, int], tuple[Floats, Floats]]) -> Floats:
        last, first = ({name: parts(name, t) for name in names} for t in (end, start))
        one, other = (
            level({name: two[0] for name, two in at.items()}, {name: two[1] for name, two in at.items()})
            for at in (last, first)
        )
        return one - other

    whole = change(lambda name, t: (sums[name][:, t, None], sums[name][t, :, None]))
    found = []
    for block in panel.blocks(cells):
        factors = {name: PAIR_SUMS[name](block) for name in names}

        def without(name: str, t: int, factors: Mapping[str, tuple[Floats, Floats]] = factors) -> tuple[Floats, Floats]:
            rows, columns = factors[name]
            return sums[name][:, t, None] - rows * columns[t], sums[name][t, :, None] - rows[t] * columns

        found.append(change(without) - whole)
    return np.concatenate(found)
