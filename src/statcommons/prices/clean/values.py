"""Unit values in memory, as filters and imputation read them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from statcommons.core.engine import current
from statcommons.prices.panel import Floats, Integers, Labels, require_consecutive

__all__ = ["Values", "coded", "read_values"]


@dataclass(frozen=True, eq=False)
class Values:
    """Unit values sorted by group, product and period; an item is a product of a group.

    Parameters
    ----------
    table : pyarrow.Table
        The rows.
    periods, groups : array
        The T periods and the groups, sorted.
    products : list of str
        The product of each item.
    time, group, item : array of shape (rows,)
        Positions of period, group and item.
    price, quantity, turnover : array of shape (rows,)
        The measures.
    """

    table: Any
    periods: Labels
    groups: Labels
    products: list[str]
    time: Integers
    group: Integers
    item: Integers
    price: Floats
    quantity: Floats
    turnover: Floats

    @property
    def group_of(self) -> Integers:
        """The position of the group of each item."""
        return self.group[np.flatnonzero(np.diff(self.item, prepend=-1))]


def read_values(unit_values: Any) -> Values:
    """Read unit values into memory, some 60 bytes a row.

    Parameters
    ----------
    unit_values : ibis.Table
        A table with the schema of UnitValues.

    Returns
    -------
    Values
        Sorted rows.

    Raises
    ------
    BadData
        When a period is missing between two others.

    Examples
    --------
    >>> import pyarrow as pa
    >>> names = {"period": ["2026-01"] * 2, "group": ["_T"] * 2, "product": ["tea", "rice"]}
    >>> rows = pa.table(names | {"price": [2.0, 1.0], "quantity": [1.0, 1.0], "turnover": [2.0, 1.0]})
    >>> read_values(current().adopt(rows)).products
    ['rice', 'tea']
    """
    table = current().collect(unit_values.order_by(["group", "product", "period"]), "Read unit values")
    periods, time = coded(table["period"])
    require_consecutive(periods)
    groups, group = coded(table["group"])
    products, product = coded(table["product"])
    new = np.append(True, (group[1:] != group[:-1]) | (product[1:] != product[:-1]))[: len(time)]
    return Values(
        table,
        periods,
        groups,
        products[product[new]].tolist(),
        time,
        group,
        np.cumsum(new).astype(np.int64) - 1,
        *(table[name].to_numpy() for name in ("price", "quantity", "turnover")),
    )


def coded(column: Any) -> tuple[Labels, Integers]:
    """Give the sorted labels of a column, and for each row the position of its label.

    Parameters
    ----------
    column : pyarrow.ChunkedArray
        Texts, none missing.

    Returns
    -------
    tuple of arrays
        Labels, and positions of shape (rows,).

    Examples
    --------
    >>> import pyarrow as pa
    >>> labels, place = coded(pa.chunked_array([["b", "a", "b"]]))
    >>> labels.tolist(), place.tolist()
    (['a', 'b'], [1, 0, 1])
    """
    one = column.combine_chunks().dictionary_encode()
    labels = np.asarray(one.dictionary.to_pylist(), dtype=object)
    order = np.argsort(labels)
    return labels[order], np.argsort(order)[one.indices.to_numpy()].astype(np.int64)
