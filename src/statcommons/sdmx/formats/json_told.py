"""What an SDMX-JSON data message tells of itself: its head, and the structures of its data."""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterable
from typing import Any

from statcommons.sdmx.formats.json_values import Lists, Version
from statcommons.sdmx.formats.layout import Layout, Options
from statcommons.sdmx.message import Header
from statcommons.sdmx.model import Text, in_language
from statcommons.sdmx.structure import TYPES, Component, Structure
from statcommons.sdmx.structures.outgoing import best_first

SCHEMAS = {
    "1.0": "https://raw.githubusercontent.com/sdmx-twg/sdmx-json/master/data-message/tools/schemas/1.0/"
    "sdmx-json-data-schema.json",
    "2.0": "https://json.sdmx.org/2.0.0/sdmx-json-data-schema.json",
    "2.1": "https://json.sdmx.org/2.1/sdmx-json-data-schema.json",
}
ID = re.compile(r"[A-Za-z0-9_@$-]+")


def meta_of(header: Header, structures: Iterable[Structure], options: Options, version: Version) -> dict[str, Any]:
    """Tell of the message.

    Parameters
    ----------
    header : Header
        Its header.
    structures : iterable of Structure
        Of its data.
    options : Options
        The languages of its names.
    version : Version
        Of SDMX-JSON.
    """
    return {
        **({"schema": SCHEMAS[version]} if version != "2.1" else {}),
        "id": header.id,
        "prepared": instant(header.prepared),
        "test": header.test,
        "contentLanguages": _spoken(structures, options.languages) or list(options.languages) or ["en"],
        "sender": {"id": header.sender},
    }


def _spoken(structures: Iterable[Structure], languages: tuple[str, ...]) -> list[str]:
    """Give the languages in which names are shown; which codes will occur is not known yet, so all of them count."""
    texts = (
        text
        for one in structures
        for text in (
            one.name,
            *(component.name for component in one.components),
            *(code.name for component in one.components for code in one.codes(component)),
        )
    )
    shown: dict[str, None] = {}
    for known in dict.fromkeys(map(tuple, texts)):  # few sets of languages for any number of codes
        names = _named({language: language for language in known}, "", languages)
        shown |= dict.fromkeys([name for name in (names["name"],) if name] + [*names.get("names", ())])
    return best_first(shown, languages)


def structure_told(lists: Lists, layout: Layout, languages: tuple[str, ...], version: Version) -> dict[str, Any]:
    """Tell of a dataflow: its components with the values that occur, by the level at which they stand.

    Parameters
    ----------
    lists : Lists
        The values; all data were written before.
    layout : Layout
        Of its data sets.
    languages : tuple of str
        The languages of names, best first.
    version : Version
        Of SDMX-JSON.
    """
    structure = lists.structure
    refs = dict.fromkeys([structure.flow, structure.definition])
    told = {
        "links": [{"urn": one.urn, "rel": one.kind} for one in refs],
        **_named(structure.name, structure.flow.id, languages),
        "dimensions": {
            "dataSet": [],
            "series": [
                _dimension(one, lists, languages, version) for one in layout.outer if lists.values[one.id].places
            ],
            "observation": [
                _dimension(one, lists, languages, version) for one in layout.inner if lists.values[one.id].places
            ],
        },
    }
    levels = {"dataSet": layout.whole, "series": layout.series, "observation": layout.observation}
    if version != "1.0":
        told["measures"] = {
            "observation": [_measure(one, lists, layout, languages, version) for one in layout.measures]
        }
        levels = levels | {"dimensionGroup": layout.groups}
    told["attributes"] = {
        level: [_attribute(one, lists, layout, languages, version) for one in some] for level, some in levels.items()
    }
    return told


def _dimension(one: Component, lists: Lists, languages: tuple[str, ...], version: Version) -> dict[str, Any]:
    place = [each.id for each in lists.structure.dimensions].index(one.id)
    told = {"id": one.id, **_named(one.name, one.id, languages), "keyPosition": place}
    if one.role == "time":
        told |= {"roles": [one.id]}
        values = [
            {"id": text, "name": text, "start": instant(start), "end": instant(end - datetime.timedelta(seconds=1))}
            for text, (start, end) in lists.periods.items()
        ]
    else:
        values = _values(one, lists, languages, "name")
    return told | {"values": values if version == "1.0" else list(map(_identified, values))}


def _identified(value: dict[str, Any]) -> dict[str, Any]:
    """Tell a value of a dimension by its id; what is no id of SDMX, such as a moment, stands as itself."""
    if ID.fullmatch(value["id"]):
        return value
    return {"value": value["id"]} | {key: value[key] for key in ("start", "end") if key in value}


def _measure(
    one: Component, lists: Lists, layout: Layout, languages: tuple[str, ...], version: Version
) -> dict[str, Any]:
    told = {"id": one.id, **_named(one.name, one.id, languages), "isMandatory": one.required}
    return told | _represented(one, lists, layout, languages, version)


def _attribute(
    one: Component, lists: Lists, layout: Layout, languages: tuple[str, ...], version: Version
) -> dict[str, Any]:
    told = {"id": one.id, **_named(one.name, one.id, languages), "relationship": _relationship(one, lists, version)}
    if version == "1.0":
        return told | {"values": _values(one, lists, languages, "name")}
    return told | {"isMandatory": one.required} | _represented(one, lists, layout, languages, version)


def _represented(
    one: Component, lists: Lists, layout: Layout, languages: tuple[str, ...], version: Version
) -> dict[str, Any]:
    """Tell of the values of a measure or attribute: the codes that occur, or what kind of values they are."""
    values = _values(one, lists, languages, "value")
    if one.codelist:
        return {"values": values} if values else {}
    kind = {"format": {"dataType": TYPES[one.type][0]} | _facets(one)}
    return kind | {"values": values} if values else kind


def _facets(one: Component) -> dict[str, Any]:
    many = {"maxOccurs": "unbounded"} if one.multiple else {}
    return many | ({"isMultiLingual": True} if one.multilingual else {})


def _relationship(one: Component, lists: Lists, version: Version) -> dict[str, Any]:
    if one.attachment == "dataflow":
        return {"none": {}} if version == "1.0" else {"dataflow": {}}
    if one.attachment == "observation":
        measure = lists.structure.with_role("measure")
        return (
            {"primaryMeasure": measure[0].id if measure else "OBS_VALUE"} if version == "1.0" else {"observation": {}}
        )
    return {"dimensions": list(one.dimensions or lists.structure.key)}


def _values(one: Component, lists: Lists, languages: tuple[str, ...], plain: str) -> list[dict[str, Any]]:
    """List the values that occur: codes with their names, other values under ``plain``."""
    names = {code.id: code.name for code in lists.structure.codes(one)}
    if not one.codelist and one.role == "attribute":
        return [{plain: value if plain == "name" else _typed(value, one.type)} for value in lists.values[one.id].places]
    return [{"id": value, **_named(names.get(value, {}), value, languages)} for value in lists.values[one.id].places]


def _typed(text: str, type: str) -> Any:
    """Give a value that has its place in a list as JSON says it: a number or boolean where it is one."""
    if type == "boolean":
        return text == "true"
    if type == "integer":
        return int(text)
    return float(text) if type == "number" and text != "NaN" else text


def _named(text: Text, default: str, languages: tuple[str, ...]) -> dict[str, Any]:
    """Give the name in the best language, and in each that was asked for and is there."""
    names = {language: text[language] for language in languages if language in text}
    return {"name": in_language(text, languages) or default} | ({"names": names} if names else {})


def instant(moment: datetime.datetime) -> str:
    """Write a moment in UTC.

    Parameters
    ----------
    moment : datetime
        In UTC, with or without saying so.
    """
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
