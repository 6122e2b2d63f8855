"""Which price changes are too far from the others: the rules of the manuals, and what countries use."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from statcommons.prices.panel import Floats

__all__ = ["OUTLIERS", "PROFILES", "Outlier", "Rules"]

Outlier: TypeAlias = Literal[
    "none", "limits", "quantile", "quartile", "tukey", "kimber", "robust_z", "hidiroglou_berthelot"
]
"""By which rule price changes are too far from the others."""

Flags: TypeAlias = NDArray[np.bool_]


@dataclass(frozen=True)
class Rules:
    """Which changes on the period before are rejected.

    Parameters
    ----------
    outlier : str
        One of `OUTLIERS`, or ``none``.
    lower, upper : float
        Bounds of the price ratio, or, for quantiles, of their probabilities.
    cut : float
        How many spreads a change may be away from the middle.
    least_spread : float
        The least spread, as a share of the middle: without it nothing may differ where most prices stand still.
    size_power : float
        How much a change of an expensive product weighs more (Hidiroglou-Berthelot).
    low_sales : float, optional
        The lambda of the low sales filter.
    dump_price, dump_sales : float, optional
        Ratios of price and of sales below which, both together, a product is cleared out.
    dump_by : {"turnover", "quantity"}
        What sales are.
    """

    outlier: Outlier = "limits"
    lower: float = 0.25
    upper: float = 4.0
    cut: float = 2.5
    least_spread: float = 0.05
    size_power: float = 0.5
    low_sales: float | None = None
    dump_price: float | None = None
    dump_sales: float | None = None
    dump_by: Literal["turnover", "quantity"] = "turnover"


PROFILES = {
    "poland": Rules(lower=0.25, upper=3.0, low_sales=1.25),
    "norway": Rules(lower=0.25, upper=4.0, dump_price=0.9, dump_sales=0.2),
    "uk": Rules(lower=0.33, upper=3.0),
}
"""What countries use, after the UN Task Team's e-handbook; the United Kingdom's for rail fares and used cars."""


def _within(changes: Floats, low: float, high: float) -> Flags:
    return (changes >= low) & (changes <= high)


def _limits(changes: Floats, size: Floats, rules: Rules) -> Flags:
    return _within(changes, rules.lower, rules.upper)


def _quantile(changes: Floats, size: Floats, rules: Rules) -> Flags:
    return _within(changes, *np.quantile(changes, [rules.lower, rules.upper]))


def _quartile(changes: Floats, size: Floats, rules: Rules) -> Flags:
    first, middle, third = np.quantile(changes, [0.25, 0.5, 0.75])
    least = rules.least_spread * middle
    return _within(
        changes,
        middle - rules.cut * max(middle - first, least),
        middle + rules.cut * max(third - middle, least),
    )


def _kimber(changes: Floats, size: Floats, rules: Rules) -> Flags:
    first, middle, third = np.quantile(changes, [0.25, 0.5, 0.75])
    least = rules.least_spread * middle
    return _within(
        changes,
        first - rules.cut * max(middle - first, least),
        third + rules.cut * max(third - middle, least),
    )


def _tukey(changes: Floats, size: Floats, rules: Rules) -> Flags:
    body = changes[_within(changes, *np.quantile(changes, [0.05, 0.95])) & (changes != 1)]
    if not body.size:  # no price moved but in the tails
        body = changes[_within(changes, *np.quantile(changes, [0.05, 0.95]))]
    middle = body.mean()
    least = rules.least_spread * middle
    return _within(
        changes,
        middle - rules.cut * max(middle - body[body <= middle].mean(), least),
        middle + rules.cut * max(body[body >= middle].mean() - middle, least),
    )


def _robust_z(changes: Floats, size: Floats, rules: Rules) -> Flags:
    middle = np.median(changes)
    # 1.4826 makes the median absolute deviation a standard deviation where changes are normal.
    spread = max(1.4826 * float(np.median(np.abs(changes - middle))), rules.least_spread * float(middle))
    return np.abs(changes - middle) <= rules.cut * spread


def _hidiroglou_berthelot(changes: Floats, size: Floats, rules: Rules) -> Flags:
    middle = np.median(changes)
    # A halving is as far from the middle as a doubling.
    centred = np.where(changes < middle, 1 - middle / changes, changes / middle - 1)
    effect = centred * size**rules.size_power
    first, median, third = np.quantile(effect, [0.25, 0.5, 0.75])
    # The effect's middle is near 0, so the least spread is that of a change of this share in a usual product.
    least = rules.least_spread * float(np.median(size)) ** rules.size_power
    return _within(
        effect, median - rules.cut * max(median - first, least), median + rules.cut * max(third - median, least)
    )


OUTLIERS: dict[str, Callable[[Floats, Floats, Rules], Flags]] = {
    "limits": _limits,
    "quantile": _quantile,
    "quartile": _quartile,
    "tukey": _tukey,
    "kimber": _kimber,
    "robust_z": _robust_z,
    "hidiroglou_berthelot": _hidiroglou_berthelot,
}
"""Rules by name: from the price changes of a group in a period, and the higher of each two prices, to what is kept."""
