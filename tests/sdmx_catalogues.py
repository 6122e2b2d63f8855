"""Stores and catalogues for the tests of what is published."""

from __future__ import annotations

from dataclasses import replace

from sdmx_made import AREAS
from sdmx_stores import FLOW, START, STRUCTURE, load, opened, row

from statcommons.sdmx.catalogue.published import Publisher, catalogue_of
from statcommons.sdmx.model import Ref
from statcommons.sdmx.structure import artefacts_of

BASE = "https://stats.example.org"
OFFICE = Publisher(
    {"en": "National Office & Co", "fr": "Office <national>"}, "https://nso.example.org", "a@example.org"
)
LICENCE = "https://creativecommons.org/licenses/by/4.0/"
ROWS = [row("KH", "2020", 1.5, STATUS="A", UNIT="PT"), row("TH", "2021", 2.0), row("KH", "2022-Q1", 9.0, freq="Q")]
WIDE = (
    b"DATAFLOW,FREQ,REF_AREA,SEX,TIME_PERIOD,OBS_VALUE,UNIT_MEASURE\n"
    b"SC:DF_AREAS(1.0),A,116,_T,2020,1,PT\nSC:DF_AREAS(1.0),A,NA,F,2021,,NR\n"
)


def published(path, monkeypatch):
    """Give a store with two flows, one of them published twice."""
    store = opened(path / "store", monkeypatch)
    store.add_structures(artefacts_of(AREAS))
    load(store, ROWS, valid_from=START)
    store.tick(days=1)
    store.load(WIDE)
    store.tick(days=1)
    load(store, [row("KH", "2023", 4.0)])
    store.tick(days=1)
    return store


def catalogue(store, **how):
    """Give the catalogue of a store by the clock of the store."""
    made = catalogue_of(store, BASE, OFFICE, licence=LICENCE, **how)
    return replace(made, at=store.time)


def second_version(store):
    """Put a second version of the small flow into a store, with data."""
    newer = replace(STRUCTURE, flow=replace(FLOW, version="2.0"), definition=Ref("datastructure", "SC", "DSD_X", "2.0"))
    store.add_structures(artefacts_of(newer))
    head = b"DATAFLOW,FREQ,AREA,TIME_PERIOD,OBS_VALUE\n"
    store.load(head + b"SC:DF_X(2.0),A,KH,2024,5\n")
