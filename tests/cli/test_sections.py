# SPDX-License-Identifier: GPL-2.0-or-later
"""`lazymmu sections`: the table of a tree's sections."""

from __future__ import annotations

import json

import pytest

from lazymmu.witness.finding import Coverage, SectionRow, Sections
from lazymmu.witness.source import check


def row(file: str, line: int, function: str) -> SectionRow:
    """A section of user mappings under a page-table lock."""
    return SectionRow(
        file=file,
        line=line,
        function=function,
        arches=("x86",),
        space="user",
        locks_begin=("ptl",),
        locks_end=("ptl",),
        pinned=("preempt",),
        actions=((line, "enable"), (line + 9, "disable")),
    )


@pytest.fixture
def listed(monkeypatch):
    """Lets `sections` of any tree give two rows, in no order; returns what it was asked."""
    calls = []

    def sections(tree, **asked):
        calls.append({"tree": tree, **asked})
        rows = (row("mm/b.c", 2, "b"), row("fs/proc/a.c", 30, "a"))
        return Sections(rows, Coverage(sections=2, functions_parsed=2))

    monkeypatch.setattr(check, "sections", sections)
    return calls


def test_sections_are_lines_in_order_of_their_places(run, listed):
    """The table goes to standard output, the count to standard error."""
    ran = run("sections", "linux")
    assert ran.code == 0
    assert [line.split()[:2] for line in ran.out.splitlines()[1:]] == [
        ["fs/proc/a.c:30", "a()"],
        ["mm/b.c:2", "b()"],
    ]
    assert ran.err == "lazymmu: linux: 2 sections\n"


def test_path_and_arch_narrow_the_table(run, listed):
    """A maintainer's own directory, on one architecture."""
    ran = run("sections", "linux", "--path", "fs/proc/", "--arch", "x86")
    assert ran.out.count("\n") == 2
    assert listed[0]["arches"] == ("x86",)
    assert run("sections", "linux", "--path", "net").code == 3


def test_json_has_the_same_rows(run, listed):
    """For programs, one object per tree."""
    value = json.loads(run("sections", "linux", "--format", "json").out)
    assert [section["function"] for section in value["sections"]] == ["a", "b"]
    assert value["sections"][0]["actions"][0] == {"line": 30, "action": "enable"}


def test_several_trees_are_several_tables(run, listed):
    """Each under the name of its tree."""
    out = run("sections", "old", "new", "-q").out
    assert [line for line in out.splitlines() if line.endswith(":")] == ["old:", "new:"]


def test_a_tree_without_the_mode_ends_with_3(run, tree):
    """An empty table is said to be empty."""
    ran = run("sections", tree)
    assert ran.code == 3
    assert "does not implement the lazy MMU mode" in ran.err


def test_what_is_no_tree_or_dialect_is_one_sentence(run, tmp_path):
    """A folder that is no tree, or a dialect that is none, is one sentence, as for check."""
    assert run("sections", tmp_path).code == 2
    ran = run("sections", tmp_path, "--dialect", "x")
    assert (ran.code, ran.err.count("\n")) == (2, 1)
