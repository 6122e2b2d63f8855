"""Hedonic indices: the prices of products that are not the same are compared by their characteristics."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from statcommons.core.errors import BadData, counted
from statcommons.prices.index.pairs import Window
from statcommons.prices.panel import Floats, Labels, Panel

__all__ = ["Hedonic", "characteristics_of", "ln_imputed"]


def characteristics_of(
    products: Labels, named: Sequence[str], numbers: Mapping[str, NDArray[Any]], classes: Mapping[str, NDArray[Any]]
) -> Floats:
    """Make the columns of a regression from what is known of products.

    A number is a column; a class becomes a column for each of its values but the first, by which it is compared.

    Parameters
    ----------
    products : array of shape (N,)
        The products of a panel.
    named : sequence of str
        The products of which something is known, in any order.
    numbers, classes : mapping of str to array
        What is known of them, by name of the characteristic: a number (its logarithm, if prices follow that), or a
        class such as a brand.

    Returns
    -------
    array of shape (N, K)
        The columns, in the order of the products of the panel.

    Raises
    ------
    BadData
        A product has no characteristics, or a number is missing.

    Examples
    --------
    >>> brand = {"brand": np.array(["b", "a", "b"])}
    >>> characteristics_of(np.array(["p1", "p2", "p3"]), ["p3", "p2", "p1"], {}, brand).tolist()
    [[1.0], [0.0], [1.0]]
    """
    place = {str(name): row for row, name in enumerate(named)}
    unknown = [str(one) for one in products if str(one) not in place]
    if unknown:
        raise BadData(
            f"{counted(len(unknown), 'product')} without characteristics, the first {unknown[0]}.",
            remedy="Give the characteristics of each product, or leave these products out.",
        )
    rows = np.array([place[str(one)] for one in products], dtype=np.int64)
    columns = []
    for name, values in numbers.items():
        column = np.asarray(values, np.float64)[rows]
        if missing := np.flatnonzero(~np.isfinite(column)).tolist():
            raise BadData(
                f"{name} is missing for {counted(len(missing), 'product')}, the first {products[missing[0]]}.",
                remedy="Fill it, or leave the characteristic out.",
            )
        columns.append(column)
    for values in classes.values():
        labels, code = np.unique(np.asarray(values).astype(str)[rows], return_inverse=True)
        columns += list((code[:, None] == np.arange(1, len(labels))).T.astype(np.float64))
    return np.column_stack(columns) if columns else np.zeros((len(products), 0))


class Hedonic:
    r"""The time dummy hedonic index (TDH) of any window of a panel.

    It is the weighted least squares regression :math:`\ln p_i^t = \delta^t + \sum_k \beta_k z_{ik} + e_i^t`, whose
    normal equations are sums by period, so that each window costs no more than their solution.

    Parameters
    ----------
    panel : Panel
        Unit values of N products in T periods.
    z : array of shape (N, K)
        Characteristics, as of `characteristics_of`.
    equal : bool
        Whether all prices weigh alike, or by the product's share in the turnover of its period.

    References
    ----------
    de Haan and Krsinich (2018), Time dummy hedonic and quality-adjusted unit value indexes: do they really differ?,
    Review of Income and Wealth 64(4). Eurostat (2013), Handbook on Residential Property Prices Indices, chapter 5.

    Examples
    --------
    >>> from statcommons.prices.panel import panel
    >>> months = np.array(["2024-01", "2024-01", "2024-02", "2024-02"])
    >>> p = panel(months, np.array(["s", "m", "m", "l"]), [1.0, 2.0, 2.2, 4.4], [1, 1, 1, 1])
    >>> size = np.log(np.array([4.0, 2.0, 1.0]))[:, None]  # of l, m, s: the price follows it
    >>> level = Hedonic(p, size).levels(Window(0, 2))
    >>> np.exp(level[1] - level[0]).round(6).item()
    1.1
    """

    def __init__(self, panel: Panel, z: Floats, *, equal: bool = False) -> None:
        count, width = len(panel.periods), z.shape[1]
        value = panel.price * panel.quantity
        turnover = np.bincount(panel.period, value, count)
        weight = np.ones_like(value) if equal else value / turnover[panel.period]
        self.total = np.bincount(panel.period, weight, count)
        self.zz, self.z = np.zeros((count, width, width)), np.zeros((count, width))
        self.y, self.zy = np.bincount(panel.period, weight * np.log(panel.price), count), np.zeros((count, width))
        for period in range(count):
            rows = np.flatnonzero(panel.period == period)
            weighted = z[panel.product[rows]] * weight[rows, None]
            self.z[period] = weighted.sum(axis=0)
            self.zz[period] = weighted.T @ z[panel.product[rows]]
            self.zy[period] = weighted.T @ np.log(panel.price[rows])

    def levels(self, part: Window) -> Floats:
        """Give the logarithm of the price level of each period of a window."""
        inside = slice(*part)
        total, z, y = self.total[inside], self.z[inside], self.y[inside]
        if (empty := np.flatnonzero(total == 0)).size:
            raise BadData(
                f"No product is sold in period {part.start + empty[0] + 1} of the series.", remedy="Mend the gap."
            )
        # The periods are swept out first; characteristics that say the same leave the levels as they are (lstsq).
        mean = z / total[:, None]
        within = self.zz[inside].sum(axis=0) - z.T @ mean
        right = self.zy[inside].sum(axis=0) - mean.T @ y
        beta = np.linalg.lstsq(within, right, rcond=1e-12)[0]
        level: Floats = y / total - mean @ beta
        return level


def ln_imputed(panel: Panel, z: Floats) -> Floats:
    r"""Compare every two periods by a Törnqvist index whose unmatched prices are imputed by a hedonic regression.

    For each pair of periods log prices are regressed on the period and the characteristics, each product with the mean
    of its two turnover shares; a product sold in one of the periods only has its price of the other predicted. Made
    transitive by :func:`~statcommons.prices.index.multilateral.geks` it is the imputation Törnqvist GEKS.

    Parameters
    ----------
    panel : Panel
        Unit values of N products in T periods.
    z : array of shape (N, K)
        Characteristics, as of `characteristics_of`.

    Returns
    -------
    array of shape (T, T)
        Natural logarithm of the index from the period of the row to that of the column; antisymmetric.

    References
    ----------
    de Haan and Krsinich (2014), Scanner data and the treatment of quality change in nonrevisable price indexes,
    Journal of Business & Economic Statistics 32(3).

    Examples
    --------
    >>> from statcommons.prices.panel import panel
    >>> months = np.array(["2024-01", "2024-01", "2024-02", "2024-02"])
    >>> p = panel(months, np.array(["s", "m", "m", "l"]), [1.0, 2.0, 2.2, 4.4], [1, 1, 1, 1])
    >>> np.exp(ln_imputed(p, np.log(np.array([4.0, 2.0, 1.0]))[:, None])).round(6).tolist()
    [[1.0, 1.1], [0.909091, 1.0]]
    """
    count = len(panel.periods)
    log, share = (np.zeros((count, len(panel.products))) for _ in range(2))
    log[panel.period, panel.product] = np.log(panel.price)
    share[panel.period, panel.product] = panel.price * panel.quantity
    share /= share.sum(axis=1, keepdims=True)
    ln = np.zeros((count, count))
    for a in range(count):
        for b in range(a + 1, count):
            ln[a, b] = _imputed_tornqvist(log[[a, b]], share[[a, b]], z)
            ln[b, a] = -ln[a, b]
    return ln


def _imputed_tornqvist(log: Floats, share: Floats, z: Floats) -> float:
    sold = share > 0
    weight = share.mean(axis=0)
    period, product = np.nonzero(sold)
    root = np.sqrt(weight[product])
    columns = np.column_stack([period == 0, period == 1, z[product]]) * root[:, None]
    found = np.linalg.lstsq(columns, log[period, product] * root, rcond=None)[0]
    predicted = found[:2, None] + z @ found[2:]
    full = np.where(sold, log, predicted)
    return float(weight @ (full[1] - full[0]))
