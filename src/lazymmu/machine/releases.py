# SPDX-License-Identifier: GPL-2.0-or-later
"""Which implementation, generic API and core-mm code each release has.

A release is a row of features; the machine is built from features alone.  A feature can be asked
for by itself: the name of a row of the deferral table stands for the first release that has it.

Read in the trees of the releases themselves, except v5.10, of which the mode's own files were read
in trees that come from it, and v6.6-rc1 and v6.16-rc1, which are put together from what v6.6 and
v6.16 changed later: of v6.6, 49147beb0ccb ("x86/xen: allow nesting of same lazy mode") and
47b8def9358c ("powerpc/mm: Avoid calling arch_enter/leave_lazy_mmu() in set_ptes").
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from lazymmu.contract.deferral.releases import nearest
from lazymmu.machine.arch.arm64 import Arm64Counted, Arm64Flag, Arm64TrySet
from lazymmu.machine.arch.arm64_warns import Arm64Warns
from lazymmu.machine.arch.base import Arch
from lazymmu.machine.arch.native import Native
from lazymmu.machine.arch.powerpc import HashActive, HashCounted, HashUnpinned, Radix
from lazymmu.machine.arch.s390 import S390Posted
from lazymmu.machine.arch.sparc64 import SparcActive, SparcCounted, SparcUnpinned
from lazymmu.machine.arch.worst import WORST
from lazymmu.machine.arch.xen_cpu import (
    XenCpuMode,
    XenCpuStrict,
    XenExclusive,
    XenNestingCount,
)
from lazymmu.machine.arch.xen_task import XenTask
from lazymmu.machine.config import ConfigError
from lazymmu.machine.core_mm_features import CoreMM
from lazymmu.machine.generic_api import CountedMode, DirectMode

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from lazymmu.machine.mm.base import Part

__all__ = ["RELEASES", "CoreMM", "Release", "find", "releases_of"]


@dataclass(frozen=True, slots=True)
class Release:
    """One release: its arches' implementations, its API, and the state of its core-mm code.

    :param dialect: of the contract (contract.dialects).
    :param mm: see there.
    :param rt: architectures on which PREEMPT_RT can be selected, lazy_preempt: those with
        PREEMPT_LAZY.
    :param must_preempt: what has PREEMPT_LAZY has neither PREEMPT_NONE nor PREEMPT_VOLUNTARY any
        more (kernel/Kconfig.preempt).
    :param historic: no longer maintained, and here for what only it had.
    :param forms: gives the class to take in the place of one of core-mm code, None for itself.
    """

    name: str
    dialect: str
    mode: type[DirectMode]
    mm: CoreMM
    rt: tuple[str, ...] = ()
    lazy_preempt: tuple[str, ...] = ()
    must_preempt: bool = False
    historic: bool = False
    forms: Callable[[type[Part]], type[Part]] | None = field(default=None, repr=False)

    @property
    def arches(self) -> Mapping[str, type[Arch]]:
        """The implementation of each architecture that has the mode, and of those without."""
        return {
            arch: rows[self.name]
            for arch, rows in (*IMPLEMENTATIONS.items(), *PORTS.items())
            if self.name in rows
        }


# ---- core-mm -------------------------------------------------------------------------------------

WORST_CASES: Final = ("worst-case", "worst-case-pinned")
"""They stand for every architecture, and do what any of them does."""

_UNMAPS: Final = ("x86", "x86-native", *WORST_CASES)

_FROM_5_12: Final = {
    "gup_fast_seqcount": "write_protect_seq (in v5.11)",
    "kfence_unprotect": "KFENCE (in v5.12)",
    "kfence_protect": "KFENCE (in v5.12)",
    "exclusive": "device-exclusive entries (in v5.14)",
    "marker": "pte markers (in v5.19)",
    "swap-exclusive": "swap entries that know of exclusive pages (in v5.19)",
}
_FROM_3_13: Final = {
    **_FROM_5_12,
    "wp": "userfaultfd write-protection (in v5.7)",
    "madvise_free_pte_range": "MADV_FREE (in v4.5)",
    "vmap_pfn": "vmap_pfn() (in v5.10)",
    "madvise_cold_or_pageout_pte_range": "MADV_COLD (in v5.4)",
    "migrate_vma_collect_pmd": "migrate_vma() (in v4.14)",
    "try_to_unmap_flush": "TLB flushes of reclaim that wait (in v4.3)",
}
"""What v5.10, and what v3.1 and v3.12 do not have: by the word of it in a scenario."""

MM_5_10: Final = CoreMM(
    set_ptes=False,
    set_ptes_enters=(),
    pagemap_scope="absent",
    kasan="in-mode",
    kasan_allocates=True,
    kasan_frees_locked=True,
    pt_reclaim=False,
    vmalloc_sections="absent",
    madvise_split_in_mode=True,
    move_present_ptes=False,
    tables_vanish=False,
    pt_reclaim_one_lock=False,
    uffd_wp_check="absent",
    move_ptes_checks=False,
    set_memory_walks=False,
    vmalloc_fault="absent",
    kmap="atomic",
    batches_unmap=_UNMAPS,
    lacks=_FROM_5_12,
)
MM_3_12: Final = replace(
    MM_5_10, kasan="absent", vmalloc_fault="flushed", batches_unmap=(), lacks=_FROM_3_13
)
MM_3_1: Final = replace(
    MM_3_12, vmalloc_fault="unflushed", kmap="atomic-unflushed", set_memory_flushes=False
)
MM_6_1_176: Final = replace(
    MM_5_10, uffd_wp_check="first", kmap="local", lacks={}, migrate_vma_flushes_each=True
)
MM_6_1_192: Final = replace(MM_6_1_176, kasan_allocates=False)
MM_6_6_RC: Final = replace(
    MM_6_1_176,
    set_ptes=True,
    set_ptes_enters=("x86", "x86-native", "sparc", "powerpc", "powerpc-radix", *WORST_CASES),
    madvise_split_in_mode=False,
    tables_vanish=True,
    apply_stops_at_hole=True,
)
MM_6_12_8: Final = replace(
    MM_6_1_176,
    set_ptes=True,
    set_ptes_enters=("x86", "x86-native", "sparc", *WORST_CASES),
    pagemap_scope="wide",
    madvise_split_in_mode=False,
    tables_vanish=True,
    uffd_wp_check="after-anon",
    batches_unmap=(*_UNMAPS, "arm64"),
    apply_stops_at_hole=True,
    madvise_clears_young=True,
    copy_checks=True,
)
MM_6_12_38: Final = replace(
    MM_6_12_8, set_ptes_enters=(), madvise_relock_flushes=True, apply_stops_at_hole=False
)
MM_6_12_117: Final = replace(MM_6_12_38, kasan_allocates=False)
MM_6_16_RC: Final = replace(
    MM_6_12_38,
    pagemap_scope="narrow",
    kasan_allocates=False,
    pt_reclaim=True,
    vmalloc_sections="leaky",
)
MM_6_17_8: Final = replace(
    MM_6_16_RC,
    kasan="left",
    kasan_frees_locked=False,
    vmalloc_sections="balanced",
    move_ptes_checks=True,
)
MM_6_18_5: Final = replace(MM_6_17_8, move_present_ptes=True, set_memory_walks=True)
MM_6_19_6: Final = replace(MM_6_18_5, migrate_vma_splits=True)
MM_7_1: Final = replace(MM_6_19_6, kasan="paused", pt_reclaim_one_lock=True)
MM_7_3: Final = replace(MM_7_1, uffd_wp_check="batched")

# ---- releases ------------------------------------------------------------------------------------

_RT: Final = ("x86", "x86-native", "arm64", *WORST_CASES)
_LAZY: Final = ("x86", "x86-native", "arm64", "powerpc", "powerpc-radix", *WORST_CASES)

RELEASES: Final[Mapping[str, Release]] = {
    release.name: release
    for release in (
        Release("3.1", "ptl-held", DirectMode, MM_3_1, historic=True),
        Release("3.12", "ptl-held", DirectMode, MM_3_12, historic=True),
        Release("5.10", "ptl-held", DirectMode, MM_5_10, historic=True),
        Release("6.1.176", "ptl-held", DirectMode, MM_6_1_176),
        Release("6.1.192", "ptl-held", DirectMode, MM_6_1_192),
        Release("6.6-rc1", "ptl-held", DirectMode, MM_6_6_RC, historic=True),
        Release("6.12.8", "ptl-held", DirectMode, MM_6_12_8, _RT),
        Release("6.12.38", "no-nesting", DirectMode, MM_6_12_38, _RT),
        Release("6.12.117", "no-nesting", DirectMode, MM_6_12_117, _RT),
        Release("6.16-rc1", "no-nesting", DirectMode, MM_6_16_RC, _RT, _LAZY),
        Release("6.17.8", "no-nesting", DirectMode, MM_6_17_8, _RT, _LAZY),
        Release("6.18.5", "no-nesting", DirectMode, MM_6_18_5, _RT, _LAZY),
        Release("6.19.6", "no-nesting", DirectMode, MM_6_19_6, _RT, _LAZY),
        Release(
            "7.0", "counted", CountedMode, MM_7_1, _RT, _LAZY, must_preempt=True, historic=True
        ),
        Release("7.1.13", "counted", CountedMode, MM_7_1, _RT, _LAZY, must_preempt=True),
        Release(
            "7.2.8",
            "counted-task",
            CountedMode,
            MM_7_1,
            _RT,
            _LAZY,
            must_preempt=True,
            historic=True,
        ),
        Release("7.3.4", "counted-task", CountedMode, MM_7_3, _RT, _LAZY, must_preempt=True),
    )
}
"""The releases, oldest first (by when they branched off)."""

# ---- implementations: architecture -> release -> class -------------------------------------------

IMPLEMENTATIONS: Final[Mapping[str, Mapping[str, type[Arch]]]] = {
    "x86": {
        "3.1": XenExclusive,
        "3.12": XenExclusive,
        "5.10": XenExclusive,
        "6.1.176": XenExclusive,
        "6.1.192": XenExclusive,
        "6.6-rc1": XenExclusive,
        "6.12.8": XenNestingCount,
        "6.12.38": XenNestingCount,
        "6.12.117": XenNestingCount,
        "6.16-rc1": XenExclusive,
        "6.17.8": XenExclusive,
        "6.18.5": XenExclusive,
        "6.19.6": XenExclusive,
        "7.0": XenCpuStrict,
        "7.1.13": XenCpuMode,
        "7.2.8": XenTask,
        "7.3.4": XenTask,
    },
    "x86-native": dict.fromkeys(RELEASES, Native),
    "powerpc": {
        "5.10": HashUnpinned,
        "6.1.176": HashActive,
        "6.1.192": HashActive,
        "6.6-rc1": HashActive,
        "6.12.8": HashActive,
        "6.12.38": HashActive,
        "6.12.117": HashActive,
        "6.16-rc1": HashActive,
        "6.17.8": HashActive,
        "6.18.5": HashActive,
        "6.19.6": HashActive,
        "7.0": HashCounted,
        "7.1.13": HashCounted,
        "7.2.8": HashCounted,
        "7.3.4": HashCounted,
    },
    "powerpc-radix": dict.fromkeys(RELEASES, Radix),
    "sparc": {
        "5.10": SparcUnpinned,
        "6.1.176": SparcActive,
        "6.1.192": SparcActive,
        "6.6-rc1": SparcUnpinned,
        "6.12.8": SparcUnpinned,
        "6.12.38": SparcActive,
        "6.12.117": SparcActive,
        "6.16-rc1": SparcActive,
        "6.17.8": SparcActive,
        "6.18.5": SparcActive,
        "6.19.6": SparcActive,
        "7.0": SparcCounted,
        "7.1.13": SparcCounted,
        "7.2.8": SparcCounted,
        "7.3.4": SparcCounted,
    },
    "arm64": {
        "6.16-rc1": Arm64Warns,
        "6.17.8": Arm64Flag,
        "6.18.5": Arm64Flag,
        "6.19.6": Arm64Flag,
        "7.0": Arm64Counted,
        "7.1.13": Arm64Counted,
        "7.2.8": Arm64TrySet,
        "7.3.4": Arm64TrySet,
    },
    "s390": {"7.3.4": S390Posted},
    "worst-case": {release.name: WORST[release.dialect][0] for release in RELEASES.values()},
    "worst-case-pinned": {release.name: WORST[release.dialect][1] for release in RELEASES.values()},
}
"""A release that an architecture lacks has no mode there, or nothing that differs from others."""

PORTS: Final[dict[str, dict[str, type[Arch]]]] = {}
"""The same of what was installed while the program runs (port.py)."""


TREES: Final[dict[tuple[str, str], tuple[Release, type[Arch]]]] = {}
"""What was lifted from trees while the program runs, by architecture and the tree's name."""


def releases_of(arch: str) -> tuple[Release, ...]:
    """The releases that have an implementation for `arch`, oldest first."""
    return tuple(release for release in RELEASES.values() if arch in release.arches)


def find(arch: str, name: str) -> tuple[Release, type[Arch]]:
    """The release `name` and its implementation for `arch`.

    `name`: of a release, of a series (`6.12`: the newest of it), or of a row of the deferral table
    (the oldest release that has it, a historic one only if no other does). Any other release is
    like one of these (contract.deferral.releases, nearest()). The name of a tree that was lifted is
    what was lifted from it.

    :raises ConfigError: there is none.
    """
    if (arch, name) in TREES:
        return TREES[arch, name]
    candidates = releases_of(arch)
    if not candidates:
        raise ConfigError(
            f"no architecture {arch} is known; known are: {', '.join(IMPLEMENTATIONS)}"
        )
    by_row = sorted(
        (release for release in candidates if release.arches[arch].row == name),
        key=lambda release: release.historic,
    )
    exact = [release for release in candidates if release.name == name]
    series = [release for release in candidates if release.name.startswith(f"{name}.")]
    like = nearest(name, (release.name for release in candidates))
    resembling = [release for release in candidates if release.name == like]
    for found in (exact, by_row[:1], series[-1:], resembling):
        if found:
            return found[0], found[0].arches[arch]
    known = ", ".join(release.name for release in candidates)
    raise ConfigError(f"no release or implementation {name} of {arch} is known; known are: {known}")
