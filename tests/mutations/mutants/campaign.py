# SPDX-License-Identifier: GPL-2.0-or-later
"""Plants every mistake in a tree and has a tool look for them.

As a program, with lazymmu: ``python tests/mutations/mutants/campaign.py --help``. It prints what
was caught of each kind of mistake, each miss, and each finding about no mistake.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

if __package__ in {None, ""}:  # run as a program
    sys.path.insert(0, str(Path(__file__).parents[1]))

import lazymmu
from mutants import batches, judge, overlay

Tool = Callable[[Path], Sequence[judge.Report]]


ARCHES = ("x86", "powerpc", "arm64")
"""Those that have sections of their own, and one whose sections are all generic code's."""


def with_lazymmu(cache: Path) -> Tool:
    """lazymmu as a tool; what it learns of unchanged files is kept in `cache`."""

    def look(tree: Path) -> list[judge.Report]:
        have = [arch for arch in ARCHES if arch != "arm64" or _arm64_has_it(tree)]
        return judge.of_findings(lazymmu.check(tree, arches=have, cache_dir=cache).findings)

    return look


def _arm64_has_it(tree: Path) -> bool:
    """Whether arm64 has the mode: since v6.16 its hooks are in its pgtable.h."""
    header = tree / "arch/arm64/include/asm/pgtable.h"
    return "arch_enter_lazy_mmu_mode" in header.read_text(errors="replace")


def run(
    tree: Path,
    tools: dict[str, Tool],
    *,
    kind: str = "",
    trees: slice = slice(None),
    tell: Callable[[str], object] = lambda _: None,
) -> dict[str, judge.Score]:
    """Judge each of `tools` on mistakes in one tree.

    kind: a regular expression for the kinds that are planted; trees: which of the mutant trees.
    """
    scores = {name: judge.Score() for name in tools}
    with tempfile.TemporaryDirectory() as place:
        target = overlay.copy(tree, Path(place) / "linux")
        before = {name: tool(target) for name, tool in tools.items()}
        chosen = batches.batches(tree, kind)[trees]
        for number, batch in enumerate(chosen, start=1):
            planted, changed = batches.plant(tree, target, batch)
            for name, tool in tools.items():
                scores[name].add(planted, tool(target), before[name])
                done = scores[name]
                tell(
                    f"{number} of {len(chosen)} trees, {name}: "
                    f"{len(done.caught)} caught, {len(done.missed)} missed"
                )
            for file in changed:
                overlay.restore(target, tree, file)
    return scores


def lines(score: judge.Score) -> list[str]:
    """What is printed of a score: a table of kinds, each miss, each false report."""
    table = score.table()
    width = max(map(len, table), default=0)
    total = len(score.caught) + len(score.missed)
    return [
        *(f"{kind:{width}} {caught:3} of {of:3}" for kind, (caught, of) in table.items()),
        f"{'all mistakes':{width}} {len(score.caught):3} of {total:3}",
        *(f"missed: {mutant.name}" for mutant in score.missed),
        *(f"alarm: {mutant.name}" for mutant in score.alarms),
        *(f"false: {r.file}:{r.line}: {'+'.join(sorted(r.rules))}" for r in score.false),
    ]


def main() -> None:
    """Run the program."""
    parser = argparse.ArgumentParser(description="Plant mistakes in a kernel tree, and look.")
    parser.add_argument("tree", type=Path)
    parser.add_argument("--kind", default="", help="regular expression: the mistakes to plant")
    parser.add_argument("--first", type=int, default=0, help="first of the mutant trees")
    parser.add_argument("--last", type=int, default=None, help="the one after the last")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as kept:
        result = run(
            asked.tree,
            {"lazymmu": with_lazymmu(Path(kept))},
            kind=asked.kind,
            trees=slice(asked.first, asked.last),
            tell=lambda text: sys.stderr.write(f"{text}\n"),
        )
    sys.stdout.write("\n".join([*lines(result["lazymmu"]), ""]))


if __name__ == "__main__":
    main()
