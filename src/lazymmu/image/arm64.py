# SPDX-License-Identifier: GPL-2.0-or-later
"""arm64: a load or store of a byte holds 4095 as offset at most, so that the address is reckoned.

Functions that could touch the counters are found by their words, decoded by capstone, and each
register followed along the control flow as far as the sum of offsets goes. Which registers a call
leaves alone: Procedure Call Standard for the Arm 64-bit Architecture, 6.1.1.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from lazymmu.image.error import ImageError
from lazymmu.image.flow import FlowStep, RegisterContent, follow, sites
from lazymmu.image.site import CounterSite, SiteKind
from lazymmu.problem import needs_package

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lazymmu.image.btf import CounterLayout
    from lazymmu.image.flow import RegisterState

__all__ = ["find_arm64"]

_MOST_WORDS: Final = 1 << 14
"""Instructions of one function that are followed: more than the longest of a kernel has."""

_CLOBBERED: Final = frozenset({f"x{number}" for number in range(19)} | {"x30"})


def find_arm64(
    code: bytes, layout: CounterLayout, functions: Iterable[tuple[int, int]]
) -> tuple[CounterSite, ...]:
    """The sites in a section's bytes, by place; functions: where each begins and ends.

    :raises ImageError: capstone is not installed.
    """
    try:
        import capstone  # type: ignore[import-untyped,import-not-found,unused-ignore]
    except ImportError:
        raise ImageError(needs_package("code of arm64", "capstone", "probes")) from None
    reader = capstone.Cs(capstone.CS_ARCH_ARM64, capstone.CS_MODE_ARM)
    reader.detail = True
    words = np.frombuffer(code, dtype="<u4", count=len(code) // 4)
    hits = np.flatnonzero(_candidates(words, layout)) * 4
    found: list[CounterSite] = []
    for begin, end in functions:
        first, last = np.searchsorted(hits, (begin, end))
        if first == last:
            continue
        if end - begin > 4 * _MOST_WORDS:
            found.append(CounterSite(int(hits[first]), SiteKind.UNKNOWN, ""))
            continue
        steps = _decoded(reader, code[begin:end], begin)
        follow(steps, partial(_after, layout=layout))
        found.extend(sites(steps))
    return tuple(sorted(found, key=lambda one: one.at))


def _candidates(words: np.ndarray[Any, Any], layout: CounterLayout) -> np.ndarray[Any, Any]:
    """Which words may be part of an access: the offset, or its part below 4096, stands in them."""
    match = np.zeros(len(words), dtype=bool)
    for offset in (layout.enabled, layout.paused):
        low = (offset & 0xFFF) << 10
        for opcode in (0x39000000, 0x39400000, 0x91000000):  # strb, ldrb, add
            match |= (words & 0xFFFFFC00) == (opcode | low)
        for opcode in (0x52800000, 0xD2800000):  # mov of a number
            match |= (words & 0xFFFFFFE0) == (opcode | (offset & 0xFFFF) << 5)
    return match


def _decoded(reader: Any, code: bytes, begin: int) -> dict[int, FlowStep]:
    """The instructions of a function by place; data between them is skipped."""
    reader.skipdata = True
    steps = {one.address: FlowStep(one) for one in reader.disasm(code, begin)}
    for at, step in steps.items():
        name = step.instruction.mnemonic
        if name not in ("b", "ret", "br", "brk") and at + 4 in steps:
            step.next.append(at + 4)
        if name == "b" or name.startswith(("b.", "cb", "tb")):
            target = step.instruction.operands[-1].imm
            if target in steps:
                step.next.append(target)
    return steps


def _after(step: FlowStep, before: RegisterState, layout: CounterLayout) -> RegisterState:
    """What is known behind an instruction; notes in `step` what it does to a counter."""
    one = step.instruction
    if one.id == 0:
        return before
    after = dict(before)
    step.site, step.step = None, 0
    written = {_name(one, number) for number in one.regs_access()[1]}
    result: RegisterContent | None = None
    operands = one.operands
    match one.mnemonic:
        case "add" | "sub" if len(operands) == 3 and operands[2].type == 2:
            amount = operands[2].imm << (operands[2].shift.value or 0)
            base = before.get(_name(one, operands[1].reg), RegisterContent("base", 0))
            result = replace(
                base, ahead=base.ahead + (amount if one.mnemonic == "add" else -amount)
            )
        case "add" if len(operands) == 3:
            result = _sum(before, _name(one, operands[1].reg), _name(one, operands[2].reg))
        case "mov" | "movz" if operands[1].type == 2:
            result = RegisterContent("number", operands[1].imm << (operands[1].shift.value or 0))
        case "mov" if operands[1].type == 1:
            result = before.get(_name(one, operands[1].reg), RegisterContent("base", 0))
        case "and" if len(operands) == 3 and operands[2].type == 2 and operands[2].imm == 0xFF:
            result = before.get(_name(one, operands[1].reg))
        case "ldrb" | "strb":
            result = _access(step, before, layout)
    if one.mnemonic in ("bl", "blr"):
        written |= _CLOBBERED
    for name in written:
        after.pop(name, None)
    if result is not None and one.mnemonic != "strb":
        after[_name(one, operands[0].reg)] = result
    return after


def _access(step: FlowStep, before: RegisterState, layout: CounterLayout) -> RegisterContent | None:
    """What the load or store of a byte does to a counter, if it is one; what a load loads."""
    one = step.instruction
    moved, place = one.operands[0], one.operands[-1]
    if place.type != 3 or one.writeback:
        return None
    name = _name(one, place.mem.base)
    base = before.get(name, RegisterContent("base", 0))
    ahead = base.ahead
    offset = place.mem.disp
    if place.mem.index:
        index = before.get(_name(one, place.mem.index))
        if index is None or index.what != "number":
            return None
        offset = index.ahead
    counter = {layout.enabled: "enabled", layout.paused: "paused"}.get(ahead + offset)
    if base.what != "base" or counter is None:
        return None
    is_paused = counter == "paused"
    if one.mnemonic == "ldrb":
        kind = SiteKind.OTHER_GUARD if is_paused else SiteKind.READ
        step.site = CounterSite(one.address, kind, f"%{name}", ahead)
        return RegisterContent(counter, 0)
    source = _name(one, moved.reg)
    value = before.get(source)
    if value is not None and value.what == counter and abs(value.ahead) == 1:
        step.step = value.ahead
    if is_paused:
        kind = {1: SiteKind.PAUSE, -1: SiteKind.RESUME}.get(step.step, SiteKind.UNKNOWN)
        step.site = CounterSite(one.address, kind, f"%{name}", ahead)
    else:
        fetched = "\\0" if source == "xzr" else f"%{source}"
        step.site = CounterSite(one.address, SiteKind.STORE, f"%{name}", ahead, fetched)
    return None


def _sum(before: RegisterState, first: str, second: str) -> RegisterContent | None:
    """A base plus a number."""
    one, other = (before.get(name, RegisterContent("base", 0)) for name in (first, second))
    if one.what == "number":
        one, other = other, one
    return replace(one, ahead=one.ahead + other.ahead) if other.what == "number" else None


def _name(instruction: Any, number: int) -> str:
    """The register's name with its 64 bits, as kprobe events have it."""
    name: str = instruction.reg_name(number) or ""
    return f"x{name[1:]}" if name[:1] == "w" else {"fp": "x29", "lr": "x30"}.get(name, name)
