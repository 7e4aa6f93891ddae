# SPDX-License-Identifier: GPL-2.0-or-later
"""`lazymmu explain --oops` and `lazymmu trace` of a text in which a kernel complains."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path

import pytest

from tests.verbs import oops_texts as texts

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.fixture
def file(tmp_path):
    """Writes a text; gives its path."""

    def write(text: str, name: str = "dmesg.txt"):
        path = tmp_path / name
        path.write_text(text)
        return path

    return write


def test_an_oops_is_explained(run, file):
    """Where it fired, which implementation has it, what shows and what mended it, what is next."""
    ran = run("explain", "--oops", file(texts.X86_XEN_612_SWITCH))
    assert ran.code == 0
    assert "of the mode: kernel BUG at arch/x86/include/asm/xen/hypervisor.h:86!" in ran.out
    for words in (
        "xen-nesting-count (v6.6 to v6.14, v6.12.38)",
        "vmap-pfn-preempted (6.12.8",
        "mended        in 6.12.38",
        "lazymmu verify --arch x86 --release 6.12.8 --scenario",
        "record next",
        "ftrace_dump_on_oops",
    ):
        assert words in ran.out


def test_a_trace_that_is_an_oops_is_explained_and_a_finding(run, file):
    """Who asks for the trace of a crash log gets what can be told of it, and exit code 1."""
    ran = run("trace", file(texts.X86_XEN_618_LEAVE))
    assert ran.code == 1
    assert "[mode-off-at-end]" in ran.out
    assert "no trace, but 1 oops, BUG or warning of a kernel: 1 of the mode" in ran.err


def test_an_oops_of_something_else_says_why(run, file):
    """Nothing of the mode could be judged by it: exit code 3."""
    for verb in (("explain", "--oops"), ("trace",)):
        ran = run(*verb, file(texts.X86_NULL))
        assert ran.code == 3
        assert "not of this mode" in ran.out
        assert "x86 without Xen PV" in ran.out


SLEPT = """\
BUG: sleeping function called from invalid context at include/linux/sched/mm.h:306
in_atomic(): 1, irqs_disabled(): 0, non_block: 0, pid: 204, name: insmod
CPU: 0 UID: 0 PID: 204 Comm: insmod Not tainted 6.15.2 #5 PREEMPT(full)
Call Trace:
 __might_resched+0x171/0x240
 __kmalloc_noprof+0x2a9/0x330
 callback+0x3d/0x90 [driver]
 apply_to_pte_range+0x14e/0x2d0
 __apply_to_page_range+0x4f0/0x6c0
"""


def test_where_the_machine_is_not_told_nothing_is_said_of_this_kernel(run, file):
    """A scenario is of an architecture and releases then; which kernel this is, is asked for."""
    ran = run("explain", "--oops", file(SLEPT))
    assert "architecture not told" in ran.out
    assert "sleep-inside-section (on x86, 3.1 to" in ran.out
    assert "not on this kernel" not in ran.out
    assert "name the kernel with --arch" in ran.out


def test_standard_input_may_be_a_crash_log(run, monkeypatch):
    """`dmesg | lazymmu trace -` and `dmesg | lazymmu explain --oops -` do the same."""
    for arguments in (("trace", "-"), ("explain", "--oops", "-")):
        data = io.TextIOWrapper(io.BytesIO(texts.ARM64_WARNS.encode()))
        monkeypatch.setattr(sys, "stdin", data)
        assert "[begun-in-section]" in run(*arguments).out


def test_programs_get_one_document(run, file):
    """Both verbs print the same JSON for the same text."""
    path = file(texts.SPARC_BELOW)
    one = json.loads(run("explain", "--oops", path, "--format", "json").out)
    other = json.loads(run("trace", path, "--format", "json").out)
    assert one == other
    (oops,) = one["texts"][0]["oopses"]
    assert (oops["verdict"], oops["implementation"]) == ("of the mode", "sparc-active")


def test_one_that_comes_again_is_told_once(run, file):
    """A machine that warns all the time is told of once, with the number."""
    ran = run("explain", "--oops", file(texts.X86_XEN_MARKER * 5))
    assert ran.out.count("[marker-not-empty]") == 1
    assert "5 times in this text" in ran.out


def test_hostile_text_reaches_a_terminal_cleaned(run, file):
    """What acts on a terminal is spelt out wherever it stands in the text."""
    text = texts.X86_XEN_618_LEAVE.replace("my prog [x]", "a\x1b[2J\x07b\u202e")
    ran = run("explain", "--oops", file(text.replace("6.18.15+deb14", "6.18.15\x1b]0;x\x07")))
    assert not set(ran.out) & {"\x1b", "\x07", "\u202e"}


@pytest.mark.parametrize(
    "arguments",
    [
        ("--oops", "{}", "nested-section"),
        ("--oops", "{}", "--contract"),
        ("--oops", "{}", "--format", "dot"),
        ("--oops", "{}", "--arch", "x86,arm64"),
        ("--oops", "{}", "--release", "newest"),
        ("--oops", "{}/none"),
        ("--release", "6.1"),
        ("nested-section", "--format", "json"),
    ],
)
def test_what_does_not_go_together_is_one_sentence(run, file, arguments):
    """Wrong arguments end with 2, and say in one sentence what is wrong."""
    path = file(texts.X86_XEN_618_LEAVE)
    ran = run("explain", *(argument.format(path) for argument in arguments))
    assert (ran.code, ran.out, len(ran.err.splitlines())) == (2, "", 1)


def test_a_splat_is_a_result_of_sarif(run):
    """Under the first rule that it says was broken, at its line, from either command."""
    path = EXAMPLES / "oops" / "xen-7.3.4-wrapped.txt"
    one = json.loads(run("explain", "--oops", path, "--format", "sarif").out)
    other = json.loads(run("trace", path, "--format", "sarif").out)
    assert one == other
    (result,) = one["runs"][0]["results"]
    assert (result["ruleId"], result["level"]) == ("dirty-start", "error")
    assert result["locations"][0]["physicalLocation"]["region"]["startLine"] == 2
    driver = one["runs"][0]["tool"]["driver"]
    assert driver["rules"][result["ruleIndex"]]["id"] == "dirty-start"


@pytest.mark.parametrize("name", ["html", "junit", "csv"])
def test_a_format_that_has_no_oopses_is_said_to(run, name):
    """An output that stays empty is no answer: those that have it are named."""
    ran = run("trace", EXAMPLES / "oops" / "xen-7.3.4-wrapped.txt", "--format", name)
    assert ran.code == 1
    assert f"nothing of that is in {name}: text, json and sarif have it" in ran.err


def test_traces_and_oopses_stand_in_one_document(run):
    """Neither is left out of JSON or SARIF when both are given."""
    given = (
        EXAMPLES / "trace" / "xen-6.12.107.trace.gz",
        EXAMPLES / "oops" / "xen-7.3.4-wrapped.txt",
    )
    whole = json.loads(run("trace", *given, "--format", "json").out)
    assert [one["trace"] for one in whole["traces"]] == [str(given[0])]
    assert [one["text"] for one in whole["texts"]] == [str(given[1])]
    assert whole["traces"] == json.loads(run("trace", given[0], "--format", "json").out)["traces"]
    assert whole["texts"] == json.loads(run("trace", given[1], "--format", "json").out)["texts"]
    runs = json.loads(run("trace", *given, "--format", "sarif").out)["runs"]
    assert [one["automationDetails"]["id"].split("/")[1] for one in runs] == ["trace", "oops"]
    assert all(one["results"] for one in runs)


def test_a_splat_that_is_not_of_the_mode_only_informs(run, tmp_path):
    """It has no rule, and no scanner stops for it."""
    path = tmp_path / "other.txt"
    path.write_text("[ 1.0] kernel BUG at fs/ext4/inode.c:1!\n[ 1.0] RIP: 0010:ext4_x+0x1/0x2\n")
    (result,) = json.loads(run("explain", "--oops", path, "--format", "sarif").out)["runs"][0][
        "results"
    ]
    assert "ruleId" not in result
    assert (result["level"], result["kind"]) == ("note", "informational")
