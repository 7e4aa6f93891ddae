# SPDX-License-Identifier: GPL-2.0-or-later
"""The mode on one architecture as a tree's C has it: hooks, generic API, what they reach."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from lazymmu.contract import vocabulary
from lazymmu.kernelc.ir.expr import Field
from lazymmu.kernelc.ir.nodes import writes
from lazymmu.lift.closure import Closure, closure, target_of
from lazymmu.lift.code import Code, Opcode, Var
from lazymmu.lift.problem import Unliftable
from lazymmu.lift.switch import SwitchHalves, halves, switch_definition

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

    functions: of the API, the hooks and the accessors, by name; api: whether the generic API is
    there; reached: every function that they call, and the variables; halves: of a switch_to() that
    does by itself what hooks do elsewhere, None where it does nothing.
    """

    linker: Linker
    functions: Mapping[str, Code]
    api: bool
    reached: Closure
    halves: SwitchHalves | None = None

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
    """Lift the hooks, the API, accessors of these names, and `others`; raises Unliftable."""
    functions: dict[str, Code] = {}
    for name in (*HOOKS, *API, *accessors):
        code = linker.function(name)
        if code is not None:
            functions[name] = code
    if not all(name in functions for name in HOOKS[:2]):
        raise Unliftable(f"no {HOOKS[0]}() or no {HOOKS[1]}(): the tree has no such mode")
    mode = closure(linker, (*functions.values(), *others))
    for name in SWITCH:
        code = linker.function(name)
        if code is not None and _concerns(linker, code, mode):
            functions[name] = code
    roots = (*functions.values(), *others)
    reached = closure(linker, roots)
    switch = switch_definition(linker)
    two = None
    if switch is not None and _named(linker.view, switch, _per_cpu(reached)):
        two = halves(linker, switch, reached)
        reached = closure(linker, (*roots, two.before, two.after))
    _others(linker, reached)
    return Lifted(linker, functions, API[0] in functions, reached, two)


def _concerns(linker: Linker, switch: Code, mode: Closure) -> bool:
    """Whether a hook of a context switch has to do with the mode.

    It does when it touches a variable that the mode touches, or ends at hardware or hypervisor.
    """
    mine = closure(linker, [switch])
    if not mine.variables.names.keys().isdisjoint(mode.variables.names) or mine.ends:
        return True
    linker.abstracted[switch.name] = "touches nothing that the mode touches"
    return False


def _others(linker: Linker, reached: Closure) -> None:
    """Note the architecture's functions that touch the mode's variables, and are not lifted.

    Raises Unliftable for one that changes them: what it does would be missing.
    """
    view = linker.view
    known = {(code.file, code.name) for code in reached.codes}
    paths = [path for space, path in reached.variables.names if space == "cpu"]
    members = {str(path[-1]) for path in paths if len(path) > 1}
    variables = _per_cpu(reached)
    for rel in view.built:
        if not rel.startswith(f"arch/{view.profile.arch_dir}/"):
            continue
        text = view.tree.read(rel)
        named = [name for name in variables if name.encode() in text]
        for definition in view.functions(rel) if named else ():
            touched = _named(view, definition, named)
            if touched and (rel, definition.name) not in known:
                changed = members & _changed(linker, definition)
                if changed:
                    what = f"{definition.name}() changes {', '.join(sorted(changed))} of "
                    what += f"{', '.join(touched)}, and is no part of the hooks"
                    raise Unliftable(what, rel, definition.line)
                why = f"touches {', '.join(touched)}, and is no part of the hooks"
                linker.abstracted.setdefault(definition.name, why)


def _changed(linker: Linker, definition: Definition) -> set[str]:
    """Members that a function stores into."""
    graph = linker.program.function(definition)
    exprs = [node.expr for node in graph.nodes if node.expr is not None]
    targets = [target for expr in exprs for target, _ in writes(expr)]
    return {target.name for target in targets if isinstance(target, Field)}


def _per_cpu(reached: Closure) -> list[str]:
    """The variables of a CPU that are reached, by the names that C has for them."""
    names = reached.variables.names
    return list(dict.fromkeys(str(path[0]) for space, path in names if space == "cpu"))


def _named(view: ConfiguredTree, definition: Definition, names: Sequence[str]) -> list[str]:
    """Those names that the text of a definition has."""
    text = view.text(definition)
    return [name for name in names if re.search(rb"\b" + name.encode() + rb"\b", text)]
