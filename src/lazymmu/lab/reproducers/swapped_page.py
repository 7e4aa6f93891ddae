# SPDX-License-Identifier: GPL-2.0-or-later
"""A page of this task is swapped out, and its entry is zapped: of anonymous memory, or of a file.

Swap is a disk in memory (/dev/ram0, of the module brd). `anonymous` or `file` says which page: one
that is mapped without a file, or this task's own copy of a file's page. Nothing else is done with
it, userfaultfd is not used.
"""

from __future__ import annotations

import ctypes
import mmap
import os
import sys
import time
from pathlib import Path

DISK = "/dev/ram0"
PAGE = mmap.PAGESIZE
PAGES = 16
PAGEOUT = 21
"""MADV_PAGEOUT (include/uapi/asm-generic/mman-common.h, v5.4)."""

_LIBC = ctypes.CDLL(None, use_errno=True)


def swap_on() -> None:
    """Make the disk a place to swap to (union swap_header in include/linux/swap.h)."""
    with open(DISK, "r+b") as disk:
        size = disk.seek(0, os.SEEK_END)
        head = bytearray(PAGE)
        head[1024:1032] = (1).to_bytes(4, sys.byteorder) + (size // PAGE - 1).to_bytes(
            4, sys.byteorder
        )
        head[-10:] = b"SWAPSPACE2"
        disk.seek(0)
        disk.write(head)
        os.fsync(disk.fileno())
    if _LIBC.swapon(DISK.encode(), 0):
        raise OSError(ctypes.get_errno(), "no swap")


def mapped(kind: str) -> mmap.mmap:
    """Private memory of a kind, each page of it written."""
    if kind == "anonymous":
        memory = mmap.mmap(-1, PAGES * PAGE, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    else:
        file = os.memfd_create("swapped")
        os.ftruncate(file, PAGES * PAGE)
        memory = mmap.mmap(file, PAGES * PAGE, mmap.MAP_PRIVATE)
    for at in range(PAGES):
        memory[at * PAGE] = 1
    return memory


def swapped(memory: mmap.mmap) -> int:
    """How many of the pages are in swap (Documentation/admin-guide/mm/pagemap.rst, bit 62)."""
    start = ctypes.addressof(ctypes.c_char.from_buffer(memory))
    with Path("/proc/self/pagemap").open("rb") as entries:
        entries.seek(start // PAGE * 8)
        read = entries.read(PAGES * 8)
    return sum(
        int.from_bytes(read[at : at + 8], sys.byteorder) >> 62 & 1 for at in range(0, len(read), 8)
    )


def main() -> None:
    """Swap pages out, and drop them."""
    kind = sys.argv[1]
    swap_on()
    memory = mapped(kind)
    for _ in range(50):
        memory.madvise(PAGEOUT)
        if out := swapped(memory):
            break
        time.sleep(0.1)
    else:
        raise OSError(f"no page of {kind} memory was swapped out")
    memory.madvise(mmap.MADV_DONTNEED)
    print(f"swapped-page: dropped {out} entries of {kind} memory")


if __name__ == "__main__":
    main()
