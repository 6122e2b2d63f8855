from __future__ import annotations

import datetime
import errno
import json
from pathlib import Path

import duckdb
import fastexcel
import pyarrow as pa
import pytest
import xlsxwriter
from pyarrow import parquet

from statcommons.core.errors import BadCall, BadData, NoInput, NotAllowed, TryAgain
from statcommons.sdmx.model import Item, Ref, Scheme
from statcommons.sdmx.reading import checked, read_rows
from statcommons.sdmx.reading.template import write_template
from statcommons.sdmx.structure import Component, Structure

AREAS = Scheme("codelist", "X", "CL_AREA", name={"en": "Areas"}, items=(Item("004", {"en": "Afghanistan"}), Item("NA")))
FLOW = Structure(
    Ref("dataflow", "X", "DF"),
    Ref("datastructure", "X", "DSD"),
    {"en": "Sales"},
    {"en": "All of them"},
    (
        Component("FREQ", "dimension", "text"),
        Component("AREA", "dimension", "text", codelist=AREAS.ref, name={"en": "Area"}),
        Component("TIME_PERIOD", "time", "period"),
        Component("OBS_VALUE", "measure", "number"),
        Component("NOTE", "attribute", "text", required=False),
        Component("UNIT", "attribute", "text", attachment="dataflow", constant="kg"),
    ),
    (AREAS,),
)
MAPPING = """
[columns]
AREA = "Country code"
TIME_PERIOD = "When"
OBS_VALUE = "How many"
[constants]
FREQ = "D"
[codes.AREA]
"4" = "004"
[format]
decimal = ","
date = "%d/%m/%Y"
"""


def rows(given, structure=None, **options) -> list[dict]:
    [found] = read_rows(given, structure, **options)
    return [one for batch in found.batches for one in batch.to_pylist()]


def test_a_mapping_file_says_what_a_table_means(tmp_path):
    (tmp_path / "how.toml").write_text(MAPPING)
    text = "Country code;When;How many;Remark\n4;31/12/2020;1,5;x\nNA;01/01/2021;2;y\n"
    found = rows(text.encode(), FLOW, mapping=tmp_path / "how.toml")
    assert found == [
        {"FREQ": "D", "AREA": "004", "TIME_PERIOD": "2020-12-31", "OBS_VALUE": "1.5", "_row": 2},
        {"FREQ": "D", "AREA": "NA", "TIME_PERIOD": "2021-01-01", "OBS_VALUE": "2", "_row": 3},
    ]
    with duckdb.connect() as connection:
        good = checked(connection, read_rows(text.encode(), FLOW, mapping=tmp_path / "how.toml"), FLOW)
        assert good.given == {"FREQ", "AREA", "TIME_PERIOD", "OBS_VALUE"}


@pytest.mark.parametrize(("form", "text", "wanted"), [("%m/%Y", "05/2020", "2020-05"), ("%Y", "2020", "2020")])
def test_a_date_is_as_long_as_its_form_tells(form, text, wanted):
    found = rows(f"TIME_PERIOD,OBS_VALUE\n{text},1\nodd,2\n".encode(), mapping={"format": {"date": form}})
    assert [one["TIME_PERIOD"] for one in found] == [wanted, "odd"]


def test_a_mapping_works_on_messages_too():
    cube = {
        "class": "dataset",
        "id": ["Area"],
        "size": [1],
        "dimension": {"Area": {"category": {"index": ["4"]}}},
        "value": [1],
    }
    found = rows(
        json.dumps(cube).encode(), FLOW, mapping={"columns": {"AREA": "Area"}, "codes": {"AREA": {"4": "004"}}}
    )
    assert found == [{"AREA": "004", "OBS_VALUE": "1", "_row": 1}]


@pytest.mark.parametrize(
    ("mapping", "words"),
    [
        ({"colums": {}}, r"\[colums\].*Did you mean 'columns'"),
        ({"format": {"decimals": ","}}, "'decimals'.*Did you mean 'decimal'"),
        ({"format": {"decimal": ";"}}, "decimal is ';'"),
        ({"constants": {"FREQ": 1}}, "not text"),
        ({"codes": "x"}, "codes is no section"),
        ({"format": 3}, "format is no section"),
        ({"format": {"delimiter": ";;"}}, "delimiter is ';;'"),
        ({"format": {"encoding": "nope"}}, r"\(bytes\): The encoding 'nope' cannot be"),
        ({"columns": {"X": "A", "Y": "A"}}, "takes the column 'A' for several components"),
    ],
)
def test_a_mapping_that_cannot_be(mapping, words):
    with pytest.raises(BadCall, match=words):
        rows(b"A,B\n1,2\n", mapping=mapping)


def test_a_mapping_file_that_is_none(tmp_path):
    with pytest.raises(NoInput, match="mapping file"):
        rows(b"A,B\n1,2\n", mapping=tmp_path / "none.toml")
    (tmp_path / "bad.toml").write_text("[columns")
    with pytest.raises(BadCall, match="not TOML"):
        rows(b"A,B\n1,2\n", mapping=tmp_path / "bad.toml")


def test_a_column_that_the_mapping_names_and_the_file_lacks():
    with pytest.raises(BadData, match=r"no column 'Countri code'.*Did you mean 'Country code'"):
        rows(b"Country code,B\n1,2\n", mapping={"columns": {"AREA": "Countri code"}})


@pytest.mark.parametrize(("head", "words"), [("A,A", "names A twice"), ("A,", "Column 2 has no name")])
def test_a_header_that_cannot_be_used(head, words):
    with pytest.raises(BadData, match=words):
        rows(f"{head}\n1,2\n".encode())


def test_what_is_no_table_is_told_with_its_place_and_not_read_for_ever():
    with pytest.raises(BadData, match=r"row 1: The header has 200,000 columns"):
        rows(",".join(f"C{number}" for number in range(200_000)).encode() + b"\n1\n")
    with pytest.raises(BadData, match=r"row 1: The file cannot be read as CSV: field larger"):
        rows(b"x" * 3_000_000 + b"\n1\n")
    with pytest.raises(BadData, match=r"row 2: The file cannot be read as CSV: field larger"):
        rows(b"A,B\n" + b"x" * 3_000_000 + b"\n")


@pytest.fixture
def workbook(tmp_path):
    def write(*lines, sheet="Data"):
        with xlsxwriter.Workbook(tmp_path / "a.xlsx") as book:
            day = book.add_format({"num_format": "yyyy-mm-dd"})
            book.add_worksheet("About").write_string(0, 0, "x")
            page = book.add_worksheet(sheet)
            for row, line in enumerate(lines):
                for column, cell in enumerate(line):
                    if isinstance(cell, tuple):
                        page.write_formula(row, column, *cell)
                    elif isinstance(cell, datetime.date):
                        page.write_datetime(row, column, cell, day)
                    elif isinstance(cell, str):
                        page.write_string(row, column, cell)
                    elif cell is not None:
                        page.write(row, column, cell)
        return tmp_path / "a.xlsx"

    return write


def test_cells_of_excel_are_text_and_numbers_whole(workbook):
    file = workbook(
        [],
        ["AREA", "TIME_PERIOD", "OBS_VALUE", "NOTE"],
        ["004", 2018, 1 / 3, True],
        [],
        ["NA", "2018-Q1", 1e-12, " x "],
        ["1E5", datetime.date(2020, 1, 1), 5.0, None],
    )
    assert rows(file, mapping={"format": {"sheet": "Data"}}) == [
        {"AREA": "004", "TIME_PERIOD": "2018", "OBS_VALUE": "0.3333333333333333", "NOTE": "true", "_row": 3},
        {"AREA": "NA", "TIME_PERIOD": "2018-Q1", "OBS_VALUE": "1e-12", "NOTE": " x ", "_row": 5},
        {"AREA": "1E5", "TIME_PERIOD": "2020-01-01 00:00:00", "OBS_VALUE": "5", "NOTE": None, "_row": 6},
    ]


DATA_SHEET = {"format": {"sheet": "Data"}}


def test_a_formula_of_excel_is_what_it_gives(workbook):
    file = workbook(["AREA", "OBS_VALUE"], ["NA", ("=1+0.25", None, 1.25)], ["  ", None], ["004", 2])
    assert [one["OBS_VALUE"] for one in rows(file, mapping=DATA_SHEET)] == ["1.25", "2"]


def test_formulas_that_end_in_an_error_are_told(workbook):
    cells = [("=1/0", None, "#DIV/0!"), ("=NA()", None, "#N/A")]
    with pytest.raises(BadData) as caught:
        rows(
            workbook(["AREA", "OBS_VALUE", "NOTE"], ["NA", 1, cells[1]], ["004", cells[0], cells[1]]),
            mapping=DATA_SHEET,
        )
    assert [(one.where, one.value, one.rows) for one in caught.value.causes] == [
        ("a.xlsx, row 3, column OBS_VALUE", "#DIV/0!", 1),
        ("a.xlsx, row 2, column NOTE", "#N/A", 2),
    ]


def test_what_stands_beside_the_table_is_told(workbook):
    beside = [None] * 24 + ["seen"]
    with pytest.raises(BadData, match=r"The cell AA3 stands beside the table: 'seen'.*Name its column in row 1"):
        rows(workbook(["AREA", "OBS_VALUE"], ["NA", 1], [*["004", 2], *beside]), mapping=DATA_SHEET)


def test_a_cell_far_away_does_not_end_the_process(tmp_path):
    with xlsxwriter.Workbook(tmp_path / "a.xlsx") as book:
        page = book.add_worksheet()
        for cell in ("A1", "A2", "XFD1048576"):
            page.write_string(cell, "x")
    with pytest.raises(BadData, match=r"a\.xlsx: A sheet reaches to the cell XFD1048576\."):
        rows(tmp_path / "a.xlsx")


def test_a_hidden_sheet_is_not_the_first(tmp_path):
    with xlsxwriter.Workbook(tmp_path / "a.xlsx") as book:
        book.add_worksheet("Old").hide()
        for cell, text in (("A1", "AREA"), ("A2", "NA")):
            book.get_worksheet_by_name("Old").write_string(cell, "x")
            (book.get_worksheet_by_name("Data") or book.add_worksheet("Data")).write_string(cell, text)
        book.get_worksheet_by_name("Data").activate()
    assert rows(tmp_path / "a.xlsx") == [{"AREA": "NA", "_row": 2}]


def test_workbooks_that_cannot_be_read(workbook):
    with pytest.raises(BadCall, match=r"no sheet 'Dat'.*Did you mean 'Data'"):
        rows(workbook(["A"], ["1"]), mapping={"format": {"sheet": "Dat"}})
    with pytest.raises(BadData, match="no rows below its header"):
        rows(workbook(["A"], ["1"]))
    with pytest.raises(BadData, match="workbook cannot be read"):
        rows(b"PK\x03\x04nothing")


def test_dates_that_excel_made_are_told(workbook):
    file = workbook(["FREQ", "AREA", "TIME_PERIOD", "OBS_VALUE"], ["D", 4, datetime.date(2020, 1, 1), 1])
    with duckdb.connect() as connection, pytest.raises(BadData) as caught:
        checked(connection, read_rows(file, FLOW, mapping={"format": {"sheet": "Data"}}), FLOW)
    remedies = " ".join(cause.remedy for cause in caught.value.causes)
    assert "Write 004 for 4" in remedies
    assert "Write 2020-01-01, or only the year or the month" in remedies


def test_parquet_becomes_text_as_sdmx_writes_it(tmp_path):
    table = pa.table(
        {
            "AREA": pa.array(["004", None]).dictionary_encode(),
            "TIME_PERIOD": pa.array([datetime.date(2020, 1, 1), None]),
            "OBS_VALUE": [1 / 3, 1e22],
            "AT": pa.array([datetime.datetime(2020, 1, 1, 9, 30), None]),
            "N": [7, None],
            "B": [True, None],
            "L": [["a", "b"], None],
        }
    )
    parquet.write_table(table, tmp_path / "a.parquet")
    first, second = rows(tmp_path / "a.parquet")
    assert first == {
        "AREA": "004",
        "TIME_PERIOD": "2020-01-01",
        "OBS_VALUE": "0.3333333333333333",
        "AT": "2020-01-01T09:30:00",
        "N": "7",
        "B": "true",
        "L": ["a", "b"],
        "_row": 1,
    }
    assert second["_row"] == 2
    assert float(second["OBS_VALUE"]) == 1e22
    with pytest.raises(BadData, match="Parquet file cannot be read"):
        rows(b"PAR1nothing")


CUBE = {
    "version": "2.0",
    "class": "dataset",
    "id": ["AREA", "TIME_PERIOD"],
    "size": [2, 2],
    "dimension": {
        "AREA": {"category": {"index": {"NA": 1, "004": 0}}},
        "TIME_PERIOD": {"category": {"index": ["2018", "2019"]}},
    },
}


@pytest.mark.parametrize(
    ("values", "status"), [([1, None, 2.5, None], {"3": "M"}), ({"0": 1, "2": 2.5}, [None, None, None, "M"])]
)
def test_json_stat_lists_or_names_its_cells(values, status):
    found = rows(json.dumps(CUBE | {"value": values, "status": status}).encode())
    assert [[one[name] for name in ("AREA", "TIME_PERIOD", "OBS_VALUE", "OBS_STATUS", "_row")] for one in found] == [
        ["004", "2018", "1", None, 1],
        ["NA", "2018", "2.5", None, 3],
        ["NA", "2019", None, "M", 4],
    ]


def test_cubes_that_are_not_whole():
    with pytest.raises(BadData, match="3 values and 4 cells"):
        rows(json.dumps(CUBE | {"value": [1, 2, 3]}).encode())
    with pytest.raises(BadData, match="sizes"):
        rows(json.dumps(CUBE | {"value": [1], "size": [1, 1]}).encode())
    with pytest.raises(BadData, match="not whole"):
        rows(json.dumps({"class": "dataset", "value": []}).encode())


@pytest.mark.parametrize(
    "said",
    [
        {"value": None},
        {"value": 5},
        {"value": {"x": 1}},
        {"value": {"-1": 1}},
        {"value": {"4": 1}},
        {"value": {"0": {"a": 1}}},
        {"value": [1, 2, 3, 4], "status": 5},
        {"value": [1, 2, 3, 4], "dimension": {"AREA": {"category": []}, "TIME_PERIOD": None}},
        {"value": [1, 2, 3, 4], "dimension": {id: {"category": {"index": [1, 2]}} for id in CUBE["id"]}},
    ],
)
def test_json_stat_of_another_form_is_refused(said):
    with pytest.raises(BadData, match="json: The "):
        rows(json.dumps(CUBE | said).encode(), name="a.json")


def test_a_cube_costs_what_it_says_and_not_what_it_could():
    ids = [f"D{place}" for place in range(18)]
    dimensions = {id: {"category": {"index": [str(code) for code in range(10)]}} for id in ids}
    cube = {"class": "dataset", "id": ids, "size": [10] * 18, "dimension": dimensions, "value": {"7": 1}, "status": "E"}
    [one] = rows(json.dumps(cube).encode())
    assert (one["D0"], one["D17"], one["OBS_VALUE"], one["OBS_STATUS"]) == ("0", "7", "1", "E")


def test_one_status_is_said_of_all_cells():
    found = rows(json.dumps(CUBE | {"value": [1, None, 2, 3], "status": "E"}).encode())
    assert [(one["OBS_VALUE"], one["OBS_STATUS"]) for one in found] == [
        ("1", "E"),
        (None, "E"),
        ("2", "E"),
        ("3", "E"),
    ]


PX = """CHARSET="ANSI";
CODEPAGE="{page}";
STUB="area";
HEADING="sex","year";
VALUES("area")="Zürich","Namibia";
CODES("area")="004","NA";
VALUES("sex")="women; all","men";
VALUES("year")="2018";
VALUES[sv]("year")="wrong";
DATA=
1 "..",
-2.5 4e1;
"""


@pytest.mark.parametrize("page", ["utf-8", "iso-8859-1"])
def test_px_in_the_order_of_stub_and_heading(page):
    found = rows(PX.replace("{page}", page).encode(page))
    assert [[one[name] for name in ("area", "sex", "year", "OBS_VALUE")] for one in found] == [
        ["004", "women; all", "2018", "1"],
        ["NA", "women; all", "2018", "-2.5"],
        ["NA", "men", "2018", "4e1"],
    ]


def test_px_that_is_not_whole():
    with pytest.raises(BadData, match="3 values and 4 cells"):
        rows(PX.replace(" 4e1", "").encode())
    with pytest.raises(BadData, match="no DATA"):
        rows(PX.partition("DATA")[0].encode())


def test_a_note_of_px_may_speak_of_data():
    [one] = rows(b'CHARSET="ANSI";NOTE="a; DATA=odd";STUB="a";VALUES("a")="x";DATA=\n1;')
    assert (one["a"], one["OBS_VALUE"]) == ("x", "1")


def test_a_code_page_that_is_not_known_is_told():
    with pytest.raises(BadData, match=r"a\.px: The CODEPAGE 'nonsense.' is not known"):
        rows(PX.replace("{page}", "nonsense\xe9").encode("latin-1"), name="a.px")


def test_a_template_is_filled_in_and_read_back(tmp_path):
    file = write_template(FLOW, tmp_path / "t.xlsx")
    book = fastexcel.read_excel(file)
    assert book.sheet_names == ["Data", "Codes", "About"]
    assert book.load_sheet("Data", header_row=None).to_arrow().to_pylist() == [
        dict(
            zip(
                [f"__UNNAMED__{n}" for n in range(5)], ["FREQ", "AREA", "TIME_PERIOD", "OBS_VALUE", "NOTE"], strict=True
            )
        )
    ]
    codes = book.load_sheet("Codes").to_arrow().to_pylist()
    assert codes == [{"X:CL_AREA(1.0)": "004", "Areas": "Afghanistan"}, {"X:CL_AREA(1.0)": "NA", "Areas": ""}]
    assert "Sales" in str(book.load_sheet("About", header_row=None).to_arrow().to_pylist())

    import zipfile

    with zipfile.ZipFile(file) as parts:
        sheet = parts.read("xl/worksheets/sheet1.xml").decode()
    assert '<dataValidation type="list"' in sheet
    assert "<formula1>Codes!$A$2:$A$3</formula1>" in sheet
    assert 'sqref="B2:B100001"' in sheet
    with pytest.raises(BadData, match="no rows below its header"):
        rows(file)


def test_a_template_that_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(NotAllowed, match="may not be written"):
        write_template(FLOW, tmp_path / "file" / "t.xlsx")


def test_a_full_disk_leaves_the_template_that_was_there(tmp_path, monkeypatch):
    def full(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device")

    file = write_template(FLOW, tmp_path / "t.xlsx")
    before = file.read_bytes()
    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(TryAgain, match="no space left"):
        write_template(FLOW, file)
    assert file.read_bytes() == before
    assert list(tmp_path.iterdir()) == [file]
