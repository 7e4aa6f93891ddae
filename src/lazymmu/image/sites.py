# SPDX-License-Identifier: GPL-2.0-or-later
"""The sites of a kernel's or module's code, as kprobe events by symbol and offset.

An event fires before its instruction; its fields are those of the task whose counters the
instruction touches. Documentation/trace/kprobetrace.rst says what the lines mean.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from lazymmu.image.error import ImageError
from lazymmu.image.site import CounterSite, SiteKind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lazymmu.image.btf import CounterLayout
    from lazymmu.image.code import CodePart, KernelCode

__all__ = ["FoundSites", "SiteProbe", "find_sites"]

GROUP: Final = "lazymmu"
"""The group of the events."""

_MOST_NAMED: Final = 8
"""Places that are named in one sentence."""

_PLAIN: Final = re.compile(r"[A-Za-z_][\w.$]{0,511}")
"""Names that stand in a line of dynamic_events as they are."""


@dataclass(frozen=True, slots=True)
class SiteProbe:
    """One event at an instruction.

    Its name, the place in the words of dynamic_events, what is fetched, the function that it is in,
    and the instruction.
    """

    kind: SiteKind
    number: int
    place: str
    fetched: str
    function: str
    site: CounterSite

    @property
    def name(self) -> str:
        """The event's name."""
        return f"{self.kind.value}{self.number}"

    def line(self, group: str = GROUP) -> str:
        """The line that makes the event."""
        return f"p:{group}/{self.name} {self.place} {self.fetched}"


@dataclass(frozen=True, slots=True)
class FoundSites:
    """What was found in one kernel or module.

    :param probes: the events, by place.
    :param met: how many sites of each kind.
    :param unseen: what these events do not show, a sentence each without a full stop.
    """

    code: KernelCode
    probes: tuple[SiteProbe, ...]
    met: tuple[tuple[SiteKind, int], ...]
    unseen: tuple[str, ...]


def find_sites(
    code: KernelCode, layout: CounterLayout, numbers: Counter[SiteKind] | None = None
) -> FoundSites:
    """Find the instructions that touch the counters; numbers: of events that are taken already.

    :raises ImageError: this architecture shows none, or what reads it is not installed.
    """
    numbers = Counter() if numbers is None else numbers
    if layout.width != 1:
        raise ImageError(
            f"its counters have {layout.width} bytes each, and only those of one byte are known"
        )
    probes, unseen, met = [], Counter[str](), Counter[SiteKind]()
    unknown: list[str] = []
    for part in code.parts:
        for site in _find(code, part, layout):
            met[site.kind] += 1
            owner = part.owner(site.at)
            if site.kind is SiteKind.UNKNOWN:
                unknown.append(
                    f"{owner[0]}+{owner[1]:#x}" if owner else hex(part.address + site.at)
                )
            if not site.kind.is_probed:
                continue
            place = _place(code, part, site, owner)
            if place is None:
                unseen["instructions in functions without a name of their own"] += 1
                continue
            numbers[site.kind] += 1
            function = owner[0] if owner else ""
            fetched = _fetched(site, layout)
            probes.append(SiteProbe(site.kind, numbers[site.kind], place, fetched, function, site))
        if taken := _taken(code, part, layout):
            unseen["places that take the counters' address, through which anything may go"] += taken
    if unknown:
        named = ", ".join(unknown[:_MOST_NAMED]) + ", ..." * (len(unknown) > _MOST_NAMED)
        unseen[f"what changes a counter in a way that is not known: {named}"] = len(unknown)
    return FoundSites(
        code=code,
        probes=tuple(probes),
        met=tuple(sorted(met.items())),
        unseen=tuple(f"{text} ({number})" for text, number in unseen.items()),
    )


def _find(code: KernelCode, part: CodePart, layout: CounterLayout) -> tuple[CounterSite, ...]:
    # Each is loaded where it is needed: on x86, where most recordings are made, none wants NumPy.
    match code.arch:
        case "x86":
            from lazymmu.image.x86 import find_x86

            return find_x86(part.content, layout)
        case "arm64":
            from lazymmu.image.arm64 import find_arm64

            return find_arm64(part.content, layout, ((a, b) for a, b, _ in part.functions))
        case "powerpc":
            from lazymmu.image.powerpc import find_powerpc

            return find_powerpc(part.content, layout, code.order)
        case "sparc":
            from lazymmu.image.sparc64 import find_sparc64

            return find_sparc64(part.content, layout, ((a, b) for a, b, _ in part.functions))
    raise ImageError(f"instructions of {code.arch} are not read")


def _taken(code: KernelCode, part: CodePart, layout: CounterLayout) -> int:
    """How often the address of the counters is taken; 0 where that is not read."""
    if code.arch != "x86":
        return 0
    from lazymmu.image.x86 import taken_x86

    return taken_x86(part.content, layout)


def _place(
    code: KernelCode,
    part: CodePart,
    site: CounterSite,
    owner: tuple[str, int] | None,
) -> str | None:
    """A place as the kernel takes it; None where it cannot be told.

    A name that several functions have is refused (kernel/trace/trace_kprobe.c,
    validate_probe_symbol(), b022f0c7e404 in v6.7): the distance from `_text` is as good.
    """
    if owner is not None and owner[0] not in code.repeated and _PLAIN.fullmatch(owner[0]):
        place = f"{owner[0]}+{owner[1]:#x}"
        return f"{code.module}:{place}" if code.module else place
    if code.text is None or part.address + site.at < code.text:
        return None
    return f"_text+{part.address + site.at - code.text:#x}"


def _fetched(site: CounterSite, layout: CounterLayout) -> str:
    def parts() -> Iterator[str]:
        for name, offset, form in (
            ("pid", layout.pid, "s32"),
            ("ec", layout.enabled, "u8"),
            ("pc", layout.paused, "u8"),
        ):
            yield f"{name}={offset - site.ahead:+d}({site.base}):{form}"
        if site.value:
            yield f"nv={site.value}" if ":" in site.value else f"nv={site.value}:u8"

    return " ".join(parts())
