# SPDX-License-Identifier: GPL-2.0-or-later
"""Macros replaced by their text: what they come to, and where each piece of that comes from."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lazymmu.kernelc.expand.c_tokens import joined, tokens
from lazymmu.kernelc.expand.expansion import Expander, ExpansionError, MacroText
from lazymmu.kernelc.expand.leaving import woven

_DEFINE = re.compile(r"(\w+)(?:\(([^)]*)\))? ?(.*)")


def macros(*defines: str) -> dict[bytes, MacroText]:
    """The macros of some `#define` lines, without that word."""
    found = {}
    for line in defines:
        match = _DEFINE.fullmatch(line)
        assert match is not None
        params = None if match[2] is None else [p.strip() for p in match[2].split(",") if p.strip()]
        found[match[1].encode()] = MacroText.of(match[1], params, match[3].encode())
    return found


def expanded(text: str, *defines: str) -> str:
    """What a text comes to, with one space between what is apart."""
    known = macros(*defines)
    expander = Expander(lambda token, _: known.get(token.text), known.get)
    made, _ = joined(expander.run(list(tokens(text.encode()))))
    return " ".join(made.decode().split())


@pytest.mark.parametrize(
    ("text", "defines", "comes_to"),
    [
        ("a ONE b", ["ONE 1"], "a 1 b"),
        ("f(x)", ["f(y) (y + y)"], "(x + x)"),
        ("f", ["f(y) y"], "f"),
        ("f(f(1))", ["f(y) y y"], "1 1 1 1"),
        ("a", ["a b", "b a c"], "a c"),
        ("name(x)", ["name(n) class_##n##_t"], "class_x_t"),
        ("g(a, b)", ["g(x...) h(x)"], "h(a, b)"),
        ("g(a)", ["g(x, ...) h(x, ##__VA_ARGS__)"], "h(a)"),
        ("g(a, b, c)", ["g(x, ...) h(x, ##__VA_ARGS__)"], "h(a, b, c)"),
        ("g(a)", ["g(x, ...) h(x __VA_OPT__(,) __VA_ARGS__)"], "h(a)"),
        ("g(a b)", ["g(x) #x"], '""'),
        (
            "D(a, b, c)",
            [
                "D(X...) JOIN(D_, COUNT(X))(X)",
                "JOIN(a, b) JOINED(a, b)",
                "JOINED(a, b) a##b",
                "COUNT(X...) COUNTED(, ##X, 3, 2, 1, 0)",
                "COUNTED(_0, _1, _2, _3, _n, X...) _n",
                "D_3(a, b, c) three(a b c)",
            ],
            "three(a b c)",
        ),
        ("f(x) b", ["f(y) y /* y is read */"], "x b"),
        ("f(x) b", ["f(y) y // y is read"], "x b"),
        (
            "L(x)",
            ["L(n) M(n, __UNIQUE_ID(l))", "M(n, l) l: goto l"],
            "__unique_l_1: goto __unique_l_1",
        ),
    ],
)
def test_a_use_comes_to_the_text(text: str, defines: list[str], comes_to: str) -> None:
    """As the standard and GCC have it; an argument is replaced where that makes one word."""
    assert expanded(text, *defines).replace("( ", "(") == comes_to


def test_what_never_ends_is_refused() -> None:
    """A stranger's macros may double with each other: that has a bound, and a reason."""
    doubling = [f"m{n}(x) m{n + 1}(x x)" for n in range(40)]
    with pytest.raises(ExpansionError, match="more than 200000 tokens"):
        expanded("m0(a)", *doubling)


def test_each_piece_has_the_place_that_it_comes_from() -> None:
    """An argument that of the argument, and a macro's own text that of its use."""
    text = b"x;\n  f(arg,\n    other) y"
    known = macros("f(a, b) do { own(b); a; } while (0)")
    made, origins = joined(
        Expander(lambda token, _: known.get(token.text), known.get).run(list(tokens(text)))
    )
    for word in (b"arg", b"other", b"y"):
        assert text[origins.of(made.index(word)) :].startswith(word)
    assert text[origins.of(made.index(b"own")) :].startswith(b"f(arg")


@pytest.mark.parametrize("said", ["/* see f() */", "// see f()"])
def test_a_word_of_a_comment_is_no_word_of_a_macro(said: str) -> None:
    """What a comment names has no part in what the macro comes to, wherever that stands."""
    macro = MacroText.of("m", ["x"], f"g(x) {said}".encode())
    assert macro.words == {b"g"}
    assert [token.text for token in macro.body] == [b"g", b"(", b"x", b")"]


@given(st.text("ab(){},;#\\\n\"' 1_", max_size=60))
def test_a_text_without_macros_stays_as_it_is(text: str) -> None:
    """Whatever it is; only what stands behind its last token may go."""
    source = text.encode()
    made, origins = joined(Expander(lambda *_: None, lambda _: None).run(list(tokens(source))))
    assert source.startswith(made)
    assert all(origins.of(at) == at for at in range(len(made)) if made[at : at + 1].isalnum())


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("do { if (x) return v; } while (0)", True),
        ("({ if (x) return y; z; })", True),
        ("goto out", True),
        ("if (x) break", True),
        ("if (x) continue", True),
        ("switch (x) { case 1: continue; }", True),
        ("guard(mutex)(m)", True),
        ("scoped_guard(mutex, m)", True),
        ("__attribute__((cleanup(end)))", True),
        ("class_##name##_lock_err(v)", True),
        ("do { if (x) break; } while (0)", False),
        ("for (;;) { if (x) break; }", False),
        ("for (a; b; c) if (x) continue; else", False),
        ("switch (x) { case 1: break; }", False),
        ("({ for (;;) { goto out; } out: x; })", False),
        ("do { guard(mutex)(m); } while (0)", False),
        ("do { asm goto(insn : : : : label); } while (0)", False),
        ("a(b)", False),
    ],
)
def test_a_text_is_part_of_the_function_around_it_when_it_leaves_or_holds(
    text: str, part: bool
) -> None:
    """What ends in the macro itself, loops and blocks of its own, is its own affair."""
    assert woven(MacroText.of("m", (), text.encode()).body) is part
