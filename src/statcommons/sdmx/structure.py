"""SDMX structures made from a declared table: concepts, code lists, data structure definition and dataflow.

The structures are plain immutable data and need no library; only writing them as SDMX-ML does (pysdmx, extra ``sdmx``).

What becomes what:

- a dimension column is a dimension, in the declared order; the time column is ``TIME_PERIOD`` and comes last;
- ``FREQ`` comes first and is derived from the periods (``2026-11`` is M, ``2026-W47`` is W), because a data structure
  with a time dimension has a frequency by SDMX's practice; a table that has a ``FREQ`` of its own keeps it;
- the one measure is ``OBS_VALUE``; several measures keep their names, which SDMX knows since 3.0;
- an attribute column is attached to the observation; unit and decimals of a measure become the attributes
  ``UNIT_MEASURE`` and ``DECIMALS`` of the whole dataflow (with several measures ``UNIT_MEASURE_PRICE`` and so on);
- a confidential column is in none of them.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from statcommons.core.errors import BadCall
from statcommons.core.schema import Column, TableSchema

__all__ = [
    "FREQUENCIES",
    "Code",
    "CodeList",
    "Component",
    "Structure",
    "sdmx_id",
    "structure",
]

FREQUENCIES = {
    "A": "Annual",
    "S": "Half-yearly, semester",
    "A_3": "Three times a year",
    "Q": "Quarterly",
    "M": "Monthly",
    "W": "Weekly",
    "D": "Daily",
    "I": "Date and time",
}
"""Frequencies by code, as in SDMX's cross-domain code list CL_FREQ 2.1, for the periods that a table may hold."""

FREQUENCIES_OF = {"period": ("A", "S", "A_3", "Q", "M", "W", "D"), "date": ("D",), "instant": ("I",)}

STATUSES = {
    "A": "Normal value",
    "B": "Time series break",
    "D": "Definition differs",
    "E": "Estimated value",
    "F": "Forecast value",
    "G": "Experimental value",
    "I": "Imputed value",
    "M": "Missing value; data cannot exist",
    "N": "Not significant",
    "O": "Missing value",
    "P": "Provisional value",
    "Q": "Missing value; suppressed",
    "U": "Low reliability",
    "V": "Unvalidated value",
}
GENERIC = {"_T": "Total", "_Z": "Not applicable", "_U": "Unknown", "_O": "Other", "_X": "Not specified"}
TITLES = {"CL_FREQ": "Frequency", "CL_OBS_STATUS": "Observation status"}
NAMES = {"CL_FREQ": FREQUENCIES, "CL_OBS_STATUS": STATUSES}
"""Names that SDMX's own code lists give to codes; a table declares codes without names."""

RESERVED = ("STRUCTURE", "STRUCTURE_ID", "STRUCTURE_NAME", "ACTION", "SERIES_KEY", "OBS_KEY", "DATAFLOW")
"""Names of columns that SDMX-CSV itself writes."""

DIGITS = 15
"""Decimals that a measure may have at most; a double has no more."""


# --- the plain data -------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Code:
    """A code of a code list and its name."""

    id: str
    name: str


@dataclass(frozen=True)
class CodeList:
    """A code list; ``partial`` says that it holds only the codes that were observed."""

    id: str
    name: str
    codes: tuple[Code, ...]
    partial: bool = False


@dataclass(frozen=True)
class Component:
    """A component of a data structure definition, and the column of the table that it comes from.

    Parameters
    ----------
    id : str
        The id, such as ``OBS_VALUE``.
    role : {"dimension", "time", "measure", "attribute"}
        What the component does; the time dimension has a role of its own.
    type : str
        The type of the column, as in :class:`statcommons.core.schema.Column`.
    column : str
        The column of the table; empty where the value is derived (``FREQ``) or ``constant``.
    name, description : str
        What a reader sees.
    concept : str
        The concept of the structure's concept scheme; several components may share one.
    codelist : str
        The code list of the structure; empty where the component is not coded.
    decimals : int, optional
        What a measure is rounded to.
    required : bool
        Whether a value must be there.
    attachment : {"observation", "dataflow"}
        What an attribute is said of.
    constant : str
        The value of an attribute of the whole dataflow.
    """

    id: str
    role: str
    type: str
    column: str = ""
    name: str = ""
    description: str = ""
    concept: str = ""
    codelist: str = ""
    decimals: int | None = None
    required: bool = True
    attachment: str = "observation"
    constant: str = ""


@dataclass(frozen=True)
class Structure:
    """The structures of one dataflow: its components in SDMX's order, and its code lists."""

    agency: str
    id: str
    version: str
    name: str
    description: str
    components: tuple[Component, ...]
    codelists: tuple[CodeList, ...] = ()

    def __getitem__(self, id: str) -> Component:
        return next(component for component in self.components if component.id == id)

    def with_role(self, *roles: str) -> tuple[Component, ...]:
        """Give the components of these roles, in order."""
        return tuple(component for component in self.components if component.role in roles)

    @property
    def dimensions(self) -> tuple[Component, ...]:
        """The dimensions, the time dimension last."""
        return self.with_role("dimension", "time")

    @property
    def dataflow(self) -> str:
        """The reference of the dataflow, as data name it: ``SC:DF_PRICE_INDEX(1.0)``."""
        return f"{self.agency}:DF_{self.id}({self.version})"

    def codes(self, component: Component) -> tuple[Code, ...]:
        """Give the codes of a component; none where it is not coded."""
        return next((one.codes for one in self.codelists if one.id == component.codelist), ())


# --- ids ------------------------------------------------------------------------------------------------------------


def sdmx_id(name: str) -> str:
    """Turn a name into an SDMX id: upper case Latin letters, digits and ``_``, a letter first; empty if none is left.

    Parameters
    ----------
    name : str
        A name of a column, schema or method.

    Examples
    --------
    >>> sdmx_id("matched_products"), sdmx_id("PriceIndex"), sdmx_id("prix unitaire (année)"), sdmx_id("2nd")
    ('MATCHED_PRODUCTS', 'PRICE_INDEX', 'PRIX_UNITAIRE_ANNEE', 'C_2ND')
    """
    latin = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    split = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", latin)
    words = re.sub(r"[^A-Z0-9]+", "_", split.upper()).strip("_")
    return f"C_{words}" if words[:1].isdigit() else words


def _words(name: str) -> str:
    """Turn a column's name into the name that a reader sees: ``Matched products``."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|_", " ", name).strip()
    return spaced[:1].upper() + spaced[1:].lower() if spaced else name


def _require(value: str, pattern: str, what: str, example: str) -> str:
    if not re.fullmatch(pattern, value):
        raise BadCall(f"The {what} is {value!r}.", where="SDMX structure", remedy=f"Give one such as {example}.")
    return value


AGENCY = r"[A-Za-z][A-Za-z0-9_\-]*(\.[A-Za-z][A-Za-z0-9_\-]*)*"
ARTEFACT = r"[A-Za-z0-9_@$\-]+"
COMPONENT = r"[A-Za-z][A-Za-z0-9_\-]*"
VERSION = r"\d+\.\d+(\.\d+)?"


# --- from the table to the structures -------------------------------------------------------------------------------


def structure(
    schema: TableSchema,
    *,
    agency: str = "SC",
    id: str | None = None,
    version: str = "1.0",
    name: str = "",
    description: str = "",
    observed: Mapping[str, Iterable[str]] | None = None,
) -> Structure:
    """Make the SDMX structures of a declared table.

    Parameters
    ----------
    schema : TableSchema
        The table; it must have a key.
    agency : str
        The id of the agency that maintains the structures.
    id : str, optional
        The id of the dataflow; the schema's name by default. ``DF_``, ``DSD_`` and ``CS_`` are put before it.
    version : str
        The version of all of them.
    name, description : str
        What a reader sees; the schema's own by default.
    observed : mapping, optional
        The distinct codes of open columns by column. They become a partial code list, unless one of them cannot be the
        id of an SDMX code (``rice & tea``): then the column is not coded and any text stands in it.

    Returns
    -------
    Structure
        Components and code lists.

    Raises
    ------
    BadCall
        When the table cannot be said in SDMX: it has no key, no measure, a key that is no dimension or is confidential,
        two times, ids that meet, or a declared code that cannot be one.

    Examples
    --------
    >>> price = Column("price", "number", "measure", unit="currency", decimals=2)
    >>> key = (Column("period", "period", "time"), Column("product", "text", "dimension"))
    >>> made = structure(TableSchema("Prices", "", (*key, price), ("period", "product")), observed={"product": ["004"]})
    >>> [component.id for component in made.components]
    ['FREQ', 'PRODUCT', 'TIME_PERIOD', 'OBS_VALUE', 'UNIT_MEASURE', 'DECIMALS']
    >>> made.dataflow, [code.id for code in made.codes(made["PRODUCT"])]
    ('SC:DF_PRICES(1.0)', ['004'])
    """
    _require(agency, AGENCY, "agency", "SC or OECD.SDD")
    _require(version, VERSION, "version", "1.0 or 1.0.0")
    flow = _require(sdmx_id(schema.name) if id is None else id, ARTEFACT, "id of the dataflow", "PRICE_INDEX")
    columns = tuple(column for column in schema if not column.confidential)
    time = _time_of(schema, columns)
    _assert_identified(schema, time)
    measures = tuple(column for column in columns if column.role == "measure")
    if not measures:
        raise BadCall(
            "The table has no measure that may be published.",
            where=schema.name,
            remedy="Declare what was measured as Measure, or leave the table out.",
        )
    components = (
        *(_component(column, schema, "dimension") for column in columns if column.role == "dimension"),
        *([_component(time, schema, "time")] if time else []),
        *(_component(column, schema, "measure", single=len(measures) == 1) for column in measures),
        *(
            _component(column, schema, "attribute")
            for column in columns
            if column.role == "attribute" or (column.role == "time" and column is not time)
        ),
    )
    declared = {component.id for component in components}
    frequency = [FREQUENCY] if time and "FREQ" not in declared else []
    constants = [one for one in _constants(measures, components) if one.id not in declared]
    everything = (*frequency, *components, *constants)
    _assert_ids(everything, schema.name)
    codelists, coded = _coded(everything, schema, observed or {})
    about = (name or _words(schema.name), description or schema.description)
    return Structure(agency, flow, version, *about, components=coded, codelists=codelists)


def _time_of(schema: TableSchema, columns: tuple[Column, ...]) -> Column | None:
    """Choose the column that is TIME_PERIOD: the only time, or the only one in the key."""
    times = [column for column in columns if column.role == "time"]
    keyed = [column for column in times if column.name in schema.key]
    if len(times) > 1 and len(keyed) != 1:
        raise BadCall(
            f"The table has several times: {', '.join(column.name for column in times)}.",
            where=schema.name,
            remedy="Put exactly one of them into the key; it becomes TIME_PERIOD.",
        )
    return next(iter(keyed or times), None)


def _assert_identified(schema: TableSchema, time: Column | None) -> None:
    """Hold the key to what identifies an observation in SDMX: dimensions, and nothing that is confidential."""
    if not schema.key:
        raise BadCall(
            "The table has no key, so nothing identifies an observation.",
            where=schema.name,
            remedy='Declare one: class Prices(Schema, key=("period", "product")).',
        )
    for name in schema.key:
        column = schema[name]
        if column.confidential:
            raise BadCall(
                f"The key has the confidential column {name}; without it the rest identifies no observation.",
                where=schema.name,
                remedy="Publish an output that is summed over it.",
            )
        if column.role != "dimension" and column is not time:
            raise BadCall(
                f"The key has the column {name}, whose role is {column.role}.",
                where=schema.name,
                remedy="Declare it as Dimension, or take it out of the key.",
            )


def _component(column: Column, schema: TableSchema, role: str, *, single: bool = False) -> Component:
    own = column.concept or sdmx_id(column.name)
    # A single measure is OBS_VALUE whatever it measures: the concept says what, where one is declared.
    id = "TIME_PERIOD" if role == "time" else "OBS_VALUE" if single else own
    where = f"{schema.name}, column {column.name}"
    for one in (id, column.concept or id):
        if not re.fullmatch(COMPONENT, one) or one in RESERVED or (one == "TIME_PERIOD" and role != "time"):
            raise BadCall(
                f"The column has the SDMX id {one!r}, which it may not have.",
                where=where,
                remedy='Name another with Concept("…"): Latin letters, digits and _, and no column of SDMX-CSV itself.',
            )
    if column.decimals is not None and not 0 <= column.decimals <= DIGITS:
        raise BadCall(
            f"It has {column.decimals} decimals.", where=where, remedy=f"Give a whole number from 0 to {DIGITS}."
        )
    return Component(
        id=id,
        role=role,
        type=column.type,
        column=column.name,
        name=_words(column.name),
        description=column.description,
        concept=column.concept or id,
        codelist=_codelist_id(column, id),
        decimals=column.decimals,
        required=role in ("dimension", "time") or (not column.nullable and column.required),
    )


def _codelist_id(column: Column, id: str) -> str:
    name = sdmx_id(column.codelist) or id
    return name if name.startswith("CL_") else f"CL_{name}"


FREQUENCY = Component(
    id="FREQ",
    role="dimension",
    type="text",
    name="Frequency",
    description="Frequency of the observations, derived from their periods",
    concept="FREQ",
    codelist="CL_FREQ",
)


def _constants(measures: tuple[Column, ...], components: tuple[Component, ...]) -> list[Component]:
    """Make the attributes that say of the whole dataflow which unit and decimals its measures have."""
    ids = {component.column: component.id for component in components}
    facts = (("UNIT_MEASURE", "text", "Unit of measure", "unit"), ("DECIMALS", "integer", "Decimals", "decimals"))
    made = []
    for concept, kind, words, fact in facts:
        for measure in measures:
            value = getattr(measure, fact)
            if value is None or value == "":
                continue
            alone = len(measures) == 1
            made.append(
                Component(
                    id=concept if alone else f"{concept}_{ids[measure.name]}",
                    role="attribute",
                    type=kind,
                    name=words if alone else f"{words}: {_words(measure.name).lower()}",
                    concept=concept,
                    attachment="dataflow",
                    constant=str(value),
                )
            )
    return made


def _assert_ids(components: Iterable[Component], where: str) -> None:
    counts = Counter(component.id for component in components)
    twice = [id for id, count in counts.items() if count > 1]
    if twice:
        raise BadCall(
            f"Several columns have the SDMX id {', '.join(twice)}.",
            where=where,
            remedy='Rename one, or name its concept: Concept("…").',
        )


def _coded(
    components: tuple[Component, ...], schema: TableSchema, observed: Mapping[str, Iterable[str]]
) -> tuple[tuple[CodeList, ...], tuple[Component, ...]]:
    """Make the code lists, and take from the components those that do not come to be.

    Components that name one code list share it: it holds the codes of all.
    """
    time = next((component for component in components if component.role == "time"), None)
    declared: dict[str, list[str]] = {}
    partial: dict[str, bool] = {}
    coded = set()
    for component in components:
        codes, open_ = _codes_of(component, schema, observed, time)
        if codes:
            declared.setdefault(component.codelist, []).extend(codes)
            partial[component.codelist] = partial.get(component.codelist, False) or open_
            coded.add(component.id)
    lists = tuple(_codelist(id, codes, partial[id]) for id, codes in declared.items())
    return lists, tuple(one if one.id in coded else replace(one, codelist="") for one in components)


def _codes_of(
    component: Component, schema: TableSchema, observed: Mapping[str, Iterable[str]], time: Component | None
) -> tuple[tuple[str, ...], bool]:
    """Give the codes of a component and whether they are only those observed."""
    if component.id == "FREQ" and not component.column and time:
        return FREQUENCIES_OF[time.type], False
    if not component.column or component.type != "text":
        return (), False
    codes = schema[component.column].codes
    wrong = [code for code in codes if not re.fullmatch(ARTEFACT, code)]
    if wrong:
        raise BadCall(
            f"The code {wrong[0]!r} is declared, which SDMX does not allow as a code.",
            where=f"{schema.name}, column {component.column}",
            remedy="Write codes with Latin letters, digits, _, -, @ and $ only.",
        )
    if codes:
        return codes, False
    seen = tuple(dict.fromkeys(str(code) for code in observed.get(component.column, ())))
    return (seen, True) if all(re.fullmatch(ARTEFACT, code) for code in seen) else ((), False)


def _codelist(id: str, codes: Iterable[str], partial: bool) -> CodeList:
    names = GENERIC | NAMES.get(id, {})
    named = tuple(Code(code, names.get(code, code)) for code in dict.fromkeys(codes))
    return CodeList(id, TITLES.get(id) or id.removeprefix("CL_").replace("_", " "), named, partial)
