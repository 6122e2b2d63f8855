"""Real clients against the running service: sdmx1 and pysdmx, as their users call them."""

from __future__ import annotations

import warnings

import pytest
import requests
import sdmx
from pysdmx.api.dc.rest import SdmxConnector
from pysdmx.api.fmr import RegistryClient
from pysdmx.api.qb import (
    ApiVersion,
    AvailabilityQuery,
    DataContext,
    DataFormat,
    DataQuery,
    RestService,
    SchemaContext,
    SchemaFormat,
    SchemaQuery,
    StructureFormat,
    StructureQuery,
    StructureType,
)
from pysdmx.errors import NotFound
from pysdmx.io import read_sdmx

FLOW = "Dataflow=UNGP:DF_SDG(1.0)"


@pytest.fixture
def client(hub):
    """Give sdmx1 with our service as one of its sources."""
    info = {
        "id": "UNGP",
        "name": "hub",
        "url": f"{hub}/sdmx/v1",
        "data_content_type": "XML",
        "supports": {"availableconstraint": True, "preview": True},
    }
    sdmx.add_source(info, override=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield sdmx.Client("UNGP")


# --- sdmx1 ----------------------------------------------------------------------------------------------------------


def test_sdmx1_lists_and_resolves_structures(client):
    assert list(client.dataflow().dataflow) == ["DF_SDG"]
    found = client.dataflow("DF_SDG")
    assert len(found.codelist) == 8
    assert [one.id for one in found.structure["DSD_SDG"].dimensions.components][-1] == "TIME_PERIOD"
    assert client.datastructure("DSD_SDG").structure["DSD_SDG"].id == "DSD_SDG"
    assert list(client.codelist("CL_SEX").codelist["CL_SEX"].items) == ["_T", "F", "M"]
    assert not client.codelist("CL_SEX", params={"detail": "allstubs"}).codelist["CL_SEX"].items
    assert not client.categoryscheme().category_scheme
    assert client.agencyscheme().organisation_scheme


def test_sdmx1_reads_generic_data(client):
    found = client.data(
        "DF_SDG", key={"SERIES": "IT_MOB_OWN", "REF_AREA": ["116", "764"]}, params={"startPeriod": "2010"}
    )
    values = sdmx.to_pandas(found)
    assert len(values) == 21
    assert values.sum() == pytest.approx(1537.01653)


def test_sdmx1_reads_structure_specific_data(client):
    dsd = client.datastructure("DSD_SDG").structure["DSD_SDG"]
    found = client.data("DF_SDG", key="A.IT_MOB_OWN.116...", dsd=dsd)
    assert len(sdmx.to_pandas(found)) == 3


def test_sdmx1_previews_and_asks_for_availability(client):
    assert len(client.preview_data("DF_SDG", {"REF_AREA": "116"})) == 14
    answer = client.get("availableconstraint", "DF_SDG", key="..116...")
    [constraint] = answer.constraint.values()
    [region] = constraint.data_content_region
    counts = {dimension.id: len(list(some.values)) for dimension, some in region.member.items()}
    assert (counts["SERIES"], counts["REF_AREA"]) == (8, 1)


# --- pysdmx ---------------------------------------------------------------------------------------------------------


def test_pysdmx_registry(hub):
    registry = RegistryClient(f"{hub}/sdmx/v2")
    assert [one.id for one in registry.get_dataflows("UNGP")] == ["DF_SDG"]
    assert [one.id for one in registry.get_codes("UNGP", "CL_SEX", "1.0").items] == ["_T", "F", "M"]
    assert "SERIES" in [one.id for one in registry.get_concepts("UNGP", "CS_SDG", "1.0").items]
    [structure] = registry.get_data_structures("UNGP", "DSD_SDG", "1.0")
    assert structure.id == "DSD_SDG"
    schema = registry.get_schema("dataflow", "UNGP", "DF_SDG", "1.0")
    assert [one.id for one in schema.components.dimensions] == [
        "FREQ",
        "SERIES",
        "REF_AREA",
        "SEX",
        "AGE",
        "URBANISATION",
        "TIME_PERIOD",
    ]
    assert registry.get_dataflow_details("UNGP", "DF_SDG", "1.0").id == "DF_SDG"
    assert registry.get_agencies("SDMX")
    with pytest.raises(NotFound):
        registry.get_providers("UNGP")
    with pytest.raises(NotFound):
        registry.get_hierarchy("UNGP", "H1")


def test_pysdmx_connector(hub):
    connector = SdmxConnector(f"{hub}/sdmx/v2")
    flows = list(connector.dataflows())
    assert [one.id for one in flows] == ["DF_SDG"]
    info = connector.dataflow(flows[0])
    assert info.series_count == 2337
    assert info.obs_count == 30795
    asked = "REF_AREA IN ('116', '764') AND SERIES = 'IT_MOB_OWN' AND TIME_PERIOD >= '2010'"
    assert len(list(connector.data(flows[0], asked))) == 21


@pytest.mark.parametrize("format", [one for one in DataFormat if "REF" not in one.name], ids=lambda one: one.name)
@pytest.mark.parametrize("version", [ApiVersion.V1_5_0, ApiVersion.V2_0_0, ApiVersion.V2_2_0], ids=lambda one: one.name)
def test_pysdmx_rest_service(hub, version, format):
    place = "v1" if version is ApiVersion.V1_5_0 else "v2"
    service = RestService(
        f"{hub}/sdmx/{place}",
        version,
        data_format=format,
        structure_format=StructureFormat.SDMX_JSON_2_0_0,
        schema_format=SchemaFormat.SDMX_JSON_2_0_0_STRUCTURE,
    )
    query = DataQuery(DataContext.DATAFLOW, "UNGP", "DF_SDG", "1.0", "A.IT_MOB_3GNTWK.116...", last_n_obs=2)
    assert b"85.1" in service.data(query)
    assert b"CL_SEX" in service.structure(StructureQuery(StructureType.CODELIST, "UNGP", "CL_SEX", "1.0", "F"))
    assert b"DSD_SDG" in service.schema(SchemaQuery(SchemaContext.DATAFLOW, "UNGP", "DF_SDG", "1.0"))
    assert b"IT_MOB_OWN" in service.availability(AvailabilityQuery(DataContext.DATAFLOW, "UNGP", "DF_SDG", "1.0"))


@pytest.mark.parametrize(
    "query",
    [
        "v1/data/DF_SDG/A.IT_MOB_OWN....?format=csv",
        "v1/data/DF_SDG/A.IT_MOB_OWN....",
        "v1/data/DF_SDG/A.IT_MOB_OWN....?format=structurespecificdata",
        "v2/data/dataflow/UNGP/DF_SDG/1.0/A.IT_MOB_OWN?format=csv&formatVersion=2.0",
        "v2/data/dataflow/UNGP/DF_SDG/1.0/A.IT_MOB_OWN?format=xmldata&formatVersion=3.0",
    ],
)
def test_pysdmx_reads_an_address(hub, query):
    message = read_sdmx(f"{hub}/sdmx/{query}", validate=False)
    [data] = message.data
    assert data.short_urn == FLOW
    assert len(data.data) == 589


def test_pysdmx_reads_structures_from_an_address(hub):
    message = read_sdmx(f"{hub}/sdmx/v1/dataflow/UNGP/DF_SDG/1.0?references=all", validate=True)
    assert len(message.get_codelists()) == 8


# --- sdmx-rest (JavaScript) -----------------------------------------------------------------------------------------

WRITTEN = [
    "v1/data/UNGP,DF_SDG,1.0/A.IT_MOB_OWN.116+764.../all?dimensionAtObservation=TIME_PERIOD&detail=dataonly&includeHistory=false&startPeriod=2010&endPeriod=2020&lastNObservations=2",
    "v1/data/DF_SDG/.SH_H2O_SAFE.116.../all?detail=full&includeHistory=false",
    "v1/data/DF_SDG/all/all?detail=full&includeHistory=true&updatedAfter=2020-01-01T00:00:00Z",
    "v1/codelist/UNGP/CL_SEX/1.0/F?detail=full&references=none",
    "v1/dataflow/UNGP/all/latest?detail=full&references=all",
    "v1/availableconstraint/UNGP,DF_SDG,1.0/A.IT_MOB_OWN..../all/REF_AREA?mode=available&references=none",
    "v1/schema/dataflow/UNGP/DF_SDG/1.0?explicitMeasure=false",
    "v1/codelist/UNGP/all/latest/all?detail=full&references=none",
    "v1/agencyscheme/all/all/latest/all?detail=full&references=none",
    "v1/availableconstraint/DF_SDG/all/all/all?mode=exact&references=none",
    "v2/structure/codelist/UNGP/CL_SEX/1.0/F?detail=full&references=none",
    "v2/structure/dataflow/UNGP/*/~?detail=full&references=all",
    "v2/availability/dataflow/UNGP/DF_SDG/1.0/A.IT_MOB_OWN..../REF_AREA?mode=available&references=none",
    "v2/schema/dataflow/UNGP/DF_SDG/1.0",
    "v2/data/dataflow/UNGP/DF_SDG/1.0/A.*.116.*.*.*?c[TIME_PERIOD]=ge:2010+le:2020&c[SEX]=F,M&attributes=none&measures=all&includeHistory=false&lastNObservations=2",
    "v2/availability/dataflow/UNGP/DF_SDG/1.0/*/*?mode=exact&references=none",
    "v2/data/dataflow/UNGP/DF_SDG/~/*?attributes=dsd&measures=all&includeHistory=false",
    "v2/data/*/UNGP/DF_SDG/*/*?dimensionAtObservation=AllDimensions&attributes=dsd&measures=all&includeHistory=false",
    "v2/availability/*/UNGP/DF_SDG/*/*/*?mode=exact&references=none",
    "v2/structure/codelist/UNGP/*/~/*?detail=full&references=none",
    "v2/structure/agencyscheme/*/*/~/*?detail=full&references=none",
]  # as sdmx-rest 2.20 (npm) writes them


@pytest.mark.parametrize("path", WRITTEN)
def test_addresses_that_sdmx_rest_writes(path, hub):
    answer = requests.get(f"{hub}/sdmx/{path}", headers={"Accept": "*/*"}, timeout=30)
    assert answer.status_code == 200, answer.text[:300]
    assert len(answer.content) > 300
