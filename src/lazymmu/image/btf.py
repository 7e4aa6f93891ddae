# SPDX-License-Identifier: GPL-2.0-or-later
"""The types of a kernel (BTF): where in a task its counters are.

The format: Documentation/bpf/btf.rst and include/uapi/linux/btf.h. Types are found by walking over
them once; what they refer to is followed for a bounded number of steps, since a stranger's types
may go round in circles.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from lazymmu.image.error import ImageError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Btf", "CounterLayout", "counters", "layout_of"]

_MAGIC: Final = 0xEB9F
_INT, _STRUCT, _UNION, _FUNC_PROTO, _DATASEC, _ENUM64 = 1, 4, 5, 13, 15, 19
_ALIASES: Final = frozenset({8, 9, 10, 11, 18})
"""Typedef, volatile, const, restrict, type tag: another type under another name."""

_FIXED: Final = {_INT: 4, 3: 12, 14: 4, 17: 4}
"""Bytes behind an integer, an array, a variable and a declaration's tag."""

_EACH: Final = {_STRUCT: 12, _UNION: 12, 6: 8, _FUNC_PROTO: 8, _DATASEC: 12, _ENUM64: 12}
"""Bytes behind it for each of its parts."""

_LAST_KIND: Final = 19
_MAX_STEPS: Final = 32
_MAX_MEMBERS: Final = 1 << 14
"""Members that are looked at for one structure, those of its nameless parts too: a task has 300."""


@dataclass(frozen=True, slots=True)
class CounterLayout:
    """Where in `task_struct` the process's number and the two counters are, in bytes.

    And how many bytes a counter has.
    """

    pid: int
    enabled: int
    paused: int
    width: int


@dataclass(frozen=True, slots=True)
class _Member:
    name: str
    type: int
    bit: int


class Btf:
    """The types of one kernel."""

    def __init__(self, content: bytes) -> None:
        """Walk over all types once; raises ImageError where that cannot be done."""
        self._mark = "<" if content[:2] == b"\x9f\xeb" else ">"
        if len(content) < 24 or self._unpack("H", content, 0)[0] != _MAGIC:
            raise ImageError("its .BTF holds no types")
        head, types, length, texts, size = self._unpack("IIIII", content, 4)
        start, names = head + types, head + texts
        if start + length > len(content) or names + size > len(content):
            raise ImageError("its types (BTF) are cut")
        self._types = content[start : start + length]
        self._names = content[names : names + size]
        self._at = [-1, *self._walk()]

    def structure(self, name: str) -> int:
        """The number of the structure of that name that has members; 0 where there is none."""
        for number, at in enumerate(self._at):
            if at < 0:
                continue
            text, info = self._unpack("II", self._types, at)
            if info >> 24 & 0x1F == _STRUCT and info & 0xFFFF and self._name(text) == name:
                return number
        return 0

    def member(self, structure: int, name: str) -> tuple[int, int] | None:
        """The offset in bytes and the type of a member, also one of a nameless part; else None."""
        left = [(structure, 0, 0)]
        seen = 0
        while left:
            number, base, depth = left.pop()
            for one in self._members(number):
                seen += 1
                if seen > _MAX_MEMBERS:
                    raise ImageError("its types (BTF) have more members than any kernel's")
                if one.name == name and not (base + one.bit) % 8:
                    return (base + one.bit) // 8, one.type
                if not one.name and depth < _MAX_STEPS:
                    left.append((self._plain(one.type), base + one.bit, depth + 1))
        return None

    def integer_width(self, number: int) -> int:
        """The bytes of an integer type; 0 where it is none."""
        at = self._place(self._plain(number))
        if at < 0:
            return 0
        _, info, size = self._unpack("III", self._types, at)
        return size if info >> 24 & 0x1F == _INT else 0

    def plain(self, number: int) -> int:
        """The type behind typedefs and qualifiers; 0 where they go round in a circle."""
        return self._plain(number)

    def _plain(self, number: int) -> int:
        for _ in range(_MAX_STEPS):
            at = self._place(number)
            if at < 0:
                return 0
            _, info, to = self._unpack("III", self._types, at)
            if info >> 24 & 0x1F not in _ALIASES:
                return number
            number = to
        return 0

    def _members(self, number: int) -> Iterator[_Member]:
        at = self._place(number)
        if at < 0:
            return
        _, info = self._unpack("II", self._types, at)
        if info >> 24 & 0x1F not in (_STRUCT, _UNION):
            return
        for part in range(at + 12, at + 12 + 12 * (info & 0xFFFF), 12):
            name, kind, bit = self._unpack("III", self._types, part)
            # With bit fields the upper byte is the width of one (BTF_MEMBER_BIT_OFFSET()).
            yield _Member(self._name(name), kind, bit & 0xFFFFFF if info >> 31 else bit)

    def _place(self, number: int) -> int:
        return self._at[number] if 0 < number < len(self._at) else -1

    def _walk(self) -> Iterator[int]:
        at = 0
        types, unpack = self._types, struct.Struct(self._mark + "4xI4x").unpack_from
        while at < len(types):
            if at + 12 > len(types):
                raise ImageError("its types (BTF) are cut")
            (info,) = unpack(types, at)
            kind = info >> 24 & 0x1F
            if not 0 < kind <= _LAST_KIND:
                raise ImageError(f"its types (BTF) have a kind that is not known: {kind}")
            behind = _FIXED.get(kind, 0) + _EACH.get(kind, 0) * (info & 0xFFFF)
            if at + 12 + behind > len(types):
                raise ImageError("its types (BTF) are cut")
            yield at
            at += 12 + behind

    def _name(self, at: int) -> str:
        return self._names[at : at + 256].split(b"\0", 1)[0].decode("ascii", "backslashreplace")

    def _unpack(self, form: str, content: bytes, at: int) -> tuple[int, ...]:
        return struct.unpack_from(self._mark + form, content, at)


def counters(types: Btf) -> CounterLayout:
    """Where a task's counters are.

    Source: include/linux/mm_types_task.h, struct lazy_mmu_state, and include/linux/sched.h, struct
    task_struct; 5ab246749569 ("mm: enable lazy_mmu sections to nest") (in v7.0).

    :raises ImageError: this kernel has none, which is said, or its types say nonsense.
    """
    task = types.structure("task_struct")
    if not task:
        raise ImageError("its types (BTF) have no task_struct")
    state, pid = types.member(task, "lazy_mmu_state"), types.member(task, "pid")
    inner = types.plain(state[1]) if state is not None else 0
    enabled, paused = types.member(inner, "enable_count"), types.member(inner, "pause_count")
    return layout_of(
        pid and pid[0],
        state and state[0],
        enabled and enabled[0],
        paused and paused[0],
        types.integer_width(enabled[1]) if enabled is not None else 0,
        types.integer_width(paused[1]) if paused is not None else 0,
    )


def layout_of(
    pid: int | None,
    state: int | None,
    enabled: int | None,
    paused: int | None,
    width: int,
    other: int,
) -> CounterLayout:
    """The layout, from offsets in task_struct and in its lazy_mmu_state and the counters' widths.

    :raises ImageError: something is missing (None), or makes no sense.
    """
    if pid is None or state is None:
        raise ImageError(
            "its task_struct has no lazy_mmu_state: it is older than v7.0, or its configuration "
            "has no lazy MMU mode (CONFIG_ARCH_HAS_LAZY_MMU_MODE)"
        )
    if enabled is None or paused is None:
        raise ImageError("its lazy_mmu_state has no enable_count and pause_count")
    if width not in (1, 2, 4) or width != other:
        raise ImageError("its enable_count and pause_count are no integers of one width")
    layout = CounterLayout(pid, state + enabled, state + paused, width)
    if not all(0 <= one < 1 << 20 for one in (layout.enabled, layout.paused, layout.pid)):
        raise ImageError("its task_struct is larger than any kernel's")
    return layout
