# SPDX-License-Identifier: GPL-2.0-or-later
"""Macros that declare members of a structure: DECLARE_BITMAP(mask, NR_CPUS) inside of braces.

A structure that a function declares for itself may have such a member, which is no C declaration.
That a word with parentheses is all that stands between two semicolons shows it.
"""

from __future__ import annotations

import re

from lazymmu.kernelc.parse.lexemes import KEYWORDS, fill, parentheses

__all__ = ["mask_members"]

_OPENED = re.compile(rb"\b(?:struct|union)\b[^;{}()=]*+\{")
_MEMBER = re.compile(
    rb"(?<=[;{}])[ \t\n]*+(?P<call>(?P<word>[A-Za-z_]\w*+)[ \t]*+"
    + parentheses(3)
    + rb")(?=[ \t\n]*+;)"
)
_BRACE = re.compile(rb"[{}]")
_REACH = 1 << 14
"""How long a structure inside of a function may be, in bytes."""


def mask_members(out: bytearray, start: int) -> None:
    """Rewrite macros that declare members behind offset `start` as `int` and a name, in place."""
    text = bytes(out)
    position = start
    while (opened := _OPENED.search(text, position)) is not None:
        end = _closed(text, opened.end())
        position = opened.end()
        for match in _MEMBER.finditer(text, opened.end() - 1, end):
            if match["word"] not in KEYWORDS:
                fill(out, *match.span("call"), b"int m")
            position = match.end()


def _closed(text: bytes, start: int) -> int:
    """Where the brace is closed that was opened before `start`."""
    depth = 1
    for match in _BRACE.finditer(text, start, start + _REACH):
        depth += 1 if match[0] == b"{" else -1
        if not depth:
            return match.start()
    return start
