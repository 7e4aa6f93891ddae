# SPDX-License-Identifier: GPL-2.0-or-later
"""Bugs that the kernel had: the tree before each fix breaks a rule, the tree after it does not.

Nothing of a release is known here but its source: the hooks are lifted, and core-mm code has the
form that the tree's has.
"""

from __future__ import annotations

import pytest

import lazymmu
from lazymmu.snapshot.tree import Tree

GENERIC = "include/linux/pgtable.h"

BUGS = [
    # a1d416bf9faf ("sparc/mm: disable preemption in lazy mmu mode") (in v6.15)
    ("sparc", "section-keeps-its-cpu", "6.12.8", "6.12", {"unpinned-batch", "mode-left-on-cpu"}),
    ("sparc", "section-keeps-its-cpu", "6.12.8", "7.3", {"unpinned-batch", "mode-left-on-cpu"}),
    # eb61ad14c459 ("sparc/mm: avoid calling arch_enter/leave_lazy_mmu() in set_ptes") (in v6.15)
    ("sparc", "set-ptes-nests-and-stops", "6.12.8", "7.3", {"nested-section"}),
    # 691ee97e1a9d ("mm: fix lazy mmu docs and usage") (in v6.15)
    ("x86", "set-ptes-nests-and-stops", "6.12.8", "7.3", {"nested-section"}),
    # c36549ff8d84 ("Revert "x86/xen: allow nesting of same lazy mode"") (in v6.15)
    ("x86", "rt-nested-section-preempted", "6.12.8", "7.3", {"kernel-bug"}),
    # b9ef323ea168 ("powerpc/64s: Disable preemption in hash lazy mmu mode") (in v6.1)
    ("powerpc", "section-keeps-its-cpu", "5.10", "6.1", {"unpinned-batch", "mode-left-on-cpu"}),
    ("powerpc", "hash-stuck-active", "5.10", "6.1", {"stale-translation-used"}),
    # c519c3c0a113 ("mm/kasan: avoid lazy MMU mode hazards") (in v6.17)
    ("x86", "kasan-depopulate-frees", "6.1", "7.3", {"free-before-flush", "unlock-before-flush"}),
    # b6ea95a34cbd ("kasan: avoid sleepable page allocation from atomic context") (in v6.15)
    ("x86", "kasan-populate-allocates", "6.12.8", "7.3", {"sleep-in-section"}),
    # ad449d856bd7 ("fs/proc/task_mmu: reduce scope of lazy mmu region") (in v6.15)
    ("x86", "pagemap-scan-unlocks-first", "6.12.8", "7.3", {"section-outside-lock", "lost-update"}),
    # f3cd4ab0aabf ("mm/madvise: clean up pte_offset_map_lock() scans") (in v6.5)
    ("x86", "madvise-splits-in-section", "6.1", "6.12.8", {"unlock-before-flush"}),
    ("powerpc", "madvise-splits-in-section", "6.1", "7.3", {"kernel-bug", "sleep-in-section"}),
]
"""Architecture, scenario, the tree that has the bug, one that has not, and what it breaks."""


@pytest.fixture(scope="module")
def broken(tmp_path_factory):
    """Tells the rules that a tree's own code breaks in a scenario, None where that is not known."""
    store = tmp_path_factory.mktemp("store")

    def rules(tree, arch, scenario):
        (one,) = lazymmu.verify(
            lazymmu.VerifyRequest(tree=tree, arches=[arch], scenarios=[scenario], cache_dir=store)
        ).verdicts
        if one.verdict not in ("holds", "never-occurs", "violated"):
            return None
        return {violation.rule for violation in one.violations}

    return rules


@pytest.mark.parametrize(("arch", "scenario", "before", "after", "rules"), BUGS)
def test_a_bug_is_shown_on_the_tree_that_has_it_alone(
    kernel_tree, broken, arch, scenario, before, after, rules
):
    """The rules are broken before the fix; after it nothing in the scenario is."""
    had, has = kernel_tree(before), kernel_tree(after)
    assert broken(had, arch, scenario) >= rules
    assert broken(has, arch, scenario) == set()


def test_what_was_never_mended_is_still_told(kernel_tree, broken):
    """pagemap flushes the TLB before its section ends, then and now."""
    for version in ("6.12.8", "7.3"):
        told = broken(kernel_tree(version), "x86", "pagemap-scan-flushes-inside")
        assert told == {"tlb-flush-in-section"}


@pytest.mark.parametrize(
    ("file", "was", "becomes", "scenario", "rules"),
    [
        # b81c688426a9 ("arm64/mm: Disable barrier batching in interrupt contexts") (in v6.16)
        (
            "include/linux/sched.h",
            "if (in_interrupt())\n\t\treturn false;\n\n\treturn __task_lazy",
            "return __task_lazy",
            "page-mapped-in-softirq",
            {"stale-translation-used", "irq-deferred"},
        ),
        # 1ef3095b1405 ("arm64/mm: Permit lazy_mmu_mode to be nested") (in v6.16)
        (
            "include/linux/pgtable.h",
            "if (state->enable_count++ == 0)",
            "VM_WARN_ON_ONCE(state->enable_count);\n\tif (state->enable_count++ == 0)",
            "page-allocated-in-section",
            {"kernel-warning"},
        ),
    ],
)
def test_a_bug_of_a_release_that_cannot_be_had_is_told_where_it_is_put_back(
    kernel_tree, broken, file, was, becomes, scenario, rules
):
    """arm64 had both before v6.16 was out; put into 7.3 they break what they broke."""
    tree = Tree.open(kernel_tree("7.3"))
    text = tree.read(file).decode()
    assert was in text
    with_bug = tree.over({file: text.replace(was, becomes).encode()})
    assert broken(tree, "arm64", scenario) == set()
    assert broken(with_bug, "arm64", scenario) == rules
