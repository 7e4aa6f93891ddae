# SPDX-License-Identifier: GPL-2.0-or-later
"""Where KVM does not carry, a kernel is emulated instead, and nobody waits for it."""

from __future__ import annotations

import os
import sys

import pytest

from lazymmu.lab import boot as booting
from lazymmu.lab.boot import Ending, LabMachine, boot
from lazymmu.lab.emulators import EMULATORS
from lazymmu.lab.kernel import LabKernel

FAKE = """\
#!{python}
import sys, time
words = sys.argv
if words[words.index("-accel") + 1] == "kvm":
    sys.stderr.write("{words}")
    sys.stderr.flush()
    time.sleep(60)
console = words[words.index("-serial") + 1].removeprefix("file:")
open(console, "w").write("lazymmu lab: done\\n")
"""


@pytest.fixture
def emulator(tmp_path, monkeypatch):
    """Puts an emulator in the way that says some words under KVM, and else ends at once."""

    def put(words: str) -> LabMachine:
        program = tmp_path / EMULATORS["x86"].program
        program.write_text(FAKE.format(python=sys.executable, words=words))
        program.chmod(0o755)
        monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
        monkeypatch.setattr(booting, "may_use_kvm", lambda _: True)
        return LabMachine(emulator=EMULATORS["x86"], command=("true",), seconds=30)

    return put


def test_where_kvm_gives_up_it_is_emulated_at_once(emulator):
    """QEMU says so and the machine stands still: that is not waited for."""
    heard: list[str] = []
    kernel = LabKernel("vmlinuz", b"a kernel", "x86", "7.3.4")
    booted = boot(kernel, emulator("KVM internal error. Suberror: 1"), heard.append)
    assert (booted.ending, booted.kvm) == (Ending.DONE, False)
    assert heard[:3] == ["boots", "KVM does not work here: emulated", "boots"]


def test_what_else_an_emulator_says_under_kvm_is_no_reason_to_emulate(emulator):
    """A warning comes from it on many machines; the kernel may still come up."""
    kernel = LabKernel("vmlinuz", b"a kernel", "x86", "7.3.4")
    machine = emulator("warning: host doesn't support requested feature")
    late = boot(kernel, LabMachine(emulator=machine.emulator, command=("true",), seconds=1))
    assert (late.ending, late.kvm) == (Ending.LATE, True)
