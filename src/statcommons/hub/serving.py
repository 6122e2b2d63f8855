"""The command that serves a hub: a web server of a few processes, and a worker beside it."""

from __future__ import annotations

import signal
import subprocess
import sys

from statcommons.core.workspace import Workspace
from statcommons.sdmx.service.serve import answering, listening

__all__ = ["serve"]


def serve(home: Workspace, *, host: str = "127.0.0.1", port: int = 8000, processes: int = 2) -> None:
    """Serve a hub, and run a worker beside it, until the process is stopped; the address is printed when it answers.

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

    Raises
    ------
    BadCall
        When the port is taken or cannot be.
    """
    from django.core.management import call_command
    from django.core.wsgi import get_wsgi_application
    from django.db import connections

    listener = listening(host, port)
    call_command("collectstatic", verbosity=0, interactive=False, clear=True)
    connections.close_all()  # what was open here must not be shared by the processes that answer
    words = [sys.executable, "-c", "from statcommons.cli.main import main; main()", "worker"]
    beside = subprocess.Popen([*words, "--workspace", str(home.path)])
    try:
        answering(listener, get_wsgi_application, processes=processes, threads=4, path="/")
    finally:
        beside.send_signal(signal.SIGTERM)
        beside.wait()
