"""Similarity linking: each period is compared with the one whose prices or quantities resemble its own most."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Literal, TypeAlias, get_args

import numpy as np

from statcommons.core.errors import BadCall, BadData, nearest
from statcommons.prices.index.multilateral import ln_index, matches
from statcommons.prices.index.pairs import assert_connected, pairs
from statcommons.prices.panel import CELLS, Block, Floats, Integers, Labels, Panel, Series, require_consecutive

__all__ = ["DISSIMILARITIES", "Dissimilarity", "Tree", "dissimilarity", "links", "similarity_series"]

Dissimilarity: TypeAlias = Literal["spq", "predicted_share", "log_quadratic", "asymptotic_linear", "spread"]
"""How unlike two periods are measured to be."""

Tree: TypeAlias = Literal["past", "spanning"]
"""Whether a period is linked to one before it, or all are linked by the shortest tree."""

DISSIMILARITIES: tuple[Dissimilarity, ...] = get_args(Dissimilarity)
"""All measures of dissimilarity."""


def _differences(panel: Panel, of_a_pair: Callable[..., Floats], extra: tuple[Floats, ...], cells: int) -> Floats:
    """Sum a measure over the products, one period against all others at a time."""
    size = len(panel.periods)
    found = np.zeros((size, size))
    for block in panel.blocks(cells):
        for a in range(size):
            found[a] += of_a_pair(block, a, *(matrix[a][:, None] for matrix in extra)).sum(axis=1)
    return found


def dissimilarity(panel: Panel, measure: Dissimilarity = "spq", cells: int = CELLS // 8) -> Floats:
    r"""Measure how unlike the prices, or prices and quantities, of every two periods are; 0 is alike.

    With shares s over the products matched in r and t, and P the Fisher index from r to t:

    - ``spq``: the smaller of the weighted differences between shares and the shares predicted by the prices, or by the
      quantities, of the other period (Diewert's price and quantity dissimilarity, weighted as in PriceIndices):
      :math:`\sum_i \bar s_i [(s_i^t - p_i^r q_i^t / p^r q^t)^2 + (s_i^r - p_i^t q_i^r / p^t q^r)^2]`, with
      :math:`\bar s_i` the mean share;
    - ``predicted_share``: the first of these without weights and over all products, so that a product without match
      counts with the square of its share;
    - ``log_quadratic``: :math:`\sum_i \bar s_i \ln^2 (p_i^t / P p_i^r)`;
    - ``asymptotic_linear``: :math:`\sum_i \bar s_i (p_i^t / P p_i^r + P p_i^r / p_i^t - 2)`;
    - ``spread``: :math:`|\ln P_L / P_P|`, Laspeyres against Paasche.

    Parameters
    ----------
    panel : Panel
        Unit values of N products in T periods.
    measure : str
        One of `DISSIMILARITIES`.
    cells : int
        The most cells of one dense matrix.

    Returns
    -------
    array of shape (T, T)
        Symmetric; infinite where the two periods share no product.

    Raises
    ------
    BadCall
        An unknown measure.

    References
    ----------
    Diewert (2002), Similarity and dissimilarity indexes: an axiomatic approach, UBC Discussion Paper 02-10. Diewert
    (2021), The chain drift problem and multilateral indexes, in Consumer Price Index Theory, chapter 7, IMF.

    Examples
    --------
    >>> from statcommons.prices.panel import panel
    >>> months = np.array(["2024-01", "2024-02"]).repeat(2)
    >>> twice = panel(months, np.array(["rice", "tea"] * 2), [1, 2, 2, 4], [3, 5, 8, 1])
    >>> dissimilarity(twice, "predicted_share").round(12).tolist()
    [[0.0, 0.0], [0.0, 0.0]]
    """
    if measure not in DISSIMILARITIES:
        raise BadCall(
            f"There is no dissimilarity {measure!r}.", remedy=nearest(measure, [str(one) for one in DISSIMILARITIES])
        )
    sums = pairs(panel, sums=("A", "F"))
    A, F, apart = sums["A"], sums["F"], sums["n"] == 0
    with np.errstate(divide="ignore", invalid="ignore"):
        if measure == "spread":
            found = np.abs(np.log(F / A) + np.log(F.T / A.T))
        elif measure == "predicted_share":
            found = _predicted_shares(panel, sums.turnover, F, cells)
        elif measure == "spq":
            found = _spq(panel, A, F, cells)
        else:
            found = _log_or_linear(panel, A, np.exp(ln_index(sums, "fisher")), measure, cells)
    found[apart] = np.inf
    return found


def _predicted_shares(panel: Panel, turnover: Floats, F: Floats, cells: int) -> Floats:
    def errors(block: Block, a: int, cost: Floats) -> Floats:
        return (block.V[a] / turnover[a] - block.P * block.Q[a] / cost) ** 2  # prices of b predict the shares of a

    one_way = _differences(panel, errors, (F,), cells)
    return one_way + one_way.T


def _spq(panel: Panel, A: Floats, F: Floats, cells: int) -> Floats:
    def shares(block: Block, a: int, of_a: Floats, of_b: Floats) -> tuple[Floats, Floats, Floats]:
        both = block.M * block.M[a]
        own = block.V[a] / of_a * both
        return both, own, (own + block.V / of_b * both) / 2

    def by_prices(block: Block, a: int, of_a: Floats, of_b: Floats, cost: Floats) -> Floats:
        both, own, mean = shares(block, a, of_a, of_b)
        return mean * (own - block.P * block.Q[a] / cost * both) ** 2

    def by_quantities(block: Block, a: int, of_a: Floats, of_b: Floats, cost: Floats) -> Floats:
        both, own, mean = shares(block, a, of_a, of_b)
        return mean * (own - block.P[a] * block.Q / cost * both) ** 2

    prices = np.nan_to_num(_differences(panel, by_prices, (A, A.T, F), cells), nan=np.inf)
    quantities = np.nan_to_num(_differences(panel, by_quantities, (A, A.T, F.T), cells), nan=np.inf)
    return np.minimum(prices + prices.T, quantities + quantities.T)


def _log_or_linear(panel: Panel, A: Floats, index: Floats, measure: str, cells: int) -> Floats:
    def weighted(block: Block, a: int, of_a: Floats, of_b: Floats, change: Floats) -> Floats:
        both = block.M * block.M[a]
        share = (block.V[a] / of_a + block.V / of_b) / 2 * both
        relative = np.where(both > 0, np.exp(block.L - block.L[a]) / change, 1.0)
        return share * (np.log(relative) ** 2 if measure == "log_quadratic" else relative + 1 / relative - 2)

    return _differences(panel, weighted, (A, A.T, index), cells)


def links(unlike: Floats, periods: Labels, tree: Tree = "past") -> Integers:
    """Choose for each period the one that it is linked to.

    Parameters
    ----------
    unlike : array of shape (T, T)
        Dissimilarities; infinite where two periods share no product.
    periods : array of shape (T,)
        The periods, by which an error names one.
    tree : {"past", "spanning"}
        ``past`` links each period to the most similar one before it (the latest of several alike), so that nothing is
        ever revised; ``spanning`` links all by the tree whose dissimilarities add up to the least.

    Returns
    -------
    array of shape (T,)
        Position of the link; that of the first period is itself.

    Raises
    ------
    BadData
        A period shares no product with any before it.

    References
    ----------
    Hill (2001), Measuring inflation and growth using spanning trees, International Economic Review 42(1).

    Examples
    --------
    >>> unlike = np.array([[0.0, 0.5, 0.1], [0.5, 0.0, 0.4], [0.1, 0.4, 0.0]])
    >>> months = np.array(["2024-01", "2024-02", "2024-03"])
    >>> links(unlike, months).tolist(), links(unlike, months, "spanning").tolist()
    ([0, 0, 0], [0, 2, 0])
    """
    link = np.zeros(len(periods), np.int64)
    if tree == "past":
        for t in range(1, len(periods)):
            before = unlike[t, :t]
            if not np.isfinite(before).any():
                raise BadData(
                    f"{periods[t]} shares no product with any period before it.",
                    remedy="Define products more broadly, or begin the series there.",
                )
            link[t] = np.flatnonzero(before == before.min())[-1]
        return link
    assert_connected(np.isfinite(unlike).astype(np.float64), periods)
    for t, found in _prim(unlike):
        link[t] = found
    return link


def _prim(unlike: Floats) -> Iterator[tuple[int, int]]:
    """Grow the shortest tree from the first period, and give each period with its link."""
    inside, left = [0], list(range(1, len(unlike)))
    while left:
        part = unlike[np.ix_(left, inside)]
        row, column = np.unravel_index(np.argmin(part), part.shape)
        yield left[row], inside[column]
        inside.append(left.pop(int(row)))


def similarity_series(panel: Panel, measure: Dissimilarity = "spq", tree: Tree = "past") -> Series:
    """Compile an index in which each period is linked by a Fisher index to the one that it resembles most.

    Parameters
    ----------
    panel : Panel
        Unit values of N products in T periods.
    measure : str
        One of `DISSIMILARITIES`.
    tree : {"past", "spanning"}
        What a period may be linked to; see `links`.

    Returns
    -------
    Series
        Index numbers of the T periods; the match of a period is that with its link.

    Raises
    ------
    BadData
        A period is missing between two others, or shares no product with any that it may be linked to.
    BadCall
        An unknown measure.

    Examples
    --------
    >>> from statcommons.prices.panel import panel
    >>> months = np.array(["2024-01", "2024-02", "2024-03"]).repeat(2)
    >>> codes = np.tile(np.array(["rice", "tea"]), 3)
    >>> p = panel(months, codes, [1, 1, 0.5, 1, 1, 1], [10, 100, 5000, 100, 1, 100])
    >>> similarity_series(p).index.round(3).tolist()
    [1.0, 0.698, 1.0]
    """
    require_consecutive(panel.periods)
    link = links(dissimilarity(panel, measure), panel.periods, tree)
    sums = pairs(panel, sums=("A", "F"))
    ln = ln_index(sums, "fisher")
    level = np.full(len(link), np.nan)
    level[0] = 0.0
    while np.isnan(level).any():  # a link of a spanning tree may be known only after its own link
        level = np.where(np.isnan(level), level[link] + ln[link, np.arange(len(link))], level)
    return matches(sums, np.exp(level), link)
