// SPDX-License-Identifier: GPL-2.0-or-later
/* Right: the mode for guests whose page tables belong to the hypervisor. */
#include <linux/kernel.h>
#include <linux/mm.h>
#include <asm/xen/hypervisor.h>

static void xen_queue_update(unsigned long where, unsigned long value)
{
	struct mmu_update u;
	unsigned long flags;

	local_irq_save(flags);
	u.ptr = where;
	u.val = value;
	xen_extend_mmu_update(&u);
	if (xen_get_lazy_mode() != XEN_LAZY_MMU)
		xen_mc_flush();
	local_irq_restore(flags);
}

static void xen_set_pte(pte_t *ptep, pte_t pte)
{
	xen_queue_update((unsigned long)ptep, pte_val(pte));
}

static void xen_set_pmd(pmd_t *pmdp, pmd_t pmd)
{
	xen_queue_update((unsigned long)pmdp, pmd_val(pmd));
}

static pte_t xen_ptep_modify_prot_start(struct vm_area_struct *vma, unsigned long addr,
					pte_t *ptep)
{
	return *ptep;
}

static void xen_ptep_modify_prot_commit(struct vm_area_struct *vma, unsigned long addr,
					pte_t *ptep, pte_t pte)
{
	xen_queue_update((unsigned long)ptep | 2, pte_val(pte));
}

static void xen_enter_lazy_mmu(void)
{
	enter_lazy(XEN_LAZY_MMU);
}

static void xen_leave_lazy_mmu(void)
{
	preempt_disable();
	xen_mc_flush();
	leave_lazy(XEN_LAZY_MMU);
	preempt_enable();
}

/* A flush that leaves and enters again: both halves belong to the hook. */
static void xen_flush_lazy_mmu(void)
{
	preempt_disable();
	if (xen_get_lazy_mode() == XEN_LAZY_MMU) {
		arch_leave_lazy_mmu_mode();
		arch_enter_lazy_mmu_mode();
	}
	preempt_enable();
}

static const typeof(pv_ops) xen_mmu_ops = {
	.mmu = {
		.set_pte = xen_set_pte,
		.set_pmd = xen_set_pmd,
		.ptep_modify_prot_start = xen_ptep_modify_prot_start,
		.ptep_modify_prot_commit = xen_ptep_modify_prot_commit,
		.lazy_mode = {
			.enter = xen_enter_lazy_mmu,
			.leave = xen_leave_lazy_mmu,
			.flush = xen_flush_lazy_mmu,
		},
	},
};

void __init xen_init_mmu_ops(void)
{
	pv_ops.mmu = xen_mmu_ops.mmu;
}
