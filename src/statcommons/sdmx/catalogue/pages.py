"""The catalogue for search engines: a schema.org DataCatalog in JSON-LD, to be put into a page or sent as it is."""

from __future__ import annotations

import datetime
import json
from typing import Any

from statcommons.sdmx.catalogue.published import Catalogue, Entry
from statcommons.sdmx.model import Text, in_language

__all__ = ["schema_org"]


def schema_org(catalogue: Catalogue, language: str = "en") -> bytes:
    """Write a catalogue as schema.org has it, with a Dataset for each dataflow.

    Parameters
    ----------
    catalogue : Catalogue
        What is published.
    language : str
        The language of the words; where they are not in it, English or whichever there is.

    Returns
    -------
    bytes
        JSON-LD (``application/ld+json``) without ``<``, so that it may stand in a ``script`` element.

    References
    ----------
    schema.org 29, DataCatalog and Dataset; Google Search Central, Dataset structured data.

    Examples
    --------
    >>> from statcommons.sdmx.catalogue.published import Publisher
    >>> office = Publisher({"en": "NSO </script>"}, "https://nso.example")
    >>> at = datetime.datetime(2026, 1, 1)
    >>> made = schema_org(Catalogue("https://stats.example", office, {"en": "Statistics"}, {"en": "All"}, at))
    >>> json.loads(made)["publisher"]["name"], b"<" in made
    ('NSO </script>', False)
    """
    plain = {
        "@context": "https://schema.org/",
        "@type": "DataCatalog",
        "@id": catalogue.home,
        "url": catalogue.home,
        "name": _in(catalogue.title, language),
        "description": _in(catalogue.description, language),
        "publisher": _publisher(catalogue, language),
        "dateModified": _moment(catalogue.modified),
        "license": catalogue.licence,
        "dataset": [_dataset(catalogue, entry, language) for entry in catalogue.entries],
    }
    return json.dumps(_said(plain), ensure_ascii=False, indent=1).replace("<", "\\u003c").encode()


def _dataset(catalogue: Catalogue, entry: Entry, language: str) -> dict[str, Any]:
    return _said(
        {
            "@type": "Dataset",
            "@id": catalogue.address(entry.flow),
            "url": catalogue.data_url(entry.flow),
            "identifier": entry.flow.urn,
            "name": _in(entry.name, language),
            "description": _in(entry.description, language),
            "version": entry.flow.version,
            "datePublished": _moment(entry.releases[0]),
            "dateModified": _moment(entry.releases[-1]),
            "temporalCoverage": _covered(entry),
            "isAccessibleForFree": True,
            "license": catalogue.licence,
            "creator": _publisher(catalogue, language),
            "includedInDataCatalog": {"@id": catalogue.home},
            "variableMeasured": [
                {"@type": "PropertyValue", "name": _in(one.name, language) or one.id, "propertyID": one.id}
                for one in entry.structure.with_role("measure")
            ],
            "distribution": [
                {
                    "@type": "DataDownload",
                    "name": one.name,
                    "encodingFormat": one.media_type,
                    "contentUrl": catalogue.data_url(entry.flow, one),
                }
                for one in entry.formats
            ],
        }
    )


def _publisher(catalogue: Catalogue, language: str) -> dict[str, Any]:
    who = catalogue.publisher
    named = {"@type": "Organization", "name": _in(who.name, language), "url": who.url, "email": who.email}
    return _said(named)


def _covered(entry: Entry) -> str:
    if not entry.start or not entry.end:
        return ""
    last = entry.end - datetime.timedelta(microseconds=1)
    return f"{entry.start.date().isoformat()}/{last.date().isoformat()}"


def _in(words: Text, language: str) -> str:
    return in_language(words, (language,))


def _moment(when: datetime.datetime | None) -> str:
    return when.replace(tzinfo=datetime.UTC).isoformat() if when else ""


def _said(plain: dict[str, Any]) -> dict[str, Any]:
    """Leave out what is not said."""
    return {name: value for name, value in plain.items() if value not in ("", [], None)}
