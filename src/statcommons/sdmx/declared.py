"""SDMX structures made from a declared table: concepts, code lists, data structure definition and dataflow.

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
from dataclasses import replace

from statcommons.core.errors import BadCall
from statcommons.core.schema import Column, TableSchema
from statcommons.sdmx.model import Item, Ref, Scheme
from statcommons.sdmx.structure import Component, Structure

__all__ = ["FREQUENCIES", "sdmx_id", "structure"]

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
    >>> print(made.flow, [code.id for code in made.codes(made["PRODUCT"])])
    SC:DF_PRICES(1.0) ['004']
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
    home = Ref("dataflow", agency, flow, version)
    components = (
        *(_component(column, schema, home, "dimension") for column in columns if column.role == "dimension"),
        *([_component(time, schema, home, "time")] if time else []),
        *(_component(column, schema, home, "measure", single=len(measures) == 1) for column in measures),
        *(
            _component(column, schema, home, "attribute")
            for column in columns
            if column.role == "attribute" or (column.role == "time" and column is not time)
        ),
    )
    declared = {component.id for component in components}
    frequency = [_frequency(home)] if time and "FREQ" not in declared else []
    constants = [one for one in _constants(measures, components, home) if one.id not in declared]
    everything = (*frequency, *components, *constants)
    _assert_ids(everything, schema.name)
    codelists, coded = _coded(everything, schema, observed or {})
    return Structure(
        flow=replace(home, id=f"DF_{flow}"),
        definition=Ref("datastructure", agency, f"DSD_{flow}", version),
        name=_english(name or _words(schema.name)),
        description=_english(description or schema.description),
        components=coded,
        codelists=codelists,
    )


def _english(words: str) -> dict[str, str]:
    return {"en": words} if words else {}


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


def _component(column: Column, schema: TableSchema, home: Ref, role: str, *, single: bool = False) -> Component:
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
        name=_english(_words(column.name)),
        description=_english(column.description),
        concept=_concept(column.concept or id, home),
        codelist=Ref("codelist", home.agency, _codelist_id(column, id), home.version),
        decimals=column.decimals,
        required=role in ("dimension", "time") or (not column.nullable and column.required),
    )


def _codelist_id(column: Column, id: str) -> str:
    name = sdmx_id(column.codelist) or id
    return name if name.startswith("CL_") else f"CL_{name}"


def _concept(id: str, home: Ref) -> Ref:
    return Ref("conceptscheme", home.agency, f"CS_{home.id}", home.version, id)


def _frequency(home: Ref) -> Component:
    return Component(
        id="FREQ",
        role="dimension",
        type="text",
        name={"en": "Frequency"},
        description={"en": "Frequency of the observations, derived from their periods"},
        concept=_concept("FREQ", home),
        codelist=Ref("codelist", home.agency, "CL_FREQ", home.version),
    )


def _constants(measures: tuple[Column, ...], components: tuple[Component, ...], home: Ref) -> list[Component]:
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
                    name=_english(words if alone else f"{words}: {_words(measure.name).lower()}"),
                    concept=_concept(concept, home),
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
) -> tuple[tuple[Scheme, ...], tuple[Component, ...]]:
    """Make the code lists, and take from the components those that do not come to be.

    Components that name one code list share it: it holds the codes of all.
    """
    time = next((component for component in components if component.role == "time"), None)
    declared: dict[Ref, list[str]] = {}
    partial: dict[Ref, bool] = {}
    coded = set()
    for component in components:
        codes, open_ = _codes_of(component, schema, observed, time)
        if codes and component.codelist:
            declared.setdefault(component.codelist, []).extend(codes)
            partial[component.codelist] = partial.get(component.codelist, False) or open_
            coded.add(component.id)
    lists = tuple(_codelist(ref, codes, partial[ref]) for ref, codes in declared.items())
    return lists, tuple(one if one.id in coded else replace(one, codelist=None) for one in components)


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


def _codelist(ref: Ref, codes: Iterable[str], partial: bool) -> Scheme:
    names = GENERIC | NAMES.get(ref.id, {})
    return Scheme(
        "codelist",
        ref.agency,
        ref.id,
        ref.version,
        name=_english(TITLES.get(ref.id) or ref.id.removeprefix("CL_").replace("_", " ")),
        items=tuple(Item(code, _english(names.get(code, code))) for code in dict.fromkeys(codes)),
        partial=partial,
    )
