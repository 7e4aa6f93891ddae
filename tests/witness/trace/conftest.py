# SPDX-License-Identifier: GPL-2.0-or-later
"""Traces to test with: lines that are made up on the spot."""

from __future__ import annotations

import io
from collections.abc import Callable

import pytest

from lazymmu.witness.trace.check import check_trace
from lazymmu.witness.trace.values import TraceResult

HEAD = "# tracer: function\n#\n# entries-in-buffer/entries-written: 1/1   #P:2\n#\n"


@pytest.fixture
def judge() -> Callable[..., TraceResult]:
    """Judge lines of tracefs text: `judge(lines, head=..., arch=..., ...)`."""

    def run(lines: str, *, head: str = HEAD, **options: object) -> TraceResult:
        return check_trace("made-up", io.BytesIO((head + lines).encode()), **options)

    return run
