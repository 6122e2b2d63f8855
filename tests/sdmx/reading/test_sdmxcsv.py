from __future__ import annotations

import csv
import gzip
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from statcommons.core.errors import BadCall, BadData, NoInput
from statcommons.sdmx.model import Item, Ref, Scheme
from statcommons.sdmx.reading import read_rows
from statcommons.sdmx.structure import Component, Structure

HEAD = "STRUCTURE,STRUCTURE_ID,ACTION,AREA,TIME_PERIOD,OBS_VALUE\n"
ROW = "dataflow,X:DF(1.0),I,004,2018,1.5\n"


def rows(data: bytes | str, **options) -> list[dict]:
    [found] = read_rows(data.encode() if isinstance(data, str) else data, **options)
    return [one for batch in found.batches for one in batch.to_pylist()]


AREAS = Scheme("codelist", "X", "CL_AREA", items=(Item("004"), Item("NA")))
FLOW = Structure(
    Ref("dataflow", "X", "DF"),
    Ref("datastructure", "X", "DSD"),
    {},
    {},
    (
        Component("AREA", "dimension", "text", codelist=AREAS.ref),
        Component("OBS_VALUE", "measure", "number"),
        Component("COMMENT", "attribute", "text"),
    ),
    (AREAS,),
)


def test_codes_stay_text():
    found = rows(HEAD + "".join(f"dataflow,X:DF(1.0),I,{code},2018,1\n" for code in ("004", "NA", "1E5", "null", "4")))
    assert [one["AREA"] for one in found] == ["004", "NA", "1E5", "null", "4"]


def test_an_empty_cell_is_missing_with_quotes_and_without():
    found = rows(HEAD + 'dataflow,X:DF(1.0),I,"",,1\n')
    assert (found[0]["AREA"], found[0]["TIME_PERIOD"]) == (None, None)


@pytest.mark.parametrize(
    "change",
    [
        lambda text: b"\xef\xbb\xbf" + text.encode(),
        lambda text: text.encode("utf-16"),
        lambda text: text.replace("\n", "\r\n").encode(),
        lambda text: text.replace("\n", "\r").encode(),
        lambda text: text.replace("\n", "\r\n", 1).encode(),
        lambda text: text.replace(",", ";").encode(),
        lambda text: text.replace(",", "\t").encode(),
        lambda text: gzip.compress(text.encode()),
        lambda text: text.rstrip("\n").encode(),
        lambda text: (text + "\n\n").encode(),
        lambda text: text.replace("STRUCTURE,", '"STRUCTURE",').encode(),
        lambda text: text.replace("dataflow", '"dataflow"').encode(),
    ],
    ids=[
        "bom",
        "utf-16",
        "crlf",
        "cr",
        "mixed",
        "semicolon",
        "tab",
        "gzip",
        "no end",
        "blank end",
        "quoted head",
        "quoted",
    ],
)
def test_the_same_rows_however_they_are_written(change):
    assert rows(change(HEAD + ROW)) == [{"AREA": "004", "TIME_PERIOD": "2018", "OBS_VALUE": "1.5", "_row": 2}]


WORDS = ("mąka pszenna żytnia", "gęś świeża", "łosoś wędzony", "śliwka", "jabłko późne", "źrebię", "ćwikła", "chleb")


def test_a_file_of_windows_is_recoded():
    text = "DATAFLOW,AREA,COMMENT\n" + "".join(f"X:DF(1.0),{n},{word}\n" for n, word in enumerate(WORDS))
    assert [one["COMMENT"] for one in rows(text.encode("cp1250"))] == list(WORDS)
    said = rows(text.encode("iso8859-2"), mapping={"format": {"encoding": "latin2"}})
    assert [one["COMMENT"] for one in said] == list(WORDS)


def test_lines_are_counted_over_breaks_in_cells_and_blank_lines():
    text = 'DATAFLOW,AREA,COMMENT\nX:DF,1,"a\nb\nc"\nX:DF,2,d\n'
    assert [(one["AREA"], one["_row"]) for one in rows(text)] == [("1", 2), ("2", 5)]
    text = 'DATAFLOW,AREA,COMMENT\n\nX:DF,1,a\n\n\nX:DF,2,"b\nc"\nX:DF,3,d\n'
    assert [(one["AREA"], one["_row"]) for one in rows(text)] == [("1", 3), ("2", 6), ("3", 8)]


def test_a_decimal_comma_is_told_and_not_guessed():
    text = (HEAD + ROW).replace(",", ";").replace("1.5", "1,5")
    assert rows(text)[0]["OBS_VALUE"] == "1,5"
    assert rows(text, mapping={"format": {"decimal": ","}})[0]["OBS_VALUE"] == "1.5"


def test_labels_are_cut_off_codes_and_not_off_text():
    text = "DATAFLOW,AREA: Area,OBS_VALUE: Value,COMMENT: Remark\nX:DF(1.0): Flow,004: Four: the area,1.5,see: below\n"
    [found] = read_rows(text.encode(), FLOW)
    assert found.structure == "X:DF(1.0)"
    [row] = [one for batch in found.batches for one in batch.to_pylist()]
    assert row == {"AREA": "004", "OBS_VALUE": "1.5", "COMMENT": "see: below", "_row": 2}


@pytest.mark.parametrize("structure", [None, FLOW])
def test_columns_of_names_are_left_out(structure):
    text = (
        "STRUCTURE,STRUCTURE_ID,STRUCTURE_NAME,ACTION,AREA,Area,OBS_VALUE,Value,COMMENT,Comment\n"
        "dataflow,X:DF(1.0),Flow,I,NA,Namibia,1.5,,fine,\n"
    )
    [row] = rows(text, structure=structure)
    assert row == {"AREA": "NA", "OBS_VALUE": "1.5", "COMMENT": "fine", "_row": 2}


def test_no_action_informs():
    assert read_rows((HEAD + ROW.replace(",I,", ",,")).encode())[0].action == "Information"
    assert read_rows(b"STRUCTURE,STRUCTURE_ID,A\ndataflow,X:DF(1.0),1\n")[0].action == "Information"


def test_keys_say_nothing_new():
    text = "STRUCTURE,STRUCTURE_ID,ACTION,SERIES_KEY,OBS_KEY,AREA,OBS_VALUE\ndataflow,X:DF(1.0),I,A.B,A.B.C,NA,1\n"
    assert rows(text) == [{"AREA": "NA", "OBS_VALUE": "1", "_row": 2}]


def test_several_values_and_languages():
    text = (
        "STRUCTURE[|],STRUCTURE_ID,A[],B[en|fr],C[][en|fr]\n"
        'dataflow,X:DF(1.0),"a;b|c",en:one|fr:un,"""en:one|fr:un""|""en:two"""\n'
    )
    [row] = rows(text)
    assert row["A"] == ["a;b", "c"]
    assert row["B"] == [("en", "one"), ("fr", "un")]
    assert row["C"] == [[("en", "one"), ("fr", "un")], [("en", "two")]]


@pytest.mark.parametrize(
    ("cell", "texts"),
    [
        ("en:one;ar:two", [("en", "one"), ("ar", "two")]),
        ("plain;second", [("en", "plain"), ("en", "second")]),
        ("one;ar:two", [("en", "one"), ("ar", "two")]),
        ("fr:un;pt-BR:um", [("fr", "un"), ("pt-BR", "um")]),
        ("re: a text", [("en", "re: a text")]),
        ("ftp://x.org", [("en", "ftp://x.org")]),
        ("Note:x", [("en", "Note:x")]),
    ],
)
def test_no_text_in_languages_is_lost(cell, texts):
    [row] = rows(f"STRUCTURE[;],STRUCTURE_ID,TITLE[en;ar]\ndataflow,X:DF(1.0),{cell}\n")
    assert row["TITLE"] == texts


def test_rows_of_several_structures_keep_their_lines():
    text = HEAD + "".join(f"dataflow,X:D{n % 2}(1.0),{'IM'[n % 2]},{n},2018,1\n" for n in range(6))
    first, second = read_rows(text.encode())
    assert (first.structure, first.action, second.structure, second.action) == (
        "X:D0(1.0)",
        "Information",
        "X:D1(1.0)",
        "Merge",
    )
    assert [batch["_row"].to_pylist() for batch in second.batches] == [[3, 5, 7]]
    assert "_action" not in next(iter(second.batches)).schema.names


def test_actions_that_differ_stand_in_each_row():
    text = HEAD + ROW + ROW.replace(",I,", ",D,")
    assert [one["_action"] for one in rows(text)] == ["Information", "Delete"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "The file is empty"),
        ("  \n ", "The file is empty"),
        (HEAD, "a header and no rows"),
        (HEAD + ROW.replace(",I,", ",X,"), "'X' is not known.*Known: I"),
        (HEAD + ROW + "dataflow,X:DF(1.0),I,004,2018\n", "row 3: the row has 5 cells and the header 6"),
        (HEAD + ROW.replace("X:DF(1.0)", ""), "row 2: the structure is missing"),
        ("STRUCTURE,ACTION,AREA\ndataflow,I,004\n", "The second column is 'ACTION'"),
        (HEAD.replace("TIME_PERIOD", "AREA") + ROW, "names a column twice: AREA"),
    ],
)
def test_bad_files_are_refused_with_the_place(text, words):
    with pytest.raises(BadData, match=words):
        rows(text)


@pytest.mark.parametrize("end", ["", "\n", "\r\n", "\n\n"])
@pytest.mark.parametrize("head", ["DATAFLOW", '"DATAFLOW"', "DATAFLOW,AREA,OBS_VALUE", HEAD.rstrip()])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_a_header_alone_has_no_rows(mark, head, end):
    with pytest.raises(BadData, match="The file has a header and no rows"):
        rows(f"{mark}{head}{end}")


@pytest.mark.parametrize("end", ["", "\n"])
def test_a_table_of_a_header_alone_has_none_either(end):
    assert rows(f"FREQ,AREA{end}") == []


def test_all_rows_that_do_not_fit_are_named():
    text = HEAD + ROW + "dataflow,1,2\n" + ROW + ROW.strip() + ",7\n"
    with pytest.raises(BadData) as caught:
        rows(text)
    assert [cause.where for cause in caught.value.causes] == ["(bytes), row 3", "(bytes), row 5"]


def test_a_nul_and_a_broken_gzip_are_refused():
    with pytest.raises(BadData, match=r"\(bytes\), row 2: .*NUL"):
        rows(HEAD + "dataflow,X:DF(1.0),I,0\0004,2018,1.5\n")
    with pytest.raises(BadData, match="broken"):
        rows(gzip.compress((HEAD + ROW * 100).encode())[:-20])


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(NoInput, match="no such file"):
        read_rows(tmp_path / "none.csv")
    with pytest.raises(BadCall, match="encoding"):
        read_rows((HEAD + ROW).encode(), mapping={"format": {"encoding": "utf-99"}})


CELL = st.text(st.characters(codec="utf-8", exclude_characters="\0\r\x1a", exclude_categories=("Cs",)), max_size=8)


@given(st.lists(st.lists(CELL, min_size=3, max_size=3), min_size=1, max_size=12), st.sampled_from(",;\t|"))
def test_whatever_a_cell_holds_comes_back(cells, separator):
    text = io.StringIO()
    writer = csv.writer(text, delimiter=separator, lineterminator="\n")
    writer.writerow(["STRUCTURE", "STRUCTURE_ID", "A", "B", "C"])
    writer.writerows([["dataflow", "X:DF(1.0)", *row] for row in cells])
    found = rows(text.getvalue())
    assert [[one[name] for name in "ABC"] for one in found] == [[cell or None for cell in row] for row in cells]
    starts, line = [], 2
    for row in cells:
        starts.append(line)
        line += 1 + sum(cell.count("\n") for cell in row)
    assert [one["_row"] for one in found] == starts


def test_rows_can_be_read_twice():
    [found] = read_rows((HEAD + ROW).encode())
    assert [b.num_rows for b in found.batches] == [b.num_rows for b in found.batches] == [1]
