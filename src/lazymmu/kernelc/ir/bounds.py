# SPDX-License-Identifier: GPL-2.0-or-later
"""What of one function is too much to be read: the bounds, and how they are told.

A stranger's function may be nested a million deep or jump a million times. Everything behind the
parser recurses along an expression or multiplies what a graph holds, so that the size of both is
bounded here, once, far above what any kernel has (measured: see docs/limits.rst); a function
beyond a bound is broken, with that reason, and nothing of it is believed.
"""

from __future__ import annotations

from typing import Final

__all__ = [
    "MAX_BYTES",
    "MAX_DEPTH",
    "MAX_DIGITS",
    "MAX_GUARDS",
    "MAX_NODES",
    "MAX_PARTS",
    "NESTED",
    "Unread",
]

MAX_BYTES: Final = 512 << 10
"""Bytes of one definition; the longest of 7.3 has 213 kB."""

MAX_DEPTH: Final = 500
"""Expressions and statements inside each other; the deepest of 7.3 (a table of 256 arguments,
lib/crypto/gf128mul.c) has 259."""

MAX_NODES: Final = 20_000
"""Steps of one flow graph; the largest of what is read of 7.3 has 1,045."""

MAX_PARTS: Final = 50_000
"""Expressions and statements of one definition; the most of what is read of 7.3 are 2,481."""

MAX_DIGITS: Final = 200
"""Digits of one integer; 64 bits need 64 of them in base 2."""

MAX_GUARDS: Final = 100
"""Guards (include/linux/cleanup.h) that are held at once."""

NESTED: Final = f"nested more than {MAX_DEPTH} deep"


class Unread(Exception):
    """A definition is not read, for the reason that is the message."""
