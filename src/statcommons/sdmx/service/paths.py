"""Paths of addresses: which resource of SDMX REST 1.5 (``/sdmx/v1``) or 2.x (``/sdmx/v2``) one names.

Both come down to one :class:`Route`. Places may be left out at the end or left empty, a slash may follow, and
everything may be percent-encoded; what is left out means what the standard says it does.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias
from urllib.parse import unquote

from statcommons.core.errors import BadCall, nearest
from statcommons.sdmx.model import KINDS
from statcommons.sdmx.service.exchange import Refusal

__all__ = ["CONTEXTS", "STRUCTURES", "Resource", "Rest", "Route", "route"]

Rest: TypeAlias = Literal[1, 2]
Resource: TypeAlias = Literal["data", "availability", "structure", "schema"]

CONTEXTS = ("datastructure", "dataflow", "provisionagreement")
"""What data can be asked by."""

ORGANISATIONS = ("agencyscheme", "dataproviderscheme", "dataconsumerscheme", "organisationunitscheme")
NOT_HELD = {
    1: (
        "attachmentconstraint customtypescheme metadataflow metadatastructure namealiasscheme namepersonalisationscheme"
        " process reportingtaxonomy rulesetscheme structureset transformationscheme userdefinedoperatorscheme"
        " vtlmappingscheme"
    ),
    2: (
        "categoryschememap conceptschememap customtypescheme hierarchyassociation metadataconstraint metadataflow"
        " metadataproviderscheme metadataprovisionagreement metadatastructure namepersonalisationscheme"
        " organisationschememap process reportingtaxonomy reportingtaxonomymap representationmap rulesetscheme"
        " structuremap transformationscheme userdefinedoperatorscheme vtlmappingscheme"
    ),
}
"""Kinds of structures that the standards have and :mod:`statcommons.sdmx.model` has not: there are none of them."""

OLD: dict[str, tuple[str, ...]] = {
    "structure": tuple(KINDS),
    "organisationscheme": ORGANISATIONS,
    "contentconstraint": ("dataconstraint",),
    "actualconstraint": ("dataconstraint",),
    "allowedconstraint": ("dataconstraint",),
    "hierarchicalcodelist": ("hierarchy",),
}
HELD: dict[str, tuple[str, ...]] = {kind: (kind,) for kind in KINDS}
STRUCTURES: dict[int, dict[str, tuple[str, ...]]] = {
    # Clients of REST 1.5 ask in their old words of REST 2.x too, so that both know them.
    1: HELD | OLD | dict.fromkeys(NOT_HELD[1].split(), ()),
    2: HELD | OLD | {"*": tuple(KINDS), "all": tuple(KINDS)} | dict.fromkeys(NOT_HELD[2].split(), ()),
}
"""The kinds of artefacts that a path asks for, by the word it has for them, in each version of REST."""

AGENCY = re.compile(r"[A-Za-z][\w-]*(?:\.[A-Za-z][\w-]*)*", re.A)
ID = re.compile(r"[\w@$-]+", re.A)
ITEM = re.compile(r"[\w@$-]+(?:\.[\w@$-]+)*", re.A)


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
        For structures the word for their kind (a key of :data:`STRUCTURES`), else what data are asked by
        (:data:`CONTEXTS`, or ``*``).
    agencies, ids : tuple of str
        Of the artefacts; none asks for all.
    version : str
        Of the artefacts, in the grammar of :mod:`statcommons.sdmx.query.versions`.
    items : tuple of str
        The items of schemes; none asks for all.
    key : str
        The key of the series, in the grammar of :mod:`statcommons.sdmx.query.keys`.
    provider : str
        The organisation that provides the data (REST 1.5): its id, perhaps after its agency and a comma; empty for all.
    components : tuple of str
        The components whose availability is asked for; none asks for all.
    """

    rest: Rest
    resource: Resource
    context: str
    agencies: tuple[str, ...] = ()
    ids: tuple[str, ...] = ()
    version: str = ""
    items: tuple[str, ...] = ()
    key: str = ""
    provider: str = ""
    components: tuple[str, ...] = ()


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
    >>> one.agencies, one.ids, one.version, one.key
    (('UNGP',), ('DF_SDG',), 'latest', 'A.116+764...')
    >>> route("/sdmx/v2/structure/codelist/UNGP,SDMX").agencies
    ('UNGP', 'SDMX')
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
        agency, id, version = _flow(flow)
        return Route(
            1,
            "data" if resource == "data" else "availability",
            "dataflow",
            _ids(agency, AGENCY, "+", "agency"),
            _ids(id, ID, "+", "flow"),
            version or "latest",
            key="" if key == "all" else key,
            provider="" if provider == "all" else provider,
            components=_ids(component, ID, "+", "componentID"),
        )
    if resource == "schema":
        context, agency, id, version = _take(places, ("context", "agencyID", "resourceID", "version"), 4)
        return _schema(1, context, agency, id, version or "latest")
    if resource not in STRUCTURES[1]:
        raise _unknown(resource, ("data", "availableconstraint", "schema", *STRUCTURES[1]))
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
            _ids(agency, AGENCY, ",", "agencyID"),
            _ids(id, ID, ",", "resourceID"),
            version or "*",
            key=key,
            components=_ids(component, ID, ",", "componentID"),
        )
    if resource == "schema":
        context, agency, id, version = _take(places, ("context", "agencyID", "resourceID", "version"), 4)
        return _schema(2, context, agency, id, version or "~")
    if resource != "structure":
        raise _unknown(resource, ("data", "availability", "structure", "schema"))
    kind, places = (places[0] or "*", places[1:]) if places else ("*", [])
    if kind not in STRUCTURES[2]:
        raise _unknown(kind, tuple(STRUCTURES[2]))
    return _structure(2, kind, places)


def _structure(rest: Rest, kind: str, places: list[str]) -> Route:
    sign = "+" if rest == 1 else ","
    agency, id, version, item = _take(places, ("agencyID", "resourceID", "version", "itemID"), 4)
    return Route(
        rest,
        "structure",
        kind,
        _ids(agency, AGENCY, sign, "agencyID"),
        _ids(id, ID, sign, "resourceID"),
        version or ("latest" if rest == 1 else "~"),
        items=_ids(item, ITEM, sign, "itemID"),
    )


def _schema(rest: Rest, context: str, agency: str, id: str, version: str) -> Route:
    if context in ("metadatastructure", "metadataflow", "metadataprovisionagreement"):
        raise Refusal(501, f"There are no schemas of a {context} here.", where="path", remedy="Ask for a dataflow's.")
    if context not in CONTEXTS:
        raise _unknown(context, CONTEXTS)
    if not agency or not id:
        raise BadCall("A schema is asked for by agency and id.", where="path", remedy=f"Write {context}/AGENCY/ID.")
    return Route(
        rest, "schema", context, _ids(agency, AGENCY, ",", "agencyID"), _ids(id, ID, ",", "resourceID"), version
    )


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


def _ids(text: str, form: re.Pattern[str], sign: str, where: str) -> tuple[str, ...]:
    """Read ids between signs; all of them is none."""
    if text in ("", "*", "all"):
        return ()
    ids = tuple(text.split(sign))
    for one in ids:
        if not form.fullmatch(one):
            raise BadCall(
                f"{one!r} cannot be read." if one else f"An id is empty in {text!r}.",
                where=where,
                remedy=f"Write ids with {sign} between them, or {'all' if sign == '+' else '*'}.",
            )
    return tuple(dict.fromkeys(ids))


def _unknown(word: str, known: Sequence[str]) -> BadCall:
    return BadCall(f"{word!r} is not known.", where="path", remedy=nearest(word, known))
