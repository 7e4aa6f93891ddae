# SPDX-License-Identifier: GPL-2.0-or-later
"""A function as it stands on one side of a change, with what is wrong with it there, for pages."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from lazymmu.kernelc.parse.slices import definitions
from lazymmu.verbs.texts import texts

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lazymmu.witness.finding import Finding
    from lazymmu.witness.source.check import Where

__all__ = ["CodeSide", "side"]


@dataclass(frozen=True, slots=True)
class CodeSide:
    """A function of one tree.

    :param name: what the tree is called: a release, or before and after which patch.
    :param first: the number of its first line, 0 where the tree has no such function.
    :param lines: all of it.
    :param finding: what is wrong with it there, None where nothing is.
    :param sources: the text of each file that the finding's path goes through.
    """

    name: str
    file: str
    function: str
    first: int = 0
    lines: tuple[str, ...] = ()
    finding: Finding | None = None
    sources: Mapping[str, str] = field(default_factory=dict)


def side(
    tree: Where, name: str, finding: Finding | None, *, file: str = "", function: str = ""
) -> CodeSide:
    """One side of a change.

    :param name: what the tree is called.
    :param finding: what is wrong there; without one, `file` and `function` say what is looked at.
    """
    if finding is not None:
        file, function = finding.file, finding.function
    steps = finding.path if finding is not None else ()
    found = dict(texts(tree, dict.fromkeys((file, *(step.file for step in steps)))))
    first, lines = _body(found.get(file, b""), function)
    sources = {rel: text.decode(errors="replace") for rel, text in found.items()} if steps else {}
    return CodeSide(name, file, function, first, lines, finding, sources)


def _body(text: bytes, function: str) -> tuple[int, tuple[str, ...]]:
    """The first line of a function, and its lines; 0 and none where it is not there."""
    for one in definitions(text):
        if one.name == function:
            body = text[one.start : one.end].decode(errors="replace").splitlines()
            return text.count(b"\n", 0, one.start) + 1, tuple(body)
    return 0, ()
