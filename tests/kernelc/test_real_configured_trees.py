# SPDX-License-Identifier: GPL-2.0-or-later
"""Views of real trees: what the kernel's own text decides must come out as it does there."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

import pytest

from lazymmu.kernelc.arch_profile import PROFILES
from lazymmu.kernelc.configured_tree import ConfiguredTree
from lazymmu.snapshot.cache import Cache
from lazymmu.snapshot.tree import Tree

ARCHES = list(PROFILES)
Find = Callable[[str], Path]
PGTABLE = "include/linux/pgtable.h"
X86 = "arch/x86/include/asm/"
HASH = "arch/powerpc/include/asm/book3s/64/tlbflush-hash.h"


See = Callable[[str, str], ConfiguredTree]


@lru_cache(maxsize=4)
def _view(root: Path, arch: str, cache: Path) -> ConfiguredTree:
    with Cache(cache) as kept:
        return ConfiguredTree(Tree.open(root), PROFILES[arch], jobs=2, cache=kept)


@pytest.fixture
def see(kernel_tree: Find, tmp_path_factory: pytest.TempPathFactory) -> See:
    """A profile's view of a version's tree, built once for all tests."""
    cache = tmp_path_factory.getbasetemp() / "views"
    return lambda version, arch: _view(kernel_tree(version), arch, cache)


def means(view: ConfiguredTree, name: str) -> list[tuple[str, str]]:
    """What a name means in mm/mprotect.c: kind and file of every candidate."""
    return [(item.kind, item.file) for item in view.definitions(name, "mm/mprotect.c")]


@pytest.mark.parametrize(
    ("arch", "file"),
    [
        ("x86", PGTABLE),
        ("powerpc", "arch/powerpc/mm/pgtable.c"),
        ("sparc", "arch/sparc/include/asm/pgtable_64.h"),
        ("arm64", "arch/arm64/include/asm/pgtable.h"),
    ],
)
@pytest.mark.parametrize("version", ["6.12.8", "7.3"])
def test_set_ptes_is_each_architectures_own(see: See, version: str, arch: str, file: str) -> None:
    """One definition each, through the override; set_pte_at is a macro over it."""
    view = see(version, arch)
    assert means(view, "set_ptes") == [("function", file)]
    (macro,) = view.definitions("set_pte_at", "mm/mprotect.c")
    assert (macro.kind, macro.file) == ("macro", PGTABLE)
    assert view.text(macro).startswith(b"set_ptes(")


ENTER = {
    ("6.12.8", "x86"): X86 + "paravirt.h",
    ("6.12.8", "powerpc"): HASH,
    ("6.12.8", "sparc"): "arch/sparc/mm/tlb.c",
    ("6.12.8", "arm64"): PGTABLE,
    ("7.3", "x86"): X86 + "paravirt.h",
    ("7.3", "powerpc"): HASH,
    ("7.3", "sparc"): "arch/sparc/mm/tlb.c",
    ("7.3", "arm64"): "arch/arm64/include/asm/pgtable.h",
}


@pytest.mark.parametrize(("version", "arch"), ENTER)
def test_the_mode_is_entered_by_the_machines_own_hook(see: See, version: str, arch: str) -> None:
    """The generic stub is meant only where the architecture has no mode."""
    view = see(version, arch)
    ((kind, file),) = means(view, "arch_enter_lazy_mmu_mode")
    assert file == ENTER[version, arch]
    assert kind == ("macro" if file == PGTABLE else "function")


@pytest.mark.parametrize("version", ["6.1", "6.12.8", "7.3"])
def test_other_machines_of_the_directory_are_not_seen(see: See, version: str) -> None:
    """sparc32, nohash and radix-only code is no part of these profiles."""
    sparc, powerpc = see(version, "sparc"), see(version, "powerpc")
    assert "arch/sparc/include/asm/pgtable_64.h" in sparc.headers.files
    assert "arch/sparc/include/asm/pgtable_32.h" not in sparc.headers.files
    assert HASH in powerpc.headers.files
    assert not [rel for rel in powerpc.headers.files if "/nohash/" in rel]
    assert sparc.presence("arch/sparc/mm/srmmu.c") is None
    assert powerpc.presence("arch/powerpc/mm/book3s64/hash_tlb.c") == ()


@pytest.mark.parametrize("version", ["6.1", "6.12.8", "7.3"])
def test_kconfig_decides_what_the_tree_says(see: See, version: str) -> None:
    """Selects force, missing features exclude, and prompts leave free."""
    x86, sparc = see(version, "x86").config, see(version, "sparc").config
    assert [x86.value(name) for name in ("PARAVIRT_XXL", "XEN_PV", "MMU", "PREEMPT_RT")] == [
        "y",
        "y",
        "y",
        "n",
    ]
    assert [x86.value(name) for name in ("KASAN", "TRANSPARENT_HUGEPAGE")] == ["free", "free"]
    assert sparc.value("KASAN") == "n"
    assert see(version, "powerpc").config.value("KASAN") == "n"
    assert sparc.value("TRANSPARENT_HUGEPAGE") == "free"
    for arch in ARCHES:
        has = see(version, arch).config.value("ARCH_HAS_LAZY_MMU_MODE")
        assert has == ("y" if version == "7.3" else "n")


@pytest.mark.parametrize("version", ["6.1", "6.12.8", "7.3"])
def test_makefiles_say_what_is_built(see: See, version: str) -> None:
    """KASAN's shadow needs KASAN, and the files for machines without an MMU are not built."""
    view = see(version, "x86")
    assert "CONFIG_KASAN" in (view.presence("mm/kasan/shadow.c") or ())
    assert see(version, "sparc").presence("mm/kasan/shadow.c") is None
    assert view.presence("mm/nommu.c") is None
    assert view.presence("mm/memory.c") == ()
    assert view.presence("kernel/sched/core.c") == ()
    assert view.presence("arch/x86/boot/compressed/misc.c") is None


@pytest.mark.parametrize(
    ("version", "field", "function"),
    [
        ("6.1", "mmu.lazy_mode.enter", "paravirt_enter_lazy_mmu"),
        ("6.12.8", "mmu.lazy_mode.enter", "xen_enter_lazy_mmu"),
        ("7.1.13", "mmu.lazy_mode.enter", "xen_enter_lazy_mmu"),
        ("7.3", "mmu.lazy_mode_flush", "xen_flush_lazy_mmu"),
    ],
)
def test_xens_operations_are_found(see: See, version: str, field: str, function: str) -> None:
    """By initialiser and by assignment, beside the native ones."""
    found = {item.function for item in see(version, "x86").initialisers(field=field)}
    assert found == {"paravirt_nop", function}


def test_walkers_are_found_by_their_table_type(see: See) -> None:
    """The tables of the page walk, with the functions that they call back."""
    view = see("6.12.8", "x86")
    found = {item.table: item.function for item in view.initialisers("mm_walk_ops", "pmd_entry")}
    assert found["cold_walk_ops"] == "madvise_cold_or_pageout_pte_range"
    assert found["pagemap_scan_ops"] == "pagemap_scan_pmd_entry"
