"""From rows that came in to a change of a flow: which flow they are of, and all that is wrong with them."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Literal, TypeAlias

from statcommons.core.errors import BadCall, BadData, Cause
from statcommons.core.progress import step
from statcommons.sdmx.message import Rows
from statcommons.sdmx.model import Ref
from statcommons.sdmx.reading.check import Checked, checked
from statcommons.sdmx.reading.regions import binding
from statcommons.sdmx.store.change import Loaded
from statcommons.sdmx.store.lock import WAIT
from statcommons.sdmx.store.times import in_utc, times_of

if TYPE_CHECKING:
    import duckdb

    from statcommons.sdmx.store.store import Store

OnBadRows: TypeAlias = Literal["fail", "set_aside"]
"""Whether bad rows stop the load, or are left out and given back."""


def load_rows(
    store: Store,
    flow: Ref,
    rows: Sequence[Rows],
    *,
    on_bad_rows: OnBadRows = "fail",
    valid_from: datetime.datetime | None = None,
    wait: float = WAIT,
) -> Loaded:
    """Check the rows of one dataflow and load them."""
    found: list[Checked] = []

    def fill(connection: duckdb.DuckDBPyConnection) -> str:
        with step(f"Read and check {flow.id}"):
            found.append(_checked(store, connection, flow, rows, on_bad_rows))
        return found[0].table

    done = store.change(flow, fill, valid_from=valid_from, wait=wait)
    return replace(done, rows=found[0].rows, set_aside=found[0].set_aside, notes=found[0].notes)


def refuse_faults(
    store: Store,
    rows: Mapping[Ref, Sequence[Rows]],
    on_bad_rows: OnBadRows,
    valid_from: datetime.datetime | None,
) -> None:
    """Refuse what is wrong with any of several dataflows before the first of them is changed."""
    import duckdb

    causes: list[Cause] = []
    for flow, parts in rows.items():
        times_of(store.manifest(flow), in_utc(valid_from), flow)
        with duckdb.connect() as connection:
            try:
                _checked(store, connection, flow, parts, on_bad_rows)
            except BadData as error:
                causes += error.causes or [Cause(error.what, 0, error.remedy, error.where)]
    if causes:
        raise BadData(f"Nothing is loaded into {', '.join(map(str, rows))}.", causes=causes)


def flow_of(store: Store, rows: Rows, named: Ref | None) -> Ref:
    """Tell which dataflow rows are of: the one that the caller names, else the one that they name."""
    given = rows.structure
    named = named or (store.flows()[0] if not given and len(store.flows()) == 1 else None)
    if named:
        own = {str(named), str(store.structure(named).definition), ""}
        if given not in own:
            raise BadCall(
                f"The file is of {given}.", where=rows.path, remedy=f"Give a file of {named}, or name its dataflow."
            )
        return named
    flows = [one for one in store.flows() if str(one) == given]
    flows = flows or [one for one in store.flows() if str(store.structure(one).definition) == given]
    if len(flows) != 1:
        raise _untold(store, rows, flows)
    return flows[0]


def _untold(store: Store, rows: Rows, flows: Sequence[Ref]) -> BadCall:
    """Say why it cannot be told which dataflow rows are of."""
    given = rows.structure
    if flows:
        what = f"{given} has several dataflows."
    elif any(one.kind == "datastructure" and str(one.ref) == given for one in store.artefacts):
        what = f"The data structure {given} has no dataflow."
        return BadCall(what, where=rows.path, remedy="Add a dataflow of it to the structure message.")
    else:
        what = f"There is no dataflow {given}." if given else "The file does not name its dataflow."
    known = ", ".join(map(str, flows or store.flows()))
    remedy = f"Name the dataflow. There are: {known}." if known else "Load a structure message that has a dataflow."
    return BadCall(what, where=rows.path, remedy=remedy)


def _checked(
    store: Store, connection: duckdb.DuckDBPyConnection, flow: Ref, rows: Sequence[Rows], on_bad_rows: OnBadRows
) -> Checked:
    structure = store.structure(flow)
    constraints = binding(store.artefacts, structure)
    return checked(connection, rows, structure, constraints=constraints, on_bad_rows=on_bad_rows)
