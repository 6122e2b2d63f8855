"""Sphinx's settings: Markdown in, pages out that fetch nothing from outside."""

import sys
import tomllib
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

about = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text(encoding="utf-8"))["project"]

project = "Stat Commons"
author = "Stat Commons contributors"
copyright = author
version = release = about["version"]

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "mathml", "generated"]
autodoc_typehints = "none"
autodoc_member_order = "bysource"
napoleon_google_docstring = False
myst_enable_extensions = ["colon_fence", "deflist", "dollarmath"]
myst_heading_anchors = 3
exclude_patterns = ["_build"]
nitpicky = True
# A docstring's types are words of the reader ("path", "ibis.Table"), not addresses.
nitpick_ignore_regex = [("py:class", ".*")]
suppress_warnings = ["ref.python"]  # two modules may each have a Series

html_theme = "statcommons"
html_theme_path = ["_theme"]
html_title = "Stat Commons"
html_copy_source = False
html_show_sphinx = False
html_math_renderer = "mathml"
