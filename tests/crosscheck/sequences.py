# SPDX-License-Identifier: GPL-2.0-or-later
"""Sequences of words about the mode, as a trace of a kernel shows them and as a machine can.

A word is (what, depth, interrupt): depth is the preempt count, less that of the sequence's first
word; interrupt is the letter of the flags column.  A task's sequence begins with its outermost
enter and ends with the leave of that:

    enter, leave, flush     the architecture's functions, called by anybody but a context switch
    empties                 sparc64's flush_tlb_pending(): a batch with something in it goes out
    out WHY, in             the task is switched out, and in again
    hook-leave, hook-enter  the context switch itself leaves the mode for the task, and enters it
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from lazymmu.contract.events import SwitchIn, SwitchOut
from lazymmu.ftrace.record import fields_of
from lazymmu.machine import EntrySpec, IrqSpec, LockSpec, Machine, MachineConfig, Op, TaskSpec
from lazymmu.machine.generic_api import PGTABLE_H
from lazymmu.witness.trace.observer import ObservedLine, TraceObserver

Word = tuple[str, int, str]
Sequence = tuple[Word, ...]

_CALLS = {
    "arch_enter_lazy_mmu_mode": "enter",
    "arch_leave_lazy_mmu_mode": "leave",
    "arch_flush_lazy_mmu_mode": "flush",
}
_API = {
    "enter": "lazy_mmu_mode_enable",
    "leave": "lazy_mmu_mode_disable",
    "flush": "arch_flush_lazy_mmu_mode",
}
_GOES = {"out blocked": "schedule", "out yielded": "cond_resched"}


# ---- what a kernel showed ------------------------------------------------------------------------


@dataclass
class Collector(TraceObserver):
    """Takes each task's sequences from a trace, as `check_trace()` goes through it."""

    found: Counter[tuple[int, Sequence]] = field(default_factory=Counter)
    needles: tuple[bytes, ...] = (b"flush_tlb_pending <-",)
    _open: dict[tuple[int, int], list[tuple[str, int, str]]] = field(default_factory=dict)
    _over: set[tuple[int, int]] = field(default_factory=set)
    _switch: dict[int, tuple[tuple[int, int], tuple[int, int]]] = field(default_factory=dict)

    def add(self, line: ObservedLine) -> None:
        """One line."""
        what, cpu = line.what, line.cpu
        key = _task(int(line.columns.pid), cpu)
        flags = (line.columns.flags or b"").decode()
        if line.text.startswith(b"sched_switch:"):
            fields = fields_of("sched_switch", line.text.partition(b":")[2])
            gone, comes = (_task(int(fields[name]), cpu) for name in ("prev_pid", "next_pid"))
            self._switch[cpu] = gone, comes
            self._say(gone, f"out {_why(fields['prev_state'])}", 0, "")
            self._say(comes, "in", 0, "")
        elif what in ("hook-leave", "hook-enter"):
            if cpu in self._switch:
                self._say(self._switch[cpu][what == "hook-enter"], what, 0, "")
        elif what in _API:
            if key in self._over:
                self._end(key)
            if what == "enter" and line.depth == 0:
                self._open[key] = []
            self._say(key, what, _depth(flags), _irq(flags))
            if what == "leave" and line.depth <= 1 and key in self._open:
                self._over.add(key)
        elif line.name == "flush_tlb_pending" and line.caller != "tlb_flush_mmu":
            self._say(key, "empties", _depth(flags), _irq(flags))

    def total(self) -> Counter[tuple[int, Sequence]]:
        """(preempt count at the beginning, sequence) and how often it was seen."""
        for key in list(self._over):
            self._end(key)
        return self.found

    def _say(self, key: tuple[int, int], what: str, depth: int, irq: str) -> None:
        if key in self._open:
            if key in self._over and what != "empties":
                self._end(key)
            else:
                self._open[key].append((what, depth, irq))

    def _end(self, key: tuple[int, int]) -> None:
        words = self._open.pop(key)
        self._over.discard(key)
        first = words[0][1]
        sequence = tuple(
            (what, depth - first if what in _API or what == "empties" else 0, irq)
            for what, depth, irq in words
        )
        self.found[first, sequence] += 1


def _task(pid: int, cpu: int) -> tuple[int, int]:
    return (pid, -1) if pid else (0, cpu)


def _why(state: str) -> str:
    if state.endswith("+"):
        return "preempted"
    return "yielded" if state == "R" else "exit" if state[:1] in "XZx" else "blocked"


def _depth(flags: str) -> int:
    return 0 if flags[3:4] in ("", ".") else int(flags[3], 16)


def _irq(flags: str) -> str:
    return flags[2:3].replace(".", "")


# ---- what a machine can show ---------------------------------------------------------------------


def possible(arch: str, release: str, base: int, sequence: Sequence) -> bool:
    """Whether some small program on a machine shows exactly this.

    The program has the sequence's sections and sleeps, an update wherever something must have been
    in a batch, `base` locks around it all, and locks in between where the depth changes: of each
    such change both are tried, that a lock makes it and that the mode does.
    """
    return any(
        _shows(machine, sequence) for machine in _machines(arch, release, min(base, 2), sequence)
    )


def _machines(arch: str, release: str, base: int, sequence: Sequence) -> Iterator[Machine]:
    changes = [
        place
        for place in range(1, len(sequence))
        if sequence[place][0] in _API and sequence[place][1] != _before(sequence, place)
    ]
    for chosen in itertools.product((False, True), repeat=min(len(changes), 4)):
        locked = dict(zip(changes, chosen, strict=False))
        yield _machine(arch, release, base, sequence, locked)


def _before(sequence: Sequence, place: int) -> int:
    return next(depth for what, depth, _ in reversed(sequence[:place]) if what in _API)


def _machine(
    arch: str, release: str, base: int, sequence: Sequence, locked: dict[int, bool]
) -> Machine:
    task: list[Op] = []
    handler: list[Op] = []
    entries: list[EntrySpec] = []
    held: list[str] = []
    locks: list[LockSpec] = []

    def take() -> Op:
        locks.append(LockSpec(f"L{len(locks)}"))
        held.append(locks[-1].name)
        return Op("spin_lock", (held[-1],))

    def update(ops: list[Op], at: int, mm: str) -> None:
        entries.append(EntrySpec(f"p{len(entries)}", value="A", mm=mm))
        ops.insert(at, Op("ptep_get_and_clear", (entries[-1].name,)))

    task += [take() for _ in range(base)]
    for place, (what, depth, irq) in enumerate(sequence):
        ops = handler if irq else task
        if locked.get(place):
            if depth > _before(sequence, place):
                ops.append(take())
            elif held:
                ops.append(Op("spin_unlock", (held.pop(),)))
        if what == "empties" and any(one[0] == "leave" for one in sequence[place:]):
            # A batch goes out in a section when an entry of another mm comes (or the 193rd).
            if not entries:
                update(ops, len(ops), "mm")
            update(ops, len(ops), "mm2" if entries[-1].mm == "mm" else "mm")
        elif what == "empties":
            update(ops, len(ops) - 1, entries[-1].mm if entries else "mm")
        elif what in _API:
            ops.append(Op(_API[what]))
        elif what in _GOES:
            ops.append(Op(_GOES[what]))
    soft = any(irq == "s" for _, _, irq in sequence)
    handlers = (IrqSpec("I", tuple(handler), "soft" if soft else "hard"),) if handler else ()
    return Machine(
        MachineConfig(
            arch=arch,
            release=release,
            entries=tuple(entries) or (EntrySpec("p0", value="A"),),
            locks=tuple(locks),
            tasks=(TaskSpec("T0", tuple(task), cpu=0),),
            interrupts=handlers,
            merge_steps=False,
        )
    )


def _shows(machine: Machine, sequence: Sequence) -> bool:
    """Whether a run of the machine shows the sequence, and nothing else on its way."""
    begin = (machine.initial, 0, None)
    seen = {begin}
    todo = [begin]
    while todo:
        state, told, first = todo.pop()
        for words, after in _moves(machine, state):
            base = first
            position = told
            for what, depth, irq in words:
                if base is None:
                    base = depth
                word = (what, depth - base if what in _API or what == "empties" else 0, irq)
                if position == len(sequence) or word != sequence[position]:
                    break
                position += 1
            else:
                if position == len(sequence):
                    return True
                node = (after, position, base)
                if node not in seen:
                    seen.add(node)
                    todo.append(node)
    return False


def _moves(machine: Machine, state: tuple[object, ...]) -> Iterator[tuple[list[Word], tuple]]:
    """What can happen next, with a context switch as one thing."""
    for number, action in enumerate(machine.actions):
        view = list(state)
        words = _words_of_step(machine, view) if action.kind == "run" else []
        before = machine.here(view, 0)
        was, batch, who = machine.arch.mode_on(before) == "yes", _batch(before), before.task
        events = machine.step(view, number)
        if events is None:
            continue
        if action.kind == "switch":
            words = list(_switched(machine, view, events, goes=who == 0, was=was))
        elif batch and not _batch(machine.here(view, 0)):
            words.append(("empties", _inside(machine, state), ""))
        if not machine.here(view, 0).system.panicked:
            yield words, tuple(view)


def _batch(here: object) -> bool:
    return bool(getattr(here.this_cpu, "batch", ())) if "batch" in _variables(here) else False


def _inside(machine: Machine, state: tuple[object, ...]) -> int:
    """The preempt count where a batch goes out."""
    current = machine.here(list(state), 0).current
    # tlb_batch_add_one() holds get_cpu_var() meanwhile, all in one step of the machine.
    adds = machine.continuations.step(current.stack).__name__ == "_look"
    return current.preempt_count + adds


def _variables(here: object) -> Iterable[str]:
    return here._layout.bases["cpu"]


def _words_of_step(machine: Machine, view: list[object]) -> list[Word]:
    """The function that this step is the beginning of."""
    here = machine.here(view, 0)
    stack = here.this_cpu.thread or here.current.stack
    if not stack or stack[-1].sent:
        return []
    # Up to v6.19 the generic API has the hook's name, and is not what a tracer sees.
    hooks = [frame.call for frame in stack if frame.call.source != PGTABLE_H]
    what = _CALLS.get(hooks[-1].name) if hooks and hooks[-1] is stack[-1].call else None
    inner = len(hooks) > 1 and hooks[-2].name in _CALLS
    if what is None or inner:
        return []
    irq = {"": "", "hard": "h", "soft": "s"}[here.this_cpu.irq]
    return [(what, here.current.preempt_count, irq)]


def _switched(
    machine: Machine, view: list[object], events: tuple[object, ...], *, goes: bool, was: bool
) -> Iterator[Word]:
    """Let a context switch, the first step of which gave `events`, come to its end."""
    seen = list(events)
    run = next(number for number, one in enumerate(machine.actions) if one.kind == "run")
    while machine.here(view, 0).this_cpu.thread:
        more = machine.step(view, run)
        if more is None or machine.here(view, 0).system.panicked:
            return
        seen += more
    here = machine.here(view, 0)
    kept = type(machine.arch).__name__.startswith("Xen")  # its hooks are the mode's own functions
    if goes:
        yield f"out {next(one.why for one in seen if isinstance(one, SwitchOut))}", 0, ""
        if was and kept:
            yield "hook-leave", 0, ""
    elif any(isinstance(one, SwitchIn) for one in seen):
        yield "in", 0, ""
        if kept and machine.arch.mode_on(here) == "yes":
            yield "hook-enter", 0, ""


def reached_by(machine: Machine) -> Iterator[tuple[tuple[object, ...], tuple[object, ...]]]:
    """Every step of a machine: the state it begins in, and what happens."""
    seen = {machine.initial}
    todo = [machine.initial]
    while todo:
        state = todo.pop()
        for number in range(len(machine.actions)):
            view = list(state)
            events = machine.step(view, number)
            if events is None:
                continue
            yield state, events
            if tuple(view) not in seen:
                seen.add(tuple(view))
                todo.append(tuple(view))
