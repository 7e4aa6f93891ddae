# SPDX-License-Identifier: GPL-2.0-or-later
"""Models written by hand in Promela agree with the machines: the semantics have an outside opinion.

promela/*.pml were written from the kernel's code, for one shipped scenario each, and share nothing
with the machines.  A machine keeps more than such a model needs (TLBs that nobody asks, a page's
state that a place says already, monitors); so its states are counted by what the model has in
them, and that count must be Spin's, to the state.  What is different and says so:

* a step that nobody can tell from the one after it is no place of its own (`machine.steps.local`);
* all states after a BUG are one.
"""

from __future__ import annotations

import re
import subprocess
from collections import deque
from collections.abc import Hashable
from dataclasses import dataclass
from pathlib import Path

import pytest

from lazymmu.explore import promela
from lazymmu.litmus.run import named
from lazymmu.litmus.to_config import to_query
from lazymmu.machine import Machine
from lazymmu.machine.continuations import Stack
from lazymmu.witness.machine import verify as witness

MODELS = Path(__file__).parent / "promela"

needs_spin = pytest.mark.skipif(
    bool(promela.missing_tools()), reason=f"not installed: {', '.join(promela.missing_tools())}"
)

State = tuple[Hashable, ...]


@dataclass(frozen=True, slots=True)
class Model:
    """A file here, whose scenario it is, and what a state has in it.

    variables: of the machine, beside places; rule: what the scenario watches, as the model asserts
    it; preemptions: the fewest that break it; states: as counted in 2026 by both.
    """

    file: str
    scenario: str
    arch: str
    release: str
    variables: tuple[str, ...]
    rule: str
    preemptions: int
    states: int

    def __str__(self) -> str:
        return self.file


CASES = [
    Model(
        "xen_nesting_count",
        "xen-preempted-at-depth-two",
        "x86",
        "6.12.8",
        (
            *("cpu0.curr", "cpu0.mc_queue", "cpu0.lazy_mode", "cpu0.lazy_nesting"),
            *("T0.tif_lazy_mmu_updates", "T1.tif_lazy_mmu_updates", "p.stored"),
        ),
        "kernel-bug",
        1,
        66,
    ),
    Model(
        "xen_unlock_before_leave",
        "unlock-before-leave",
        "x86",
        "6.12.8",
        (
            *("cpu0.curr", "cpu0.mc_queue", "cpu0.lazy_mode", "cpu0.lazy_nesting"),
            *("cpu1.curr", "cpu1.mc_queue", "cpu1.lazy_mode", "cpu1.lazy_nesting"),
            *("T0.tif_lazy_mmu_updates", "T1.tif_lazy_mmu_updates", "L.owner", "p.stored"),
        ),
        "lost-update",
        0,
        337,
    ),
    Model(
        "xen_fork_outside_section",
        "fork-outside-section",
        "x86",
        "7.3.4",
        (
            *("cpu0.curr", "cpu0.mc_queue", "T0.enable_count", "T0.pause_count"),
            *("C.enable_count", "C.pause_count", "swapper/0.pause_count", "p.stored"),
        ),
        "kernel-warning",
        0,
        71,
    ),
    Model(
        "sparc_stuck_active",
        "sparc-stuck-active",
        "sparc",
        "6.12.8",
        (
            *("cpu0.curr", "cpu0.active", "cpu0.batch", "cpu0.d.old"),
            *("cpu1.curr", "cpu1.active", "cpu1.batch", "cpu1.d.old"),
        ),
        "stale-translation-used",
        1,
        2613,
    ),
]


# ---- the machine's side --------------------------------------------------------------------------


def reached(machine: Machine) -> set[State]:
    """All states, found without anything of `explore`."""
    seen = {machine.initial}
    todo = deque(seen)
    while todo:
        state = todo.popleft()
        for action in range(len(machine.actions)):
            view = list(state)
            if machine.step(view, action) is not None and tuple(view) not in seen:
                seen.add(tuple(view))
                todo.append(tuple(view))
    return seen


def place(machine: Machine, stack: Stack) -> Hashable:
    """Where a program is, without what it was sent on its way there.

    Beside the functions and the step: the CPU whose batch a sparc64 hook looked up, `tb`.
    """
    while stack and getattr(machine.continuations.step(stack), "local", False):
        stack = machine.continuations.after(stack, None)
    if not stack:
        return None
    done = tuple(len(frame.sent) for frame in stack if frame.call.name == "sequence")
    step = machine.continuations.step(stack).__name__
    found = stack[-1].sent[0] if step == "set_active" else None
    return done, step, found[0] if isinstance(found, tuple) else found


def projected(machine: Machine, variables: tuple[str, ...]) -> set[Hashable]:
    """The states of a machine, each as what a model has of it."""
    names = [name for name, _ in machine.fields]
    tasks = [task.name for task in machine.config.tasks]
    apart = ("resched", "blocked", "unborn")  # of "running", "ready", "dead" `curr` and place tell
    found: set[Hashable] = set()
    for state in reached(machine):
        value = dict(zip(names, state, strict=True))
        if value["system.panicked"]:
            found.add("BUG")
            continue
        places = tuple(place(machine, value[f"{task}.stack"]) for task in tasks)
        status = tuple(value[f"{task}.status"] for task in tasks)
        found.add(
            (
                *(value[name] for name in variables),
                *places,
                *(one if one in apart else "" for one in status),
            )
        )
    return found


# ---- Spin's side ---------------------------------------------------------------------------------


def spin(model: Model, define: str, where: Path) -> str:
    """What Spin's search says of a model; breadth first, and nothing left out or put together."""
    where.mkdir()
    source = MODELS / f"{model.file}.pml"
    for command in (
        ["spin", f"-D{define}", "-o1", "-o2", "-o3", "-a", str(source)],
        ["gcc", "-O1", "-w", "-DSAFETY", "-DBFS", "-DNOREDUCE", "-o", "pan", "pan.c"],
    ):
        done = subprocess.run(command, cwd=where, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
    return subprocess.run(
        [str(where / "pan")], cwd=where, capture_output=True, text=True, check=False
    ).stdout


# ---- what they agree on --------------------------------------------------------------------------


@needs_spin
@pytest.mark.parametrize("model", CASES, ids=str)
def test_a_model_by_hand_has_the_machine_s_states(model: Model, tmp_path: Path) -> None:
    """State for state, over all interleavings and any number of preemptions."""
    asked = to_query(named(model.scenario), model.arch, model.release)
    said = spin(model, "COUNT", tmp_path / "count")
    counted = re.search(r"^\s*(\d+) states, stored", said, re.MULTILINE)
    assert counted is not None
    assert "errors: 0" in said
    assert int(counted[1]) == len(projected(Machine(asked.config), model.variables)) == model.states


@needs_spin
@pytest.mark.parametrize("model", CASES, ids=str)
def test_a_model_by_hand_is_broken_by_as_few_preemptions(model: Model, tmp_path: Path) -> None:
    """With one preemption less nothing fails, and with as many something does."""
    asked = to_query(named(model.scenario), model.arch, model.release)
    verdict = witness.verify(model.scenario, asked)
    found = {broken.rule: broken.preemptions for broken in verdict.violations}
    for bound in range(model.preemptions + 1):
        said = spin(model, f"PREEMPTIONS={bound}", tmp_path / str(bound))
        assert ("assertion violated" in said) == (bound == model.preemptions), said
    assert found[model.rule] == model.preemptions


@needs_spin
def test_the_fixed_kernel_has_no_counterexample_in_promela(tmp_path: Path) -> None:
    """What the models assert is not false by itself: with the lock held to the end it holds."""
    text = (MODELS / "xen_unlock_before_leave.pml").read_text()
    drop, leave = "-> L = FREE; pc[T0] = 7 }", "leave_lazy(c, MMU); pc[T0] = 8; reset() }"
    assert drop in text
    assert leave in text
    fixed = text.replace(drop, "-> pc[T0] = 7 }").replace(
        leave, "leave_lazy(c, MMU); L = FREE; pc[T0] = 8; reset() }"
    )
    (tmp_path / "fixed.pml").write_text(fixed)
    (tmp_path / "kernel.h").write_text((MODELS / "kernel.h").read_text())
    model = Model(str(tmp_path / "fixed"), "", "", "", (), "", 0, 0)
    said = spin(model, "PREEMPTIONS=3", tmp_path / "run")
    assert "errors: 0" in said
