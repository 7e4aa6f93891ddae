# SPDX-License-Identifier: GPL-2.0-or-later
"""What tests of every area may ask for: kernel trees, real and small, and made findings."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from lazymmu.witness.finding import (
    CheckResult,
    Confidence,
    Coverage,
    Finding,
    Harm,
    Lost,
    Severity,
    Step,
    TreeInfo,
)
from tests.recordings import Recordings

# No test is timed: a slow machine is no bug. In CI the same examples are drawn every time.
settings.register_profile("here", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "here")

# A shell starts what runs in the background with Ctrl-C ignored, and children inherit that: what a
# test begins and interrupts would never end.
if (
    threading.current_thread() is threading.main_thread()
    and signal.getsignal(signal.SIGINT) == signal.SIG_IGN
):
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """No test reads or fills the cache of the person who runs it."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.getbasetemp() / "cache"))


@pytest.fixture
def kernel_tree() -> Callable[[str], Path]:
    """The tree of a Linux version, as in `kernel_tree("6.12.8")`; skips where there is none."""
    top = Path(os.environ.get("LAZYMMU_KERNELS") or Path("~/.cache/lazymmu-kernels").expanduser())

    def find(version: str) -> Path:
        tree = top / f"linux-{version}"
        if not (tree / "Makefile").is_file():
            pytest.skip(f"there is no linux-{version} in {top} (set LAZYMMU_KERNELS)")
        return tree

    return find


@pytest.fixture(scope="session")
def recordings() -> Recordings:
    """The recordings of real kernels, each skipped by name where it is not at hand."""
    return Recordings()


@pytest.fixture
def make_finding() -> Callable[..., Finding]:
    """A finding that is whole, with what a test cares about replaced by keyword."""

    def make(**given: Any) -> Finding:
        given.setdefault("rule", "nested-section")
        given.setdefault("file", "mm/inner.c")
        given.setdefault("function", "inner_pte_range")
        given.setdefault("fingerprint", f"{given['rule']}:{given['file']}:{given['function']}")
        fields: dict[str, Any] = {
            "severity": Severity.HURTS,
            "confidence": Confidence.HIGH,
            "arches": ("x86", "sparc"),
            "conditions": (),
            "line": 41,
            "column": 2,
            "message": "begins a lazy MMU section inside a section",
            "path": (
                Step("mm/outer.c", 12, 2, "outer_pte_range", "the section begins"),
                Step("mm/outer.c", 15, 9, "outer_pte_range", "calls inner_pte_range()"),
                Step("mm/inner.c", 41, 2, "inner_pte_range", "a second section begins"),
            ),
            "harms": (Harm("x86", "the inner end switches batching off for the outer section"),),
        }
        return Finding(**(fields | given))

    return make


@pytest.fixture
def make_result() -> Callable[..., CheckResult]:
    """A check's result with the given findings, and something lost of each kind."""

    def make(*findings: Finding, **given: Any) -> CheckResult:
        fields: dict[str, Any] = {
            "tree": TreeInfo("linux", "6.12.8", "locked"),
            "arches": ("x86", "powerpc", "sparc"),
            "findings": findings,
            "coverage": Coverage(
                sections=7,
                functions_parsed=120,
                unparsed=(Lost("mm/odd.c", 3, "odd", "a macro that is half a statement"),),
                unresolved=(Lost("mm/ops.c", 9, "ops->walk", "no table sets it"),),
            ),
        }
        return CheckResult(**(fields | given))

    return make


MAKEFILE = "VERSION = 6\nPATCHLEVEL = 12\nSUBLEVEL = 8\nEXTRAVERSION =\nNAME = A Name\n"

Grow = Callable[[dict[str, str | bytes]], Path]


@pytest.fixture
def grow(tmp_path: Path) -> Grow:
    """Make a tree that looks like a kernel's, with the given files by path; returns its root."""

    def make(files: dict[str, str | bytes]) -> Path:
        for path, text in {"Kconfig": "", "Makefile": MAKEFILE, **files}.items():
            target = tmp_path / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(text if isinstance(text, bytes) else text.encode())
        for directory in ("arch", "include/linux", "mm"):
            (tmp_path / directory).mkdir(parents=True, exist_ok=True)
        return tmp_path

    return make


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
