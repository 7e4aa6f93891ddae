# SPDX-License-Identifier: GPL-2.0-or-later
"""A model as Promela, for a second opinion: Spin counts the same states, or somebody is wrong.

What is printed is the relation that a complete search has tabulated: one process, one option for
each action, and in it the action's trie, once as the guard and once as the effect. So Spin shares
the model's step with us, but neither our search nor our packing. For what the search never met
there is an assertion that fails: Spin must not come there either.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from lazymmu.explore.limits import SearchLimits
from lazymmu.explore.model import ModelError, check_model
from lazymmu.explore.packing import bits
from lazymmu.explore.trie import BLOCKED, UNKNOWN, StepTable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from lazymmu.explore.model import Model

__all__ = [
    "FLAGS",
    "SpinError",
    "compile_spin",
    "counts",
    "export",
    "missing_tools",
    "recount",
    "run_spin",
]

FLAGS = ("-O2", "-w", "-DSAFETY", "-DBFS", "-DNOREDUCE", "-DMEMLIM=16000")
"""Breadth first, as our searches are; there is one process, and so nothing to reduce."""

_MAX_LEAVES_IN_D_STEP = 200
"""So many leaves make one d_step: Spin takes a few thousand statements in one, and no more."""

_REACH = "assert(false)"
"""What stands where the search never came."""


class SpinError(RuntimeError):
    """Spin or the compiler failed, or Spin came where our search did not."""


def export(model: Model) -> str:
    """The Promela text of a model, after a search of all of it.

    Open fields are exported as the numbers of their values.

    :raises ModelError: for a model that is at fault, and whatever the model raises.
    """
    from lazymmu.explore import fast

    check_model(model)
    table = StepTable(model)
    result = fast.explore(model, SearchLimits(), table=table)
    if not result.complete:
        raise ModelError(f"the search was ended ({result.reason}), and so there is no export")
    return "".join(_Writer(table).lines())


class _Writer:
    """Prints the tables of one model."""

    def __init__(self, table: StepTable) -> None:
        self.table = table

    def lines(self) -> Iterator[str]:
        """The whole text, in pieces."""
        for number, values in enumerate(self.table.values):
            if len(values) > 1:
                yield f"unsigned v{number} : {bits(len(values))} = {self.table.initial[number]};"
                yield f" /* {_harmless(values.field.name)} */\n"
        yield "active proctype model() {\nend: do\n"
        for action, name in enumerate(self.table.model.actions):
            root = self.table.nodes[1 + action].children.get(0, BLOCKED)
            for tests, ref in self.options(root):
                guard = " && ".join([*tests, self.guard(ref)])
                yield f":: /* {_harmless(name)} */ d_step {{ {guard} ->\n"
                yield f"{self.effect(ref)} }}\n"
        yield ":: 0 -> skip\nod }\n"

    def options(self, ref: int) -> Iterator[tuple[list[str], int]]:
        """An action in parts that are small enough for Spin: the tests for each, and its trie."""
        if self.leaves(ref) <= _MAX_LEAVES_IN_D_STEP:
            if self.guard(ref) != "0":
                yield [], ref
            return
        node = self.table.nodes[ref]
        for value in range(len(self.table.values[node.field])):
            test = f"v{node.field} == {value}"
            for tests, part in self.options(node.children.get(value, UNKNOWN)):
                yield ([test, *tests] if len(self.table.values[node.field]) > 1 else tests), part

    def leaves(self, ref: int) -> int:
        """How many leaves a trie has that do something."""
        if ref <= 0:
            return ref != BLOCKED
        return sum(map(self.leaves, self.table.nodes[ref].children.values()))

    def guard(self, ref: int) -> str:
        """When an action can be taken: an expression."""
        if ref <= 0:
            return "0" if ref == BLOCKED else "1"
        return self.choice(ref, self.guard, lambda test, yes, no: f"({test} -> {yes} : {no})")

    def effect(self, ref: int) -> str:
        """What an action does where it can be taken: statements. Where it cannot: nothing."""
        if ref == UNKNOWN:
            return _REACH
        if ref == BLOCKED:
            return ""
        if ref < 0:
            writes = self.table.leaves[-ref].writes
            sets = (f"v{field} = {to}" for field, to in writes if len(self.table.values[field]) > 1)
            return "; ".join(sets) or "skip"
        return self.choice(
            ref,
            self.effect,
            lambda test, yes, no: f"if :: {test} -> {yes}\n:: else -> {no} fi",
        )

    def choice(
        self, ref: int, say: Callable[[int], str], branch: Callable[[str, str, str], str]
    ) -> str:
        """What is said of a node's children, found by halving the values of its field.

        Neighbours of which the same is said are one; of whom nothing is said joins them.
        """
        node = self.table.nodes[ref]
        parts: list[tuple[int, str]] = []
        for value in range(len(self.table.values[node.field])):
            text = say(node.children.get(value, UNKNOWN))
            if text and (not parts or parts[-1][1] != text):
                parts.append((value, text))

        def halve(some: list[tuple[int, str]]) -> str:
            if len(some) <= 1:
                return some[0][1] if some else ""
            middle = len(some) // 2
            test = f"v{node.field} < {some[middle][0]}"
            return branch(test, halve(some[:middle]), halve(some[middle:]))

        return halve(parts)


def _harmless(text: str) -> str:
    """A name as a comment can hold it."""
    return re.sub(r"[^\w .,:+()-]", "?", text)


def missing_tools() -> list[str]:
    """Which of the programs that a recount needs are not installed."""
    return [tool for tool in ("spin", "gcc") if shutil.which(tool) is None]


def _run(command: list[str], where: Path) -> str:
    try:
        done = subprocess.run(command, cwd=where, capture_output=True, text=True, check=False)
    except OSError as error:
        raise SpinError(f"{command[0]} cannot be run: {error.strerror}") from error
    if done.returncode:
        said = (done.stdout + done.stderr).strip().splitlines()
        raise SpinError(f"{command[0]} failed: {said[0] if said else 'it does not say why'}")
    return done.stdout


def compile_spin(text: str, where: Path, *, quick: bool = False) -> Path:
    """Make Spin's search program for a Promela text, in a directory.

    `quick`: without optimisation, which is over sooner for a model of some thousand states.

    :raises SpinError: with the reason.
    """
    (where / "model.pml").write_text(text)
    # -o2: a variable that is never read is part of the state all the same.
    _run(["spin", "-o2", "-a", "model.pml"], where)
    _run(["gcc", *FLAGS, *(["-O0"] if quick else []), "-o", "pan", "pan.c"], where)
    return where / "pan"


def run_spin(program: Path, log: int = 22) -> tuple[int, int]:
    """Run Spin's search program, with 2^log slots, to its end: states and transitions.

    :raises SpinError: with the reason.
    """
    return counts(_run([str(program), f"-w{log}"], program.parent))


def counts(said: str) -> tuple[int, int]:
    """States and transitions from what Spin's search program says at its end; SpinError."""
    states = re.search(r"^\s*(\d+) states, stored", said, re.MULTILINE)
    steps = re.search(r"^\s*(\d+) transitions", said, re.MULTILINE)
    if states is None or steps is None or "errors: 0" not in said:
        raise SpinError("Spin's search did not end well: it came where ours did not, or broke off")
    return int(states[1]), int(steps[1]) - 1  # Spin counts the way into the initial state


def recount(model: Model) -> int:
    """How many states Spin finds in a model.

    :raises SpinError: also when Spin is not installed.
    """
    text = export(model)
    with tempfile.TemporaryDirectory() as where:
        return run_spin(compile_spin(text, Path(where), quick=True))[0]
