# SPDX-License-Identifier: GPL-2.0-or-later
"""Findings for who reads them: one line each, below it the path as a tree of calls, and the facts.

What hurts comes first. The lines of a path are indented by how deep its calls go, and show the code
that stands there; ``>`` is before the culprit's. Editors are served by the format ``gcc``.
"""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from lazymmu.report.check.phrases import harms, headline, sorted_by_severity, terms
from lazymmu.report.common import messages
from lazymmu.report.common.words import clean, count
from lazymmu.verbs.selection import CHANGES
from lazymmu.witness.finding import Severity

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from lazymmu.verbs.selection import CheckOutcome, SetAside
    from lazymmu.witness.finding import Finding, Step

__all__ = ["MAX_ASIDE", "MIN_WIDTH", "render"]

MAX_ASIDE = 3
"""Other places of the same mistake that are named without being asked for."""
MIN_WIDTH = 60
"""Columns below which nothing is folded any further."""

_INDENT = "    "
_DEEPER = "  "
_MAX_PLACE = 48
"""Columns that the place of a step may take before the code begins further right than others'."""


def render(
    outcomes: Sequence[CheckOutcome],
    *,
    asked: Collection[str] = (),
    columns: int | None = None,
    verbose: bool = False,
) -> str:
    """All findings of all trees, each beginning with a line ``file:line:column: severity: ...``.

    Files are relative to the tree; with several trees, the tree as the user named it goes before.

    :param asked: rules named by the user; a finding that only informs is shown only if its rule is
        one.
    :param columns: to fold lines to, None for a file or pipe.
    :param verbose: every other place of a mistake, what each step does, and who is concerned.
    """
    lines: list[str] = []
    for outcome in outcomes:
        top = outcome.result.tree.path.rstrip("/") + "/" if len(outcomes) > 1 else ""
        told = _Told(top, outcome, columns, verbose)
        for finding in sorted_by_severity(outcome.result.findings):
            if finding.severity is not Severity.INFORMATION or finding.rule in asked:
                lines += told.finding(finding)
        for one in outcome.not_counted:
            if one.by in CHANGES:
                lines += told.aside(one)
    return "".join(f"{line}\n" for line in lines)


class _Told:
    """How the findings of one tree are told."""

    def __init__(self, top: str, outcome: CheckOutcome, columns: int | None, verbose: bool) -> None:
        self._top = top
        self._arches = outcome.result.arches
        self._change = outcome.change
        self._columns = None if columns is None else max(columns, MIN_WIDTH)
        self._verbose = verbose

    def finding(self, finding: Finding) -> Iterator[str]:
        """The lines of one finding."""
        here = messages.at(f"{self._top}{finding.file}", finding.line, finding.column)
        level = messages.severity(finding)
        line = messages.headline(here, level, headline(finding), finding.rule)
        yield from self._folded(line, "", _INDENT)
        yield from self._path(finding)
        said = [*harms(finding), *terms(finding, None if self._verbose else self._arches)]
        patch = self._change.patch_of(finding) if self._change is not None else ""
        said += [clean(f"brought by patch {patch}")] if patch else []
        said += [clean(f"fingerprint {finding.fingerprint}")] if finding.fingerprint else []
        if said:
            yield from self._folded("; ".join(said), _INDENT, _INDENT + _DEEPER)

    def aside(self, one: SetAside) -> Iterator[str]:
        """The line of a finding that a change has mended or moved."""
        finding = one.finding
        # A mended one has no place any more that an editor could open.
        here = messages.at(f"{self._top}{finding.file}", finding.line, finding.column)
        reason = f" ({one.reason})" if one.reason else ""
        line = f"{one.by}: {here} {clean(f'{headline(finding)} [{finding.rule}]{reason}')}"
        yield from self._folded(line, "", _INDENT)

    def _path(self, finding: Finding) -> Iterator[str]:
        steps = [step for step in finding.path if step.with_path]
        places = [clean(f"{self._top}{step.file}:{step.line}") for step in steps]
        wide = min(max(map(len, places), default=0), _MAX_PLACE)
        stack: list[str] = []
        for step, place in zip(steps, places, strict=True):
            if step.function in stack:
                del stack[stack.index(step.function) + 1 :]
            else:
                stack.append(step.function)
            culprit = (step.file, step.line) == (finding.file, finding.line)
            mark = "  > " if culprit else _INDENT
            before = f"{mark}{place:{wide}}  {_DEEPER * (len(stack) - 1)}"
            yield from self._folded(self._step(step), before, " " * (len(before) + 2))
        aside = [step for step in finding.path if not step.with_path]
        shown = aside if self._verbose else aside[:MAX_ASIDE]
        for step in shown:
            where = f"{self._top}{step.file}:{step.line} {step.function}()"
            yield from self._folded(clean(f"{step.note}: {where}"), _INDENT, _INDENT + _DEEPER)
        if more := len(aside) - len(shown):
            yield f"{_INDENT}and {count(more, 'place')} more (-v)"

    def _step(self, step: Step) -> str:
        """Where, and the code; what happens, where the code does not say that."""
        who = f"{step.function}(): " if step.function else ""
        if not step.code:
            return clean(f"{who}{step.note or 'here'}")
        # "calls f()" is in the code where f stands in it.
        name = step.note.partition("(")[0].split(" ")[-1]
        said = {"", f"in {step.function}()"}
        told = name in step.code if step.note.startswith("calls ") else step.note in said
        note = f"  ({step.note})" if self._verbose or not told else ""
        return clean(f"{who}{step.code}{note}")

    def _folded(self, text: str, first: str, rest: str) -> list[str]:
        if self._columns is None:
            return [f"{first}{text}"]
        return textwrap.wrap(
            text,
            self._columns,
            initial_indent=first,
            subsequent_indent=rest[: self._columns // 2],
            break_long_words=False,
            break_on_hyphens=False,
        )
