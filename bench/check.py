# SPDX-License-Identifier: GPL-2.0-or-later
"""Times `lazymmu check` beside coccinelle: same tree, same number of jobs, one after the other.

    python bench/check.py TREE [--jobs 2] [--runs 3] [--write]

In each round every command runs once, each after the tree was read into the page cache; what is
printed are medians over the rounds. --write puts the table into bench/README.md. `lazymmu` must be
importable by the interpreter, or stand in src/ beside this directory.
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import measure

import tools

README = tools.HERE / "README.md"


def rounds(tree: Path, jobs: int, runs: int) -> dict[str, list[measure.Cost]]:
    """The costs of every command, round by round."""
    costs: dict[str, list[measure.Cost]] = {}
    with tempfile.TemporaryDirectory() as place:
        for number in range(runs):
            for name, command in _commands(tree, jobs, Path(place) / str(number)):
                measure.read_all(tree)
                cost = measure.run(command, tools.ENVIRONMENT)
                if cost.status not in {0, 1}:
                    sys.exit(f"{name} ended with {cost.status}: {' '.join(command)}")
                costs.setdefault(name, []).append(cost)
                print(f"round {number + 1}: {name}: {cost.wall:.1f} s", file=sys.stderr)
    return costs


def _commands(tree: Path, jobs: int, place: Path) -> Iterator[tuple[str, list[str]]]:
    if shutil.which("spatch"):
        yield "coccinelle", tools.coccinelle(tree, jobs)
    yield "x86, cold", tools.check(tree, place / "x86", jobs, "x86")
    yield "x86, warm", tools.check(tree, place / "x86", jobs, "x86")
    yield "all, cold", tools.check(tree, place / "all", jobs)
    yield "all, warm", tools.check(tree, place / "all", jobs)


LIMITS = (
    ("x86, cold", "coccinelle", 1.5),
    ("x86, warm", "coccinelle", 0.2),
    ("all, cold", "x86, cold", 2.0),
)
"""What a ratio may be at most."""

MEMORY_LIMIT = 700.0
"""MB at the peak, summed over processes."""


def table(costs: dict[str, list[measure.Cost]]) -> list[str]:
    """The measurements as a table, with what each run said."""
    lines = [
        "| run | wall s | processor s | peak MB (own + share) | peak MB (RSS) | reports |",
        "|---|---|---|---|---|---|",
    ]
    for name, runs in costs.items():

        def middle(field: str, runs: list[measure.Cost] = runs) -> float:
            return float(statistics.median(getattr(cost, field) for cost in runs))

        lines.append(
            f"| {name} | {middle('wall'):.1f} | {middle('processor'):.1f} | {middle('memory'):.0f} "
            f"| {middle('resident'):.0f} | {_reports(name, runs[-1].output)} |"
        )
    return lines


def _reports(name: str, output: str) -> int:
    if name == "coccinelle":
        return len(set(re.findall(r"^\S+:\d+: [\w-]+: .*$", output, re.M)))
    return len(json.loads(output)["findings"])


def ratios(costs: dict[str, list[measure.Cost]]) -> list[str]:
    """Each ratio that has a limit, and the memory."""
    lines = []
    for ours, theirs, limit in LIMITS:
        if ours in costs and theirs in costs:
            pairs = zip(costs[ours], costs[theirs], strict=True)
            ratio = statistics.median(mine.wall / other.wall for mine, other in pairs)
            verdict = "within" if ratio <= limit else "OVER"
            lines.append(f"- {ours} / {theirs}: {ratio:.2f} ({verdict} {limit})")
    peak = max(
        statistics.median(cost.memory for cost in runs)
        for name, runs in costs.items()
        if name != "coccinelle"
    )
    verdict = "within" if peak <= MEMORY_LIMIT else "OVER"
    lines.append(f"- peak memory over processes: {peak:.0f} MB ({verdict} {MEMORY_LIMIT:.0f})")
    return lines


def versions(tree: Path) -> str:
    """What was compared, in one line."""
    head = (tree / "Makefile").read_text()[:400]
    parts = re.findall(r"^(?:VERSION|PATCHLEVEL|SUBLEVEL) *= *(\d+)", head, re.M)
    ours = subprocess.run(
        [sys.executable, "-m", "lazymmu", "--version"],
        capture_output=True,
        text=True,
        check=False,
        env=tools.ENVIRONMENT,
    )
    line = f"Linux {'.'.join(parts)}, {ours.stdout.strip() or 'lazymmu'}"
    if shutil.which("spatch"):
        theirs = subprocess.run(
            ["spatch", "--version"], capture_output=True, text=True, check=False
        )
        line += ", " + " ".join(theirs.stdout.split()[:3])
    return line


def write(section: str, lines: list[str]) -> None:
    """Replace what stands between the two marks of a section in bench/README.md."""
    text = README.read_text()
    begin, end = f"<!-- {section} -->\n", f"<!-- end of {section} -->\n"
    before, found, rest = text.partition(begin)
    _, found_end, after = rest.partition(end)
    if not found or not found_end:
        sys.exit(f"bench/README.md has no marks for {section}")
    README.write_text(before + begin + "\n".join(["", *lines, "", ""]) + end + after)


def main() -> None:
    """Measure, print, and write if asked."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("tree", type=Path)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--write", action="store_true", help="put the table into bench/README.md")
    asked = parser.parse_args()
    where = f"{versions(asked.tree)}; {measure.machine()}; {asked.jobs} jobs, {asked.runs} rounds"
    costs = rounds(asked.tree, asked.jobs, asked.runs)
    lines = [f"{where}.", "", *table(costs), "", *ratios(costs)]
    print("\n".join(lines))
    if asked.write:
        write("times", lines)


if __name__ == "__main__":
    main()
