# SPDX-License-Identifier: GPL-2.0-or-later
"""Rules about beginnings and ends: sections and pauses pair; sections nest where allowed."""

from __future__ import annotations

from lazymmu.contract.dialects import Dialect, Interrupts, Nesting, Status
from lazymmu.contract.events import (
    Disable,
    Enable,
    Event,
    Exit,
    FunctionCall,
    FunctionReturn,
    Pause,
    Resume,
    UserReturn,
)
from lazymmu.contract.rules.rule import (
    ALL_WITNESSES,
    NOT_TRACED,
    Party,
    Rule,
    RuleKind,
    stateless,
)
from lazymmu.contract.section import MAX_DEPTH, TaskState

_EXEMPT = -1
"""Own depth of a run that begins in a hook: those leave what they did not enter, or the reverse."""


# ---- unbalanced-section --------------------------------------------------------------------


def _unbalanced(
    own: int, before: TaskState, event: Event, _dialect: Dialect
) -> tuple[int, tuple[str, ...]]:
    match event:
        case FunctionCall(root=True):
            return (before.depth if event.role == "generic" else _EXEMPT), ()
        case _ if own == _EXEMPT or not before.knows("mode"):
            return own, ()
        case Disable() if before.depth == 0:
            return own, ("not-begun",)
        case FunctionReturn(root=True) if before.depth > own:
            return own, ("left-on",)
        case FunctionReturn(root=True) if before.depth < own:
            return own, ("ended-callers",)
        case Exit() if before.depth > 0:
            return own, ("exit",)
        case UserReturn() if before.depth > 0:
            return own, ("user-return",)
    return own, ()


_UNBALANCED_WORDS = {
    "not-begun": "ends a lazy MMU section that was not begun",
    "left-on": "returns with the lazy MMU mode on",
    "ended-callers": "returns after ending the lazy MMU section of its caller",
    "exit": "ends the task with the lazy MMU mode on",
    "user-return": "returns to user mode with the lazy MMU mode on",
    "wrapped": "has ended more lazy MMU sections than it began",
    "leaked": "has begun or ended a lazy MMU section where nothing that was recorded did",
}

UNBALANCED_SECTION = Rule(
    name="unbalanced-section",
    sentence=(
        "Every lazy MMU section that a path begins ends on that path, once, before the function "
        "returns, the task ends, or it goes back to user mode."
    ),
    why=(
        "A section left open keeps preempt_count raised on powerpc hash and sparc64, keeps the CPU "
        "in lazy mode on Xen PV (the next section meets a BUG_ON or a counter that never returns "
        "to zero), and on arm64 holds back barriers for the rest of the task's life; from v7.0 on "
        "the task's counter never returns to zero and everything stays deferred."
    ),
    citation=(
        "include/linux/pgtable.h, kernel-doc of lazy_mmu_mode_enable() and lazy_mmu_mode_disable() "
        '(in v7.0); fea18c686320 ("mm/vmalloc: leave lazy MMU mode on PTE mapping error") '
        "(in v6.16)"
    ),
    party=Party.CALLER,
    kind=RuleKind.OBLIGATION,
    key="task",
    witnesses=ALL_WITNESSES,
    events=(FunctionCall, Disable, FunctionReturn, Exit, UserReturn),
    status=lambda dialect: Status.DOCUMENTED if dialect.pairing else Status.IMPLIED,
    message=lambda violation: _UNBALANCED_WORDS[violation.detail],
    step=_unbalanced,
    initial=0,
)


# ---- nested-section ------------------------------------------------------------------------


def _nested(before: TaskState, event: Enable, _dialect: Dialect) -> str | None:
    # A section in an interrupt is not the task's, and another rule's finding.
    in_task = not before.irq and event.in_interrupt != "yes"
    return "" if before.on and in_task and before.knows("mode", "pause") else None


_NESTING_STATUS = {
    Nesting.SILENT: Status.IMPLIED,
    Nesting.FORBIDDEN: Status.DOCUMENTED,
    Nesting.ALLOWED: Status.OFF,
}

NESTED_SECTION = Rule(
    name="nested-section",
    sentence="No lazy MMU section begins inside a lazy MMU section.",
    why=(
        "Xen PV meets a BUG_ON in enter_lazy(), from v6.6 to v6.14 only when the task is preempted "
        "at depth two; on powerpc hash, sparc64 and arm64 the inner end ends the outer section as "
        "well, so that the rest of it is no longer batched."
    ),
    citation=(
        'include/linux/pgtable.h, 691ee97e1a9d ("mm: fix lazy mmu docs and usage") (in v6.15); '
        'allowed since 5ab246749569 ("mm: enable lazy_mmu sections to nest") (in v7.0)'
    ),
    party=Party.CALLER,
    kind=RuleKind.OBLIGATION,
    key="task",
    witnesses=ALL_WITNESSES,
    events=(Enable,),
    status=lambda dialect: _NESTING_STATUS[dialect.nesting],
    message=lambda _violation: "begins a lazy MMU section inside a section",
    step=stateless(_nested),
    check=_nested,
)


# ---- unbalanced-pause ----------------------------------------------------------------------


def _unbalanced_pause(
    own: tuple[int, tuple[int, ...]], before: TaskState, event: Event, _dialect: Dialect
) -> tuple[tuple[int, tuple[int, ...]], tuple[str, ...]]:
    """Own state: pauses open when the run began, and the depth at each pause begun since."""
    at_root, depths = own
    match event:
        case FunctionCall(root=True):
            return (before.paused, ()), ()
        case _ if not before.knows("pause"):
            return own, ()
        case Pause(whose="current") if len(depths) < MAX_DEPTH:
            return (at_root, (*depths, before.depth)), ()
        case Resume(whose="current"):
            if before.paused == 0:
                return own, ("not-paused",)
            moved = depths and depths[-1] != before.depth and before.knows("mode")
            return (at_root, depths[:-1]), ("other-depth",) if moved else ()
        case FunctionReturn(root=True) if before.paused > at_root:
            return own, ("left-paused",)
        case FunctionReturn(root=True) if before.paused < at_root:
            return own, ("resumed-callers",)
        case Exit() if before.paused > 0:
            return own, ("exit",)
        case UserReturn() if before.paused > 0:
            return own, ("user-return",)
    return own, ()


_PAUSE_WORDS = {
    "not-paused": "resumes the lazy MMU mode without having paused it",
    "other-depth": "resumes the lazy MMU mode at another depth than it was paused at",
    "left-paused": "returns with the lazy MMU mode paused",
    "resumed-callers": "returns after resuming the lazy MMU mode that its caller paused",
    "exit": "ends the task with the lazy MMU mode paused",
    "user-return": "returns to user mode with the lazy MMU mode paused",
    "wrapped": "has resumed the lazy MMU mode more often than it paused it",
}

UNBALANCED_PAUSE = Rule(
    name="unbalanced-pause",
    sentence=(
        "Every pause of the lazy MMU mode is resumed once on the same path, and the sections begun "
        "while it was paused have ended by then."
    ),
    why=(
        "A pause count that is not zero turns the mode silently off for the rest of the task's "
        "life; a resume too many wraps the u8 and pauses it 255 times; enable and disable do "
        "nothing while paused, so a section that straddles the resume loses one of its ends."
    ),
    citation=(
        "include/linux/pgtable.h, kernel-doc of lazy_mmu_mode_pause() and lazy_mmu_mode_resume(), "
        '0a096ab7a3a6 ("mm: introduce generic lazy_mmu helpers") (in v7.0)'
    ),
    party=Party.CALLER,
    kind=RuleKind.OBLIGATION,
    key="task",
    witnesses=ALL_WITNESSES,
    events=(FunctionCall, Pause, Resume, FunctionReturn, Exit, UserReturn),
    status=lambda dialect: Status.DOCUMENTED if dialect.pause else Status.OFF,
    message=lambda violation: _PAUSE_WORDS[violation.detail],
    step=_unbalanced_pause,
    initial=(0, ()),
)


# ---- bh-across-section ---------------------------------------------------------------------


def _in_interrupt(before: TaskState, event: Enable | Disable) -> bool | None:
    """in_interrupt() at this call, None when nobody can tell."""
    if event.in_interrupt == "yes" or before.in_interrupt:
        return True
    if event.in_interrupt == "unknown" or not before.knows("irq", "pins"):
        return None
    return False


def _bh_across(
    own: tuple[bool | None, ...], before: TaskState, event: Event, _dialect: Dialect
) -> tuple[tuple[bool | None, ...], tuple[str, ...]]:
    """Own state: in_interrupt() at each enable that is still open, outermost first."""
    match event:
        case FunctionCall(root=True):
            return (), ()
        case _ if not before.knows("mode"):
            return (), ()
        case Enable():
            return (*own, _in_interrupt(before, event))[:MAX_DEPTH], ()
        case Disable() if own:
            now = _in_interrupt(before, event)
            differs = None not in (now, own[-1]) and now != own[-1]
            detail = "ignored-disable" if now else "ignored-enable"
            return own[:-1], (detail,) if differs else ()
    return own, ()


_BH_WORDS = {
    "ignored-disable": "ends a lazy MMU section with bottom halves off that began with them on",
    "ignored-enable": "ends a lazy MMU section with bottom halves on that began with them off",
}

BH_ACROSS_SECTION = Rule(
    name="bh-across-section",
    sentence=(
        "in_interrupt() has the same value where a lazy MMU section begins and where it ends; "
        "local_bh_disable() and spin_lock_bh() change it."
    ),
    why=(
        "Calls in interrupt context do nothing, and bottom halves off counts as that: when only "
        "the enable counts, the task stays in the mode for good; when only the disable counts, the "
        "u8 counter wraps below zero, with the same result."
    ),
    citation=(
        'include/linux/pgtable.h, 9273dfaeaca8 ("mm: bail out of lazy_mmu_mode_* in interrupt '
        'context") (in v7.0); include/linux/preempt.h, in_interrupt()'
    ),
    party=Party.CALLER,
    kind=RuleKind.OBLIGATION,
    key="task",
    witnesses=NOT_TRACED,
    events=(FunctionCall, Enable, Disable),
    status=lambda dialect: Status.IMPLIED if dialect.interrupts is Interrupts.NO_OP else Status.OFF,
    message=lambda violation: _BH_WORDS[violation.detail],
    step=_bh_across,
    initial=(),
)
