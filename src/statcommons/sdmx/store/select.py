"""What a query of data gives: series found in the table of series, rows streamed from the files in the order of keys.

A key or a filter of a dimension is answered from the sorted codes of the series, in memory; only what is asked of
periods, measures and attributes needs the rows. Rows are then read for some series at a time, each piece sorted, so
that an answer of any length comes in order and needs little memory.
"""

from __future__ import annotations

import datetime
import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from statcommons.sdmx.message import ALL_DIMENSIONS, SERIES, DataSet
from statcommons.sdmx.query.data import DataQuery
from statcommons.sdmx.store.conditions import is_told_by_sql, kind_of
from statcommons.sdmx.store.flow import FlowState
from statcommons.sdmx.store.hot import Hot
from statcommons.sdmx.store.rows import identifier
from statcommons.sdmx.store.wanted import Mask, Where, asks_cells, periods_asked, rows_asked, series_asked, unknown
from statcommons.sdmx.structure import Structure
from statcommons.toolbox.sdmx_periods import TimePeriod

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["Selection"]


BESIDE = "_key_"
"""What stands before the id of a column of series that comes beside rows: no column of a store begins so."""

FEW = 64
"""Series that are written into a question."""

FIRST, PIECE = 8_192, 131_072
"""Observations of the first piece, so that an answer begins at once, and of those after it."""


@dataclass(frozen=True)
class Selection:
    """What a query of data gives.

    Parameters
    ----------
    state : FlowState
        The flow at the moment that is asked for.
    query : DataQuery
        What is asked.
    """

    state: FlowState
    query: DataQuery

    # --- what is asked ----------------------------------------------------------------------------------------------

    @cached_property
    def structure(self) -> Structure:
        """The structure, narrowed to the measures and attributes that are asked for."""
        asked = {"measure": self.query.measures, "attribute": self.query.attributes}
        if self.query.detail in ("dataonly", "serieskeysonly"):
            asked["attribute"] = ()
        if self.query.detail in ("serieskeysonly", "nodata"):
            asked["measure"] = ()
        kept = tuple(
            one
            for one in self.state.structure.components
            if one.role not in asked or asked[one.role] is None or one.id in (asked[one.role] or ())
        )
        return replace(self.state.structure, components=kept)

    @property
    def has_observations(self) -> bool:
        """Whether observations are asked for, or series alone."""
        if self.query.detail in ("serieskeysonly", "nodata"):
            return False
        named = self.query.attributes or ()
        told = [
            one for one in self.structure.with_role("attribute") if one.attachment == "observation" and one.id in named
        ]
        return bool(self.structure.with_role("measure") or told)

    @cached_property
    def where(self) -> Where:
        """What is asked of rows."""
        return rows_asked(self.state, self.query)

    @cached_property
    def periods(self) -> Mask | None:
        """Which of the flow's periods are asked for; none where all are."""
        return periods_asked(self.state, self.query)

    @cached_property
    def _memory(self) -> Hot | None:
        """The observations in memory, where they are there and nothing is asked of measures and attributes."""
        return self.state.hot[0] if self.state.hot and not asks_cells(self.state, self.query) else None

    @cached_property
    def wanted(self) -> np.ndarray[Any, np.dtype[np.int64]]:
        """The places of the series that keys and filters of dimensions ask for, in the state's table of series."""
        return np.flatnonzero(series_asked(self.state, self.query))

    # --- how much ---------------------------------------------------------------------------------------------------

    def total(self) -> int:
        """Count the observations before offset and limit."""
        if self.query.history or self.query.updated_after:
            return sum(batch.num_rows for one in self.data_sets() for batch in one.observations)
        if not self.has_observations:
            return len(self._series_with_rows())
        ends = (self.query.first or 0) + (self.query.last or 0) if self._has_ends else None
        if not self.where:
            counts = self.state.counts[self.wanted]
            return int((np.minimum(counts, ends) if ends is not None else counts).sum())
        if self._memory:
            counts = self._memory.passing(self.periods)[0][self.wanted]
            return int((np.minimum(counts, ends) if ends is not None else counts).sum())
        many = f"least(count(*), {int(ends)})" if ends is not None else "count(*)"
        each = self._run(lambda rows: f"SELECT {many} FROM {rows} GROUP BY _series", self.wanted).fetchall()
        return sum(count for [count] in each)

    def is_empty(self) -> bool:
        """Tell whether nothing is found, without reading more than that takes."""
        if self.query.history or self.query.updated_after:
            return not any(one.series.num_rows for one in self.data_sets())
        if not len(self.wanted):
            return True
        if not self.where:
            return False
        if self._memory:
            return not len(self._memory.rows(self.wanted, self.periods)[0])
        return not self._run(lambda rows: f"SELECT 1 FROM {rows} LIMIT 1", self.wanted).fetchall()

    @property
    def _has_ends(self) -> bool:
        return self.query.first is not None or self.query.last is not None

    # --- what is given ----------------------------------------------------------------------------------------------

    def data_sets(self) -> list[DataSet]:
        """Give the data sets of the answer: one, or with history one for each moment and action."""
        if not self.query.history and not self.query.updated_after:
            return [self._data_set()]
        loads = sorted(self.state.manifest.loads, key=lambda load: load.stamp)
        before = [load for load in loads if load.valid_from <= (self.query.updated_after or datetime.datetime.min)]
        after = before[-1].stamp if before else datetime.datetime.min
        if not self.query.history:
            return self._changes(after, self.state.at)
        public = {load.stamp: load.valid_from for load in loads if after < load.stamp <= self.state.at}
        return [
            replace(one, valid_from=public[until])
            for since, until in itertools.pairwise([after, *public])
            for one in self._changes(since, until)
        ]

    def _changes(self, since: datetime.datetime, until: datetime.datetime) -> list[DataSet]:
        """Give what came or changed between two moments, and what went."""
        query = replace(self.query, updated_after=None, history=False)
        changed = Selection(self.state.changed(since, until), query)._data_set()
        keys = {one: asked for one, asked in query.filters.items() if self._names_key(one)}
        bare = replace(query, measures=(), attributes=(), filters=keys)
        deleted = Selection(self.state.deleted(since, until), bare)._at_once()
        found = (replace(changed, action="Replace"), replace(deleted, action="Delete"))
        return [one for one in found if one.series.num_rows]

    def _names_key(self, component: str) -> bool:
        return component in self.state.structure and self.state.structure[component].role in ("dimension", "time")

    def _data_set(self) -> DataSet:
        if not self.has_observations:
            places = self._series_with_rows()
            places = places[self.query.offset :][: self.query.limit]
            return self._made(places, (), self._periods)
        known = int(self.state.counts[self.wanted].sum())
        if known <= PIECE or self.query.sort or self._is_cross or self._is_cut:
            return self._at_once()
        places = self._series_with_rows() if self.where else self.wanted
        return self._made(places, _Streamed(self, places), self._periods)

    def _made(
        self, places: np.ndarray[Any, Any], rows: Iterable[pa.RecordBatch], periods: Callable[[], pa.Table]
    ) -> DataSet:
        kept = [one.id for one in self.structure.components if one.id in self.state.series.column_names]
        at = self.query.at if self.structure.time or self.query.at != "TIME_PERIOD" else ALL_DIMENSIONS
        series = self.state.series.select(kept).take(places)
        return DataSet(self.structure, series, rows, periods, at)

    def _at_once(self) -> DataSet:
        """Read the whole answer, where it is small or must be sorted by something else than its keys."""
        import pyarrow as pa

        table = self._table(self.wanted, *self._order(), limit=self._is_cut)
        if self._is_cut and not self.query.sort:
            table = table.slice(self.query.offset, self.query.limit)
        found = table[SERIES].to_numpy()
        uniform, first, places = np.unique(found, return_index=True, return_inverse=True)
        if self.query.sort:  # series stand in the order in which they come
            order = np.argsort(first, kind="stable")
            rank = np.empty(len(order), np.int64)
            rank[order] = np.arange(len(order))
            uniform, places = uniform[order], rank[places]
        if self.query.sort and self.query.at != ALL_DIMENSIONS:
            together = np.argsort(places, kind="stable")
            table, places = table.take(together), places[together]
        table = table.set_column(0, SERIES, pa.array(places, pa.int32()))
        time = self.structure.time

        def periods() -> pa.Table:
            texts = set(table[time.id].to_pylist()) if time else set()
            return _period_table(one for one in self.state.periods if one.text in texts)

        return self._made(self.wanted[uniform], table.to_batches(), periods)

    @property
    def _is_cut(self) -> bool:
        return bool(self.query.offset) or self.query.limit is not None

    @property
    def _is_cross(self) -> bool:
        return self.query.at != ALL_DIMENSIONS and self.query.at in self.structure.key

    def _order(self) -> tuple[str, list[str]]:
        """Give what the rows are sorted by, and the columns of the wanted series that this needs."""
        if self._is_cross:
            others = [_beside(one) for one in self.structure.key if one != self.query.at]
            return ", ".join([*others, "_start", "_end", _beside(self.query.at)]), list(self.structure.key)
        if self.query.sort:
            words = [f"{one} {'DESC' if down else 'ASC'} NULLS LAST" for one, down in self._sorted()]
            keys = [one for one, _ in self.query.sort if one in self.state.series.column_names]
            return ", ".join([*words, "_at", "_start", "_end"]), keys
        return "_at, _start, _end", []

    def _sorted(self) -> Iterator[tuple[str, bool]]:
        for id, down in self.query.sort:
            if id not in self.state.structure:
                raise unknown(id, self.state.structure, "sort")
            one = self.state.structure[id]
            if one.role == "time":
                yield "_start", down
            elif id in self.state.series.column_names:
                yield _beside(id), down
            elif kind_of(one) == "number" and not is_told_by_sql(one) and not one.multiple:
                yield f"TRY_CAST({identifier(id)} AS DOUBLE)", down
            else:
                yield identifier(id), down

    def _table(self, places: np.ndarray[Any, Any], order: str, keys: Sequence[str], *, limit: bool = False) -> pa.Table:
        """Read the observations of some series, in order."""
        cells = [one.id for one in self.structure.components if one.id not in self.state.series.column_names]
        if self._memory and not keys and not self.query.sort:
            return self._from_memory(self._memory, places, cells)
        chosen = ", ".join(["_at", *map(identifier, cells)])
        qualify = ""
        if self._has_ends:
            number = "row_number() OVER (PARTITION BY _series ORDER BY _start {0}, _end {0}, {1} {0})"
            time = identifier(self.structure.time.id) if self.structure.time else "_start"
            ends = ((self.query.first, "ASC"), (self.query.last, "DESC"))
            tests = [f"{number.format(way, time)} <= {int(many)}" for many, way in ends if many is not None]
            qualify = f" QUALIFY {' OR '.join(tests)}"
        cut = ""
        if limit and self.query.sort:
            many = self.query.limit if self.query.limit is not None else 2**62
            cut = f" LIMIT {int(many)} OFFSET {int(self.query.offset)}"
        elif limit and self.query.limit is not None:
            cut = f" LIMIT {int(self.query.offset + self.query.limit)}"
        found = self._run(
            lambda rows: f"SELECT {chosen} FROM {rows}{qualify} ORDER BY {order}{cut}", places, keys
        ).to_arrow_table()
        # A dimension may be called SERIES, and DuckDB does not tell it from our column: that gets its name here.
        return found.rename_columns([SERIES, *cells])

    def _from_memory(self, memory: Hot, places: np.ndarray[Any, Any], cells: Sequence[str]) -> pa.Table:
        import pyarrow as pa

        rows, at = memory.rows(places, self.periods, self.query.first, self.query.last)
        table = memory.table.select(list(cells)).take(rows)
        plain = [one.cast(one.type.value_type) if pa.types.is_dictionary(one.type) else one for one in table.columns]
        return pa.table([pa.array(at, pa.int32()), *plain], names=[SERIES, *cells])

    def _run(self, ask: Callable[[str], str], places: np.ndarray[Any, Any], keys: Sequence[str] = ()) -> Any:
        """Ask something of the rows of some series; ``ask`` makes the question from the SQL of these rows."""
        import pyarrow as pa

        cursor = self.state.cursor()
        numbers = self.state.numbers[places]
        span = f"_series BETWEEN {numbers.min()} AND {numbers.max()}" if len(numbers) else "false"
        if len(places) <= FEW and not keys:  # a table of its own would cost more than the question
            pairs = ", ".join(f"({number}, {place})" for place, number in enumerate(numbers.tolist()))
            wanted = f"(VALUES {pairs or '(-1, -1)'}) AS wanted(_series, _at)"
        else:
            table = {"_series": numbers, "_at": np.arange(len(places), dtype=np.int32)}
            cursor.register(
                "wanted", pa.table(table | {f"{BESIDE}{one}": self.state.series[one].take(places) for one in keys})
            )
            wanted = "wanted"
        asked = f"{span}{' AND ' + self.where.sql if self.where else ''}"
        rows = f"(SELECT * FROM ({self.state.observations}) JOIN {wanted} USING (_series) WHERE {asked})"
        return cursor.execute(ask(rows), list(self.where.values))

    def _series_with_rows(self) -> np.ndarray[Any, np.dtype[np.int64]]:
        """Give the places of the wanted series that have at least one observation that is asked for."""
        if not self.where or not len(self.wanted):
            return self.wanted
        if self._memory:
            return self.wanted[self._memory.passing(self.periods)[0][self.wanted] > 0]
        found = self._run(lambda rows: f"SELECT DISTINCT _at FROM {rows} ORDER BY 1", self.wanted)
        return self.wanted[found.fetchnumpy()["_at"]]

    def _periods(self) -> pa.Table:
        """Give the periods of the observations that are asked for."""
        if not self.structure.time:
            return _period_table(())
        if not self.where and len(self.wanted) == len(self.state.numbers) and not self._has_ends:
            return _period_table(self.state.periods)
        time = identifier(self.structure.time.id)
        texts = self._run(lambda rows: f"SELECT DISTINCT {time} FROM {rows}", self.wanted).fetchall()
        known = {text for [text] in texts}
        return _period_table(one for one in self.state.periods if one.text in known)


@dataclass(frozen=True)
class _Streamed:
    """The observations of a long answer, read for some series at a time."""

    selection: Selection
    places: np.ndarray[Any, np.dtype[np.int64]]

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        import pyarrow as pa

        until = np.cumsum(self.selection.state.counts[self.places])
        begin, size = 0, FIRST
        while begin < len(self.places):
            already = until[begin - 1] if begin else 0
            end = max(begin + 1, int(np.searchsorted(until, already + size, side="right")))
            table = self.selection._table(self.places[begin:end], *self.selection._order())
            moved = pa.compute.add(table[SERIES], pa.scalar(begin, pa.int32())).cast(pa.int32())
            yield from table.set_column(0, SERIES, moved).to_batches()
            begin, size = end, PIECE


def _beside(id: str) -> str:
    """Name what a series is sorted by; rows have a column of the same id, empty, for what is said of series."""
    return identifier(f"{BESIDE}{id}")


def _period_table(periods: Iterable[TimePeriod]) -> pa.Table:
    import pyarrow as pa

    found = list(periods)
    stamp = pa.timestamp("us")
    return pa.table(
        {
            "text": pa.array([one.text for one in found], pa.string()),
            "start": pa.array([one.start for one in found], stamp),
            "end": pa.array([one.end for one in found], stamp),
        }
    )
