"""Structures of SDMX: messages read and written, and the registry that answers queries of them."""

from __future__ import annotations

from pathlib import Path

from statcommons.core.errors import BadData
from statcommons.sdmx.model import Artefact

__all__ = ["read_structures"]

BLANK = b" \t\r\n\xef\xbb\xbf\xff\xfe\x00"
"""What may stand before the first sign of a message: white space, and the marks and halves of other encodings."""


def read_structures(source: bytes | Path | str) -> tuple[Artefact, ...]:
    """Read a structure message, SDMX-ML or SDMX-JSON, whichever it is.

    Parameters
    ----------
    source : bytes or path
        The message, or its file; what it is called says nothing of its format.

    Returns
    -------
    tuple of Artefact
        In the order of the message. What is not held of it is told by a notice.

    Raises
    ------
    BadData
        When it is no structure message, with the line or the place in it.
    NoInput
        When the file cannot be opened.

    Examples
    --------
    >>> read_structures(b"FREQ,REF_AREA")
    Traceback (most recent call last):
    statcommons.core.errors.BadData: message: This is neither XML nor JSON. Give a structure message of SDMX.
    """
    from statcommons.sdmx.structures.incoming import content

    data, where = content(source)
    first = data.lstrip(BLANK)[:1]
    if first not in (b"<", b"{"):
        raise BadData("This is neither XML nor JSON.", where=where, remedy="Give a structure message of SDMX.")
    if first == b"<":
        from statcommons.sdmx.structures.ml_reading import read_structures_ml

        return read_structures_ml(data, where)
    from statcommons.sdmx.structures.json_reading import read_structures_json

    return read_structures_json(data, where)
