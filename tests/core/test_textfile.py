"""How text files are written: found where it can be, refused where it would be a guess about numbers."""

from __future__ import annotations

import gzip

import pytest

from statcommons.core.errors import BadData
from statcommons.core.textfile import Dialect, examine, line_numbers, misfit, one_line_a_row, recoded, sha256


@pytest.fixture
def written(tmp_path):
    """Write a file and give its path."""

    def write(content, name="table.csv"):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


@pytest.mark.parametrize(
    ("content", "delimiter", "decimal", "encoding"),
    [
        ("a,b\n1.5,2\n", ",", ".", "utf-8"),
        ("a;b\n1,5;2\n", ";", ",", "utf-8"),
        ("a\tb\n1,5\t2\n", "\t", ",", "utf-8"),
        ("a|b\n1.5|2\n", "|", ".", "utf-8"),
        ('"x;y",b\n1.5,2\n', ",", ".", "utf-8"),
        ("a\n1\n", ",", ".", "utf-8"),
        ("a;b\n1.234,50;2\n", ";", ",", "utf-8"),
        ("code;price\n01.1;2,50\n01.12;3,5\n", ";", ",", "utf-8"),
        ("a;b\n0.250;2\n", ";", ".", "utf-8"),
        ("a;b\n1234.500;2\n", ";", ".", "utf-8"),
        ("a,b\n1.234,2\n", ",", ".", "utf-8"),
        ("a;b\n1.234;2,5\n", ";", ",", "utf-8"),
        ("a,b\nmąka pszenna,1\nżurek śląski,2\nkiełbasa świeża,3\n".encode("cp1250"), ",", ".", "cp1250"),
        ("a,b\nЦена хлеба и молока,1\n".encode("cp1251"), ",", ".", "cp1251"),
        ("a;b\n1,5;ż\n".encode("utf-16"), ";", ",", "utf-16"),
        ("a;b\n1,5;ż\n".encode("utf-8-sig"), ";", ",", "utf-8-sig"),
    ],
)
def test_a_dialect_is_found(content, delimiter, decimal, encoding, written):
    found = examine(written(content), Dialect()).dialect
    assert (found.delimiter, found.decimal, found.encoding) == (delimiter, decimal, encoding)


@pytest.mark.parametrize("content", ["a;b\n1.234;2\n", "a;b\n1,234;2\n", 'a,b\n"1,234",2\n', "a;b\n12.500;1.234.567\n"])
def test_a_number_that_can_be_read_in_two_ways_is_not_guessed(content, written):
    with pytest.raises(BadData, match="two ways"):
        examine(written(content), Dialect())
    for sign in (".", ","):
        assert examine(written(content), Dialect(decimal=sign)).dialect.decimal == sign


def test_what_is_given_is_kept(written):
    given = Dialect(delimiter=";", decimal=",", date_format="%d/%m/%Y")
    assert examine(written("a,b;c\n1,5;2\n"), given).dialect == Dialect(";", ",", "utf-8", "%d/%m/%Y")


def test_a_guess_is_marked_as_one(written):
    latin = "a,b\ncrème,1\n".encode("latin-1")
    assert examine(written(latin), Dialect()).guessed
    assert not examine(written(latin), Dialect(encoding="latin-1")).guessed
    assert not examine(written("a,b\ncrème,1\n"), Dialect()).guessed


@pytest.mark.parametrize(
    ("content", "readable"),
    [
        ("a,b\n1,2\n", True),
        ("a,b\r\n1,2\r\n", True),
        ("a,b\r1,2\r", True),
        ("a,b\r\n1,2\n", False),
        ('a,b\n1,"x\ry"\n', False),
        (b"a,b\r\n" + b"1,2\r\n" * 300_000, True),
        (b"a,b\n" + b"1,2\n" * 300_000 + b"1,\xc5\xbc\r\n", False),
    ],
    ids=["LF", "CRLF", "CR", "mixed", "CR in a cell", "CRLF across blocks", "mixed at the end"],
)
def test_line_ends(content, readable, written):
    assert examine(written(content), Dialect()).readable is readable


def test_a_copy_is_utf8_with_one_kind_of_line_ends(written, tmp_path):
    path = written("a;ż\r\n1;2\r3;4\n".encode("utf-16"))
    assert recoded(path, "utf-16", tmp_path / "copy.csv").read_bytes() == "a;ż\n1;2\n3;4\n".encode()


CROOKED = [
    'a,b\n"1\n2",3\n4,5\n',
    "\n\na,b\n1,2\n\n3,4\n",
    "a,b\r1,2\r\r3,4\r",
    ",\n,\na,b\n1,2\n3,4\n",
    '"a\nb",c\n1,2\n3,4\n',
]
LINES = [[2, 4], [4, 6], [2, 4], [4, 5], [3, 4]]


@pytest.mark.parametrize(("content", "lines"), list(zip(CROOKED, LINES, strict=True)))
def test_lines_of_rows(content, lines, written):
    path, dialect = written(content), Dialect(",", ".", "utf-8")
    assert not one_line_a_row(path, dialect)
    assert list(line_numbers(path, dialect, [1, 2])) == lines
    assert list(line_numbers(path, dialect, [2])) == lines[1:]
    zipped = written(gzip.compress(content.encode()), "table.csv.gz")
    assert list(line_numbers(zipped, dialect, [1, 2])) == lines


@pytest.mark.parametrize("content", ["a,b\n1,2\n", "a,b\r\n1,2\r\n", "a,b\r1,2", b"a,b\r\n" + b"1,2\r\n" * 300_000])
def test_rows_that_are_lines(content, written):
    assert one_line_a_row(written(content), Dialect(",", ".", "utf-8"))


@pytest.mark.parametrize(
    ("content", "line"),
    [
        ("a,b\n1,2\n1\n1,2\n", 3),
        ("a,b\n1,2\n1,2,3\n", 3),
        ('a,b\n"1\n\n",2\n\n1\n', 6),
        ('a,b\n1,"2\n1,2\n1,2\n', 2),
        ('a,b\n1,2\n"1"x,2\n', 3),
    ],
    ids=["few", "many", "after a break", "open quote", "sign after a quote"],
)
def test_the_line_that_does_not_fit(content, line, written):
    assert misfit(written(content), Dialect(",", ".", "utf-8"), 2) == line


def test_a_header_is_named_whole(written):
    header = examine(written('\n," unit\nprice ",b  c,\n1,2,3,4\n'), Dialect()).header
    assert header == ("column_1", "unit price", "b c", "column_4")


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "empty"),
        (b"\xef\xbb\xbf", "empty"),
        (b"a,b\n", "header and no rows"),
        (b"a,b\n\n\n", "header and no rows"),
        (b"a,A\n1,2\n", "twice"),
        (b'a,"b\n1,2\n', "quote"),
        (b"a\x07,b\n1,2\n", "not a header"),
        (b"a,b\n1,\0\n", "row 2: The file is not text"),
        ("a,b\n1,ą\n".encode() + "1,ą\n".encode("cp1250"), "mixes encodings"),
    ],
)
def test_what_is_no_table_is_refused(content, says, written):
    with pytest.raises(BadData, match=says):
        examine(written(content), Dialect())


def test_a_wrong_byte_at_the_very_end_is_found(written):
    path = written(b"a,b\n" + b"1,2\n" * 400_000 + "1,ż\n".encode() + b"1,\xbf")
    with pytest.raises(BadData, match="row 400003 is not UTF-8 while row 400002 is"):
        examine(path, Dialect())


def test_the_digest_is_of_the_bytes(written):
    assert sha256(written("abc")) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
