"""What is answered from memory is what the files say."""

import itertools
import threading

import pytest
from sdmx_stores import FLOW, STRUCTURE, flat, load, opened, row

from statcommons.sdmx.query.components import component_filters
from statcommons.sdmx.query.data import DataQuery
from statcommons.sdmx.query.keys import parse_keys
from statcommons.sdmx.store import Store
from statcommons.sdmx.store.reader import OFTEN
from statcommons.toolbox.sdmx_periods import time_period

PERIODS = ["2019", "2020", "2020-Q1", "2020-Q4", "2020-W09", "2020-W10", "2020-12", "2021-S1"]
KEYS = ["", "A.004", "*.NA", "A.004,M", "M.004"]
FILTERS = ["", "c[TIME_PERIOD]=ge:2020+lt:2021,2019", "c[UNIT]=PT&c[TIME_PERIOD]=ne:2020", "c[AREA]=ne:NA"]
SPANS = [(None, None), ("2020", None), (None, "2020-Q4"), ("2020-W10", "2020-12")]
ENDS = [(None, None), (1, None), (None, 2), (1, 1)]


@pytest.fixture(scope="module")
def stores(tmp_path_factory):
    """One store whose answers come from memory, and its folder."""
    path = tmp_path_factory.mktemp("hot") / "store"
    store = opened(path)
    areas = itertools.product("AM", ["004", "NA", "ZZ"])
    rows = [
        row(area, period, float(place), freq=freq, UNIT="PT" if area == "004" else None, STATUS="A")
        for place, ((freq, area), period) in enumerate(itertools.product(areas, PERIODS))
        if place % 5
    ]
    load(store, rows)
    load(store, [row("004", "2020", -1.0), row("NA", "2019", action="Delete"), row("ZZ", "2019", None, freq="M")])
    for _ in range(OFTEN + 2):
        store.select(DataQuery(FLOW))
    assert store.select(DataQuery(FLOW)).state.hot
    return store, path


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("filters", FILTERS)
def test_memory_and_files_give_the_same(stores, key, filters):
    warm, path = stores
    cold = Store(path)
    for (start, end), (first, last) in itertools.product(SPANS, ENDS):
        query = DataQuery(
            FLOW,
            keys=parse_keys(key, STRUCTURE.key),
            filters=component_filters(filters),
            start=time_period(start) if start else None,
            end=time_period(end) if end else None,
            first=first,
            last=last,
        )
        one, other = warm.select(query), cold.select(query)
        other.state.hot.clear()
        assert one.state.hot
        assert (one.total(), one.is_empty()) == (other.total(), other.is_empty())
        assert flat(one) == flat(other)
        [left], [right] = one.data_sets(), other.data_sets()
        assert left.periods().equals(right.periods())
        assert left.series.equals(right.series)
        for mode in ("exact", "available"):
            found = warm.availability(query, mode)
            cold._states.clear()
            assert found == cold.availability(query, mode)


def test_what_is_asked_of_cells_is_asked_of_the_same_rows(stores):
    warm, path = stores
    for filters in ("c[OBS_VALUE]=gt:10", "c[STATUS]=A&c[OBS_VALUE]=lt:5", "c[STATUS]=B"):
        query = DataQuery(FLOW, filters=component_filters(filters), last=1)
        assert flat(warm.select(query)) == flat(Store(path).select(query))
        assert warm.select(query).total() == Store(path).select(query).total()
    sorted_ = DataQuery(FLOW, sort=(("OBS_VALUE", True),), limit=4, at="AllDimensions")
    assert flat(warm.select(sorted_)) == flat(Store(path).select(sorted_))
    across = DataQuery(FLOW, at="AREA")
    assert flat(warm.select(across)) == flat(Store(path).select(across))


def test_many_who_ask_a_cold_store_at_once_are_all_answered(stores):
    _, path = stores
    for _ in range(6):
        cold, found, together = Store(path), [], threading.Barrier(8)

        def ask(store=cold, answers=found, barrier=together):
            barrier.wait()
            for key in ("A.004", "", "*.NA"):
                answers.append(len(flat(store.select(DataQuery(FLOW, keys=parse_keys(key, STRUCTURE.key))))))

        readers = [threading.Thread(target=ask, daemon=True) for _ in range(8)]
        for one in readers:
            one.start()
        for one in readers:
            one.join(30)
        assert not any(one.is_alive() for one in readers)
        assert len(found) == 24
        assert len(set(found)) <= 3
