"""Progress by three methods is what their published rules say, near every threshold and at every exception."""

import math

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from statcommons.core.errors import BadCall
from statcommons.sdmx.sdg.progress import eurostat_progress, indicator_progress, open_sdg_progress, unsd_progress

METHODS = [open_sdg_progress, unsd_progress, eurostat_progress]
EPSILON = 1e-9  # growth a year that decides on which side of a threshold a series lies

amount = st.floats(0.01, 1e6)
direction = st.sampled_from([1, -1])


def grown(rate, base=100.0, years=5):
    """A series that grows by a rate a year."""
    return {2015: base, 2015 + years: base * (1 + rate) ** years}


@pytest.mark.parametrize(
    ("method", "thresholds", "names"),
    [
        # Open SDG, table of indicators without quantitative targets
        (
            open_sdg_progress,
            [0.015, 0.005, 0],
            ["substantial_progress", "moderate_progress", "limited_progress", "deterioration"],
        ),
        # UNSD technical note, indicators without a numerical target
        (unsd_progress, [0.02, 0.005], ["on_track_or_target_met", "fair_progress", "stagnation_or_regression"]),
        # Eurostat, annex on the method, indicators without a quantitative target
        (
            eurostat_progress,
            [0.01, 0, -0.01],
            ["significant_progress", "moderate_progress", "moderate_movement_away", "significant_movement_away"],
        ),
    ],
)
@pytest.mark.parametrize("wanted", [1, -1])
def test_thresholds_without_a_target(method, thresholds, names, wanted):
    for threshold, above, below in zip(thresholds, names[:-1], names[1:], strict=True):
        assert method(grown(wanted * (threshold + EPSILON)), wanted).status == above
        assert method(grown(wanted * (threshold - EPSILON)), wanted).status == below


@pytest.mark.parametrize(
    ("method", "thresholds", "names"),
    [
        (
            open_sdg_progress,
            [0.95, 0.6, 0],
            ["substantial_progress", "moderate_progress", "limited_progress", "deterioration"],
        ),
        (
            eurostat_progress,
            [0.95, 0.6, 0],
            ["significant_progress", "moderate_progress", "insufficient_progress", "movement_away"],
        ),
    ],
)
@pytest.mark.parametrize("wanted", [1, -1])
def test_thresholds_with_a_target(method, thresholds, names, wanted):
    needed = wanted * 0.03
    target = 100 * (1 + needed) ** 15
    for threshold, above, below in zip(thresholds, names[:-1], names[1:], strict=True):
        assert method(grown((threshold + EPSILON) * needed), wanted, target=target).status == above
        assert method(grown((threshold - EPSILON) * needed), wanted, target=target).status == below


def test_a_threshold_belongs_to_the_better_side():
    for method, status in ((open_sdg_progress, "limited_progress"), (eurostat_progress, "moderate_progress")):
        assert method({2015: 7, 2020: 7}, 1).status == status
    assert eurostat_progress({2015: 7, 2020: 7}, 1, target=8).status == "insufficient_progress"


def test_the_way_that_will_have_been_gone():
    """UNSD: 8 % a year bring 100 to 317 in fifteen years, which is 95 % of the way to 328 or 10 % of that to 2272."""
    expected = 100 * 1.08**15
    for share, above, below in (
        (0.95, "on_track_or_target_met", "fair_progress"),
        (0.1, "fair_progress", "stagnation_or_regression"),
    ):
        target = 100 + (expected - 100) / share
        assert unsd_progress(grown(0.08), 1, target=target - 1e-6).status == above
        assert unsd_progress(grown(0.08), 1, target=target + 1e-6).status == below
    found = unsd_progress(grown(0.08), 1, target=1000)
    assert found.steps["expected_value"] == pytest.approx(expected, rel=1e-12)
    assert found.value == pytest.approx((expected - 100) / 900, rel=1e-12)
    assert [unsd_progress(grown(rate), 1).score for rate in (0.03, 0.01, 0)] == [3, 2, 1]


@given(amount, amount, direction, amount, st.integers(2016, 2035))
def test_every_number_is_in_the_answer(base, current, wanted, target, year):
    """From the steps alone the value can be computed again."""
    assume(base != target)
    for method in METHODS:
        found = method({2015: base, year: current}, wanted, target=target)
        steps = found.steps
        assert (steps["base_year"], steps["base_value"]) == (2015, base)
        assert (steps["current_year"], steps["current_value"], steps["target_value"]) == (year, current, target)
        assert steps["growth"] == pytest.approx((current / base) ** (1 / (year - 2015)) - 1)
        if found.value is None:
            continue
        if method is unsd_progress:
            by_hand = (steps["expected_value"] - base) / (target - base)
        else:
            assert base * (1 + steps["growth_needed"]) ** 15 == pytest.approx(target)
            by_hand = wanted * steps["growth"] / abs(steps["growth_needed"])
        assert found.value == pytest.approx(by_hand)


@given(amount, amount, direction)
def test_what_falls_is_the_mirror_of_what_rises(base, current, wanted):
    """A negative series that should rise towards zero does as well as its mirror that should fall."""
    for method in METHODS:
        mirror = method({2015: -base, 2020: -current}, -wanted)
        found = method({2015: base, 2020: current}, wanted)
        assert (found.status, found.value, found.score) == (mirror.status, mirror.value, mirror.score)


@given(amount, amount, direction, amount, st.floats(0.1, 10))
def test_units_do_not_matter(base, current, wanted, target, factor):
    for method in METHODS:
        found = method({2015: base, 2020: current}, wanted, target=target)
        other = method({2015: base * factor, 2020: current * factor}, wanted, target=target * factor)
        if found.value is not None and other.value is not None and abs(found.value) < 1e6:
            assert found.value == pytest.approx(other.value, rel=1e-6, abs=1e-6)


@given(st.floats(-0.05, 0.05), st.floats(0, 0.01), direction, st.sampled_from([None, 100.0, 120.0, 300.0]))
def test_more_growth_is_never_scored_less_without_a_target(rate, more, wanted, limit):
    less = open_sdg_progress(grown(wanted * rate), wanted, limit=limit)
    best = open_sdg_progress(grown(wanted * (rate + more)), wanted, limit=limit)
    assert -5 <= less.score <= best.score + 1e-9 <= 5 + 1e-9


@pytest.mark.parametrize(
    ("rate", "score"),
    [
        *[(-0.03, -5), (-0.02, -5), (-0.01, -3.75), (0, -2.5), (0.0025, -1.25), (0.005, 0), (0.01, 1.25)],
        *[(0.015, 2.5), (0.0175, 3.75), (0.02, 5), (0.03, 5)],
    ],
)
def test_scores_without_a_target(rate, score):
    """Figure 1 of the method."""
    assert open_sdg_progress(grown(rate), 1).score == pytest.approx(score, abs=1e-6)


@pytest.mark.parametrize(
    ("ratio", "score"),
    [(-0.7, -5), (-0.6, -5), (-0.3, -3.75), (0, -2.5), (0.3, -1.25), (0.6, 0), (0.95, 2.5), (1.3, 5), (2, 5)],
)
def test_scores_with_a_target(ratio, score):
    """Figure 2 of the method, for a target that is not yet reached."""
    found = open_sdg_progress(grown(ratio * 0.02), 1, target=100 * 1.02**15)
    assert found.score == pytest.approx(score, abs=1e-6)


@pytest.mark.parametrize(
    ("base", "limit", "wanted", "factor"),
    [
        (50, 100, 1, 1 - 0.5**4.44),
        (150, 100, -1, 1 - 0.5**4.44),  # as far from a minimum as the former from a maximum
        (100, 100, 1, 0),
        (100, 100, -1, 0),
        (50, 100, -1, 1),  # the limit is not in the wanted direction
        (150, 100, 1, 1),
        (250, 100, -1, 1),
        (50, 0, -1, 1),
        (50, None, 1, 1),
    ],
)
def test_the_factor_near_a_limit(base, limit, wanted, factor):
    found = open_sdg_progress({2015: base, 2020: base * (1 + 0.001 * wanted)}, wanted, limit=limit)
    assert found.steps["limit_factor"] == pytest.approx(factor, abs=1e-12)
    assert found.steps["threshold_substantial"] == pytest.approx(0.015 * factor)


def test_at_the_limit_it_is_enough_to_stay():
    assert open_sdg_progress({2015: 100, 2020: 100}, 1, limit=100).score == 5
    assert open_sdg_progress({2015: 100, 2020: 99}, 1, limit=100).status == "deterioration"
    assert open_sdg_progress({2015: 0, 2020: 0.001}, -1, limit=0).steps["base_value"] == 0.001


@pytest.mark.parametrize(
    ("method", "status"),
    list(zip(METHODS, ["target_achieved", "on_track_or_target_met", "significant_progress"], strict=True)),
)
def test_a_target_that_is_reached(method, status):
    """Whatever the trend, also when the base value had reached it before or is the target itself."""
    for base in (40, 30, 25, 20):
        found = method({2015: base, 2020: 25}, -1, target=25)
        assert (found.status, found.achieved) == (status, True)
    assert not method({2015: 40, 2020: 25.1}, -1, target=25).achieved
    assert not method({2015: 20, 2020: 24.9}, 1, target=25).achieved


def test_a_target_that_was_lost():
    """The growth needed has the wrong sign; the way back is no progress."""
    lost = {2015: 24, 2020: 26}
    assert open_sdg_progress(lost, -1, target=25).status == "deterioration"
    assert eurostat_progress(lost, -1, target=25).status == "movement_away"
    found = unsd_progress(lost, -1, target=25)
    assert (found.status, found.value, found.score) == ("stagnation_or_regression", None, 1)
    assert "no longer" in found.reason
    for method in (open_sdg_progress, eurostat_progress):
        found = method({2015: 25, 2020: 26}, -1, target=25)
        assert (found.status, found.value, found.score) == ("not_available", None, None)
        assert "equals the base" in found.reason


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({}, "less than two years from 2015"),
        ({2015: 1}, "less than two years"),
        ({2010: 1, 2014: 2, 2016: 3}, "less than two years"),
        ({2015: 1, 2016: None, 2017: math.nan}, "less than two years"),
        ({2015: 5, 2020: -4}, "change their sign"),
        ({2015: 0, 2020: -4}, "sign|base of 0"),
        ({2015: 1e-300, 2020: 1e300}, "beyond"),
    ],
)
def test_what_cannot_be_assessed_says_why(method, values, reason):
    found = method(values, 1)
    assert (found.status, found.value, found.score, found.achieved) == ("not_available", None, None, False)
    assert any(words in found.reason for words in reason.split("|"))


def test_zero_stands_for_a_small_number_in_open_sdg_only():
    assert open_sdg_progress({2015: 0, 2020: 3}, 1).steps["base_value"] == 0.001
    assert open_sdg_progress({2015: 5, 2020: 3}, -1, target=0).steps["target_value"] == 0.001
    assert "base of 0" in unsd_progress({2015: 0, 2020: 3}, 1).reason
    assert eurostat_progress({2015: 5, 2020: 3}, -1, target=0).steps["growth_needed"] == -1
    assert "differ in sign" in open_sdg_progress({2015: -5, 2020: -3}, 1, target=1).reason


def test_values_that_fall_to_zero():
    for method in METHODS:
        assert method({2015: 5, 2020: 0}, -1, target=0).achieved
        assert method({2015: 5, 2035: 0}, -1).value == 1


def test_the_years_that_count():
    values = {2022: 8, 2014: 1, 2016: 2, 2018: None, 2019: 4}
    for method in METHODS:
        steps = method(values, 1).steps
        assert (steps["base_year"], steps["current_year"]) == (2016, 2022)
        assert steps["growth"] == pytest.approx(4 ** (1 / 6) - 1)
        assert method(values, 1, base_year=2010).steps["base_year"] == 2014


@pytest.mark.parametrize("method", METHODS)
def test_wrong_calls(method):
    with pytest.raises(BadCall, match="direction is 0"):
        method({2015: 1, 2020: 2}, 0)
    with pytest.raises(BadCall, match="target_year is 2015"):
        method({2015: 1, 2020: 2}, 1, target=3, target_year=2015)
    with pytest.raises(BadCall, match="target is nan"):
        method({2015: 1, 2020: 2}, 1, target=math.nan)


def test_an_indicator_of_several_series():
    """Groups count as one, series that are not available not at all."""
    five, minus = open_sdg_progress(grown(0.03), 1), open_sdg_progress(grown(-0.03), 1)
    middle, none = open_sdg_progress(grown(0.01), 1), open_sdg_progress({}, 1)
    found = indicator_progress([five, [minus, [middle, none], none], none])
    assert found.score == pytest.approx((5 + (-5 + 1.25) / 2) / 2)
    assert found.status == "moderate_progress"
    assert found.steps == {"series": 6, "series_assessed": 3}
    assert indicator_progress([none, [none], []]).status == "not_available"
    assert indicator_progress([]).status == "not_available"
    reached = open_sdg_progress({2015: 30, 2020: 20}, -1, target=25)
    assert indicator_progress([reached, [reached, none]]).status == "target_achieved"
    assert indicator_progress([reached, five]).status == "substantial_progress"
    assert indicator_progress([minus]).status == "deterioration"
