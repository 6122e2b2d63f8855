"""The process of one job, called with a folder: it runs the method and dies with its worker.

``job.json`` in the folder says what to run. Progress is printed as lines of JSON; what was wrong is left as
``error.json``, with the exit code of the error.
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
import sys
from pathlib import Path

from statcommons.core.errors import OurBug, StatCommonsError
from statcommons.core.progress import Step, listening

PR_SET_PDEATHSIG = 1


def main(folder: Path) -> int:
    """Run the method that ``job.json`` names; gives the exit code."""
    asked = json.loads((folder / "job.json").read_text(encoding="utf-8"))
    _die_with(asked["parent"])
    try:
        with listening(_print):
            from statcommons.core.run import run

            inputs = {name: given if len(given) > 1 else given[0] for name, given in asked["inputs"].items()}
            run(
                asked["method"],
                inputs,
                asked["parameters"],
                out=asked["out"],
                workspace=asked["workspace"],
                **asked["options"],
            )
    except StatCommonsError as error:
        return _told(error, folder)
    except Exception as error:
        return _told(OurBug(f"{type(error).__name__}: {error}", remedy="This is our fault: tell us."), folder)
    return 0


def _print(step: Step) -> None:
    print(json.dumps({"step": step.name, "done": step.done, "total": step.total}), flush=True)  # noqa: T201


def _told(error: StatCommonsError, folder: Path) -> int:
    (folder / "error.json").write_text(json.dumps(error.as_dict(), ensure_ascii=False), encoding="utf-8")
    return error.exit_code


def _die_with(parent: int) -> None:
    """Be killed when the worker is, however it ends: a job that was lost must not go on beside its next attempt."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it died before we asked
        os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
