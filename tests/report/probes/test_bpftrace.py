# SPDX-License-Identifier: GPL-2.0-or-later
"""The script for bpftrace: what it would print is what `lazymmu trace` reads."""

from __future__ import annotations

import re

import pytest

from lazymmu.cli import main
from lazymmu.problem import Problem
from lazymmu.report.probes import bpftrace
from lazymmu.verbs.probes import ProbesRequest, find_probes
from tests.images import ARM64, BEGIN, END, Image, sparc64, types


def script(tmp_path, image: Image) -> str:
    """The script of an image."""
    path = tmp_path / "vmlinux"
    path.write_bytes(image.build())
    return bpftrace.render(find_probes(ProbesRequest(vmlinux=str(path))))


def printed(text: str, event: str, micro: int, *values: object) -> str:
    """The line that the script's printf makes of values, by C's rules."""
    form = next(one for one in re.findall(r'printf\("(.*)\\n"', text) if f": {event}: " in one)
    return form.replace("llu", "d") % ("dd", 9, 0, 1, micro, *values) + "\n"


def test_what_the_script_prints_is_read_as_sections(tmp_path, capsys):
    """A begin and an end by bpftrace are one section, with the kernel's release."""
    text = script(tmp_path, Image([("zap", BEGIN + END)]))
    first = re.search(r'BEGIN \{ printf\("(.*)"\)', text)[1].replace("\\n", "\n")
    trace = tmp_path / "trace"
    trace.write_text(
        first
        + printed(text, "en1", 10, 9, 0, 0)
        + printed(text, "st1", 20, 9, 1, 0, 0)
        + printed(text, "sched_switch", 30, "dd", 9, 120, "S", "", "sh", 10, 120)
    )
    main(["trace", str(trace)])
    said = capsys.readouterr().err
    assert "1 sections" in said
    assert "7.3.4-made" in said


def test_registers_are_in_the_words_of_bpftrace(tmp_path):
    """arm64's x8 is its r8; what a store stores is one byte of its register."""
    text = script(tmp_path, Image([("f", ARM64)], arch="arm64"))
    assert 'kprobe:f+0x18 /@first && @last/ {\n  $base = reg("r8");' in text
    assert "*(int32 *)($base - 2648), *(uint8 *)($base + 1448)" in text
    assert '(reg("r11")) & 0xff' in text


def test_older_versions_of_bpftrace_read_the_script(tmp_path):
    """v0.17, which Debian 12 has, knows fields of a tracepoint behind an arrow alone."""
    text = script(tmp_path, Image([("zap", BEGIN + END)]))
    assert "args->prev_pid" in text
    assert "args." not in text


def test_an_architecture_that_bpftrace_does_not_have_is_said(tmp_path):
    """It is not built for sparc64: tracefs is what is left."""
    image = Image([("f", sparc64())], arch="sparc", order=">", types=types(">"))
    with pytest.raises(Problem, match="bpftrace does not run on sparc64"):
        script(tmp_path, image)


def test_nothing_is_printed_before_all_probes_are_there(tmp_path):
    """They are attached in turns, from either end: one at each end says that all are."""
    text = script(tmp_path, Image([("zap", BEGIN + END)]))
    probes = re.findall(r"^(kprobe|tracepoint):(\S+) /(\S+)", text, re.MULTILINE)
    assert (probes[0][1], probes[-1][1]) == ("schedule", "vfs_write")
    assert {"@first"} == {guard for _, name, guard in probes if name.startswith("zap+")}
