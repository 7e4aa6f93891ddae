# SPDX-License-Identifier: GPL-2.0-or-later
"""Expressions of C as tuples: spelled alike where they mean the same, effects in their order."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lazymmu.kernelc.ir.cfg_builder import lower
from lazymmu.kernelc.ir.nodes import EVAL, Expr, calls_in, changed, names_in, strip, text
from lazymmu.kernelc.parse.masks import mask


def nodes(code: str) -> list[Expr]:
    """What is evaluated, in order, by a function that has this expression as its statement."""
    source = f"void f(int x)\n{{\n\t{code};\n}}".encode()
    graph = lower(mask(source, frozenset()), name="f", file="a.c", line=1)
    assert not graph.broken
    return [node.expr for node in graph.nodes if node.op == EVAL and node.expr is not None]


def expression(code: str) -> Expr:
    """One expression, as the value of a variable."""
    ((kind, op, target, value),) = nodes(f"v = {code}")
    assert (kind, op, target) == ("assign", "=", ("id", "v"))
    return value


@pytest.mark.parametrize(
    ("code", "value"),
    [
        ("0", 0),
        ("42", 42),
        ("0x10", 16),
        ("0x1fUL", 31),
        ("010", 8),
        ("0b101", 5),
        ("7ull", 7),
        ("-1", -1),
        ("NULL", 0),
        ("true", 1),
        ("false", 0),
    ],
)
def test_numbers_have_their_value(code: str, value: int) -> None:
    """In every base and with every suffix; NULL and false are zero."""
    assert expression(code) == ("num", value)


def test_a_string_is_not_zero_and_nothing_else() -> None:
    """What it says does not matter."""
    assert expression('"some text"') == ("str",)
    assert expression('"some" " text"') == ("str",)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("a->b", "a.b"),
        ("(*a).b", "a->b"),
        ("(&a)->b", "a.b"),
        ("*&a", "a"),
        ("&*a", "a"),
        ("((a))", "a"),
        ("(pte_t)a", "a"),
        ("a[ 1 ]", "a[1]"),
        ("likely(a)", "a"),
        ("unlikely(!!a)", "!!a"),
        ("(*fn)(a)", "fn(a)"),
        ("(fn)(a)", "fn(a)"),
        ("f(a, /* why */ b)", "f(a,b)"),
    ],
)
def test_what_means_the_same_is_spelled_the_same(one: str, other: str) -> None:
    """So that facts and entries are found again under another spelling of the source."""
    assert text(expression(one)) == text(expression(other))


@pytest.mark.parametrize(
    ("one", "other"),
    [("a->b", "a->c"), ("a + 1", "a + 2"), ("*a", "a"), ("&a", "a"), ("a[1]", "a[2]"), ("!a", "a")],
)
def test_what_differs_is_spelled_differently(one: str, other: str) -> None:
    """An entry is not its neighbour."""
    assert text(expression(one)) != text(expression(other))


def test_spellings_read_as_c() -> None:
    """They are shown to people as names of locks and entries."""
    assert text(expression("a->b.c[i]")) == "a->b->c[i]"
    assert text(expression("&mm->page_table_lock")) == "&mm->page_table_lock"
    assert text(expression("f(a, *p) + (c ? 1 : b)")) == "(f(a, *p) + (c ? 1 : b))"


def test_calls_come_inner_first_and_from_the_left() -> None:
    """As they are evaluated where the order is defined, and as people read them where not."""
    assert [c[1] for c in calls_in(expression("a(b(), c(d()))->e + f()"))] == list("bdcaf")


def test_a_call_through_a_pointer_has_an_expression_as_callee() -> None:
    """`ops->fn(x)` calls no name."""
    call = expression("ops->fn(x)")
    assert call[:3] == ("call", ("field", ("id", "ops"), "fn"), (("id", "x"),))


def test_sizeof_evaluates_nothing() -> None:
    """Nor do alignof and offsetof."""
    assert not list(calls_in(expression("sizeof(f(x))")))


def test_assignments_say_what_they_write() -> None:
    """The target, and the value of a plain `=` alone."""
    one = ("num", 1)
    assert list(changed(nodes("a = 1")[0])) == [(("id", "a"), one)]
    assert list(changed(nodes("a += 1")[0])) == [(("id", "a"), None)]
    assert list(changed(nodes("a++")[0])) == [(("id", "a"), None)]
    assert list(changed(nodes("--a")[0])) == [(("id", "a"), None)]
    assert [t for t, _ in changed(nodes("a = b = 1")[0])] == [("id", "b"), ("id", "a")]


def test_an_address_given_to_a_call_counts_as_written() -> None:
    """The callee may store through it."""
    assert list(changed(nodes("f(&a, b)")[0])) == [(("id", "a"), None)]


def test_steps_inside_a_call_are_written_too() -> None:
    """`f(p++)` steps `p`."""
    assert list(changed(nodes("f(p++)")[0])) == [(("id", "p"), None)]


def test_a_comma_evaluates_its_left_side_first() -> None:
    """And is its right side."""
    first, second = nodes("v = (f(), g())")
    assert text(first) == "f()"
    assert text(second) == "v = g()"


def test_names_are_variables_and_not_members_or_callees() -> None:
    """What an expression depends on."""
    assert set(names_in(expression("a->b + c[d] * f(e)"))) == {"a", "c", "d", "e"}


def test_casts_are_taken_off() -> None:
    """However many."""
    assert strip(expression("(long)(int)a")) == ("id", "a")


def test_initialisers_and_compound_literals_keep_their_calls() -> None:
    """Designated or not."""
    (made,) = nodes("struct s v = { .a = f(x), g(x) }")
    assert [c[1] for c in calls_in(made)] == ["f", "g"]
    (call,) = nodes("h((struct s){ .a = f(x) })")
    assert [c[1] for c in calls_in(call)] == ["f", "h"]


NAMES = st.sampled_from(["a", "b", "c"])
CODE = st.recursive(
    NAMES,
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from(["+", "-", "==", "&", "<<"]), inner).map(
            lambda t: f"({t[0]} {t[1]} {t[2]})"
        ),
        st.tuples(inner, NAMES).map(lambda t: f"{t[0]}->{t[1]}"),
        inner.map(lambda t: f"f({t})"),
        inner.map(lambda t: f"!{t}"),
        inner.map(lambda t: f"x[{t}]"),
    ),
    max_leaves=6,
)


@given(CODE)
def test_a_spelling_is_read_back_as_itself(code: str) -> None:
    """Spelling is canonical: reading one gives the same expression again."""
    spelled = text(expression(code))
    assert text(expression(spelled)) == spelled


@given(CODE)
def test_every_call_of_the_text_is_in_the_expression(code: str) -> None:
    """None is lost and none comes twice."""
    assert len(list(calls_in(expression(code)))) == code.count("f(")
