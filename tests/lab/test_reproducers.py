# SPDX-License-Identifier: GPL-2.0-or-later
"""Reproducers are data: each is whole, and those that are withheld have no program."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from lazymmu.contract.rules import RULES
from lazymmu.lab.reproducer import Reproducer, find_reproducer, known_reproducers
from lazymmu.problem import Problem

PAGES = Path(__file__).parents[2] / "docs" / "findings"
KNOWN = known_reproducers()


@pytest.mark.parametrize("one", KNOWN, ids=lambda one: one.name)
def test_a_reproducer_is_whole(one: Reproducer) -> None:
    """It says what runs and what shows it, on a page that there is, or why it is withheld."""
    assert (PAGES / f"{one.page}.md").exists() or list(PAGES.glob(f"{one.page}*.md"))
    assert one.concerns(one.first)
    assert one.concerns(f"{one.last}.4-test")
    if one.withheld:
        assert (one.program, one.workload, one.log, one.rules) == ("", "", "", ())
        return
    assert bool(one.program) != bool(one.workload)
    assert one.log or one.rules
    assert one.done
    re.compile(one.log)
    assert set(one.rules) <= set(RULES)


@pytest.mark.parametrize("one", [one for one in KNOWN if one.program], ids=lambda one: one.name)
def test_a_program_is_python_of_this_release_and_says_what_it_does(one: Reproducer) -> None:
    """The guest's Python is the one that runs the tests, or a newer one."""
    file = one.file()
    assert file is not None
    tree = ast.parse(file.read_text("utf-8"))
    assert len((ast.get_docstring(tree) or "").split()) > 5


def test_releases_that_have_it_are_told_from_others() -> None:
    """By the first two numbers, whatever a distribution adds."""
    one = find_reproducer("poison-marker")
    assert one.concerns("6.12.118+deb13-amd64")
    assert not one.concerns("6.1.0-53-amd64")
    assert one.concerns("unknown") is None


def test_an_unknown_reproducer_is_one_sentence() -> None:
    """It names those that there are."""
    with pytest.raises(Problem, match="there are forked-tasks-paused, poison-marker"):
        find_reproducer("nothing")
