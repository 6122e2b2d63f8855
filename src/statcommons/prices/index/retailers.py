"""One index over several retailers, none of whom shares a price: each gives sums, and the sums add up.

A product is a retailer's own, so that the sums of several retailers are sums over disjoint products.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated, Any, Literal

import numpy as np

from statcommons.core.engine import current
from statcommons.core.errors import BadCall, BadData
from statcommons.core.method import method
from statcommons.core.quality import measure, notice
from statcommons.core.schema import (
    Attribute,
    Dimension,
    Ge,
    Gt,
    Le,
    Measure,
    Period,
    Schema,
    Table,
    Tables,
    Time,
    Unit,
    table_schema,
)
from statcommons.prices.data import PriceIndex, Transactions
from statcommons.prices.index.extension import Splice
from statcommons.prices.index.multilateral import Method, Recipe, multilateral_series
from statcommons.prices.index.pairs import Pairs, Window
from statcommons.prices.index.price_index import HANDBOOK, by_group, index_table
from statcommons.prices.panel import with_periods
from statcommons.prices.unit_values import By, panels
from statcommons.toolbox.periods import Frequency

if TYPE_CHECKING:
    from statcommons.prices.panel import Series

__all__ = ["PairSums", "SharedIndex", "Turnovers", "index_from", "pairs_of"]

WHOLE = "_T"
"""In place of a period: all, or none in particular."""

FEW = 3
"""Fewer products than that in a sum tell of a product; two retailers who add up could tell of each other's."""


class PairSums(Schema, key=("group", "sum", "first", "last", "period", "other")):
    """Sums over the products of a retailer for pairs of periods: what an index needs, without a price in it."""

    group: Annotated[str, Dimension(codes="COICOP"), "Group of products; _T where none is distinguished"]
    sum: Annotated[str, Dimension, "Which sum: A, B, C, F, J, R, n by pair of periods; gk, tpd, lehr by window"]
    first: Annotated[str, Dimension, "First period of the window; _T where the sum belongs to none"]
    last: Annotated[str, Dimension, "Last period of the window; _T where the sum belongs to none"]
    period: Annotated[Period, Time, "Period"]
    other: Annotated[str, Dimension, "The other period; _T for a sum of one period"]
    value: Annotated[float, Measure, "The sum"]


class Turnovers(Schema, key=("group", "period")):
    """Turnover of all retailers together."""

    group: Annotated[str, Dimension(codes="COICOP"), "Group of products; _T where none is distinguished"]
    period: Annotated[Period, Time, "Period"]
    turnover: Annotated[float, Measure(decimals=2), Unit("currency"), Gt(0), "Turnover of all retailers"]
    retailers: Annotated[int, Attribute, Unit("retailers"), Ge(1), "Retailers who sold something"]


@dataclass(frozen=True)
class SharedIndex:
    """The index of all retailers, and their turnover together."""

    result: Table[PriceIndex]
    turnover: Table[Turnovers]


@method(version="1.0.0", topic="Consumer prices", gsbpm="5.1", references=[HANDBOOK])
def pairs_of(
    transactions: Table[Transactions],
    turnover: Table[Turnovers] | None = None,
    *,
    method: Method = "geks",
    formula: Literal["tornqvist", "fisher", "walsh", "jevons"] = "tornqvist",
    weights: Literal["usual", "equal", "turnover"] = "usual",
    window: Annotated[int, Ge(2), Le(1040), Unit("periods")] = 25,
    splice: Splice = "mean",
    period: Frequency = "month",
    by: By = "total",
) -> Table[PairSums]:
    """Sum a retailer's sales for each pair of periods, so that an office can compile an index without seeing a price.

    The office adds the sums of all retailers up and compiles with `index_from` the same index as from the pooled data.
    All retailers give the same options. For the time product dummy each needs the turnover of all first, which a first
    round with another method gives the office.

    Parameters
    ----------
    transactions : Transactions
        Sales of one retailer; they do not leave the house.
    turnover : Turnovers, optional
        Turnover of all retailers by group and period, from the office. It also says which periods there are.
    method : {"geks", "gk", "tpd", "lehr"}
        The index that is wanted.
    formula : {"tornqvist", "fisher", "walsh", "jevons"}
        The bilateral index of GEKS.
    weights : {"usual", "equal", "turnover"}
        Weights of the periods in GEKS, or of the products in TPD.
    window : int
        Periods in a window.
    splice : str
        How a new window is linked.
    period : {"month", "week"}
        Whether prices are averaged over months or weeks.
    by : {"total", "group"}
        Whether groups of products are kept apart.

    Returns
    -------
    PairSums
        The sums, which are 0 where the retailer sold nothing.

    Raises
    ------
    BadCall
        When TPD is wanted and the turnover of all is not given.

    Examples
    --------
    >>> sales = {"time": ["2026-01-05", "2026-02-05"], "product": ["tea", "tea"], "price": [1, 2], "quantity": [3, 3]}
    >>> import warnings
    >>> with warnings.catch_warnings():
    ...     warnings.simplefilter("ignore")  # of one product its price could be told
    ...     sums = pairs_of(sales, formula="fisher").to_pyarrow()
    >>> [row["value"] for row in sums.to_pylist() if row["sum"] == "F"]
    [3.0, 6.0, 3.0, 6.0]
    """
    import pyarrow as pa

    recipe = Recipe(method, formula, weights, window, splice)
    if recipe.sums == "tpd" and turnover is None:
        raise BadCall(
            "TPD weighs products by their share in the turnover of all retailers, which is not given.",
            remedy="Take part in a first round with another method; the office then sends the turnover of all.",
        )
    everybody = _of_all(turnover)
    rows: dict[str, list[Any]] = {column.name: [] for column in table_schema(PairSums)}
    smallest = np.inf
    for group, one in panels(transactions, period, by).items():
        known = everybody.get(group) if everybody else None
        if everybody and known is None:
            raise BadData(f"The turnover of all retailers has no group {group}.", remedy="Ask the office for it.")
        wide = with_periods(one, np.array(sorted(known))) if known else one
        of_all = np.array([known[str(name)] for name in wide.periods]) if known else None
        made = recipe.pairs(wide, of_all)
        smallest = min(smallest, made["n"][made["n"] > 0].min())
        for name, first, last, a, b, value in _entries(made):
            for column, cell in zip(rows, (group, name, first, last, a, b, value), strict=True):
                rows[column].append(cell)
    measure("Fewest products in a sum", float(smallest), unit="products")
    if smallest < FEW:
        notice(
            f"A sum is over {smallest:.0f} products only, which tells of a product: widen the group before you share."
        )
    return pa.table(rows)


def _of_all(turnover: Any) -> dict[str, dict[str, float]]:
    found: dict[str, dict[str, float]] = {}
    for row in current().collect(turnover).to_pylist() if turnover is not None else ():
        found.setdefault(row["group"], {})[row["period"]] = row["turnover"]
    return found


def _entries(made: Pairs) -> Any:
    """Give each number of the sums with its name and place."""
    names = [str(one) for one in made.periods]
    for name, matrix in made.of_pairs.items():
        for a, b in np.ndindex(matrix.shape):
            yield name, WHOLE, WHOLE, names[a], names[b], float(matrix[a, b])
    for (name, part), sums in made.of_windows.items():
        inside = names[slice(*part)]
        columns = [*inside, WHOLE] if sums.ndim == 2 else [WHOLE]
        table = sums.reshape(len(inside), -1)
        for a, b in np.ndindex(table.shape):
            yield name, inside[0], inside[-1], inside[a], columns[b], float(table[a, b])


@method(version="1.0.0", topic="Consumer prices", gsbpm="5.7", references=[HANDBOOK])
def index_from(
    pairs: Tables[PairSums],
    *,
    method: Method = "geks",
    formula: Literal["tornqvist", "fisher", "walsh", "jevons"] = "tornqvist",
    weights: Literal["usual", "equal", "turnover"] = "usual",
    window: Annotated[int, Ge(2), Le(1040), Unit("periods")] = 25,
    splice: Splice = "mean",
    link_through: bool = False,
) -> SharedIndex:
    """Compile one index over several retailers from the sums that each gives away.

    It is the index of the pooled data, to the last digits: the retailers' sums add up to those of all products.

    Parameters
    ----------
    pairs : PairSums
        One table a retailer, made by `pairs_of` with the same options.
    method : {"geks", "gk", "tpd", "lehr"}
        The index that is wanted.
    formula : {"tornqvist", "fisher", "walsh", "jevons"}
        The bilateral index of GEKS.
    weights : {"usual", "equal", "turnover"}
        Weights of the periods in GEKS, or of the products in TPD.
    window : int
        Periods in a window.
    splice : str
        How a new window is linked.
    link_through : bool
        Whether GEKS compares two periods without a common product by way of the others.

    Returns
    -------
    result : PriceIndex
        Index numbers, 1 in the first period of each group.
    turnover : Turnovers
        Turnover of all, which the retailers need for a round with TPD.

    Raises
    ------
    BadData
        When the tables were made with other options, or for other periods.

    Examples
    --------
    >>> import warnings
    >>> sales = {"time": ["2026-01-05", "2026-02-05"], "product": ["tea", "tea"], "price": [1, 2], "quantity": [3, 3]}
    >>> with warnings.catch_warnings():
    ...     warnings.simplefilter("ignore")
    ...     shared = index_from([pairs_of(sales), pairs_of(sales)])
    >>> shared.result.index.to_pyarrow().to_pylist()
    [1.0, 2.0]
    """
    import pyarrow as pa

    recipe = Recipe(method, formula, weights, window, splice, link_through)
    given = [current().collect(one.order_by(table_schema(PairSums).key)) for one in pairs]
    sums: dict[str, list[Pairs]] = {}
    for table in given:
        for group, one in _sums_of(table).items():
            sums.setdefault(group, []).append(one)
    added: dict[str, Pairs] = {}
    totals: dict[str, list[Any]] = {name: [] for name in ("group", "period", "turnover", "retailers")}
    for group in sorted(sums):
        wide = _aligned(sums[group])
        added[group] = sum(wide[1:], wide[0])
        sold = np.sum([one.turnover > 0 for one in wide], axis=0)
        totals["group"] += [group] * len(sold)
        totals["period"] += added[group].periods.tolist()
        totals["turnover"] += added[group].turnover.tolist()
        totals["retailers"] += sold.tolist()

    def compute(one: Pairs) -> Series:
        try:
            return multilateral_series(one, recipe)
        except KeyError as error:
            raise BadData(
                f"The sums lack {error.args[0]!r}, which {recipe.name} needs.",
                remedy="Ask the retailers for sums made with the same method, formula, weights, window and splice.",
            ) from None

    found = by_group(added, compute)
    measure("Retailers", float(len(given)), unit="retailers")
    return SharedIndex(index_table(found, recipe.name, window, splice), pa.table(totals))


def _sums_of(table: Any) -> dict[str, Pairs]:
    """Bring a table of sums back to matrices, by group."""
    import pyarrow.compute as pc

    found = {}
    for group in sorted(set(table["group"].to_pylist())):
        rows = table.filter(pc.equal(table["group"], group))
        names = np.array(sorted(set(rows["period"].to_pylist())))
        place = {name: number for number, name in enumerate(names.tolist())}
        cells: dict[tuple[str, str, str], dict[tuple[str, str], float]] = {}
        for row in rows.to_pylist():
            cells.setdefault((row["sum"], row["first"], row["last"]), {})[row["period"], row["other"]] = row["value"]
        of_pairs, of_windows = {}, {}
        for (name, first, last), values in cells.items():
            part = Window(0, len(names)) if first == WHOLE else Window(place[first], place[last] + 1)
            inside = names[slice(*part)].tolist()
            told = {other for _, other in values}
            columns = [one for one in [*inside, WHOLE] if one in told]
            matrix = np.array([[values[a, b] for b in columns] for a in inside])
            if first == WHOLE:
                of_pairs[name] = matrix
            else:
                of_windows[name, part] = matrix[:, 0] if columns == [WHOLE] else matrix
        found[group] = Pairs(names, of_pairs, of_windows)
    return found


def _aligned(sums: list[Pairs]) -> list[Pairs]:
    """Give all the same periods; a retailer who sold nothing in one adds 0 to its sums by pair."""
    names = np.unique(np.concatenate([one.periods for one in sums]))
    wide = []
    for one in sums:
        if len(one.periods) < len(names) and one.of_windows:
            raise BadData(
                f"A retailer has no sums for {sorted(set(names.tolist()) - set(one.periods.tolist()))[0]}.",
                remedy="Send all retailers the turnover of all, which says which periods there are, and ask again.",
            )
        place = np.searchsorted(names, one.periods)
        padded = {}
        for name, matrix in one.of_pairs.items():
            padded[name] = np.zeros((len(names), len(names)))
            padded[name][np.ix_(place, place)] = matrix
        wide.append(replace(one, periods=names, of_pairs=padded))
    return wide
