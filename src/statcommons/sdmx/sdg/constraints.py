"""Rows held against the content constraints of the United Nations: which codes each series may have in each dimension.

The constraints are a table with a row for each series and a column for each dimension or attribute; a cell lists the
codes, or says ``ALL``. An empty cell says nothing.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from statcommons.core.errors import BadData, Cause, counted, nearest
from statcommons.sdmx.message import Rows
from statcommons.sdmx.reading.source import source_of

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["Allowed", "check_unsd", "read_constraints"]

ALL = "ALL"
SHOWN = 6

Allowed = Mapping[str, Mapping[str, frozenset[str]]]
"""The codes that a series may have, by series and component; a component that is not there may have any."""


def read_constraints(path: Path | str | bytes) -> Allowed:
    r"""Read a table of content constraints.

    Parameters
    ----------
    path : path or bytes
        A CSV file with the columns ``SERIES``, ``Name`` and one for each component; codes are separated by ``;``.

    Raises
    ------
    BadData
        When it has no column ``SERIES`` and none to check, or is not in UTF-8.
    NoInput, NotAllowed
        When it cannot be opened.

    Examples
    --------
    >>> found = read_constraints(b"SERIES,Name,SEX,AGE\nSI_POV_DAY1,Poverty,_T; F;M,ALL\n")
    >>> {name: sorted(codes) for name, codes in found["SI_POV_DAY1"].items()}
    {'SEX': ['F', 'M', '_T']}
    """
    source = source_of(path)
    try:
        table = list(csv.reader(io.StringIO(source.path.read_bytes().decode("utf-8-sig"))))
    except UnicodeDecodeError:
        raise BadData("The constraints are not in UTF-8.", where=source.name, remedy="Save them as UTF-8.") from None
    head = table[0]
    components = [name for name in head if name not in ("SERIES", "Name")]
    if "SERIES" not in head or not components:
        raise BadData(
            "This is no table of content constraints.",
            where=source.name,
            remedy="Give a CSV file with SERIES and a column for each dimension.",
        )
    found: dict[str, dict[str, frozenset[str]]] = {}
    for cells in table[1:]:
        row = dict(zip(head, cells, strict=False))
        codes = {name: frozenset(code.strip() for code in row.get(name, "").split(";")) - {""} for name in components}
        if series := row.get("SERIES", ""):
            found[series] = {name: some for name, some in codes.items() if some and ALL not in some}
    return found


def check_unsd(rows: Sequence[Rows], constraints: Allowed | Path | str | bytes) -> int:
    r"""Check rows against the content constraints of the United Nations.

    Parameters
    ----------
    rows : sequence of Rows
        What was read; with ``SERIES`` and the dimensions of the global data structure.
    constraints : mapping or path
        The constraints, or their table.

    Returns
    -------
    int
        How many rows were checked; all of them are right.

    Raises
    ------
    BadData
        When series or codes are not allowed; a cause for each series, component and code, with the number of rows and
        the first of them.

    Examples
    --------
    >>> from statcommons.sdmx.reading import read_rows
    >>> rows = read_rows(b"DATAFLOW,SERIES,SEX,OBS_VALUE\nX:D(1.0),SI_POV_DAY1,W,1\n")
    >>> check_unsd(rows, b"SERIES,Name,SEX\nSI_POV_DAY1,Poverty,_T;F;M\n")
    Traceback (most recent call last):
    statcommons.core.errors.BadData: (bytes): 1 of 1 row is not what the constraints allow.
      - (bytes), row 2, column SEX: SEX of SI_POV_DAY1 may be F, M, _T, got 'W' (1 row). ...
    """
    allowed = constraints if isinstance(constraints, Mapping) else read_constraints(constraints)
    causes: list[Cause] = []
    checked = wrong = 0
    for one in rows:
        found = _Found(allowed, one)
        for batch in one.batches:
            found.look(batch)
        checked, wrong = checked + found.rows, wrong + found.wrong
        causes += found.causes()
    if causes:
        what = f"{wrong:,} of {counted(checked, 'row')} {'is' if wrong == 1 else 'are'} not what the constraints allow."
        raise BadData(
            what if wrong else "Columns are missing that the constraints ask for.",
            where=", ".join(dict.fromkeys(one.path for one in rows)),
            causes=causes,
        )
    return checked


class _Found:
    """What was found in the rows of one file: which codes of which series are wrong, how often, and where first."""

    def __init__(self, allowed: Allowed, rows: Rows) -> None:
        self.allowed, self.path = allowed, rows.path
        asked = ["SERIES", *sorted({name for codes in allowed.values() for name in codes})]
        self.missing = [name for name in asked if name not in rows.given]
        self.given = [name for name in asked if name in rows.given] if "SERIES" in rows.given else []
        self.rows = self.wrong = 0
        self.bad: dict[tuple[str | None, str, str | None], list[int]] = {}

    def look(self, batch: pa.RecordBatch) -> None:
        import pyarrow as pa
        import pyarrow.compute as pc

        self.rows += batch.num_rows
        wrong = pa.array([False] * batch.num_rows)
        for name in self.given:
            series, column = batch["SERIES"], batch[name]
            table = pa.table({"series": series, "code": column, "row": batch["_row"]})
            pairs = table.group_by(["series", "code"]).aggregate([("row", "min"), ("row", "count")]).to_pylist()
            for one in pairs:
                if self._is_wrong(one["series"], name, one["code"]):
                    key = (one["series"], name, one["code"])
                    first, count = self.bad.get(key, (one["row_min"], 0))
                    self.bad[key] = [min(first, one["row_min"]), count + one["row_count"]]
                    here = pc.and_(_is(series, one["series"]), _is(column, one["code"]))
                    wrong = pc.or_(wrong, here)
        self.wrong += pc.sum(wrong).as_py() or 0

    def _is_wrong(self, series: str | None, name: str, code: str | None) -> bool:
        if name == "SERIES":
            return series not in self.allowed
        codes = self.allowed.get(series or "", {})
        return name in codes and code not in codes[name]

    def causes(self) -> list[Cause]:
        """Give the causes: columns that are missing, then codes in the order of the rows where they come first."""
        remedy = "Add it; where a series has no such breakdown its code is mostly _T."
        missing = [Cause(f"there is no column {name}", 0, remedy, self.path) for name in self.missing]
        bad = sorted(self.bad.items(), key=lambda one: (one[1][0], one[0][1]))
        return missing + [self._cause(*key, *found) for key, found in bad]

    def _cause(self, series: str | None, name: str, code: str | None, first: int, count: int) -> Cause:
        where = f"{self.path}, row {first:,}, column {name}"
        if name == "SERIES":
            remedy = nearest(series or "", list(self.allowed))
            return Cause("SERIES must be a series of the constraints", count, remedy, where, series or "")
        codes = sorted(self.allowed[series or ""][name])
        shown = ", ".join(codes[:SHOWN]) + (f" and {len(codes) - SHOWN:,} more" if len(codes) > SHOWN else "")
        remedy = nearest(code or "", codes) if code else "Give a code in every row."
        return Cause(f"{name} of {series} may be {shown}", count, remedy, where, code or "")


def _is(column: pa.Array, code: str | None) -> pa.Array:
    import pyarrow.compute as pc

    return column.is_null() if code is None else pc.equal(column, code).fill_null(False)
