# SPDX-License-Identifier: GPL-2.0-or-later
"""Messages of the kernel in a trace: which of them say that a check of its own fired."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lazymmu.ftrace.kernel_checks import KernelCheck, kernel_check

HYPERVISOR = "arch/x86/include/asm/xen/hypervisor.h"


@pytest.mark.parametrize(
    ("message", "words", "concerns"),
    [
        (f"kernel BUG at {HYPERVISOR}:93!", f"kernel BUG at {HYPERVISOR}:93", True),
        (f"kernel BUG at ./{HYPERVISOR}:93!", f"kernel BUG at {HYPERVISOR}:93", True),
        (
            "kernel BUG at xen_leave_lazy_mmu+0x1f/0x30 [verbose debug info unavailable]",
            "kernel BUG at xen_leave_lazy_mmu",
            True,
        ),
        (
            "WARNING: CPU: 1 PID: 77 at include/linux/pgtable.h:311 zap_pte_range+0x1a/0x90",
            "WARNING at include/linux/pgtable.h:311 (zap_pte_range)",
            True,
        ),
        (
            "WARNING: include/linux/pgtable.h:311 at zap_pte_range+0x1a/0x90, CPU#1: a b/77",
            "WARNING at include/linux/pgtable.h:311 (zap_pte_range)",
            True,
        ),
        (
            "WARNING: [count == 0] include/linux/pgtable.h:311 at f+0x1/0x2, CPU#0: a/1",
            "WARNING at include/linux/pgtable.h:311 (f)",
            True,
        ),
        (
            "WARNING: at lazy_mmu_mode_resume+0x1/0x2, CPU#0: a/1",
            "WARNING at lazy_mmu_mode_resume",
            True,
        ),
        (
            "WARNING: CPU: 1 PID: 7 at mm/memory.c:5 f+0x1/0x9 [mod]",
            "WARNING at mm/memory.c:5 (f)",
            True,
        ),
        (
            "WARNING: CPU: 0 PID: 1 at drivers/gpu/drm/drm_x.c:9 f+0x1/0x9 [drm]",
            "WARNING at drivers/gpu/drm/drm_x.c:9 (f)",
            False,
        ),
        ("BUG: scheduling while atomic: a b/7/0x00000002", "scheduling while atomic", False),
        (
            "BUG: sleeping function called from invalid context at mm/page_alloc.c:4",
            "sleeping function called from invalid context at mm/page_alloc.c:4",
            False,
        ),
        ("BUG: Bad page state in process a  pfn:00007", "Bad page state", True),
        ("BUG: Bad page map in process a  pte:1 pmd:2", "Bad page map", True),
        (
            "BUG: non-zero pgtables_bytes on freeing mm: 4096",
            "non-zero pgtables_bytes on freeing mm",
            True,
        ),
    ],
)
def test_a_check_is_read_in_each_of_its_forms(message, words, concerns):
    """Of kernels before and after the form of warnings changed, with and without the place."""
    check = kernel_check(f"console: {message}".encode())
    assert check is not None
    assert (check.words, check.concerns) == (words, concerns)


@pytest.mark.parametrize(
    "text",
    [
        "console: ------------[ cut here ]------------",
        "console: random: crng init done",
        "console: my driver says kernel BUG at mm/memory.c:1!",
        "print: kernel BUG at mm/memory.c:1!",
        "tracing_mark_write: console: kernel BUG at mm/memory.c:1!",
        "console: WARNING: something is odd",
        "console:",
        "BUG: scheduling while atomic: a/1/0x2",
    ],
)
def test_other_messages_are_none(text):
    """What only looks like one, or was written by somebody else, says nothing."""
    assert kernel_check(text.encode()) is None


@given(st.binary(max_size=400))
def test_any_bytes_are_read(message):
    """A message may hold whatever a driver has printed."""
    found = kernel_check(b"console: " + message)
    assert found is None or isinstance(found, KernelCheck)
