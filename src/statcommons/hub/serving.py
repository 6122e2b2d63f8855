"""The command that serves a hub: a web server of a few processes, and a worker beside it."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from typing import TYPE_CHECKING, Any

from statcommons.core.errors import BadCall
from statcommons.core.workspace import Workspace

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

__all__ = ["serve"]


def serve(
    home: Workspace, *, host: str = "127.0.0.1", port: int = 8000, processes: int = 2, worker: bool = True
) -> None:
    """Serve a hub until the process is stopped; the address is printed when it answers.

    Parameters
    ----------
    home : Workspace
        A workspace that was made ready.
    host : str
        The address to listen at. A hub that the world can reach stands behind a proxy, which brings TLS.
    port : int
        The port; 0 takes one that is free.
    processes : int
        How many processes answer.
    worker : bool
        Whether a worker runs beside them.

    Raises
    ------
    BadCall
        When the port is taken or cannot be.
    """
    from django.core.wsgi import get_wsgi_application
    from django.db import connections
    from gunicorn.app.base import BaseApplication

    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        listener = socket.create_server((host, port), family=family, backlog=2_048)
    except OSError as error:
        raise BadCall(
            f"Nothing can listen there: {error}.", where=f"{host}:{port}", remedy="Try another port."
        ) from None
    settings = {
        "bind": f"fd://{listener.detach()}",
        "workers": processes,
        "worker_class": "gthread",
        "threads": 4,
        "timeout": 120,
        "control_socket_disable": True,
        "loglevel": "warning",
        "when_ready": _tell,
    }

    class Server(BaseApplication):
        def load_config(self) -> None:
            for name, value in settings.items():
                self.cfg.set(name, value)

        def load(self) -> WSGIApplication:
            return get_wsgi_application()

    connections.close_all()  # what was open here must not be shared by the processes that answer
    words = [sys.executable, "-c", "from statcommons.cli.main import main; main()", "worker"]
    beside = subprocess.Popen([*words, "--workspace", str(home.path)]) if worker else None
    try:
        Server().run()
    finally:
        if beside:
            beside.send_signal(signal.SIGTERM)
            beside.wait()


def _tell(server: Any) -> None:
    """Print where the hub answers, for people and for programs that asked for any port."""
    if os.getpid() == server.pid:
        for listener in server.LISTENERS:
            host, port = listener.sock.getsockname()[:2]
            print(f"http://{f'[{host}]' if ':' in host else host}:{port}/", flush=True)  # noqa: T201
