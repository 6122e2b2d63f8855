"""Files that are whole and safe on the disk before anything points to them.

A power cut or ``kill -9`` between any two lines here leaves either no file of the name or the whole one: a file is
written beside its place under a hidden name, forced to the disk, renamed, and then its folder is forced to the disk.
"""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from statcommons.core.errors import NotAllowed, TryAgain

__all__ = ["appearing"]


@contextlib.contextmanager
def appearing(path: Path) -> Iterator[BinaryIO]:
    """Open a file to write that appears under its name when all of it is safe on the disk, or not at all.

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

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with appearing(Path(folder) / "a.txt") as file:
    ...         _ = file.write(b"whole")
    ...     [(one.name, one.read_text()) for one in Path(folder).iterdir()]
    [('a.txt', 'whole')]
    """
    partial = path.with_name(f".{path.name}.{secrets.token_hex(4)}.unfinished")
    try:
        with partial.open("xb", buffering=1 << 20) as file:
            yield _written(file)
            file.flush()
            _force(file.fileno())
        _rename(partial, path)
        _force_folder(path.parent)
    except OSError as error:
        raise _told(error, path) from error
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
                _force_folder(folder.parent)
    except OSError as error:
        raise _told(error, path) from error


# --- the calls after which a crash leaves something else ------------------------------------------------------------


def _written(file: BinaryIO) -> BinaryIO:
    return file


def _force(descriptor: int) -> None:
    os.fsync(descriptor)


def _rename(partial: Path, path: Path) -> None:
    partial.replace(path)


def _force_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        _force(descriptor)
    finally:
        os.close(descriptor)


def _told(error: OSError, path: Path) -> Exception:
    """Say what a user can do about an error of the file system."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return TryAgain(
            "There is no space left on the disk.", where=str(path), remedy="Free some; nothing was changed."
        )
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.EEXIST, errno.EISDIR):
        return NotAllowed(
            "The store may not be written.", where=str(path), remedy="Choose another folder, or ask its owner."
        )
    return error
