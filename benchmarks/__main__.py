"""The command: run an area, keep what was measured, or say what changed since the committed results."""

from __future__ import annotations

import argparse
import os
import sys
from importlib import import_module
from pathlib import Path

HERE = Path(__file__).parent
OTHERS = ("__init__", "__main__", "harness", "sdmx_read", "sdmx_write")  # the last two are parts of an area
AREAS = sorted(file.stem for file in HERE.glob("*.py") if file.stem not in OTHERS)

# Matrix libraries would start a thread a processor beside DuckDB's; set before any of them is imported.
for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(name, "1")


def main() -> None:
    from benchmarks import harness

    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("area", choices=AREAS)
    parser.add_argument("--quick", action="store_true", help="a few rows, to prove that it works; nothing is kept")
    parser.add_argument("--only", nargs="+", metavar="CASE", help="these cases; the others keep their results")
    parser.add_argument("--compare", action="store_true", help="run nothing; say what changed since the commit")
    asked = parser.parse_args()
    kept = HERE / "results" / f"{asked.area}.json"
    if asked.compare:
        print(harness.compared(harness.committed(kept), harness.load(kept)))
        return
    cases = harness.cases_of(import_module(f"benchmarks.{asked.area}"))
    if unknown := set(asked.only or ()) - cases.keys():
        parser.error(f"no case {', '.join(sorted(unknown))}; there are {', '.join(cases)}")
    chosen = {name: case for name, case in cases.items() if name in (asked.only or cases)}
    try:
        found = harness.measure_all(asked.area, chosen, quick=asked.quick)
    except harness.Disagree as error:
        sys.exit(f"benchmarks: {error}")
    if asked.quick:
        print(harness.as_markdown(asked.area, cases, found))
        return
    # Cases that were left out keep their results; what is no longer a case goes.
    found["cases"] = {
        name: one for name in cases if (one := (harness.load(kept)["cases"] | found["cases"]).get(name)) is not None
    }
    print(harness.as_markdown(asked.area, cases, found))
    harness.keep(kept, asked.area, cases, found)


if __name__ == "__main__":
    main()
