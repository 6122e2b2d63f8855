"""How a chart is drawn over time: lines or small multiples, as Altair writes them for Vega-Lite."""

from __future__ import annotations

import datetime
import itertools
import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from statcommons.core.errors import ExtraMissing
from statcommons.core.shape import MONTHS, Point, Series, Shape, midnight, number

__all__ = ["LETTER", "NARROW", "WIDE", "Band", "Colour", "data", "libraries", "lines", "panels", "short", "shortened"]

WIDE, NARROW = 760, 360
"""The widths that a page shows."""

Colour = Callable[[str], str]
"""From a token of the theme to a colour, or to a variable of the page."""

Band = Sequence[tuple[Point, float, float]]
"""The lowest and highest value of each period."""


def libraries() -> tuple[Any, Any]:
    """Import Altair and vl-convert, which the extra ``charts`` brings.

    Raises
    ------
    ExtraMissing
        When one is not installed.

    Examples
    --------
    >>> [one.__name__ for one in libraries()]
    ['altair', 'vl_convert']
    """
    try:
        import altair
        import vl_convert
    except ImportError:
        raise ExtraMissing("Charts are not drawn: altair and vl-convert are not installed.", extra="charts") from None
    return altair, vl_convert


DOTTED, DASHED = [1, 5], [6, 4]
HOLLOW = ("P", "E", "I")
"""Provisional, estimated, imputed: not simply observed."""
LINE, LETTER = 17, 7.4
"""Height of a line and width of a letter of the direct labels, in pixels."""


def lines(
    shape: Shape, drawn: list[Series], context: list[Series], width: int, colour: Colour, room: int, band: Band = ()
) -> Any:
    """Draw lines with their last values beside them, before others in grey or a band; lines of shares are low.

    Parameters
    ----------
    shape : Shape
        What the table holds.
    drawn : list of Series
        What is drawn in colour.
    context : list of Series
        What is drawn in grey.
    width : int
        In pixels.
    colour : callable
        From a token of the theme to a colour.
    room : int
        Pixels that are kept above for a title.
    band : sequence of (Point, float, float)
        Lowest and highest values, by period.
    """
    alt, _ = libraries()
    values = [point.value or 0.0 for one in [*drawn, *context] for point in one.known]
    values += [value for _, low, high in band for value in (low, high)]
    narrow, share = width < (WIDE + NARROW) / 2, shape.measure.unit == "%"
    bounds = [0.0, 100.0] if share else [] if shape.base is None else [shape.base]
    ticks, decimals = _ticks([*values, *bounds], most=3 if share else 7)
    height = 96 if share else 240 if narrow else 248
    left = 12 + round(LETTER * max(len(number(tick, decimals)) for tick in ticks))
    most = width * (0.4 if narrow else 0.34)
    labels = [_label(one.name, number(one.last, shape.decimals), most - 14) for one in drawn]
    right = 14 + round(LETTER * max(len(line) for label in labels for line in label))
    inner = {"width": width - left - right, "height": height}
    points = [point for one in [*drawn, *context] for point in one.known]
    moments = [point.moment for point in points]
    x, y = _axes(alt, points, ticks, decimals, _time_ticks(min(moments), max(moments), 4 if narrow else 7))
    palette = [colour(f"c{place}") for place in range(1, len(drawn) + 1)]
    layers: list[Any] = []
    if band:
        rows = [{"t": _iso(point.moment), "v": low, "h": high} for point, low, high in band]
        layers.append(alt.Chart(data(alt, rows)).mark_area(fill=colour("c1")).encode(x=x, y=y, y2="h:Q"))
    layers += _base_line(alt, shape, y, colour)
    breaks = sorted({point.moment for one in drawn for point in one.known if point.status == "B"})
    if breaks:
        rules = alt.Chart(data(alt, [{"t": _iso(moment)} for moment in breaks]))
        layers.append(rules.mark_rule(color=colour("edge")).encode(x=x))
    if context:
        layers += _strokes(alt, context, [colour("mute")] * len(context), x, y, 1.0)
    layers += _strokes(alt, drawn, palette, x, y, 2.25)
    layers += _dots(alt, drawn, palette, x, y, colour)
    heights = _spread([(one.last, label) for one, label in zip(drawn, labels, strict=True)], ticks, height)
    for place, (one, label, at) in enumerate(zip(drawn, labels, heights, strict=True)):
        text = alt.Chart(data(alt, [{"t": _iso(one.known[-1].moment), "v": at}]))
        said = {"text": label if len(label) > 1 else label[0], "lineHeight": LINE}
        looks = {"align": "left", "baseline": "middle", "dx": 9, "fontWeight": 700}
        looks["dy"] = -LINE / 2 if len(label) > 1 else 0
        # Only the first colour reads 4.5:1 on both papers; the others stand beside their coloured end point.
        looks["color"] = colour("acc" if place == 0 else "ink")
        layers.append(text.mark_text(**said, **looks).encode(x=x, y=y))
    padding = {"left": left, "right": right, "top": 10 + room, "bottom": 26}
    return alt.layer(*layers).properties(**inner, padding=padding, autosize=alt.AutoSizeParams(type="none"))


def data(alt: Any, rows: list[dict[str, Any]]) -> Any:
    """Hand rows to Altair as they are.

    Parameters
    ----------
    alt : module
        Altair.
    rows : list of dict
        The rows.
    """
    return alt.Data(values=rows)


def _iso(moment: datetime.datetime) -> str:
    """Write a moment so that JavaScript reads it as UTC wherever the drawing machine stands."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _label(name: str, value: str, most: float) -> list[str]:
    """Write a direct label on one line, or on two where it is too long, cut where it is still too long."""
    if not name:
        return [value]
    whole = f"{name} {value}"
    if len(whole) * LETTER <= most:
        return [whole]
    letters = max(4, int(most / LETTER))
    return [shortened(name, letters), value]


def shortened(name: str, letters: int) -> str:
    """Cut a name to so many letters, the last of which then says that it was cut.

    Parameters
    ----------
    name : str
        The name.
    letters : int
        How many there is room for.

    Examples
    --------
    >>> shortened("Rice", 4), shortened("Rice and bread", 6)
    ('Rice', 'Rice…')
    """
    return name if len(name) <= letters else name[: letters - 1].rstrip() + "…"


def _spread(labels: list[tuple[float, list[str]]], ticks: Sequence[float], height: float) -> list[float]:
    """Move labels apart that would lie upon each other; gives where they stand, in the units of the axis."""
    scale = height / (ticks[-1] - ticks[0])
    order = sorted(range(len(labels)), key=lambda place: labels[place][0])
    half = [LINE * len(labels[place][1]) / 2 + 1.5 for place in order]
    at = [(labels[place][0] - ticks[0]) * scale for place in order]
    for _ in range(200):
        moved = False
        for one in range(len(at) - 1):
            short = half[one] + half[one + 1] - (at[one + 1] - at[one])
            if short > 0.1:
                at[one], at[one + 1], moved = at[one] - short / 2, at[one + 1] + short / 2, True
        if not moved:
            break
    # What was pushed out of the drawing comes back, first from below, then from above, and moves its neighbours.
    for one in range(len(at)):
        least = half[one] - 8 if one == 0 else at[one - 1] + half[one - 1] + half[one]
        at[one] = max(at[one], least)
    for one in reversed(range(len(at))):
        most = height + 8 - half[one] if one == len(at) - 1 else at[one + 1] - half[one + 1] - half[one]
        at[one] = min(at[one], most)
    places = [0.0] * len(labels)
    for place, pixel in zip(order, at, strict=True):
        places[place] = ticks[0] + pixel / scale
    return places


def _ticks(values: Sequence[float], most: int = 7) -> tuple[list[float], int]:
    """Choose round numbers for the value axis: four to eight gridlines, from zero where zero is near."""
    low, high = min(values), max(values)
    if 0 < low < 0.3 * high:
        low = 0.0
    if low == high:
        low, high = low - (abs(low) or 1) * 0.01, high + (abs(high) or 1) * 0.01
    power = math.floor(math.log10((high - low) / most))
    for exponent, digit in itertools.product((power, power + 1), (1, 2, 2.5, 5)):
        step = digit * 10.0**exponent
        first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
        if last - first <= most:
            decimals = max(0, -exponent + (digit == 2.5))
            return [round(place * step, decimals + 2) for place in range(first, last + 1)], decimals
    raise AssertionError("ten times the power always fits")  # pragma: no cover


def _axes(
    alt: Any,
    points: Sequence[Point],
    ticks: Sequence[float],
    decimals: int,
    marks: Sequence[tuple[datetime.datetime, str]],
    **looks: Mapping[str, Any],
) -> tuple[Any, Any]:
    moments = [point.moment for point in points]
    scale = alt.Scale(type="utc", domain=[_iso(min(moments)), _iso(max(moments))], nice=False)
    # The words of the ticks are ours, not the library's, so that they can be translated.
    words = json.dumps({_iso(moment): text for moment, text in marks}, ensure_ascii=False)
    label = f"{words}[utcFormat(datum.value, '%Y-%m-%dT%H:%M:%SZ')]"
    axis: dict[str, Any] = {"values": [_iso(moment) for moment, _ in marks], "labelExpr": label, "labelOverlap": False}
    axis |= {"labelFlush": False, "title": None, **looks.get("x", {})}
    # With the theme's tickCount, Vega would thin the values given.
    value_axis: dict[str, Any] = {
        "values": list(ticks),
        "tickCount": len(ticks),
        "format": f",.{decimals}f",
        "title": None,
    }
    value_axis |= {"labelOverlap": False, **looks.get("y", {})}
    value_scale = alt.Scale(domain=[ticks[0], ticks[-1]], nice=False, zero=False)
    return alt.X("t:T", scale=scale, axis=alt.Axis(**axis)), alt.Y(
        "v:Q", scale=value_scale, axis=alt.Axis(**value_axis)
    )


def _time_ticks(first: datetime.datetime, last: datetime.datetime, most: int) -> list[tuple[datetime.datetime, str]]:
    """Choose round moments for the time axis and write each: a year where it is new, else the month or day."""
    months = [
        midnight(datetime.date(month // 12, month % 12 + 1, 1))
        for month in range(first.year * 12 + first.month - 1, last.year * 12 + last.month)
    ]
    inside = [moment for moment in months if first <= moment <= last]
    if len(inside) < 3:
        days = (last - first).days
        step = next(step for step in (1, 2, 7, 14, 31) if days / step < most)
        start = midnight(first.date()) + datetime.timedelta(days=first > midnight(first.date()))
        moments = [start + datetime.timedelta(days=day) for day in range(0, (last - start).days + 1, step)]
        words = [f"{moment.day} {MONTHS[moment.month - 1][:3]}" for moment in moments]
        return [
            (moment, _with_year(text, moment, place))
            for place, (moment, text) in enumerate(zip(moments, words, strict=True))
        ]
    for step in (1, 3, 6, 12, 24, 60, 120, 240, 600):
        chosen = [moment for moment in inside if (moment.year * 12 + moment.month - 1) % step == 0]
        if len(chosen) <= most:
            break
    if step >= 12:
        return [(moment, str(moment.year)) for moment in chosen]
    named = [(moment, MONTHS[moment.month - 1][:3]) for moment in chosen]
    return [
        (moment, f"{text} {moment.year}" if place == 0 or moment.month == 1 else text)
        for place, (moment, text) in enumerate(named)
    ]


def _with_year(text: str, moment: datetime.datetime, place: int) -> str:
    return f"{text} {moment.year}" if place == 0 else text


def _pieces(one: Series) -> Iterator[tuple[str, list[Point]]]:
    """Cut a series into strokes of one style; a gap or a break ends a stroke, so that nothing is bridged.

    The piece that leads to a provisional or forecast point has that point's style.
    """
    style, stroke = "", list[Point]()
    before: Point | None = None
    for point in one.points:
        if point.value is None:
            before = None
            continue
        joined = before is not None and point.status != "B" and _adjacent(before, point)
        wanted = point.status if point.status in ("P", "F") else ""
        if joined and wanted == style:
            stroke.append(point)
        else:
            if len(stroke) > 1:
                yield style, stroke
            style, stroke = wanted, ([before] if joined and before else []) + [point]
        before = point
    if len(stroke) > 1:
        yield style, stroke


def _adjacent(before: Point, after: Point) -> bool:
    if before.follows is None or after.follows is None:
        return True
    return bool(before.follows[0] == after.follows[0] and after.follows[1] - before.follows[1] == 1)


def _base_line(alt: Any, shape: Shape, y: Any, colour: Colour) -> list[Any]:
    """Draw the value that an index starts from, where the table holds one."""
    if shape.base is None:
        return []
    base = alt.Chart(data(alt, [{"v": shape.base}]))
    return [base.mark_rule(color=colour("ink"), strokeDash=[], strokeWidth=1).encode(y=y)]


def _strokes(alt: Any, series: list[Series], palette: list[str], x: Any, y: Any, thick: float) -> list[Any]:
    layers = []
    for place, one in reversed(list(enumerate(series))):  # the first, which is the total, lies on top
        by_style: dict[str, list[dict[str, Any]]] = {}
        for piece, (style, stroke) in enumerate(_pieces(one)):
            rows = [{"t": _iso(point.moment), "v": point.value, "p": piece} for point in stroke]
            by_style.setdefault(style, []).extend(rows)
        for style, rows in by_style.items():
            looks: dict[str, Any] = {"color": palette[place], "strokeWidth": thick}
            looks |= {"strokeDash": {"P": DOTTED, "F": DASHED}[style]} if style else {}
            layers.append(alt.Chart(data(alt, rows)).mark_line(**looks).encode(x=x, y=y, detail="p:N"))
    return layers


def _dots(alt: Any, series: list[Series], palette: list[str], x: Any, y: Any, colour: Colour) -> list[Any]:
    """Mark the last point, each that no stroke reaches, and, hollow, each that was not simply observed."""
    layers = []
    for place, one in enumerate(series):
        reached = {point.period for _, stroke in _pieces(one) for point in stroke}
        hollow = [point for point in one.known if point.status in HOLLOW]
        full = [
            point
            for point in one.known
            if point not in hollow and (point.period not in reached or point is one.known[-1])
        ]
        for points, fill in ((full, palette[place]), (hollow, colour("paper"))):
            if points:
                rows = [{"t": _iso(point.moment), "v": point.value} for point in points]
                looks = {"fill": fill, "stroke": palette[place], "strokeWidth": 2, "size": 36, "opacity": 1}
                layers.append(alt.Chart(data(alt, rows)).mark_point(**looks).encode(x=x, y=y))
    return layers


# --- small multiples ---------------------------------------------------------------------------------------


def panels(shape: Shape, drawn: list[Series], width: int, colour: Colour, room: int) -> Any:
    """Draw small multiples: one line each, the same scales, in the order given.

    Parameters
    ----------
    shape : Shape
        What the table holds.
    drawn : list of Series
        What is drawn in colour.
    width : int
        In pixels.
    colour : callable
        From a token of the theme to a colour.
    room : int
        Pixels that are kept above for a title.
    """
    alt, _ = libraries()
    points = [point for one in drawn for point in one.known]
    first, last = (pick(points, key=lambda point: point.moment) for pick in (min, max))
    ticks, decimals = _ticks(
        [*(point.value or 0.0 for point in points), *([] if shape.base is None else [shape.base])], most=3
    )
    columns = 2 if width < (WIDE + NARROW) / 2 else 4
    left, gap, edge, head = 10 + round(LETTER * max(len(number(tick, decimals)) for tick in ticks)), 22, 8, 44
    inner = (width - left - gap * (columns - 1) - edge) // columns
    found = []
    for place, one in enumerate(drawn):
        # Only the lowest drawing of a column says the time, only the first of a row the values.
        ends = {"labels": place >= len(drawn) - columns, "labelFlush": True, "ticks": False}
        marks = [(first.moment, short(first)), (last.moment, short(last))]
        x, y = _axes(alt, points, ticks, decimals, marks, x=ends, y={"labels": place % columns == 0})
        layers = _base_line(alt, shape, y, colour)
        layers += _strokes(alt, [one], [colour("c1")], x, y, 2.0)
        layers += _dots(alt, [one], [colour("c1")], x, y, colour)
        said = (
            (shortened(one.name, int(inner / LETTER)), "ink", 700, -27),
            (number(one.last, shape.decimals), "ink2", 400, -11),
        )
        for text, token, weight, above in said:
            looks = {"align": "left", "color": colour(token), "fontWeight": weight, "text": text}
            layers.append(alt.Chart(data(alt, [{}])).mark_text(x=0, y=above, **looks))
        found.append(alt.layer(*layers).properties(width=inner, height=84))
    padding = {"left": 0, "right": edge, "top": room, "bottom": 0}
    spacing = {"row": head + 12, "column": gap}
    return alt.concat(*found, columns=columns, spacing=spacing, bounds="flush").properties(padding=padding)


def short(point: Point) -> str:
    """Write a period so that two stand below a small chart.

    Parameters
    ----------
    point : Point
        An observation.
    """
    return str(point.moment.year) if point.follows and point.follows[0] == "Y" else point.period[:10]
