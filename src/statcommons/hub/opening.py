"""Opening a workspace as a hub: Django is told where it is, and an empty one is made ready."""

from __future__ import annotations

import importlib.util
import os
import secrets
from pathlib import Path

from statcommons.core.errors import ExtraMissing, NotAllowed, TryAgain
from statcommons.core.workspace import Workspace
from statcommons.core.workspace import workspace as open_workspace

__all__ = ["opened", "prepared"]


def opened(path: Path | str | None = None) -> Workspace:
    """Open a workspace as a hub, which a process does once.

    Parameters
    ----------
    path : path, optional
        See :func:`statcommons.core.workspace.workspace`.

    Raises
    ------
    ExtraMissing
        When Django is not installed.
    """
    home = open_workspace(path)
    os.environ["STATCOMMONS_WORKSPACE"] = str(home.path)
    os.environ["DJANGO_SETTINGS_MODULE"] = "statcommons.hub.settings"
    _assert_installed()
    import django

    django.setup()
    return home


def prepared(path: Path | str | None = None) -> Workspace:
    """Open a workspace as a hub and bring it to this version: its key, its tables, and the methods that are installed.

    What is there already stays as it is, so that it may be done at each start.

    Parameters
    ----------
    path : path, optional
        See :func:`statcommons.core.workspace.workspace`.

    Raises
    ------
    ExtraMissing
        When Django is not installed.
    NotAllowed
        When the workspace cannot be written.
    TryAgain
        When the database does not answer.
    """
    _assert_installed()
    home = open_workspace(path).created()
    _make_key(home.path / "keys")
    opened(home.path)

    from django.core.management import call_command
    from django.db import OperationalError

    from statcommons.hub.methods.shelf import stock

    try:
        call_command("migrate", verbosity=0, interactive=False)
        stock()
    except OperationalError as error:
        raise TryAgain(
            f"The database does not answer: {str(error).strip()}.", remedy="Start it, or mend its address in settings."
        ) from error
    return home


def _assert_installed() -> None:
    if not importlib.util.find_spec("django"):
        raise ExtraMissing("The hub needs Django, which is not installed.", extra="hub")


def _make_key(folder: Path) -> None:
    """Make the key that signs sessions, once."""
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        descriptor = os.open(folder / "secret", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return
    except OSError as error:
        raise NotAllowed(f"The key cannot be made: {error}.", where=str(folder), remedy="Ask its owner.") from error
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(secrets.token_urlsafe(64))
