"""Multilateral price indices: all periods of a window compared with one another, free of chain drift."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

import numpy as np

from statcommons.core.errors import BadCall, BadData, nearest
from statcommons.prices.panel import CELLS, Floats, Integers, Labels, Panel, Series, require_consecutive

__all__ = ["FORMULAS", "SPLICES", "Pairs", "Splice", "extend", "geks", "geks_series", "ln_index", "pairs"]

Splice: TypeAlias = Literal["mean", "movement", "window", "half"]
"""How a new window is linked to the published series."""

SPLICES: tuple[Splice, ...] = get_args(Splice)
"""All splices."""


@dataclass(frozen=True, eq=False)
class Pairs:
    r"""Sums over products for each pair of periods (a, b), from which every GEKS index follows.

    All are over the matched products, those sold in both a and b: a product absent in either adds 0. Sums of disjoint
    sets of products add up: ``x + y`` holds the sums of the union, so that blocks of products, or retailers, can be
    summed each by itself.

    Parameters
    ----------
    periods : array of shape (T,)
        Periods, sorted.
    A : array of shape (T, T)
        :math:`\sum_i v_i^a`, the turnover of a; on the diagonal that of all its products.
    B : array of shape (T, T)
        :math:`\sum_i v_i^a \ln p_i^b`.
    C : array of shape (T, T)
        :math:`\sum_i v_i^a \ln p_i^a`.
    F : array of shape (T, T)
        :math:`\sum_i q_i^a p_i^b`.
    R : array of shape (T, T)
        :math:`\sum_i \sqrt{q_i^a q_i^b}\, p_i^b`.
    J : array of shape (T, T)
        :math:`\sum_i \ln p_i^b`.
    n : array of shape (T, T)
        The number of matched products.

    References
    ----------
    UN Task Team on Scanner Data, e-handbook, multilateral methods: the GEKS method; the sums are its bilateral
    formulas written as products of period-by-product matrices.
    """

    periods: Labels
    A: Floats
    B: Floats
    C: Floats
    F: Floats
    R: Floats
    J: Floats
    n: Floats

    def __add__(self, other: Pairs) -> Pairs:
        """Add the sums of other products over the same periods."""
        if not np.array_equal(self.periods, other.periods):
            raise BadCall(
                "The two sets of sums are over different periods.",
                remedy="Make both panels with the same `periods`.",
            )
        return Pairs(self.periods, *(getattr(self, name) + getattr(other, name) for name in "ABCFRJn"))


def pairs(panel: Panel, cells: int = CELLS) -> Pairs:
    """Sum a panel over its products for each pair of periods.

    Parameters
    ----------
    panel : Panel
        Unit values of N products in T periods.
    cells : int
        The most cells of one dense matrix: memory is some 60 bytes a cell, whatever N is.

    Returns
    -------
    Pairs
        T x T sums. Blocks are added in the order of the product codes, so the order of the rows changes nothing;
        another size of block, or another number of threads of the matrix product, may change the last digit.

    Examples
    --------
    >>> from statcommons.prices.panel import panel
    >>> months = np.array(["2024-01", "2024-01", "2024-02"])
    >>> sums = pairs(panel(months, np.array(["tea", "rice", "tea"]), [2, 1, 3], [1, 6, 5]))
    >>> sums.n.tolist(), sums.A.tolist()
    ([[2.0, 1.0], [1.0, 1.0]], [[8.0, 2.0], [15.0, 15.0]])
    """
    n_periods = len(panel.periods)
    sums = np.zeros((7, n_periods, n_periods))
    for V, Q, P, M, L in panel.blocks(cells):
        root = np.sqrt(Q)
        sums += (V @ M.T, V @ L.T, (V * L) @ M.T, Q @ P.T, root @ (P * root).T, M @ L.T, M @ M.T)
    return Pairs(panel.periods, *sums)


def _tornqvist(sums: Pairs) -> Floats:
    geometric_laspeyres = (sums.B - sums.C) / sums.A
    return (geometric_laspeyres - geometric_laspeyres.T) / 2


def _fisher(sums: Pairs) -> Floats:
    laspeyres = np.log(sums.F / sums.A)
    return (laspeyres - laspeyres.T) / 2


def _walsh(sums: Pairs) -> Floats:
    basket = np.log(sums.R)
    return basket - basket.T


def _jevons(sums: Pairs) -> Floats:
    return (sums.J - sums.J.T) / sums.n


FORMULAS: dict[str, Callable[[Pairs], Floats]] = {
    "tornqvist": _tornqvist,
    "fisher": _fisher,
    "walsh": _walsh,
    "jevons": _jevons,
}
"""The bilateral formulas that can be made transitive, by name, as sums over pairs."""


def ln_index(sums: Pairs, formula: str = "tornqvist") -> Floats:
    """Compare every two periods by a bilateral index.

    Parameters
    ----------
    sums : Pairs
        T x T sums.
    formula : {"tornqvist", "fisher", "walsh", "jevons"}
        The bilateral index; shares and baskets are over the products matched in the two periods.

    Returns
    -------
    array of shape (T, T)
        Natural logarithm of the index from the period of the row to the period of the column; antisymmetric; NaN
        where the two periods share no product.

    Raises
    ------
    BadCall
        An unknown formula.

    Examples
    --------
    >>> from statcommons.prices.panel import panel
    >>> p = panel(np.array(["2024-01", "2024-02"]), np.array(["tea", "tea"]), [2, 3], [1, 5])
    >>> np.exp(ln_index(pairs(p), "fisher")).round(6).tolist()
    [[1.0, 1.5], [0.666667, 1.0]]
    """
    if formula not in FORMULAS:
        raise BadCall(f"There is no GEKS index over {formula!r}.", remedy=nearest(formula, list(FORMULAS)))
    with np.errstate(divide="ignore", invalid="ignore"):  # periods without overlap become NaN
        return FORMULAS[formula](sums)


def geks(ln: Floats, periods: Labels) -> Floats:
    r"""Make the bilateral comparisons of one window transitive (GEKS).

    .. math:: \ln P^t = \frac{1}{W} \sum_{a=1}^{W} \ln P^{a,t}

    The index from b to t is the geometric mean, over all periods a of the window, of the way from b by a to t. Over
    Törnqvist indices it is called CCDI.

    Parameters
    ----------
    ln : array of shape (W, W)
        Logarithms of the bilateral indices, as of `ln_index`.
    periods : array of shape (W,)
        The periods, by which an error names a pair.

    Returns
    -------
    array of shape (W,)
        Logarithm of the price level of each period; the difference of two is the index between them.

    Raises
    ------
    BadData
        Two periods of the window share no product.

    References
    ----------
    Ivancic, Diewert and Fox (2011), Scanner data, time aggregation and the construction of price indexes, Journal of
    Econometrics 161(1). Caves, Christensen and Diewert (1982), Multilateral comparisons of output, input, and
    productivity using superlative index numbers, Economic Journal 92.

    Examples
    --------
    >>> ln = np.log([[1, 1.1, 1.2], [1 / 1.1, 1, 1.15], [1 / 1.2, 1 / 1.15, 1]])
    >>> level = geks(ln, np.array(["2024-01", "2024-02", "2024-03"]))
    >>> np.exp(level - level[0]).round(4).tolist()
    [1.0, 1.0808, 1.2213]
    """
    apart = np.argwhere(np.isnan(ln))
    if apart.size:
        a, b = periods[apart[0]]
        raise BadData(
            f"No product is sold in {a}." if a == b else f"No product is sold in both {a} and {b}.",
            remedy="Define products more broadly, or take a window in which every two periods share products.",
        )
    level: Floats = ln.mean(axis=0)
    return level


def _links(window: int, method: Splice) -> Integers:
    """Give how many periods back the published series is linked; several are averaged."""
    match method:
        case "movement":
            return np.array([1])
        case "window":
            return np.array([window - 1])
        case "half":
            return np.array([window // 2])
        case "mean":
            return np.arange(1, window)


def extend(ln: Floats, periods: Labels, window: int = 25, splice: Splice = "mean") -> Floats:
    r"""Let a window of GEKS roll over the periods and link each new period to the published series.

    Index numbers once published are never revised. Let P(w; a, b) be the index from a to b out of the window ending
    at w. With a link k periods back, the published index moves from t - 1 to t by

    .. math:: P(t; t-k, t) \,/\, P(t-1; t-k, t-1)

    where k is 1 (`movement`), window - 1 (`window`) or window // 2 (`half`: 6 of 13 months, 12 of 25), and `mean` is
    the geometric mean over all k from 1 to window - 1.

    Parameters
    ----------
    ln : array of shape (T, T)
        Logarithms of the bilateral indices, as of `ln_index`; only pairs less than `window` periods apart are used.
    periods : array of shape (T,)
        The periods, by which an error names a pair.
    window : int
        Periods in a window, 2 or more. Where there are no more periods than that, there is one window.
    splice : {"mean", "movement", "window", "half"}
        How a new window is linked.

    Returns
    -------
    array of shape (T,)
        Logarithm of the published index; 0 in the first period.

    Raises
    ------
    BadData
        Two periods of a window share no product.
    BadCall
        An unknown splice, or a window of fewer than two periods.

    References
    ----------
    Mean: Diewert and Fox (2018), Substitution bias in multilateral methods for CPI construction using scanner data.
    Movement: Ivancic, Diewert and Fox (2011). Window: Krsinich (2014). Half: de Haan (2015). All four: UN Task Team
    on Scanner Data, e-handbook, extension methods.

    Examples
    --------
    >>> ln = np.log([[1, 1.1, 1.2], [1 / 1.1, 1, 1.15], [1 / 1.2, 1 / 1.15, 1]])
    >>> np.exp(extend(ln, np.array(["2024-01", "2024-02", "2024-03"]), window=2)).round(4).tolist()
    [1.0, 1.1, 1.265]
    """
    if window < 2:
        raise BadCall(f"window is {window}.", remedy="Give 2 periods or more; 13 or 25 months are usual.")
    if splice not in SPLICES:
        raise BadCall(f"There is no splice {splice!r}.", remedy=nearest(splice, SPLICES))
    links = _links(window, splice)
    old = geks(ln[:window, :window], periods[:window])
    published = list(old - old[0])
    for end in range(window, len(periods)):
        inside = slice(end - window + 1, end + 1)
        new = geks(ln[inside, inside], periods[inside])
        # Position -1 of the old window is one period before that of the new one.
        moves = (new[-1] - new[-1 - links]) - (old[-1] - old[-links])
        published.append(published[-1] + moves.mean())
        old = new
    return np.array(published)


def geks_series(sums: Pairs, formula: str = "tornqvist", window: int = 25, splice: Splice = "mean") -> Series:
    """Compile a GEKS index series by a rolling window.

    Parameters
    ----------
    sums : Pairs
        T x T sums of a panel, or of several panels added.
    formula : {"tornqvist", "fisher", "walsh", "jevons"}
        The bilateral index that is made transitive.
    window : int
        Periods in a window; where there are no more periods than that, there is one window.
    splice : {"mean", "movement", "window", "half"}
        How a new window is linked.

    Returns
    -------
    Series
        Index numbers of the T periods. The match of a period is that with the first period of the window in which
        its index number was published (13 periods: the same month a year ago).

    Raises
    ------
    BadData
        A period is missing between two others, or two periods of a window share no product.
    BadCall
        An unknown formula or splice, or a window of fewer than two periods.

    Examples
    --------
    >>> from statcommons.prices.panel import panel
    >>> months = np.array(["2024-01", "2024-02", "2024-03"]).repeat(2)
    >>> codes = np.tile(np.array(["rice", "tea"]), 3)
    >>> p = panel(months, codes, [1, 1, 0.5, 1, 1, 1], [10, 100, 5000, 100, 1, 100])
    >>> geks_series(pairs(p), "fisher").index.round(3).tolist()
    [1.0, 0.702, 0.993]
    """
    require_consecutive(sums.periods)
    index = np.exp(extend(ln_index(sums, formula), sums.periods, window, splice))
    current = np.arange(len(sums.periods))
    base = np.maximum(current - window + 1, 0)
    value = np.diagonal(sums.A)
    return Series(
        periods=sums.periods,
        index=index,
        matched_products=sums.n[base, current].astype(np.int64),
        matched_share_base=sums.A[base, current] / value[base],
        matched_share_current=sums.A[current, base] / value,
    )
