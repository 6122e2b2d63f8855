"""SDMX-JSON structure messages read: 1.0, 2.0 and 2.1 by the same rules."""

from __future__ import annotations

import codecs
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeAlias

import msgspec

from statcommons.core.errors import BadData
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
    Group,
    Hierarchy,
    Item,
    Node,
    ProvisionAgreement,
    Ref,
    Region,
    Scheme,
)
from statcommons.sdmx.structures import json_shapes as shapes
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
from statcommons.sdmx.structures.json_parts import Reading, decoded

__all__ = ["read_structures_json"]


def read_structures_json(source: bytes | Path | str, where: str = "message") -> tuple[Artefact, ...]:
    """Read a structure message in SDMX-JSON 1.0, 2.0 or 2.1.

    What the model does not hold is passed over and told by a notice, as ``read_structures_ml`` does it, which also
    says how hierarchical code lists become hierarchies. A name that is given in no particular language is in the first
    that the message says it is written in, else in English.

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
        When it is no such message, with the line or the place in it.
    NoInput
        When the file cannot be opened.

    Examples
    --------
    >>> read_structures_json(b'{"data": {"dataSets": []}}')
    Traceback (most recent call last):
    statcommons.core.errors.BadData: message: This is not a structure message of SDMX-JSON: it has dataSets. ...
    """
    data, where = content(source, where)
    data = data.removeprefix(codecs.BOM_UTF8)
    message = decoded(data, shapes.JMessage, where, data)
    groups = message.data or {}
    if message.data is None or {"dataSets", "structure", "structures", "metadataSets"} & groups.keys():
        what = ", ".join(groups) or "no part called data"
        raise BadData(
            f"This is not a structure message of SDMX-JSON: it has {what}.",
            where=where,
            remedy="Give a structure message; read data with statcommons.sdmx.read.",
        )
    languages = message.meta.content_languages
    reading = _Reader(where, languages[0] if languages else "en")
    found: list[Artefact] = []
    try:
        for name, raw in groups.items():
            found += reading.group(name, raw, data)
    except RecursionError:
        raise BadData("The message is nested too deep.", where=where, remedy="Give a flatter one.") from None
    if not found:
        raise nothing_held(reading.passed, where)
    tell_what_is_not_held(reading.passed, where)
    return tuple(found)


class _Reader(Reading):
    """Reads each kind of artefact."""

    def group(self, name: str, raw: msgspec.Raw, whole: bytes) -> Iterator[Artefact]:
        """Read the artefacts of one kind."""
        if name not in READERS:
            self.passed[name] += 1
            return
        shape, read = READERS[name]
        several: Any = list[shape]  # type: ignore[valid-type]
        for one in decoded(raw, several, f"{self.where}, {name}", whole):
            yield from read(self, name, one)

    # --- schemes ---

    def scheme(self, group: str, one: shapes.JScheme) -> Iterator[Artefact]:
        kind = group.lower().removesuffix("s")
        given: list[shapes.JItem] = getattr(one, ITEMS[kind])
        if kind == "categoryscheme":
            items = tuple(self.categories(given, ""))
        elif kind == "conceptscheme":
            items = tuple(
                Concept(**self.item(item), representation=self.representation(item.core_representation))
                for item in given
            )
        else:
            items = tuple(Item(**self.item(item)) for item in given)
        extends = tuple(self.extension(extension) for extension in one.codelist_extensions)
        yield Scheme(kind, **self.envelope(one), items=items, partial=one.is_partial, extends=extends)

    def item(self, one: shapes.JItem) -> dict[str, Any]:
        parent = one.parent
        if parent.startswith("urn:"):
            parent = self.required(parent, f"The parent of {one.id}").item
        return {**self.nameable(one), "parent": parent}

    def categories(self, several: list[shapes.JItem], above: str) -> Iterator[Item]:
        for one in several:
            yield Item(**{**self.item(one), "parent": above})
            yield from self.categories(one.categories, f"{above}.{one.id}" if above else one.id)

    def extension(self, one: shapes.JExtension) -> Extension:
        included, excluded = map(_selected, (one.inclusive_code_selection, one.exclusive_code_selection))
        return Extension(self.required(one.codelist, "A code list extension"), one.prefix, included, excluded)

    # --- data structures and their uses ---

    def data_structure(self, _: str, one: shapes.JDataStructure) -> Iterator[Artefact]:
        said = one.data_structure_components
        components: list[Definition] = []
        if said:
            dimensions, measures = said.dimension_list, said.measure_list or shapes.JList()
            time = [*dimensions.time_dimensions, *filter(None, [dimensions.time_dimension])]
            primary = list(filter(None, [measures.primary_measure]))
            plain = [*dimensions.dimensions, *dimensions.measure_dimensions]
            if all(given.position is not None for given in plain):
                plain.sort(key=lambda given: given.position or 0)
            components += (Definition(**self.about("dimension", given)) for given in plain)
            components += (Definition(**self.about("time", given)) for given in time)
            components += (Definition(**self.about("measure", given)) for given in primary)
            components += (
                Definition(**self.about("measure", given), required=given.usage == "mandatory")
                for given in measures.measures
            )
            times = {component.id for component in components if component.role == "time"}
            listed = said.attribute_list or shapes.JList()
            attributes = [*listed.attributes, *listed.reporting_year_start_days]
            components += (self.attribute(given, times) for given in attributes)
            self.passed.update("metadata attribute" for _ in listed.metadata_attribute_usages)
        groups = tuple(Group(group.id, tuple(group.group_dimensions)) for group in (said.groups if said else ()))
        yield DataStructure("datastructure", **self.envelope(one), components=in_order(components), groups=groups)

    def about(self, role: str, one: shapes.JComponent) -> dict[str, Any]:
        concept = self.required(one.concept_identity, f"The concept identity of {one.id}")
        return {
            "id": one.id or concept.item,
            "role": role,
            "concept": concept,
            "representation": self.representation(one.local_representation),
            "annotations": self.annotations(one.annotations),
        }

    def attribute(self, one: shapes.JAttribute, times: set[str]) -> Attribute:
        relation = one.attribute_relationship or shapes.JRelation()
        named = {name for name in ("none", "dataflow", "group") if getattr(relation, name) not in (None, "")}
        return Attribute(
            **self.about("attribute", one),
            required=(one.usage or one.assignment_status).lower() == "mandatory",
            attachment=attachment(named, relation.dimensions, times),
            dimensions=tuple(relation.dimensions),
            group=relation.group or next(iter(relation.attachment_groups), ""),
            measures=tuple(one.measure_relationship),
        )

    def dataflow(self, _: str, one: shapes.JDataflow) -> Iterator[Artefact]:
        yield Dataflow("dataflow", **self.envelope(one), structure=self.ref(one.structure))

    def categorisation(self, _: str, one: shapes.JCategorisation) -> Iterator[Artefact]:
        source, target = self.ref(one.source), self.ref(one.target)
        yield Categorisation("categorisation", **self.envelope(one), source=source, target=target)

    def agreement(self, _: str, one: shapes.JAgreement) -> Iterator[Artefact]:
        dataflow, provider = self.ref(one.dataflow or one.structure_usage), self.ref(one.data_provider)
        yield ProvisionAgreement("provisionagreement", **self.envelope(one), dataflow=dataflow, provider=provider)

    # --- constraints ---

    def constraint(self, group: str, one: shapes.JConstraint) -> Iterator[Artefact]:
        default = "Actual" if group == "contentConstraints" else "Allowed"
        self.passed.update("DataKeySet" for _ in one.data_key_sets)
        yield Constraint(
            "dataconstraint",
            **self.envelope(one),
            role=(one.role or one.type or default).lower(),
            attached=self.attached(one),
            regions=tuple(region for given in one.cube_regions for region in self.regions(given)),
        )

    def availability(self, _: str, one: shapes.JConstraint) -> Iterator[Artefact]:
        attached = self.attached(one)
        if not attached:
            raise BadData("An availability constraint does not say of what.", where=self.where, remedy="Mend it.")
        yield availability(
            attached,
            self.annotations(one.annotations),
            {"series_count": one.series_count, "obs_count": one.obs_count},
            tuple(self.regions(one.cube_region)) if one.cube_region else (),
        )

    def attached(self, one: shapes.JConstraint) -> tuple[Ref, ...]:
        said = one.constraint_attachment or shapes.JAttachment()
        single = [said.data_structure, said.dataflow, said.provision_agreement, said.data_provider]
        urns = [*said.data_structures, *said.dataflows, *said.provision_agreements, *single]
        return tuple(ref for ref in map(self.ref, urns) if ref)

    def regions(self, one: shapes.JRegion) -> Iterator[Region]:
        members = [*one.key_values, *one.components, *one.attributes]
        values: dict[str, tuple[str, ...]] = {}
        without: dict[str, tuple[str, ...]] = {}
        cascade = set()
        periods = {}
        for member in members:
            if member.time_range:
                periods[member.id] = self.range(member.time_range)
                continue
            given = [value if isinstance(value, shapes.JValue) else shapes.JValue(value) for value in member.values]
            spelled = (value.value for value in given)
            (values if member.include else without)[member.id] = (*spelled, *member.cascade_values)
            if member.cascade_values or any(value.cascade_values for value in given):
                cascade.add(member.id)
        include = one.is_included if one.include is None else one.include
        return regions(include is not False, values, without, cascade, periods)

    def range(self, one: shapes.JRange) -> tuple[str, str]:
        first, last = one.start_period or one.after_period, one.end_period or one.before_period
        if any(end and end.is_inclusive is False for end in (first, last)):
            self.passed["isInclusive=false of a time range, read as inclusive"] += 1
        return first.period if first else "", last.period if last else ""

    # --- hierarchies ---

    def hierarchy(self, _: str, one: shapes.JHierarchy) -> Iterator[Artefact]:
        yield Hierarchy("hierarchy", **self.envelope(one), nodes=self.nodes(one.hierarchical_codes, {}))

    def hierarchical_codelist(self, _: str, one: shapes.JHierarchicalCodelist) -> Iterator[Artefact]:
        envelope = self.envelope(one)
        aliases = {alias: urn for alias, urn in one.included_codelists.items() if isinstance(urn, str)}
        if not one.hierarchies:
            yield Hierarchy("hierarchy", **envelope)
        for given in one.hierarchies:
            own = {name: value for name, value in self.nameable(given).items() if value}
            id = hierarchy_id(one.id, given.id, only=len(one.hierarchies) == 1)
            nodes = self.nodes(given.hierarchical_codes, aliases)
            yield Hierarchy("hierarchy", **{**envelope, **own, "id": id}, nodes=nodes)

    def nodes(self, several: list[shapes.JHierarchicalCode], aliases: dict[str, str]) -> tuple[Node, ...]:
        return tuple(
            Node(one.id, self.code(one, aliases), self.nodes(one.hierarchical_codes, aliases)) for one in several
        )

    def code(self, one: shapes.JHierarchicalCode, aliases: dict[str, str]) -> Ref:
        what = f"The place {one.id} of the hierarchy"
        if one.codelist_alias_ref and not one.code:
            return replace(self.required(aliases.get(one.codelist_alias_ref, ""), what), item=one.code_id)
        return self.required(one.code, what)


def _selected(one: shapes.JSelection | None) -> tuple[str, ...]:
    if not one:
        return ()
    plain = (code.value if isinstance(code, shapes.JCode) else code for code in one.member_values)
    return (*plain, *one.wildcarded_member_values)


ITEMS = {
    "agencyscheme": "agencies",
    "dataproviderscheme": "data_providers",
    "dataconsumerscheme": "data_consumers",
    "organisationunitscheme": "organisation_units",
    "codelist": "codes",
    "valuelist": "value_items",
    "conceptscheme": "concepts",
    "categoryscheme": "categories",
}
"""The name of the items of each kind of scheme."""

Read: TypeAlias = Callable[[_Reader, str, Any], Iterable[Artefact]]
READERS: dict[str, tuple[type[shapes.JMaintainable], Read]] = {
    **dict.fromkeys(
        (
            "agencySchemes",
            "dataProviderSchemes",
            "dataConsumerSchemes",
            "organisationUnitSchemes",
            "codelists",
            "valueLists",
            "conceptSchemes",
            "categorySchemes",
        ),
        (shapes.JScheme, _Reader.scheme),
    ),
    "dataStructures": (shapes.JDataStructure, _Reader.data_structure),
    "dataflows": (shapes.JDataflow, _Reader.dataflow),
    "categorisations": (shapes.JCategorisation, _Reader.categorisation),
    "provisionAgreements": (shapes.JAgreement, _Reader.agreement),
    "contentConstraints": (shapes.JConstraint, _Reader.constraint),
    "dataConstraints": (shapes.JConstraint, _Reader.constraint),
    "availabilityConstraints": (shapes.JConstraint, _Reader.availability),
    "hierarchies": (shapes.JHierarchy, _Reader.hierarchy),
    "hierarchicalCodelists": (shapes.JHierarchicalCodelist, _Reader.hierarchical_codelist),
}
"""How each group of a message is read."""
