# SPDX-License-Identifier: GPL-2.0-or-later
"""A pattern that matches one of several words, and looks at what they share once."""

from __future__ import annotations

import re
from itertools import groupby
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["either"]


def either(words: Iterable[bytes]) -> bytes:
    """Matches one of the words, none of which may begin another; of none, what nothing matches.

    Words that begin alike are tried together; otherwise the order stays, the most frequent first.
    """
    found = tuple(dict.fromkeys(words))
    if not found:
        return rb"(?!)"
    firsts = list(dict.fromkeys(word[:1] for word in found))
    grouped = sorted(found, key=lambda word: firsts.index(word[:1]))
    parts = [_shared(list(same)) for _, same in groupby(grouped, key=lambda word: word[:1])]
    return parts[0] if len(parts) == 1 else b"(?:%s)" % b"|".join(parts)


def _shared(words: list[bytes]) -> bytes:
    """Words with the same first byte."""
    if len(words) == 1:
        return re.escape(words[0])
    least, most = min(words), max(words)
    size = next((at for at, byte in enumerate(least) if byte != most[at]), len(least))
    shared = least[:size]
    return re.escape(shared) + either(word[len(shared) :] for word in words)
