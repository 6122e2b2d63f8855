"""Reading any table that a user has: a path, glob, folder or URL, a data frame, an Ibis table, or what readers bring.

What was read is kept as a :class:`Reading`: its parts (one a physical layout), the files behind it with their digests,
and how each text file was found to be written. Nothing is cast here; :mod:`statcommons.core.check` does that by schema.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import tomllib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from statcommons.core.engine import BadLine, Engine, current, engine_of
from statcommons.core.errors import BadCall, BadData, Cancelled, NoInput, NotAllowed, TryAgain, nearest
from statcommons.core.fetch import fetched
from statcommons.core.files import AS_FOUND, FileMark, Part, assert_named_once, files_of, opened, several, suffix_of
from statcommons.core.textfile import Dialect, misfit, sha256

if TYPE_CHECKING:
    import ibis
    import pandas as pd
    import polars as pl
    import pyarrow as pa

    TableLike: TypeAlias = str | Path | ibis.Table | pa.Table | pd.DataFrame | pl.DataFrame | Sequence[Any]
else:
    TableLike: TypeAlias = Any  # the libraries are imported when a table of theirs comes
"""What a user may give as a table; see :func:`table`."""

__all__ = ["Mapping", "Reading", "TableLike", "read", "table"]


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
        return ibis.union(*tables)

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
        names = distinct_names([mark.path for mark in self.files])
        return {names[mark.path]: mark for mark in self.files}

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


def distinct_names(paths: Iterable[Path]) -> dict[Path, str]:
    """Name files by as much of their paths as tells them apart.

    Examples
    --------
    >>> list(distinct_names([Path("north/sales.csv"), Path("south/sales.csv")]).values())
    ['north/sales.csv', 'south/sales.csv']
    """
    whole = {path: path.absolute().parts for path in paths}
    names: list[str] = []
    for depth in range(1, max(map(len, whole.values()), default=0) + 1):
        names = ["/".join(parts[-depth:]) for parts in whole.values()]
        if len(set(names)) == len(names):
            break
    return dict(zip(whole, names, strict=True))


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
        replace(one, label=several([names[file] for file in one.files])) if one.files else one for one in opened.parts
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
    assert_named_once(table.column_names, label)
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


def _read_reference(reference: str, engine: Engine, dialect: Dialect, label: str) -> Reading:
    from statcommons.core.registry import find_source, readers

    scheme = reference.partition(":")[0].lower()
    if scheme == "source":
        return _read(find_source(reference.partition(":")[2])(), engine, dialect, label)
    installed = readers()
    if reader := installed.get(scheme if ":" in reference else "") or installed.get(suffix_of(reference).lstrip(".")):
        marks = (FileMark.of(Path(reference)),) if Path(reference).is_file() else ()
        return replace(_read(reader(reference), engine, dialect, label), files=marks)
    if "://" in reference:
        return _read_files([fetched(reference, engine.new_file(""))], engine, dialect, reference)
    path = Path(os.path.expanduser(reference))  # noqa: PTH111  Path refuses a user that is not there
    try:
        files = files_of(path, reference)
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


def _read_files(files: Sequence[Path], engine: Engine, dialect: Dialect, label: str) -> Reading:
    marks = tuple(FileMark.of(file) for file in files)  # before the first byte is read
    parts, notes = opened(files, engine, dialect)
    return Reading(label, engine, parts, marks, notes=notes)
