"""Tokens: how a program acts for a person, for a while and for some things only."""

from __future__ import annotations

import datetime
import hashlib
import secrets
from collections.abc import Sequence

from django.db import transaction
from django.utils import timezone

from statcommons.core.errors import BadCall, NoInput
from statcommons.hub.audit.record import record
from statcommons.hub.people.models import Person, Token

__all__ = ["SCOPES", "bearer", "issue", "revoke"]

SCOPES = ("run", "read")
"""What a token may be good for: to run methods, and to read what its person may read."""

LONGEST = 366
"""Days after which no token is good any more."""

PREFIX = "sc_"
"""How a token begins, so that a search for secrets finds those that got lost."""

SELDOM = datetime.timedelta(hours=1)


def issue(person: Person, name: str, scopes: Sequence[str], days: int) -> tuple[Token, str]:
    """Make a token; gives it and its text, which is not kept and is shown once.

    Parameters
    ----------
    person : Person
        For whom it acts.
    name : str
        What it is for.
    scopes : sequence of str
        What it is good for.
    days : int
        How many days it is good.

    Raises
    ------
    BadCall
        When it has no name, or is good for something unknown or for too long.
    """
    if not name.strip():
        raise BadCall("The token has no name.", remedy="Say what it is for, such as the program that uses it.")
    if not scopes or set(scopes) - set(SCOPES):
        good = ", ".join(scopes) or "nothing"
        raise BadCall(f"The token would be good for {good}.", remedy=f"Give {' or '.join(SCOPES)}.")
    if not 1 <= days <= LONGEST:
        raise BadCall(f"The token would be good for {days} days.", remedy=f"Give a whole number from 1 to {LONGEST}.")
    text = PREFIX + secrets.token_urlsafe(32)
    with transaction.atomic():
        token = Token.objects.create(
            person=person,
            name=name.strip()[:100],
            digest=_digest(text),
            scopes=list(scopes),
            expires=timezone.now() + datetime.timedelta(days=days),
        )
        record("token.issued", f"token:{token.pk}", who=person, scopes=list(scopes), days=days)
    return token, text


def bearer(text: str) -> Token | None:
    """Find the token of a text, where it is still good and its person may still sign in.

    Parameters
    ----------
    text : str
        What a program showed.
    """
    now = timezone.now()
    found = Token.objects.select_related("person").filter(digest=_digest(text), expires__gt=now).first()
    if found is None or not found.person.is_active:
        return None
    if found.used is None or now - found.used > SELDOM:
        Token.objects.filter(pk=found.pk).update(used=now)
    return found


def revoke(person: Person, id: int) -> None:
    """Take a token back; it is good for nothing from now on.

    Parameters
    ----------
    person : Person
        Whose it is.
    id : int
        The token.

    Raises
    ------
    NoInput
        When the person has no such token.
    """
    with transaction.atomic():
        gone, _ = Token.objects.filter(pk=id, person=person).delete()
        if not gone:
            raise NoInput("There is no such token.", where=str(id), remedy="Look at the list of your tokens.")
        record("token.revoked", f"token:{id}", who=person)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
