"""What the elements of SDMX-ML 2.1 and 3.x have in common, read by their local names: texts, references, values."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from lxml import etree

from statcommons.core.errors import BadData
from statcommons.sdmx.model import BY_CLASS, Annotation, Ref, Representation, Text
from statcommons.sdmx.query.versions import version_order
from statcommons.sdmx.structures.incoming import held_ref, is_held
from statcommons.sdmx.structures.xmlfile import local

__all__ = ["Message", "Parts"]

LANGUAGE = "{http://www.w3.org/XML/1998/namespace}lang"

Parts = dict[str, list[etree._Element]]
"""The children of an element by their local names."""


def parts(element: etree._Element | None) -> Parts:
    """Sort the children of an element by their local names."""
    found: Parts = {}
    for child in () if element is None else element:
        found.setdefault(local(child), []).append(child)
    return found


def texts(elements: list[etree._Element]) -> Text:
    """Read words in several languages; those without one are English, as the schema says."""
    return {one.get(LANGUAGE, "en"): one.text for one in elements if one.text}


def text_of(elements: list[etree._Element]) -> str:
    """Read the text of the first element; nothing where there is none."""
    return (elements[0].text or "").strip() if elements else ""


def flag(element: etree._Element, name: str, default: bool = False) -> bool:
    """Read an attribute that is true or false."""
    given = element.get(name)
    return default if given is None else given in ("true", "1")


def annotations_of(found: Parts) -> tuple[Annotation, ...]:
    """Read the annotations of what has these children."""
    read = []
    for one in (child for group in found.get("Annotations", ()) for child in group):
        said = parts(one)
        read.append(
            Annotation(
                one.get("id", ""),
                text_of(said.get("AnnotationType", [])),
                text_of(said.get("AnnotationTitle", [])),
                text_of(said.get("AnnotationURL", [])),
                texts(said.get("AnnotationText", [])),
                text_of(said.get("AnnotationValue", [])),
            )
        )
    return tuple(read)


@dataclass
class Message:
    """A message that is being read.

    Parameters
    ----------
    where : str
        What errors call it.
    passed : Counter
        What was passed over because :mod:`statcommons.sdmx.model` does not hold it, and how often.
    """

    where: str
    passed: Counter[str] = field(default_factory=Counter)

    def fault(self, element: etree._Element, what: str) -> BadData:
        """Make the error about an element, with its line."""
        return BadData(what, where=f"{self.where}, line {element.sourceline}", remedy="Mend the message.")

    def required(self, element: etree._Element, name: str) -> str:
        """Read an attribute that must be there."""
        given = element.get(name)
        if not given:
            raise self.fault(element, f"{local(element)} has no {name}.")
        return str(given)

    def version(self, element: etree._Element) -> str:
        """Read the version of an artefact."""
        given = str(element.get("version", "1.0"))
        try:
            version_order(given)
        except BadData as error:
            raise self.fault(element, error.what) from None
        return given

    def ref(self, elements: list[etree._Element], kind: str) -> Ref | None:
        """Read the reference in the first of some elements: a URN, or its parts.

        Parameters
        ----------
        elements : list
            Those of one name, perhaps none.
        kind : str
            What is meant where the reference does not say it.

        Returns
        -------
        Ref or None
            None where there is none, or one to a kind of artefact that the model does not hold.
        """
        if not elements:
            return None
        inside = parts(elements[0])
        given = inside.get("Ref", [])
        if given:
            return self._spelled(given[0], kind)
        try:
            return held_ref(text_of(inside.get("URN", [])) or text_of(elements), self.passed)
        except BadData as error:
            raise self.fault(elements[0], error.what) from None

    def _spelled(self, given: etree._Element, kind: str) -> Ref | None:
        """Read a reference of SDMX 2.1 that gives its parts."""
        name = given.get("class", "")
        if not is_held(name, self.passed):
            return None
        agency, id = self.required(given, "agencyID"), self.required(given, "id")
        parent = given.get("maintainableParentID")
        meant = BY_CLASS[name] if name else kind
        if parent:
            return Ref(meant, agency, parent, given.get("maintainableParentVersion", "1.0"), id)
        return Ref(meant, agency, id, given.get("version", "1.0"))

    def representation(self, elements: list[etree._Element]) -> Representation | None:
        """Read what the values of a component or concept may be."""
        if not elements:
            return None
        [element, *_] = elements
        said = parts(element)
        form = (said.get("EnumerationFormat") or said.get("TextFormat") or [None])[0]
        facets: dict[str, Any] = {} if form is None else dict(form.attrib)
        most = element.get("maxOccurs", "1")
        return Representation(
            self.ref(said.get("Enumeration", []), "codelist"),
            facets.pop("textType", ""),
            facets,
            self.number(element, element.get("minOccurs", "1")),
            None if most == "unbounded" else self.number(element, most),
        )

    def number(self, element: etree._Element, text: str) -> int:
        """Read a whole number."""
        if not (text.isascii() and text.isdigit()):
            raise self.fault(element, f"{text!r} is not a whole number.")
        return int(text)


def envelope(message: Message, element: etree._Element, said: Parts) -> dict[str, Any]:
    """Read what all artefacts have."""
    return {
        "agency": message.required(element, "agencyID"),
        "id": message.required(element, "id"),
        "version": message.version(element),
        **nameable(said),
        "is_final": flag(element, "isFinal"),
        "is_external": flag(element, "isExternalReference"),
        "structure_url": element.get("structureURL", ""),
        "valid_from": element.get("validFrom", ""),
        "valid_to": element.get("validTo", ""),
    }


def nameable(said: Parts) -> dict[str, Any]:
    """Read what all that has a name has."""
    return {
        "name": texts(said.get("Name", [])),
        "description": texts(said.get("Description", [])),
        "annotations": annotations_of(said),
    }


def called(element: etree._Element) -> str:
    """Read the name of something in the same artefact: the text in SDMX 3, a reference in 2.1."""
    return element[0].get("id", "") if len(element) else (element.text or "").strip()
