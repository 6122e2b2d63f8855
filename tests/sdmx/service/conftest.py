"""A store of a small flow for the tests of the service, and its clock."""

from __future__ import annotations

import datetime
import os
import shutil

import pytest
from sdmx_stores import START, Clocked, load, opened, row

from statcommons.sdmx.service import answer as service
from statcommons.sdmx.service.exchange import Request

ROWS = [
    row("KH", "2020", 1.5, STATUS="A", UNIT="PT"),
    row("KH", "2021", 2.0, STATUS="E", UNIT="PT"),
    row("KH", "2022", 2.5, STATUS="A", UNIT="PT"),
    row("TH", "2021", 10.0, STATUS="A", UNIT="PT"),
    row("TH", "2022", 11.0, STATUS="A", UNIT="PT"),
    row("KH", "2020-Q1", 0.25, freq="Q", UNIT="PT"),
]


@pytest.fixture(scope="session")
def published(tmp_path_factory):
    """Give the folder of a store with six observations of three series, published at the start of 2026."""
    with pytest.MonkeyPatch.context() as patch:
        store = opened(tmp_path_factory.mktemp("service") / "store", patch)
        load(store, ROWS, valid_from=START)
        began = START.replace(tzinfo=datetime.UTC).timestamp()
        os.utime(store.path / "structures.json", (began, began))
        return store.path


@pytest.fixture
def store(published, tmp_path, monkeypatch):
    """Give a store of one's own, on the day after it was published."""
    store = Clocked(shutil.copytree(published, tmp_path / "store"), threads=2)
    for module in ("store.manifest", "store.times", "service.answer"):
        monkeypatch.setattr(f"statcommons.sdmx.{module}.utc_now", lambda: store.time)
    store.tick(days=1)
    return store


@pytest.fixture
def ask(store):
    """Give a function that asks the store and reads the whole answer."""

    def ask(address, method="GET", body=b"", **headers):
        path, _, query = address.partition("?")
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        made = service.answer(store, Request(path, query, method, sent, lambda size: body[:size]))
        return made, b"".join(made.body)

    return ask
