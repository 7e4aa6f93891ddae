# SPDX-License-Identifier: GPL-2.0-or-later
"""Helpers that count their users themselves, and begin or end a section with the first or last."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lazymmu.contract.vocabulary import load
from lazymmu.kernelc.ir.abstract_value import AtLeast, Evaluator, Int, Value, shifted, truth
from lazymmu.kernelc.ir.expr import Binary, IncDec, Name, Number
from lazymmu.witness.finding import Finding
from lazymmu.witness.source.function import counters
from lazymmu.witness.source.function.names import EntryName

Agrees = Callable[..., tuple[Finding, ...]]

ON, OFF = "lazy_mmu_mode_enable();", "lazy_mmu_mode_disable();"

WAYS = [
    # parameters, what they are given, how the first begins, how the last ends
    ("void", "", "if (users++ == 0)", "if (--users == 0)"),
    ("void", "", "users++; if (users == 1)", "users--; if (users == 0)"),
    ("void", "", "if (!users++)", "if (!--users)"),
    ("void", "", "if (++users == 1)", "if (users-- == 1)"),
    ("void", "", "if ((users += 1) < 2)", "if ((users -= 1) < 1)"),
    ("void", "", "if (users++ > 0) return;", "if (--users > 0) return;"),
    ("void", "", "if (this_cpu_inc_return(users) == 1)", "if (!this_cpu_dec_return(users))"),
    ("void", "", "if (atomic_inc_return(&users) == 1)", "if (atomic_dec_and_test(&users))"),
    ("void", "", "if (atomic_fetch_inc(&users) == 0)", "if (atomic_fetch_dec(&users) == 1)"),
    ("void", "", "if (current->users++ == 0)", "if (--current->users == 0)"),
    ("struct batch *b", "batch", "if (b->users++ == 0)", "if (--b->users == 0)"),
    ("struct batch *b", "&own", "if (b->users++ == 0)", "if (--b->users == 0)"),
    ("struct inner *i", "&batch->inner", "if (i->users++ == 0)", "if (--i->users == 0)"),
    ("int *count", "&batch->users", "if ((*count)++ == 0)", "if (--*count == 0)"),
]


def code(way: tuple[str, str, str, str], body: str) -> str:
    """A pair of helpers, and a function with this body that calls them by B and E."""
    takes, gives, first, last = way
    calls = body.replace("B;", f"begin({gives});").replace("E;", f"end({gives});")
    return f"""
struct batch {{ int users; struct inner {{ int users; }} inner; }};

static int users;

static void begin({takes})
{{
	{first}
		{ON}
}}

static void end({takes})
{{
	{last}
		{OFF}
}}

int f(struct batch *batch, int some)
{{
	struct batch own = {{ .users = 0 }};

	{calls}
}}
"""


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    "body",
    [
        "B; E; return 0;",
        "B; B; E; E; return 0;",
        "B; while (some--) { B; E; } E; return 0;",
        "B; if (some) { E; return 1; } E; return 0;",
    ],
)
def test_helpers_that_count_are_balanced_by_who_calls_them_in_pairs(
    agrees: Agrees, way: tuple[str, str, str, str], body: str
) -> None:
    """Neither the helpers nor their callers are told of, on every path alike."""
    assert not agrees(code(way, body))


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    "body",
    [
        "B; if (some)\n\t\treturn 1;	/* expect: unbalanced-section */\n\tE; return 0;",
        "B; B; E;\n\treturn 0;	/* expect: unbalanced-section */",
        "B; while (some--) { B; if (some == 5)\n"
        "\t\treturn 2;	/* expect: unbalanced-section */\n\tE; } E; return 0;",
    ],
)
def test_a_caller_that_leaves_one_user_behind_is_wrong(
    agrees: Agrees, way: tuple[str, str, str, str], body: str
) -> None:
    """The caller is the culprit, once, and the helpers are as they should be."""
    helpers = "B; E; return 1; }\n\nint g(struct batch *batch, int some)\n{\n"
    helpers += "\tstruct batch own = { .users = 0 };\n\n\t"
    agrees(code(way, helpers + body))


GETS = [
    # how a first user is counted and told, and how its caller asks
    ("return s->users++;", "get(s) == 0"),
    ("return s->users++ == 0;", "get(s)"),
    ("return ++s->users;", "get(s) == 1"),
    ("return ++s->users == 1;", "get(s)"),
    ("return !s->users++;", "get(s)"),
    ("int old = s->users; s->users++; return old;", "!get(s)"),
    ("int old = s->users++; return old;", "get(s) == 0"),
    ("s->users++; return s->users == 1;", "get(s)"),
    ("bool first = s->users == 0; s->users++; return first;", "get(s)"),
    ("if (s->users++) return false; return true;", "get(s)"),
    ("s->users = s->users + 1; return s->users;", "get(s) == 1"),
    ("return inner(s);", "get(s) == 0"),
    ("return atomic_inc_return(&s->count);", "get(s) == 1"),
    ("return atomic_fetch_inc(&s->count) == 0;", "get(s)"),
]

PUTS = [
    ("return --s->users;", "put(s) == 0"),
    ("return s->users--;", "put(s) == 1"),
    ("return --s->users == 0;", "put(s)"),
    ("return s->users-- == 1;", "put(s)"),
    ("return !--s->users;", "put(s)"),
    ("s->users--; return s->users;", "!put(s)"),
    ("int left = --s->users; return left;", "put(s) == 0"),
    ("s->users -= 1; return s->users == 0;", "put(s)"),
]

ATOMIC_PUT = ("return atomic_dec_and_test(&s->count);", "put(s)")


@pytest.mark.parametrize("number", range(len(GETS)))
@pytest.mark.parametrize("how", ["if ({})", "bool now = {}; if (now)"])
@pytest.mark.parametrize(
    "body",
    [
        "begin(s); work(); end(s);",
        "begin(s); begin(s); work(); end(s); end(s);",
        "begin(s); if (some)\n\t\treturn; /* expect: unbalanced-section */\n\twork(); end(s);",
    ],
)
def test_helpers_that_only_count_are_followed_where_their_value_decides(
    agrees: Agrees, number: int, how: str, body: str
) -> None:
    """Who returns what a counter was, or whether that was the first, need not begin itself."""
    (get, first) = GETS[number]
    (put, last) = ATOMIC_PUT if "atomic" in get else PUTS[number % len(PUTS)]
    agrees(f"""
struct scan {{ int users; atomic_t count; }};

static inline int inner(struct scan *s) {{ return s->users++; }}
static inline int get(struct scan *s) {{ {get} }}
static inline int put(struct scan *s) {{ {put} }}

static void begin(struct scan *s)
{{
	{how.format(first)}
		{ON}
}}

static void end(struct scan *s)
{{
	{how.format(last)}
		{OFF}
}}

void pair(struct scan *s)
{{
	begin(s); work(); end(s);
}}

void f(struct scan *s, int some)
{{
	{body}
}}
""")


@pytest.mark.parametrize(
    "ask",
    [
        "if (!begin(some))\n\t\treturn;\n\twork();\n\tlazy_mmu_mode_disable();",
        "bool on = begin(some);\n\n\twork();\n\tif (on)\n\t\tlazy_mmu_mode_disable();",
    ],
)
def test_a_helper_may_keep_in_a_variable_whether_it_began(agrees: Agrees, ask: str) -> None:
    """What is returned is remembered along the path, as what is asked for is."""
    agrees(f"""
static bool begin(int some)
{{
	bool on = false;

	if (some) {{
		{ON}
		on = true;
	}}
	return on;
}}

void f(int some)
{{
	{ask}
}}
""")


FLAGS = {
    "a bit of a variable": """
void f(int some)
{
	unsigned int flags = 0;

	if (some) {
		lazy_mmu_mode_enable();
		flags |= 2;
	}
	work();
	if (flags & 2)
		lazy_mmu_mode_disable();
}
""",
    "a member, by the outcome of a condition": """
struct s { bool on; };
static void r_start(struct s *s, int want)
{
	s->on = want > 3;
	if (s->on)
		lazy_mmu_mode_enable();
}
static void r_stop(struct s *s)
{
	if (s->on)
		lazy_mmu_mode_disable();
}
void f(int some)
{
	struct s s = { };

	r_start(&s, some);
	work();
	r_stop(&s);
}
""",
    "a member, that is set back": """
struct s { bool on; };
static void r_start(struct s *s, int want)
{
	s->on = false;
	if (want) {
		lazy_mmu_mode_enable();
		s->on = true;
	}
}
static void r_stop(struct s *s)
{
	if (!s->on)
		return;
	s->on = false;
	lazy_mmu_mode_disable();
}
void f(int some, struct s *s)
{
	r_start(s, some);
	work();
	r_stop(s);
}
""",
    "a pointee, by the outcome of a condition": """
static void r_open(int some, bool *on)
{
	*on = some > 1;
	if (*on)
		lazy_mmu_mode_enable();
}
void f(int some)
{
	bool on;

	r_open(some, &on);
	work();
	if (on)
		lazy_mmu_mode_disable();
}
""",
    "a pointee, set on one way alone": """
static void r_open(int some, bool *on)
{
	if (!some)
		return;
	lazy_mmu_mode_enable();
	*on = true;
}
void f(int some)
{
	bool on = false;

	r_open(some, &on);
	work();
	if (on)
		lazy_mmu_mode_disable();
}
""",
}


@pytest.mark.parametrize("how", FLAGS)
def test_what_a_flag_says_goes_along_with_the_path(agrees: Agrees, how: str) -> None:
    """Who notes that a section is open, and asks the note before the end, is right."""
    assert not agrees(FLAGS[how])


def test_a_flag_that_is_asked_the_wrong_way_is_no_excuse(agrees: Agrees) -> None:
    """The end is passed by where the section is open, and come to where it is not."""
    agrees("""
struct scan { bool on; };

static void start(struct scan *s, int want)
{
	s->on = want > 3;
	if (s->on)
		lazy_mmu_mode_enable();
}

void right(struct scan *s, int some)
{
	start(s, some);
	if (s->on)
		lazy_mmu_mode_disable();
}

void f(struct scan *s, int some)
{
	start(s, some);
	if (!s->on)
		lazy_mmu_mode_disable();	/* expect: unbalanced-section */
}	/* expect: unbalanced-section */
""")


@given(
    start=st.integers(0, 9),
    least=st.integers(0, 9),
    moves=st.lists(st.sampled_from(["++", "--"]), max_size=6),
    prefix=st.booleans(),
    op=st.sampled_from(["==", "!=", "<", "<=", ">", ">="]),
    number=st.integers(0, 12),
)
def test_what_is_known_of_a_counter_holds_for_each_value_that_it_may_have(
    start: int, least: int, moves: list[str], prefix: bool, op: str, number: int
) -> None:
    """What a comparison is said to come to is what it comes to for every such number."""
    real = start + least
    value: Value = AtLeast(least)
    x = Name("x")
    for move in moves:
        by = 1 if move == "++" else -1
        if real + by < 0:
            continue
        asked = Binary(op, IncDec(move, x, prefix), Number(number))
        said = truth(Evaluator({"x": value}.get).value(asked))
        seen = real + by if prefix else real
        holds = {
            "==": seen == number,
            "!=": seen != number,
            "<": seen < number,
            "<=": seen <= number,
            ">": seen > number,
            ">=": seen >= number,
        }[op]
        assert said in (None, holds)
        real, value = real + by, shifted(value, by)
        parts = counters.apart(value, number)
        assert any(
            real == part.number if isinstance(part, Int) else real >= part.number
            for part in parts
            if isinstance(part, (Int, AtLeast))
        )


def test_more_users_than_are_told_apart_are_many() -> None:
    """A counter that grows in a loop comes to an end, so that the walk does."""
    known = counters.learnt((), "x", Int(0))
    for _ in range(100):
        known = counters.moved(known, IncDec("++", Name("x"), prefix=True), load())
    assert known == (counters.Counter(EntryName("x"), AtLeast(8)),)
