"""When what a load brings is public: after all that is public already, and not before the load is done."""

from __future__ import annotations

import datetime

from statcommons.core.errors import BadCall, TryAgain
from statcommons.sdmx.model import Ref
from statcommons.sdmx.store.change import Change
from statcommons.sdmx.store.manifest import Load, Manifest, utc_now

STEP = datetime.timedelta(microseconds=1)

MARGIN = datetime.timedelta(milliseconds=100)
"""How long it may take from reading the clock until the manifest is replaced."""


def times_of(
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


def published(change: Change) -> Load:
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


def in_utc(when: datetime.datetime | None) -> datetime.datetime | None:
    """Give a time in UTC without a zone."""
    return when.astimezone(datetime.UTC).replace(tzinfo=None) if when and when.tzinfo else when
