# SPDX-License-Identifier: GPL-2.0-or-later
"""A function or macro of a tree as one architecture's compiler sees it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lazymmu.kernelc.presence import ALWAYS, PresenceCondition

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Definition", "TextOrigin"]


@dataclass(frozen=True, slots=True)
class Definition:
    """One function or macro as one profile sees it.

    :param kind: function, macro (function-like) or object.
    :param line: of the name.
    :param first_line: of the first byte of the text that `ConfiguredTree.text` returns.
    :param start: byte offsets in the file of the whole definition and of its brace or replacement
        text.
    :param end: likewise.
    :param body: likewise.
    :param params: of a macro.
    :param presence: its presence condition, by Makefiles and `#if`.
    :param context: the Context section of its kernel-doc comment.
    :param made: whether a macro that is used at file level makes it, `DEFINE_GUARD(x, ...)`: its
        place is then that use, and its text what the macro comes to there.
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
    made: bool = False


@dataclass(frozen=True, slots=True)
class TextOrigin:
    """Where a text comes from that is not as its file has it.

    :param place: line and column of an offset in it.
    :param macros: file, line of the text, and name of the macros that were replaced in it.
    """

    place: Callable[[int], tuple[int, int]]
    macros: tuple[tuple[str, int, str], ...] = ()
