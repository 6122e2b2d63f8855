"""The XML schema of structure-specific data: what SDMX-ML files of one structure may hold."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Literal

from statcommons.sdmx.formats.layout import is_simple
from statcommons.sdmx.formats.ml import ROOT, escape, namespace
from statcommons.sdmx.formats.ml_specific import PRIMARY
from statcommons.sdmx.message import ALL_DIMENSIONS
from statcommons.sdmx.structure import Component, Structure

__all__ = ["schema_of"]

PUBLISHED = "https://registry.sdmx.org/schemas/v"
BASES = {
    "text": "xs:string",
    "integer": "xs:long",
    "number": "xs:double",
    "boolean": "xs:boolean",
    "instant": "xs:dateTime",
    "date": "xs:date",
    "period": "common:ObservationalTimePeriodType",
}
FACETS = {"minLength", "maxLength", "pattern"}
"""The facets that XML Schema has under the same name, and that hold for text."""

ANNOTATIONS = '<xs:element ref="common:Annotations" minOccurs="0"/>'
PROVIDER = '<xs:element name="DataProvider" type="common:DataProviderReferenceType" form="unqualified" minOccurs="0"/>'


def schema_of(
    structure: Structure, standard: Literal["2.1", "3.0", "3.1"] = "2.1", at: str = "TIME_PERIOD", *, location: str = ""
) -> bytes:
    """Make the XML schema of structure-specific data.

    Parameters
    ----------
    structure : Structure
        Of the data.
    standard : {"2.1", "3.0", "3.1"}
        The version of SDMX-ML.
    at : str
        The dimension at the observation; ``AllDimensions`` for flat data.
    location : str
        Where the schemas of the standard lie, with a slash at the end; by default where SDMX publishes them.

    Returns
    -------
    bytes
        The schema, in UTF-8. Its namespace is that of the data messages that we write. That of SDMX-ML 2.1 leaves out
        components with several values, which its messages cannot hold.

    References
    ----------
    SDMX 2.1 and 3.0, section 3A, SDMX-ML: structure-specific data.

    Examples
    --------
    >>> from statcommons.sdmx.model import Ref
    >>> from statcommons.sdmx.structure import Component
    >>> parts = (Component("AREA", "dimension", "text"), Component("OBS_VALUE", "measure", "number"))
    >>> areas = Structure(Ref("dataflow", "X", "DF"), Ref("datastructure", "X", "DSD"), {}, {}, parts)
    >>> b'name="AREA"' in schema_of(areas, "3.0")
    True
    """
    version = standard.replace(".", "_")
    place = location or f"{PUBLISHED}{version}/"
    own = escape(namespace(structure.flow, at))
    imports = "".join(
        f'<xs:import namespace="{ROOT}{version}/{module}" schemaLocation="{escape(place + file)}"/>\n'
        for module, file in (
            ("data/structurespecific", "SDMXDataStructureSpecific.xsd"),
            ("common", "SDMXCommon.xsd"),
        )
    )
    head = (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" xmlns="{own}" targetNamespace="{own}"'
        f' xmlns:dsd="{ROOT}{version}/data/structurespecific" xmlns:common="{ROOT}{version}/common"'
        ' elementFormDefault="qualified" attributeFormDefault="unqualified">\n'
    )
    return (head + imports + "".join(_types(structure, standard, at)) + "</xs:schema>\n").encode()


def _types(structure: Structure, standard: str, at: str) -> Iterator[str]:
    if standard == "2.1":
        structure = replace(structure, components=_of_21(structure))
    yield from (_simple_type(structure, one) for one in structure.components)
    yield from (_several(one) for one in structure.components if not is_simple(one))
    flat = at == ALL_DIMENSIONS
    time = structure.time
    by_time = time is not None and at == time.id
    prefix = "TimeSeries" if standard == "2.1" and by_time else ""
    inner = [one for one in structure.dimensions if flat or one.id == at]
    outer = [] if flat else [one for one in structure.dimensions if one.id != at]
    attributes = structure.with_role("attribute")
    groups = dict.fromkeys(one.group for one in attributes if one.group)
    whole = [one for one in attributes if one.attachment == "dataflow"]
    # Where an attribute stands depends on the data too, so that each level allows what may come down to it.
    rest = [one for one in attributes if one.attachment != "dataflow"]
    yield _data_set(prefix, bool(groups), flat, whole, standard)
    if standard != "2.1":
        yield _restriction("AttsType", "dsd:AttsType", _comps(standard), _no_time(structure.dimensions))
    if groups:
        yield _restriction("GroupType", "dsd:GroupType", _comps(standard), abstract=True)
    for id in groups:
        members = [one for one in attributes if one.group == id]
        keys = [one for one in structure.dimensions if one.id in members[0].dimensions]
        told = "".join(_uses(keys, members))
        yield (
            f'<xs:complexType name="{id}"><xs:complexContent><xs:extension base="GroupType">{told}</xs:extension>'
            "</xs:complexContent></xs:complexType>\n"
        )
    observations = '<xs:element name="Obs" type="ObsType" form="unqualified" minOccurs="0" maxOccurs="unbounded"/>'
    if not flat:
        above = [one for one in rest if one.attachment != "observation"]
        uses = [*_uses(outer, above), *([] if prefix else _no_time(inner))]
        yield _restriction("SeriesType", f"dsd:{prefix or 'Series'}Type", _comps(standard) + observations, uses)
    uses = [*_uses(inner, [*structure.with_role("measure"), *rest]), *_no_time(outer)]
    yield _restriction("ObsType", f"dsd:{prefix}ObsType", _comps(standard), uses)


def _of_21(structure: Structure) -> tuple[Component, ...]:
    """Give the components that messages of SDMX-ML 2.1 hold: none of several values, one measure by a fixed name."""
    measures = structure.with_role("measure")
    # Of several, a message has any one of them: nothing is known of its values.
    kind = measures[0] if len(measures) == 1 else Component(PRIMARY, "measure", "text")
    simple = [one for one in structure.components if is_simple(one) and one.role != "measure"]
    return (*simple, *([replace(kind, id=PRIMARY)] if measures and is_simple(kind) else []))


def _data_set(prefix: str, groups: bool, flat: bool, whole: Iterable[Component], standard: str) -> str:
    below = "Obs" if flat else "Series"
    some = f'<xs:element name="{below}" type="{below}Type" form="unqualified"'
    group = '<xs:element name="Group" type="GroupType" form="unqualified"' if groups else ""
    if standard == "2.1":
        group = f'{group} minOccurs="0" maxOccurs="unbounded"/>' if group else ""
        content = f'{group}<xs:choice minOccurs="0">{some} maxOccurs="unbounded"/></xs:choice>'
    else:
        group = f"{group}/>" if group else ""
        atts = '<xs:element name="Atts" type="AttsType" form="unqualified"/>'
        content = f'<xs:choice minOccurs="0" maxOccurs="unbounded">{atts}{group}{some}/></xs:choice>'
    told = [*_uses([], whole), '<xs:attributeGroup ref="dsd:SetAttributeGroup"/>']
    return _restriction("DataSetType", f"dsd:{prefix}DataSetType", PROVIDER + content, told)


def _restriction(name: str, base: str, content: str, told: Iterable[str] = (), *, abstract: bool = False) -> str:
    mark = ' abstract="true"' if abstract else ""
    return (
        f'<xs:complexType name="{name}"{mark}>'
        f'<xs:complexContent><xs:restriction base="{base}"><xs:sequence>{ANNOTATIONS}{content}</xs:sequence>'
        f"{''.join(told)}</xs:restriction></xs:complexContent></xs:complexType>\n"
    )


def _comps(standard: str) -> str:
    """Allow the elements that hold several values, which SDMX 3.0 brought."""
    if standard == "2.1":
        return ""
    return '<xs:element name="Comp" type="dsd:CompType" form="unqualified" minOccurs="0" maxOccurs="unbounded"/>'


def _uses(required: Iterable[Component], optional: Iterable[Component]) -> Iterator[str]:
    yield from (f'<xs:attribute name="{one.id}" type="{one.id}.Type" use="required"/>' for one in required)
    for one in optional:
        if is_simple(one):
            yield f'<xs:attribute name="{one.id}" type="{one.id}.Type" use="optional"/>'


def _no_time(there: Iterable[Component]) -> Iterator[str]:
    """Forbid the time dimension where it stands elsewhere: the types of the standard allow it everywhere."""
    if any(one.role == "time" for one in there):
        yield '<xs:attribute name="TIME_PERIOD" type="common:ObservationalTimePeriodType" use="prohibited"/>'


def _simple_type(structure: Structure, component: Component) -> str:
    codes = structure.codes(component)
    if codes:
        told = "".join(f'<xs:enumeration value="{escape(code.id)}"/>' for code in codes)
        base = "xs:string"
    else:
        base = BASES["period" if component.role == "time" else component.type]
        facets = {name: value for name, value in component.facets.items() if name in FACETS}
        told = "".join(f'<xs:{name} value="{escape(_xsd(name, value))}"/>' for name, value in facets.items())
        told = told if base == "xs:string" else ""
    restriction = f'<xs:restriction base="{base}">{told}</xs:restriction>'
    return f'<xs:simpleType name="{component.id}.Type">{restriction}</xs:simpleType>\n'


def _xsd(name: str, value: str) -> str:
    """Write a pattern as XML Schema has it: without the anchors that it implies."""
    return re.sub(r"^\^|\$$", "", value) if name == "pattern" else value


def _several(component: Component) -> str:
    fixed = f'<xs:attribute name="id" type="common:NCNameIDType" use="required" fixed="{component.id}"/>'
    kind = "TextValueType" if component.multilingual else "StringValueType"
    count = ' maxOccurs="unbounded"' if component.multiple else ""
    value = f'<xs:element name="Value" type="common:{kind}" form="unqualified"{count}/>'
    return _restriction(f"{component.id}.CompType", "dsd:CompType", value, [fixed])
