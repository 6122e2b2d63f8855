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
    Scheme,
)
from statcommons.sdmx.structures.incoming import (
    attachment,
    content,
    hierarchy_id,
    in_order,
    nothing_held,
    tell_what_is_not_held,
)
from statcommons.sdmx.structures.ml_constraints import availability_of, constraint_of
from statcommons.sdmx.structures.ml_parts import (
    Message,
    Parts,
    annotations_of,
    called,
    envelope,
    flag,
    nameable,
    parts,
    text_of,
)
from statcommons.sdmx.structures.xmlfile import local, parsed

__all__ = ["read_structures_ml"]

Read: TypeAlias = Callable[[Message, etree._Element], Iterable[Artefact]]

NAMESPACES = tuple(
    f"http://www.sdmx.org/resources/sdmxml/schemas/{version}/message" for version in ("v2_1", "v3_0", "v3_1")
)


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
        **envelope(message, element, said),
        items=tuple(read),
        partial=flag(element, "isPartial"),
        extends=tuple(_extension(message, one) for one in said.get("CodelistExtension", [])),
    )


def _item(message: Message, element: etree._Element, said: Parts) -> dict[str, Any]:
    parent = said.get("Parent")
    return {"id": message.required(element, "id"), **nameable(said), "parent": called(parent[0]) if parent else ""}


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
        tuple(called(value) for one in said.get(f"{name}CodeSelection", []) for value in one)
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
            named = tuple(called(name) for dimension in one for name in dimension)
            groups.append(Group(message.required(one, "id"), named))
        else:
            times = {component.id for component in components if component.role == "time"}
            components += (_component(message, child, times) for child in one if local(child) in COMPONENTS)
            others = {local(child) for child in one} - COMPONENTS.keys() - {"Annotations", "Link"}
            message.passed.update(others)
    yield DataStructure(
        "datastructure", **envelope(message, element, said), components=in_order(components), groups=tuple(groups)
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
    names = {name.lower(): tuple(map(called, several)) for name, several in relation.items()}
    dimensions = names.get("dimension", ())
    groups = (*names.get("group", ()), *names.get("attachmentgroup", ()))
    measures = (one for part in said.get("MeasureRelationship", []) for one in part)
    return {
        "attachment": attachment(names, dimensions, times),
        "dimensions": dimensions,
        "group": next(iter(groups), ""),
        "measures": tuple(map(called, measures)),
    }


def _dataflow(message: Message, element: etree._Element) -> Iterator[Artefact]:
    said = parts(element)
    structure = message.ref(said.get("Structure", []), "datastructure")
    yield Dataflow("dataflow", **envelope(message, element, said), structure=structure)


def _categorisation(message: Message, element: etree._Element) -> Iterator[Artefact]:
    said = parts(element)
    source = message.ref(said.get("Source", []), "dataflow")
    target = message.ref(said.get("Target", []), "categoryscheme")
    yield Categorisation("categorisation", **envelope(message, element, said), source=source, target=target)


def _provision_agreement(message: Message, element: etree._Element) -> Iterator[Artefact]:
    said = parts(element)
    dataflow = message.ref(said.get("StructureUsage") or said.get("Dataflow", []), "dataflow")
    provider = message.ref(said.get("DataProvider", []), "dataproviderscheme")
    yield ProvisionAgreement(
        "provisionagreement", **envelope(message, element, said), dataflow=dataflow, provider=provider
    )


# --- hierarchies ----------------------------------------------------------------------------------------------------


def _hierarchy(message: Message, element: etree._Element) -> Iterator[Artefact]:
    said = parts(element)
    nodes = _nodes(message, said.get("HierarchicalCode", []), {})
    yield Hierarchy("hierarchy", **envelope(message, element, said), nodes=nodes)


def _hierarchical_codelist(message: Message, element: etree._Element) -> Iterator[Artefact]:
    said = parts(element)
    whole = envelope(message, element, said)
    aliases = {
        one.get("alias", ""): ref
        for one in said.get("IncludedCodelist", [])
        if (ref := message.ref([one], "codelist")) is not None
    }
    hierarchies = said.get("Hierarchy", [])
    if not hierarchies:
        yield Hierarchy("hierarchy", **whole)
    for one in hierarchies:
        inside = parts(one)
        own = {name: value for name, value in nameable(inside).items() if value}
        id = hierarchy_id(whole["id"], message.required(one, "id"), only=len(hierarchies) == 1)
        nodes = _nodes(message, inside.get("HierarchicalCode", []), aliases)
        yield Hierarchy("hierarchy", **{**whole, **own, "id": id}, nodes=nodes)


def _nodes(message: Message, elements: list[etree._Element], aliases: dict[str, Ref]) -> tuple[Node, ...]:
    return tuple(_node(message, one, aliases) for one in elements)


def _node(message: Message, element: etree._Element, aliases: dict[str, Ref]) -> Node:
    said = parts(element)
    code = message.ref(said.get("Code", []), "codelist")
    alias = aliases.get(text_of(said.get("CodelistAliasRef", [])))
    if alias and "CodeID" in said:
        code = Ref(alias.kind, alias.agency, alias.id, alias.version, called(said["CodeID"][0]))
    if not code:
        raise message.fault(element, f"The place {element.get('id', '')} of the hierarchy names no code.")
    return Node(message.required(element, "id"), code, _nodes(message, said.get("HierarchicalCode", []), aliases))


READERS: dict[str, Read] = {
    **{KINDS[kind][1]: _scheme for kind in SCHEMES},
    "DataStructure": _data_structure,
    "Dataflow": _dataflow,
    "Categorisation": _categorisation,
    "ProvisionAgreement": _provision_agreement,
    "ContentConstraint": constraint_of,
    "DataConstraint": constraint_of,
    "AvailabilityConstraint": availability_of,
    "Hierarchy": _hierarchy,
    "HierarchicalCodelist": _hierarchical_codelist,
}
"""How each kind of artefact is read, by the name of its element."""
