"""From the change of an index to the products that made it, and to the rows of the delivery behind them."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal

from statcommons.core.engine import current
from statcommons.core.errors import BadCall, BadData
from statcommons.core.method import method
from statcommons.core.progress import step
from statcommons.core.quality import notice
from statcommons.core.schema import (
    PERIOD_PATTERN,
    Attribute,
    Confidential,
    Dimension,
    Ge,
    Le,
    Measure,
    Pattern,
    Period,
    Schema,
    Table,
    Time,
    Unit,
)
from statcommons.prices.data import Transactions
from statcommons.prices.index.extension import Splice
from statcommons.prices.unit_values import ALL, By, panels
from statcommons.toolbox.periods import Frequency, period_of, start_of

if TYPE_CHECKING:
    import ibis

    from statcommons.prices.panel import Floats, Panel

__all__ = ["ContributionSummary", "Explained", "ProductContributions", "TransactionsBehind", "explain_index"]

SECRET = Confidential("Prices and sales of single products are known to the retailer and the office only.")


class ContributionSummary(Schema, key=("group", "status")):
    """What products of one kind contribute together to the change of an index between two periods."""

    group: Annotated[str, Dimension(codes="COICOP"), "Group of products; _T where none is distinguished"]
    status: Annotated[
        Literal["stay", "sale", "new", "gone", "elsewhere", "other"],
        Dimension,
        "What became of the products: as of ProductContributions; other: kinds of few products together",
    ]
    period_from: Annotated[Period, Attribute, "The period compared with"]
    period_to: Annotated[Period, Attribute, "The period whose index is explained"]
    products: Annotated[int, Attribute, Unit("products"), Ge(1), "How many products"]
    contribution_log: Annotated[float, Measure(decimals=6), Unit("log"), "Contribution to the logarithm of the change"]
    contribution_pp: Annotated[float, Measure(decimals=2), Unit("pp"), "Contribution to the change in percent"]


class ProductContributions(Schema, key=("group", "product")):
    """What each product contributes to the change of an index between two periods."""

    group: Annotated[str, Dimension(codes="COICOP"), "Group of products; _T where none is distinguished"]
    product: Annotated[str, Dimension, SECRET, "Code of the product"]
    contribution_log: Annotated[float, Measure, SECRET, Unit("log"), "Contribution to the logarithm of the change"]
    contribution_pp: Annotated[float, Measure, SECRET, Unit("pp"), "Contribution to the change in percent"]
    status: Annotated[
        Literal["stay", "sale", "new", "gone", "elsewhere"],
        Attribute,
        SECRET,
        "Sold in both periods (stay), so too and in a sale in one of them (sale), in one only (new, gone), or in "
        "neither, but in others of the windows (elsewhere)",
    ]
    price_from: Annotated[float | None, Attribute, SECRET, Unit("currency"), "Unit value in the first period"]
    price_to: Annotated[float | None, Attribute, SECRET, Unit("currency"), "Unit value in the second period"]
    quantity_from: Annotated[float | None, Attribute, SECRET, Unit("units"), "Units sold in the first period"]
    quantity_to: Annotated[float | None, Attribute, SECRET, Unit("units"), "Units sold in the second period"]


class TransactionsBehind(Schema):
    """The transactions of the products that contribute most, in the two periods."""

    of_group: Annotated[str, Dimension(codes="COICOP"), "Group whose index is explained; _T for the total"]
    rank: Annotated[int, Attribute, SECRET, Ge(1), "Rank of the product: 1 contributes most, up or down"]
    period: Annotated[Period, Time, SECRET, "Period of the sale"]
    time: Annotated[datetime.date, Attribute, SECRET, "Day of the sale"]
    product: Annotated[str, Dimension, SECRET, "Code of the product"]
    price: Annotated[float, Measure, SECRET, Unit("currency"), "Price of one unit, as paid"]
    quantity: Annotated[float, Measure, SECRET, Unit("units"), "Units sold; negative for a return"]
    outlet: Annotated[str | None, Dimension, SECRET, "Code of the shop"] = None
    retailer: Annotated[str | None, Dimension, SECRET, "Code of the retailer"] = None
    description: Annotated[str | None, Attribute, SECRET, "Name of the product, as the retailer writes it"] = None


@dataclass(frozen=True)
class Explained:
    """The change of an index by kind of product, by product, and the transactions behind the largest."""

    summary: Table[ContributionSummary]
    contributions: Table[ProductContributions]
    rows: Table[TransactionsBehind]


@method(
    version="1.0.0",
    topic="Consumer prices",
    gsbpm="6.3",
    references=[
        "Webster and Tarnow-Mordi (2019), Decomposing multilateral price indexes into the contributions of individual "
        "commodities, Journal of Official Statistics 35(2)",
        "Martin (2021), A note on general decompositions for price indexes, Statistics Canada",
    ],
)
def explain_index(
    transactions: Table[Transactions],
    *,
    method: Literal["geks", "gk", "tpd", "lehr", "bilateral"] = "geks",
    formula: Literal["tornqvist", "fisher", "walsh", "jevons"] = "tornqvist",
    weights: Literal["usual", "equal", "turnover"] = "usual",
    window: Annotated[int, Ge(2), Le(1040), Unit("periods")] = 25,
    splice: Splice = "mean",
    link_through: bool = False,
    from_period: Annotated[str | None, Pattern(PERIOD_PATTERN)] = None,
    to_period: Annotated[str | None, Pattern(PERIOD_PATTERN)] = None,
    period: Frequency = "month",
    by: By = "total",
    sale: Annotated[float, Ge(0), Le(1), Unit("share")] = 0.1,
    top: Annotated[int, Ge(1), Le(1000), Unit("products")] = 10,
) -> Explained:
    """Explain the change of a price index between two periods by its products, down to the transactions.

    The contributions of the products add up to the change of the index that multilateral_index compiles from the same
    transactions and parameters, through its windows and splices. What concerns single products stays confidential; the
    summary by kind of product may be published.

    Parameters
    ----------
    transactions : Transactions
        Sales, in any order; unit values are computed first.
    method : {"geks", "gk", "tpd", "lehr", "bilateral"}
        As of multilateral_index; or the two periods compared directly by the formula.
    formula : {"tornqvist", "fisher", "walsh", "jevons"}
        The bilateral index, alone or of GEKS.
    weights : {"usual", "equal", "turnover"}
        Weights of the periods in GEKS (usually equal), or of the products in TPD (usually their turnover shares).
    window : int
        Periods in a window.
    splice : {"mean", "movement", "window", "half", "wisp", "hasp", "mean_pub", "fbew", "fbmw"}
        How a new window is linked to the published series.
    link_through : bool
        Whether GEKS compares two periods without a common product by way of the others, or refuses them.
    from_period : str, optional
        The period compared with; by default the one before the other.
    to_period : str, optional
        The period whose index is explained; by default the last.
    period : {"month", "week"}
        Whether prices are averaged over months or weeks.
    by : {"total", "group"}
        One index over all products, or one a group.
    sale : float
        By which share a price must be below those of the product's neighbouring periods to be called a sale.
    top : int
        Of how many products in each group the transactions are given.

    Returns
    -------
    summary : ContributionSummary
        One row a group and kind of product; kinds of fewer than three products are put together.
    contributions : ProductContributions
        One row a product that is sold in one of the periods or contributes.
    rows : TransactionsBehind
        The transactions of the products that contribute most.

    Raises
    ------
    BadData
        When the index cannot be compiled, or a group has no sale in one of the two periods.
    BadCall
        When a period is not in the data.

    Examples
    --------
    >>> sales = {
    ...     "time": ["2026-01-05", "2026-01-05", "2026-02-05", "2026-02-05"],
    ...     "product": ["rice", "tea", "rice", "tea"],
    ...     "price": [1.0, 1.0, 0.5, 1.0],
    ...     "quantity": [10, 100, 5000, 100],
    ... }
    >>> made = explain_index(sales, formula="fisher", window=2).contributions
    >>> made.select("product", pp=made.contribution_pp.round(2)).to_pyarrow().to_pylist()
    [{'product': 'rice', 'pp': -30.24}, {'product': 'tea', 'pp': 0.0}]
    """
    import pyarrow as pa

    from statcommons.prices.audit.contributions import direct_contributions, index_contributions
    from statcommons.prices.index.multilateral import Recipe

    made = panels(transactions, period, by)
    start, end = _two_periods({str(one) for panel in made.values() for one in panel.periods}, from_period, to_period)

    def contributions(one: Panel, a: int, b: int) -> Floats:
        if method == "bilateral":
            return direct_contributions(one, formula, a, b)
        return index_contributions(one, Recipe(method, formula, weights, window, splice, link_through), a, b)

    found: list[dict[str, Any]] = []
    with step("Explain the index", total=len(made), unit="groups") as progress:
        for group, one in made.items():
            known = one.periods.tolist()
            if absent := [name for name in (start, end) if name not in known]:
                raise BadData(f"Group {group} has no sale in {absent[0]}.", remedy="Choose periods in which it has.")
            a, b = known.index(start), known.index(end)
            try:
                found.append(_of_group(group, one, a, b, contributions(one, a, b), sale, top))
            except BadData as error:
                error.where = error.where or (f"group {group}" if group != ALL else "")
                raise
            progress.advance()
    if short := [name for name, one in made.items() if len(one.periods) < window and method != "bilateral"]:
        notice(f"One window was used where periods are fewer than the window of {window}: {', '.join(short)}.")
    whole = {name: pa.concat_tables([part[name] for part in found]) for name in ("summary", "contributions", "largest")}
    rows = _rows_behind(transactions, whole["largest"], (start, end), period, by)
    return Explained(whole["summary"], whole["contributions"], rows)


def _two_periods(known: set[str], from_period: str | None, to_period: str | None) -> tuple[str, str]:
    periods = sorted(known)
    for name, given in (("from_period", from_period), ("to_period", to_period)):
        if given is not None and given not in known:
            raise BadCall(f"{name} is {given}.", remedy=f"Give a period from {periods[0]} to {periods[-1]}.")
    end = to_period or periods[-1]
    start = from_period or next((one for one in reversed(periods) if one < end), None)
    if start is None:
        raise BadCall(f"There is no period before {end}.", remedy="Give another period as to_period.")
    return start, end


def _of_group(group: str, one: Panel, a: int, b: int, log: Floats, sale: float, top: int) -> dict[str, Any]:
    """Bring the contributions to one index to the columns of the outputs."""
    import math

    import numpy as np
    import pyarrow as pa

    from statcommons.prices.audit.contributions import percentage_points
    from statcommons.prices.audit.products import disclosable, in_period, largest, statuses

    points, status = percentage_points(log), statuses(one, a, b, sale)
    ends = {
        f"{name}_{side}": in_period(one, column, t)
        for name, column in (("price", one.price), ("quantity", one.quantity))
        for side, t in (("from", a), ("to", b))
    }
    listed = np.flatnonzero((status != "elsewhere") | (log != 0))
    told = disclosable({name: int((status[listed] == name).sum()) for name in np.unique(status[listed]).tolist()})
    kind = np.array([told[name] for name in status[listed]], dtype=object)
    kinds = sorted(set(told.values()))

    def sums(values: Floats) -> list[float]:
        return [math.fsum(values[listed][kind == name].tolist()) for name in kinds]

    ranked = largest(log, top)
    return {
        "summary": pa.table(
            {
                "group": [group] * len(kinds),
                "status": kinds,
                "period_from": [one.periods[a]] * len(kinds),
                "period_to": [one.periods[b]] * len(kinds),
                "products": [int((kind == name).sum()) for name in kinds],
                "contribution_log": sums(log),
                "contribution_pp": sums(points),
            }
        ),
        "contributions": pa.table(
            {
                "group": [group] * len(listed),
                "product": one.products[listed].astype(str),
                "contribution_log": log[listed],
                "contribution_pp": points[listed],
                "status": pa.array(status[listed].tolist()),
            }
            | {name: pa.array(values[listed], from_pandas=True) for name, values in ends.items()}
        ),
        "largest": pa.table(
            {
                "of_group": [group] * len(ranked),
                "rank": np.arange(1, len(ranked) + 1),
                "product": one.products[ranked].astype(str),
            }
        ),
    }


def _rows_behind(
    transactions: ibis.Table, largest: Any, ends: tuple[str, str], period: Frequency, by: By
) -> ibis.Table:
    """Find the transactions of the products with the largest contributions, in the two periods."""
    wanted = current().adopt(largest)
    dated = transactions.mutate(period=period_of(start_of(transactions.time, period), period))
    dated = dated.filter(dated.period.isin(ends))
    matched = [dated.product == wanted.product]
    if by == "group":
        matched.append(dated.group == wanted.of_group)
    return dated.join(wanted, matched)
