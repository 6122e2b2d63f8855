"""Paths: what both versions of REST name, in all the ways in which clients write it."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from statcommons.core.errors import BadCall
from statcommons.sdmx.service.exchange import Refusal
from statcommons.sdmx.service.paths import Route, route

SDG = {"agency": "UNGP", "id": "DF_SDG"}


@pytest.mark.parametrize(
    ("path", "wanted"),
    [
        ("/sdmx/v1/data/DF_SDG", Route(1, "data", "dataflow", id="DF_SDG")),
        ("/sdmx/v1/data/DF_SDG/", Route(1, "data", "dataflow", id="DF_SDG")),
        ("/sdmx/v1/data/DF_SDG/all/all/", Route(1, "data", "dataflow", id="DF_SDG", key="all", provider="all")),
        ("/sdmx/v1/data/UNGP,DF_SDG/A..", Route(1, "data", "dataflow", **SDG, key="A..")),
        ("/sdmx/v1/data/UNGP%2CDF_SDG%2C1.0/A%2BC.", Route(1, "data", "dataflow", **SDG, version="1.0", key="A+C.")),
        ("/sdmx/v1/data/UNGP,DF_SDG,/x", Route(1, "data", "dataflow", **SDG, key="x")),
        ("/sdmx/v1/data/all,DF_SDG,latest", Route(1, "data", "dataflow", "all", "DF_SDG", "latest")),
        ("/sdmx/v1/data/,DF_SDG,", Route(1, "data", "dataflow", id="DF_SDG")),
        (
            "/sdmx/v1/data/OECD.SDD.NAD,DSD_NAMAIN1@DF_QNA,1.0//UN,ECB",
            Route(1, "data", "dataflow", "OECD.SDD.NAD", "DSD_NAMAIN1@DF_QNA", "1.0", provider="UN,ECB"),
        ),
        ("/sdmx/v1/availableconstraint/DF_SDG", Route(1, "availability", "dataflow", id="DF_SDG")),
        (
            "/sdmx/v1/availableconstraint/UNGP,DF_SDG,1.0/A.../all/SEX+AGE",
            Route(1, "availability", "dataflow", **SDG, version="1.0", key="A...", provider="all", component="SEX+AGE"),
        ),
        ("/sdmx/v1/codelist", Route(1, "structure", "codelist")),
        ("/sdmx/v1/codelist/all/all/latest", Route(1, "structure", "codelist", "all", "all", "latest")),
        (
            "/sdmx/v1/codelist/SDMX%2BTST/CL_FREQ%2BCL_SEX/1.0%2B2.0/",
            Route(1, "structure", "codelist", "SDMX+TST", "CL_FREQ+CL_SEX", "1.0+2.0"),
        ),
        ("/sdmx/v1/codelist/UNGP/CL_SEX/1.0/F/", Route(1, "structure", "codelist", "UNGP", "CL_SEX", "1.0", "F")),
        ("/sdmx/v1/schema/dataflow/UNGP/DF_SDG", Route(1, "schema", "dataflow", **SDG)),
        ("/sdmx/v2/data", Route(2, "data", "*")),
        ("/sdmx/v2/data/*/*/*/*/*", Route(2, "data", "*", "*", "*", "*", key="*")),
        ("/sdmx/v2/data/*/UNGP/DF_SDG/+", Route(2, "data", "*", **SDG, version="+")),
        ("/sdmx/v2/data/*/UNGP/DF_SDG/%2B", Route(2, "data", "*", **SDG, version="+")),
        ("/sdmx/v2/data/dataflow//DF_SDG", Route(2, "data", "dataflow", id="DF_SDG")),
        (
            "/sdmx/v2/data/dataflow/UNGP/DF_SDG/1.0/A.*,M.*",
            Route(2, "data", "dataflow", **SDG, version="1.0", key="A.*,M.*"),
        ),
        (
            "/sdmx/v2/availability/datastructure/UNGP/DSD/~/*/SEX,AGE",
            Route(2, "availability", "datastructure", "UNGP", "DSD", "~", key="*", component="SEX,AGE"),
        ),
        ("/sdmx/v2/structure", Route(2, "structure", "*")),
        ("/sdmx/v2/structure/*/UNGP/*/*", Route(2, "structure", "*", "UNGP", "*", "*")),
        ("/sdmx/v2/structure/agencyscheme/UNGP/", Route(2, "structure", "agencyscheme", "UNGP")),
        ("/sdmx/v2/structure/structuremap/UNGP/X", Route(2, "structure", "structuremap", "UNGP", "X")),
        ("/sdmx/v2/schema/dataflow/UNGP/DF_SDG/1.0/", Route(2, "schema", "dataflow", **SDG, version="1.0")),
    ],
)
def test_what_a_path_names(path, wanted):
    assert route(path) == wanted


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/sdmx/v1/data", "no dataflow"),
        ("/sdmx/v1/data/A,B,C,D", "names no dataflow"),
        ("/sdmx/v1/data/DF_SDG/all/all/SEX", "'SEX' where nothing can follow"),
        ("/sdmx/v1/codelists", "'codelist'"),
        ("/sdmx/v1/schema/codelist/UNGP/X", "'codelist' is not known"),
        ("/sdmx/v1/schema/dataflow/UNGP", "agency and id"),
        ("/sdmx/v2/structure/nosuch/UNGP", "no kind 'nosuch'"),
        ("/sdmx/v2/data/flow/UNGP/DF_SDG", "dataflow"),
        ("/sdmx/v2/codelist", "'codelist' is not known"),
        ("/sdmx/v2/structure/codelist/%FF", "not UTF-8"),
    ],
)
def test_paths_that_cannot_be_read(path, words):
    with pytest.raises(BadCall, match=words):
        route(path)


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/", 404),
        ("", 404),
        ("/sdmx", 404),
        ("/sdmx/v3/data", 404),
        ("/sdmx/v2", 404),
        ("/sdmx/v2/metadata/metadataset/UNGP/X", 501),
        ("/sdmx/v2/registration/id/x", 501),
        ("/sdmx/v1/schema/metadataflow/UNGP/X", 501),
    ],
)
def test_paths_of_nothing_here(path, status):
    with pytest.raises(Refusal) as refused:
        route(path)
    assert refused.value.http_status == status
    assert refused.value.remedy


@given(st.text())
def test_any_path_is_read_or_refused(path):
    for one in (path, f"/sdmx/v1/{path}", f"/sdmx/v2/structure/{path}", f"/sdmx/v2/data/dataflow/{path}"):
        with contextlib.suppress(BadCall, Refusal):
            assert route(one).rest in (1, 2)
