"""SDMX-ML data messages read as rows: 2.1 generic and structure-specific, 3.0 and 3.1; series, flat, cross-section."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, get_args

from statcommons.core.errors import BadData, nearest
from statcommons.sdmx.message import Action, Rows
from statcommons.sdmx.reading.ml_expat import Piece, column
from statcommons.sdmx.reading.ml_head import Head, heads, in_utf8
from statcommons.sdmx.reading.ml_parts import pieces
from statcommons.sdmx.reading.source import Source
from statcommons.sdmx.structure import Structure

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["action_of", "instant_of", "read_sdmx_ml"]

MEASURE_TYPE = "xsi:type"
"""Names the measure of an observation where measures are explicit (SDMX 2.1)."""


def read_sdmx_ml(source: Source, structure: Structure | None = None) -> list[Rows]:
    r"""Read a data message of SDMX-ML.

    What is said of series, groups and the data set stands in each row. ``_row`` counts the observations of a data set.
    A series without observations is a row without a time.

    Parameters
    ----------
    source : Source
        The file.
    structure : Structure, optional
        The structure, where it is known: it tells which values of a group are its key.

    Returns
    -------
    list of Rows
        One for each data set.

    Raises
    ------
    BadData
        When it is no message of data, has a document type declaration, or is broken; with the line.

    References
    ----------
    SDMX 2.1 and 3.0, section 3A, SDMX-ML, https://github.com/sdmx-twg/sdmx-ml

    Examples
    --------
    >>> from statcommons.sdmx.reading.source import source_of
    >>> data = '<DataSet action="Replace"><Series A="x"><Obs T="2018"/></Series></DataSet>'
    >>> [rows] = read_sdmx_ml(source_of(f"<StructureSpecificData>{data}</StructureSpecificData>".encode()))
    >>> rows.action, [batch.to_pylist() for batch in rows.batches]
    ('Replace', [[{'T': '2018', 'A': 'x', '_row': 1}]])
    """
    plain = in_utf8(source)
    return [
        Rows(
            batches=_Batches(plain, head, structure),
            action=action_of(head.action, source.name),
            structure=head.structure,
            valid_from=instant_of(head.valid_from, source.name),
            path=source.name,
            measure=head.measure,
        )
        for head in heads(plain)
    ]


def action_of(text: str, where: str) -> Action:
    """Read the action of a data set; one that says nothing informs.

    Parameters
    ----------
    text : str
        Such as ``Replace``.
    where : str
        The file, for the words of a refusal.

    Examples
    --------
    >>> action_of("", "a.xml"), action_of("append", "a.xml")
    ('Information', 'Append')
    """
    known: dict[str, Action] = {one.lower(): one for one in get_args(Action)}
    if text and text.lower() not in known:
        raise BadData(f"The action {text!r} is not known.", where=where, remedy=nearest(text, list(get_args(Action))))
    return known.get(text.lower(), "Information")


def instant_of(text: str, where: str) -> datetime.datetime | None:
    """Read an instant; what has no zone is taken for UTC.

    Parameters
    ----------
    text : str
        As ISO 8601 writes it; empty for none.
    where : str
        The file, for the words of a refusal.

    Examples
    --------
    >>> instant_of("2026-11-21T09:30:00+02:00", "a.xml")
    datetime.datetime(2026, 11, 21, 7, 30, tzinfo=datetime.timezone.utc)
    """
    if not text:
        return None
    try:
        found = datetime.datetime.fromisoformat(text)
        return found.replace(tzinfo=datetime.UTC) if found.tzinfo is None else found.astimezone(datetime.UTC)
    except (ValueError, OverflowError):  # a zone may lead out of the years that there are
        raise BadData(f"{text!r} is not an instant.", where=where, remedy="Write it as 2026-11-21T09:30:00Z.") from None


# --- the rows of a data set -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Batches:
    """The rows of one data set; each turn reads the file anew."""

    source: Source
    head: Head
    structure: Structure | None

    def under(self, structure: Structure) -> _Batches:
        """Give the same rows, read with their structure."""
        return replace(self, structure=structure)

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        groups = _Groups(self.structure)
        row = 1
        for piece in pieces(self.source, self.head):
            groups.learn(piece.groups)
            if len(piece.members):
                yield _batch(piece, self.head, groups, row)
                row += len(piece.members)


@dataclass
class _Groups:
    """What is said of groups: values by the key of the group, for each set of dimensions that groups have."""

    structure: Structure | None
    waiting: list[dict[str, Any]] = field(default_factory=list)
    known: dict[tuple[str, ...], dict[tuple[str, ...], dict[str, Any]]] = field(default_factory=dict)

    def learn(self, groups: Sequence[dict[str, Any]]) -> None:
        """Take more groups."""
        self.waiting += [{name: value for name, value in one.items() if ":" not in name} for one in groups]

    def of(self, names: Sequence[str]) -> Mapping[tuple[str, ...], dict[tuple[str, ...], dict[str, Any]]]:
        """Give values by dimensions and key, for rows that have these components.

        What is no dimension by the structure is said of the group. Without a structure, what the rows have too is key.
        """
        keys = {one.id for one in self.structure.dimensions} if self.structure else set(names)
        for one in self.waiting:
            ids = tuple(name for name in one if name in keys)
            said = {name: value for name, value in one.items() if name not in keys}
            self.known.setdefault(ids, {}).setdefault(tuple(one[id] for id in ids), {}).update(said)
        self.waiting.clear()
        return self.known


def _batch(piece: Piece, head: Head, groups: _Groups, row: int) -> pa.RecordBatch:
    """Spread what is said of more than one observation to each of its rows."""
    import numpy as np
    import pyarrow as pa

    columns: dict[str, Any] = dict(piece.columns)
    if MEASURE_TYPE in columns and head.at not in columns:
        types = columns[MEASURE_TYPE].to_pylist()
        columns[head.at] = pa.array([one and one.rpartition(":")[2] for one in types], pa.string())
    columns = {name: cells for name, cells in columns.items() if ":" not in name}
    members = pa.array(piece.members.astype(np.int32))
    for name, values in piece.series.items():
        if ":" in name:
            continue
        spread = _spread(values, members)
        columns[name] = spread if name not in columns else _filled(columns[name], spread)
    for ids, known in groups.of(list(columns)).items():
        keys = zip(*(columns[id].to_pylist() if id in columns else [None] * len(members) for id in ids), strict=True)
        said = [known.get(key, {}) for key in keys] if ids else [known.get((), {})] * len(members)
        for name in dict.fromkeys(name for one in known.values() for name in one):
            cells = column([one.get(name) for one in said])
            columns[name] = cells if name not in columns else _filled(columns[name], cells)
    for name, value in head.attributes.items():
        if name not in columns:
            columns[name] = pa.DictionaryArray.from_arrays(pa.array(np.zeros(len(members), np.int8)), pa.array([value]))
    columns["_row"] = pa.array(np.arange(row, row + len(members), dtype=np.int64))
    return pa.RecordBatch.from_pydict(columns)


def _spread(values: pa.Array, members: pa.Array) -> pa.Array:
    """Give each observation the value of its series."""
    import pyarrow as pa

    if pa.types.is_nested(values.type) or values.null_count:
        return values.take(members)
    return pa.DictionaryArray.from_arrays(members, values)


def _filled(cells: pa.Array, more: pa.Array) -> pa.Array:
    """Fill what observations do not say themselves."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if pa.types.is_dictionary(more.type):
        more = more.cast(more.type.value_type)
    if pa.types.is_dictionary(cells.type):
        cells = cells.cast(cells.type.value_type)
    return pc.coalesce(cells, more) if cells.type == more.type else cells
