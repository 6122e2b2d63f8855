from __future__ import annotations

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from statcommons.core.errors import BadData
from statcommons.sdmx.reading import read_rows
from statcommons.sdmx.reading.json_runs import blocks, cut
from statcommons.sdmx.reading.json_text import texts


def component(id: str, *values, **more) -> dict:
    return {"id": id, "values": [{"id": value} if isinstance(value, str) else value for value in values], **more}


STRUCTURE = {
    "links": [{"rel": "dataflow", "urn": "urn:sdmx:org.sdmx.infomodel.datastructure.Dataflow=X:DF(1.0)"}],
    "dimensions": {
        "dataSet": [component("FREQ", "A")],
        "series": [component("AREA", {"id": "004", "name": "Afghanistan"}, "NA"), component("SEX", "F", "M")],
        "observation": [component("TIME_PERIOD", "2018", "2019")],
    },
    "measures": {"observation": [{"id": "OBS_VALUE"}]},
    "attributes": {
        "dataSet": [component("TITLE", {"name": "All"})],
        "dimensionGroup": [component("UNIT", "kg", "t")],
        "series": [{"id": "NOTE"}],
        "observation": [component("STATUS", None, "E"), {"id": "TAGS"}],
    },
}
SETS = {
    "structure": 0,
    "action": "Replace",
    "attributes": [0],
    "dimensionGroupAttributes": {":0::": [0], ":1::": [1]},
    "series": {
        "0:1": {"attributes": ["one"], "observations": {"0": [1.5, 1], "1": [None, 0, ["a", "b"]]}},
        "1:0": {"attributes": [None], "observations": {"1": [7]}},
    },
}
WANTED = [
    {"AREA": "004", "SEX": "M", "TIME_PERIOD": "2018", "OBS_VALUE": "1.5", "STATUS": "E", "NOTE": "one", "UNIT": "kg"},
    {"AREA": "004", "SEX": "M", "TIME_PERIOD": "2019", "TAGS": ["a", "b"], "NOTE": "one", "UNIT": "kg"},
    {"AREA": "NA", "SEX": "F", "TIME_PERIOD": "2019", "OBS_VALUE": "7", "UNIT": "t"},
]
WANTED = [{"FREQ": "A", "TITLE": "All", **one} for one in WANTED]


def message(*sets: dict, structure: dict = STRUCTURE) -> bytes:
    return json.dumps({"meta": {"id": "x"}, "data": {"structures": [structure], "dataSets": list(sets)}}).encode()


def rows(found) -> list[dict]:
    return [
        {name: value for name, value in one.items() if value is not None and name != "_row"}
        for batch in found.batches
        for one in batch.to_pylist()
    ]


def test_series():
    [found] = read_rows(message(SETS))
    assert (found.structure, found.action) == ("X:DF(1.0)", "Replace")
    assert rows(found) == WANTED
    assert {"FREQ", "UNIT", "OBS_VALUE"} < found.given


def test_the_same_flat_and_by_another_dimension():
    dimensions = STRUCTURE["dimensions"]
    observations = {"0:1:0": [1.5, 1], "0:1:1": [None, 0, ["a", "b"]], "1:0:1": [7]}
    shared = {name: value for name, value in SETS.items() if name != "series"}
    flat = STRUCTURE | {
        "dimensions": {
            "dataSet": dimensions["dataSet"],
            "observation": [*dimensions["series"], *dimensions["observation"]],
        }
    }
    without_note = [{name: value for name, value in one.items() if name != "NOTE"} for one in WANTED]
    [found] = read_rows(message(shared | {"observations": observations}, structure=flat))
    assert rows(found) == without_note
    across = STRUCTURE | {
        "dimensions": dimensions
        | {"series": [*dimensions["series"][1:], *dimensions["observation"]], "observation": dimensions["series"][:1]}
    }
    series = {
        "1:0": {"observations": {"0": [1.5, 1]}},
        "1:1": {"observations": {"0": [None, 0, ["a", "b"]]}},
        "0:1": {"observations": {"1": [7]}},
    }
    keyed = shared | {"dimensionGroupAttributes": {":::0": [0], ":::1": [1]}, "series": series}
    [found] = read_rows(message(keyed, structure=across))
    assert rows(found) == without_note


def test_a_series_without_observations_is_told_all_the_same():
    sets = SETS | {"series": {"0:0": {"attributes": ["said"]}, "1:1": {"observations": {}}, **SETS["series"]}}
    found = rows(read_rows(message(sets))[0])
    assert found[:2] == [
        {"FREQ": "A", "AREA": "004", "SEX": "F", "NOTE": "said", "UNIT": "kg", "TITLE": "All"},
        {"FREQ": "A", "AREA": "NA", "SEX": "M", "UNIT": "t", "TITLE": "All"},
    ]
    assert found[2:] == WANTED


def test_version_1_has_one_structure_and_one_measure():
    structure = {name: value for name, value in STRUCTURE.items() if name != "measures"}
    plain = {name: value for name, value in SETS.items() if name != "structure"}
    data = json.dumps({"data": {"structure": structure, "dataSets": [plain]}}).encode()
    assert rows(read_rows(data)[0]) == WANTED


def test_several_data_sets_of_several_structures():
    other = json.loads(json.dumps(STRUCTURE).replace("X:DF", "X:OTHER"))
    body = {"structures": [STRUCTURE, other], "dataSets": [SETS | {"structure": 1, "action": "Delete"}, SETS]}
    found = read_rows(json.dumps({"data": body}).encode())
    assert [(one.structure, one.action) for one in found] == [("X:OTHER(1.0)", "Delete"), ("X:DF(1.0)", "Replace")]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_marks_of_encodings(encoding):
    assert rows(read_rows(message(SETS).decode().encode(encoding))[0]) == WANTED


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda text: text[:-20], "a.json, line 1, column .*: The JSON cannot be read"),
        (lambda text: b"{" + b'"a":{' * 100_000, "The JSON cannot be read"),
        (lambda text: text.replace(b'"0:1"', b'"0"'), "has not an index each for AREA, SEX"),
        (lambda text: text.replace(b'"0:1"', b'"0:x"'), "has not an index each"),
        (lambda text: text.replace(b'"0:1"', b'"0:9"'), "SEX has 2 values and an index of 9"),
        (lambda text: text.replace(b"[1.5, 1]", b"[1.5, 5]"), "STATUS has 2 values and an index of 5"),
        (lambda text: text.replace(b'"structure": 0', b'"structure": 3'), "of structure 3, which is not there"),
        (lambda text: text.replace(b"Replace", b"Remove"), "'Remove' is not known"),
        (lambda text: b'{"errors": [{"code": 404, "title": "No data"}]}', "no data sets: No data"),
        (lambda text: b"[1, 2]", "no data sets"),
        (lambda text: b'{"data": {"dataSets": [{}]}}', "no data sets"),
        (lambda text: b'{"data": [1]}', "not built as SDMX-JSON is"),
        (lambda text: text.replace(b'"id": "STATUS"', b'"no": 1'), "not built as SDMX-JSON is: there is no 'id'"),
        (lambda text: text.replace(b'"id": "STATUS"', b'"id": []'), "not built as SDMX-JSON is"),
        (lambda text: text.replace(b'"0:1"', b'"0:99999999999999999999"'), "not built as SDMX-JSON is"),
        (lambda text: text.replace(b'"Replace"', b"5"), "not built as SDMX-JSON is"),
    ],
)
def test_bad_messages_are_refused(change, words):
    with pytest.raises(BadData, match=words):
        [rows(found) for found in read_rows(change(message(SETS)), name="a.json")]


PLAIN = STRUCTURE | {"attributes": {"observation": [component("STATUS", None, "E"), {"id": "X"}]}}


def test_plain_runs_and_what_only_looks_like_them_give_the_same_rows():
    series = {"0:0": {"observations": {"0": [1.5, 1, 7], "1": [None, 0]}}, "1:1": {"observations": {"1": []}}}
    wanted = [
        {"FREQ": "A", "AREA": "004", "SEX": "F", "TIME_PERIOD": "2018", "OBS_VALUE": "1.5", "STATUS": "E", "X": "7"},
        {"FREQ": "A", "AREA": "004", "SEX": "F", "TIME_PERIOD": "2019"},
        {"FREQ": "A", "AREA": "NA", "SEX": "M", "TIME_PERIOD": "2019"},
    ]
    assert rows(read_rows(message({"series": series}, structure=PLAIN))[0]) == wanted
    series["1:0"] = {"observations": {"0": [3, 1, "text"]}}
    series["0:1"] = {"observations": {"0": [4, 0, [1, 2]]}}
    series["0:1"]["observations"]["1"] = [5]
    assert rows(read_rows(message({"series": series}, structure=PLAIN))[0]) == [
        *wanted,
        {"FREQ": "A", "AREA": "NA", "SEX": "F", "TIME_PERIOD": "2018", "OBS_VALUE": "3", "STATUS": "E", "X": "text"},
        {"FREQ": "A", "AREA": "004", "SEX": "M", "TIME_PERIOD": "2018", "OBS_VALUE": "4", "X": ["1", "2"]},
        {"FREQ": "A", "AREA": "004", "SEX": "M", "TIME_PERIOD": "2019", "OBS_VALUE": "5"},
    ]


def test_lists_of_places_are_the_values_that_stand_there():
    structure = STRUCTURE | {"attributes": {"observation": [component("STATUS", "E", "P", "A")]}}
    cells = {"0": [1, [0, 2]], "1": [2, [1]], "2": [3, 2], "3": [4, None], "4": [5, [0, None, "X"]]}
    structure["dimensions"] = {"observation": [component("AREA", *"abcde")]}
    found = rows(read_rows(message({"observations": cells}, structure=structure))[0])
    assert [one.get("STATUS") for one in found] == [["E", "A"], ["P"], ["A"], None, ["E", "X"]]
    with pytest.raises(BadData, match="STATUS has 3 values and an index of 3"):
        rows(read_rows(message({"observations": {"0": [1, [0, 3]]}}, structure=structure))[0])


def test_several_texts_keep_their_languages():
    cells = [[{"en": "a", "fr": "b"}, {"en": "c"}], ["d"], None, {"fr": "e"}]
    assert texts(cells).to_pylist() == [
        [[("en", "a"), ("fr", "b")], [("en", "c")]],
        [[("en", "d")]],
        None,
        [[("fr", "e")]],
    ]


@pytest.mark.parametrize("text", ["  ", " ", "1 2", "null ", "n u"])
def test_blanks_in_text_stay(text):
    structure = STRUCTURE | {"attributes": {"observation": [{"id": "X"}]}}
    series = {"0:0": {"observations": {"0": [1.5, text]}}}
    [found] = rows(read_rows(message({"series": series}, structure=structure))[0])
    assert found["X"] == text


@pytest.mark.parametrize("run", ['"0":[1.5]"1":[2]', '"0":[1.5,"1":[2]', '"0":[1..5]x', '"0":[1]]', '"0":1.5,"1":[2]'])
def test_runs_that_are_broken_are_refused(run):
    whole = message({"series": {"0:0": {"observations": {"0": [1.5], "1": [2]}}}}, structure=PLAIN)
    with pytest.raises(BadData):
        rows(read_rows(whole.replace(b'"0": [1.5], "1": [2]', run.encode()))[0])


def test_long_runs_are_cut_between_observations():
    run = b",".join(b'"%d":[%d,0]' % (place, place) for place in range(600_000))
    parts = list(blocks(run))
    assert len(parts) > 1
    assert b",".join(parts) == run
    assert all(cut(part) for part in parts)


TEXT = st.one_of(
    st.sampled_from(["A", "null", "1", "a b", "a,b", '],"', '":[', "}", "é", "\\", ""]), st.text(max_size=4)
)
NUMBERS = st.one_of(st.none(), st.integers(-(2**53), 2**53), st.floats(allow_nan=False, allow_infinity=False))


@given(st.lists(NUMBERS, max_size=6))
def test_numbers_come_back_as_the_same_numbers(cells):
    assert [None if one is None else float(one) for one in texts(cells).to_pylist()] == [
        None if one is None else float(one) for one in cells
    ]


CELLS = st.one_of(NUMBERS, TEXT)


def compared(data: bytes) -> list:
    """Give rows to compare: numbers may be written in several ways, and one that is null or empty is none."""

    def same(text: str):
        return float(text) if re.fullmatch(r"-?\d+(\.\d+)?(e[+-]?\d+)?", text, re.ASCII) else text

    told = [{name: same(text) for name, text in one.items() if text} for one in rows(read_rows(data)[0])]
    return sorted((sorted(one.items(), key=str) for one in told), key=str)


@given(
    st.dictionaries(
        st.tuples(st.integers(0, 1), st.integers(0, 1), st.integers(0, 1)), st.lists(CELLS, max_size=2), min_size=1
    )
)
def test_series_and_flat_give_the_same_rows(cells):
    structure = STRUCTURE | {"attributes": {"observation": [{"id": "X"}]}}
    series: dict = {}
    for (area, sex, time), one in cells.items():
        series.setdefault(f"{area}:{sex}", {"observations": {}})["observations"][str(time)] = one
    flat = {":".join(map(str, key)): one for key, one in cells.items()}

    def told(data):
        return compared(message(data, structure=structure))

    assert told({"series": series}) == told({"observations": flat})
    compact = message({"series": series}, structure=structure).decode()
    dense = json.dumps(json.loads(compact), separators=(",", ":"), ensure_ascii=False)
    assert compared(dense.encode()) == told({"series": series})
