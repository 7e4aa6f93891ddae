# SPDX-License-Identifier: GPL-2.0-or-later
"""What an emulator is told, and what the machine lacks, each with the package that has it."""

from __future__ import annotations

from pathlib import Path

import pytest

from lazymmu.lab.emulators import (
    EMULATORS,
    BootFiles,
    find_hypervisor,
    found_program,
    python_wanted,
    words_of,
)
from lazymmu.problem import Problem

FILES = BootFiles("/t/kernel", "/t/initramfs", "/t/console", "/t/complaints", "/t/shared", 1 << 20)
UNDER_XEN = BootFiles(
    "/t/kernel", "/t/initramfs", "/t/console", "/t/complaints", "/t/shared", 1 << 20, "/t/xen"
)


def after(words: list[str], option: str) -> str:
    """The word behind an option."""
    return words[words.index(option) + 1]


@pytest.mark.parametrize("arch", sorted(EMULATORS))
def test_every_kernel_is_told_where_its_console_is(arch):
    """Its first process is ours, and a panic ends the machine."""
    emulator = EMULATORS[arch]
    words = words_of(emulator, FILES, kvm=False, memory=1024, cpus=2, append=("quiet",))
    line = after(words, "-append").split()
    assert f"console={emulator.console}" in line
    assert {"rdinit=/init", "panic=-1", "quiet"} <= set(line)
    assert after(words, "-kernel") == "/t/kernel"
    assert after(words, "-accel").startswith("tcg")
    assert "-no-reboot" in words


def test_under_xen_the_kernel_is_a_module_of_the_hypervisor():
    """Xen is booted, with the kernel and its words and the file system as its modules."""
    words = words_of(EMULATORS["x86"], UNDER_XEN, kvm=False, memory=2048, cpus=2)
    assert after(words, "-kernel") == "/t/xen"
    kernel, initramfs = after(words, "-initrd").split(",")
    assert initramfs == "/t/initramfs"
    assert kernel.split()[:2] == ["/t/kernel", "console=hvc0"]
    assert "dom0_mem=1536M,max:1536M" in after(words, "-append")


def test_the_newest_hypervisor_is_taken(tmp_path):
    """By its version, not by its letters; links of a package's flavours are hypervisors, too."""
    for name in ("xen-4.9-amd64.gz", "xen-4.17-amd64.gz", "xen-4.17-amd64.efi", "vmlinuz"):
        (tmp_path / name).touch()
    assert find_hypervisor(None, tmp_path).name == "xen-4.17-amd64.gz"


def test_what_is_missing_is_named_with_its_package(tmp_path, monkeypatch):
    """One sentence each, for an emulator, a hypervisor, and a Python of another architecture."""
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(Problem, match=r"no qemu-system-aarch64: .*qemu-system-arm$"):
        found_program(EMULATORS["arm64"])
    with pytest.raises(Problem, match="xen-hypervisor"):
        find_hypervisor(None, tmp_path)
    with pytest.raises(Problem, match="there is no hypervisor /nowhere"):
        find_hypervisor("/nowhere", tmp_path)
    with pytest.raises(Problem, match="--architectures=sparc64"):
        python_wanted(EMULATORS["sparc64"], None)
    with pytest.raises(Problem, match="no folder"):
        python_wanted(EMULATORS["sparc64"], "/nowhere")
    assert python_wanted(EMULATORS["sparc64"], str(tmp_path)) == Path(tmp_path)
