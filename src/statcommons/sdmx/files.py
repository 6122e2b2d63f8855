"""Data and structure messages as files: read as tables, written from tables, turned into one another."""

from __future__ import annotations

import contextlib
import datetime
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from statcommons.core.errors import BadCall, BadData, nearest
from statcommons.sdmx.message import DataSet, Header, Rows, acting
from statcommons.sdmx.model import Artefact, Ref
from statcommons.sdmx.placing import together
from statcommons.sdmx.query.data import DataQuery
from statcommons.sdmx.structure import Structure, artefacts_of, structure_of
from statcommons.sdmx.structures.outgoing import sender_of

if TYPE_CHECKING:
    import pyarrow as pa

    from statcommons.sdmx.reading import TableMapping

__all__ = ["Message", "convert", "read", "structure_in", "write"]

BY_SUFFIX = {
    ".csv": "csv-2.0",
    ".json": "json-2.0",
    ".xml": "structurespecific-2.1",
    ".parquet": "parquet",
    ".arrows": "arrow",
    ".xlsx": "xlsx",
    ".px": "px",
    ".zip": "csvw",
}
"""The format that the name of a file asks for."""

STRUCTURES = {".xml": "ml-2.1", ".json": "json-2.0"}
"""The format of structures that the name of a file asks for; the others are ml-3.0, ml-3.1, json-1.0 and json-2.1."""


class Message(NamedTuple):
    """What a data message says: its rows, and their structure where it was given."""

    table: pa.Table
    structure: Structure | None


def read(
    source: Path | str | bytes,
    *,
    structure: Structure | Path | str | None = None,
    mapping: TableMapping | Path | str | None = None,
) -> Message:
    r"""Read a data message of any format as a table.

    Parameters
    ----------
    source : path, URL or bytes
        SDMX-CSV, SDMX-ML, SDMX-JSON, JSON-stat, PX, plain CSV, Excel or Parquet. What stands behind a URL is fetched.
    structure : Structure or path, optional
        The structure, or the file of a structure message that has the structure of these data.
    mapping : TableMapping or path, optional
        Which column is which component; see :func:`statcommons.sdmx.reading.read_rows`.

    Returns
    -------
    Message
        With a structure, the table has its components by their types, checked. Without one, all is text, as it came.

    Raises
    ------
    BadData
        When it cannot be read, or does not fit the structure; lists every cause.
    NoInput, NotAllowed, TryAgain
        When it cannot be opened or fetched.

    Examples
    --------
    >>> read(b"DATAFLOW,AREA,OBS_VALUE\nX:DF(1.0),004,1.5\n").table.to_pylist()
    [{'AREA': '004', 'OBS_VALUE': '1.5'}]
    """
    from statcommons.sdmx.reading import read_rows

    with tempfile.TemporaryDirectory() as folder:
        file = _local(source, Path(folder))
        found = read_rows(file, structure if isinstance(structure, Structure) else None, mapping=mapping)
        if structure is None:
            return Message(_as_table(found), None)
        if not isinstance(structure, Structure):
            structure = structure_in(structure, found[0].structure if found else "")
        with in_memory(found, structure) as sets:
            from statcommons.sdmx.formats.table import flat

            return Message(flat(sets), structure)


def write(
    table: Any, path: Path | str, *, structure: Structure | Path | str, format: str = "", sender: str = ""
) -> Path:
    """Write a table as a data message; it is checked against its structure first.

    Parameters
    ----------
    table : pyarrow.Table, pandas.DataFrame, polars.DataFrame or path
        A column for each component, under its id.
    path : path
        The file; its suffix tells the format (.csv, .xml, .json, .parquet, .arrows, .xlsx, .px, .zip for CSVW).
    structure : Structure or path
        The structure, or the file of its structure message.
    format : str
        A format of :data:`statcommons.sdmx.formats.FORMATS` by name, such as ``ml-3.0``.
    sender : str
        The sender that the header names; the agency of the dataflow by default, without its units (``OECD.SDD``).

    Returns
    -------
    pathlib.Path
        The file. The rows are in the order of keys and time.

    Raises
    ------
    BadCall
        When the format is not known, or cannot hold the data.
    BadData
        When the table does not fit the structure; lists every cause.
    NotAllowed, TryAgain
        When the file cannot be written.

    Examples
    --------
    >>> import pyarrow
    >>> from statcommons.sdmx.structure import Component
    >>> parts = (Component("AREA", "dimension", "text"), Component("OBS_VALUE", "measure", "number"))
    >>> areas = Structure(Ref("dataflow", "X", "DF"), Ref("datastructure", "X", "DSD"), {}, {}, parts)
    >>> table = pyarrow.table({"AREA": ["004", "NA"], "OBS_VALUE": [1.5, 2.0]})
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     print(write(table, folder + "/areas.csv", structure=areas).read_text(), end="")
    STRUCTURE,STRUCTURE_ID,ACTION,AREA,OBS_VALUE
    dataflow,X:DF(1.0),I,004,1.5
    dataflow,X:DF(1.0),I,NA,2
    """
    if not isinstance(structure, Structure):
        structure = structure_in(structure)
    from statcommons.sdmx.reading import read_rows

    rows = read_rows(table, structure) if isinstance(table, str | Path) else [_rows_of(table)]
    return _written(rows, structure, Path(path), format, sender)


def convert(
    source: Path | str,
    path: Path | str,
    *,
    structure: Structure | Path | str | None = None,
    format: str = "",
    mapping: TableMapping | Path | str | None = None,
) -> Path:
    r"""Turn a message into another format: structures into structures, data into data.

    Parameters
    ----------
    source : path or URL
        A structure message, or data of any format.
    path : path
        The file; its suffix tells the format.
    structure : Structure or path, optional
        The structure, which data need.
    format : str
        A format by name.
    mapping : TableMapping or path, optional
        For tables that are no messages.

    Returns
    -------
    pathlib.Path
        The file.

    Raises
    ------
    BadCall
        When the format is not known, or data come without a structure.
    BadData
        When the message cannot be read, or data do not fit their structure.

    Examples
    --------
    >>> from statcommons.sdmx.structure import Component
    >>> parts = (Component("AREA", "dimension", "text"), Component("OBS_VALUE", "measure", "number"))
    >>> areas = Structure(Ref("dataflow", "X", "DF"), Ref("datastructure", "X", "DSD"), {}, {}, parts)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     new = Path(folder) / "new.csv"
    ...     _ = new.write_bytes(b"STRUCTURE,STRUCTURE_ID,AREA,OBS_VALUE\ndataflow,X:DF(1.0),004,1.50\n")
    ...     print(convert(new, folder + "/old.csv", structure=areas, format="csv-1.0").read_text(), end="")
    DATAFLOW,AREA,OBS_VALUE
    X:DF(1.0),004,1.5
    """
    from statcommons.sdmx.reading import read_rows
    from statcommons.sdmx.structures import read_structures

    with tempfile.TemporaryDirectory() as folder:
        file = _local(source, Path(folder))
        if structure is None:
            try:
                artefacts = read_structures(file)
            except BadData as error:
                raise BadData(
                    error.what,
                    where=error.where,
                    remedy="Data are converted with --structure: the file of their structure.",
                ) from None
            return _written_structures(artefacts, Path(path), format)
        found = read_rows(file, structure if isinstance(structure, Structure) else None, mapping=mapping)
        if not isinstance(structure, Structure):
            structure = structure_in(structure, found[0].structure if found else "")
        return _written(found, structure, Path(path), format, "")


def structure_in(source: Path | str | Sequence[Artefact], reference: str = "") -> Structure:
    """Find the structure of a dataflow in a structure message.

    Parameters
    ----------
    source : path or sequence of Artefact
        The message, or what it holds.
    reference : str
        The dataflow or data structure, such as ``UNGP:DF_SDG(1.0)``; the only one by default.

    Raises
    ------
    BadCall
        When there are several, or none of the name.

    Examples
    --------
    >>> from statcommons.sdmx.structure import Component
    >>> parts = (Component("AREA", "dimension", "text"), Component("OBS_VALUE", "measure", "number"))
    >>> areas = Structure(Ref("dataflow", "X", "DF"), Ref("datastructure", "X", "DSD"), {}, {}, parts)
    >>> structure_in(artefacts_of(areas), "X:DF(1.0)").key
    ('AREA',)
    """
    from statcommons.sdmx.structures import read_structures
    from statcommons.sdmx.structures.collection import Artefacts

    where = str(source) if isinstance(source, str | Path) else "structures"
    artefacts = Artefacts(read_structures(Path(source)) if isinstance(source, str | Path) else source)
    flows = [one.ref for one in artefacts if one.kind == "dataflow"] or [
        one.ref for one in artefacts if one.kind == "datastructure"
    ]
    fitting = [one for one in flows if not reference or reference in (str(one), _definition(artefacts, one))]
    if len(fitting) != 1:
        names = [str(one) for one in flows]
        what = f"There is no dataflow {reference}." if not fitting else "There are several dataflows."
        raise BadCall(
            what, where=where, remedy=nearest(reference, names) if reference else f"Name one of: {', '.join(names)}."
        )
    return structure_of(artefacts.resolve, fitting[0])


@contextlib.contextmanager
def in_memory(rows: Sequence[Rows], structure: Structure) -> Iterator[list[DataSet]]:
    """Check rows and give them as data sets, in order, for as long as the context is open."""
    from statcommons.sdmx.reading import checked
    from statcommons.sdmx.store import Store

    with tempfile.TemporaryDirectory(prefix="statcommons-") as folder:
        store = Store(folder)
        store.add_structures(artefacts_of(structure))
        whole = [acting(one, "Replace") for one in rows]
        store.change(structure.flow, lambda engine: checked(engine, whole, structure).table)
        yield store.select(DataQuery(structure.flow)).data_sets()


# --- in -------------------------------------------------------------------------------------------------------------


def _local(source: Path | str | bytes, folder: Path) -> Path | bytes:
    """Fetch what stands behind an address that a user gave."""
    from statcommons.core.fetch import fetched

    if isinstance(source, str) and "://" in source:
        return fetched(source, folder)
    return source if isinstance(source, bytes) else Path(source)


def _as_table(rows: Sequence[Rows]) -> pa.Table:
    """Put all rows into one table of text; what a batch does not speak of is null there."""
    import pyarrow as pa

    batches = [batch for one in rows for batch in one.batches]
    found = [*(name for batch in batches for name in batch.schema.names), *(name for one in rows for name in one.given)]
    names = dict.fromkeys(name for name in found if name not in ("_row", "_action"))

    def cells(batch: pa.RecordBatch, name: str) -> pa.Array:
        return batch[name] if name in batch.schema.names else pa.nulls(batch.num_rows, pa.string())

    return pa.table({name: _alike([cells(batch, name) for batch in batches]) for name in names})


def _alike(parts: Sequence[pa.Array]) -> pa.Array | pa.ChunkedArray:
    """Give the parts of a column one type: text, or lists and texts by language where one of them has such."""
    import pyarrow as pa

    from statcommons.sdmx.reading.gather import ListColumn

    lists = [one.type for one in parts if pa.types.is_list(one.type)]
    spoken = [one.type for one in parts if pa.types.is_map(one.type)]
    spoken += [one for one in lists if pa.types.is_map(one.value_type)]
    if not lists and not spoken:
        return pa.chunked_array([one.cast(pa.string()) for one in parts], pa.string())
    column = ListColumn(multiple=bool(lists), multilingual=bool(spoken))
    for one in parts:
        column.add(one)
    return column.arrow()


def _rows_of(table: Any) -> Rows:
    """Take a table in memory as rows, its cells as text."""
    import pyarrow as pa

    from statcommons.sdmx.reading.tables import as_text

    try:
        if not isinstance(table, pa.Table):
            table = pa.Table.from_pandas(table, preserve_index=False) if hasattr(table, "iloc") else pa.table(table)
    except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
        reason = "; ".join(str(part) for part in error.args)
        raise BadData(f"It is no table: {reason}.", where="table", remedy="Give each column one type.") from None
    cells = {name: as_text(table[name], f"table, column {name}") for name in table.column_names}
    cells["_row"] = pa.array(range(1, table.num_rows + 1), pa.int64())
    return Rows(pa.table(cells).to_batches(), path="table", given=frozenset(table.column_names))


def _definition(artefacts: Any, flow: Ref) -> str:
    usage = artefacts.find(flow)
    return str(getattr(usage, "structure", None) or flow)


# --- out ------------------------------------------------------------------------------------------------------------


def _written(rows: Sequence[Rows], structure: Structure, path: Path, format: str, sender: str) -> Path:
    from statcommons.sdmx.formats import FORMATS, Options

    chosen = FORMATS[_format(path, format, BY_SUFFIX, list(FORMATS))]
    header = Header(structure.flow.id, datetime.datetime.now(datetime.UTC), sender or sender_of(structure.flow.agency))
    with in_memory(rows, structure) as sets, together(path.parent) as folder, (folder / path.name).open("wb") as file:
        for block in chosen.write(sets, header, Options()):
            file.write(block)
    return path


def _written_structures(artefacts: Sequence[Artefact], path: Path, format: str) -> Path:
    from statcommons.sdmx.structures.json import write_structures_json
    from statcommons.sdmx.structures.ml import write_structures_ml

    writers: dict[str, Callable[..., bytes]] = {"ml": write_structures_ml, "json": write_structures_json}
    names = ["ml-2.1", "ml-3.0", "ml-3.1", "json-1.0", "json-2.0", "json-2.1"]
    family, _, standard = _format(path, format, STRUCTURES, names).partition("-")
    header = Header(path.stem, datetime.datetime.now(datetime.UTC), sender_of(artefacts[0].agency))
    with together(path.parent) as folder:
        (folder / path.name).write_bytes(writers[family](artefacts, standard, header))
    return path


def _format(path: Path, format: str, by_suffix: dict[str, str], known: Sequence[str]) -> str:
    name = format or by_suffix.get(path.suffix.lower(), "")
    if name not in known:
        what = f"There is no format {format!r}." if format else f"The name {path.name} does not tell a format."
        raise BadCall(what, where=str(path), remedy=nearest(format, known))
    return name
