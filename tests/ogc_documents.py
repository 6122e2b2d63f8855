"""The schemas of OGC API - Processes, as its own documents have them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import yaml

DOCUMENTS = ["processes-1.0.openapi.yaml", "processes-2.0rc1.bundled.json"]


def components(folder: Path, name: str) -> dict[str, Any]:
    """Give the components of a document."""
    text = (folder / name).read_text()
    found = (json.loads(text) if name.endswith("json") else yaml.safe_load(text))["components"]
    if name == DOCUMENTS[1]:
        # The bundle of 2.0rc1 gives the name `schema` to the fields of a coverage, so that no input could be anything
        # but a coverage; what is meant is a schema as 1.0 has it.
        first = components(folder, DOCUMENTS[0])["schemas"]
        found["schemas"] |= {one: first[one] for one in ("schema", "reference")}
    return found
