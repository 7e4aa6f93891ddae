# SPDX-License-Identifier: GPL-2.0-or-later
"""Every safeguard of every machine is missed by some scenario when it is left out."""

from __future__ import annotations

import ast
import os
import re

import pytest
from safeguards import campaign, plant, run

SAMPLE = 29
"""Without LAZYMMU_MUTATIONS one mutant in so many is tried."""


def test_a_mutant_is_one_change() -> None:
    """Its source is code, and differs from the original's."""
    same = {file: ast.unparse(ast.parse(plant.source(file))) for file in plant.FILES}
    for mutant in plant.mutants():
        assert plant.planted(mutant) != same[mutant.file], mutant.name


def test_mutants_are_told_apart_by_method_kind_and_place() -> None:
    """So that each can be found again."""
    places = [(one.owner, one.method, one.kind, one.number) for one in plant.mutants()]
    assert len(places) == len(set(places))


def test_safeguards_that_everybody_knows_are_among_them() -> None:
    """A test of in_interrupt(), a counter, a flush, a pin, a check."""
    names = {one.name for one in plant.mutants()}
    assert "CountedMode._enable: drop `not here.in_interrupt`" in names
    assert "XenNestingCount.enter_lazy: without `this_cpu.lazy_nesting += 1`" in names
    assert "XenExclusive.leave: without `self.flush_pinned(here)`" in names
    assert any(one.startswith("PinnedBatch.arch_enter_lazy_mmu_mode: without") for one in names)
    assert any("always `here.bug_on(" in one for one in names)


def test_what_only_tells_is_no_safeguard() -> None:
    """Events are the monitors' eyes; without them nothing is different in the kernel."""
    told = [f"without `here.{name}" for name in ("emit", "cost")]
    assert not [one.name for one in plant.mutants() for word in told if word in one.name]


def test_every_judgement_is_about_a_mutant() -> None:
    """What the data file calls equivalent exists."""
    assert set(campaign.reasons()) <= {one.name for one in plant.mutants()}


def test_the_page_lists_the_mutants_that_there_are() -> None:
    """Who changes a machine has the campaign made anew, so that docs/mutants.rst is of the code."""
    page = campaign.TABLE.read_text(encoding="utf-8")
    listed = re.findall(r"   \* - (\S+)\n     - (\w+) ``(.*)``\n", page)
    there = [(f"{one.owner}.{one.method}", one.kind, one.text) for one in plant.mutants()]
    assert listed == there


@pytest.fixture(scope="module")
def matrix() -> list[run.Run]:
    """What the default matrix shows on the machines as they are."""
    return run.baseline()


def test_the_same_machine_is_not_caught(matrix: list[run.Run]) -> None:
    """A change that is none is seen by nobody."""
    few = [one for one in matrix if "XenTask" in one.classes][:4]
    first = next(one for one in plant.mutants() if one.name in campaign.reasons())
    assert not run.catch(first, [one for one in few if first.owner in one.classes])


def test_the_matrix_catches_what_is_left_out(matrix: list[run.Run]) -> None:
    """All of them with LAZYMMU_MUTATIONS set, else a few; or the reason why not is known."""
    known = campaign.reasons()
    step = 1 if os.environ.get("LAZYMMU_MUTATIONS") else SAMPLE
    chosen = [one for one in plant.mutants()[::step] if one.name not in known]
    survived = [one.name for one in chosen if not run.catch(one, matrix)]
    assert survived == []
    assert chosen
