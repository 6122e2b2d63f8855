"""A market whose cost-of-living index is known, to try price indices on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from statcommons.core.errors import BadCall

__all__ = ["Market", "market"]

Column: TypeAlias = NDArray[Any]
Matrix: TypeAlias = NDArray[Any]


class Market(NamedTuple):
    """Simulated transactions, and the truth behind them.

    Parameters
    ----------
    transactions : dict of str to array of shape (rows,)
        ``time`` (datetime64[D]), ``product``, ``outlet``, ``group`` (text), ``price`` (in cents of a currency, two
        decimals), ``quantity`` (real; negative for a return), sorted by time, outlet and product.
    truth : dict of str to array of shape (n_months,)
        ``period`` (``2023-01``), ``index``, ``continuing``: see `market`.
    relaunches : dict of str to array of shape (n_relaunches,)
        ``period``, ``old``, ``new``: the codes under which the same good was sold before and from a month on.
    """

    transactions: dict[str, Column]
    truth: dict[str, Column]
    relaunches: dict[str, Column]


def market(
    n_products: int,
    n_months: int,
    sigma: float,
    rng: np.random.Generator,
    *,
    demand: Literal["ces", "stockpiling"] = "ces",
    start: str = "2023-01",
    group: str = "01.1.4",
    trend: float = 0.002,
    life: float | None = None,
    sales: float = 0.0,
    returns: float = 0.01,
    outlets: int = 3,
    purchases: int = 4,
    relaunches: float = 0.0,
    seasonal: float = 0.0,
    clearance: float = 0.0,
    codes: Literal["own", "gtin"] = "own",
) -> Market:
    r"""Simulate the scanner data of a market of households with constant elasticity of substitution (CES).

    Prices follow random walks in logarithms around a common trend and are the same in all outlets. Households spend a
    fixed budget each month so that living costs them least: with tastes :math:`b_i` and elasticity :math:`\sigma`,

    .. math:: c(p) = \Big(\sum_i b_i p_i^{1-\sigma}\Big)^{1/(1-\sigma)}, \quad
              s_i = b_i p_i^{1-\sigma} \Big/ \sum_j b_j p_j^{1-\sigma}

    Parameters
    ----------
    n_products : int
        Products on the shelves in each month.
    n_months : int
        Months.
    sigma : float
        Elasticity of substitution, above 0 and not 1.
    rng : numpy.random.Generator
        The only source of randomness.
    demand : {"ces", "stockpiling"}
        ``stockpiling`` is the mis-specified variant: in a sale households buy for two more months, and later live
        from the stock, so that purchases are no longer CES demand at the prices of the month.
    start : str
        First month.
    group : str
        Code of the product group.
    trend : float
        Common change of the logarithm of prices in a month.
    life : float, optional
        Mean life of a product in months, geometrically distributed. A product that leaves is followed at once by
        another one with its own code, taste and price. Without it, the products of the first month stay.
    sales : float
        Probability that a product is on sale in a month, at 30 to 60 % off.
    returns : float
        Share of purchases of which a part is brought back in the same month, at the price paid.
    outlets, purchases : int
        Number of outlets; number of purchases, each in an outlet and on a day at random, in which a month's quantity
        of a product is sold.
    relaunches : float
        Share of the products that leave which are the same good in a new package: the next code has its taste, and its
        price goes on with a step of 5 to 15 % up. Needs `life`.
    seasonal : float
        Probability that a place on the shelf is empty for six months of each year; the first never is.
    clearance : float
        Probability that a product is sold off in its last month, at 40 to 70 % off. Needs `life`.
    codes : {"own", "gtin"}
        Codes of products: ten digits of the retailer's own, or valid GTINs of 13 digits.

    Returns
    -------
    Market
        ``truth["index"]`` is the CES cost-of-living index c(t)/c(first month), each over the products of its month:
        it falls when households gain variety. ``truth["continuing"]`` chains the cost-of-living index of the products
        of two neighbouring months, which is all that a chained index of matched products can see. Without `life` both
        are the same.

        With ``demand="ces"`` and unit values by product and month, net of returns:

        - without `life`: the Sato-Vartia index of any two months *equals* the truth, with or without sales.
          Fisher, Törnqvist and Walsh agree with it to the second order of the price changes.
        - with `life` and relaunches only (a share of 1): the same holds when the codes of a good are linked, while
          ``continuing`` misses the steps.
        - with `life`: chained Sato-Vartia indices of the matched products equal ``continuing``, and times Feenstra's
          ratio of matched shares, to the power of 1/(sigma - 1), they equal ``index``.

        With ``demand="stockpiling"`` the truth is that of the consumption planned at the prices of the month, and no
        index of purchases recovers it exactly.

    Raises
    ------
    BadCall
        An elasticity of 0 or less, or of 1, an unknown demand or kind of code, or relaunches or a clearance of products
        that never leave.

    References
    ----------
    Sato (1976), The ideal log-change index number, Review of Economics and Statistics 58. Feenstra (1994), New product
    varieties and the measurement of international prices, American Economic Review 84.

    Examples
    --------
    >>> simulated = market(200, 3, 2.0, np.random.default_rng(7), trend=0.01)
    >>> simulated.truth["period"].tolist()
    ['2023-01', '2023-02', '2023-03']
    >>> simulated.truth["index"].round(2).tolist()
    [1.0, 1.01, 1.02]
    """
    if sigma <= 0 or sigma == 1:
        raise BadCall(f"sigma is {sigma}.", remedy="Give an elasticity above 0 and not 1, such as 3.")
    if demand not in ("ces", "stockpiling"):
        raise BadCall(f"demand is {demand!r}.", remedy="Give 'ces' or 'stockpiling'.")
    if codes not in CODES:
        raise BadCall(f"codes is {codes!r}.", remedy="Give 'own' or 'gtin'.")
    if life is None and (relaunches or clearance):
        raise BadCall("No product leaves that could be relaunched or sold off.", remedy="Give life, such as 12.")
    shape = (n_months, n_products)
    months = np.datetime64(start, "M") + np.arange(n_months)
    born = _month_of_birth(shape, life, rng)
    discount = np.where(rng.random(shape) < sales, rng.uniform(0.3, 0.6, shape), 0.0)
    walk = rng.normal(0.0, 0.03, shape).cumsum(axis=0)
    entry = rng.normal(1.5, 0.5, shape)
    tastes = rng.lognormal(0.0, 1.0, shape)
    # What is drawn from here on is drawn only when asked for, so that a seed gives the same market without it.
    good, step = _goods(born, relaunches, rng) if relaunches else (born, np.zeros(shape))
    present = _in_season(months, n_products, seasonal, rng) if seasonal else np.ones(shape, bool)
    if clearance:
        discount = np.maximum(discount, _sold_off(born, clearance, rng))
    price = _shelf_price(good, entry, walk, step, trend) * (1 - discount)
    # Households see the price in cents, so the truth must come from it too.
    price = np.maximum(price.round(2), 0.01)
    taste = np.take_along_axis(tastes, good, axis=0)
    cost = np.where(present, taste * price ** (1 - sigma), 0.0)
    need = 1000.0 * n_products * cost / cost.sum(axis=1, keepdims=True) / price
    bought = need if demand == "ces" else _stockpile(need, discount > 0, good)
    code = _codes(born, CODES[codes])
    return Market(
        transactions=_purchases(months, price, bought, born, code, group, returns, outlets, purchases, rng),
        truth={"period": months.astype(str), **_cost_of_living(cost, born, sigma)},
        relaunches=_relaunches(months, born, good, code),
    )


def _month_of_birth(shape: tuple[int, int], life: float | None, rng: np.random.Generator) -> Matrix:
    """Give for each month and place on the shelf the month in which the product that stands there came."""
    replaced = rng.random(shape) < (0.0 if life is None else 1 / life)
    replaced[0] = True
    return np.maximum.accumulate(np.where(replaced, np.arange(shape[0])[:, None], 0), axis=0)


def _goods(born: Matrix, share: float, rng: np.random.Generator) -> tuple[Matrix, Matrix]:
    """Let a share of the newcomers be the good that stood there before; give each good's first month, and price steps.

    The step of a month is what relaunches since the first month of the market have added to the logarithm of the price.
    """
    months = np.arange(len(born))[:, None]
    again = (born == months) & (months > 0) & (rng.random(born.shape) < share)
    step = np.where(again, np.log1p(rng.uniform(0.05, 0.15, born.shape)), 0.0).cumsum(axis=0)
    return np.maximum.accumulate(np.where((born == months) & ~again, months, 0), axis=0), step


def _in_season(months: Column, n_products: int, share: float, rng: np.random.Generator) -> Matrix:
    """Say in which months there is a product on each place: all, or six in a row of each year."""
    seasonal = rng.random(n_products) < share
    seasonal[0] = False  # something is always sold
    first = rng.integers(0, 12, n_products)
    month = months.astype(int)[:, None] % 12
    here: Matrix = ~seasonal | ((month - first) % 12 < 6)
    return here


def _sold_off(born: Matrix, share: float, rng: np.random.Generator) -> Matrix:
    """Give the discounts of products that are replaced in the next month."""
    last = np.zeros(born.shape, bool)
    last[:-1] = born[1:] != born[:-1]
    return np.where(last & (rng.random(born.shape) < share), rng.uniform(0.4, 0.7, born.shape), 0.0)


def _shelf_price(good: Matrix, entry: Matrix, walk: Matrix, step: Matrix, trend: float) -> Matrix:
    """Let prices walk from that of entry on; in the month of entry walk and steps have no effect yet."""
    moved = walk + step
    months = np.arange(len(good))[:, None]
    price: Matrix = np.exp(np.take_along_axis(entry - moved, good, axis=0) + moved + trend * months)
    return price


def _stockpile(need: Matrix, on_sale: Matrix, good: Matrix) -> Matrix:
    """Buy for two more months in a sale, then live from the stock and buy no less than a tenth of the need."""
    bought = np.empty_like(need)
    stock = np.zeros(need.shape[1])
    for month in range(len(need)):
        stock[good[month] == month] = 0.0
        used = np.minimum(stock, 0.9 * need[month])
        ahead = np.where(on_sale[month], np.maximum(2 * need[month] - stock + used, 0.0), 0.0)
        bought[month] = need[month] - used + ahead
        stock += ahead - used
    return bought


def _cost_of_living(cost: Matrix, born: Matrix, sigma: float) -> dict[str, Column]:
    level = cost.sum(axis=1) ** (1 / (1 - sigma))
    stays = (born[1:] == born[:-1]) & (cost[1:] > 0) & (cost[:-1] > 0)
    ratio = (cost[1:] * stays).sum(axis=1) / (cost[:-1] * stays).sum(axis=1)
    continuing = np.cumprod(np.append(1.0, ratio ** (1 / (1 - sigma))))
    return {"index": level / level[0], "continuing": continuing}


def _purchases(
    months: Column,
    price: Matrix,
    bought: Matrix,
    born: Matrix,
    code: Column,
    group: str,
    returns: float,
    outlets: int,
    purchases: int,
    rng: np.random.Generator,
) -> dict[str, Column]:
    """Spread each month's quantity over purchases, and add returns that leave the net quantity as it is."""
    shape = (*price.shape, purchases)
    parts = rng.gamma(2.0, 1.0, shape)
    quantity = (bought[..., None] * parts / parts.sum(axis=2, keepdims=True)).ravel()
    month, place, _ = (axis.ravel() for axis in np.indices(shape))
    outlet = rng.integers(1, outlets + 1, quantity.size)
    days = ((months + 1).astype("datetime64[D]") - months.astype("datetime64[D]")).astype(int)[month]
    day = (rng.random(quantity.size) * days).astype(int)

    brought_back = np.flatnonzero(rng.random(quantity.size) < returns)
    excess = quantity[brought_back] * rng.uniform(0.1, 1.0, brought_back.size)
    quantity[brought_back] += excess
    row = np.append(np.arange(quantity.size), brought_back)
    quantity = np.append(quantity, -excess)
    day = np.append(day, rng.integers(day[brought_back], days[brought_back]))

    month, place, outlet = month[row], place[row], outlet[row]
    time = months.astype("datetime64[D]")[month] + day
    order = np.lexsort((quantity < 0, born[month, place], place, outlet, time))
    order = order[quantity[order] != 0]  # out of season
    month, place = month[order], place[order]
    return {
        "time": time[order],
        "product": code[born[month, place], place],
        "outlet": np.array([f"{number:03d}" for number in range(outlets + 1)], dtype=object)[outlet[order]],
        "group": np.full(order.size, group, dtype=object),
        "price": price[month, place],
        "quantity": quantity[order],
    }


def _codes(born: Matrix, write: Callable[[int, int], str]) -> Column:
    """Give each product its code, in the month in which it came and at its place."""
    code = np.empty(born.shape, dtype=object)
    for came, stands in np.argwhere(born == np.arange(len(born))[:, None]).tolist():
        code[came, stands] = write(stands, came)
    return code


def _own(stands: int, came: int) -> str:
    return f"{stands:07d}{came:03d}"


def _gtin(stands: int, came: int) -> str:
    """Write a GTIN-13; places and months are scattered over the numbers, so that few end in zeros."""
    body = f"590{((came * 1_000_000 + stands) * 387_420_489 + 123_456_789) % 1_000_000_000:09d}"
    odd, even = (sum(map(int, body[first::2])) for first in (0, 1))
    return f"{body}{(1000 - odd - 3 * even) % 10}"


CODES: dict[str, Callable[[int, int], str]] = {"own": _own, "gtin": _gtin}


def _relaunches(months: Column, born: Matrix, good: Matrix, code: Column) -> dict[str, Column]:
    """List the codes under which one good follows itself."""
    came, place = np.nonzero((born == np.arange(len(born))[:, None]) & (good != born))
    return {
        "period": months.astype(str)[came],
        "old": code[born[came - 1, place], place],
        "new": code[came, place],
    }
