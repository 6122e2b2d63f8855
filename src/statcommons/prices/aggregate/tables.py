"""What comes into aggregation and what goes out."""

from __future__ import annotations

from typing import Annotated

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
    Time,
    Unit,
)

__all__ = ["AggregateIndex", "BasketWeights", "Contributions", "ElementaryIndex", "GroupStructure"]


class GroupStructure(Schema):
    """A classification as data: each group with the one group that it belongs to."""

    code: Annotated[str, Dimension(codes="COICOP"), "Code of the group"]
    parent: Annotated[str | None, Attribute, "Code of the group that it belongs to; missing at the top"]
    name: Annotated[str | None, Attribute, "Name of the group"] = None
    version: Annotated[str | None, Attribute, "Classification and version that the code is of"] = None


class ElementaryIndex(Schema, key=("period", "group")):
    """Indices of the lowest groups for which there are weights: levels over time, or changes on the period before."""

    period: Annotated[Period, Time, Concept("TIME_PERIOD"), "Month, quarter or week"]
    group: Annotated[str, Dimension(codes="COICOP"), "Code of the elementary group"]
    index: Annotated[float | None, Measure, Concept("OBS_VALUE"), Gt(0), "The index number, on any reference"]


class BasketWeights(Schema):
    """What households spend on each group, for one link or several; one row a link and group."""

    group: Annotated[str, Dimension(codes="COICOP"), "Code of the group"]
    weight: Annotated[float, Measure, Gt(0), "Expenditure, or a share of it in any unit"]
    link: Annotated[
        Period | None, Attribute, "Period over whose prices the basket is linked; missing for the first of all"
    ] = None
    price_reference: Annotated[
        Period | None, Attribute, "Period or year in whose prices the weight is; missing for those of the link"
    ] = None


class AggregateIndex(Schema, key=("period", "group")):
    """Indices of all groups, the lowest and those above, with weight and contribution to the whole."""

    period: Annotated[Period, Time, Concept("TIME_PERIOD"), "Month, quarter or week"]
    group: Annotated[str, Dimension(codes="COICOP"), "Code of the group; _T where COICOP's is everything"]
    level: Annotated[int, Attribute, Ge(0), "How many groups stand above: 0 at the top"]
    index: Annotated[
        float, Measure(decimals=1), Concept("OBS_VALUE"), Unit("reference period = 100"), Gt(0), "The index number"
    ]
    weight: Annotated[
        float | None, Attribute, Unit("share"), "Share in the group at the top, in prices of the period before"
    ]
    contribution_previous: Annotated[
        float | None, Measure(decimals=2), Unit("pp"), "Contribution to the top's change on the period before"
    ]
    contribution_year: Annotated[
        float | None, Measure(decimals=2), Unit("pp"), "Contribution to the top's change on the same period a year ago"
    ]
    imputed: Annotated[
        float, Attribute, Unit("share"), Ge(0), Le(1.0000001), "Share of its weight that moves as a group above"
    ]
    version: Annotated[str | None, Attribute, "Classification and version that the code is of"]


class Contributions(Schema, key=("period", "of", "group")):
    """What each group contributes to the change of each group above it; those of one level add up to the change."""

    period: Annotated[Period, Time, Concept("TIME_PERIOD"), "Month, quarter or week"]
    of: Annotated[str, Dimension(codes="COICOP"), "Code of the group whose change is split"]
    group: Annotated[str, Dimension(codes="COICOP"), "Code of the group that contributes"]
    level: Annotated[int, Attribute, Ge(0), "How many groups stand above the group that contributes"]
    previous: Annotated[
        float | None, Measure(decimals=2), Unit("pp"), "Contribution to the change on the period before"
    ]
    year: Annotated[
        float | None, Measure(decimals=2), Unit("pp"), "Contribution to the change on the same period a year ago"
    ]
