"""A flow as readers see it: its series, periods and rows at one moment."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from statcommons.sdmx.store.hot import Hot
from statcommons.sdmx.store.manifest import Manifest
from statcommons.sdmx.store.rows import (
    OBSERVED,
    above,
    files,
    identifier,
    moment,
    said_of,
    series_of,
    standing,
)
from statcommons.sdmx.structure import Structure
from statcommons.toolbox.sdmx_periods import TimePeriod, time_period

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

__all__ = ["Codes", "FlowState"]


@dataclass(frozen=True)
class Codes:
    """The codes of a dimension over all series: ``codes[places[i]]`` is that of series i. The codes are sorted."""

    codes: tuple[str | None, ...]
    places: np.ndarray[Any, np.dtype[np.int32]]

    def chosen(self, holds: Callable[[str], bool]) -> np.ndarray[Any, np.dtype[np.bool_]]:
        """Tell for each series whether its code is one of those for which a condition holds."""
        return np.fromiter((code is not None and holds(code) for code in self.codes), bool, len(self.codes))[
            self.places
        ]


@dataclass(frozen=True)
class FlowState:
    """What a flow says at one moment, and the tables over its series that answer most questions without its rows.

    Parameters
    ----------
    folder : pathlib.Path
        The folder of the flow.
    manifest : Manifest
        What it consists of.
    structure : Structure
        Its structure.
    at : datetime
        The moment.
    cursor : callable
        Gives a cursor of the engine for the calling thread.
    only : str
        A further condition of SQL on the rows that are looked at.
    gone : bool
        Whether to look at the observations that are deleted at the moment, and not at those that stand.
    hot : list of Hot
        The observations in memory, when they were brought there.
    """

    folder: Path
    manifest: Manifest
    structure: Structure
    at: datetime.datetime
    cursor: Callable[[], duckdb.DuckDBPyConnection]
    only: str = ""
    gone: bool = False
    hot: list[Hot] = field(default_factory=list)

    @cached_property
    def rows(self) -> str:
        """The SELECT of all rows of all times."""
        return files(self.folder, self.manifest, self.structure)

    @property
    def observations(self) -> str:
        """The SELECT of the observations that are looked at, from memory where they were brought there."""
        if not self.hot:
            return self._observed
        self.cursor().register("hot", self.hot[0].table)
        return "SELECT * FROM hot"

    @property
    def _observed(self) -> str:
        seen = f"{standing(self.at, gone=self.gone)} AND {OBSERVED}"
        return f"SELECT * FROM ({self.rows}) WHERE {seen}{' AND ' + self.only if self.only else ''}"

    @property
    def size(self) -> int:
        """How many rows the files have."""
        return sum(one.rows for one in self.manifest.segments)

    def warm(self) -> None:
        """Bring the observations into memory, where small questions cost a tenth."""
        import pyarrow as pa

        time = [self.structure.time.id] if self.structure.time else []
        said = {one.id for one in above(self.structure)}
        cells = [one.id for one in self.structure.with_role("measure", "attribute") if one.id not in said]
        chosen = ", ".join(map(identifier, ["_series", *time, "_start", "_end", *cells]))
        place = np.zeros(int(self.numbers.max(initial=-1)) + 1, np.int32)
        place[self.numbers] = np.arange(len(self.numbers), dtype=np.int32)
        cursor = self.cursor()
        cursor.register("order_of_series", pa.table({"_series": self.numbers, "_at": place[self.numbers]}))
        ordered = (
            f"SELECT {chosen} FROM ({self._observed}) JOIN order_of_series USING (_series) "
            f"ORDER BY _at, _start, _end{', ' + identifier(time[0]) if time else ''}"
        )
        table = cursor.execute(ordered).to_arrow_table()
        texts = [one for one in table.schema.names if pa.types.is_string(table.schema.field(one).type)]
        for one in texts:
            table = table.set_column(
                table.schema.get_field_index(one), one, table[one].combine_chunks().dictionary_encode()
            )
        table = table.combine_chunks()
        numbers = np.zeros(table.num_rows, np.int32)
        if time:
            coded = table[time[0]].chunk(0) if table.num_rows else None
            known = {one.text: number for number, one in enumerate(self.periods)}
            if coded is not None:
                numbers = np.array([known[text] for text in coded.dictionary.to_pylist()], np.int32)[coded.indices]
        offsets = np.concatenate([[0], np.cumsum(self.counts)]).astype(np.int64)
        moments = [[one.start for one in self.periods], [one.end for one in self.periods]] if time else [[0], [0]]
        begin, end = (np.array(one, "datetime64[us]").astype(np.int64) for one in moments)
        self.hot.append(Hot(table, offsets, numbers, (begin, end)))

    def changed(self, after: datetime.datetime, at: datetime.datetime) -> FlowState:
        """Give the observations that came or changed after a moment, or their series did, and stand at a later one."""
        said = (
            f"SELECT _series FROM ({self.rows}) WHERE NOT ({OBSERVED}) AND {standing(at)} AND _from > {moment(after)}"
        )
        alike = " AND ".join(f"(g.{one} IS NULL OR g.{one} = s.{one})" for one in map(identifier, self.structure.key))
        series = (
            f"SELECT s._series FROM ({self._named}) s JOIN (FROM ({self._named}) SEMI JOIN ({said}) USING (_series)) g "
            f"ON {alike or 'true'}"
        )
        return replace(self, at=at, only=f"(_from > {moment(after)} OR _series IN ({series}))", hot=[])

    def deleted(self, after: datetime.datetime, at: datetime.datetime) -> FlowState:
        """Give the observations that stood at a moment and are deleted at a later one."""
        stood = f"SELECT _series, _start, _end FROM ({self.rows}) WHERE {standing(after)}"
        return replace(
            self, at=at, only=f"_from > {moment(after)} AND (_series, _start, _end) IN ({stood})", gone=True, hot=[]
        )

    @cached_property
    def series(self) -> pa.Table:
        """The series that have observations, sorted by key.

        Columns: ``_series`` (number), the dimensions, the attributes that are said of the data set, a group or the
        series (the latest that was said), ``_rows`` (how many observations), ``_first`` and ``_last`` (when they begin
        and end).
        """
        keys = [identifier(one) for one in self.structure.key]
        counted = (
            'SELECT "_series", count(*) AS "_rows", min("_start") AS "_first", max("_end") AS "_last" '
            f"FROM ({self.observations}) GROUP BY 1"
        )
        found = f'(FROM ({self._named}) JOIN ({counted}) USING ("_series")) s'
        for number, of in enumerate({said_of(one): None for one in above(self.structure)}):
            # What is said of a series has the number of that series; to compare all codes would cost half the memory.
            by = ("_series",) if set(of) == set(self.structure.key) and of else of
            alike = " AND ".join(f"g{number}.{one} = s.{one}" for one in map(identifier, by)) or "true"
            found += f" LEFT JOIN ({self._said(of)}) g{number} ON {alike}"
        own = ["_series", *self.structure.key, *(one.id for one in above(self.structure)), "_rows", "_first", "_last"]
        order = ", ".join(f"s.{one}" for one in keys) or '"_series"'
        said = {one.id for one in above(self.structure)}
        chosen = ", ".join(identifier(one) if one in said else f"s.{identifier(one)}" for one in own)
        return self.cursor().execute(f"SELECT {chosen} FROM {found} ORDER BY {order}").to_arrow_table()

    @property
    def _named(self) -> str:
        return series_of(self.folder, self.manifest)

    def _said(self, of: tuple[str, ...]) -> str:
        """Give what is said of the groups that some dimensions make, with their codes."""
        names = ["_series", *of, *(one.id for one in above(self.structure) if said_of(one) == of)]
        tests = [f"{identifier(one)} IS {'NOT ' if one in of else ''}NULL" for one in self.structure.key]
        asked = " AND ".join([*tests, standing(self.at), f"NOT ({OBSERVED})"])
        chosen = ", ".join(map(identifier, names))
        return f"SELECT {chosen} FROM ({self.rows}) JOIN ({self._named}) USING (_series) WHERE {asked}"

    @cached_property
    def numbers(self) -> np.ndarray[Any, np.dtype[np.int32]]:
        """The numbers of the series in the order of :attr:`series`."""
        return self.series["_series"].to_numpy()

    @cached_property
    def counts(self) -> np.ndarray[Any, np.dtype[np.int64]]:
        """How many observations each series has."""
        return self.series["_rows"].to_numpy()

    @cached_property
    def codes(self) -> dict[str, Codes]:
        """The codes of each dimension but time, and the values of the attributes of series that are text."""
        texts = [
            one.id for one in above(self.structure) if not (one.multiple or one.multilingual) and one.type == "text"
        ]
        made = {}
        for one in (*self.structure.key, *texts):
            coded = self.series[one].combine_chunks().dictionary_encode("encode")
            # A missing value is a word of its own, which sorts first and for which no condition holds.
            words = np.array(coded.dictionary.to_pylist(), dtype=object)
            order = np.array(sorted(range(len(words)), key=lambda place: words[place] or ""), int)
            rank = np.empty(len(words), np.int32)
            rank[order] = np.arange(len(words), dtype=np.int32)
            made[one] = Codes(tuple(words[order]), rank[coded.indices.to_numpy()])
        return made

    @cached_property
    def periods(self) -> tuple[TimePeriod, ...]:
        """The distinct periods in the order of time."""
        if not self.structure.time:
            return ()
        time = identifier(self.structure.time.id)
        found = self.cursor().execute(
            f"SELECT DISTINCT {time}, _start, _end FROM ({self.observations}) ORDER BY _start, _end, 1"
        )
        return tuple(TimePeriod(start, end, _frequency(text), text) for text, start, end in found.fetchall())


def _frequency(text: str) -> str | None:
    return time_period(text).frequency
