"""From a run to what others read: its outputs as a flow of a store, or as files of structures and data."""

from __future__ import annotations

import datetime
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from statcommons.core.errors import BadCall, NoInput, nearest
from statcommons.core.run import Run
from statcommons.core.spec import MethodSpec, OutputSpec
from statcommons.sdmx.csvfile import observed_codes, write_csv
from statcommons.sdmx.declared import sdmx_id, structure
from statcommons.sdmx.model import Ref
from statcommons.sdmx.placing import together
from statcommons.sdmx.structure import Structure, artefacts_of
from statcommons.sdmx.structure_file import write_structure
from statcommons.sdmx.structures.items import with_known_items

if TYPE_CHECKING:
    from statcommons.sdmx.store import Loaded, Store

__all__ = ["publish", "write_run"]


def publish(
    run: Run,
    store: Store,
    flow: Ref | None = None,
    *,
    output: str = "",
    valid_from: datetime.datetime | None = None,
) -> Loaded:
    """Publish an output of a run: its structure is made from what the method declares, its rows become observations.

    Parameters
    ----------
    run : Run
        A sealed run.
    store : Store
        Where it is published.
    flow : Ref, optional
        The dataflow; named after the method by default, with the agency ``SC``.
    output : str
        Which output; the main one by default.
    valid_from : datetime, optional
        When it is public; now by default.

    Returns
    -------
    Loaded
        What was added, changed and was so already. Observations that the run does not have stay as they are.

    Raises
    ------
    BadCall
        When there is no such output, it cannot be said in SDMX, or it should be public before what is public already.
    BadData
        When the output does not fit its structure.
    NotAllowed, TryAgain
        When the store cannot be written.

    Examples
    --------
    >>> from statcommons.core.run import run
    >>> from statcommons.sdmx import Store
    >>> sales = {"time": ["2026-01-05", "2026-02-09"], "product": ["a", "a"], "price": [2.0, 3.0], "quantity": [1, 3]}
    >>> with tempfile.TemporaryDirectory() as parent:
    ...     done = run("prices.bilateral_index", {"transactions": sales}, out=parent + "/run")
    ...     loaded = publish(done, Store(parent + "/store"))
    ...     print(loaded.flow, loaded.changed.added)
    SC:DF_PRICES_BILATERAL_INDEX(1.0) 2
    """
    spec = _method(run)
    known = {one.name: one for one in spec.outputs if one.name in run.facts["outputs"]}
    name = output or next(iter(known))
    if name not in known:
        raise BadCall(f"The run has no output {name!r}.", where=str(run.path), remedy=nearest(name, list(known)))
    table = run.output_file(name)
    made = _structure(spec, known[name], table, flow.agency if flow else "SC")
    if flow:
        made = replace(made, flow=flow)
    store.add_structures(artefacts_of(_with_known_codes(made, store)))
    with tempfile.TemporaryDirectory(prefix="statcommons-") as folder:
        file = write_csv(table, made, Path(folder) / f"{name}.csv")
        [done] = store.load(file, flow=made.flow, action="Replace", valid_from=valid_from)
    return done


def write_run(run: Run, folder: Path | str, agency: str = "SC", *, outputs: Sequence[str] | None = None) -> list[Path]:
    """Write the outputs of a run for SDMX: ``NAME.structure.xml`` (SDMX-ML) and ``NAME.csv`` (SDMX-CSV 2.0) each.

    The structure is SDMX-ML 2.1 where the output has one measure, and 3.0 where it has several.

    All files appear together or not at all; files of the same names are replaced. The same run gives the same bytes:
    the header states when the run was made. Confidential columns are in none of them.

    Parameters
    ----------
    run : Run
        A sealed run.
    folder : path
        Where the files go; made when it is not there.
    agency : str
        The id of the agency that maintains the structures.
    outputs : sequence of str, optional
        Which outputs; all by default.

    Returns
    -------
    list of pathlib.Path
        The files, structure before data.

    Raises
    ------
    BadCall
        When an output is not known or cannot be said in SDMX.
    BadData
        When an output does not fit its structure.
    ExtraMissing
        When lxml is not installed.
    NoInput
        When the run's description of its method is not there.
    NotAllowed, TryAgain
        When the files cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> from statcommons.core.run import run
    >>> sales = {"time": ["2026-01-05", "2026-02-09"], "product": ["a", "a"], "price": [2.0, 3.0], "quantity": [1, 3]}
    >>> with tempfile.TemporaryDirectory() as parent:
    ...     done = run("prices.bilateral_index", {"transactions": sales}, out=parent + "/run")
    ...     [file.name for file in write_run(done, parent + "/sdmx")]
    ['result.structure.xml', 'result.csv']
    """
    spec = _method(run)
    known = {one.name: one for one in spec.outputs if one.name in run.facts["outputs"]}
    names = list(known) if outputs is None else list(outputs)
    prepared = datetime.datetime.fromisoformat(str(run.facts["created"]))
    folder = Path(folder)
    files = []
    with together(folder) as partial:
        for name in names:
            table = run.output_file(name)
            made = _structure(spec, known[name], table, agency)
            files += [
                write_structure(made, partial / f"{name}.structure.xml", prepared=prepared),
                write_csv(table, made, partial / f"{name}.csv"),
            ]
    return [folder / file.name for file in files]


def _with_known_codes(made: Structure, store: Store) -> Structure:
    """Add the codes that the store knows already to lists that hold only what one table has."""
    codelists = (with_known_items(one, store.artefacts.find) if one.partial else one for one in made.codelists)
    return replace(made, codelists=tuple(codelists))


def _method(run: Run) -> MethodSpec:
    """Give the description of the method that a run sealed."""
    file = run.path / "method.toml"
    if not file.is_file():
        raise NoInput("The run does not say what its outputs are.", where=str(file), remedy="Run the method again.")
    return MethodSpec.from_toml(file.read_text(encoding="utf-8"))


def _structure(spec: MethodSpec, output: OutputSpec, table: Path, agency: str) -> Structure:
    """Name the dataflow after the method; an output that is not its main result adds its own name."""
    what = output.description or output.schema.description
    return structure(
        output.schema,
        agency=agency,
        id=sdmx_id(spec.id if output.name == "result" else f"{spec.id}_{output.name}"),
        description=f"{what} Method: {spec.id} {spec.version}, {spec.title}.".strip(),
        observed=observed_codes(table, output.schema),
    )
