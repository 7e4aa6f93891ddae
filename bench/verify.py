# SPDX-License-Identifier: GPL-2.0-or-later
"""Measures what somebody waits for who asks a machine: from process start to the verdict.

    python bench/verify.py [--rounds 3] [--jobs 2] [--every 1] [--write]

First counterexamples: for each bug of the corpus that a shipped scenario witnesses, one run that is
violated, alone. The default matrix. Every shipped scenario (or with --every each n-th) beside Spin:
its first default run, against spin, gcc and pan on the same model; printing that model is not
counted, though nobody has it without us. And a search of ten million states with its memory. Our
byte code is compiled beforehand, as it is where lazymmu is installed.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import measure
from check import write

HERE = Path(__file__).resolve()
ROOT = HERE.parents[1]
sys.path.insert(0, str(ROOT / "src"))

from lazymmu.explore import promela, search  # noqa: E402
from lazymmu.litmus.run import Run, library, runs  # noqa: E402
from lazymmu.litmus.scenario import ExpectedOutcome  # noqa: E402
from lazymmu.litmus.to_config import to_query  # noqa: E402
from lazymmu.witness.machine.product_model import ProductModel  # noqa: E402

FIRST = 1.0
MATRIX = 30.0
MANY = 10_000_000
MEMORY = 1000.0
"""What was set as the goal: seconds to a first counterexample, seconds for the default matrix on
two jobs, MB for ten million states."""

LARGE = HERE.with_name("large.litmus")
"""A scenario of more than ten million states, on one implementation."""


@dataclass(frozen=True, slots=True)
class Timed:
    """Of some rounds the fewest seconds by the clock and of the processor, and the most MB.

    The fewest, because other work on the machine only ever adds some.
    """

    wall: float
    processor: float
    memory: float
    output: str


def lazymmu(arguments: list[str], rounds: int, cache: Path) -> Timed:
    """Run lazymmu so many times."""
    command = [sys.executable, "-m", "lazymmu", *arguments]
    env = {
        "PYTHONPATH": str(ROOT / "src"),
        "PYTHONPYCACHEPREFIX": str(cache),
        "PYTHONDONTWRITEBYTECODE": "",
    }
    costs = [measure.run(command, env) for _ in range(rounds)]
    if any(cost.status not in (0, 1, 3) for cost in costs):
        sys.exit(f"{' '.join(command)}: failed")
    return Timed(
        min(cost.wall for cost in costs),
        min(cost.processor for cost in costs),
        max(cost.memory for cost in costs),
        costs[-1].output,
    )


def selection(run: Run) -> list[str]:
    """The options that choose one run."""
    return ["verify", "--scenario", run.scenario.name, "--arch", run.arch, "--release", run.release]


def witnesses() -> dict[str, Run]:
    """For each bug of the corpus a run that is expected to show it."""
    found: dict[str, Run] = {}
    for run in runs(library()):
        expected = run.scenario.expected(run.arch, run.feature, run.release)
        if expected is not None and expected.outcome is ExpectedOutcome.VIOLATED:
            for bug in run.scenario.bugs:
                found.setdefault(bug, run)
    return dict(sorted(found.items()))


def counterexamples(rounds: int, cache: Path) -> list[str]:
    """A table of bugs and seconds."""
    rows, slowest = [], 0.0
    for bug, run in witnesses().items():
        cost = lazymmu([*selection(run), "--jobs", "1"], rounds, cache)
        slowest = max(slowest, cost.wall)
        if "violated" not in cost.output:
            sys.exit(f"{bug}: {run.scenario.name} is not violated")
        rows.append(
            f"| {bug} | {run.scenario.name} | {run.arch} {run.release} "
            f"| {cost.wall:.2f} | {cost.processor:.2f} |"
        )
    return [
        "| bug | scenario | on | wall s | processor s |",
        "|---|---|---|---|---|",
        *rows,
        "",
        f"- slowest first counterexample: {slowest:.2f} s ({_goal(slowest, FIRST)})",
    ]


def matrix(rounds: int, jobs: int, cache: Path) -> str:
    """A line about the default matrix."""
    cost = lazymmu(["verify", "--format", "json", "--jobs", str(jobs)], rounds, cache)
    results = json.loads(cost.output)["results"]
    states = sum(result["states"] for result in results)
    return (
        f"- the default matrix: {len(results)} runs, {states:,} states, {jobs} jobs: "
        f"{cost.wall:.1f} s, {cost.processor:.1f} s of processor, {cost.memory:.0f} MB "
        f"({_goal(cost.wall, MATRIX)})"
    )


def spin(run: Run, rounds: int) -> tuple[int, float]:
    """States, and the fewest seconds of spin, gcc and pan, at the better of two compiler levels."""
    model = ProductModel(to_query(run.scenario, run.arch, run.release))
    text = promela.export(model)
    states = search(model).states
    best = []
    with tempfile.TemporaryDirectory() as where:
        for quick in (True, False):
            seconds = []
            for _ in range(rounds):
                start = time.perf_counter()
                found, _ = promela.run_spin(promela.compile_spin(text, Path(where), quick=quick))
                seconds.append(time.perf_counter() - start)
                if found != states:
                    sys.exit(f"{run.scenario.name}: Spin counts {found} states, not {states}")
            best.append(min(seconds))
    return states, min(best)


def beside_spin(rounds: int, every: int, cache: Path) -> list[str]:
    """A table of scenarios: Spin's seconds and ours."""
    firsts: dict[str, Run] = {}
    for run in runs(one for one in library() if one.machine.size == "small"):
        expected = run.scenario.expected(run.arch, run.feature, run.release)
        if expected is None or expected.outcome is not ExpectedOutcome.NOT_APPLICABLE:
            firsts.setdefault(run.scenario.name, run)
    rows, ratios, behind = [], [], []
    for run in list(firsts.values())[::every]:
        states, theirs = spin(run, rounds)
        ours = lazymmu([*selection(run), "--jobs", "1"], rounds, cache).wall
        ratios.append(theirs / ours)
        if ours > theirs:
            behind.append(run.scenario.name)
        rows.append(
            f"| {run.scenario.name} | {run.feature} | {states:,} | {theirs:.2f} | {ours:.2f} "
            f"| {theirs / ours:.1f} |"
        )
    return [
        "| scenario | on | states | spin, gcc and pan, s | lazymmu, s | times faster |",
        "|---|---|---|---|---|---|",
        *rows,
        "",
        f"- of {len(firsts)} shipped scenarios {len(rows)} are measured, ahead in "
        f"{len(rows) - len(behind)}: {min(ratios):.1f} to {max(ratios):.1f} times as fast, "
        f"{statistics.median(ratios):.1f} in the middle"
        + (f"; BEHIND in {', '.join(behind)}" if behind else ""),
    ]


def large(cache: Path) -> str:
    """A line about ten million states."""
    on = ["--arch", "x86-native", "--release", "7.3.4"]
    cost = lazymmu(["litmus", str(LARGE), *on, "--format", "json", "--jobs", "1"], 1, cache)
    result = json.loads(cost.output)["results"][0]
    if result["states"] < MANY:
        sys.exit(f"{LARGE.name} has {result['states']} states and should have {MANY}")
    return (
        f"- `lazymmu litmus {LARGE.name}`: {result['states']:,} states, "
        f"{result['transitions']:,} transitions in {cost.wall:.0f} s, {cost.memory:.0f} MB at the "
        f"peak ({_goal(cost.memory, MEMORY)})"
    )


def _goal(found: float, goal: float) -> str:
    return f"within {goal:g}" if found <= goal else f"OVER {goal:g}"


def main() -> None:
    """Measure, print, and write if asked."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--every", type=int, default=1, help="every so many of the scenarios")
    parser.add_argument("--write", action="store_true", help="put the tables into bench/README.md")
    asked = parser.parse_args()
    if missing := promela.missing_tools():
        sys.exit(f"not installed: {', '.join(missing)}")
    lines = [
        f"Python {sys.version.split()[0]}; {measure.machine()}; fewest of {asked.rounds} rounds.",
        "",
    ]
    with tempfile.TemporaryDirectory() as where:
        cache = Path(where)
        lazymmu(
            ["verify", "--scenario", "sparc-stuck-active"], 1, cache
        )  # compiles what is imported
        lines += counterexamples(asked.rounds, cache)
        lines.append(matrix(asked.rounds, asked.jobs, cache))
        lines.append(large(cache))
        lines += ["", *beside_spin(asked.rounds, asked.every, cache)]
    print("\n".join(lines))
    if asked.write:
        write("verify", lines)


if __name__ == "__main__":
    main()
