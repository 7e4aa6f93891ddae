# SPDX-License-Identifier: GPL-2.0-or-later
"""Flow graphs of functions that nobody thought of: they do what the source does.

A function is generated as statements that write themselves as C and run themselves.  What it
calls when it is run must be what its graph calls; `c1()` and the like are asked for a value,
which an oracle gives to both.
"""

from __future__ import annotations

import re
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from lazymmu.kernelc.ir.cfg_builder import lower
from lazymmu.kernelc.ir.expr import (
    Assign,
    Binary,
    Call,
    Conditional,
    Expr,
    Guard,
    Name,
    Not,
    Number,
    Temporary,
    Variable,
)
from lazymmu.kernelc.ir.nodes import BRANCH, NOP, RETURN, SWITCH, Function
from lazymmu.kernelc.parse.masks import mask

LOOPS: frozenset[str] = frozenset()

Oracle = list[int]


class Stopped(Exception):
    """The oracle has no more answers: the run ends here, in the middle."""


class Left(Exception):
    """A jump: break, continue, return, or goto with its label."""


@dataclass
class Run:
    """One run: what was called so far, and the answers that are left."""

    answers: Oracle
    calls: list[str] = field(default_factory=list)
    steps: int = 0

    def call(self, name: str) -> int:
        """Call a function; those whose name begins with `c` or `s` are asked for a value."""
        self.steps += 1
        if self.steps > 200:
            raise Stopped
        self.calls.append(name)
        if name[0] not in "cs":
            return 0
        if not self.answers:
            raise Stopped
        answer = self.answers.pop(0)
        return answer % 2 if name[0] == "c" else answer


Test = tuple[Any, ...]
Statement = tuple[Any, ...]


def spelled(test: Test) -> str:
    """A condition as C."""
    match test:
        case ("call", name):
            return f"{name}()"
        case ("not", inner):
            return f"!({spelled(inner)})"
        case ("?", a, b, c):
            return f"({spelled(a)} ? {spelled(b)} : {spelled(c)})"
        case ("({", name, inner):
            return f"({{ {name}(); {spelled(inner)}; }})"
    return f"({spelled(test[1])} {test[0]} {spelled(test[2])})"


def holds(test: Test, run: Run) -> bool:
    """Whether a condition holds in a run."""
    match test:
        case ("call", name):
            return bool(run.call(name))
        case ("not", inner):
            return not holds(inner, run)
        case ("&&", a, b):
            return holds(a, run) and holds(b, run)
        case ("||", a, b):
            return holds(a, run) or holds(b, run)
        case ("?", a, b, c):
            return holds(b, run) if holds(a, run) else holds(c, run)
    run.call(test[1])
    return holds(test[2], run)


def written(statement: Statement, indent: str = "\t") -> str:
    """A statement as C, each on lines of its own."""
    inner = indent + "\t"
    match statement:
        case ("call", name):
            return f"{indent}{name}();\n"
        case ("value", name, test):
            return f"{indent}v = {spelled(test)};\n{indent}{name}();\n"
        case ("if", test, yes, None):
            return f"{indent}if ({spelled(test)})\n{block(yes, indent)}"
        case ("if", test, yes, no):
            return (
                f"{indent}if ({spelled(test)})\n{block(yes, indent)}"
                f"{indent}else\n{block(no, indent)}"
            )
        case ("while", test, body):
            return f"{indent}while ({spelled(test)})\n{block(body, indent)}"
        case ("do", test, body):
            return f"{indent}do\n{block(body, indent)}{indent}while ({spelled(test)});\n"
        case ("for", name, test, step, body):
            head = f"{name}(); {spelled(test)}; {step}()"
            return f"{indent}for ({head})\n{block(body, indent)}"
        case ("guard", name, body):
            lines = f"{inner}guard({name})(m);\n" + "".join(written(s, inner) for s in body)
            return f"{indent}{{\n{lines}{indent}}}\n"
        case ("scoped", name, body):
            return f"{indent}scoped_guard({name}, m)\n{block(body, indent)}"
        case ("switch", name, cases, default):
            arms = "".join(
                f"{indent}case {value}:\n" + "".join(written(s, inner) for s in body)
                for value, body in enumerate(cases)
            )
            if default is not None:
                arms += f"{indent}default:\n" + "".join(written(s, inner) for s in default)
            return f"{indent}switch ({name}()) {{\n{arms}{indent}}}\n"
        case ("jump", test, how):
            return f"{indent}if ({spelled(test)})\n{inner}{how};\n"
    raise AssertionError(statement)


def block(body: list[Statement], indent: str) -> str:
    """Statements in braces."""
    lines = "".join(written(s, indent + "\t") for s in body)
    return f"{indent}{{\n{lines}{indent}}}\n"


def execute(body: list[Statement], run: Run) -> None:
    """Run statements."""
    for statement in body:
        perform(statement, run)


def guarded(name: str, body: list[Statement], run: Run) -> None:
    """Run statements under a guard, which every way out of them drops."""
    run.call(f"guard:{name}")
    try:
        execute(body, run)
    except Left:
        run.call(f"~guard:{name}")
        raise
    run.call(f"~guard:{name}")


def once(body: list[Statement], run: Run) -> bool:
    """One round of a loop's body; whether the loop goes on."""
    try:
        execute(body, run)
    except Left as left:
        if str(left) not in ("break", "continue"):
            raise
        return str(left) == "continue"
    return True


def perform(statement: Statement, run: Run) -> None:
    """Run one statement."""
    match statement:
        case ("call", name):
            run.call(name)
        case ("value", name, test):
            holds(test, run)
            run.call(name)
        case ("if", test, yes, no):
            execute(yes if holds(test, run) else no or [], run)
        case ("while", test, body):
            while holds(test, run):
                if not once(body, run):
                    break
        case ("do", test, body):
            while once(body, run):
                if not holds(test, run):
                    break
        case ("for", name, test, step, body):
            run.call(name)
            while holds(test, run):
                if not once(body, run):
                    break
                run.call(step)
        case ("guard", name, body):
            guarded(name, body, run)
        case ("scoped", name, body):
            try:
                guarded(name, body, run)
            except Left as left:
                if str(left) not in ("break", "continue"):
                    raise
        case ("switch", name, cases, default):
            chosen = run.call(name)
            arms = [*cases, default or []]
            start = chosen if chosen < len(cases) else len(cases)
            try:
                for body in arms[start:]:
                    execute(body, run)
            except Left as left:
                if str(left) != "break":
                    raise
        case ("jump", test, how):
            if holds(test, run):
                if how == "return e()":
                    run.call("e")
                raise Left(how)


def run_source(parts: list[list[Statement]], run: Run) -> None:
    """Run a function of labelled parts, `l0:` and so on, from the first one."""
    at = 0
    while at < len(parts):
        try:
            execute(parts[at], run)
            at += 1
        except Left as left:
            if str(left).startswith("return"):
                return
            at = int(str(left).removeprefix("goto l"))


def value_of(expr: Expr, run: Run, values: dict[Variable, int]) -> int:
    """Evaluate an expression of a graph."""
    match expr:
        case Number(n):
            return n
        case Name() | Temporary():
            return values.get(expr, 0)
        case Call(str(name)):
            return run.call(name)
        case Guard():
            return run.call(expr.name)
        case Assign("=", Name() | Temporary() as target, inner):
            values[target] = value_of(inner, run, values)
            return values[target]
        case Not(inner):
            return int(not value_of(inner, run, values))
        case Binary("&&", a, b):
            return int(bool(value_of(a, run, values)) and bool(value_of(b, run, values)))
        case Binary("||", a, b):
            return int(bool(value_of(a, run, values)) or bool(value_of(b, run, values)))
        case Conditional(a, b, c):
            return value_of(b if value_of(a, run, values) else c, run, values)
    raise AssertionError(expr)


def run_graph(graph: Function, run: Run) -> None:
    """Run a function's graph."""
    values: dict[Variable, int] = {}
    at = 0
    while True:
        node = graph.nodes[at]
        value = value_of(node.expr, run, values) if node.expr is not None else 0
        if node.op == RETURN:
            return
        if node.op == BRANCH:
            at = node.succ[0 if value else 1]
        elif node.op == SWITCH:
            fits = value if value in node.cases else None
            at = node.succ[node.cases.index(fits)]
        else:
            (at,) = node.succ


NAMES = st.sampled_from(["a", "b", "d", "e"])
TESTS = st.recursive(
    st.sampled_from(["c1", "c2", "c3"]).map(lambda name: ("call", name)),
    lambda inner: st.one_of(
        st.tuples(st.just("not"), inner),
        st.tuples(st.sampled_from(["&&", "||"]), inner, inner),
        st.tuples(st.just("?"), inner, inner, inner),
        st.tuples(st.just("({"), NAMES, inner),
    ),
    max_leaves=4,
)
GUARDS = st.sampled_from(["mutex", "rcu"])


def statements(depth: int, jumps: tuple[str, ...]) -> st.SearchStrategy[list[Statement]]:
    """Statements nested so deep at most; `jumps` are the ways out that may stand here."""
    simple = [
        st.tuples(st.just("call"), NAMES),
        st.tuples(st.just("value"), NAMES, TESTS),
        st.tuples(st.just("jump"), TESTS, st.sampled_from(jumps)),
    ]
    if depth == 0:
        return st.lists(st.one_of(simple), max_size=2)
    here = statements(depth - 1, jumps)
    loop = statements(depth - 1, (*jumps, "break", "continue"))
    arms = statements(depth - 1, (*jumps, "break"))
    nested = [
        st.tuples(st.just("if"), TESTS, here, st.none() | here),
        st.tuples(st.sampled_from(["while", "do"]), TESTS, loop),
        st.tuples(st.just("for"), NAMES, TESTS, NAMES, loop),
        st.tuples(st.just("guard"), GUARDS, here),
        st.tuples(st.just("scoped"), GUARDS, arms),
        st.tuples(
            st.just("switch"),
            st.just("s1"),
            st.lists(arms, min_size=1, max_size=3),
            st.none() | arms,
        ),
    ]
    return st.lists(st.one_of(simple + nested), min_size=1, max_size=2)


@st.composite
def functions(draw: st.DrawFn) -> list[list[Statement]]:
    """A function of labelled parts, each of which may jump to any other or return."""
    count = draw(st.integers(1, 3))
    jumps = ("return", "return e()", *(f"goto l{label}" for label in range(count)))
    return [draw(statements(2, jumps)) for _ in range(count)]


def source(parts: list[list[Statement]]) -> str:
    """A function of labelled parts as C."""
    lines = [
        f"l{label}:\n\ta();\n" + "".join(written(s) for s in part)
        for label, part in enumerate(parts)
    ]
    return "int f(void *m, int v)\n{\n" + "".join(lines) + "\treturn 0;\n}\n"


def graph_of(text: str) -> Function:
    """The graph of a function as a tree's would be made."""
    graph = lower(mask(text.encode(), LOOPS), name="f", file="a.c", line=1)
    assert not graph.broken, text
    return graph


_WORDS = re.compile(
    r"\b(if|while|for|switch|case|default|do|goto|return|[a-z]\w*)\b\s*(\()?|&&|\|\||\?"
)
_KEYWORDS = frozenset({"if", "while", "for", "switch", "case", "default", "do", "goto", "return"})


@dataclass
class Tokens:
    """What a tokenizer reads off a function's text, without any grammar."""

    words: Counter[str] = field(default_factory=Counter)
    calls: Counter[tuple[str, int, int]] = field(default_factory=Counter)
    returns: Counter[tuple[int, int]] = field(default_factory=Counter)
    gotos: Counter[tuple[int, int]] = field(default_factory=Counter)


def tokens(text: str) -> Tokens:
    """Read the words of a function's body with their places."""
    found = Tokens()
    for number, line in enumerate(text.splitlines(), 1):
        if number < 3:
            continue
        for match in _WORDS.finditer(line):
            word = match[1] or match[0]
            found.words[word] += 1
            at = (number, match.start() + 1)
            if word == "return":
                found.returns[at] += 1
            elif word == "goto":
                found.gotos[at] += 1
            elif match[2] and word not in _KEYWORDS and "guard(" not in line:
                found.calls[(word, *at)] += 1
    return found


@settings(max_examples=60)
@given(functions(), st.lists(st.integers(0, 3), max_size=25))
def test_a_graph_does_what_the_source_does(parts: list[list[Statement]], oracle: Oracle) -> None:
    """Its calls in the same order for the same answers, and all that a tokenizer reads in it."""
    text = source(parts)
    graph, read = graph_of(text), tokens(text)
    by_source, by_graph = Run([*oracle]), Run([*oracle])
    with suppress(Stopped):
        run_source([[("call", "a"), *part] for part in parts], by_source)
    with suppress(Stopped):
        run_graph(graph, by_graph)
    assert by_graph.calls == by_source.calls
    every = [call for _, call in graph.calls() if isinstance(call, Call)]
    assert Counter((call.name, call.line, call.column) for call in every) == read.calls
    returns = Counter((n.line, n.column) for n in graph.nodes if n.op == RETURN)
    assert returns == read.returns
    switches = [n for n in graph.nodes if n.op == SWITCH]
    assert len(switches) == read.words["switch"]
    assert sum(c is not None for n in switches for c in n.cases) == read.words["case"]
    assert sum(c is None for n in switches for c in n.cases) == len(switches)
    places = Counter((n.line, n.column) for n in graph.nodes if n.op == NOP and n.succ)
    assert all(places[at] == count for at, count in read.gotos.items())
