# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs the scenarios on machines with one file changed, in a process of its own.

What a run shows is which rules can be broken and with how few preemptions, which situations occur,
and whether the search came to its end; how many steps a way has is not compared.
"""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import importlib.util
import os
import pickle
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import CodeType, ModuleType
from typing import TYPE_CHECKING, Any, Final

from safeguards import plant

if TYPE_CHECKING:
    from lazymmu.litmus.scenario import Scenario

Shown = tuple[tuple[str, int], ...]
"""Labels and the preemptions that the cheapest way to each has."""

_HERE: Final = (str(Path(__file__).parents[1]),)

FEW: Final = 2000
"""States that a run of a mutant may have more than four times those of the original."""


@dataclass(frozen=True, slots=True)
class Run:
    """One run of the matrix on the original: what it showed, in how many states, of what classes.

    scenario: pickled, so that it can be read where the classes are others.
    """

    name: str
    scenario: bytes
    arch: str
    release: str
    classes: frozenset[str]
    shown: Shown
    states: int


@dataclass(frozen=True, slots=True)
class Caught:
    """Which run was the first to differ, and in what; both "" when none was."""

    by: str = ""
    how: str = ""

    def __bool__(self) -> bool:
        """Whether any did."""
        return bool(self.by)


def baseline() -> list[Run]:
    """Every run that a scenario expects something of, those with the fewest states first."""
    from lazymmu.litmus.run import library, runs
    from lazymmu.machine.releases import RELEASES

    found = []
    for run in runs(library()):
        release = RELEASES[run.release]
        implementation = release.arches[run.arch]
        mode = implementation.api or release.mode
        classes = frozenset(one.__name__ for one in (*implementation.__mro__, *mode.__mro__))
        shown, states = look(run.scenario, run.arch, run.release, None)
        text = pickle.dumps(run.scenario)
        found.append(Run(run.scenario.name, text, run.arch, run.release, classes, shown, states))
    return sorted(found, key=lambda one: (one.states, one.name, one.arch, one.release))


def look(scenario: Scenario, arch: str, release: str, most: int | None) -> tuple[Shown, int]:
    """What one run shows, and its states."""
    from lazymmu.explore import search
    from lazymmu.litmus.to_config import to_query
    from lazymmu.machine import ConfigError
    from lazymmu.witness.machine.product_model import PREEMPTION, ProductModel

    asked = to_query(scenario, arch, release)
    try:
        model = ProductModel(asked)
        result = search(model, bound=asked.bound, max_states=most)
    except ConfigError:
        return (("not applicable", 0),), 0
    shown = {
        label: 0 if label.startswith("occurs") else path.cost
        for label, path in result.discoveries.items()
        if label != PREEMPTION
    }
    if not result.complete and result.reason != "bound":
        shown["more states"] = 0
    return tuple(sorted(shown.items())), result.states


def catch(mutant: plant.Mutant, runs: Sequence[Run]) -> Caught:
    """The first run to show something else on the mutant, in a process of its own."""
    concerned = [one for one in runs if mutant.owner in one.classes]
    done = subprocess.run(
        [sys.executable, "-c", "from safeguards.run import answer; answer()"],
        input=pickle.dumps((mutant, concerned)),
        capture_output=True,
        check=False,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, [*_HERE, *sys.path]))},
    )
    if done.returncode:
        last = done.stderr.decode(errors="replace").strip().rpartition("\n")[2]
        return Caught("none of them", last or "the process died")
    caught: Caught = pickle.loads(done.stdout)
    return caught


def answer() -> None:
    """What the process does: a mutant and runs come in, and the first to differ goes out."""
    mutant, runs = pickle.loads(sys.stdin.buffer.read())
    _replace(mutant)
    sys.stdout.buffer.write(pickle.dumps(_first(runs)))


def _first(runs: Sequence[Run]) -> Caught:
    for run in runs:
        place = f"{run.name} ({run.arch} {run.release})"
        try:
            scenario = pickle.loads(run.scenario)
            shown, _ = look(scenario, run.arch, run.release, 4 * run.states + FEW)
        except Exception as problem:  # noqa: BLE001 -- nobody knows what a broken machine raises
            return Caught(place, type(problem).__name__)
        if shown != run.shown:
            return Caught(place, _difference(dict(run.shown), dict(shown)))
    return Caught()


def _difference(before: dict[str, int], after: dict[str, int]) -> str:
    for label in (*after, *before):
        if label not in before:
            return label
        if label not in after:
            return f"no {label}"
        if before[label] != after[label]:
            return f"{label} after {after[label]} preemptions"
    return ""


# ---- a package with one file changed -------------------------------------------------------------


class _Changed(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds one module elsewhere: in a text."""

    def __init__(self, name: str, code: CodeType) -> None:
        self.name = name
        self.code = code

    def find_spec(self, name: str, *_: Any) -> importlib.machinery.ModuleSpec | None:
        return importlib.util.spec_from_loader(name, self) if name == self.name else None

    def exec_module(self, module: ModuleType) -> None:
        exec(self.code, module.__dict__)


def _replace(mutant: plant.Mutant) -> None:
    """From here on this process has the package with that change."""
    module = "lazymmu.machine." + mutant.file.removesuffix(".py").replace("/", ".")
    code = compile(plant.planted(mutant), mutant.name, "exec")
    for name in [name for name in sys.modules if name.partition(".")[0] == "lazymmu"]:
        del sys.modules[name]
    sys.meta_path.insert(0, _Changed(module, code))
