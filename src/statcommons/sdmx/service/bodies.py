"""Bodies: what comes in a form, and what goes out, begun before the head is sent and compressed on the way."""

from __future__ import annotations

import email.parser
import email.policy
import itertools
import zlib
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeAlias
from urllib.parse import quote

import zstandard

from statcommons.core.errors import BadCall
from statcommons.sdmx.service.exchange import Refusal, Request

__all__ = ["Body", "read_form"]

LARGEST = 1 << 20
"""The bytes that a form may have; the longest keys that were seen have a tenth of that."""

THREADS = ThreadPoolExecutor(thread_name_prefix="compress")
"""The threads that compress; zlib and zstandard leave Python to others meanwhile."""

Packing: TypeAlias = tuple[Callable[[bytes], bytes], Callable[[], bytes], Callable[[], bytes]]
"""How a body is compressed: piece by piece, all that came so far, and to its end."""

FORM, PARTS = "application/x-www-form-urlencoded", "multipart/form-data"


def read_form(request: Request) -> str:
    """Read the form that comes with a request, as it would stand in an address.

    A plus sign stays one, as in the address: no key has a space.

    Parameters
    ----------
    request : Request
        The request.

    Raises
    ------
    BadCall
        When it cannot be read.
    Refusal
        When it is too large (413) or no form (415).

    Examples
    --------
    >>> import io
    >>> read_form(Request("", headers={"content-type": FORM}, read=io.BytesIO(b"key=A.B+C").read))
    'key=A.B+C'
    """
    kind = request.headers.get("content-type", FORM)
    media = kind.partition(";")[0].strip().lower()
    if media not in (FORM, PARTS):
        raise Refusal(415, f"A body of {media!r} cannot be read.", where="Content-Type", remedy=f"Send {FORM}.")
    length = request.headers.get("content-length", "")
    too_large = length.isdecimal() and int(length[:18]) > LARGEST
    body = b"" if too_large else request.read(LARGEST + 1)
    if too_large or len(body) > LARGEST:
        raise Refusal(413, f"The body has more than {LARGEST:,} bytes.", where="body", remedy="Ask for less at once.")
    try:
        return _parts(kind, body) if media == PARTS else body.decode("utf-8").strip()
    except (UnicodeDecodeError, LookupError):
        raise BadCall("The body is not UTF-8.", where="body", remedy="Encode it as UTF-8.") from None


def _parts(kind: str, body: bytes) -> str:
    """Read a form of several parts, as browsers' FormData writes it."""
    head = b"Content-Type: " + kind.encode("latin-1", "replace").replace(b"\r", b"").replace(b"\n", b"") + b"\r\n\r\n"
    message = email.parser.BytesParser(policy=email.policy.HTTP).parsebytes(head + body)
    pairs = []
    for part in message.iter_parts() if message.is_multipart() else ():
        name = part.get_param("name", header="content-disposition")
        content = part.get_payload(decode=True)
        if not isinstance(name, str) or not isinstance(content, bytes):
            raise BadCall("A part of the form has no name.", where="body", remedy="Name each part.")
        pairs.append(f"{quote(name)}={quote(content.decode('utf-8').strip())}")
    if not pairs:
        raise BadCall("The form has no part.", where="body", remedy=f"Send key=… as {FORM}.")
    return "&".join(pairs)


class Body:
    """A body that is written while it is sent; its first bytes are made at once, so that what is refused shows early.

    Parameters
    ----------
    pieces : iterator of bytes
        What is written.
    encoding : str
        How it is compressed; empty for not at all.
    """

    def __init__(self, pieces: Iterable[bytes], encoding: str = "") -> None:
        self._source = iter(pieces)
        first = list(itertools.islice(self._source, 1))
        whole = itertools.chain(first, self._source)
        self._pieces = _compressed(whole, encoding) if encoding else whole

    def __iter__(self) -> Iterator[bytes]:
        return self._pieces

    def close(self) -> None:
        """Let go of what the writer holds."""
        close = getattr(self._source, "close", None)
        if close:
            close()


def _compressed(pieces: Iterable[bytes], encoding: str) -> Iterator[bytes]:
    """Compress each piece while the next one is written; the first is sent whole, so that an answer begins at once."""
    compress, flush, finish = _gzip() if encoding == "gzip" else _zstd()
    source = iter(pieces)
    yield compress(next(source, b"")) + flush()
    waiting: Future[bytes] | None = None
    for piece in source:
        if waiting and (packed := waiting.result()):
            yield packed
        waiting = THREADS.submit(compress, piece)
    yield (waiting.result() if waiting else b"") + finish()


def _gzip() -> Packing:
    # Fast rather than well: on the way it is compressing that takes the time, not writing.
    packing = zlib.compressobj(1, zlib.DEFLATED, 31)
    return packing.compress, lambda: packing.flush(zlib.Z_SYNC_FLUSH), packing.flush


def _zstd() -> Packing:
    packing = zstandard.ZstdCompressor(level=1).compressobj()
    return packing.compress, lambda: packing.flush(zstandard.COMPRESSOBJ_FLUSH_BLOCK), packing.flush
