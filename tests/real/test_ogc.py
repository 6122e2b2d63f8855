"""Process descriptions are valid by OGC's own schemas, 1.0 and the draft of 2.0."""

from __future__ import annotations

import json

import pytest
import yaml
from openapi_schema_validator import OAS30Validator

from statcommons.core.faces import ogc_process
from statcommons.core.registry import find_method, methods

DOCUMENTS = ["processes-1.0.openapi.yaml", "processes-2.0rc1.bundled.json"]


@pytest.fixture(params=DOCUMENTS)
def validator(request, shared):
    """A validator of the schema `process`."""
    text = shared(f"hub/ogc/{request.param}").read_text()
    document = json.loads(text) if request.param.endswith("json") else yaml.safe_load(text)
    if request.param == DOCUMENTS[1]:
        # The bundle of 2.0rc1 gives the name `schema` to the fields of a coverage, so that no input could be anything
        # but a coverage; what is meant is a schema as 1.0 has it.
        first = yaml.safe_load(shared(f"hub/ogc/{DOCUMENTS[0]}").read_text())["components"]["schemas"]
        document["components"]["schemas"] |= {name: first[name] for name in ("schema", "reference")}
    return OAS30Validator({"$ref": "#/components/schemas/process", "components": document["components"]})


@pytest.mark.parametrize("id", methods())
def test_a_description_is_valid(validator, id):
    found = [error.message for error in validator.iter_errors(ogc_process(find_method(id).spec))]
    assert found == []


def test_a_broken_description_is_not(validator):
    process = ogc_process(find_method("prices.unit_values").spec)
    process["inputs"]["period"]["schema"]["type"] = "no type"
    assert list(validator.iter_errors(process))
    assert list(validator.iter_errors({name: one for name, one in process.items() if name != "version"}))
