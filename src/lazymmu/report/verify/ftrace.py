# SPDX-License-Identifier: GPL-2.0-or-later
"""A counterexample as text of tracefs, to be held beside a recording or read by `lazymmu trace`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lazymmu.crosscheck.values import NotVisible
from lazymmu.report.common.words import clean
from lazymmu.report.verify.json import place, shortest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lazymmu.crosscheck.values import RenderedTrace
    from lazymmu.witness.machine.verdict import Counterexample, Verdict

__all__ = ["of_runs", "refused", "render"]

_BEGIN: Final = 1_000_000
"""Time of the first line, in microseconds; each later line is one later."""

_WHY: Final = {
    NotVisible.RULE: "traces do not witness {rule}",
    NotVisible.KERNEL: "a trace of that kernel shows nothing of the lazy MMU mode",
    NotVisible.EVENT: "what a trace of that kernel shows of it does not break {rule}",
}

_LEGEND: Final = """\
#                                _-----=> irqs-off/BH-disabled
#                               / _----=> need-resched
#                              | / _---=> hardirq/softirq
#                              || / _--=> preempt-depth
#                              ||| / _-=> migrate-disable
#                              |||| /     delay
#           TASK-PID     CPU#  |||||  TIMESTAMP  FUNCTION
#              | |         |   |||||     |         |
"""


def refused(verdict: Verdict, broken: Counterexample, why: NotVisible) -> str:
    """Why no trace tells this counterexample: one sentence without a full stop."""
    reason = _WHY[why].format(rule=broken.rule)
    return f"{verdict.scenario} on {place(verdict)}: {reason}"


def of_runs(
    told: Sequence[Sequence[tuple[Verdict, Counterexample, RenderedTrace]]],
) -> tuple[list[str], list[str]]:
    """Of each run that is violated the first violation that a trace tells, as text of tracefs.

    Second, one sentence without a full stop for each violation of a run of which no trace tells
    anything.

    :param told: of each run the violations that were tried.
    """
    texts, sentences = [], []
    for run in told:
        refusals = []
        for verdict, broken, one in run:
            if one.not_visible is None:
                texts.append(render(verdict, broken, one))
                break
            refusals.append(refused(verdict, broken, one.not_visible))
        else:
            sentences += refusals
    return texts, sentences


def render(verdict: Verdict, broken: Counterexample, told: RenderedTrace) -> str:
    """The text: what it is of, the header of tracefs, and the lines (kernel/trace/trace.c)."""
    whose = f"{told.task} breaks {broken.rule}" if told.task else broken.rule
    title = f"{verdict.scenario} on {place(verdict)}: {whose} ({shortest(broken)})"
    count = len(told.lines)
    head = [
        "# tracer: function",
        "#",
        f"# lazymmu verify: {clean(title)}",
        f"# lazymmu trace --arch {verdict.arch} --release {verdict.release}",
        "#",
        f"# entries-in-buffer/entries-written: {count}/{count}   #P:{told.cpus}",
        "#",
    ]
    rows = []
    for number, line in enumerate(told.lines):
        seconds, micro = divmod(_BEGIN + number, 1_000_000)
        who = f"{line.comm:>16}-{line.pid:<7}"
        rows.append(f"{who} [{line.cpu:03}] {line.flags} {seconds:5}.{micro:06}: {line.text}")
    body = "".join(f"{clean(row)}\n" for row in rows)
    return "".join(f"{one}\n" for one in head) + _LEGEND + body
