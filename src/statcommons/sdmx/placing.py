"""Files that appear whole and together, or not at all."""

from __future__ import annotations

import contextlib
import errno
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path

from statcommons.core.errors import NotAllowed, TryAgain

__all__ = ["together"]


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
    except (PermissionError, NotADirectoryError, IsADirectoryError, FileExistsError) as error:
        raise NotAllowed(
            "The file may not be written.", where=str(error.filename or folder), remedy="Choose another folder."
        ) from None
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise TryAgain(
                "There is no space left on the disk.", where=str(folder), remedy="Free some, or choose another folder."
            ) from None
        raise
    finally:
        shutil.rmtree(partial, ignore_errors=True)
        if made and not placed:
            with contextlib.suppress(OSError):
                folder.rmdir()
