# SPDX-License-Identifier: GPL-2.0-or-later
"""What traces show, for programs: one JSON object, in the order of the traces.

`trace.schema.json` beside this file describes it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lazymmu.json_text import dump
from lazymmu.report.common import document

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lazymmu.witness.trace.values import Caveat, TraceFinding, TraceLocation, TraceResult

__all__ = ["FORMAT", "object_of", "render"]

FORMAT = 2
"""Version of the layout; in 1, `not_listed` was spelt otherwise than all other keys."""


def render(watched: Sequence[TraceResult]) -> str:
    """One object: `traces`, each with its kernel, what was seen, findings and doubts."""
    return dump(object_of(watched))


def object_of(watched: Sequence[TraceResult]) -> dict[str, Any]:
    """The same as a value, for a page that carries it."""
    return document.whole(FORMAT, {"traces": [_trace(one) for one in watched]})


def _trace(watched: TraceResult) -> dict[str, Any]:
    seen = watched.seen
    return {
        "trace": watched.name,
        "arch": watched.arch,
        "release": watched.release,
        "kernel": list(watched.kernel),
        "dialect": watched.dialect,
        "hidden": watched.hidden,
        "complete": not watched.ended,
        "lost": watched.lost,
        "seen": {
            "lines": seen.lines,
            "sections": seen.sections,
            "ends": seen.ends,
            "flushes": seen.flushes,
            "updates": seen.updates,
            "switches": seen.switches,
            "counters": seen.counters,
            "unreadable": seen.unreadable,
        },
        "findings": [_finding(one) for one in watched.findings],
        "not_listed": dict(watched.cut),
        "basis": [
            {"rule": one.rule, "over": one.over, "what": one.what, "why": one.why}
            for one in watched.basis
        ],
        "doubts": [_doubt(one) for one in watched.caveats],
    }


def _finding(finding: TraceFinding) -> dict[str, Any]:
    return {
        **document.facts(finding),
        "verdict": finding.verdict,
        "task": finding.comm,
        "pid": finding.pid,
        "at": _spot(finding.location),
        "began": [_spot(one) for one in finding.began],
        "harm": finding.harm,
        "implied": finding.implied,
        "notes": list(finding.notes),
        "context": [{"line": line, "text": text} for line, text in finding.context],
    }


def _spot(spot: TraceLocation) -> dict[str, Any]:
    return {
        "line": spot.line,
        "cpu": spot.cpu,
        "time": spot.stamp,
        "text": spot.text,
        "stack": list(spot.frames),
    }


def _doubt(doubt: Caveat) -> dict[str, Any]:
    return {"reason": doubt.reason, "line": doubt.line, "times": doubt.times}
