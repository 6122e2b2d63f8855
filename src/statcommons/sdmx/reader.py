"""SDMX as the input of a method: ``sdmx:STORE#FLOW/KEY``, ``sdmx:FILE`` or ``sdmx:URL``.

The engine finds this by its entry point, so that core knows nothing of SDMX.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from statcommons.core.errors import BadCall, NoInput

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["read_reference"]

SCHEME = "sdmx:"


def read_reference(reference: str) -> pa.Table:
    """Read observations as a table, a column a component.

    Parameters
    ----------
    reference : str
        ``sdmx:`` and a store with the flow and key behind ``#``, a data message, or the URL of one.

    Raises
    ------
    BadCall
        When a store is named without a flow.
    NoInput
        When there is no such store, flow or file.
    BadData
        When a message cannot be read.

    Examples
    --------
    >>> read_reference("sdmx:store#DF_CPI")
    Traceback (most recent call last):
    statcommons.core.errors.NoInput: store: There is no store. Give its folder.
    """
    from statcommons.sdmx.files import read
    from statcommons.sdmx.store import Store

    place = reference.removeprefix(SCHEME)
    folder, _, asked = place.partition("#")
    if "://" in place or (Path(place).is_file() and not asked):
        return read(place).table
    if not Path(folder).is_dir():
        raise NoInput("There is no store.", where=folder, remedy="Give its folder.")
    if not asked:
        raise BadCall("The flow is not named.", where=reference, remedy="Write sdmx:STORE#AGENCY:ID(VERSION)/KEY.")
    flow, _, key = asked.partition("/")
    return Store(folder).query(flow, key)
