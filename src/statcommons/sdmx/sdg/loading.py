"""An export of the United Nations' SDG database, with the global framework, loaded into a store in one step."""

from __future__ import annotations

import datetime
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from statcommons.sdmx.model import Artefact, Scheme
from statcommons.sdmx.reading import Checked, checked
from statcommons.sdmx.sdg.framework import framework_artefacts
from statcommons.sdmx.sdg.unsd import read_unsd
from statcommons.sdmx.structure import artefacts_of

if TYPE_CHECKING:
    import duckdb

    from statcommons.sdmx.store import Loaded, Store

__all__ = ["load_sdg"]


def load_sdg(
    store: Store,
    path: Path | str | bytes,
    *,
    agency: str = "SC",
    valid_from: datetime.datetime | None = None,
    on_bad_rows: Literal["fail", "set_aside"] = "fail",
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
    structure = store.structure(found.structure.flow)
    done: list[Checked] = []

    def fill(connection: duckdb.DuckDBPyConnection) -> str:
        done.append(checked(connection, [found.rows], structure, on_bad_rows=on_bad_rows))
        return done[0].table

    plain = valid_from.astimezone(datetime.UTC).replace(tzinfo=None) if valid_from and valid_from.tzinfo else valid_from
    loaded = store.change(structure.flow, fill, valid_from=plain)
    notes = (*found.notes, *done[0].notes)
    return replace(loaded, rows=done[0].rows, set_aside=done[0].set_aside, notes=notes)


def _with_known(made: Artefact, store: Store) -> Artefact:
    """Give a code list with the codes that the store knows of it beside."""
    there = store.artefacts.find(made.ref)
    if not isinstance(made, Scheme) or made.kind != "codelist" or not isinstance(there, Scheme):
        return made
    items = ({one.id: one for one in there.items} | {one.id: one for one in made.items}).values()
    return replace(made, items=tuple(sorted(items, key=lambda one: one.id)))
