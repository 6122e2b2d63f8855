"""The observations of a flow in memory, in the order of series and time: where a small question costs microseconds.

The rows of a series stand together, so that a key is a slice, its last observations are the end of it, and what is
asked of periods is a look-up by their number.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["Hot"]

Places: TypeAlias = np.ndarray[Any, np.dtype[np.int64]]
Allowed: TypeAlias = "np.ndarray[Any, np.dtype[np.bool_]] | None"
"""For each period of the flow, whether it is asked for; none asks for all."""


@dataclass(frozen=True)
class Hot:
    """The observations of a flow at one moment.

    Parameters
    ----------
    table : pyarrow.Table
        The observations, sorted by series and time, with ``_series``, ``_start`` and ``_end``.
    offsets : numpy.ndarray
        Where the rows of each series begin, and behind the last where they end.
    periods : numpy.ndarray
        The number of each row's period in the order of time; 0 where there is no time.
    spans : tuple of numpy.ndarray
        When each period begins and ends, in microseconds.
    """

    table: pa.Table
    offsets: Places
    periods: np.ndarray[Any, np.dtype[np.int32]]
    spans: tuple[Places, Places]

    def rows(
        self, places: Places, allowed: Allowed, first: int | None = None, last: int | None = None
    ) -> tuple[Places, Places]:
        """Find the rows of some series.

        Parameters
        ----------
        places : numpy.ndarray
            Which series.
        allowed : numpy.ndarray, optional
            Which periods.
        first, last : int, optional
            How many of each series, from its beginning and from its end; both is the union.

        Returns
        -------
        tuple of numpy.ndarray
            The numbers of the rows, and for each the place of its series in ``places``.
        """
        begin = self.offsets[places]
        counts = self.offsets[places + 1] - begin
        ends = np.cumsum(counts)
        at = np.repeat(np.arange(len(places)), counts)
        found = np.arange(int(ends[-1]) if len(ends) else 0) + np.repeat(begin - (ends - counts), counts)
        if allowed is not None:
            kept = allowed[self.periods[found]]
            found, at = found[kept], at[kept]
        if first is not None or last is not None:
            counts = np.bincount(at, minlength=len(places))
            ends = np.cumsum(counts)
            forth = np.arange(len(at)) - np.repeat(ends - counts, counts)
            back = np.repeat(counts, counts) - 1 - forth
            kept = (forth < (first or 0)) | (back < (last or 0))
            found, at = found[kept], at[kept]
        return found, at

    def passing(self, allowed: Allowed) -> tuple[Places, Places, Places]:
        """Tell for each series how many of its rows are in the periods asked for, when these begin and when they end.

        Parameters
        ----------
        allowed : numpy.ndarray, optional
            Which periods.

        Returns
        -------
        tuple of numpy.ndarray
            How many, and two moments, which mean nothing where there is none.
        """
        here = np.ones(len(self.periods), bool) if allowed is None else allowed[self.periods]
        series = self.offsets[:-1]
        if not len(series):
            return series, series, series
        limits = np.iinfo(np.int64)
        begin = np.where(here, self.spans[0][self.periods], limits.max)
        end = np.where(here, self.spans[1][self.periods], limits.min)
        return (
            np.add.reduceat(here, series, dtype=np.int64),
            np.minimum.reduceat(begin, series),
            np.maximum.reduceat(end, series),
        )
