"""Sums of a panel that is larger than memory: unit values on the engine's disk, and sums from one part at a time."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from statcommons.core.engine import current, total
from statcommons.prices.index.pairs import Pairs
from statcommons.prices.panel import Floats, Panel, with_periods
from statcommons.prices.unit_values import SCALE, By, aggregated, panels_of, tell_left_out
from statcommons.toolbox.periods import Frequency

if TYPE_CHECKING:
    import ibis

__all__ = ["pairs_in_parts"]

ROWS = 2**20  # unit values of a part, about, which are some 200 MB while they become a panel


def pairs_in_parts(
    transactions: ibis.Table, period: Frequency, by: By, make: Callable[[Panel, Floats], Pairs], rows: int = ROWS
) -> dict[str, Pairs]:
    """Sum each group of products over pairs of periods, part by part, in memory that does not grow with the data.

    Parameters
    ----------
    transactions : ibis.Table
        A table with the schema of Transactions.
    period : {"month", "week"}
        Whether prices are averaged over months or weeks.
    by : {"total", "group"}
        Whether groups of products are kept apart.
    make : function of Panel and array
        Makes the sums of a part of the products from its panel and the turnover of all products by period, such as
        the ``pairs`` of a `Recipe`.
    rows : int
        About how many unit values a part has.

    Returns
    -------
    dict of str to Pairs
        Sums by group; ``_T`` where none is distinguished. They are those of one panel but for the last digits, which
        depend on how products fall into parts.

    Raises
    ------
    BadData
        Nothing is sold on balance, or a row has no group where groups are asked for.

    Examples
    --------
    >>> from statcommons.prices.index.multilateral import Recipe, multilateral_series
    >>> import pyarrow as pa
    >>> day = pa.array([20458, 20489], pa.int32()).cast(pa.date32())
    >>> sales = pa.table({"time": day, "product": ["tea", "tea"], "price": [2.0, 3.0], "quantity": [1.0, 1.0]})
    >>> recipe = Recipe("gk")
    >>> sums = pairs_in_parts(current().adopt(sales), "month", "total", recipe.pairs)["_T"]
    >>> multilateral_series(sums, recipe).index.tolist()
    [1.0, 1.5]
    """
    engine = current()
    sums = engine.kept(aggregated(transactions, period, by), "Sum up unit values")
    sold = sums.filter((sums.turnover > 0) & (sums.quantity > 0))
    sold = sold.mutate(price=sold.turnover / sold.quantity)
    by_period = engine.collect(
        sold.group_by(["group", "period"])
        .agg(turnover=total(sold.turnover, SCALE), rows=sold.count())
        .order_by(["group", "period"])
    ).to_pylist()
    kept, all_of = sum(one["rows"] for one in by_period), engine.row(sums.agg(rows=sums.count()))["rows"]
    tell_left_out(kept, all_of)
    known: dict[str, list[Any]] = {}
    for one in by_period:
        known.setdefault(one["group"], []).append((one["period"], one["turnover"]))
    count = -(-kept // rows)
    place = (sold["product"].hash() % count + count) % count  # Spark's hash may be negative
    made: dict[str, Pairs] = {}
    for part in range(count):
        for group, panel in panels_of(engine.collect(sold.filter(place == part), "Compare all periods")).items():
            names, turnover = zip(*known[group], strict=True)
            found = make(with_periods(panel, names), np.array(turnover))
            made[group] = made[group] + found if group in made else found
    return {group: made[group] for group in known}
