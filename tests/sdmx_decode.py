"""Small readers of data messages after the field guides, that share nothing with those of the package.

Each gives flat rows: a dict of text by component for every observation, without those that have no value. A value of
JSON that is a number becomes its ``repr``.
"""

from __future__ import annotations

import csv
import io
import json

from lxml import etree

NOT_COMPONENTS = {"DATAFLOW", "STRUCTURE", "STRUCTURE_ID", "STRUCTURE_NAME", "ACTION", "SERIES_KEY", "OBS_KEY"}


def rows_of_csv(message: bytes) -> list[dict[str, str]]:
    read = csv.DictReader(io.StringIO(message.decode(), newline=""), strict=True)
    return [
        {id.partition(":")[0].partition("[")[0]: text for id, text in row.items() if text and is_component(id)}
        for row in read
    ]


def is_component(head: str) -> bool:
    return head.partition("[")[0] not in NOT_COMPONENTS


# --- SDMX-ML --------------------------------------------------------------------------------------------------------


def local(element) -> str:
    return etree.QName(element).localname


def rows_of_ml(message: bytes) -> list[dict[str, str]]:
    root = etree.fromstring(message, etree.XMLParser(resolve_entities=False))
    rows = []
    at = root.find("{*}Header/{*}Structure").get("dimensionAtObservation")
    for data_set in root.iterfind("{*}DataSet"):
        whole = {**own(data_set), **values(data_set.find("{*}Attributes"))}
        groups = [(set(key), {**key, **said}) for key, said in map(group, data_set.iterfind("{*}Group"))]
        for series in data_set.iterfind("{*}Series"):
            outer = {
                **whole,
                **own(series),
                **values(series.find("{*}SeriesKey")),
                **values(series.find("{*}Attributes")),
            }
            found = list(series.iterfind("{*}Obs"))
            rows += [{**outer, **observation(one, at)} for one in found] or [outer]
        rows += [{**whole, **observation(one, "")} for one in data_set.iterfind("{*}Obs")]
        for row in rows:
            for key, told in groups:
                if all(row.get(id) == told[id] for id in key):
                    row.update(told)
    return rows


def own(element) -> dict[str, str]:
    """Attributes of XML without a namespace, and elements with several values."""
    plain = {id: text for id, text in element.attrib.items() if "{" not in id}
    if local(element) == "DataSet":
        plain = {id: text for id, text in plain.items() if id not in ("structureRef", "action", "validFromDate")}
    holders = [element, *element.iterfind("{*}Atts")]
    many = {one.get("id"): ";".join(map(worded, one)) for each in holders for one in each.iterfind("{*}Comp")}
    return plain | many


def worded(value) -> str:
    """Give a text, or those in several languages with their language."""
    spoken = [f"{one.get('{http://www.w3.org/XML/1998/namespace}lang')}:{one.text}" for one in value]
    return ";".join(spoken) or value.text or ""


def values(element) -> dict[str, str]:
    return {} if element is None else {one.get("id"): one.get("value") for one in element}


def group(element) -> tuple[dict[str, str], dict[str, str]]:
    if (key := element.find("{*}GroupKey")) is not None:
        return values(key), values(element.find("{*}Attributes"))
    plain = own(element)  # the test structures name attributes of groups TITLE
    return {id: text for id, text in plain.items() if id != "TITLE"}, plain


def observation(element, at: str) -> dict[str, str]:
    row = own(element)
    if (dimension := element.find("{*}ObsDimension")) is not None:
        row[dimension.get("id", at)] = dimension.get("value")
    if (value := element.find("{*}ObsValue")) is not None:
        row["OBS_VALUE"] = value.get("value")
    return row | values(element.find("{*}ObsKey")) | values(element.find("{*}Attributes"))


# --- SDMX-JSON ------------------------------------------------------------------------------------------------------


def rows_of_json(message: bytes) -> list[dict[str, str]]:
    data = json.loads(message, parse_int=lambda text: -0.0 if text == "-0" else int(text))["data"]
    structures = data.get("structures") or [data.get("structure")]
    rows = []
    for data_set in data["dataSets"]:
        told = structures[data_set.get("structure", 0)]
        dimensions, attributes = told["dimensions"], told["attributes"]
        measures = told.get("measures", {"observation": [{"id": "OBS_VALUE"}]})["observation"]
        below = [*measures, *attributes["observation"]]
        ordered = sorted(dimensions["series"] + dimensions["observation"], key=lambda one: one["keyPosition"])
        whole = listed(attributes["dataSet"], data_set.get("attributes", []))
        found = [
            (keyed(dimensions["series"], key) | listed(attributes["series"], series.get("attributes", [])), series)
            for key, series in data_set.get("series", {}).items()
        ] or [({}, data_set)]
        for outer, holder in found:
            flat = [
                {**whole, **outer, **keyed(dimensions["observation"], key), **listed(below, cells)}
                for key, cells in holder.get("observations", {}).items()
            ]
            rows += flat if flat or holder is data_set else [{**whole, **outer}]
        for key, cells in data_set.get("dimensionGroupAttributes", {}).items():
            group = keyed(ordered, key)
            for row in rows:
                if group.items() <= row.items():
                    row.update(listed(attributes["dimensionGroup"], cells))
    return rows


def keyed(dimensions: list[dict], key: str) -> dict[str, str]:
    places = key.split(":") if key else []
    assert len(places) == len(dimensions), (key, [one["id"] for one in dimensions])
    return {one["id"]: one["values"][int(place)]["id"] for one, place in zip(dimensions, places, strict=True) if place}


def listed(components: list[dict], cells: list) -> dict[str, str]:
    told = zip(components, cells, strict=False)
    return {one["id"]: text_of(one, cell) for one, cell in told if cell is not None and cell != []}


def text_of(component: dict, cell) -> str:
    if isinstance(cell, list):
        return ";".join(text_of(component, one) for one in cell)
    if isinstance(cell, dict):
        return ";".join(f"{language}:{text}" for language, text in cell.items())
    if "values" in component:
        value = component["values"][cell]
        return text_of({}, next(value[name] for name in ("id", "value", "name") if name in value))
    return cell if isinstance(cell, str) else json.dumps(cell)


DECODERS = {"csv": rows_of_csv, "json": rows_of_json, "xml": rows_of_ml}
