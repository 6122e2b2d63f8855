"""SDMX-ML structure messages read: 2.1, 3.0 and 3.1 by the same rules, because they differ in little but spelling."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, TypeAlias

from lxml import etree

from statcommons.core.errors import BadData
from statcommons.sdmx.model import (
    KINDS,
    SCHEMES,
    Artefact,
    Attribute,
    Categorisation,
    Concept,
    Constraint,
    Dataflow,
    DataStructure,
    Definition,
    Extension,
    Group,
    Hierarchy,
    Item,
    Node,
    ProvisionAgreement,
    Ref,
    Region,
    Scheme,
)
from statcommons.sdmx.structures.incoming import (
    attachment,
    availability,
    content,
    hierarchy_id,
    in_order,
    nothing_held,
    regions,
    tell_what_is_not_held,
)
from statcommons.sdmx.structures.ml_parts import Message, Parts, annotations_of, flag, parts, text_of, texts
from statcommons.sdmx.structures.xmlfile import local, parsed

__all__ = ["read_structures_ml"]

Read: TypeAlias = Callable[[Message, etree._Element], Iterable[Artefact]]

NAMESPACES = tuple(
    f"http://www.sdmx.org/resources/sdmxml/schemas/{version}/message" for version in ("v2_1", "v3_0", "v3_1")
)
ATTACHED = {
    "DataStructure": "datastructure",
    "Dataflow": "dataflow",
    "ProvisionAgreement": "provisionagreement",
    "DataProvider": "dataproviderscheme",
}


def read_structures_ml(source: bytes | Path | str, where: str = "message") -> tuple[Artefact, ...]:
    """Read a structure message in SDMX-ML 2.1, 3.0 or 3.1.

    What the model does not hold is passed over and told by a notice (:func:`statcommons.core.quality.notice`):
    artefacts of other kinds, references to such, sets of keys in constraints. A hierarchical code list of 2.1 becomes
    one hierarchy for each that it has; the only one takes its id, of several each adds its own: ``HCL_AREAS_UN``.

    Parameters
    ----------
    source : bytes or path
        The message.
    where : str
        What errors call a message that is no file.

    Returns
    -------
    tuple of Artefact
        In the order of the message.

    Raises
    ------
    BadData
        When it is no such message, with the line.
    NoInput
        When the file cannot be opened.

    Examples
    --------
    >>> read_structures_ml(b"<GenericData/>")
    Traceback (most recent call last):
    statcommons.core.errors.BadData: message, line 1: This is not a structure message of SDMX-ML 2.1 or 3: it ...
    """
    data, where = content(source, where)
    root = parsed(data, where)
    namespace, _, name = str(root.tag).rpartition("}")
    message = Message(where)
    structures = parts(root).get("Structures", [])
    if namespace.lstrip("{") not in NAMESPACES or name != "Structure":
        raise BadData(
            f"This is not a structure message of SDMX-ML 2.1 or 3: it begins with {name}.",
            where=f"{where}, line {root.sourceline}",
            remedy="Give a structure message; read data with statcommons.sdmx.read.",
        )
    found: list[Artefact] = []
    for element in (one for part in structures for group in part for one in group):
        read = READERS.get(local(element))
        if read:
            found += read(message, element)
        else:
            message.passed[local(element)] += 1
    if not found:
        raise nothing_held(message.passed, where)
    tell_what_is_not_held(message.passed, where)
    return tuple(found)


# --- schemes --------------------------------------------------------------------------------------------------------


def _envelope(message: Message, element: etree._Element, said: Parts) -> dict[str, Any]:
    """Read what all artefacts have."""
    return {
        "agency": message.required(element, "agencyID"),
        "id": message.required(element, "id"),
        "version": element.get("version", "1.0"),
        **_nameable(said),
        "is_final": flag(element, "isFinal"),
        "is_external": flag(element, "isExternalReference"),
        "structure_url": element.get("structureURL", ""),
        "valid_from": element.get("validFrom", ""),
        "valid_to": element.get("validTo", ""),
    }


def _nameable(said: Parts) -> dict[str, Any]:
    return {
        "name": texts(said.get("Name", [])),
        "description": texts(said.get("Description", [])),
        "annotations": annotations_of(said),
    }


def _scheme(message: Message, element: etree._Element) -> Iterator[Artefact]:
    kind = local(element).lower()
    said = parts(element)
    items = said.get(KINDS[kind][2], [])
    if kind == "categoryscheme":
        read: Iterable[Item] = _categories(message, items, "")
    elif kind == "conceptscheme":
        read = (_concept(message, one) for one in items)
    else:
        read = (Item(**_item(message, one, parts(one))) for one in items)
    yield Scheme(
        kind,
        **_envelope(message, element, said),
        items=tuple(read),
        partial=flag(element, "isPartial"),
        extends=tuple(_extension(message, one) for one in said.get("CodelistExtension", [])),
    )


def _item(message: Message, element: etree._Element, said: Parts) -> dict[str, Any]:
    parent = said.get("Parent")
    return {"id": message.required(element, "id"), **_nameable(said), "parent": _called(parent[0]) if parent else ""}


def _called(element: etree._Element) -> str:
    """Read the name of something in the same artefact: the text in SDMX 3, a reference in 2.1."""
    return element[0].get("id", "") if len(element) else (element.text or "").strip()


def _concept(message: Message, element: etree._Element) -> Concept:
    said = parts(element)
    shown = message.representation(said.get("CoreRepresentation", []))
    return Concept(**_item(message, element, said), representation=shown)


def _categories(message: Message, elements: list[etree._Element], above: str) -> Iterator[Item]:
    for element in elements:
        said = parts(element)
        item = Item(**{**_item(message, element, said), "parent": above})
        yield item
        yield from _categories(message, said.get("Category", []), f"{above}.{item.id}" if above else item.id)


def _extension(message: Message, element: etree._Element) -> Extension:
    said = parts(element)
    included, excluded = (
        tuple(_called(value) for one in said.get(f"{name}CodeSelection", []) for value in one)
        for name in ("Inclusive", "Exclusive")
    )
    codelist = message.ref(said.get("Codelist", []), "codelist")
    if not codelist:
        raise message.fault(element, "A code list extension names no code list.")
    return Extension(codelist, element.get("prefix", ""), included, excluded)


# --- data structures and their uses ---------------------------------------------------------------------------------


def _data_structure(message: Message, element: etree._Element) -> Iterator[Artefact]:
    said = parts(element)
    components: list[Definition] = []
    groups = []
    for one in (child for part in said.get("DataStructureComponents", []) for child in part):
        if local(one) == "Group":
            named = tuple(_called(name) for dimension in one for name in dimension)
            groups.append(Group(message.required(one, "id"), named))
        else:
            times = {component.id for component in components if component.role == "time"}
            components += (_component(message, child, times) for child in one if local(child) in COMPONENTS)
            message.passed.update(local(child) for child in one if local(child) not in COMPONENTS)
    yield DataStructure(
        "datastructure", **_envelope(message, element, said), components=in_order(components), groups=tuple(groups)
    )


COMPONENTS = {
    "Dimension": ("dimension", ""),
    "MeasureDimension": ("dimension", ""),
    "TimeDimension": ("time", "TIME_PERIOD"),
    "PrimaryMeasure": ("measure", "OBS_VALUE"),
    "Measure": ("measure", ""),
    "Attribute": ("attribute", ""),
    "ReportingYearStartDay": ("attribute", "REPORTING_YEAR_START_DAY"),
}
"""The role of components, and the id of those that have a fixed one."""


def _component(message: Message, element: etree._Element, times: set[str]) -> Definition:
    said = parts(element)
    role, fixed = COMPONENTS[local(element)]
    concept = message.ref(said.get("ConceptIdentity", []), "conceptscheme")
    if not concept:
        raise message.fault(element, f"{local(element)} {element.get('id', '')} has no concept identity.")
    status = element.get("usage", element.get("assignmentStatus", "")).lower()
    optional = role == "attribute" or local(element) == "Measure"
    about: dict[str, Any] = {
        "id": element.get("id") or fixed or concept.item,
        "role": role,
        "concept": concept,
        "representation": message.representation(said.get("LocalRepresentation", [])),
        "required": status == "mandatory" if optional else True,
        "annotations": annotations_of(said),
    }
    return Attribute(**about, **_attached(said, times)) if role == "attribute" else Definition(**about)


def _attached(said: Parts, times: set[str]) -> dict[str, Any]:
    """Read what an attribute is said of."""
    relation = parts(next(iter(said.get("AttributeRelationship", [])), None))
    names = {name.lower(): tuple(map(_called, several)) for name, several in relation.items()}
    dimensions = names.get("dimension", ())
    groups = (*names.get("group", ()), *names.get("attachmentgroup", ()))
    measures = (one for part in said.get("MeasureRelationship", []) for one in part)
    return {
        "attachment": attachment(names, dimensions, times),
        "dimensions": dimensions,
        "group": next(iter(groups), ""),
        "measures": tuple(map(_called, measures)),
    }


def _dataflow(message: Message, element: etree._Element) -> Iterator[Artefact]:
    said = parts(element)
    structure = message.ref(said.get("Structure", []), "datastructure")
    yield Dataflow("dataflow", **_envelope(message, element, said), structure=structure)


def _categorisation(message: Message, element: etree._Element) -> Iterator[Artefact]:
    said = parts(element)
    source = message.ref(said.get("Source", []), "dataflow")
    target = message.ref(said.get("Target", []), "categoryscheme")
    yield Categorisation("categorisation", **_envelope(message, element, said), source=source, target=target)


def _provision_agreement(message: Message, element: etree._Element) -> Iterator[Artefact]:
    said = parts(element)
    dataflow = message.ref(said.get("StructureUsage") or said.get("Dataflow", []), "dataflow")
    provider = message.ref(said.get("DataProvider", []), "dataproviderscheme")
    yield ProvisionAgreement(
        "provisionagreement", **_envelope(message, element, said), dataflow=dataflow, provider=provider
    )


# --- constraints ----------------------------------------------------------------------------------------------------


def _constraint(message: Message, element: etree._Element) -> Iterator[Artefact]:
    said = parts(element)
    given = element.get("role") or element.get("type")
    default = "actual" if local(element) == "ContentConstraint" else "allowed"
    message.passed.update(name for name in ("DataKeySet", "MetadataKeySet", "MetadataTargetRegion") if name in said)
    yield Constraint(
        "dataconstraint",
        **_envelope(message, element, said),
        role=given.lower() if given else default,
        attached=_attachment(message, said),
        regions=_regions(message, said),
    )


def _availability(message: Message, element: etree._Element) -> Iterator[Artefact]:
    said = parts(element)
    attached = _attachment(message, said)
    if not attached:
        raise message.fault(element, "The availability constraint does not say of what.")
    counts = {"series_count": element.get("seriesCount"), "obs_count": element.get("obsCount")}
    yield availability(attached, annotations_of(said), counts, _regions(message, said))


def _attachment(message: Message, said: Parts) -> tuple[Ref, ...]:
    found = []
    for one in (child for part in said.get("ConstraintAttachment", []) for child in part):
        if local(one) in ATTACHED:
            found.append(message.ref([one], ATTACHED[local(one)]))
        else:
            message.passed[f"constraint on {local(one)}"] += 1
    return tuple(ref for ref in found if ref)


def _regions(message: Message, said: Parts) -> tuple[Region, ...]:
    return tuple(region for one in said.get("CubeRegion", []) for region in _region(message, one))


def _region(message: Message, element: etree._Element) -> Iterator[Region]:
    values: dict[str, tuple[str, ...]] = {}
    without: dict[str, tuple[str, ...]] = {}
    cascade = set()
    periods = {}
    for one in element:
        if local(one) == "Annotations":
            continue
        id = message.required(one, "id")
        said = parts(one)
        if "TimeRange" in said:
            periods[id] = _range(message, said["TimeRange"][0])
            continue
        given = said.get("Value", [])
        (values if flag(one, "include", True) else without)[id] = tuple((value.text or "").strip() for value in given)
        if any(value.get("cascadeValues", "false") not in ("false", "0") for value in given):
            cascade.add(id)
    return regions(flag(element, "include", True), values, without, cascade, periods)


def _range(message: Message, element: etree._Element) -> tuple[str, str]:
    said = parts(element)
    if not all(flag(one, "isInclusive", True) for one in element):
        message.passed["isInclusive=false of a time range, read as inclusive"] += 1
    first = said.get("StartPeriod") or said.get("AfterPeriod", [])
    last = said.get("EndPeriod") or said.get("BeforePeriod", [])
    return text_of(first), text_of(last)


# --- hierarchies ----------------------------------------------------------------------------------------------------


def _hierarchy(message: Message, element: etree._Element) -> Iterator[Artefact]:
    said = parts(element)
    nodes = _nodes(message, said.get("HierarchicalCode", []), {})
    yield Hierarchy("hierarchy", **_envelope(message, element, said), nodes=nodes)


def _hierarchical_codelist(message: Message, element: etree._Element) -> Iterator[Artefact]:
    said = parts(element)
    envelope = _envelope(message, element, said)
    aliases = {
        one.get("alias", ""): ref
        for one in said.get("IncludedCodelist", [])
        if (ref := message.ref([one], "codelist")) is not None
    }
    hierarchies = said.get("Hierarchy", [])
    if not hierarchies:
        yield Hierarchy("hierarchy", **envelope)
    for one in hierarchies:
        inside = parts(one)
        own = {name: value for name, value in _nameable(inside).items() if value}
        id = hierarchy_id(envelope["id"], message.required(one, "id"), only=len(hierarchies) == 1)
        nodes = _nodes(message, inside.get("HierarchicalCode", []), aliases)
        yield Hierarchy("hierarchy", **{**envelope, **own, "id": id}, nodes=nodes)


def _nodes(message: Message, elements: list[etree._Element], aliases: dict[str, Ref]) -> tuple[Node, ...]:
    return tuple(_node(message, one, aliases) for one in elements)


def _node(message: Message, element: etree._Element, aliases: dict[str, Ref]) -> Node:
    said = parts(element)
    code = message.ref(said.get("Code", []), "codelist")
    alias = aliases.get(text_of(said.get("CodelistAliasRef", [])))
    if alias and "CodeID" in said:
        code = Ref(alias.kind, alias.agency, alias.id, alias.version, _called(said["CodeID"][0]))
    if not code:
        raise message.fault(element, f"The place {element.get('id', '')} of the hierarchy names no code.")
    return Node(message.required(element, "id"), code, _nodes(message, said.get("HierarchicalCode", []), aliases))


READERS: dict[str, Read] = {
    **{KINDS[kind][1]: _scheme for kind in SCHEMES},
    "DataStructure": _data_structure,
    "Dataflow": _dataflow,
    "Categorisation": _categorisation,
    "ProvisionAgreement": _provision_agreement,
    "ContentConstraint": _constraint,
    "DataConstraint": _constraint,
    "AvailabilityConstraint": _availability,
    "Hierarchy": _hierarchy,
    "HierarchicalCodelist": _hierarchical_codelist,
}
"""How each kind of artefact is read, by the name of its element."""
