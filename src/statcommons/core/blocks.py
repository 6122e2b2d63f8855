"""How a chart is drawn without an axis of time: bars, and a map of counts by period and code."""

from __future__ import annotations

import math
from typing import Any

from statcommons.core.drawing import LETTER, Colour, data, libraries, short
from statcommons.core.shape import TOTAL, Point, Series, Shape, number

__all__ = ["MOST_COLUMNS", "bars", "heat"]

MOST_COLUMNS = 36
"""Periods that a map has room for."""
MOST_NUMBERS = 80
"""Cells up to which each has its number, so that a drawing stays small."""
CELL = 26
SHADES = (("s1", "ink"), ("s2", "ink"), ("s3", "ink"), ("s5", "paper"), ("s6", "paper"))
"""Colours of cells from few to many, and of the numbers in them; on s4 neither reads well."""


def bars(shape: Shape, drawn: list[Series], width: int, colour: Colour, room: int) -> Any:
    """Draw horizontal bars from zero, in the order given.

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
    written = [number(one.last, shape.decimals) for one in drawn]
    most = width * 0.4
    left = min(most, 14 + LETTER * max(len(one.name) for one in drawn))
    right = 12 + round(LETTER * max(len(text) for text in written))
    low, high = min(0.0, *(one.last for one in drawn)), max(0.0, *(one.last for one in drawn))
    inner = width - round(left) - right
    if low < 0:  # room for the labels at the left ends, within the drawing
        low -= (high - low) * right / max(1, inner - right)
    rows = [
        {"n": one.name or shape.measure.name, "v": one.last, "w": text, "c": colour(_token(shape, one))}
        for one, text in zip(drawn, written, strict=True)
    ]
    names = [str(row["n"]) for row in rows]
    x = alt.X("v:Q", axis=None, scale=alt.Scale(domain=[low, high], nice=False))
    y_axis = alt.Axis(labelLimit=round(left) - 10, title=None, labelPadding=8)
    y = alt.Y("n:N", sort=names, axis=y_axis, scale=alt.Scale(paddingInner=0.35, paddingOuter=0.2))
    base = alt.Chart(data(alt, rows))
    sizes = base.mark_bar().encode(x=x, y=y, fill=alt.Fill("c:N", scale=None))
    # A label stands outside its bar, at whichever end the bar has.
    labels = [
        base.transform_filter(f"datum.v {sign} 0")
        .mark_text(align=align, dx=shift, color=colour("ink"))
        .encode(x=x, y=y, text="w:N")
        for sign, align, shift in ((">=", "left", 6), ("<", "right", -6))
        if sign == ">=" or low < 0
    ]
    zero = alt.Chart(data(alt, [{"v": 0.0}])).mark_rule(color=colour("ink"), strokeDash=[], strokeWidth=1).encode(x=x)
    padding = {"left": round(left), "right": right, "top": 6 + room, "bottom": 8}
    whole = {"width": inner, "height": 26 * len(drawn)}
    return alt.layer(sizes, zero, *labels).properties(
        **whole, padding=padding, autosize=alt.AutoSizeParams(type="none")
    )


def _token(shape: Shape, one: Series) -> str:
    """Choose the colour of a bar; the total of parts is no part."""
    return "mute" if shape.is_split and one.key == (TOTAL,) else "c1"


def heat(shape: Shape, drawn: list[Series], width: int, colour: Colour, room: int) -> Any:
    """Draw a map of counts: a row for each series, a column for each period, darker where there are more.

    Parameters
    ----------
    shape : Shape
        What the table holds.
    drawn : list of Series
        What is drawn, from above.
    width : int
        In pixels.
    colour : callable
        From a token of the theme to a colour.
    room : int
        Pixels that are kept above for a title.
    """
    alt, _ = libraries()
    points = {point.moment: point for one in drawn for point in one.known}
    columns = [points[moment] for moment in sorted(points)][-MOST_COLUMNS:]
    names = [one.name or shape.measure.name for one in drawn]
    left = round(min(width * 0.4, 14 + max(_length(name) for name in names)))
    step = (width - left - 4) // len(columns)  # of whole pixels, which are short to write
    first = columns[0].moment
    cells = [
        (row, point, point.value or 0.0)
        for row, one in enumerate(drawn)
        for point in one.known
        if point.moment >= first
    ]
    bounds = _bounds([value for _, _, value in cells])
    at = {point.moment: place * step for place, point in enumerate(columns)}
    fits = len(cells) <= MOST_NUMBERS and max(len(number(value, 0)) for _, _, value in cells) * LETTER < step - 2
    rows: list[dict[str, Any]] = []
    for row, point, value in cells:
        fill, ink = SHADES[max(place for place, bound in enumerate(bounds) if value >= bound)]
        looks = {"fill": colour(fill), "ink": colour(ink), "w": number(value, 0) if fits else ""}
        rows.append({"x": at[point.moment], "x2": at[point.moment] + step - 1, "y": row * CELL, **looks})
    for place, bound in enumerate(bounds):  # the legend, below
        below = len(drawn) * CELL + 34
        start = place * 74.0
        looks = {"fill": colour(SHADES[place][0]), "ink": colour("ink2"), "w": ""}
        rows.append({"x": start, "x2": start + 22, "y": below, **looks})
        more = f"{number(bound, 0)}+" if place else f"{number(bound, 0)}"
        rows.append({"x": start + 28, "x2": start + 28, "y": below, **looks, "w": more, "from": "left"})
    for box in rows:
        box |= {"y2": box["y"] + CELL - 1, "ym": box["y"] + CELL / 2, "xm": (box["x"] + box["x2"]) / 2}
    inner = {"width": width - left - 4, "height": len(drawn) * CELL + 34 + CELL}
    x, y = ({"scale": alt.Scale(domain=[0, size], nice=False), "axis": None} for size in inner.values())
    y["scale"]["reverse"] = True
    base = alt.Chart(data(alt, sorted(rows, key=lambda box: str(box["fill"]))))  # neighbours of one colour are one path
    boxes = base.mark_rect().encode(
        x=alt.X("x:Q", **x), x2="x2:Q", y=alt.Y("y:Q", **y), y2="y2:Q", fill=alt.Fill("fill:N", scale=None)
    )
    layers = [boxes]
    for side, wanted in (("center", "!datum.from"), ("left", "datum.from")):
        text = base.transform_filter(f"{wanted} && datum.w != ''").mark_text(align=side, baseline="middle")
        layers.append(
            text.encode(x=alt.X("xm:Q", **x), y=alt.Y("ym:Q", **y), text="w:N", color=alt.Color("ink:N", scale=None))
        )
    labels = [
        *(
            {"x": -8, "y": row * CELL + CELL / 2, "text": _cut(name, left), "align": "right"}
            for row, name in enumerate(names)
        ),
        *_periods(columns, step, len(drawn) * CELL + 12, int(inner["width"])),
    ]
    for one in labels:
        mark = alt.Chart(data(alt, [{}])).mark_text(baseline="middle", color=colour("ink2"), **one)
        layers.append(mark)
    padding = {"left": left, "right": 4, "top": 6 + room, "bottom": 4}
    return alt.layer(*layers).properties(**inner, padding=padding, autosize=alt.AutoSizeParams(type="none"))


def _bounds(values: list[float]) -> list[float]:
    """Cut counts into at most five classes, at powers of ten or of what is next to them."""
    highest = max(values)
    power = max(2.0, 10.0 if highest >= 100 else 3.0)
    while power ** (len(SHADES) - 1) < highest / power:
        power *= 10.0
    classes = 1 + math.floor(math.log(max(highest, 1.0), power) + 1e-9)
    return [0.0 if min(values) < 1 else 1.0, *(power**place for place in range(1, min(classes, len(SHADES))))]


def _periods(columns: list[Point], step: int, y: float, width: int) -> list[dict[str, Any]]:
    """Write below the columns as many periods as there is room for, the first and others evenly."""
    texts = [short(point) for point in columns]
    every = max(1, math.ceil((max(len(text) for text in texts) * LETTER + 8) / step))
    middles = {place: (place + 0.5) * step for place in range(0, len(columns), every)}
    return [
        {"x": middle, "y": y, "text": texts[place]}
        for place, middle in middles.items()
        if middle + len(texts[place]) * LETTER / 2 < width + 4
    ]


def _length(name: str) -> float:
    """Estimate the width of a name; capitals are wider."""
    return LETTER * (len(name) + 0.25 * sum(letter.isupper() for letter in name))


def _cut(name: str, left: int) -> str:
    letters = int((left - 10) / LETTER)
    return name if _length(name) <= left - 10 else name[: letters - 1].rstrip() + "…"
