# SPDX-License-Identifier: GPL-2.0-or-later
"""Boot a kernel, record what it does with the mode under a workload, and judge the recording."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from lazymmu.lab import guest, workloads
from lazymmu.lab.boot import Booted, Ending, LabMachine, boot
from lazymmu.lab.emulators import EMULATORS, find_hypervisor, found_program, python_wanted
from lazymmu.lab.kernel import read_kernel
from lazymmu.lab.modules import read_modules
from lazymmu.problem import Problem
from lazymmu.terminal import clean
from lazymmu.verbs.exit_code import ExitCode
from lazymmu.verbs.guest_log import counted_splats, splat_lines
from lazymmu.verbs.trace import TraceRequest, trace

if TYPE_CHECKING:
    from collections.abc import Callable

    from lazymmu.lab.kernel import LabKernel
    from lazymmu.verbs.trace import TraceAnswer

__all__ = ["WORKLOADS", "LabAnswer", "LabRequest", "run_lab"]

WORKLOADS: Final = ("small", "mm")
"""Those that come along, in `lazymmu/lab/workloads`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LabRequest:
    """What to boot, and what runs there.

    :param kernel: a Debian package or an image.
    :param xen: as dom0 under Xen.
    :param hypervisor: its file, None for the newest that is installed.
    :param arch: what the kernel must be for, None for what it is for.
    :param workload: a name of `WORKLOADS` or a program of this machine.
    :param command: instead of a workload.
    :param output: where the recording goes.
    :param kvm: whether KVM may be used.
    :param memory: MiB.
    :param seconds: after which the boot is given up.
    :param append: words for the kernel's command line.
    :param light: leave out what comes once for each entry.
    :param root: a file system with a Python of the kernel's architecture.
    :param module: names of the kernel's modules that the guest loads.
    :param modules: the package that holds them, None for the kernel's.
    :param drawn: keep what happens in the recording for a page.
    """

    kernel: str
    xen: bool = False
    hypervisor: str | None = None
    arch: str | None = None
    workload: str = "small"
    command: tuple[str, ...] = ()
    output: str = "lazymmu-lab.tar.zst"
    kvm: bool = True
    memory: int = 2048
    cpus: int = 2
    seconds: float = 600
    append: tuple[str, ...] = ()
    light: bool = False
    root: str | None = None
    module: tuple[str, ...] = ()
    modules: str | None = None
    drawn: bool = False


@dataclass(frozen=True, slots=True)
class LabAnswer:
    """What came of it.

    :param kernel: what was booted.
    :param xen: as dom0 under Xen.
    :param booted: see `Booted`.
    :param state: what the guest said of itself.
    :param said: what recorder and workload printed.
    :param log: the kernel's.
    :param splats: lines of it that tell of a mistake.
    :param counted: those of them that are findings, see `counted_splats`.
    :param output: the recording, None where none came.
    :param judged: what `trace` says of it.
    """

    kernel: LabKernel
    xen: bool
    booted: Booted
    state: dict[str, Any]
    said: str
    log: str
    splats: tuple[str, ...]
    counted: tuple[str, ...]
    output: str | None
    judged: TraceAnswer | None

    def exit_code(self) -> ExitCode:
        """That of `trace`, and 1 for a splat that counts; 3 where the boot shows nothing."""
        shown = self.judged.exit_code() if self.judged is not None else ExitCode.INCONCLUSIVE
        if self.counted or shown is ExitCode.FOUND:
            return ExitCode.FOUND
        return ExitCode.INCONCLUSIVE if self.splats else shown


def judge(asked: LabRequest) -> TraceAnswer:
    """What `trace` says of the recording that a boot left.

    :raises lazymmu.Problem: the recording cannot be read.
    """
    return trace(TraceRequest(traces=[asked.output], summary=asked.drawn, tracks=asked.drawn))


def run_lab(asked: LabRequest, progress: Callable[[str], object] = bool) -> LabAnswer:
    """Boot, record, judge.

    :param asked: see `LabRequest`.
    :param progress: called with a few words whenever the guest comes further.
    :raises lazymmu.Problem: something is missing here, or cannot be read or written.
    """
    kernel = read_kernel(asked.kernel)
    emulator = EMULATORS[kernel.arch]
    if asked.arch is not None and asked.arch != kernel.arch:
        raise Problem(f"{asked.kernel} is a kernel for {kernel.arch}, not for {asked.arch}")
    if asked.xen and kernel.arch != "x86":
        raise Problem(f"Xen PV is x86's: {asked.kernel} is a kernel for {kernel.arch}")
    found_program(emulator)
    command, files = _command(asked)
    machine = LabMachine(
        emulator=emulator,
        hypervisor=find_hypervisor(asked.hypervisor) if asked.xen else None,
        command=command,
        files=files,
        options=("--light",) if asked.light else (),
        kvm=asked.kvm,
        memory=asked.memory,
        cpus=asked.cpus,
        seconds=asked.seconds,
        append=asked.append,
        root=python_wanted(emulator, asked.root),
        modules=read_modules(asked.modules or asked.kernel, asked.module) if asked.module else (),
    )
    booted = boot(kernel, machine, progress)
    recording = booted.members.get(guest.RECORDING)
    if recording is not None:
        try:
            Path(asked.output).write_bytes(recording)
        except OSError as error:
            raise Problem(f"cannot write {asked.output}: {error.strerror or error}") from None
    log = booted.members.get("dmesg", b"").decode("utf-8", "replace") or booted.console
    judged = None
    if recording is not None and booted.ending is Ending.DONE:
        progress("judges")
        judged = judge(asked)
    return LabAnswer(
        kernel=kernel,
        xen=asked.xen,
        booted=booted,
        state=_state(booted.members.get("state.json", b"")),
        said=booted.members.get("said", b"").decode("utf-8", "replace"),
        log=log,
        splats=splat_lines(log),
        counted=counted_splats(log, whole=judged is not None),
        output=asked.output if recording is not None else None,
        judged=judged,
    )


def _command(asked: LabRequest) -> tuple[tuple[str, ...], tuple[tuple[str, Path], ...]]:
    """What the guest runs, and the files of this machine that it needs for that."""
    if asked.command:
        first, *rest = asked.command
        program = Path(first)
    elif asked.workload in WORKLOADS:
        program, rest = Path(workloads.__file__).with_name(f"{asked.workload}.py"), []
    else:
        program, rest = Path(asked.workload), []
    if not program.is_file():
        there = "" if asked.command else f"; there are {' and '.join(WORKLOADS)}, or a file"
        what = "program" if asked.command else "workload"
        raise Problem(f"there is no {what} {clean(str(program))}{there}")
    name = f"/lab/{program.name}"
    words = [guest.PYTHON, name] if program.suffix == ".py" else [name]
    return (*words, *rest), ((name, program),)


def _state(text: bytes) -> dict[str, Any]:
    """What the guest said of itself; nothing where it said nothing that can be read."""
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
