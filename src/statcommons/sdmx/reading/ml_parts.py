"""What stands in a data set of SDMX-ML, piece by piece: series, observations and groups, in columns.

Two readers give the same pieces. Expat reads everything. Most of a large message, though, is a run of the same few
tags, and such runs are cut at ``<`` and ``"`` by Arrow, all at once; what is not plainly of that kind is for Expat.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from statcommons.sdmx.reading.ml_expat import Piece, by_expat
from statcommons.sdmx.reading.ml_generic import plain_generic
from statcommons.sdmx.reading.ml_head import Head
from statcommons.sdmx.reading.source import Source

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

__all__ = ["plain", "unescaped"]

BLOCK = 1 << 22
LONGEST = 1 << 26
"""Bytes of one series beyond which Expat reads it, in constant memory."""

SERIES = re.compile(rb"<(?:[\w.\-]+:)?Series[\s>]")
MOST = 1_000
"""Different texts between values, beyond which a run is not plain."""


def pieces(source: Source, head: Head) -> Iterator[Piece]:
    """Read a data set: fast as long as it is plain, then by Expat.

    Parameters
    ----------
    source : Source
        The file, in UTF-8.
    head : Head
        The data set.

    Raises
    ------
    BadData
        When the XML is broken or cut off, with the line.
    """
    if head.start < 0:
        return
    at, flat = head.start, None
    with source.path.open("rb") as file:
        file.seek(at)
        rest = b""
        while block := file.read(BLOCK):
            rest += block
            flat = SERIES.search(rest) is None if flat is None else flat
            cut = _whole(rest, head, flat)
            if cut <= 0 and len(rest) < LONGEST:
                continue
            if cut <= 0:
                break
            piece = plain(rest[:cut], head.specific, head.at)
            if piece is None:
                break
            yield piece
            at += cut
            rest = rest[cut:]
    yield from by_expat(source, head, at)


def _whole(text: bytes, head: Head, flat: bool) -> int:
    """Find the end of the last series, or observation: whoever goes on from there needs to know nothing."""
    if flat and head.specific:
        return text.rfind(b"<")
    name, end = b"Obs>" if flat else b"Series>", len(text)
    while (at := text.rfind(name, 0, end)) >= 0:
        end = text.rfind(b"<", 0, at)
        if text[end + 1 : end + 2] == b"/":
            return at + len(name)
    return -1


# --- runs of plain tags ---------------------------------------------------------------------------------------------


def plain(text: bytes, specific: bool = True, dimension: str = "TIME_PERIOD") -> Piece | None:
    """Read a run of series, observations and groups with values in double quotes.

    Cut at its quotes, such a run is values by turns with what stands between them, and of the latter there are few
    different ones: an attribute's name, or the end of a tag with the begin of the next.

    Parameters
    ----------
    text : bytes
        Whole tags.
    specific : bool
        Whether it is of a structure-specific message; else of a generic one.
    dimension : str
        The dimension at the observation.

    Returns
    -------
    Piece or None
        None where a tag is of another kind, or anything else is unusual.

    Examples
    --------
    >>> piece = plain(b'<Series A="x"><Obs T="1"/><Obs T="2" V="a &lt; b"/></Series>')
    >>> piece.series["A"].to_pylist(), piece.members.tolist(), piece.columns["V"].to_pylist()
    (['x'], [0, 0], [None, 'a < b'])
    >>> plain(b"<Series A='x'></Series>") is None
    True
    """
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    if _unusual(text):
        return None
    try:
        whole = pa.array([text], pa.binary()).cast(pa.string())
    except pa.ArrowInvalid:  # not UTF-8
        return None
    cells = pc.split_pattern(whole, '"').flatten()
    if not len(cells) % 2 or len(cells) == 1:
        return None
    between = cells.take(pa.array(np.arange(0, len(cells), 2))).dictionary_encode()
    if len(between.dictionary) > MOST:
        return None
    words, code = between.dictionary.to_pylist(), between.indices.to_numpy()
    if not specific:
        return plain_generic(cells, words, code, dimension)
    found = [_between(one, not at) for at, one in enumerate(words)]
    known = [one for one in found if one]
    if len(known) < len(words):
        return None
    kinds, ends, closes = (np.array([one[at] for one in known], np.int8)[code] for at in range(3))
    begins = np.flatnonzero(kinds)  # a tag begins at each of these, and ends where the next one begins
    after = np.append(begins[1:], len(code) - 1)
    if not len(begins) or begins[0] or kinds[-1] or not np.array_equal(np.flatnonzero(ends), after):
        return None
    tags, closed = kinds[begins], closes[after]
    opened, observed = tags == OPEN, tags == OBSERVATION
    depth = np.cumsum(opened, dtype=np.int64) - np.cumsum(closed, dtype=np.int64)
    inside = depth + closed - opened
    if (
        text.count(b"<") != len(tags) + int(closed.sum())
        or (ends[after] != np.where(opened, OPENED, ALONE)).any()
        or depth.min() < 0
        or depth.max() > 1
        or depth[-1]
        or (inside[observed] != opened.any()).any()
        or inside[~observed].any()
    ):
        return None
    members = np.cumsum(opened)[observed] - 1
    if opened.any() and len(np.unique(members)) < opened.sum():  # a series without observations
        return None
    values = _Values(cells, code[:-1], np.cumsum(kinds[:-1] > 0) - 1, tags, [one.name for one in known])
    series, observations, groups = (values.columns(kind) for kind in (OPEN, OBSERVATION, GROUP))
    if series is None or observations is None or groups is None:
        return None
    rows = zip(*(one.to_pylist() for one in groups.values()), strict=True)
    said = [{name: one for name, one in zip(groups, row, strict=True) if one is not None} for row in rows]
    return Piece(series, np.maximum(members, 0), observations, said)


def _unusual(text: bytes) -> bool:
    """Tell whether there are comments, processing instructions, or signs and references that XML does not know."""
    import numpy as np

    signs = np.frombuffer(text, np.uint8)
    low = np.count_nonzero(signs < 32) - sum(np.count_nonzero(signs == blank) for blank in (9, 10, 13))
    return bool(low) or b"<!" in text or b"<?" in text or _refers_wrongly(text)


def _refers_wrongly(text: bytes) -> bool:
    """Tell whether an ``&`` begins no reference, or one to a sign that XML does not have."""
    count = text.count(b"&")
    return bool(count) and count != sum(found[3] is not None or _is_sign(found) for found in REFERENCE.finditer(text))


def _is_sign(reference: re.Match[bytes]) -> bool:
    number = int(reference[1]) if reference[1] else int(reference[2], 16)
    return number in (9, 10, 13) or any(first <= number <= last for first, last in SIGNS)


REFERENCE = re.compile(rb"&(?:#(\d{1,7})|#x([0-9A-Fa-f]{1,6})|(lt|gt|amp|quot|apos));")
SIGNS = ((0x20, 0xD7FF), (0xE000, 0xFFFD), (0x10000, 0x10FFFF))
"""The signs that XML has, beside tab and line ends."""


OPEN, OBSERVATION, GROUP = 1, 2, 3
KINDS = {"Series": OPEN, "Obs": OBSERVATION, "Group": GROUP}
OPENED, ALONE = 1, 2
NAME = r"(?P<name>[\w.\-]+(?::[\w.\-]+)?)\s*=\s*"
BETWEEN = re.compile(
    r"(?:\s*(?P<end>/?)>\s*(?P<close></(?:[\w.\-]+:)?Series\s*>\s*)?)?"
    rf"(?:(?P<begin><(?:[\w.\-]+:)?(?P<kind>Series|Obs|Group))?\s+{NAME})?"
)


class _Between(NamedTuple):
    """What stands between two values: the kind of tag that begins, how one ends, a series that closes, and a name."""

    kind: int
    ends: int
    closes: int
    name: str


def _between(text: str, first: bool) -> _Between | None:
    found = BETWEEN.fullmatch(text.lstrip() if first else text)
    if not found or (found["end"] is not None and found["name"] and not found["begin"]):
        return None
    ends = 0 if found["end"] is None else ALONE if found["end"] else OPENED
    return _Between(KINDS.get(found["kind"], 0), ends, bool(found["close"]), found["name"] or "")


@dataclass(frozen=True)
class _Values:
    """Values of tags: all pieces, what stands before each value, its tag, the kinds of tags, and the names."""

    cells: pa.Array
    code: np.ndarray
    owner: np.ndarray
    tags: np.ndarray
    names: list[str]

    def columns(self, kind: int) -> dict[str, pa.Array] | None:
        """Give the values of the tags of a kind by component; None where a tag names one twice."""
        import numpy as np
        import pyarrow as pa

        mine = np.flatnonzero((self.tags == kind)[self.owner])
        code, ordinal = self.code[mine], (np.cumsum(self.tags == kind) - 1)[self.owner[mine]]
        places: dict[str, np.ndarray] = {}
        for one in np.unique(code).tolist():
            rows = np.flatnonzero(code == one)
            place = places.setdefault(self.names[one], np.full(int((self.tags == kind).sum()), -1, np.int64))
            if (place[ordinal[rows]] >= 0).any():
                return None
            place[ordinal[rows]] = 2 * mine[rows] + 1
        return {name: unescaped(self.cells.take(pa.array(place, mask=place < 0))) for name, place in places.items()}


ENTITY = re.compile(r"&(?:#(\d+)|#x([0-9A-Fa-f]+)|(lt|gt|amp|quot|apos));")
NAMED = {"lt": "<", "gt": ">", "amp": "&", "quot": '"', "apos": "'"}


def unescaped(values: pa.Array) -> pa.Array:
    """Read what XML writes otherwise in values of attributes: ``&amp;`` and its kin, and blanks.

    Parameters
    ----------
    values : pyarrow.Array
        Values as they stand between quotes.

    Examples
    --------
    >>> import pyarrow as pa
    >>> unescaped(pa.array(["M &amp; N", "a", None])).to_pylist()
    ['M & N', 'a', None]
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    odd = pc.match_substring_regex(values, r"[&\t\r\n]")
    if not pc.any(odd, min_count=0).as_py():
        return values
    read = [ENTITY.sub(_sign, re.sub(r"\r\n|[\t\r\n]", " ", one)) if one else one for one in values.to_pylist()]
    return pa.array(read, pa.string())


def _sign(found: re.Match[str]) -> str:
    if found[3]:
        return NAMED[found[3]]
    return chr(int(found[1]) if found[1] else int(found[2], 16))
