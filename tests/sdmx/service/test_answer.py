"""The service as one function: what is answered, how it may be kept, and that whatever comes is answered."""

from __future__ import annotations

import datetime
import gzip
import json
from dataclasses import replace

import pytest
import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree
from sdmx_stores import FLOW, STRUCTURE, filling, load, row

from statcommons.sdmx.model import Dataflow
from statcommons.sdmx.service import answer as service
from statcommons.sdmx.service.exchange import Request
from statcommons.sdmx.structure import Component, artefacts_of

V1, V2 = "/sdmx/v1/data/DF_X", "/sdmx/v2/data/dataflow/SC/DF_X/1.0"
CSV = "application/vnd.sdmx.data+csv;version=1.0.0"


def lines(body):
    return body.decode().splitlines()[1:]


# --- data -----------------------------------------------------------------------------------------------------------


def test_data_in_the_default_of_each_version(ask):
    first, _ = ask(V1)
    second, _ = ask(V2)
    assert first.header("content-type") == "application/vnd.sdmx.genericdata+xml;version=2.1;charset=utf-8"
    assert second.header("content-type") == "application/vnd.sdmx.data+json;version=2.1.0;charset=utf-8"
    assert (first.status, second.status) == (200, 200)


@pytest.mark.parametrize(
    ("address", "count"),
    [
        (V1, 6),
        (f"{V1}/A.KH+TH", 5),
        (f"{V1}/.KH/all", 4),
        (f"{V1}/.KH/SC", 4),
        (f"{V1}?startPeriod=2021", 4),
        (f"{V1}?startPeriod=2021-01-01&endPeriod=2021-12-31", 2),
        (f"{V1}?lastNObservations=1", 3),
        (f"{V1}?firstNObservations=1&lastNObservations=1", 5),
        (V2, 6),
        ("/sdmx/v2/data", 6),
        ("/sdmx/v2/data/*/*/*/*/*", 6),
        ("/sdmx/v2/data/datastructure/SC/DSD_X", 6),
        ("/sdmx/v2/data/*/SC/DSD_X/~", 6),
        (f"{V2}/A.KH,Q.*", 4),
        (f"{V2}/A", 5),
        (f"{V2}?c[AREA]=KH&c[TIME_PERIOD]=ge:2021+le:2022", 2),
        (f"{V2}?c[OBS_VALUE]=ge:2+lt:11", 3),
        (f"{V2}?c[STATUS]=ne:A", 1),
        (f"{V2}?limit=2&offset=5", 1),
        (f"{V2}?key=A.TH", 2),
        (f"{V2}?sort=OBS_VALUE:desc&limit=2", 2),
    ],
)
def test_what_a_query_finds(ask, address, count):
    made, body = ask(address, accept=CSV)
    assert (made.status, len(lines(body))) == (200, count)


def test_a_sorted_answer_is_in_its_order(ask):
    _, body = ask(f"{V2}?sort=OBS_VALUE:desc&limit=2&dimensionAtObservation=AllDimensions", accept=CSV)
    assert [line.split(",")[4] for line in lines(body)] == ["11", "10"]


@pytest.mark.parametrize("component", ["FREQ", "AREA", "TIME_PERIOD", "OBS_VALUE", "UNIT", "TITLE", "SOURCE", "STATUS"])
def test_answers_are_sorted_by_any_component(ask, component):
    for way in ("", ":desc"):
        query = f"sort={component}{way}&dimensionAtObservation=AllDimensions"
        _, body = ask(f"{V2}/A?{query}&format=csv&formatVersion=1.0")
        place = body.decode().splitlines()[0].split(",").index(component)
        values = [line.split(",")[place] for line in lines(body)]
        if component == "OBS_VALUE":
            values = list(map(float, values))
        there = [value for value in values if value != ""]
        assert there == sorted(there, reverse=bool(way))
        assert len(values) == 5


@pytest.mark.parametrize(
    ("query", "series", "observations"),
    [
        ("detail=serieskeysonly", {"FREQ", "AREA"}, 0),
        ("detail=nodata", {"FREQ", "AREA", "UNIT"}, 0),
        ("attributes=none&measures=none", {"FREQ", "AREA"}, 0),
        ("measures=none", {"FREQ", "AREA", "UNIT"}, 0),
        ("attributes=series&measures=none", {"FREQ", "AREA", "UNIT"}, 0),
        ("detail=dataonly", {"FREQ", "AREA"}, 6),
        ("attributes=none", {"FREQ", "AREA"}, 6),
        ("attributes=UNIT", {"FREQ", "AREA", "UNIT"}, 6),
        ("attributes=obs", {"FREQ", "AREA"}, 6),
        ("attributes=STATUS&measures=none", {"FREQ", "AREA"}, 6),
    ],
)
def test_how_much_is_told(ask, query, series, observations):
    _, body = ask(f"{V2}?{query}", accept="application/vnd.sdmx.structurespecificdata+xml;version=2.1")
    root = etree.fromstring(body)
    assert {name for one in root.iter("{*}Series") for name in one.attrib} == series
    assert len(list(root.iter("{*}Obs"))) == observations


@pytest.mark.parametrize(
    ("query", "places", "named"),
    [
        ("attributes=dsd", {"dataflow", "group", "series", "observation"}, {"OBS_VALUE"}),
        ("attributes=dataset", {"dataflow"}, {"OBS_VALUE"}),
        ("attributes=series", {"group", "series"}, {"OBS_VALUE"}),
        ("attributes=obs,SOURCE", {"observation"}, {"OBS_VALUE", "SOURCE"}),
        ("attributes=msd", set(), {"OBS_VALUE"}),
        ("attributes=none", set(), {"OBS_VALUE"}),
        ("measures=OBS_VALUE&attributes=all", {"dataflow", "group", "series", "observation"}, {"OBS_VALUE"}),
        ("measures=none&attributes=obs", {"observation"}, set()),
    ],
)
def test_which_components_are_told(ask, query, places, named):
    _, body = ask(f"{V2}?{query}", accept=CSV)
    said = {one.id for one in STRUCTURE.with_role("attribute") if one.attachment in places}
    assert set(body.decode().splitlines()[0].split(",")[4:]) == said | named


def test_no_data_is_an_error_in_rest_1_only(ask):
    first, body = ask(f"{V1}/A.ZZZ")
    second, empty = ask(f"{V2}/A.ZZZ")
    assert (first.status, second.status, empty) == (404, 204, b"")
    assert etree.fromstring(body).find("{*}ErrorMessage").get("code") == "100"


def test_nobody_else_provides_the_data(ask):
    assert ask(f"{V1}/all/ECB")[0].status == 404


def test_a_file_has_a_name(ask):
    assert ask(f"{V2}?format=csvfile")[0].header("content-disposition") == 'attachment; filename="SC_DF_X_1.0.csv"'
    assert not ask(f"{V2}?format=csv")[0].header("content-disposition")
    assert ask(V1, accept="application/vnd.sdmx.data+csv;urn=true;file=true;labels=both")[0].header(
        "content-disposition"
    )


def test_labels_of_the_media_type_and_of_the_parameter(ask):
    assert b"AREA: AREA" in ask(V1, accept="application/vnd.sdmx.data+csv;labels=both")[1]
    assert b"AREA: AREA" in ask(f"{V1}?labels=both&format=csv")[1]
    assert b"AREA: AREA" not in ask(f"{V1}?labels=id", accept="application/vnd.sdmx.data+csv;labels=both")[1]
    assert ask(V1, accept="application/vnd.sdmx.data+csv;labels=long")[0].status == 406


# --- several flows, and the past ------------------------------------------------------------------------------------


@pytest.fixture
def second(store):
    """Give the store a second flow, whose structure has the same form."""
    flow, definition = replace(FLOW, id="DF_Y"), replace(STRUCTURE.definition, id="DSD_Y")
    store.add_structures(artefacts_of(replace(STRUCTURE, flow=flow, definition=definition)))
    store.change(flow, filling([row("LA", "2020", 7.0)]))


@pytest.mark.usefixtures("second")
def test_one_answer_may_have_several_flows(ask):
    csv = "application/vnd.sdmx.data+csv;version=2.0.0"
    assert len(lines(ask("/sdmx/v2/data", accept=csv)[1])) == 7
    assert len(lines(ask("/sdmx/v2/data?c[AREA]=LA", accept=csv)[1])) == 1
    assert len(lines(ask("/sdmx/v2/data/dataflow/SC/DF_X,DF_Y", accept=csv)[1])) == 7
    made, body = ask("/sdmx/v2/data", accept=csv, range="values=5-6")
    assert made.header("content-range") == "values 5-6/7"
    assert [line.split(",")[1] for line in lines(body)] == ["SC:DF_X(1.0)", "SC:DF_Y(1.0)"]
    _, body = ask("/sdmx/v2/data?offset=5&limit=2", accept=csv)
    assert [line.split(",")[1] for line in lines(body)] == ["SC:DF_X(1.0)", "SC:DF_Y(1.0)"]
    made, body = ask("/sdmx/v2/data?offset=5&limit=3", accept=csv, range="values=1-1")
    assert (made.header("content-range"), len(lines(body))) == ("values 1-1/2", 1)
    assert ask("/sdmx/v2/data?offset=7", accept=csv)[0].status == 204
    assert ask("/sdmx/v2/schema/datastructure/SC/DSD_Y")[0].status == 200
    assert ask("/sdmx/v2/schema/dataflow/SC/DF_X,DF_Y")[0].status == 422


def test_a_flow_without_its_structure_hides_no_other(ask, store):
    lost = Dataflow("dataflow", "SC", "DF_A", "1.0", structure=replace(STRUCTURE.definition, id="DSD_LOST"))
    store.add_structures([lost])
    assert ask("/sdmx/v2/data/dataflow/SC/DF_A")[0].status == 422
    assert len(lines(ask("/sdmx/v2/data?format=csv")[1])) == 6
    assert ask("/sdmx/v2/availability")[0].status == 200


@pytest.mark.usefixtures("second")
@pytest.mark.parametrize("format", ["json-stat", "parquet", "px", "jsondata&formatVersion=1.0.0"])
def test_a_format_that_cannot_hold_several_flows_says_so(ask, format):
    made, body = ask(f"/sdmx/v2/data?format={format}", accept="application/vnd.sdmx.data+json;version=2.0.0")
    assert made.status == 406
    assert b"format" in body


@pytest.mark.parametrize(
    "path",
    [
        "/sdmx/v1/datastructure/SC/DSD_Z",
        "/sdmx/v1/dataflow/SC/DF_Z?references=children",
        "/sdmx/v1/availableconstraint/DF_Z?references=all",
        "/sdmx/v1/schema/dataflow/SC/DF_Z?format=json-1.0",
    ],
)
def test_a_version_that_cannot_hold_a_structure_says_so(ask, store, path):
    flow, definition = replace(FLOW, id="DF_Z"), replace(STRUCTURE.definition, id="DSD_Z")
    measures = Component("LOW", "measure", "number"), Component("HIGH", "measure", "number")
    parts = (*STRUCTURE.with_role("dimension", "time"), *measures)
    store.add_structures(artefacts_of(replace(STRUCTURE, flow=flow, definition=definition, components=parts)))
    made, body = ask(path)
    assert made.status == 406
    assert b"DSD_Z" in body
    assert b"LOW, HIGH" in body


def test_the_past_and_what_came_since(ask, store):
    before = store.time.isoformat()
    store.tick(hours=1)
    load(store, [row("KH", "2020", 9.0), row("TH", "2021", action="Delete")])
    csv = "application/vnd.sdmx.data+csv;version=2.0.0"
    assert len(lines(ask(V2, accept=csv)[1])) == 5
    assert len(lines(ask(f"{V2}?asOf={before}", accept=csv)[1])) == 6
    since = lines(ask(f"{V2}?updatedAfter={before}", accept=csv)[1])
    assert [line.split(",")[2:6] for line in since] == [["R", "A", "KH", "2020"], ["D", "A", "TH", "2021"]]
    assert len(lines(ask(f"{V2}?includeHistory=true", accept=csv)[1])) == 8
    made, body = ask(f"{V2}?includeHistory=true", accept=csv, range="values=0-1")
    assert (made.status, len(lines(body))) == (200, 8)
    assert len(lines(ask(f"{V2}?updatedAfter=2025-01-01&offset=2&limit=2", accept=csv)[1])) == 2
    assert ask(f"{V2}?updatedAfter=2030-01-01", accept=csv)[0].status == 204


# --- structures -----------------------------------------------------------------------------------------------------


def test_a_list_of_nothing_is_empty_in_rest_1_only(ask):
    made, body = ask("/sdmx/v1/categoryscheme/SC/all/latest?references=parentsandsiblings")
    assert (made.status, len(etree.fromstring(body).find("{*}Structures"))) == (200, 0)
    made, body = ask("/sdmx/v1/categoryscheme", accept="application/vnd.sdmx.structure+json;version=1.0.0")
    assert (made.status, json.loads(body)["data"]) == (200, {})
    assert ask("/sdmx/v1/categoryscheme/SC/NONE")[0].status == 404
    assert ask("/sdmx/v2/structure/categoryscheme/SC")[0].status == 404


@pytest.mark.parametrize("mode", ["exact", "available"])
def test_availability_offers_only_what_there_is(ask, mode):
    _, body = ask(f"/sdmx/v1/availableconstraint/DF_X/A.TH?mode={mode}")
    found = {
        one.get("id"): [part.text for part in one.iterfind("{*}Value")]
        for one in etree.fromstring(body).iter("{*}KeyValue")
    }
    assert found == {"FREQ": ["A"], "AREA": ["TH"] if mode == "exact" else ["KH", "TH"], "TIME_PERIOD": []}


def test_availability_of_nothing_is_empty(ask):
    made, body = ask("/sdmx/v1/availableconstraint/DF_X/A.ZZ")
    root = etree.fromstring(body)
    assert (made.status, list(root.iter("{*}KeyValue"))) == (200, [])
    assert [one.text for one in root.iter("{*}AnnotationTitle")] == ["0", "0"]


# --- ranges ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("span", "query", "told", "count"),
    [
        ("values=0-1", "", "values 0-1/6", 2),
        ("values=4-99", "", "values 4-5/6", 2),
        ("values=3-", "", "values 3-5/6", 3),
        ("values=0-1", "offset=5", "values 0-0/1", 1),
        ("values=1-2", "limit=2", "values 1-1/2", 1),
    ],
)
@pytest.mark.parametrize("header", ["range", "x_range"])
def test_a_range_of_observations(ask, span, query, told, count, header):
    made, body = ask(f"{V2}?{query}", accept=CSV, **{header: span})
    assert (made.status, made.header("content-range"), len(lines(body))) == (206, told, count)


def test_ranges_together_are_the_whole(ask):
    _, whole = ask(V2, accept=CSV)
    parts = [lines(ask(V2, accept=CSV, range=f"values={place}-{place}")[1]) for place in range(6)]
    assert [line for [line] in parts] == lines(whole)


def test_a_range_outside_of_the_data(ask):
    made, _ = ask(V2, range="values=6-9")
    assert (made.status, made.header("content-range")) == (416, "values */6")
    assert ask(V2, range="values=2-1")[0].status == 416


def test_past_the_end_there_is_nothing(ask):
    assert ask(f"{V2}?offset=5")[0].status == 200
    assert ask(f"{V2}?offset=6")[0].status == 204
    assert ask(f"{V1}?offset=6")[0].status == 404


@pytest.mark.parametrize("span", ["bytes=0-5", "values=", "values=-5", "nonsense"])
def test_other_ranges_are_passed_over(ask, span):
    assert ask(V2, range=span)[0].status == 200


# --- what may be kept -----------------------------------------------------------------------------------------------


def test_what_has_not_changed_is_not_sent_again(ask, store):
    made, _ = ask(V2)
    tag = made.header("etag")
    kept, body = ask(V2, if_none_match=f'"x", {tag}')
    assert (kept.status, body, kept.header("etag")) == (304, b"", tag)
    assert ask(V2, if_none_match='"x"')[0].status == 200
    load(store, [row("KH", "2020", 7.0)])
    assert ask(V2, if_none_match=tag)[0].status == 200


def test_304_reads_no_data(ask, store, monkeypatch):
    tag = ask(V2)[0].header("etag")
    monkeypatch.setattr(type(store), "select", lambda *_: pytest.fail("data were read"))
    assert ask(V2, if_none_match=tag)[0].status == 304


def test_each_form_has_its_own_tag(ask):
    forms = [
        {},
        {"accept": CSV},
        {"accept_language": "fr"},
        {"accept_encoding": "gzip"},
        {"accept_encoding": "zstd"},
        {"range": "values=0-1"},
        {"accept": "application/vnd.sdmx.data+csv;version=1.0.0;labels=both"},
    ]
    tags = [ask(V2, **one)[0].header("etag") for one in forms]
    tags += [ask(f"{V2}?lastNObservations=1")[0].header("etag"), ask(f"{V2}/A")[0].header("etag")]
    assert len(set(tags)) == len(tags)
    assert [tag.startswith("W/") for tag in tags] == [False, False, False, True, True, False, False, False, False]


def test_the_same_answer_has_the_same_bytes(ask, store):
    made, body = ask(V1)
    store.tick(seconds=5)
    again, same = ask(V1)
    assert (body, made.header("etag")) == (same, again.header("etag"))


def test_dates_say_what_has_changed_too(ask):
    told = ask(V2)[0].header("last-modified")
    assert told == "Thu, 01 Jan 2026 00:00:00 GMT"
    assert ask(V2, if_modified_since=told)[0].status == 304
    assert ask(V2, if_modified_since="Wed, 31 Dec 2025 23:59:59 GMT")[0].status == 200
    assert ask(V2, if_modified_since="yesterday")[0].status == 200
    assert ask(V2, if_modified_since=told, if_none_match='"x"')[0].status == 200


def test_nobody_has_what_is_not_there(ask):
    for headers in ({"if_none_match": "*"}, {"if_modified_since": "Fri, 01 Jan 2027 00:00:00 GMT"}):
        assert ask(V2, **headers)[0].status == 304
        assert ask(f"{V2}/A.ZZZ", **headers)[0].status == 204
        assert ask("/sdmx/v2/structure/datastructure/SC/DSD_X", **headers)[0].status == 304
        assert ask("/sdmx/v2/structure/codelist/SC/NONE", **headers)[0].status == 404
        assert ask("/sdmx/v2/schema/dataflow/SC/DF_X", **headers)[0].status == 304
        assert ask("/sdmx/v2/schema/dataflow/SC/NONE", **headers)[0].status == 404


def test_a_change_is_not_dated_in_its_own_second(ask, store):
    store.tick(days=1, microseconds=500)
    load(store, [row("KH", "2020", 7.0)])
    assert not ask(V2)[0].header("last-modified")
    store.tick(seconds=1)
    assert ask(V2)[0].header("last-modified") == "Sat, 03 Jan 2026 00:00:00 GMT"


def test_nothing_tells_of_what_is_not_yet_public(ask, store):
    before = [ask(one, accept=accept)[0] for one in (V1, V2) for accept in ("*/*", CSV)]
    available = ask("/sdmx/v1/availableconstraint/DF_X")[1]
    load(store, [row("LA", "2023", 1.0), row("KH", "2020", 9.0)], valid_from=store.time + datetime.timedelta(hours=1))
    after = [ask(one, accept=accept)[0] for one in (V1, V2) for accept in ("*/*", CSV)]
    assert [one.headers for one in before] == [one.headers for one in after]
    assert ask("/sdmx/v1/availableconstraint/DF_X")[1] == available
    assert len(lines(ask(f"{V2}?asOf=2030-01-01", accept=CSV)[1])) == 6
    store.tick(hours=1)
    assert len(lines(ask(V2, accept=CSV)[1])) == 7
    assert ask(V2, accept=CSV)[0].header("etag") != after[-1].header("etag")


def test_answers_are_not_kept_beyond_the_next_release(ask, store):
    assert ask(V2)[0].header("cache-control") == "public, max-age=60"
    load(store, [row("LA", "2023", 1.0)], valid_from=store.time + datetime.timedelta(seconds=90))
    assert ask(V2)[0].header("cache-control") == "public, max-age=60"
    store.tick(seconds=75)
    assert ask(V2)[0].header("cache-control") == "public, max-age=15"


@pytest.mark.parametrize(
    "address",
    [
        "data/dataflow/X.Y/DF_X?format=genericdata",
        "data/dataflow/X.Y/DF_X?format=structurespecificdata&formatVersion=3.0",
        "data/dataflow/X.Y/DF_X?format=jsondata",
        "structure/dataflow/X.Y/DF_X?format=structure",
        "structure/dataflow/X.Y/DF_X",
        "availability/dataflow/X.Y/DF_X",
    ],
)
def test_the_sender_of_a_unit_is_its_agency(ask, store, address):
    """Schemas take no dot in the id of a sender."""
    unit = replace(STRUCTURE, flow=replace(FLOW, agency="X.Y"))
    store.add_structures(artefacts_of(unit))
    store.change(unit.flow, filling([row("KH", "2020", 1.5, action="Merge")]))
    made, body = ask(f"/sdmx/v2/{address}")
    assert made.status == 200
    if "json" in made.header("content-type"):
        assert json.loads(body)["meta"]["sender"] == {"id": "X"}
    else:
        assert etree.fromstring(body).find("{*}Header/{*}Sender").get("id") == "X"


# --- forms, encodings, methods --------------------------------------------------------------------------------------


def test_a_long_key_comes_by_post(ask):
    form = {"accept": CSV, "content_type": "application/x-www-form-urlencoded"}
    assert len(lines(ask(V1, "POST", b"key=A.KH+TH", **form)[1])) == 5
    assert len(lines(ask(f"{V1}/body?lastNObservations=1", "POST", b"key=A.KH%2BTH", **form)[1])) == 2
    assert len(lines(ask(V2, "POST", b"c[AREA]=TH&lastNObservations=1", **form)[1])) == 1
    parts = b'--x\r\nContent-Disposition: form-data; name="key"\r\n\r\nA.KH+TH\r\n--x--\r\n'
    assert (
        len(lines(ask(f"{V1}/body", "POST", parts, accept=CSV, content_type="multipart/form-data; boundary=x")[1])) == 5
    )


@pytest.mark.parametrize(
    ("address", "body", "headers", "status"),
    [
        (V1, b"key=" + b"A" * (1 << 20), {}, 413),
        (V1, b"", {"content_length": "1073741824"}, 413),
        (V1, b"{}", {"content_type": "application/json"}, 415),
        (V1, b"key=\xff", {}, 400),
        (V1, b"nothing", {"content_type": "multipart/form-data"}, 400),
        (f"{V1}/A.KH", b"key=A.TH", {}, 400),
        (f"{V1}?lastNObservations=1", b"lastNObservations=1", {}, 400),
        ("/sdmx/v1/codelist", b"", {}, 405),
    ],
)
def test_forms_that_are_refused(ask, address, body, headers, status):
    assert ask(address, "POST", body, **headers)[0].status == status


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "TRACE", "NONSENSE"])
def test_other_methods(ask, method):
    made, _ = ask(V2, method)
    assert (made.status, made.header("allow")) == (405, "GET, HEAD, OPTIONS, POST")


def test_head_is_get_without_the_body(ask):
    made, body = ask(V2, "HEAD")
    assert body == b""
    assert made.headers == ask(V2)[0].headers
    assert ask(f"{V2}/A.ZZZ", "HEAD")[0].status == 204


def test_other_sites_may_ask(ask):
    asked, _ = ask(V2, "OPTIONS", origin="https://example.org")
    assert asked.status == 204
    assert "X-Range" in asked.header("access-control-allow-headers")
    for address in (V2, f"{V2}?nonsense=1", "/nowhere"):
        assert ask(address)[0].header("access-control-allow-origin") == "*"


def test_bodies_are_compressed_as_asked(ask):
    _, plain = ask(V2)
    packed, body = ask(V2, accept_encoding="gzip, deflate")
    assert (packed.header("content-encoding"), gzip.decompress(body)[:20]) == ("gzip", plain[:20])
    packed, body = ask(f"{V2}?compression=zstd")
    assert packed.header("content-encoding") == "zstd"
    assert zstandard.ZstdDecompressor().decompressobj().decompress(body)[:20] == plain[:20]
    assert "Accept-Encoding" in packed.header("vary")
    assert ask(f"{V2}?compression=br")[0].status == 406


# --- errors ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("address", "status", "words"),
    [
        ("/sdmx/v2/data/dataflow/SC/NONE", 404, "NONE"),
        ("/sdmx/v2/data/dataflow/SC/DF_X/2.0", 404, "2.0"),
        ("/sdmx/v2/data/dataflow/SC/DF_X/+", 404, "dataflow"),
        (f"{V2}?c[NOSUCH]=1", 400, "NOSUCH"),
        (f"{V2}?c[OBS_VALUE]=lt:ten", 400, "ten"),
        (f"{V2}?c[OBS_VALUE]=co:1", 400, "looks at text"),
        (f"{V2}?c[TIME_PERIOD]=ge:soon", 400, "soon"),
        (f"{V2}/A.KH.F", 400, "3 places"),
        (f"{V1}/A", 400, "1 place"),
        (f"{V2}?dimensionAtObservation=NOSUCH", 400, "AllDimensions"),
        (f"{V2}?attributes=NOSUCH", 400, "NOSUCH"),
        (f"{V2}?measures=STATUS", 400, "OBS_VALUE"),
        (f"{V2}?sort=NOSUCH", 400, "NOSUCH"),
        (f"{V2}?updatedAfter=2027-01-01&asOf=2026-01-01", 400, "later than asOf"),
        (f"{V2}?format=pdf", 406, "pdf"),
        (f"{V2}?{'x' * 9000}", 414, "POST"),
        ("/sdmx/v2/structure/nosuch/SC", 400, "nosuch"),
        ("/sdmx/v2/structure/codelist/SC/NONE", 404, "NONE"),
        ("/sdmx/v2/structure/dataflow?asOf=2020-01-01", 501, "past"),
        ("/sdmx/v2/structure/dataflow?references=nosuch", 400, "nosuch"),
        ("/sdmx/v2/structure/dataflow?detail=most", 400, "detail"),
        ("/sdmx/v2/metadata/metadataset/SC", 501, "metadata"),
        ("/sdmx/v2/availability/dataflow/SC/DF_X/1.0/*/NOSUCH", 400, "NOSUCH"),
        ("/sdmx/v2/availability/dataflow/SC/DF_X?references=parents", 400, "parents"),
        ("/sdmx/v2/availability/dataflow/SC/NONE", 404, "NONE"),
        ("/sdmx/v2/schema/dataflow/SC/NONE", 404, "NONE"),
        ("/sdmx/v2/schema/dataflow/SC/DF_X?dimensionAtObservation=NOSUCH", 400, "AllDimensions"),
        ("/elsewhere", 404, "elsewhere"),
    ],
)
def test_errors_say_what_is_wrong(ask, address, status, words):
    made, body = ask(address)
    assert made.status == status
    message = json.loads(body) if "json" in made.header("content-type") else etree.fromstring(body)
    text = json.dumps(message) if isinstance(message, dict) else etree.tostring(message, method="text").decode()
    assert words in text


def test_what_fails_inside_is_logged_and_not_told(ask, store, monkeypatch, caplog):
    def fail(*_):
        raise RuntimeError("secret")

    monkeypatch.setattr(type(store), "facts", fail)
    made, body = ask(V2)
    assert made.status == 500
    assert b"secret" not in body
    assert "secret" in caplog.text


@pytest.mark.parametrize(
    ("accept", "start"),
    [
        ("*/*", b"<?xml"),
        ("application/vnd.sdmx.structurespecificdata+xml;version=2.1", b"<?xml"),
        ("application/vnd.sdmx.data+json;version=1.0.0", b"{"),
        (CSV, b"CODE,TITLE,DETAIL"),
    ],
)
def test_errors_come_in_the_family_that_was_asked_for(ask, accept, start):
    made, body = ask(f"{V1}/A", accept=accept)
    assert made.status == 400
    assert body.startswith(start)
    assert accept == "*/*" or made.header("content-type") == accept


def test_errors_come_in_the_format_that_is_named(ask):
    assert ask(f"{V2}?c[NOSUCH]=1&format=csv")[1].startswith(b"CODE,TITLE,DETAIL")
    assert ask(f"{V2}?c[NOSUCH]=1&format=genericdata")[1].startswith(b"<?xml")
    assert ask(f"{V2}?c[NOSUCH]=1&format=parquet")[1].startswith(b"{")


# --- whatever comes -------------------------------------------------------------------------------------------------


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.sampled_from(["", "/", "/sdmx/v1/data/", f"{V1}/", "/sdmx/v2/", f"{V2}/", "/sdmx/v1/", "/sdmx/v2/structure/"]),
    st.text() | st.from_regex(r"(%[0-9A-F]{2}|[*+.,/A-Z]){0,30}"),
    st.text() | st.from_regex(r"([a-zA-Z]+(\[[A-Z_]*\])?=[a-z:+,0-9%-]*&?){0,4}"),
)
def test_any_address_is_answered(store, path, more, query):
    made = service.answer(store, Request(path + more, query))
    assert made.status < 500 or made.status == 501
    for _ in made.body:
        pass


SOUND = {
    "startPeriod": ["2020", "2021-Q2"],
    "endPeriod": ["2021-06"],
    "firstNObservations": ["1"],
    "lastNObservations": ["2"],
    "dimensionAtObservation": ["TIME_PERIOD", "AREA", "AllDimensions"],
    "detail": ["full", "dataonly", "serieskeysonly", "nodata"],
    "attributes": ["none", "obs", "series", "dataset", "UNIT,STATUS"],
    "measures": ["none", "OBS_VALUE"],
    "updatedAfter": ["2020-01-01"],
    "includeHistory": ["true"],
    "asOf": ["2025-01-01", "2030-01-01T00:00:00Z"],
    "offset": ["2"],
    "limit": ["3"],
    "sort": ["OBS_VALUE:desc", "*", "series_key:desc", "UNIT+AREA", "STATUS"],
    "reportingYearStartDay": ["--07-01"],
    "c[AREA]": ["KH,TH", "ne:KH", "sw:K"],
    "c[TIME_PERIOD]": ["ge:2020+le:2021", "co:20"],
    "c[OBS_VALUE]": ["lt:2,gt:10"],
    "c[STATUS]": ["A", "nc:E"],
    "c[UNIT]": ["PT", "ew:R"],
    "format": [
        "csv",
        "csvfile",
        "jsondata",
        "genericdata",
        "structurespecificdata",
        "xmldata",
        "parquet",
        "arrow",
        "json-stat",
        "px",
        "xlsx",
        "csvw",
    ],
    "compression": ["gzip", "zstd"],
}


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data(), st.sampled_from([V1, V2]), st.sets(st.sampled_from(sorted(SOUND)), max_size=4))
def test_any_sound_query_is_answered(store, data, base, names):
    query = "&".join(f"{name}={data.draw(st.sampled_from(SOUND[name]))}" for name in sorted(names))
    made = service.answer(store, Request(base, query))
    assert made.status in (200, 204, 404, 406)
    assert sum(map(len, made.body)) > 0 or made.status == 204
