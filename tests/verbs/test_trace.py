# SPDX-License-Identifier: GPL-2.0-or-later
"""`lazymmu.trace(TraceRequest(...))`: recordings held to the contract, without a command."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

import lazymmu
from lazymmu.verbs.exit_code import ExitCode
from lazymmu.verbs.trace import Stream

TRACES = Path(__file__).parents[2] / "examples" / "trace"
XEN, SPARC = TRACES / "xen-6.12.107.trace.gz", TRACES / "sparc64-7.1.13.trace.gz"


def ask(*traces, **given):
    """The answer."""
    return lazymmu.trace(lazymmu.TraceRequest(traces=traces or [XEN], **given))


def test_what_a_kernel_broke_is_found_and_what_it_kept_is_clean():
    """One trace of each, and both at once."""
    assert ask().exit_code() is ExitCode.FOUND
    assert ask(SPARC).exit_code() is ExitCode.CLEAN
    both = ask(SPARC, XEN)
    assert both.exit_code() is ExitCode.FOUND
    assert both.violations == ask().violations
    assert set(both.violations) < set(both.findings)


def test_findings_of_one_rule_task_or_cpu():
    """As --rule, --task and --cpu do."""
    assert {one.rule for one in ask(rules="nested-section").findings} == {"nested-section"}
    assert {one.pid for one in ask(task=27).violations} == {27}
    assert {one.location.cpu for one in ask(cpu=0).findings} == {0}


def test_a_summary_is_made_when_asked():
    """With the numbers of the sections, in order of the traces."""
    assert ask().tallies == ()
    ((first, xen), (second, sparc)) = ask(XEN, SPARC, summary=True).tallies
    assert (first, second) == (str(XEN), str(SPARC))
    assert (xen.everything.sections > 0, sparc.everything.sections > 0) == (True, True)


def test_an_open_file_is_a_trace_too():
    """Under the name that it is given."""
    answer = ask(Stream(io.BytesIO(XEN.read_bytes()), "mine"))
    assert {one.file for one in answer.findings} == {"mine"}
    assert len(answer.findings) == len(ask().findings)


def test_progress_is_told_in_mebibytes():
    """What is read, how much, and of how much."""
    told = []
    lazymmu.trace(lazymmu.TraceRequest(traces=XEN), progress=lambda *said: told.append(said))
    assert {stage for stage, _, _ in told} == {f"reading {XEN} (MiB)"}


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"rules": ["stale-read"]}, "there is no rule of traces 'stale-read'"),
        ({"arch": "riscv"}, "there is no architecture 'riscv'"),
        ({"release": "latest"}, "'latest' is not a Linux release"),
        ({"traces": ["/nonexistent"]}, "/nonexistent"),
    ],
)
def test_what_cannot_be_is_one_sentence(given, sentence):
    """No traceback of ours, and nothing is read."""
    with pytest.raises(lazymmu.Problem) as raised:
        lazymmu.trace(lazymmu.TraceRequest(**({"traces": [XEN]} | given)))
    assert sentence in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_request_without_a_trace_is_refused():
    """A request without a trace is refused, because nothing would be clean."""
    with pytest.raises(ValueError, match="needs a trace"):
        lazymmu.TraceRequest(traces=[])
