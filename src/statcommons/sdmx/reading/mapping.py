"""A small mapping file: which column of a table is which component, and how its values are written.

.. code-block:: toml

    [columns]            # component = column of the file
    REF_AREA = "Area code"
    [constants]          # components that the file does not have
    FREQ = "A"
    [codes.SEX]          # value of the file = code
    Male = "M"
    [format]
    decimal = ","        # also: delimiter, encoding, sheet
    date = "%d/%m/%Y"
"""

from __future__ import annotations

import datetime
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from statcommons.core.errors import BadCall, BadData, NoInput, nearest
from statcommons.sdmx.message import Rows, measured, under
from statcommons.sdmx.structure import Structure

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["TableMapping"]

SECTIONS = ("columns", "constants", "codes", "format")
FORMAT = ("decimal", "date", "delimiter", "encoding", "sheet")
COMMA = r"^([+-]?\d+),(\d+)$"


@dataclass(frozen=True)
class TableMapping:
    """How a table that is not written in SDMX's own way becomes rows.

    Parameters
    ----------
    columns : mapping of str to str
        Names of columns by component. Components that are not here are looked for under their ids.
    constants : mapping of str to str
        Values by component, for what the file does not have.
    codes : mapping of str to mapping of str to str
        For a component, codes by the value of the file; other values stay.
    decimal : {"", ".", ","}
        The decimal sign of numbers.
    date : str
        How dates are written, as ``strptime`` has it; they become days, months (``%m/%Y``) or years (``%Y``).
    delimiter, encoding, sheet : str
        Of a text file, and the sheet of a workbook.
    """

    columns: Mapping[str, str] = field(default_factory=dict)
    constants: Mapping[str, str] = field(default_factory=dict)
    codes: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    decimal: str = ""
    date: str = ""
    delimiter: str = ""
    encoding: str = ""
    sheet: str = ""

    @classmethod
    def from_any(cls, given: TableMapping | Mapping[str, Any] | Path | str | None) -> TableMapping:
        """Read a mapping from plain data or from the path of its file.

        Raises
        ------
        NoInput
            When there is no such file.
        BadCall
            When it is no TOML, or has what a mapping does not know.

        Examples
        --------
        >>> TableMapping.from_any({"format": {"decimal": ","}}).decimal
        ','
        """
        if given is None or isinstance(given, TableMapping):
            return given or cls()
        if isinstance(given, Mapping):
            return _from_plain(given, "mapping")
        path = Path(given)
        try:
            return _from_plain(tomllib.loads(path.read_text(encoding="utf-8")), path.name)
        except OSError:
            raise NoInput("There is no such mapping file.", where=str(path), remedy="Check the path.") from None
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise BadCall(f"The mapping file is not TOML: {error}.", where=path.name) from None


def _from_plain(plain: Mapping[str, Any], where: str) -> TableMapping:
    if unknown := next((name for name in plain if name not in SECTIONS), None):
        raise BadCall(f"The mapping has [{unknown}].", where=where, remedy=nearest(unknown, list(SECTIONS)))
    if wrong := next((name for name, said in plain.items() if not isinstance(said, Mapping)), None):
        raise BadCall(f"{wrong} is no section.", where=where, remedy=f'Write [{wrong}] and lines as FREQ = "A" below.')
    form = plain.get("format", {})
    if unknown := next((name for name in form if name not in FORMAT), None):
        raise BadCall(f"[format] has {unknown!r}.", where=where, remedy=nearest(unknown, list(FORMAT)))
    flat = [plain.get("columns", {}), plain.get("constants", {}), form, *plain.get("codes", {}).values()]
    if not all(isinstance(one, Mapping) and all(isinstance(text, str) for text in one.values()) for one in flat):
        raise BadCall("A value of the mapping is not text.", where=where, remedy='Write lines as FREQ = "A".')
    if form.get("decimal", "") not in ("", ".", ","):
        raise BadCall(f"decimal is {form['decimal']!r}.", where=f"{where}, [format]", remedy='Give "." or ",".')
    if len(form.get("delimiter", "")) > 1:
        remedy = 'Give one sign, such as ";".'
        raise BadCall(f"delimiter is {form['delimiter']!r}.", where=f"{where}, [format]", remedy=remedy)
    named = list(plain.get("columns", {}).values())
    if twice := next((column for column in named if named.count(column) > 1), None):
        raise BadCall(
            f"The mapping takes the column {twice!r} for several components.",
            where=f"{where}, [columns]",
            remedy="Name it once; a value that is the same in all rows is said in [constants].",
        )
    return TableMapping(plain.get("columns", {}), plain.get("constants", {}), plain.get("codes", {}), **form)


def mapped(rows: Rows, mapping: TableMapping, structure: Structure | None) -> Rows:
    """Give rows as a mapping wants them.

    Parameters
    ----------
    rows : Rows
        As they stand in the file.
    mapping : TableMapping
        What is to be done.
    structure : Structure, optional
        The structure, which tells what is a number and what is time; else ``OBS_VALUE`` and ``TIME_PERIOD`` are.

    Raises
    ------
    BadData
        When a column that the mapping names is not there.
    """
    missing = [name for name in mapping.columns.values() if rows.given and name not in rows.given]
    if missing:
        raise BadData(
            f"There is no column {', '.join(map(repr, missing))}, which the mapping names.",
            where=rows.path,
            remedy=nearest(missing[0], sorted(rows.given)),
        )
    if structure and rows.measure not in mapping.columns.values():
        rows = measured(rows, structure)
    batches = _Mapped(rows, mapping, structure)
    given = {id for name in rows.given if (id := batches.name(name))} | set(mapping.constants)
    return replace(rows, batches=batches, given=frozenset(given))


@dataclass(frozen=True)
class _Mapped:
    """Batches with columns named and values written as SDMX has them."""

    rows: Rows
    mapping: TableMapping
    structure: Structure | None

    def name(self, column: str) -> str | None:
        """Give the component of a column.

        Where a mapping names columns, one that it does not name and that is no component is left out, as it wants.
        """
        names = {column: id for id, column in self.mapping.columns.items()}
        if column in names:
            return names[column]
        known = self.structure is None or column in self.structure or not names
        return column if known and column not in {*self.mapping.columns, *self.mapping.constants} else None

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        import pyarrow as pa

        for batch in self.rows.batches:
            columns: dict[str, Any] = {}
            for name, cells in zip(batch.schema.names, batch.columns, strict=True):
                id = name if name.startswith("_") else self.name(name)
                if id:
                    columns[id] = cells if id.startswith("_") else self._written(id, cells)
            for id, value in self.mapping.constants.items():
                columns[id] = pa.repeat(pa.scalar(value), batch.num_rows)
            yield pa.RecordBatch.from_pydict(columns)

    def under(self, structure: Structure) -> _Mapped:
        """Give batches that know their structure; which columns there are stays as the mapping had it."""
        return replace(self, rows=replace(self.rows, batches=under(self.rows.batches, structure)))

    def _written(self, id: str, cells: pa.Array) -> pa.Array:
        import pyarrow as pa
        import pyarrow.compute as pc

        if pa.types.is_nested(cells.type):
            return cells
        if codes := self.mapping.codes.get(id):
            cells = _distinct(cells, [(codes.get(one, one)) for one in _words(cells)])
        if self.mapping.decimal == "," and self._is(id, "measure", "OBS_VALUE"):
            return pc.replace_substring_regex(cells.cast(pa.string()), COMMA, r"\1.\2")
        if self.mapping.date and self._is(id, "time", "TIME_PERIOD"):
            return _distinct(cells, [_dated(one, self.mapping.date) for one in _words(cells)])
        return cells

    def _is(self, id: str, role: str, usual: str) -> bool:
        if self.structure is None:
            return id == usual
        return id in self.structure and self.structure[id].role == role


def _words(cells: pa.Array) -> list[str]:
    import pyarrow as pa

    encoded = cells if pa.types.is_dictionary(cells.type) else cells.dictionary_encode()
    return list(encoded.dictionary.to_pylist())


def _distinct(cells: pa.Array, words: Sequence[str]) -> pa.Array:
    """Put other words in the place of the distinct ones."""
    import pyarrow as pa

    encoded = cells if pa.types.is_dictionary(cells.type) else cells.dictionary_encode()
    return pa.array(words, pa.string()).take(encoded.indices)


def _dated(text: str, form: str) -> str:
    """Write a date as ISO 8601 does, as far as its form tells; what has another form stays as it is."""
    try:
        found = datetime.datetime.strptime(text, form)
    except ValueError:
        return text
    if any(sign in form for sign in ("%d", "%j", "%x")):
        return f"{found:%Y-%m-%d}"
    return f"{found:%Y-%m}" if any(sign in form for sign in ("%m", "%b", "%B")) else f"{found:%Y}"
