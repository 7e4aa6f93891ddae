# SPDX-License-Identifier: GPL-2.0-or-later
"""`gcc -E` selects the lines that our reader of conditionals selects, for each configuration."""

from __future__ import annotations

import itertools
import os
import re
from collections.abc import Mapping, Sequence

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lazymmu.kernelc.preprocess.directives import scan
from lazymmu.kernelc.preprocess.macros import Macros
from lazymmu.kernelc.preprocess.selection import interpret
from lazymmu.kernelc.presence import NEVER, is_negative, literals, symbol_of
from tests.oracles.conftest import Preprocess

CONFIGS = ("CONFIG_A", "CONFIG_B", "CONFIG_C")
ASSIGNMENTS = [
    {name: "1" for name, on in zip(CONFIGS, chosen, strict=True) if on}
    for chosen in itertools.product((False, True), repeat=len(CONFIGS))
]

NUMBERS = st.sampled_from(
    [
        *("0", "1", "2", "7", "010", "0x10", "0b11", "1u", "3UL", "1LL", "63", "64", "65"),
        *("0x7fffffff", "0xffffffff", "0x7fffffffffffffff", "0xffffffffffffffff"),
        *("9223372036854775808u", "18446744073709551615U"),
        *("'a'", "'\\n'", "'\\0'", "'\\x41'", "'\\101'", "'\\''"),
    ]
)
MACROS = {
    "ONE": "1",
    "NEGATIVE": "(-1)",
    "SUM": "1 + 2",
    "EMPTY": "",
    "ITSELF": "ITSELF",
    "TO": "BACK",
    "BACK": "TO + 1",
    "WIDTH": "CONFIG_A_WIDTH",
    "ADD(x, y)": "((x) + (y))",
    "LAST(...)": "__VA_ARGS__",
    "KNOWN(x)": "defined(x)",
    "PASTE(x, y)": "x##y",
    "SHIFTED(x)": "PASTE(x, UL)",
    "NO_CALL(x)": "x",
    "NOTHING()": "5",
    "BETWEEN": "ADD",
    "REST(first, rest...)": "first + rest + 0",
    "OPTIONAL(first, ...)": "SECOND(first, ##__VA_ARGS__, 3, 4)",
    "SECOND(ignored, value, ...)": "value",
    "HOLDER_1": "0,",
    "IS_ON(option)": "IS_ON_2(option)",
    "IS_ON_2(value)": "IS_ON_3(HOLDER_##value)",
    "IS_ON_3(junk)": "SECOND(junk 1, 0)",
    "SPACED( a , b )": "(a - b)",
    "COMMENTED(a) /* (b) */": "(a) // - 1",
}
NAMES = ["ONE", "NEGATIVE", "SUM", "ITSELF", "TO", "WIDTH", "UNKNOWN", "NO_CALL", "true", *CONFIGS]
BINARY = ["*", "/", "%", "+", "-", "<<", ">>", "<", ">", "<=", ">=", "==", "!=", "&", "^", "|"]
BINARY += ["&&", "||"] * 4


def grown(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Expressions over expressions."""
    pair = st.tuples(inner, inner)
    return st.one_of(
        st.tuples(inner, st.sampled_from(BINARY), inner).map(" ".join),
        st.tuples(st.sampled_from(["!", "~", "-", "+", "- -", "!!"]), inner).map("".join),
        inner.map("({})".format),
        st.tuples(inner, inner, inner).map(lambda three: "{} ? {} : {}".format(*three)),
        pair.map(lambda two: "ADD({}, {})".format(*two)),
        pair.map(lambda two: "BETWEEN({},{})".format(*two)),
        inner.map("LAST({})".format),
        inner.map("NO_CALL({})".format),
        pair.map(lambda two: "REST({},{})".format(*two)),
        pair.map(lambda two: "OPTIONAL({}, {})".format(*two)),
        pair.map(lambda two: "SPACED( {}, {} )".format(*two)),
        pair.map(lambda two: "ADD ({} /* , */, \\\n {})".format(*two)),
        inner.map("COMMENTED({})".format),
        inner.map("OPTIONAL({})".format),
        inner.map("REST({})".format),
    )


LEAVES = st.one_of(
    NUMBERS,
    st.sampled_from(NAMES),
    st.sampled_from([*NAMES, "EMPTY", "ADD"]).map("defined({})".format),
    st.sampled_from([*CONFIGS, "EMPTY"]).map("defined {}".format),
    st.sampled_from([*CONFIGS, "EMPTY"]).map("KNOWN({})".format),
    st.sampled_from(["PASTE(O, NE)", "PASTE(1, 2)", "SHIFTED(3)", "PASTE(,1)", "NOTHING()"]),
    st.sampled_from(
        ["'ab'", "'\\0a'", "'abcde'", "IS_ON(CONFIG_A)", "IS_ON(CONFIG_B)", "IS_ON(ONE)"]
    ),
)
EXPRESSIONS = st.recursive(LEAVES, grown, max_leaves=12)

DEFINES = "".join(f"#define {name} {text}\n" for name, text in MACROS.items())

COMMENT = re.compile(r"/\*.*?(?:\*/|\Z)|//[^\n]*", re.DOTALL)


class Chosen:
    """A configuration in which each option is on or off, and none is free."""

    def __init__(self, on: Mapping[str, str]) -> None:
        self.on = on

    def value(self, symbol: str) -> str:
        """The state of a symbol."""
        return "y" if f"CONFIG_{symbol}" in self.on else "n"

    def number(self, symbol: str) -> int | None:
        """No symbol is a number."""
        return None


def ours(text: str, on: Mapping[str, str]) -> list[str]:
    """The words of a text that are compiled and stand in no directive, by our reader."""
    directives, following = scan(text)
    dead = interpret(directives, following, Macros({}, Chosen(on)), len(text)).dead
    live, position = "", 0
    for start, end in sorted([*dead, *(item[1:3] for item in directives)]):
        live += text[position:start] + "\n"
        position = max(position, end)
    return COMMENT.sub(" ", live + text[position:]).split()


def conditional(expressions: Sequence[str]) -> str:
    """A text in which `yes_3` is left where the fourth expression is true, and else `no_3`."""
    return DEFINES + "".join(
        f"#if {expression}\nyes_{number}\n#else\nno_{number}\n#endif\n"
        for number, expression in enumerate(expressions)
    )


def wrong_values(
    preprocess: Preprocess, expressions: Sequence[str], on: Mapping[str, str]
) -> list[str]:
    """The expressions of which gcc says something else than we do, with what it says."""
    text = conditional(expressions)
    words, errors = preprocess(text, on)
    mine = set(ours(text, on))
    lines = text.splitlines()
    unread = {lines[line] for line in errors}  # `yes_3`, after the line with the error
    return [
        f"{expressions[int(number)]}: {truth}"
        for word in words
        for truth, _, number in [word.partition("_")]
        if word not in mine and f"yes_{number}" not in unread
    ]


CASES = int(os.environ.get("LAZYMMU_FUZZ", "20"))
"""How many inputs a test makes, as for tests/fuzz."""

ORACLE = settings(
    max_examples=CASES, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.mark.parametrize("on", [ASSIGNMENTS[0], ASSIGNMENTS[-1], ASSIGNMENTS[5]], ids=list)
@given(expressions=st.lists(EXPRESSIONS, min_size=1, max_size=40))
@ORACLE
def test_an_expression_has_the_value_that_gcc_gives_it(
    preprocess: Preprocess, on: Mapping[str, str], expressions: list[str]
) -> None:
    """Operators, signedness, widths, macros and `defined` are as the kernel's compiler has them."""
    assert wrong_values(preprocess, expressions, on) == []


# What stands in a file beside conditionals: none of it may confuse the reader.
PLAIN = st.sampled_from(
    [
        "#define LOCAL 1",
        "#define LOCAL 0",
        "#undef LOCAL",
        "#undef CONFIG_B",
        "#define CONFIG_C 1",
        "#define SIZED(x) ((x) > 2)",
        "# define  LONG  \\\n  1",
        "/* #if 0",
        "   */",
        "/* #else */ # undef LOCAL",
        "// #if 0",
        "#pragma once_more",
        '#error "not here"',
        "#",
    ]
)
OPENERS = st.one_of(
    st.sampled_from((*CONFIGS, "LOCAL", "SIZED", "LONG")).flatmap(
        lambda name: st.sampled_from(
            [
                f"#ifdef {name}",
                f"#ifndef {name}",
                f"# ifdef {name} /* why */",
                f"#if defined({name}) && \\\n  !defined(CONFIG_A) // so",
                f"#if defined({name}) == LOCAL + 0",
                f"#if {name} /* or\n   not */ || LONG",
            ]
        )
    ),
    st.sampled_from(["#if 0", "#if 1", "#if SIZED(LOCAL + 2)", " \t# \tif (LONG)", "#if'0'"]),
)


@st.composite
def files(draw: st.DrawFn, depth: int = 0) -> list[str]:
    """Lines of a file: conditionals in conditionals, with a `word` that gets its number later."""
    lines = []
    for _ in range(draw(st.integers(1, 3))):
        kind = draw(st.sampled_from(["word", "plain", "conditional", "conditional"]))
        if kind == "word" or (kind == "conditional" and depth == 4):
            lines.append("word")
        elif kind == "plain":
            lines.append(draw(PLAIN))
        else:
            lines += [draw(OPENERS), *draw(files(depth + 1))]
            for _ in range(draw(st.integers(0, 2))):
                test = draw(OPENERS.filter(re.compile(r"\s*#\s*if\b").match))
                lines += [re.sub(r"#\s*if", "#elif", test, count=1), *draw(files(depth + 1))]
            if draw(st.booleans()):
                lines += ["#else /* otherwise */", "word", *draw(files(depth + 1))]
            lines.append("#endif // done")
    return lines


def numbered(lines: list[str]) -> str:
    """A text in which each word that stands alone has a number."""
    counter = itertools.count()
    return "\n".join(f"word_{next(counter)}" if line == "word" else line for line in lines) + "\n"


def words(text: Sequence[str]) -> list[str]:
    """Those with a number: what is left of comments and pragmas may be spaced otherwise."""
    return [word for word in text if word.startswith("word_")]


@given(lines=files())
@ORACLE
def test_the_lines_of_a_file_are_selected_as_gcc_selects_them(
    preprocess: Preprocess, lines: list[str]
) -> None:
    """Nested groups, #elif, comments, and defines in between leave the same lines to both."""
    text = numbered(lines)
    for on in ASSIGNMENTS:
        theirs, _ = preprocess(text, on)
        assert words(ours(text, on)) == words(theirs), (text, on)


class Free(Chosen):
    """A configuration in which somebody may choose each option."""

    def __init__(self) -> None:
        super().__init__({})

    def value(self, symbol: str) -> str:
        """The state of a symbol: each of ours is free, and others are off."""
        return "free" if f"CONFIG_{symbol}" in CONFIGS else "n"


def is_on(literal: str, on: frozenset[str]) -> bool:
    """Whether a literal holds in a configuration."""
    return (symbol_of(literal) in {name.removeprefix("CONFIG_") for name in on}) != is_negative(
        literal
    )


@given(lines=files())
@ORACLE
def test_a_line_is_there_in_each_configuration_of_its_presence_condition(
    preprocess: Preprocess, lines: list[str]
) -> None:
    """Wherever the presence condition of a line holds, gcc compiles the line."""
    text = numbered(lines)
    directives, following = scan(text)
    chosen = interpret(directives, following, Macros({}, Free()), len(text))
    everywhere = dict.fromkeys(CONFIGS, "1")
    live = words(ours(text, everywhere))
    theirs = {frozenset(on): words(preprocess(text, on)[0]) for on in ASSIGNMENTS}
    for word in live:
        place = re.search(rf"\b{word}\b", text)
        presence = chosen.presence(place.start()) if place is not None else NEVER
        for on, compiled in theirs.items():
            if all(any(is_on(one, on) for one in literals(clause)) for clause in presence):
                assert word in compiled, (text, word, presence, on)
