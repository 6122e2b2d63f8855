"""A small flow to fill a store with, and the naive model of what a store says."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field

import pyarrow as pa

from statcommons.sdmx.message import SERIES
from statcommons.sdmx.model import Ref
from statcommons.sdmx.query.data import DataQuery
from statcommons.sdmx.store import Store
from statcommons.sdmx.structure import Component, Structure, artefacts_of
from statcommons.toolbox.sdmx_periods import time_period

FLOW = Ref("dataflow", "SC", "DF_X", "1.0")
STRUCTURE = Structure(
    FLOW,
    Ref("datastructure", "SC", "DSD_X", "1.0"),
    {"en": "A small flow"},
    {},
    (
        Component("FREQ", "dimension", "text"),
        Component("AREA", "dimension", "text"),
        Component("TIME_PERIOD", "time", "period"),
        Component("OBS_VALUE", "measure", "number", required=False),
        Component("UNIT", "attribute", "text", attachment="series", dimensions=("FREQ", "AREA"), required=False),
        Component("TITLE", "attribute", "text", attachment="group", dimensions=("AREA",), group="Area", required=False),
        Component("SOURCE", "attribute", "text", attachment="dataflow", required=False),
        Component("NOTE", "attribute", "text", attachment="dataflow", required=False),
        Component("STATUS", "attribute", "text", required=False),
    ),
)
COLUMNS = [one.id for one in STRUCTURE.components]
ABOVE = {"UNIT": ("FREQ", "AREA"), "TITLE": ("AREA",), "SOURCE": (), "NOTE": ()}
START = dt.datetime(2026, 1, 1)


class Clocked(Store):
    """A store whose clock the test turns."""

    time = START

    def tick(self, **step):
        self.time += dt.timedelta(**step)


def opened(path, monkeypatch=None):
    """Give a store of the small flow; with a monkeypatch its clock is the test's."""
    store = Clocked(path, threads=2)
    if monkeypatch:
        for module in ("manifest", "times"):
            monkeypatch.setattr(f"statcommons.sdmx.store.{module}.utc_now", lambda: store.time)
    if not store.flows():
        store.add_structures(artefacts_of(STRUCTURE))
    return store


def row(area, period=None, value=None, *, freq="A", action=None, **attributes):
    return {"FREQ": freq, "AREA": area, "TIME_PERIOD": period, "OBS_VALUE": value, "_action": action} | attributes


def filling(rows):
    """Give what puts rows into the engine as checked rows stand there."""

    def fill(connection):
        cells = {name: [one.get(name) for one in rows] for name in (*COLUMNS, "_action")}
        spans = [time_period(one["TIME_PERIOD"]) if one["TIME_PERIOD"] else None for one in rows]
        table = {
            name: pa.array(values, pa.float64() if name == "OBS_VALUE" else pa.string())
            for name, values in cells.items()
        }
        table["_start"] = pa.array([one and one.start for one in spans], pa.timestamp("us"))
        table["_end"] = pa.array([one and one.end for one in spans], pa.timestamp("us"))
        table["_row"] = pa.array(range(len(rows)), pa.int64())
        keys = [(one["FREQ"], one["AREA"]) for one in rows]
        numbers = {key: number for number, key in enumerate(dict.fromkeys(keys))}
        table["_key"] = pa.array([numbers[key] for key in keys], pa.int64())
        connection.register("given", pa.table(table))
        connection.execute("CREATE TEMP TABLE checked AS FROM given")
        return "checked"

    return fill


def load(store, rows, *, action="Merge", **how):
    rows = [one | {"_action": one["_action"] or action} for one in rows]
    return store.change(FLOW, filling(rows), **how)


def flat(selection):
    """Give the rows of an answer as dictionaries, data set by data set."""
    found = []
    for one in selection.data_sets():
        series = one.series.to_pylist()
        for batch in one.observations:
            for observation in batch.to_pylist():
                whole = series[observation.pop(SERIES)] | observation
                found.append({name: whole.get(name) for name in COLUMNS if name in whole} | {"_action": one.action})
    return found


def state(store, **query):
    """Give what the flow says as a mapping of keys to cells."""
    keys = ("FREQ", "AREA", "TIME_PERIOD")
    return {
        tuple(one[key] for key in keys): {name: one.get(name) for name in COLUMNS if name not in keys}
        for one in flat(store.select(DataQuery(FLOW, **query)))
    }


@dataclass
class Model:
    """What a flow says, the naive way: all events in the order in which they become public, applied one by one."""

    loads: list = field(default_factory=list)

    def add(self, rows, action, since):
        self.loads.append((since, len(self.loads), [dict(one, _action=one["_action"] or action) for one in rows]))

    def state(self, at):
        observations, said = {}, {}
        for _since, _, rows in sorted(one for one in self.loads if one[0] <= at):
            before = set(observations)
            for one in rows:
                self._apply(one, observations, before)
                for name, key in ABOVE.items():
                    group = tuple(one[part] for part in key)
                    if one.get(name) is not None and None not in group:
                        said[name, group] = None if one["_action"] == "Delete" else one[name]
        return {key: self._above(key, said) | cells for key, cells in observations.items()}

    def _above(self, key, said):
        codes = dict(zip(("FREQ", "AREA"), key, strict=False))
        return {name: said.get((name, tuple(codes[part] for part in of))) for name, of in ABOVE.items()}

    def _apply(self, one, observations, before):
        own = {name: one.get(name) for name in ("OBS_VALUE", "STATUS")}
        named = {name: value for name, value in own.items() if value is not None}
        said = named or {name: one[name] for name in ABOVE if one.get(name) is not None}
        key = tuple(one[part] for part in ("FREQ", "AREA", "TIME_PERIOD"))
        if None in key:
            alike = [
                other for other in before if all(part in (None, whole) for part, whole in zip(key, other, strict=True))
            ]
            targets = [other for other in alike if one["_action"] == "Delete" or named]
        else:
            targets = [key]
        for target in targets:
            if one["_action"] == "Delete":
                if not said:
                    observations.pop(target, None)
                elif target in observations:
                    observations[target] |= dict.fromkeys(named)
                elif None not in key:
                    observations[target] = {"OBS_VALUE": None, "STATUS": None}
            elif one["_action"] == "Replace" and None not in key:
                observations[target] = own
            else:
                observations.setdefault(target, {"OBS_VALUE": None, "STATUS": None}).update(named)
