"""What of a computed index is published: what discloses nobody, and what may be revised."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from statcommons.core.engine import current
from statcommons.core.method import method
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
from statcommons.prices.aggregate.tables import AggregateIndex, GroupStructure

__all__ = [
    "Contributors",
    "IndexSeries",
    "IndexVintages",
    "PublishableIndex",
    "Revised",
    "Revisions",
    "protect_index",
    "revise_index",
]


SAME = 1e-12
"""How far two computations of one number may be apart, as a share of it: another order of adding up."""


class Contributors(Schema, key=("period", "group", "retailer")):
    """Who contributes to a group: turnover by retailer."""

    period: Annotated[Period, Time, Concept("TIME_PERIOD"), "Month, quarter or week"]
    group: Annotated[str, Dimension(codes="COICOP"), "Code of the group"]
    retailer: Annotated[str, Dimension, Confidential("Names who reports"), "Code of the retailer"]
    turnover: Annotated[
        float, Measure, Confidential("What one retailer sold"), Unit("currency"), Ge(0), "Turnover in the group"
    ]


class PublishableIndex(Schema, key=("period", "group")):
    """Indices with those taken out that would disclose a retailer."""

    period: Annotated[Period, Time, Concept("TIME_PERIOD"), "Month, quarter or week"]
    group: Annotated[str, Dimension(codes="COICOP"), "Code of the group"]
    level: Annotated[int, Attribute, Ge(0), "How many groups stand above"]
    index: Annotated[
        float | None, Measure(decimals=1), Concept("OBS_VALUE"), Unit("reference period = 100"), "Missing if held back"
    ]
    contribution_previous: Annotated[
        float | None, Measure(decimals=2), Unit("pp"), "Contribution to the top's change on the period before"
    ]
    contribution_year: Annotated[
        float | None, Measure(decimals=2), Unit("pp"), "Contribution to the top's change on a year ago"
    ]
    confidentiality: Annotated[
        Literal["F", "A", "G", "D"],
        Attribute(codes="CL_CONF_STATUS"),
        Concept("CONF_STATUS"),
        "F free; A too few contribute; G one dominates; D held back so that another cannot be computed",
    ]


@method(
    version="1.0.0",
    topic="Consumer prices",
    gsbpm="6.4",
    exact=True,
    references=["Hundepool et al. (2012), Statistical Disclosure Control, chapter 4"],
)
def protect_index(
    aggregated: Table[AggregateIndex],
    contributors: Table[Contributors],
    structure: Table[GroupStructure] | None = None,
    *,
    least_retailers: Annotated[int, Ge(1), Le(100), Unit("retailers")] = 3,
    dominance: Annotated[float, Gt(0), Le(1), Unit("share")] = 0.75,
) -> Table[PublishableIndex]:
    """Hold back indices that would disclose what one retailer charges, and those from which they follow.

    An index is published if enough retailers contribute to it and none dominates. Where a single index is held back
    among a group and those below it, it could be computed from the others and the weights: one more is held back then,
    the one of least weight. Each period is judged by itself.

    Parameters
    ----------
    aggregated : AggregateIndex
        Indices of all groups, of aggregate_index.
    contributors : Contributors
        Turnover by retailer in the elementary groups; a group without any is held back.
    structure : GroupStructure, optional
        Code and parent of all groups; by default COICOP 2018.
    least_retailers : int
        How many retailers must contribute.
    dominance : float
        The largest share of one retailer in the turnover.

    Returns
    -------
    PublishableIndex
        All periods and groups, with the status of each.

    Raises
    ------
    BadData
        When a group is not in the structure.

    Examples
    --------
    >>> indices = {"period": ["2026-01"] * 4, "group": ["_T", "01", "02", "03"], "level": [0, 1, 1, 1]}
    >>> indices |= {"index": [100.0] * 4, "weight": [1, 0.5, 0.3, 0.2], "imputed": [0.0] * 4}
    >>> empty = [None] * 4
    >>> indices |= {"contribution_previous": empty, "contribution_year": empty, "version": empty}
    >>> sold = {"period": ["2026-01"] * 7, "group": ["01"] * 3 + ["02"] * 3 + ["03"], "retailer": list("abcabca")}
    >>> made = protect_index(indices, sold | {"turnover": [1.0] * 7})
    >>> made.order_by("group").select("group", "confidentiality").to_pyarrow().to_pylist()[:3]
    [{'group': '01', 'confidentiality': 'F'}, {'group': '02', 'confidentiality': 'D'}, {'group': '03', \
'confidentiality': 'A'}]
    """
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    from statcommons.prices.aggregate.protection import secondary, sensitive
    from statcommons.prices.aggregate.structure import tree_of

    engine = current()
    table = engine.collect(aggregated.order_by(["period", "level", "group"]), "Read indices")
    sold = engine.collect(contributors.order_by(["period", "group", "retailer"]), "Read contributors").to_pylist()
    groups = None if structure is None else engine.collect(structure, "Read the structure")
    tree = tree_of(groups, {*table["group"].unique().to_pylist(), *(row["group"] for row in sold)})
    place = {code: number for number, code in enumerate(tree.codes)}
    by_period: dict[str, list[dict[str, float]]] = {
        period: [{} for _ in tree.codes] for period in table["period"].unique().to_pylist()
    }
    if others := sorted({row["period"] for row in sold} - set(by_period)):
        notice(f"Contributors of periods without an index are not used: {', '.join(others[:10])}.")
    for row in sold:
        start = place[row["group"]]
        for one in [start, *tree.above(start)] if row["period"] in by_period else []:
            sums = by_period[row["period"]][one]
            sums[row["retailer"]] = sums.get(row["retailer"], 0.0) + row["turnover"]
    period_of, group_of = table["period"].to_pylist(), [place[code] for code in table["group"].to_pylist()]
    rows_of: dict[str, list[int]] = {period: [] for period in by_period}
    for row_number, period in enumerate(period_of):
        rows_of[period].append(row_number)
    share = table["weight"].to_pylist()
    status = np.full(table.num_rows, "F", dtype=object)
    for period, rows in rows_of.items():
        present, weight = np.zeros(len(tree.codes), bool), np.zeros(len(tree.codes))
        verdict = np.full(len(tree.codes), "F", dtype=object)
        for row_number in rows:
            one = group_of[row_number]
            present[one], weight[one] = True, share[row_number] or 0.0
            verdict[one] = sensitive(by_period[period][one], least_retailers, dominance)
        verdict[secondary(tree, present, verdict != "F", weight)] = "D"
        status[rows] = verdict[[group_of[row_number] for row_number in rows]]
    free = pa.array(status == "F")
    measure("Share of indices held back", float((status != "F").mean()), unit="share")
    for code, name in (("A", "too few contribute"), ("G", "one dominates"), ("D", "another would follow")):
        measure(f"Indices held back: {name}", int((status == code).sum()), unit="indices")
    made = table.select(["period", "group", "level"])
    for name in ("index", "contribution_previous", "contribution_year"):
        column = table[name].cast(pa.float64())
        made = made.append_column(name, pc.if_else(free, column, pa.scalar(None, pa.float64())))
    return made.append_column("confidentiality", pa.array(status, pa.string()))


class IndexSeries(Schema, key=("period", "group")):
    """An index as it is computed now."""

    period: Annotated[Period, Time, Concept("TIME_PERIOD"), "Month, quarter or week"]
    group: Annotated[str, Dimension(codes="COICOP"), "Code of the group"]
    index: Annotated[float, Measure, Concept("OBS_VALUE"), Gt(0), "The index number"]


class IndexVintages(Schema, key=("vintage", "period", "group")):
    """All that was ever published: a number stands until a later vintage has another for its period and group."""

    vintage: Annotated[int, Dimension, Ge(1), "Number of the publication"]
    period: Annotated[Period, Time, Concept("TIME_PERIOD"), "Month, quarter or week"]
    group: Annotated[str, Dimension(codes="COICOP"), "Code of the group"]
    index: Annotated[float, Measure, Concept("OBS_VALUE"), Gt(0), "The index number, as it was published"]


class Revisions(Schema, key=("period", "group")):
    """Where what is computed now differs from what was published."""

    period: Annotated[Period, Time, Concept("TIME_PERIOD"), "Month, quarter or week"]
    group: Annotated[str, Dimension(codes="COICOP"), "Code of the group"]
    published: Annotated[float, Measure, Gt(0), "The index that stood"]
    computed: Annotated[float, Measure, Gt(0), "The index as it is computed now"]
    revision: Annotated[float, Measure(decimals=3), Unit("percent"), "How far it is from what stood"]
    revised: Annotated[bool, Attribute, "Whether the policy lets it be published"]


@dataclass(frozen=True)
class Revised:
    """What is published, vintage by vintage, and what differs."""

    result: Table[IndexVintages]
    revisions: Table[Revisions]


@method(
    version="1.0.0",
    topic="Consumer prices",
    gsbpm="7.1",
    exact=True,
    references=["Eurostat (2013), ESS guidelines on revision policy for Principal European Economic Indicators"],
)
def revise_index(
    computed: Table[IndexSeries],
    published: Table[IndexVintages] | None = None,
    *,
    policy: Literal["frozen", "revisable", "free"] = "frozen",
    horizon: Annotated[int, Ge(1), Le(600), Unit("periods")] = 1,
    decimals: Annotated[int | None, Ge(0), Le(12), Unit("decimals")] = None,
) -> Revised:
    """Add a vintage to what was published, as the revision policy allows.

    What was not published before is new. What was may change never, in its last periods, or always; where it may not,
    the difference is told, as the price of the policy, and what follows is linked to the last number that stands: a
    revision of the past never shows as a change of the present.

    Parameters
    ----------
    computed : IndexSeries
        The index as it is computed now.
    published : IndexVintages, optional
        What was published so far; without it this is the first vintage.
    policy : {"frozen", "revisable", "free"}
        Whether nothing that was published changes, only the last `horizon` published periods of a group, or all.
    horizon : int
        How many periods a revisable index may change; 1 is T+1.
    decimals : int, optional
        Decimals of what is published; differences below them, or in the last digits of the computation, are none.

    Returns
    -------
    result : IndexVintages
        What was published, and the new vintage: the periods that are new or revised.
    revisions : Revisions
        What differs, published or not.

    Examples
    --------
    >>> first = {"period": ["2026-01", "2026-02"], "group": ["_T"] * 2, "index": [100.0, 101.0]}
    >>> then = {"period": ["2026-01", "2026-02", "2026-03"], "group": ["_T"] * 3, "index": [100.0, 101.5, 102.0]}
    >>> made = revise_index(then, revise_index(first).result, policy="revisable")
    >>> made.result.filter(made.result.vintage == 2).order_by("period").index.to_pyarrow().to_pylist()
    [101.5, 102.0]
    >>> made.revisions.order_by("period").revised.to_pyarrow().to_pylist()
    [True]
    """
    import numpy as np

    from statcommons.prices.aggregate.chain import rounded

    engine = current()
    columns = ["group", "period"]
    table = engine.collect(computed.select("period", "group", "index").order_by(columns), "Read what is computed")
    stored: list[dict[str, Any]] = []
    if published is not None:
        stored = engine.collect(published.order_by(["vintage", *columns]), "Read what was published").to_pylist()
    standing = {(row["group"], row["period"]): row["index"] for row in stored}
    periods: dict[str, list[str]] = {}
    for group, period in sorted(standing):
        periods.setdefault(group, []).append(period)
    reach = {"frozen": 0, "revisable": horizon, "free": len(standing)}[policy]
    open_to = {(group, period) for group, all_of in periods.items() for period in all_of[max(0, len(all_of) - reach) :]}
    vintage = max((row["vintage"] for row in stored), default=0) + 1
    rows = [table[name].to_pylist() for name in ("group", "period", "index")]
    factors = _levels(list(zip(*rows, strict=True)), standing, open_to, decimals)
    computed_now = rounded(np.array(rows[2], float), decimals).tolist()
    linked = rounded(np.array([index * factors[group] for group, _, index in zip(*rows, strict=True)]), decimals)
    new, differences = [], []
    for group, period, plain, number in zip(*rows[:2], computed_now, linked.tolist(), strict=True):
        before, changes = standing.get((group, period)), (group, period) in open_to
        if before is None or (changes and not math.isclose(before, number, rel_tol=SAME)):
            new.append({"vintage": vintage, "period": period, "group": group, "index": number})
        if before is not None and not math.isclose(before, plain, rel_tol=SAME):
            differences.append((period, group, before, plain, 100 * (plain / before - 1), changes))
    kept = [row[4] for row in differences if not row[5]]
    apart = 100 * max((abs(factor - 1) for factor in factors.values()), default=0.0)
    measure("Largest distance of the published level from the computed one", apart, unit="percent")
    if apart > 100 * SAME:
        notice(
            f"What stands published is up to {apart:.3g} % from what is computed now; new periods are linked to the "
            "published level, so that only their change is new."
        )
    measure("Published numbers that are revised", len(differences) - len(kept), unit="indices", indicator="NQAF 14")
    measure("Largest revision that the policy keeps back", max(map(abs, kept), default=0.0), unit="percent")
    return Revised(result=_table(IndexVintages, stored + new), revisions=_table(Revisions, differences))


def _levels(
    rows: list[tuple[str, str, float]],
    standing: dict[tuple[str, str], float],
    open_to: set[tuple[str, str]],
    decimals: int | None,
) -> dict[str, float]:
    """Give for each group the published level over the computed one, at the last period that may not change."""
    import numpy as np

    from statcommons.prices.aggregate.chain import rounded

    factors = {group: 1.0 for group, _, _ in rows}
    for group, period, index in sorted(rows):
        before = standing.get((group, period))
        if before is None or (group, period) in open_to:
            continue
        same = math.isclose(before, float(rounded(np.array([index]), decimals)[0]), rel_tol=SAME)
        factors[group] = 1.0 if same else before / index
    return factors


def _table(schema: type[Schema], rows: list[Any]) -> Any:
    """Make a table of rows, with the types of its schema where there is none."""
    import pyarrow as pa

    from statcommons.core.schema import table_schema

    types = {"integer": pa.int64(), "number": pa.float64(), "boolean": pa.bool_()}
    columns = list(table_schema(schema))
    fields = pa.schema([(one.name, types.get(one.type, pa.string())) for one in columns])
    named = [row if isinstance(row, dict) else dict(zip(fields.names, row, strict=True)) for row in rows]
    return pa.Table.from_pylist(named, schema=fields)
