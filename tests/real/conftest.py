"""What tests on real data share: a server of the SDG flow."""

from __future__ import annotations

import pytest
import sdmx.reader.xml.v30  # noqa: F401  sdmx1 cannot import it any more once it has met a namespace of a structure
import sdmx_answers
from conftest import SHARED

from statcommons.sdmx.store import Store
from statcommons.sdmx.structures import read_structures


@pytest.fixture(scope="session")
def hub(tmp_path_factory):
    """Give the address of a server of the SDG flow."""
    fixture = SHARED / "sdmx/fixture"
    if not fixture.exists():
        pytest.skip("no sdmx/fixture in ../shared/data")
    store = Store(tmp_path_factory.mktemp("sdg") / "store")
    store.add_structures(read_structures(fixture / "DF_SDG_structure_sdmx-ml-2.1.xml"))
    store.load(fixture / "DF_SDG_data.csv", flow="UNGP:DF_SDG(1.0)")
    with sdmx_answers.running(store.path) as address:
        yield address
