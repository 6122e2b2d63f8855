"""What the checks of a delivery give: findings, what to do with each part of the delivery, and a letter's sentences."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple

from statcommons.core.schema import (
    Attribute,
    Concept,
    Confidential,
    Dimension,
    Ge,
    Le,
    Measure,
    Period,
    Schema,
    Time,
    Unit,
)

if TYPE_CHECKING:
    import ibis

__all__ = ["ALL", "CODES", "Code", "Findings", "HoldPlan", "Letter", "Severity", "finding", "letter_of", "plan_of"]

ALL = "_T"
"""Where a finding is about all shops or all products: SDMX's code for a total."""

Severity = Literal["high", "medium", "low"]
"""How much a finding matters: the index would be wrong, may be wrong, or is not touched."""

Fallback = Literal[
    "none", "average_repeats", "leave_out_products", "leave_out_outlet", "carry_class_movement", "ask_and_compare"
]

CodeName = Literal[
    "COPY",
    "VOLUME",
    "OUTLET_GONE",
    "FANOUT",
    "DUPLICATE",
    "UNIT",
    "DECIMAL",
    "FLOATED",
    "GTIN",
    "ONE_TO_MANY",
    "OUTLET_NEW",
    "ENCODING",
]


class Code(NamedTuple):
    """One kind of finding: what it means, what helps, and what is asked of the retailer.

    Parameters
    ----------
    what : str
        What was found, as a sentence of a letter.
    unit : str
        What ``observed`` and ``expected`` count.
    remedy : str
        What the statistician can do.
    request : str
        What is asked of the retailer.
    fallback : str
        What the index does until the retailer has answered.
    """

    what: str
    unit: str
    remedy: str
    request: str
    fallback: Fallback


CODES: dict[str, Code] = {
    "COPY": Code(
        "Nearly all rows of this period are those of an earlier one.",
        "share of rows",
        "Hold the period; let the class's price movement stand in until the right file is there.",
        "Please send the file of the period again; an earlier one seems to have been sent in its place.",
        "carry_class_movement",
    ),
    "VOLUME": Code(
        "Turnover or the number of products is far from that of the months before.",
        "currency or products",
        "Ask whether the delivery is complete; compare the shops and classes that are in it.",
        "Please confirm that the delivery is complete, or say what has changed.",
        "carry_class_movement",
    ),
    "OUTLET_GONE": Code(
        "A shop that was in the delivery before is no longer in it.",
        "share of turnover",
        "Ask whether it closed or its file is missing; a shop with another code may be the same one.",
        "Please say whether the shop closed, has another code now, or was left out.",
        "leave_out_outlet",
    ),
    "FANOUT": Code(
        "The same shop, product, day and quantity stand on more than one price, as when tables were joined twice.",
        "share of rows",
        "Average the prices of rows that repeat a quantity, or leave the rows out; quantities count several times.",
        "Please check how prices and quantities were joined: each sum of sales should have one price.",
        "average_repeats",
    ),
    "DUPLICATE": Code(
        "Rows stand in the delivery more than once, with the same price.",
        "share of rows",
        "Keep one of each, when a row is a sum of sales.",
        "Please check whether a file or a part of it was appended twice.",
        "average_repeats",
    ),
    "UNIT": Code(
        "The price of a product is many times its usual price, or a small part of it, as for a carton or one piece.",
        "currency",
        "Divide the price by the pack's number and multiply the quantity, or leave the product out of the period.",
        "Please say of what unit price and quantity are: the piece, the pack or the kilogram.",
        "leave_out_products",
    ),
    "DECIMAL": Code(
        "The decimal sign of prices slipped, or prices have more decimals than the currency.",
        "currency or share of rows",
        "Move the decimal sign back; ask of what a price with many decimals is the average.",
        "Please check the decimal sign of these prices.",
        "leave_out_products",
    ),
    "FLOATED": Code(
        "Codes were taken for numbers and lost digits, as a spreadsheet does.",
        "codes",
        "Take the codes from the retailer's own file; several products may share the rounded code.",
        "Please export product codes as text.",
        "leave_out_products",
    ),
    "GTIN": Code(
        "Codes are no valid GTIN, or are numbers that shops give themselves.",
        "codes",
        "Match these products by the retailer's code and name; do not match in-store numbers between chains.",
        "Please check these codes; what is sold by weight may keep its in-store number.",
        "ask_and_compare",
    ),
    "ONE_TO_MANY": Code(
        "A retailer's code stands for several GTINs, or a GTIN for several of the retailer's codes.",
        "codes",
        "Decide which code defines the product; a new GTIN under an old code may be a relaunch.",
        "Please say which of the codes follow one another.",
        "ask_and_compare",
    ),
    "OUTLET_NEW": Code(
        "A shop is in the delivery that was not in the period before.",
        "share of turnover",
        "Let it in when it has two periods; it may be an old shop under another code.",
        "Please say whether the shop is new or has changed its code.",
        "ask_and_compare",
    ),
    "ENCODING": Code(
        "Letters of product names are broken.",
        "rows",
        "Read the file in its true encoding, mostly UTF-8; names decide the class of a new product.",
        "Please send the file in UTF-8.",
        "ask_and_compare",
    ),
}
"""All kinds of finding, the gravest first; the plan takes the fallback of the first that applies."""

RETAILER = Confidential("Names a shop or a product of a retailer, or tells its prices and turnover")


class Findings(Schema):
    """Faults found in a delivery, one row a finding."""

    code: Annotated[CodeName, Dimension(codes="DELIVERY_FAULT"), "What kind of fault"]
    severity: Annotated[
        Severity, Attribute(codes="SEVERITY"), "high: the index would be wrong; medium: it may be; low: it is not"
    ]
    period: Annotated[Period, Time, Concept("TIME_PERIOD"), "Period of the rows; the first where they are of several"]
    outlet: Annotated[str, Dimension, RETAILER, "Code of the shop; _T where it is about all"]
    product: Annotated[str, Dimension, RETAILER, "Code of the product; _T where it is about several or all"]
    observed: Annotated[float, Measure, RETAILER, "What was found, in the unit named"]
    expected: Annotated[float, Measure, RETAILER, "What was to be expected, in the same unit"]
    unit: Annotated[str, Attribute, "What is counted: currency, share of rows, codes …"]
    detail: Annotated[str, Attribute, RETAILER, "The particulars: the multiple, the period copied, an example"]
    n_rows: Annotated[int, Measure, Unit("rows"), Ge(0), "Rows of the delivery that it is about"]
    remedy: Annotated[str, Attribute, "What to do"]


class HoldPlan(Schema):
    """What to do with each period of each shop, and what stands in for what is held."""

    period: Annotated[Period, Time, Concept("TIME_PERIOD"), "Month or week"]
    outlet: Annotated[str, Dimension, RETAILER, "Code of the shop; _T where none is distinguished"]
    decision: Annotated[
        Literal["accept", "hold"],
        Attribute(codes="DELIVERY_DECISION"),
        "hold where a finding of high severity is about the whole of it; else accept",
    ]
    fallback: Annotated[
        Fallback, Attribute(codes="DELIVERY_FALLBACK"), "What the index does until the retailer has answered"
    ]
    reasons: Annotated[str | None, Attribute, "Codes of the findings that matter, the gravest first"]
    n_rows: Annotated[int, Measure, Unit("rows"), Ge(0), "Rows delivered"]
    rows_in_question: Annotated[
        float, Measure, Unit("share"), Ge(0), Le(1), "Share of its rows that the findings are about, at most 1"
    ]


class Letter(Schema):
    """Sentences to send to the retailer, one row a kind of finding, the gravest first."""

    number: Annotated[int, Dimension, Ge(1), "Place in the letter"]
    code: Annotated[CodeName, Dimension(codes="DELIVERY_FAULT"), "What kind of fault"]
    what: Annotated[str, Attribute, "What was found"]
    where: Annotated[str, Attribute, RETAILER, "Where: periods and shops"]
    n_rows: Annotated[int, Measure, Unit("rows"), Ge(0), "Rows of the delivery that it is about"]
    example: Annotated[str, Attribute, RETAILER, "The gravest finding, of these the one with the most rows"]
    request: Annotated[str, Attribute, "What we ask"]


WHOLE = ("COPY", "VOLUME", "OUTLET_GONE", "FANOUT", "DUPLICATE")  # they are about a period of a shop as a whole
SEVERITIES = ("high", "medium", "low")
MATTERS = SEVERITIES[:2]


def finding(table: ibis.Table, code: str, **columns: Any) -> ibis.Table:
    """Bring a table to the columns of a finding; what is not given is about all, or nothing.

    Parameters
    ----------
    table : ibis.Table
        One row a finding, with ``start``, the first day of its period.
    code : str
        What kind of finding.
    **columns : ibis column or plain value
        Columns of :class:`Findings`, as far as they are known.

    Returns
    -------
    ibis.Table
        The columns of :class:`Findings` but the remedy; ``start`` in place of the period.

    Examples
    --------
    >>> import datetime
    >>> import pyarrow as pa
    >>> from statcommons.core.engine import current
    >>> table = current().adopt(pa.table({"start": [datetime.date(2026, 1, 1)], "shop": ["7"]}))
    >>> current().row(finding(table, "OUTLET_NEW", outlet=table.shop))["outlet"]
    '7'
    """
    import ibis

    given = {
        "code": code,
        "severity": "medium",
        "start": table.start,
        "outlet": ALL,
        "product": ALL,
        "observed": 0.0,
        "expected": 0.0,
        "unit": CODES[code].unit,
        "detail": "",
        "n_rows": 0,
    } | columns
    kinds = {"start": "date", "observed": "float64", "expected": "float64", "n_rows": "int64"}
    return table.select(
        **{
            name: (one if isinstance(one, ibis.expr.types.Value) else ibis.literal(one)).cast(kinds.get(name, "string"))
            for name, one in given.items()
        }
    )


def plan_of(findings: Any, totals: Any) -> dict[str, Any]:
    """Decide about each period of each shop from what was found.

    It is held where a finding of high severity is about the whole of it (a copy, a break in volume, a shop that went,
    repeated rows); a finding about all shops holds them all. Prices of single products never hold a shop.

    Parameters
    ----------
    findings : pyarrow.Table
        With the columns of :class:`Findings`.
    totals : pyarrow.Table
        ``period``, ``outlet``, ``rows``: what was delivered, once each.

    Returns
    -------
    dict of str to array
        The columns of :class:`HoldPlan`.

    Examples
    --------
    >>> import pyarrow as pa
    >>> found = {"code": ["COPY"], "severity": ["high"], "period": ["2026-02"], "outlet": ["_T"], "n_rows": [9]}
    >>> totals = pa.table({"period": ["2026-01", "2026-02"], "outlet": ["a", "a"], "rows": [9, 9]})
    >>> plan_of(pa.table(found), totals)["decision"].tolist()
    ['accept', 'hold']
    """
    import numpy as np

    names = list(CODES)
    periods = np.array(totals["period"].to_pylist() + findings["period"].to_pylist(), dtype=object)
    outlets = np.array(totals["outlet"].to_pylist() + findings["outlet"].to_pylist(), dtype=object)
    period_names, p = np.unique(periods.astype(str), return_inverse=True)
    outlet_names, o = np.unique(outlets.astype(str), return_inverse=True)
    shape, n = (len(period_names), len(outlet_names)), totals.num_rows
    rows, questioned = np.zeros(shape, np.int64), np.zeros(shape, np.int64)
    exists = np.zeros(shape, bool)
    mask, holding = np.zeros(shape, np.int64), np.zeros(shape, np.int64)  # one bit a code
    rows[p[:n], o[:n]] = totals["rows"].to_numpy()
    exists[p[:n], o[:n]] = True
    distinguished = np.isin(outlet_names, outlets[:n].astype(str))

    code = np.array([names.index(one) for one in findings["code"].to_pylist()], np.int64)
    severity = np.array(findings["severity"].to_pylist(), dtype=object)
    counts = findings["n_rows"].to_numpy()
    p, o = p[n:], o[n:]
    whole = np.isin(code, [names.index(one) for one in WHOLE]) & (severity == "high")
    matters = np.isin(severity, MATTERS)
    of_all = (outlet_names[o] == ALL) & ~distinguished[o]  # where no shop is distinguished, _T is the one there is
    one = matters & ~of_all & np.isin(code, [names.index(one) for one in (*WHOLE, "UNIT", "DECIMAL")])
    exists[p[one], o[one]] = True
    np.bitwise_or.at(mask, (p[one], o[one]), 1 << code[one])
    np.add.at(questioned, (p[one], o[one]), counts[one])
    own = whole & ~of_all
    np.bitwise_or.at(holding, (p[own], o[own]), 1 << code[own])
    # What is about a whole period is about each shop in it; wrong codes of products have no period of their own.
    every = matters & of_all & np.isin(code, [names.index(one) for one in WHOLE])
    for target, chosen in ((mask, every), (holding, every & whole)):
        wide = np.zeros(shape[0], np.int64)
        np.bitwise_or.at(wide, p[chosen], 1 << code[chosen])
        target |= wide[:, None]
    questioned[p[every]] = np.maximum(questioned[p[every]], rows[p[every]])

    at = np.nonzero(exists)
    pairs, which = np.unique(np.stack([holding[at], mask[at]], axis=1), axis=0, return_inverse=True)
    which = which.ravel()
    holds, reasons = ([_names_of(int(bits)) for bits in column] for column in pairs.T)
    share = np.minimum(questioned[at] / np.maximum(rows[at], 1), 1.0)
    return {
        "period": period_names[at[0]],
        "outlet": outlet_names[at[1]],
        "decision": np.where(holding[at] > 0, "hold", "accept"),
        "fallback": np.array([_fallback(*one) for one in zip(holds, reasons, strict=True)])[which],
        "reasons": np.array([", ".join(one) or None for one in reasons], dtype=object)[which],
        "n_rows": rows[at],
        "rows_in_question": share,
    }


def _names_of(bits: int) -> list[str]:
    return [name for place, name in enumerate(CODES) if bits >> place & 1]


def _fallback(holds: list[str], reasons: list[str]) -> Fallback:
    """Take the fallback of the gravest reason to hold; without one, of the gravest that leaves the shop in."""
    if holds:
        return CODES[holds[0]].fallback
    stays = [CODES[one].fallback for one in reasons if one not in ("COPY", "VOLUME", "OUTLET_GONE")]
    return stays[0] if stays else "ask_and_compare" if reasons else "none"


NAMED = 3  # places that a sentence names


def letter_of(findings: Any) -> dict[str, list[Any]]:
    """Write the sentences of a letter to the retailer: what, where, how many rows, an example, and what we ask.

    Parameters
    ----------
    findings : pyarrow.Table
        With the columns of :class:`Findings`.

    Returns
    -------
    dict of str to list
        The columns of :class:`Letter`.

    Examples
    --------
    >>> import pyarrow as pa
    >>> found = {"code": ["COPY"], "period": ["2026-02"], "outlet": ["_T"], "product": ["_T"], "n_rows": [9]}
    >>> found |= {"severity": ["high"], "detail": ["equals 2026-01"]}
    >>> found |= {"observed": [1.0], "expected": [0.0], "unit": ["share of rows"]}
    >>> letter = letter_of(pa.table(found))
    >>> letter["where"], letter["example"]
    (['2026-02'], ['2026-02: equals 2026-01.'])
    """
    import numpy as np

    columns = {name: np.array(findings[name].to_pylist(), dtype=object) for name in findings.column_names}
    letter: dict[str, list[Any]] = {name: [] for name in ("number", "code", "what", "where", "n_rows")}
    letter |= {"example": [], "request": []}
    for name, about in CODES.items():
        rows = np.flatnonzero(columns["code"] == name)
        if not len(rows):
            continue
        part = {column: values[rows] for column, values in columns.items()}
        grave = np.array([SEVERITIES.index(one) for one in part["severity"]])
        order = np.lexsort((part["product"], part["outlet"], part["period"], -part["n_rows"].astype(np.int64), grave))
        places = list(dict.fromkeys(_place(part, one) for one in order))
        more = f" and {len(places) - NAMED:,} more" if len(places) > NAMED else ""
        letter["number"].append(len(letter["number"]) + 1)
        letter["code"].append(name)
        letter["what"].append(about.what)
        letter["where"].append("; ".join(places[:NAMED]) + more)
        letter["n_rows"].append(int(part["n_rows"].sum()))
        letter["example"].append(_example(part, order[0]))
        letter["request"].append(about.request)
    return letter


def _place(part: Mapping[str, Any], row: int) -> str:
    outlet = part["outlet"][row]
    return str(part["period"][row]) + (f" in shop {outlet}" if outlet != ALL else "")


def _example(part: Mapping[str, Any], row: int) -> str:
    product = f", product {part['product'][row]}" if part["product"][row] != ALL else ""
    amounts = f" ({part['observed'][row]:,.2f} against {part['expected'][row]:,.2f})"
    return f"{_place(part, row)}{product}: {part['detail'][row]}{amounts if part['unit'][row] == 'currency' else ''}."
