# SPDX-License-Identifier: GPL-2.0-or-later
"""Recordings of real kernels: those that ship, and those where LAZYMMU_TRACES says."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[1] / "examples" / "trace"

SHIPPED = {
    "v612-6.12.107-preempt-full-violations/viol.trace.gz": "xen-6.12.107.trace.gz",
    "sparc64-7.1.13-sun4u/small.trace.gz": "sparc64-7.1.13.trace.gz",
    "ppc64le-6.12.107-hash-power8/small.trace.gz": "powerpc-6.12.107.trace.gz",
    "x71-7.1.13-default/small.latency.trace.gz": "xen-7.1.13.latency.trace.gz",
}
"""What ships in examples/trace, by the name that tests call it (examples/trace/README.md)."""


class Recordings:
    """Finds a recording by its name, as in `recordings / "x71-7.1.13-default/small.trace.gz"`."""

    def __truediv__(self, name: str) -> Path:
        """The file, the shipped one where there is one; else the test is skipped by name."""
        if name in SHIPPED:
            return EXAMPLES / SHIPPED[name]
        home = os.environ.get("LAZYMMU_TRACES")
        if not home:
            pytest.skip(f"no recording {name}: set LAZYMMU_TRACES (CONTRIBUTING.md)")
        if not (Path(home) / name).is_file():
            pytest.skip(f"there is no recording {name} in {home}")
        return Path(home) / name
