# SPDX-License-Identifier: GPL-2.0-or-later
"""Which branches of a tree's hooks no scenario goes, of those that are lifted.

``python -m tools.hook_coverage TREE... [--arch NAME]`` runs every scenario on each machine that can
be lifted, with each access as a step, and prints the conditions of lifted C that were never true,
or never false, in any interleaving. ``--write`` makes the list of docs/hook_coverage.rst anew.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from lazymmu.lift.tree import MACHINES
from lazymmu.litmus.run import Run, library, verify
from lazymmu.machine.releases import TREES
from lazymmu.snapshot.tree import Tree
from lazymmu.verbs.lifting import lifted

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from lazymmu.lift.code import Code
    from lazymmu.litmus.scenario import Scenario

__all__ = ["DOCUMENT", "MADE", "main", "measured"]

DOCUMENT: Final = Path(__file__).parents[1] / "docs" / "hook_coverage.rst"
MADE: Final = ".. What follows is made by tools/hook_coverage.py --write.\n\n"


def measured(
    tree: Path, arch: str, scenarios: Iterable[Scenario], cache: str | None = None
) -> tuple[int, list[tuple[str, str, bool]], str]:
    """Return how many ways branches have, and which no run went.

    Each of these as place, text of the line, and whether it was to be true; then why nothing was
    lifted, "" where it was.
    """
    opened = Tree.open(tree)
    with lifted(tree, [arch], "fine", cache) as (one,):
        if one.refused:
            return 0, [], one.refused
        found = TREES[arch, one.tree][1].lifted  # type: ignore[attr-defined]
        for scenario in scenarios:
            verify(Run(scenario, arch, one.tree, one.row))
        missed = [
            (f"{code.name}(), {code.file}:{line}", _text(opened, code, line), way)
            for code, at, way in found.missed()
            for line in (code.instructions[at].line,)
        ]
        return len(found.ways()), missed, ""


def _text(tree: Tree, code: Code, line: int) -> str:
    lines = tree.read(code.file).decode("latin-1").splitlines()
    return lines[line - 1].strip() if line <= len(lines) else ""


def listed(arch: str, tree: str, ways: int, missed: Sequence[tuple[str, str, bool]]) -> str:
    """Return the part of the page about one machine."""
    head = f"{arch}, {tree}"
    lines = [head, "-" * len(head), "", f"{ways - len(missed)} of {ways} ways were gone."]
    if missed:
        lines.append("")
    for place, text, way in missed:
        lines.append(f"- {place}: never {'true' if way else 'false'}: ``{text}``")
    return "\n".join(lines) + "\n"


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure a tree, and show or write what came of it."""
    parser = argparse.ArgumentParser(
        prog="python -m tools.hook_coverage", description=(__doc__ or "").partition("\n")[0]
    )
    parser.add_argument("trees", nargs="+", type=Path, metavar="tree")
    parser.add_argument("--arch", action="append", choices=MACHINES, help="only this machine")
    parser.add_argument("--cache-dir", help="folder of the tree's cache")
    parser.add_argument("--write", action="store_true", help="make docs/hook_coverage.rst anew")
    args = parser.parse_args(arguments)
    parts = []
    for tree in args.trees:
        release = Tree.open(tree).release
        for arch in args.arch or MACHINES:
            ways, missed, refused = measured(tree, arch, library(), args.cache_dir)
            told = f"{arch}, {release}: {refused}\n"
            part = told if refused else listed(arch, release, ways, missed)
            sys.stdout.write(f"{part}\n")
            sys.stdout.flush()
            parts.append(part)
    if args.write:
        page = DOCUMENT.read_text(encoding="utf-8").partition(MADE)[0]
        DOCUMENT.write_text(page + MADE + "\n".join(parts), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
