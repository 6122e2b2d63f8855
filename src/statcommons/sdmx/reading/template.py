"""An Excel template made from a structure: a sheet to fill in, with lists to choose codes from."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING, Any

from statcommons.core.errors import BadCall
from statcommons.sdmx.model import Ref, in_language
from statcommons.sdmx.placing import together
from statcommons.sdmx.structure import Component, Structure

if TYPE_CHECKING:
    import xlsxwriter

__all__ = ["write_template"]

DATA, CODES, ABOUT = "Data", "Codes", "About"
ROWS = 100_000
"""Rows of the sheet that are prepared; Excel itself has 1,048,576."""

HINTS = {
    "number": "A number.",
    "integer": "A whole number.",
    "boolean": "true or false.",
    "period": "A period: 2026, 2026-11, 2026-11-21, 2026-Q4, 2026-W47.",
    "date": "A day as 2026-11-21.",
    "instant": "An instant as 2026-11-21T09:30:00Z.",
}


def write_template(structure: Structure, path: Path | str, *, languages: tuple[str, ...] = ("en",)) -> Path:
    """Write a workbook to fill in.

    The first sheet has a column for each component, its id in the first row, the name in a note, and for codes a list
    to choose from. All cells are text but those of numbers, so that ``004`` stays ``004`` and a year no date. The sheet
    of codes has their names; the last sheet says what the data are. Attributes that the structure itself knows are not
    asked for.

    Parameters
    ----------
    structure : Structure
        What the data are to be of.
    path : path
        The file.
    languages : tuple of str
        In which languages names are written, best first.

    Returns
    -------
    pathlib.Path
        The file.

    Raises
    ------
    NotAllowed, TryAgain
        When it cannot be written.
    BadCall
        When a sheet cannot hold the codes.

    Examples
    --------
    >>> import tempfile
    >>> from statcommons.sdmx.model import Ref
    >>> parts = (Component("AREA", "dimension", "text"), Component("OBS_VALUE", "measure", "number"))
    >>> flow = Structure(Ref("dataflow", "X", "DF"), Ref("datastructure", "X", "DSD"), {"en": "Sales"}, {}, parts)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_template(flow, folder + "/sales.xlsx").stat().st_size > 1_000
    True
    """
    import xlsxwriter

    path = Path(path)
    longest = max((len(one.items) for one in structure.codelists), default=0)
    if longest > 1_000_000:
        raise BadCall(f"A code list has {longest:,} codes.", where=str(structure.flow), remedy="Load a CSV file.")
    made = io.BytesIO()
    plain = {"strings_to_numbers": False, "strings_to_formulas": False, "in_memory": True}
    with xlsxwriter.Workbook(made, plain) as book:
        sheet = book.add_worksheet(DATA)
        lists = _codes(book, structure, languages)
        _data(book, sheet, structure, lists, languages)
        _about(book, structure, languages)
    with together(path.parent) as folder:
        (folder / path.name).write_bytes(made.getvalue())
    return path


def _data(
    book: xlsxwriter.Workbook,
    sheet: Any,
    structure: Structure,
    lists: dict[Ref, str],
    languages: tuple[str, ...],
) -> None:
    """Write the sheet to fill in."""
    text, number = book.add_format({"num_format": "@"}), book.add_format({"num_format": "General"})
    needed = book.add_format({"bold": True, "bottom": 1, "num_format": "@", "bg_color": "#DCE6F1"})
    optional = book.add_format({"bottom": 1, "num_format": "@", "bg_color": "#F2F2F2"})
    asked = [one for one in structure.components if not one.constant]
    for place, one in enumerate(asked):
        plain = one.type in ("number", "integer") and not one.codelist
        sheet.set_column(place, place, max(12, len(one.id) + 2), number if plain else text)
        sheet.write_string(0, place, one.id, needed if one.required or one.role != "attribute" else optional)
        sheet.write_comment(0, place, _note(one, languages))
        if one.codelist in lists:
            choice = {"validate": "list", "source": lists[one.codelist], "error_title": one.id}
            sheet.data_validation(1, place, ROWS, place, choice | {"error_message": f"See the sheet {CODES}."})
    sheet.freeze_panes(1, 0)


def _note(one: Component, languages: tuple[str, ...]) -> str:
    must = "" if one.required or one.role != "attribute" else " May be empty."
    several = " One value only." if one.multiple else ""
    words = (in_language(one.name, languages), in_language(one.description, languages))
    said = ". ".join(dict.fromkeys(word.rstrip(".") for word in words if word))
    hint = "A code of the list." if one.codelist else HINTS.get(one.type, "")
    return f"{said}. {hint}{must}{several}".strip()


def _codes(book: xlsxwriter.Workbook, structure: Structure, languages: tuple[str, ...]) -> dict[Ref, str]:
    """Write all code lists side by side, and give the range of the codes of each."""
    from xlsxwriter.utility import xl_range_abs

    sheet = book.add_worksheet(CODES)
    bold, text = book.add_format({"bold": True, "bottom": 1}), book.add_format({"num_format": "@"})
    ranges = {}
    for at, codelist in enumerate(structure.codelists):
        column = 2 * at
        sheet.set_column(column, column, 14, text)
        sheet.set_column(column + 1, column + 1, 34, text)
        sheet.write_string(0, column, str(codelist.ref), bold)
        sheet.write_string(0, column + 1, in_language(codelist.name, languages), bold)
        for row, item in enumerate(codelist.items, start=1):
            sheet.write_string(row, column, item.id, text)
            sheet.write_string(row, column + 1, in_language(item.name, languages), text)
        if codelist.items:
            ranges[codelist.ref] = f"={CODES}!{xl_range_abs(1, column, len(codelist.items), column)}"
    sheet.freeze_panes(1, 0)
    return ranges


def _about(book: xlsxwriter.Workbook, structure: Structure, languages: tuple[str, ...]) -> None:
    """Write what the data are, and how to fill the sheet in."""
    sheet = book.add_worksheet(ABOUT)
    sheet.set_column(0, 0, 18)
    sheet.set_column(1, 1, 90, book.add_format({"text_wrap": True}))
    lines = {
        "Name": in_language(structure.name, languages),
        "Description": in_language(structure.description, languages),
        "Dataflow": str(structure.flow),
        "Structure": str(structure.definition),
        "How": f"Write one observation a row on the sheet {DATA}. Leave its first row as it is.",
    }
    for row, (word, value) in enumerate(lines.items()):
        sheet.write_string(row, 0, word)
        sheet.write_string(row, 1, value)
