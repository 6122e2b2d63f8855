"""Where the hub keeps what it knows: SQLite in the workspace, or a PostgreSQL server by its address."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from statcommons.core.errors import BadCall

__all__ = ["database"]

WAIT = 20
"""Seconds that one writer of SQLite waits for another."""


def database(address: str | None, home: Path) -> dict[str, Any]:
    """Give Django's settings of a database.

    Parameters
    ----------
    address : str, optional
        ``postgresql://user:password@host:5432/name``; without it, ``hub.sqlite`` in the workspace.
    home : pathlib.Path
        The workspace.

    Raises
    ------
    BadCall
        When the address is of something else.

    Examples
    --------
    >>> database("postgresql://hub@db.stat.example/hub?sslmode=require", Path("w"))["OPTIONS"]
    {'sslmode': 'require'}
    >>> database("mysql://db/hub", Path("w"))
    Traceback (most recent call last):
    statcommons.core.errors.BadCall: The database is at 'mysql://…'. Give postgresql://user@host/name, or nothing ...
    """
    if not address:
        return {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": home / "hub.sqlite",
            "OPTIONS": {
                # A transaction that will write says so when it begins: two that read first would lock each other out.
                "transaction_mode": "IMMEDIATE",
                "timeout": WAIT,
                "init_command": "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;",
            },
        }
    parts = urlsplit(address)
    if parts.scheme not in ("postgresql", "postgres"):
        raise BadCall(  # an address may hold a password: of others, no more than this is said
            f"The database is at '{parts.scheme}://…'.",
            remedy="Give postgresql://user@host/name, or nothing for SQLite in the workspace.",
        )
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.lstrip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": unquote(parts.hostname or ""),
        "PORT": str(parts.port or ""),
        "OPTIONS": dict(parse_qsl(parts.query)),
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
    }
