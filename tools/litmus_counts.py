# SPDX-License-Identifier: GPL-2.0-or-later
"""Makes the file that says how large each run of the shipped scenarios is.

``python -m tools.litmus_counts --write`` runs every expected run of every small scenario, and
notes its states, its transitions, and the shortest way to break each rule.  Whoever changes a
machine sees by the difference what became larger, longer or possible.
"""

from __future__ import annotations

import argparse
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from lazymmu.litmus.run import RunLimits, library, runs, verify

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from lazymmu.explore import Engine
    from lazymmu.litmus.run import Run
    from lazymmu.witness.machine.verdict import Verdict

__all__ = ["FILE", "Count", "count", "counted", "key", "main", "measure", "read", "render"]

FILE: Final = Path(__file__).parents[1] / "tests" / "litmus" / "counts.toml"

_HEAD: Final = """\
# SPDX-License-Identifier: GPL-2.0-or-later
#
# How large each run is: states and transitions of the whole search, and for each rule that can be
# broken the preemptions and steps of the shortest way.
#
# Made by `python -m tools.litmus_counts --write`; do not edit.
"""

Key = tuple[str, str, str]
"""A run: scenario, architecture, release."""


@dataclass(frozen=True, slots=True)
class Count:
    """What one search came to.

    verdict: one of `witness.verdict.Answer`; broken: (rule, preemptions, steps) of the shortest
    way to break each, in the order of verdicts.
    """

    verdict: str
    states: int
    transitions: int
    broken: tuple[tuple[str, int, int], ...] = ()


def key(run: Run) -> Key:
    """What names a run in the file."""
    return run.scenario.name, run.arch, run.release


def counted() -> list[Run]:
    """The runs that the file is about: all that a small scenario expects something of."""
    return runs(scenario for scenario in library() if scenario.machine.size == "small")


def count(verdict: Verdict) -> Count:
    """The counts of a verdict; of several ways to break a rule, the first."""
    broken: dict[str, tuple[int, int]] = {}
    for one in verdict.violations:
        broken.setdefault(one.rule, (one.preemptions, one.steps))
    return Count(
        str(verdict.verdict),
        verdict.states,
        verdict.transitions,
        tuple((rule, *way) for rule, way in broken.items()),
    )


def measure(chosen: Iterable[Run], engine: Engine = "auto") -> dict[Key, Count]:
    """Make the runs."""
    limits = RunLimits(engine=engine)
    return {key(run): count(verify(run, limits)) for run in chosen}


def render(counts: Mapping[Key, Count]) -> str:
    """The data file, a line for each run; `read()` reads it."""
    lines = [_HEAD]
    before = ""
    for (scenario, arch, release), one in counts.items():
        if scenario != before:
            before = scenario
            lines.append(f"\n[{scenario}]\n")
        broken = ", ".join(f'["{rule}", {cost}, {steps}]' for rule, cost, steps in one.broken)
        lines.append(
            f'"{arch} {release}" = {{ verdict = "{one.verdict}", states = {one.states}, '
            f"transitions = {one.transitions}, broken = [{broken}] }}\n"
        )
    return "".join(lines)


def read(text: str) -> dict[Key, Count]:
    """The counts that `render()` wrote."""
    found = {}
    for scenario, lines in tomllib.loads(text).items():
        for on, one in lines.items():
            arch, release = on.split()
            broken = tuple((rule, cost, steps) for rule, cost, steps in one["broken"])
            found[scenario, arch, release] = Count(
                one["verdict"], one["states"], one["transitions"], broken
            )
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    """Count, and write the file or say what differs from it; 1 if something does."""
    parser = argparse.ArgumentParser(
        prog="python -m tools.litmus_counts", description=(__doc__ or "").partition("\n")[0]
    )
    parser.add_argument("--write", action="store_true", help=f"write {FILE.name} anew")
    parser.add_argument(
        "--engine", default="auto", choices=("auto", "python", "numpy", "numba"), help="who counts"
    )
    args = parser.parse_args(arguments)
    found = measure(counted(), args.engine)
    if args.write:
        FILE.write_text(render(found), encoding="utf-8")
        return 0
    known = read(FILE.read_text(encoding="utf-8"))
    differing = [one for one in {**known, **found} if known.get(one) != found.get(one)]
    for one in differing:
        sys.stdout.write(f"{' '.join(one)}: {known.get(one)} in the file, {found.get(one)} now\n")
    return 1 if differing else 0


if __name__ == "__main__":
    sys.exit(main())
