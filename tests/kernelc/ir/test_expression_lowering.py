# SPDX-License-Identifier: GPL-2.0-or-later
"""Expressions of C as nodes: spelled alike where they mean the same, effects in their order."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lazymmu.kernelc.ir.cfg_builder import lower
from lazymmu.kernelc.ir.expr import (
    INT,
    Assign,
    Call,
    Expr,
    Field,
    IncDec,
    IntegerType,
    Name,
    Number,
    String,
)
from lazymmu.kernelc.ir.nodes import EVAL, calls_in, spell, strip_casts, uses, writes
from lazymmu.kernelc.parse.masks import mask


def nodes(code: str) -> list[Expr]:
    """What is evaluated, in order, by a function that has this expression as its statement."""
    source = f"void f(int x)\n{{\n\t{code};\n}}".encode()
    graph = lower(mask(source, frozenset()), name="f", file="a.c", line=1)
    assert not graph.broken
    return [node.expr for node in graph.nodes if node.op == EVAL and node.expr is not None]


def expression(code: str) -> Expr:
    """One expression, as the value of a variable."""
    (node,) = nodes(f"v = {code}")
    assert isinstance(node, Assign)
    assert (node.op, node.target) == ("=", Name("v"))
    return node.value


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
    number = expression(code)
    assert isinstance(number, Number)
    assert number.value == value


@pytest.mark.parametrize(
    ("code", "bits", "signed"),
    [
        ("0x7fffffff", 32, True),
        ("0x80000000", 32, False),
        ("2147483648", 64, True),
        ("0x100000000", 64, True),
        ("1u", 32, False),
        ("4294967296U", 64, False),
        ("1L", 64, True),
        ("1ull", 64, False),
        ("0xffffffffffffffff", 64, False),
        ("-1L", 64, True),
    ],
)
def test_numbers_have_the_type_that_c_gives_them(code: str, bits: int, signed: bool) -> None:
    """The first that holds them, of those that the base and the suffix allow."""
    number = expression(code)
    assert isinstance(number, Number)
    assert number.type == IntegerType(bits, signed)
    assert expression("1") == Number(1, INT)


def test_a_string_is_not_zero_and_nothing_else() -> None:
    """What it says does not matter."""
    assert expression('"some text"') == String()
    assert expression('"some" " text"') == String()


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
    assert spell(expression(one)) == spell(expression(other))


@pytest.mark.parametrize(
    ("one", "other"),
    [("a->b", "a->c"), ("a + 1", "a + 2"), ("*a", "a"), ("&a", "a"), ("a[1]", "a[2]"), ("!a", "a")],
)
def test_what_differs_is_spelled_differently(one: str, other: str) -> None:
    """An entry is not its neighbour."""
    assert spell(expression(one)) != spell(expression(other))


def test_spellings_read_as_c() -> None:
    """They are shown to people as names of locks and entries."""
    assert spell(expression("a->b.c[i]")) == "a->b->c[i]"
    assert spell(expression("&mm->page_table_lock")) == "&mm->page_table_lock"
    assert spell(expression("f(a, *p) + (c ? 1 : b)")) == "(f(a, *p) + (c ? 1 : b))"


def test_calls_come_inner_first_and_from_the_left() -> None:
    """As they are evaluated where the order is defined, and as people read them where not."""
    assert [c.name for c in calls_in(expression("a(b(), c(d()))->e + f()"))] == list("bdcaf")


def test_a_call_through_a_pointer_has_an_expression_as_callee() -> None:
    """A call through a pointer, `ops->fn(x)`, has an expression as its callee and no name."""
    call = expression("ops->fn(x)")
    assert isinstance(call, Call)
    assert call.callee == Field(Name("ops"), "fn")
    assert call.name is None
    assert call.args == (Name("x"),)


def test_arguments_are_counted_from_either_end() -> None:
    """And where there is none, there is none."""
    call = expression("f(a, b)")
    assert isinstance(call, Call)
    a, b = Name("a"), Name("b")
    assert [call.arg(index) for index in range(-3, 3)] == [None, a, b, a, b, None]


def test_sizeof_evaluates_nothing() -> None:
    """The operands of sizeof, alignof and offsetof are not evaluated."""
    assert not calls_in(expression("sizeof(f(x))"))


def test_assignments_say_what_they_write() -> None:
    """The target, and the value of a plain `=` alone."""
    a, one = Name("a"), Number(1)
    assert writes(nodes("a = 1")[0]) == ((a, one),)
    assert writes(nodes("a += 1")[0]) == ((a, None),)
    assert writes(nodes("a++")[0]) == ((a, None),)
    assert writes(nodes("--a")[0]) == ((a, None),)
    assert [t for t, _ in writes(nodes("a = b = 1")[0])] == [Name("b"), a]


def test_whether_the_old_or_the_new_value_is_used_is_kept() -> None:
    """`p++` is what `p` was, `++p` what it is then."""
    assert expression("p++") == IncDec("++", Name("p"), prefix=False)
    assert expression("--p") == IncDec("--", Name("p"), prefix=True)
    assert spell(expression("*p++")) == "*p++"
    assert spell(expression("*--p")) == "*--p"


def test_an_address_given_to_a_call_counts_as_written() -> None:
    """The callee may store through it."""
    assert writes(nodes("f(&a, b)")[0]) == ((Name("a"), None),)


def test_steps_inside_a_call_are_written_too() -> None:
    """A step inside a call is a write, too: `f(p++)` steps `p`."""
    assert writes(nodes("f(p++)")[0]) == ((Name("p"), None),)


def test_a_comma_evaluates_its_left_side_first() -> None:
    """A comma evaluates its left side first, and is its right side."""
    first, second = nodes("v = (f(), g())")
    assert spell(first) == "f()"
    assert spell(second) == "v = g()"


def test_names_are_variables_and_not_members_or_callees() -> None:
    """The names that an expression depends on are variables, and neither members nor callees."""
    assert uses(expression("a->b + c[d] * f(e)")) == {"a", "c", "d", "e"}


def test_casts_are_taken_off() -> None:
    """Casts are taken off an expression, however many there are."""
    assert strip_casts(expression("(long)(int)a")) == Name("a")


@pytest.mark.parametrize("word", ["typeof", "__typeof__", "typeof_unqual"])
def test_a_type_by_its_value_in_brackets_casts_what_stands_in_brackets(word: str) -> None:
    """It looks like a call of what a call returns."""
    assert strip_casts(expression(f"({word}(x))(a)")) == Name("a")


def test_initialisers_and_compound_literals_keep_their_calls() -> None:
    """Initialisers and compound literals, designated or not, keep their calls, each once."""
    made = nodes("struct s v = { .a = f(x), g(x) }")
    assert sorted(c.name for node in made for c in calls_in(node)) == ["f", "g"]
    (call,) = nodes("h((struct s){ .a = f(x) })")
    assert [c.name for c in calls_in(call)] == ["f", "h"]


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
    spelled = spell(expression(code))
    assert spell(expression(spelled)) == spelled


@given(CODE)
def test_every_call_of_the_text_is_in_the_expression(code: str) -> None:
    """None is lost and none comes twice."""
    assert len(calls_in(expression(code))) == code.count("f(")


@pytest.mark.parametrize(
    ("text", "means"),
    [("!x++", "!x++"), ("-x--", "-x--"), ("~p->n++", "~p->n++"), ("!!x--", "!!x--")],
)
def test_a_step_behind_a_name_is_the_step_of_that_name(text: str, means: str) -> None:
    """Postfix operators bind tighter than the unary ones before them, whatever a grammar says."""
    value = expression(text)
    assert spell(value) == means
    assert not isinstance(value, IncDec)
