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
        "hatch_build.py",
        "debian/rules",
        ".pre-commit-*.yaml",
        ".github/**/*",
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


SOURCES = [path for path in PYTHON if path.parts[0] in ("src", "tools")]
MAX_FILE_LINES = 400
MAX_FUNCTION_LINES = 60


@pytest.mark.parametrize("path", SOURCES, ids=str)
def test_a_file_and_a_function_fit_into_one_head(path):
    """A file has at most 400 lines, and a function 60, or a comment "Long: " that says why."""
    text = (TOP / path).read_text()
    assert text.count("\n") <= MAX_FILE_LINES
    lines = text.splitlines()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef) and node.end_lineno:
            body = lines[node.lineno - 1 : node.end_lineno]
            assert len(body) <= MAX_FUNCTION_LINES or any("# Long: " in line for line in body), (
                node.name
            )
