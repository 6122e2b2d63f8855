"""SDMX-ML structure-specific data, 2.1, 3.0 and 3.1: values stand in attributes of XML named by their components."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import pyarrow.compute as pc

from statcommons.sdmx.formats.layout import Layout, Options, cell, grouped, groups_of, is_simple, value_of_all
from statcommons.sdmx.formats.ml import FORM, Kind, attribute, rows_of, written
from statcommons.sdmx.formats.text import Part, line, text_of
from statcommons.sdmx.message import DataSet, Header
from statcommons.sdmx.structure import Component

MODULE = "data/structurespecific"
V21, V30, V31 = (
    Kind(version, "StructureSpecificData", "data", MODULE, specific=True) for version in ("2.1", "3.0", "3.1")
)
TIME_SERIES = replace(V21, root="StructureSpecificTimeSeriesData", time_series=True)

PRIMARY = "OBS_VALUE"
"""What SDMX 2.1 calls the one measure in any structure."""

VALUE, VALUE_END = "<Value>", "</Value>"
END = f"{VALUE_END}</Comp>"
TEXT = '<common:Text xml:lang="'
MANY = replace(
    FORM,
    separator=VALUE_END + VALUE,
    worded=lambda language, words: pc.binary_join_element_wise(
        TEXT, language, '">', FORM.escape(words), "</common:Text>", ""
    ),
    between="",
)


def write_specific_21(data_sets: Sequence[DataSet], header: Header, options: Options) -> Iterator[bytes]:
    """Write an SDMX-ML 2.1 structure-specific data message: series, flat, or by another dimension.

    Parameters
    ----------
    data_sets : sequence of DataSet
        Of any dataflows.
    header : Header
        The header of the message.
    options : Options
        None of them says anything here.

    Raises
    ------
    BadCall
        When there are several measures, or several values of one component.

    References
    ----------
    SDMX 2.1, section 3A, SDMX-ML, https://github.com/sdmx-twg/sdmx-ml
    """
    return written(data_sets, header, V21, _body_21)


def write_specific_time_series(data_sets: Sequence[DataSet], header: Header, options: Options) -> Iterator[bytes]:
    """Write an SDMX-ML 2.1 structure-specific message of time series.

    Parameters
    ----------
    data_sets, header, options
        As of :func:`write_specific_21`; the dimension at the observation is time.

    Raises
    ------
    BadCall
        As :func:`write_specific_21`, and when another dimension than time is at the observation.
    """
    return written(data_sets, header, TIME_SERIES, _body_21)


def write_specific_30(data_sets: Sequence[DataSet], header: Header, options: Options) -> Iterator[bytes]:
    """Write an SDMX-ML 3.0 data message, which may have several measures, and several values of one component.

    Parameters
    ----------
    data_sets, header, options
        As of :func:`write_specific_21`.

    References
    ----------
    SDMX 3.0, section 3A, SDMX-ML, https://github.com/sdmx-twg/sdmx-ml
    """
    return written(data_sets, header, V30, _body)


def write_specific_31(data_sets: Sequence[DataSet], header: Header, options: Options) -> Iterator[bytes]:
    """Write an SDMX-ML 3.1 data message, in which an action may be to merge.

    Parameters
    ----------
    data_sets, header, options
        As of :func:`write_specific_21`.
    """
    return written(data_sets, header, V31, _body)


def _body_21(layout: Layout, prefix: str) -> Iterator[bytes]:
    return _body(layout, prefix, PRIMARY)


def _body(layout: Layout, prefix: str, measure: str = "") -> Iterator[bytes]:
    """Write a data set; ``measure`` is what the one measure is called, whatever its id."""
    data_set = layout.data_set
    many = [(one, value_of_all(one, data_set, MANY)) for one in layout.whole if not is_simple(one)]
    if told := "".join(f"{_begin(one, prefix)}{value}{END}" for one, value in many if value is not None):
        yield f"<Atts>{told}</Atts>\n".encode()
    for id, members, groups in groups_of(layout):
        keys = [data_set.structure[key] for key in members[0].dimensions]
        begin = f'<Group xsi:type="{prefix}{id}"'
        yield from rows_of(groups.series, begin, *_element([*keys, *members], groups, prefix, "</Group>\n"))
    components = [*layout.inner, *layout.measures, *layout.observation]
    observation = ("<Obs", *_element(components, data_set, prefix, "</Obs>\n", measure))
    if layout.outer:
        opening = ("<Series", *_element([*layout.outer, *layout.series], data_set, prefix), "\n")
        yield from grouped(layout, opening, observation, close="</Series>\n")
        return
    row = line(*observation)
    for batch in data_set.observations:
        yield text_of(row(batch))


def _element(
    components: Sequence[Component], data_set: DataSet, prefix: str, close: str = "", measure: str = ""
) -> Iterator[Part]:
    """Write the values of an element: one value is an attribute, several are elements in it."""
    for one in components:
        if is_simple(one):
            name = measure if measure and one.role == "measure" else one.id
            yield attribute(one, data_set, f' {name}="', '"')
    many = [one for one in components if not is_simple(one)]
    if close and not many:
        yield "/>\n"
        return
    yield ">"
    for one in many:
        yield cell(one, data_set, MANY, before=_begin(one, prefix), after=END)
    yield close


def _begin(component: Component, prefix: str) -> str:
    return f'<Comp id="{component.id}" xsi:type="{prefix}{component.id}.CompType">{VALUE}'
