"""Any mix of loads gives what the naive model says, at every moment; deltas rebuild every state."""

import datetime as dt

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sdmx_stores import FLOW, Model, flat, load, opened, row, state

from statcommons.sdmx.query.data import DataQuery

MONTHS = ["2020", "2021", "2021-Q1"]
cells = {
    "value": st.sampled_from([None, 0.0, 1.5, -2.0]),
    "STATUS": st.sampled_from([None, "A", "P"]),
    "UNIT": st.sampled_from([None, None, "PT", "KM"]),
    "TITLE": st.sampled_from([None, None, "one", "two"]),
    "SOURCE": st.sampled_from([None, None, None, "survey"]),
    "NOTE": st.sampled_from([None, None, "a", "b"]),
}
actions = st.sampled_from(["Merge", "Replace", "Delete"])
whole_rows = st.builds(row, st.sampled_from(["004", "NA"]), st.sampled_from(MONTHS), action=st.none(), **cells)
open_rows = st.builds(
    row, st.sampled_from(["004", "NA", None]), st.sampled_from([None, "2020"]), action=st.none(), **cells
)
loads = st.lists(
    st.tuples(
        actions,
        st.lists(whole_rows, min_size=1, max_size=4, unique_by=lambda one: (one["AREA"], one["TIME_PERIOD"])),
        st.sampled_from([None, None, 1, 5, 20]),  # hours until it is public
        st.sampled_from([0, 1, 6]),  # hours until the next load
    ),
    min_size=1,
    max_size=5,
)


def played(tmp_path_factory, monkeypatch, steps, compacting=False):
    """Make the loads in a store and in the model; give both, and all moments at which something happens."""
    store = opened(tmp_path_factory.mktemp("store"), monkeypatch)
    model, moments = Model(), set()
    for action, rows, delay, pause in steps:
        later = store.now(FLOW) + dt.timedelta(hours=delay) if delay else None
        done = load(store, rows, action=action, valid_from=later)
        model.add(rows, action, done.valid_from)
        moments |= {done.valid_from, store.time}
        store.tick(hours=pause, seconds=1)
        if compacting:
            store.compact(FLOW)
    store.tick(hours=100)
    return store, model, sorted(moments)


@pytest.mark.parametrize("compacting", [False, True])
@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=loads)
def test_every_moment_is_as_the_model_says(tmp_path_factory, monkeypatch, compacting, steps):
    store, model, moments = played(tmp_path_factory, monkeypatch, steps, compacting)
    for moment in [*moments, store.time]:
        assert state(store, as_of=moment) == model.state(moment)


@settings(max_examples=8, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=loads)
def test_deltas_from_empty_rebuild_every_state(tmp_path_factory, monkeypatch, steps):
    store, _, moments = played(tmp_path_factory, monkeypatch, steps)
    rebuilt, last = {}, dt.datetime(2000, 1, 1)
    for moment in [*moments, store.time]:
        for one in flat(store.select(DataQuery(FLOW, updated_after=last, as_of=moment))):
            key = (one.pop("FREQ"), one.pop("AREA"), one.pop("TIME_PERIOD"))
            if one.pop("_action") == "Delete":
                del rebuilt[key]
            else:
                rebuilt[key] = one
        last = moment
        assert rebuilt == state(store, as_of=moment)
