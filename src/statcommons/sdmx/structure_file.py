"""SDMX structures written as SDMX-ML, by way of pysdmx's model (extra ``sdmx``)."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from statcommons.core.errors import BadCall, ExtraMissing
from statcommons.sdmx.model import Ref, Scheme, in_language
from statcommons.sdmx.placing import together
from statcommons.sdmx.structure import Component, Structure, artefacts_of

if TYPE_CHECKING:
    from pysdmx import model

__all__ = ["Standard", "write_structure"]

Standard: TypeAlias = Literal["2.1", "3.0"]
"""The versions of SDMX-ML that are written."""


def write_structure(
    structure: Structure,
    path: Path | str,
    *,
    standard: Standard | None = None,
    prepared: datetime.datetime | None = None,
) -> Path:
    """Write the structures as one SDMX-ML message: code lists, concept scheme, data structure definition, dataflow.

    The file appears whole or not at all. The same structures and the same ``prepared`` give the same bytes.

    Parameters
    ----------
    structure : Structure
        What to write.
    path : path
        The file.
    standard : {"2.1", "3.0"}, optional
        The version of SDMX-ML. 2.1 knows one measure only; by default it is taken where that is enough, because more
        readers know it: the NSI web service reads no 3.0, and sdmx1 2.28 fails on an attribute of the dataflow in 3.0.
    prepared : datetime, optional
        The time that the header states; now by default.

    Returns
    -------
    pathlib.Path
        The file.

    Raises
    ------
    BadCall
        When 2.1 is asked for and there are several measures.
    ExtraMissing
        When pysdmx is not installed.
    NotAllowed, TryAgain
        When the file cannot be written.
    """
    path = Path(path)
    if standard not in ("2.1", "3.0", None):
        raise BadCall(f"The standard is {standard!r}.", where="SDMX structure", remedy="Give 2.1 or 3.0.")
    measures = [component.id for component in structure.with_role("measure")]
    if standard == "2.1" and len(measures) > 1:
        raise BadCall(
            f"SDMX 2.1 knows one measure; there are {len(measures)}: {', '.join(measures)}.",
            where=str(structure.flow),
            remedy="Write SDMX 3.0, or publish one measure at a time.",
        )
    standard = standard or ("2.1" if len(measures) == 1 else "3.0")
    text = _message(structure, standard, prepared or datetime.datetime.now(datetime.UTC))
    with together(path.parent) as folder:
        # pysdmx would write the file itself, but with errors="replace": what cannot be written would become a "?".
        (folder / path.name).write_text(text, encoding="utf-8", newline="\n")
    return path


def _message(structure: Structure, standard: Standard, prepared: datetime.datetime) -> str:
    try:
        import pysdmx.io.xml  # noqa: F401  refuses where pysdmx is there without what it needs for XML
    except ImportError:
        raise ExtraMissing("SDMX-ML needs pysdmx[xml], which is not installed.", extra="sdmx") from None
    from pysdmx.io import write_sdmx
    from pysdmx.io.format import Format
    from pysdmx.model import Organisation
    from pysdmx.model.message import Header

    form = {"2.1": Format.STRUCTURE_SDMX_ML_2_1, "3.0": Format.STRUCTURE_SDMX_ML_3_0}[standard]
    # A sender has no dot in its id: for a unit of an agency (OECD.SDD) it is the agency.
    sender = Organisation(id=structure.flow.agency.partition(".")[0])
    header = Header(id=structure.flow.id, prepared=prepared, sender=sender)
    return str(write_sdmx(_artefacts(structure), form, header=header, prettyprint=True))


def _artefacts(structure: Structure) -> list[Any]:
    """Turn the plain data into pysdmx's model."""
    from pysdmx import model

    about: dict[str, Any] = {"agency": structure.flow.agency, "version": structure.flow.version}
    codelists = {
        one.ref: model.Codelist(
            id=one.id,
            name=in_language(one.name),
            items=[model.Code(id=code.id, name=in_language(code.name)) for code in one.items],
            is_partial=one.partial,
            **about,
        )
        for one in structure.codelists
    }
    [scheme] = [one for one in artefacts_of(structure) if isinstance(one, Scheme) and one.kind == "conceptscheme"]
    concepts = model.ConceptScheme(
        id=scheme.id,
        name=in_language(scheme.name),
        items=[
            model.Concept(id=one.id, name=in_language(one.name), description=in_language(one.description) or None)
            for one in scheme.items
        ],
        **about,
    )
    name, description = in_language(structure.name), in_language(structure.description) or None
    definition = model.DataStructureDefinition(
        id=structure.definition.id,
        name=name,
        description=description,
        components=model.Components([_modelled(one, codelists) for one in structure.components]),
        **about,
    )
    flow = model.Dataflow(id=structure.flow.id, name=name, description=description, structure=definition, **about)
    return list(chain(codelists.values(), [concepts, definition, flow]))


def _modelled(component: Component, codelists: Mapping[Ref, Any]) -> model.Component:
    from pysdmx import model

    types = {
        "text": model.DataType.STRING,
        "integer": model.DataType.LONG,
        "number": model.DataType.DOUBLE,
        "boolean": model.DataType.BOOLEAN,
        "date": model.DataType.DATE,
        "instant": model.DataType.DATE_TIME,
        "period": model.DataType.PERIOD,
    }
    roles = {"measure": model.Role.MEASURE, "attribute": model.Role.ATTRIBUTE}
    concept = component.concept or Ref("conceptscheme", "SDMX", "CROSS_DOMAIN_CONCEPTS", "2.0", component.id)
    attachment = {"observation": "O", "dataflow": "D"}[component.attachment]
    return model.Component(
        id=component.id,
        required=component.required,
        role=roles.get(component.role, model.Role.DIMENSION),
        concept=model.ItemReference("Concept", concept.agency, concept.id, concept.version, concept.item),
        # What is coded needs no format, and TIME_PERIOD has one that SDMX prescribes.
        local_dtype=None
        if component.codelist
        else model.DataType.PERIOD
        if component.role == "time"
        else types[component.type],
        local_facets=model.Facets(decimals=component.decimals) if component.decimals is not None else None,
        local_codes=codelists[component.codelist] if component.codelist else None,
        attachment_level=attachment if component.role == "attribute" else None,
    )
