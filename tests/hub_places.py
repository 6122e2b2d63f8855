"""Where the tests of the hub keep it: a database made once and copied for each test, on SQLite and on PostgreSQL."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from unittest.mock import patch

PROGRAMS = max(Path("/usr/lib/postgresql").glob("*/bin"), default=None, key=lambda one: int(one.parent.name))


@contextlib.contextmanager
def server():
    """Run a PostgreSQL server of our own; gives the folder of its socket."""
    # Not within pytest's folder, which it shuts anew for all others each time that it begins.
    with tempfile.TemporaryDirectory(prefix="postgresql-") as name:
        folder = Path(name)
        if os.geteuid() == 0:  # as whom the server refuses to run
            shutil.chown(folder, "postgres", "postgres")
            folder.chmod(0o755)
        with _running(folder, folder / "data"):
            yield folder


@contextlib.contextmanager
def _running(folder: Path, data: Path):
    _run(PROGRAMS / "initdb", "-D", data, "-U", "hub", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync")
    options = f"-c listen_addresses='' -c unix_socket_directories='{folder}' -c fsync=off"
    _run(PROGRAMS / "pg_ctl", "-D", data, "-w", "-l", folder / "log", "-o", options, "start")
    try:
        yield
    finally:
        _run(PROGRAMS / "pg_ctl", "-D", data, "-w", "-m", "immediate", "stop")


def _run(*command: str | Path) -> None:
    plain = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"] if os.geteuid() == 0 else []
    ran = subprocess.run([*plain, *command], capture_output=True, text=True, cwd="/")
    assert ran.returncode == 0, ran.stderr + ran.stdout


@dataclass
class Places:
    """The databases of one test process; those of one kind are copies of the first."""

    folder: Path
    socket: Path | None = None
    made: list[str] = field(default_factory=list)

    def address(self, name: str) -> str:
        return f"postgresql://hub@/{name}?host={self.socket}"

    @contextlib.contextmanager
    def fresh(self, home: Path):
        """Make a hub ready in a folder, and let Django of this process work there."""
        from django.core.management import call_command

        from statcommons.hub.opening import opened, prepared

        if not self.made:
            with self.environment(self.folder / "template", "template"):
                if self.socket:
                    self._sql("postgres", "CREATE DATABASE template")
                opened()
                with self.switched():
                    prepared()
                    call_command("collectstatic", verbosity=0, interactive=False)
            self.made.append("template")
        name = f"hub{len(self.made)}"
        self.made.append(name)
        shutil.copytree(self.folder / "template", home)
        if self.socket:
            self._sql("postgres", f"CREATE DATABASE {name} TEMPLATE template")
        with self.environment(home, name), self.switched():
            yield home

    def environment(self, home: Path, name: str):
        address = self.address(name) if self.socket else ""
        return patch.dict(os.environ, STATCOMMONS_WORKSPACE=str(home), STATCOMMONS_DATABASE=address)

    @contextlib.contextmanager
    def switched(self):
        """Let Django, which is set up once a process, look at the database of the environment."""
        from django.db import connections
        from django.test.utils import override_settings

        from statcommons.core.workspace import workspace
        from statcommons.hub.database import database

        def at(home, address):
            connections.close_all()
            with contextlib.suppress(AttributeError):
                del connections["default"]
            connections.settings = connections.configure_settings({"default": database(address, Path(home))})

        at(os.environ["STATCOMMONS_WORKSPACE"], os.environ["STATCOMMONS_DATABASE"])
        home = workspace(os.environ["STATCOMMONS_WORKSPACE"])
        try:
            with override_settings(HOME=home, STATIC_ROOT=home.path / "static", ALLOWED_HOSTS=["testserver"]):
                yield
        finally:
            connections.close_all()

    def _sql(self, name: str, words: str) -> None:
        import psycopg

        with psycopg.connect(self.address(name), autocommit=True) as connection:
            connection.execute(words)
