# SPDX-License-Identifier: GPL-2.0-or-later
"""Which machine printed a splat: told by its own signs, and not claimed where none does."""

from __future__ import annotations

import pytest

from lazymmu.report.oops.text import render
from lazymmu.verbs.exit_code import ExitCode
from lazymmu.verbs.oops import OopsVerdict, diagnose

OF, PERHAPS, OTHER = OopsVerdict.OF_THE_MODE, OopsVerdict.PERHAPS, OopsVerdict.OTHER

SLEEPS = """\
BUG: sleeping function called from invalid context at kernel/locking/mutex.c:582
in_atomic(): 1, irqs_disabled(): 0, non_block: 0, pid: 991, name: {comm}
CPU: 2 UID: 0 PID: 991 Comm: {comm} Not tainted {release} #1 PREEMPT(full)
{hardware}
Call Trace:
 mutex_lock+0x20/0x40
 drv_map_pte+0x28/0x80 [drv]
 apply_to_pte_range+0x3c8/0xb00
{end}
"""


def slept(release="6.12.8", *, hardware="", end="", comm="insmod") -> str:
    """A task that slept in a section, with what may tell of its machine."""
    return SLEEPS.format(release=release, hardware=hardware, end=end, comm=comm)


def told(text: str) -> list[tuple[str, str, str]]:
    """Verdict, architecture and release of each splat of a text."""
    found = diagnose("dmesg", text.encode()).diagnoses
    return [(one.verdict, one.kernel.arch, one.kernel.release) for one in found]


POWER8 = "Hardware name: IBM pSeries (emulated by qemu) POWER8 (architected) 0x4d0200 hv:linux,kvm"
POWER9 = (
    "Hardware name: IBM,9009-42A POWER9 (raw) 0x4e0202 0xf000005 of:IBM,FW950.40 hv:phyp pSeries"
)


@pytest.mark.parametrize(
    ("text", "verdict", "arch"),
    [
        (slept(end="RIP: e030:mutex_lock+0x20/0x40"), OF, "x86"),
        (slept(end="RIP: 0010:mutex_lock+0x20/0x40"), OTHER, "x86-native"),
        (slept(end=" asm_sysvec_apic_timer_interrupt+0x1a/0x20"), OTHER, "x86-native"),
        (slept(end=" entry_SYSCALL_64_after_hwframe+0x76/0x7e\nRIP: 0033:0x7f1"), PERHAPS, "x86"),
        (slept("6.12.47-1.qubes.fc37.x86_64"), PERHAPS, "x86"),
        (slept(hardware="Hardware name: Xen HVM domU, BIOS 4.17", end="RIP: 0033:0x7f1"),
         OTHER, "x86-native"),
        (slept("5.4.0-rpi", end="EIP is at mutex_lock+0x20/0x40"), OTHER, "i386"),
        (slept(hardware=POWER8), OF, "powerpc"),
        (slept(hardware=POWER9), PERHAPS, "powerpc"),
        (slept("6.6.30-553.el8_10.ppc64le"), PERHAPS, "powerpc"),
        (slept(hardware="LE PAGE_SIZE=64K MMU=Radix SMP PowerNV"), OTHER, "powerpc-radix"),
        (slept(hardware="BE PAGE_SIZE=4K MMU=Hash SMP PowerMac",
               end="NIP:  c0017d38 LR: c0017d30 CTR: 00000000"), OTHER, "powerpc32"),
        (slept(hardware="PSR: 04401fc1 PC: f0041f60 NPC: f0041f64 Y: 00000000"), OTHER, "sparc32"),
        (slept("6.12.10-sparc64-smp"), OF, "sparc"),
        (slept("7.1.3-200.fc44.aarch64"), OF, "arm64"),
        (slept("6.12.8-1.s390x"), OTHER, "s390"),
        (slept(), PERHAPS, ""),
    ],
)  # fmt: skip
def test_a_machine_is_told_by_its_signs_or_said_not_to_be_told(text, verdict, arch):
    """Xen PV or not, hash or radix, 64 bits or 32: what no line tells is in doubt, not claimed."""
    assert [one[:2] for one in told(text)] == [(verdict, arch)]


def test_what_is_in_doubt_is_said():
    """Which two it may be, in words, and what does not tell them apart."""
    for text, doubt, either in (
        (slept(hardware=POWER9), "whether this is hash, or radix", "if hash-active"),
        (slept(end="RIP: 0033:0x7f1"), "whether this is a PV guest of Xen", "x86 without Xen PV"),
    ):
        answer = diagnose("dmesg", text.encode())
        said = " ".join(render(answer).split())
        assert doubt in said
        assert either in said
        assert answer.exit_code() is ExitCode.INCONCLUSIVE


@pytest.mark.parametrize("comm", ["Xen PV", "xen_mc_x TPC: 1", "RIP: e030:x", "MMU=Hash pSeries"])
def test_the_name_of_a_task_tells_nothing_of_its_machine(comm):
    """A user calls a task what he likes."""
    end = "RIP: 0010:mutex_lock+0x20/0x40"
    assert told(slept(comm=comm, end=end)) == told(slept(end=end))
    assert told(slept(comm=comm)) == told(slept())


XEN = slept(end="RIP: e030:mutex_lock+0x20/0x40\n---[ end trace 0000000000000000 ]---")
NATIVE = slept(end="RIP: 0010:mutex_lock+0x20/0x40\n---[ end trace 0000000000000000 ]---")


def test_a_control_without_xen_is_not_taken_for_xen():
    """The same release in one text: each splat has its own machine, in whatever order."""
    assert [one[:2] for one in told(XEN + NATIVE)] == [(OF, "x86"), (OTHER, "x86-native")]
    assert [one[:2] for one in told(NATIVE + XEN)] == [(OTHER, "x86-native"), (OF, "x86")]


def test_what_two_splats_do_not_agree_on_is_not_said_of_a_third():
    """One that tells nothing may be either's; where all others are of one machine it is that."""
    third = slept(end=" entry_SYSCALL_64_after_hwframe+0x76/0x7e")
    assert told(XEN + NATIVE + third)[2][:2] == (PERHAPS, "x86")
    assert told(XEN + third)[1][:2] == (OF, "x86")


def test_releases_are_not_handed_from_one_architecture_to_another():
    """A splat that does not tell its release has not that of another machine."""
    nameless = "".join(
        line for line in slept(hardware=POWER8).splitlines(True) if not line.startswith("CPU: ")
    )
    assert [one[1:] for one in told(nameless + NATIVE)] == [
        ("powerpc", ""), ("x86-native", "6.12.8"),
    ]  # fmt: skip


def test_a_machine_that_boots_again_is_another():
    """What is printed after `Linux version` is not of the splat before it."""
    text = slept(end="RIP: 0010:mutex_lock+0x20/0x40")
    again = "[    0.000000] Linux version 6.12.8 (a@b) #1\n[    0.1] Hypervisor detected: Xen PV\n"
    assert told(text + again) == told(text)


OLD_WARNING = """\
WARNING: at /build/linux-3.2.41/arch/x86/xen/multicalls.c:129 xen_mc_flush+0x13e/0x170()
Hardware name: PowerEdge R710
Pid: 880, comm: Xorg Not tainted 3.2.0-4-amd64 #1 Debian 3.2.41-2
Call Trace:
 [<ffffffff81046811>] ? warn_slowpath_common+0x78/0x8c
 [<ffffffff8100566a>] ? xen_leave_lazy_mmu+0x9/0x1a
"""
OLD_BUG = """\
kernel BUG at /build/linux-3.2.51/arch/x86/kernel/paravirt.c:207!
invalid opcode: 0000 [#1] SMP
Pid: 1321, comm: qemu-dm Not tainted 3.2.0-4-amd64 #1 Debian 3.2.51-1 HP ProLiant
RIP: e030:[<ffffffff8102f8ae>]  [<ffffffff8102f8ae>] paravirt_enter_lazy_mmu+0x1e/0x20
"""


@pytest.mark.parametrize(
    ("text", "kind"), [(OLD_WARNING, "update-refused"), (OLD_BUG, "mode-on-at-begin")]
)
def test_kernels_of_3_x_print_in_another_form(text, kind):
    """`WARNING: at`, `Pid: 880, comm:` and a place with its address twice are read as well."""
    (one,) = diagnose("dmesg", text.encode()).diagnoses
    assert one.complaint is not None
    assert (one.verdict, one.complaint.name, one.kernel.release) == (OF, kind, "3.2.0-4-amd64")
    assert (one.splat.comm, one.splat.pid) in {("Xorg", 880), ("qemu-dm", 1321)}


def test_a_release_is_read_where_a_mail_has_broken_the_line_before_it():
    """`Not tainted` at the end of one line, the release at the beginning of the next."""
    for mark in ("", "> "):
        text = mark + XEN.replace("tainted 6.12.8", "tainted\n6.12.8").replace("\n", f"\n{mark}")
        assert told(text) == told(XEN)


def test_the_title_of_a_terminal_is_no_text():
    """A sequence that sets it stands in the middle of a message, and is taken off."""
    text = XEN.replace("BUG: sleeping", "BUG: \x1b]0;evil\x07sleeping")
    assert told(text) == told(XEN)
