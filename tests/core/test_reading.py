"""Any table that a user has, opened; its files known by name, digest and change."""

from __future__ import annotations

import hashlib
import os

import ibis
import pyarrow as pa
import pyarrow.feather
import pyarrow.feather as feather
import pyarrow.parquet as pq
import pytest

from statcommons.core.errors import BadCall, BadData, Cancelled, NoInput, NotAllowed, TryAgain
from statcommons.core.reading import Mapping, one_digest, read, table, unchanged

TABLE = pa.table({"code": ["004", "NA"], "price": ["1.5", "2.5"]})
CSV = "code,price\n004,1.5\nNA,2.5\n"


@pytest.fixture
def sales(tmp_path):
    """Write a small file of text."""
    (tmp_path / "sales.csv").write_text(CSV)
    return tmp_path / "sales.csv"


def written(kind, tmp_path):
    """Write the table in a format and give what a user would give."""
    path = tmp_path / f"sales.{kind}"
    if kind in ("csv", "tsv"):
        path.write_text(CSV.replace(",", "\t") if kind == "tsv" else CSV)
    elif kind == "parquet":
        pq.write_table(TABLE, path)
    elif kind == "feather":
        pyarrow.feather.write_feather(TABLE, str(path))
    elif kind == "arrow":
        with pa.ipc.new_file(str(path), TABLE.schema) as sink:
            sink.write_table(TABLE)
    else:
        xlsxwriter = pytest.importorskip("xlsxwriter")
        with xlsxwriter.Workbook(str(path)) as book:
            sheet = book.add_worksheet()
            for number, row in enumerate([["code", "price"], ["004", "1.5"], ["NA", "2.5"]]):
                for place, cell in enumerate(row):
                    sheet.write_string(number, place, cell)
    return path


@pytest.mark.parametrize("kind", ["csv", "tsv", "parquet", "feather", "arrow", "xlsx"])
def test_each_format_is_read_alike(kind, tmp_path, duckdb):
    assert duckdb.collect(table(written(kind, tmp_path))).to_pydict() == TABLE.to_pydict()


@pytest.mark.parametrize("kind", ["arrow", "pandas", "polars", "lazy", "dict", "ibis", "list", "url", "str"])
def test_each_table_is_read_alike(kind, sales, duckdb):
    frames = {
        "arrow": lambda: TABLE,
        "pandas": TABLE.to_pandas,
        "polars": lambda: pytest.importorskip("polars").from_arrow(TABLE),
        "lazy": lambda: pytest.importorskip("polars").from_arrow(TABLE).lazy(),
        "dict": TABLE.to_pydict,
        "ibis": lambda: ibis.memtable(TABLE),
        "list": lambda: [TABLE.slice(0, 1), TABLE.slice(1)],
        "url": lambda: f"file://{sales}",
        "str": lambda: str(sales),
    }
    found = duckdb.collect(table(frames[kind]())).to_pydict()
    assert found == TABLE.to_pydict()


def test_a_mapping_names_the_columns(sales, duckdb):
    assert table(sales, mapping={"columns": {"land": "code"}}).columns == ("land", "price")
    assert read(sales, mapping={"land": "code"}).mapping.as_dict() == {"columns": {"land": "code"}}


def test_a_mapping_file(tmp_path):
    path = tmp_path / "columns.toml"
    path.write_text('[columns]\nprice = "unit price"\n\n[format]\ndecimal = ","\ndate = "%d/%m/%Y"\n')
    mapping = Mapping.from_any(path)
    assert mapping.name("price") == "unit price"
    assert Mapping.from_dict(mapping.as_dict()) == mapping


@pytest.mark.parametrize(
    ("content", "error", "says"),
    [
        ("[columns", BadCall, "not TOML"),
        (b"\xff\xfe", BadCall, "not TOML"),
        ("[format]\nquote = 'x'", BadCall, "'quote'"),
        ("[format]\ndecimal = 5", BadCall, "decimal"),
        ("[colums]\na = 'b'", BadCall, "Did you mean 'columns'"),
        (None, NoInput, "no such mapping file"),
        ("folder", NotAllowed, "Is a directory"),
    ],
)
def test_a_mapping_file_that_is_none(content, error, says, tmp_path):
    path = tmp_path / "columns.toml"
    if content == "folder":
        path.mkdir()
    elif content is not None:
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(error, match=says):
        Mapping.from_any(path)


def test_files_are_named_by_as_much_of_the_path_as_tells_them_apart(tmp_path, duckdb):
    for folder in ("north/2025", "south/2025"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "sales.csv").write_text(CSV)
    one = read(tmp_path / "north")
    both = read(tmp_path)
    assert list(one.named_files()) == ["sales.csv"]
    assert list(both.named_files()) == ["north/2025/sales.csv", "south/2025/sales.csv"]
    digest = hashlib.sha256(CSV.encode()).hexdigest()
    assert both.digests() == {"north/2025/sales.csv": digest, "south/2025/sales.csv": digest}
    assert one_digest(both.digests()) != digest == one_digest(one.digests())


def test_the_digest_of_what_is_in_memory_is_of_its_content(duckdb):
    first, again = read(TABLE), read(pa.concat_tables([TABLE.slice(0, 1), TABLE.slice(1)]))
    assert first.digests() == again.digests()
    assert first.digests() != read(TABLE.slice(1)).digests()


CHANGES = {
    "rewritten": lambda file: file.write_text(CSV + "x,1\n"),
    "touched": lambda file: os.utime(file, ns=(0, 0)),
    "removed": lambda file: file.unlink(),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_change_is_noticed(change, sales, duckdb):
    reading = read(sales)
    with unchanged([reading]):
        pass
    with pytest.raises(TryAgain, match=r"sales.csv: The file changed"), unchanged([reading]):
        change(sales)


def test_a_change_explains_a_fault_but_no_cancellation(sales, duckdb):
    reading = read(sales)
    with pytest.raises(BadData), unchanged([reading]):
        raise BadData("The file is broken.")
    sales.write_text("")
    with pytest.raises(TryAgain), unchanged([reading]):
        raise BadData("The file is broken.")
    with pytest.raises(Cancelled), unchanged([reading]):
        raise Cancelled


def test_a_folder_that_may_not_be_read_is_refused_and_not_skipped(tmp_path, monkeypatch, duckdb):
    """Half a year must not pass for a whole one; root may read all, so the refusal is acted."""
    (tmp_path / "a.csv").write_text(CSV)
    (tmp_path / "closed").mkdir()
    scandir = os.scandir

    def refuse(path):
        if os.fspath(path).endswith("closed"):
            raise PermissionError(13, "Permission denied", path)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(NotAllowed, match=r"closed: The file may not be read\. Ask its owner"):
        read(tmp_path)


def test_a_table_with_an_error_of_its_own_is_named(duckdb):
    with pytest.raises(BadCall, match=r"numbers is a builtins\.range"):
        read(range(3), label="numbers")


def test_a_column_named_twice_is_refused_in_every_form(tmp_path):
    twice = pa.table([["a"], [1.0], [3.0]], names=["product", "price", "price"])
    pq.write_table(twice, tmp_path / "twice.parquet")
    feather.write_feather(twice, str(tmp_path / "twice.feather"))
    for given in (tmp_path / "twice.parquet", tmp_path / "twice.feather", twice):
        with pytest.raises(BadData, match="names a column twice: price"):
            read(given)
