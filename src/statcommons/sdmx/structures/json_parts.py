"""What all kinds of artefacts have in SDMX-JSON messages coming in: names, references, what values may be."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import msgspec

from statcommons.core.errors import BadData
from statcommons.sdmx.model import Annotation, Ref, Representation, Text
from statcommons.sdmx.query.versions import version_order
from statcommons.sdmx.structures import json_shapes as shapes
from statcommons.sdmx.structures.incoming import held_ref

__all__ = ["Reading"]

NEWLINE = b"\n"


def decoded(raw: bytes | msgspec.Raw, shape: Any, where: str, whole: bytes) -> Any:
    """Decode JSON to a shape; what is no JSON is told with its line, what has another shape with its place."""
    try:
        return msgspec.json.Decoder(shape, float_hook=str).decode(raw)  # numbers keep their digits
    except msgspec.ValidationError as error:
        raise BadData(
            f"The message has another shape than SDMX-JSON: {error}.", where=where, remedy="Mend it."
        ) from None
    except RecursionError:
        raise BadData("The message is nested too deep.", where=where, remedy="Give a flatter one.") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        place = str(error).rpartition("byte ")[2].rstrip(")")
        end = int(place) if place.isdigit() else len(whole)  # no place is told of what ends too early
        line = f", line {whole.count(NEWLINE, 0, end) + 1}"
        raise BadData(f"The JSON cannot be read: {error}.", where=f"{where}{line}", remedy="Send it whole.") from None


@dataclass
class Reading:
    """A message that is being read.

    Parameters
    ----------
    where : str
        What errors call it.
    language : str
        The language of words that come in one only.
    passed : Counter
        What was passed over because the model does not hold it, and how often.
    """

    where: str
    language: str
    passed: Counter[str] = field(default_factory=Counter)

    def text(self, several: dict[str, str], one: str) -> Text:
        """Read words in several languages; those in one only are in the language of the message."""
        return several or ({self.language: one} if one else {})

    def ref(self, urn: str) -> Ref | None:
        """Read a reference; none where there is none, or one to what is not held."""
        try:
            return held_ref(urn, self.passed) if urn else None
        except BadData as error:
            raise BadData(error.what, where=self.where, remedy=error.remedy) from None

    def required(self, urn: str, what: str) -> Ref:
        """Read a reference that must be there; ``what`` says in the error who names it."""
        found = self.ref(urn)
        if not found:
            raise BadData(f"{what} names nothing that is held here: {urn!r}.", where=self.where, remedy="Mend it.")
        return found

    def envelope(self, one: shapes.JMaintainable) -> dict[str, Any]:
        """Read what all artefacts have."""
        if not one.id or not one.agency:
            what = "an agencyID" if one.id else "an id"
            raise BadData(f"{one.id or one.name or 'An artefact'} has not {what}.", where=self.where, remedy="Mend it.")
        version = one.version or "1.0"
        try:
            version_order(version)
        except BadData as error:
            raise BadData(error.what, where=f"{self.where}, {one.id}", remedy=error.remedy) from None
        return {
            **self.nameable(one),
            "agency": one.agency,
            "version": version,
            "is_final": one.is_final,
            "is_external": one.is_external_reference,
            "structure_url": next((link.href for link in one.links if link.rel == "self"), ""),
            "valid_from": one.valid_from,
            "valid_to": one.valid_to,
        }

    def nameable(self, one: shapes.JNameable) -> dict[str, Any]:
        """Read what all that has a name has."""
        return {
            "id": one.id,
            "name": self.text(one.names, one.name),
            "description": self.text(one.descriptions, one.description),
            "annotations": self.annotations(one.annotations),
        }

    def annotations(self, several: list[shapes.JNote]) -> tuple[Annotation, ...]:
        """Read annotations."""
        return tuple(
            Annotation(
                one.id,
                one.type,
                one.title,
                one.links[0].href if one.links else "",
                self.text(one.texts, one.text),
                one.value,
            )
            for one in several
        )

    def representation(self, one: shapes.JRepresentation | None) -> Representation | None:
        """Read what values may be."""
        if not one:
            return None
        form = one.format or one.text_format or one.enumeration_format or {}
        facets = {name: _facet(value) for name, value in form.items() if not isinstance(value, list | dict)}
        kinds = [facets.pop(name, "") for name in ("dataType", "textType")]
        least = 1 if one.min_occurs is None else one.min_occurs
        most = 1 if one.max_occurs is None else one.max_occurs
        many = None if isinstance(most, str) else most
        return Representation(self.ref(one.enumeration), kinds[0] or kinds[1], facets, least, many)


def _facet(value: object) -> str:
    """Write a facet as XML has it: true, 12, 1.5."""
    return str(value).lower() if isinstance(value, bool) else str(value)
