# SPDX-License-Identifier: GPL-2.0-or-later
"""The walker on small functions: what a call may come to, however deep, and what decides it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from lazymmu.contract.dialects import NO_NESTING
from lazymmu.kernelc.ir.nodes import UNPARSED
from lazymmu.witness.finding import Confidence, Finding

Agrees = Callable[..., tuple[Finding, ...]]
Make = Callable[..., object]

SECTION = """
void f(struct thing *thing, int some)
{{
	lazy_mmu_mode_enable();
	{0};{1}
	lazy_mmu_mode_disable();
}}
"""


def sleeps(agrees: Agrees, callees: str, call: str, **given: object) -> Finding:
    """A call in a section may sleep, and that is all there is; the finding."""
    code = callees + SECTION.format(call, "	/* expect: sleep-in-section */")
    (found,) = agrees(code, **given)
    return found


def silent(agrees: Agrees, callees: str, call: str, **given: object) -> None:
    """A call in a section does nothing that it may not."""
    assert not agrees(callees + SECTION.format(call, ""), **given)


# ---- sleeping --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "call",
    [
        "might_sleep()",
        "cond_resched()",
        "mutex_lock(&thing->mutex)",
        "down_read(&thing->sem)",
        "schedule()",
        "synchronize_rcu()",
        "kvfree_call_rcu(NULL, thing)",
        "wait_for_completion(&thing->done)",
        "copy_from_user(thing, ptr, 4)",
        "kmalloc(64, GFP_KERNEL)",
        "alloc_pages(GFP_KERNEL, 0)",
        "msleep(1)",
        "guard(mutex)(&thing->mutex)",
    ],
)
def test_what_sleeps_by_itself(agrees: Agrees, call: str) -> None:
    """Needs no definition: the vocabulary says so."""
    found = sleeps(agrees, "", call)
    assert found.confidence is Confidence.HIGH


@pytest.mark.parametrize(
    "call",
    [
        "printk(message)",
        "kfree(thing)",
        "mutex_unlock(&thing->mutex)",
        "mutex_trylock(&thing->mutex)",
        "kmalloc(64, GFP_ATOMIC)",
        "kmalloc(64, GFP_NOWAIT | __GFP_NOWARN)",
        "might_sleep_if(0)",
        "call_rcu(&thing->rcu, done)",
        "kvfree_call_rcu(&thing->rcu, thing)",
        "kvfree_call_rcu(thing->head, thing)",
        "rcu_read_lock()",
        "spin_lock(&thing->lock)",
    ],
)
def test_what_does_not_sleep(agrees: Agrees, call: str) -> None:
    """Also where a definition that might is at hand."""
    callees = """
void printk(const char *message) { console_wait(); might_sleep(); }
void kfree(void *p) { might_sleep(); }
"""
    silent(agrees, callees, call)


def test_a_chain_of_calls_is_the_path(agrees: Agrees) -> None:
    """From where the section begins to where it sleeps; charged to the section's own call."""
    callees = """
static void deep(void)
{
	might_sleep();
}

static void middle(void)
{
	deep();
}
"""
    found = sleeps(agrees, callees, "middle()")
    assert [(s.function, s.note) for s in found.path] == [
        ("f", "calls lazy_mmu_mode_enable()"),
        ("f", "calls middle()"),
        ("middle", "calls deep()"),
        ("deep", "calls might_sleep()"),
    ]
    assert "might_sleep()" in found.message


def test_a_chain_through_files_and_macros(agrees: Agrees) -> None:
    """As the compiler would resolve them."""
    agrees(
        {
            "include/linux/wait.h": """
#define wait_for(x) do { prepare(x); __wait_for(x); } while (0)
static inline void __wait_for(int x)
{
	finish(x);
}
#define finish finish_wait
""",
            "kernel/wait.c": "void finish_wait(int x)\n{\n	schedule();\n}\n",
            "mm/a.c": SECTION.format("wait_for(some)", "	/* expect: sleep-in-section */"),
        }
    )


def test_a_static_of_another_file_is_not_meant(agrees: Agrees) -> None:
    """Only the function that the linker would take."""
    agrees(
        {
            "kernel/b.c": "static void work(void)\n{\n	might_sleep();\n}\n",
            "kernel/c.c": "void work(void)\n{\n	nothing();\n}\n",
            "mm/a.c": SECTION.format("work()", ""),
        }
    )


def test_two_candidates_make_a_finding_uncertain(agrees: Agrees) -> None:
    """One of them sleeps: low confidence."""
    (found,) = agrees(
        {
            "kernel/b.c": "void work(void)\n{\n	might_sleep();\n}\n",
            "kernel/c.c": "void work(void)\n{\n	nothing();\n}\n",
            "mm/a.c": SECTION.format("work()", "	/* expect: sleep-in-section */"),
        }
    )
    assert found.confidence is Confidence.LOW


def test_a_condition_in_a_callee_makes_a_finding_less_certain(agrees: Agrees) -> None:
    """One may hold; of three nobody knows."""
    one = "static void work(int a) { if (a) might_sleep(); }\n"
    assert sleeps(agrees, one, "work(some)").confidence is Confidence.MEDIUM
    three = """
static void inner(int a) { if (thing(a)) might_sleep(); }
static void middle(int a) { if (other(a)) inner(a); }
static void work(int a) { if (a) middle(a); }
"""
    assert sleeps(agrees, three, "work(some)").confidence is Confidence.LOW


def test_recursion_ends(agrees: Agrees) -> None:
    """And what is on the way is still found."""
    callees = """
static void even(int n);
static void odd(int n) { if (n) even(n - 1); }
static void even(int n) { if (n) odd(n - 1); else might_sleep(); }
"""
    sleeps(agrees, callees, "odd(some)")


# ---- what decides ------------------------------------------------------------------------------


def test_a_constant_argument_prunes_what_it_excludes(agrees: Agrees) -> None:
    """`flags & MAY_WAIT` through two calls; the constant is an object macro."""
    callees = """
#define MAY_WAIT 0x1
#define BE_QUICK 0x2
static void inner(int flags)
{
	if (flags & MAY_WAIT)
		might_sleep();
}

static void work(int flags)
{
	inner(flags);
}
"""
    silent(agrees, callees, "work(0)")
    silent(agrees, callees, "work(BE_QUICK)")
    sleeps(agrees, callees, "work(MAY_WAIT)")
    sleeps(agrees, callees, "work(MAY_WAIT | BE_QUICK)")
    sleeps(agrees, callees, "work(some)")


def test_a_boolean_argument_decides(agrees: Agrees) -> None:
    """true and false, through a switch and a conditional expression too."""
    callees = """
static void work(bool wait)
{
	int how = wait ? 2 : 1;

	switch (how) {
	case 2:
		might_sleep();
		break;
	}
}
"""
    silent(agrees, callees, "work(false)")
    sleeps(agrees, callees, "work(true)")


def test_a_null_argument_decides(agrees: Agrees) -> None:
    """A function that waits only when it is given something to wait for."""
    callees = """
static void work(struct thing *what)
{
	if (!what)
		return;
	might_sleep();
}
"""
    silent(agrees, callees, "work(NULL)")
    sleeps(agrees, callees, "work(thing)")


def test_a_parameter_that_is_overwritten_decides_no_more(agrees: Agrees) -> None:
    """A parameter that is overwritten decides no more from the assignment on."""
    before = "static void work(int w) { if (w) might_sleep(); w = again(); }\n"
    silent(agrees, before, "work(0)")
    after = "static void work(int w) { w = again(); if (w) might_sleep(); }\n"
    sleeps(agrees, after, "work(0)")


@pytest.mark.parametrize(
    ("mask", "may"),
    [
        ("GFP_KERNEL", True),
        ("GFP_KERNEL | __GFP_ZERO", True),
        ("GFP_ATOMIC", False),
        ("GFP_NOWAIT | __GFP_ACCOUNT", False),
        ("GFP_KERNEL & ~__GFP_DIRECT_RECLAIM", False),
        ("GFP_KERNEL & ~__GFP_NOWARN", True),
        ("QUICK", False),
        ("PATIENT", True),
    ],
)
def test_an_allocation_mask_decides_through_calls(agrees: Agrees, mask: str, may: bool) -> None:
    """By the flag that lets reclaim, whatever else is set, through parameters and macros."""
    callees = """
#define QUICK (GFP_ATOMIC | __GFP_NOWARN)
#define PATIENT (GFP_KERNEL | __GFP_NOWARN)

static bool gfpflags_allow_blocking(const gfp_t flags)
{
	return !!(flags & __GFP_DIRECT_RECLAIM);
}

static void *inner(gfp_t gfp)
{
	might_sleep_if(gfpflags_allow_blocking(gfp));
	return NULL;
}

static void *make(unsigned long size, gfp_t flags)
{
	return inner(flags | __GFP_ZERO);
}
"""
    if may:
        sleeps(agrees, callees, f"make(64, {mask})")
    else:
        silent(agrees, callees, f"make(64, {mask})")


@pytest.mark.parametrize(("value", "may"), [("y", True), ("n", False), ("free", True)])
def test_a_decided_config_decides(agrees: Agrees, value: str, may: bool) -> None:
    """IS_ENABLED() of a symbol that Kconfig decides; a free one may be on."""
    callees = """
static void work(void)
{
	if (!IS_ENABLED(CONFIG_WAITING))
		return;
	might_sleep();
}
"""
    given = {"config": {"WAITING": value}}
    if may:
        sleeps(agrees, callees, "work()", **given)
    else:
        silent(agrees, callees, "work()", **given)


def test_a_config_in_the_sections_own_function_decides(agrees: Agrees) -> None:
    """The walker asks the same questions."""
    code = """
void f(void)
{
	lazy_mmu_mode_enable();
	if (IS_ENABLED(CONFIG_WAITING))
		might_sleep();%s
	lazy_mmu_mode_disable();
}
"""
    agrees(code % "", config={"WAITING": "n"})
    agrees(code % "	/* expect: sleep-in-section */", config={"WAITING": "y"})


def test_a_call_of_a_known_value_decides(agrees: Agrees) -> None:
    """Such as radix_enabled() on a profile that has no radix MMU."""
    callees = "static void work(void) { if (radix_enabled()) might_sleep(); }\n"
    silent(agrees, callees, "work()", constants={"radix_enabled": 0})
    sleeps(agrees, callees, "work()", constants={"radix_enabled": 1})


def test_a_simple_helper_decides(agrees: Agrees) -> None:
    """A function that only returns an expression of its arguments."""
    callees = """
static bool may_wait(int flags)
{
	return flags & 4;
}

static void work(int flags)
{
	if (may_wait(flags))
		might_sleep();
}
"""
    silent(agrees, callees, "work(3)")
    sleeps(agrees, callees, "work(4)")


# ---- what is believed ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("take", "drop"),
    [
        ("spin_lock(&l)", "spin_unlock(&l)"),
        ("preempt_disable()", "preempt_enable()"),
        ("local_irq_save(flags)", "local_irq_restore(flags)"),
        ("read_lock(&l)", "read_unlock(&l)"),
    ],
)
def test_a_sleep_below_a_lock_of_the_callee_is_left_out(
    agrees: Agrees, take: str, drop: str
) -> None:
    """It would be a bug wherever the callee is called; after the lock it counts again."""
    callees = f"static void work(void) {{ {take}; inner(); {drop}; }}\n"
    inner = "static void inner(void) { might_sleep(); }\n"
    silent(agrees, inner + callees, "work()")
    after = callees.replace(f"{drop};", f"{drop}; inner();")
    sleeps(agrees, inner + after, "work()")


@pytest.mark.parametrize(
    ("off", "on"),
    [
        ("local_irq_disable()", "local_irq_enable()"),
        ("spin_lock_irq(&l)", "spin_unlock_irq(&l)"),
    ],
)
def test_a_sleep_where_a_callee_has_let_interrupts_in_counts(
    agrees: Agrees, off: str, on: str
) -> None:
    """A flag and no count: they are on, though what was kept has not been set again yet."""
    inner = "static void inner(void) { might_sleep(); }\n"
    kept = "local_irq_save(flags); {} local_irq_restore(flags);"
    again = kept.format("local_irq_save(more); local_irq_restore(more); inner();")
    silent(agrees, f"{inner}static void work(void) {{ {again} }}\n", "work()")
    early = kept.format(f"{off}; {on}; inner();")
    sleeps(agrees, f"{inner}static void work(void) {{ {early} }}\n", "work()")


@pytest.mark.parametrize(
    ("context", "may"),
    [
        ("Any context.", False),
        ("Can be called from interrupt context.", False),
        ("Process context. Does not sleep.", False),
        ("Process context. May sleep.", True),
        ("Process context.", True),
    ],
)
def test_kernel_doc_says_whether_it_sleeps(agrees: Agrees, context: str, may: bool) -> None:
    """Its Context section is believed when it says that atomic context may call."""
    callees = f"""
/**
 * work - does it
 *
 * Context: {context}
 */
static void work(void)
{{
	if (somehow())
		might_sleep();
}}
"""
    if may:
        sleeps(agrees, callees, "work()")
    else:
        silent(agrees, callees, "work()")


def test_a_comment_that_is_no_kernel_doc_says_nothing(agrees: Agrees) -> None:
    """A comment that is no kernel-doc says nothing, whatever it promises."""
    callees = "/* Context: any context. */\nstatic void work(void) { might_sleep(); }\n"
    sleeps(agrees, callees, "work()")


# ---- callbacks -----------------------------------------------------------------------------------

TAKER = """
int apply_to_page_range(struct mm_struct *mm, unsigned long addr, unsigned long size,
			pte_fn_t fn, void *data)
{
	return apply(mm, addr, size, fn, data);
}

static int apply(struct mm_struct *mm, unsigned long addr, unsigned long size,
			pte_fn_t fn, void *data)
{
	pte_t *pte = pte_of(mm, addr);
	int err = 0;

	lazy_mmu_mode_enable();
	do {
		if (fn) {
			err = fn(pte++, addr, data);
			if (err)
				break;
		}
	} while (addr += PAGE_SIZE, addr != size);
	lazy_mmu_mode_disable();
	return err;
}
"""


def test_a_callback_runs_in_the_section_of_who_calls_it(agrees: Agrees) -> None:
    """Through a bound parameter, to a static function of another file that the path names."""
    (found,) = agrees(
        {
            "mm/memory.c": TAKER,
            "drivers/a.c": """
static int fill(pte_t *ptep, unsigned long addr, void *data)
{
	void *page = alloc_pages(GFP_KERNEL, 0);	/* expect: sleep-in-section */

	set_pte_at(&init_mm, addr, ptep, make(page));
	return 0;
}

int g(unsigned long addr, unsigned long end)
{
	return apply_to_page_range(&init_mm, addr, end, fill, NULL);
}
""",
            "drivers/b.c": """
static int fill(pte_t *ptep, unsigned long addr, void *data)
{
	set_pte_at(&init_mm, addr, ptep, make(data));
	return 0;
}

int h(unsigned long addr, unsigned long end)
{
	return apply_to_page_range(&init_mm, addr, end, fill, NULL);
}
""",
        }
    )
    told = [(step.function, step.note) for step in found.path]
    assert told[0] == ("g", "calls apply_to_page_range() with fill()")
    assert ("apply", "calls back fill()") in told
    assert told[-1][0] == "fill"


def test_a_callback_given_by_its_address_is_the_same(agrees: Agrees) -> None:
    """A callback that is given by its address is the same: `&fill` is `fill`."""
    agrees(
        {
            "mm/memory.c": TAKER,
            "drivers/a.c": """
static int fill(pte_t *ptep, unsigned long addr, void *data)
{
	might_sleep();	/* expect: sleep-in-section */
	return 0;
}

int g(unsigned long addr, unsigned long end)
{
	return apply_to_page_range(&init_mm, addr, end, &fill, NULL);
}
""",
        }
    )


def test_a_callback_may_end_and_begin_again(agrees: Agrees) -> None:
    """It must return as it was called."""
    agrees(
        {
            "mm/memory.c": TAKER,
            "mm/right.c": """
static int fill(pte_t *ptep, unsigned long addr, void *data)
{
	lazy_mmu_mode_pause();
	might_sleep();
	lazy_mmu_mode_resume();
	return 0;
}

int g(unsigned long addr, unsigned long end)
{
	return apply_to_page_range(&init_mm, addr, end, fill, NULL);
}
""",
            "mm/wrong.c": """
static int fill_wrong(pte_t *ptep, unsigned long addr, void *data)
{
	lazy_mmu_mode_disable();
	might_sleep();
	if (!data)
		return -ENOMEM;	/* expect: unbalanced-section */
	lazy_mmu_mode_enable();
	return 0;
}

int h(unsigned long addr, unsigned long end)
{
	return apply_to_page_range(&init_mm, addr, end, fill_wrong, NULL);
}
""",
        }
    )


def test_no_callback_is_none(agrees: Agrees) -> None:
    """A taker that is given NULL calls nothing."""
    agrees(
        {
            "mm/memory.c": TAKER,
            "mm/a.c": """
int g(unsigned long addr, unsigned long end)
{
	return apply_to_page_range(&init_mm, addr, end, NULL, NULL);
}
""",
        }
    )


def test_what_a_table_of_callbacks_may_do(agrees: Agrees) -> None:
    """Functions that stand in the operations which a section hands to a walker."""
    callees = """
static int visit(pmd_t *pmd, unsigned long addr)
{
	might_sleep();
	return 0;
}

int walk_page_range(struct mm_struct *mm, unsigned long start, unsigned long end,
			const struct mm_walk_ops *ops, void *private)
{
	return ops->pmd_entry(mm, start);
}
"""
    call = "walk_page_range(mm, 0, 1, &wait_ops, NULL)"
    sleeps(agrees, callees, call, tables={"wait_ops": ("visit",)})
    silent(agrees, callees, call, tables={"wait_ops": ("other",), "else_ops": ("visit",)})


def test_what_runs_later_does_not_run_in_the_section(agrees: Agrees) -> None:
    """A callback that is only queued."""
    callees = "static void done(struct rcu_head *head) { might_sleep(); }\n"
    silent(agrees, callees, "call_rcu(&thing->rcu, done)")


# ---- nesting below calls -------------------------------------------------------------------------


def test_a_section_below_a_call_is_nested(agrees: Agrees) -> None:
    """In the dialect that forbids it; a constant argument prunes it like anything else."""
    code = """
static void inner(int quick)
{
	if (quick)
		return;
	arch_enter_lazy_mmu_mode();%s
	arch_leave_lazy_mmu_mode();
}

void f(void)
{
	arch_enter_lazy_mmu_mode();
	inner(%d);
	arch_leave_lazy_mmu_mode();
}
"""
    agrees(code % ("", 1), dialect=NO_NESTING)
    agrees(code % ("	/* expect: nested-section */", 0), dialect=NO_NESTING)


def test_an_accessor_that_begins_a_section_nests(agrees: Agrees) -> None:
    """The accessor itself is the culprit, and that once."""
    (found,) = agrees(
        {
            "include/linux/pgtable.h": """
static inline void set_ptes(struct mm_struct *mm, unsigned long addr, pte_t *ptep, pte_t pte,
				unsigned int nr)
{
	arch_enter_lazy_mmu_mode();	/* expect: nested-section */
	set_pte(ptep, pte);
	arch_leave_lazy_mmu_mode();
}
#define set_pte_at(mm, addr, ptep, pte) set_ptes(mm, addr, ptep, pte, 1)
""",
            "mm/a.c": """
void f(pte_t *pte, unsigned long addr, pte_t new)
{
	arch_enter_lazy_mmu_mode();
	set_pte_at(&init_mm, addr, pte, new);
	arch_leave_lazy_mmu_mode();
}

void g(pte_t *pte, unsigned long addr, pte_t new)
{
	set_pte_at(&init_mm, addr, pte, new);
}
""",
        },
        dialect=NO_NESTING,
    )
    assert found.path[0].file == "mm/a.c"
    assert found.path[-1].function == "set_ptes"


def test_the_same_cause_in_two_sections_is_one_finding(agrees: Agrees) -> None:
    """The second section is a note of it."""
    (found,) = agrees(
        """
static void inner(pte_t *pte)
{
	arch_enter_lazy_mmu_mode();	/* expect: nested-section */
	arch_leave_lazy_mmu_mode();
}

void f(pte_t *pte)
{
	arch_enter_lazy_mmu_mode();
	inner(pte);
	arch_leave_lazy_mmu_mode();
}

void g(pte_t *pte)
{
	arch_enter_lazy_mmu_mode();
	inner(pte);
	arch_leave_lazy_mmu_mode();
}
""",
        dialect=NO_NESTING,
    )
    assert any(s.function == "g" and "also in the section" in s.note for s in found.path)


# ---- what is not seen is said --------------------------------------------------------------------


def test_calls_without_a_definition_are_listed(kernel: Make) -> None:
    """By name, or as the pointer that they go through, with the first place."""
    seen = kernel("""
void f(struct thing *thing)
{
	lazy_mmu_mode_enable();
	nowhere(thing);
	thing->ops->work(thing);
	lazy_mmu_mode_disable();
}
""")
    assert seen.findings() == ()
    assert seen.summaries.unresolved["nowhere"] == ("mm/a.c", 5, "f")
    assert any("thing->ops->work" in name for name in seen.summaries.unresolved)


def test_a_callee_that_cannot_be_parsed_is_listed(kernel: Make) -> None:
    """And nothing is found in it."""
    seen = kernel("static void work(void)\n{\n	if (\n}\n" + SECTION.format("work()", ""))
    assert seen.findings() == ()
    assert list(seen.program.unparsed.values()) == [("work", UNPARSED)]


@pytest.mark.parametrize(
    ("test", "sleeps"),
    [
        ("GFP_KERNEL & __GFP_DIRECT_RECLAIM", True),
        ("GFP_ATOMIC & __GFP_DIRECT_RECLAIM", False),
        ("(GFP_ATOMIC | __GFP_ZERO) & __GFP_DIRECT_RECLAIM", False),
        ("(__GFP_ZERO | GFP_KERNEL) & __GFP_DIRECT_RECLAIM", True),
        ("(GFP_KERNEL & ~__GFP_DIRECT_RECLAIM) & __GFP_DIRECT_RECLAIM", False),
        ("!(GFP_KERNEL & __GFP_DIRECT_RECLAIM)", False),
        ("!(GFP_NOWAIT & __GFP_DIRECT_RECLAIM)", True),
    ],
)
def test_the_part_of_a_mask_that_allows_sleeping_is_set_or_not(
    agrees: Agrees, test: str, sleeps: bool
) -> None:
    """A mask says whether its owner may sleep, and code that asks is believed."""
    comment = "/* expect: sleep-in-section */" if sleeps else ""
    agrees(f"""
void f(void)
{{
	lazy_mmu_mode_enable();
	if ({test})
		might_sleep();	{comment}
	lazy_mmu_mode_disable();
}}
""")


def test_a_callee_that_may_not_sleep_still_does_what_else_it_does(agrees: Agrees) -> None:
    """Whoever is called by one that must not sleep flushes the TLB all the same."""
    agrees("""
static void inner(struct vm_area_struct *vma, unsigned long addr)
{
	might_sleep();
	flush_tlb_page(vma, addr);
}

static void callee(struct vm_area_struct *vma, unsigned long addr)
{
	preempt_disable();
	inner(vma, addr);
	preempt_enable();
}

void f(struct vm_area_struct *vma, pte_t *pte, unsigned long addr, pte_t new, spinlock_t *ptl)
{
	lockdep_assert_held(ptl);
	lazy_mmu_mode_enable();
	set_pte_at(vma->vm_mm, addr, pte, new);
	callee(vma, addr);	/* expect: tlb-flush-in-section */
	lazy_mmu_mode_disable();
}
""")


@pytest.mark.parametrize("value", [0, 1])
def test_a_call_of_a_known_value_decides_the_way_of_a_section(agrees: Agrees, value: int) -> None:
    """What the machine at hand answers is not asked, and the other side is not walked."""
    comment = "	/* expect: sleep-in-section */" if value else ""
    agrees(
        f"""
void f(void)
{{
	lazy_mmu_mode_enable();
	if (radix_enabled())
		might_sleep();{comment}
	lazy_mmu_mode_disable();
}}
""",
        constants={"radix_enabled": value},
    )


@pytest.mark.parametrize(
    ("mask", "sleeps"), [("GFP_KERNEL", True), ("GFP_ATOMIC", False), ("GFP_NOWAIT", False)]
)
def test_a_mask_in_a_variable_that_is_set_once_is_that_mask(
    agrees: Agrees, mask: str, sleeps: bool
) -> None:
    """What is set where it is declared, and never again, is known wherever it is used."""
    comment = "	/* expect: sleep-in-section */" if sleeps else ""
    agrees(f"""
void f(void)
{{
	int other = 0;
	gfp_t flags = {mask};

	other = 1;
	lazy_mmu_mode_enable();
	keep(kmalloc(64, flags));{comment}
	lazy_mmu_mode_disable();
}}
""")


def test_a_mask_that_allows_to_wait_counts_where_the_callee_has_no_definition(
    agrees: Agrees,
) -> None:
    """Who is only declared, or a macro, is taken to allocate with the mask that it is given."""
    macro = "#define make_by_macro(thing, mask) made_by((thing), (mask))\n"
    for call in ("make_elsewhere(thing, {})", "make_by_macro(thing, {})"):
        sleeps(agrees, macro, call.format("GFP_KERNEL"))
        silent(agrees, macro, call.format("GFP_NOWAIT"))


def test_small_helpers_that_ask_each_other_are_worth_nothing_known(agrees: Agrees) -> None:
    """The value of a call that comes back to itself stays open, and its evaluation ends."""
    callees = """
static int one(int mask)
{
	return other(mask);
}

static int other(int mask)
{
	return one(mask);
}

static void may_wait(int mask)
{
	if (one(mask))
		schedule();
}
"""
    sleeps(agrees, callees, "may_wait(1)")


def test_a_broken_rule_leaves_pending_writes_pending(agrees: Agrees) -> None:
    """Only who reads an entry takes its write for done; who sleeps does not."""
    agrees(
        """
void f(struct mm_struct *mm, pte_t *ptep, unsigned long addr, pte_t pte)
{
	lazy_mmu_mode_enable();
	set_pte_at(mm, addr, ptep, pte);
	lazy_mmu_mode_enable();	/* expect: nested-section */
	if (pte_none(ptep_get(ptep)))	/* expect: stale-read */
		mm->none++;
	lazy_mmu_mode_disable();
	lazy_mmu_mode_disable();
}
""",
        dialect=NO_NESTING,
    )
