# SPDX-License-Identifier: GPL-2.0-or-later
"""Puts many mistakes into few trees: at most one for each function in each tree."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from . import kinds, overlay, scan

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from .kinds import Mutant

_SHARED = "static int lazymmu_flag;\nstatic struct mutex lazymmu_mutex;\n"


@dataclass(frozen=True, slots=True)
class Planted:
    """A mistake in a tree, and the lines of its file, in the new count, that are its own."""

    mutant: Mutant
    lines: range


def batches(tree: Path, kind: str = "") -> list[list[Mutant]]:
    """Every mistake for every section of a tree; each batch holds one mistake of a function.

    `kind` is a regular expression for the kinds that are wanted.
    """
    by_place: list[list[Mutant]] = []
    number = 0
    for function in scan.sections(tree):
        wanted = [mutant for mutant in kinds.every(function) if re.search(kind, mutant.kind)]
        for place, mutant in enumerate(wanted):
            if place == len(by_place):
                by_place.append([])
            by_place[place].append(replace(mutant, number=number))
            number += 1
    return by_place


def plant(tree: Path, target: Path, batch: Sequence[Mutant]) -> tuple[list[Planted], list[str]]:
    """Write the files of a batch into `target`, a tree of links to `tree`.

    Returns what was planted where, and the files that were replaced.
    """
    by_file: dict[str, list[Mutant]] = defaultdict(list)
    for mutant in batch:
        by_file[mutant.function.file].append(mutant)
    planted: list[Planted] = []
    for file, mutants in by_file.items():
        text, found = _mutate((tree / file).read_text(errors="replace"), mutants)
        overlay.replace(target, file, text)
        planted += found
    far = [_named(mutant.far, mutant) for mutant in batch if mutant.far]
    if far:
        text = (target / kinds.FAR_FILE).read_text(errors="replace")
        overlay.replace(
            target, kinds.FAR_FILE, "\n".join([text, "static struct mutex lazymmu_mutex;", *far])
        )
    return planted, [*by_file, *([kinds.FAR_FILE] if far else [])]


def _named(text: str, mutant: Mutant) -> str:
    """The text with names that no other mistake in the tree has."""
    return text.replace("@", str(mutant.number))


def _mutate(text: str, mutants: list[Mutant]) -> tuple[str, list[Planted]]:
    """One file with all of its mistakes: from the last line up, so that line numbers hold."""
    lines = text.split("\n")
    top = _top(lines)
    new: list[tuple[str, int | None]] = [(line, None) for line in lines]
    changes: list[tuple[int, int, Mutant, str]] = []
    for mutant in mutants:
        changes += [(line, 0, mutant, "") for line in mutant.delete]
        changes += [(line, 1, mutant, _named(planted, mutant)) for line, planted in mutant.insert]
    # On one line, taking away comes first: what is inserted stands before what was there.
    order = sorted(changes, key=lambda change: (change[0], -change[1]), reverse=True)
    for line, insert, mutant, planted in order:
        at = line - 1
        if not insert:
            new[at] = (_indent(lines, at) + ";", mutant.number)  # it may be all of an if
            continue
        indent = _indent(lines, at)
        new[at:at] = [(indent + row if row else "", mutant.number) for row in planted.split("\n")]
    helpers = [_named(mutant.near, mutant) for mutant in mutants if mutant.near]
    head = "\n".join([_SHARED, *helpers]).split("\n")
    new[top:top] = [(row, None) for row in head]
    planted_at: dict[int, list[int]] = defaultdict(list)
    for number, (_, owner) in enumerate(new, start=1):
        if owner is not None:
            planted_at[owner].append(number)
    result = [
        Planted(m, range(min(planted_at[m.number]), max(planted_at[m.number]) + 1)) for m in mutants
    ]
    return "\n".join(line for line, _ in new), result


def _indent(lines: list[str], at: int) -> str:
    """The indentation of the next line with text: a label's is that of what follows it."""
    for line in lines[at:]:
        found = re.match(r"(\t+)\S", line)
        if found:
            return found[1]
    return "\t"


def _top(lines: list[str]) -> int:
    """Where helpers go: after the last #include that no #if surrounds."""
    depth, top = 0, 0
    for number, line in enumerate(lines, start=1):
        if re.match(r"#\s*if", line):
            depth += 1
        elif re.match(r"#\s*endif", line):
            depth -= 1
        elif depth == 0 and re.match(r"#\s*include", line):
            top = number
    return top
