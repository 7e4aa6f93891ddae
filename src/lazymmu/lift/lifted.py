# SPDX-License-Identifier: GPL-2.0-or-later
"""The mode on one architecture as a tree's C has it: hooks, generic API, what they reach."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from lazymmu.contract import vocabulary
from lazymmu.lift.answers import Answers
from lazymmu.lift.between import changed
from lazymmu.lift.closure import Closure, closure, target_of
from lazymmu.lift.code import Code, Opcode, Var
from lazymmu.lift.ctypes import typed
from lazymmu.lift.execute import TASK
from lazymmu.lift.others import note_others
from lazymmu.lift.problem import Unliftable
from lazymmu.lift.switch import SwitchHalves, halves, switch_callers, switch_definition

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lazymmu.kernelc.configured_tree import ConfiguredTree
    from lazymmu.kernelc.definition import Definition
    from lazymmu.lift.link import Linker

__all__ = ["API", "HOOKS", "SWITCH", "Lifted", "lift"]

HOOKS: Final = tuple(
    name
    for name, word in vocabulary.load().mode.items()
    if word.layer == "arch" and word.action in ("enable", "disable", "flush")
)
"""The architecture's hooks of the mode."""

API: Final = tuple(
    name
    for name, word in vocabulary.load().mode.items()
    if word.layer == "generic" and word.action != "active"
)
"""The generic API above them, from v7.0 on."""

SWITCH: Final = ("arch_start_context_switch", "arch_end_context_switch")
"""Around switch_to() (kernel/sched/core.c, context_switch(); x86 __switch_to())."""


@dataclass(frozen=True, slots=True)
class Lifted:
    """What was lifted.

    :param functions: of the API, the hooks and the accessors, by name.
    :param api: whether the generic API is there.
    :param reached: every function that they call, and the variables.
    :param halves: of a switch_to() that does by itself what hooks do elsewhere, None where it does
        nothing.
    :param fresh: variables that are zero in a new task, whatever its parent has.
    :param switched: members that a context switch stores to (`between.changed`).
    :param taken: branches that runs came by, each with the way that it went.
    :param answers: what was asked of it.
    """

    linker: Linker
    functions: Mapping[str, Code]
    api: bool
    reached: Closure
    halves: SwitchHalves | None = None
    fresh: frozenset[str] = frozenset()
    switched: frozenset[str] = frozenset()
    taken: set[tuple[Code, int, bool]] = field(default_factory=set)
    answers: Answers = field(default_factory=Answers)

    def is_empty(self, code: Code) -> bool:
        """Whether a function does nothing at all."""
        does = (Opcode.CALL, Opcode.LOAD, Opcode.STORE)
        return not any(one.op in does for one in self.real(code).instructions)

    def compares(self, code: Code) -> bool:
        """Whether a function compares one of its parameters: a key with that of the batch."""
        return any(
            one.op is Opcode.BINARY
            and one.what in ("==", "!=")
            and any(isinstance(arg, Var) and arg.name in code.params for arg in one.args)
            for one in code.instructions
        )

    def ways(self) -> list[tuple[Code, int, bool]]:
        """Return the ways that there are out of branches of lifted code.

        Of a half of a switch_to() what stands in the other half is no part. A condition that the
        tree's configuration or a word decides for good is among them.
        """
        return [
            (code, at, way)
            for code in self.reached.codes
            for at in code.reachable()
            for one in (code.instructions[at],)
            if one.op is Opcode.BRANCH and one.places[0] != one.places[1]
            for way in (True, False)
        ]

    def missed(self) -> list[tuple[Code, int, bool]]:
        """Return those that no run went so far."""
        return [way for way in self.ways() if way not in self.taken]

    def place(self, name: str) -> str:
        """Return where the tree has a function, past one that only dispatches through a table.

        "" for one that it does not have, or that has nothing to do with the mode.
        """
        code = self.functions.get(name)
        return "" if code is None else self.real(code).place

    def real(self, code: Code) -> Code:
        """Return what `code` dispatches to, itself where it does something of its own."""
        calls = [one for one in code.instructions if one.op is Opcode.CALL]
        if len(calls) == 1:
            target = target_of(self.linker, code, calls[0])
            if target.code is not None and target.skip:
                return target.code
        return code


def lift(linker: Linker, accessors: tuple[str, ...], *others: Code) -> Lifted:
    """Lift the hooks, the API, accessors of these names, and `others`.

    :raises Unliftable: with the reason.
    """
    functions: dict[str, Code] = {}
    for name in (*HOOKS, *API, *accessors):
        code = linker.function(name)
        if code is not None:
            functions[name] = code
    mode = closure(linker, (*functions.values(), *others))
    functions |= _switch_hooks(linker, mode)
    roots = (*functions.values(), *others)
    reached = closure(linker, roots)
    switch = switch_definition(linker)
    two = None
    if switch is not None and _named(linker.view, switch, _per_cpu(reached)):
        two = halves(linker, switch, reached)
        reached = closure(linker, (*roots, two.before, two.after))
    linker.keys.keep(reached.keys)
    fresh = note_others(linker, reached)
    hooks = [functions[name] for name in SWITCH if name in functions]
    switch_code = [*hooks, *((two.before, two.after) if two is not None else ())]
    switched = changed(closure(linker, switch_code).codes)
    return Lifted(linker, functions, API[0] in functions, reached, two, fresh, switched)


def _switch_hooks(linker: Linker, mode: Closure) -> dict[str, Code]:
    """Return the hooks of a context switch that have to do with the mode.

    One does when it touches a variable that the mode touches, or ends at hardware or hypervisor; so
    does the one that touches what the other one of these does.
    """
    found: dict[str, Code] = {}
    begins, ends = switch_callers(linker)
    for name, callers in ((SWITCH[0], (begins,)), (SWITCH[1], (ends, begins))):
        code = linker.function(name)
        if code is None:
            code = _otherwise(linker, callers, mode, found.get(SWITCH[0]))
        if code is not None:
            found[name] = code
    part = {name: code for name, code in found.items() if _shares(linker, code, mode)}
    if part:
        both = closure(linker, part.values())
        part |= {name: code for name, code in found.items() if _shares(linker, code, both)}
    for name, code in found.items():
        if name not in part:
            linker.abstracted[code.name] = "touches nothing that the mode touches"
    return {name: code for name, code in found.items() if name in part}


def _shares(linker: Linker, switch: Code, mode: Closure) -> bool:
    mine = closure(linker, [switch])
    return not mine.variables.names.keys().isdisjoint(mode.variables.names) or mine.ends


def _takes_a_task(code: Code) -> bool:
    kinds = [typed(code.types.get(name, "")) for name in code.params]
    return [(kind.base, kind.stars) for kind in kinds] == [(TASK.base, 1)]


def _otherwise(
    linker: Linker, callers: tuple[Definition | None, ...], mode: Closure, other: Code | None
) -> Code | None:
    """Return a hook of a context switch that a tree has under another name.

    It is what a caller hands one task, what has to do with the mode, and not the `other` hook. What
    is not understood of other calls is no hook.
    """
    graphs = (linker.program.function(caller) for caller in callers if caller is not None)
    for graph in graphs:
        for _, call in graph.calls():
            if call.name is None or len(call.args) != 1 or call.name in linker.words:
                continue
            try:
                code = linker.function(call.name, graph.file)
                if code is None or code is other or not _takes_a_task(code):
                    continue
                if _shares(linker, code, mode):
                    return code
            except Unliftable:
                continue
    return None


def _per_cpu(reached: Closure) -> list[str]:
    """The variables of a CPU that are reached, by the names that C has for them."""
    names = reached.variables.names
    return list(dict.fromkeys(str(path[0]) for space, path in names if space == "cpu"))


def _named(view: ConfiguredTree, definition: Definition, names: Sequence[str]) -> list[str]:
    """Those names that the text of a definition has."""
    text = view.text(definition)
    return [name for name in names if re.search(rb"\b" + name.encode() + rb"\b", text)]
