# SPDX-License-Identifier: GPL-2.0-or-later
"""Finding definitions in a file without parsing it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lazymmu.kernelc.parse.slices import RawDef, definitions


def one(text: str) -> RawDef:
    """The only definition of a text."""
    (found,) = definitions(text.encode())
    return found


def functions(text: str) -> list[str]:
    """Names of the functions of a text."""
    return [found.name for found in definitions(text.encode()) if found.kind == "function"]


def test_a_function_is_found_whole() -> None:
    """Offsets take in the return type and the closing brace; the line is that of the name."""
    whole = "static inline bool\nis_ready(struct box *b)\n{\n\treturn b->ready;\n}"
    text = f"int before;\n\n{whole}\n\nint x;\n"
    found = one(text)
    assert text[found.start : found.end] == whole
    assert text[found.body] == "{"
    assert found == RawDef(
        "is_ready", "function", found.start, found.end, 4, found.body, True, True, ()
    )


@pytest.mark.parametrize(
    ("head", "name"),
    [
        ("int plain(void)\n", "plain"),
        ("int plain(void) ", "plain"),
        ("void *pointer(int a, int b)\n", "pointer"),
        ("struct box *box_of(struct item *i)\n", "box_of"),
        ("static __always_inline unsigned long __must_check add(unsigned long a)\n", "add"),
        ("void __init __attribute__((cold)) set_up(void)\n", "set_up"),
        ("__printf(1, 2) void say(const char *f, ...)\n", "say"),
        ("static __printf(1, 2)\nvoid say(const char *f, ...)\n", "say"),
        ("void give(struct box *b)\n\t__releases(&b->lock)\n\t__acquires(b->other)\n", "give"),
        ("int (*choose(int which))(int)\n", "choose"),
        ("void call(void (*fn)(int), int x)\n", "call"),
        ('static int __section(".odd") placed(int a)\n', "placed"),
        ("int odd(int a, /* a; b { c = */ int b) // x {\n", "odd"),
        ('static TARGET("bmi2")\nsize_t fast(int x)\n', "fast"),
        ("typeof(int) typed(void)\n", "typed"),
        ("SYSCALL_DEFINE2(frob, int, fd, const char __user *, name)\n", "sys_frob"),
        ("COMPAT_SYSCALL_DEFINE1(frob, int, fd)\n", "compat_sys_frob"),
        ("DEFINE_ENTRY(exc_odd)\n", "exc_odd"),
        ("static CALLBACK_OF(write_done)\n", "write_done"),
        ("CALL_3(helper, u32, a, u32, b, u32, c)\n", "helper"),
        ("void late(void)\n\n", "late"),
        ("  static inline void indented(void) ", "indented"),
    ],
)
def test_heads_of_all_kinds_are_read(head: str, name: str) -> None:
    """Attributes, macros and comments around a name do not hide it."""
    assert functions(f"int y;\n{head}{{\n\treturn;\n}}\n") == [name]
    assert functions(f"{head}{{ }}\nint z;\n") == [name]


@pytest.mark.parametrize(
    "text",
    [
        "struct box {\n\tint a;\n};\n",
        "struct __packed box {\n\tint a;\n} __aligned(8);\n",
        "static const struct ops table = {\n\t.walk = walk,\n};\n",
        "enum kind { A, B };\n",
        "int declared(int a);\n",
        'extern "C" {\n}\n',
        "typedef int (*fn_t)(int);\n",
        "/*\nint commented(void)\n{\n}\n*/\n",
        "int x = (int){ 1 };\n",
        "DEFINE_THING(a, b);\n",
    ],
)
def test_what_is_no_function_is_not_found(text: str) -> None:
    """Structures, tables, prototypes and comments define no function."""
    assert definitions(text.encode()) == []


def test_macros_before_a_head_do_not_belong_to_it() -> None:
    """A macro on a line of its own, without a semicolon, is not part of the next function."""
    text = "EXPORT_THIS(other)\nint next(void)\n{\n}\n"
    found = one(text)
    assert (found.name, text[found.start :][:8], found.line) == ("next", "int next", 2)


def test_a_brace_at_the_margin_inside_a_body_does_not_end_it() -> None:
    """Braces are matched where the margin cannot be right."""
    text = "int f(void)\n{\n\tif (x) {\n\t\ta();\n}\n\tb();\n}\nint g(void)\n{\n}\n"
    first, second = definitions(text.encode())
    assert text[first.start : first.end].endswith("b();\n}")
    assert second.name == "g"


def test_a_brace_behind_a_statement_ends_a_body_before_the_next_one() -> None:
    """A body that ends on the line of its last statement does not swallow the next function."""
    text = b"int f(void)\n{\n\treturn 1; }\n\nint g(void)\n{\n\tif (x) {\n\t}\n\treturn 2;\n}\n"
    assert [made.name for made in definitions(text)] == ["f", "g"]


def test_braces_in_strings_and_comments_do_not_count() -> None:
    """A body of one line ends at its own brace."""
    text = 'int f(void) { a("}"); /* } */ b(\'}\'); }\nint g(void)\n{\n\tc("{");\n}\n'
    first, second = definitions(text.encode())
    assert text[first.start : first.end].endswith("'); }")
    assert text[second.start : second.end].endswith('c("{");\n}')


def test_braces_that_branches_unbalance_do_not_swallow_what_follows() -> None:
    """Where #if branches open a brace twice, the margin ends the body."""
    text = (
        "int f(void)\n{\n#ifdef A\n\tif (a) {\n#else\n\tif (b) {\n#endif\n\t\tc();\n\t}\n}\n\n"
        "int g(void)\n{\n}\n"
    )
    first, second = definitions(text.encode())
    assert text[first.start : first.end].endswith("\t}\n}")
    assert second.name == "g"


def test_all_branches_of_a_condition_are_returned() -> None:
    """A name that several branches define is found as often; so are heads that share a body."""
    text = (
        "#ifdef A\nint f(int a)\n{\n}\n#else\nint f(long a)\n{\n}\n#endif\n"
        "#ifdef B\nint g(int a)\n#else\nint h(long a)\n#endif\n{\n\treturn 0;\n}\n"
    )
    assert functions(text) == ["f", "f", "g", "h"]


def test_macros_are_found_with_their_parameters_and_text() -> None:
    """The body is the text behind the name, over continued lines and comments that span lines."""
    text = (
        "#define ANSWER 42\n"
        "# define EMPTY\n"
        "#define twice(x) ((x) + \\\n\t(x))\n"
        "#define say(fmt, args...) \\\n\tdo { \\\n\t\tprint(fmt, ## args); \\\n\t} while (0)\n"
        "#define any(...) f(__VA_ARGS__) /* begins\n and ends */\n"
        "#define none() g()\n"
    )
    found = definitions(text.encode())
    assert [(d.name, d.kind, d.params, d.line) for d in found] == [
        ("ANSWER", "object", (), 1),
        ("EMPTY", "object", (), 2),
        ("twice", "macro", ("x",), 3),
        ("say", "macro", ("fmt", "args..."), 5),
        ("any", "macro", ("...",), 9),
        ("none", "macro", (), 11),
    ]
    assert [text[d.body : d.end] for d in found[:3]] == ["42", "", "((x) + \\\n\t(x))"]
    assert text[found[4].body : found[4].end].endswith("and ends */")


def test_macros_inside_functions_and_structures_are_found() -> None:
    """A `#define` is found wherever it stands, inside functions and structures too."""
    text = (
        "struct s {\n#define BIT 1\n\tint a;\n};\nint f(void)\n{\n#define x(a) g(a)\n\tx(1);\n}\n"
    )
    assert [(d.name, d.line) for d in definitions(text.encode())] == [
        ("BIT", 2),
        ("f", 5),
        ("x", 7),
    ]


def test_a_pattern_of_files_in_a_string_begins_no_comment() -> None:
    """`drivers/*` in a string does not hide what follows."""
    assert functions('const char *p = "drivers/*";\nint f(void)\n{\n}\n') == ["f"]


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"\xff\xfe\x00" * 1000,
        b"int f(void)\n{\n",
        b"int f(void) {{{{{{",
        b"f(" * 20000,
        b"a(b) {{\n}\n" * 3000,
        b"f /*\n" * 20000,
        b"#define \\\n" * 20000,
        b'"\n' * 20000 + b"'",
        b"#define x(a" + b"(" * 20000,
    ],
)
def test_junk_is_read_to_its_end(text: bytes) -> None:
    """Whatever the bytes are, definitions lie inside the text and in order."""
    position = 0
    for found in definitions(text):
        assert position <= found.start <= found.body <= found.end <= len(text)
        position = found.start


PIECES = st.sampled_from(
    [
        "int f(int a)",
        "\n",
        "{",
        "}",
        "\n{\n",
        "\n}\n",
        "(",
        ")",
        ";",
        "#define X(a) b",
        "\\\n",
        "/*",
        "*/",
        '"',
        "'",
        "//",
        "#if A\n",
        "#else\n",
        "static ",
        "\t",
        "SYSCALL_DEFINE2(x, int, a)",
        "=",
    ]
)


@given(st.lists(PIECES, max_size=40))
def test_offsets_hold_for_any_mixture(pieces: list[str]) -> None:
    """Lines and offsets are consistent, and every name stands where its line says."""
    text = "".join(pieces).encode()
    for found in definitions(text):
        assert 0 <= found.start <= found.body <= found.end <= len(text)
        assert 1 <= found.line <= text.count(b"\n") + 1
        written = found.name.removeprefix("compat_").removeprefix("sys_").encode()
        assert written in text.split(b"\n")[found.line - 1]
        if found.kind == "function":
            assert text[found.body : found.body + 1] == b"{"


@given(st.binary(max_size=300))
def test_bytes_of_any_kind_raise_nothing(text: bytes) -> None:
    """Binary junk has few definitions and no exception."""
    definitions(text)
