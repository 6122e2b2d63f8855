"""The hold plan carried out: what the index takes of a delivery until the retailer has answered."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from statcommons.core.engine import current, total
from statcommons.prices.clean.findings import ALL, MATTERS
from statcommons.toolbox.periods import Frequency, period_of, start_of

if TYPE_CHECKING:
    import ibis

__all__ = ["held"]

PRODUCTS = ("UNIT", "DECIMAL")  # a price of these is not that of the product; it leaves the period in its shop
MONEY = 6  # decimals that are kept where prices are averaged


def held(rows: ibis.Table, plan: Any, findings: Any, period: Frequency) -> ibis.Table:
    """Leave out what is held, average what repeats, and leave products out whose price is of another unit.

    - Shops whose period is held lose the rows of it: the others move the index (or the group above, where nobody else
      is there).
    - Where rows repeat a quantity on several prices, they become one row with their mean price.
    - A product with a price of another unit, or with a slipped decimal sign, leaves that period in that shop.

    Parameters
    ----------
    rows : ibis.Table
        A delivery of one retailer: time, product, price, quantity, outlet, and more.
    plan, findings : pyarrow.Table
        What :func:`~statcommons.prices.clean.check_delivery.check_delivery` gave for it.
    period : {"month", "week"}
        What a period is.

    Returns
    -------
    ibis.Table
        The columns of the delivery.

    Examples
    --------
    >>> import datetime
    >>> import pyarrow as pa
    >>> day = datetime.date(2026, 1, 5)
    >>> sales = pa.table({"time": [day] * 2, "product": ["a"] * 2, "price": [2.0, 4.0], "quantity": [3.0] * 2})
    >>> rows = current().adopt(sales.append_column("outlet", pa.array(["7", "7"])))
    >>> plan = pa.table({"period": ["2026-01"], "outlet": ["7"], "decision": ["hold"], "reasons": ["FANOUT"]})
    >>> plan = plan.append_column("fallback", pa.array(["average_repeats"]))
    >>> nothing = pa.table(
    ...     {name: pa.array([], pa.string()) for name in ("code", "severity", "period", "outlet", "product")}
    ... )
    >>> held(rows, plan, nothing, "month").to_pyarrow().select(["price", "quantity"]).to_pylist()
    [{'price': 3.0, 'quantity': 3.0}]
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    engine = current()
    placed = rows.mutate(__period=period_of(start_of(rows.time, period), period), __outlet=rows.outlet.fill_null(ALL))
    averaged = pc.equal(plan["fallback"], "average_repeats")
    out = plan.filter(pc.and_(pc.equal(plan["decision"], "hold"), pc.invert(averaged))).select(["period", "outlet"])
    places = ["__period", "__outlet"]
    if out.num_rows:
        placed = placed.anti_join(engine.adopt(out.rename_columns(places)), places)
    strange = pc.and_(
        pc.is_in(findings["code"], pa.array(PRODUCTS)),
        pc.and_(pc.is_in(findings["severity"], pa.array(MATTERS)), pc.not_equal(findings["product"], ALL)),
    )
    odd = findings.filter(strange).select(["period", "outlet", "product"])
    if odd.num_rows:
        keys = [*places, "product"]
        placed = placed.anti_join(engine.adopt(odd.rename_columns(keys).group_by(keys).aggregate([])), keys)
    repeats = plan.filter(averaged).select(["period", "outlet"])
    if repeats.num_rows:
        these = engine.adopt(repeats.rename_columns(places))
        placed = placed.anti_join(these, places).union(_averaged(placed.semi_join(these, places)))
    return placed.select(*rows.columns)


def _averaged(placed: ibis.Table) -> ibis.Table:
    """Make one row of those that repeat shop, product, day and quantity, at their mean price."""
    same = ["__period", "__outlet", "outlet", "time", "product", "quantity"]
    others = {name: placed[name].min() for name in placed.columns if name not in (*same, "price")}
    made = placed.group_by(same).agg(price=total(placed.price, MONEY) / placed.count(), **others)
    return made.select(*placed.columns)
