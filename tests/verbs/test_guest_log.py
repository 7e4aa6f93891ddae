# SPDX-License-Identifier: GPL-2.0-or-later
"""Which lines of a guest's log are findings, and which tell only of what it died of."""

from __future__ import annotations

import pytest

from lazymmu.verbs.guest_log import counted_splats, splat_lines

PAGES = "[  9.0] BUG: Bad page state in process race  pfn:12345\n"
MARKER = "[  9.0] WARNING: mm/memory.c:1715 at cond_install_uffd_wp_ptes+0x1/0x2, CPU#0: a/7\n"
ELSEWHERE = "[  9.0] WARNING: kernel/smp.c:844 at smp_call_function_many_cond+0x4/0x5, CPU#0: a/7\n"
FAULT = "[  9.0] BUG: unable to handle page fault for address: ffff888000000010\n"
LOCKED = "[  9.0] watchdog: BUG: soft lockup - CPU#1 stuck for 26s! [race:7]\n"
BREAKPOINT = "[  9.1] Oops: int3: 0000 [#1] SMP NOPTI\n"
PANIC = "[  9.2] Kernel panic - not syncing: Fatal exception in interrupt\n"


@pytest.mark.parametrize("line", [PAGES, MARKER, ELSEWHERE, FAULT, LOCKED])
def test_of_a_guest_that_lived_every_line_counts(line: str) -> None:
    """It did all of its workload, and the kernel complains of something."""
    assert counted_splats(line, whole=True) == splat_lines(line) != ()


@pytest.mark.parametrize("line", [PAGES, MARKER])
def test_a_check_of_page_tables_counts_however_the_guest_ended(line: str) -> None:
    """It fired before; what came later does not undo it."""
    assert counted_splats(line + PANIC, whole=False)
    assert counted_splats(line + BREAKPOINT + PANIC, whole=False)


@pytest.mark.parametrize("line", ["", ELSEWHERE, FAULT, LOCKED, BREAKPOINT])
def test_what_else_a_guest_dies_of_is_said_and_does_not_count(line: str) -> None:
    """The panic, too, and what that runs into."""
    log = line + PANIC + ELSEWHERE
    assert splat_lines(log)
    assert counted_splats(log, whole=False) == ()


def test_a_breakpoint_that_nobody_owns_is_the_emulator_s_also_where_the_guest_lived() -> None:
    """An oops ends a task, and another may still send the recording."""
    assert counted_splats(BREAKPOINT, whole=True) == ()
    assert counted_splats(BREAKPOINT + MARKER, whole=True)
