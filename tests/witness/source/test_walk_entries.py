# SPDX-License-Identifier: GPL-2.0-or-later
"""The walker on small functions: entries, and what may not happen to a pending one."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from lazymmu.contract.dialects import NO_NESTING
from lazymmu.witness.finding import Finding

Agrees = Callable[..., tuple[Finding, ...]]

HEAD = """
void f(struct mm_struct *mm, struct vm_area_struct *vma, pte_t *pte, pte_t *other,
       unsigned long addr, pte_t new)
{
	spinlock_t *ptl = ptep_lockptr(mm, pte);

	spin_lock(ptl);
	lazy_mmu_mode_enable();
"""
TAIL = """
	lazy_mmu_mode_disable();
	spin_unlock(ptl);
}
"""


def inside(agrees: Agrees, body: str, **given: object) -> tuple[Finding, ...]:
    """Check statements in a section and under its lock, with entries, an mm and a vma at hand."""
    return agrees(HEAD + body + TAIL, **given)


# ---- reads -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "read",
    [
        "use(ptep_get(pte));",
        "use(*pte);",
        "if (pte_present(ptep_get(pte))) use(1);",
        "old = ptep_get(pte);",
        "ptep_set_access_flags(vma, addr, pte, new, 1);",
        "use(pte_val(*pte) & 1);",
        "while (!pte_none(*pte)) use(1);",
    ],
)
def test_an_entry_is_read_while_its_write_is_pending(agrees: Agrees, read: str) -> None:
    """By an accessor or through the pointer, wherever in an expression."""
    inside(
        agrees,
        f"""
	pte_t old;

	set_pte_at(mm, addr, pte, new);
	{read}	/* expect: stale-read */
""",
    )


def test_a_read_before_the_write_is_right(agrees: Agrees) -> None:
    """Also in one statement, where it makes the argument."""
    inside(
        agrees,
        """
	set_pte_at(mm, addr, pte, pte_mkold(ptep_get(pte)));
""",
    )


def test_one_mistake_is_one_finding(agrees: Agrees) -> None:
    """Who reads once counts on the write; what follows from that is not told again."""
    inside(
        agrees,
        """
	set_pte_at(mm, addr, pte, new);
	use(ptep_get(pte));	/* expect: stale-read */
	use(ptep_get(pte));
	ptep_set_wrprotect(mm, addr, pte);
""",
    )


def test_another_entry_may_be_read(agrees: Agrees) -> None:
    """And the same one after a flush, a pause or the end."""
    inside(
        agrees,
        """
	set_pte_at(mm, addr, pte, new);
	use(ptep_get(other));
	use(ptep_get(pte + 1));
	lazy_mmu_mode_pause();
	use(ptep_get(pte));
	lazy_mmu_mode_resume();
""",
    )


def test_a_flush_lets_read(agrees: Agrees) -> None:
    """arch_flush_lazy_mmu_mode(), here or in a callee."""
    agrees(
        """
static void sync(void)
{
	arch_flush_lazy_mmu_mode();
}

void f(struct mm_struct *mm, pte_t *pte, unsigned long addr, pte_t new)
{
	arch_enter_lazy_mmu_mode();
	set_pte_at(mm, addr, pte, new);
	arch_flush_lazy_mmu_mode();
	use(ptep_get(pte));
	set_pte_at(mm, addr, pte, new);
	sync();
	use(ptep_get(pte));
	arch_leave_lazy_mmu_mode();
}
""",
        dialect=NO_NESTING,
    )


@pytest.mark.parametrize(
    "move",
    [
        "pte++;",
        "++pte;",
        "pte += 2;",
        "pte = other;",
        "pte = pte + 1;",
        "pte = next_of(pte);",
        "find(&pte);",
        "for_each_entry(pte, list) use(0);",
    ],
)
def test_a_pointer_that_moved_names_another_entry(agrees: Agrees, move: str) -> None:
    """What was pending under its name stays pending, and is nobody's to read."""
    inside(
        agrees,
        f"""
	set_pte_at(mm, addr, pte, new);
	{move}
	use(ptep_get(pte));
""",
    )


def test_an_entry_of_a_new_round_is_another_one(agrees: Agrees) -> None:
    """The loop of every page-table walk."""
    inside(
        agrees,
        """
	do {
		if (!pte_present(ptep_get(pte)))
			continue;
		set_pte_at(mm, addr, pte, new);
	} while (pte++, addr += PAGE_SIZE, addr != end);
""",
    )


def test_an_entry_of_a_loop_that_does_not_move_is_the_same_one(agrees: Agrees) -> None:
    """The second round reads what the first wrote."""
    inside(
        agrees,
        """
	do {
		if (!pte_present(ptep_get(pte)))	/* expect: stale-read */
			continue;
		set_pte_at(mm, addr, pte, new);
	} while (addr += PAGE_SIZE, addr != end);
""",
    )


def test_entries_by_index_differ_by_it(agrees: Agrees) -> None:
    """`pte + i` is one entry as long as neither of the two changes."""
    inside(
        agrees,
        """
	int i = 0;

	set_pte_at(mm, addr, pte + i, new);
	use(ptep_get(pte + i));	/* expect: stale-read */
	set_pte_at(mm, addr, pte + i, new);
	i++;
	use(ptep_get(pte + i));
""",
    )


def test_a_step_within_the_call_comes_after_it(agrees: Agrees) -> None:
    """`set_pte_at(mm, addr, pte++, new)` writes the old one."""
    inside(
        agrees,
        """
	set_pte_at(mm, addr, pte++, new);
	use(ptep_get(pte));
	set_pte_at(mm, addr, pte, new);
	use(ptep_get(pte));	/* expect: stale-read */
""",
    )


def test_members_name_entries_too(agrees: Agrees) -> None:
    """`vmf->pte` is one as long as vmf is."""
    agrees("""
void f(struct vm_fault *vmf, struct mm_struct *mm, pte_t new)
{
	lazy_mmu_mode_enable();
	set_pte_at(mm, vmf->address, vmf->pte, new);
	use(ptep_get(vmf->pte));	/* expect: stale-read */
	set_pte_at(mm, vmf->address, vmf->pte, new);
	vmf = next(vmf);
	use(ptep_get(vmf->pte));
	lazy_mmu_mode_disable();
}
""")


def test_a_condition_that_keeps_write_and_read_apart(agrees: Agrees) -> None:
    """They are never on one path."""
    inside(
        agrees,
        """
	int wrote = 0;

	if (want(addr)) {
		set_pte_at(mm, addr, pte, new);
		wrote = 1;
	}
	if (!wrote)
		use(ptep_get(pte));
""",
    )


def test_a_helper_reads_what_its_caller_wrote(agrees: Agrees) -> None:
    """Under the helper's name for it; the path leads there from the write."""
    (found,) = agrees("""
static int young(pte_t *ptep)
{
	return pte_young(ptep_get(ptep));	/* expect: stale-read */
}

void f(struct mm_struct *mm, pte_t *pte, pte_t *other, unsigned long addr, pte_t new)
{
	lazy_mmu_mode_enable();
	set_pte_at(mm, addr, pte, new);
	young(other);
	young(pte);
	lazy_mmu_mode_disable();
}
""")
    assert [(s.function, s.line) for s in found.path] == [
        ("f", 9),
        ("f", 10),
        ("f", 12),
        ("young", 4),
    ]


def test_a_caller_reads_what_its_helper_wrote(agrees: Agrees) -> None:
    """A caller that reads what its helper wrote reads a stale entry, as the other way round."""
    agrees("""
static void age(struct mm_struct *mm, unsigned long a, pte_t *p)
{
	set_pte_at(mm, a, p, pte_mkold(ptep_get(p)));
}

void f(struct mm_struct *mm, pte_t *pte, unsigned long addr)
{
	lazy_mmu_mode_enable();
	age(mm, addr, pte);
	age(mm, addr, pte + 1);
	use(ptep_get(pte));	/* expect: stale-read */
	lazy_mmu_mode_disable();
}
""")


def test_what_a_helper_wrote_to_its_own_entry_is_not_the_callers(agrees: Agrees) -> None:
    """It has no name outside; a stepped parameter is no argument any more."""
    agrees("""
static void age_two(struct mm_struct *mm, unsigned long a, pte_t *p)
{
	p++;
	set_pte_at(mm, a, p, pte_mkold(ptep_get(p)));
}

void f(struct mm_struct *mm, pte_t *pte, unsigned long addr)
{
	lazy_mmu_mode_enable();
	age_two(mm, addr, pte);
	use(ptep_get(pte));
	lazy_mmu_mode_disable();
}
""")


def test_the_inside_of_an_accessor_is_not_judged_again(agrees: Agrees) -> None:
    """An accessor's own event says what it does; its implementation may read and write."""
    agrees(
        {
            "include/linux/pgtable.h": """
static inline void set_ptes(struct mm_struct *mm, unsigned long a, pte_t *ptep, pte_t pte, int nr)
{
	for (;;) {
		set_pte(ptep, pte);
		check(*ptep);
		if (--nr == 0)
			break;
		ptep++;
	}
}
#define set_pte_at(mm, addr, ptep, pte) set_ptes(mm, addr, ptep, pte, 1)
""",
            "mm/a.c": HEAD + "	set_pte_at(mm, addr, pte, new);\n" + TAIL,
        }
    )


# ---- immediate operations ----------------------------------------------------------------------


@pytest.mark.parametrize(
    "change",
    [
        "ptep_set_wrprotect(mm, addr, pte)",
        "ptep_get_and_clear(mm, addr, pte)",
        "ptep_test_and_clear_young(vma, addr, pte)",
        "ptep_modify_prot_start(vma, addr, pte)",
    ],
)
def test_an_immediate_change_of_a_pending_entry(agrees: Agrees, change: str) -> None:
    """Wrong after a deferred write to it; right before, and on another entry."""
    inside(
        agrees,
        f"""
	{change};
	set_pte_at(mm, addr, other, new);
	{change};
	set_pte_at(mm, addr, pte, new);
	{change};	/* expect: mixed-write */
""",
    )


def test_a_modification_in_two_steps_is_right(agrees: Agrees) -> None:
    """A modification in two steps is right: its start is immediate, its commit deferred."""
    inside(
        agrees,
        """
	pte_t old = ptep_modify_prot_start(vma, addr, pte);

	ptep_modify_prot_commit(vma, addr, pte, old, pte_wrprotect(old));
""",
    )


# ---- frees -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "get",
    [
        "page = pte_page(ptep_get(pte));",
        "old = ptep_get(pte);\n\tpage = pte_page(old);",
        "old = *pte;\n\tpage = pfn_to_page(pte_pfn(old));",
        "old = ptep_get(pte);\n\tpage = vm_normal_page(vma, addr, old);",
    ],
)
def test_the_page_of_a_pending_entry_is_freed(agrees: Agrees, get: str) -> None:
    """However it was found from the entry."""
    inside(
        agrees,
        f"""
	struct page *page;
	pte_t old;

	{get}
	pte_clear(mm, addr, pte);
	__free_page(page);	/* expect: free-before-flush */
""",
    )


@pytest.mark.parametrize(
    "call",
    ["give_back(page);", "give_back_deep(1, page);", "give_back_some(page, flag);"],
)
def test_a_helper_frees_the_page_of_a_pending_entry(agrees: Agrees, call: str) -> None:
    """What is handed a page may free it, by itself or by what it calls, under a condition too."""
    helpers = """
static void give_back(struct page *page)
{
	__free_pages(page, 0);
}

static void give_back_deep(int order, struct page *page)
{
	give_back(page);
}

static void give_back_some(struct page *page, int flag)
{
	if (flag)
		__free_page(page);
}

int flag;
"""
    body = f"""
	struct page *page = pte_page(ptep_get(pte));

	pte_clear(mm, addr, pte);
	{call}	/* expect: free-before-flush */
"""
    agrees(helpers + HEAD + body + TAIL)


HANDED_ON = """
struct drop_ops { void (*drop)(struct page *page); };

static void give_back(struct page *page)
{
	__free_page(page);
}

static void look_at(struct page *page)
{
	page->flags = 1;
}

static const struct drop_ops drops = { .drop = give_back };
static const struct drop_ops looks = { .drop = look_at };

static void each(struct page *page, void (*act)(struct page *page))
{
	act(page);
}

static void outer(void (*act)(struct page *page), struct page *page)
{
	each(page, act);
}

static void by_table(struct page *page)
{
	drops.drop(page);
}

static void by_other_table(struct page *page)
{
	looks.drop(page);
}
"""


@pytest.mark.parametrize(
    "call", ["each(page, give_back);", "outer(&give_back, page);", "by_table(page);"]
)
def test_a_page_is_freed_by_the_function_that_is_handed_along(agrees: Agrees, call: str) -> None:
    """Or by the one that a table holds."""
    body = f"""
	struct page *page = pte_page(ptep_get(pte));

	pte_clear(mm, addr, pte);
	{call}	/* expect: free-before-flush */
"""
    agrees(HANDED_ON + HEAD + body + TAIL)


@pytest.mark.parametrize(
    "call", ["each(page, look_at);", "outer(look_at, page);", "by_other_table(page);"]
)
def test_a_function_that_is_handed_along_may_leave_the_page(agrees: Agrees, call: str) -> None:
    """Another one that frees pages does not matter then."""
    body = f"""
	struct page *page = pte_page(ptep_get(pte));

	pte_clear(mm, addr, pte);
	{call}
"""
    agrees(HANDED_ON + HEAD + body + TAIL)


def test_a_helper_may_free_another_page(agrees: Agrees) -> None:
    """A page that is no entry's, one that the helper asked for itself, one that it only reads."""
    helpers = """
static void look_at(struct page *page)
{
	page->flags = 1;
}

static void swap_for(struct page *page)
{
	page = alloc_page(GFP_ATOMIC);
	__free_page(page);
}

static void give_back(struct page *page)
{
	__free_page(page);
}
"""
    body = """
	struct page *page = pte_page(ptep_get(pte));
	struct page *mine = alloc_page(GFP_ATOMIC);

	pte_clear(mm, addr, pte);
	look_at(page);
	swap_for(page);
	give_back(mine);
"""
    agrees(helpers + HEAD + body + TAIL)


def test_the_page_of_another_entry_may_be_freed(agrees: Agrees) -> None:
    """And that of this one where the entry has no pending write, or no longer."""
    inside(
        agrees,
        """
	struct page *page = pte_page(ptep_get(other));
	struct page *mine = pte_page(ptep_get(pte));

	pte_clear(mm, addr, pte);
	__free_page(page);
	lazy_mmu_mode_disable();
	__free_page(mine);
	lazy_mmu_mode_enable();
""",
    )


def test_a_page_that_was_found_anew_is_another_one(agrees: Agrees) -> None:
    """A page that was found anew, by an assignment in between, is another one."""
    inside(
        agrees,
        """
	struct page *page = pte_page(ptep_get(pte));

	pte_clear(mm, addr, pte);
	page = alloc_one();
	__free_page(page);
""",
    )


# ---- TLB maintenance -----------------------------------------------------------------------------


def test_a_tlb_flush_in_the_section_comes_too_early(agrees: Agrees) -> None:
    """After the end, or with nothing pending, it is right."""
    inside(
        agrees,
        """
	flush_tlb_range(vma, addr, addr + PAGE_SIZE);
	set_pte_at(vma->vm_mm, addr, pte, new);
	flush_tlb_range(vma, addr, addr + PAGE_SIZE);	/* expect: tlb-flush-in-section */
	lazy_mmu_mode_disable();
	flush_tlb_range(vma, addr, addr + PAGE_SIZE);
	lazy_mmu_mode_enable();
""",
    )


def test_a_users_tlb_flush_has_nothing_to_do_with_kernel_entries(agrees: Agrees) -> None:
    """A user's TLB flush has nothing to do with kernel entries, which are others."""
    inside(
        agrees,
        """
	set_pte_at(&init_mm, addr, pte, new);
	flush_tlb_range(vma, addr, addr + PAGE_SIZE);
	flush_tlb_kernel_range(addr, addr + PAGE_SIZE);	/* expect: tlb-flush-in-section */
""",
    )


def test_a_flush_of_one_entry_comes_too_early_for_that_one(agrees: Agrees) -> None:
    """ptep_clear_flush() clears at once and flushes for its own entry."""
    inside(
        agrees,
        """
	set_pte_at(mm, addr, other, new);
	ptep_clear_flush(vma, addr, pte);
""",
    )


def test_a_near_helper_flushes_the_tlb(agrees: Agrees) -> None:
    """One that is given the mapping."""
    agrees("""
static void flush_it(struct vm_area_struct *vma, unsigned long addr)
{
	flush_tlb_page(vma, addr);
}

void f(struct vm_area_struct *vma, pte_t *pte, unsigned long addr, pte_t new, spinlock_t *ptl)
{
	lockdep_assert_held(ptl);
	lazy_mmu_mode_enable();
	set_pte_at(vma->vm_mm, addr, pte, new);
	flush_it(vma, addr);	/* expect: tlb-flush-in-section */
	lazy_mmu_mode_disable();
}
""")


# ---- whose entry it is ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("mm", "wrong"),
    [("vma->vm_mm", True), ("current->mm", True), ("&init_mm", False), ("some", False)],
)
def test_the_mm_says_whose_entry_it_is(agrees: Agrees, mm: str, wrong: bool) -> None:
    """Directly, by a variable, and through a helper; what is not known is not held against it."""
    expect = "	/* expect: section-outside-lock */" if wrong else ""
    agrees(f"""
void direct(struct vm_area_struct *vma, struct mm_struct *some, pte_t *pte, pte_t new)
{{
	lazy_mmu_mode_enable();
	set_pte_at({mm}, 0, pte, new);{expect}
	lazy_mmu_mode_disable();
}}

void by_variable(struct vm_area_struct *vma, struct mm_struct *some, pte_t *pte, pte_t new)
{{
	struct mm_struct *mm = {mm};

	lazy_mmu_mode_enable();
	set_pte_at(mm, 0, pte, new);{expect}
	lazy_mmu_mode_disable();
}}

static void write(struct mm_struct *mm, pte_t *pte, pte_t new)
{{
	set_pte_at(mm, 0, pte, new);{expect}
}}

void by_helper(struct vm_area_struct *vma, struct mm_struct *some, pte_t *pte, pte_t new)
{{
	lazy_mmu_mode_enable();
	write({mm}, pte, new);
	lazy_mmu_mode_disable();
}}
""")


def test_the_kernels_entries_have_their_own_way_through(agrees: Agrees) -> None:
    """`if (mm == &init_mm)` decides whose entries the arm writes."""
    agrees("""
void f(struct mm_struct *mm, pmd_t *pmd, unsigned long addr, pte_t new)
{
	pte_t *pte, *mapped;
	spinlock_t *ptl;

	if (mm == &init_mm) {
		mapped = pte = pte_offset_kernel(pmd, addr);
	} else {
		mapped = pte = pte_offset_map_lock(mm, pmd, addr, &ptl);
		if (!pte)
			return;
	}
	lazy_mmu_mode_enable();
	set_pte_at(mm, addr, pte, new);
	lazy_mmu_mode_disable();
	if (mm != &init_mm)
		pte_unmap_unlock(mapped, ptl);
}

void g(struct mm_struct *mm, pmd_t *pmd, unsigned long addr, pte_t new)
{
	pte_t *pte;
	spinlock_t *ptl;

	if (mm != &init_mm)
		pte = pte_offset_map_lock(mm, pmd, addr, &ptl);
	lazy_mmu_mode_enable();
	set_pte_at(mm, addr, pte, new);	/* expect: section-outside-lock */
	lazy_mmu_mode_disable();
	if (mm != &init_mm)
		pte_unmap_unlock(pte, ptl);
}
""")


def test_the_path_shows_the_write_of_the_entry_that_is_read(agrees: Agrees) -> None:
    """The path of a stale read has the write of that entry, and none of another one."""
    (found,) = agrees("""
void f(struct mm_struct *mm, pte_t *first, pte_t *second, unsigned long addr, pte_t new)
{
	lazy_mmu_mode_enable();
	set_pte_at(&init_mm, addr, first, new);
	set_pte_at(&init_mm, addr, second, new);
	use(ptep_get(first));	/* expect: stale-read */
	lazy_mmu_mode_disable();
}
""")
    assert [(step.line, step.note) for step in found.path] == [
        (4, "calls lazy_mmu_mode_enable()"),
        (5, "calls set_pte_at()"),
        (7, "calls ptep_get()"),
    ]


def test_where_a_page_came_from_is_known_after_other_things_are_forgotten(agrees: Agrees) -> None:
    """A condition that is asked for the last time takes no other knowledge along."""
    agrees("""
void f(pte_t *pte, unsigned long addr, int twice)
{
	struct page *page;

	lazy_mmu_mode_enable();
	page = pte_page(ptep_get(pte));
	if (twice)
		work();
	if (twice)
		work();
	pte_clear(&init_mm, addr, pte);
	__free_page(page);	/* expect: free-before-flush */
	lazy_mmu_mode_disable();
}
""")


@pytest.mark.parametrize(
    "store",
    [
        "*pte = new;",
        "WRITE_ONCE(*pte, new);",
        "WRITE_ONCE(pte->pte, 0);",
        "pte[0] = new;",
    ],
)
def test_a_store_through_the_pointer_is_a_write_at_once(agrees: Agrees, store: str) -> None:
    """The one that is put off undoes it."""
    (found,) = inside(
        agrees,
        f"""
	set_pte_at(mm, addr, pte, new);
	{store}	/* expect: mixed-write */
""",
    )
    assert "pointer" in found.path[-1].note


@pytest.mark.parametrize("store", ["*other = new;", "pte[1] = new;", "WRITE_ONCE(*other, *pte);"])
def test_a_store_to_another_entry_is_none_to_this(agrees: Agrees, store: str) -> None:
    """Where nothing is pending, it is nobody's mistake."""
    inside(
        agrees,
        f"""
	set_pte_at(mm, addr, pte, new);
	lazy_mmu_mode_pause();
	lazy_mmu_mode_resume();
	*pte = new;
	set_pte_at(mm, addr, pte + 2, new);
	{store}
""",
    )
