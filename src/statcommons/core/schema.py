"""Table schemas: columns with type, unit, role and checks, declared once as a class and used everywhere as plain data.

A schema is a class with one annotated line a column and a key; it has no public attribute of its own, so that a
column may have any name:

>>> import datetime
>>> from typing import Annotated
>>> class Prices(Schema, key=("day", "product")):
...     '''Prices observed in shops.'''
...
...     day: Annotated[datetime.date, Time, "Day of the observation"]
...     product: Annotated[str, Dimension, "Code of the product"]
...     price: Annotated[float, Measure(decimals=2), Unit("currency"), Gt(0), "Price paid"]
...     outlet: Annotated[str | None, Dimension, "Code of the shop"] = None
>>> [column.name for column in table_schema(Prices).columns]
['day', 'product', 'price', 'outlet']

``X | None`` lets a cell be missing; ``= None`` lets the whole column be missing. ``Literal["a", "b"]`` is a code list.
What a schema compiles to stands in :mod:`statcommons.core.check` (counts and named rows) and here (JSON, page).
"""

from __future__ import annotations

import datetime
import inspect
import sys
import types
import typing
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any, Generic, Literal, NewType, TypeVar, get_args, get_origin

from annotated_types import Ge, GroupedMetadata, Gt, Le, Lt, MaxLen, MinLen

if TYPE_CHECKING:
    import ibis

__all__ = [
    "Attribute",
    "Column",
    "Concept",
    "Confidential",
    "Dimension",
    "Ge",
    "Gt",
    "Le",
    "Lt",
    "MaxLen",
    "Measure",
    "MinLen",
    "Not",
    "Pattern",
    "Period",
    "Schema",
    "Table",
    "TableSchema",
    "Tables",
    "Time",
    "Unit",
    "table_schema",
]

Period = NewType("Period", str)
"""A period as SDMX writes it: ``2026``, ``2026-Q3``, ``2026-11``, ``2026-W47``, ``2026-11-21``."""

PERIOD_PATTERN = r"^\d{4}(-(A1|S[12]|T[1-3]|Q[1-4]|M?(0[1-9]|1[0-2])(-\d{2})?|W(0[1-9]|[1-4]\d|5[0-3])|D\d{3}))?$"

TYPES = {
    str: "text",
    int: "integer",
    float: "number",
    bool: "boolean",
    datetime.date: "date",
    datetime.datetime: "instant",
    Period: "period",
    Decimal: "number",
}


# --- what may stand in the annotation of a column -------------------------------------------------------------------


@dataclass(frozen=True)
class Dimension:
    """The column is part of what identifies an observation; ``codes`` names its code list."""

    codes: str | None = None


@dataclass(frozen=True)
class Time:
    """The column is the time or period of an observation."""


@dataclass(frozen=True)
class Measure:
    """The column is what was measured; ``decimals`` is what a release rounds it to."""

    decimals: int | None = None


@dataclass(frozen=True)
class Attribute:
    """The column says something about an observation; ``codes`` names its code list."""

    codes: str | None = None


@dataclass(frozen=True)
class Concept:
    """The concept that the column stands for, where it is not its own name: ``Concept("OBS_STATUS")``."""

    id: str


@dataclass(frozen=True)
class Unit:
    """The unit of measure of a column or a parameter."""

    name: str


@dataclass(frozen=True)
class Pattern:
    """A regular expression that each text must match (a dialect that RE2, Java and JSON Schema share)."""

    regex: str


@dataclass(frozen=True)
class Not:
    """A value that no cell may have, such as a quantity of zero."""

    value: float | str


@dataclass(frozen=True)
class Confidential:
    """The column may not leave ``private/``; ``why`` says what it would disclose."""

    why: str = ""


ROLES = {Dimension: "dimension", Time: "time", Measure: "measure", Attribute: "attribute"}


# --- the plain data -------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Column:
    """One column of a table, as plain data.

    ``checks`` maps JSON Schema's keywords (``exclusiveMinimum``, ``pattern``, ``not`` …) to their values; ``nullable``
    says whether a cell may be missing, ``required`` whether the column may.
    """

    name: str
    type: str
    role: str = "attribute"
    description: str = ""
    unit: str = ""
    concept: str = ""
    codelist: str = ""
    codes: tuple[str, ...] = ()
    decimals: int | None = None
    nullable: bool = False
    required: bool = True
    confidential: bool = False
    checks: Mapping[str, Any] = field(default_factory=dict)

    def allowed(self) -> str:
        """Say in words what a cell may hold.

        Examples
        --------
        >>> Column("price", "number", checks={"exclusiveMinimum": 0}).allowed()
        'a number above 0'
        """
        return allowed(self.value_schema())

    def value_schema(self) -> dict[str, Any]:
        """Give the JSON Schema of one cell that is not missing."""
        json = dict(JSON_TYPES[self.type]) | {k: v for k, v in self.checks.items() if k != "not"}
        if "not" in self.checks:
            json["not"] = {"const": self.checks["not"]}
        if self.codes:
            json["enum"] = list(self.codes)
        return json


JSON_TYPES: dict[str, dict[str, Any]] = {
    "text": {"type": "string"},
    "integer": {"type": "integer"},
    "number": {"type": "number"},
    "boolean": {"type": "boolean"},
    "date": {"type": "string", "format": "date"},
    "instant": {"type": "string", "format": "date-time"},
    "period": {"type": "string", "pattern": PERIOD_PATTERN},
}
NOUNS = {"string": "a text", "integer": "a whole number", "number": "a number", "boolean": "true or false"}
BOUNDS = (("exclusiveMinimum", "above"), ("minimum", "from"), ("exclusiveMaximum", "below"), ("maximum", "to"))


def allowed(json: Mapping[str, Any]) -> str:
    """Say in words what a JSON Schema of one value allows.

    Examples
    --------
    >>> allowed({"type": "integer", "minimum": 2, "maximum": 121})
    'a whole number from 2 to 121'
    >>> allowed({"enum": ["fisher", "walsh"]})
    'fisher or walsh'
    >>> allowed({"anyOf": [{"type": "string"}, {"type": "null"}], "pattern": PERIOD_PATTERN})
    'a period (2026, 2026-Q3, 2026-11, 2026-W47) or nothing'
    """
    if "anyOf" in json:
        common = {name: value for name, value in json.items() if name != "anyOf"}  # such as a pattern
        return " or ".join(allowed(common | option) for option in json["anyOf"])
    if "enum" in json or "const" in json:
        choices = [_written(choice) for choice in json.get("enum", [json.get("const")])]
        return " or ".join(filter(None, [", ".join(choices[:-1]), choices[-1]]))
    if json.get("type") == "null":
        return "nothing"
    if json.get("type") == "array":
        return "a list of: " + allowed(json.get("items", {}))
    noun = {"date": "a date (YYYY-MM-DD)", "date-time": "a time (YYYY-MM-DDThh:mm:ssZ)"}.get(json.get("format", ""))
    if json.get("pattern") == PERIOD_PATTERN:
        noun = "a period (2026, 2026-Q3, 2026-11, 2026-W47)"
    words = [noun or NOUNS.get(json.get("type", ""), "a value")]
    words += [f"{word} {_written(json[bound])}" for bound, word in BOUNDS if bound in json]
    if "minimum" in json and "maximum" not in json and "exclusiveMaximum" not in json:
        words += ["up"]
    words += [f"with at least {json['minLength']} characters"] if "minLength" in json else []
    words += [f"with at most {json['maxLength']} characters"] if "maxLength" in json else []
    words += [f"matching {json['pattern']}"] if "pattern" in json and json["pattern"] != PERIOD_PATTERN else []
    words += [f"other than {_written(json['not']['const'])}"] if "not" in json else []
    return " ".join(words)


def _written(value: Any) -> str:
    return {True: "true", False: "false"}[value] if isinstance(value, bool) else str(value)


@dataclass(frozen=True)
class TableSchema:
    """A table as plain data: what ``method.toml`` holds and what catalogue, forms and SDMX are made from."""

    name: str
    description: str
    columns: tuple[Column, ...]
    key: tuple[str, ...] = ()

    def __getitem__(self, name: str) -> Column:
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(name)

    def __iter__(self) -> Iterator[Column]:
        return iter(self.columns)

    def with_role(self, *roles: str) -> tuple[Column, ...]:
        """Give the columns of these roles, in order."""
        return tuple(column for column in self.columns if column.role in roles)

    def as_dict(self) -> dict[str, Any]:
        """Give the schema as plain data without what is empty (the form of ``method.toml``)."""
        plain = asdict(self)
        default = Column("", "")
        plain["columns"] = [
            {
                name: value
                for name, value in column.items()
                if name in ("name", "type") or value != getattr(default, name)
            }
            for column in plain["columns"]
        ]
        return {name: value for name, value in plain.items() if value not in ((), "")}

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> TableSchema:
        """Read the schema from plain data."""
        columns = tuple(
            Column(**{**column, "codes": tuple(column.get("codes", ()))}) for column in plain.get("columns", ())
        )
        return cls(plain["name"], plain.get("description", ""), columns, tuple(plain.get("key", ())))

    def as_table_schema(self) -> dict[str, Any]:
        """Give the schema as a Frictionless Table Schema, for tools that read a CSV beside it.

        References
        ----------
        Frictionless Data, Table Schema, https://specs.frictionlessdata.io/table-schema/
        """
        names = {"text": "string", "instant": "datetime", "period": "string"}
        fields = []
        for column in self.columns:
            checks = {k: v for k, v in column.value_schema().items() if k in CONSTRAINTS}
            constraints = checks | ({} if column.nullable else {"required": True})
            entry: dict[str, Any] = {
                "name": column.name,
                "type": names.get(column.type, column.type),
                "description": column.description,
            }
            entry |= {"constraints": constraints} if constraints else {}
            entry |= {"unit": column.unit} if column.unit else {}
            fields.append(entry | {"role": column.role})
        table: dict[str, Any] = {"name": self.name, "description": self.description, "fields": fields}
        return table | {"primaryKey": list(self.key), "missingValues": [""]}

    def as_json_schema(self) -> dict[str, Any]:
        """Give the JSON Schema of a list of rows (JSON Schema 2020-12)."""
        properties = {}
        for column in self.columns:
            value = column.value_schema()
            one = {"anyOf": [value, {"type": "null"}]} if column.nullable else value
            properties[column.name] = one | {"description": column.description} | _unit(column.unit)
        row = {
            "type": "object",
            "properties": properties,
            "required": [column.name for column in self.columns if column.required],
        }
        return {"title": self.name, "description": self.description, "type": "array", "items": row}

    def as_markdown(self) -> str:
        """Give the schema as the table of a documentation page."""
        lines = ["| column | role | type | unit | allowed | what |", "|---|---|---|---|---|---|"]
        for column in self.columns:
            name = f"**{column.name}**" if column.name in self.key else column.name
            presence = [] if column.required else ["column optional"]
            presence += ["may be missing"] if column.nullable else []
            cells = (name, column.role, column.type, column.unit, "; ".join([column.allowed(), *presence]))
            lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in (*cells, column.description)) + " |")
        key = f"Key: {', '.join(self.key)}." if self.key else "No key: rows may repeat."
        return "\n".join([*lines, "", key])


CONSTRAINTS = (
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "pattern",
    "enum",
    "minLength",
    "maxLength",
)


def _unit(unit: str) -> dict[str, str]:
    return {"x-unit": unit} if unit else {}


# --- from the class to the plain data -------------------------------------------------------------------------------


class Schema:
    """Base of all declared schemas; see the head of this module."""

    __key: typing.ClassVar[tuple[str, ...]] = ()
    __names: typing.ClassVar[Mapping[str, Any]] = {}

    def __init_subclass__(cls, key: tuple[str, ...] | None = None, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls.__names = sys._getframe(1).f_locals  # a schema may be declared in a notebook's cell or a test's function
        if key is not None:
            cls.__key = tuple(key)


def table_schema(cls: type[Schema]) -> TableSchema:
    """Read a declared schema as plain data.

    Parameters
    ----------
    cls : type of Schema
        The class.

    Raises
    ------
    TypeError
        When a column has a type or an annotation that is not known, or the key names no column.

    Examples
    --------
    >>> class Codes(Schema, key=("code",)):
    ...     '''A code list.'''
    ...
    ...     code: Annotated[str, Dimension, "The code"]
    >>> table_schema(Codes).key
    ('code',)
    """
    return _table_schema(cls)  # type: ignore[arg-type]  # a class is hashable, whatever __hash__ its instances have


@cache
def _table_schema(cls: Any) -> TableSchema:
    try:
        hints = typing.get_type_hints(cls, localns=dict(cls._Schema__names), include_extras=True)
    except NameError as error:
        raise TypeError(f"schema {cls.__qualname__}: {error}; import it outside TYPE_CHECKING") from None
    hints = {name: hint for name, hint in hints.items() if not name.startswith("_")}
    columns = tuple(_column(cls, name, hint) for name, hint in hints.items())
    key = getattr(cls, "_Schema__key")  # noqa: B009  the class has no public attribute that could meet a column's name
    unknown = [name for name in key if name not in hints]
    if unknown:
        raise TypeError(f"schema {cls.__qualname__}: the key names no column: {', '.join(unknown)}")
    return TableSchema(cls.__name__, inspect.cleandoc(cls.__doc__ or ""), columns, key)


def _column(cls: type[Schema], name: str, hint: Any) -> Column:
    base, metadata = (get_args(hint)[0], get_args(hint)[1:]) if get_origin(hint) is Annotated else (hint, ())
    base, nullable = without_none(base)
    codes: tuple[str, ...] = ()
    if get_origin(base) is Literal:
        codes, base = tuple(get_args(base)), str
    if base not in TYPES:
        known = ", ".join(getattr(one, "__name__", str(one)) for one in TYPES)
        raise TypeError(f"schema {cls.__qualname__}: column {name} has type {base!r}; known: {known}")
    # A default may stand in the schema that this one extends.
    facts: dict[str, Any] = {"codes": codes, "nullable": nullable, "required": not hasattr(cls, name)}
    checks: dict[str, Any] = {}
    for item in _flat(metadata):
        one = item() if isinstance(item, type) and (item in ROLES or item is Confidential) else item
        if isinstance(one, str):
            facts["description"] = one
        elif type(one) in ROLES:
            facts["role"] = ROLES[type(one)]
            facts["codelist"] = getattr(one, "codes", None) or ""
            facts["decimals"] = getattr(one, "decimals", None)
        elif isinstance(one, Concept):
            facts["concept"] = one.id
        elif isinstance(one, Unit):
            facts["unit"] = one.name
        elif isinstance(one, Confidential):
            facts["confidential"] = True
        else:
            checks |= check_keywords(one, f"schema {cls.__qualname__}: column {name}")
    return Column(name, TYPES[base], checks=checks, **facts)


def _flat(metadata: tuple[Any, ...]) -> Iterator[Any]:
    for item in metadata:
        if isinstance(item, GroupedMetadata):  # Interval, Len
            yield from item
        else:
            yield item


def without_none(hint: Any) -> tuple[Any, bool]:
    """Split ``X | None`` into ``X`` and whether None is allowed.

    Examples
    --------
    >>> without_none(int | None)
    (<class 'int'>, True)
    """
    if get_origin(hint) in (types.UnionType, typing.Union):
        rest = [one for one in get_args(hint) if one is not type(None)]
        if len(rest) == 1 and len(rest) < len(get_args(hint)):
            return rest[0], True
    return hint, False


def check_keywords(item: Any, where: str) -> dict[str, Any]:
    """Translate one check of an annotation to JSON Schema's keyword.

    Examples
    --------
    >>> check_keywords(Gt(0), "price")
    {'exclusiveMinimum': 0}
    """
    pairs = {
        Gt: ("exclusiveMinimum", "gt"),
        Ge: ("minimum", "ge"),
        Lt: ("exclusiveMaximum", "lt"),
        Le: ("maximum", "le"),
        MinLen: ("minLength", "min_length"),
        MaxLen: ("maxLength", "max_length"),
        Pattern: ("pattern", "regex"),
        Not: ("not", "value"),
    }
    if type(item) not in pairs:
        raise TypeError(f"{where} has an annotation that is not known: {item!r}")
    keyword, attribute = pairs[type(item)]
    return {keyword: getattr(item, attribute)}


# --- how signatures name tables -------------------------------------------------------------------------------------

S = TypeVar("S", bound=Schema)

if TYPE_CHECKING:

    class Table(ibis.Table, Generic[S]):
        """A table with the schema ``S``; inside a method it is an :class:`ibis.Table`."""

    class Tables(tuple[ibis.Table, ...], Generic[S]):
        """Several tables with the schema ``S``: one a retailer, a vintage."""

else:

    class Table(Generic[S]):
        """A table with the schema ``S``; inside a method it is an :class:`ibis.Table`."""

    class Tables(Generic[S]):
        """Several tables with the schema ``S``: one a retailer, a vintage."""
