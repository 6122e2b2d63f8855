"""The mathematics of imputation: gaps of products, movements of those that are there, and hedonic regressions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from statcommons.prices.panel import Floats, Integers

__all__ = ["Gaps", "Movement", "find_gaps", "hedonic_movement", "matched_movement", "typical_price"]

Flags = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Gaps:
    """Cells without a price, one element a cell.

    Parameters
    ----------
    row : array of shape (cells,)
        The row of the last price before the gap.
    time : array of shape (cells,)
        Position of the period of the cell.
    since : array of shape (cells,)
        Position of the period of the last price before it.
    """

    row: Integers
    time: Integers
    since: Integers

    def chosen(self, cells: Integers | Flags) -> Gaps:
        """Give some of the cells.

        Parameters
        ----------
        cells : array
            Positions, or one flag a cell.
        """
        return Gaps(self.row[cells], self.time[cells], self.since[cells])


@dataclass(frozen=True, eq=False)
class Movement:
    """How prices of C classes moved over T periods; arrays have shape (C, T).

    Parameters
    ----------
    log : array
        Logarithm of the price level, 0 in the first period.
    holes : array
        How many movements were without any price up to the period: over a hole nothing can be imputed.
    """

    log: Floats
    holes: Integers

    def between(self, group: Integers, since: Integers, time: Integers) -> Floats:
        """Give the price change of a class between two periods, NaN over a hole.

        Parameters
        ----------
        group : array of shape (cells,)
            Positions of the classes.
        since, time : array of shape (cells,)
            Positions of the periods.
        """
        change = np.exp(self.log[group, time] - self.log[group, since])
        return np.where(self.holes[group, time] == self.holes[group, since], change, np.nan)


def find_gaps(product: Integers, time: Integers, periods: int, limit: int) -> Gaps:
    """Find the cells without a price after the first price of each product.

    Parameters
    ----------
    product, time : array of shape (rows,)
        Positions of product and period, sorted by product, then by period.
    periods : int
        How many periods there are.
    limit : int
        The most cells of one gap, from its beginning.

    Returns
    -------
    Gaps
        The cells, by product, then by period.

    Examples
    --------
    >>> find_gaps(np.array([0, 0, 1]), np.array([0, 3, 2]), periods=5, limit=1).time.tolist()
    [1, 4, 3]
    """
    last = np.append(product[1:] != product[:-1], True)[: len(product)]
    until = np.where(last, periods, np.append(time[1:], periods)[: len(time)])
    length = np.minimum(until - time - 1, limit)
    row = np.repeat(np.arange(len(time)), length)
    step = np.arange(len(row)) - np.repeat(np.cumsum(length) - length, length) + 1
    return Gaps(row, time[row] + step, time[row])


def matched_movement(
    product: Integers, time: Integers, price: Floats, group: Integers, shape: tuple[int, int], donor: Flags
) -> Movement:
    """Average the price changes of the products that two neighbouring periods both have, geometrically and all alike.

    Parameters
    ----------
    product, time : array of shape (rows,)
        Positions of product and period, sorted by product, then by period.
    price : array of shape (rows,)
        Prices.
    group : array of shape (rows,)
        Position of the class of each row's product.
    shape : tuple of int
        How many classes and periods there are.
    donor : array of shape (rows,)
        Which rows count.

    Returns
    -------
    Movement
        Chained movements of each class.

    Examples
    --------
    >>> columns = np.array([0, 0, 1, 1]), np.array([0, 1, 0, 1]), np.array([1, 2, 4, 8.0]), np.array([0, 0, 0, 0])
    >>> found = matched_movement(*columns, shape=(1, 2), donor=np.ones(4, bool))
    >>> found.between(np.array([0]), np.array([0]), np.array([1])).round(12).tolist()
    [2.0]
    """
    pair = (product[1:] == product[:-1]) & (time[1:] == time[:-1] + 1) & donor[1:] & donor[:-1]
    now = np.flatnonzero(pair) + 1
    cell = group[now] * shape[1] + time[now]
    size = shape[0] * shape[1]
    count = np.bincount(cell, minlength=size).reshape(shape)
    total = np.bincount(cell, np.log(price[now] / price[now - 1]), minlength=size).reshape(shape)
    mean = np.where(count > 0, total / np.maximum(count, 1), 0.0)
    hole = count == 0
    hole[:, 0] = False
    return Movement(np.cumsum(mean, axis=1), np.cumsum(hole, axis=1))


def typical_price(product: Integers, time: Integers, price: Floats, last: Integers) -> Floats:
    """Average the prices of the season that ends with a row: the periods up to it without a gap.

    Parameters
    ----------
    product, time : array of shape (rows,)
        Positions of product and period, sorted by product, then by period.
    price : array of shape (rows,)
        Prices.
    last : array of shape (cells,)
        Rows with which seasons end; they may repeat.

    Returns
    -------
    array of shape (cells,)
        The typical price of each season.

    Examples
    --------
    >>> typical_price(np.array([0, 0, 0]), np.array([0, 1, 5]), np.array([2.0, 4.0, 9.0]), np.array([1, 2])).tolist()
    [3.0, 9.0]
    """
    begins = np.append(True, (product[1:] != product[:-1]) | (time[1:] != time[:-1] + 1))[: len(time)]
    start = np.maximum.accumulate(np.where(begins, np.arange(len(time)), 0))
    ends, back = np.unique(last, return_inverse=True)
    return np.array([price[start[row] : row + 1].mean() for row in ends.tolist()], float)[back]


def hedonic_movement(
    time: Integers, price: Floats, weight: Floats, traits: Floats, periods: int, traits_of: Floats, gaps: Gaps
) -> Floats:
    r"""Move the last price of a product as its characteristics are priced.

    In each period :math:`\ln p_i = x_i' \beta^t + e_i` is fitted by weighted least squares, and a product that is
    missing moves by :math:`\exp(x_i'(\beta^t - \beta^s))` from its last price in s (double imputation: what the
    regression does not explain of a product stays).

    Parameters
    ----------
    time : array of shape (rows,)
        Position of the period of each price.
    price, weight : array of shape (rows,)
        Prices and weights of the regression.
    traits : array of shape (rows, K)
        Characteristics of the product of each price.
    periods : int
        How many periods there are.
    traits_of : array of shape (cells, K)
        Characteristics of the product of each gap.
    gaps : Gaps
        The cells to impute.

    Returns
    -------
    array of shape (cells,)
        The change since the last price; NaN where a regression does not determine it.

    References
    ----------
    IMF et al. (2020), Consumer Price Index Manual: Concepts and Methods, chapter 6, hedonic imputation. de Haan (2010),
    Hedonic price indexes: a comparison of imputation, time dummy and re-pricing methods.

    Examples
    --------
    >>> time, traits = np.array([0, 0, 0, 1, 1]), np.array([[1.0, 1], [1, 2], [1, 3], [1, 1], [1, 2]])
    >>> gap = Gaps(np.array([2]), np.array([1]), np.array([0]))
    >>> price = np.exp(np.array([1.0, 2, 3, 1.5, 3]))
    >>> np.log(hedonic_movement(time, price, np.ones(5), traits, 2, traits[[2]], gap)).round(9).tolist()
    [1.5]
    """
    fitted = np.full((periods, len(gaps.row)), np.nan)
    for t in np.union1d(gaps.time, gaps.since).tolist():
        rows = np.flatnonzero(time == t)
        cells = np.flatnonzero((gaps.time == t) | (gaps.since == t))
        root = np.sqrt(weight[rows])
        design = traits[rows] * root[:, None]
        inverse = np.linalg.pinv(design, rcond=1e-10)
        beta = inverse @ (np.log(price[rows]) * root)
        known = np.abs(traits_of[cells] - traits_of[cells] @ (inverse @ design)).max(axis=1, initial=0.0) < 1e-6
        fitted[t, cells] = np.where(known, traits_of[cells] @ beta, np.nan)
    cells = np.arange(len(gaps.row))
    return np.exp(fitted[gaps.time, cells] - fitted[gaps.since, cells])
