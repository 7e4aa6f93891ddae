# SPDX-License-Identifier: GPL-2.0-or-later
"""What the barriers of arm64 take: `dsb ishst` and `isb`, which user space may run as well.

A loop of stores with both behind each, as in emit_pte_barriers() (arch/arm64/include/asm/pgtable.h,
"arm64: mm: Batch dsb and isb when populating pgtables" (in v6.16)), against one of stores alone.
"""

from __future__ import annotations

import contextlib
import ctypes
import struct
from time import perf_counter_ns
from typing import TYPE_CHECKING, Final

from lazymmu.timing.mapped import called
from lazymmu.timing.samples import NotMeasured, Pair

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["LOOP", "barrier", "code"]

LOOP: Final = 200
"""How often a sample goes round."""

_STORE: Final = 0xF9000020  # str x0, [x1]
_DSB: Final = 0xD5033A9F  # dsb ishst
_ISB: Final = 0xD5033FDF  # isb
_NOP: Final = 0xD503201F  # nop
_COUNT: Final = 0xF1000400  # subs x0, x0, #1
_AGAIN: Final = 0x54FFFF81  # b.ne, four instructions back
_RETURN: Final = 0xD65F03C0  # ret


def code(*, barriers: bool) -> bytes:
    """The loop, of `x0` times, storing to where `x1` points."""
    both = (_DSB, _ISB) if barriers else (_NOP, _NOP)
    return struct.pack("<6I", _STORE, *both, _COUNT, _AGAIN, _RETURN)


@contextlib.contextmanager
def barrier(arch: str) -> Iterator[Pair]:
    """The pair of loops.

    :raises NotMeasured: with the reason.
    """
    if arch != "arm64":
        raise NotMeasured(f"barriers are what arm64 puts off, and this is {arch}")
    place = (ctypes.c_uint64 * 8)()
    with called(code(barriers=True)) as with_, called(code(barriers=False)) as without:
        yield Pair(
            lambda: _turns(with_, place),
            lambda: _turns(without, place),
            LOOP,
            "dsb(ishst) and isb behind a store",
        )


def _turns(loop: Callable[[int, int], int], place: ctypes.Array[ctypes.c_uint64]) -> int:
    address = ctypes.addressof(place)
    begin = perf_counter_ns()
    loop(LOOP, address)
    return perf_counter_ns() - begin
