"""How a delimited text file is written: encoding, delimiter, decimal sign and header, found and reported.

One pass over the bytes gives the digest and proves the encoding, so that a wrong byte at the end is found before the
first number is computed. Nothing is guessed twice: what was found is kept as a :class:`Dialect` and shown to the user.
"""

from __future__ import annotations

import codecs
import contextlib
import csv
import gzip
import hashlib
import io
import re
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import zip_longest
from pathlib import Path
from typing import IO

from statcommons.core.errors import BadCall, BadData, Cause
from statcommons.core.progress import step

__all__ = [
    "Dialect",
    "Encoding",
    "Examined",
    "encoding_of",
    "examine",
    "line_numbers",
    "misfit",
    "one_line_a_row",
    "recoded",
    "sha256",
]

BLOCK = 1 << 20
SAMPLE = 1 << 18
csv.field_size_limit(1 << 21)  # as long as a line may be for DuckDB; Python's own limit is a sixteenth of it
UTF8 = ("utf-8", "utf-8-sig", "ascii")
BOMS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
DELIMITERS = (",", ";", "\t", "|")
WITH_POINT = re.compile(r"[+-]?\d*\.\d+([eE][+-]?\d+)?")
WITH_COMMA = re.compile(r"[+-]?(\d{1,3}(\.\d{3})+|\d+),\d+")
GROUPED = re.compile(r"[+-]?[1-9]\d{0,2}([.,]\d{3})+")
"""A number whose sign may be that of thousands as well as that of decimals: 1,234."""
MISSING = ("NA", "N/A", "NaN", "nan", "null", "NULL")
"""Words that other programs write for a missing number or date; in a text column they stay text (NA is Namibia)."""


@dataclass(frozen=True)
class Dialect:
    """How a text file is written; what is empty is found, what is given is kept.

    Parameters
    ----------
    delimiter : str
        The sign between two cells.
    decimal : str
        ``.`` or ``,``.
    encoding : str
        A codec of Python, such as ``utf-8`` or ``cp1250``.
    date_format : str
        How dates are written, as ``strptime`` has it, such as ``%d/%m/%Y``; empty means ISO 8601.
    sheet : str
        The sheet of a workbook; empty means the first.
    """

    delimiter: str = ""
    decimal: str = ""
    encoding: str = ""
    date_format: str = ""
    sheet: str = ""

    def __str__(self) -> str:
        names = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}
        parts = [f"cells parted by {names.get(self.delimiter, self.delimiter)}"] if self.delimiter else []
        parts += ["decimal comma"] if self.decimal == "," else []
        parts += [self.encoding] if self.encoding not in ("", "utf-8") else []
        parts += [f"dates as {self.date_format}"] if self.date_format else []
        return ", ".join(parts)


@dataclass(frozen=True)
class Examined:
    """What one pass over a text file found: its dialect, its header, and how an engine must read it.

    ``above`` counts the lines above the header; ``guessed`` says that the encoding is the likeliest and no more;
    ``readable`` that an engine can read the file where it is, being UTF-8 with one kind of line ends.
    """

    dialect: Dialect
    header: tuple[str, ...]
    above: int = 0
    guessed: bool = False
    readable: bool = True


@dataclass(frozen=True)
class Encoding:
    """The encoding of a text file.

    ``guessed`` says that it is the likeliest and no more; ``readable`` that it is UTF-8 with one kind of line ends.
    """

    name: str
    guessed: bool
    readable: bool


@dataclass(frozen=True)
class _Bytes:
    """What the bytes of a file prove: UTF-8, with or without a mark, or UTF-16 by its mark; and how lines end."""

    encoding: str
    one_line_end: bool


@contextlib.contextmanager
def opened(path: Path) -> Iterator[IO[bytes]]:
    """Open a file for reading bytes, through gzip where its name says so; refuse it where gzip finds it broken."""
    try:
        with gzip.open(path, "rb") if path.suffix.lower() == ".gz" else path.open("rb") as raw:
            yield raw  # type: ignore[misc]
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise BadData(f"The file is broken: {error}.", where=path.name, remedy="Get it again.") from None


def sha256(path: Path) -> str:
    """Compute the SHA-256 of a file's bytes, in constant memory.

    Parameters
    ----------
    path : pathlib.Path
        The file.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.NamedTemporaryFile() as file:
    ...     sha256(Path(file.name))[:8]
    'e3b0c442'
    """
    digest = hashlib.sha256()
    with path.open("rb") as file, step(f"Read {path.name}", total=path.stat().st_size, unit="bytes") as progress:
        while block := file.read(BLOCK):
            digest.update(block)
            progress.advance(len(block))
    return digest.hexdigest()


def examine(path: Path, given: Dialect) -> Examined:
    """Find how a text file is written.

    Parameters
    ----------
    path : pathlib.Path
        The file; ``.gz`` is read through.
    given : Dialect
        What the user said; it is not searched for.

    Raises
    ------
    BadData
        When the file is empty, has a header and no rows, mixes encodings, is not text, or has numbers that can be read
        in two ways.
    """
    found = encoding_of(path, given.encoding)
    sample = _sample(path, found.name)
    if not sample.strip():
        raise BadData("The file is empty.", where=path.name, remedy="Give a file with a header and at least one row.")
    delimiter = given.delimiter or _delimiter(sample)
    above, header, body = _rows(path, sample, delimiter)
    decimal = given.decimal or _decimal(path, body, delimiter)
    dialect = replace(given, delimiter=delimiter, decimal=decimal, encoding=found.name)
    readable = found.readable and path.suffix != ".GZ"  # an engine knows .gz alone
    return Examined(dialect, header, above, guessed=found.guessed, readable=readable)


def encoding_of(path: Path, given: str = "") -> Encoding:
    """Find the encoding of a text file: proved where it is UTF-8 or says so itself, else the likeliest.

    Parameters
    ----------
    path : pathlib.Path
        The file; ``.gz`` is read through.
    given : str
        What the user said; it is not searched for.

    Raises
    ------
    BadData
        When the file mixes encodings, is not text, or is not in the encoding that was said.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.NamedTemporaryFile() as file:
    ...     encoding_of(Path(file.name))
    Encoding(name='utf-8', guessed=False, readable=True)
    """
    asked = _codec(path, given)
    found = _Bytes(asked, False) if asked not in ("", *UTF8) else _prove(path)
    if asked and not found.encoding:
        raise _not_throughout(path, asked)
    name = found.encoding or _legacy_encoding(path)
    return Encoding(name, guessed=not found.encoding, readable=found.one_line_end and name in UTF8)


KINDS = "Give CSV (with a header), Parquet, Arrow or Excel, named .csv, .tsv, .parquet, .arrow, .feather or .xlsx."


def _codec(path: Path, name: str) -> str:
    """Give the one name of an encoding that has many."""
    if not name:
        return ""
    try:
        "".encode(name)  # refuses what is no encoding of text, such as base64
        return codecs.lookup(name).name
    except LookupError as error:
        raise BadCall(
            f"The encoding {name!r} cannot be: {error}.",
            where=path.name,
            remedy="Give a codec of Python, such as utf-8, cp1252 or utf-16-le.",
        ) from None


def _not_throughout(path: Path, encoding: str, reason: str = "") -> BadData:
    return BadData(
        f"The file is not {encoding} throughout{reason and ': ' + reason}.",
        where=path.name,
        remedy="Say its encoding in the mapping file, or save it in UTF-8.",
    )


def _sample(path: Path, encoding: str) -> str:
    """Read the beginning of a file as text."""
    try:
        with opened(path) as raw, io.TextIOWrapper(raw, encoding=encoding, newline="", errors="replace") as text:
            sample = text.read(SAMPLE)
    except UnicodeError as error:  # UTF-16 without its mark
        raise _not_throughout(path, encoding, str(error)) from None
    if "\0" in sample:
        raise BadData("The file is not text: it has a NUL byte.", where=path.name, remedy=KINDS)
    return sample.removeprefix("\ufeff")


def _delimiter(sample: str) -> str:
    header = next(line for line in sample.splitlines() if line.strip())
    outside_quotes = re.sub(r'"[^"]*"', "", header)
    return max(DELIMITERS, key=outside_quotes.count)


def _rows(path: Path, sample: str, delimiter: str) -> tuple[int, tuple[str, ...], list[list[str]]]:
    """Cut a sample into the lines above the header, the header, and the rows that are whole."""
    reader = csv.reader(io.StringIO(sample, newline=""), delimiter=delimiter, strict=True)
    rows: list[list[str]] = []
    above, whole = 0, len(sample) < SAMPLE
    try:
        for cells in reader:
            if rows or any(cell.strip() for cell in cells):
                rows += [cells] if cells else []
            else:
                above = reader.line_num
    except csv.Error:  # a quote that is not closed in the sample; the engine names the line
        whole = False
    if not rows:
        raise BadData(
            "The header opens a quote that it does not close.", where=f"{path.name}, row {above + 1}", remedy=QUOTES
        )
    header = _header(path, rows[0], above + 1)
    if whole and len(rows) == 1:
        raise BadData(
            "The file has a header and no rows.", where=path.name, remedy="Give a file with at least one row."
        )
    return above, header, rows[1:] if whole else rows[1:-1]


QUOTES = "Close every quote; write a quote within quotes twice."


def _header(path: Path, cells: list[str], line: int) -> tuple[str, ...]:
    """Name the columns: blanks and line breaks count as one blank, a column without a name is called by its place."""
    names = [" ".join(cell.split()) or f"column_{place}" for place, cell in enumerate(cells, start=1)]
    if any(not name.isprintable() for name in names):
        raise BadData("The first line is not a header: it has signs that no text has.", where=path.name, remedy=KINDS)
    lower = [name.lower() for name in names]
    if twice := [name for name in names if lower.count(name.lower()) > 1]:
        raise BadData(
            f"The header names a column twice (capitals make no difference): {', '.join(sorted(set(twice)))}.",
            where=f"{path.name}, row {line}",
            remedy="Give each column a name of its own.",
        )
    return tuple(names)


def _decimal(path: Path, rows: list[list[str]], delimiter: str) -> str:
    """Find the decimal sign; refuse to guess where 1,234 may be a thousand as well as one and a quarter."""
    seen: dict[str, list[str]] = {",": [], ".": []}
    for column in zip_longest(*rows, fillvalue=""):  # codes may have points where prices have commas
        commas = [cell for cell in map(str.strip, column) if WITH_COMMA.fullmatch(cell)]
        points = [cell for cell in map(str.strip, column) if WITH_POINT.fullmatch(cell)]
        seen["," if len(commas) > len(points) else "."] += commas if len(commas) > len(points) else points
    sign = "," if seen[","] else "."
    # Between commas, numbers are not grouped by points.
    if seen[sign] and not (sign == "." and delimiter == ",") and all(map(GROUPED.fullmatch, seen[sign])):
        raise BadData(
            f"Numbers with a {'comma' if sign == ',' else 'point'} and three digits can be read in two ways.",
            where=path.name,
            remedy='Take signs of thousands out, or say in a mapping file: [format] decimal = "," (or ".").',
        )
    return sign


def _prove(path: Path) -> _Bytes:
    """Prove in one pass that the file is UTF-8 without NUL, and see how its lines end; no encoding where it is not."""
    strict = codecs.getincrementaldecoder("utf-8")()
    with opened(path) as raw:
        head = raw.read(4)
        encoding = next((name for bom, name in BOMS if head.startswith(bom)), "utf-8")
        if encoding == "utf-16":
            return _Bytes(encoding, False)
        lines, ends, last = 1, {b"\r\n": 0, b"\r": 0, b"\n": 0}, b""
        block = head
        while block:
            if b"\0" in block:
                line = lines + block.count(b"\n", 0, block.index(b"\0"))
                raise BadData(
                    "The file is not text: it has a NUL byte.", where=f"{path.name}, row {line}", remedy=KINDS
                )
            try:
                strict.decode(block)
            except UnicodeDecodeError:
                return _Bytes("", False)
            lines += block.count(b"\n")
            for end in ends:
                ends[end] += block.count(end)
            ends[b"\r\n"] += last == b"\r" and block.startswith(b"\n")
            last = block[-1:]
            block = raw.read(BLOCK)
    try:
        strict.decode(b"", final=True)
    except UnicodeDecodeError:
        return _Bytes("", False)
    pairs = ends[b"\r\n"]
    kinds = (pairs, ends[b"\r"] - pairs, ends[b"\n"] - pairs)
    return _Bytes(encoding, sum(map(bool, kinds)) <= 1)


def _legacy_encoding(path: Path) -> str:
    """Name the likeliest encoding of a file that is not UTF-8; refuse one whose lines do not agree."""
    from charset_normalizer import from_bytes

    first_utf8 = first_other = 0
    other = bytearray()
    with opened(path) as raw:
        for number, line in enumerate(raw, start=1):
            if line.isascii():
                continue
            try:
                line.decode("utf-8")
                first_utf8 = first_utf8 or number
            except UnicodeDecodeError:
                first_other = first_other or number
                if len(other) < SAMPLE:
                    other += line
    if first_utf8:
        cause = Cause(
            f"row {first_other} is not UTF-8 while row {first_utf8} is",
            0,
            "Save the file in one encoding, best UTF-8.",
            f"{path.name}, row {first_other}",
        )
        raise BadData("The file mixes encodings.", where=path.name, causes=[cause])
    beyond_ascii = re.findall(rb"[\x80-\xff]+", other)
    alone = sum(len(run) == 1 for run in beyond_ascii)  # as in mąka; signs of two bytes stand together
    likely = [*WINDOWS, *([] if 2 * alone > len(beyond_ascii) else TWO_BYTES)]
    best = from_bytes(bytes(other), cp_isolation=likely).best()
    if best is None or b"\0" in other:
        raise BadData("The file is not text in any encoding that is known.", where=path.name, remedy=KINDS)
    return best.encoding


WINDOWS = ["cp1250", "cp1251", "cp1252", "cp1253", "cp1254", "cp1255", "cp1256", "cp1257", "cp1258", "cp874"]
TWO_BYTES = ["gb18030", "big5", "shift_jis", "euc_kr", "euc_jp"]
"""What offices' files are written in beside UTF-8. A wrong guess among the first changes letters, never a number."""


def recoded(path: Path, encoding: str, target: Path) -> Path:
    """Write a copy of a text file in UTF-8 without a mark and with one kind of line ends, in constant memory.

    Parameters
    ----------
    path : pathlib.Path
        The file.
    encoding : str
        How it is written.
    target : pathlib.Path
        The copy.

    Returns
    -------
    pathlib.Path
        The copy.
    """
    size = path.stat().st_size
    with (
        opened(path) as raw,
        io.TextIOWrapper(raw, encoding=encoding) as source,
        target.open("w", encoding="utf-8", newline="\n") as sink,
        step(f"Recode {path.name} from {encoding}", total=size, unit="bytes") as progress,
    ):
        try:
            while text := source.read(BLOCK):
                if "\0" in text:
                    raise BadData("The file is not text: it has a NUL byte.", where=path.name, remedy=KINDS)
                sink.write(text)
                progress.advance(len(text))
        except UnicodeError as error:
            raise _not_throughout(path, encoding, getattr(error, "reason", str(error))) from None
    return target


def misfit(path: Path, dialect: Dialect, width: int) -> int:
    """Give the line on which the first row begins that has more or fewer cells, or a quote that is not closed.

    Parameters
    ----------
    path : pathlib.Path
        The file.
    dialect : Dialect
        How it is written.
    width : int
        The cells of a row.
    """
    start = 1
    with opened(path) as raw, io.TextIOWrapper(raw, encoding=dialect.encoding, newline="") as text:
        reader = csv.reader(text, delimiter=dialect.delimiter, strict=True)
        with contextlib.suppress(csv.Error):
            for cells in reader:
                if cells and len(cells) != width:
                    break
                start = reader.line_num + 1
    return start


def line_numbers(path: Path, dialect: Dialect, ordinals: Iterable[int]) -> Iterator[int]:
    """Give the line of the file on which each of these data rows (1 is the first after the header, ascending) begins.

    A cell may hold line breaks and a line may be blank, so the line is not always the row's number plus one; where it
    is, :func:`one_line_a_row` says so sooner.

    Parameters
    ----------
    path : pathlib.Path
        The file.
    dialect : Dialect
        How it is written, as :func:`examine` found it.
    ordinals : iterable of int
        Numbers of rows, ascending.
    """
    wanted = iter(ordinals)
    target = next(wanted, None)
    with opened(path) as raw, io.TextIOWrapper(raw, encoding=dialect.encoding, newline="") as text:
        reader = csv.reader(text, delimiter=dialect.delimiter)
        row, start = -1, 1
        for cells in reader:
            row += bool(cells) and (row >= 0 or any(cell.strip() for cell in cells))
            while target is not None and cells and row == target:
                yield start
                target = next(wanted, None)
            if target is None:
                return
            start = reader.line_num + 1


def one_line_a_row(path: Path, dialect: Dialect) -> bool:
    """Whether each row is surely one line: no quote could hold a line break, no line is blank or above the header.

    Parameters
    ----------
    path : pathlib.Path
        The file.
    dialect : Dialect
        How it is written.
    """
    if dialect.encoding.startswith("utf-16"):
        return False
    last = b"\n"
    with opened(path) as raw:
        if not raw.readline(BLOCK).strip(f" \t\r\n{dialect.delimiter}".encode()):
            return False
        raw.seek(0)
        while block := raw.read(BLOCK):
            text = (last + block).replace(b"\r\n", b"\n").replace(b"\r", b"\n")
            if b'"' in text or b"\n\n" in text:
                return False
            last = text[-1:]
    return True
