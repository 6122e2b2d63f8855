"""The checks of a delivery that look at one figure a period and shop: volume, shops gone and new, copied periods."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from statcommons.prices.clean.findings import ALL, CODES

__all__ = ["Volume", "copied_periods", "outlets_gone_or_new", "unusual_volume", "volume"]

Matrix: TypeAlias = NDArray[np.float64]
Finding: TypeAlias = dict[str, Any]

FEW = 10  # rows below which an equal period is no wonder
LARGE, SMALL = 0.1, 0.01  # of the turnover: a shop that cannot go unnoticed, and one that may
FACTOR = 2.0  # a volume below half or above twice the usual is more than unusual
FEWEST = 6  # periods before one, to tell what is usual


class Volume(NamedTuple):
    """What was delivered, by period and shop.

    Parameters
    ----------
    periods, outlets : list of str
        In order.
    rows, turnover, products : array of shape (n_periods, n_outlets)
        Rows, turnover and different products; not a number where a shop has no row in a period.
    """

    periods: list[str]
    outlets: list[str]
    rows: Matrix
    turnover: Matrix
    products: Matrix


def volume(totals: Any) -> Volume:
    """Lay out totals by period and shop.

    Parameters
    ----------
    totals : pyarrow.Table
        ``period``, ``outlet``, ``rows``, ``turnover``, ``products``, once each.

    Examples
    --------
    >>> import pyarrow as pa
    >>> one = {"period": ["2026-01"], "outlet": ["a"], "rows": [9], "turnover": [20.0], "products": [3]}
    >>> volume(pa.table(one)).turnover.tolist()
    [[20.0]]
    """
    axes = [totals[name].combine_chunks().dictionary_encode() for name in ("period", "outlet")]
    names, places = [], []
    for axis in axes:
        values = np.array(axis.dictionary.to_pylist(), dtype=object)
        order = np.argsort(values)
        names.append(values[order].tolist())
        places.append(np.argsort(order)[axis.indices.to_numpy()])
    made = []
    for name in ("rows", "turnover", "products"):
        matrix = np.full((len(names[0]), len(names[1])), np.nan)
        matrix[places[0], places[1]] = totals[name].to_numpy()
        made.append(matrix)
    return Volume(names[0], names[1], *made)


def _finding(code: str, severity: str, period: str, outlet: str, **more: Any) -> Finding:
    facts = {"code": code, "severity": severity, "period": period, "outlet": outlet, "product": ALL}
    return facts | {"observed": 0.0, "expected": 0.0, "unit": CODES[code].unit, "detail": "", "n_rows": 0} | more


def unusual_volume(made: Volume, products: NDArray[Any], window: int, mads: float, least: float) -> Iterator[Finding]:
    r"""Find periods whose turnover or number of products breaks with the periods before (VOLUME).

    Usual is what lies within :math:`\max(k\,\text{MAD}, c\,\text{median})` of the median of up to ``window`` periods
    before, six at least. It is looked at over all shops, and in each shop where the whole is not off in the same way.

    Parameters
    ----------
    made : Volume
        What was delivered.
    products : array of shape (n_periods,)
        Different products over all shops.
    window : int
        Periods before, to compare with.
    mads : float
        How many median absolute deviations are usual, k.
    least : float
        What share of the median is always usual, c.

    Yields
    ------
    dict
        Of high severity where less than half or more than twice the median came: over all shops, or of the products of
        a shop with 10 % of the turnover or more. Of low severity in a shop under 1 %.

    Examples
    --------
    >>> turnover = np.array([[100.0], [101.0], [99.0], [100.0], [102.0], [98.0], [40.0]])
    >>> months = [f"2026-{month:02d}" for month in range(1, 8)]
    >>> made = Volume(months, ["a"], turnover, turnover, np.full((7, 1), 9.0))
    >>> [drop] = unusual_volume(made, np.full(7, 9), 12, 3.0, 0.1)
    >>> drop["period"], drop["severity"], drop["observed"], drop["expected"]
    ('2026-07', 'high', 40.0, 100.0)
    """
    whole = np.nansum(made.turnover, axis=1)[:, None]
    measures = [
        ("turnover", "currency", np.hstack([whole, made.turnover])),
        ("products", "products", np.hstack([products[:, None].astype(float), made.products])),
    ]
    names = [ALL, *made.outlets]
    rows = np.nan_to_num(np.hstack([np.nansum(made.rows, axis=1)[:, None], made.rows]))
    if len(made.outlets) == 1:  # one shop is the whole
        measures = [(name, unit, matrix[:, :1]) for name, unit, matrix in measures]
    for t in range(FEWEST, len(made.periods)):
        before = slice(max(0, t - window), t)
        share = _share(made, before)
        for name, unit, matrix in measures:
            known = (~np.isnan(matrix[before])).sum(axis=0) >= FEWEST
            columns = np.flatnonzero(known & ~np.isnan(matrix[t]))
            past, now = matrix[before][:, columns], matrix[t, columns]
            usual = np.nanmedian(past, axis=0)
            mad = np.nanmedian(np.abs(past - usual), axis=0)
            off = np.abs(now - usual) > np.maximum(mads * mad, least * np.abs(usual))
            direction = np.sign(now - usual)
            if len(columns) and columns[0] == 0 and off[0]:
                off[1:] &= direction[1:] != direction[0]
            for i in np.flatnonzero(off):
                column = columns[i]
                broken = not usual[i] / FACTOR <= now[i] <= usual[i] * FACTOR
                yield _finding(
                    "VOLUME",
                    _by_share(share[column], broken and (column == 0 or name == "products")),
                    made.periods[t],
                    names[column],
                    observed=float(now[i]),
                    expected=float(usual[i]),
                    unit=unit,
                    detail=f"{name} {'above' if direction[i] > 0 else 'below'} the periods before",
                    n_rows=int(rows[t, column]),
                )


def _share(made: Volume, before: slice) -> Matrix:
    """Give the share of each shop in turnover; the whole, 1, comes first."""
    sums = np.nansum(made.turnover[before], axis=0)
    return np.append(1.0, sums / max(sums.sum(), 1e-300))


def _by_share(share: float, broken: bool) -> str:
    if share < SMALL:
        return "low"
    return "high" if broken and share >= LARGE else "medium"


def outlets_gone_or_new(made: Volume) -> Iterator[Finding]:
    """Find shops that are in a period and not in the next (OUTLET_GONE), or come in one (OUTLET_NEW).

    Parameters
    ----------
    made : Volume
        What was delivered.

    Yields
    ------
    dict
        Gone: high where the shop had 10 % of the turnover of the period before, low under 1 %. New: low.

    Examples
    --------
    >>> nan = np.nan
    >>> two = np.array([[5.0, 5.0], [5.0, nan]])
    >>> [gone] = outlets_gone_or_new(Volume(["2026-01", "2026-02"], ["a", "b"], two, two, two))
    >>> gone["period"], gone["outlet"], gone["severity"]
    ('2026-02', 'b', 'high')
    """
    present = ~np.isnan(made.rows)
    turnover = np.nan_to_num(made.turnover)
    share = turnover / np.maximum(turnover.sum(axis=1, keepdims=True), 1e-300)
    for t, o in np.argwhere(present[:-1] & ~present[1:]).tolist():
        yield _finding(
            "OUTLET_GONE",
            _by_share(share[t, o], True),
            made.periods[t + 1],
            made.outlets[o],
            expected=float(share[t, o]),
            detail=f"last delivered for {made.periods[t]}",
        )
    for t, o in np.argwhere(~present[:-1] & present[1:]).tolist():
        back = bool(present[:t, o].any())
        yield _finding(
            "OUTLET_NEW",
            "low",
            made.periods[t + 1],
            made.outlets[o],
            observed=float(share[t + 1, o]),
            detail="back after a gap" if back else "for the first time",
            n_rows=int(made.rows[t + 1, o]),
        )


def copied_periods(made: Volume, same: Any, share: float) -> Iterator[Finding]:
    """Find periods whose rows are those of an earlier one (COPY), over all shops, else shop by shop.

    Parameters
    ----------
    made : Volume
        What was delivered.
    same : pyarrow.Table
        ``outlet``, ``period``, ``earlier``, ``same``: how many rows of the later period the earlier one has too.
    share : float
        From which share of the rows of the later period on it is a copy.

    Yields
    ------
    dict
        Of high severity, with the nearest to equal of the earlier periods; of the same nearness, the last.

    Examples
    --------
    >>> import pyarrow as pa
    >>> two = np.array([[50.0], [50.0]])
    >>> same = {"outlet": ["a"], "period": ["2026-02"], "earlier": ["2026-01"], "same": [49]}
    >>> [copy] = copied_periods(Volume(["2026-01", "2026-02"], ["a"], two, two, two), pa.table(same), 0.95)
    >>> copy["observed"], copy["detail"]
    (0.98, 'equals 2026-01')
    """
    period = {name: place for place, name in enumerate(made.periods)}
    outlet = {name: place for place, name in enumerate(made.outlets)}
    later = np.array([period[one] for one in same["period"].to_pylist()], np.int64)
    earlier = np.array([period[one] for one in same["earlier"].to_pylist()], np.int64)
    shop = np.array([outlet[one] for one in same["outlet"].to_pylist()], np.int64)
    count = same["same"].to_numpy().astype(float)
    rows = np.nan_to_num(made.rows)

    over_all = np.zeros((len(made.periods), len(made.periods)))
    np.add.at(over_all, (later, earlier), count)
    whole = _copies_of(over_all, rows.sum(axis=1), share)
    for t, (of, n) in whole.items():
        yield _copy(made, t, of, ALL, n, rows[t].sum())
    candidates = count > share * rows[later, shop]
    candidates &= (rows[later, shop] >= FEW) & ~np.isin(later, list(whole))
    best: dict[tuple[int, int], tuple[float, int]] = {}
    for i in np.flatnonzero(candidates):
        key, rank = (int(later[i]), int(shop[i])), (float(count[i]), int(earlier[i]))
        best[key] = max(rank, best.get(key, rank))
    for (t, o), (n, of) in sorted(best.items()):
        yield _copy(made, t, of, made.outlets[o], n, rows[t, o])


def _copies_of(same: Matrix, rows: Matrix, share: float) -> dict[int, tuple[int, float]]:
    """Give for each copied period the period that it copies and how many rows they share."""
    found = {}
    for t in np.flatnonzero((same.max(axis=1) > share * rows) & (rows >= FEW)).tolist():
        of = int(np.flatnonzero(same[t] == same[t].max())[-1])
        found[t] = of, float(same[t, of])
    return found


def _copy(made: Volume, t: int, of: int, outlet: str, same: float, rows: float) -> Finding:
    return _finding(
        "COPY",
        "high",
        made.periods[t],
        outlet,
        observed=float(same / rows),
        detail=f"equals {made.periods[of]}",
        n_rows=int(same),
    )
