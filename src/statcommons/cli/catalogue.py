"""Commands that look things up: methods, describe, sources."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from statcommons.core import registry
from statcommons.core.errors import BadCall, NoInput

if TYPE_CHECKING:
    from statcommons.core.spec import MethodSpec


@click.command()
@click.argument("text", required=False, default="")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def methods(text: str, as_json: bool) -> None:
    """List the methods that are installed, or those that mention TEXT."""
    _list(registry.methods(), text, as_json, "method")


def _list(found: dict[str, registry.Entry], text: str, as_json: bool, what: str) -> None:
    wanted = text.lower()
    entries = [one for one in found.values() if wanted in f"{one.id} {one.title} {one.topic}".lower()]
    if as_json:
        facts = [{"id": one.id, "version": one.version, "title": one.title, "topic": one.topic} for one in entries]
        click.echo(json.dumps(facts, ensure_ascii=False))
        return
    if not entries:
        raise NoInput(f"No {what} mentions {text!r}.", remedy=f"List all: statcommons {what}s.")
    width = max(len(one.id) for one in entries)
    room = max(20, shutil.get_terminal_size((120, 24)).columns - width - 12)
    for one in entries:
        title = one.title if len(one.title) <= room else one.title[: room - 1] + "…"
        click.echo(f"{one.id:<{width}}  {one.version:<8}  {title}")


def complete_method(_: click.Context, __: click.Parameter, incomplete: str) -> list[str]:
    """Complete the id of a method in the shell."""
    return [id for id in registry.methods() if id.startswith(incomplete)]


def spec_of(method: str) -> MethodSpec:
    """Give the spec of a method by id, or from a method.toml."""
    from statcommons.core.spec import MethodSpec

    if method.endswith(".toml"):
        path = Path(method)
        if not path.is_file():
            raise NoInput("There is no such file.", where=method, remedy="Check the path.")
        return MethodSpec.from_toml(path.read_text(encoding="utf-8"))
    return registry.find_method(method).spec


@click.command()
@click.argument("method", shell_complete=complete_method)
@click.option("--json", "form", flag_value="json", help="The whole description as JSON.")
@click.option("--ogc", "form", flag_value="ogc", help="An OGC API process description.")
@click.option("--toml", "form", flag_value="toml", help="method.toml, from which all faces can be made.")
@click.option("--form", "form", flag_value="form", help="The JSON Schema of a form.")
def describe(method: str, form: str | None) -> None:
    """Describe METHOD (an id, or the path of a method.toml); a page in Markdown by default."""
    from statcommons.core import faces

    spec = spec_of(method)
    written: dict[str | None, Any] = {
        None: lambda: faces.page(spec),
        "json": lambda: json.dumps(spec.as_dict(), indent=1, ensure_ascii=False),
        "ogc": lambda: json.dumps(faces.ogc_process(spec), indent=1, ensure_ascii=False),
        "toml": spec.as_toml,
        "form": lambda: json.dumps(faces.form(spec), indent=1, ensure_ascii=False),
    }
    click.echo(written[form]().rstrip("\n"))


@click.command()
@click.argument("text", required=False, default="")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@click.option("--fetch", type=click.Path(path_type=Path, dir_okay=False), help="Get the source TEXT into this file.")
def sources(text: str, as_json: bool, fetch: Path | None) -> None:
    """List the data sets and simulators, or those that mention TEXT; show one by its id, and get it by --fetch."""
    if fetch is None:
        if text in registry.sources() and not as_json:
            click.echo(_card(text))
            return
        _list(registry.sources(), text, as_json, "source")
        return
    from statcommons.cli.show import shown
    from statcommons.cli.writing import write_table

    source = registry.find_source(text)
    if source.spec.access == "simulated":
        raise BadCall(f"{text} is a simulator.", remedy=f"Write: statcommons simulate {text} --out {fetch}.")
    with shown():
        write_table(source(), fetch)
    click.echo(fetch)


def _card(id: str) -> str:
    spec = registry.find_source(id).spec
    facts = {
        "Access": spec.access + (f" (extra {spec.extra})" if spec.extra else ""),
        "Publisher": spec.publisher,
        "Licence": spec.licence,
        "Terms": spec.terms,
        "References": "; ".join(spec.method.references),
    }
    lines = [f"{id} {spec.method.version}", spec.method.title, "", spec.method.description, ""]
    lines += [f"{name}: {value}" for name, value in facts.items() if value]
    columns = spec.method.outputs[0].schema
    return "\n".join([*lines, "", f"Columns: {', '.join(column.name for column in columns)}"])
