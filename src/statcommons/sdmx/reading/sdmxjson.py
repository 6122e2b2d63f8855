"""SDMX-JSON data messages read as rows: 1.0, 2.0, 2.1 and the draft before them; series, flat and cross-section."""

from __future__ import annotations

import gc
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain, islice
from typing import TYPE_CHECKING, Any

from statcommons.core.errors import BadData, OurBug
from statcommons.sdmx.message import Rows
from statcommons.sdmx.reading.json_runs import TAKEN, blocks, cut, taken_out
from statcommons.sdmx.reading.sdmxml import action_of, instant_of
from statcommons.sdmx.reading.source import Source

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

__all__ = ["Parsed", "parsed_json", "read_sdmx_json", "texts"]

MANY = 1 << 17
PATH = re.compile(r"/(?:dataflow|datastructure|provisionagreement)/([^/?]+)/([^/?]+)(?:/([^/?]+))?")
RELATIONS = ("dataflow", "datastructure", "provisionagreement")
REMEDY = "Get the file again, as it was written."


@dataclass(frozen=True)
class Parsed:
    """A message of JSON, and the runs of plain observations that were taken out of it."""

    message: Any
    runs: list[bytes]


def parsed_json(source: Source) -> Parsed:
    """Parse JSON.

    Parameters
    ----------
    source : Source
        The file; one nested deeper than 1,024 levels is refused.

    Raises
    ------
    BadData
        When it is no JSON, or is cut off; with the line.
    """
    import orjson

    data = source.path.read_bytes().removeprefix(b"\xef\xbb\xbf")
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        data = data.decode("utf-16", errors="replace").encode()
    rest, runs = taken_out(data)
    collecting = gc.isenabled()
    gc.disable()  # a million lists are no garbage, and looking through them takes longer than making them
    try:
        return Parsed(orjson.loads(rest), runs)
    except orjson.JSONDecodeError:
        error = _located(data)
        where = f"{source.name}, line {error.lineno:,}, column {error.colno:,}"
        raise BadData(f"The JSON cannot be read: {error.msg}.", where=where, remedy=REMEDY) from None
    finally:
        if collecting:
            gc.enable()


def _located(data: bytes) -> Any:
    """Parse a broken message as it stands, for the place of the fault."""
    import orjson

    try:
        orjson.loads(data)
    except orjson.JSONDecodeError as error:
        return error
    raise OurBug("A message of JSON cannot be read without its observations.")


def read_sdmx_json(source: Source, parsed: Parsed | None = None) -> list[Rows]:
    """Read a data message of SDMX-JSON.

    ``_row`` counts the observations of a data set; a series without observations is a row without a time.

    Parameters
    ----------
    source : Source
        The file.
    parsed : Parsed, optional
        Its JSON, where it is parsed already.

    Returns
    -------
    list of Rows
        One for each data set.

    Raises
    ------
    BadData
        When it is no JSON or no data message.

    References
    ----------
    SDMX-JSON field guide 1.0, 2.0 and 2.1, https://github.com/sdmx-twg/sdmx-json
    """
    parsed = parsed or parsed_json(source)
    message = parsed.message
    body = message.get("data", message) if isinstance(message, dict) else {}
    structures = body.get("structures") or ([body["structure"]] if "structure" in body else [])
    sets = body.get("dataSets")
    if not isinstance(sets, list) or (sets and not structures):
        said = [str(one.get("title", one.get("code", ""))) for one in message.get("errors") or []] if body else []
        raise BadData(
            f"The message has no data sets{': ' + '; '.join(said) if said else ''}.",
            where=source.name,
            remedy="Give a data message of SDMX-JSON 1.0, 2.0 or 2.1.",
        )
    return [_rows(source, structures, one, parsed.runs) for one in sets]


# --- what the structure says ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Component:
    """A component in a message: its id, and the values that indices stand for; none where cells are values."""

    id: str
    values: list[Any] | None


@dataclass(frozen=True)
class _Layout:
    """Where the components of a data set stand."""

    fixed: list[_Component]
    series: list[_Component]
    inner: list[_Component]
    measures: list[_Component]
    attributes: Mapping[str, list[_Component]]

    @property
    def dimensions(self) -> list[_Component]:
        """All dimensions in the order in which keys of groups have them."""
        return [*self.fixed, *self.series, *self.inner]


def _rows(source: Source, structures: Sequence[Any], data: dict[str, Any], runs: list[bytes]) -> Rows:
    place = data.get("structure", 0)
    if not isinstance(place, int) or not 0 <= place < len(structures):
        raise BadData(f"A data set is of structure {place}, which is not there.", where=source.name, remedy=REMEDY)
    structure = structures[place]
    dimensions, attributes = structure.get("dimensions", {}), structure.get("attributes", {})
    levels = ("dataSet", "dimensionGroup", "series", "observation")
    layout = _Layout(
        fixed=_components(dimensions.get("dataSet")),
        series=_components(dimensions.get("series")),
        inner=_components(dimensions.get("observation")),
        measures=_components((structure.get("measures") or {}).get("observation")) or [_Component("OBS_VALUE", None)],
        attributes={level: _components(attributes.get(level)) for level in levels},
    )
    known = [*layout.dimensions, *layout.measures, *chain.from_iterable(layout.attributes.values())]
    return Rows(
        batches=_Batches(source, layout, data, runs),
        action=action_of(data.get("action", ""), source.name),
        structure=_reference([*structure.get("links", []), *data.get("links", [])]),
        valid_from=instant_of(data.get("validFrom", ""), source.name),
        path=source.name,
        given=frozenset(one.id for one in known),
    )


def _components(plain: list[dict[str, Any]] | None) -> list[_Component]:
    return [_Component(one["id"], [_value(each) for each in one.get("values") or []] or None) for one in plain or []]


def _value(plain: Any) -> Any:
    """Give what a value of the structure is: its code, its value or values, or the words where it has only those."""
    if not isinstance(plain, dict):
        return plain
    found = next((plain[key] for key in ("id", "value", "values", "ids", "names", "name") if plain.get(key)), None)
    return plain.get("name", found) if found is plain.get("names") else found


def _reference(links: Sequence[dict[str, Any]]) -> str:
    """Find which dataflow or data structure it is."""
    for relation in RELATIONS:
        for link in links:
            if link.get("rel") == relation:
                if "=" in (urn := link.get("urn", "")):
                    return str(urn.rpartition("=")[2])
                if found := PATH.search(link.get("href", "")):
                    return f"{found[1]}:{found[2]}({found[3] or '1.0'})"
    return ""


# --- the rows -------------------------------------------------------------------------------------------------------


@dataclass
class _Chunk:
    """Some observations on their way to columns: keys and cells of theirs, and of the series that they are in."""

    outer: list[str] = field(default_factory=list)
    said: list[list[Any]] = field(default_factory=list)
    members: list[int] = field(default_factory=list)
    keys: Any = field(default_factory=list)
    cells: Any = field(default_factory=list)
    runs: list[bytes] = field(default_factory=list)

    def whole(self, source: Source) -> Iterator[_Chunk]:
        """Give the chunk with its runs cut; those that are not what they look like are parsed."""
        if not self.runs:
            yield self
            return
        joined = b",".join(self.runs)
        for block in [joined] if self.outer else blocks(joined):
            keys, cells = cut(block) or _parsed_runs(source, self.runs if self.outer else [block])
            members = self.members or [0] * len(keys)
            if len(members) != len(keys):
                raise BadData("A series names an observation twice.", where=source.name, remedy=REMEDY)
            yield _Chunk(self.outer, self.said, members, keys, cells)


def _parsed_runs(source: Source, runs: Sequence[bytes]) -> tuple[list[str], list[list[Any]]]:
    import orjson

    keys: list[str] = []
    cells: list[list[Any]] = []
    for run in runs:
        try:
            found = orjson.loads(b"{" + run + b"}")
        except orjson.JSONDecodeError as error:
            what = f"The JSON cannot be read: {error.msg}, among observations."
            raise BadData(what, where=source.name, remedy=REMEDY) from None
        keys += found
        cells += [one or [] for one in found.values()]
    return keys, cells


@dataclass(frozen=True)
class _Batches:
    """The rows of one data set."""

    source: Source
    layout: _Layout
    data: dict[str, Any]
    runs: list[bytes]

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        row = 1
        for part in self._parts():
            for chunk in part.whole(self.source):
                batch = self._batch(chunk, row)
                row += batch.num_rows
                if batch.num_rows:
                    yield batch

    def _parts(self) -> Iterator[_Chunk]:
        flat = self.data.get("observations") or {}
        if TAKEN in flat:
            yield _Chunk(runs=[self.runs[flat[TAKEN]]])
        elif flat:
            items = iter(flat.items())
            while some := list(islice(items, MANY)):
                yield _Chunk([], [], [0] * len(some), [key for key, _ in some], [cells or [] for _, cells in some])
        chunk = _Chunk()
        for key, series in (self.data.get("series") or {}).items():
            observations = series.get("observations") or {"": []}
            plain = TAKEN in observations
            if len(chunk.members) > MANY or (chunk.members and plain != bool(chunk.runs)):
                yield chunk
                chunk = _Chunk()
            place = len(chunk.outer)
            chunk.outer.append(key)
            chunk.said.append(series.get("attributes") or [])
            if plain:
                run = self.runs[observations[TAKEN]]
                chunk.runs.append(run)
                chunk.members += [place] * run.count(b'":[')
            else:
                chunk.keys += observations
                chunk.cells += observations.values()
                chunk.members += [place] * len(observations)
        if chunk.members:
            yield chunk

    def _batch(self, chunk: _Chunk, row: int) -> pa.RecordBatch:
        import numpy as np
        import pyarrow as pa

        layout, rows = self.layout, len(chunk.members)
        series = np.array(chunk.members, np.int64)
        indices = {one.id: np.zeros(rows, np.int64) for one in layout.fixed}
        inner = layout.inner
        if chunk.outer:
            places = self._places(chunk.outer, layout.series)
            indices |= {one.id: places[:, at][series] for at, one in enumerate(layout.series)}
        elif rows and str(chunk.keys[0]).count(":") + 1 != len(inner):
            inner = [*layout.series, *inner]
        places = self._places(chunk.keys, inner)
        indices |= {one.id: places[:, at] for at, one in enumerate(inner)}
        columns = {one.id: self._valued(one, indices[one.id]) for one in layout.dimensions if one.id in indices}
        columns |= self._columns([*layout.measures, *layout.attributes["observation"]], chunk.cells)
        levels = self._columns(layout.attributes["series"], chunk.said) if chunk.outer else {}
        columns |= {id: values.take(pa.array(series)) for id, values in levels.items()}
        whole = self._columns(layout.attributes["dataSet"], [self.data.get("attributes") or []])
        columns |= {id: values.take(pa.array(np.zeros(rows, np.int8))) for id, values in whole.items()}
        columns |= self._grouped(indices, rows)
        columns["_row"] = pa.array(np.arange(row, row + rows, dtype=np.int64))
        return pa.RecordBatch.from_pydict(columns)

    def _places(self, keys: Sequence[str] | pa.Array, dimensions: Sequence[_Component]) -> np.ndarray:
        """Read keys such as ``0:3:1`` as a table of indices; -1 where a part is empty."""
        import numpy as np
        import pyarrow as pa
        import pyarrow.compute as pc

        if not dimensions:
            return np.zeros((len(keys), 0), np.int64)
        # A series without observations has the empty key.
        text = keys if isinstance(keys, pa.Array) else pa.array([key or ":" * (len(dimensions) - 1) for key in keys])
        parts = pc.split_pattern(text, ":")
        wrong = np.flatnonzero(pc.list_value_length(parts).to_numpy() != len(dimensions))
        single = parts.values.dictionary_encode()
        words = single.dictionary.to_pylist()
        if len(wrong) or any(word and not word.isdigit() for word in words):
            key = text[int(wrong[0])].as_py() if len(wrong) else next(word for word in words if not word.isdigit())
            raise BadData(
                f"The key {key!r} has not an index each for {', '.join(one.id for one in dimensions)}.",
                where=self.source.name,
                remedy=REMEDY,
            )
        numbers = np.array([int(word) if word else -1 for word in words], np.int64)
        return numbers[single.indices.to_numpy()].reshape(len(keys), len(dimensions))

    def _valued(self, one: _Component, indices: np.ndarray) -> pa.Array:
        """Give the values that indices stand for."""
        import pyarrow as pa

        values = texts(one.values or [])
        if len(indices) and int(indices.max()) >= len(values):
            raise BadData(
                f"{one.id} has {len(values):,} values and an index of {int(indices.max()):,}.",
                where=self.source.name,
                remedy=REMEDY,
            )
        places = pa.array(indices, pa.int32(), mask=indices < 0)
        if values.null_count or not pa.types.is_string(values.type):
            return values.take(places)
        return pa.DictionaryArray.from_arrays(places, values)

    def _cut(self, components: Sequence[_Component], cells: pa.ListArray) -> dict[str, pa.Array]:
        """Give columns of cells that stand in lists of JSON's own text."""
        import numpy as np
        import pyarrow as pa
        import pyarrow.compute as pc

        offsets = cells.offsets.to_numpy()
        lengths, columns = np.diff(offsets), {}
        for at, one in enumerate(components):
            column = cells.values.take(pa.array(offsets[:-1] + at, mask=lengths <= at))
            column = pc.if_else(pc.is_in(column, pa.array(["null", ""])), None, column)
            if one.values is None:
                columns[one.id] = column
                continue
            encoded = column.dictionary_encode()
            words = encoded.dictionary.to_pylist()
            if all(word.isdigit() for word in words):
                numbers = np.array([*map(int, words), -1], np.int64)
                columns[one.id] = self._valued(one, numbers[pc.fill_null(encoded.indices, -1).to_numpy()])
            else:  # values stand among indices
                known = {str(place): value for place, value in enumerate(one.values)}
                columns[one.id] = texts([known.get(word, word) for word in words]).take(encoded.indices)
        return columns

    def _columns(
        self, components: Sequence[_Component], cells: Sequence[list[Any]] | pa.ListArray
    ) -> dict[str, pa.Array]:
        """Give columns of cells that stand in lists, where a short list leaves the rest out."""
        import numpy as np
        import pyarrow as pa

        if isinstance(cells, pa.ListArray):
            return self._cut(components, cells)
        width = len(components)
        if not width:
            return {}
        if any(len(one) != width for one in cells):
            cells = [one[:width] if len(one) >= width else [*one, *[None] * (width - len(one))] for one in cells]
        joined = list(chain.from_iterable(cells))
        columns = {}
        for at, one in enumerate(components):
            column = joined[at::width]
            if one.values is None:
                columns[one.id] = texts(column)
            elif all(type(cell) is int or cell is None for cell in column):
                indices = np.array([-1 if cell is None else cell for cell in column], np.int64)
                columns[one.id] = self._valued(one, indices)
            else:  # values stand among indices
                known = dict(enumerate(one.values))
                columns[one.id] = texts(
                    [known[cell] if type(cell) is int and cell in known else cell for cell in column]
                )
        return columns

    def _grouped(self, indices: Mapping[str, np.ndarray], rows: int) -> dict[str, pa.Array]:
        """Spread what is said of groups of dimensions: by keys in which the other dimensions are left out."""
        import numpy as np

        groups: dict[tuple[int, ...], dict[tuple[int, ...], list[Any]]] = {}
        for key, cells in (self.data.get("dimensionGroupAttributes") or {}).items():
            parts = key.split(":")
            there = tuple(at for at, part in enumerate(parts) if part)
            groups.setdefault(there, {})[tuple(int(parts[at]) for at in there)] = cells or []
        if not groups or not rows:
            return {}
        components, dimensions = self.layout.attributes["dimensionGroup"], self.layout.dimensions
        none = np.full(rows, -1)
        filled: list[list[Any]] = [[None] * len(components) for _ in range(rows)]
        for there, known in groups.items():
            table = np.stack([indices.get(dimensions[at].id, none) for at in there], axis=1) if there else none[:, None]
            for row, key in enumerate(map(tuple, table.tolist() if there else [()] * rows)):
                for at, cell in enumerate(known.get(key, [])[: len(components)]):
                    if cell is not None:
                        filled[row][at] = cell
        return self._columns(components, filled)


def texts(cells: Sequence[Any]) -> pa.Array:
    """Make a column of text, of lists of text, or of text by language, from cells of JSON.

    Numbers are written in the shortest way that is read back as the same number.

    Parameters
    ----------
    cells : sequence
        Text, numbers, booleans, lists, objects by language, or None.

    Examples
    --------
    >>> texts([1.5, 2, None]).to_pylist(), texts([["a"], None]).to_pylist(), texts([{"en": "a"}]).to_pylist()
    (['1.5', '2', None], [['a'], None], [[('en', 'a')]])
    """
    import pyarrow as pa

    try:
        found = pa.array(cells)
        if not pa.types.is_nested(found.type):
            return found.cast(pa.string())
    except (pa.ArrowInvalid, pa.ArrowTypeError):
        pass
    if any(isinstance(cell, dict) for cell in cells):
        maps = [
            list(cell.items()) if isinstance(cell, dict) else None if cell is None else [("en", _text(cell))]
            for cell in cells
        ]
        return pa.array(maps, pa.map_(pa.string(), pa.string()))
    if any(isinstance(cell, list) for cell in cells):
        lists = [
            None if cell is None else [_text(one) for one in (cell if isinstance(cell, list) else [cell])]
            for cell in cells
        ]
        return pa.array(lists, pa.list_(pa.string()))
    return pa.array([None if cell is None else _text(cell) for cell in cells], pa.string())


def _text(cell: Any) -> str:
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, dict):
        return str(next(iter(cell.values()), ""))
    return repr(cell) if isinstance(cell, float) else str(cell)
