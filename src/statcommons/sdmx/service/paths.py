"""Paths of addresses: which resource of SDMX REST 1.5 (``/sdmx/v1``) or 2.x (``/sdmx/v2``) one names.

Both come down to one :class:`Route`. Places may be left out at the end or left empty, a slash may follow, and
everything may be percent-encoded; what is left out means what the standard says it does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias
from urllib.parse import unquote

from statcommons.core.errors import BadCall, nearest
from statcommons.sdmx.service.exchange import Refusal
from statcommons.sdmx.structures.registry import kinds_of

__all__ = ["CONTEXTS", "Route", "route"]

Rest: TypeAlias = Literal[1, 2]
Resource: TypeAlias = Literal["data", "availability", "structure", "schema"]

CONTEXTS = ("datastructure", "dataflow", "provisionagreement")
"""What data can be asked by."""


@dataclass(frozen=True, slots=True)
class Route:
    """What a path names.

    Parameters
    ----------
    rest : {1, 2}
        The version of REST, whose grammar keys and versions have.
    resource : {"data", "availability", "structure", "schema"}
        What is asked for.
    context : str
        For structures the resource, such as ``codelist``; else what data are asked by (:data:`CONTEXTS`, or ``*``).
    agency, id, version, item : str
        Which artefacts, and which items of them, decoded: perhaps several, or words for all, as the version of REST
        writes them; empty where nothing is said.
    key : str
        The key of the series, in the grammar of :mod:`statcommons.sdmx.query.keys`.
    provider : str
        Who provides the data (REST 1.5).
    component : str
        The components whose availability is asked for.
    """

    rest: Rest
    resource: Resource
    context: str
    agency: str = ""
    id: str = ""
    version: str = ""
    item: str = ""
    key: str = ""
    provider: str = ""
    component: str = ""


def route(path: str) -> Route:
    """Read a path.

    Parameters
    ----------
    path : str
        As it was sent, not decoded.

    Raises
    ------
    BadCall
        When it cannot be read.
    Refusal
        When it is none of ours (404), or of a part of the standard that we do not have (501).

    References
    ----------
    SDMX REST 1.5 and 2.2.1 (OpenAPI).

    Examples
    --------
    >>> one = route("/sdmx/v1/data/UNGP%2CDF_SDG%2C/A.116+764.../")
    >>> one.agency, one.id, one.version, one.key
    ('UNGP', 'DF_SDG', '', 'A.116+764...')
    >>> route("/sdmx/v2/structure/codelist/UNGP,SDMX").agency
    'UNGP,SDMX'
    """
    base, version, rest = _places(path)
    if base != "sdmx" or version not in ("v1", "v2") or not rest:
        raise Refusal(
            404,
            f"There is nothing at {path!r}.",
            where="path",
            remedy="Ask /sdmx/v1/{resource}/… (REST 1.5) or /sdmx/v2/{resource}/… (REST 2.2), such as"
            " /sdmx/v2/structure/dataflow.",
        )
    resource, places = rest[0], rest[1:]
    if resource in ("metadata", "registration"):
        raise Refusal(501, f"{resource} is not served here.", where="path", remedy="Ask for data or structures.")
    return _route_v1(resource, places) if version == "v1" else _route_v2(resource, places)


def _route_v1(resource: str, places: list[str]) -> Route:
    if resource in ("data", "availableconstraint"):
        names = ("flow", "key", "provider", "componentID")
        flow, key, provider, component = _take(places, names[: 4 if resource == "availableconstraint" else 3], 4)
        return Route(
            1,
            "data" if resource == "data" else "availability",
            "dataflow",
            *_flow(flow),
            key=key,
            provider=provider,
            component=component,
        )
    if resource == "schema":
        return _schema(1, places)
    return _structure(1, resource, places)


def _route_v2(resource: str, places: list[str]) -> Route:
    if resource in ("data", "availability"):
        names = ("context", "agencyID", "resourceID", "version", "key", "componentID")
        context, agency, id, version, key, component = _take(places, names[: 6 if resource == "availability" else 5], 6)
        if context not in ("", "*", *CONTEXTS):
            raise _unknown(context, CONTEXTS)
        return Route(
            2,
            "data" if resource == "data" else "availability",
            context or "*",
            agency,
            id,
            version,
            key=key,
            component=component,
        )
    if resource == "schema":
        return _schema(2, places)
    if resource != "structure":
        raise _unknown(resource, ("data", "availability", "structure", "schema"))
    return _structure(2, places[0] or "*" if places else "*", places[1:])


def _structure(rest: Rest, kind: str, places: list[str]) -> Route:
    kinds_of(kind)
    return Route(rest, "structure", kind, *_take(places, ("agencyID", "resourceID", "version", "itemID"), 4))


def _schema(rest: Rest, places: list[str]) -> Route:
    context, *place = _take(places, ("context", "agencyID", "resourceID", "version"), 4)
    if context in ("metadatastructure", "metadataflow", "metadataprovisionagreement"):
        raise Refusal(501, f"There are no schemas of a {context} here.", where="path", remedy="Ask for a dataflow's.")
    if context not in CONTEXTS:
        raise _unknown(context, CONTEXTS)
    if not all(place[:2]):
        raise BadCall("A schema is asked for by agency and id.", where="path", remedy=f"Write {context}/AGENCY/ID.")
    return Route(rest, "schema", context, *place)


# --- pieces ---------------------------------------------------------------------------------------------------------


def _places(path: str) -> tuple[str, str, list[str]]:
    """Cut a path at its slashes and decode the pieces; the two that say the base come first."""
    raw = path.split("/")[1:]
    while raw and not raw[-1]:
        raw.pop()
    try:
        places = [unquote(one, errors="strict") for one in raw]
    except UnicodeDecodeError:
        raise BadCall(f"{path!r} is not UTF-8.", where="path", remedy="Encode it as UTF-8 before %.") from None
    base, version, *rest = [*places[:2], *[""] * (2 - len(places)), *places[2:]]
    return base, version, rest


def _take(places: Sequence[str], names: Sequence[str], wanted: int) -> list[str]:
    """Fill the places that are left out at the end."""
    if len(places) > len(names):
        raise BadCall(
            f"The path has {places[len(names)]!r} where nothing can follow.",
            where="path",
            remedy=f"Write {{{'}/{'.join(names)}}}.",
        )
    return [*places, *[""] * (wanted - len(places))]


def _flow(text: str) -> tuple[str, str, str]:
    """Read the reference of a flow of REST 1.5: its id, alone or after its agency, and perhaps a version."""
    parts = text.split(",")
    if not text or len(parts) > 3:
        raise BadCall(
            f"{text!r} names no dataflow." if text else "The path names no dataflow.",
            where="flow",
            remedy="Write ID, AGENCY,ID or AGENCY,ID,VERSION.",
        )
    agency, id, version = ["", *parts, ""] if len(parts) == 1 else [*parts, ""][:3]
    return agency, id, version


def _unknown(word: str, known: Sequence[str]) -> BadCall:
    return BadCall(f"{word!r} is not known.", where="path", remedy=nearest(word, known))
