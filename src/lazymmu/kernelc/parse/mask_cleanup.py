# SPDX-License-Identifier: GPL-2.0-or-later
"""Cleanup attributes: what GCC calls where the scope of a variable is left.

C has no place for them that a grammar knows in all forms, so that the function's name is written as
the size of an array that the variable is not: see the table in masks.py.
"""

from __future__ import annotations

import re

from lazymmu.kernelc.parse.lexemes import fill

__all__ = ["mask_cleanup"]

_CLEANUP = re.compile(
    rb"__(?:cleanup|(free))[ \t\n]*+\([ \t\n]*+&?(\w++)[ \t\n]*+\)\Z"
    rb"|__attribute(?>(?:__)?)[ \t\n]*+\((?:[^()]|\([^()]*+\)|\((?!\())*?"
    rb"\b(?:__)?cleanup(?:__)?[ \t\n]*+\([ \t\n]*+&?(\w++)"
)
"""__cleanup(f) and __free(f) of include/linux, and the attribute that both stand for."""

_BEHIND = re.compile(rb"[ \t\n]*+(?=[=;,)\[]|__\w)")
_DECLARATOR = re.compile(rb"[\w \t*]*+(?=[=;,\[])")


def mask_cleanup(out: bytearray, start: int, end: int) -> None:
    """Blank the attribute out[start:end]; one that names a cleanup function leaves its name.

    It is written behind the variable, be the attribute there or before it.
    """
    match = _CLEANUP.match(out[start:end])
    if match is None:
        fill(out, start, end)
        return
    name = match[2] or match[3]
    marked = b"[" + (b"!!" if match[1] else b"~~") + name + b"]"
    if _BEHIND.match(out, end):
        fill(out, start, end, marked)
        return
    declarator = _DECLARATOR.match(out, end)
    if declarator is None or not declarator[0].strip():
        fill(out, start, end)
        return
    fill(out, start, declarator.end(), declarator[0].strip() + marked)
