"""What tests in a browser share: which one there is, and what accessibility asks for."""

from __future__ import annotations

import shutil

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


def violations(opened):
    """Give what axe finds wrong with a page."""
    from axe_playwright_python.sync_playwright import Axe

    found = Axe().run(opened, options={"runOnly": RULES}).response["violations"]
    return [(one["id"], [node["html"][:100] for node in one["nodes"]]) for one in found]
