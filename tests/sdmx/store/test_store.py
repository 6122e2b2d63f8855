"""What a store promises beside its rows: one clock, one writer, nothing lost, nothing shown before its time."""

import datetime as dt
import errno
import itertools
import os
import shutil
import signal
import subprocess
import sys
import textwrap
from dataclasses import replace
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from sdmx_stores import FLOW, START, STRUCTURE, filling, flat, load, opened, row, state

from statcommons.core.errors import BadCall, BadData, NoInput, NotAllowed, TryAgain
from statcommons.sdmx.model import Ref
from statcommons.sdmx.query.components import component_filters
from statcommons.sdmx.query.data import DataQuery
from statcommons.sdmx.query.keys import parse_keys
from statcommons.sdmx.store import Store, disk
from statcommons.sdmx.store.change import Changed
from statcommons.sdmx.store.manifest import MANIFEST, read_manifest
from statcommons.sdmx.structure import Component, artefacts_of
from statcommons.toolbox.sdmx_periods import time_period

ONE = [row("004", "2020", 1.0, STATUS="P", UNIT="PT"), row("NA", "2020", 3.0), row("NA", "2021-Q1", 4.0)]


def folder(store):
    [found] = (store.path / "flows").iterdir()
    return found


def keys(store, text):
    return DataQuery(FLOW, keys=parse_keys(text, STRUCTURE.key))


# --- the clock ------------------------------------------------------------------------------------------------------


def everything(store):
    """Give all that a reader can learn of the flow."""
    later = store.time + dt.timedelta(days=3650)
    facts = store.facts(FLOW)
    return (
        flat(store.select(DataQuery(FLOW))),
        flat(store.select(DataQuery(FLOW, as_of=later))),
        flat(store.select(DataQuery(FLOW, history=True))),
        flat(store.select(DataQuery(FLOW, updated_after=START - dt.timedelta(days=1)))),
        store.select(DataQuery(FLOW)).total(),
        store.availability(DataQuery(FLOW), "available"),
        (facts.version, facts.modified),
    )


def test_what_is_under_embargo_exists_for_no_reader_until_its_time(tmp_path, monkeypatch):
    store = opened(tmp_path / "store", monkeypatch)
    load(store, ONE)
    store.tick(hours=1)
    before = everything(store)
    due = store.time + dt.timedelta(hours=2)
    load(store, [row("004", "2020", 9.0), row("ZZ", "2020", 5.0, SOURCE="secret")], valid_from=due)
    assert everything(store) == before
    assert store.facts(FLOW).until == due
    store.time = due - dt.timedelta(microseconds=1)
    assert everything(store) == before
    store.time = due
    assert state(store)["A", "004", "2020"]["OBS_VALUE"] == 9.0
    assert store.availability(DataQuery(FLOW)).values["AREA"] == ("004", "NA", "ZZ")
    assert store.facts(FLOW).version != before[-1][0]
    assert store.facts(FLOW).until is None


def test_who_looks_while_a_load_is_made_misses_nothing_of_it(tmp_path, monkeypatch):
    store = opened(tmp_path / "store", monkeypatch)
    load(store, ONE)
    store.tick(hours=1)
    seen = {}

    def slow(connection):
        store.tick(seconds=20)
        seen["at"], seen["state"] = store.time, state(store)
        store.tick(seconds=20)
        return filling([row("004", "2020", 9.0, action="Merge")])(connection)

    done = store.change(FLOW, slow)
    assert done.valid_from > seen["at"]
    assert state(store, as_of=seen["at"]) == seen["state"]
    [delta] = flat(store.select(DataQuery(FLOW, updated_after=seen["at"])))
    assert delta["OBS_VALUE"] == 9.0
    assert state(store)["A", "004", "2020"]["OBS_VALUE"] == 9.0
    [*_, last] = store.select(DataQuery(FLOW, history=True)).data_sets()
    assert last.valid_from == done.valid_from == store.facts(FLOW).modified


def test_a_release_that_comes_while_a_load_is_made_sends_the_load_back(tmp_path, monkeypatch):
    store = opened(tmp_path / "store", monkeypatch)
    load(store, ONE)
    load(store, [row("004", "2020", 5.0)], valid_from=store.time + dt.timedelta(seconds=30))

    def slow(connection):
        store.tick(seconds=60)
        return filling([row("004", "2020", 9.0, action="Merge")])(connection)

    with pytest.raises(TryAgain, match="became public"):
        store.change(FLOW, slow)
    assert state(store)["A", "004", "2020"]["OBS_VALUE"] == 5.0
    assert load(store, [row("004", "2020", 9.0)]).changed.changed == 1


def test_what_waits_and_comes_again_for_the_same_moment_is_unchanged(tmp_path, monkeypatch):
    store = opened(tmp_path / "store", monkeypatch)
    load(store, [row("004", "2020", 1.0), row("NA", "2020", 2.0)])
    store.tick(hours=1)
    due = store.time + dt.timedelta(days=1)
    waiting = [row("004", "2020", 9.0), row("NA", "2020", action="Delete"), row("ZZ", "2020", 5.0, UNIT="KM")]
    first = load(store, waiting, valid_from=due)
    assert (first.changed.changed, first.changed.deleted, first.changed.added) == (1, 1, 1)
    again = load(store, waiting, valid_from=due)
    assert (again.number, again.changed) == (None, Changed(unchanged=3))
    other = load(store, [row("004", "2020", 8.0), row("ZZ", "2020", 5.0)], valid_from=due)
    assert (other.changed.changed, other.changed.unchanged) == (1, 1)
    more = load(store, [row("004", "2020", STATUS="A")], valid_from=due)
    assert more.changed == Changed(changed=1)
    store.tick(days=2)
    values = {key[1]: (cells["OBS_VALUE"], cells["STATUS"], cells["UNIT"]) for key, cells in state(store).items()}
    assert values == {"004": (8.0, "A", None), "ZZ": (5.0, None, "KM")}


def test_what_waits_and_says_what_stands_counts_when_an_earlier_load_comes_between(tmp_path, monkeypatch):
    store = opened(tmp_path / "store", monkeypatch)
    load(store, [row("004", "2020", 1.0)])
    store.tick(hours=1)
    due = store.time + dt.timedelta(days=1)
    load(store, [row("004", "2020", STATUS="A")], valid_from=due)
    assert load(store, [row("004", "2020", 1.0)], valid_from=due).number
    load(store, [row("004", "2020", 7.0)], valid_from=due - dt.timedelta(hours=1))
    store.tick(days=2)
    assert state(store)["A", "004", "2020"]["OBS_VALUE"] == 1.0


def test_an_embargo_may_be_withdrawn_and_what_was_published_may_not(tmp_path, monkeypatch):
    store = opened(tmp_path / "store", monkeypatch)
    first = load(store, ONE)
    due = store.time + dt.timedelta(hours=2)
    second = load(store, [row("004", "2020", 9.0)], valid_from=due)
    third = load(store, [row("004", "2020", STATUS="A")], valid_from=due + dt.timedelta(hours=1))
    store.withdraw(FLOW, second.number)
    store.time = due + dt.timedelta(hours=1)
    # The third load was computed on the second, and is so no longer.
    assert state(store)["A", "004", "2020"] == {
        "OBS_VALUE": 1.0, "STATUS": "A", "UNIT": "PT", "TITLE": None, "SOURCE": None, "NOTE": None,
    }  # fmt: skip
    for done in (first, second, third):
        with pytest.raises(BadCall, match=r"public since|not known"):
            store.withdraw(FLOW, done.number)


def test_a_clock_that_steps_back_takes_nothing_back(tmp_path, monkeypatch):
    store = opened(tmp_path / "store", monkeypatch)
    first = load(store, ONE)
    store.time -= dt.timedelta(days=30)
    assert len(state(store)) == 3
    again = load(store, [row("004", "2020", 2.0)])
    assert again.valid_from > START
    assert state(store)["A", "004", "2020"]["OBS_VALUE"] == 2.0
    assert state(store, as_of=first.valid_from)["A", "004", "2020"]["OBS_VALUE"] == 1.0


def test_nothing_is_published_before_what_is_public(tmp_path, monkeypatch):
    store = opened(tmp_path / "store", monkeypatch)
    load(store, ONE)
    with pytest.raises(BadCall, match="never changed"):
        load(store, ONE, valid_from=START)
    # Vintages that were published elsewhere come in their order.
    other = opened(tmp_path / "other", monkeypatch)
    for year in (2019, 2020):
        load(other, [row("004", "2018", float(year))], valid_from=dt.datetime(year, 3, 1))
    assert state(other, as_of=dt.datetime(2019, 6, 1))["A", "004", "2018"]["OBS_VALUE"] == 2019.0
    load(other, [row("004", "2018", 1.0)])
    with pytest.raises(BadCall, match="readers have seen the flow since"):
        load(other, [row("004", "2018", 2.0)], valid_from=dt.datetime(2025, 3, 1))


# --- loads ----------------------------------------------------------------------------------------------------------


def test_a_load_that_says_nothing_new_changes_nothing(tmp_path, monkeypatch):
    store = opened(tmp_path / "store", monkeypatch)
    load(store, ONE)
    before, files = store.facts(FLOW), sorted(one.name for one in folder(store).iterdir())
    store.tick(hours=1)
    done = load(store, ONE)
    assert (done.number, done.changed.unchanged, bool(done.changed)) == (None, 3, False)
    assert (store.facts(FLOW), sorted(one.name for one in folder(store).iterdir())) == (before, files)


def test_all_that_a_first_load_says_of_a_group_is_said_together(tmp_path):
    store = opened(tmp_path / "store")
    load(store, [row("004", "2020", 1.0, SOURCE="survey", NOTE="n"), row("NA", "2020", 2.0)])
    table = store.query(FLOW)
    assert (table["SOURCE"].to_pylist(), table["NOTE"].to_pylist()) == (["survey"] * 2, ["n"] * 2)


def test_loads_are_counted_by_what_they_do(tmp_path):
    store = opened(tmp_path / "store")
    load(store, ONE)
    done = load(
        store, [*ONE[:1], row("NA", "2020", 3.5), row("KM", "2020", 1.0), row("NA", "2021-Q1", action="Delete")]
    )
    counts = done.changed
    assert (counts.added, counts.changed, counts.deleted, counts.unchanged, counts.groups) == (1, 1, 1, 1, 0)


def test_many_loads_are_compacted_and_old_files_go_when_no_reader_needs_them(tmp_path, monkeypatch):
    store = opened(tmp_path / "store", monkeypatch)
    for number in range(12):
        load(store, [row("004", str(2000 + number), float(number)), row("NA", "2020", float(number))])
        store.tick(hours=1)
    assert len(read_manifest(folder(store)).segments) < 9
    assert len(state(store)) == 13
    assert [one["OBS_VALUE"] for one in flat(store.select(keys(store, "A.NA")))] == [11.0]
    assert len(list(folder(store).glob("rows-*"))) < 12
    history = flat(store.select(DataQuery(FLOW, keys=parse_keys("A.NA", STRUCTURE.key), history=True)))
    assert [one["OBS_VALUE"] for one in history] == [float(number) for number in range(12)]


def test_a_data_structure_keeps_its_dimensions_while_there_are_data(tmp_path):
    store = opened(tmp_path / "store")
    load(store, ONE)
    fewer = tuple(one for one in STRUCTURE.components if one.id != "FREQ" and one.attachment == "observation")
    with pytest.raises(BadCall, match="FREQ, AREA"):
        store.add_structures(artefacts_of(replace(STRUCTURE, components=fewer)))
    more = (*STRUCTURE.components, Component("MORE", "attribute", "text", required=False))
    store.add_structures(artefacts_of(replace(STRUCTURE, components=more)))
    assert state(store)["A", "004", "2020"]["OBS_VALUE"] == 1.0


# --- questions ------------------------------------------------------------------------------------------------------


ALIASES = (
    *("ACT", "BEFORE", "Events", "FIRST", "IS_NEW", "NUMBER", "OTHER", "PERIOD_START", "PLACE", "ROWID", "SAME"),
    *("S_FREQ", "Series", "TOLD", "WAS", "WHOLE"),
)


@pytest.mark.parametrize("role", ["dimension", "attribute"])
def test_components_may_be_called_what_our_questions_call_their_own_columns(tmp_path, role):
    parts = {one.id: one for one in STRUCTURE.components if one.id in ("FREQ", "TIME_PERIOD", "OBS_VALUE")}
    new = [Component(id, role, "text", required=role == "dimension") for id in ALIASES]
    key = [parts["FREQ"], *(new if role == "dimension" else []), parts["TIME_PERIOD"]]
    components = (*key, parts["OBS_VALUE"], *(new if role == "attribute" else []))
    store = Store(tmp_path, threads=2)
    store.add_structures(artefacts_of(replace(STRUCTURE, components=components)))
    head = f"STRUCTURE,STRUCTURE_ID,ACTION,FREQ,TIME_PERIOD,OBS_VALUE,{','.join(ALIASES)}\ndataflow,{FLOW},"
    full = ",q" * len(ALIASES)
    deleted = full if role == "dimension" else "," * len(ALIASES)
    for line in (f"R,A,2020,1{full}", f"R,A,2021,2{full}", f"M,A,2020,3{full}", f"D,A,2021,{deleted}"):
        store.load(f"{head}{line}\n".encode())
    store.compact(FLOW)
    expected = {"FREQ": "A", "TIME_PERIOD": "2020", "OBS_VALUE": 3.0} | dict.fromkeys(ALIASES, "q")
    assert store.query(FLOW).to_pylist() == [expected]


@pytest.mark.parametrize("ids", [("_from",), ("Unit", "UNIT"), ("FILE_ROW_NUMBER",)])
def test_components_that_the_engine_cannot_tell_apart_are_refused(tmp_path, ids):
    store = Store(tmp_path)
    more = [Component(id, "attribute", "text", required=False) for id in ids]
    store.add_structures(artefacts_of(replace(STRUCTURE, components=(*STRUCTURE.components, *more))))
    with pytest.raises(BadCall, match=f"{ids[-1]}.*Give it another id"):
        store.load(f"DATAFLOW,FREQ,AREA,TIME_PERIOD\n{FLOW},A,004,2020\n".encode())


@pytest.mark.parametrize(
    ("agency", "id", "version"),
    [
        *(("../../evil", "DF", "1.0"), ("SC", "../evil", "1.0"), ("SC", "DF", "../1"), ("SC", "D F", "1.0")),
        *(("SC", "A\0", "1.0"), ("SC.", "DF", "1.0"), ("SC", "D" * 300, "1.0"), ("SC", "D:F", "1.0")),
    ],
)
def test_a_structure_whose_name_is_no_name_of_sdmx_makes_no_folder(tmp_path, agency, id, version):
    store = Store(tmp_path / "store")
    with pytest.raises(BadData, match="names no structure"):
        store.add_structures(artefacts_of(replace(STRUCTURE, flow=Ref("dataflow", agency, id, version))))
    assert not (tmp_path / "store").exists()


def test_of_several_dataflows_all_are_loaded_or_none(tmp_path, monkeypatch):
    store = opened(tmp_path / "store", monkeypatch)
    other = Ref("dataflow", "SC", "DF_Y", "1.0")
    store.add_structures(artefacts_of(replace(STRUCTURE, flow=other)))
    good, bad = (f"DATAFLOW,FREQ,AREA,TIME_PERIOD,OBS_VALUE\n{FLOW},A,004,2020,{value}\n" for value in ("1", "x"))
    both = f"{bad}{other},A,004,2020,y\n"
    with pytest.raises(BadData, match=r"(?s)got 'x'.*got 'y'"):
        store.load(both.encode())
    with pytest.raises(BadData, match="got 'y'"):
        store.load(good.encode(), bad.replace(str(FLOW), str(other)).replace(",x", ",y").encode())
    assert store.query(FLOW).num_rows == 0
    store.load(good.replace(str(FLOW), str(other)).encode())
    with pytest.raises(BadCall, match="never changed"):
        store.load(good.encode(), good.replace(str(FLOW), str(other)).encode(), valid_from=START)
    assert store.query(FLOW).num_rows == 0
    assert [one.flow for one in store.load(f"{good}{other},A,004,2021,1\n".encode())] == [FLOW, other]


def test_a_table_that_names_no_dataflow_is_of_the_only_one(tmp_path):
    store = opened(tmp_path / "store")
    table = b"FREQ,AREA,TIME_PERIOD,OBS_VALUE\nA,004,2020,1\n"
    assert [one.flow for one in store.load(table)] == [FLOW]
    store.add_structures(artefacts_of(replace(STRUCTURE, flow=replace(FLOW, id="DF_Y"))))
    with pytest.raises(BadCall, match="does not name its dataflow"):
        store.load(table)


def test_first_and_last_observations_are_a_union_after_the_filters(tmp_path):
    store = opened(tmp_path / "store")
    load(store, [row("004", f"2020-W{week:02}", float(week)) for week in (9, 10, 11, 52)] + [row("NA", "2020", 1.0)])
    found = DataQuery(FLOW, first=1, last=1, end=time_period("2020-W11"))
    assert [one["TIME_PERIOD"] for one in flat(store.select(found))] == ["2020-W09", "2020-W11"]
    assert store.select(found).total() == 2
    assert [one["OBS_VALUE"] for one in flat(store.select(DataQuery(FLOW, last=1)))] == [52.0, 1.0]


def test_a_week_that_a_reporting_year_does_not_have_is_no_fault_of_the_query(tmp_path):
    store = opened(tmp_path / "store")
    load(store, [row("004", period, 1.0) for period in ("2020-W53", "2020-W52", "2020-Q1")])
    query = DataQuery(FLOW, start=time_period("2020-08"), year_start="--07-01")
    # The weeks of a year from July end in June; that year has 52.
    assert [one["TIME_PERIOD"] for one in flat(store.select(query))] == ["2020-W52", "2020-W53"]


@pytest.mark.parametrize(
    ("filters", "values"),
    [
        ("c[OBS_VALUE]=ge:2+lt:4", [2.0, 3.0]),
        ("c[OBS_VALUE]=ne:2", [1.0, 3.0, 4.0]),
        ("c[STATUS]=P,A", [1.0, 3.0]),
        ("c[STATUS]=ne:P", [3.0]),
        ("c[UNIT]=sw:P", [1.0, 2.0]),
        ("c[UNIT]=ne:PT", []),
        ("c[TIME_PERIOD]=ge:2021", [2.0, 4.0]),
        ("c[AREA]=NA&c[STATUS]=A", [3.0]),
    ],
)
def test_filters_ask_of_dimensions_attributes_and_measures(tmp_path, filters, values):
    store = opened(tmp_path / "store")
    rows = [row("004", "2020", 1.0, STATUS="P", UNIT="PT"), row("004", "2021", 2.0)]
    load(store, [*rows, row("NA", "2020", 3.0, STATUS="A"), row("NA", "2021-Q1", 4.0), row("NA", "2019", float("nan"))])
    selection = store.select(DataQuery(FLOW, filters=component_filters(filters)))
    assert [one["OBS_VALUE"] for one in flat(selection) if one["OBS_VALUE"] == one["OBS_VALUE"]] == values
    assert selection.is_empty() == (not values)


def test_an_unknown_component_is_refused_with_the_nearest(tmp_path):
    store = opened(tmp_path / "store")
    load(store, ONE)
    with pytest.raises(BadCall, match=r"no component 'AREAS'.*Did you mean 'AREA'"):
        store.select(DataQuery(FLOW, filters=component_filters("c[AREAS]=1"))).is_empty()
    with pytest.raises(NoInput, match="no dataflow"):
        store.select(DataQuery(Ref("dataflow", "SC", "NONE")))


def test_offset_limit_and_sort(tmp_path):
    store = opened(tmp_path / "store")
    load(store, [row("004", str(year), float(year % 5)) for year in range(2010, 2020)])
    cut = flat(store.select(DataQuery(FLOW, offset=2, limit=3)))
    assert [one["TIME_PERIOD"] for one in cut] == ["2012", "2013", "2014"]
    best = flat(
        store.select(DataQuery(FLOW, limit=2, sort=(("OBS_VALUE", True), ("TIME_PERIOD", True)), at="AllDimensions"))
    )
    assert [(one["OBS_VALUE"], one["TIME_PERIOD"]) for one in best] == [(4.0, "2019"), (4.0, "2014")]
    with pytest.raises(BadCall, match="no component 'VALUE'"):
        flat(store.select(DataQuery(FLOW, sort=(("VALUE", False),))))


def test_a_piece_of_a_file_has_few_series_however_rows_came(tmp_path):
    """So that a question of one series reads one piece of a file."""
    store = opened(tmp_path / "store")
    lines = [f"A,{area},{year},{area / year},N" for year in range(2020, 1960, -1) for area in range(3_000)]
    head = "DATAFLOW,FREQ,AREA,TIME_PERIOD,OBS_VALUE,STATUS\n"
    store.load((head + "".join(f"{FLOW},{line}\n" for line in lines)).encode())
    [file] = folder(store).glob("rows-*.parquet")
    pieces = [pq.read_metadata(file).row_group(number) for number in range(pq.read_metadata(file).num_row_groups)]
    spans = sorted((one.column(0).statistics.min, one.column(0).statistics.max) for one in pieces)
    assert len(spans) > 2
    assert all(before[1] <= after[0] for before, after in itertools.pairwise(spans))
    found = flat(store.select(keys(store, "A.10")))
    assert [(one["AREA"], one["TIME_PERIOD"]) for one in found] == [("10", str(year)) for year in range(1961, 2021)]


# --- writers --------------------------------------------------------------------------------------------------------


HOLDER = """
import pathlib, sys, time
from statcommons.sdmx.store.lock import writing
with writing(pathlib.Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


def test_a_second_writer_waits_and_is_told_who_has_the_store(tmp_path):
    store = opened(tmp_path / "store")
    command = [sys.executable, "-c", HOLDER, store.path / "lock"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout.readline() == "held\n"
        with pytest.raises(TryAgain, match=f"process {other.pid} "):
            load(store, ONE, wait=0.2)
        other.kill()  # a lock dies with its owner
        assert load(store, ONE, wait=10).changed.added == 3


WRITER = """
    import os, signal, sys
    from sdmx_stores import load, opened, row
    from statcommons.sdmx.store import disk

    TEARS = 16
    at, points = int(sys.argv[2]), 0

    def reach():
        global points
        points += 1
        if points == at:
            os.kill(os.getpid(), signal.SIGKILL)

    def point(call):
        def counted(*given):
            reach()
            return call(*given)
        return counted

    def torn(partial):
        whole = partial.read_bytes()
        for part in range(TEARS):  # what a writer has written when it dies is some beginning of the file
            partial.write_bytes(whole[: len(whole) * part // TEARS])
            reach()
        partial.write_bytes(whole)

    disk._force, disk._rename, disk._written = point(disk._force), point(disk._rename), torn
    store = opened(sys.argv[1])
    points = 0
    load(store, [row("004", str(year), 2.0, UNIT="KM") for year in range(2000, 2020)] + [row("ZZ", "2020", 1.0)])
    load(store, [row("004", "2000", action="Delete"), row("NA", "2020", 7.0)])
    store.compact(store.flows()[0])
    print(points)
"""


@pytest.mark.parametrize("points", [12, pytest.param(None, marks=[pytest.mark.long])])
def test_a_writer_killed_anywhere_leaves_the_last_good_state(tmp_path, points):
    """Kill at each write, force and rename: a load is there whole or not at all, and the next one goes on."""
    original = tmp_path / "original"
    load(opened(original), ONE)
    script = textwrap.dedent(WRITER)
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
    tried, states = 0, []
    whole = tmp_path / "whole"
    _copy(original, whole)
    counted = subprocess.run(
        [sys.executable, "-c", script, whole, "-1"], env=environment, capture_output=True, text=True
    )
    assert counted.returncode == 0, counted.stderr
    total = int(counted.stdout)
    assert total > 200, total
    good = [state(Store(original)), *_states_between(tmp_path, original)]
    step = total // points if points else 1
    for at in range(1, total + 1, step):
        path = tmp_path / f"killed-{at}"
        _copy(original, path)
        died = subprocess.run([sys.executable, "-c", script, path, str(at)], env=environment, capture_output=True)
        assert died.returncode == -signal.SIGKILL
        seen = state(Store(path))
        assert seen in good
        states.append(good.index(seen))
        assert load(opened(path), [row("ZZ", "2021", 5.0)]).changed.added == 1
        assert state(Store(path))["A", "ZZ", "2021"]["OBS_VALUE"] == 5.0
        assert not [one for one in folder(Store(path)).iterdir() if one.name.endswith(".unfinished")]
        tried += 1
    assert states == sorted(states)
    assert {0, len(good) - 1} <= set(states) or tried < 5


def _copy(source, target):
    shutil.copytree(source, target)


def _states_between(tmp_path, original):
    path = tmp_path / "stepwise"
    _copy(original, path)
    store = opened(path)
    load(store, [row("004", str(year), 2.0, UNIT="KM") for year in range(2000, 2020)] + [row("ZZ", "2020", 1.0)])
    first = state(store)
    load(store, [row("004", "2000", action="Delete"), row("NA", "2020", 7.0)])
    return first, state(store)


@pytest.mark.parametrize("which", ["_written", "_force", "_rename"])
def test_a_full_disk_changes_nothing_and_says_so(tmp_path, monkeypatch, which):
    store = opened(tmp_path / "store")
    load(store, ONE)
    before = state(store)

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(disk, which, full)
        with pytest.raises(TryAgain, match="no space"):
            load(store, [row("004", "2020", 9.0)])
    assert state(Store(store.path)) == before
    assert load(store, [row("004", "2020", 9.0)]).changed.changed == 1


FULL = """
    import resource, sys
    from sdmx_stores import load, opened, row
    store = opened(sys.argv[1])
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
    rows = [row("004", str(year), year / 7) for year in range(1000, 3000)]
    try:
        load(store, rows)
    except Exception as error:
        print(type(error).__name__, error)
"""


def test_a_disk_that_fills_while_rows_are_written_is_told(tmp_path):
    """The engine that writes says so in words of its own; the size of a file is limited as a full disk limits it."""
    store = opened(tmp_path / "store")
    load(store, ONE)
    before = state(store)
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])}
    command = [sys.executable, "-c", textwrap.dedent(FULL), store.path]
    told = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert told.stdout.startswith("TryAgain "), told.stderr
    assert "no space" in told.stdout
    assert state(Store(store.path)) == before
    assert not [one for one in folder(store).iterdir() if one.name.endswith(".unfinished")]


# --- what is not a store --------------------------------------------------------------------------------------------


def test_a_newer_format_is_refused(tmp_path):
    store = opened(tmp_path / "store")
    load(store, ONE)
    manifest = folder(store) / MANIFEST
    manifest.write_text(manifest.read_text().replace('"format": 1', '"format": 99'))
    with pytest.raises(BadCall, match=r"format 99.*Upgrade"):
        state(Store(store.path))
    (store.path / "store.json").write_text('{"format": 99}')
    with pytest.raises(BadCall, match=r"format 99.*Upgrade"):
        Store(store.path).flows()


def test_a_broken_manifest_is_told(tmp_path):
    store = opened(tmp_path / "store")
    load(store, ONE)
    manifest = folder(store) / MANIFEST
    manifest.write_text(manifest.read_text()[:40])
    with pytest.raises(BadData, match="manifest cannot be read"):
        state(Store(store.path))


def test_a_folder_that_may_not_be_written_is_told(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(NotAllowed, match="may not be written"):
        Store(tmp_path / "file" / "store").add_structures(())


@pytest.mark.parametrize("number", sorted(one.name for one in (Path(__file__).parent / "formats").iterdir()))
def test_a_store_of_every_format_that_was_released_is_read_and_written(tmp_path, number):
    """Each folder was written by the first version that had the format, by the loads that stand beside the numbers."""
    shutil.copytree(Path(__file__).parent / "formats" / number, tmp_path / "store")
    store = Store(tmp_path / "store")
    values = {key: cells["OBS_VALUE"] for key, cells in state(store).items()}
    assert values == {("A", "004", "2020"): 1.75, ("A", "004", "2021"): 9.0, ("A", "NA", "2021-Q1"): 3.0}
    first = {key: cells["OBS_VALUE"] for key, cells in state(store, as_of=START).items()}
    assert first == {("A", "004", "2020"): 1.5, ("A", "NA", "2020"): 2.0, ("A", "NA", "2021-Q1"): 3.0}
    assert state(store)["A", "004", "2020"]["SOURCE"] == "survey"
    load(store, [row("004", "2020", 2.0)])
    assert state(store)["A", "004", "2020"]["OBS_VALUE"] == 2.0


def test_structures_of_refused_data_are_put_back(tmp_path):
    good = b"DATAFLOW,FREQ,AREA,TIME_PERIOD,OBS_VALUE\nSC:DF_X(1.0),A,004,2020,1\n"
    bad = b"DATAFLOW,FREQ\nSC:DF_X(1.0),A\n"
    store = Store(tmp_path / "store")
    for _ in range(2):
        with pytest.raises(BadData):
            store.load(bad, structures=artefacts_of(STRUCTURE))
        assert store.flows() == ()
    store.load(good, structures=artefacts_of(STRUCTURE))
    renamed = replace(STRUCTURE, name={"en": "Another name"})
    with pytest.raises(BadData):
        store.load(bad, structures=artefacts_of(renamed))
    assert store.structure(FLOW).name == STRUCTURE.name


@pytest.mark.parametrize("damage", [lambda file: file.unlink(), lambda file: file.write_bytes(b"PAR1 no more")])
def test_a_file_that_is_gone_or_damaged_is_named(tmp_path, damage):
    store = opened(tmp_path / "store")
    load(store, ONE)
    damage(folder(store) / "rows-000001.parquet")
    with pytest.raises(BadData, match=r"rows-000001\.parquet.*Restore") as told:
        state(Store(store.path))
    assert told.value.status == 500
