"""SDMX-JSON data messages read as rows: 1.0, 2.0, 2.1 and the draft before them; series, flat and cross-section."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain, islice
from typing import TYPE_CHECKING, Any

from statcommons.core.errors import BadData
from statcommons.sdmx.message import Rows
from statcommons.sdmx.reading.json_layout import Component, Layout, layout_of, reference_of
from statcommons.sdmx.reading.json_runs import TAKEN, blocks, cut
from statcommons.sdmx.reading.json_text import REMEDY, Parsed, parsed_json, texts
from statcommons.sdmx.reading.sdmxml import action_of, instant_of
from statcommons.sdmx.reading.source import Source

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

__all__ = ["read_sdmx_json"]

MANY = 1 << 17


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

    Examples
    --------
    >>> from statcommons.sdmx.reading.source import source_of
    >>> structure = b'{"dimensions":{"observation":[{"id":"AREA","values":[{"id":"004"}]}]}}'
    >>> data = b'{"data":{"structure":%s,"dataSets":[{"observations":{"0":[1.5]}}]}}' % structure
    >>> [rows] = read_sdmx_json(source_of(data))
    >>> [batch.to_pylist() for batch in rows.batches]
    [[{'AREA': '004', 'OBS_VALUE': '1.5', '_row': 1}]]
    """
    parsed = parsed or parsed_json(source)
    with _built(source):
        return _data_sets(source, parsed)


@contextlib.contextmanager
def _built(source: Source) -> Iterator[None]:
    """Refuse JSON that has something else where SDMX-JSON has a list, an object, a text or a number.

    There are hundreds of such places, and what is wrong with one tells itself when it is used.
    """
    try:
        yield
    except (AttributeError, KeyError, IndexError, TypeError, ValueError, OverflowError) as error:
        reason = f"there is no {error}" if isinstance(error, KeyError) else str(error).partition("\n")[0]
        raise BadData(
            f"The message is not built as SDMX-JSON is: {reason}.", where=source.name, remedy=REMEDY
        ) from error


def _data_sets(source: Source, parsed: Parsed) -> list[Rows]:
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


def _rows(source: Source, structures: Sequence[Any], data: dict[str, Any], runs: list[bytes]) -> Rows:
    place = data.get("structure", 0)
    if not isinstance(place, int) or not 0 <= place < len(structures):
        raise BadData(f"A data set is of structure {place}, which is not there.", where=source.name, remedy=REMEDY)
    structure = structures[place]
    layout = layout_of(structure)
    known = [*layout.dimensions, *layout.measures, *chain.from_iterable(layout.attributes.values())]
    return Rows(
        batches=_Batches(source, layout, data, runs),
        action=action_of(data.get("action", ""), source.name),
        structure=reference_of([*structure.get("links", []), *data.get("links", [])]),
        valid_from=instant_of(data.get("validFrom", ""), source.name),
        path=source.name,
        given=frozenset(one.id for one in known),
        measure=layout.measure,
    )


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
    layout: Layout
    data: dict[str, Any]
    runs: list[bytes]

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        with _built(self.source):
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

    def _places(self, keys: Sequence[str] | pa.Array, dimensions: Sequence[Component]) -> np.ndarray:
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

    def _valued(self, one: Component, indices: np.ndarray) -> pa.Array:
        """Give the values that indices stand for."""
        import pyarrow as pa

        values = texts(one.values or [])
        if len(indices) and int(indices.max()) >= len(values):
            raise self._beyond(one, int(indices.max()))
        places = pa.array(indices, pa.int32(), mask=indices < 0)
        if values.null_count or not pa.types.is_string(values.type):
            return values.take(places)
        return pa.DictionaryArray.from_arrays(places, values)

    def _beyond(self, one: Component, index: int) -> BadData:
        what = f"{one.id} has {len(one.values or []):,} values and an index of {index:,}."
        return BadData(what, where=self.source.name, remedy=REMEDY)

    def _cut(self, components: Sequence[Component], cells: pa.ListArray) -> dict[str, pa.Array]:
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
                columns[one.id] = pc.utf8_trim(column, '"')
                continue
            encoded = column.dictionary_encode()
            words = encoded.dictionary.to_pylist()
            if all(word.isdigit() for word in words):
                numbers = np.array([*map(int, words), -1], np.int64)
                columns[one.id] = self._valued(one, numbers[pc.fill_null(encoded.indices, -1).to_numpy()])
            else:  # values stand among indices
                known = {str(place): value for place, value in enumerate(one.values)}
                columns[one.id] = texts([known.get(word, word.strip('"')) for word in words]).take(encoded.indices)
        return columns

    def _columns(
        self, components: Sequence[Component], cells: Sequence[list[Any]] | pa.ListArray
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
                columns[one.id] = texts([self._meant(one, cell) for cell in column])
        return columns

    def _meant(self, one: Component, cell: Any) -> Any:
        """Give what a cell means where values, or lists of indices, stand among indices."""
        known = one.values or []
        if not isinstance(cell, list):
            return known[cell] if type(cell) is int and 0 <= cell < len(known) else cell
        if wrong := [each for each in cell if type(each) is int and not 0 <= each < len(known)]:
            raise self._beyond(one, wrong[0])
        return [known[each] if type(each) is int else each for each in cell]

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
