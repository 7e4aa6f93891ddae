# SPDX-License-Identifier: GPL-2.0-or-later
"""Core-mm code of real trees, lifted, beside the machine's own."""

from __future__ import annotations

import pytest

import lazymmu
from lazymmu.snapshot.tree import Tree
from lazymmu.verbs.given import Input
from tests.trees.test_lift import told

LIFTED = {"apply_to_pte_range", "move_ptes", "vmap_pages_pte_range", "remap_pte_range"}
"""What every tree has in a form that is understood."""

OWN = """
litmus moved-and-protected
"Entries that are moved and protected, beside who uses them and who takes the lock next."
machine: cpus 2
entries:
    p  pte user ptl L = A
    q  pte user ptl M = none
    r  pte user ptl L = B
task T0 on cpu0:
    move_ptes p q
    change_pte_range r
    flush_tlb_range r
    pte_offset_map_lock M
    pte_clear q
    pte_unmap_unlock M
    free_page A
task T1 on cpu1:
    access p
    access r
watch stale-translation-used, lost-update, unlock-before-flush, kernel-bug
finally: p = none; q = none; r = B:ro
"""


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    """A folder for what is known of files of trees."""
    return tmp_path_factory.mktemp("store")


def ask(tree, core, *scenarios, arch="x86", text="", store=None):
    """The answer for scenarios, all of them or those of a text."""
    return lazymmu.verify(
        lazymmu.VerifyRequest(
            scenarios=scenarios,
            files=[Input(text.encode(), "own.litmus")] if text else [],
            arches=[arch],
            tree=tree,
            everything=not (scenarios or text),
            core_mm=core,
            cache_dir=store,
        )
    )


@pytest.mark.parametrize("version", ["6.1", "6.12.8", "7.3"])
def test_every_scenario_says_of_a_tree_what_it_says_by_hand(kernel_tree, version, store):
    """The same verdict, the same rules, with as many preemptions; what is by hand says why."""
    tree = kernel_tree(version)
    lifted = ask(tree, "lifted", store=store)
    assert dict(lifted.lifted[0].core).keys() >= LIFTED
    assert all(dict(lifted.lifted[0].by_hand).values())
    assert told(lifted) == told(ask(tree, "by-hand", store=store))


@pytest.mark.parametrize("arch", ["x86", "powerpc", "sparc", "arm64"])
def test_entries_are_moved_and_protected_as_by_hand_on_every_architecture(kernel_tree, arch, store):
    """No shipped scenario has these operations."""
    tree = kernel_tree("7.3")
    lifted = ask(tree, "lifted", arch=arch, text=OWN, store=store)
    assert {"move_ptes", "change_pte_range"} <= dict(lifted.lifted[0].core).keys()
    assert told(lifted) == told(ask(tree, "by-hand", arch=arch, text=OWN, store=store))


@pytest.mark.parametrize(
    ("file", "function", "statement"),
    [
        ("mm/mremap.c", "move_ptes", "\tlazy_mmu_mode_disable();\n"),
        ("mm/mremap.c", "move_ptes", "\t\tflush_tlb_range(vma, old_end - len, old_end);\n"),
        ("mm/mremap.c", "move_ptes", "\t\tspin_unlock(new_ptl);\n"),
        ("mm/mremap.c", "move_ptes", "\tpte_unmap_unlock(old_ptep - 1, old_ptl);\n"),
        ("mm/mprotect.c", "change_pte_range", "\tlazy_mmu_mode_disable();\n"),
        ("mm/mprotect.c", "change_pte_range", "\tpte_unmap_unlock(pte - 1, ptl);\n"),
    ],
)
def test_a_statement_that_a_function_of_7_3_loses_changes_what_it_says(
    kernel_tree, store, file, function, statement
):
    """A section that does not end, a flush that is left out, a lock that stays."""
    tree = Tree.open(kernel_tree("7.3"))
    text = tree.read(file).decode()
    begin = text.index(f" {function}(")
    at = text.index(statement, begin)
    assert "\n}\n" not in text[begin:at]
    less = tree.over({file: (text[:at] + "\t;\n" + text[at + len(statement) :]).encode()})
    (verdict,) = ask(less, "lifted", text=OWN, store=store).verdicts
    assert verdict.violations
