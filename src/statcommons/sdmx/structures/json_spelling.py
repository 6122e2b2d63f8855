"""What all kinds of artefacts have in SDMX-JSON messages going out: names, annotations, what values may be."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, Literal, TypeAlias

import msgspec

from statcommons.sdmx.model import Annotation, Artefact, Item, Region, Representation, in_language
from statcommons.sdmx.structures import json_shapes as shapes
from statcommons.sdmx.structures.outgoing import urn

__all__ = ["JSONStandard", "Spelling"]

JSONStandard: TypeAlias = Literal["1.0", "2.0", "2.1"]
"""The versions of SDMX-JSON that are written."""

NUMBER = re.compile(r"-?(0|[1-9]\d*)(\.\d+)?")
TRUTH = {"true": True, "false": False}
NUMBERS = {"interval", "startValue", "endValue", "minLength", "maxLength", "minValue", "maxValue", "decimals"}
TRUTHS = {"isSequence", "isMultiLingual"}


class Spelling:
    """How a version of SDMX-JSON spells what all have.

    Parameters
    ----------
    standard : {"1.0", "2.0", "2.1"}
        The version.
    languages : tuple of str
        What the reader prefers, best first.
    whole : bool
        Whether to say all and nothing else: what only 1.0 knows too, and no id for a name that is not there.
    """

    def __init__(self, standard: JSONStandard, languages: tuple[str, ...], *, whole: bool = False) -> None:
        self.old, self.standard, self.languages = standard == "1.0", standard, languages or ("en",)
        self.whole, self.knows_old = whole, self.old or whole
        self.spoken: dict[str, None] = {}

    def envelope(self, one: Artefact) -> dict[str, Any]:
        """Say what all artefacts have."""
        return {
            **self.nameable(one),
            "agency": one.agency,
            "version": one.version,
            "is_external_reference": one.is_external,
            "is_final": self.knows_old and one.is_final,
            "valid_from": one.valid_from,
            "valid_to": one.valid_to,
            "links": self.links(one),
        }

    def links(self, one: Artefact) -> list[shapes.JLink]:
        """Say where an artefact stands, and its URN."""
        # The schema of 2.0 does not know the URN of a value list.
        name = "" if one.kind == "valuelist" else urn(one.ref, old=self.old)
        return [shapes.JLink(one.structure_url, "self", name)] if name or one.structure_url else []

    def nameable(self, one: Artefact | Item, *, named: bool = True) -> dict[str, Any]:
        """Say what all that has a name has; without one it is called by its id where it must be ``named``."""
        self.spoken |= dict.fromkeys((*one.name, *one.description))
        return {
            "id": one.id,
            "name": in_language(one.name, self.languages) or (one.id if named and not self.whole else ""),
            "names": dict(one.name),
            "description": in_language(one.description, self.languages),
            "descriptions": dict(one.description),
            "annotations": self.annotations(one.annotations),
        }

    def annotations(self, several: Iterable[Annotation]) -> list[shapes.JNote]:
        """Say annotations."""
        several = tuple(several)
        self.spoken |= dict.fromkeys(language for one in several for language in one.text)
        return [
            shapes.JNote(
                one.id,
                one.title,
                one.type,
                "" if self.old else one.value,
                in_language(one.text, self.languages),
                dict(one.text),
                [shapes.JLink(one.url, "self")] if one.url else [],
            )
            for one in several
        ]

    def representation(self, shown: Representation | None, *, many: bool = True) -> shapes.JRepresentation | None:
        """Write what values may be; ``many`` says that the standard knows several values there."""
        if not shown:
            return None
        form: dict[str, Any] = {"textType" if self.old else "dataType": shown.type} if shown.type else {}
        form |= {name: _facet(name, value) for name, value in shown.facets.items()}
        made = shapes.JRepresentation()
        if shown.codelist:
            made.enumeration, made.enumeration_format = shown.codelist.urn, form or None
        elif self.old:
            made.text_format = form
        else:
            made.format = form
        if not self.old and many and (shown.min_occurs, shown.max_occurs) != (1, 1):
            made.min_occurs = shown.min_occurs
            made.max_occurs = "unbounded" if shown.max_occurs is None else shown.max_occurs
        return made

    def member(self, region: Region, id: str) -> shapes.JMember:
        """Say the values of a component in a region."""
        if id in region.periods:
            return shapes.JMember(id, time_range=_range(*region.periods[id]))
        values, cascades = region.values[id], id in region.cascade
        if not self.old:
            return shapes.JMember(id, values=[shapes.JValue(value, True if cascades else None) for value in values])
        return shapes.JMember(id, cascade_values=[*values]) if cascades else shapes.JMember(id, values=[*values])


def _facet(name: str, value: str) -> Any:
    """Write a facet as JSON has it: what are numbers keep their digits."""
    if name in NUMBERS and NUMBER.fullmatch(value):
        return msgspec.Raw(value.encode())
    return TRUTH.get(value, value) if name in TRUTHS else value


def _range(first: str, last: str) -> shapes.JRange:
    start, end = (shapes.JPeriod(period, True) if period else None for period in (first, last))
    return shapes.JRange(start, end) if start and end else shapes.JRange(after_period=start, before_period=end)
