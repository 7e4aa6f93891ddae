# SPDX-License-Identifier: GPL-2.0-or-later
"""What lazymmu and coccinelle find, miss and falsely report on the same planted mistakes.

    python bench/finders.py TREE [--kind REGEX] [--write]

The mistakes are those of tests/mutations: one in each function with a section per mutant tree.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

import measure
from check import versions, write

import tools

sys.path[:0] = [
    str(tools.HERE.parent / "tests" / "mutations"),
    str(tools.HERE.parent / "src"),
]

from mutants import campaign, judge  # noqa: E402


def with_coccinelle(jobs: int) -> campaign.Tool:
    """coccinelle as a tool."""

    def look(tree: Path) -> list[judge.Report]:
        # Not the tree's whole path: spatch would print it, and the tool looks for reports of it.
        command = ["sh", "-c", 'cd "$1" && shift && exec "$@"', "sh", str(tree)]
        cost = measure.run([*command, *tools.coccinelle(Path(), jobs)])
        return judge.of_lines(cost.output, tree)

    return look


def table(scores: dict[str, judge.Score]) -> list[str]:
    """Kind by kind, what each tool caught of how many."""
    tables = {name: score.table() for name, score in scores.items()}
    lines = [
        "| what is planted | times | " + " | ".join(scores) + " |",
        "|---|---|" + "---|" * len(scores),
    ]
    kinds = sorted({kind for each in tables.values() for kind in each})
    # Correct code last: there a report is a false alarm.
    for kind in sorted(kinds, key=lambda kind: (kind.startswith("innocent"), kind)):
        of = next(iter(tables.values()))[kind][1]
        caught = " | ".join(str(each[kind][0]) for each in tables.values())
        lines.append(f"| {kind} | {of} | {caught} |")
    total = [str(len(score.caught)) for score in scores.values()]
    first = next(iter(scores.values()))
    planted = len(first.caught) + len(first.missed)
    lines.append(f"| **all mistakes** | {planted} | {' | '.join(total)} |")
    false = [str(len(score.false)) for score in scores.values()]
    lines.append(f"| reports about no mistake | | {' | '.join(false)} |")
    return lines


def only(scores: dict[str, judge.Score]) -> list[str]:
    """What the other tool found and lazymmu did not: this must be empty."""
    ours = {mutant.name for mutant in scores["lazymmu"].missed}
    theirs = {m.name for name, s in scores.items() if name != "lazymmu" for m in s.caught}
    both = sorted(ours & theirs)
    if not both:
        return ["Every mistake that coccinelle found, lazymmu found."]
    return ["Found by coccinelle and missed by lazymmu:", "", *(f"- {name}" for name in both)]


def main() -> None:
    """Plant, look, print, and write if asked."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("tree", type=Path)
    parser.add_argument("--kind", default="")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--write", action="store_true", help="put the table into bench/README.md")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as kept:
        scores = campaign.run(
            asked.tree,
            {
                "lazymmu": campaign.with_lazymmu(Path(kept)),
                "coccinelle": with_coccinelle(asked.jobs),
            },
            kind=asked.kind,
            tell=lambda text: print(text, file=sys.stderr, flush=True),
        )
    lines = [f"{versions(asked.tree)}.", "", *table(scores), "", *only(scores)]
    print("\n".join(lines))
    if asked.write:
        write("finders", lines)


if __name__ == "__main__":
    main()
