"""Files: which ones a path, folder or pattern names, and each opened as it is, whatever its kind.

Files of one physical layout are one :class:`Part`, which an engine reads in one go; text gives text.
"""

from __future__ import annotations

import glob
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from statcommons.core.engine import Engine, connect
from statcommons.core.errors import BadCall, BadData, NoInput, nearest
from statcommons.core.textfile import KINDS, UTF8, Dialect, Examined, examine, recoded

if TYPE_CHECKING:
    import ibis
    import pyarrow as pa

__all__ = ["FileMark", "Part", "assert_named_once", "files_of", "opened", "several", "suffix_of"]

TEXT = (".csv", ".tsv", ".txt", ".csv.gz", ".tsv.gz", ".txt.gz")
PARQUET = (".parquet", ".pq")
ARROW = (".arrow", ".feather", ".ipc")
EXCEL = (".xlsx", ".xls", ".xlsb", ".ods")
KNOWN = (*TEXT, *PARQUET, *ARROW, *EXCEL)
AS_FOUND = Dialect()
FILE, ROW = "__file", "__row"  # where a row came from, in a numbered table


@dataclass(frozen=True)
class FileMark:
    """A file as it was when reading began."""

    path: Path
    size: int
    changed: int

    @classmethod
    def of(cls, path: Path) -> FileMark:
        """Mark a file."""
        stat = path.stat()
        return cls(path, stat.st_size, stat.st_mtime_ns)


@dataclass(frozen=True)
class Part:
    """Rows of one physical layout: a group of like files, or one table in memory.

    ``readable`` names the file that the engine reads for each file of text, which may be a copy; ``counted`` counts the
    rows of each file, where they are numbered through; ``staged`` says that the table has file and number already.
    """

    label: str
    table: ibis.Table
    files: tuple[Path, ...] = ()
    dialect: Dialect = AS_FOUND
    readable: Mapping[Path, Path] = field(default_factory=dict)
    counted: Callable[[], list[int]] | None = None
    staged: bool = False

    @property
    def columns(self) -> list[str]:
        """The columns that the user's table has."""
        return [name for name in self.table.columns if not (self.staged and name in (FILE, ROW))]

    @property
    def header(self) -> int:
        """How many lines of a file the header takes: one in a text and a workbook, none elsewhere."""
        return int(bool(self.dialect.delimiter) or any(suffix_of(file.name) in EXCEL for file in self.files))


def files_of(path: Path, reference: str) -> list[Path]:
    """List the files that a path, folder or pattern names, each once.

    Parameters
    ----------
    path : path
        What the reference means on this machine.
    reference : str
        What the user wrote.

    Raises
    ------
    NoInput
        When there is none.

    Examples
    --------
    >>> files_of(Path("sales.csv"), "sales.csv")
    Traceback (most recent call last):
    statcommons.core.errors.NoInput: sales.csv: There is no such file. Check the path.
    """
    if path.is_dir():
        found = [one for one in _walked(path) if suffix_of(one.name) in KNOWN]
        if not found:
            raise NoInput("The directory has no table in it.", where=reference, remedy=KINDS)
    elif path.exists():
        found = [path]
    elif any(sign in reference for sign in "*?["):
        matches = sorted(glob.glob(str(path), recursive=True))  # noqa: PTH207  a pattern may be absolute
        found = [one for one in map(Path, matches) if not one.is_dir()]
        if not found:
            raise NoInput("No file matches the pattern.", where=reference, remedy="Check the folder and the pattern.")
    else:
        raise NoInput("There is no such file.", where=reference, remedy=_beside(path))
    for one in found:
        if not one.exists():
            raise NoInput("The link leads nowhere.", where=str(one), remedy="Mend the link, or leave it out.")
        if not one.is_file():
            raise NoInput(
                "It is no file, but a device or a pipe.", where=str(one), remedy="Write its content to a file first."
            )
    return list({one.resolve(): one for one in reversed(found)}.values())[::-1]  # a link may lead round in a circle


def _walked(folder: Path) -> Iterator[Path]:
    """Walk through a folder in the order of names, past what is hidden; a folder that may not be read is refused."""

    def refuse(error: OSError) -> None:
        raise error

    for place, folders, names in os.walk(folder, onerror=refuse):
        folders[:] = sorted(name for name in folders if not name.startswith((".", "_")))
        yield from (Path(place, name) for name in sorted(names) if not name.startswith((".", "_", "~$")))


def _beside(path: Path) -> str:
    beside = sorted(one.name for one in path.parent.iterdir() if one.exists()) if path.parent.is_dir() else []
    hint = nearest(path.name, beside).split(" Known:")[0]
    return hint if hint.startswith("Did") else "Check the path."


def suffix_of(name: str) -> str:
    """Give what a name of a file ends with, in lower case, past a compression.

    Parameters
    ----------
    name : str
        The name.

    Examples
    --------
    >>> suffix_of("Sales.2026.CSV.gz"), suffix_of("sales")
    ('.csv.gz', '')
    """
    suffixes = [one.lower() for one in Path(name).suffixes]
    return "".join(suffixes[-2:]) if suffixes[-1:] == [".gz"] else "".join(suffixes[-1:])


def opened(files: Sequence[Path], engine: Engine, dialect: Dialect) -> tuple[tuple[Part, ...], tuple[str, ...]]:
    """Open files, those of one layout together, and tell how those of text were found to be written.

    Parameters
    ----------
    files : sequence of path
        The files.
    engine : Engine
        Where the tables shall live.
    dialect : Dialect
        What is known of how files of text are written.

    Raises
    ------
    BadData
        When a file is empty, broken or of no known kind.

    Examples
    --------
    >>> with connect() as engine:
    ...     opened([Path("sales.doc")], engine, AS_FOUND)
    Traceback (most recent call last):
    statcommons.core.errors.BadData: sales.doc: The kind of file '.doc' is not known. ...
    """
    parts: list[Part] = []
    notes: list[str] = []
    unknown = [file for file in files if suffix_of(file.name) not in KNOWN]
    if unknown:
        raise BadData(f"The kind of file {unknown[0].suffix!r} is not known.", where=unknown[0].name, remedy=KINDS)
    for file in files:
        with file.open("rb"):
            pass  # a file that may not be read is refused before anything is
        if file.stat().st_size == 0:
            raise BadData("The file is empty.", where=file.name, remedy="Give a file with at least one row.")
    text = [file for file in files if suffix_of(file.name) in TEXT]
    parts += _text_parts(text, engine, dialect, notes)
    parts += _parquet_parts([file for file in files if suffix_of(file.name) in PARQUET], engine)
    for file in files:
        if suffix_of(file.name) in (*ARROW, *EXCEL):
            arrow = _arrow_file(file) if suffix_of(file.name) in ARROW else _workbook(file, dialect, notes)
            parts.append(Part(file.name, engine.adopt(arrow), (file,), dialect))
    return tuple(parts), tuple(notes)


def assert_named_once(names: Sequence[str], where: str) -> None:
    """Refuse a table of which two columns have one name: whichever was read, it might be the wrong one.

    Parameters
    ----------
    names : sequence of str
        The names of its columns.
    where : str
        What an error calls the table.

    Examples
    --------
    >>> assert_named_once(["time", "price", "price"], "sales.parquet")
    Traceback (most recent call last):
    statcommons.core.errors.BadData: sales.parquet: The header names a column twice: price. Give each column a name of \
its own.
    """
    if twice := sorted({name for name in names if list(names).count(name) > 1}):
        raise BadData(
            f"The header names a column twice: {', '.join(twice)}.",
            where=where,
            remedy="Give each column a name of its own.",
        )


def several(names: Sequence[str]) -> str:
    """Name several files by the first.

    Parameters
    ----------
    names : sequence of str
        Their names.

    Examples
    --------
    >>> several(["a.csv", "b.csv"])
    'a.csv and 1 more'
    """
    return names[0] + (f" and {len(names) - 1} more" if len(names) > 1 else "")


def _text_parts(files: list[Path], engine: Engine, given: Dialect, notes: list[str]) -> list[Part]:
    """Open text files, those of one header and dialect together."""
    layouts: dict[Examined, dict[Path, Path]] = {}
    for file in files:
        found = examine(file, given)
        readable = file if found.readable else recoded(file, found.dialect.encoding, engine.new_file(".csv"))
        layouts.setdefault(found, {})[file] = readable
    parts = []
    for found, readables in layouts.items():
        label = several([file.name for file in readables])
        notes += _written(label, found)
        if engine.kind == "spark":
            parts.append(Part(label, _staged(engine, readables, found), tuple(readables), found.dialect, staged=True))
            continue
        copies = list(readables.values())
        opened, counted = _open_text(engine, copies, found), _counter(engine, copies, found)
        parts.append(Part(label, opened, tuple(readables), found.dialect, readables, counted))
    return parts


def _written(label: str, found: Examined) -> list[str]:
    """Tell how a file was found to be written where it is not as most are."""
    if found.guessed:
        return [
            f"{label} was read with {found.dialect}. It is not UTF-8 and its encoding is a guess: "
            "a mapping file can say it ([format] encoding)."
        ]
    plain = Dialect(",", ".", found.dialect.encoding if found.dialect.encoding in UTF8 else "utf-8")
    return [] if found.dialect == plain else [f"{label} was read with {found.dialect}."]


def _open_text(engine: Engine, files: list[Path], found: Examined) -> ibis.Table:
    return engine.csv(files, found.header, found.dialect.delimiter, above=found.above)


def _counter(engine: Engine, files: list[Path], found: Examined) -> Callable[[], list[int]]:
    return lambda: engine.csv_rows(files, len(found.header), found.dialect.delimiter, above=found.above)


def _staged(engine: Engine, readable: Mapping[Path, Path], found: Examined) -> ibis.Table:
    """Bring text to Spark as Parquet, so that one reader of text serves both engines and rows keep their numbers."""
    import ibis

    files = []
    with connect(spill=engine.folder() / "staging") as duckdb:
        for original, copy in readable.items():
            rows = _open_text(duckdb, [copy], found)
            numbered = rows.mutate(**{FILE: ibis.literal(str(original)), ROW: ibis.row_number() + 1})
            files.append(engine.new_file(".parquet"))
            duckdb.to_parquet(numbered, files[-1], f"Stage {original.name}")
    return engine.parquet(files)


def _parquet_parts(files: list[Path], engine: Engine) -> list[Part]:
    """Open Parquet files, those of one physical schema together."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    layouts: dict[Any, list[Path]] = {}
    for file in files:
        try:
            schema = pq.read_schema(file)
        except pa.ArrowInvalid as error:
            raise BadData(
                f"The Parquet file cannot be read: {str(error).rstrip('.')}.", where=file.name, remedy="Get it again."
            ) from None
        except OSError as error:
            raise BadData(f"The Parquet file is broken: {error}.", where=file.name, remedy="Get it again.") from None
        assert_named_once(schema.names, file.name)
        layouts.setdefault(tuple((field.name, str(field.type)) for field in schema), []).append(file)
    parts = []
    for group in layouts.values():
        label = several([file.name for file in group])
        counted = partial(_parquet_rows, group) if engine.kind == "duckdb" else None  # Spark reads in no order
        parts.append(Part(label, engine.parquet(group), tuple(group), counted=counted))
    return parts


def _parquet_rows(files: list[Path]) -> list[int]:
    import pyarrow.parquet as pq

    return [pq.read_metadata(file).num_rows for file in files]


def _arrow_file(file: Path) -> pa.Table:
    import pyarrow as pa
    import pyarrow.feather

    try:
        table = pyarrow.feather.read_table(str(file), memory_map=True)
    except (pa.ArrowInvalid, OSError) as error:
        raise BadData(
            f"The Arrow file cannot be read: {str(error).rstrip('.')}.", where=file.name, remedy="Get it again."
        ) from None
    assert_named_once(table.column_names, file.name)
    return table


def _workbook(file: Path, dialect: Dialect, notes: list[str]) -> pa.Table:
    import fastexcel
    import pyarrow as pa

    try:
        workbook = fastexcel.read_excel(str(file))
        if dialect.sheet and dialect.sheet not in workbook.sheet_names:
            raise BadCall(
                f"The workbook has no sheet {dialect.sheet!r}.",
                where=file.name,
                remedy=nearest(dialect.sheet, workbook.sheet_names),
            )
        # All rows are looked at: a text beyond a sample would silently be missing in a column of numbers.
        sheet = workbook.load_sheet(dialect.sheet or 0, schema_sample_rows=None)
        batch, faults = sheet.to_arrow_with_errors()
        head = workbook.load_sheet(dialect.sheet or 0, header_row=None, n_rows=1, dtypes="string").to_arrow()
    except fastexcel.FastExcelError as error:
        reason = str(error).splitlines()[0]
        raise BadData(
            f"The workbook cannot be read: {reason}.", where=file.name, remedy="Save it again as .xlsx."
        ) from None
    if batch.num_rows == 0:
        raise BadData("The sheet has a header and no rows.", where=file.name, remedy="Give at least one row.")
    named = [name for column in head.columns for name in column.to_pylist() if name]
    assert_named_once(named, f"{file.name}, row 1")
    if faults:
        count = len(faults.errors)
        notes.append(f"Cells of {file.name} with an error of Excel, such as #N/A, are missing: {count:,}.")
    return pa.table(batch)
