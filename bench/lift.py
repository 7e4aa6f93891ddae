# SPDX-License-Identifier: GPL-2.0-or-later
"""Measures what machines of a tree's own C cost, beside those that were written by hand.

    python bench/lift.py TREE [--release 7.3.4] [--rounds 3] [--write]

For each architecture that can be lifted: view and lift (and the scenario with the fewest states),
all scenarios on the tree, all on the release by hand; processor time, user and system, of whole
processes, in turns, so that other work on the machine counts for all alike. The store is filled
before. And how well `--max-memory` is kept: the peak of a search that it ends, over that of one of
100,000 states.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path

import measure
from check import versions, write
from verify import LARGE, Timed, lazymmu

from lazymmu.lift.tree import MACHINES
from lazymmu.litmus.run import library, runs, verify
from lazymmu.witness.machine.verdict import SearchOutcome

LIFT, TIMES, OVER = 2.0, 2.0, 1.1
"""What was set as the goal: seconds of view and lift; times the seconds by hand; parts of the
memory that a search was given."""

LIMITS = (256, 384, 512)


def table(tree: Path, release: str, rounds: int, cache: Path) -> list[str]:
    """A row for each architecture, and whether the goals are met."""
    rows, missed = [], []
    store = ["--cache-dir", str(cache / "store")]
    for arch in MACHINES:
        on = ["--arch", arch, "--jobs", "1"]
        of_tree = ["verify", "--tree", str(tree), *on, *store]
        none = [*of_tree, "--scenario", _least(arch, release)]
        by_hand = ["verify", "--release", release, "--all", *on]
        lazymmu(none, 1, cache)
        found: list[list[Timed]] = [[], [], []]
        for _ in range(rounds):
            for one, command in zip(found, (none, of_tree, by_hand), strict=True):
                one.append(lazymmu(command, 1, cache))
        lift, all_, hand = (min(cost.processor for cost in one) for one in found)
        times = all_ / hand
        rows.append(
            f"| {arch} | {lift:.2f} | {all_:.2f} | {hand:.2f} | {times:.2f} "
            f"| {max(cost.memory for cost in found[1]):.0f} |"
        )
        missed += [f"{arch}: {lift:.2f} s of view and lift"] if lift > LIFT else []
        missed += [f"{arch}: {times:.2f} times by hand"] if times > TIMES else []
    goal = f"{LIFT:g} s and {TIMES:g} times asked for"
    return [
        "| machine | view and lift, s | all scenarios, s | by hand, s | times | MB |",
        "|---|---|---|---|---|---|",
        *rows,
        "",
        f"- {goal}: {'MISSED: ' + '; '.join(missed) if missed else 'met'}",
    ]


def _least(arch: str, release: str) -> str:
    """The scenario with the fewest states there."""
    chosen = runs(library(), arches={arch}, releases={release}, everything=True)
    made = [(verify(run), run.scenario.name) for run in chosen]
    return min(
        (verdict.states, name)
        for verdict, name in made
        if verdict.verdict is not SearchOutcome.NOT_APPLICABLE
    )[1]


def memory(cache: Path) -> list[str]:
    """Lines about --max-memory."""
    command = ["litmus", str(LARGE), "--arch", "x86-native", "--release", "7.3.4", "--jobs", "1"]

    def peak(*limits: str) -> tuple[float, int]:
        cost = lazymmu([*command, *limits, "--format", "json"], 1, cache)
        return cost.memory, json.loads(cost.output)["results"][0]["states"]

    least, _ = peak("--max-states", "100000")
    lines = []
    for limit in LIMITS:
        most, states = peak("--max-memory", str(limit))
        part = (most - least) * 1e6 / (limit << 20)
        kept = "within" if part <= OVER else "OVER"
        lines.append(
            f"- `--max-memory {limit}`: {states:,} states, {most - least:.0f} MB more than a "
            f"search of 100,000 states has, {part:.2f} of what it may ({kept} {OVER:g})"
        )
    return lines


def main() -> None:
    """Measure, print, and write if asked."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("tree", type=Path)
    parser.add_argument("--release", default="7.3.4", help="the same by hand")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--write", action="store_true", help="put the table into bench/README.md")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as where:
        cache = Path(where)
        lines = [
            f"{versions(asked.tree)}; {measure.machine()}; least of {asked.rounds} rounds.",
            "",
            *table(asked.tree, asked.release, asked.rounds, cache),
            *memory(cache),
        ]
    print("\n".join(lines))
    if asked.write:
        write("lift", lines)


if __name__ == "__main__":
    sys.exit(main())
