"""From the deliveries of retailers to a consumer price index that can be published."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal

from statcommons.core.engine import current, total
from statcommons.core.errors import BadCall, BadData
from statcommons.core.method import method
from statcommons.core.progress import step
from statcommons.core.quality import measure, notice
from statcommons.core.schema import (
    PERIOD_PATTERN,
    Ge,
    Gt,
    Le,
    Pattern,
    Table,
    Tables,
    Unit,
)
from statcommons.prices.aggregate.aggregate_index import aggregate_index
from statcommons.prices.aggregate.publication import (
    IndexVintages,
    Revisions,
    protect_index,
    revise_index,
)
from statcommons.prices.aggregate.tables import BasketWeights, Contributions, GroupStructure
from statcommons.prices.clean.check_delivery import check_delivery
from statcommons.prices.clean.filter_changes import filter_changes
from statcommons.prices.clean.hold import held
from statcommons.prices.clean.impute import impute
from statcommons.prices.cpi_tables import (
    CpiIndex,
    DeliveryFindings,
    DeliveryPlan,
    GroupIndex,
    ProductGroups,
    RetailerSales,
    RetailerUnitValues,
)
from statcommons.prices.index.elementary import BESIDE
from statcommons.prices.index.extension import Splice
from statcommons.prices.index.multilateral import Method, Recipe, multilateral_series
from statcommons.prices.unit_values import SCALE, panels_of, tell_left_out
from statcommons.toolbox.periods import Frequency, period_of, start_of

if TYPE_CHECKING:
    import ibis

    from statcommons.prices.panel import Series

__all__ = ["Cpi", "cpi"]


@dataclass(frozen=True)
class Cpi:
    """A consumer price index, what it is made of, and what the next run needs."""

    result: Table[CpiIndex]
    contributions: Table[Contributions]
    published: Table[IndexVintages]
    revisions: Table[Revisions]
    groups: Table[GroupIndex]
    findings: Table[DeliveryFindings]
    plan: Table[DeliveryPlan]
    unit_values: Table[RetailerUnitValues]


@method(
    version="1.0.0",
    topic="Consumer prices",
    gsbpm="5",
    references=[
        "UN Task Team on Scanner Data, e-handbook CPI from new data sources",
        "IMF, ILO, Eurostat, UNECE, OECD, World Bank (2020), Consumer Price Index Manual: Concepts and Methods",
    ],
)
def cpi(
    deliveries: Tables[RetailerSales],
    weights: Table[BasketWeights],
    structure: Table[GroupStructure] | None = None,
    groups: Table[ProductGroups] | None = None,
    so_far: Table[RetailerUnitValues] | None = None,
    published: Table[IndexVintages] | None = None,
    *,
    method: Method = "geks",
    formula: Literal["tornqvist", "fisher", "walsh", "jevons"] = "tornqvist",
    window: Annotated[int, Ge(2), Le(1040), Unit("periods")] = 25,
    splice: Splice = "mean",
    period: Frequency = "month",
    since: Annotated[str | None, Pattern(PERIOD_PATTERN)] = None,
    row_is: Literal["sum", "sale"] = "sum",
    hold: bool = True,
    filters: Literal["none", "own", "poland", "norway", "uk"] = "own",
    imputation: Literal["none", "carry_forward", "overall_mean"] = "none",
    missing: Literal["refuse", "parent"] = "parent",
    chain: Literal["single", "double"] = "single",
    reference: Annotated[str | None, Pattern(PERIOD_PATTERN)] = None,
    decimals: Annotated[int | None, Ge(0), Le(12), Unit("decimals")] = None,
    least_retailers: Annotated[int, Ge(1), Le(100), Unit("retailers")] = 3,
    dominance: Annotated[float, Gt(0), Le(1), Unit("share")] = 0.75,
    policy: Literal["frozen", "revisable", "free"] = "frozen",
    horizon: Annotated[int, Ge(1), Le(600), Unit("periods")] = 1,
) -> Cpi:
    """Compile a consumer price index from retailers' deliveries.

    Each delivery is checked, and what is in doubt is held; unit values are filtered and, where asked, imputed; a
    multilateral index is compiled for each group over all retailers, a product being a retailer's own; the groups are
    aggregated with the weights; and what would disclose a retailer is held back. Given the unit values and the
    publications of the run before, only new deliveries are needed, and the result is that of all deliveries at once.

    Parameters
    ----------
    deliveries : RetailerSales
        One table a retailer, such as a folder of files; where rows do not name their retailer, it is numbered.
    weights : BasketWeights
        What households spend on each group.
    structure : GroupStructure, optional
        Code and parent of all groups; by default COICOP 2018, whose codes imply it.
    groups : ProductGroups, optional
        The group of each product, where the deliveries do not have it.
    so_far : RetailerUnitValues, optional
        The output unit_values of the run before. Periods that are delivered again replace those in it.
    published : IndexVintages, optional
        The output published of the run before.
    method : {"geks", "gk", "tpd", "lehr"}
        The multilateral method.
    formula : {"tornqvist", "fisher", "walsh", "jevons"}
        The bilateral index of GEKS.
    window : int
        Periods in a window.
    splice : str
        How a new window is linked to the published series.
    period : {"month", "week"}
        Whether prices are averaged over months or weeks.
    since : str, optional
        First period that is taken from the deliveries; those before it are there to be compared with.
    row_is : {"sum", "sale"}
        Whether a row of a delivery is a day's sum of sales, or one sale.
    hold : bool
        Whether the hold plan of the checks is carried out, or findings are told only.
    filters : {"none", "own", "poland", "norway", "uk"}
        Filters on price changes: none, limits of 0.25 and 4, or the profile of a country.
    imputation : {"none", "carry_forward", "overall_mean"}
        Whether prices that are missing after a sale are imputed.
    missing : {"refuse", "parent"}
        Whether a group without index is refused, or moves as the group above it.
    chain : {"single", "double"}
        Whether baskets are linked once, or those of December over January again.
    reference : str, optional
        Period or year that is 100; by default the first period.
    decimals : int, optional
        Decimals of what is published.
    least_retailers : int
        How many retailers must contribute to what is published.
    dominance : float
        The largest share of one retailer in what is published.
    policy : {"frozen", "revisable", "free"}
        What of the published index may be revised.
    horizon : int
        How many periods a revisable index may change.

    Returns
    -------
    result : CpiIndex
        Indices of all groups as they stand published, with those held back that would disclose a retailer.
    contributions : Contributions
        What each group contributes, as far as both may be published.
    published : IndexVintages
        All publications with this one, for the next run.
    revisions : Revisions
        What differs from what was published.
    groups : GroupIndex
        The indices of the elementary groups.
    findings : DeliveryFindings
        What the checks found.
    plan : DeliveryPlan
        What was held, and what stands in for it.
    unit_values : RetailerUnitValues
        Unit values so far, for the next run.

    Raises
    ------
    BadData
        When products have no group, nothing is left of a delivery, or weights and groups do not fit.

    Examples
    --------
    >>> sales = {"time": ["2026-01-05", "2026-02-05"] * 2, "product": ["tea", "tea", "rice", "rice"]}
    >>> sales |= {"price": [2.0, 2.2, 1.0, 1.0], "quantity": [5, 5, 9, 9], "group": ["01.2", "01.2", "01.1", "01.1"]}
    >>> weights = {"group": ["01.1", "01.2"], "weight": [70, 30]}
    >>> import warnings
    >>> with warnings.catch_warnings():
    ...     warnings.simplefilter("ignore")  # two months are fewer than a window
    ...     made = cpi([sales], weights, least_retailers=1, dominance=1)
    >>> whole = made.result.filter(made.result.group == "01").order_by("period")
    >>> whole.index.round(6).to_pyarrow().to_pylist()
    [100.0, 103.0]
    """
    engine = current()
    recipe = Recipe(method, formula, "usual", window, splice)
    rows = _named(deliveries, groups, again=so_far is not None)
    checks = _checked(rows, period, row_is)
    sold = _sums(rows, checks if hold else {}, period, since)
    values = engine.kept(_joined(sold, so_far), "Sum up unit values")
    sellers = _sellers(values)
    _assert_whole(set(sellers), checks if hold else {}, since or "")
    prices = _prices(values)
    if filters != "none":
        made = filter_changes.apply(prices, profile=filters)
        prices = made.result
    if imputation != "none":
        prices = impute.apply(prices, way=imputation)
    prices = engine.collect(prices.order_by(["group", "product", "period"]), "Read unit values")
    found = _indices(prices, recipe, missing)
    elementary = _elementary(found, values)
    aggregated = aggregate_index.apply(
        engine.adopt(elementary.select(["period", "group", "index"])),
        weights,
        structure,
        missing=missing,
        chain=chain,
        reference=reference,
        decimals=decimals,
    )
    _tell_missing(values, sellers, aggregated.result, so_far, deliveries)
    contributors = _contributors(values)
    known = aggregated.result.select("period").distinct()
    result = protect_index.apply(
        aggregated.result,
        contributors.semi_join(known, "period"),
        structure,
        least_retailers=least_retailers,
        dominance=dominance,
    )
    result = engine.kept(result)
    free = result.filter(result["index"].notnull())
    revised = revise_index.apply(free, published, policy=policy, horizon=horizon, decimals=decimals)
    return Cpi(
        result=_standing(result, revised.result),
        contributions=_free_only(aggregated.contributions, free),
        published=revised.result,
        revisions=revised.revisions,
        groups=engine.adopt(elementary),
        findings=_of_retailers(checks, 0),
        plan=_of_retailers(checks, 1),
        unit_values=values,
    )


def _named(deliveries: tuple[ibis.Table, ...], groups: ibis.Table | None, *, again: bool) -> ibis.Table:
    """Bring all deliveries together, each row with its retailer and group."""
    import ibis

    wide = len(str(len(deliveries)))
    numbered = [
        one.mutate(retailer=one.retailer.fill_null(f"{place:0{wide}d}")) for place, one in enumerate(deliveries, 1)
    ]
    rows = ibis.union(*numbered)
    nameless = sum(current().row(one.agg(rows=one.count(where=one.retailer.isnull())))["rows"] for one in deliveries)
    if nameless and again:
        raise BadData(
            f"{nameless:,} rows name no retailer, so that they cannot be put to those of the run before.",
            where="deliveries",
            remedy="Give each delivery the column retailer.",
        )
    if groups is not None:
        found = groups.select(product="product", __group="group")
        joined = rows.left_join(found, "product")
        rows = joined.mutate(group=joined["__group"].fill_null(joined["group"])).select(*rows.columns)
    without = rows.filter(rows.group.isnull())
    lost = current().row(without.agg(rows=without.count(), products=without["product"].nunique()))
    if lost["rows"]:
        raise BadData(
            f"{lost['rows']:,} rows of {lost['products']:,} products have no group.",
            remedy="Give the column group, or classify the products (prices.classify) and give the input groups.",
        )
    return rows


def _checked(rows: ibis.Table, period: Frequency, row_is: str) -> dict[str, tuple[Any, Any]]:
    """Check the delivery of each retailer: findings and plan, by retailer."""
    engine = current()
    names = engine.collect(rows.select("retailer").distinct().order_by("retailer"))["retailer"].to_pylist()
    columns = [one.name for one in check_delivery.spec.inputs[0].schema]
    found = {}
    with step("Check deliveries", total=len(names), unit="retailers") as progress:
        for name in names:
            own = rows.filter(rows.retailer == name)
            made = check_delivery.apply(own.select(*columns), period=period, row_is=row_is)
            found[name] = engine.collect(made.result), engine.collect(made.plan)
            progress.advance()
    return found


def _sums(rows: ibis.Table, checks: dict[str, tuple[Any, Any]], period: Frequency, since: str | None) -> ibis.Table:
    """Sum up by retailer, period, group and product, without what is held."""
    import ibis

    parts = [
        held(rows.filter(rows.retailer == name), plan, findings, period) for name, (findings, plan) in checks.items()
    ]
    kept = ibis.union(*parts) if parts else rows
    keyed = kept.select(
        "retailer",
        "group",
        "product",
        "quantity",
        "time",
        start=start_of(kept.time, period),
        paid=kept.price * kept.quantity,
    )
    sums = keyed.group_by(["retailer", "start", "group", "product"]).agg(
        turnover=total(keyed.paid, SCALE),
        quantity=total(keyed.quantity, SCALE),
        first_day=keyed.time.min(),
        last_day=keyed.time.max(),
    )
    sums = sums.mutate(period=period_of(sums.start, period)).select(*RetailerUnitValues.__annotations__)
    return sums.filter(sums.period >= since) if since else sums


def _joined(sold: ibis.Table, so_far: ibis.Table | None) -> ibis.Table:
    """Put what is delivered now to what was delivered before, retailer by retailer and period by period.

    Days that follow are added; a delivery that reaches over the days of the one before replaces it.
    """
    if so_far is None:
        return sold
    place = ["retailer", "period"]
    days = {"first": lambda one: one.first_day.min(), "last": lambda one: one.last_day.max()}
    old, new = (one.group_by(place).agg(**days) for one in (so_far, sold))
    both = old.inner_join(new.rename(new_first="first", new_last="last"), place)
    apart = (both.new_first > both["last"]) | (both.new_last < both["first"])
    covers = (both.new_first <= both["first"]) & (both.new_last >= both["last"])
    table = current().collect(both.mutate(apart=apart, covers=covers).order_by(place)).to_pylist()
    if partly := [row for row in table if not row["apart"] and not row["covers"]]:
        raise BadData(
            f"{partly[0]['period']} was delivered from {partly[0]['first']} to {partly[0]['last']} before, and from "
            f"{partly[0]['new_first']} to {partly[0]['new_last']} now ({len(partly)} such deliveries).",
            where="deliveries",
            remedy="Give the whole period again, or only the days that follow.",
        )
    replaced = [row for row in table if row["covers"]]
    kept = so_far
    if replaced:
        notice(f"{len(replaced):,} periods of retailers were delivered again; what was there before was replaced.")
        kept = so_far.anti_join(both.filter(covers).select(*place), place)
    every = kept.select(*sold.columns).union(sold)
    return every.group_by([*place, "group", "product"]).agg(
        turnover=total(every.turnover, SCALE),
        quantity=total(every.quantity, SCALE),
        first_day=every.first_day.min(),
        last_day=every.last_day.max(),
    )


def _contributors(values: ibis.Table) -> ibis.Table:
    """Sum turnover by retailer, of products that are there to be compared: sold in two periods or more."""
    sold = values.filter(values.turnover > 0)
    names = ["retailer", "group", "product"]
    often = sold.group_by(names).agg(periods=sold.count())
    compared = sold.semi_join(often.filter(often.periods > 1), names)
    return compared.group_by(["period", "group", "retailer"]).agg(turnover=total(compared.turnover, SCALE))


def _sellers(values: ibis.Table) -> dict[str, set[str]]:
    """Name the retailers of each period, in the order of time."""
    found: dict[str, set[str]] = {}
    pairs = values.select("period", "retailer").distinct().order_by("period")
    for row in current().collect(pairs).to_pylist():
        found.setdefault(row["period"], set()).add(row["retailer"])
    return found


def _tell_missing(
    values: ibis.Table,
    sellers: dict[str, set[str]],
    aggregated: ibis.Table,
    so_far: ibis.Table | None,
    deliveries: tuple[ibis.Table, ...],
) -> None:
    """Tell of what is not there: retailers, prices of groups that have a weight, deliveries to compare with."""
    engine = current()
    nobody: set[str] = set()
    *_, before, last = [nobody, nobody, *sellers.values()]
    if gone := before - last:
        notice(
            f"{len(gone)} of {len(before)} retailers of the period before delivered nothing for {max(sellers)}, "
            "or all of it is held."
        )
    top = engine.row(aggregated.agg(imputed=aggregated.imputed.max(where=aggregated.level == 0)))
    if (top["imputed"] or 0.0) > 0:
        notice(
            f"Up to {100 * top['imputed']:.3g} % of the weight has no price of its own: it moves as the groups above."
        )
    alike: dict[str, set[str]] = {}
    for name in set().union(*sellers.values()):
        alike.setdefault(name.strip().casefold(), set()).add(name)
    if twice := [names for names in alike.values() if len(names) > 1]:
        raise BadData(
            f"Retailers have names that differ by case or spaces only: {', '.join(map(repr, sorted(twice[0])))}.",
            where="deliveries",
            remedy="Write each retailer one way: the rule on few retailers counts names.",
        )
    sums = values.group_by("retailer").agg(
        rows=values.count(), turnover=total(values.turnover, SCALE), quantity=total(values.quantity, SCALE)
    )
    same = engine.row(
        sums.group_by(["rows", "turnover", "quantity"])
        .agg(n=sums.count())
        .filter(lambda one: one.n > 1)
        .agg(n=lambda one: one.n.max())
    )["n"]
    if same:
        notice(f"{same} retailers delivered the same: is one file there under several names?")
    if so_far is not None:
        earliest = min(engine.row(one.agg(first=one.time.min()))["first"] for one in deliveries)
        known = engine.row(so_far.agg(last=so_far.last_day.max()))["last"]
        if earliest > known:
            notice(
                "The deliveries were checked without those before, so that copies of an earlier period and breaks in "
                "volume cannot be found. Give earlier deliveries too, and say by since which period is new."
            )


def _standing(result: ibis.Table, published: ibis.Table) -> ibis.Table:
    """Put the numbers that stand published in the place of those computed, which stay beside them."""
    place = ["period", "group"]
    latest = published.group_by(place).agg(standing=published["index"].argmax(published.vintage))
    joined = result.left_join(latest, place)
    free = joined["index"].notnull()
    kept = [name for name in result.columns if name != "index"]
    return joined.mutate(computed=joined["index"]).select(*kept, "computed", index=free.ifelse(joined.standing, None))


def _assert_whole(left: set[str], checks: dict[str, tuple[Any, Any]], since: str) -> None:
    """Refuse a period of which all is held, before others: no index would lead over it."""
    reasons: dict[str, set[str]] = {}
    for _, plan in checks.values():
        for row in plan.select(["period", "reasons"]).to_pylist():
            if row["period"] not in left and row["period"] >= since:
                reasons.setdefault(row["period"], set()).update((row["reasons"] or "").split(", "))
    last = max(left, default="")
    for period, why in sorted(reasons.items()):
        words = f"All deliveries of {period} are held ({', '.join(sorted(why - {''}))})"
        if period < last:
            raise BadData(
                f"{words}, and no index leads over a month that is missing.",
                remedy="Ask for the right files, or compile with what was delivered (hold false).",
            )
        notice(f"{words}: the index ends before.")


def _prices(values: ibis.Table) -> ibis.Table:
    """Make unit values, of products that are each a retailer's own; what has none is measured."""
    engine = current()
    sold = (values.quantity > 0) & (values.turnover > 0)
    counts = engine.row(values.agg(rows=values.count(), sold=values.count(where=sold)))
    tell_left_out(counts["sold"], counts["rows"], "Check what the plan holds, and the sign of quantities.")
    kept = values.filter(sold)
    return kept.select(
        "period",
        "group",
        "quantity",
        "turnover",
        product=kept.retailer + BESIDE + kept["product"],
        price=kept.turnover / kept.quantity,
    )


def _indices(prices: Any, recipe: Recipe, missing: str) -> dict[str, Series]:
    """Compile the index of each group; a group without one is told of, where the group above may stand in."""
    found = {}
    panels = panels_of(prices)
    with step("Compile groups", total=len(panels), unit="groups") as progress:
        for name, one in panels.items():
            try:
                found[name] = multilateral_series(recipe.pairs(one), recipe)
            except BadData as error:
                if missing == "refuse":
                    error.where = error.where or f"group {name}"
                    raise
                notice(f"Group {name} moves as the group above it: {error.what}")
            progress.advance()
    if not found:
        raise BadCall("No group has an index.", remedy="Try a shorter window, or groups that hold more products.")
    short = sum(len(one.periods) < recipe.window for one in found.values())
    if short:
        notice(f"{short} of {len(found)} groups have fewer periods than the window of {recipe.window}.")
    measure("Groups without an index of their own", 1 - len(found) / len(panels), unit="share")
    return found


def _elementary(found: dict[str, Series], values: ibis.Table) -> Any:
    import numpy as np
    import pyarrow as pa

    sold = values.filter(values.turnover > 0)
    by_cell = current().collect(sold.group_by(["group", "period"]).agg(retailers=sold.retailer.nunique()))
    retailers = {(row["group"], row["period"]): row["retailers"] for row in by_cell.to_pylist()}
    groups = [name for name, series in found.items() for _ in series.periods]
    periods = [str(one) for series in found.values() for one in series.periods]
    return pa.table(
        {
            "period": periods,
            "group": groups,
            "index": np.concatenate([series.index for series in found.values()]),
            "matched_products": np.concatenate([series.matched_products for series in found.values()]),
            "matched_share": np.concatenate([series.matched_share_current for series in found.values()]),
            "retailers": [max(retailers.get(one, 1), 1) for one in zip(groups, periods, strict=True)],
        }
    )


def _free_only(contributions: ibis.Table, free: ibis.Table) -> ibis.Table:
    """Leave out contributions of, and to, groups that are held back: an index could be computed from them."""
    named = free.select("period", "group")
    kept = contributions.semi_join(named, ["period", "group"])
    return kept.semi_join(named.select("period", of="group"), ["period", "of"])


def _of_retailers(checks: dict[str, tuple[Any, Any]], which: int) -> Any:
    """Put together what was found of all retailers."""
    import pyarrow as pa

    tables = [
        made[which].append_column("retailer", pa.array([name] * made[which].num_rows, pa.string()))
        for name, made in checks.items()
    ]
    return current().adopt(pa.concat_tables(tables))
