# SPDX-License-Identifier: GPL-2.0-or-later
"""What the formats of other people's tools are made of, whichever verb found it.

A report is made once, by ``lazymmu.report.VERB.tools.report``, and rendered by as many of
``lazymmu.report.tools`` as were asked for. Its texts are as strangers wrote them: a renderer cleans
and escapes each where it puts it in, by the rules of its own format.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from lazymmu.witness.finding import Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lazymmu.witness.finding import Finding, Step

__all__ = [
    "CaseState",
    "ReportCase",
    "ReportEntry",
    "ReportSuite",
    "ToolReport",
    "happens",
    "standing",
]


class CaseState(StrEnum):
    """What came of a case.

    open: nobody can tell, because a bound was hit; lost: because something was not seen.
    """

    PASSED = "passed"
    FAILED = "failed"
    SKIPPED = "skipped"
    OPEN = "open"
    LOST = "lost"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportEntry:
    """One finding, with the phrases that all formats share.

    :param finding: rule, severity, place, path, fingerprint.
    :param message: ``function(): what is wrong``.
    :param harms: who is hurt and whom it costs time, a sentence each.
    :param terms: what it depends on and how sure it is, a phrase each.
    :param fails: whether it makes the command end with 1.
    :param aside: why it does not count though it was found (``suppressed``), "" where it counts.
    :param reason: what somebody gave as the reason for that, "" for none.
    :param title: what tells it from others of its rule, without numbers that change; "" for
        its function and file.
    """

    finding: Finding
    message: str
    harms: tuple[str, ...] = ()
    terms: tuple[str, ...] = ()
    fails: bool = True
    aside: str = ""
    reason: str = ""
    title: str = ""

    @property
    def name(self) -> str:
        """Its title, which stays when lines move."""
        one = self.finding
        return self.title or (f"{one.function}() in {one.file}" if one.function else one.file)

    @property
    def steps(self) -> tuple[Step, ...]:
        """The path to the culprit, without other places of the same mistake."""
        return tuple(step for step in self.finding.path if step.with_path)

    @property
    def set_aside(self) -> str:
        """Why it does not count, in one phrase: ``suppressed: never set here``."""
        return ": ".join(filter(None, (self.aside, self.reason)))


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportCase:
    """One question with its answer: a rule held against a tree, a scenario run on a machine.

    :param told: what there is to say of it, one line each; of findings nothing, which are entries.
    """

    name: str
    state: CaseState
    told: tuple[str, ...] = ()
    entries: tuple[ReportEntry, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportSuite:
    """One tree, one trace, or one scenario.

    :param name: of the tree, trace or scenario, as the user named it.
    :param about: which kernel that is, and how it was looked at, in one phrase.
    :param top: the directory that files are relative to, as one gets there from where one stands;
        "" where files are named from there anyway.
    :param losses: what was not seen and could hide a finding, one sentence each.
    """

    name: str
    about: str = ""
    top: str = ""
    cases: tuple[ReportCase, ...] = ()
    losses: tuple[str, ...] = ()

    @property
    def entries(self) -> tuple[ReportEntry, ...]:
        """All findings, what hurts first, then by place; those set aside are among them."""
        found = [(entry.finding, entry) for case in self.cases for entry in case.entries]
        order = list(Severity)
        found.sort(key=lambda one: (order.index(one[0].severity), one[0].file, one[0].line))
        return tuple(entry for _, entry in found)

    def opens(self, file: str) -> str:
        """The path of a file from where one stands."""
        return os.path.join(self.top, file) if file else self.top


@dataclass(frozen=True, slots=True)
class ToolReport:
    """Everything that one run of a verb has to say to other people's tools."""

    verb: str
    suites: tuple[ReportSuite, ...]

    @property
    def shown(self) -> Iterator[tuple[ReportSuite, ReportEntry]]:
        """Each finding that was not set aside, with its suite, in order."""
        for suite in self.suites:
            for entry in suite.entries:
                if not entry.aside:
                    yield suite, entry


def happens(step: Step) -> str:
    """What happens at a step, as `function(): note`, as a stranger wrote it."""
    where = f"{step.function}(): " if step.function else ""
    return f"{where}{step.note or 'here'}"


def standing(top: str) -> str:
    """How one gets to a directory from where one stands: relative if it lies below, else whole."""
    try:
        here, there = os.getcwd(), os.path.abspath(top)
    except OSError:
        return top  # where one stands is gone
    if there == here:
        return ""
    return there.removeprefix(here.rstrip("/") + "/")
