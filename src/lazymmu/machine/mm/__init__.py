# SPDX-License-Identifier: GPL-2.0-or-later
"""Core-mm code that uses the mode, as operations under the kernel's names.

One module for each kernel file or function, one class for each state that it was in; `CoreCode`
puts together those of a release, by the words of `features.CoreMM`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from lazymmu.machine.config import ConfigError
from lazymmu.machine.memory import page_of
from lazymmu.machine.mm import (
    fault,
    highmem,
    kasan,
    madvise,
    memory,
    migrate_device,
    mremap,
    pgtable,
    rmap,
    set_memory,
    task_mmu,
    uffd_markers,
    vmalloc,
    zap,
)
from lazymmu.machine.mm import pgtable_generic as generic
from lazymmu.machine.mm.copy import CopyPteRange
from lazymmu.machine.mm.gup import Gup
from lazymmu.machine.mm.mprotect import Mprotect
from lazymmu.machine.mm.page_alloc import PageAlloc
from lazymmu.machine.mm.userfaultfd import MovePresentPtes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from lazymmu.machine.arch.base import Arch
    from lazymmu.machine.config import EntrySpec, Op, Value
    from lazymmu.machine.core_mm_features import CoreMM
    from lazymmu.machine.generic_api import DirectMode
    from lazymmu.machine.locks import MachineLocks
    from lazymmu.machine.memory import Memory
    from lazymmu.machine.mm.base import Part
    from lazymmu.machine.operations import Operation
    from lazymmu.machine.sched import Sched
    from lazymmu.machine.steps import RoutineCall

__all__ = ["CoreCode", "part_classes"]

X86: Final = ("x86", "x86-native", "worst-case", "worst-case-pinned")
"""Architectures with x86's own code; a worst case could be any, so it has it all."""

NO_UFFD_WP: Final = ("powerpc", "powerpc-radix", "sparc")
"""Without HAVE_ARCH_USERFAULTFD_WP."""

NO_PT_RECLAIM: Final = ("powerpc", "powerpc-radix", "sparc")
"""With HAVE_ARCH_TLB_REMOVE_TABLE, so that CONFIG_PT_RECLAIM cannot be (mm/Kconfig)."""

NO_KASAN_VMALLOC: Final = ("powerpc", "sparc")
"""powerpc's is radix only, sparc has no KASAN."""

SETS: Final[Mapping[str, type[pgtable.SetPtes]]] = {"sparc": pgtable.SparcSetPtesSection}
PAGEMAP: Final = {"wide": task_mmu.PagemapScanWide, "narrow": task_mmu.PagemapScanNarrow}
KASAN: Final = {
    "in-mode": kasan.Kasan,
    "left": kasan.KasanLeaves,
    "paused": kasan.KasanPauses,
}
VMALLOC: Final = {
    "absent": vmalloc.Vmalloc,
    "leaky": vmalloc.VmallocSectionsLeaky,
    "balanced": vmalloc.VmallocSections,
}
UFFD: Final = {
    "absent": uffd_markers.UffdMarkers,
    "first": uffd_markers.UffdMarkersCheckFirst,
    "after-anon": uffd_markers.UffdMarkersAfterAnon,
    "batched": uffd_markers.UffdMarkersBatched,
}
KMAP: Final[Mapping[str, type[Part]]] = {
    "atomic-unflushed": highmem.KmapAtomicUnflushed,
    "atomic": highmem.KmapAtomic,
    "local": highmem.KmapLocal,
}
FAULT: Final = {"unflushed": fault.VmallocFaultUnflushed, "flushed": fault.VmallocFault}


class CoreCode:
    """The core-mm code of one release on one architecture.

    pgtable, tables, uffd, rmap, apply: parts that others call; the rest only programs do.
    """

    def __init__(
        self,
        name: str,
        features: CoreMM,
        *,
        arch: Arch,
        mode: DirectMode,
        locks: MachineLocks,
        pages: Memory,
        sched: Sched,
        forms: Callable[[type[Part]], type[Part]] | None = None,
    ) -> None:
        """`name`: the architecture's; the rest: the other parts of the machine.

        :param forms: gives the class to take in the place of a part's.
        """
        form: Callable[[type[Any]], type[Any]] = forms or (lambda part: part)
        self.name = name
        self.features = features
        self.arch = arch
        self.mode = mode
        self.locks = locks
        self.memory = pages
        self.sched = sched
        self.pgtable: pgtable.SetPteAt = form(_pgtable(name, features))(self)
        self.tables: generic.Tables = form(_tables(features))(self)
        self.uffd: uffd_markers.UffdMarkers = form(_uffd(name, features))(self)
        self.rmap: rmap.Rmap = form(rmap.RmapBatched if self.batches_unmap else rmap.Rmap)(self)
        self.apply: memory.ApplyToPageRange = form(memory.ApplyToPageRange)(self)
        self.others = tuple(form(part)(self) for part in _others(name, features))

    def parts(self) -> Iterator[tuple[Part, tuple[str, ...]]]:
        """Every part, and the names of its operations."""
        for part in (self.pgtable, self.tables, self.rmap, self.apply, *self.others):
            yield part, part.operations

    @property
    def alternatives(self) -> int:
        """The most that a choice of core-mm code itself has."""
        return max(part.alternatives for part, _ in self.parts())

    @property
    def batches_unmap(self) -> bool:
        """ARCH_WANT_BATCHED_UNMAP_TLB_FLUSH."""
        return self.name in self.features.batches_unmap

    def check(self, program: Iterable[Op], operations: Mapping[str, Operation]) -> None:
        """Raise ConfigError for a range without entries, and for an entry without a lock.

        The latter only where an operation has to lock it.
        """
        locked = {name: part.locked for part, names in self.parts() for name in names}
        for op in program:
            for word in (op.name, *op.args):
                self.check_word(word)
            operation = operations.get(op.name)
            if op.name in locked and operation is not None and operation.many:
                wanted = " ".join(name for name, _ in operation.params)
                if len(op.args) < len(operation.params):
                    raise ConfigError(f"{op.name} takes {wanted}, one at least")
            for arg in op.args:
                spec = self.memory.specs.get(arg)
                if spec is not None and spec.space in locked.get(op.name, ()):
                    self._check_locks(op.name, spec)
            self.check(op.body, operations)

    def check_word(self, word: str | None) -> None:
        """Raise ConfigError for an operation or a value that came later than this release."""
        lacks = self.features.lacks
        for part in (word or "").split(":"):
            if part in lacks:
                raise ConfigError(f"there is no `{part}` yet: it came with {lacks[part]}")

    def _check_locks(self, name: str, spec: EntrySpec) -> None:
        above = self.memory.specs.get(spec.parent)
        for one in (spec, *([] if above is None else [above])):
            if not one.locks:
                raise ConfigError(f"{name} locks the table of {one.name}, which has no lock")

    def is_large(self, value: Value, entries: tuple[str, ...]) -> bool:
        """Whether the folio reaches beyond the range, so that it must be split."""
        return any(
            entry not in entries
            and self.memory.specs[entry].level == "pte"
            and self.memory.specs[entry].space == "user"
            for entry in self.memory.mappers.get(page_of(value) or "", ())
        )

    def might_sleep(self, why: str) -> RoutineCall:
        """Something that may sleep: others may have the CPU meanwhile."""
        return self.sched.may_sleep(why)


def part_classes(name: str, features: CoreMM) -> tuple[type[Part], ...]:
    """The classes of one release on one architecture that have core-mm's own code."""
    return (memory.ApplyToPageRange, *_others(name, features))


def _pgtable(name: str, features: CoreMM) -> type[pgtable.SetPteAt]:
    if not features.set_ptes:
        return pgtable.SetPteAt
    if name == "arm64":
        return pgtable.Arm64SetPtes
    if name in features.set_ptes_enters:
        return SETS.get(name, pgtable.SetPtesSection)
    return pgtable.SetPtes


def _uffd(name: str, features: CoreMM) -> type[uffd_markers.UffdMarkers]:
    return UFFD["absent" if name in NO_UFFD_WP else features.uffd_wp_check]


def _tables(features: CoreMM) -> type[generic.Tables]:
    return generic.VanishingTables if features.tables_vanish else generic.Tables


def _others(name: str, features: CoreMM) -> Iterator[type[Part]]:
    """Parts that nobody else calls; what a release or an architecture lacks is not there."""
    yield from (memory.RemapPfnRange, memory.Faults, Gup, PageAlloc, CopyPteRange, Mprotect)
    yield _zap(name, features)
    yield mremap.MovePtesChecks if features.move_ptes_checks else mremap.MovePtes
    yield madvise.MadviseSplitInMode if features.madvise_split_in_mode else madvise.Madvise
    splits = features.migrate_vma_splits
    yield migrate_device.MigrateVmaSplits if splits else migrate_device.MigrateVma
    yield VMALLOC[features.vmalloc_sections]
    if name not in NO_UFFD_WP and features.pagemap_scope in PAGEMAP:
        yield PAGEMAP[features.pagemap_scope]
    if name not in NO_KASAN_VMALLOC and features.kasan in KASAN:
        yield KASAN[features.kasan]
    if features.move_present_ptes:
        yield MovePresentPtes
    if name in X86:
        flushes = features.set_memory_flushes
        yield set_memory.X86SetMemory if flushes else set_memory.X86SetMemoryUnflushed
        yield KMAP[features.kmap]
        if features.vmalloc_fault in FAULT:
            yield FAULT[features.vmalloc_fault]
    elif name == "arm64":
        walks = features.set_memory_walks
        yield set_memory.Arm64SetMemoryWalks if walks else set_memory.Arm64SetMemory


def _zap(name: str, features: CoreMM) -> type[zap.Zap]:
    if name in NO_PT_RECLAIM or not features.pt_reclaim:
        return zap.Zap
    return zap.ZapReclaimOneLock if features.pt_reclaim_one_lock else zap.ZapReclaim
