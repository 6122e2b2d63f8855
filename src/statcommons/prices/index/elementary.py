"""Elementary price indices: prices compared without weights, of scanner data or of prices read from web pages."""

from __future__ import annotations

import dataclasses
import datetime
from typing import Annotated

from statcommons.core.engine import current
from statcommons.core.errors import BadData
from statcommons.core.method import method
from statcommons.core.schema import Dimension, Gt, Measure, Not, Schema, Table, Time, Unit
from statcommons.prices.data import PriceIndex
from statcommons.prices.index.bilateral import Base, bilateral_series
from statcommons.prices.index.formulas import Elementary
from statcommons.prices.index.price_index import MANUAL, by_group, index_table
from statcommons.prices.unit_values import By, panels
from statcommons.toolbox.periods import Frequency

__all__ = ["Prices", "elementary_index"]

BESIDE = "\x1f"  # between the codes of product and outlet: no code holds it


class Prices(Schema):
    """Prices as they are collected, from web pages, shops or scanners, one row a price; rows may repeat."""

    time: Annotated[datetime.date, Time, "Day on which the price was seen"]
    product: Annotated[str, Dimension, "Code of the product"]
    price: Annotated[float, Measure, Unit("currency"), Gt(0), "Price of one unit"]
    quantity: Annotated[float | None, Measure, Unit("units"), Not(0), "Units sold; negative for a return"] = None
    outlet: Annotated[str | None, Dimension, "Code of the shop or web shop"] = None
    group: Annotated[str | None, Dimension(codes="COICOP"), "Code of the group of products (COICOP)"] = None


@method(version="1.0.0", topic="Consumer prices", gsbpm="5.7", references=[MANUAL])
def elementary_index(
    prices: Table[Prices],
    *,
    formula: Elementary = "jevons",
    base: Base = "fixed",
    period: Frequency = "month",
    by: By = "total",
) -> Table[PriceIndex]:
    """Compile an elementary price index, in which all products count alike.

    A price is compared with that of the same product in the same outlet. Where a product has several prices in a period
    they are averaged first: by the quantities sold (unit value) where these are given, else arithmetically. Without
    quantities, the matched shares of the result are shares in the number of prices.

    Parameters
    ----------
    prices : Prices
        Prices, in any order, with quantities in all rows or in none.
    formula : {"jevons", "dutot", "carli", "harmonic", "cswd", "bmw"}
        Index formula. Dutot weighs by price, so take it for products of one kind and unit only; a chained Carli index
        rises too much.
    base : {"fixed", "previous", "year_ago"}
        Whether a period is compared with the first, with the one before it and chained, or with the same month or week
        a year ago (then the index is 1 in that period, and the first year has none).
    period : {"month", "week"}
        Whether prices are averaged over months or weeks.
    by : {"total", "group"}
        One index over all products, or one a group.

    Returns
    -------
    PriceIndex
        Index numbers, 1 in the first period of each group.

    Raises
    ------
    BadData
        When two compared periods have no product in common, or some prices have quantities and others not.

    Examples
    --------
    >>> seen = {
    ...     "time": ["2026-01-05", "2026-01-05", "2026-02-05", "2026-02-06", "2026-02-05"],
    ...     "product": ["rice", "tea", "rice", "rice", "tea"],
    ...     "price": [1.0, 2.0, 3.0, 5.0, 2.0],
    ... }
    >>> elementary_index(seen, formula="jevons").index.to_pyarrow().to_pylist()
    [1.0, 2.0]
    """
    counts = current().row(prices.agg(rows=prices.count(), sold=prices.quantity.count()))
    weighted = counts["sold"] > 0
    if weighted and counts["sold"] < counts["rows"]:
        raise BadData(
            f"{counts['rows'] - counts['sold']:,} of {counts['rows']:,} prices have no quantity.",
            remedy="Give the quantities of all prices, or leave the column out.",
        )
    # A price without quantity is a sale of one unit, so that a unit value is the mean of the prices.
    each = prices.mutate(
        product=prices.product + BESIDE + prices.outlet.fill_null(""), quantity=prices.quantity.fill_null(1.0)
    )
    made = panels(each, period, by)
    if not weighted:  # then all products have the same turnover, and shares count them
        made = {name: dataclasses.replace(one, quantity=1 / one.price) for name, one in made.items()}
    return index_table(by_group(made, lambda one: bilateral_series(one, formula, base)), formula, 0, base)
