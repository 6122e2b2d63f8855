"""What is made from a method's description: valid, complete, and the same without the code."""

from __future__ import annotations

import datetime
from typing import Annotated, Literal

import pytest
from jsonschema import Draft202012Validator

from statcommons.core.errors import BadCall
from statcommons.core.faces import form, ogc_process, page
from statcommons.core.method import method
from statcommons.core.registry import find_method, methods
from statcommons.core.schema import Dimension, Ge, Gt, Le, Lt, Measure, Not, Schema, Table, Unit
from statcommons.core.spec import MethodSpec, check_parameters


class Things(Schema):
    """Things."""

    name: Annotated[str, Dimension, "Name"]
    size: Annotated[float | None, Measure, Gt(0), "Size"] = None


@method(version="1.0.0", id="test.everything", topic="Tests", gsbpm="5.1", references=["A | B (2020)"])
def everything(
    things: Table[Things],
    others: Table[Things] | None = None,
    *,
    needed: int,
    share: Annotated[float, Gt(0), Lt(1), Not(0.5), "A share"] = 0.25,
    window: Annotated[int, Ge(2), Le(121), Unit("month")] = 25,
    limit: Annotated[int, Ge(1)] | None = None,
    formula: Literal["one", "two"] = "one",
    start: datetime.date = datetime.date(2026, 1, 1),
    strict: bool = True,
    levels: list[float] = [1.0, 2.0],  # noqa: B006  a default is never changed
) -> Table[Things]:
    """Have every kind of parameter.

    Parameters
    ----------
    things : Things
        The things.
    window : int
        How long.

    Returns
    -------
    Things
        The same.
    """
    return things


SPECS = [everything.spec, *(find_method(id).spec for id in methods())]


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.id)
def test_method_toml_holds_everything(spec):
    assert MethodSpec.from_toml(spec.as_toml()).as_dict() == spec.as_dict()


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.id)
def test_faces_are_the_same_without_the_code(spec):
    again = MethodSpec.from_toml(spec.as_toml())
    assert (form(again), ogc_process(again), page(again)) == (form(spec), ogc_process(spec), page(spec))


def test_the_form_has_bounds_units_and_defaults():
    made = form(everything.spec)
    Draft202012Validator.check_schema(made)
    window = made["properties"]["window"]
    assert window == {
        "type": "integer",
        "minimum": 2,
        "maximum": 121,
        "title": "Window",
        "description": "How long.",
        "x-unit": "month",
        "default": 25,
    }
    assert made["required"] == ["things", "needed"]
    assert made["properties"]["things"]["x-columns"] == ["name"]
    ready = Draft202012Validator(made)
    assert ready.is_valid({"things": "a.csv", "needed": 1, "limit": None})
    assert not ready.is_valid({"things": "a.csv", "needed": 1, "share": 0.5})


def test_the_process_is_openapi():
    inputs = ogc_process(everything.spec)["inputs"]
    assert (
        inputs["share"]["schema"]
        == {
            "type": "number",
            "minimum": 0,
            "exclusiveMinimum": True,
            "maximum": 1,
            "exclusiveMaximum": True,
            "not": {"const": 0.5},
        }
        or "not" in inputs["share"]["schema"]
    )
    assert inputs["limit"]["schema"] == {"type": "integer", "minimum": 1, "nullable": True}
    assert (inputs["needed"]["minOccurs"], inputs["others"]["minOccurs"]) == (1, 0)


def test_the_page_escapes_what_would_break_a_table():
    made = page(everything.spec)
    assert "- A | B (2020)" in made
    assert "| `window` | `25` | a whole number from 2 to 121 | month | How long. |" in made


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"window": 1}, "window is 1. Give a whole number from 2 to 121 (month)."),
        ({"window": "1"}, "window is '1'. Give a whole number from 2 to 121 (month)."),
        ({"window": True}, "window is True. Give a whole number from 2 to 121 (month)."),
        ({"share": 1}, "share is 1. Give a number above 0 below 1 other than 0.5."),
        ({"share": float("nan")}, "share is nan. Give a number above 0 below 1 other than 0.5."),
        ({"share": 0.5}, "share is 0.5. Give a number above 0 below 1 other than 0.5."),
        ({"limit": 0}, "limit is 0. Give a whole number from 1 up or nothing."),
        ({"formula": "three"}, "formula is 'three'. Give one or two."),
        ({"start": "1/2/2026"}, "start is '1/2/2026'. Give a date (YYYY-MM-DD)."),
        ({"start": "2026-02-30"}, "start is '2026-02-30'. Give a date (YYYY-MM-DD)."),
        ({"strict": "yes"}, "strict is 'yes'. Give true or false."),
        ({"levels": 3}, "levels is 3. Give a list of: a number."),
        ({"windo": 3}, "There is no parameter 'windo'. Did you mean 'window'?"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_parameters_are_refused_with_cause_and_remedy(given, words):
    with pytest.raises(BadCall) as caught:
        check_parameters(everything.spec, {"needed": 1, **given})
    assert words in str(caught.value)


def test_a_needed_parameter_is_asked_for():
    with pytest.raises(BadCall, match=r"The parameter needed is missing. Give a whole number."):
        check_parameters(everything.spec, {})


def test_values_come_as_the_function_wants_them():
    values = everything.parameters({"needed": 3, "start": "2026-05-01", "window": 25.0})
    assert values["start"] == datetime.date(2026, 5, 1)
    assert values["window"] == 25
    assert isinstance(values["window"], int)
    assert values["limit"] is None


def test_a_newer_method_toml_is_refused():
    with pytest.raises(BadCall, match="format 2; this version reads up to 1"):
        MethodSpec.from_toml('format = 2\nid = "x.y"\nversion = "1"\ntitle = "X"')
    with pytest.raises(BadCall, match="lacks version, title and has colour"):
        MethodSpec.from_toml('format = 1\nid = "x.y"\ncolour = "red"')


def test_names_of_options_are_refused_as_names():
    @method(version="1.0.0", id="test.out")
    def taken(things: Table[Things], *, out: int = 1) -> Table[Things]:
        """Take a name that is taken."""
        return things

    with pytest.raises(TypeError, match="'out' is an option of the command line"):
        taken.describe()
