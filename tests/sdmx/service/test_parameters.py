"""Parameters: what each means, and that what cannot be read is refused with a remedy."""

from __future__ import annotations

import contextlib
import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from statcommons.core.errors import BadCall
from statcommons.sdmx.service.parameters import Parameters, read_parameters

MOMENT = datetime.datetime(2020, 1, 1)


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ("", {}),
        ("&&", {}),
        ("startPeriod=2010&endPeriod=2020-Q2", {"start": "2010", "end": "2020-Q2"}),
        ("firstNObservations=1&lastNObservations=2", {"first": 1, "last": 2}),
        ("dimensionAtObservation=AllDimensions", {"at": "AllDimensions"}),
        ("detail=serieskeysonly", {"detail": "serieskeysonly"}),
        ("attributes=none&measures=all", {"attributes": ("none",), "measures": ("all",)}),
        ("attributes=OBS_STATUS,DECIMALS", {"attributes": ("OBS_STATUS", "DECIMALS")}),
        ("attributes=A%2CB,A", {"attributes": ("A", "B")}),
        ("updatedAfter=2020-01-01T00:00:00Z", {"updated_after": MOMENT}),
        ("updatedAfter=2020-01-01T01:00:00+01:00", {"updated_after": MOMENT}),
        ("updatedAfter=2020-01-01T01%3A00%3A00%2B01%3A00", {"updated_after": MOMENT}),
        ("asOf=2020-01-01", {"as_of": MOMENT}),
        ("asOf=2020-01-01T00:00:00.25", {"as_of": MOMENT.replace(microsecond=250_000)}),
        ("includeHistory=false", {}),
        ("includeHistory=true", {"history": True}),
        ("offset=0&limit=5", {"limit": 5}),
        ("sort=OBS_VALUE:desc", {"sort": (("OBS_VALUE", True),)}),
        ("sort=REF_AREA+OBS_VALUE:desc", {"sort": (("REF_AREA", False), ("OBS_VALUE", True))}),
        ("sort=REF_AREA%2BTIME_PERIOD:asc", {"sort": (("REF_AREA", False), ("TIME_PERIOD", False))}),
        ("sort=*", {"sort": (("*", False),)}),
        ("reportingYearStartDay=--07-01", {"year_start": "--07-01"}),
        ("format=csvfilewithlabels&formatVersion=2.0", {"format": "csvfilewithlabels", "format_version": "2.0"}),
        ("lang=fr-CH&compression=gzip", {"lang": "fr-CH", "compression": "gzip"}),
        ("labels=both&keys=obs&timeFormat=normalized", {"labels": "both", "keys": "obs", "time_format": "normalized"}),
    ],
)
def test_parameters_of_data(query, wanted):
    assert read_parameters(query, "data") == Parameters(**wanted)


def test_a_plus_sign_in_a_filter_is_and():
    asked = read_parameters("c[TIME_PERIOD]=ge:2010+le:2020&c%5BSEX%5D=F%2CM&lastNObservations=2", "data")
    assert [str(one) for one in asked.filters.values()] == ["c[TIME_PERIOD]=ge:2010+le:2020", "c[SEX]=eq:F,eq:M"]
    assert asked.last == 2


def test_each_resource_has_its_own():
    assert read_parameters("mode=available&references=all", "availability").mode == "available"
    assert read_parameters("references=codelist,dataflow", "availability").references == ("codelist", "dataflow")
    assert read_parameters("detail=referencepartial&references=all", "structure").detail == "referencepartial"
    assert read_parameters("explicitMeasure=false&deletion=true", "schema").deletion
    for query, resource in [("mode=exact", "data"), ("lastNObservations=1", "structure"), ("c[A]=B", "schema")]:
        with pytest.raises(BadCall, match="not a parameter of"):
            read_parameters(query, resource)


def test_bounds_are_read_in_the_reporting_year():
    asked = read_parameters("startPeriod=2010-Q3&reportingYearStartDay=--07-01", "data")
    assert asked.period(asked.start).start == datetime.datetime(2011, 1, 1)


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("lastNObservation=1", "Did you mean 'lastNObservations'"),
        ("lastnobservations=1", "Did you mean 'lastNObservations'"),
        ("lastNObservations=0", "whole number from 1"),
        ("lastNObservations=-1", "whole number"),
        ("lastNObservations=two", "whole number"),
        ("lastNObservations=", "whole number"),
        ("lastNObservations=" + "9" * 400, "whole number"),
        ("lastNObservations=1&lastNObservations=1", "twice"),
        ("lastNObservations=1&lastNObservation%73=2", "twice"),
        ("startPeriod=2010-13", "not a period"),
        ("startPeriod=", "not a period"),
        ("startPeriod=2015-W54", "not a period"),
        ("reportingYearStartDay=07-01", "reportingYearStartDay"),
        ("detail=everything", "full"),
        ("detail=allstubs", "full"),
        ("includeHistory=yes", "true"),
        ("includeHistory=True", "true"),
        ("asOf=yesterday", "not a moment"),
        ("asOf=2020-02-30", "not a moment"),
        ("asOf=0001-01-01T00:00:00+14:00", "not a moment"),
        ("updatedAfter=2020-01-01T00:00:00Z&asOf=2019-01-01T00:00:00Z", "later than asOf"),
        ("attributes=", "cannot be read"),
        ("attributes=A,,B", "cannot be read"),
        ("sort=OBS_VALUE:down", "cannot be read"),
        ("sort=A,B", "cannot be read"),
        ("c[REF_AREA", "does not name a component"),
        ("c=TIME_PERIOD", "does not name a component"),
        ("c[SEX]=", "A value is missing"),
        ("c[SEX]=F&c[SEX]=M", "two filters"),
        ("labels=all", "labels"),
        ("format=%00", "format"),
        ("startPeriod=%FF", "UTF-8"),
        ("dimensionAtObservation=A B", "cannot be read"),
        ("lang=*", "lang"),
    ],
)
def test_what_cannot_be_read_is_refused(query, words):
    with pytest.raises(BadCall, match=words) as refused:
        read_parameters(query, "data")
    assert refused.value.remedy
    assert refused.value.where


@given(st.text(), st.sampled_from(["data", "availability", "structure", "schema"]))
def test_any_query_is_read_or_refused(query, resource):
    for one in (query, f"c[{query}]={query}", f"asOf={query}", f"sort={query}&limit={query}", f"startPeriod={query}"):
        with contextlib.suppress(BadCall):
            assert read_parameters(one, resource)
