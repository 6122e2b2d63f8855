"""The artefacts of SDMX as plain immutable data: one model for every version of the standard.

An *artefact* is what an agency maintains under an id and a version: a code list, a data structure, a dataflow. What
versions of the standard call differently has one name here, that of SDMX 3.0 (``dataconstraint`` for the content
constraint of 2.1, ``hierarchy`` for one hierarchy of a hierarchical code list); readers and writers translate.

Words that people read are in several languages (:data:`Text`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from statcommons.core.errors import BadCall, BadData

__all__ = [
    "KINDS",
    "SCHEMES",
    "Annotation",
    "Artefact",
    "Attribute",
    "Categorisation",
    "Concept",
    "Constraint",
    "DataStructure",
    "Dataflow",
    "Definition",
    "Extension",
    "Group",
    "Hierarchy",
    "Item",
    "Node",
    "ProvisionAgreement",
    "Ref",
    "Region",
    "Representation",
    "Scheme",
    "Text",
    "in_language",
    "parse_reference",
    "parse_urn",
]

Text: TypeAlias = Mapping[str, str]
"""Words by language (BCP 47): ``{"en": "Reference area", "fr": "Zone de référence"}``."""

KINDS = {
    "agencyscheme": ("base", "AgencyScheme", "Agency"),
    "dataproviderscheme": ("base", "DataProviderScheme", "DataProvider"),
    "dataconsumerscheme": ("base", "DataConsumerScheme", "DataConsumer"),
    "organisationunitscheme": ("base", "OrganisationUnitScheme", "OrganisationUnit"),
    "codelist": ("codelist", "Codelist", "Code"),
    "valuelist": ("codelist", "ValueList", "ValueItem"),
    "hierarchy": ("codelist", "Hierarchy", "HierarchicalCode"),
    "conceptscheme": ("conceptscheme", "ConceptScheme", "Concept"),
    "categoryscheme": ("categoryscheme", "CategoryScheme", "Category"),
    "categorisation": ("categoryscheme", "Categorisation", ""),
    "datastructure": ("datastructure", "DataStructure", ""),
    "dataflow": ("datastructure", "Dataflow", ""),
    "dataconstraint": ("registry", "DataConstraint", ""),
    "provisionagreement": ("registry", "ProvisionAgreement", ""),
}
"""Kinds of artefacts by the name that REST 2.x gives them: the package, class and class of items in a URN."""

SCHEMES = (
    "agencyscheme",
    "dataproviderscheme",
    "dataconsumerscheme",
    "organisationunitscheme",
    "codelist",
    "valuelist",
    "conceptscheme",
    "categoryscheme",
)
"""The kinds that are lists of items."""

URN = re.compile(
    r"urn:sdmx:org\.sdmx\.infomodel\.(?P<package>\w+)\.(?P<cls>\w+)="
    r"(?P<agency>[^:()]+):(?P<id>[^:()]+)\((?P<version>[^()]+)\)(?:\.(?P<item>.+))?"
)
REFERENCE = re.compile(r"(?P<agency>[^:()]+):(?P<id>[^:()]+)\((?P<version>[^()]+)\)")
OLD_NAMES = {"ContentConstraint": "dataconstraint", "HierarchicalCodelist": "hierarchy"}
BY_CLASS = {name: kind for kind, (_, scheme, item) in KINDS.items() for name in (scheme, item) if name} | OLD_NAMES


@dataclass(frozen=True, slots=True, order=True)
class Ref:
    """A reference to an artefact, or to an item in it.

    Parameters
    ----------
    kind : str
        The kind of the artefact, one of :data:`KINDS`.
    agency, id, version : str
        Which one.
    item : str
        The id of an item in it; a category is named by its path with dots.

    Examples
    --------
    >>> Ref("codelist", "SDMX", "CL_SEX", "2.1", "F").urn
    'urn:sdmx:org.sdmx.infomodel.codelist.Code=SDMX:CL_SEX(2.1).F'
    >>> print(Ref("dataflow", "UNGP", "DF_SDG", "1.0"))
    UNGP:DF_SDG(1.0)
    """

    kind: str
    agency: str
    id: str
    version: str = "1.0"
    item: str = ""

    def __str__(self) -> str:
        return f"{self.agency}:{self.id}({self.version})" + (f".{self.item}" if self.item else "")

    @property
    def urn(self) -> str:
        """The uniform resource name."""
        package, scheme, item = KINDS[self.kind]
        return f"urn:sdmx:org.sdmx.infomodel.{package}.{item if self.item else scheme}={self}"

    @property
    def artefact(self) -> Ref:
        """The artefact itself, without the item."""
        return Ref(self.kind, self.agency, self.id, self.version)


def parse_urn(urn: str) -> Ref:
    """Read a URN of SDMX.

    Parameters
    ----------
    urn : str
        Such as ``urn:sdmx:org.sdmx.infomodel.codelist.Codelist=SDMX:CL_SEX(2.1)``.

    Raises
    ------
    BadData
        When it is none, or of a kind that is not known.

    Examples
    --------
    >>> parse_urn("urn:sdmx:org.sdmx.infomodel.conceptscheme.Concept=SDMX:CROSS_DOMAIN(2.0).FREQ").item
    'FREQ'
    """
    found = URN.fullmatch(urn.strip())
    if not found or found["cls"] not in BY_CLASS:
        raise BadData(f"{urn!r} is not a URN of a kind that is known.", remedy="Write urn:sdmx:org.sdmx.infomodel.….")
    return Ref(BY_CLASS[found["cls"]], found["agency"], found["id"], found["version"], found["item"] or "")


def parse_reference(text: str, kind: str = "dataflow") -> Ref:
    """Read a reference as data messages write it.

    Parameters
    ----------
    text : str
        Such as ``UNGP:DF_SDG(1.0)``.
    kind : str
        The kind of the artefact.

    Raises
    ------
    BadCall
        When it is none.

    Examples
    --------
    >>> parse_reference("UNGP:DF_SDG(1.0)").id
    'DF_SDG'
    """
    found = REFERENCE.fullmatch(text.strip())
    if not found:
        raise BadCall(f"{text!r} is not a reference.", remedy="Write AGENCY:ID(VERSION), such as UNGP:DF_SDG(1.0).")
    return Ref(kind, found["agency"], found["id"], found["version"])


def in_language(text: Text, languages: tuple[str, ...] = ("en",)) -> str:
    """Choose the words in the first of several languages; English, else whichever there is, when none of them is.

    Parameters
    ----------
    text : mapping of str to str
        Words by language.
    languages : tuple of str
        What the reader prefers, best first; ``fr`` takes ``fr-CH`` too, and the other way round.

    Examples
    --------
    >>> in_language({"en": "Area", "fr": "Zone"}, ("fr-CH", "en")), in_language({"ar": "منطقة"}), in_language({})
    ('Zone', 'منطقة', '')
    """
    for language in (*languages, "en"):
        if language in text:
            return text[language]
        broad = language.partition("-")[0]
        found = next((one for one in text if one.partition("-")[0] == broad), None)
        if found:
            return text[found]
    return next(iter(text.values()), "")


# --- what artefacts are made of -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Annotation:
    """A remark on an artefact or an item, for readers or programs."""

    id: str = ""
    type: str = ""
    title: str = ""
    url: str = ""
    text: Text = field(default_factory=dict)
    value: str = ""


@dataclass(frozen=True)
class Representation:
    """What the values of a component or concept may be: the codes of a list, or text of a type.

    Parameters
    ----------
    codelist : Ref, optional
        The code list or value list.
    type : str
        The data type as SDMX names it (``String``, ``Double``, ``ObservationalTimePeriod``); empty where not said.
    facets : mapping of str to str
        What else is said, by the names of SDMX-ML: ``minLength``, ``maxLength``, ``pattern``, ``decimals``,
        ``minValue``, ``maxValue``, ``isMultiLingual`` …
    min_occurs, max_occurs : int or None
        How many values one observation may have; None is any number.
    """

    codelist: Ref | None = None
    type: str = ""
    facets: Mapping[str, str] = field(default_factory=dict)
    min_occurs: int = 1
    max_occurs: int | None = 1


@dataclass(frozen=True)
class Item:
    """An item of a scheme: a code, category, agency.

    ``parent`` is the id of the item above it in the same scheme (for categories the path with dots); empty at the top.
    """

    id: str
    name: Text = field(default_factory=dict)
    description: Text = field(default_factory=dict)
    parent: str = ""
    annotations: tuple[Annotation, ...] = ()


@dataclass(frozen=True)
class Concept(Item):
    """A concept, with the representation that components take where they have none of their own."""

    representation: Representation | None = None


@dataclass(frozen=True)
class Extension:
    """A code list that another takes codes from (SDMX 3.0)."""

    codelist: Ref
    prefix: str = ""
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()


@dataclass(frozen=True)
class Definition:
    """A dimension, the time dimension or a measure of a data structure.

    Parameters
    ----------
    id : str
        The id, such as ``REF_AREA``.
    role : {"dimension", "time", "measure", "attribute"}
        What it does.
    concept : Ref
        What it means.
    representation : Representation, optional
        What its values may be; that of the concept where it is none.
    required : bool
        Whether a value must be there.
    annotations : tuple of Annotation
        Remarks.
    """

    id: str
    role: str
    concept: Ref
    representation: Representation | None = None
    required: bool = True
    annotations: tuple[Annotation, ...] = ()


@dataclass(frozen=True)
class Attribute(Definition):
    """An attribute, and what it is said of.

    ``attachment`` is what a value is said of: each ``observation``, all that share some dimensions (``series``), a
    named ``group``, or the data set (``dataflow``). ``dimensions`` are those of the series or the group, ``group`` is
    the group's id, and ``measures`` those that it is said of where there are several (SDMX 3.0).
    """

    attachment: str = "observation"
    dimensions: tuple[str, ...] = ()
    group: str = ""
    measures: tuple[str, ...] = ()


@dataclass(frozen=True)
class Group:
    """Some dimensions under a name, to which attributes can be attached."""

    id: str
    dimensions: tuple[str, ...]


@dataclass(frozen=True)
class Region:
    """A part of what a data structure can hold: values by component.

    ``values`` has codes by component; ``cascade`` the components whose values mean all codes below them too.
    ``periods`` has the first and last period by component of time, empty where that side is open.
    """

    include: bool = True
    values: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    cascade: frozenset[str] = frozenset()
    periods: Mapping[str, tuple[str, str]] = field(default_factory=dict)


@dataclass(frozen=True)
class Node:
    """A place in a hierarchy: a code of some list, and the places below it."""

    id: str
    code: Ref
    children: tuple[Node, ...] = ()


# --- the artefacts --------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Artefact:
    """What all artefacts have.

    ``is_external`` says that only the envelope is here and the rest at ``structure_url``.
    """

    kind: str
    agency: str
    id: str
    version: str = "1.0"
    name: Text = field(default_factory=dict)
    description: Text = field(default_factory=dict)
    annotations: tuple[Annotation, ...] = ()
    is_final: bool = False
    is_external: bool = False
    structure_url: str = ""
    valid_from: str = ""
    valid_to: str = ""

    @property
    def ref(self) -> Ref:
        """The reference of this artefact."""
        return Ref(self.kind, self.agency, self.id, self.version)

    def references(self) -> tuple[Ref, ...]:
        """Give the artefacts that this one names, each once (the edges of the graph of references)."""
        return ()


@dataclass(frozen=True)
class Scheme(Artefact):
    """A list of items: codes, concepts, categories, organisations. ``partial`` says that it holds some of them only."""

    items: tuple[Item, ...] = ()
    partial: bool = False
    extends: tuple[Extension, ...] = ()

    def references(self) -> tuple[Ref, ...]:
        """Give the code lists of concepts, and those that a code list extends."""
        used = [one.representation.codelist for one in self.items if isinstance(one, Concept) and one.representation]
        return _artefacts(*used, *(one.codelist for one in self.extends))


@dataclass(frozen=True)
class DataStructure(Artefact):
    """A data structure definition: dimensions in order, the time dimension last, then measures and attributes."""

    components: tuple[Definition, ...] = ()
    groups: tuple[Group, ...] = ()

    def references(self) -> tuple[Ref, ...]:
        """Give the concept schemes and code lists of the components."""
        lists = (one.representation.codelist for one in self.components if one.representation)
        return _artefacts(*(one.concept for one in self.components), *lists)


@dataclass(frozen=True)
class Dataflow(Artefact):
    """A dataflow: data of one structure, as one office publishes them."""

    structure: Ref | None = None

    def references(self) -> tuple[Ref, ...]:
        """Give the data structure."""
        return _artefacts(self.structure)


@dataclass(frozen=True)
class Constraint(Artefact):
    """Which values are allowed in (``allowed``) or present in (``actual``) what it is attached to."""

    role: str = "allowed"
    attached: tuple[Ref, ...] = ()
    regions: tuple[Region, ...] = ()

    def references(self) -> tuple[Ref, ...]:
        """Give what it is attached to."""
        return _artefacts(*self.attached)


@dataclass(frozen=True)
class Hierarchy(Artefact):
    """Codes of several lists in one order of above and below."""

    nodes: tuple[Node, ...] = ()

    def references(self) -> tuple[Ref, ...]:
        """Give the code lists."""

        def walk(nodes: tuple[Node, ...]) -> list[Ref]:
            return [ref for node in nodes for ref in (node.code, *walk(node.children))]

        return _artefacts(*walk(self.nodes))


@dataclass(frozen=True)
class ProvisionAgreement(Artefact):
    """Who provides data for which dataflow."""

    dataflow: Ref | None = None
    provider: Ref | None = None

    def references(self) -> tuple[Ref, ...]:
        """Give the dataflow and the scheme of the provider."""
        return _artefacts(self.dataflow, self.provider)


@dataclass(frozen=True)
class Categorisation(Artefact):
    """An artefact put under a category."""

    source: Ref | None = None
    target: Ref | None = None

    def references(self) -> tuple[Ref, ...]:
        """Give the artefact and the category scheme."""
        return _artefacts(self.source, self.target)


def _artefacts(*refs: Ref | None) -> tuple[Ref, ...]:
    return tuple(dict.fromkeys(ref.artefact for ref in refs if ref))
