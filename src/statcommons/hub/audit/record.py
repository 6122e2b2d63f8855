"""Writing into the record, and finding out whether all of it stands as it was written.

An entry holds the digest of the one before, so that whoever changes, drops, adds or moves one has to change all that
come after it. The digest of the last can be kept elsewhere: on paper, or with another office.
"""

from __future__ import annotations

import datetime
import hashlib
import json
from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.db import transaction
from django.utils import timezone

from statcommons.core.errors import BadData
from statcommons.hub.audit.models import Entry, Head
from statcommons.hub.people.models import Person

__all__ = ["assert_whole", "record"]


def record(what: str, about: str, *, who: Person | AnonymousUser | str | None = None, **facts: Any) -> Entry:
    """Write an entry, in the transaction of what it tells of: both happen or neither.

    Parameters
    ----------
    what : str
        What was done, such as ``job.submitted``.
    about : str
        What it was done to, such as ``job:3f2a…``.
    who : Person or str, optional
        Who did it; the hub itself where nobody did.
    **facts
        What else is worth knowing; no secret, and nothing that has to be forgotten on demand.
    """
    with transaction.atomic():
        Head.objects.get_or_create(pk=1)
        head = Head.objects.select_for_update().get(pk=1)
        entry = Entry(
            number=head.number + 1,
            at=timezone.now(),
            who=_named(who),
            what=what,
            about=about,
            facts=facts,
            before=head.digest,
        )
        entry.digest = _digest(entry)
        entry.save(force_insert=True)
        Head.objects.filter(pk=1).update(number=entry.number, digest=entry.digest)
    return entry


def assert_whole() -> tuple[int, str]:
    """Go through the record; gives how many entries it has and the digest of the last.

    Raises
    ------
    BadData
        When an entry is not what was written, naming the first.
    """
    number, digest = 0, ""
    for entry in Entry.objects.order_by("number").iterator(chunk_size=1_000):
        if entry.number != number + 1:
            raise _broken(number + 1, "is missing")
        if entry.before != digest or entry.digest != _digest(entry):
            raise _broken(entry.number, "is not what was written")
        number, digest = entry.number, entry.digest
    head = Head.objects.filter(pk=1).first() or Head()
    if (head.number, head.digest) != (number, digest):
        raise _broken(number + 1, "is missing") if head.number > number else _broken(number, "was not written by us")
    return number, digest


def _named(who: Person | AnonymousUser | str | None) -> str:
    if isinstance(who, Person):
        return f"person:{who.pk}"
    return who if isinstance(who, str) else "hub"


def _digest(entry: Entry) -> str:
    told = [
        entry.number,
        entry.at.astimezone(datetime.UTC).isoformat(),
        entry.who,
        entry.what,
        entry.about,
        entry.facts,
        entry.before,
    ]
    text = json.dumps(told, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def _broken(number: int, how: str) -> BadData:
    return BadData(
        f"The entry {number:,} {how}.",
        where="record",
        remedy="Restore the database from a backup that is whole, and find out who may write to it.",
    )
