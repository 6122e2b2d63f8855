"""Schemes cut to what is used of them: the value ``referencepartial`` of the parameter ``detail``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from statcommons.sdmx.model import (
    Artefact,
    Concept,
    Constraint,
    DataStructure,
    Definition,
    Hierarchy,
    Ref,
    Region,
    Scheme,
)
from statcommons.sdmx.structures.items import below, narrowed
from statcommons.sdmx.structures.references import Found, Graph, items_named

__all__ = ["allowed_codes"]


def used_only(referenced: Found, asked: Found, graph: Graph) -> Found:
    """Cut the schemes that artefacts refer to.

    A concept scheme keeps the concepts of the data structures that are there; a scheme of categories or organisations
    those that are named, a scheme of agencies those that maintain something; a code list the codes that constraints on
    what was asked for allow, or that hierarchies name. What stands above a code is kept with it. A list of which
    nothing is said stays whole.

    Parameters
    ----------
    referenced, asked : Found
        What a query brings along, and what it asks for.
    graph : Graph
        What there is.

    Returns
    -------
    Found
        What is brought along, cut.
    """
    users = (*asked.values(), *referenced.values())
    codes = _codes_used(asked, graph)

    def used(scheme: Scheme) -> set[str] | None:
        if scheme.kind == "agencyscheme":
            return {_unit(user.agency, scheme.agency) for user in users}
        if scheme.kind in ("codelist", "valuelist"):
            return codes.get(scheme.ref)
        return {name for user in users for name in items_named(user, scheme.ref)} or None

    cut = dict(referenced)
    for ref, one in referenced.items():
        if isinstance(one, Scheme) and (wanted := used(one)) is not None:
            cut[ref] = narrowed(one, wanted)
    return cut


def allowed_codes(constraints: Iterable[Constraint], component: str, codelist: Scheme) -> set[str] | None:
    """Give the codes of a component that constraints allow.

    Parameters
    ----------
    constraints : iterable of Constraint
        Those that hold together; one that says what is present, not what is allowed, is passed over.
    component : str
        The id of the component.
    codelist : Scheme
        Its codes.

    Returns
    -------
    set of str or None
        None where every code is allowed.

    Examples
    --------
    >>> from statcommons.sdmx.model import Item, Region
    >>> sexes = Scheme("codelist", "UN", "CL_SEX", items=(Item("F"), Item("M"), Item("X")))
    >>> no_x = Constraint("dataconstraint", "UN", "NO_X", regions=(Region(False, {"SEX": ("X",)}),))
    >>> sorted(allowed_codes([no_x], "SEX", sexes))
    ['F', 'M']
    """
    limits = [
        one for one in constraints if one.role == "allowed" and any(component in part.values for part in one.regions)
    ]
    if not limits:
        return None
    every = {item.id for item in codelist.items}
    left = set(every)
    for one in limits:
        included = [region for region in one.regions if region.include]
        if included and all(component in region.values for region in included):
            left &= {code for region in included for code in _values(region, component, codelist)}
        for region in one.regions:  # one that says more than this component takes away no code as a whole
            if not region.include and set(region.values) == {component} and not region.periods:
                left -= _values(region, component, codelist)
    return None if left == every else left


def _values(region: Region, component: str, codelist: Scheme) -> frozenset[str]:
    values = region.values[component]
    return below(codelist, values) if component in region.cascade else frozenset(values)


def _codes_used(asked: Found, graph: Graph) -> Mapping[Ref, set[str] | None]:
    """Give the codes that are used of each list, by anything that is asked for."""
    used: dict[Ref, set[str] | None] = {}
    for one in asked.values():
        for codelist, codes in _codes_used_by(one, graph):
            before = used.get(codelist, set())
            used[codelist] = None if codes is None or before is None else before | codes
    return used


def _codes_used_by(one: Artefact, graph: Graph) -> Iterator[tuple[Ref, set[str] | None]]:
    scope = {one.ref: one, **graph.descendants([one])}
    constraints = graph.constraints(scope.values())
    for user in scope.values():
        if isinstance(user, Hierarchy):
            yield from ((ref, set(items_named(user, ref))) for ref in user.references())
        if isinstance(user, DataStructure):
            for component in user.components:
                codelist = _codelist(component, graph)
                if codelist:
                    yield codelist.ref, allowed_codes(constraints, component.id, codelist)


def _codelist(component: Definition, graph: Graph) -> Scheme | None:
    """Find the codes of a component: its own, or those of its concept."""
    shown = component.representation
    if not shown:
        scheme = graph.find(component.concept)
        items = scheme.items if isinstance(scheme, Scheme) else ()
        shown = next(
            (item.representation for item in items if isinstance(item, Concept) and item.id == component.concept.item),
            None,
        )
    found = graph.find(shown.codelist) if shown and shown.codelist else None
    return found if isinstance(found, Scheme) else None


def _unit(agency: str, above: str) -> str:
    """Name an agency as the scheme of the agency above it does; nothing where it is not in there."""
    if above == "SDMX":
        return agency.partition(".")[0]
    return agency.removeprefix(f"{above}.").partition(".")[0] if agency.startswith(f"{above}.") else ""
