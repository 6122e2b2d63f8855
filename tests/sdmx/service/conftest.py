"""A store of a small flow for the tests of the service, and its clock."""

from __future__ import annotations

import datetime
import os

import pytest
from sdmx_stores import START, load, opened, row

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


@pytest.fixture
def store(tmp_path, monkeypatch):
    """Give a store with six observations of three series, published at the start of 2026."""
    store = opened(tmp_path / "store", monkeypatch)
    monkeypatch.setattr(service, "utc_now", lambda: store.time)
    load(store, ROWS, valid_from=START)
    began = START.replace(tzinfo=datetime.UTC).timestamp()
    os.utime(store.path / "structures.json", (began, began))
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
