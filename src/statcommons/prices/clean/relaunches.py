"""Relaunches: products that leave, and those that may be the same under a new code."""

from __future__ import annotations

import math
from typing import Annotated, Any, NamedTuple

from statcommons.core.engine import current, total
from statcommons.core.errors import BadData
from statcommons.core.method import method
from statcommons.core.quality import measure, notice
from statcommons.core.schema import (
    Attribute,
    Concept,
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
from statcommons.prices.clean.rows import as_table
from statcommons.prices.clean.similarity import candidates, plain, similarities
from statcommons.prices.clean.sizes import Size, parse_size, spelled
from statcommons.prices.data import Transactions
from statcommons.prices.panel import require_consecutive
from statcommons.prices.unit_values import By, aggregated
from statcommons.toolbox.periods import Frequency

__all__ = ["Relaunches", "relaunches"]

AROUND = 3  # periods in which a product is sold, before it leaves or after it enters, over which its price is averaged


class Relaunches(Schema, key=("group", "leaving", "entering")):
    """Pairs of products of which the second may be the first under a new code, for a clerk to accept."""

    group: Annotated[str, Dimension(codes="COICOP"), "Group of products; _T where none is distinguished"]
    leaving: Annotated[str, Dimension, "Code of the product that leaves"]
    entering: Annotated[str, Dimension, "Code of the product that enters"]
    rank: Annotated[int, Measure, Ge(1), "Place among the candidates of the product that leaves"]
    last_period: Annotated[Period, Time, "When the one is sold last"]
    first_period: Annotated[Period, Time, Concept("TIME_PERIOD"), "When the other is sold first"]
    gap: Annotated[int, Measure, Unit("periods"), Ge(0), "From the last to the first; 1 where one follows the other"]
    similarity: Annotated[float, Measure(decimals=3), Ge(0), Le(1.0000001), "Jaro-Winkler similarity of their names"]
    price_before: Annotated[float, Measure, Unit("currency"), Gt(0), "Unit value in the last three periods of sale"]
    price_after: Annotated[float, Measure, Unit("currency"), Gt(0), "Unit value in the first three periods of sale"]
    price_ratio: Annotated[float, Measure(decimals=3), Gt(0), "The second over the first"]
    unit_price_ratio: Annotated[
        float | None, Measure(decimals=3), Gt(0), "The same for a gram or millilitre, where both sizes are known"
    ]
    turnover: Annotated[float, Measure(decimals=2), Unit("currency"), Gt(0), "Turnover of the one in its last periods"]
    leaving_name: Annotated[str, Attribute, "Name of the product that leaves"]
    entering_name: Annotated[str, Attribute, "Name of the product that enters"]


class Life(NamedTuple):
    """When a product is sold, and for how much at either end."""

    product: str
    group: str
    first: int
    last: int
    price_first: float
    price_last: float
    turnover_last: float
    description: str
    size: Size | None


@method(
    version="1.0.0",
    topic="Consumer prices",
    gsbpm="5.1",
    exact=True,
    references=[
        "UN Task Team on Scanner Data, e-handbook CPI from new data sources, product definition and relaunches"
    ],
)
def relaunches(
    transactions: Table[Transactions],
    *,
    max_gap: Annotated[int, Ge(0), Le(60), Unit("periods")] = 3,
    threshold: Annotated[float, Ge(0), Le(1), Unit("Jaro-Winkler similarity")] = 0.85,
    period: Frequency = "month",
    by: By = "total",
) -> Table[Relaunches]:
    """Find products that may have come back under a new code.

    A product that gets a new GTIN, package or name ends in the data and starts again, and an index over matched codes
    does not see the change of price in between. Each product that leaves is paired with those that enter soon after it
    with a similar name, ranked by the likeness of names, then by that of prices. They are candidates: a clerk accepts
    or rejects them.

    Parameters
    ----------
    transactions : Transactions
        Sales with descriptions; products without one take no part, and are counted.
    max_gap : int
        Most periods from the last sale of the one to the first of the other; 0 lets them meet in one period only.
    threshold : float
        The lowest similarity of names, sizes and accents left out.
    period : {"month", "week"}
        Over what prices are averaged and gaps counted.
    by : {"total", "group"}
        Whether a product may come back in another group.

    Returns
    -------
    Relaunches
        Candidate pairs.

    Raises
    ------
    BadData
        When a period is missing between two others, or no product has a name.

    Examples
    --------
    >>> sales = {
    ...     "time": ["2026-01-05", "2026-02-05", "2026-02-05"],
    ...     "product": ["1", "2", "3"],
    ...     "price": [4.0, 5.0, 9.0],
    ...     "quantity": [10, 10, 10],
    ...     "description": ["coffee abc 200g", "coffee abc new 200g", "tea"],
    ... }
    >>> relaunches(sales).select("leaving", "entering", "gap", "price_ratio").to_pyarrow().to_pylist()
    [{'leaving': '1', 'entering': '2', 'gap': 1, 'price_ratio': 1.25}]
    """
    import numpy as np

    engine = current()
    rows = engine.collect(aggregated(transactions, period, by).order_by(["group", "product", "period"])).to_pylist()
    sold = [row for row in rows if row["turnover"] > 0 and row["quantity"] > 0]
    periods = sorted({row["period"] for row in rows})
    require_consecutive(np.array(periods))
    lives = _lives(sold, _names(transactions), periods)
    leaving = [life for life in lives if life.last < len(periods) - 1]
    entering = [life for life in lives if life.first > 0]
    both = list(dict.fromkeys(leaving + entering))
    places, common = candidates([plain(spelled(life.description)) for life in both], [life.group for life in both])
    if common:
        notice(f"Words too common to compare names by: {len(common)}. Groups would tell more apart.")
    pairs = []
    for one, other in places.tolist():
        for old, new in ((both[one], both[other]), (both[other], both[one])):
            if old.last < len(periods) - 1 and new.first > 0 and 0 <= new.first - old.last <= max_gap:
                pairs.append((old, new))
    scores = similarities(*([plain(spelled(pair[k].description)) for pair in pairs] for k in (0, 1)))
    found: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for (old, new), score in zip(pairs, scores.tolist(), strict=True):
        if score >= threshold:
            found.setdefault((old.group, old.product), []).append(_candidate(old, new, score, periods))
    ranked = []
    for key in sorted(found):
        found[key].sort(key=_order)
        ranked += [row | {"rank": place} for place, row in enumerate(found[key], 1)]
    measure("Products that leave", len(leaving), unit="products")
    measure("Share of them with a candidate", len(found) / len(leaving) if leaving else 0.0, unit="share")
    return as_table(ranked, Relaunches)


def _names(transactions: Any) -> dict[str, str]:
    """Give the name of each product: that of most turnover, and among equals the first by its letters."""
    named = transactions.filter(transactions.description.notnull())
    turnover = total(named.price * named.quantity, 6)
    sums = named.group_by(["product", "description"]).agg(turnover=turnover)
    rows = current().collect(sums, "Collect the names").to_pylist()
    rows.sort(key=lambda row: (row["product"], -row["turnover"], row["description"]))
    names: dict[str, str] = {}
    for row in rows:
        names.setdefault(row["product"], row["description"])
    if not names:
        raise BadData("No product has a description.", remedy="Give the names of products as retailers write them.")
    return names


def _lives(sold: list[dict[str, Any]], names: dict[str, str], periods: list[str]) -> list[Life]:
    """Give the life of each product that has a name; rows come by group, product and period."""
    position = {period: place for place, period in enumerate(periods)}
    of: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for row in sold:
        of.setdefault((row["group"], row["product"]), []).append(row)
    unnamed = sum(product not in names for _, product in of)
    measure("Products without a name", unnamed / len(of) if of else 0.0, unit="share", indicator="ESS A5")
    lives = []
    for (group, product), rows in of.items():
        if product not in names:
            continue
        start, end = rows[:AROUND], rows[-AROUND:]
        (_, price_first), (turnover, price_last) = (_value(part) for part in (start, end))
        first, last = position[rows[0]["period"]], position[rows[-1]["period"]]
        text = names[product]
        lives.append(Life(product, group, first, last, price_first, price_last, turnover, text, parse_size(text)))
    return lives


def _value(rows: list[dict[str, Any]]) -> tuple[float, float]:
    turnover = math.fsum(row["turnover"] for row in rows)
    return turnover, turnover / math.fsum(row["quantity"] for row in rows)


def _candidate(old: Life, new: Life, score: float, periods: list[str]) -> dict[str, Any]:
    ratio = new.price_first / old.price_last
    comparable = old.size is not None and new.size is not None and old.size.unit == new.size.unit
    return {
        "group": old.group,
        "leaving": old.product,
        "entering": new.product,
        "last_period": periods[old.last],
        "first_period": periods[new.first],
        "gap": new.first - old.last,
        "similarity": score,
        "price_before": old.price_last,
        "price_after": new.price_first,
        "price_ratio": ratio,
        "unit_price_ratio": ratio * old.size.amount / new.size.amount if comparable and old.size and new.size else None,
        "turnover": old.turnover_last,
        "leaving_name": old.description,
        "entering_name": new.description,
    }


def _order(row: dict[str, Any]) -> tuple[Any, ...]:
    """Likest names first, then likest prices, then the shortest gap."""
    distance = abs(math.log(row["unit_price_ratio"] or row["price_ratio"]))
    return -round(row["similarity"], 9), round(distance, 9), row["gap"], row["entering"]
