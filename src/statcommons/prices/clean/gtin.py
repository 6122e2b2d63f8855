"""Global trade item numbers (GTIN, the numbers under bar codes): check digits, one form of 14 digits, and faults.

References
----------
.. [1] GS1, *General Specifications*: GTIN-8, GTIN-12 (UPC-A), GTIN-13 (EAN) and GTIN-14; check digits (section 7.9);
   prefixes for restricted circulation (section 1.4).
"""

from __future__ import annotations

import re
from typing import Any

__all__ = ["LENGTHS", "check_digit", "gtin14", "gtin14_of", "gtin_fault"]

LENGTHS = (8, 12, 13, 14)
"""How many digits a GTIN may have."""

FLOATED = r"^[0-9](\.[0-9]+)?[eE]\+?[0-9]+$|^[0-9]+\.0*$|^[0-9]{7,9}0{5,}$"
IN_STORE = r"^0(2|02|04)|^0{6}[02]"  # of the form of 14 digits: 2, 02 and 04 of an EAN, 0 and 2 of a GTIN-8


def check_digit(body: str) -> int:
    """Compute the check digit of a GTIN from the digits before it: weights 3 and 1 from the right, modulo 10.

    Parameters
    ----------
    body : str
        All digits but the last.

    Returns
    -------
    int
        The digit that makes the weighted sum a multiple of 10.

    References
    ----------
    GS1, General Specifications, section 7.9.

    Examples
    --------
    >>> check_digit("590421512156")
    5
    """
    return -sum(int(digit) * (1 if place % 2 else 3) for place, digit in enumerate(reversed(body))) % 10


def gtin14(code: str) -> str | None:
    """Write a GTIN in the one form in which all lengths can be compared: 14 digits, zeros in front.

    Parameters
    ----------
    code : str
        A code as delivered, of 8, 12, 13 or 14 digits, with or without blanks around it.

    Returns
    -------
    str or None
        None where the code is no GTIN: another length, another sign, or a wrong check digit.

    Examples
    --------
    >>> gtin14("5904215121565"), gtin14("5904215121566")
    ('05904215121565', None)
    """
    digits = code.strip()
    if len(digits) not in LENGTHS or not re.fullmatch("[0-9]+", digits) or check_digit(digits[:-1]) != int(digits[-1]):
        return None
    return digits.zfill(14)


def gtin14_of(codes: Any) -> Any:
    """Write a column of GTINs with 14 digits, as :func:`gtin14` writes one.

    Parameters
    ----------
    codes : ibis text column
        Codes as delivered.

    Returns
    -------
    ibis text column
        Missing where the code is no GTIN.

    Examples
    --------
    >>> import pyarrow as pa
    >>> from statcommons.core.engine import current
    >>> rows = current().adopt(pa.table({"code": ["5904215121565", "5904215121566"]}))
    >>> current().collect(rows.select(gtin=gtin14_of(rows.code)))["gtin"].to_pylist()
    ['05904215121565', None]
    """
    import ibis

    padded, has_length = _padded(codes)
    return ibis.ifelse(has_length & (_weighted_sum(padded) % 10 == 0), padded, ibis.null("string"))


def gtin_fault(codes: Any) -> Any:
    """Say what is wrong with each code of a column that should hold GTINs.

    Parameters
    ----------
    codes : ibis text column
        Codes as delivered.

    Returns
    -------
    ibis text column
        ``floated`` where a spreadsheet took the code for a number: written with an exponent or a decimal point, or
        rounded to five or more zeros at its end; else ``length`` (not 8, 12, 13 or 14 digits), ``digit`` (a wrong check
        digit), ``in_store`` (a number that shops give themselves, such as those from 20 to 29: it means another product
        in another chain); missing where nothing is wrong.

    Examples
    --------
    >>> import pyarrow as pa
    >>> from statcommons.core.engine import current
    >>> codes = ["5904215121565", "5904215121566", "5.9042E+12", "2412345678901", "12"]
    >>> rows = current().adopt(pa.table({"code": codes}))
    >>> current().collect(rows.select(fault=gtin_fault(rows.code)))["fault"].to_pylist()
    [None, 'digit', 'floated', 'in_store', 'length']
    """
    import ibis

    padded, has_length = _padded(codes)
    return ibis.cases(
        (codes.strip().re_search(FLOATED), "floated"),
        (~has_length, "length"),
        (_weighted_sum(padded) % 10 != 0, "digit"),
        (padded.re_search(IN_STORE), "in_store"),
        else_=ibis.null("string"),
    )


def _padded(codes: Any) -> tuple[Any, Any]:
    """Give codes with 14 digits, and whether each has the length of a GTIN; zeros stand for one that has not."""
    import ibis

    stripped = codes.strip()
    has_length = stripped.re_search("^([0-9]{8}|[0-9]{12,14})$")
    return ibis.ifelse(has_length, stripped, "0").lpad(14, "0"), has_length


def _weighted_sum(padded: Any) -> Any:
    """Add up 14 digits with their weights, 1 and 3 in turn from the right; the check digit itself counts once."""
    number = padded.cast("int64")
    return sum(((number // 10**place) % 10 * (3 if place % 2 else 1) for place in range(1, 14)), number % 10)
