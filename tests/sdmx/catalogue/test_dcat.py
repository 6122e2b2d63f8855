"""The catalogue in RDF says what is public, the same in each form, and every address in it answers."""

import datetime as dt
from dataclasses import replace
from urllib.parse import urlsplit

import pytest
import rdflib
from rdflib import DCTERMS, RDF
from sdmx_catalogues import BASE, LICENCE, OFFICE, catalogue, published, second_version
from sdmx_made import AREAS, UNIT, structure
from sdmx_stores import STRUCTURE, opened

from statcommons.core.errors import BadCall, NoInput
from statcommons.sdmx.catalogue.dcat import MEDIA_TYPES, dcat
from statcommons.sdmx.catalogue.published import Catalogue, Publisher, catalogue_of
from statcommons.sdmx.formats import FORMATS
from statcommons.sdmx.model import Ref
from statcommons.sdmx.service.answer import answer
from statcommons.sdmx.service.exchange import Request
from statcommons.sdmx.structure import artefacts_of

DCAT = rdflib.Namespace("http://www.w3.org/ns/dcat#")
STAT = rdflib.Namespace("http://data.europa.eu/s1n/")
QB = rdflib.Namespace("http://purl.org/linked-data/cube#")
SMALL, WIDE = (rdflib.URIRef(f"{BASE}/catalogue#SC/{id}/1.0") for id in ("DF_X", "DF_AREAS"))


@pytest.fixture
def store(tmp_path, monkeypatch):
    return published(tmp_path, monkeypatch)


@pytest.fixture
def graph(store):
    return rdflib.Graph().parse(data=dcat(catalogue(store)))


@pytest.mark.filterwarnings("ignore:ConjunctiveGraph:DeprecationWarning")  # rdflib's own reader of JSON-LD
def test_each_form_says_the_same_and_says_it_twice_alike(store):
    made = catalogue(store)
    graphs = []
    for form in MEDIA_TYPES:
        text = dcat(made, form)
        assert text == dcat(made, form)
        graphs.append(set(rdflib.Graph().parse(data=text, format=form)))
    assert graphs[0] == graphs[1] == graphs[2]
    assert len(graphs[0]) > 400


@pytest.mark.filterwarnings("ignore:ConjunctiveGraph:DeprecationWarning")
@pytest.mark.parametrize("form", MEDIA_TYPES)
def test_words_stay_words(form):
    title = {"en": '" . <b> & \\ \n \x00', "zh-Hans": "统计"}
    made = Catalogue(BASE, OFFICE, title, title, dt.datetime(2026, 1, 1))
    graph = rdflib.Graph().parse(data=dcat(made, form), format=form)
    found = {one.language.lower(): str(one) for one in graph.objects(rdflib.URIRef(made.home), DCTERMS.title)}
    assert found == {"en": '" . <b> & \\ \n \ufffd', "zh-hans": "统计"}


def test_no_node_is_without_an_address(graph):
    assert not [one for triple in graph for one in triple if isinstance(one, rdflib.BNode)]


def test_a_dataset_says_what_availability_and_releases_say(graph):
    assert graph.value(SMALL, STAT.numSeries).toPython() == 3
    assert str(graph.value(SMALL, DCTERMS.issued)) == "2026-01-01T00:00:00.100000+00:00"
    assert str(graph.value(SMALL, DCTERMS.modified)) == "2026-01-03T00:00:00.100000+00:00"
    period = graph.value(SMALL, DCTERMS.temporal)
    assert (str(graph.value(period, DCAT.startDate)), str(graph.value(period, DCAT.endDate))) == (
        "2020-01-01",
        "2023-12-31",
    )
    assert {(str(one), one.language) for one in graph.objects(WIDE, DCTERMS.title)} == {
        ("Areas & sexes", "en"),
        ("Zones et sexes", "fr"),
    }
    assert str(graph.value(SMALL, DCTERMS.identifier)).endswith("Dataflow=SC:DF_X(1.0)")


def test_components_are_told_by_what_they_do(graph):
    for predicate, kind, names in [
        (STAT.dimension, QB.DimensionProperty, {"FREQ", "REF_AREA", "SEX", "TIME_PERIOD"}),
        (STAT.measure, QB.MeasureProperty, {"OBS_VALUE"}),
        (STAT.attribute, QB.AttributeProperty, {"UNIT_MEASURE", "TITLE", "SOURCE", "OBS_STATUS", "COMMENT"}),
    ]:
        found = set(graph.objects(WIDE, predicate))
        assert {str(one).rpartition("/")[2] for one in found} == names
        assert all((one, RDF.type, kind) in graph for one in found)


def test_there_is_a_distribution_for_each_format(graph):
    titles = {str(graph.value(one, DCTERMS.title)) for one in graph.objects(WIDE, DCAT.distribution)}
    assert titles == set(FORMATS)


def test_every_address_of_the_service_answers_as_the_catalogue_says(store, graph):
    asked = 0
    for distribution in graph.objects(None, DCAT.distribution):
        for predicate in (DCAT.accessURL, DCAT.downloadURL):
            address = str(graph.value(distribution, predicate))
            parts = urlsplit(address)
            made = answer(store, Request(parts.path, parts.query))
            media = str(graph.value(distribution, DCAT.mediaType)).partition("media-types/")[2]
            assert (made.status, made.header("Content-Type").partition(";")[0]) == (200, media), address
            asked += 1
    for definition in graph.objects(None, STAT.dataStructureDefinition):
        parts = urlsplit(str(definition))
        assert answer(store, Request(parts.path, parts.query)).status == 200
    assert asked == 2 * 2 * len(FORMATS)


def test_a_format_that_cannot_hold_a_flow_is_not_offered(tmp_path, monkeypatch):
    store = opened(tmp_path / "store", monkeypatch)
    second = replace(STRUCTURE["OBS_VALUE"], id="SECOND")
    store.add_structures(artefacts_of(replace(STRUCTURE, components=(*STRUCTURE.components, second))))
    store.load(b"DATAFLOW,FREQ,AREA,TIME_PERIOD,OBS_VALUE,SECOND\nSC:DF_X(1.0),A,KH,2020,1,2\n")
    [entry] = catalogue(store).entries
    offered = {one.name for one in entry.formats}
    assert "csv-2.0" in offered
    assert not offered & {"csv-1.0", "generic-2.1"}
    for format in entry.formats:
        parts = urlsplit(catalogue(store).data_url(entry.flow, format))
        assert answer(store, Request(parts.path, parts.query)).status == 200


def test_versions_of_a_flow_are_a_series(store):
    second_version(store)
    graph = rdflib.Graph().parse(data=dcat(catalogue(store)))
    [series] = graph.subjects(RDF.type, DCAT.DatasetSeries)
    assert set(graph.subjects(DCAT.inSeries, series)) == {SMALL, rdflib.URIRef(f"{BASE}/catalogue#SC/DF_X/2.0")}


def test_units_are_told_where_a_dimension_has_them(tmp_path, monkeypatch):
    store = opened(tmp_path / "store", monkeypatch)
    unit = replace(UNIT, role="dimension", attachment="observation", dimensions=())
    shape = structure(*(unit if one.id == unit.id else one for one in AREAS.components if one.id != "TITLE"))
    store.add_structures(artefacts_of(shape))
    store.load(b"DATAFLOW,FREQ,REF_AREA,SEX,UNIT_MEASURE,TIME_PERIOD,OBS_VALUE\nSC:DF_AREAS(1.0),A,116,_T,PT,2020,1\n")
    [entry] = catalogue(store).entries
    assert entry.units == (("PT", {"en": "Percent", "fr": "Percent (fr)"}),)
    assert b'"Percent (fr)"@fr' in dcat(catalogue(store))


@pytest.mark.parametrize("lack", [{"publisher": Publisher({"en": "A"}, "https://a.org")}, {"licence": ""}])
def test_high_value_datasets_need_a_contact_and_a_licence(store, lack):
    with pytest.raises(BadCall, match="contact and a licence"):
        dcat(replace(catalogue(store), **lack), high_value=True)


def test_what_cannot_be_is_refused(store):
    with pytest.raises(BadCall, match="no form 'ttl'"):
        dcat(catalogue(store), "ttl")
    with pytest.raises(NoInput):
        catalogue_of(store, BASE, OFFICE, flows=[Ref("dataflow", "SC", "NONE")])
    for base, publisher, licence in [
        ("stats.example", OFFICE, LICENCE),
        ('https://a"b', OFFICE, LICENCE),
        (BASE, Publisher({"en": "A"}, "javascript:x"), ""),
        (BASE, OFFICE, "CC BY"),
        (BASE, Publisher({"en": "A"}, "https://a.org", "a> b@c"), ""),
    ]:
        with pytest.raises(BadCall, match="is no address"):
            catalogue_of(store, base, publisher, licence=licence)
