# SPDX-License-Identifier: GPL-2.0-or-later
"""Expressions that nobody thought of: walked whole, spelled canonically, their writes found."""

from __future__ import annotations

import itertools
from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from lazymmu.kernelc.ir.expr import (
    CALLS,
    INT,
    VARIABLES,
    Address,
    Assign,
    Binary,
    Call,
    Cast,
    Conditional,
    Deref,
    Expr,
    Field,
    Guard,
    IncDec,
    Index,
    LoopHead,
    Name,
    Not,
    Number,
    Other,
    String,
    Temporary,
    Unary,
)
from lazymmu.kernelc.ir.nodes import calls_in, has_effect, spell, strip_casts, uses, walk, writes

WORDS = st.sampled_from(["a", "b", "ptep", "mm"])
PLACES = st.integers(1, 9)
NAMES = st.builds(Name, WORDS)
LEAVES = st.one_of(
    NAMES,
    st.builds(Temporary, st.integers(1, 3)),
    st.builds(Number, st.integers(-2, 2), st.just(INT)),
    st.builds(String),
)


def deeper(inner: st.SearchStrategy[Expr]) -> st.SearchStrategy[Expr]:
    """Expressions of every kind that has parts."""
    args = st.lists(inner, max_size=3).map(tuple)
    return st.one_of(
        st.builds(Call, WORDS | inner, args, PLACES, PLACES),
        st.builds(Guard, WORDS, args, PLACES, PLACES, st.booleans()),
        st.builds(LoopHead, args, PLACES, PLACES),
        st.builds(Field, inner, WORDS),
        st.builds(Index, inner, inner),
        st.builds(Deref, inner),
        st.builds(Address, inner),
        st.builds(Not, inner),
        st.builds(Unary, st.sampled_from("-~"), inner),
        st.builds(Binary, st.sampled_from(["+", "==", "&&"]), inner, inner),
        st.builds(Assign, st.sampled_from(["=", "+="]), inner, inner),
        st.builds(IncDec, st.sampled_from(["++", "--"]), inner, st.booleans()),
        st.builds(Conditional, inner, inner, inner),
        st.builds(Cast, st.just("long"), inner),
        st.builds(Other, args),
    )


EXPRESSIONS: st.SearchStrategy[Expr] = st.recursive(LEAVES, deeper, max_leaves=12)


def inside(value: object) -> list[Expr]:
    """Every node in a nest of tuples, found by the one thing that all nodes have: a kind."""
    found: list[Expr] = []
    if isinstance(value, tuple):
        for item in value:
            found += inside(item)
        if hasattr(value, "kind"):
            found.append(value)  # type: ignore[arg-type]
    return found


@given(EXPRESSIONS)
def test_a_walk_comes_to_every_node_once_and_inner_first(expr: Expr) -> None:
    """As a search of the bare tuples finds them, which knows no class."""
    assert list(walk(expr)) == inside(expr)


@given(EXPRESSIONS)
def test_a_walk_may_be_told_where_to_go(expr: Expr) -> None:
    """Into nothing, it comes to the expression alone; into all, to all."""
    assert walk(expr, lambda _node: ()) == (expr,)
    assert walk(expr, lambda node: node.operands) == walk(expr)


@given(EXPRESSIONS, EXPRESSIONS)
def test_nodes_are_equal_when_they_are_of_one_kind_and_hold_the_same(one: Expr, two: Expr) -> None:
    """They are tuples, but `*a` is not `&a`, whatever holds the same."""
    same = type(one) is type(two) and tuple(one) == tuple(two)
    assert (one == two) == same
    assert not same or hash(one) == hash(two)


def test_no_two_kinds_that_hold_the_same_are_equal() -> None:
    """Every pair of those that can."""
    a = Name("a")
    one = [Deref(a), Address(a), Not(a)]
    two = [Index(a, a), Call(a, (), 1, 1), Binary("+", a, a), Assign("+", a, a)]
    three = [Unary("-", a), Cast("-", a), Field(a, "-")]
    four = [Name("a"), String(), Temporary(1), Number(1), Other(), Other((a,))]
    for left, right in itertools.combinations([*one, *two, *three, *four], 2):
        assert left != right


@given(EXPRESSIONS)
def test_casts_and_the_types_of_numbers_do_not_change_a_spelling(expr: Expr) -> None:
    """An entry that is cast is the same entry."""
    assert spell(Cast("pte_t *", expr)) == spell(expr)
    assert spell(strip_casts(expr)) == spell(expr)


@given(EXPRESSIONS)
def test_what_undoes_each_other_is_not_spelled(expr: Expr) -> None:
    """`*&a` is `a`, and `(*a).b` and `(&a)->b` are spelled as `a->b`."""
    assert spell(Deref(Address(expr))) == spell(expr) == spell(Address(Deref(expr)))
    assert spell(Field(Deref(expr), "b")) == f"{spell(expr)}->b"
    assert spell(Field(Address(expr), "b")) == f"{spell(expr)}->b"


@given(EXPRESSIONS)
def test_what_is_written_is_what_is_assigned_stepped_or_handed_out(expr: Expr) -> None:
    """One write for each assignment, `++` and `&x` in a call; only a plain `=` has a value."""
    nodes = walk(expr)
    assigned = [node for node in nodes if isinstance(node, Assign)]
    expected = [strip_casts(node.target) for node in nodes if isinstance(node, (Assign, IncDec))]
    for node in nodes:
        if isinstance(node, CALLS):
            expected += [arg.operand for arg in node.args if isinstance(arg, Address)]
        if isinstance(node, LoopHead):
            expected += [arg for arg in node.args if isinstance(arg, VARIABLES)]
    found = writes(expr)
    assert Counter(target for target, _ in found) == Counter(expected)
    values = [value for _, value in found if value is not None]
    assert values == [node.value for node in assigned if node.op == "="]


@given(EXPRESSIONS)
def test_what_has_no_effect_writes_and_calls_nothing(expr: Expr) -> None:
    """So that it may be asked again and turn out the same."""
    if not has_effect(expr):
        assert writes(expr) == ()
        assert calls_in(expr) == ()
    assert has_effect(Assign("=", Name("a"), expr))


@given(EXPRESSIONS)
def test_what_an_expression_uses_is_in_its_spelling(expr: Expr) -> None:
    """No name of a member or of a called function is a variable."""
    spelled = spell(expr)
    assert all(name in spelled for name in uses(expr))
    assert uses(Call("f", (expr,), 1, 1)) == uses(expr) == uses(Field(expr, "member"))


@given(st.lists(LEAVES, max_size=4), st.integers(-6, 6))
def test_an_argument_is_counted_as_python_counts(args: list[Expr], index: int) -> None:
    """An argument is counted from either end, as Python counts, or is none."""
    call = Call("f", tuple(args), 1, 1)
    try:
        expected = call.args[index]
    except IndexError:
        expected = None
    assert call.arg(index) == expected
