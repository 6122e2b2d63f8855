"""From elementary indices to the indices of all groups: the method over baskets, links and contributions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal

from statcommons.core.engine import current
from statcommons.core.errors import BadData, Cause
from statcommons.core.method import method
from statcommons.core.quality import measure, notice
from statcommons.core.schema import PERIOD_PATTERN, Ge, Le, Pattern, Table, Unit
from statcommons.prices.aggregate.tables import (
    AggregateIndex,
    BasketWeights,
    Contributions,
    ElementaryIndex,
    GroupStructure,
)

if TYPE_CHECKING:
    from statcommons.prices.aggregate.chain import Basket, Chain
    from statcommons.prices.aggregate.structure import Tree

__all__ = ["Aggregates", "aggregate_index"]


@dataclass(frozen=True)
class Aggregates:
    """Indices of all groups, and what each contributes to those above."""

    result: Table[AggregateIndex]
    contributions: Table[Contributions]


@method(
    version="1.0.0",
    topic="Consumer prices",
    gsbpm="5.7",
    exact=True,
    references=[
        "IMF, ILO, OECD, Eurostat, UNECE, World Bank (2020), Consumer Price Index Manual: Concepts and Methods, "
        "chapters 8 and 9",
        "Office for National Statistics, Consumer Prices Indices Technical Manual",
    ],
)
def aggregate_index(
    elementary: Table[ElementaryIndex],
    weights: Table[BasketWeights],
    structure: Table[GroupStructure] | None = None,
    *,
    given: Literal["series", "changes"] = "series",
    formula: Literal["lowe", "young"] = "lowe",
    chain: Literal["single", "double"] = "single",
    missing: Literal["refuse", "parent"] = "refuse",
    reference: Annotated[str | None, Pattern(PERIOD_PATTERN)] = None,
    decimals: Annotated[int | None, Ge(0), Le(12), Unit("decimals")] = None,
    weight_slack: Annotated[float, Ge(0), Le(1), Unit("share")] = 1e-6,
) -> Aggregates:
    """Aggregate elementary indices to the indices of all groups, with what each contributes.

    The weights of a basket hold from its link to the next, such as from December to December, and go on with the prices
    in between. Index and contributions are computed for every group of the structure; nothing is rounded before the
    end.

    Parameters
    ----------
    elementary : ElementaryIndex
        One row a period and elementary group.
    weights : BasketWeights
        One row a link and group. Where weights of groups above are given too, they are compared with the sums.
    structure : GroupStructure, optional
        Code and parent of all groups; by default COICOP 2018, whose codes imply it by their dots.
    given : {"series", "changes"}
        Whether elementary indices are levels over time, or each is on the period before.
    formula : {"lowe", "young"}
        Whether weights in the prices of another time are price-updated to the link, or taken as they stand.
    chain : {"single", "double"}
        Whether baskets are linked once, or those of December over January again.
    missing : {"refuse", "parent"}
        Whether a missing elementary index is refused, or moves as the nearest group above that has others.
    reference : str, optional
        Period or year that is 100; by default the first period.
    decimals : int, optional
        Decimals that index numbers are rounded to at the end, half away from zero; by default none is cut.
    weight_slack : float
        How far the given weight of a group above may be off the sum below it, as a share of it.

    Returns
    -------
    result : AggregateIndex
        One row a period and group.
    contributions : Contributions
        One row a period, group and group above it.

    Raises
    ------
    BadData
        When structure or weights do not fit, or an elementary index is missing; the codes are named.
    BadCall
        When a double link is asked for and the periods are not months.

    Examples
    --------
    >>> prices = {"period": ["2026-01", "2026-01", "2026-02", "2026-02"], "group": ["01.1", "01.2", "01.1", "01.2"]}
    >>> made = aggregate_index(prices | {"index": [100, 100, 110, 95]}, {"group": ["01.1", "01.2"], "weight": [60, 40]})
    >>> table = made.result.filter(made.result.period == "2026-02").order_by(["level", "group"])
    >>> table.select("group", index=table.index.round(6)).to_pyarrow().to_pylist()[1:]
    [{'group': '01', 'index': 104.0}, {'group': '01.1', 'index': 110.0}, {'group': '01.2', 'index': 95.0}]
    """
    import numpy as np

    from statcommons.prices.aggregate.chain import chained, double_linked, positions, year_before
    from statcommons.prices.aggregate.structure import tree_of
    from statcommons.prices.panel import require_consecutive

    prices_table = current().collect(elementary.select("period", "group", "index"), "Read elementary indices")
    rows = current().collect(weights.select("group", "weight", "link", "price_reference"), "Read weights").to_pylist()
    groups = None if structure is None else current().collect(structure, "Read the structure")
    tree = tree_of(groups, {row["group"] for row in rows} | set(prices_table["group"].unique().to_pylist()))
    periods = sorted(prices_table["period"].unique().to_pylist())
    if len({len(period) for period in periods}) > 1:
        raise BadData("Periods of several lengths are mixed.", remedy="Give months, quarters or weeks only.")
    require_consecutive(np.array(periods, dtype=object))

    baskets = _baskets(tree, periods, rows, weight_slack, update=formula == "lowe")
    if chain == "double":
        baskets = double_linked(periods, baskets)
    prices = _matrix(tree, periods, prices_table)
    _refuse_misplaced(tree, baskets, prices)
    made = chained(tree, periods, prices, baskets, given=given, missing=missing)
    base = positions(periods, reference) if reference else [0]
    return _tables(made, periods, _referenced(made, base), decimals, year_before(periods))


def _baskets(
    tree: Tree, periods: Sequence[str], rows: Sequence[Mapping[str, Any]], slack: float, *, update: bool
) -> list[Basket]:
    """Sort weights into baskets by link; set those of groups above aside once they are compared."""
    import numpy as np

    from statcommons.prices.aggregate.chain import Basket, positions

    place = {code: number for number, code in enumerate(tree.codes)}
    by_link: dict[str, dict[int, Mapping[str, Any]]] = {}
    for row in sorted(rows, key=lambda row: (row["link"] or periods[0], row["group"])):
        link = row["link"] or periods[0]
        basket = by_link.setdefault(link, {})
        if place[row["group"]] in basket:
            raise BadData(f"{row['group']} has several weights at the link {link}.", remedy="Give one row each.")
        basket[place[row["group"]]] = row
    if outside := sorted(set(by_link) - set(periods)):
        raise BadData(
            f"Baskets are linked over {', '.join(outside)}, where there is no elementary index.",
            where=f"{periods[0]} to {periods[-1]}",
            remedy="Link over a period of the elementary indices.",
        )
    if periods[0] not in by_link:
        raise BadData(
            f"No basket holds from {periods[0]}: the first is linked over {min(by_link)}.",
            remedy="Give its weights, or start the elementary indices at the first link.",
        )
    baskets, causes = [], []
    for link, basket in sorted(by_link.items()):
        above = {one for group in basket for one in tree.above(group)}
        weight, reference = np.zeros(len(tree.codes)), {}
        for group in sorted(set(basket) - above):
            weight[group] = basket[group]["weight"]
            then = basket[group]["price_reference"]
            if update and then and then != link:
                reference[group] = positions(periods, then)
        sums = tree.up(weight)
        for group in sorted(above & set(basket)):
            stated = basket[group]["weight"]
            if abs(sums[group] - stated) > slack * stated:
                words = f"{tree.codes[group]} has the weight {stated:g} at the link {link}, what is below it"
                remedy = "Correct them, or allow for their rounding by weight_slack."
                causes.append(Cause(f"{words} {sums[group]:g}", 0, remedy))
        baskets.append(Basket(periods.index(link), weight, reference))
    if causes:
        raise BadData("Weights do not add up.", causes=causes)
    return baskets


def _matrix(tree: Tree, periods: Sequence[str], table: Any) -> Any:
    """Lay elementary indices out by period and group; NaN where there is none."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    row = pc.index_in(table["period"], value_set=pa.array(periods)).to_numpy()
    column = pc.index_in(table["group"], value_set=pa.array(tree.codes)).to_numpy()
    matrix = np.full((len(periods), len(tree.codes)), np.nan)
    matrix[row, column] = table["index"].cast(pa.float64()).to_numpy()
    return matrix


def _refuse_misplaced(tree: Tree, baskets: Sequence[Basket], prices: Any) -> None:
    """Refuse elementary indices that no weight takes, and those of groups that are sums of others."""
    import numpy as np

    weighted = np.array([basket.weight > 0 for basket in baskets])
    within = np.array([tree.up(basket.weight) > 0 for basket in baskets])
    present = np.isfinite(prices).any(axis=0)
    above = present & (within & ~weighted).any(axis=0)
    if above.any():
        codes = ", ".join(tree.codes[place] for place in np.flatnonzero(above)[:10])
        raise BadData(
            f"Elementary indices are given for groups that are sums of others with weights: {codes}.",
            remedy="Give each index at one level only.",
        )
    useless = present & ~weighted.any(axis=0)
    if useless.any():
        codes = ", ".join(tree.codes[place] for place in np.flatnonzero(useless)[:10])
        raise BadData(f"Elementary indices have no weight: {codes}.", remedy="Give weights, or leave these groups out.")
    ends = [*(basket.link for basket in baskets[1:]), len(prices) - 1]
    unused = 0
    for basket, end in zip(baskets, ends, strict=True):
        inner = np.isfinite(prices[basket.link + 1 : end]).any(axis=0)
        unused += int((inner & ~(basket.weight > 0)).sum())
    if unused:
        notice(f"{unused} elementary indices are not used between links whose basket does not have them.")


def _referenced(made: Chain, base: Sequence[int]) -> Any:
    """Scale each group to 100 on average over the reference; one that starts later to 100 in its first period."""
    import numpy as np

    # The mean of equal numbers may be off by a rounding error; over one period it is that period.
    level = made.index[base].sum(axis=0) / len(base)
    late = np.isfinite(made.index).any(axis=0) & ~np.isfinite(level)
    if late.any():
        codes = ", ".join(made.tree.codes[place] for place in np.flatnonzero(late)[:10])
        notice(f"Groups without an index in the whole reference period are 100 in their first period: {codes}.")
    return made.index / np.where(np.isfinite(level), level, 1.0) * 100


def _tables(made: Chain, periods: Sequence[str], index: Any, decimals: int | None, year: Sequence[int]) -> Aggregates:
    """Write index numbers, weights and contributions as tables, and measure what is imputed."""
    import numpy as np
    import pyarrow as pa

    from statcommons.prices.aggregate.chain import contributions, rounded

    tree = made.tree
    codes, labels = pa.array(tree.codes, pa.string()), pa.array(periods, pa.string())
    inside = np.isfinite(index)
    top = np.array([([place, *tree.above(place)])[-1] for place in range(len(codes))])
    to_top = np.full((2, *index.shape), np.nan)
    parts = []
    for of in np.unique(np.append(tree.parent[tree.parent >= 0], top)).tolist():
        below = tree.below(of)
        previous, yearly = contributions(made, of), contributions(made, of, year)
        if tree.parent[of] < 0:
            to_top[:, :, below] = previous, yearly
        # What left the basket within the year still has a part in the annual change.
        counts = inside[:, below] | (np.nan_to_num(yearly) != 0)
        row, column = np.nonzero(counts & np.isfinite(previous) & (below != of))
        parts.append((row, np.full(len(row), of), below[column], previous[row, column], yearly[row, column]))
    when, whole_of, part, *change = (np.concatenate(one) for one in zip(*parts, strict=True))
    split = {
        "period": labels.take(pa.array(when)),
        "of": codes.take(pa.array(whole_of)),
        "group": codes.take(pa.array(part)),
        "level": tree.level[part],
        "previous": pa.array(change[0], from_pandas=True),
        "year": pa.array(change[1], from_pandas=True),
    }
    row, column = np.nonzero(inside)
    whole = np.where(made.value[:, top] > 0, made.value[:, top], np.nan)
    share = np.where(made.value > 0, made.value, np.nan) / whole
    imputed = made.imputed[:, tree.level == 0]
    measure("Largest share of weight imputed", float(imputed.max()), unit="share", indicator="ESS A7 imputation")
    measure("Mean share of weight imputed", float(imputed[1:].mean()) if len(imputed) > 1 else 0.0, unit="share")
    result = pa.table(
        {
            "period": labels.take(pa.array(row)),
            "group": codes.take(pa.array(column)),
            "level": tree.level[column],
            "index": rounded(index[row, column], decimals),
            "weight": pa.array(share[row, column], from_pandas=True),
            "contribution_previous": pa.array(to_top[0][row, column], from_pandas=True),
            "contribution_year": pa.array(to_top[1][row, column], from_pandas=True),
            "imputed": made.imputed[row, column],
            "version": [tree.version or None] * len(row),
        }
    )
    return Aggregates(result=result, contributions=pa.table(split))
