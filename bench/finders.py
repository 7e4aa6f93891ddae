# SPDX-License-Identifier: GPL-2.0-or-later
"""What lazymmu and coccinelle find, miss and falsely report on the same planted mistakes.

    python bench/finders.py TREE [--kind REGEX] [--functions N] [--write]

The mistakes are those of tests/mutations (docs/campaign.rst): several in each tree, each in another
function.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import measure
from check import versions, write

import tools

sys.path[:0] = [
    str(tools.HERE.parent / "tests" / "mutations"),
    str(tools.HERE.parent / "src"),
]

from mutants import batches, campaign, judge, overlay  # noqa: E402
from mutants.kinds import FAMILIES, family_of  # noqa: E402


def with_coccinelle(tree: Path, copied: Path, jobs: int) -> campaign.Look:
    """coccinelle looking at a copy of `tree`, into which what is changed is written for a while."""

    def look(changes: Mapping[str, bytes], _arches: Sequence[str]) -> Sequence[judge.Report]:
        for file, content in changes.items():
            overlay.replace(copied, file, content.decode("latin-1"))
        # Not the tree's whole path: spatch would print it, and the tool looks for reports of it.
        command = ["sh", "-c", 'cd "$1" && shift && exec "$@"', "sh", str(copied)]
        cost = measure.run([*command, *tools.coccinelle(Path(), jobs)])
        reports = judge.of_lines(cost.output, copied)
        for file in changes:
            overlay.restore(copied, tree, file)
        return reports

    return look


def compared(tree: Path, wanted: campaign.Drawn, jobs: int, place: Path) -> dict[str, judge.Score]:
    """Both tools on the same planted changes."""
    copied = overlay.copy(tree, place / "linux")
    looks = {
        "lazymmu": campaign.with_lazymmu(copied, place / "cache"),
        "coccinelle": with_coccinelle(tree, copied, jobs),
    }
    found = batches.sections(copied)
    arches = sorted({section.in_arch or "x86" for section in found} | {"powerpc"})
    plain = looks["coccinelle"]({}, ())  # it sees all architectures at once
    before = {
        "lazymmu": {(arch,): looks["lazymmu"]({}, (arch,)) for arch in arches},
        "coccinelle": dict.fromkeys(((arch,) for arch in arches), plain),
    }
    every = [report for reports in before["lazymmu"].values() for report in reports]
    chosen = campaign.planned(found, wanted, judge.broken(every))
    return {
        name: campaign.over(
            copied,
            look,
            chosen,
            before[name],
            alone=False,
            tell=lambda text, name=name: print(f"{name}: {text}", file=sys.stderr, flush=True),
        )
        for name, look in looks.items()
    }


def table(scores: dict[str, judge.Score]) -> list[str]:
    """Family by family, and kind by kind, what each tool told of how many."""
    tables = {name: score.table() for name, score in scores.items()}
    ours = next(iter(tables.values()))
    lines = [
        "| what is planted | times | " + " | ".join(scores) + " |",
        "|---|---|" + "---|" * len(scores),
    ]
    for family in FAMILIES:
        kinds = [kind for kind in ours if family_of(kind) == family]
        if not kinds:
            continue
        total = sum(ours[kind][1] for kind in kinds)
        told = (sum(each[kind][0] for kind in kinds) for each in tables.values())
        lines.append(f"| **{family}** | **{total}** | {' | '.join(f'**{n}**' for n in told)} |")
        for kind in kinds:
            told = (each[kind][0] for each in tables.values())
            lines.append(f"| {_plain(kind)} | {ours[kind][1]} | {' | '.join(map(str, told))} |")
    false = (str(len(score.false)) for score in scores.values())
    lines.append(f"| **reports about nothing planted** | | {' | '.join(false)} |")
    return lines


def _plain(kind: str) -> str:
    return kind.removeprefix("right: ").replace("|", r"\|").replace("_", r"\_")


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
    parser.add_argument("--functions", type=int, default=1, help="in how many, for each kind")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--write", action="store_true", help="put the table into bench/README.md")
    asked = parser.parse_args()
    wanted = campaign.Drawn(asked.kind, asked.seed, asked.functions)
    with tempfile.TemporaryDirectory() as kept:
        scores = compared(asked.tree, wanted, asked.jobs, Path(kept))
    lines = [f"{versions(asked.tree)}.", "", *table(scores), "", *only(scores)]
    print("\n".join(lines))
    if asked.write:
        examples = (tools.HERE.parent / "examples").resolve()
        example = asked.tree.resolve().is_relative_to(examples)
        write("finders" if example else "finders-kernel", lines)


if __name__ == "__main__":
    main()
