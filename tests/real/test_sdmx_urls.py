"""The addresses that real clients send, over real HTTP, with the answers that they must get."""

from __future__ import annotations

import csv
import json

import pytest
import requests
import sdmx_answers as read
from conftest import SHARED

DIMENSIONS = ("FREQ", "SERIES", "REF_AREA", "SEX", "AGE", "URBANISATION")
URLS = SHARED / "sdmx/urls/compat_urls.json"
CASES = json.loads(URLS.read_bytes()) if URLS.exists() else []


@pytest.fixture(scope="module")
def rows():
    """Give the rows of the fixture."""
    with (SHARED / "sdmx/fixture/DF_SDG_data.csv").open() as file:
        return [
            (*(row[one] for one in DIMENSIONS), row["TIME_PERIOD"], float(row["OBS_VALUE"]))
            for row in csv.DictReader(file)
        ]


def got(hub, path, headers=None, **more):
    """Ask, with exactly these headers."""
    session = requests.Session()
    session.headers.clear()
    request = requests.Request("GET", hub + path, headers=headers or {})
    prepared = session.prepare_request(request)
    prepared.url = hub + path  # as it is written, not as the library would encode it
    return session.send(prepared, timeout=60, **more)


def content(answer):
    return answer.headers["Content-Type"], answer.content


@pytest.mark.parametrize("case", CASES, ids=[case["id"] for case in CASES])
def test_an_address_of_a_real_client(case, hub):
    answer = got(hub, case["path"], case["headers"])
    wanted = case["expect"]
    assert answer.status_code == wanted["status"], answer.text[:500]
    start = wanted.get("content_type_startswith", "")
    if start not in ("", "*/*", "application/pdf"):
        assert answer.headers["Content-Type"].startswith(
            (start, *(["application/vnd.sdmx.data+csv"] if start == "text/csv" else []))
        )
    if answer.status_code != 200:
        return
    if case["kind"] == "data":
        check_data(answer, wanted)
    elif case["kind"] == "availability":
        check_availability(answer, wanted)
    elif "/schema/" not in case["path"]:
        check_structure(answer, wanted)


def check_data(answer, wanted):
    if "n_obs" not in wanted:
        return
    found = read.observations(*content(answer), DIMENSIONS)
    assert len(found) == wanted["n_obs"]
    assert len({row[:6] for row in found}) == wanted["n_series"]
    assert list(found[0]) == wanted["first"]
    assert list(found[-1]) == wanted["last"]
    assert sum(row[-1] for row in found) == pytest.approx(wanted["sum_obs"], abs=1e-4)


def check_availability(answer, wanted):
    values, time, counts = read.available(*content(answer))
    for dimension, some in wanted["values"].items():
        found = values.get(dimension, [])
        assert len(found) == some if isinstance(some, int) else sorted(found) == sorted(some), dimension
    assert set(values) == set(wanted["values"])
    assert wanted.get("time_range", time) == time
    assert counts.get("obs_count") == wanted.get("obs_count", counts.get("obs_count"))
    assert counts.get("series_count") == wanted.get("series_count", counts.get("series_count"))


def check_structure(answer, wanted):
    assert read.artefacts(*content(answer)) == wanted.get("artefacts", read.artefacts(*content(answer)))
    if "n_codes" in wanted:
        [(is_stub, is_partial, codes)] = read.codelists(*content(answer))
        assert len(codes) == wanted["n_codes"]
        assert is_stub == wanted.get("isExternalReference", is_stub)
        assert is_partial == wanted.get("isPartial", is_partial)


# --- what other clients may send: the neighbours of the addresses above ---------------------------------------------

V1, V2 = "/sdmx/v1/data/UNGP,DF_SDG,1.0", "/sdmx/v2/data/dataflow/UNGP/DF_SDG/1.0"
FLOW = "/dataflow/UNGP/DF_SDG/1.0"
SDMX = "application/vnd.sdmx."
EVERY = [
    f"{SDMX}genericdata+xml;version=2.1",
    f"{SDMX}structurespecificdata+xml;version=2.1",
    f"{SDMX}generictimeseriesdata+xml;version=2.1",
    f"{SDMX}structurespecifictimeseriesdata+xml;version=2.1",
    f"{SDMX}data+xml;version=3.0.0",
    f"{SDMX}data+xml;version=3.1.0",
    f"{SDMX}data+json;version=1.0.0",
    f"{SDMX}data+json;version=2.0.0",
    f"{SDMX}data+json;version=2.1.0",
    f"{SDMX}data+csv;version=1.0.0",
    f"{SDMX}data+csv;version=2.0.0",
    f"{SDMX}data+csv;version=2.1.0",
]


SHAPES = [
    (accept, at)
    for accept in EVERY
    for at in ("", "TIME_PERIOD", "AllDimensions", "REF_AREA")
    if "timeseries" not in accept or at in ("", "TIME_PERIOD")
]


@pytest.mark.parametrize(("accept", "at"), SHAPES)
@pytest.mark.parametrize("base", [f"{V1}/A.IT_MOB_OWN....", f"{V2}/A.IT_MOB_OWN"])
def test_every_format_in_every_shape(base, accept, at, hub, rows):
    answer = got(hub, base + (f"?dimensionAtObservation={at}" if at else ""), {"Accept": accept})
    assert (answer.status_code, answer.headers["Content-Type"]) == (200, f"{accept};charset=utf-8")
    assert read.observations(*content(answer), DIMENSIONS) == sorted(row for row in rows if row[1] == "IT_MOB_OWN")


def last_of_each(rows, many):
    by_key = {}
    for row in sorted(rows):
        by_key.setdefault(row[:6], []).append(row)
    return [row for some in by_key.values() for row in some[-many:]]


NEIGHBOURS = [
    (
        f"{V1}/A.SH_H2O_SAFE.50+686.../all?detail=full&includeHistory=false",
        lambda r: r[1] == "SH_H2O_SAFE" and r[2] in ("50", "686"),
    ),
    (
        f"{V1}/.SH_H2O_SAFE....?startPeriod=2010-01&endPeriod=2012-12",
        lambda r: r[1] == "SH_H2O_SAFE" and "2010" <= r[6] <= "2012",
    ),
    (f"{V1}/A.IT_MOB_OWN....?startPeriod=2015-07-01", lambda r: r[1] == "IT_MOB_OWN" and r[6] >= "2016"),
    (f"{V1}/all?startPeriod=2019-W01&endPeriod=2019-W52", lambda r: False),
    (f"{V1}/all?endPeriod=1990-Q4", lambda r: r[6] == "1990"),
    (f"{V1}/..4+8+12...?startPeriod=2018", lambda r: r[2] in ("4", "8", "12") and r[6] >= "2018"),
    (f"{V1}/A.IT_MOB_OWN.116.F+M.._T", lambda r: r[1] == "IT_MOB_OWN" and r[2] == "116" and r[3] in "FM"),
    ("/sdmx/v1/data/UNGP%2CDF_SDG/..116...?startPeriod=2017", lambda r: r[2] == "116" and r[6] >= "2017"),
    (f"{V2}/A.*.116.*.*.*", lambda r: r[2] == "116"),
    (f"{V2}/A.*.116,A.IT_MOB_OWN.764", lambda r: r[2] == "116" or (r[1] == "IT_MOB_OWN" and r[2] == "764")),
    (f"{V2}/*.*.116?c%5BTIME_PERIOD%5D=ge%3A2010%2Ble%3A2012", lambda r: r[2] == "116" and "2010" <= r[6] <= "2012"),
    (f"{V2}?c[TIME_PERIOD]=ge:2018-01-01T00:00:00", lambda r: r[6] >= "2018"),
    (f"{V2}?c[TIME_PERIOD]=gt:2018", lambda r: r[6] > "2018"),
    (f"{V2}?c[TIME_PERIOD]=lt:1991", lambda r: r[6] < "1991"),
    (f"{V2}?c[TIME_PERIOD]=2000,2010", lambda r: r[6] in ("2000", "2010")),
    (f"{V2}?c[TIME_PERIOD]=ge:2000+le:2001,ge:2018", lambda r: r[6] in ("2000", "2001") or r[6] >= "2018"),
    (f"{V2}?c[TIME_PERIOD]=ne:2018+ge:2017", lambda r: r[6] in ("2017", "2019")),
    (f"{V2}?c[SERIES]=sw:IT_MOB&c[REF_AREA]=116", lambda r: r[1].startswith("IT_MOB") and r[2] == "116"),
    (f"{V2}?c[SERIES]=co:MOB+nc:OWN", lambda r: "MOB" in r[1] and "OWN" not in r[1]),
    (f"{V2}?c[SERIES]=ne:SH_DYN_MORT,IT_MOB_OWN", lambda r: r[1] != "SH_DYN_MORT"),
    (f"{V2}?c[OBS_VALUE]=ge:99.5+le:100", lambda r: 99.5 <= r[7] <= 100),
    (f"{V2}?c[OBS_VALUE]=gt:1e2", lambda r: r[7] > 100),
    (f"{V2}?c[OBS_VALUE]=100,0", lambda r: r[7] in (100, 0)),
    (f"{V2}?c[REF_AREA]=lt:108", lambda r: r[2] < "108"),
    ("/sdmx/v2/data/*/*/*/*/A.IT_MOB_OWN.116", lambda r: r[1] == "IT_MOB_OWN" and r[2] == "116"),
    ("/sdmx/v2/data/datastructure/UNGP/DSD_SDG/1.0/A.IT_MOB_OWN", lambda r: r[1] == "IT_MOB_OWN"),
    ("/sdmx/v2/data/dataflow/UNGP/DF_SDG/*/*.EN_LND_SLUM", lambda r: r[1] == "EN_LND_SLUM"),
    (f"{V2}?startPeriod=2019", lambda r: r[6] == "2019"),
]


@pytest.mark.parametrize(("path", "holds"), NEIGHBOURS, ids=[path for path, _ in NEIGHBOURS])
def test_a_neighbour(path, holds, hub, rows):
    answer = got(hub, path, {"Accept": f"{SDMX}data+csv;version=1.0.0"})
    wanted = sorted(filter(holds, rows))
    assert answer.status_code == (200 if wanted else 404 if "/v1/" in path else 204)
    assert not wanted or read.observations(*content(answer), DIMENSIONS) == wanted


@pytest.mark.parametrize("base", [V1 + "/all", V2])
def test_ends_of_series(base, hub, rows):
    answer = got(hub, f"{base}?lastNObservations=3&endPeriod=2015", {"Accept": f"{SDMX}data+csv;version=2.0.0"})
    wanted = last_of_each([row for row in rows if row[6] <= "2015"], 3)
    assert read.observations(*content(answer), DIMENSIONS) == sorted(wanted)


def test_pages_together_are_the_whole(hub, rows):
    accept = {"Accept": f"{SDMX}data+csv;version=2.0.0"}
    found = []
    for offset in range(0, 600, 100):
        found += read.observations(
            *content(got(hub, f"{V2}/A.IT_MOB_OWN?offset={offset}&limit=100", accept)), DIMENSIONS
        )
    assert sorted(found) == sorted(row for row in rows if row[1] == "IT_MOB_OWN")


def test_a_page_of_the_data_explorer(hub, rows):
    accept = {"Accept": f"{SDMX}data+json;version=1.0.0", "x-range": "values=0-2499", "Accept-Language": "fr,en;q=0.5"}
    answer = got(hub, f"{V1}/all?startPeriod=2015&dimensionAtObservation=AllDimensions", accept)
    total = sum(row[6] >= "2015" for row in rows)
    assert (answer.status_code, answer.headers["Content-Range"]) == (206, f"values 0-2499/{total}")
    assert len(read.observations(*content(answer), DIMENSIONS)) == 2500


@pytest.mark.parametrize(
    ("query", "series", "count"),
    [("detail=serieskeysonly", 2337, 0), ("detail=nodata", 2337, 0), ("detail=dataonly", 2337, 30795)],
)
@pytest.mark.parametrize("accept", [EVERY[0], EVERY[1], EVERY[4], EVERY[6], EVERY[7]])
def test_details(query, series, count, accept, hub):
    answer = got(hub, f"{V1}/all?{query}", {"Accept": accept})
    assert len(read.series_keys(*content(answer), DIMENSIONS)) == series
    if count:
        assert len(read.observations(*content(answer), DIMENSIONS)) == count


@pytest.mark.parametrize(
    "format",
    [
        "json-stat",
        "xlsx",
        "parquet",
        "arrow",
        "csv",
        "csvfile",
        "jsondata",
        "genericdata",
        "structurespecificdata",
        "px",
        "csvw",
    ],
)
@pytest.mark.parametrize("base", [f"{V1}/A.IT_MOB_OWN.116...", f"{V2}/A.IT_MOB_OWN.116"])
def test_formats_by_name(base, format, hub):
    answer = got(hub, f"{base}?format={format}", {"Accept": "text/html,*/*;q=0.1"})
    assert answer.status_code == 200, answer.text
    assert len(answer.content) > 100


@pytest.mark.parametrize(
    "accept",
    [
        "*/*",
        f"{SDMX}structure+xml;version=3.0.0",
        *(f"{SDMX}structure+json;version={one}" for one in ("1.0.0", "2.0.0", "2.1.0")),
    ],
)
@pytest.mark.parametrize(
    "path",
    [
        "/sdmx/v1/availableconstraint/UNGP,DF_SDG,1.0/..116.../all/SERIES?mode={mode}&references=all",
        f"/sdmx/v2/availability{FLOW}/*.*.116/SERIES?mode={{mode}}&references=all",
    ],
)
@pytest.mark.parametrize("mode", ["exact", "available"])
def test_availability_of_one_dimension(path, accept, mode, hub, rows):
    answer = got(hub, path.format(mode=mode), {"Accept": accept})
    values, _, counts = read.available(*content(answer))
    cambodia = [row for row in rows if row[2] == "116"]
    assert {id: sorted(some) for id, some in values.items()} == {"SERIES": sorted({row[1] for row in cambodia})}
    assert counts == {"obs_count": len(cambodia), "series_count": len({row[:6] for row in cambodia})}
    [(_, _, codes)] = [one for one in read.codelists(*content(answer)) if "IT_MOB_OWN" in one[2]]
    assert set(codes) == {row[1] for row in cambodia}


def test_availability_of_nothing_offers_nothing(hub):
    for path in (
        "/sdmx/v1/availableconstraint/DF_SDG/..ZZZ...",
        f"/sdmx/v2/availability{FLOW}/*.*.ZZZ",
    ):
        answer = got(hub, path, {"Accept": "*/*"})
        values, time, counts = read.available(*content(answer))
        assert (answer.status_code, values, time, counts) == (200, {}, None, {"obs_count": 0, "series_count": 0})
