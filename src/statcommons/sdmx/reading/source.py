"""What is read: a file, or bytes that came by another way, always as a file on disk whose form its content tells."""

from __future__ import annotations

import contextlib
import gzip
import tempfile
import weakref
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from statcommons.core.errors import BadData, NoInput, NotAllowed, StatCommonsError, TryAgain

__all__ = ["Source", "source_of"]

BLOCK = 1 << 20
HEAD = 1 << 12

LARGEST = 64 << 30
"""Bytes that a compressed file may unfold to: more is no data message but an attack."""

ZIP, GZIP, PARQUET = b"PK\x03\x04", b"\x1f\x8b", b"PAR1"
MARKS = {b"\xef\xbb\xbf": "utf-8", b"\xff\xfe": "utf-16-le", b"\xfe\xff": "utf-16-be"}


@dataclass(frozen=True)
class Source:
    """A file to read.

    Parameters
    ----------
    path : pathlib.Path
        Where its bytes are.
    name : str
        What errors call it.
    keep : object
        Holds a temporary file as long as somebody reads from it.
    """

    path: Path
    name: str
    keep: Any = field(default=None, repr=False, compare=False)

    def head(self) -> bytes:
        """Give the first bytes."""
        with self.path.open("rb") as file:
            return file.read(HEAD)

    def start(self) -> str:
        """Give the first characters as text, without a byte order mark and blanks; what cannot be read is ``�``."""
        head = self.head()
        encoding = next((name for mark, name in MARKS.items() if head.startswith(mark)), "utf-8")
        return head.decode(encoding, errors="replace").lstrip("\ufeff \t\r\n")

    def rewritten(self, blocks: Iterable[bytes]) -> Source:
        """Give a temporary copy with other bytes under the same name; it goes when nobody reads from it any more."""
        try:
            with tempfile.NamedTemporaryFile(prefix="statcommons-", suffix=".tmp", delete=False) as file:
                path = Path(file.name)
                keep = _Kept(path)
                for block in blocks:
                    file.write(block)
        except OSError as error:
            what = f"A temporary copy cannot be written: {error.strerror}."
            raise TryAgain(what, where=self.name, remedy="Make room in the folder of temporary files.") from None
        return replace(self, path=path, keep=keep)


class _Kept:
    """Removes a temporary file when it is the last to be let go."""

    def __init__(self, path: Path) -> None:
        weakref.finalize(self, path.unlink, missing_ok=True)


def source_of(given: Path | str | bytes, name: str = "") -> Source:
    """Make a source of what a caller gives; gzip is unfolded.

    Parameters
    ----------
    given : path or bytes
        The file, or its content.
    name : str
        What errors call it; the name of the file by default.

    Raises
    ------
    NoInput, NotAllowed
        When there is no such file, or it cannot be opened.
    BadData
        When it is empty or a broken gzip file.

    Examples
    --------
    >>> source_of(b"STRUCTURE,STRUCTURE_ID").start()
    'STRUCTURE,STRUCTURE_ID'
    """
    if isinstance(given, bytes):
        source = Source(Path(), name or "(bytes)").rewritten([given])
    else:
        source = Source(Path(given), name or Path(given).name)
    try:
        head = source.head()
    except PermissionError as error:
        raise NotAllowed(
            "The file cannot be opened.", where=str(given), remedy="Ask for the right to read it."
        ) from error
    except OSError as error:
        raise NoInput("There is no such file.", where=str(given), remedy="Check the path.") from error
    if head.startswith(GZIP):
        source = source.rewritten(_unfolded(source))
    if not source.start():
        raise BadData("The file is empty.", where=source.name, remedy="Give a file with at least one observation.")
    return source


def _unfolded(source: Source) -> Iterator[bytes]:
    """Unfold gzip, up to a limit."""
    size = 0
    try:
        with gzip.open(source.path, "rb") as file:
            while block := file.read(BLOCK):
                size += len(block)
                if size > LARGEST:
                    raise BadData("The file unfolds without end.", where=source.name, remedy="Give it uncompressed.")
                yield block
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise BadData(f"The file is broken: {error}.", where=source.name, remedy="Get it again.") from None


@contextlib.contextmanager
def named(source: Source) -> Iterator[None]:
    """Let errors of those who know only the file on disk call it by the name that the caller gave."""
    try:
        yield
    except StatCommonsError as error:
        error.where = error.where.replace(source.path.name, source.name)
        if isinstance(error, BadData):
            error.causes = tuple(
                replace(one, where=one.where.replace(source.path.name, source.name)) for one in error.causes
            )
        raise
