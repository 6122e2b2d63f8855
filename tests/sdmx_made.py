"""Structures and data sets of SDMX that tests make by hand."""

from __future__ import annotations

import datetime
import itertools

import pyarrow as pa

from statcommons.sdmx.message import DataSet, Header
from statcommons.sdmx.model import Item, Ref, Scheme
from statcommons.sdmx.structure import Component, Structure
from statcommons.toolbox.sdmx_periods import time_period

HEADER = Header("m1", datetime.datetime(2026, 11, 21, 9, 30, tzinfo=datetime.UTC), "SC")
CODES = {
    "CL_FREQ": {"A": "Annual", "M": "Monthly"},
    "CL_AREA": {"116": "Cambodia", "4": "Afghanistan", "NA": "Namibia", "764": "Thailand, Kingdom of"},
    "CL_SEX": {"_T": "Total", "F": "Female", "M": "Male"},
    "CL_STATUS": {"A": "Normal", "E": "Estimate <rough>"},
    "CL_UNIT": {"PT": "Percent", "NR": "Number"},
}


def codelist(id: str) -> Ref:
    return Ref("codelist", "SC", id, "1.0")


def scheme(id: str, codes: dict[str, str]) -> Scheme:
    items = tuple(Item(code, {"en": name, "fr": f"{name} (fr)"}) for code, name in codes.items())
    return Scheme("codelist", "SC", id, "1.0", {"en": id}, items=items)


def component(id: str, role: str, type: str = "text", codes: str = "", **more) -> Component:
    name = {"en": id.replace("_", " ").capitalize(), "fr": id.lower()}
    ref = codelist(codes) if codes else None
    concept = Ref("conceptscheme", "SC", "CS", "1.0", id)
    return Component(id, role, type, name=more.pop("name", name), codelist=ref, concept=concept, **more)


FREQ = component("FREQ", "dimension", codes="CL_FREQ")
AREA = component("REF_AREA", "dimension", codes="CL_AREA", name={"en": "Reference area", "fr": "Zone"})
SEX = component("SEX", "dimension", codes="CL_SEX")
TIME = component("TIME_PERIOD", "time", "period", name={"en": "Time period", "fr": "Période"})
VALUE = component("OBS_VALUE", "measure", "number", name={"en": "Observation value", "fr": "Valeur"}, required=False)
UNIT = component(
    "UNIT_MEASURE", "attribute", codes="CL_UNIT", attachment="series", dimensions=("FREQ", "REF_AREA", "SEX")
)
TITLE = component(
    "TITLE", "attribute", attachment="group", group="Sibling", dimensions=("REF_AREA", "SEX"), required=False
)
SOURCE = component("SOURCE", "attribute", attachment="dataflow", required=False)
STATUS = component("OBS_STATUS", "attribute", codes="CL_STATUS", required=False)
COMMENT = component("COMMENT", "attribute", required=False)


def structure(*components: Component, id: str = "AREAS") -> Structure:
    used = {one.codelist.id for one in components if one.codelist}
    return Structure(
        flow=Ref("dataflow", "SC", f"DF_{id}", "1.0"),
        definition=Ref("datastructure", "SC", f"DSD_{id}", "1.0"),
        name={"en": "Areas & sexes", "fr": "Zones et sexes"},
        description={},
        components=components,
        codelists=tuple(scheme(id, codes) for id, codes in CODES.items() if id in used),
    )


AREAS = structure(FREQ, AREA, SEX, TIME, VALUE, UNIT, TITLE, SOURCE, STATUS, COMMENT)
"""Attributes at every level."""

ROWS = [
    ("A", "116", "F", "2018", 32.5, "PT", "Women, Cambodia", "Census", "A", None),
    ("A", "116", "F", "2019", 33.0, "PT", "Women, Cambodia", "Census", "E", 'said "so"'),
    ("A", "116", "M", "2018", None, "PT", None, "Census", None, "a < b & c"),
    ("A", "NA", "F", "2018", float("nan"), "NR", None, "Census", "A", "line\nbreak"),
    ("A", "NA", "F", "2020", 0.1, "NR", None, "Census", "A", "ភ្នំពេញ"),
]
KINDS = {"number": pa.float64(), "integer": pa.int64(), "boolean": pa.bool_()}


def column(component: Component, cells: list) -> pa.Array:
    """Make a column as the store has it: typed, lists where there may be several values, maps of words by language."""
    kind = pa.string() if component.codelist else KINDS.get(component.type, pa.string())
    kind = pa.map_(pa.string(), pa.string()) if component.multilingual else kind
    return pa.array(cells, pa.list_(kind) if component.multiple else kind)


def data_set(structure: Structure, rows, *, batch: int = 1000, observations: bool = True, **more) -> DataSet:
    """Make a data set of whole rows in the order of the components; those of a series follow one another."""
    columns = {one.id: [row[place] for row in rows] for place, one in enumerate(structure.components)}
    time = structure.time.id if structure.time else None
    below = {one.id for one in structure.with_role("measure")} | {
        one.id for one in structure.with_role("attribute") if one.attachment == "observation"
    }
    of_series = [one.id for one in structure.components if one.id != time and one.id not in below]
    keys = list(zip(*(columns[id] for id in structure.key), strict=True)) if time else list(range(len(rows)))
    firsts = [place for place, key in enumerate(keys) if not place or key != keys[place - 1]]
    places = list(itertools.accumulate(int(place > 0 and keys[place] != keys[place - 1]) for place in range(len(keys))))
    series = pa.table({id: column(structure[id], [columns[id][place] for place in firsts]) for id in of_series})
    arrays = {"series": pa.array(places, pa.int32())}
    if time:
        arrays[time] = pa.array(columns[time], pa.string())
    for one in structure.components:
        if one.id in below:
            arrays[one.id] = column(one, columns[one.id])
    whole = pa.record_batch(arrays)
    batches = [whole.slice(start, batch) for start in range(0, len(rows), batch)] if observations else []

    def periods() -> pa.Table:
        found = sorted(map(time_period, set(columns[time] if time else ())))
        return pa.table(
            {
                "text": pa.array([one.text for one in found], pa.string()),
                "start": pa.array([one.start for one in found], pa.timestamp("us")),
                "end": pa.array([one.end for one in found], pa.timestamp("us")),
            }
        )

    return DataSet(structure, series, batches, periods, **({"at": time or "AllDimensions"} | more))
