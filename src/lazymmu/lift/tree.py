# SPDX-License-Identifier: GPL-2.0-or-later
"""From a tree to an implementation of each architecture that the machine knows."""

from __future__ import annotations

import contextlib
import sys
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from lazymmu.contract.deferral import classify
from lazymmu.kernelc.arch_profile import load
from lazymmu.kernelc.configured_tree import ConfiguredTree
from lazymmu.kernelc.program import Program
from lazymmu.lift.adds import adds, batch_of, puts_off
from lazymmu.lift.arm64 import LiftedArm64, LiftedArm64TrySet
from lazymmu.lift.batch import LiftedBatch
from lazymmu.lift.closure import closure
from lazymmu.lift.code import Opcode
from lazymmu.lift.core_code import lift_core
from lazymmu.lift.execute import TASK
from lazymmu.lift.implementation import LiftedApi, LiftedArch
from lazymmu.lift.lifted import API, HOOKS, SWITCH, Lifted, lift
from lazymmu.lift.link import Linker
from lazymmu.lift.powerpc import LiftedHash
from lazymmu.lift.problem import Unliftable
from lazymmu.lift.release import release
from lazymmu.lift.sparc import LiftedSparc
from lazymmu.lift.values import CPointer
from lazymmu.lift.xen import ACCESSORS, LiftedXen
from lazymmu.machine import EntrySpec, Machine, MachineConfig, TaskSpec
from lazymmu.machine.releases import TREES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from lazymmu.contract.dialects import Dialect
    from lazymmu.kernelc.parse.ops_tables import Initialiser
    from lazymmu.kernelc.tree_index import TreeIndex
    from lazymmu.lift.code import Code
    from lazymmu.lift.steps import Steps
    from lazymmu.snapshot.tree import Tree

__all__ = ["MACHINES", "LiftedMachine", "install", "uninstall"]


@dataclass(frozen=True, slots=True)
class LiftedMachine:
    """How a machine's architecture is found in a tree.

    :param profile: of kernelc.
    :param tables: where the tables of functions are filled that count on it.
    :param base: what knows the words of the architecture.
    :param accessors: those that are lifted.
    """

    profile: str
    tables: str
    base: type[LiftedArch]
    accessors: tuple[str, ...]


MACHINES: Final = {
    "x86": LiftedMachine("x86", "arch/x86/xen/", LiftedXen, ACCESSORS),
    "powerpc": LiftedMachine("powerpc", "", LiftedHash, ()),
    "sparc": LiftedMachine("sparc", "", LiftedSparc, ()),
    "arm64": LiftedMachine("arm64", "", LiftedArm64, ()),
}
"""The machines that can be lifted, by the name that `verify` has for them."""


def view_of(
    tree: Tree, library: TreeIndex, arch: str, keys: Mapping[str, int] | None = None
) -> Linker:
    """Return what resolves names on a machine of the tree; keys: what static keys are."""
    machine = MACHINES[arch]
    view = ConfiguredTree(tree, load(machine.profile), library=library)

    def belongs(item: Initialiser) -> bool:
        return item.file.startswith(machine.tables)

    return Linker(view, Program(view), belongs, keys)


def install(
    tree: Tree,
    library: TreeIndex,
    arch: str,
    name: str,
    dialect: Dialect,
    steps: Steps,
    *,
    core: bool = False,
    keys: Mapping[str, int] | None = None,
) -> Lifted:
    """Lift the mode of `arch` from a tree, and make it the machine's release `name`.

    :param core: lift core-mm code as well, as far as it is understood.
    :param keys: what static keys are that may be either; others are as they are defined.
    :raises Unliftable: for what is not understood.
    """
    machine = MACHINES[arch]
    with _deep():
        linker = view_of(tree, library, arch, keys)
        _has_mode(linker)
        base, own, roots = prepared(linker, machine.base)
        lifted = lift(linker, machine.accessors, *roots)
        made_of = made(lifted, base, {"row": row(lifted), "steps": steps, **own})
        as_release = release(lifted, arch, name, dialect)
        if core:
            forms = lift_core(linker, arch, as_release.mm)
            as_release = replace(as_release, forms=forms)
        TREES[arch, name] = (as_release, made_of)
        try:
            rehearse(arch, name, made_of)
        except Unliftable:
            uninstall(arch, name)
            raise
    return lifted


def prepared(
    linker: Linker, base: type[LiftedArch]
) -> tuple[type[LiftedArch], dict[str, object], tuple[Code, ...]]:
    """Return the class to derive from, its attributes, and what it needs beside hooks and API."""
    if issubclass(base, LiftedBatch):
        batch = batch_of(linker, adds(linker))
        return base, {"batch": batch}, (batch.add,)
    if issubclass(base, LiftedArm64):
        code = puts_off(linker)
        tries = linker.function("ptep_try_set") is not None
        return LiftedArm64TrySet if tries else base, {"puts_off": code}, (code,)
    return base, {}, ()


def _has_mode(linker: Linker) -> None:
    """Raise Unliftable where the hooks of a section do nothing, as the generic ones do."""
    codes = [linker.function(name) for name in HOOKS[:2]]
    for name, code in zip(HOOKS, codes, strict=False):
        if code is None:
            raise Unliftable(f"no {name}(): the tree has no such mode")
    does = (Opcode.CALL, Opcode.LOAD, Opcode.STORE)
    begin = codes[0]
    if begin is not None and not any(o.op in does for c in codes if c for o in c.instructions):
        what = f"{HOOKS[0]}() and {HOOKS[1]}() do nothing: the architecture has no such mode here"
        raise Unliftable(what, begin.file, begin.line)


def uninstall(arch: str, name: str) -> None:
    """Forget what was lifted."""
    TREES.pop((arch, name), None)


@contextlib.contextmanager
def _deep() -> Iterator[None]:
    """Expressions of a tree may be nested deeply, and are walked by recursion."""
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(max(before, 20_000))
    try:
        yield
    finally:
        sys.setrecursionlimit(before)


def row(lifted: Lifted) -> str:
    """Return the row of the deferral table whose words the tree's hooks use, as `check` does."""
    linker, functions = lifted.linker, lifted.functions

    def words(*names: str) -> set[str]:
        codes = closure(linker, [functions[name] for name in names if name in functions]).codes
        return {one.what for code in codes for one in code.instructions} | {c.name for c in codes}

    own = words(HOOKS[0])
    return classify(linker.view.profile.name, words(*HOOKS, *SWITCH), own).name


def rehearse(arch: str, name: str, implementation: type[LiftedArch]) -> None:
    """Run what was lifted once, and learn what the hooks of a switch leave in a task that goes.

    That is what one has that waits for a CPU at the beginning, and never was in a section.

    :raises Unliftable: they leave anything else than a pause in it, and for what a run alone shows.
    """
    entry = EntrySpec("p", value="A")
    task = TaskSpec("T0", (), cpu=0)
    machine = Machine(MachineConfig(arch, name, entries=(entry,), tasks=(task,)))
    assert isinstance(machine.arch, implementation)  # noqa: S101 - it was installed just now
    lifted = implementation.lifted
    code = lifted.functions.get(SWITCH[0])
    if code is not None:
        here = machine.here(list(machine.initial), 0)
        here.current.irqs_off = 1
        before = {variable: getattr(here.current, variable) for variable in implementation.forked}
        machine.arch.runner.whole(here, code, (CPointer("task", 0, (), TASK),))
        if here.system.panicked:
            raise Unliftable("a BUG in a task that only goes", code.file, code.line)
        for variable, value in before.items():
            if getattr(here.current, variable) != value:
                what = f"{variable} of a task that waits at the beginning is not known"
                raise Unliftable(what, code.file, code.line)
        implementation.paused_out = int(here.current.pause_count)
    here = machine.here(list(machine.initial), 0)
    names = (*API, *HOOKS) if lifted.api else HOOKS
    for function in names:
        if function in lifted.functions:
            machine.arch.update(here)
            machine.arch.runner.whole(here, lifted.functions[function])
            machine.arch.update(here)


def made(lifted: Lifted, base: type[LiftedArch], own: Mapping[str, object]) -> type[LiftedArch]:
    """Return the class for what was lifted; own: attributes of it."""
    variables = lifted.reached.variables
    counters = ("enable_count", "pause_count")
    task = tuple(name for name in variables.of("task") if name not in counters)
    flush = lifted.functions.get(HOOKS[2])
    empty = flush is None or lifted.is_empty(flush)
    return type(
        base.__name__,
        (base,),
        {
            "lifted": lifted,
            "columns": (*base.columns, *variables.columns(without=counters)),
            "forked": task,
            "fresh": tuple(sorted(lifted.fresh)),
            "flush_how": "noop" if empty else "now",
            "api": LiftedApi if lifted.api else None,
            **own,
        },
    )
