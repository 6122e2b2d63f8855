"""PX files, as PxWeb and PC-Axis read them: keywords, and the whole cube of values."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from statcommons.core.errors import BadCall
from statcommons.sdmx.formats.json_values import Lists, lists_of
from statcommons.sdmx.formats.jsonstat import cube_of, one_data_set
from statcommons.sdmx.formats.layout import Layout, Options, opened
from statcommons.sdmx.formats.numbers import number_text
from statcommons.sdmx.formats.text import joined, text_of
from statcommons.sdmx.message import DataSet, Header
from statcommons.sdmx.model import in_language
from statcommons.sdmx.structure import Component

CELLS = 10_000_000
"""Cells of the largest cube that is written: it is held in memory, 8 bytes a cell."""

ABSENT = '"."'


def write_px(data_sets: Sequence[DataSet], header: Header, options: Options) -> Iterator[bytes]:
    """Write a PX file in UTF-8, with time as the heading and the other dimensions as the stub.

    Parameters
    ----------
    data_sets : sequence of DataSet
        One, with one measure that is a number and at least one observation.
    header : Header
        When the message was prepared, and by whom.
    options : Options
        ``languages``: the first one that is there.

    Raises
    ------
    BadCall
        When there is not one data set with one measure, or when the cube of its dimensions is too large.

    References
    ----------
    PX-file format 2013, Statistics Sweden.
    """
    one_data_set(data_sets, "PX")
    if not data_sets or len(data_sets[0].structure.with_role("measure")) != 1:
        raise BadCall("A PX file has one measure.", remedy="Ask for one measure of one dataflow.")
    lists = lists_of(data_sets)
    sizes = [len(lists.values[one.id].places) for one in data_sets[0].structure.dimensions]
    if (cells := int(np.prod(sizes, dtype=object))) > CELLS:
        raise BadCall(
            f"The cube of all dimensions has {cells:,} cells, and a PX file at most {CELLS:,}.",
            remedy="Ask for fewer codes, or for CSV, Parquet or JSON-stat.",
        )
    return _written(data_sets[0], lists, sizes, header, options)


def _written(
    data_set: DataSet, lists: Lists, sizes: Sequence[int], header: Header, options: Options
) -> Iterator[bytes]:
    layout = opened(data_set)
    yield "".join(f"{line}\n" for line in _keywords(layout, lists, header, options.languages)).encode()
    yield b"DATA=\n"
    cube = _cube(layout, lists, int(np.prod(sizes)))
    width = sizes[-1] if sizes else 1
    rows = max(1, 100_000 // max(width, 1)) * width
    for start in range(0, len(cube), rows):
        part = cube[start : start + rows]
        texts = number_text(pa.array(part, from_pandas=True)).fill_null(ABSENT)
        ends = np.where((np.arange(start, start + len(part)) + 1) % width == 0, 1, 0).astype(np.int8)
        spaced = pa.DictionaryArray.from_arrays(pa.array(ends), pa.array([" ", "\n"]))
        yield text_of(joined([texts, spaced], len(texts)))
    yield b";\n"


def _cube(layout: Layout, lists: Lists, size: int) -> Any:
    """Gather the values; NaN where there is none."""
    cube = np.full(size, np.nan)
    [measure] = layout.measures
    place_of = cube_of(layout, lists)
    for batch in () if layout.bare else layout.data_set.observations:
        values = batch[measure.id].cast(pa.float64()).fill_null(np.nan)
        cube[place_of(batch)] = values.to_numpy(zero_copy_only=False)
    return cube


def _keywords(layout: Layout, lists: Lists, header: Header, languages: tuple[str, ...]) -> Iterator[str]:
    structure = layout.data_set.structure
    title = in_language(structure.name, languages) or structure.flow.id
    labels = {one.id: in_language(one.name, languages) or one.id for one in structure.dimensions}
    labels = {id: label if list(labels.values()).count(label) == 1 else id for id, label in labels.items()}
    heading = [labels[structure.time.id]] if structure.time else []
    stub = [labels[one.id] for one in structure.with_role("dimension")]
    [measure] = layout.measures
    yield 'CHARSET="ANSI";'
    yield 'AXIS-VERSION="2013";'
    yield 'CODEPAGE="utf-8";'
    yield f'LANGUAGE="{languages[0] if languages else "en"}";'
    yield f'CREATION-DATE="{header.prepared:%Y%m%d %H:%M}";'
    yield f"SUBJECT-AREA={_quoted(title)};"
    yield f"SUBJECT-CODE={_quoted(structure.flow.agency)};"
    yield f"MATRIX={_quoted(structure.flow.id)};"
    yield f"TITLE={_quoted(title)};"
    yield f"CONTENTS={_quoted(in_language(measure.name, languages) or measure.id)};"
    yield f"UNITS={_quoted(_unit(layout, languages))};"
    yield f"DECIMALS={6 if measure.decimals is None else min(measure.decimals, 6)};"
    if stub:
        yield f"STUB={_listed(stub)};"
    if heading:
        yield f"HEADING={_listed(heading)};"
    for one in structure.dimensions:
        codes = list(lists.values[one.id].places)
        names = {code.id: in_language(code.name, languages) for code in structure.codes(one)}
        yield f"VALUES({_quoted(labels[one.id])})={_listed([names.get(code) or code for code in codes])};"
        yield f"CODES({_quoted(labels[one.id])})={_listed(codes)};"
    yield f"SOURCE={_quoted(header.sender)};"


def _unit(layout: Layout, languages: tuple[str, ...]) -> str:
    """Give the unit of measure, where all series have the same."""
    data_set = layout.data_set
    if "UNIT_MEASURE" not in data_set.series.column_names:
        return "-"
    units = data_set.series["UNIT_MEASURE"].unique().drop_null().to_pylist()
    if len(units) != 1:
        return "-"
    component: Component = data_set.structure["UNIT_MEASURE"]
    names = {code.id: in_language(code.name, languages) for code in data_set.structure.codes(component)}
    return names.get(units[0]) or str(units[0])


def _quoted(text: str) -> str:
    """Quote a text: PX has no way to write a quote in it, nor a new line."""
    return '"' + text.replace('"', "'").replace("\n", " ").replace("\r", " ") + '"'


def _listed(texts: Sequence[str]) -> str:
    return ",\n".join(map(_quoted, texts))
