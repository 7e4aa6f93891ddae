# SPDX-License-Identifier: GPL-2.0-or-later
"""Entries of a shared file that hold poison markers are zapped, page by page and all at once.

UFFDIO_POISON (v6.6 on) leaves a marker in an entry that maps nothing; MADV_DONTNEED clears it, and
the kernel checks, in the section, that the entry is none then. With a number, in so many
generations of tasks, one the child of the other.
"""

from __future__ import annotations

import ctypes
import fcntl
import mmap
import os
import struct
import sys

PAGES = 16
SIZE = PAGES * mmap.PAGESIZE

_LIBC = ctypes.CDLL(None, use_errno=True)
_SYS_USERFAULTFD = {"x86_64": 323, "aarch64": 282, "ppc64le": 364, "ppc64": 364}
_UFFDIO_API, _UFFDIO_REGISTER, _UFFDIO_POISON = 0xC018AA3F, 0xC020AA00, 0xC020AA08
_UFFD, _MISSING, _FEATURE_POISON = 0xAA, 1, 1 << 14


def drop() -> None:
    """Poison a shared file's pages, and drop them."""
    handle = _LIBC.syscall(_SYS_USERFAULTFD[os.uname().machine], os.O_CLOEXEC)
    if handle < 0:
        raise OSError(ctypes.get_errno(), "no userfaultfd")
    file = os.memfd_create("poison")
    os.ftruncate(file, SIZE)
    memory = mmap.mmap(file, SIZE, mmap.MAP_SHARED)
    view = ctypes.c_char.from_buffer(memory)
    start = ctypes.addressof(view)
    fcntl.ioctl(handle, _UFFDIO_API, struct.pack("=QQQ", _UFFD, _FEATURE_POISON, 0))
    fcntl.ioctl(handle, _UFFDIO_REGISTER, struct.pack("=QQQQ", start, SIZE, _MISSING, 0))
    fcntl.ioctl(handle, _UFFDIO_POISON, struct.pack("=QQQQ", start, SIZE, 0, 0))
    memory.madvise(mmap.MADV_DONTNEED, 0, mmap.PAGESIZE)
    memory.madvise(mmap.MADV_DONTNEED)
    del view
    memory.close()
    os.close(file)
    os.close(handle)


def descend(generations: int) -> None:
    """The same in a child, in its child, and so on; each ends when the next has begun.

    Where each fork takes one off a count of eight bits, one of 256 generations has it at zero.
    """
    end, begin = os.pipe()
    if os.fork():
        os.close(begin)
        with os.fdopen(end, "rb") as told:
            done = len(told.read())
        print("poison-marker: dropped", PAGES, "entries in", done, "generations")
        return
    for _ in range(generations):
        drop()
        os.write(begin, b".")
        if os.fork():
            os._exit(0)
    os._exit(0)


def main() -> None:
    """Once, or in as many generations of tasks as are asked for."""
    if len(sys.argv) > 1:
        descend(int(sys.argv[1]))
        return
    drop()
    print("poison-marker: dropped", PAGES, "entries")


if __name__ == "__main__":
    main()
