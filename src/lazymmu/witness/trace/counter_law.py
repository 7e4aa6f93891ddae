# SPDX-License-Identifier: GPL-2.0-or-later
"""The law of the counters: what a task's counters are follows from what happened to it.

enable_count and pause_count (linux/mm_types_task.h, struct lazy_mmu_state; v7.0 on) change by calls
of the API and, on an implementation that pauses whoever waits for a CPU, by the hooks of a context
switch: one more after a task was switched out, one less once it is back.  A fork copies them.  So
between two readings of one task their difference is known wherever nothing unseen can have
happened, modulo their width; and what no right calls lead to is wrong without a reading before.

A cause is told once.  What it left in a count is taken off the readings that follow, which are
counted to it: so a second mistake shows, and the first one is not told again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lazymmu.contract.events import Observed
from lazymmu.contract.monitor import Violation

if TYPE_CHECKING:
    from collections.abc import Callable

    from lazymmu.contract.event_words import Known, Moment
    from lazymmu.witness.trace.findings import PendingFinding
    from lazymmu.witness.trace.task_state import Place, TracedTask

__all__ = ["CounterLaw", "TaskCounts"]

_BYTE: Final = 0xFF
_WRAPPED: Final = 0x80
"""From here on a count has gone below zero: nobody nests so deep, and a u8 wraps."""

_UNCOUNTED: Final = -1
"""Nobody tells how often a task got a CPU."""

_SETTLED: Final = ("exit", "user-return")
"""Moments at which no right task has anything begun or paused."""


class TaskCounts:
    """What is known of one task's counters.

    :param enabled: as the task has them while it runs, at the last reading and by what was seen to
        change them since.
    :param paused: likewise.
    :param place: of that reading; fresh: it was made before the task ran at all; since: how often
        the task had got a CPU when nothing unseen could change them any more, None while it could;
        sited: each call is seen that changes them; left_enabled, left_paused: what the causes that
        were told have left in them; causes: the findings that told it; slept: the finding that told
        of a sleep in the section that is still on; asleep: the first sleep in what is put down to a
        cause; doubtful: where it began if the hook that comes
        next is one too many.
    """

    __slots__ = (
        "asleep",
        "causes",
        "doubtful",
        "enabled",
        "fresh",
        "left_enabled",
        "left_paused",
        "paused",
        "place",
        "since",
        "sited",
        "slept",
    )

    def __init__(self, enabled: int, paused: int, place: Place, old: TaskCounts | None) -> None:
        """At a reading; old: what was known before."""
        self.enabled = enabled
        self.paused = paused
        self.place = place
        self.fresh = self.sited = False
        self.since: int | None = None
        # What was less than it is gone.
        self.left_enabled: int = min(old.left_enabled, enabled) if old else 0
        self.left_paused: int = old.left_paused if old else 0
        if self.left_paused < _WRAPPED:
            self.left_paused = min(self.left_paused, paused)
        self.causes: dict[str, PendingFinding] = old.causes if old else {}
        self.slept: PendingFinding | None = old.slept if old and enabled else None
        self.doubtful: Place | None = old.doubtful if old else None
        self.asleep: tuple[Violation, Place] | None = old.asleep if old and enabled else None

    @property
    def hidden(self) -> bool:
        """Whether the task is in a section by its counters, all of which has been told."""
        return 0 < self.enabled == self.left_enabled

    @property
    def unexplained(self) -> tuple[int, int]:
        """The counters without what has been told."""
        return (
            (self.enabled - self.left_enabled) & _BYTE,
            (self.paused - self.left_paused) & _BYTE,
        )


class CounterLaw:
    """Judges each reading of the counters by the ones before.

    :param pauses: whether the hooks of a switch pause the task that goes: of the implementation,
        or, where that is not known, as the readings around the first switch show it; unseen: how
        often a section began or ended at an instruction that no probe is on; held: readings that
        something says of what they must be.
    """

    def __init__(
        self,
        pauses: Known,
        tell: Callable[[TracedTask, Violation, Place, Place | None], PendingFinding | None],
    ) -> None:
        """tell(task, violation, place, began): called for what is wrong; gives the finding."""
        self.pauses = pauses
        self._may_pause = pauses != "no"
        self._tell = tell
        self._sites: set[str] = set()
        self.unseen = self.held = 0

    def reading(
        self,
        task: TracedTask,
        at: str,
        enabled: int,
        paused: int,
        place: Place,
        *,
        switches: bool = True,
    ) -> tuple[int, int]:
        """Judge one reading of `task`; gives the counters without what is told already.

        :param at: as in `events.Observed`, or "" of a task that runs.
        :param switches: they are recorded.
        """
        old = task.counts
        if at == "switch-in":
            self._learn(task, old, paused)
            paused = (paused - (self.pauses != "no")) & _BYTE
        task.counts = now = TaskCounts(enabled, paused, place, old)
        # The first of a task says nothing but where its counters must be zero.
        self.held += old is not None or at in _SETTLED or (at == "start" and not self._may_pause)
        if at == "start":
            now.fresh = True
            # One pause ahead is right where the first switch takes it away; where that switch wraps
            # the count instead, the next reading shows it.
            return (enabled, 0) if self._may_pause and paused <= 1 else (enabled, paused)
        if old is not None:
            self._after(task, old, now, at)
        self._wrapped(task, old, now, at)
        if at == "switch-out":
            now.since = task.times_on if switches else _UNCOUNTED
        return now.unexplained

    def told(self, task: TracedTask, finding: PendingFinding) -> None:
        """The monitors object to what is unexplained in the last reading."""
        counts = task.counts
        if counts is None:
            return
        for kind, count in zip(("enabled", "paused"), counts.unexplained, strict=True):
            if count:
                counts.causes = {**counts.causes, kind: finding}
        counts.left_enabled, counts.left_paused = counts.enabled, counts.paused

    def slipped(self, task: TracedTask, finding: PendingFinding) -> None:
        """The monitors object to a call that takes a count below zero, which it has done."""
        counts = _at_hand(task)
        match finding.violation.detail:
            case "not-begun":
                counts.left_enabled = counts.enabled
                counts.causes = {**counts.causes, "enabled": finding}
            case "not-paused":
                counts.left_paused = counts.paused
                counts.causes = {**counts.causes, "paused": finding}

    def site(
        self, task: TracedTask, does: str, enabled: int, paused: int, place: Place
    ) -> tuple[int, int]:
        """A probe at an instruction read the counters; then the instruction changes them.

        Gives them, as they were, without what is told already.
        """
        old = task.counts
        self.reading(task, "", enabled, paused, place)
        now = _at_hand(task)
        self._sites.add(does)
        whole = {"begin", "end"} <= self._sites
        if whole and old is not None and old.sited and old.since == task.times_on:
            self._unseen(task, old, now)
        if does == "end" and now.unexplained[0] == 0 and 0 < enabled < _WRAPPED:
            self._ends_what_was_left(task, now)
        left = now.unexplained
        now.enabled = (enabled + {"begin": 1, "end": -1}.get(does, 0)) & _BYTE
        now.paused = (paused + {"pause": 1, "resume": -1}.get(does, 0)) & _BYTE
        now.sited, now.since = True, task.times_on
        return left

    def _unseen(self, task: TracedTask, old: TaskCounts, now: TaskCounts) -> None:
        """What changed the count of sections between two probed instructions, and is not one.

        Fewer: an end that no probe is on, since the kernel refused it or it is a module's; nothing
        is wrong with that.  More: a begin, which is one too many until something ends it; where
        there are such ends it is one like another.
        """
        more = (now.enabled - old.enabled) & _BYTE
        if more >= _WRAPPED:
            self.unseen += 1
        elif more and not self.unseen:
            self._say(task, "unbalanced-section", "leaked", old.place, "")
            now.left_enabled = (now.left_enabled + more) & _BYTE

    def _ends_what_was_left(self, task: TracedTask, now: TaskCounts) -> None:
        """A section that began unseen ends: that was no mistake, but has no probe."""
        self.unseen += 1
        now.left_enabled = (now.left_enabled - 1) & _BYTE
        cause = now.causes.get("enabled")
        if cause is not None and cause.violation.detail == "leaked" and not cause.sure:
            cause.void = True
            # What is on of it is a section as well.
            now.left_enabled = 0
            now.causes = {kind: one for kind, one in now.causes.items() if one is not cause}
            if now.asleep is not None:
                # It was a section, if one without a probe, and the task slept in it.
                self._tell(task, *now.asleep, cause.place)

    # ---- steps of it -----------------------------------------------------------------------

    def _learn(self, task: TracedTask, old: TaskCounts | None, paused: int) -> None:
        """Whether hooks pause shows where a task has not run between its two readings."""
        if self.pauses == "unknown" and old is not None and not old.fresh and _away(task, old, 1):
            more = (paused - old.paused) & _BYTE
            if more in (0, 1):
                self.pauses = "yes" if more else "no"

    def _after(self, task: TracedTask, old: TaskCounts, now: TaskCounts, at: str) -> None:
        """What the reading before says of this one."""
        moved = ((now.enabled - old.enabled) & _BYTE, (now.paused - old.paused) & _BYTE)
        if old.fresh:
            if old.left_paused and moved[1] == _BYTE:
                now.left_paused = now.paused  # the hook has taken one more away
        elif _away(task, old, at == "switch-in") and moved not in ((0, 0), (0, _BYTE)):
            # One less, as a hook of the way out that does nothing would have it, shows next.
            detail = f"enable_count {now.enabled}, pause_count {now.paused}"
            self._say(task, "dirty-start", detail, old.place, at)
            now.left_enabled = (now.left_enabled + moved[0]) & _BYTE
            now.left_paused = (now.left_paused + moved[1]) & _BYTE
        if at in _SETTLED and now.enabled == now.paused == 0:
            now.left_enabled = now.left_paused = 0
            now.causes = {}
        for cause in {id(one): one for one in now.causes.values()}.values():
            cause.readings += 1
        left = now.causes.get("enabled") if at in _SETTLED and now.enabled else None
        if left is not None:
            # Wherever its section began: it should have ended before.
            left.sure = True

    def _wrapped(self, task: TracedTask, old: TaskCounts | None, now: TaskCounts, at: str) -> None:
        """A count below zero that nothing explains which was told before."""
        enabled, paused = now.unexplained
        began = now.doubtful or (old.place if old is not None else None)
        if at == "switch-in":
            # The hook comes after the reading: whether there is one, the next reading shows.
            now.doubtful = (began or now.place) if paused >= _WRAPPED else None
            return
        now.doubtful = None
        # A task that was only just forked has called nothing: then, too, it was the switch.
        hook = self._may_pause or (old is not None and old.fresh)
        if paused >= _WRAPPED and now.paused >= _WRAPPED and (hook or at not in _SETTLED):
            if hook:
                detail = f"enable_count {now.enabled}, pause_count {now.paused}"
                self._say(task, "dirty-start", detail, began, at)
            else:
                self._say(task, "unbalanced-pause", "wrapped", began, at)
            now.left_paused = now.paused
        if enabled >= _WRAPPED and now.enabled >= _WRAPPED and at not in _SETTLED:
            self._say(task, "unbalanced-section", "wrapped", began, at)
            now.left_enabled = now.enabled

    def _say(self, task: TracedTask, rule: str, detail: str, began: Place | None, at: str) -> None:
        """Tell what is wrong with the last reading; the finding is the cause of those to come."""
        now = _at_hand(task)
        moment: Moment = at or "enable"  # type: ignore[assignment]
        event = Observed(at=moment, counters=(now.enabled, now.paused))
        finding = self._tell(task, Violation(rule, event, detail), now.place, began)
        if finding is not None:
            now.causes = {
                **now.causes,
                "enabled" if rule == "unbalanced-section" else "paused": finding,
            }


def _away(task: TracedTask, old: TaskCounts, times: int) -> bool:
    """Whether the task has not run since a reading; times: that it may have got a CPU since."""
    if old.since is None or old.sited:
        return False
    return times == 1 if old.since == _UNCOUNTED else task.times_on - old.since <= times


def _at_hand(task: TracedTask) -> TaskCounts:
    """The counters of the reading that is judged."""
    if task.counts is None:
        raise AssertionError("nothing was read")
    return task.counts
