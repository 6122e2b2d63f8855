"""Commands of SDMX: a store filled, asked and served, and files checked, converted and made to be filled in."""

from __future__ import annotations

import datetime
import json
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any
from urllib.parse import urlsplit

import click

from statcommons.cli.show import KINDS, shown
from statcommons.core.errors import BadCall, BadData, NoInput, StatCommonsError, counted, nearest
from statcommons.core.workspace import workspace

if TYPE_CHECKING:
    from statcommons.sdmx.model import Ref
    from statcommons.sdmx.store import Loaded, Store
    from statcommons.sdmx.structure import Structure

ACTIONS = {"replace": "Replace", "merge": "Merge", "delete": "Delete"}
FILE = click.Path(path_type=Path)

store_option = click.option("--store", "folder", type=FILE, metavar="DIR", help="The store; default ./workspace/store.")
progress_option = click.option("--progress", type=click.Choice(KINDS), default="auto", help="How progress is shown.")
json_option = click.option("--json", "as_json", is_flag=True, help="The result, and any error, as JSON.")
flow_option = click.option("--flow", metavar="AGENCY:ID(VERSION)", help="The dataflow.")
valid_option = click.option("--valid-from", metavar="TIME", help="When it is public: 2026-12-01T09:00:00+02:00; now.")
mapping_option = click.option("--mapping", type=FILE, metavar="FILE", help="Which column is which component (TOML).")
structure_option = click.option("--structure", type=FILE, metavar="FILE", help="The structure message.")


@click.group()
def sdmx() -> None:
    """Publish, ask and exchange statistics in SDMX."""


# --- a store --------------------------------------------------------------------------------------------------------


@sdmx.command()
@click.argument("files", nargs=-1, required=True, type=FILE, metavar="STRUCTURE_OR_DATA_FILE...")
@store_option
@flow_option
@click.option(
    "--action",
    type=click.Choice(list(ACTIONS)),
    help="What is done with the rows, whatever the files say; delete empties the values that a row names, and takes "
    "the observation away where it names none.",
)
@valid_option
@click.option("--on-bad-rows", type=click.Choice(["fail", "set_aside"]), default="fail", show_default=True)
@mapping_option
@progress_option
@json_option
def load(
    files: tuple[Path, ...],
    folder: Path | None,
    flow: str | None,
    action: str | None,
    valid_from: str | None,
    on_bad_rows: Any,
    mapping: Path | None,
    progress: str,
    as_json: bool,
) -> None:
    """Load structures and data into a store: all of it is right and loaded, or nothing is changed.

    The content tells which files are structure messages and which are data. Structures that the store knows may be left
    out.
    """
    from statcommons.sdmx.reading import is_data
    from statcommons.sdmx.structures import read_structures

    store, when = _store(folder), _moment(valid_from)
    with shown(progress):
        data = [file for file in files if is_data(file)]
        artefacts = [one for file in files if file not in data for one in read_structures(file)]
        act: Any = ACTIONS[action] if action else None
        done = (
            store.load(
                *data,
                flow=flow,
                action=act,
                valid_from=when,
                mapping=mapping,
                on_bad_rows=on_bad_rows,
                structures=artefacts,
            )
            if data
            else []
        )
        if not data:
            store.add_structures(artefacts)
    _say_loaded(done, store, as_json)


@sdmx.command()
@click.argument("run", type=FILE)
@store_option
@flow_option
@click.option("--output", default="", metavar="NAME", help="Which output of the run; default: the main one.")
@valid_option
@progress_option
@json_option
def publish(
    run: Path, folder: Path | None, flow: str | None, output: str, valid_from: str | None, progress: str, as_json: bool
) -> None:
    """Publish the output of a run: its structure is made from what the method declares."""
    from statcommons.core.run import load_run
    from statcommons.sdmx import publishing
    from statcommons.sdmx.model import parse_reference

    store = _store(folder)
    with shown(progress):
        named = parse_reference(flow) if flow else None
        done = publishing.publish(load_run(run), store, named, output=output, valid_from=_moment(valid_from))
    _say_loaded([done], store, as_json)


@sdmx.command("load-sdg")
@click.argument("file", type=FILE)
@store_option
@click.option("--agency", default="SC", show_default=True, help="Who maintains the structures that are made.")
@valid_option
@click.option("--on-bad-rows", type=click.Choice(["fail", "set_aside"]), default="fail", show_default=True)
@progress_option
@json_option
def load_sdg(
    file: Path, folder: Path | None, agency: str, valid_from: str | None, on_bad_rows: Any, progress: str, as_json: bool
) -> None:
    """Load an export of the United Nations' SDG database, with the global framework of goals and indicators."""
    from statcommons.sdmx.sdg import loading

    store, when = _store(folder), _moment(valid_from)
    with shown(progress):
        done = loading.load_sdg(store, file, agency=agency, valid_from=when, on_bad_rows=on_bad_rows)
    _say_loaded([done], store, as_json)


@sdmx.command()
@click.argument("target", type=FILE, metavar="OUT")
@store_option
@click.option("--url", required=True, metavar="URL", help="The address under which the service answers.")
@click.option("--publisher", required=True, metavar="NAME", help="Who publishes.")
@click.option("--publisher-url", required=True, metavar="URL", help="The publisher's own address.")
@click.option("--licence", default="", metavar="URL", help="The address of the licence of all data.")
def catalogue(target: Path, folder: Path | None, url: str, publisher: str, publisher_url: str, licence: str) -> None:
    """Write what is public of a store as a catalogue: DCAT-AP (.ttl, .rdf, .jsonld), feed (.rss, .atom) or .ics."""
    from statcommons.sdmx.catalogue import calendar, dcat, feeds
    from statcommons.sdmx.catalogue.published import Publisher, catalogue_of
    from statcommons.sdmx.placing import together
    from statcommons.sdmx.store import Store

    forms: dict[str, Callable[[Any], bytes]] = {
        ".ttl": lambda found: dcat.dcat(found, "turtle"),
        ".rdf": lambda found: dcat.dcat(found, "xml"),
        ".jsonld": lambda found: dcat.dcat(found, "json-ld"),
        ".rss": feeds.rss,
        ".atom": feeds.atom,
        ".ics": calendar.release_calendar,
    }
    suffix = target.suffix.lower()
    if suffix not in forms:
        raise BadCall(
            f"The name {target.name} does not tell a form.",
            where=str(target),
            remedy=nearest(suffix, list(forms)),
        )
    found = catalogue_of(Store(_there(folder)), url, Publisher({"en": publisher}, publisher_url), licence=licence)
    with together(target.parent) as partial:
        (partial / target.name).write_bytes(forms[suffix](found))
    click.echo(target)


@sdmx.command()
@click.argument("number", type=int)
@store_option
@flow_option
def withdraw(number: int, folder: Path | None, flow: str | None) -> None:
    """Take back a load that is not public yet. What was published stays."""
    store = _store(_there(folder))
    store.withdraw(_flow(store, flow), number)
    click.echo(f"Load {number} is withdrawn.", err=True)


@sdmx.command()
@store_option
@json_option
def flows(folder: Path | None, as_json: bool) -> None:
    """List the dataflows of a store, with what is public of each."""
    store = _store(_there(folder))
    found = [_of_flow(store, one) for one in store.flows()]
    if as_json:
        click.echo(json.dumps(found, ensure_ascii=False))
        return
    for row in found:
        if row["missing"]:
            click.echo(f"{row['flow']}  {row['name']}\n    {row['missing']}")
            continue
        span = " to ".join(dict.fromkeys(row["periods"])) or "no data"
        counts = f"{counted(row['observations'], 'observation')}, {row['series']:,} series"
        click.echo(f"{row['flow']}  {row['name']}\n    {counts}, {span}, changed {row['modified'] or 'never'}")


def _of_flow(store: Store, flow: Ref) -> dict[str, Any]:
    """Tell what is public of a dataflow, or what it lacks: one without its structure hides no other."""
    from statcommons.sdmx.model import in_language
    from statcommons.sdmx.query.data import DataQuery

    known: dict[str, Any] = {"flow": str(flow), "observations": 0, "series": 0, "periods": [], "modified": None}
    try:
        name = in_language(store.structure(flow).name)
    except BadData as error:
        usage = store.artefacts.find(flow)
        return known | {"name": in_language(usage.name) if usage else "", "missing": f"{error.what} {error.remedy}"}
    there, facts = store.availability(DataQuery(flow)), store.facts(flow)
    return known | {
        "name": name,
        "observations": there.observations,
        "series": there.series,
        "periods": [period.text for period in there.periods],
        "modified": facts.modified and f"{facts.modified.isoformat(timespec='seconds')}Z",
        "missing": "",
    }


@sdmx.command()
@store_option
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen at; 0.0.0.0 is all.")
@click.option("--port", default=8080, show_default=True, type=click.IntRange(0, 65_535), help="0 takes a free one.")
@click.option("--processes", type=click.IntRange(1), help="How many; default: as many as there are processors.")
def serve(folder: Path | None, host: str, port: int, processes: int | None) -> None:
    """Serve a store by SDMX REST 1.5 (/sdmx/v1) and 2.2 (/sdmx/v2) until it is stopped."""
    from statcommons.sdmx.service.serve import serve as run

    run(_there(folder), host=host, port=port, processes=processes)


@sdmx.command()
@click.argument("address", metavar="PATH_OR_URL")
@store_option
@click.option("--accept", default="*/*", metavar="TYPE", help="The media type, as the header Accept has it.")
@click.option("--out", type=FILE, metavar="FILE", help="Where the answer goes; default: standard output.")
def get(address: str, folder: Path | None, accept: str, out: Path | None) -> None:
    """Answer a request without a server: a path such as data/dataflow/UNGP/DF_SDG/1.0, or a whole address."""
    from statcommons.sdmx.placing import together
    from statcommons.sdmx.service.answer import answer
    from statcommons.sdmx.service.exchange import Request
    from statcommons.sdmx.store import Store

    parts = urlsplit(address)
    path = parts.path if parts.path.startswith("/") else f"/{parts.path}"
    path = path[path.index("/sdmx/v") :] if "/sdmx/v" in path else f"/sdmx/v2{path}"
    response = answer(Store(_there(folder)), Request(path, parts.query, headers={"accept": accept}))
    if response.status >= 400:
        raise _refusal(response.status, b"".join(response.body), address)
    if response.status == 204:
        click.echo("There are no data.", err=True)
        return
    if out is None:
        _pass_on(response.body, sys.stdout.buffer)
        return
    with together(out.parent) as partial, (partial / out.name).open("wb") as file:
        _pass_on(response.body, file)
    click.echo(out)


# --- files ----------------------------------------------------------------------------------------------------------


@sdmx.command()
@click.argument("files", nargs=-1, required=True, type=FILE, metavar="DATA_FILE...")
@structure_option
@store_option
@flow_option
@mapping_option
@json_option
def validate(
    files: tuple[Path, ...],
    structure: Path | None,
    folder: Path | None,
    flow: str | None,
    mapping: Path | None,
    as_json: bool,
) -> None:
    """Check data against their structure and tell every fault; nothing is loaded."""
    import duckdb

    from statcommons.sdmx.reading import checked, read_rows
    from statcommons.sdmx.reading.regions import binding
    from statcommons.sdmx.structures import read_structures

    known = _structure(structure, folder, flow)
    constraints = binding(read_structures(structure) if structure else _store(folder).artefacts, known)
    rows = [one for file in files for one in read_rows(file, known, mapping=mapping)]
    other = [one for one in rows if one.structure not in ("", str(known.flow), str(known.definition))]
    if other:
        raise BadData(
            f"The data are of {other[0].structure}.",
            where=other[0].path,
            remedy=f"Check them by that, not {known.flow}.",
        )
    with duckdb.connect() as engine:
        found = checked(engine, rows, known, constraints=constraints)
    for note in found.notes:
        click.echo(note, err=True)
    if as_json:
        click.echo(json.dumps({"rows": found.rows, "flow": str(known.flow), "notes": list(found.notes)}))
    else:
        click.echo(f"{counted(found.rows, 'row')} {'satisfies' if found.rows == 1 else 'satisfy'} {known.flow}.")


@sdmx.command()
@click.argument("source", metavar="IN")
@click.argument("target", type=FILE, metavar="OUT")
@structure_option
@flow_option
@click.option("--format", default="", metavar="NAME", help="Such as csv-1.0, json-2.1, ml-3.0; default: by the suffix.")
@mapping_option
def convert(
    source: str, target: Path, structure: Path | None, flow: str | None, format: str, mapping: Path | None
) -> None:
    """Turn a message into another format: structures into structures, data (with --structure) into data."""
    from statcommons.sdmx.files import convert as run
    from statcommons.sdmx.files import structure_in

    known = structure_in(structure, flow) if structure and flow else structure
    click.echo(run(source, target, structure=known, format=format, mapping=mapping))


@sdmx.command()
@click.argument("flow", metavar="FLOW")
@click.argument("target", type=FILE, metavar="OUT.xlsx")
@structure_option
@store_option
@click.option("--lang", "languages", multiple=True, metavar="LANG", help="Languages of names, best first; default en.")
def template(flow: str, target: Path, structure: Path | None, folder: Path | None, languages: tuple[str, ...]) -> None:
    """Make a workbook to fill in, with the codes of a dataflow to choose from; load and validate read it."""
    from statcommons.sdmx.reading.template import write_template

    click.echo(write_template(_structure(structure, folder, flow), target, languages=languages or ("en",)))


# --- the parts ------------------------------------------------------------------------------------------------------


def _store(folder: Path | None) -> Store:
    from statcommons.sdmx.store import Store

    return Store(folder or workspace().path / "store")


def _there(folder: Path | None) -> Path:
    """Give the folder of a store that must be there."""
    path = folder or workspace().path / "store"
    if not (path / "store.json").is_file():
        raise NoInput("There is no store.", where=str(path), remedy="Make one: statcommons sdmx load STRUCTURE_FILE.")
    return path


def _flow(store: Store, flow: str | None) -> Ref:
    """Give the dataflow of a name, or the only one."""
    from statcommons.sdmx.model import parse_reference

    if flow:
        return parse_reference(flow)
    names = [str(one) for one in store.flows()]
    if len(names) != 1:
        raise BadCall(f"The store has {counted(len(names), 'dataflow')}.", remedy=nearest("", names))
    return store.flows()[0]


def _structure(file: Path | None, folder: Path | None, flow: str | None) -> Structure:
    from statcommons.sdmx.files import structure_in

    if file:
        return structure_in(file, flow or "")
    store = _store(_there(folder))
    return store.structure(_flow(store, flow))


def _moment(text: str | None) -> datetime.datetime | None:
    if text is None:
        return None
    try:
        moment = datetime.datetime.fromisoformat(text)
        return moment.astimezone(datetime.UTC) if moment.tzinfo else moment
    except (ValueError, OverflowError):  # a zone may lead out of the years that there are
        raise BadCall(
            f"{text!r} is no time.",
            where="--valid-from",
            remedy="Write 2026-12-01T09:00:00Z; without a zone it is UTC.",
        ) from None


def _say_loaded(done: list[Loaded], store: Store, as_json: bool) -> None:
    facts = []
    for one in done:
        counts = {name: getattr(one.changed, name) for name in ("added", "changed", "deleted", "unchanged")}
        when = f"{one.valid_from.isoformat(timespec='microseconds')}Z"
        aside = one.set_aside.num_rows if one.set_aside is not None else 0
        facts.append({"flow": str(one.flow), "load": one.number, "valid_from": when, "rows": one.rows} | counts)
        facts[-1]["set_aside"] = aside
        for note in one.notes:
            click.echo(note, err=True)
        if aside:
            _tell_aside(one)
        if not as_json:
            words = ", ".join(f"{count:,} {name}" for name, count in counts.items())
            click.echo(f"{one.flow}: {words}; public from {when}" + (f" (load {one.number})" if one.number else ""))
    if as_json:
        click.echo(json.dumps(facts))
    elif not done:
        click.echo(f"{counted(len(store.artefacts), 'structure')} in {store.path}.")


def _tell_aside(one: Loaded) -> None:
    """Keep the rows that were set aside where the user can mend them."""
    import pyarrow.csv

    with tempfile.NamedTemporaryFile(suffix=".csv", prefix="set-aside-", delete=False) as file:
        pyarrow.csv.write_csv(one.set_aside, file)
    click.echo(f"The rows that were set aside are in {file.name}", err=True)


def _pass_on(body: Any, file: IO[bytes]) -> None:
    for block in body:
        file.write(block)
    file.flush()


def _refusal(status: int, body: bytes, address: str) -> StatCommonsError:
    """Turn an answer that refuses into an error with the exit code of its kind."""
    text = body.decode("utf-8", "replace")
    kinds: dict[int, type[StatCommonsError]] = {404: NoInput, 422: BadData}
    return kinds.get(status, BadCall)(_words(text) or f"Status {status}.", where=address)


def _words(body: str) -> str:
    """Give the words of an error message, whichever its format."""
    import re

    try:
        errors = json.loads(body).get("errors", [])
        return " ".join(str(one.get("detail") or one.get("title")) for one in errors)
    except (ValueError, AttributeError):
        return " ".join(re.findall(r"<(?:\w+:)?Text[^>]*>([^<]*)<", body))
