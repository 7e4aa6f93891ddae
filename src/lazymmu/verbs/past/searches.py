# SPDX-License-Identifier: GPL-2.0-or-later
"""Which commits brought problems, and which took them away: several searches at once.

Each goes by halves (bisection.py); what one has to look at, all may use.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lazymmu.verbs.lineage import key_of, lineage
from lazymmu.verbs.past.bisection import changed_by
from lazymmu.verbs.past.states import blind_in, impossible

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    from lazymmu.verbs.lineage import Key
    from lazymmu.verbs.past.lines import CommitLine
    from lazymmu.verbs.past.of_commits import CommitHistory
    from lazymmu.verbs.past.points import Point
    from lazymmu.verbs.past.problems import PastProblem
    from lazymmu.verbs.past.spans import Span
    from lazymmu.witness.finding import Confidence, Finding

    _Steps = Generator[str, bool | None, tuple[str, ...]]

__all__ = ["Searches"]


@dataclass(frozen=True, slots=True)
class _Search:
    """What is searched for: when a problem came, or went.

    :ivar line: the commits; candidates: those that can have done it.
    :ivar keys: what the problem is known by; arches: where it is.
    :ivar having: the commit at an end of the line that has it.
    """

    line: CommitLine
    candidates: frozenset[str]
    keys: frozenset[Key]
    arches: frozenset[str]
    came: bool
    having: str


class Searches:
    """Searches in one repository."""

    def __init__(self, commits: CommitHistory, confidence: Confidence) -> None:
        """Search by looks at commits; a problem is there where it is as sure as that."""
        self._commits = commits
        self._confidence = confidence
        self._open: dict[tuple[str, Span], tuple[_Search, _Steps, str]] = {}
        self._found: dict[tuple[str, Span], tuple[str, ...]] = {}

    def run(
        self, wanted: Sequence[tuple[PastProblem, Span, bool]], points: Sequence[Point]
    ) -> dict[tuple[str, Span], tuple[str, ...]]:
        """Which commit changed a problem between two points.

        :param wanted: problems with their spans, and whether each came in it, or went.
        :returns: by the problem's id and the span the commit; several where it is one of them,
            none where it cannot be told.
        """
        places = {point.name: point for point in points}
        for problem, span, came in wanted:
            search = self._search(problem, places.get(span.after), places.get(span.by), came=came)
            if search is not None:
                steps = changed_by(search.line.entries, search.candidates)
                self._step((problem.id, span), search, steps)
        while self._open and not self._commits.looking.interrupted:
            self._commits.look_at([asked for _, _, asked in self._open.values()])
            for name, (search, steps, asked) in list(self._open.items()):
                if asked in self._commits.looked:
                    self._step(name, search, steps, (self._answer(search, asked),))
        return self._found

    def _step(
        self,
        name: tuple[str, Span],
        search: _Search,
        steps: _Steps,
        answer: tuple[bool | None] | None = None,
    ) -> None:
        """Go on with a search; answer: to what it asked last, None at its beginning."""
        try:
            asked = next(steps) if answer is None else steps.send(answer[0])
        except StopIteration as end:
            self._found[name] = end.value
            self._open.pop(name, None)
            return
        self._open[name] = (search, steps, asked)

    def _search(
        self, problem: PastProblem, old: Point | None, new: Point | None, *, came: bool
    ) -> _Search | None:
        """A search between two points, None where their history does not have the change."""
        if old is None or new is None or not old.commit or not new.commit:
            return None
        commits = self._commits
        base = commits.seen.merge_base(old.commit, new.commit)
        commits.look_at([base])
        if base not in commits.looked:
            return None
        line = commits.line(base, new.commit)
        inputs = commits.looked[base].inputs | commits.looked[new.commit].inputs
        search = _Search(
            line,
            frozenset(line.touching(inputs, line.commits)),
            frozenset(key_of(finding) for finding in problem.findings),
            frozenset(arch for finding in problem.findings for arch in finding.arches),
            came,
            new.commit if came else base,
        )
        ends = self._answer(search, base), self._answer(search, new.commit)
        return search if ends == (False, True) else None

    def _answer(self, search: _Search, commit: str) -> bool | None:
        """Whether a commit has the change; None where that cannot be told."""
        has = self._has(search, commit)
        return None if has is None else has is search.came

    def _has(self, search: _Search, commit: str) -> bool | None:
        result = self._commits.looked[commit].result
        if result is None:
            return None
        here, there = self._sure(commit), self._sure(search.having)
        if any(key_of(finding) in search.keys for finding in here):
            return True
        if here and commit != search.having and self._moved(search, commit, here, there):
            return True
        # Halfway through a change it may be that nobody has the mode, or that nothing is seen.
        if not result.arches:
            return None
        rules = {rule for rule, _, _ in search.keys}
        if any(impossible(rule, search.arches, result) for rule in rules):
            return False
        return None if blind_in(tuple(search.keys), search.arches, result) is not None else False

    def _moved(
        self, search: _Search, commit: str, here: Sequence[Finding], there: Sequence[Finding]
    ) -> bool:
        """Whether a commit has the problem under a name that it has at no point."""
        known = [one for one in there if key_of(one) in search.keys]
        tree, other = self._commits.tree(commit), self._commits.tree(search.having)
        if search.came:
            former = lineage([(tree, here), (other, known)])
            return any(later in search.keys for later in former)
        return any(one in search.keys for one in lineage([(other, known), (tree, here)]).values())

    def _sure(self, commit: str) -> list[Finding]:
        """What was found in a commit, and is sure enough."""
        result = self._commits.looked[commit].result
        found = result.findings if result is not None else ()
        return [one for one in found if one.confidence.rank >= self._confidence.rank]
