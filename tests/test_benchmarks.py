"""The benchmarks run, ours and its peers give the same answers, and a peer that does not is refused."""

import json
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PARTS = ("harness", "sdmx_read", "sdmx_write")
AREAS = sorted(file.stem for file in (ROOT / "benchmarks").glob("[a-z]*.py") if file.stem not in PARTS)


@pytest.fixture
def harness(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT))
    import benchmarks.harness

    return benchmarks.harness


def bench(*words):
    command = [sys.executable, "-m", "benchmarks", *words]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("area", AREAS)
def test_every_case_runs_and_its_sides_agree(area, harness):
    pytest.importorskip("pandera")
    results = ROOT / "benchmarks" / "results" / f"{area}.json"
    before = results.read_bytes() if results.exists() else None
    done = bench(area, "--quick")
    assert done.returncode == 0, done.stderr
    cases = harness.cases_of(import_module(f"benchmarks.{area}"))
    assert [line[3:] for line in done.stdout.splitlines() if line.startswith("## ")] == list(cases) != []
    assert (results.read_bytes() if results.exists() else None) == before


@pytest.mark.parametrize(
    ("theirs", "agrees"),
    [
        ({"rows": 3, "sum": 0.3}, True),
        ({"rows": 3, "sum": 0.3 * (1 + 1e-12)}, True),
        ({"rows": 4, "sum": 0.3}, False),
        ({"rows": 3, "sum": 0.31}, False),
        ({"rows": 3}, False),
        (None, True),
    ],
)
def test_a_peer_that_gives_another_answer_is_refused(harness, theirs, agrees):
    answers = {harness.OURS: {"rows": 3, "sum": 0.3}, "peer": theirs}
    if agrees:
        harness.agree("case", answers)
    else:
        with pytest.raises(harness.Disagree, match="peer"):
            harness.agree("case", answers)


def test_a_disagreement_ends_a_benchmark(harness, tmp_path):
    @harness.case(sizes=(1,), quick=1)
    def wrong(rows, folder):
        """Disagree."""
        yield {harness.OURS: lambda: [1, 2], "peer": lambda: [1, 3]}

    with pytest.raises(harness.Disagree):
        harness.measure_all("core", {"wrong": wrong}, quick=True)


def test_sides_are_called_in_turn_and_the_case_is_closed(harness):
    called = []

    @harness.case(sizes=(1,), quick=1, rounds=3, memory=False)
    def one(rows, folder):
        """Listen."""
        yield {harness.OURS: lambda: called.append("a"), "peer": lambda: called.append("b")}
        called.append("closed")

    found = harness.measure_all("core", {"one": one})
    assert called == [*"ab" * 4, "closed"]  # a warm-up and three rounds
    sides = found["cases"]["one"]["sizes"][0]["sides"]
    assert [len(sides["peer"][name]) for name in ("seconds", "cpu", "ratios")] == [3, 3, 3]


def results(ratios, peak):
    side = {"seconds": [1.0], "ratios": ratios, "peak_mb": peak}
    return {"machine": {"load": 1}, "cases": {"x": {"sizes": [{"size": 10, "sides": {"peer": side}}]}}}


def test_compare_tells_a_change_from_noise(harness):
    before = results([1.0, 1.1, 1.2], 100)
    assert "Nothing changed" in harness.compared(before, results([1.15, 1.3], 105))
    assert "1.1 (1–1.2) → 1.35 (1.3–1.4)" in harness.compared(before, results([1.3, 1.4], 100))
    assert "peak 100 → 150 MB" in harness.compared(before, results([1.1], 150))
    assert "No results" in harness.compared({"cases": {}}, before)


def test_the_kept_results_are_those_of_the_table(harness):
    for kept in (ROOT / "benchmarks" / "results").glob("*.json"):
        cases = json.loads(kept.read_text(encoding="utf-8"))["cases"]
        table = kept.with_suffix(".md").read_text(encoding="utf-8")
        assert [line[3:] for line in table.splitlines() if line.startswith("## ")] == list(cases)
