# SPDX-License-Identifier: GPL-2.0-or-later
"""Kernel mappings: vmalloc, kasan's shadow, the linear map, short-lived mappings, faults."""

from __future__ import annotations

import pytest

from lazymmu.machine.workbench import CannotError

from .mm import bench, did, order, searched

SHADOW = ["p kernel lock K"]
FULL = ["p kernel lock K = A"]


@pytest.mark.parametrize(
    ("release", "expected"),
    [
        ("6.12.38", ["write p", "write q"]),
        ("6.16-rc1", ["enable", "write p", "write q", "disable"]),
        ("7.3.4", ["enable", "write p", "write q", "disable"]),
    ],
)
@pytest.mark.parametrize(
    ("program", "value"),
    [
        ("vmap_pages_pte_range A p q", ""),
        ("vmap_pte_range A p q", ""),
        ("vunmap_pte_range p q", " = A"),
    ],
)
def test_loops_of_vmalloc_are_sections_from_v6_16_on(release, expected, program, value):
    """Loops of vmalloc are sections from v6.16 on (44562c71e2cf), with no lock anywhere."""
    assert did("x86", release, [f"p kernel{value}", f"q kernel{value}"], program) == expected


@pytest.mark.parametrize(
    ("release", "expected"),
    [
        ("6.12.38", ["bug"]),
        ("6.16-rc1", ["enable", "bug"]),
        ("6.17.8", ["enable", "bug", "disable"]),
    ],
)
def test_an_error_in_the_first_candidates_of_v6_16_forgets_to_leave(release, expected):
    """An error in the first candidates of v6.16 forgets to leave; fea18c686320 made it leave."""
    program = "vmap_pages_pte_range B p"
    assert did("x86", release, ["p kernel = A"], program) == expected


def test_vmap_pfn_uses_a_callback_in_all_releases():
    """So that set_ptes() nested in it."""
    words = did("x86", "6.12.8", ["p kernel"], "vmap_pfn A p")
    assert words == ["enable", "enable", "write p", "disable", "disable"]


ALLOCATES = ["enable", "sleep GFP_KERNEL", "take K", "write p", "drop K", "disable"]
BEFORE = ["sleep GFP_KERNEL", "enable", "take K", "write p", "drop K", "disable"]
LEFT = [*BEFORE[:2], "disable", *BEFORE[2:5], "enable", "disable"]
PAUSED = [*BEFORE[:2], "pause", *BEFORE[2:5], "resume", "disable"]


@pytest.mark.parametrize(
    ("release", "expected"),
    [
        ("6.1.176", ALLOCATES),
        ("6.12.38", ALLOCATES),
        ("6.16-rc1", BEFORE),
        ("6.17.8", LEFT),
        ("7.3.4", PAUSED),
    ],
)
def test_kasan_fills_shadow_in_the_mode_then_outside_then_paused(release, expected):
    """And allocates inside the callback, later before the walk."""
    assert did("x86", release, SHADOW, "kasan_populate_vmalloc A p") == expected


@pytest.mark.parametrize(("release", "locked"), [("6.12.38", True), ("6.17.8", False)])
def test_kasan_freed_shadow_under_the_lock(release, locked):
    """08c7c253e032 moved it behind the unlock."""
    words = did("x86", release, FULL, "kasan_depopulate_vmalloc p")
    assert (words.index("free p") < words.index("drop K")) == locked


def test_kasan_frees_the_page_of_who_came_second():
    """Of two who fill one entry KASAN frees the page of the second, and that of the first stays."""
    machine = bench("x86", "6.17.8", *SHADOW)
    machine.do("kasan_populate_vmalloc A p")
    words = order(machine.do("kasan_populate_vmalloc B p"), "read", "enable", "disable")
    assert (machine.stored("p"), words[-1]) == ("A", "free p")


@pytest.mark.parametrize(("arch", "there"), [("powerpc", False), ("sparc", False), ("arm64", True)])
def test_kasan_is_not_everywhere(arch, there):
    """No KASAN on sparc, none with powerpc's hash."""
    operations = bench(arch, "6.17.8", "p").machine.operations
    assert ("kasan_populate_vmalloc" in operations) == there


INSIDE = "lazy_mmu_mode_enable; debug_pagealloc_map_pages l A"


@pytest.mark.parametrize(
    ("release", "function"), [("6.17.8", "apply_to_pte_range"), ("6.18.5", "update_range_prot")]
)
def test_arm64_maps_pages_in_a_section_that_nests_in_the_caller_s(release, function):
    """The page allocator with DEBUG_PAGEALLOC, inside zap_pte_range(), say."""
    machine = bench("arm64", release, "l kernel")
    words = order(machine.do(INSIDE), "read")
    assert words == ["enable", "enable", "write l", "disable"]
    machine.do("lazy_mmu_mode_disable")
    machine.begin("debug_pagealloc_map_pages l B")
    while function not in machine.place():
        assert machine.step() is not None


def test_arm64_flushes_the_tlb_only_for_what_becomes_invalid():
    """An invalid entry is in no TLB."""
    assert did("arm64", "6.18.5", ["l kernel"], "debug_pagealloc_map_pages l A", "enable") == [
        "write l",
        "disable",
    ]
    words = did("arm64", "6.18.5", ["l kernel = A"], "debug_pagealloc_unmap_pages l")
    assert words[-1] == "flush l"


@pytest.mark.parametrize("release", ["6.17.8", "7.3.4"])
def test_a_page_mapped_inside_a_section_is_there_at_once_on_arm64(release):
    """The inner end emits the barriers, whether the outer section goes on (v7.0) or not."""
    machine = bench("arm64", release, "l kernel")
    machine.do(INSIDE)
    assert (machine.effective("l"), machine.pending) == ("A", ())


def test_x86_flushes_the_mode_when_it_maps_pages():
    """Mapping pages on x86 flushes the mode.

    __kernel_map_pages() ends with arch_flush_lazy_mmu_mode().
    """
    machine = bench("x86", "6.12.38", "l kernel")
    machine.do(INSIDE)
    assert (machine.stored("l"), machine.mode()) == ("A", "on")


def test_x86_does_not_flush_the_mode_for_kfence():
    """kfence_protect_page() does set_pte() and no more.

    With Xen an object that is given out inside a section is not mapped when it is used.
    """
    machine = bench("x86", "7.3.4", "l kernel")
    machine.do("lazy_mmu_mode_enable; kfence_unprotect l A")
    assert machine.stored("l") is None
    program = "lazy_mmu_mode_enable\nkfence_unprotect l A\naccess l\nlazy_mmu_mode_disable"
    assert "stale-translation-used" in searched("x86", "7.3.4", ["l kernel"], program).broken
    assert not searched("x86-native", "7.3.4", ["l kernel"], program).broken - {"free-before-flush"}


@pytest.mark.parametrize(
    ("release", "program", "stored"),
    [
        ("3.1", "kmap_atomic k A", None),
        ("3.12", "kmap_atomic k A", "A"),
        ("6.12.38", "kmap_local_page k A", "A"),
        ("7.3.4", "kmap_local_page k A", "A"),
    ],
)
def test_a_short_lived_mapping_is_there_at_once_except_from_v2_6_30_to_v3_2(
    release, program, stored
):
    """A short-lived mapping is there at once, except from v2.6.30 to v3.2.

    2cd1c8d4dc7e put the flush back.
    """
    machine = bench("x86", release, "k kernel")
    machine.do(f"lazy_mmu_mode_enable; {program}")
    assert machine.stored("k") == stored


def test_a_short_lived_mapping_keeps_the_task_on_its_cpu_until_it_is_taken_away():
    """kmap_atomic() by preemption, kmap_local_page() by migration."""
    machine = bench("x86", "3.12", "k kernel")
    machine.do("kmap_atomic k A")
    with pytest.raises(CannotError):
        machine.switch("swapper/0")
    machine.do("kunmap_atomic k")
    machine.switch("swapper/0")
    assert machine.stored("k") is None


@pytest.mark.parametrize(("release", "bug"), [("3.1", True), ("3.12", False)])
def test_vmalloc_fault_read_back_what_it_wrote(release, bug):
    """1160c2779b82: in the mode the entry was not there yet, and the kernel stopped."""
    machine = bench("x86", release, "r kernel pgd = T", "g kernel pgd")
    words = order(machine.do("lazy_mmu_mode_enable; vmalloc_fault r g"), "read")
    assert words == ["enable", "write g", *(["bug"] if bug else [])]


def test_vmalloc_fault_is_no_more():
    """The fault of vmalloc is no more, since v5.8 fills these entries beforehand."""
    assert "vmalloc_fault" not in bench("x86", "5.10", "p").machine.operations
