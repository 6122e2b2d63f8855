"""Files that people bring: each is kept in a folder of its own in the workspace, under a name that harms nobody."""

from __future__ import annotations

import re
import uuid
from pathlib import Path

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile

__all__ = ["kept", "written"]

SIGNS = re.compile(r"[^\w.\- ]+")


def kept(file: UploadedFile) -> Path:
    """Keep an uploaded file; gives where.

    Parameters
    ----------
    file : UploadedFile
        What came.
    """
    place = _place(file.name or "")
    with place.open("xb") as target:
        for chunk in file.chunks():
            target.write(chunk)
    return place


def written(content: bytes, name: str) -> Path:
    """Keep what came within a request; gives where.

    Parameters
    ----------
    content : bytes
        What came.
    name : str
        What to call it.
    """
    place = _place(name)
    place.write_bytes(content)
    return place


def _place(name: str) -> Path:
    harmless = SIGNS.sub("_", Path(name).name).strip(". ")[-100:] or "file"
    place: Path = settings.HOME.path.absolute() / "files" / uuid.uuid4().hex / harmless
    place.parent.mkdir(parents=True, mode=0o700)
    return place
