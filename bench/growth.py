# SPDX-License-Identifier: GPL-2.0-or-later
"""Shows that the cost of a check grows with what sections reach, and not with the tree.

    python bench/growth.py TREE [--runs 3] [--write]

One tree is checked whole, without the C of drivers, sound, net and other architectures (which no
section reaches), and with the mode's calls taken out of some of the functions with sections.
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import statistics
import sys
import tempfile
from pathlib import Path

import measure
from check import versions, write

import tools

sys.path[:0] = [str(tools.HERE.parent / "tests" / "mutations")]

from mutants import overlay, scan  # noqa: E402

SHARES = (1.0, 0.5, 0.25)


def quieten(tree: Path, target: Path, keep: float) -> None:
    """Take the mode's calls out of functions with sections until a share of them is left."""
    found = sorted(scan.sections(tree), key=lambda f: (f.file, f.head))
    gone: dict[str, list[int]] = {}
    for number, function in enumerate(found):
        if (number + 1) * keep % 1 >= keep:
            gone.setdefault(function.file, []).extend(function.begins + function.leaves)
    for file, numbers in gone.items():
        lines = (tree / file).read_text(encoding="latin-1").split("\n")
        for number in numbers:
            lines[number - 1] = re.sub(r"\S.*", ";", lines[number - 1])
        overlay.replace(target, file, "\n".join(lines))


def row(name: str, tree: Path, runs: int) -> str:
    """One measurement: files of C, sections, functions read, seconds."""
    walls, output = [], ""
    for _ in range(runs):
        with tempfile.TemporaryDirectory() as cache:
            measure.read_all(tree)
            cost = measure.run(tools.check(tree, Path(cache), 2, "x86"), tools.ENVIRONMENT)
        walls.append(cost.wall)
        output = cost.output
    coverage = json.loads(output)["coverage"]
    files = sum(1 for path in tree.rglob("*.[ch]"))
    return (
        f"| {name} | {files} | {coverage['sections']} | {coverage['functions_parsed']} "
        f"| {statistics.median(walls):.1f} |"
    )


def main() -> None:
    """Measure, print, and write if asked."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("tree", type=Path)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--write", action="store_true", help="put the table into bench/README.md")
    asked = parser.parse_args()
    lines = [
        f"{versions(asked.tree)}; x86, cold, {asked.runs} runs.",
        "",
        "| tree | C files | sections | functions read | wall s |",
        "|---|---|---|---|---|",
        row("whole", asked.tree, asked.runs),
    ]
    with tempfile.TemporaryDirectory() as place:
        for share in SHARES:
            target = overlay.copy(asked.tree, Path(place) / "linux")
            if share < 1:
                quieten(asked.tree, target, share)
            name = "without drivers and other architectures"
            if share < 1:
                name += f", sections in {share:.0%} of the functions"
            lines.append(row(name, target, asked.runs))
            shutil.rmtree(target)
    print("\n".join(lines))
    if asked.write:
        write("growth", lines)


if __name__ == "__main__":
    main()
