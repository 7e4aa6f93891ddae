# SPDX-License-Identifier: GPL-2.0-or-later
"""x86-64: instructions with the counters' offset as displacement, found by their bytes.

The offset is larger than 127, so that it stands as four bytes in each instruction that names it;
what stands before these bytes is the instruction. No decoder is needed, and what is no instruction
after all the kernel refuses, which checks where instructions begin (arch/x86/kernel/kprobes/core.c,
can_probe()). Encodings: Intel's manual, volume 2, 2.1 and appendix A.
"""

from __future__ import annotations

import re
import struct
from bisect import bisect_left, bisect_right
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from lazymmu.image.site import CounterSite, SiteKind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lazymmu.image.btf import CounterLayout

__all__ = ["find_x86", "taken_x86"]

_REGISTERS: Final = (
    *("ax", "cx", "dx", "bx", "sp", "bp", "si", "di"),
    *(f"r{number}" for number in range(8, 16)),
)
_WINDOW: Final = 96
"""How far behind a guard its beginning is looked for: the longest that was met is 60."""

_MOST_BACK: Final = 40
"""How far before a store its value may have been reckoned."""

# Two-way jumps on equal, above, greater and their opposites, with one or four bytes of distance.
_JUMP: Final = re.compile(rb"[\x74-\x77\x7e\x7f](?s:.)|\x0f[\x84-\x87\x8e\x8f](?s:.{4})")
_TO_JUMP: Final = 16
"""How far behind a comparison its jump may be: moves stand between them."""


@dataclass(frozen=True, slots=True)
class _Operand:
    """An instruction around a displacement."""

    begin: int
    end: int
    opcode: int
    extension: int
    rex: int
    base: int


@dataclass(frozen=True, slots=True)
class _Touch:
    """A site, where its instruction ends, and by how much it changes the count (0: not known)."""

    site: CounterSite
    end: int
    step: int


def find_x86(code: bytes, layout: CounterLayout) -> tuple[CounterSite, ...]:
    """The sites in a section's bytes, by place."""
    touched = [
        one
        for paused, offset in ((False, layout.enabled), (True, layout.paused))
        for operand in _operands(code, offset)
        if (one := _touch(code, operand, paused=paused)) is not None
    ]
    touched.sort(key=lambda one: one.site.at)
    places = [one.site.at for one in touched]
    return tuple(
        replace(one.site, kind=SiteKind.GUARD)
        if one.site.kind is SiteKind.OTHER_GUARD
        and any(_begins(touched, places, way) for way in _ways(code, one.end))
        else one.site
        for one in touched
    )


def taken_x86(code: bytes, layout: CounterLayout) -> int:
    """How often the address of the counters is taken (lea): what goes through it is not seen."""
    return sum(1 for one in _operands(code, layout.enabled) if one.opcode == 0x8D and one.rex & 8)


def _operands(code: bytes, offset: int) -> Iterator[_Operand]:
    """Every instruction of a form that touches a byte, with this displacement."""
    for found in re.finditer(re.escape(struct.pack("<i", offset)), code):
        at = found.start() - 1
        # What may stand before the displacement, and nothing where the code begins.
        near = bytes(4) + code[max(at - 3, 0) : at + 1]
        if near[-1] >> 6 == 2 and near[-1] & 7 != 4:
            modrm, base = near[-1], near[-1] & 7
        elif near[-2] >> 6 == 2 and near[-2] & 7 == 4 and near[-1] >> 3 & 7 == 4:
            # A byte of scale and index; index 4 is none.
            modrm, base = near[-2], near[-1] & 7
            at, near = at - 1, near[:-1]
        else:
            continue
        opcode, begin, near = near[-2], at - 1, near[:-2]
        if near[-1] == 0x0F and opcode in (0xB6, 0xB7, 0xBE):
            opcode, begin, near = opcode | 0x0F00, begin - 1, near[:-1]
        rex = near[-1] if 0x40 <= near[-1] <= 0x4F else 0
        begin -= bool(rex)
        yield _Operand(begin, found.end(), opcode, modrm >> 3 & 7, rex, base | (rex & 1) << 3)


def _touch(code: bytes, operand: _Operand, *, paused: bool) -> _Touch | None:
    """What an instruction does to a counter; None where it is none of those that touch a byte."""
    step, end, value = 0, operand.end, ""
    immediate = code[operand.end] if operand.end < len(code) else 0
    match operand.opcode, operand.extension:
        case 0x80, 0 | 5:
            step, end = {1: 1, 0xFF: -1}.get(immediate, 0), end + 1
            step = -step if operand.extension == 5 else step
            kind = _changed(step, paused=paused)
        case 0xFE, 0 | 1:
            step = -1 if operand.extension else 1
            kind = _changed(step, paused=paused)
        case 0x88, register:
            step = _direction(code, operand.begin, register)
            kind = _changed(step, paused=True) if paused else SiteKind.STORE
            value = "" if paused else _byte(register, operand.rex)
        case 0xC6, 0:
            kind, end = (SiteKind.UNKNOWN if paused else SiteKind.STORE), end + 1
            value = "" if paused else f"\\{immediate}"
        case (0x80, 7) | (0xF6, 0):
            kind, end = (SiteKind.OTHER_GUARD if paused else SiteKind.READ), end + 1
        case ((0x38 | 0x3A | 0x84), _):
            kind = SiteKind.OTHER_GUARD if paused else SiteKind.READ
        case ((0x8A | 0x0FB6 | 0x0FB7 | 0x0FBE), _):
            kind = SiteKind.READ
        case (0x80, _) | (0x00 | 0x08 | 0x20 | 0x28 | 0x30, _):
            kind = SiteKind.UNKNOWN
        case _:
            return None
    site = CounterSite(operand.begin, kind, f"%{_REGISTERS[operand.base]}", 0, value)
    return _Touch(site, end, step)


def _changed(step: int, *, paused: bool) -> SiteKind:
    if not step:
        return SiteKind.UNKNOWN
    if paused:
        return SiteKind.PAUSE if step > 0 else SiteKind.RESUME
    return SiteKind.BEGIN if step > 0 else SiteKind.END


def _byte(register: int, rex: int) -> str:
    """How the byte register that is stored is fetched; without a prefix 4 to 7 are ah to bh."""
    if not rex and register >= 4:
        return f"%{_REGISTERS[register - 4]}:b8@8/16"
    return f"%{_REGISTERS[register | (rex & 4) << 1]}"


def _direction(code: bytes, at: int, register: int) -> int:
    """1 or -1 when the nearest code before `at` adds that to a register; 0 when none is seen."""
    low = register & 7
    up = rb"\x83[%b]\x01|\xff[%b]|\x8d[%b]\x01" + (rb"|\x04\x01" if low == 0 else b"")
    down = rb"\x83[%b]\x01|\x83[%b]\xff|\xff[%b]|\x8d[%b]\xff" + (
        rb"|\x2c\x01|\x04\xff" if low == 0 else b""
    )
    add, sub, less = (re.escape(bytes([one | low])) for one in (0xC0, 0xE8, 0xC8))
    lea = b"".join(re.escape(bytes([0x40 | low << 3 | base])) for base in range(8) if base != 4)
    before = code[max(at - _MOST_BACK, 0) : at]
    last = {
        1: max((m.start() for m in re.finditer(up % (add, add, lea), before)), default=-1),
        -1: max((m.start() for m in re.finditer(down % (sub, add, less, lea), before)), default=-1),
    }
    if last[1] == last[-1]:
        return 0
    return 1 if last[1] > last[-1] else -1


def _ways(code: bytes, end: int) -> Iterator[int]:
    """Where a comparison that ends at `end` leads: behind its jump, and where that goes."""
    jump = _JUMP.search(code, end, min(end + _TO_JUMP, len(code)))
    if jump is None:
        return
    yield jump.end()
    distance = jump[0][1:] if len(jump[0]) == 2 else jump[0][2:]
    yield jump.end() + int.from_bytes(distance, "little", signed=True)


def _begins(touched: list[_Touch], places: list[int], at: int) -> bool:
    """Whether what follows `at` first changes the count of sections, by one more."""
    for number in range(bisect_left(places, at), bisect_right(places, at + _WINDOW)):
        one = touched[number]
        if one.site.kind is not SiteKind.READ:
            return one.step > 0 and one.site.kind in (SiteKind.BEGIN, SiteKind.STORE)
    return False
