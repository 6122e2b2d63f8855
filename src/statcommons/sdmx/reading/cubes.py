"""Cubes read as rows: JSON-stat 2 and PX, which list values in the order of their dimensions."""

from __future__ import annotations

import codecs
import math
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

from statcommons.core.errors import BadData
from statcommons.core.textfile import encoding_of
from statcommons.sdmx.message import Rows
from statcommons.sdmx.reading.json_text import texts
from statcommons.sdmx.reading.source import Source, named

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["is_px", "read_json_stat", "read_px"]

VALUE, STATUS = "OBS_VALUE", "OBS_STATUS"
PX_START = re.compile(r"(?:CHARSET|AXIS-VERSION|CODEPAGE|LANGUAGE|MATRIX|CREATION-DATE)\s*=", re.IGNORECASE)
PX_ENTRY = re.compile(
    r'\s*(?P<key>[A-Z0-9\-]+)(?P<language>\[[^\]]*\])?(?:\((?P<of>(?:"[^"]*"|[^)"])*)\))?\s*=(?P<value>(?:"[^"]*"|[^;"])*);'
)
PX_DATA = re.compile(r'(?:"[^"]*"|[^"])*?;\s*DATA\s*=')
"""The file up to its values; what only looks like their begin may stand in a note."""

PX_TEXT = re.compile(r'"([^"]*)"')
PX_CELL = re.compile(r'"([^"]*)"|([^\s,;"]+)')


def read_json_stat(source: Source, message: Any) -> list[Rows]:
    """Read a data set of JSON-stat 2; what its metric dimension says stays a dimension.

    Parameters
    ----------
    source : Source
        The file.
    message : object
        Its JSON.

    Raises
    ------
    BadData
        When it has not as many values as cells.

    References
    ----------
    JSON-stat 2.0, https://json-stat.org/full/

    Examples
    --------
    >>> from pathlib import Path
    >>> area = {"category": {"index": ["004", "NA"]}}
    >>> cube = {"class": "dataset", "id": ["AREA"], "size": [2], "dimension": {"AREA": area}, "value": [1.5, None]}
    >>> [rows] = read_json_stat(Source(Path("a.json"), "a.json"), cube)
    >>> rows.batches[0].to_pylist()
    [{'AREA': '004', 'OBS_VALUE': '1.5', '_row': 1}]
    """
    try:
        ids, sizes = list(message["id"]), [int(size) for size in message["size"]]
        codes = [_categories(message["dimension"][id]["category"]) for id in ids]
        values, status = message["value"], message.get("status") or {}
        if [len(one) for one in codes] != sizes:
            raise BadData("The sizes are not those of the dimensions.", where=source.name, remedy="Give version 2.0.")
        cells = math.prod(sizes)
        values = _listed(source, values, cells)
        if isinstance(status, str):  # one for all
            status = dict.fromkeys(values if isinstance(values, dict) else range(cells), status)
        return [_cube(source, dict(zip(ids, codes, strict=True)), values, _listed(source, status, cells))]
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise BadData(f"The JSON-stat is not whole: {error}.", where=source.name, remedy="Give version 2.0.") from None


def is_px(start: str) -> bool:
    """Tell whether a text file begins as PX does.

    Parameters
    ----------
    start : str
        Its first characters.

    Examples
    --------
    >>> is_px('CHARSET="ANSI";'), is_px("AREA,OBS_VALUE")
    (True, False)
    """
    return PX_START.match(start) is not None


def read_px(source: Source) -> list[Rows]:
    """Read a PX file; dimensions have their codes where it gives them, and symbols for missing values are no rows.

    Parameters
    ----------
    source : Source
        The file.

    Raises
    ------
    BadData
        When it has no values, or not as many as cells.

    References
    ----------
    PX file format, Statistics Sweden, version 2013.

    Examples
    --------
    >>> from statcommons.sdmx.reading.source import source_of
    >>> [rows] = read_px(source_of(b'STUB="area";VALUES("area")="NA","004";DATA= 1 "..";'))
    >>> rows.batches[0].to_pylist()
    [{'area': 'NA', 'OBS_VALUE': '1', '_row': 1}]
    """
    data = source.path.read_bytes()
    page = re.search(rb'CODEPAGE\s*=\s*"([^"]+)"', data)
    said_page = page[1].decode("ascii", "replace") if page and not _is_utf8(data) else ""
    try:
        codecs.lookup(said_page or "utf-8")
    except LookupError:
        remedy = "Give one such as utf-8 or iso-8859-1."
        raise BadData(f"The CODEPAGE {said_page!r} is not known.", where=source.name, remedy=remedy) from None
    with named(source):
        encoding = encoding_of(source.path, said_page).name
    text = data.decode(encoding)
    found = PX_DATA.match(text)
    if not found:
        raise BadData("The PX file has no DATA.", where=source.name, remedy="Get the whole file again.")
    head, cells = found[0], text[found.end() :]
    said: dict[tuple[str, str], list[str]] = {}
    for entry in PX_ENTRY.finditer(head):
        if not entry["language"]:
            said[entry["key"], (entry["of"] or "").strip('"')] = PX_TEXT.findall(entry["value"])
    dimensions: dict[str, list[str]] = {}
    for name in [*said.get(("STUB", ""), []), *said.get(("HEADING", ""), [])]:
        id = (said.get(("VARIABLECODE", name)) or [name])[0]
        dimensions[id] = said.get(("CODES", name)) or said.get(("VALUES", name)) or []
    values = [None if quoted or not _is_number(plain) else plain for quoted, plain in PX_CELL.findall(cells)]
    listed = _listed(source, values, math.prod(map(len, dimensions.values())))
    return [_cube(source, dimensions, listed, {})]


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def _is_number(text: str) -> bool:
    return re.fullmatch(r"-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?", text) is not None


def _categories(category: Mapping[str, Any]) -> list[str]:
    index = category.get("index", list(category.get("label", {})))
    return list(index) if isinstance(index, list) else sorted(index, key=index.__getitem__)


Cells: TypeAlias = list[Any] | dict[int, Any]
"""The cells of a cube in order, or by their place: a small file may name a few of very many."""


def _listed(source: Source, cells: Any, count: int) -> Cells:
    """Give the cells as they are given: listed, or named by their place."""
    if isinstance(cells, dict):
        named = {int(place): cell for place, cell in cells.items()}
        if any(not 0 <= place < count for place in named):
            what = f"The cube has {count:,} cells and names others."
            raise BadData(what, where=source.name, remedy="Get the whole file again.")
        return named
    if len(cells) != count:
        what = f"The cube has {len(cells):,} values and {count:,} cells."
        raise BadData(what, where=source.name, remedy="Get the whole file again.")
    return list(cells)


def _there(cells: Cells) -> list[int]:
    """Give the places of the cells that hold something, in order."""
    pairs = cells.items() if isinstance(cells, dict) else enumerate(cells)
    return sorted(place for place, cell in pairs if cell is not None)


def _at(cells: Cells, places: Sequence[int]) -> pa.Array:
    """Give the cells at places as a column of text."""
    return texts([cells.get(place) if isinstance(cells, dict) else cells[place] for place in places])


def _cube(source: Source, dimensions: Mapping[str, Sequence[str]], values: Cells, status: Cells) -> Rows:
    """Give a row for each cell that has a value or a status."""
    import numpy as np
    import pyarrow as pa

    told = _there(status)
    there = sorted({*_there(values), *told}) if told else _there(values)
    indices = np.unravel_index(np.array(there, np.int64), tuple(map(len, dimensions.values())) or (1,))
    columns: dict[str, pa.Array] = {
        id: pa.DictionaryArray.from_arrays(pa.array(index.astype(np.int32)), pa.array(list(codes), pa.string()))
        for (id, codes), index in zip(dimensions.items(), indices, strict=False)
    }
    columns[VALUE] = _at(values, there)
    if told:
        columns[STATUS] = _at(status, there)
    columns["_row"] = pa.array([place + 1 for place in there], pa.int64())
    return Rows([pa.RecordBatch.from_pydict(columns)], path=source.name, given=frozenset(columns) - {"_row"})
