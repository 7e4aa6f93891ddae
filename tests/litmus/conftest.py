# SPDX-License-Identifier: GPL-2.0-or-later
"""A small scenario that tests change, and signatures of a few operations."""

from __future__ import annotations

import pytest

SMALL = """\
litmus small
"Something happens."

machine: cpus 2
entries:
    p pte user ptl L = A
    k pte kernel = none

task T0 on cpu0:
    lazy_mmu_mode_enable
    apply_to_page_range p k:
        set_pte ptep B:ro
    if not pte_none p:
        spin_lock L
    lazy_mmu_mode_disable
task T1:
    schedule
interrupt I on cpu1 times 2:
    set_pte k none

watch nested-section
occurs: T0: switch_out why=preempted depth=1
finally: p = A or B:ro; stored k = none
expect:
    x86 xen-task 7.0..7.3, sparc: violated nested-section, 1 preemption, 12 steps
    *: holds
"""

OPERATIONS = {
    "lazy_mmu_mode_enable": "",
    "lazy_mmu_mode_disable": "",
    "apply_to_page_range": "entry+ :",
    "set_pte": "entry value",
    "ptep_get": "entry",
    "if pte_none": "entry :",
    "spin_lock": "lock",
    "fork": "task",
    "free_page": "page",
    "schedule": "number?",
}


@pytest.fixture
def small() -> str:
    """The text of a scenario that is right, and uses most of the format."""
    return SMALL
