"""Process descriptions are valid by OGC's own schemas, 1.0 and the draft of 2.0."""

from __future__ import annotations

import pytest
from ogc_documents import DOCUMENTS, components
from openapi_schema_validator import OAS30Validator

from statcommons.core.faces import ogc_process
from statcommons.core.registry import find_method, methods


@pytest.fixture(params=DOCUMENTS)
def validator(request, shared):
    """A validator of the schema `process`."""
    known = components(shared(f"hub/ogc/{request.param}").parent, request.param)
    return OAS30Validator({"$ref": "#/components/schemas/process", "components": known})


@pytest.mark.parametrize("id", methods())
def test_a_description_is_valid(validator, id):
    found = [error.message for error in validator.iter_errors(ogc_process(find_method(id).spec))]
    assert found == []


def test_a_broken_description_is_not(validator):
    process = ogc_process(find_method("prices.unit_values").spec)
    process["inputs"]["period"]["schema"]["type"] = "no type"
    assert list(validator.iter_errors(process))
    assert list(validator.iter_errors({name: one for name, one in process.items() if name != "version"}))
