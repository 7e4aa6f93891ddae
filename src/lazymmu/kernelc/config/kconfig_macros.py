# SPDX-License-Identifier: GPL-2.0-or-later
"""Kconfig's macros, `$(...)`: replaced by what is known without running anything.

The language is that of Documentation/kbuild/kconfig-macro-language.rst. `$ARCH` in paths and
strings is older (before v4.18).

Limits: macros that a Kconfig file defines are not followed: with arguments they are tests of the
toolchain (TESTS), without they cannot be read (UNKNOWN).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["FAILS", "TESTS", "UNKNOWN", "substitute"]

TESTS: Final = "__tests__"
"""A symbol in the place of a test of the toolchain, `$(success,...)`, `$(cc-option,...)`."""

FAILS: Final = "__fails__"
"""A symbol in the place of a test that a current toolchain fails, `$(failure,...)`."""

UNKNOWN: Final = "__unknown__"
"""A word in the place of a text that cannot be read, such as what a shell would answer."""

_CALLS: Final[Mapping[str, str]] = {
    "failure": FAILS,
    "shell": UNKNOWN,
    "error-if": "",
    "warning-if": "",
    "info": "",
}
_BARE: Final = re.compile(r"\$(ARCH|SRCARCH|SUBARCH)\b")
_ARCHES: Final = frozenset({"ARCH", "SRCARCH", "SUBARCH"})


def substitute(text: str, variables: Mapping[str, str]) -> str:
    """Replace `$(...)` in `text`: tests by TESTS, FAILS or UNKNOWN, others by `variables`.

    A reference to the architecture stays when `variables` has no value for it.
    """
    text = _BARE.sub(r"$(\1)", text)
    start = len(text)
    while (start := text.rfind("$(", 0, start)) >= 0:
        depth, end = 0, start
        for end in range(start + 1, len(text)):
            if text[end] == "(":
                depth += 1
            elif text[end] == ")":
                depth -= 1
                if depth == 0:
                    break
        if depth:
            return text[:start]
        name, comma, rest = text[start + 2 : end].partition(",")
        name = name.strip()
        if name == "if-success":
            value = rest.split(",")[1].strip() if "," in rest else ""
            value = {"y": TESTS, "n": FAILS}.get(value, value)
        elif comma:
            value = _CALLS.get(name, TESTS)
        elif name in _ARCHES and name not in variables:
            continue
        else:
            value = variables.get(name, UNKNOWN)
        text = text[:start] + value + text[end + 1 :]
    return text
