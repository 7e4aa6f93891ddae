# SPDX-License-Identifier: GPL-2.0-or-later
"""Regular expressions keep to what every Python that the project supports matches rightly.

Before 3.11.5 a possessive quantifier of a group may match wrongly or for ever (CPython gh-106052,
"Fix bug in the matching of possessive quantifiers"); Debian 12 has 3.11.2. One of a single
character or class works, and so does a greedy one in an atomic group, `(?>(?:...)*)`.
"""

from __future__ import annotations

import ast
import re
import tomllib
from pathlib import Path

import pytest

TOP = Path(__file__).parents[2]
FILES = sorted(
    str(path.relative_to(TOP))
    for folder in ("src", "bench", "tools")
    for path in (TOP / folder).rglob("*.py")
)

TOKEN = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*+\]|(\)(?:[*+?]|\{\d*+,?\d*+\})\+)", re.S)
"""What is quoted, a class, or the end of a group that is repeated possessively."""


def strings(text: str) -> list[str]:
    """The strings of a module that are no docstrings, those of bytes as well."""
    tree = ast.parse(text)
    said = {
        id(node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    values = [
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and id(node) not in said
    ]
    return [value.decode("latin-1") if isinstance(value, bytes) else value
            for value in values if isinstance(value, str | bytes)]  # fmt: skip


def possessive_groups(pattern: str) -> list[str]:
    """What ends a group that a pattern, or a part of one, repeats possessively."""
    return [found[1] for found in TOKEN.finditer(pattern) if found[1]]


@pytest.mark.parametrize("path", FILES)
def test_no_pattern_repeats_a_group_possessively(path):
    """No string of the program could be a pattern that Python 3.11.2 matches wrongly."""
    text = (TOP / path).read_text("utf-8")
    assert [string for string in strings(text) if possessive_groups(string)] == []


@pytest.mark.parametrize("pattern", ["(a|bc)*+", "x(?:ab)++", "(ab)?+", "(?:ab){2,3}+", ")*+"])
def test_a_possessive_group_is_found(pattern):
    """Each way to repeat a group possessively is seen, also where the group begins elsewhere."""
    assert possessive_groups(pattern)


@pytest.mark.parametrize(
    "pattern", [r"\)*+", "[)*+]", "a*+(b)", "(?>(?:ab)*)", "(ab)+", "[^]()]*+"]
)
def test_what_works_everywhere_is_let_alone(pattern):
    """Classes, single characters and atomic groups may be repeated possessively."""
    assert not possessive_groups(pattern)


def test_every_release_of_the_oldest_python_is_supported():
    """The project asks for a minor version of Python and for no point release of it."""
    wanted = tomllib.loads((TOP / "pyproject.toml").read_text("utf-8"))["project"]
    assert wanted["requires-python"] == ">=3.11"
