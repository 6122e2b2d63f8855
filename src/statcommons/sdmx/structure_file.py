"""The structures of a dataflow as one SDMX-ML file (extra ``sdmx``)."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Literal, TypeAlias

from statcommons.core.errors import BadCall, ExtraMissing
from statcommons.sdmx.message import Header
from statcommons.sdmx.placing import together
from statcommons.sdmx.structure import Structure, artefacts_of
from statcommons.sdmx.structures.outgoing import sender_of

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
        The version of SDMX-ML. 2.1 knows one measure only, OBS_VALUE; by default it is taken where that is enough,
        because more readers know it: the NSI web service reads no 3.0, and sdmx1 2.28 fails on an attribute of the
        dataflow in 3.0.
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
        When lxml is not installed.
    NotAllowed, TryAgain
        When the file cannot be written.
    """
    path = Path(path)
    if standard not in ("2.1", "3.0", None):
        raise BadCall(f"The standard is {standard!r}.", where="SDMX structure", remedy="Give 2.1 or 3.0.")
    single = [one.id for one in structure.with_role("measure")] == ["OBS_VALUE"]
    message = _message(structure, standard or ("2.1" if single else "3.0"), prepared)
    with together(path.parent) as folder:
        (folder / path.name).write_bytes(message)
    return path


def _message(structure: Structure, standard: Standard, prepared: datetime.datetime | None) -> bytes:
    try:
        import lxml  # noqa: F401
    except ImportError:
        raise ExtraMissing("SDMX-ML needs lxml, which is not installed.", extra="sdmx") from None
    from statcommons.sdmx.structures.ml_writing import write_structures_ml

    sender = sender_of(structure.flow.agency)
    header = Header(structure.flow.id, prepared or datetime.datetime.now(datetime.UTC), sender)
    return write_structures_ml(artefacts_of(structure), standard, header)
