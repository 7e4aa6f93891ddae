# SPDX-License-Identifier: GPL-2.0-or-later
"""Measures the search of states beside Spin's, on the same models with the same counts.

    python bench/explore.py [--rounds 3] [--write]

Spin gets each model as `explore.promela` prints it, which is how it gets along best with them: one
process, one deterministic step for each action. It searches breadth first, as we do, because only
that finds the shortest way to a mistake. All run once in turn, for so many rounds. Rates are states
per second of processor time, which other work on the machine disturbs less than the clock; the
search is meant, without the start of Python and without Spin's compiler. Both are in the second
table, from the start of the first process to the last state; there Spin's program is compiled with
-O2 or with -O0, whichever makes the whole faster.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import measure
from check import write

HERE = Path(__file__).resolve()
ROOT = HERE.parents[1]
sys.path[:0] = [str(ROOT / "src"), str(ROOT / "tests")]

from explore.models import Batch, Philosophers  # noqa: E402
from lazymmu.explore import promela, search  # noqa: E402

MODELS = {
    "2 workers, 3 entries": Batch(2, 3),
    "3 workers, 2 entries": Batch(3, 2),
    "3 workers, 3 entries": Batch(3, 3),
    "12 philosophers": Philosophers(12),
}
"""By name; those of the batch are of the shape that this project looks at."""

MANY = 10_000_000
LARGE = Batch(3, 4)

ENGINES = ["numpy", "numba"] if find_spec("numba") else ["numpy"]
FLAGS = " ".join(("spin -o2 -a;", "gcc", *promela.FLAGS))


@dataclass(frozen=True, slots=True)
class Run:
    """States, transitions, processor seconds of the search, and what the process cost."""

    states: int
    transitions: int
    seconds: float
    cost: measure.Cost


def one(engine: str, name: str, most: int | None) -> None:
    """Search one model in this process, and print what came of it."""
    model = MODELS.get(name, LARGE)
    search(Philosophers(2), engine=engine)  # loads what the engine is made of
    before = time.process_time()
    result = search(model, engine=engine, max_states=most)  # type: ignore[arg-type]
    seconds = time.process_time() - before
    print(json.dumps([result.states, result.transitions, seconds]))


def ours(engine: str, name: str, most: int | None = None) -> Run:
    """Search a model in a process of its own."""
    command = [sys.executable, str(HERE), "--one", engine, "--model", name]
    cost = measure.run([*command, "--most", str(most)] if most else command)
    states, transitions, seconds = json.loads(cost.output)
    return Run(states, transitions, seconds, cost)


def spin(program: Path, states: int) -> Run:
    """Run Spin's search, with a table for so many states."""
    cost = measure.run([str(program), f"-w{max(20, (2 * states).bit_length())}"])
    found, transitions = promela.counts(cost.output)
    return Run(found, transitions, cost.processor, cost)


def row(name: str, rounds: int) -> tuple[str, str]:
    """The rows of a model in both tables."""
    model: Any = MODELS[name]
    first = search(model, engine="numpy")
    runs: dict[str, list[Run]] = {engine: [] for engine in ("spin", *ENGINES, "auto")}
    with tempfile.TemporaryDirectory() as where:
        text = promela.export(model)
        builds, quick = [], []
        for _ in range(rounds):
            start = time.perf_counter()
            program = promela.compile_spin(text, Path(where), quick=True)
            spin(program, first.states)
            quick.append(time.perf_counter() - start)
            start = time.perf_counter()
            program = promela.compile_spin(text, Path(where))
            builds.append(time.perf_counter() - start)
            runs["spin"].append(spin(program, first.states))
            for engine in (*ENGINES, "auto"):
                runs[engine].append(ours(engine, name))
    counts = {(run.states, run.transitions) for some in runs.values() for run in some}
    if counts != {(first.states, first.transitions)}:
        sys.exit(f"{name}: the counts differ: {sorted(counts)}")

    def rate(engine: str) -> float:
        return first.states / statistics.median(run.seconds for run in runs[engine])

    def memory(engine: str) -> float:
        return max(run.cost.memory for run in runs[engine])

    speeds = " | ".join(
        f"{rate(engine) / 1e6:.2f} M ({rate(engine) / rate('spin'):.1f})" for engine in ENGINES
    )
    sizes = " | ".join(f"{memory(engine):.0f}" for engine in ("spin", *ENGINES))
    slow = (build + run.cost.wall for build, run in zip(builds, runs["spin"], strict=True))
    whole = min(statistics.median(slow), statistics.median(quick))
    mine = statistics.median(run.cost.wall for run in runs["auto"])
    return (
        f"| {name} | {first.states:,} | {first.transitions:,} | {rate('spin') / 1e6:.2f} M "
        f"| {speeds} | {sizes} |",
        f"| {name} | {whole:.2f} | {mine:.2f} | {whole / mine:.1f} |",
    )


def main() -> None:
    """Measure, print, and write if asked."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--write", action="store_true", help="put the tables into bench/README.md")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    parser.add_argument("--model", default="", help=argparse.SUPPRESS)
    parser.add_argument("--most", type=int, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.one:
        one(asked.one, asked.model, asked.most)
        return
    if missing := promela.missing_tools():
        sys.exit(f"not installed: {', '.join(missing)}")
    machine = measure.machine()
    for engine in ENGINES:  # compiled code is in its cache then, as it is after the first use
        ours(engine, "2 workers, 3 entries")
    rows = [row(name, asked.rounds) for name in MODELS]
    large = [(engine, ours(engine, "", MANY)) for engine in ENGINES]
    names = " | ".join(f"{engine} (times Spin)" for engine in ENGINES)
    sizes = " | ".join(f"MB {engine}" for engine in ("Spin", *ENGINES))
    lines = [
        f"{machine}; `{FLAGS}`; median of {asked.rounds} rounds; all counts are the same.",
        "",
        f"| model | states | transitions | Spin, states/s | {names} | {sizes} |",
        "|---" * (4 + len(ENGINES) + 1 + len(ENGINES)) + "|",
        *(speed for speed, _ in rows),
        "",
        "| model | spin, gcc and search, s | lazymmu, s | times faster |",
        "|---|---|---|---|",
        *(start for _, start in rows),
        "",
        *(
            f"- {run.states:,} states with {engine}: {run.cost.memory:.0f} MB at the peak,"
            f" {run.states / run.seconds / 1e6:.2f} M states/s"
            for engine, run in large
        ),
    ]
    print("\n".join(lines))
    if asked.write:
        write("explore", lines)


if __name__ == "__main__":
    main()
