# SPDX-License-Identifier: GPL-2.0-or-later
"""A second evaluator, as naive as can be, must report exactly what the walker does.

It runs a function once for each way in which its variables and its trylocks can turn out, with
concrete values: no facts, no joined paths, no names of entries.  A pointer that is assigned or
stepped points to an entry that nobody has seen before.  What a call does is written down here
again.  The functions are generated, without loops.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from lazymmu.contract import events as ev
from lazymmu.contract.dialects import COUNTED
from lazymmu.contract.monitor import Product, Runtime
from lazymmu.contract.rules import RULES
from lazymmu.kernelc.ir.expr import (
    Address,
    Assign,
    Binary,
    Call,
    Expr,
    Field,
    IncDec,
    Name,
    Not,
    Number,
)
from lazymmu.kernelc.ir.nodes import BRANCH, EVAL, RETURN, Function, spell

Said = set[tuple[str, int]]

VARIABLES = ("a", "b", "w->c")
ENTRIES = ("pte", "other")
LOCKS = ("ptl", "ptl2")

HEAD = """
static int f(struct mm_struct *mm, pte_t *pte, pte_t *other, struct walk *w, pmd_t *pmd,
		unsigned long addr, pte_t new, int a, int b)
{
	spinlock_t *ptl = ptep_lockptr(mm, pte), *ptl2 = ptep_lockptr(mm, other), *ptl3;
	pte_t *m = NULL;

"""


# ---- the naive evaluator -----------------------------------------------------------------------


class Choices:
    """Every way to answer questions, one run after another: a depth-first search by replay."""

    def __init__(self) -> None:
        self.taken: list[int] = []
        self.at = 0

    def __iter__(self) -> Iterator[None]:
        while True:
            self.at = 0
            yield
            while self.taken and self.taken[-1] == 1:
                self.taken.pop()
            if not self.taken:
                return
            self.taken[-1] = 1

    def __call__(self) -> int:
        """0 or 1; each run answers differently from those before."""
        if self.at == len(self.taken):
            self.taken.append(0)
        self.at += 1
        return self.taken[self.at - 1]


class Run:
    """One run of one function with concrete values; `functions` are those it may call."""

    def __init__(
        self, functions: dict[str, Function], runtime: Runtime, choose: Choices, said: Said
    ) -> None:
        self.functions = functions
        self.runtime = runtime
        self.choose = choose
        self.said = said
        self.fresh = itertools.count(10)
        self.product: Product = runtime.start()

    def root(self, graph: Function) -> None:
        """Run a function from its beginning to its end."""
        env: dict[str, Any] = {name: self.choose() for name in VARIABLES}
        for name in (*graph.params, "ptl3"):
            env.setdefault(name, next(self.fresh))
        self.happens(ev.FunctionCall(graph.name, root=True), 0)
        line, _ = self.function(graph, env)
        self.happens(ev.FunctionReturn(graph.name, root=True), line)

    def happens(self, event: ev.Event, line: int) -> None:
        """Tell the monitors; a rule of order that is broken means its write was meant done."""
        self.product, broken = self.runtime.step(self.product, event)
        for violation in broken:
            self.said.add((violation.rule, line))
            if violation.rule in ("stale-read", "mixed-write"):
                flush = ev.Flush("api", entry=event.entry)  # type: ignore[attr-defined]
                self.product, _ = self.runtime.step(self.product, flush)

    def function(self, graph: Function, env: dict[str, Any]) -> tuple[int, Any]:
        """Run a function's nodes; the line of its return, and the value."""
        at = 0
        while True:
            node = graph.nodes[at]
            value = self.value(node.expr, env) if node.expr is not None else 0
            if node.op == RETURN:
                return node.line, value
            at = node.succ[0 if node.op != BRANCH or value else 1]
            assert node.op in (BRANCH, EVAL) or node.expr is None

    def value(self, expr: Expr, env: dict[str, Any]) -> Any:
        """Evaluate an expression, effects included."""
        match expr:
            case Number(n):
                return n
            case Name(name) if name.startswith("once"):
                return env.setdefault(name, self.choose())
            case Name() | Field():
                return env[spell(expr)]
            case Not(inner):
                return int(not self.value(inner, env))
            case Binary("==", left, right):
                return int(self.value(left, env) == self.value(right, env))
            case Binary("!=", left, right):
                return int(self.value(left, env) != self.value(right, env))
            case Binary("&&", left, right):
                return int(bool(self.value(left, env)) and bool(self.value(right, env)))
            case Binary("||", left, right):
                return int(bool(self.value(left, env)) or bool(self.value(right, env)))
            case Assign("=", target, inner):
                env[spell(target)] = self.value(inner, env)
                return env[spell(target)]
            case IncDec(_, target, prefix=False):
                old = env[spell(target)]
                env[spell(target)] = next(self.fresh)
                return old
            case Call(str(name), args, line):
                return self.call(name, args, line, env)
        raise AssertionError(expr)

    def call(self, name: str, args: tuple[Expr, ...], line: int, env: dict[str, Any]) -> Any:
        """What a call does, and its value."""
        if name == "ptep_lockptr":
            return f"lock of {next(self.fresh)}"
        if name == "pte_offset_map_lock":
            lock = args[3]
            assert isinstance(lock, Address)
            return self.mapped(spell(lock.operand), line, env)
        given = [self.value(arg, env) for arg in args]
        if name in self.functions:
            graph = self.functions[name]
            inner = dict(zip(graph.params, given, strict=True))
            return self.function(graph, inner)[1]
        if name == "spin_trylock":
            taken = self.choose()
            if taken:
                self.happens(ev.Take(given[0], "ptl", how="try"), line)
            return taken
        for event in self.events(name, given):
            self.happens(event, line)
        return next(self.fresh)

    def mapped(self, lock: str, line: int, env: dict[str, Any]) -> int:
        """pte_offset_map_lock(): an entry nobody has seen, with its lock held; or NULL."""
        if not self.choose():
            return 0
        self.happens(ev.Take(env[lock], "ptl"), line)
        return next(self.fresh)

    def events(self, name: str, given: list[Any]) -> list[ev.Event]:
        """The events of a call that does the same whatever was before."""
        match name:
            case "lazy_mmu_mode_enable":
                return [ev.Enable()]
            case "lazy_mmu_mode_disable":
                return [ev.Disable()]
            case "lazy_mmu_mode_pause":
                return [ev.Pause()]
            case "lazy_mmu_mode_resume":
                return [ev.Resume()]
            case "spin_lock":
                return [ev.Take(given[0], "ptl")]
            case "spin_unlock":
                return [ev.Drop(given[0], "ptl")]
            case "pte_unmap_unlock":
                return [ev.Drop(given[1], "ptl")]
            case "local_bh_disable":
                return [ev.Pin("bh")]
            case "local_bh_enable":
                return [ev.Unpin("bh")]
            case "might_sleep":
                return [ev.MaySleep("might_sleep()", False)]
            case "flush_tlb_mm":
                return [ev.TlbFlush("mm", space="user", how="now")]
            case "ptep_get":
                return [ev.Read(str(given[0]), level="pte", operation=name)]
            case "set_pte_at":
                return [ev.Write(str(given[2]), level="pte", how="deferred", operation=name)]
            case "ptep_set_wrprotect":
                return [ev.Write(str(given[2]), level="pte", how="immediate", operation=name)]
        assert name == "use", name
        return []


def naive(functions: dict[str, Function]) -> Said:
    """What the naive evaluator finds in `f`."""
    runtime = Runtime(list(RULES.values()), COUNTED)
    said: Said = set()
    choose = Choices()
    for _ in choose:
        Run(functions, runtime, choose, said).root(functions["f"])
    return said


# ---- generated functions -------------------------------------------------------------------------

CALLS = [
    "lazy_mmu_mode_enable()",
    "lazy_mmu_mode_disable()",
    "lazy_mmu_mode_enable()",
    "lazy_mmu_mode_disable()",
    "lazy_mmu_mode_pause()",
    "lazy_mmu_mode_resume()",
    "local_bh_disable()",
    "local_bh_enable()",
    "might_sleep()",
    "flush_tlb_mm(mm)",
]
PER_ENTRY = [
    "set_pte_at(mm, addr, {}, new)",
    "set_pte_at(mm, addr, {}, new)",
    "use(ptep_get({}))",
    "ptep_set_wrprotect(mm, addr, {})",
    "{}++",
]
PER_LOCK = ["spin_lock({})", "spin_unlock({})"]


def simple(
    entries: tuple[str, ...], locks: tuple[str, ...], variables: tuple[str, ...]
) -> list[str]:
    """Statements without a body that may stand anywhere."""
    return [
        *CALLS,
        *(code.format(name) for code in PER_ENTRY for name in entries),
        *(code.format(name) for code in PER_LOCK for name in locks),
        *(f"{name} = {value}" for name in variables for value in ("0", "1", *variables)),
        *(f"{name} = spin_trylock({lock})" for name in variables for lock in locks),
    ]


class Tape:
    """Decisions read off drawn bytes; when they run out, everything comes to its end."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0

    def pick(self, options: Sequence[str]) -> str:
        """One of several, the first one at the end of the tape."""
        self.at += 1
        return options[self.data[self.at - 1] % len(options)] if self.more else options[0]

    @property
    def more(self) -> bool:
        """Whether anything is left."""
        return self.at < len(self.data)


@dataclass
class Writer:
    """Writes statements: calls that may stand anywhere, variables to ask, ways out."""

    tape: Tape
    calls: list[str]
    names: tuple[str, ...]
    ends: list[str]

    def condition(self, depth: int = 1) -> str:
        """A condition over variables."""
        pick = self.tape.pick
        how = pick(["{}", "!{}", "{} == 0", "{}", "&&", "||"] if depth else ["{}", "!{}"])
        if how in ("&&", "||"):
            return f"({self.condition(0)}) {how} ({self.condition(0)})"
        return how.format(pick(self.names))

    def body(self, depth: int, length: int) -> str:
        """Statements, one to a line."""
        lines = []
        while self.tape.more and len(lines) < length:
            match self.tape.pick(["call", "call", "call", "if", "else", "end"]):
                case "if" if depth:
                    inner = self.body(depth - 1, 3)
                    lines.append(f"\tif ({self.condition()}) {{\n{inner}\t}}\n")
                case "else" if depth:
                    yes, no = self.body(depth - 1, 2), self.body(depth - 1, 2)
                    test = self.condition()
                    lines.append(f"\tif ({test}) {{\n{yes}\t}} else {{\n{no}\t}}\n")
                case "end":
                    end = self.tape.pick(self.ends)
                    lines.append(f"\tif ({self.condition()})\n\t\t{end};\n")
                case _:
                    lines.append(f"\t{self.tape.pick(self.calls)};\n")
        return "".join(lines)


MAP = "m = pte_offset_map_lock(mm, pmd, addr, &ptl3)"
UNMAP = "pte_unmap_unlock(m, ptl3)"
MAPPED = [MAP, MAP, UNMAP, UNMAP, "m = NULL", "set_pte_at(mm, addr, m, new)"]


def one_function(data: bytes) -> str:
    """A function of conditions, locks, entries and the mode."""
    calls = [*simple(ENTRIES, LOCKS, VARIABLES), *MAPPED]
    write = Writer(Tape(data), calls, (*VARIABLES, "m"), ["return", "goto out"])
    body = write.body(2, 9)
    write.ends = ["return"]
    return f"{HEAD}{body}out:\n{write.body(1, 5)}\treturn;\n}}\n"


def compare(kernel: Callable[..., Any], code: str, *names: str) -> None:
    """Both evaluators say the same of `f`."""
    seen = kernel(code, information=True)
    graphs = {name: seen.graph(name) for name in ("f", *names)}
    assert not any(graph.broken for graph in graphs.values()), code
    reports = seen.walker.root(graphs["f"]).raw_reports.values()
    assert not seen.walker.bounded
    said = {(raw.violation.rule, raw.step.line) for raw in reports}
    numbered = "\n".join(f"{n} {line}" for n, line in enumerate(code.splitlines(), 1))
    assert said == naive(graphs), numbered


@settings(max_examples=300)
@given(st.binary(max_size=70))
def test_both_evaluators_agree_on_one_function(kernel: Callable[..., Any], data: bytes) -> None:
    """Rules and lines are the same, over every path that there is and no other."""
    compare(kernel, one_function(data))


HELPER = """
static int g(struct mm_struct *mm, pte_t *p, spinlock_t *l, unsigned long addr, pte_t new, int x)
{
"""
HELPED = [
    f"{target}g(mm, {entry}, {lock}, addr, new, {value})"
    for target in ("", "a = ")
    for entry, lock in (("pte", "ptl"), ("other", "ptl2"), ("pte", "ptl2"))
    for value in ("0", "1", "once", "once")
]
"""Where the flag says `once` it is a parameter that stands nowhere else.

Limits of the walker, which such functions avoid: what a callee learns about its arguments is not
told to its caller, and an entry whose parameter a callee has stepped is nobody's any more.
"""


def with_helper(data: bytes) -> str:
    """A function that gives entries, locks and flags to another one, which returns a flag."""
    tape = Tape(data)
    returns = ["return 0", "return 1", "return x"]
    calls = [call for call in simple(("p",), ("l",), ("x",)) if call != "p++"]
    helper = Writer(tape, calls, ("x",), [*returns, "goto out"])
    inner = helper.body(1, 5)
    helper.ends = returns
    last = f"out:\n{helper.body(0, 2)}\t{tape.pick(returns)};\n}}\n"
    calls = [*simple(ENTRIES, LOCKS, ("a", "b")), *HELPED]
    outer = Writer(tape, calls, ("a", "b"), ["return", "goto out"])
    body = outer.body(1, 7)
    outer.ends = ["return"]
    code = f"{HELPER}{inner}{last}{HEAD}{body}out:\n{outer.body(1, 3)}\treturn;\n}}\n"
    numbers = itertools.count()
    return re.sub(r"\bonce\b", lambda _: f"once{next(numbers)}", code)


@settings(max_examples=200)
@given(st.binary(max_size=70))
def test_both_evaluators_agree_across_calls(kernel: Callable[..., Any], data: bytes) -> None:
    """Entries and locks keep who they are under another function's names."""
    compare(kernel, with_helper(data), "g")
