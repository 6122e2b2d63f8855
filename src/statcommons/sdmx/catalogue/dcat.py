"""The catalogue in RDF: DCAT-AP 3 with the statistical properties of StatDCAT-AP, for portals that harvest it.

Every node has an address of its own, so that two harvests can be compared line by line.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from typing import TYPE_CHECKING, Literal, TypeAlias
from urllib.parse import quote

from statcommons.core.errors import BadCall, ExtraMissing
from statcommons.sdmx.catalogue.published import Catalogue, Entry, legible
from statcommons.sdmx.formats import Format
from statcommons.sdmx.model import Text

if TYPE_CHECKING:
    from rdflib import Graph, URIRef

__all__ = ["MEDIA_TYPES", "dcat"]

Form: TypeAlias = Literal["turtle", "xml", "json-ld"]

MEDIA_TYPES: dict[str, str] = {
    "turtle": "text/turtle; charset=utf-8",
    "xml": "application/rdf+xml",
    "json-ld": "application/ld+json",
}
"""The media types of the forms of RDF."""

PREFIXES = {
    "dcat": "http://www.w3.org/ns/dcat#",
    "dct": "http://purl.org/dc/terms/",
    "foaf": "http://xmlns.com/foaf/0.1/",
    "vcard": "http://www.w3.org/2006/vcard/ns#",
    "skos": "http://www.w3.org/2004/02/skos/core#",
    "rdfs": "http://www.w3.org/2000/01/rdf-schema#",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
    "qb": "http://purl.org/linked-data/cube#",
    "stat": "http://data.europa.eu/s1n/",
    "dcatap": "http://data.europa.eu/r5r/",
}
FILE_TYPES = "http://publications.europa.eu/resource/authority/file-type/"
IANA = "https://www.iana.org/assignments/media-types/"
PUBLIC = "http://publications.europa.eu/resource/authority/access-right/PUBLIC"
STATISTICAL = "http://publications.europa.eu/resource/authority/dataset-type/STATISTICAL"
SDMX = "https://sdmx.org"
HIGH_VALUE = "http://data.europa.eu/eli/reg_impl/2023/138/oj"
LEGAL_RESOURCE = "http://data.europa.eu/eli/ontology#LegalResource"
HIGH_VALUE_STATISTICS = "http://data.europa.eu/bna/c_e1da4e07"
FILES = {"csv": "CSV", "xml": "XML", "json": "JSON", "xlsx": "XLSX", "parquet": "PARQUET", "zip": "ZIP", "px": "TXT"}
ROLES = {
    "dimension": ("dimension", "DimensionProperty"),
    "time": ("dimension", "DimensionProperty"),
    "measure": ("measure", "MeasureProperty"),
    "attribute": ("attribute", "AttributeProperty"),
}


def dcat(catalogue: Catalogue, form: Form = "turtle", *, high_value: bool = False) -> bytes:
    """Write a catalogue as DCAT-AP 3.0 and StatDCAT-AP.

    Each dataflow is a dataset with its dimensions, measures, attributes, units and number of series; each format that
    can hold it is a distribution, served by one data service. Several versions of a dataflow are a dataset series.

    Parameters
    ----------
    catalogue : Catalogue
        What is published.
    form : {"turtle", "xml", "json-ld"}
        The form of RDF; :data:`MEDIA_TYPES` names its media type.
    high_value : bool
        Whether the dataflows are high-value datasets of the category statistics, by Regulation (EU) 2023/138. The
        publisher must then have an address of electronic mail.

    Returns
    -------
    bytes
        The same for the same catalogue.

    Raises
    ------
    BadCall
        When the form is not known, or the regulation asks for more than is said.
    ExtraMissing
        When rdflib is not installed.

    References
    ----------
    SEMIC: DCAT-AP 3.0.1, DCAT-AP HVD 3.0.0, StatDCAT-AP 3.0.0 (draft).

    Examples
    --------
    >>> from statcommons.sdmx.catalogue.published import Publisher
    >>> office = Publisher({"en": "NSO"}, "https://nso.example")
    >>> at = datetime.datetime(2026, 1, 1)
    >>> made = Catalogue("https://stats.example", office, {"en": "Statistics"}, {"en": "All of them"}, at)
    >>> b"<https://stats.example/catalogue> a dcat:Catalog" in dcat(made)
    True
    """
    if form not in MEDIA_TYPES:
        raise BadCall(f"There is no form {form!r}.", where="form", remedy=f"Known: {', '.join(MEDIA_TYPES)}.")
    if high_value and not (catalogue.publisher.email and catalogue.licence):
        raise BadCall(
            "High-value datasets need a contact and a licence.",
            where="high_value",
            remedy="Give the publisher an email, and the catalogue a licence.",
        )
    try:
        writer = _Writer(catalogue, high_value)
    except ImportError:
        raise ExtraMissing("A catalogue in RDF needs rdflib.", extra="sdmx") from None
    writer.catalogue_node()
    kind = {"turtle": "turtle", "xml": "pretty-xml", "json-ld": "json-ld"}[form]
    text: bytes = writer.graph.serialize(format=kind, encoding="utf-8")
    return text


class _Writer:
    """A graph that grows: each method writes one kind of node and gives its address."""

    def __init__(self, catalogue: Catalogue, high_value: bool) -> None:
        from rdflib import Graph, Namespace

        self.catalogue, self.high_value = catalogue, high_value
        self.graph: Graph = Graph(bind_namespaces="core")
        for prefix, address in PREFIXES.items():
            self.graph.bind(prefix, address)
        self.dcat, self.dct, self.foaf, self.vcard, self.skos, self.rdfs, self.xsd, self.qb, self.stat, self.dcatap = (
            Namespace(address) for address in PREFIXES.values()
        )
        self.service = self.node(f"{catalogue.home}#service", self.dcat.DataService)

    # --- words of RDF -----------------------------------------------------------------------------------------------

    def node(self, address: str, *types: URIRef) -> URIRef:
        from rdflib import RDF, URIRef

        node = URIRef(address)
        for one in types:
            self.graph.add((node, RDF.type, one))
        return node

    def say(self, node: URIRef, predicate: URIRef, words: Text) -> None:
        from rdflib import Literal

        for language, text in words.items():
            self.graph.add((node, predicate, Literal(legible(text), lang=language)))

    def value(self, node: URIRef, predicate: URIRef, value: object, type: URIRef | None = None) -> None:
        from rdflib import Literal

        self.graph.add((node, predicate, Literal(value, datatype=type)))

    def link(self, node: URIRef, predicate: URIRef, to: URIRef) -> None:
        self.graph.add((node, predicate, to))

    def moment(self, node: URIRef, predicate: URIRef, when: datetime.datetime | None) -> None:
        if when:
            self.value(node, predicate, when.replace(tzinfo=datetime.UTC).isoformat(), self.xsd.dateTime)

    # --- what there is ----------------------------------------------------------------------------------------------

    def catalogue_node(self) -> None:
        """Write the catalogue with everything in it."""
        known, dcat, dct = self.catalogue, self.dcat, self.dct
        node = self.node(known.home, dcat.Catalog)
        self.described(node, known.title, known.description)
        self.link(node, self.foaf.homepage, self.node(known.publisher.url, self.foaf.Document))
        self.link(node, dcat.service, self.service)
        self.moment(node, dct.issued, min((entry.releases[0] for entry in known.entries), default=None))
        self.moment(node, dct.modified, known.modified)
        self.data_service()
        versions: dict[tuple[str, str], list[Entry]] = {}
        for entry in known.entries:
            versions.setdefault((entry.flow.agency, entry.flow.id), []).append(entry)
            dataset = self.dataset(entry)
            self.link(node, dcat.dataset, dataset)
            self.link(self.service, dcat.servesDataset, dataset)
        for several in versions.values():
            if len(several) > 1:
                self.link(node, dcat.dataset, self.dataset_series(several))

    def described(self, node: URIRef, title: Text, description: Text) -> None:
        """Write what everything of the catalogue has: title, description, publisher and licence."""
        self.say(node, self.dct["title"], title)
        self.say(node, self.dct.description, description)
        publisher = self.catalogue.publisher
        agent = self.node(f"{self.catalogue.home}#publisher", self.foaf.Agent)
        self.say(agent, self.foaf.name, publisher.name)
        self.link(node, self.dct.publisher, agent)
        self.licensed(node)

    def licensed(self, node: URIRef) -> None:
        if self.catalogue.licence:
            self.link(node, self.dct.license, self.node(self.catalogue.licence, self.dct.LicenseDocument))

    def answered_for(self, node: URIRef) -> None:
        """Write who answers for a dataset or service, and under which law it is offered."""
        publisher = self.catalogue.publisher
        contact = self.node(f"{self.catalogue.home}#contact", self.vcard.Kind)
        self.say(contact, self.vcard.fn, publisher.name)
        self.link(contact, self.vcard.hasURL, self.node(publisher.url, self.rdfs.Resource))
        if publisher.email:
            self.link(contact, self.vcard.hasEmail, self.node(f"mailto:{publisher.email}", self.rdfs.Resource))
        self.link(node, self.dcat.contactPoint, contact)
        self.lawful(node)
        if self.high_value:
            category = self.node(HIGH_VALUE_STATISTICS, self.skos.Concept)
            self.value(category, self.skos.prefLabel, "Statistics")
            self.link(node, self.dcatap.hvdCategory, category)

    def lawful(self, node: URIRef) -> None:
        if self.high_value:
            law = self.node(HIGH_VALUE, self.node(LEGAL_RESOURCE))
            self.link(node, self.dcatap.applicableLegislation, law)

    def data_service(self) -> None:
        """Write the service that answers queries."""
        self.described(self.service, {"en": "SDMX REST 2.2"}, {"en": "Any part of any dataset, in any of its formats."})
        self.link(self.service, self.dcat.endpointURL, self.node(self.catalogue.endpoint, self.rdfs.Resource))
        self.link(self.service, self.dct.conformsTo, self.node(SDMX, self.dct.Standard))
        self.link(self.service, self.foaf.page, self.node(SDMX, self.foaf.Document))
        self.answered_for(self.service)

    def dataset(self, entry: Entry) -> URIRef:
        """Write a dataflow."""
        dct, known = self.dct, self.catalogue
        node = self.node(known.address(entry.flow), self.dcat.Dataset)
        self.described(node, entry.name, entry.description)
        self.value(node, dct.identifier, entry.flow.urn)
        self.value(node, self.dcat.version, entry.flow.version)
        self.moment(node, dct.issued, entry.releases[0])
        self.moment(node, dct.modified, entry.releases[-1])
        self.link(node, dct.accessRights, self.node(PUBLIC, dct.RightsStatement))
        self.link(node, dct.type, self.node(STATISTICAL, self.skos.Concept))
        self.value(self.node(STATISTICAL), self.skos.prefLabel, "Statistical data")
        self.answered_for(node)
        if entry.start and entry.end:
            span = self.node(f"{known.address(entry.flow)}/period", dct.PeriodOfTime)
            self.value(span, self.dcat.startDate, entry.start.date())
            self.value(span, self.dcat.endDate, (entry.end - datetime.timedelta(microseconds=1)).date())
            self.link(node, dct.temporal, span)
        self.statistical(node, entry)
        for format in entry.formats:
            self.link(node, self.dcat.distribution, self.distribution(entry, format))
        return node

    def statistical(self, node: URIRef, entry: Entry) -> None:
        """Write what makes a dataset a statistical one."""
        self.value(node, self.stat.numSeries, entry.series, self.xsd.nonNegativeInteger)
        definition = self.node(
            self.catalogue.structure_url(entry.structure.definition), self.qb.DataStructureDefinition
        )
        self.link(node, self.stat.dataStructureDefinition, definition)
        for one in entry.structure.components:
            predicate, kind = ROLES[one.role]
            component = self.node(
                f"{self.catalogue.address(entry.flow)}/component/{quote(one.id, safe='')}", self.qb[kind]
            )
            self.say(component, self.rdfs.label, one.name or {"en": one.id})
            self.link(node, self.stat[predicate], component)
        for code, name in entry.units:
            unit = self.node(f"{self.catalogue.address(entry.flow)}/unit/{quote(code, safe='')}", self.skos.Concept)
            self.value(unit, self.skos.notation, code)
            self.say(unit, self.skos.prefLabel, name)
            self.link(node, self.stat.statUnitMeasure, unit)

    def distribution(self, entry: Entry, format: Format) -> URIRef:
        """Write one format of a dataflow."""
        dct = self.dct
        node = self.node(f"{self.catalogue.address(entry.flow)}/{format.name}", self.dcat.Distribution)
        self.value(node, dct["title"], format.name)
        address = self.node(self.catalogue.data_url(entry.flow, format), self.rdfs.Resource)
        self.link(node, self.dcat.accessURL, address)
        self.link(node, self.dcat.downloadURL, address)
        self.link(node, self.dcat.accessService, self.service)
        self.link(node, self.dcat.mediaType, self.node(IANA + format.media_type, dct.MediaType))
        if format.suffix in FILES:
            self.link(node, dct["format"], self.node(FILE_TYPES + FILES[format.suffix], dct.MediaTypeOrExtent))
        if format.media_type.startswith("application/vnd.sdmx."):
            self.link(node, dct.conformsTo, self.node(SDMX, dct.Standard))
        self.moment(node, dct.modified, entry.releases[-1])
        self.licensed(node)
        self.lawful(node)
        return node

    def dataset_series(self, entries: Iterable[Entry]) -> URIRef:
        """Write the series that several versions of a dataflow are."""
        several = list(entries)
        flow = several[-1].flow
        node = self.node(f"{self.catalogue.home}#{flow.agency}/{flow.id}", self.dcat.DatasetSeries, self.dcat.Dataset)
        self.described(node, several[-1].name, several[-1].description)
        self.answered_for(node)
        self.moment(node, self.dct.issued, min(one.releases[0] for one in several))
        self.moment(node, self.dct.modified, max(one.releases[-1] for one in several))
        for one in several:
            self.link(self.node(self.catalogue.address(one.flow)), self.dcat.inSeries, node)
        return node
