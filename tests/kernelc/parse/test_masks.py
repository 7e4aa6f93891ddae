# SPDX-License-Identifier: GPL-2.0-or-later
"""Masked functions keep their length and lines and are C that tree-sitter knows."""

from __future__ import annotations

import pytest
import tree_sitter
import tree_sitter_c
from hypothesis import given
from hypothesis import strategies as st

from lazymmu.kernelc.parse.masks import macro_body, mask
from lazymmu.kernelc.parse.slices import definitions

PARSER = tree_sitter.Parser(tree_sitter.Language(tree_sitter_c.language()))
LOOPS = frozenset({"walk_boxes"})


def parse(text: bytes) -> tree_sitter.Node:
    """The function definition of a text that must parse."""
    root = PARSER.parse(text).root_node
    assert not root.has_error, text.decode()
    assert root.named_children[0].type == "function_definition"
    return root.named_children[0]


def check(text: str) -> str:
    """Mask a function, see that it parses and has kept its shape, and return it."""
    masked = mask(text.encode(), LOOPS)
    assert len(masked) == len(text.encode())
    assert [len(line) for line in masked.split(b"\n")] == [
        len(line) for line in text.encode().split(b"\n")
    ]
    parse(masked)
    return masked.decode()


def body(text: str) -> str:
    """The masked statements of a function with these statements, one space for many."""
    masked = check(f"void f(int a)\n{{\n\t{text}\n}}")
    inside = masked[masked.index("{") + 1 : masked.rindex("}")]
    return " ".join(inside.split())


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("for_each_box(b, list) {\n\t\tuse(b);\n\t}", "while (b, list) { use(b); }"),
        ("for_each_box(b, list)\n\t\tuse(b);", "while (b, list) use(b);"),
        ("for_each_box(b)\n\t\t(void)use(b);", "while (b) (void)use(b);"),
        ("walk_boxes(b, list) use(b);", "while (b, list) use(b);"),
        ("iterate_over(x, y(z, (1))) {\n\t}", "while (x, y(z, (1))) { }"),
        ("if (a)\n\t\tfor_all(b)\n\t\t\tuse(b);", "if (a) while (b) use(b);"),
        ("for_each_box() {\n\t}", "while (1) { }"),
        ("for_each_box(struct box *b, list) {\n\t}", "while ( b, list) { }"),
        ("ret = for_each_box(b, fn);", "ret = for_each_box(b, fn);"),
        ("for_each_box(b, fn);", "for_each_box(b, fn);"),
        ("do {\n\t} while_each_box(a, b);", "do { } while (a, b);"),
        ("do {\n\t} while (a);", "do { } while (a);"),
    ],
)
def test_a_call_before_a_statement_is_a_loop(text: str, masked: str) -> None:
    """Loop macros become `while`; calls of functions with such names stay calls."""
    assert body(text) == masked


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("guard(mutex)(&box->lock);", "guard(mutex)(&box->lock);"),
        ("scoped_guard(mutex, &b->lock) {\n\t}", "while(_guard,mutex, &b->lock) { }"),
        ("scoped_guard (rcu)\n\t\tuse(a);", "while(_guard, rcu) use(a);"),
        (
            "scoped_cond_guard(try, return -EBUSY, &l) {\n\t}",
            "while(_cond_guard,try, RETURN+-EBUSY, &l) { }",
        ),
        ("CLASS(file, f)(fd);", "CLASS(file, f)(fd);"),
        ("struct box *b __free(put_box) = NULL;", "struct box *b [!!put_box] = NULL;"),
        ("int on __attribute__((cleanup(end), unused)) = 1;", "int on [~~end] = 1;"),
        ("__attribute__((__cleanup__(end))) int on = 1;", "int on[~~end] = 1;"),
        ("int __cleanup(end) on, off __cleanup(start);", "int on[~~end] , off [~~start] ;"),
    ],
)
def test_guards_stay_recognisable(text: str, masked: str) -> None:
    """A guard is a call of a call, a scoped one a `while` over a marked comma expression.

    A cleanup function is a size that no array has.
    """
    assert body(text) == masked


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("struct {\n\tint a;\n\tDECLARE_SET(m, N);\n} *s;", "struct { int a; int m ; } *s;"),
        ("struct {\n\tint (*f)(int);\n} *s;", "struct { int (*f)(int); } *s;"),
        ("x = first_entry(p, struct box, link);", "x = first_entry(p, struct_box, link);"),
        (
            "x = pick(struct box *, u32 *, const char *);",
            "x = pick(struct_box , u32 , const_char );",
        ),
        ("x = next(ap, unsigned long);", "x = next(ap, unsigned_long);"),
        ("x = next(ap, int);", "x = next(ap, Tnt);"),
        ("x = (struct box *)y + (int)z;", "x = (struct box *)y + (int)z;"),
        ("x = sizeof(struct box) + sizeof(int);", "x = sizeof(struct box) + sizeof(int);"),
        ("int (*fn)(struct box *, int) = g;", "int (*fn)(struct box *, Tnt) = g;"),
        ("typeof(*p) q = *p;", "typeof q = *p;"),
        ("auto q = *p;", "Auto q = *p;"),
        ("POINTER_TO(*p) q = 0;", "POINTER_TO q = 0;"),
        ("x = offsetof(struct box, a.b[c].d) + __alignof__(y->z);", "x = 0 + sizeof (y->z);"),
        ("DECLARE_BITS(map, 64) = { 0 };", "DECLARE_BITS(map, 64) ;"),
        ("static DEFINE_RATE(rs, 5 * HZ, 1);", "DEFINE_RATE(rs, 5 * HZ, 1);"),
        ("frob(.first = 1, .second = 2);", "frob( first = 1, second = 2);"),
        ("test(64, +=, x); test(, y); test(x, );", "test(64, 0 , x); test( y); test(x );"),
        ("has(a, 48_52, 10baseT_Full, 0xfful, 10);", "has(a, 11111, 111111111111, 0xfful, 10);"),
        ("a.__unused = b->__used + do__init;", "a.__unused = b->__used + do__init;"),
        ("static char name[8] __odd_place = { 0 };", "static char name[8] = { 0 };"),
    ],
)
def test_arguments_that_are_no_expressions(text: str, masked: str) -> None:
    """Types, operators and designators as arguments become words that parse."""
    assert body(text) == masked


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("or_else(x, return -EINVAL);", "or_else(x, RETURN+-EINVAL);"),
        ("or_else(x, return);", "or_else(x, RETURN);"),
        ("or_else(x, goto out, y); out: ;", "or_else(x, GOTO+out, y); out: ;"),
        ("for (;;)\n\t\tor_else(x, break);", "for (;;) or_else(x, BREAK);"),
        ("expect(x, a(); b(););", "expect(x, a(), b() );"),
        ("expect(x, if (a) return; b(););", "{x; if (a) return; b();};"),
        ("loop_of(\n\t\ta++;\n\t,\n\t\treturn;\n\t);", "{ a++; ; return; };"),
        ("for (i = 0; i < 3; i++)\n\t\tuse(i);", "for (i = 0; i < 3; i++) use(i);"),
        ("x = ({ a(); b; });", "x = ({ a(); b; });"),
        ("x = max(({ a(); b; }), c);", "x = max(({ a(); b; }), c);"),
        ("BEGIN(a)\n\tuse(a);\n\tEND(a)\n", "BEGIN(a) ;use(a); END(a);"),
        ("use(a);\n\tEND\n\tuse(b);", "use(a); END; use(b);"),
        ("x = (u32)round(a)\n\t\t- b;", "x = (u32)round(a) - b;"),
        (
            "switch (a) {\n\tcase 1 ... 4:\n\tcase 'a'...'z':\n\t\tuse(a);\n\t}",
            "switch (a) { case 1 || 4: case ' '|| ' ': use(a); }",
        ),
    ],
)
def test_statements_in_odd_places(text: str, masked: str) -> None:
    """Statements as arguments, macros without a semicolon, and ranges of cases parse."""
    assert body(text) == masked


@pytest.mark.parametrize(
    "text",
    [
        'asm("nop");',
        'asm volatile("x" : "=r" (a) : "r" (b), [n] "m" (*p) : "memory", "cc");',
        'asm volatile(LOCK "x" ALT("y", Z) : CC_OUT(c) (a), PLUS "m" (*p) : EXTRA : "memory");',
        'asm goto("x" : : "r" (a) : : out); out: ;',
        'asm_volatile_goto("x" : : "r" (a) : : out); out: ;',
        'asm_inline volatile("x" :: "r" (a));',
        'asm volatile("x" : PAIR(val, low, high) : "c" (b));',
        'register int r asm("r1") = a;',
        'alternative_io("a", "b", FEATURE, [p] "=a" (p), "d" (q));',
        'pr("a" STR(x) "b" PRI "c" STR(y));',
        'pr(LEVEL PREFIX SUFFIX "c" "d");',
        'WARN_ONCE(a, KERN_ERR pr_fmt("x"), b);',
    ],
)
def test_assembly_and_strings_parse(text: str) -> None:
    """Templates, constraints and strings made by macros become strings."""
    body(text)


def test_an_asm_statement_keeps_its_operands() -> None:
    """The expressions and labels are there; templates and clobbers are not."""
    masked = body('asm goto(BIG("x") : : "r" (a->b) : "memory" : out); out: ;')
    assert masked == 'asm goto("" : : "" (a->b) : : out); out: ;'


@pytest.mark.parametrize(
    ("head", "masked"),
    [
        ("static __always_inline bool f(struct box __user *b)", "static bool f(struct box *b)"),
        ("FORCE_IT U16 f(void *const POS p)", "U16 f(void *const p)"),
        ("static size_t INIT f(void)", "static size_t f(void)"),
        ("int odd_attribute __weak f(int a)", "int f(int a)"),
        ("odd_attribute struct box *f(int a)", "struct box *f(int a)"),
        ("void f(int a)\n\t__releases(&a)\n\tODD(a)", "void f(int a)"),
        ("__printf(1, 2) void f(const char *m, ...)", "void f(const char *m, ...)"),
        ("int f(const u8 key[at_least 32])", "int f(const u8 key[ 32])"),
        ("int (*f(int a))(int)", "int (*f(int a))(int)"),
        (
            "SYSCALL_DEFINE2(f, int, fd, const char __user *, n)",
            "long f( int fd, const char * n)",
        ),
        ("COMPAT_SYSCALL_DEFINE2(f, pair(off), int, a)", "long f( pair off , int a)"),
        ("SYSCALL_DEFINE0(f)", "long f()"),
        ("DEFINE_ENTRY_OF(f)", "void f()"),
    ],
)
def test_heads_become_heads_of_c(head: str, masked: str) -> None:
    """Attributes go by their place, and macros in place of a head give way to one."""
    text = check(f"{head}\n{{\n\treturn;\n}}")
    assert " ".join(text[: text.index("{")].split()) == masked


def test_comments_strings_and_directives_are_emptied() -> None:
    """What they say is no code; a quote in one does not begin another."""
    masked = check(
        "int f(void)\n{\n\t/* if ( \" */\n\tp(\"for_each_x(a) {\", '\"', '\\''); // } '\n"
        '#define x(a) {{{ "/*" \\\n\t(((\n#undef x\n\treturn 0;\n}'
    )
    assert " ".join(masked.split()) == "int f(void) { p(\" \", ' ', ' '); return 0; }"


def test_the_body_of_a_macro_is_made_ready() -> None:
    """Continuations, pasting and strings of parameters become spaces, words and strings."""
    text = b"#define put(a, f, args...) \\\n\tdo { a##_put(f, ## args, #a); b ## a(); } while (0)\n"
    (found,) = definitions(text)
    prepared = macro_body(text, found)
    assert len(prepared) == found.end - found.body
    assert prepared == b'do { a___put(f,    args, ""); b____a(); } while (0)'
    whole = b"void f(void)\n{" + mask(prepared, LOOPS) + b";}"
    parse(whole)


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("first(a) \\\n\tsecond(a)", "first(a); second(a)"),
        ("first(a) second(b)", "first(a);second(b)"),
        ("for_each_box(a) \\\n\tif (a) {} else", "while (a) if (a) {} else"),
        ("IS_ON(x) ? odd(a) : ({ b; })", "IS_ON(x) ? odd(a) : ({ b; })"),
        ("(box_t){ make(a) }", "(box_t){ make(a),}"),
        ("({ struct box *__head = (a); __head->next; })",
         "({ struct box *__head = (a); __head->next; })"),
        ("asmlinkage void do_a(int x); noinstr void do_b(int x)",
         "void do_a(int x); void do_b(int x)"),
    ],
)  # fmt: skip
def test_bodies_of_macros_are_masked_like_statements(text: str, masked: str) -> None:
    """There is no head, and how far the first line is indented says nothing."""
    whole = b"#define put(a) " + text.encode() + b"\n"
    (found,) = definitions(whole)
    assert " ".join(mask(macro_body(whole, found), LOOPS).decode().split()) == masked


def test_the_newlines_of_a_macro_stay() -> None:
    """Lines of a macro's body are lines of the file."""
    text = b"#define two(a) one(a); \\\n\tone(__VA_OPT__(x) a) \\\n\n"
    (found,) = definitions(text)
    assert macro_body(text, found).count(b"\n") == text[found.body : found.end].count(b"\n")
    assert b"\\" not in macro_body(text, found)


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"\xff\x00" * 500,
        b"f(" * 20000,
        b"void f(void) {" + b"(" * 20000,
        b"void f(void) {" + b"a(;" * 5000,
        b"void f(void) {" + b"typeof(" * 5000,
        b"void f(void) {" + b"x) {" * 5000,
        b'void f(void) {"' + b'a("b" c(' * 3000,
        b"void f(void) { case" + b" " * 20000 + b"..",
        b"void f(void) { asm(" + b"asm(" * 3000,
        b"void f(void) {" + b"do {} while_x(" * 3000,
        b"void f(void) {" + b" " * (600 << 10) + b"/* x */}",
    ],
)
def test_junk_keeps_its_shape(text: bytes) -> None:
    """Whatever the bytes are, length and newlines stay, and the end is reached."""
    masked = mask(text, LOOPS)
    assert len(masked) == len(text)
    assert masked.count(b"\n") == text.count(b"\n")


PIECES = st.sampled_from(
    """
    void f(int a) { | } | ( | ) | { | } | ; | , | \n | \t | if (a) | do | for_each_x(a, b) | = {
    scoped_guard(x, y) | scoped_cond_guard(x, return -1, y) | guard(x)(y); | typeof(x) | goto
    offsetof(a, b.c) | case 1 ... 2: | struct box * | const | int | u32 * | FOO(x) | BAR\n
    asm volatile( | "a" : "r" (x) | " | ' | /* | */ | // | #define x | __attribute__(( | __user
    SYSCALL_DEFINE2(x, int, a) | return | break | .a = 1 | while_x(a); | KERN_ERR | static
    auto x = | 12_3 | \\ | ...
    """.replace("\\n", "\n")
    .replace("\\t", "\t")
    .replace("\n    ", "|")
    .split("|")
)


@given(st.lists(PIECES, max_size=60))
def test_length_and_lines_stay_for_any_mixture(pieces: list[str]) -> None:
    """Every newline stays at its offset."""
    text = "".join(pieces).encode()
    masked = mask(text, LOOPS)
    assert len(masked) == len(text)
    assert [i for i, byte in enumerate(masked) if byte == 10] == [
        i for i, byte in enumerate(text) if byte == 10
    ]


@given(st.binary(max_size=300))
def test_bytes_of_any_kind_keep_their_length(text: bytes) -> None:
    """Binary junk is masked like anything else."""
    assert len(mask(text, LOOPS)) == len(text)
