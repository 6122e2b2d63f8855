"""Files that appear whole and together, or not at all."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path

from statcommons.core.errors import NotAllowed, StatCommonsError, TryAgain

__all__ = ["CLOSED", "FULL", "together", "told"]

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
"""Errors of the system that say that there is no room."""

CLOSED = (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.EEXIST, errno.EISDIR)
"""Errors of the system that say that nothing may be written there."""


@contextlib.contextmanager
def together(folder: Path) -> Iterator[Path]:
    """Give a hidden folder to write files in; when all went well they move to their folder, else nothing is left.

    A file of the same name is replaced. A folder that was made for the files goes again when they do not come to be.

    Parameters
    ----------
    folder : pathlib.Path
        Where the files will stand; it is made when it is not there.

    Raises
    ------
    NotAllowed
        When the folder may not be written.
    TryAgain
        When the disk is full.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as parent:
    ...     with together(Path(parent) / "new") as partial:
    ...         _ = (partial / "a.txt").write_text("whole")
    ...     [file.name for file in (Path(parent) / "new").iterdir()]
    ['a.txt']
    """
    partial = folder / f".{secrets.token_hex(4)}.partial"
    made = not folder.exists()
    placed = False
    try:
        folder.mkdir(parents=True, exist_ok=True)
        partial.mkdir()
        yield partial
        for file in sorted(partial.iterdir()):
            file.replace(folder / file.name)
        placed = True
    except OSError as error:
        if error.filename:
            error.filename = _given(error.filename, partial, folder)
        raise told(error, "file", error.filename or folder) from None
    except StatCommonsError as error:  # of a file that is written whole in itself
        error.where = error.where and _given(error.where, partial, folder)
        raise
    finally:
        shutil.rmtree(partial, ignore_errors=True)
        if made and not placed:
            with contextlib.suppress(OSError):
                folder.rmdir()


def _given(place: str | bytes, partial: Path, folder: Path) -> str:
    """Give a place as the user named it, who knows of no hidden folder."""
    path = Path(os.fsdecode(place))
    return str(folder / path.relative_to(partial)) if path.is_relative_to(partial) else os.fsdecode(place)


def told(error: OSError, what: str, where: Path | str) -> Exception:
    """Say what a user can do about an error of the file system; one that users cannot mend stays as it is.

    Parameters
    ----------
    error : OSError
        What the system says.
    what : str
        What was to be written, such as ``file`` or ``store``.
    where : path
        Its place.

    Examples
    --------
    >>> print(told(PermissionError(errno.EACCES, "Permission denied"), "file", "a.csv"))
    a.csv: The file may not be written. Choose another folder, or ask its owner.
    """
    if error.errno in FULL:
        remedy = "Free some, or choose another folder; nothing was changed."
        return TryAgain("There is no space left on the disk.", where=str(where), remedy=remedy)
    if error.errno in CLOSED:
        remedy = "Choose another folder, or ask its owner."
        return NotAllowed(f"The {what} may not be written.", where=str(where), remedy=remedy)
    return error
