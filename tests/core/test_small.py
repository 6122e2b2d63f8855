"""The small parts of core: digests, progress, seeds, the registry, the workspace, engines."""

from __future__ import annotations

import datetime
import http.server
import threading
import time

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from statcommons.core import engine as engines
from statcommons.core import progress, registry
from statcommons.core.digest import BLOCK, content_digest
from statcommons.core.engine import connect, current, using
from statcommons.core.errors import BadCall, BadData, Cancelled, ExtraMissing, NoInput, TryAgain
from statcommons.core.fetch import fetched
from statcommons.core.method import several_of
from statcommons.core.quality import Notice, collecting, measure, notice
from statcommons.core.reading import read
from statcommons.core.seed import rng, seeded
from statcommons.core.workspace import workspace

# --- digests


def test_the_digest_does_not_depend_on_how_rows_are_cut():
    table = pa.table({"x": np.arange(BLOCK * 2 + 5), "s": [f"é{i}" for i in range(BLOCK * 2 + 5)]})
    whole = content_digest(table)
    assert whole == content_digest(table.to_batches(max_chunksize=1000))
    assert whole == content_digest([*table.slice(0, 7).to_batches(), *table.slice(7).to_batches()])


def test_what_is_the_same_has_one_digest():
    utc = datetime.datetime(2026, 1, 1, 12)
    pairs = [
        ([0.0], [-0.0]),
        ([float("nan")], [-float("nan")]),
        (pa.array([1], pa.int32()), pa.array([1], pa.int64())),
        (pa.array([1.5], pa.float32()), pa.array([1.5], pa.float64())),
        (pa.array(["a"], pa.large_string()), pa.array(["a"]).dictionary_encode()),
        (pa.array([utc], pa.timestamp("s")), pa.array([utc], pa.timestamp("us"))),
    ]
    for one, other in pairs:
        assert content_digest(pa.table({"x": one})) == content_digest(pa.table({"x": other}))


def test_what_differs_has_another_digest():
    tables = [
        {"x": [1]},
        {"y": [1]},
        {"x": [1.0]},
        {"x": [2]},
        {"x": [1, 1]},
        {"x": [None]},
        {"x": ["1"]},
        {"x": pa.array([None], pa.int64())},
        {"x": pa.array([0], pa.int64())},
        {"x": ["", "ab"]},
        {"x": ["a", "b"]},
        {"x": [None, "ab"]},
        {"x": [True]},
        {"x": [datetime.date(2026, 1, 1)]},
    ]
    digests = [content_digest(pa.table(one)) for one in tables]
    assert len(set(digests)) == len(digests)


@given(st.lists(st.one_of(st.none(), st.text(max_size=4)), max_size=8), st.integers(0, 8))
def test_a_slice_is_hashed_as_what_it_shows(values, start):
    array = pa.array(values, pa.string())
    copied = pa.array(values[start:], pa.string())
    assert content_digest(pa.table({"x": array.slice(start)})) == content_digest(pa.table({"x": copied}))


# --- progress


def test_a_step_knows_its_share_and_its_time_left():
    heard = []
    with progress.listening(heard.append), progress.step("Count", total=4, unit="rows") as one:
        assert one.left is None
        time.sleep(0.02)
        one.advance()
        assert one.share == 0.25
        assert one.left == pytest.approx(3 * one.elapsed, rel=0.5)
    assert heard[-1].ended


def test_a_query_is_interrupted_from_a_thread(duckdb):
    stop = threading.Event()
    threading.Timer(0.5, stop.set).start()
    query = duckdb.backend.sql("select sum(sqrt(a.range * b.range)) s from range(3000000) a, range(3000000) b")
    started = time.monotonic()
    with progress.listening(None, stop), pytest.raises(Cancelled):
        duckdb.row(query)
    assert time.monotonic() - started < 20
    assert duckdb.row(duckdb.backend.sql("select 1 as one")) == {"one": 1}


def test_cancel_stops_the_next_step():
    with progress.listening(None):
        progress.cancel()
        with pytest.raises(Cancelled), progress.step("Late"):
            raise AssertionError


# --- quality and seeds


def test_outside_a_run_a_notice_is_a_warning_and_a_measure_is_not_kept():
    with pytest.warns(Notice, match="Look here"):
        notice("Look here")
    measure("Nothing", 1)
    with collecting() as found:
        measure("Share", 0.5, at_least=0.4, at_most=0.6)
        measure("Share", 0.7, at_most=0.6)
    assert [(one.asked, one.met) for one in found.measures] == [("≥ 0.4, ≤ 0.6", True), ("≤ 0.6", False)]


def test_the_seed_of_the_run_is_where_randomness_starts():
    with seeded(1):
        first = rng().integers(0, 1 << 30)
    with seeded(2):
        assert rng().integers(0, 1 << 30) != first


# --- the registry


def test_listing_imports_no_method(tmp_path):
    import subprocess
    import sys

    code = (
        "import sys; from statcommons.core.registry import methods, sources; print(len(methods()), len(sources()));"
        "print([one for one in ('ibis', 'numpy', 'pydantic', 'statcommons.prices') if one in sys.modules])"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split("\n")
    assert said[1] == "[]"


def test_the_nearest_method_is_named():
    with pytest.raises(BadCall, match=r"no method 'prices.unitvalues'. Did you mean 'prices.unit_values'"):
        registry.find_method("prices.unitvalues")
    with pytest.raises(BadCall, match=r"no source 'prices.market'"):
        registry.find_source("prices.market")


# --- engines


def test_duckdb_is_set_up_to_answer_alike(tmp_path):
    with connect(threads=1, memory="300MB", spill=tmp_path / "spill") as one:
        wanted = ("TimeZone", "threads", "autoinstall_known_extensions", "temp_directory")
        query = ", ".join(f"current_setting('{name}') as \"{name}\"" for name in wanted)
        found = one.row(one.backend.sql(f"select {query}"))
    assert found == {
        "TimeZone": "UTC",
        "threads": 1,
        "autoinstall_known_extensions": False,
        "temp_directory": str(tmp_path / "spill"),
    }
    assert not (tmp_path / "spill").exists()


def test_addresses_that_cannot_be():
    with pytest.raises(
        BadCall, match=r"'postgres:x'. Give duckdb:, duckdb:FILE, spark:local\[2\] or spark://HOST:PORT"
    ):
        connect("postgres:x")
    with pytest.raises(BadCall, match=r"'2 gigs'. Give a number and a unit"):
        connect(memory="2 gigs")


def test_a_memory_limit_that_is_too_small_says_so(tmp_path):
    with connect(memory="20MB", threads=1, spill=tmp_path / "s") as one:
        one.backend.con.execute("SET max_temp_directory_size = '0KB'")
        with pytest.raises(TryAgain, match="Give more with --memory"):
            one.row(one.backend.sql("select list(range) as x from range(30000000)"))


def test_spark_that_is_not_installed(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "pyspark.sql", None)
    with pytest.raises(ExtraMissing, match=r"pip install 'statcommons\[spark\]'"):
        connect("spark:local[1]")


def test_a_table_brings_its_own_connection():
    with connect() as first, connect() as second:
        table = first.adopt(pa.table({"x": [1]}))
        with using(second):
            assert engines.engine_of(table).backend is first.backend
            assert current() is second


def test_a_total_that_is_too_large_says_so(duckdb):
    table = duckdb.adopt(pa.table({"x": [1e18]}))
    with pytest.raises(BadData, match="A number is too large"):
        duckdb.row(table.agg(x=engines.total(table.x, 6)))


# --- the workspace


def test_a_newer_workspace_is_refused(tmp_path):
    (tmp_path / "settings.toml").write_text("format = 9\n")
    with pytest.raises(BadCall, match=r"format 9; this version reads up to 1. Upgrade statcommons"):
        workspace(tmp_path)


def test_settings_that_cannot_be_read(tmp_path):
    (tmp_path / "settings.toml").write_text("zone = Kigali")
    with pytest.raises(BadCall, match="settings cannot be read"):
        workspace(tmp_path)


# --- fetching, on this machine only


@pytest.fixture
def served(tmp_path):
    """Serve a folder on 127.0.0.1."""
    (tmp_path / "web").mkdir()
    (tmp_path / "web" / "sales.csv").write_text("code,x\n004,1\n")

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *args):
            super().__init__(*args, directory=str(tmp_path / "web"))

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Quiet) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_a_url_is_read_when_the_user_gives_it(duckdb, served):
    reading = read(f"{served}/sales.csv", engine=duckdb)
    assert duckdb.collect(reading.table()).to_pylist() == [{"code": "004", "x": "1"}]


def test_a_file_is_fetched_whole_and_verified(served, tmp_path):
    path = fetched(f"{served}/sales.csv", tmp_path / "kept")
    assert path.read_text() == "code,x\n004,1\n"
    with pytest.raises(BadData, match="has the digest"):
        fetched(f"{served}/sales.csv", tmp_path / "other", sha256="0" * 64)
    with pytest.raises(BadData, match="larger than 3 bytes"):
        fetched(f"{served}/sales.csv", tmp_path / "other", limit=3)
    with pytest.raises(NoInput, match="nothing at the address"):
        fetched(f"{served}/none.csv", tmp_path / "other")
    with pytest.raises(TryAgain, match="did not answer"):
        fetched("http://127.0.0.1:9/none.csv", tmp_path / "other")
    with pytest.raises(BadCall, match="cannot be opened"):
        fetched("nosuchscheme://x/none.csv", tmp_path / "other")
    assert not list((tmp_path / "other").iterdir())


# --- several tables


def test_a_folder_of_folders_is_several_tables_past_what_is_hidden_or_set_apart(tmp_path):
    for name in ("south", "north", "_truth", ".cache"):
        (tmp_path / name).mkdir()
    (tmp_path / "_notes.txt").write_text("sent on Monday")
    assert several_of(tmp_path) == [str(tmp_path / "north"), str(tmp_path / "south")]
    (tmp_path / "east.csv").write_text("a\n1\n")
    assert several_of(tmp_path) == [tmp_path]
