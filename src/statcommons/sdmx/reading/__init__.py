"""Data messages read as rows, whatever their format, and checked against their structure."""

from __future__ import annotations

from pathlib import Path

from statcommons.sdmx.message import Rows
from statcommons.sdmx.reading.sdmxcsv import read_sdmx_csv
from statcommons.sdmx.reading.source import source_of
from statcommons.sdmx.structure import Structure

__all__ = ["read_rows"]


def read_rows(given: Path | str | bytes, structure: Structure | None = None, *, name: str = "") -> list[Rows]:
    """Read a data message; its content tells its format."""
    source = source_of(given, name)
    return read_sdmx_csv(source, structure)
