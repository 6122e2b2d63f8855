"""How a load changes a flow: the events of the load are folded into the rows of the observations that they touch.

The state of an observation at a moment is what its events say, applied in the order in which they become public. A load
computes the new rows of the observations it touches, and from when on the rows before them no longer stand; all other
rows stay as they are. What is not yet public may be computed again by a later load, what was public never is.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from statcommons.sdmx.model import Ref
from statcommons.sdmx.store.manifest import Manifest, Segment
from statcommons.sdmx.store.rows import (
    ALL,
    ALL_TIME,
    NO_PERIOD,
    OBSERVED,
    above,
    files,
    identifier,
    literal,
    moment,
    said_of,
    series_of,
    span,
    sql_type,
    standing,
    write_parquet,
)
from statcommons.sdmx.structure import Component, Structure

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

__all__ = ["Change", "Changed", "Loaded"]

KEY = '"_series", "_start", "_end"'

IN_ORDER = "SET preserve_insertion_order = true; SET disabled_optimizers = 'join_order,build_side_probe_side'"
"""Let rows stay together where they find the numbers of their series: those are looked up, and never the rows.

The pieces of a file may change places by it, and are no wider. If the engine did not keep to it, answers would be the
same, and come later.
"""


@dataclass(frozen=True)
class Changed:
    """What a load did.

    Parameters
    ----------
    added, changed, deleted, unchanged : int
        Observations that came, that have other values now, that went, and that were so already.
    groups : int
        Series, and groups of them, of which something else is said now.
    """

    added: int = 0
    changed: int = 0
    deleted: int = 0
    unchanged: int = 0
    groups: int = 0

    def __bool__(self) -> bool:
        return any((self.added, self.changed, self.deleted, self.groups))


@dataclass(frozen=True)
class Loaded:
    """What a load did.

    Parameters
    ----------
    flow : Ref
        The dataflow.
    number : int, optional
        The number of the load; none when nothing was to be changed.
    valid_from : datetime
        When it is public, in UTC without a zone.
    changed : Changed
        How many observations came, changed, went, and were so already.
    rows : int
        How many rows were read and right.
    set_aside : pyarrow.Table, optional
        Those that were not.
    notes : tuple of str
        What a user should know beside.
    """

    flow: Ref
    number: int | None
    valid_from: datetime.datetime
    changed: Changed
    rows: int = 0
    set_aside: pa.Table | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Change:
    """One change of one flow in the making; tables of the connection hold its steps.

    Parameters
    ----------
    connection : duckdb.DuckDBPyConnection
        An engine that no one else uses.
    folder : pathlib.Path
        The folder of the flow.
    manifest : Manifest
        What the flow consists of.
    structure : Structure
        Of the flow.
    columns : tuple of str
        The columns in the order of their bits.
    number : int
        The number of this change, for the files that it makes.
    now, valid_from : datetime
        The time of the flow, and when the change is public.
    """

    connection: duckdb.DuckDBPyConnection
    folder: Path
    manifest: Manifest
    structure: Structure
    columns: tuple[str, ...]
    number: int
    now: datetime.datetime
    valid_from: datetime.datetime

    @property
    def cells(self) -> list[str]:
        """The measures and attributes."""
        return [one.id for one in self.structure.with_role("measure", "attribute")]

    @property
    def time(self) -> list[str]:
        """The time dimension, where there is one."""
        return [self.structure.time.id] if self.structure.time else []

    @property
    def is_public(self) -> bool:
        """Whether the change is public at once."""
        return self.valid_from <= self.now

    # --- series -----------------------------------------------------------------------------------------------------

    def number_series(self, table: str) -> str:
        """Give each new series a number, and each group that something is said of; returns the file of all series."""
        key = _names(self.manifest.dimensions)
        old = self.manifest.series_file
        self.connection.execute(f"CREATE TEMP TABLE series AS {series_of(self.folder, self.manifest)}")
        [[last]] = self.connection.execute('SELECT coalesce(max("_series") + 1, 0) FROM series').fetchall()
        # A key is compared once, and not once for each of its observations.
        codes = ", ".join(f"any_value({one}) AS {one}" for one in map(identifier, self.manifest.dimensions))
        self.connection.execute(
            f"CREATE TEMP TABLE keys AS SELECT _key{', ' + codes if codes else ''} FROM {table} "
            f"WHERE {_all_there(self.manifest.dimensions)} GROUP BY _key"
        )
        found = [f"SELECT {key or 1} FROM keys"]
        for one in above(self.structure):
            if self._names_series(said_of(one)):
                continue
            said = f"{identifier(one.id)} IS NOT NULL" if one.id in self._columns_of(table) else "false"
            found.append(f"SELECT {self._group(one)} FROM {table} WHERE {said} AND {_all_there(said_of(one))}")
        new = f"({' UNION '.join(found)}) EXCEPT SELECT {key or 1} FROM series"
        order = f" OVER (ORDER BY {key})" if key else " OVER ()"
        self.connection.execute(
            f"INSERT INTO series SELECT {last} + row_number(){order} - 1{', ' + key if key else ''} FROM ({new})"
        )
        [[count]] = self.connection.execute("SELECT count(*) FROM series").fetchall()
        if count == last and old:
            return old
        name = f"series-{self.number:06}.parquet"
        write_parquet(self.connection, 'FROM series ORDER BY "_series"', self.folder / name)
        return name

    def _names_series(self, of: tuple[str, ...]) -> bool:
        """Tell whether dimensions name series one by one, which ``keys`` has already."""
        return set(of) == set(self.manifest.dimensions) and bool(of)

    def _group(self, one: Component) -> str:
        """Give the key of the group that an attribute is said of: its dimensions, and null for all others."""
        of = said_of(one)
        parts = [identifier(key) if key in of else f"NULL AS {identifier(key)}" for key in self.manifest.dimensions]
        return ", ".join(parts) or "1"

    def _columns_of(self, table: str) -> set[str]:
        return {name for name, *_ in self.connection.execute(f"DESCRIBE {table}").fetchall()}

    # --- events -----------------------------------------------------------------------------------------------------

    def read_events(self, table: str) -> None:
        """Turn checked rows into events: which observation, what is given, what it is then.

        ``table`` has the components by their ids, ``_start``, ``_end``, ``_row``, ``_action``, and in
        ``_key`` a number that is the same for the rows of one series.
        """
        columns = self._columns_of(table)
        key = [*self.manifest.dimensions, *self.time]
        cells = [
            identifier(one) if one in columns else f"CAST(NULL AS {sql_type(self.structure[one])}) AS {identifier(one)}"
            for one in self.cells
        ]
        when = "_start, _end" if self.time else span(ALL_TIME)
        self.connection.execute(
            f"CREATE TEMP VIEW asked AS SELECT {_names(key)}{_comma(cells)}, {when}, _action AS _act, "
            f'"_row", "_key", {_all_there(key)} AS _whole FROM {table}'
        )
        own = [one.id for one in self.structure.with_role("measure", "attribute") if one not in above(self.structure)]
        known = f"JOIN series USING ({_names(self.manifest.dimensions)})" if self.manifest.dimensions else ", series"
        self.connection.execute(f"CREATE TEMP TABLE numbered_keys AS SELECT _key, _series FROM keys {known}")
        self.connection.execute(
            f'CREATE TEMP VIEW observed AS SELECT "_series"{_comma(map(identifier, self.time))}, _start, _end, '
            f"{self._values()}, {self._event(own)} FROM asked JOIN (FROM numbered_keys) USING (_key) WHERE _whole"
        )
        self.connection.execute("CREATE TEMP TABLE said AS FROM observed LIMIT 0")
        for of in dict.fromkeys(map(said_of, above(self.structure))):
            self._say_of_groups(of, [one for one in above(self.structure) if said_of(one) == of])
        self.connection.execute("CREATE TEMP VIEW events AS FROM observed UNION ALL BY NAME FROM said")
        counts = "count(*) FILTER (NOT _whole), count(*) FILTER (_act = 'Delete')"
        [[partial, deleting]] = self.connection.execute(f"SELECT {counts} FROM asked").fetchall()
        if not self.manifest.segments and not deleting:
            return  # nothing to fold into, and no key comes twice: what was checked is what is written
        if partial and self.manifest.segments:
            self._spread(key, own)
        self.connection.execute("CREATE TEMP TABLE gathered AS FROM events; DROP VIEW events")
        self.connection.execute("ALTER TABLE gathered RENAME TO events")

    def _values(self) -> str:
        """Give the values of an event; those above the observation are said in events of their own."""
        values = {one: f"CASE WHEN _act = 'Delete' THEN NULL ELSE {identifier(one)} END" for one in self.cells}
        values |= {one.id: f"CAST(NULL AS {sql_type(one)})" for one in above(self.structure)}
        return ", ".join(f"{value} AS {identifier(one)}" for one, value in values.items())

    def _event(self, own: Sequence[str], *, whole: bool = True) -> str:
        """Give what else an event is. A row that deletes names what to delete, or nothing: then all of it."""
        said = " | ".join(f"(CASE WHEN {identifier(one)} IS NULL THEN 0 ELSE {self._bit(one)} END)" for one in own)
        said = f"({said or 0})::UBIGINT"
        everything = ALL - sum(self._bit(one.id) for one in above(self.structure))
        named = " OR ".join(f"{identifier(one)} IS NOT NULL" for one in self.cells) or "false"
        gone = f"(_act = 'Delete' AND NOT ({named}))"
        replaced = " OR _act = 'Replace'" if whole else ""
        return (
            f"CASE WHEN {gone}{replaced} THEN {everything}::UBIGINT ELSE {said} END AS _given, {gone} AS _gone, "
            f'{moment(self.valid_from)} AS _from, NULL::TIMESTAMP AS _to, {self.number} AS _load, "_row" AS _order'
        )

    def _say_of_groups(self, of: tuple[str, ...], attributes: Sequence[Component]) -> None:
        """Make the events of what is said of groups: one for each group that some dimensions make."""
        names = [identifier(one.id) for one in attributes]
        last = [
            f"arg_max(CASE WHEN _act = 'Delete' THEN {{'v': NULL}} ELSE {{'v': {name}}} END, _row) "
            f"FILTER ({name} IS NOT NULL) AS {name}"
            for name in names
        ]
        series, by = "series", of
        group = " AND ".join(
            f"s.{identifier(key)} = g.{identifier(key)}" if key in of else f"s.{identifier(key)} IS NULL"
            for key in self.manifest.dimensions
        )
        if self._names_series(of):
            series, by, group = "numbered_keys", ("_key",), "s._key = g._key"
        said = (
            f"SELECT {', '.join([*map(identifier, by), *last])} FROM asked WHERE {_all_there(of)} "
            f"AND ({' OR '.join(f'{name} IS NOT NULL' for name in names)}) "
            f"{f'GROUP BY {_names(by)}' if by else 'HAVING count(*) > 0'}"
        )
        kinds = {one: sql_type(self.structure[one]) for one in self.cells}
        mine = {one.id for one in attributes}
        cells = [
            f"CAST({f'g.{identifier(one)}.v' if one in mine else 'NULL'} AS {kind}) AS {identifier(one)}"
            for one, kind in kinds.items()
        ]
        given = " | ".join(f"(CASE WHEN g.{identifier(one)} IS NULL THEN 0 ELSE {self._bit(one)} END)" for one in mine)
        time = [f"NULL::VARCHAR AS {identifier(other)}" for other in self.time]
        self.connection.execute(
            f'INSERT INTO said BY NAME SELECT s."_series"{_comma(time)}, {span(NO_PERIOD)}{_comma(cells)}, '
            f"({given})::UBIGINT AS _given, false AS _gone, {moment(self.valid_from)} AS _from, "
            f"NULL::TIMESTAMP AS _to, {self.number} AS _load, 0 AS _order "
            f"FROM {series} s JOIN ({said}) g ON {group or 'true'}"
        )

    def _spread(self, key: Sequence[str], own: Sequence[str]) -> None:
        """Spread rows with an open key over the observations that stand: what they leave open means every code.

        What they say of series alone is not spread, but said of the series.
        """
        stand = {one: f"_s_{one}" for one in ("_series", "_start", "_end", *key)}
        renamed = ", ".join(f"{identifier(one)} AS {identifier(other)}" for one, other in stand.items())
        alike = " AND ".join(
            f"({identifier(one)} IS NULL OR {identifier(one)} = {identifier(stand[one])})" for one in key
        )
        kept = [f"{identifier(stand[one])} AS {identifier(one)}" for one in ("_series", *self.time, "_start", "_end")]
        self.connection.execute(
            f"INSERT INTO said BY NAME SELECT * FROM (SELECT {', '.join(kept)}, {self._values()}, "
            f"{self._event(own, whole=False)} FROM (SELECT * EXCLUDE (_start, _end) FROM asked WHERE NOT _whole) "
            f'JOIN (SELECT {renamed} FROM ({self._files()}) JOIN series USING ("_series") '
            f"WHERE {standing(self.valid_from)} AND {OBSERVED}) ON {alike}) WHERE _given != 0"
        )

    def _bit(self, name: str) -> int:
        return 1 << self.columns.index(name)

    # --- the fold ---------------------------------------------------------------------------------------------------

    def fold(self, without: int | None = None) -> Changed:
        """Fold the events into the rows that they touch; the tables ``fresh`` and ``ended`` have what comes of it.

        ``without`` takes a load that is not public out, as if it had never been.
        """
        self.connection.execute(f"CREATE TEMP TABLE touched AS SELECT * FROM ({self._touched(without)})")
        if without is None and self._is_simple():
            fresh = _names(self._columns)
            # To delete what is not there means something only where it may be there when the deletion is public.
            kept = "NOT _gone" if self.is_public else "true"
            self.connection.execute(f"CREATE TEMP VIEW fresh AS SELECT {fresh} FROM events WHERE {kept}")
            self.connection.execute(
                "CREATE TEMP VIEW ended AS SELECT 0 AS _segment, 0 AS _place, _to FROM events WHERE false"
            )
            found = f"SELECT count(*) FILTER ({OBSERVED}), count(*) FILTER (NOT ({OBSERVED})) FROM fresh"
            if self._is_first:  # which is sooner counted before each row has found its series
                found = "SELECT (SELECT count(*) FROM asked WHERE _whole), (SELECT count(*) FROM said)"
            [[added, groups]] = self.connection.execute(found).fetchall()
            return Changed(added=added, groups=groups)
        same = self._leave_same() if without is None and self.is_public and self._is_unique() else 0
        self.connection.execute(f"CREATE TEMP TABLE folded AS {self._folded(without)}")
        self.connection.execute(
            f"CREATE TEMP TABLE closed AS SELECT * EXCLUDE (_same, _to), "
            f"lead(_from) OVER (PARTITION BY {KEY} ORDER BY _from, _load, _order) AS _to, _to AS _was_to FROM folded "
            "WHERE NOT _same"
        )
        # A row that was computed anew before it is public is written again, and the old one never stands.
        anew = "(_is_new OR _other) AND _to IS DISTINCT FROM _from"
        self.connection.execute(f"CREATE TEMP VIEW fresh AS SELECT {_names(self._columns)} FROM closed WHERE {anew}")
        withdrawn = f"SELECT _segment, _place, _from FROM touched WHERE _load = {without}"
        self.connection.execute(
            "CREATE TEMP VIEW ended AS SELECT _segment, _place, CASE WHEN _other THEN _from ELSE _to END AS _to "
            "FROM closed WHERE NOT _is_new AND (_other OR _to IS DISTINCT FROM _was_to)"
            f"{f' UNION ALL {withdrawn}' if without is not None else ''}"
        )
        seen, news = OBSERVED, "_is_new AND NOT _same"
        counted = (
            f"SELECT count(*) FILTER ({news} AND NOT _gone AND _fresh_key AND {seen}), "
            f"count(*) FILTER ({news} AND NOT _gone AND NOT _fresh_key AND {seen}), "
            f"count(*) FILTER ({news} AND _gone AND {seen}), count(*) FILTER (_is_new AND _same AND {seen}), "
            f"count(*) FILTER ({news} AND NOT ({seen})) FROM folded"
        )
        [[added, changed, deleted, unchanged, groups]] = self.connection.execute(counted).fetchall()
        return Changed(added, changed, deleted, unchanged + same, groups)

    @property
    def _columns(self) -> list[str]:
        return ["_series", *self.time, "_start", "_end", *self.cells, "_given", "_gone", "_from", "_to", "_load"]

    def _touched(self, without: int | None) -> str:
        """Give the rows of the observations that change, from the one that stands at that moment on."""
        if not self.manifest.segments:
            return f"{self._files()}"
        if without is None:
            keys, since = f"SELECT DISTINCT {KEY} FROM events", self.valid_from
        else:
            keys, since = f"SELECT DISTINCT {KEY} FROM ({self._files()}) WHERE _load = {without}", self.now
        return (
            f"SELECT r.* FROM ({self._files()}) r SEMI JOIN ({keys}) k USING ({KEY}) "
            f"WHERE r._to IS NULL OR r._to > {moment(since)}"
        )

    def _is_simple(self) -> bool:
        """Tell whether the events only add observations that were not there: then there is nothing to fold."""
        if self._is_first:
            return True
        [[touched]] = self.connection.execute("SELECT count(*) FROM touched").fetchall()
        return not touched and self._is_unique()

    def _is_unique(self) -> bool:
        """Tell whether there is one event at most for each observation."""
        [[rows, keys]] = self.connection.execute(f"SELECT count(*), count(DISTINCT ({KEY})) FROM events").fetchall()
        return bool(rows == keys)

    def _leave_same(self) -> int:
        """Leave out the events that say what stands already, most of a flow that is loaded again; returns how many."""
        cells = {self._bit(one): identifier(one) for one in self.cells}
        alike = [
            f"(e._given & {bit}::UBIGINT = 0 OR e.{cell} IS NOT DISTINCT FROM t.{cell})" for bit, cell in cells.items()
        ]
        stands = f"t._from <= {moment(self.valid_from)} AND t._to IS NULL AND NOT t._gone AND NOT e._gone"
        self.connection.execute(
            f"CREATE TEMP TABLE same AS SELECT {KEY} FROM events e JOIN touched t USING ({KEY}) "
            f"WHERE {' AND '.join([stands, *alike])}"
        )
        for table in ("events", "touched"):
            self.connection.execute(
                f"CREATE TEMP TABLE other_{table} AS FROM {table} ANTI JOIN same USING ({KEY}); "
                f"DROP TABLE {table}; ALTER TABLE other_{table} RENAME TO {table}"
            )
        [[count]] = self.connection.execute(f"SELECT count(*) FILTER ({OBSERVED}) FROM same").fetchall()
        return int(count)

    @property
    def _is_first(self) -> bool:
        """Whether the flow has no rows yet and the events delete none: then they are a view of what was checked."""
        views = self.connection.execute("SELECT 1 FROM duckdb_views() WHERE view_name = 'events'").fetchall()
        return not self.manifest.segments and bool(views)

    def _folded(self, without: int | None) -> str:
        """Give the rows after the fold, each with what it was before and whether the event said anything new."""
        cells, origin = self.cells, f"_load IS DISTINCT FROM {without}" if without is not None else "true"
        since = self.valid_from if without is None else self.now
        base = f"_gone OR _from <= {moment(since)}"
        names = _names(["_series", *self.time, "_start", "_end", *cells])
        chain = (
            f"SELECT {names}, CASE WHEN {base} THEN {ALL}::UBIGINT ELSE _given END AS _told, "
            "_given, _gone, _from, _to, _load, 0 AS _order, _segment, _place, false AS _is_new "
            f"FROM touched WHERE {origin}"
        )
        if without is None:
            chain += (
                f" UNION ALL BY NAME SELECT {names}, _given AS _told, _given, _gone, _from, _to, _load, _order, "
                "NULL::INTEGER AS _segment, NULL::BIGINT AS _place, true AS _is_new FROM events"
            )
        order = f"PARTITION BY {KEY} ORDER BY _from, _load, _order"
        upto = "ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW"
        folded = [
            f"(last_value(CASE WHEN _told & {self._bit(name)}::UBIGINT != 0 "
            f"THEN {{'v': {identifier(name)}}} END IGNORE NULLS) OVER ({order} {upto})).v AS {identifier(name)}"
            for name in cells
        ]
        state = f"row(_gone{_comma(map(identifier, cells))})"
        keys = _names(["_series", *self.time, "_start", "_end"])
        kept = f"{keys}, _gone, _from, _to, _load, _order, _segment, _place, _is_new"
        was = f"row(_gone{_comma(map(identifier, cells))}) AS _was"
        # Events of one moment are one event to the reader: what they gave is given together.
        given = f"bit_or(_given) OVER (PARTITION BY {KEY}, _from) AS _given"
        # What waits may matter though it says what stands: an earlier load may come between. It says nothing where all
        # that it gives is given at the same moment already.
        repeats = (
            f"lag(_from) OVER ({order}) IS NOT DISTINCT FROM _from "
            f"AND (_given & lag(_given) OVER ({order})) IS NOT DISTINCT FROM _given AS _repeats"
        )
        public = "true" if self.is_public and without is None else "false"
        return (
            f"WITH chain AS ({chain}), "
            f"states AS (SELECT {kept}, {was}, {given}, {repeats}{_comma(folded)} FROM chain), "
            f"stepped AS (SELECT *, lag({state}) OVER ({order}) AS _before, "
            f"row_number() OVER ({order}) = 1 AS _first FROM states) "
            f"SELECT * EXCLUDE (_was, _before, _first, _repeats), "
            f"NOT _is_new AND {state} IS DISTINCT FROM _was AS _other, "
            f"_first OR _before[1] AS _fresh_key, "
            f"_is_new AND ({public} OR _repeats) AND "
            f"CASE WHEN _first THEN _gone ELSE {state} IS NOT DISTINCT FROM _before END AS _same "
            "FROM stepped"
        )

    # --- files ------------------------------------------------------------------------------------------------------

    def write(self) -> tuple[Segment, ...]:
        """Write the fresh rows and the ends of old ones; gives the segments of the flow after the change."""
        segments = list(self.manifest.segments)
        for number, ends in self._ends().items():
            segments[number] = ends
        name = f"rows-{self.number:06}.parquet"
        ordered = f"SELECT {_names(self._columns)} FROM fresh ORDER BY {KEY}, _from"
        if self._is_first:  # which came in the order in which series are numbered
            ordered = f"SELECT {_names(self._columns)} FROM fresh"
            self.connection.execute(IN_ORDER)
        if rows := write_parquet(self.connection, ordered, self.folder / name):  # a file of none is soon tidied up
            segments.append(Segment(name, rows))
        return tuple(segments)

    def _ends(self) -> Mapping[int, Segment]:
        """Write for each segment which of its rows have another end now, those of before included."""
        made = {}
        [*numbers] = self.connection.execute("SELECT DISTINCT _segment FROM ended ORDER BY 1").fetchall()
        for [number] in numbers:
            segment = self.manifest.segments[number]
            fresh = f"SELECT _place AS place, _to FROM ended WHERE _segment = {number}"
            if segment.ends_file:
                old = f"read_parquet({literal(self.folder / segment.ends_file)})"
                fresh += f" UNION ALL SELECT * FROM {old} ANTI JOIN ({fresh}) USING (place)"
            name = f"ends-{self.number:06}-{number:03}.parquet"
            rows = write_parquet(self.connection, f"FROM ({fresh}) ORDER BY place", self.folder / name)
            made[number] = Segment(segment.file, segment.rows, name, rows)
        return made

    def compacted(self, segments: tuple[Segment, ...], series_file: str) -> tuple[tuple[Segment, ...], str]:
        """Write all rows into one file, with the series numbered in the order of keys; gives segments and series."""
        all_rows = files(self.folder, replace(self.manifest, segments=segments), self.structure)
        key = _names(self.manifest.dimensions)
        series = series_of(self.folder, replace(self.manifest, series_file=series_file))
        number = f"row_number() OVER (ORDER BY {key}) - 1" if key else "0"
        self.connection.execute(
            f"CREATE TEMP TABLE numbered AS SELECT ({number})::INTEGER AS _number, * FROM ({series})"
        )
        named = f"series-{self.number:06}-all.parquet"
        ordered = (
            f'SELECT _number AS "_series"{_comma(map(identifier, self.manifest.dimensions))} FROM numbered ORDER BY 1'
        )
        write_parquet(self.connection, ordered, self.folder / named)
        # A row that ended before it was public was computed anew, and never stands.
        rows = (
            f'SELECT _number AS "_series", {_names(self._columns[1:])} FROM ({all_rows}) '
            'JOIN (FROM numbered) USING ("_series") WHERE _to IS DISTINCT FROM _from '
            "ORDER BY _number, _start, _end, _from"
        )
        name = f"rows-{self.number:06}-all.parquet"
        many = write_parquet(self.connection, rows, self.folder / name)
        return (Segment(name, many),), named

    def _files(self) -> str:
        return files(self.folder, self.manifest, self.structure)


def _names(names: Sequence[str]) -> str:
    return ", ".join(map(identifier, names))


def _comma(parts: object) -> str:
    """Join parts that follow others in a list."""
    return "".join(f", {part}" for part in parts)  # type: ignore[attr-defined]


def _all_there(names: Sequence[str]) -> str:
    return " AND ".join(f"{identifier(one)} IS NOT NULL" for one in names) or "true"
