"""Excel workbooks: a sheet of data, one of codes with their names, and one that says what this is."""

from __future__ import annotations

import itertools
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa

from statcommons.sdmx.formats.csv import CELL, FORM, marked
from statcommons.sdmx.formats.layout import Options
from statcommons.sdmx.formats.table import batches_of, components_of, one_structure, schema_of_table
from statcommons.sdmx.formats.text import texts
from statcommons.sdmx.message import DataSet, Header
from statcommons.sdmx.model import in_language
from statcommons.sdmx.structure import Structure

ROWS = 1_048_575
"""Rows of data that a sheet of Excel has, below its head."""

CHUNK = 1 << 20

SEVERAL = replace(FORM, many=lambda column: column)
"""Cells with several values, as SDMX-CSV 2.0 has them inside of its own quotes."""
SPOKEN = replace(CELL, languages=lambda column: column)
"""Cells with words in several languages, likewise."""


def write_xlsx(data_sets: Sequence[DataSet], header: Header, options: Options) -> Iterator[bytes]:
    """Write an Excel workbook. Codes are text in it, and no text is taken for a formula, a number or a link.

    Several values, and words in several languages, stand in a cell as in SDMX-CSV 2.0, and its head says so.

    The file is made on the disk, in little memory, and given out when it is whole: a workbook ends with what a reader
    needs first. Data of more rows than a sheet has go on in the next sheet.

    Parameters
    ----------
    data_sets : sequence of DataSet
        Of one dataflow.
    header : Header
        When the message was prepared, and by whom.
    options : Options
        ``languages`` of the names.

    Raises
    ------
    BadCall
        When there are several dataflows.
    """
    one_structure(data_sets)
    return _written(data_sets, header, options)


def _written(data_sets: Sequence[DataSet], header: Header, options: Options) -> Iterator[bytes]:
    import xlsxwriter  # costs 0.1 s, and few ask for it

    with tempfile.TemporaryDirectory(prefix="statcommons-xlsx-") as folder:
        path = Path(folder) / "data.xlsx"
        with xlsxwriter.Workbook(path, {"constant_memory": True, "tmpdir": folder}) as book:
            book.set_properties({"created": header.prepared.replace(tzinfo=None), "author": header.sender})
            head = book.add_format({"bold": True})
            _data(book, data_sets, head)
            if data_sets:
                _codes(book, data_sets[0].structure, options.languages, head)
                _about(book, data_sets, header, options.languages, head)
        with path.open("rb") as file:
            while chunk := file.read(CHUNK):
                yield chunk


def _data(book: Any, data_sets: Sequence[DataSet], head: Any) -> None:
    data_sets, ids = marked(data_sets, components_of(data_sets))
    names = [*ids, *schema_of_table(data_sets).names[len(ids) :]]
    rows = _rows(batches_of(data_sets))
    for number in itertools.count(1):
        sheet = book.add_worksheet("data" if number == 1 else f"data {number}")
        sheet.freeze_panes(1, 0)
        _line(sheet, 0, names, head)
        for place, row in enumerate(itertools.islice(rows, ROWS), 1):
            _line(sheet, place, row)
        following = next(rows, None)
        if following is None:
            return
        rows = itertools.chain([following], rows)


def _rows(batches: Iterator[pa.RecordBatch]) -> Iterator[tuple[Any, ...]]:
    for batch in batches:
        yield from zip(*(_told(column).to_pylist() for column in batch.columns), strict=True)


def _told(column: pa.Array) -> pa.Array:
    """Write what a cell cannot hold as text: several values, and words in languages."""
    if pa.types.is_list(column.type):
        return texts(column, SEVERAL)
    return texts(column, SPOKEN) if pa.types.is_map(column.type) else column


def _line(sheet: Any, place: int, cells: Sequence[Any], style: Any = None) -> None:
    for column, cell in enumerate(cells):
        if cell is None:
            continue
        if isinstance(cell, bool):
            sheet.write_boolean(place, column, cell, style)
        elif isinstance(cell, int | float) and cell == cell and abs(cell) < 2**53:
            sheet.write_number(place, column, cell, style)
        elif isinstance(cell, float):
            sheet.write_string(place, column, "NaN" if cell != cell else repr(cell), style)
        else:
            sheet.write_string(place, column, str(cell), style)


def _codes(book: Any, structure: Structure, languages: tuple[str, ...], head: Any) -> None:
    sheet = book.add_worksheet("codes")
    _line(sheet, 0, ("component", "code", "name"), head)
    told = (
        (component.id, code.id, in_language(code.name, languages))
        for component in structure.components
        for code in structure.codes(component)
    )
    for place, row in enumerate(told, 1):
        _line(sheet, place, row)


def _about(book: Any, data_sets: Sequence[DataSet], header: Header, languages: tuple[str, ...], head: Any) -> None:
    structure = data_sets[0].structure
    sheet = book.add_worksheet("about")
    told = [
        ("dataflow", str(structure.flow)),
        ("data structure", str(structure.definition)),
        ("name", in_language(structure.name, languages)),
        ("description", in_language(structure.description, languages)),
        ("prepared", f"{header.prepared:%Y-%m-%dT%H:%M:%SZ}"),
        ("sender", header.sender),
    ]
    for place, row in enumerate(told):
        _line(sheet, place, row)
    _line(sheet, len(told) + 1, ("component", "role", "name", "code list"), head)
    for place, one in enumerate(components_of(data_sets), len(told) + 2):
        name = in_language(one.name, languages)
        _line(sheet, place, (one.id, one.role, name, str(one.codelist or "")))
