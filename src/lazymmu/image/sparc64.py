# SPDX-License-Identifier: GPL-2.0-or-later
"""sparc64: an instruction holds 13 bits of an offset, so that the address is reckoned.

The task that runs is in %g4 (arch/sparc/include/asm/current.h). Functions that could touch the
counters are found by their words and followed. Formats and delay slots: The SPARC Architecture
Manual, version 9, 6.3 and appendix A; which registers a call leaves alone: 64-bit ABI, SPARC
Compliance Definition 2.4, 3P.

A probe's registers are those of pt_regs: the globals, and as %i0 to %i7 what the code calls %o0 to
%o7, since a trap takes a new window (arch/sparc/kernel/ptrace_64.c, regoffset_table; etrap_64.S).
What the code keeps in %l and %i cannot be fetched.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from lazymmu.image.flow import FlowStep, RegisterContent, follow, sites
from lazymmu.image.site import CounterSite, SiteKind

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lazymmu.image.btf import CounterLayout
    from lazymmu.image.flow import RegisterState

__all__ = ["find_sparc64"]

_MOST_WORDS: Final = 1 << 14
"""Instructions of one function that are followed: more than the longest of a kernel has."""

_CURRENT: Final = "g4"
_TASK: Final = RegisterContent("task", 0)
_GLOBALS: Final = ("g1", "g2", "g3", "g4", "g5", "g6", "g7")
_SAVED: Final = ("g4", "g6", "l", "i")
"""Registers that a call leaves alone: current, thread_info, locals and ins."""

_LDUB, _STB = 0x01, 0x05
_ADD, _AND, _OR, _SUB, _SAVE, _RESTORE = 0x00, 0x01, 0x02, 0x04, 0x3C, 0x3D
_ADDCC, _ANDCC, _ORCC, _SUBCC = 0x10, 0x11, 0x12, 0x14
_XOR, _SLL = 0x03, 0x25
_JMPL, _RETURN = 0x38, 0x39


@dataclass(frozen=True, slots=True)
class _Word:
    """One instruction; slot: it is in the delay slot of a call, behind which registers are lost."""

    at: int
    word: int
    slot: bool = False

    @property
    def op(self) -> int:
        return self.word >> 30

    @property
    def op3(self) -> int:
        return self.word >> 19 & 0x3F

    @property
    def target(self) -> str:
        return _name(self.word >> 25 & 31)

    @property
    def first(self) -> str:
        return _name(self.word >> 14 & 31)

    @property
    def second(self) -> str:
        """The second register, "" where there is a number."""
        return "" if self.word >> 13 & 1 else _name(self.word & 31)

    @property
    def number(self) -> int:
        return _signed(self.word, 13)


def find_sparc64(
    code: bytes, layout: CounterLayout, functions: Iterable[tuple[int, int]]
) -> tuple[CounterSite, ...]:
    """The sites in a section's bytes, by place; functions: where each begins and ends."""
    words = np.frombuffer(code, dtype=">u4", count=len(code) // 4)
    bytewise = ((words >> 30) == 3) & np.isin(words >> 19 & 0x3F, (_LDUB, _STB))
    hits = np.flatnonzero(bytewise & _near(words, layout)) * 4
    found: list[CounterSite] = []
    for begin, end in functions:
        first, last = np.searchsorted(hits, (begin, end))
        if first == last:
            continue
        if end - begin > 4 * _MOST_WORDS:
            found.append(CounterSite(int(hits[first]), SiteKind.UNKNOWN, ""))
            continue
        steps = _steps([int(one) for one in words[begin // 4 : end // 4]], begin)
        follow(steps, partial(_after, layout=layout))
        found.extend(sites(steps))
    return tuple(sorted(found, key=lambda one: one.at))


def _near(
    words: np.ndarray[tuple[int, ...], np.dtype[np.uint32]], layout: CounterLayout
) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
    """Which words may be an access: by two registers, or with a number that can be a counter's."""
    indexed = (words >> 13 & 1) == 0
    low = words & 0x1FFF
    match: np.ndarray[tuple[int, ...], np.dtype[np.bool_]] = indexed.copy()
    for offset in (layout.enabled, layout.paused):
        # What was added before is a number of 13 bits or a multiple of 1024 (sethi).
        match |= (low & 0x3FF) == (offset & 0x3FF)
        match |= low < 2  # The address of the counters is held, or of their structure.
    return match


def _steps(words: list[int], begin: int) -> dict[int, FlowStep]:
    """The instructions of a function by place, with delay slots behind what they belong to."""
    size = len(words)
    steps = {
        begin + 4 * at: FlowStep(_Word(begin + 4 * at, word), [begin + 4 * at + 4])
        for at, word in enumerate(words)
    }
    for at, word in enumerate(words):
        here = begin + 4 * at
        leads = _leads(word, here)
        if leads is None or at + 1 >= size:
            continue
        slot = steps[here + 4]
        steps[here].next, slot.next = leads.here, leads.slot
        if leads.calls:
            slot.instruction = replace(slot.instruction, slot=True)
    for step in steps.values():
        step.next = [to for to in step.next if to in steps]
    return steps


class _Leads(NamedTuple):
    """Where control goes from a transfer, and from its delay slot; whether it is a call."""

    here: list[int]
    slot: list[int]
    calls: bool = False


def _leads(word: int, at: int) -> _Leads | None:
    """Where control goes; None of an instruction that goes on to the next."""
    if word >> 30 == 1:
        return _Leads([at + 4], [at + 8], calls=True)
    if word >> 30 == 2 and word >> 19 & 0x3F in (_JMPL, _RETURN):
        calls = word >> 19 & 0x3F == _JMPL and word >> 25 & 31 == 15
        return _Leads([at + 4], [at + 8] if calls else [], calls)
    if word >> 30 != 0:
        return None
    kind = word >> 22 & 7
    if kind in (1, 5):
        distance = _signed(word, 19)
    elif kind in (2, 6):
        distance = _signed(word, 22)
    elif kind == 3:
        distance = _signed((word >> 20 & 3) << 14 | word & 0x3FFF, 16)
    else:
        return None
    condition = word >> 25 & 15
    always = kind != 3 and condition == 8
    never = kind != 3 and condition == 0
    to, on = [at + 4 * distance], [at + 8]
    if word >> 29 & 1:
        # The slot is left out: always, or where the branch is not taken.
        return _Leads(to if always else on, []) if always or never else _Leads([at + 4, *on], to)
    return _Leads([at + 4], to if always else on if never else [*to, *on])


def _after(step: FlowStep, before: RegisterState, layout: CounterLayout) -> RegisterState:
    """What is known behind an instruction; notes in `step` what it does to a counter."""
    one: _Word = step.instruction
    step.site, step.step = None, 0
    after = dict(before)
    result: RegisterContent | None = None
    writes = one.op == 2
    match one.op, one.op3:
        case 0, _ if one.word >> 22 & 7 == 4:
            writes, result = True, RegisterContent("number", (one.word & 0x3FFFFF) << 10)
        case 2, 0x3C | 0x3D:  # save, restore: another window
            return {name: known for name, known in before.items() if name in _GLOBALS}
        case 2, _:
            result = _reckoned(one, before)
        case 3, 0x05:
            _access(step, before, layout)
        case 3, op3:
            writes = op3 & 0x04 == 0  # loads
            result = _access(step, before, layout) if op3 == _LDUB else None
    if writes:
        after.pop(one.target, None)
        if result is not None and one.target not in ("g0", _CURRENT):
            after[one.target] = result
    if one.slot:
        return {name: known for name, known in after.items() if name.startswith(_SAVED)}
    return after


def _held(state: RegisterState, name: str) -> RegisterContent:
    """What a register holds; of one of which nothing is known, itself."""
    if name == "g0":
        return RegisterContent("number", 0)
    return state.get(name, _TASK if name == _CURRENT else RegisterContent("base", 0))


def _reckoned(one: _Word, before: RegisterState) -> RegisterContent | None:
    """What an addition, a subtraction, a move or a mask comes to; None of all else."""
    first = _held(before, one.first)
    second = _held(before, one.second) if one.second else RegisterContent("number", one.number)
    if one.op3 in (_ADD, _ADDCC):
        if first.what == "number":
            first, second = second, first
        return replace(first, ahead=first.ahead + second.ahead) if second.what == "number" else None
    if one.op3 in (_SUB, _SUBCC) and second.what == "number":
        return replace(first, ahead=first.ahead - second.ahead)
    if one.op3 in (_OR, _ORCC):
        if first.what == second.what == "number":
            return RegisterContent("number", first.ahead | second.ahead)
        if one.first == "g0":
            return second
        return first if second == RegisterContent("number", 0) else None
    if one.op3 in (_AND, _ANDCC) and second == RegisterContent("number", 0xFF):
        return first
    if one.op3 == _SLL and not one.second and first.what == "number":
        return RegisterContent("number", first.ahead << (one.word & 63) & 0xFFFFFFFF)
    if one.op3 == _XOR and first.what == second.what == "number":
        return RegisterContent("number", first.ahead ^ second.ahead)
    return None


def _access(step: FlowStep, before: RegisterState, layout: CounterLayout) -> RegisterContent | None:
    """What the load or store of a byte does to a counter, if it is one; what a load loads."""
    one: _Word = step.instruction
    base, name = _held(before, one.first), one.first
    index = _held(before, one.second) if one.second else RegisterContent("number", one.number)
    if base.what == "number":
        base, index, name = index, base, one.second
    counter = {layout.enabled: "enabled", layout.paused: "paused"}.get(base.ahead + index.ahead)
    if base.what not in ("base", "task") or index.what != "number" or counter is None:
        return None
    fetched, ahead = _fetched(name), base.ahead
    if base.what == "task":
        fetched, ahead = f"%{_CURRENT}", 0
    is_paused = counter == "paused"
    if one.op3 == _LDUB:
        kind = SiteKind.OTHER_GUARD if is_paused else SiteKind.READ
        step.site = _site(one, kind, fetched, ahead)
        return RegisterContent(counter, 0)
    value = _held(before, one.target)
    if value.what == counter and abs(value.ahead) == 1:
        step.step = value.ahead
    raises = step.step > 0
    if is_paused:
        kind = SiteKind.PAUSE if raises else SiteKind.RESUME
        step.site = _site(one, kind if step.step else SiteKind.UNKNOWN, fetched, ahead)
    elif step.step:
        # The value may be in a register that cannot be fetched; what it is, is known.
        step.site = _site(one, SiteKind.BEGIN if raises else SiteKind.END, fetched, ahead)
    else:
        stored = "\\0" if one.target == "g0" else _fetched(one.target)
        kind = SiteKind.STORE if stored else SiteKind.UNKNOWN
        step.site = _site(one, kind, fetched, ahead, stored)
    return None


def _site(one: _Word, kind: SiteKind, fetched: str, ahead: int, value: str = "") -> CounterSite:
    """A site; one of which the task cannot be fetched is said to be there, and not probed."""
    if not fetched and kind.is_probed:
        kind = SiteKind.UNKNOWN
    return CounterSite(one.at, kind, fetched, ahead, value)


def _fetched(name: str) -> str:
    """A register in the words of kprobe events; "" for one that they cannot fetch."""
    return {"g": f"%{name}", "o": f"%i{name[1:]}"}.get(name[:1], "")


def _name(number: int) -> str:
    return f"{'goli'[number >> 3]}{number & 7}"


def _signed(word: int, bits: int) -> int:
    value = word & ((1 << bits) - 1)
    return value - (1 << bits) if value >> (bits - 1) else value
