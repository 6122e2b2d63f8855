"""Scanner and web-scraped data to consumer price indices."""

from statcommons.prices.data import NetReturns, PriceIndex, Transactions, UnitValues
from statcommons.prices.index.elementary import elementary_index
from statcommons.prices.index.multilateral_index import multilateral_index
from statcommons.prices.index.price_index import bilateral_index
from statcommons.prices.unit_values import unit_values

__all__ = [
    "NetReturns",
    "PriceIndex",
    "Transactions",
    "UnitValues",
    "bilateral_index",
    "elementary_index",
    "multilateral_index",
    "unit_values",
]
