"""Which artefacts a query of structures brings along: every value of the parameter ``references``."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import TypeAlias

from statcommons.sdmx.model import (
    Artefact,
    Categorisation,
    Constraint,
    Dataflow,
    DataStructure,
    Hierarchy,
    Node,
    ProvisionAgreement,
    Ref,
)
from statcommons.sdmx.structures.collection import Artefacts

__all__ = ["DIRECTIONS", "Found", "Graph", "items_named"]

Found: TypeAlias = dict[Ref, Artefact]
"""Artefacts by their reference, each once, in the order in which they were found."""

DIRECTIONS = ("none", "parents", "parentsandsiblings", "ancestors", "children", "descendants", "all")
"""The directions of references."""


class Graph:
    """The artefacts that there are, as one query of structures sees them.

    Parameters
    ----------
    artefacts : Artefacts
        What there is.
    raw : bool
        Whether code lists stay as they are; else they have the codes that they take from others, and name them no more.
    items_of : mapping of Ref to collection of str
        The items that the query asks for, by scheme: only who names one of these uses the scheme.
    """

    def __init__(self, artefacts: Artefacts, *, raw: bool, items_of: Mapping[Ref, Collection[str]]) -> None:
        self._artefacts, self._items_of = artefacts, items_of
        self.find: Callable[[Ref], Artefact | None] = artefacts.find if raw else artefacts.resolve

    def children(self, several: Iterable[Artefact]) -> Found:
        """Give the artefacts that some artefacts name."""
        found = (self.find(ref) for one in several for ref in one.references())
        return {one.ref: one for one in found if one}

    def parents(self, several: Iterable[Artefact]) -> Found:
        """Give the artefacts that name some artefacts."""
        users = (user for one in several for user in self._artefacts.naming(one.ref) if self._uses(user, one.ref))
        return {user.ref: self.find(user.ref) or user for user in users}

    def constraints(self, several: Iterable[Artefact]) -> list[Constraint]:
        """Give the constraints on some artefacts."""
        limited = (one.ref for one in several if isinstance(one, Dataflow | DataStructure | ProvisionAgreement))
        return [user for ref in limited for user in self._artefacts.naming(ref) if isinstance(user, Constraint)]

    def descendants(self, several: Iterable[Artefact]) -> Found:
        """Give what artefacts name, what that names, and so on."""
        return _closure(self.children, several)

    def ancestors(self, several: Iterable[Artefact]) -> Found:
        """Give what names artefacts, what names that, and so on."""
        return _closure(self.parents, several)

    def reached(self, several: Iterable[Artefact], direction: str) -> Found:
        """Give what is reached from artefacts in one of the :data:`DIRECTIONS`."""
        several = tuple(several)
        found: Found = {}
        if direction in ("parents", "parentsandsiblings", "all"):
            found |= self.parents(several)
        if direction in ("parentsandsiblings", "all"):
            found |= self.children(tuple(found.values()))
        if direction == "children":
            found |= self.children(several)
        if direction in ("descendants", "all"):
            found |= self.descendants(several)
        if direction == "ancestors":
            found |= self.ancestors(several)
        return found

    def _uses(self, user: Artefact, ref: Ref) -> bool:
        named = items_named(user, ref)
        return ref not in self._items_of or not named or not named.isdisjoint(self._items_of[ref])


def _closure(step: Callable[[Iterable[Artefact]], Found], several: Iterable[Artefact]) -> Found:
    found: Found = {}
    newest = tuple(several)
    while newest:
        newest = tuple(one for ref, one in step(newest).items() if ref not in found)
        found |= {one.ref: one for one in newest}
    return found


def items_named(user: Artefact, scheme: Ref) -> frozenset[str]:
    """Give the items of a scheme that an artefact names one by one.

    Parameters
    ----------
    user : Artefact
        The artefact.
    scheme : Ref
        The scheme.

    Examples
    --------
    >>> office = Ref("dataproviderscheme", "UN", "DATA_PROVIDERS", "1.0", "NSO")
    >>> items_named(ProvisionAgreement("provisionagreement", "UN", "AGREED", provider=office), office.artefact)
    frozenset({'NSO'})
    """
    refs: Iterable[Ref | None] = ()
    match user:
        case DataStructure():
            refs = (one.concept for one in user.components)
        case Categorisation():
            refs = (user.source, user.target)
        case ProvisionAgreement():
            refs = (user.provider,)
        case Constraint():
            refs = user.attached
        case Hierarchy():
            refs = _codes(user.nodes)
    return frozenset(ref.item for ref in refs if ref and ref.item and ref.artefact == scheme)


def _codes(nodes: Iterable[Node]) -> Iterator[Ref]:
    for node in nodes:
        yield node.code
        yield from _codes(node.children)
