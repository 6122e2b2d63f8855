"""Runs of plain observations in SDMX-JSON, such as ``"0:1":[1.5,0],"0:2":[2,0]``, cut by columns instead of parsed.

Most of a large message is one such run, or one in each series. They are taken out before the rest is parsed; what holds
text or anything else stays where it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["TAKEN", "blocks", "cut", "taken_out"]

TAKEN = "#"
"""The key that stands where a run was, with the number of the run."""

OPENING = re.compile(rb'"observations"\s*:\s*\{')
PLAIN = b'0123456789:[],.+-eEnul" \t\r\n'
BLANKS = b" \t\r\n"
BLOCK = 1 << 22


def taken_out(data: bytes) -> tuple[bytes, list[bytes]]:
    """Take the runs of plain observations out of a message.

    Parameters
    ----------
    data : bytes
        The message.

    Returns
    -------
    tuple of bytes and list of bytes
        The message with a number in the place of each run, and the runs.

    Examples
    --------
    >>> taken_out(b'{"observations":{"0":[1,null]}}')
    (b'{"observations":{"#":0}}', [b'"0":[1,null]'])
    """
    kept: list[bytes] = []
    runs: list[bytes] = []
    at = 0
    for found in OPENING.finditer(data):
        end = data.find(b"}", found.end())
        run = data[found.end() : end].translate(None, BLANKS) if end >= 0 else b""
        if run.startswith(b'"') and run.endswith(b"]") and not run.translate(None, PLAIN):
            kept += [data[at : found.end()], b'"%s":%d' % (TAKEN.encode(), len(runs))]
            runs.append(run)
            at = end
    return b"".join([*kept, data[at:]]), runs


def blocks(run: bytes) -> Iterator[bytes]:
    """Cut a long run into blocks of whole observations.

    Parameters
    ----------
    run : bytes
        The run.
    """
    at = 0
    while at < len(run):
        end = run.find(b'],"', at + BLOCK)
        end = end + 1 if end >= 0 else len(run)
        yield run[at:end]
        at = end + 1


def cut(run: bytes) -> tuple[pa.Array, pa.ListArray] | None:
    """Cut a run into its keys and their cells.

    Parameters
    ----------
    run : bytes
        The run, without blanks.

    Returns
    -------
    tuple of pyarrow.Array and pyarrow.ListArray, or None
        Keys, and lists of text; None where it is not what it looks like.

    Examples
    --------
    >>> keys, cells = cut(b'"0:1":[1.5,0],"0:2":[null]')
    >>> keys.to_pylist(), cells.to_pylist()
    (['0:1', '0:2'], [['1.5', '0'], ['null']])
    >>> cut(b'"0:1":[1.5') is None
    True
    """
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    parts = pc.split_pattern(pa.array([run.decode("ascii") + ","]), '"').flatten()
    keys = parts.take(pa.array(np.arange(1, len(parts), 2)))
    cells = parts.take(pa.array(np.arange(2, len(parts), 2)))
    whole = pc.and_(pc.starts_with(cells, ":["), pc.ends_with(cells, "],"))
    if parts[0].as_py() or len(keys) != len(cells) or not pc.all(whole).as_py():
        return None
    inside = pc.utf8_slice_codeunits(cells, 2, -2)
    if pc.any(pc.match_substring(inside, "[")).as_py() or pc.any(pc.match_substring(inside, "]")).as_py():
        return None
    return keys, pc.split_pattern(inside, ",")
