# SPDX-License-Identifier: GPL-2.0-or-later
"""Where traces come from: files, streams, packed or not, and what is no trace."""

from __future__ import annotations

import contextlib
import gzip
import io
import lzma
import stat
import tarfile
import time
from pathlib import Path

import pytest

from lazymmu.ftrace import TraceError, read

LINE = "            init-1       [001] .....     1.000001: xen_enter_lazy_mmu <-f\n"
TRACE_DAT = b"\x17\x08\x44tracing7\x00"


def names(path, stream=None):
    """The functions of a trace."""
    return [record.name for record in read(str(path), stream)]


@pytest.mark.parametrize("pack", [bytes, gzip.compress, lzma.compress], ids=["plain", "gz", "xz"])
def test_files_are_recognised_by_what_they_hold(tmp_path, pack):
    """Files are recognised by what they hold, and not by their names."""
    path = tmp_path / "trace.txt"
    path.write_bytes(pack(LINE.encode() * 3))
    assert names(path) == ["xen_enter_lazy_mmu"] * 3
    assert names("<stdin>", io.BytesIO(path.read_bytes())) == ["xen_enter_lazy_mmu"] * 3


def test_zstd_is_read_where_python_can(tmp_path):
    """compression.zstd, or the backport of it."""
    try:
        from compression import zstd
    except ImportError:
        zstd = pytest.importorskip("backports.zstd")
    path = tmp_path / "trace"
    path.write_bytes(zstd.compress(LINE.encode() * 3))
    assert names(path) == ["xen_enter_lazy_mmu"] * 3


def test_a_file_that_is_not_there_is_one_sentence(tmp_path):
    """A file that is not there is one sentence with the reason."""
    with pytest.raises(TraceError, match=r"cannot read .*: No such file or directory$"):
        names(tmp_path / "none")


def test_a_name_that_no_file_can_have_is_one_sentence():
    """Where the system gives no reason, Python's own is told."""
    with pytest.raises(TraceError, match=r"cannot read .*: embedded null byte$"):
        names("a\0b")


def test_a_directory_is_one_sentence(tmp_path):
    """A directory in place of a file is one sentence with the reason."""
    with pytest.raises(TraceError, match="Is a directory"):
        names(tmp_path)


def test_a_trace_dat_without_trace_cmd_says_what_to_do(tmp_path, monkeypatch):
    """The command that would print it is in the sentence."""
    path = tmp_path / "trace.dat"
    path.write_bytes(TRACE_DAT)
    monkeypatch.setenv("PATH", str(tmp_path / "empty"))
    with pytest.raises(TraceError, match=r"trace-cmd report -l -N -O parent trace\.dat"):
        names(path)


def test_a_trace_dat_cannot_come_from_a_stream():
    """A trace.dat cannot come from a stream, because trace-cmd needs a file."""
    with pytest.raises(TraceError, match="name the file"):
        names("<stdin>", io.BytesIO(TRACE_DAT))


@pytest.fixture
def trace_cmd(tmp_path, monkeypatch):
    """Put a program in the place of trace-cmd: `trace_cmd(shell text)`."""

    def install(script):
        home = tmp_path / "bin"
        home.mkdir()
        program = home / "trace-cmd"
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
        monkeypatch.setenv("PATH", f"{home}:/usr/bin:/bin")
        path = tmp_path / "trace.dat"
        path.write_bytes(TRACE_DAT)
        return path

    return install


def test_trace_cmd_is_asked_for_text_and_for_the_kernels_name(trace_cmd):
    """Lines are numbered as `trace-cmd report` numbers them."""
    path = trace_cmd(
        'case "$*" in *--uname*) echo "Linux box 6.12.107 x86_64"; exit;; esac\n'
        f"echo cpus=2; printf '%s' '{LINE}'"
    )
    trace = read(str(path))
    assert [(record.line, record.name) for record in trace] == [(2, "xen_enter_lazy_mmu")]
    assert (trace.header.release, trace.header.machine) == ("6.12.107", "x86_64")


def test_trace_cmd_only_ever_reports(trace_cmd, tmp_path):
    """trace-cmd is asked for the kernel's name, then for the text with callers, and no more."""
    path = trace_cmd(f"echo \"$*\" >> {tmp_path}/asked; printf '%s' '{LINE}'")
    names(path)
    assert (tmp_path / "asked").read_text().splitlines() == [
        f"report --uname -i {path}",
        f"report -l -N -O parent -i {path}",
    ]


def test_what_trace_cmd_refuses_is_told_with_its_words(trace_cmd):
    """However much it says: the first line is enough."""
    path = trace_cmd(
        'case "$*" in *--uname*) exit 1;; esac\n'
        "echo 'magic is bad' >&2; i=0; while [ $i -lt 3000 ]; do echo more and more and more and "
        "more and more >&2; i=$((i+1)); done; exit 3"
    )
    with pytest.raises(TraceError, match=r"trace-cmd cannot read .*: magic is bad$"):
        names(path)


def test_progress_counts_what_was_read(tmp_path):
    """In packed bytes, up to the file's size."""
    path = tmp_path / "trace"
    path.write_bytes(gzip.compress(LINE.encode() * 1000))
    told = []
    list(read(str(path), progress=told.append))
    assert told[-1] == path.stat().st_size


def test_a_trace_can_be_left_early(tmp_path):
    """Nobody has to read it to its end."""
    path = tmp_path / "trace"
    path.write_bytes(LINE.encode() * 100_000)
    assert next(iter(read(str(path)))).line == 1


# ---- traces that end before their end ------------------------------------------------------------


def ended(path, stream=None):
    """The number of records, and the losses with which a trace ends."""
    trace = read(str(path), stream)
    number = len(list(trace))
    return number, [loss.what for loss in trace.losses if loss.ended]


def zstd_compress(data):
    """As the zstd of this Python does it."""
    try:
        from compression import zstd
    except ImportError:
        zstd = pytest.importorskip("backports.zstd")
    return zstd.compress(data)


@pytest.mark.parametrize("pack", [gzip.compress, lzma.compress, zstd_compress])
@pytest.mark.parametrize("share", [0.3, 0.6, 0.95])
def test_packed_data_that_ends_early_gives_what_was_read_and_a_loss(tmp_path, pack, share):
    """From a file, and from a pipe that closes."""
    lines = "".join(
        LINE.replace("1.000001", f"{number // 1000}.{number * 7919 % 1000:03}{number % 997:03}")
        for number in range(30_000)
    )
    packed = pack(lines.encode())
    path = tmp_path / "cut"
    path.write_bytes(packed[: int(len(packed) * share)])
    for stream in (None, io.BytesIO(path.read_bytes())):
        number, why = ended(path, stream)
        assert 0 < number < 30_000
        assert [one.startswith("the data ends here, damaged: ") for one in why] == [True]
    path.write_bytes(packed)
    assert ended(path) == (30_000, [])


def test_packed_data_with_a_wrong_byte_gives_a_loss(tmp_path):
    """A checksum says so at the end."""
    packed = bytearray(gzip.compress(LINE.encode() * 1000))
    packed[-8] ^= 1
    path = tmp_path / "wrong"
    path.write_bytes(packed)
    number, why = ended(path)
    assert number == 1000
    assert len(why) == 1


def test_a_last_line_without_its_end_is_a_loss(tmp_path):
    """Half a line can say the opposite of the whole, so it is dropped, and that is said."""
    path = tmp_path / "cut"
    path.write_text(LINE * 3 + LINE[:-9])
    assert ended(path) == (3, ["the last line is cut"])


def test_data_without_any_line_is_not_read_for_ever(monkeypatch):
    """Data without any line, as from /dev/zero, is not read for ever."""
    from lazymmu.ftrace import streams

    monkeypatch.setattr(streams, "LIMIT", 4 << 20)

    class Zeros(io.RawIOBase):
        def readable(self):
            return True

        def readinto(self, buffer):
            buffer[:] = bytes(len(buffer))
            return len(buffer)

    assert ended("<stdin>", io.BufferedReader(Zeros())) == (
        0,
        ["it holds no end of a line in 4 MiB"],
    )


UNAME = 'case "$*" in *--uname*) exit;; esac\n'


@pytest.mark.parametrize(
    ("script", "why"),
    [
        ("kill -9 $$", "trace-cmd failed: it was killed by signal 9"),
        ("kill -15 $$", "trace-cmd failed: it was killed by signal 15"),
        ("exit 3", "trace-cmd failed: it ended with status 3 and gave no reason"),
        ("echo; echo 'bad data' >&2; exit 1", "trace-cmd failed: bad data"),
    ],
)
def test_a_trace_cmd_that_dies_after_some_output_is_a_loss(trace_cmd, script, why):
    """The part is judged, and nobody takes it for the whole."""
    path = trace_cmd(
        f"{UNAME}i=0; while [ $i -lt 50 ]; do echo '{LINE[:-1]}'; i=$((i+1)); done\n{script}"
    )
    assert ended(path) == (50, [why])


def running():
    """The command lines of all processes."""
    found = []
    for entry in Path("/proc").iterdir():
        # Processes come and go.
        with contextlib.suppress(OSError):
            found.append((entry / "cmdline").read_text())
    return " ".join(found)


def test_a_trace_cmd_that_hangs_is_a_loss(trace_cmd, monkeypatch):
    """After a while; it is gone then, with all that it started."""
    from lazymmu.ftrace import tracecmd

    monkeypatch.setattr(tracecmd, "MAX_SILENCE_SECONDS", 0.5)
    monkeypatch.setattr(tracecmd, "_MAX_UNAME_SECONDS", 0.5)
    path = trace_cmd(f"echo '{LINE[:-1]}'; sleep 987654")
    assert ended(path) == (1, ["trace-cmd failed: it said nothing for 0 s"])
    # A process that was killed may need a moment to go.
    until = time.monotonic() + 10
    while "987654" in running() and time.monotonic() < until:
        time.sleep(0.05)
    assert "987654" not in running()


@pytest.mark.parametrize(
    ("script", "why"),
    [
        ("kill -9 $$", "it was killed by signal 9"),
        ("exit 1", "it ended with status 1 and gave no reason"),
        ("sleep 987655", "it said nothing for 0 s"),
    ],
)
def test_a_trace_cmd_that_fails_before_it_says_anything_is_an_error(
    trace_cmd, monkeypatch, script, why
):
    """A trace-cmd that fails before it says anything is an error.

    There is nothing to judge.
    """
    from lazymmu.ftrace import tracecmd

    monkeypatch.setattr(tracecmd, "MAX_SILENCE_SECONDS", 0.5)
    with pytest.raises(TraceError, match=rf"^trace-cmd cannot read .*: {why}$"):
        ended(trace_cmd(UNAME + script))


def test_a_trace_left_early_leaves_no_trace_cmd_behind(trace_cmd):
    """It is ended, however much it would have printed, and its end is no loss."""
    path = trace_cmd(f"{UNAME}while :; do echo '{LINE[:-1]}'; done")
    trace = read(str(path))
    records = iter(trace)
    assert next(records).name == "xen_enter_lazy_mmu"
    records.close()
    assert not trace.losses


def _archived(text: bytes) -> bytes:
    """The text as `lazymmu record` archives it, before packing."""
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w", format=tarfile.GNU_FORMAT) as archive:
        for name, what in (("release", b"6.12"), ("trace", text)):
            member = tarfile.TarInfo(name)
            member.size = len(what)
            archive.addfile(member, io.BytesIO(what))
    return made.getvalue()


@pytest.mark.parametrize("archived", [False, True], ids=["text", "archive"])
@pytest.mark.parametrize("number", [3, 30_000])
def test_damage_is_told_wherever_it_is(tmp_path, archived, number):
    """A checksum stands at the end of what is packed, behind the trace; small files, too."""
    text = LINE.encode() * number
    packed = bytearray(gzip.compress(_archived(text) if archived else text))
    packed[-8] ^= 0xFF
    path = tmp_path / "trace.gz"
    path.write_bytes(packed)
    trace = read(str(path))
    assert len(list(trace)) == number
    (loss,) = trace.losses
    assert (loss.ended, "before: CRC check failed" in loss.what) == (True, True)


@pytest.mark.parametrize("archived", [False, True], ids=["text", "archive"])
@pytest.mark.parametrize("pack", [gzip.compress, lzma.compress], ids=["gz", "xz"])
@pytest.mark.parametrize("number", [300, 60_000])
@pytest.mark.parametrize("share", [0.4, 0.9])
def test_a_cut_file_gives_what_is_left_of_it(tmp_path, archived, pack, number, share):
    """Lines of a small one, too, and a loss that says that more was to come."""
    lines = [LINE.replace("1.000001", f"1.{at:06}") for at in range(number)]
    text = "".join(lines).encode()
    packed = pack(_archived(text) if archived else text)
    path = tmp_path / "cut"
    path.write_bytes(packed[: int(len(packed) * share)])
    trace = read(str(path))
    found = len(list(trace))
    assert (0.2 * share * number if number > 1000 else 0) < found <= number
    (loss,) = trace.losses
    assert loss.ended
