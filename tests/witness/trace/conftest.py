# SPDX-License-Identifier: GPL-2.0-or-later
"""Traces to test with: real recordings where they are at hand, and lines made up on the spot."""

from __future__ import annotations

import io
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from lazymmu.witness.trace.check import check_trace
from lazymmu.witness.trace.values import TraceResult

_ROOT = Path(__file__).parents[3]
HEAD = "# tracer: function\n#\n# entries-in-buffer/entries-written: 1/1   #P:2\n#\n"


@pytest.fixture(scope="session")
def recordings() -> Path:
    """The directory of the real recordings, or skip."""
    named = os.environ.get("LAZYMMU_TRACES")
    home = Path(named) if named else _ROOT.parent / "shared" / "traces"
    if not home.is_dir():
        pytest.skip("no recordings: set LAZYMMU_TRACES to their directory")
    return home


@pytest.fixture
def judge() -> Callable[..., TraceResult]:
    """Judge lines of tracefs text: `judge(lines, head=..., arch=..., ...)`."""

    def run(lines: str, *, head: str = HEAD, **options: object) -> TraceResult:
        return check_trace("made-up", io.BytesIO((head + lines).encode()), **options)

    return run
