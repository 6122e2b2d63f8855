"""A stranger repeats a run: same inputs, same digests; one changed value, and the difference is named."""

from __future__ import annotations

import shutil

import pyarrow as pa
import pyarrow.csv
import pytest

from statcommons.core.errors import BadCall, NoInput
from statcommons.core.rerun import compare, rerun
from statcommons.core.run import load_run, run
from statcommons.core.seed import seeded
from statcommons.prices.data import scanner_market


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
