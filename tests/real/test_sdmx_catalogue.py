"""The catalogue obeys the shapes of DCAT-AP 3.0.1 and of high-value datasets 3.0.0, and a broken one does not."""

import pyshacl
import pytest
import rdflib
from rdflib import DCTERMS, RDF, SH
from sdmx_catalogues import catalogue, published, second_version

from statcommons.sdmx.catalogue.dcat import dcat

DCAT = rdflib.Namespace("http://www.w3.org/ns/dcat#")
DCAT_AP, HIGH_VALUE = "sdmx/dcat/dcat-ap-3.0.1-SHACL.ttl", "sdmx/dcat/dcat-ap-hvd-3.0.0-SHACL.ttl"


@pytest.fixture
def made(tmp_path, monkeypatch):
    store = published(tmp_path, monkeypatch)
    second_version(store)
    return catalogue(store)


@pytest.fixture
def shapes(shared):
    def shapes(name):
        graph = rdflib.Graph().parse(shared(name))
        # The file of 3.0.1 names two shapes that it does not have.
        for one in set(graph.objects(None, SH.property)):
            if (one, SH.path, None) not in graph:
                graph.remove((None, SH.property, one))
        return graph

    return shapes


def faults(text, shapes):
    conforms, _, told = pyshacl.validate(rdflib.Graph().parse(data=text), shacl_graph=shapes)
    return "" if conforms else told


def test_a_catalogue_obeys_the_shapes(made, shapes):
    assert not faults(dcat(made), shapes(DCAT_AP))


@pytest.mark.parametrize("name", [DCAT_AP, HIGH_VALUE])
def test_high_value_datasets_obey_both(made, shapes, name):
    assert not faults(dcat(made, high_value=True), shapes(name))


def test_what_is_not_said_to_be_of_high_value_is_not(made, shapes):
    assert "applicableLegislation" in faults(dcat(made), shapes(HIGH_VALUE))


@pytest.mark.parametrize(
    ("kind", "predicate"),
    [
        (DCAT.Catalog, DCTERMS.publisher),
        (DCAT.Dataset, DCTERMS.title),
        (DCAT.Dataset, DCTERMS.description),
        (DCAT.DataService, DCAT.endpointURL),
        (DCAT.Distribution, DCAT.accessURL),
        (DCAT.DatasetSeries, DCTERMS.title),
    ],
)
def test_a_broken_catalogue_does_not(made, shapes, kind, predicate):
    graph = rdflib.Graph().parse(data=dcat(made))
    for node in graph.subjects(RDF.type, kind):
        graph.remove((node, predicate, None))
    assert "MinCount" in faults(graph.serialize(), shapes(DCAT_AP))
