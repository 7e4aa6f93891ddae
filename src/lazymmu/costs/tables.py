# SPDX-License-Identifier: GPL-2.0-or-later
"""How many entries a page table has: a section of core-mm is never wider than one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["PTRS_PER_PTE", "split", "width"]

PTRS_PER_PTE: Final[Mapping[str, tuple[int, str]]] = {
    "x86": (512, "arch/x86/include/asm/pgtable_64_types.h, PTRS_PER_PTE"),
    "x86-native": (512, "arch/x86/include/asm/pgtable_64_types.h, PTRS_PER_PTE"),
    "arm64": (512, "arch/arm64/include/asm/pgtable-hwdef.h, PTRS_PER_PTE, pages of 4 KiB"),
    "powerpc": (
        256,
        "arch/powerpc/include/asm/book3s/64/hash-64k.h, H_PTE_INDEX_SIZE, pages of 64 KiB",
    ),
    "powerpc-radix": (
        32,
        "arch/powerpc/include/asm/book3s/64/radix-64k.h, RADIX_PTE_INDEX_SIZE, pages of 64 KiB",
    ),
    "sparc": (1024, "arch/sparc/include/asm/pgtable_64.h, PTRS_PER_PTE, pages of 8 KiB"),
    "s390": (256, "arch/s390/include/asm/pgtable.h, _PAGE_ENTRIES"),
}
"""By the machine's name of the architecture: the number, and where the kernel says so."""

_OTHERS: Final = (512, "no architecture's: as on x86")


def width(arch: str) -> tuple[int, str]:
    """Entries of a page table, and where the kernel says so."""
    return PTRS_PER_PTE.get(arch, _OTHERS)


def split(names: Sequence[str], arch: str) -> tuple[tuple[str, ...], ...]:
    """Entries of a range, table by table; the range begins with the first entry of a table."""
    step, _ = width(arch)
    return tuple(tuple(names[at : at + step]) for at in range(0, len(names), step))
