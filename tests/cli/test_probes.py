# SPDX-License-Identifier: GPL-2.0-or-later
"""`lazymmu probes`: prints how to record, and touches nothing."""

from __future__ import annotations

import platform

import pytest

from lazymmu.ftrace import probes


@pytest.fixture
def here(monkeypatch):
    """Lets this machine be another one."""

    def be(machine: str, release: str) -> None:
        uname = platform.uname()._replace(release=release)
        fake = type("Uname", (), {"machine": machine, "release": uname.release})
        monkeypatch.setattr(platform, "uname", lambda: fake)

    return be


def test_a_script_is_printed_for_what_is_asked(run):
    """Nothing is said beside it when nothing was guessed."""
    ran = run("probes", "--arch", "sparc", "--release", "7.1.13")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out == probes.script(probes.plan("sparc", "7.1.13"))


def test_the_form_is_chosen(run):
    """tracefs unless trace-cmd is asked for, and not both."""
    asked = ["probes", "--arch", "x86", "--release", "6.18"]
    assert run(*asked, "--tracefs").out == run(*asked).out
    assert "trace-cmd record" in run(*asked, "--trace-cmd").out
    assert run(*asked, "--tracefs", "--trace-cmd").code == 2


def test_without_arguments_it_is_for_this_machine_and_says_so(run, here):
    """Without arguments the script is for this machine, and says what else there is."""
    here("aarch64", "7.3.4+deb13-arm64")
    ran = run("probes")
    assert ran.code == 0
    assert ran.out == probes.script(probes.plan("arm64", "7.3.4+deb13-arm64"))
    assert "architecture arm64 and release 7.3.4+deb13-arm64 taken from this machine" in ran.err
    assert "x86, powerpc, sparc, arm64" in ran.err


def test_half_of_it_may_be_asked_for(run, here):
    """The other half is this machine's."""
    here("x86_64", "6.12.8")
    ran = run("probes", "--release", "7.2")
    assert "Linux 7.2" in ran.out
    assert "lazymmu: architecture x86 taken from this machine" in ran.err


def test_a_kernel_that_shows_nothing_is_no_success(run):
    """The script is printed all the same; what it records may still be of use."""
    ran = run("probes", "--arch", "arm64", "--release", "6.18")
    assert ran.code == 3
    assert ran.out.startswith("#!/bin/sh")
    assert "nothing shows the mode on arm64 with Linux 6.18" in ran.err


def test_a_file_is_written_whole(run, tmp_path):
    """With --output the script is written to a file as a whole, and not to standard output."""
    file = tmp_path / "probes.sh"
    ran = run("probes", "--arch", "x86", "--release", "6.18", "--output", file)
    assert (ran.code, ran.out) == (0, "")
    assert file.read_text() == probes.script(probes.plan("x86", "6.18"))


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--arch", "s390", "--release", "7.3"], "there is no architecture 's390'"),
        (["--arch", "x86", "--release", "new"], "'new' is no release"),
        (["--arch", "x86,arm64", "--release", "7.3"], "a script is for one architecture"),
        (["--arch", "all", "--release", "7.3"], "a script is for one architecture"),
    ],
)
def test_what_does_not_exist_is_one_sentence(run, arguments, sentence):
    """An architecture or a release that does not exist is one sentence and exit code 2."""
    ran = run("probes", *arguments)
    assert (ran.code, ran.out, ran.err.count("\n")) == (2, "", 1)
    assert sentence in ran.err


def test_a_machine_without_the_mode_is_told_to_name_another(run, here):
    """There is nothing to record on it."""
    here("riscv64", "7.3.4")
    ran = run("probes")
    assert (ran.code, ran.out) == (2, "")
    assert "this machine is riscv64, which has no lazy MMU mode" in ran.err
