"""Files that people bring: each is kept in a folder of its own in the workspace, under a name that harms nobody."""

from __future__ import annotations

import re
import uuid
from pathlib import Path

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile

__all__ = ["kept"]

SIGNS = re.compile(r"[^\w.\- ]+")


def kept(file: UploadedFile) -> Path:
    """Keep an uploaded file; gives where.

    Parameters
    ----------
    file : UploadedFile
        What came.
    """
    name = SIGNS.sub("_", Path(file.name or "").name).strip(". ")[-100:] or "file"
    place = settings.HOME.path.absolute() / "files" / uuid.uuid4().hex / name
    place.parent.mkdir(parents=True, mode=0o700)
    with place.open("xb") as target:
        for chunk in file.chunks():
            target.write(chunk)
    return place
