# SPDX-License-Identifier: GPL-2.0-or-later
"""Events at instructions as lines for dynamic_events, which takes lines with # as comments."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lazymmu.image.site import SiteKind
from lazymmu.terminal import clean

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lazymmu.image.sites import FoundSites
    from lazymmu.verbs.probes import ProbesAnswer

__all__ = ["render", "said"]

_WORDS: Final = {
    SiteKind.BEGIN: "begin a section (en)",
    SiteKind.END: "end one (di)",
    SiteKind.PAUSE: "pause (pa)",
    SiteKind.RESUME: "resume (re)",
    SiteKind.GUARD: "guard a beginning (ge)",
    SiteKind.STORE: "store the count of sections, one more or one less (st, with the value as nv)",
    SiteKind.OTHER_GUARD: "guard something else, and have no event",
    SiteKind.READ: "read a counter, and have no event",
    SiteKind.UNKNOWN: "change a counter in a way that is not known, and have no event",
}

_USE: Final = """\
# One line each for /sys/kernel/tracing/dynamic_events, as root; the kernel may refuse some:
#   grep -v '^#' THIS-FILE | while read -r line; do echo "$line" >>dynamic_events; done
#   echo 1 >events/lazymmu/enable; echo 1 >events/sched/sched_switch/enable
# An event fires before its instruction. Fields: pid of the task, ec enable_count, pc pause_count.
"""


def render(answer: ProbesAnswer) -> str:
    """The whole text."""
    where = answer.layout
    head = [
        f"# Instructions that touch task_struct.lazy_mmu_state: {clean(answer.origin)}",
        f"# enable_count at {where.enabled}, pause_count at {where.paused}, pid at {where.pid}",
    ]
    return "\n".join(head) + "\n" + _USE + "".join(map(_of, answer.found))


def _of(found: FoundSites) -> str:
    code = found.code
    name = f"module {code.module}" if code.module else f"Linux {code.release or '?'} {code.arch}"
    lines = [f"#\n# {name}: {sum(number for _, number in found.met)} instructions"]
    lines += [f"#   {number:3} {_WORDS[kind]}" for kind, number in found.met]
    lines += [f"# not seen: {clean(one)}" for one in found.unseen]
    lines += [probe.line() for probe in found.probes]
    return "\n".join(lines) + "\n"


def said(answer: ProbesAnswer) -> Iterator[str]:
    """What the user has to know, a sentence each."""
    for found in answer.found:
        where = f"module {found.code.module}" if found.code.module else answer.origin
        if not found.probes:
            yield f"{where}: no instruction touches a task's counters"
        for one in found.unseen:
            yield f"{where}: not seen: {one}"
