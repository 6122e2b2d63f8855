"""One chart of one output: a Vega-Lite spec that is drawn to SVG, and what it shows in words.

Time and a measure make lines, one for each combination of the dimensions that vary; without time they make bars. One
figure made in many ways makes a band, contributions make bars that add up, counts of records make a map.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from statcommons.core import blocks, drawing, svg
from statcommons.core.drawing import WIDE, Band, Colour
from statcommons.core.errors import BadCall
from statcommons.core.schema import TableSchema
from statcommons.core.shape import TOTAL, Point, Series, Shape, number, parts, period_words, shape

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["Chart", "chart", "theme"]

MOST_LINES = 5
"""Beyond five lines no reader tells them apart."""
MOST_WAYS = 7
"""Beyond seven ways to make one figure they are drawn as a band."""
MOST_PANELS = 12
MOST_BARS = 20
MOST_CONTEXT = 24
CONTEXT_POINTS = 600
"""How many points the lines in grey may have together, so that a drawing stays small."""
NORMAL = ("", "A")

WORDS = {
    "bars": "Bar chart.",
    "band": "The band reaches from the lowest to the highest of {all} series, which are made in different ways.",
    "between": "The lowest is {low} ({when_low}), the highest {high} ({when_high}).",
    "count": "{shown} of {all} series are drawn: those with the highest last value.",
    "context": "{shown} of {all} other series are drawn in grey, evenly by their last value.",
    "cells": "{name}: {sum} from {start} to {end}, most in {when_high} ({high}).",
    "fan": "All {all} series end between {low} and {high}.",
    "heat": "Map of counts by period, {count} rows.",
    "highlight": "{count} other series, drawn in grey, end between {low} and {high}.",
    "largest": "{shown} of {all} values are drawn: the largest.",
    "line": "Line chart.",
    "lines": "Line chart of {count} series.",
    "newest": "The newest {shown} of {all} periods are drawn.",
    "panels": "{count} small line charts with the same scales.",
    "part": "{name} {value}",
    "parts": "Bar chart of parts that add up to {total}: {named}.",
    "series": "{name} goes from {first} ({start}) to {last} ({end}).",
    "sizes": "{count} values from {low} ({low_name}) to {high} ({high_name}).",
}
"""Every word that a chart says, to be translated in one place."""


# --- the theme ------------------------------------------------------------------------------------------------------


@cache
def theme() -> dict[str, Any]:
    """Give the one theme: the colours of ``light`` and ``dark`` by token, and the config for Vega-Lite by token.

    Examples
    --------
    >>> theme()["light"]["ink"]
    '#13222b'
    """
    text = (Path(__file__).parent / "theme.json").read_text(encoding="utf-8")
    found: dict[str, Any] = json.loads(text)
    return found


def _hex(token: str) -> str:
    return str(theme()["light"][token])


def _variable(token: str) -> str:
    return f"var(--{token})"


def _config(colour: Colour) -> dict[str, Any]:
    def coloured(value: Any) -> Any:
        if isinstance(value, dict):
            return {name: coloured(one) for name, one in value.items()}
        if isinstance(value, list):
            return [coloured(one) for one in value]
        return colour(value[1:]) if isinstance(value, str) and value.startswith("$") else value

    found: dict[str, Any] = coloured(theme()["vega"])
    return found


# --- the chart ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Chart:
    """A chart: its Vega-Lite spec, its drawing at any width, and what it says in words."""

    shape: Shape
    kind: str
    title: str = ""
    subtitle: str = ""
    chosen: tuple[str, ...] = ()

    @property
    def spec(self) -> dict[str, Any]:
        """The whole Vega-Lite spec, in the light theme, with title and data."""
        return self._spec(WIDE, _hex)

    @property
    def words(self) -> str:
        """What the drawing says to who does not see it: kind, range, first, last, turning points."""
        return _in_words(self)

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader must know about what is not drawn."""
        return _notes(self)

    @property
    def statuses(self) -> tuple[str, ...]:
        """The observation statuses other than normal that the drawing marks."""
        found = {point.status for one in _drawn(self) for point in one.known}
        return tuple(sorted(found.difference(NORMAL)))

    def svg(self, width: int = WIDE) -> str:
        """Draw the chart for a page: colours are the page's CSS variables, so that dark mode needs no second drawing.

        Parameters
        ----------
        width : int
            In pixels; a page takes 760 and 360 and shows the one that fits.

        Returns
        -------
        str
            One ``svg`` element with ``role="img"`` and its words; title and subtitle are left to the page.
        """
        alone = replace(self, title="", subtitle="")
        return svg.slim(svg.draw(alone._spec(width, _variable)), self.words, theme()["vega"]["font"])

    def save(self, path: Path | str) -> Path:
        """Write the chart to a file, by its ending: ``.svg``, ``.html`` (interactive, opens offline) or ``.json``.

        Parameters
        ----------
        path : path
            The file.

        Returns
        -------
        pathlib.Path
            The same.

        Raises
        ------
        BadCall
            When the ending is another.
        """
        target = Path(path)
        if target.suffix == ".svg":
            text = svg.slim(svg.draw(self.spec), self.words, theme()["vega"]["font"])
        elif target.suffix == ".html":
            text = svg.page(self.spec)
        elif target.suffix == ".json":
            text = json.dumps(self.spec, indent=1, ensure_ascii=False) + "\n"
        else:
            raise BadCall(f"A chart is not written as {target.suffix!r}.", remedy="Name a file .svg, .html or .json.")
        target.write_text(text, encoding="utf-8")
        return target

    def _spec(self, width: int, colour: Colour) -> dict[str, Any]:
        alt, _ = drawing.libraries()
        drawn, room = _drawn(self), 54 if self.title else 0
        if self.kind in ("line", "fan"):
            made = drawing.lines(self.shape, drawn, _context(self), width, colour, room, _band(self))
        else:
            make = {"panels": drawing.panels, "heat": blocks.heat}.get(self.kind, blocks.bars)
            made = make(self.shape, drawn, width, colour, room)
        if self.title:
            made = made.properties(title=alt.TitleParams(self.title, subtitle=self.subtitle, offset=14))
        spec: dict[str, Any] = made.to_dict()
        return spec | {"config": _config(colour)}


def chart(
    table: pa.Table, schema: TableSchema, *, title: str = "", subtitle: str = "", chosen: Iterable[str] = ()
) -> Chart:
    """Make the chart of a table from the roles of its columns.

    Time and a measure make lines; without time, or with one period only, there are bars. More than five series are
    drawn as one line, the total, before the others in grey, or as small multiples where there is no total. More than
    seven ways to make one figure are drawn as a band. Percentage points are the parts of a change: those of the last
    period are drawn as bars. A list of records, which has no key, is counted in a map of periods and codes.

    Parameters
    ----------
    table : pyarrow.Table
        An output.
    schema : TableSchema
        Its schema.
    title, subtitle : str
        What a file of its own shows above the drawing; a page writes them itself.
    chosen : iterable of str
        Words of the series that stands before the band, such as the values of parameters: the one that has the first
        of them in its codes, of these the one that has the second, and so on.

    Returns
    -------
    Chart
        The chart, not yet drawn.

    Raises
    ------
    BadCall
        When there is nothing to draw: no measure, or a single value.
    ExtraMissing
        When the extra ``charts`` is not installed.

    Examples
    --------
    >>> import pyarrow as pa
    >>> from statcommons.core.schema import Column
    >>> time, index = Column("period", "period", "time"), Column("index", "number", "measure", decimals=1)
    >>> table = pa.table({"period": ["2026-W01", "2026-W02"], "index": [100.0, 101.5]})
    >>> chart(table, TableSchema("Index", "", (time, index))).words
    'Line chart. index goes from 100.0 (week 1 of 2026) to 101.5 (week 2 of 2026).'
    """
    drawing.libraries()
    found = shape(table, schema)
    values = sum(len(one.known) for one in found.series)
    if values < 2:
        raise BadCall("A single value makes no chart.", where=schema.name, remedy="Read it in the table.")
    if found.is_split:
        return Chart(parts(found), "parts", title, subtitle)
    if found.counted and found.varying:
        return Chart(found, "heat", title, subtitle)
    if found.time is None or all(len(one.known) < 2 for one in found.series):
        return Chart(found, "bar", title, subtitle)
    if found.is_fan and len(found.series) > MOST_WAYS:
        return Chart(found, "fan", title, subtitle, tuple(chosen))
    highlight = len(found.series) <= MOST_LINES or found.main is not None
    return Chart(found, "line" if highlight else "panels", title, subtitle)


# --- what is drawn, and how it reads --------------------------------------------------------------------------------


def _drawn(made: Chart) -> list[Series]:
    """Choose the series that stand in front: all up to five, the total, twelve panels, or the longest bars."""
    series = [one for one in made.shape.series if one.known]
    if made.kind == "fan":
        return [max(series, key=lambda one: [word in _codes(one) for word in made.chosen])]
    if made.kind == "line":
        return [made.shape.main] if len(series) > MOST_LINES and made.shape.main else series
    if made.kind == "panels":
        return sorted(series, key=_height)[:MOST_PANELS]
    if made.kind == "parts":
        return series
    if made.kind == "heat":
        return sorted(sorted(series, key=lambda one: -_sum(one))[:MOST_BARS], key=lambda one: one.key)
    largest = sorted(series, key=lambda one: -abs(one.last))[:MOST_BARS]
    return sorted(largest, key=_height)


def _codes(one: Series) -> list[str]:
    return [word for code in one.key for word in (code, *re.split(r"[^0-9A-Za-z]+", code))]


def _sum(one: Series) -> float:
    return sum(point.value or 0.0 for point in one.known)


def _band(made: Chart) -> Band:
    """Give the lowest and highest value of each period, where one figure is made in many ways."""
    if made.kind != "fan":
        return ()
    points: dict[str, list[Point]] = {}
    for one in made.shape.series:
        for point in one.known:
            points.setdefault(point.period, []).append(point)
    some = sorted(points.values(), key=lambda several: several[0].moment)
    values = [[point.value or 0.0 for point in several] for several in some]
    return [(several[0], min(those), max(those)) for several, those in zip(some, values, strict=True)]


def _context(made: Chart) -> list[Series]:
    """Choose the series that stand in grey behind the highlighted one, evenly by their last value."""
    if made.kind != "line" or len(made.shape.series) <= MOST_LINES:
        return []
    others = sorted((one for one in made.shape.series if one.known and one is not made.shape.main), key=_height)
    longest = max(len(one.known) for one in others)
    lines = min(len(others), MOST_CONTEXT, max(5, CONTEXT_POINTS // longest))
    return [others[round(place * (len(others) - 1) / (lines - 1))] for place in range(lines)]


def _height(one: Series) -> float:
    return -one.last


def _notes(made: Chart) -> tuple[str, ...]:
    drawn, series = len(_drawn(made)), sum(bool(one.known) for one in made.shape.series)
    context = len(_context(made))
    if made.kind == "fan":
        return (WORDS["band"].format(all=series),)
    if context and context < series - 1:
        return (WORDS["context"].format(shown=context, all=series - 1),)
    if made.kind == "panels" and drawn < series:
        return (WORDS["count"].format(shown=drawn, all=series),)
    if made.kind == "heat":
        periods = len({point.period for one in made.shape.series for point in one.known})
        newest = {"shown": blocks.MOST_COLUMNS, "all": periods}
        return (WORDS["newest"].format(**newest),) if periods > blocks.MOST_COLUMNS else ()
    return (WORDS["largest"].format(shown=drawn, all=series),) if made.kind == "bar" and drawn < series else ()


def _in_words(made: Chart) -> str:
    shape, kind = made.shape, made.kind

    def written(value: float | None) -> str:
        return number(value, shape.decimals)

    def when(point: Point) -> str:
        return period_words(point.period)

    drawn = _drawn(made)
    if kind == "parts":
        named = (WORDS["part"].format(name=one.name, value=written(one.last)) for one in drawn if one.key != (TOTAL,))
        return WORDS["parts"].format(total=written(drawn[-1].last), named=", ".join(named))
    if kind == "bar":
        high, low = drawn[0], drawn[-1]
        sizes = {"low": written(low.last), "low_name": low.name, "high": written(high.last), "high_name": high.name}
        return f"{WORDS['bars']} {WORDS['sizes'].format(count=len(drawn), **sizes)}"
    if kind == "heat":
        sentences = [WORDS["heat"].format(count=len(drawn))]
        for one in drawn:
            most = max(one.known, key=lambda point: point.value or 0.0)
            where = {"start": when(one.known[0]), "end": when(one.known[-1]), "when_high": when(most)}
            counts = {"sum": written(_sum(one)), "high": written(most.value)}
            sentences.append(WORDS["cells"].format(name=one.name, **counts, **where))
        return " ".join(sentences)
    sentences = [WORDS["line"] if len(drawn) == 1 else WORDS["lines"].format(count=len(drawn))]
    if kind == "panels":
        sentences = [WORDS["panels"].format(count=len(drawn))]
    for one in drawn:
        first, last = one.known[0], one.known[-1]
        ends = {
            "first": written(first.value),
            "start": when(first),
            "last": written(one.last),
            "end": when(last),
        }
        sentences.append(WORDS["series"].format(name=one.name or shape.measure.name, **ends))
        lowest, highest = (pick(one.known, key=lambda point: point.value or 0.0) for pick in (min, max))
        if len(drawn) <= 2 and not {lowest, highest} <= {first, last}:
            turns = {
                "low": written(lowest.value),
                "when_low": when(lowest),
                "high": written(highest.value),
                "when_high": when(highest),
            }
            sentences.append(WORDS["between"].format(**turns))
    if context := _context(made):
        lasts = [one.last for one in context]
        others = sum(bool(one.known) for one in shape.series) - len(drawn)
        between = {"low": written(min(lasts)), "high": written(max(lasts))}
        sentences.append(WORDS["highlight"].format(count=others, **between))
    if band := _band(made):
        ends = {"low": written(band[-1][1]), "high": written(band[-1][2])}
        sentences.append(WORDS["fan"].format(all=len(shape.series), **ends))
    return " ".join(sentences)
