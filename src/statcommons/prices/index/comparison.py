"""Two periods compared: prices and quantities of the same products, and the few ways to make an index of them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from statcommons.prices.panel import Floats

__all__ = ["Comparison", "logarithmic_mean", "total"]


def total(terms: Floats) -> float:
    """Sum and round once, so that the order of the products cannot change the last digit.

    Parameters
    ----------
    terms : array of shape (n,)
        What is summed.

    Examples
    --------
    >>> total(np.array([1e16, 1.0, -1e16]))
    1.0
    """
    return math.fsum(terms.tolist())


@dataclass(frozen=True, eq=False)
class Comparison:
    """Prices and quantities of n products in two periods, and what the formulas make of them.

    Parameters
    ----------
    p0, p1 : array of shape (n,)
        Prices in the base and the current period, in currency a unit, above 0.
    q0, q1 : array of shape (n,)
        Quantities in the base and the current period; 0 where a price was imputed.
    qb, vb : array of shape (n,), optional
        Quantities and values of a basket (Lowe, Young); without them, those of the base period.
    sigma : float
        Elasticity of substitution (Lloyd-Moulton).
    tau : float
        Weight of the geometric index (AG mean).
    """

    p0: Floats
    p1: Floats
    q0: Floats
    q1: Floats
    qb: Floats | None = None
    vb: Floats | None = None
    sigma: float = 0.7
    tau: float = 0.7

    @cached_property
    def r(self) -> Floats:
        """Price relatives."""
        return self.p1 / self.p0

    @cached_property
    def v0(self) -> Floats:
        """Values in the base period."""
        return self.p0 * self.q0

    @cached_property
    def v1(self) -> Floats:
        """Values in the current period."""
        return self.p1 * self.q1

    @cached_property
    def s0(self) -> Floats:
        """Shares in the value of these products in the base period."""
        return self.v0 / total(self.v0)

    @cached_property
    def s1(self) -> Floats:
        """Shares in the value of these products in the current period."""
        return self.v1 / total(self.v1)

    @cached_property
    def quantities_of_basket(self) -> Floats:
        """Quantities of the basket."""
        return self.q0 if self.qb is None else self.qb

    @cached_property
    def values_of_basket(self) -> Floats:
        """Values of the basket."""
        return self.v0 if self.vb is None else self.vb

    @cached_property
    def laspeyres(self) -> float:
        """Laspeyres price index."""
        return self.basket(self.q0)

    @cached_property
    def paasche(self) -> float:
        """Paasche price index."""
        return self.basket(self.q1)

    @cached_property
    def change(self) -> float:
        """Change of the whole value."""
        return total(self.v1) / total(self.v0)

    def basket(self, q: Floats) -> float:
        """Price one basket at the prices of both periods."""
        return total(self.p1 * q) / total(self.p0 * q)

    def arithmetic(self, w: Floats) -> float:
        """Average the price relatives arithmetically, with weights that need not add up to 1."""
        return total(w * self.r) / total(w)

    def geometric(self, w: Floats, whole: float | None = None) -> float:
        """Average the price relatives geometrically, weights over their sum or over the whole that is given."""
        return math.exp(total(w * np.log(self.r)) / (total(w) if whole is None else whole))

    def power(self, w: Floats, e: float) -> float:
        """Average the price relatives by the mean of order e, without losing digits near e = 0, the geometric mean."""
        ln = np.log(self.r)
        return math.exp(total(w * ln) if e == 0 else math.log1p(total(w * np.expm1(e * ln))) / e)

    def deflated(self, p: Floats) -> float:
        """Divide the change of the value by a quantity index at constant prices."""
        return self.change * total(self.q0 * p) / total(self.q1 * p)


def logarithmic_mean(a: Floats, b: Floats) -> Floats:
    r"""Take the logarithmic mean, in a form that does not lose digits where the two are nearly the same.

    .. math:: L(a, b) = (a - b) / \ln(a / b) = \sqrt{ab} \, \sinh(u) / u, \quad u = \ln(a / b) / 2

    Parameters
    ----------
    a, b : array of shape (n,)
        Values, 0 or more; the mean with 0 is 0.

    Returns
    -------
    array of shape (n,)
        The means, between the geometric and the arithmetic.

    References
    ----------
    Vartia (1976), Ideal log-change index numbers, Scandinavian Journal of Statistics 3.

    Examples
    --------
    >>> logarithmic_mean(np.array([1.0, 2.0]), np.array([np.e, 2.0])).round(6).tolist()
    [1.718282, 2.0]
    """
    both = (a > 0) & (b > 0)
    u = np.log(np.where(both, a, 1) / np.where(both, b, 1)) / 2
    return np.sqrt(a) * np.sqrt(b) * np.where(u == 0, 1, np.sinh(u) / np.where(u == 0, 1, u))
