# SPDX-License-Identifier: GPL-2.0-or-later
"""Every file of the project: licensed, documented, and about the project alone."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

TOP = Path(__file__).parents[2]
PYTHON = sorted(
    path.relative_to(TOP)
    for folder in ("src", "tests", "bench", "docs", "tools")
    for path in (TOP / folder).rglob("*.py")
    if not path.is_relative_to(TOP / "docs" / "_build")
)
TEXTS = sorted(
    path.relative_to(TOP)
    for pattern in (
        "*.toml",
        "*.md",
        "Makefile",
        ".ci/run",
        "locks/*",
        "docs/**/*.rst",
        "src/**/*",
        "tools/**/*.toml",
    )
    for path in TOP.glob(pattern)
    if path.is_file()
    and "__pycache__" not in path.parts
    and path.suffix != ".json"
    and path.stat().st_size
)


@pytest.mark.parametrize("path", sorted({*PYTHON, *TEXTS}), ids=str)
def test_a_file_names_its_licence_at_the_top(path):
    """Whoever copies one file copies its licence."""
    head = (TOP / path).read_text().splitlines()[:2]
    assert any("SPDX-License-Identifier: GPL-2.0-or-later" in line for line in head)


@pytest.mark.parametrize("path", [p for p in PYTHON if p.parts[0] == "src"], ids=str)
def test_a_module_says_what_it_is(path):
    """The tree can be read from its modules' first sentences."""
    assert ast.get_docstring(ast.parse((TOP / path).read_text()))


def test_no_file_names_a_package_host():
    """What installs behind a mirror must not depend on one host."""
    hosts = re.compile(r"//[\w.]*(pypi|pythonhosted|npmjs|deb\.debian)\.")
    paths = [*TEXTS, *(path for path in PYTHON if path.name != Path(__file__).name)]
    assert [str(path) for path in paths if hosts.search((TOP / path).read_text())] == []
