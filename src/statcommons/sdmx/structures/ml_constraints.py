"""Constraints in SDMX-ML messages coming in."""

from __future__ import annotations

from collections.abc import Iterator

from lxml import etree

from statcommons.sdmx.model import Artefact, Constraint, Ref, Region
from statcommons.sdmx.structures.incoming import availability, regions
from statcommons.sdmx.structures.ml_parts import Message, Parts, annotations_of, envelope, flag, parts, text_of
from statcommons.sdmx.structures.xmlfile import local

ATTACHED = {
    "DataStructure": "datastructure",
    "Dataflow": "dataflow",
    "ProvisionAgreement": "provisionagreement",
    "DataProvider": "dataproviderscheme",
}


def constraint_of(message: Message, element: etree._Element) -> Iterator[Artefact]:
    """Read a content constraint of SDMX 2.1, or a data constraint of 3."""
    said = parts(element)
    given = element.get("role") or element.get("type")
    default = "actual" if local(element) == "ContentConstraint" else "allowed"
    message.passed.update(name for name in ("DataKeySet", "MetadataKeySet", "MetadataTargetRegion") if name in said)
    yield Constraint(
        "dataconstraint",
        **envelope(message, element, said),
        role=given.lower() if given else default,
        attached=_attachment(message, said),
        regions=_regions(message, said),
    )


def availability_of(message: Message, element: etree._Element) -> Iterator[Artefact]:
    """Read an availability constraint of SDMX 3.1."""
    said = parts(element)
    attached = _attachment(message, said)
    if not attached:
        raise message.fault(element, "The availability constraint does not say of what.")
    counts = {"series_count": element.get("seriesCount"), "obs_count": element.get("obsCount")}
    yield availability(attached, annotations_of(said), counts, _regions(message, said))


def _attachment(message: Message, said: Parts) -> tuple[Ref, ...]:
    found = []
    for one in (child for part in said.get("ConstraintAttachment", []) for child in part):
        if local(one) in ATTACHED:
            found.append(message.ref([one], ATTACHED[local(one)]))
        else:
            message.passed[f"constraint on {local(one)}"] += 1
    return tuple(ref for ref in found if ref)


def _regions(message: Message, said: Parts) -> tuple[Region, ...]:
    return tuple(region for one in said.get("CubeRegion", []) for region in _region(message, one))


def _region(message: Message, element: etree._Element) -> Iterator[Region]:
    values: dict[str, tuple[str, ...]] = {}
    without: dict[str, tuple[str, ...]] = {}
    cascade = set()
    periods = {}
    for one in element:
        if local(one) == "Annotations":
            continue
        id = message.required(one, "id")
        said = parts(one)
        if "TimeRange" in said:
            periods[id] = _range(message, said["TimeRange"][0])
            continue
        given = said.get("Value", [])
        (values if flag(one, "include", True) else without)[id] = tuple((value.text or "").strip() for value in given)
        if any(value.get("cascadeValues", "false") not in ("false", "0") for value in given):
            cascade.add(id)
    return regions(flag(element, "include", True), values, without, cascade, periods)


def _range(message: Message, element: etree._Element) -> tuple[str, str]:
    said = parts(element)
    if not all(flag(one, "isInclusive", True) for one in element):
        message.passed["isInclusive=false of a time range, read as inclusive"] += 1
    first = said.get("StartPeriod") or said.get("AfterPeriod", [])
    last = said.get("EndPeriod") or said.get("BeforePeriod", [])
    return text_of(first), text_of(last)
