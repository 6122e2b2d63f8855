"""Flows: which dataflows a path names, by every way in which a path can name them."""

from __future__ import annotations

import pytest

from statcommons.sdmx.model import Dataflow, DataStructure, ProvisionAgreement, Ref
from statcommons.sdmx.service.exchange import Refusal
from statcommons.sdmx.service.flows import named_flows
from statcommons.sdmx.service.paths import route
from statcommons.sdmx.structures.collection import Artefacts

PRICES = DataStructure("datastructure", "UN", "DSD_P", "1.0")
TRADE = DataStructure("datastructure", "UN", "DSD_T", "1.0.0")
FLOWS = [
    Dataflow("dataflow", "UN", "PRICES", "1.0", structure=PRICES.ref),
    Dataflow("dataflow", "UN", "PRICES", "2.0", structure=PRICES.ref),
    Dataflow("dataflow", "UN.SD", "TRADE", "1.0.0", structure=TRADE.ref),
]
AGREEMENT = ProvisionAgreement(
    "provisionagreement",
    "UN",
    "PA",
    "1.0",
    dataflow=FLOWS[0].ref,
    provider=Ref("dataproviderscheme", "UN", "DATA_PROVIDERS", "1.0", "KH"),
)
ARTEFACTS = Artefacts([PRICES, TRADE, *FLOWS, AGREEMENT])
P1, P2, T = (str(one.ref) for one in FLOWS)


@pytest.mark.parametrize(
    ("path", "wanted"),
    [
        ("/sdmx/v1/data/PRICES", [P2]),
        ("/sdmx/v1/data/UN,PRICES,1.0", [P1]),
        ("/sdmx/v1/data/UN,PRICES,all", [P1, P2]),
        ("/sdmx/v1/data/all,all,latest", [P2, T]),
        ("/sdmx/v1/data/UN.SD,TRADE", [T]),
        ("/sdmx/v1/data/UN,PRICES,1.0/all/KH", [P1]),
        ("/sdmx/v1/data/UN,PRICES,1.0/all/UN,KH", [P1]),
        ("/sdmx/v1/data/UN,PRICES,1.0/all/UN", [P1]),
        ("/sdmx/v1/data/UN,PRICES,1.0/all/TH+KH", [P1]),
        ("/sdmx/v1/data/UN,PRICES,2.0/all/KH", []),
        ("/sdmx/v2/data", [P1, P2, T]),
        ("/sdmx/v2/data/dataflow/UN/PRICES", [P1, P2]),
        ("/sdmx/v2/data/dataflow/UN/PRICES/~", [P2]),
        ("/sdmx/v2/data/dataflow/UN,UN.SD/PRICES,TRADE/~", [P2, T]),
        ("/sdmx/v2/data/*/*/TRADE/+", [T]),
        ("/sdmx/v2/data/datastructure/UN/DSD_P", [P1, P2]),
        ("/sdmx/v2/data/*/UN/DSD_P", [P1, P2]),
        ("/sdmx/v2/data/provisionagreement/UN/PA", [P1]),
        ("/sdmx/v2/schema/datastructure/UN/DSD_T", [T]),
    ],
)
def test_what_a_path_names(path, wanted):
    assert [str(one) for one in named_flows(ARTEFACTS, route(path))] == wanted


@pytest.mark.parametrize(
    "path",
    [
        "/sdmx/v1/data/NONE",
        "/sdmx/v1/data/SD,PRICES",
        "/sdmx/v1/data/UN,PRICES,3.0",
        "/sdmx/v2/data/dataflow/UN/PRICES/+",
        "/sdmx/v2/data/provisionagreement/UN/PRICES",
        "/sdmx/v2/data/dataflow/UN/DSD_P",
    ],
)
def test_flows_that_are_not_there(path):
    with pytest.raises(Refusal, match="There is no") as refused:
        named_flows(ARTEFACTS, route(path))
    assert refused.value.http_status == 404
