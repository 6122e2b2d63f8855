"""Faults planted in simulated transactions, and the list of them: what the checks of a delivery must find.

Nothing here is shared with the checks themselves.
"""

from __future__ import annotations

from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from statcommons.core.errors import BadCall

__all__ = ["NOTHING", "Planted", "plant"]

Column: TypeAlias = NDArray[Any]
Rows: TypeAlias = dict[str, Column]

ALL = "_T"
FEWEST = 10  # months: one for each fault of a month, and six before the drop in volume
NAMES = ("ryż biały", "mąka żytnia", "śmietana", "żurek", "gęś", "jabłko", "ćwikła", "łosoś")
PACK = 12

NOTHING: dict[str, Column] = {
    "code": np.zeros(0, object),
    "period": np.zeros(0, object),
    "outlet": np.zeros(0, object),
    "product": np.zeros(0, object),
    "rows": np.zeros(0, np.int64),
}
"""The list of faults where none is planted."""


class Planted(NamedTuple):
    """Transactions with faults, and the faults.

    Parameters
    ----------
    transactions : dict of str to array of shape (rows,)
        Those of a market, with a ``description``, sorted by time, outlet and product.
    faults : dict of str to array of shape (n_faults,)
        ``code``, ``period``, ``outlet``, ``product`` (``_T`` for all), ``rows``: how many rows of the delivery it is
        about.
    """

    transactions: Rows
    faults: dict[str, Column]


def plant(transactions: Rows, rng: np.random.Generator) -> Planted:
    """Plant one fault of each kind in the transactions of a market, each in a month of its own.

    A quantity on two prices, rows repeated, broken letters, a product sold in packs of twelve, a slipped decimal sign,
    a copy of the first month in place of another, a month of which two thirds of the rows are lost, a shop that is gone
    in the last month; further a code with a wrong check digit, and two that were taken for numbers.

    Parameters
    ----------
    transactions : dict of str to array of shape (rows,)
        Of a market with GTINs, two shops or more and ten months or more.
    rng : numpy.random.Generator
        The only source of randomness.

    Returns
    -------
    Planted
        The transactions with the faults, and the list of them.

    Raises
    ------
    BadCall
        When there are too few months, shops or products.

    Examples
    --------
    >>> from statcommons.prices.simulate import market
    >>> rng = np.random.default_rng(1)
    >>> planted = plant(market(50, 12, 2.0, rng, codes="gtin").transactions, rng)
    >>> planted.faults["code"].tolist()[:4]
    ['FANOUT', 'DUPLICATE', 'ENCODING', 'UNIT']
    """
    months = np.unique(transactions["time"].astype("datetime64[M]"))
    outlets = np.unique(transactions["outlet"].astype(str))
    products = np.unique(transactions["product"].astype(str))
    if len(months) < FEWEST or len(outlets) < 2 or len(products) < FEWEST:
        raise BadCall(
            f"There are {len(months)} months, {len(outlets)} shops and {len(products)} products to plant faults in.",
            remedy=f"Give {FEWEST} months, 2 shops and {FEWEST} products or more.",
        )
    rows = {name: column.copy() for name, column in transactions.items()}
    name = np.array([f"{NAMES[i % len(NAMES)]} {i + 1}" for i in range(len(products))], dtype=object)
    rows["description"] = name[np.searchsorted(products, rows["product"].astype(str))]
    faults: list[tuple[str, str, str, str, int]] = []

    def note(code: str, month: Any, outlet: str, product: str, count: int) -> None:
        faults.append((code, str(month), outlet, product, int(count)))

    def of(month: Any, outlet: str | None = None) -> Column:
        here = rows["time"].astype("datetime64[M]") == month
        return np.flatnonzero(here & (rows["outlet"] == outlet) if outlet else here)

    fanned, doubled, broken, packed, slipped = months[1:6]
    copied, halved, gone = months[-4], months[-3], months[-1]
    shops = rng.choice(outlets, 5)

    again = _some(of(fanned, shops[0]), 0.3, rng)
    rows = _appended(rows, again, price=(rows["price"][again] * 1.1 + 0.01).round(2))
    note("FANOUT", fanned, shops[0], ALL, 2 * len(again))

    again = _some(of(doubled, shops[1]), 0.2, rng)
    rows = _appended(rows, again)
    note("DUPLICATE", doubled, shops[1], ALL, 2 * len(again))

    here = of(broken, shops[2])
    rows["description"][here] = [one.encode().decode("latin-1") for one in rows["description"][here]]
    note("ENCODING", broken, shops[2], ALL, len(here))

    for code, month, shop, factor in (("UNIT", packed, shops[3], PACK), ("DECIMAL", slipped, shops[4], 100)):
        product = _at_usual_price(rows, of(month, shop), rng)
        here = of(month, shop)
        here = here[rows["product"][here] == product]
        rows["price"][here] = (rows["price"][here] * factor).round(2)
        if code == "UNIT":
            rows["quantity"][here] /= factor
        note(code, month, shop, product, len(here))

    first, taken = of(months[0]), of(copied)
    begin, end = copied.astype("datetime64[D]"), (copied + 1).astype("datetime64[D]")
    days = rows["time"][first] - months[0].astype("datetime64[D]")
    rows = _appended(rows, first, time=np.minimum(begin + days, end - 1))
    rows = _without(rows, taken)
    note("COPY", copied, ALL, ALL, len(first))

    lost = _some(of(halved), 2 / 3, rng)
    rows = _without(rows, lost)
    note("VOLUME", halved, ALL, ALL, len(of(halved)))

    rows = _without(rows, of(gone, outlets[-1]))
    note("OUTLET_GONE", gone, outlets[-1], ALL, 0)

    spoilt = {fault[3] for fault in faults}
    chosen = rng.permutation([one for one in products if one not in spoilt])[:3]
    for code, product, wrong in zip(("GTIN", "FLOATED", "FLOATED"), chosen, _wrong(chosen), strict=True):
        here = np.flatnonzero(rows["product"] == product)
        rows["product"][here] = wrong
        note(code, rows["time"][here].min().astype("datetime64[M]"), ALL, wrong, len(here))

    order = np.lexsort((rows["quantity"], rows["product"].astype(str), rows["outlet"].astype(str), rows["time"]))
    columns = zip(*faults, strict=True)
    return Planted(
        {name: column[order] for name, column in rows.items()},
        {name: np.array(column, dtype=NOTHING[name].dtype) for name, column in zip(NOTHING, columns, strict=True)},
    )


def _some(rows: Column, share: float, rng: np.random.Generator) -> Column:
    return rng.permutation(rows)[: max(1, round(share * len(rows)))]


def _appended(rows: Rows, again: Column, **changed: Column) -> Rows:
    return {name: np.append(column, changed.get(name, column[again])) for name, column in rows.items()}


def _without(rows: Rows, taken: Column) -> Rows:
    return {name: np.delete(column, taken) for name, column in rows.items()}


def _at_usual_price(rows: Rows, here: Column, rng: np.random.Generator) -> str:
    """Choose a product whose price here is near the middle of its prices, so that the factor can be told."""
    product = rows["product"].astype(str)
    nearest = (np.inf, "")
    for one in rng.permutation(np.unique(product[here]))[:50]:
        usual = np.median(rows["price"][product == one])
        off = float(np.abs(np.log(rows["price"][here[product[here] == one]] / usual)).max())
        if off < 0.02:
            return str(one)
        nearest = min(nearest, (off, str(one)))
    return nearest[1]


def _wrong(codes: Column) -> tuple[str, str, str]:
    """Spoil three codes: the last digit changed, written with an exponent, rounded to seven digits and zeros."""
    digit, exponent, zeros = (str(one) for one in codes)
    return digit[:-1] + str((int(digit[-1]) + 1) % 10), f"{int(exponent):.6e}", f"{zeros[:7]}{'0' * (len(zeros) - 7)}"
