"""A schema is declared once and is the same in every form that it compiles to."""

from __future__ import annotations

import datetime
from typing import Annotated, Literal

import pytest
from jsonschema import Draft202012Validator

from statcommons.core.schema import (
    Attribute,
    Concept,
    Confidential,
    Dimension,
    Ge,
    Le,
    Measure,
    MinLen,
    Not,
    Pattern,
    Period,
    Schema,
    TableSchema,
    Time,
    Unit,
    table_schema,
)


class Voyages(Schema, key=("ship", "period")):
    """Voyages of ships."""

    period: Annotated[Period, Time, Concept("TIME_PERIOD"), "Month"]
    ship: Annotated[str, Dimension(codes="CL_SHIP"), Pattern("^[0-9]{7}$"), "IMO number"]
    keys: Annotated[int, Measure(decimals=0), Ge(0), Le(9), "A column may be called keys"]
    index: Annotated[float | None, Measure, Unit("knots"), Not(-1), "or index"]
    kind: Annotated[Literal["tanker", "ferry"], Attribute, "Kind of ship"]
    captain: Annotated[str | None, Confidential("names a person"), MinLen(2), "Captain"] = None
    sailed: Annotated[datetime.datetime | None, Time, "Instant"] = None


PLAIN = table_schema(Voyages)


def test_columns_say_type_role_unit_and_presence():
    assert [(one.name, one.type, one.role, one.nullable, one.required) for one in PLAIN] == [
        ("period", "period", "time", False, True),
        ("ship", "text", "dimension", False, True),
        ("keys", "integer", "measure", False, True),
        ("index", "number", "measure", True, True),
        ("kind", "text", "attribute", False, True),
        ("captain", "text", "attribute", True, False),
        ("sailed", "instant", "time", True, False),
    ]
    assert PLAIN.key == ("ship", "period")
    assert (PLAIN["index"].unit, PLAIN["ship"].codelist, PLAIN["kind"].codes) == (
        "knots",
        "CL_SHIP",
        ("tanker", "ferry"),
    )
    assert (PLAIN["keys"].decimals, PLAIN["period"].concept) == (0, "TIME_PERIOD")
    assert PLAIN["captain"].confidential
    assert [one.name for one in PLAIN.with_role("measure")] == ["keys", "index"]


def test_plain_data_hold_everything():
    assert TableSchema.from_dict(PLAIN.as_dict()) == PLAIN


def test_the_json_schema_takes_what_fits_and_nothing_else():
    json = PLAIN.as_json_schema()
    Draft202012Validator.check_schema(json)
    fits = {"period": "2026-03", "ship": "1234567", "keys": 3, "index": None, "kind": "ferry"}
    valid = Draft202012Validator(json).is_valid
    assert valid([fits])
    wrong = [
        {"period": "March"},
        {"ship": "12"},
        {"keys": 10},
        {"keys": 2.5},
        {"keys": None},
        {"index": -1},
        {"kind": "canoe"},
        {"captain": "x"},
    ]
    for change in wrong:
        assert not valid([fits | change]), change
    assert not valid([{name: value for name, value in fits.items() if name != "ship"}])


def test_the_table_schema_is_what_other_tools_read():
    fields = {field["name"]: field for field in PLAIN.as_table_schema()["fields"]}
    assert fields["ship"] == {
        "name": "ship",
        "type": "string",
        "description": "IMO number",
        "constraints": {"pattern": "^[0-9]{7}$", "required": True},
        "role": "dimension",
    }
    assert fields["sailed"]["type"] == "datetime"
    assert "constraints" not in fields["index"]
    assert PLAIN.as_table_schema()["primaryKey"] == ["ship", "period"]


def test_the_page_shows_what_is_allowed():
    page = PLAIN.as_markdown()
    assert "| **ship** | dimension | text |  | a text matching ^[0-9]{7}$ | IMO number |" in page
    assert "| keys | measure | integer |  | a whole number from 0 to 9 | A column may be called keys |" in page
    assert "tanker or ferry" in page
    assert page.endswith("Key: ship, period.")


@pytest.mark.parametrize(
    ("text", "fits"),
    [
        ("2026", True),
        ("2026-Q4", True),
        ("2026-12", True),
        ("2026-M12", True),
        ("2026-W53", True),
        ("2026-11-21", True),
        ("2026-S2", True),
        ("2026-13", False),
        ("2026-Q5", False),
        ("2026-W54", False),
        ("26-01", False),
        ("2026-1", False),
        ("November", False),
    ],
)
def test_periods_are_written_as_sdmx_writes_them(text, fits):
    assert Draft202012Validator(PLAIN["period"].value_schema()).is_valid(text) is fits


def test_what_cannot_be_a_schema_says_why():
    class Strange(Schema):
        """A column of a type that no table has."""

        x: Annotated[dict, Measure, "A dict"]

    class Keyless(Schema, key=("y",)):
        """A key that names no column."""

        x: Annotated[int, Measure, "A number"]

    class Noted(Schema):
        """An annotation that is not known."""

        x: Annotated[int, Measure, object(), "A number"]

    for schema, words in ((Strange, "column x has type"), (Keyless, "no column: y"), (Noted, "not known")):
        with pytest.raises(TypeError, match=words):
            table_schema(schema)


def test_a_schema_grows_by_inheritance():
    class Longer(Voyages, key=("ship",)):
        """One more column."""

        days: Annotated[int, Measure, "Days at sea"]

    assert [one.name for one in table_schema(Longer)][-1] == "days"
    assert table_schema(Longer).key == ("ship",)
    assert table_schema(Voyages).key == ("ship", "period")


class Plain(Schema):
    """A table."""

    day: Annotated[datetime.date, Time, "Day"]
    shop: Annotated[str | None, Dimension, "Shop"] = None


class Wider(Plain):
    """A table with the hour."""

    hour: Annotated[int | None, Attribute, "Hour"] = None


def test_an_extended_schema_keeps_what_may_be_absent():
    assert {one.name: one.required for one in table_schema(Wider)} == {"day": True, "shop": False, "hour": False}
