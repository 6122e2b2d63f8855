"""Commands that compute: run, rerun, validate, report, simulate; their options come from the method's description."""

from __future__ import annotations

import json
import webbrowser
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from statcommons.cli.catalogue import complete_method
from statcommons.cli.show import KINDS, shown
from statcommons.cli.writing import companion, write_table
from statcommons.core import registry
from statcommons.core.errors import BadCall, counted

if TYPE_CHECKING:
    from statcommons.core.run import Run
    from statcommons.core.spec import MethodSpec, ParameterSpec

WORKSPACE = click.Option(["--workspace"], metavar="DIR", help="The workspace; default ./workspace.")
PROGRESS = click.Option(["--progress"], type=click.Choice(KINDS), default="auto", help="How progress is shown.")
JSON = click.Option(["--json", "as_json"], is_flag=True, help="The result, and any error, as JSON.")
ENGINE = click.Option(["--engine"], default="duckdb:", metavar="ADDRESS", help="duckdb: (default) or spark:local[2].")
MEMORY = click.Option(["--memory"], metavar="SIZE", help="The engine's memory limit, such as 2GB.")
THREADS = click.Option(["--threads"], type=click.IntRange(1), help="The engine's threads.")
SEED = click.Option(["--seed"], type=int, default=0, show_default=True, help="Where randomness starts.")
ON_BAD_ROWS = click.Option(
    ["--on-bad-rows"],
    type=click.Choice(["fail", "set_aside"]),
    default="fail",
    show_default=True,
    help="Whether bad rows stop the run, or are left out and kept in private/.",
)
OUT = click.Option(["--out"], type=click.Path(path_type=Path), metavar="DIR", help="The run's folder; must be new.")
MAP = click.Option(["--map"], multiple=True, metavar="INPUT=FILE", help="Column names and format of an input (TOML).")


class GatheringCommand(click.Command):
    """A command some of whose options take all the words that follow, as a shell expands a pattern."""

    def __init__(self, *args: Any, gathers: Sequence[str] = (), **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.gathers = set(gathers)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Write each gathered word behind an option of its own."""
        return super().parse_args(ctx, gathered(args, self.gathers))


def gathered(words: Sequence[str], options: set[str]) -> list[str]:
    """Repeat an option before each of the words that follow it.

    Examples
    --------
    >>> gathered(["--sales", "a.csv", "b.csv", "--window", "5"], {"--sales"})
    ['--sales', 'a.csv', '--sales', 'b.csv', '--window', '5']
    """
    found: list[str] = []
    option, fresh = "", False
    for word in words:
        if word.startswith("-") and len(word) > 1:
            option, fresh = (word if word in options else ""), True
            found.append(word)
        elif option:
            found += [word] if fresh else [option, word]
            fresh = False
        else:
            found.append(word)
    return found


def option_names(name: str) -> list[str]:
    """Give the spellings of an option: with hyphens, and as in Python."""
    return list(dict.fromkeys([f"--{name.replace('_', '-')}", f"--{name}"]))


def _input_options(spec: MethodSpec) -> list[click.Option]:
    options = []
    for one in spec.inputs:
        columns = ", ".join(column.name if column.required else f"[{column.name}]" for column in one.schema)
        text = f"{one.description or one.schema.description} Columns: {columns}."
        words = [*option_names(one.name), f"input_{one.name}"]
        options.append(
            click.Option(
                words,
                multiple=True,
                type=click.Path(readable=False),  # who may not read it is told so by the reading
                metavar="FILE…",
                help=text + _if(not one.required, " Optional."),
            )
        )
    return options


def _parameter_options(parameters: Sequence[ParameterSpec]) -> list[click.Option]:
    options = []
    for one in parameters:
        default = "required" if one.required else f"default: {_written(one.default)}"
        notes = "; ".join(filter(None, (default, one.allowed(), one.unit)))
        words = [*option_names(one.name), f"parameter_{one.name}"]
        options.append(click.Option(words, metavar="VALUE", help=f"{one.description} [{notes}]"))
    return options


def _written(value: Any) -> str:
    return "none" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


def _if(condition: bool, text: str) -> str:
    return text if condition else ""


def _given(options: dict[str, Any], prefix: str) -> dict[str, Any]:
    return {
        name.removeprefix(prefix): value
        for name, value in options.items()
        if name.startswith(prefix) and value not in (None, ())
    }


def _parameters(spec: Sequence[ParameterSpec], options: dict[str, Any]) -> dict[str, Any]:
    from statcommons.core.spec import from_text

    schemas = {one.name: one.schema for one in spec}
    return {name: from_text(schemas[name], text) for name, text in _given(options, "parameter_").items()}


def _inputs(spec: MethodSpec, options: dict[str, Any]) -> dict[str, Any]:
    given = _given(options, "input_")
    kinds = {one.name: one.kind for one in spec.inputs}
    return {
        name: list(files) if kinds[name] == "tables" or len(files) > 1 else files[0] for name, files in given.items()
    }


# --- run ------------------------------------------------------------------------------------------------------------


class MethodGroup(click.Group):
    """A group with one command a method, made from its description when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """List the methods."""
        return list(registry.methods())

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command:
        """Make the command of a method."""
        return _run_command(registry.find_method(cmd_name).spec)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the methods without importing them."""
        with formatter.section("Methods"):
            formatter.write_dl([(one.id, one.title) for one in registry.methods().values()])


@click.command(cls=MethodGroup, subcommand_metavar="METHOD [OPTIONS]")
def run() -> None:
    """Run a method and seal the result; the run's folder is the last line of standard output."""


def _run_command(spec: MethodSpec) -> click.Command:
    gathers = [name for one in spec.inputs for name in option_names(one.name)]
    options: list[click.Parameter] = [*_input_options(spec), *_parameter_options(spec.parameters)]
    options += [OUT, ENGINE, MAP, ON_BAD_ROWS, MEMORY, THREADS, SEED, WORKSPACE, PROGRESS, JSON]
    text = f"{spec.title}.\n\n{spec.description}"
    return GatheringCommand(spec.id, callback=_run(spec), params=options, help=text, gathers=gathers)


def _run(spec: MethodSpec) -> Callable[..., None]:
    def call(**options: Any) -> None:
        from statcommons.core.run import run as run_method

        with shown(options["progress"]):
            done = run_method(
                spec.id,
                _inputs(spec, options),
                _parameters(spec.parameters, options),
                mappings=_mappings(options["map"]),
                **{
                    name: options[name]
                    for name in ("out", "engine", "on_bad_rows", "memory", "threads", "seed", "workspace")
                },
            )
        for notice in done.facts["notices"]:
            click.echo(f"Notice: {notice}", err=True)
        for name, output in done.facts["outputs"].items():
            click.echo(f"{name}: {counted(output['rows'], 'row')} in {done.path / output['file']}", err=True)
        click.echo(f"Report: {done.report}", err=True)
        click.echo(
            json.dumps({"path": str(done.path), **done.facts}, ensure_ascii=False) if options["as_json"] else done.path
        )

    return call


def _mappings(given: Sequence[str]) -> dict[str, Path]:
    found = {}
    for word in given:
        name, sign, file = word.partition("=")
        if not sign or not file:
            raise BadCall(f"--map is {word!r}.", remedy="Give INPUT=FILE, such as transactions=columns.toml.")
        found[name] = Path(file)
    return found


# --- rerun, report --------------------------------------------------------------------------------------------------


@click.command(context_settings={"ignore_unknown_options": True})
@click.argument("run_", metavar="RUN")
@click.argument("words", nargs=-1, type=click.UNPROCESSED, metavar="[--INPUT FILE…]")
@click.option("--tolerance", type=click.FloatRange(0), help="Relative difference that is let pass.")
def rerun(run_: str, words: tuple[str, ...], tolerance: float | None, **options: Any) -> None:
    """Compute RUN (a folder or an id) again and compare; exit code 1 if an output differs.

    Inputs are looked for at the option of their name, where they were, then beside the run.
    """
    from statcommons.core.rerun import rerun as compute_again
    from statcommons.core.run import load_run

    done = load_run(run_, options["workspace"])
    inputs = _named_inputs(done, words)
    with shown(options["progress"]):
        found = compute_again(done, inputs, tolerance=tolerance, engine=options["engine"], memory=options["memory"])
    for name in found.changed_inputs:
        click.echo(f"The input {name} is not the one of the run.", err=True)
    for file in found.changed_files:
        click.echo(f"No file with the content of {file} was given.", err=True)
    if found.changed_code:
        click.echo("The code is not the one of the run.", err=True)
    if options["as_json"]:
        click.echo(json.dumps(found.as_dict()))
    else:
        for one in found.differences:
            verdict = "" if one.same_bytes or not one.within(found.tolerance) else f" (within {found.tolerance:g})"
            click.echo(f"{one}{verdict}")
    if not found.same:
        raise click.exceptions.Exit(1)


rerun.params += [ENGINE, MEMORY, WORKSPACE, PROGRESS, JSON]


def _named_inputs(done: Run, words: Sequence[str]) -> dict[str, Any]:
    """Read --INPUT FILE… from the words that are no option of ours."""
    names = {spelling: name for name in done.facts["inputs"] for spelling in option_names(name)}
    found: dict[str, list[str]] = {}
    current = ""
    for word in words:
        option, sign, value = word.partition("=")
        if word.startswith("-"):
            if option not in names:
                raise BadCall(f"There is no option {option}.", remedy=f"Inputs of the run: {', '.join(names)}.")
            current = names[option]
            found.setdefault(current, []).extend([value] if sign else [])
        elif current:
            found[current].append(word)
        else:
            raise BadCall(f"{word!r} stands alone.", remedy=f"Name its input: {', '.join(names)}.")
    return {name: files[0] if len(files) == 1 else files for name, files in found.items()}


@click.command()
@click.argument("run_", metavar="RUN")
@click.option("--open", "opens", is_flag=True, help="Open it in the browser.")
def report(run_: str, opens: bool, workspace: str | None) -> None:
    """Name the report of RUN (a folder or an id), or open it."""
    from statcommons.core.run import load_run

    done = load_run(run_, workspace)
    if opens:
        webbrowser.open(done.report.absolute().as_uri())
    click.echo(done.report)


report.params.append(WORKSPACE)


# --- validate -------------------------------------------------------------------------------------------------------


@click.command()
@click.argument("input_", metavar="METHOD.INPUT", shell_complete=complete_method)
@click.argument("files", nargs=-1, required=True, type=click.Path(readable=False), metavar="FILE…")
@click.option(
    "--map", "mapping", type=click.Path(path_type=Path), metavar="FILE", help="Column names and format (TOML)."
)
def validate(input_: str, files: tuple[str, ...], mapping: Path | None, **options: Any) -> None:
    """Check FILEs against an input of a method; nothing is written."""
    from statcommons.core.check import bind
    from statcommons.core.engine import connect
    from statcommons.core.reading import read

    method, _, name = input_.rpartition(".")
    if method not in registry.methods():
        raise BadCall(
            f"{input_!r} names no input.", remedy="Give METHOD.INPUT, such as prices.unit_values.transactions."
        )
    schema = registry.find_method(method).spec.input(name).schema
    with shown(options["progress"]), connect(options["engine"], memory=options["memory"]) as engine:
        reading = read(list(files), engine=engine, mapping=mapping, label=name)
        found = bind(reading, schema)
    for note in found.notes:
        click.echo(f"Notice: {note}", err=True)
    if options["as_json"]:
        click.echo(json.dumps({"valid": True, "rows": found.rows, "notes": list(found.notes)}, ensure_ascii=False))
    else:
        click.echo(f"{name}: {counted(found.rows, 'row')}, no rule is broken.")


validate.params += [ENGINE, MEMORY, PROGRESS, JSON]


# --- simulate -------------------------------------------------------------------------------------------------------


class SourceGroup(click.Group):
    """A group with one command a simulator."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """List the simulators."""
        return [id for id in registry.sources() if registry.find_source(id).spec.access == "simulated"]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command:
        """Make the command of a simulator."""
        spec = registry.find_source(cmd_name).spec
        if spec.access != "simulated":
            raise BadCall(
                f"{cmd_name} is no simulator.", remedy=f"Get it: statcommons sources {cmd_name} --fetch FILE."
            )
        out = click.Option(
            ["--out"], required=True, type=click.Path(path_type=Path), metavar="FILE", help=".csv or .parquet"
        )
        options: list[click.Parameter] = [out, SEED, *_parameter_options(spec.method.parameters), PROGRESS]
        return click.Command(cmd_name, callback=_simulate(cmd_name), params=options, help=spec.method.title)


@click.command(cls=SourceGroup, subcommand_metavar="SOURCE --out FILE [OPTIONS]")
def simulate() -> None:
    """Write simulated data to FILE, and the truth behind them to the folder _truth beside it.

    A folder of such files can be read as it is: _truth is passed over.
    """


def _simulate(id: str) -> Callable[..., None]:
    def call(out: Path, seed: int, progress: str, **options: Any) -> None:
        import dataclasses

        from statcommons.core.seed import seeded

        source = registry.find_source(id)
        with shown(progress), seeded(seed):
            made = source(**_parameters(source.spec.method.parameters, options))
            tables = (
                {one.name: getattr(made, one.name) for one in dataclasses.fields(made)}
                if dataclasses.is_dataclass(made)
                else {"": made}
            )
            for number, (name, table) in enumerate(tables.items()):
                target = out if number == 0 else companion(out, name)
                write_table(table, target)
                click.echo(target, err=number > 0)

    return call
