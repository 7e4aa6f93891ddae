# SPDX-License-Identifier: GPL-2.0-or-later
"""Memory of this process by its address: protected again and again, or run as code."""

from __future__ import annotations

import contextlib
import ctypes
import mmap
import os
from typing import TYPE_CHECKING, Final

from lazymmu.timing.samples import NotMeasured

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["Pages", "called", "pages"]

_NOBODY: Final = -1
"""The file descriptor of memory that no file is behind."""


class _Libc:
    """The calls of the C library that are needed, with the types of what they take."""

    def __init__(self) -> None:
        library = ctypes.CDLL(None, use_errno=True)
        pointer, size, number = ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int
        self.mmap, self.munmap, self.mprotect = library.mmap, library.munmap, library.mprotect
        self.mmap.restype = pointer
        self.mmap.argtypes = (pointer, size, number, number, number, ctypes.c_long)
        self.munmap.argtypes = (pointer, size)
        self.mprotect.argtypes = (pointer, size, number)


class Pages:
    """Some pages next to each other; each can be written to, and its protection changed."""

    def __init__(self, address: int, libc: _Libc) -> None:
        """Pages that stay mapped for as long as this is used."""
        self._address, self._mprotect = address, libc.mprotect

    def protect(self, page: int, protection: int) -> Callable[[], None]:
        """What changes the protection of a page whenever it is called.

        :raises NotMeasured: then.
        """
        address, change = self._address + page * mmap.PAGESIZE, self._mprotect

        def call() -> None:
            if change(address, mmap.PAGESIZE, protection):
                raise NotMeasured(f"mprotect() failed: {os.strerror(ctypes.get_errno())}")

        return call

    def touch(self, page: int) -> None:
        """Write to a page, so that it has an entry, and the TLB a translation."""
        ctypes.memset(self._address + page * mmap.PAGESIZE, 1, 1)


@contextlib.contextmanager
def pages(number: int) -> Iterator[Pages]:
    """So many pages of this process alone.

    :raises NotMeasured: with the reason.
    """
    libc = _Libc()
    protection, flags = mmap.PROT_READ | mmap.PROT_WRITE, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS
    with _mapping(libc, number * mmap.PAGESIZE, protection, flags, _NOBODY) as address:
        yield Pages(address, libc)


@contextlib.contextmanager
def called(code: bytes) -> Iterator[Callable[[int, int], int]]:
    """Machine code as a function of a number and an address.

    It comes from a file in memory, as a program's does from its file: no page is writable and
    executable at once, and the kernel makes caches of instructions and of data agree.

    :raises NotMeasured: with the reason.
    """
    libc = _Libc()
    with contextlib.ExitStack() as opened:
        try:
            handle = os.memfd_create("lazymmu", os.MFD_CLOEXEC)
            opened.callback(os.close, handle)
            os.write(handle, code)
        except OSError as error:
            raise NotMeasured(f"there is no file in memory: {error.strerror}") from None
        protection = mmap.PROT_READ | mmap.PROT_EXEC
        address = opened.enter_context(
            _mapping(libc, len(code), protection, mmap.MAP_PRIVATE, handle)
        )
        yield ctypes.CFUNCTYPE(ctypes.c_long, ctypes.c_long, ctypes.c_void_p)(address)


@contextlib.contextmanager
def _mapping(libc: _Libc, length: int, protection: int, flags: int, handle: int) -> Iterator[int]:
    address = libc.mmap(None, length, protection, flags, handle, 0)
    if address is None or address == ctypes.c_void_p(-1).value:
        raise NotMeasured(f"mmap() failed: {os.strerror(ctypes.get_errno())}")
    try:
        yield address
    finally:
        libc.munmap(address, length)
