"""Keys of series in queries: ``A.IT_MOB_OWN.116+764...`` of REST 1.5 and ``A.IT_MOB_OWN,A.*.116`` of REST 2.x.

Both have a place for each dimension but time, in the order of the data structure, between dots. REST 1.5 knows ``+``
between codes of one dimension and leaves a place empty for every code; the key must be complete. REST 2.x knows ``,``
between whole keys, ``*`` for every code, and a key may end early. Real clients leave places empty there too.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal, TypeAlias
from urllib.parse import unquote

from statcommons.core.errors import BadCall, counted

__all__ = ["Key", "matches_key", "parse_keys"]

Key: TypeAlias = tuple[frozenset[str] | None, ...]
"""The codes that a key asks for, by dimension; None asks for every code."""

CODE = re.compile(r"[^\s.+,*]+")
EVERY = {1: ("", "all"), 2: ("", "*")}


def parse_keys(text: str, dimensions: Sequence[str], *, rest: Literal[1, 2] = 2) -> tuple[Key, ...]:
    """Read the key of a data query.

    Parameters
    ----------
    text : str
        The key as it stands in the path of the address, decoded or not. The empty text asks for everything, as ``all``
        (REST 1.5) and ``*`` (REST 2.x) do.
    dimensions : sequence of str
        The ids of the dimensions in the order of the data structure, without the time dimension.
    rest : {1, 2}
        Which grammar: of REST 1.5 (SDMX 2.1) or of REST 2.x (SDMX 3).

    Returns
    -------
    tuple of Key
        Sets of codes by dimension; a series is asked for when one of the keys matches. REST 1.5 has exactly one key.

    Raises
    ------
    BadCall
        When a key has the wrong number of places, naming the dimensions, or a place cannot be read.

    References
    ----------
    SDMX REST 1.5 and 2.2, data queries, parameter key.

    Examples
    --------
    >>> [key] = parse_keys("A+M..F", ["FREQ", "REF_AREA", "SEX"], rest=1)
    >>> [sorted(codes) if codes else codes for codes in key]
    [['A', 'M'], None, ['F']]
    >>> parse_keys("A,M.116", ["FREQ", "REF_AREA"])
    ((frozenset({'A'}), None), (frozenset({'M'}), frozenset({'116'})))
    >>> parse_keys("A.116", ["FREQ", "REF_AREA", "SEX"], rest=1)
    Traceback (most recent call last):
    statcommons.core.errors.BadCall: key: 'A.116' has 2 places and there are 3 dimensions: FREQ, REF_AREA, SEX. ...
    """
    decoded = unquote(text)
    if decoded in EVERY[rest]:
        return ((None,) * len(dimensions),)
    return tuple(_key(one, dimensions, rest) for one in (decoded.split(",") if rest == 2 else [decoded]))


def matches_key(keys: Sequence[Key], codes: Sequence[str]) -> bool:
    """Tell whether a series is asked for: the reference to which faster ways must be equal.

    Parameters
    ----------
    keys : sequence of Key
        What a query asks for.
    codes : sequence of str
        The codes of a series, in the order of the dimensions.

    Returns
    -------
    bool
        Whether one of the keys matches in every dimension.

    Examples
    --------
    >>> keys = parse_keys("A.116,M", ["FREQ", "REF_AREA"])
    >>> [matches_key(keys, codes) for codes in (["A", "116"], ["A", "764"], ["M", "764"])]
    [True, False, True]
    """
    return any(all(codes is None or code in codes for codes, code in zip(key, codes, strict=True)) for key in keys)


def _key(text: str, dimensions: Sequence[str], rest: Literal[1, 2]) -> Key:
    """Read one key, place by place."""
    if rest == 2 and not text:
        raise BadCall("A key is empty.", where="key", remedy="Write * for everything, or leave out the comma.")
    places = text.split(".")
    if len(places) > len(dimensions) or (rest == 1 and len(places) < len(dimensions)):
        wanted = "one place for each dimension, empty" if rest == 1 else "at most one place for each dimension, *"
        raise BadCall(
            f"{text!r} has {counted(len(places), 'place')} and there are {counted(len(dimensions), 'dimension')}: "
            f"{', '.join(dimensions)}.",
            where="key",
            remedy=f"Write {wanted} for every code.",
        )
    asked = [_codes(place, dimension, rest) for place, dimension in zip(places, dimensions, strict=False)]
    return (*asked, *(None,) * (len(dimensions) - len(asked)))


def _codes(place: str, dimension: str, rest: Literal[1, 2]) -> frozenset[str] | None:
    """Read the codes of one dimension."""
    if place in EVERY[rest]:
        return None
    codes = place.split("+") if rest == 1 else [place]
    if not all(map(CODE.fullmatch, codes)):
        remedy = (
            "Write codes with + between them, or nothing for every code."
            if rest == 1
            else f"Write one code or *; for several, whole keys with , between them or c[{dimension}]=A,B."
        )
        raise BadCall(f"{place!r} cannot be read as codes of {dimension}.", where="key", remedy=remedy)
    return frozenset(codes)
