"""Price indices from transactions: the methods that stand on bilateral and multilateral index numbers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

from statcommons.core.errors import BadCall, BadData
from statcommons.core.method import method
from statcommons.core.quality import measure
from statcommons.core.schema import Ge, Le, Table, Unit
from statcommons.prices.data import PriceIndex, Transactions
from statcommons.prices.index.bilateral import Base, Match, bilateral_series
from statcommons.prices.index.formulas import Name
from statcommons.prices.unit_values import ALL, By, panels
from statcommons.toolbox.periods import Frequency

if TYPE_CHECKING:
    from statcommons.prices.panel import Series

__all__ = ["bilateral_index"]

T = TypeVar("T")

MANUAL = "IMF, ILO, Eurostat, UNECE, OECD, World Bank (2020), Consumer Price Index Manual: Concepts and Methods"
HANDBOOK = "UN Task Team on Scanner Data, e-handbook CPI from new data sources"


@method(version="1.0.0", topic="Consumer prices", gsbpm="5.7", references=[MANUAL, HANDBOOK])
def bilateral_index(
    transactions: Table[Transactions],
    *,
    formula: Name = "tornqvist",
    base: Base = "fixed",
    match: Match = "matched",
    period: Frequency = "month",
    by: By = "total",
    sigma: Annotated[float, Ge(0), Le(100)] = 0.7,
    tau: Annotated[float, Ge(0), Le(1), Unit("share")] = 0.7,
    basket_from: str | None = None,
    basket_to: str | None = None,
) -> Table[PriceIndex]:
    """Compile a bilateral price index from scanner data, by any of the formulas of the handbooks.

    Each period is compared over the products that both have: with the first period, with the one before and then
    chained, or with the same month a year ago. A chained index follows new products but drifts where prices bounce in
    sales; the multilateral index does not.

    Parameters
    ----------
    transactions : Transactions
        Sales, in any order; unit values are computed first.
    formula : str
        Index formula. Those named unit_value and value are over all products, matched or not.
    base : {"fixed", "previous", "year_ago"}
        Whether a period is compared with the first, with the one before it and chained, or with the same month or week
        a year ago (then the index is 1 in that period, and the first year has none).
    match : {"matched", "imputed"}
        Whether only products sold in both periods are compared, or a price missing in one is imputed by the mean change
        of the matched products.
    period : {"month", "week"}
        Whether prices are averaged over months or weeks.
    by : {"total", "group"}
        One index over all products, or one a group.
    sigma : float
        Elasticity of substitution, for lloyd_moulton.
    tau : float
        Weight of the geometric Laspeyres index, for ag_mean.
    basket_from : str, optional
        First period of the basket, for lowe, young and their geometric forms; else the first period there is.
    basket_to : str, optional
        Last period of the basket; else its first.

    Returns
    -------
    PriceIndex
        Index numbers, 1 in the first period of each group.

    Raises
    ------
    BadData
        When two compared periods have no product in common, or none of the basket.

    Examples
    --------
    >>> sales = {
    ...     "time": ["2026-01-05", "2026-01-05", "2026-02-05", "2026-02-05"],
    ...     "product": ["rice", "tea", "rice", "tea"],
    ...     "price": [1.0, 1.0, 0.5, 1.0],
    ...     "quantity": [10, 100, 5000, 100],
    ... }
    >>> bilateral_index(sales, formula="fisher").index.round(3).to_pyarrow().to_pylist()
    [1.0, 0.698]
    """
    if basket_to is not None and basket_from is None:
        raise BadCall("The basket has a last period, but no first.", remedy="Give basket_from.")
    basket = None if basket_from is None else (basket_from, basket_to or basket_from)
    made = panels(transactions, period, by)
    found = by_group(made, lambda one: bilateral_series(one, formula, base, match, sigma=sigma, tau=tau, basket=basket))
    if match == "matched":
        return index_table(found, formula, 0, base)
    unmatched = [1 - (one.matched_share_base + one.matched_share_current) / 2 for one in found.values()]
    largest = max(float(one.max()) for one in unmatched)
    measure("Largest share of turnover with an imputed price", largest, unit="share", indicator="ESS A7")
    return index_table(found, f"{formula}_imputed", 0, base)


def by_group(made: Mapping[str, T], compute: Callable[[T], Series]) -> dict[str, Series]:
    """Compute an index series of each group; an error names its group."""
    found = {}
    for name, one in made.items():
        try:
            found[name] = compute(one)
        except BadData as error:
            error.where = error.where or (f"group {name}" if name != ALL else "")
            raise
    return found


def index_table(found: Mapping[str, Series], formula: str, window: int, splice: str) -> Any:
    """Bring index series of groups to the columns of PriceIndex, and measure how much is matched."""
    import numpy as np
    import pyarrow as pa

    counts = [len(series.periods) for series in found.values()]
    rows = sum(counts)

    def joined(name: str) -> Any:
        return np.concatenate([np.asarray(getattr(series, name)) for series in found.values()])

    smallest = float(joined("matched_share_current").min())
    measure("Smallest matched share of turnover", smallest, unit="share", indicator="NQAF 14 accuracy")
    return pa.table(
        {
            "period": joined("periods").astype(str),
            "group": np.repeat(list(found), counts),
            "method": [formula] * rows,
            "window": [window] * rows,
            "splice": [splice] * rows,
            "index": joined("index"),
            "matched_products": joined("matched_products"),
            "matched_share_base": joined("matched_share_base"),
            "matched_share_current": joined("matched_share_current"),
            "status": ["A"] * rows,
        }
    )
