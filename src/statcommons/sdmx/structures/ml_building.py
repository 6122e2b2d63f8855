"""What all kinds of artefacts have in SDMX-ML messages going out: names, annotations, references, values."""

from __future__ import annotations

from typing import Literal, TypeAlias

from lxml import etree

from statcommons.sdmx.model import KINDS, Annotation, Artefact, Item, Ref, Representation, Text
from statcommons.sdmx.structures.outgoing import OLD_CLASSES

__all__ = ["Builder", "MLStandard"]

MLStandard: TypeAlias = Literal["2.1", "3.0", "3.1"]
"""The versions of SDMX-ML that are written."""

LANGUAGE = "{http://www.w3.org/XML/1998/namespace}lang"


class Builder:
    """Builds elements as a version of SDMX-ML spells them.

    Parameters
    ----------
    standard : {"2.1", "3.0", "3.1"}
        The version.
    """

    def __init__(self, standard: MLStandard) -> None:
        self.old, self.standard = standard == "2.1", standard
        base = f"http://www.sdmx.org/resources/sdmxml/schemas/v{standard.replace('.', '_')}"
        self.spaces = {"mes": f"{base}/message", "str": f"{base}/structure", "com": f"{base}/common"}
        self.names = _Names(self.spaces)

    def add(self, parent: etree._Element, name: str, text: str | None = None, /, **said: str | None) -> etree._Element:
        """Add an element; attributes that are None are left out."""
        element = etree.SubElement(parent, self.names[name])
        for attribute, value in said.items():
            if value is not None:
                element.set(attribute, value)
        element.text = text
        return element

    def nameable(self, element: etree._Element, one: Artefact | Item, *, named: bool = True) -> None:
        """Add what all that has a name has; without one it is called by its id where it must be ``named``."""
        self.annotations(element, one.annotations)
        self.texts(element, "com:Name", one.name or ({"en": one.id} if named else {}))
        self.texts(element, "com:Description", one.description)

    def texts(self, parent: etree._Element, name: str, text: Text) -> None:
        """Add words in several languages."""
        for language, words in text.items():
            self.add(parent, name, words).set(LANGUAGE, language)

    def annotations(self, parent: etree._Element, several: tuple[Annotation, ...]) -> None:
        """Add annotations."""
        if not several:
            return
        group = self.add(parent, "com:Annotations")
        for one in several:
            element = self.add(group, "com:Annotation", id=one.id or None)
            value = "" if self.old else one.value
            for name, words in (("Title", one.title), ("Type", one.type), ("URL", one.url)):
                if words:
                    self.add(element, f"com:Annotation{name}", words)
            self.texts(element, "com:AnnotationText", one.text)
            if value:
                self.add(element, "com:AnnotationValue", value)

    def ref(self, parent: etree._Element, name: str, ref: Ref | None) -> None:
        """Write a reference: its parts in SDMX 2.1, a URN in 3."""
        if not ref:
            return
        if not self.old:
            self.add(parent, name, ref.urn)
            return
        package, scheme, item = KINDS[ref.kind]
        about = {"package": package, "class": item if ref.item else OLD_CLASSES.get(ref.kind, scheme)}
        said = {"id": ref.item, "maintainableParentID": ref.id, "maintainableParentVersion": ref.version}
        whole = {"id": ref.id, "version": ref.version}
        self.add(self.add(parent, name), "Ref", agencyID=ref.agency, **(said if ref.item else whole), **about)

    def local(self, parent: etree._Element, name: str, id: str) -> None:
        """Write the name of something in the same artefact."""
        if self.old:
            self.add(self.add(parent, name), "Ref", id=id)
        else:
            self.add(parent, name, id)

    def representation(self, parent: etree._Element, name: str, shown: Representation | None) -> None:
        """Add what values may be."""
        if not shown:
            return
        languages = not self.old or name == "str:CoreRepresentation"  # SDMX 2.1 knows them in concepts only
        element = self.add(parent, name)
        if not self.old and (shown.min_occurs, shown.max_occurs) != (1, 1):
            element.set("minOccurs", str(shown.min_occurs))
            element.set("maxOccurs", "unbounded" if shown.max_occurs is None else str(shown.max_occurs))
        form = {"textType": shown.type} if shown.type else {}
        form |= {facet: value for facet, value in shown.facets.items() if languages or facet != "isMultiLingual"}
        self.ref(element, "str:Enumeration", shown.codelist)
        if not shown.codelist:
            self.add(element, "str:TextFormat", **form)
        elif form:
            self.add(element, "str:EnumerationFormat", **form)

    def range(self, element: etree._Element, space: str, first: str, last: str) -> None:
        """Add the ends of a range of time, either of which may be open."""
        names = ("StartPeriod", "EndPeriod") if first and last else ("AfterPeriod", "BeforePeriod")
        for name, period in zip(names, (first, last), strict=True):
            if period:
                self.add(element, f"{space}:{name}", period, isInclusive="true")


class _Names(dict[str, str]):
    """Names of elements with their namespaces by ``prefix:name``, each made once: a code list has thousands."""

    def __init__(self, spaces: dict[str, str]) -> None:
        self.spaces = spaces

    def __missing__(self, name: str) -> str:
        prefix, _, tag = name.rpartition(":")
        self[name] = f"{{{self.spaces[prefix]}}}{tag}" if prefix else tag
        return self[name]
