"""The shapes of SDMX-JSON structure messages: what 1.0, 2.0 and 2.1 say, each under its own names.

Where the versions differ both spellings have a field, and a message fills one of them. What is not named here is passed
over when it is read.
"""

from __future__ import annotations

from typing import Any

from msgspec import Raw, Struct, field

__all__ = [
    "JAgreement",
    "JAttachment",
    "JAttribute",
    "JCategorisation",
    "JCode",
    "JComponent",
    "JComponents",
    "JConstraint",
    "JDataStructure",
    "JDataflow",
    "JExtension",
    "JGroup",
    "JHierarchicalCode",
    "JHierarchicalCodelist",
    "JHierarchy",
    "JItem",
    "JLink",
    "JList",
    "JMaintainable",
    "JMember",
    "JMessage",
    "JMeta",
    "JNameable",
    "JNote",
    "JPeriod",
    "JRange",
    "JRegion",
    "JRelation",
    "JRepresentation",
    "JScheme",
    "JSelection",
    "JValue",
]

Texts = dict[str, str]
Empty = dict[str, Any]


class JLink(Struct, omit_defaults=True):
    """A link; the one to ``self`` has the URN."""

    href: str = ""
    rel: str = ""
    urn: str = ""


class JNote(Struct, omit_defaults=True):
    """An annotation."""

    id: str = ""
    title: str = ""
    type: str = ""
    value: str = ""
    text: str = ""
    texts: Texts = {}
    links: list[JLink] = []


class JNameable(Struct, omit_defaults=True):
    """What has an id and names."""

    id: str = ""
    name: str = ""
    names: Texts = {}
    description: str = ""
    descriptions: Texts = {}
    annotations: list[JNote] = []


class JMaintainable(JNameable, rename="camel", omit_defaults=True):
    """What all artefacts have."""

    agency: str = field(default="", name="agencyID")
    version: str = ""
    is_external_reference: bool = False
    is_final: bool = False
    valid_from: str = ""
    valid_to: str = ""
    links: list[JLink] = []


class JRepresentation(Struct, rename="camel", omit_defaults=True):
    """What values may be."""

    enumeration: str = ""
    enumeration_format: dict[str, Any] | None = None
    format: dict[str, Any] | None = None
    text_format: dict[str, Any] | None = None
    min_occurs: int | None = None
    max_occurs: int | str | None = None


class JItem(JNameable, rename="camel", omit_defaults=True):
    """A code, a concept, a category, an organisation."""

    parent: str = ""
    core_representation: JRepresentation | None = None
    categories: list[JItem] = []


class JCode(Struct, rename="camel", omit_defaults=True):
    """A code that an extension takes or leaves."""

    value: str
    cascade_values: Any = None


class JSelection(Struct, rename="camel", omit_defaults=True):
    """The codes that an extension takes or leaves."""

    member_values: list[str | JCode] = []
    wildcarded_member_values: list[str] = []


class JExtension(Struct, rename="camel", omit_defaults=True):
    """A code list that another takes codes from."""

    codelist: str
    prefix: str = ""
    inclusive_code_selection: JSelection | None = None
    exclusive_code_selection: JSelection | None = None


class JScheme(JMaintainable, rename="camel", omit_defaults=True):
    """A scheme; its items stand under a name of their kind."""

    is_partial: bool = False
    codes: list[JItem] = []
    value_items: list[JItem] = []
    concepts: list[JItem] = []
    categories: list[JItem] = []
    agencies: list[JItem] = []
    data_providers: list[JItem] = []
    data_consumers: list[JItem] = []
    organisation_units: list[JItem] = []
    codelist_extensions: list[JExtension] = []


class JComponent(Struct, rename="camel", omit_defaults=True):
    """A dimension or a measure."""

    concept_identity: str
    id: str = ""
    position: int | None = None
    annotations: list[JNote] = []
    usage: str = ""
    local_representation: JRepresentation | None = None


class JRelation(Struct, rename="camel", omit_defaults=True):
    """What an attribute is said of."""

    none: Empty | None = None
    dataflow: Empty | None = None
    dimensions: list[str] = []
    attachment_groups: list[str] = []
    group: str = ""
    primary_measure: str = ""
    observation: Empty | None = None


class JAttribute(JComponent, rename="camel", omit_defaults=True):
    """An attribute."""

    assignment_status: str = ""
    attribute_relationship: JRelation | None = None
    measure_relationship: list[str] = []


class JGroup(Struct, rename="camel", omit_defaults=True):
    """Some dimensions under a name."""

    id: str
    group_dimensions: list[str] = []


class JList(Struct, rename="camel", omit_defaults=True):
    """One of the three lists of components."""

    id: str = ""
    dimensions: list[JComponent] = []
    measure_dimensions: list[JComponent] = []
    time_dimension: JComponent | None = None
    time_dimensions: list[JComponent] = []
    measures: list[JComponent] = []
    primary_measure: JComponent | None = None
    attributes: list[JAttribute] = []
    reporting_year_start_days: list[JAttribute] = []
    metadata_attribute_usages: list[Raw] = []


class JComponents(Struct, rename="camel", omit_defaults=True):
    """The components of a data structure."""

    dimension_list: JList
    groups: list[JGroup] = []
    attribute_list: JList | None = None
    measure_list: JList | None = None


class JDataStructure(JMaintainable, rename="camel", omit_defaults=True):
    """A data structure."""

    data_structure_components: JComponents | None = None


class JDataflow(JMaintainable, rename="camel", omit_defaults=True):
    """A dataflow."""

    structure: str = ""


class JCategorisation(JMaintainable, rename="camel", omit_defaults=True):
    """A categorisation."""

    source: str = ""
    target: str = ""


class JAgreement(JMaintainable, rename="camel", omit_defaults=True):
    """A provision agreement."""

    dataflow: str = ""
    structure_usage: str = ""
    data_provider: str = ""


class JAttachment(Struct, rename="camel", omit_defaults=True):
    """What a constraint is about."""

    data_structures: list[str] = []
    data_structure: str = ""
    dataflows: list[str] = []
    dataflow: str = ""
    provision_agreements: list[str] = []
    provision_agreement: str = ""
    data_provider: str = ""


class JPeriod(Struct, rename="camel", omit_defaults=True):
    """One end of a range of time."""

    period: str
    is_inclusive: bool | None = None


class JRange(Struct, rename="camel", omit_defaults=True):
    """A range of time."""

    start_period: JPeriod | None = None
    end_period: JPeriod | None = None
    before_period: JPeriod | None = None
    after_period: JPeriod | None = None


class JValue(Struct, rename="camel", omit_defaults=True):
    """A value of a component, with those below it where it cascades."""

    value: str
    cascade_values: Any = None


class JMember(Struct, rename="camel", omit_defaults=True):
    """The values of a component in a region."""

    id: str
    include: bool = True
    values: list[str | JValue] = []
    cascade_values: list[str] = []
    time_range: JRange | None = None


class JRegion(Struct, rename="camel", omit_defaults=True):
    """A region."""

    include: bool | None = None
    is_included: bool | None = None
    key_values: list[JMember] = []
    components: list[JMember] = []
    attributes: list[JMember] = []


class JConstraint(JMaintainable, rename="camel", omit_defaults=True):
    """A constraint."""

    role: str = ""
    type: str = ""
    constraint_attachment: JAttachment | None = None
    cube_regions: list[JRegion] = []
    cube_region: JRegion | None = None
    data_key_sets: list[Raw] = []
    series_count: int | None = None
    obs_count: int | None = None


class JHierarchicalCode(Struct, rename="camel", omit_defaults=True):
    """A place in a hierarchy."""

    id: str
    code: str = ""
    codelist_alias_ref: str = ""
    code_id: str = field(default="", name="codeID")
    hierarchical_codes: list[JHierarchicalCode] = []


class JHierarchy(JMaintainable, rename="camel", omit_defaults=True):
    """A hierarchy."""

    hierarchical_codes: list[JHierarchicalCode] = []
    has_formal_levels: bool | None = None


class JHierarchicalCodelist(JMaintainable, rename="camel", omit_defaults=True):
    """The hierarchies of SDMX 2.1 under one artefact."""

    hierarchies: list[JHierarchy] = []
    included_codelists: dict[str, Any] = {}


class JMeta(Struct, rename="camel", omit_defaults=True):
    """What a message says of itself."""

    content_languages: list[str] = []


class JMessage(Struct, omit_defaults=True):
    """A message, its parts not yet read."""

    meta: JMeta = field(default_factory=JMeta)
    data: dict[str, Raw] | None = None
