"""Which indices of a tree must stay back so that no other can be computed that may not be seen."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from statcommons.prices.aggregate.structure import Tree
from statcommons.prices.panel import Floats

__all__ = ["secondary", "sensitive"]

Flags = NDArray[np.bool_]


def sensitive(turnover: Mapping[str, float], least: int, dominance: float) -> str:
    """Judge by who contributes whether an index may be published.

    Parameters
    ----------
    turnover : mapping of str to float
        Turnover of each retailer.
    least : int
        How many retailers there must be.
    dominance : float
        The largest share that one may have.

    Returns
    -------
    str
        SDMX's confidentiality status: F free, A too few contribute, G one dominates.

    Examples
    --------
    >>> sensitive({"x": 5, "y": 4}, 3, 0.75), sensitive({"x": 98, "y": 1, "z": 1}, 3, 0.75)
    ('A', 'G')
    """
    sold = [one for one in turnover.values() if one > 0]
    if len(sold) < least:
        return "A"
    return "G" if max(sold) > dominance * sum(sorted(sold)) else "F"


def secondary(tree: Tree, present: Flags, primary: Flags, weight: Floats) -> Flags:
    """Hold further indices back, until none that is held back follows from those published and their weights.

    Each group with those right below it is one equation: the group is their weighted mean. A number can be computed if
    it is the only one unknown in an equation; as the equations make a tree, two unknown in each are enough. The
    smallest sibling is held back first, the group above only where there is none.

    Parameters
    ----------
    tree : Tree
        The N groups.
    present : array of shape (N,)
        Which have an index.
    primary : array of shape (N,)
        Which must not be published.
    weight : array of shape (N,)
        Weights.

    Returns
    -------
    array of shape (N,)
        Which are held back besides.

    References
    ----------
    Hundepool et al. (2012), Statistical Disclosure Control, chapter 4, secondary suppression in tables with hierarchy.

    Examples
    --------
    >>> from statcommons.prices.aggregate.structure import coicop_tree
    >>> groups = coicop_tree(["01", "02", "03"])
    >>> hidden = np.array([False, True, False, False])
    >>> secondary(groups, np.ones(4, bool), hidden, np.array([10.0, 5, 3, 2])).tolist()
    [False, False, False, True]
    """
    hidden = primary & present
    inner = [place for place in np.unique(tree.parent[tree.parent >= 0]).tolist() if present[place]]
    below = {place: np.flatnonzero((tree.parent == place) & present) for place in inner}
    changed = True
    while changed:
        changed = False
        for place in reversed(inner):
            children = below[place]
            if int(hidden[place]) + int(hidden[children].sum()) != 1:
                continue
            open_children = children[~hidden[children]]
            chosen = open_children[np.argmin(weight[open_children])] if open_children.size else place
            if not hidden[chosen]:
                hidden[chosen] = changed = True
    return hidden & ~primary
