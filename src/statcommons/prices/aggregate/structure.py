"""The tree of groups over which indices are aggregated: given as data, or implied by the dots of COICOP codes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from statcommons.core.errors import BadData, Cause
from statcommons.prices.panel import Floats, Integers

__all__ = ["COICOP", "ROOT", "Tree", "coicop_tree", "tree", "tree_of"]

COICOP = "COICOP 2018"
"""The classification whose codes imply their own tree."""

ROOT = "_T"
"""The code of everything, as SDMX writes a total; above the divisions of COICOP."""

# COICOP 2018 has 01.1.1.1; countries add further parts below it.
CODE = re.compile(r"\d{2}(\.\w+)*")


@dataclass(frozen=True, eq=False)
class Tree:
    """A tree of groups, or several, those above before those below.

    Parameters
    ----------
    codes : tuple of str
        Codes of the N groups, by level, then by code.
    parent : array of shape (N,)
        Position of the group above, -1 at the top.
    level : array of shape (N,)
        How many groups stand above.
    version : str
        The classification and its version.
    """

    codes: tuple[str, ...]
    parent: Integers
    level: Integers
    version: str

    def rungs(self) -> list[Integers]:
        """Give the positions of the groups of each level, from the lowest up to below the top."""
        return [np.flatnonzero(self.level == level) for level in range(int(self.level.max()), 0, -1)]

    def up(self, values: Floats) -> Floats:
        """Add to each group the values of all groups below it.

        Parameters
        ----------
        values : array of shape (N,)
            One value a group; usually 0 but for the lowest groups.

        Returns
        -------
        array of shape (N,)
            Sums over each group and what is below it.

        Examples
        --------
        >>> coicop_tree(["01.1", "01.2"]).up(np.array([0, 0, 2.0, 3.0])).tolist()
        [5.0, 5.0, 2.0, 3.0]
        """
        sums = values.copy()
        for rung in self.rungs():
            np.add.at(sums, self.parent[rung], sums[rung])
        return sums

    def above(self, place: int) -> list[int]:
        """Give the positions of all groups above a group, the nearest first.

        Parameters
        ----------
        place : int
            Position of the group.

        Examples
        --------
        >>> made = coicop_tree(["01.1"])
        >>> [made.codes[one] for one in made.above(2)]
        ['01', '_T']
        """
        found = []
        while (place := int(self.parent[place])) >= 0:
            found.append(place)
        return found

    def below(self, place: int) -> Integers:
        """Give the positions of a group and of all groups below it.

        Parameters
        ----------
        place : int
            Position of the group.

        Examples
        --------
        >>> made = coicop_tree(["01.1", "02.1"])
        >>> [made.codes[one] for one in made.below(1)]
        ['01', '01.1']
        """
        inside = np.zeros(len(self.codes), bool)
        inside[place] = True
        for rung in reversed(self.rungs()):
            inside[rung] |= inside[self.parent[rung]]
        return np.flatnonzero(inside)


def tree(codes: Sequence[str], parents: Sequence[str | None], version: str = COICOP) -> Tree:
    """Make a tree of groups from codes and the codes above them.

    Parameters
    ----------
    codes : sequence of str
        Codes of the groups, in any order.
    parents : sequence of str or None
        For each the code of the group that it belongs to; None at the top.
    version : str
        The classification and its version.

    Returns
    -------
    Tree
        The groups in order, those above first.

    Raises
    ------
    BadData
        A group in two places, a group above that is not there, or groups that stand above one another; with the codes.

    Examples
    --------
    >>> tree(["food", "rice", "all"], ["all", "food", None]).codes
    ('all', 'food', 'rice')
    >>> tree(["rice"], ["food"])
    Traceback (most recent call last):
    statcommons.core.errors.BadData: The structure is not a tree.
      - rice belongs to food, which is not there. Give food a row of its own, or correct the parent.
    """
    above: dict[str, str | None] = {}
    causes = []
    for code, parent in zip(codes, parents, strict=True):
        if code in above:
            pair = " and ".join(sorted({str(above[code] or "the top"), str(parent or "the top")}))
            causes.append(Cause(f"{code} has several rows, under {pair}", 0, "Give each group one parent."))
        above[code] = parent
    for code, parent in sorted(above.items()):
        if parent is not None and parent not in above:
            remedy = f"Give {parent} a row of its own, or correct the parent."
            causes.append(Cause(f"{code} belongs to {parent}, which is not there", 0, remedy))
    if causes:
        raise BadData("The structure is not a tree.", causes=causes)
    levels = {code: _depth(code, above) for code in above}
    ordered = sorted(above, key=lambda code: (levels[code], code))
    place: dict[str | None, int] = {None: -1} | {code: number for number, code in enumerate(ordered)}
    return Tree(
        tuple(ordered),
        np.array([place[above[code]] for code in ordered], np.int64),
        np.array([levels[code] for code in ordered], np.int64),
        version,
    )


def _depth(code: str, above: dict[str, str | None]) -> int:
    seen = [code]
    while (parent := above[seen[-1]]) is not None:
        if parent in seen:
            circle = " → ".join([*seen[seen.index(parent) :], parent])
            raise BadData(f"The structure runs in a circle: {circle}.", remedy="Give each group the one above it.")
        seen.append(parent)
    return len(seen) - 1


def coicop_tree(codes: Iterable[str]) -> Tree:
    """Make the tree that COICOP 2018 codes imply by their dots: 01.1.1 belongs to 01.1, that to 01, that to everything.

    National codes may go deeper, with further parts after further dots.

    Parameters
    ----------
    codes : iterable of str
        Codes of some groups; those above them are added.

    Returns
    -------
    Tree
        All groups from ``_T``, everything, down to the codes.

    Raises
    ------
    BadData
        Codes that are not of COICOP.

    References
    ----------
    United Nations (2018), Classification of Individual Consumption According to Purpose 2018, chapter 3.

    Examples
    --------
    >>> coicop_tree(["01.1.1", "02.1"]).codes
    ('_T', '01', '02', '01.1', '02.1', '01.1.1')
    """
    above: dict[str, str | None] = {ROOT: None}
    given = set(codes) - {ROOT}
    if strange := sorted(code for code in given if not CODE.fullmatch(code)):
        raise BadData(
            f"{', '.join(strange[:10])}: no code of {COICOP}, which begins with two digits and goes on by dots.",
            remedy="Give the structure as a table of its own: code and parent.",
        )
    for code in given:
        while code not in above:
            above[code] = code.rpartition(".")[0] or ROOT
            code = above[code] or ROOT
    return tree(list(above), list(above.values()), COICOP)


def tree_of(structure: Any, codes: Iterable[str]) -> Tree:
    """Read the structure from its table, or take that of COICOP where there is none.

    Parameters
    ----------
    structure : pyarrow.Table or None
        The columns of GroupStructure.
    codes : iterable of str
        The groups that are used.

    Returns
    -------
    Tree
        The groups in order.

    Raises
    ------
    BadData
        When the structure is no tree, mixes versions, or lacks a group that is used.

    Examples
    --------
    >>> tree_of(None, ["01.1"]).version
    'COICOP 2018'
    """
    used = set(codes)
    if structure is None:
        return coicop_tree(used)
    rows = structure.to_pylist()
    versions = sorted({row["version"] for row in rows if row["version"]})
    if len(versions) > 1:
        raise BadData(
            f"The structure mixes {' and '.join(versions)}.",
            remedy="A code means something only in its version: give the structure of one.",
        )
    made = tree([row["code"] for row in rows], [row["parent"] for row in rows], *(versions or [""]))
    if unknown := sorted(used - set(made.codes)):
        raise BadData(
            f"The structure lacks groups that are used: {', '.join(unknown[:10])}.",
            remedy="Give each a row with its parent.",
        )
    return made
