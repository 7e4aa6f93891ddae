# SPDX-License-Identifier: GPL-2.0-or-later
"""A small tree whose mistakes are known, and one more file in it that is partly out of sight."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import lazymmu
from lazymmu.witness.finding import CheckResult

EXAMPLES = Path(__file__).parents[3] / "examples"


@dataclass(frozen=True)
class Tree:
    """A copy of an example tree, and the baseline of what it had before anything was added."""

    top: Path
    baseline: Path
    run: Callable[..., Any]

    def add(self, text: str, name: str = "mm/mine.c", *, built: bool = True) -> Tree:
        """Add a file, and a line of the Makefile beside it that builds it."""
        file = self.top / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        if built:
            with (file.parent / "Makefile").open("a") as makefile:
                makefile.write(f"\nobj-y += {file.stem}.o\n")
        return self

    def check(self, *arguments: str) -> Any:
        """What `lazymmu check` says of what is new."""
        known = ["--baseline", str(self.baseline)]
        return self.run("check", str(self.top), "--no-cache", *known, *arguments)

    def result(self) -> CheckResult:
        """The whole check."""
        return lazymmu.check(self.top)


@pytest.fixture(params=["linux-old", "linux-new"])
def tree(request: pytest.FixtureRequest, tmp_path: Path, run: Callable[..., Any]) -> Tree:
    """Each example tree in turn, as it is but for the files that are wrong on purpose."""
    top = tmp_path / "linux"
    shutil.copytree(EXAMPLES / request.param, top)
    for wrong in top.glob("*/wrong_*"):
        makefile = wrong.parent / "Makefile"
        lines = makefile.read_text().splitlines()
        makefile.write_text("".join(f"{line}\n" for line in lines if "wrong_" not in line))
        wrong.unlink()
    baseline = tmp_path / "baseline.json"
    assert run("check", top, "--no-cache", "-q", "--write-baseline", baseline).code == 0
    return Tree(top, baseline, run)


@pytest.fixture
def mode(request: pytest.FixtureRequest) -> tuple[str, str]:
    """The calls that begin and end a section in the tree at hand."""
    if request.node.callspec.params["tree"] == "linux-old":
        return "arch_enter_lazy_mmu_mode", "arch_leave_lazy_mmu_mode"
    return "lazy_mmu_mode_enable", "lazy_mmu_mode_disable"
