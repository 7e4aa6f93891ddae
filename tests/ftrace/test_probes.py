# SPDX-License-Identifier: GPL-2.0-or-later
"""What to record: scripts for each architecture and release, and the data that they come from."""

from __future__ import annotations

import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lazymmu.ftrace import probes
from lazymmu.ftrace.counter_events import counter_events
from lazymmu.ftrace.profile import version

SOURCE = Path(probes.__file__).parent
RELEASES = ("5.10", "6.1.190", "6.5", "6.6", "6.12.107+deb13-amd64", "6.16", "6.19", "7.0")
RELEASES += ("7.1.13", "7.2.12", "7.3.4", "8.0-rc1")
SHELLS = (["sh", "-n"], ["dash", "-n"], ["busybox", "sh", "-n"], ["shellcheck", "-s", "sh"])

every_script = pytest.mark.parametrize(
    ("arch", "release", "form"),
    [(a, r, f) for a in probes.ARCHES for r in RELEASES for f in probes.Form],
)
every_plan = pytest.mark.parametrize(
    ("arch", "release"), [(a, r) for a in probes.ARCHES for r in RELEASES]
)


@pytest.mark.parametrize("form", probes.Form)
@pytest.mark.parametrize("arch", probes.ARCHES)
@pytest.mark.parametrize("shell", SHELLS, ids=lambda command: command[0])
def test_a_script_is_one_that_every_shell_reads(tmp_path, arch, form, shell):
    """POSIX sh, and nothing that a linter frowns at, for every release."""
    if shutil.which(shell[0]) is None:
        pytest.skip(f"there is no {shell[0]} here")
    for release in RELEASES:
        file = tmp_path / "probes.sh"
        file.write_text(probes.script(probes.plan(arch, release), form))
        done = subprocess.run([*shell, str(file)], capture_output=True, text=True, check=False)
        assert (done.returncode, done.stdout, done.stderr) == (0, "", ""), release


@every_script
def test_a_script_has_no_hole_left_and_says_what_it_is_for(arch, release, form):
    """The first comment names the kernel; each function and event is explained."""
    asked = probes.plan(arch, release)
    text = probes.script(asked, form)
    assert "@@" not in text
    assert f"{asked.label}, Linux {release}" in " ".join(text.split("\n")[2:4])
    for probe in (*asked.functions, *asked.events):
        assert re.search(rf"^# [-*] {re.escape(probe.name)}: ", text, re.MULTILINE)
        assert re.search(rf"^{re.escape(probe.name)}$", text, re.MULTILINE)
    words = " ".join(line.lstrip("#- ") for line in text.splitlines() if line.startswith("#"))
    for sentence in asked.cannot:
        assert " ".join(sentence.split()) in " ".join(words.split())
    notes = [line for line in text.splitlines() if line.startswith("# ")]
    assert max(map(len, notes)) <= 100


@every_script
def test_a_script_undoes_what_it_sets(arch, release, form):
    """Whatever ends it; the instance and each event that it made are removed."""
    text = probes.script(probes.plan(arch, release), form)
    assert "trap undo EXIT" in text
    for signal in ("INT", "TERM", "HUP"):
        assert re.search(rf"^trap 'exit \d+' {signal}$", text, re.MULTILINE)
    undo = text[text.index("undo() {") : text.index("trap undo EXIT")]
    assert "-:lazymmu/$name" in undo
    assert ("rmdir" if form is probes.Form.TRACEFS else "trace-cmd reset") in undo
    # Nothing is set before the trap that undoes it.
    before = text[: text.index("trap undo EXIT")]
    writes = [line for line in before.splitlines() if re.search(r">>?\"\$(tracefs|instance)", line)]
    assert all(line in undo for line in writes)


@pytest.mark.parametrize("arch", probes.ARCHES)
def test_the_reader_is_given_every_function_that_it_knows(arch):
    """A function with a meaning that nobody records would be a rule that nobody can break."""
    plans = [probes.plan(arch, release) for release in RELEASES]
    asked = {probe.name for plan in plans for probe in plan.functions}
    known = tomllib.loads((SOURCE / "profiles" / f"{arch}.toml").read_text("utf-8"))
    assert {one["name"] for one in known.get("function", [])} <= asked


@every_plan
def test_counters_are_read_where_there_are_counters(arch, release):
    """From v7.0 on, by events whose names the reader takes for what they are."""
    made = {one.name: one for one in probes.plan(arch, release).dynamic}
    counting = {name for name, one in made.items() if "lazy_mmu_state" in one.forms[0]}
    assert bool(counting) == (version(release) >= (7, 0, 0))
    # At a function, a reading is of no moment that the reader must know by name.
    functions = {name for name in counting if made[name].forms[0].startswith("f:")}
    assert counting - functions <= set(counter_events())
    assert bool(functions) == (version(release) >= (7, 3, 0))
    for name in counting:
        for form in made[name].forms:
            assert form.startswith((f"t:lazymmu/{name} ", f"f:lazymmu/{name} copy_page_range"))
            assert re.search(r" pid=\S+ .*ec=\S+enable_count:u8 pc=\S+pause_count:u8", form)


@every_plan
def test_something_cannot_be_told_anywhere(arch, release):
    """No trace shows everything, and each plan says what it lacks, in sentences of their own."""
    asked = probes.plan(arch, release)
    assert asked.cannot
    assert len(set(asked.cannot)) == len(asked.cannot)


def test_where_nothing_shows_the_mode_the_plan_says_so():
    """arm64 before the counters: inline calls, and a flag of the thread."""
    assert not probes.plan("arm64", "6.18").tells
    assert probes.plan("arm64", "7.3").tells
    assert probes.plan("x86", "6.1").tells


def test_functions_change_with_the_release():
    """The names are those that the kernels have, seen in their lists of traceable functions."""

    def named(arch, release):
        return {probe.name for probe in probes.plan(arch, release).functions}

    assert "paravirt_enter_lazy_mmu" in named("x86", "6.1.190")
    assert "paravirt_enter_lazy_mmu" not in named("x86", "6.12.107")
    assert "xen_enter_lazy_mmu" in named("x86", "7.1.13")
    assert "xen_enter_lazy_mmu" not in named("x86", "7.2.12")
    assert "arch_flush_lazy_mmu_mode" in named("sparc", "7.1.13")
    assert "arch_flush_lazy_mmu_mode" not in named("sparc", "6.19")
    assert named("arm64", "7.3.4") == set()


@pytest.mark.parametrize(
    ("machine", "arch"),
    [("x86_64", "x86"), ("ppc64le", "powerpc"), ("sparc64", "sparc"), ("aarch64", "arm64")],
)
def test_a_machine_has_its_architecture(machine, arch):
    """A machine has the architecture that `uname -m` names."""
    assert probes.architecture(machine) == arch


def test_a_machine_without_the_mode_has_none():
    """32 bits, and architectures that never had it."""
    for machine in ("i686", "riscv64", "s390x", "sparc", "ppc", ""):
        assert probes.architecture(machine) == ""


@pytest.mark.parametrize("release", ["", "next", "v", ".1"])
def test_what_is_no_release_is_refused(release):
    """A text that is no release is refused in one sentence."""
    with pytest.raises(ValueError, match="is no release"):
        probes.plan("x86", release)


def test_what_is_no_architecture_is_refused():
    """A name that is no architecture is refused in one sentence."""
    with pytest.raises(ValueError, match="is no architecture"):
        probes.plan("s390", "7.3")


@given(st.from_regex(r"\A[4-9]\.\d{1,2}(\.\d{1,3})?(-rc\d|\+deb13-amd64)?\Z"))
def test_every_release_has_a_plan_for_every_architecture(release):
    """Also those that are not released yet."""
    for arch in probes.ARCHES:
        asked = probes.plan(arch, release)
        assert {"sched/sched_switch"} <= {probe.name for probe in asked.events}
        names = [probe.name for probe in (*asked.functions, *asked.events)]
        assert len(names) == len(set(names))
