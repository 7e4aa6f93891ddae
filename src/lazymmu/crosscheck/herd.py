# SPDX-License-Identifier: GPL-2.0-or-later
"""A counterexample on arm64 as its stores, barriers and uses, for who checks the memory model.

What the machine assumes of memory is much less than what the architecture allows and forbids
(docs: lift, "Weak memory"). So what a way does to translations is told apart from all else: who
stores which entry, who invalidates, which barriers stand between, and who uses a translation.
What else orders two CPUs (a lock, a switch) is told as one store-release that a load-acquire sees.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from lazymmu.contract.events import TlbFlush, Use, Write
from lazymmu.crosscheck.values import HerdTest

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from lazymmu.witness.machine.verdict import Counterexample, TraceStep, Verdict

__all__ = ["NotAboutBarriersError", "herd_test"]

ARCH: Final = "arm64"
NONE: Final = "none"

MOST: Final = 24
"""Instructions of one CPU: all orders of them are tried, and there are 31 registers."""

_EMPTY: Final = "{}"
_CPU_LATE: Final = re.compile(r"cpu(\d+)\.unpublished\Z")
_TASK_OWES: Final = re.compile(r"[^.]+\.owed\Z")


class NotAboutBarriersError(Exception):
    """A way in which nobody uses a translation that is no more; the reason."""


def herd_test(verdict: Verdict, broken: Counterexample, entries: Mapping[str, str]) -> HerdTest:
    """Return the test for one way.

    :param entries: what the scenario's entries map at first.
    :raises NotAboutBarriersError: with the reason.
    """
    if verdict.arch != ARCH:
        raise NotAboutBarriersError("herd7's model of page tables is arm64's")
    events = [event for step in broken.trace for event in step.events]
    if not any(isinstance(event, Use) and event.what == "stale" for event in events):
        raise NotAboutBarriersError("nobody uses a translation that is no more")
    about = f"{broken.rule} on {verdict.arch} {verdict.release}"
    test = _Writer(HerdTest(verdict.scenario, about), broken.trace, entries).test
    longest = max(map(len, test.programs.values()))
    if longest > MOST:
        raise NotAboutBarriersError(f"the way has {longest} instructions, and {MOST} are the most")
    return test


class _Writer:
    """Writes the instructions of a way, one step after the other."""

    def __init__(
        self, test: HerdTest, trace: Iterable[TraceStep], entries: Mapping[str, str]
    ) -> None:
        self.test = test
        for entry, value in entries.items():
            test.initial[f"pte_{_name(entry)}"] = _descriptor(value)
        self.registers: dict[int, dict[str, int]] = {}
        self.used: dict[int, int] = {}
        self.last = -1
        self.late: dict[str, str] = {}
        self.flags = 0
        for step in trace:
            self._step(step)

    def _step(self, step: TraceStep) -> None:
        emptied = self._emptied(step)
        for event in step.events:
            match event:
                case Write(entry=entry, level="pte"):
                    self._store(step, str(entry))
                case TlbFlush(entry=str(entry), how="now"):
                    self._invalidate(step.cpu, entry)
                case Use(entry=str(entry), what=what):
                    self._use(step.cpu, entry, stale=what == "stale")
                case _:
                    continue
        for barrier in emptied:
            self._says(step.cpu, barrier)

    def _emptied(self, step: TraceStep) -> list[str]:
        """The barriers of a step: those whose lack the machine has noted until then."""
        found: list[str] = []
        for change in step.state:
            before, self.late[change.name] = self.late.get(change.name, _EMPTY), change.value
            if before != _EMPTY and change.value == _EMPTY:
                if _CPU_LATE.match(change.name):
                    found.insert(0, "DSB ISHST")
                elif _TASK_OWES.match(change.name):
                    found.append("ISB")
        return found

    # ---- instructions ----------------------------------------------------------------------------

    def _says(self, cpu: int, *instructions: str) -> None:
        if self.last not in (-1, cpu):
            self._handed(self.last, cpu)
        self.last = cpu
        self.test.programs.setdefault(cpu, []).extend(instructions)

    def _handed(self, one: int, other: int) -> None:
        """What this CPU does comes after what the other has done, by whatever orders them."""
        self.flags += 1
        flag = f"then{self.flags}"
        value = self._temporary(one)
        place = self._register(one, flag)
        self.test.programs[one] += [f"MOV W{value},#1", f"STLR W{value},[X{place}]"]
        seen, place = self._temporary(other), self._register(other, flag)
        self.test.programs.setdefault(other, []).append(f"LDAR W{seen},[X{place}]")
        self.test.condition.append(f"{other}:X{seen}=1")

    def _store(self, step: TraceStep, entry: str) -> None:
        value = dict(step.stored)[entry]
        held = self._register(step.cpu, _descriptor(value))
        place = self._register(step.cpu, f"pte_{_name(entry)}")
        self._says(step.cpu, f"STR X{held},[X{place}]")

    def _invalidate(self, cpu: int, entry: str) -> None:
        page, address = self._temporary(cpu), self._register(cpu, _name(entry))
        self._says(
            cpu,
            "DSB ISHST",
            f"LSR X{page},X{address},#12",
            f"TLBI VAAE1IS,X{page}",
            "DSB ISH",
        )

    def _use(self, cpu: int, entry: str, *, stale: bool) -> None:
        got, address = self._temporary(cpu), self._register(cpu, _name(entry))
        label = f"L{sum(':LDR' in one for one in self.test.programs.get(cpu, ()))}"
        self._says(cpu, f"{label}:LDR W{got},[X{address}]")
        if not stale:
            return
        name = _name(entry)
        before = self.test.initial.get(f"pte_{name}", "")
        if "oa:" not in before:
            self.test.condition.append(f"fault(P{cpu}:{label},{name})")
        else:
            self.test.condition.append(f"~fault(P{cpu}:{label},{name})")

    # ---- registers -------------------------------------------------------------------------------

    def _register(self, cpu: int, what: str) -> int:
        """The register of a CPU that holds an address or a descriptor from the beginning on."""
        mine = self.registers.setdefault(cpu, {})
        if what not in mine:
            mine[what] = self._temporary(cpu)
            self.test.initial[f"{cpu}:X{mine[what]}"] = what
        return mine[what]

    def _temporary(self, cpu: int) -> int:
        number = self.used.get(cpu, 0)
        self.used[cpu] = number + 1
        return number


def _name(entry: str) -> str:
    return re.sub(r"\W", "_", entry).lower()


def _descriptor(value: str) -> str:
    """A value of an entry as herd7 has it; what is not present is invalid."""
    page, *flags = value.split(":")
    if value == NONE or not page[:1].isupper():
        return "(valid:0)"
    bits = ["db:0"] if "ro" in flags else []
    bits += ["af:0"] if "old" in flags else []
    return f"({','.join([f'oa:phy_page_{_name(page)}', *bits])})"
