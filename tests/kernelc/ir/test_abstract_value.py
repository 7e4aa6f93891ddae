# SPDX-License-Identifier: GPL-2.0-or-later
"""What is known of an expression without running it, and which conditions are the same one."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lazymmu.kernelc.ir.abstract_value import (
    BLOCKING,
    NONZERO,
    USER_MM,
    ZERO,
    AddressOf,
    Evaluator,
    FunctionValue,
    Int,
    LockOf,
    Value,
    integer,
    normalize_condition,
    truth,
)
from lazymmu.kernelc.ir.cfg_builder import lower
from lazymmu.kernelc.ir.expr import Assign, Expr, Field, Name, Number, Other
from lazymmu.kernelc.ir.nodes import EVAL


def expression(code: str) -> Expr:
    """One expression without branches."""
    graph = lower(f"void f(void)\n{{\n\tv = {code};\n}}".encode(), name="f", file="a.c", line=1)
    (node,) = [n for n in graph.nodes if n.op == EVAL]
    assert isinstance(node.expr, Assign)
    return node.expr.value


def value(code: str, env: Mapping[str, Value] | None = None) -> Value:
    """What is known of an expression when this is known of names and spellings."""
    return Evaluator((env or {}).get).value(expression(code))


def test_what_counts_as_true() -> None:
    """Numbers by their value; functions, addresses and user address spaces always."""
    assert truth(ZERO) is False
    assert truth(Int(-1)) is True
    assert truth(NONZERO) is True
    assert truth(FunctionValue("f", "a.c")) is True
    assert truth(AddressOf("init_mm")) is True
    assert truth(USER_MM) is True
    assert truth(None) is None
    assert truth(BLOCKING) is None
    assert truth(LockOf("ptl")) is None
    assert integer(Int(3)) == 3
    assert integer(NONZERO) is None


@pytest.mark.parametrize(
    ("code", "known"),
    [
        ("a + 1", Int(4)),
        ("a << 2", Int(12)),
        ("(a & 2) != 0", Int(1)),
        ("a == 3 ? 7 : 8", Int(7)),
        ("a || b", Int(1)),
        ("!a && b", Int(0)),
        ("b & 0", ZERO),
        ("~0", Int(-1)),
        ("a ? b : b", None),
        ("b ? 5 : 5", Int(5)),
        ("a && b", None),
        ("b + 1", None),
        ("(long)a", Int(3)),
    ],
)
def test_arithmetic_goes_as_far_as_names_are_known(code: str, known: Value) -> None:
    """With `a` known to be 3, and `b` unknown."""
    assert value(code, {"a": Int(3)}) == known


@pytest.mark.parametrize(
    ("code", "known"),
    [
        ("p == NULL", ZERO),
        ("p != NULL", Int(1)),
        ("!p", ZERO),
        ("mm == &init_mm", ZERO),
        ("fn == g", Int(1)),
        ("fn == h", ZERO),
        ("&init_mm == &init_mm", Int(1)),
        ("&init_mm == &other", ZERO),
        ("p == q", None),
        ("&p->lock == NULL", ZERO),
        ('"text" != NULL', Int(1)),
    ],
)
def test_pointers_compare_by_what_they_are(code: str, known: Value) -> None:
    """A pointer that is not NULL may still equal another one; a user mm is never init_mm."""
    env: dict[str, Value] = {
        "p": NONZERO,
        "mm": USER_MM,
        "fn": FunctionValue("g", "a.c"),
        "g": FunctionValue("g", "a.c"),
        "h": FunctionValue("h", "a.c"),
    }
    assert value(code, env) == known


def test_members_are_looked_up_by_their_spelling() -> None:
    """Members are looked up by their spelling, however the source reaches them."""
    env: dict[str, Value] = {"a->b": Int(2), "*p": ZERO}
    assert value("a->b + 1", env) == Int(3)
    assert value("(*a).b", env) == Int(2)
    assert value("!*p", env) == Int(1)


def test_calls_are_asked_of_who_knows_calls() -> None:
    """The value of a call is asked of whoever knows calls, and is unknown by default."""
    assert value("f(1)") is None
    known = Evaluator(lambda _name: None, lambda call: Int(len(call.args)))
    assert known.value(expression("f(1, 2) == 2")) == Int(1)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("p", "p != NULL", True),
        ("p", "!!p", True),
        ("p", "p == NULL", False),
        ("p", "!p", False),
        ("p", "NULL == p", False),
        ("!p", "p == 0", True),
        ("a == b", "a != b", False),
        ("a < b", "!(a < b)", False),
        ("p->flag", "p->flag != 0", True),
        ("(bool)p", "p", True),
        ("!(p == NULL)", "p", True),
    ],
)
def test_conditions_that_belong_together_have_one_spelling(
    one: str, other: str, same: bool
) -> None:
    """What differs is only whether it must hold or fail."""
    first, second = normalize_condition(expression(one)), normalize_condition(expression(other))
    assert first is not None
    assert second is not None
    assert first.subject == second.subject
    assert (first.holds == second.holds) == same


@pytest.mark.parametrize(
    ("code", "known"),
    [("WARN_ON(a)", 1), ("WARN_ON_ONCE(!a)", 0), ("WARN(a == 2, b)", 0), ("WARN_ON(b)", None)],
)
def test_a_warning_says_whether_its_condition_holds(code: str, known: int | None) -> None:
    """As the macros of bug.h do; what it warns of is remembered as any condition is."""
    assert value(code, {"a": Int(1)}) == (None if known is None else Int(known))
    inner = normalize_condition(expression(code.partition("(")[2].rstrip(")").partition(",")[0]))
    assert normalize_condition(expression(code)) == inner


@pytest.mark.parametrize("code", ["f(p)", "p++", "(p = q)", "!f(p)", "f(p) == NULL", "a + f(p)"])
def test_conditions_with_effects_are_not_remembered(code: str) -> None:
    """They may turn out otherwise the next time."""
    assert normalize_condition(expression(code)) is None


_C = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "&": lambda a, b: a & b,
    "|": lambda a, b: a | b,
    "^": lambda a, b: a ^ b,
    "==": lambda a, b: int(a == b),
    "!=": lambda a, b: int(a != b),
    "<": lambda a, b: int(a < b),
    ">=": lambda a, b: int(a >= b),
    "&&": lambda a, b: int(bool(a) and bool(b)),
    "||": lambda a, b: int(bool(a) or bool(b)),
}
NAMES = ("a", "b", "c")
NUMBERS = st.integers(0, 9)
Tree = object
TREES = st.recursive(
    NUMBERS | st.sampled_from(NAMES),
    lambda inner: st.one_of(
        st.tuples(st.sampled_from(sorted(_C)), inner, inner),
        st.tuples(st.just("!"), inner),
        st.tuples(st.just("?"), inner, inner, inner),
    ),
    max_leaves=8,
)


def spelled(tree: Tree) -> str:
    """A tree as C."""
    match tree:
        case ("!", inner):
            return f"!({spelled(inner)})"
        case ("?", a, b, c):
            return f"({spelled(a)} ? {spelled(b)} : {spelled(c)})"
        case (op, a, b):
            return f"({spelled(a)} {op} {spelled(b)})"
    return str(tree)


def computed(tree: Tree, env: Mapping[str, int]) -> int:
    """What C would compute, in numbers small enough never to overflow."""
    match tree:
        case ("!", inner):
            return int(not computed(inner, env))
        case ("?", a, b, c):
            return computed(b if computed(a, env) else c, env)
        case (op, a, b):
            return _C[op](computed(a, env), computed(b, env))
        case str():
            return env[tree]
    assert isinstance(tree, int)
    return tree


@given(TREES, st.fixed_dictionaries(dict.fromkeys(NAMES, NUMBERS)))
def test_with_all_names_known_the_value_is_cs(tree: Tree, env: dict[str, int]) -> None:
    """An independent evaluation of the same expression."""
    known = {name: Int(n) for name, n in env.items()}
    assert value(spelled(tree), known) == Int(computed(tree, env))


@given(TREES, st.fixed_dictionaries(dict.fromkeys(NAMES, NUMBERS)), st.sets(st.sampled_from(NAMES)))
def test_what_is_known_of_some_names_holds_for_all_values(
    tree: Tree, env: dict[str, int], unknown: set[str]
) -> None:
    """A value that is known is right whatever the unknown names are."""
    known = {name: Int(n) for name, n in env.items() if name not in unknown}
    found = value(spelled(tree), known)
    if found is not None:
        assert found == Int(computed(tree, env))


@given(TREES, st.fixed_dictionaries(dict.fromkeys(NAMES, NUMBERS)))
def test_the_canonical_form_has_the_conditions_truth(tree: Tree, env: dict[str, int]) -> None:
    """Spelling and polarity together say what the condition says."""
    found = normalize_condition(expression(spelled(tree)))
    assert found is not None
    known = {name: Int(n) for name, n in env.items()}
    assert (truth(value(found.subject, known)) == found.holds) == bool(computed(tree, env))


def test_an_assignment_among_the_values_of_a_compound_literal_is_an_effect() -> None:
    """Such a condition is no fact that holds when it is asked again."""
    inner = Assign("=", Name("a"), Number(1))
    assert normalize_condition(Field(Other((Number(0), inner)), "x")) is None
    assert normalize_condition(Field(Other((Number(0), Name("a"))), "x")) is not None


def test_values_of_different_kinds_are_different() -> None:
    """They are tuples, but a lock of a class is not the variable of that name."""
    assert LockOf("ptl") != AddressOf("ptl")
    assert NONZERO != USER_MM
