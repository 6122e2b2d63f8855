"""Versions of structures in queries: which of those that there are does ``1.2+.0`` or ``latest`` ask for.

A version is a number of parts between dots; three parts, and perhaps an extension (``2.1.1-draft``), make a semantic
version, fewer a legacy one. In REST 2.x a query is one or several, between commas, of

- a version: exactly that one;
- a version with one sign behind a part, which frees the parts from there on: ``1.2+.0`` is 1.2.0 or later below 2. The
  sign may stand for a part of its own, which is then 0: ``1.+.0`` is ``1.0+.0``. Versions of as many parts can match;
- a sign alone.

The sign ``*`` asks for all of them, ``~`` for the latest, ``+`` for the latest that is stable: semantic, above 0,
without an extension. REST 1.5 knows only versions between plus signs, ``all``, and ``latest``: the latest that is no
draft. A part has nine digits at most.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Literal, TypeAlias
from urllib.parse import unquote

from statcommons.core.errors import BadCall, BadData

__all__ = ["matching_versions", "version_order"]

NUMBER = r"(?:0|[1-9]\d{0,8})"
EXTENSION = rf"(?:{NUMBER}|\d*[A-Za-z-][0-9A-Za-z-]*)"
EXACT = re.compile(rf"{NUMBER}(?:\.{NUMBER}){{0,2}}|{NUMBER}(?:\.{NUMBER}){{2}}-{EXTENSION}(?:\.{EXTENSION})*", re.A)
OPEN = re.compile(rf"(?:{NUMBER}\.){{0,2}}(?:{NUMBER}?[+~*])(?:\.{NUMBER}){{0,2}}", re.A)
AVAILABLE = re.compile(r"\d{1,9}(?:\.\d{1,9})*(?:-(?P<extension>[0-9A-Za-z.-]+))?", re.A)
EXACT_V1 = re.compile(r"\d{1,9}(?:\.\d{1,9})*", re.A)

Order: TypeAlias = tuple[tuple[int, ...], bool, tuple[tuple[bool, int, str], ...], int, str]
Test: TypeAlias = Callable[[str], bool]


def matching_versions(query: str, available: Sequence[str], *, rest: Literal[1, 2] = 2) -> tuple[str, ...]:
    """Find the versions that a query asks for.

    Parameters
    ----------
    query : str
        The version as it stands in the path of the address, decoded or not.
    available : sequence of str
        The versions that there are of one artefact.
    rest : {1, 2}
        Which grammar: of REST 1.5 (SDMX 2.1) or of REST 2.x (SDMX 3).

    Returns
    -------
    tuple of str
        The versions that match, each once, in the order in which they were given; it may be empty.

    Raises
    ------
    BadCall
        When the query cannot be read.
    BadData
        When one that is available is no version.

    References
    ----------
    SDMX REST 2.2, query syntax for versions; SDMX REST 1.5, structural metadata queries.

    Examples
    --------
    >>> there = ["1.0.0", "1.1.0", "2.0.0", "2.1.0-draft"]
    >>> matching_versions("+", there), matching_versions("~", there), matching_versions("1.*.0", there)
    (('2.0.0',), ('2.1.0-draft',), ('1.0.0', '1.1.0'))
    >>> matching_versions("latest", ["1.0", "1.10", "1.9"], rest=1)
    ('1.10',)
    >>> matching_versions("1.2+.1+", there)
    Traceback (most recent call last):
    statcommons.core.errors.BadCall: version: '1.2+.1+' cannot be read. Write a version such as 1.2.0, ...
    """
    known = {version: version_order(version) for version in available}
    found: set[str] = set()
    for one in unquote(query).split("," if rest == 2 else "+"):
        test, only_latest = _asked_v1(one) if rest == 1 else _asked(one)
        matching = [version for version in known if test(version)]
        found.update([max(matching, key=known.__getitem__)] if only_latest and matching else matching)
    return tuple(version for version in known if version in found)


def version_order(version: str) -> Order:
    """Give what a version sorts by: later versions come after earlier ones.

    Parts count as numbers, and those that are not written as 0. An extension comes before the version that it extends;
    extensions compare part by part, numbers before words. A shorter version comes before a longer of the same numbers.

    Parameters
    ----------
    version : str
        A version.

    Returns
    -------
    tuple
        A key for ``sorted`` and ``max``.

    Raises
    ------
    BadData
        When it is no version.

    References
    ----------
    Semantic Versioning 2.0.0, 11 (precedence), as SDMX 3.0 takes it over.

    Examples
    --------
    >>> sorted(["1.10.0", "1.9.0", "2.0.0-rc.11", "2.0.0-rc.2", "2.0.0", "2.0"], key=version_order)
    ['1.9.0', '1.10.0', '2.0.0-rc.2', '2.0.0-rc.11', '2.0', '2.0.0']
    """
    found = AVAILABLE.fullmatch(version)
    if not found:
        raise BadData(f"{version!r} is not a version.", remedy="Write it as 1.0.0, 1.0.0-draft or 1.0.")
    parts = _parts(version)
    extension = tuple(
        (not one.isdigit(), len(one) if one.isdigit() else 0, one) for one in (found["extension"] or "").split(".")
    )
    core = parts + (0,) * (3 - len(parts))
    return core, not found["extension"], extension, len(parts), version


# --- the two grammars -----------------------------------------------------------------------------------------------


def _asked(query: str) -> tuple[Test, bool]:
    """Read one query of REST 2.x: what a version must be, and whether only the latest is asked for."""
    if query in ("+", "~", "*"):
        return _is_stable if query == "+" else _is_any, query != "*"
    if EXACT.fullmatch(query):
        return lambda version: version == query, False
    places = query.split(".")
    free = next((index for index, place in enumerate(places) if place[-1:] in ("+", "~", "*")), 0)
    bare = places[free] in ("+", "~", "*")
    sign = places[free][-1:]
    numbers = tuple(int(place.rstrip("+~*") or 0) for place in places) if OPEN.fullmatch(query) else ()
    sound = (
        2 <= len(numbers) <= 3
        and not (bare and any(numbers[free:]))  # a sign for a part leaves nothing to be said about the next
        and not (sign == "+" and (len(numbers) < 3 or (numbers[0] == 0 and not (bare and free == 0))))
    )
    if not sound:
        raise _unreadable(query, "a version such as 1.2.0, 1.2+.0 (stable), 1.2~.0 (latest), 1.2*.0 (all), +, ~ or *")

    def holds(version: str) -> bool:
        parts = _parts(version)
        same = len(parts) == len(numbers) and parts[:free] == numbers[:free] and parts[free:] >= numbers[free:]
        return same and (sign != "+" or _is_stable(version))

    return holds, sign != "*"


def _asked_v1(query: str) -> tuple[Test, bool]:
    """Read one query of REST 1.5."""
    if query == "all":
        return _is_any, False
    if query == "latest":
        return lambda version: "-" not in version, True
    if not EXACT_V1.fullmatch(query):
        raise _unreadable(query, "a version such as 1.0, latest or all")
    return lambda version: version == query, False


def _unreadable(query: str, forms: str) -> BadCall:
    return BadCall(f"{query!r} cannot be read.", where="version", remedy=f"Write {forms}.")


def _parts(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.partition("-")[0].split(".")))


def _is_stable(version: str) -> bool:
    parts = _parts(version)
    return len(parts) == 3 and parts[0] > 0 and "-" not in version


def _is_any(_: str) -> bool:
    return True
