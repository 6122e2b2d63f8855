"""The demo: from a public panel of 1.47 million transactions to a sealed price index, as a newcomer would do it."""

from __future__ import annotations

import os
import shutil
import sys
import webbrowser
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from statcommons.cli.show import shown
from statcommons.core.registry import find_source

if TYPE_CHECKING:
    from statcommons.core.run import Run

SOURCE = "prices.complete_journey"
METHOD = "prices.multilateral_index"


@click.command()
@click.option("--workspace", metavar="DIR", help="The workspace; default ./workspace.")
@click.option("--open/--no-open", "opens", default=None, help="Open the report; default: where there is a screen.")
def demo(workspace: str | None, opens: bool | None) -> None:
    """Compile a price index from 1.47 million transactions of a public panel, checked, drawn and sealed."""
    from statcommons.core.run import run

    about = find_source(SOURCE).spec
    click.echo(f"Data: {about.method.title} ({about.publisher}). {about.terms}", err=True)
    with shown():
        done = run(METHOD, {"transactions": f"source:{SOURCE}"}, on_bad_rows="set_aside", workspace=workspace)
        sdmx = _sdmx(done)
    _say(done, sdmx)
    wanted = opens if opens is not None else _has_screen()
    if wanted:
        webbrowser.open(done.report.absolute().as_uri())
    click.echo(done.path)


def _sdmx(done: Run) -> list[Path]:
    """Write the observations and their structure as other offices read them, beside the runs."""
    from statcommons.sdmx import write_run

    return write_run(done, done.path.parent.parent / "sdmx" / done.id)


def _say(done: Run, sdmx: list[Path]) -> None:
    table = done.output().to_pylist()
    tables: list[dict[str, Any]] = done.facts["inputs"]["transactions"]["tables"]
    first, last = table[0], table[-1]
    change = last["index"] / first["index"] - 1
    click.echo(
        f"{tables[0]['used']:,} of {tables[0]['rows']:,} transactions were used; "
        f"prices changed by {change:+.1%} from {first['period']} to {last['period']}.",
        err=True,
    )
    click.echo(f"Look at  {done.report}", err=True)
    click.echo(f"Rows     {done.output_file()}", err=True)
    for path in sdmx:
        click.echo(f"SDMX     {path}", err=True)
    click.echo(f"Again    statcommons rerun {done.path}", err=True)


def _has_screen() -> bool:
    screen = bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")) or sys.platform == "darwin"
    return (
        screen
        and sys.stderr.isatty()
        and any(map(shutil.which, ("xdg-open", "open", "firefox", "chromium", "google-chrome")))
    )
