# SPDX-License-Identifier: GPL-2.0-or-later
"""The questions that a design answers: what follows from each answer, and who answered how."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from lazymmu.contract.deferral import ROWS, DeferralRow
from lazymmu.report.common.words import grouped

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["QUESTIONS", "PortQuestion", "checklist", "render"]


@dataclass(frozen=True, slots=True)
class PortQuestion:
    """A question of design.

    :param asks: the question.
    :param answers: (answer, what follows) of each.
    :param told_by: names of rules that are broken, or harms that come, if the code does not do what
        was answered.
    :param theirs: what the newest implementation of an architecture answers.
    """

    asks: str
    answers: tuple[tuple[str, str], ...]
    told_by: tuple[str, ...]
    theirs: Callable[[DeferralRow], str]


def _yes(value: bool) -> str:
    return "yes" if value else "no"


QUESTIONS: Final = (
    PortQuestion(
        "What do you put off?",
        (
            (
                "the store",
                "accessors queue it (set_pte(), set_ptes(), pte_clear(), ...); who reads an entry "
                "in a section may read the old one, unless your reads look into the queue; nothing "
                "may look at the tables before the queue is empty",
            ),
            (
                "the TLB invalidation",
                "the store happens at once; what changes or clears an entry queues its address; "
                "flush_tlb_range() may then be empty, and tlb_flush() must empty the queue before "
                "pages are freed",
            ),
            (
                "the barriers",
                "the store happens at once; a flag remembers that a barrier is owed; only "
                "mappings that nobody faults on (kernel mappings) gain by it",
            ),
        ),
        ("lost-update", "stale-translation-used"),
        lambda row: row.deferred.value.split(";")[0].split(",")[0],
    ),
    PortQuestion(
        "Who owns the state: the task or the CPU?",
        (
            (
                "the task",
                "no hook at a context switch; fork() copies it with task_struct or thread_info "
                "(`forked` in the class), so that it must be clear in the child",
            ),
            (
                "the CPU",
                "either preemption is off in a section, or arch_start_context_switch() flushes and "
                "leaves and arch_end_context_switch() enters again",
            ),
        ),
        ("mode-left-on-cpu", "dirty-start", "unpinned-batch"),
        lambda row: row.owner.value,
    ),
    PortQuestion(
        "Is preemption off while the mode is on?",
        (
            (
                "yes",
                "arch_enter_lazy_mmu_mode() disables it and arch_leave_lazy_mmu_mode() enables it; "
                "sections are as long as latencies, and whoever sleeps in one is a bug at once",
            ),
            (
                "no",
                "the task may move to another CPU within a section: no per-CPU pointer may be kept "
                "from one call to the next, and what is queued must move along or be flushed",
            ),
        ),
        ("unpinned-batch", "mode-left-on-cpu"),
        lambda row: _yes(row.pins),
    ),
    PortQuestion(
        "What does an update do in an interrupt that comes within a section?",
        (
            (
                "takes effect at once",
                "ask is_lazy_mmu_mode_active(), which is false in interrupts (v7.0 on), and not "
                "the flag or counter alone; and keep the queue whole if an interrupt looks at it",
            ),
            ("joins the queue", "a bug: it waits for a task that may not run for long"),
        ),
        ("irq-deferred",),
        lambda row: row.interrupt.value.split(" the ")[0],
    ),
    PortQuestion(
        "Can you flush without leaving?",
        (
            (
                "yes",
                "arch_flush_lazy_mmu_mode() does it; the end of an inner section and "
                "lazy_mmu_mode_pause() rely on it (v7.0 on)",
            ),
            ("no", "a bug: what follows an inner section finds the change still pending"),
        ),
        ("flush-is-nop",),
        lambda row: _yes(row.flush),
    ),
    PortQuestion(
        "How long is the queue, and may entries of two address spaces be in it?",
        (
            ("one", "flush it when another mm's entry comes, or when the mm is switched"),
            ("several", "each entry of it has to say whose it is"),
        ),
        ("batch-mixes-mm",),
        lambda row: f"{row.limit} at most" if row.limit else "no limit",
    ),
)
"""In the order in which one decides; `port try` says whether the code does what was answered."""


def render(width: int) -> str:
    """All questions, with the answers of those who have the mode."""
    return "\n".join(
        "".join(f"{line}\n" for line in _question(number, one, width))
        for number, one in enumerate(QUESTIONS, 1)
    )


def _question(number: int, one: PortQuestion, width: int) -> Iterator[str]:
    yield from _folded(f"{number}. {one.asks}", "", width, "   ")
    for answer, follows in one.answers:
        yield from _folded(f"{answer}: {follows}", "   - ", width)
    theirs = grouped((one.theirs(rows[-1]), arch) for arch, rows in ROWS.items())
    said = "; ".join(f"{', '.join(arches)}: {answer}" for answer, arches in theirs.items())
    yield from _folded(f"there: {said}", "   ", width)
    yield from _folded(f"if not so: {', '.join(one.told_by)}", "   ", width)


def checklist(name: str) -> str:
    """The questions as a checklist in Markdown, to be filled in; name: of the port."""
    lines = [f"# The lazy MMU mode on {name}", "", "## Questions", ""]
    for one in QUESTIONS:
        lines += [f"- {one.asks}"]
        lines += [f"  - [ ] {answer}: {follows}" for answer, follows in one.answers]
    lines += [
        "",
        "## Steps",
        "",
        f"- [ ] {name}.py says what the questions decided: columns, mode_on(), pending(), hooks",
        f"- [ ] each routine names the kernel file that will have it (arch/{name}/...)",
        f"- [ ] `lazymmu port try {name}.py` ends with 0: it breaks no rule of its own",
        "- [ ] callers' mistakes that hurt it are known, and accepted (first table of `port try`)",
        f"- [ ] `lazymmu port plan --tree TREE --arch {name}`: every place is dealt with",
        "- [ ] the callers that begin to defer were looked at, those of kernel mappings above all",
        "- [ ] `lazymmu check TREE` on the patched tree, and a recording (`lazymmu probes`)",
    ]
    return "".join(f"{line}\n" for line in lines)


def _folded(text: str, first: str, width: int, rest: str | None = None) -> list[str]:
    return textwrap.wrap(
        text,
        width,
        initial_indent=first,
        subsequent_indent=" " * len(first) if rest is None else rest,
        break_on_hyphens=False,
        break_long_words=False,
    )
