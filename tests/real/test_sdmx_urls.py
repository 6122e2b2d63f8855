"""The addresses that real clients send, over real HTTP, with the answers that they must get."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
import requests
import sdmx_answers as read
from conftest import SHARED

from statcommons.sdmx.store import Store
from statcommons.sdmx.structures import read_structures

DIMENSIONS = ("FREQ", "SERIES", "REF_AREA", "SEX", "AGE", "URBANISATION")
URLS = SHARED / "sdmx/urls/compat_urls.json"
CASES = json.loads(URLS.read_bytes()) if URLS.exists() else []


def sdg_store(folder: Path, fixture: Path) -> Path:
    """Fill a store with the flow of the fixture."""
    store = Store(folder)
    store.add_structures(read_structures(fixture / "DF_SDG_structure_sdmx-ml-2.1.xml"))
    head, *lines = (fixture / "DF_SDG_data.csv").read_text().splitlines()
    store.load("\n".join([f"DATAFLOW,{head}", *(f"UNGP:DF_SDG(1.0),{line}" for line in lines)]).encode())
    return folder


@pytest.fixture(scope="module")
def hub(tmp_path_factory):
    """Give the address of a server of the fixture."""
    fixture = SHARED / "sdmx/fixture"
    if not fixture.exists():
        pytest.skip("no sdmx/fixture in ../shared/data")
    with read.running(sdg_store(tmp_path_factory.mktemp("store") / "store", fixture)) as address:
        yield address


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
