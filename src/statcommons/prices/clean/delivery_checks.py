"""The checks of a delivery, one function each: from rows, or from sums by period, shop, product and price, to findings.

What runs over rows is an Ibis expression, on DuckDB and Spark alike; what is about codes stands in
:mod:`statcommons.prices.clean.delivery_codes`, and what looks at one figure a period and shop in
:mod:`statcommons.prices.clean.delivery_series`. What the thresholds mean, and what they are by default, stands in
:func:`statcommons.prices.clean.check_delivery.check_delivery`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from statcommons.core.engine import total
from statcommons.prices.clean.findings import ALL, finding
from statcommons.toolbox.periods import Frequency, start_of

if TYPE_CHECKING:
    import ibis

__all__ = [
    "broken_letters",
    "cells",
    "copies",
    "many_decimals",
    "repeated_rows",
    "unusual_prices",
]

MONEY, UNITS = 4, 6  # decimals that sums of turnover and of quantities keep
NEAR = 0.05  # how near a ratio must be to a whole multiple to be named so
PACK = 24  # the largest pack
SEVERE = 4  # times the usual price; three times can be the shelf price of what was mostly sold off
SLIP = 0.25  # how near a ratio must be to 100 or 1,000 to be a slip of the decimal sign
EVEN = 1e-9  # a price at exactly three times the usual one counts as unusual, whatever the last bit says

# UTF-8 read as Latin: its first byte became one of these letters, its second a sign of 0x80 to 0xBF (or what
# code page 1252 has there). Further a sign that stands for a lost letter, and a question mark between two letters.
SECOND = "\u0080-\u00bf€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ"
BROKEN = f"[ÂÃÄÅÐÑĂĹ][{SECOND}]|[ĂĹ][łĽşŻ]|â€|\ufffd|\\p{{L}}\\?\\p{{L}}"


def cells(rows: ibis.Table, frequency: Frequency) -> ibis.Table:
    """Sum up by period, shop, product and price: what most checks look at.

    Parameters
    ----------
    rows : ibis.Table
        The delivery.
    frequency : {"month", "week"}
        What a period is.

    Returns
    -------
    ibis.Table
        ``start`` (first day of the period), ``outlet`` (``_T`` where none is given), ``product``, ``price``, ``rows``,
        ``quantity``.

    Examples
    --------
    >>> import datetime
    >>> import pyarrow as pa
    >>> from statcommons.core.engine import current
    >>> day = datetime.date(2026, 1, 5)
    >>> sales = pa.table({"time": [day] * 2, "product": ["a"] * 2, "price": [2.0] * 2, "quantity": [1.0, 2.0]})
    >>> rows = current().adopt(sales.append_column("outlet", pa.array([None, None], pa.string())))
    >>> current().row(cells(rows, "month"))["quantity"]
    3.0
    """
    keyed = rows.select(
        "product", "price", "quantity", start=start_of(rows.time, frequency), outlet=rows.outlet.fill_null(ALL)
    )
    return keyed.group_by(["start", "outlet", "product", "price"]).agg(
        rows=keyed.count(), quantity=total(keyed.quantity, UNITS)
    )


def unusual_prices(sums: ibis.Table, ratio: float) -> ibis.Table:
    """Find prices far from the usual price of their product: other units (UNIT), a slipped decimal sign (DECIMAL).

    The usual price is the median over all rows of the product (the lower one of two). Far is ``ratio`` times or more,
    or one ``ratio``-th or less. Of a pack, the nearest whole multiple from 2 to 24 is named when the price nearest to
    the usual one is within 5 % of it; about 100 or 1,000 times (25 %) is a slip of the decimal sign.

    Parameters
    ----------
    sums : ibis.Table
        What :func:`cells` gives.
    ratio : float
        How many times the usual price is unusual.

    Returns
    -------
    ibis.Table
        One finding a period, shop, product and direction; of high severity from four times on when it is a multiple.

    Examples
    --------
    >>> import datetime
    >>> import pyarrow as pa
    >>> from statcommons.core.engine import current
    >>> same = {"start": [datetime.date(2026, 1, 1)] * 3, "outlet": ["_T"] * 3, "product": ["milk"] * 3}
    >>> sums = pa.table(same | {"price": [4.0, 4.1, 48.0], "rows": [5, 5, 1], "quantity": [9.0, 9.0, 1.0]})
    >>> current().row(unusual_prices(current().adopt(sums), 3.0))["detail"]
    '12 times the usual price'
    """
    import ibis

    prices = sums.group_by(["product", "price"]).agg(rows=sums.rows.sum())
    prices = prices.mutate(
        below=prices.rows.sum().over(ibis.cumulative_window(group_by="product", order_by="price")),
        all=prices.rows.sum().over(ibis.window(group_by="product")),
    )
    half = prices.filter(prices.below * 2 >= prices["all"])
    usual = half.group_by("product").agg(usual=half.price.min())
    far = sums.join(usual, "product").mutate(times=lambda one: one.price / one.usual)
    far = far.filter((far.times >= ratio * (1 - EVEN)) | (far.times <= (1 + EVEN) / ratio))
    far = far.mutate(above=far.times > 1, size=ibis.ifelse(far.times > 1, far.times, 1 / far.times))
    far = far.mutate(slip=_near(far["size"], 100.0, SLIP) | _near(far["size"], 1000.0, SLIP))
    named = far.group_by(["start", "outlet", "product", "usual", "above", "slip"]).agg(
        n_rows=far.rows.sum(),
        size=far["size"].min(),
        observed=ibis.ifelse(far.above, far.price, None).min().fill_null(far.price.max()),
    )
    whole = named["size"].round().cast("int64")
    is_pack = (whole >= 2) & (whole <= PACK) & _near(named["size"], whole, NEAR)
    words = ibis.ifelse(named.above, whole.cast("string") + " times", "1/" + whole.cast("string") + " of")
    far_words = ibis.ifelse(named.above, "far above", "far below")
    detail = ibis.ifelse(is_pack, words, far_words) + " the usual price"
    units = named.filter(~named.slip)
    units = finding(
        units,
        "UNIT",
        severity=ibis.ifelse(is_pack & named.above & (whole >= SEVERE), "high", "medium"),
        **_same(units, "outlet", "product", "observed", "n_rows"),
        expected=units.usual,
        detail=detail,
    )
    slips = named.filter(named.slip)
    hundreds = ibis.ifelse(slips["size"] < 500, "100", "1,000")
    slips = finding(
        slips,
        "DECIMAL",
        severity="high",
        **_same(slips, "outlet", "product", "observed", "n_rows"),
        expected=slips.usual,
        unit="currency",
        detail="about " + ibis.ifelse(slips.above, hundreds + " times", "1/" + hundreds + " of") + " the usual price",
    )
    return units.union(slips)


def _same(table: ibis.Table, *names: str) -> dict[str, Any]:
    return {name: table[name] for name in names}


def _near(value: Any, goal: Any, share: float) -> Any:
    return (value / goal - 1).abs() <= share


def many_decimals(sums: ibis.Table, decimals: int) -> ibis.Table:
    """Find periods with prices that have more decimals than the currency (DECIMAL), such as averages.

    Parameters
    ----------
    sums : ibis.Table
        What :func:`cells` gives.
    decimals : int
        Decimals of the currency.

    Returns
    -------
    ibis.Table
        One finding a period, of low severity.

    Examples
    --------
    >>> import datetime
    >>> import pyarrow as pa
    >>> from statcommons.core.engine import current
    >>> day = datetime.date(2026, 1, 1)
    >>> same = {"start": [day] * 2, "outlet": ["_T"] * 2, "product": ["a", "b"], "quantity": [1.0] * 2, "rows": [1] * 2}
    >>> sums = current().adopt(pa.table(same | {"price": [2.5, 1.3333]}))
    >>> current().row(many_decimals(sums, 2))["observed"]
    0.5
    """
    scaled = sums.price * 10**decimals
    odd = (scaled - scaled.round()).abs() > 1e-6 * scaled.abs() + 1e-6
    by_period = sums.group_by("start").agg(
        n_rows=sums.rows.sum(where=odd).fill_null(0), rows=sums.rows.sum(), example=sums["product"].min(where=odd)
    )
    by_period = by_period.filter(by_period.n_rows > 0)
    return finding(
        by_period,
        "DECIMAL",
        severity="low",
        observed=by_period.n_rows / by_period.rows,
        n_rows=by_period.n_rows,
        unit="share of rows",
        detail=f"prices with more than {decimals} decimals, such as of product " + by_period.example,
    )


def repeated_rows(rows: ibis.Table, frequency: Frequency, share: float) -> ibis.Table:
    """Find rows that repeat shop, product, day and quantity: on several prices (FANOUT) or one (DUPLICATE).

    No row counts in both. Rows are taken for sums of sales: equal single sales are normal, and not for this check.

    Parameters
    ----------
    rows : ibis.Table
        The delivery.
    frequency : {"month", "week"}
        What a period is.
    share : float
        From which share of the rows of a shop in a period on it is severe.

    Returns
    -------
    ibis.Table
        One finding a period and shop.

    Examples
    --------
    >>> import datetime
    >>> import pyarrow as pa
    >>> from statcommons.core.engine import current
    >>> same = {
    ...     "time": [datetime.date(2026, 1, 5)] * 2,
    ...     "outlet": ["a"] * 2,
    ...     "price": [2.0, 3.0],
    ...     "quantity": [7.0] * 2,
    ... }
    >>> rows = current().adopt(pa.table(same | {"product": ["tea"] * 2}))
    >>> found = current().row(repeated_rows(rows, "month", 0.05))
    >>> found["code"], found["n_rows"]
    ('FANOUT', 2)
    """
    import ibis

    rows = rows.mutate(outlet=rows.outlet.fill_null(ALL))
    groups = rows.group_by(["time", "outlet", "product", "quantity"]).agg(
        n=rows.count(), low=rows.price.min(), high=rows.price.max()
    )
    groups = groups.mutate(
        start=start_of(groups.time, frequency),
        fanned=(groups.n > 1) & (groups.low < groups.high),
        twice=(groups.n > 1) & (groups.low == groups.high),
    )
    by_outlet = groups.group_by(["start", "outlet"]).agg(
        rows=groups.n.sum(),
        **{
            f"{name}_{what}": one
            for name in ("fanned", "twice")
            for what, one in (
                ("rows", groups.n.sum(where=groups[name]).fill_null(0)),
                ("example", groups["product"].min(where=groups[name])),
            )
        },
    )
    found = []
    for code, name, words in (("FANOUT", "fanned", "a quantity on several prices"), ("DUPLICATE", "twice", "rows")):
        some = by_outlet.filter(by_outlet[f"{name}_rows"] > 0)
        count = some[f"{name}_rows"]
        part = count / some.rows
        found.append(
            finding(
                some,
                code,
                severity=ibis.ifelse(part >= share, "high", "medium"),
                outlet=some.outlet,
                observed=part,
                n_rows=count,
                detail=f"{words} repeated, such as of product " + some[f"{name}_example"],
            )
        )
    return found[0].union(found[1])


def copies(sums: ibis.Table) -> ibis.Table:
    """Count for each shop and two periods the rows of the later one that the earlier one has too, day aside.

    Rows are compared as sums by product and price: rows and quantity must be the same.

    Parameters
    ----------
    sums : ibis.Table
        What :func:`cells` gives.

    Returns
    -------
    ibis.Table
        ``outlet``, ``start`` (the later period), ``start_earlier``, ``same`` (rows).

    Examples
    --------
    >>> import datetime
    >>> import pyarrow as pa
    >>> from statcommons.core.engine import current
    >>> days = [datetime.date(2026, 1, 1), datetime.date(2026, 2, 1)]
    >>> same = {
    ...     "outlet": ["_T"] * 2,
    ...     "product": ["tea"] * 2,
    ...     "price": [2.0] * 2,
    ...     "rows": [3] * 2,
    ...     "quantity": [7.0] * 2,
    ... }
    >>> current().row(copies(current().adopt(pa.table(same | {"start": days}))))["same"]
    3
    """
    other = sums.view().rename(start_earlier="start")
    both = sums.join(other, ["outlet", "product", "price", "rows", "quantity"])
    both = both.filter(both.start_earlier < both.start)
    return both.group_by(["outlet", "start", "start_earlier"]).agg(same=both.rows.sum())


def broken_letters(rows: ibis.Table, frequency: Frequency) -> ibis.Table:
    """Find names of products whose letters were broken by a wrong encoding (ENCODING).

    Parameters
    ----------
    rows : ibis.Table
        The delivery, with ``description``.
    frequency : {"month", "week"}
        What a period is.

    Returns
    -------
    ibis.Table
        One finding a period and shop.

    Examples
    --------
    >>> import datetime
    >>> import pyarrow as pa
    >>> from statcommons.core.engine import current
    >>> same = {
    ...     "time": [datetime.date(2026, 1, 5)] * 2,
    ...     "outlet": ["a"] * 2,
    ...     "price": [2.0, 3.0],
    ...     "quantity": [7.0] * 2,
    ... }
    >>> rows = current().adopt(pa.table(same | {"description": ["ryż biały", "ryÅ¼ biaÅ‚y"]}))
    >>> current().row(broken_letters(rows, "month"))["detail"]
    'such as “ryÅ¼ biaÅ‚y”'
    """
    names = rows.select("description").distinct()  # few against the rows, and a pattern is slow
    broken = rows.semi_join(names.filter(names.description.re_search(BROKEN)), "description")
    broken = broken.mutate(start=start_of(broken.time, frequency), outlet=broken.outlet.fill_null(ALL))
    by_outlet = broken.group_by(["start", "outlet"]).agg(n_rows=broken.count(), example=broken.description.min())
    return finding(
        by_outlet,
        "ENCODING",
        severity="low",
        outlet=by_outlet.outlet,
        observed=by_outlet.n_rows,
        n_rows=by_outlet.n_rows,
        detail="such as “" + by_outlet.example + "”",
    )
