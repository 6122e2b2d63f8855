"""Feeds, the calendar and the page for search engines hold what is public and nothing else, in good form."""

import datetime as dt
import json
import re
from dataclasses import replace
from email.utils import parsedate_to_datetime

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from lxml import etree
from sdmx_catalogues import BASE, OFFICE, catalogue, published
from sdmx_stores import START, load, opened, row

from statcommons.core.errors import BadCall
from statcommons.sdmx.catalogue.calendar import Announced, release_calendar
from statcommons.sdmx.catalogue.dcat import dcat
from statcommons.sdmx.catalogue.feeds import atom, publications, rss
from statcommons.sdmx.catalogue.pages import schema_org
from statcommons.sdmx.catalogue.published import Catalogue

ATOM = {"a": "http://www.w3.org/2005/Atom"}
EMPTY = Catalogue(BASE, OFFICE, {"en": "Statistics"}, {"en": "All"}, START)
SOON = Announced(dt.datetime(2026, 2, 1, 8, 30, tzinfo=dt.timezone(dt.timedelta(hours=7))), "Prices, January; flash")


@pytest.fixture
def store(tmp_path, monkeypatch):
    return published(tmp_path, monkeypatch)


def faces(store):
    """Every form of the catalogue."""
    made = catalogue(store)
    forms = [dcat(made, form) for form in ("turtle", "xml", "json-ld")]
    return [*forms, schema_org(made), rss(made), atom(made), release_calendar(made)]


def events(text):
    """Read a calendar as RFC 5545 has it: unfold, cut at the first colon, take escapes back."""
    unfolded = text.replace(b"\r\n ", b"").decode()
    taken = {"\\n": "\n", "\\,": ",", "\\;": ";", "\\\\": "\\"}
    found = []
    for line in unfolded.removesuffix("\r\n").split("\r\n"):
        name, _, value = line.partition(":")
        if line == "BEGIN:VEVENT":
            found.append({})
        elif found:
            found[-1].setdefault(name, re.sub(r"\\[n,;\\]", lambda one: taken[one[0]], value))
    return found


# --- what is not public ---------------------------------------------------------------------------------------------


def test_nothing_tells_of_a_load_that_waits(store):
    before = faces(store)
    load(store, [row("LA", "2030", 7.0)], valid_from=store.time + dt.timedelta(days=30))
    assert faces(store) == before
    store.tick(days=31)
    assert faces(store) != before
    assert all(b"2026-02-03" in one for one in faces(store)[:6])
    assert b"20260203T000000Z" in faces(store)[6]


def test_a_flow_whose_data_all_wait_is_in_no_catalogue(tmp_path, monkeypatch):
    store = opened(tmp_path / "new", monkeypatch)
    assert catalogue(store).entries == ()
    load(store, [row("KH", "2020", 1.0)], valid_from=store.time + dt.timedelta(days=1))
    assert catalogue(store).entries == ()
    assert not [one for one in faces(store) if b"DF_X" in one]
    store.tick(days=1)
    assert [one.flow.id for one in catalogue(store).entries] == ["DF_X"]


def test_a_load_that_was_withdrawn_leaves_nothing(store):
    before = faces(store)
    done = load(store, [row("LA", "2030", 7.0)], valid_from=store.time + dt.timedelta(days=30))
    store.withdraw(done.flow, done.number)
    store.tick(days=31)
    assert faces(store) == before


# --- feeds ----------------------------------------------------------------------------------------------------------


def test_publications_come_newest_first(store):
    found = publications(catalogue(store))
    assert [(one.entry.flow.id, one.when.day, one.is_first) for one in found] == [
        ("DF_X", 3, False),
        ("DF_AREAS", 2, True),
        ("DF_X", 1, True),
    ]
    assert len({one.id for one in found}) == 3


def test_rss_keeps_its_rules(store):
    root = etree.fromstring(rss(catalogue(store)))
    assert (root.tag, root.get("version")) == ("rss", "2.0")
    [channel] = root
    assert all(channel.findtext(name) for name in ("title", "link", "description"))
    items = channel.findall("item")
    assert [one.findtext("title") for one in items] == [
        "A small flow: updated",
        "Areas & sexes: published",
        "A small flow: published",
    ]
    days = [parsedate_to_datetime(one.findtext("pubDate")) for one in items]
    assert days == [dt.datetime(2026, 1, day, tzinfo=dt.UTC) for day in (3, 2, 1)]
    assert re.fullmatch(r"\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT", items[0].findtext("pubDate"))
    assert {one.find("guid").get("isPermaLink") for one in items} == {"false"}
    assert channel.findtext("lastBuildDate") == items[0].findtext("pubDate")


def test_atom_keeps_its_rules(store):
    root = etree.fromstring(atom(catalogue(store), language="fr"))
    for parent in (root, *root.findall("a:entry", ATOM)):
        for name in ("id", "title", "updated"):
            assert len(parent.findall(f"a:{name}", ATOM)) == 1
        assert dt.datetime.fromisoformat(parent.findtext("a:updated", None, ATOM)).tzinfo
    assert root.findtext("a:author/a:name", None, ATOM) == "Office <national>"
    assert root.findtext("a:entry[2]/a:title", None, ATOM) == "Zones et sexes: published"


def test_as_many_as_are_asked_for(store):
    made = catalogue(store)
    assert len(etree.fromstring(rss(made, limit=1)).findall("channel/item")) == 1
    for write in (rss, atom):
        with pytest.raises(BadCall, match="limit is 0"):
            write(made, limit=0)


def test_words_stay_words(store):
    bad = replace(EMPTY, title={"en": "a ]]> <b> & \x00\x0b 'c'"})
    assert etree.fromstring(rss(bad)).findtext("channel/title") == "a ]]> <b> & \ufffd\ufffd 'c'"
    assert etree.fromstring(atom(bad)).findtext("a:title", None, ATOM) == "a ]]> <b> & \ufffd\ufffd 'c'"


# --- the calendar ---------------------------------------------------------------------------------------------------


def test_the_calendar_holds_what_was_published_and_what_is_announced(store):
    text = release_calendar(catalogue(store), [SOON])
    assert text.startswith(b"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:")
    assert text.endswith(b"END:VEVENT\r\nEND:VCALENDAR\r\n")
    found = events(text)
    assert [(one["DTSTART"], one["SUMMARY"]) for one in found] == [
        ("20260101T000000Z", "A small flow"),
        ("20260102T000000Z", "Areas & sexes"),
        ("20260103T000000Z", "A small flow"),
        ("20260201T013000Z", "Prices, January; flash"),
    ]
    assert all({"UID", "DTSTAMP", "DTSTART"} <= set(one) for one in found)
    assert len({one["UID"] for one in found}) == 4


def test_an_announcement_whose_time_is_over_is_left_out(store):
    store.tick(days=60)
    assert len(events(release_calendar(catalogue(store), [SOON]))) == 3


@pytest.mark.parametrize(
    "bad",
    [
        Announced(dt.datetime(2027, 1, 1), "No zone"),
        Announced(dt.datetime(2027, 1, 1, tzinfo=dt.UTC), " "),
        Announced(dt.datetime(2027, 1, 1, tzinfo=dt.UTC), "Line", "https://x.org/\r\nBEGIN:VALARM"),
    ],
)
def test_announcements_that_cannot_be_are_refused(bad):
    with pytest.raises(BadCall):
        release_calendar(EMPTY, [bad])


@given(st.text(min_size=1).filter(str.strip))
@example("x" * 200)
@example("ក" * 100)
def test_lines_are_folded_at_75_octets_and_nothing_is_lost(title):
    text = release_calendar(EMPTY, [replace(SOON, title=title)])
    for line in text.removesuffix(b"\r\n").split(b"\r\n"):
        assert len(line) <= 75
        line.decode()  # no character is cut
        assert not re.search(rb"[\x00-\x1f\x7f]", line)
    [event] = events(text)
    said = "\n".join(title.splitlines())
    assert event["SUMMARY"] == re.sub(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]", " ", said)


# --- for search engines ---------------------------------------------------------------------------------------------


def test_a_dataset_has_what_search_engines_ask_for(store):
    plain = json.loads(schema_org(catalogue(store), "fr"))
    assert (plain["@context"], plain["@type"], plain["publisher"]["name"]) == (
        "https://schema.org/",
        "DataCatalog",
        "Office <national>",
    )
    wide, small = plain["dataset"]
    assert (wide["name"], small["temporalCoverage"]) == ("Zones et sexes", "2020-01-01/2023-12-31")
    assert (small["datePublished"], small["dateModified"]) == (
        "2026-01-01T00:00:00.100000+00:00",
        "2026-01-03T00:00:00.100000+00:00",
    )
    assert {"encodingFormat", "contentUrl", "@type", "name"} == set(small["distribution"][0])
    assert b"<" not in schema_org(catalogue(store), "fr")


def test_an_empty_store_has_an_empty_catalogue():
    assert json.loads(schema_org(EMPTY)).get("dataset") is None
    assert events(release_calendar(EMPTY)) == []
    assert etree.fromstring(rss(EMPTY)).findall("channel/item") == []
    assert b"dcat:Catalog" in dcat(EMPTY)
