"""Standards before SDMX 3.0 call the one measure of a structure OBS_VALUE, whatever its id."""

from __future__ import annotations

from dataclasses import replace

import pyarrow as pa
import pytest
from click.testing import CliRunner
from sdmx_made import AREAS, HEADER, ROWS, VALUE, data_set

from statcommons.cli.sdmx import sdmx
from statcommons.core.errors import BadData
from statcommons.sdmx import read, write_structure
from statcommons.sdmx.formats import FORMATS, Options
from statcommons.sdmx.reading import TableMapping
from statcommons.sdmx.store import Store
from statcommons.sdmx.structure import Component

OLD = ["csv-1.0", "json-1.0", "generic-2.1", "generictimeseries-2.1"]
OLD += ["structurespecific-2.1", "structurespecifictimeseries-2.1"]
PRICE = replace(VALUE, id="PRICE")
PRICES = replace(AREAS, components=tuple(PRICE if one is VALUE else one for one in AREAS.components))
SAID = ("REF_AREA", "SEX", "TIME_PERIOD", "UNIT_MEASURE", "TITLE", "SOURCE", "OBS_STATUS")


def written(folder, name: str, made=PRICES, rows=ROWS):
    file = folder / f"data.{FORMATS[name].suffix}"
    file.write_bytes(b"".join(FORMATS[name].write([data_set(made, rows)], HEADER, Options())))
    return file


def numbers(table: pa.Table) -> list:
    rows = zip(*(table[id].to_pylist() for id in (*SAID, "PRICE")), strict=True)
    return sorted(map(repr, rows))


@pytest.mark.parametrize("name", OLD)
def test_a_measure_of_another_name_comes_back(tmp_path, name):
    file, message = written(tmp_path, name), write_structure(PRICES, tmp_path / "structure.xml")
    found = read(file, structure=message).table
    places = {one.id: at for at, one in enumerate(PRICES.components)}
    assert numbers(found) == sorted(repr(tuple(row[places[id]] for id in (*SAID, "PRICE"))) for row in ROWS)
    assert "OBS_VALUE" not in found.column_names


@pytest.mark.parametrize("name", OLD)
def test_it_is_loaded_and_validated_by_its_structure(tmp_path, name):
    file, message = written(tmp_path, name), write_structure(PRICES, tmp_path / "structure.xml")
    for words in (["validate", file, "--structure", message], ["load", message, file, "--store", tmp_path / "store"]):
        done = CliRunner().invoke(sdmx, [str(word) for word in words])
        assert done.exit_code == 0, (done.output, done.exception)
    found = Store(tmp_path / "store").query(PRICES.flow)
    assert sorted(one for one in found["PRICE"].to_pylist() if one and one == one) == [0.1, 32.5, 33.0]


def test_its_groups_come_back_too(tmp_path):
    file = written(tmp_path, "structurespecific-2.1")
    group = '<Group REF_AREA="NA" SEX="F" TITLE="Women, Namibia"/>'
    file.write_text(file.read_text(encoding="utf-8").replace("<Series ", f"{group}<Series ", 1), encoding="utf-8")
    found = read(file, structure=PRICES).table
    assert set(found["TITLE"].to_pylist()) == {"Women, Cambodia", "Women, Namibia", None}
    assert found["PRICE"].null_count == 1


@pytest.mark.parametrize("name", ["csv-2.0", "json-2.0", "ml-3.0"])
def test_where_measures_go_by_their_ids_another_name_is_refused(tmp_path, name):
    with pytest.raises(BadData) as error:
        read(written(tmp_path, name, AREAS), structure=PRICES)
    assert any("OBS_VALUE" in cause.rule for cause in error.value.causes)


@pytest.mark.parametrize(
    "other", [Component("OBS_VALUE", "attribute", "text"), replace(VALUE, id="VOLUME")], ids=["taken", "several"]
)
def test_a_name_that_could_mean_something_else_is_not_turned(other):
    made = replace(PRICES, components=(*PRICES.components, other))
    data = b"DATAFLOW,FREQ,REF_AREA,SEX,TIME_PERIOD,OBS_VALUE\nSC:DF_AREAS(1.0),A,116,F,2018,1\n"
    with pytest.raises(BadData):
        read(data, structure=made)


def test_a_mapping_may_name_it_too():
    made = replace(AREAS, components=(*AREAS.dimensions, PRICE))
    data = b"DATAFLOW;FREQ;REF_AREA;SEX;PERIOD;OBS_VALUE\nSC:DF_AREAS(1.0);A;116;F;2018;1,5\n"
    for names in ({"TIME_PERIOD": "PERIOD"}, {"TIME_PERIOD": "PERIOD", "PRICE": "OBS_VALUE"}):
        mapping = TableMapping(names, decimal=",")
        assert read(data, structure=made, mapping=mapping).table["PRICE"].to_pylist() == [1.5]
