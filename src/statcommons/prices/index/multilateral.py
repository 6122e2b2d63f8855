"""Multilateral price indices: all periods of a window compared with one another, free of chain drift."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

import numpy as np

from statcommons.core.errors import BadCall, BadData, nearest
from statcommons.prices.index.extension import Splice, extend, windows_of
from statcommons.prices.index.pairs import Pairs, Window, assert_connected, pairs
from statcommons.prices.panel import Floats, Integers, Labels, Panel, Series

__all__ = [
    "FORMULAS",
    "LOGS",
    "METHODS",
    "Method",
    "Recipe",
    "Sums",
    "geary_khamis",
    "geks",
    "index_name",
    "lehr",
    "ln_index",
    "matches",
    "multilateral_series",
    "time_product_dummy",
    "window_levels",
]

Method: TypeAlias = Literal["geks", "gk", "tpd", "lehr"]
"""The multilateral methods that follow from sums over products."""

METHODS: tuple[Method, ...] = get_args(Method)
"""All of them."""

FORMULAS: dict[str, tuple[str, ...]] = {
    "tornqvist": ("A", "B", "C"),
    "fisher": ("A", "F"),
    "walsh": ("R",),
    "jevons": ("J", "n"),
}
"""The bilateral formulas that GEKS makes transitive, by name, and the sums by pair that each needs."""


@dataclass(frozen=True)
class Recipe:
    """Which index is wanted, and how it is extended.

    Parameters
    ----------
    method : {"geks", "gk", "tpd", "lehr"}
        GEKS, Geary-Khamis, time product dummy, or augmented Lehr.
    formula : {"tornqvist", "fisher", "walsh", "jevons"}
        The bilateral index of GEKS.
    weights : {"usual", "equal", "turnover"}
        Weights of the periods in GEKS (usually equal), or of the products in TPD (usually their turnover shares).
    window : int
        Periods in a window.
    splice : str
        One of `SPLICES`.
    link_through : bool
        Whether GEKS may compare two periods without a common product by way of the others.
    """

    method: Method = "geks"
    formula: str = "tornqvist"
    weights: Literal["usual", "equal", "turnover"] = "usual"
    window: int = 25
    splice: Splice = "mean"
    link_through: bool = False

    @property
    def sums(self) -> str:
        """The name of the sums by window that the method needs; empty for GEKS, which needs none."""
        if self.method == "geks":
            return ""
        return "tpd_equal" if self.method == "tpd" and self.weights == "equal" else self.method

    @property
    def name(self) -> str:
        """The name by which the index is published."""
        return index_name(self.method, self.formula, self.weights)

    def pairs(self, panel: Panel, turnover: Floats | None = None) -> Pairs:
        """Sum a panel as this index needs it; the turnover is that of all products, where the panel has a part."""
        if self.method not in METHODS:
            raise BadCall(f"There is no multilateral method {self.method!r}.", remedy=nearest(self.method, METHODS))
        if self.formula not in FORMULAS:
            raise BadCall(f"There is no GEKS index over {self.formula!r}.", remedy=nearest(self.formula, [*FORMULAS]))
        windows = windows_of(panel.periods, self.window, self.splice)
        if self.method == "geks":
            return pairs(panel, sums=FORMULAS[self.formula], turnover=turnover)
        return pairs(panel, sums=(), windows=windows, methods=(self.sums,), turnover=turnover)


def index_name(method: str, formula: str, weights: str) -> str:
    """Name an index by what tells it from the usual one of its method.

    Parameters
    ----------
    method, formula, weights : str
        As in `Recipe`; also the hedonic method ``tdh``.

    Examples
    --------
    >>> index_name("geks", "fisher", "usual"), index_name("tpd", "fisher", "turnover"), index_name("tpd", "", "equal")
    ('geks_fisher', 'tpd', 'tpd_equal')
    """
    unusual = {"geks": "turnover", "tpd": "equal", "tdh": "equal"}.get(method)
    return "_".join([method, *([formula] if method == "geks" else []), *([weights] if weights == unusual else [])])


Sums: TypeAlias = Mapping[str, Floats]
"""Sums by name, between any periods."""


def _tornqvist(forth: Sums, back: Sums) -> Floats:
    there, here = ((one["B"] - one["C"]) / one["A"] for one in (forth, back))  # ln geometric Laspeyres
    return (there - here) / 2


def _fisher(forth: Sums, back: Sums) -> Floats:
    there, here = (np.log(one["F"] / one["A"]) for one in (forth, back))  # ln Laspeyres
    return (there - here) / 2


def _walsh(forth: Sums, back: Sums) -> Floats:
    return np.log(forth["R"]) - np.log(back["R"])


def _jevons(forth: Sums, back: Sums) -> Floats:
    return (forth["J"] - back["J"]) / forth["n"]


LOGS: dict[str, Callable[[Sums, Sums], Floats]] = {
    "tornqvist": _tornqvist,
    "fisher": _fisher,
    "walsh": _walsh,
    "jevons": _jevons,
}
"""The logarithm of each bilateral index, from the sums between two periods in the one direction and in the other."""


def ln_index(sums: Pairs, formula: str = "tornqvist", *, link_through: bool = False) -> Floats:
    """Compare every two periods by a bilateral index.

    Parameters
    ----------
    sums : Pairs
        T x T sums.
    formula : {"tornqvist", "fisher", "walsh", "jevons"}
        The bilateral index; shares and baskets are over the products matched in the two periods.
    link_through : bool
        Whether two periods without a common product are compared by way of the others: by the mean over all periods
        that have products in common with both.

    Returns
    -------
    array of shape (T, T)
        Natural logarithm of the index from the period of the row to the period of the column; antisymmetric; NaN
        where the two periods share no product.

    Raises
    ------
    BadCall
        An unknown formula.
    DisconnectedPeriods
        Not even by way of others can all be compared.

    Examples
    --------
    >>> from statcommons.prices.panel import panel
    >>> p = panel(np.array(["2024-01", "2024-02"]), np.array(["tea", "tea"]), [2, 3], [1, 5])
    >>> np.exp(ln_index(pairs(p), "fisher")).round(6).tolist()
    [[1.0, 1.5], [0.666667, 1.0]]
    """
    if formula not in LOGS:
        raise BadCall(f"There is no GEKS index over {formula!r}.", remedy=nearest(formula, list(LOGS)))
    with np.errstate(divide="ignore", invalid="ignore"):  # periods without overlap become NaN
        ln = LOGS[formula](sums.of_pairs, {name: one.T for name, one in sums.of_pairs.items()})
    ln[sums["n"] == 0] = np.nan
    return _linked_through(ln, sums) if link_through else ln


def _linked_through(ln: Floats, sums: Pairs) -> Floats:
    assert_connected(sums["n"], sums.periods)
    while np.isnan(ln).any():
        ways = ln[:, :, None] + ln[None, :, :]  # from a by c to b
        known = ~np.isnan(ways)
        with np.errstate(invalid="ignore"):
            mean = np.where(known, ways, 0).sum(axis=1) / known.sum(axis=1)
        ln = np.where(np.isnan(ln), mean, ln)
    return ln


def geks(ln: Floats, periods: Labels, weights: Floats | None = None) -> Floats:
    r"""Make the bilateral comparisons of one window transitive (GEKS).

    .. math:: \ln P^t = \sum_{a=1}^{W} w^a \ln P^{a,t}

    The index from b to t is the geometric mean, over all periods a of the window, of the way from b by a to t. Over
    Törnqvist indices it is called CCDI.

    Parameters
    ----------
    ln : array of shape (W, W)
        Logarithms of the bilateral indices, as of `ln_index`.
    periods : array of shape (W,)
        The periods, by which an error names a pair.
    weights : array of shape (W,), optional
        Weights of the periods, such as their turnover; all alike by default.

    Returns
    -------
    array of shape (W,)
        Logarithm of the price level of each period; the difference of two is the index between them.

    Raises
    ------
    BadData
        Two periods of the window share no product.

    References
    ----------
    Ivancic, Diewert and Fox (2011), Scanner data, time aggregation and the construction of price indexes, Journal of
    Econometrics 161(1). Caves, Christensen and Diewert (1982), Multilateral comparisons of output, input, and
    productivity using superlative index numbers, Economic Journal 92.

    Examples
    --------
    >>> ln = np.log([[1, 1.1, 1.2], [1 / 1.1, 1, 1.15], [1 / 1.2, 1 / 1.15, 1]])
    >>> level = geks(ln, np.array(["2024-01", "2024-02", "2024-03"]))
    >>> np.exp(level - level[0]).round(4).tolist()
    [1.0, 1.0808, 1.2213]
    """
    apart = np.argwhere(np.isnan(ln))
    if apart.size:
        a, b = periods[apart[0]]
        raise BadData(
            f"No product is sold in {a}." if a == b else f"No product is sold in both {a} and {b}.",
            remedy="Define products more broadly, take a window in which every two periods share products, or compare "
            "such periods by way of the others (link_through).",
        )
    level: Floats = ln.mean(axis=0) if weights is None else weights @ ln / weights.sum()
    return level


def geary_khamis(sums: Floats, turnover: Floats) -> Floats:
    r"""Solve the Geary-Khamis system of one window, exactly and at once.

    The price level of a period is its turnover over its quantities valued at reference prices, and the reference price
    of a product is its mean price in units of constant purchasing power:

    .. math:: P^t = \frac{\sum_i v_i^t}{\sum_i b_i q_i^t}, \quad b_i = \frac{\sum_t v_i^t / P^t}{\sum_t q_i^t}

    With x = 1/P this is x = K x, a linear system of as many unknowns as there are periods.

    Parameters
    ----------
    sums : array of shape (W, W)
        :math:`\sum_i q_i^a v_i^b / q_i`, as of `WINDOW_SUMS`.
    turnover : array of shape (W,)
        Turnover of each period.

    Returns
    -------
    array of shape (W,)
        Logarithm of the price level; 0 in the first period.

    References
    ----------
    Geary (1958), A note on the comparison of exchange rates and purchasing power between countries, Journal of the
    Royal Statistical Society A 121. Khamis (1972), A new system of index numbers for national and international
    purposes, Journal of the Royal Statistical Society A 135. Chessa (2016), A new methodology for processing scanner
    data in the Dutch CPI, EURONA 1/2016.

    Examples
    --------
    >>> q, v = np.array([[2.0, 1.0], [1.0, 4.0]]), np.array([[2.0, 3.0], [2.0, 12.0]])  # prices 1 and 3, then 2 and 3
    >>> np.exp(geary_khamis((q / q.sum(axis=0)) @ v.T, v.sum(axis=1))).round(4).tolist()
    [1.0, 1.2174]
    """
    system = np.eye(len(turnover)) - sums / turnover[:, None]
    x = np.ones(len(turnover))
    x[1:] = np.linalg.solve(system[1:, 1:], -system[1:, 0])
    return -np.log(x)


def time_product_dummy(sums: Floats) -> Floats:
    r"""Solve the regression of log prices on dummies of periods and of products, for the periods.

    The products' dummies are swept out before, so that there are as many unknowns as periods, whatever the number of
    products.

    Parameters
    ----------
    sums : array of shape (W, W + 1)
        Normal equations as of `WINDOW_SUMS`: the matrix, and the right side in the last column.

    Returns
    -------
    array of shape (W,)
        Logarithm of the price level; 0 in the first period.

    References
    ----------
    Summers (1973), International price comparisons based upon incomplete data, Review of Income and Wealth 19. Rao
    (2005), On the equivalence of weighted country-product-dummy (CPD) method and the Rao-system, Review of Income and
    Wealth 51. de Haan and Krsinich (2018), Time dummy hedonic and quality-adjusted unit value indexes, Review of
    Income and Wealth 64(4).

    Examples
    --------
    >>> prices = np.array([[1.0, 2.0], [1.5, 2.5]])  # two products in two periods
    >>> log, share = np.log(prices), np.full((2, 2), 0.5)
    >>> right = (share * log).sum(axis=1) - share @ (share * log).sum(axis=0)
    >>> np.exp(time_product_dummy(np.column_stack([share @ share.T, right]))).round(6).tolist()
    [1.0, 1.369306]
    """
    projected, right = sums[:, :-1], sums[:, -1]
    system = np.diag(projected.sum(axis=1)) - projected
    level = np.zeros(len(right))
    level[1:] = np.linalg.solve(system[1:, 1:], right[1:])
    return level


def lehr(sums: Floats, turnover: Floats) -> Floats:
    r"""Compare turnover by quantity, each product's quantity valued at its unit value over the window.

    .. math:: P^t = \sum_i v_i^t \Big/ \sum_i \frac{\sum_\tau v_i^\tau}{\sum_\tau q_i^\tau} q_i^t

    Parameters
    ----------
    sums : array of shape (W,)
        The denominator, as of `WINDOW_SUMS`.
    turnover : array of shape (W,)
        Turnover of each period.

    Returns
    -------
    array of shape (W,)
        Logarithm of the price level.

    References
    ----------
    Lehr (1885), Beiträge zur Statistik der Preise. von Auer (2014), The generalized unit value index family, Review of
    Income and Wealth 60(4). Lamboray (2017), The Geary Khamis index and the Lehr index, Ottawa Group.

    Examples
    --------
    >>> level = lehr(np.array([10.0, 20.0]), np.array([10.0, 22.0]))
    >>> np.exp(level - level[0]).round(6).tolist()
    [1.0, 1.1]
    """
    return np.log(turnover / sums)


def window_levels(sums: Pairs, recipe: Recipe) -> Callable[[Window], Floats]:
    """Give the function from a window to the price levels in it, by any method.

    Parameters
    ----------
    sums : Pairs
        Sums that have what the method needs, as of ``recipe.pairs``.
    recipe : Recipe
        The index.

    Returns
    -------
    function of Window
        It gives the logarithm of the price level of each period of the window.

    Raises
    ------
    BadCall
        An unknown method or formula.

    Examples
    --------
    >>> from statcommons.prices.panel import panel
    >>> p = panel(np.array(["2024-01", "2024-02"]), np.array(["tea", "tea"]), [2, 3], [1, 5])
    >>> wanted = Recipe("gk", window=2)
    >>> np.exp(window_levels(wanted.pairs(p), wanted)(Window(0, 2))).round(6).tolist()
    [1.0, 1.5]
    """
    turnover = sums.turnover
    if recipe.method == "geks":
        ln = ln_index(sums, recipe.formula, link_through=recipe.link_through)

        def level(part: Window) -> Floats:
            inside = slice(*part)
            weights = turnover[inside] if recipe.weights == "turnover" else None
            return geks(ln[inside, inside], sums.periods[inside], weights)

        return level

    def solved(part: Window) -> Floats:
        inside = slice(*part)
        found = sums.of_windows[recipe.sums, part]
        assert_connected(sums["n"][inside, inside], sums.periods[inside])
        if recipe.method == "lehr":
            return lehr(found, turnover[inside])
        return geary_khamis(found, turnover[inside]) if recipe.method == "gk" else time_product_dummy(found)

    return solved


def multilateral_series(sums: Pairs, recipe: Recipe) -> Series:
    """Compile a multilateral index and extend it over all periods.

    Parameters
    ----------
    sums : Pairs
        Sums that have what the method needs, as of ``recipe.pairs``.
    recipe : Recipe
        The index.

    Returns
    -------
    Series
        Index numbers of the T periods. The match of a period is that with the first period of the window in which
        its index number was published (13 periods: the same month a year ago).

    Raises
    ------
    BadData
        A period is missing between two others, two periods of a window share no product (GEKS), or no product connects
        them (GK, TPD).
    BadCall
        An unknown method, formula or splice, or a window of fewer than two periods.

    Examples
    --------
    >>> from statcommons.prices.panel import panel
    >>> months = np.array(["2024-01", "2024-02", "2024-03"]).repeat(2)
    >>> codes = np.tile(np.array(["rice", "tea"]), 3)
    >>> p = panel(months, codes, [1, 1, 0.5, 1, 1, 1], [10, 100, 5000, 100, 1, 100])
    >>> wanted = Recipe("geks", "fisher")
    >>> multilateral_series(wanted.pairs(p), wanted).index.round(3).tolist()
    [1.0, 0.702, 0.993]
    """
    ln = extend(window_levels(sums, recipe), sums.periods, recipe.window, recipe.splice)
    current = np.arange(len(sums.periods))
    return matches(sums, np.exp(ln), np.maximum(current - recipe.window + 1, 0))


def matches(sums: Pairs, index: Floats, base: Integers) -> Series:
    """Tell of each index number how many products, and which share of turnover, match with the period compared with.

    Parameters
    ----------
    sums : Pairs
        Sums over T periods.
    index : array of shape (T,)
        The index numbers.
    base : array of shape (T,)
        Position of the period that each is compared with.

    Examples
    --------
    >>> from statcommons.prices.panel import panel
    >>> p = panel(np.array(["2024-01", "2024-02"]), np.array(["tea", "tea"]), [2, 3], [1, 5])
    >>> matches(pairs(p), np.array([1.0, 1.5]), np.array([0, 0])).matched_products.tolist()
    [1, 1]
    """
    current, turnover = np.arange(len(sums.periods)), sums.turnover
    return Series(
        periods=sums.periods,
        index=index,
        matched_products=sums["n"][base, current].astype(np.int64),
        matched_share_base=sums["A"][base, current] / turnover[base],
        matched_share_current=sums["A"][current, base] / turnover,
    )
