# SPDX-License-Identifier: GPL-2.0-or-later
"""What a litmus file says, as values.

Everything knows its `line` and `column` in the file, from 1 (0: made by a program); they take no
part in comparisons, so that a scenario equals its rendered and re-read self.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal, TypeAlias

Preempt: TypeAlias = Literal["none", "voluntary", "full", "lazy"]
Kind: TypeAlias = Literal["hard", "soft"]
Size: TypeAlias = Literal["small", "large"]
Which: TypeAlias = Literal["both", "stored", "effective"]

PREEMPT: tuple[Preempt, ...] = ("none", "voluntary", "full", "lazy")
"""Preemption models, as the kernel's Kconfig names them (kernel/Kconfig.preempt)."""

LEVELS = ("pte", "pmd", "pud", "p4d", "pgd")
"""Levels of page tables, lowest first."""

FLAGS = ("ro", "old", "clean", "wp", "exclusive")
"""What a value may say against the default: not writable, not young, not dirty, uffd-wp; and
device-exclusive, which is not present (include/linux/swapops.h)."""

BARE = ("none", "swap", "swap-exclusive", "marker", "migration", "migration-writable")
"""Values that map nothing and lead to no table."""

CONTEXT = {
    "depth": "how many sections the task is in (0, 1, 2, 3 and more)",
    "section": "yes: in a section that is not paused; no: not",
    "paused": "yes: between pause and resume; no: not",
    "pending": "an entry with a change pending, yes for any, no for none",
    "held": "a lock that the task holds, yes for any, no for none",
    "interrupt": "yes: in hard or soft interrupt context; no: not",
}
"""What a pattern may ask of the task when the event happens, beside the event's own fields."""


class ExpectedOutcome(StrEnum):
    """What a scenario may expect of an implementation."""

    HOLDS = "holds"
    VIOLATED = "violated"
    NEVER_OCCURS = "never-occurs"
    NOT_APPLICABLE = "not-applicable"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Placed:
    """Where in the file it stands, from 1; 0 is nowhere."""

    line: int = field(default=0, compare=False)
    column: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class EntryValue(_Placed):
    """A page-table entry's value.

    :param base: one of `BARE`, or the name of the page that it maps or of the page-table page that
        it leads to, which begins with a capital.
    :param flags: of `FLAGS`, what differs from the default.
    """

    base: str
    flags: tuple[str, ...] = ()

    @property
    def page(self) -> str:
        """The page that it maps or leads to, "" for none."""
        return self.base if self.base[:1].isupper() else ""

    def __str__(self) -> str:
        return ":".join((self.base, *self.flags))


@dataclass(frozen=True, slots=True)
class MachineDeclaration(_Placed):
    """The machine that a scenario needs.

    :param cpus: 1 to 3.
    :param preempt: the preemption model.
    :param rt: CONFIG_PREEMPT_RT.
    :param bound: involuntary preemptions at most, None for any number.
    :param size: `large` over 100,000 states, else `small`.
    """

    cpus: int = 1
    preempt: Preempt = "full"
    rt: bool = False
    bound: int | None = None
    size: Size = "small"


@dataclass(frozen=True, slots=True)
class EntryDeclaration(_Placed):
    """A page-table entry.

    :param level: `pte`, `pmd` ...
    :param space: `user` or `kernel`.
    :param mm: whose, "" is the only one (and for kernel entries init_mm).
    :param locks: page-table locks that cover it, all of them.
    :param value: at first.
    :param parent: the entry of a higher level that leads to its table, "" when that table stays.
    """

    name: str
    level: str
    space: str
    value: EntryValue
    locks: tuple[str, ...] = ()
    mm: str = ""
    parent: str = ""


@dataclass(frozen=True, slots=True)
class OperationLine(_Placed):
    """One line of a program: an operation's kernel name and its arguments, as written.

    Of `if`, args are the condition: perhaps `not`, the kernel's predicate, its entry.

    :param body: the indented lines below it: what a callback does, or what `if` decides about.
    """

    name: str
    args: tuple[str, ...] = ()
    body: tuple[OperationLine, ...] = ()


@dataclass(frozen=True, slots=True)
class TaskDeclaration(_Placed):
    """A task.

    :param cpu: where it starts, None for anywhere.
    :param bound: it never leaves that CPU.
    :param forked: it starts when another task forks it.
    :param mm: whose user mappings it has, "" is the only one.
    """

    name: str
    operations: tuple[OperationLine, ...]
    cpu: int | None = None
    bound: bool = False
    forked: bool = False
    mm: str = ""


@dataclass(frozen=True, slots=True)
class IrqDeclaration(_Placed):
    """An interrupt: hard or soft, on one CPU or (None) any, at most so many times, doing this."""

    name: str
    operations: tuple[OperationLine, ...]
    kind: Kind = "hard"
    cpu: int | None = None
    times: int = 1


@dataclass(frozen=True, slots=True)
class Pattern(_Placed):
    """Something that must occur.

    :param event: a name of `contract.events.EVENTS`.
    :param fields: (name, value) pairs of the event's own fields, of `task` and `cpu`, or of
        `CONTEXT`; all must fit.
    """

    event: str
    fields: tuple[tuple[str, str], ...] = ()

    def __str__(self) -> str:
        task = "".join(f"{value}: " for name, value in self.fields if name == "task")
        rest = "".join(f" {name}={value}" for name, value in self.fields if name != "task")
        return f"{task}{self.event}{rest}"


@dataclass(frozen=True, slots=True)
class FinalClause(_Placed):
    """What an entry must be when all tasks are done: one of `values`, stored, effective or both."""

    entry: str
    values: tuple[EntryValue, ...]
    which: Which = "both"

    def __str__(self) -> str:
        which = "" if self.which == "both" else f"{self.which} "
        return f"{which}{self.entry} = {' or '.join(map(str, self.values))}"


@dataclass(frozen=True, slots=True)
class Invariant(_Placed):
    """What must hold all along: a variable, or how often something slow was done, and a comparison.

    :param compare: "=", "!=", "<", "<=", ">" or ">=".
    :param values: with "=" and "!=" any of them.
    """

    name: str
    compare: str
    values: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.name} {self.compare} {' or '.join(self.values)}"


@dataclass(frozen=True, slots=True)
class ExpectationTarget(_Placed):
    """Implementations that an expectation is about.

    :param names: the architecture's, the feature's (a row of the deferral table), both, or () for
        any.
    :param since: the releases from and up to and with which it holds, "" is open; 6.14 as an end
        includes 6.14.3.
    :param until: likewise.
    """

    names: tuple[str, ...] = ()
    since: str = ""
    until: str = ""

    def fits(self, arch: str, feature: str, release: str) -> bool:
        """Whether a run on `arch`, whose implementation is `feature` at `release`, is meant."""
        return (
            all(name in (arch, feature) for name in self.names)
            and (not self.since or numbers(release) >= numbers(self.since))
            and (not self.until or within(release, self.until))
        )

    def __str__(self) -> str:
        releases = self.since if self.since == self.until else f"{self.since}..{self.until}"
        return " ".join((*(self.names or ("*",)), *filter(None, [releases])))


@dataclass(frozen=True, slots=True)
class Breach(_Placed):
    """A rule that must be found broken; the counts of the shortest way, None if they may vary."""

    rule: str
    preemptions: int | None = None
    steps: int | None = None


@dataclass(frozen=True, slots=True)
class Expect(_Placed):
    """What must come out on some implementations; of several that fit a run, the first counts.

    :param broken: with `violated`, exactly the watched rules that are found broken.
    :param also: it stands below `also`, and is left out where nothing was chosen.
    """

    targets: tuple[ExpectationTarget, ...]
    outcome: ExpectedOutcome
    broken: tuple[Breach, ...] = ()
    also: bool = False

    def fits(self, arch: str, feature: str, release: str) -> bool:
        """Whether it is about this run."""
        return any(target.fits(arch, feature, release) for target in self.targets)


@dataclass(frozen=True, slots=True)
class Scenario(_Placed):
    """One litmus file.

    :param name: also the file's.
    :param sentence: the behaviour.
    :param claims: what it is a witness of.
    :param bugs: likewise.
    :param rules: likewise.
    :param see: where the kernel shows it.
    :param locks: those that cover no entry.
    :param mutexes: those that sleep.
    :param watch: the rules to judge by, () for all that machines witness.
    :param occurs: what must happen, lest the verdict is worth nothing.
    """

    name: str
    sentence: str
    claims: tuple[str, ...] = ()
    bugs: tuple[str, ...] = ()
    rules: tuple[str, ...] = ()
    see: tuple[str, ...] = ()
    machine: MachineDeclaration = MachineDeclaration()
    locks: tuple[str, ...] = ()
    mutexes: tuple[str, ...] = ()
    entries: tuple[EntryDeclaration, ...] = ()
    tasks: tuple[TaskDeclaration, ...] = ()
    interrupts: tuple[IrqDeclaration, ...] = ()
    watch: tuple[str, ...] = ()
    occurs: tuple[Pattern, ...] = ()
    finally_: tuple[FinalClause, ...] = ()
    always: tuple[Invariant, ...] = ()
    cost: tuple[Invariant, ...] = ()
    expect: tuple[Expect, ...] = ()
    file: str = field(default="", compare=False)

    @property
    def programs(self) -> tuple[TaskDeclaration | IrqDeclaration, ...]:
        """What runs: the tasks, then the interrupts."""
        return (*self.tasks, *self.interrupts)

    def expected(self, arch: str, feature: str, release: str) -> Expect | None:
        """The first expectation that is about this run, or None."""
        return next((e for e in self.expect if e.fits(arch, feature, release)), None)


def numbers(release: str) -> tuple[int, ...]:
    """The numbers of a release; a release candidate counts as its release."""
    return tuple(int(number) for number in re.findall(r"\d+", release.partition("-")[0]))


_LAST_OF_SERIES = {2: 6, 3: 19, 4: 20, 5: 19, 6: 19}
"""The last release of each series of Linux that is over: 3.19 was followed by 4.0."""


def exists(release: str) -> bool:
    """Whether Linux has, or may come to have, a release of this name."""
    series, *rest = numbers(release)
    return (series in _LAST_OF_SERIES and rest[:1] <= [_LAST_OF_SERIES[series]]) or series >= 7


def within(release: str, until: str) -> bool:
    """Whether `release` is not after `until` and its stable releases."""
    last = numbers(until)
    return numbers(release)[: len(last)] <= last
