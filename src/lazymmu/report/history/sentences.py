# SPDX-License-Identifier: GPL-2.0-or-later
"""What a history says of problems, in sentences that every format for people has."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lazymmu.report.common.words import count

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lazymmu.verbs.history import HistoryAnswer
    from lazymmu.verbs.past.backport import Backport
    from lazymmu.verbs.past.known import CitedCommit
    from lazymmu.verbs.past.problems import PastProblem
    from lazymmu.verbs.past.spans import Span

__all__ = ["backport", "known", "span", "stable", "summary", "travels"]

_SHORT: Final = 12
"""Letters of a commit's name."""


def summary(answer: HistoryAnswer) -> str:
    """How many problems there are, and how much was looked at."""
    hurting = sum(bool(one.hurts) for one in answer.problems)
    problems = count(len(answer.problems), "problem")
    return f"{problems}, {hurting} of them hurt; {_gone_through(answer)}"


def _gone_through(answer: HistoryAnswer) -> str:
    if not answer.commits:
        return count(len(answer.points), "tree")
    looked = answer.made + answer.recalled
    return f"{count(answer.commits, 'commit')} gone through, {looked} looked at"


def travels(problem: PastProblem) -> Iterator[tuple[str, str]]:
    """Where a problem came from and where it went, each under its head."""
    yield "introduced", span(problem.introduced, "before the oldest of these")
    if problem.known[0] is not None:
        yield "", known(problem.known[0])
    yield "fixed", span(problem.fixed)
    if problem.known[1] is not None:
        yield "", known(problem.known[1])
    if problem.backported:
        yield "in stable", stable(problem)


def span(span: Span | None, before: str = "") -> str:
    """Where a problem changed.

    :param before: what is said where it had changed before the first tree that could tell.
    """
    if span is None:
        return "no"
    if span.commit:
        return f"{span.commit[:_SHORT]} {span.subject}, after {span.after}, by {span.by}"
    if span.among:
        commits = ", ".join(commit[:_SHORT] for commit in span.among)
        return f"by one of {commits}, which cannot be told apart"
    return f"between {span.after} and {span.by}" if span.after else f"{before} ({span.by} has it)"


def stable(problem: PastProblem) -> str:
    """What each stable series has of the fix of a problem."""
    return "; ".join(f"{one.series}: {span(one.span, 'yes')}" for one in problem.backported)


def known(cited: CitedCommit) -> str:
    """A known commit, and whether what was found agrees."""
    verdict = {
        True: "which agrees",
        False: "which does not agree",
        None: "of which these trees say nothing",
    }
    why = f" ({cited.why})" if cited.why else ""
    return f"known: {cited.commit}, {verdict[cited.agrees]}{why}"


def backport(tried: Backport) -> Iterator[tuple[str, str]]:
    """What a fix does on another commit, each under its head."""
    fit, every = tried.hunks
    yield "fix", f"{tried.fix[:_SHORT]} {tried.subject}"
    yield "applies", "yes" if not tried.refused else f"no: {fit} of {every} hunks; {tried.refused}"
    if tried.needs:
        yield "needs", ", ".join(f"{name}()" for name in tried.needs)
    if not tried.refused:
        for head, found in (("gone", tried.fixed), ("new", tried.new)):
            places = [f"{one.rule} in {one.function}(), {one.file}" for one in found]
            yield head, "; ".join(places) or "nothing"
