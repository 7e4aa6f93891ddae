# SPDX-License-Identifier: GPL-2.0-or-later
"""Conditions of `#if`: arithmetic, macros, options, and what a result rests on."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lazymmu.kernelc.preprocess.if_expression import evaluate
from lazymmu.kernelc.preprocess.macros import Macros
from lazymmu.kernelc.presence import ALWAYS

NUMBER = st.integers(0, 2**40)
NAMES = {"ONE": "1", "BIG": "(1UL << 40)", "SUM": "(ONE + 2)", "NOTHING": ""}
VALUES = {"ONE": (1, False), "BIG": (1 << 40, True), "SUM": (3, False), "UNKNOWN": (0, False)}


class Options:
    """A configuration by hand: X is on, F, G, H are free, LEVELS is a number, all else is off."""

    def value(self, symbol: str) -> str:
        """The state of a symbol."""
        return {"X": "y", "F": "free", "G": "free", "H": "free"}.get(symbol, "n")

    def number(self, symbol: str) -> int | None:
        """The number of a symbol."""
        return {"LEVELS": 5}.get(symbol)


def holds(text: str, **names: str) -> bool:
    """Whether a condition holds with the options above and the macros given."""
    return evaluate(text, Macros(names, Options()))[0]


def rests_on(text: str) -> tuple[str, ...]:
    """The presence condition of its value."""
    return evaluate(text, Macros(None, Options()))[1]


def wrap(number: int, unsigned: bool) -> tuple[int, bool]:
    """A number as a 64-bit one."""
    number &= 2**64 - 1
    return (number - 2**64 if not unsigned and number >> 63 else number), unsigned


# An expression as C text, and its value by Python's arithmetic: (value, is unsigned).
Term = tuple[str, tuple[int, bool]]


def leaf() -> st.SearchStrategy[Term]:
    """Numbers in all spellings, macros, and names that are none."""
    return st.one_of(
        NUMBER.map(lambda n: (str(n), (n, False))),
        NUMBER.map(lambda n: (f"{n:#x}UL", (n, True))),
        st.integers(0, 511).map(lambda n: (f"0{n:o}", (n, False))),
        st.sampled_from(sorted(VALUES)).map(lambda name: (name, VALUES[name])),
    )


def unary(term: Term, operator: str) -> Term:
    """An operator before a term."""
    text, (value, unsigned) = term
    if operator == "!":
        return f"!({text})", (int(value == 0), False)
    number = {"-": -value, "+": value, "~": ~value}[operator]
    return f"{operator} ({text})", wrap(number, unsigned)


def binary(left: Term, operator: str, right: Term) -> Term:
    """An operator between two terms, by the usual conversions."""
    (a, a_unsigned), (b, b_unsigned) = left[1], right[1]
    text = f"({left[0]}) {operator} ({right[0]})"
    if operator in ("&&", "||"):
        truth = (a and b) if operator == "&&" else (a or b)
        return text, (int(bool(truth)), False)
    if operator in ("<<", ">>"):
        count = max(-64, min(b if operator == "<<" else -b, 64))
        return text, wrap(a << count if count >= 0 else a >> -count, a_unsigned)
    unsigned = a_unsigned or b_unsigned
    a, b = wrap(a, unsigned)[0], wrap(b, unsigned)[0]
    if operator in ("/", "%"):
        if b == 0:
            return text, (0, unsigned)
        quotient = abs(a) // abs(b) * (1 if (a < 0) == (b < 0) else -1)
        return text, wrap(quotient if operator == "/" else a - b * quotient, unsigned)
    compared = {
        "<": a < b,
        "<=": a <= b,
        ">": a > b,
        ">=": a >= b,
        "==": a == b,
        "!=": a != b,
    }
    if operator in compared:
        return text, (int(compared[operator]), False)
    number = {"+": a + b, "-": a - b, "*": a * b, "&": a & b, "|": a | b, "^": a ^ b}[operator]
    return text, wrap(number, unsigned)


OPERATORS = [*"+-*/%<>&|^", "<<", ">>", "<=", ">=", "==", "!=", "&&", "||"]
TERM = st.recursive(
    leaf(),
    lambda inner: st.one_of(
        st.builds(unary, inner, st.sampled_from("!-+~")),
        st.builds(binary, inner, st.sampled_from(OPERATORS), inner),
        st.builds(
            lambda test, yes, no: (
                f"({test[0]}) ? ({yes[0]}) : ({no[0]})",
                wrap((yes if test[1][0] else no)[1][0], yes[1][1] or no[1][1]),
            ),
            inner,
            inner,
            inner,
        ),
    ),
    max_leaves=12,
)


@given(TERM)
def test_arithmetic_is_that_of_c(term: Term) -> None:
    """Any expression has the value that 64-bit arithmetic gives it, signed and unsigned."""
    text, (value, _) = term
    assert holds(text, **NAMES) == (value != 0)
    literal = f"{value}" if value >= 0 else f"(0 - {-value}UL)"
    assert holds(f"({text}) == {literal}", **NAMES)


@given(st.lists(st.integers(0, 9), min_size=2, max_size=8), st.data())
def test_operators_bind_as_in_c(numbers: list[int], data: st.DataObject) -> None:
    """Without parentheses, `* %` bind before `+ -`, those before comparisons, and so on."""
    operators = [data.draw(st.sampled_from(["*", "+", "-", "&", "|", "^"])) for _ in numbers[1:]]
    text = str(numbers[0])
    for operator, number in zip(operators, numbers[1:], strict=True):
        text += f" {operator} {number}"
    # These operators have the same order in Python as in C.
    assert holds(f"({text}) == (0{eval(text):+d})")


@given(st.text(alphabet="ab01 ()!&|<>=+-*/%?:,#'\"\\.$~^defined", max_size=40))
def test_any_text_is_a_condition_or_false(text: str) -> None:
    """What is no expression is false, and never an error."""
    assert evaluate(text, Macros(NAMES, Options()))[0] in (True, False)


def test_function_like_macros_are_replaced() -> None:
    """Arguments are replaced first, `##` joins words and numbers, a macro is not its own text."""
    table = Macros({"A": "A + 1", "TWO": "2"}, Options())
    table.define("ADD", "(a, b) ((a) + (b))", "x.h", 0, ())
    table.define("JOIN", "(a, b) a##b", "x.h", 0, ())
    table.define("NAMED", "() ADD", "x.h", 0, ())
    table.define("MANY", "(...) (__VA_ARGS__)", "x.h", 0, ())
    table.define("PICK", "(a, b, c) b", "x.h", 0, ())
    table.define("SECOND", "(...) PICK(__VA_ARGS__)", "x.h", 0, ())
    table.define("LAST", "(first, rest...) PICK(first, rest)", "x.h", 0, ())
    for text in (
        "ADD(TWO, ADD(1, 1)) == 4",
        "JOIN(1, UL) << 40 == 1UL << 40",
        "JOIN(T, WO) == 2",
        "NAMED()(1, 2) == 3",
        "MANY(3) == 3",
        "SECOND(1, 2, 3) == 2",
        "LAST(1, 2, 3) == 2",
        "A == 1",
        "ADD == 0",
    ):
        assert evaluate(text, table)[0], text
    assert not evaluate("ADD(1", table)[0]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("defined(CONFIG_X)", True),
        ("defined CONFIG_OFF", False),
        ("defined(CONFIG_LEVELS) && CONFIG_LEVELS > 4", True),
        ("IS_ENABLED(CONFIG_F)", True),
        ("IS_BUILTIN(CONFIG_X) && !IS_MODULE(CONFIG_X)", True),
        ("IS_REACHABLE(CONFIG_OFF)", False),
        ("IS_ENABLED == 0", True),
        ("defined(IS_ENABLED) || __has_attribute", False),
        ("CONFIG_F", True),
        ("CONFIG_OFF", False),
        ("__has_attribute(__fallthrough__)", True),
        ("__has_include(<x.h>)", False),
        ("unknown_function(1)", False),
    ],
)
def test_options_are_asked_for_as_the_kernel_does(text: str, expected: bool) -> None:
    """The kernel's tests of options and the compiler's of features are understood."""
    assert holds(text) == expected


@pytest.mark.parametrize(
    ("text", "presence"),
    [
        ("defined(CONFIG_X)", ()),
        ("IS_ENABLED(CONFIG_F)", ("CONFIG_F",)),
        ("defined(CONFIG_F) && defined(CONFIG_G)", ("CONFIG_F", "CONFIG_G")),
        ("defined(CONFIG_F) || defined(CONFIG_X)", ()),
        ("defined(CONFIG_F) || defined(CONFIG_G)", ("CONFIG_F || CONFIG_G",)),
        (
            "defined(CONFIG_F) && defined(CONFIG_H) || defined(CONFIG_G)",
            ("CONFIG_F || CONFIG_G", "CONFIG_H || CONFIG_G"),
        ),
        ("defined(CONFIG_F) && defined(CONFIG_G) || defined(CONFIG_F)", ("CONFIG_F",)),
        ("!defined(CONFIG_F) && !defined(CONFIG_G)", ("CONFIG_F || CONFIG_G",)),
        ("defined(CONFIG_F) || defined(CONFIG_OFF)", ("CONFIG_F",)),
        ("!defined(CONFIG_F)", ("CONFIG_F",)),
        ("defined(CONFIG_OFF) && defined(CONFIG_F)", ()),
        ("CONFIG_LEVELS > 2", ()),
    ],
)
def test_a_result_names_the_choices_it_rests_on(text: str, presence: tuple[str, ...]) -> None:
    """Only symbols without which the result might be another are named."""
    assert rests_on(text) == presence


@pytest.mark.parametrize(
    "text",
    [
        "!true",  # of GNU C11 it is a name: include/linux/stddef.h makes it an enumerator
        "'\\x41' == 65 && '\\101' == 65 && 'ab' == 0x6162",
        "(1 << 64) == 0 && (1 << 0xffffffffffffffff) == 0 && (-1 >> 70) == -1",
        "(4 << -1) == 2 && (4 >> -1) == 8",
        "JOIN(,7) == 7 && JOIN(7,) == 7",
        "AGAIN(SELF == 0)",
        "AGAIN(AGAIN(ASKS(CONFIG_NOT_SET)) == 0)",
        "NAMED(5) == 5 && NAMED(5, 6) == 11",
        "OPTIONAL(1) == 3 && OPTIONAL(1, 2) == 2",
    ],
)
def test_corners_are_as_the_compiler_has_them(text: str) -> None:
    """What gcc -E was asked about: each of these expressions is true."""
    table = Macros({"SELF": "SELF + 0"})
    for name, body in {
        "JOIN": "(x, y) x##y",
        "AGAIN": "(x) x",
        "ASKS": "(x) defined(x)",
        "NAMED": "(first, rest...) first + rest + 0",
        "SECOND": "(a, b, ...) b",
        "OPTIONAL": "(a, ...) SECOND(a, ##__VA_ARGS__, 3, 4)",
    }.items():
        table.define(name, body, "", 0, ALWAYS)
    assert evaluate(text, table)[0]
