"""Checks of a delivery of transactions, before an index is computed from it."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal

from statcommons.core.cells import IBIS_TYPES
from statcommons.core.engine import Engine, current, total
from statcommons.core.method import method
from statcommons.core.progress import step
from statcommons.core.quality import measure, notice
from statcommons.core.schema import (
    Attribute,
    Dimension,
    Ge,
    Gt,
    Le,
    Measure,
    Not,
    Schema,
    Table,
    Time,
    Unit,
    table_schema,
)
from statcommons.prices.clean.findings import CODES, Findings, HoldPlan, Letter, letter_of, plan_of
from statcommons.toolbox.periods import Frequency, period_of

if TYPE_CHECKING:
    import ibis

__all__ = ["CheckedDelivery", "Delivery", "check_delivery"]


class Delivery(Schema):
    """A delivery of sales as it comes from a retailer; rows may repeat."""

    time: Annotated[datetime.date, Time, "Day of the sale, or of the sum of sales"]
    product: Annotated[str, Dimension, "Code of the product: GTIN, or the retailer's own"]
    price: Annotated[float, Measure, Unit("currency"), Gt(0), "Price of one unit, as paid"]
    quantity: Annotated[float, Measure, Unit("units"), Not(0), "Units sold; negative for a return"]
    outlet: Annotated[str | None, Dimension, "Code of the shop"] = None
    retailer_code: Annotated[str | None, Dimension, "The retailer's own code, where the product is a GTIN"] = None
    description: Annotated[str | None, Attribute, "Name of the product, as the retailer writes it"] = None


@dataclass(frozen=True)
class CheckedDelivery:
    """What was found in a delivery, what to do with it, and what to write to the retailer."""

    result: Table[Findings]
    plan: Table[HoldPlan]
    letter: Table[Letter]


@method(
    version="1.0.0",
    topic="Consumer prices",
    gsbpm="5.3",
    exact=True,
    references=[
        "IMF, ILO, Eurostat, UNECE, OECD, World Bank (2020), Consumer Price Index Manual: Concepts and Methods, ch. 5",
        "Eurostat (2017), Practical Guide for Processing Supermarket Scanner Data",
        "GS1, General Specifications, section 7.9",
    ],
)
def check_delivery(
    transactions: Table[Delivery],
    *,
    period: Frequency = "month",
    row_is: Literal["sum", "sale"] = "sum",
    unusual_price: Annotated[float, Gt(1), Le(1000), Unit("times")] = 3.0,
    copied: Annotated[float, Gt(0), Le(1), Unit("share")] = 0.95,
    repeated: Annotated[float, Gt(0), Le(1), Unit("share")] = 0.05,
    volume_window: Annotated[int, Ge(6), Le(1040), Unit("periods")] = 12,
    volume_deviations: Annotated[float, Gt(0), Le(100), Unit("MAD")] = 3.0,
    volume_tolerance: Annotated[float, Ge(0), Le(1), Unit("share")] = 0.1,
    decimals: Annotated[int, Ge(0), Le(6), Unit("digits")] = 2,
) -> CheckedDelivery:
    """Check a retailer's delivery before an index is computed from it.

    It looks for copied periods, joined or repeated rows, prices of another unit, slipped decimal signs, breaks in
    volume, shops that go and come, broken product codes and broken letters; it decides what to hold, and writes the
    sentences of a letter. Nothing is changed or left out.

    Parameters
    ----------
    transactions : Delivery
        All periods of one retailer that are compared with each other, in any order; the longer, the better is known
        what is usual.
    period : {"month", "week"}
        What a period is.
    row_is : {"sum", "sale"}
        Whether a row is a sum of the sales of a product in a shop on a day, or one sale. Of single sales equal ones are
        normal: FANOUT and DUPLICATE are not looked for.
    unusual_price : float
        UNIT: how many times the median price of its product, or what part of it, makes a price unusual.
    copied : float
        COPY: above which share of rows equal to those of an earlier period it is a copy. Rows are compared by shop,
        product, price and quantity, the day aside.
    repeated : float
        FANOUT and DUPLICATE: from which share of the rows of a shop in a period on they are severe.
    volume_window : int
        VOLUME: with how many periods before a period is compared; six at least must be there.
    volume_deviations : float
        VOLUME: how many median absolute deviations from their median are usual.
    volume_tolerance : float
        VOLUME: what deviation is usual in any case, as a share of the median.
    decimals : int
        DECIMAL: how many decimals prices have.

    Returns
    -------
    result : Findings
        One row a finding.
    plan : HoldPlan
        One row a period and shop: accept or hold, why, and what the index does meanwhile.
    letter : Letter
        One row a kind of finding.

    Examples
    --------
    >>> sales = {
    ...     "time": ["2026-01-05", "2026-01-05", "2026-02-05"],
    ...     "product": ["5904215121565", "5904215121565", "5904215121565"],
    ...     "price": [4.0, 4.1, 48.0],
    ...     "quantity": [10, 11, 3],
    ... }
    >>> checked = check_delivery(sales)
    >>> checked.result.select("code", "period", "detail").to_pyarrow().to_pylist()
    [{'code': 'UNIT', 'period': '2026-02', 'detail': '12 times the usual price'}]
    >>> checked.plan.order_by("period").select("decision", "fallback").to_pyarrow().to_pylist()
    [{'decision': 'accept', 'fallback': 'none'}, {'decision': 'accept', 'fallback': 'leave_out_products'}]
    >>> checked.letter.example.to_pyarrow().to_pylist()
    ['2026-02, product 5904215121565: 12 times the usual price (48.00 against 4.10).']
    """
    import pyarrow as pa

    from statcommons.prices.clean import delivery_checks as over_rows
    from statcommons.prices.clean import delivery_codes as over_codes
    from statcommons.prices.clean import delivery_series as over_periods

    engine = current()
    with step("Check the delivery", total=4, unit="steps") as progress:
        sums = engine.kept(over_rows.cells(transactions, period), "Sum up by period, shop, product and price")
        progress.advance()
        totals = engine.collect(_named(_totals(sums), period), "Sum up by period and shop")
        made = over_periods.volume(totals)
        kinds = engine.collect(
            _named(sums.group_by("start").agg(n=sums["product"].nunique()), period).order_by("period")
        )
        progress.advance()
        checks = [over_rows.unusual_prices(sums, unusual_price), over_rows.many_decimals(sums, decimals)]
        checks += [over_codes.one_to_many(transactions, period), over_rows.broken_letters(transactions, period)]
        codes = engine.kept(over_codes.codes_of(sums), "Check codes")
        checks += [over_codes.code_faults(codes, _are_own(engine, codes))]
        if row_is == "sum":
            checks.append(over_rows.repeated_rows(transactions, period, repeated))
        found = engine.collect(_named(checks[0].union(*checks[1:]), period), "Check rows, prices and codes")
        progress.advance()
        copies = over_rows.copies(sums)
        same = engine.collect(_named(copies, period), "Compare periods")
        rest = [
            *over_periods.unusual_volume(
                made, kinds["n"].to_numpy(), volume_window, volume_deviations, volume_tolerance
            ),
            *over_periods.outlets_gone_or_new(made),
            *over_periods.copied_periods(made, same, copied),
        ]
        progress.advance()
    found = pa.concat_tables([found, pa.Table.from_pylist(rest, schema=found.schema)])
    found = found.sort_by([(name, "ascending") for name in ("code", "period", "outlet", "product", "detail")])
    remedies = pa.array([CODES[code].remedy for code in found["code"].to_pylist()], pa.string())
    plan = plan_of(found, totals)
    _tell(found, plan)
    return CheckedDelivery(
        result=engine.adopt(found.append_column("remedy", remedies)),
        plan=engine.adopt(_table(plan, HoldPlan)),
        letter=engine.adopt(_table(letter_of(found), Letter)),
    )


def _totals(sums: ibis.Table) -> ibis.Table:
    return sums.group_by(["start", "outlet"]).agg(
        rows=sums.rows.sum(),
        turnover=total(sums.price * sums.quantity, 4),
        products=sums["product"].nunique(),
    )


def _named(table: ibis.Table, period: Frequency) -> ibis.Table:
    """Write the period in place of its first day."""
    named = {day: name for day, name in STARTS.items() if day in table.columns}
    return table.mutate(**{name: period_of(table[day], period) for day, name in named.items()}).drop(*named)


STARTS = {"start": "period", "start_earlier": "earlier"}


def _are_own(engine: Engine, codes: ibis.Table) -> bool:
    """Tell whether most products have codes of the retailer's own: it is not told of each that it is no GTIN."""
    valid = codes.fault.isnull() | (codes.fault == "in_store")
    counts = engine.row(codes.agg(all=codes.count(), valid=codes.count(where=valid)), "Check codes")
    if counts["valid"] * 2 >= counts["all"]:
        return False
    notice(f"Of {counts['all']:,} product codes {counts['valid']:,} are valid GTINs: they were taken for own codes.")
    return True


def _table(columns: dict[str, Any], schema: type[Schema]) -> Any:
    """Make a table with the types of a schema, even of no row."""
    import ibis
    import pyarrow as pa

    types = ibis.schema({column.name: IBIS_TYPES[column.type] for column in table_schema(schema)}).to_pyarrow()
    lists = {name: list(getattr(values, "tolist", lambda one=values: one)()) for name, values in columns.items()}
    return pa.table(lists, schema=types)


def _tell(found: Any, plan: dict[str, Any]) -> None:
    """Measure how much is in question, and say in the report what must be decided."""
    held = plan["decision"] == "hold"
    rows = max(int(plan["n_rows"].sum()), 1)
    measure("Periods of shops to hold", int(held.sum()), unit="periods of shops", indicator="NQAF 14 accuracy")
    measure("Rows to hold", float(plan["n_rows"][held].sum() / rows), unit="share", indicator="NQAF 14 accuracy")
    severity = found["severity"].to_pylist()
    for one in ("high", "medium", "low"):
        measure(f"Findings of {one} severity", severity.count(one), unit="findings")
    if held.any():
        notice(f"{int(held.sum()):,} of {len(held):,} periods of shops should be held; the plan says why.")
