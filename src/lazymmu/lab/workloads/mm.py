# SPDX-License-Identifier: GPL-2.0-or-later
"""Most ways in which user space changes page tables: a minute's work under emulation.

Besides what `small` does: protection changed back and forth, memory moved, pages hinted cold and
paged out, soft-dirty bits cleared, files in memory shared and locked, and a userfaultfd with
write-protection.
"""

from __future__ import annotations

import ctypes
import fcntl
import mmap
import os
import struct

SIZE = 4 << 20
ROUNDS = 3
CHILDREN = 6

_LIBC = ctypes.CDLL(None, use_errno=True)
_LIBC.mmap.restype = _LIBC.mremap.restype = ctypes.c_void_p
_FAILED = ctypes.c_void_p(-1).value
_MAYMOVE, _FIXED = 1, 2
_COLD, _PAGEOUT, _FREE = 20, 21, 8
_SYS_USERFAULTFD = {"x86_64": 323, "aarch64": 282, "ppc64le": 364, "ppc64": 364, "sparc64": 363}
_UFFDIO_API, _UFFDIO_REGISTER, _UFFDIO_WRITEPROTECT = 0xC018AA3F, 0xC020AA00, 0xC018AA06
_UFFD, _WP_MODE, _WP_FEATURE = 0xAA, 2, 1


def main() -> None:
    """Do it all, and say what this kernel did not take."""
    for number in range(ROUNDS):
        anonymous()
        shared()
        write_protected()
        print(f"mm: round {number + 1} of {ROUNDS}", flush=True)


def anonymous() -> None:
    """Private memory: forked, protected, moved, hinted and dropped."""
    address = _mapped(SIZE, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    _LIBC.madvise(ctypes.c_void_p(address), ctypes.c_size_t(SIZE), 15)
    _touch(address)
    for protection in (mmap.PROT_READ, mmap.PROT_READ | mmap.PROT_WRITE):
        _LIBC.mprotect(ctypes.c_void_p(address), ctypes.c_size_t(SIZE), protection)
    for _ in range(CHILDREN):
        _child(address)
    hole = _mapped(2 * SIZE, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    # Three pages behind the beginning of a table: moved entry by entry.
    moved = _LIBC.mremap(
        ctypes.c_void_p(address), ctypes.c_size_t(SIZE), ctypes.c_size_t(SIZE),
        _MAYMOVE | _FIXED, ctypes.c_void_p(hole + 3 * mmap.PAGESIZE),
    )  # fmt: skip
    if moved == _FAILED:
        print("mm: mremap failed:", os.strerror(ctypes.get_errno()))
        return
    quarter = SIZE // 4
    for number, advice in enumerate((_COLD, _FREE, _PAGEOUT, mmap.MADV_DONTNEED)):
        _LIBC.madvise(ctypes.c_void_p(moved + number * quarter), ctypes.c_size_t(quarter), advice)
    _cleared()
    _touch(moved)
    _LIBC.munmap(ctypes.c_void_p(hole), ctypes.c_size_t(2 * SIZE))


def shared() -> None:
    """A file in memory: mapped shared, written, locked, and unmapped."""
    file = os.memfd_create("lab")
    os.ftruncate(file, SIZE)
    memory = mmap.mmap(file, SIZE)
    for at in range(0, SIZE, mmap.PAGESIZE):
        memory[at] = 1
    address = ctypes.addressof(ctypes.c_char.from_buffer(memory))
    _LIBC.mlock(ctypes.c_void_p(address), ctypes.c_size_t(SIZE // 2))
    _LIBC.munlock(ctypes.c_void_p(address), ctypes.c_size_t(SIZE // 2))
    os.close(file)


def write_protected() -> None:
    """Memory whose first writes a userfaultfd would be told of, dropped again."""
    number = _SYS_USERFAULTFD.get(os.uname().machine)
    handle = _LIBC.syscall(number, 1 | os.O_CLOEXEC) if number else -1
    if handle < 0:
        print("mm: no userfaultfd:", os.strerror(ctypes.get_errno()))
        return
    address = _mapped(SIZE, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    _touch(address)
    try:
        fcntl.ioctl(handle, _UFFDIO_API, struct.pack("=QQQ", _UFFD, _WP_FEATURE, 0))
        fcntl.ioctl(handle, _UFFDIO_REGISTER, struct.pack("=QQQQ", address, SIZE, _WP_MODE, 0))
        fcntl.ioctl(handle, _UFFDIO_WRITEPROTECT, struct.pack("=QQQ", address, SIZE, 1))
        _LIBC.madvise(ctypes.c_void_p(address), ctypes.c_size_t(SIZE), mmap.MADV_DONTNEED)
    except OSError as error:
        print("mm: no write-protection by userfaultfd:", error.strerror)
    os.close(handle)
    _LIBC.munmap(ctypes.c_void_p(address), ctypes.c_size_t(SIZE))


def _mapped(size: int, flags: int) -> int:
    address = _LIBC.mmap(
        None, ctypes.c_size_t(size), mmap.PROT_READ | mmap.PROT_WRITE, flags, -1, ctypes.c_long(0)
    )
    if address == _FAILED or address is None:
        raise OSError(ctypes.get_errno(), "mmap")
    return int(address)


def _touch(address: int) -> None:
    for at in range(0, SIZE, mmap.PAGESIZE):
        ctypes.memset(address + at, 1, 1)


def _child(address: int) -> None:
    process = os.fork()
    if not process:
        _touch(address)
        os._exit(0)
    os.waitpid(process, 0)


def _cleared() -> None:
    try:
        with open("/proc/self/clear_refs", "w", encoding="ascii") as file:
            file.write("4")
    except OSError as error:
        print("mm: soft-dirty bits cannot be cleared:", error.strerror)


if __name__ == "__main__":
    main()
