# SPDX-License-Identifier: GPL-2.0-or-later
"""Which branches of a tree's hooks no scenario goes, of those that are lifted.

``python -m tools.hook_coverage TREE... [--arch NAME]`` runs every scenario on each machine that can
be lifted, with each access as a step, and prints the conditions of lifted C that were never true,
or never false, in any interleaving. Where a static key may be either there is a machine for each of
its values, and a list. ``--write`` makes the lists of docs/hook_coverage.rst anew.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from lazymmu.kernelc.ir.nodes import spell
from lazymmu.lift.tree import MACHINES
from lazymmu.litmus.run import Run, library, verify
from lazymmu.verbs import reading
from tools.lifted_machines import called, machines

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from lazymmu.litmus.scenario import Scenario
    from lazymmu.witness.source.check import Where
    from tools.lifted_machines import MeasuredMachine

__all__ = ["DOCUMENT", "MADE", "Coverage", "main", "measured"]

DOCUMENT: Final = Path(__file__).parents[1] / "docs" / "hook_coverage.rst"
MADE: Final = ".. What follows is made by tools/hook_coverage.py --write.\n\n"


@dataclass(frozen=True, slots=True)
class Coverage:
    """What scenarios go of one machine.

    :param ways: how many ways branches have.
    :param missed: those that no run went, each as place, what is asked (of `!x` that is `x`), and
        whether that was to be true.
    :param refused: why nothing was lifted, "" where it was.
    :param keys: what static keys are taken to be that may be either, "" where none may.
    """

    ways: int = 0
    missed: tuple[tuple[str, str, bool], ...] = ()
    refused: str = ""
    keys: str = ""


def measured(
    tree: Where, arch: str, scenarios: Iterable[Scenario], cache: str | None = None
) -> list[Coverage]:
    """Return what scenarios go of each machine of an architecture."""
    scenarios = list(scenarios)
    with machines(tree, arch, "fine", cache) as several:
        return [_measured(machine, scenarios) for machine in several]


def _measured(machine: MeasuredMachine, scenarios: Iterable[Scenario]) -> Coverage:
    told = machine.told
    if told.refused:
        return Coverage(refused=told.refused, keys=machine.keys)
    for scenario in scenarios:
        verify(Run(scenario, told.arch, told.tree, told.row))
    missed = tuple(
        (f"{code.name}(), {code.file}:{one.line}", " ".join(map(spell, one.raw)), way)
        for code, at, way in machine.lifted.missed()
        for one in (code.instructions[at],)
    )
    return Coverage(len(machine.lifted.ways()), missed, keys=machine.keys)


def listed(arch: str, tree: str, one: Coverage) -> str:
    """Return the part of the page about one machine."""
    head = f"{arch}, {called(tree, one.keys)}"
    if one.refused:
        return f"{head}: {one.refused}\n"
    gone = one.ways - len(one.missed)
    lines = [head, "-" * len(head), "", f"{gone} of {one.ways} ways were gone."]
    if one.missed:
        lines.append("")
    for place, text, way in one.missed:
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
        release = reading.opened(tree).release
        for arch in args.arch or MACHINES:
            for one in measured(tree, arch, library(), args.cache_dir):
                parts.append(listed(arch, release, one))
                sys.stdout.write(f"{parts[-1]}\n")
                sys.stdout.flush()
    if args.write:
        page = DOCUMENT.read_text(encoding="utf-8").partition(MADE)[0]
        DOCUMENT.write_text(page + MADE + "\n".join(parts), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
