"""What structure messages going out have in common, whatever their format."""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from typing import TypeGuard

from statcommons.core.errors import BadCall
from statcommons.sdmx.message import Header
from statcommons.sdmx.model import (
    KINDS,
    Annotation,
    Artefact,
    Constraint,
    DataStructure,
    Definition,
    Ref,
    Region,
    Scheme,
    in_language,
)

__all__ = ["best_first", "instant", "sender_of", "urn"]

OLD_CLASSES = {"dataconstraint": "ContentConstraint", "hierarchy": "HierarchicalCodelist"}
"""What SDMX 2.1 calls kinds of artefacts otherwise."""


def instant(header: Header) -> str:
    """Write when a message was prepared, in UTC.

    Parameters
    ----------
    header : Header
        The header; a time without a zone is UTC.

    Examples
    --------
    >>> instant(Header("M1", datetime.datetime(2026, 1, 2, 3, 4, 5), "UN"))
    '2026-01-02T03:04:05Z'
    """
    given = header.prepared
    aware = given.replace(tzinfo=datetime.UTC) if given.tzinfo is None else given.astimezone(datetime.UTC)
    return aware.isoformat().replace("+00:00", "Z")


def sender_of(agency: str) -> str:
    """Give the sender that a header names for an agency: schemas take no dot in its id, which units have.

    Parameters
    ----------
    agency : str
        The id of the agency.

    Examples
    --------
    >>> sender_of("OECD.SDD"), sender_of("UN")
    ('OECD', 'UN')
    """
    return agency.partition(".")[0]


def best_first(spoken: Iterable[str], languages: tuple[str, ...]) -> list[str]:
    """Put the languages that a message speaks in the order in which its reader would choose among them.

    Parameters
    ----------
    spoken : iterable of str
        The languages.
    languages : tuple of str
        What the reader prefers, best first.

    Examples
    --------
    >>> best_first(["ar", "en", "fr"], ("fr-CH", "km"))
    ['fr', 'en', 'ar']
    """
    left, ordered = {language: language for language in spoken}, []
    while left:
        ordered.append(left.pop(in_language(left, languages)))
    return ordered


def assert_holdable(artefacts: Iterable[Artefact], standard: str, format: str) -> None:
    """Refuse what a version of the standard cannot say.

    Parameters
    ----------
    artefacts : iterable of Artefact
        What to write.
    standard : {"2.1", "3.0", "3.1"}
        The version of SDMX.
    format : str
        What the error calls the format.

    Raises
    ------
    BadCall
        When SDMX 2.1 is meant and there are several measures, a value list or a code list that extends others; when
        SDMX 3 is meant and a dimension has concepts for codes; when SDMX 3.1 is meant and what is there is not said of
        one thing in one region.
    """
    for one in artefacts:
        fault = _too_new(one) if standard == "2.1" else _too_old(one, standard)
        if fault:
            what, remedy = fault
            raise BadCall(f"{format} {what}.", where=str(one.ref), remedy=remedy)


def _too_new(one: Artefact) -> tuple[str, str] | None:
    """Say what of an artefact SDMX 2.1 cannot hold, and what to do."""
    if isinstance(one, DataStructure):
        measures = [component.id for component in one.components if component.role == "measure"]
        if len(measures) > 1:
            named = ", ".join(measures)
            return f"knows one measure; there are {len(measures)}: {named}", "Write SDMX 3.0, or one measure at a time."
    if one.kind == "valuelist":
        return "has no value lists", "Write SDMX 3.0."
    if isinstance(one, Scheme) and one.extends:
        return "has no code lists that extend others", "Write SDMX 3.0, or resolve the codes (detail=full)."
    return None


def _too_old(one: Artefact, standard: str) -> tuple[str, str] | None:
    """Say what of an artefact of earlier versions SDMX 3 cannot hold, and what to do."""
    if is_availability(one, standard) and (len(one.attached), len(one.regions)) != (1, 1):
        return "says what data are there of one flow and in one region", "Write SDMX 3.0, or part the constraint."
    for component in one.components if isinstance(one, DataStructure) else ():
        if has_concepts_for_codes(component):
            return f"has no measure dimension as {component.id} is one", "Write SDMX 2.1, or give it a code list."
    return None


def has_concepts_for_codes(component: Definition) -> bool:
    """Tell whether a component is a measure dimension of SDMX 2.1.

    Parameters
    ----------
    component : Definition
        The component.
    """
    shown = component.representation
    return bool(shown and shown.codelist and shown.codelist.kind == "conceptscheme")


def is_availability(one: Artefact, standard: str) -> TypeGuard[Constraint]:
    """Tell whether an artefact is what SDMX 3.1 calls an availability constraint.

    Parameters
    ----------
    one : Artefact
        The artefact.
    standard : str
        The version of SDMX; none but 3.1 has such.
    """
    return standard == "3.1" and isinstance(one, Constraint) and one.role == "actual"


def metrics(one: Constraint) -> tuple[dict[str, int], tuple[Annotation, ...]]:
    """Part the annotations of a constraint that count series and observations from the others.

    Parameters
    ----------
    one : Constraint
        The constraint.

    Returns
    -------
    tuple of (dict of str to int, tuple of Annotation)
        The counts, ``series_count`` and ``obs_count``, and the other annotations.
    """
    counts, others = {}, []
    for note in one.annotations:
        if note.type == "sdmx_metrics" and note.id in ("series_count", "obs_count") and note.title.isdecimal():
            counts[note.id] = int(note.title)
        else:
            others.append(note)
    return counts, tuple(others)


def urn(ref: Ref, *, old: bool) -> str:
    """Write the URN of an artefact.

    Parameters
    ----------
    ref : Ref
        The artefact.
    old : bool
        Whether by the names of SDMX 2.1.

    Examples
    --------
    >>> urn(Ref("dataconstraint", "UN", "C", "1.0"), old=True)
    'urn:sdmx:org.sdmx.infomodel.registry.ContentConstraint=UN:C(1.0)'
    """
    name = KINDS[ref.kind][1]
    return ref.urn.replace(f".{name}=", f".{OLD_CLASSES.get(ref.kind, name)}=") if old else ref.urn


def dimensions_first(region: Region, artefacts: Iterable[Artefact]) -> tuple[list[str], list[str]]:
    """Part the components of a region, which messages tell apart: dimensions, and attributes and measures.

    Parameters
    ----------
    region : Region
        A part of what a data structure can hold.
    artefacts : iterable of Artefact
        The message; what is in none of its data structures is taken for a dimension.

    Returns
    -------
    tuple of (list of str, list of str)
        The components of each sort.
    """
    components = [part for one in artefacts if isinstance(one, DataStructure) for part in one.components]
    others = {part.id for part in components if part.role in ("attribute", "measure")}
    others -= {part.id for part in components if part.role in ("dimension", "time")}
    named = [*region.values, *region.periods]
    return [id for id in named if id not in others], [id for id in named if id in others]
