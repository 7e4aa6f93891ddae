# SPDX-License-Identifier: GPL-2.0-or-later
"""One boot: the files for it, the emulator while it runs, and what the guest left."""

from __future__ import annotations

import contextlib
import io
import json
import subprocess
import tarfile
import tempfile
import time
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Final

from lazymmu.interrupt import terminating
from lazymmu.lab import guest
from lazymmu.lab.emulators import BootFiles, found_program, may_use_kvm, words_of
from lazymmu.lab.hypervisor import read_hypervisor
from lazymmu.lab.initramfs import Initramfs
from lazymmu.lab.interpreter import foreign_python, own_python
from lazymmu.problem import Problem

if TYPE_CHECKING:
    from collections.abc import Callable

    from lazymmu.lab.emulators import Emulator
    from lazymmu.lab.kernel import LabKernel

__all__ = ["Booted", "Ending", "LabMachine", "boot"]

_ROOM: Final = 256 << 20
_SILENT: Final = 45.0
"""Seconds without a word on the console after which KVM is taken not to work here."""

_KVM_FAILED: Final = b"KVM internal error"
"""QEMU's words where the kernel's KVM gives up (accel/kvm/kvm-all.c); the machine stands still."""

_MEMBERS: Final = {"state.json", "said", "dmesg", guest.RECORDING}
_GUEST: Final = """\
#!{executable} -S
import sys
sys.path[:0] = {path!r}
import runpy
runpy.run_path("/lab/guest.py", run_name="__main__")
"""


class Ending(StrEnum):
    """How a boot ended."""

    DONE = "done"
    PANIC = "panic"
    LATE = "late"
    DIED = "died"
    SILENT = "silent"


@dataclass(frozen=True, slots=True, kw_only=True)
class LabMachine:
    """The machine and what runs on it.

    :param emulator: of the kernel's architecture.
    :param hypervisor: Xen, None without.
    :param kvm: whether KVM may be used.
    :param memory: MiB.
    :param seconds: after which it is given up.
    :param append: for the kernel's command line.
    :param command: what runs in the guest while it records.
    :param files: put into the guest, by the name they have there.
    :param options: of `lazymmu record`.
    :param root: a file system with a Python of that architecture.
    :param modules: of the kernel, by name, in the order in which the guest loads them.
    """

    emulator: Emulator
    command: tuple[str, ...]
    hypervisor: Path | None = None
    kvm: bool = True
    memory: int = 2048
    cpus: int = 2
    seconds: float = 600
    append: tuple[str, ...] = ()
    files: tuple[tuple[str, Path], ...] = ()
    options: tuple[str, ...] = ()
    root: Path | None = None
    modules: tuple[tuple[str, bytes], ...] = ()


@dataclass(frozen=True, slots=True)
class Booted:
    """What came of it.

    How it ended, what the console said, the seconds it took, whether KVM was used, and the files
    that the guest left, by name.
    """

    ending: Ending
    console: str
    seconds: float
    kvm: bool
    members: dict[str, bytes] = field(default_factory=dict)


def boot(
    kernel: LabKernel, machine: LabMachine, progress: Callable[[str], object] = bool
) -> Booted:
    """Boot a kernel, and wait until the guest has ended.

    :param kernel: see `read_kernel`.
    :param machine: see `LabMachine`.
    :param progress: called with a few words whenever the guest comes further.
    :raises Problem: the emulator is missing or does not start, or a file cannot be written.
    """
    found_program(machine.emulator)
    # Whoever ends this ends the emulator, and leaves no files.
    with terminating(), tempfile.TemporaryDirectory(prefix="lazymmu-lab-") as folder:
        try:
            files = _prepared(kernel, machine, Path(folder))
        except OSError as error:
            raise Problem(f"cannot prepare the boot: {error.strerror or error}") from None
        # Xen's own guests use what KVM below another hypervisor does not emulate.
        kvm = machine.kvm and machine.hypervisor is None and may_use_kvm(machine.emulator)
        booted = _run(files, machine, kvm, progress)
        if booted.ending is Ending.SILENT:
            progress("KVM does not work here: emulated")
            left = replace(machine, seconds=max(machine.seconds - booted.seconds, 1))
            booted = _run(files, left, False, progress)
        return booted


def _prepared(kernel: LabKernel, machine: LabMachine, folder: Path) -> BootFiles:
    """Write the files of a boot into a folder that is only for it."""
    tree = Initramfs()
    python = own_python(tree) if machine.root is None else foreign_python(tree, machine.root)
    for name in ("dev", "proc", "sys", "tmp"):
        tree.folder(name)
    first = _GUEST.format(executable=python.executable, path=list(python.path))
    tree.add("init", first.encode(), executable=True)
    tree.add("lab/guest.py", Path(guest.__file__))
    for name, file in machine.files:
        tree.add(name, file, executable=True)
    for name, content in machine.modules:
        tree.add(f"lab/modules/{name}.ko", content)
    command = [python.executable if one == guest.PYTHON else one for one in machine.command]
    asked = {
        "path": python.path,
        "options": machine.options,
        "command": command,
        "seconds": machine.seconds,
        "modules": [f"/lab/modules/{name}.ko" for name, _ in machine.modules],
    }
    tree.add("guest.json", json.dumps(asked).encode())
    with (folder / "initramfs").open("wb") as stream:
        tree.write(stream)
    (folder / "kernel").write_bytes(kernel.image)
    hypervisor = None
    if machine.hypervisor is not None:
        (folder / "hypervisor").write_bytes(read_hypervisor(machine.hypervisor))
        hypervisor = str(folder / "hypervisor")
    return BootFiles(
        kernel=str(folder / "kernel"),
        initramfs=str(folder / "initramfs"),
        console=str(folder / "console"),
        complaints=str(folder / "complaints"),
        shared=str(folder / "shared"),
        room=_ROOM,
        hypervisor=hypervisor,
    )


def _run(
    files: BootFiles, machine: LabMachine, kvm: bool, progress: Callable[[str], object]
) -> Booted:
    with Path(files.shared).open("wb") as stream:
        stream.truncate(files.room)
    console = Path(files.console)
    console.write_bytes(b"")
    complaints = Path(files.complaints)
    words = words_of(
        machine.emulator, files,
        kvm=kvm, memory=machine.memory, cpus=machine.cpus, append=machine.append,
    )  # fmt: skip
    started = time.monotonic()
    progress("boots")
    with (
        complaints.open("wb") as told,
        subprocess.Popen(
            words, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=told
        ) as process,
    ):
        try:
            ending = _watched(process, files, machine, kvm, started, progress)
        finally:
            process.kill()
    refused = complaints.read_bytes().decode("utf-8", "replace")
    text = console.read_bytes().decode("utf-8", "replace")
    if ending is Ending.DIED and not text:
        if kvm:
            ending = Ending.SILENT
        else:
            raise Problem(f"{words[0]} does not start: {refused.strip() or 'it says nothing'}")
    seconds = time.monotonic() - started
    return Booted(ending, text, seconds, kvm, _left(Path(files.shared)))


def _watched(
    process: subprocess.Popen[bytes],
    files: BootFiles,
    machine: LabMachine,
    kvm: bool,
    started: float,
    progress: Callable[[str], object],
) -> Ending:
    """Wait for the end of a boot, and say how far it is."""
    seen, console, complaints = 0, Path(files.console), Path(files.complaints)
    while True:
        over = process.poll() is not None
        text = console.read_bytes().decode("utf-8", "replace")
        told = [line for line in text.splitlines() if line.startswith(guest.MARK)]
        for line in told[seen:]:
            progress(line.removeprefix(guest.MARK).strip())
        seen = len(told)
        if any(line.endswith(" done") for line in told):
            return Ending.DONE
        if "Kernel panic" in text or "Panic on CPU" in text:
            # What it says of itself is complete a little later.
            _wait(process, 3)
            return Ending.PANIC
        if over:
            return Ending.DIED
        passed = time.monotonic() - started
        late = not text.strip() and passed > _SILENT
        if kvm and (late or _KVM_FAILED in complaints.read_bytes()):
            return Ending.SILENT
        if passed > machine.seconds:
            return Ending.LATE
        time.sleep(0.2)


def _wait(process: subprocess.Popen[bytes], seconds: float) -> None:
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(seconds)


def _left(shared: Path) -> dict[str, bytes]:
    """The files that the guest left in the shared memory; none where it left nothing whole."""
    with shared.open("rb") as stream:
        size = int.from_bytes(stream.read(8), "little")
        if not 0 < size <= _ROOM - guest.BEGIN:
            return {}
        stream.seek(guest.BEGIN)
        packed = stream.read(size)
    found = {}
    try:
        with tarfile.open(fileobj=io.BytesIO(packed)) as members:
            for member in members:
                # What a guest says is a stranger's: nothing of it is unpacked on disk.
                content = members.extractfile(member) if member.isfile() else None
                if content is not None and member.name in _MEMBERS:
                    found[member.name] = content.read()
    except (tarfile.TarError, EOFError, OSError):
        return {}
    return found
