# SPDX-License-Identifier: GPL-2.0-or-later
"""What names and calls are worth in one profile: constants, CONFIG symbols, allocation masks.

kernelc's evaluator knows C; this module adds what the vocabulary, the profile and the tree's
macros say, so that constant arguments decide which branch of a callee is taken.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from lazymmu.contract.vocabulary import Vocabulary
from lazymmu.kernelc.ir import RETURN, Expr, Function, strip
from lazymmu.kernelc.lower import lower
from lazymmu.kernelc.program import Program
from lazymmu.kernelc.values import USER_MM, ZERO, Evaluator, Value, truth

_USER_MM = ("->vm_mm", "current->mm")
"""Members that point to the mm of a user address space, never to init_mm
(include/linux/mm_types.h, struct vm_area_struct; include/linux/sched.h, struct task_struct)."""

_CONFIG_TESTS = frozenset({"IS_ENABLED", "IS_BUILTIN", "IS_REACHABLE"})
"""Macros of include/linux/kconfig.h that turn a CONFIG symbol into 0 or 1."""


class MaskEvaluator(Evaluator):
    """An evaluator that also follows allocation masks (gfp_t) through ``|`` and ``&``."""

    def _binary(self, op: str, left: Expr, right: Expr, expr: Expr) -> Value:
        if op in ("|", "&"):
            a = self.value(left)
            if a is not None and a[0] == "gfp":
                return self._mask(op, a, right)
            b = self.value(right)
            if op == "|" and b is not None and b[0] == "gfp":
                return self._mask(op, b, left)
        return super()._binary(op, left, right, expr)

    def _mask(self, op: str, mask: Value, other: Expr) -> Value:
        other = strip(other)
        if op == "|":
            more = self.value(other)
            kinds = {v[1] for v in (mask, more) if v is not None and v[0] == "gfp"}
            return ("gfp", "blocking" if "blocking" in kinds else "nonblocking")
        if other[0] == "un" and other[1] == "~":
            without = self.value(other[2])
            wait = without is not None and without[0] == "gfp" and without[1] == "blocking"
            return ("gfp", "nonblocking") if wait else mask
        asked = self.value(other)
        if asked == ("gfp", "blocking") and mask is not None:
            return ("nonzero",) if mask[1] == "blocking" else ZERO
        return None


class Facts:
    """Values of names and of calls without effects, for one program."""

    def __init__(
        self,
        program: Program,
        vocabulary: Vocabulary,
        *,
        config: Callable[[str], str],
        constants: Mapping[str, int],
        macro: Callable[[str], bytes | None],
    ) -> None:
        self.program = program
        self.vocabulary = vocabulary
        self.config = config
        self.constants = constants
        self._macro = macro
        self._names: dict[str, Value] = {}
        self._simple: dict[tuple[str, str], tuple[Function, Expr] | None] = {}

    def name(self, name: str) -> Value:
        """The value of a macro or CONFIG symbol; None for anything else."""
        if name not in self._names:
            self._names[name] = None
            self._names[name] = self._name(name)
        return self._names[name]

    def _name(self, name: str) -> Value:
        if name in self.vocabulary.gfp_blocking:
            return ("gfp", "blocking")
        if name in self.vocabulary.gfp_nonblocking:
            return ("gfp", "nonblocking")
        if name.startswith("CONFIG_"):
            return {"y": ("int", 1), "n": ZERO}.get(self.config(name.removeprefix("CONFIG_")))
        body = self._macro(name) if name.isupper() or name.startswith("__") else None
        if not body or len(body) > 400:
            return None
        graph = lower(body, name=name, file="", line=1, macro_params=())
        value = _only_return(graph)
        return self.evaluator({}, "").value(value) if value is not None else None

    def evaluator(self, env: Mapping[str, Value], file: str, depth: int = 3) -> MaskEvaluator:
        """An evaluator in which ``env`` comes before the tree's names."""

        def lookup(name: str) -> Value:
            if name in env:
                return env[name]
            if name.isidentifier():
                return self.name(name)
            return USER_MM if name.endswith(_USER_MM) else None

        def call(expr: Expr) -> Value:
            return self._call(expr, lookup, file, depth)

        return MaskEvaluator(lookup, call)

    def _call(self, expr: Expr, lookup: Callable[[str], Value], file: str, depth: int) -> Value:
        name, args = expr[1], expr[2]
        if not isinstance(name, str):
            return None
        if name in _CONFIG_TESTS and args and args[0][0] == "id":
            return self.name(args[0][1])
        if name in self.constants:
            return ("int", self.constants[name])
        if depth == 0 or not file:
            return None
        simple = self._simple_function(name, file)
        if simple is None:
            return None
        graph, body = simple
        outer = MaskEvaluator(lookup, lambda inner: self._call(inner, lookup, file, depth - 1))
        env = {p: outer.value(a) for p, a in zip(graph.params, args, strict=False)}
        if all(v is None for v in env.values()) and graph.params:
            return None
        value = self.evaluator(env, graph.file, depth - 1).value(body)
        return value if truth(value) is not None else None

    def _simple_function(self, name: str, file: str) -> tuple[Function, Expr] | None:
        """A function or macro that only returns an expression: gfpflags_allow_blocking()."""
        key = (name, file)
        if key not in self._simple:
            self._simple[key] = None
            target = self.program.resolve(name, file)
            if target is not None and not target.ambiguous:
                graph = self.program.function(target.definition)
                body = _only_return(graph)
                if body is not None:
                    self._simple[key] = (graph, body)
        return self._simple[key]


def _only_return(graph: Function) -> Expr | None:
    nodes = [node for node in graph.nodes if node.expr is not None]
    if len(nodes) == 1 and nodes[0].op == RETURN:
        return nodes[0].expr
    return None
