"""Text of many rows at once: columns of Arrow are escaped and joined, and no row becomes a Python object.

The text of a row is put together from *parts*: words that all rows share, texts that the rows of one series share
(made once a series and batch), and cells of a batch of observations. Columns with few distinct values stay
dictionaries until the end, so that escaping, and the words around a cell, cost something once a distinct value only.
The text of a batch is then the buffer of one column of strings.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from statcommons.sdmx.formats.numbers import number_text
from statcommons.sdmx.message import SERIES

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["OfSeries", "Part", "Piece", "escaper", "line"]

FEW = 64
"""Texts up to which Python is done before Arrow has begun."""

Piece: TypeAlias = "str | pa.Array"
"""Text of the rows of a batch: one for all of them, or a column of texts, plain or as a dictionary, without nulls."""


@dataclass(frozen=True)
class OfSeries:
    """A part of a line that is the same for the rows of a series: what makes pieces for series, given their places."""

    make: Callable[[pa.Array], Sequence[Piece]]


Part: TypeAlias = "str | OfSeries | Callable[[pa.RecordBatch], Sequence[Piece]]"
"""A part of a line: words, what differs by series, or what makes pieces from a batch of observations."""


@dataclass(frozen=True)
class Form:
    """How a format writes values.

    Parameters
    ----------
    escape : callable
        Makes a column of distinct texts into what stands in a message.
    nan : str
        What stands for NaN, which SDMX reads as missing on purpose.
    is_place : bool
        Whether ``escape`` is asked about numbers and booleans too, because it writes something else in their place.
    separator : str
        What stands between the values of one cell, where there may be several.
    many : callable
        Frames a column of joined values.
    worded : callable, optional
        Writes words in a language, given a column of languages and one of words.
    between : str
        What stands between the words of two languages.
    languages : callable
        Frames a column of joined words.
    """

    escape: Callable[[pa.Array], pa.Array]
    nan: str = "NaN"
    is_place: bool = False
    separator: str = ","
    many: Callable[[pa.Array], pa.Array] = lambda column: column
    worded: Callable[[pa.Array, pa.Array], pa.Array] | None = None
    between: str = ","
    languages: Callable[[pa.Array], pa.Array] = lambda column: column


# --- joining --------------------------------------------------------------------------------------------------------


def line(*parts: Part) -> Callable[[pa.RecordBatch], pa.Array]:
    """Prepare what makes the text of each row of a batch.

    Neighbouring words and parts of series are joined for the series of the batch, before its rows are.

    Parameters
    ----------
    *parts : Part
        In the order of the text.

    Returns
    -------
    callable
        From a batch of observations to a column of text.

    Examples
    --------
    >>> keys = pa.array(["A.116", "A.764"])
    >>> plain = Form(lambda column: column)
    >>> series = OfSeries(lambda places: [keys.take(places)])
    >>> row = line(series, ": ", lambda batch: [texts(batch["OBS_VALUE"], plain)], ";")
    >>> batch = pa.record_batch({"series": pa.array([0, 0, 1], "int32"), "OBS_VALUE": [1.0, 2.5, 1e22]})
    >>> text_of(row(batch))
    b'A.116: 1;A.116: 2.5;A.764: 1e+22;'
    """
    runs: list[list[str | OfSeries] | Callable[[pa.RecordBatch], Sequence[Piece]]] = []
    for part in parts:
        if not isinstance(part, str | OfSeries):
            runs.append(part)
        elif runs and isinstance(runs[-1], list):
            runs[-1].append(part)
        else:
            runs.append([part])

    def make(batch: pa.RecordBatch) -> pa.Array:
        places = batch[SERIES].dictionary_encode()
        pieces: list[Piece] = []
        for run in runs:
            if not isinstance(run, list):
                pieces += run(batch)
            elif any(isinstance(part, OfSeries) for part in run):
                pieces.append(_of(places.indices, _of_series(run, places.dictionary)))
            else:
                pieces += [part for part in run if isinstance(part, str)]
        return joined(pieces, len(batch))

    return make


def _of_series(run: Sequence[str | OfSeries], places: pa.Array) -> pa.Array:
    told = ((part,) if isinstance(part, str) else part.make(places) for part in run)
    return joined([piece for pieces in told for piece in pieces], len(places))


def joined(pieces: Sequence[Piece], rows: int) -> pa.Array:
    """Join pieces row by row; words next to a dictionary go into its distinct texts.

    Parameters
    ----------
    pieces : sequence of Piece
        In the order of the text.
    rows : int
        How many rows there are.
    """
    merged: list[Piece] = []
    for piece in pieces:
        last = merged[-1] if merged else None
        if isinstance(piece, str):
            if isinstance(last, str):
                merged[-1] = last + piece
            elif last is not None and _is_small(last):
                merged[-1] = _of(last.indices, _join(last.dictionary, piece))
            elif piece:
                merged.append(piece)
        elif isinstance(last, str) and _is_small(piece):
            merged[-1] = _of(piece.indices, _join(last, piece.dictionary))
        else:
            merged.append(piece)
    columns = [_plain(piece) for piece in merged]
    if len(columns) == 1 and not isinstance(columns[0], str):
        return columns[0]
    if all(isinstance(one, str) for one in columns):
        return pa.repeat("".join(columns), rows)
    return _join(*columns)


def text_of(column: pa.Array) -> bytes:
    """Give the texts of a column one after the other, in UTF-8.

    Parameters
    ----------
    column : pyarrow.StringArray
        Without nulls.
    """
    _, offsets, data = column.buffers()
    if not len(column) or data is None:
        return b""
    bounds = np.frombuffer(offsets, np.int32)
    first, last = int(bounds[column.offset]), int(bounds[column.offset + len(column)])
    return data.slice(first, last - first).to_pybytes()


def around(values: pa.Array, before: str, after: str, missing: str) -> Sequence[Piece]:
    """Put words around the texts of a column; a null has other words.

    Parameters
    ----------
    values : pyarrow.Array
        Texts, plain or as a dictionary.
    before, after : str
        The words around a text.
    missing : str
        The words in place of a null.
    """
    if not values.null_count:
        return (before, values, after)
    if pa.types.is_dictionary(values.type):
        told = pa.concat_arrays([_join(before, values.dictionary, after), pa.array([missing])])
        return (_of(values.indices.fill_null(len(told) - 1), told),)
    return (pc.if_else(values.is_valid(), _join(before, values, after), missing),)


def _join(*columns: Piece) -> pa.Array:
    return pc.binary_join_element_wise(*columns, "", null_handling="emit_null")


def _plain(piece: Piece) -> Piece:
    if isinstance(piece, str) or not pa.types.is_dictionary(piece.type):
        return piece
    return piece.dictionary.take(piece.indices)


def _is_small(piece: Piece) -> bool:
    return (
        not isinstance(piece, str)
        and len(piece) > FEW  # else the calls cost more than they save
        and pa.types.is_dictionary(piece.type)
        and 4 * len(piece.dictionary) <= len(piece)
    )


def _of(places: pa.Array, distinct: pa.Array) -> pa.DictionaryArray:
    return pa.DictionaryArray.from_arrays(places, distinct)


# --- cells ----------------------------------------------------------------------------------------------------------


def texts(values: pa.Array, form: Form, decimals: int | npt.NDArray[np.int64] | None = None) -> pa.Array:
    """Write the values of a column as a format does; a null stays one, and a list of nothing becomes one.

    Parameters
    ----------
    values : pyarrow.Array
        Text, numbers, booleans, maps of text by language, or lists of them.
    form : Form
        How the format writes values.
    decimals : int or array of int, optional
        How many decimals numbers have at least, in all rows or in each.

    Returns
    -------
    pyarrow.Array
        Texts; what had been text is a dictionary.
    """
    kind = values.type
    if pa.types.is_floating(kind):
        values = number_text(values, decimals, nan=form.nan)
    elif pa.types.is_integer(kind) or pa.types.is_boolean(kind):
        values = values.cast(pa.string())
    if values.type != kind and not form.is_place:
        return values
    if pa.types.is_list(kind):
        cells = _plain(texts(_held(values, values.values), form))
        return _together(values, cells, form.separator, form.many)
    if pa.types.is_map(kind) and form.worded:
        words = form.worded(_held(values, values.keys), _held(values, values.items))
        return _together(values, words, form.between, form.languages)
    codes = encoded(values)
    return _of(codes.indices, form.escape(codes.dictionary))


def encoded(values: pa.Array) -> pa.DictionaryArray:
    """Give texts as a dictionary of those that occur, in the order in which they do.

    Parameters
    ----------
    values : pyarrow.Array
        Text, or what can be cast to it.
    """
    if isinstance(values, pa.ChunkedArray):
        values = values.combine_chunks()
    if values.type != pa.string():
        values = values.cast(pa.string())
    return values.dictionary_encode()


def _together(
    values: pa.Array, texts: pa.Array, separator: str, frame: Callable[[pa.Array], pa.Array]
) -> pa.StringArray:
    """Join what the lists of a column hold, given as one column without the lists; a list of nothing is null."""
    told = frame(pc.binary_join(pa.ListArray.from_arrays(_bounds(values), texts), separator))
    some = np.diff(values.offsets.to_numpy()) > 0
    return pc.if_else(pc.and_(values.is_valid(), pa.array(some)), told, None)


def _bounds(values: pa.Array) -> pa.Array:
    """Give where the lists of a column begin and end in what it holds, which may be a part of a longer column."""
    return pc.subtract(values.offsets, values.offsets[0])


def _held(values: pa.Array, column: pa.Array) -> pa.Array:
    first, last = values.offsets[0].as_py(), values.offsets[-1].as_py()
    return column.slice(first, last - first)


def escaper(awkward: str, escape: Callable[[str], str]) -> Callable[[pa.Array], pa.Array]:
    """Make an escape of columns of distinct texts that costs next to nothing where nothing has to be escaped.

    Parameters
    ----------
    awkward : str
        A regular expression, the same to RE2 and to Python, for what has to be escaped.
    escape : callable
        Escapes one text.

    Examples
    --------
    >>> quote = escaper('[",]', lambda text: '"' + text.replace('"', '""') + '"')
    >>> quote(pa.array(["a", "b,c", None])).to_pylist()
    ['a', '"b,c"', None]
    """
    odd_sign = re.compile(awkward)

    def escaped(column: pa.Array) -> pa.Array:
        if len(column) <= FEW and not any(text and odd_sign.search(text) for text in column.to_pylist()):
            return column
        found = pc.match_substring_regex(column, awkward)
        if not pc.any(found).as_py():
            return column
        return pa.array(
            [escape(text) if odd else text for text, odd in zip(column.to_pylist(), found.to_pylist(), strict=True)],
            pa.string(),
        )

    return escaped
