# SPDX-License-Identifier: GPL-2.0-or-later
"""What `trace` draws beside its answer: a plot and a timeline.

What cannot be drawn is found out before anything is read, as far as that is possible, and never
costs the answer: it is said behind it.
"""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING, Self

from lazymmu.cli.console import say
from lazymmu.problem import Problem
from lazymmu.terminal import clean
from lazymmu.verbs.given import reason

if TYPE_CHECKING:
    import argparse
    from types import TracebackType

    from lazymmu.report.trace.timeline import Timeline
    from lazymmu.verbs.trace import TraceAnswer

__all__ = ["Pictures"]


class Pictures(contextlib.ExitStack):
    """The pictures that are asked for; to be closed.

    wanted: whether any is; timeline: told what happens, None where none is asked for.
    """

    def __init__(self, args: argparse.Namespace) -> None:
        """Look at what the options ask for; raises Problem for what cannot be drawn."""
        super().__init__()
        self.timeline: Timeline | None = None
        self._plot: str | None = args.plot
        self._file: str | None = args.timeline
        self._failed: list[str] = []
        self.wanted = self._plot is not None or self._file is not None
        for name, what in ((self._plot, "plot"), (self._file, "timeline")):
            if name is not None and len(args.traces) > 1:
                raise Problem(f"a {what} is of one trace")
        if self._plot is not None:
            from lazymmu.report.trace import plot

            try:
                plot.check(self._plot)
            except plot.PlotError as error:
                raise Problem(str(error)) from None
        if self._file is not None:
            self._open(self._file, args.traces[0])

    def _open(self, file: str, trace: str) -> None:
        from lazymmu.report.trace.timeline import Timeline

        if os.path.exists(trace) and os.path.exists(file) and os.path.samefile(trace, file):
            raise Problem(f"the timeline {clean(file)} would overwrite the trace")
        try:
            out = self.enter_context(open(file, "w", encoding="ascii"))  # noqa: SIM115 - it is
        except (OSError, ValueError) as error:
            raise Problem(f"cannot write {clean(file)}: {reason(error)}") from None
        self.timeline = Timeline(out, "<stdin>" if trace == "-" else trace)

    def __enter__(self) -> Self:
        """Closes what is open at the end."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
        /,
    ) -> bool:
        """The same; where the trace could not be read, half a timeline is not left behind."""
        done = super().__exit__(kind, error, trace)
        if kind is not None and self._file is not None and os.path.isfile(self._file):
            with contextlib.suppress(OSError):
                os.unlink(self._file)
        return bool(done)

    def finish(self, answer: TraceAnswer) -> None:
        """Draw what can be drawn once all was read."""
        if self.timeline is not None:
            ((_, tally),) = answer.tallies
            self.timeline.finish(answer.watched[0], counts=tally.counts)
            error = self.timeline.error
            try:
                self.close()
            except OSError as closing:
                error = error or reason(closing)
            if error:
                self._failed.append(f"cannot write {clean(self._file or '')}: {error}")
        if self._plot is not None:
            from lazymmu.report.trace import plot

            ((name, tally),) = answer.tallies
            try:
                plot.draw(name, tally, self._plot, answer.watched[0].kernel)
            except plot.PlotError as error_:
                self._failed.append(str(error_))

    def complain(self) -> None:
        """Raise Problem for what could not be drawn; the others are said."""
        for other in self._failed[1:]:
            say(other)
        if self._failed:
            raise Problem(self._failed[0])
