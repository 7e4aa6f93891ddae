# SPDX-License-Identifier: GPL-2.0-or-later
"""What the kernel says of itself in a recording, and of which of it a finding is made."""

from __future__ import annotations

import io

from lazymmu.witness.trace.check import check_trace
from lazymmu.witness.trace.values import TraceResult

from .lines import IDLE0, A, B, Tape

ATOMIC = "console: BUG: scheduling while atomic: alpha/100/0x00000002"
WARNS = "console: WARNING: include/linux/pgtable.h:311 at f+0x1/0x9, CPU#0: alpha/100"
DRIVER = "console: WARNING: drivers/gpu/x.c:3 at f+0x1/0x9, CPU#0: alpha/100"


def judged(tape: Tape, release: str = "6.17.8") -> TraceResult:
    """The answer on a kernel with Xen PV."""
    return check_trace("made", io.BytesIO(tape.text.encode()), arch="x86", release=release)


def tape() -> Tape:
    """A task that has begun to run, of which all is known."""
    made = Tape()
    made.warm(A, B)
    made.switch(IDLE0, A, 0, "R", hooks="xen")
    return made


def test_a_check_in_code_of_page_tables_is_a_finding_once_however_often_it_fires():
    """With the number of messages, and the task that met it."""
    made = tape()
    first = made.add(A, 0, WARNS)
    made.add(A, 0, "console: Modules linked in:")
    made.add(A, 0, WARNS)
    made.add(B, 1, WARNS.replace("100", "200"))
    answer = judged(made)
    found = {one.pid: one for one in answer.violations}
    assert [one.rule for one in answer.violations] == ["kernel-warning", "kernel-warning"]
    assert found[100].location.line == first - 4
    assert "include/linux/pgtable.h:311" in found[100].message
    assert found[100].notes == ("2 messages show it",)
    assert found[200].notes == ()
    assert any(one.rule == "kernel-warning" and one.over == 4 for one in answer.basis)


def test_a_check_elsewhere_counts_in_a_section_only():
    """A driver's own trouble is said, and is no finding."""
    made = tape()
    made.add(A, 0, DRIVER)
    made.add(A, 0, ATOMIC)
    answer = judged(made)
    assert answer.violations == ()
    assert [one.times for one in answer.caveats] == [1, 1]
    assert "drivers/gpu/x.c:3" in answer.caveats[0].reason
    made.enter(A, 0)
    made.add(A, 0, ATOMIC)
    made.leave(A, 0)
    assert [one.rule for one in judged(made).violations] == ["kernel-bug"]


def test_a_kernel_that_is_silent_is_no_answer_where_nothing_else_shows():
    """Messages alone do not show that anybody was in a section."""
    made = Tape()
    made.add(A, 0, "console: random: crng init done")
    made.switch(A, IDLE0, 0)
    assert not judged(made, "7.3.4").conclusive
