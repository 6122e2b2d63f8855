"""SDMX-JSON structure messages, in and out."""

from statcommons.sdmx.structures.json_reading import read_structures_json
from statcommons.sdmx.structures.json_writing import keep_structures, write_structures_json

__all__ = ["keep_structures", "read_structures_json", "write_structures_json"]
