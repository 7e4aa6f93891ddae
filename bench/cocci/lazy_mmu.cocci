// SPDX-License-Identifier: GPL-2.0-or-later
//
// The contract of the lazy MMU mode as semantic patches: what coccinelle can say about it, written
// as well as we could. One file, because spatch parses each C file once per run. Both eras of the
// API are known. It prints "file:line: rule: function (why)".
//
// To be fair to the tool: a condition around the leave that may belong to the condition around the
// begin is let go; helpers of the same file that begin a section or that sleep are followed, one
// call deep, and so are callbacks of apply_to_page_range(); what is known to sleep is named.

// Files with a section. The rules depend on it, which is also what spatch's prefilter goes by: it
// looks for literal names, and not for those of an identifier set.
@uses@
@@
(
arch_enter_lazy_mmu_mode()
|
lazy_mmu_mode_enable()
|
lazy_mmu_mode_pause()
|
apply_to_page_range(...)
|
apply_to_existing_page_range(...)
)

// ------------------------------------------------------------ unbalanced-section

// A path from a begin to a return that passes no leave.
@unbalanced depends on uses exists@
position b, r;
identifier f;
expression E;
identifier begin = {arch_enter_lazy_mmu_mode, lazy_mmu_mode_enable};
identifier leave = {arch_leave_lazy_mmu_mode, lazy_mmu_mode_disable};
@@
f(...)
{
... when any
begin@b();
... when != leave();
    when != if (E) { leave(); pte_unmap_unlock(...); }
    when != if (E) leave();
return@r ...;
}

@script:python@
b << unbalanced.b;
r << unbalanced.r;
f << unbalanced.f;
@@
print(f"{r[0].file}:{r[0].line}: unbalanced-section: {f} (begins in line {b[0].line})")

// A path to the end of a function without a value.
@unbalancedend depends on uses exists@
position b;
identifier f;
expression E;
identifier begin = {arch_enter_lazy_mmu_mode, lazy_mmu_mode_enable};
identifier leave = {arch_leave_lazy_mmu_mode, lazy_mmu_mode_disable};
@@
void f(...)
{
... when any
begin@b();
... when != leave();
    when != if (E) { leave(); pte_unmap_unlock(...); }
    when != if (E) leave();
    when != return ...;
}

@script:python@
b << unbalancedend.b;
f << unbalancedend.f;
@@
print(f"{b[0].file}:{b[0].line}: unbalanced-section: {f} (the end is reached with the mode on)")

// Two leaves with no begin between them.
@twice depends on uses exists@
position a, b;
identifier f;
expression E;
identifier begin = {arch_enter_lazy_mmu_mode, lazy_mmu_mode_enable};
identifier leave = {arch_leave_lazy_mmu_mode, lazy_mmu_mode_disable};
@@
f(...)
{
... when any
leave@a();
... when != begin();
    when != if (E) { leave(); pte_unmap_unlock(...); }
leave@b();
... when any
}

@script:python@
a << twice.a;
b << twice.b;
f << twice.f;
@@
if a[0].line != b[0].line:
    print(f"{b[0].file}:{b[0].line}: unbalanced-section: {f} (left twice, first in line {a[0].line})")

// ------------------------------------------------------------ nested-section

@nested depends on uses exists@
position a, b;
identifier f;
identifier leave = {arch_leave_lazy_mmu_mode, lazy_mmu_mode_disable};
identifier enter = {arch_enter_lazy_mmu_mode};
@@
f(...)
{
... when any
enter@a();
... when != leave();
enter@b();
... when any
}

@script:python@
a << nested.a;
b << nested.b;
f << nested.f;
@@
if a[0].line != b[0].line:
    print(f"{b[0].file}:{b[0].line}: nested-section: {f} (already begun in line {a[0].line})")

// A helper of the same file that begins a section.
@begins depends on uses exists@
identifier g;
identifier enter = {arch_enter_lazy_mmu_mode};
@@
g(...)
{
... when any
enter();
... when any
}

@callsbegin depends on uses exists@
identifier begins.g;
identifier f;
position p;
identifier leave = {arch_leave_lazy_mmu_mode, lazy_mmu_mode_disable};
identifier enter = {arch_enter_lazy_mmu_mode};
@@
f(...)
{
... when any
enter();
... when != leave();
g@p(...)
... when any
}

@script:python@
p << callsbegin.p;
f << callsbegin.f;
g << begins.g;
@@
print(f"{p[0].file}:{p[0].line}: nested-section: {f} (calls {g}, which begins a section)")

// ------------------------------------------------------------ sleep-in-section

@sleeps depends on uses exists@
position p;
identifier f;
identifier s = {mutex_lock, mutex_lock_interruptible, mutex_lock_killable, down_read, down_write,
    cond_resched, might_sleep, schedule, schedule_timeout, msleep, usleep_range,
    wait_for_completion, synchronize_rcu, folio_lock, lock_page, folio_wait_locked,
    folio_wait_writeback, split_folio, split_folio_to_list, split_huge_page,
    split_huge_page_to_list, split_huge_pmd, __split_huge_pmd, copy_from_user, copy_to_user,
    get_user, put_user, vmalloc, vzalloc, mmap_read_lock, mmap_write_lock, i_mmap_lock_read,
    i_mmap_lock_write, anon_vma_lock_read, anon_vma_lock_write,
    mmu_notifier_invalidate_range_start, __pte_alloc, __pte_alloc_kernel};
expression E;
identifier begin = {arch_enter_lazy_mmu_mode, lazy_mmu_mode_enable};
identifier leave = {arch_leave_lazy_mmu_mode, lazy_mmu_mode_disable};
@@
f(...)
{
... when any
begin();
... when != leave();
    when != if (E) { leave(); pte_unmap_unlock(...); }
    when != lazy_mmu_mode_pause();
s@p(...)
... when any
}

@script:python@
p << sleeps.p;
f << sleeps.f;
s << sleeps.s;
@@
print(f"{p[0].file}:{p[0].line}: sleep-in-section: {f} (calls {s})")

@allocates depends on uses exists@
position p;
identifier f, s;
identifier gfp = {GFP_KERNEL, GFP_KERNEL_ACCOUNT, GFP_PGTABLE_KERNEL, GFP_PGTABLE_USER,
    GFP_HIGHUSER, GFP_HIGHUSER_MOVABLE, GFP_USER, GFP_NOFS, GFP_NOIO};
expression E;
identifier begin = {arch_enter_lazy_mmu_mode, lazy_mmu_mode_enable};
identifier leave = {arch_leave_lazy_mmu_mode, lazy_mmu_mode_disable};
@@
f(...)
{
... when any
begin();
... when != leave();
    when != if (E) { leave(); pte_unmap_unlock(...); }
    when != lazy_mmu_mode_pause();
s@p(..., <+... gfp ...+>, ...)
... when any
}

@script:python@
p << allocates.p;
f << allocates.f;
s << allocates.s;
@@
print(f"{p[0].file}:{p[0].line}: sleep-in-section: {f} ({s} may wait for memory)")

// A callback of apply_to_page_range() runs in a section.
@callback depends on uses@
identifier cb;
identifier take = {apply_to_page_range, apply_to_existing_page_range};
expression A, B, C, D;
@@
take(A, B, C, cb, D)

@sleepcb depends on uses exists@
identifier callback.cb;
identifier s;
position p;
identifier gfp = {GFP_KERNEL, GFP_KERNEL_ACCOUNT, GFP_PGTABLE_KERNEL, GFP_PGTABLE_USER,
    GFP_HIGHUSER, GFP_HIGHUSER_MOVABLE, GFP_USER, GFP_NOFS, GFP_NOIO};
identifier leave = {arch_leave_lazy_mmu_mode, lazy_mmu_mode_disable};
@@
cb(...)
{
... when != leave();
    when != lazy_mmu_mode_pause();
s@p(..., <+... gfp ...+>, ...)
... when any
}

@script:python@
p << sleepcb.p;
cb << callback.cb;
s << sleepcb.s;
@@
print(f"{p[0].file}:{p[0].line}: sleep-in-section: {cb} ({s} may wait for memory, in a callback)")

// A helper of the same file that sleeps before it can return.
@sleeper depends on uses exists@
identifier g;
identifier s = {mutex_lock, might_sleep, cond_resched, down_read, down_write, msleep};
@@
g(...)
{
... when != return ...;
s(...);
... when any
}

@callssleeper depends on uses exists@
identifier sleeper.g;
identifier f;
position p;
expression E;
identifier begin = {arch_enter_lazy_mmu_mode, lazy_mmu_mode_enable};
identifier leave = {arch_leave_lazy_mmu_mode, lazy_mmu_mode_disable};
@@
f(...)
{
... when any
begin();
... when != leave();
    when != if (E) { leave(); pte_unmap_unlock(...); }
    when != lazy_mmu_mode_pause();
g@p(...)
... when any
}

@script:python@
p << callssleeper.p;
f << callssleeper.f;
g << sleeper.g;
@@
print(f"{p[0].file}:{p[0].line}: sleep-in-section: {f} (calls {g}, which sleeps)")

// ------------------------------------------------------------ unlock-before-flush, section-outside-lock

@unlock depends on uses exists@
position p;
identifier f;
identifier u = {pte_unmap_unlock, spin_unlock};
identifier begin = {arch_enter_lazy_mmu_mode, lazy_mmu_mode_enable};
identifier leave = {arch_leave_lazy_mmu_mode, lazy_mmu_mode_disable};
@@
f(...)
{
... when any
begin();
... when != leave();
    when != lazy_mmu_mode_pause();
u@p(...)
... when any
}

@script:python@
p << unlock.p;
f << unlock.f;
@@
print(f"{p[0].file}:{p[0].line}: unlock-before-flush: {f}")

@lock depends on uses exists@
position p;
identifier f;
identifier l = {pte_offset_map_lock, pte_alloc_map_lock, pmd_lock, pmd_trans_huge_lock};
identifier begin = {arch_enter_lazy_mmu_mode, lazy_mmu_mode_enable};
identifier leave = {arch_leave_lazy_mmu_mode, lazy_mmu_mode_disable};
@@
f(...)
{
... when any
begin();
... when != leave();
    when != lazy_mmu_mode_pause();
l@p(...)
... when any
}

@script:python@
p << lock.p;
f << lock.f;
@@
print(f"{p[0].file}:{p[0].line}: section-outside-lock: {f}")

// ------------------------------------------------------------ tlb-flush-in-section

@flush depends on uses exists@
position p;
identifier f;
identifier w = {set_pte_at, set_ptes, set_pte, pte_clear, ptep_modify_prot_commit,
    modify_prot_commit_ptes, set_pmd_at, set_pmd, make_uffd_wp_pte};
identifier t = {flush_tlb_range, flush_tlb_page, flush_tlb_mm, flush_tlb_kernel_range,
    flush_tlb_mm_range};
identifier begin = {arch_enter_lazy_mmu_mode, lazy_mmu_mode_enable};
identifier leave = {arch_leave_lazy_mmu_mode, lazy_mmu_mode_disable};
@@
f(...)
{
... when any
begin();
... when != leave();
w(...)
... when != leave();
    when any
t@p(...)
... when any
}

@script:python@
p << flush.p;
f << flush.f;
@@
print(f"{p[0].file}:{p[0].line}: tlb-flush-in-section: {f}")

// ------------------------------------------------------------ stale-read, mixed-write

@stale depends on uses exists@
position p;
identifier f;
expression e, E1, E2, M2, A2, V;
identifier w2 = {set_pte};
identifier w3 = {pte_clear};
identifier w4 = {set_pte_at};
identifier w5 = {set_ptes, ptep_modify_prot_commit};
identifier r = {ptep_get, ptep_get_lockless};
identifier begin = {arch_enter_lazy_mmu_mode, lazy_mmu_mode_enable};
identifier leave = {arch_leave_lazy_mmu_mode, lazy_mmu_mode_disable};
@@
f(...)
{
... when any
begin();
... when != leave();
(
w2(e, V);
|
w3(M2, A2, e);
|
w4(M2, A2, e, V);
|
w5(M2, A2, e, E2, V);
)
... when != leave();
    when != arch_flush_lazy_mmu_mode();
    when != e++
    when != ++e
    when != e--
    when != e = E1
    when != e += E1
r@p(e)
... when any
}

@script:python@
p << stale.p;
f << stale.f;
@@
print(f"{p[0].file}:{p[0].line}: stale-read: {f}")

@mixed depends on uses exists@
position p;
identifier f;
expression e, E1, E2, M2, A2, V;
identifier w2 = {set_pte};
identifier w3 = {pte_clear};
identifier w4 = {set_pte_at};
identifier w5 = {set_ptes, ptep_modify_prot_commit};
expression M, A;
identifier r = {ptep_get_and_clear, ptep_set_wrprotect, ptep_test_and_clear_young, ptep_clear_flush};
identifier begin = {arch_enter_lazy_mmu_mode, lazy_mmu_mode_enable};
identifier leave = {arch_leave_lazy_mmu_mode, lazy_mmu_mode_disable};
@@
f(...)
{
... when any
begin();
... when != leave();
(
w2(e, V);
|
w3(M2, A2, e);
|
w4(M2, A2, e, V);
|
w5(M2, A2, e, E2, V);
)
... when != leave();
    when != arch_flush_lazy_mmu_mode();
    when != e++
    when != ++e
    when != e--
    when != e = E1
    when != e += E1
r@p(M, A, e)
... when any
}

@script:python@
p << mixed.p;
f << mixed.f;
@@
print(f"{p[0].file}:{p[0].line}: mixed-write: {f}")

// ------------------------------------------------------------ free-before-flush

@freed depends on uses exists@
position p;
identifier f;
identifier w = {set_pte_at, set_ptes, set_pte, pte_clear, ptep_modify_prot_commit,
    modify_prot_commit_ptes, set_pmd_at, set_pmd, pmd_clear};
identifier r = {__free_page, free_page, __free_pages, pte_free, pte_free_kernel};
identifier begin = {arch_enter_lazy_mmu_mode, lazy_mmu_mode_enable};
identifier leave = {arch_leave_lazy_mmu_mode, lazy_mmu_mode_disable};
@@
f(...)
{
... when any
begin();
... when != leave();
w(...)
... when != leave();
r@p(...)
... when any
}

@script:python@
p << freed.p;
f << freed.f;
@@
print(f"{p[0].file}:{p[0].line}: free-before-flush: {f}")

// ------------------------------------------------------------ unbalanced-pause

@paused depends on uses exists@
position b, r;
identifier f;
identifier pause = {lazy_mmu_mode_pause};
identifier resume = {lazy_mmu_mode_resume};
@@
f(...)
{
... when any
pause@b();
... when != resume();
return@r ...;
}

@script:python@
b << paused.b;
r << paused.r;
f << paused.f;
@@
print(f"{r[0].file}:{r[0].line}: unbalanced-pause: {f} (paused in line {b[0].line})")
