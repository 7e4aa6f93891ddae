# SPDX-License-Identifier: GPL-2.0-or-later
"""Bugs of the kernel's history: there in the release that has them, gone in what fixed them.

Each is a plain search of a small program without preemption, but for those that are about it.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import pytest

from .mm import searched


class Bug(NamedTuple):
    """What to run, which rules it breaks on who has the bug, and who has not; more: for the search.

    A fix and its bug may be shown on different architectures.
    """

    name: str
    entries: list[str]
    programs: tuple[str, ...]
    rules: set[str]
    has: tuple[tuple[str, str], ...]
    fixed: tuple[tuple[str, str], ...]
    more: Mapping[str, Any] = MappingProxyType({})


SHADOW = ["p kernel lock K"]
KERNEL = ["p kernel"]
USER = ["p lock L = A"]
FILLED = ["p kernel = A"]
SECTION = "lazy_mmu_mode_enable\n{}\nlazy_mmu_mode_disable"

BUGS = [
    Bug(
        "vmap-err-leave",
        FILLED,
        ("vmap_pages_pte_range B p",),
        {"unbalanced-section"},
        (
            ("x86", "6.16-rc1"),
            ("arm64", "6.16-rc1"),
            ("sparc", "6.16-rc1"),
            ("powerpc", "6.16-rc1"),
        ),
        (("x86", "6.17.8"), ("arm64", "6.17.8"), ("x86", "6.12.38")),
    ),
    Bug(
        "kasan-sleep",
        SHADOW,
        ("kasan_populate_vmalloc A p",),
        {"sleep-in-section"},
        (("x86", "6.1.176"), ("x86", "6.12.8"), ("x86", "6.12.38"), ("worst-case", "6.12.38")),
        (("x86", "6.16-rc1"), ("x86", "6.17.8"), ("x86", "7.3.4"), ("arm64", "6.17.8")),
    ),
    Bug(
        "kasan-read-hazard: two populate",
        SHADOW,
        ("kasan_populate_vmalloc A p", "kasan_populate_vmalloc B p"),
        {"unlock-before-flush", "lost-update"},
        (("x86", "6.1.176"), ("x86", "6.12.38"), ("x86", "6.16-rc1")),
        (("x86", "6.12.8"), ("x86", "6.17.8"), ("arm64", "6.17.8")),
    ),
    Bug(
        "kasan-read-hazard: a page is freed that is mapped still",
        ["p kernel lock K = A"],
        ("kasan_depopulate_vmalloc p",),
        {"free-before-flush", "unlock-before-flush"},
        (("x86", "6.1.176"), ("x86", "6.12.8"), ("x86", "6.12.38"), ("x86", "6.16-rc1")),
        (("x86", "6.17.8"), ("x86", "7.3.4")),
    ),
    Bug(
        "generic-setptes-nest",
        ["p lock L", "q lock L"],
        ("remap_pte_range A p q",),
        {"nested-section"},
        (("x86", "6.12.8"), ("sparc", "6.12.8")),
        (("x86", "6.1.176"), ("x86", "6.12.38"), ("sparc", "6.12.38"), ("powerpc", "6.12.8")),
    ),
    Bug(
        "xen-nest-preempt",
        KERNEL,
        ("vmap_pfn A p",),
        {"kernel-bug"},
        (("x86", "6.12.8"),),
        (("x86", "6.1.176"), ("x86", "6.12.38"), ("x86", "6.17.8"), ("x86", "7.3.4")),
        {"bound": 1, "preempt": "full"},
    ),
    Bug(
        "arm64-nest",
        ["p lock L = A", "l kernel"],
        (SECTION.format("debug_pagealloc_map_pages l B"),),
        {"kernel-warning"},
        (("arm64", "6.16-rc1"),),
        (("arm64", "6.17.8"), ("arm64", "6.19.6"), ("arm64", "7.3.4")),
    ),
    Bug(
        "pagemap-scope",
        USER,
        ("pagemap_scan_pmd_entry p", "unmap_page_range p"),
        {"section-outside-lock", "unlock-before-flush", "lost-update"},
        (("x86", "6.12.8"), ("x86", "6.12.38")),
        (("x86", "6.17.8"), ("x86", "6.19.6"), ("x86", "7.3.4")),
    ),
    Bug(
        "pagemap-scope: a huge page is split",
        ["d pmd lock M = T", "p in d lock L = A"],
        ("pagemap_scan_pmd_entry d p",),
        {"sleep-in-section"},
        (("x86", "6.12.8"), ("x86", "6.12.38")),
        (("x86", "6.17.8"), ("x86", "7.3.4")),
    ),
    Bug(
        "order-pagemap",
        USER,
        ("pagemap_scan_pmd_entry p",),
        {"tlb-flush-in-section"},
        (("x86", "6.12.8"), ("x86", "6.17.8"), ("x86", "7.3.4"), ("arm64", "7.3.4")),
        (),
    ),
    Bug(
        "madv-split-lazy",
        ["p lock L = A", "q lock L = B", "r lock L = B"],
        ("madvise_free_pte_range p q", "do_anonymous_page p C"),
        {"sleep-in-section", "unlock-before-flush", "lost-update"},
        (("x86", "6.1.176"),),
        (("x86", "6.12.8"), ("x86", "6.12.38"), ("x86", "7.3.4")),
    ),
    Bug(
        "madv-split-lazy: where the mode pins the task, it may not sleep",
        ["p lock L = A", "q lock L = B", "r lock L = B"],
        ("madvise_free_pte_range p q",),
        {"sleep-in-section", "kernel-bug"},
        (("powerpc", "6.1.176"), ("sparc", "6.1.176")),
        (("powerpc", "6.12.8"), ("sparc", "6.12.38")),
        {"preempt": "full"},
    ),
    Bug(
        "vmalloc-fault",
        ["r kernel pgd = T", "g kernel pgd"],
        (SECTION.format("vmalloc_fault r g"),),
        {"stale-read", "kernel-bug"},
        (("x86", "3.1"),),
        (("x86", "3.12"),),
    ),
    Bug(
        "kmap-atomic-sync",
        ["k kernel"],
        (SECTION.format("kmap_atomic k A\naccess k\nkunmap_atomic k"),),
        {"stale-translation-used"},
        (("x86", "3.1"),),
        (("x86", "3.12"), ("x86", "5.10")),
    ),
    Bug(
        "copy-exclusive-stale",
        ["p lock L = A:exclusive", "q lock N"],
        ("copy_pte_range p q",),
        {"stale-read"},  # the warning came later than v6.1
        (("x86", "6.1.176"), ("x86", "6.12.38"), ("x86", "7.3.4")),
        (("x86", "6.12.8"),),
    ),
]
"""Those of the history that core-mm code shows; the rest are the architectures' own."""


@pytest.mark.parametrize(
    ("bug", "arch", "release"),
    [
        pytest.param(bug, arch, release, id=f"{bug.name}-{arch}-{release}")
        for bug in BUGS
        for arch, release in bug.has
    ],
)
def test_the_bug_is_there(bug, arch, release):
    """Every rule that it breaks is seen broken."""
    found = searched(arch, release, bug.entries, *bug.programs, **bug.more)
    assert bug.rules <= found.broken


@pytest.mark.parametrize(
    ("bug", "arch", "release"),
    [
        pytest.param(bug, arch, release, id=f"{bug.name}-{arch}-{release}")
        for bug in BUGS
        for arch, release in bug.fixed
    ],
)
def test_the_bug_is_gone(bug, arch, release):
    """None of them is, whatever others are; a warning about the caller's mistake stays."""
    found = searched(arch, release, bug.entries, *bug.programs, **bug.more)
    assert not bug.rules & found.broken


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.name)
def test_who_stores_at_once_is_not_hurt(bug):
    """x86 without Xen in the same release: no update is lost, no stale translation is used."""
    release = next((name for arch, name in bug.has if arch == "x86"), None)
    if release is None:
        pytest.skip("not one of x86")
    found = searched("x86-native", release, bug.entries, *bug.programs, **bug.more)
    assert not {"lost-update", "stale-translation-used"} & found.broken


@pytest.mark.parametrize("bug", BUGS[:4], ids=lambda bug: bug.name)
def test_places_are_the_same_whether_remembered_or_not(bug):
    """A search with remembered places finds what one without them finds, and as many states."""
    arch, release = bug.has[0]
    one = searched(arch, release, bug.entries, *bug.programs, cached=True)
    other = searched(arch, release, bug.entries, *bug.programs, cached=False)
    assert (one.broken, one.states, one.transitions) == (
        other.broken,
        other.states,
        other.transitions,
    )
