# SPDX-License-Identifier: GPL-2.0-or-later
"""What core-mm code a tree has, as the machine's words for it (`machine.core_mm_features`).

Core-mm itself is not lifted: the machine's own code for it is used, in the form that the tree's
functions have. Which that is, is read off their calls; what is asked, and why it tells, stands in
the comments of `CoreMM`. Functions are found by their names, which are those of the operations.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lazymmu.contract import vocabulary
from lazymmu.kernelc.ir.expr import IncDec
from lazymmu.kernelc.ir.nodes import RETURN, Function, calls_in, walk
from lazymmu.machine.core_mm_features import (
    CoreMM,
    Kasan,
    Kmap,
    PagemapScope,
    UffdWpCheck,
    VmallocFault,
    VmallocSections,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lazymmu.kernelc.ir.expr import AnyCall
    from lazymmu.lift.link import Linker

__all__ = ["FUNCTIONS", "core_mm"]

_MODE: Final = vocabulary.load().mode
_PENDING: Final = "flush_tlb_batched_pending"
_KASAN: Final = ("mm/kasan/shadow.c", "mm/kasan/common.c")
"""Where the callbacks are, v5.12 on and before."""
_SPLITS: Final = (
    "split_folio",
    "split_huge_page",
    "split_folio_to_list",
    "split_huge_page_to_list",
)

FUNCTIONS: Final = frozenset(
    {
        "__kernel_map_pages",
        "__pte_offset_map",
        "apply_to_pte_range",
        "kasan_depopulate_vmalloc_pte",
        "kasan_populate_vmalloc_pte",
        "kmap_local_page",
        "madvise_cold_or_pageout_pte_range",
        "madvise_free_pte_range",
        "migrate_vma_collect_pmd",
        "move_present_ptes",
        "move_ptes",
        "pagemap_scan_pmd_entry",
        "set_ptes",
        "try_get_and_clear_pmd",
        "update_range_prot",
        "vmalloc_fault",
        "vmap_pages_pte_range",
        "zap_empty_pte_table",
        "zap_install_uffd_wp_if_needed",
    }
)
"""Every function that is looked at: a change of no other can switch a feature."""


def core_mm(linker: Linker, arch: str) -> CoreMM:
    """Return the features of a tree's core-mm code on one architecture of the machine."""
    look = _Look(linker)
    pmd = look.function("try_get_and_clear_pmd", "mm/pt_reclaim.c")
    one_lock = look.function("zap_empty_pte_table", "mm/memory.c") is not None
    return CoreMM(
        set_ptes=look.function("set_ptes", "mm/memory.c") is not None,
        set_ptes_enters=(arch,) if look.has("set_ptes", "mm/memory.c", "enable") else (),
        pagemap_scope=_pagemap(look),
        kasan=_kasan(look),
        kasan_allocates=look.allocates("kasan_populate_vmalloc_pte", *_KASAN),
        kasan_frees_locked=_frees_locked(look),
        pt_reclaim=pmd is not None or one_lock,
        vmalloc_sections=_vmalloc(look),
        madvise_split_in_mode=_splits(look),
        migrate_vma_flushes_each="ptep_clear_flush" in _migrate(look),
        migrate_vma_splits="migrate_vma_split_folio" in _migrate(look),
        move_present_ptes=look.function("move_present_ptes", "mm/userfaultfd.c") is not None,
        tables_vanish=look.function("__pte_offset_map", "mm/pgtable-generic.c") is not None,
        pt_reclaim_one_lock=one_lock,
        uffd_wp_check=_uffd_wp(look),
        move_ptes_checks=look.warns("move_ptes", "mm/mremap.c"),
        set_memory_walks=look.function("update_range_prot", "arch/arm64/mm/pageattr.c") is not None,
        vmalloc_fault=_vmalloc_fault(look),
        kmap=_kmap(look),
        batches_unmap=(arch,) if _batches_unmap(linker) else (),
        copy_checks=look.warns("copy_pte_range", "mm/memory.c", of="pte_present"),
        apply_stops_at_hole=_stops_at_hole(look),
        madvise_relock_flushes=look.names("madvise_free_pte_range", "mm/madvise.c").count(_PENDING)
        > 1,
        madvise_clears_young=_clears_young(look),
        set_memory_flushes=_set_memory_flushes(look),
    )


class _Look:
    """What functions of the tree call."""

    def __init__(self, linker: Linker) -> None:
        self.program = linker.program
        self.sleeps = vocabulary.load().sleeps
        self.words = linker.words

    def function(self, name: str, near: str) -> Function | None:
        found = self.program.resolve(name, near)
        return None if found is None else self.program.function(found.definition)

    def inside(self, name: str, *near: str) -> Iterator[AnyCall]:
        """The calls of a function, in the order of its text; `near`: where it may be."""
        graph = next(filter(None, (self.function(name, file) for file in near)), None)
        for _, call in graph.calls() if graph is not None else ():
            yield call

    def names(self, name: str, *near: str) -> list[str]:
        return [call.name or "" for call in self.inside(name, *near)]

    def warns(self, name: str, near: str, of: str = "") -> bool:
        """Whether a function warns of what it calls another one for, or of anything."""
        return any(
            (word := self.words.get(call.name or "")) is not None
            and word.does == "warn-if"
            and (not of or any(c.name == of for arg in call.args for c in calls_in(arg)))
            for call in self.inside(name, near)
        )

    def has(self, name: str, near: str, action: str) -> bool:
        """Whether a function begins, ends, pauses the mode itself."""
        return any(does(called) == action for called in self.names(name, near))

    def allocates(self, name: str, *near: str) -> bool:
        """Whether a function asks for memory in a way that may sleep."""
        return any(
            called in self.sleeps and self.sleeps[called].condition == "gfp"
            for called in self.names(name, *near)
        )


def does(name: str) -> str:
    """What a call does to the mode, "" for nothing."""
    word = _MODE.get(name)
    return "" if word is None else word.action


def _first(names: list[str], wanted: object) -> int:
    return next((at for at, name in enumerate(names) if wanted(name)), len(names))  # type: ignore[operator]


def _pagemap(look: _Look) -> PagemapScope:
    names = look.names("pagemap_scan_pmd_entry", "fs/proc/task_mmu.c")
    if not names:
        return "absent"
    begins = _first(names, lambda name: does(name) == "enable")
    return (
        "wide" if begins < _first(names, lambda name: "pte_offset_map_lock" in name) else "narrow"
    )


def _kasan(look: _Look) -> Kasan:
    names = look.names("kasan_populate_vmalloc_pte", *_KASAN)
    if not names:
        return "absent"
    done = {does(name) for name in names}
    return "paused" if "pause" in done else "left" if "disable" in done else "in-mode"


def _frees_locked(look: _Look) -> bool:
    names = look.names("kasan_depopulate_vmalloc_pte", *_KASAN)
    frees = _first(names, lambda name: name.strip("_").startswith("free_page"))
    return frees < min(_first(names, lambda name: name == "spin_unlock"), len(names))


def _vmalloc(look: _Look) -> VmallocSections:
    graph = look.function("vmap_pages_pte_range", "mm/vmalloc.c")
    if graph is None or not look.has("vmap_pages_pte_range", "mm/vmalloc.c", "enable"):
        return "absent"
    return "leaky" if _ends_inside(graph) else "balanced"


def _ends_inside(graph: Function) -> bool:
    """Whether a path returns with a section that it began."""
    return any(inside and graph.nodes[at].op == RETURN for at, inside in _states(graph))


def _states(graph: Function) -> set[tuple[int, bool]]:
    """Each node and whether it is reached inside of a section."""
    todo, seen = [(0, False)], set[tuple[int, bool]]()
    while todo:
        at, inside = state = todo.pop()
        if state in seen:
            continue
        seen.add(state)
        for node, call in graph.calls():
            if node is graph.nodes[at] and does(call.name or "") in ("enable", "disable"):
                inside = does(call.name or "") == "enable"
        todo += [(succ, inside) for succ in graph.nodes[at].succ]
    return seen


def _splits(look: _Look) -> bool:
    graph = look.function("madvise_free_pte_range", "mm/madvise.c")
    if graph is None:
        return False
    at = {id(node): number for number, node in enumerate(graph.nodes)}
    splits = {at[id(node)] for node, call in graph.calls() if call.name in _SPLITS}
    return any(inside and number in splits for number, inside in _states(graph))


def _migrate(look: _Look) -> list[str]:
    return look.names("migrate_vma_collect_pmd", "mm/migrate_device.c")


def _clears_young(look: _Look) -> bool:
    """Whether MADV_COLD does not exchange entries."""
    names = look.names("madvise_cold_or_pageout_pte_range", "mm/madvise.c")
    return bool(names) and not any(name.startswith("ptep_get_and_clear") for name in names)


def _uffd_wp(look: _Look) -> UffdWpCheck:
    found = list(look.inside("zap_install_uffd_wp_if_needed", "mm/memory.c"))
    if not found:
        return "absent"
    if any(call.name == "vma_is_anonymous" for call in found):
        return "after-anon"
    # vma, addr, pte, pteval, and from v7.3 on how many.
    return (
        "batched" if any("uffd" in (c.name or "") and len(c.args) > 4 for c in found) else "first"
    )


def _batches_unmap(linker: Linker) -> bool:
    return linker.view.config.value("ARCH_WANT_BATCHED_UNMAP_TLB_FLUSH") == "y"


def _stops_at_hole(look: _Look) -> bool:
    """Whether the entry goes on only where the callback is called: fn(pte++, addr, data)."""
    return any(
        isinstance(part, IncDec)
        for call in look.inside("apply_to_pte_range", "mm/memory.c")
        for arg in call.args
        for part in walk(arg)
    )


def _set_memory_flushes(look: _Look) -> bool:
    """Whether __kernel_map_pages() flushes the mode; where there is none, nothing is missing."""
    name, file = "__kernel_map_pages", "arch/x86/mm/pat/set_memory.c"
    return look.function(name, file) is None or look.has(name, file, "flush")


def _vmalloc_fault(look: _Look) -> VmallocFault:
    if look.function("vmalloc_fault", "arch/x86/mm/fault.c") is None:
        return "absent"
    flushed = look.has("vmalloc_fault", "arch/x86/mm/fault.c", "flush")
    return "flushed" if flushed else "unflushed"


def _kmap(look: _Look) -> Kmap:
    return "local" if look.function("kmap_local_page", "mm/memory.c") is not None else "atomic"
