"""Which dataflows a path names: by themselves, by their structure or by an agreement to provide them."""

from __future__ import annotations

from collections.abc import Iterable

from statcommons.sdmx.model import Artefact, Dataflow, DataStructure, ProvisionAgreement, Ref
from statcommons.sdmx.service.exchange import Refusal
from statcommons.sdmx.service.paths import CONTEXTS, Route
from statcommons.sdmx.structures.registry import Artefacts, ask


def named_flows(artefacts: Artefacts, route: Route) -> tuple[Ref, ...]:
    """Give the dataflows that a path names.

    Parameters
    ----------
    artefacts : Artefacts
        The structures that there are.
    route : Route
        A path to data, their availability or their schema.

    Returns
    -------
    tuple of Ref
        Each once. It is empty when the dataflow is there and has no data from the provider that is asked for.

    Raises
    ------
    Refusal
        When there is no such dataflow (404).
    """
    version = route.version or ("latest" if route.rest == 1 else "*" if route.resource != "schema" else "~")
    # Whoever names nothing means dataflows; structures and agreements would name the same ones again.
    contexts = (route.context,) if route.context != "*" else CONTEXTS if route.id not in ("", "*") else ("dataflow",)
    found: dict[Ref, None] = {}
    for context in contexts:
        for one in ask(artefacts, context, route.agency, route.id, version, rest=route.rest):
            found |= dict.fromkeys(flow.ref for flow in _flows_of(artefacts, one))
    if not found:
        named = ", ".join(part for part in (route.agency, route.id, route.version) if part)
        raise Refusal(
            404,
            f"There is no {route.context if route.context != '*' else 'dataflow'} {named}.",
            where="path",
            remedy="The dataflows are listed at /sdmx/v2/structure/dataflow.",
        )
    return tuple(flow for flow in found if _is_provided(artefacts, flow, route.provider))


def _flows_of(artefacts: Artefacts, one: Artefact) -> Iterable[Artefact]:
    if isinstance(one, DataStructure):
        return [user for user in artefacts.naming(one.ref) if isinstance(user, Dataflow)]
    if isinstance(one, ProvisionAgreement):
        flow = artefacts.find(one.dataflow) if one.dataflow else None
        return [flow] if flow else []
    return [one]


def _is_provided(artefacts: Artefacts, flow: Ref, provider: str) -> bool:
    """Tell whether one of several organisations provides the flow: its own agency, or one that has an agreement."""
    if provider in ("", "all"):
        return True
    agreements = [one for one in artefacts.naming(flow) if isinstance(one, ProvisionAgreement) and one.provider]
    providers = {flow.agency} | {one.provider.item for one in agreements if one.provider}
    providers |= {f"{one.provider.agency},{one.provider.item}" for one in agreements if one.provider}
    return not providers.isdisjoint(provider.split("+"))
