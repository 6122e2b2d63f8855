"""Some items of a scheme: those asked for with what stands above them, and those that a code list takes from others."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import replace

from statcommons.sdmx.model import Artefact, Extension, Item, Ref, Scheme

__all__ = ["below", "narrowed", "path_of", "with_inherited", "with_known_items"]


def path_of(scheme: Scheme, item: Item) -> str:
    """Give what a reference calls an item: a category is called by its path, any other item by its id.

    Parameters
    ----------
    scheme : Scheme
        The scheme.
    item : Item
        An item of it.

    Examples
    --------
    >>> path_of(Scheme("categoryscheme", "SDMX", "TOPICS"), Item("CPI", parent="ECONOMY.PRICES"))
    'ECONOMY.PRICES.CPI'
    """
    return f"{item.parent}.{item.id}" if scheme.kind == "categoryscheme" and item.parent else item.id


def narrowed(scheme: Scheme, wanted: Collection[str]) -> Scheme:
    """Leave only some items in a scheme, and those above them.

    Parameters
    ----------
    scheme : Scheme
        The scheme.
    wanted : collection of str
        What items are called in references; those that are not in the scheme are passed over.

    Returns
    -------
    Scheme
        It is partial, and has no items where none is wanted; the scheme itself where all of them are.

    Examples
    --------
    >>> areas = Scheme("codelist", "UN", "AREAS", items=(Item("1"), Item("150", parent="1"), Item("9")))
    >>> found = narrowed(areas, {"150"})
    >>> [item.id for item in found.items], found.partial
    (['1', '150'], True)
    """
    above = {path_of(scheme, item): item.parent for item in scheme.items}
    kept: set[str] = set()
    for one in wanted:
        while one in above and one not in kept:
            kept.add(one)
            one = above[one]
    if len(kept) == len(above):
        return scheme
    return replace(scheme, items=tuple(item for item in scheme.items if path_of(scheme, item) in kept), partial=True)


def below(scheme: Scheme, tops: Iterable[str]) -> frozenset[str]:
    """Give some codes and all below them.

    Parameters
    ----------
    scheme : Scheme
        A code list.
    tops : iterable of str
        Codes.

    Examples
    --------
    >>> areas = Scheme("codelist", "UN", "AREAS", items=(Item("1"), Item("150", parent="1"), Item("9")))
    >>> sorted(below(areas, ["1"]))
    ['1', '150']
    """
    children: dict[str, list[str]] = {}
    for item in scheme.items:
        children.setdefault(item.parent, []).append(item.id)
    found: set[str] = set()
    waiting = list(tops)
    while waiting:
        one = waiting.pop()
        if one not in found:
            found.add(one)
            waiting += children.get(one, [])
    return frozenset(found)


def with_known_items(scheme: Scheme, find: Callable[[Ref], Artefact | None]) -> Scheme:
    """Give a scheme with the items that are known of it already before its own; what it says of an item goes first.

    Parameters
    ----------
    scheme : Scheme
        A scheme that has some of its items.
    find : callable
        Gives what is known under a reference, or none.

    Examples
    --------
    >>> known = Scheme("codelist", "SDMX", "CL_SEX", items=(Item("F"), Item("M")))
    >>> some = Scheme("codelist", "SDMX", "CL_SEX", items=(Item("_T"),))
    >>> [one.id for one in with_known_items(some, lambda ref: known).items]
    ['F', 'M', '_T']
    """
    known = find(scheme.ref)
    if not isinstance(known, Scheme):
        return scheme
    items = {one.id: one for one in (*known.items, *scheme.items)}
    return replace(scheme, items=tuple(items.values()))


def with_inherited(codelist: Scheme, find: Callable[[Ref], Artefact | None]) -> Scheme:
    """Resolve a code list that takes codes from others: all codes are in it, and it says no longer where from.

    Codes of a later list replace those of an earlier one under the same id, and the list's own replace all. In what is
    included and excluded ``%`` stands for any signs.

    Parameters
    ----------
    codelist : Scheme
        The code list.
    find : callable
        Gives the artefact of a reference, or none.

    Returns
    -------
    Scheme
        The code list; it is partial where a list that it extends is not there.

    References
    ----------
    SDMX 3.0, section 2, Information Model, 4.3 (code list extension).

    Examples
    --------
    >>> base = Scheme("codelist", "SDMX", "CL_SEX", items=(Item("F"), Item("M"), Item("_Z")))
    >>> own = Scheme(
    ...     "codelist", "UN", "CL_SEX", items=(Item("X"),), extends=(Extension(base.ref, "S_", exclude=("_%",)),)
    ... )
    >>> [item.id for item in with_inherited(own, {base.ref: base}.get).items]
    ['S_F', 'S_M', 'X']
    """
    return _resolved(codelist, find, frozenset())


def _resolved(codelist: Scheme, find: Callable[[Ref], Artefact | None], above: frozenset[Ref]) -> Scheme:
    """Resolve a code list; one that extends itself, by way of others, takes nothing from there."""
    if not codelist.extends:
        return codelist
    above |= {codelist.ref}
    items: dict[str, Item] = {}
    missing = False
    for one in codelist.extends:
        base = find(one.codelist)
        if isinstance(base, Scheme) and base.ref not in above:
            items |= {item.id: item for item in _taken(one, _resolved(base, find, above))}
        else:
            missing = True
    items |= {item.id: item for item in codelist.items}
    return replace(codelist, items=tuple(items.values()), extends=(), partial=codelist.partial or missing)


def _taken(extension: Extension, base: Scheme) -> Iterator[Item]:
    included, excluded = map(_pattern, (extension.include or ("%",), extension.exclude))
    kept = {item.id for item in base.items if included(item.id) and not excluded(item.id)}
    for item in base.items:
        if item.id in kept:
            parent = f"{extension.prefix}{item.parent}" if item.parent in kept else ""
            yield replace(item, id=f"{extension.prefix}{item.id}", parent=parent)


def _pattern(values: tuple[str, ...]) -> Callable[[str], bool]:
    pattern = re.compile("|".join(".*".join(map(re.escape, value.split("%"))) for value in values), re.S)
    return lambda id: bool(values) and bool(pattern.fullmatch(id))
