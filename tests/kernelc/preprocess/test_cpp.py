# SPDX-License-Identifier: GPL-2.0-or-later
"""Directives of a text: which parts of it are compiled, and under which choices."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from lazymmu.kernelc.preprocess.directives import include_guard, scan
from lazymmu.kernelc.preprocess.macros import Macros
from lazymmu.kernelc.preprocess.selection import interpret
from tests.kernelc.seen import left, selection


class Options:
    """X is on, F and G are free, all else is off."""

    def value(self, symbol: str) -> str:
        """The state of a symbol."""
        return {"X": "y", "F": "free", "G": "free"}.get(symbol, "n")

    def number(self, symbol: str) -> int | None:
        """No symbol is a number."""
        return None


def table(**names: str) -> Macros:
    """Macros over the options above."""
    return Macros(names, Options())


LINES = st.lists(
    st.one_of(
        st.sampled_from(
            [
                b"#if 1",
                b"#if 0",
                b"# ifdef CONFIG_X",
                b"#ifndef CONFIG_X /* why */",
                b"#ifdef CONFIG_F",
                b"#elif defined(A) || \\",
                b"  defined(B)",
                b"#elif 1",
                b"#else",
                b"#endif",
                b"#define A 1",
                b"#undef A",
                b"/* #if 0",
                b"*/",
                b"// #if 0",
                b'"/*"',
                b"int a;\r",
                b"#include <b.h>",
                b"#error no",
            ]
        ),
        st.binary(max_size=12),
    ),
    max_size=24,
).map(b"\n".join)


@given(LINES)
def test_what_is_not_compiled_is_spans_in_order(text: bytes) -> None:
    """Whatever the text, they lie inside of it, and none reaches into the next."""
    position = 0
    for start, end in selection(text, table()).dead:
        assert position <= start <= end <= len(text)
        position = end


@given(LINES)
def test_regions_lie_inside_the_text(text: bytes) -> None:
    """Regions are spans of the text, and none of them is there always."""
    for start, end, presence in selection(text, table()).guarded:
        assert 0 <= start <= end <= len(text)
        assert presence


# A tree of conditionals: (the lines, the words that should be left).
Nested = tuple[list[str], list[str]]


def _group(truths: list[bool], parts: list[Nested], has_else: bool) -> Nested:
    lines: list[str] = []
    kept: list[str] = []
    taken = False
    for index, (truth, (inner, words)) in enumerate(zip(truths, parts, strict=False)):
        last = has_else and index == min(len(truths), len(parts)) - 1 and index > 0
        lines.append("#else" if last else f"#{'if' if index == 0 else 'elif'} {int(truth)}")
        lines += inner
        if not taken and (truth or last):
            kept += words
            taken = True
    return [*lines, "#endif"], kept


WORD = st.integers(0, 99999).map(lambda n: ([f"w{n}"], [f"w{n}"]))
TREE = st.recursive(
    WORD,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4).map(
            lambda parts: ([x for p in parts for x in p[0]], [x for p in parts for x in p[1]])
        ),
        st.builds(
            _group,
            st.lists(st.booleans(), min_size=1, max_size=4),
            st.lists(inner, min_size=1, max_size=4),
            st.booleans(),
        ),
    ),
    max_leaves=16,
)


@given(TREE)
def test_nested_conditionals_leave_the_branches_that_hold(tree: Nested) -> None:
    """Of each group the first branch that holds is left, at any depth."""
    lines, words = tree
    text = "\n".join(lines).encode()
    assert left(text, selection(text, table())) == [word.encode() for word in words]


def test_free_symbols_count_as_on_and_leave_their_name() -> None:
    """Code behind a choice is seen, its other side is not, and the choice is told."""
    text = b"#ifdef CONFIG_F\nyes\n#if CONFIG_G\nboth\n#endif\n#else\nno\n#endif\nafter\n"
    chosen = selection(text, table())
    assert left(text, chosen) == [b"yes", b"both", b"after"]
    spans = {text[start:end].strip(): presence for start, end, presence in chosen.guarded}
    assert spans[b"yes\n#if CONFIG_G\nboth\n#endif"] == ("CONFIG_F",)
    assert spans[b"both"] == ("CONFIG_G",)


def test_what_a_choice_defines_rests_on_it() -> None:
    """A macro defined under a free symbol passes its presence condition on to what it decides."""
    text = b"#ifdef CONFIG_F\n#define HAVE_IT\n#endif\n#ifdef HAVE_IT\nuse\n#endif\n"
    guarded = selection(text, table()).guarded
    assert [presence for start, _, presence in guarded if start > 40] == [("CONFIG_F",)]


def test_a_text_included_twice_is_there_where_either_inclusion_has_it() -> None:
    """What two inclusions decide differently is there under one condition or the other."""
    text = b"#ifdef HAVE_IT\nuse\n#endif\n#ifdef MAY\nmay\n#else\nmust\n#endif\n"
    first, second = table(), table()
    first.define("HAVE_IT", " 1", "a.h", 0, ("CONFIG_F",))
    second.define("HAVE_IT", " 1", "b.h", 0, ("CONFIG_G",))
    second.define("MAY", " 1", "b.h", 0, ("CONFIG_G",))
    merged = selection(text, first).merged(selection(text, second))
    found = {text[a:b].strip(): presence for a, b, presence in merged.guarded}
    assert found == {b"use": ("CONFIG_F || CONFIG_G",), b"may": ("CONFIG_G",)}
    assert left(text, merged) == [b"use", b"may", b"must"]


def test_directives_in_comments_are_none() -> None:
    """A directive inside a block comment, or behind `//`, does nothing."""
    text = (
        b'/* a\n#if 0\n*/ a\nx = "/*";\n#if 1\nb\n#endif /* c\n d */\n'
        b"// #if 0 /*\n#if 0\nc\n#endif\n"
    )
    words = left(text, selection(text, table()))
    assert b"b" in words
    assert b"c" not in words
    assert b"d" not in words


def test_a_comment_ends_where_c_ends_it() -> None:
    """What opens a comment inside of one is text, also where it could close it at once."""
    for comment in ("/* a /*/", "/* a /* b */", "/*/ a */", "/* a */ /* b */", "/**/", '"/*" //"'):
        text = f"{comment}\n#if 0\nno\n#endif\nyes\n".encode()
        words = left(text, selection(text, table()))
        assert (b"yes" in words, b"no" in words) == (True, False), comment


def test_a_text_defines_for_itself() -> None:
    """Defines and undefines count from where they stand, and leave the table as it was."""
    macros = table(A="1")
    text = b"#if A\n1\n#endif\n#undef A\n#if A\n2\n#endif\n#define A 1\n#ifdef A\n3\n#endif\n"
    directives, following = scan(text.decode())
    own = Macros(base=macros)
    assert left(text, interpret(directives, following, own, len(text))) == [b"1", b"3"]
    assert macros.get("A") is not None


def test_a_configuration_symbol_can_be_undefined() -> None:
    """Boot code undefines what Kconfig set (arch/x86/boot/compressed/misc.h)."""
    text = b"#undef CONFIG_X\n#ifdef CONFIG_X\nno\n#endif\n#if IS_ENABLED(CONFIG_X)\nno\n#endif\n"
    assert left(text, selection(text, table())) == []


def test_an_include_guard_is_known_by_what_it_wraps() -> None:
    """Only a guard around all directives of a file is one; code outside it makes no difference."""

    def of(text: str) -> str | None:
        return include_guard(*scan(text))

    assert of("/* x */\n#ifndef _A_H\n#define _A_H\n#if 1\n#endif\n#endif\n") == "_A_H"
    assert of("#ifndef set_it\n#endif\n#ifdef B\n#endif\n") is None
    assert of("#define A\n") is None
    assert of("") is None


def test_includes_are_followed_in_the_order_of_the_text() -> None:
    """Only live includes are, each with the macros that are defined there."""
    seen: list[tuple[str, bool]] = []
    macros = table()
    text = '#include <a.h>\n#define A\n#if 0\n#include <b.h>\n#endif\n# include "c.h"\n'
    interpret(
        *scan(text),
        macros,
        len(text),
        include=lambda argument: seen.append((argument, macros.defined("A")[0])),
    )
    assert seen == [("<a.h>", False), ('"c.h"', True)]


def test_macros_tell_their_parameters_and_value() -> None:
    """Comments and line continuations are no part of a value."""
    macros = table()
    text = "#define F(a, \\\n b) a + /* x */ b // y\n#define O  7 \\\n + 1\n#define E\n"
    interpret(*scan(text), macros, len(text))
    found = {name: macros.get(name) for name in "FOE"}
    assert [m and m.parameters for m in found.values()] == [("a", "b"), None, None]
    assert [m and " ".join(m.value.split()) for m in found.values()] == ["a + b", "7 + 1", ""]


def test_a_condition_may_have_comments_and_continuations() -> None:
    """The expression is read as it stands in the text."""
    text = b"#if defined(CONFIG_X) /* and */ && \\\n 1\nyes\n#endif\n"
    assert left(text, selection(text, table())) == [b"yes"]


@given(LINES)
def test_two_inclusions_compile_what_either_of_them_does(text: bytes) -> None:
    """A header that is included twice, with other macros, is seen in all that it was."""
    one, other = selection(text, table(A="1")), selection(text, table(B="1"))
    merged = one.merged(other)
    assert merged.dead == other.merged(one).dead
    for offset in range(len(text)):
        assert merged.is_compiled(offset) == (one.is_compiled(offset) or other.is_compiled(offset))


def test_what_one_inclusion_compiles_without_a_choice_rests_on_none() -> None:
    """What both rest on stays, and what only one compiles rests on what it rests on there."""
    text = (
        b"#if defined(CONFIG_F) || defined(B)\nshared\n#endif\n"
        b"#ifdef CONFIG_G\nboth\n#endif\n#ifdef A\n#ifdef CONFIG_F\nmine\n#endif\n#endif\n"
    )
    for one, other in ((table(A="1"), table(B="1")), (table(B="1"), table(A="1"))):
        merged = selection(text, one).merged(selection(text, other))
        found = {word: merged.presence(text.index(word)) for word in (b"shared", b"both", b"mine")}
        assert found == {b"shared": (), b"both": ("CONFIG_G",), b"mine": ("CONFIG_F",)}


def test_a_place_rests_on_all_the_choices_around_it() -> None:
    """The outermost comes first, each is named once, and what ended before is none of them."""
    text = (
        b"#ifdef CONFIG_F\none\n#ifdef CONFIG_G\ntwo\n#ifdef CONFIG_F\nthree\n#endif\n#endif\n"
        b"four\n#else\nno\n#endif\n#ifdef CONFIG_G\nfive\n#endif\nsix\n"
    )
    chosen = selection(text, table())
    words = (b"one", b"two", b"three", b"four", b"five", b"six")
    assert [chosen.presence(text.index(word)) for word in words] == [
        ("CONFIG_F",),
        ("CONFIG_F", "CONFIG_G"),
        ("CONFIG_F", "CONFIG_G"),
        ("CONFIG_F",),
        ("CONFIG_G",),
        (),
    ]


def test_a_macro_rests_on_the_choices_around_its_definition_in_order() -> None:
    """The outermost comes first, also for what the macro decides elsewhere."""
    text = (
        b"#ifdef CONFIG_F\n#ifdef CONFIG_G\n#define HAVE\n#endif\n#endif\n"
        b"#ifdef HAVE\nuse\n#endif\n"
    )
    assert selection(text, table()).presence(text.index(b"use")) == ("CONFIG_F", "CONFIG_G")


def test_the_other_side_of_nothing_ends_nothing() -> None:
    """A stray `#else`, `#elif` or `#endif` is passed over, and what follows is read."""
    for stray in ("#else", "#elif 1", "#endif"):
        text = f"{stray}\nfirst\n#if 0\nno\n#endif\nlast\n".encode()
        assert left(text, selection(text, table())) == [b"first", b"last"]
