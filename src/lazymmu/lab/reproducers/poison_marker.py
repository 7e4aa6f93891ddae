# SPDX-License-Identifier: GPL-2.0-or-later
"""Entries of a shared file that hold poison markers are zapped, page by page and all at once.

UFFDIO_POISON (v6.6 on) leaves a marker in an entry that maps nothing; MADV_DONTNEED clears it, and
the kernel checks, in the section, that the entry is none then.
"""

from __future__ import annotations

import ctypes
import fcntl
import mmap
import os
import struct

PAGES = 16
SIZE = PAGES * mmap.PAGESIZE

_LIBC = ctypes.CDLL(None, use_errno=True)
_SYS_USERFAULTFD = {"x86_64": 323, "aarch64": 282, "ppc64le": 364, "ppc64": 364}
_UFFDIO_API, _UFFDIO_REGISTER, _UFFDIO_POISON = 0xC018AA3F, 0xC020AA00, 0xC020AA08
_UFFD, _MISSING, _FEATURE_POISON = 0xAA, 1, 1 << 14


def main() -> None:
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
    print("poison-marker: dropped", PAGES, "entries")


if __name__ == "__main__":
    main()
