"""Runs of plain observations in SDMX-JSON, such as ``"0:1":[1.5,0],"0:2":[2,0]``, cut by columns instead of parsed.

Most of a large message is one such run, or one in each series. They are taken out before the rest is parsed; what is
less plain, such as text with blanks, stays where it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["TAKEN", "cut", "taken_out"]

TAKEN = "#"
"""The key that stands where a run was, with the number of the run."""

OPENING = re.compile(rb'"observations"\s*:\s*\{')
PLAIN = b'0123456789:[],.+-eEnul"'
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
        run = _bare(data[found.end() : end]) if end >= 0 else b""
        if run:
            kept += [data[at : found.end()], b'"%s":%d' % (TAKEN.encode(), len(runs))]
            runs.append(run)
            at = end
    return b"".join([*kept, data[at:]]), runs


def _bare(run: bytes) -> bytes:
    """Give a run without blanks; nothing where it is not plain: where text has blanks or signs that need care."""
    bare = run.translate(None, BLANKS)
    if len(bare) == len(run):
        plain = b"\\" not in run and run.count(b'"') % 2 == 0
    else:
        within = b"".join(run.split(b'"')[1::2])
        plain = not bare.translate(None, PLAIN) and len(within.translate(None, BLANKS)) == len(within)
    return bare if plain and bare.startswith(b'"') and bare.endswith(b"]") else b""


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
    >>> cut(b'"0:1":[1.5,"a,b"]') is None
    True
    """
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    ones = pc.split_pattern(pa.array([run[1:-1].decode()]), '],"').flatten()
    parts = pc.split_pattern(ones, '":[')
    if not pc.all(pc.equal(pc.list_value_length(parts), 2)).as_py():
        return None
    keys = parts.values.take(pa.array(np.arange(0, len(parts.values), 2)))
    cells = pc.split_pattern(parts.values.take(pa.array(np.arange(1, len(parts.values), 2))), ",")
    words = cells.values
    quotes = pc.count_substring(words, '"')
    quoted = pc.and_(pc.starts_with(words, '"'), pc.ends_with(words, '"'))
    fine = pc.if_else(quoted, pc.equal(quotes, 2), pc.match_substring_regex(words, r"^[0-9.+\-eE]*$|^null$"))
    return (keys, cells) if pc.all(fine).as_py() else None
