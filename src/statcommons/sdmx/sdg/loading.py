"""An export of the United Nations' SDG database, with the global framework, loaded into a store in one step."""

from __future__ import annotations

import datetime
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from statcommons.sdmx.model import Artefact, Scheme
from statcommons.sdmx.sdg.framework import framework_artefacts
from statcommons.sdmx.sdg.unsd import read_unsd
from statcommons.sdmx.store.loading import OnBadRows, load_rows
from statcommons.sdmx.structure import artefacts_of
from statcommons.sdmx.structures.items import with_known_items

if TYPE_CHECKING:
    from statcommons.sdmx.store import Loaded, Store

__all__ = ["load_sdg"]


def load_sdg(
    store: Store,
    path: Path | str | bytes,
    *,
    agency: str = "SC",
    valid_from: datetime.datetime | None = None,
    on_bad_rows: OnBadRows = "fail",
) -> Loaded:
    """Load an export of the SDG database into a store, with its structure and the global framework.

    Codes that the store knows already stay. Observations of the file replace those of the same key, also where the file
    has no number any more; others stay.

    Parameters
    ----------
    store : Store
        The store.
    path : path or bytes
        The export.
    agency : str
        The agency that maintains the structures.
    valid_from : datetime, optional
        When the observations are public, in UTC where it has no zone; now by default.
    on_bad_rows : {"fail", "set_aside"}
        Whether bad rows stop the load, or are left out and given back.

    Raises
    ------
    BadData
        When it is no export, or rows do not fit; lists every cause. The codes of the file are then known to the store.
    BadCall, NoInput, NotAllowed, TryAgain
        As loading any file does.
    """
    found = read_unsd(path, agency)
    made = [_with_known(one, store) for one in artefacts_of(found.structure)]
    store.add_structures([*framework_artefacts(agency), *made])
    done = load_rows(store, found.structure.flow, [found.rows], on_bad_rows=on_bad_rows, valid_from=valid_from)
    return replace(done, notes=(*found.notes, *done.notes))


def _with_known(made: Artefact, store: Store) -> Artefact:
    """Give a code list with the codes that the store knows of it beside."""
    if not isinstance(made, Scheme) or made.kind != "codelist":
        return made
    whole = with_known_items(made, store.artefacts.find)
    return replace(whole, items=tuple(sorted(whole.items, key=lambda one: one.id))) if whole is not made else made
