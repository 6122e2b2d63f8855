"""Fetching a file that a user asked for: in constant memory, verified by digest, whole or not at all."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import IO
from urllib.error import HTTPError
from urllib.request import urlopen

from statcommons.core.errors import BadCall, BadData, NoInput, TryAgain
from statcommons.core.progress import step

__all__ = ["fetched"]

TIMEOUT = 60  # seconds without an answer


def fetched(url: str, folder: Path, *, sha256: str | None = None, limit: int = 1 << 36) -> Path:
    """Fetch a file that a user asked for and verify it by digest.

    Parameters
    ----------
    url : str
        Where it is: HTTP, or any file system that fsspec knows.
    folder : pathlib.Path
        Where it shall lie.
    sha256 : str, optional
        The digest that it must have.
    limit : int
        The most bytes that are read.

    Returns
    -------
    pathlib.Path
        The file, named as the address ends.

    Raises
    ------
    NoInput
        When there is nothing at the address.
    TryAgain
        When the address does not answer.
    BadData
        When the file is too large or has another digest; nothing is kept then.
    BadCall
        When no installed file system knows the address.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     sales = Path(folder) / "sales.csv"
    ...     _ = sales.write_text("price")
    ...     fetched(sales.as_uri(), Path(folder) / "here").name
    'sales.csv'
    """
    folder.mkdir(parents=True, exist_ok=True)
    name = url.split("?")[0].rstrip("/").rsplit("/", 1)[-1] or "download"
    digest, size = hashlib.sha256(), 0
    partial = folder / f".{name}.partial"
    try:
        with _opened(url) as source, partial.open("wb") as sink, step(f"Fetch {name}", unit="bytes") as progress:
            while block := source.read(1 << 20):
                size += len(block)
                if size > limit:
                    raise BadData(f"The file is larger than {limit:,} bytes.", where=url, remedy="Nothing was kept.")
                digest.update(block)
                sink.write(block)
                progress.advance(len(block))
        if sha256 and digest.hexdigest() != sha256:
            raise BadData(
                f"The file has the digest {digest.hexdigest()}, not {sha256}.",
                where=url,
                remedy="It changed since it was described here; nothing was kept.",
            )
        return partial.rename(folder / name)
    except (ImportError, ValueError) as error:
        raise BadCall(
            f"The address cannot be opened: {error}.", where=url, remedy="Install the file system it names."
        ) from None
    except FileNotFoundError:
        raise NoInput("There is nothing at the address.", where=url, remedy="Check the address.") from None
    except OSError as error:
        if isinstance(error, HTTPError):
            error.close()
            if error.code in (404, 410):
                raise NoInput("There is nothing at the address.", where=url, remedy="Check the address.") from None
        raise TryAgain(f"The address did not answer: {error}.", where=url, remedy="Try again later.") from None
    finally:
        partial.unlink(missing_ok=True)


def _opened(url: str) -> IO[bytes]:
    if url.startswith(("http://", "https://")):
        opened: IO[bytes] = urlopen(url, timeout=TIMEOUT)  # noqa: S310  the scheme is one of two
        return opened
    import fsspec

    other: IO[bytes] = fsspec.open(url, "rb").open()
    return other
