/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef _ASM_X86_PARAVIRT_TYPES_H
#define _ASM_X86_PARAVIRT_TYPES_H

struct pv_lazy_ops {
	void (*enter)(void);
	void (*leave)(void);
	void (*flush)(void);
};

struct pv_mmu_ops {
	void (*set_pte)(pte_t *ptep, pte_t pte);
	void (*set_pmd)(pmd_t *pmdp, pmd_t pmd);
	pte_t (*ptep_modify_prot_start)(struct vm_area_struct *vma, unsigned long addr,
					pte_t *ptep);
	void (*ptep_modify_prot_commit)(struct vm_area_struct *vma, unsigned long addr,
					pte_t *ptep, pte_t pte);
	struct pv_lazy_ops lazy_mode;
};

struct pv_cpu_ops {
	void (*start_context_switch)(struct task_struct *prev);
	void (*end_context_switch)(struct task_struct *next);
};

struct paravirt_patch_template {
	struct pv_cpu_ops cpu;
	struct pv_mmu_ops mmu;
};

extern struct paravirt_patch_template pv_ops;

#define PVOP_VCALL0(op)			pv_ops.op()
#define PVOP_VCALL1(op, a)		pv_ops.op(a)
#define PVOP_VCALL2(op, a, b)		pv_ops.op(a, b)
#define PVOP_VCALL4(op, a, b, c, d)	pv_ops.op(a, b, c, d)
#define PVOP_CALL3(type, op, a, b, c)	pv_ops.op(a, b, c)

#endif
