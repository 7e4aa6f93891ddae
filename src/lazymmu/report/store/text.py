# SPDX-License-Identifier: GPL-2.0-or-later
"""What the store holds, one line each kind, and what has gone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lazymmu.report.common.words import clean, count
from lazymmu.verbs.store import StoreAction

if TYPE_CHECKING:
    from lazymmu.verbs.store import StoreAnswer

__all__ = ["render"]

_SAID: Final = {
    "analysis": "what an architecture came to, with all that it asked",
    "config": "Kconfig, solved for an architecture",
    "contents": "ids of contents, by the state of files",
    "names": "names that files may define",
    "result": "whole answers",
    "walk": "headers, walked for an architecture",
    "words": "files that have a word",
}
"""What each kind is, by the beginning of its name."""


def render(answer: StoreAnswer) -> str:
    """Return the text."""
    if not answer.directory:
        return "nothing is kept: there is no home directory\n"
    lines = []
    if answer.action is not StoreAction.SHOW:
        lines.append(f"{count(answer.gone, 'value')} let go")
    lines.append(
        f"{clean(answer.directory)}: {_megabytes(answer.size)}, "
        f"at most {_megabytes(answer.limit)} when a run ends"
    )
    for kind, number, size in _together(answer):
        said = _SAID.get(kind, "")
        lines.append(f"  {_megabytes(size):>9}  {number:>6}  {clean(kind):10} {said}".rstrip())
    return "".join(f"{line}\n" for line in lines)


def _together(answer: StoreAnswer) -> list[tuple[str, int, int]]:
    """The kinds, those of one name's parts and versions together, the largest first."""
    found: dict[str, tuple[int, int]] = {}
    for kind, number, size in answer.kinds:
        name = str(kind).partition(":")[0].partition("-")[0]
        before = found.get(name, (0, 0))
        found[name] = before[0] + number, before[1] + size
    rows = [(name, number, size) for name, (number, size) in found.items()]
    return sorted(rows, key=lambda row: (-row[2], row[0]))


def _megabytes(size: int) -> str:
    return f"{size / (1 << 20):.1f} MiB"
