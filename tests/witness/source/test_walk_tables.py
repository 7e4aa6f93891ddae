# SPDX-License-Identifier: GPL-2.0-or-later
"""The walker on small functions: calls through tables of functions, and pointers to them."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from lazymmu.witness.finding import Confidence, Finding

Agrees = Callable[..., tuple[Finding, ...]]

TABLES = """
struct step_ops { void (*before)(struct mm_struct *mm); void (*after)(struct mm_struct *mm); };

static void slow(struct mm_struct *mm)
{
	mutex_lock(&mm->mutex);
}

static void quick(struct mm_struct *mm)
{
	count(mm);
}

static const struct step_ops slow_ops = { .before = quick, .after = slow };
static const struct step_ops quick_ops = { .before = quick, .after = quick };
static const struct step_ops step_ops = { .before = quick, .after = slow };
static const struct step_ops placed_ops = { quick, slow };
static const struct step_ops placed[] = { { quick, slow }, { quick, &quick } };
static struct step_ops chosen_ops;
static const struct step_ops kinds[] = { { .before = quick, .after = slow }, { .after = quick } };
static const struct step_ops *const lists[] = { &slow_ops, &quick_ops };
static const struct step_ops *current_ops = &slow_ops;
static const struct step_ops *const fixed_ops = &slow_ops;
static const struct step_ops *picked_ops = &quick_ops;
static void (*const always)(struct mm_struct *mm) = slow;

void choose(void)
{
	chosen_ops = (struct step_ops){
		.before = quick,
		.after = slow,
	};
}

void pick(int some)
{
	picked_ops = some != 3 ? &slow_ops : &quick_ops;
}

static void run(struct mm_struct *mm, const struct step_ops *ops)
{
	ops->after(mm);
}

static void run_again(struct mm_struct *mm, const struct step_ops *ops)
{
	if (ops->after)
		run(mm, ops);
}
"""

SECTION = """
void f(struct mm_struct *mm, struct box *box, const struct step_ops *given, int some)
{{
	struct step_ops mine = {{ .before = quick, .after = slow }};
	const struct step_ops *one = &slow_ops, *either = some ? &slow_ops : &quick_ops;
	void (*fn)(struct mm_struct *) = slow_ops.after;

	lazy_mmu_mode_enable();
	{0};{1}
	lazy_mmu_mode_disable();
}}
"""


@pytest.mark.parametrize(
    ("call", "confidence"),
    [
        ("slow_ops.after(mm)", Confidence.HIGH),
        ("(*slow_ops.after)(mm)", Confidence.HIGH),
        ("(&slow_ops)->after(mm)", Confidence.HIGH),
        ("step_ops.after(mm)", Confidence.HIGH),
        ("placed_ops.after(mm)", Confidence.HIGH),
        ("run(mm, &placed_ops)", Confidence.HIGH),
        ("placed[some].after(mm)", Confidence.LOW),
        ("one->after(mm)", Confidence.HIGH),
        ("fixed_ops->after(mm)", Confidence.HIGH),
        ("always(mm)", Confidence.HIGH),
        ("picked_ops->after(mm)", Confidence.LOW),
        ("run(mm, &slow_ops)", Confidence.HIGH),
        ("run_again(mm, &slow_ops)", Confidence.MEDIUM),
        ("fn(mm)", Confidence.HIGH),
        ("mine.after(mm)", Confidence.HIGH),
        ("run(mm, &mine)", Confidence.HIGH),
        ("chosen_ops.after(mm)", Confidence.LOW),
        ("kinds[some].after(mm)", Confidence.LOW),
        ("lists[some]->after(mm)", Confidence.LOW),
        ("either->after(mm)", Confidence.LOW),
        ("current_ops->after(mm)", Confidence.LOW),
        ("given->after(mm)", Confidence.LOW),
        ("box->ops->after(mm)", Confidence.LOW),
    ],
)
def test_a_member_that_sleeps_is_found_through_its_table(
    agrees: Agrees, call: str, confidence: Confidence
) -> None:
    """What a table holds is called; where the table is a guess, the finding has no confidence."""
    (found,) = agrees(TABLES + SECTION.format(call, "	/* expect: sleep-in-section */"))
    assert found.confidence is confidence


@pytest.mark.parametrize(
    "call",
    [
        "slow_ops.before(mm)",
        "step_ops.before(mm)",
        "one->before(mm)",
        "picked_ops->before(mm)",
        "run(mm, &quick_ops)",
        "run_again(mm, &quick_ops)",
        "mine.before(mm)",
        "chosen_ops.before(mm)",
        "kinds[some].before(mm)",
        "lists[some]->before(mm)",
        "given->before(mm)",
        "given->unheard_of(mm)",
    ],
)
def test_a_member_that_sleeps_and_is_not_called_is_no_mistake(agrees: Agrees, call: str) -> None:
    """Only the member that is called counts, not what stands beside it in the table."""
    assert not agrees(TABLES + SECTION.format(call, ""))


def test_tables_of_one_name_in_two_files_are_two(agrees: Agrees) -> None:
    """A table is that of its own file, also where it is handed to another file's function."""
    agrees(
        {
            "mm/run.c": """
void run(struct mm_struct *mm, const struct ops *ops)
{
	ops->go(mm);
}
""",
            "mm/a.c": """
static void go(struct mm_struct *mm) { msleep(1); }
static const struct ops ops = { .go = go };
void f(struct mm_struct *mm)
{
	lazy_mmu_mode_enable();
	run(mm, &ops);	/* expect: sleep-in-section */
	lazy_mmu_mode_disable();
}
""",
            "mm/b.c": """
static void go(struct mm_struct *mm) { count(mm); }
static const struct ops ops = { .go = go };
void g(struct mm_struct *mm)
{
	lazy_mmu_mode_enable();
	run(mm, &ops);
	lazy_mmu_mode_disable();
}
""",
        }
    )


def test_too_many_tables_are_no_guess(agrees: Agrees) -> None:
    """A pointer that could be any of many tables is not resolved, and said so."""
    tables = "".join(
        f"static void go{n}(void) {{ msleep({n}); }}\n"
        f"static const struct ops ops{n} = {{ .go = go{n} }};\n"
        for n in range(6)
    )
    code = """
void f(const struct ops *ops)
{
	lazy_mmu_mode_enable();
	ops->go();
	lazy_mmu_mode_disable();
}
"""
    assert not agrees(tables + code)


def test_what_one_of_several_leaves_behind_is_not_relied_on(agrees: Agrees) -> None:
    """A begin in one table and an end in another make no section that is out of balance."""
    agrees("""
static void on(pte_t *pte) { lazy_mmu_mode_enable(); }
static void off(pte_t *pte) { lazy_mmu_mode_disable(); }
static void none(pte_t *pte) { count(pte); }
static const struct mode_ops lazy_ops = { .begin = on, .end = off };
static const struct mode_ops eager_ops = { .begin = none, .end = none };
static void balanced(pte_t *pte)
{
	on(pte);
	off(pte);
}
void f(pte_t *pte, const struct mode_ops *ops)
{
	ops->begin(pte);
	ops->end(pte);
}
""")


def test_an_entry_is_followed_into_a_member_of_a_table(agrees: Agrees) -> None:
    """What is handed an entry through a table is walked with it."""
    agrees("""
static int peek(pte_t *pte) { return pte_none(ptep_get(pte)); }	/* expect: stale-read */
static const struct entry_ops entry_ops = { .each = peek };
void f(struct mm_struct *mm, unsigned long addr, pte_t *pte, pte_t value)
{
	lazy_mmu_mode_enable();
	set_pte_at(mm, addr, pte, value);
	entry_ops.each(pte);
	lazy_mmu_mode_disable();
}
""")


KEYS = """
static void slow(struct mm_struct *mm)
{
	mutex_lock(&mm->mutex);
}

static void quick(struct mm_struct *mm)
{
	count(mm);
}

DEFINE_STATIC_CALL(slow_key, slow);
DEFINE_STATIC_CALL(quick_key, quick);
DEFINE_STATIC_CALL_NULL(late_key, quick);
DEFINE_STATIC_CALL(changed_key, quick);

void choose(void)
{
	static_call_update(changed_key, slow);
	static_call_update(late_key, slow);
}
"""
BY_KEY = """
void f(struct mm_struct *mm)
{{
	lazy_mmu_mode_enable();
	{0};{1}
	lazy_mmu_mode_disable();
}}
"""


@pytest.mark.parametrize(
    "call",
    ["static_call(slow_key)(mm)", "static_call_cond(late_key)(mm)", "static_call(changed_key)(mm)"],
)
@pytest.mark.parametrize("elsewhere", [False, True])
def test_a_static_call_calls_what_its_key_is_given(
    agrees: Agrees, call: str, elsewhere: bool
) -> None:
    """Where it is defined, or by an update, in this file or in another."""
    code = BY_KEY.format(call, "	/* expect: sleep-in-section */")
    files = {"mm/t.c": code, "mm/far.c": KEYS} if elsewhere else {"mm/t.c": KEYS + code}
    (found,) = agrees(files)
    low = "changed" in call
    assert (found.confidence is Confidence.LOW) == low


def test_a_static_call_that_calls_nobody_who_waits_is_right(agrees: Agrees) -> None:
    """What other keys are given is of no matter."""
    assert not agrees(KEYS + BY_KEY.format("static_call(quick_key)(mm)", ""))


@pytest.mark.parametrize(("gives", "waits"), [("slow", True), ("quick", False)])
def test_a_function_that_a_call_returns_is_called(agrees: Agrees, gives: str, waits: bool) -> None:
    """One of those that the one who picks names; which, nobody asks."""
    told = "	/* expect: sleep-in-section */" if waits else ""
    agrees(f"""
static void slow(struct mm_struct *mm)
{{
	mutex_lock(&mm->mutex);
}}

static void quick(struct mm_struct *mm)
{{
	count(mm);
}}

static step_fn *pick(int n)
{{
	return n ? {gives} : quick;
}}

void f(struct mm_struct *mm, int n)
{{
	step_fn *step = pick(n);

	lazy_mmu_mode_enable();
	step(mm);{told}
	lazy_mmu_mode_disable();
}}
""")
