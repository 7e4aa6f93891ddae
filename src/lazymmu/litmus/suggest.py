# SPDX-License-Identifier: GPL-2.0-or-later
"""Which name is meant by one that does not exist: by spelling, and by what it says."""

from __future__ import annotations

import difflib
import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

__all__ = ["nearest"]

_MEANT: Final[Mapping[str, tuple[str, ...]]] = {
    "lazy_mmu_mode_enable": (
        *("enter", "begin", "start", "open", "on"),
        "arch_enter_lazy_mmu_mode",
    ),
    "lazy_mmu_mode_disable": (
        *("leave", "end", "stop", "close", "exit", "off"),
        "arch_leave_lazy_mmu_mode",
    ),
    "arch_flush_lazy_mmu_mode": ("flush", "sync", "drain", "commit"),
    "flush_tlb_range": ("tlb", "invalidate", "tlbi", "flush_tlb_page", "flush_tlb_mm"),
    "unmap_page_range": ("munmap", "unmap", "zap"),
    "madvise_dontneed_single_vma": ("dontneed", "madv_dontneed"),
    "madvise_free_pte_range": ("madv_free",),
    "madvise_cold_or_pageout_pte_range": ("cold", "pageout", "madv_cold"),
    "pagemap_scan_pmd_entry": ("pagemap", "pagemap_scan"),
    "copy_pte_range": ("dup_mmap", "copy_page_range"),
    "change_protection": ("mprotect",),
    "move_ptes": ("mremap", "move_page_tables"),
    "spin_lock": ("lock", "take", "acquire", "ptl", "pte_lockptr"),
    "spin_unlock": ("unlock", "drop", "release"),
    "mutex_lock": ("mutex", "down", "down_write"),
    "schedule": ("sleep", "block", "wait", "msleep", "might_sleep"),
    "cond_resched": ("yield", "resched"),
    "ptep_get": ("read", "load", "pte_read"),
    "set_pte": ("write", "store", "map", "set"),
    "pte_clear": ("clear", "none"),
    "ptep_get_and_clear": ("xchg", "exchange", "get_and_clear"),
    "ptep_set_wrprotect": ("protect", "wrprotect", "readonly"),
    "access": ("use", "touch", "dereference", "memcpy"),
    "access_write": ("memset", "poke"),
    "free_page": ("free", "put_page", "__free_page"),
    "alloc_page": ("alloc", "kmalloc", "get_free_page"),
    "try_to_unmap_one": ("reclaim", "swap_out", "try_to_unmap"),
    "exit_to_user_mode": ("return", "user", "sysret"),
    "do_exit": ("die", "quit"),
}
"""Words by which people look for an operation, the kernel's and plain ones."""


def nearest(name: str, there_are: Collection[str]) -> str:
    """The name that is meant, "" where none comes near.

    What somebody calls the thing by comes first, then spelling, then the name with most words in
    common.
    """
    for meant, called in _MEANT.items():
        if meant in there_are and name in called:
            return meant
    close = difflib.get_close_matches(name, there_are, n=1, cutoff=0.75)
    if close:
        return close[0]
    words = _words(name)
    for meant, called in _MEANT.items():
        if meant in there_are and words.issubset(called):
            return meant
    shared = {one: len(words & _words(one)) / len(words | _words(one)) for one in there_are}
    best = max(shared, key=lambda one: shared[one], default="")
    if best and shared[best] >= _MIN_SHARED:
        return best
    for meant, called in _MEANT.items():
        if meant in there_are and words.intersection(called):
            return meant
    far = difflib.get_close_matches(name, there_are, n=1)
    return far[0] if far else ""


_MIN_SHARED: Final = 0.5
"""Of the words of two names: so much in common is no accident."""


def _words(name: str) -> set[str]:
    return set(re.findall(r"[a-z0-9]+", name.lower()))
