"""Dissemination in SDMX: structures, the observation store, queries, formats, and the service that answers them.

A file is read and written with :func:`read`, :func:`write` and :func:`convert`. A :class:`Store` keeps flows and all
that was ever published of them, :func:`publish` puts a run's output into it, and :func:`answer` is the service over it.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from statcommons.core.errors import ExtraMissing

# Where each name of the face is at home; imported when it is used, because the command line must answer at once.
_FACE = {
    "Message": "files",
    "Request": "service.exchange",
    "Response": "service.exchange",
    "Store": "store",
    "Structure": "structure",
    "answer": "service.answer",
    "artefacts_of": "structure",
    "convert": "files",
    "observed_codes": "csvfile",
    "publish": "publishing",
    "read": "files",
    "read_structures": "structures",
    "sdmx_id": "declared",
    "write": "files",
    "write_csv": "csvfile",
    "write_run": "publishing",
    "write_structure": "structure_file",
}

if TYPE_CHECKING:
    from statcommons.sdmx.csvfile import observed_codes, write_csv
    from statcommons.sdmx.declared import sdmx_id
    from statcommons.sdmx.files import Message, convert, read, write
    from statcommons.sdmx.publishing import publish, write_run
    from statcommons.sdmx.service.answer import answer
    from statcommons.sdmx.service.exchange import Request, Response
    from statcommons.sdmx.store import Store
    from statcommons.sdmx.structure import Structure, artefacts_of
    from statcommons.sdmx.structure_file import write_structure
    from statcommons.sdmx.structures import read_structures

__all__ = [
    "Message",
    "Request",
    "Response",
    "Store",
    "Structure",
    "answer",
    "artefacts_of",
    "convert",
    "observed_codes",
    "publish",
    "read",
    "read_structures",
    "sdmx_id",
    "write",
    "write_csv",
    "write_run",
    "write_structure",
]


def __getattr__(name: str) -> Any:
    if name in _FACE:
        try:
            return getattr(import_module(f"statcommons.sdmx.{_FACE[name]}"), name)
        except ModuleNotFoundError as error:
            if error.name and error.name.startswith("statcommons"):
                raise
            raise ExtraMissing(f"SDMX needs {error.name}, which is not installed.", extra="sdmx") from None
    raise AttributeError(f"module 'statcommons.sdmx' has no attribute {name!r}")


def __dir__() -> list[str]:
    return [*globals(), *__all__]
