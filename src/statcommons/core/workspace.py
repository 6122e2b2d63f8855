"""The workspace: one folder that keeps everything an installation has."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from statcommons.core.errors import BadCall, NotAllowed

__all__ = ["FORMAT", "Workspace", "workspace"]

FORMAT = 1
"""The format of a workspace that this version writes; a newer one is refused."""


@dataclass(frozen=True)
class Workspace:
    """A workspace: where it is, and its settings; ``settings`` is all that ``settings.toml`` says."""

    path: Path
    zone: str = "UTC"
    settings: Mapping[str, Any] = field(default_factory=dict)

    @property
    def runs(self) -> Path:
        """The folder of its runs."""
        return self.path / "runs"

    def created(self) -> Workspace:
        """Make the folder at the first use, with its settings."""
        try:
            self.runs.mkdir(parents=True, exist_ok=True)
            settings = self.path / "settings.toml"
            if not settings.exists():
                settings.write_text(
                    f'format = {FORMAT}\n# Days, weeks and months are counted in this zone.\nzone = "{self.zone}"\n'
                )
        except (PermissionError, NotADirectoryError) as error:
            raise NotAllowed(
                "The workspace cannot be written.", where=str(self.path), remedy="Choose another with --workspace."
            ) from error
        return self


def workspace(path: Path | str | None = None) -> Workspace:
    """Open a workspace: the path given, else ``STATCOMMONS_WORKSPACE``, else ``./workspace``.

    Parameters
    ----------
    path : path, optional
        The folder.

    Raises
    ------
    BadCall
        When its format is newer than ours, or its settings are not TOML.
    NotAllowed
        When it may not be read.

    Examples
    --------
    >>> workspace("/nowhere").zone
    'UTC'
    """
    folder = Path(path or os.environ.get("STATCOMMONS_WORKSPACE") or "workspace")
    settings = folder / "settings.toml"
    try:
        if not settings.is_file():
            return Workspace(folder)
        given = tomllib.loads(settings.read_text(encoding="utf-8"))
    except PermissionError:
        raise NotAllowed(
            "The workspace may not be read.", where=str(folder), remedy="Choose another, or ask its owner."
        ) from None
    except tomllib.TOMLDecodeError as error:
        raise BadCall(f"The settings cannot be read: {error}.", where=str(settings)) from None
    if given.get("format", FORMAT) > FORMAT:
        raise BadCall(
            f"The workspace has format {given['format']}; this version reads up to {FORMAT}.",
            where=str(folder),
            remedy="Upgrade statcommons.",
        )
    zone = given.get("zone", "UTC")
    from zoneinfo import ZoneInfo

    try:
        ZoneInfo(zone)
    except (KeyError, ValueError):
        raise BadCall(
            f"The zone is {zone!r}.", where=str(settings), remedy="Give an IANA zone, such as Africa/Kigali."
        ) from None
    return Workspace(folder, zone, given)
