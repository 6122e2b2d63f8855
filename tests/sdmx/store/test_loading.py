"""Files loaded into a store: which dataflow they are of, and what is done with them."""

from dataclasses import replace

import pyarrow as pa
import pytest
from sdmx_made import AREA, FREQ, HEADER, SEX, TIME, VALUE, component, data_set, structure
from sdmx_stores import FLOW, STRUCTURE, opened

from statcommons.core.errors import BadCall
from statcommons.sdmx.formats import FORMATS, Options
from statcommons.sdmx.message import Rows, acting
from statcommons.sdmx.store import Store
from statcommons.sdmx.structure import Component, artefacts_of

HEAD = "STRUCTURE,STRUCTURE_ID,ACTION,FREQ,AREA,TIME_PERIOD,OBS_VALUE\n"
OTHER = replace(STRUCTURE, flow=replace(FLOW, id="DF_Y"))


def line(flow=FLOW, action="M", period="2020", value="1") -> str:
    return f"dataflow,{flow},{action},A,004,{period},{value}\n"


def test_files_of_several_dataflows_are_loaded_with_another_action(tmp_path):
    store = opened(tmp_path / "store")
    store.add_structures(artefacts_of(OTHER))
    files = [f"{HEAD}{line(flow)}{line(flow, 'D', '2021')}".encode() for flow in (FLOW, OTHER.flow)]
    done = store.load(*files, action="Replace")
    assert [(one.flow, one.changed.added) for one in done] == [(FLOW, 2), (OTHER.flow, 2)]


def test_rows_with_another_action_are_read_again_at_each_turn():
    rows = acting(Rows([pa.record_batch({"AREA": ["004"], "_action": ["Merge"]})]), "Delete")
    assert [[one.to_pylist() for one in rows.batches] for _ in range(2)] == [[[{"AREA": "004"}]]] * 2


def test_a_data_structure_without_a_dataflow_is_told(tmp_path):
    artefacts = [one for one in artefacts_of(STRUCTURE) if one.kind != "dataflow"]
    data = f"{HEAD}{line(STRUCTURE.definition)}".replace("dataflow", "datastructure").encode()
    with pytest.raises(BadCall, match=r"DSD_X\(1\.0\) has no dataflow.*Add a dataflow of it to the structure message"):
        Store(tmp_path / "store").load(data, structures=artefacts)
    store = opened(tmp_path / "other")
    store.add_structures(artefacts_of(replace(OTHER, definition=replace(STRUCTURE.definition, id="DSD_Y"))))
    with pytest.raises(
        BadCall, match=r"There is no dataflow SC:DF_Z\(1\.0\).*There are: SC:DF_X\(1\.0\), SC:DF_Y\(1\.0\)"
    ):
        store.load(f"{HEAD}{line('SC:DF_Z(1.0)')}".encode())


def test_data_before_their_structure_are_told_what_is_missing(tmp_path):
    with pytest.raises(BadCall, match="Load a structure message that has a dataflow"):
        Store(tmp_path / "store").load(f"{HEAD}{line()}".encode())


WORDS = structure(
    FREQ,
    AREA,
    SEX,
    TIME,
    VALUE,
    component("FLAGS", "attribute", codes="CL_STATUS", multiple=True, required=False),
    component("COMMENT", "attribute", required=False),
    component("REMARKS", "attribute", multiple=True, multilingual=True, required=False),
    component("ABOUT", "attribute", multilingual=True, attachment="series", dimensions=("FREQ", "REF_AREA", "SEX")),
)
SAID = [
    (["A", "E"], "Note: a", [[("en", "a;b"), ("fr", '"q"')], [("en", "c")]], [("en", "x;y: z"), ("km", "é")]),
    (["E"], None, [[("en", "c")], [("fr", "d")]], [("en", "x;y: z"), ("km", "é")]),
    (None, "b", None, [("fr", "fr:z")]),
]


@pytest.mark.parametrize("labels", ["id", "both"])
@pytest.mark.parametrize("name", ["csv-2.0", "csv-2.1", "json-2.0", "json-2.1", "ml-3.0", "ml-3.1"])
def test_words_are_loaded_as_their_structure_has_them(tmp_path, name, labels):
    keys = [("A", "116", "F", "2018", 1.0), ("A", "116", "F", "2019", 2.0), ("A", "764", "F", "2018", 3.0)]
    rows = [(*key, *said) for key, said in zip(keys, SAID, strict=True)]
    store = Store(tmp_path / "store")
    store.add_structures(artefacts_of(WORDS))
    store.load(b"".join(FORMATS[name].write([data_set(WORDS, rows)], HEADER, Options(labels=labels))))
    found = store.query(WORDS.flow).select(["FLAGS", "COMMENT", "REMARKS", "ABOUT"])
    assert [tuple(row.values()) for row in found.to_pylist()] == SAID


@pytest.mark.parametrize("word", ["NaN", "#N/A"])
@pytest.mark.parametrize("attachment", ["observation", "series", "dataflow"])
@pytest.mark.parametrize("multiple", [False, True])
def test_a_number_that_is_missing_on_purpose_may_be_said_of_anything(tmp_path, word, attachment, multiple):
    of = ("FREQ", "AREA") if attachment == "series" else ()
    weight = Component(
        "WEIGHT", "attribute", "number", required=False, attachment=attachment, dimensions=of, multiple=multiple
    )
    store = Store(tmp_path / "store")
    store.add_structures(artefacts_of(replace(STRUCTURE, components=(*STRUCTURE.components, weight))))
    head = f"STRUCTURE[;],STRUCTURE_ID,FREQ,AREA,TIME_PERIOD,OBS_VALUE,WEIGHT{'[]' if multiple else ''}\n"
    rows = "".join(f"dataflow,{FLOW},A,004,{year},1,{word}\n" for year in (2020, 2021))
    [done] = store.load(f"{head}{rows}".encode())
    assert done.changed.added == 2
    assert repr(store.query(FLOW)["WEIGHT"].to_pylist()) == repr([[float("nan")] if multiple else float("nan")] * 2)
    other = rows.replace(word, "NaN")  # the other word says nothing new
    assert not store.load(f"{head}{other}".encode())[0].changed
