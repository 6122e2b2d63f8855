"""What a cell becomes: every coercion of Stat Commons, from what a user's table holds to the type that a column has.

A cell that cannot be of the type becomes null; :func:`is_missing` tells it from one that holds nothing.
"""

from __future__ import annotations

import re
from typing import Any

from statcommons.core.engine import current, local_time
from statcommons.core.errors import BadCall
from statcommons.core.schema import Column
from statcommons.core.textfile import MISSING, Dialect

__all__ = ["IBIS_TYPES", "is_missing", "may_fail", "typed"]

IBIS_TYPES = {
    "text": "string",
    "period": "string",
    "integer": "int64",
    "number": "float64",
    "boolean": "boolean",
    "date": "date",
    "instant": "timestamp(6)",
}
"""The type that an engine gives to a column of each kind."""


def may_fail(raw: Any, column: Column) -> bool:
    """Whether a cell of this type may be unfit for the column, so that a flag is needed.

    Parameters
    ----------
    raw : ibis.DataType
        The type of the user's column.
    column : Column
        What is wanted.

    Examples
    --------
    >>> import ibis
    >>> price = Column("price", "number", "measure")
    >>> may_fail(ibis.dtype("string"), price), may_fail(ibis.dtype("int32"), price)
    (True, False)
    """
    exact = {
        "text": raw.is_string() or _may_be_text(raw),
        "integer": raw.is_signed_integer() or (raw.is_integer() and raw.nbytes < 8),
        "number": raw.is_numeric(),
        "boolean": raw.is_boolean(),
        "date": raw.is_date() or raw.is_timestamp(),
        "instant": raw.is_timestamp() or raw.is_date(),
    }
    return not exact["text" if column.type == "period" else column.type]


def is_missing(raw: Any, column: Column) -> Any:
    """Whether a cell is missing: null, empty, or a word for missing where text is not wanted.

    Parameters
    ----------
    raw : ibis.Value
        The cells of the user's column.
    column : Column
        What is wanted.

    Examples
    --------
    >>> import ibis
    >>> cells = ibis.memtable({"price": ["1.5", "NA", None]}).price
    >>> is_missing(cells, Column("price", "number", "measure")).to_pyarrow().to_pylist()
    [False, True, True]
    """
    if not raw.type().is_string():
        return raw.isnull()
    words = () if column.type in ("text", "period") else MISSING
    # Not isin: DuckDB makes a join of it, which costs more than reading the file.
    return raw.isnull() | raw.re_search(rf"^\s*({'|'.join(words)})?\s*$")


def typed(raw: Any, column: Column, dialect: Dialect) -> Any:
    """Cast a cell to the column's type, null where it cannot be.

    Codes stay text; whole numbers become codes without a decimal point; an instant becomes its day in the zone; text
    becomes a number only as a whole, with the one decimal sign of its file. Thousands separators are read only beside a
    decimal comma.

    Parameters
    ----------
    raw : ibis.Value
        The cells of the user's column.
    column : Column
        What is wanted.
    dialect : Dialect
        How the file of text was written that they come from.

    Examples
    --------
    >>> import ibis
    >>> cells = ibis.memtable({"price": ["1.250,50", "1_000"]}).price
    >>> typed(cells, Column("price", "number", "measure"), Dialect(decimal=",")).to_pyarrow().to_pylist()
    [1250.5, None]
    """
    import ibis

    kind, target = raw.type(), column.type
    if target in ("text", "period"):
        if kind.is_string():
            return raw.nullif("")
        if kind.is_floating() or kind.is_decimal():  # a code that a spreadsheet made a number
            whole = (raw % 1 == 0) & ((raw.abs() < EXACT) | kind.is_decimal())
            return ibis.ifelse(whole, raw.try_cast("int64").cast("string"), ibis.null("string"))
        return raw.cast("string") if _may_be_text(kind) else ibis.null("string")
    if kind.is_string():
        return _from_text(raw, column, dialect)
    if target == "number":
        return raw.cast("float64") if kind.is_numeric() else ibis.null("float64")
    if target == "integer":
        if kind.is_floating() or kind.is_decimal():
            return ibis.ifelse(raw % 1 == 0, raw.try_cast("int64"), ibis.null("int64"))
        return raw.try_cast("int64") if kind.is_integer() else ibis.null("int64")
    if target == "boolean":
        return raw if kind.is_boolean() else ibis.null("boolean")
    if target == "date":
        local = local_time(raw) if kind.is_timestamp() and kind.timezone else raw
        return local.cast("date") if kind.is_date() or kind.is_timestamp() else ibis.null("date")
    return raw.cast("timestamp(6)") if kind.is_date() or kind.is_timestamp() else ibis.null("timestamp(6)")


EXACT = 2.0**53
"""Below it, a double keeps each digit of a whole number; a longer code that was one has lost some."""


def _may_be_text(kind: Any) -> bool:
    """Whether a value of this type has one plain writing as a code."""
    return bool(kind.is_integer() or kind.is_boolean() or kind.is_date())


def _from_text(text: Any, column: Column, dialect: Dialect) -> Any:
    import ibis

    target = column.type
    if target == "number":
        if dialect.decimal == ",":
            grouped = text.re_search(r"^\s*[+-]?\d{1,3}(\.\d{3})+,\d+\s*$")
            without = ibis.ifelse(grouped, text.replace(".", ""), ibis.null("string"))
            text = ibis.ifelse(text.contains("."), without, text).replace(",", ".")
        number = text.try_cast("float64")
        # DuckDB reads 1_000, Spark 12d, and both inf and NaN; none is a number in an office's file.
        odd = text.contains("_") if current().kind == "duckdb" else text.strip().right(1).isin(("d", "D", "f", "F"))
        return ibis.ifelse(odd | number.isnan() | number.isinf(), ibis.null("float64"), number)
    if target == "integer":
        number = text.try_cast("int64")
        written = (number.cast("string") == text) | text.re_search(r"^\s*[+-]?\d+\s*$")
        return ibis.ifelse(written, number, ibis.null("int64"))
    if target == "boolean":
        lower = text.strip().lower()
        return ibis.cases(
            (lower.isin(("true", "1")), True), (lower.isin(("false", "0")), False), else_=ibis.null("boolean")
        )
    if dialect.date_format:
        text = text.strip()
        pattern, order = _date_pattern(dialect.date_format)
        text = ibis.ifelse(text.re_search(pattern), text.re_replace(pattern, order), ibis.null("string"))
    # DuckDB reads the date before whatever follows it, and an instant without its offset where no zone is asked for.
    strict = ibis.ifelse(text.re_search(ISO), text, ibis.null("string"))
    text = ibis.ifelse(text.like("____-__-__"), text, strict)
    if target == "date":  # a time with its offset is an instant, whose day depends on the zone
        instant = local_time(text.try_cast("timestamp('UTC', 6)")).cast("date")
        return ibis.ifelse(text.re_search(OFFSET), instant, text.try_cast("date"))
    return text.try_cast("timestamp('UTC', 6)").cast("timestamp(6)")


ISO = r"^\s*\d{4}-\d{1,2}-\d{1,2}([ T]\d{1,2}:\d{2}(:\d{2}(\.\d+)?)?( ?(Z|[+-]\d{2}(:?\d{2})?))?)?\s*$"
"""A date, or a time of it, as ISO 8601 has them."""


OFFSET = r":\d{2}.*(Z|[+-]\d{2}(:?\d{2})?)\s*$"
"""The end of a time that says how far it is from UTC."""


def _date_pattern(date_format: str) -> tuple[str, str]:
    r"""Turn ``%d/%m/%Y`` into a pattern and the ISO date made of its groups.

    >>> _date_pattern("%d.%m.%Y")
    ('^(\\d{1,2})\\.(\\d{1,2})\\.(\\d{4})$', '\\3-\\2-\\1')
    """
    digits = {"%d": r"(\d{1,2})", "%m": r"(\d{1,2})", "%Y": r"(\d{4})"}
    fields = re.findall(r"%[A-Za-z]", date_format)
    if sorted(fields) != ["%Y", "%d", "%m"]:
        raise BadCall(f"The date format is {date_format!r}.", remedy="Write it with %d, %m and %Y, such as %d/%m/%Y.")
    pattern = re.escape(date_format)
    for name in fields:
        pattern = pattern.replace(re.escape(name), digits[name])
    year, month, day = (fields.index(name) + 1 for name in ("%Y", "%m", "%d"))
    return f"^{pattern}$", rf"\{year}-\{month}-\{day}"
