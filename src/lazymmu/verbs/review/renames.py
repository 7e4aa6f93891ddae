# SPDX-License-Identifier: GPL-2.0-or-later
"""Functions that got another name, under the old one: for what finds functions by their names.

Which form of core-mm code a tree has is read off functions that are known by name (`lift.core_mm`).
A patch that only renames one changes nothing of that.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from lazymmu.kernelc.parse.slices import definitions
from lazymmu.verbs.moves import MIN_SIMILARITY, similarity

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from lazymmu.snapshot.tree import Tree

__all__ = ["under_old_names"]


def under_old_names(
    before: Tree, after: Tree, paths: Iterable[str], wanted: Collection[str]
) -> Tree:
    """A tree in which renamed functions have the names that they had.

    :param before: the tree that has them under their old names.
    :param paths: the files that differ.
    :param wanted: the old names that matter.
    """
    both = [path for path in sorted(set(paths)) if before.has(path) and after.has(path)]
    renamed: dict[bytes, bytes] = {}
    for path in both:
        was, now = _bodies(before.read(path)), _bodies(after.read(path))
        came = now.keys() - was.keys()
        for name in sorted(was.keys() & wanted - now.keys()):
            alike = {one: similarity(was[name], name, now[one], one) for one in sorted(came)}
            best = max(alike, key=alike.__getitem__, default="")
            if best and alike[best] >= MIN_SIMILARITY:
                renamed[best.encode()] = name.encode()
    if not renamed:
        return after
    words = re.compile(rb"\b(?:" + b"|".join(renamed) + rb")\b")
    texts = {path: after.read(path) for path in both}
    back = {path: words.sub(lambda match: renamed[match[0]], text) for path, text in texts.items()}
    return after.over({path: text for path, text in back.items() if text != texts[path]})


def _bodies(text: bytes) -> dict[str, str]:
    return {
        one.name: text[one.start : one.end].decode("latin-1")
        for one in definitions(text)
        if one.kind == "function"
    }
