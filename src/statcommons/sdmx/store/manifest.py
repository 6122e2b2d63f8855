"""The manifest of a flow: the one small file that says which files hold its observations.

Files of observations never change. A writer adds files and then replaces the manifest, which is the moment at which
its work happens; a reader reads the manifest once and then only files that it names.
"""

from __future__ import annotations

import datetime
import hashlib
import json
import secrets
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from statcommons.core.errors import BadCall, BadData
from statcommons.sdmx.store.disk import appearing

__all__ = ["FORMAT", "Load", "Manifest", "Segment"]

FORMAT = 1
"""The format of a store that this version writes; a newer one is refused."""

MANIFEST = "manifest.json"


class BrokenStore(BadData):
    """A store whose files are missing or damaged: not the fault of who asks."""

    status = 500


@dataclass(frozen=True)
class Segment:
    """A file of observations, and the file that says which of them ended after it was written.

    ``rows`` and ``ends`` count what they hold.
    """

    file: str
    rows: int
    ends_file: str = ""
    ends: int = 0


@dataclass(frozen=True)
class Load:
    """One load: when it was made, and when what it brings is public.

    ``is_vintage`` says that it was public elsewhere before it came here, at a time of its own. ``written`` is the time
    that its rows have in the files, where that is not ``valid_from``: a load takes a while, and what it brings is
    public when it is done, so that nobody who looked meanwhile misses it.
    """

    number: int
    made: datetime.datetime
    valid_from: datetime.datetime
    is_vintage: bool = False
    written: datetime.datetime | None = None

    @property
    def stamp(self) -> datetime.datetime:
        """The time that its rows have in the files."""
        return self.written or self.valid_from


@dataclass(frozen=True)
class Manifest:
    """What a flow consists of.

    Parameters
    ----------
    id : str
        Names this flow of this store for ever.
    clock : datetime
        The latest moment that a writer saw. The clock of a reader never shows less, so that what was published stays so
        when the clock of the machine is set back.
    dimensions : tuple of str
        The dimensions of the series, in order.
    columns : tuple of str
        The measures and attributes that there ever were, in the order of their bits in ``_given``.
    segments : tuple of Segment
        The files of observations.
    series_file : str
        The file of the series and their numbers; empty before the first load.
    loads : tuple of Load
        All loads but those withdrawn, in the order in which they were made.
    next_number : int
        The number that the next load or file gets; numbers are never used again.
    retired : mapping of str to datetime
        Files that no manifest names any more and since when; they are deleted when no reader can need them.
    """

    id: str
    clock: datetime.datetime
    dimensions: tuple[str, ...]
    columns: tuple[str, ...] = ()
    segments: tuple[Segment, ...] = ()
    series_file: str = ""
    loads: tuple[Load, ...] = ()
    next_number: int = 1
    retired: dict[str, datetime.datetime] = field(default_factory=dict)

    @property
    def files(self) -> set[str]:
        """The names of the files that it consists of."""
        return {self.series_file, *(name for one in self.segments for name in (one.file, one.ends_file))} - {""}

    def now(self, clock: datetime.datetime | None = None) -> datetime.datetime:
        """Give the time for readers and writers of this flow: that of the machine, but never before a write."""
        return max(self.clock, clock or utc_now())

    def visible(self, now: datetime.datetime) -> tuple[Load, ...]:
        """Give the loads that are public at a moment."""
        return tuple(load for load in self.loads if load.valid_from <= now)

    def version(self, now: datetime.datetime) -> str:
        """Give a text that changes when, and only when, what is public changes."""
        seen = [self.id, *(f"{one.number} {one.valid_from.isoformat()}" for one in self.visible(now))]
        return hashlib.sha256("\n".join(seen).encode()).hexdigest()[:20]

    def next_change(self, now: datetime.datetime) -> datetime.datetime | None:
        """Give the moment at which something that is there already becomes public, if there is one."""
        return min((load.valid_from for load in self.loads if load.valid_from > now), default=None)


def utc_now() -> datetime.datetime:
    """Give the time of the machine, in UTC without a zone, as all times of a store are."""
    return datetime.datetime.now(datetime.UTC).replace(tzinfo=None)


def read_manifest(path: Path) -> Manifest | None:
    """Read the manifest of a flow; none where the flow has none yet.

    Parameters
    ----------
    path : pathlib.Path
        The folder of the flow.

    Raises
    ------
    BadCall
        When its format is newer than ours.
    BadData
        When it cannot be read.
    """
    file = path / MANIFEST
    try:
        plain = json.loads(file.read_bytes())
        if plain["format"] > FORMAT:
            raise BadCall(
                f"The flow has format {plain['format']}; this version reads up to {FORMAT}.",
                where=str(path),
                remedy="Upgrade statcommons.",
            )
        return _manifest(plain)
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError) as error:
        raise BrokenStore(
            f"The manifest cannot be read ({error}).", where=str(file), remedy="Restore the store from a backup."
        ) from None


def write_manifest(path: Path, manifest: Manifest) -> None:
    """Replace the manifest of a flow: the moment at which a writer's work happens.

    Parameters
    ----------
    path : pathlib.Path
        The folder of the flow.
    manifest : Manifest
        What the flow consists of from now on.
    """
    plain = {"format": FORMAT} | asdict(manifest)
    with appearing(path / MANIFEST) as place:
        place.write_text(json.dumps(plain, indent=1, default=datetime.datetime.isoformat))


def new_manifest(dimensions: tuple[str, ...]) -> Manifest:
    """Begin a flow that has no observations yet."""
    return Manifest(secrets.token_hex(8), utc_now(), dimensions)


def _manifest(plain: dict[str, Any]) -> Manifest:
    time = datetime.datetime.fromisoformat
    loads = (
        Load(
            one["number"],
            time(one["made"]),
            time(one["valid_from"]),
            one.get("is_vintage", False),
            time(one["written"]) if one.get("written") else None,
        )
        for one in plain["loads"]
    )
    return Manifest(
        plain["id"],
        time(plain["clock"]),
        tuple(plain["dimensions"]),
        tuple(plain["columns"]),
        tuple(Segment(**one) for one in plain["segments"]),
        plain["series_file"],
        tuple(loads),
        plain["next_number"],
        {name: time(since) for name, since in plain["retired"].items()},
    )


def retire(manifest: Manifest, files: set[str], now: datetime.datetime) -> Manifest:
    """Take files out of use, and keep them until no reader can need them."""
    return replace(manifest, retired=manifest.retired | {name: now for name in files if name})
