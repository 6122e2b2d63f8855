"""What all tests share: engines, so that a test does not know on which it runs, and a quiet place to work in."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from browsing import CHROMIUM
from hypothesis import settings

from statcommons.core.engine import connect, using

settings.register_profile("steady", deadline=None, derandomize=bool(os.environ.get("CI")))
settings.load_profile("steady")

SHARED = Path(__file__).parents[2] / "shared" / "data"

ENGINES = [
    pytest.param(("duckdb:", 1), id="duckdb-1"),
    pytest.param(("duckdb:", 2), id="duckdb-2"),
    pytest.param(("spark:local[2]", None), id="spark", marks=[pytest.mark.spark, pytest.mark.xdist_group("spark")]),
]


def pytest_generate_tests(metafunc):
    """Refuse a set as values of a test: each process would have them in an order of its own, and xdist stops there."""
    for mark in metafunc.definition.iter_markers("parametrize"):
        if isinstance(mark.args[1], set | frozenset):
            raise pytest.UsageError(
                f"{metafunc.definition.nodeid}: its values are a set, which has no order; give a list"
            )


def java() -> bool:
    """Whether there is a Java that Spark can run on."""
    return bool(shutil.which("java") or os.environ.get("JAVA_HOME"))


def without(part: str) -> None:
    """Skip a test by the name of what is missing; in CI nothing may be."""
    if os.environ.get("CI"):
        pytest.fail(f"no {part}, and in CI nothing is skipped")
    pytest.skip(f"no {part}")


@pytest.fixture(scope="module")
def browser():
    """Give a browser."""
    if not CHROMIUM:
        without("Chromium (install chromium)")
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as started:
        opened = started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield opened
        opened.close()


@pytest.fixture(autouse=True)
def quiet_place(tmp_path, monkeypatch):
    """Work in a folder of one's own: no test sees the workspace or the files of another."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("STATCOMMONS_WORKSPACE", raising=False)


@pytest.fixture(params=ENGINES)
def engine(request, tmp_path):
    """Give each engine in turn, as the current one."""
    address, threads = request.param
    if address.startswith("spark") and not java():
        without("Java for Spark (install default-jre-headless)")
    with connect(address, threads=threads, spill=tmp_path / "spill") as opened, using(opened):
        yield opened


@pytest.fixture
def duckdb(tmp_path):
    """Give one DuckDB, as the current engine."""
    with connect(threads=2, spill=tmp_path / "spill") as opened, using(opened):
        yield opened


@pytest.fixture
def shared():
    """Give the folder of real data and goldens that stands beside the repository, or skip."""

    def find(name: str) -> Path:
        path = SHARED / name
        if not path.exists():
            pytest.skip(f"no {name} in ../shared/data")
        return path

    return find
