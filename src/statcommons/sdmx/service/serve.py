"""The command that serves a store: a web server of several processes on one port."""

from __future__ import annotations

import importlib.util
import os
import socket
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from statcommons.core.errors import BadCall, ExtraMissing, NoInput

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

__all__ = ["serve"]

LONGEST_LINE = 8_190
"""Bytes of the first line of a request, which is the most that the server takes."""

PATIENCE = 30
"""Seconds that answers under way are given when the server is stopped."""

STALLED = 60
"""Seconds after which a reader that takes nothing of its answer any more is let go: it holds a thread."""


def serve(
    path: Path | str, *, host: str = "127.0.0.1", port: int = 8080, processes: int | None = None, threads: int = 4
) -> None:
    """Serve a store until the process is stopped; the address is printed when it answers.

    Each process answers several requests at a time, because much of the work is done by engines that need no Python
    meanwhile, and a slow reader must not keep others waiting.

    Parameters
    ----------
    path : path
        The store.
    host : str
        The address to listen at; ``0.0.0.0`` is all of this machine's. A server that the world can reach stands behind
        a proxy that keeps connections (nginx, Caddy), which also brings TLS.
    port : int
        The port; 0 takes one that is free.
    processes : int, optional
        How many; as many as the machine has processors by default.
    threads : int
        How many requests each process answers at a time.

    Raises
    ------
    BadCall
        When the port is taken or cannot be.
    ExtraMissing
        When the web server is not installed.
    NoInput
        When there is no store.

    Examples
    --------
    >>> serve("nowhere")
    Traceback (most recent call last):
    statcommons.core.errors.NoInput: nowhere: There is no store. Load a structure and data first.
    """
    if not importlib.util.find_spec("gunicorn"):
        raise ExtraMissing("The web server gunicorn is not installed.", extra="sdmx")
    if not Path(path).is_dir():
        raise NoInput("There is no store.", where=str(path), remedy="Load a structure and data first.")
    if not 0 <= port <= 65_535:
        raise BadCall(f"{port} is no port.", where="port", remedy="Give a number from 1 to 65535, or 0 for a free one.")
    many = processes or os.cpu_count() or 1
    listener = listening(host, port)
    if hasattr(socket, "TCP_USER_TIMEOUT"):  # on Linux; connections have it from the listener
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, STALLED * 1_000)

    def load() -> WSGIApplication:
        """Open the store, in each process by itself: engines do not survive a fork."""
        from statcommons.sdmx.service.wsgi import application
        from statcommons.sdmx.store import Store

        return application(Store(path, threads=max(1, (os.cpu_count() or 1) // many)))

    own = {"graceful_timeout": PATIENCE, "keepalive": 5, "limit_request_line": LONGEST_LINE}
    answering(listener, load, processes=many, threads=threads, path="/sdmx/v2", settings=own)


def listening(host: str, port: int) -> socket.socket:
    """Listen at an address of this machine.

    Parameters
    ----------
    host : str
        The address; ``0.0.0.0`` is all.
    port : int
        The port; 0 takes one that is free.

    Raises
    ------
    BadCall
        When nothing can listen there.
    """
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        return socket.create_server((host, port), family=family, backlog=2_048)
    except OSError as error:
        raise BadCall(
            f"Nothing can listen there: {error}.", where=f"{host}:{port}", remedy="Try another port."
        ) from None


def answering(
    listener: socket.socket,
    load: Callable[[], WSGIApplication],
    *,
    processes: int,
    threads: int,
    path: str,
    settings: Mapping[str, Any] | None = None,
) -> None:
    """Answer by a web server of several processes until it is stopped; the address is printed when it does.

    Parameters
    ----------
    listener : socket.socket
        Where it listens.
    load : callable
        Makes the application, in each process by itself.
    processes, threads : int
        How many processes answer, and how many requests each at a time.
    path : str
        What of the address to print behind the port.
    settings : mapping, optional
        Further settings of gunicorn.
    """
    from gunicorn.app.base import BaseApplication

    def tell(server: Any) -> None:
        """Print where the server listens, for people and for programs that asked for any port."""
        for one in server.LISTENERS:
            host, port = one.sock.getsockname()[:2]
            print(f"http://{f'[{host}]' if ':' in host else host}:{port}{path}", flush=True)  # noqa: T201

    every = {
        "bind": f"fd://{listener.detach()}",
        "workers": processes,
        "worker_class": "gthread",
        "threads": threads,
        "timeout": 120,  # of a process that has stopped answering altogether; long answers are not cut
        "control_socket_disable": True,
        "worker_tmp_dir": "/dev/shm" if Path("/dev/shm").is_dir() else None,  # noqa: S108  # a beat must wait for no disk
        "loglevel": "warning",
        "when_ready": tell,
    }

    class Server(BaseApplication):
        def load_config(self) -> None:
            for name, value in {**every, **(settings or {})}.items():
                self.cfg.set(name, value)

        def load(self) -> WSGIApplication:
            return load()

    Server().run()
