"""Progress towards the Sustainable Development Goals by three published methods, with every number on the way.

All three compare how much a series grew a year with how much it should have: the growth that leads from the base year
to the target in time or, where there is no target, fixed rates. They differ in rates and words, so that one series may
be said to do well by one method and badly by another; whoever publishes an assessment names the method.

The growth a year is the compound rate :math:`(y_t / y_0)^{1/(t - t_0)} - 1`. It has no meaning for series that are
growth rates themselves, nor for those that should stay close to a value, such as parity indices.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from statcommons.core.errors import BadCall

__all__ = [
    "Direction",
    "Progress",
    "Scored",
    "eurostat_progress",
    "indicator_progress",
    "open_sdg_progress",
    "unsd_progress",
]

Direction: TypeAlias = Literal[1, -1]
"""Whether the values should rise (1) or fall (-1)."""

NOT_AVAILABLE = "not_available"
STAND_IN = 0.001  # stands for a base or a target of 0, from which there is no rate of growth
OPEN_SDG = ("substantial_progress", "moderate_progress", "limited_progress", "deterioration")
UNSD = ("on_track_or_target_met", "fair_progress", "stagnation_or_regression")
EUROSTAT_TARGET = ("significant_progress", "moderate_progress", "insufficient_progress", "movement_away")
EUROSTAT = ("significant_progress", "moderate_progress", "moderate_movement_away", "significant_movement_away")


@dataclass(frozen=True, slots=True)
class Progress:
    """The assessment of a series or of an indicator, and how it came to be.

    Parameters
    ----------
    method : str
        Who published the method: ``Open SDG``, ``UNSD`` or ``Eurostat``.
    status : str
        The category of the method, or ``not_available``.
    value : float, optional
        What the status was read from: the share of the growth needed that there was (1 is enough) or, without a target,
        the growth a year in the wanted direction.
    score : float, optional
        The score of the method: from -5 to 5 for Open SDG, from 1 to 3 for UNSD; Eurostat gives none.
    achieved : bool
        Whether the current value reaches the target.
    steps : mapping of str to float
        Every number that was used on the way, in the order of the calculation.
    reason : str
        Why there is no assessment or no value; else empty.

    Examples
    --------
    >>> found = open_sdg_progress({2015: 50, 2020: 40}, -1)
    >>> found.status, round(found.value, 4), found.score
    ('substantial_progress', 0.0436, 5.0)
    >>> {name: round(number, 4) for name, number in found.steps.items()}["growth"]
    -0.0436
    """

    method: str
    status: str
    value: float | None = None
    score: float | None = None
    achieved: bool = False
    steps: Mapping[str, float] = field(default_factory=dict)
    reason: str = ""


Scored: TypeAlias = "Progress | Sequence[Scored]"
"""The assessment of a series, or a group of such: the parts of an indicator that has several."""


def open_sdg_progress(
    values: Mapping[int, float | None],
    direction: Direction,
    *,
    target: float | None = None,
    limit: float | None = None,
    base_year: int = 2015,
    target_year: int = 2030,
) -> Progress:
    """Assess progress as Statistics Canada and Open SDG do.

    Parameters
    ----------
    values : mapping of int to float
        Values by year; missing ones (None, NaN) are passed over.
    direction : {1, -1}
        Whether the values should rise or fall.
    target : float, optional
        The value to be reached. Without one, growth is held against 1.5 % and 0.5 % a year.
    limit : float, optional
        A natural limit in the wanted direction, such as 100 for a share in percent; the closer the base value is to it,
        the less growth is asked for. It counts only without a target.
    base_year, target_year : int
        The first year that may be the base, and the year of the target.

    Returns
    -------
    Progress
        Not available with less than two years, with values on both sides of zero, or with a target that equals the base
        and was lost since.

    Raises
    ------
    BadCall
        When a number cannot be what it is given for.

    References
    ----------
    Open SDG 2.4, Progress measurement methodology (method of Statistics Canada).

    Examples
    --------
    >>> found = open_sdg_progress({2015: 40, 2018: 33, 2022: 30}, -1, target=25)
    >>> found.status, round(found.value, 3)
    ('substantial_progress', 1.305)
    """
    steps, reason = _observed(values, direction, target, base_year, target_year, stand_in=STAND_IN)
    achieved = not reason and _reaches(steps["current_value"], direction, target)
    if not reason:
        reason = _need(steps, target, target_year, stand_in=STAND_IN)
    if reason:
        done = achieved and steps.get("growth_needed") == 0
        return (
            _progress("Open SDG", "target_achieved", steps, 5.0, achieved) if done else _none("Open SDG", steps, reason)
        )
    if target is not None:
        value = _ratio(steps)
        status = "target_achieved" if achieved else _category(value, (0.95, 0.6, 0), OPEN_SDG)
        score = max(25 / 6 * value - 2.5, -5.0) if value < 0.6 else min(50 / 7 * value - 30 / 7, 5.0)
        return _progress("Open SDG", status, steps, 5.0 if achieved else score, achieved, value)
    value = steps["growth_wanted"]
    factor = steps["limit_factor"] = _limit_factor(steps["base_value"], limit, direction)
    steps["threshold_substantial"], steps["threshold_moderate"] = 0.015 * factor, 0.005 * factor
    status = _category(value, (0.015 * factor, 0.005 * factor, 0), OPEN_SDG)
    return _progress("Open SDG", status, steps, _score(value, factor), value=value)


def unsd_progress(
    values: Mapping[int, float | None],
    direction: Direction,
    *,
    target: float | None = None,
    base_year: int = 2015,
    target_year: int = 2030,
) -> Progress:
    """Assess the trend as the progress chart of the United Nations Statistics Division does.

    With a target, the value expected in its year tells which part of the way from the base value will have been gone:
    at least 0.95 is on track, at least 0.10 is fair. Without one, so is growth of 2 % and of 0.5 % a year.

    Parameters
    ----------
    values : mapping of int to float
        Values by year; missing ones (None, NaN) are passed over.
    direction : {1, -1}
        Whether the values should rise or fall.
    target : float, optional
        The value to be reached.
    base_year, target_year : int
        The first year that may be the base, and the year of the target.

    Returns
    -------
    Progress
        Not available with less than two years, with a base of 0, or with values on both sides of zero. A target that
        was met in the base year and lost since is a regression.

    Raises
    ------
    BadCall
        When a number cannot be what it is given for.

    References
    ----------
    UNSD (2023), SDG Progress Chart, Technical Note.

    Examples
    --------
    >>> found = unsd_progress({2015: 40, 2022: 30}, -1, target=20)
    >>> found.status, round(found.value, 3)
    ('fair_progress', 0.92)
    """
    steps, reason = _observed(values, direction, target, base_year, target_year)
    if reason:
        return _none("UNSD", steps, reason)
    if target is None:
        value = steps["growth_wanted"]
        status = _category(value, (0.02, 0.005), UNSD)
        return _progress("UNSD", status, steps, 3.0 - UNSD.index(status), value=value)
    achieved = _reaches(steps["current_value"], direction, target)
    base = steps["base_value"]
    steps |= {
        "target_year": float(target_year),
        "target_value": target,
        "expected_value": _expected(steps, target_year),
    }
    if _reaches(base, direction, target):  # there is no way to go; a way back to the target is none
        lost = "" if achieved else "the target was met in the base year and is no longer"
        return Progress("UNSD", UNSD[0 if achieved else 2], None, 3.0 if achieved else 1.0, achieved, steps, lost)
    share = (steps["expected_value"] - base) / (target - base)
    status = UNSD[0] if achieved else _category(share, (0.95, 0.1), UNSD)
    return _progress("UNSD", status, steps, 3.0 - UNSD.index(status), achieved, share)


def eurostat_progress(
    values: Mapping[int, float | None],
    direction: Direction,
    *,
    target: float | None = None,
    base_year: int = 2015,
    target_year: int = 2030,
) -> Progress:
    """Assess progress as Eurostat's monitoring report of the goals in the European Union does.

    With a target, the growth there was is divided by the growth needed: at least 95 % is significant, at least 60 %
    moderate, at least 0 insufficient. Without one, growth of 1 % a year is significant.

    Parameters
    ----------
    values : mapping of int to float
        Values by year; missing ones (None, NaN) are passed over.
    direction : {1, -1}
        Whether the values should rise or fall.
    target : float, optional
        The value to be reached.
    base_year, target_year : int
        The first year that may be the base, and the year of the target. Eurostat looks at the last 5 and 15 years.

    Returns
    -------
    Progress
        Not available with less than two years, with a base of 0, with values on both sides of zero, or with a target
        that equals the base and was lost since.

    Raises
    ------
    BadCall
        When a number cannot be what it is given for.

    References
    ----------
    Eurostat, Sustainable development in the European Union: monitoring report, annex on the method.

    Examples
    --------
    >>> found = eurostat_progress({2015: 10, 2022: 10.3}, 1, target=20)
    >>> found.status, round(found.value, 3)
    ('insufficient_progress', 0.089)
    """
    steps, reason = _observed(values, direction, target, base_year, target_year)
    if reason:
        return _none("Eurostat", steps, reason)
    if target is None:
        value = steps["growth_wanted"]
        return _progress("Eurostat", _category(value, (0.01, 0, -0.01), EUROSTAT), steps, value=value)
    achieved = _reaches(steps["current_value"], direction, target)
    if reason := _need(steps, target, target_year):
        done = achieved and steps.get("growth_needed") == 0
        return _progress("Eurostat", EUROSTAT[0], steps, None, True) if done else _none("Eurostat", steps, reason)
    value = _ratio(steps)
    status = EUROSTAT_TARGET[0] if achieved else _category(value, (0.95, 0.6, 0), EUROSTAT_TARGET)
    return _progress("Eurostat", status, steps, None, achieved, value)


def indicator_progress(parts: Sequence[Scored]) -> Progress:
    """Assess an indicator of several series by the mean of their scores, as Open SDG does.

    Parameters
    ----------
    parts : sequence of Progress, or of such sequences
        Assessments of series by :func:`open_sdg_progress`. A group counts as one: its mean is taken first. Those that
        are not available are left out, and counted.

    Returns
    -------
    Progress
        The score and its category. The target is achieved when every series that could be assessed achieved its own.

    References
    ----------
    Open SDG 2.4, Progress measurement methodology, aggregated progress status.

    Examples
    --------
    >>> good, bad = open_sdg_progress({2015: 1, 2020: 2}, 1), open_sdg_progress({2015: 1, 2020: 2}, -1)
    >>> found = indicator_progress([good, [bad, bad, bad]])
    >>> found.status, found.score
    ('moderate_progress', 0.0)
    """
    series = list(_series(parts))
    assessed = [one for one in series if one.score is not None]
    steps = {"series": float(len(series)), "series_assessed": float(len(assessed))}
    score = _mean_score(parts)
    if score is None:
        return _none("Open SDG", steps, "none of its series could be assessed")
    achieved = all(one.achieved for one in assessed)
    status = "target_achieved" if achieved else _category(score, (2.5, 0, -2.5), OPEN_SDG)
    return _progress("Open SDG", status, steps, score, achieved)


# --- the steps ------------------------------------------------------------------------------------------------------


def _observed(
    values: Mapping[int, float | None],
    direction: Direction,
    target: float | None,
    base_year: int,
    target_year: int,
    stand_in: float = 0.0,
) -> tuple[dict[str, float], str]:
    """Find the two years that count and the growth between them; a reason tells why there is none."""
    if direction not in (1, -1):
        raise BadCall(
            f"direction is {direction!r}.", remedy="Write 1 where values should rise, -1 where they should fall."
        )
    if target is not None and not math.isfinite(target):
        raise BadCall(f"target is {target!r}.", remedy="Give a number, or None where there is no target.")
    there = {
        year: float(one)
        for year, one in sorted(values.items())
        if year >= base_year and one is not None and math.isfinite(one)
    }
    if len(there) < 2:
        return {}, f"there are less than two years from {base_year} on"
    (first, base), *_, (last, current) = there.items()
    if target_year <= first:
        raise BadCall(f"target_year is {target_year}, and the base year is {first}.", remedy="Give a later year.")
    base = base or stand_in
    steps = {"base_year": float(first), "base_value": base, "current_year": float(last), "current_value": current}
    if base == 0:
        return steps, "from a base of 0 there is no rate of growth"
    if base * current < 0:
        return steps, "the values change their sign"
    steps["growth"] = (current / base) ** (1 / (last - first)) - 1
    if math.isinf(steps["growth"]):
        return steps, "the growth is beyond all numbers"
    steps["direction"] = direction if base > 0 else -direction  # what is negative grows when it falls
    steps["growth_wanted"] = steps["direction"] * steps["growth"]
    return steps, ""


def _need(steps: dict[str, float], target: float | None, target_year: int, stand_in: float = 0.0) -> str:
    """Find the growth that leads to the target in time; a reason tells why there is none."""
    if target is None:
        return ""
    target = target or stand_in
    steps |= {"target_year": float(target_year), "target_value": target}
    ratio = target / steps["base_value"]
    if ratio < 0:
        return "the target and the base value differ in sign"
    steps["growth_needed"] = ratio ** (1 / (target_year - steps["base_year"])) - 1
    return "" if steps["growth_needed"] else "the target equals the base value"


def _expected(steps: Mapping[str, float], year: int) -> float:
    """Give the value of a year if growth goes on as it was."""
    span = (year - steps["base_year"]) / (steps["current_year"] - steps["base_year"])
    try:
        return steps["base_value"] * (steps["current_value"] / steps["base_value"]) ** span
    except OverflowError:
        return math.copysign(math.inf, steps["base_value"])


def _ratio(steps: dict[str, float]) -> float:
    return steps["growth_wanted"] / abs(steps["growth_needed"])


def _reaches(value: float, direction: Direction, target: float | None) -> bool:
    return target is not None and direction * (value - target) >= 0


def _limit_factor(base: float, limit: float | None, direction: Direction) -> float:
    """Give what the thresholds are multiplied by near a natural limit; far from it and without one it is 1."""
    if limit is None:
        return 1.0
    if 0 <= base <= limit and (direction == 1 or base == limit):
        return 1 - (base / limit) ** 4.44 if limit else 0.0
    if limit < base < 2 * limit and direction == -1:
        return 1 - ((2 * limit - base) / limit) ** 4.44
    return 1.0


def _score(value: float, factor: float) -> float:
    """Score growth without a target: -5 at -2 % a year, 5 at 2 %, and 2.5 for each threshold between."""
    if value < 0:
        return max(125 * value - 2.5, -5.0)
    if value < 0.005 * factor:
        return 500 * value / factor - 2.5
    if value < 0.015 * factor:
        return 250 * value / factor - 1.25
    return min(500 * value / factor - 5, 5.0) if factor else 5.0


def _category(value: float, thresholds: Sequence[float], names: Sequence[str]) -> str:
    """Name the first threshold that a value reaches; the last name is for a value that reaches none."""
    reached = (name for name, threshold in zip(names, thresholds, strict=False) if value >= threshold)
    return next(reached, names[-1])


def _progress(
    method: str,
    status: str,
    steps: Mapping[str, float],
    score: float | None = None,
    achieved: bool = False,
    value: float | None = None,
) -> Progress:
    return Progress(method, status, value, score, achieved, steps)


def _none(method: str, steps: Mapping[str, float], reason: str) -> Progress:
    return Progress(method, NOT_AVAILABLE, steps=steps, reason=reason)


def _series(parts: Scored) -> list[Progress]:
    return [parts] if isinstance(parts, Progress) else [one for part in parts for one in _series(part)]


def _mean_score(part: Scored) -> float | None:
    if isinstance(part, Progress):
        return part.score
    scores = [score for score in map(_mean_score, part) if score is not None]
    return math.fsum(scores) / len(scores) if scores else None
