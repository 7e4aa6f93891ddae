# SPDX-License-Identifier: GPL-2.0-or-later
"""What an oops, BUG or warning has to do with the mode, whatever its text went through."""

from __future__ import annotations

import bz2
import gzip
import html
import json
import lzma
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lazymmu.contract.complaints import complaints, holds_section
from lazymmu.contract.deferral import ROW_BY_NAME
from lazymmu.contract.rules import RULES
from lazymmu.litmus import shipped
from lazymmu.problem import Problem
from lazymmu.verbs.given import Input
from lazymmu.verbs.oops import OopsVerdict, diagnose, explain_oops
from tests.verbs import oops_texts as texts

OF, PERHAPS, OTHER = OopsVerdict.OF_THE_MODE, OopsVerdict.PERHAPS, OopsVerdict.OTHER

CASES = {
    "X86_XEN_61_NESTED": (OF, "mode-on-at-begin", "x86", "6.1.176", "section-inside-section"),
    "X86_XEN_612_SWITCH": (OF, "mode-wrong-at-switch", "x86", "6.12.8", "vmap-pfn-preempted"),
    "X86_XEN_618_LEAVE": (OF, "mode-off-at-end", "x86", "6.18.5", "section-ended-twice"),
    "X86_XEN_71_REFUSED": (OF, "update-refused", "x86", "7.1.13", "table-unlinked-twice"),
    "X86_XEN_73_WRAPPED": (OF, "switch-wraps-pause", "x86", "7.3.4", "fork-outside-section"),
    "X86_73_CONDITION": (OF, "ended-too-often", "x86-native", "7.3.4", "section-ended-twice"),
    "X86_XEN_MARKER": (OF, "marker-not-empty", "x86", "6.12.117", "file-swap-entry-zapped"),
    "X86_XEN_73_MARKER": (OF, "markers-not-empty", "x86", "7.3.4", "swap-entry-zapped"),
    "X86_XEN_OTHER_WARNING": (OTHER, "mm/memory.c:1777 is no check", "x86", "6.18.5", ""),
    "X86_XEN_COPIES": (
        OF, "copied-entry-not-present", "x86", "7.1.13", "fork-copies-exclusive-entry",
    ),
    "X86_XEN_COPIES_ELSEWHERE": (
        PERHAPS, "copied-entry-not-present", "x86", "6.1.176", "fork-copies-exclusive-entry",
    ),
    "X86_XEN_COPIES_NO_PAGE": (
        PERHAPS, "copied-entry-is-no-page", "x86", "7.3.4", "fork-copies-exclusive-entry",
    ),
    "X86_XEN_PASSES": (OTHER, "only passes through zap_pte_range()", "x86", "6.12.117", ""),
    "X86_XEN_LOCKUP": (OTHER, "only passes through zap_pte_range()", "x86", "6.18.5", ""),
    "X86_XEN_510_BAD_PAGE": (OTHER, "no check of the mode", "x86", "5.10", ""),
    "X86_XEN_618_UNPIN": (
        OF, "update-refused", "x86", "6.18.5", "table-unlinked-twice-pt-reclaim",
    ),
    "ARM64_PASSES": (OTHER, "only passes through zap_pte_range()", "arm64", "7.3.4", ""),
    "POWERPC_HASH_PASSES": (OTHER, "only passes through zap_pte_range()", "powerpc", "6.12.8", ""),
    "POWERPC_HASH_PINNED": (OF, "slept-in-section", "powerpc", "6.12.38", "sleep-inside-section"),
    "X86_OOM": (OTHER, "x86 without Xen PV", "x86-native", "6.12.117", ""),
    "X86_XEN_PGTABLES": (PERHAPS, "table-freed-twice", "x86", "7.1.13", "table-unlinked-twice"),
    "POWERPC_HASH_SLEEP": (OF, "slept-in-section", "powerpc", "6.12.8", "sleep-inside-section"),
    "POWERPC_HASH_LEAK": (
        PERHAPS, "preemption-left-disabled", "powerpc", "6.12.8", "section-never-ends",
    ),
    "SPARC_PINNED": (OF, "slept-in-section", "sparc", "6.12.38", "sleep-inside-section"),
    "SPARC_BELOW": (OF, "slept-in-section", "sparc", "6.18.5", "sleep-inside-section"),
    "ARM64_WARNS": (OF, "begun-in-section", "arm64", "6.16-rc1", "page-allocated-in-section"),
    "ARM64_71_RESUME": (OF, "resumed-too-often", "arm64", "7.1.13", "resume-twice"),
    "POWERPC_RADIX_SLEEP": (OTHER, "radix", "powerpc-radix", "6.12.8", ""),
    "X86_NULL": (OTHER, "x86 without Xen PV", "x86-native", "6.12.8", ""),
    "X86_IRQ_SLEEP": (OTHER, "is no check of the mode", "x86", "6.18.5", ""),
    "RISCV": (OTHER, "riscv", "riscv", "", ""),
    "S390": (OTHER, "s390", "s390", "", ""),
    "ARM64_OLD": (OTHER, "before Linux", "arm64", "", ""),
}  # fmt: skip


def told(text: str | bytes) -> tuple[str, ...]:
    """What is told of the first splat of a text."""
    answer = diagnose("dmesg", text if isinstance(text, bytes) else text.encode())
    assert len(answer.diagnoses) == 1, [one.splat.head for one in answer.diagnoses]
    (one,) = answer.diagnoses
    return (
        one.verdict,
        one.complaint.name if one.complaint else one.why,
        one.kernel.arch,
        one.kernel.like,
        one.kernel.release,
        *(shown.scenario for shown in one.shown),
    )


@pytest.mark.parametrize("name", CASES)
def test_each_kind_is_told_on_each_architecture(name):
    """Verdict, kind, architecture, the release that it is read as, and a scenario that shows it."""
    verdict, kind, arch, like, scenario = CASES[name]
    found = told(getattr(texts, name))
    assert found[0] is verdict
    assert kind in found[1]
    assert found[2:4] == (arch, like)
    assert scenario in (*found[5:], "")


def lined(prefix):
    """A way to put the same before each line, but for its number."""
    return lambda text: "".join(
        f"{prefix.format(number=number)}{line}\n" for number, line in enumerate(text.splitlines())
    )


def broken(text, columns):
    """The text as a terminal of so many columns breaks it."""
    lines = (
        line[at : at + columns]
        for line in text.splitlines()
        for at in range(0, max(len(line), 1), columns)
    )
    return "\n".join(lines) + "\n"


CARRIERS = {
    "times": lined("[  436.{number:06}] "),
    "facility": lined("kern  :warn  : [  436.{number:06}] "),
    "level": lined("<4>[  436.{number:06}] "),
    "dmesg -T": lined("[Sun Nov 29 02:10:23 2026] "),
    "dmesg iso": lined("2026-11-29T02:10:23,{number:06}+01:00 "),
    "caller": lined("[  436.{number:06}][ T4021] "),
    "syslog": lined("Nov 29 02:10:23 host kernel: [  436.{number:06}] "),
    "journal": lined("2026-11-29T02:10:23.436849+0100 host kernel: "),
    "kmsg": lined("4,{number},436849614,-;"),
    "quoted": lined("> "),
    "quoted twice": lined(">> | "),
    "indented": lined("    \t"),
    "container": lined("2026-11-29T02:10:23.436849Z stderr F "),
    "grep -n": lined("{number}:"),
    "crlf": lambda text: text.replace("\n", "\r\n"),
    "serial cr": lambda text: text.replace("\n", "\r\r\n"),
    "colours": lambda text: text.replace("BUG", "\x1b[1;31mBUG\x1b[0m"),
    "page": lambda text: html.escape(text).replace("\n", "<br/>\n"),
    "bom": lambda text: "\ufeff" + text,
    "mail": lambda text: "From: a@b\nSubject: [BUG] oops\n\nHi,\n\n" + text + "\n-- \nme\n",
    "nul": lambda text: text.replace(" ", " \0", 3),
    "terminal": lambda text: broken(lined("[  436.{number:06}] ")(text), 80),
    "capture": lambda text: broken(lined("[2026-11-29 02:10:23] [  436.{number:06}] ")(text), 100),
    "journal json": lambda text: "".join(
        json.dumps({"PRIORITY": "4", "MESSAGE": line, "_TRANSPORT": "kernel"}) + "\n"
        for line in text.splitlines()
    ),
    "decoded": lambda text: re.sub(
        r"^(?!WARNING|.*\bBUG\b)(.*?)([A-Za-z_][\w.]+)\+0x[0-9a-f]+/0x[0-9a-f]+"
        r"( \[\w+\])?( \(P\))?$",
        r"\1\2 (mm/some.c:12 (discriminator 3) ./include/linux/other.h:3)\4\3",
        text,
        flags=re.M,
    ),
    "syzbot": lambda text: (
        "Subject: [syzbot] [mm?] BUG: scheduling while atomic in f\n\n"
        + re.sub(r"(\+0x[0-9a-f]+/0x[0-9a-f]+)$", r"\1 mm/some.c:12", text, flags=re.M)
    ),
    "boot": lambda text: "Linux version 4.19.0 (a@b)\nCommand line: x\n" + text,
}


@pytest.mark.parametrize("carrier", CARRIERS)
@pytest.mark.parametrize("name", CASES)
def test_what_carried_a_text_changes_nothing(name, carrier):
    """Times, facilities, marks of mails, consoles and pages: the same is told."""
    text = getattr(texts, name)
    assert told(CARRIERS[carrier](text)) == told(text)


def test_utf_16_and_quoted_printable_are_read():
    """Texts as PowerShell and mailers write them are told as others."""
    text = texts.X86_XEN_618_LEAVE
    assert told(text.encode("utf-16")) == told(text)
    quoted = "Content-Transfer-Encoding: quoted-printable\n\n" + re.sub(
        r"(.{50})", r"\1=\n", text.replace("=", "=3D")
    )
    assert told(quoted) == told(text)


@pytest.mark.parametrize(
    "name", ["X86_XEN_73_WRAPPED", "X86_XEN_MARKER", "ARM64_WARNS", "X86_XEN_61_NESTED"]
)
def test_a_mail_that_breaks_long_lines_is_read(name):
    """The place of a check may stand on the line after it, behind the mail's marks."""
    text = getattr(texts, name)
    broken = re.sub(r"^(WARNING: .{20,60}|kernel BUG at) ", r"\1\n> ", text, flags=re.M)
    assert broken != text
    assert told(broken)[:2] == told(text)[:2]


def test_what_is_inlined_counts_as_a_frame():
    """Of a report that names inlined functions, the one that holds the section open is told."""
    text = texts.SPARC_BELOW.replace(
        "[<00000000005d31e8>] apply_to_pte_range+0x3c8/0xb00",
        " apply_to_pte_range mm/memory.c:3084 [inline]",
    )
    assert told(text) == told(texts.SPARC_BELOW)


@pytest.mark.parametrize("carrier", ["times", "quoted", "decoded", "serial cr", "journal json"])
def test_what_has_lost_its_beginning_is_told_by_where_it_fired(carrier):
    """What the kernel said first is missing: it may be a check that stands there, in words."""
    found = told(CARRIERS[carrier](texts.X86_XEN_CUT))
    assert found[:3] == (PERHAPS, "mode-on-at-begin", "x86")


def test_two_splats_of_two_machines_are_told_apart():
    """Each has the kernel that it names, whatever stands between them."""
    text = f"{texts.X86_XEN_PASSES}\nHi, and on the other one:\n\n{texts.POWERPC_HASH_PINNED}"
    found = diagnose("mail", text.encode()).diagnoses
    assert [(one.verdict, one.kernel.arch) for one in found] == [(OTHER, "x86"), (OF, "powerpc")]


def test_a_release_is_not_told_to_mend_what_was_not_run_on_it():
    """Where releases between were not run, it holds in the next that was, at the latest."""
    found = diagnose("dmesg", texts.X86_XEN_COPIES_ELSEWHERE.encode()).diagnoses[0].shown[0]
    assert (found.until, found.mended, found.latest) == ("6.1.176", "6.12.8", True)
    found = diagnose("dmesg", texts.X86_XEN_618_LEAVE.encode()).diagnoses[0].shown[0]
    assert (found.scenario, found.mended) == ("section-ended-twice", "")


def test_a_release_ends_where_a_mail_has_broken_its_line():
    """What stands behind it on the next line, marks of the mail or not, is no part of it."""
    text = lined("> > [   12.{number:06}] ")(texts.X86_XEN_71_REFUSED)
    for mark in ("> > ", ""):
        broken_off = text.replace("7.1.13 #1", f"7.1.13\n{mark}#1")
        assert told(broken_off) == told(texts.X86_XEN_71_REFUSED)


def test_lines_of_two_cpus_are_told_apart_by_their_callers():
    """With CONFIG_PRINTK_CALLER each line says whose it is, however they are mixed."""
    one = [f"[    1.000000][   T77] {line}" for line in texts.X86_XEN_612_SWITCH.splitlines()]
    other = [f"[    1.000000][  T812] {line}" for line in texts.X86_XEN_61_NESTED.splitlines()]
    mixed = "\n".join(line for pair in zip(one, other, strict=False) for line in pair)
    found = diagnose("dmesg", mixed.encode()).diagnoses
    assert {each.complaint.name for each in found if each.complaint} == {
        "mode-on-at-begin", "mode-wrong-at-switch",
    }  # fmt: skip


def test_the_kernel_can_be_named():
    """What the text does not tell, or tells wrong, the user may know better."""
    text = re.sub(r"CPU: .*\n", "", texts.X86_XEN_618_LEAVE)
    (one,) = diagnose("dmesg", text.encode()).diagnoses
    assert (one.verdict, one.kernel.like) == (OF, "")
    assert "--release" in " ".join(one.next)
    (one,) = diagnose("dmesg", text.encode(), arch="x86", release="6.12.8").diagnoses
    assert one.kernel.row is not None
    assert one.kernel.row.name == "xen-nesting-count"


def test_who_is_preempted_when_an_interrupt_is_over_is_not_in_it():
    """The section that the task is in counts, and the bug that is known of its caller."""
    (one,) = diagnose("dmesg", texts.X86_XEN_612_SWITCH.encode()).diagnoses
    assert not one.splat.interrupt
    assert one.holder[1] == "apply_to_pte_range"
    assert any("vmap_pfn()" in bug.see for bug in one.known)


def test_a_known_bug_in_the_call_trace_is_named():
    """KASAN's callback slept to v6.14: the function is in the trace, and what mended it is said."""
    (one,) = diagnose("dmesg", texts.POWERPC_HASH_SLEEP.encode()).diagnoses
    assert any("b6ea95a34cbd, v6.16" in bug.see for bug in one.known)


def test_a_text_without_any_is_one_sentence():
    """A letter is no oops, and one sentence says so."""
    with pytest.raises(Problem, match="there is no oops, BUG or warning"):
        explain_oops(Input(b"Dear all,\nit crashed.\n", "letter"))


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress])
def test_a_log_that_was_rotated_away_is_read(pack):
    """kern.log.2.gz is the same text; one that is cut short is said to be."""
    text = texts.X86_XEN_618_LEAVE.encode()
    (one,) = explain_oops(Input(pack(text), "kern.log.2")).diagnoses
    (plain,) = explain_oops(Input(text, "kern.log")).diagnoses
    assert (one.verdict, one.splat) == (plain.verdict, plain.splat)
    with pytest.raises(Problem, match=r"no oops.*it is not whole"):
        explain_oops(Input(pack(text)[:40], "kern.log.2"))


@given(st.binary(max_size=4000))
def test_any_bytes_can_be_read(content):
    """Whatever a text is, it is told or passed over."""
    for one in diagnose("text", content).diagnoses:
        assert one.splat.line >= 1


@given(st.sampled_from(sorted(CASES)), st.data())
def test_a_text_that_is_cut_anywhere_is_read(name, data):
    """What is left of it is told, or there is no splat in it at all."""
    text = getattr(texts, name).encode()
    begin = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(begin, len(text)))
    assert len(diagnose("text", text[begin:end]).diagnoses) <= 3


# ---- the data ------------------------------------------------------------------------------


@pytest.mark.parametrize("complaint", complaints(), ids=lambda one: one.name)
def test_a_complaint_names_what_there_is(complaint):
    """Its implementations, rules and scenarios exist, and it has a source."""
    assert set(complaint.rows) <= set(ROW_BY_NAME)
    assert set(complaint.rules) <= set(RULES)
    assert set(complaint.scenarios) <= set(shipped.names())
    assert complaint.source
    assert complaint.means


@pytest.mark.parametrize("complaint", complaints(), ids=lambda one: one.name)
def test_each_scenario_of_a_complaint_shows_it_somewhere(complaint):
    """One that breaks none of its rules on no implementation shows nothing of it."""
    from lazymmu.litmus.read import read

    for name in complaint.scenarios:
        scenario = read(shipped.text(name), name)
        broken = {breach.rule for expect in scenario.expect for breach in expect.broken}
        assert broken & set(complaint.rules), (name, broken)


def test_what_holds_a_section_is_found_by_what_it_is_a_part_of():
    """zap_pte_range() is usually inlined; a walker of another kind is told by who calls it."""
    found = holds_section(["do_exit", "unmap_page_range", "unmap_vmas"])
    assert found is not None
    assert (found[0], found[1].function) == ("unmap_page_range", "zap_pte_range")
    assert holds_section(["walk_pud_range", "walk_page_range", "show_smap"]) is None
