# SPDX-License-Identifier: GPL-2.0-or-later
"""What tests of the command line share: a way to run it, and a check that they choose."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

import lazymmu
from lazymmu.cli import main
from lazymmu.witness.finding import CheckResult


@dataclass(frozen=True)
class Ran:
    """How a command ended and what it said."""

    code: int
    out: str
    err: str


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Callable[..., Ran]:
    """Runs `lazymmu ARGUMENT...`; whatever it does, it must not show a traceback."""

    def ran(*arguments: object) -> Ran:
        code = main([str(argument) for argument in arguments])
        said = capsys.readouterr()
        assert "Traceback" not in said.err
        return Ran(code, said.out, said.err)

    return ran


@pytest.fixture
def checked(monkeypatch: pytest.MonkeyPatch) -> Callable[[CheckResult], list[dict[str, Any]]]:
    """Lets `check` of any tree give a result; returns the list of what it was then asked."""

    def results(*given: CheckResult) -> list[dict[str, Any]]:
        calls: list[dict[str, Any]] = []

        def check(tree: str, **asked: Any) -> CheckResult:
            calls.append({"tree": tree, **asked})
            result = given[min(len(calls), len(given)) - 1]
            return replace(result, tree=replace(result.tree, path=tree))

        monkeypatch.setattr(lazymmu, "check", check)
        return calls

    return results


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """The smallest directory that is taken for a kernel tree, with one file in mm/."""
    top = tmp_path / "linux"
    for folder in ("arch/x86", "include/linux", "mm"):
        (top / folder).mkdir(parents=True)
    (top / "Makefile").write_text("VERSION = 6\nPATCHLEVEL = 12\nSUBLEVEL = 8\n")
    for kconfig in ("Kconfig", "arch/Kconfig", "mm/Kconfig"):
        (top / kconfig).write_text("")
    (top / "include" / "linux" / "pgtable.h").write_text("")
    (top / "mm" / "inner.c").write_text("int one;\nint two;\nint three;\n")
    return top


@pytest.fixture
def git() -> Callable[..., str]:
    """Runs `git -C DIRECTORY ARGUMENT...` without the user's configuration; returns its output."""

    def ran(directory: Path, *arguments: str | Path) -> str:
        environment = os.environ | {
            "GIT_CONFIG_GLOBAL": "/dev/null",
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_AUTHOR_NAME": "n", "GIT_AUTHOR_EMAIL": "e",
            "GIT_COMMITTER_NAME": "n", "GIT_COMMITTER_EMAIL": "e",
        }  # fmt: skip
        done = subprocess.run(
            ["git", "-C", directory, *arguments], check=True, capture_output=True, env=environment
        )
        return done.stdout.decode(errors="surrogateescape").strip()

    return ran


@pytest.fixture
def repository(tree: Path, git: Callable[..., str]) -> Path:
    """The small tree, committed, with a second file in mm/."""
    (tree / "mm" / "kept.c").write_text("int kept;\n")
    git(tree, "init", "-q", "-b", "main")
    git(tree, "add", "-A")
    git(tree, "commit", "-q", "-m", "first")
    return tree
