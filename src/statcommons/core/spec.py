"""MethodSpec: the plain description of a method, from which its five faces are made.

The decorator ``@method`` makes it from a function; ``method.toml`` holds it for methods in any language. Catalogue,
forms and federation know only this, so they never import a method.
"""

from __future__ import annotations

import functools
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from statcommons.core.errors import BadCall, nearest
from statcommons.core.schema import TableSchema, allowed

__all__ = [
    "FORMAT",
    "RESERVED",
    "InputSpec",
    "MethodSpec",
    "OutputSpec",
    "ParameterSpec",
    "check_parameters",
    "from_text",
]

FORMAT = 1
"""The format of ``method.toml`` that this version writes; a newer one is refused."""

RESERVED = (
    "out",
    "engine",
    "map",
    "on_bad_rows",
    "memory",
    "json",
    "help",
    "seed",
    "workspace",
    "threads",
    "tolerance",
    "progress",
)
"""Names of options of the command line; no input or parameter may have one."""


@dataclass(frozen=True)
class InputSpec:
    """An input of a method: ``table`` (one), ``tables`` (several of one schema)."""

    name: str
    schema: TableSchema
    kind: str = "table"
    required: bool = True
    description: str = ""


@dataclass(frozen=True)
class ParameterSpec:
    """A parameter of a method: the JSON Schema of its value, its default and unit."""

    name: str
    schema: Mapping[str, Any]
    required: bool = True
    default: Any = None
    unit: str = ""
    description: str = ""

    def allowed(self) -> str:
        """Say in words what the parameter may be."""
        return allowed(self.schema)


@dataclass(frozen=True)
class OutputSpec:
    """An output of a method."""

    name: str
    schema: TableSchema
    description: str = ""


@dataclass(frozen=True)
class MethodSpec:
    """A method as plain data.

    ``exact`` promises the same bytes on every engine, thread count and row order; ``entry`` says how a runtime finds
    the code (``python = "package.module:function"``).
    """

    id: str
    version: str
    title: str
    description: str = ""
    topic: str = ""
    gsbpm: str = ""
    licence: str = "Apache-2.0"
    references: tuple[str, ...] = ()
    exact: bool = False
    inputs: tuple[InputSpec, ...] = ()
    parameters: tuple[ParameterSpec, ...] = ()
    outputs: tuple[OutputSpec, ...] = ()
    errors: Mapping[str, str] = field(default_factory=dict)
    example: str = ""
    entry: Mapping[str, str] = field(default_factory=dict)

    def input(self, name: str) -> InputSpec:
        """Give an input by name; the nearest is named when there is none."""
        found = {one.name: one for one in self.inputs}
        if name not in found:
            raise BadCall(f"There is no input {name!r}.", where=self.id, remedy=nearest(name, list(found)))
        return found[name]

    def as_dict(self) -> dict[str, Any]:
        """Give the spec as plain data, as JSON and TOML hold it."""
        inputs = [
            _full(name=one.name, kind=one.kind, required=one.required, description=one.description)
            | {"schema": one.schema.as_dict()}
            for one in self.inputs
        ]
        parameters = [
            _full(name=one.name, required=one.required, unit=one.unit, description=one.description, default=one.default)
            | {"schema": dict(one.schema)}
            for one in self.parameters
        ]
        outputs = [
            _full(name=one.name, description=one.description) | {"schema": one.schema.as_dict()} for one in self.outputs
        ]
        facts = _full(
            format=FORMAT,
            id=self.id,
            version=self.version,
            title=self.title,
            description=self.description,
            topic=self.topic,
            gsbpm=self.gsbpm,
            licence=self.licence,
            references=list(self.references),
            exact=self.exact,
            example=self.example,
            errors=dict(self.errors),
            entry=dict(self.entry),
        )
        return facts | {"inputs": inputs, "parameters": parameters, "outputs": outputs}

    def as_toml(self) -> str:
        """Write ``method.toml``.

        Examples
        --------
        >>> spec = MethodSpec("demo.double", "1.0.0", "Double a number")
        >>> MethodSpec.from_toml(spec.as_toml()) == spec
        True
        """
        import tomli_w

        return tomli_w.dumps(self.as_dict(), multiline_strings=True)

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> MethodSpec:
        """Read a spec from plain data; a format that is newer than ours is refused."""
        facts = dict(plain)
        number = facts.pop("format", None)
        if not isinstance(number, int) or number > FORMAT:
            raise BadCall(
                f"The method's description has format {number!r}; this version reads up to {FORMAT}.",
                where=str(plain.get("id", "method.toml")),
                remedy="Upgrade statcommons, or write format = 1.",
            )
        missing = [name for name in ("id", "version", "title") if not facts.get(name)]
        unknown = [name for name in facts if name not in cls.__dataclass_fields__]
        if missing or unknown:
            words = [f"lacks {', '.join(missing)}"] if missing else []
            words += [f"has {', '.join(unknown)}, which is not known"] if unknown else []
            raise BadCall(f"The method's description {' and '.join(words)}.", where=str(plain.get("id", "method.toml")))
        facts["references"] = tuple(facts.get("references", ()))
        facts["inputs"] = tuple(_read(InputSpec, one) for one in facts.get("inputs", ()))
        facts["parameters"] = tuple(ParameterSpec(**one) for one in facts.get("parameters", ()))
        facts["outputs"] = tuple(_read(OutputSpec, one) for one in facts.get("outputs", ()))
        return cls(**facts)

    @classmethod
    def from_toml(cls, text: str) -> MethodSpec:
        """Read ``method.toml``."""
        try:
            return cls.from_dict(tomllib.loads(text))
        except (tomllib.TOMLDecodeError, TypeError, KeyError) as error:
            raise BadCall(f"The method's description cannot be read: {error}.", where="method.toml") from None


def _read(cls: type[Any], plain: Mapping[str, Any]) -> Any:
    return cls(**{**plain, "schema": TableSchema.from_dict(plain["schema"])})


def _full(**facts: Any) -> dict[str, Any]:
    """Leave out what is empty; TOML has no null."""
    return {name: value for name, value in facts.items() if value is not None and value != "" and value != {}}


def check_parameters(spec: MethodSpec, given: Mapping[str, Any]) -> dict[str, Any]:
    """Check the parameters of a call against the spec and fill in the defaults.

    One check serves Python, the command line and the service, so that all refuse with the same words.

    Parameters
    ----------
    spec : MethodSpec
        The method.
    given : mapping
        Parameters by name, as plain values.

    Returns
    -------
    dict
        All parameters by name.

    Raises
    ------
    BadCall
        When a parameter is unknown, missing or not allowed; says what is.

    Examples
    --------
    >>> window = ParameterSpec("window", {"type": "integer", "minimum": 2}, required=False, default=25)
    >>> check_parameters(MethodSpec("x.y", "1", "Y", parameters=(window,)), {"window": 1})
    Traceback (most recent call last):
        ...
    statcommons.core.errors.BadCall: x.y: window is 1. Give a whole number from 2 up.
    """
    from jsonschema import Draft202012Validator

    formats = _formats()
    known = {one.name: one for one in spec.parameters}
    for name in given:
        if name not in known:
            raise BadCall(f"There is no parameter {name!r}.", where=spec.id, remedy=nearest(name, list(known)))
    values = {}
    for name, one in known.items():
        if name not in given:
            if one.required:
                raise BadCall(f"The parameter {name} is missing.", where=spec.id, remedy=f"Give {one.allowed()}.")
            values[name] = one.default
            continue
        value = plain(given[name])
        fits = Draft202012Validator(dict(one.schema), format_checker=formats).is_valid(value)
        if not fits or value != value or value in (INF, -INF):
            unit = f" ({one.unit})" if one.unit else ""
            raise BadCall(f"{name} is {value!r}.", where=spec.id, remedy=f"Give {one.allowed()}{unit}.")
        values[name] = value
    return values


INF = float("inf")


@functools.cache
def _formats() -> Any:
    """Check dates and times, which JSON Schema only names."""
    from jsonschema import FormatChecker

    formats = FormatChecker(())
    formats.checks("date", ValueError)(lambda text: not isinstance(text, str) or bool(date.fromisoformat(text)))
    formats.checks("date-time", ValueError)(
        lambda text: not isinstance(text, str) or bool(datetime.fromisoformat(text))
    )
    return formats


def plain(value: Any) -> Any:
    """Turn a value of Python into the plain one that JSON holds."""
    if hasattr(value, "isoformat"):
        return value.isoformat()
    if hasattr(value, "item") and getattr(value, "ndim", 0) == 0:  # a scalar of NumPy
        return value.item()
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(one) for one in value]
    if isinstance(value, Mapping):
        return {str(key): plain(one) for key, one in value.items()}
    return value


def from_text(schema: Mapping[str, Any], text: str) -> Any:
    """Read a value from the text of an option or a form; a text that does not fit stays text and is refused later.

    Parameters
    ----------
    schema : mapping
        The JSON Schema of the value.
    text : str
        What was written.

    Examples
    --------
    >>> from_text({"type": "integer"}, "25"), from_text({"type": "integer"}, "many"), from_text({"enum": ["25"]}, "25")
    (25, 'many', '25')
    """
    for option in schema.get("anyOf", [schema]):
        value = _one_from_text(option, text)
        if not isinstance(value, str) or option.get("type") == "string" or "enum" in option or "const" in option:
            return value
    return text


def _one_from_text(schema: Mapping[str, Any], text: str) -> Any:
    kind = schema.get("type")
    choices = schema.get("enum", [schema["const"]] if "const" in schema else [])
    for choice in choices:
        if text == str(choice):
            return choice
    try:
        if kind == "integer":
            return int(text)
        if kind == "number":
            return float(text)
    except ValueError:
        return text
    if kind == "boolean":
        return {"true": True, "false": False}.get(text.lower(), text)
    if kind == "array":
        return [from_text(schema.get("items", {}), part.strip()) for part in text.split(",")]
    return text
