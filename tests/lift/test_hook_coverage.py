# SPDX-License-Identifier: GPL-2.0-or-later
"""Which branches of lifted hooks scenarios go."""

from __future__ import annotations

from lazymmu.litmus.run import named
from tests.lift.conftest import EXAMPLES
from tools import hook_coverage

TREE = EXAMPLES / "linux-new"


def test_a_branch_that_no_scenario_goes_is_told_with_its_place():
    """A section in an interrupt is needed for the generic API to leave at once."""
    ways, missed, refused = hook_coverage.measured(TREE, "x86", [named("section-inside-section")])
    assert refused == ""
    assert 0 < len(missed) < ways
    never = [one for one in missed if "lazy_mmu_mode_enable" in one[0] and one[2]]
    place, text, _ = never[0]
    assert place.startswith("lazy_mmu_mode_enable(), include/linux/pgtable.h:")
    assert "in_interrupt()" in text


def test_more_scenarios_go_more_branches():
    """What one scenario does not come by, another one may."""
    _, few, _ = hook_coverage.measured(TREE, "x86", [named("section-inside-section")])
    both = [named("section-inside-section"), named("section-in-hardirq")]
    _, fewer, _ = hook_coverage.measured(TREE, "x86", both)
    assert set(fewer) < set(few)


def test_the_page_says_how_many_ways_were_gone():
    """Each machine that was measured has its count, and a line for each way that was not gone."""
    made = hook_coverage.DOCUMENT.read_text(encoding="utf-8").partition(hook_coverage.MADE)[2]
    for arch in ("x86",):
        part = made.partition(f"{arch}, ")[2].partition("\n\n")[2]
        gone, _, ways = part.partition(" ways")[0].partition(" of ")
        assert 0 < int(gone) <= int(ways)
        told = part.partition("\n\n")[2].partition("\n\n")[0]
        assert told.count("- ") == int(ways) - int(gone)
