"""Unit values: the average price of a product in a period, the first step of every index from scanner data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal

from statcommons.core.engine import current, total
from statcommons.core.errors import BadData
from statcommons.core.method import method
from statcommons.core.quality import measure, notice
from statcommons.core.schema import Table
from statcommons.prices.data import NetReturns, Transactions, UnitValues
from statcommons.prices.panel import Panel, panel
from statcommons.toolbox.periods import Frequency, period_of, start_of

if TYPE_CHECKING:
    import ibis

__all__ = ["By", "NetOfReturns", "aggregated", "panels", "panels_of", "tell_left_out", "unit_values"]

By = Literal["total", "group"]
"""Over all products, or one result a group."""

ALL = "_T"  # SDMX's code for a total
SCALE = 6  # decimals of turnover and quantity that are kept in sums
TINY = 1e-3  # below it they are fewer than four digits


@dataclass(frozen=True)
class NetOfReturns:
    """Unit values, and the products that have none because as many units came back as were sold."""

    result: Table[UnitValues]
    net_returns: Table[NetReturns]


@method(
    version="1.0.0",
    topic="Consumer prices",
    gsbpm="5.7",
    exact=True,
    references=["UN Task Team on Scanner Data, e-handbook CPI from new data sources, unit values"],
)
def unit_values(
    transactions: Table[Transactions],
    *,
    period: Annotated[Frequency, "Whether prices are averaged over months or weeks"] = "month",
    by: Annotated[By, "Whether groups of products are kept apart"] = "total",
) -> NetOfReturns:
    """Compute unit values from transactions.

    The unit value of a product in a period is its turnover over the quantity sold. Returns are taken off both; a
    product of which nothing is left in a period is listed apart.

    Parameters
    ----------
    transactions : Transactions
        Sales, in any order; a negative quantity is a return.
    period : {"month", "week"}
        Whether prices are averaged over months or weeks.
    by : {"total", "group"}
        Whether groups of products are kept apart; then each row needs a group.

    Returns
    -------
    result : UnitValues
        One row a period, group and product.
    net_returns : NetReturns
        What has no unit value.

    Raises
    ------
    BadData
        When groups are asked for and a row has none.

    Examples
    --------
    >>> sales = {"time": ["2026-01-05", "2026-01-09"], "product": ["a", "a"], "price": [2.0, 3.0], "quantity": [1, 3]}
    >>> unit_values(sales).result.select("period", "price", "quantity").to_pyarrow().to_pylist()
    [{'period': '2026-01', 'price': 2.75, 'quantity': 4.0}]
    """
    sums = aggregated(transactions, period, by)
    sold = (sums.quantity > 0) & (sums.turnover > 0)
    return NetOfReturns(
        result=sums.filter(sold).mutate(price=sums.turnover / sums.quantity),
        net_returns=sums.filter(~sold),
    )


def aggregated(transactions: ibis.Table, period: Frequency, by: By) -> ibis.Table:
    """Sum turnover and quantity by period, group and product, exactly.

    Parameters
    ----------
    transactions : ibis.Table
        A table with the schema of Transactions.
    period : {"month", "week"}
        Over what is summed.
    by : {"total", "group"}
        Whether groups of products are kept apart.

    Examples
    --------
    >>> import pyarrow as pa
    >>> day = pa.array([20458, 20459], pa.int32()).cast(pa.date32())
    >>> sales = pa.table({"time": day, "product": ["tea", "tea"], "price": [2.0, 3.0], "quantity": [1.0, 1.0]})
    >>> current().row(aggregated(current().adopt(sales), "month", "total"))["turnover"]
    5.0
    """
    import ibis

    group = transactions.group if by == "group" else ibis.literal(ALL)
    found = current().row(_doubts(transactions, by))
    if found.get("without"):
        raise BadData(
            f"{found['without']:,} transactions have no group.", remedy="Give every row a group, or compile the total."
        )
    if found.get("retailers", 0) > 1:
        notice(
            f"Sales of {found['retailers']:,} retailers are averaged by the code of the product. Where a code is "
            "another product at another retailer, put the retailer into the code."
        )
    if found["tiny"]:
        notice(
            f"{found['tiny']:,} transactions have a quantity or turnover below {TINY:g}, of which sums keep {SCALE} "
            "decimals: give quantities in a smaller unit."
        )
    keyed = transactions.select(
        start=start_of(transactions.time, period),
        group=group,
        product=transactions.product,
        turnover=transactions.price * transactions.quantity,
        quantity=transactions.quantity,
    )
    sums = keyed.group_by(["start", "group", "product"]).agg(
        turnover=total(keyed.turnover, SCALE), quantity=total(keyed.quantity, SCALE)
    )
    return sums.mutate(period=period_of(sums.start, period)).drop("start")


def _doubts(transactions: ibis.Table, by: By) -> ibis.Table:
    """Count, in one pass, what would make unit values wrong in silence."""
    small = (transactions.quantity.abs() < TINY) | ((transactions.price * transactions.quantity).abs() < TINY)
    counts = {"tiny": transactions.count(where=small)}
    if by == "group":
        counts["without"] = transactions.count(where=transactions.group.isnull())
    if "retailer" in transactions.columns:
        counts["retailers"] = transactions.retailer.nunique()
    return transactions.agg(**counts)


def panels(transactions: ibis.Table, period: Frequency, by: By) -> dict[str, Panel]:
    """Make a panel of unit values of each group of products, net of returns, and measure what is left out.

    Parameters
    ----------
    transactions : ibis.Table
        A table with the schema of Transactions.
    period : {"month", "week"}
        Whether prices are averaged over months or weeks.
    by : {"total", "group"}
        Whether groups of products are kept apart.

    Returns
    -------
    dict of str to Panel
        Panels by group; ``_T`` where none is distinguished.

    Examples
    --------
    >>> import pyarrow as pa
    >>> day = pa.array([20458, 20489], pa.int32()).cast(pa.date32())
    >>> sales = pa.table({"time": day, "product": ["tea", "tea"], "price": [2.0, 3.0], "quantity": [1.0, 1.0]})
    >>> panels(current().adopt(sales), "month", "total")["_T"].price.tolist()
    [2.0, 3.0]
    """
    import pyarrow.compute as pc

    table = current().collect(aggregated(transactions, period, by), "Sum up unit values")
    sold = pc.and_(pc.greater(table["turnover"], 0), pc.greater(table["quantity"], 0))
    kept = table.filter(sold)
    tell_left_out(kept.num_rows, table.num_rows)
    return panels_of(kept.append_column("price", pc.divide(kept["turnover"], kept["quantity"])))


def tell_left_out(sold: int, rows: int, remedy: str = "Check the sign of the quantities.") -> None:
    """Measure how many products of a period have no unit value; refuse a table in which none has.

    Parameters
    ----------
    sold : int
        Products of a period of which more were sold than came back.
    rows : int
        All products of a period.
    remedy : str
        What helps where nothing is sold.

    Raises
    ------
    BadData
        Nothing is sold on balance.

    Examples
    --------
    >>> tell_left_out(0, 3)
    Traceback (most recent call last):
    statcommons.core.errors.BadData: Nothing is sold on balance. Check the sign of the quantities.
    """
    if not sold:
        raise BadData("Nothing is sold on balance.", remedy=remedy)
    measure("Unit values left out because returns outweigh sales", 1 - sold / rows, unit="share")


def panels_of(values: Any) -> dict[str, Panel]:
    """Make a panel of each group of unit values.

    Parameters
    ----------
    values : pyarrow.Table
        The columns of UnitValues, in any order.

    Returns
    -------
    dict of str to Panel
        Panels by group.

    Examples
    --------
    >>> import pyarrow as pa
    >>> names = {"period": ["2026-01", "2026-02"], "group": ["01.1"] * 2, "product": ["tea"] * 2}
    >>> panels_of(pa.table(names | {"price": [2.0, 3.0], "quantity": [1.0, 1.0]}))["01.1"].price.tolist()
    [2.0, 3.0]
    """
    import numpy as np

    (period, periods), (product, products), (group, groups) = (
        _coded(values[name].combine_chunks()) for name in ("period", "product", "group")
    )
    price, quantity = values["price"].to_numpy(), values["quantity"].to_numpy()
    by_group = np.argsort(group, kind="stable")
    counts = np.bincount(group, minlength=len(groups))
    made = {}
    for name, end, count in zip(groups, np.cumsum(counts), counts, strict=True):
        rows = by_group[end - count : end] if len(groups) > 1 else slice(None)
        used, code = np.unique(product[rows], return_inverse=True) if len(groups) > 1 else (slice(None), product)
        made[str(name)] = panel((period[rows], periods), (code, products[used]), price[rows], quantity[rows])
    return made


def _coded(column: Any) -> tuple[Any, Any]:
    """Give codes of a column of text, and the sorted labels that they stand for."""
    import numpy as np
    import pyarrow.compute as pc

    coded = column.dictionary_encode()
    order = pc.array_sort_indices(coded.dictionary)  # by bytes of UTF-8, which is the order of Python's text
    rank = np.empty(len(order), np.int64)
    rank[order.to_numpy()] = np.arange(len(order))
    return rank[coded.indices.to_numpy()], np.asarray(coded.dictionary.take(order).to_pylist(), dtype=object)
