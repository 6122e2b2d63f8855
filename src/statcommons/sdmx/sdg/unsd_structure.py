"""The structure under which exports of the United Nations' SDG database are kept, and what their columns are in it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from statcommons.sdmx.model import Item, Ref, Scheme
from statcommons.sdmx.structure import Component, Structure

__all__ = ["CODED", "COMPONENTS", "DIMENSIONS", "NAMES", "PLACES", "TEXTS", "unsd_structure"]

COMPONENTS = {
    "seriescode": "SERIES",
    "series": "SERIES",
    "geoareacode": "REF_AREA",
    "geo_area": "REF_AREA",
    "timeperiod": "TIME_PERIOD",
    "year": "TIME_PERIOD",
    "value": "OBS_VALUE",
    "freq": "FREQ",
    "reporting_type": "REPORTING_TYPE",
    "sex": "SEX",
    "age": "AGE",
    "location": "URBANISATION",
    "quantile": "INCOME_WEALTH_QUANTILE",
    "education_level": "EDUCATION_LEV",
    "type_of_occupation": "OCCUPATION",
    "disability_status": "DISABILITY_STATUS",
    "activity": "ACTIVITY",
    "type_of_product": "PRODUCT",
    "units": "UNIT_MEASURE",
    "nature": "NATURE",
    "observation_status": "OBS_STATUS",
    "time_detail": "TIME_DETAIL",
    "timecoverage": "TIME_COVERAGE",
    "time_coverage": "TIME_COVERAGE",
    "upperbound": "UPPER_BOUND",
    "lowerbound": "LOWER_BOUND",
    "baseperiod": "BASE_PER",
    "source": "SOURCE_DETAIL",
    "geoinfourl": "GEO_INFO_URL",
    "footnote": "COMMENT_OBS",
}
"""The components by the columns of an export, in small letters and without brackets, with ``_`` for what is between."""

NAMES = {"seriesdescription": "SERIES", "geoareaname": "REF_AREA"}
"""The columns that name the codes of a component."""

PLACES = frozenset({"goal", "target", "indicator"})
"""The columns that say where a series stands in the framework, and nothing of an observation."""

DIMENSIONS = {
    "FREQ": "Frequency",
    "REPORTING_TYPE": "Reporting type",
    "SERIES": "Series",
    "REF_AREA": "Reference area",
    "SEX": "Sex",
    "AGE": "Age",
    "URBANISATION": "Location",
    "INCOME_WEALTH_QUANTILE": "Income or wealth quantile",
    "EDUCATION_LEV": "Education level",
    "OCCUPATION": "Occupation",
    "DISABILITY_STATUS": "Disability status",
    "ACTIVITY": "Activity",
    "PRODUCT": "Product",
    "COMPOSITE_BREAKDOWN": "Other breakdowns",
}
"""The dimensions but time, with their names; each has a code list."""

CODED = {"UNIT_MEASURE": "Unit of measure", "NATURE": "Nature of the value", "OBS_STATUS": "Observation status"}
"""The attributes that have a code list, with their names."""

TEXTS = {
    "VALUE_TEXT": "Value as it was written, where it is no number",
    "TIME_DETAIL": "Time detail",
    "TIME_COVERAGE": "Time coverage",
    "UPPER_BOUND": "Upper bound",
    "LOWER_BOUND": "Lower bound",
    "BASE_PER": "Base period",
    "SOURCE_DETAIL": "Source",
    "GEO_INFO_URL": "Address of the geography",
    "COMMENT_OBS": "Footnote",
}
"""The attributes that are text, with their names."""


def unsd_structure(
    agency: str = "SC", codes: Mapping[str, Mapping[str, str]] | None = None, version: str = "1.0"
) -> Structure:
    """Give the structure of the SDG database as its exports have it.

    Parameters
    ----------
    agency : str
        The agency that maintains it.
    codes : mapping, optional
        The names of the codes by component.
    version : str
        Its version.

    Examples
    --------
    >>> made = unsd_structure()
    >>> print(made.flow), len(made.key), made.time.id
    SC:DF_UNSD_SDG(1.0)
    (None, 14, 'TIME_PERIOD')
    """
    named = codes or {}

    def component(id: str, role: str, name: str, type: str = "text", **more: Any) -> Component:
        concept = Ref("conceptscheme", agency, "CS_UNSD_SDG", version, id)
        coded = id in DIMENSIONS or id in CODED
        listed = Ref("codelist", agency, f"CL_UNSD_{id}", version) if coded else None
        return Component(id, role, type, name={"en": name}, concept=concept, codelist=listed, **more)

    components = (
        *(component(id, "dimension", name) for id, name in DIMENSIONS.items()),
        component("TIME_PERIOD", "time", "Time period", "period"),
        component("OBS_VALUE", "measure", "Value", "number", required=False),
        *(component(id, "attribute", name, required=False) for id, name in (CODED | TEXTS).items()),
    )
    lists = [
        Scheme(
            "codelist",
            agency,
            f"CL_UNSD_{one.id}",
            version,
            name=one.name,
            items=tuple(Item(id, {"en": name}) for id, name in sorted(named.get(one.id, {}).items())),
        )
        for one in components
        if one.codelist
    ]
    return Structure(
        Ref("dataflow", agency, "DF_UNSD_SDG", version),
        Ref("datastructure", agency, "DSD_UNSD_SDG", version),
        {"en": "SDG indicators"},
        {"en": "Values of the Sustainable Development Goals indicators, from the database of the United Nations."},
        components,
        tuple(lists),
    )
