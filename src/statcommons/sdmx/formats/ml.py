"""The envelope of SDMX-ML data messages: the root element, the header, and the opening of data sets."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import pyarrow as pa

from statcommons.core.errors import BadCall
from statcommons.sdmx.formats.layout import Layout, cell, is_simple, opened, places_of, sliced, value_of_all
from statcommons.sdmx.formats.text import Form, Part, escaper, line, text_of
from statcommons.sdmx.message import DataSet, Header
from statcommons.sdmx.model import KINDS, Ref
from statcommons.sdmx.structure import Component, Structure

__all__ = ["FORM", "Kind", "namespace"]

ROOT = "http://www.sdmx.org/resources/sdmxml/schemas/v"
XSI = "http://www.w3.org/2001/XMLSchema-instance"
SIGNS = str.maketrans(
    {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "\t": "&#9;", "\n": "&#10;", "\r": "&#13;"}
)
SIGNS |= {sign: "\ufffd" for sign in (*range(0x20), 0xFFFE, 0xFFFF) if sign not in SIGNS}


def escape(text: str) -> str:
    """Write a text so that it can stand in an attribute; a sign that XML cannot have at all becomes U+FFFD."""
    return text.translate(SIGNS)


FORM = Form(escaper('[&<>"\\x00-\\x1f\ufffe\uffff]', escape))
"""How values stand in attributes of XML."""


@dataclass(frozen=True)
class Kind:
    """A kind of message.

    Parameters
    ----------
    version : str
        Of the standard: 2.1, 3.0 or 3.1.
    root : str
        The name of the root element.
    prefix, module : str
        The prefix and the module of the namespace that its own elements or attributes have.
    specific : bool
        Whether data have a namespace of their structure.
    time_series : bool
        Whether it holds series by time only.
    """

    version: str
    root: str
    prefix: str
    module: str
    specific: bool = False
    time_series: bool = False


def settled(data_sets: Sequence[DataSet], kind: Kind) -> list[DataSet]:
    """Find out how the data sets of a message are laid out, and refuse what its kind cannot hold.

    Messages of series alone are laid out by time whatever was asked for; whether a message is one is known when the
    first observations are asked for, and a header comes before them.

    Parameters
    ----------
    data_sets : sequence of DataSet
        What is written.
    kind : Kind
        Into what.

    Raises
    ------
    BadCall
        For no data set at all, for several measures or several values a cell in SDMX-ML 2.1, and for anything but
        series by time in the messages of time series.
    """
    for one in data_sets:
        measures = one.structure.with_role("measure")
        many = [component.id for component in one.structure.components if not is_simple(component)]
        if kind.version == "2.1" and len(measures) > 1:
            raise BadCall("SDMX-ML 2.1 has one measure.", remedy="Ask for one measure, or for SDMX-ML 3.0.")
        if kind.version == "2.1" and many:
            raise BadCall(f"SDMX-ML 2.1 has one value of {many[0]}.", remedy="Leave it out, or ask for SDMX-ML 3.0.")
    if not data_sets:
        raise BadCall("SDMX-ML must name a structure, and there is none.", remedy="Give a data set without rows.")
    first = opened(data_sets[0])
    data_sets = [first.data_set, *data_sets[1:]]
    if first.bare:
        data_sets = [replace(one, at=first.data_set.at) for one in data_sets]
    for one in data_sets:
        time = one.structure.time
        if kind.time_series and (not time or one.at != time.id):
            raise BadCall("A message of time series holds series by time.", remedy="Ask for the general message.")
    return data_sets


def written(
    data_sets: Sequence[DataSet],
    header: Header,
    kind: Kind,
    body: Callable[[Layout, str], Iterator[bytes]],
) -> Iterator[bytes]:
    """Write a message: the envelope, and in it each data set by ``body``.

    Parameters
    ----------
    data_sets : sequence of DataSet
        What is written.
    header : Header
        Its header.
    kind : Kind
        What message it is.
    body : callable
        Writes a data set, given its layout and the prefix of its namespace.

    Raises
    ------
    BadCall
        When the kind of message cannot hold the data; before anything is written.
    """
    return _written(settled(data_sets, kind), header, kind, body)


def _written(
    data_sets: Sequence[DataSet], header: Header, kind: Kind, body: Callable[[Layout, str], Iterator[bytes]]
) -> Iterator[bytes]:
    places = {(one.structure.flow, one.at): one.structure for one in data_sets}
    numbers = {key: number for number, key in enumerate(places, 1)}
    yield _head(places, header, kind).encode()
    for one in data_sets:
        number = numbers[one.structure.flow, one.at]
        yield _opening(one, number, kind).encode()
        yield from body(opened(one), f"ns{number}:")
        yield b"</message:DataSet>\n"
    yield f"</message:{kind.root}>\n".encode()


def _head(places: dict[tuple[Ref, str], Structure], header: Header, kind: Kind) -> str:
    base = ROOT + kind.version.replace(".", "_")
    spaces = {
        "xsi": XSI,
        "message": f"{base}/message",
        "common": f"{base}/common",
        kind.prefix: f"{base}/{kind.module}",
    }
    if kind.specific:
        spaces |= {f"ns{number}": namespace(*key) for number, key in enumerate(places, 1)}
    declared = "".join(f' xmlns:{prefix}="{escape(uri)}"' for prefix, uri in spaces.items())
    structures = "".join(_structure(*key, number, kind) for number, key in enumerate(places, 1))
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<message:{kind.root}{declared}>\n<message:Header>\n'
        f"<message:ID>{escape(header.id)}</message:ID>\n<message:Test>{str(header.test).lower()}</message:Test>\n"
        f"<message:Prepared>{moment(header)}</message:Prepared>\n"
        f'<message:Sender id="{escape(header.sender)}"/>\n{structures}</message:Header>\n'
    )


def _structure(flow: Ref, at: str, number: int, kind: Kind) -> str:
    space = f' namespace="{escape(namespace(flow, at))}"' if kind.specific else ""
    begin = f'<message:Structure structureID="STR{number}"{space} dimensionAtObservation="{at}">'
    name = {"datastructure": "Structure", "provisionagreement": "ProvisionAgreement"}.get(flow.kind, "StructureUsage")
    if kind.version == "2.1":
        name = "ProvisionAgrement" if name == "ProvisionAgreement" else name  # so does the schema of 2.1 write it
        inner = f'<Ref agencyID="{flow.agency}" id="{flow.id}" version="{flow.version}" class="{KINDS[flow.kind][1]}"/>'
    else:
        inner = escape(flow.urn)
    return f"{begin}<common:{name}>{inner}</common:{name}></message:Structure>\n"


def _opening(data_set: DataSet, number: int, kind: Kind) -> str:
    own = f"{kind.prefix}:" if kind.specific else ""
    action = {"Merge": "Append"}.get(data_set.action, data_set.action) if kind.version != "3.1" else data_set.action
    said: dict[str, str | None] = {}
    told = {f"{own}structureRef": f"STR{number}", f"{own}action": action}
    if kind.specific:
        told["xsi:type"] = f"ns{number}:DataSetType"
        if kind.version == "2.1":
            told[f"{own}dataScope"] = "DataStructure" if data_set.structure.flow.kind == "datastructure" else "Dataflow"
        attributes = data_set.structure.with_role("attribute")
        whole = [one for one in attributes if one.attachment == "dataflow" and is_simple(one)]
        said |= {one.id: value_of_all(one, data_set, FORM) for one in whole}
    if data_set.valid_from:
        told[f"{own}validFromDate"] = data_set.valid_from.strftime("%Y-%m-%dT%H:%M:%SZ")
    said |= {id: escape(text) for id, text in told.items()}
    return "<message:DataSet" + "".join(f' {id}="{text}"' for id, text in said.items() if text is not None) + ">\n"


def moment(header: Header) -> str:
    """Write when a message was prepared, in UTC."""
    return header.prepared.strftime("%Y-%m-%dT%H:%M:%SZ")


def namespace(flow: Ref, at: str) -> str:
    """Give the namespace of structure-specific data.

    Parameters
    ----------
    flow : Ref
        The dataflow or data structure.
    at : str
        The dimension at the observation.

    Examples
    --------
    >>> namespace(Ref("dataflow", "UNGP", "DF_SDG", "1.0"), "TIME_PERIOD")
    'urn:sdmx:org.sdmx.infomodel.datastructure.Dataflow=UNGP:DF_SDG(1.0):ObsLevelDim:TIME_PERIOD'
    """
    return f"{flow.urn}:ObsLevelDim:{at}"


# --- what both kinds of messages need -------------------------------------------------------------------------------


def attribute(component: Component, data_set: DataSet, before: str, after: str) -> Part:
    """Make the part of a line that has the value of a component, and nothing where there is none."""
    return cell(component, data_set, FORM, before=before, after=after)


def rows_of(series: pa.Table, *parts: Part) -> Iterator[bytes]:
    """Write a line for each row of a table of series or groups."""
    row = line(*parts)
    for batch in sliced([places_of(series)]):
        yield text_of(row(batch))
