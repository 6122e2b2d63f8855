"""The store as its users see it: what readers see, and the changes of its one writer at a time."""

from __future__ import annotations

import contextlib
import datetime
import json
import re
import shutil
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from statcommons.core.errors import BadCall, BadData, Cause, NotAllowed, StatCommonsError
from statcommons.core.progress import step
from statcommons.sdmx.message import Action, Header, Rows, acting
from statcommons.sdmx.model import Artefact, Ref, parse_reference
from statcommons.sdmx.reading import TableMapping, read_rows
from statcommons.sdmx.store.change import Change, Loaded
from statcommons.sdmx.store.disk import appearing, make_folder
from statcommons.sdmx.store.loading import OnBadRows, flow_of, load_rows, refuse_faults
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
    write_manifest,
)
from statcommons.sdmx.store.reader import Reader
from statcommons.sdmx.store.rows import connected, extended
from statcommons.sdmx.store.times import in_utc, published, times_of
from statcommons.sdmx.structure import structure_of
from statcommons.sdmx.structures.collection import Artefacts
from statcommons.sdmx.structures.json import keep_structures

if TYPE_CHECKING:
    import duckdb

__all__ = ["Store"]

GRACE = datetime.timedelta(hours=1)
"""How long a file is kept that no manifest names any more: a reader may still be giving an answer from it."""

MANY = 8
"""Files of observations from which on a flow is compacted after a load."""

ENDED = 0.5
"""The share of rows that ended after their file was written from which on too."""

NAME = re.compile(r"[A-Za-z][\w-]*(\.[A-Za-z][\w-]*)*:[\w@$-]+\([\w.+~*-]+\)", re.ASCII)
"""What SDMX lets agencies, ids and versions be; they name folders, so that nothing else may be in them."""

LONGEST_NAME = 200
"""Signs of them together: file systems take names of 255 bytes, and some of fewer."""


class Store(Reader):
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
    >>> from statcommons.sdmx.structure import Component, Structure, artefacts_of
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
        super().__init__(path, memory=memory, threads=threads)
        self._owner = owner

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
            with appearing(self._structures_file) as place:
                place.write_bytes(keep_structures(tuple(merged), header))

    def load(
        self,
        *files: Path | str | bytes,
        flow: Ref | str | None = None,
        action: Action | None = None,
        valid_from: datetime.datetime | None = None,
        mapping: TableMapping | Path | str | None = None,
        on_bad_rows: OnBadRows = "fail",
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
                    rows.setdefault(flow_of(self, one, named), []).append(acting(one, action) if action else one)
            if len(rows) > 1:
                refuse_faults(self, rows, on_bad_rows, valid_from)
            return [
                load_rows(self, one, parts, on_bad_rows=on_bad_rows, valid_from=valid_from, wait=wait)
                for one, parts in rows.items()
            ]

    @contextlib.contextmanager
    def _knowing(self, structures: Iterable[Artefact], wait: float) -> Iterator[None]:
        """Take structures in for a work, and put back what was there when it is refused."""
        file, artefacts = self._structures_file, tuple(structures)
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
                        with appearing(file) as place:
                            place.write_bytes(before)
            raise

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
            When the change is public, in UTC where it has no zone; now by default.
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
                load = published(change)
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
            now, since = times_of(manifest, in_utc(valid_from), flow)
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
            owner = self._description().get("owner", self._owner)
            if owner != self._owner:
                raise NotAllowed(
                    "The store belongs to a hub, which publishes by its releases alone.",
                    where=str(self.path),
                    remedy="Make a release in the hub, or load into a store of your own.",
                )
            if not (self.path / "store.json").exists():
                with appearing(self.path / "store.json") as place:
                    place.write_text(json.dumps({"format": FORMAT} | ({"owner": owner} if owner else {})))
            shutil.rmtree(self.path / "spill", ignore_errors=True)
            try:
                yield
            finally:
                shutil.rmtree(self.path / "spill", ignore_errors=True)


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
