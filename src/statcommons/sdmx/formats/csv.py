"""SDMX-CSV 1.0, 2.0 and 2.1: a line an observation."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Literal, TypeAlias

import pyarrow as pa
import pyarrow.compute as pc

from statcommons.core.errors import BadCall
from statcommons.sdmx.formats.layout import Layout, Options, cell, is_simple, opened
from statcommons.sdmx.formats.table import components_of
from statcommons.sdmx.formats.text import Form, Part, encoded, escaper, line, text_of
from statcommons.sdmx.message import ALL_DIMENSIONS, DataSet, Header
from statcommons.sdmx.model import in_language
from statcommons.sdmx.structure import Component, Structure

Version: TypeAlias = Literal["1.0", "2.0", "2.1"]

LETTERS = {"Information": "I", "Append": "A", "Replace": "R", "Merge": "M", "Delete": "D"}
KINDS = {"dataflow": "dataflow", "datastructure": "datastructure", "provisionagreement": "dataprovision"}
INNER = ";"
"""What stands between the values of one cell."""


def quoted(text: str) -> str:
    """Put a text in quotes."""
    return '"' + text.replace('"', '""') + '"'


quote = escaper('[",\r\n]', quoted)
quote_inner = escaper('[";]', quoted)


def quoted_where_needed(text: str) -> str:
    """Put a text in quotes where CSV wants them."""
    return quoted(text) if any(sign in text for sign in '",\r\n') else text


def _worded(languages: pa.Array, words: pa.Array) -> pa.Array:
    return quote_inner(pc.binary_join_element_wise(languages, words, ":"))


FORM = Form(quote_inner, separator=INNER, many=quote, worded=_worded, between=INNER, languages=quote_inner)
"""Cells with several values, which are quoted each, and then together."""
CELL = replace(FORM, escape=quote, languages=quote)
"""Cells with one value."""


def write_csv_1(data_sets: Sequence[DataSet], header: Header, options: Options) -> Iterator[bytes]:
    """Write SDMX-CSV 1.0, which has one measure and knows of no action.

    Parameters
    ----------
    data_sets : sequence of DataSet
        Of dataflows that have the same components.
    header : Header
        Not said in CSV.
    options : Options
        ``labels`` (id or both), ``time_format``, ``languages``.

    Raises
    ------
    BadCall
        When there are several measures, structures, or values of one component, or data sets that delete.

    References
    ----------
    SDMX-CSV 1.0 field guide, https://github.com/sdmx-twg/sdmx-csv
    """
    if len({tuple(one.id for one in each.structure.components) for each in data_sets}) > 1:
        raise BadCall("SDMX-CSV 1.0 has the data of one structure.", remedy="Ask for SDMX-CSV 2.0.")
    if any(len(one.structure.with_role("measure")) > 1 for one in data_sets):
        raise BadCall("SDMX-CSV 1.0 has one measure.", remedy="Ask for one measure, or for SDMX-CSV 2.0.")
    if many := [one.id for each in data_sets for one in each.structure.components if not is_simple(one)]:
        raise BadCall(f"SDMX-CSV 1.0 has one value of {many[0]}.", remedy="Leave it out, or ask for SDMX-CSV 2.0.")
    if any(one.action == "Delete" for one in data_sets):
        raise BadCall("SDMX-CSV 1.0 cannot say that data are deleted.", remedy="Ask for SDMX-CSV 2.0.")
    return _written(data_sets, "1.0", options)


def write_csv_2(data_sets: Sequence[DataSet], header: Header, options: Options) -> Iterator[bytes]:
    """Write SDMX-CSV 2.0.

    Parameters
    ----------
    data_sets : sequence of DataSet
        Of any dataflows and actions.
    header : Header
        Not said in CSV.
    options : Options
        ``labels``, ``keys``, ``time_format``, ``languages``.

    References
    ----------
    SDMX-CSV 2.0 field guide, https://github.com/sdmx-twg/sdmx-csv
    """
    return _written(data_sets, "2.0", options)


def write_csv_21(data_sets: Sequence[DataSet], header: Header, options: Options) -> Iterator[bytes]:
    """Write SDMX-CSV 2.1, in which what is published is merged where 2.0 only informs.

    Parameters
    ----------
    data_sets, header, options
        As of :func:`write_csv_2`.

    References
    ----------
    SDMX-CSV 2.1 field guide, https://github.com/sdmx-twg/sdmx-csv
    """
    return _written(data_sets, "2.1", options)


def _written(data_sets: Sequence[DataSet], version: Version, options: Options) -> Iterator[bytes]:
    columns = components_of(data_sets)
    dated = any(one.valid_from for one in data_sets)
    data_sets, ids = marked(data_sets, columns)
    yield _heading(columns, ids, version, options, dated=dated)
    for data_set in data_sets:
        layout = opened(data_set)
        row = line(*_row(layout, columns, version, options, dated=dated))
        for batch in layout.data_set.observations:
            yield text_of(row(batch))


# --- the first line -------------------------------------------------------------------------------------------------


def marked(data_sets: Sequence[DataSet], columns: Sequence[Component]) -> tuple[Sequence[DataSet], list[str]]:
    """Give the ids of columns with marks of what stands in a cell: ``[]`` are several values, ``[en;fr]`` languages.

    A head comes before the data: a language that only comes up after the first observations is not told in it.

    Parameters
    ----------
    data_sets : sequence of DataSet
        What is written.
    columns : sequence of Component
        The components that have columns.

    Returns
    -------
    tuple of (sequence of DataSet, list of str)
        The data sets, which begin anew where they were looked into, and the ids.

    Examples
    --------
    >>> marked([], [Component("AREA", "dimension", "text"), Component("TAGS", "attribute", "text", multiple=True)])
    ([], ['AREA', 'TAGS[]'])
    """
    spoken: dict[str, list[str]] = {}
    if any(one.multilingual for one in columns):
        layouts = [opened(one) for one in data_sets]
        data_sets = [one.data_set for one in layouts]
        spoken = _spoken(columns, layouts)
    return data_sets, [one.id + _marks(one, spoken) for one in columns]


def _heading(
    columns: Sequence[Component], ids: Sequence[str], version: Version, options: Options, *, dated: bool
) -> bytes:
    cells = []
    for one, mine in zip(columns, ids, strict=True):
        name = in_language(one.name, options.languages)
        id = "OBS_VALUE" if version == "1.0" and one.role == "measure" else mine
        with_name = options.labels == "both" and name and not (version == "1.0" and one.role == "measure")
        cells.append(f"{id}: {name}" if with_name else id)
        if _named(version, options):
            cells.append(name)
    if version == "1.0":
        return _text(["DATAFLOW", *cells])
    inner = "" if all(map(is_simple, columns)) else f"[{INNER}]"
    first = [f"STRUCTURE{inner}", "STRUCTURE_ID", *(["STRUCTURE_NAME"] if options.labels == "name" else []), "ACTION"]
    return _text(
        [*first, *(f"{key.upper()}_KEY" for key in _keys(options)), *cells, *(["VALID_FROM"] if dated else [])]
    )


def _text(cells: Sequence[str]) -> bytes:
    return (",".join(map(quoted_where_needed, cells)) + "\n").encode()


def _marks(component: Component, spoken: Mapping[str, Sequence[str]]) -> str:
    """Give what a head says of several values, or of the languages that there may be."""
    return f"[{INNER.join(spoken.get(component.id, ()))}]" if not is_simple(component) else ""


def _spoken(columns: Sequence[Component], layouts: Sequence[Layout]) -> dict[str, list[str]]:
    """Give the languages that words may be in, by column: those of names, of series, and of the first observations."""
    named = [language for one in columns for language in one.name]
    return {
        one.id: list(dict.fromkeys([*named, *(language for layout in layouts for language in _languages(one, layout))]))
        for one in columns
        if one.multilingual
    }


def _languages(component: Component, layout: Layout) -> Iterator[str]:
    for held in (layout.data_set.series, layout.first):
        if component.id in held.schema.names:
            words = pc.list_flatten(held[component.id]) if component.multiple else held[component.id]
            yield from (language for cell in words.to_pylist() for language, _ in cell or ())


def _named(version: Version, options: Options) -> bool:
    return options.labels == "name" and version != "1.0"


def _keys(options: Options) -> tuple[str, ...]:
    return {"none": (), "obs": ("obs",), "series": ("series",), "both": ("series", "obs")}[options.keys]


# --- the other lines ------------------------------------------------------------------------------------------------


def _row(
    layout: Layout, columns: Sequence[Component], version: Version, options: Options, *, dated: bool
) -> Iterator[Part]:
    data_set = layout.data_set
    structure = data_set.structure
    yield _lead(data_set, version, options)
    if version != "1.0":
        for key in _keys(options):
            yield ","
            yield from _key(layout, everything=key == "obs")
    time = _normal_time(data_set) if options.time_format == "normalized" else None
    for one in columns:
        yield ","
        if one.id not in structure:
            yield "," if _named(version, options) else ""
            continue
        component = structure[one.id]
        form = FORM if component.multiple else CELL
        change = time if component.role == "time" else None
        if options.labels == "both" and component.codelist:
            change = _labelled(structure, component, options.languages)
        yield cell(component, data_set, form, change=change)
        if _named(version, options):
            yield ","
            yield cell(component, data_set, form, change=_names(structure, component, options.languages))
    if dated and version != "1.0":
        yield "," + (data_set.valid_from.strftime("%Y-%m-%dT%H:%M:%SZ") if data_set.valid_from else "")
    yield "\n"


def _lead(data_set: DataSet, version: Version, options: Options) -> str:
    """Give what all lines of a data set begin with: of which structure they are, and what shall be done with them."""
    flow = data_set.structure.flow
    name = in_language(data_set.structure.name, options.languages)
    shown = f"{flow}: {name}" if options.labels == "both" and name else str(flow)
    if version == "1.0":
        return quoted_where_needed(shown)
    letter = "M" if version == "2.1" and data_set.action in ("Information", "Append") else LETTERS[data_set.action]
    named = [name] if options.labels == "name" else []
    return ",".join(map(quoted_where_needed, [KINDS[flow.kind], shown, *named, letter]))


def _key(layout: Layout, *, everything: bool) -> Iterator[Part]:
    """Give the key of the series (without the dimension at the observation) or of the observation."""
    data_set = layout.data_set
    at = layout.inner if data_set.at != ALL_DIMENSIONS else data_set.structure.with_role("time")
    dimensions = [one for one in data_set.structure.dimensions if everything or one not in at]
    for place, one in enumerate(dimensions):
        yield "." if place else ""
        yield cell(one, data_set, CELL)


def _labelled(structure: Structure, component: Component, languages: tuple[str, ...]) -> Callable[[pa.Array], pa.Array]:
    return _told(structure, component, lambda code, name: f"{code}: {name}" if name else code, languages)


def _names(structure: Structure, component: Component, languages: tuple[str, ...]) -> Callable[[pa.Array], pa.Array]:
    return _told(structure, component, lambda code, name: name, languages, default="")


def _told(
    structure: Structure,
    component: Component,
    tell: Callable[[str, str], str],
    languages: tuple[str, ...],
    *,
    default: str | None = None,
) -> Callable[[pa.Array], pa.Array]:
    """Make what turns the codes of a column into words; a value that is no code stays, or becomes ``default``."""
    words = {code.id: tell(code.id, in_language(code.name, languages)) for code in structure.codes(component)}

    def change(values: pa.Array) -> pa.Array:
        if pa.types.is_list(values.type):
            changed = [None if each is None else [words.get(one, one) for one in each] for each in values.to_pylist()]
            return pa.array(changed, pa.list_(pa.string()))
        if not words:
            return values if default is None else pa.repeat(default, len(values))
        codes = encoded(values)
        told = [words.get(code, code if default is None else default) for code in codes.dictionary.to_pylist()]
        return pa.DictionaryArray.from_arrays(codes.indices, pa.array(told, pa.string())).cast(pa.string())

    return change


def _normal_time(data_set: DataSet) -> Callable[[pa.Array], pa.Array]:
    """Make what turns periods into the day on which they begin, or the second where one of them needs it."""
    periods = data_set.periods()
    starts = pc.cast(periods["start"].combine_chunks(), pa.timestamp("us"))
    whole = pc.all(pc.equal(starts, pc.floor_temporal(starts, unit="day"))).as_py() is not False
    days = pc.strftime(starts, format="%Y-%m-%d" if whole else "%Y-%m-%dT%H:%M:%S")
    if not whole:
        days = pc.replace_substring_regex(days, r"\.0+$", "")
    known = periods["text"].combine_chunks()

    def change(values: pa.Array) -> pa.Array:
        found = days.take(pc.index_in(values, known))
        return pc.coalesce(found, values)

    return change
