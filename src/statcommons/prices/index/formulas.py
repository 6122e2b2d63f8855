"""The bilateral index formulas, one row of a table each: what it computes, where it is from, which tests it passes."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import ArrayLike

from statcommons.core.errors import BadCall, BadData, nearest
from statcommons.prices.index.comparison import Comparison, logarithmic_mean, total
from statcommons.prices.panel import Floats

__all__ = ["ELEMENTARY", "FORMULAS", "Elementary", "Formula", "Name", "find_formula", "formula_table"]

Elementary: TypeAlias = Literal["jevons", "dutot", "carli", "harmonic", "cswd", "bmw"]
"""The formulas for prices without quantities."""

Name: TypeAlias = Literal[
    "tornqvist",
    "fisher",
    "walsh",
    "laspeyres",
    "paasche",
    "jevons",
    "dutot",
    "carli",
    "harmonic",
    "cswd",
    "bmw",
    "lowe",
    "young",
    "geometric_lowe",
    "geometric_young",
    "geometric_laspeyres",
    "geometric_paasche",
    "geometric_walsh",
    "theil",
    "rao",
    "sato_vartia",
    "vartia",
    "walsh_vartia",
    "palgrave",
    "lloyd_moulton",
    "ag_mean",
    "marshall_edgeworth",
    "geary_khamis",
    "bialek",
    "drobisch",
    "banerjee",
    "stuvel",
    "davies",
    "lehr",
    "unit_value",
    "value",
]
"""All formulas."""


@dataclass(frozen=True)
class Formula:
    """A bilateral index formula: call it with prices and quantities of two periods.

    Parameters
    ----------
    of : callable
        The index of a `Comparison`.
    math : str
        Its formula (TeX), where :math:`r = p^1 / p^0` and sums, products and n are over the products; s are shares in
        the value v of the products of a period, V their sum.
    tests : str
        The tests of the axiomatic approach that it passes, for any prices and quantities: ``I`` identity (1 where no
        price changed), ``P`` proportionality in current prices, ``C`` commensurability (units of measurement do not
        matter), ``T`` time reversal (for Lowe and Young: with the same basket), ``F`` product or factor reversal,
        ``M`` mean value (between the least and the greatest price relative).
    source : str
        Who proposed it, or where it is described; *Manual* is the Consumer Price Index Manual of ILO et al. (2004).
    needs : {"quantities", "prices", "basket", "all products"}
        What it needs beside prices: quantities of both periods, nothing, those of a basket, or quantities of all
        products, matched or not.
    """

    of: Callable[[Comparison], float]
    math: str
    tests: str
    source: str
    needs: Literal["quantities", "prices", "basket", "all products"] = "quantities"

    def __call__(
        self,
        p0: ArrayLike,
        p1: ArrayLike,
        q0: ArrayLike | None = None,
        q1: ArrayLike | None = None,
        *,
        qb: ArrayLike | None = None,
        vb: ArrayLike | None = None,
        sigma: float = 0.7,
        tau: float = 0.7,
    ) -> float:
        """Compute the index of two periods.

        Parameters
        ----------
        p0, p1 : array of shape (n,)
            Prices in the base and the current period, above 0.
        q0, q1 : array of shape (n,), optional
            Quantities in the base and the current period; an elementary formula needs none.
        qb, vb : array of shape (n,), optional
            Quantities and values of a basket (Lowe, Young); without them, those of the base period.
        sigma : float
            Elasticity of substitution (Lloyd-Moulton).
        tau : float
            Weight of the geometric index (AG mean).

        Returns
        -------
        float
            The index, above 0.

        Raises
        ------
        BadData
            A price that is missing, infinite or not above 0; no product; or quantities that leave nothing to compare.
        BadCall
            A formula that needs quantities without any, or arrays of different lengths.
        """
        if self.needs != "prices" and (q0 is None or q1 is None):
            raise BadCall(
                "The formula needs quantities.", remedy=f"Give q0 and q1, or take one of: {', '.join(ELEMENTARY)}."
            )
        x0, x1 = np.asarray(p0, np.float64), np.asarray(p1, np.float64)
        y0, y1, yb, wb = (None if one is None else np.asarray(one, np.float64) for one in (q0, q1, qb, vb))
        ones = np.ones_like(x0)
        both = Comparison(x0, x1, ones if y0 is None else y0, ones if y1 is None else y1, yb, wb, sigma, tau)
        weights = [one for one in (y0, y1, yb, wb) if one is not None]
        if {one.shape for one in (x1, *weights)} != {x0.shape}:
            raise BadCall("The arrays have different lengths.", remedy="Give one value a product in each.")
        if not x0.size:
            raise BadData("There is no product to compare.", remedy="Match the products of the two periods first.")
        if not all((one > 0).all() and np.isfinite(one).all() for one in (x0, x1)):
            raise BadData("A price is missing, infinite or not above 0.", remedy="Set such prices aside.")
        if not all((one >= 0).all() and np.isfinite(one).all() for one in weights):
            raise BadData("A quantity is missing, infinite or below 0.", remedy="Set such rows aside.")
        try:
            with np.errstate(all="ignore"):
                index = self.of(both)
        except (ZeroDivisionError, OverflowError):
            index = math.nan
        if not (math.isfinite(index) and index > 0):
            raise BadData("The products have no weight, or too much for a number.", remedy="Check the quantities.")
        return index


def _stuvel(x: Comparison) -> float:
    a = (x.laspeyres - total(x.p0 * x.q1) / total(x.v0)) / 2
    root = math.sqrt(a * a + x.change)
    return a + root if a >= 0 else x.change / (root - a)  # the second form does not cancel


def _vartia(x: Comparison, mean: Callable[[Floats, Floats], Floats]) -> float:
    whole = mean(np.array([total(x.v0)]), np.array([total(x.v1)]))
    return x.geometric(mean(x.v0, x.v1), float(whole[0]))


MANUAL = "Manual, chapter"
LIPPE = "von der Lippe (2007), Index Theory and Price Statistics"

FORMULAS: dict[Name, Formula] = {
    # Superlative, and the two that they are made of
    "tornqvist": Formula(
        lambda x: x.geometric((x.s0 + x.s1) / 2), r"\prod r^{(s^0 + s^1)/2}", "IPCTM", f"{MANUAL}s 15, 16 and 17"
    ),
    "fisher": Formula(
        lambda x: math.sqrt(x.laspeyres * x.paasche), r"\sqrt{P_L P_P}", "IPCTFM", f"{MANUAL} 15; ideal index"
    ),
    "walsh": Formula(
        lambda x: x.basket(np.sqrt(x.q0 * x.q1)),
        r"\sum p^1 \sqrt{q^0 q^1} / \sum p^0 \sqrt{q^0 q^1}",
        "IPCTM",
        f"{MANUAL} 15; pure price index",
    ),
    "laspeyres": Formula(lambda x: x.laspeyres, r"\sum p^1 q^0 / \sum p^0 q^0", "IPCM", f"{MANUAL} 15"),
    "paasche": Formula(lambda x: x.paasche, r"\sum p^1 q^1 / \sum p^0 q^1", "IPCM", f"{MANUAL} 15"),
    # Elementary
    "jevons": Formula(lambda x: x.geometric(0 * x.r + 1), r"\prod r^{1/n}", "IPCTM", f"{MANUAL} 20", "prices"),
    "dutot": Formula(lambda x: x.basket(0 * x.r + 1), r"\sum p^1 / \sum p^0", "IPTM", f"{MANUAL} 20", "prices"),
    "carli": Formula(lambda x: total(x.r) / len(x.r), r"\sum r / n", "IPCM", f"{MANUAL} 20", "prices"),
    "harmonic": Formula(lambda x: len(x.r) / total(1 / x.r), r"n / \sum r^{-1}", "IPCM", f"{MANUAL} 20", "prices"),
    "cswd": Formula(
        lambda x: math.sqrt(total(x.r) / total(1 / x.r)),
        r"\sqrt{\sum r / \sum r^{-1}}",
        "IPCTM",
        "Carruthers, Sellwood and Ward (1980), Dalén (1992)",
        "prices",
    ),
    "bmw": Formula(
        lambda x: total(np.sqrt(x.r)) / total(1 / np.sqrt(x.r)),
        r"\sum r^{1/2} / \sum r^{-1/2}",
        "IPCTM",
        f"Balk, Mehrhoff (in {LIPPE}) and Walsh; Dikhanov's index is the same",
        "prices",
    ),
    # Weights of another period
    "lowe": Formula(
        lambda x: x.basket(x.quantities_of_basket),
        r"\sum p^1 q^b / \sum p^0 q^b",
        "IPCTM",
        f"{MANUAL} 15",
        "basket",
    ),
    "young": Formula(lambda x: x.arithmetic(x.values_of_basket), r"\sum s^b r", "IPCM", f"{MANUAL} 15", "basket"),
    "geometric_lowe": Formula(
        lambda x: x.geometric(x.p0 * x.quantities_of_basket),
        r"\prod r^w, \; w = p^0 q^b / \sum p^0 q^b",
        "IPCM",
        f"{MANUAL} 1; Lowe's hybrid shares, averaged geometrically",
        "basket",
    ),
    "geometric_young": Formula(
        lambda x: x.geometric(x.values_of_basket), r"\prod r^{s^b}", "IPCTM", f"{MANUAL} 1", "basket"
    ),
    # Geometric means
    "geometric_laspeyres": Formula(lambda x: x.geometric(x.s0), r"\prod r^{s^0}", "IPCM", f"{MANUAL} 16"),
    "geometric_paasche": Formula(lambda x: x.geometric(x.s1), r"\prod r^{s^1}", "IPCM", f"{MANUAL} 16"),
    "geometric_walsh": Formula(
        lambda x: x.geometric(np.sqrt(x.s0 * x.s1)),
        r"\prod r^w, \; w \propto \sqrt{s^0 s^1}",
        "IPCTM",
        f"{MANUAL} 16; Walsh (1901)",
    ),
    "theil": Formula(
        lambda x: x.geometric(np.cbrt(x.s0 * x.s1 * (x.s0 + x.s1) / 2)),
        r"\prod r^w, \; w \propto \sqrt[3]{s^0 s^1 (s^0 + s^1)/2}",
        "IPCTM",
        "Theil (1973), A new index number formula",
    ),
    "rao": Formula(
        lambda x: x.geometric(x.s0 * x.s1 / (x.s0 + x.s1)),
        r"\prod r^w, \; w \propto s^0 s^1 / (s^0 + s^1)",
        "IPCTM",
        "Rao (1990); of two periods the same as the time product dummy index with weights of shares",
    ),
    "sato_vartia": Formula(
        lambda x: x.geometric(logarithmic_mean(x.s0, x.s1)),
        r"\prod r^w, \; w \propto L(s^0, s^1), \; L(a, b) = (a - b) / \ln(a / b)",
        "IPCTFM",
        "Sato (1976), Vartia (1976), Vartia's second; true where demand is CES",
    ),
    "vartia": Formula(
        lambda x: _vartia(x, logarithmic_mean),
        r"\prod r^{L(v^0, v^1) / L(V^0, V^1)}",
        "ICTF",
        "Montgomery (1937), Vartia (1976), Vartia's first",
    ),
    "walsh_vartia": Formula(
        lambda x: _vartia(x, lambda a, b: np.sqrt(a) * np.sqrt(b)),
        r"\prod r^{\sqrt{v^0 v^1} / \sqrt{V^0 V^1}}",
        "ICT",
        f"Walsh and Vartia, in {LIPPE}, p. 232",
    ),
    # Other means of relatives
    "palgrave": Formula(lambda x: x.arithmetic(x.s1), r"\sum s^1 r", "IPCM", f"{MANUAL} 16"),
    "lloyd_moulton": Formula(
        lambda x: x.power(x.s0, 1 - x.sigma),
        r"\left(\sum s^0 r^{1 - \sigma}\right)^{1 / (1 - \sigma)}",
        "IPCM",
        f"{MANUAL} 17; geometric Laspeyres where sigma is 1",
    ),
    "ag_mean": Formula(
        lambda x: x.tau * x.geometric(x.s0) + (1 - x.tau) * x.laspeyres,
        r"\tau P_{GL} + (1 - \tau) P_L",
        "IPCM",
        "Lent and Dorfman (2009), Using a weighted average of base period price indexes to approximate a superlative "
        "index",
    ),
    # Baskets of both periods, and means of two indices
    "marshall_edgeworth": Formula(
        lambda x: x.basket(x.q0 + x.q1), r"\sum p^1 (q^0 + q^1) / \sum p^0 (q^0 + q^1)", "IPCTM", f"{MANUAL} 15"
    ),
    "geary_khamis": Formula(
        lambda x: x.basket(x.q0 * x.q1 / (x.q0 + x.q1)),
        r"\sum p^1 h / \sum p^0 h, \; h = q^0 q^1 / (q^0 + q^1)",
        "IPCTM",
        "Geary (1958), Khamis (1970), of two periods",
    ),
    "bialek": Formula(
        lambda x: math.sqrt(x.basket(np.minimum(x.q0, x.q1)) * x.basket(np.maximum(x.q0, x.q1))),
        r"\sqrt{P(\min(q^0, q^1)) P(\max(q^0, q^1))}, \; P(q) = \sum p^1 q / \sum p^0 q",
        "IPCTM",
        "Białek (2014), Simulation study of an original price index formula",
    ),
    "drobisch": Formula(lambda x: (x.laspeyres + x.paasche) / 2, r"(P_L + P_P) / 2", "IPCM", f"{MANUAL} 15"),
    "banerjee": Formula(
        lambda x: (1 + x.laspeyres) / (1 + 1 / x.paasche),
        r"(1 + P_L) / (1 + P_P^{-1})",
        "ICTM",
        "Banerjee (1977), On the factorial approach providing the true index of cost of living",
    ),
    # Change of value over change of quantity
    "stuvel": Formula(
        _stuvel,
        r"A + \sqrt{A^2 + V^1 / V^0}, \; A = (P_L - Q_L) / 2",
        "ICTFM",
        "Stuvel (1957), A new index number formula",
    ),
    "davies": Formula(
        lambda x: x.deflated(np.sqrt(x.p0 * x.p1)),
        r"\frac{V^1}{V^0} \Big/ \frac{\sum q^1 m}{\sum q^0 m}, \; m = \sqrt{p^0 p^1}",
        "IPCTM",
        "Davies (1924), The problem of a standard index number formula",
    ),
    "lehr": Formula(
        lambda x: x.deflated((x.v0 + x.v1) / (x.q0 + x.q1)),
        r"\frac{V^1}{V^0} \Big/ \frac{\sum q^1 u}{\sum q^0 u}, \; u = (v^0 + v^1) / (q^0 + q^1)",
        "ICT",
        "Lehr (1885), Beiträge zur Statistik der Preise",
    ),
    "unit_value": Formula(
        lambda x: x.change * total(x.q0) / total(x.q1),
        r"(V^1 / \sum q^1) / (V^0 / \sum q^0)",
        "PT",
        f"{MANUAL} 9; for products that are the same but for where they are sold",
        "all products",
    ),
    "value": Formula(lambda x: x.change, "V^1 / V^0", "PCT", f"{MANUAL} 15; not a price index", "all products"),
}
"""The formulas by name; each is called with prices and quantities of two periods."""

ELEMENTARY: tuple[Name, ...] = tuple(name for name, one in FORMULAS.items() if one.needs == "prices")
"""The formulas for prices without quantities."""


def find_formula(name: str) -> Formula:
    """Find a formula by its name.

    Parameters
    ----------
    name : str
        A key of `FORMULAS`.

    Returns
    -------
    Formula
        What computes the index of two periods.

    Raises
    ------
    BadCall
        An unknown name; the nearest is told.

    Examples
    --------
    >>> p0, p1, q0, q1 = [1, 1], [0.5, 1], [10, 100], [5000, 100]
    >>> round(find_formula("fisher")(p0, p1, q0, q1), 4)
    0.6976
    >>> find_formula("fisher").tests
    'IPCTFM'
    """
    found = FORMULAS.get(name)  # type: ignore[call-overload]
    if found is None:
        raise BadCall(f"There is no bilateral formula {name!r}.", remedy=nearest(name, list(FORMULAS)))
    return found


def formula_table() -> str:
    r"""Write the formulas as the table of a documentation page.

    Returns
    -------
    str
        A table in Markdown: name, formula, tests that it passes, what it needs, source.

    Examples
    --------
    >>> print(formula_table().splitlines()[3])
    | `fisher` | $\sqrt{P_L P_P}$ | IPCTFM | quantities | Manual, chapter 15; ideal index |
    """
    rows = [f"| `{name}` | ${one.math}$ | {one.tests} | {one.needs} | {one.source} |" for name, one in FORMULAS.items()]
    return "\n".join(["| formula | index | tests | needs | source |", "|---|---|---|---|---|", *rows])
