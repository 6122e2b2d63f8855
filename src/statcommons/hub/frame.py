"""What stands around each page: the office, the areas, the languages."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse, translate_url
from django.utils.translation import get_language, get_language_info, gettext_lazy

__all__ = ["frame"]

AREAS = (("methods", gettext_lazy("Methods")), ("runs", gettext_lazy("Runs")))


def frame(request: HttpRequest) -> dict[str, Any]:
    """Give the frame of a page."""
    path = request.get_full_path()
    here = get_language() or settings.LANGUAGE_CODE
    return {
        "office": settings.HUB_NAME,
        "areas": [
            {"name": name, "address": reverse(area), "here": path.startswith(reverse(area))} for area, name in AREAS
        ],
        "tongues": [
            {"code": code, "tag": _tag(code), "name": name, "address": translate_url(path, code), "here": code == here}
            for code, name in settings.LANGUAGES
        ],
        "tag": _tag(here),
        "direction": "rtl" if get_language_info(here)["bidi"] else "ltr",
    }


def _tag(code: str) -> str:
    """Write a language as pages name it: zh-Hans."""
    language, _, script = code.partition("-")
    return f"{language}-{script.title()}" if script else language
