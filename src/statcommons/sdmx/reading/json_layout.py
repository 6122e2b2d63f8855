"""What the structure in a message of SDMX-JSON says: where components stand, and which values indices mean."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from statcommons.sdmx.message import PRIMARY

__all__ = ["Component", "Layout", "layout_of", "reference_of"]

PATH = re.compile(r"/(?:dataflow|datastructure|provisionagreement)/([^/?]+)/([^/?]+)(?:/([^/?]+))?")
RELATIONS = ("dataflow", "datastructure", "provisionagreement")


@dataclass(frozen=True)
class Component:
    """A component in a message: its id, and the values that indices stand for; none where cells are values."""

    id: str
    values: list[Any] | None


@dataclass(frozen=True)
class Layout:
    """Where the components of a data set stand."""

    fixed: list[Component]
    series: list[Component]
    inner: list[Component]
    measures: list[Component]
    attributes: Mapping[str, list[Component]]
    measure: str = ""
    """What the one measure is called that a message of version 1.0 does not name."""

    @property
    def dimensions(self) -> list[Component]:
        """All dimensions in the order in which keys of groups have them."""
        return [*self.fixed, *self.series, *self.inner]


def layout_of(structure: Mapping[str, Any]) -> Layout:
    """Read the layout of data sets from a structure of a message.

    Parameters
    ----------
    structure : mapping
        As JSON has it; version 1.0 names no measures and means ``OBS_VALUE``.

    Examples
    --------
    >>> time = {"id": "TIME_PERIOD", "values": [{"id": "2018"}]}
    >>> layout_of({"dimensions": {"observation": [time]}}).dimensions
    [Component(id='TIME_PERIOD', values=['2018'])]
    """
    dimensions, attributes = structure.get("dimensions") or {}, structure.get("attributes") or {}
    levels = ("dataSet", "dimensionGroup", "series", "observation")
    measures = _components((structure.get("measures") or {}).get("observation"))
    return Layout(
        fixed=_components(dimensions.get("dataSet")),
        series=_components(dimensions.get("series")),
        inner=_components(dimensions.get("observation")),
        measures=measures or [Component(PRIMARY, None)],
        attributes={level: _components(attributes.get(level)) for level in levels},
        measure="" if measures else PRIMARY,
    )


def _components(plain: list[dict[str, Any]] | None) -> list[Component]:
    return [Component(one["id"], [_value(each) for each in one.get("values") or []] or None) for one in plain or []]


def _value(plain: Any) -> Any:
    """Give what a value of the structure is: its code, its value or values, or the words where it has only those."""
    if not isinstance(plain, dict):
        return plain
    found = next((plain[key] for key in ("id", "value", "values", "ids", "names", "name") if plain.get(key)), None)
    return plain.get("name", found) if found is plain.get("names") else found


def reference_of(links: Sequence[dict[str, Any]]) -> str:
    """Find which dataflow or data structure it is; empty where the links do not say.

    Parameters
    ----------
    links : sequence of dict
        The links of a structure or data set.

    Examples
    --------
    >>> reference_of([{"rel": "dataflow", "href": "https://x.org/dataflow/ECB/EXR/1.0"}])
    'ECB:EXR(1.0)'
    """
    for relation in RELATIONS:
        for link in links:
            if link.get("rel") == relation:
                if "=" in (urn := link.get("urn", "")):
                    return str(urn.rpartition("=")[2])
                if found := PATH.search(link.get("href", "")):
                    return f"{found[1]}:{found[2]}({found[3] or '1.0'})"
    return ""
