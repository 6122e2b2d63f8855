"""SDMX-JSON structure messages written: 1.0, 2.0 and 2.1, which differ in the names of things."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, get_args

import msgspec

from statcommons.core.errors import BadCall
from statcommons.sdmx.message import Header
from statcommons.sdmx.model import (
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
    Item,
    Node,
    ProvisionAgreement,
    Ref,
    Region,
    Representation,
    Scheme,
)
from statcommons.sdmx.structures import json_shapes as shapes
from statcommons.sdmx.structures.items import path_of
from statcommons.sdmx.structures.json_reading import ITEMS
from statcommons.sdmx.structures.json_spelling import JSONStandard, Spelling
from statcommons.sdmx.structures.outgoing import (
    assert_holdable,
    best_first,
    dimensions_first,
    has_concepts_for_codes,
    instant,
    is_availability,
    metrics,
    urn,
)

__all__ = ["keep_structures", "write_structures_json"]

SDMX = {"1.0": "2.1", "2.0": "3.0", "2.1": "3.1"}
"""The version of SDMX that each stands for."""

SCHEMAS = {
    "1.0": "https://raw.githubusercontent.com/sdmx-twg/sdmx-json/develop/structure-message/tools/schemas/1.0/",
    "2.0": "https://raw.githubusercontent.com/sdmx-twg/sdmx-json/master/structure-message/tools/schemas/2.0.0/",
    "2.1": "https://json.sdmx.org/2.1/",
}
"""Where the schemas stand; readers tell the versions by these addresses."""

GROUPS = {
    "agencyscheme": "agencySchemes",
    "dataproviderscheme": "dataProviderSchemes",
    "dataconsumerscheme": "dataConsumerSchemes",
    "organisationunitscheme": "organisationUnitSchemes",
    "codelist": "codelists",
    "valuelist": "valueLists",
    "hierarchy": "hierarchies",
    "conceptscheme": "conceptSchemes",
    "categoryscheme": "categorySchemes",
    "categorisation": "categorisations",
    "datastructure": "dataStructures",
    "dataflow": "dataflows",
    "dataconstraint": "dataConstraints",
    "provisionagreement": "provisionAgreements",
}
OLD_GROUPS = {"hierarchy": "hierarchicalCodelists", "dataconstraint": "contentConstraints"}


def write_structures_json(
    artefacts: Iterable[Artefact], standard: JSONStandard, header: Header, languages: Sequence[str] = ()
) -> bytes:
    """Write a structure message in SDMX-JSON.

    All names are written in all languages, and beside them the one that a reader sees. Where there is none, the id is
    written, because the standard wants a name.

    Parameters
    ----------
    artefacts : iterable of Artefact
        What to write.
    standard : {"1.0", "2.0", "2.1"}
        The version of SDMX-JSON: of SDMX 2.1, 3.0 and 3.1. What 1.0 and 2.1 cannot say is what SDMX-ML cannot say in
        2.1 and 3.1.
    header : Header
        The header.
    languages : sequence of str
        What the reader prefers, best first.

    Returns
    -------
    bytes
        The message, in UTF-8.

    Raises
    ------
    BadCall
        When the version cannot say an artefact, with what to do.

    Examples
    --------
    >>> import datetime
    >>> header = Header("M1", datetime.datetime(2026, 1, 1), "UN")
    >>> sexes = Scheme("codelist", "UN", "CL_SEX", items=(Item("F", {"en": "Female", "fr": "Féminin"}),))
    >>> text = write_structures_json([sexes], "2.0", header, ["fr"])
    >>> msgspec.json.decode(text)["data"]["codelists"][0]["codes"][0]["name"]
    'Féminin'
    """
    if standard not in get_args(JSONStandard):
        raise BadCall(f"The standard is {standard!r}.", where="SDMX-JSON", remedy="Give 1.0, 2.0 or 2.1.")
    several = tuple(artefacts)
    assert_holdable(several, SDMX[standard], f"SDMX-JSON {standard}")
    return msgspec.json.encode(_Writer(standard, several, tuple(languages)).message(header))


def keep_structures(artefacts: Iterable[Artefact], header: Header) -> bytes:
    """Write structures so that nothing of them is lost: SDMX-JSON 2.0 with what only 1.0 knows besides.

    It is for our own files: others may stumble over it. ``read_structures_json`` reads it as any other.

    Parameters
    ----------
    artefacts : iterable of Artefact
        What to write.
    header : Header
        The header.

    Returns
    -------
    bytes
        The message, in UTF-8.

    Examples
    --------
    >>> import datetime
    >>> from statcommons.sdmx.model import Item
    >>> from statcommons.sdmx.structures.json_reading import read_structures_json
    >>> areas = Scheme("codelist", "X", "CL_AREA", items=(Item("004"),))
    >>> kept = keep_structures([areas], Header("KEPT", datetime.datetime(2026, 1, 5), "X"))
    >>> read_structures_json(kept) == (areas,)
    True
    """
    return msgspec.json.encode(_Writer("2.0", tuple(artefacts), (), whole=True).message(header))


class _Writer(Spelling):
    """A message that is being written."""

    def __init__(
        self, standard: JSONStandard, artefacts: Sequence[Artefact], languages: tuple[str, ...], *, whole: bool = False
    ) -> None:
        super().__init__(standard, languages, whole=whole)
        self.artefacts = artefacts

    def message(self, header: Header) -> dict[str, Any]:
        groups: dict[str, list[Any]] = {}
        for one in self.artefacts:
            if is_availability(one, SDMX[self.standard]):
                groups.setdefault("availabilityConstraints", []).append(self.availability(one))
            else:
                name = OLD_GROUPS.get(one.kind, GROUPS[one.kind]) if self.old else GROUPS[one.kind]
                groups.setdefault(name, []).append(WRITTEN[type(one)](self, one))
        meta = {
            "schema": f"{SCHEMAS[self.standard]}sdmx-json-structure-schema.json",
            "id": header.id,
            "test": header.test,
            "prepared": instant(header),
            "contentLanguages": best_first(self.spoken or self.languages, self.languages),
            "sender": {"id": header.sender},
        }
        return {"meta": meta, "data": groups}

    # --- schemes ---

    def scheme(self, one: Scheme) -> shapes.JScheme:
        made = shapes.JScheme(**self.envelope(one), is_partial=one.partial)
        made.codelist_extensions = [_extension(extension) for extension in one.extends]
        items = (
            self.categories(one, "") if one.kind == "categoryscheme" else [self.item(one, item) for item in one.items]
        )
        setattr(made, ITEMS[one.kind], items)
        return made

    def item(self, scheme: Scheme, one: Item) -> shapes.JItem:
        made = shapes.JItem(**self.nameable(one, named=scheme.kind != "valuelist"), parent=one.parent)
        if self.old and one.parent and scheme.kind != "codelist":
            made.parent = Ref(scheme.kind, scheme.agency, scheme.id, scheme.version, one.parent).urn
        if isinstance(one, Concept):
            made.core_representation = self.representation(one.representation)
        return made

    def categories(self, scheme: Scheme, above: str) -> list[shapes.JItem]:
        return [
            shapes.JItem(**self.nameable(one), categories=self.categories(scheme, path_of(scheme, one)))
            for one in scheme.items
            if one.parent == above
        ]

    # --- data structures and their uses ---

    def data_structure(self, one: DataStructure) -> shapes.JDataStructure:
        made = shapes.JDataStructure(**self.envelope(one))
        if one.components:
            made.data_structure_components = shapes.JComponents(
                self.dimensions(one),
                [shapes.JGroup(group.id, list(group.dimensions)) for group in one.groups],
                self.attributes(one),
                self.measures(one),
            )
        return made

    def dimensions(self, one: DataStructure) -> shapes.JList:
        made = shapes.JList("DimensionDescriptor")
        for place, component in enumerate(part for part in one.components if part.role in ("dimension", "time")):
            shape = shapes.JComponent(**self.component(component, many=False))
            if self.old or component.role == "dimension":
                shape.position = place
            if component.role == "dimension":
                (made.measure_dimensions if has_concepts_for_codes(component) else made.dimensions).append(shape)
            elif self.old:
                made.time_dimensions.append(shape)
            else:
                made.time_dimension = shape
        return made

    def measures(self, one: DataStructure) -> shapes.JList | None:
        measures = [component for component in one.components if component.role == "measure"]
        if not measures:
            return None
        if self.old:
            primary = shapes.JComponent(**{**self.component(measures[0]), "id": "OBS_VALUE"})
            return shapes.JList("MeasureDescriptor", primary_measure=primary)
        made = (shapes.JComponent(**self.component(part), usage=_usage(part)) for part in measures)
        return shapes.JList("MeasureDescriptor", measures=list(made))

    def attributes(self, one: DataStructure) -> shapes.JList | None:
        made = [self.attribute(component) for component in one.components if isinstance(component, Attribute)]
        return shapes.JList("AttributeDescriptor", attributes=made) if made else None

    def component(self, one: Definition, *, many: bool = True) -> dict[str, Any]:
        shown = one.representation
        if one.role == "time" and not shown:
            shown = Representation(type="ObservationalTimePeriod")
        return {
            "id": one.id,
            "concept_identity": one.concept.urn,
            "annotations": self.annotations(one.annotations),
            "local_representation": self.representation(shown, many=many),
        }

    def attribute(self, one: Attribute) -> shapes.JAttribute:
        made = shapes.JAttribute(**self.component(one), attribute_relationship=self.relation(one))
        if self.old:
            made.assignment_status = "Mandatory" if one.required else "Conditional"
        else:
            made.usage, made.measure_relationship = _usage(one), list(one.measures)
        return made

    def relation(self, one: Attribute) -> shapes.JRelation:
        if one.attachment == "group":
            return shapes.JRelation(group=one.group)
        if one.attachment == "dataflow":
            return shapes.JRelation(none={}) if self.old else shapes.JRelation(dataflow={})
        if one.dimensions:
            groups = [one.group] if self.knows_old and one.group else []
            return shapes.JRelation(dimensions=list(one.dimensions), attachment_groups=groups)
        return shapes.JRelation(primary_measure="OBS_VALUE") if self.old else shapes.JRelation(observation={})

    def dataflow(self, one: Dataflow) -> shapes.JDataflow:
        return shapes.JDataflow(**self.envelope(one), structure=_urn(one.structure))

    def categorisation(self, one: Categorisation) -> shapes.JCategorisation:
        source = urn(one.source, old=self.old) if one.source else ""
        return shapes.JCategorisation(**self.envelope(one), source=source, target=_urn(one.target))

    def agreement(self, one: ProvisionAgreement) -> shapes.JAgreement:
        made = shapes.JAgreement(**self.envelope(one), data_provider=_urn(one.provider))
        if self.old:
            made.structure_usage = _urn(one.dataflow)
        else:
            made.dataflow = _urn(one.dataflow)
        return made

    # --- constraints and hierarchies ---

    def constraint(self, one: Constraint) -> shapes.JConstraint:
        made = shapes.JConstraint(**self.envelope(one))
        if one.attached:
            made.constraint_attachment = shapes.JAttachment()
            for ref in one.attached:
                if ref.item:
                    made.constraint_attachment.data_provider = ref.urn
                else:
                    getattr(made.constraint_attachment, ATTACHED[ref.kind]).append(ref.urn)
        made.cube_regions = [self.region(region) for region in one.regions]
        if self.old:
            made.type = one.role.capitalize()
        elif self.standard == "2.0":
            made.role = one.role.capitalize()
        return made

    def availability(self, one: Constraint) -> shapes.JConstraint:
        counts, others = metrics(one)
        [about], [region] = one.attached, one.regions
        attachment = shapes.JAttachment()
        setattr(attachment, ATTACHED[about.kind].removesuffix("s"), about.urn)
        return shapes.JConstraint(
            annotations=self.annotations(others),
            constraint_attachment=attachment,
            cube_region=self.region(region),
            series_count=counts.get("series_count"),
            obs_count=counts.get("obs_count"),
        )

    def region(self, one: Region) -> shapes.JRegion:
        keys, others = ([self.member(one, id) for id in ids] for ids in dimensions_first(one, self.artefacts))
        if self.old:
            return shapes.JRegion(is_included=one.include, key_values=keys, attributes=others)
        return shapes.JRegion(include=one.include, key_values=keys, components=others)

    def hierarchy(self, one: Hierarchy) -> shapes.JMaintainable:
        codes = [_place(node) for node in one.nodes]
        if not self.old:
            return shapes.JHierarchy(**self.envelope(one), hierarchical_codes=codes, has_formal_levels=False)
        made = shapes.JHierarchicalCodelist(**self.envelope(one))
        if codes:
            named = self.nameable(one) | {"annotations": []}
            made.hierarchies = [shapes.JHierarchy(**named, hierarchical_codes=codes)]
        return made


def _urn(ref: Ref | None) -> str:
    return ref.urn if ref else ""


def _usage(one: Definition) -> str:
    return "mandatory" if one.required else "optional"


def _extension(one: Extension) -> shapes.JExtension:
    included, excluded = (_selection(codes) for codes in (one.include, one.exclude))
    return shapes.JExtension(one.codelist.urn, one.prefix, included, excluded)


def _selection(codes: tuple[str, ...]) -> shapes.JSelection | None:
    plain = [code for code in codes if "%" not in code]
    wild = [code for code in codes if "%" in code]
    return shapes.JSelection([*plain], wild) if codes else None


def _place(one: Node) -> shapes.JHierarchicalCode:
    return shapes.JHierarchicalCode(one.id, one.code.urn, hierarchical_codes=[_place(child) for child in one.children])


ATTACHED = {"datastructure": "data_structures", "dataflow": "dataflows", "provisionagreement": "provision_agreements"}
WRITTEN: dict[type[Artefact], Callable[[_Writer, Any], shapes.JMaintainable]] = {
    Scheme: _Writer.scheme,
    DataStructure: _Writer.data_structure,
    Dataflow: _Writer.dataflow,
    Categorisation: _Writer.categorisation,
    ProvisionAgreement: _Writer.agreement,
    Constraint: _Writer.constraint,
    Hierarchy: _Writer.hierarchy,
}
"""How each sort of artefact is written."""
