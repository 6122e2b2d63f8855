"""What goes wrong with the files of an office: one table of cases, tried through Python and through the command."""

# ruff: noqa: E501  a case is a line, so that the eye can run down the faults
from __future__ import annotations

import datetime
import gzip
import os
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

HEADER = "time,product,price,quantity\n"
GOOD = "2026-01-05,a,2.0,1\n2026-01-09,b,3.0,3\n"
DAY = datetime.date(2026, 1, 5)


@dataclass(frozen=True)
class Case:
    """A fault: how to make it, the exit code, and what the message must name."""

    id: str
    make: Callable[[Path], Any]
    code: int
    says: tuple[str, ...]
    mapping: dict[str, Any] | None = None
    command: bool = False
    parameters: dict[str, Any] = field(default_factory=dict)


def text(content: str | bytes, name: str = "sales.csv") -> Callable[[Path], Path]:
    """Write a file of text as it is."""

    def make(folder: Path) -> Path:
        path = folder / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return make


def parquet(**columns: Any) -> Callable[[Path], Path]:
    """Write two sound transactions as Parquet, but for these columns."""
    sound = {"time": [DAY, DAY], "product": ["a", "b"], "price": [2.0, 3.0], "quantity": [1.0, 2.0]}

    def make(folder: Path) -> Path:
        pq.write_table(pa.table(sound | columns), folder / "sales.parquet")
        return folder / "sales.parquet"

    return make


def workbook(*rows: list[Any], header: str = HEADER) -> Callable[[Path], Path]:
    """Write a workbook of these rows."""

    def make(folder: Path) -> Path:
        import xlsxwriter

        book = xlsxwriter.Workbook(str(folder / "sales.xlsx"), {"default_date_format": "yyyy-mm-dd"})
        sheet = book.add_worksheet()
        for number, row in enumerate([header.strip().split(","), *rows]):
            for place, value in enumerate(row):
                sheet.write(number, place, value)
        book.close()
        return folder / "sales.xlsx"

    return make


def files(**named: str | bytes) -> Callable[[Path], list[Path]]:
    """Write several files and give them as a list; __ stands for a folder, _ for the dot."""

    def make(folder: Path) -> list[Path]:
        made = []
        for name, content in named.items():
            path = folder / name.replace("__", "/").replace("_", ".")
            path.parent.mkdir(exist_ok=True)
            made.append(text(content, path.name)(path.parent))
        return made

    return make


def damaged(path: Path, at: float, keep: float = 1.0) -> Path:
    """Turn one bit of a file round, at this share of its length, and cut it there."""
    content = bytearray(path.read_bytes())
    content[int(len(content) * at)] ^= 0x10
    path.write_bytes(content[: int(len(content) * keep)])
    return path


def link(target: str, name: str = "sales.csv") -> Callable[[Path], Path]:
    """Make a link to a place that is no file."""

    def make(folder: Path) -> Path:
        (folder / name).symlink_to(target)
        return folder / name

    return make


def pipe(folder: Path) -> Path:
    """Make a pipe that nobody writes to."""
    os.mkfifo(folder / "sales.csv")
    return folder / "sales.csv"


def folder_with(make: Callable[[Path], Any]) -> Callable[[Path], Path]:
    """Give a folder that has a sound file beside a faulty one."""

    def made(folder: Path) -> Path:
        inside = folder / "year"
        inside.mkdir()
        text(HEADER + GOOD, "a.csv")(inside)
        make(inside)
        return inside

    return made


def rows(*lines: str) -> str:
    """Give a table with two sound rows and then these."""
    return HEADER + GOOD + "".join(f"{line}\n" for line in lines)


def semicolons(content: str) -> str:
    """Part the cells by semicolons."""
    return content.replace(",", ";")


NOISE = random.Random(5).randbytes(5_000)
ROW4 = "sales.csv, row 4, column"
LONG = "x" * 300_000

# fmt: off
REFUSED = [
    # --- columns
    Case("missing column", text(rows().replace("price", "prise")), 65, ("sales.csv", "row 1", "column price", "Did you mean 'prise'?", "mapping file"), command=True),
    Case("column in capitals", text(HEADER.upper() + GOOD), 65, ("column time is missing", "Did you mean 'TIME'?")),
    Case("header twice the same name", text("time,product,price,price,quantity\n2026-01-05,a,1,2,1\n"), 65, ("sales.csv, row 1", "names a column twice", "price")),
    Case("header twice but for capitals", text("time,product,price,Price,quantity\n2026-01-05,a,1,2,1\n"), 65, ("sales.csv, row 1", "Price, price")),
    Case("workbook with a column twice", workbook([DAY, "a", 1, 2, 1], header="time,product,price,price,quantity"), 65, ("sales.xlsx, row 1", "twice: price")),
    Case("quote in the header is not closed", text('time,"product,price,quantity\n' + GOOD), 65, ("sales.csv, row 1", "quote")),
    # --- values
    Case("wrong type", text(rows("2026-01-09,b,cheap,3")), 65, (f"{ROW4} price", "must be a number", "got 'cheap'", "Give a number above 0"), command=True),
    Case("negative price", text(rows("2026-01-09,b,-3.5,3")), 65, (f"{ROW4} price", "above 0", "got '-3.5' (1 row)", "set_aside"), command=True),
    Case("quantity 0", text(rows("2026-01-09,b,3.5,0")), 65, (f"{ROW4} quantity", "other than 0", "got '0'")),
    Case("inf in text", text(rows("2026-01-09,b,inf,3")), 65, (f"{ROW4} price", "got 'inf'"), command=True),
    Case("1e400 in text", text(rows("2026-01-09,b,1e400,3")), 65, (f"{ROW4} price", "got '1e400'")),
    Case("inf in Parquet", parquet(price=[2.0, float("inf")]), 65, ("sales.parquet, row 2, column price", "finite", "got 'inf'")),
    Case("NaN in Parquet", parquet(price=[2.0, float("nan")]), 65, ("sales.parquet, row 2, column price", "finite", "got 'nan'"), command=True),
    Case("null where a value must be", text(rows("2026-01-09,,3,1")), 65, (f"{ROW4} product", "must not be missing", "Fill the cell"), command=True),
    Case("null in Parquet", parquet(product=[None, "a"]), 65, ("sales.parquet, row 1, column product", "must not be missing")),
    Case("NA in a number", text(rows("2026-01-09,NA,NA,1")), 65, (f"{ROW4} price", "must not be missing, got 'NA'")),
    Case("underscore in a number", text(rows("2026-01-09,b,1_000,1")), 65, (f"{ROW4} price", "got '1_000'")),
    Case("code with decimals", parquet(product=[1.5, 2.0]), 65, ("sales.parquet, row 1, column product", "must be a text", "got '1.5'")),
    Case("code longer than a double keeps", parquet(product=[123456789012345678.0, 2.0]), 65, ("column product", "must be a text")),
    Case("code that is NaN", parquet(product=[float("nan"), 2.0]), 65, ("column product", "must be a text", "got 'nan'")),
    Case("code that is infinite", parquet(product=[float("inf"), 2.0]), 65, ("column product", "must be a text", "got 'inf'")),
    Case("lists in Parquet", parquet(price=[[1.0], [2.0]]), 65, ("column price", "must be a number", "(2 rows)")),
    Case("text in Parquet's number", parquet(price=["2.0", "dear"]), 65, ("sales.parquet, row 2, column price", "got 'dear'")),
    Case("text beyond the first thousand rows of a workbook", workbook(*[[DAY, "a", 2.0, 1]] * 1200, [DAY, "a", "12,5x", 1]), 65, ("sales.xlsx, row 1,202, column price", "got '12,5x'")),
    Case("error of Excel", workbook([DAY, "a", 2.0, 1], [DAY, "b", "=NA()", 1]), 65, ("sales.xlsx", "column price")),
    # --- dates
    Case("day first", text(HEADER + "05/01/2026,a,2.0,1\n"), 65, ("sales.csv, row 2, column time", "got '05/01/2026'", '[format] date = "%d/%m/%Y"'), command=True),
    Case("day that is not", text(rows("2026-02-30,b,3,1")), 65, (f"{ROW4} time", "got '2026-02-30'")),
    Case("words behind a date", text(rows("2026-02-20x,b,3,1")), 65, (f"{ROW4} time", "got '2026-02-20x'")),
    Case("mapped date that is not", text(HEADER + "31/02/2026,a,2,1\n"), 65, ("row 2, column time", "got '31/02/2026'"), {"format": {"date": "%d/%m/%Y"}}),
    Case("form of date that is not known", text(rows()), 64, ("'%y'", "%d, %m and %Y"), {"format": {"date": "%y"}}),
    # --- decimals
    Case("mixed decimal signs", text(semicolons(HEADER) + "2026-01-05;a;2,5;1\n2026-01-05;b;2,5;1\n2026-01-05;c;1.5;1\n"), 65, (f"{ROW4} price", "got '1.5'"), command=True),
    Case("one decimal comma among points", text(semicolons(rows()) + "2026-01-05;c;1,5;1\n"), 65, (f"{ROW4} price", "got '1,5'")),
    Case("English thousands", text(HEADER + '2026-01-05,a,3,"1,234"\n2026-01-05,b,4,"2,500"\n'), 65, ("sales.csv", "comma", "two ways", "[format] decimal")),
    Case("English thousands, decimals said", text(HEADER + '2026-01-05,a,3,"1,234"\n'), 65, ("row 2, column quantity", "got '1,234'"), {"format": {"decimal": "."}}),
    Case("continental thousands", text(semicolons(HEADER) + "2026-01-05;a;1.234;1\n2026-01-05;b;12.500;1\n"), 65, ("sales.csv", "point", "two ways", "[format] decimal")),
    Case("thousands without decimals in a file of commas", text(semicolons(HEADER) + "2026-01-05;a;1,5;1\n2026-01-05;b;2,5;1\n2026-01-05;c;1.234;1\n"), 65, (f"{ROW4} price", "got '1.234'")),
    # --- what is no table
    Case("empty file", text(""), 65, ("sales.csv", "empty", "at least one row"), command=True),
    Case("blank file", text("\n\n \n"), 65, ("sales.csv", "empty")),
    Case("header only", text(HEADER), 65, ("sales.csv", "header and no rows"), command=True),
    Case("header only, in a workbook", workbook(), 65, ("sales.xlsx", "header and no rows")),
    Case("no rows in Parquet", lambda folder: _no_rows(folder), 65, ("sales.parquet", "no rows")),
    Case("empty directory", lambda folder: _empty_folder(folder), 66, ("nothing", "no table in it", ".csv"), command=True),
    Case("missing file", lambda folder: text(rows(), "sales.csv")(folder).with_name("salse.csv"), 66, ("salse.csv", "no such file", "Did you mean 'sales.csv'?"), command=True),
    Case("no file matches", lambda folder: str(folder / "*.csv"), 66, ("*.csv", "No file matches")),
    Case("name that is too long", lambda folder: folder / ("x" * 300), 66, ("cannot be opened",)),
    Case("home of a user that is not there", lambda folder: "~nobody-at-all/sales.csv", 66, ("no such file",)),
    Case("kind of file that is not known", text("x", "sales.doc"), 65, ("sales.doc", "'.doc'", "Parquet")),
    # --- encodings
    Case("mixed encodings", text((HEADER + "2026-01-05,mąka,2,1\n").encode() + "2026-01-05,mąka,2,1\n".encode("cp1250")), 65, ("sales.csv, row 3", "row 2", "one encoding"), command=True),
    Case("not the encoding that was said", text((HEADER + "2026-01-05,mąka,2,1\n").encode("cp1250")), 65, ("sales.csv", "not utf-8 throughout"), {"format": {"encoding": "UTF8"}}),
    Case("byte that the encoding does not have", text(HEADER.encode() + b"2026-01-05,\x81\x83,2,1\n"), 65, ("not cp1250 throughout",), {"format": {"encoding": "cp1250"}}),
    Case("encoding that is not known", text(rows()), 64, ("'klingon'", "utf-8, cp1252"), {"format": {"encoding": "klingon"}}),
    Case("encoding of no text", text(rows()), 64, ("'base64'",), {"format": {"encoding": "base64"}}),
    Case("UTF-16 without its mark", text(rows().encode("utf-16-le")), 65, ("sales.csv, row 1", "NUL")),
    Case("NUL byte", text(rows(*["2026-01-05,a,2,1"] * 30_000, "2026-01-05,a\0b,2,1")), 65, ("sales.csv, row 30004", "NUL byte"), command=True),
    Case("NUL in UTF-16", text(rows(*["2026-01-05,a,2,1"] * 30_000, "2026-01-05,a\0b,2,1").encode("utf-16")), 65, ("sales.csv", "NUL byte")),
    # --- garbage
    Case("binary named .csv", text(NOISE), 65, ("sales.csv", "not text"), command=True),
    Case("binary without NUL named .csv", text(NOISE.replace(b"\0", b"\1")), 65, ("sales.csv", "not text")),
    Case("gzip named .csv", text(gzip.compress(rows().encode())), 65, ("sales.csv", "not text")),
    Case("text named .parquet", text(rows(), "sales.parquet"), 65, ("sales.parquet", "cannot be read", "Get it again"), command=True),
    Case("text named .arrow", text(rows(), "sales.arrow"), 65, ("sales.arrow", "cannot be read")),
    Case("picture named .xlsx", text(b"\x89PNG\r\n\x1a\n" + NOISE, "sales.xlsx"), 65, ("sales.xlsx", "workbook cannot be read")),
    Case("archive named .xlsx", text(b"PK\x03\x04" + NOISE, "sales.xlsx"), 65, ("sales.xlsx", "workbook cannot be read")),
    Case("text named .csv.gz", text(rows(), "sales.csv.gz"), 65, ("sales.csv.gz", "broken", "Get it again")),
    Case("truncated gzip", lambda folder: damaged(text(gzip.compress(rows().encode() + NOISE.hex().encode()), "sales.csv.gz")(folder), 0.99, 0.6), 65, ("sales.csv.gz", "broken"), command=True),
    Case("bit flipped in gzip", lambda folder: damaged(text(gzip.compress(rows(*[f"2026-01-05,{n},2,1" for n in range(999)]).encode()), "sales.csv.gz")(folder), 0.5), 65, ("sales.csv.gz",)),
    Case("truncated Parquet", lambda folder: damaged(parquet()(folder), 0.9, 0.7), 65, ("sales.parquet", "cannot be read"), command=True),
    Case("bit flipped in the head of a page", lambda folder: damaged(parquet()(folder), 0.004), 65, ("sales.parquet", "cannot be read")),
    # --- rows and lines
    Case("too few cells", text(rows("2026-01-05,a,2.0", "2026-01-05,a,2.0,1")), 65, ("sales.csv, row 4", "as many cells as the header"), command=True),
    Case("too many cells", text(rows("2026-01-05,a,2.0,1,9")), 65, ("sales.csv, row 4", "as many cells as the header")),
    Case("unterminated quote", text(rows('2026-01-05,"a,2.0,1', *["2026-01-05,a,2.0,1"] * 9)), 65, ("sales.csv, row 4", "close every quote"), command=True),
    Case("too few cells after a line break in quotes", text(rows('2026-01-05,"a\nb\nc",2.0,1', "2026-01-05,a,2.0")), 65, ("sales.csv, row 7", "as many cells")),
    Case("too few cells after blank lines", text("\n\n" + rows("", "", "2026-01-05,a,2.0")), 65, ("sales.csv, row 8", "as many cells")),
    Case("too few cells in UTF-16", text(rows("2026-01-05,a,2.0").encode("utf-16")), 65, ("sales.csv, row 4", "as many cells")),
    Case("bad value after a line break in quotes", text(rows('2026-01-05,"a\nb",2.0,1', "2026-01-05,a,-2.0,1")), 65, ("sales.csv, row 6, column price", "got '-2.0'"), command=True),
    Case("bad value after blank lines", text("\n\n" + rows("", "", "2026-01-05,a,-2.0,1")), 65, ("sales.csv, row 8, column price", "got '-2.0'")),
    Case("bad value under empty rows", text(",,,\n,,,\n" + rows("2026-01-05,a,-2.0,1")), 65, ("sales.csv, row 6, column price", "got '-2.0'")),
    Case("bad value in CRLF", text(rows("2026-01-05,a,-2.0,1").replace("\n", "\r\n")), 65, (f"{ROW4} price", "got '-2.0'")),
    Case("bad value in lone CR", text(rows("", "2026-01-05,a,-2.0,1").replace("\n", "\r")), 65, ("row 5, column price", "got '-2.0'")),
    Case("bad value with mixed line ends", text(HEADER.replace("\n", "\r\n") + GOOD + "2026-01-05,a,-2.0,1\r\n"), 65, (f"{ROW4} price", "got '-2.0'")),
    Case("bad value behind a quoted row of a workbook", workbook([DAY, 'a"\nb', 2.0, 1], [DAY, "b", -2.0, 1]), 65, ("sales.xlsx, row 3, column price", "got '-2.0'")),
    Case("very long line", text(rows("2026-01-05,b," + LONG + ",1")), 65, (f"{ROW4} price", "got 'xxx", "…'")),
    Case("bad value behind a long cell in quotes", text(rows(f'2026-01-05,"{LONG}\n",2,1', "2026-01-05,a,-2.0,1")), 65, ("sales.csv, row 6, column price", "got '-2.0'")),
    Case("line that is too long", text(rows("2026-01-05," + LONG * 10 + ",1,1")), 65, ("sales.csv, row 4", "line size")),
    # --- several files
    Case("one file of a pattern lacks a column", lambda folder: _pattern(folder, files(a_csv=rows(), b_csv="time,product,quantity\n2026-01-05,a,2\n")), 65, ("b.csv, row 1", "column price is missing"), command=True),
    Case("bad value in a file of the same name as another", files(north__sales_csv=rows(), south__sales_csv=rows("2026-01-09,b,-3.5,3")), 65, ("south/sales.csv, row 4, column price", "got '-3.5'")),
    Case("bad value in the last of many files", lambda folder: _pattern(folder, files(**{f"s{n:03}_csv": rows() for n in range(300)}, t_csv=rows("2026-01-09,b,-3.5,3"))), 65, ("t.csv, row 4, column price", "got '-3.5'")),
    Case("bad value in a second layout", files(a_csv=rows(), b_csv="price,time,product,quantity\n1,2026-01-05,b,2\n-7,2026-01-05,b,2\n"), 65, ("b.csv, row 3, column price", "got '-7'")),
    Case("bad value in a second Parquet file", lambda folder: _parquets(folder), 65, ("b.parquet, row 2, column price", "got '-3.0'")),
    Case("a file given twice", lambda folder: [text(rows())(folder), folder / "." / "sales.csv"], 64, ("sales.csv", "given twice"), command=True),
    Case("no file at all", lambda folder: [], 66, ("transactions", "list is empty")),
    # --- places that are no files
    Case("link that leads nowhere", link("gone.csv"), 66, ("sales.csv", "no such file")),
    Case("link that leads nowhere, in a folder", folder_with(link("gone.csv")), 66, ("year/sales.csv", "leads nowhere"), command=True),
    Case("link to itself", link("sales.csv"), 66, ("sales.csv",)),
    Case("link to /dev/zero", link("/dev/zero"), 66, ("sales.csv", "device"), command=True),
    Case("pipe", pipe, 66, ("sales.csv", "pipe"), command=True),
    Case("pipe in a folder", folder_with(pipe), 66, ("year/sales.csv", "pipe")),
    # --- names
    *[
        Case(f"bad value in a file called {name!r}", text(rows("2026-01-09,b,-3.5,3"), name), 65, (f"{shown}, row 4, column price", "got '-3.5'"), command=number < 2)
        for number, (name, shown) in enumerate(
            {
                "it's \"here\"; DROP TABLE sales; --.csv": "it's \"here\"; DROP TABLE sales; --.csv",
                "sales[1]?*.csv": "sales[1]?*.csv",
                "two\nlines\x1b[31m.csv": r"two\nlines\x1b[31m.csv",
                "żółw {} %s.csv": "żółw {} %s.csv",
            }.items()
        )
    ],
    Case("columns called as ours are", text("time,product,price,quantity,__row,__file,index,select\n2026-01-05,a,-2.0,1,7,8,9,0\n"), 65, ("sales.csv, row 2, column price",)),
    Case("columns called as ours are, in Parquet", parquet(__row=["x", "y"], __file=[1, 2], price=[2.0, -3.0]), 65, ("sales.parquet, row 2, column price",)),
    # --- mappings
    Case("mapping to a column that is not there", text(rows()), 65, ("no column 'unit_price'",), {"columns": {"price": "unit_price"}}, command=True),
    Case("mapping of a column that no schema has", text(rows()), 64, ("'prise'", "Did you mean 'price'?"), {"columns": {"prise": "price"}}),
    Case("mapping with a section that is not known", text(rows()), 64, ("[formats]", "Did you mean 'format'?"), {"formats": {"decimal": ","}}),
    Case("mapping with a format that is not known", text(rows()), 64, ("'quote'", "delimiter"), {"format": {"quote": "'"}}),
    Case("mapping to a number", text(rows()), 64, ("[columns]", "{'price': 3}"), {"columns": {"price": 3}}),
    Case("mapping that is no table", text(rows()), 64, ("{'columns': 3}",), {"columns": 3}),
    Case("delimiter of two signs", text(rows()), 64, ("delimiter is '::'", "one sign"), {"format": {"delimiter": "::"}}),
    Case("decimal that is none", text(rows()), 64, ("decimal is 'x'",), {"format": {"decimal": "x"}}),
    Case("wrong delimiter", text(rows()), 65, ("no column 'time'",), {"format": {"delimiter": ";"}}),
    Case("sheet that is not there", workbook([DAY, "a", 2.0, 1]), 64, ("'Sales'", "Sheet1"), {"format": {"sheet": "Sales"}}),
    # --- addresses
    Case("address of no file system", lambda folder: "klingon://sales.csv", 64, ("klingon://sales.csv",)),
    Case("address that does not answer", lambda folder: "http://127.0.0.1:9/sales.csv", 75, ("http://127.0.0.1:9/sales.csv", "Try again")),
    # --- parameters
    Case("parameter out of bounds", text(rows()), 64, ("period is 'year'", "month or week"), parameters={"period": "year"}, command=True),
    Case("parameter that is not known", text(rows()), 64, ("perid", "period"), parameters={"perid": "month"}, command=True),
]
# fmt: on


def _no_rows(folder: Path) -> Path:
    path = parquet()(folder)
    pq.write_table(pq.read_table(path).slice(0, 0), path)
    return path


def _empty_folder(folder: Path) -> Path:
    (folder / "nothing").mkdir()
    (folder / "nothing" / "README.md").write_text("Nothing to see.")
    return folder / "nothing"


def _pattern(folder: Path, make: Callable[[Path], Any]) -> str:
    make(folder)
    return str(folder / "*.csv")


def _parquets(folder: Path) -> list[Path]:
    first = parquet()(folder).rename(folder / "a.parquet")
    return [first, parquet(price=[2.0, -3.0])(folder).rename(folder / "b.parquet")]


@dataclass(frozen=True)
class Readable:
    """What is unusual and right: how to make it, and the rows that come out."""

    id: str
    make: Callable[[Path], Any]
    rows: list[tuple[str, float, float]]
    mapping: dict[str, Any] | None = None
    note: str = ""


AB = [("a", 2.0, 1.0), ("b", 3.0, 3.0)]
WIDE = "2026-01-05;mąka żytnia;1,5;1\n2026-01-05;żurek śląski;1.234,50;2\n"
POLISH = [("mąka żytnia", 1.5, 1.0), ("żurek śląski", 1234.5, 2.0)]

# fmt: off
READ = [
    Readable("plain", text(rows()), AB),
    Readable("UTF-8 with a mark", text(rows().encode("utf-8-sig")), AB),
    Readable("UTF-8 with a mark above a blank line", text(("\n" + rows()).encode("utf-8-sig")), AB),
    Readable("UTF-16", text(rows().encode("utf-16")), AB, note="utf-16"),
    Readable("UTF-16, the other way round", text(b"\xfe\xff" + rows().encode("utf-16-be")), AB, note="utf-16"),
    Readable("UTF-16 without a mark, said", text(rows().encode("utf-16-le")), AB, {"format": {"encoding": "utf-16-le"}}, "utf-16"),
    Readable("semicolon", text(semicolons(rows())), AB, note="semicolon"),
    Readable("tab", text(rows().replace(",", "\t"), "sales.tsv"), AB, note="tab"),
    Readable("bar", text(rows().replace(",", "|"), "sales.txt"), AB, note="bar"),
    Readable("decimal comma and 1.234,50", text(semicolons(HEADER) + WIDE), POLISH, note="decimal comma"),
    Readable("cp1250", text((semicolons(HEADER) + WIDE).encode("cp1250")), POLISH, note="a guess"),
    Readable("cp1250, said", text((semicolons(HEADER) + WIDE).encode("cp1250")), POLISH, {"format": {"encoding": "windows-1250"}}, "cp1250"),
    Readable("latin-1, said", text((HEADER + "2026-01-05,crème brûlée,2,1\n").encode("latin-1")), [("crème brûlée", 2.0, 1.0)], {"format": {"encoding": "latin-1"}}, "iso8859-1"),
    Readable("codes with points beside decimal commas", text("time;product;group;price;quantity\n2026-01-05;a;01.1;2,50;1\n2026-01-05;b;01.11;3,25;2\n"), [("a", 2.5, 1.0), ("b", 3.25, 2.0)]),
    Readable("NA and 004 are codes", text(HEADER + "2026-01-05,NA,2,1\n2026-01-05,004,3,1\n"), [("004", 3.0, 1.0), ("NA", 2.0, 1.0)]),
    Readable("GTIN as a float in Parquet", parquet(product=[5901234123457.0, 5901234123464.0]), [("5901234123457", 2.0, 1.0), ("5901234123464", 3.0, 2.0)]),
    Readable("GTIN as a number in a workbook", workbook([DAY, 5901234123457, 2.0, 1], [DAY, 5901234123464, 3, 2]), [("5901234123457", 2.0, 1.0), ("5901234123464", 3.0, 2.0)]),
    Readable("numbers as text in a workbook", workbook([DAY, "004", "2.0", "1"], [DAY, "NA", 3, 2]), [("004", 2.0, 1.0), ("NA", 3.0, 2.0)]),
    Readable("day first, mapped", text(HEADER + "05/01/2026,a,2,1\n9/1/2026,b,3,3\n"), AB, {"format": {"date": "%d/%m/%Y"}}, "dates as"),
    Readable("names, mapped", text(rows().replace("price", "Cena (zł)")), AB, {"price": "Cena (zł)"}),
    Readable("blanks in the header", text(rows().replace("price", ' price ').replace("product", '"pro\nduct"').replace("time", "time")), AB, {"product": "pro duct"}),
    Readable("columns without a name", text(",time,product,price,quantity,\n1,2026-01-05,a,2.0,1,\n2,2026-01-09,b,3.0,3,\n"), AB),
    Readable("quote within a column's name", text('time,product,price,quantity,"sel""ect"\n2026-01-05,a,2.0,1,x\n2026-01-09,b,3.0,3,y\n'), AB),
    Readable("columns called as ours are", text("time,product,price,quantity,__row,__file,index,select\n2026-01-05,a,2.0,1,7,8,9,0\n2026-01-09,b,3.0,3,7,8,9,0\n"), AB),
    Readable("inches", text(rows('2026-01-09,5" nail,1,1')), [('5" nail', 1.0, 1.0), *AB]),
    Readable("line break in quotes", text(rows('2026-01-09,"c\nd",1,1')), [*AB, ("c\nd", 1.0, 1.0)]),
    Readable("CRLF", text(rows().replace("\n", "\r\n")), AB),
    Readable("lone CR", text(rows().replace("\n", "\r")), AB),
    Readable("mixed line ends", text(HEADER.replace("\n", "\r\n") + GOOD), AB),
    Readable("blank lines", text("\n\n" + HEADER + "\n" + GOOD.replace("\n", "\n\n")), AB),
    Readable("empty rows above the header", text(",,,\n" + rows()), AB),
    Readable("gzip", text(gzip.compress(rows().encode()), "sales.csv.gz"), AB),
    Readable("gzip in capitals", text(gzip.compress(rows().encode()), "SALES.CSV.GZ"), AB),
    Readable("long cell", text(rows(f"2026-01-09,{LONG},1,1")), [*AB, (LONG, 1.0, 1.0)]),
    Readable("columns in another order", files(a_csv=HEADER + "2026-01-05,a,2.0,1\n", b_csv="quantity,price,product,time\n3,3.0,b,2026-01-09\n"), AB),
    Readable("whole numbers and decimals in two files", lambda folder: _two_types(folder), AB),
    Readable("folder with other things in it", lambda folder: _busy_folder(folder), AB),
    Readable("folder with a link round in a circle", lambda folder: _circle(folder), AB),
    Readable("pattern through a link round in a circle", lambda folder: str(_circle(folder) / "**" / "*.csv"), AB),
    Readable("name with signs of a pattern beside what it would match", lambda folder: _lookalike(folder), AB),
    Readable("Parquet with signs of a pattern in its name", lambda folder: _parquet_lookalike(folder), [("a", 2.0, 1.0), ("b", 3.0, 2.0)]),
    Readable("several files", lambda folder: _pattern(folder, files(**{f"s{n:03}_csv": HEADER + f"2026-01-05,p{n:03},2.0,{n + 1}\n" for n in range(200)})), [(f"p{n:03}", 2.0, n + 1.0) for n in range(200)]),
]
# fmt: on


def _two_types(folder: Path) -> list[Path]:
    first = parquet(time=[DAY], product=["a"], price=[2], quantity=[1])(folder).rename(folder / "a.parquet")
    return [first, parquet(time=[DAY], product=["b"], price=[3.0], quantity=[3.0])(folder)]


def _busy_folder(folder: Path) -> Path:
    inside = folder / "year"
    (inside / "january").mkdir(parents=True)
    text(HEADER + "2026-01-05,a,2.0,1\n", "a.csv")(inside)
    text(HEADER + "2026-01-09,b,3.0,3\n", "b.csv")(inside / "january")
    for name in ("README.md", "_SUCCESS", ".hidden.csv", "~$book.xlsx", "notes.docx"):
        (inside / name).write_text("no table")
    return inside


def _circle(folder: Path) -> Path:
    inside = folder / "year"
    inside.mkdir()
    text(rows(), "a.csv")(inside)
    (inside / "again").symlink_to(inside)
    return inside


def _lookalike(folder: Path) -> Path:
    text(HEADER + "2026-01-05,wrong,9.0,9\n", "sales1.csv")(folder)
    return text(rows(), "sales[1].csv")(folder)


def _parquet_lookalike(folder: Path) -> Path:
    parquet(product=["wrong", "wrong"])(folder).rename(folder / "sales1.parquet")
    return parquet()(folder).rename(folder / "sales[1].parquet")
