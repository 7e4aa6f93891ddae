# SPDX-License-Identifier: GPL-2.0-or-later
"""The walker on small functions: pages that stand in structures, freed by whoever runs later."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from lazymmu.witness.finding import Confidence, Finding

Agrees = Callable[..., tuple[Finding, ...]]

LATER = """
struct later {{
	struct work_struct work, early;
	struct delayed_work slow;
	struct timer_list timer;
	struct rcu_head rcu;
	struct page *page;
}};

static struct page *dropped;
static struct later pending;

static void free_worker(struct work_struct *work)
{{
	struct later *later = container_of(work, struct later, work);

	__free_page(later->page);
	kfree(later);
}}

static void free_slowly(struct work_struct *work)
{{
	struct later *later = container_of(to_delayed_work(work), struct later, slow);
	struct page *page = later->page;

	__free_pages(page, 0);
}}

static void free_tick(struct timer_list *timer)
{{
	struct later *later = from_timer(later, timer, timer);

	__free_page(later->page);
}}

static void give_back(struct later *later)
{{
	__free_page(later->page);
}}

static void free_rcu(struct rcu_head *head)
{{
	give_back(container_of(head, struct later, rcu));
}}

static void free_page_rcu(struct rcu_head *head)
{{
	struct page *page = container_of(head, struct page, rcu_head);

	__free_page(page);
}}

static void free_dropped(struct work_struct *work)
{{
	__free_page(dropped);
}}

static void free_pending(struct work_struct *work)
{{
	__free_page(pending.page);
}}

static void look_at(struct work_struct *work)
{{
	struct later *later = container_of(work, struct later, early);

	get_page(later->page);
}}

static DECLARE_WORK(drop_work, free_dropped);

void set_up(struct later *l)
{{
	INIT_WORK(&l->work, free_worker);
	INIT_WORK(&l->early, look_at);
	INIT_DELAYED_WORK(&l->slow, free_slowly);
	timer_setup(&l->timer, free_tick, 0);
}}

static void put_off(struct later *l, struct page *page)
{{
	l->page = page;
	schedule_work(&l->work);
}}

static void drop(struct page *page)
{{
	__free_page(page);
}}

void f(struct mm_struct *mm, unsigned long addr, pmd_t *pmd, struct later *l, pte_t other)
{{
	spinlock_t *ptl;
	struct page *page;
	pte_t old;
	struct later own;
	pte_t *pte = {0};

	if (!pte)
		return;
	old = ptep_get(pte);
	page = pte_page(old);
	lazy_mmu_mode_enable();
	pte_clear(&init_mm, addr, pte);
	{1}
	lazy_mmu_mode_disable();
}}
"""

NO_LOCK = "pte_offset_kernel(pmd, addr)"
LOCK = "pte_offset_map_lock(mm, pmd, addr, &ptl)"
FREED = "	/* expect: free-before-flush */"


@pytest.mark.parametrize(
    "body",
    [
        "l->page = page; schedule_work(&l->work);",
        "l->page = page; queue_work(wq, &l->work);",
        "l->page = page; schedule_delayed_work(&l->slow, 0);",
        "l->page = page; call_rcu(&l->rcu, free_rcu);",
        "call_rcu(&page->rcu_head, free_page_rcu);",
        "dropped = page; schedule_work(&drop_work);",
        "put_off(l, page);",
        "put_off(l, pte_page(old));",
        "put_off(l, pfn_to_page(pte_pfn(old)));",
    ],
)
def test_who_runs_later_frees_the_page_of_a_pending_entry(agrees: Agrees, body: str) -> None:
    """Nobody knows when that is, and the section may be open still: one thing is assumed."""
    (found,) = agrees(LATER.format(NO_LOCK, body + FREED))
    assert found.confidence is Confidence.MEDIUM
    assert any(step.note == "runs later" for step in found.path)


@pytest.mark.parametrize(
    ("call", "sure"),
    [
        ("queue_work(wq, &l->work);", Confidence.MEDIUM),
        ("schedule_work_on(cpu, &l->work);", Confidence.MEDIUM),
        ("schedule_work(&l->work);", Confidence.LOW),
    ],
)
def test_a_worker_of_this_cpu_is_kept_back_by_a_lock_most_likely(
    agrees: Agrees, call: str, sure: Confidence
) -> None:
    """Workers of other queues run on other CPUs while the section goes on under its lock."""
    (found,) = agrees(LATER.format(LOCK, f"l->page = page; {call}{FREED}"))
    assert found.confidence is sure


@pytest.mark.parametrize("lock", [NO_LOCK, LOCK])
def test_a_timer_frees_while_the_section_goes_on(agrees: Agrees, lock: str) -> None:
    """It interrupts whoever holds a lock, too."""
    agrees(LATER.format(lock, "l->page = page; mod_timer(&l->timer, 5);" + FREED))


@pytest.mark.parametrize(
    "body",
    [
        "l->page = page; give_back(l);",
        "own.page = page; give_back(&own);",
        "drop(page);",
        "drop(pte_page(old));",
    ],
)
def test_who_is_handed_the_structure_frees_at_once(agrees: Agrees, body: str) -> None:
    """A page that stands in a structure is freed like one that is handed on by itself."""
    (found,) = agrees(LATER.format(NO_LOCK, body + FREED))
    assert found.confidence is Confidence.HIGH


@pytest.mark.parametrize(
    ("lock", "body"),
    [
        (NO_LOCK, "l->page = page; schedule_work(&l->early);"),
        (NO_LOCK, "l->page = page; schedule_work(&l->unknown);"),
        (NO_LOCK, "l->page = alloc_page(GFP_ATOMIC); schedule_work(&l->work);"),
        (NO_LOCK, "l->page = page; l = next(l); schedule_work(&l->work);"),
        (NO_LOCK, "lazy_mmu_mode_disable(); put_off(l, page); lazy_mmu_mode_enable();"),
        (NO_LOCK, "put_off(l, pte_page(other));"),
        (NO_LOCK, "note(l, pte_page(old));"),
        (NO_LOCK, "drop(pte_page(other));"),
        (LOCK, "l->page = page; call_rcu(&l->rcu, free_rcu);"),
        (NO_LOCK, "preempt_disable(); call_rcu(&page->rcu_head, free_page_rcu); preempt_enable();"),
        (
            NO_LOCK,
            "local_irq_disable(); l->page = page; mod_timer(&l->timer, 5); local_irq_enable();",
        ),
    ],
)
def test_what_cannot_free_the_page_in_the_section_is_silent(
    agrees: Agrees, lock: str, body: str
) -> None:
    """Another function, another page, another structure, after the end, or kept from running."""
    assert not agrees(LATER.format(lock, body))


def test_setting_an_item_up_does_not_wait(agrees: Agrees) -> None:
    """What may wait repairs an item that is in use already, which is a mistake of its own."""
    debug = """
struct debug_descr { bool (*fixup)(void *item); };

static bool repair(void *item)
{
	mutex_lock(&m);
	return true;
}

static const struct debug_descr debug_descr = { .fixup = repair };

void debug_object_init(void *item, const struct debug_descr *descr)
{
	if (broken(item))
		descr->fixup(item);
}
"""
    body = "l->page = page; debug_object_init(&l->work, &debug_descr); get_page(page);"
    assert not agrees(debug + LATER.format(NO_LOCK, body))
