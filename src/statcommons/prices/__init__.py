"""Scanner and web-scraped data to consumer price indices."""

from statcommons.prices.aggregate.aggregate_index import aggregate_index
from statcommons.prices.aggregate.publication import protect_index, revise_index
from statcommons.prices.audit.diagnose import diagnose
from statcommons.prices.audit.explain_index import explain_index
from statcommons.prices.clean.check_delivery import check_delivery
from statcommons.prices.clean.classify import classify
from statcommons.prices.clean.filter_changes import filter_changes
from statcommons.prices.clean.impute import impute
from statcommons.prices.clean.mars import mars
from statcommons.prices.clean.match_products import match_products
from statcommons.prices.clean.relaunches import relaunches
from statcommons.prices.clean.sizes import shrinkflation
from statcommons.prices.cpi import cpi
from statcommons.prices.data import Characteristics, NetReturns, PriceIndex, Transactions, UnitValues
from statcommons.prices.index.elementary import elementary_index
from statcommons.prices.index.multilateral_index import multilateral_index
from statcommons.prices.index.price_index import bilateral_index
from statcommons.prices.index.retailers import index_from, pairs_of
from statcommons.prices.index.scraped_index import scraped_index
from statcommons.prices.unit_values import unit_values

__all__ = [
    "Characteristics",
    "NetReturns",
    "PriceIndex",
    "Transactions",
    "UnitValues",
    "aggregate_index",
    "bilateral_index",
    "check_delivery",
    "classify",
    "cpi",
    "diagnose",
    "elementary_index",
    "explain_index",
    "filter_changes",
    "impute",
    "index_from",
    "mars",
    "match_products",
    "multilateral_index",
    "pairs_of",
    "protect_index",
    "relaunches",
    "revise_index",
    "scraped_index",
    "shrinkflation",
    "unit_values",
]
