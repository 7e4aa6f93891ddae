# SPDX-License-Identifier: GPL-2.0-or-later
"""What tests of core-mm code share: the order of what happens, and small searches."""

from __future__ import annotations

import itertools
from types import SimpleNamespace

from lazymmu.explore import search
from lazymmu.machine import EntrySpec, LockSpec, MachineConfig, Op, Preempt, TaskSpec
from lazymmu.machine.workbench import Workbench
from lazymmu.witness.machine.product_model import ProductModel, Query

CLASSES = {("pte", "user"): "ptl", ("pmd", "user"): "pmd"}


def entry(text):
    """`p = A`, `d pmd = T`, `p in d lock L = A`, `k kernel lock K`: an entry."""
    left, _, value = (part.strip() for part in text.partition("="))
    name, *words = left.split()
    named = dict(itertools.pairwise(words))
    return EntrySpec(
        name,
        level=next((word for word in words if word in ("pmd", "pgd")), "pte"),
        space="kernel" if "kernel" in words else "user",
        value=value or None,
        parent=named.get("in", ""),
        locks=(named["lock"],) if "lock" in named else (),
    )


def locks_of(entries):
    """Each entry's lock once, of the class that its first entry says."""
    found = {}
    for spec in entries:
        for lock in spec.locks:
            found.setdefault(lock, CLASSES.get((spec.level, spec.space), "kernel-pt"))
    return tuple(LockSpec(name, cls) for name, cls in found.items())


def parsed(text):
    """A program, one operation a line, the body of a callback indented."""
    lines = [line for line in text.split("\n") if line.strip()]
    return _block(lines, 0)[0]


def _block(lines, indent):
    ops = []
    while lines:
        line = lines[0]
        here = len(line) - len(line.lstrip())
        if here < indent:
            break
        name, *args = line.strip().rstrip(":").split()
        lines = lines[1:]
        body = ()
        if lines and len(lines[0]) - len(lines[0].lstrip()) > here:
            body, lines = _block(lines, here + 1)
        ops.append(Op(name, tuple(args), body))
    return tuple(ops), lines


def bench(arch, release, *entries, pages=("A", "B", "C")):
    """One CPU and one task, with the locks that the entries name."""
    specs = tuple(entry(text) for text in entries)
    return Workbench(
        arch, release, *specs, locks=tuple(lock.name for lock in locks_of(specs)), pages=pages
    )


WORDS = {
    "Enable": lambda event: "enable",
    "Disable": lambda event: "disable",
    "Pause": lambda event: "pause",
    "Resume": lambda event: "resume",
    "Take": lambda event: f"take {event.lock}",
    "Drop": lambda event: f"drop {event.lock}",
    "Write": lambda event: f"write {event.entry}",
    "Read": lambda event: f"read {event.entry}",
    "TlbFlush": lambda event: f"flush {event.entry}",
    "MaySleep": lambda event: f"sleep {event.why}",
    "Free": lambda event: f"free {event.entry}",
    "Bug": lambda event: "bug",
}


def order(events, *without):
    """What happened, in order, in short words; `without`: first words to leave out."""
    words = [
        WORDS[type(event).__name__](event) for event in events if type(event).__name__ in WORDS
    ]
    return [word for word in words if word.split()[0] not in without]


def did(arch, release, entries, program, *without):
    """The order of what one task does that runs alone."""
    machine = bench(arch, release, *entries, pages=())
    return order(machine.do(*parsed(program)), "read", *without)


def query(arch, release, entries, *programs, preempt=None, watch=(), **more):
    """The machine of some programs, each on a CPU of its own."""
    specs = tuple(entry(text) for text in entries)
    # v7.0 and later have no PREEMPT_NONE any more where they have PREEMPT_LAZY.
    model = preempt or ("lazy" if release.startswith("7") and arch != "sparc" else "none")
    return Query(
        MachineConfig(
            arch,
            release,
            entries=specs,
            locks=locks_of(specs),
            cpus=len(programs),
            preempt=Preempt(model),
            tasks=tuple(
                TaskSpec(f"T{number}", parsed(text), cpu=number)
                for number, text in enumerate(programs)
            ),
            **more,
        ),
        watch=watch,
    )


def searched(arch, release, entries, *programs, stop=(), bound=0, cached=True, **more):
    """Everything that the programs can do with `bound` preemptions: which rules are broken.

    `stop`: rules at whose first violation the search may end.  ends: values of all entries when
    all tasks have ended.
    """
    model = ProductModel(query(arch, release, entries, *programs, **more), cached=cached)
    bits = {label: 1 << bit for bit, label in enumerate(model.labels)}
    result = search(model, engine="python", bound=bound, stop=sum(bits[label] for label in stop))
    return SimpleNamespace(
        broken={label for label in result.discoveries if label in model.rules},
        states=result.states,
        transitions=result.transitions,
        shown=result.discoveries,
    )
