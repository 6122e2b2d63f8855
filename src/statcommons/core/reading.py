"""Reading any table that a user has: a path, glob, folder or URL, a data frame, an Ibis table, or what readers bring.

What was read is kept as a :class:`Reading`: its parts (one a physical layout), the files behind it with their digests,
and how each text file was found to be written. Nothing is cast here; :mod:`statcommons.core.check` does that by schema.
"""

from __future__ import annotations

import contextlib
import errno
import glob
import hashlib
import os
import tomllib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from collections.abc import Mapping as AnyMapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from statcommons.core.engine import BadLine, Engine, connect, current, engine_of
from statcommons.core.errors import BadCall, BadData, Cancelled, NoInput, NotAllowed, TryAgain, nearest
from statcommons.core.fetch import fetched
from statcommons.core.textfile import KINDS, UTF8, Dialect, Examined, examine, misfit, recoded, sha256

if TYPE_CHECKING:
    import ibis
    import pandas as pd
    import polars as pl
    import pyarrow as pa

    TableLike: TypeAlias = str | Path | ibis.Table | pa.Table | pd.DataFrame | pl.DataFrame | Sequence[Any]
else:
    TableLike: TypeAlias = Any  # the libraries are imported when a table of theirs comes
"""What a user may give as a table; see :func:`table`."""

__all__ = ["Mapping", "Part", "Reading", "TableLike", "read", "table"]

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
    readable: AnyMapping[Path, Path] = field(default_factory=dict)
    counted: Callable[[], list[int]] | None = None
    staged: bool = False

    @property
    def columns(self) -> list[str]:
        """The columns that the user's table has."""
        return [name for name in self.table.columns if not (self.staged and name in (FILE, ROW))]

    @property
    def header(self) -> int:
        """How many lines of a file the header takes: one in a text and a workbook, none elsewhere."""
        return int(bool(self.dialect.delimiter) or any(_suffix(file.name) in EXCEL for file in self.files))


@dataclass(frozen=True)
class Mapping:
    """From a schema's column names to the user's, and how the user's text files are written.

    As a file, it is a small TOML::

        [columns]
        price = "unit_price"

        [format]
        decimal = ","
        date = "%d/%m/%Y"
    """

    columns: tuple[tuple[str, str], ...] = ()
    dialect: Dialect = AS_FOUND

    def name(self, column: str) -> str:
        """Give the user's name of a column."""
        return dict(self.columns).get(column, column)

    def as_dict(self) -> dict[str, Any]:
        """Give the mapping as plain data, in the form of its file."""
        given = {key: value for key, value in vars(self.dialect).items() if value}
        words = {"date_format": "date"}
        sections = {
            "columns": dict(self.columns),
            "format": {words.get(key, key): value for key, value in given.items()},
        }
        return {name: section for name, section in sections.items() if section}

    @classmethod
    def from_any(cls, given: Mapping | dict[str, Any] | Path | str | None) -> Mapping:
        """Read a mapping from whatever a caller has: plain data, the path of its file, or nothing."""
        if isinstance(given, dict):
            return cls.from_dict(given)
        if isinstance(given, str | Path):
            return cls.from_file(Path(given))
        return given or cls()

    @classmethod
    def from_dict(cls, plain: Any, where: str = "mapping") -> Mapping:
        """Read a mapping from plain data: its file's form, or the columns alone."""
        sections = plain if any(isinstance(one, dict) for one in plain.values()) else {"columns": plain}
        for name, section in sections.items():
            if name not in ("columns", "format"):
                raise BadCall(f"The mapping has [{name}].", where=where, remedy=nearest(name, ["columns", "format"]))
            if not isinstance(section, dict) or not all(isinstance(one, str) for one in section.values()):
                raise BadCall(
                    f"[{name}] is {section!r}.", where=where, remedy='Give lines such as price = "unit_price".'
                )
        form = dict(sections.get("format", {}))
        known = {"delimiter": "one sign", "decimal": '"." or ","', "encoding": "", "date": "", "sheet": ""}
        for key, value in form.items():
            if key not in known:
                raise BadCall(f"[format] has {key!r}.", where=where, remedy=nearest(key, list(known)))
            if (key == "delimiter" and len(value) > 1) or (key == "decimal" and value not in ("", ".", ",")):
                raise BadCall(f"{key} is {value!r}.", where=f"{where}, [format]", remedy=f"Give {known[key]}.")
        if "date" in form:
            form["date_format"] = form.pop("date")
        return cls(tuple(sections.get("columns", {}).items()), Dialect(**form))

    @classmethod
    def from_file(cls, path: Path) -> Mapping:
        """Read a mapping file."""
        try:
            return cls.from_dict(tomllib.loads(path.read_text(encoding="utf-8")), path.name)
        except FileNotFoundError:
            raise NoInput("There is no such mapping file.", where=str(path), remedy="Check the path.") from None
        except OSError as error:
            raise NotAllowed(
                f"The mapping file cannot be read: {error.strerror}.", where=str(path), remedy="Give a TOML file."
            ) from None
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise BadCall(f"The mapping file is not TOML: {error}.", where=path.name) from None


@dataclass(frozen=True)
class Reading:
    """What was read, before any schema is applied."""

    label: str
    engine: Engine
    parts: tuple[Part, ...]
    files: tuple[FileMark, ...] = ()
    content: Any = None
    notes: tuple[str, ...] = ()
    mapping: Mapping = Mapping()
    reference: str = ""

    @property
    def columns(self) -> tuple[str, ...]:
        """All columns that any part has, in order of appearance."""
        return tuple(dict.fromkeys(name for part in self.parts for name in part.columns))

    def table(self) -> ibis.Table:
        """Give all rows as they were read; text files give text."""
        import ibis

        wanted = self.columns
        for part in self.parts:
            missing = [name for name in wanted if name not in part.table.columns]
            if missing:
                raise BadData(
                    f"The files have different columns: {part.label} has no {', '.join(missing)}.",
                    where=self.label,
                    remedy="Give files of one layout, or name a method's input, which says what it needs.",
                )
        names = {user: ours for ours, user in self.mapping.columns}
        tables = [
            part.table.select(**{names.get(name, name): part.table[name] for name in wanted}) for part in self.parts
        ]
        return tables[0] if len(tables) == 1 else ibis.union(*tables)

    def digests(self) -> dict[str, str]:
        """Compute the SHA-256 of each file by its name, or of the content in memory."""
        if self.files:
            return {name: sha256(mark.path) for name, mark in self.named_files().items()}
        from statcommons.core.digest import content_digest

        return {
            "memory": content_digest(self.content if self.content is not None else self.engine.collect(self.table()))
        }

    def named_files(self) -> dict[str, FileMark]:
        """Give the files by their names, with as much of the path as tells them apart."""
        whole = [mark.path.absolute().parts for mark in self.files]
        names: list[str] = []
        for depth in range(1, max(map(len, whole), default=0) + 1):
            names = ["/".join(parts[-depth:]) for parts in whole]
            if len(set(names)) == len(names):
                break
        return dict(zip(names, self.files, strict=True))

    def names(self) -> dict[Path, str]:
        """Give the names of the files as errors write them."""
        return {mark.path: name for name, mark in self.named_files().items()}

    def located(self, error: BadLine) -> BadData:
        """Say of a line that does not fit in which file it is and where: an engine counts rows, and may read a copy."""
        for part in self.parts:
            for file, readable in part.readable.items():
                if readable == error.file:
                    line = misfit(file, part.dialect, len(part.columns))
                    return BadData(error.what, where=f"{self.names()[file]}, row {line:,}", remedy=error.remedy)
        return error

    def assert_unchanged(self) -> None:
        """Refuse what was computed from a file that changed meanwhile."""
        for mark in self.files:
            if not mark.path.exists() or FileMark.of(mark.path) != mark:
                raise TryAgain(
                    "The file changed while it was read.", where=mark.path.name, remedy="Run again when it is whole."
                )


@contextlib.contextmanager
def unchanged(readings: Iterable[Reading]) -> Iterator[None]:
    """Refuse what is computed within if a file changes meanwhile, and name that before any fault that came of it."""
    try:
        yield
    except Cancelled:
        raise
    except Exception:
        for reading in readings:
            reading.assert_unchanged()
        raise
    for reading in readings:
        reading.assert_unchanged()


def one_digest(digests: dict[str, str]) -> str:
    """Fold the digests of several files into one that depends on their bytes alone.

    Examples
    --------
    >>> one_digest({"a.csv": "12ab"})
    '12ab'
    """
    values = sorted(digests.values())
    return values[0] if len(values) == 1 else hashlib.sha256("\n".join(values).encode()).hexdigest()


def table(
    anything: TableLike,
    *,
    engine: Engine | None = None,
    mapping: Mapping | dict[str, Any] | Path | None = None,
    label: str = "table",
) -> ibis.Table:
    """Open any table that you have as an Ibis table.

    Parameters
    ----------
    anything : path, glob, directory, URL, data frame, Arrow or Ibis table, or a list of these
        CSV, Parquet, Arrow, Feather, Excel, ``source:ID``, and what installed readers bring. Text files give text
        columns, because ``004`` is a code until a schema says that it is a number.
    engine : Engine, optional
        Where the table shall live; by default the current engine.
    mapping : mapping, dict or path of a TOML file, optional
        From the names that are wanted to the user's, and how a text file is written where it should not be found out.
    label : str
        What errors call the table.

    Returns
    -------
    ibis.Table
        All columns, unchecked.

    Raises
    ------
    NoInput
        When there is no such file.
    BadData
        When a file cannot be read.

    Examples
    --------
    >>> import pyarrow as pa
    >>> table(pa.table({"kod": ["004", "NA"]}), mapping={"code": "kod"}).columns
    ('code',)
    """
    return read(anything, engine=engine, mapping=mapping, label=label).table()


def read(
    anything: TableLike,
    *,
    engine: Engine | None = None,
    mapping: Mapping | dict[str, Any] | Path | None = None,
    label: str = "table",
) -> Reading:
    """Open any table as a :class:`Reading`, which knows its files and where each row stands.

    It takes what :func:`table` takes, and a method takes it as an input: the way to pass a mapping in a call.

    Parameters
    ----------
    anything : path, glob, directory, URL, data frame, Arrow or Ibis table, or a list of these
        See :func:`table`.
    engine : Engine, optional
        Where the table shall live; by default the current engine.
    mapping : mapping, dict or path of a TOML file, optional
        From the names that are wanted to the user's, and how a text file is written where it should not be found out.
    label : str
        What errors call the table.

    Returns
    -------
    Reading
        What was read, unchecked.
    """
    if isinstance(anything, Reading):
        return anything
    mapping = Mapping.from_any(mapping)
    opened = _read(anything, engine, mapping.dialect, label)
    names = opened.names()
    parts = tuple(
        replace(one, label=_several([names[file] for file in one.files])) if one.files else one for one in opened.parts
    )
    return replace(opened, parts=parts, mapping=mapping, reference=anything if isinstance(anything, str) else "")


def _read(anything: Any, engine: Engine | None, dialect: Dialect, label: str) -> Reading:
    """Open any table, before its columns are named."""
    import ibis

    if isinstance(anything, ibis.Table):
        home = engine or engine_of(anything)
        return Reading(label, home, (Part(label, anything),))
    engine = engine or current()
    if isinstance(anything, str | Path):
        return _read_reference(str(anything), engine, dialect, label)
    if isinstance(anything, list | tuple):
        if not anything:
            raise NoInput("The list is empty.", where=label, remedy="Give at least one table or file.")
        return _joined([_read(one, engine, dialect, label) for one in anything], label)
    arrow = _as_arrow(anything, label)
    return Reading(label, engine, (Part(label, engine.adopt(arrow)),), content=arrow)


def _joined(readings: list[Reading], label: str) -> Reading:
    if len(readings) == 1:
        return readings[0]
    parts = tuple(part for one in readings for part in one.parts)
    files = tuple(mark for one in readings for mark in one.files)
    path, times = Counter(mark.path.resolve() for mark in files).most_common(1)[0] if files else (None, 1)
    if times > 1:
        raise BadCall("The file is given twice.", where=str(path), remedy="Give each file once.")
    notes = tuple(note for one in readings for note in one.notes)
    return Reading(label, readings[0].engine, parts, files, notes=notes)


def _as_arrow(anything: Any, label: str) -> pa.Table:
    import pyarrow as pa

    try:
        table = _arrow_of(anything, label)
    except (pa.ArrowException, TypeError, ValueError) as error:  # columns of different lengths, of mixed types …
        reason = "; ".join(map(str, error.args))
        raise BadData(
            f"The table cannot be read: {reason}.", where=label, remedy="Give each column one type and one length."
        ) from None
    if not table.column_names:
        raise BadData("The table has no columns.", where=label, remedy="Give a table with columns and rows.")
    return table


def _arrow_of(anything: Any, label: str) -> pa.Table:
    import pyarrow as pa

    if isinstance(anything, pa.Table):
        return anything
    kind = type(anything)
    library = kind.__module__.split(".")[0]
    if library == "pandas" and kind.__name__ == "DataFrame":
        return pa.Table.from_pandas(anything, preserve_index=False)  # turns NaN into null
    if library == "polars" and kind.__name__ in ("DataFrame", "LazyFrame"):
        import polars as pl

        return anything.lazy().collect().to_arrow(compat_level=pl.CompatLevel.oldest())
    if isinstance(anything, dict):
        if any(isinstance(column, str | bytes) for column in anything.values()):
            raise TypeError("a text stands for a column")
        return pa.table(anything)
    if hasattr(anything, "__arrow_c_stream__") and library not in ("pandas", "polars"):  # their series have no columns
        return pa.table(anything)
    raise BadCall(
        f"{label} is a {kind.__module__}.{kind.__qualname__}.",
        remedy="Give a path, a pandas, Polars, Arrow or Ibis table.",
    )


# --- references: paths, globs, folders, URLs ------------------------------------------------------------------------


def _read_reference(reference: str, engine: Engine, dialect: Dialect, label: str) -> Reading:
    from statcommons.core.registry import find_source, readers

    scheme = reference.partition(":")[0].lower()
    if scheme == "source":
        return _read(find_source(reference.partition(":")[2])(), engine, dialect, label)
    installed = readers()
    if reader := installed.get(scheme if ":" in reference else "") or installed.get(_suffix(reference).lstrip(".")):
        return _read(reader(reference), engine, dialect, label)
    if "://" in reference:
        return _read_files([fetched(reference, engine.new_file(""))], engine, dialect, reference)
    path = Path(os.path.expanduser(reference))  # noqa: PTH111  Path refuses a user that is not there
    try:
        files = _files(path, reference)
        return _read_files(files, engine, dialect, path.name or reference)
    except PermissionError as error:
        raise NotAllowed(
            "The file may not be read.",
            where=str(error.filename or path),
            remedy="Ask its owner for the right to read it.",
        ) from None
    except OSError as error:
        if error.errno not in (errno.ENAMETOOLONG, errno.ELOOP, errno.ENOTDIR, errno.ENOENT, errno.EIO):
            raise
        raise NoInput(
            f"The file cannot be opened: {error.strerror}.", where=str(error.filename or path), remedy="Check the path."
        ) from None


def _files(path: Path, reference: str) -> list[Path]:
    """List the files that a path, folder or pattern names, each once."""
    if path.is_dir():
        found = [one for one in _walked(path) if _suffix(one.name) in KNOWN]
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


def _suffix(name: str) -> str:
    suffixes = [one.lower() for one in Path(name).suffixes]
    return "".join(suffixes[-2:]) if suffixes[-1:] == [".gz"] else "".join(suffixes[-1:])


def _read_files(files: list[Path], engine: Engine, dialect: Dialect, label: str) -> Reading:
    marks = tuple(FileMark.of(file) for file in files)
    parts: list[Part] = []
    notes: list[str] = []
    unknown = [file for file in files if _suffix(file.name) not in KNOWN]
    if unknown:
        raise BadData(f"The kind of file {unknown[0].suffix!r} is not known.", where=unknown[0].name, remedy=KINDS)
    for file in files:
        with file.open("rb"):
            pass  # a file that may not be read is refused before anything is
        if file.stat().st_size == 0:
            raise BadData("The file is empty.", where=file.name, remedy="Give a file with at least one row.")
    text = [file for file in files if _suffix(file.name) in TEXT]
    parts += _text_parts(text, engine, dialect, notes)
    parts += _parquet_parts([file for file in files if _suffix(file.name) in PARQUET], engine)
    for file in files:
        if _suffix(file.name) in (*ARROW, *EXCEL):
            arrow = _arrow_file(file) if _suffix(file.name) in ARROW else _workbook(file, dialect, notes)
            parts.append(Part(file.name, engine.adopt(arrow), (file,), dialect))
    return Reading(label, engine, tuple(parts), marks, notes=tuple(notes))


def _several(names: Sequence[str]) -> str:
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
        label = _several([file.name for file in readables])
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


def _staged(engine: Engine, readable: AnyMapping[Path, Path], found: Examined) -> ibis.Table:
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
        layouts.setdefault(tuple((field.name, str(field.type)) for field in schema), []).append(file)
    parts = []
    for group in layouts.values():
        label = _several([file.name for file in group])
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
        return pyarrow.feather.read_table(str(file), memory_map=True)
    except (pa.ArrowInvalid, OSError) as error:
        raise BadData(
            f"The Arrow file cannot be read: {str(error).rstrip('.')}.", where=file.name, remedy="Get it again."
        ) from None


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
    if twice := sorted({name for name in named if named.count(name) > 1}):
        raise BadData(
            f"The header names a column twice: {', '.join(twice)}.",
            where=f"{file.name}, row 1",
            remedy="Give each column a name of its own.",
        )
    if faults:
        count = len(faults.errors)
        notes.append(f"Cells of {file.name} with an error of Excel, such as #N/A, are missing: {count:,}.")
    return pa.table(batch)
