# SPDX-License-Identifier: GPL-2.0-or-later
"""Record what a running kernel does with the mode, and leave nothing behind."""

from __future__ import annotations

import contextlib
import gzip
import json
import os
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from lazymmu.ftrace import probes
from lazymmu.image.running import hidden_places
from lazymmu.problem import Problem
from lazymmu.tracing.archive import write_archive
from lazymmu.tracing.command import Outcome, run_until, undisturbed
from lazymmu.tracing.instance import OwnInstance, take_away
from lazymmu.tracing.setup import RecordingSetup, Refused, apply, lost_records, steps, wanted
from lazymmu.tracing.tracefs import Leftover, TracingError, find_tracefs, leftovers, offer_of
from lazymmu.verbs.exit_code import ExitCode
from lazymmu.verbs.probes import RUNNING, ProbesAnswer, ProbesRequest, find_probes
from lazymmu.version import version

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import BinaryIO

__all__ = ["RecordAnswer", "RecordRequest", "clean_up", "plan_recording", "record"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordRequest:
    """What to record.

    :param command: what runs meanwhile, () for until Ctrl-C.
    :param output: where the archive goes.
    :param machine: what `uname` says.
    :param release: likewise.
    :param tracefs: its folder, None for where it is mounted.
    :param buffer: KB for each CPU.
    :param clock: of the trace.
    :param light: leave out what comes once for each entry.
    :param vmlinux: see `ProbesRequest`.
    :param modules: likewise.
    :param root: where the files of the kernel are.
    """

    command: tuple[str, ...] = ()
    output: str = "lazymmu.tar.zst"
    machine: str
    release: str
    tracefs: str | None = None
    buffer: int = 16384
    clock: str = "global"
    light: bool = False
    vmlinux: str | None = None
    modules: tuple[str, ...] = ()
    root: Path = Path("/")


@dataclass(frozen=True, slots=True)
class RecordPlan:
    """What will be done: where, with what, and what is known not to be there."""

    tracefs: Path
    setup: RecordingSetup
    lacking: tuple[str, ...]
    found: ProbesAnswer | None
    command: tuple[str, ...] = ()

    def steps(self) -> tuple[str, ...]:
        """What is done to tracefs, as a shell would say it."""
        return tuple(steps(self.setup, self.tracefs, os.getpid(), self.command))


@dataclass(frozen=True, slots=True)
class RecordAnswer:
    """What came of it.

    :param output: the archive.
    :param lines: of the trace.
    :param lost: records that are missing in it.
    :param status: how the command ended (None without one).
    :param refused: what the kernel did not take.
    :param left: what could not be undone.
    :param tells: whether anything that was set up shows the mode.
    """

    output: str
    lines: int
    lost: int
    status: int | None
    tells: bool
    refused: tuple[Refused, ...] = field(default=())
    left: tuple[str, ...] = field(default=())

    def exit_code(self) -> ExitCode:
        """2 when something was left, 3 when nothing was recorded or shows the mode, else 0."""
        if self.left:
            return ExitCode.FAILED
        return ExitCode.CLEAN if self.tells and self.lines else ExitCode.INCONCLUSIVE


def plan_recording(asked: RecordRequest) -> RecordPlan:
    """What to set up on this kernel; nothing is touched.

    :raises lazymmu.Problem: nothing can be recorded; one sentence.
    """
    arch = probes.architecture(asked.machine)
    if not arch:
        raise Problem(f"this machine is {asked.machine}, which has no lazy MMU mode")
    try:
        tracefs = find_tracefs(asked.tracefs)
        offer = offer_of(tracefs)
        if offer.clocks is not None and asked.clock not in offer.clocks:
            raise Problem(f"no clock {asked.clock}; there are: {', '.join(offer.clocks)}")
        plan = probes.plan(arch, asked.release)
    except (TracingError, ValueError) as error:
        raise Problem(str(error)) from None
    found, lacking = _sites(asked)
    setup, more = wanted(
        plan,
        offer,
        tuple(probe for one in found.found for probe in one.probes) if found else (),
        clock=asked.clock,
        buffer=asked.buffer,
        light=asked.light,
    )
    if found is None and arch == "x86" and _no_xen_pv(asked.root):
        lacking += (
            "this is no Xen PV guest: before v7.0 no other x86 has the mode on, so that no section "
            "will show",
        )
    return RecordPlan(tracefs, setup, (*lacking, *more), found, asked.command)


def _no_xen_pv(root: Path) -> bool:
    """Whether the machine says of itself that it is none (Documentation/ABI, sysfs-hypervisor)."""
    said = []
    for name in ("type", "guest_type"):
        try:
            said.append((root / "sys/hypervisor" / name).read_text("ascii").strip())
        except (OSError, ValueError):
            said.append("")
    if said[0] != "xen":
        return (root / "sys").is_dir()
    return said[1] not in ("", "PV")


def _sites(asked: RecordRequest) -> tuple[ProbesAnswer | None, tuple[str, ...]]:
    """The instructions of this kernel; where they cannot be found, why."""
    try:
        found = find_probes(
            ProbesRequest(
                vmlinux=asked.vmlinux,
                modules=asked.modules,
                machine=asked.machine,
                release=asked.release,
                root=asked.root,
            )
        )
    except Problem as problem:
        if asked.vmlinux is not None or asked.modules:
            raise
        return None, (f"no events at instructions: {problem}",)
    release = found.found[0].code.release
    if release != asked.release:
        raise Problem(
            f"{found.origin} is of Linux {release or '(it does not say)'}, and {asked.release} "
            "runs: its instructions stand elsewhere"
        )
    return found, tuple(_unseen(asked, found))


def _unseen(asked: RecordRequest, found: ProbesAnswer) -> Iterator[str]:
    """What is not seen of the code that was read."""
    hidden = hidden_places(asked.root) if found.origin == RUNNING else 0
    if not found.number:
        nothing = "none that touches the counters was found"
        yield f"no events at instructions: {nothing} in {found.origin}"
    if hidden:
        yield f"{hidden} instructions cannot be read: probes of others stand on them"


def record(
    asked: RecordRequest,
    plan: RecordPlan,
    *,
    started: Callable[[], object] = bool,
    stays: Callable[[str], object] = bool,
) -> RecordAnswer:
    """Record; whatever happens, what was made in tracefs is taken away again.

    :param started: called once everything is set up, and before the command runs.
    :param stays: called with a sentence about what could not be undone, also when nothing else came
        of it.
    :raises lazymmu.Problem: it cannot be recorded, or the archive not be written.
    """
    stale = [one for one in leftovers(plan.tracefs) if not one.runs]
    if stale:
        raise Problem(
            f"a recording that was killed left {_names(stale)}; lazymmu record --clean removes it"
        )
    own = OwnInstance(plan.tracefs, os.getpid())
    try:
        with tempfile.TemporaryFile() as trace:
            with run_until(asked.command) as running:
                try:
                    own.begin()
                    refused = apply(plan.setup, own)
                    started()
                    outcome = running(lambda on: own.set("tracing_on", "1" if on else "0"))
                    lines = _copy(own, asked, trace)
                    lost = lost_records(own.folder)
                    formats = _formats(own.folder, plan)
                finally:
                    with undisturbed():
                        left = own.end()
                    for sentence in left:
                        stays(sentence)
            others = _others(asked, plan, outcome, refused, lost) | formats
            write_archive(asked.output, trace, others)
    except TracingError as error:
        raise Problem(str(error)) from None
    gone = {one.name for one in refused}
    return RecordAnswer(
        output=asked.output,
        lines=lines,
        lost=lost,
        status=outcome.status,
        tells=plan.setup.tells(gone),
        refused=refused,
        left=left,
    )


def clean_up(given: str | None) -> tuple[tuple[Leftover, ...], tuple[Leftover, ...], list[str]]:
    """Remove what dead recordings left: what was removed, what still runs, what did not go.

    :raises lazymmu.Problem: there is no tracefs.
    """
    try:
        tracefs = find_tracefs(given)
        found = leftovers(tracefs)
    except (TracingError, OSError) as error:
        raise Problem(str(error)) from None
    dead = tuple(one for one in found if not one.runs)
    failed = [sentence for one in dead for sentence in take_away(tracefs, one.instance, one.events)]
    return dead, tuple(one for one in found if one.runs), failed


def _names(stale: list[Leftover]) -> str:
    names = [str(one.instance) for one in stale if one.instance is not None]
    number = sum(len(one.events) for one in stale)
    return " and ".join(names + ([f"{number} events"] if number else []))


def _copy(own: OwnInstance, asked: RecordRequest, trace: BinaryIO) -> int:
    """The trace behind a line that names the kernel, which it does not do itself; its lines."""
    trace.write(f"Linux localhost {asked.release} {asked.machine}\n".encode())
    lines = 0
    try:
        with (own.folder / "trace").open("rb") as stream:
            for line in stream:
                lines += not line.startswith(b"#")
                trace.write(line)
    except FileNotFoundError:
        return 0
    except OSError as error:
        raise TracingError(f"cannot read the trace: {error.strerror}") from None
    return lines


def _formats(folder: Path, plan: RecordPlan) -> dict[str, bytes]:
    """How each recorded event is laid out, where the kernel says so."""
    found = {}
    for name in plan.setup.events:
        for base in (folder, plan.tracefs):
            with contextlib.suppress(OSError):
                found[f"formats/{name}"] = (base / "events" / name / "format").read_bytes()
                break
    return found


def _others(
    asked: RecordRequest,
    plan: RecordPlan,
    outcome: Outcome,
    refused: tuple[Refused, ...],
    lost: int,
) -> dict[str, bytes]:
    """What belongs to a trace: release, configuration, sites, and how it was recorded."""
    made = {one.name: one.line for one in plan.setup.sites}
    how = {
        "lazymmu": version(),
        "release": asked.release,
        "machine": asked.machine,
        "command": list(asked.command),
        "status": outcome.status,
        "seconds": round(outcome.seconds, 3),
        "clock": asked.clock,
        "buffer_kb": asked.buffer,
        "lost": lost,
        "functions": list(plan.setup.functions),
        "events": list(plan.setup.events),
        "dynamic": [list(one.forms) for one in plan.setup.dynamic],
        "lacking": list(plan.lacking),
        "refused": [{"name": one.name, "reason": one.reason} for one in refused],
    }
    gone = {one.name for one in refused}
    sites = [
        {
            "event": probe.name,
            "place": probe.place,
            "function": probe.function,
            "line": made[probe.name],
            "recorded": probe.name not in gone,
        }
        for one in (plan.found.found if plan.found else ())
        for probe in one.probes
    ]
    members = {
        "how.json": _json(how),
        "release": f"{asked.release} {asked.machine}\n".encode(),
        "sites.json": _json(sites),
    }
    config = _config(asked)
    return members if config is None else members | {"config": config}


def _json(value: object) -> bytes:
    return (json.dumps(value, indent=1, ensure_ascii=True) + "\n").encode()


def _config(asked: RecordRequest) -> bytes | None:
    """The kernel's configuration, where it shows it."""
    with contextlib.suppress(OSError, EOFError):
        return gzip.decompress((asked.root / "proc/config.gz").read_bytes())
    with contextlib.suppress(OSError):
        return (asked.root / f"boot/config-{asked.release}").read_bytes()
    return None
