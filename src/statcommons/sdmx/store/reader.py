"""A store as its readers see it: structures, what a flow said at a moment, answers to queries; no lock, no waiting."""

from __future__ import annotations

import copy
import datetime
import json
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from statcommons.core.errors import BadCall, BadData, NoInput, nearest
from statcommons.sdmx.formats.table import flat
from statcommons.sdmx.model import Ref, parse_reference
from statcommons.sdmx.query.components import component_filter
from statcommons.sdmx.query.data import Availability, DataQuery, Facts, Mode
from statcommons.sdmx.query.keys import parse_keys
from statcommons.sdmx.store.available import availability
from statcommons.sdmx.store.flow import FlowState
from statcommons.sdmx.store.manifest import FORMAT, MANIFEST, Manifest, new_manifest, read_manifest
from statcommons.sdmx.store.select import Selection
from statcommons.sdmx.store.times import in_utc
from statcommons.sdmx.structure import Structure, structure_of
from statcommons.sdmx.structures.collection import Artefacts
from statcommons.sdmx.structures.json import read_structures_json
from statcommons.toolbox.sdmx_periods import time_period

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

__all__ = ["Reader"]

KEPT = 8
"""States of flows that a process keeps in memory."""

OFTEN, HOT = 3, 2_000_000
"""Questions after which the observations of a state are brought into memory, and rows of its files up to which."""


class Reader:
    """A folder of flows for those who read it; opening it reads nothing.

    Parameters
    ----------
    path : path
        The folder.
    memory : str
        What the engine may hold at a time.
    threads : int, optional
        Its threads.
    """

    def __init__(self, path: Path | str, *, memory: str = "1GB", threads: int | None = None) -> None:
        self.path = Path(path)
        self._memory, self._threads = memory, threads
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
        return int(self._description().get("format", FORMAT))

    # --- structures -------------------------------------------------------------------------------------------------

    @property
    def artefacts(self) -> Artefacts:
        """All structures of the store."""
        file = self._structures_file
        mark = _mark(file)
        with self._guard:
            if mark != self._artefacts[0]:
                self._description()
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

    def structure_facts(self) -> Facts:
        """Give what a reader may keep of answers about structures; all of them come and change as one file."""
        try:
            stat = self._structures_file.stat()
        except FileNotFoundError:
            return Facts("none", None, None)
        modified = datetime.datetime.fromtimestamp(stat.st_mtime, datetime.UTC).replace(tzinfo=None)
        return Facts(f"{stat.st_mtime_ns}-{stat.st_size}-{stat.st_ino}", modified, None)

    # --- data -------------------------------------------------------------------------------------------------------

    def now(self, flow: Ref) -> datetime.datetime:
        """Give the clock of a flow: that of the machine, but never before something that was published."""
        return self.manifest(flow).now()

    def facts(self, flow: Ref) -> Facts:
        """Give what a reader may keep of answers about a flow.

        Parameters
        ----------
        flow : Ref
            The dataflow.
        """
        manifest = self.manifest(flow)
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
        manifest = self.manifest(flow)
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

    def as_of(self, moment: datetime.datetime) -> Self:
        """Give the store as its readers saw it at a moment; later than now is now.

        Parameters
        ----------
        moment : datetime
            In UTC where it has no zone.
        """
        past = copy.copy(self)
        past._moment = in_utc(moment)
        return past

    def _state(self, flow: Ref, as_of: datetime.datetime | None) -> FlowState:
        """Give what a flow says at a moment, from memory where that is what it said before."""
        structure, manifest = self.structure(flow), self.manifest(flow)
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

    def manifest(self, flow: Ref) -> Manifest:
        """Give what a flow consists of; an empty one where it has no data yet."""
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

    # --- the folder -------------------------------------------------------------------------------------------------

    def _description(self) -> dict[str, Any]:
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

    @property
    def _structures_file(self) -> Path:
        return self.path / "structures.json"

    def _folder(self, flow: Ref) -> Path:
        return self.path / "flows" / f"{flow.agency}+{flow.id}+{flow.version}"


def _mark(file: Path) -> object:
    """Give what changes when a file is replaced; none where there is no file."""
    try:
        stat = file.stat()
    except FileNotFoundError:
        return None
    return stat.st_mtime_ns, stat.st_ino, stat.st_size
