"""The checks of a delivery that look at the codes of products: valid GTINs, and codes that stand for several."""

from __future__ import annotations

from typing import TYPE_CHECKING

from statcommons.prices.clean.findings import finding
from statcommons.prices.clean.gtin import gtin_fault
from statcommons.toolbox.periods import Frequency, start_of

if TYPE_CHECKING:
    import ibis

__all__ = ["code_faults", "codes_of", "one_to_many"]


def codes_of(sums: ibis.Table) -> ibis.Table:
    """List the codes of products, and what is wrong with each as a GTIN.

    Parameters
    ----------
    sums : ibis.Table
        What :func:`~statcommons.prices.clean.delivery_checks.cells` gives.

    Returns
    -------
    ibis.Table
        ``product``, ``start`` (of its first period), ``n_rows``, ``fault`` (see
        :func:`statcommons.prices.clean.gtin.gtin_fault`).

    Examples
    --------
    >>> import datetime
    >>> import pyarrow as pa
    >>> from statcommons.core.engine import current
    >>> day = datetime.date(2026, 1, 1)
    >>> sums = pa.table({"start": [day] * 2, "product": ["5904215121565", "5.904215E+12"], "rows": [1, 1]})
    >>> codes = codes_of(current().adopt(sums))
    >>> current().collect(codes.order_by("product"))["fault"].to_pylist()
    ['floated', None]
    """
    codes = sums.group_by("product").agg(start=sums.start.min(), n_rows=sums.rows.sum())
    return codes.mutate(fault=gtin_fault(codes["product"]))


FAULTS = {
    "floated": "the code was taken for a number",
    "length": "not 8, 12, 13 or 14 digits",
    "digit": "wrong check digit",
    "in_store": "a number that shops give themselves",
}


def code_faults(codes: ibis.Table, own: bool) -> ibis.Table:
    """Find products whose code is no GTIN (GTIN), or was taken for a number (FLOATED).

    Parameters
    ----------
    codes : ibis.Table
        What :func:`codes_of` gives.
    own : bool
        Whether the retailer gives codes of its own, so that only those taken for numbers are faults.

    Returns
    -------
    ibis.Table
        One finding a product.

    Examples
    --------
    >>> import datetime
    >>> import pyarrow as pa
    >>> from statcommons.core.engine import current
    >>> day = datetime.date(2026, 1, 1)
    >>> codes = {"start": [day], "product": ["5904215121566"], "n_rows": [9], "fault": ["digit"]}
    >>> current().row(code_faults(current().adopt(pa.table(codes)), False))["detail"]
    'wrong check digit'
    """
    import ibis

    wrong = codes.filter(codes.fault == "floated" if own else codes.fault.notnull())
    found = finding(
        wrong,
        "GTIN",
        severity=ibis.ifelse(wrong.fault == "in_store", "low", "medium"),
        product=wrong["product"],
        observed=1,
        n_rows=wrong.n_rows,
        detail=ibis.cases(*((wrong.fault == name, text) for name, text in FAULTS.items()), else_=""),
    )
    return found.mutate(code=ibis.ifelse(found.detail == FAULTS["floated"], "FLOATED", "GTIN"))


def one_to_many(rows: ibis.Table, frequency: Frequency) -> ibis.Table:
    """Find retailer's codes that stand for several products, and products with several such codes (ONE_TO_MANY).

    Parameters
    ----------
    rows : ibis.Table
        The delivery, with ``retailer_code``.
    frequency : {"month", "week"}
        What a period is.

    Returns
    -------
    ibis.Table
        One finding a code; ``product`` is the code that stands for several.

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
    >>> rows = current().adopt(pa.table(same | {"product": ["a", "b"], "retailer_code": ["7", "7"]}))
    >>> found = current().row(one_to_many(rows, "month"))
    >>> found["product"], found["detail"]
    ('7', "a retailer's code with products a and b")
    """
    own = rows.filter(rows.retailer_code.notnull())
    pairs = own.group_by(["retailer_code", "product"]).agg(n=own.count(), start=own.time.min())
    found = []
    for one, many, words in (
        ("retailer_code", "product", "a retailer's code with products "),
        ("product", "retailer_code", "a product with retailer's codes "),
    ):
        by_code = pairs.group_by(one).agg(
            count=pairs.count(),
            n_rows=pairs.n.sum(),
            start=pairs.start.min(),
            first=pairs[many].min(),
            last=pairs[many].max(),
        )
        by_code = by_code.filter(by_code["count"] > 1).mutate(start=start_of(by_code.start, frequency))
        found.append(
            finding(
                by_code,
                "ONE_TO_MANY",
                product=by_code[one],
                observed=by_code["count"],
                expected=1,
                n_rows=by_code.n_rows,
                detail=words + by_code["first"] + " and " + by_code["last"],
            )
        )
    return found[0].union(found[1])
