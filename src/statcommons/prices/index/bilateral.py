"""Bilateral price indices: the prices of two periods compared over the products that are sold in both."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Literal, NamedTuple, TypeAlias

import numpy as np

from statcommons.core.errors import BadCall, BadData, nearest
from statcommons.prices.panel import Floats, Integers, Panel, Series, require_consecutive

__all__ = [
    "FORMULAS",
    "Matched",
    "bilateral_series",
    "fisher",
    "jevons",
    "laspeyres",
    "matched",
    "paasche",
    "tornqvist",
    "walsh",
]

Formula: TypeAlias = Callable[[Floats, Floats, Floats, Floats], float]


def _total(terms: Floats) -> float:
    # Rounded once, so that the order of the products cannot change the last digit.
    return math.fsum(terms.tolist())


def laspeyres(p0: Floats, p1: Floats, q0: Floats, q1: Floats) -> float:
    r"""Price the basket of the base period at the prices of both periods.

    .. math:: P_L = \sum_i p_i^1 q_i^0 \Big/ \sum_i p_i^0 q_i^0

    Parameters
    ----------
    p0, p1 : array of shape (n,)
        Prices of the matched products in the base and the current period, above 0.
    q0, q1 : array of shape (n,)
        Quantities in the base and the current period, above 0; `q1` is not used.

    Returns
    -------
    float
        The index, 1 where no price changed.

    References
    ----------
    ILO et al. (2004), Consumer Price Index Manual: Theory and Practice, chapter 15, Laspeyres and Paasche indices.

    Examples
    --------
    >>> p0, p1, q0, q1 = np.array([[1, 1], [0.5, 1], [10, 100], [5000, 100]])
    >>> round(laspeyres(p0, p1, q0, q1), 4)
    0.9545
    """
    return _total(p1 * q0) / _total(p0 * q0)


def paasche(p0: Floats, p1: Floats, q0: Floats, q1: Floats) -> float:
    r"""Price the basket of the current period at the prices of both periods.

    .. math:: P_P = \sum_i p_i^1 q_i^1 \Big/ \sum_i p_i^0 q_i^1

    Parameters
    ----------
    p0, p1 : array of shape (n,)
        Prices of the matched products in the base and the current period, above 0.
    q0, q1 : array of shape (n,)
        Quantities in the base and the current period, above 0; `q0` is not used.

    Returns
    -------
    float
        The index, 1 where no price changed.

    References
    ----------
    ILO et al. (2004), Consumer Price Index Manual: Theory and Practice, chapter 15, Laspeyres and Paasche indices.

    Examples
    --------
    >>> p0, p1, q0, q1 = np.array([[1, 1], [0.5, 1], [10, 100], [5000, 100]])
    >>> round(paasche(p0, p1, q0, q1), 4)
    0.5098
    """
    return _total(p1 * q1) / _total(p0 * q1)


def fisher(p0: Floats, p1: Floats, q0: Floats, q1: Floats) -> float:
    r"""Take the geometric mean of the Laspeyres and the Paasche index (the ideal index, superlative).

    .. math:: P_F = \sqrt{P_L P_P}

    Parameters
    ----------
    p0, p1 : array of shape (n,)
        Prices of the matched products in the base and the current period, above 0.
    q0, q1 : array of shape (n,)
        Quantities in the base and the current period, above 0.

    Returns
    -------
    float
        The index, 1 where no price changed.

    References
    ----------
    ILO et al. (2004), Consumer Price Index Manual: Theory and Practice, chapter 15, the Fisher index as an average of
    the Paasche and Laspeyres indices.

    Examples
    --------
    >>> p0, p1, q0, q1 = np.array([[1, 1], [0.5, 1], [10, 100], [5000, 100]])
    >>> round(fisher(p0, p1, q0, q1), 4)
    0.6976
    """
    return math.sqrt(laspeyres(p0, p1, q0, q1) * paasche(p0, p1, q0, q1))


def tornqvist(p0: Floats, p1: Floats, q0: Floats, q1: Floats) -> float:
    r"""Average the price relatives geometrically, each with its mean share in the turnover of the two periods.

    .. math:: P_T = \prod_i (p_i^1 / p_i^0)^{(s_i^0 + s_i^1)/2}, \quad s_i^t = p_i^t q_i^t \Big/ \sum_j p_j^t q_j^t

    Shares are over the matched products, so that each period's add up to 1. The index is superlative.

    Parameters
    ----------
    p0, p1 : array of shape (n,)
        Prices of the matched products in the base and the current period, above 0.
    q0, q1 : array of shape (n,)
        Quantities in the base and the current period, above 0.

    Returns
    -------
    float
        The index, 1 where no price changed.

    References
    ----------
    ILO et al. (2004), Consumer Price Index Manual: Theory and Practice, chapter 16, Theil's weighted stochastic
    approach, and chapter 17, superlative indices: the Törnqvist index.

    Examples
    --------
    >>> p0, p1, q0, q1 = np.array([[1, 1], [0.5, 1], [10, 100], [5000, 100]])
    >>> round(tornqvist(p0, p1, q0, q1), 4)
    0.6944
    """
    v0, v1 = p0 * q0, p1 * q1
    shares = (v0 / _total(v0) + v1 / _total(v1)) / 2
    return math.exp(_total(shares * np.log(p1 / p0)))


def walsh(p0: Floats, p1: Floats, q0: Floats, q1: Floats) -> float:
    r"""Price a basket of the geometric means of both periods' quantities (superlative).

    .. math:: P_W = \sum_i p_i^1 \sqrt{q_i^0 q_i^1} \Big/ \sum_i p_i^0 \sqrt{q_i^0 q_i^1}

    Parameters
    ----------
    p0, p1 : array of shape (n,)
        Prices of the matched products in the base and the current period, above 0.
    q0, q1 : array of shape (n,)
        Quantities in the base and the current period, above 0.

    Returns
    -------
    float
        The index, 1 where no price changed.

    References
    ----------
    ILO et al. (2004), Consumer Price Index Manual: Theory and Practice, chapter 15, the Walsh index and the theory of
    the pure price index.

    Examples
    --------
    >>> p0, p1, q0, q1 = np.array([[1, 1], [0.5, 1], [10, 100], [5000, 100]])
    >>> round(walsh(p0, p1, q0, q1), 4)
    0.6545
    """
    basket = np.sqrt(q0 * q1)
    return _total(p1 * basket) / _total(p0 * basket)


def jevons(p0: Floats, p1: Floats, q0: Floats, q1: Floats) -> float:
    r"""Average the price relatives geometrically, all alike (an elementary index, for prices without quantities).

    .. math:: P_J = \prod_i (p_i^1 / p_i^0)^{1/n}

    Parameters
    ----------
    p0, p1 : array of shape (n,)
        Prices of the matched products in the base and the current period, above 0.
    q0, q1 : array of shape (n,)
        Not used.

    Returns
    -------
    float
        The index, 1 where no price changed.

    References
    ----------
    ILO et al. (2004), Consumer Price Index Manual: Theory and Practice, chapter 20, elementary indices.

    Examples
    --------
    >>> p0, p1, q0, q1 = np.array([[1, 1], [0.5, 1], [10, 100], [5000, 100]])
    >>> round(jevons(p0, p1, q0, q1), 4)
    0.7071
    """
    return math.exp(_total(np.log(p1 / p0)) / len(p0))


FORMULAS: dict[str, Formula] = {
    "laspeyres": laspeyres,
    "paasche": paasche,
    "fisher": fisher,
    "tornqvist": tornqvist,
    "walsh": walsh,
    "jevons": jevons,
}
"""The bilateral formulas by name."""


class Matched(NamedTuple):
    """The products that two periods have in common.

    Parameters
    ----------
    p0, p1, q0, q1 : array of shape (n,)
        Prices and quantities in the base and the current period, in the order of the product codes.
    share_base, share_current : float
        Their share in the whole turnover of the base and of the current period.
    """

    p0: Floats
    p1: Floats
    q0: Floats
    q1: Floats
    share_base: float
    share_current: float


def matched(panel: Panel, base: int, current: int) -> Matched:
    """Match the products of two periods of a panel.

    Parameters
    ----------
    panel : Panel
        Unit values of N products in T periods.
    base, current : int
        Positions of the two periods, from 0.

    Returns
    -------
    Matched
        Prices, quantities and turnover shares of the products sold in both.

    Raises
    ------
    BadData
        No product is sold in both periods.

    Examples
    --------
    >>> from statcommons.prices.panel import panel
    >>> months = np.array(["2024-01", "2024-01", "2024-02"])
    >>> both = matched(panel(months, np.array(["tea", "rice", "tea"]), [2, 1, 3], [1, 6, 5]), 0, 1)
    >>> both.p1.tolist(), both.share_base, both.share_current
    ([3.0], 0.25, 1.0)
    """
    rows0, rows1 = np.flatnonzero(panel.period == base), np.flatnonzero(panel.period == current)
    _, common0, common1 = np.intersect1d(
        panel.product[rows0], panel.product[rows1], assume_unique=True, return_indices=True
    )
    if not common0.size:
        raise BadData(
            f"No product is sold in both {panel.periods[base]} and {panel.periods[current]}.",
            remedy="Define products more broadly, or compare periods that share products.",
        )
    in0, in1 = rows0[common0], rows1[common1]
    return Matched(
        p0=panel.price[in0],
        p1=panel.price[in1],
        q0=panel.quantity[in0],
        q1=panel.quantity[in1],
        share_base=_value(panel, in0) / _value(panel, rows0),
        share_current=_value(panel, in1) / _value(panel, rows1),
    )


def _value(panel: Panel, rows: Integers) -> float:
    return _total(panel.price[rows] * panel.quantity[rows])


def bilateral_series(panel: Panel, formula: str = "fisher", base: Literal["fixed", "previous"] = "fixed") -> Series:
    """Compare each period with the first, or with the one before it and chain.

    Parameters
    ----------
    panel : Panel
        Unit values of N products in T periods.
    formula : str
        One of `FORMULAS`.
    base : {"fixed", "previous"}
        ``fixed`` compares with the first period; ``previous`` multiplies the comparisons of neighbouring periods,
        which follows new products but drifts where prices and quantities bounce (sales).

    Returns
    -------
    Series
        Index numbers of the T periods, with the match of each comparison.

    Raises
    ------
    BadData
        Two compared periods have no product in common, or (chained) a period is missing.
    BadCall
        An unknown formula or base.

    References
    ----------
    ILO et al. (2004), Consumer Price Index Manual: Theory and Practice, chapter 15, fixed base versus chain indices.

    Examples
    --------
    >>> from statcommons.prices.panel import panel
    >>> months = np.array(["2024-01", "2024-02", "2024-03"]).repeat(2)
    >>> codes = np.tile(np.array(["rice", "tea"]), 3)
    >>> p = panel(months, codes, [1, 1, 0.5, 1, 1, 1], [10, 100, 5000, 100, 1, 100])
    >>> bilateral_series(p, "fisher", base="previous").index.round(3).tolist()
    [1.0, 0.698, 0.979]
    """
    if formula not in FORMULAS:
        raise BadCall(f"There is no bilateral formula {formula!r}.", remedy=nearest(formula, list(FORMULAS)))
    if base not in ("fixed", "previous"):
        raise BadCall(f"base is {base!r}.", remedy="Give 'fixed' or 'previous'.")
    if base == "previous":
        require_consecutive(panel.periods)
    current = range(len(panel.periods))
    matches = [matched(panel, 0 if base == "fixed" else max(t - 1, 0), t) for t in current]
    changes = np.array([FORMULAS[formula](m.p0, m.p1, m.q0, m.q1) for m in matches])
    return Series(
        periods=panel.periods,
        index=changes if base == "fixed" else np.cumprod(changes),
        matched_products=np.array([len(m.p0) for m in matches]),
        matched_share_base=np.array([m.share_base for m in matches]),
        matched_share_current=np.array([m.share_current for m in matches]),
    )
