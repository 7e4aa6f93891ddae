# SPDX-License-Identifier: GPL-2.0-or-later
"""Oopses, BUGs and warnings as kernels print them, made for tests: each kind, each architecture."""

from __future__ import annotations

X86_XEN_61_NESTED = """\
------------[ cut here ]------------
kernel BUG at arch/x86/kernel/paravirt.c:160!
invalid opcode: 0000 [#1] PREEMPT SMP NOPTI
CPU: 1 PID: 812 Comm: modprobe Not tainted 6.1.0-18-amd64 #1  Debian 6.1.76-1
RIP: e030:paravirt_enter_lazy_mmu+0x24/0x30
RSP: e02b:ffffc90040a03b10 EFLAGS: 00010202
Call Trace:
 <TASK>
 ? die+0x36/0x90
 ? do_trap+0xda/0x100
 apply_to_pte_range+0x8a/0x2d0
 __apply_to_page_range+0x24b/0x3b0
 apply_to_page_range+0x14/0x20
 set_pages_something+0x42/0x90 [somedriver]
 do_one_initcall+0x59/0x220
 entry_SYSCALL_64_after_hwframe+0x69/0xd3
 </TASK>
---[ end trace 0000000000000000 ]---
"""

X86_XEN_612_SWITCH = """\
kernel BUG at arch/x86/include/asm/xen/hypervisor.h:86!
Oops: invalid opcode: 0000 [#1] PREEMPT SMP NOPTI
CPU: 0 UID: 0 PID: 77 Comm: kworker/0:2 Not tainted 6.12.8-amd64 #1  Debian 6.12.8-1
RIP: e030:xen_start_context_switch+0x5b/0x60
Call Trace:
 <TASK>
 __schedule+0x3ac/0xba0
 preempt_schedule_irq+0x38/0x60
 asm_exc_xen_hypervisor_callback+0x1f/0x30
 vmap_pfn_apply+0x31/0x60
 __apply_to_page_range+0x391/0x5d0
 vmap_pfn+0x81/0xc0
 i915_gem_object_pin_map+0x1e2/0x210 [i915]
 </TASK>
"""

X86_XEN_618_LEAVE = """\
kernel BUG at arch/x86/include/asm/xen/hypervisor.h:85!
Oops: invalid opcode: 0000 [#1] SMP NOPTI
CPU: 2 UID: 1000 PID: 4411 Comm: my prog [x] Tainted: G        W  OE       \
6.18.15+deb14-amd64 #1 PREEMPT(lazy)
Tainted: [W]=WARN, [O]=OOT_MODULE, [E]=UNSIGNED_MODULE
RIP: e030:xen_leave_lazy_mmu+0x3c/0x50
Call Trace:
 <TASK>
 badmod_run+0x91/0x120 [badmod]
 kthread+0xf9/0x210
 ret_from_fork_asm+0x1a/0x30
"""

X86_XEN_71_REFUSED = """\
------------[ cut here ]------------
WARNING: arch/x86/xen/multicalls.c:190 at xen_mc_flush+0x1b4/0x210, CPU#1: zapper/2311
Modules linked in: binfmt_misc
CPU: 1 UID: 0 PID: 2311 Comm: zapper Not tainted 7.1.13 #1 PREEMPT(full)
RIP: e030:xen_mc_flush+0x1b4/0x210
Call Trace:
 <TASK>
 xen_exit_mmap+0xc8/0x1a0
 exit_mmap+0x9d/0x3f0
 __mmput+0x41/0x150
 do_exit+0x2d6/0xa50
 </TASK>
---[ end trace 0000000000000000 ]---
1 of 1 multicall(s) failed: cpu 1
  call  1: op=26 arg=[ffff8880f8c0b4d0] result=-22
"""

X86_XEN_73_WRAPPED = """\
------------[ cut here ]------------
WARNING: include/linux/pgtable.h:362 at xen_end_context_switch+0x9f/0xb0, CPU#0: sh/411
CPU: 0 UID: 0 PID: 411 Comm: sh Not tainted 7.3.4-xen #2 PREEMPT(full)
RIP: e030:xen_end_context_switch+0x9f/0xb0
Call Trace:
 <TASK>
 __switch_to+0x1a1/0x4d0
 __schedule+0x4e6/0x1210
 schedule_tail+0x42/0xd0
 ret_from_fork+0x1c/0x2f0
 ret_from_fork_asm+0x1a/0x30
 </TASK>
"""

X86_73_CONDITION = """\
WARNING: [state->enable_count == 0] include/linux/pgtable.h:294 at move_ptes+0x3d9/0x460, \
CPU#3: mremaptest/991
CPU: 3 UID: 0 PID: 991 Comm: mremaptest Not tainted 7.3.4 #1 PREEMPT(full)
RIP: 0010:move_ptes+0x3d9/0x460
Call Trace:
 <TASK>
 move_page_tables+0x2b1/0x740
 do_syscall_64+0xa4/0x310
 entry_SYSCALL_64_after_hwframe+0x76/0x7e
"""

X86_XEN_MARKER = """\
------------[ cut here ]------------
WARNING: CPU: 0 PID: 390 at include/linux/mm_inline.h:578 zap_install_uffd_wp_if_needed+0x116/0x140
CPU: 0 UID: 0 PID: 390 Comm: uffd Not tainted 6.12.118 #1
RIP: e030:zap_install_uffd_wp_if_needed+0x116/0x140
Call Trace:
 <TASK>
 unmap_page_range+0x8fa/0x13c0
 zap_page_range_single+0xd5/0x170
 madvise_vma_behavior+0x6b1/0xa20
 </TASK>
"""

X86_XEN_PGTABLES = """\
BUG: non-zero pgtables_bytes on freeing mm: -4096
CPU: 1 UID: 0 PID: 31 Comm: zapper Not tainted 7.1.13 #1 PREEMPT(full)
RIP: e030:dump_stack_lvl+0x5d/0x80
"""

POWERPC_HASH_SLEEP = """\
BUG: sleeping function called from invalid context at include/linux/sched/mm.h:321
in_atomic(): 1, irqs_disabled(): 0, non_block: 0, pid: 1, name: swapper/0
preempt_count: 1, expected: 0
CPU: 1 PID: 1 Comm: swapper/0 Not tainted 6.12.8 #3
Hardware name: IBM pSeries (emulated by qemu) POWER8 (architected) 0x4d0200 \
0xf000004 of:SLOF,HEAD pSeries
Call Trace:
[c000000003b0f6a0] [c000000000f3bd20] dump_stack_lvl+0xc0/0x110 (unreliable)
[c000000003b0f6d0] [c0000000001a9c60] __might_resched+0x1e0/0x210
[c000000003b0f740] [c000000000475f00] __alloc_pages_noprof+0x220/0x1340
[c000000003b0f8d0] [c00000000052fa10] kasan_populate_vmalloc_pte+0x40/0x110
[c000000003b0f910] [c000000000424b10] __apply_to_page_range+0x5c0/0xa40
[c000000003b0fa20] [c00000000052fd80] kasan_populate_vmalloc+0x90/0xd0
[c000000003b0fa60] [c00000000044d1f0] alloc_vmap_area+0x3e0/0xc60
[c000000003b0fe50] [c00000000000e2bc] ret_from_kernel_user_thread+0x14/0x1c
"""

POWERPC_RADIX_SLEEP = """\
BUG: scheduling while atomic: dd/771/0x00000002
CPU: 0 PID: 771 Comm: dd Not tainted 6.12.8 #3
NIP:  c0000000001a9c60 LR: c0000000001a9c5c CTR: 0000000000000000
LE PAGE_SIZE=64K MMU=Radix SMP NR_CPUS=2048 NUMA pSeries
Call Trace:
[c000000003b0f6d0] [c0000000001a9c60] __schedule_bug+0x80/0xb0
[c000000003b0f910] [c000000000424b10] zap_pte_range+0x5c0/0xa40
"""

POWERPC_HASH_LEAK = """\
BUG: scheduling while atomic: cat/512/0x00000003
Modules linked in:
CPU: 3 PID: 512 Comm: cat Not tainted 6.6.51 #1
LE PAGE_SIZE=64K MMU=Hash SMP NR_CPUS=2048 NUMA pSeries
Call Trace:
[c000000003b0f6d0] [c0000000001a9c60] __schedule_bug+0x80/0xb0
[c000000003b0f7d0] [c00000000104a0f0] __schedule+0x9a0/0xa60
[c000000003b0f810] [c00000000104a1d0] schedule+0x60/0x120
[c000000003b0fa20] [c000000000598a80] pipe_read+0x3e0/0x620
"""

SPARC_PINNED = """\
BUG: scheduling while atomic: zapper/301/0x00000002
Preemption disabled at:
[<000000000045a0c8>] arch_enter_lazy_mmu_mode+0x8/0x20
CPU: 0 PID: 301 Comm: zapper Not tainted 6.12.107 #1
Call Trace:
[<000000000048a1c4>] __schedule_bug+0x64/0x80
[<0000000000a8ef20>] __schedule+0x6e0/0x7a0
[<0000000000a8f00c>] schedule+0x2c/0xc0
[<00000000005d31e8>] unmap_page_range+0x3c8/0xb00
[<0000000000406174>] linux_sparc_syscall+0x34/0x44
"""

SPARC_BELOW = """\
BUG: sleeping function called from invalid context at kernel/locking/mutex.c:582
in_atomic(): 1, irqs_disabled(): 0, non_block: 0, pid: 77, name: kworker/0:1
CPU: 0 PID: 77 Comm: kworker/0:1 Not tainted 6.18.5 #7
TSTATE: 0000004411001606 TPC: 0000000000a8ef20 TNPC: 0000000000a8ef24 Y: 00000000    Not tainted
TPC: <__might_resched+0x1a0/0x1c0>
I7: <mutex_lock+0x20/0x40>
Call Trace:
[<0000000000a8ef20>] mutex_lock+0x20/0x40
[<00000000007d31e8>] drv_map_pte+0x28/0x80 [drv]
[<00000000005d31e8>] apply_to_pte_range+0x3c8/0xb00
[<00000000005d4000>] apply_to_page_range+0x40/0x60
"""

ARM64_WARNS = """\
------------[ cut here ]------------
WARNING: CPU: 2 PID: 611 at arch/arm64/include/asm/pgtable.h:82 __apply_to_page_range+0x3b0/0x6d8
Modules linked in:
CPU: 2 UID: 0 PID: 611 Comm: modprobe Not tainted 6.16.0-rc1-next-20250612 #1 PREEMPT
pstate: 60400005 (nZCv daif +PAN -UAO -TCO -DIT -SSBS BTYPE=--)
pc : __apply_to_page_range+0x3b0/0x6d8
lr : __apply_to_page_range+0x36c/0x6d8
Call trace:
 __apply_to_page_range+0x3b0/0x6d8 (P)
 apply_to_page_range+0x1c/0x30
 __kernel_map_pages+0x54/0x78
 get_page_from_freelist+0x1014/0x1098
 tlb_remove_folio_pages+0x88/0x120
 unmap_page_range+0x8d4/0x10a8
 el0t_64_sync+0x198/0x1a0
---[ end trace 0000000000000000 ]---
"""

ARM64_71_RESUME = """\
WARNING: include/linux/pgtable.h:349 at kasan_populate_vmalloc_pte+0x1f0/0x220, CPU#1: insmod/88
CPU: 1 UID: 0 PID: 88 Comm: insmod Not tainted 7.1.13 #1 PREEMPT
pstate: 60400005 (nZCv daif +PAN -UAO -TCO -DIT -SSBS BTYPE=--)
pc : kasan_populate_vmalloc_pte+0x1f0/0x220
Call trace:
 kasan_populate_vmalloc_pte+0x1f0/0x220 (P)
 __apply_to_page_range+0x3b0/0x6d8
 el0t_64_sync+0x198/0x1a0
"""

X86_NULL = """\
BUG: kernel NULL pointer dereference, address: 0000000000000008
#PF: supervisor read access in kernel mode
Oops: Oops: 0000 [#1] SMP NOPTI
CPU: 6 UID: 0 PID: 1999 Comm: Xorg Not tainted 6.12.8-amd64 #1  Debian 6.12.8-1
RIP: 0010:drm_gem_object_free+0x15/0x40 [drm]
Call Trace:
 <TASK>
 drm_gem_handle_delete+0x8a/0xf0 [drm]
 entry_SYSCALL_64_after_hwframe+0x76/0x7e
"""

RISCV = """\
BUG: scheduling while atomic: sh/99/0x00000002
CPU: 0 PID: 99 Comm: sh Not tainted 6.12.8 #1
epc : __schedule_bug+0x4a/0x68 ra : __schedule_bug+0x4a/0x68
Call Trace:
[<ffffffff8006a2f4>] __schedule_bug+0x4a/0x68
[<ffffffff8016a2f4>] zap_pte_range+0x4a/0x68
"""

S390 = """\
kernel BUG at mm/memory.c:1711!
monitor event: 0040 ilc:2 [#1] SMP
CPU: 3 UID: 0 PID: 800 Comm: stress Not tainted 6.18.5 #1 NONE
Krnl PSW : 0704c00180000000 000003fffe1b2c34 (unmap_page_range+0x1254/0x1260)
Call Trace:
 [<000003fffe1b2c34>] unmap_page_range+0x1254/0x1260
"""

ARM64_OLD = """\
BUG: sleeping function called from invalid context at mm/page_alloc.c:5000
CPU: 2 PID: 611 Comm: modprobe Not tainted 5.15.0 #1
pstate: 60400005 (nZCv daif +PAN -UAO -TCO -DIT -SSBS BTYPE=--)
pc : __might_resched+0x160/0x180
Call trace:
 __might_resched+0x160/0x180
 kasan_populate_vmalloc_pte+0x50/0x100
 apply_to_pte_range+0x90/0x200
"""

X86_IRQ_SLEEP = """\
BUG: sleeping function called from invalid context at kernel/locking/mutex.c:585
in_atomic(): 1, irqs_disabled(): 1, non_block: 0, pid: 900, name: mmapper
CPU: 1 UID: 0 PID: 900 Comm: mmapper Not tainted 6.18.15 #1 PREEMPT(full)
Call Trace:
 <IRQ>
 dump_stack_lvl+0x5d/0x80
 __might_resched.cold+0xb7/0xc8
 mutex_lock+0x22/0x50
 bad_driver_irq+0x35/0x90 [bad]
 handle_irq_event+0x38/0x80
 __common_interrupt+0x3e/0xa0
 </IRQ>
 <TASK>
 asm_common_interrupt+0x26/0x40
 xen_pv_something+0x1/0x2
 zap_pte_range+0x4aa/0xbc0
 unmap_page_range+0x2f6/0x510
 </TASK>
"""

X86_XEN_73_MARKER = """\
WARNING: mm/memory.c:1715 at zap_pte_range+0x6d6/0xd40, CPU#1: alloc/3201
CPU: 1 UID: 0 PID: 3201 Comm: alloc Not tainted 7.3.4+deb13-amd64 #1 PREEMPT(lazy)
RIP: e030:zap_pte_range+0x6d6/0xd40
Call Trace:
 <TASK>
 unmap_page_range+0x1fa/0x3c0
 madvise_vma_behavior+0x6b1/0xa20
"""

X86_XEN_OTHER_WARNING = """\
WARNING: CPU: 2 PID: 611 at mm/memory.c:1777 zap_pte_range+0x123/0x400
CPU: 2 UID: 0 PID: 611 Comm: x Not tainted 6.18.15+deb13-amd64 #1 PREEMPT(lazy)
RIP: e030:zap_pte_range+0x123/0x400
Call Trace:
 <TASK>
 unmap_page_range+0x2f6/0x510
"""

X86_XEN_COPIES = """\
WARNING: mm/memory.c:1310 at copy_page_range+0x7d3/0x1c40, CPU#0: gpu/77
CPU: 0 UID: 0 PID: 77 Comm: gpu Not tainted 7.1.13 #1 PREEMPT(full)
RIP: e030:copy_page_range+0x7d3/0x1c40
Call Trace:
 <TASK>
 dup_mmap+0x41b/0x8a0
"""

X86_XEN_COPIES_ELSEWHERE = """\
WARNING: CPU: 2 PID: 611 at mm/memory.c:1234 copy_page_range+0x123/0x400
CPU: 2 PID: 611 Comm: x Not tainted 6.1.0-53-amd64 #1  Debian 6.1.187-1
RIP: e030:copy_page_range+0x123/0x400
Call Trace:
 <TASK>
 dup_mm+0x4c2/0x580
"""

X86_XEN_COPIES_NO_PAGE = """\
BUG: Bad page map in process gpu  pte:f7fffffffe000402
addr:00007f0000006000 vm_flags:48100073 anon_vma:ffff888000000360 index:7f0000006
CPU: 0 UID: 0 PID: 77 Comm: gpu Not tainted 7.3.4 #1 PREEMPT(full)
Call Trace:
 <TASK>
 print_bad_page_map.constprop.0.cold+0x15/0x17
 vm_normal_page+0x11/0x13
 copy_page_range+0x82/0x216
 dup_mmap+0x3e/0x94
 xen_pv_evtchn_do_upcall+0x1/0x2
"""

X86_XEN_PASSES = """\
BUG: kernel NULL pointer dereference, address: 0000000000000020
#PF: supervisor read access in kernel mode
Oops: Oops: 0000 [#1] SMP NOPTI
CPU: 3 UID: 1000 PID: 4411 Comm: firefox Not tainted 6.12.118+deb13-amd64 #1  Debian 6.12.118-1
RIP: e030:folio_remove_rmap_ptes+0x15/0x120
Call Trace:
 <TASK>
 zap_present_ptes+0x16/0x1f0
 zap_pte_range+0x3b6/0xbc0
 unmap_page_range+0x2f6/0x510
 exit_mmap+0xe4/0x3a0
 </TASK>
---[ end trace 0000000000000000 ]---
"""

X86_XEN_LOCKUP = """\
watchdog: BUG: soft lockup - CPU#2 stuck for 26s! [java:4411]
CPU: 2 UID: 0 PID: 4411 Comm: java Not tainted 6.18.15+deb13-amd64 #1 PREEMPT(lazy)
RIP: e030:xen_hypercall_mmu_update+0x8/0x20
Call Trace:
 <TASK>
 xen_mc_flush+0x112/0x1f0
 xen_leave_lazy_mmu+0x15/0x50
 zap_pte_range+0x7aa/0xbc0
 unmap_page_range+0x2f6/0x510
 </TASK>
"""

X86_XEN_510_BAD_PAGE = """\
BUG: Bad page state in process kworker/0:1  pfn:12345
page: refcount:0 mapcount:-128 mapping:0000000000000000 index:0x0 pfn:0x12345
CPU: 2 UID: 0 PID: 611 Comm: kworker/0:1 Not tainted 5.10.0-30-amd64 #1  Debian 5.10.218-1
Call Trace:
 bad_page.cold+0x63/0x94
 __free_slab+0x10/0x20
 xen_pv_evtchn_do_upcall+0x1/0x2
"""

X86_XEN_618_UNPIN = """\
WARNING: CPU: 1 PID: 2311 at arch/x86/xen/multicalls.c:190 xen_mc_flush+0x1b4/0x210
CPU: 1 UID: 0 PID: 2311 Comm: zapper Not tainted 6.18.15+deb13-amd64 #1 PREEMPT(lazy)
RIP: e030:xen_mc_flush+0x1b4/0x210
Call Trace:
 <TASK>
 __xen_pgd_unpin+0x11e/0x2d0
 exit_mmap+0x9d/0x3f0
 </TASK>
---[ end trace 0000000000000000 ]---
1 of 1 multicall(s) failed: cpu 1
  call  1: op=26 arg=[ffff8880f8c0b4d0] result=-22
"""

X86_XEN_CUT = """\
RIP: e030:xen_enter_lazy_mmu+0x24/0x30
Call Trace:
 <TASK>
 vmap_pages_pud_range+0x47c/0x530
 vmap_small_pages_range_noflush+0x1f1/0x2b0
"""

ARM64_PASSES = """\
Unable to handle kernel paging request at virtual address dead000000000108
Internal error: Oops: 0000000096000044 [#1]  SMP
CPU: 2 UID: 0 PID: 812 Comm: stress Not tainted 7.3.4 #1 PREEMPT
pstate: 60400005 (nZCv daif +PAN -UAO -TCO -DIT -SSBS BTYPE=--)
pc : folio_remove_rmap_ptes+0x30/0x1a0
lr : zap_present_ptes+0x130/0x2a0
Call trace:
 folio_remove_rmap_ptes+0x30/0x1a0 (P)
 zap_pte_range+0x3b0/0x6d8
 unmap_page_range+0x8d4/0x10a8
 el0t_64_sync+0x198/0x1a0
"""

POWERPC_HASH_PASSES = """\
BUG: Kernel NULL pointer dereference on read at 0x00000008
Faulting instruction address: 0xc000000000098abc
Oops: Kernel access of bad area, sig: 11 [#1]
LE PAGE_SIZE=64K MMU=Hash SMP NR_CPUS=2048 NUMA pSeries
CPU: 1 PID: 700 Comm: bash Not tainted 6.6.30 #2
NIP:  c000000000098abc LR: c000000000098aa0 CTR: 0000000000000000
NIP [c000000000098abc] hpte_need_flush+0x1c/0x2f0
LR [c0000000003a0000] zap_pte_range+0x1f0/0xa00
Call Trace:
[c00000002b0f3a20] [c000000000424b10] zap_pte_range+0x5c0/0xa40
"""

POWERPC_HASH_PINNED = """\
BUG: scheduling while atomic: stress/1234/0x00000002
no locks held by stress/1234.
Preemption disabled at:
[<c000000000424b10>] zap_pte_range+0x5c0/0xa40
CPU: 3 UID: 0 PID: 1234 Comm: stress Not tainted 6.12.107 #1
Hardware name: IBM,8286-42A POWER8 (architected) 0x4d0200 0xf000004 hv:phyp pSeries
Call Trace:
[c00000002b0f36d0] [c0000000001a9c60] __schedule_bug+0x80/0xb0
[c00000002b0f37d0] [c00000000104a0f0] __schedule+0x9a0/0xa60
[c00000002b0f3a20] [c000000000424b10] zap_pte_range+0x5c0/0xa40
"""

X86_OOM = """\
java invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=0
CPU: 2 UID: 0 PID: 4411 Comm: java Not tainted 6.12.118+deb13-amd64 #1  Debian 6.12.118-1
Call Trace:
 <TASK>
 dump_stack_lvl+0x5d/0x80
 out_of_memory+0xfb/0x540
 copy_page_range+0x8aa/0xbc0
 __x64_sys_clone+0x96/0xd0
RIP: 0010:rep_movs_alternative+0x4a/0x90
"""
