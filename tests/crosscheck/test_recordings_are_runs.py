# SPDX-License-Identifier: GPL-2.0-or-later
"""What real kernels did can happen in the machines: a recording holds the machine to the kernel.

From each recording the distinct sequences are taken that its tasks showed between the outermost
enter and its leave: calls of the mode's functions with the preempt count, context switches and
what their hooks did, batches that went out.  A small program on the machine of that architecture
and release must be able to show exactly the same.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from lazymmu.contract.events import SwitchOut
from lazymmu.ftrace.record import fields_of
from lazymmu.machine import EntrySpec, Machine, MachineConfig, Op, TaskSpec
from lazymmu.machine.workbench import Workbench
from lazymmu.witness.trace.check import check_trace
from lazymmu.witness.trace.observer import ObservedLine, TraceObserver
from tests.crosscheck.sequences import Collector, Sequence, possible, reached_by
from tests.recordings import Recordings

CLEAN = [
    ("x61-6.1.190-default/small", "x86", "6.1.176"),
    ("x61-6.1.190-default/mid", "x86", "6.1.176"),
    ("v612-6.12.107-preempt-full-violations/preempt", "x86", "6.12.38"),
    ("x618-6.18.15-default/small", "x86", "6.18.5"),
    ("x618-6.18.15-default/mid", "x86", "6.18.5"),
    ("x71-7.1.13-default/small", "x86", "7.1.13"),
    ("sparc64-7.1.13-sun4u/small", "sparc", "7.1.13"),
    ("sparc64-7.1.13-sun4u/preemptirq", "sparc", "7.1.13"),
]
"""A recording, and the machine that its kernel is."""

ENTER, LEAVE = ("enter", 0, ""), ("leave", 0, "")
PREEMPTED: Sequence = (
    ENTER,
    ("out preempted", 0, ""),
    ("hook-leave", 0, ""),
    ("in", 0, ""),
    ("hook-enter", 0, ""),
    LEAVE,
)


def shown(file: Path) -> Counter[tuple[int, Sequence]]:
    """The sequences of a recording."""
    collector = Collector()
    check_trace(str(file), observer=collector)
    return collector.total()


@pytest.mark.parametrize(("name", "arch", "release"), CLEAN)
def test_what_a_kernel_did_is_possible_in_its_machine(
    name: str, arch: str, release: str, recordings: Recordings
) -> None:
    """Every distinct sequence of a recording without mistakes."""
    found = shown(recordings / f"{name}.trace.gz")
    assert sum(found.values()) > 10
    assert [one for one in found if not possible(arch, release, *one)] == []


def test_what_a_kernel_did_wrongly_is_possible_in_its_machine(recordings: Recordings) -> None:
    """Nested, asleep, preempted, in hard and soft interrupts: 6.12 lets all of it happen."""
    found = shown(recordings / "v612-6.12.107-preempt-full-violations/viol.trace.gz")
    assert {irq for _, words in found for _, _, irq in words} == {"", "h", "s"}
    assert len(found) >= 8
    assert [one for one in found if not possible("x86", "6.12.38", *one)] == []


def test_recordings_show_switches_and_batches(recordings: Recordings) -> None:
    """The comparison is not of pairs alone."""
    xen = shown(recordings / "x618-6.18.15-default/mid.trace.gz")
    assert (0, PREEMPTED) in xen
    sparc = shown(recordings / "sparc64-7.1.13-sun4u/small.trace.gz")
    assert any(("empties", 1, "") in words for _, words in sparc)


@pytest.mark.parametrize(
    ("arch", "release", "base", "words"),
    [
        pytest.param("x86", "6.18.5", 1, PREEMPTED, id="a lock keeps its holder from preemption"),
        pytest.param(
            "x86", "6.18.5", 0, (PREEMPTED[0], *PREEMPTED[1:4:2], LEAVE), id="a switch has hooks"
        ),
        pytest.param("x86", "6.18.5", 0, (ENTER, ENTER, LEAVE, LEAVE), id="nesting is a BUG"),
        pytest.param("sparc", "7.1.13", 0, (ENTER, LEAVE), id="sparc64 pins"),
        pytest.param(
            "sparc",
            "7.1.13",
            0,
            (ENTER, ("out preempted", 0, ""), ("in", 0, ""), ("leave", 1, "")),
            id="and is not preempted",
        ),
        pytest.param(
            "sparc", "7.1.13", 0, (ENTER, ("empties", 1, ""), ("leave", 1, "")), id="batches wait"
        ),
        pytest.param("x86", "7.1.13", 0, (ENTER, ENTER, LEAVE, LEAVE), id="outermost only"),
        pytest.param("x86", "7.1.13", 0, (("enter", 0, "h"), ("leave", 0, "h")), id="no interrupt"),
    ],
)
def test_what_no_kernel_does_is_not_possible(
    arch: str, release: str, base: int, words: Sequence
) -> None:
    """The machines do not show just anything."""
    assert not possible(arch, release, base, words)


def test_counters_at_a_switch_on_arm64(recordings: Recordings) -> None:
    """7.3 shows nothing but the counters of who is switched out in a section."""
    file = recordings / "arm64-7.3.4-preempt-full/ec.trace.gz"
    collector = Counters()
    check_trace(str(file), observer=collector)
    assert collector.found
    machine = Machine(
        MachineConfig(
            arch="arm64",
            release="7.3.4",
            entries=(EntrySpec("p", space="kernel", mm="init_mm"),),
            tasks=(
                TaskSpec(
                    "T0",
                    (
                        Op("lazy_mmu_mode_enable"),
                        Op("set_pte", ("p", "A")),
                        Op("lazy_mmu_mode_disable"),
                    ),
                    cpu=0,
                ),
            ),
            merge_steps=False,
        )
    )
    can = set()
    for state, events in reached_by(machine):
        task = machine.here(list(state), 0).task_at(0)
        for event in events:
            if isinstance(event, SwitchOut) and event.task == "T0":
                can.add((event.why == "preempted", task.enable_count, task.pause_count))
    assert set(collector.found) <= can


class Counters(TraceObserver):
    """Takes (preempted, enable_count, pause_count) of those who go."""

    needles: tuple[bytes, ...] = (b" ec=",)

    def __init__(self) -> None:
        self.found: Counter[tuple[bool, int, int]] = Counter()

    def add(self, line: ObservedLine) -> None:
        """One line."""
        if b" ec=" in line.text:
            fields = fields_of("ec", line.text)
            self.found[int(fields["st"]) == 0, int(fields["ec"]), int(fields["pc"])] += 1


def test_batches_of_powerpc_hold_what_was_put_in_them(recordings: Recordings) -> None:
    """A batch that goes out with n entries was filled by n updates of one task, never switched out.

    6.12 shows no more of a section there than its updates and its batch.
    """
    file = recordings / "ppc64le-6.12.107-hash-power8/small.trace.gz"
    collector = Batches()
    check_trace(str(file), observer=collector)
    assert len(collector.found) > 2
    assert not collector.short
    for count in sorted(collector.found)[:4]:
        bench = Workbench("powerpc", "6.12.38", *(f"p{one} = A" for one in range(count)))
        bench.do("lazy_mmu_mode_enable")
        for one in range(count):
            bench.do(f"ptep_get_and_clear p{one}")
        assert len(bench.pending) == count
        bench.do("lazy_mmu_mode_disable")
        assert bench.pending == ()


class Batches(TraceObserver):
    """Takes the sizes of batches that go out, and those that nobody can have filled."""

    needles: tuple[bytes, ...] = (b"pend: (__flush_tlb_pending",)

    def __init__(self) -> None:
        self.found: Counter[int] = Counter()
        self.short: list[int] = []
        self._updates: Counter[bytes] = Counter()

    def add(self, line: ObservedLine) -> None:
        """One line."""
        pid = line.columns.pid
        if line.what == "update":
            self._updates[pid] += 1
        elif line.text.startswith(b"sched_switch:"):
            self._updates[pid] = 0
        elif line.text.startswith(b"pend:"):
            count = int(fields_of("pend", line.text)["idx"])
            self.found[count] += 1
            if self._updates[pid] < count:
                self.short.append(line.number)
            self._updates[pid] = 0
