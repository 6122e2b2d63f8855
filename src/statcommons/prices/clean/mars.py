"""Products defined by their attributes, so that they are alike within and still there next month (MARS)."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple

from statcommons.core.engine import current
from statcommons.core.errors import BadData
from statcommons.core.method import method
from statcommons.core.progress import step
from statcommons.core.quality import measure, notice
from statcommons.core.schema import Attribute, Dimension, Ge, Le, Measure, Schema, Table, Unit
from statcommons.prices.clean.rows import as_table
from statcommons.prices.data import Transactions
from statcommons.prices.unit_values import By, panels
from statcommons.toolbox.periods import Frequency

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from statcommons.prices.panel import Panel

__all__ = ["Defined", "Partitions", "ProductAttributes", "Score", "Strata", "Strategy", "mars", "period_pairs", "score"]

Strategy = Literal["two_months", "interval_base", "interval_chain", "interval_pairs", "last_months"]
"""Which pairs of periods a partition is judged by."""

MOST = 12  # attributes: 4,095 partitions
EACH = "product"  # the partition of which each product is a stratum
UNKNOWN = "_U"  # SDMX's code for a value that is not known


class ProductAttributes(Schema, key=("product", "attribute")):
    """What products are like: one row a product and attribute."""

    product: Annotated[str, Dimension, "Code of the product"]
    attribute: Annotated[str, Dimension, "Name of the attribute, such as brand or size"]
    value: Annotated[str, Attribute, "Its value, such as 500 g"]


class Partitions(Schema, key=("group", "partition")):
    """Ways to define products by attributes, with how well each does."""

    group: Annotated[str, Dimension(codes="COICOP"), "Group of products; _T where none is distinguished"]
    partition: Annotated[str, Dimension, "Attributes that tell strata apart; 'product' where each is its own"]
    rank: Annotated[int, Measure, Ge(1), "Place by MARS; among equals, that with fewer attributes stands first"]
    attributes: Annotated[int, Attribute, Unit("attributes"), Ge(0), "How many attributes"]
    strata: Annotated[int, Attribute, Unit("strata"), Ge(1), "How many strata the products fall into"]
    product_match: Annotated[
        float,
        Measure(decimals=4),
        Unit("share"),
        Ge(0),
        Le(1.0000001),
        "Quantity sold in strata that were there before",
    ]
    homogeneity: Annotated[
        float, Measure(decimals=4), Unit("share"), Ge(0), Le(1.0000001), "Variance of prices between strata (R squared)"
    ]
    mars: Annotated[float, Measure(decimals=4), Ge(0), Le(1.0000001), "Product match times homogeneity"]


class Strata(Schema, key=("group", "product")):
    """The stratum of each product, by the best partition of its group."""

    group: Annotated[str, Dimension(codes="COICOP"), "Group of products; _T where none is distinguished"]
    product: Annotated[str, Dimension, "Code of the product"]
    stratum: Annotated[str, Attribute, "Values of the best partition's attributes: the product to follow"]


@dataclass(frozen=True)
class Defined:
    """The partitions by rank, and the strata of the best."""

    result: Table[Partitions]
    strata: Table[Strata]


class Score(NamedTuple):
    """How well a partition does between two periods.

    Parameters
    ----------
    match : float
        Share of the later period's quantity in strata that were also sold in the earlier.
    homogeneity : float
        Share of the later period's variance of prices that lies between strata; 1 where no price differs.
    """

    match: float
    homogeneity: float

    @property
    def mars(self) -> float:
        """The match adjusted R squared."""
        return self.match * self.homogeneity


def score(panel: Panel, strata: NDArray[Any], base: int, current: int) -> Score:
    r"""Judge a partition of products by two periods.

    .. math:: \mu = \sum_{i:\, K(i)\text{ sold in } 0} q_i^t \Big/ \sum_i q_i^t, \qquad
        R^2 = \sum_k q_k^t (\bar p_k^t - \bar p^t)^2 \Big/ \sum_i q_i^t (p_i^t - \bar p^t)^2

    Parameters
    ----------
    panel : Panel
        Unit values of N products.
    strata : integer array of shape (N,)
        The stratum of each product, from 0.
    base, current : int
        Positions of the earlier and the later period.

    Returns
    -------
    Score
        Match and homogeneity; their product is MARS.

    References
    ----------
    Chessa (2022), A Product Match Adjusted R Squared Method for Defining Products with Transaction Data, Journal of
    Official Statistics 37(2), 411-432.

    Examples
    --------
    >>> import numpy as np
    >>> from statcommons.prices.panel import panel
    >>> months = np.array(["2026-01", "2026-02", "2026-02"])
    >>> shirts = panel(months, np.array(["a", "a", "b"]), [10, 10, 30], [1, 3, 1])
    >>> score(shirts, np.array([0, 1]), 0, 1), score(shirts, np.array([0, 0]), 0, 1)
    (Score(match=0.75, homogeneity=1.0), Score(match=1.0, homogeneity=0.0))
    """
    import numpy as np

    before, now = panel.period == base, panel.period == current
    price, quantity, of = panel.price[now], panel.quantity[now], strata[panel.product[now]]
    there = np.isin(of, strata[panel.product[before]])
    # Summed by stratum in the order of the product codes, so that the order of the rows changes nothing.
    sold, turnover = np.bincount(of, quantity), np.bincount(of, price * quantity)
    some = sold > 0
    mean = math.fsum(turnover) / math.fsum(sold)
    between = math.fsum(sold[some] * (turnover[some] / sold[some] - mean) ** 2)
    within_all = math.fsum(quantity * (price - mean) ** 2)
    match = math.fsum(quantity[there]) / math.fsum(quantity)
    # Prices that are equal but for the last digit have no variance to explain.
    alike = within_all <= 1e-24 * mean**2 * math.fsum(quantity)
    return Score(match, 1.0 if alike else min(1.0, between / within_all))


def period_pairs(periods: int, strategy: Strategy, last: int = 3) -> list[tuple[int, int]]:
    """List the pairs of periods by which partitions are judged.

    Parameters
    ----------
    periods : int
        How many periods there are, from 2.
    strategy : {"two_months", "interval_base", "interval_chain", "interval_pairs", "last_months"}
        The first and the last; the first and each; each and the next; all; or each of the `last` before the last one,
        and that.
    last : int
        For ``last_months``.

    Returns
    -------
    list of (int, int)
        Positions of the earlier and the later period.

    Examples
    --------
    >>> period_pairs(4, "interval_chain"), period_pairs(4, "last_months", 2)
    ([(0, 1), (1, 2), (2, 3)], [(1, 3), (2, 3)])
    """
    end = periods - 1
    if strategy == "two_months":
        return [(0, end)]
    if strategy == "interval_base":
        return [(0, t) for t in range(1, periods)]
    if strategy == "interval_chain":
        return [(t - 1, t) for t in range(1, periods)]
    if strategy == "interval_pairs":
        return list(itertools.combinations(range(periods), 2))
    return [(t, end) for t in range(max(0, end - last), end)]


@method(
    version="1.0.0",
    topic="Consumer prices",
    gsbpm="5.3",
    references=[
        "Chessa (2022), A Product Match Adjusted R Squared Method for Defining Products with Transaction Data, Journal "
        "of Official Statistics 37(2), 411-432",
        "UN Task Team on Scanner Data, e-handbook CPI from new data sources, product definition",
    ],
)
def mars(
    transactions: Table[Transactions],
    attributes: Table[ProductAttributes],
    *,
    strategy: Annotated[Strategy, "Which pairs of periods a partition is judged by"] = "interval_base",
    last: Annotated[int, Ge(1), Le(600), Unit("periods")] = 3,
    period: Frequency = "month",
    by: By = "total",
) -> Defined:
    """Choose the attributes that define products best.

    A product defined by its GTIN is homogeneous, but lost at each relaunch; one defined by few attributes stays, but
    mixes cheap with dear. MARS is the share of the quantity sold that finds its product in the earlier period, times
    the share of the variance of prices that lies between products. All sets of attributes are ranked by it, and the
    products that each code belongs to under the best are given, to be followed instead of the codes.

    Parameters
    ----------
    transactions : Transactions
        Sales, in any order; unit values are computed first.
    attributes : ProductAttributes
        What the products are like; at most 12 different attributes. What is not said of a product counts as a value of
        its own.
    strategy : {"two_months", "interval_base", "interval_chain", "interval_pairs", "last_months"}
        The first period and the last; the first and each; each and the next; all pairs; or the last ones, each with the
        last. Over several pairs, geometric means are taken.
    last : int
        How many periods before the last, for ``last_months``.
    period : {"month", "week"}
        Whether prices are averaged over months or weeks.
    by : {"total", "group"}
        One ranking over all products, or one a group.

    Returns
    -------
    result : Partitions
        All sets of attributes and, for comparison, each product by itself.
    strata : Strata
        The stratum of each product that is sold, under the set of attributes that stands first.

    Raises
    ------
    BadData
        When there are fewer than two periods, no attributes, more than 12, or one named ``product``.

    Examples
    --------
    >>> sales = {
    ...     "time": ["2026-01-05", "2026-01-05", "2026-02-05", "2026-02-05"],
    ...     "product": ["1", "2", "3", "4"],
    ...     "price": [10.0, 30.0, 11.0, 31.0],
    ...     "quantity": [1, 1, 1, 1],
    ... }
    >>> brands = {"product": ["1", "2", "3", "4"], "attribute": ["brand"] * 4, "value": ["X", "Y", "X", "Y"]}
    >>> mars(sales, brands).result.select("partition", "rank", "mars").to_pyarrow().to_pylist()
    [{'partition': 'brand', 'rank': 1, 'mars': 1.0}, {'partition': 'product', 'rank': 2, 'mars': 0.0}]
    """
    names, values = _attributes(attributes)
    made = panels(transactions, period, by)
    sets = [chosen for size in range(1, len(names) + 1) for chosen in itertools.combinations(range(len(names)), size)]
    ranked: list[dict[str, Any]] = []
    strata: list[dict[str, Any]] = []
    unknown = 0
    with step("Judge the partitions", total=len(made) * len(sets), unit="partitions") as progress:
        for group, panel in made.items():
            if len(panel.periods) < 2:
                raise BadData("There is one period only.", where=f"group {group}", remedy="Give two periods or more.")
            if strategy == "last_months" and last >= len(panel.periods):
                notice(
                    f"There are {len(panel.periods)} periods, fewer than the {last} before the last one: all are used."
                )
            pairs = period_pairs(len(panel.periods), strategy, last)
            known = [values.get(product, {}) for product in panel.products]
            unknown += sum(name not in one for one in known for name in names)
            described = [tuple(one.get(name, UNKNOWN) for name in names) for one in known]
            rows = [_judged(panel, EACH, list(enumerate(panel.products)), 0, pairs)]
            for chosen in sets:
                keys = [tuple(one[k] for k in chosen) for one in described]
                rows.append(_judged(panel, "-".join(names[k] for k in chosen), keys, len(chosen), pairs))
                progress.advance()
            # Scores that differ in the last digits only are equal, and the plainer partition is taken.
            rows.sort(key=lambda row: (-round(row["mars"], 12), row["attributes"] or len(names) + 1, row["partition"]))
            ranked += [row | {"group": group, "rank": place} for place, row in enumerate(rows, 1)]
            best = next(row for row in rows if row["attributes"])["partition"]
            chosen = next(one for one in sets if "-".join(names[k] for k in one) == best)
            strata += [
                {"group": group, "product": product, "stratum": _label([(names[k], one[k]) for k in chosen])}
                for product, one in zip(panel.products.tolist(), described, strict=True)
            ]
    measure("Attributes that are not known", unknown / (len(strata) * len(names)), unit="share", indicator="ESS A5")
    return Defined(result=as_table(ranked, Partitions), strata=as_table(strata, Strata))


def _attributes(attributes: Any) -> tuple[list[str], dict[str, dict[str, str]]]:
    """Give the names of the attributes, sorted, and the values of each product."""
    values: dict[str, dict[str, str]] = {}
    for row in current().collect(attributes, "Read attributes").to_pylist():
        values.setdefault(row["product"], {})[row["attribute"]] = row["value"]
    names = sorted({name for one in values.values() for name in one})
    if not 1 <= len(names) <= MOST:
        raise BadData(
            f"There are {len(names)} attributes.", remedy=f"Give from 1 to {MOST}; their sets are {2**MOST - 1:,} then."
        )
    if EACH in names:
        raise BadData(
            f"An attribute is named {EACH!r}.", remedy="Rename it: the word stands for each product by itself."
        )
    return names, values


def _judged(
    panel: Panel, partition: str, keys: Sequence[tuple[Any, ...]], attributes: int, pairs: list[tuple[int, int]]
) -> dict[str, Any]:
    import numpy as np

    codes = {key: code for code, key in enumerate(sorted(set(keys)))}
    strata = np.array([codes[key] for key in keys])
    scores = [score(panel, strata, base, now) for base, now in pairs]
    match, homogeneity = (_geometric_mean(one) for one in zip(*scores, strict=True))
    return {
        "partition": partition,
        "attributes": attributes,
        "strata": len(codes),
        "product_match": match,
        "homogeneity": homogeneity,
        "mars": match * homogeneity,
    }


def _geometric_mean(values: Sequence[float]) -> float:
    return math.exp(math.fsum(map(math.log, values)) / len(values)) if min(values) > 0 else 0.0


def _label(pairs: Sequence[tuple[str, str]]) -> str:
    """Write attributes in one text that no other values give."""
    escaped = ((name, value.replace("\\", "\\\\").replace(";", "\\;")) for name, value in pairs)
    return ";".join(f"{name}={value}" for name, value in escaped)
