"""Answers to queries of structures and schemas."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from statcommons.core.errors import BadCall, BadData
from statcommons.sdmx.formats.xsd import schema_of
from statcommons.sdmx.message import Header
from statcommons.sdmx.model import Artefact
from statcommons.sdmx.service.asked import Asked
from statcommons.sdmx.service.dataquery import dimension_at
from statcommons.sdmx.service.exchange import Refusal, Response
from statcommons.sdmx.service.flows import named_flows
from statcommons.sdmx.service.offers import STANDARDS
from statcommons.sdmx.structures.json import write_structures_json
from statcommons.sdmx.structures.ml import write_structures_ml
from statcommons.sdmx.structures.registry import ask

if TYPE_CHECKING:
    from statcommons.sdmx.store import Store

OF_SCHEMA = ("datastructure", "codelist", "valuelist", "conceptscheme", "agencyscheme", "dataconstraint")
"""The kinds of artefacts that tell, in the words of structures, what data of a flow may be."""


def answer_structure(store: Store, asked: Asked) -> Response:
    """Answer a query of structures.

    Parameters
    ----------
    store : Store
        Where they are.
    asked : Asked
        What is asked for.

    Raises
    ------
    StatCommonsError
        When there are none (404), or the query cannot be answered.
    """
    route, said = asked.route, asked.parameters
    if said.as_of:
        raise Refusal(501, "What structures were in the past is not kept.", where="asOf", remedy="Leave it out.")
    found = ask(
        store.artefacts,
        route.context,
        route.agency,
        route.id,
        route.version,
        route.item,
        detail=said.detail,
        references=("+" if route.rest == 1 else ",").join(said.references),
        rest=route.rest,
    )
    return _told(store, asked, found)


def answer_schema(store: Store, asked: Asked) -> Response:
    """Answer a query of a schema: an XML schema, or the structures that say the same.

    Parameters
    ----------
    store : Store
        Where the structures are.
    asked : Asked
        What is asked for.

    Raises
    ------
    StatCommonsError
        When there is no such flow (404), or there are several (422).
    """
    flows = named_flows(store.artefacts, asked.route)
    if len(flows) > 1:
        raise BadData(
            f"A schema is of one dataflow, and there are {len(flows)}: {', '.join(map(str, flows[:8]))}.",
            where="path",
            remedy="Name one.",
        )
    family, standard = STANDARDS[asked.choice.offer]
    if family == "xsd":
        facts = store.structure_facts()
        tag = asked.tag(facts)
        if kept := asked.unchanged(facts, tag):
            return kept
        structure = store.structure(flows[0])
        at = dimension_at(structure, asked.parameters.at)
        return asked.answer([schema_of(structure, standard, at)], facts, tag)
    found = ask(
        store.artefacts,
        "dataflow",
        flows[0].agency,
        flows[0].id,
        flows[0].version,
        detail="referencepartial",
        references="all",
    )
    return _told(store, asked, tuple(one for one in found if one.kind in OF_SCHEMA))


def structure_message(asked: Asked, artefacts: Sequence[Artefact], header: Header) -> bytes:
    """Write structures in the format that was chosen.

    Parameters
    ----------
    asked : Asked
        What is asked for.
    artefacts : sequence of Artefact
        The structures.
    header : Header
        The header of the message.

    Raises
    ------
    Refusal
        When the format cannot hold them (406).
    """
    family, standard = STANDARDS[asked.choice.offer]
    try:
        if family == "ml":
            return write_structures_ml(artefacts, standard, header)
        return write_structures_json(artefacts, standard, header, asked.languages)
    except BadCall as error:  # the query is right, and the format cannot say what it finds
        raise Refusal(406, error.what, where=error.where, remedy=error.remedy) from None


def _told(store: Store, asked: Asked, artefacts: tuple[Artefact, ...]) -> Response:
    route, facts = asked.route, store.structure_facts()
    # Clients of REST 1.5 list what there is and take 404 for a fault; those of REST 2.x expect it where nothing is.
    is_list = route.rest == 1 and route.id in ("", "all")
    if not artefacts and not is_list:
        named = "/".join(part for part in (route.context, route.agency, route.id, route.version, route.item) if part)
        raise Refusal(404, f"There is no {named}.", where="path", remedy=f"Ask for every {route.context} there is.")
    tag = asked.tag(facts)
    if kept := asked.unchanged(facts, tag):
        return kept
    header = asked.header(facts, tag, artefacts[0].agency if artefacts else "SC")
    return asked.answer([structure_message(asked, artefacts, header)], facts, tag)
