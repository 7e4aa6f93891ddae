# SPDX-License-Identifier: GPL-2.0-or-later
"""An automaton in the .dot dialect of the kernel's runtime verification, and what it still needs.

tools/verification/rvgen makes a monitor's skeleton from such a file.  What its three parsers (to
v6.19, v7.0 and v7.1, v7.3) have in common is narrower than the language of Graphviz: `digraph
state_automaton` on the first line, no comments, no empty lines, one statement a line, nodes with
their label on lines of their own, and all events from one state to another in one label.  What a
reader of the file should know stands in the graph's attribute `comment`, which all of them skip.
"""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from lazymmu.contract.automaton import Automaton
    from lazymmu.contract.rules.rule import Rule

__all__ = ["MONITOR_TYPES", "dot", "missing", "needs"]

_WIDTH: Final = 84

MONITOR_TYPES: Final[Mapping[str, str]] = {"task": "per_task", "cpu": "per_cpu"}
"""rvgen's --monitor_type for a rule's key; for entries and locks it is `per_obj` (v7.1 on)."""

_RECURSES: Final = 250
"""States that the rvgen of v7.3 reads; its grammar recurses for each."""

_NO_POINT: Final = "no tracepoint; "
_INLINE: Final = f"{_NO_POINT}an inline of include/linux/pgtable.h"
_ENTRY: Final = (
    f"{_NO_POINT}inlines of each architecture's asm/pgtable.h (Xen PV: xen:xen_mmu_set_pte)"
)
_PTL: Final = "lock:lock_acquire and lock:lock_release with CONFIG_LOCKDEP, for page-table locks"
_SEEN: Final = f"{_NO_POINT}the mode read at that moment: current->lazy_mmu_state (v7.0 on)"

_SOURCES: Final[Mapping[str, str]] = {
    "lazy_enable": f"{_INLINE}: lazy_mmu_mode_enable(), or arch_enter_lazy_mmu_mode() to v6.19",
    "lazy_disable": f"{_INLINE}: lazy_mmu_mode_disable(), or arch_leave_lazy_mmu_mode() to v6.19",
    "lazy_pause": f"{_INLINE}: lazy_mmu_mode_pause()",
    "lazy_resume": f"{_INLINE}: lazy_mmu_mode_resume()",
    "lazy_flush": f"{_NO_POINT}arch_flush_lazy_mmu_mode() of each architecture",
    "lazy_flush_noop": f"{_NO_POINT}arch_flush_lazy_mmu_mode() where it is empty",
    "pte_write": _ENTRY,
    "pte_exchange": _ENTRY,
    "pte_read": f"{_NO_POINT}ptep_get(), an inline of include/linux/pgtable.h",
    "ptl_lock": _PTL,
    "ptl_unlock": _PTL,
    "tlb_flush": "tlb:tlb_flush on x86; no tracepoint elsewhere",
    "page_use": f"{_NO_POINT}an access of memory",
    "page_free": "kmem:mm_page_free",
    "table_free": f"{_NO_POINT}pagetable_dtor() and pte_free() of each architecture",
    "preempt_disable": "preemptirq:preempt_disable with CONFIG_TRACE_PREEMPT_TOGGLE",
    "preempt_enable": "preemptirq:preempt_enable with CONFIG_TRACE_PREEMPT_TOGGLE",
    "bh_disable": f"{_NO_POINT}__local_bh_disable_ip() of kernel/softirq.c",
    "bh_enable": f"{_NO_POINT}__local_bh_enable_ip() of kernel/softirq.c",
    "irq_entry": "irq:irq_handler_entry, and irq_vectors:*_entry on x86 for what has no irq_desc",
    "irq_exit": "irq:irq_handler_exit, and irq_vectors:*_exit on x86 for what has no irq_desc",
    "softirq_entry": "irq:softirq_entry",
    "softirq_exit": "irq:softirq_exit",
    "might_sleep": f"{_NO_POINT}__might_sleep() of kernel/sched/core.c (CONFIG_DEBUG_ATOMIC_SLEEP)",
    "sched_switch_preempt": "sched:sched_switch with preempt true, for prev",
    "sched_switch_yield": "sched:sched_switch with preempt false and prev_state 0, for prev",
    "sched_switch_blocking": "sched:sched_switch with preempt false and prev_state not 0, for prev",
    "sched_switch_in": "sched:sched_switch, for next",
    "task_fork": "sched:sched_process_fork",
    "task_exit": "sched:sched_process_exit",
    "user_return": f"{_NO_POINT}exit_to_user_mode() (context_tracking:user_enter with NO_HZ_FULL)",
    "hook_entry": f"{_NO_POINT}the beginning of an arch_*_lazy_mmu_mode()",
    "hook_exit": f"{_NO_POINT}the end of an arch_*_lazy_mmu_mode()",
    "switch_hook_entry": f"{_NO_POINT}arch_start_context_switch() begins",
    "switch_hook_exit": f"{_NO_POINT}arch_end_context_switch() ends",
    "percpu_touch": f"{_NO_POINT}an access of the batch",
    "batch_key_check": f"{_NO_POINT}the batch's mm is compared",
    "batch_key_replace": f"{_NO_POINT}the batch's mm is overwritten",
    "batch_add": f"{_NO_POINT}an entry is added to the batch",
}
"""Where a monitor gets each symbol from: tracepoints of include/trace/events/ as of v7.3, in which
no name contains "lazy_mmu"."""


def source(symbol: str) -> str:
    """The tracepoint that shows `symbol`, or "no tracepoint; " and what would need one."""
    return _SOURCES.get(symbol, _SEEN)


def missing(automaton: Automaton) -> tuple[str, ...]:
    """The symbols that no tracepoint of the kernel shows."""
    return tuple(symbol for symbol in automaton.symbols if source(symbol).startswith(_NO_POINT))


def needs(rule: Rule, automaton: Automaton) -> list[str]:
    """What a monitor needs besides the graph, in a few sentences."""
    lacking = missing(automaton)
    monitor = MONITOR_TYPES.get(rule.key)
    model = rule.name.replace("-", "_")
    said = [
        f"rvgen monitor -c da -s {model}.dot -t {monitor or 'per_obj'} writes a skeleton; "
        f"its handlers are to be attached to the {len(automaton.symbols)} events by hand"
    ]
    if monitor is None:
        said.append(
            f"one automaton follows one {rule.key}: per_obj needs v7.1 or later, and an object to "
            "tell them by"
        )
    if lacking:
        said.append(
            "the kernel has no tracepoint for "
            + ", ".join(lacking)
            + ": a patch that adds them is needed (functions that are inline in a header: "
            "linux/tracepoint-defs.h, as linux/page_ref.h does)"
        )
    if "untold" in automaton.states:
        said.append(
            f"what nests deeper than {automaton.unroll} is not told apart: there the monitor is "
            "silent until the task ends"
        )
    if len(automaton.states) > _RECURSES:
        said.append(
            f"with {len(automaton.states)} states it is more than the rvgen of v7.3 reads, which "
            "recurses for each: raise its sys.setrecursionlimit()"
        )
    return said


def dot(rule: Rule, automaton: Automaton) -> str:
    """The graph, with what a monitor needs in its comments; ends in a newline."""
    return "".join(f"{line}\n" for line in _lines(rule, automaton))


def _lines(rule: Rule, automaton: Automaton) -> Iterator[str]:
    initial = automaton.states[0]
    yield "digraph state_automaton {"
    for comment in _comments(rule, automaton):
        yield f'\tcomment = "{comment}";'
    yield "\tcenter = true;"
    yield '\tsize = "7,11";'
    yield f'\t{{node [shape = plaintext, style=invis, label=""] "__init_{initial}"}};'
    # A final state is where nothing is open; it means nothing to a monitor, and one is expected.
    for state in automaton.states:
        shape = "doublecircle" if state == initial else "circle"
        yield f'\t{{node [shape = {shape}] "{state}"}};'
    # The grammar of v7.3 recurses for each statement of a list, so the edges of a state, and those
    # of some states together, are groups.  The braces stand at the ends of lines, because the older
    # parsers go by the first words of a line and by a label before the last.
    yield f'\t"__init_{initial}" -> "{initial}";{{'
    for at, state in enumerate(automaton.states, 1):
        lines = _state(automaton, state)
        yield from lines[:-1]
        last = at == len(automaton.states)
        yield lines[-1] + ("}" if last else "}{" if at % _GROUP == 0 else "")
    yield "\t{ rank = min ;"
    yield f'\t\t"__init_{initial}";'
    yield f'\t\t"{initial}";'
    yield "\t}"
    yield "}"


_GROUP: Final = 16
_NEWLINE: Final = "\\n"
"""Backslash and n, as labels have it."""


def _state(automaton: Automaton, state: str) -> list[str]:
    colour = ", color = green3" if state == automaton.states[0] else ""
    label = f'\t"{state}" [label = "{state}"{colour}];'
    edges = [
        f'\t"{state}" -> "{target}" [ label = "{_NEWLINE.join(symbols)}" ];'
        for target, symbols in _bundles(automaton, state).items()
    ]
    if not edges:
        return [label]
    return [f"{label}{{", *edges[:-1], f"{edges[-1]}}}"]


def _bundles(automaton: Automaton, state: str) -> dict[str, list[str]]:
    """All symbols from one state to each other, in the order of the automaton's symbols."""
    found: dict[str, list[str]] = {}
    for symbol in automaton.symbols:
        target = automaton.edges.get((state, symbol))
        if target is not None:
            found.setdefault(target, []).append(symbol)
    return found


def _comments(rule: Rule, automaton: Automaton) -> Iterator[str]:
    """No quotes and no backslashes: the parsers disagree about them."""
    yield "SPDX-License-Identifier: GPL-2.0-or-later"
    text = [
        f"{rule.name}, in dialect {automaton.dialect}: {rule.sentence} "
        "A missing edge is a violation.",
        *needs(rule, automaton),
        *(f"{symbol}: {source(symbol)}" for symbol in automaton.symbols),
    ]
    for sentence in text:
        clean = sentence.replace('"', "").replace("\\", "")
        yield from textwrap.wrap(clean, _WIDTH, break_long_words=False, break_on_hyphens=False)
