"""The export of the United Nations' SDG database, read as rows of one structure that holds every series of it.

The portal writes a column for each breakdown that a series has, so that every export has other columns. Here the ones
that the global data structure knows become its dimensions, and all others together ``COMPOSITE_BREAKDOWN``: what is
loaded today and what is loaded next year are of one dataflow.

A file is read three times, some rows at a time: for its codes, for rows that come under several indicators, and, when
somebody asks for them, for its observations.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from statcommons.core.errors import BadData, counted
from statcommons.sdmx.message import Rows
from statcommons.sdmx.reading import read_rows
from statcommons.sdmx.sdg.framework import framework
from statcommons.sdmx.sdg.unsd_structure import CODED, COMPONENTS, DIMENSIONS, NAMES, PLACES, TEXTS, unsd_structure
from statcommons.sdmx.structure import Structure

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["UnsdExport", "read_unsd"]

COMPOSITE, EVERY, ANNUAL, INDICATOR = "COMPOSITE_BREAKDOWN", "_T", "A", "indicator"
FIRST_CODES = {"FREQ": {ANNUAL: "Annual"}, "OBS_STATUS": {"O": "Missing value"}}
MISSING = ("NaN", "N")
BOUND = r"^[<>≤≥]=? ?\d+(\.\d+)?$"
FLOATING = re.compile(r"(\d+)\.0+", re.ASCII)
"""What a program writes for the code of an area in a column that it takes for numbers with gaps."""

SIGNS = {"<": "LT", ">": "GT", "≤": "LE", "≥": "GE", "+": "PLUS", "%": "PC", "&": "AND"}


@dataclass(frozen=True)
class UnsdExport:
    """An export that was read.

    Parameters
    ----------
    structure : Structure
        Its structure, with the codes that occur.
    rows : Rows
        Its observations; they are read when they are asked for.
    notes : tuple of str
        What a user should know: values that are no numbers, and rows that came several times.
    """

    structure: Structure
    rows: Rows
    notes: tuple[str, ...]


def read_unsd(path: Path | str | bytes, agency: str = "SC") -> UnsdExport:
    r"""Read an export of the SDG database: the portal's CSV or Excel, or Parquet with breakdowns as ``k=v|k=v``.

    Codes stay as they are written; what SDMX does not allow in an id is spelled out (``<5Y`` is ``LT5Y``), and the name
    keeps it. A breakdown that a row does not have is ``_T``. A row without a number stays, with status ``O`` where it
    has none of its own; ``<2.5`` is kept in ``VALUE_TEXT`` and never becomes a number. A row that comes again
    under another indicator is left out; keys that come with different values are told when the rows are checked.

    Parameters
    ----------
    path : path or bytes
        The file, or its content.
    agency : str
        The agency that maintains the structure.

    Raises
    ------
    BadData
        When it is no such export, or two codes would get one id.
    NoInput, NotAllowed
        When the file cannot be opened.

    References
    ----------
    United Nations Statistics Division: SDG indicators database, https://unstats.un.org/sdgs/dataportal.

    Examples
    --------
    >>> text = "Indicator,SeriesCode,GeoAreaCode,TimePeriod,Value,[Age]\n2.1.1,SN_ITK_DEFC,4,2020,<2.5,<5Y\n"
    >>> found = read_unsd(text.encode())
    >>> [[row]] = [batch.to_pylist() for batch in found.rows.batches]
    >>> row["REF_AREA"], row["AGE"], row["SEX"], row["OBS_VALUE"], row["VALUE_TEXT"]
    ('4', 'LT5Y', '_T', None, '<2.5')
    >>> found.notes
    ("1 value is a bound, such as '<2.5': it stands in VALUE_TEXT, without a number.",)
    """
    columns = _Columns(_table(path))
    survey = _Survey(columns.rows.path)
    for batch in columns.cells():
        survey.look(batch)
    again = columns.repeated(survey)
    structure = unsd_structure(agency, survey.codes())
    given = columns.components | {*DIMENSIONS, "TIME_PERIOD", "OBS_VALUE", "OBS_STATUS", "VALUE_TEXT"}
    rows = Rows(_Observations(columns, again), "Replace", str(structure.flow), path=columns.rows.path, given=given)
    return UnsdExport(structure, rows, survey.notes(len(again)))


# --- reading --------------------------------------------------------------------------------------------------------


def _table(path: Path | str | bytes) -> Rows:
    found = read_rows(path)
    if len(found) != 1 or found[0].structure:
        raise BadData("This is a message of SDMX.", where=found[0].path, remedy="Load it as it is: it needs no export.")
    return found[0]


def _plain(column: str) -> str:
    """Give the name of a column as our table of components has it: ``[Education level]`` is ``education_level``."""
    return re.sub(r"[^a-z0-9]+", "_", column.lower()).strip("_")


def _id(text: str) -> str:
    """Give an id that SDMX allows."""
    spelled = "".join(SIGNS.get(sign, sign) for sign in text.strip())
    return re.sub(r"[^A-Za-z0-9_@$-]", "_", spelled)


@dataclass(frozen=True)
class _Columns:
    """The columns of an export under the names of components."""

    rows: Rows

    @cached_property
    def names(self) -> dict[str, str]:
        """The columns by what they are: a component, a name of codes, or a breakdown of its own."""
        found: dict[str, str] = {}
        plain = {_plain(column): column for column in sorted(self.rows.given)}
        packed = "dimensions" in plain
        for name, column in plain.items():
            if name in PLACES - {INDICATOR} or (packed and name in ("sex", "age", "location")):
                continue
            role = f"name of {NAMES[name]}" if name in NAMES else COMPONENTS.get(name, name)
            if role in found:
                raise BadData(
                    f"{found[role]} and {column} say the same.", where=self.rows.path, remedy="Take one of them out."
                )
            found[role] = column
        missing = [one for one in ("SERIES", "REF_AREA", "TIME_PERIOD", "OBS_VALUE") if one not in found]
        if missing:
            raise BadData(
                f"There is no column for {', '.join(missing)}.",
                where=self.rows.path,
                remedy="Give an export of the SDG database: SeriesCode, GeoAreaCode, TimePeriod, Value …",
            )
        return found

    @property
    def components(self) -> frozenset[str]:
        return frozenset(self.names) & {*DIMENSIONS, *CODED, *TEXTS}

    def cells(self) -> Iterator[dict[str, pa.Array]]:
        """Give the cells as text by what they are, batch after batch; breakdowns in one column are taken apart."""
        for batch in self.rows.batches:
            cells = {role: batch[column] for role, column in self.names.items()}
            packed = cells.pop("dimensions", None)
            if packed is not None:
                cells |= _unpacked(packed)
            yield cells | {"_row": batch["_row"]}

    def repeated(self, survey: _Survey) -> frozenset[int]:
        """Give the rows that say what an earlier row says, for another indicator."""
        import pyarrow as pa
        import pyarrow.compute as pc

        shared = [series for series, indicators in survey.indicators.items() if len(indicators) > 1]
        if not shared:
            return frozenset()
        wanted, indicator = pa.array(shared, pa.string()), self.names[INDICATOR]
        parts = [one.filter(pc.is_in(one[self.names["SERIES"]], wanted)) for one in self.rows.batches]
        table = pa.Table.from_batches(parts)
        said = [name for name in table.column_names if _plain(name) not in PLACES and name != "_row"]
        alike = table.group_by(said, use_threads=False).aggregate([("_row", "list"), (indicator, "list")])
        found = zip(alike["_row_list"].to_pylist(), alike[f"{indicator}_list"].to_pylist(), strict=True)
        return frozenset(row for rows, of in found if len(rows) == len(set(of)) for row in rows[1:])


def _unpacked(packed: pa.Array) -> dict[str, pa.Array]:
    """Take ``sex=female|age=lt5y`` apart, into a column each."""
    import pyarrow as pa

    coded = packed.fill_null("").dictionary_encode()
    pairs = [dict(one.split("=", 1) for one in text.split("|") if "=" in one) for text in coded.dictionary.to_pylist()]
    roles = {_plain(key): key for key in sorted(set(chain.from_iterable(pairs)))}
    return {
        COMPONENTS.get(role, role): pa.array([one.get(key) for one in pairs], pa.string()).take(coded.indices)
        for role, key in roles.items()
    }


def _composite(cells: Mapping[str, pa.Array]) -> pa.Array | None:
    """Give the breakdowns that have no dimension of their own as one code; none where there are none at all."""
    import pyarrow as pa
    import pyarrow.compute as pc

    known = {*DIMENSIONS, *CODED, *TEXTS, "TIME_PERIOD", "OBS_VALUE", INDICATOR, "_row"}
    others = sorted(role for role in cells if role not in known and not role.startswith("name of "))
    if not others:
        return None
    words = [pc.binary_join_element_wise(f"|{role}=", pc.utf8_trim_whitespace(cells[role]), "") for role in others]
    joined = pc.utf8_ltrim(pc.binary_join_element_wise(*(one.fill_null("") for one in words), ""), "|")
    return pc.if_else(pc.equal(joined, ""), pa.scalar(None, pa.string()), joined)


def _composite_id(text: str) -> str:
    return "@".join(
        f"{_id(role).upper()}-{_id(code)}" for role, _, code in (one.partition("=") for one in text.split("|"))
    )


def _coded(cells: Mapping[str, pa.Array]) -> dict[str, pa.Array]:
    """Give the cells of components that have a code list."""
    found = {role: cells[role] for role in (*DIMENSIONS, *CODED) if role in cells}
    composite = _composite(cells)
    return found if composite is None else found | {COMPOSITE: composite}


@dataclass
class _Survey:
    """What was seen of an export: the codes with their names, and values that are no numbers."""

    path: str
    named: dict[str, dict[str, str]] = field(default_factory=dict)
    indicators: dict[str, set[str]] = field(default_factory=dict)
    missing: int = 0
    bounds: int = 0
    bound: str = ""

    def look(self, cells: Mapping[str, pa.Array]) -> None:
        import pyarrow as pa
        import pyarrow.compute as pc

        for role, column in _coded(cells).items():
            seen = self.named.setdefault(role, {})
            if f"name of {role}" in cells:
                pair = pa.table({"code": column, "name": cells[f"name of {role}"]}).group_by(["code", "name"])
                for one in pair.aggregate([]).to_pylist():
                    if one["code"] is not None:
                        seen.setdefault(one["code"], one["name"] or one["code"])
            else:
                for code in column.unique().to_pylist():
                    if code is not None:
                        seen.setdefault(code, code)
        if INDICATOR in cells:
            pairs = pa.table({"series": cells["SERIES"], "of": cells[INDICATOR]}).group_by(["series", "of"])
            for one in pairs.aggregate([]).to_pylist():
                self.indicators.setdefault(one["series"], set()).add(one["of"])
        absent, bound = _not_numbers(cells["OBS_VALUE"])
        self.missing += pc.sum(absent).as_py() or 0
        self.bounds += pc.sum(bound).as_py() or 0
        if not self.bound and pc.any(bound).as_py():
            self.bound = cells["OBS_VALUE"].filter(bound)[0].as_py()

    def codes(self) -> dict[str, dict[str, str]]:
        """Give the names of codes by component and id."""
        found: dict[str, dict[str, str]] = {}
        for role in (*DIMENSIONS, *CODED):
            ids: dict[str, str] = {}
            known = {one.id: one.name for one in framework().series} if role == "SERIES" else {}
            listed = found[role] = dict(FIRST_CODES.get(role, {}))
            if role in DIMENSIONS and role not in ("FREQ", "SERIES", "REF_AREA"):
                listed[EVERY] = "Total, or no breakdown"
            for text, name in self.named.get(role, {}).items():
                if not text.strip():
                    continue
                if role == "REF_AREA" and (number := FLOATING.fullmatch(text.strip())):
                    raise BadData(
                        f"A program has read codes of areas as numbers, such as {text!r}.",
                        where=self.path,
                        remedy=f"Write {number[1]}; give the column the type text before it is saved.",
                    )
                id = _composite_id(text) if role == COMPOSITE else _id(text)
                if ids.setdefault(id, text.strip()) != text.strip():
                    raise BadData(
                        f"{ids[id]!r} and {text.strip()!r} of {role} would both have the id {id}.",
                        where=self.path,
                        remedy="Write one of them in another way.",
                    )
                listed[id] = known.get(text, name) if name == text else name
        return found

    def notes(self, again: int) -> tuple[str, ...]:
        """Say what a user should know."""
        told = []
        if self.missing:
            told.append(f"{counted(self.missing, 'observation')} {_has(self.missing)} no number: OBS_VALUE is empty.")
        if self.bounds:
            what = f"{self.bounds:,} values are bounds" if self.bounds > 1 else "1 value is a bound"
            stand = "they stand" if self.bounds > 1 else "it stands"
            told.append(f"{what}, such as {self.bound!r}: {stand} in VALUE_TEXT, without a number.")
        if again:
            come = "come" if again > 1 else "comes"
            told.append(
                f"{counted(again, 'row')} {come} again under another indicator, and {_has(again)} been left out."
            )
        return tuple(told)


def _has(count: int) -> str:
    return "have" if count > 1 else "has"


def _not_numbers(values: pa.Array) -> tuple[pa.Array, pa.Array]:
    """Tell which values are missing, and which are bounds."""
    import pyarrow as pa
    import pyarrow.compute as pc

    text = pc.utf8_trim_whitespace(values.fill_null(""))
    absent = pc.is_in(text, pa.array(["", *MISSING]))
    return absent, pc.match_substring_regex(text, BOUND)


@dataclass(frozen=True)
class _Observations:
    """The observations under the components of the structure; each turn reads the file anew."""

    columns: _Columns
    again: frozenset[int]

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        import pyarrow as pa
        import pyarrow.compute as pc

        known: dict[str, dict[str | None, str | None]] = {}
        again = pa.array(sorted(self.again), pa.int64())
        for cells in self.columns.cells():
            made = {role: _renamed(role, column, known.setdefault(role, {})) for role, column in _coded(cells).items()}
            absent, bound = _not_numbers(cells["OBS_VALUE"])
            nothing = pa.nulls(len(absent), pa.string())
            without = pc.or_(absent, bound)
            for id in DIMENSIONS:
                empty = {"FREQ": ANNUAL, "SERIES": None, "REF_AREA": None}.get(id, EVERY)
                made[id] = made.get(id, nothing) if empty is None else made.get(id, nothing).fill_null(empty)
            made["TIME_PERIOD"] = cells["TIME_PERIOD"]
            made["OBS_VALUE"] = pc.if_else(without, nothing, cells["OBS_VALUE"])
            status = made.get("OBS_STATUS", nothing)
            made["OBS_STATUS"] = pc.if_else(pc.and_(without, status.is_null()), pa.scalar("O"), status)
            made["VALUE_TEXT"] = pc.if_else(bound, cells["OBS_VALUE"], nothing)
            made |= {id: cells[id] for id in TEXTS if id in cells}
            batch = pa.RecordBatch.from_pydict(made | {"_row": cells["_row"]})
            yield batch.filter(pc.invert(pc.is_in(batch["_row"], again))) if self.again else batch


def _renamed(role: str, column: pa.Array, known: dict[str | None, str | None]) -> pa.Array:
    """Give the ids of codes."""
    import pyarrow as pa

    coded = column.dictionary_encode()
    spell = _composite_id if role == COMPOSITE else _id
    for text in coded.dictionary.to_pylist():
        if text not in known:
            known[text] = spell(text) or None
    return pa.array([known[text] for text in coded.dictionary.to_pylist()], pa.string()).take(coded.indices)
