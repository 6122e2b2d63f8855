"""The research object of a run names all that is public by content, and nothing by place."""

from __future__ import annotations

import hashlib
import json
from typing import Annotated

import pytest

from statcommons.core.crate import crate
from statcommons.core.method import method
from statcommons.core.run import run
from statcommons.core.schema import Dimension, Ge, Measure, Schema, Table, Tables, Unit

SECRET = "SECRET-4711"


class Sales(Schema):
    """Sales of shops."""

    shop: Annotated[str, Dimension, "Shop"]
    turnover: Annotated[float, Measure, Unit("EUR"), Ge(0), "Turnover"]


@method(version="1.0.0", id="test.total", references=["United Nations, Handbook", "Second"])
def total(
    sales: Tables[Sales], names: Table[Sales] | None = None, *, scale: float = 1.0, note: str | None = None
) -> Table[Sales]:
    """Sum the turnover."""
    one = sales[0]
    return one.mutate(turnover=one.turnover * scale)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("crate")
    (folder / "a.csv").write_text(f"shop,turnover\na,1\nb,2\n{SECRET},-5\n")
    inputs = {"sales": [folder / "a.csv", {"shop": ["c"], "turnover": [3.0]}]}
    return run(total, inputs, {"scale": 2.0}, out=folder / "one", on_bad_rows="set_aside", workspace=folder / "w")


@pytest.fixture(scope="module")
def found(made):
    return json.loads((made.path / "ro-crate-metadata.json").read_text("utf-8"))


@pytest.fixture(scope="module")
def entities(found):
    return {one["@id"]: one for one in found["@graph"]}


def several(value):
    return value if isinstance(value, list) else [value]


def test_the_same_run_has_the_same_description(made, found):
    assert crate(made.path, made.facts, total.spec) == found


def test_every_reference_leads_to_an_entity_and_every_entity_is_met(found, entities):
    assert len(entities) == len(found["@graph"])

    def references(one):
        if isinstance(one, dict):
            return [one["@id"]] if set(one) == {"@id"} else [id for value in one.values() for id in references(value)]
        return [id for value in one for id in references(value)] if isinstance(one, list) else []

    met = {id for one in found["@graph"] for id in references(one)}
    elsewhere = {"https://w3id.org/ro/crate/1.1"} | {id for id in met if id.startswith("https://bioschemas.org/")}
    assert met - elsewhere <= set(entities)
    assert set(entities) - met == {"ro-crate-metadata.json"}


@pytest.mark.parametrize("name", ["outputs/result.parquet", "report.html", "run.json", "method.toml"])
def test_public_files_are_parts_with_the_digest_of_their_bytes(made, entities, name):
    content = (made.path / name).read_bytes()
    assert entities[name]["sha256"] == hashlib.sha256(content).hexdigest()
    assert entities[name]["contentSize"] == str(len(content))
    assert {"@id": name} in entities["./"]["hasPart"]


def test_nothing_private_and_no_place_is_named(made, found):
    written = json.dumps(found, ensure_ascii=False)
    assert SECRET in str(
        (made.path / "private" / "set_aside" / "sales-0.parquet").read_bytes()
    )  # it is there to be found
    for word in ("private", SECRET, str(made.path.parent), "/tmp", "/home", "\\\\"):
        assert word not in written


def test_the_action_took_inputs_and_parameters_and_made_the_outputs(entities, made):
    action = entities["#run"]
    assert action["@type"] == "CreateAction"
    assert action["instrument"] == {"@id": "method.toml"}
    assert action["result"] == {"@id": "outputs/result.parquet"}
    took = [entities[one["@id"]] for one in action["object"]]
    assert [one["@type"] for one in took] == ["File", "Dataset", "PropertyValue"]
    assert took[0]["sha256"] == hashlib.sha256((made.path.parent / "a.csv").read_bytes()).hexdigest()
    assert took[0]["name"] == "a.csv"
    assert took[0]["@id"].startswith("ni:///sha-256;")
    assert (took[2]["name"], took[2]["value"]) == ("scale", 2.0)
    assert action["startTime"] <= action["endTime"]
    assert action["endTime"].endswith("+00:00")


def test_formal_parameters_are_those_that_the_run_filled(entities):
    method_entity = entities["method.toml"]
    assert method_entity["@type"] == ["File", "SoftwareSourceCode", "ComputationalWorkflow"]
    formal = [one["@id"] for one in several(method_entity["input"]) + several(method_entity["output"])]
    assert formal == ["#input-sales", "#parameter-scale", "#output-result"]
    for id in formal:
        for example in several(entities[id]["workExample"]):
            assert entities[example["@id"]]["exampleOfWork"] == {"@id": id}
    assert entities["#parameter-scale"]["defaultValue"] == 1.0


def test_a_file_that_two_inputs_share_is_one_file(tmp_path):
    (tmp_path / "a.csv").write_text("shop,turnover\na,1\n")
    again = run(total, {"sales": [tmp_path / "a.csv"], "names": tmp_path / "a.csv"}, out=tmp_path / "two")
    graph = json.loads((again.path / "ro-crate-metadata.json").read_text())["@graph"]
    assert len({one["@id"] for one in graph}) == len(graph)


def test_a_source_names_publisher_and_licence():
    from statcommons.core.crate import _inputs

    tables = [{"digest": "00" * 32, "rows": 3, "source": "source:prices.complete_journey"}]
    (found,) = _inputs("transactions", tables)
    assert found["identifier"] == "source:prices.complete_journey"
    assert found["usageInfo"] == "MIT (code of the package)"
    assert "84.51°" in found["description"]
    (unknown,) = _inputs("transactions", [{"digest": "00" * 32, "rows": 3, "source": "source:gone.away"}])
    assert unknown["identifier"] == "source:gone.away"
