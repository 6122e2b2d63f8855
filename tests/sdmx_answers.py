"""What a client reads from the answers of the service, by small decoders of their own: rows, series, artefacts."""

from __future__ import annotations

import contextlib
import csv
import gzip
import io
import itertools
import json
import subprocess
import sys
from collections import Counter

import zstandard
from lxml import etree

SERVE = "import sys; from statcommons.sdmx.service.serve import serve; serve(sys.argv[1], port=0, processes=2)"


@contextlib.contextmanager
def started(store):
    """Run the server on any free port; give its process and its address."""
    with subprocess.Popen([sys.executable, "-c", SERVE, str(store)], stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process, process.stdout.readline().strip().removesuffix("/sdmx/v2")
        finally:
            process.terminate()
            process.wait(60)


@contextlib.contextmanager
def running(store):
    """Run the server on any free port and give its address."""
    with started(store) as (_, address):
        yield address


def unpacked(body, encoding):
    """Undo the compression of a body."""
    if encoding == "gzip":
        return gzip.decompress(body)
    return zstandard.ZstdDecompressor().decompressobj().decompress(body) if encoding == "zstd" else body


def observations(content_type, body, dimensions):
    """Give the observations of any format as sorted tuples of key, period and value."""
    if "csv" in content_type:
        rows = _of_csv(body, dimensions)
    elif "genericdata" in content_type or "generictimeseriesdata" in content_type:
        rows = _of_generic(body, dimensions)
    elif "xml" in content_type:
        rows = _of_specific(body, dimensions)
    elif "vnd.sdmx" in content_type or ("jsonstat" not in content_type and b'"dataSets"' in body):
        rows = _of_json(body, dimensions)
    else:
        rows = _of_json_stat(body, dimensions)
    return sorted((*row[:-1], None if row[-1] in ("", None) else float(row[-1])) for row in rows)


def series_keys(content_type, body, dimensions):
    """Give the keys of the series, also of those without observations."""
    if "csv" in content_type:
        return {row[: len(dimensions)] for row in _of_csv(body, dimensions)}
    if "xml" in content_type:
        found = set()
        for one in etree.fromstring(body).iter("{*}Series"):
            values = {value.get("id"): value.get("value") for value in one.iterfind("{*}SeriesKey/{*}Value")}
            found.add(tuple((values or one.attrib).get(id) for id in dimensions))
        return found
    return {key for key, _ in _json_series(json.loads(body), dimensions)}


def _of_csv(body, dimensions):
    text = body.decode("utf-8-sig")
    for row in csv.DictReader(io.StringIO(text)):
        cells = {name.partition(":")[0]: (value or "") for name, value in row.items()}
        code = {id: cells[id].partition(":")[0] for id in (*dimensions, "TIME_PERIOD") if id in cells}
        yield (*(code.get(id) for id in dimensions), code.get("TIME_PERIOD"), cells.get("OBS_VALUE", ""))


def _of_generic(body, dimensions):
    root = etree.fromstring(body)
    at = root.find(".//{*}Header/{*}Structure").get("dimensionAtObservation")
    for one in root.iter("{*}Obs"):
        key = {value.get("id"): value.get("value") for value in one.iterfind("{*}ObsKey/{*}Value")}
        above = one.getparent()
        key |= {value.get("id"): value.get("value") for value in above.iterfind("{*}SeriesKey/{*}Value")}
        dimension = one.find("{*}ObsDimension")
        if dimension is not None:
            key[dimension.get("id", at)] = dimension.get("value")
        value = one.find("{*}ObsValue")
        yield (*(key[id] for id in dimensions), key["TIME_PERIOD"], None if value is None else value.get("value"))


def _of_specific(body, dimensions):
    for one in etree.fromstring(body).iter("{*}Obs"):
        cells = dict(one.getparent().attrib) | dict(one.attrib)
        yield (*(cells[id] for id in dimensions), cells["TIME_PERIOD"], cells.get("OBS_VALUE"))


def _json_series(message, dimensions):
    """Give the key and the observations of each series of SDMX-JSON."""
    data = message["data"]
    structures = data.get("structures") or [data["structure"]]
    for one in data["dataSets"]:
        said = structures[one.get("structure", 0)]["dimensions"]
        whole = {part["id"]: part["values"][0]["id"] for part in said.get("dataSet", ())}
        for text, series in one.get("series", {}).items():
            places = map(int, text.split(":")) if text else ()
            key = {part["id"]: part["values"][place]["id"] for part, place in zip(said["series"], places, strict=True)}
            yield tuple((whole | key).get(id) for id in dimensions), (whole | key, said, series.get("observations", {}))
        if "observations" in one:
            yield (), (whole, said, one["observations"])


def _of_json(body, dimensions):
    for _, (above, said, observations) in _json_series(json.loads(body), dimensions):
        for text, values in observations.items():
            key = dict(above)
            for part, place in zip(said["observation"], map(int, text.split(":")), strict=True):
                value = part["values"][place]
                key[part["id"]] = value.get("id") or value.get("value")
            yield (*(key[id] for id in dimensions), key["TIME_PERIOD"], values[0])


def _of_json_stat(body, dimensions):
    cube = json.loads(body)
    labels = []
    for id in cube["id"]:
        category = cube["dimension"][id]["category"]
        index = category.get("index") or list(category["label"])
        labels.append(index if isinstance(index, list) else sorted(index, key=index.get))
    values = cube["value"]
    for place, codes in enumerate(itertools.product(*labels)):
        value = values.get(str(place)) if isinstance(values, dict) else values[place]
        if value is not None:
            key = dict(zip(cube["id"], codes, strict=True))
            yield (*(key[id] for id in dimensions), key["TIME_PERIOD"], value)


KINDS = {
    "codelists": "Codelist",
    "conceptSchemes": "ConceptScheme",
    "dataStructures": "DataStructure",
    "dataflows": "Dataflow",
    "agencySchemes": "AgencyScheme",
    "agencyschemes": "AgencyScheme",
    "organisationSchemes": "AgencyScheme",
    "contentConstraints": "ContentConstraint",
    "dataConstraints": "ContentConstraint",
}


def artefacts(content_type, body):
    """Count the artefacts of a structure message by their class."""
    if "json" in content_type:
        return Counter({KINDS[name]: len(some) for name, some in json.loads(body)["data"].items() if some})
    known = {"Dataflow", "DataStructure", "Codelist", "ConceptScheme", "AgencyScheme"}
    root = etree.fromstring(body)
    below = [one for part in root.find("{*}Structures") for one in part.iter() if one.get("agencyID")]
    return Counter(name for one in below if (name := etree.QName(one).localname) in known)


def codelists(content_type, body):
    """Give the code lists: whether each is a stub, whether it is partial, and its codes."""
    if "json" in content_type:
        for one in json.loads(body)["data"]["codelists"]:
            codes = [code["id"] for code in one.get("codes", ())]
            yield bool(one.get("isExternalReference")), bool(one.get("isPartial")), codes
    else:
        for one in etree.fromstring(body).iter("{*}Codelist"):
            codes = [code.get("id") for code in one.iterfind("{*}Code")]
            yield one.get("isExternalReference") == "true", one.get("isPartial") == "true", codes


def available(content_type, body):
    """Give what an answer of availability says: values by dimension, the range of time, the two counts."""
    if "json" in content_type:
        data = json.loads(body)["data"]
        constraints = ("contentConstraints", "dataConstraints", "availabilityConstraints")
        [constraint] = next(data[name] for name in constraints if name in data)
        if "obsCount" in constraint:
            counts = {"obs_count": constraint["obsCount"], "series_count": constraint["seriesCount"]}
        else:
            counts = {one["id"]: int(one["title"]) for one in constraint["annotations"]}
        regions = constraint.get("cubeRegions") or [constraint["cubeRegion"]]
        values, time = {}, None
        for part in (part for one in regions for part in (*one.get("keyValues", ()), *one.get("components", ()))):
            if "timeRange" in part:
                time = [part["timeRange"][side]["period"] for side in ("startPeriod", "endPeriod")]
            else:
                values[part["id"]] = [one if isinstance(one, str) else one["value"] for one in part["values"]]
        return values, time, counts
    root = etree.fromstring(body)
    [constraint] = root.iter("{*}ContentConstraint", "{*}DataConstraint", "{*}AvailabilityConstraint")
    if constraint.get("obsCount"):
        counts = {"obs_count": int(constraint.get("obsCount")), "series_count": int(constraint.get("seriesCount"))}
    else:
        counts = {one.get("id"): int(one.findtext("{*}AnnotationTitle")) for one in constraint.iter("{*}Annotation")}
    values, time = {}, None
    for part in constraint.iter("{*}KeyValue"):
        span = part.find("{*}TimeRange")
        if span is None:
            values[part.get("id")] = [one.text for one in part.iterfind("{*}Value")]
        else:
            time = [span.findtext("{*}StartPeriod"), span.findtext("{*}EndPeriod")]
    return values, time, counts
