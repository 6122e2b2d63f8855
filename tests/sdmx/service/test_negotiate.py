"""Negotiation: the format, language and encoding that a client gets, by header or by parameter."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from statcommons.sdmx.formats import FORMATS
from statcommons.sdmx.service.exchange import Refusal
from statcommons.sdmx.service.negotiate import Offer, choose, choose_encoding, languages
from statcommons.sdmx.service.offers import DATA_FORMATS, offers_of

CSV = {
    "names": ("csv", "csvfile", "csvfilewithlabels"),
    "general": ("text/csv",),
    "defaults": {"csvfilewithlabels": {"labels": "both", "file": "true"}},
    "takes": frozenset({"labels", "file"}),
}
OFFERS = (
    Offer("application/vnd.sdmx.genericdata+xml", "2.1", ("genericdata",), ("application/xml",)),
    Offer("application/vnd.sdmx.data+csv", "1.0.0", **CSV),
    Offer("application/vnd.sdmx.data+json", "1.0.0", ("jsondata",), ("application/json",)),
    Offer("application/vnd.sdmx.data+json", "2.0.0", ("jsondata",), ("application/json",)),
    Offer("application/vnd.sdmx.data+json", "2.1.0", ("jsondata",), ("application/json",)),
    Offer("application/vnd.sdmx.data+csv", "2.0.0", **CSV),
    Offer("application/vnd.apache.parquet", "", ("parquet",)),
)
GENERIC, JSON = "application/vnd.sdmx.genericdata+xml;version=2.1", "application/vnd.sdmx.data+json"
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"


@pytest.mark.parametrize(
    ("accept", "wanted"),
    [
        ("", GENERIC),
        ("*/*", GENERIC),
        ("text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2", GENERIC),
        ("application/*", GENERIC),
        (BROWSER, "application/xml"),
        ("application/vnd.sdmx.data+csv", "application/vnd.sdmx.data+csv;version=1.0.0"),
        ("application/vnd.sdmx.data+csv;version=2.0.0", "application/vnd.sdmx.data+csv;version=2.0.0"),
        ("application/vnd.sdmx.data+csv; version=2.0.0", "application/vnd.sdmx.data+csv;version=2.0.0"),
        ('application/vnd.sdmx.data+csv;version="2.0.0"', "application/vnd.sdmx.data+csv;version=2.0.0"),
        ("APPLICATION/VND.SDMX.DATA+CSV;VERSION=2.0.0", "application/vnd.sdmx.data+csv;version=2.0.0"),
        ("application/vnd.sdmx.genericdata+xml;version=2.1.0", GENERIC),
        (f"{JSON};version=1.0", f"{JSON};version=1.0.0"),
        (f"{JSON};version=1.0.0-wd", f"{JSON};version=1.0.0"),
        (f"{JSON};version=2", f"{JSON};version=2.0.0"),
        (f"{JSON};version=2+.0.1", f"{JSON};version=2.1.0"),
        (f"{JSON};version=2.0.0+", f"{JSON};version=2.0.0"),
        (f"{JSON};version=1.0.0;q=0.5, {JSON};version=2.0.0", f"{JSON};version=2.0.0"),
        (f"{JSON};version=2.0.0, {JSON};version=1.0.0", f"{JSON};version=2.0.0"),
        (f"{JSON};version=1.0.0;q=0, {JSON}", f"{JSON};version=2.0.0"),
        (f"{JSON};version=3.0.0, */*;q=0.1", GENERIC),
        (f"*/*, {JSON};version=1.0.0", f"{JSON};version=1.0.0"),
        (f"{GENERIC};q=0, */*", "application/vnd.sdmx.data+csv;version=1.0.0"),
        ("application/json", "application/json"),
        ("text/csv", "text/csv"),
        ("text/*", "text/csv"),
        ("application/vnd.apache.parquet", "application/vnd.apache.parquet"),
        ("nonsense;;q=2, */*;q=0.5", GENERIC),
    ],
)
def test_what_the_header_gets(accept, wanted):
    assert choose(OFFERS, accept).content_type == wanted


def test_parameters_of_the_media_type_are_kept():
    chosen = choose(OFFERS, "application/vnd.sdmx.data+csv;urn=true;file=true;labels=both")
    assert (chosen.offer.version, chosen.parameters) == ("1.0.0", {"file": "true", "labels": "both"})


@pytest.mark.parametrize(
    ("format", "version", "accept", "wanted"),
    [
        ("csv", "", "*/*", "application/vnd.sdmx.data+csv;version=1.0.0"),
        ("csv", "", "text/csv", "text/csv"),
        ("csv", "", "text/csv;q=0.5, application/json", "text/csv"),
        ("CSV", "2.0", "*/*", "application/vnd.sdmx.data+csv;version=2.0.0"),
        ("csv", "", "application/vnd.sdmx.data+csv;version=2.0.0", "application/vnd.sdmx.data+csv;version=2.0.0"),
        ("jsondata", "", "application/pdf", f"{JSON};version=1.0.0"),
        ("jsondata", "2.1.0", GENERIC, f"{JSON};version=2.1.0"),
        ("genericdata", "", f"{JSON};version=1.0.0", GENERIC),
    ],
)
def test_the_parameter_beats_the_header(format, version, accept, wanted):
    assert choose(OFFERS, accept, format=format, version=version).content_type == wanted


def test_a_name_may_imply_more():
    assert choose(OFFERS, "*/*", format="csvfilewithlabels").parameters == {"labels": "both", "file": "true"}


@pytest.mark.parametrize(
    ("accept", "format", "version", "words"),
    [
        ("application/pdf", "", "", "Offered: .*genericdata"),
        ("application/vnd.sdmx.data+json;version=9.0.0", "", "", "Offered"),
        ("application/vnd.sdmx.data+json;version=a.b", "", "", "Offered"),
        ("*/*;q=0", "", "", "Offered"),
        ("", "pdf", "", "Known: genericdata, csv"),
        ("", "csv", "3.0", "Its versions: 1.0.0, 2.0.0"),
    ],
)
def test_what_nobody_offers(accept, format, version, words):
    with pytest.raises(Refusal, match=words) as refused:
        choose(OFFERS, accept, format=format, version=version)
    assert refused.value.http_status == 406


@pytest.mark.parametrize(
    ("accept", "compression", "wanted"),
    [
        ("", "", ""),
        ("gzip", "", "gzip"),
        ("gzip, deflate", "", "gzip"),
        ("gzip, deflate, br, zstd", "", "zstd"),
        ("zstd;q=0.5, gzip;q=0.7", "", "gzip"),
        ("gzip;q=0", "", ""),
        ("*", "", "zstd"),
        ("identity, gzip;q=0.5", "", ""),
        ("br", "", ""),
        ("", "gzip", "gzip"),
        ("gzip", "identity", ""),
        ("gzip", "zstd", "zstd"),
    ],
)
def test_encodings(accept, compression, wanted):
    assert choose_encoding(accept, compression) == wanted


def test_an_encoding_that_is_not_there():
    with pytest.raises(Refusal, match="Known: zstd, gzip"):
        choose_encoding("gzip", "br")


@pytest.mark.parametrize(
    ("accept", "lang", "wanted"),
    [
        ("", "", ()),
        ("fr", "", ("fr",)),
        ("en;q=0.3, ar, fr;q=0.8, *;q=0.1", "", ("ar", "fr", "en")),
        ("fr;q=0, en", "", ("en",)),
        ("fr", "en-GB", ("en-GB",)),
        ("fr", "all", ()),
        ("*", "", ()),
    ],
)
def test_languages(accept, lang, wanted):
    assert languages(accept, lang) == wanted


@given(st.text())
def test_any_header_is_read(header):
    with contextlib.suppress(Refusal):
        choose(OFFERS, header)
    choose_encoding(header)
    languages(header)


@pytest.mark.parametrize("rest", [1, 2])
def test_the_names_of_our_own_commands_are_names_of_the_service(rest):
    """Who has converted a file to json-2.0 asks the service for json-2.0, and gets that version."""
    for name, format in FORMATS.items():
        assert DATA_FORMATS[rest][choose(offers_of("data", rest), format=name).offer] is format
    for name, version in {"ml-2.1": "2.1", "ml-3.0": "3.0.0", "json-1.0": "1.0.0", "json-2.1": "2.1.0"}.items():
        assert choose(offers_of("structure", rest), format=name).offer.version == version
