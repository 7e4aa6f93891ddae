# SPDX-License-Identifier: GPL-2.0-or-later
"""A patch that changes what an operation costs says so, in one line and as a field."""

from __future__ import annotations

import json

import pytest

from lazymmu.costs import count
from lazymmu.costs.counts import Counts
from lazymmu.lift.problem import Unliftable
from lazymmu.machine.config import ConfigError
from lazymmu.report.review import costs, formats
from lazymmu.verbs.review.costs import CostChange, cost_changes

EAGER = ("\tif (!is_lazy_mmu_mode_active())\n\t\txen_mc_flush();\n", "\txen_mc_flush();\n")


def changed(answer):
    """Operation, mappings, and hypercalls before and after, of each change."""
    return {
        (one.operation, one.space): (one.before.hypercalls, one.after.hypercalls)
        for one in answer.split.costs
    }


def test_a_patch_that_sends_each_store_says_what_that_costs(new_branch, reviewed):
    """By hand: 32 stores went out as 31 and 1; now each is a hypercall of its own."""
    new_branch.edit("arch/x86/xen/mmu_pv.c", *EAGER)
    new_branch.commit("x86/xen: Send each update at once")
    series = new_branch.mails()
    new_branch.back()
    answer = reviewed(series, new_branch.tree)
    assert changed(answer)["set_pte", "user"] == (2, 32)
    assert {one.arch for one in answer.split.costs} == {"x86"}
    greatest = answer.split.costs[0]
    assert greatest.more == max(one.more for one in answer.split.costs)
    lines = formats.of_review(answer)("text", None).splitlines()
    (line,) = [line for line in lines if "costs change" in line]
    assert "of 32" in line
    assert "-> 3" in line
    said = json.loads(formats.of_review(answer)("json", None))["split"]["costs"]
    assert said[0]["operation"] == greatest.operation
    assert said[0]["before"]["hypercalls"] == greatest.before.hypercalls


def test_a_patch_that_changes_no_cost_says_nothing_of_costs(new_branch, reviewed):
    """A hook written otherwise, and a file that is in no machine: not a word."""
    new_branch.edit("arch/x86/xen/mmu_pv.c", "\tu.ptr = where;\n\tu.val = value;\n",
                    "\tu.val = value;\n\tu.ptr = where;\n")  # fmt: skip
    new_branch.commit("x86/xen: Fill the update in another order")
    new_branch.edit("mm/right_loops.c", "\t\tif (pte_young(ptent))\n",
                    "\t\tif (pte_young(ptent) || 0)\n")  # fmt: skip
    new_branch.commit("mm: Ask twice")
    series = new_branch.mails()
    new_branch.back()
    answer = reviewed(series, new_branch.tree)
    assert answer.split.costs == ()
    assert "costs change" not in formats.of_review(answer)("text", None)


def test_an_end_that_always_emits_barriers_costs_where_nothing_was_put_off(new_branch, reviewed):
    """By hand, arm64: a section over user entries owed no barrier, and now its end has one."""
    header = "arch/arm64/include/asm/pgtable.h"
    new_branch.edit(header, "\tif (test_and_clear_thread_flag(TIF_LAZY_MMU_PENDING))\n\t\temit",
                    "\tclear_thread_flag(TIF_LAZY_MMU_PENDING);\n\temit")  # fmt: skip
    new_branch.commit("arm64: mm: Always emit barriers at the end")
    series = new_branch.mails()
    new_branch.back()
    answer = reviewed(series, new_branch.tree, arches=["arm64"])
    told = {(one.operation, one.space): one for one in answer.split.costs}
    user = told["change_pte_range", "user"]
    assert (user.before.barriers, user.after.barriers) == (0, 1), answer.split.untold
    assert ("vmap_pages_pte_range", "kernel") not in told


def test_barriers_that_are_not_put_off_any_more_cost_one_for_each_entry(new_branch, reviewed):
    """By hand, arm64: 32 kernel entries owed one barrier at the section's end, and now 32."""
    header = "arch/arm64/include/asm/pgtable.h"
    new_branch.edit(header, "\tif (is_lazy_mmu_mode_active())\n"
                    "\t\ttest_and_set_thread_flag(TIF_LAZY_MMU_PENDING);\n\telse\n\t\temit",
                    "\temit")  # fmt: skip
    new_branch.edit(header, "\tif (test_and_clear_thread_flag(TIF_LAZY_MMU_PENDING))\n"
                    "\t\temit_pte_barriers();\n", "")  # fmt: skip
    new_branch.commit("arm64: mm: Put no barrier off")
    series = new_branch.mails()
    new_branch.back()
    answer = reviewed(series, new_branch.tree, arches=["arm64"])
    told = {(one.part, one.operation, one.space): one for one in answer.split.costs}
    kernel = told["A", "vmap_pfn", "kernel"]
    assert (kernel.before.barriers, kernel.after.barriers) == (1, 32), answer.split.untold


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        (Counts(hypercalls=2), Counts(hypercalls=1), "2 hypercalls -> 1 hypercall"),
        (Counts(invalidations=2), Counts(), "2 invalidations -> nothing"),
        (
            Counts(barriers=1, pinned=3),
            Counts(barriers=1, pinned=9),
            "preemption off for 3 -> preemption off for 9",
        ),
    ],
)
def test_a_change_is_told_by_what_is_different(before, after, said):
    """What is slow, or, where that is the same, how long preemption is off."""
    one = CostChange("A", "x86", "set_pte", "user", 32, before, after)
    (line,) = costs.sentences([one], several=False)
    assert line == f"x86: costs change: set_pte() of 32 user entries, {said}"


def test_many_changes_are_one_line_for_each_part_and_machine():
    """The greatest change first, and how many operations more."""
    ones = [
        CostChange(part, "x86", name, "user", 32, Counts(hypercalls=32), Counts(hypercalls=2))
        for part in "AB"
        for name in ("set_pte", "set_pte_at", "set_ptes")
    ]
    assert list(costs.sentences(ones, several=True)) == [
        f"x86: costs change by {part}: set_pte() of 32 user entries, 32 hypercalls -> "
        "2 hypercalls; so do those of 2 operations more"
        for part in "AB"
    ]


def test_an_operation_that_can_be_counted_on_one_tree_alone_is_named(monkeypatch):
    """It is not compared, and that is said; one that neither tree can count is not worth a word."""

    def counted(_arch, release, name, _entries, _space, _scope):
        if name == "gone" and release == "after":
            raise Unliftable("it is not there", "mm/memory.c", 1)
        if name == "neither":
            raise ConfigError("no such entries")
        return Counts(hypercalls=1)

    monkeypatch.setattr(count, "forget", lambda: None)
    monkeypatch.setattr(count, "operations", lambda _arch, _release: ("gone", "neither", "same"))
    monkeypatch.setattr(count, "spaces_of", lambda _arch, _release, _name: ("user",))
    monkeypatch.setattr(count, "operation", counted)
    assert cost_changes("A", "x86", "before", "after") == ((), ("gone",))
