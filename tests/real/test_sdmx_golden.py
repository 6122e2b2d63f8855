"""SDMX against golden answers and recorded requests, which lie beside the repository."""

import csv
import itertools
import json
import re
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from statcommons.core.errors import BadCall
from statcommons.sdmx.query.components import component_filter, component_filters
from statcommons.sdmx.query.keys import matches_key, parse_keys
from statcommons.sdmx.query.versions import matching_versions
from statcommons.sdmx.sdg.progress import open_sdg_progress
from statcommons.toolbox.sdmx_periods import between, time_period

DATA = Path(__file__).parents[3] / "shared" / "data" / "sdmx"
DIMENSIONS = ["FREQ", "SERIES", "REF_AREA", "SEX", "AGE", "URBANISATION"]
KINDS = {"TIME_PERIOD": "time", "OBS_VALUE": "number"}


def given(name):
    """Give the path of a file, or skip the test by its name."""
    path = DATA / name
    if not path.exists():
        pytest.skip(f"needs shared/data/sdmx/{name}")
    return path


def golden(name):
    return json.loads(given(f"golden/{name}").read_text(encoding="utf-8"))


def test_time_periods():
    cases = golden("time_periods.json")
    assert len(cases) == 14
    for one in cases:
        period = time_period(one["period"])
        assert (period.start.isoformat(), period.end.isoformat()) == (one["start"], one["end_exclusive"])


def test_component_filters():
    facts = golden("component_filters.json")
    assert len(facts["cases"]) == 17
    for one in facts["cases"]:
        asked = component_filter("X", one["c"])
        assert sorted(value for value in facts["values"] if asked.matches(value)) == one["expect"], one["c"]


def test_version_queries():
    cases = golden("version_queries.json")
    assert len(cases) == 16
    for one in cases:
        assert answer(one["query"], one["available"]) == one["expect"], one["query"]


def answer(query, available):
    try:
        return list(matching_versions(query, available))
    except BadCall:
        return "ERROR"


def test_the_published_pattern_of_versions_reads_the_same():
    """The normative pattern of the standard's description of the service, over all texts of up to six signs."""
    yaml = given("openapi/sdmx-rest-2.2.1.yaml").read_text(encoding="utf-8")
    [pattern] = {one for one in re.findall(r"pattern: '(.*)'\n", yaml) if one.startswith(r"^(\+|~(\.0)")}
    texts = ["".join(signs) for size in range(1, 7) for signs in itertools.product("01+~*.", repeat=size)]
    texts += ["1.2.3-draft", "1.2.3-rc.1", "1.2.3-0.x-", "1.2-x", "1.2.3-01", "1.0,,2.0", "10.20+.30"]
    assert [text for text in texts if (answer(text, []) == "ERROR") is bool(re.fullmatch(pattern, text))] == []


def test_progress_of_open_sdg():
    """To 1e-9; half of the cases are real series."""
    cases = golden("sdg_progress.json")
    assert len(cases) == 60
    for one in cases:
        values = {one["base_year"]: one["base_value"], one["current_year"]: one["current_value"]}
        found = open_sdg_progress(values, one["direction"], target=one.get("target"), limit=one.get("limit"))
        assert found.status == one["expect"]["status"], one
        numbers = [one["expect"]["value"], one["expect"]["score"]]
        assert [found.value, found.score] == pytest.approx(numbers, abs=1e-9)


@cache
def placed(period):
    return time_period(period)


@cache
def series():
    """Periods and values of the fixture by series."""
    with given("fixture/DF_SDG_data.csv").open(encoding="utf-8", newline="") as file:
        found = {}
        for row in csv.DictReader(file):
            key = tuple(row[name] for name in DIMENSIONS)
            found.setdefault(key, []).append((row["TIME_PERIOD"], row["OBS_VALUE"]))
    return found


def requests():
    path = DATA / "urls" / "compat_urls.json"
    if not path.exists():
        return [pytest.param({}, id="all")]
    cases = json.loads(path.read_text(encoding="utf-8"))
    found = {one["id"]: one for one in cases if one["kind"] in ("data", "availability")}
    return [
        pytest.param(one, id=name)
        for name, one in found.items()
        if "updatedAfter" not in one["path"] and one["expect"]["status"] != 406  # neither is about keys or filters
    ]


def select(url):
    """Answer a request as far as its key, its filters and its periods go, row by row; give observations by series."""
    rest = 2 if url.path.startswith("/sdmx/v2/") else 1
    parts = url.path.split("/")[4:]  # behind the version of the service and what is asked for
    place = 4 if rest == 2 else 1
    if rest == 2 and len(parts) > 3 and parts[3] != "*" and not matching_versions(parts[3], ["1.0"]):
        return {}
    keys = parse_keys(parts[place] if len(parts) > place else "", DIMENSIONS, rest=rest)
    filters = component_filters(url.query) if rest == 2 else {}
    if unknown := set(filters) - {*DIMENSIONS, *KINDS}:
        raise BadCall(f"{unknown} are no components.")
    tests = {name: one.predicate(KINDS.get(name, "text")) for name, one in filters.items()}
    options = dict(part.split("=", 1) for part in url.query.split("&") if "=" in part)
    first, last = (placed(options[name]) if name in options else None for name in ("startPeriod", "endPeriod"))
    found = {}
    for codes, observations in series().items():
        named = dict(zip(DIMENSIONS, codes, strict=True))
        if not matches_key(keys, codes) or not all(tests[name](code) for name, code in named.items() if name in tests):
            continue
        kept = [
            (period, value)
            for period, value in sorted(observations, key=lambda one: placed(one[0]))
            if between(placed(period), first, last)
            and all(
                test({"TIME_PERIOD": placed(period), "OBS_VALUE": value}[name])
                for name, test in tests.items()
                if name in KINDS
            )
        ]
        heads, tails = (int(options.get(f"{name}NObservations", 0)) for name in ("first", "last"))
        if heads or tails:
            kept = [one for place, one in enumerate(kept) if place < heads or place >= len(kept) - tails]
        if kept:
            found[codes] = kept
    return found


@pytest.mark.parametrize("case", requests())
def test_keys_and_filters_of_recorded_requests(case):
    """Counts and sums of what real clients asked for; sums to 1e-9 of their size."""
    given("urls/compat_urls.json")
    url, expect = urlsplit(case["path"]), case["expect"]
    if expect["status"] == 400:
        with pytest.raises(BadCall):
            select(url)
        return
    found = select(url)
    if expect["status"] in (204, 404):
        assert found == {}
        return
    counts = expect.get("n_series", expect.get("series_count"))
    if "limit=" not in url.query and counts is not None:
        assert len(found) == counts
        assert sum(map(len, found.values())) == expect.get("n_obs", expect.get("obs_count"))
    if "limit=" not in url.query and "sum_obs" in expect:
        total = sum(float(value) for kept in found.values() for _, value in kept)
        assert total == pytest.approx(expect["sum_obs"], rel=1e-9)
    if "time_range" in expect:
        periods = sorted((placed(period) for kept in found.values() for period, _ in kept))
        assert [periods[0].text, periods[-1].text] == expect["time_range"]
    assert "n_series=14" not in case.get("note", "") or len(found) == 14
