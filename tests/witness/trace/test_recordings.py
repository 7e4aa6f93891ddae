# SPDX-License-Identifier: GPL-2.0-or-later
"""Real recordings of kernels that behave: no violation, and what they may do is seen."""

from __future__ import annotations

import gzip
import lzma
import shutil

import pytest

from lazymmu.witness.trace.check import check_trace
from lazymmu.witness.trace.values import TraceVerdict

CLEAN = {
    "x61-6.1.190-default/small.trace.gz": ("x86", 618, 0),
    "x61-6.1.190-default/mid.trace.gz": ("x86", 3099, 0),
    "x618-6.18.15-default/small.trace.gz": ("x86", 737, 1),
    "x618-6.18.15-default/mid.trace.gz": ("x86", 3113, 3),
    "x71-7.1.13-default/small.trace.gz": ("x86", 332, 0),
    "sparc64-7.1.13-sun4u/small.trace.gz": ("sparc", 298, 0),
    "sparc64-7.1.13-sun4u/preemptirq.trace.gz": ("sparc", 16, 0),
    "ppc64le-6.12.107-hash-power8/small.trace.gz": ("powerpc", 0, 0),
    "ppc64le-6.12.107-hash-power8/load.trace.gz": ("powerpc", 0, 0),
    "arm64-7.3.4-preempt-full/small.trace.gz": ("arm64", 0, 0),
    "arm64-7.3.4-preempt-full/load.trace.gz": ("arm64", 0, 0),
    "arm64-7.3.4-preempt-full/ec.trace.gz": ("arm64", 0, 4),
    "v612-6.12.107-preempt-full-violations/preempt.trace.gz": ("x86", 2317, 0),
}
"""Architecture, sections and preemptions in one, counted with grep and by eye."""


@pytest.mark.parametrize("name", CLEAN)
def test_a_kernel_that_behaves_has_no_violation(recordings, name):
    """What happens in sections there is allowed on that architecture, and told as that."""
    arch, sections, preempted = CLEAN[name]
    watched = check_trace(str(recordings / name))
    assert watched.violations == ()
    assert (watched.arch, watched.seen.sections) == (arch, sections)
    assert watched.caveats == ()
    assert [one.rule for one in watched.findings] == ["preempted-in-section"] * preempted
    assert all(one.verdict is TraceVerdict.ALLOWED for one in watched.findings)
    assert watched.seen.anything


LATENCY = {
    "x61-6.1.190-default/small.latency.trace.gz": "6.1.0-54-amd64",
    "x618-6.18.15-default/small.latency.trace.gz": "6.18.15+deb13-amd64",
    "x71-7.1.13-default/small.latency.trace.gz": "7.1.13+deb13-amd64",
}


@pytest.mark.parametrize("name", LATENCY)
def test_the_latency_format_names_its_kernel(recordings, name):
    """Its head has the release, and nothing is guessed that is told."""
    watched = check_trace(str(recordings / name))
    assert watched.release == LATENCY[name]
    assert watched.violations == ()
    assert watched.seen.sections > 20


@pytest.mark.parametrize("name", ["x61-6.1.190-default", "x618-6.18.15-default"])
def test_a_trace_dat_is_read_by_trace_cmd(recordings, name):
    """Its own name of the kernel is taken, callers are there, and it is clean."""
    if shutil.which("trace-cmd") is None:
        pytest.skip("trace-cmd is not installed")
    watched = check_trace(str(recordings / f"{name}/rec.dat"))
    assert watched.release.startswith(name.split("-")[1].rsplit(".", 1)[0])
    assert watched.violations == ()
    assert watched.seen.sections > 400


def test_packing_changes_nothing(recordings, tmp_path):
    """gzip, xz, zstd and plain text say the same."""
    text = gzip.decompress(
        (recordings / "v612-6.12.107-preempt-full-violations/viol.trace.gz").read_bytes()
    )
    packed = {"plain": text, "xz": lzma.compress(text), "gz": gzip.compress(text)}
    try:
        from compression import zstd
    except ImportError:
        zstd = pytest.importorskip("backports.zstd")
    packed["zst"] = zstd.compress(text)
    said = set()
    for name, data in packed.items():
        path = tmp_path / name
        path.write_bytes(data)
        watched = check_trace(str(path))
        said.add(tuple((one.rule, one.location.line, one.message) for one in watched.findings))
    assert len(said) == 1
    assert len(said.pop()) > 10
