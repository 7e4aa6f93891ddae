# SPDX-License-Identifier: GPL-2.0-or-later
"""The same events as a script for bpftrace, for machines whose tracefs is kept away.

It prints lines as tracefs has them, so that `lazymmu trace` reads what it prints.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from lazymmu.problem import Problem

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lazymmu.image.sites import SiteProbe
    from lazymmu.verbs.probes import ProbesAnswer

__all__ = ["render"]

_MACHINES: Final = {
    ("x86", "little"): "x86_64",
    ("arm64", "little"): "aarch64",
    ("powerpc", "little"): "ppc64le",
    ("powerpc", "big"): "ppc64",
}
_HEAD: Final = """\
#!/usr/bin/env bpftrace
// Instructions that touch task_struct.lazy_mmu_state, as lines of tracefs.
//   bpftrace --unsafe THIS-FILE > lazymmu.trace      (as root; Ctrl-C ends it)
//   lazymmu trace lazymmu.trace
"""

_COLUMNS: Final = "%16s-%-7d [%03d] ..... %5llu.%06llu: "
_FIRST: Final = "comm, tid, cpu, nsecs / 1000000000, (nsecs % 1000000000) / 1000"

_SWITCH: Final = (
    "sched_switch: prev_comm=%s prev_pid=%d prev_prio=%d prev_state=%s%s"
    " ==> next_comm=%s next_pid=%d next_prio=%d"
)
# include/trace/events/sched.h, sched_switch: what is printed of a state.
_STATE: Final = (
    '(args->prev_state & 0xff) == 0 ? "R" : args->prev_state & 0x1 ? "S" : '
    'args->prev_state & 0x2 ? "D" : args->prev_state & 0x4 ? "T" : args->prev_state & 0x8 ? "t" : '
    'args->prev_state & 0x10 ? "X" : args->prev_state & 0x20 ? "Z" : '
    'args->prev_state & 0x40 ? "P" : "I"'
)


# Probes are attached one after the other, forward or backward (bpftrace, BPFtrace::run()), which
# takes seconds: nothing is printed before one at each end has fired, since half of the probes would
# show sections that never end.
_FIRST_MARKER: Final = "schedule"
_LAST_MARKER: Final = "vfs_write"
_WHOLE: Final = "/@first && @last/"


def _marker(function: str, name: str) -> str:
    """A probe on a function that is called all the time, which says that it is attached."""
    return f"kprobe:{function} /!{name}/ {{ {name} = 1; }}"


def render(answer: ProbesAnswer) -> str:
    """The script.

    :raises Problem: there is nothing to print.
    """
    if not answer.number:
        raise Problem(f"{answer.origin}: no instruction touches a task's counters")
    code = answer.found[0].code
    if code.arch == "sparc":
        raise Problem("bpftrace does not run on sparc64: lazymmu probes --vmlinux prints events")
    machine = _MACHINES.get((code.arch, code.order), code.arch)
    first = f"Linux localhost {code.release or '?'} {machine}\\n# tracer: bpftrace\\n#\\n"
    switch = (
        f"args->prev_comm, args->prev_pid, args->prev_prio, {_STATE}, "
        'args->prev_state & 0x100 ? "+" : "", args->next_comm, args->next_pid, args->next_prio'
    )
    parts = [
        f'{_HEAD}BEGIN {{ printf("{first}"); }}',
        _marker(_FIRST_MARKER, "@first"),
        f"tracepoint:sched:sched_switch {_WHOLE} {{\n"
        f'  printf("{_COLUMNS}{_SWITCH}\\n",\n    {_FIRST},\n    {switch});\n}}',
        *(_probe(probe, answer) for one in answer.found for probe in one.probes),
        _marker(_LAST_MARKER, "@last"),
        "END { clear(@first); clear(@last); }",
    ]
    return "\n".join(parts) + "\n"


def _probe(probe: SiteProbe, answer: ProbesAnswer) -> str:
    site = probe.site
    fields, values = "pid=%d ec=%d pc=%d", list(_reads(probe, answer))
    if site.value:
        fields, values = f"{fields} nv=%d", [*values, _value(site.value)]
    text = f"{probe.name}: ({probe.place.rpartition(':')[2]}/0x0) {fields}"
    return (
        f"kprobe:{probe.place} {_WHOLE} {{\n"
        f"  $base = {_register(site.base)};\n"
        f'  printf("{_COLUMNS}{text}\\n",\n    {_FIRST},\n    {", ".join(values)});\n}}'
    )


def _reads(probe: SiteProbe, answer: ProbesAnswer) -> Iterator[str]:
    where = answer.layout
    for offset, form in ((where.pid, "int32"), (where.enabled, "uint8"), (where.paused, "uint8")):
        distance = offset - probe.site.ahead
        yield f"*({form} *)($base {'-' if distance < 0 else '+'} {abs(distance)})"


def _register(name: str) -> str:
    """A register in bpftrace's words, which are r0 to r31 on arm64 and powerpc."""
    return f'reg("{re.sub(r"^(?:x|gpr)(?=[0-9])", "r", name.removeprefix("%"))}")'


def _value(fetched: str) -> str:
    """What a store stores, from what a kprobe event fetches for it."""
    if fetched.startswith("\\"):
        return fetched[1:]
    name, _, high = fetched.partition(":")
    return f"({_register(name)}{' >> 8' if high else ''}) & 0xff"
