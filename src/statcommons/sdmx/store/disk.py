"""Files that are whole and safe on the disk before anything points to them.

A power cut or ``kill -9`` between any two lines here leaves either no file of the name or the whole one: a file is
written beside its place under a hidden name, forced to the disk, renamed, and then its folder is forced to the disk.
"""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Iterator
from pathlib import Path

from statcommons.sdmx.placing import CLOSED, FULL, told

__all__ = ["appearing"]


@contextlib.contextmanager
def appearing(path: Path) -> Iterator[Path]:
    """Give a place for a file that appears under its name when all of it is safe on the disk, or not at all.

    Parameters
    ----------
    path : pathlib.Path
        Where it will stand; a file of the name is replaced.

    Raises
    ------
    NotAllowed
        When the folder may not be written.
    TryAgain
        When the disk is full.

    Yields
    ------
    pathlib.Path
        Where to write it.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with appearing(Path(folder) / "a.txt") as place:
    ...         _ = place.write_text("whole")
    ...     [(one.name, one.read_text()) for one in Path(folder).iterdir()]
    [('a.txt', 'whole')]
    """
    partial = path.with_name(f".{path.name}.{secrets.token_hex(4)}.unfinished")
    try:
        yield partial
        _written(partial)
        _force(partial)
        _rename(partial, path)
        _force(path.parent)
    except OSError as error:
        raise told(error, "store", path) from error
    finally:
        with contextlib.suppress(OSError):
            partial.unlink(missing_ok=True)


def make_folder(path: Path) -> None:
    """Make a folder, and those above it, so that a power cut does not lose it.

    Parameters
    ----------
    path : pathlib.Path
        The folder; nothing happens when it is there.

    Raises
    ------
    NotAllowed, TryAgain
        When it cannot be made.
    """
    try:
        for folder in (*reversed(path.parents), path):
            if not folder.is_dir():
                folder.mkdir(exist_ok=True)
                _force(folder.parent)
    except OSError as error:
        raise told(error, "store", path) from error


# --- the calls after which a crash leaves something else ------------------------------------------------------------


def _written(partial: Path) -> None:
    """Do nothing: a file that is not renamed is none, however much of it there is."""


def _force(place: Path) -> None:
    descriptor = os.open(place, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _rename(partial: Path, path: Path) -> None:
    partial.replace(path)


def system_error(text: str) -> OSError | None:
    """Find the error of the system that an engine tells of in words.

    Parameters
    ----------
    text : str
        What the engine says.

    Examples
    --------
    >>> import errno
    >>> system_error("IO Error: Could not write file: No space left on device").errno == errno.ENOSPC
    True
    """
    return next((OSError(one, os.strerror(one)) for one in (*FULL, *CLOSED) if os.strerror(one) in text), None)
