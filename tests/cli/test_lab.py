# SPDX-License-Identifier: GPL-2.0-or-later
"""`lazymmu lab`, with a program in the place of QEMU that plays a guest."""

from __future__ import annotations

import json
import os
import platform
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from lazymmu.lab import guest
from lazymmu.lab.boot import Booted, Ending
from tests.lab.test_kernel import arm64_image, bzimage, elf

pytestmark = pytest.mark.skipif(
    platform.machine() != "x86_64" or sys.platform != "linux", reason="the guest here is x86-64"
)

TRACE = """\
Linux localhost 6.12.9 x86_64
# tracer: nop
          <...>-7       [000] .....     1.000000: xen_mmu_set_pte: ptep 1 pteval 2
"""

QEMU = """\
#!{python}
import io, json, sys, tarfile, time
words = sys.argv[1:]
after = lambda option: words[words.index(option) + 1]
console = open(after("-serial").removeprefix("file:"), "ab", buffering=0)
shared = dict(one.split("=") for one in after("-object").split(",")[1:])["mem-path"]
asked = json.load(open({asked!r}))
json.dump(words, open({said!r}, "w"))
for text, pause in asked["console"]:
    console.write(text.encode("latin-1"))
    time.sleep(pause)
if asked["members"] is not None:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as out:
        for name, content in asked["members"].items():
            member = tarfile.TarInfo(name)
            data = content.encode("latin-1")
            member.size = len(data)
            out.addfile(member, io.BytesIO(data))
    data = packed.getvalue()
    with open(shared, "r+b") as memory:
        memory.seek(4096)
        memory.write(data)
        memory.seek(0)
        memory.write(len(data).to_bytes(8, "little"))
    console.write(b"\\r\\nlazymmu lab: done\\r\\n")
time.sleep(asked["rest"])
"""

STATE = json.dumps({"release": "6.12.9", "machine": "x86_64", "guest_type": "PV"})


@pytest.fixture
def lab(tmp_path, monkeypatch, run):
    """Run `lazymmu lab` where a guest does as it is told; what ran, and QEMU's words."""
    programs = tmp_path / "programs"
    programs.mkdir()
    asked, said = tmp_path / "asked.json", tmp_path / "said.json"
    qemu = programs / "qemu-system-x86_64"
    qemu.write_text(QEMU.format(python=sys.executable, asked=str(asked), said=str(said)))
    qemu.chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")
    kernel = tmp_path / "vmlinuz"
    kernel.write_bytes(bzimage())

    def ran(*arguments, console=(("booting\n", 0),), members=None, rest=0):
        asked.write_text(json.dumps({"console": list(console), "members": members, "rest": rest}))
        done = run("lab", kernel, "--no-kvm", "--recording", tmp_path / "out.tar.zst", *arguments)
        return done, json.loads(said.read_text()) if said.exists() else []

    return ran


def members(**more):
    """What a guest leaves, with a recording that is plain text."""
    return {"state.json": STATE, "said": "small: done\n", guest.RECORDING: TRACE, **more}


def test_a_recording_comes_back_and_is_judged(lab, tmp_path):
    """What the guest recorded is written, and told as `trace` tells it; nothing else is left."""
    done, words = lab(members=members(dmesg="[ 1.0] all well\n"))
    assert done.code == 3  # One line shows no section.
    assert (tmp_path / "out.tar.zst").read_text() == TRACE
    assert "Linux 6.12.9 (x86, emulated): recorded" in done.err
    assert "0 violations" in done.err
    assert not Path(words[words.index("-kernel") + 1]).exists()


def test_what_a_program_of_the_user_says_is_passed_on(lab, tmp_path):
    """Whoever brings one wants to read it; what comes along says nothing, and neither if quiet."""
    program = tmp_path / "mine.py"
    program.write_text("print('rounds: 7')\n")
    left = members(said="rounds: 7\x1b[31m\n")
    done, _ = lab("--", program, members=left)
    assert "the guest: rounds: 7" in done.err
    assert "\x1b" not in done.err
    assert "the guest" not in lab("--quiet", "--", program, members=left)[0].err
    assert "the guest" not in lab(members=left)[0].err


def test_a_splat_of_the_kernel_is_a_finding(lab):
    """What the kernel's log says of itself counts, whatever the recording shows."""
    log = "[ 2.0] WARNING: CPU: 1 PID: 7 at mm/memory.c:1715 cond_install\x1b[31m\n"
    done, _ = lab(members=members(dmesg=log))
    assert done.code == 1
    assert "the kernel's log: WARNING: CPU: 1 PID: 7 at mm/memory.c:1715" in done.err
    assert "\x1b" not in done.err


INT3 = "[ 9.1] Oops: int3: 0000 [#1] SMP NOPTI\n"
BAD_PAGE = "[ 9.0] BUG: Bad page state in process race  pfn:12345\n"
PANICKED = "[ 9.2] Kernel panic - not syncing: Fatal exception in interrupt\n"


@pytest.mark.parametrize(
    ("died_of", "code"), [(INT3, 3), ("", 3), (BAD_PAGE, 1), (BAD_PAGE + INT3, 1)]
)
def test_what_a_guest_died_of_is_a_finding_only_where_it_is_a_sign(lab, died_of, code):
    """What the emulator or anything else did to it is open, and said with its lines."""
    done, _ = lab(console=((died_of + PANICKED, 0),), rest=5)
    assert done.code == code
    for line in (died_of + PANICKED).splitlines():
        assert f"the kernel's log: {line.partition('] ')[2]}" in done.err
    assert ("not conclusive: what the guest died of" in done.err) is (code == 3)


@pytest.mark.parametrize(
    ("console", "rest", "told"),
    [
        ((("Kernel panic - not syncing\n", 0),), 5, "the kernel panicked"),
        ((("booting\n", 0),), 30, "not done in time"),
        ((("booting\n", 0),), 0, "the machine went off"),
    ],
)
def test_a_boot_that_does_not_end_well_is_never_clean(lab, console, rest, told, tmp_path):
    """It is said how it ended, and what was said last; there is no recording."""
    done, _ = lab("--seconds", "2", console=console, rest=rest)
    assert done.code != 0
    assert told in done.err
    assert not (tmp_path / "out.tar.zst").exists()


def test_a_guest_writes_nowhere_but_where_it_may(lab, tmp_path):
    """Names that lead elsewhere, and a tar that is none, come to nothing."""
    before = {one for one in tmp_path.rglob("*") if "pytest" not in one.name}
    done, _ = lab(members={"../../evil": "x", "/etc/evil": "x"})
    assert done.code == 3
    made = set(tmp_path.rglob("*")) - before
    assert {one.name for one in made} == {"asked.json", "said.json", "vmlinuz"} - {
        one.name for one in before
    }


def test_the_console_can_be_kept(lab, tmp_path):
    """With what the kernel said on it, for who wants to read it."""
    lab("--console", tmp_path / "console.txt", console=(("hello\n", 0),), members=members())
    assert "hello" in (tmp_path / "console.txt").read_text()


ENDS_ITS_PARENT = """\
#!{python}
import os, pathlib, signal, time
pathlib.Path({mine!r}).write_text(str(os.getpid()))
os.kill(os.getppid(), signal.SIGTERM)
time.sleep(600)
"""


def test_who_ends_the_command_ends_the_emulator(tmp_path):
    """No machine runs on, and no file of the boot is left."""
    mine, files = tmp_path / "pid", tmp_path / "files"
    files.mkdir()
    qemu = tmp_path / "qemu-system-x86_64"
    qemu.write_text(ENDS_ITS_PARENT.format(python=sys.executable, mine=str(mine)))
    qemu.chmod(0o755)
    kernel = tmp_path / "vmlinuz"
    kernel.write_bytes(bzimage())
    done = subprocess.run(
        [sys.executable, "-m", "lazymmu", "lab", str(kernel), "--no-kvm"],
        env={**os.environ, "PATH": str(tmp_path), "TMPDIR": str(files)},
        cwd=tmp_path,
        capture_output=True,
        timeout=120,
        check=False,
    )
    assert (done.returncode, list(files.iterdir())) == (128 + signal.SIGTERM, [])
    with pytest.raises(ProcessLookupError):
        os.kill(int(mine.read_text()), 0)


def test_words_for_the_kernel_and_a_command_reach_the_guest(lab, tmp_path):
    """Options may stand before and behind the kernel, and a command behind --."""
    program = tmp_path / "mine.py"
    program.write_text("print(1)\n")
    _, words = lab("--append", "mitigations=off", "--", str(program), "a", members=members())
    assert "mitigations=off" in words[words.index("-append") + 1].split()


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--workload", "nothing"), "there is no workload nothing; there are small and mm"),
        (("--", "/nowhere/program"), "there is no program /nowhere/program"),
        (("--arch", "arm64"), "is a kernel for x86, not for arm64"),
        (("--hypervisor", "/x"), "--hypervisor is for --xen"),
        (("--xen", "--hypervisor", "/nowhere"), "there is no hypervisor /nowhere"),
        (("--memory", "1"), "--memory is at least"),
        (("--cpus", "0"), "--cpus is at least 1"),
        (("--seconds", "0"), "--seconds is more than 0"),
        (("--seconds", "nan"), "--seconds is more than 0"),
    ],
)
def test_what_cannot_be_done_is_one_sentence(lab, arguments, told):
    """Nothing is booted then, and one line says why."""
    done, words = lab(*arguments)
    assert done.code == 2
    assert told in done.err
    assert len(done.err.splitlines()) == 1
    assert not words


@pytest.mark.parametrize(
    ("image", "package"),
    [
        (bzimage(), "qemu-system-x86"),
        (arm64_image(), "qemu-system-arm"),
        (elf(21, "<"), "qemu-system-ppc"),
        (elf(43, ">"), "qemu-system-sparc"),
    ],
    ids=["x86", "arm64", "powerpc", "sparc64"],
)
@pytest.mark.parametrize(
    "options", [(), ("--reproduce", "poison-marker")], ids=["boot", "reproduce"]
)
def test_without_an_emulator_it_says_which_package_has_one(
    run, tmp_path, monkeypatch, image, package, options
):
    """With nothing on the path, one sentence names the program and Debian's package."""
    kernel = tmp_path / "vmlinuz"
    kernel.write_bytes(image)
    monkeypatch.setenv("PATH", "")
    if options and package != "qemu-system-x86":
        package = "Xen PV is x86's"
    done = run("lab", kernel, *options)
    assert (done.code, done.out, len(done.err.splitlines())) == (2, "", 1)
    assert package in done.err


def test_without_a_hypervisor_it_says_which_package_has_one(lab, tmp_path, monkeypatch):
    """One sentence names the package, and the option for a file from elsewhere."""
    monkeypatch.setattr("lazymmu.lab.emulators._HYPERVISOR", "none-*.gz")
    done, words = lab("--xen")
    assert (done.code, len(done.err.splitlines()), words) == (2, 1, [])
    assert "xen-hypervisor-" in done.err
    assert "--hypervisor" in done.err


WARNING = (
    "[ 3.0] WARNING: CPU: 0 PID: 9 at include/linux/mm_inline.h:591 unmap_page_range+0x1/0x2\n"
)


@pytest.fixture
def reproduced(tmp_path, monkeypatch, lab):
    """Run `lazymmu lab --reproduce poison-marker`, with a log for Xen and one for the control."""
    hypervisor = tmp_path / "xen"
    hypervisor.write_bytes(b"xen")

    def ran(with_xen, without, said="poison-marker: dropped 16 entries\n"):
        from lazymmu.verbs import lab as verb

        def boot(kernel, machine, progress):
            log = with_xen if machine.hypervisor is not None else without
            found = {} if log is None else {"dmesg": log.encode(), "state.json": STATE.encode()}
            if log is not None:
                found |= {guest.RECORDING: TRACE.encode(), "said": said.encode()}
            return Booted(Ending.PANIC if log is None else Ending.DONE, "", 1.0, False, found)

        monkeypatch.setattr(verb, "boot", boot)
        kept = ("--console", tmp_path / "console")
        return lab("--reproduce", "poison-marker", "--hypervisor", hypervisor, *kept)[0]

    return ran


@pytest.mark.parametrize(
    ("with_xen", "without", "code", "told"),
    [
        (WARNING, "fine\n", 1, "poison-marker: seen: WARNING: CPU: 0 PID: 9 at include"),
        ("fine\n", "fine\n", 0, "poison-marker: not seen"),
        (WARNING, WARNING, 3, "the control shows it as well"),
        (None, "fine\n", 3, "not conclusive"),
    ],
)
def test_a_finding_is_shown_only_beside_its_control(
    reproduced, tmp_path, with_xen, without, code, told
):
    """Seen, and not in the control, is 1; the control showing it, or a boot lost, is open."""
    done = reproduced(with_xen, without)
    assert done.code == code
    assert (tmp_path / "console").exists()
    assert (tmp_path / "console.control").exists()
    assert told in done.out + done.err
    shown, control = (line for line in done.err.splitlines() if line.startswith("lazymmu: Linux"))
    assert "as PV guest of Xen" in shown
    assert "Xen" not in control


def test_what_the_program_could_not_do_was_not_tried(reproduced):
    """Where it did not come to its end, not seeing anything says nothing."""
    done = reproduced("fine\n", "fine\n", said="OSError: [Errno 25] no such ioctl\n")
    assert done.code == 3
    assert "the program did not do its part" in done.err
    assert "the guest: OSError: [Errno 25] no such ioctl" in done.err


def test_a_reproducer_that_is_withheld_says_why(lab):
    """Nothing is booted, and nothing about how it is done is told."""
    done, words = lab("--reproduce", "table-freed-twice")
    assert (done.code, words) == (2, [])
    assert "not handed around" in done.err


@pytest.mark.parametrize(
    ("name", "told"),
    [("table-freed-twice", "not handed around"), ("nothing", "no reproducer nothing")],
)
def test_what_cannot_be_shown_is_said_without_a_kernel(run, name, told):
    """Nobody has to fetch a package to be told so."""
    done = run("lab", "--reproduce", name)
    assert (done.code, len(done.err.splitlines())) == (2, 1)
    assert told in done.err


def test_what_can_be_shown_is_listed(run):
    """Each finding with the releases and what it takes, without any kernel."""
    done = run("lab", "--list")
    assert done.code == 0
    assert "forked-tasks-paused: " in done.out
    assert "(7.2 to 7.3, Xen PV)" in done.out


def test_a_skeleton_is_printed_of_a_scenario_that_ships_or_of_a_file(run, tmp_path):
    """The same program, by either name; no kernel is asked for."""
    from lazymmu.litmus import shipped

    file = tmp_path / "mine.litmus"
    file.write_text(shipped.text("swap-entry-zapped"))
    one, other = run("lab", "--skeleton", "swap-entry-zapped"), run("lab", "--skeleton", file)
    assert (one.code, one.out) == (0, other.out)
    assert "def task_T0():" in one.out


@pytest.mark.parametrize(
    ("text", "told"),
    [(b"litmus x\n", "mine.litmus:"), (b"\xff\xfe", "UTF-8"), (None, "cannot read")],
)
def test_what_is_no_scenario_has_no_skeleton(run, tmp_path, text, told):
    """One sentence says why, with the line."""
    file = tmp_path / "mine.litmus"
    if text is not None:
        file.write_bytes(text)
    done = run("lab", "--skeleton", file)
    assert done.code == 2
    assert told in done.err
    assert len(done.err.splitlines()) == 1
