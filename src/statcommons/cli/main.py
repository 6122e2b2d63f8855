"""The entry point: commands that are imported when they are called, and errors that end in one exit code each."""

from __future__ import annotations

import json
import os
import sys
from importlib import import_module
from typing import Any

import click

from statcommons.core.errors import BadCall, Cancelled, ExtraMissing, OurBug, StatCommonsError, nearest

COMMANDS = {
    "methods": ("catalogue", "List the methods that are installed."),
    "describe": ("catalogue", "Describe a method: page, JSON, OGC process or method.toml."),
    "sources": ("catalogue", "List the data sets and simulators; fetch one that you ask for."),
    "run": ("running", "Run a method and seal the result."),
    "rerun": ("running", "Compute a run again and compare."),
    "validate": ("running", "Check files against an input of a method."),
    "report": ("running", "Name the report of a run, or open it."),
    "simulate": ("running", "Write simulated data whose truth is known."),
    "sdmx": ("sdmx", "Publish, ask and exchange statistics in SDMX."),
    "init": ("hub", "Make a workspace ready for a hub."),
    "serve": ("hub", "Serve a hub: its pages and one worker."),
    "worker": ("hub", "Run the jobs of a hub."),
    "createadmin": ("hub", "Make an administrator of a hub."),
    "audit": ("hub", "Find out whether the record of a hub is whole."),
    "demo": ("demo", "Compile a price index from 1.47 million transactions."),
    "doctor": ("doctor", "Say what is installed and what is missing."),
    "upgrade": ("doctor", "Bring the workspace to the format of this version."),
}

LIKENESS = 0.7
"""How like a command a word must be to be taken for it: names are short, and a wrong guess misleads more than none."""

HELP = """Trusted data, trusted methods: official statistics from big data.

\b
statcommons demo                                  see it work
statcommons methods prices                        find a method
statcommons run prices.multilateral_index --help  its options
"""

EXITS = """
Exit codes: 0 done, 1 a rerun differs, 64 bad call, 65 bad data, 66 no input, 69 extra missing, 70 our bug,
75 try again, 77 not allowed, 130 interrupted.
"""


class LateGroup(click.Group):
    """A group whose commands are imported when they are called, so that --help answers at once."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Give the names in the order of the line, from catalogue to care."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command."""
        if cmd_name not in COMMANDS:
            return None
        module = import_module(f"statcommons.cli.{COMMANDS[cmd_name][0]}")
        command: click.Command = getattr(module, cmd_name)
        return command

    def resolve_command(self, ctx: click.Context, args: list[str]) -> Any:
        """Name the nearest command where there is none of that name."""
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            raise BadCall(
                f"There is no command {args[0]!r}.", remedy=nearest(args[0], list(COMMANDS), likeness=LIKENESS)
            )
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])


@click.command(cls=LateGroup, help=HELP, epilog=EXITS, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(None, "-V", "--version", package_name="statcommons")
def cli() -> None:
    """Trusted data, trusted methods: official statistics from big data."""


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and leave with its exit code."""
    words = sys.argv[1:] if arguments is None else arguments
    try:
        code = cli.main(words, prog_name="statcommons", standalone_mode=False)
        sys.stdout.flush()
    except StatCommonsError as error:
        code = refuse(error, words)
    except click.exceptions.Exit as left:
        code = left.exit_code
    except click.UsageError as error:
        help_words = f" See: {error.ctx.command_path} --help." if error.ctx else ""
        code = refuse(BadCall(error.format_message(), remedy=help_words.strip()), words)
    except (click.Abort, KeyboardInterrupt):
        code = refuse(Cancelled(), words)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 0
    except Exception as error:
        if os.environ.get("STATCOMMONS_DEBUG"):
            raise
        code = refuse(_told(error), words)
    sys.exit(code if isinstance(code, int) else 0)


def _told(error: Exception) -> StatCommonsError:
    """Say what no one has foreseen: a part that is not installed, or a fault of ours."""
    from statcommons.cli.doctor import EXTRAS

    missing = (getattr(error, "name", None) or "").partition(".")[0] if isinstance(error, ImportError) else ""
    if extra := next((extra for extra, modules in EXTRAS.items() if missing in modules), ""):
        return ExtraMissing(f"This needs {missing}, which is not installed.", extra=extra)
    return OurBug(
        f"{type(error).__name__}: {error}",
        remedy="This is our fault: tell us, with what STATCOMMONS_DEBUG=1 prints. Nothing was written.",
    )


def refuse(error: StatCommonsError, words: list[str]) -> int:
    """Say what was wrong on standard error, in words or, with --json, as JSON."""
    text = json.dumps(error.as_dict(), ensure_ascii=False) if "--json" in words else f"statcommons: {error}"
    click.echo(text, err=True)
    return error.exit_code
