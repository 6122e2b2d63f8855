"""Cubes read as rows: JSON-stat 2 and PX, which list values in the order of their dimensions."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

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
        values, status = message["value"], message.get("status")
    except (KeyError, TypeError, ValueError) as error:
        raise BadData(f"The JSON-stat is not whole: {error}.", where=source.name, remedy="Give version 2.0.") from None
    if [len(one) for one in codes] != sizes:
        raise BadData("The sizes are not those of the dimensions.", where=source.name, remedy="Give version 2.0.")
    cells = math.prod(sizes)
    status = [status] * cells if isinstance(status, str) else status
    return [_cube(source, dict(zip(ids, codes, strict=True)), _listed(values, cells), _listed(status or {}, cells))]


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
    with named(source):
        encoding = encoding_of(source.path, page[1].decode() if page and not _is_utf8(data) else "").name
    text = data.decode(encoding)
    head, found, cells = text.partition("DATA=")
    if not found:
        raise BadData("The PX file has no DATA.", where=source.name, remedy="Get the whole file again.")
    said: dict[tuple[str, str], list[str]] = {}
    for entry in PX_ENTRY.finditer(head):
        if not entry["language"]:
            said[entry["key"], (entry["of"] or "").strip('"')] = PX_TEXT.findall(entry["value"])
    dimensions: dict[str, list[str]] = {}
    for name in [*said.get(("STUB", ""), []), *said.get(("HEADING", ""), [])]:
        id = (said.get(("VARIABLECODE", name)) or [name])[0]
        dimensions[id] = said.get(("CODES", name)) or said.get(("VALUES", name)) or []
    values = [None if quoted or not _is_number(plain) else plain for quoted, plain in PX_CELL.findall(cells)]
    return [_cube(source, dimensions, _listed(values, math.prod(map(len, dimensions.values()))), None)]


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


def _listed(cells: Any, count: int) -> list[Any] | str:
    """Give the cells in order; they may be listed, or named by their place."""
    if isinstance(cells, dict):
        return [cells.get(str(place)) for place in range(count)]
    if len(cells) != count:
        return f"{len(cells):,} values and {count:,} cells"
    return list(cells)


def _cube(
    source: Source, dimensions: Mapping[str, Sequence[str]], values: list[Any] | str, status: list[Any] | str | None
) -> Rows:
    """Give a row for each cell that has a value or a status."""
    import numpy as np
    import pyarrow as pa

    if isinstance(values, str) or isinstance(status, str):
        fault = values if isinstance(values, str) else status
        raise BadData(f"The cube has {fault}.", where=source.name, remedy="Get the whole file again.")
    there = [place for place, value in enumerate(values) if value is not None or (status and status[place] is not None)]
    indices = np.unravel_index(np.array(there, np.int64), tuple(map(len, dimensions.values())) or (1,))
    columns: dict[str, pa.Array] = {
        id: pa.DictionaryArray.from_arrays(pa.array(index.astype(np.int32)), pa.array(list(codes), pa.string()))
        for (id, codes), index in zip(dimensions.items(), indices, strict=False)
    }
    columns[VALUE] = texts([values[place] for place in there])
    if status and any(one is not None for one in status):
        columns[STATUS] = texts([status[place] for place in there])
    columns["_row"] = pa.array([place + 1 for place in there], pa.int64())
    return Rows([pa.RecordBatch.from_pydict(columns)], path=source.name, given=frozenset(columns) - {"_row"})
