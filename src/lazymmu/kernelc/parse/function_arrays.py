# SPDX-License-Identifier: GPL-2.0-or-later
"""Arrays of pointers to functions that a file has outside of its functions, by what they hold.

    static void (*const steps[])(struct mm_struct *mm) = { step_quick, step_slow };
    static const step_fn steps[] = { [QUICK] = step_quick, [SLOW] = &step_slow };

Only names are read; whether one is a function is for the caller to see.
"""

from __future__ import annotations

import re
from typing import Final

from lazymmu.kernelc.parse.lexemes import without_comments

__all__ = ["FunctionArray", "read_arrays"]

FunctionArray = tuple[str, ...]
"""What an array holds: names in their order; "" where there is anything but one name."""

_ARRAY: Final = re.compile(
    rb"(?:\([ \t]*+\*[ \t]*+(?:const[ \t]++)?(?P<pointer>\w++)[ \t]*+\[[^\]\n]*+\][ \t]*+\)"
    rb"[ \t\n]*+\([^;{}\"=]{0,200}\)|(?P<named>\w++)[ \t]*+\[[^\]\n]*+\])"
    rb"[ \t\n]*+(?>(?:__\w++[ \t\n]*+)*)=[ \t\n]*+\{(?P<body>[^{}\";]{1,4000})\}[ \t\n]*+;"
)
_ELEMENT: Final = re.compile(
    rb"[ \t\n]*(?P<place>\[[^\]=]*\][ \t\n]*=)?[ \t\n]*&?[ \t\n]*(?P<name>[A-Za-z_]\w*)[ \t\n]*\Z"
)
_OUTSIDE: Final = re.compile(rb"[A-Za-z_]")
"""Declarations outside of functions begin their line."""


def read_arrays(text: bytes) -> dict[str, FunctionArray]:
    """Return the arrays of a file whose elements are names, by the array's name."""
    found: dict[str, FunctionArray] = {}
    for match in _ARRAY.finditer(text):
        line = text.rfind(b"\n", 0, match.start()) + 1
        if _OUTSIDE.match(text, line) is None:
            continue
        parts = without_comments(match["body"]).split(b",")
        elements = [_ELEMENT.match(part) for part in parts if part.strip()]
        names = tuple("" if e is None else e["name"].decode("latin-1") for e in elements)
        if any(names):
            found[(match["pointer"] or match["named"]).decode("latin-1")] = names
    return found
