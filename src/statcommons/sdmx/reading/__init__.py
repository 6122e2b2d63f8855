"""Data messages read as rows, whatever their format, and checked against their structure."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from statcommons.core.errors import BadData
from statcommons.sdmx.message import Rows
from statcommons.sdmx.reading.check import Checked, checked
from statcommons.sdmx.reading.cubes import is_px, read_json_stat, read_px
from statcommons.sdmx.reading.json_text import parsed_json
from statcommons.sdmx.reading.mapping import TableMapping, mapped
from statcommons.sdmx.reading.ml_head import is_ml_data
from statcommons.sdmx.reading.sdmxcsv import is_sdmx_csv, read_sdmx_csv
from statcommons.sdmx.reading.sdmxjson import read_sdmx_json
from statcommons.sdmx.reading.sdmxml import read_sdmx_ml
from statcommons.sdmx.reading.source import PARQUET, ZIP, Source, source_of
from statcommons.sdmx.reading.tables import read_excel, read_parquet, read_plain_csv
from statcommons.sdmx.structure import Structure

__all__ = ["Checked", "TableMapping", "checked", "is_data", "read_rows"]


def read_rows(
    given: Path | str | bytes,
    structure: Structure | None = None,
    *,
    mapping: TableMapping | Mapping[str, Any] | Path | str | None = None,
    name: str = "",
) -> list[Rows]:
    r"""Read data of any format; the content tells which it is, not the name.

    SDMX-CSV 1.0, 2.0 and 2.1, SDMX-ML 2.1, 3.0 and 3.1, SDMX-JSON 1.0, 2.0 and 2.1, JSON-stat 2, PX, and plain CSV,
    Excel and Parquet; each may be packed with gzip. A decimal comma and dates in other forms are never guessed: a
    mapping says them.

    Parameters
    ----------
    given : path or bytes
        The file, or its content.
    structure : Structure, optional
        The structure, where it is known.
    mapping : TableMapping, dict or path, optional
        Which column is which component, and how values are written.
    name : str
        What errors call the data; the name of the file by default.

    Returns
    -------
    list of Rows
        One for each data set of a message, or structure of a file. They are read when their batches are asked for.

    Raises
    ------
    NoInput, NotAllowed
        When there is no such file, or it cannot be opened.
    BadData
        When it cannot be read; with the place.
    BadCall
        When the mapping cannot be.

    Examples
    --------
    >>> [rows] = read_rows(b"STRUCTURE,STRUCTURE_ID,AREA,OBS_VALUE\ndataflow,X:DF(1.0),NA,1\n")
    >>> rows.structure, rows.action, [batch.to_pylist() for batch in rows.batches]
    ('X:DF(1.0)', 'Information', [[{'AREA': 'NA', 'OBS_VALUE': '1', '_row': 2}]])
    """
    source, how = source_of(given, name), TableMapping.from_any(mapping)
    found = _read(source, structure, how)
    return [mapped(rows, how, structure) for rows in found] if mapping is not None else found


def is_data(given: Path | str | bytes) -> bool:
    """Tell whether something is data of any format, and not a message of structures.

    Parameters
    ----------
    given : path or bytes
        The file, or its content.

    Raises
    ------
    NoInput, NotAllowed
        When there is no such file, or it cannot be opened.
    BadData
        When it is empty, or JSON that cannot be read.

    Examples
    --------
    >>> is_data(b"AREA,OBS_VALUE"), is_data(b"<m:Structure/>"), is_data(b'{"data": {"dataSets": []}}')
    (True, False, True)
    """
    source = source_of(given)
    start = source.start()
    if start.startswith("<"):
        return is_ml_data(source)
    if not start.startswith(("{", "[")):
        return True
    message = parsed_json(source).message
    body = message.get("data", message) if isinstance(message, dict) else message
    return isinstance(body, dict) and ("dataSets" in body or body.get("class") == "dataset")


def _read(source: Source, structure: Structure | None, mapping: TableMapping) -> list[Rows]:
    head, start = source.head(), source.start()
    if head.startswith(ZIP):
        return read_excel(source, mapping)
    if head.startswith(PARQUET):
        return read_parquet(source)
    if start.startswith("<"):
        return read_sdmx_ml(source, structure)
    if start.startswith(("{", "[")):
        parsed = parsed_json(source)
        cube = isinstance(parsed.message, dict) and parsed.message.get("class") == "dataset"
        return read_json_stat(source, parsed.message) if cube else read_sdmx_json(source, parsed)
    if is_sdmx_csv(start):
        return read_sdmx_csv(source, structure, encoding=mapping.encoding)
    if is_px(start):
        return read_px(source)
    if not start.isprintable() and "\0" in start:
        raise BadData(
            "The format is not known.",
            where=source.name,
            remedy="Give SDMX-CSV, SDMX-ML, SDMX-JSON, JSON-stat, PX, CSV, Excel or Parquet.",
        )
    return read_plain_csv(source, mapping)
