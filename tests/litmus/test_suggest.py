# SPDX-License-Identifier: GPL-2.0-or-later
"""A name that does not exist gets the one that is meant, by spelling or by meaning."""

from __future__ import annotations

import pytest

from lazymmu.litmus.operations import signatures
from lazymmu.litmus.suggest import nearest


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("set_pet", "set_pte"),
        ("lazy_mmu_enable", "lazy_mmu_mode_enable"),
        ("enter", "lazy_mmu_mode_enable"),
        ("leave", "lazy_mmu_mode_disable"),
        ("munmap", "unmap_page_range"),
        ("mprotect", "change_protection"),
        ("sleep", "schedule"),
        ("lock", "spin_lock"),
        ("flush_tlb_page", "flush_tlb_range"),
        ("reclaim", "try_to_unmap_one"),
        ("arch_enter_lazy_mmu_mode", "lazy_mmu_mode_enable"),
    ],
)
def test_an_operation_is_found_by_what_people_call_it(said, meant):
    """Spelling first, then the words by which it is known."""
    assert nearest(said, list(signatures())) == meant


def test_nonsense_gets_no_suggestion():
    """A guess that has nothing to do with the name helps nobody."""
    assert nearest("zqxj", list(signatures())) == ""
