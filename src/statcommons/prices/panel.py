"""The panel of unit values, period by product, that every price index is computed from."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from statcommons.core.errors import BadCall, BadData

__all__ = ["Block", "Panel", "Series", "panel", "require_consecutive", "with_periods"]

Floats: TypeAlias = NDArray[np.float64]
Integers: TypeAlias = NDArray[np.int64]
Labels: TypeAlias = NDArray[Any]
Column: TypeAlias = Labels | tuple[NDArray[Any], Labels]

CELLS = (
    2**16
)  # of one dense matrix: 512 KiB, 2,048 products by 32 periods, so that a block stays in a processor's cache

MONTH = re.compile(r"(\d{4})-(0[1-9]|1[0-2])")
WEEK = re.compile(r"(\d{4})-W(0[1-9]|[1-4]\d|5[0-3])")


class Block(NamedTuple):
    """Dense matrices, T periods by n products, of some products of a panel; 0 where a product is not sold.

    Parameters
    ----------
    V, Q, P : array of shape (T, n)
        Value (turnover), quantity and price.
    M : array of shape (T, n)
        Presence, 1 where the product is sold.
    L : array of shape (T, n)
        Natural logarithm of the price.
    """

    V: Floats
    Q: Floats
    P: Floats
    M: Floats
    L: Floats


@dataclass(frozen=True, eq=False)
class Series:
    """An index series, with what it rests upon; all arrays have one element a period.

    Parameters
    ----------
    periods : array of shape (T,)
        The periods, sorted.
    index : array of shape (T,)
        The index numbers; 1 in the first period.
    matched_products : array of shape (T,)
        How many products are sold both in the period and in the period that it is compared with.
    matched_share_base, matched_share_current : array of shape (T,)
        The share of these products in the turnover of the period that it is compared with, and of the period itself.
    """

    periods: Labels
    index: Floats
    matched_products: Integers
    matched_share_base: Floats
    matched_share_current: Floats


@dataclass(frozen=True, eq=False)
class Panel:
    """Unit values in coordinate form: one row a product and period in which it is sold, by product, then by period.

    Parameters
    ----------
    products : array of shape (N,)
        Product codes, sorted.
    periods : array of shape (T,)
        Periods, sorted.
    product, period : integer array of shape (rows,)
        Position in `products` and `periods`.
    price, quantity : array of shape (rows,)
        Unit value in currency a unit, and units sold.
    """

    products: Labels
    periods: Labels
    product: Integers
    period: Integers
    price: Floats
    quantity: Floats

    def blocks(self, cells: int = CELLS) -> Iterator[Block]:
        """Go through the products in dense blocks, so that memory does not grow with their number.

        Parameters
        ----------
        cells : int
            The most cells (periods by products) of one matrix; a block has five matrices and at least one product.

        Yields
        ------
        Block
            Matrices of the next products, in the order of `products`.

        Examples
        --------
        >>> months = np.array(["2024-01", "2024-02", "2024-02"])
        >>> p = panel(months, np.array(["tea", "tea", "rice"]), [2, 3, 5], [1, 1, 4])
        >>> [block.P.tolist() for block in p.blocks(cells=2)]
        [[[0.0], [5.0]], [[2.0], [3.0]]]
        """
        n_products, n_periods = len(self.products), len(self.periods)
        width = max(1, cells // n_periods)
        for start in range(0, n_products, width):
            shape = (n_periods, min(width, n_products - start))
            low, high = np.searchsorted(self.product, (start, start + width))
            cell = self.period[low:high] * shape[1] + (self.product[low:high] - start)
            price, quantity = self.price[low:high], self.quantity[low:high]
            measures = (price * quantity, quantity, price, 1.0, np.log(price))
            yield Block(*(_dense(shape, cell, measure) for measure in measures))


def _dense(shape: tuple[int, int], cell: Integers, values: Floats | float) -> Floats:
    matrix = np.zeros(shape)
    matrix.ravel()[cell] = values
    return matrix


def panel(
    period: Column, product: Column, price: ArrayLike, quantity: ArrayLike, periods: ArrayLike | None = None
) -> Panel:
    """Make a panel from unit values, one row a period and product, in any order.

    Parameters
    ----------
    period, product : array of shape (rows,), or (codes, labels)
        Text, or integers; or dictionary-encoded, as a pair of integer codes and the labels that they stand for.
        Months are written ``2024-12``, weeks ``2024-W05``. Codes read as floating point numbers are refused.
    price : array of shape (rows,)
        Unit value, in currency a unit: turnover over quantity, above 0.
    quantity : array of shape (rows,)
        Units sold, net of returns, above 0.
    periods : array of shape (T,), optional
        All periods of the panel, where some may have no row (a part of the products, to be added to others).

    Returns
    -------
    Panel
        Products and periods sorted; rows by product, then by period.

    Raises
    ------
    BadData
        A missing label, a price or quantity that is missing, infinite or not above 0, two rows for a period and
        product, a period that is not one of `periods`, or no row at all.
    BadCall
        Columns of different lengths.

    Examples
    --------
    >>> p = panel(np.array(["2024-02", "2024-01"]), np.array(["tea", "tea"]), [3.0, 2.0], [1.0, 4.0])
    >>> p.periods.tolist(), p.price.tolist()
    (['2024-01', '2024-02'], [2.0, 3.0])
    """
    period_labels, period_code = _encode(period, "period")
    product_labels, product_code = _encode(product, "product")
    prices, quantities = np.asarray(price, np.float64), np.asarray(quantity, np.float64)
    lengths = {len(column) for column in (period_code, product_code, prices, quantities)}
    if len(lengths) > 1:
        raise BadCall(f"The columns have different lengths: {sorted(lengths)}.", remedy="Give one value a row in each.")
    if lengths == {0}:
        raise BadData("There is no unit value.", remedy="Check the filters before it.")

    def place(row: int) -> str:
        return f"period {period_labels[period_code[row]]}, product {product_labels[product_code[row]]}"

    for name, values in (("price", prices), ("quantity", quantities)):
        bad = np.flatnonzero(~((values > 0) & np.isfinite(values)))
        if bad.size:
            raise BadData(
                f"{bad.size} unit values have a {name} that is missing, infinite or not above 0.",
                where=place(bad[0]),
                remedy="Set these rows aside (net returns, free goods) before the panel is made.",
            )
    # One integer key keeps the sort fast, and repeated keys become neighbours.
    key = product_code * len(period_labels) + period_code
    order = np.argsort(key)
    repeated = np.flatnonzero(np.diff(key[order]) == 0)
    if repeated.size:
        raise BadData(
            f"{repeated.size} unit values repeat a period and product.",
            where=place(order[repeated[0]]),
            remedy="Compute unit values first: sum of turnover over sum of quantity, one row a period and product.",
        )
    if periods is not None:
        period_labels, period_code = _recode(period_labels, period_code, np.unique(np.asarray(periods)))
    return Panel(
        product_labels, period_labels, product_code[order], period_code[order], prices[order], quantities[order]
    )


def with_periods(panel: Panel, periods: ArrayLike) -> Panel:
    """Give a panel more periods, in which it has no row: those of other retailers, or of other groups.

    Parameters
    ----------
    panel : Panel
        Unit values of N products in T periods.
    periods : array
        All periods that are wanted, those of the panel among them.

    Raises
    ------
    BadData
        The panel has a period that is not among them.

    Examples
    --------
    >>> p = panel(np.array(["2024-02"]), np.array(["tea"]), [3.0], [1.0])
    >>> with_periods(p, ["2024-01", "2024-02"]).period.tolist()
    [1]
    """
    wider = np.unique(np.asarray(periods))
    names, code = _recode(panel.periods, panel.period, wider.astype(object) if panel.periods.dtype == object else wider)
    return replace(panel, periods=names, period=code)


def require_consecutive(periods: Labels) -> None:
    """Refuse a gap between periods, over which a chain or a window would jump unseen.

    Parameters
    ----------
    periods : array of shape (T,)
        Sorted months (``2024-12``), ISO weeks (``2024-W05``) or integers. Other labels have no calendar: each is
        taken to follow the one before it.

    Raises
    ------
    BadData
        A period is missing between two others.

    Examples
    --------
    >>> require_consecutive(np.array(["2023-12", "2024-01"]))
    >>> require_consecutive(np.array(["2023-12", "2024-02"]))
    Traceback (most recent call last):
    statcommons.core.errors.BadData: There is no data between 2023-12 and 2024-02. Supply the missing periods, or \
start the series after the gap.
    """
    gaps = np.flatnonzero(np.diff(_ordinals(periods)) != 1)
    if gaps.size:
        before, after = periods[gaps[0]], periods[gaps[0] + 1]
        raise BadData(
            f"There is no data between {before} and {after}.",
            remedy="Supply the missing periods, or start the series after the gap.",
        )


def _ordinals(periods: Labels) -> Integers:
    if periods.dtype.kind in "iu":
        return periods.astype(np.int64)
    texts = [str(period) for period in periods]
    months = [MONTH.fullmatch(text) for text in texts]
    if all(months):
        return np.array([12 * int(match[1]) + int(match[2]) for match in months if match])
    weeks = [WEEK.fullmatch(text) for text in texts]
    if all(weeks):
        return np.array(
            [date.fromisocalendar(int(match[1]), 1, 1).toordinal() // 7 + int(match[2]) for match in weeks if match]
        )
    return np.arange(len(periods))


def _encode(column: Column, name: str) -> tuple[Labels, Integers]:
    """Give the sorted labels that occur and, for each row, the position of its label."""
    if isinstance(column, tuple):
        codes, dictionary = (np.asarray(part) for part in column)
        if codes.size and (codes.min() < 0 or codes.max() >= len(dictionary)):
            raise BadData(f"A row has no {name}.", remedy=f"Set aside rows without {name}.")
        labels, position = _factorize(dictionary, name)
        code = position[codes]
        used = np.bincount(code, minlength=len(labels)) > 0
        return labels[used], (np.cumsum(used) - 1)[code]
    return _factorize(np.asarray(column), name)


def _factorize(values: Labels, name: str) -> tuple[Labels, Integers]:
    if values.dtype.kind in "iuU":
        labels, code = np.unique(values, return_inverse=True)
        return labels, code.astype(np.int64)
    texts = values.tolist()
    if not all(issubclass(kind, str) for kind in set(map(type, texts))):
        strange = next(row for row, text in enumerate(texts) if not isinstance(text, str))
        raise BadData(
            f"A {name} is not text.",
            where=f"row {strange}",
            remedy=f"Read {name} as text and leave none out: a code read as a number loses digits.",
        )
    # Hashing is several times faster than sorting Python strings.
    ordered = sorted(dict.fromkeys(texts))  # keeps their order, and sorting what is sorted is fast
    position = {text: number for number, text in enumerate(ordered)}
    return np.array(ordered, dtype=object), np.fromiter(map(position.__getitem__, texts), np.int64, len(texts))


def _recode(labels: Labels, code: Integers, wider: Labels) -> tuple[Labels, Integers]:
    unknown = np.setdiff1d(labels, wider)
    if unknown.size:
        raise BadData(f"{unknown[0]} is not one of the periods of the panel.", remedy="Name all periods.")
    return wider, np.searchsorted(wider, labels)[code].astype(np.int64)
