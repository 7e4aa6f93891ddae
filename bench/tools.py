# SPDX-License-Identifier: GPL-2.0-or-later
"""The commands that are compared: the check, and coccinelle with the rules in cocci/."""

from __future__ import annotations

import sys
from pathlib import Path

HERE = Path(__file__).parent
RULES = HERE / "cocci" / "lazy_mmu.cocci"


def check(tree: Path, cache: Path, jobs: int, arch: str = "all") -> list[str]:
    """`lazymmu check`, by the interpreter that runs this."""
    command = [sys.executable, "-m", "lazymmu", "check", str(tree), "--arch", arch]
    return [*command, "--format", "json", "--cache-dir", str(cache), "--jobs", str(jobs)]


def coccinelle(tree: Path, jobs: int) -> list[str]:
    """spatch over a whole tree, with the prefilter that it has built in.

    --no-includes: the rules ask for no types, and what is included would only be read.
    """
    quiet = ["--very-quiet", "--no-show-diff", "--no-includes"]
    return ["spatch", "--sp-file", str(RULES), *quiet, "-j", str(jobs), str(tree)]


ENVIRONMENT = {"PYTHONPATH": str(HERE.parent / "src"), "PYTHONDONTWRITEBYTECODE": ""}
"""An installed package is compiled; without this a run may compile a half second of it anew."""
