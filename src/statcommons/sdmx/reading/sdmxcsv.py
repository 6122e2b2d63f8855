"""SDMX-CSV 1.0, 2.0 and 2.1 read as rows: one set of rows for each structure that the file names."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import takewhile
from typing import TYPE_CHECKING, Any

from statcommons.core.errors import BadData, Cause, nearest
from statcommons.sdmx.message import PRIMARY, Action, Rows, changed
from statcommons.sdmx.reading.cells import LINE, Cells, cell_batches, cells_of
from statcommons.sdmx.reading.source import Source
from statcommons.sdmx.structure import Structure

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["ACTIONS", "is_sdmx_csv", "marked", "read_sdmx_csv"]

ACTIONS: Mapping[str, Action] = {"I": "Information", "A": "Append", "R": "Replace", "M": "Merge", "D": "Delete"}
"""The actions of SDMX-CSV 2.x by their letter."""

START = re.compile(r'"?(?:STRUCTURE(?:\[(?P<sub>.)\])?|(?P<old>DATAFLOW))"?(?P<separator>[^\w\s"]|\t|(?=[\r\n]|\Z))')
HEAD = ("STRUCTURE", "STRUCTURE_ID", "STRUCTURE_NAME", "DATAFLOW", "ACTION")
KEYS = ("SERIES_KEY", "OBS_KEY")
HEADER = re.compile(
    r"(?P<id>[^\[\]:\s]+(?:\[\]\.[^\[\]:\s]+)*)(?P<many>\[\])?(?:\[(?P<languages>[^\]]+)\])?(?P<label>: .*)?"
)
LANGUAGE = re.compile(r"[a-z]{2,3}(?:-[A-Za-z0-9]{1,8})*:(?!\s|//)")
CODE_LABEL = r"^(?P<code>[A-Za-z0-9_@$\-]+): "


def is_sdmx_csv(start: str) -> bool:
    """Tell whether a text file begins as SDMX-CSV does.

    Parameters
    ----------
    start : str
        Its first characters.

    Examples
    --------
    >>> is_sdmx_csv("STRUCTURE[;],STRUCTURE_ID"), is_sdmx_csv("DATAFLOW;FREQ"), is_sdmx_csv("FREQ,REF_AREA")
    (True, True, False)
    """
    return START.match(start) is not None


@dataclass(frozen=True)
class _Column:
    """A column of the file that holds a component: its place, and how its cells are written."""

    id: str
    place: int
    many: bool = False
    languages: tuple[str, ...] = ()
    labelled: bool = False


@dataclass(frozen=True)
class _Layout:
    """What the header says: where the structure and the action stand, and the components."""

    structure: int
    action: int | None
    sub: str
    columns: tuple[_Column, ...] = field(default=())


def read_sdmx_csv(source: Source, structure: Structure | None = None, *, encoding: str = "") -> list[Rows]:
    r"""Read SDMX-CSV.

    The separator is the sign after ``STRUCTURE`` (or ``DATAFLOW``), as the field guide has it. Labels are cut off
    (``labels=both``), columns of names (``labels=name``) and of keys (``key=``) are left out: they say nothing new.

    Parameters
    ----------
    source : Source
        The file.
    structure : Structure, optional
        The structure, where it is known: it says for sure which columns are components and which cells have labels.
    encoding : str
        The encoding, where the caller says it.

    Returns
    -------
    list of Rows
        One for each structure that the file names, in the order in which they first come.

    Raises
    ------
    BadData
        When the header is not that of SDMX-CSV, or an action is not known.

    References
    ----------
    SDMX-CSV field guide 1.0, 2.0 and 2.1, https://github.com/sdmx-twg/sdmx-csv

    Examples
    --------
    >>> from statcommons.sdmx.reading.source import source_of
    >>> [rows] = read_sdmx_csv(source_of(b"DATAFLOW,AREA,OBS_VALUE\nXX:DF(1.0),004,1.5\n"))
    >>> rows.structure, [batch.to_pylist() for batch in rows.batches]
    ('XX:DF(1.0)', [[{'AREA': '004', 'OBS_VALUE': '1.5', '_row': 2}]])
    """
    start = START.match(source.start())
    if not start:
        raise BadData(
            "The header is not that of SDMX-CSV.", where=source.name, remedy="Begin it with STRUCTURE or DATAFLOW."
        )
    separator = start["separator"] or ","  # none follows a lone column
    first = next(csv.reader([source.start().splitlines()[0]], delimiter=separator))
    head = sum(1 for _ in takewhile(lambda cell: cell.partition("[")[0].strip() in HEAD, first))
    cells = cells_of(source, separator, encoding, head=head)
    layout = _layout(cells, bool(start["old"]), start["sub"] or ";", structure)
    found = _uniform(cells, layout) or _named(cells, layout)
    names = list(dict.fromkeys(name for name, _ in found))
    given = frozenset(column.id for column in layout.columns)
    sets = []
    for name in names:
        actions = [action for one, action in found if one == name]
        sets.append(
            Rows(
                batches=_Batches(cells, layout, structure, name if len(names) > 1 else "", len(actions) > 1),
                action=ACTIONS[actions[0]],
                structure=name.partition(": ")[0],
                path=source.name,
                given=given,
                measure=PRIMARY if start["old"] else "",
            )
        )
    return sets


def marked(rows: Rows, structure: Structure) -> Rows:
    """Give rows whose columns are marked as SDMX-CSV marks them, such as those of a workbook, with values apart.

    ``TAGS[]`` has several values in a cell, ``TITLE[en;fr]`` words in languages, where the structure has a component
    TAGS or TITLE that may.

    Parameters
    ----------
    rows : Rows
        What came in.
    structure : Structure
        Of the rows.

    Examples
    --------
    >>> import pyarrow as pa
    >>> from statcommons.sdmx.model import Ref
    >>> from statcommons.sdmx.structure import Component
    >>> parts = (Component("TAGS", "attribute", "text", multiple=True),)
    >>> flow = Structure(Ref("dataflow", "X", "F"), Ref("datastructure", "X", "D"), {}, {}, parts)
    >>> [batch] = marked(Rows([pa.record_batch({"TAGS[]": ["a;b"]})]), flow).batches
    >>> batch.to_pylist()
    [{'TAGS': ['a', 'b']}]
    """
    may = {one.id for one in structure.components if one.multiple or one.multilingual}

    def found(names: Sequence[str]) -> dict[str, _Column]:
        columns = zip(names, _components(names, range(len(names)), False, structure), strict=True)
        return {name: column for name, column in columns if column.id in may and name != column.id}

    def change(batch: pa.RecordBatch) -> pa.RecordBatch:
        for name, column in found(batch.schema.names).items():
            place = batch.schema.get_field_index(name)
            batch = batch.set_column(place, column.id, _cells(batch[name], column, ";", structure))
        return batch

    known = found(sorted(rows.given))
    given = frozenset(known[name].id if name in known else name for name in rows.given)
    return changed(replace(rows, given=given), change)


# --- the header -----------------------------------------------------------------------------------------------------


def _layout(cells: Cells, old: bool, sub: str, structure: Structure | None) -> _Layout:
    header = [cell.strip() for cell in cells.header]
    where = f"{cells.source.name}, row 1"
    if not old and header[1:2] != ["STRUCTURE_ID"]:
        raise BadData(
            f"The second column is {header[1]!r}." if len(header) > 1 else "The header has one column.",
            where=where,
            remedy="Begin the header with STRUCTURE, STRUCTURE_ID, as SDMX-CSV 2.0 has it.",
        )
    named = "STRUCTURE_NAME" in header[:3]
    at = 0 if old else 1
    head = 1 if old else 3 if named else 2
    action = header.index("ACTION") if "ACTION" in header and not old else None
    rest = [place for place in range(head, len(header)) if place != action and header[place] not in KEYS]
    columns = _components(header, rest, named, structure)
    ids = [column.id for column in columns]
    if twice := sorted({one for one in ids if ids.count(one) > 1}):
        raise BadData(f"The header names a column twice: {', '.join(twice)}.", where=where, remedy="Keep one of them.")
    return _Layout(at, action, sub, tuple(columns))


def _components(
    header: Sequence[str], places: Sequence[int], named: bool, structure: Structure | None
) -> list[_Column]:
    """Find the components among the columns; with names in columns of their own, those follow what they name."""
    columns: list[_Column] = []
    names_next = False
    for place in places:
        found = HEADER.fullmatch(header[place])
        known = found is not None and structure is not None and found["id"] in structure
        if names_next and not known:
            names_next = False
            continue
        names_next = named
        if found is None:  # a custom column, whose name may be any words
            columns.append(_Column(header[place] or f"column_{place + 1}", place))
            continue
        languages = tuple(re.split(r"[^A-Za-z\-]+", found["languages"])) if found["languages"] else ()
        columns.append(_Column(found["id"], place, bool(found["many"]), languages, bool(found["label"])))
    return columns


# --- which structures and actions there are -------------------------------------------------------------------------


def _uniform(cells: Cells, layout: _Layout) -> dict[tuple[str, str], None]:
    """Give the structure and action of the file where all rows begin with the same ones; else nothing."""
    places = [layout.structure, *([layout.action] if layout.action is not None else [])]
    if max(places) >= len(cells.common) or not cells.common[layout.structure]:
        return {}
    action = cells.common[layout.action] if layout.action is not None else "I"
    return {(cells.common[layout.structure], _letter(cells, action)): None}


def _named(cells: Cells, layout: _Layout) -> dict[tuple[str, str], None]:
    """Collect the structures and actions that rows name, in order."""
    import pyarrow as pa

    found: dict[tuple[str, str], None] = {}
    missing: list[int] = []
    places = [layout.structure, *([layout.action] if layout.action is not None else [])]
    for batch in cell_batches(cells, places):
        pairs = pa.table(batch).group_by([str(place) for place in places], use_threads=False).aggregate([(LINE, "min")])
        for one in sorted(pairs.to_pylist(), key=lambda one: one[f"{LINE}_min"]):
            name, action = one[str(places[0])], one[str(places[-1])] if len(places) > 1 else "I"
            if not name:
                missing.append(one[f"{LINE}_min"])
            found.setdefault((name or "", _letter(cells, action, one[f"{LINE}_min"])))
    if missing:
        cause = Cause("the structure is missing", 0, "Name it in each row.", f"{cells.source.name}, row {missing[0]:,}")
        raise BadData("Rows do not say of which structure they are.", where=cells.source.name, causes=[cause])
    if not found:
        raise BadData(
            "The file has a header and no rows.", where=cells.source.name, remedy="Give a file with at least one row."
        )
    return found


def _letter(cells: Cells, action: str | None, line: int = 2) -> str:
    letter = (action or "I").strip().upper()[:1]
    if letter not in ACTIONS or len((action or "I").strip()) > 1:
        raise BadData(
            f"The action {action!r} is not known.",
            where=f"{cells.source.name}, row {line:,}, column ACTION",
            remedy=nearest(str(action), list(ACTIONS)),
        )
    return letter


# --- the rows -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Batches:
    """The rows of one structure; each turn reads the file anew."""

    cells: Cells
    layout: _Layout
    structure: Structure | None
    only: str
    actions: bool

    def under(self, structure: Structure) -> _Batches:
        """Give the same rows, read with their structure."""
        return replace(self, structure=structure)

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        import pyarrow as pa
        import pyarrow.compute as pc

        columns = self.layout.columns
        extra = [place for place, wanted in self._extra() if wanted]
        for raw in cell_batches(self.cells, [*(column.place for column in columns), *extra]):
            batch = raw.filter(pc.equal(raw[str(self.layout.structure)], self.only)) if self.only else raw
            if not batch.num_rows:
                continue
            arrays = [_cells(batch[str(column.place)], column, self.layout.sub, self.structure) for column in columns]
            names = [column.id for column in columns]
            if self.actions:
                letters = pc.fill_null(pc.utf8_upper(batch[str(self.layout.action)]), "I").dictionary_encode()
                words = pa.array([ACTIONS[letter] for letter in letters.dictionary.to_pylist()])
                arrays.append(words.take(letters.indices))
                names.append("_action")
            yield pa.RecordBatch.from_arrays([*arrays, batch[LINE]], names=[*names, LINE])

    def _extra(self) -> list[tuple[int, bool]]:
        action = self.layout.action
        return [(self.layout.structure, bool(self.only)), (action if action is not None else 0, self.actions)]


def _cells(cells: Any, column: _Column, sub: str, structure: Structure | None) -> Any:
    """Take labels off cells, and cells with several values apart."""
    import pyarrow as pa
    import pyarrow.compute as pc

    known = structure[column.id] if structure and column.id in structure else None
    coded = known is None or known.codelist is not None
    if column.many or column.languages:
        # A header with languages does not say whether there are several values.
        many = column.many or (known is not None and known.multiple)
        distinct = cells.dictionary_encode()
        apart = [_apart(one, column, sub, coded, many) for one in distinct.dictionary.to_pylist()]
        kind: Any = pa.map_(pa.string(), pa.string()) if column.languages else pa.string()
        return pa.array(apart, pa.list_(kind) if many else kind).take(distinct.indices)
    if column.labelled and coded:
        distinct = cells.dictionary_encode()
        label = CODE_LABEL if structure is None else r"^(?P<code>[^:]+): "
        codes = pc.replace_substring_regex(distinct.dictionary, label + r"(?s:.*)$", r"\1")
        return codes.take(distinct.indices)
    return cells


def _apart(cell: str, column: _Column, sub: str, coded: bool, many: bool) -> Any:
    """Split a cell into its values, each perhaps in several languages."""
    parts = _split(cell, sub) if many else [cell]
    if column.languages:  # that a language comes twice is for the judge
        texts = [[_language(piece, column) for piece in _pieces(part, sub) if piece] for part in parts]
        return texts if many else texts[0]
    return [part.partition(": ")[0] if column.labelled and coded else part for part in parts]


def _language(piece: str, column: _Column) -> tuple[str, str]:
    """Give the language of a text; the writer of a header may not have known all that come."""
    text = _unquoted(piece)
    language, colon, words = text.partition(":")
    if colon and (language in column.languages or LANGUAGE.match(text)):
        return language, _unquoted(words) if text == piece else words
    return column.languages[0], text


def _split(cell: str, sub: str) -> list[str]:
    """Split a cell at its inner separator into its values."""
    return [_unquoted(piece) for piece in _pieces(cell, sub)]


def _pieces(cell: str, sub: str) -> list[str]:
    """Cut a cell at its inner separator; what stands within quotes stays whole."""
    if '"' not in cell:
        return cell.split(sub)
    pieces, piece, within = [], "", False
    for sign in cell:
        if sign == sub and not within:
            pieces.append(piece)
            piece = ""
        else:
            within ^= sign == '"'
            piece += sign
    return [*pieces, piece]


def _unquoted(text: str) -> str:
    return text[1:-1].replace('""', '"') if len(text) > 1 and text[0] == text[-1] == '"' else text
