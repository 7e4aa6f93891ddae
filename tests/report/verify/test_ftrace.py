# SPDX-License-Identifier: GPL-2.0-or-later
"""The text of a counterexample as a trace: tracefs's own form, and why there is none."""

from __future__ import annotations

import io

from lazymmu.crosscheck.values import NotVisible, RenderedTrace, TraceLine
from lazymmu.ftrace.record import RecordKind
from lazymmu.ftrace.trace import read
from lazymmu.report.verify.ftrace import of_runs, refused, render
from lazymmu.witness.machine.verdict import SearchOutcome, Verdict
from tests import made

VERDICT = Verdict("made", "x86", "6.12.8", "xen-nesting-count", SearchOutcome.VIOLATED)
BROKEN = made.broken("nested-section", "", 1, 3)


def text(*lines: TraceLine, cpus: int = 2) -> str:
    """A trace of these lines."""
    return render(VERDICT, BROKEN, RenderedTrace(lines, cpus, "T0", 1000))


def test_it_says_what_it_is_of():
    """Scenario, kernel, rule and task, and how to read it back."""
    head = text().splitlines()
    assert head[0] == "# tracer: function"
    assert head[2] == (
        "# lazymmu verify: made on x86 (xen-nesting-count, Linux 6.12.8): "
        "T0 breaks nested-section (1 preemption, 3 steps)"
    )
    assert head[3] == "# lazymmu trace --arch x86 --release 6.12.8"


def test_its_lines_are_read_as_they_were_written():
    """By the reader of real traces, one microsecond apart."""
    lines = (
        TraceLine(0, "T0", 1000, "...1.", "xen_enter_lazy_mmu <-copy_page_range"),
        TraceLine(1, "<idle>", 0, "d.h..", "irq_handler_entry: irq=24 name=timer0"),
    )
    trace = read("made", io.BytesIO(text(*lines).encode()))
    first, second = trace.records()
    assert (first.cpu, first.pid, first.flags, first.name, first.caller) == (
        0,
        1000,
        "...1.",
        "xen_enter_lazy_mmu",
        "copy_page_range",
    )
    assert (second.cpu, second.pid, second.kind, second.flags) == (1, 0, RecordKind.EVENT, "d.h..")
    assert float(second.stamp) - float(first.stamp) < 2e-6
    assert (trace.header.entries, trace.header.written, trace.header.cpus) == (2, 2, 2)


def test_nothing_of_a_name_reaches_the_terminal():
    """Names of tasks come from scenarios, which anybody may have written."""
    assert "\x1b" not in text(TraceLine(0, "T\x1b[2J", 1, ".....", "x <-\x1b[31my"))


def test_why_there_is_none_is_one_sentence_each():
    """Which scenario on which kernel, and the reason."""
    sentences = {why: refused(VERDICT, BROKEN, why) for why in NotVisible}
    place = "made on x86 (xen-nesting-count, Linux 6.12.8): "
    assert len(set(sentences.values())) == len(NotVisible)
    for sentence in sentences.values():
        assert sentence.startswith(place)
        assert not sentence.endswith(".")


def test_of_a_run_the_first_violation_that_a_trace_tells_is_told():
    """One text for each run that has any, and why there is none for those that have not."""
    shown = RenderedTrace((TraceLine(0, "T0", 1, ".....", "f <-g"),), 1, "T0", 1)
    hidden = RenderedTrace((), not_visible=next(iter(NotVisible)))
    runs = [
        [(VERDICT, BROKEN, one) for one in run]
        for run in ([shown, shown], [hidden, shown, hidden], [hidden, hidden], [])
    ]
    texts, sentences = of_runs(runs)
    assert len(texts) == 2
    assert sentences == [refused(VERDICT, BROKEN, next(iter(NotVisible)))] * 2
