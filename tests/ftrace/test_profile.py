# SPDX-License-Identifier: GPL-2.0-or-later
"""Which kernel a trace is of: what is told, what is guessed, and what stays open."""

from __future__ import annotations

import pytest

from lazymmu.contract.deferral import ROWS
from lazymmu.ftrace.profile import (
    ARCHES,
    NATIVE,
    functions,
    guess,
    profiles,
    version,
    with_counters,
)
from lazymmu.ftrace.record import Header

XEN = b"init-1 [000] 1.0: xen_enter_lazy_mmu <-copy_page_range\n"


def names(known):
    """The rows of the deferral table that it may be."""
    return [row.name for row in known.rows]


@pytest.mark.parametrize(
    ("release", "row", "dialect"),
    [
        ("6.1.190", "xen-exclusive", "ptl-held"),
        ("6.12.8", "xen-nesting-count", "ptl-held"),
        ("6.12.107+deb13-amd64", "xen-nesting-count", "no-nesting"),
        ("6.18.15", "xen-exclusive", "no-nesting"),
        ("7.1.13", "xen-cpu-mode", "counted"),
        ("7.3.4", "xen-task", "counted-task"),
    ],
)
def test_a_release_decides_row_and_dialect(release, row, dialect):
    """They are those of the contract's table."""
    known = guess(Header(), XEN, arch="x86", release=release)
    assert names(known) == [row]
    assert [one.name for one in known.dialects] == [dialect]


def test_what_the_user_says_goes_first():
    """Also before what the trace names."""
    header = Header(release="6.12.107", machine="x86_64")
    known = guess(header, XEN, arch="sparc", release="6.18.5")
    assert (known.arch, known.release) == ("sparc", "6.18.5")
    assert (known.arch_from, known.release_from) == ("option", "option")


def test_what_the_trace_names_goes_before_guesses():
    """trace-cmd keeps uname; the latency format has the release."""
    known = guess(Header(release="6.1.0-54-amd64", machine="x86_64"), b"arch_enter_lazy_mmu_mode\n")
    assert (known.arch, known.release) == ("x86-native", "6.1.0-54-amd64")


@pytest.mark.parametrize(
    ("text", "arch", "since", "until"),
    [
        (b"x: paravirt_enter_lazy_mmu <-f\n", "x86", (0, 0, 0), (6, 6, 0)),
        (XEN, "x86", (6, 6, 0), (7, 2, 0)),
        (XEN + b"x: a <-unmap_page_range\n", "x86", (6, 6, 0), (7, 1, 0)),
        (XEN + b"x: a <-__zap_vma_range\n", "x86", (7, 0, 0), (7, 2, 0)),
        (b"x: arch_enter_lazy_mmu_mode <-f\n", "sparc", (0, 0, 0), (9999, 0, 0)),
        (b"x: arch_enter_lazy_mmu_mode <-lazy_mmu_mode_enable\n", "sparc", (7, 0, 0), None),
        (
            b"x: arch_enter_lazy_mmu_mode <-f\nx: arch_flush_lazy_mmu_mode <-f\n",
            "sparc",
            (7, 0, 0),
            None,
        ),
        (b"x: hpte_need_flush <-f\n", "powerpc", (0, 0, 0), None),
        (b" => __arm64_sys_read\n", "arm64", (0, 0, 0), None),
        (b"a-1 [000] 1.0: sw: (a+0x4/0x20) pid=1 ec=0 pc=0 st=0\n", "", (7, 0, 0), None),
        (b"x: sched_waking: comm=a\n", "", (0, 0, 0), None),
    ],
)
def test_functions_tell_architecture_and_bounds(text, arch, since, until):
    """Names that some releases have and others have not."""
    known = guess(Header(), text)
    assert (known.arch, known.since, known.until) == (arch, since, until or (9999, 0, 0))
    assert known.release == ""


def test_the_names_of_other_architectures_say_nothing_of_the_release():
    """Where the user names the architecture, names of others set no bounds."""
    known = guess(Header(), b"x: el0_svc <-hpte_need_flush\n" + XEN, arch="x86")
    assert (known.since, known.until) == ((6, 6, 0), (7, 2, 0))


def test_a_name_in_other_text_does_not_turn_the_guess():
    """A task may call itself hpte_need_flush."""
    assert guess(Header(), XEN * 5 + b"comm=hpte_need_flush\n").arch == "x86"


@pytest.mark.parametrize(
    "name", [b"hpte_need_flushed", b"my_hpte_need_flush", b"x.hpte_need_flush"]
)
def test_a_longer_name_is_another(name):
    """A function of which a known name is a part tells nothing."""
    assert guess(Header(), b"x: %s <-f\n" % name).arch == ""


def test_names_that_contradict_each_other_leave_it_open():
    """Names that contradict each other, as in two traces put together, leave the kernel open."""
    assert guess(Header(), XEN + b"x: hpte_need_flush <-f\n").arch == ""


def test_counters_narrow_the_release():
    """BTF refuses the field before v7.0."""
    known = with_counters(guess(Header(), b" => __arm64_sys_read\n"))
    assert known.counted
    assert names(known) == ["arm64-counted"]


def test_a_release_before_the_table_is_known_to_nobody():
    """No row, no dialect, no verdict by them."""
    known = guess(Header(), XEN, release="2.6.32")
    assert (known.rows, known.dialects) == ((), ())


def test_every_profile_is_of_an_architecture_of_the_table():
    """And every function has its source."""
    assert set(profiles()) - {NATIVE} == set(ARCHES) <= set(ROWS)
    assert all(one.source for one in functions().values())
    assert len(functions()) == sum(len(profile.functions) for profile in profiles().values())


@pytest.mark.parametrize(
    ("text", "numbers"),
    [("6.12.107+deb13-amd64", (6, 12, 107)), ("v7.0", (7, 0, 0)), ("7", (7, 0, 0)), ("new", None)],
)
def test_releases_as_numbers(text, numbers):
    """As far as they begin like one."""
    assert version(text) == numbers


XEN_LINES = (
    b"a-1 [000] d..2. 1.000001: xen_start_context_switch <-__schedule\n",
    b"a-1 [000] d..2. 1.000001: xen_mc_batch: start batch lazy flags 200\n",
    b"a-1 [000] d..2. 1.000001: paravirt_enter_lazy_mmu <-f\n",
    b"a-1 [000] d..2. 1.000001: sw_in: (xen_end_context_switch+0x4/0x40) pid=1 ec=0 pc=0\n",
)


@pytest.mark.parametrize("line", XEN_LINES)
def test_a_function_or_event_of_xen_tells_xen(line):
    """Its machine is an x86_64 as any other."""
    assert guess(Header(machine="x86_64"), line).arch == "x86"


@pytest.mark.parametrize(
    "line", [b"a-1 [000] ..... 1.000001: copy_page_range <-dup_mmap\n", b"xen_x-1 [000] 1.0: a\n"]
)
def test_a_recording_of_x86_without_xen_is_x86(line):
    """A task may be called as it likes; and what does nothing defers nothing."""
    known = guess(Header(machine="x86_64", release="7.3.4"), line)
    assert [row.name for row in known.rows] == ["x86-native"]
    assert (known.dialects[0].name, known.pauses_out) == ("counted-task", "no")


def test_xen_is_told_by_name():
    """Who names x86 means Xen PV, as everywhere."""
    assert guess(Header(machine="x86_64"), b"", arch="x86").arch == "x86"
