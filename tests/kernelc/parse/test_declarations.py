# SPDX-License-Identifier: GPL-2.0-or-later
"""What a file declares outside of its functions."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lazymmu.kernelc.parse.declarations import declarations


def told(text):
    """Kinds and names, in their order."""
    return [(one.kind, one.name) for one in declarations(text)]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        (b"DEFINE_PER_CPU(enum lazy_mode, lazy_mode);", ["variable lazy_mode"]),
        (b"static DEFINE_PER_CPU_ALIGNED(u64, count) = 3;", ["variable count"]),
        (b"DECLARE_PER_CPU(struct batch, batch);", ["variable batch"]),
        (b"static LIST_HEAD(all);", ["variable all"]),
        (b"static DEFINE_SPINLOCK(big_lock);", ["variable big_lock"]),
        (b"EXPORT_SYMBOL_GPL(foo);\nmodule_param(a, int, 0);", []),
        (b"int a, *b, c[3] = { 1, 2 };", ["variable a", "variable b", "variable c"]),
        (b"unsigned long __read_mostly mask;", ["variable mask"]),
        (b"static phys_addr_t base, size __initdata;", ["variable base", "variable size"]),
        (b"static struct foo bar __aligned(8) = { .x = 1 };", ["variable bar"]),
        (b"struct foo *table[] = { &a, &b };", ["variable table"]),
        (b"static void (*hook)(int x);", ["variable hook"]),
        (b"extern int f(int a) __attribute__((noreturn));", ["function f"]),
        (b"pte_t *walk(struct mm *mm);", ["function walk"]),
        (b"typedef unsigned long pteval;", ["type pteval"]),
        (b"typedef struct { unsigned long pte; } pte_t;", ["member pte", "type pte_t"]),
        (b"typedef void (*cb_t)(int, long);", ["type cb_t"]),
        (b"struct fwd;", []),
        (b"struct s {\n\tu8 a, b;\n\tint c:4;\n\tvoid (*op)(int);\n\tDECLARE_BITMAP(d, 3);\n};",
         ["type s", "member a", "member b", "member c", "member op", "member d"]),
        (b"struct s { union { int u; }; struct { int v; } in; } x;",
         ["type s", "member u", "member v", "member in", "variable x"]),
        (b"enum mode { NONE, MMU = 3, };", ["type mode", "enumerator NONE", "enumerator MMU"]),
        (b"int f(void)\n{\n\tint local;\n\treturn 0;\n}\nstatic int after;", ["variable after"]),
        (b"#define X int y;\n/* int z; */\nchar *s = \"int t;\";", ["variable s"]),
        (b"#ifdef A\nextern int a;\n#else\nextern long a;\n#endif", ["variable a", "variable a"]),
    ],
)  # fmt: skip
def test_each_name_is_found_by_where_it_stands(text, names):
    """Of macros, lists, arrays, pointers to functions, bodies of types and attributes alike."""
    assert [f"{kind} {name}" for kind, name in told(text)] == names


def test_how_a_name_is_declared_is_its_own_part_of_the_declaration():
    """Another name beside it, a value or a comment changes nothing; a type does."""
    how = {one.name: one.how for one in declarations(b"static u8 a = 1, *b; /* c */")}
    assert how == {"a": b"u8 a", "b": b"u8 *b"}
    assert declarations(b"static u8 a;")[0].how == how["a"]
    assert declarations(b"static u16 a;")[0].how != how["a"]


def test_who_knows_a_name_is_told():
    """What is static belongs to its file."""
    found = {one.name: one.static for one in declarations(b"static int a; int b; extern int c;")}
    assert found == {"a": True, "b": False, "c": False}


@given(st.text(alphabet="ab {}()[];,=*:#\"'/\n", max_size=80).map(str.encode))
def test_no_text_is_too_odd_to_be_read(text):
    """Whatever it is, there is an answer, and each place is in the text."""
    for one in declarations(text):
        assert 0 <= one.start <= one.end <= len(text)
