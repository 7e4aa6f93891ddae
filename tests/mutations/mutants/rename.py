# SPDX-License-Identifier: GPL-2.0-or-later
"""A tree in which every function of mm/ has another name, but for the vocabulary.

What the vocabulary does not hold must be derived from the tree, so that a tree in which mm/ calls
its functions something else has the same findings. The renaming is by words, in code and comments
alike, over every directory of the tree that a check reads much of.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from . import overlay, scan

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

SUFFIX = "_elsewhere"

_WORD = re.compile(r"^[ \t]*#[ \t]*include[^\n]*|[A-Za-z_]\w*", re.M)
"""A word, or a line that names a file: file names stay."""

_DEFINED = re.compile(r"^\s*#\s*define\s+(\w+)", re.M)


def names(tree: Path, kept: Collection[str]) -> frozenset[str]:
    """The functions that are defined in mm/ and may be renamed.

    `kept` is the vocabulary. Left out as well are names that are also macros, which may stand for
    something else on an architecture.
    """
    found: set[str] = set()
    macros: set[str] = set()
    for path in sorted((tree / "mm").rglob("*.[ch]")):
        text = path.read_text(errors="replace")
        found.update(function.name for function in scan.functions("", text))
        macros.update(_DEFINED.findall(text))
    for path in sorted((tree / "include").rglob("*.h")):
        macros.update(_DEFINED.findall(path.read_text(errors="replace")))
    return frozenset(name for name in found - macros - set(kept) if name != "__attribute")


def rename(tree: Path, target: Path, words: Collection[str]) -> Path:
    """Make `target` a copy of `tree`, and of new files where one of `words` occurs."""
    overlay.copy(tree, target)

    def other(found: re.Match[str]) -> str:
        return found[0] + SUFFIX if found[0] in words else found[0]

    for path in sorted(target.rglob("*.[ch]")):
        text = path.read_text(encoding="latin-1")
        changed = _WORD.sub(other, text)
        if changed != text:
            path.unlink()
            path.write_text(changed, encoding="latin-1")
    return target


def original(text: str) -> str:
    """A finding's text with the old names."""
    return text.replace(SUFFIX, "")
