"""A run is a folder that appears whole or not at all, and says all that a stranger needs."""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass
from typing import Annotated

import pyarrow as pa
import pytest

from statcommons.core import progress
from statcommons.core.errors import BadCall, BadData, Cancelled, NotAllowed, OurBug
from statcommons.core.method import method
from statcommons.core.quality import measure, notice
from statcommons.core.registry import find_method
from statcommons.core.run import load_run, run
from statcommons.core.schema import Attribute, Concept, Confidential, Dimension, Gt, Measure, Schema, Table, Tables
from statcommons.core.seed import rng

SALES = {"time": ["2026-01-05", "2026-02-06"], "product": ["a", "a"], "price": [2.0, 3.0], "quantity": [1, 3]}


class Numbers(Schema, key=("id",)):
    """Numbers."""

    id: Annotated[str, Dimension, "Name of the number"]
    x: Annotated[float, Measure, "The number"]


class Flagged(Schema, key=("id",)):
    """Numbers with a status, and a secret."""

    id: Annotated[str, Dimension, "Name of the number"]
    x: Annotated[float, Measure, Gt(0), "The number"]
    status: Annotated[str, Attribute, Concept("OBS_STATUS"), "Status"]
    firm: Annotated[str, Attribute, Confidential("names a firm"), "Firm"]


@method(version="1.0.0", id="test.flag")
def flag(numbers: Table[Numbers]) -> Table[Flagged]:
    """Flag numbers, half of them as imputed."""
    table = numbers.to_pyarrow().sort_by("id")
    n = table.num_rows
    measure("Half", 0.5, unit="share", at_least=0.6)
    notice("This is said once.")
    notice("This is said once.")
    status = ["I" if i % 2 else "A" for i in range(n)]
    return table.append_column("status", [status]).append_column("firm", [["Secret Ltd"] * n])


@method(version="1.0.0", id="test.broken")
def broken(numbers: Table[Numbers]) -> Table[Flagged]:
    """Give what its own schema forbids."""
    import ibis

    return numbers.mutate(x=-numbers.x, status=ibis.literal("A"), firm=ibis.literal("f"))


@method(version="1.0.0", id="test.draw")
def draw(numbers: Table[Numbers]) -> Table[Numbers]:
    """Draw a random number for each."""
    table = numbers.to_pyarrow()
    return pa.table({"id": table["id"], "x": rng().random(table.num_rows)})


@dataclass(frozen=True)
class Both:
    """Two outputs."""

    small: Table[Numbers]
    large: Table[Numbers]


@method(version="1.0.0", id="test.split")
def split(lists: Tables[Numbers], limits: Table[Numbers] | None = None) -> Both:
    """Split lists of numbers in two."""
    import ibis

    every = ibis.union(*lists) if len(lists) > 1 else lists[0]
    return Both(every.filter(every.x < 1), every.filter(every.x >= 1))


def numbers(*values):
    return pa.table({"id": [f"n{i}" for i in range(len(values))], "x": [float(value) for value in values]})


def test_the_folder_says_all(tmp_path):
    done = run("prices.bilateral_index", {"transactions": SALES}, {"formula": "fisher"}, out=tmp_path / "r", seed=7)
    facts = json.loads((tmp_path / "r" / "run.json").read_text())
    assert facts == done.facts == load_run(tmp_path / "r").facts
    assert facts["method"]["id"] == "prices.bilateral_index"
    assert list(facts["parameters"]) == [one.name for one in find_method("prices.bilateral_index").spec.parameters]
    assert (facts["parameters"]["formula"], facts["parameters"]["base"]) == ("fisher", "fixed")
    assert (facts["seed"], facts["zone"], facts["format"]) == (7, "UTC", 1)
    assert facts["inputs"]["transactions"]["tables"][0]["rows"] == 2
    assert len(facts["outputs"]["result"]["digest"]) == 64
    assert {one["name"] for one in facts["quality"]} >= {"Rows of transactions", "Rows of transactions used"}
    assert sorted(path.name for path in (tmp_path / "r").iterdir()) == [
        "method.toml",
        "outputs",
        "private",
        "report.html",
        "ro-crate-metadata.json",
        "run.json",
    ]
    assert not list(tmp_path.glob(".*"))


def test_a_run_without_a_place_stands_in_the_workspace(tmp_path, monkeypatch):
    monkeypatch.setenv("STATCOMMONS_WORKSPACE", str(tmp_path / "office"))
    done = run("prices.unit_values", {"transactions": SALES})
    assert done.path.parent == (tmp_path / "office" / "runs").absolute()
    assert done.path.name == done.id
    assert load_run(done.id).facts == done.facts


def test_the_zone_comes_from_the_settings(tmp_path):
    (tmp_path / "office").mkdir()
    (tmp_path / "office" / "settings.toml").write_text('zone = "Africa/Kigali"\n')
    assert (
        run("prices.unit_values", {"transactions": SALES}, workspace=tmp_path / "office").facts["zone"]
        == "Africa/Kigali"
    )
    (tmp_path / "office" / "settings.toml").write_text('zone = "Mars/Base"\n')
    with pytest.raises(BadCall, match=r"The zone is 'Mars/Base'. Give an IANA zone"):
        run("prices.unit_values", {"transactions": SALES}, workspace=tmp_path / "office")


def test_measures_notices_and_imputed_are_kept(tmp_path):
    facts = run(flag, {"numbers": numbers(1, 2, 3, 4)}, out=tmp_path / "r").facts
    named = {one["name"]: one for one in facts["quality"]}
    assert named["Half"] == {"name": "Half", "value": 0.5, "unit": "share", "asked": "≥ 0.6", "met": False}
    assert named["Imputed in result"]["value"] == 0.5
    assert facts["notices"] == ["This is said once."]


def test_what_is_confidential_stays_private(tmp_path):
    done = run(flag, {"numbers": numbers(1, 2)}, out=tmp_path / "r")
    assert done.output().column_names == ["id", "x", "status"]
    private = tmp_path / "r" / "private" / "outputs" / "result.parquet"
    assert pa.parquet.read_table(private)["firm"].to_pylist() == ["Secret Ltd"] * 2
    public = [path for path in (tmp_path / "r").rglob("*") if path.is_file() and "private" not in path.parts]
    assert public
    assert not [path for path in public if b"Secret Ltd" in path.read_bytes()]


def test_a_method_that_breaks_its_own_schema_is_our_bug_and_leaves_nothing(tmp_path):
    with pytest.raises(OurBug, match=r"x:exclusiveMinimum \(2 rows\)"):
        run(broken, {"numbers": numbers(1, 2)}, out=tmp_path / "r")
    assert not list(tmp_path.iterdir())


def test_randomness_comes_from_the_seed(tmp_path):
    digests = [
        run(draw, {"numbers": numbers(1, 2)}, out=tmp_path / str(i), seed=seed).facts["outputs"]["result"]["digest"]
        for i, seed in enumerate((5, 5, 6))
    ]
    assert digests[0] == digests[1] != digests[2]


def test_several_tables_in_and_out(tmp_path):
    lists = [numbers(0.5), pa.table({"id": ["m"], "x": [2.0]})]
    done = run(split, {"lists": lists}, out=tmp_path / "r")
    assert (done.output("small").num_rows, done.output("large").num_rows) == (1, 1)
    assert [table["rows"] for table in done.facts["inputs"]["lists"]["tables"]] == [1, 1]
    with pytest.raises(BadCall, match=r"no output 'smal'. It has: small, large"):
        done.output("smal")


def test_rows_set_aside_are_counted_and_kept_private(tmp_path):
    sales = {**SALES, "price": [2.0, -987654.25]}
    with pytest.raises(BadData, match=r"price must be a number above 0, got '-987654\.25'"):
        run("prices.unit_values", {"transactions": sales}, out=tmp_path / "r")
    assert not list(tmp_path.iterdir())
    done = run("prices.unit_values", {"transactions": sales}, out=tmp_path / "r", on_bad_rows="set_aside")
    table = done.facts["inputs"]["transactions"]["tables"][0]
    assert (table["rows"], table["used"]) == (2, 1)
    assert table["set_aside"] == [{"rule": "price must be a number above 0", "rows": 1}]
    kept = pa.parquet.read_table(done.path / "private" / "set_aside" / "transactions.parquet")
    assert kept["price"].to_pylist() == ["-987654.25"]
    public = [path for path in done.path.rglob("*") if path.is_file() and "private" not in path.parts]
    assert not [path for path in public if b"987654" in path.read_bytes()]


def test_a_place_that_is_taken_is_refused(tmp_path):
    (tmp_path / "r").mkdir()
    (tmp_path / "r" / "mine.txt").write_text("keep")
    with pytest.raises(BadCall, match="is there already"):
        run("prices.unit_values", {"transactions": SALES}, out=tmp_path / "r")
    assert (tmp_path / "r" / "mine.txt").read_text() == "keep"


def test_a_cancelled_run_leaves_nothing(tmp_path):
    stop = threading.Event()

    def hear(step):
        if step.name.startswith("Run "):
            stop.set()

    with progress.listening(hear, stop), pytest.raises(Cancelled):
        run("prices.unit_values", {"transactions": SALES}, out=tmp_path / "r")
    assert not list(tmp_path.iterdir())


def test_what_a_killed_run_left_is_swept(tmp_path):
    left = tmp_path / ".old.abcd.partial"
    left.mkdir()
    (left / ".lock").touch()
    (left / "half").write_text("made")
    run("prices.unit_values", {"transactions": SALES}, out=tmp_path / "r")
    assert [path.name for path in tmp_path.iterdir()] == ["r"]


@pytest.mark.parametrize("out", ["/proc/x", "/proc/x/y"])
def test_a_place_where_no_folder_can_be_is_refused(out):
    with pytest.raises((BadCall, NotAllowed), match=r"^/proc/x: .*--out"):
        run("prices.unit_values", {"transactions": SALES}, out=out)


@pytest.mark.parametrize("name", ["new\nline", "turned\u200fname", "bidi\u202ename", "bytes\udcff"])
def test_a_name_with_signs_that_cannot_be_seen_is_refused(tmp_path, name):
    with pytest.raises(BadCall, match="signs that cannot be seen") as found:
        run("prices.unit_values", {"transactions": SALES}, out=tmp_path / name)
    assert str(found.value).isprintable()
    assert not list(tmp_path.iterdir())


def test_files_with_the_same_content_are_named(tmp_path):
    for name in ("jan.csv", "jan (1).csv", "feb.csv"):
        (tmp_path / name).write_text(f"id,x\n{name[:3]},1\n")
    alike = "jan.csv and jan (1).csv have the same content: their rows count twice."
    files = [tmp_path / name for name in ("jan.csv", "jan (1).csv", "feb.csv")]
    assert run(split, {"lists": files[:1] + files[2:]}, out=tmp_path / "0").facts["notices"] == []
    with pytest.raises(OurBug, match="key repeats"):  # the method keeps both
        run(split, {"lists": files}, out=tmp_path / "1")
    sales = "time,product,price,quantity\n2026-01-05,a,2,1\n"
    for file in files:
        file.write_text(sales if "jan" in file.name else sales.replace("01-05", "02-05"))
    done = run("prices.unit_values", {"transactions": files}, out=tmp_path / "2")
    assert done.facts["notices"].count(f"transactions: {alike}") == 1
    assert done.output()["quantity"].to_pylist() == [2, 1]
