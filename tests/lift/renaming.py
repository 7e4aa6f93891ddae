# SPDX-License-Identifier: GPL-2.0-or-later
"""A tree under another number, with its hooks under other names."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

import lazymmu
from lazymmu.contract import vocabulary
from lazymmu.lift.words import words
from lazymmu.snapshot.tree import Tree


def own_names(found: lazymmu.VerifyAnswer, arch: str) -> list[str]:
    """The names of lifted functions that the kernel's API does not give them."""
    known = vocabulary.load()
    api = {*known.names, *known.entries, *words(arch), "set_pte", "switch_to"}
    return sorted({name for name, _ in found.lifted[0].functions} - api)


def renamed(root: Path, names: Iterable[str], folders: Iterable[str] = (".",)) -> Tree:
    """A tree of version 9.9.0 in which these are called otherwise wherever folders name them."""
    pattern = re.compile(r"\b(" + "|".join(map(re.escape, names)) + r")\b")
    changes = {}
    for path in (path for folder in folders for path in (root / folder).rglob("*.[ch]")):
        text = path.read_text(encoding="latin-1")
        if pattern.search(text):
            rel = str(path.relative_to(root))
            changes[rel] = pattern.sub(r"zz_\1_zz", text).encode("latin-1")
    make = re.sub(r"(?m)^(VERSION|PATCHLEVEL) = \d+", r"\1 = 9", (root / "Makefile").read_text())
    changes["Makefile"] = re.sub(r"(?m)^SUBLEVEL = .*", "SUBLEVEL = 0", make).encode()
    return Tree.open(root).over(changes)
