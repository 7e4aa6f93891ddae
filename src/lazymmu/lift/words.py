# SPDX-License-Identifier: GPL-2.0-or-later
"""Words of the kernel at which lifting ends: what they do to the machine, each with its source.

`words/common.toml` is the generic kernel's, `words/ARCH.toml` an architecture's; `core_mm.toml` and
`core_ARCH.toml` are for core-mm code and the accessors below it. What pins a task
and what a CPU's variables are accessed by stands in the contract's vocabulary already.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

from lazymmu.contract import vocabulary
from lazymmu.contract.vocabulary.read import calls, parse

if TYPE_CHECKING:
    from lazymmu.contract.vocabulary.words import PerCpuCall
    from lazymmu.machine.context import StepContext

__all__ = ["SHARED", "Does", "LiftWord", "core_words", "shares", "words"]

Does = Literal[
    "nothing",
    "number",
    "power",
    "value",
    "handle",
    "current",
    "in-interrupt",
    "preemptible",
    "config",
    "bug-if",
    "bug",
    "warn-if",
    "flag-set",
    "flag-clear",
    "flag-test",
    "flag-test-clear",
    "flag-test-set",
    "pin",
    "unpin",
    "irq-save",
    "irq-restore",
    "percpu-address",
    "percpu-read",
    "percpu-write",
    "percpu-add",
    "percpu-exchange",
    "percpu-other",
    "queue-store",
    "queue-issue",
    "store-now",
    "address-space",
    "kernel-address",
    "segment-address",
    "invalidate-page",
    "invalidate-items",
    "invalidate-mine",
    "flags-read",
    "bit",
    "static-key",
    "barrier-store",
    "barrier-instruction",
    "switch-stack",
    "map",
    "map-lock",
    "table-entry",
    "table-lock",
    "unmap-lock",
    "take",
    "drop",
    "read",
    "accessor",
    "mode",
    "test",
    "mark",
    "become",
    "same",
    "aligned",
    "given",
    "unknown",
    "asked",
    "callback",
    "flush-range",
    "flush-pending",
    "free-page",
    "sleep",
    "resched",
    "large",
    "pages",
    "split",
    "stands",
    "zeroed",
    "can-have",
    "try-lock",
    "above-lock",
    "take-above",
    "read-above",
    "clear-above",
    "note",
    "gather",
    "gather-table",
    "gather-flush",
    "gather-free",
]
"""What a word does: see `lift.primitives`, and from "map" on `lift.core_actions`."""

ENDS: Final[frozenset[Does]] = frozenset(
    {
        "queue-store",
        "queue-issue",
        "store-now",
        "invalidate-page",
        "invalidate-items",
        "invalidate-mine",
        "barrier-store",
        "barrier-instruction",
    }
)
"""What goes to hardware or to a hypervisor."""

SHARED: Final[frozenset[Does]] = ENDS | {
    "flag-set",
    "flag-clear",
    "flag-test",
    "flag-test-clear",
    "flag-test-set",
    "percpu-read",
    "percpu-write",
    "percpu-add",
    "percpu-exchange",
    "flags-read",
}
"""What others may see, or change before."""


@dataclass(frozen=True, slots=True)
class LiftWord:
    """What a call does.

    :param arg: the argument that it is about.
    :param number: of "number" its value, of "percpu-add" what is added, of "invalidate-items" the
        argument that says how many, of "segment-address" the one that is the segment, of
        "flush-range" how many pages, 0 for those up to the end.
    :param kind: of pins.
    :param task: arguments of flags, -1 for the current task's.
    :param flag: likewise.
    :param pins: preemption is off from here on.
    :param after: gives the new value.
    :param unless: what must not hold, or it is a BUG.
    :param entry: members of the structure that argument `arg` points to.
    :param value: likewise.
    :param mm: the argument that says whose translations are invalidated, -1 where nobody asks.
    :param config: what a kernel must have to warn.
    :param out: the argument that points to where a lock is left, -1 for none.
    :param above: the argument that points to where the entry above is left, -1 for none.
    :param given: the argument that is the new value of an entry, -1 for none.
    :param many: the argument that says how many entries, -1 for one.
    :param clears: arguments that point to a local variable which is zero then, or to nothing.
    :param only: an argument and the number that it must be, nothing where it may be any.
    :param calls: the machine's name of what is called, or of what is asked.
    :param flags: of a value, what is added; behind a minus sign, what is taken away.
    :param abstracts: what is left out by it, for the list of what was abstracted, "" where it is
        all there.
    """

    does: Does
    source: str
    arg: int = 0
    number: int = 0
    kind: str = ""
    task: int = -1
    flag: int = 0
    pins: bool = False
    after: bool = False
    unless: str = ""
    entry: str = ""
    value: str = ""
    mm: int = -1
    config: str = ""
    out: int = -1
    above: int = -1
    given: int = -1
    many: int = -1
    clears: tuple[int, ...] = ()
    only: tuple[int, ...] = ()
    calls: str = ""
    flags: tuple[str, ...] = ()
    abstracts: str = ""


def shares(context: StepContext, word: LiftWord) -> bool:
    """Whether a word is about what others may see, or change before.

    So is which CPU this is, for a task that may move: what it was then goes by the address.
    """
    return word.does in SHARED or (word.does == "percpu-address" and context.preemptible)


@cache
def words(arch_dir: str) -> dict[str, LiftWord]:
    """Return the words of an architecture by name, by the directory that it has below arch/."""
    found = {**_pins(), **_per_cpu()}
    for name in ("common", arch_dir):
        file = Path(__file__).parent / "words" / f"{name}.toml"
        if file.is_file():
            found |= calls(name, parse(file), LiftWord)
    return found


@cache
def core_words(arch_dir: str) -> dict[str, LiftWord]:
    """Return the words of core-mm code as well: what it calls of the machine, and of the mode."""
    found = dict(words(arch_dir))
    for name in ("core_mm", f"core_{arch_dir}"):
        file = Path(__file__).parent / "words" / f"{name}.toml"
        if file.is_file():
            found |= calls(name, parse(file), LiftWord)
    for name, mode in vocabulary.load().mode.items():
        if mode.action in MODE and mode.whose is None:
            found[name] = LiftWord("mode", mode.source, calls=MODE[mode.action])
    return found


MODE: Final = {
    "enable": "lazy_mmu_mode_enable",
    "disable": "lazy_mmu_mode_disable",
    "pause": "lazy_mmu_mode_pause",
    "resume": "lazy_mmu_mode_resume",
    "flush": "arch_flush_lazy_mmu_mode",
}
"""The machine's name of what a call does to the mode."""


def _pins() -> dict[str, LiftWord]:
    found = {}
    for name, pin in vocabulary.load().pins.items():
        does: Does = "pin" if pin.action == "pin" else "unpin"
        found[name] = LiftWord(does, pin.source, kind=pin.kind)
    return found


def _per_cpu() -> dict[str, LiftWord]:
    """Return the words for this CPU's variables: what each does is in its name."""
    return {name: _access(name, word) for name, word in vocabulary.load().percpu.items()}


def _access(name: str, word: PerCpuCall) -> LiftWord:
    does: Does = "percpu-read"
    number = 0
    if word.access == "address":
        does = "percpu-address"
    elif word.access == "write":
        # `this_cpu_add_return`: what is done stands behind "this_cpu" and "raw_cpu".
        verb = name.strip("_").split("_")[2]
        does = _WRITES.get(verb, "percpu-exchange")
        number = {"inc": 1, "dec": -1, "sub": -1, "add": 1}.get(verb, 0)
    return LiftWord(
        does, word.source, number=number, pins=word.pins, after=name.endswith("_return")
    )


_WRITES: Final[dict[str, Does]] = {
    "write": "percpu-write",
    **dict.fromkeys(("add", "sub", "inc", "dec"), "percpu-add"),
}
