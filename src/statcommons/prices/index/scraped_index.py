"""A multilateral index of prices without quantities, such as those that are read from web pages."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, Any, Literal

import numpy as np

from statcommons.core.engine import current
from statcommons.core.errors import BadData, counted
from statcommons.core.method import method
from statcommons.core.quality import measure
from statcommons.core.schema import Concept, Dimension, Ge, Gt, Le, Measure, Period, Schema, Table, Time, Unit
from statcommons.prices.data import PriceIndex
from statcommons.prices.index.elementary import BESIDE, Prices
from statcommons.prices.index.extension import Splice
from statcommons.prices.index.multilateral import Recipe, multilateral_series
from statcommons.prices.index.price_index import HANDBOOK, by_group, index_table
from statcommons.prices.unit_values import By, panels
from statcommons.toolbox.periods import Frequency

if TYPE_CHECKING:
    import ibis

    from statcommons.prices.panel import Panel, Series

__all__ = ["HiddenQuantities", "ProxyWeights", "ScrapedIndex", "scraped_index"]


class ProxyWeights(Schema, key=("product",)):
    """What stands in for the turnover of a product: a rank in a list, a number of reviews, a shelf's length."""

    product: Annotated[str, Dimension, "Code of the product"]
    weight: Annotated[float, Measure, Gt(0), "Its weight, in any unit"]


class HiddenQuantities(Schema, key=("period", "group")):
    """The index with quantities and without them, where they are known: what their lack costs."""

    period: Annotated[Period, Time, Concept("TIME_PERIOD"), "Month or week"]
    group: Annotated[str, Dimension(codes="COICOP"), "Group of products; _T where none is distinguished"]
    without: Annotated[float, Measure(decimals=4), Unit("first period = 1"), Gt(0), "Index with quantities hidden"]
    known: Annotated[float, Measure(decimals=4), Unit("first period = 1"), Gt(0), "Index with quantities"]
    difference: Annotated[float, Measure(decimals=3), Unit("percent"), "How far the first is from the second"]


@dataclass(frozen=True)
class ScrapedIndex:
    """An index without quantities, and how far it is from the one with them, where they are known."""

    result: Table[PriceIndex]
    hidden: Table[HiddenQuantities]


@method(version="1.0.0", topic="Consumer prices", gsbpm="5.7", references=[HANDBOOK])
def scraped_index(
    prices: Table[Prices],
    proxies: Table[ProxyWeights] | None = None,
    *,
    method: Literal["geks", "tpd"] = "geks",
    window: Annotated[int, Ge(2), Le(1040), Unit("periods")] = 25,
    splice: Splice = "mean",
    period: Frequency = "month",
    by: By = "total",
) -> ScrapedIndex:
    """Compile a transitive price index from prices without quantities.

    All products weigh alike (GEKS over Jevons, unweighted TPD), or by what stands in for their turnover (GEKS over
    Törnqvist, weighted TPD). Where the prices do have quantities they are hidden from the index, and a second one shows
    what that costs: so try on scanner data what you would lose on web pages.

    Parameters
    ----------
    prices : Prices
        Prices in any order; several of a product in a shop and period are averaged.
    proxies : ProxyWeights, optional
        What stands in for the turnover of each product.
    method : {"geks", "tpd"}
        The multilateral method.
    window : int
        Periods in a window.
    splice : str
        How a new window is linked to the published series.
    period : {"month", "week"}
        Whether prices are averaged over months or weeks.
    by : {"total", "group"}
        One index over all products, or one a group.

    Returns
    -------
    result : PriceIndex
        Index numbers, 1 in the first period of each group. Matched shares count products, or proxies.
    hidden : HiddenQuantities
        Both indices, where all prices have quantities; else no row.

    Raises
    ------
    BadData
        When two periods of a window share no product, or a product has no proxy.

    Examples
    --------
    >>> import warnings
    >>> seen = {"time": ["2026-01-05", "2026-01-05", "2026-02-05", "2026-02-06"], "product": ["rice", "tea"] * 2}
    >>> with warnings.catch_warnings():
    ...     warnings.simplefilter("ignore")  # two months are fewer than a window
    ...     made = scraped_index(seen | {"price": [1.0, 2.0, 4.0, 2.0]})
    ...     weighted = scraped_index(
    ...         seen | {"price": [1.0, 2.0, 4.0, 2.0]}, {"product": ["rice", "tea"], "weight": [1, 3]}
    ...     )
    >>> [one.result.index.round(4).to_pyarrow().to_pylist() for one in (made, weighted)]
    [[1.0, 2.0], [1.0, 1.4142]]
    """
    counts = current().row(prices.agg(rows=prices.count(), sold=prices.quantity.count()))
    weights = None if proxies is None else _weights(proxies)
    plain = _panels(prices.mutate(quantity=1.0), period, by)
    hidden = {name: _weighted(one, weights) for name, one in plain.items()}
    recipe = Recipe(method, "tornqvist" if weights else "jevons", "usual" if weights else "equal", window, splice)
    recipe = replace(recipe, weights="usual") if method == "geks" else recipe
    found = by_group(hidden, lambda one: multilateral_series(recipe.pairs(one), recipe))
    rows: dict[str, list[Any]] = {name: [] for name in ("period", "group", "without", "known", "difference")}
    if counts["sold"] == counts["rows"]:
        usual = Recipe(method, "tornqvist", "usual", window, splice)
        sold = by_group(_panels(prices, period, by), lambda one: multilateral_series(usual.pairs(one), usual))
        rows = _compared(found, sold)
    return ScrapedIndex(index_table(found, recipe.name + ("_proxy" if weights else ""), window, splice), _table(rows))


def _panels(prices: ibis.Table, period: Frequency, by: By) -> dict[str, Panel]:
    each = prices.mutate(product=prices["product"] + BESIDE + prices.outlet.fill_null(""))
    return panels(each, period, by)


def _weights(proxies: ibis.Table) -> dict[str, float]:
    table = current().collect(proxies)
    return dict(zip(table["product"].to_pylist(), table["weight"].to_pylist(), strict=True))


def _weighted(one: Panel, weights: dict[str, float] | None) -> Panel:
    """Choose quantities so that turnover is the weight of the product, or the same for all."""
    if weights is None:
        return replace(one, quantity=1 / one.price)
    codes = [str(code).split(BESIDE)[0] for code in one.products]
    without = sorted({code for code in codes if code not in weights})
    if without:
        raise BadData(
            f"{counted(len(without), 'product')} without a proxy, the first {without[0]}.",
            remedy="Give the proxy of each product, or leave the input proxies out.",
        )
    weight = np.array([weights[code] for code in codes])
    return replace(one, quantity=weight[one.product] / one.price)


def _compared(found: dict[str, Series], sold: dict[str, Series]) -> dict[str, list[Any]]:
    """Lay both indices side by side, and measure how far they are apart."""
    rows: dict[str, list[Any]] = {name: [] for name in ("period", "group", "without", "known", "difference")}
    for group, series in found.items():
        known = (
            dict(zip(sold[group].periods.tolist(), sold[group].index.tolist(), strict=True)) if group in sold else {}
        )
        for period, index in zip(series.periods.tolist(), series.index.tolist(), strict=True):
            if period in known:  # else more came back than was sold
                row = (period, group, index, known[period], 100 * (index / known[period] - 1))
                for name, cell in zip(rows, row, strict=True):
                    rows[name].append(cell)
    apart = np.sqrt(np.mean(np.square(rows["difference"]))) if rows["difference"] else 0.0
    measure("What the lack of quantities costs (root mean square)", float(apart), unit="percent")
    return rows


def _table(rows: dict[str, list[Any]]) -> Any:
    import pyarrow as pa

    kinds = {"period": pa.string(), "group": pa.string()}
    return pa.table({name: pa.array(values, kinds.get(name, pa.float64())) for name, values in rows.items()})
