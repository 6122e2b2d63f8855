"""Imputation of missing prices, each flagged with how it was made."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

from statcommons.core.engine import current
from statcommons.core.errors import BadCall, BadData
from statcommons.core.method import method
from statcommons.core.quality import measure
from statcommons.core.schema import Attribute, Ge, Le, Table, Unit
from statcommons.prices.aggregate.tables import ElementaryIndex
from statcommons.prices.data import Characteristics, UnitValues

if TYPE_CHECKING:
    from statcommons.prices.clean.gaps import Gaps
    from statcommons.prices.clean.values import Values
    from statcommons.prices.panel import Floats, Integers

__all__ = ["ImputedValues", "impute"]


class ImputedValues(UnitValues, key=("period", "group", "product")):
    """Unit values with imputed prices among them."""

    imputed: Annotated[str | None, Attribute, "How the price was imputed; missing where it was observed"]


@method(
    version="1.0.0",
    topic="Consumer prices",
    gsbpm="5.4",
    references=[
        "IMF, ILO, OECD, Eurostat, UNECE, World Bank (2020), Consumer Price Index Manual: Concepts and Methods, "
        "chapters 6 and 11",
        "Commission Regulation (EC) No 330/2009 and Implementing Regulation (EU) 2020/1148, seasonal products",
        "S. Martin, piar: price index aggregation in R (shadow prices)",
    ],
)
def impute(
    unit_values: Table[UnitValues],
    characteristics: Table[Characteristics] | None = None,
    indices: Table[ElementaryIndex] | None = None,
    *,
    way: Literal[
        "carry_forward",
        "overall_mean",
        "targeted_mean",
        "parent_index",
        "hedonic",
        "counter_seasonal",
        "all_seasonal",
    ] = "overall_mean",
    limit: Annotated[int | None, Ge(1), Le(520), Unit("periods")] = None,
    characteristic: str | None = None,
) -> Table[ImputedValues]:
    """Impute prices of products that are missing after they were sold.

    A price that is missing moves on from the last one as others do; only observed prices move it. Quantities carry
    forward. What cannot be imputed, because nobody is there to move with, stays missing and is measured.

    Parameters
    ----------
    unit_values : UnitValues
        One row a period, group and product.
    characteristics : Characteristics, optional
        What products are like: for hedonic, targeted and seasonal imputation.
    indices : ElementaryIndex, optional
        Index series of groups: for imputation by a parent.
    way : str
        From the last price on, as it is (carry_forward), or moved as all products of the group (overall_mean), as those
        with the same `characteristic` (targeted_mean), as the index of the group or, where it has none, of the nearest
        above it (parent_index), or as a regression on all characteristics says (hedonic). Out of season, from the
        typical price of the last season on, moved as the seasonal products that are in season (counter_seasonal) or as
        all products (all_seasonal) of the group.
    limit : int, optional
        The most periods in a row that a product is imputed; by default 3, or 11 for seasonal imputation.
    characteristic : str, optional
        Which characteristic makes products alike (targeted_mean), or marks those that are seasonal.

    Returns
    -------
    ImputedValues
        All unit values, and the imputed ones with their flag.

    Raises
    ------
    BadCall
        When an input or parameter is missing that the way of imputation needs.
    BadData
        When a period is missing between two others.

    Examples
    --------
    >>> values = {
    ...     "period": ["2026-01", "2026-01", "2026-02"],
    ...     "group": ["01.1"] * 3,
    ...     "product": ["tea", "rice", "rice"],
    ...     "price": [2.0, 1.0, 1.5],
    ...     "quantity": [10, 10, 10],
    ...     "turnover": [20.0, 10.0, 15.0],
    ... }
    >>> made = impute(values)
    >>> made.filter(made.imputed.notnull()).select("period", "product", "price", "imputed").to_pyarrow().to_pylist()
    [{'period': '2026-02', 'product': 'tea', 'price': 3.0, 'imputed': 'overall_mean'}]
    """
    import numpy as np

    from statcommons.prices.clean.gaps import find_gaps, typical_price
    from statcommons.prices.clean.values import read_values

    traits = _traits(characteristics, way, characteristic)
    seasonal = way in ("counter_seasonal", "all_seasonal")
    rows = read_values(unit_values)
    gaps = find_gaps(rows.item, rows.time, len(rows.periods), limit or (11 if seasonal else 3))
    if seasonal:
        marked = np.array([name in traits for name in rows.products])[rows.item[gaps.row]]
        gaps = gaps.chosen(marked)
    change = _changes(rows, gaps, way, traits, indices)
    base = typical_price(rows.item, rows.time, rows.price, gaps.row) if seasonal else rows.price[gaps.row]
    return _filled(rows, gaps, base * change, way)


def _traits(characteristics: Any, way: str, characteristic: str | None) -> dict[str, dict[str, str]]:
    """Read the characteristics that a way of imputation needs, by product."""
    named = ("targeted_mean", "counter_seasonal", "all_seasonal")
    if characteristic is not None and way not in named:
        raise BadCall(f"characteristic is given, but way is {way!r}.", remedy=f"It belongs to {', '.join(named)}.")
    if way not in (*named, "hedonic"):
        return {}
    if characteristics is None:
        raise BadCall(f"way is {way!r}, but there are no characteristics.", remedy="Give the input characteristics.")
    if characteristic is None and way in named:
        raise BadCall(f"way is {way!r}, but no characteristic is named.", remedy="Name it by characteristic.")
    found: dict[str, dict[str, str]] = {}
    for row in current().collect(characteristics, "Read characteristics").to_pylist():
        if characteristic in (None, row["characteristic"]):
            found.setdefault(row["product"], {})[row["characteristic"]] = row["value"]
    if not found:
        raise BadData(f"No product has the characteristic {characteristic}.", remedy="Check its name.")
    return found


def _changes(rows: Values, gaps: Gaps, way: str, traits: dict[str, dict[str, str]], indices: Any) -> Floats:
    """Give for each gap the change since the price it starts from; NaN where there is none."""
    import numpy as np

    from statcommons.prices.clean.gaps import matched_movement

    item = rows.item[gaps.row]
    if way == "carry_forward":
        return np.ones(len(item))
    if way == "parent_index":
        return _by_index(rows, gaps, indices)
    if way == "hedonic":
        return _by_regression(rows, gaps, traits)
    donor, unit = np.ones(len(rows.item), bool), rows.group_of.copy()
    if way == "targeted_mean":
        alike = [next(iter(traits.get(name, {}).values()), None) for name in rows.products]
        pairs = list(zip(unit.tolist(), alike, strict=True))
        place = {pair: number for number, pair in enumerate(dict.fromkeys(pairs))}
        unit = np.array([place[pair] for pair in pairs], np.int64)
        # What has no value of the characteristic moves with nothing.
        donor = np.array([one is not None for one in alike])[rows.item]
    if way == "counter_seasonal":
        donor = np.array([name in traits for name in rows.products])[rows.item]
    shape = (int(unit.max()) + 1, len(rows.periods))
    movement = matched_movement(rows.item, rows.time, rows.price, unit[rows.item], shape, donor)
    # Out of season the first estimate is the typical price itself, and moves on from there.
    since = gaps.since + (way in ("counter_seasonal", "all_seasonal"))
    return movement.between(unit[item], since, gaps.time)


def _by_index(rows: Values, gaps: Gaps, indices: Any) -> Floats:
    """Move as the index of the group, or of the nearest group above that has one in both periods."""
    import numpy as np

    if indices is None:
        raise BadCall("way is 'parent_index', but there are no indices.", remedy="Give the input indices.")
    level: dict[tuple[str, str], float] = {
        (row["group"], row["period"]): row["index"]
        for row in current().collect(indices.select("period", "group", "index"), "Read indices").to_pylist()
        if row["index"] is not None
    }

    def change(group: str, since: str, time: str) -> float:
        for code in [group, *(group.rsplit(".", cut)[0] for cut in range(1, group.count(".") + 1)), "_T"]:
            if (code, since) in level and (code, time) in level:
                return level[code, time] / level[code, since]
        return float("nan")

    cells = np.stack([rows.group[gaps.row], gaps.since, gaps.time])
    different, back = np.unique(cells, axis=1, return_inverse=True)
    found = [change(rows.groups[g], rows.periods[s], rows.periods[t]) for g, s, t in different.T.tolist()]
    return np.array(found, float)[np.asarray(back).ravel()]


def _by_regression(rows: Values, gaps: Gaps, traits: dict[str, dict[str, str]]) -> Floats:
    """Fit each group by itself, over the products of which all its characteristics are known."""
    import numpy as np

    from statcommons.prices.clean.gaps import hedonic_movement

    found = np.full(len(gaps.row), np.nan)
    for group in np.unique(rows.group[gaps.row]).tolist():
        members = np.flatnonzero(rows.group_of == group)
        known, matrix = _design([traits.get(rows.products[one], {}) for one in members.tolist()])
        place = np.full(len(rows.products), -1)
        place[members[known]] = np.arange(len(known))
        fit = np.flatnonzero(place[rows.item] >= 0)
        cells = np.flatnonzero(place[rows.item[gaps.row]] >= 0)
        found[cells] = hedonic_movement(
            rows.time[fit],
            rows.price[fit],
            rows.turnover[fit],
            matrix[place[rows.item[fit]]],
            len(rows.periods),
            matrix[place[rows.item[gaps.row[cells]]]],
            gaps.chosen(cells),
        )
    return found


def _design(traits: list[dict[str, str]]) -> tuple[Integers, Floats]:
    """Make the columns of a regression: a constant, numbers as they are, other values one column each but the first."""
    import numpy as np

    names = sorted({name for one in traits for name in one})
    known = [place for place, one in enumerate(traits) if names and all(name in one for name in names)]
    columns = [np.ones(len(known))]
    for name in names:
        values = [traits[place][name] for place in known]
        try:
            numbers = np.array([float(value) for value in values])
            columns.append((numbers - numbers.mean()) / (numbers.std() or 1.0))
        except ValueError:
            columns += [np.array([value == one for value in values], float) for one in sorted(set(values))[1:]]
    return np.array(known, np.int64), np.stack(columns, axis=1)


def _filled(rows: Values, gaps: Gaps, price: Floats, way: str) -> Any:
    """Add the imputed rows to the observed, and measure how much they are."""
    import numpy as np
    import pyarrow as pa

    done = np.flatnonzero(np.isfinite(price))
    source = rows.table.take(pa.array(gaps.row[done]))
    quantity = source["quantity"].to_numpy()
    added = pa.table(
        {
            "period": pa.array(rows.periods[gaps.time[done]], pa.string()),
            "group": source["group"],
            "product": source["product"],
            "price": price[done],
            "quantity": quantity,
            "turnover": price[done] * quantity,
            "imputed": pa.array([way] * len(done), pa.string()),
        }
    )
    observed = rows.table.append_column("imputed", pa.nulls(rows.table.num_rows, pa.string()))
    whole = pa.concat_tables([observed.select(added.column_names).cast(added.schema), added])
    share = len(done) / whole.num_rows
    measure("Share of unit values imputed", share, unit="share", indicator="ESS A7 imputation")
    measure("Share of turnover at imputed prices", _share(price[done] * quantity, rows.turnover), unit="share")
    measure("Missing prices that could not be imputed", len(price) - len(done), unit="unit values")
    return whole


def _share(part: Floats, rest: Floats) -> float:
    import math

    added = math.fsum(part.tolist())
    return added / (added + math.fsum(rest.tolist()))
