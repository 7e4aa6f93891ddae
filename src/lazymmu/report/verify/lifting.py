# SPDX-License-Identifier: GPL-2.0-or-later
"""What was lifted from a tree, and what was left out of it, as text."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from lazymmu.report.common.words import clean, count
from lazymmu.report.verify.matrix import WIDTH

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lazymmu.verbs.lifting import LiftedTree

__all__ = ["render"]


def render(lifted: Sequence[LiftedTree], width: int | None = None) -> list[str]:
    """A text for each architecture; width: columns of the terminal, None for a pipe or file."""
    width = min(width or WIDTH, WIDTH)
    return ["".join(f"{line}\n" for line in _lines(one, width)) for one in lifted]


def _lines(one: LiftedTree, width: int) -> Iterator[str]:
    if one.refused:
        yield from _wrapped(f"{one.arch} of {one.tree} cannot be lifted: {one.refused}", width, "")
        return
    functions = count(len(one.functions), "function")
    kept = ", ".join(one.columns) or "no variable"
    head = f"Lifted from {one.tree} on {one.arch}: {functions}; variables {kept}."
    yield from _wrapped(head, width, "")
    if one.core:
        told = ", ".join(f"{name} ({place})" for name, place in one.core)
        yield from _wrapped(f"Core-mm code of the tree: {told}.", width, "")
    if one.choices:
        told = ", ".join(f"{about} ({place})" for about, place in one.choices)
        yield from _wrapped(f"Either way: {told}.", width, "")
    if one.by_hand:
        yield "Core-mm code by hand:"
    for name, why in one.by_hand:
        yield from _wrapped(f"{name}: {why}", width, "  ")
    if one.abstracted:
        yield "Left out:"
    reasons: dict[str, list[str]] = {}
    for name, why in one.abstracted:
        reasons.setdefault(why, []).append(name)
    for why, names in reasons.items():
        yield from _wrapped(f"{', '.join(names)}: {why}", width, "  ")


def _wrapped(text: str, width: int, indent: str) -> list[str]:
    return textwrap.wrap(
        clean(text),
        width,
        initial_indent=indent,
        subsequent_indent=f"{indent}  " if indent else "",
        break_on_hyphens=False,
    )
