# SPDX-License-Identifier: GPL-2.0-or-later
"""Sphinx: HTML and the man page from one source, with the pages that are made from the code."""

from __future__ import annotations

import sys
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent / "src")]

import generate  # noqa: E402 - found through the path above

if TYPE_CHECKING:
    from sphinx.application import Sphinx

_PROJECT = tomllib.loads((HERE.parent / "pyproject.toml").read_text())["project"]

project = _PROJECT["name"]
author = _PROJECT["authors"][0]["name"]
copyright = author
release = version = _PROJECT["version"]

extensions = ["sphinx.ext.autodoc", "myst_parser"]
exclude_patterns = ["_build"]
templates_path: list[str] = []
default_role = "code"
primary_domain = "c"
highlight_language = "none"
smartquotes = False  # options begin with two hyphens
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
add_module_names = False

html_theme = "furo"
html_title = f"lazymmu {release}"
html_show_copyright = False
html_copy_source = False
# Pages that `--format html` writes, to be opened beside the documentation; made below.
html_extra_path = ["_generated/pages"]
(HERE / "_generated" / "pages").mkdir(parents=True, exist_ok=True)

man_pages = [("man", "lazymmu", _PROJECT["description"], author, 1)]
man_show_urls = False


def setup(app: Sphinx) -> None:
    """Make the generated pages before Sphinx looks for documents."""
    target = HERE / "_generated"
    app.connect("builder-inited", lambda _app: generate.write(target))
