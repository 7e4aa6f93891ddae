# SPDX-License-Identifier: GPL-2.0-or-later
"""powerpc: a load or store of a byte holds the whole offset, in an instruction of four bytes.

Power ISA 3.1, book I, 3.3.2 and 3.3.3 (lbz, stb) and 3.3.9 (addi).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from lazymmu.image.site import CounterSite, SiteKind

if TYPE_CHECKING:
    from lazymmu.image.btf import CounterLayout

__all__ = ["find_powerpc"]

_LBZ: Final = 34
_STB: Final = 38
_ADDI: Final = 14
_MOST_BACK: Final = 12
_WINDOW: Final = 32
"""Instructions between what is reckoned and its store, and between a guard and its beginning."""


def find_powerpc(code: bytes, layout: CounterLayout, order: str) -> tuple[CounterSite, ...]:
    """The sites in a section's bytes, by place; order: of its bytes, "little" or "big"."""
    if max(layout.enabled, layout.paused) > 0x7FFF:
        return ()
    words = np.frombuffer(code, dtype="<u4" if order == "little" else ">u4", count=len(code) // 4)
    match = np.zeros(len(words), dtype=bool)
    for opcode in (_LBZ, _STB):
        for offset in (layout.enabled, layout.paused):
            match |= (words & 0xFC00FFFF) == (opcode << 26 | offset)
    places = [int(one) for one in np.flatnonzero(match)]
    steps = {at: _step(words, at) for at in places}
    found = []
    for number, at in enumerate(places):
        word = int(words[at])
        stores, paused = word >> 26 == _STB, word & 0xFFFF == layout.paused
        value = ""
        if not stores:
            begins = paused and _begins(
                words, places[number + 1 : number + 1 + _WINDOW], at, steps, layout
            )
            kind = SiteKind.GUARD if begins else SiteKind.OTHER_GUARD if paused else SiteKind.READ
        elif paused:
            kind = {1: SiteKind.PAUSE, -1: SiteKind.RESUME}.get(steps[at], SiteKind.UNKNOWN)
        else:
            kind, value = SiteKind.STORE, f"%gpr{word >> 21 & 31}"
        found.append(CounterSite(4 * at, kind, f"%gpr{word >> 16 & 31}", 0, value))
    return tuple(found)


def _step(words: np.ndarray[tuple[int, ...], np.dtype[np.uint32]], at: int) -> int:
    """What a store adds: 1 or -1 where an addi before it into the same register says so, else 0."""
    register = int(words[at]) >> 21 & 31
    for before in range(at - 1, max(at - _MOST_BACK, 0) - 1, -1):
        word = int(words[before])
        if word >> 26 == _ADDI and word >> 21 & 31 == register:
            return {1: 1, 0xFFFF: -1}.get(word & 0xFFFF, 0)
    return 0


def _begins(
    words: np.ndarray[tuple[int, ...], np.dtype[np.uint32]],
    later: list[int],
    guard: int,
    steps: dict[int, int],
    layout: CounterLayout,
) -> bool:
    """Whether what follows a guard first changes the count of sections, by one more."""
    for at in later:
        word = int(words[at])
        if at > guard + _WINDOW or word & 0xFFFF == layout.paused:
            return False
        if word >> 26 == _STB:
            return steps[at] > 0
    return False
