# SPDX-License-Identifier: GPL-2.0-or-later
"""The program of a scenario out of the events of a finding's path."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from lazymmu.contract.interrupts_off import INTERRUPTS, InterruptsOff

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lazymmu.witness.finding import Finding, PathEvent

__all__ = ["PathEntry", "PathProgram"]

_PINS: Final = {
    "preempt": "preempt_{}able",
    "migrate": "migrate_{}able",
    "irq": "local_irq_{}able",
    "irqsave": "local_irq_{}able",
    "bh": "local_bh_{}able",
}
_CLEARS: Final = ("clear", "xchg", "invalidate")
"""In names of accessors that leave nothing."""
_AS_IT_IS: Final = (
    "ptep_get_and_clear",
    "ptep_modify_prot_start",
    "ptep_set_wrprotect",
    "pmd_clear",
    "pmdp_huge_get_and_clear",
    "pte_clear",
)
"""Accessors that a machine has, and that take an entry alone."""
_NAMES: Final = ("p", "q", "r", "s")
_KEPT_OPEN: Final = "unbalanced-section"
_KEPT_PAUSED: Final = "unbalanced-pause"


@dataclass(slots=True)
class PathEntry:
    """A page-table entry of the scenario; value: as the program has it, held: before it was none.

    :param lock: the one that covers it, "" for none.
    """

    name: str
    level: str
    space: str
    lock: str
    initial: str
    value: str = "none"
    held: str = "A"


@dataclass(slots=True)
class PathProgram:
    """A program, its entries and its locks.

    :param entries: by their spelling on the path.
    :param locks: the scenario's name for those on it.
    :param held: those that are taken, in order.
    :param others: locks that cover no table.
    :param lines: operations, each with what it stands for.
    :param changed: the entry that was changed last.
    :param dropped: the lock that was let go last.
    """

    rule: str
    entries: dict[str, PathEntry] = field(default_factory=dict)
    locks: dict[str, str] = field(default_factory=dict)
    held: list[str] = field(default_factory=list)
    others: list[str] = field(default_factory=list)
    lines: list[tuple[str, str]] = field(default_factory=list)
    classes: dict[str, str] = field(default_factory=dict)
    changed: str = ""
    dropped: str = ""
    depth: int = 0
    paused: int = 0
    irqs: InterruptsOff = field(default_factory=InterruptsOff)
    pages: int = 0

    @classmethod
    def of(cls, finding: Finding) -> PathProgram:
        """Return the program of a finding's path."""
        made = cls(finding.rule)
        *way, culprit = finding.events
        # What may sleep or not on the way to another mistake does not, and a page is freed once.
        freed = {event: at for at, event in reversed([*enumerate(way)]) if event.event == "Free"}
        played = [
            event
            for at, event in enumerate(way)
            if event.event != "MaySleep" and freed.get(event, at) == at
        ]
        for event in (*played, culprit):
            before = len(made.lines)
            made.play(event)
            where = f"{event.file}:{event.line}"
            if event.operation:
                where += f" {event.operation}" + ("" if ")" in event.operation else "()")
            made.lines[before:] = [(line, where) for line, _ in made.lines[before:]]
        made.cover()
        made.close()
        return made

    @property
    def last(self) -> PathEntry:
        """Return the entry that was changed last."""
        return self.entries[self.changed or next(iter(self.entries))]

    @property
    def let_go(self) -> PathEntry:
        """Return the entry that was changed last of those that the last dropped lock covers."""
        last = self.last
        covered = [one for one in self.entries.values() if one.lock == self.dropped]
        return last if last in covered or not covered else covered[-1]

    def text(self) -> Iterator[str]:
        """Yield the operations, each with its place in the tree."""
        wide = max(len(line) for line, _ in self.lines)
        for line, where in self.lines:
            yield f"    {line:{wide}}    # {where}" if where else f"    {line}"

    # ---- events ----------------------------------------------------------------------------------

    def play(self, event: PathEvent) -> None:
        """Add what an event comes to."""
        match event.event:
            case "Enable" | "Disable":
                self.depth = max(self.depth + (1 if event.event == "Enable" else -1), 0)
                self.say(f"lazy_mmu_mode_{event.event.lower()}")
            case "Pause" | "Resume":
                self.paused = max(self.paused + (1 if event.event == "Pause" else -1), 0)
                self.say(f"lazy_mmu_mode_{event.event.lower()}")
            case "Flush":
                self.say("arch_flush_lazy_mmu_mode")
            case "Take":
                self.take(event)
            case "Drop":
                self.drop(event)
            case "Pin" | "Unpin":
                self.pin(event)
            case "Write":
                self.write(event)
            case "Read":
                self.say(f"ptep_get {self.meant(event).name}")
            case "TlbFlush":
                names = [entry.name for entry in self.entries.values()] or [self.meant(event).name]
                self.say(f"flush_tlb_range {' '.join(names)}")
            case "Free":
                self.say(f"free_page {self.meant(event).held}")
            case "MaySleep":
                self.say("schedule")
            case "UserReturn":
                self.say("exit_to_user_mode")
            case _:
                pass  # a return: what is open stays open

    def say(self, line: str) -> None:
        """Add an operation."""
        self.lines.append((line, ""))

    def pin(self, event: PathEvent) -> None:
        """Pin, or let go; of interrupts what puts them off, or lets them in, and no more."""
        pins = event.event == "Pin"
        if event.about in INTERRUPTS:
            before, self.irqs = self.irqs, self.irqs.after(event.about, pins=pins)
            if before.off == self.irqs.off:
                return
        self.say(_PINS[event.about].format("dis" if pins else "en"))

    def take(self, event: PathEvent) -> None:
        """Take a lock, unless the path has it under this name already."""
        name = self.locks.get(event.about)
        if name is None:
            name = self.new_lock(event)
        if name not in self.held:
            self.held.append(name)
            self.say(f"spin_lock {name}")

    def drop(self, event: PathEvent) -> None:
        """Drop a lock: under another name than it was taken by, the last one of its class."""
        name = self.locks.get(event.about)
        if name not in self.held:
            alike = [one for one in self.held if self.classes[one] == event.what]
            name = alike[-1] if alike else None
        if name is None:
            # The caller has taken it.
            name = self.new_lock(event)
            self.lines.insert(0, (f"spin_lock {name}", "by the caller"))
            for entry in self.entries.values():
                entry.lock = entry.lock or name
        else:
            self.held.remove(name)
        self.dropped = name
        self.say(f"spin_unlock {name}")

    def new_lock(self, event: PathEvent) -> str:
        """Return a name for a lock that has none yet."""
        letter = {"ptl": "L", "pmd": "M", "mm": "K", "kernel-pt": "K"}.get(event.what, "O")
        same = sum(name[0] == letter for name in self.classes)
        name = f"{letter}{same + 1 if same else ''}"
        self.locks[event.about] = name
        self.classes[name] = event.what
        return name

    # ---- entries ---------------------------------------------------------------------------------

    def meant(self, event: PathEvent) -> PathEntry:
        """Return the entry of an event; where no write names it so, that of the last write."""
        if event.about in self.entries:
            return self.entries[event.about]
        if self.entries:
            return self.last
        return self.entry(event.about, event.what, event.space, self.page())

    def entry(self, about: str, level: str, space: str, initial: str) -> PathEntry:
        """Return a new entry, under the lock that is held."""
        covers = [one for one in self.held if self.classes[one] != "other"]
        lock = covers[-1] if covers else ""
        kernel = space == "kernel" or (space != "user" and self.classes.get(lock) != "ptl")
        number = len(self.entries)
        name = _NAMES[number] if number < len(_NAMES) else f"p{number}"
        made = PathEntry(
            name,
            level if level in ("pte", "pmd") else "pmd" if level else "pte",
            "kernel" if kernel and not (lock and self.classes[lock] == "pmd") else "user",
            lock,
            initial,
            value=initial,
            held="A" if initial == "none" else initial,
        )
        self.entries[about] = made
        return made

    def cover(self) -> None:
        """Give each lock of a table an entry, without which it is none; there is at least one."""
        covered = {entry.lock for entry in self.entries.values()}
        for name, cls in self.classes.items():
            if cls != "other" and name not in covered:
                entry = self.entry(f"of {name}", cls if cls == "pmd" else "pte", "", "none")
                entry.lock, entry.space = name, "kernel" if name[0] == "K" else "user"
        if not self.entries:
            self.entry("", "pte", "", "none")

    def page(self) -> str:
        """Return a page that no entry has had."""
        self.pages += 1
        return chr(ord("A") + (self.pages - 1) % 26)

    def write(self, event: PathEvent) -> None:
        """Change an entry, by the accessor or by one that a machine has and that does alike."""
        name = event.operation
        level = "pte" if event.what in ("", "pte") else "pmd"
        cleared = name in _AS_IT_IS or any(word in name for word in _CLEARS)
        alone = cleared or event.immediate
        entry = self.entries.get(event.about)
        if entry is None:
            old = self.page() if alone or name == "ptep_modify_prot_commit" else "none"
            entry = self.entry(event.about, event.what, event.space, old)
        self.changed = event.about
        if entry.value != "none":
            entry.held = entry.value.partition(":")[0]
        if name not in _AS_IT_IS and alone:
            name = _alike(level, immediate=event.immediate, cleared=cleared)
        if name in ("ptep_set_wrprotect", "ptep_modify_prot_start"):
            entry.value = f"{entry.held}:ro" if name == "ptep_set_wrprotect" else entry.value
        elif alone:
            entry.value = "none"
        elif name == "ptep_modify_prot_commit":
            entry.value = f"{entry.held}:wp"
        else:
            name = name if name in ("set_pte", "set_pte_at", "set_pmd", "set_pmd_at") else ""
            name = name or ("set_pte_at" if level == "pte" else "set_pmd_at")
            entry.value = self.page()
            self.say(f"{name} {entry.name} {entry.value}")
            return
        given = f" {entry.value}" if name == "ptep_modify_prot_commit" else ""
        self.say(f"{name} {entry.name}{given}")

    # ---- the end ---------------------------------------------------------------------------------

    def close(self) -> None:
        """End what is open and no mistake of the path: pauses, sections, locks."""
        if self.rule != _KEPT_PAUSED:
            self.lines += [("lazy_mmu_mode_resume", "")] * self.paused
        if self.rule not in (_KEPT_OPEN, _KEPT_PAUSED):
            self.lines += [("lazy_mmu_mode_disable", "")] * self.depth
        self.lines += [(f"spin_unlock {name}", "") for name in reversed(self.held)]
        self.held.clear()
        used = {entry.lock for entry in self.entries.values()}
        self.others = [name for name in self.classes if name not in used]


def _alike(level: str, *, immediate: bool, cleared: bool) -> str:
    """Return an operation of machines that does what an accessor which they lack does."""
    if level == "pmd":
        return "pmdp_huge_get_and_clear" if immediate else "pmd_clear"
    if not immediate:
        return "pte_clear"
    return "ptep_get_and_clear" if cleared else "ptep_set_wrprotect"
