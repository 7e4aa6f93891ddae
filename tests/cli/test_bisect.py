# SPDX-License-Identifier: GPL-2.0-or-later
"""The recipe for `git bisect run` in docs/check.rst, as it stands there."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

TOP = Path(__file__).parents[2]
BAD = """
void twice_range(struct vm_area_struct *vma, pmd_t *pmd, unsigned long addr)
{
	spinlock_t *ptl;
	pte_t *pte = pte_offset_map_lock(vma->vm_mm, pmd, addr, &ptl);

	if (!pte)
		return;
	arch_enter_lazy_mmu_mode();
	arch_enter_lazy_mmu_mode();
	ptep_set_wrprotect(vma->vm_mm, addr, pte);
	arch_leave_lazy_mmu_mode();
	arch_leave_lazy_mmu_mode();
	pte_unmap_unlock(pte, ptl);
}
"""

pytestmark = pytest.mark.skipif(not shutil.which("git"), reason="there is no git")


def recipe() -> tuple[str, str]:
    """The two commands of the section: what to do in a good revision, and the bisection."""
    section = (TOP / "docs" / "check.rst").read_text().partition("\nBisecting\n---------\n")[2]
    blocks = re.findall(r"\.\. code-block:: sh\n\n((?:    .*\n|\n)+)", section)
    good, run = (textwrap.dedent(block).strip() for block in blocks[:2])
    return good, run


@pytest.fixture
def shell(tmp_path):
    """Runs a line of shell in the repository, with this lazymmu in the path."""
    program = tmp_path / "bin" / "lazymmu"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m lazymmu "$@"\n')
    program.chmod(0o755)
    environment = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}
    environment |= {
        "PATH": f"{program.parent}:{os.environ['PATH']}",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_SYSTEM": os.devnull,
        "LC_ALL": "C",
    }
    for who in ("AUTHOR", "COMMITTER"):
        environment |= {f"GIT_{who}_NAME": "A", f"GIT_{who}_EMAIL": "a@example.org"}
    tree = tmp_path / "linux"

    def run(line, **changed):
        return subprocess.run(
            ["sh", "-c", line], cwd=tree, env=environment | changed, capture_output=True, text=True,
            check=False,
        )  # fmt: skip

    return run


@pytest.fixture
def history(tmp_path, shell):
    """A repository of a tree that has findings; returns the commits by what they do."""
    tree = tmp_path / "linux"
    shutil.copytree(TOP / "examples" / "linux-old", tree)
    commits = {}

    def commit(name: str) -> None:
        done = shell(f"git add -A && git commit -q --allow-empty -m '{name}' && git rev-parse HEAD")
        assert done.returncode == 0, done.stderr
        commits[name] = done.stdout.strip()

    assert shell("git init -q").returncode == 0
    commit("good")
    kconfig = (tree / "Kconfig").read_text()
    (tree / "Kconfig").unlink()
    commit("no tree")  # 2
    (tree / "Kconfig").write_text(kconfig)
    commit("a tree again")
    with (tree / "mm" / "right_loops.c").open("a") as file:
        file.write(BAD)
    commit("bad")
    for number in range(3):
        (tree / "README").write_text(f"{number}\n")
        commit(f"later {number}")
    return commits


def test_it_finds_the_first_bad_revision_past_one_that_cannot_be_judged(shell, history):
    """With the findings that were there before left aside."""
    good, run = recipe()
    assert shell(f"git checkout -q {history['good']} && {good}").returncode == 0
    # The one that cannot be judged is tried first.
    start = f"git bisect start {history['later 2']} {history['good']}"
    assert shell(f"{start} && git checkout -q {history['no tree']}").returncode == 0
    done = shell(run)
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{history['bad']} is the first bad commit" in done.stdout
    assert "git bisect skip" in shell("git bisect log").stdout


def test_without_a_program_or_interrupted_it_stops_and_blames_nobody(shell, history, tmp_path):
    """127 would be bad for git, and the first revision that it tries would be blamed."""
    good, run = recipe()
    assert shell(f"git checkout -q {history['good']} && {good}").returncode == 0
    start = f"git bisect start {history['later 2']} {history['good']}"
    for script in (None, "exit 130", "kill -INT $$"):
        program = tmp_path / "bin" / "lazymmu"
        program.unlink(missing_ok=True)
        if script is not None:
            program.write_text(f"#!/bin/sh\n{script}\n")
            program.chmod(0o755)
        assert shell(start).returncode == 0
        done = shell(run, PATH=f"{program.parent}:/usr/bin:/bin")
        assert done.returncode != 0
        assert "first bad commit" not in done.stdout
        assert shell("git bisect reset").returncode == 0
