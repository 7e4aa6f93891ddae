# SPDX-License-Identifier: GPL-2.0-or-later
"""What tests of recipes share: this lazymmu in the path, and a repository with a change in it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
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


@pytest.fixture
def environment(tmp_path):
    """The environment of a robot: this lazymmu in the path, and no configuration of anybody."""
    program = tmp_path / "bin" / "lazymmu"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m lazymmu "$@"\n')
    program.chmod(0o755)
    kept = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}
    kept |= {
        "PATH": f"{program.parent}:{os.environ['PATH']}",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_SYSTEM": os.devnull,
        "LC_ALL": "C",
        "TMPDIR": str(tmp_path),
    }
    for who in ("AUTHOR", "COMMITTER"):
        kept |= {f"GIT_{who}_NAME": "A", f"GIT_{who}_EMAIL": "a@example.org"}
    return kept


@pytest.fixture
def shell(environment):
    """Runs a command in a directory, in that environment; returns how it ended."""

    def run(folder, *command, **more):
        more.setdefault("stdin", subprocess.DEVNULL)
        if "input" in more:
            del more["stdin"]
        return subprocess.run(
            command,
            cwd=folder,
            env=environment | more.pop("env", {}),
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
            **more,
        )

    return run


@pytest.fixture
def repository(tmp_path, shell):
    """A git repository of an example tree: `base`, and one commit above it that nests sections."""
    if shutil.which("git") is None:
        pytest.skip("there is no git")
    top = tmp_path / "linux"
    shutil.copytree(ROOT / "examples" / "linux-old", top)

    def git(*arguments):
        done = shell(top, "git", *arguments)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    git("init", "-q", "-b", "main")
    git("add", "-A")
    git("commit", "-qm", "base")
    git("tag", "base")
    with (top / "mm" / "right_order.c").open("a") as file:
        file.write(BAD)
    git("commit", "-qam", "mm: nest two sections")
    return top
