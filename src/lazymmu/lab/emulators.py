# SPDX-License-Identifier: GPL-2.0-or-later
"""The machines that QEMU makes: for each architecture its program, console and what it lacks."""

from __future__ import annotations

import os
import platform
import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from lazymmu.problem import Problem

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = [
    "EMULATORS",
    "BootFiles",
    "Emulator",
    "find_hypervisor",
    "found_program",
    "may_use_kvm",
    "python_wanted",
    "words_of",
]


@dataclass(frozen=True, slots=True)
class Emulator:
    """How kernels of one architecture are booted.

    :param program: of QEMU.
    :param package: Debian's, which holds it.
    :param machine: options for it.
    :param console: where the kernel writes.
    :param own: what `uname -m` says of a machine that needs no emulation.
    :param append: more for the kernel's command line.
    """

    arch: str
    program: str
    package: str
    machine: tuple[str, ...]
    console: str
    own: str
    append: str = ""


@dataclass(frozen=True, slots=True)
class BootFiles:
    """The files of one boot.

    kernel, first file system, where the console and what the emulator itself says go, the memory
    that is shared with the guest and its bytes, and the hypervisor.
    """

    kernel: str
    initramfs: str
    console: str
    complaints: str
    shared: str
    room: int
    hypervisor: str | None = None


EMULATORS: Final = {
    one.arch: one
    for one in (
        # Emulated on a busy machine, the timer may come too late for the kernel's own check of it.
        Emulator(
            "x86", "qemu-system-x86_64", "qemu-system-x86", (), "ttyS0", "x86_64", "no_timer_check",
        ),
        Emulator(
            "arm64", "qemu-system-aarch64", "qemu-system-arm", ("-machine", "virt"), "ttyAMA0",
            "aarch64",
        ),
        # The mode is the hash MMU's: a radix MMU defers nothing.
        Emulator(
            "powerpc", "qemu-system-ppc64", "qemu-system-ppc",
            ("-machine", "pseries,cap-htm=off"), "hvc0", "ppc64le", "disable_radix",
        ),
        Emulator("sparc64", "qemu-system-sparc64", "qemu-system-sparc", (), "ttyS0", "sparc64"),
    )
}  # fmt: skip
"""By architecture. KVM offers the machine's own CPU; emulation all that QEMU knows."""

_DEBIAN: Final = {"x86": "amd64", "arm64": "arm64", "powerpc": "ppc64el", "sparc64": "sparc64"}

_KVM_CPU: Final = "host,-arch-capabilities"
"""What KVM below another hypervisor may refuse to set is left out (MSR 0x10a)."""

_EMULATED_CPUS: Final = {"powerpc": "POWER9", "arm64": "max,pauth-impdef=on"}
"""What "max" would not do: emulated, the algorithm that Arm has for pointer authentication takes
most of the time (docs/system/arm/cpu-features.rst of QEMU)."""

_HYPERVISOR: Final = "xen-*-amd64.gz"
_XEN: Final = (
    "com1=115200,8n1 console=com1 loglvl=warning guest_loglvl=warning noreboot=1 smap=0 smep=0"
)
"""SMAP and SMEP are not for what QEMU emulates below Xen; noreboot: a panic ends the run."""


def found_program(emulator: Emulator) -> str:
    """The path of an emulator.

    :raises Problem: it is not installed; says in which package it is.
    """
    found = shutil.which(emulator.program)
    if found is None:
        raise Problem(
            f"there is no {emulator.program}: it is in Debian's package {emulator.package}"
        )
    return found


def find_hypervisor(given: str | None, folder: Path = Path("/boot")) -> Path:
    """The newest hypervisor that is installed, or the one that was named.

    :raises Problem: there is none; says in which package one is.
    """
    if given is not None:
        if not Path(given).is_file():
            raise Problem(f"there is no hypervisor {given}")
        return Path(given)
    found = sorted(folder.glob(_HYPERVISOR), key=_version)
    if not found:
        raise Problem(
            f"there is no hypervisor in {folder}: it is in Debian's package "
            "xen-hypervisor-4.17-amd64 or a newer one, and --hypervisor names another file"
        )
    return found[-1]


def _version(path: Path) -> tuple[int, ...]:
    return tuple(int(one) for one in re.findall(r"\d+", path.name))


def may_use_kvm(emulator: Emulator) -> bool:
    """Whether KVM can be used here for this architecture."""
    return platform.machine() == emulator.own and os.access("/dev/kvm", os.R_OK | os.W_OK)


def words_of(
    emulator: Emulator,
    files: BootFiles,
    *,
    kvm: bool,
    memory: int,
    cpus: int,
    append: Iterable[str] = (),
) -> list[str]:
    """The command that boots a kernel, word by word.

    :param emulator: of its architecture.
    :param files: see `BootFiles`.
    :param kvm: with KVM, else emulated.
    :param memory: MiB of the machine.
    :param cpus: of the machine.
    :param append: more for the kernel's command line.
    """
    shared = f"memory-backend-file,id=host,share=on,mem-path={files.shared},size={files.room}"
    line = ["rdinit=/init", "panic=-1", emulator.append, *append]
    words = [
        emulator.program, "-accel", "kvm" if kvm else "tcg,thread=multi",
        *emulator.machine, "-cpu", _KVM_CPU if kvm and emulator.arch == "x86" else
        "host" if kvm else _EMULATED_CPUS.get(emulator.arch, "max"),
        "-smp", str(cpus), "-m", str(memory), "-nodefaults", "-no-reboot", "-display", "none",
        "-vga", "none", "-net", "none", "-serial", f"file:{files.console}",
        "-object", shared, "-device", "ivshmem-plain,memdev=host",
    ]  # fmt: skip
    if files.hypervisor is None:
        told = " ".join(one for one in (f"console={emulator.console}", *line) if one)
        return [*words, "-kernel", files.kernel, "-initrd", files.initramfs, "-append", told]
    told = " ".join(one for one in ("console=hvc0", *line) if one)
    # dom0 gets what Xen, and the memory it keeps per CPU, leave.
    dom0 = memory - 512
    return [
        *words, "-kernel", files.hypervisor,
        "-append", f"{_XEN} dom0_mem={dom0}M,max:{dom0}M dom0_max_vcpus={cpus}",
        "-initrd", f"{files.kernel} {told},{files.initramfs}",
    ]  # fmt: skip


def python_wanted(emulator: Emulator, root: str | None) -> Path | None:
    """The file system that the guest's Python is in; None where this machine's own will do.

    :raises Problem: the kernel is for another architecture, and no such file system was named.
    """
    if root is not None:
        if not Path(root).is_dir():
            raise Problem(f"there is no folder {root}")
        return Path(root)
    if platform.machine() == emulator.own:
        return None
    raise Problem(
        f"the recorder needs a Python for {emulator.arch}: --root names a folder with one, made by "
        f"mmdebstrap --variant=extract --architectures={_DEBIAN[emulator.arch]} "
        "--include=python3,python3-numpy,python3-capstone stable DIR"
    )
