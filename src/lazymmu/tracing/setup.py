# SPDX-License-Identifier: GPL-2.0-or-later
"""What a recording sets up, told as a shell would and done."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from lazymmu.tracing.tracefs import TracingError, group_of, name_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence
    from pathlib import Path

    from lazymmu.ftrace.probes import DynamicEvent, ProbePlan
    from lazymmu.image.sites import SiteProbe
    from lazymmu.tracing.instance import OwnInstance
    from lazymmu.tracing.tracefs import Offer

__all__ = [
    "MadeEvent",
    "RecordingSetup",
    "Refused",
    "apply",
    "lost_records",
    "steps",
    "wanted",
]

_OURS: Final = re.compile(r"^([a-z]\d*:)\w+/")
"""The group of an event's line, which is another for each recording."""


@dataclass(frozen=True, slots=True)
class MadeEvent:
    """An event to make: its name, and the line for it."""

    name: str
    line: str


@dataclass(frozen=True, slots=True)
class Refused:
    """Something that the kernel did not take: its name and the reason."""

    name: str
    reason: str


@dataclass(frozen=True, slots=True)
class RecordingSetup:
    """What to set up for a recording.

    KB of the buffer of each CPU, clock, functions, events that are there, events to make with the
    forms to try, and events at instructions.
    """

    buffer: int
    clock: str
    functions: tuple[str, ...]
    events: tuple[str, ...]
    dynamic: tuple[DynamicEvent, ...]
    sites: tuple[MadeEvent, ...]

    def tells(self, refused: Collection[str]) -> bool:
        """Whether something shows the mode, given what the kernel did not take."""
        events = (*(one.name for one in self.dynamic), *(one.name for one in self.sites))
        made = (*self.functions, *events)
        return any(name not in refused for name in made)


def wanted(
    plan: ProbePlan,
    offer: Offer,
    sites: Sequence[SiteProbe],
    *,
    clock: str,
    buffer: int,
    light: bool,
) -> tuple[RecordingSetup, tuple[str, ...]]:
    """What to set up of a plan and sites on a kernel with this offer; and what it lacks, said."""
    functions = [one.name for one in plan.functions if not (light and one.bulk)]
    events = [one.name for one in plan.events if not (light and one.bulk)]
    lacking = [
        f"no {what if len(none) == 1 else what + 's'} {', '.join(none)}"
        for what, none in (
            ("function", [one for one in functions if not offer.has_function(one)]),
            ("event", [one for one in events if not offer.has_event(one)]),
        )
        if none
    ]
    if not offer.makes_events and (plan.dynamic or sites):
        lacking.append("no events can be made: this needs CONFIG_DYNAMIC_EVENTS")
    setup = RecordingSetup(
        buffer=buffer,
        clock=clock,
        functions=tuple(one for one in functions if offer.has_function(one)),
        events=tuple(one for one in events if offer.has_event(one)),
        dynamic=plan.dynamic if offer.makes_events else (),
        sites=tuple(MadeEvent(one.name, one.line()) for one in sites) if offer.makes_events else (),
    )
    return setup, tuple(lacking)


def steps(
    setup: RecordingSetup, tracefs: Path, process: int, command: Sequence[str] = ()
) -> Iterator[str]:
    """What is done, and undone, as lines of a shell script.

    :param command: what runs meanwhile, () for until Ctrl-C.
    """
    folder, group = tracefs / "instances" / name_of(process), group_of(process)

    def write(text: str, path: Path, sign: str = ">") -> str:
        return f"echo {shlex.quote(text)} {sign}{shlex.quote(str(path))}"

    stacks = {one.name: one.stack for one in setup.dynamic if one.stack}
    yield f"mkdir {shlex.quote(str(folder))}"
    for file, text in _settings(setup):
        yield write(text, folder / file)
    for name, forms in _made(setup):
        for number, form in enumerate(forms):
            also = "" if not number else "  # if the kernel refuses the one before"
            yield write(_of_group(form, group), tracefs / "dynamic_events", ">>") + also
        yield write(f"{group}:{name}", folder / "set_event", ">>")
        if name in stacks:
            trigger = folder / "events" / group / name / "trigger"
            yield write(f"stacktrace if {stacks[name]}", trigger)
    for name in setup.events:
        yield write(name.replace("/", ":", 1), folder / "set_event", ">>")
    for name in setup.functions:
        yield write(name, folder / "set_ftrace_filter", ">>")
    if setup.functions:
        yield write("function", folder / "current_tracer")
    yield write("1", folder / "tracing_on")
    yield shlex.join(command) if command else "# and so until Ctrl-C"
    yield write("0", folder / "tracing_on")
    yield f"cat {shlex.quote(str(folder / 'trace'))}  # into the archive"
    yield f"rmdir {shlex.quote(str(folder))}"
    for name, _ in _made(setup):
        yield write(f"-:{group}/{name}", tracefs / "dynamic_events", ">>")


def apply(setup: RecordingSetup, own: OwnInstance) -> tuple[Refused, ...]:
    """Set everything up in an instance that was begun; what the kernel did not take.

    :raises TracingError: buffer or clock cannot be set.
    """
    refused = []
    for file, text in _settings(setup):
        reason = own.set(file, text)
        if reason:
            raise TracingError(f"cannot set {file} to {text}: {reason}")
    stacks = {one.name: one.stack for one in setup.dynamic if one.stack}
    for name, forms in _made(setup):
        for form in forms:
            reason = own.make(name, _of_group(form, own.group))
            if not reason:
                reason = own.set("set_event", f"{own.group}:{name}", append=True)
                if name in stacks:
                    # Without it a sleep is told all the same, only not where.
                    own.set_event_file(name, "trigger", f"stacktrace if {stacks[name]}")
                break
        if reason:
            refused.append(Refused(name, reason))
    for name in setup.events:
        reason = own.set("set_event", name.replace("/", ":", 1), append=True)
        if reason:
            refused.append(Refused(name, reason))
    taken = 0
    for name in setup.functions:
        reason = own.set("set_ftrace_filter", name, append=True)
        if reason:
            refused.append(Refused(name, reason))
        taken += not reason
    # Without a filter the tracer would record every function of the kernel.
    if taken and (reason := own.set("current_tracer", "function")):
        refused += [Refused(name, reason) for name in setup.functions]
    return tuple(refused)


def lost_records(folder: Path) -> int:
    """How many records are missing, by the statistics of each CPU."""
    lost = 0
    for file in folder.glob("per_cpu/cpu*/stats"):
        try:
            text = file.read_text("ascii", "replace")
        except OSError:
            continue
        lost += sum(
            int(one) for one in re.findall(r"^(?:overrun|dropped events): (\d+)", text, re.M)
        )
    return lost


def _settings(setup: RecordingSetup) -> tuple[tuple[str, str], ...]:
    return (
        ("tracing_on", "0"),
        ("buffer_size_kb", str(setup.buffer)),
        ("trace_clock", setup.clock),
    )


def _made(setup: RecordingSetup) -> Iterator[tuple[str, tuple[str, ...]]]:
    for one in setup.dynamic:
        yield one.name, one.forms
    for site in setup.sites:
        yield site.name, (site.line,)


def _of_group(form: str, group: str) -> str:
    return _OURS.sub(rf"\g<1>{group}/", form)
