# SPDX-License-Identifier: GPL-2.0-or-later
"""The names in the spelling of an expression."""

from __future__ import annotations

import re

__all__ = ["names_it", "words_in"]

_WORDS: dict[str, frozenset[str]] = {}
_MOST_WORDS = 100_000
_MEMBER = re.compile(r"->\w+")


def names_it(spelling: str, name: str) -> bool:
    """Whether the spelling of a condition or an entry mentions a variable."""
    return name in words_in(spelling)


def words_in(spelling: str) -> frozenset[str]:
    """Return the names in a spelling; what stands behind an arrow is none."""
    words = _WORDS.get(spelling)
    if words is None:
        # What stands behind an arrow is a member, whatever variable has the same name.
        plain = _MEMBER.sub(" ", spelling)
        cleaned = "".join(c if c.isalnum() or c in "_$" else " " for c in plain)
        if len(_WORDS) > _MOST_WORDS:
            _WORDS.clear()
        words = _WORDS[spelling] = frozenset(cleaned.split())
    return words
