"""SDMX-ML structure messages written: 2.1, 3.0 and 3.1, which differ in how references are spelled."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, get_args

from lxml import etree

from statcommons.core.errors import BadCall, BadData
from statcommons.sdmx.message import Header
from statcommons.sdmx.model import (
    KINDS,
    Artefact,
    Attribute,
    Categorisation,
    Concept,
    Constraint,
    Dataflow,
    DataStructure,
    Definition,
    Extension,
    Hierarchy,
    Node,
    ProvisionAgreement,
    Region,
    Representation,
    Scheme,
)
from statcommons.sdmx.structures.items import path_of
from statcommons.sdmx.structures.ml_building import Builder, MLStandard
from statcommons.sdmx.structures.outgoing import (
    OLD_CLASSES,
    assert_holdable,
    dimensions_first,
    has_concepts_for_codes,
    instant,
    is_availability,
    metrics,
    urn,
)

__all__ = ["write_structures_ml"]


GROUPS_21 = {
    "OrganisationSchemes": ("agencyscheme", "dataconsumerscheme", "dataproviderscheme", "organisationunitscheme"),
    "Dataflows": ("dataflow",),
    "CategorySchemes": ("categoryscheme",),
    "Categorisations": ("categorisation",),
    "Codelists": ("codelist",),
    "HierarchicalCodelists": ("hierarchy",),
    "Concepts": ("conceptscheme",),
    "DataStructures": ("datastructure",),
    "Constraints": ("dataconstraint",),
    "ProvisionAgreements": ("provisionagreement",),
}
"""How SDMX-ML 2.1 groups kinds of artefacts, in its order."""

GROUPS_3 = {
    f"{scheme.removesuffix('y')}ies" if scheme.endswith("y") else f"{scheme}s": (kind,)
    for kind, (_, scheme, _) in KINDS.items()
}
"""How SDMX-ML 3 groups them: each kind by itself, in any order."""


KEY = ("dimension", "time")
UNVERSIONED = {
    "2.1": (),
    "3.0": GROUPS_21["OrganisationSchemes"],
    "3.1": (*GROUPS_21["OrganisationSchemes"], "categorisation"),
}
"""Kinds of which each standard knows one version only, 1.0."""


def write_structures_ml(artefacts: Iterable[Artefact], standard: MLStandard, header: Header) -> bytes:
    """Write a structure message in SDMX-ML.

    The same artefacts and header give the same bytes. Where the standard wants a name and there is none, the id is
    written.

    Parameters
    ----------
    artefacts : iterable of Artefact
        What to write.
    standard : {"2.1", "3.0", "3.1"}
        The version of SDMX-ML. 2.1 calls its one measure OBS_VALUE and knows no several values of an attribute; 3.x
        knows no final versions; 3.1 gives constraints that say what is there no identity of their own.
    header : Header
        The header.

    Returns
    -------
    bytes
        The message, in UTF-8.

    Raises
    ------
    BadCall
        When the version cannot say an artefact, with what to do.
    BadData
        When a text holds a sign that XML cannot hold.

    Examples
    --------
    >>> import datetime
    >>> from statcommons.sdmx.model import Item
    >>> header = Header("M1", datetime.datetime(2026, 1, 1), "UN")
    >>> sexes = Scheme("codelist", "UN", "CL_SEX", items=(Item("F", {"en": "Female"}),))
    >>> b'<str:Code id="F">' in write_structures_ml([sexes], "3.0", header)
    True
    """
    if standard not in get_args(MLStandard):
        raise BadCall(f"The standard is {standard!r}.", where="SDMX-ML", remedy="Give 2.1, 3.0 or 3.1.")
    several = tuple(artefacts)
    assert_holdable(several, standard, f"SDMX-ML {standard}")
    return _Writer(standard, several).message(header)


class _Writer(Builder):
    """A message that is being written."""

    def __init__(self, standard: MLStandard, artefacts: Sequence[Artefact]) -> None:
        super().__init__(standard)
        self.artefacts = artefacts

    def message(self, header: Header) -> bytes:
        root = etree.Element(f"{{{self.spaces['mes']}}}Structure", nsmap=self.spaces)
        head = self.add(root, "mes:Header")
        self.add(head, "mes:ID", header.id)
        self.add(head, "mes:Test", "true" if header.test else "false")
        self.add(head, "mes:Prepared", instant(header))
        self.add(head, "mes:Sender", id=header.sender)
        structures = self.add(root, "mes:Structures")
        for group, kinds in (GROUPS_21 if self.old else GROUPS_3).items():
            several = [one for kind in kinds for one in self.artefacts if one.kind == kind]
            actual = [one for one in several if is_availability(one, self.standard)]
            others = [one for one in several if not is_availability(one, self.standard)]
            for name, ones in ((group, others), ("AvailabilityConstraints", actual)):
                if ones:
                    element = self.add(structures, f"str:{name}")
                    for one in ones:
                        self.artefact(element, one)
        return bytes(etree.tostring(root, xml_declaration=True, encoding="UTF-8", pretty_print=True))

    def artefact(self, parent: etree._Element, one: Artefact) -> None:
        try:
            if is_availability(one, self.standard):
                self.availability(parent, one)
            else:
                KINDS_WRITTEN[type(one)](self, self.envelope(parent, one), one)
        except ValueError as error:
            raise BadData(f"XML cannot hold a sign: {error}", where=str(one.ref), remedy="Take it out.") from None

    def envelope(self, parent: etree._Element, one: Artefact) -> etree._Element:
        name = OLD_CLASSES.get(one.kind, KINDS[one.kind][1]) if self.old else KINDS[one.kind][1]
        element = self.add(
            parent,
            f"str:{name}",
            id=one.id,
            urn=urn(one.ref, old=self.old),
            agencyID=one.agency,
            version=None if one.kind in UNVERSIONED[self.standard] else one.version,
            isFinal="true" if self.old and one.is_final else None,
            isExternalReference="true" if one.is_external else None,
            structureURL=one.structure_url or None,
            validFrom=one.valid_from or None,
            validTo=one.valid_to or None,
        )
        self.nameable(element, one)
        return element

    # --- schemes ---

    def scheme(self, element: etree._Element, one: Scheme) -> None:
        if one.partial:
            element.set("isPartial", "true")
        if one.kind == "categoryscheme":
            self.categories(element, one, "")
        for item in one.items if one.kind != "categoryscheme" else ():
            added = self.add(element, f"str:{KINDS[one.kind][2]}", id=item.id)
            self.nameable(added, item, named=one.kind != "valuelist")
            if item.parent:
                self.local(added, "str:Parent", item.parent)
            if isinstance(item, Concept):
                self.representation(added, "str:CoreRepresentation", item.representation)
        for extension in one.extends:
            self.extension(element, extension)

    def categories(self, parent: etree._Element, scheme: Scheme, above: str) -> None:
        for item in scheme.items:
            if item.parent == above:
                element = self.add(parent, "str:Category", id=item.id)
                self.nameable(element, item)
                self.categories(element, scheme, path_of(scheme, item))

    def extension(self, parent: etree._Element, one: Extension) -> None:
        element = self.add(parent, "str:CodelistExtension", prefix=one.prefix or None)
        self.ref(element, "str:Codelist", one.codelist)
        for name, values in (("Inclusive", one.include), ("Exclusive", one.exclude)):
            if values:
                selection = self.add(element, f"str:{name}CodeSelection")
                for value in values:
                    self.add(selection, "str:MemberValue", value)

    # --- data structures and their uses ---

    def data_structure(self, element: etree._Element, one: DataStructure) -> None:
        if not one.components:
            return
        parts = self.add(element, "str:DataStructureComponents")
        self.listed(parts, "Dimension", self.dimension, [part for part in one.components if part.role in KEY])
        for group in one.groups:
            named = self.add(parts, "str:Group", id=group.id)
            for id in group.dimensions:
                self.local(self.add(named, "str:GroupDimension"), "str:DimensionReference", id)
        self.listed(parts, "Attribute", self.attribute, [part for part in one.components if part.role == "attribute"])
        self.listed(parts, "Measure", self.measure, [part for part in one.components if part.role == "measure"])

    def listed(
        self, parts: etree._Element, name: str, write: Callable[[etree._Element, Any], None], several: list[Definition]
    ) -> None:
        if several:
            element = self.add(parts, f"str:{name}List", id=f"{name}Descriptor")
            for one in several:
                write(element, one)

    def component(self, element: etree._Element, one: Definition, default: Representation | None = None) -> None:
        self.annotations(element, one.annotations)
        self.ref(element, "str:ConceptIdentity", one.concept)
        self.representation(element, "str:LocalRepresentation", one.representation or default)

    def dimension(self, parent: etree._Element, one: Definition) -> None:
        if one.role == "time":
            default = Representation(type="ObservationalTimePeriod")
            self.component(self.add(parent, "str:TimeDimension", id=one.id), one, default)
        else:
            name = "MeasureDimension" if has_concepts_for_codes(one) else "Dimension"
            self.component(self.add(parent, f"str:{name}", id=one.id), one)

    def measure(self, parent: etree._Element, one: Definition) -> None:
        if self.old:
            self.component(self.add(parent, "str:PrimaryMeasure", id="OBS_VALUE"), one)
        else:
            self.component(self.add(parent, "str:Measure", id=one.id, usage=_usage(one)), one)

    def attribute(self, parent: etree._Element, one: Attribute) -> None:
        old = {"assignmentStatus": "Mandatory" if one.required else "Conditional"}
        element = self.add(parent, "str:Attribute", id=one.id, **(old if self.old else {"usage": _usage(one)}))
        self.component(element, one)
        self.relation(self.add(element, "str:AttributeRelationship"), one)
        if one.measures and not self.old:
            said = self.add(element, "str:MeasureRelationship")
            for id in one.measures:
                self.add(said, "str:Measure", id)

    def relation(self, element: etree._Element, one: Attribute) -> None:
        if one.attachment == "group":
            self.local(element, "str:Group", one.group)
        elif one.attachment == "dataflow":
            self.add(element, "str:None" if self.old else "str:Dataflow")
        elif one.dimensions:
            for id in one.dimensions:
                self.local(element, "str:Dimension", id)
            if self.old and one.group:
                self.local(element, "str:AttachmentGroup", one.group)
        elif self.old:
            self.local(element, "str:PrimaryMeasure", "OBS_VALUE")
        else:
            self.add(element, "str:Observation")

    def dataflow(self, element: etree._Element, one: Dataflow) -> None:
        self.ref(element, "str:Structure", one.structure)

    def categorisation(self, element: etree._Element, one: Categorisation) -> None:
        self.ref(element, "str:Source", one.source)
        self.ref(element, "str:Target", one.target)

    def provision_agreement(self, element: etree._Element, one: ProvisionAgreement) -> None:
        self.ref(element, "str:StructureUsage" if self.old else "str:Dataflow", one.dataflow)
        self.ref(element, "str:DataProvider", one.provider)

    # --- constraints and hierarchies ---

    def availability(self, parent: etree._Element, one: Constraint) -> None:
        counts, others = metrics(one)
        said = {"series_count": "seriesCount", "obs_count": "obsCount"}
        counted = {said[name]: str(count) for name, count in counts.items()}
        element = self.add(parent, "str:AvailabilityConstraint", **counted)
        self.annotations(element, others)
        self.attached_and_regions(element, one)

    def constraint(self, element: etree._Element, one: Constraint) -> None:
        if self.standard != "3.1":
            element.set("type" if self.old else "role", one.role.capitalize())
        self.attached_and_regions(element, one)

    def attached_and_regions(self, element: etree._Element, one: Constraint) -> None:
        if one.attached:
            attachment = self.add(element, "str:ConstraintAttachment")
            for ref in one.attached:
                self.ref(attachment, f"str:{KINDS[ref.kind][2 if ref.item else 1]}", ref)
        for region in one.regions:
            self.region(element, region)

    def region(self, parent: etree._Element, one: Region) -> None:
        element = self.add(parent, "str:CubeRegion", include="true" if one.include else "false")
        space = "com" if self.old else "str"
        keys, others = dimensions_first(one, self.artefacts)
        other = "Attribute" if self.old else "Component"
        for id in (*keys, *others):
            member = self.add(element, f"{space}:{'KeyValue' if id in keys else other}", id=id)
            cascade = "true" if id in one.cascade else None
            for value in one.values.get(id, ()):
                self.add(member, f"{space}:Value", value, cascadeValues=cascade)
            if id in one.periods:
                self.range(self.add(member, f"{space}:TimeRange"), space, *one.periods[id])

    def hierarchy(self, element: etree._Element, one: Hierarchy) -> None:
        if not self.old:
            element.set("hasFormalLevels", "false")
        elif one.nodes:
            element = self.add(element, "str:Hierarchy", id=one.id)
            self.texts(element, "com:Name", one.name or {"en": one.id})
        for node in one.nodes:
            self.node(element, node)

    def node(self, parent: etree._Element, one: Node) -> None:
        element = self.add(parent, "str:HierarchicalCode", id=one.id)
        self.ref(element, "str:Code", one.code)
        for child in one.children:
            self.node(element, child)


def _usage(one: Definition) -> str:
    return "mandatory" if one.required else "optional"


KINDS_WRITTEN: dict[type[Artefact], Callable[[_Writer, etree._Element, Any], None]] = {
    Scheme: _Writer.scheme,
    DataStructure: _Writer.data_structure,
    Dataflow: _Writer.dataflow,
    Categorisation: _Writer.categorisation,
    ProvisionAgreement: _Writer.provision_agreement,
    Constraint: _Writer.constraint,
    Hierarchy: _Writer.hierarchy,
}
"""How what is particular to each sort of artefact is written."""
