"""Doubles as the shortest text that is read back as the same double, a column at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc

from statcommons.core.errors import BadData

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["number_text"]

COMMA, POINT, ZERO, E = b",.0e"


def number_text(
    values: pa.Array, decimals: int | npt.NDArray[np.int64] | None = None, *, nan: str = "NaN"
) -> pa.StringArray:
    """Write doubles as the shortest text that is read back as the same double; whole numbers have no ``.0``.

    A number that has fewer decimals than are asked for is filled up with zeros. One that has more keeps them: what is
    published is rounded before, never while it is written.

    Parameters
    ----------
    values : pyarrow.Array
        Doubles.
    decimals : int or array of int, optional
        How many decimals numbers have at least, in all rows or in each; below zero is none.
    nan : str
        What stands for NaN.

    Returns
    -------
    pyarrow.StringArray
        With null where the column has it.

    Raises
    ------
    BadData
        When a number is infinite: no format of SDMX can say that.

    Examples
    --------
    >>> number_text(pa.array([0.1, 28.0, 5e-324, 1e22, None, float("nan")])).to_pylist()
    ['0.1', '28', '5e-324', '1e+22', None, 'NaN']
    >>> number_text(pa.array([2.5, 3.0, 2.675]), 2).to_pylist()
    ['2.50', '3.00', '2.675']
    """
    rows = len(values)
    if not rows:
        return pa.array([], pa.string())
    numbers = np.ascontiguousarray(values.fill_null(0.0).to_numpy(zero_copy_only=False), np.float64)
    if np.isinf(numbers).any():
        raise BadData("A number is infinite.", remedy="Leave the observation missing.")
    # orjson writes shortest doubles faster than Arrow does: [1.5,28.0,null], where null is NaN.
    written = np.frombuffer(orjson.dumps(numbers, option=orjson.OPT_SERIALIZE_NUMPY), np.uint8)
    kept = np.ones(len(written), bool)
    kept[0] = kept[-1] = False
    ends = np.append(np.flatnonzero(written == COMMA), len(written) - 1)
    kept[ends] = False
    whole = (written[ends - 1] == ZERO) & (written[ends - 2] == POINT)
    wanted = np.broadcast_to(np.asarray(-1 if decimals is None else decimals), rows)
    shortened = whole & (wanted <= 0)
    kept[ends[shortened] - 1] = kept[ends[shortened] - 2] = False
    lengths = np.diff(ends, prepend=0) - 1 - 2 * shortened
    starts = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32)
    column = pa.StringArray.from_buffers(rows, pa.py_buffer(starts), pa.py_buffer(written[kept]))
    if (wanted > 0).any():
        column = pc.binary_join_element_wise(column, _zeros(written, ends, wanted), "")
    if np.isnan(numbers).any():
        column = pc.if_else(np.isnan(numbers), nan, column)
    return pc.if_else(values.is_valid(), column, None) if values.null_count else column


def _zeros(
    written: npt.NDArray[np.uint8], ends: npt.NDArray[np.int64], wanted: npt.NDArray[np.int64]
) -> pa.StringArray:
    """Give the zeros that are missing behind each number; none behind one with an exponent."""
    points = np.flatnonzero(written == POINT)
    there = np.full(len(ends), np.iinfo(np.int64).max)
    rows = np.searchsorted(ends, points)
    there[rows] = ends[rows] - points - 1
    there[np.searchsorted(ends, np.flatnonzero(written == E))] = np.iinfo(np.int64).max
    absent = np.maximum(wanted, there) - there
    zeros = pa.array(["0" * count for count in range(int(absent.max()) + 1)])
    return zeros.take(pa.array(absent))
