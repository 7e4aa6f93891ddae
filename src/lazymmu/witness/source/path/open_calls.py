# SPDX-License-Identifier: GPL-2.0-or-later
"""Which sections and calls are open at a place of a path, or were around a note of it."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from lazymmu.witness.source.path.path_trace import PathTrace


def last_open_section(notes: Sequence[PathTrace]) -> int | None:
    """Where the section began in which a path ends."""
    open_: list[int] = []
    last: int | None = None
    for index, note in enumerate(notes):
        if note.mark == "begin":
            open_.append(index)
            last = index
        elif note.mark == "end" and open_:
            last = open_.pop()
    return open_[0] if open_ else last


def open_calls(notes: Sequence[PathTrace], since: int = 0) -> set[int]:
    """Indices of the calls after ``since`` that are still open where the path ends."""
    stack: list[int] = []
    for index, note in enumerate(notes):
        _follow(stack, index, note)
    return {index for index in stack if index >= since}


def enclosing(notes: Sequence[PathTrace], some: Collection[int]) -> set[int]:
    """Indices of the calls in which some notes of a path were made, also of those that returned."""
    stack: list[int] = []
    found: set[int] = set()
    for index, note in enumerate(notes):
        if index in some:
            found.update(stack)
        _follow(stack, index, note)
    return found


def _follow(stack: list[int], index: int, note: PathTrace) -> None:
    if note.mark in ("call", "callback"):
        stack.append(index)
    elif note.mark == "return" and stack:
        stack.pop()
