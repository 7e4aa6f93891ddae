# SPDX-License-Identifier: GPL-2.0-or-later
"""The contract of a dialect, as the comment in include/linux/pgtable.h should say it.

Our own words, one clause per feature of the dialect, complete where the kernel's text is silent:
what only follows from the rest is marked as such.
"""

from __future__ import annotations

import textwrap
from typing import Final

from lazymmu.contract.dialects import Dialect, Interrupts, LockGuarantee, Nesting

_MAX_COLUMNS: Final = 77
"""Columns of text in a kernel comment of 80 columns."""


def contract_text(dialect: Dialect) -> str:
    """The whole contract of `dialect` as a C comment in the kernel's style, ending in a newline."""
    lines: list[str] = []
    for title, clauses in _sections(dialect):
        if lines:
            lines.append(" *")
        lines.append(f" * {title}")
        for clause in clauses:
            wrapped = textwrap.wrap(
                clause, _MAX_COLUMNS - 2, break_long_words=False, break_on_hyphens=False
            )
            lines.append(f" * - {wrapped[0]}")
            lines.extend(f" *   {rest}" for rest in wrapped[1:])
    return "\n".join(["/*", *lines, " */"]) + "\n"


def _sections(dialect: Dialect) -> list[tuple[str, list[str]]]:
    sections = [
        ("Lazy MMU mode: what it is.", _purpose(dialect)),
        ("What generic code must do.", _caller(dialect)),
        ("What an architecture must do.", _implementation(dialect)),
    ]
    if dialect.pause:
        sections.insert(2, ("Pausing.", _pausing()))
    return sections


def _begin(dialect: Dialect) -> str:
    return "lazy_mmu_mode_enable()" if dialect.generic_api else "arch_enter_lazy_mmu_mode()"


def _end(dialect: Dialect) -> str:
    return "lazy_mmu_mode_disable()" if dialect.generic_api else "arch_leave_lazy_mmu_mode()"


def _purpose(dialect: Dialect) -> list[str]:
    clauses = [
        f"Code between {_begin(dialect)} and {_end(dialect)} is a section. Inside it an "
        "architecture may put off the stores to page tables, the TLB invalidations that belong to "
        "them, or the barriers after them, and do many at once.",
        "What was put off has taken effect when the section has ended"
        + (
            "; a nested end is enough."
            if dialect.may_nest
            else ", or after arch_flush_lazy_mmu_mode(), which not every architecture implements."
        ),
        "Atomic read-modify-write operations, such as ptep_get_and_clear() and "
        "ptep_set_wrprotect(), are never put off.",
    ]
    if dialect.generic_api:
        clauses.append(
            "The mode belongs to the task: a count of sections begun and a count of pauses. It is "
            "active when the first is not zero, the second is, and the task is not in interrupt "
            "context."
        )
    return clauses


def _caller(dialect: Dialect) -> list[str]:
    clauses = [
        "Every section that a path begins ends on that path, error paths included"
        + ("." if dialect.pairing else " (implied)."),
        _nesting(dialect),
        _locks(dialect),
        "Do not drop a lock that covers an entry, init_mm.page_table_lock included, before the "
        "write to the entry took effect"
        + ("." if dialect.locks is LockGuarantee.REQUIRED else " (implied)."),
        "Do not read an entry through its pointer after writing it in the same section; do not "
        "change it by an atomic operation either (implied): both would see the old value.",
        "Flush the TLB for what a section changed after the section, not inside it (implied). Do "
        "not use a mapping just made, nor free the page behind one just removed, nor a page table "
        "just unlinked, before the change took effect (implied).",
        "Do not sleep in a section: an architecture may have disabled preemption"
        + ("." if dialect.sleep else " (implied)."),
        _interrupts(dialect),
        "A callback of apply_to_page_range() runs inside a section and is bound by all of this.",
    ]
    if dialect.generic_api:
        clauses.append(
            "The arch_*_lazy_mmu_mode() hooks, and the calls that name a task, are not for generic "
            "code."
        )
    return clauses


def _nesting(dialect: Dialect) -> str:
    match dialect.nesting:
        case Nesting.ALLOWED:
            return (
                "Sections may nest. An inner beginning changes nothing; an inner end makes every "
                "earlier update take effect and leaves the mode on. A depth of 255 is the limit."
            )
        case Nesting.FORBIDDEN:
            return "Sections do not nest, not through calls either."
    return "Sections do not nest, not through calls either (implied)."


def _locks(dialect: Dialect) -> str:
    if dialect.locks is LockGuarantee.REQUIRED:
        return (
            "Begin and end a section while holding the page table locks of every table that it may "
            "change. For kernel mappings there is no such lock; such sections exist all the same, "
            "with preemption enabled."
        )
    return (
        "For user mappings, take the page table locks before the section begins and drop them "
        "after it has ended (in practice; not guaranteed). For kernel mappings no lock is held."
    )


def _interrupts(dialect: Dialect) -> str:
    match dialect.interrupts:
        case Interrupts.NO_OP:
            return (
                "In interrupt context the mode is off and the calls do nothing; bottom halves off "
                "counts as interrupt context, so do not change it between a beginning and its end "
                "(implied)."
            )
        case Interrupts.FORBIDDEN:
            return "Do not use the mode in interrupt context."
    return "Do not use the mode in interrupt context (implied)."


def _pausing() -> list[str]:
    return [
        "lazy_mmu_mode_pause() turns the mode off at any depth, and everything takes effect; "
        "lazy_mmu_mode_resume() restores that depth. Pauses may nest, and every path resumes what "
        "it paused.",
        "Between the two every call does nothing but count pauses; a section begun there must end "
        "there (implied).",
    ]


def _implementation(dialect: Dialect) -> list[str]:
    clauses = [
        "Assume that preemption is enabled when a section begins and that the task may move to "
        "another CPU: pin it, or carry the mode and the batch in the context switch hooks"
        + ("." if dialect.locks is LockGuarantee.PRACTICE else " (implied)."),
        "When a task is switched out, what it put off has taken effect or travels with it, and the "
        "mode does not stay behind on the CPU (implied).",
        "An update made in interrupt context takes effect at once, even when the interrupted task "
        "is in a section (implied).",
        "A batch holds entries of one mm (implied).",
        "Ending and flushing are legal with nothing put off, and with preemption enabled "
        "(implied).",
    ]
    if dialect.may_nest:
        clauses.append("The flush hook really flushes: a nested end relies on it.")
    if dialect.task_pause:
        clauses.append(
            "__task_lazy_mmu_mode_pause() and __task_lazy_mmu_mode_resume() let the context switch "
            "hooks take a task's mode away and give it back."
        )
    return clauses
