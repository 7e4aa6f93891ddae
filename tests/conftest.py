# SPDX-License-Identifier: GPL-2.0-or-later
"""What tests of every area may ask for: real kernel trees where there are some, made findings."""

from __future__ import annotations

import os
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

# No test is timed: a slow machine is no bug. In CI the same examples are drawn every time.
settings.register_profile("here", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "here")


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
