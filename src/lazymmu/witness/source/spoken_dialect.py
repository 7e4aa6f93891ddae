# SPDX-License-Identifier: GPL-2.0-or-later
"""Which dialect of the contract a tree's own text speaks."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from lazymmu.contract import dialects
from lazymmu.kernelc.parse.lexemes import COMMENT
from lazymmu.kernelc.parse.slices import definitions

if TYPE_CHECKING:
    from lazymmu.contract.dialects import Dialect
    from lazymmu.snapshot.tree import Tree

__all__ = ["API_HEADER", "detect_dialect"]

API_HEADER: Final = "include/linux/pgtable.h"

_COMMENT: Final = re.compile(rb"(?:^[ \t]*//[^\n]*\n)+|" + COMMENT, re.M)
"""A comment; lines that begin with `//` and follow each other are one."""

_OF_THE_MODE: Final = re.compile(rb"lazy(?:[\s*/]+|_)mmu", re.I)


def detect_dialect(tree: Tree) -> Dialect:
    """The dialect of the contract that a tree's own text speaks (include/linux/pgtable.h)."""
    text = tree.read(API_HEADER)
    found = definitions(text)
    names = {d.name for d in found}
    said = b"\n\n".join(m[0] for m in _COMMENT.finditer(text) if _OF_THE_MODE.search(m[0]))
    return dialects.detect(said.decode("latin-1"), names)
