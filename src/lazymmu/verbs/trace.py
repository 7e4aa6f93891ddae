# SPDX-License-Identifier: GPL-2.0-or-later
"""`trace`: hold what running kernels recorded to the contract."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Self, TypeAlias

from lazymmu.ftrace.profile import profiles, version
from lazymmu.ftrace.record import TraceError
from lazymmu.problem import Problem
from lazymmu.verbs import names
from lazymmu.verbs.exit_code import ExitCode
from lazymmu.verbs.given import several
from lazymmu.witness.trace.check import check_trace, trace_rules
from lazymmu.witness.trace.follower import TraceFollower
from lazymmu.witness.trace.section_stats import SectionStats
from lazymmu.witness.trace.tracks import MAX_BARS, TraceTracks

if TYPE_CHECKING:
    from lazymmu.verbs.oops import OopsAnswer
    from lazymmu.witness.trace.section_listener import SectionListener
    from lazymmu.witness.trace.values import Seen, TraceFinding, TraceResult

__all__ = ["Stream", "TraceAnswer", "TraceRequest", "trace"]

Show: TypeAlias = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Stream:
    """A trace that is read from an open file, and its name for messages."""

    file: BinaryIO
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TraceRequest:
    """A question for `trace`: all that `lazymmu trace` can be asked.

    Collections may be of any kind, and one alone needs none around it; they are kept as tuples.

    :param traces: files of text of tracefs or trace-cmd, packed or not, or of trace-cmd itself.
    :param arch: architecture of that kernel; None where the trace tells.
    :param release: release of that kernel, as 6.12.107; None where the trace tells.
    :param rules: only these are judged by; without any, all that a trace can show.
    :param task: only findings of the task with this PID.
    :param cpu: only findings on this CPU.
    :param summary: tell what sections were like, too.
    :param listener: told what happens, one thing after the other; for one trace, with `summary`.
    :param follower: told what is found while the one trace is recorded, until it ends or Ctrl-C.
    :param tracks: keep what happens, to be drawn; then without a listener.
    """

    traces: Sequence[str | os.PathLike[str] | Stream]
    arch: str | None = None
    release: str | None = None
    rules: Sequence[str] = ()
    task: int | None = None
    cpu: int | None = None
    summary: bool = False
    listener: SectionListener | None = None
    follower: TraceFollower | None = None
    tracks: bool = False

    def __post_init__(self) -> None:
        """Keep collections as tuples, so that a request cannot change once it is made."""
        for name in ("traces", "rules"):
            object.__setattr__(self, name, several(getattr(self, name)))
        if not self.traces:
            raise ValueError("a request needs a trace")
        if self.listener is not None and (len(self.traces) > 1 or not self.summary):
            raise ValueError("a listener needs one trace, and the summary of it")
        if self.follower is not None and len(self.traces) > 1:
            raise ValueError("one trace can be followed")
        if self.tracks and (self.listener is not None or not self.summary):
            raise ValueError("tracks need the summary, and take the place of a listener")


@dataclass(frozen=True, slots=True, kw_only=True)
class TraceAnswer:
    """What traces show.

    :param request: the question.
    :param watched: the result of each trace, in order; after Ctrl-C, of those that were read, the
        last as far as it was.
    :param oopses: what texts are that are no traces, and have an oops, BUG or warning in them.
    :param tallies: the name of each trace and the statistics of its sections, if the request has
        `summary`.
    :param tracks: what happened in each trace, if the request has `tracks`.
    """

    request: TraceRequest
    watched: tuple[TraceResult, ...]
    tallies: tuple[tuple[str, SectionStats], ...] = ()
    oopses: tuple[OopsAnswer, ...] = ()
    tracks: tuple[TraceTracks, ...] = ()

    @property
    def findings(self) -> tuple[TraceFinding, ...]:
        """The findings of all traces, allowed ones included."""
        return tuple(finding for one in self.watched for finding in one.findings)

    @property
    def violations(self) -> tuple[TraceFinding, ...]:
        """The findings that break a rule."""
        return tuple(finding for one in self.watched for finding in one.violations)

    @property
    def interrupted(self) -> bool:
        """Whether not everything was read because of Ctrl-C."""
        return any(one.interrupted for one in self.watched)

    def exit_code(self) -> ExitCode:
        """The exit code of the command: clean only if every trace was conclusive.

        Ctrl-C is how the following of a trace ends.
        """
        if self.interrupted and self.request.follower is None:
            return ExitCode.INTERRUPTED
        if self.violations or any(one.exit_code() is ExitCode.FOUND for one in self.oopses):
            return ExitCode.FOUND
        told = all(one.conclusive for one in self.watched) and not self.oopses
        return ExitCode.CLEAN if told else ExitCode.INCONCLUSIVE


def trace(asked: TraceRequest, *, progress: Show | None = None) -> TraceAnswer:
    """Hold traces to the contract.

    :param asked: the question.
    :param progress: called with the name of the trace, how many MiB of it are read, and of how many
        (0: unknown).
    :returns: the result of each trace.
    :raises lazymmu.Problem: the request cannot be met; its text is one sentence for the user.
    """
    names.check("rule of traces", asked.rules, trace_rules())
    if asked.arch is not None:
        names.check("architecture", [asked.arch], profiles())
    if asked.release is not None and version(asked.release) is None:
        raise Problem(f"{asked.release!r} is not a Linux release (example: 6.12.107)")
    most = max(MAX_BARS // len(asked.traces), 1)
    watched: list[TraceResult] = []
    oopses: list[OopsAnswer] = []
    tallies: list[tuple[str, SectionStats]] = []
    tracks: list[TraceTracks] = []
    for one in asked.traces:
        drawn = TraceTracks(most) if asked.tracks else None
        tally = SectionStats(drawn or asked.listener) if asked.summary else None
        try:
            watched.append(_watched(one, asked, tally, progress))
        except _NoTrace as other:
            oopses.append(other.oopses)
            continue
        except KeyboardInterrupt:
            if not watched:
                raise
            watched[-1] = replace(watched[-1], interrupted=True)
            break
        if tally is not None:
            tallies.append((watched[-1].name, tally))
        if drawn is not None:
            tracks.append(drawn)
        if watched[-1].interrupted:
            break
    return TraceAnswer(
        request=asked,
        watched=tuple(watched),
        oopses=tuple(oopses),
        tallies=tuple(tallies),
        tracks=tuple(tracks),
    )


def _watched(
    given: str | os.PathLike[str] | Stream,
    asked: TraceRequest,
    tally: SectionStats | None,
    progress: Show | None,
) -> TraceResult:
    stream = given if isinstance(given, Stream) else None
    name = given.name if isinstance(given, Stream) else os.fspath(given)
    total = 0 if stream is not None else _size(name)

    def advance(done: int) -> None:
        if progress is not None:
            progress(f"reading {name} (MiB)", done >> 20, total)

    try:
        found = check_trace(
            name,
            None if stream is None else stream.file,
            arch=asked.arch or "",
            release=asked.release or "",
            rules=asked.rules,
            progress=advance if progress is not None else None,
            observer=tally,
            follower=_Narrowed.of(asked),
        )
    except TraceError as error:
        if error.read:
            # Only who has such a text pays for what knows it.
            from lazymmu.verbs.oops import diagnose

            told = diagnose(name, error.read, arch=asked.arch, release=asked.release)
            if told.diagnoses:
                raise _NoTrace(told) from None
        raise Problem(str(error)) from None
    return found.only(pid=asked.task, cpu=asked.cpu)


class _NoTrace(Exception):
    """A text is no trace, and something else that can be told of."""

    def __init__(self, oopses: OopsAnswer) -> None:
        super().__init__(oopses.name)
        self.oopses = oopses


class _Narrowed(TraceFollower):
    """Tells a follower of the findings alone that the request wants to be shown."""

    def __init__(self, follower: TraceFollower, asked: TraceRequest) -> None:
        self._follower = follower
        self._asked = asked

    @classmethod
    def of(cls, asked: TraceRequest) -> Self | None:
        return None if asked.follower is None else cls(asked.follower, asked)

    def found(self, finding: TraceFinding) -> None:
        if finding.of(pid=self._asked.task, cpu=self._asked.cpu):
            self._follower.found(finding)

    def seen(self, seen: Seen) -> None:
        self._follower.seen(seen)

    def gone(self) -> bool:
        return self._follower.gone()


def _size(name: str) -> int:
    """The MiB of a file, 0 where nobody knows; reading it says why."""
    try:
        return Path(name).stat().st_size >> 20
    except (OSError, ValueError):
        return 0
