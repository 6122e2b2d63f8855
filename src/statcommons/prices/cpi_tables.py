"""What comes into the compilation of a consumer price index, and what goes out."""

from __future__ import annotations

import datetime
from typing import Annotated

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
    Time,
    Unit,
)
from statcommons.prices.aggregate.publication import PublishableIndex
from statcommons.prices.clean.findings import Findings, HoldPlan
from statcommons.prices.data import Transactions

__all__ = [
    "CpiIndex",
    "DeliveryFindings",
    "DeliveryPlan",
    "GroupIndex",
    "ProductGroups",
    "RetailerSales",
    "RetailerUnitValues",
]

RETAILER = Confidential("Tells what one retailer sells, and at what price")


class RetailerSales(Transactions):
    """A delivery of sales: those of one retailer, or of several that are named in each row."""

    retailer_code: Annotated[str | None, Dimension, "The retailer's own code, where the product is a GTIN"] = None


class ProductGroups(Schema, key=("product",)):
    """The group that each product belongs to, as a classification gives it."""

    product: Annotated[str, Dimension, "Code of the product"]
    group: Annotated[str, Dimension(codes="COICOP"), "Code of its group"]


class RetailerUnitValues(Schema, key=("retailer", "period", "group", "product")):
    """Turnover and quantity by retailer, period, group and product, net of returns: all that a later run needs."""

    retailer: Annotated[str, Dimension, RETAILER, "Code of the retailer"]
    period: Annotated[Period, Time, Concept("TIME_PERIOD"), "Month or week"]
    group: Annotated[str, Dimension(codes="COICOP"), "Code of the group"]
    product: Annotated[str, Dimension, RETAILER, "Code of the product"]
    turnover: Annotated[float, Measure, RETAILER, Unit("currency"), "Turnover, net of returns"]
    quantity: Annotated[float, Measure, RETAILER, Unit("units"), "Units sold, net of returns"]
    first_day: Annotated[datetime.date, Attribute, "First day of the period on which it was sold"]
    last_day: Annotated[datetime.date, Attribute, "Last day of the period on which it was sold"]


class CpiIndex(PublishableIndex, key=("period", "group")):
    """The index of each group as it stands published, with those held back that would disclose a retailer."""

    computed: Annotated[
        float | None, Attribute, Unit("reference period = 100"), "As it is computed now; what stands may be frozen"
    ]


class GroupIndex(Schema, key=("period", "group")):
    """The index of each elementary group, before anything is held back."""

    period: Annotated[Period, Time, Concept("TIME_PERIOD"), "Month or week"]
    group: Annotated[str, Dimension(codes="COICOP"), "Code of the group"]
    index: Annotated[float, Measure(decimals=4), RETAILER, Unit("first period = 1"), Gt(0), "The index number"]
    matched_products: Annotated[int, Attribute, Unit("products"), Ge(0), "Products in both periods compared"]
    matched_share: Annotated[float, Attribute, Unit("share"), Ge(0), Le(1.0000001), "Their share in turnover"]
    retailers: Annotated[int, Attribute, Unit("retailers"), Ge(1), "Retailers who sold something"]


class DeliveryFindings(Findings):
    """Faults found in the deliveries, one row a finding."""

    retailer: Annotated[str, Dimension, RETAILER, "Code of the retailer"]


class DeliveryPlan(HoldPlan):
    """What was done with each period of each shop."""

    retailer: Annotated[str, Dimension, RETAILER, "Code of the retailer"]
