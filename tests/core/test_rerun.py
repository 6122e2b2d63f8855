"""A stranger repeats a run: same inputs, same digests; one changed value, and the difference is named."""

from __future__ import annotations

import json
import math
import shutil
from typing import Annotated

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet as pq
import pytest

from statcommons.core.errors import BadCall, BadData, NoInput
from statcommons.core.method import method
from statcommons.core.rerun import compare, rerun
from statcommons.core.run import load_run, run
from statcommons.core.schema import Confidential, Dimension, Measure, Schema, Table, Tables
from statcommons.core.seal import file_digest
from statcommons.core.seed import seeded
from statcommons.prices.data import scanner_market
from statcommons.sdmx import write_run


@pytest.fixture
def sales(tmp_path):
    """A CSV file of a simulated market."""
    with seeded(2):
        table = scanner_market(products=20, months=3).result
    (tmp_path / "data").mkdir()
    pyarrow.csv.write_csv(table, tmp_path / "data" / "sales.csv")
    return tmp_path / "data" / "sales.csv"


@pytest.fixture
def moved(sales, tmp_path):
    """A run and its input, copied to another place; the first place is gone."""
    run("prices.unit_values", {"transactions": str(sales)}, out=tmp_path / "data" / "first")
    shutil.copytree(tmp_path / "data", tmp_path / "elsewhere")
    shutil.rmtree(tmp_path / "data")
    return load_run(tmp_path / "elsewhere" / "first")


def change(path, factor):
    """Multiply the price of one row."""
    lines = path.read_text().splitlines()
    column = lines[0].replace('"', "").split(",").index("price")
    cells = lines[7].split(",")
    cells[column] = repr(float(cells[column]) * factor)
    lines[7] = ",".join(cells)
    path.write_text("\n".join(lines) + "\n")


def test_a_strangers_rerun_is_identical(moved):
    found = rerun(moved)
    assert found.same
    assert [one.same_bytes for one in found.differences] == [True, True]
    assert not found.changed_inputs
    assert not found.changed_code


def test_one_changed_value_is_named_and_measured(moved):
    change(moved.path.parent / "sales.csv", 1.5)
    found = rerun(moved)
    first, second = found.differences
    assert not found.same
    assert found.changed_inputs == ("transactions",)
    assert (first.output, first.same_bytes, first.missing, first.added) == ("result", False, 0, 0)
    assert first.column in ("price", "turnover")
    assert 0 < first.largest < 0.5
    assert "cells differ, at most by" in str(first)
    assert second.same_bytes
    assert not found.as_dict()["same"]


def test_a_tolerance_lets_small_differences_pass(moved):
    change(moved.path.parent / "sales.csv", 1 + 1e-6)
    assert not rerun(moved).same
    assert rerun(moved, tolerance=1e-5).same


def test_new_and_missing_rows_are_counted_and_no_tolerance_lets_them_pass(moved):
    path = moved.path.parent / "sales.csv"
    header = path.read_text().splitlines()[0].replace('"', "").split(",")
    new = {"time": "2023-01-09", "product": "new", "price": "1", "quantity": "2", "outlet": "1", "group": "x"}
    with path.open("a") as file:
        file.write(",".join(new[name] for name in header) + "\n")
    found = rerun(moved, tolerance=1.0)
    assert (found.differences[0].added, found.differences[0].missing) == (1, 0)
    assert not found.same


def test_an_input_that_is_gone_is_asked_for(moved, tmp_path):
    path = (moved.path.parent / "sales.csv").rename(tmp_path / "kept.csv")
    with pytest.raises(NoInput, match=r"sales.csv .* not beside the run. Name it: --transactions FILE"):
        rerun(moved)
    assert rerun(moved, {"transactions": str(path)}).same


def test_a_table_in_memory_is_asked_for(tmp_path):
    table = pa.table({"time": ["2026-01-05"], "product": ["a"], "price": [1.0], "quantity": [1]})
    done = run("prices.unit_values", {"transactions": table}, out=tmp_path / "memory")
    with pytest.raises(NoInput, match="was a table in memory"):
        rerun(done)
    assert rerun(done, {"transactions": table}).same


def test_the_mapping_is_part_of_the_run(tmp_path):
    (tmp_path / "sklep.csv").write_text("data;towar;cena;ilosc\n05/01/2026;a;1,50;2\n")
    mapping = {
        "columns": {"time": "data", "product": "towar", "price": "cena", "quantity": "ilosc"},
        "format": {"date": "%d/%m/%Y"},
    }
    done = run(
        "prices.unit_values",
        {"transactions": "sklep.csv"},
        out=tmp_path / "mapped",
        mappings={"transactions": mapping},
    )
    assert done.output()["price"].to_pylist() == [1.5]
    assert rerun(load_run(tmp_path / "mapped")).same


def test_outputs_of_two_runs_are_compared_by_key(moved):
    assert compare(moved, moved, "result", ("period",)).same_bytes
    with pytest.raises(BadCall, match="not in both"):
        compare(moved, moved, "nothing", ())


def test_a_run_of_a_newer_format_is_refused(moved):
    text = (moved.path / "run.json").read_text()
    (moved.path / "run.json").write_text(text.replace('"format": 1', '"format": 99'))
    with pytest.raises(BadCall, match="format 99"):
        load_run(moved.path)


def test_no_such_run(tmp_path):
    with pytest.raises(NoInput, match="no such run"):
        load_run(tmp_path / "nothing")


# --- what was changed after it was sealed ---------------------------------------------------------------------------


def tamper(file, column, factor):
    table = pq.read_table(file)
    number = table.column_names.index(column)
    pq.write_table(table.set_column(number, column, pc.multiply(table[column], factor)), file)


def test_an_output_changed_after_sealing_is_named_and_handed_out_by_nobody(moved):
    file = moved.path / "outputs" / "result.parquet"
    tamper(file, "price", 1.1)
    found = rerun(moved)
    assert not found.same
    (only,) = found.differences
    assert only.output == "result"
    assert f"{file}: The output was changed after it was sealed: its digest is {file_digest(file)}" in str(only)
    assert moved.facts["outputs"]["result"]["digest"] in str(only)
    assert not found.as_dict()["same"]
    assert not only.within(math.inf)
    for reads in (moved.output, moved.output_file, lambda: write_run(moved, moved.path.parent / "sdmx")):
        with pytest.raises(BadData, match=r"was changed after it was sealed.*Get the run's folder again"):
            reads()
    file.write_bytes(b"no parquet")
    with pytest.raises(BadData, match="cannot be read"):
        moved.output()
    file.unlink()
    assert "is not there" in str(rerun(moved).differences[0])


def test_the_same_content_written_otherwise_is_what_was_sealed(moved):
    file = moved.path / "outputs" / "result.parquet"
    pq.write_table(pq.read_table(file), file, compression="none", row_group_size=7)
    assert moved.output().num_rows == moved.facts["outputs"]["result"]["rows"]
    assert rerun(moved).same


def test_an_output_outside_the_run_is_refused(moved):
    (moved.path / "outputs" / "result.parquet").rename(moved.path.parent / "result.parquet")
    for file in ("../result.parquet", str(moved.path.parent / "result.parquet")):
        facts = json.loads((moved.path / "run.json").read_text())
        facts["outputs"]["result"]["file"] = file
        (moved.path / "run.json").write_text(json.dumps(facts))
        with pytest.raises(BadData, match="not in the run's folder"):
            load_run(moved.path).output()


# --- several folders ------------------------------------------------------------------------------------------------


class Number(Schema, key=("id",)):
    """Numbers."""

    id: Annotated[str, Dimension, "Name of the number"]
    x: Annotated[float, Measure, "The number"]


class Held(Schema, key=("firm", "id")):
    """Numbers of firms."""

    firm: Annotated[str, Dimension, Confidential("names a firm"), "Firm"]
    id: Annotated[str, Dimension, "Name of the number"]
    x: Annotated[float, Measure, "The number"]


@method(version="1.0.0", id="test.hold")
def hold(lists: Tables[Number]) -> Table[Held]:
    """Keep each number under the firm that gave it."""
    import ibis

    return ibis.union(*(one.mutate(firm=ibis.literal(f"f{n}")) for n, one in enumerate(lists)), distinct=False)


@pytest.fixture
def lists(tmp_path):
    """Three folders, each with a file of the same name."""
    for number, name in enumerate("ABC"):
        (tmp_path / "lists" / name).mkdir(parents=True)
        (tmp_path / "lists" / name / "s.csv").write_text(f"id,x\na,{number + 1}\nb,{number + 10}\n")
    return tmp_path / "lists"


def test_files_of_one_name_in_several_folders_are_found_again(lists, tmp_path):
    done = run(hold, {"lists": str(lists)}, out=tmp_path / "run")
    names = [file["name"] for table in done.facts["inputs"]["lists"]["tables"] for file in table["files"]]
    assert names == ["A/s.csv", "B/s.csv", "C/s.csv"]
    assert "--lists A/s.csv B/s.csv C/s.csv" in done.report.read_text()
    (tmp_path / "s.csv").write_text("id,x\na,99\n")  # of that name, beside the run, but another
    found = rerun(done, method=hold)
    assert found.same
    assert not found.changed_inputs
    shutil.copytree(lists, tmp_path / "run" / "inputs")
    shutil.rmtree(lists)
    assert rerun(done, method=hold).same
    (tmp_path / "run" / "inputs" / "B" / "s.csv").write_text("id,x\na,2\nb,12\n")
    found = rerun(done, method=hold)
    assert (found.same, found.changed_inputs, found.changed_files) == (False, ("lists",), ("B/s.csv",))
    (tmp_path / "s.csv").unlink()
    (tmp_path / "run" / "inputs" / "B" / "s.csv").unlink()
    with pytest.raises(NoInput, match=r"B/s\.csv of the input lists is not where it was and not beside the run"):
        rerun(done, method=hold)


def test_one_table_of_several_files_is_one_table_again(lists, tmp_path):
    files = [lists / "A" / "s.csv", lists / "s2.csv"]
    files[1].write_text("id,x\nc,3\n")
    done = run(hold, {"lists": [files]}, out=tmp_path / "run")
    assert rerun(done, method=hold).same


def test_outputs_with_a_confidential_key_are_compared_whole(lists, tmp_path):
    done = run(hold, {"lists": str(lists)}, out=tmp_path / "run")
    (lists / "B" / "s.csv").write_text("id,x\na,2\nb,22\nc,1\n")
    (one,) = rerun(done, method=hold).differences
    assert (one.cells, one.column, one.largest, one.missing, one.added) == (1, "x", 0.5, 0, 1)
    shutil.rmtree(done.path / "private")  # as it is given away: rows of a and b are told apart by their position
    again = {"lists": [str(lists / name / "s.csv") for name in "ABC"]}
    (one,) = rerun(done, again, method=hold).differences
    assert (one.cells, one.column, one.largest, one.missing, one.added) == (1, "x", 0.5, 0, 1)


def test_a_confidential_column_changed_after_sealing_is_named(lists, tmp_path):
    done = run(hold, {"lists": str(lists)}, out=tmp_path / "run")
    whole = done.path / "private" / "outputs" / "result.parquet"
    table = pq.read_table(whole)
    pq.write_table(table.set_column(table.column_names.index("firm"), "firm", [["x"] * table.num_rows]), whole)
    assert "private/outputs/result.parquet: The output was changed" in str(rerun(done, method=hold).differences[0])
    assert done.output().num_rows == 6  # what is public stands
    public = [file for file in done.path.rglob("*") if file.is_file() and "private" not in file.parts]
    digest = json.loads((done.path / "private" / "outputs.json").read_text())["result"]
    assert not [file for file in public if digest in file.read_text(errors="replace")]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{", "not the JSON"),
        ("[]", "not the JSON"),
        ("\udcff", "not the JSON"),
        ("{}", "lacks 'id'"),
        ('{"format": "x"}', "lacks"),
    ],
)
def test_a_broken_run_json_is_named(moved, text, says):
    (moved.path / "run.json").write_bytes(text.encode(errors="surrogateescape"))
    with pytest.raises(BadData, match=rf"run\.json: The file .*{says}"):
        load_run(moved.path)


@pytest.mark.parametrize("change", [{"outputs": []}, {"inputs": {"x": {"tables": [1]}}}, {"parameters": 1}])
def test_a_run_json_of_another_shape_is_named(moved, change):
    facts = json.loads((moved.path / "run.json").read_text()) | change
    (moved.path / "run.json").write_text(json.dumps(facts))
    with pytest.raises(BadData, match=r"run\.json: The file is not what a run writes"):
        load_run(moved.path)
