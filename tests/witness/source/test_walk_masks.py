# SPDX-License-Identifier: GPL-2.0-or-later
"""The walker on small functions: allocation masks in structures, constants, and on their way."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from lazymmu.witness.finding import Confidence, Finding

Agrees = Callable[..., tuple[Finding, ...]]

CODE = """
struct notes { gfp_t gfp; unsigned long *last; struct inner { gfp_t deep; } inner; };

static const struct notes quick = { .gfp = GFP_NOWAIT };
static const struct notes slow = { .gfp = GFP_KERNEL };
static const gfp_t quick_mask = GFP_NOWAIT | __GFP_NOWARN;
static const gfp_t slow_mask = GFP_KERNEL;

static gfp_t mask_for_all(void)
{
	return GFP_ATOMIC;
}

static void plain(gfp_t gfp)
{
	kmalloc(8, gfp);
}

static void note(struct notes *notes)
{
	if (!notes->last)
		notes->last = kmalloc(8, notes->gfp);
}

static void note_by(const struct notes *some)
{
	note((struct notes *)some);
}

static void by_value(struct notes notes)
{
	plain(notes.gfp);
}

static void deep(struct notes *notes)
{
	plain(notes->inner.deep);
}

static void deeper(struct inner *inner)
{
	plain(inner->deep);
}

static void change_inner(struct inner *inner)
{
	inner->deep = GFP_KERNEL;
}

static void change(struct notes *notes)
{
	notes->gfp = GFP_KERNEL;
}
"""

SECTION = """
void f(int wait)
{{
	struct notes notes = {{ .gfp = {0}, .inner = {{ .deep = {0} }} }};
	struct notes *to = &notes;
	struct notes later;
	gfp_t gfp = {0};

	later = (struct notes){{ .gfp = {0} }};
	lazy_mmu_mode_enable();
	{1};{2}
	lazy_mmu_mode_disable();
}}
"""

HANDED = [
    "note(&notes)",
    "note_by(&notes)",
    "note(to)",
    "by_value(notes)",
    "plain(notes.gfp)",
    "plain(to->gfp)",
    "deep(&notes)",
    "deeper(&notes.inner)",
    "note(&later)",
    "plain(gfp)",
    "note(&(struct notes){{ .gfp = {0} }})",
]


@pytest.mark.parametrize("call", HANDED)
@pytest.mark.parametrize("mask", ["GFP_NOWAIT", "GFP_ATOMIC", "GFP_NOWAIT | __GFP_NOWARN"])
def test_a_mask_in_a_structure_that_forbids_to_wait_is_known(
    agrees: Agrees, call: str, mask: str
) -> None:
    """Wherever the structure is handed to, by its address, by a pointer or by value."""
    assert not agrees(CODE + SECTION.format(mask, call.format(mask), ""))


@pytest.mark.parametrize("call", HANDED)
@pytest.mark.parametrize("mask", ["GFP_KERNEL", "GFP_NOWAIT | __GFP_DIRECT_RECLAIM"])
def test_a_mask_in_a_structure_that_allows_to_wait_is_found(
    agrees: Agrees, call: str, mask: str
) -> None:
    """As well as one that is given by itself."""
    agrees(CODE + SECTION.format(mask, call.format(mask), "	/* expect: sleep-in-section */"))


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("note_by(&quick)", "note_by(&slow)"),
        ("plain(quick.gfp)", "plain(slow.gfp)"),
        ("plain(quick_mask)", "plain(slow_mask)"),
        ("plain(mask_for_all())", "plain(mask_for_all() | __GFP_DIRECT_RECLAIM)"),
    ],
)
def test_constants_of_the_file_are_known(agrees: Agrees, right: str, wrong: str) -> None:
    """A mask may stand in a constant, in a member of one, or come from a function."""
    assert not agrees(CODE + SECTION.format("GFP_KERNEL", right, ""))
    agrees(CODE + SECTION.format("GFP_NOWAIT", wrong, "	/* expect: sleep-in-section */"))


def body(*lines: str) -> str:
    """A function with these lines, and CODE before it."""
    return CODE + "void f(int wait)\n{\n\t" + "\n\t".join(lines) + "\n}\n"


def test_the_mask_counts_that_stands_there_at_the_time(agrees: Agrees) -> None:
    """What is assigned before the section or after it does not matter in it."""
    assert not agrees(
        body(
            "struct notes notes = { .gfp = GFP_KERNEL };",
            "gfp_t gfp = GFP_KERNEL;",
            "note(&notes);",
            "notes.gfp = GFP_NOWAIT;",
            "gfp = GFP_NOWAIT;",
            "lazy_mmu_mode_enable();",
            "note(&notes);",
            "notes.gfp |= __GFP_NOWARN;",
            "note_by(&notes);",
            "plain(gfp);",
            "lazy_mmu_mode_disable();",
            "notes.gfp = GFP_KERNEL;",
            "note(&notes);",
        )
    )


def test_a_mask_that_waits_on_one_path_is_found(agrees: Agrees) -> None:
    """One way to a mask that allows to wait is enough."""
    agrees(
        body(
            "struct notes notes = { .gfp = GFP_NOWAIT };",
            "gfp_t gfp = GFP_NOWAIT;",
            "if (wait)",
            "\tnotes.gfp = GFP_KERNEL;",
            "if (wait)",
            "\tgfp |= __GFP_DIRECT_RECLAIM;",
            "lazy_mmu_mode_enable();",
            "note(&notes);	/* expect: sleep-in-section */",
            "plain(gfp);	/* expect: sleep-in-section */",
            "lazy_mmu_mode_disable();",
        )
    )


def test_a_part_of_a_structure_may_be_changed_by_who_is_handed_it(agrees: Agrees) -> None:
    """Then only the members in that part are not known any more."""
    agrees(
        body(
            "struct notes notes = { .gfp = GFP_NOWAIT, .inner = { .deep = GFP_NOWAIT } };",
            "change_inner(&notes.inner);",
            "lazy_mmu_mode_enable();",
            "note(&notes);",
            "deep(&notes);	/* expect: sleep-in-section */",
            "lazy_mmu_mode_disable();",
        )
    )


@pytest.mark.parametrize("changed", ["change(&notes);", "unknown(&notes);", "keep = &notes;"])
def test_a_structure_that_others_may_write_is_not_known(agrees: Agrees, changed: str) -> None:
    """Who is handed the address may change the mask: then nothing is taken for granted."""
    agrees(
        body(
            "struct notes notes = { .gfp = GFP_NOWAIT };",
            "keep = 0;",
            changed,
            "lazy_mmu_mode_enable();",
            "note(&notes);	/* expect: sleep-in-section */",
            "lazy_mmu_mode_disable();",
        )
    )


@pytest.mark.parametrize("call", ["some->get({0})", "next_one(some)", "(*some->get)({0})"])
def test_a_mask_that_allows_to_wait_is_found_in_a_call_that_may_be_anything(
    agrees: Agrees, call: str
) -> None:
    """Nobody knows what is called, so there is no confidence; what forbids to wait is right."""
    code = """
struct source {{ void *(*get)(gfp_t gfp); }};

static void *next_one(struct source *source)
{{
	return source->get({2});
}}

void f(struct source *some)
{{
	lazy_mmu_mode_enable();
	{0};{1}
	lazy_mmu_mode_disable();
}}
"""
    wrong, right = "GFP_KERNEL", "GFP_ATOMIC"
    told = "	/* expect: sleep-in-section */"
    (found,) = agrees(code.format(call.format(wrong), told, wrong))
    assert found.confidence is Confidence.LOW
    assert not agrees(code.format(call.format(right), "", right))


def test_how_sure_it_is_hangs_on_where_a_mask_is_said(agrees: Agrees) -> None:
    """High where it stands there, medium where a caller says it, low where nobody does."""
    found = agrees("""
void here(void)
{
	lazy_mmu_mode_enable();
	alloc_page(GFP_KERNEL);	/* expect: sleep-in-section */
	lazy_mmu_mode_disable();
}

void by_caller(gfp_t gfp)
{
	lazy_mmu_mode_enable();
	alloc_page(gfp);	/* expect: sleep-in-section */
	lazy_mmu_mode_disable();
}

void by_pointer(void *data)
{
	gfp_t *gfp = data;

	lazy_mmu_mode_enable();
	alloc_page(*gfp);	/* expect: sleep-in-section */
	lazy_mmu_mode_disable();
}
""")
    assert {f.function: str(f.confidence) for f in found} == {
        "here": "high",
        "by_caller": "medium",
        "by_pointer": "low",
    }


NARROWING = """
static void *narrow(gfp_t gfp)
{{
	{0}
}}

static void *through(gfp_t gfp)
{{
	return narrow(gfp | __GFP_ZERO);
}}

void f(void)
{{
	lazy_mmu_mode_enable();
	narrow(GFP_KERNEL);{1}
	lazy_mmu_mode_disable();
}}
"""


@pytest.mark.parametrize(
    "body",
    [
        "return kmalloc(8, gfp & ~__GFP_DIRECT_RECLAIM);",
        "gfp &= ~__GFP_DIRECT_RECLAIM;\n\treturn kmalloc(8, gfp);",
        "gfp_t quick = gfp & ~__GFP_RECLAIM;\n\n\treturn kmalloc(8, quick | __GFP_NOWARN);",
        "return kmalloc(8, (gfp & ~__GFP_DIRECT_RECLAIM) | __GFP_HIGH);",
    ],
)
def test_who_takes_the_wait_off_a_mask_may_be_handed_any(agrees: Agrees, body: str) -> None:
    """What it hands on counts, not what it is handed."""
    assert not agrees(NARROWING.format(body, ""))


@pytest.mark.parametrize(
    "body",
    [
        "return kmalloc(8, gfp & ~__GFP_IO);",
        "use(gfp & ~__GFP_DIRECT_RECLAIM);\n\treturn kmalloc(8, gfp);",
        "if (wait)\n\t\tgfp &= ~__GFP_DIRECT_RECLAIM;\n\treturn kmalloc(8, gfp);",
        "gfp &= ~__GFP_DIRECT_RECLAIM;\n\treturn kmalloc(8, gfp | __GFP_DIRECT_RECLAIM);",
        "keep->gfp = gfp;\n\treturn kmalloc(8, gfp & ~__GFP_DIRECT_RECLAIM);",
    ],
)
def test_a_mask_that_is_used_as_it_is_somewhere_allows_to_wait(agrees: Agrees, body: str) -> None:
    """On one way is enough, and so is to keep it."""
    agrees(NARROWING.format(body, "	/* expect: sleep-in-section */"))


HANDED = """
struct notes { gfp_t gfp; };

static gfp_t without_wait(gfp_t gfp)
{
	gfp_t less = gfp & ~__GFP_DIRECT_RECLAIM;

	return less | __GFP_NOWARN;
}

static bool may_write_out(gfp_t gfp)
{
	return gfp & __GFP_IO;
}

static void give_way(gfp_t gfp)
{
	if (gfp & __GFP_DIRECT_RECLAIM)
		cond_resched();
}

static void take(gfp_t gfp)
{
	gfp_t more = gfp | __GFP_ZERO;

	far_take(8, more);
}

static void keep(struct notes *notes, gfp_t gfp)
{
	notes->gfp = gfp;
	far_fill(notes);
}

void f(struct notes *notes)
{
	gfp_t gfp = GFP_NOWAIT;

	lazy_mmu_mode_enable();
	BODY;
	lazy_mmu_mode_disable();
}
"""


@pytest.mark.parametrize(
    "body", ["gfp = without_wait(GFP_KERNEL)", "may_write_out(GFP_KERNEL)", "give_way(GFP_NOWAIT)"]
)
def test_who_hands_a_mask_to_nobody_does_not_wait_for_memory(agrees: Agrees, body: str) -> None:
    """It looks at the mask, or makes another one of it."""
    agrees(HANDED.replace("BODY", body))


@pytest.mark.parametrize(
    "body", ["give_way(GFP_KERNEL)", "take(GFP_KERNEL)", "keep(notes, GFP_KERNEL)"]
)
def test_who_hands_a_mask_on_or_waits_by_it_is_found(agrees: Agrees, body: str) -> None:
    """By another variable, in a structure, or because it asks the mask itself."""
    agrees(HANDED.replace("BODY;", f"{body};	/* expect: sleep-in-section */"))
