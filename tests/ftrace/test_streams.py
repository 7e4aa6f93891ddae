# SPDX-License-Identifier: GPL-2.0-or-later
"""Where traces come from: files, streams, packed or not, and what is no trace."""

from __future__ import annotations

import gzip
import io
import lzma
import stat

import pytest

from lazymmu.ftrace import TraceError, read

LINE = "            init-1       [001] .....     1.000001: xen_enter_lazy_mmu <-f\n"
TRACE_DAT = b"\x17\x08\x44tracing7\x00"


def names(path, stream=None):
    """The functions of a trace."""
    return [record.name for record in read(str(path), stream)]


@pytest.mark.parametrize("pack", [bytes, gzip.compress, lzma.compress], ids=["plain", "gz", "xz"])
def test_files_are_recognised_by_what_they_hold(tmp_path, pack):
    """Not by their names."""
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
    """With the reason."""
    with pytest.raises(TraceError, match=r"cannot read .*: No such file or directory$"):
        names(tmp_path / "none")


def test_a_directory_is_one_sentence(tmp_path):
    """As above."""
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
    """trace-cmd needs a file."""
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
