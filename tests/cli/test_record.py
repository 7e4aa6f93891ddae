# SPDX-License-Identifier: GPL-2.0-or-later
"""`lazymmu record`, against a folder that looks like tracefs."""

from __future__ import annotations

import io
import json
import os
import platform
import signal
import subprocess
import sys
import tarfile
import time
from pathlib import Path

import pytest

from lazymmu.ftrace.streams import zstd_module
from lazymmu.interrupt import Terminated
from lazymmu.tracing.command import run_until
from lazymmu.verbs.record import RecordRequest, plan_recording
from tests.images import BEGIN, END, Image

TRACE = (
    "# tracer: nop\n"
    "     a-9     [000] .....     1.000001: en1: (zap+0x9/0x20) pid=9 ec=0 pc=0\n"
    "     a-9     [000] .....     1.000002: st1: (zap+0x13/0x20) pid=9 ec=1 pc=0 nv=0\n"
)


@pytest.fixture(autouse=True)
def machine(monkeypatch):
    """The kernel of these tests, wherever they run."""
    fake = platform.uname()._replace(release="7.3.4-made")
    fake = type("Uname", (), {"machine": "x86_64", "release": fake.release})
    monkeypatch.setattr(platform, "uname", lambda: fake)
    monkeypatch.setattr(os, "geteuid", lambda: 0)


@pytest.fixture
def tracefs(tmp_path):
    """A made-up tracefs that belongs to somebody: what is in it must stay as it is."""
    folder = tmp_path / "tracing"
    (folder / "instances" / "theirs").mkdir(parents=True)
    (folder / "dynamic_events").write_text("p:theirs/event do_exit\n")
    (folder / "trace").write_text("# theirs\n")
    (folder / "tracing_on").write_text("1\n")
    (folder / "available_events").write_text("sched:sched_switch\nirq:irq_handler_entry\n")
    (folder / "available_filter_functions").write_text("xen_flush_lazy_mmu\nother [mod]\n")
    (folder / "trace_clock").write_text("[local] global mono\n")
    return folder


@pytest.fixture
def vmlinux(tmp_path):
    """An image of the running kernel."""
    path = tmp_path / "vmlinux"
    path.write_bytes(Image([("zap", BEGIN + END)]).build())
    return path


def command(tracefs: Path, then: str = "") -> list[str]:
    """A command that writes the trace, as a kernel would, and keeps what was set up."""
    script = (
        f"d=$(echo {tracefs}/instances/lazymmu-record-*); cat > $d/trace <<'END'\n{TRACE}END\n"
        f"cp $d/set_event {tracefs}/seen_events; cp $d/set_ftrace_filter {tracefs}/seen_filter\n"
        f"cp $d/tracing_on {tracefs}/seen_on; {then}"
    )
    return ["--", "sh", "-c", script]


def members(path: Path) -> dict[str, bytes]:
    """What an archive holds."""
    with zstd_module().ZstdFile(path) as packed:
        content = io.BytesIO(packed.read())
    with tarfile.open(fileobj=content) as tar:
        return {one.name: tar.extractfile(one).read() for one in tar}


def untouched(tracefs: Path) -> bool:
    """Whether nothing of ours is there, and all that is somebody's."""
    made = (tracefs / "dynamic_events").read_text().splitlines()
    there = [one.split()[0].split(":")[1] for one in made if one[0] not in "-"]
    gone = [one[2:] for one in made if one[0] == "-"]
    return (
        os.listdir(tracefs / "instances") == ["theirs"]
        and sorted(there) == sorted([*gone, "theirs/event"])
        and (tracefs / "trace").read_text() == "# theirs\n"
        and (tracefs / "tracing_on").read_text() == "1\n"
    )


def test_what_a_command_does_is_one_archive_that_trace_reads(run, tracefs, vmlinux, tmp_path):
    """The archive has all that is needed later, and nothing is left in tracefs."""
    out = tmp_path / "out.tar.zst"
    ran = run(
        *("record", "--tracefs", tracefs, "--vmlinux", vmlinux, "--output", out),
        *command(tracefs),
    )
    assert ran.code == 0, ran.err
    assert untouched(tracefs)
    held = members(out)
    assert next(iter(held)) == "trace"
    assert held["trace"].decode() == f"Linux localhost 7.3.4-made x86_64\n{TRACE}"
    assert json.loads(held["how.json"])["lost"] == 0
    assert [one["event"] for one in json.loads(held["sites.json"])] == ["ge1", "en1", "st1"]
    assert "1 sections" in run("trace", out).err


def test_what_is_there_is_set_up_and_nothing_else(run, tracefs, vmlinux, tmp_path):
    """Events and functions that the kernel does not offer are said, and not asked for."""
    ran = run(
        *("record", "--tracefs", tracefs, "--vmlinux", vmlinux),
        *("--output", tmp_path / "o", *command(tracefs)),
    )
    events = (tracefs / "seen_events").read_text().splitlines()
    assert "sched:sched_switch" in events
    assert not any("sched_migrate_task" in one for one in events)
    assert (tracefs / "seen_filter").read_text() == "xen_flush_lazy_mmu\n"
    assert (tracefs / "seen_on").read_text() == "1\n"
    assert "no events sched/sched_migrate_task" in ran.err


def test_a_dry_run_prints_every_step_and_touches_nothing(run, tracefs, vmlinux, tmp_path):
    """What is printed is what a shell would do, with its undoing."""
    before = {one: one.read_text() for one in tracefs.iterdir() if one.is_file()}
    ran = run("record", "--tracefs", tracefs, "--vmlinux", vmlinux, "--dry-run")
    assert ran.code == 0
    assert untouched(tracefs)
    assert before == {one: one.read_text() for one in tracefs.iterdir() if one.is_file()}
    name = f"lazymmu_{os.getpid()}"
    assert f"'p:{name}/en1 zap+0x9 " in ran.out
    assert f"-:{name}/en1" in ran.out
    lines = ran.out.splitlines()
    assert lines[0].startswith("mkdir ")
    assert any(line.startswith("rmdir ") for line in lines)
    assert "# and so until Ctrl-C" in lines


def test_a_dry_run_shows_what_runs_where_it_would(run, tracefs, vmlinux):
    """Between the switching on and off stands the command, as a shell takes it."""
    where = ("--tracefs", tracefs, "--vmlinux", vmlinux)
    lines = run("record", *where, "--dry-run", "--", "make", "-j 4").out.splitlines()
    at = lines.index("make '-j 4'")
    assert lines[at - 1].startswith("echo 1 >")
    assert lines[at + 1].startswith("echo 0 >")


def test_who_is_not_root_is_told_so(run, tracefs, monkeypatch):
    """Recording needs root, and says it before anything is touched; a dry run does not."""
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    ran = run("record", "--tracefs", tracefs, "--", "true")
    assert ran.code == 2
    assert "recording needs root" in ran.err
    assert untouched(tracefs)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--", "no-such-command-here"], "there is no command no-such-command-here"),
        (["--clock", "sundial", "--", "true"], "no clock sundial; there are: local, global, mono"),
        (["--buffer", "0", "--", "true"], "at least 1 KB"),
        (["--output", "/no/such/folder/x", "--", "true"], "cannot write /no/such/folder/x"),
        (["--vmlinux", "/dev/null", "--", "true"], "it is no ELF file"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_made(run, tracefs, arguments, sentence):
    """A mistake costs one sentence, and tracefs stays as it was."""
    ran = run("record", "--tracefs", tracefs, *arguments)
    assert (ran.code, ran.out) == (2, "")
    assert sentence in ran.err
    assert untouched(tracefs)


def test_without_tracefs_it_says_how_to_mount_it(run, tmp_path):
    """A folder without instances is no tracefs."""
    ran = run("record", "--tracefs", tmp_path, "--", "true")
    assert ran.code == 2
    assert "is no tracefs" in ran.err


def test_a_recording_that_shows_nothing_ends_with_three(run, tracefs, tmp_path):
    """An archive is written all the same, and it is said that nothing in it shows the mode."""
    (tracefs / "available_filter_functions").write_text("other\n")
    (tracefs / "dynamic_events").unlink()
    ran = run(
        *("record", "--tracefs", tracefs, "--output", tmp_path / "o"),
        *("--", "sh", "-c", "exit 4"),
    )
    assert ran.code == 3
    assert "shows the mode" in ran.err
    assert "sh ended with status 4" in ran.err
    assert json.loads(members(tmp_path / "o")["how.json"])["status"] == 4


PROGRAM = """
import os, platform, sys
from types import SimpleNamespace
platform.uname = lambda: SimpleNamespace(machine="x86_64", release="7.3.4-made")
os.geteuid = lambda: 0
from lazymmu.cli import main
sys.exit(main(sys.argv[1:]))
"""


def started(tracefs: Path, vmlinux: Path, out: Path, *command: str) -> subprocess.Popen[bytes]:
    """A recording in a process of its own that has begun."""
    process = subprocess.Popen(
        [
            *(sys.executable, "-c", PROGRAM, "record", "--tracefs", str(tracefs)),
            *("--vmlinux", str(vmlinux), "--output", str(out), *command),
        ],
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    on = tracefs / "instances" / f"lazymmu-record-{process.pid}" / "tracing_on"
    while not (on.exists() and on.read_text() == "1\n"):
        assert process.poll() is None, process.stderr.read()
        time.sleep(0.02)
    return process


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_recording_that_is_told_to_end_undoes_everything(tracefs, vmlinux, tmp_path, number):
    """Instance, events and the command itself are gone, and no archive pretends to be whole."""
    out = tmp_path / "o"
    process = started(tracefs, vmlinux, out, "--", "sleep", "300")
    process.send_signal(number)
    process.communicate()
    assert process.returncode == 128 + number
    assert untouched(tracefs)
    assert not out.exists()


def test_ctrl_c_ends_a_recording_and_keeps_it(tracefs, vmlinux, tmp_path):
    """Without a command Ctrl-C is how it ends: the archive is written."""
    out = tmp_path / "o"
    process = started(tracefs, vmlinux, out)
    (next((tracefs / "instances").glob("lazymmu-*")) / "trace").write_text(TRACE)
    time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate()
    assert process.returncode == 0, said
    assert untouched(tracefs)
    assert "trace" in members(out)


def test_what_a_killed_recording_left_is_named_and_removed(run, tracefs, vmlinux, tmp_path):
    """The next recording refuses and says how; --clean takes away what is ours alone."""
    process = started(tracefs, vmlinux, tmp_path / "o", "--", "sleep", "300")
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    ran = run("record", "--tracefs", tracefs, "--vmlinux", vmlinux, "--", "true")
    assert ran.code == 2
    assert f"lazymmu-record-{process.pid}" in ran.err
    assert "record --clean" in ran.err
    assert run("record", "--tracefs", tracefs, "--clean").code == 0
    assert untouched(tracefs)


def test_what_could_not_be_undone_is_said_and_is_a_failure(run, tracefs, tmp_path):
    """An instance that does not go is named with the way to try again, and the status is 2."""
    ran = run(
        *("record", "--tracefs", tracefs, "--output", tmp_path / "o"),
        *command(tracefs, "mkdir -p $d/held/fast"),
    )
    assert ran.code == 2
    assert "cannot remove" in ran.err
    assert "rmdir" in ran.err
    assert (tmp_path / "o").exists()


def test_ctrl_c_with_a_command_ends_it_and_keeps_the_recording(tracefs, vmlinux, tmp_path):
    """A command that heeds Ctrl-C ends, and what was recorded until then is there."""
    out = tmp_path / "o"
    process = started(tracefs, vmlinux, out, "--", "sleep", "300")
    time.sleep(0.1)
    os.killpg(process.pid, signal.SIGINT)
    _, said = process.communicate()
    assert process.returncode == 3, said
    assert untouched(tracefs)
    assert json.loads(members(out)["how.json"])["status"] == -signal.SIGINT


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_what_comes_while_a_command_is_begun_ends_it_all_the_same(monkeypatch, number):
    """A signal between the command's first moment and ours leaves no command behind."""
    begun = []

    class Slow(subprocess.Popen):
        """A command that is begun by halves: the signal comes before anybody knows of it."""

        def __init__(self, *args):
            super().__init__(*args)
            begun.append(self)
            os.kill(os.getpid(), number)

    monkeypatch.setattr("lazymmu.tracing.command.subprocess.Popen", Slow)
    with run_until(["sleep", "300"]) as recorded:
        if number == signal.SIGINT:
            assert recorded(lambda _: None).status == -signal.SIGINT
        else:
            with pytest.raises(Terminated):
                recorded(lambda _: None)
    assert begun[0].poll() is not None


def test_cleaning_leaves_alone_what_still_runs(run, tracefs, tmp_path, monkeypatch):
    """A recording that goes on is not taken apart by another one's --clean."""
    own = tracefs / "instances" / f"lazymmu-record-{os.getpid()}"
    own.mkdir()
    monkeypatch.setattr("lazymmu.tracing.tracefs._runs", lambda process: process == os.getpid())
    ran = run("record", "--tracefs", tracefs, "--clean")
    assert ran.code == 0
    assert f"process {os.getpid()} is recording" in ran.err
    assert own.is_dir()


def test_an_image_in_which_nothing_is_found_is_said(run, tracefs, tmp_path):
    """Probes of somebody else may stand on the instructions: the rest is recorded."""
    empty = tmp_path / "empty"
    empty.write_bytes(Image([("zap", b"\x90" * 16)]).build())
    result = run("record", "--tracefs", tracefs, "--vmlinux", empty, "--dry-run")
    assert f"none that touches the counters was found in {empty}" in result.err


@pytest.mark.parametrize(
    ("files", "told"),
    [
        ({}, False),
        ({"class": ""}, True),
        ({"hypervisor/type": "kvm"}, True),
        ({"hypervisor/type": "xen"}, False),
        ({"hypervisor/type": "xen\n", "hypervisor/guest_type": "PV\n"}, False),
        ({"hypervisor/type": "xen\n", "hypervisor/guest_type": "HVM\n"}, True),
    ],
)
def test_an_x86_that_never_has_the_mode_is_named_before_anything_is_recorded(
    tracefs, tmp_path, files, told
):
    """Before v7.0 only guests of Xen PV have it on; what the machine does not say is not told."""
    root = tmp_path / "root"
    root.mkdir()
    for name, text in files.items():
        path = root / "sys" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    asked = RecordRequest(
        machine="x86_64", release="6.12.107", tracefs=str(tracefs), root=root, command=("ls",)
    )
    said = plan_recording(asked).lacking
    assert any("no Xen PV guest" in one for one in said) is told
