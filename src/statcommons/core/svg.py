"""From a Vega-Lite spec to a small SVG: what is seen stays, and the drawing says in words what it shows."""

from __future__ import annotations

import re
from typing import Any

from statcommons.core.drawing import libraries

__all__ = ["draw", "page", "slim"]


def _version() -> str:
    """Name the Vega-Lite that Altair writes for, as vl-convert knows it (``6.4``)."""
    alt, _ = libraries()
    return ".".join(str(alt.SCHEMA_VERSION).lstrip("v").split(".")[:2])


def draw(spec: dict[str, Any]) -> str:
    """Draw a Vega-Lite spec as vl-convert does.

    Parameters
    ----------
    spec : dict
        Vega-Lite.

    Examples
    --------
    >>> draw({"data": {"values": [{"x": 1}]}, "mark": "point"})[:4]
    '<svg'
    """
    _, vl_convert = libraries()
    return str(vl_convert.vegalite_to_svg(_writable(spec), vl_version=_version()))


def _writable(value: Any) -> Any:
    """Replace the signs that XML cannot hold: one of them in a code would end the whole process in vl-convert."""
    if isinstance(value, str):
        return NOT_XML.sub("\N{REPLACEMENT CHARACTER}", value)
    if isinstance(value, dict):
        return {name: _writable(one) for name, one in value.items()}
    return [_writable(one) for one in value] if isinstance(value, list) else value


NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")


def page(spec: dict[str, Any]) -> str:
    """Write an interactive page of a Vega-Lite spec that needs no network.

    Parameters
    ----------
    spec : dict
        Vega-Lite.

    Examples
    --------
    >>> "<html>" in page({"data": {"values": [{"x": 1}]}, "mark": "point"})
    True
    """
    _, vl_convert = libraries()
    return str(vl_convert.vegalite_to_html(spec, vl_version=_version(), bundle=True))


SVG = "http://www.w3.org/2000/svg"
LINE_TAG, PATH_TAG = f"{{{SVG}}}line", f"{{{SVG}}}path"
DEFAULTS = {
    "opacity": "1",
    "stroke-width": "1",
    "font-size": "13px",
    "transform": "translate(0,0)",
    "text-anchor": "start",
    "font-weight": "400",
}
KEPT = re.compile(
    r"(d|x\d?|y\d?|r|cx|cy|dx|dy|width|height|transform|opacity|text-anchor|font-(size|weight)"
    r"|fill(-opacity)?|stroke(-(width|dasharray|linecap|linejoin|opacity))?)$"
)
FIGURES = re.compile(r"-?\d+\.\d+(?:e-?\d+)?")


def slim(drawing: str, words: str, font: str) -> str:
    """Leave of a drawing what is seen, with numbers to a tenth of a pixel, and say in words what it shows.

    Parameters
    ----------
    drawing : str
        SVG, as :func:`draw` gives it.
    words : str
        What it shows.
    font : str
        The family of its letters.

    Examples
    --------
    >>> dot = draw({"data": {"values": [{"x": 1}]}, "mark": "point"})
    >>> small = slim(dot, "A dot", "serif")
    >>> 'aria-label="A dot"' in small, len(small) < len(dot)
    (True, True)
    """
    from xml.etree import ElementTree

    ElementTree.register_namespace("", SVG)
    drawn = ElementTree.fromstring(drawing)  # noqa: S314  the text is our own library's, not a stranger's
    size = {name: drawn.get(name, "0") for name in ("width", "height")}
    box = drawn.get("viewBox", "")
    _thin(drawn)
    drawn.attrib.clear()
    drawn.attrib.update({"viewBox": box, **size, "role": "img", "aria-label": words})
    drawn.attrib.update({"font-family": font, "font-size": "13"})
    return ElementTree.tostring(drawn, encoding="unicode")


def _thin(parent: Any) -> None:
    children: list[Any] = []
    for child in list(parent):
        _thin(child)
        if child.get("display") == "none" or child.get("opacity") == "0" or _is_empty(child):
            continue
        child.attrib = {
            name: value if name.startswith("stroke") else _rounded(value)
            for name, value in child.attrib.items()
            if KEPT.match(name)
        }
        child.attrib = {name: value for name, value in child.attrib.items() if DEFAULTS.get(name) != value}
        child.tail = None
        if child.tag == LINE_TAG or _is_block(child):
            _as_path(child)
            if children and children[-1].tag == PATH_TAG and _looks(children[-1]) == _looks(child):
                children[-1].set("d", children[-1].get("d") + child.get("d"))
                continue
        children += list(child) if child.tag == f"{{{SVG}}}g" and not child.attrib else [child]
    for child in list(parent):
        parent.remove(child)
    parent.extend(children)


def _is_block(child: Any) -> bool:
    """Whether an element is a filled box that can share a path with others: closed, in place and without a line."""
    closed = child.tag == PATH_TAG and str(child.get("d", "")).endswith("Z")
    return closed and "stroke" not in child.attrib and "transform" not in child.attrib


def _as_path(line: Any) -> None:
    """Write a line as a path, which gridlines of one colour can share."""
    if line.tag == PATH_TAG:
        return
    start = re.search(r"translate\(([^)]*)\)", line.attrib.pop("transform", "")) or ["", "0,0"]
    line.tag = PATH_TAG
    line.set("d", f"M{start[1]}l{line.attrib.pop('x2', '0')},{line.attrib.pop('y2', '0')}")


def _looks(path: Any) -> dict[str, str]:
    return {name: value for name, value in path.attrib.items() if name != "d"}


def _is_empty(child: Any) -> bool:
    """Whether nothing of an element is seen: a group without children, or the frame of a group without a line."""
    tag = child.tag.partition("}")[2]
    if tag == "g":
        return len(child) == 0
    unseen = all(child.get(name, "none") in ("none", "transparent") for name in ("fill", "stroke"))
    return bool(tag == "path" and (unseen or not child.get("d"))) or (tag == "rect" and unseen)


def _rounded(value: str) -> str:
    return FIGURES.sub(lambda found: f"{round(float(found[0]), 1) + 0.0:g}", value)
