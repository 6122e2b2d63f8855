"""The method that compiles a multilateral price index from transactions."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any, Literal

import numpy as np

from statcommons.core.engine import current
from statcommons.core.errors import BadCall
from statcommons.core.method import method
from statcommons.core.progress import step
from statcommons.core.quality import notice
from statcommons.core.schema import Ge, Le, Table, Unit
from statcommons.prices.data import Characteristics, PriceIndex, Transactions
from statcommons.prices.index.extension import FIXED_BASE, Splice, extend
from statcommons.prices.index.hedonic import Hedonic, characteristics_of, ln_imputed
from statcommons.prices.index.multilateral import METHODS, Recipe, geks, index_name, matches, multilateral_series
from statcommons.prices.index.pairs import Pairs, Window, pairs
from statcommons.prices.index.parts import pairs_in_parts
from statcommons.prices.index.price_index import HANDBOOK, MANUAL, by_group, index_table
from statcommons.prices.index.similarity import Dissimilarity, similarity_series
from statcommons.prices.unit_values import By, panels
from statcommons.toolbox.periods import Frequency

if TYPE_CHECKING:
    from statcommons.prices.panel import Floats, Panel, Series

__all__ = ["multilateral_index"]

MANY = 2**22
"""Transactions that may be as many unit values, which take some 200 bytes each while they are compared."""


@method(version="2.0.0", topic="Consumer prices", gsbpm="5.7", references=[MANUAL, HANDBOOK])
def multilateral_index(
    transactions: Table[Transactions],
    characteristics: Table[Characteristics] | None = None,
    *,
    method: Literal["geks", "gk", "tpd", "tdh", "lehr", "spq"] = "geks",
    formula: Literal["tornqvist", "fisher", "walsh", "jevons", "imputed_tornqvist"] = "tornqvist",
    weights: Literal["usual", "equal", "turnover"] = "usual",
    window: Annotated[int, Ge(2), Le(1040), Unit("periods")] = 25,
    splice: Splice = "mean",
    link_through: bool = False,
    dissimilarity: Dissimilarity = "spq",
    period: Frequency = "month",
    by: By = "total",
) -> Table[PriceIndex]:
    """Compile a transitive price index from scanner data (GEKS, Geary-Khamis, time product dummy …).

    All periods of a window are compared with one another, so that products may come and go and the index still does not
    drift. A new period is linked to the published series by a splice; what was published is not revised.

    Parameters
    ----------
    transactions : Transactions
        Sales, in any order; unit values are computed first.
    characteristics : Characteristics, optional
        What is known of each product, for the hedonic methods: tdh, and geks over imputed_tornqvist.
    method : {"geks", "gk", "tpd", "tdh", "lehr", "spq"}
        GEKS makes a bilateral index transitive; GK (Geary-Khamis) and Lehr compare turnover with quantities valued at
        reference prices; TPD (time product dummy) is a regression of log prices on periods and products, TDH (time
        dummy hedonic) on periods and characteristics; SPQ links each period to the most similar one before it.
    formula : {"tornqvist", "fisher", "walsh", "jevons", "imputed_tornqvist"}
        The bilateral index that GEKS makes transitive; over Törnqvist the method is called CCDI. With imputed_tornqvist
        the prices of products without match are predicted from their characteristics.
    weights : {"usual", "equal", "turnover"}
        Weights of the periods in GEKS (usually equal), or of the products in TPD and TDH (usually their turnover
        shares). Equal weights need no quantities.
    window : int
        Periods in a window; 13 or 25 months let seasonal products meet themselves.
    splice : {"mean", "movement", "window", "half", "wisp", "hasp", "mean_pub", "fbew", "fbmw"}
        How a new window is linked to the published series; the last five link to published index numbers, the last two
        to that of the end of the year before.
    link_through : bool
        Whether GEKS compares two periods without a common product by way of the others, or refuses them.
    dissimilarity : {"spq", "predicted_share", "log_quadratic", "asymptotic_linear", "spread"}
        For SPQ, how unlike two periods are measured to be.
    period : {"month", "week"}
        Whether prices are averaged over months or weeks.
    by : {"total", "group"}
        One index over all products, or one a group.

    Returns
    -------
    PriceIndex
        Index numbers, 1 in the first period of each group.

    Raises
    ------
    BadData
        When a period is missing between two others, two periods of a window share no product, no chain of products
        connects them, or a product has no characteristics.

    Examples
    --------
    >>> sales = {
    ...     "time": ["2026-01-05", "2026-01-05", "2026-02-05", "2026-02-05"],
    ...     "product": ["rice", "tea", "rice", "tea"],
    ...     "price": [1.0, 1.0, 0.5, 1.0],
    ...     "quantity": [10, 100, 5000, 100],
    ... }
    >>> multilateral_index(sales, formula="fisher", window=2).index.round(3).to_pyarrow().to_pylist()
    [1.0, 0.698]
    """
    hedonic = method == "tdh" or (method == "geks" and formula == "imputed_tornqvist")
    known = None
    if hedonic:
        if characteristics is None:
            raise BadCall(
                "The characteristics of the products are not given.",
                remedy="Give them as the input characteristics, or choose a method that needs none.",
            )
        known = current().collect(characteristics.order_by(["product", "characteristic"]))
    recipe = Recipe(method, formula, weights, window, splice, link_through)  # type: ignore[arg-type]
    from_sums = method in METHODS and not hedonic
    made: dict[str, Any]
    if from_sums and current().row(transactions.agg(rows=transactions.count()))["rows"] > MANY:
        made = pairs_in_parts(transactions, period, by, recipe.pairs)
    else:
        made = panels(transactions, period, by)

    def compute(one: Any) -> Series:
        if len(one.periods) < window and splice not in FIXED_BASE and method != "spq":
            notice(f"There are {len(one.periods)} periods, fewer than the window of {window}: one window was used.")
        progress.advance()
        if from_sums:
            return multilateral_series(one if isinstance(one, Pairs) else recipe.pairs(one), recipe)
        if method == "spq":
            return similarity_series(one, dissimilarity)
        levels = _hedonic_levels(one, known, method, equal=weights == "equal")
        ln = extend(levels, one.periods, window, splice)
        return matches(pairs(one, sums=()), np.exp(ln), np.maximum(np.arange(len(ln)) - window + 1, 0))

    with step("Compare all periods", total=len(made), unit="groups") as progress:
        found = by_group(made, compute)
    if method == "spq":
        return index_table(found, "spq" if dissimilarity == "spq" else f"spq_{dissimilarity}", 0, "linked")
    return index_table(found, index_name(method, formula, weights), window, splice)


def _hedonic_levels(one: Panel, known: Any, method: str, *, equal: bool) -> Callable[[Window], Floats]:
    """Give the function from a window to the price levels in it, by characteristics."""
    z = _columns(one, known)
    if method == "tdh":
        return Hedonic(one, z, equal=equal).levels
    ln = ln_imputed(one, z)
    return lambda part: geks(ln[slice(*part), slice(*part)], one.periods[slice(*part)])


def _columns(one: Panel, known: Any) -> Floats:
    """Bring the rows of the characteristics to the columns of the products of a panel."""
    import pyarrow.compute as pc

    products = sorted(set(known["product"].to_pylist()))
    numbers: dict[str, Any] = {}
    classes: dict[str, Any] = {}
    for name in sorted(set(known["characteristic"].to_pylist())):
        rows = known.filter(pc.equal(known["characteristic"], name))
        told = dict(zip(rows["product"].to_pylist(), rows["value"].to_pylist(), strict=True))
        try:
            numbers[name] = np.array([float(told.get(one, "nan")) for one in products])
        except ValueError:  # a word among them
            classes[name] = np.array([told.get(one, "") for one in products])
    return characteristics_of(one.products, products, numbers, classes)
