"""Ours side by side with peers: `python -m benchmarks AREA` prints a table and keeps it in `results/`."""
