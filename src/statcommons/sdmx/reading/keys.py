"""Keys of rows as whole numbers: which repeat, and within which a value differs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from statcommons.sdmx.reading.gather import TextColumn

if TYPE_CHECKING:
    import numpy as np

__all__ = ["differing", "numbered", "repeated"]

LARGEST = 2**62


def numbered(columns: Sequence[TextColumn], rows: np.ndarray, within: np.ndarray | None = None) -> np.ndarray:
    """Give the key of each row as a number: the same for rows with the same values, in the order of the values.

    Parameters
    ----------
    columns : sequence of TextColumn
        The parts of the key; no value is a value of its own, and comes first.
    rows : numpy.ndarray
        The ordinals of the rows.
    within : numpy.ndarray, optional
        The number of a part of the key that comes before them.

    Returns
    -------
    numpy.ndarray
        A whole number for each of the rows.

    Examples
    --------
    >>> import numpy as np
    >>> area = TextColumn(["008", "004"], chunks=[np.array([1, 0, 1, -1])])
    >>> sex = TextColumn(["F"], chunks=[np.array([0, 0, 0, 0])])
    >>> numbered([area, sex], np.arange(4)).tolist()
    [3, 5, 3, 1]
    """
    import numpy as np

    key = np.zeros(len(rows), np.int64) if within is None else within.copy()
    size = int(key.max(initial=0)) + 1
    for column in columns:
        values = len(column.values) + 1
        if size * values > LARGEST:
            distinct, key = np.unique(key, return_inverse=True)
            size = len(distinct)
        rank = np.zeros(values, np.int32)  # the last place is that of no value, which is written as -1
        rank[sorted(range(values - 1), key=column.values.__getitem__)] = np.arange(1, values)
        key *= values
        key += rank[column.index[rows]]
        size *= values
    return key


def repeated(columns: Sequence[TextColumn], rows: np.ndarray) -> np.ndarray:
    """Find the rows whose key another row has too.

    Parameters
    ----------
    columns : sequence of TextColumn
        The parts of the key.
    rows : numpy.ndarray
        The ordinals of the rows to look at.

    Returns
    -------
    numpy.ndarray
        Ordinals, by key and then in order.

    Examples
    --------
    >>> import numpy as np
    >>> area = TextColumn(["004", "008"], chunks=[np.array([1, 0, 1, -1])])
    >>> repeated([area], np.arange(4)).tolist()
    [0, 2]
    """
    import numpy as np

    key = numbered(columns, rows)
    ordered = np.sort(key)
    twice = np.unique(ordered[1:][ordered[1:] == ordered[:-1]])
    if not len(twice):
        return rows[:0]
    hits = np.flatnonzero(np.isin(key, twice))
    return rows[hits[np.argsort(key[hits], kind="stable")]]


def differing(key: np.ndarray, index: np.ndarray) -> np.ndarray:
    """Find the rows within whose key a value differs; a row without a value differs from none.

    Parameters
    ----------
    key : numpy.ndarray
        A number for each row.
    index : numpy.ndarray
        The place of the value of each row; -1 where there is none.

    Returns
    -------
    numpy.ndarray
        The places of the rows that have another value than an earlier row of the same key.

    Examples
    --------
    >>> import numpy as np
    >>> differing(np.array([7, 7, 8, 8, 8]), np.array([0, 1, 1, -1, 1])).tolist()
    [1]
    """
    import numpy as np

    has = np.flatnonzero(index >= 0)
    group = key[has]
    if len(has) and int(group.max()) > 8 * len(has):  # too many places for a table of first values
        group = np.unique(group, return_inverse=True)[1]
    first = np.full(int(group.max(initial=0)) + 1, -1, index.dtype)
    first[group[::-1]] = index[has[::-1]]  # of several, the last that is written stays: the first of the rows
    found: np.ndarray = has[first[group] != index[has]]
    return found
