"""What a store says of the goals: progress of its series, and the disaggregations that they are produced by."""

import pytest

from statcommons.core.errors import BadCall, NoInput
from statcommons.sdmx.model import Ref
from statcommons.sdmx.sdg.assessing import Aim, progress_of
from statcommons.sdmx.sdg.disaggregation import disaggregation_share, disaggregations_of
from statcommons.sdmx.sdg.framework import framework
from statcommons.sdmx.sdg.loading import load_sdg
from statcommons.sdmx.sdg.progress import eurostat_progress, open_sdg_progress, unsd_progress
from statcommons.sdmx.store import Store

HEAD = "SeriesCode,GeoAreaCode,TimePeriod,Value,[Sex],[Age]"
LINES = [
    "SI_POV_DAY1,116,2015,40,,",
    "SI_POV_DAY1,116,2018,33,,",
    "SI_POV_DAY1,116,2022,30,,",
    "SI_POV_DAY1,116,2023-Q1,99,,",
    "SI_POV_DAY1,116,2021,NaN,,",
    "SI_POV_DAY1,1,2015,50,,",
    "SI_POV_DAY1,1,2022,50,,",
    "NY_GDP_PCAP,116,2015,1,,",
    "NY_GDP_PCAP,116,2022,2,,",
    "SI_POV_NAHC,116,2020,7,FEMALE,",
    "SI_POV_NAHC,116,2020,8,BOTHSEX,ALLAGE",
    "SE_TOT_PRFL,116,2020,8,FEMALE,15-24",
    "SE_TOT_PRFL,116,2020,9,MALE,15-24",
    "XX_OWN,116,2020,8,MALE,",
]


@pytest.fixture
def sdg(tmp_path):
    store = Store(tmp_path / "store")
    return store, load_sdg(store, "\n".join([HEAD, *LINES, ""]).encode()).flow


def test_the_table_holds_what_the_methods_say_with_the_numbers(sdg):
    found = progress_of(*sdg, {"SI_POV_DAY1": Aim(-1, target=25)}, areas=["116"]).to_pylist()
    values = {2015: 40, 2018: 33, 2022: 30}
    assert [one["method"] for one in found] == ["Open SDG", "UNSD", "Eurostat"]
    for one, method in zip(found, (open_sdg_progress, unsd_progress, eurostat_progress), strict=True):
        said = method(values, -1, target=25)
        assert (one["status"], one["value"], one["score"]) == (said.status, said.value, said.score)
        assert {name: one[name] for name in said.steps} == said.steps
        assert (one["SERIES"], one["REF_AREA"], one["SEX"]) == ("SI_POV_DAY1", "116", "_T")


def test_aggregates_other_series_and_other_frequencies_stay_out(sdg):
    found = progress_of(*sdg, {"SI_POV_DAY1": Aim(-1)}, areas=["116"])
    assert found.num_rows == 3
    assert set(found["current_value"].to_pylist()) == {30.0}


def test_a_series_whose_growth_says_nothing_is_told_and_not_assessed(sdg):
    aims = {"NY_GDP_PCAP": Aim(None, why="a rate of growth"), "SI_POV_DAY1": Aim(-1)}
    found = progress_of(*sdg, aims, areas=["116"]).to_pylist()
    growth = [one for one in found if one["SERIES"] == "NY_GDP_PCAP"]
    assert [(one["status"], one["reason"], one["growth"]) for one in growth] == [
        ("not_available", "a rate of growth", None)
    ] * 3
    assert len(found) == 6


@pytest.mark.parametrize(
    ("aims", "how", "what"),
    [
        ({"SI_POV": Aim(1)}, {}, r"No series .* is assessed\. There are no data of SI_POV"),
        ({"SI_POV_DAY1": Aim(1)}, {"series": "SERIE"}, "no dimension 'SERIE'.*SERIES"),
        ({"SI_POV_DAY1": Aim(2)}, {}, "direction is 2"),
    ],
)
def test_what_cannot_be_assessed_is_told(sdg, aims, how, what):
    with pytest.raises(BadCall, match=what):
        progress_of(*sdg, aims, areas=["116"], **how)


def test_a_flow_that_is_not_there_is_told(sdg):
    with pytest.raises(NoInput):
        progress_of(sdg[0], Ref("dataflow", "SC", "NONE"), {}, areas=[])


# --- 17.18.1 --------------------------------------------------------------------------------------------------------


def test_parts_are_told_from_totals_and_from_what_is_measured(sdg):
    [indicator] = framework().indicators_of("SE_TOT_PRFL")
    assert disaggregations_of(*sdg) == {
        "1.1.1": frozenset(),
        "1.2.1": frozenset({"SEX"}),
        "8.1.1": frozenset(),
        indicator.id: frozenset({"SEX"}),
    }


def test_the_share_is_the_mean_over_the_indicators_that_ask_for_a_disaggregation(sdg):
    found = disaggregation_share(disaggregations_of(*sdg))
    assert (found.share, found.complete) == (1 / found.counted, 1)
    assert found.counted == sum(bool(one.disaggregations) for one in framework().unique) == found.table.num_rows
    [row] = [one for one in found.table.to_pylist() if one["indicator"] == "1.2.1"]
    assert row == {
        "indicator": "1.2.1",
        "asked": ["AGE", "SEX"],
        "produced": ["SEX"],
        "missing": ["AGE"],
        "is_produced": True,
        "is_complete": False,
    }


def test_only_what_is_produced_may_be_counted():
    found = disaggregation_share({"4.1.1": ["SEX"], "1.2.1": ["SEX"]}, with_missing=False)
    assert (found.share, found.counted, found.complete) == (0.5, 2, 1)


def test_a_repeated_indicator_counts_once():
    asked = {"1.5.1": ["SEX"], "13.1.1": ["AGE"], "4.1.1": ["SEX"]}
    found = disaggregation_share({"11.5.1": ["SEX"], "13.1.1": ["AGE"]}, asked)
    assert (found.counted, found.complete) == (2, 1)


def test_where_nothing_is_asked_for_there_is_no_share():
    found = disaggregation_share({"1.1.1": []}, {})
    assert (found.share, found.counted, found.table.num_rows) == (None, 0, 0)


@pytest.mark.parametrize("how", [({"1.1": []}, None), ({}, {"1.9.1": ["SEX"]})])
def test_an_indicator_that_is_not_known_is_told(how):
    with pytest.raises(BadCall, match="no indicator"):
        disaggregation_share(*how)


def test_a_flow_without_series_of_the_database_is_told(sdg):
    with pytest.raises(BadCall, match="no dimension 'X'"):
        disaggregations_of(*sdg, series="X")
