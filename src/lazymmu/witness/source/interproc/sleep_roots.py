# SPDX-License-Identifier: GPL-2.0-or-later
"""What sleeps by the vocabulary, what may not, and whose word is taken for it."""

from __future__ import annotations

import re
from collections.abc import Mapping

from lazymmu.contract.vocabulary import Vocabulary
from lazymmu.kernelc.configured_tree import Definition
from lazymmu.kernelc.ir.abstract_value import Value, truth
from lazymmu.kernelc.ir.nodes import Expr, Function, names_in, text
from lazymmu.kernelc.program import Program
from lazymmu.witness.source.interproc.call_targets import callee
from lazymmu.witness.source.interproc.constants import Facts


class Sleeping:
    """Answers for one program which calls are roots of sleeping."""

    def __init__(self, program: Program, facts: Facts, words: Vocabulary) -> None:
        self.program = program
        self.facts = facts
        self.words = words
        self._never: dict[tuple[str, int], bool] = {}

    def change(self, name: str) -> int:
        """How a call changes the depth of atomic context of its caller."""
        pin = self.words.pins.get(name)
        if pin is not None:
            return 1 if pin.action == "pin" else -1
        lock = self.words.locks.get(name)
        if lock is not None:
            return {"take": 1, "try": 1, "drop": -1}.get(lock.action, 0)
        return 0

    def root(self, call: Expr, graph: Function, env: Mapping[str, Value]) -> str | None:
        """Why a call is a root of sleeping: a sentence; "" when it is one that cannot sleep here.

        None when the call is no root.  A mask that allows blocking, given to a parameter of
        type gfp_t or to a macro, is one (include/linux/sched/mm.h, might_alloc()).
        """
        name = callee(call, graph, env)
        root = self.words.sleeps.get(name or "")
        evaluator = self.facts.evaluator(env, graph.file)
        if root is not None:
            if root.condition_arg is not None and root.condition_arg < len(call[2]):
                decides = evaluator.value(call[2][root.condition_arg])
                if truth(decides) is False or decides == ("gfp", "nonblocking"):
                    return ""
            return root.why
        for position, arg in enumerate(call[2]):
            if not _may_be_mask(arg):
                continue
            value = evaluator.value(arg)
            if (
                value is None
                or value[0] != "gfp"
                or not self._takes_mask(call, position, graph.file)
            ):
                continue
            if value[1] == "blocking":
                return f"{name}() with {text(arg)}"
            return ""
        return None

    def _takes_mask(self, call: Expr, position: int, file: str) -> bool:
        if not isinstance(call[1], str):
            return True
        target = self.program.resolve(call[1], file)
        if target is None or target.definition.kind == "macro":
            return True
        graph = self.program.function(target.definition)
        if position >= len(graph.params):
            return True
        return graph.types.get(graph.params[position], "") == self.words.gfp_type

    def believed_not_to(self, definition: Definition) -> bool:
        """Whether the definition's own kernel-doc says that atomic context may call it."""
        key = (definition.file, definition.line)
        if key not in self._never:
            said = definition.context.lower()
            self._never[key] = next(
                (
                    phrase.sleeps == "no"
                    for pattern, phrase in self.words.context_phrases
                    if said and re.search(pattern, said)
                ),
                False,
            )
        return self._never[key]


def _may_be_mask(arg: Expr) -> bool:
    return any(True for _ in names_in(arg))
