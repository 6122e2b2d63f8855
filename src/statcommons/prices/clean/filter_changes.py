"""Filters on price changes: what is too far from the others, hardly sold, or cleared out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal

from statcommons.core.errors import BadCall
from statcommons.core.method import method
from statcommons.core.progress import step
from statcommons.core.quality import measure
from statcommons.core.schema import Attribute, Ge, Gt, Le, Table, Unit
from statcommons.prices.data import UnitValues

if TYPE_CHECKING:
    from statcommons.prices.clean.outliers import Rules
    from statcommons.prices.clean.values import Values
    from statcommons.prices.panel import Floats, Integers

__all__ = ["Filtered", "RejectedValues", "filter_changes"]


class RejectedValues(UnitValues, key=("period", "group", "product")):
    """Unit values that a filter rejected, with its name."""

    price_ratio: Annotated[float | None, Attribute, Gt(0), "Price over that of the period before; missing without one"]
    filter: Annotated[str, Attribute, "Which filters reject it: outlier, dump, low_sales"]


@dataclass(frozen=True)
class Filtered:
    """Unit values that the filters let through, and those that they reject."""

    result: Table[UnitValues]
    rejected: Table[RejectedValues]


@method(
    version="1.0.0",
    topic="Consumer prices",
    gsbpm="5.3",
    exact=True,
    references=[
        "UN Task Team on Scanner Data, e-handbook CPI from new data sources, data filtering",
        "IMF, ILO, OECD, Eurostat, UNECE, World Bank (2020), Consumer Price Index Manual: Concepts and Methods, "
        "paragraphs 5.113 to 5.135",
        "Hidiroglou, Berthelot (1986), Statistical editing and imputation for periodic business surveys, "
        "Survey Methodology 12",
    ],
)
def filter_changes(
    unit_values: Table[UnitValues],
    *,
    profile: Literal["own", "poland", "norway", "uk"] = "own",
    outlier: Literal[
        "none", "limits", "quantile", "quartile", "tukey", "kimber", "robust_z", "hidiroglou_berthelot"
    ] = "limits",
    lower: Annotated[float, Ge(0)] = 0.25,
    upper: Annotated[float, Gt(0)] = 4.0,
    cut: Annotated[float, Gt(0)] = 2.5,
    least_spread: Annotated[float, Ge(0), Unit("share")] = 0.05,
    size_power: Annotated[float, Ge(0), Le(1)] = 0.5,
    low_sales: Annotated[float, Gt(0)] | None = None,
    dump_price: Annotated[float, Gt(0), Le(1), Unit("ratio")] | None = None,
    dump_sales: Annotated[float, Gt(0), Le(1), Unit("ratio")] | None = None,
    dump_by: Literal["turnover", "quantity"] = "turnover",
) -> Filtered:
    """Reject unit values by how they change from the period before.

    A product is compared with itself one period earlier, among the products of its group that both periods have. What
    has no period before it cannot be judged and stays; how much that is, is measured. The outlier filter rejects the
    row after a jump and, where the price returns, the row after that too.

    Parameters
    ----------
    unit_values : UnitValues
        One row a period, group and product.
    profile : {"own", "poland", "norway", "uk"}
        The rules of a country, or those that the other parameters give.
    outlier : {"none", "limits", "quantile", "quartile", "tukey", "kimber", "robust_z", "hidiroglou_berthelot"}
        Which price ratios r are too far from the others: outside `lower` and `upper`; outside the quantiles of these
        probabilities; further than `cut` distances between median and quartile from the median (quartile) or from the
        quartile (kimber); than `cut` semi-midmeans from the midmean (tukey); than `cut` median absolute deviations from
        the median (robust_z); or as quartile, of ratios that count a halving as a doubling (hidiroglou_berthelot).
    lower : float
        Lowest price ratio, or probability of its quantile.
    upper : float
        Highest price ratio, or probability of its quantile.
    cut : float
        How many spreads from the middle are kept.
    least_spread : float
        The least spread, as a share of the middle, so that small changes are kept where most prices stand still.
    size_power : float
        How much the price level adds to the weight of a change (hidiroglou_berthelot); 0 for not at all.
    low_sales : float, optional
        Lambda: keep what has a mean share in the turnover of the two periods above 1/(n lambda), n products being
        matched; 1.25 is usual.
    dump_price : float, optional
        Price ratio below which, together with `dump_sales`, a product is cleared out; it stays so until price or sales
        are back above.
    dump_sales : float, optional
        Ratio of sales below which a product with such a price is cleared out.
    dump_by : {"turnover", "quantity"}
        What sales are.

    Returns
    -------
    result : UnitValues
        What is kept.
    rejected : RejectedValues
        What is not, with the filter's name.

    Raises
    ------
    BadCall
        When limits contradict one another, or a profile and other rules are given.
    BadData
        When a period is missing between two others.

    Examples
    --------
    >>> values = {
    ...     "period": ["2026-01", "2026-02", "2026-03"],
    ...     "group": ["01.1"] * 3,
    ...     "product": ["tea"] * 3,
    ...     "price": [2.0, 24.0, 25.0],
    ...     "quantity": [10, 1, 1],
    ...     "turnover": [20.0, 24.0, 25.0],
    ... }
    >>> made = filter_changes(values)
    >>> made.rejected.select("period", "price_ratio", "filter").to_pyarrow().to_pylist()
    [{'period': '2026-02', 'price_ratio': 12.0, 'filter': 'outlier'}]
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    from statcommons.prices.clean.outliers import PROFILES, Rules
    from statcommons.prices.clean.values import read_values

    rules = Rules(outlier, lower, upper, cut, least_spread, size_power, low_sales, dump_price, dump_sales, dump_by)
    if profile != "own":
        if rules != Rules():
            raise BadCall(f"profile is {profile!r} and other rules are given.", remedy="Give one or the other.")
        rules = PROFILES[profile]
    _refuse_contradictions(rules)
    values = read_values(unit_values)
    table = values.table
    found, ratio = _rejected(values, rules)
    words = _joined(found, table.num_rows)
    rejected = pc.not_equal(words, "")
    extra = {"price_ratio": pa.array(ratio, from_pandas=True), "filter": words}
    with_names = table
    for name, column in extra.items():
        with_names = with_names.append_column(name, column)
    return Filtered(
        result=table.filter(pc.invert(rejected)),
        rejected=with_names.filter(rejected),
    )


def _refuse_contradictions(rules: Rules) -> None:
    if rules.lower >= rules.upper:
        raise BadCall(f"lower is {rules.lower} and upper {rules.upper}.", remedy="Give lower below upper.")
    if rules.outlier == "quantile" and rules.upper > 1:
        raise BadCall(f"upper is {rules.upper}, no probability.", remedy="Give lower and upper from 0 to 1.")
    if (rules.dump_price is None) != (rules.dump_sales is None):
        raise BadCall("dump_price and dump_sales belong together.", remedy="Give both or none.")
    if rules.dump_price is not None and rules.outlier == "limits" and rules.lower >= rules.dump_price:
        raise BadCall(
            f"lower is {rules.lower}, not below dump_price {rules.dump_price}: no dump would be left to find.",
            remedy="Give a lower limit below dump_price.",
        )


def _rejected(values: Values, rules: Rules) -> tuple[dict[str, Any], Floats]:
    """Flag, filter by filter, the rows that are rejected; and give price ratios."""
    import numpy as np

    price, turnover, time = values.price, values.turnover, values.time
    matched = np.zeros(len(time), bool)
    same = values.item[1:] == values.item[:-1]
    matched[1:] = same & (time[1:] == time[:-1] + 1)
    rows = np.flatnonzero(matched)
    ratio = np.full(len(time), np.nan)
    ratio[rows] = price[rows] / price[rows - 1]
    cell = values.group * len(values.periods) + time
    found = {}
    if rules.outlier != "none":
        found["outlier"] = _outliers(rows, cell, ratio, price, rules)
    if rules.dump_price is not None and rules.dump_sales is not None:
        sales = turnover if rules.dump_by == "turnover" else values.quantity
        found["dump"] = _dumps(rows, np.append(True, ~same), price, sales, rules.dump_price, rules.dump_sales)
    if rules.low_sales is not None:
        found["low_sales"] = _hardly_sold(rows, cell, turnover, rules.low_sales)
    _measure(found, matched, time, turnover)
    return found, ratio


def _outliers(rows: Integers, cell: Integers, ratio: Floats, price: Floats, rules: Rules) -> Any:
    """Judge the price ratios of each group and period among themselves."""
    import numpy as np

    from statcommons.prices.clean.outliers import OUTLIERS

    flags = np.zeros(len(ratio), bool)
    ordered = rows[np.argsort(cell[rows], kind="stable")]
    parts = np.split(ordered, np.flatnonzero(np.diff(cell[ordered])) + 1) if rows.size else []
    with step("Look for outliers", total=len(parts), unit="groups and periods") as progress:
        for part in parts:
            higher = np.maximum(price[part], price[part - 1])
            flags[part] = ~OUTLIERS[rules.outlier](ratio[part], higher, rules)
            progress.advance()
    return flags


def _dumps(rows: Integers, begins: Any, price: Floats, sales: Floats, low: float, few: float) -> Any:
    """Follow each product from the fall of both price and sales until one of them is back."""
    import numpy as np

    flags = np.zeros(len(price), bool)
    falls = rows[(price[rows] < low * price[rows - 1]) & (sales[rows] < few * sales[rows - 1])]
    for row in falls.tolist():
        if flags[row]:
            continue
        usual_price, usual_sales, at = price[row - 1], sales[row - 1], row
        while price[at] < low * usual_price and sales[at] < few * usual_sales:
            flags[at] = True
            at += 1
            if at == len(price) or begins[at]:
                break
    return flags


def _hardly_sold(rows: Integers, cell: Integers, turnover: Floats, lam: float) -> Any:
    """Compare each product's mean share in the matched turnover with that of an average product over lambda."""
    import numpy as np

    flags = np.zeros(len(turnover), bool)
    _, code = np.unique(cell[rows], return_inverse=True)
    now, before = turnover[rows], turnover[rows - 1]
    share = (now / np.bincount(code, now)[code] + before / np.bincount(code, before)[code]) / 2
    flags[rows] = share <= 1 / (np.bincount(code)[code] * lam)
    return flags


def _joined(found: dict[str, Any], rows: int) -> Any:
    """Write the names of the filters that reject each row; nothing where none does."""
    import numpy as np
    import pyarrow as pa

    number = np.zeros(rows, np.int64)
    for bit, flags in enumerate(found.values()):
        number += flags.astype(np.int64) << bit
    words = [", ".join(name for bit, name in enumerate(found) if value >> bit & 1) for value in range(1 << len(found))]
    return pa.array(words, pa.string()).take(pa.array(number))


def _measure(found: dict[str, Any], matched: Any, time: Integers, turnover: Floats) -> None:
    import math

    whole = math.fsum(turnover.tolist())
    for name, flags in found.items():
        measure(f"Rows rejected by the filter {name}", float(flags.mean()), unit="share")
        value = math.fsum(turnover[flags].tolist()) / whole
        measure(f"Turnover rejected by the filter {name}", value, unit="share", indicator="NQAF 14 accuracy")
    later = math.fsum(turnover[time > 0].tolist())
    unjudged = math.fsum(turnover[(time > 0) & ~matched].tolist()) / later if later else 0.0
    measure("Turnover not judged, having no period before", unjudged, unit="share")
