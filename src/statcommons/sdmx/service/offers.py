"""The formats that the service offers for each resource, in the order that suits each version of REST."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from statcommons.sdmx.formats import FORMATS, Format
from statcommons.sdmx.service.negotiate import Offer
from statcommons.sdmx.service.paths import Resource, Rest

__all__ = ["DATA_FORMATS", "STANDARDS", "offers_of"]

XML, JSON = ("application/xml", "text/xml"), ("application/json",)
SDMX = "application/vnd.sdmx"
FILE = {"file": "true"}

FAMILIES: Mapping[str, Mapping[str, Any]] = {
    "generic": {"names": ("genericdata", "xml"), "general": XML},
    "generictimeseries": {"names": ("generictimeseriesdata",)},
    "structurespecific": {"names": ("structurespecificdata",)},
    "structurespecifictimeseries": {"names": ("structurespecifictimeseriesdata",)},
    "ml": {"names": ("structurespecificdata", "xmldata", "xml"), "general": XML},
    "json": {"names": ("jsondata", "json", "sdmx-json"), "general": JSON},
    "csv": {
        "names": ("csv", "csvdata", "csvfile", "csvfilewithlabels", "sdmx-csv"),
        "general": ("text/csv", "application/csv"),
        "defaults": {"csvfile": FILE, "csvfilewithlabels": FILE | {"labels": "both"}},
        "takes": frozenset({"labels", "keys", "timeformat", "file"}),
    },
    "json-stat": {"names": ("json-stat", "jsonstat", "json-stat2")},
    "xlsx": {"names": ("xlsx", "excel"), "defaults": {"xlsx": FILE, "excel": FILE}},
}
"""What clients call the families of formats; each format is called by its own name, too."""

FIRST = {
    1: (
        "generic-2.1 structurespecific-2.1 generictimeseries-2.1 structurespecifictimeseries-2.1 json-1.0 csv-1.0"
        " ml-3.0 json-2.0 csv-2.0 ml-3.1 json-2.1 csv-2.1"
    ),
    2: (
        "json-2.1 ml-3.1 csv-2.1 json-2.0 ml-3.0 csv-2.0 json-1.0 csv-1.0 structurespecific-2.1 generic-2.1"
        " structurespecifictimeseries-2.1 generictimeseries-2.1"
    ),
}
"""What comes first, by the version of REST: REST 1.5 is that of SDMX 2.1, and real clients of it want generic XML."""


def _offer(one: Format) -> Offer:
    family = FAMILIES.get(one.name) or FAMILIES.get(one.name.rpartition("-")[0], {"names": ()})
    names = tuple(dict.fromkeys((*family["names"], one.name)))  # the last is what our own commands call it
    return Offer(one.media_type, one.version, **{**family, "names": names})


DATA_FORMATS: dict[int, dict[Offer, Format]] = {}
"""The formats of data by what is offered of them, best first."""

for _rest, _first in FIRST.items():
    _names = [name for name in _first.split() if name in FORMATS]
    DATA_FORMATS[_rest] = {_offer(FORMATS[name]): FORMATS[name] for name in dict.fromkeys([*_names, *FORMATS])}

ML, SDMX_JSON = ("structure", "xml"), ("jsonstructure", "structurejson", "json", "sdmx-json")
STANDARDS: dict[Offer, tuple[str, Any]] = {
    Offer(f"{SDMX}.structure+xml", "2.1", (*ML, "ml-2.1"), XML): ("ml", "2.1"),
    Offer(f"{SDMX}.structure+json", "1.0.0", (*SDMX_JSON, "json-1.0"), JSON): ("json", "1.0"),
    Offer(f"{SDMX}.structure+xml", "3.0.0", (*ML, "ml-3.0"), XML): ("ml", "3.0"),
    Offer(f"{SDMX}.structure+json", "2.0.0", (*SDMX_JSON, "json-2.0"), JSON): ("json", "2.0"),
    Offer(f"{SDMX}.structure+xml", "3.1.0", (*ML, "ml-3.1"), XML): ("ml", "3.1"),
    Offer(f"{SDMX}.structure+json", "2.1.0", (*SDMX_JSON, "json-2.1"), JSON): ("json", "2.1"),
    Offer(f"{SDMX}.schema+xml", "2.1", ("schema",), XML): ("xsd", "2.1"),
    Offer(f"{SDMX}.schema+xml", "3.0.0", ("schema",), XML): ("xsd", "3.0"),
    Offer(f"{SDMX}.schema+xml", "3.1.0", ("schema",), XML): ("xsd", "3.1"),
}
"""The formats of structures and schemas: the family, and the version of the standard or of SDMX-JSON."""


def offers_of(resource: Resource, rest: Rest) -> tuple[Offer, ...]:
    """Give what is offered of a resource, best first.

    Parameters
    ----------
    resource : {"data", "availability", "structure", "schema"}
        The resource.
    rest : {1, 2}
        The version of REST.

    Examples
    --------
    >>> [offers_of("structure", rest)[0].content_type for rest in (1, 2)]
    ['application/vnd.sdmx.structure+xml;version=2.1', 'application/vnd.sdmx.structure+json;version=2.1.0']
    """
    if resource == "data":
        return tuple(DATA_FORMATS[rest])
    structures = [one for one, (family, _) in STANDARDS.items() if family != "xsd"]
    schemas = [one for one, (family, _) in STANDARDS.items() if family == "xsd"]
    if rest == 2:
        structures, schemas = structures[::-1], schemas[::-1]
    return (*schemas, *structures) if resource == "schema" else tuple(structures)
