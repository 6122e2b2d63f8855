"""What data messages carry: data sets going out, and rows coming in.

Both ways rows travel in batches of Arrow, so that a message of any length needs little memory. What goes out is cut in
two as SDMX cuts it: a table of series (small, whole) and batches of observations that name their series by its place.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal, TypeAlias

from statcommons.sdmx.structure import Structure

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["ALL_DIMENSIONS", "PRIMARY", "SERIES", "Action", "DataSet", "Header", "Rows", "acting", "measured", "under"]

Action: TypeAlias = Literal["Information", "Append", "Replace", "Merge", "Delete"]
"""What a receiver shall do with the rows; ``Information`` says what is published and asks for nothing."""

ALL_DIMENSIONS = "AllDimensions"
"""The dimension at the observation of a flat message: each observation has its whole key."""

PRIMARY = "OBS_VALUE"
"""What the standards before SDMX 3.0 call the one measure of a structure, whatever its id."""

SERIES = "series"
"""The column of a batch of observations that has the place of its series in the table of series."""


@dataclass(frozen=True)
class Header:
    """The header of a message."""

    id: str
    prepared: datetime.datetime
    sender: str
    test: bool = False


@dataclass(frozen=True)
class DataSet:
    """A data set going out.

    Parameters
    ----------
    structure : Structure
        The structure, narrowed to the measures and attributes that are asked for.
    series : pyarrow.Table
        A row a series, in the order of the message: the dimensions but time as text, then the attributes that are said
        of the data set, a group or the series, each in a column of its id. A structure without a time dimension has a
        row an observation.
    observations : iterable of pyarrow.RecordBatch
        The observations: ``series`` (int32, the place in the table of series), the time dimension as text, the measures
        by their type (double, int64, boolean, text), the attributes of observations as text. A component with several
        values has a list. Those of one series follow one another, in the order of time, and a series may go on in the
        next batch; with another dimension at the observation, those with the same other dimensions follow one another.
        None at all where only series are asked for (``detail=serieskeysonly`` and ``nodata``).
    periods : callable
        Gives the distinct periods of the observations: a table of ``text``, ``start`` and ``end`` in the order of time.
        It is called only by formats that list them.
    at : str
        The dimension at the observation: ``TIME_PERIOD``, another dimension, or ``AllDimensions``.
    action : Action
        What the receiver shall do.
    valid_from : datetime, optional
        When these values became public, in messages with history.
    """

    structure: Structure
    series: pa.Table
    observations: Iterable[pa.RecordBatch]
    periods: Callable[[], pa.Table]
    at: str = "TIME_PERIOD"
    action: Action = "Information"
    valid_from: datetime.datetime | None = None


@dataclass(frozen=True)
class Rows:
    """Rows that came in: one data set of a message, or the rows of a file under one structure.

    Parameters
    ----------
    batches : iterable of pyarrow.RecordBatch
        Flat rows: a column of text (plain, or as a dictionary of Arrow) for each component that came, under its id,
        null where a cell is empty or absent. A component with several values has a list of text, one in several
        languages a map of text by language. ``_row`` (int64) says where a row stood: the line of a text file, the row
        of a sheet, else the number of the observation.
        ``_action`` (text) is there where rows of one file differ in it, and then beats ``action``.
    action : Action
        What is asked to be done with them.
    structure : str
        The reference of the dataflow or data structure as the message gives it, such as ``UNGP:DF_SDG(1.0)``; empty
        where it gives none.
    valid_from : datetime, optional
        When these values became public, in messages with history.
    path : str
        The file, as errors name it.
    given : frozenset of str
        The components that the message speaks of at all; a column outside of it does not come.
    measure : str
        What the standard of the message calls the one measure of any structure, whatever its id; empty where a measure
        goes by its id.
    """

    batches: Iterable[pa.RecordBatch]
    action: Action = "Information"
    structure: str = ""
    valid_from: datetime.datetime | None = None
    path: str = ""
    given: frozenset[str] = field(default_factory=frozenset)
    measure: str = ""


@dataclass(frozen=True)
class _Batches:
    """Batches of rows, each with a change; every turn makes them anew."""

    rows: Rows
    change: Callable[[pa.RecordBatch], pa.RecordBatch]

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        return map(self.change, self.rows.batches)

    def under(self, structure: Structure) -> _Batches:
        return replace(self, rows=replace(self.rows, batches=under(self.rows.batches, structure)))


def acting(rows: Rows, action: Action) -> Rows:
    """Give rows with another action, whatever they say themselves.

    Parameters
    ----------
    rows : Rows
        What came in.
    action : Action
        What shall be done with all of them.

    Examples
    --------
    >>> acting(Rows([], "Append"), "Delete").action
    'Delete'
    """

    def change(batch: pa.RecordBatch) -> pa.RecordBatch:
        return batch.drop_columns(["_action"]) if "_action" in batch.schema.names else batch

    return replace(changed(rows, change), action=action)


def changed(rows: Rows, change: Callable[[pa.RecordBatch], pa.RecordBatch]) -> Rows:
    """Give rows with a change of each batch, made anew at each turn.

    Parameters
    ----------
    rows : Rows
        What came in.
    change : callable
        Makes another batch of a batch.

    Examples
    --------
    >>> import pyarrow as pa
    >>> half = changed(Rows([pa.record_batch({"AREA": ["004", "NA"]})]), lambda batch: batch.slice(0, 1))
    >>> [batch.num_rows for batch in half.batches], [batch.num_rows for batch in half.batches]
    ([1], [1])
    """
    return replace(rows, batches=_Batches(rows, change))


def under(batches: Iterable[pa.RecordBatch], structure: Structure) -> Iterable[pa.RecordBatch]:
    """Give batches as they are read when their structure is known, where that makes a difference.

    Parameters
    ----------
    batches : iterable of pyarrow.RecordBatch
        Of rows.
    structure : Structure
        Of the rows.

    Examples
    --------
    >>> from statcommons.sdmx.model import Ref
    >>> flow = Structure(Ref("dataflow", "X", "F"), Ref("datastructure", "X", "D"), {}, {}, ())
    >>> under([], flow)  # what knows no structure stays as it is
    []
    """
    known: Callable[[Structure], Iterable[pa.RecordBatch]] | None = getattr(batches, "under", None)
    return known(structure) if known else batches


def measured(rows: Rows, structure: Structure) -> Rows:
    """Give rows with the id of the one measure, where the standard of their message has another name for it.

    Parameters
    ----------
    rows : Rows
        What came in.
    structure : Structure
        Of the rows.

    Examples
    --------
    >>> from statcommons.sdmx.model import Ref
    >>> from statcommons.sdmx.structure import Component
    >>> parts = (Component("PRICE", "measure", "number"),)
    >>> flow = Structure(Ref("dataflow", "X", "F"), Ref("datastructure", "X", "D"), {}, {}, parts)
    >>> measured(Rows([], given=frozenset({"OBS_VALUE"}), measure="OBS_VALUE"), flow).given
    frozenset({'PRICE'})
    """
    measures = structure.with_role("measure")
    if not rows.measure or rows.measure in structure or len(measures) != 1:
        return rows
    names = {rows.measure: measures[0].id}

    def change(batch: pa.RecordBatch) -> pa.RecordBatch:
        return batch.rename_columns([names.get(name, name) for name in batch.schema.names])

    given = frozenset(names.get(name, name) for name in rows.given)
    return replace(changed(rows, change), given=given, measure="")
