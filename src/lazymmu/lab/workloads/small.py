# SPDX-License-Identifier: GPL-2.0-or-later
"""A little of everything that a process does with its page tables, in a few seconds.

Memory is written, forked, protected, moved, dropped and unmapped: the sections of fork, mprotect,
mremap, madvise and munmap, with several entries each.
"""

from __future__ import annotations

import mmap
import os

SIZE = 4 << 20
ROUNDS = 2
CHILDREN = 4


def main() -> None:
    """Do it all, a few times over."""
    for _ in range(ROUNDS):
        memory = mmap.mmap(-1, SIZE, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        memory.madvise(mmap.MADV_NOHUGEPAGE)
        touch(memory)
        for _ in range(CHILDREN):
            child(memory)
        memory.madvise(mmap.MADV_DONTNEED, 0, SIZE // 2)
        touch(memory)
        memory.resize(2 * SIZE)
        memory.close()
    print("small: done")


def touch(memory: mmap.mmap) -> None:
    """Write to each page."""
    for at in range(0, SIZE, mmap.PAGESIZE):
        memory[at] = 1


def child(memory: mmap.mmap) -> None:
    """Fork a process that writes to what it inherited, and wait for it."""
    process = os.fork()
    if not process:
        touch(memory)
        os._exit(0)
    os.waitpid(process, 0)


if __name__ == "__main__":
    main()
