# SPDX-License-Identifier: GPL-2.0-or-later
"""The sentence of a test is its docstring, and needs neither the name nor the test before it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
MIN_WORDS = 6
"""Of a sentence: subject, verb, and what of it; what is shorter leaned on the test's name."""


def sentences(text: str) -> Iterator[tuple[str, str]]:
    """The name of each test in a module, and the first paragraph of its docstring."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name[:5] == "test_":
            first = (ast.get_docstring(node) or "").partition("\n\n")[0]
            yield node.name, " ".join(first.split())


def faults(text: str) -> list[str]:
    """The tests of a module whose docstring is no sentence by itself."""
    return [
        f"{name}: {sentence}"
        for name, sentence in sentences(text)
        if len(sentence.split()) < MIN_WORDS or not sentence.endswith(".")
    ]


@pytest.mark.parametrize(
    "path", sorted(TESTS.rglob("test_*.py")), ids=lambda path: str(path.relative_to(TESTS))
)
def test_the_docstring_of_a_test_is_a_sentence_by_itself(path):
    """Each test says in a whole sentence what behaviour it holds, in six words at least."""
    assert faults(path.read_text()) == []


def test_what_leans_on_the_name_of_its_test_is_seen():
    """A docstring that is missing, a few words, or without its full stop is no sentence."""
    text = """
def test_a(): "For programs."
def test_b(): "JSON holds each violation with its line"
def test_c(): pass
class Group:
    def test_d(self): "JSON holds each violation with its line."
"""
    assert [fault[:6] for fault in faults(text)] == ["test_a", "test_b", "test_c"]
