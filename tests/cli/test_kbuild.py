# SPDX-License-Identifier: GPL-2.0-or-later
"""`make C=1 CHECK="lazymmu check"`: what kbuild hands to a checker, one file at a time."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from lazymmu.cli import kbuild
from lazymmu.cli.command import build_parser

EXAMPLES = Path(__file__).parents[2] / "examples"

SPARSE = (
    *("-D__linux__", "-Dlinux", "-D__STDC__", "-Wbitwise", "-Wno-return-void", "--arch=x86"),
    *("-mlittle-endian", "-m64", "-Wp,-MMD,mm/.x.o.d", "-nostdinc", "-I./arch/x86/include"),
    *("-include", "./include/linux/kconfig.h", "-D__KERNEL__", "-std=gnu11"),
    '-DKBUILD_MODFILE="mm/x"',
)
"""The shape of CHECKFLAGS and c_flags; a made-up call."""


@pytest.fixture
def tree(tmp_path, monkeypatch):
    """A copy of the small tree with mistakes, where one stands as kbuild does."""
    copy = tmp_path / "linux"
    shutil.copytree(EXAMPLES / "linux-old", copy)
    monkeypatch.chdir(copy)
    monkeypatch.setenv("SRCARCH", "x86")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return copy


@pytest.mark.parametrize("before", [(), ("check",), ("check", "--no-cache")])
def test_the_findings_of_the_one_file_are_lines_as_gcc_prints_them(run, tree, before):
    """For the architecture that is built; the exit code does not break the build."""
    done = run(*before, *SPARSE, "mm/wrong_nesting.c")
    assert (done.code, done.err) == (0, "")
    errors = [line for line in done.out.splitlines() if " error: " in line]
    assert errors
    assert all(line.startswith("mm/wrong_nesting.c:") for line in errors)
    assert "powerpc" not in done.out


def test_a_file_that_does_not_name_the_mode_costs_no_check(run, tree, monkeypatch):
    """The tree is not even looked for."""
    (tree / "mm" / "plain.c").write_text("int plain(void)\n{\n\treturn 0;\n}\n")
    monkeypatch.setattr(kbuild, "_tree", lambda _: pytest.fail("looked for"))
    done = run("check", *SPARSE, "mm/plain.c")
    assert (done.code, done.out, done.err) == (0, "", "")


def test_a_file_in_no_tree_says_what_to_run_instead(run, tmp_path, monkeypatch):
    """One sentence, and the build goes on."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "driver.c").write_text("void f(void)\n{\n\tarch_enter_lazy_mmu_mode();\n}\n")
    done = run("check", *SPARSE, "driver.c")
    assert (done.code, done.out) == (0, "")
    assert "lazymmu check FOLDER --kernel TREE" in done.err
    assert done.err.count("\n") == 1


def test_another_tree_than_that_one_stands_in_is_found_from_the_file(run, tree, tmp_path):
    """As with `make O=`, where the file has an absolute name."""
    done = run("check", *SPARSE, tree / "mm" / "wrong_nesting.c")
    assert done.code == 0
    assert "[nested-section]" in done.out


def test_our_own_command_lines_are_never_taken_for_such_a_call():
    """No option of any verb looks like a compiler's, so that a mistyped one is an error as ever."""
    for action in build_parser()._actions:
        for verb in (action.choices or {}).values() if isinstance(action.choices, dict) else ():
            words = [word for one in verb._actions for word in one.option_strings]
            assert not kbuild.is_call([*words, "x.c"])
    assert not kbuild.is_call(["check", "-DX", "x.c"])
    assert not kbuild.is_call([])
