"""Bad input through Python: each fault ends in one error that names it, and leaves nothing behind."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
from typing import Annotated

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from bad_input import GOOD, HEADER, READ, REFUSED, damaged, parquet, rows, text

from statcommons.core.errors import BadCall, BadData, NotAllowed, OurBug, StatCommonsError, TryAgain
from statcommons.core.method import method
from statcommons.core.progress import listening
from statcommons.core.reading import read, table
from statcommons.core.run import run
from statcommons.core.schema import Dimension, Measure, Not, Schema, Table
from statcommons.prices import unit_values

METHOD = "prices.unit_values"


class Stock(Schema, key=("outlet", "product")):
    """What a shop has on its shelves."""

    outlet: Annotated[str, Dimension, "Shop"]
    product: Annotated[str, Dimension, "Product"]
    pieces: Annotated[int, Measure, Not(0), "Pieces"]


@method(version="1.0.0", id="test.stock")
def stock(shelves: Table[Stock]) -> Table[Stock]:
    """Give the stock as it is."""
    return shelves


@pytest.fixture
def temporary(tmp_path, monkeypatch):
    """Give the system's temporary folder, empty and ours alone."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


@pytest.fixture
def place(tmp_path):
    """Give a folder for runs, in which nothing may be left."""
    folder = tmp_path / "runs"
    folder.mkdir()
    return folder


@pytest.mark.parametrize("case", REFUSED, ids=lambda case: case.id)
def test_refused(case, tmp_path, place, temporary):
    given = {"transactions": case.make(tmp_path)}
    mappings = {"transactions": case.mapping} if case.mapping else None
    with pytest.raises(StatCommonsError) as refused:
        run(METHOD, given, case.parameters, out=place / "out", mappings=mappings)
    assert refused.value.exit_code == case.code
    message = str(refused.value)
    for word in case.says:
        assert word in message
    assert len(message) < 3_000
    assert refused.value.remedy or all(cause.remedy for cause in refused.value.causes)
    assert list(place.iterdir()) == []
    assert list(temporary.iterdir()) == []


@pytest.mark.parametrize("case", READ, ids=lambda case: case.id)
def test_read(case, tmp_path, duckdb):
    reading = read(case.make(tmp_path), mapping=case.mapping)
    found = unit_values(reading).result.order_by("product").to_pyarrow()
    sums = zip(*(found[name].to_pylist() for name in ("product", "price", "quantity")), strict=True)
    assert sorted(sums) == sorted(case.rows)
    notes = " ".join(reading.notes)
    assert case.note in notes if case.note else not case.mapping or notes == "" or "with" in notes


def test_what_was_found_is_told_in_the_run(tmp_path):
    sales = text(rows().replace(",", ";").replace(".", ",").replace(";a;", ";mąka żytnia;").encode("cp1250"))(tmp_path)
    done = run(METHOD, {"transactions": sales}, out=tmp_path / "out")
    assert done.facts["notices"][0].startswith(
        "sales.csv was read with cells parted by semicolon, decimal comma, cp1250"
    )
    assert done.output()["product"].to_pylist() == ["b", "mąka żytnia"]


@pytest.mark.parametrize(
    ("given", "error", "says"),
    [
        ({"time": ["2026-01-05"], "product": ["a", "b"]}, BadData, "expected length"),
        ({"price": [2.0, "dear"]}, BadData, "'dear'"),
        ({"price": 2.0}, BadData, "float"),
        ({}, BadData, "no columns"),
        (pa.table({"time": pa.array([], pa.date32())}), BadData, "column product"),
        ([{"time": "2026-01-05"}], BadData, "text stands for a column"),
        (5, BadCall, "builtins.int"),
        ({"a", "b"}, BadCall, "builtins.set"),
    ],
    ids=["lengths differ", "mixed types", "number for a column", "nothing", "no rows", "records", "number", "set"],
)
def test_tables_in_memory_that_are_none(given, error, says, duckdb):
    with pytest.raises(error, match=says):
        unit_values(given)


def test_frames_that_are_no_tables(duckdb):
    pd, pl = pytest.importorskip("pandas"), pytest.importorskip("polars")
    with pytest.raises(BadData, match=r"column price.*type"):
        table(pd.DataFrame({"price": [2.0, "dear"]}))
    with pytest.raises(BadData, match="price"):
        table(pd.DataFrame([[1, 2]], columns=["price", "price"]))
    with pytest.raises(BadData, match="no columns"):
        table(pl.DataFrame())
    for series in (pd.Series([1]), pl.Series([1])):
        with pytest.raises(BadCall, match="Series"):
            table(series)


def test_codes_of_pandas_that_are_numbers(duckdb):
    pd = pytest.importorskip("pandas")
    sales = {"time": ["2026-01-05"] * 2, "price": [2.0, 3.0], "quantity": [1, 1]}
    whole = unit_values(pd.DataFrame(sales | {"product": [5901234123457.0, 5901234123464.0]})).result
    assert sorted(whole.product.to_pyarrow().to_pylist()) == ["5901234123457", "5901234123464"]
    with pytest.raises(BadData, match=r"row 2, column product: product must be a text, got '1.5'"):
        unit_values(pd.DataFrame(sales | {"product": [5901234123457.0, 1.5]}))
    with pytest.raises(BadData, match=r"row 2, column product: product must not be missing"):
        unit_values(pd.DataFrame(sales | {"product": [5901234123457.0, None]}))


def test_categories_of_polars_are_text(tmp_path):
    pl = pytest.importorskip("polars")
    sales = pl.DataFrame({"time": ["2026-01-05"], "product": ["a"], "price": [2.0], "quantity": [1]})
    done = run(METHOD, {"transactions": sales.with_columns(pl.col("product").cast(pl.Categorical))}, out=tmp_path / "o")
    assert done.output()["product"].to_pylist() == ["a"]


# --- calls ----------------------------------------------------------------------------------------------------------

SALES = {"time": ["2026-01-05"], "product": ["a"], "price": [2.0], "quantity": [1]}


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda out: run("prices.unit_value", {"transactions": SALES}, out=out), "prices.unit_values"),
        (lambda out: run(METHOD, {}, out=out), "transactions is missing"),
        (lambda out: run(METHOD, {"transaction": SALES}, out=out), "transactions is missing"),
        (lambda out: unit_values(SALES, transactions=SALES), "given twice"),
        (lambda out: unit_values(SALES, SALES), "2 inputs"),
        (lambda out: run(METHOD, {"transactions": SALES}, out=out, on_bad_rows="ignore"), "fail or set_aside"),
        (lambda out: run(METHOD, {"transactions": SALES}, out=out, mappings={"sales": {}}), "no input 'sales'"),
        (lambda out: run(METHOD, {"transactions": SALES}, out=out, memory="much"), "such as 2GB"),
        (lambda out: run(METHOD, {"transactions": SALES}, out=out, engine="oracle:"), "spark:local"),
    ],
    ids=[
        "unknown method",
        "no input",
        "misspelt input",
        "input given twice",
        "too many inputs",
        "unknown treatment of bad rows",
        "mapping of an input that is not there",
        "memory without a number",
        "unknown engine",
    ],
)
def test_calls_that_cannot_be(call, says, place, duckdb):
    with pytest.raises(BadCall, match=says):
        call(place / "out")
    assert list(place.iterdir()) == []


def test_option_names_that_clash_are_refused_when_a_method_is_declared():
    def seeded(shelves: Table[Stock], *, seed: int = 0) -> Table[Stock]:
        """Clash with an option."""

    with pytest.raises(TypeError, match="'seed' is an option"):
        method(version="1", id="test.seeded")(seeded).describe()


def test_an_output_that_breaks_its_schema_is_our_bug(place):
    @method(version="1", id="test.broken")
    def broken(shelves: Table[Stock]) -> Table[Stock]:
        """Give no pieces."""
        return shelves.mutate(pieces=shelves.pieces * 0)

    shelves = {"outlet": ["x"], "product": ["a"], "pieces": [1]}
    with pytest.raises(OurBug, match=r"result breaks its own schema: pieces:not \(1 rows\)"):
        run(broken, {"shelves": shelves}, out=place / "out")
    assert list(place.iterdir()) == []


# --- keys -----------------------------------------------------------------------------------------------------------

SHELVES = "outlet,product,pieces\nx,a,1\nx,b,2\ny,a,3\nx,b,4\nx,b,5\nz,c,6\n"


def test_a_key_that_repeats_is_named_by_line_and_value(tmp_path, place):
    shelves = text(SHELVES, "stock.csv")(tmp_path)
    with pytest.raises(BadData) as refused:
        run(stock, {"shelves": shelves}, out=place / "out")
    assert "stock.csv, row 3: the key (outlet, product) must not repeat, got 'outlet=x, product=b' (3 rows)" in str(
        refused.value
    )
    assert [(one.row, one.value) for one in refused.value.rows] == [(row, "outlet=x, product=b") for row in (3, 5, 6)]
    assert list(place.iterdir()) == []


# --- bad rows set aside ---------------------------------------------------------------------------------------------

SECRET = "8675309.125"
ASIDE = {
    "wrong type": (f"2026-01-09,SECRET{SECRET},cheap,3", "price must be a number"),
    "negative price": (f"2026-01-09,b,-{SECRET},3", "price must be a number above 0"),
    "infinite price": (f"2026-01-09,SECRET{SECRET},inf,3", "price must be a number"),
    "quantity 0": (f"2026-01-09,b,{SECRET},0", "quantity must be a number other than 0"),
    "null product": (f"2026-01-09,,{SECRET},3", "product must not be missing"),
    "NA in a number": (f"2026-01-09,SECRET{SECRET},NA,3", "price must not be missing"),
    "day first": (f"31/12/2049,SECRET{SECRET},1,3", "time must be a date (YYYY-MM-DD)"),
    "day far away": (f"2049-12-31,b,-{SECRET},3", "price must be a number above 0"),
    "underscore in a number": (f"2026-01-09,SECRET{SECRET},1_000,3", "price must be a number"),
}


@pytest.mark.parametrize(("line", "cause"), ASIDE.values(), ids=ASIDE)
def test_set_aside(line, cause, tmp_path, temporary):
    sales = text(rows('2026-01-05,"a\na",2.0,1', line))(tmp_path)
    done = run(METHOD, {"transactions": sales}, out=tmp_path / "out", on_bad_rows="set_aside")
    aside = pq.read_table(done.path / "private" / "set_aside" / "transactions.parquet").to_pylist()
    written = dict(zip(HEADER.strip().split(","), (cell or None for cell in line.split(",")), strict=True))
    assert aside == [{"file": "sales.csv", "row": 6, "cause": cause, **written}]
    counts = done.facts["inputs"]["transactions"]["tables"][0]
    assert (counts["rows"], counts["used"], counts["set_aside"]) == (4, 3, [{"rule": cause, "rows": 1}])
    assert "1 of 4 rows were set aside" in " ".join(done.facts["notices"])
    public = [path for path in done.path.rglob("*") if path.is_file() and "private" not in path.parts]
    assert {path.name for path in public} >= {"run.json", "report.html", "result.parquet"}
    for path in public:
        content = path.read_bytes()
        assert SECRET.encode() not in content
        assert b"2049-12" not in content
    assert sum(done.output("result")["quantity"].to_pylist()) == 5.0
    assert list(temporary.iterdir()) == []


def test_set_aside_of_all_kinds_at_once_adds_up(tmp_path):
    faulty = [line for line, _ in ASIDE.values()]
    text(rows(*faulty))(tmp_path)
    text(rows(), "then.csv")(tmp_path)
    sales = [str(tmp_path / "*.csv"), parquet(price=[float("nan"), 3.0])(tmp_path)]
    done = run(METHOD, {"transactions": sales}, out=tmp_path / "out", on_bad_rows="set_aside")
    aside = pq.read_table(done.path / "private" / "set_aside" / "transactions.parquet")
    assert [(one["file"], one["row"]) for one in aside.to_pylist()] == [
        *[("sales.csv", line) for line in range(4, 4 + len(faulty))],
        ("sales.parquet", 1),
    ]
    counts = done.facts["inputs"]["transactions"]["tables"][0]
    assert counts["rows"] - counts["used"] == aside.num_rows == len(faulty) + 1
    assert (done.path / "private").stat().st_mode & 0o077 == 0


def test_all_rows_bad_is_refused_though_they_may_be_set_aside(tmp_path, place):
    sales = text(HEADER + GOOD.replace("2.0", "0").replace("3.0", "-1"))(tmp_path)
    with pytest.raises(BadData, match=r"(?s)No row would be left.*row 2, column price"):
        run(METHOD, {"transactions": sales}, out=place / "out", on_bad_rows="set_aside")
    assert list(place.iterdir()) == []


def test_excel_errors_in_a_column_that_may_be_missing_are_told(tmp_path, duckdb):
    xlsxwriter = pytest.importorskip("xlsxwriter")
    with xlsxwriter.Workbook(str(tmp_path / "sales.xlsx")) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, ["time", "product", "price", "quantity", "outlet"])
        sheet.write_row(1, 0, ["2026-01-05", "a", 2.0, 1, "north"])
        sheet.write_row(2, 0, ["2026-01-05", "a", 2.0, 1])
        sheet.write_formula(2, 4, "=NA()", None, "#N/A")
    assert "error of Excel, such as #N/A, are missing: 1" in read(tmp_path / "sales.xlsx").notes[0]


# --- what happens meanwhile -----------------------------------------------------------------------------------------


def test_a_file_that_changes_while_it_is_read_is_refused_as_such(tmp_path, place):
    sales = text(rows(*["2026-01-05,a,2.0,1"] * 1000))(tmp_path)

    def change(step):
        if step.name.startswith("Run "):
            sales.write_text(rows("2026-01-05,a,2.0,1"))

    with listening(change), pytest.raises(TryAgain, match=r"sales.csv: The file changed while it was read"):
        run(METHOD, {"transactions": sales}, out=place / "out")
    assert list(place.iterdir()) == []


def test_a_file_that_goes_while_it_is_read_is_refused_as_such(tmp_path, place):
    sales = text(rows(*["2026-01-05,a,2.0,1"] * 1000))(tmp_path)

    def remove(step):
        if step.name == "Read sales.csv" and step.ended:
            sales.unlink(missing_ok=True)

    with listening(remove), pytest.raises(TryAgain, match="changed while it was read"):
        run(METHOD, {"transactions": sales}, out=place / "out")
    assert list(place.iterdir()) == []


def test_no_network_is_used(tmp_path, monkeypatch):
    def refuse(*_):
        raise AssertionError("the network was used")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    done = run(
        METHOD, {"transactions": text(rows("2026-01-05,a,-2,1"))(tmp_path)}, out=tmp_path / "o", on_bad_rows="set_aside"
    )
    assert done.report.exists()


@pytest.mark.parametrize("share", [n / 40 for n in range(40)])
def test_a_bit_that_flips_in_parquet_never_ends_in_our_bug(share, tmp_path, duckdb):
    many = 3_000
    sales = parquet(
        time=pa.array([20_458] * many, pa.date32()),
        product=[f"p{n}" for n in range(many)],
        price=[1 + n / 7 for n in range(many)],
        quantity=[1.0] * many,
    )(tmp_path)
    try:
        unit_values(damaged(sales, share)).result.count().to_pyarrow()
    except StatCommonsError as error:
        assert error.exit_code == 65  # noqa: PT017  what is not refused was not seen to be damaged


# --- where a run is written -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("what", ["a file", "a folder that is not empty"])
def test_a_place_that_is_taken_is_refused(what, tmp_path):
    out = tmp_path / "out"
    if what == "a file":
        out.write_text("mine")
    else:
        (out / "mine").mkdir(parents=True)
    with pytest.raises(BadCall, match="there already"):
        run(METHOD, {"transactions": SALES}, out=out)
    assert out.read_text() == "mine" if what == "a file" else (out / "mine").is_dir()


def test_an_empty_folder_is_taken_over(tmp_path):
    (tmp_path / "out").mkdir()
    assert run(METHOD, {"transactions": SALES}, out=tmp_path / "out").report.exists()


@pytest.mark.parametrize("name", ["file/out", "file/deeper/out", "x" * 250])
def test_a_place_that_cannot_be_is_refused(name, tmp_path):
    (tmp_path / "file").write_text("mine")
    with pytest.raises(BadCall, match="cannot be"):
        run(METHOD, {"transactions": SALES}, out=tmp_path / name)


def test_of_two_runs_with_one_place_one_wins(tmp_path):
    """The second finds the place free when it starts and taken when it ends."""
    out, results = tmp_path / "out", []

    def second(step):
        if step.name == f"Run {METHOD}" and step.ended and not results:
            results.append(None)
            results.append(run(METHOD, {"transactions": SALES}, out=out))

    with listening(second), pytest.raises(BadCall, match="there already"):
        run(METHOD, {"transactions": SALES}, out=out)
    assert json.loads((out / "run.json").read_text()) == results[1].facts
    assert [one.name for one in tmp_path.iterdir()] == ["out"]


def test_two_runs_at_once_in_one_workspace_do_not_meet(tmp_path):
    made = []

    def one():
        made.append(run(METHOD, {"transactions": SALES}, workspace=tmp_path / "work"))

    threads = [threading.Thread(target=one) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(one.path.name for one in made) == sorted(one.name for one in (tmp_path / "work" / "runs").iterdir())
    assert len({one.id for one in made}) == 3


def test_what_a_killed_run_left_is_swept_and_what_lives_is_not(tmp_path):
    alive, dead, fresh, old = (tmp_path / f".{name}.partial" for name in ("alive", "dead", "fresh", "old"))
    for folder in (alive, dead, fresh, old):
        folder.mkdir()
    (dead / ".lock").touch()
    os.utime(old, (time.time() - 600,) * 2)
    holder = "import fcntl, sys; f = open(sys.argv[1], 'w'); fcntl.flock(f, fcntl.LOCK_EX); print(flush=True); input()"
    command = [sys.executable, "-c", holder, str(alive / ".lock")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        process.stdout.readline()
        run(METHOD, {"transactions": SALES}, out=tmp_path / "out")
        left = sorted(one.name for one in tmp_path.iterdir())
        process.communicate(b"\n")
    assert left == [".alive.partial", ".fresh.partial", "out"]


def _root() -> bool:
    return os.geteuid() == 0


@pytest.fixture
def small_disk(tmp_path):
    """Give a disk of two megabytes."""
    place = tmp_path / "disk"
    place.mkdir()
    mounted = _root() and subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", place], check=False)
    if not mounted or mounted.returncode:
        pytest.skip("only root may mount a small disk")
    yield place
    subprocess.run(["umount", place], check=True)


@pytest.mark.parametrize("memory", [None, "60MB"], ids=["by the result", "by what is spilled"])
def test_a_full_disk(memory, small_disk, tmp_path):
    many = 200_000
    sales = pa.table(
        {
            "time": pa.array([20_458] * many, pa.date32()),
            "product": [f"product {n * 7919 % many}" for n in range(many)],
            "price": [1 + n / 7 for n in range(many)],
            "quantity": [1.0 + n / 13 for n in range(many)],
        }
    )
    with pytest.raises(TryAgain, match="no space left on the disk"):
        run(METHOD, {"transactions": sales}, out=small_disk / "out", memory=memory, threads=1)
    assert list(small_disk.iterdir()) == []


def test_a_folder_that_may_not_be_written(tmp_path, monkeypatch):
    """Root may write anywhere, so the refusal is acted; the command is tried as another user."""

    def refuse(*_, **__):
        raise PermissionError(13, "Permission denied", str(tmp_path / "out"))

    monkeypatch.setattr("pathlib.Path.mkdir", refuse)
    with pytest.raises(NotAllowed, match=r"out: The folder may not be written\. Choose another with --out"):
        run(METHOD, {"transactions": SALES}, out=tmp_path / "out")


# --- many bad rows --------------------------------------------------------------------------------------------------

MEASURED = """
import json, resource, sys, time
from statcommons.core.errors import BadData
from statcommons.core.run import run
before = time.process_time()
try:
    run("prices.unit_values", {"transactions": sys.argv[1]}, out=sys.argv[1] + ".out", memory="400MB", threads=1)
except BadData as error:
    size = len(json.dumps(error.as_dict())) + sum(len(str(row)) for row in error.rows)
    facts = [len(error.rows), size, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024]
    print(json.dumps([*facts, time.process_time() - before]))
"""


def test_a_million_bad_rows_cost_seconds_and_no_more_memory_than_a_hundred_thousand(tmp_path):
    found = {}
    for count in (100_000, 1_000_000):
        sales = text(HEADER + "2026-01-05,a,-2.0,1\n2026-01-05,,2.0,0\n" * (count // 2), f"{count}.csv")(tmp_path)
        printed = subprocess.run(
            [sys.executable, "-c", MEASURED, str(sales)], check=True, capture_output=True, text=True
        ).stdout
        found[count] = json.loads(printed)
    (named, size, small, _), (_, large_size, large, seconds) = found.values()
    assert named <= 1000
    assert max(size, large_size) < 300_000
    assert large < small + 150  # MB; the rows alone are 20 MB of text and would be 500 as objects of Python
    assert seconds < 15  # of a processor, with all that is imported


def test_a_report_of_many_set_aside_rows_is_small(tmp_path):
    sales = text(rows(*["2026-01-05,a,-2.0,1"] * 100_000))(tmp_path)
    done = run(METHOD, {"transactions": sales}, out=tmp_path / "out", on_bad_rows="set_aside")
    assert done.report.stat().st_size < 300_000
    assert pq.read_metadata(done.path / "private" / "set_aside" / "transactions.parquet").num_rows == 100_000


def test_an_error_keeps_its_rows_on_the_way_through_a_worker():
    """Errors cross the processes of Spark."""
    import pickle

    error = BadData("One row is bad.", where="sales.csv", remedy="Mend it.")
    again = pickle.loads(pickle.dumps(error))
    assert (str(again), again.exit_code) == (str(error), 65)
