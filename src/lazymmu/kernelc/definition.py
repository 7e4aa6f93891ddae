# SPDX-License-Identifier: GPL-2.0-or-later
"""A function or macro of a tree as one architecture's compiler sees it."""

from __future__ import annotations

from dataclasses import dataclass

from lazymmu.kernelc.presence import ALWAYS, PresenceCondition

__all__ = ["Definition"]


@dataclass(frozen=True, slots=True)
class Definition:
    """One function or macro as one profile sees it.

    kind: function, macro (function-like) or object; line: of the name; first_line: of the first
    byte of the text that `ConfiguredTree.text` returns; start, end, body: byte offsets in the file
    of the whole definition and of its brace or replacement text; params: of a macro; presence: its
    presence condition, by Makefiles and `#if`; context: the Context section of its kernel-doc
    comment.
    """

    name: str
    kind: str
    file: str
    line: int
    first_line: int
    start: int
    end: int
    body: int
    static: bool
    inline: bool
    params: tuple[str, ...]
    presence: PresenceCondition = ALWAYS
    context: str = ""
