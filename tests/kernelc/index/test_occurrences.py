# SPDX-License-Identifier: GPL-2.0-or-later
"""What a word stands in, without parsing the file."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lazymmu.kernelc.index.occurrences import Context, Occurrence, occurrences
from lazymmu.kernelc.preprocess.line_splicing import whole_words


def found(text: str) -> tuple[Occurrence, ...]:
    """Every word of a text that contains `lazy`."""
    return occurrences(text.encode(), b"lazy")


def one(text: str) -> Occurrence:
    """The only word of a text that contains `lazy`."""
    (item,) = found(text)
    return item


@pytest.mark.parametrize(
    ("text", "context"),
    [
        ("/* lazy */", Context.COMMENT),
        ("int a; // lazy", Context.COMMENT),
        ("/* never closed: lazy", Context.COMMENT),
        ('char *s = "lazy";', Context.STRING),
        ("#ifdef lazy\n#endif\n", Context.DIRECTIVE),
        ("#if defined(x) && \\\n\tdefined(lazy)\n#endif\n", Context.DIRECTIVE),
        ("#undef lazy\n", Context.DIRECTIVE),
        ('#include "lazy.h"\n', Context.STRING),
        ("#include <linux/lazy.h>\n", Context.DIRECTIVE),
        ("#define lazy(x) go(x)\n", Context.DECLARATION),
        ("#define other(x) lazy(x)\n", Context.BODY),
        ("#define other(x) \\\n\tlazy(x)\n", Context.BODY),
        ("void lazy(void);", Context.DECLARATION),
        ("extern int\nlazy(struct box *b);", Context.DECLARATION),
        ("void other(struct lazy *b);", Context.DECLARATION),
        ("struct lazy {\n\tint a;\n};", Context.DECLARATION),
        ("struct box {\n\tint lazy;\n};", Context.DECLARATION),
        ("struct box {\n\tvoid (*lazy)(int);\n};", Context.DECLARATION),
        ("static int lazy;", Context.DECLARATION),
        ("void lazy(void)\n{\n\tgo();\n}\n", Context.DECLARATION),
        ("void f(void)\n{\n\tlazy();\n}\n", Context.BODY),
        ("EXPORT_SYMBOL_GPL(lazy);", Context.EXPORT),
        ("struct ops ops = {\n\t.enter = lazy,\n};", Context.VALUE),
        ("static void (*hook)(void) = lazy;", Context.VALUE),
        ("DEFINE_GUARD(mode, int, lazy(), end())", Context.MACRO),
        ("DEFINE_FN(mine, {\n\tlazy();\n})", Context.MACRO),
        ("lazy();", Context.STRAY),
        ("\tvoid f(struct box *b)\n\t{\n\t\tlazy();\n\t}\n", Context.STRAY),
        ("int f(a)\n\tint a;\n{\n\tif (a) {\n\t\tlazy();\n\t}\n}\n", Context.STRAY),
    ],
)
def test_a_word_stands_in_something(text: str, context: Context) -> None:
    """Each kind of place is told from the others."""
    assert one(text).context is context


def test_what_follows_a_function_is_at_file_level_again() -> None:
    """A body that is left behind says nothing of what comes after it."""
    text = "void f(void)\n{\n\tif (x) {\n}\n\nvoid lazy(void);\nEXPORT_SYMBOL(lazy);\n"
    assert [item.context for item in found(text)] == [Context.DECLARATION, Context.EXPORT]


def test_a_place_is_told_with_its_line_and_its_word() -> None:
    """The whole identifier, on the line where it begins, even if a splice cuts it."""
    item = one("\n\nvoid f(void)\n{\n\tgo_la\\\nzy_on();\n}\n")
    assert (item.word, item.line, item.called) == ("go_lazy_on", 5, True)
    assert item.definition is not None
    assert item.definition.name == "f"


def test_the_innermost_definition_is_told() -> None:
    """A macro that is defined inside a function has its own body."""
    item = one("void f(void)\n{\n#define own() lazy()\n\town();\n}\n")
    assert item.definition is not None
    assert (item.definition.name, item.definition.kind) == ("own", "macro")


def test_the_macro_around_a_word_is_named() -> None:
    """So that the reason of a loss can say which one is not followed."""
    assert one("DEFINE_GUARD(mode, int, lazy(), end())").outer == "DEFINE_GUARD"


def test_members_tags_and_calls_are_told_apart() -> None:
    """By what stands directly before and behind the word."""
    text = "void f(void)\n{\n\tstruct lazy *p; p->lazy = 1; q.lazy = 2; lazy (3); lazy + 1;\n}\n"
    tags = [(item.tag, item.field, item.called) for item in found(text)]
    assert tags == [
        (True, False, False),
        (False, True, False),
        (False, True, False),
        (False, False, True),
        (False, False, False),
    ]


PIECES = (
    *("lazy", "lazy()", "x", "(", ")", "{", "}", ";", "=", "\n", "\\\n", '"', "'", "/*", "*/"),
    *("#define a ", "#if ", "struct ", "void f(void)\n{\n", "\n}\n", "EXPORT_SYMBOL("),
)


@given(st.lists(st.sampled_from(PIECES), max_size=40).map("".join))
def test_every_word_is_found_once_whatever_surrounds_it(text: str) -> None:
    """The places are those of a plain search, in their order, on their lines."""
    items = found(text)
    whole = whole_words(text.encode())
    places = [item.start for item in items]
    assert places == sorted(set(places))
    for at in (match.start() for match in re.finditer(b"lazy", whole)):
        around = [i for i in items if i.start <= at < i.start + len(i.word)]
        assert len(around) == 1
        assert around[0].line == whole.count(b"\n", 0, around[0].start) + 1
