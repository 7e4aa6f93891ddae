# SPDX-License-Identifier: GPL-2.0-or-later
"""The code at each step of a path, so that a report needs no tree any more."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from lazymmu.snapshot.tree import Tree
from lazymmu.witness.finding import Finding, Step

__all__ = ["MAX_CODE", "with_code"]

MAX_CODE = 160
"""Characters of a line that are kept."""


def with_code(tree: Tree, found: Iterable[Finding]) -> tuple[Finding, ...]:
    """The findings, each step with its line of code: without its indent, on one line.

    :param tree: the one that they were found in; a file that it lacks leaves the code empty.
    """
    lines: dict[str, list[str]] = {}

    def quoted(step: Step) -> Step:
        if step.file not in lines:
            lines[step.file] = tree.read(step.file).decode("utf-8", "replace").splitlines()
        text = lines[step.file]
        code = text[step.line - 1] if 0 < step.line <= len(text) else ""
        return replace(step, code=" ".join(code.split())[:MAX_CODE])

    return tuple(replace(one, path=tuple(map(quoted, one.path))) for one in found)
