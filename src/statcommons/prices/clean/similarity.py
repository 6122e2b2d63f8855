"""How alike names of products are, and which pairs of them are worth comparing."""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["candidates", "clusters", "plain", "similarities", "similarity", "word_similarity"]

STROKES = str.maketrans("łøđħŧı", "lodhti")  # letters that Unicode does not decompose
DIGIT = re.compile(r"\d")
COMMON = 500  # names of a block: a word that more of them have says too little to compare by


def similarity(name: str, other: str) -> float:
    """Compute the Jaro-Winkler similarity of two names.

    Letters agree where they are not farther apart than half the longer name; letters out of order count half, and up to
    four equal letters at the start bring it nearer to 1.

    Parameters
    ----------
    name, other : str
        Two names, spelled in one way.

    Returns
    -------
    float
        From 0, nothing in common, to 1, equal.

    References
    ----------
    Winkler (1990), String Comparator Metrics and Enhanced Decision Rules in the Fellegi-Sunter Model of Record Linkage.

    Examples
    --------
    >>> round(similarity("MARTHA", "MARHTA"), 3), similarity("tea", "tea")
    (0.961, 1.0)
    """
    return float(_jaro_winkler()(name, other))


def plain(text: str) -> str:
    """Write a name without accents and strokes, which deliveries keep here and lose there.

    Parameters
    ----------
    text : str
        A name in lower case.

    Examples
    --------
    >>> plain("mleko łaciate świeże")
    'mleko laciate swieze'
    """
    letters = unicodedata.normalize("NFKD", text.translate(STROKES))
    return "".join(letter for letter in letters if not unicodedata.combining(letter))


def word_similarity(name: str, other: str) -> float:
    """Compute how well the word that fits worst fits: the Jaro-Winkler similarity of words, each with its nearest.

    Whole names are a bad guide where they are long: ``mleko uht 0% laciate`` and ``mleko uht 0,5% laciate`` have a
    similarity of 0.98. Here every word that is not in both must have its like in the other name, in any order; and
    words with digits must be equal.

    Parameters
    ----------
    name, other : str
        Two names, spelled in one way.

    Returns
    -------
    float
        From 0, a word has nothing like it in the other name, to 1, equal words.

    References
    ----------
    Monge, Elkan (1996), The field matching problem: algorithms and applications, KDD; the least instead of the mean.

    Examples
    --------
    >>> word_similarity("milk 0% abc", "abc milk 0%"), word_similarity("milk 0% abc", "milk 1% abc")
    (1.0, 0.0)
    >>> round(word_similarity("sugar diamant", "sugar diaman"), 3)
    0.971
    """
    words, others = set(name.split()), set(other.split())
    left, right = words - others, others - words
    if not left and not right:
        return 1.0
    if not left or not right:
        return 0.0
    fits = [[_fit(word, like) for like in right] for word in left]
    return min(*map(max, fits), *map(max, zip(*fits, strict=True)))


@functools.cache
def _jaro_winkler() -> Callable[[str, str], float]:
    from rapidfuzz.distance import JaroWinkler

    return JaroWinkler.similarity


@functools.lru_cache(2**20)
def _fit(word: str, other: str) -> float:
    """Compare two words, which come again in many pairs of names."""
    if DIGIT.search(word) or DIGIT.search(other):
        return float(word == other)
    return similarity(word, other)


def similarities(names: Sequence[str], others: Sequence[str]) -> NDArray[np.float64]:
    """Compute the Jaro-Winkler similarity of many pairs of names.

    Parameters
    ----------
    names, others : sequence of str
        n names each.

    Returns
    -------
    array of shape (n,)
        As :func:`similarity` computes it.

    Examples
    --------
    >>> similarities(["tea", "tea"], ["tea", "rice"]).tolist()
    [1.0, 0.0]
    """
    import numpy as np
    from rapidfuzz.distance import JaroWinkler
    from rapidfuzz.process import cpdist

    if not names:
        return np.empty(0)
    return np.asarray(cpdist(names, others, scorer=JaroWinkler.similarity, dtype=np.float64))


def candidates(names: Sequence[str], blocks: Sequence[Hashable]) -> tuple[NDArray[np.int64], set[str]]:
    """List the pairs of names that are of one block and have a word in common.

    Parameters
    ----------
    names : sequence of str
        n names.
    blocks : sequence
        What a pair must have in common besides, such as group and size.

    Returns
    -------
    integer array of shape (pairs, 2)
        Positions, the smaller first, sorted.
    set of str
        Words that more than 500 names of a block have; pairs that share nothing else are not listed.

    Examples
    --------
    >>> candidates(["rice white", "white sugar", "tea"], ["A", "A", "A"])[0].tolist()
    [[0, 1]]
    """
    import numpy as np

    holders: dict[tuple[Hashable, str], list[int]] = {}
    for place, (name, block) in enumerate(zip(names, blocks, strict=True)):
        for word in set(name.split()):
            holders.setdefault((block, word), []).append(place)
    keys = [np.empty(0, np.int64)]
    common = set()
    for (_, word), places in holders.items():
        if len(places) > COMMON:
            common.add(word)
            continue
        first, second = np.triu_indices(len(places), 1)
        at = np.array(places, np.int64)
        keys.append(at[first] * len(names) + at[second])
    unique = np.unique(np.concatenate(keys))
    return np.column_stack(np.divmod(unique, max(1, len(names)))), common


def clusters(members: Iterable[str], pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Join what is linked, directly or over others.

    Parameters
    ----------
    members : iterable of str
        All there are.
    pairs : iterable of (str, str)
        The links.

    Returns
    -------
    dict of str to str
        The cluster of each member, named after the member of it that sorts first.

    Examples
    --------
    >>> clusters("abcd", [("d", "b"), ("b", "c")])
    {'a': 'a', 'b': 'b', 'c': 'b', 'd': 'b'}
    """
    above = {member: member for member in sorted(members)}

    def top(member: str) -> str:
        while above[member] != member:
            above[member] = above[above[member]]
            member = above[member]
        return member

    for one, other in pairs:
        low, high = sorted((top(one), top(other)))
        above[high] = low
    return {member: top(member) for member in above}
