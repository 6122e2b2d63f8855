"""The structure of one dataflow with everything resolved: what its data messages are made of.

A data structure definition names concepts and code lists that stand elsewhere; a :class:`Structure` holds them, so that
whoever writes, reads or checks data needs nothing else. :func:`structure_of` makes it from artefacts,
:func:`artefacts_of` makes the artefacts from it, and :mod:`statcommons.sdmx.declared` makes it from a declared table.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from statcommons.core.errors import BadData
from statcommons.sdmx.model import (
    Artefact,
    Attribute,
    Concept,
    Dataflow,
    DataStructure,
    Definition,
    Group,
    Item,
    Ref,
    Representation,
    Scheme,
    Text,
)

__all__ = ["TYPES", "Component", "Structure", "artefacts_of", "structure_of"]

TYPES = {
    "text": ("String",),
    "integer": ("Long", "Integer", "Short", "BigInteger", "Count"),
    "number": ("Double", "Float", "Decimal", "Incremental", "InclusiveValueRange", "ExclusiveValueRange"),
    "boolean": ("Boolean",),
    "instant": ("DateTime",),
    "date": ("GregorianDay", "Date"),
    "period": (
        "ObservationalTimePeriod",
        "StandardTimePeriod",
        "BasicTimePeriod",
        "GregorianTimePeriod",
        "GregorianYear",
        "GregorianYearMonth",
        "ReportingTimePeriod",
        "ReportingYear",
        "ReportingSemester",
        "ReportingTrimester",
        "ReportingQuarter",
        "ReportingMonth",
        "ReportingWeek",
        "ReportingDay",
        "TimeRange",
    ),
}
"""The types of our columns, and the data types of SDMX that each stands for; the first is the one that we write."""

TYPE_OF = {name: ours for ours, names in TYPES.items() for name in names}


@dataclass(frozen=True)
class Component:
    """A component of the structure of a dataflow.

    Parameters
    ----------
    id : str
        The id, such as ``OBS_VALUE``.
    role : {"dimension", "time", "measure", "attribute"}
        What the component does; the time dimension has a role of its own.
    type : str
        The type of a value, as in :class:`statcommons.core.schema.Column`.
    column : str
        The column of the declared table that it comes from; empty where there is none.
    name, description : Text
        What a reader sees, by language.
    concept : Ref, optional
        What it means.
    codelist : Ref, optional
        The code list of the structure; none where the component is not coded.
    decimals : int, optional
        What a measure is rounded to.
    required : bool
        Whether a value must be there.
    attachment : {"observation", "series", "group", "dataflow"}
        What an attribute is said of; see :class:`statcommons.sdmx.model.Attribute`.
    dimensions : tuple of str
        The dimensions of the series or the group that it is said of.
    group : str
        The id of the group.
    constant : str
        The value of an attribute of the whole dataflow, where the structure itself knows it.
    multiple, multilingual : bool
        Whether one observation may have several values, or one a language (SDMX 3.0).
    facets : mapping of str to str
        What else a value must be, by SDMX's names: ``pattern``, ``maxLength``, ``minValue`` …
    """

    id: str
    role: str
    type: str
    column: str = ""
    name: Text = field(default_factory=dict)
    description: Text = field(default_factory=dict)
    concept: Ref | None = None
    codelist: Ref | None = None
    decimals: int | None = None
    required: bool = True
    attachment: str = "observation"
    dimensions: tuple[str, ...] = ()
    group: str = ""
    constant: str = ""
    multiple: bool = False
    multilingual: bool = False
    facets: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Structure:
    """The structure of one dataflow: components in SDMX's order (dimensions, time, measures, attributes), and codes."""

    flow: Ref
    definition: Ref
    name: Text
    description: Text
    components: tuple[Component, ...]
    codelists: tuple[Scheme, ...] = ()

    def __getitem__(self, id: str) -> Component:
        for component in self.components:
            if component.id == id:
                return component
        raise KeyError(id)

    def __contains__(self, id: str) -> bool:
        return any(component.id == id for component in self.components)

    def with_role(self, *roles: str) -> tuple[Component, ...]:
        """Give the components of these roles, in order."""
        return tuple(component for component in self.components if component.role in roles)

    @property
    def dimensions(self) -> tuple[Component, ...]:
        """The dimensions, the time dimension last."""
        return self.with_role("dimension", "time")

    @property
    def key(self) -> tuple[str, ...]:
        """The ids of the dimensions of a series: all but time."""
        return tuple(component.id for component in self.with_role("dimension"))

    @property
    def time(self) -> Component | None:
        """The time dimension, where there is one."""
        return next(iter(self.with_role("time")), None)

    def codes(self, component: Component) -> tuple[Item, ...]:
        """Give the codes of a component; none where it is not coded."""
        return next((one.items for one in self.codelists if one.ref == component.codelist), ())


# --- from artefacts -------------------------------------------------------------------------------------------------


def structure_of(find: Callable[[Ref], Artefact | None], flow: Ref) -> Structure:
    """Resolve the structure of a dataflow, or of a data structure alone.

    Parameters
    ----------
    find : callable
        Gives the artefact of a reference (exactly this version), or none.
    flow : Ref
        The dataflow or data structure.

    Returns
    -------
    Structure
        With the code lists that were found; a component whose code list is not there is not coded.

    Raises
    ------
    BadData
        When the dataflow or its data structure is not there.

    Examples
    --------
    >>> parts = (Component("AREA", "dimension", "text"), Component("OBS_VALUE", "measure", "number"))
    >>> areas = Structure(Ref("dataflow", "X", "DF"), Ref("datastructure", "X", "DSD"), {}, {}, parts)
    >>> structure_of({one.ref: one for one in artefacts_of(areas)}.get, areas.flow).key
    ('AREA',)
    """
    usage = find(flow)
    definition = find(usage.structure) if isinstance(usage, Dataflow) and usage.structure else usage
    if not usage or not isinstance(definition, DataStructure):
        missing = usage.structure if isinstance(usage, Dataflow) and usage.structure else flow
        raise BadData(f"There is no structure {missing}.", where=str(flow), remedy="Load its structure message first.")
    resolved = [_resolved(one, definition, find) for one in definition.components]
    order = {"dimension": 0, "time": 1, "measure": 2, "attribute": 3}
    components = tuple(sorted((one for one, _ in resolved), key=lambda one: order[one.role]))
    codelists = {codelist.ref: codelist for _, codelist in resolved if codelist}
    return Structure(
        flow=flow,
        definition=definition.ref,
        name=usage.name or definition.name,
        description=usage.description or definition.description,
        components=components,
        codelists=tuple(codelists.values()),
    )


def _resolved(
    one: Definition, definition: DataStructure, find: Callable[[Ref], Artefact | None]
) -> tuple[Component, Scheme | None]:
    """Resolve a component: what it means, and what its values may be."""
    scheme = find(one.concept.artefact)
    items = scheme.items if isinstance(scheme, Scheme) else ()
    concept = next((item for item in items if item.id == one.concept.item), None)
    own = one.representation or (concept.representation if isinstance(concept, Concept) else None) or Representation()
    codelist = find(own.codelist) if own.codelist else None
    attached: dict[str, Any] = {}
    if isinstance(one, Attribute):
        groups = {group.id: group.dimensions for group in definition.groups}
        attached = {
            "attachment": one.attachment,
            "dimensions": one.dimensions or groups.get(one.group, ()),
            "group": one.group,
        }
    decimals = own.facets.get("decimals", "")
    made = Component(
        id=one.id,
        role=one.role,
        type="text" if own.codelist else _type(one.role, own.type),
        name=concept.name if concept and concept.name else {"en": one.id},
        description=concept.description if concept else {},
        concept=one.concept,
        codelist=own.codelist if isinstance(codelist, Scheme) else None,
        decimals=int(decimals) if decimals.isdigit() and one.role == "measure" else None,
        required=one.required,
        multiple=own.max_occurs is None or own.max_occurs > 1,
        multilingual=own.facets.get("isMultiLingual") == "true",
        facets=own.facets,
        **attached,
    )
    return made, codelist if isinstance(codelist, Scheme) else None


def _type(role: str, name: str) -> str:
    """Give our type for one of SDMX; a measure of which nothing is said is a number, as all software takes it."""
    if role == "time":
        return "period"
    return TYPE_OF.get(name, "text") if name else "number" if role == "measure" else "text"


# --- to artefacts ---------------------------------------------------------------------------------------------------


def artefacts_of(structure: Structure) -> tuple[Artefact, ...]:
    """Give the artefacts of a structure: code lists, concept schemes, data structure and dataflow, in this order.

    Parameters
    ----------
    structure : Structure
        What to say in artefacts.

    Examples
    --------
    >>> parts = (Component("AREA", "dimension", "text"), Component("OBS_VALUE", "measure", "number"))
    >>> areas = Structure(Ref("dataflow", "X", "DF"), Ref("datastructure", "X", "DSD"), {}, {}, parts)
    >>> [str(one.ref) for one in artefacts_of(areas)]
    ['X:DSD(1.0)', 'X:DF(1.0)']
    """
    definition, flow = structure.definition, structure.flow
    groups = {one.group: one.dimensions for one in structure.components if one.group}
    return (
        *structure.codelists,
        *_concepts(structure),
        DataStructure(
            "datastructure",
            definition.agency,
            definition.id,
            definition.version,
            structure.name,
            structure.description,
            components=tuple(_definition(one) for one in structure.components),
            groups=tuple(Group(id, dimensions) for id, dimensions in groups.items()),
        ),
        Dataflow(
            "dataflow",
            flow.agency,
            flow.id,
            flow.version,
            structure.name,
            structure.description,
            structure=definition,
        ),
    )


def _concepts(structure: Structure) -> Iterable[Scheme]:
    """Collect the concepts of the components into their schemes; the first component that names one tells of it."""
    found: dict[Ref, dict[str, Concept]] = {}
    for one in structure.components:
        if one.concept:
            item = Concept(one.concept.item, one.name, one.description)
            found.setdefault(one.concept.artefact, {}).setdefault(item.id, item)
    for ref, items in found.items():
        name = {language: f"Concepts: {words}" for language, words in structure.name.items()}
        yield Scheme(ref.kind, ref.agency, ref.id, ref.version, name=name, items=tuple(items.values()))


def _definition(one: Component) -> Definition:
    facets = dict(one.facets) | ({"decimals": str(one.decimals)} if one.decimals is not None else {})
    facets |= {"isMultiLingual": "true"} if one.multilingual else {}
    # What is coded needs no format, and TIME_PERIOD has one that SDMX prescribes.
    kind = "" if one.codelist else TYPES["period" if one.role == "time" else one.type][0]
    many = None if one.multiple else 1
    shown = Representation(one.codelist, kind, facets, max_occurs=many)
    concept = one.concept or Ref("conceptscheme", "SDMX", "CROSS_DOMAIN_CONCEPTS", "2.0", one.id)
    if one.role != "attribute":
        return Definition(one.id, one.role, concept, shown, one.required)
    return Attribute(
        one.id,
        one.role,
        concept,
        shown,
        one.required,
        attachment=one.attachment,
        dimensions=one.dimensions,
        group=one.group,
    )
