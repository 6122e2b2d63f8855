"""SDMX-ML 2.1 generic data: elements that are the same for every structure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pyarrow as pa
import pyarrow.compute as pc

from statcommons.sdmx.formats.layout import Layout, Options, grouped, groups_of, value_of_all
from statcommons.sdmx.formats.ml import FORM, Kind, attribute, rows_of, written
from statcommons.sdmx.formats.text import OfSeries, Part, Piece, joined, line, text_of
from statcommons.sdmx.message import SERIES, DataSet, Header
from statcommons.sdmx.structure import Component

GENERIC = Kind("2.1", "GenericData", "generic", "data/generic")
TIME_SERIES = Kind("2.1", "GenericTimeSeriesData", "generic", "data/generic", time_series=True)

BEGIN, END = "<generic:Attributes>", "</generic:Attributes>"


def write_generic(data_sets: Sequence[DataSet], header: Header, options: Options) -> Iterator[bytes]:
    """Write an SDMX-ML 2.1 generic data message: series, flat, or by another dimension.

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
    return written(data_sets, header, GENERIC, _body)


def write_generic_time_series(data_sets: Sequence[DataSet], header: Header, options: Options) -> Iterator[bytes]:
    """Write an SDMX-ML 2.1 generic message of time series.

    Parameters
    ----------
    data_sets, header, options
        As of :func:`write_generic`; the dimension at the observation is time.

    Raises
    ------
    BadCall
        As :func:`write_generic`, and when another dimension than time is at the observation.
    """
    return written(data_sets, header, TIME_SERIES, _body)


def _body(layout: Layout, _: str) -> Iterator[bytes]:
    data_set = layout.data_set
    values = [(one.id, value_of_all(one, data_set, FORM)) for one in layout.whole]
    told = "".join(f'<generic:Value id="{id}" value="{value}"/>' for id, value in values if value is not None)
    if told:
        yield f"{BEGIN}{told}{END}\n".encode()
    for id, members, groups in groups_of(layout):
        keys = [data_set.structure[key] for key in members[0].dimensions]
        key = (_value(one, groups) for one in keys)
        begin = f'<generic:Group type="{id}"><generic:GroupKey>'
        yield from rows_of(
            groups.series, begin, *key, "</generic:GroupKey>", _attributes(members, groups), "</generic:Group>\n"
        )
    if not layout.outer:
        row = line("<generic:Obs><generic:ObsKey>", *_flat(layout))
        for batch in data_set.observations:
            yield text_of(row(batch))
        return
    key = (_value(one, data_set) for one in layout.outer)
    opening = (
        "<generic:Series><generic:SeriesKey>",
        *key,
        "</generic:SeriesKey>",
        _attributes(layout.series, data_set),
        "\n",
    )
    yield from grouped(layout, opening, _row(layout), close="</generic:Series>\n")


def _flat(layout: Layout) -> Iterator[Part]:
    yield from (_value(one, layout.data_set) for one in layout.inner)
    yield "</generic:ObsKey>"
    yield from _said(layout)


def _row(layout: Layout) -> Iterator[Part]:
    [at] = layout.inner
    id = "" if at.role == "time" else f'id="{at.id}" '
    yield "<generic:Obs>"
    yield attribute(at, layout.data_set, f'<generic:ObsDimension {id}value="', '"/>')
    yield from _said(layout)


def _said(layout: Layout) -> Iterator[Part]:
    for one in layout.measures:
        yield attribute(one, layout.data_set, '<generic:ObsValue value="', '"/>')
    yield _attributes(layout.observation, layout.data_set)
    yield "</generic:Obs>\n"


def _value(component: Component, data_set: DataSet) -> Part:
    return attribute(component, data_set, f'<generic:Value id="{component.id}" value="', '"/>')


def _attributes(components: Sequence[Component], data_set: DataSet) -> Part:
    """Put the values of attributes in their element, which is not there where no value is."""
    if not components:
        return ""
    if len(components) == 1:
        [one] = components
        return attribute(one, data_set, f'{BEGIN}<generic:Value id="{one.id}" value="', f'"/>{END}')
    parts = [_value(one, data_set) for one in components]
    make = line(*parts)

    def framed(batch: pa.RecordBatch) -> Sequence[Piece]:
        told = make(batch)
        there = pc.greater(pc.binary_length(told), 0)
        if pc.all(there).as_py():
            return (BEGIN, told, END)
        return (pc.if_else(there, joined([BEGIN, told, END], len(told)), ""),)

    if any(map(callable, parts)):
        return framed
    return OfSeries(lambda places: framed(pa.record_batch({SERIES: places})))
