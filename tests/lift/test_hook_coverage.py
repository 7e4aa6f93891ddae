# SPDX-License-Identifier: GPL-2.0-or-later
"""Which branches of lifted hooks scenarios go."""

from __future__ import annotations

from lazymmu.litmus.run import named
from tests.lift.conftest import EXAMPLES
from tests.lift.test_powerpc import segmented
from tests.lift.test_static_keys import SCENARIO, SETUP, keyed
from tools import hook_coverage

TREE = EXAMPLES / "linux-new"


def test_a_branch_that_no_scenario_goes_is_told_with_its_place():
    """A section in an interrupt is needed for the generic API to leave at once."""
    (found,) = hook_coverage.measured(TREE, "x86", [named("section-inside-section")])
    assert (found.refused, found.keys) == ("", "")
    assert 0 < len(found.missed) < found.ways
    never = [one for one in found.missed if "lazy_mmu_mode_enable" in one[0] and one[2]]
    place, text, _ = never[0]
    assert place.startswith("lazy_mmu_mode_enable(), include/linux/pgtable.h:")
    assert "in_interrupt()" in text


def test_what_is_never_true_is_what_is_asked_and_not_its_opposite(asked):
    """Of `if (!is_kernel_addr(addr))`, where all are users' addresses, it is the function."""
    tree = asked.tree(segmented("vsid", "vsid"))
    (found,) = hook_coverage.measured(tree, "powerpc", [named("batch-changes-mm")])
    assert [way for _, text, way in found.missed if text == "is_kernel_addr(addr)"] == [True]


def test_more_scenarios_go_more_branches():
    """What one scenario does not come by, another one may."""
    (few,) = hook_coverage.measured(TREE, "x86", [named("section-inside-section")])
    both = [named("section-inside-section"), named("section-in-hardirq")]
    (fewer,) = hook_coverage.measured(TREE, "x86", both)
    assert set(fewer.missed) < set(few.missed)


def test_a_key_that_may_be_either_has_a_list_for_each_of_its_values(asked):
    """Each goes the way of the key that the other does not go."""
    tree = keyed(asked, before=f"DEFINE_STATIC_KEY_FALSE(xen_key);{SETUP}")
    several = hook_coverage.measured(tree, "x86", [named(SCENARIO)])
    assert [one.keys for one in several] == ["xen_key off", "xen_key on"]
    off, on = ({way for _, text, way in one.missed if "xen_key" in text} for one in several)
    assert (len(off), len(on)) == (1, 1)
    assert off != on
    told = [hook_coverage.listed("x86", "9.9.0", one).splitlines()[0] for one in several]
    assert told == ["x86, 9.9.0 with xen_key off", "x86, 9.9.0 with xen_key on"]


def test_what_cannot_be_lifted_is_told_in_its_place():
    """An architecture without the mode is a line of the page, and no error."""
    (one,) = hook_coverage.measured(EXAMPLES / "linux-old", "arm64", [])
    assert one.refused
    assert hook_coverage.listed("arm64", "6.1", one) == f"arm64, 6.1: {one.refused}\n"


def test_the_page_says_how_many_ways_were_gone():
    """Each machine that was measured has its count, and a line for each way that was not gone."""
    made = hook_coverage.DOCUMENT.read_text(encoding="utf-8").partition(hook_coverage.MADE)[2]
    for arch in ("x86",):
        part = made.partition(f"{arch}, ")[2].partition("\n\n")[2]
        gone, _, ways = part.partition(" ways")[0].partition(" of ")
        assert 0 < int(gone) <= int(ways)
        told = part.partition("\n\n")[2].partition("\n\n")[0]
        assert told.count("- ") == int(ways) - int(gone)
