# SPDX-License-Identifier: GPL-2.0-or-later
"""Points of a history, made without trees."""

from __future__ import annotations

from lazymmu.verbs.past.points import Point
from lazymmu.witness.finding import (
    CheckResult,
    Confidence,
    Coverage,
    Finding,
    Harm,
    Severity,
    TreeInfo,
)


def found(
    rule="stale-read", function="f", file="mm/a.c", *, sure=Confidence.HIGH, arches=("x86",)
) -> Finding:
    """A finding that hurts the first of its architectures."""
    return Finding(
        rule=rule,
        severity=Severity.HURTS,
        confidence=sure,
        arches=arches,
        file=file,
        function=function,
        line=3,
        message="is wrong",
        harms=(Harm(arches[0], "hurt"),),
        fingerprint=f"{rule}-{file}-{function}",
    )


def point(release, *findings, dialect="ptl-held", arches=("x86",), blind=()) -> Point:
    """A tree of a release with some findings."""
    result = CheckResult(
        tree=TreeInfo(f"/linux-{release}", release, dialect),
        arches=arches,
        findings=findings,
        coverage=Coverage(1, 1, blind=tuple(blind)),
    )
    return Point(name=release, release=release, path=f"/linux-{release}", result=result)


def unread(release, why="it is not there") -> Point:
    """A tree that could not be looked at."""
    return Point(name=release, release="", path=f"/linux-{release}", trouble=why)
