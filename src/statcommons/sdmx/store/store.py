"""The store as its users see it: flows and their structures, loads, queries."""

from __future__ import annotations

import contextlib
import copy
import datetime
import json
import re
import shutil
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from statcommons.core.errors import BadCall, BadData, Cause, NoInput, NotAllowed, StatCommonsError, TryAgain, nearest
from statcommons.core.progress import step
from statcommons.sdmx.formats.table import flat
from statcommons.sdmx.message import Action, Header, Rows, acting
from statcommons.sdmx.model import Artefact, Constraint, Ref, parse_reference
from statcommons.sdmx.query.components import component_filter
from statcommons.sdmx.query.data import Availability, DataQuery, Facts, Mode
from statcommons.sdmx.query.keys import parse_keys
from statcommons.sdmx.reading import TableMapping, read_rows
from statcommons.sdmx.reading.check import Checked, checked
from statcommons.sdmx.store.available import availability
from statcommons.sdmx.store.change import Change, Changed
from statcommons.sdmx.store.disk import appearing, make_folder
from statcommons.sdmx.store.flow import FlowState
from statcommons.sdmx.store.lock import WAIT, writing
from statcommons.sdmx.store.manifest import (
    FORMAT,
    MANIFEST,
    Load,
    Manifest,
    Segment,
    new_manifest,
    read_manifest,
    retire,
    utc_now,
    write_manifest,
)
from statcommons.sdmx.store.rows import connected, extended
from statcommons.sdmx.store.select import Selection
from statcommons.sdmx.structure import Structure, structure_of
from statcommons.sdmx.structures.collection import Artefacts
from statcommons.sdmx.structures.json import keep_structures, read_structures_json
from statcommons.toolbox.sdmx_periods import time_period

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

__all__ = ["Loaded", "Store"]

GRACE = datetime.timedelta(hours=1)
"""How long a file is kept that no manifest names any more: a reader may still be giving an answer from it."""

MANY = 8
"""Files of observations from which on a flow is compacted after a load."""

ENDED = 0.5
"""The share of rows that ended after their file was written from which on too."""

KEPT = 8
"""States of flows that a process keeps in memory."""

OFTEN, HOT = 3, 2_000_000
"""Questions after which the observations of a state are brought into memory, and rows of its files up to which."""

STEP = datetime.timedelta(microseconds=1)

MARGIN = datetime.timedelta(milliseconds=100)
"""How long it may take from reading the clock until the manifest is replaced."""

NAME = re.compile(r"[A-Za-z][\w-]*(\.[A-Za-z][\w-]*)*:[\w@$-]+\([\w.+~*-]+\)", re.ASCII)
"""What SDMX lets agencies, ids and versions be; they name folders, so that nothing else may be in them."""

LONGEST_NAME = 200
"""Signs of them together: file systems take names of 255 bytes, and some of fewer."""


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


class Store:
    r"""A folder that keeps flows, their structures and all that was published of them.

    Opening it reads nothing; any number of processes may read while one writes.

    Parameters
    ----------
    path : path
        The folder; a writer makes it.
    memory : str
        What a reader's engine may hold at a time.
    threads : int, optional
        Its threads.
    owner : str
        Who writes: a store that belongs to a hub takes writes from the hub alone, which gives its name here.

    Examples
    --------
    >>> import tempfile
    >>> from statcommons.sdmx.model import Ref
    >>> from statcommons.sdmx.structure import Component, artefacts_of
    >>> parts = (Component("AREA", "dimension", "text"), Component("OBS_VALUE", "measure", "number"))
    >>> areas = Structure(Ref("dataflow", "X", "DF"), Ref("datastructure", "X", "DSD"), {}, {}, parts)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     store = Store(folder)
    ...     store.add_structures(artefacts_of(areas))
    ...     _ = store.load(b"DATAFLOW,AREA,OBS_VALUE\nX:DF(1.0),004,1.5\nX:DF(1.0),NA,2\n")
    ...     store.query("X:DF(1.0)", "NA").to_pylist()
    [{'AREA': 'NA', 'OBS_VALUE': 2.0}]
    """

    def __init__(self, path: Path | str, *, memory: str = "1GB", threads: int | None = None, owner: str = "") -> None:
        self.path = Path(path)
        self._memory, self._threads, self._owner = memory, threads, owner
        self._moment: datetime.datetime | None = None
        self._guard = threading.RLock()
        self._local = threading.local()
        self._engine: duckdb.DuckDBPyConnection | None = None
        self._artefacts: tuple[object, Artefacts] = (None, Artefacts(()))
        self._manifests: dict[Path, tuple[object, Manifest]] = {}
        self._structures: dict[Ref, tuple[Artefacts, Structure]] = {}
        self._states: dict[object, tuple[FlowState, int]] = {}

    @property
    def format(self) -> int:
        """The format of what is on the disk; one that is newer than ours is refused."""
        return int(self._refuse_newer().get("format", FORMAT))

    # --- structures -------------------------------------------------------------------------------------------------

    @property
    def artefacts(self) -> Artefacts:
        """All structures of the store."""
        file = self.path / "structures.json"
        mark = _mark(file)
        with self._guard:
            if mark != self._artefacts[0]:
                self._refuse_newer()
                self._artefacts = (mark, Artefacts(read_structures_json(file.read_bytes()) if mark else ()))
            return self._artefacts[1]

    def structure(self, flow: Ref) -> Structure:
        """Give the structure of a dataflow.

        Parameters
        ----------
        flow : Ref
            The dataflow.

        Raises
        ------
        NoInput
            When there is no such dataflow.
        """
        artefacts = self.artefacts
        known = self._structures.get(flow)
        if known and known[0] is artefacts:
            return known[1]
        if artefacts.find(flow) is None:
            flows = [str(one.ref) for one in artefacts if one.kind == "dataflow"]
            raise NoInput(f"There is no dataflow {flow}.", where=str(self.path), remedy=nearest(str(flow), flows))
        made = structure_of(artefacts.resolve, flow)
        self._structures[flow] = (artefacts, made)
        return made

    def flows(self) -> tuple[Ref, ...]:
        """Give the dataflows that the store has structures of."""
        return tuple(one.ref for one in self.artefacts if one.kind == "dataflow")

    def add_structures(self, artefacts: Iterable[Artefact], *, wait: float = WAIT) -> None:
        """Take structures in; one of the same id and version is replaced.

        Parameters
        ----------
        artefacts : iterable of Artefact
            The structures.
        wait : float
            How many seconds to wait for another writer.

        Raises
        ------
        BadCall
            When a data structure changes its dimensions while there are data of it.
        BadData
            When an agency, id or version is none that SDMX knows.
        NotAllowed, TryAgain
            When the store cannot be written.
        """
        artefacts = tuple(artefacts)
        _refuse_names([str(one.ref) for one in artefacts])
        with self._writing(wait):
            there = {one.ref: one for one in self.artefacts}
            there |= {one.ref: one for one in artefacts}
            merged = Artefacts(tuple(there.values()))
            for flow in [one for one in there if one.kind == "dataflow"]:
                manifest = read_manifest(self._folder(flow))
                if manifest and manifest.loads:
                    key = structure_of(merged.resolve, flow).key
                    if key != manifest.dimensions:
                        was = ", ".join(manifest.dimensions)
                        raise BadCall(
                            f"The dimensions would be {', '.join(key)}; the data have {was}.",
                            where=str(flow),
                            remedy="Give the structure a new version, and the data a dataflow of it.",
                        )
            header = Header("structures", datetime.datetime.now(datetime.UTC), "SC")
            with appearing(self.path / "structures.json") as file:
                file.write(keep_structures(tuple(merged), header))

    # --- reading ----------------------------------------------------------------------------------------------------

    def now(self, flow: Ref) -> datetime.datetime:
        """Give the clock of a flow: that of the machine, but never before something that was published."""
        return self._manifest(flow).now()

    def facts(self, flow: Ref) -> Facts:
        """Give what a reader may keep of answers about a flow.

        Parameters
        ----------
        flow : Ref
            The dataflow.
        """
        manifest = self._manifest(flow)
        now = manifest.now()
        public = [load.valid_from for load in manifest.visible(now)]
        return Facts(manifest.version(now), max(public, default=None), manifest.next_change(now))

    def releases(self, flow: Ref) -> tuple[datetime.datetime, ...]:
        """Give the moments at which a flow changed for its readers, the first one first; none that is still to come.

        Parameters
        ----------
        flow : Ref
            The dataflow.
        """
        manifest = self._manifest(flow)
        return tuple(sorted({load.valid_from for load in manifest.visible(manifest.now())}))

    def select(self, query: DataQuery) -> Selection:
        """Answer a query of data.

        Parameters
        ----------
        query : DataQuery
            What is asked.

        Returns
        -------
        Selection
            Counts at once, data sets as they are asked for.

        Raises
        ------
        NoInput
            When there is no such dataflow.
        BadCall
            When a component is not known, or a value of a filter cannot be read.
        """
        return Selection(self._state(query.flow, query.as_of), query)

    def availability(
        self, query: DataQuery, mode: Mode = "exact", components: Sequence[str] | None = None
    ) -> Availability:
        """Tell which values are available for a query; see :func:`statcommons.sdmx.store.available.availability`."""
        return availability(self._state(query.flow, query.as_of), query, mode, components)

    def query(
        self,
        flow: Ref | str,
        key: str = "",
        *,
        where: Mapping[str, str] | None = None,
        start: str = "",
        end: str = "",
        first: int | None = None,
        last: int | None = None,
    ) -> pa.Table:
        """Give observations as one table, a column a component, in the order of keys and time.

        Parameters
        ----------
        flow : Ref or str
            The dataflow, such as ``UNGP:DF_SDG(1.0)``.
        key : str
            The series as REST 2.x writes them: ``A.*.116``, several with ``,`` between them; all by default.
        where : mapping of str to str
            Filters of components as REST 2.x writes them: ``{"OBS_VALUE": "ge:10+lt:20", "SEX": "F,M"}``.
        start, end : str
            The first and the last period.
        first, last : int, optional
            How many observations of each series, from its beginning and from its end.

        Raises
        ------
        BadCall
            When something cannot be read, or a component is not known.
        NoInput
            When there is no such dataflow.
        """
        asked = parse_reference(flow) if isinstance(flow, str) else flow
        query = DataQuery(
            asked,
            keys=parse_keys(key, self.structure(asked).key),
            filters={name: component_filter(name, text) for name, text in (where or {}).items()},
            start=time_period(start) if start else None,
            end=time_period(end) if end else None,
            first=first,
            last=last,
        )
        return flat(self.select(query).data_sets())

    def as_of(self, moment: datetime.datetime) -> Store:
        """Give the store as its readers saw it at a moment; later than now is now.

        Parameters
        ----------
        moment : datetime
            In UTC where it has no zone.
        """
        past = copy.copy(self)
        past._moment = _plain(moment)
        return past

    def _state(self, flow: Ref, as_of: datetime.datetime | None) -> FlowState:
        """Give what a flow says at a moment, from memory where that is what it said before."""
        structure, manifest = self.structure(flow), self._manifest(flow)
        at = min(one for one in (manifest.now(), as_of, self._moment) if one)
        last = max((load.stamp for load in manifest.visible(at)), default=None)
        # What a flow says changes only when a load becomes public: all moments between two of them are one state.
        key = (flow, manifest.id, manifest.next_number, id(structure), last)
        with self._guard:
            state, asked = self._states.pop(key, (None, 0))
            state = state or FlowState(
                self._folder(flow), manifest, structure, last or datetime.datetime.min, self._cursor
            )
            self._states[key] = state, asked + 1
            while len(self._states) > KEPT:
                self._states.pop(next(iter(self._states)))
        # Not under the lock: what a state computes has locks of its own, whose holders may wait for this one.
        if asked == OFTEN and state.size <= HOT:
            state.warm()
        return state

    def _manifest(self, flow: Ref) -> Manifest:
        folder = self._folder(flow)
        mark = _mark(folder / MANIFEST)
        with self._guard:
            known = self._manifests.get(folder)
            if not known or known[0] != mark:
                found = read_manifest(folder) or new_manifest(self.structure(flow).key)
                known = self._manifests[folder] = (mark, found)
            return known[1]

    def _cursor(self) -> duckdb.DuckDBPyConnection:
        """Give the calling thread its cursor of the one engine of this process."""
        import duckdb

        with self._guard:
            if self._engine is None:
                config: dict[str, str | bool | int | float | list[str]] = {
                    "memory_limit": self._memory,
                    "autoinstall_known_extensions": "false",
                }
                config |= {"threads": str(self._threads)} if self._threads else {}
                self._engine = duckdb.connect(":memory:", config=config)
                self._engine.execute("SET parquet_metadata_cache = true; SET preserve_insertion_order = true")
        if not hasattr(self._local, "cursor"):
            self._local.cursor = self._engine.cursor()
        cursor: duckdb.DuckDBPyConnection = self._local.cursor
        return cursor

    # --- writing ----------------------------------------------------------------------------------------------------

    def load(
        self,
        *files: Path | str | bytes,
        flow: Ref | str | None = None,
        action: Action | None = None,
        valid_from: datetime.datetime | None = None,
        mapping: TableMapping | Path | str | None = None,
        on_bad_rows: Literal["fail", "set_aside"] = "fail",
        structures: Iterable[Artefact] = (),
        wait: float = WAIT,
    ) -> list[Loaded]:
        """Load data files: all of them are right and loaded, or nothing is changed and every fault is told.

        Parameters
        ----------
        *files : path or bytes
            Data messages or tables, in any form that :func:`statcommons.sdmx.reading.read_rows` knows.
        flow : Ref or str, optional
            The dataflow of files that name none, or only their data structure; the only one of the store by default.
        action : Action, optional
            What is done with the rows, whatever the files say. By default each file says it; ``Information`` and
            ``Append`` are taken as ``Merge``.
        valid_from : datetime, optional
            When the observations are public, in UTC where it has no zone; now by default.
        mapping : TableMapping or path, optional
            Which column of a table is which component, and how values are written.
        on_bad_rows : {"fail", "set_aside"}
            Whether bad rows stop the load, or are left out and given back.
        structures : iterable of Artefact
            Structures that come with the data; when the data are refused, the store knows no more than before.
        wait : float
            How many seconds to wait for another writer.

        Returns
        -------
        list of Loaded
            One for each dataflow.

        Raises
        ------
        BadCall
            When it should be public before something that is public already, or the dataflow cannot be told.
        BadData
            When rows do not fit their structure; lists every cause.
        NoInput
            When a file or the dataflow is not there.
        NotAllowed, TryAgain
            When the store cannot be written.
        """
        with self._knowing(structures, wait):
            named = parse_reference(flow) if isinstance(flow, str) else flow
            rows: dict[Ref, list[Rows]] = {}
            for file in files:
                for one in read_rows(file, self.structure(named) if named else None, mapping=mapping):
                    rows.setdefault(self._flow_of(one, named), []).append(acting(one, action) if action else one)
            if len(rows) > 1:
                self._check(rows, on_bad_rows, _plain(valid_from))
            return [self._load(one, parts, on_bad_rows, valid_from, wait) for one, parts in rows.items()]

    @contextlib.contextmanager
    def _knowing(self, structures: Iterable[Artefact], wait: float) -> Iterator[None]:
        """Take structures in for a work, and put back what was there when it is refused."""
        file, artefacts = self.path / "structures.json", tuple(structures)
        before = file.read_bytes() if file.is_file() else None
        if artefacts:
            self.add_structures(artefacts, wait=wait)
        try:
            yield
        except StatCommonsError:
            if artefacts:
                with self._writing(wait):
                    if before is None:
                        file.unlink(missing_ok=True)
                    else:
                        with appearing(file) as kept:
                            kept.write(before)
            raise

    def _load(
        self,
        flow: Ref,
        rows: Sequence[Rows],
        on_bad_rows: Literal["fail", "set_aside"],
        valid_from: datetime.datetime | None,
        wait: float,
    ) -> Loaded:
        """Check the rows of one dataflow and load them."""
        structure = self.structure(flow)
        constraints = [one for one in self.artefacts if isinstance(one, Constraint) and _binds(one, structure)]
        found: list[Checked] = []

        def fill(connection: duckdb.DuckDBPyConnection) -> str:
            with step(f"Read and check {flow.id}"):
                found.append(checked(connection, rows, structure, constraints=constraints, on_bad_rows=on_bad_rows))
            return found[0].table

        done = self.change(flow, fill, valid_from=_plain(valid_from), wait=wait)
        return replace(done, rows=found[0].rows, set_aside=found[0].set_aside, notes=found[0].notes)

    def _checked(
        self,
        connection: duckdb.DuckDBPyConnection,
        flow: Ref,
        rows: Sequence[Rows],
        on_bad_rows: Literal["fail", "set_aside"],
    ) -> Checked:
        structure = self.structure(flow)
        constraints = [one for one in self.artefacts if isinstance(one, Constraint) and _binds(one, structure)]
        return checked(connection, rows, structure, constraints=constraints, on_bad_rows=on_bad_rows)

    def _check(
        self,
        rows: Mapping[Ref, Sequence[Rows]],
        on_bad_rows: Literal["fail", "set_aside"],
        valid_from: datetime.datetime | None,
    ) -> None:
        """Refuse what is wrong with any of several dataflows before the first of them is changed."""
        import duckdb

        causes: list[Cause] = []
        for flow, parts in rows.items():
            _times(self._manifest(flow), valid_from, flow)
            with duckdb.connect() as connection:
                try:
                    self._checked(connection, flow, parts, on_bad_rows)
                except BadData as error:
                    causes += error.causes or [Cause(error.what, 0, error.remedy, error.where)]
        if causes:
            raise BadData(f"Nothing is loaded into {', '.join(map(str, rows))}.", causes=causes)

    def _flow_of(self, rows: Rows, named: Ref | None) -> Ref:
        """Tell which dataflow rows are of: the one that the caller names, else the one that they name."""
        given = rows.structure
        named = named or (self.flows()[0] if not given and len(self.flows()) == 1 else None)
        if named:
            own = {str(named), str(self.structure(named).definition), ""}
            if given not in own:
                raise BadCall(
                    f"The file is of {given}.", where=rows.path, remedy=f"Give a file of {named}, or name its dataflow."
                )
            return named
        flows = [one for one in self.flows() if str(one) == given]
        flows = flows or [one for one in self.flows() if str(self.structure(one).definition) == given]
        if len(flows) != 1:
            known = ", ".join(map(str, flows or self.flows())) or "none"
            why = f"There is no dataflow {given}." if given else "The file does not name its dataflow."
            raise BadCall(
                f"{given} has several dataflows." if flows else why,
                where=rows.path,
                remedy=f"Name the dataflow. There are: {known}.",
            )
        return flows[0]

    def change(
        self,
        flow: Ref,
        fill: Callable[[duckdb.DuckDBPyConnection], str],
        *,
        valid_from: datetime.datetime | None = None,
        wait: float = WAIT,
    ) -> Loaded:
        """Change a flow by checked rows.

        Parameters
        ----------
        flow : Ref
            The dataflow.
        fill : callable
            Makes the table of checked rows in an engine and gives its name; see :mod:`statcommons.sdmx.reading.check`.
        valid_from : datetime, optional
            When the change is public, in UTC without a zone; now by default.
        wait : float
            How many seconds to wait for another writer.

        Returns
        -------
        Loaded
            What was done.

        Raises
        ------
        BadCall
            When it should be public before something that is public already.
        NotAllowed, TryAgain
            When the store cannot be written.
        """
        with self._changing(flow, valid_from, wait) as change:
            table = fill(change.connection)
            with step("Compare with what stands"):
                series_file = change.number_series(table)
                change.read_events(table)
                done = change.fold()
            if done:
                with step("Write"):
                    segments = change.write()
                if len(segments) > MANY or sum(one.ends for one in segments) > ENDED * sum(
                    one.rows for one in segments
                ):
                    with step("Compact"):
                        segments, series_file = change.compacted(segments, series_file)
                load = _published(change)
                clock = load.valid_from if load.written else None
                self._publish(change, segments, series_file, (*change.manifest.loads, load), clock)
        return Loaded(flow, change.number if done else None, load.valid_from if done else change.valid_from, done)

    def withdraw(self, flow: Ref, number: int, *, wait: float = WAIT) -> None:
        """Take back a load that is not public yet, as if it had never been.

        Parameters
        ----------
        flow : Ref
            The dataflow.
        number : int
            The number of the load.
        wait : float
            How many seconds to wait for another writer.

        Raises
        ------
        BadCall
            When there is no such load, or it is public: what was published stays.
        NotAllowed, TryAgain
            When the store cannot be written.
        """
        with self._changing(flow, None, wait) as change:
            load = next((one for one in change.manifest.loads if one.number == number), None)
            if load is None or load.valid_from <= change.now:
                why = f"has been public since {load.valid_from.isoformat()}" if load else "is not known"
                waiting = [str(one.number) for one in change.manifest.loads if one.valid_from > change.now]
                remedy = f"Waiting are {', '.join(waiting)}." if waiting else "No load is waiting."
                raise BadCall(f"The load {number} {why}.", where=str(flow), remedy=remedy)
            change.fold(without=number)
            loads = tuple(one for one in change.manifest.loads if one is not load)
            self._publish(change, change.write(), change.manifest.series_file, loads)

    def compact(self, flow: Ref, *, wait: float = WAIT) -> None:
        """Bring the files of a flow into one, in the order of keys; no answer changes by it.

        Parameters
        ----------
        flow : Ref
            The dataflow.
        wait : float
            How many seconds to wait for another writer.

        Raises
        ------
        NotAllowed, TryAgain
            When the store cannot be written.
        """
        with self._changing(flow, None, wait) as change:
            if change.manifest.segments:
                segments, series_file = change.compacted(change.manifest.segments, change.manifest.series_file)
                self._publish(change, segments, series_file, change.manifest.loads)

    @contextlib.contextmanager
    def _changing(self, flow: Ref, valid_from: datetime.datetime | None, wait: float) -> Iterator[Change]:
        """Begin a change of a flow, as its one writer, from what the writer before left."""
        structure = self.structure(flow)
        with self._writing(wait), connected(self.path / "spill", threads=self._threads) as engine:
            folder = self._folder(flow)
            make_folder(folder)
            manifest = read_manifest(folder) or new_manifest(structure.key)
            now, since = _times(manifest, valid_from, flow)
            columns = extended(manifest, structure)
            yield Change(engine, folder, manifest, structure, columns, manifest.next_number, now, since)

    def _publish(
        self,
        change: Change,
        segments: tuple[Segment, ...],
        series_file: str,
        loads: tuple[Load, ...],
        clock: datetime.datetime | None = None,
    ) -> None:
        """Replace the manifest, which is the moment at which a change happens, and tidy up behind it."""
        before = change.manifest
        after = replace(
            before,
            clock=max(change.now, clock or change.now),
            columns=change.columns,
            segments=segments,
            series_file=series_file,
            loads=loads,
            next_number=change.number + 1,
        )
        after = retire(after, before.files - after.files, change.now)
        write_manifest(change.folder, after)
        _clean(change.folder, after, change.now)

    @contextlib.contextmanager
    def _writing(self, wait: float) -> Iterator[None]:
        """Be the one writer of the store."""
        make_folder(self.path)
        with writing(self.path / "lock", wait=wait):
            owner = self._refuse_newer().get("owner", self._owner)
            if owner != self._owner:
                raise NotAllowed(
                    "The store belongs to a hub, which publishes by its releases alone.",
                    where=str(self.path),
                    remedy="Make a release in the hub, or load into a store of your own.",
                )
            if not (self.path / "store.json").exists():
                with appearing(self.path / "store.json") as file:
                    file.write(json.dumps({"format": FORMAT} | ({"owner": owner} if owner else {})).encode())
            shutil.rmtree(self.path / "spill", ignore_errors=True)
            try:
                yield
            finally:
                shutil.rmtree(self.path / "spill", ignore_errors=True)

    def _refuse_newer(self) -> dict[str, Any]:
        """Read what the store says of itself; what a later version wrote is refused."""
        try:
            plain: dict[str, Any] = json.loads((self.path / "store.json").read_bytes())
        except FileNotFoundError:
            return {}
        except ValueError:
            raise BadData("The store cannot be read.", where=str(self.path / "store.json")) from None
        if plain.get("format", 0) > FORMAT:
            raise BadCall(
                f"The store has format {plain['format']}; this version reads up to {FORMAT}.",
                where=str(self.path),
                remedy="Upgrade statcommons.",
            )
        return plain

    def _folder(self, flow: Ref) -> Path:
        return self.path / "flows" / f"{flow.agency}+{flow.id}+{flow.version}"


def _refuse_names(names: Iterable[str]) -> None:
    if bad := [one for one in names if len(one) > LONGEST_NAME or not NAME.fullmatch(one)]:
        remedy = "Write its agency, id and version with the signs that SDMX knows: letters, digits, _ - @ $."
        causes = [Cause(f"{one[:LONGEST_NAME]!r} names no structure", 0, remedy) for one in dict.fromkeys(bad)]
        raise BadData("The structures cannot be taken in.", causes=causes)


def _clean(folder: Path, manifest: Manifest, now: datetime.datetime) -> None:
    """Delete what dead writers left, and files that were taken out of use long ago."""
    kept = {*manifest.files, *(name for name, since in manifest.retired.items() if now - since <= GRACE), MANIFEST}
    for file in folder.iterdir():
        if file.name not in kept:
            file.unlink(missing_ok=True)


def _times(
    manifest: Manifest, valid_from: datetime.datetime | None, flow: Ref
) -> tuple[datetime.datetime, datetime.datetime]:
    """Give the clock of a writer, and when its change is public: later than all that is public already."""
    now = manifest.now()
    last = max((load.valid_from for load in manifest.visible(now)), default=None)
    if valid_from is None:
        since = max(now, last + STEP) if last else now
        return since, since  # the clock never stands before what is public
    if valid_from < now and not all(load.is_vintage for load in manifest.loads):
        raise BadCall(
            f"It should be public from {valid_from.isoformat()}, which is past; readers have seen the flow since.",
            where=str(flow),
            remedy="Give a later time: what was published is never changed. Vintages come before anything else.",
        )
    if last and valid_from <= last:
        raise BadCall(
            f"It should be public from {valid_from.isoformat()}; the flow was last changed at {last.isoformat()}.",
            where=str(flow),
            remedy="Give a later time: what was published is never changed.",
        )
    return now, valid_from


def _published(change: Change) -> Load:
    """Say when a change that is ready is public: not before now, however long it took to make it."""
    if change.valid_from < change.now:
        return Load(change.number, utc_now(), change.valid_from, is_vintage=True)
    public = max(change.valid_from, change.manifest.now() + MARGIN)
    if any(change.now < one.valid_from <= public for one in change.manifest.loads) and public != change.valid_from:
        raise TryAgain(
            "Another load became public while this one was made.",
            where=str(change.structure.flow),
            remedy="Run it again; nothing was changed.",
        )
    return Load(change.number, utc_now(), public, written=None if public == change.valid_from else change.valid_from)


def _plain(when: datetime.datetime | None) -> datetime.datetime | None:
    """Give a time in UTC without a zone."""
    return when.astimezone(datetime.UTC).replace(tzinfo=None) if when and when.tzinfo else when


def _binds(constraint: Constraint, structure: Structure) -> bool:
    return constraint.role == "allowed" and any(
        one in (structure.flow, structure.definition) for one in constraint.attached
    )


def _mark(file: Path) -> object:
    """Give what changes when a file is replaced; none where there is no file."""
    try:
        stat = file.stat()
    except FileNotFoundError:
        return None
    return stat.st_mtime_ns, stat.st_ino, stat.st_size
