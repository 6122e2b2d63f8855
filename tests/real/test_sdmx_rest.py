"""Every address that the JavaScript library sdmx-rest builds is answered, with the data that it asks for."""

import csv
import io
from pathlib import Path

import pytest

from statcommons.sdmx import Request, Store, answer, read_structures

ADDRESSES = [
    line
    for line in Path(__file__).with_name("urls_of_sdmx_rest.txt").read_text().splitlines()
    if not line.startswith("#")
]


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    fixture = Path(__file__).parents[3] / "shared" / "data" / "sdmx" / "fixture"
    if not fixture.exists():
        pytest.skip("no sdmx/fixture in ../shared/data")
    made = Store(tmp_path_factory.mktemp("store"))
    made.add_structures(read_structures(fixture / "DF_SDG_structure_sdmx-ml-2.1.xml"))
    made.load(fixture / "DF_SDG_data.csv", flow="UNGP:DF_SDG(1.0)")
    return made


def test_there_are_both_versions():
    assert len(ADDRESSES) == 50
    assert {address.split("/")[2] for address in ADDRESSES} == {"v1", "v2"}


@pytest.mark.parametrize("address", ADDRESSES)
def test_it_is_answered(store, address):
    path, _, query = address.partition("?")
    response = answer(store, Request(path, query, headers={"accept": "*/*"}))
    assert (response.status, sum(map(len, response.body)) > 0) == (200, True)


@pytest.mark.parametrize(
    ("part", "rows"),
    [
        ("v1/data/UNGP,DF_SDG,1.0/A.IT_MOB_OWN.116+764.../all?detail=full&includeHistory=false", 21),
        ("v1/data/UNGP,DF_SDG,1.0/A.IT_MOB_OWN.764.../all?detail=full&includeHistory=false&lastN", 3),
        ("v2/data/dataflow/UNGP/DF_SDG/1.0/A.IT_MOB_OWN.116.*.*.*?attributes=dsd", 3),
        ("v2/data/dataflow/UNGP/DF_SDG/1.0/A.IT_MOB_OWN.*.*.*.*?c[REF_AREA]=116,764", 15),
        ("v2/data/dataflow/UNGP/DF_SDG/1.0/*?", 30_795),
    ],
)
def test_it_has_the_observations(store, part, rows):
    [address] = [one for one in ADDRESSES if one.removeprefix("/sdmx/").startswith(part)]
    path, _, query = address.partition("?")
    response = answer(store, Request(path, f"{query}&format=csv", headers={"accept": "*/*"}))
    text = b"".join(response.body).decode()
    assert len(list(csv.DictReader(io.StringIO(text)))) == rows
