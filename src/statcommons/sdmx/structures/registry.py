"""The answers to queries of structures, by REST 1.5 and 2.x."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace
from typing import Literal, TypeAlias, get_args
from urllib.parse import unquote

from statcommons.core.errors import BadCall, nearest
from statcommons.sdmx.model import KINDS, SCHEMES, Artefact, Constraint, Ref, Scheme
from statcommons.sdmx.query.versions import matching_versions
from statcommons.sdmx.structures.collection import Artefacts, agency_schemes
from statcommons.sdmx.structures.items import narrowed
from statcommons.sdmx.structures.partial import used_only
from statcommons.sdmx.structures.references import DIRECTIONS, Found, Graph

__all__ = ["Artefacts", "StructureDetail", "ask", "kinds_of"]

StructureDetail: TypeAlias = Literal[
    "full", "allstubs", "referencestubs", "allcompletestubs", "referencecompletestubs", "referencepartial", "raw"
]
"""How much of artefacts: see the values of ``detail`` in SDMX REST 2.2, structure queries."""

DETAILS = get_args(StructureDetail)
EVERY: frozenset[str] = frozenset({"", "*", "all"})
OTHER_NAMES = {
    "contentconstraint": ("dataconstraint",),
    "actualconstraint": ("dataconstraint",),
    "allowedconstraint": ("dataconstraint",),
    "hierarchicalcodelist": ("hierarchy",),
    "organisationscheme": ("agencyscheme", "dataproviderscheme", "dataconsumerscheme", "organisationunitscheme"),
    **dict.fromkeys(("structure", "all", "*"), tuple(KINDS)),
}
"""What REST 1.5 calls otherwise, and the words for every kind."""

NOT_HELD = {
    "attachmentconstraint",
    "categoryschememap",
    "conceptschememap",
    "customtypescheme",
    "hierarchyassociation",
    "metadataconstraint",
    "metadataflow",
    "metadataproviderscheme",
    "metadataprovisionagreement",
    "metadatastructure",
    "namealiasscheme",
    "namepersonalisationscheme",
    "organisationschememap",
    "process",
    "reportingtaxonomy",
    "reportingtaxonomymap",
    "representationmap",
    "rulesetscheme",
    "structuremap",
    "structureset",
    "transformationscheme",
    "userdefinedoperatorscheme",
    "vtlmappingscheme",
}
"""Kinds of artefacts that may be asked for and are never there."""


def ask(
    artefacts: Artefacts,
    kind: str = "*",
    agencies: str = "",
    ids: str = "",
    versions: str = "",
    items: str = "",
    *,
    detail: str = "full",
    references: str = "none",
    rest: Literal[1, 2] = 2,
) -> tuple[Artefact, ...]:
    """Answer a query of structures.

    Parameters
    ----------
    artefacts : Artefacts
        What there is.
    kind : str
        The resource, such as ``codelist``; the names of REST 1.5 and 2.x are known in both.
    agencies, ids, versions, items : str
        The parts of the path as they stand there, decoded or not: several are joined by ``+`` in REST 1.5 and ``,`` in
        REST 2.x; the empty text is the default of each. Items are called as in references: categories by their path.
    detail : str
        One of :data:`StructureDetail`.
    references : str
        A direction (``none``, ``parents``, ``parentsandsiblings``, ``ancestors``, ``children``, ``descendants``,
        ``all``) or kinds of artefacts, joined as above. A kind asks for all of this kind that are reached by ``all`` or
        ``ancestors``.
    rest : {1, 2}
        The version of REST: it decides on separators, versions and defaults.

    Returns
    -------
    tuple of Artefact
        What was asked for, then what it refers to; empty where there is nothing, which is ``404``.

    Raises
    ------
    BadCall
        When a parameter cannot be read, or items are asked of what has none.

    References
    ----------
    SDMX REST 2.2, structure queries; SDMX REST 1.5, structural metadata queries.

    Examples
    --------
    >>> from statcommons.sdmx.model import Item
    >>> sexes = Scheme("codelist", "SDMX", "CL_SEX", "2.1", items=(Item("F"), Item("M")))
    >>> [found] = ask(Artefacts([sexes]), "codelist", "SDMX", "CL_SEX", items="F")
    >>> [item.id for item in found.items], found.partial
    (['F'], True)
    >>> ask(Artefacts([sexes]), "codelists")
    Traceback (most recent call last):
    statcommons.core.errors.BadCall: structure: There is no kind 'codelists'. Did you mean 'codelist'?
    """
    if detail not in DETAILS:
        raise BadCall(f"{detail!r} is no detail.", where="detail", remedy=nearest(detail, DETAILS))
    wanted = frozenset(_several(items, rest)) - EVERY
    asked = {one.ref: one for one in _matching(artefacts, kind, (agencies, ids, versions), rest)}
    if detail != "raw":
        asked = {ref: artefacts.resolve(ref) or one for ref, one in asked.items()}
    if wanted:
        asked = _with_items(asked, kind, wanted)
    graph = Graph(artefacts, raw=detail == "raw", items_of=dict.fromkeys(asked, wanted) if wanted else {})
    referenced = _referenced(artefacts, graph, asked, _several(references, rest) or ("none",))
    if detail == "referencepartial":
        referenced = used_only(referenced, asked, graph)
    complete = "complete" in detail
    if detail in ("allstubs", "allcompletestubs"):
        asked = {ref: _stub(one, complete=complete) for ref, one in asked.items()}
    if detail.endswith("stubs"):
        referenced = {ref: _stub(one, complete=complete) for ref, one in referenced.items()}
    return (*asked.values(), *referenced.values())


def kinds_of(name: str) -> tuple[str, ...]:
    """Give the kinds of artefacts that a resource of REST 1.5 or 2.x stands for.

    Parameters
    ----------
    name : str
        The resource.

    Returns
    -------
    tuple of str
        Kinds of :data:`statcommons.sdmx.model.KINDS`; none for a resource of the standard that we do not hold.

    Raises
    ------
    BadCall
        When the standard knows no such resource.

    Examples
    --------
    >>> kinds_of("contentconstraint"), kinds_of("process")
    (('dataconstraint',), ())
    """
    if name in NOT_HELD:
        return ()
    if name not in KINDS and name not in OTHER_NAMES:
        raise BadCall(f"There is no kind {name!r}.", where="structure", remedy=nearest(name, [*KINDS, *OTHER_NAMES]))
    return OTHER_NAMES.get(name, (name,))


# --- what is asked for ----------------------------------------------------------------------------------------------


def _several(text: str, rest: Literal[1, 2]) -> tuple[str, ...]:
    """Cut a parameter at its separators."""
    return tuple(one for one in unquote(text).split("+" if rest == 1 else ",") if one)


def _matching(artefacts: Artefacts, kind: str, path: tuple[str, str, str], rest: Literal[1, 2]) -> Iterator[Artefact]:
    """Find what the path asks for; schemes of agencies that nobody maintains are made for who asks for them by name."""
    kinds = kinds_of(kind)
    if kind in ("agencyscheme", "organisationscheme"):
        artefacts = Artefacts([*agency_schemes(artefacts), *artefacts])
    agencies, ids = (frozenset(_several(part, rest)) for part in path[:2])
    version = path[2] or ("latest" if rest == 1 else "~")
    for one in kinds:
        for agency, id in artefacts.ids(one):
            if (agencies <= EVERY or agency in agencies) and (ids <= EVERY or id in ids):
                for exact in matching_versions(version, artefacts.versions(one, agency, id), rest=rest):
                    found = artefacts.find(Ref(one, agency, id, exact))
                    if found and _has_role(found, kind):
                        yield found


def _has_role(one: Artefact, kind: str) -> bool:
    """Tell allowed from actual constraints, which REST 1.5 knows as resources of their own."""
    role = kind.removesuffix("constraint")
    return not isinstance(one, Constraint) or role not in ("actual", "allowed") or one.role == role


def _with_items(asked: Found, kind: str, wanted: Collection[str]) -> Found:
    """Leave in schemes only the items that are asked for; a scheme that has none of them is not meant."""
    if not set(kinds_of(kind)) <= set(SCHEMES):
        raise BadCall(f"A {kind} has no items.", where="structure", remedy=f"Leave out {', '.join(sorted(wanted))}.")
    cut = {ref: replace(narrowed(one, wanted), partial=True) for ref, one in asked.items() if isinstance(one, Scheme)}
    return {ref: one for ref, one in cut.items() if one.items}


def _referenced(artefacts: Artefacts, graph: Graph, asked: Found, names: Iterable[str]) -> Found:
    """Find what comes along with what is asked for."""
    found: Found = {}
    for name in names:
        if name in DIRECTIONS:
            found |= graph.reached(asked.values(), name)
            continue
        kinds = kinds_of(name)
        reached = graph.reached(asked.values(), "all") | graph.reached(asked.values(), "ancestors")
        if "agencyscheme" in kinds:
            reached |= _maintainers(artefacts, asked)
        found |= {ref: one for ref, one in reached.items() if ref.kind in kinds and _has_role(one, name)}
    return {ref: one for ref, one in found.items() if ref not in asked}


def _maintainers(artefacts: Artefacts, asked: Found) -> Found:
    """Give the schemes in which the agencies stand that maintain what is asked for."""
    above = {one.agency.rpartition(".")[0] or "SDMX" for one in asked.values()}
    known = Artefacts([*agency_schemes(artefacts), *artefacts])
    return {one.ref: one for one in known if one.kind == "agencyscheme" and one.agency in above}


def _stub(one: Artefact, *, complete: bool) -> Artefact:
    """Leave the envelope of an artefact."""
    url = one.structure_url
    stub = type(one)(one.kind, one.agency, one.id, one.version, one.name, is_external=True, structure_url=url)
    if not complete:
        return stub
    return replace(
        stub,
        description=one.description,
        annotations=one.annotations,
        is_final=one.is_final,
        valid_from=one.valid_from,
        valid_to=one.valid_to,
    )
