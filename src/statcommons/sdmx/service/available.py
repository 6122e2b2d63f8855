"""Answers to queries of availability: a constraint that holds the values for which there are data, and no others."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from statcommons.core.errors import BadCall, nearest
from statcommons.sdmx.model import Annotation, Artefact, Constraint, Region, Scheme
from statcommons.sdmx.query.data import Availability
from statcommons.sdmx.service.asked import Asked
from statcommons.sdmx.service.data import queries, with_facts
from statcommons.sdmx.service.exchange import Response
from statcommons.sdmx.service.structures import structure_message
from statcommons.sdmx.structure import Structure
from statcommons.sdmx.structures.items import narrowed
from statcommons.sdmx.structures.registry import Artefacts, ask

if TYPE_CHECKING:
    from statcommons.sdmx.store import Store

KINDS = ("dataflow", "datastructure", "conceptscheme", "codelist", "valuelist", "dataproviderscheme")
"""What can come along with the constraint."""

METRICS = "sdmx_metrics"
"""The type of annotation in which software of several offices looks for numbers of observations and series."""


def answer_availability(store: Store, asked: Asked) -> Response:
    """Answer a query of availability.

    Parameters
    ----------
    store : Store
        Where the data are.
    asked : Asked
        What is asked for.

    Raises
    ------
    StatCommonsError
        When the query cannot be answered.
    """
    kinds = _kinds(asked.parameters.references)
    several = queries(store, asked)
    facts = with_facts(store, several)
    tag = asked.tag(facts)
    if kept := asked.unchanged(facts, tag):
        return kept
    told: dict[object, Artefact] = {}
    for query in several:
        structure = store.structure(query.flow)
        components = _components(structure, asked)
        found = store.availability(query, asked.parameters.mode, components)
        constraint = constraint_of(structure, found)
        told |= {one.ref: one for one in (constraint, *_along(store.artefacts, structure, found, kinds))}
    header = asked.header(facts, tag, several[0].flow.agency if several else "SC")
    return asked.answer([structure_message(asked, tuple(told.values()), header)], facts, tag)


def constraint_of(structure: Structure, found: Availability) -> Constraint:
    """Say what is available as a constraint.

    Parameters
    ----------
    structure : Structure
        Of the dataflow.
    found : Availability
        What is available.

    Returns
    -------
    Constraint
        One region with the codes by dimension and the first and last period; the numbers of observations and series as
        annotations ``obs_count`` and ``series_count``.
    """
    flow, time = structure.flow, structure.time
    values = {id: codes for id, codes in found.values.items() if codes}
    periods = {time.id: (found.periods[0].text, found.periods[-1].text)} if time and found.periods else {}
    return Constraint(
        "dataconstraint",
        flow.agency,
        f"CR_A_{flow.id}",
        flow.version,
        {"en": f"Availability of {flow.id}"},
        annotations=(
            Annotation("obs_count", METRICS, str(found.observations)),
            Annotation("series_count", METRICS, str(found.series)),
        ),
        role="actual",
        attached=(flow,),
        regions=(Region(True, values, periods=periods),),
    )


def _kinds(words: Iterable[str]) -> frozenset[str]:
    known = {"none": (), "all": KINDS} | {kind: (kind,) for kind in KINDS}
    for word in words:
        if word not in known:
            raise BadCall(f"{word!r} does not come along.", where="references", remedy=nearest(word, list(known)))
    return frozenset(kind for word in words for kind in known[word])


def _components(structure: Structure, asked: Asked) -> tuple[str, ...] | None:
    """Read the components whose availability is asked for; none is all."""
    text = asked.route.component
    if text in ("", "all", "*"):
        return None
    words = tuple(text.split("+" if asked.route.rest == 1 else ","))
    known = [one.id for one in structure.dimensions]
    for word in words:
        if word not in known:
            raise BadCall(f"{word!r} is no dimension of {structure.flow}.", where="path", remedy=nearest(word, known))
    return words


def _along(
    artefacts: Artefacts, structure: Structure, found: Availability, kinds: frozenset[str]
) -> Iterator[Artefact]:
    """Give what comes along, code lists with the available codes and those above them only."""
    if not kinds:
        return
    flow = structure.flow
    named = ask(artefacts, "dataflow", flow.agency, flow.id, flow.version, detail="referencepartial", references="all")
    used: dict[object, set[str]] = {}
    for one in structure.with_role("dimension"):
        if one.codelist and one.id in found.values:
            used.setdefault(one.codelist, set()).update(found.values[one.id])
    for artefact in named:
        whole = artefacts.resolve(artefact.ref) if artefact.ref in used else None
        if artefact.kind in kinds:
            yield narrowed(whole, used[artefact.ref]) if isinstance(whole, Scheme) else artefact
