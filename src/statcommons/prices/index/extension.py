"""Extension of a multilateral index: how the index numbers of a new window continue those that are published."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Literal, TypeAlias, get_args

import numpy as np

from statcommons.core.errors import BadCall, nearest
from statcommons.prices.index.pairs import Window
from statcommons.prices.panel import Floats, Integers, Labels, require_consecutive

__all__ = ["FIXED_BASE", "PUBLISHED", "SPLICES", "Splice", "extend", "links_back", "windows_of", "year_end"]

Splice: TypeAlias = Literal["mean", "movement", "window", "half", "wisp", "hasp", "mean_pub", "fbew", "fbmw"]
"""How a new window is linked to the published series."""

SPLICES: tuple[Splice, ...] = get_args(Splice)
"""All splices."""

PUBLISHED: dict[Splice, Splice] = {"wisp": "window", "hasp": "half", "mean_pub": "mean"}
"""Splices to published index numbers, and those that they are like."""

FIXED_BASE = ("fbew", "fbmw")
"""Splices to the end of the year before."""


def links_back(window: int, splice: Splice) -> Integers:
    """Give how many periods back a series is linked; several are averaged.

    Parameters
    ----------
    window : int
        Periods in a window.
    splice : str
        One of `SPLICES`, but those with a fixed base.

    Returns
    -------
    array of int
        The links, 1 being the period before.

    Examples
    --------
    >>> links_back(13, "half").tolist(), links_back(4, "mean").tolist()
    ([6], [1, 2, 3])
    """
    match PUBLISHED.get(splice, splice):
        case "movement":
            return np.array([1])
        case "window":
            return np.array([window - 1])
        case "half":
            return np.array([window // 2])
        case _:
            return np.arange(1, window)


def year_end(periods: Labels) -> Integers:
    """Find for each period the last one of the year before, which an index with a yearly fixed base is linked to.

    Parameters
    ----------
    periods : array of shape (T,)
        Sorted months (``2024-12``), weeks (``2024-W05``), or other labels that begin with a year.

    Returns
    -------
    array of shape (T,)
        Positions; 0, the first period, where no year ended before.

    Examples
    --------
    >>> year_end(np.array(["2023-11", "2023-12", "2024-01", "2024-02"])).tolist()
    [0, 0, 1, 1]
    """
    years = np.array([str(period)[:4] for period in periods])
    return np.array([max(int(np.searchsorted(years, year)) - 1, 0) for year in years], dtype=np.int64)


def windows_of(periods: Labels, window: int, splice: Splice) -> tuple[Window, ...]:
    """List the windows that an extension needs, in the order in which they end.

    Parameters
    ----------
    periods : array of shape (T,)
        The periods.
    window : int
        Periods in a window, 2 or more. Where there are no more periods than that, there is one window.
    splice : str
        One of `SPLICES`. For ``fbew`` a window begins at the end of the year before, whatever its length.

    Returns
    -------
    tuple of Window
        Positions of the first period and of the one after the last.

    Raises
    ------
    BadCall
        An unknown splice, or a window of fewer than two periods.

    Examples
    --------
    >>> windows_of(np.array(["2024-01", "2024-02", "2024-03"]), 2, "movement")
    (Window(start=0, stop=2), Window(start=1, stop=3))
    """
    if splice not in SPLICES:
        raise BadCall(f"There is no splice {splice!r}.", remedy=nearest(splice, list(SPLICES)))
    if window < 2:
        raise BadCall(f"window is {window}.", remedy="Give 2 periods or more, such as 13 or 25 months.")
    count = len(periods)
    if splice in FIXED_BASE:
        bases = year_end(periods)
        starts = bases if splice == "fbew" else np.minimum(bases, np.maximum(np.arange(count) - window + 1, 0))
        return tuple(Window(int(start), stop) for stop, start in enumerate(starts, 1))
    first = min(window, count)
    return tuple(Window(stop - first, stop) for stop in range(first, count + 1))


def extend(levels: Callable[[Window], Floats], periods: Labels, window: int = 25, splice: Splice = "mean") -> Floats:
    r"""Link the windows of a multilateral index to one series that is never revised.

    Let P(w; a, b) be the index from a to b out of the window that ends at w, T its periods less one, and k the link.

    - ``movement`` (k = 1), ``window`` (k = T), ``half`` (k = window // 2: 6 of 13 months, 12 of 25) move the published
      index from t - 1 to t by P(t; t-k, t) / P(t-1; t-k, t-1); ``mean`` is the geometric mean over all k from 1 to T;
    - ``wisp`` (k = T), ``hasp`` (k = window // 2) and ``mean_pub`` (all k) multiply the index that was published for
      t - k by P(t; t-k, t);
    - ``fbew`` and ``fbmw`` multiply the index published for the end of the year before, most often December, by that
      from it to t, out of a window that begins there (``fbew``) or has a fixed length (``fbmw``; longer where needed to
      reach the end of the year).

    Parameters
    ----------
    levels : function of Window
        Gives the logarithm of the price levels of the periods of a window.
    periods : array of shape (T,)
        The periods, without a gap.
    window : int
        Periods in a window, 2 or more. Where there are no more periods than that, there is one window.
    splice : str
        One of `SPLICES`.

    Returns
    -------
    array of shape (T,)
        Logarithm of the published index; 0 in the first period.

    Raises
    ------
    BadData
        A period is missing between two others.
    BadCall
        An unknown splice, or a window of fewer than two periods.

    References
    ----------
    UN Task Team on Scanner Data, e-handbook, extension methods. de Haan and van der Grient (2011), Eliminating chain
    drift in price indexes based on scanner data, Journal of Econometrics 161(1) (movement). Krsinich (2016), The FEWS
    index, Journal of Official Statistics 32(2) (window). Diewert and Fox (2022), Substitution bias in multilateral
    methods for CPI construction, Journal of Business & Economic Statistics 40(1) (mean). Chessa (2016), A new
    methodology for processing scanner data in the Dutch CPI, EURONA 1/2016 (fbew). Lamboray (2017), The Geary Khamis
    index and the Lehr index: how much do they differ?, Ottawa Group (fbmw).

    Examples
    --------
    >>> price = np.log([1.0, 1.1, 1.0, 1.2])
    >>> months = np.array(["2024-01", "2024-02", "2024-03", "2024-04"])
    >>> np.exp(extend(lambda part: price[part.start : part.stop], months, 3, "half")).round(3).tolist()
    [1.0, 1.1, 1.0, 1.2]
    """
    needed = windows_of(periods, window, splice)
    require_consecutive(periods)
    if splice in FIXED_BASE:
        published = np.zeros(len(periods))
        for part, base in zip(needed, year_end(periods), strict=True):
            level, now = levels(part), part.stop - 1
            published[now] = published[base] + level[-1] - level[base - part.start]
        return published
    first = levels(needed[0])
    return np.array([*(first - first[0]), *_linked([*(first - first[0])], first, levels, needed[1:], window, splice)])


def _linked(
    published: list[float],
    old: Floats,
    levels: Callable[[Window], Floats],
    windows: tuple[Window, ...],
    window: int,
    splice: Splice,
) -> Iterator[float]:
    """Give the published index of each further window."""
    back = links_back(window, splice)
    for part in windows:
        new = levels(part)
        if splice in PUBLISHED:
            change = np.mean(np.array(published)[-back] + new[-1] - new[-1 - back])
        else:
            change = published[-1] + np.mean((new[-1] - new[-1 - back]) - (old[-1] - old[-back]))
        published.append(float(change))
        yield published[-1]
        old = new
