"""How sound a price index is: what it would be by other methods, and what it rests upon."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal

from statcommons.core.errors import BadData
from statcommons.core.method import method
from statcommons.core.progress import step
from statcommons.core.quality import measure, notice
from statcommons.core.schema import (
    Attribute,
    Concept,
    Confidential,
    Dimension,
    Ge,
    Gt,
    Le,
    Measure,
    Period,
    Schema,
    Table,
    Time,
    Unit,
)
from statcommons.prices.data import Transactions
from statcommons.prices.index.extension import Splice
from statcommons.prices.unit_values import ALL, By, panels
from statcommons.toolbox.periods import Frequency

if TYPE_CHECKING:
    from statcommons.prices.audit.fan import Line
    from statcommons.prices.index.multilateral import Recipe
    from statcommons.prices.index.pairs import Pairs
    from statcommons.prices.panel import Floats, Panel

__all__ = ["Diagnosis", "IndexFan", "Indicators", "Matches", "ProductInfluence", "diagnose"]

SECRET = Confidential("Sales of single products are known to the retailer and the office only.")


class IndexFan(Schema, key=("period", "group", "series")):
    """The index by every method, window and splice: how much the choice matters."""

    period: Annotated[Period, Time, Concept("TIME_PERIOD"), "Month or week"]
    group: Annotated[str, Dimension(codes="COICOP"), "Group of products; _T where none is distinguished"]
    series: Annotated[str, Dimension, "Method, window and splice, such as gk/13/mean"]
    index: Annotated[
        float, Measure(decimals=4), Concept("OBS_VALUE"), Unit("first period = 1"), Gt(0), "The index number"
    ]
    method: Annotated[str, Attribute(codes="INDEX_METHOD"), "Index formula, such as geks_tornqvist"]
    window: Annotated[int, Attribute, Unit("periods"), Ge(0), "Periods in a window; 0 for a bilateral index"]
    splice: Annotated[
        str,
        Attribute(codes="INDEX_SPLICE"),
        "How a new window is linked, full for one window of all periods; what a bilateral index compares with",
    ]


class Indicators(Schema, key=("period", "group", "indicator")):
    """What tells how sound an index is, period by period."""

    period: Annotated[Period, Time, Concept("TIME_PERIOD"), "Month or week"]
    group: Annotated[str, Dimension(codes="COICOP"), "Group of products; _T where none is distinguished"]
    indicator: Annotated[
        Literal[
            "chain_drift",
            "chain_drift_geks",
            "revision",
            "fan_lowest",
            "fan_highest",
            "spread",
            "elasticity",
            "matched_share",
            "entry_rate",
            "exit_rate",
            "entry_share",
            "exit_share",
            "age",
        ],
        Dimension,
        "Chained over direct index, and over GEKS of all periods; published over GEKS of all periods; lowest and "
        "highest of the fan over published; Laspeyres over Paasche, elasticity of substitution and matched turnover "
        "(mean of both), each to the period before; products that come and go, as a share of products (rate) or "
        "turnover (share); periods since products were first sold",
    ]
    value: Annotated[float, Measure(decimals=4), Concept("OBS_VALUE"), "The value"]
    unit: Annotated[Literal["percent", "share", "number", "periods"], Attribute, "Its unit"]


class Matches(Schema, key=("group", "period_from", "period_to")):
    """What every two periods have in common."""

    group: Annotated[str, Dimension(codes="COICOP"), "Group of products; _T where none is distinguished"]
    period_from: Annotated[Period, Dimension, "The earlier period"]
    period_to: Annotated[Period, Dimension, "The later period"]
    matched_products: Annotated[int, Measure, Unit("products"), Ge(0), "Products sold in both"]
    matched_share_from: Annotated[
        float, Measure, Unit("share"), Ge(0), Le(1.0000001), "Their share in the turnover of the earlier period"
    ]
    matched_share_to: Annotated[
        float, Measure, Unit("share"), Ge(0), Le(1.0000001), "Their share in the turnover of the later period"
    ]
    spread: Annotated[
        float | None, Measure, Unit("log"), "Logarithm of Laspeyres over Paasche; missing where none match"
    ]


class ProductInfluence(Schema, key=("group", "product")):
    """How long each product is sold, how much it weighs, and what the index would be without it."""

    group: Annotated[str, Dimension(codes="COICOP"), "Group of products; _T where none is distinguished"]
    product: Annotated[str, Dimension, SECRET, "Code of the product"]
    first: Annotated[Period, Attribute, SECRET, "First period in which it is sold"]
    last: Annotated[Period, Attribute, SECRET, "Last period in which it is sold"]
    periods: Annotated[int, Attribute, SECRET, Unit("periods"), Ge(1), "In how many periods it is sold"]
    share: Annotated[
        float, Measure, SECRET, Unit("share"), Gt(0), Le(1.0000001), "Share in the turnover of all periods"
    ]
    influence: Annotated[
        float | None,
        Measure,
        SECRET,
        Unit("log"),
        "GEKS from the first to the last period without the product, over that with it; missing where the other "
        "products do not connect the periods",
    ]


@dataclass(frozen=True)
class Diagnosis:
    """What an index would be by other methods, and what it rests upon."""

    fan: Table[IndexFan]
    indicators: Table[Indicators]
    matches: Table[Matches]
    products: Table[ProductInfluence]


@method(
    version="1.0.0",
    topic="Consumer prices",
    gsbpm="6.2",
    references=[
        "UN Task Team on Scanner Data, e-handbook CPI from new data sources",
        "Ivancic, Diewert and Fox (2011), Scanner data, time aggregation and the construction of price indexes, "
        "Journal of Econometrics 161(1)",
    ],
)
def diagnose(
    transactions: Table[Transactions],
    *,
    formula: Literal["tornqvist", "fisher", "walsh", "jevons"] = "tornqvist",
    window: Annotated[int, Ge(2), Le(1040), Unit("periods")] = 25,
    splice: Splice = "mean",
    other_window: Annotated[int, Ge(2), Le(1040), Unit("periods")] = 13,
    period: Frequency = "month",
    by: By = "total",
) -> Diagnosis:
    """Diagnose a price index: drift, match, spread, churn, elasticity, revision, and its value by every method.

    The published index is taken to be GEKS over the formula with the window and the splice; one window of all periods
    is the yardstick. The fan has every multilateral method by both windows and all nine splices.

    Parameters
    ----------
    transactions : Transactions
        Sales, in any order; unit values are computed first.
    formula : {"tornqvist", "fisher", "walsh", "jevons"}
        The bilateral index of GEKS, and of the chained and the direct index.
    window : int
        Periods in a window of the published index.
    splice : {"mean", "movement", "window", "half", "wisp", "hasp", "mean_pub", "fbew", "fbmw"}
        How a new window of the published index is linked.
    other_window : int
        Periods in the windows of the other half of the fan.
    period : {"month", "week"}
        Whether prices are averaged over months or weeks.
    by : {"total", "group"}
        One index over all products, or one a group.

    Returns
    -------
    fan : IndexFan
        One row a period, group and series.
    indicators : Indicators
        One row a period, group and indicator.
    matches : Matches
        One row a group and pair of periods.
    products : ProductInfluence
        One row a group and product.

    Raises
    ------
    BadData
        When a period is missing between two others.

    Examples
    --------
    >>> sales = {
    ...     "time": ["2026-01-05", "2026-01-05", "2026-02-05", "2026-02-05", "2026-03-05", "2026-03-05"],
    ...     "product": ["rice", "tea", "rice", "tea", "rice", "tea"],
    ...     "price": [1.0, 1.0, 0.5, 1.0, 1.0, 1.0],
    ...     "quantity": [10, 100, 5000, 100, 1, 100],
    ... }
    >>> found = diagnose(sales, formula="fisher", window=3, other_window=2).indicators
    >>> drift = found.filter(found.indicator == "chain_drift").order_by("period")
    >>> drift.select("period", value=drift.value.round(1)).to_pyarrow().to_pylist()[-1]
    {'period': '2026-03', 'value': -2.1}
    """
    import pyarrow as pa

    from statcommons.prices.index.multilateral import Recipe

    made = panels(transactions, period, by)
    recipe = Recipe("geks", formula, window=window, splice=splice)
    parts: dict[str, list[Any]] = {"fan": [], "indicators": [], "matches": [], "products": []}
    with step("Compile every index", total=len(made), unit="groups") as progress:
        for group, one in made.items():
            try:
                found = _of_group(one, recipe, (window, other_window))
            except BadData as error:
                error.where = error.where or (f"group {group}" if group != ALL else "")
                raise
            for name, columns in found.items():
                rows = len(next(iter(columns.values())))
                parts[name].append(pa.table({"group": pa.array([group] * rows, pa.string())} | columns))
            progress.advance()
    tables = {name: pa.concat_tables(some) for name, some in parts.items()}
    _tell(tables["indicators"])
    return Diagnosis(**tables)


def _of_group(one: Panel, recipe: Recipe, windows: tuple[int, int]) -> dict[str, dict[str, Any]]:
    """Diagnose the index of one group: the columns of the outputs."""
    import numpy as np

    from statcommons.prices.audit.fan import Line, fan
    from statcommons.prices.audit.indicators import chained_and_direct
    from statcommons.prices.index.multilateral import ln_index

    lines, sums = fan(one, windows)
    chained, direct = (np.exp(ln) for ln in chained_and_direct(ln_index(sums, recipe.formula)))
    whole = _whole(sums, recipe)
    bilateral = [Line(recipe.formula, 0, "previous", chained), Line(recipe.formula, 0, "fixed", direct)]
    return {
        "fan": _fan_columns(one, [*lines, *whole, *bilateral]),
        "indicators": _indicator_columns(one, sums, recipe, [*lines, *whole, *bilateral]),
        "matches": _match_columns(sums),
        "products": _product_columns(one, recipe.formula),
    }


def _whole(sums: Pairs, recipe: Recipe) -> list[Line]:
    """Compile every index over one window of all periods; those whose periods are not connected are left out."""
    from statcommons.prices.audit.fan import METHODS, Line, full_window

    found = []
    for one in METHODS:
        try:
            found.append(Line(one.name, len(sums.periods), "full", full_window(sums, one)))
        except BadData:
            if one.name == recipe.name:
                notice("No yardstick: not every two periods share a product, so GEKS over all of them is not compiled.")
    return found


def _fan_columns(one: Panel, lines: list[Line]) -> dict[str, Any]:
    import numpy as np

    index = np.array([line.index for line in lines])
    row, column = np.nonzero(np.isfinite(index))
    return {
        "period": one.periods[column].astype(str),
        "series": [lines[place].label for place in row],
        "index": index[row, column],
        "method": [lines[place].method for place in row],
        "window": [lines[place].window for place in row],
        "splice": [lines[place].splice for place in row],
    }


def _indicator_columns(one: Panel, sums: Pairs, recipe: Recipe, lines: list[Line]) -> dict[str, Any]:
    import numpy as np

    from statcommons.prices.audit.indicators import elasticities, spread, turnover_of_products

    count = len(one.periods)
    nothing = np.full(count, np.nan)
    of_method = [line for line in lines if line.method == recipe.name]
    # A window longer than the panel gives the same as one of all its periods, and fbew knows no length.
    width = min(recipe.window, max(count, 2))
    linked = [
        line for line in of_method if line.splice == recipe.splice and (line.window == width or line.splice == "fbew")
    ]
    published = linked[0].index if linked else nothing
    yardstick = next((line.index for line in of_method if line.splice == "full"), nothing)
    chained, direct = (line.index for line in lines if not line.window)
    fan = np.array([line.index for line in lines if line.window and line.splice != "full"])
    before, now = np.arange(count - 1), np.arange(1, count)
    share = (sums["A"][before, now] / sums.turnover[before] + sums["A"][now, before] / sums.turnover[now]) / 2

    def over(one: Floats, other: Floats) -> Floats:
        return 100 * (one / other - 1)

    values = {
        "chain_drift": (over(chained, direct), "percent"),
        "chain_drift_geks": (over(chained, yardstick), "percent"),
        "revision": (over(published, yardstick), "percent"),
        "fan_lowest": (over(fan.min(axis=0), published), "percent"),
        "fan_highest": (over(fan.max(axis=0), published), "percent"),
        "spread": (np.append(np.nan, 100 * np.expm1(spread(sums)[before, now])), "percent"),
        "elasticity": (elasticities(one), "number"),
        "matched_share": (np.append(np.nan, share), "share"),
    }
    for name, found in turnover_of_products(one).items():
        values[name] = (found, "periods" if name == "age" else "share")
    table = np.array([found for found, _ in values.values()])
    row, column = np.nonzero(np.isfinite(table))
    names, units = list(values), [unit for _, unit in values.values()]
    return {
        "period": one.periods[column].astype(str),
        "indicator": [names[place] for place in row],
        "value": table[row, column],
        "unit": [units[place] for place in row],
    }


def _match_columns(sums: Pairs) -> dict[str, Any]:
    import numpy as np
    import pyarrow as pa

    from statcommons.prices.audit.indicators import spread

    a, b = np.triu_indices(len(sums.periods), 1)
    return {
        "period_from": sums.periods[a].astype(str),
        "period_to": sums.periods[b].astype(str),
        "matched_products": sums["n"][a, b].round().astype(np.int64),
        "matched_share_from": sums["A"][a, b] / sums.turnover[a],
        "matched_share_to": sums["A"][b, a] / sums.turnover[b],
        "spread": pa.array(spread(sums)[a, b], from_pandas=True),
    }


def _product_columns(one: Panel, formula: str) -> dict[str, Any]:
    import numpy as np
    import pyarrow as pa

    from statcommons.prices.audit.indicators import jackknife

    # The rows of a product are neighbours, in the order of time.
    first = np.searchsorted(one.product, np.arange(len(one.products)))
    last = np.append(first[1:], len(one.product)) - 1
    value = np.bincount(one.product, one.price * one.quantity)
    return {
        "product": one.products.astype(str),
        "first": one.periods[one.period[first]].astype(str),
        "last": one.periods[one.period[last]].astype(str),
        "periods": last - first + 1,
        "share": value / value.sum(),
        "influence": pa.array(jackknife(one, formula), from_pandas=True),
    }


def _tell(indicators: Any) -> None:
    """Measure what a reader should know first: the largest of each over periods and groups."""
    import numpy as np

    value, name = indicators["value"].to_numpy(), np.array(indicators["indicator"].to_pylist())
    words = (
        ("chain_drift_geks", "Largest drift of the chained index", None),
        ("revision", "Largest difference from one window of all periods", 0.5),
    )
    for indicator, text, most in words:
        found = np.abs(value[name == indicator])
        if found.size:
            measure(text, float(found.max()), unit="percent", at_most=most)
    shares = value[name == "matched_share"]
    if shares.size:
        measure("Smallest matched share of turnover, to the period before", float(shares.min()), unit="share")
